"""The index in the site as HTML has it: the filter's place, the script, and the graph with its links."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sphinxext_heuristics

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import Tag
    from conftest import Built, Project

needs_dot = pytest.mark.skipif(
    not shutil.which("dot"),
    reason="dot is not installed; on Debian: apt-get install graphviz",
)

FILES = r"""
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics.graph"]
heuristics_package = "demo"
heuristics_categories = {"Speed": "", "Memory & more": "", "Unused": ""}
copyright, version = "nobody", "1"  # for e-books
=== index.rst
Start
=====

.. toctree::

   deep/er/list
   deep/er/graph
   deep/guide
   api

.. heuristic:: First
   :title: Say "no" & <b> C:\new
   :note: One.
   :impl: demo.merge
   :workflow: deep/guide
   :category: Memory & more, Speed
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
=== deep/er/graph.md
# Graph

```{heuristic-graph}
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
    } == {'["Speed", "Memory & more"]'}


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
        assert found == [["Memory & more", "Speed"], ["Speed"]]


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


def test_readers_load_little() -> None:
    static = Path(sphinxext_heuristics.__file__).with_name("static")
    assert sum(path.stat().st_size for path in static.glob("*.css")) <= 8000
    assert max(path.stat().st_size for path in static.glob("*.js")) <= 13_000


@pytest.mark.parametrize(
    ("builder", "name"), [("text", "deep/er/list.txt"), ("epub", "deep/er/list.xhtml")]
)
def test_other_builders_have_no_filter(site: Project, builder: str, name: str) -> None:
    page = site.ok(builder).read(name)
    assert "Second" in page
    assert "heuristic-filter" not in page
    assert "heuristics-index.js" not in page


# -- the graph ------------------------------------------------------------------------


def links_of(svg: Tag) -> dict[str, Tag]:
    """Return a picture's label → its link."""
    return {
        "|".join(text.get_text() for text in a.select("text")): a
        for a in svg.select("a")
    }


def ends_of(built: Built, name: str) -> dict[str, str]:
    """Return a picture's label → the id, or page, that its link leads to."""
    svg = built.soup(name).select_one(".heuristic-graph-picture > svg")
    assert svg is not None
    return {
        label: str(built.follow(name, link).get("id") or "")
        for label, link in links_of(svg).items()
    }


#: The same with Sphinx's own extension, which has Graphviz's options.
WITH_OPTIONS = FILES.replace("[", '["sphinx.ext.graphviz", ', 1)

TITLE = 'Say "no" & <b> C:\\new'


@needs_dot
@pytest.mark.parametrize(
    ("builder", "name"),
    [
        ("html", "deep/er/graph.html"),
        ("dirhtml", "deep/er/graph/index.html"),
        ("singlehtml", "index.html"),
    ],
)
def test_nodes_are_links(site: Project, builder: str, name: str) -> None:
    ends = ends_of(site.ok(builder), name)
    assert list(ends) == [
        TITLE,
        "Impl: merge",
        "Workflow: Guide",
        "Second",
        "Principle: Part",
    ]
    assert ends[TITLE] == "heuristic-first"
    assert ends["Second"] == "heuristic-second"
    assert ends["Impl: merge"] == "demo.merge"
    assert ends["Principle: Part"] == "part"


@needs_dot
def test_page_link_leads_to_the_page(site: Project) -> None:
    svg = site.ok("html").soup("deep/er/graph.html").select_one("svg[role=group]")
    assert svg is not None
    assert (
        str(links_of(svg)["Workflow: Guide"]["href"]).partition("#")[0]
        == "../guide.html"
    )


@needs_dot
def test_what_is_missing_is_no_link_and_says_so(site: Project) -> None:
    svg = site.ok("html").soup("deep/er/graph.html").select_one("svg[role=group]")
    assert svg is not None
    texts = [text.get_text() for text in svg.select("text")]
    assert "Impl: later (missing)" in texts
    assert not [label for label in links_of(svg) if "later" in label]


@needs_dot
def test_one_target_is_one_node_with_all_its_edges(site: Project) -> None:
    svg = site.ok("html").soup("deep/er/graph.html").select_one("svg[role=group]")
    assert svg is not None
    assert len(svg.select("g.node")) == 6, "the object under two texts is one"
    assert len(svg.select("g.edge")) == 5


@needs_dot
def test_picture_brings_no_ids_and_no_colours_of_its_own(site: Project) -> None:
    svg = site.ok("html").soup("deep/er/graph.html").select_one("svg[role=group]")
    assert svg is not None
    assert svg.get("aria-label")
    assert not svg.select("[id]")
    colours = {
        tag[name]
        for tag in svg.find_all()
        for name in ("fill", "stroke")
        if tag.has_attr(name)
    }
    assert colours <= {"none", "transparent", "#808080"}


@needs_dot
def test_picture_has_a_text_alternative(site: Project) -> None:
    built = site.ok("html")
    details = built.soup("deep/er/graph.html").select_one(".heuristic-graph > details")
    assert details is not None
    assert not details.has_attr("open")
    tops = details.select(":scope > ul > li")
    assert [item.select_one("p a").get_text() for item in tops] == [TITLE, "Second"]
    below = [
        [li.get_text(strip=True).replace("\xa0", " ") for li in item.select("ul li")]
        for item in tops
    ]
    assert below == [["merge", "Guide"], ["renamed", "later(planned)", "Part"]]
    for link in details.select("a"):
        built.follow("deep/er/graph.html", link)


# -- the graph does not go stale ------------------------------------------------------


def graph_of(built: Built) -> str:
    return str(built.soup("deep/er/graph.html").select_one(".heuristic-graph"))


@needs_dot
def test_graphviz_that_comes_and_goes(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    dot = tmp_path / "dot"
    made = project(WITH_OPTIONS)
    option = ("-D", f"graphviz_dot={dot}")
    assert "<svg" not in graph_of(made.ok("html", *option))
    dot.symlink_to(str(shutil.which("dot")))
    assert "<svg" in graph_of(made.ok("html", *option))
    dot.unlink()
    assert "<svg" not in graph_of(made.ok("html", *option))


def test_same_bytes_each_time(project: Callable[..., Project]) -> None:
    made = project(FILES)
    one = made.ok("html", "-E", out="one").read("deep/er/graph.html")
    assert made.ok("html", "-E", "-j", "2", out="two").read("deep/er/graph.html") == one
