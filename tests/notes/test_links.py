"""Links in notes: broken ones, where they lead from a copy, and what nitpicking sees."""

from __future__ import annotations

import posixpath
import zlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


ENTRIES = """
```{eval-rst}
.. py:class:: demo.Model

   .. py:method:: merge()

.. py:class:: demo.Other

   .. py:method:: merge()
```
"""

BROKEN = {
    "index.rst": """
Start
=====

.. toctree::

   sub/all
   sub/api
   guide

.. heuristic-index::
""",
    "sub/all.rst": """
All
===

Text.

.. heuristic:: One
   :note: See :doc:`nowhere`, :ref:`no-label`, :py:func:`no.function`.
   :impl: demo.f, demo.g
   :workflow: guide

   Body.
""",
    "sub/api.rst": "API\n===\n\n.. py:function:: demo.f()\n\n.. py:function:: demo.g()\n",
    "guide.md": "# Guide\n\n```{heuristics-for} demo.f\n```\n",
}


@pytest.mark.parametrize("options", [(), ("-n",), ("-j2",), ("-n", "-j2")])
@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_broken_link_in_a_note_is_told_once_at_home(
    project: Callable[..., Project], builder: str, options: tuple[str, ...]
) -> None:
    built = project(BROKEN).build(builder, *options)
    places = [warning.partition(": WARNING: ")[0] for warning in built.warnings]
    assert len(places) == (3 if "-n" in options else 2), built.warnings
    assert set(places) == {"<src>/sub/all.rst:8"}


def test_broken_link_in_a_myst_note_is_told_once_at_home(
    project: Callable[..., Project],
) -> None:
    files = {
        **{name: text for name, text in BROKEN.items() if name != "sub/all.rst"},
        "sub/all.md": """
# All

```{heuristic} One
:note: "See [this](nowhere.md), [that](#no-label) and {doc}`nowhere`."
:impl: demo.f, demo.g
:workflow: guide

Body.
```
""",
    }
    built = project(files).build("html")
    places = [warning.partition(": WARNING: ")[0] for warning in built.warnings]
    assert len(places) == 3, built.warnings
    assert {place.partition(":")[0] for place in places} == {"<src>/sub/all.md"}


LINKS = "[](deep), [](deep.md), [w](./deep), [](#the-part), {any}`deep`, {doc}`deep` and [](../index.md#lab)"


def test_links_in_a_note_lead_from_a_copy_to_where_they_lead_from_its_page(
    project: Callable[..., Project],
) -> None:
    files = {
        "index.md": f"# Start\n{ENTRIES}\n(lab)=\n## Labelled\n\n```{{toctree}}\nh/one\nh/deep\ndeep\n```\n",
        "deep.md": "# Another of this name\n",
        "h/deep.md": "# Deep\n",
        "h/one.md": f"```{{heuristic}} One\n:note: See {LINKS}.\n:impl: demo.Model\n```\n\n# The part\n\nText.\n",
    }
    built = project(files).ok("html", "-D", "myst_heading_anchors=2")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    note = box.select("p")[1]
    assert note.get_text() == "See Deep, Deep, w, The part, Deep, Deep and Labelled."
    at_home = built.soup("h/one.html").select_one("section.heuristic > p")
    assert at_home is not None
    leads = [
        posixpath.normpath(posixpath.join("h", str(link["href"])))
        for link in at_home.select("a")
    ]
    assert leads[3:4] + leads[-1:] == ["h/#the-part", "index.html#lab"]
    leads[3] = "h/one.html#the-part"
    assert [posixpath.normpath(str(link["href"])) for link in note.select("a")] == [
        *leads[:-1],
        "#lab",
    ]


def test_a_link_to_a_project_beside_this_one_leads_there_from_a_copy(
    project: Callable[..., Project],
) -> None:
    note = "   :note: See :external:py:func:`other.cut`.\n   :impl: demo.Model\n"
    site = project(
        {
            "conf.py": "extensions = "
            '["myst_parser", "sphinx.ext.intersphinx", "sphinxext_heuristics"]\n'
            'intersphinx_mapping = {"other": ("../other", "other.inv")}\n',
            "index.md": f"# Start\n{ENTRIES}\n```{{toctree}}\nh/one\n```\n",
            "h/one.rst": f"One\n===\n\n.. heuristic:: One\n{note}",
        }
    )
    inventory = "# Sphinx inventory version 2\n# Project: other\n# Version: 1\n"
    lines = zlib.compress(b"other.cut py:function 1 new.html#$ -\n")
    (site.src / "other.inv").write_bytes(
        f"{inventory}# The remainder is compressed using zlib.\n".encode() + lines
    )
    built = site.ok("html")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    copy, own = box.select("p")[1].a, built.soup("h/one.html").select_one("p > a")
    assert copy is not None
    assert own is not None
    assert own["href"] == "../../other/new.html#other.cut"
    assert posixpath.normpath(str(copy["href"])) == "../other/new.html#other.cut"


def test_a_broken_link_without_words_is_called_by_its_target(
    project: Callable[..., Project],
) -> None:
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: See [](nowhere.md) there.\n:impl: demo.Model\n```\n"
    built = project({"index.md": index}).build("html")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    assert box.select("p")[1].get_text() == "See nowhere.md there."
    assert box.select("p")[1].select("a") == []


def test_nothing_of_ours_is_picked_at(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. py:function:: demo.f()

.. py:function:: demo.g()

.. heuristic:: One
   :note: See :heuristic:`Two`, :py:func:`demo.g`.
   :impl: demo.f, ?demo.later
   :workflow: index, ?later

.. heuristic:: Two
   :note: n
   :impl: demo.g

.. heuristic-index::

.. heuristic-index::
   :layout: cards

.. heuristic-index::
   :missing:

.. heuristics-for:: demo.f
"""
    project({"index.rst": index}).ok("html", "-n")


def test_what_a_role_hides_in_its_node_is_not_shown_elsewhere(
    project: Callable[..., Project],
) -> None:
    site = project(
        {
            "conf.py": "from docutils import nodes\n\n"
            'extensions = ["sphinxext_heuristics"]\n\n\n'
            "def marked(name, raw, text, *place, **options):\n"
            "    return [nodes.inline(raw, text, marks=[object()])], []\n\n\n"
            "def setup(app):\n"
            '    app.add_role("marked", marked)\n',
            "index.rst": "Start\n=====\n\n.. toctree::\n\n   guide\n\n"
            ".. heuristic:: A\n   :note: See :marked:`this`.\n   :workflow: guide\n",
            "guide.rst": "Guide\n=====\n",
        }
    )
    assert "See this." in site.ok().read("guide.txt")
