"""Views: one of a project's own, and what no view renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

#: A project with a view of its own: how many heuristics of each severity there are.
TOY = """\
=== conf.py
from collections import Counter

from docutils import nodes

from sphinxext_heuristics.api import FilteredDirective, View, add_view

extensions = ["sphinxext_heuristics"]
heuristics_dir = None


class Severities(View):
    name = "heuristic-severities"

    def content(self, plan, query, docname):
        counts = Counter(record.severity for record in plan.meanings.selection(query.filters))
        return tuple(sorted(counts.items()))

    def nodes(self, content, here):
        items = (nodes.list_item("", nodes.paragraph("", f"{word}: {count}")) for word, count in content)
        return [nodes.bullet_list("", *items)]


def setup(app):
    add_view(app, Severities(), FilteredDirective)
=== index.rst
Start
=====

.. toctree::

   count
   other
   h/one
   h/two
=== count.rst
Count
=====

.. heuristic-severities::
   :category: A
=== other.rst
Other
=====

Text.
=== h/one.rst
.. heuristic:: One
   :note: First note.
   :category: A
   :workflow: other
   :severity: warning
=== h/two.rst
.. heuristic:: Two
   :note: Second note.
   :category: A
   :workflow: other
"""


def counted(text: str) -> list[str]:
    return [
        line.strip("* ")
        for line in text.splitlines()
        if line.startswith("* ") and ": " in line
    ]


def test_a_view_of_a_project_follows_the_pages(project: Callable[..., Project]) -> None:
    toy = project(TOY)
    assert counted(toy.ok().read("count.txt")) == ["tip: 1", "warning: 1"]
    page = toy.root / "out-text" / "count.txt"

    before = page.stat().st_mtime_ns
    toy.write(
        {
            "h/two.rst": ".. heuristic:: Two\n   :note: Other.\n   :category: A\n   :workflow: other\n"
        }
    )
    toy.ok()
    assert page.stat().st_mtime_ns == before, "what it shows is the same"

    toy.write(
        {
            "h/two.rst": ".. heuristic:: Two\n   :note: Other.\n   :category: B\n   :workflow: other\n"
        }
    )
    assert counted(toy.ok().read("count.txt")) == ["warning: 1"]
    assert page.stat().st_mtime_ns > before
    assert counted(toy.ok("text", "-E", "-j2", out="clean").read("count.txt")) == [
        "warning: 1"
    ]


@pytest.mark.parametrize("builder", ["latex", "singlehtml"])
def test_a_view_of_a_project_in_a_merged_tree(
    builder: str, project: Callable[..., Project]
) -> None:
    toy = project(TOY)
    built = toy.ok(builder)
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in built.out.glob("*.tex" if builder == "latex" else "*.html")
    )
    assert "warning: 1" in text
    assert "tip: 1" in text


def test_a_view_of_a_project_has_the_checks_of_its_options(
    project: Callable[..., Project],
) -> None:
    toy = project(TOY)
    toy.write(
        {
            "count.rst": "Count\n=====\n\n.. heuristic-severities:: x\n   :colour: red\n\n   Body.\n"
        }
    )
    assert [
        warning.partition("WARNING: ")[2].partition(" ")[0]
        for warning in toy.build().warnings
    ] == ["heuristic-severities", "heuristic-severities", "unknown"]


def test_a_view_that_is_gone_leaves_nothing(project: Callable[..., Project]) -> None:
    toy = project(TOY)
    toy.ok()
    conf_py = (
        (toy.src / "conf.py")
        .read_text(encoding="utf-8")
        .replace("add_view(app, Severities", "add_view_not = (app, Severities")
    )
    toy.write({"conf.py": conf_py})
    assert counted(toy.ok("text", out="again").read("count.txt")) == []


# -- a view that fails ----------------------------------------------------------------

WRONG = (
    "content must be plain data "
    "(strings, numbers, None, tuples, lists, dicts with string keys)"
)


@pytest.mark.parametrize(
    ("method", "code", "said"),
    [
        ("content", 'raise KeyError("oops")', "KeyError: 'oops'"),
        ("content", "return {1, 2}", f"TypeError: {WRONG}, not set: {{1, 2}}"),
        ("content", "return [self]", f"TypeError: {WRONG}, not Severities: Me"),
        ("content", "return {'a': {1: 2}}", f"TypeError: {WRONG}, not the key 1"),
        ("nodes", "return content.made", "AttributeError: 'tuple' object has no"),
        ("problems", "return [1 / 0]", "ZeroDivisionError: division by zero"),
        ("problems", "yield 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_view_that_fails_is_named_with_its_page(
    project: Callable[..., Project], method: str, code: str, said: str
) -> None:
    toy = project(TOY)
    arguments = "content, here" if method == "nodes" else "plan, query, docname=''"
    failing = f"""\
    def {method}(self, {arguments}):
        {code}

    def __repr__(self):
        return "Me"


def setup"""
    conf_py = (toy.src / "conf.py").read_text(encoding="utf-8")
    toy.write({"conf.py": conf_py.replace("def setup", failing)})
    built = toy.build()
    assert built.status == 2
    lines = built.stderr.strip().splitlines()
    assert lines[0].startswith("Extension error")
    assert f"view 'heuristic-severities' failed on page 'count': {said}" in built.stderr
    assert "Traceback (most recent call last)" not in built.stderr


def test_plain_data_of_every_kind_is_a_content(project: Callable[..., Project]) -> None:
    toy = project(TOY)
    old = "return tuple(sorted(counts.items()))"
    new = 'return [("all", {"a": (None, True, 1.5, float("nan"))})]'
    conf_py = (toy.src / "conf.py").read_text(encoding="utf-8")
    toy.write({"conf.py": conf_py.replace(old, new)})
    page = toy.ok().out / "count.txt"
    before = page.stat().st_mtime_ns
    assert "nan" in page.read_text(encoding="utf-8")
    toy.ok()
    assert page.stat().st_mtime_ns == before


# -- what no view renders: the own page's note, and the role --

LINKING = """\
=== conf.py
extensions = ["sphinx.ext.intersphinx", "sphinxext_heuristics"]
heuristics_dir = None
intersphinx_mapping = {"lib": ("https://lib.example/", "../lib/objects.inv")}
intersphinx_cache_limit = 0
=== index.rst
Start
=====

.. toctree::

   note
   role
   far
   target
=== note.rst
.. heuristic:: Noted
   :note: See :ref:`there`.
   :workflow: index
=== role.rst
Role
====

See :heuristic:`Titled`.
=== far.rst
Far
===

See :heuristic:`lib:Distant`.
=== target.rst
.. _there:

Target
======

.. heuristic:: Titled
   :title: A title
   :note: N.
   :workflow: index
"""

#: The library's heuristic, under its title.
LIBRARY = """\
=== conf.py
project = "lib"
extensions = ["sphinxext_heuristics"]
heuristics_dir = None
=== index.rst
Lib
===

.. heuristic:: Distant
   :title: Far away
   :note: N.
   :workflow: index
"""


@pytest.fixture
def linking(
    shared_project: Callable[..., Project], project: Callable[..., Project]
) -> tuple[Project, Project]:
    library = shared_project(LIBRARY)
    built = library.ok("html")
    return project(
        LINKING.replace("../lib/objects.inv", str(built.out / "objects.inv"))
    ), library


def written_again(site: Project, edit: Callable[[], object]) -> set[str]:
    """Return the pages that are written again after an edit; what is written is that of a clean build.

    Links to the pages beside it, which Sphinx does not keep up to date, are left out.
    """
    before = {
        path: path.stat().st_mtime_ns
        for path in (site.root / "out-html").glob("*.html")
    }
    edit()
    built = site.ok("html")
    clean = site.ok("html", "-E", "-d", str(site.root / "other"), out="clean")
    for name in ("note.html", "role.html", "far.html"):
        assert built.soup(name).select("div.body") == clean.soup(name).select(
            "div.body"
        ), name
    return {
        path.stem for path, when in before.items() if path.stat().st_mtime_ns != when
    }


def test_a_title_a_label_and_an_inventory_change_the_pages_that_link(
    linking: tuple[Project, Project],
) -> None:
    site, library = linking
    assert "Far away" in site.ok("html").read("far.html")
    target = (site.src / "target.rst").read_text(encoding="utf-8")

    title = target.replace("A title", "Another title")
    pages = written_again(site, lambda: site.write({"target.rst": title}))
    assert "role" in pages
    assert not pages & {"note", "far"}
    assert "Another title" in (site.root / "out-html" / "role.html").read_text(
        encoding="utf-8"
    )

    label = title.replace("Target\n======", "Goal\n====")
    pages = written_again(site, lambda: site.write({"target.rst": label}))
    assert "note" in pages
    assert not pages & {"role", "far"}
    assert ">Goal<" in (site.root / "out-html" / "note.html").read_text(
        encoding="utf-8"
    )

    def rename() -> None:
        library.write(
            {
                "index.rst": LIBRARY.partition("=== index.rst\n")[2].replace(
                    "Far away", "Near by"
                )
            }
        )
        library.ok("html")

    pages = written_again(site, rename)
    assert "far" in pages
    assert not pages & {"role", "note"}
    assert "Near by" in (site.root / "out-html" / "far.html").read_text(
        encoding="utf-8"
    )
