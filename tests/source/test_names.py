"""Names and definitions in the source of packages, which is not imported."""

from __future__ import annotations

import ast
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sphinxext_heuristics._core.source import names as source_names
from sphinxext_heuristics._core.source.names import names_in
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from pathlib import Path


PACKAGE = {
    "tablepkg/__init__.py": """
raise RuntimeError("imported")
from .config import Config, Config as Settings
from .tuners import *
from . import tuners
from .circle import Round
import os.path
if True:
    from .tuners.lora import make
    from .slow import quick as either
else:
    from .nowhere import other
    from .config import Config as either
try:
    from .slow import quick
except ImportError:
    from .config import Config as quick, Config as slower
finally:
    FLAG: bool = True
from .lazy.thing import *
from .listed import *
from .grown import *
from .open import *
from ... import beyond
def __getattr__(name): ...
a.b = c[0] = 3
""",
    "tablepkg/config.py": """
import abc
from typing import Generic
from elsewhere import Unknown
class Base(abc.ABC):
    limit = 3
    rank: int
    def load(self): ...
    if True:
        def chosen(self): ...
    class Inner:
        def nested(self): ...
class Config(Base, Unknown, Generic[int]):
    async def run(self): ...
class Deep(Config):
    class Inner(Config.Inner):
        pass
class Subscripted(Config[int]):
    pass
""",
    "tablepkg/tuners/__init__.py": "from .lora import Lora\n__all__ = ['Lora']\n",
    "tablepkg/tuners/lora.py": """
from ..config import Base
from ..config import Config as Parent
def make(): ...
class Left(Base):
    def load(self): ...
class Right(Base):
    def load(self): ...
    def right(self): ...
class Lora(Left, Right): ...
class Own(Lora, Parent):
    load = None
class Loop(Loop): ...
class Broken(Left, Base, Left): ...
class Ping(Pong): ...
class Pong(Ping):
    def ping(self): ...
""",
    "tablepkg/listed.py": "__all__ = ('shown',)\ndef shown(): ...\ndef kept(): ...\n",
    "tablepkg/grown.py": "__all__ = ['a']\n__all__ += ['b']\ndef bigger(): ...\n",
    "tablepkg/open.py": "def opened(): ...\ndef _hidden(): ...\n",
    "tablepkg/circle.py": "from .square import Round\n",
    "tablepkg/square.py": "from .circle import Round\n",
    "tablepkg/slow.py": "def quick(): ...\n",
    "tablepkg/broken.py": "def broken(:\n",
    "tablepkg/latin.py": "# coding: nonsense\nx = 1\n",
    "tablepkg/space/inside.py": "class Spaced: ...\n",
    "tablepkg/plain.txt": "",
    "tablepkg/alike/__init__.py": "from .run import run\nfrom .Model import Model\n",
    "tablepkg/alike/run.py": "def run(): return '\\d'\ndef other(): ...\n",
    "tablepkg/alike/Model.py": "class Model:\n    def run(self): ...\nrun = 1\n",
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - yields
    root = tmp_path_factory.mktemp("source")
    for name, text in PACKAGE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sys.path.insert(0, str(root))
    yield Sources()
    sys.path.remove(str(root))
    assert not [name for name in sys.modules if name.startswith("tablepkg")], (
        "nothing was imported"
    )


@pytest.mark.parametrize(
    ("code", "exported"),
    [
        ("__all__ = ['a', 'b']", {"a", "b"}),
        ("if x:\n    __all__ = ('a',)", {"a"}),
        ("__all__ = []", set()),
        ("import b\n__all__ = ['a']", {"a"}),
        ("x = 1", None),
        ("__all__ = ['a']\n__all__ += b.__all__", None),
        ("__all__ = ['a']\n__all__.extend(b.__all__)", None),
        ("__all__ = ['a', B]", None),
        ("__all__ = ['a', *b]", None),
        ("__all__ = b.__all__", None),
        ("__all__: list[str] = ['a']", None),
        ("if x:\n    __all__ = ['a']\nelse:\n    __all__ = ['b']", None),
    ],
)
def test_what_a_star_takes_over(code: str, exported: set[str] | None) -> None:
    assert names_in(ast.parse(code), "module", is_package=False).exported == exported


@pytest.mark.parametrize(
    ("dotted", "found"),
    [
        ("tablepkg.Config", ("tablepkg.config", "Config")),
        ("tablepkg.Settings", ("tablepkg.config", "Config")),
        ("tablepkg.Settings.run", ("tablepkg.config", "Config.run")),
        ("tablepkg.config.Config", ("tablepkg.config", "Config")),
        ("tablepkg.Lora", ("tablepkg.tuners.lora", "Lora")),
        ("tablepkg.tuners.Lora.load", ("tablepkg.tuners.lora", "Lora.load")),
        ("tablepkg.make", ("tablepkg.tuners.lora", "make")),
        ("tablepkg.quick", ("tablepkg.slow", "quick")),
        ("tablepkg.slower", ("tablepkg.config", "Config")),
        ("tablepkg.FLAG", ("tablepkg", "FLAG")),
        ("tablepkg.__getattr__", ("tablepkg", "__getattr__")),
        ("tablepkg.space.inside.Spaced", ("tablepkg.space.inside", "Spaced")),
        ("tablepkg.shown", ("tablepkg.listed", "shown")),
        ("tablepkg.kept", None),
        ("tablepkg.listed.kept", ("tablepkg.listed", "kept")),
        ("tablepkg.bigger", ("tablepkg.grown", "bigger")),
        ("tablepkg.opened", ("tablepkg.open", "opened")),
        ("tablepkg._hidden", None),
        # which of both branches is run, the source does not say
        ("tablepkg.either", ("tablepkg", "either")),
        ("tablepkg.Round", None),
        ("tablepkg.nothing", None),
        ("tablepkg.config", None),
        ("tablepkg", None),
        ("tablepkg.beyond", None),
        ("tablepkg.other", None),
        ("tablepkg.broken.broken", None),
        ("tablepkg.latin.x", None),
        ("tablepkg..Config", None),
        ("", None),
        ("nowhere_at_all.Config", None),
        ("sys.path", None),
        ("tablepkg.config.Config.Inner", ("tablepkg.config", "Config.Inner")),
        # a function and a class that are named like their modules
        ("tablepkg.alike.run", ("tablepkg.alike.run", "run")),
        ("tablepkg.alike.run.run", ("tablepkg.alike.run", "run")),
        ("tablepkg.alike.run.other", ("tablepkg.alike.run", "other")),
        ("tablepkg.alike.Model.run", ("tablepkg.alike.Model", "Model.run")),
        ("tablepkg.alike.Model.Model.run", ("tablepkg.alike.Model", "Model.run")),
    ],
)
def test_defining_module(
    read: Sources, dotted: str, found: tuple[str, str] | None
) -> None:
    assert read.canonical(dotted) == found


@pytest.mark.parametrize(
    ("dotted", "names"),
    [
        ("tablepkg.config.Config", ["tablepkg.config.Config", "tablepkg.Config"]),
        (
            "tablepkg.Settings.run",
            ["tablepkg.config.Config.run", "tablepkg.Config.run"],
        ),
        (
            "tablepkg.tuners.lora.Lora",
            ["tablepkg.tuners.lora.Lora", "tablepkg.tuners.Lora", "tablepkg.Lora"],
        ),
        ("tablepkg.tuners.lora.make", ["tablepkg.tuners.lora.make", "tablepkg.make"]),
        ("tablepkg.alike.run", ["tablepkg.alike.run.run", "tablepkg.alike.run"]),
        ("tablepkg.alike.run.run", ["tablepkg.alike.run.run", "tablepkg.alike.run"]),
        ("tablepkg.nothing", []),
    ],
)
def test_spellings(read: Sources, dotted: str, names: list[str]) -> None:
    assert list(read.aliases(dotted)) == names


BASE_LOAD, LEFT = "tablepkg.config.Base.load", "tablepkg.tuners.lora.Left.load"


@pytest.mark.parametrize(
    ("dotted", "names"),
    [
        ("tablepkg.make", ["tablepkg.tuners.lora.make"]),
        ("tablepkg.Config", ["tablepkg.config.Config"]),
        ("tablepkg.Config.run", ["tablepkg.config.Config.run"]),
        ("tablepkg.Config.load", ["tablepkg.config.Config.load", BASE_LOAD]),
        (
            "tablepkg.Config.limit",
            ["tablepkg.config.Config.limit", "tablepkg.config.Base.limit"],
        ),
        (
            "tablepkg.Config.rank",
            ["tablepkg.config.Config.rank", "tablepkg.config.Base.rank"],
        ),
        (
            "tablepkg.Config.chosen",
            ["tablepkg.config.Config.chosen", "tablepkg.config.Base.chosen"],
        ),
        (
            "tablepkg.config.Subscripted.load",
            [
                "tablepkg.config.Subscripted.load",
                "tablepkg.config.Config.load",
                BASE_LOAD,
            ],
        ),
        # Python's order of several bases
        ("tablepkg.Lora.load", ["tablepkg.tuners.lora.Lora.load", LEFT]),
        (
            "tablepkg.Lora.right",
            ["tablepkg.tuners.lora.Lora.right", "tablepkg.tuners.lora.Right.right"],
        ),
        ("tablepkg.tuners.lora.Own.load", ["tablepkg.tuners.lora.Own.load"]),
        (
            "tablepkg.tuners.lora.Own.run",
            ["tablepkg.tuners.lora.Own.run", "tablepkg.config.Config.run"],
        ),
        # nested classes
        ("tablepkg.config.Deep.Inner.nested", ["tablepkg.config.Deep.Inner.nested"]),
        ("tablepkg.config.Base.Inner.nested", ["tablepkg.config.Base.Inner.nested"]),
        # what no statement defines, and classes that Python would refuse
        ("tablepkg.Config.attribute", ["tablepkg.config.Config.attribute"]),
        ("tablepkg.tuners.lora.Loop.x", ["tablepkg.tuners.lora.Loop.x"]),
        (
            "tablepkg.tuners.lora.Broken.load",
            ["tablepkg.tuners.lora.Broken.load", LEFT],
        ),
        (
            "tablepkg.tuners.lora.Ping.ping",
            ["tablepkg.tuners.lora.Ping.ping", "tablepkg.tuners.lora.Pong.ping"],
        ),
        ("tablepkg.nothing", []),
    ],
)
def test_names_by_identity_from_source(
    read: Sources, dotted: str, names: list[str]
) -> None:
    assert list(read.lineage(dotted)) == names


def test_files(read: Sources) -> None:
    found = {
        m: read.state(m)
        for m in (
            "tablepkg",
            "tablepkg.config",
            "tablepkg.space",
            "sys",
            "tablepkg.config.x",
        )
    }
    assert {m: at and at.path.name for m, at in found.items()} == {
        "tablepkg": "__init__.py",
        "tablepkg.config": "config.py",
        "tablepkg.space": None,
        "sys": None,
        "tablepkg.config.x": None,
    }
    compiled = read.state("_decimal")
    assert compiled is None or compiled.path.suffix == ".py"


def test_source_that_changes_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "tablechanging.py"
    module.write_text("class A: ...\n")
    assert Sources().canonical("tablechanging.A") == ("tablechanging", "A")
    module.write_text("class Bee: ...\n")
    os.utime(module, ns=(1, 1))
    assert Sources().canonical("tablechanging.A") is None
    assert Sources().canonical("tablechanging.Bee") == ("tablechanging", "Bee")


def test_source_that_goes_away_while_a_build_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "tablegone.py"
    module.write_text("class A: ...\n")
    read_of_one_build = Sources()
    assert read_of_one_build.exists("tablegone")
    module.unlink()
    assert read_of_one_build.canonical("tablegone.A") is None
    assert (
        source_names.read_names(source_names.State(module, 0, 0), "tablegone")
        == source_names.Names()
    )


def test_finder_of_an_editable_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.util import spec_from_file_location  # noqa: PLC0415 - what such a finder uses

    module = tmp_path / "anywhere" / "tableeditable.py"
    module.parent.mkdir()
    module.write_text("class A: ...\n")

    class Finder:
        @staticmethod
        def find_spec(
            name: str, _path: object = None, _target: object = None
        ) -> object:
            return (
                spec_from_file_location(name, module)
                if name == "tableeditable"
                else None
            )

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path, SimpleNamespace()])
    assert Sources().canonical("tableeditable.A") == ("tableeditable", "A")
    assert Sources().canonical("tableneither.A") is None


def test_of_what_stars_take_over_only_files_with_the_name_are_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stars = [f"from .part_{number} import *\n" for number in range(9)]
    files = {"__init__": "".join(stars), "thing": "class Thing: ...\n"}
    files |= {f"part_{number}": f"class Part{number}: ...\n" for number in range(7)}
    files["part_7"] = "from .thing import *\n"
    files["part_8"] = "# A Thing is not here\n"
    (tmp_path / "tablestars").mkdir()
    for name, text in files.items():
        (tmp_path / f"tablestars/{name}.py").write_text(text)
    parsed: list[str] = []
    parse = source_names.parse

    def noted(text: str) -> ast.Module:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(source_names, "parse", noted)
    sources = Sources([str(tmp_path)])
    names = ("tablestars.thing.Thing", "tablestars.Thing")
    assert sources.aliases("tablestars.thing.Thing") == names
    assert set(parsed) == {files[name] for name in ("__init__", "thing", "part_7")}, (
        "part_8 comes after the one that takes it over"
    )
    assert sources.canonical("tablestars.Nothing") is None
    assert sources.canonical("tablestars.Part8") is None
    (tmp_path / "tablestars/part_0.py").unlink()
    assert Sources([str(tmp_path)]).canonical("tablestars.Part1") is not None
