"""Objects in hand: the names by which they are known, and the files of their bases."""

from __future__ import annotations

import abc
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sphinxext_heuristics._core.read import identity
from sphinxext_heuristics._core.read.reexports import Reexports


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("living")
    exec(  # noqa: S102 - the source stands right here
        """
import functools
class Base:
    rank: int
    limit = 3
    def merge(self): ...
    @property
    def device(self):
        raise RuntimeError
    class Inner:
        def nested(self): ...
class Lora(Base):
    own: int
    def unload(self): ...
class Poly(Base):
    def merge(self): ...
class Liar:
    __module__ = "elsewhere"
class Meta(type):
    def __getattr__(cls, name):
        raise RuntimeError(name)
class Guarded(metaclass=Meta): ...
def make(): ...
alias = make
cached = functools.lru_cache(make)
partial = functools.partial(make)
constant = 3
class Slots:
    __slots__ = ("x",)
""",
        vars(module),
    )
    monkeypatch.setitem(sys.modules, "living", module)
    other = types.ModuleType("living_again")
    other.Lora, other.make, other.module = module.Lora, module.make, module
    monkeypatch.setitem(sys.modules, "living_again", other)
    return module


@pytest.mark.usefixtures("living")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("living.Base", ["living.Base"]),
        ("living_again.Lora", ["living.Lora"]),
        ("living.Base.merge", ["living.Base.merge"]),
        ("living_again.Lora.merge", ["living.Lora.merge", "living.Base.merge"]),
        ("living.Lora.limit", ["living.Lora.limit", "living.Base.limit"]),
        ("living.Lora.device", ["living.Lora.device", "living.Base.device"]),
        ("living.Poly.merge", ["living.Poly.merge"]),
        ("living.Poly.device", ["living.Poly.device", "living.Base.device"]),
        # an instance attribute, of which the source knows more
        ("living.Lora.rank", ["living.Lora.rank"]),
        ("living.Lora.own", ["living.Lora.own"]),
        ("living.Lora.unknown", ["living.Lora.unknown"]),
        ("living.Base.Inner.nested", ["living.Base.Inner.nested"]),
        ("living.Lora.Inner.nested", ["living.Base.Inner.nested"]),
        ("living.make", ["living.make"]),
        ("living.alias", ["living.make"]),
        ("living_again.make", ["living.make"]),
        ("living.cached", ["living.cached"]),
        ("living.partial", ["living.partial"]),
        ("living.constant", ["living.constant"]),
        ("living.Liar", ["living.Liar"]),
        ("living.Guarded", ["living.Guarded"]),
        ("living.Slots.x", ["living.Slots.x"]),
    ],
)
def test_names_by_identity(name: str, expected: list[str]) -> None:
    obj: Any = sys.modules[name.partition(".")[0]]
    for part in name.split(".")[1:]:
        obj = (
            vars(obj).get(part, None)
            if isinstance(obj, types.ModuleType | type)
            else None
        )
    assert list(identity.lineage(name, obj)) == expected


def test_name_without_a_module() -> None:
    assert identity.lineage("nowhere", object()) == ("nowhere",)
    assert identity.lineage("nowhere.at.all", print) == ("builtins.print",)


def test_mock_is_no_name() -> None:
    class Mock:
        def __getattr__(self, name: str) -> Mock:
            return self

    assert identity.lineage("nowhere.mock", Mock()) == ("nowhere.mock",)


def test_files_of_bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("tablebase", "class B: ..."),
        ("tablesub", "from tablebase import B\nclass S(B): ..."),
    ):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import tablesub  # noqa: PLC0415 - written a moment ago

    def files(name: str, obj: object) -> list[str]:
        reexports = Reexports()
        identity.identify({name: obj}, reexports, name, "")
        return sorted(Path(path).name for path in reexports.files())

    both = ["tablebase.py", "tablesub.py"]
    assert files("tablesub.S", tablesub.S) == both
    assert files("tablesub.S.merge", print) == both
    # A name that no source has says nothing: the class in hand does.
    assert files("elsewhere.S", tablesub.S) == both
    assert files("elsewhere.merge", print) == []
    assert files("builtins.int", int) == []
    assert files("abc.ABC", abc.ABC) == ["abc.py"]


def test_files_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("wayfar", "class Far: ...\ndef go(): ..."),
        ("waymid", "from wayfar import (\n    Far as Other,\n    go as run,\n)"),
        ("waybase", "import waymid\nfrom wayside import unused\nOther = waymid.Other"),
        ("wayside", "unused = 1"),
        (
            "wayend",
            "from waybase import Other\nfrom waymid import run\nclass End(Other): ...",
        ),
    ):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import wayend  # noqa: PLC0415 - written a moment ago

    def files(name: str, obj: object) -> list[str]:
        reexports = Reexports()
        identity.identify({name: obj}, reexports, name, "")
        return sorted(Path(path).stem for path in reexports.files())

    assert files("wayend.run", wayend.run) == ["wayend", "wayfar", "waymid"]
    every = ["waybase", "wayend", "wayfar", "waymid"]
    assert files("wayend.End", wayend.End) == every
    assert files("wayend.Other", wayend.Other) == every
