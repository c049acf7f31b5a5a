"""How a connection finds its target, in real builds of a small package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CONF, title_of

from sphinxext_heuristics._core.source import names as in_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bs4 import Tag
    from conftest import Built, Project

ZOO = {
    "zoo/__init__.py": """
from .base import *
from .config import LoraConfig, AdaLoraConfig as Ada
from .models import LoraModel, AdaLoraModel, PolyModel
from . import tools
from .tools import make as build

if True:
    from .base import Outer
try:
    from .tools import ZooError
except ImportError:
    pass
""",
    "zoo/base.py": '''
"""Bases."""
__all__ = ["BaseTuner"]


class BaseTuner:
    """A base."""

    #: A class attribute.
    limit = 3
    #: An annotated attribute.
    rank: int

    def __init__(self):
        #: An instance attribute.
        self.state = None

    def merge(self):
        """Merge."""

    def unload(self):
        """Unload."""

    def set_adapter(self):
        """Set."""

    @property
    def device(self):
        """The device, which must not be asked for."""
        raise RuntimeError

    @classmethod
    def load(cls):
        """Load."""

    @staticmethod
    def check():
        """Check."""


class Outer:
    """Outer."""

    class Inner:
        """Inner."""

        def nested(self):
            """Nested."""
''',
    "zoo/config.py": '''
class LoraConfig:
    """LoRA."""


class AdaLoraConfig(LoraConfig):
    """AdaLoRA."""


class RandLoraConfig:
    """RandLoRA."""
''',
    "zoo/models.py": '''
from .base import BaseTuner


class Between(BaseTuner):
    """Not documented."""

    def unload(self):
        """Unload otherwise."""


class LoraModel(Between):
    """LoRA."""


class AdaLoraModel(LoraModel):
    """AdaLoRA."""


class PolyModel(BaseTuner):
    """Poly."""

    def set_adapter(self):
        """Set otherwise."""

    @property
    def device(self):
        """Another device."""
''',
    "zoo/tools.py": '''
import functools
import typing


def make(model):
    """Make."""


@functools.lru_cache
def cached(model):
    """Cached."""


@typing.overload
def twice(model: int) -> int: ...
@typing.overload
def twice(model: str) -> str: ...
def twice(model):
    """Twice."""


class ZooError(Exception):
    """An error."""


#: A constant.
LIMIT = 3
''',
}

API = """
API
===

.. py:module:: zoo

.. autoclass:: zoo.BaseTuner
   :members:
.. autoclass:: zoo.LoraConfig
.. autoclass:: zoo.config.AdaLoraConfig
.. autoclass:: zoo.config.RandLoraConfig
.. autoclass:: zoo.LoraModel
   :members:
   :inherited-members:
.. autoclass:: zoo.models.AdaLoraModel
   :members:
   :inherited-members:
.. autoclass:: zoo.PolyModel
   :members:
   :inherited-members:
.. autoclass:: zoo.Outer
   :members:
.. autoclass:: zoo.Outer.Inner
   :members:
   :no-index:
.. automodule:: zoo.tools
   :members:
   :exclude-members: LIMIT
.. autodata:: zoo.tools.LIMIT

.. py:currentmodule:: None

.. py:class:: hand.Model
   :canonical: hand.private.Model

   .. py:method:: merge_by_hand(a)
                  merge_by_hand(b, c)

.. py:function:: hand.Model_maker()
"""

BASE, LORA, ADA, POLY = (
    "zoo.BaseTuner",
    "zoo.LoraModel",
    "zoo.models.AdaLoraModel",
    "zoo.PolyModel",
)

#: What an author writes → the entries that show it.
REACHED = {
    # an object under any of its names
    "zoo.LoraConfig": ["zoo.LoraConfig"],
    "zoo.config.LoraConfig": ["zoo.LoraConfig"],
    "zoo.config.AdaLoraConfig": ["zoo.config.AdaLoraConfig"],
    "zoo.Ada": ["zoo.config.AdaLoraConfig"],
    "zoo.base.BaseTuner": [BASE],
    "zoo.models.LoraModel": [LORA],
    "zoo.AdaLoraModel": [ADA],
    "hand.private.Model": ["hand.Model"],
    "hand.private.Model.merge_by_hand": ["hand.Model.merge_by_hand"],
    # a class is not its subclasses, and not a name that ends alike
    "LoraConfig": ["zoo.LoraConfig"],
    "BaseTuner": [BASE],
    "Model": ["hand.Model"],
    # a member reaches those who inherit this very one
    "zoo.BaseTuner.merge": [f"{c}.merge" for c in (BASE, LORA, ADA, POLY)],
    "zoo.base.BaseTuner.merge": [f"{c}.merge" for c in (BASE, LORA, ADA, POLY)],
    "zoo.LoraModel.merge": [f"{c}.merge" for c in (LORA, ADA)],
    "zoo.models.LoraModel.merge": [f"{c}.merge" for c in (LORA, ADA)],
    "zoo.models.PolyModel.merge": [f"{POLY}.merge"],
    "zoo.AdaLoraModel.merge": [f"{ADA}.merge"],
    # an override is another object
    "zoo.BaseTuner.set_adapter": [f"{c}.set_adapter" for c in (BASE, LORA, ADA)],
    "zoo.PolyModel.set_adapter": [f"{POLY}.set_adapter"],
    "zoo.BaseTuner.device": [f"{c}.device" for c in (BASE, LORA, ADA)],
    # a class between that is not documented
    "zoo.BaseTuner.unload": [f"{c}.unload" for c in (BASE, POLY)],
    "zoo.models.Between.unload": [f"{c}.unload" for c in (LORA, ADA)],
    "zoo.models.LoraModel.unload": [f"{c}.unload" for c in (LORA, ADA)],
    "zoo.models.Between.merge": [f"{c}.merge" for c in (LORA, ADA)],
    # bare and partly dotted
    "merge": [f"{c}.merge" for c in (BASE, LORA, ADA, POLY)],
    "LoraModel.merge": [f"{c}.merge" for c in (LORA, ADA)],
    "models.AdaLoraModel.merge": [f"{ADA}.merge"],
    "*.set_adapter": [f"{c}.set_adapter" for c in (BASE, LORA, ADA, POLY)],
    "*.PolyModel.set_adapter": [f"{POLY}.set_adapter"],
    # every kind of object
    "zoo.BaseTuner.load": [f"{c}.load" for c in (BASE, LORA, ADA, POLY)],
    "zoo.LoraModel.load": [f"{c}.load" for c in (LORA, ADA)],
    "zoo.BaseTuner.check": [f"{c}.check" for c in (BASE, LORA, ADA, POLY)],
    "zoo.BaseTuner.limit": [f"{c}.limit" for c in (BASE, LORA, ADA, POLY)],
    "zoo.base.Outer.Inner": ["zoo.Outer.Inner"],
    "zoo.base.Outer.Inner.nested": ["zoo.Outer.Inner.nested"],
    "zoo.tools.make": ["zoo.tools.make"],
    "zoo.build": ["zoo.tools.make"],
    "zoo.tools.cached": ["zoo.tools.cached"],
    "zoo.tools.twice": ["zoo.tools.twice"],
    "zoo.ZooError": ["zoo.tools.ZooError"],
    "zoo.tools.LIMIT": ["zoo.tools.LIMIT"],
    "hand.Model.merge_by_hand": ["hand.Model.merge_by_hand"],
    "hand.Model_maker": ["hand.Model_maker"],
}


@pytest.fixture(scope="module")
def zoo(shared_project: Callable[..., Project]) -> Built:
    heuristics = "".join(
        f".. heuristic:: H{number}\n   :title: {target}\n   :note: n\n   :impl: {target}\n\n"
        for number, target in enumerate(REACHED)
    )
    conf = f'{CONF}heuristics_max_shown = 1000\nheuristics_inherited = "show"\n'
    index = f"Start\n=====\n\n.. toctree::\n\n   api\n\n{heuristics}"
    return shared_project(
        {"conf.py": conf, "index.rst": index, "api.rst": API, **ZOO}
    ).build("html")


def test_no_warning(zoo: Built) -> None:
    assert zoo.warnings == []


def own_boxes(body: Tag) -> list[Tag]:
    return [
        box for box in body.select("div.heuristic") if box.find_parent("dd") is body
    ]


def signatures(body: Tag) -> list[Tag]:
    assert body.parent is not None
    return body.parent.find_all("dt", recursive=False)


def test_annotated_attribute_reaches_the_copies_that_are_documented(
    project: Callable[..., Project],
) -> None:
    index = """
Start
=====

.. autoattribute:: zoo.BaseTuner.rank
.. autoattribute:: zoo.LoraModel.rank

.. heuristic:: Rank
   :note: n
   :impl: zoo.base.BaseTuner.rank
"""
    conf = f'{CONF}heuristics_inherited = "show"\n'
    built = project({**ZOO, "conf.py": conf, "index.rst": index}).ok("html")
    assert built.shown("index.html", "zoo.BaseTuner.rank") == ["Rank"]
    assert built.shown("index.html", "zoo.LoraModel.rank") == ["Rank"]


def signature_of(body: Tag) -> str:
    return signatures(body)[0].get_text()


@pytest.mark.parametrize("target", REACHED)
def test_reaches_these_entries_once(zoo: Built, target: str) -> None:
    found = [
        str(signatures(body)[0].get("id", ""))
        for body in zoo.soup("api.html").select("dl.py > dd")
        for box in own_boxes(body)
        if title_of(box) == target
    ]
    # The nested class is written a second time, without an index and so without an id.
    assert sorted(filter(None, found)) == sorted(REACHED[target])
    assert found.count("") == sum("Inner" in name for name in REACHED[target])


def test_definition_lists_each_entry_as_a_link(zoo: Built) -> None:
    for number, (target, names) in enumerate(REACHED.items()):
        box = zoo.soup("index.html").find(id=f"heuristic-h{number}")
        assert box is not None
        listed = {
            str(a["href"]).partition("#")[2]: a.get_text()
            for a in box.select(".heuristic-entries a, .heuristic-facts a")
        }
        assert set(listed) - {""} == set(names), target
        for link in box.select("a.reference"):
            zoo.follow("index.html", link)


def test_no_index_copy_shows_it_too(zoo: Built) -> None:
    copies = [
        body
        for body in zoo.soup("api.html").select("dl.py.class > dd")
        if "Inner" in signature_of(body)
    ]
    assert [signatures(body)[0].get("id") for body in copies] == [
        "zoo.Outer.Inner",
        None,
    ]
    for body in copies:
        assert [title_of(box) for box in own_boxes(body)] == ["zoo.base.Outer.Inner"]


def test_property_was_not_asked_for_its_value(zoo: Built) -> None:
    assert zoo.shown("api.html", "zoo.LoraModel.device") == ["zoo.BaseTuner.device"]


def test_build_that_reads_nothing_imports_nothing(
    project: Callable[..., Project],
) -> None:
    index = """
Start
=====

.. autoclass:: zoo.LoraModel
   :members:
   :inherited-members:

.. heuristic:: Merge
   :note: n
   :impl: zoo.base.BaseTuner.merge
"""
    made = project({**ZOO, "index.rst": index})
    first = made.ok("html")
    assert "zoo.base" in first.imported
    again = made.ok("html")
    assert not again.imported
    assert again.shown("index.html", "zoo.LoraModel.merge") == ["Merge"]
    # Another builder writes the same from what was read.
    other = made.ok("dirhtml")
    assert not other.imported
    assert other.shown("index.html", "zoo.LoraModel.merge") == ["Merge"]


def test_no_source_is_read_that_no_target_asks_for(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def read_file(at: in_source.State) -> in_source.File:
        read.append(at.path.name)
        return in_source.File.of(at.path.read_text())

    monkeypatch.setattr(in_source, "read_file", read_file)
    by_autodoc = """
Start
=====

.. autoclass:: zoo.LoraModel
   :members:
   :inherited-members:

.. autoclass:: zoo.Ada
   :members:
"""
    by_hand = """
.. py:class:: zoo.PolyModel

"""
    a_member = """
.. py:method:: zoo.LoraModel.unmerge()

"""
    merge = """
.. heuristic:: Merge
   :note: n
   :impl: zoo.base.BaseTuner.merge
"""
    made = project({**ZOO, "index.rst": by_autodoc + by_hand})
    made.ok("html")
    assert not read, "no target asks"
    made.write({"index.rst": by_autodoc + merge})
    built = made.ok("html")
    assert built.shown("index.html", "zoo.LoraModel.merge") == ["Merge"]
    assert not read, "the object in hand answers"
    made.write({"index.rst": by_autodoc + a_member + merge})
    made.ok("html")
    assert not read, "a class's member has the last part of its name wherever it is"
    made.write({"index.rst": by_autodoc + by_hand + merge})
    made.ok("html")
    assert read, "what is written by hand may be what a target means"
    read.clear()
    in_source.read_names.cache_clear()  # as in another process
    made.write({"index.rst": by_autodoc + by_hand + merge + "\nText.\n"})
    made.ok("html")
    assert not read, "the last build has asked"


def test_object_on_two_pages_shows_it_on_both(project: Callable[..., Project]) -> None:
    built = project(
        {
            **ZOO,
            "index.rst": """
Start
=====

.. toctree::

   one
   two
   three

.. heuristic:: Merge
   :note: n
   :impl: zoo.base.BaseTuner.merge
""",
            "one.rst": "One\n===\n\n.. automethod:: zoo.BaseTuner.merge\n",
            "two.rst": "Two\n===\n\n.. automethod:: zoo.base.BaseTuner.merge\n",
            "three.rst": "Three\n=====\n\n.. automethod:: zoo.BaseTuner.merge\n   :no-index:\n",
        }
    ).ok("html")
    assert built.shown("one.html", "zoo.BaseTuner.merge") == ["Merge"]
    assert built.shown("two.html", "zoo.base.BaseTuner.merge") == ["Merge"]
    assert [
        title_of(box) for box in built.soup("three.html").select("div.heuristic")
    ] == ["Merge"]
    links = built.soup("index.html").select(".heuristic-entries a")
    assert sorted(str(link["href"]) for link in links) == [
        "one.html#zoo.BaseTuner.merge",
        "three.html",
        "two.html#zoo.base.BaseTuner.merge",
    ]


AUTOSUMMARY = {
    **ZOO,
    "conf.py": """
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinxext_heuristics"]
autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
""",
    "index.rst": """
Start
=====

.. autosummary::
   :toctree: generated

   zoo.LoraModel
   zoo.tools.make

.. heuristic:: Merge
   :note: n
   :impl: zoo.base.BaseTuner.merge, zoo.base.Between.merge <?zoo.base.Between.merge>, zoo.build
""",
}


def test_autosummary_stubs(project: Callable[..., Project]) -> None:
    built = project(AUTOSUMMARY).ok("html")
    assert built.shown("generated/zoo.LoraModel.html", "zoo.LoraModel.merge") == [
        "Merge"
    ]
    assert built.shown("generated/zoo.tools.make.html", "zoo.tools.make") == ["Merge"]
    assert not built.soup("index.html").select("table div.heuristic")
    link = built.soup("generated/zoo.LoraModel.html").select_one(
        "div.heuristic a.reference"
    )
    assert link is not None
    assert (
        built.follow("generated/zoo.LoraModel.html", link).get("id")
        == "heuristic-merge"
    )


def test_autoapi(project: Callable[..., Project]) -> None:
    pytest.importorskip("autoapi")
    index = """
Start
=====

.. toctree::

   autoapi/index

.. heuristic:: Merge
   :note: n
   :impl: zoo.base.BaseTuner.merge, zoo.LoraConfig
"""
    conf = """
extensions = ["autoapi.extension", "sphinxext_heuristics"]
autoapi_dirs = ["zoo"]
autoapi_options = ["members", "undoc-members", "show-inheritance", "inherited-members"]
autoapi_keep_files = False
heuristics_inherited = "show"
"""
    built = project({**ZOO, "conf.py": conf, "index.rst": index}).build("html")
    assert built.warnings == []
    assert not built.imported
    assert built.shown("autoapi/zoo/base/index.html", "zoo.base.BaseTuner.merge") == [
        "Merge"
    ]
    assert built.shown(
        "autoapi/zoo/models/index.html", "zoo.models.LoraModel.merge"
    ) == ["Merge"]
    assert built.shown("autoapi/zoo/config/index.html", "zoo.config.LoraConfig") == [
        "Merge"
    ]
    assert (
        built.shown("autoapi/zoo/config/index.html", "zoo.config.AdaLoraConfig") == []
    )


def neighbour(root: Path) -> Project:
    """Build another project whose inventory has objects, pages, labels and a heuristic."""
    from conftest import Project  # noqa: PLC0415 - the class, not only its type

    other = Project(
        root / "other",
        """
=== conf.py
extensions = ["sphinxext_heuristics"]
project = "Other"
version = "1"
=== index.rst
Other start
===========

.. toctree::

   guide
   deep/far-page

.. py:function:: other.merge()

.. heuristic:: Far_Away
   :title: Far away
   :note: n
   :impl: other.merge

=== guide.rst
Other guide
===========

.. _other-label:

Section
-------

Text.

=== deep/far-page.rst
Far page
========
""",
    )
    other.ok("html")
    return other


def with_neighbour(root: Path, files: dict[str, str]) -> dict[str, str]:
    inventory = neighbour(root).root / "out-html" / "objects.inv"
    conf = f"""
extensions = ["sphinx.ext.intersphinx", "myst_parser", "sphinxext_heuristics"]
intersphinx_mapping = {{"other": ("https://other.example/docs/", {str(inventory)!r})}}
heuristics_namespace = "acme"
"""
    return {"conf.py": conf, **files}


def test_target_in_another_projects_inventory_exists(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    index = """
# Start

```{heuristic} Merge
:note: n
:impl: other.merge
:workflow: guide, guide#section
:principle: other-label
:env: Far_Page
:no-inject:
```

```{heuristic-index}
```
"""
    built = project(with_neighbour(tmp_path, {"index.md": index})).ok("html")
    hrefs = [
        str(a["href"])
        for a in built.soup("index.html").select(
            "#heuristic-merge :is(.heuristic-facts, .heuristic-entries) a"
        )
    ]
    assert hrefs == [
        "https://other.example/docs/index.html#other.merge",
        "https://other.example/docs/guide.html",
        "https://other.example/docs/guide.html#section",
        "https://other.example/docs/guide.html#other-label",
        "https://other.example/docs/deep/far-page.html",
    ]
    assert (
        "⬜ "
        not in built.soup("index.html").select_one("table.heuristic-index").get_text()
    )


def test_unknown_heuristic_of_another_project(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    files = {
        "index.md": "# Start\n\n{heuristic}`othr:Far_Away`\n\n"
        "{heuristic}`other:Far_Awy`\n\n```{toctree}\nrest\n```\n",
        "rest.rst": "Rest\n====\n\n:heuristic:`elsewhere:Far_Away`\n\n"
        ":heuristic:`a <other:Nothing>`\n",
    }
    built = project(with_neighbour(tmp_path, files)).build()
    known = "(known: 'other')"
    no_project = "intersphinx knows no project"
    assert [line.partition("WARNING: ")[2] for line in built.warnings] == [
        f"unknown heuristic 'othr:Far_Away'; {no_project} 'othr' {known}; did you mean 'other'? [heuristic.ref]",
        "unknown heuristic 'other:Far_Awy'; did you mean 'other:Far_Away'? [heuristic.ref]",
        f"unknown heuristic 'elsewhere:Far_Away'; {no_project} 'elsewhere' {known} [heuristic.ref]",
        "unknown heuristic 'other:Nothing' [heuristic.ref]",
    ]


def test_inventory_target_that_is_declared_planned_is_told(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    index = "# Start\n\n```{heuristic} Merge\n:note: n\n:impl: ?other.merge\n:no-inject:\n```\n"
    (warning,) = project(with_neighbour(tmp_path, {"index.md": index})).build().warnings
    assert warning.startswith(
        "<src>/index.md:5: WARNING: impl target 'other.merge' is declared planned with '?' but"
    )


def test_only_a_page_of_another_project_has_sections(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    index = "# Start\n\n```{heuristic} Merge\n:note: n\n:impl: other.merge\n:workflow: other-label#section\n:no-inject:\n```\n"
    (warning,) = project(with_neighbour(tmp_path, {"index.md": index})).build().warnings
    assert "workflow target 'other-label#section' does not exist" in warning


def test_heuristics_of_another_project(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    files = {
        "index.md": """
# Start

1. {heuristic}`Far_Away`
2. {heuristic}`this text <Far_Away>`
3. {heuristic:ref}`Far_Away`
4. {external:heuristic:ref}`Far_Away`
5. {external+other:heuristic:ref}`Far_Away`
6. [](inv:other:heuristic:heuristic#Far_Away)
7. [my text](inv:#Far_Away)
8. {heuristic}`other:Far_Away`

```{toctree}
rest
```
""",
        "rest.rst": """
Rest
====

1. :heuristic:`Far_Away`
2. :external:heuristic:ref:`Far_Away`
3. :external+other:heuristic:ref:`own <Far_Away>`
""",
    }
    built = project(with_neighbour(tmp_path, files)).ok("html")
    uri = "https://other.example/docs/index.html#heuristic-far-away"
    links = built.soup("index.html").select("ol a")
    assert [str(a["href"]) for a in links] == [uri] * 8
    assert [a.get_text() for a in links] == [
        "Far away",
        "this text",
        "Far away",
        "Far away",
        "Far away",
        "Far away",
        "my text",
        "Far away",
    ]
    links = built.soup("rest.html").select("ol a")
    assert [(str(a["href"]), a.get_text()) for a in links] == [
        (uri, "Far away"),
        (uri, "Far away"),
        (uri, "own"),
    ]


def test_heuristics_of_another_project_that_are_not_there(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    index = "# Start\n\n{heuristic}`Far_Awai`, {heuristic}`other:Nowhere` and {heuristic}`none:Far_Away`\n"
    warnings = (
        project(with_neighbour(tmp_path, {"index.md": index})).build("html").warnings
    )
    assert [w.partition("WARNING: ")[2] for w in warnings] == [
        "unknown heuristic 'Far_Awai' [heuristic.ref]",
        "unknown heuristic 'none:Far_Away'; intersphinx knows no project 'none' (known: 'other') [heuristic.ref]",
        "unknown heuristic 'other:Nowhere' [heuristic.ref]",
    ]


def test_links_lead_to_the_entry_with_an_anchor(
    project: Callable[..., Project],
) -> None:
    """Of an object under :no-index: and of its copies, that one is linked to."""
    tools = '''
class Tool:
    """A tool."""

    def oil(self):
        """Oil it."""


class Axe(Tool):
    """An axe."""


class Saw(Tool):
    """A saw."""
'''
    index = """
Start
=====

.. autoclass:: barn2.Axe

.. automethod:: barn2.Axe.oil
   :no-index:

.. automethod:: barn2.Tool.oil
   :no-index:

.. autoclass:: barn2.Saw

.. heuristic:: Oiled
   :note: Oil it.
   :impl: barn2.Tool.oil

.. toctree::

   more
"""
    conf_py = f"{CONF}\nheuristics_rollup = True\n"
    more = "More\n====\n\n.. automethod:: barn2.Tool.oil\n"
    files = {"barn2.py": tools, "index.rst": index, "more.rst": more}
    built = project({"conf.py": conf_py, **files}).ok("html")
    (rolled_up,) = built.soup("index.html").select(".heuristic-rollup")
    assert rolled_up.get_text().startswith("Inherited: oil (")
    links = built.soup("index.html").select("a[href='more.html#barn2.Tool.oil']")
    # Rolled up, in "Applies to", and in "Shown in".
    texts = [link.get_text() for link in links]
    assert texts[:3] == ["oil", "barn2.Tool.oil", "barn2.Tool.oil"]
