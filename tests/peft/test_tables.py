"""Tables of the site where it is narrow: rows of words stacked, values that scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chromium import Tab
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bs4 import Tag
    from conftest import Built, Project

CONF = f"""\
import sys

folder = {str(ROOT / "docs/_ext")!r}
sys.path.insert(0, folder)
extensions = ["myst_parser", "narrow_tables"]
html_theme = "furo"
html_static_path = [folder + "/site.css", folder + "/scrolling.js"]
html_css_files = ["site.css"]
html_js_files = [("scrolling.js", {{"defer": "defer"}})]
"""

LONG = "a message that is too long for a line of a phone, " * 3

PAGE = f"""\
# Tables

| What you see | In release | Fixed in |
| --- | --- | --- |
| `{"long." * 20}name` is not there | 0.1 to 0.3 | 0.4 |
| {LONG} | 0.2 | [0.5](#tables) |

|   | what is *trained* | `task_type` |
| --- | --- | --- |
| Prompts | {LONG} | |

| message | ignore it? |
| --- | --- |
| short | yes |

| Method | `merge_adapter` | `unmerge_adapter` | `merge_and_unload` |
| --- | --- | --- | --- |
| LoRA | yes | yes | yes |
| Another method of them | error | ignored | yes |

```{{list-table}}
:class: another

* - {LONG}
```
"""

FILES = {"conf.py": CONF, "index.md": PAGE}


@pytest.fixture(scope="module")
def built(shared_project: Callable[..., Project]) -> Built:
    return shared_project(FILES).ok("html")


@pytest.fixture
def tables(built: Built) -> list[Tag]:
    return built.soup("index.html").select("article table")


def labels(row: Tag) -> list[str | None]:
    return [cell.get("data-label") for cell in row.select("td")]


def test_what_is_compared_by_column_is_a_table_of_values(tables: list[Tag]) -> None:
    words, values = {"table-of-words"}, {"table-of-values"}
    kinds = [{*table["class"]} & (words | values) for table in tables]
    # the third has short texts only, and a column that answers
    assert kinds == [words, words, words, values, set()]


def test_each_cell_of_words_has_the_head_of_its_column(tables: list[Tag]) -> None:
    fixed, prompts, ignored, *others = tables
    for row in fixed.select("tbody tr"):
        assert labels(row) == ["What you see:", "In release:", "Fixed in:"]
    assert labels(prompts.tbody.tr) == [None, "what is trained:", "task_type:"]
    assert labels(ignored.tbody.tr) == ["message:", "ignore it?"]
    assert not any(table.select("[data-label]") for table in others)


def test_what_answers_is_marked(tables: list[Tag]) -> None:
    answers = [
        [cell.get_text() for cell in table.select(".answer")] for table in tables
    ]
    assert answers == [["0.4", "0.5"], [], ["yes"], [], []]


def test_a_stacked_table_keeps_its_roles(tables: list[Tag]) -> None:
    for table in tables[:3]:
        assert table["role"] == "table"
        for selector, role in {
            "thead, tbody": "rowgroup",
            "tr": "row",
            "th": "columnheader",
            "td": "cell",
        }.items():
            assert {it["role"] for it in table.select(selector)} == {role}


def test_other_builders_have_tables_as_they_were(
    shared_project: Callable[..., Project],
) -> None:
    page = shared_project(FILES).ok("singlehtml").read("index.html")
    assert "<table" in page
    assert "table-of-" not in page
    assert "data-label" not in page


# -- what is seen ---------------------------------------------------------------------


@pytest.fixture
def tab(built: Built, browser: str, tmp_path: Path) -> Iterator[Tab]:
    tab = Tab(browser, tmp_path)
    tab.resize(390)
    tab.allow_scripts(are_allowed=False)
    tab.open((built.out / "index.html").as_uri())
    yield tab
    tab.close()


@pytest.mark.browser
def test_rows_of_words_fit_and_begin_with_the_answer(tab: Tab) -> None:
    places = """
    const [table] = document.querySelectorAll("table");
    return [...table.querySelectorAll("tbody td")].map((cell) => {
      const { left, right, top } = cell.getBoundingClientRect();
      return { left, top, isInside: left >= 0 && right <= innerWidth };
    });
    """
    first = tab.run(places)
    assert all(place["isInside"] for place in first)
    for see, release, fixed in (first[:3], first[3:]):
        assert see["left"] == release["left"] == fixed["left"]
        assert fixed["top"] < see["top"] < release["top"]
    tab.resize(1280)
    see, release, fixed = tab.run(places)[:3]
    assert see["top"] == release["top"] == fixed["top"]
    assert see["left"] < release["left"] < fixed["left"]


@pytest.mark.browser
def test_a_row_that_is_filtered_out_is_not_shown(tab: Tab) -> None:
    height = """
    const row = document.querySelector("tbody tr");
    row.hidden = true;
    return row.offsetHeight;
    """
    assert tab.run(height) == 0


@pytest.mark.browser
def test_the_first_column_of_values_stays_in_sight(tab: Tab) -> None:
    left, moved, rest = tab.run(
        """
        const box = document.querySelector(".table-of-values").parentElement;
        box.scrollLeft = 1000;
        const name = box.querySelector("tbody td").getBoundingClientRect();
        return [name.left, box.scrollLeft, name.left - box.getBoundingClientRect().left];
        """
    )
    assert moved > 0
    assert left >= 0
    # nothing is seen to the left of it
    assert rest == 0


@pytest.mark.browser
def test_values_that_scroll_are_reached_by_keyboard(
    built: Built, browser: str, tmp_path: Path
) -> None:
    tab = Tab(browser, tmp_path)
    try:
        tab.resize(390)
        tab.open((built.out / "index.html").as_uri())
        reached = """
        await new Promise((done) => setTimeout(done, 50));
        const boxes = [...document.querySelectorAll(".table-wrapper")];
        return boxes.map((box) => box.tabIndex === 0);
        """
        assert tab.run(reached)[:4] == [False, False, False, True]
    finally:
        tab.close()
