"""API entries of every origin: hand-written, by autodoc, of every kind of object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CONF, title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


def definition(name: str, **options: str) -> str:
    lines = "".join(
        f"   :{key.replace('_', '-')}: {value}\n"
        for key, value in {"note": "n", **options}.items()
    )
    return f".. heuristic:: {name}\n{lines}\n"


# -- written by hand ------------------------------------------------------------------

ZOO = {
    "handzoo/__init__.py": "raise RuntimeError('imported')\nfrom .models import Lora, Poly\n",
    "handzoo/base.py": "class Base:\n    limit = 3\n    def merge(self): ...\n    def unload(self): ...\n",
    "handzoo/models.py": """
from .base import Base
from elsewhere import Unknown

class Between(Base):
    def unload(self): ...

class Lora(Between, Unknown): ...

class Poly(Base):
    def merge(self): ...
""",
    "index.rst": """
Start
=====

.. py:class:: handzoo.base.Base

   .. py:method:: merge()
   .. py:method:: unload()

.. py:class:: handzoo.Lora

   .. py:method:: merge()
   .. py:method:: unload()
   .. py:attribute:: limit

.. py:class:: handzoo.Poly

   .. py:method:: merge()

""",
}

#: What an author writes → the entries that show it.
BY_HAND = {
    "handzoo.base.Base": ["handzoo.base.Base"],
    "handzoo.base.Base.merge": ["handzoo.base.Base.merge", "handzoo.Lora.merge"],
    "handzoo.models.Lora.merge": ["handzoo.Lora.merge"],
    "handzoo.models.Between.merge": ["handzoo.Lora.merge"],
    "handzoo.models.Between.unload": ["handzoo.Lora.unload"],
    "handzoo.base.Base.unload": ["handzoo.base.Base.unload"],
    "handzoo.base.Base.limit": ["handzoo.Lora.limit"],
    "handzoo.models.Poly.merge": ["handzoo.Poly.merge"],
    "Lora.merge": ["handzoo.Lora.merge"],
    "Base.merge": ["handzoo.base.Base.merge", "handzoo.Lora.merge"],
    "*.merge": ["handzoo.base.Base.merge", "handzoo.Lora.merge", "handzoo.Poly.merge"],
}


def test_copies_written_by_hand_are_found_in_the_source(
    project: Callable[..., Project],
) -> None:
    definitions = "".join(
        definition(f"H{number}", title=target, impl=target)
        for number, target in enumerate(BY_HAND)
    )
    conf = 'extensions = ["sphinxext_heuristics"]\nheuristics_max_shown = 100\nheuristics_inherited = "show"\n'
    built = project(
        {**ZOO, "conf.py": conf, "index.rst": ZOO["index.rst"] + definitions}
    ).ok("html")
    assert not built.imported
    anchors = {anchor for names in BY_HAND.values() for anchor in names}
    shown = {anchor: built.shown("index.html", anchor) for anchor in anchors}
    found = {
        target: [a for a in names if target in shown[a]]
        for target, names in BY_HAND.items()
    }
    assert found == BY_HAND
    assert sum(map(len, shown.values())) == sum(map(len, BY_HAND.values()))


def test_other_domains_and_entries_within_text_are_left_alone(
    project: Callable[..., Project],
) -> None:
    built = project(
        {
            "index.rst": """
Start
=====

.. c:function:: int merge(int x)

   C.

.. js:function:: merge(x)

   JavaScript.

.. py:module:: demo

.. py:function:: merge()

   Python.

   .. note::

      .. py:function:: inner()

         Inner.

.. py:function:: bare()
   :no-contents-entry:

"""
            + definition("Merge", impl="merge, demo.inner, bare")
        }
    ).ok("html")
    soup = built.soup("index.html")
    assert [
        dl["class"][0]
        for dl in soup.select("dl")
        if dl.select_one(":scope > dd > div.heuristic")
    ] == ["py"] * 3
    assert built.shown("index.html", "demo.inner") == ["Merge"]
    assert built.shown("index.html", "demo.bare") == ["Merge"]


# -- by autodoc -----------------------------------------------------------------------

KINDS = {
    "kindzoo.py": '''
"""Kinds."""
import dataclasses
import enum
import functools
import typing


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@decorated
def wrapped():
    """Wrapped."""


async def asynchronous():
    """Async."""


def generator():
    """Generate."""
    yield


class Color(enum.Enum):
    """An enumeration."""

    #: Red.
    RED = 1


@dataclasses.dataclass
class Config:
    """A data class."""

    #: The rank.
    rank: int = 8


class Slotted:
    """Slots."""

    __slots__ = {"left": "The left one."}


T = typing.TypeVar("T")


class Generic(typing.Generic[T]):
    """Generic."""

    @functools.cached_property
    def cached(self):
        """Cached."""

    @typing.overload
    def get(self, x: int) -> int: ...
    @typing.overload
    def get(self, x: str) -> str: ...
    def get(self, x):
        """Get."""

    @classmethod
    def make(cls):
        """Make."""

    async def run(self):
        """Run."""

    renamed = make


class Special(Generic[int]):
    """Special."""


class Meta(type):
    """A metaclass."""

    def __getattr__(cls, name):
        raise AttributeError(name)


class WithMeta(metaclass=Meta):
    """With a metaclass."""

    def go(self):
        """Go."""


#: A constant.
LIMIT: int = 3

#: Another.
OTHER = {"a": 1}


class Error(ValueError):
    """An error."""

    def explain(self):
        """Explain."""


def __getattr__(name):
    raise AttributeError(name)
''',
    "index.rst": """
Start
=====

.. automodule:: kindzoo
   :members:
   :inherited-members: ValueError, Enum, object

""",
}

KIND_TARGETS = {
    "kindzoo.wrapped": ["kindzoo.wrapped"],
    "kindzoo.asynchronous": ["kindzoo.asynchronous"],
    "kindzoo.generator": ["kindzoo.generator"],
    "kindzoo.Color": ["kindzoo.Color"],
    "kindzoo.Color.RED": ["kindzoo.Color.RED"],
    "kindzoo.Config.rank": ["kindzoo.Config.rank"],
    "kindzoo.Slotted.left": ["kindzoo.Slotted.left"],
    "kindzoo.Generic.cached": ["kindzoo.Generic.cached", "kindzoo.Special.cached"],
    "kindzoo.Generic.get": ["kindzoo.Generic.get", "kindzoo.Special.get"],
    "kindzoo.Generic.make": ["kindzoo.Generic.make", "kindzoo.Special.make"],
    "kindzoo.Generic.run": ["kindzoo.Generic.run", "kindzoo.Special.run"],
    "kindzoo.Special": ["kindzoo.Special"],
    "kindzoo.WithMeta": ["kindzoo.WithMeta"],
    "kindzoo.WithMeta.go": ["kindzoo.WithMeta.go"],
    "kindzoo.LIMIT": ["kindzoo.LIMIT"],
    "kindzoo.OTHER": ["kindzoo.OTHER"],
    "kindzoo.Error": ["kindzoo.Error"],
    "kindzoo.Error.explain": ["kindzoo.Error.explain"],
}


@pytest.mark.parametrize("order", ["class first", "entries first"])
def test_every_kind_of_object(project: Callable[..., Project], order: str) -> None:
    definitions = "".join(
        definition(f"H{number}", title=target, impl=target)
        for number, target in enumerate(KIND_TARGETS)
    )
    index = KINDS["index.rst"]
    text = (
        index + definitions
        if order == "entries first"
        else f"Start\n=====\n\n{definitions}\n" + index[13:]
    )
    made = project(
        {
            **KINDS,
            "conf.py": f'{CONF}heuristics_inherited = "show"\n',
            "index.rst": text,
        }
    )
    built = made.ok("html")
    for body in built.soup("index.html").select("dl.py > dd"):
        assert body.parent is not None
        anchor = str(body.parent.find("dt").get("id"))
        titles = [
            title_of(box)
            for box in body.select("div.heuristic")
            if box.find_parent("dd") is body
        ]
        assert titles == [
            target for target, names in KIND_TARGETS.items() if anchor in names
        ], anchor
    made.ok("html", "-E")


def test_mocked_base_classes(project: Callable[..., Project]) -> None:
    conf = """
extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]
autodoc_mock_imports = ["not_installed_at_all"]
heuristics_inherited = "show"
"""
    module = """
from not_installed_at_all import Base, decorate


class Model(Base):
    '''A model.'''

    def merge(self):
        '''Merge.'''

    @decorate
    def odd(self):
        '''Odd.'''


class Child(Model):
    '''A child.'''
"""
    index = """
Start
=====

.. automodule:: mockzoo
   :members:
   :inherited-members:

"""
    built = project(
        {
            "conf.py": conf,
            "mockzoo.py": module,
            "index.rst": index + definition("Merge", impl="mockzoo.Model.merge"),
        }
    ).ok("html")
    assert built.shown("index.html", "mockzoo.Model.merge") == ["Merge"]
    assert built.shown("index.html", "mockzoo.Child.merge") == ["Merge"]


@pytest.mark.filterwarnings(
    "default"
)  # sphinx-autoapi's and astroid's own deprecations
def test_inherited_copies_of_autoapi(project: Callable[..., Project]) -> None:
    pytest.importorskip("autoapi")
    package = {
        "apizoo/__init__.py": "from .models import Lora\n",
        "apizoo/base.py": "class Base:\n    def merge(self):\n        '''Merge.'''\n",
        "apizoo/models.py": """
from .base import Base

class Lora(Base):
    '''LoRA.'''

class Poly(Base):
    def merge(self):
        '''Merge otherwise.'''
""",
    }
    conf = """
extensions = ["autoapi.extension", "sphinxext_heuristics"]
autoapi_dirs = ["apizoo"]
autoapi_options = ["members", "undoc-members", "inherited-members", "imported-members"]
"""
    index = "Start\n=====\n\n.. toctree::\n\n   autoapi/index\n\n" + definition(
        "Merge", impl="apizoo.base.Base.merge"
    )
    built = project({**package, "conf.py": conf, "index.rst": index}).build("html")
    assert built.warnings == []
    assert not built.imported
    assert built.shown("autoapi/apizoo/base/index.html", "apizoo.base.Base.merge") == [
        "Merge"
    ]
    assert built.shown(
        "autoapi/apizoo/models/index.html", "apizoo.models.Lora.merge"
    ) == ["Merge"]
    assert (
        built.shown("autoapi/apizoo/models/index.html", "apizoo.models.Poly.merge")
        == []
    )
    assert built.shown("autoapi/apizoo/index.html", "apizoo.Lora.merge") == ["Merge"]


# -- pages ----------------------------------------------------------------------------


def test_under_every_kind_of_title(project: Callable[..., Project]) -> None:
    made = project(
        {
            "conf.py": 'extensions = ["myst_parser", "sphinxext_heuristics"]\nheuristics_max_shown = 1\n',
            "index.md": """
# Start

```{toctree}
a/index
b/index
guides/How_To
```

```{heuristic} One
:note: n
:workflow: how-to, a/index, guides/how-to#deep_part, figure-label
:severity: note
```

```{heuristic} Two
:note: n
:workflow: /guides/How_To, guides/How_To
:env: how_to
```
""",
            "a/index.md": "No title at all.\n",
            "b/index.md": "# B\n",
            "guides/How_To.md": """
# How to

Text.

## Deep part

(figure-label)=
```{code-block} python
pass
```

### Deeper
""",
        }
    )
    built = made.build("html")
    assert [w for w in built.warnings if "heuristic" in w] == []
    page = built.soup("guides/How_To.html")

    def shown(anchor: str) -> list[str]:
        section = page.find(id=anchor)
        assert section is not None
        assert section.name == "section"
        return [
            title_of(box)
            for box in section.select("div.heuristic")
            if box.find_parent("section") is section
        ]

    assert shown("how-to") == ["One", "Two"]
    assert shown("deep-part") == ["One"]
    assert shown("deeper") == []
    first = page.select_one("#how-to").find_all(recursive=False)[:2]
    assert [tag.name for tag in first] == ["h1", "p"]


# -- without a name --------------------------------------------------------------------


def test_entry_without_a_name(project: Callable[..., Project]) -> None:
    index = "Start\n=====\n\n.. py:function:: (not a name\n\n   Text.\n\n.. heuristic-index::\n"
    built = project({"index.rst": index}).build("html")
    assert not [warning for warning in built.warnings if "[heuristic." in warning]
    assert built.status == 0
