"""Which of several definitions stands, and whose anchors are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sphinxext_heuristics._core.model import Heuristic, Page
from sphinxext_heuristics._core.read.heuristic import anchor_of
from sphinxext_heuristics._core.resolve.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping


def heuristic(
    name: str,
    source: str = "a.rst",
    line: int = 1,
    **more: Any,  # noqa: ANN401 - fields
) -> Heuristic:
    fields = {
        "title": name,
        "note": (),
        "severity": "tip",
        "categories": (),
        "connections": (),
        "excepts": (),
        "since": "",
        "until": "",
        "inject": True,
        "classes": (),
        "docname": "a",
        "anchor": anchor_of(name),
    }
    return Heuristic(name=name, source=source, line=line, **{**fields, **more})


def catalogue(pages: Mapping[str, list[Heuristic]]) -> Catalogue:
    return Catalogue(
        {docname: Page(heuristics=tuple(records)) for docname, records in pages.items()}
    )


def test_the_first_in_the_toctree_stands() -> None:
    pages = {
        "b": [heuristic("One", "b.rst", 7)],
        "a": [heuristic("One", "a.rst")],
        "z": [heuristic("Two", "z.rst")],
    }
    made_of = catalogue(pages)
    assert list(made_of.docnames) == ["b", "a", "z"]
    assert made_of.heuristics["One"].source == "b.rst"
    assert [(p.source, p.message) for p in made_of.duplicates()] == [
        ("a.rst", "heuristic 'One' is defined here and in b.rst:7, which is used")
    ]


@pytest.mark.parametrize(
    ("source", "line", "note", "repeats"),
    [
        ("pkg.py:docstring of pkg.Two.merge", 3, ("n",), True),
        # autodoc names the file that it was asked for, not that of the docstring
        ("other.py:docstring of pkg.Two.merge", 3, ("n",), True),
        # sphinx-autoapi writes pages, in which the line says nothing
        ("pkg.py:docstring of pkg.Two.merge", 9, ("n",), True),
        ("pkg.py", 3, ("n",), False),
        ("pkg.py:docstring of pkg.Two.merge", 3, ("another",), False),
    ],
)
def test_a_docstring_that_inheritance_repeats(
    source: str, line: int, note: tuple[str], *, repeats: bool
) -> None:
    first = heuristic("One", "pkg.py:docstring of pkg.Base.merge", 3, note=("n",))
    second = heuristic(
        "One", source, line, note=note, docname="b", anchor="heuristic-one-1"
    )
    made_of = catalogue({"a": [first, second]})
    assert made_of.is_repeated(second) is repeats
    assert bool(list(made_of.duplicates())) is not repeats
