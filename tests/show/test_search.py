"""What Sphinx's own search finds a heuristic by; how well, of PEFT's site, is in tests/peft/test_site.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project

FILES = """
=== index.rst
Start
=====

.. toctree::

   own
   guide

.. py:function:: demo.merge()
=== own.rst
.. heuristic:: Own_Page
   :title: Check the weights
   :note: Use ``safe_merge`` when merging
   :impl: demo.merge
   :keywords: gibberish, loss stuck
   :messages:
      balderdash, …
      tosh
   :former-names: Old

   The body.
=== guide.rst
Guide
=====

.. heuristic:: Within
   :note: Read this
   :workflow: index
   :keywords: typo
"""

#: What the page is found by, as one title.
HIDDEN = "Own_Page Own Page Use safe_merge when merging gibberish loss stuck balderdash, … tosh"


def index_of(built: Built, name: str = "searchindex.js") -> Any:  # noqa: ANN401 - JSON
    return json.loads(
        built.read(name).removeprefix("Search.setIndex(").removesuffix(")")
    )


def in_title(index: Any, word: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return the documents that have a word in a title."""
    found = index["titleterms"].get(word, [])
    return [
        index["docnames"][at] for at in (found if isinstance(found, list) else [found])
    ]


@pytest.mark.parametrize("builder", ["html", "dirhtml"])
def test_a_page_is_found_by_name_note_keywords_and_messages(
    project: Callable[..., Project], builder: str
) -> None:
    site = project(FILES)
    built = site.ok(builder)
    index = index_of(built)
    for word in ("own_pag", "safe_merg", "gibberish", "stuck", "balderdash"):
        assert in_title(index, word) == ["own"], word
    assert HIDDEN in index["alltitles"]
    page = built.soup("own.html" if builder == "html" else "own/index.html")
    assert "Own_Page" not in page.get_text(), "the title is for the search alone"
    assert len(page.select("section > h1, section > h2")) == 1
    site.write(
        {
            "own.rst": FILES.partition("=== own.rst\n")[2]
            .partition("===")[0]
            .replace("gibberish", "garbage")
        }
    )
    again = index_of(site.ok(builder))
    assert (in_title(again, "garbag"), in_title(again, "gibberish")) == (["own"], [])


def test_a_page_gives_one_line_and_what_stands_in_another_a_link(
    project: Callable[..., Project],
) -> None:
    built = project(FILES).ok("html")
    objects = index_of(built)["objects"]
    names = {name for prefix in objects.values() for *_place, name in prefix}
    assert names == {"merge", "Within"}
    assert set(built.inventory()["heuristic:heuristic"]) == {
        "Own_Page",
        "Old",
        "Within",
    }
    assert "typo" in built.soup("guide.html").get_text()


@pytest.mark.parametrize(
    "builder",
    ["text", "latex", "singlehtml", "epub", "man", "texinfo", "xml", "gettext"],
)
def test_what_has_no_search_has_no_title_for_it(
    project: Callable[..., Project], builder: str
) -> None:
    built = project(FILES).build(builder)
    texts = [path.read_bytes() for path in built.out.rglob("*") if path.is_file()]
    assert any(b"safe" in text for text in texts)
    assert not any(b"when merging gibberish" in text for text in texts)


def test_who_reads_a_page_does_not_find_the_words_for_the_search(
    project: Callable[..., Project],
) -> None:
    conf_py = """\
from docutils import nodes

extensions = ["sphinxext_heuristics"]


class Describer(nodes.SparseNodeVisitor):
    \"\"\"Takes the text of a page as sphinxext-opengraph does.\"\"\"

    def dispatch_visit(self, node):
        if isinstance(node, nodes.Invisible):
            raise nodes.SkipNode
        if isinstance(node, nodes.Text):
            self.document.described.append(str(node))


def describe(app, pagename, templatename, context, doctree):
    if pagename == "own":
        doctree.described = [doctree.astext()]
        doctree.described += [it.astext() for it in doctree.findall(nodes.section)]
        doctree.walk(Describer(doctree))
        (app.outdir / "described").write_text("\\n".join(doctree.described))


def setup(app):
    app.connect("html-page-context", describe)
"""
    site = project(FILES)
    site.write({"conf.py": conf_py})
    described = site.ok("html").read("described")
    assert described.count("The body.") == 3
    assert HIDDEN not in described
