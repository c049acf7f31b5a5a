"""The project's own site: real PEFT, built once as `make html` builds it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import peft
import pytest
from bs4 import BeautifulSoup, Tag
from peft.tuners.tuners_utils import BaseTuner
from sphinx.util.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.peft, pytest.mark.xdist_group("site")]

DOCS = Path(__file__).parents[1] / "docs"

SAFE_MERGE = "Check the merged weights before you ship them"
ROUNDING = "Merging into quantized weights rounds them again"
CLONE = "In a layer of your own, clone what a 4-bit layer returns"
DORA = "Keep DoRA adapters out of mixed batches"
CHECKPOINTING = "Choose the checkpointing variant when you prepare a quantized model"

#: Tuners whose `merge_and_unload` raises, or merges without the check (peft 0.21.2, by running each).
NOT_SAFE = {"PolyModel", "LilyModel", "ShadowModel", "LNTuningModel"}

#: Tuners that merge into a quantized base layer, and so round (peft 0.21.2, by running each).
ROUNDS = {
    "BaseTuner",
    "BOFTModel",
    "HiraModel",
    "LoraModel",
    "MissModel",
    "OFTModel",
    "PveraModel",
    "RandLoraModel",
    "RoadModel",
    "ShiraModel",
    "VeraModel",
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-j2", str(DOCS), str(out)]
    run = subprocess.run(  # noqa: S603 - the command is written right here
        command, capture_output=True, text=True, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
    )
    assert run.returncode == 0, run.stderr
    assert "WARNING: " not in re.sub(r"^# .*$", "", run.stderr, flags=re.MULTILINE)
    return out


@cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def inventory(site: Path) -> dict[str, dict[str, tuple[str, str]]]:
    with (site / "objects.inv").open("rb") as file:
        loaded = InventoryFile.load(file, "", lambda base, uri: base + uri)
    return {
        kind: {
            name: (getattr(item, "uri", None) or item[2], getattr(item, "display_name", None) or item[3])
            for name, item in items.items()
        }
        for kind, items in dict(getattr(loaded, "data", loaded)).items()
    }


def titles(holder: Tag) -> list[str]:
    """Return the titles of the admonitions right in *holder*, not in its members."""
    boxes = holder.find_all("div", class_="heuristic", recursive=False)
    return [box.find("p", class_="admonition-title").a.get_text() for box in boxes]


def entry(site: Path, name: str) -> list[str]:
    """Return the titles of the heuristics that the API entry of *name* shows."""
    kinds = inventory(site)
    uri = next(items[name][0] for kind, items in kinds.items() if kind.startswith("py:") and name in items)
    document, _, anchor = uri.partition("#")
    signature = page(site / document.lstrip("/")).find(id=anchor)
    assert signature is not None
    content = signature.find_next_sibling("dd")
    return titles(content)


def documented(site: Path, member: str) -> Iterator[tuple[str, type]]:
    """Yield the documented entries of *member* with the class that each belongs to."""
    for name in inventory(site)["py:method"]:
        owner, _, last = name.rpartition(".")
        if last == member:
            module, _, cls = owner.rpartition(".")
            found = getattr(sys.modules[module], cls)
            # an alias of the canonical name is the same entry
            yield name, found


def test_safe_merge_shows_where_the_check_is_true_and_nowhere_else(site: Path) -> None:
    places = dict(documented(site, "merge_and_unload"))
    assert len(places) >= 40
    for name, cls in places.items():
        inherits = cls.merge_and_unload in {BaseTuner.merge_and_unload, peft.PeftMixedModel.merge_and_unload}
        expected = inherits and cls.__name__ not in NOT_SAFE
        assert (SAFE_MERGE in entry(site, name)) is expected, name
    for name in ("peft.LoraModel", "peft.PeftMixedModel", "peft.tuners.tuners_utils.BaseTuner"):
        assert f"{name}.merge_and_unload" in places
    assert "peft.PolyModel.merge_and_unload" in places


def test_rounding_shows_where_weights_are_rounded_and_nowhere_else(site: Path) -> None:
    for name, cls in documented(site, "merge_and_unload"):
        assert (ROUNDING in entry(site, name)) is (cls.__name__ in ROUNDS), name


def test_the_most_severe_stands_first(site: Path) -> None:
    assert entry(site, "peft.LoraModel.merge_and_unload") == [ROUNDING, SAFE_MERGE]


def test_a_class_is_itself_and_no_class_that_ends_alike(site: Path) -> None:
    configs = [name for name in inventory(site)["py:class"] if name.endswith("LoraConfig")]
    assert {"peft.LoraConfig", "peft.AdaLoraConfig", "peft.RandLoraConfig", "peft.XLoraConfig"} <= set(configs)
    shown = {name for name in configs if entry(site, name)}
    assert {name.rpartition(".")[2] for name in shown} == {"LoraConfig"}
    assert entry(site, "peft.LoraConfig") == [DORA]


def test_functions_and_the_neighbours_objects(site: Path) -> None:
    assert entry(site, "peft.prepare_model_for_kbit_training") == [CHECKPOINTING]
    assert entry(site, "transformers.BitsAndBytesConfig") == [CLONE]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("guides/qlora-training.html", [CLONE, CHECKPOINTING]),
        ("guides/adapter-inference.html", [ROUNDING, SAFE_MERGE]),
        ("guides/multi-adapter-management.html", [DORA]),
        ("explanations/memory-optimization.html", [CHECKPOINTING]),
        ("explanations/adapter-merging.html", [ROUNDING, SAFE_MERGE]),
    ],
)
def test_guides_and_explanations_show_theirs(site: Path, document: str, expected: list[str]) -> None:
    heading = page(site / document).find("h1")
    assert heading is not None
    assert heading.parent is not None
    assert titles(heading.parent) == expected


def test_nothing_else_shows_anything(site: Path) -> None:
    count = sum(
        len(page(path).select("div.admonition.heuristic"))
        for folder in ("reference", "guides", "explanations")
        for path in (site / folder).rglob("*.html")
    )
    methods = [entry(site, name) for name, _cls in documented(site, "merge_and_unload")]
    assert count == sum(map(len, methods)) + 3 + 8  # LoraConfig, k-bit preparation, BitsAndBytesConfig; five pages


def test_links_lead_to_the_heuristic(site: Path) -> None:
    box = page(site / "reference/tuners/lora.html").find("div", class_="heuristic-tip")
    assert box is not None
    assert box.find("p", class_="admonition-title").get_text() == f"Tip: {SAFE_MERGE}"
    href = box.a["href"]
    document, _, anchor = href.partition("#")
    target = page((site / "reference/tuners" / document).resolve()).find(id=anchor)
    assert target is not None
    assert target.find(re.compile("h1")).get_text().startswith(SAFE_MERGE)


def test_the_inventory_holds_all_five_by_name_and_title(site: Path) -> None:
    assert {name: title for name, (_uri, title) in inventory(site)["heuristic:heuristic"].items()} == {
        "Gradient_Checkpointing": CHECKPOINTING,
        "Quantized_Merge_Rounding": ROUNDING,
        "4bit_Defensive_Clone": CLONE,
        "DoRA_Mixed_Batch_Limitation": DORA,
        "Safe_Merge_NaN_Check": SAFE_MERGE,
    }


def test_the_index_lists_them_with_their_connections_and_counts(site: Path) -> None:
    index = page(site / "heuristics/index.html")
    table = index.find("table", class_="heuristic-index")
    assert table is not None
    rows = [row.find_all("td") for row in table.tbody.find_all("tr")]
    assert [(cells[0].a.get_text(), cells[2].get_text(strip=True)) for cells in rows] == [
        (CHECKPOINTING, "Enable gradient checkpointing for memory savings"),
        (ROUNDING, "Rounding errors warning for quantized merges"),
        (CLONE, "Clone tensor for 4-bit backprop safety"),
        (DORA, "DoRA incompatible with adapter_names"),
        (SAFE_MERGE, "Use safe_merge=True to detect broken adapters"),
    ]
    assert [line.get_text() for line in rows[4][1].select("div.line")] == [
        "✅\u00a0Impl: merge_and_unload",
        "✅\u00a0Workflow: Adapter_Inference",
        "✅\u00a0Principle: Adapter_Merging",
    ]
    assert "⬜" not in table.get_text()
    counts = index.find("table", class_="heuristic-categories")
    assert counts is not None
    assert [[td.get_text(strip=True) for td in row.find_all("td")][:2] for row in counts.tbody.find_all("tr")] == [
        ["Memory Optimization", "2"],
        ["Quantization", "3"],
        ["Multi-Adapter", "1"],
        ["Debugging", "2"],
    ]
