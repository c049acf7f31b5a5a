"""As a guest: a page that has nothing of ours is as it is without the extension."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from conftest import Built, Project

HOST = """
=== conf.py
extensions = []
copyright, version = "nobody", "1"  # for e-books
=== index.rst
Start
=====

.. toctree::

   plain
   api
   guide
   own
   list
   messages
=== plain.rst
Plain
=====

.. container:: mine

   .. py:function:: demo.plain()

      Plain.
=== api.rst
API
===

.. py:function:: demo.merge()

   Merge.
=== guide.rst
Guide
=====

Text.
=== own.rst
Own
===
=== list.rst
List
====
=== messages.rst
Messages
========
=== heuristics-names.css
.heuristic-names {}
"""

#: What is written into the pages when the extension is there.
OURS = {
    "own.rst": """\
Own
===

.. heuristic:: Check
   :note: Check it.
   :impl: demo.merge
   :workflow: guide
""",
    "list.rst": "List\n====\n\n.. heuristic-names::\n",
    "messages.rst": "Messages\n========\n\n.. heuristic-messages::\n",
}

#: The conf.py with the extension, and with a view that has a style sheet.
LOADED = """\
from pathlib import Path

from docutils import nodes

from sphinxext_heuristics.api import FilteredDirective, View, add_view

extensions = ["sphinxext_heuristics"]
heuristics_dir = None
copyright, version = "nobody", "1"


class Names(View):
    name = "heuristic-names"
    style = Path(__file__).with_name("heuristics-names.css")

    def content(self, plan, query, docname):
        return list(plan.catalogue.heuristics)

    def nodes(self, content, here):
        return [nodes.paragraph("", " ".join(content), classes=[self.name])]


def setup(app):
    add_view(app, Names(), FilteredDirective)
"""


def pages(built: Built) -> dict[str, bytes]:
    """Return the pages of a site or an e-book, and what they may link from `_static`."""
    paths = [*built.out.rglob("*html"), *built.out.glob("_static/*.*s*")]
    return {path.relative_to(built.out).as_posix(): path.read_bytes() for path in paths}


def changed(site: Project, builder: str, plain: Built) -> set[str]:
    """Return the pages that are not as without the extension."""
    before = pages(plain)
    after = pages(site.ok(builder))
    return {name for name, page in after.items() if before.get(name) != page}


def styled(built: Built, names: AbstractSet[str]) -> set[str]:
    """Return the pages that link our style sheet."""
    return {name for name in names if built.soup(name).select("link[href*=heuristics]")}


def scripted(built: Built, names: AbstractSet[str]) -> set[str]:
    """Return the pages that link the script of a box."""
    return {name for name in names if built.soup(name).select("script[src*=-box]")}


@pytest.mark.parametrize(
    ("builder", "form"),
    [("html", "{}.html"), ("dirhtml", "{}/index.html"), ("epub", "{}.xhtml")],
)
def test_only_pages_with_something_of_ours_change(
    project: Callable[..., Project], builder: str, form: str
) -> None:
    site = project(HOST)
    plain = site.ok(builder, out="plain")
    site.write({"conf.py": LOADED})
    assert changed(site, builder, plain) == set()

    before = {name: (site.src / name).read_text(encoding="utf-8") for name in OURS}
    site.write(OURS)
    shown = {form.format(name) for name in ("api", "guide", "own", "list", "messages")}
    shown.add(form.format("heuristic-index"))
    new = changed(site, builder, plain)
    # Its script shows the notes of heuristics; an e-book has no search.
    new.discard(form.format("search"))
    assert {name for name in new if not name.startswith("_static/")} == shown
    assert "_static/heuristics-names.css" in new
    built = site.build(builder)
    names = {name for name in pages(built) if "html" in name}
    is_book = builder == "epub"
    plain_list = {form.format("messages")} if is_book else set()
    assert styled(built, names) == shown - plain_list
    # no book has a script
    assert scripted(built, names) == {form.format("messages")} - plain_list
    files = {name for name in new if name.startswith("_static/heuristics-")}
    scripts = {f"_static/heuristics-{name}.js" for name in ("ask", "box", "texts")}
    assert files & scripts == (set() if is_book else scripts)

    site.write(before)
    assert changed(site, builder, plain) == set()


def test_what_json_says_of_all_pages_does_not_depend_on_those_written(
    project: Callable[..., Project],
) -> None:
    site = project(HOST)
    site.write({"conf.py": LOADED, **OURS})
    context = json.loads(site.ok("json").read("globalcontext.json"))
    assert not [name for name in context["css_files"] if "heuristic" in name]


def test_without_a_heuristic_a_class_like_ours_brings_nothing(
    project: Callable[..., Project],
) -> None:
    site = project(HOST)
    site.write(
        {"plain.rst": "Plain\n=====\n\n.. container:: heuristic-paste\n\n   P.\n"}
    )
    plain = site.ok("html", out="plain")
    site.write({"conf.py": LOADED})
    assert changed(site, "html", plain) == set()
