"""What reading docstrings costs; what readers see of them is in `cases/sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from myst_parser.mdit_to_docutils.base import DocutilsRenderer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from conftest import Project

WIDE = '''\
=== conf.py
extensions = ["sphinxext_heuristics.docbuilder"]
docbuilder_packages = ["hf_wide"]
=== index.rst
Title
=====

.. automodule:: hf_wide
   :members:
   :inherited-members:
=== hf_wide.py
class Base:
    """The base of what is wide."""

    def method(self, a):
        """Do of all.

        Args:
            a: A number of all.
        """

'''
SIZE = 40


def test_what_many_entries_inherit_is_parsed_once(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    renderers: list[object] = []
    parse, begin = MarkdownIt.parse, DocutilsRenderer.setup_render
    monkeypatch.setattr(
        MarkdownIt,
        "parse",
        lambda self, src, env: (texts.append(src), parse(self, src, env))[1],
    )
    monkeypatch.setattr(
        DocutilsRenderer,
        "setup_render",
        lambda self, *of: (renderers.append(self), begin(self, *of)),
    )
    classes = (f'class C{n}(Base):\n    """Class {n}."""\n' for n in range(SIZE))
    page = project(WIDE + "".join(classes)).ok().read("index.txt")
    assert page.count("of all") == 2 * (SIZE + 1)
    inherited = [text for text in texts if "of all" in text]
    assert sorted(inherited) == ["A number of all.\n", "Do of all.\n"]
    assert len(texts) == 3 + SIZE
    assert len(renderers) == 1


LISTS = '''\
=== conf.py
extensions = ["sphinxext_heuristics.docbuilder"]
docbuilder_packages = ["hf_lists"]
=== index.rst
Title
=====

.. autofunction:: hf_lists.sort
=== hf_lists.py
def sort():
    """Sort it.

    Returns:
        numbers (`dict`):
            - of the first
            - of the second
    """
'''


def test_a_description_may_begin_with_a_list(project: Callable[..., Project]) -> None:
    page = project(LISTS).ok("html").soup("index.html")
    items = page.select("dl.field-list ul > li > p")
    assert [one.get_text() for one in items] == ["of the first", "of the second"]
