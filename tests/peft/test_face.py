"""The first look: what a reader of the built site sees at once, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chromium import Tab
    from conftest import Built

pytestmark = [pytest.mark.peft, pytest.mark.browser]

#: The least that a thumb hits, in CSS pixels: WCAG 2.2, success criterion 2.5.5.
THUMB = 44


@pytest.fixture
def tab(browsing: Tab) -> Tab:
    browsing.resize(1280, 900)
    browsing.errors.clear()
    return browsing


def test_who_follows_a_link_to_lora_config_sees_a_heuristic(
    site: Built, tab: Tab
) -> None:
    page = (site.out / "reference/tuners/lora.html").as_uri()
    tab.open(f"{page}#peft.LoraConfig")
    place = tab.run(
        """
        const entry = document.getElementById("peft.LoraConfig");
        const box = entry.parentElement.querySelector(":scope > dd > .admonition.heuristic");
        const { top, bottom } = box.getBoundingClientRect();
        return [Math.round(entry.getBoundingClientRect().top) >= 0, top, bottom, innerHeight];
        """
    )
    is_below_the_edge, top, bottom, height = place
    assert is_below_the_edge
    assert 0 < top < bottom <= height


@pytest.mark.parametrize("width", [1280, 390])
def test_a_box_is_read_as_easily_as_the_docstring_around_it(
    site: Built, tab: Tab, width: int
) -> None:
    tab.resize(width)
    tab.open((site.out / "reference/tuners/lora.html").as_uri())
    sizes = tab.run(
        """
        const size = (one) => parseFloat(getComputedStyle(one).fontSize);
        const texts = (selector) => [...document.querySelectorAll(selector)].map(size);
        return [texts(".admonition.heuristic > p"), texts("dl.py > dd > p")];
        """
    )
    boxes, docstrings = sizes
    assert len(boxes) > 20
    assert min(boxes) >= max(docstrings)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_front_page_is_for_thumbs(site: Built, tab: Tab, width: int) -> None:
    tab.resize(width)
    tab.open((site.out / "index.html").as_uri())
    found = tab.run(
        """
        const boxes = [...document.querySelectorAll(".heuristic-paste li a")].map((one) => one.getBoundingClientRect());
        return {
          heights: boxes.map((box) => box.height),
          columns: new Set(boxes.map((box) => box.left)).size,
          isWithin: boxes.every((box) => box.left >= 0 && box.right <= innerWidth),
        };
        """
    )
    assert min(found["heights"]) >= THUMB
    assert found["columns"] >= 2
    assert found["isWithin"]


def test_each_example_of_the_front_page_is_answered(site: Built, tab: Tab) -> None:
    tab.open((site.out / "index.html").as_uri())
    answers = tab.run(
        """
        const answered = [];
        for (const example of document.querySelectorAll(".heuristic-example")) {
          example.click();
          const list = document.querySelector(".heuristic-answers");
          while (document.activeElement !== list) await new Promise((done) => setTimeout(done, 20));
          answered.push(list.querySelectorAll("ol > li").length);
          document.activeElement.blur();
        }
        return answered;
        """
    )
    assert len(answers) >= 2
    assert all(answers)


def test_the_sidebar_has_categories_and_leaves_heuristics_to_them(site: Built) -> None:
    page = site.soup("heuristics/training/index.html")
    tree = page.select_one(".sidebar-tree")
    heading = tree.find("a", string="Heuristics")
    categories = heading.parent.find("ul").find_all("li", recursive=False)
    counted = site.soup("heuristics/index.html").select(
        "table.heuristic-categories tbody tr"
    )
    assert [one.a.get_text() for one in categories] == [
        row.td.get_text(strip=True) for row in counted
    ]
    assert not [one for one in categories if one.ul]
    rows = site.soup("heuristics/index.html").select("table.heuristic-index tbody tr")
    assert not [row.a for row in rows if row.a["href"] in str(tree)]
