"""The index in the site as HTML has it: the filter's place, and the script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

FILES = r"""
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics"]
heuristics_package = "demo"
heuristics_categories = {"Speed": "", "Memory & <b>": "", "Unused": ""}
copyright, version = "nobody", "1"  # for e-books
=== index.rst
Start
=====

.. toctree::

   deep/er/list
   deep/guide
   api

.. heuristic:: First
   :title: Say "no" & <b> C:\new
   :note: One.
   :impl: demo.merge
   :workflow: deep/guide
   :category: Memory & <b>, Speed
   :severity: danger

.. heuristic:: Second
   :note: Two.
   :impl: renamed <demo.merge>, ?demo.later
   :principle: deep/guide#part
   :category: Speed

=== deep/er/list.md
# List

```{heuristic-index}
```

```{heuristic-index}
:layout: cards
```
=== deep/guide.md
# Guide

Text.

## Part

Text.
=== api.rst
API
===

.. py:function:: demo.merge()

   Merge.
"""


@pytest.fixture(scope="module")
def site(shared_project: Callable[..., Project]) -> Project:
    return shared_project(FILES)


def test_a_name_of_a_category_is_text_in_the_domains_index(site: Project) -> None:
    page = site.ok("html").soup("heuristic-index.html")
    groups = [tr.get_text(strip=True) for tr in page.select("tr.cap")]
    assert groups == ["Speed", "Memory & <b>"]


# -- the filter -----------------------------------------------------------------------


def test_without_javascript_all_is_shown_and_no_control(site: Project) -> None:
    page = site.ok("html").soup("deep/er/list.html")
    filters = page.select(".heuristic-filter")
    assert len(filters) == 2
    assert all(one.has_attr("hidden") and not one.contents for one in filters)
    assert not page.select("article button.heuristic-chip, .heuristic-filter input")
    assert len(page.select("table.heuristic-index tbody tr:not([hidden])")) == 2
    assert len(page.select(".heuristic-cards > .sd-card:not([hidden])")) == 2


def test_filter_knows_the_used_categories_in_their_order(site: Project) -> None:
    page = site.ok("html").soup("deep/er/list.html")
    assert {
        str(one["data-categories"]) for one in page.select(".heuristic-filter")
    } == {'["Speed", "Memory & <b>"]'}


def test_filter_knows_the_words_and_messages_that_rows_do_not_show(
    project: Callable[..., Project],
) -> None:
    built = project(
        FILES.replace(
            "   :severity: danger\n",
            """   :severity: danger
   :keywords: twins
   :messages: one, … of "two"

   .. evidence:: demo:merge

      raise ValueError("Merged <twice> & {name}")
""",
        )
        + """=== demo.py
def merge():
    raise ValueError("Merged <twice> & {name}")
"""
    ).ok("html")
    page = built.soup("deep/er/list.html")
    found = [
        json.loads(str(one["data-words"])) for one in page.select(".heuristic-filter")
    ]
    words = 'twins one, … of "two" Merged <twice> & {name}'
    assert found == [[words, ""]] * 2
    text = page.select_one("article, .body").get_text()
    assert not {"twice", "twins", "two"} & set(text.split())


def test_rows_and_cards_name_their_categories(site: Project) -> None:
    page = site.ok("html").soup("deep/er/list.html")
    for selector in ("table.heuristic-index tbody tr", ".heuristic-cards > .sd-card"):
        found = [
            [tag.get_text() for tag in row.select(".heuristic-category")]
            for row in page.select(selector)
        ]
        assert found == [["Memory & <b>", "Speed"], ["Speed"]]


@pytest.mark.parametrize("builder", ["html", "dirhtml", "singlehtml"])
def test_script_is_on_pages_with_an_index_only(site: Project, builder: str) -> None:
    built = site.ok(builder)
    for path in built.out.rglob("*.html"):
        page = built.soup(path.relative_to(built.out).as_posix())
        scripts = page.select('script[src*="heuristics-index.js"]')
        assert len(scripts) == bool(page.select(".heuristic-filter")), path
        for script in scripts:
            assert script.has_attr("defer")
            assert (path.parent / str(script["src"]).partition("?")[0]).is_file()


@pytest.mark.parametrize(
    ("builder", "name"), [("text", "deep/er/list.txt"), ("epub", "deep/er/list.xhtml")]
)
def test_other_builders_have_no_filter(site: Project, builder: str, name: str) -> None:
    page = site.ok(builder).read(name)
    assert "Second" in page
    assert "heuristic-filter" not in page
    assert "heuristics-index.js" not in page
