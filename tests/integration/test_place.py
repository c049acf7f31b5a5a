"""Where in pages and entries heuristics are placed, and where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


def test_on_a_page_kept_free_what_is_placed_by_hand_is_shown(
    project: Callable[..., Project],
) -> None:
    index = """
:no-heuristics:

Start
=====

.. py:function:: demo.f()

   F.

.. py:function:: demo.g()

   .. heuristics-for:: demo.f

.. heuristics-for:: demo.f index

.. heuristic:: One
   :note: n
   :impl: demo.f
   :workflow: index
"""
    built = project({"index.rst": index}).ok("html")
    assert built.shown("index.html", "demo.f") == []
    assert built.shown("index.html", "demo.g") == ["One"]
    assert len(built.soup("index.html").select("section > div.heuristic")) == 2, (
        "by hand, and the definition"
    )
    assert "Shown in" not in built.soup("index.html").get_text()


@pytest.mark.parametrize(
    "pattern", ["api/*", "api/**", "**/one", "api/one", "a[op]i/*"]
)
def test_patterns_of_pages_kept_free(
    project: Callable[..., Project], pattern: str
) -> None:
    built = project(
        {
            "conf.py": f'extensions = ["sphinxext_heuristics"]\nheuristics_exclude = ["{pattern}"]\n',
            "index.rst": "Start\n=====\n\n.. toctree::\n\n   api/one\n   two\n\n"
            ".. heuristic:: One\n   :note: n\n   :impl: demo.one, demo.two\n",
            "api/one.rst": "One\n===\n\n.. py:function:: demo.one()\n",
            "two.rst": "Two\n===\n\n.. py:function:: demo.two()\n",
        }
    ).ok("html")
    assert built.shown("api/one.html", "demo.one") == []
    assert built.shown("two.html", "demo.two") == ["One"]


def test_an_index_in_an_entry_leaves_it_its_own_heuristics(
    project: Callable[..., Project],
) -> None:
    entry = ".. py:class:: demo.Model\n\n   Model.\n\n   .. heuristic-index::\n"
    one = ".. heuristic:: One\n   :note: n\n   :impl: demo.Model\n"
    built = project({"index.rst": f"Start\n=====\n\n{entry}\n{one}"}).ok("html")
    assert built.shown("index.html", "demo.Model") == ["One"]
    facts = built.soup("index.html").select("div.heuristic-facts a")
    assert [link.get_text() for link in facts] == ["demo.Model"]


def test_by_hand_in_an_entry_with_nothing_to_show(
    project: Callable[..., Project],
) -> None:
    index = """
Start
=====

.. py:class:: demo.C

   C.

   .. py:method:: f()

      .. heuristics-for:: demo.g

.. py:function:: demo.g()

.. heuristic:: One
   :note: n
   :impl: demo.C, demo.C.f
"""
    built = project({"index.rst": index}).ok("html")
    assert built.shown("index.html", "demo.C") == ["One"], (
        "a member's own does not stand for its class's"
    )
    assert built.shown("index.html", "demo.C.f") == []
    assert built.entry("index.html", "demo.C.f").find_all(recursive=True) == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "ja", "zh_CN"])
def test_line_of_base_classes_in_any_language(
    project: Callable[..., Project], language: str
) -> None:
    built = project(
        {
            "conf.py": f'extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]\nlanguage = "{language}"\n'
            "autodoc_default_options = {'show-inheritance': True}\n",
            "langpkg.py": "class Base:\n    '''Base.'''\n\nclass Model(Base):\n    '''Summary.\n\n    More.\n    '''\n",
            "index.rst": "Start\n=====\n\n.. autoclass:: langpkg.Model\n\n"
            ".. heuristic:: One\n   :note: n\n   :impl: langpkg.Model\n",
        }
    ).ok("html")
    body = built.entry("index.html", "langpkg.Model")
    parts = [
        child.get_text() if child.name == "p" else child["class"][0]
        for child in body.find_all(recursive=False)
    ]
    assert len(parts) == 4
    assert "Base" in parts[0]
    assert parts[1:] == ["Summary.", "heuristic", "More."]


def test_where_another_extension_removes_a_description_the_entry_shows_it(
    project: Callable[..., Project],
) -> None:
    conf = """
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class Shorten(SphinxPostTransform):
    default_priority = 1

    def run(self):
        for fields in list(self.document.findall(nodes.field_list)):
            fields.parent.remove(fields)


def setup(app):
    app.add_post_transform(Shorten)


extensions = ["sphinxext_heuristics"]
"""
    index = """
Start
=====

.. py:function:: demo.f(heat)

   F.

   :param heat: How hot.

.. heuristic:: One
   :note: n
   :impl: demo.f
   :param: heat
"""
    built = project({"conf.py": conf, "index.rst": index}).ok("html")
    assert built.shown("index.html", "demo.f") == ["One"]
