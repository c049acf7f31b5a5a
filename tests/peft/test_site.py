"""The project's own site: real PEFT, built once as `make html` builds it."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING

import peft
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ROOT, dom_of, forget_project
from exported import known_in
from peft.tuners.tuners_utils import BaseTuner
from sphinx.util.inventory import InventoryFile

from sphinxext_heuristics._core.cli import parser
from sphinxext_heuristics._core.cli.explain import explain
from sphinxext_heuristics._core.cli.project import opened, read
from sphinxext_heuristics._core.evidence.pasted import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.peft, pytest.mark.xdist_group("site")]

DOCS = ROOT / "docs"

#: The pages of heuristics.
PAGES = sorted(DOCS.parent.glob("heuristics/huggingface_peft_*.md"))

SAFE_MERGE = "Check the merged weights before you ship them"
ROUNDING = "Avoid merging into quantized weights, which rounds them again"
RETURNS = "Assign what merge_and_unload returns"
TIED = "Untie the output head before you merge an adapter on it"
PARTIAL = "Activate exactly the adapters that you merge"
UNMERGEABLE = "Merge into an unquantized base where the quantized one cannot be merged"
CLONE = "Clone the output of a quantized layer in layers of your own"
PISSA = "Convert PiSSA, OLoRA, CorDA and LoRA-GA adapters to plain LoRA"
DORA = "Keep DoRA adapters out of mixed batches"
STORAGE = "Store 4-bit weights in the dtype of the model for FSDP"
CHECKPOINTING = "Choose the variant of gradient checkpointing explicitly"

#: Tuners whose `merge_and_unload` always raises (peft 0.21.2, by running each).
NEVER_MERGE = {"PolyModel", "LilyModel", "ShadowModel"}

#: What is shown of merging, the most severe first, and the tuners that it is true of
#: among those that inherit `merge_and_unload` (peft 0.21.2, by running each:
#: tests/peft/claims).
MERGING: dict[str, Callable[[str], bool]] = {
    RETURNS: lambda cls: cls not in NEVER_MERGE,
    PARTIAL: lambda cls: cls not in NEVER_MERGE,
    # one exchanges modules, one changes biases only
    TIED: lambda cls: cls not in NEVER_MERGE | {"LNTuningModel", "BeftModel"},
    ROUNDING: {
        *("BaseTuner", "BOFTModel", "HiraModel", "LoraModel", "MissModel", "OFTModel"),
        *("PveraModel", "RandLoraModel", "RoadModel", "ShiraModel", "VeraModel"),
    }.__contains__,
    UNMERGEABLE: {
        *(
            "BaseTuner",
            "LycorisTuner",
            "LoraModel",
            "AdaLoraModel",
            "IA3Model",
            "OFTModel",
            "BOFTModel",
            "VeraModel",
        ),
        *(
            "MissModel",
            "ShiraModel",
            "C3AModel",
            "FourierFTModel",
            "GraloraModel",
            "UniLoraModel",
            "VBLoRAModel",
        ),
        *(
            "WaveFTModel",
            "LoHaModel",
            "LoKrModel",
            "PveraModel",
            "RandLoraModel",
            "XLoraModel",
        ),
    }.__contains__,
    # one merges without the check
    SAFE_MERGE: lambda cls: cls not in NEVER_MERGE | {"LNTuningModel"},
}

#: What `LoraConfig` shows.
LORA_CONFIG = [
    "Check layers whose weights PyTorch reads itself",
    "Initialize EVA with your data",
    "Name a module in one list only",
    "Say where the layers are that you count",
    "Name a new head in modules_to_save",
    "Save batch norm layers with the adapter",
    TIED,
    PISSA,
    "Keep the vision tower out of target_modules",
    "Compare target_modules with the modules that were found",
    DORA,
    "Name fused experts in target_parameters",
    "Keep what is trained in fp32 under fp16 mixed precision",
    'Leave bias at "none" if you need the base as well',
    "Set target_modules explicitly",
    "Change alpha together with r",
]

#: What `prepare_model_for_kbit_training` shows.
KBIT = [
    "Prepare the quantized model before you add the adapter",
    "Use non-reentrant checkpointing with DDP",
    "Prepare quantized models only, and expect fp32 embeddings",
    STORAGE,
    CHECKPOINTING,
]


@cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def inventory(site: Path) -> dict[str, dict[str, tuple[str, str]]]:
    with (site / "objects.inv").open("rb") as file:
        loaded = InventoryFile.load(file, "", lambda base, uri: base + uri)
    return {
        kind: {
            name: (
                getattr(item, "uri", None) or item[2],
                getattr(item, "display_name", None) or item[3],
            )
            for name, item in items.items()
        }
        for kind, items in dict(getattr(loaded, "data", loaded)).items()
    }


BOXES = "div.heuristic, div.heuristic-repeated"


def boxes(holder: Tag) -> list[Tag]:
    """Return what is shown in *holder* and not in its members, at parameters, too."""
    owner = holder.find_parent("dl", class_="py")
    return [
        box
        for box in holder.select(BOXES)
        if box.find_parent("dl", class_="py") is owner
    ]


def titles(holder: Tag) -> list[str]:
    """Return the titles of what is shown in *holder*, in full, folded or in a line."""
    return [
        title.get_text()
        for box in boxes(holder)
        for title in box.select("span.heuristic-ref, p.admonition-title > a")
        if title.name == "a" or title.find_parent("p", "admonition-title") is None
    ]


def number(holder: Tag) -> int:
    """Return how many are shown, those that a line only counts included."""
    counts = (
        re.match(r"(\d+) heuristics", box.get_text(strip=True)) for box in boxes(holder)
    )
    return len(titles(holder)) + sum(int(count[1]) for count in counts if count)


def body(site: Path, name: str) -> Tag:
    """Return the body of the API entry of *name*."""
    kinds = inventory(site)
    uri = next(
        items[name][0]
        for kind, items in kinds.items()
        if kind.startswith("py:") and name in items
    )
    document, _, anchor = uri.partition("#")
    signature = page(site / document.lstrip("/")).find(id=anchor)
    assert signature is not None
    content = signature.find_next_sibling("dd")
    assert isinstance(content, Tag)
    return content


def entry(site: Path, name: str) -> list[str]:
    """Return the titles of the heuristics that the API entry of *name* shows."""
    return titles(body(site, name))


def assert_shows(site: Path, name: str, expected: list[str]) -> None:
    """Assert that an entry shows just these, or names some of them and counts the rest."""
    holder = body(site, name)
    found = titles(holder)
    assert len(found) == len(set(found)), name
    assert set(found) <= set(expected), name
    assert number(holder) == len(expected), name


def documented(site: Path, member: str) -> Iterator[tuple[str, type]]:
    """Yield the documented entries of *member* with the class that each belongs to."""
    for name in inventory(site)["py:method"]:
        owner, _, last = name.rpartition(".")
        if last == member:
            module, _, cls = owner.rpartition(".")
            found = getattr(sys.modules[module], cls)
            # an alias of the canonical name is the same entry
            yield name, found


def test_merging_shows_where_it_is_true_and_nowhere_else(site: Path) -> None:
    places = dict(documented(site, "merge_and_unload"))
    for name, cls in places.items():
        if cls.merge_and_unload is peft.PeftMixedModel.merge_and_unload:
            expected = [RETURNS, PARTIAL, TIED, SAFE_MERGE]
        else:
            assert cls.merge_and_unload is BaseTuner.merge_and_unload, (
                "another override: run it, and label it"
            )
            expected = [
                title for title, is_true in MERGING.items() if is_true(cls.__name__)
            ]
        assert_shows(site, name, expected)
    inheriting = {
        cls.__name__
        for cls in tuners()
        if cls.merge_and_unload is BaseTuner.merge_and_unload
    }
    assert {cls.__name__ for cls in places.values()} == inheriting | {
        "BaseTuner",
        "PeftMixedModel",
    }
    assert len(inheriting) == 40


def tuners() -> set[type[BaseTuner]]:
    """Return every class of PEFT's that derives from `BaseTuner`."""
    found: set[type[BaseTuner]] = set()
    waiting = [BaseTuner]
    while waiting:
        new = {
            cls
            for cls in waiting.pop().__subclasses__()
            if cls.__module__.startswith("peft.")
        }
        waiting += new - found
        found |= new
    return found


def test_a_class_is_itself_and_no_class_that_ends_alike(site: Path) -> None:
    configs = [
        name for name in inventory(site)["py:class"] if name.endswith("LoraConfig")
    ]
    assert {
        "peft.LoraConfig",
        "peft.AdaLoraConfig",
        "peft.RandLoraConfig",
        "peft.XLoraConfig",
    } <= set(configs)
    shown = {name.rpartition(".")[2]: entry(site, name) for name in configs}
    assert sorted(shown["LoraConfig"]) == sorted(LORA_CONFIG)
    # what is about this class alone, and not about a parameter
    assert [name for name, there in shown.items() if DORA in there] == ["LoraConfig"]
    adalora = "Call update_and_allocate in every step of AdaLoRA"
    assert [
        name for name, titles_there in shown.items() if adalora in titles_there
    ] == ["AdaLoraConfig"]


def test_what_is_about_a_parameter_shows_at_every_configuration_that_has_it(
    site: Path,
) -> None:
    title = "Change alpha together with r"
    configs = [
        name
        for name in inventory(site)["py:class"]
        if name.startswith("peft.") and name.endswith("Config")
    ]
    shown = {
        name.rpartition(".")[2].removesuffix("Config")
        for name in configs
        if title in entry(site, name)
    }
    assert shown == {
        "Lora",
        "LoHa",
        "LoKr",
        "Gralora",
        "Deft",
        "Psoft",
        "RandLora",
        "Supertuning",
    }


def test_no_page_shows_a_heuristic_of_one_object_in_full_twice(site: Path) -> None:
    """Of what `models` documents several times, each heuristic is in full once and in one line elsewhere."""
    lines = page(site / "reference/models.html").select("div.heuristic-repeated")
    assert len(lines) > 30
    for line in lines:
        named = {title.get_text() for title in line.select("span.heuristic-ref")}
        places = [
            link for link in line.select("a") if not link.select("span.heuristic-ref")
        ]
        there = {
            title
            for link in places
            for title in entry(site, str(link["href"]).removeprefix("#"))
        }
        assert there
        assert named <= there, line.get_text()


def test_pages_are_quiet(site: Path) -> None:
    """Each heuristic is at the very thing it is about, and in full where it must be."""
    config = body(site, "peft.LoraConfig")
    assert len(config.find_all("div", class_="heuristic", recursive=False)) <= 5
    assert len(config.select("li > div.heuristic")) >= 5
    twice = 0
    for path in (site / "reference/tuners").glob("*.html"):
        boxes = page(path).select("dd div.heuristic")
        twice += len(boxes) - len({str(box.a["href"]) for box in boxes if box.a})
    assert twice <= 25
    repeated = page(site / "reference/models.html").select("div.heuristic-repeated")
    assert len(repeated) <= 75
    assert len({id(block.parent) for block in repeated}) == len(repeated)
    for folder in ("guides", "explanations", "environments"):
        for path in (site / folder).glob("*.html"):
            article = page(path).article
            boxed = {str(box.a["href"]) for box in article.select("div.heuristic")}
            linked = {
                str(link["href"])
                for link in article.select("a[href]")
                if not link.find_parent(
                    "div", class_=["heuristic", "heuristic-repeated"]
                )
            }
            assert boxed.isdisjoint(linked), path


def test_of_a_fold_there_are_three_or_more(site: Path) -> None:
    folds = [
        fold
        for path in site.rglob("*.html")
        for fold in page(path).select("details.heuristic-more")
    ]
    assert folds
    assert all(len(fold.select("div.heuristic")) > 2 for fold in folds)


def test_functions_and_the_neighbours_objects(site: Path) -> None:
    assert_shows(site, "peft.prepare_model_for_kbit_training", KBIT)
    assert_shows(site, "transformers.BitsAndBytesConfig", [STORAGE, CLONE])


def test_what_concerns_who_writes_layers_shows_where_they_are_described(
    site: Path,
) -> None:
    assert entry(site, "peft.tuners.tuners_utils.BaseTunerLayer") == [CLONE]
    guide = page(site / "guides/qlora-training.html")
    (box,) = [box for box in guide.select(BOXES) if CLONE in box.get_text()]
    section = box.find_parent("section")
    assert section is not None
    assert section["id"] == "layers-of-your-own"


def test_front_page_shows_an_entry_as_it_is(site: Path) -> None:
    front, there = (
        page(site / "index.html"),
        page(site / "reference/models.html").find(id="peft.PeftModel.set_adapter"),
    )
    shown = front.select_one("dl.py.method")
    entry = there.find_next_sibling("dd")
    ends = [signature.get_text().strip().rstrip("¶") for signature in (shown.dt, there)]
    assert ends[0] == f"PeftModel.{ends[1]}"
    assert [box.get_text() for box in shown.select("div.heuristic")] == [
        box.get_text()
        for box in entry.find_all("div", class_="heuristic", recursive=False)
    ]
    for paragraph in shown.dd.find_all("p", recursive=False):
        said = paragraph.get_text().partition(" (")[0]
        assert any(
            said in one.get_text() for one in entry.find_all("p", recursive=False)
        ), said
    # a copy of an entry is no other place where heuristics show
    heuristic = page(site / "heuristics/huggingface_peft_Set_Adapter_Unfreezes.html")
    assert not heuristic.select('.heuristic-entries a[href^="../index.html#"]')


def test_front_page_takes_an_error_message_and_leads_to_tasks(site: Path) -> None:
    front = page(site / "index.html")
    assert front.select_one(".heuristic-paste a")["href"] == "messages.html"
    assert front.select('script[src*="heuristics-messages.js"]')
    cards = {
        card.select_one(".sd-card-title").get_text(strip=True): card
        for card in front.select(".sd-card")
    }
    assert list(cards) == ["Train", "Load", "Merge", "Serve"]
    for card in cards.values():
        links = [str(link["href"]).partition("#")[0] for link in card.select("a[href]")]
        assert any(link.startswith("guides/") for link in links)
        assert any(link.startswith("heuristics/") for link in links)
        assert all((site / link).is_file() for link in links)


def test_messages_of_other_packages_are_listed(site: Path) -> None:
    modules = [
        head.get_text()
        for head in page(site / "messages.html").select(".heuristic-origin")
    ]
    others = [module for module in modules if not module.startswith("peft.")]
    known = [
        "torch.amp.grad_scaler",
        "torch.optim.optimizer",
        "transformers.modeling_layers",
    ]
    assert [module for module in others if module in known] == known
    assert modules[-len(others) :] == others


def test_a_failed_mixed_batch_is_warned_of_once(site: Path) -> None:
    title = inventory(site)["heuristic:heuristic"]["Adapter_Names_Hook_Leak"][1]
    forwards = [
        name for name in inventory(site)["py:method"] if name.endswith(".forward")
    ]
    assert [name for name in forwards if title in entry(site, name)] == [
        "peft.PeftModel.forward"
    ]


def connected(site: Path) -> dict[str, set[str]]:
    """Return page → the titles of the heuristics that the Markdown index connects to it."""
    folders = {"Workflow": "guides", "Principle": "explanations", "Env": "environments"}
    titles_of = {
        name: title
        for name, (_uri, title) in inventory(site)["heuristic:heuristic"].items()
    }
    labels = inventory(site)["std:label"]
    found: dict[str, set[str]] = {}
    for row in (
        (DOCS.parent / "_HeuristicIndex.md").read_text(encoding="utf-8").splitlines()
    ):
        if match := re.match(r"\| huggingface_peft_(?P<name>\S+) \|", row):
            for kind, target in re.findall(
                r"✅(Workflow|Principle|Env):huggingface_peft_(\w+)", row
            ):
                label = target.lower().replace("_", "-")
                page_name = f"{folders[kind]}/{label}.html"
                if label in labels:  # a section of a page
                    page_name = labels[label][0].partition("#")[0].lstrip("/")
                found.setdefault(page_name, set()).add(titles_of[match["name"]])
    return found


def test_guides_explanations_and_environments_show_theirs_and_each_has_some(
    site: Path,
) -> None:
    expected = connected(site)
    for folder in ("guides", "explanations", "environments"):
        for path in sorted((site / folder).glob("*.html")):
            heading = page(path).find("h1")
            assert heading is not None
            assert heading.parent is not None
            name = f"{folder}/{path.name}"
            anywhere = set(titles(heading.parent))
            at_the_top = heading.parent.find(class_=re.compile("heuristic"))
            assert anywhere == expected.pop(name, set()), name
            assert at_the_top or path.stem == "index"
    assert not expected


def reviewed() -> set[tuple[str, str]]:
    """Return the heuristic and the entry of each line of the reach file."""
    lines = (
        (DOCS.parent / "heuristics/reach.txt").read_text(encoding="utf-8").splitlines()
    )
    return {tuple(line.split()) for line in lines if not line.startswith(("#", "not "))}  # type: ignore[misc]


def test_the_reference_shows_what_the_reach_file_lists_and_nothing_else(
    site: Path,
) -> None:
    names = inventory(site)["heuristic:heuristic"]
    expected: dict[str, list[str]] = {}
    for name, place in sorted(reviewed()):
        expected.setdefault(place, []).append(names[name][1])
    for place, of_one in expected.items():
        assert_shows(site, place, of_one)
    held = {id(box) for place in expected for box in boxes(body(site, place))}
    everywhere = [
        box
        for path in (site / "reference").rglob("*.html")
        for box in page(path).select(BOXES)
    ]
    assert held == {id(box) for box in everywhere}


def test_links_lead_to_the_heuristic(site: Path) -> None:
    box = page(site / "reference/tuners/vera.html").find("div", class_="heuristic-tip")
    assert box is not None
    assert box.find("p", class_="admonition-title").get_text() == f"Tip: {SAFE_MERGE}"
    href = box.a["href"]
    document, _, anchor = href.partition("#")
    target = page((site / "reference/tuners" / document).resolve()).find(id=anchor)
    assert target is not None
    assert target.find(re.compile("h1")).get_text().startswith(SAFE_MERGE)


def test_the_inventory_holds_all_the_first_five_by_name_and_title(site: Path) -> None:
    held = {
        name: title
        for name, (_uri, title) in inventory(site)["heuristic:heuristic"].items()
    }
    assert len(held) == len(PAGES)
    assert (
        held.items()
        >= {
            "Gradient_Checkpointing": CHECKPOINTING,
            "Quantized_Merge_Rounding": ROUNDING,
            "4bit_Defensive_Clone": CLONE,
            "DoRA_Mixed_Batch_Limitation": DORA,
            "Safe_Merge_NaN_Check": SAFE_MERGE,
        }.items()
    )


#: The rows of the index that this project started from.
SEED = """\
| huggingface_peft_Gradient_Checkpointing | [→](./heuristics/huggingface_peft_Gradient_Checkpointing.md) | \
✅Impl:huggingface_peft_prepare_model_for_kbit_training, ✅Workflow:huggingface_peft_QLoRA_Training, \
✅Principle:huggingface_peft_Memory_Optimization | Enable gradient checkpointing for memory savings |
| huggingface_peft_Quantized_Merge_Rounding | [→](./heuristics/huggingface_peft_Quantized_Merge_Rounding.md) | \
✅Impl:huggingface_peft_merge_and_unload, ✅Workflow:huggingface_peft_Adapter_Inference, \
✅Principle:huggingface_peft_Adapter_Merging | Rounding errors warning for quantized merges |
| huggingface_peft_4bit_Defensive_Clone | [→](./heuristics/huggingface_peft_4bit_Defensive_Clone.md) | \
✅Impl:huggingface_peft_BitsAndBytesConfig, ✅Workflow:huggingface_peft_QLoRA_Training | \
Clone tensor for 4-bit backprop safety |
| huggingface_peft_DoRA_Mixed_Batch_Limitation | [→](./heuristics/huggingface_peft_DoRA_Mixed_Batch_Limitation.md) | \
✅Impl:huggingface_peft_LoraConfig, ✅Workflow:huggingface_peft_Multi_Adapter_Management | \
DoRA incompatible with adapter_names |
| huggingface_peft_Safe_Merge_NaN_Check | [→](./heuristics/huggingface_peft_Safe_Merge_NaN_Check.md) | \
✅Impl:huggingface_peft_merge_and_unload, ✅Workflow:huggingface_peft_Adapter_Inference, \
✅Principle:huggingface_peft_Adapter_Merging | Use safe_merge=True to detect broken adapters |
"""


def test_the_index_file_begins_with_the_five_and_misses_nothing() -> None:
    text = (DOCS.parent / "_HeuristicIndex.md").read_text(encoding="utf-8")
    rows = [
        line for line in text.splitlines() if line.startswith("| huggingface_peft_")
    ]
    assert rows[:5] == SEED.splitlines()
    assert len(rows) == len(PAGES)
    assert not any("⬜" in row for row in rows)


def test_the_index_lists_them_with_their_connections_and_counts(site: Path) -> None:
    index = page(site / "heuristics/index.html")
    table = index.find("table", class_="heuristic-index")
    assert table is not None
    rows = [row.find_all("td") for row in table.tbody.find_all("tr")]
    assert len(rows) == len(PAGES)
    notes = [(cells[0].a.get_text(), cells[2].get_text().strip()) for cells in rows]
    assert {*notes} >= {
        (
            CHECKPOINTING,
            (
                "When you prepare a quantized model, pass gradient_checkpointing_kwargs={'use_reentrant': False}: "
                "checkpointing is on by default, and without the argument it is the reentrant variant"
            ),
        ),
        (
            ROUNDING,
            (
                "When the base is quantized, load a copy of it in 16 or 32 bit for the merge; the quantized weights are "
                "rounded once more"
            ),
        ),
        (
            CLONE,
            (
                "When your own layer or hook adds in place to what a bitsandbytes layer returned, call clone() on it first, "
                "because it may be a view that autograd refuses to change"
            ),
        ),
        (
            DORA,
            (
                "When one batch mixes adapters, leave out those with use_dora=True, which raise a ValueError, and run each "
                "by itself"
            ),
        ),
        (
            SAFE_MERGE,
            "When an adapter may be broken, pass safe_merge=True: it raises an error if it finds NaN or Inf",
        ),
    }
    (safe_merge,) = [cells for cells in rows if cells[0].a.get_text() == SAFE_MERGE]
    assert [line.get_text() for line in safe_merge[1].select("div.line")] == [
        "merge_and_unload",
        "Adapter inference",
        "Adapter merging",
    ]
    assert "⬜" not in table.get_text()
    counts = index.find("table", class_="heuristic-categories")
    assert counts is not None
    counted = [
        [td.get_text(strip=True) for td in row.find_all("td")][:2]
        for row in counts.tbody.find_all("tr")
    ]
    tags = [tag.get_text() for tag in table.select(".heuristic-category")]
    assert [name for name, _count in counted] == [
        *("Memory Optimization", "Quantization", "Multi-Adapter", "Debugging"),
        *("Inference & Merging", "Training", "Saving & Loading", "Compatibility"),
    ]
    assert [count for _name, count in counted] == [
        str(tags.count(name)) for name, _count in counted
    ]


_EXPLAINED = re.compile(
    r" {4}(?P<not>not )?shown: (?P<name>[\w.]+) \((?P<docname>[^)]+)\): "
)


def test_what_explain_says_is_what_the_pages_show(site: Path) -> None:
    shown: set[tuple[str, str, str]] = set()
    counted = 0
    for path in site.rglob("*.html"):
        for signature in page(path).select("dl.py > dt[id]"):
            content = signature.find_next_sibling("dd")
            docname = path.relative_to(site).with_suffix("").as_posix()
            shown.update(
                (docname, str(signature["id"]), title) for title in titles(content)
            )
            counted += number(content)
    said: dict[bool, set[tuple[str, str, str]]] = {True: set(), False: set()}
    command = [
        "explain",
        str(DOCS),
        "",
        "--silent",
        "--doctree-dir",
        str(site / ".doctrees"),
    ]
    with opened(parser().parse_args(command)) as app:
        plan = read(app)
        for record in plan.heuristics.values():
            for line in explain(plan, record.name):
                if match := _EXPLAINED.match(line):
                    said[not match["not"]].add(
                        (match["docname"], match["name"], record.title)
                    )
    forget_project()
    assert len(shown) > 300
    assert len(said[False]) > 50
    assert said[True] >= shown
    assert len(said[True]) == counted
    assert not said[False] & shown


# -- the search -----------------------------------------------------------------------

#: What readers search for → the pages of heuristics that answer it; names → the end of
#: their entry's full name; and what readers paste, with the heuristics that know of it.
SEARCH = json.loads((ROOT / "tests/peft/search.json").read_text(encoding="utf-8"))

#: Added to the search page: the results of all queries, the best first, by Sphinx's own
#: script and with its index.
_ASK = """<pre id="result"></pre><script>
addEventListener("load", () => {{
  const ask = (query) =>
    Search._performSearch(...Search._parseQuery(query)).reverse().slice(0, 20)
      .map(([docname, title, , , , , kind]) => [kind, docname, title]);
  document.getElementById("result").textContent = JSON.stringify({queries}.map(ask));
}});
</script>"""


@pytest.fixture(scope="module")
def results(
    site: Path, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[str]]]:
    """Return query → its results, each with kind, document and title."""
    queries = [*SEARCH["words"], *SEARCH["names"]]
    asking = site / "asking.html"
    text = (site / "search.html").read_text(encoding="utf-8")
    asking.write_text(text + _ASK.format(queries=json.dumps(queries)), encoding="utf-8")
    answered = dom_of(browser, asking, tmp_path_factory.mktemp("browser"))
    asking.unlink()
    result = answered.find(id="result")
    assert result is not None
    assert result.get_text(), "the search page has reported nothing"
    return dict(zip(queries, json.loads(result.get_text()), strict=True))


def test_what_readers_paste_finds_its_heuristic(site: Path) -> None:
    """That the page's script answers alike is in tests/show/test_browser.py."""
    place = page(site / "messages.html").select_one(".heuristic-paste")
    given, *_ = json.loads(place["data-known"])
    names = [uri.partition("#")[0] for uri, *_ in given]
    known = known_in(page(site / "messages.html"))
    missed = []
    for asked in SEARCH["pasted"]:
        found = [names[one.at] for one in answers(known, asked["text"])]
        if not asked["heuristics"]:
            assert not found, asked["text"]
            continue
        wanted = {
            f"heuristics/huggingface_peft_{name}.html" for name in asked["heuristics"]
        }
        if not wanted & set(found[:3]):
            missed.append((asked["text"], found))
    assert len(missed) <= len(SEARCH["pasted"]) // 10, missed


@pytest.mark.slow
@pytest.mark.browser
def test_words_find_the_right_page(results: dict[str, list[list[str]]]) -> None:
    missed = {}
    for query, names in SEARCH["words"].items():
        found = [docname for _kind, docname, _title in results[query]]
        wanted = {f"heuristics/huggingface_peft_{name}" for name in names}
        if not wanted & set(found[:3]):
            missed[query] = found[:5]
        pages = [
            docname for docname in found if docname.startswith("heuristics/huggingface")
        ]
        assert len(pages) == len(set(pages)), f"{query}: a page is listed twice"
    assert len(missed) <= len(SEARCH["words"]) // 10, missed


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", SEARCH["names"])
def test_a_name_finds_its_entry_first(
    results: dict[str, list[list[str]]], name: str
) -> None:
    kind, _docname, title = results[name][0]
    assert kind == "object"
    assert title == SEARCH["names"][name] or title.endswith(f".{SEARCH['names'][name]}")


# -- a phone --------------------------------------------------------------------------

#: Puts each page into a frame as wide as a phone and reports how far down the text of
#: the heuristic begins, below its title, note and facts.
_PHONE = """<pre id="result"></pre><script>
const pages = {pages};
const below = {{}};
pages.forEach((page) => {{
  const frame = document.createElement("iframe");
  frame.width = 390; frame.height = 844; frame.src = page;
  frame.onload = () => {{
    const text = frame.contentDocument.querySelector("section > .heuristic-facts + *");
    below[page] = text.getBoundingClientRect().top;
    document.getElementById("result").textContent = JSON.stringify(below);
  }};
  document.body.append(frame);
}});
</script>"""


@pytest.mark.slow
@pytest.mark.browser
def test_on_a_phone_the_text_begins_on_the_first_screen(
    site: Path, browser: str, tmp_path: Path
) -> None:
    pages = [f"heuristics/{path.name}" for path in (site / "heuristics").glob("*.html")]
    pages.remove("heuristics/index.html")
    frames = site / "phone.html"
    frames.write_text(_PHONE.format(pages=json.dumps(pages)), encoding="utf-8")
    option = "--allow-file-access-from-files"
    measured = dom_of(browser, frames, tmp_path, option, milliseconds=20_000)
    frames.unlink()
    result = measured.find(id="result")
    assert result is not None
    below = json.loads(result.get_text())
    assert sorted(below) == sorted(pages)
    assert max(below.values()) <= 480, sorted(below.items(), key=lambda one: -one[1])[
        :5
    ]
