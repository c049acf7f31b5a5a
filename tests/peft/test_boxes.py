"""What readers of the built site meet before what they came for: few boxes, and small."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pages import option
from test_site import answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bs4 import Tag
    from conftest import Built

# the site of real PEFT takes minutes to build
pytestmark = [pytest.mark.peft, pytest.mark.slow, pytest.mark.xdist_group("site")]

#: Width of the window → how far below the signature parameters may begin.
WIDTHS = {1280: 380, 390: 640}

OBJECTS = (
    "peft.LoraConfig",
    "peft.PeftModel.from_pretrained",
    "peft.LoraModel.merge_and_unload",
    "peft.prepare_model_for_kbit_training",
    "peft.PeftModel.save_pretrained",
    "peft.LoraModel.add_weighted_adapter",
    "peft.PeftModel.set_adapter",
    "peft.get_peft_model",
)

#: What a reader sees of heuristics in one place: a box, a line, a fold.
BLOCKS = ("heuristic", "heuristic-repeated", "heuristic-more")

#: Puts each page into a frame and reports how far below the signature of an entry its
#: own parameters begin.
_FRAMES = """<pre id="result"></pre><script>
const asked = {asked};
const below = {{}};
const measure = ([page, id]) => new Promise((resolve) => {{
  const frame = document.createElement("iframe");
  frame.width = {width}; frame.height = 900; frame.src = page;
  frame.onload = () => {{
    const signatures = frame.contentDocument.getElementById(id).parentElement;
    const lists = [...signatures.querySelectorAll("dl.field-list")];
    const own = lists.find((list) => list.closest("dl.py") === signatures);
    const last = [...signatures.children].filter((it) => it.tagName === "DT").pop();
    const from = last.getBoundingClientRect().bottom;
    below[id] = Math.round(own.getBoundingClientRect().top - from);
    frame.remove();
    resolve();
  }};
  document.body.append(frame);
}});
(async () => {{
  for (const one of asked) await measure(one);
  document.getElementById("result").textContent = JSON.stringify(below);
}})();
</script>"""


def address(site: Built, name: str) -> tuple[str, str]:
    """Return the page and the id of an API entry."""
    (uri,) = {
        items[name][0]
        for kind, items in site.inventory().items()
        if kind.startswith("py:") and name in items
    }
    page, _hash, anchor = uri.partition("#")
    return page, anchor.replace("$", name)


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_parameters_begin_on_the_first_screen(
    site: Built, browser: str, tmp_path: Path, width: int
) -> None:
    asked = [address(site, name) for name in OBJECTS]
    text = _FRAMES.format(asked=json.dumps(asked), width=width)
    below = answer_of(site, browser, text, tmp_path, milliseconds=60_000)
    assert sorted(below) == sorted(anchor for _page, anchor in asked)
    assert {name: it for name, it in below.items() if it > WIDTHS[width]} == {}


def blocks(holder: Tag, before: str) -> list[Tag]:
    """Return the boxes, lines and folds of *holder* itself, up to what is *before*."""
    found = []
    for child in holder.find_all(recursive=False):
        if child.name == before or before in child.get("class", []):
            break
        if any(it in child.get("class", []) for it in BLOCKS):
            found.append(child)
    return found


def pages(site: Built, pattern: str) -> Iterator[tuple[str, Tag]]:
    for path in sorted(site.out.glob(pattern)):
        name = path.relative_to(site.out).as_posix()
        yield name, site.soup(name)


def test_at_most_four_boxes_stand_before_the_parameters(site: Built) -> None:
    crowded = {}
    for name, page in pages(site, "reference/**/*.html"):
        for body in page.select("dl.py > dd"):
            met = blocks(body, "field-list")
            if len(met) > 4:
                signature = body.find_previous_sibling("dt")
                crowded[name, str(signature.get("id"))] = len(met)
    assert crowded == {}


@pytest.mark.parametrize("folder", ["guides", "explanations", "environments"])
def test_at_most_three_boxes_are_at_the_top_of_a_page(site: Built, folder: str) -> None:
    at_the_top = {
        name: len(blocks(page.find("h1").parent, "section"))
        for name, page in pages(site, f"{folder}/*.html")
    }
    assert {name: it for name, it in at_the_top.items() if it > 3} == {}
    assert at_the_top.get("guides/troubleshooting.html", 0) == 0


def test_open_at_target_modules_is_what_most_people_need(site: Built) -> None:
    page, anchor = address(site, "peft.LoraConfig")
    items = site.entry(page, anchor).select("dl.field-list li")
    (its,) = [it for it in items if it.get_text().startswith("target_modules")]
    shown = [
        box.select_one("p.admonition-title a").get_text()
        for box in its.select("div.heuristic")
    ]
    needed = ("Target_Module_Typos", "Default_Target_Modules")
    assert shown == [option(name, "title") for name in needed]


def test_one_signature_is_shown_where_there_are_overloads(site: Built) -> None:
    page, anchor = address(site, "peft.get_peft_model")
    body = site.entry(page, anchor)
    assert len(body.find_previous_siblings("dt")) == 1
    assert "_LoraPeftModel" not in site.soup(page).get_text()
    assert "_TunerPeftModel" not in site.soup(page).get_text()
