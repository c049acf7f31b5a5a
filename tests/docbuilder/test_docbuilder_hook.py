"""The hook for doc-builder: alerts in docstrings, from a file of data, as ``_config.py`` adds them."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import resource
import runpy
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import ROOT, sections

from sphinxext_heuristics.docbuilder import cards, hook, hook_code
from sphinxext_heuristics.docbuilder.cards import Decision, decide
from sphinxext_heuristics.docbuilder.hook import main
from sphinxext_heuristics.docbuilder.objects import documented_methods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ZOO = '''\
"""A zoo."""
import tensors

__version__ = "1.5.0.dev0"


class Base(tensors.Module):
    """The base."""

    def feed(self, food=None):
        """
        Feed it.

        Args:
            food: What.
        """

    def wash(self):
        """Wash it."""

    def silent(self):
        pass

    @classmethod
    def load(cls):
        """Load it."""

    @property
    def name(self):
        """The name."""


class Child(Base):
    """A child.
    Two lines."""

    def feed(self, food=None):
        """
        Feed it.

        Args:
            food: What.
        """

    def silent(self):
        pass


class Grandchild(Child):
    """Its child."""

    def wash(self):
        """Wash it well."""


def silent():
    pass


@tensors.no_grad()
def clean(where):
    """Clean it, with ``soap``.

    Returns:
        `bool`: Whether.
    """
'''
#: What a mock of doc-builder's does: any attribute, any decorator, a base class that
#: has any attribute.
TENSORS = '''\
class _Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Mock()


class Mock:
    """A mock."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Mock()

    def __call__(self, *args):
        return args[0] if args else self

    def __mro_entries__(self, bases):
        return (_Meta("Module", (), {}),)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Mock()
'''
FILES = {
    "zoo/__init__.py": ZOO,
    "zoo/deep/__init__.py": "",
    "zoo/deep/cage.py": 'def lock():\n    """Lock it."""\n',
    "zoo/broken.py": "raise RuntimeError('no backend')\n",
    "zoo/needy.py": "import not_there\n",
    "tensors.py": TENSORS,
}
#: A module that ends the program that imports it.
EVIL = 'import sys\n\n\ndef go():\n    """Go."""\n\n\nsys.exit(3)\n'
NOTHING: dict[str, Any] = {"package": "zoo", "alerts": {}, "docstrings": {}}
CONFIG = f'{hook.LINES}\n# docstyle-ignore\nINSTALL_CONTENT = ""\n'


def alert(title: str) -> str:
    return f"> [!WARNING]\n> **{title}.** Use `care`"


def forget() -> None:
    """Let the package be imported anew."""
    for name in list(sys.modules):
        if name.partition(".")[0] in {"zoo", "tensors"}:
            del sys.modules[name]


class Docs:
    """A package, and the folder of a ``_config.py`` with the two files beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (root / "_config.py").write_text(CONFIG, encoding="utf-8")
        (root / hook.CODE).write_text(
            hook.files_of(NOTHING)[hook.CODE], encoding="utf-8"
        )

    def show(self, docstrings: dict[str, list[str]], **alerts: str) -> Any:  # noqa: ANN401 - a module
        """Add alerts to the docstrings of the package, imported anew, and give it.

        After ``#`` is a parameter; what holds a link is a line.
        """
        forget()
        names = {name for several in docstrings.values() for name in several}
        data: dict[str, Any] = {
            "package": "zoo",
            "alerts": {name: alert(name) for name in names} | alerts,
            "docstrings": {},
        }
        for key, several in docstrings.items():
            name, _, parameter = key.partition("#")
            where = {"parameter": parameter} if parameter else {}
            data["docstrings"].setdefault(name, []).extend(
                {"line" if "](" in it else "alert": it, **where} for it in several
            )
        (self.root / hook.DATA).write_text(json.dumps(data), encoding="utf-8")
        return self.run()

    def run(self) -> Any:  # noqa: ANN401 - a module
        hook_code.add_alerts(self.root / hook.DATA)
        return importlib.import_module("zoo")

    def run_config(self) -> Any:  # noqa: ANN401 - a module
        """Do it as doc-builder does, which uses the copies in its folder."""
        runpy.run_path(str(self.root / "_config.py"))
        return importlib.import_module("zoo")


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docs]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Docs(tmp_path)
    forget()


ALERT = "> [!WARNING]\n> **Food.** Use `care`"


def test_an_alert_follows_the_first_paragraph(docs: Docs) -> None:
    zoo = docs.show({"zoo.Base.feed": ["Food"]})
    # from Python 3.13 on, __doc__ itself has no indentation
    assert inspect.getdoc(zoo.Base.feed) == (
        f"Feed it.\n\n{ALERT}\n\nArgs:\n    food: What."
    )


def test_two_runs_are_one(docs: Docs, capsys: pytest.CaptureFixture[str]) -> None:
    zoo = docs.show(
        {
            "zoo.Base.feed": ["Food"],
            "zoo.Base.load": ["Food"],
            "zoo.Base.silent": ["Food"],
        }
    )
    before = zoo.Base.feed.__doc__, zoo.Base.load.__doc__
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "heuristics: zoo.Base.silent: LookupError: it has no docstring of its own",
        "heuristics: 2 alerts in 2 docstrings of zoo",
    ]
    for run in (docs.run, docs.run_config, docs.run_config):
        run()
        assert (zoo.Base.feed.__doc__, zoo.Base.load.__doc__) == before
    assert not capsys.readouterr().err, "what was said is not said again"


def test_kinds_of_objects(docs: Docs) -> None:
    names = [
        "zoo.Base",
        "zoo.Base.load",
        "zoo.Base.name",
        "zoo.clean",
        "zoo.deep.cage.lock",
    ]
    zoo = docs.show({name: ["One"] for name in names})
    objects = [
        zoo.Base,
        zoo.Base.load,
        zoo.Base.name.fget,
        zoo.clean,
        sys.modules["zoo.deep.cage"].lock,
    ]
    assert ["**One.** Use" in found.__doc__ for found in objects] == [True] * 5


WRAPPED = '''
import functools


def twice(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@twice
def wrapped():
    """Wrapped."""


class More:
    """More."""

    @functools.cached_property
    def cached(self):
        """Cached."""

    @staticmethod
    @twice
    def static():
        """Static."""


def __getattr__(name):
    if name == "Late":
        from zoo.deep import late

        return late.Late
    if name == "Gone":
        raise RuntimeError("no backend")
    raise AttributeError(name)
'''


def test_what_is_wrapped_or_late(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    (docs.root / "zoo/__init__.py").write_text(ZOO + WRAPPED, encoding="utf-8")
    late = docs.root / "zoo/deep/late.py"
    late.write_text('class Late:\n    """Late."""\n', encoding="utf-8")
    names = [
        "zoo.wrapped",
        "zoo.More.cached",
        "zoo.More.static",
        "zoo.Late",
        "zoo.Gone",
    ]
    zoo = docs.show({name: ["One"] for name in names})
    for found in (zoo.wrapped, zoo.More.cached, zoo.More.static, zoo.Late):
        assert "> **One.** Use" in found.__doc__
    assert capsys.readouterr().err.splitlines() == [
        "heuristics: zoo.Gone: ImportError: cannot import zoo.Gone: RuntimeError: no backend",
        "heuristics: 4 alerts in 4 docstrings of zoo",
    ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("zoo.silent", "LookupError: it has no docstring of its own"),
        ("zoo.Base.gone", "LookupError: there is no such object"),
        ("zoo.deep.gone", "LookupError: there is no such object"),
        ("zoo.gone.lock", "LookupError: there is no such object"),
        (
            "zoo.broken.f",
            ("ImportError: cannot import zoo.broken: RuntimeError: no backend"),
        ),
        (
            "zoo.needy.f",
            (
                "ImportError: cannot import zoo.needy: "
                "ModuleNotFoundError: No module named 'not_there'"
            ),
        ),
    ],
)
def test_what_takes_no_alert(
    docs: Docs, capsys: pytest.CaptureFixture[str], entry: str, reason: str
) -> None:
    docs.show({entry: ["One"]})
    assert capsys.readouterr().err.splitlines()[0] == f"heuristics: {entry}: {reason}"


def test_only_what_an_entry_leads_to_is_imported(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("__main__", "exits", "skips", "old"):
        (docs.root / f"zoo/{name}.py").write_text(EVIL, encoding="utf-8")
    (docs.root / "zoo/skips.py").write_text(
        "class Skipped(BaseException):\n    pass\n\nraise Skipped('no GPU')\n",
        encoding="utf-8",
    )
    names = ["zoo.__main__.go", "zoo.exits.go", "zoo.skips.go"]
    zoo = docs.show({name: ["One"] for name in [*names, "zoo.Base.wash"]})
    assert "One" in zoo.Base.wash.__doc__
    assert not {"zoo.__main__", "zoo.old"} & sys.modules.keys()
    assert capsys.readouterr().err.splitlines() == [
        "heuristics: zoo.__main__.go: LookupError: there is no such object",
        "heuristics: zoo.exits.go: ImportError: cannot import zoo.exits: SystemExit: 3",
        "heuristics: zoo.skips.go: ImportError: cannot import zoo.skips: Skipped: no GPU",
        "heuristics: 1 alerts in 1 docstrings of zoo",
    ]


def test_a_docstring_that_cannot_be_changed_leaves_the_others(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ZOO + (
        "\n\nclass Odd:\n    def __setattr__(self, name, value):\n"
        "        raise OSError('read-only')\n\n\nodd = Odd()\n"
        "odd.__dict__['__doc__'] = 'Odd.'\n"
    )
    (docs.root / "zoo/__init__.py").write_text(source, encoding="utf-8")
    zoo = docs.show({"zoo.odd": ["One"], "zoo.Base.wash": ["One"]})
    assert "One" in zoo.Base.wash.__doc__
    assert capsys.readouterr().err.splitlines()[0] == (
        "heuristics: zoo.odd: OSError: read-only"
    )


def test_a_generated_docstring_takes_no_alert(docs: Docs) -> None:
    source = (
        ZOO
        + "\n\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass Config:\n    size: int = 1\n"
    )
    (docs.root / "zoo/__init__.py").write_text(source, encoding="utf-8")
    zoo = docs.show({"zoo.Config": ["One"]})
    assert zoo.Config.__doc__ == "Config(size: int = 1)"


def test_doc_builder_lists_no_more_methods(docs: Docs) -> None:
    def listed(zoo: Any) -> list[list[str]]:  # noqa: ANN401 - a module
        return list(map(documented_methods, [zoo.Base, zoo.Child, zoo.Grandchild]))

    before = listed(importlib.import_module("zoo"))
    assert before == [["feed", "load", "wash"], [], ["wash"]]
    zoo = docs.show(
        {
            f"zoo.{cls}.{name}": ["One"]
            for cls in ("Base", "Child")
            for name in ("feed", "wash", "load", "silent")
        }
    )
    assert "One" in zoo.Base.wash.__doc__
    assert listed(zoo) == before
    assert zoo.Child.feed.__doc__ == zoo.Base.feed.__doc__, (
        "a copy of the docstring stays one"
    )
    assert zoo.Grandchild.wash.__doc__ == "Wash it well."


def test_code_in_a_docstring_of_restructured_text_has_two_backticks(docs: Docs) -> None:
    zoo = docs.show({"zoo.clean": ["One"]})
    assert "> **One.** Use ``care``\n\nReturns:" in inspect.getdoc(zoo.clean)


def test_alerts_keep_their_order_and_lines_follow(docs: Docs) -> None:
    several = ["One", "Two", "2 more: [a](b); [c](d)."]
    zoo = docs.show({"zoo.Base.feed": several})
    at_start = f"{alert('One')}\n\n{alert('Two')}\n\n{several[2]}"
    text = inspect.getdoc(zoo.Base.feed)
    assert text == f"Feed it.\n\n{at_start}\n\nArgs:\n    food: What."
    zoo = docs.show({"zoo.Base.feed#food": several})
    text = inspect.getdoc(zoo.Base.feed)
    indented = at_start.replace("\n", "\n        ").replace(" " * 8 + "\n", "\n")
    assert text == f"Feed it.\n\nArgs:\n    food: What.\n\n        {indented}"


SEVERAL = """\
Load it.

Args:
    name (`str`, *optional*):
        The name.

            - a list

    size, color (`int`): Both.
    **options: More.

Returns:
    model (`str`): The model.
"""


@pytest.mark.parametrize(
    ("parameter", "before"),
    [
        ("name", "            - a list\n\n        @\n\n    size"),
        ("size", "Both.\n\n        @\n\n    **opt"),
        ("color", "Both.\n\n        @\n\n    **opt"),
        ("options", "More.\n\n        @\n\nReturns"),
    ],
)
def test_at_the_end_of_a_parameter(parameter: str, before: str) -> None:
    entries = [{"alert": "A", "parameter": parameter}]
    written, count = hook_code.with_alerts("f", SEVERAL, entries, {"A": alert("One")})
    assert before in re.sub(r"> \[!WARNING\]\n *> .*", "@", written)
    assert count == 1


@pytest.mark.parametrize("parameter", ["model", "opt", "gone", "a list", "Both"])
def test_a_parameter_that_is_gone(
    parameter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [{"alert": "A", "parameter": parameter}, {"alert": "A"}]
    written, count = hook_code.with_alerts("f", SEVERAL, entries, {"A": alert("One")})
    assert written.startswith(f"Load it.\n\n{alert('One')}\n\nArgs:")
    assert count == 1
    assert capsys.readouterr().err == (
        f"heuristics: f: LookupError: no parameter {parameter!r} is described\n"
    )


def test_a_package_that_cannot_be_imported_is_left_to_doc_builder(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    (docs.root / "tensors.py").write_text(
        "raise OSError('no CUDA')\n", encoding="utf-8"
    )
    (docs.root / hook.DATA).write_text(json.dumps(NOTHING), encoding="utf-8")
    hook_code.add_alerts(docs.root / hook.DATA)
    assert capsys.readouterr().err == (
        f"heuristics: {docs.root / hook.DATA} cannot be used, no alert is shown: "
        "OSError: no CUDA\n"
    )


def data(**parts: object) -> str:
    return json.dumps({**NOTHING, **parts})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "<<<<<<< ours\n{}",
        "{}",
        "[]",
        "3",
        "[" * 200_000,
        '{"a": ' * 200_000,
        data(package=3),
        data(package=""),
        data(package=".zoo"),
        data(package="nowhere"),
        data(docstrings=[]),
        data(docstrings="zoo"),
        None,
    ],
)
def test_data_of_another_form_show_nothing(
    docs: Docs, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    if text is not None:
        (docs.root / hook.DATA).write_text(text, encoding="utf-8")
    docs.run_config()
    (line,) = capsys.readouterr().err.splitlines()
    file = docs.root / hook.DATA
    assert line.startswith(f"heuristics: {file} cannot be used, no alert is shown: ")


GOOD = {"alert": "Good"}


@pytest.mark.parametrize(
    "entry",
    [
        3,
        None,
        "Good",
        "line",
        [],
        {},
        {"alert": "Gone"},
        {"alert": []},
        {"alert": {}},
        {"alert": "List"},
        {"alert": "Text"},
        {"alert": "Lines"},
        {"alert": "Surrogate"},
        {"alert": "Included"},
        {"line": 3},
        {"line": "Args:"},
        {"line": "```[a](b)"},
        {"line": "1 more: [a](b)\nReturns:"},
        {"alert": "Other", "parameter": 3},
        {"alert": "Other", "parameter": ["food"]},
        {"alert": "Other", "parameter": "gone"},
        {"alert": "Other", "parameter": "(" * 500},
    ],
)
def test_an_entry_of_another_form_costs_itself_alone(
    docs: Docs, capsys: pytest.CaptureFixture[str], entry: object
) -> None:
    alerts = {
        "Good": alert("Good"),
        "Other": alert("Other"),
        "List": [alert("A")],
        "Text": "Some text.",
        "Lines": f"{alert('A')}\n\nReturns:",
        "Surrogate": alert("\ud800"),
        "Included": alert("<include>{</include>"),
    }
    docstrings = {"zoo.Base.feed": [GOOD, entry], "zoo.Base.wash": [GOOD]}
    text = data(alerts=alerts, docstrings=docstrings)
    (docs.root / hook.DATA).write_text(text, encoding="utf-8")
    zoo = docs.run_config()
    for found in (zoo.Base.feed, zoo.Base.wash):
        assert found.__doc__.count("> [!WARNING]") == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("heuristics: zoo.Base.feed: ")
    assert last == "heuristics: 2 alerts in 2 docstrings of zoo"


@pytest.mark.parametrize("entries", [3, None, "", {}, {"alert": "Good"}])
@pytest.mark.parametrize("name", ["zoo.Base.feed", "zoo", "", ".", "zoo..x", "x.y"])
def test_entries_of_another_form_cost_that_docstring(
    docs: Docs, capsys: pytest.CaptureFixture[str], name: str, entries: object
) -> None:
    docstrings = {name: entries, "zoo.Base.wash": [GOOD]}
    text = data(alerts={"Good": alert("Good")}, docstrings=docstrings)
    (docs.root / hook.DATA).write_text(text, encoding="utf-8")
    zoo = docs.run_config()
    assert zoo.Base.wash.__doc__ == f"Wash it.\n\n{alert('Good')}"
    assert capsys.readouterr().err.endswith(
        "heuristics: 1 alerts in 1 docstrings of zoo\n"
    )


def test_an_interruption_is_one(docs: Docs) -> None:
    (docs.root / "tensors.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        docs.show({"zoo.Base": ["One"]})
    (docs.root / "tensors.py").write_text(TENSORS)
    (docs.root / "zoo/broken.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        docs.show({"zoo.broken.f": ["One"]})


def test_the_code_is_short(tmp_path: Path) -> None:
    text = hook.files_of(NOTHING)[hook.CODE]
    assert max(map(len, text.splitlines())) <= 119
    path = tmp_path / "code.py"
    path.write_text(text)
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    skipped |= {tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    lines: set[int] = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in skipped:
                lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node):
            text_of_it = node.body[0]
            lines -= {*range(text_of_it.lineno, (text_of_it.end_lineno or 0) + 1)}
    assert len(lines) <= 180


def noted(docstring: str, text: str) -> str:
    return hook_code.with_alerts("f", docstring, [{"alert": "A"}], {"A": text})[0]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("One.", "One.\n\n@"),
        ("One\n    wrapped.\n\n    Two.", "One\n    wrapped.\n\n    @\n\n    Two."),
        # no blank line before a section, a list, code
        ("One.\n    Args:\n        a: A.", "One.\n\n    @\n\n    Args:\n        a: A."),
        ("One\n    - a", "One\n\n    @\n\n    - a"),
        ("One\n    ```py\n    x\n    ```", "One\n\n    @\n\n    ```py\n    x\n    ```"),
        # above what has no paragraph first, or one that introduces what follows
        ("Args:\n        a: A.", "\n        @\n\n        Args:\n        a: A."),
        ("\n    <Tip>\n    a\n    </Tip>", "\n\n    @\n\n    <Tip>\n    a\n    </Tip>"),
        ("As follows:\n\n    - a", "\n    @\n\n    As follows:\n\n    - a"),
    ],
)
def test_where_the_alert_is(docstring: str, expected: str) -> None:
    written = noted(docstring, alert("One"))
    shown = re.sub(r"> \[!WARNING\]\n *> .*", "@", written)
    assert shown == expected


# -- the command ----------------------------------------------------------------------

CONF = """\
import sys
sys.path.insert(0, {root!r})
extensions = ["sphinxext_heuristics", "sphinxext_heuristics.docbuilder"]
docbuilder_packages = ["zoo"]
project, release = "Zoo", "1.5"
heuristics_package = "zoo"
heuristics_dir = None
heuristics_undocumented = "planned"
"""
REFERENCE = """\
Zoo
===

.. toctree::

   heuristics/all

.. autoclass:: zoo.Base
   :members: feed, wash, silent
   :undoc-members:

.. autoclass:: zoo.Child
"""
PAGE = """\
Heuristics
==========

.. heuristic:: Late
   :title: Wash_ it [late]
   :note: Use ``a|b`` or ``x`y``.
   :impl: zoo.Base.wash
   :severity: tip

.. heuristic:: Hot
   :note: Do not.
   :impl: zoo.Base.wash, zoo.Base.feed
   :severity: danger
   :since: 1.2

.. heuristic:: Quiet
   :note: Say nothing.
   :impl: zoo.Base.silent

.. heuristic:: Hidden
   :note: Never.
   :impl: zoo.Base.feed
   :no-inject:

.. heuristic:: Old
   :note: Then.
   :impl: zoo.Base.feed
   :until: 1.0

.. heuristic:: Wide
   :note: All of them.
   :impl: zoo.Base+

.. heuristic:: Food
   :note: What it eats.
   :impl: *.feed
   :param: food

.. heuristic:: Bare
   :note: No page documents it.
   :impl: zoo.Child.wash
   :severity: note
"""


@pytest.fixture
def site(docs: Docs) -> Docs:
    """Put a Sphinx project beside doc-builder's folder, which has the two lines and not the two files."""
    source, pages = docs.root / "source", docs.root / "pages"
    (source / "heuristics").mkdir(parents=True)
    pages.mkdir()
    (source / "conf.py").write_text(CONF.format(root=str(docs.root)), encoding="utf-8")
    (pages / "index.rst").write_text(REFERENCE, encoding="utf-8")
    (source / "heuristics" / "all.rst").write_text(PAGE, encoding="utf-8")
    (docs.root / hook.CODE).unlink()
    (docs.root / "_config.py").rename(pages / "_config.py")
    return docs


def command(site: Docs, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [
        sys.executable,
        "-m",
        "sphinxext_heuristics.docbuilder",
        "hook",
        "source",
        "pages",
        *options,
    ]
    return subprocess.run(  # noqa: S603 - our own
        arguments, cwd=site.root, capture_output=True, text=True, check=False
    )


def item(
    name: str, entries: Sequence[dict[str, str]] = ({},), **more: object
) -> dict[str, Any]:
    """Return what `heuristics.json` has of a heuristic, which an entry shows."""
    entry = {"name": "zoo.Base.wash", "parameter": None, "reach": "named"}
    return {
        "name": name,
        "title": name,
        "note": {"markdown": "Use `care`"},
        "url": f"{name}.html",
        "severity": "tip",
        "weight": 0,
        "except": [],
        "holds": True,
        "inject": True,
        "entries": [entry | it for it in entries],
        "connections": [],
        **more,
    }


def decided(items: list[dict[str, Any]], url: str = "", **options: bool) -> Decision:
    package = importlib.import_module("zoo")
    return decide(items, package, url, **options)


def shown_at(decision: Decision, name: str) -> list[str]:
    """Return what is shown at a docstring, the parameter in front."""
    return [
        ": ".join(filter(None, [it.get("parameter"), it.get("alert") or it["line"]]))
        for it in decision.data["docstrings"].get(name, ())
    ]


@pytest.mark.usefixtures("docs")
def test_danger_comes_first_then_the_weight_the_severity_the_way_and_the_order() -> (
    None
):
    items = [
        item("E", entries=[{"reach": "inherited"}]),
        item("F", entries=[{"reach": "inherited"}]),
        item("D"),
        item("C", severity="warning"),
        item("B", weight=2),
        item("A", severity="danger"),
    ]
    shown = shown_at(decided(items, "https://a.b"), "zoo.Base.wash")
    links = [f"[{name}](https://a.b/{name}.html)" for name in "DEF"]
    assert shown == ["A", "B", "C", f"3 more: {'; '.join(links)}."]
    alerts = decided(items).data["alerts"]
    assert alerts["A"] == "> [!CAUTION]\n> **A.** Use `care`."
    assert alerts["C"] == "> [!WARNING]\n> **C.** Use `care`."


@pytest.mark.usefixtures("docs")
def test_three_in_a_docstring_and_two_at_a_parameter_are_open() -> None:
    at_food = {"name": "zoo.Base.feed", "parameter": "food"}
    items = [item(f"Own{n}", entries=[{"name": "zoo.Base.feed"}]) for n in range(4)]
    items += [item(f"Food{n}", entries=[at_food]) for n in range(4)]
    wide = {**at_food, "reach": "wide"}
    items += [item("Wide", entries=[wide, {"reach": "wide"}])]
    items += [item("Elsewhere", entries=[{**at_food, "parameter": "water"}], weight=9)]
    at_food_open = ["food: Food0", "food: Food1"]
    own = ["Elsewhere", "Own0", "Own1"]
    decision = decided(items)
    assert shown_at(decision, "zoo.Base.feed") == [*own, *at_food_open]
    assert list(decision.report()) == [
        "3 alerts stand open, and 2 at parameters; 1 docstrings"
    ]
    _, _, _, more, *at_food_shown = shown_at(decided(items, "u"), "zoo.Base.feed")
    assert more == "2 more: [Own2](u/Own2.html); [Own3](u/Own3.html)."
    assert at_food_shown == [
        *at_food_open,
        (
            "food: 3 more: [Food2](u/Food2.html); [Food3](u/Food3.html); "
            "[Wide](u/Wide.html)."
        ),
    ]
    for url in ("", "u"):
        assert not shown_at(decided(items, url), "zoo.Base.wash")
    everything = decided(items, everything=True)
    assert shown_at(everything, "zoo.Base.wash") == ["Wide"]
    assert "Wide" not in shown_at(everything, "zoo.Base.feed")


@pytest.mark.usefixtures("docs")
def test_what_has_no_card_is_named_at_its_class_once() -> None:
    def missing(name: str) -> list[dict[str, Any]]:
        return [{"type": "impl", "target": name, "names": []}]

    silent = {"name": "zoo.Base.silent"}
    items = [
        item("A", entries=[silent, {"name": "zoo.Base"}]),
        item("B", entries=[silent]),
        item("C", connections=missing("zoo.Child.wash")),
        item("D", entries=[], connections=missing("zoo.Grandchild.load")),
        item("E", entries=[], connections=missing("zoo.clean")),
        item("F", entries=[], connections=missing("zoo.gone")),
        item("G", entries=[{}, {"name": "zoo.Child"}], **{"except": ["zoo.Child"]}),
    ]
    plain = decided(items)
    assert shown_at(plain, "zoo.Base") == ["A", "B silent"]
    assert plain.data["alerts"]["B silent"].endswith("**`silent`: B.** Use `care`.")
    assert shown_at(plain, "zoo.Child") == ["G"]
    assert plain.left_out == {
        "zoo.clean": "it has no card",
        "zoo.gone": "there is no such object",
    }
    linked = decided(items, "u")
    # C is said of wash already; what Child inherits, and does not list, is linked
    assert shown_at(linked, "zoo.Child") == ["G", "1 more: `wash`: [C](u/C.html)."]
    # which has a wash of its own
    assert shown_at(linked, "zoo.Grandchild") == ["See `load`: [D](u/D.html)."]


@pytest.mark.usefixtures("docs")
@pytest.mark.parametrize("count", [6, 7])
def test_a_line_has_few_links(count: int) -> None:
    items = [item(f"N{n}") for n in range(3 + count)]
    *_, line = shown_at(decided(items, "https://a.b"), "zoo.Base.wash")
    links = [f"[N{n}](https://a.b/N{n}.html)" for n in range(3, 9)]
    if count == 7:
        links[-1] = "[2 others](https://a.b)"
    assert line == f"{count} more: {'; '.join(links)}."


@pytest.mark.usefixtures("docs")
def test_many_cards_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "_MANY", 1)
    names = ("zoo.Base.feed", "zoo.Base.load", "zoo.silent")
    several = [{"name": name} for name in names]
    decision = decided([item("A", entries=several), item("B")])
    assert list(decision.report()) == [
        "3 alerts stand open, and 0 at parameters; 3 docstrings",
        "A: open on 2 cards",
        "zoo.silent: it has no docstring of its own",
    ]


@pytest.mark.usefixtures("docs")
def test_titles_and_notes_are_markdown() -> None:
    note = {"markdown": "Use `a|b` or <code>x\\`y</code>\n\\| z."}
    (text,) = (
        decided([item("A", title="Why_ `x` [y]?", note=note)]).data["alerts"].values()
    )
    assert text == "> [!TIP]\n> **Why\\_ \\`x\\` \\[y\\]?** Use `a|b` or `x'y` | z."


def test_the_command_writes_two_files(site: Docs) -> None:
    pages = site.root / "pages"
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "pages/_heuristics.py: written",
        "pages/_heuristics.json: written",
        "4 alerts stand open, and 0 at parameters; 3 docstrings",
    ]
    data = json.loads((pages / hook.DATA).read_text(encoding="utf-8"))
    assert data["package"] == "zoo"
    assert data["alerts"]["Hot"] == "> [!CAUTION]\n> **Hot.** Do not."
    assert data["docstrings"] == {
        "zoo.Base": [{"alert": "Quiet silent"}],
        "zoo.Base.feed": [{"alert": "Hot"}],
        "zoo.Base.wash": [{"alert": "Hot"}, {"alert": "Late"}],
    }
    runpy.run_path(str(pages / "_config.py"))
    zoo = importlib.import_module("zoo")
    fed = inspect.getdoc(zoo.Base.feed)
    assert "> [!CAUTION]\n> **Hot.** Do not." in fed
    assert "> **`silent`: Quiet.** Say nothing." in zoo.Base.__doc__
    again = command(site)
    assert again.stdout.splitlines()[:2] == [
        "pages/_heuristics.py: unchanged",
        "pages/_heuristics.json: unchanged",
    ]


def test_all_exports_what_is_reached_by_subclasses(site: Docs) -> None:
    done = command(site, "--all")
    assert done.returncode == 0
    data = json.loads((site.root / "pages" / hook.DATA).read_text(encoding="utf-8"))
    assert data["docstrings"]["zoo.Child"] == [{"alert": "Wide"}]
    food = {"alert": "Food", "parameter": "food"}
    assert food in data["docstrings"]["zoo.Base.feed"]


def test_with_an_address_what_is_only_named_is_linked(site: Docs) -> None:
    assert command(site, "--base-url", "https://a.b/").returncode == 0
    runpy.run_path(str(site.root / "pages" / "_config.py"))
    zoo = importlib.import_module("zoo")
    page = "https://a.b/heuristics/all.html"
    link = f"[Food]({page}#heuristic-food)"
    fed = inspect.getdoc(zoo.Base.feed)
    assert f"food: What.\n\n        See {link}." in fed
    assert f"> **[Hot]({page}#heuristic-hot).** Do not." in fed
    assert inspect.getdoc(zoo.Child).endswith(
        f"\n\nSee `wash`: [Hot]({page}#heuristic-hot); "
        f"`wash`: [Bare]({page}#heuristic-bare); "
        rf"`wash`: [Wash\_ it \[late\]]({page}#heuristic-late)."
    )


def test_heuristics_may_be_elsewhere(site: Docs) -> None:
    (site.root / "source" / "heuristics").rename(site.root / "others")
    done = command(site)
    assert done.returncode == 2
    assert "No such file or directory: 'source/heuristics'" in done.stderr
    assert command(site, "--heuristics", "others").returncode == 0


def test_the_copy_has_pages_only(site: Docs, tmp_path: Path) -> None:
    heuristics = site.root / "source" / "heuristics"
    stale = site.root / "pages" / "heuristics" / "stale.rst"
    stale.parent.mkdir()
    stale.write_text(PAGE, encoding="utf-8")
    (heuristics / "reach.txt").write_text("Hot zoo.f\n", encoding="utf-8")
    copy = hook.copy_of(site.root / "pages", heuristics, tmp_path / "copy")
    names = sorted(path.name for path in (copy / "heuristics").iterdir())
    assert names == ["all.rst"]


def test_what_sphinx_would_not_read_is_passed_over(site: Docs, tmp_path: Path) -> None:
    pages = site.root / "pages"
    (pages / "deep").mkdir()
    (pages / "deep" / "page.rst").write_text("Deep\n====\n")
    (pages / "linked").symlink_to("deep")
    # what editors and programs leave
    (pages / ".#index.rst").symlink_to("somebody@machine.1234")
    (pages / "itself.rst").symlink_to("itself.rst")
    (pages / "deep" / "above").symlink_to("..")
    (pages / "deep" / "here").symlink_to(".")
    os.mkfifo(pages / "pipe.rst")
    (site.root / "source" / "heuristics" / ".#all.rst").symlink_to("nobody@1")
    copy = hook.copy_of(pages, site.root / "source" / "heuristics", tmp_path / "copy")
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*.rst")}
    assert names == {
        "index.rst",
        "deep/page.rst",
        "linked/page.rst",
        "heuristics/all.rst",
    }
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    assert command(site).returncode == 0


def test_the_records_of_the_site_are_not_needed(site: Docs) -> None:
    more = (
        'extensions += ["sphinxext_heuristics.releases"]\n'
        'heuristics_index_file = "index.md"\n'
        'heuristics_reach_file = "heuristics/reach.txt"\n'
        'heuristics_releases_file = "heuristics/releases.json"\n'
    )
    conf = site.root / "source" / "conf.py"
    conf.write_text(CONF.format(root=str(site.root)) + more, encoding="utf-8")
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_tells_what_differs(site: Docs) -> None:
    missing = command(site, "--check")
    assert missing.returncode == 1
    assert "--- pages/_heuristics.json" in missing.stdout
    assert not (site.root / "pages" / hook.DATA).exists()
    assert command(site).returncode == 0
    fresh = command(site, "--check")
    assert (fresh.returncode, fresh.stdout) == (0, "pages: up to date\n")
    page = site.root / "source" / "heuristics" / "all.rst"
    page.write_text(PAGE.replace("Do not.", "Do so."), encoding="utf-8")
    stale = command(site, "--check")
    assert stale.returncode == 1
    lines = [line for line in stale.stdout.splitlines() if line[:1] in "+-"]
    assert lines == [
        "--- pages/_heuristics.json",
        "+++ up to date",
        r'-    "Hot": "> [!CAUTION]\n> **Hot.** Do not.",',
        r'+    "Hot": "> [!CAUTION]\n> **Hot.** Do so.",',
    ], "an export is a diff of data"
    linked = command(site, "--check", "--base-url", "https://example.org/zoo")
    url = "https://example.org/zoo/heuristics/all.html#heuristic-hot"
    assert f"**[Hot]({url}).** Do so." in linked.stdout


#: What no release of the package explains, and what one does.
MISTAKE = (":severity: tip", ":severity: tap")
QUOTE = """
   .. evidence:: zoo:Base.wash

      def wash(self, soap)
"""
LACKS = {
    "target": ("zoo.Base.wash, ", "zoo.Base.wach, "),
    "evidence": ("   :note: Do not.\n", "   :note: Do not.\n"),
    "except": (":severity: danger", ":severity: danger\n   :except: zoo.gone"),
    "param": (":severity: danger", ":severity: danger\n   :param: zzz"),
}


def change(site: Docs, old: str, new: str, more: str = "") -> None:
    path = site.root / "source" / "heuristics" / "all.rst"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new) + more, encoding="utf-8")


def test_a_mistake_is_a_finding(site: Docs) -> None:
    conf = CONF.format(root=str(site.root)) + "show_warning_types = False\n"
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    change(site, *MISTAKE, "\n.. nowhere::\n")
    change(site, *LACKS["target"])
    for options in ((), ("--check",)):
        done = command(site, *options)
        assert done.returncode == 1
        (line,) = done.stdout.splitlines()
        assert line.startswith("source/heuristics/all.rst:8: WARNING: ")
        assert line.endswith("[heuristic.option]")
        assert done.stderr == (
            "python -m sphinxext_heuristics.docbuilder: error: source: fix the "
            "warnings above; nothing is written\n"
        )
    assert not (site.root / "pages" / hook.CODE).exists()


@pytest.mark.parametrize("subtype", LACKS)
def test_what_the_installed_package_lacks_is_left_out_and_named(
    site: Docs, subtype: str
) -> None:
    change(site, *LACKS[subtype])
    if subtype == "evidence":
        change(site, "   :since: 1.2\n", f"   :since: 1.2\n{QUOTE}")
    strict = command(site, "--strict")
    assert strict.returncode == 1
    kind = "target" if subtype == "param" else subtype
    assert strict.stdout.rstrip().endswith(f"[heuristic.{kind}]")
    assert not (site.root / "pages" / hook.CODE).exists()
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")
    told, *lines = done.stdout.splitlines()
    word = "left out" if subtype == "target" else "note"
    assert re.match(rf"source/heuristics/all\.rst:\d+: {word}: ", told)
    assert "[heuristic" not in told
    if lacks := {"evidence": "what it quotes", "param": "its parameter"}.get(subtype):
        assert lines.pop(0) == f"Hot: left out: zoo 1.5 lacks {lacks}"
    assert "left out" not in "".join(lines)
    named = {"target": "wach", "evidence": "zoo:Base", "param": "zzz"}.get(
        subtype, "gone"
    )
    assert named in told
    assert named not in "".join(lines), "it is named once"
    data = json.loads((site.root / "pages" / hook.DATA).read_text(encoding="utf-8"))
    shows = [name for name, it in data["docstrings"].items() if {"alert": "Hot"} in it]
    assert shows == {
        "target": ["zoo.Base.feed"],
        "except": ["zoo.Base.feed", "zoo.Base.wash"],
    }.get(subtype, [])
    assert ("Hot" in data["alerts"]) == bool(shows)
    assert {"alert": "Late"} in data["docstrings"]["zoo.Base.wash"]
    assert command(site, "--check").returncode == 0


def test_only_what_is_left_out_is_said_to_be(site: Docs) -> None:
    conf = CONF.replace('heuristics_undocumented = "planned"\n', "")
    conf = conf.format(root=str(site.root))
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    change(
        site, "   :impl: *.feed", "   :workflow: nowhere\n   :impl: *.feed, zoo.Gone+"
    )
    change(site, "zoo.Base.silent", "?zoo.Base.silent")
    options = ("--base-url", "https://a.b", "--heuristics", "others")
    (site.root / "source" / "heuristics").rename(site.root / "others")
    done = command(site, *options)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.findall(
        r"^others/all\.rst:\d+: (.+ target '.+?') ", done.stdout, re.MULTILINE
    )
    assert found == [
        "note: impl target 'zoo.Base.silent'",
        "note: workflow target 'nowhere'",
        "left out: impl target 'zoo.Gone+'",
        "note: impl target 'zoo.Child.wash'",
    ]
    data = json.loads((site.root / "pages" / hook.DATA).read_text(encoding="utf-8"))
    assert "[Bare](" in data["docstrings"]["zoo.Child"][0]["line"]
    page = site.root / "others" / "all.rst"
    text = page.read_text(encoding="utf-8").replace(":param: food", ":param: fodder")
    page.write_text(text, encoding="utf-8")
    assert "zoo.Gone+" in command(site, *options).stdout, "its target is at fault"
    page.write_text(text.replace(", zoo.Gone+", ""), encoding="utf-8")
    lines = command(site, *options).stdout.splitlines()
    assert "Food: left out: zoo 1.5 lacks its parameter" in lines
    data = (site.root / "pages" / hook.DATA).read_text(encoding="utf-8")
    assert "[Food]" not in data


def test_an_object_that_is_quoted_and_shown_is_named_once(site: Docs) -> None:
    quote = QUOTE.replace("zoo:Base.wash", "zoo:Base.gone")
    change(site, "   :since: 1.2\n", f"   :since: 1.2\n{quote}")
    change(site, "zoo.Base.feed\n   :severity", "zoo.Base.gone\n   :severity")
    conf = CONF.replace('heuristics_undocumented = "planned"\n', "")
    (site.root / "source" / "conf.py").write_text(
        conf.format(root=str(site.root)), encoding="utf-8"
    )
    done = command(site)
    (line,) = (line for line in done.stdout.splitlines() if "gone" in line)
    assert "impl target 'zoo.Base.gone' does not exist" in line
    assert "Hot: left out: zoo 1.5 lacks what it quotes" in done.stdout


def lines_of(text: str) -> list[str]:
    """Return where the lines are, the kind of each, and what it begins with."""
    return re.findall(r"^\S+?(\w+\.\w+:\d+: \w+: \S+ \S+)", text, re.MULTILINE)


def test_what_a_version_explains_is_a_note(site: Docs) -> None:
    conf = (
        f"{CONF.format(root=str(site.root))}heuristics_targets = {{'Gone': 'gone'}}\n"
    )
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    change(site, "zoo.Base.silent", "zoo.Base.silent\n   :except: zoo.Base")
    quote = QUOTE.replace("def wash(self, soap)", '"""Wash it."""')
    change(site, ":until: 1.0", f":until: 1.0\n{quote}")
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert lines_of(done.stdout) == [
        "conf.py:9: note: heuristics_targets: 'Gone'",
        "all.rst:16: note: heuristic 'Quiet'",
        "all.rst:26: note: heuristic 'Old'",
    ]
    assert command(site, "--strict").returncode == 1


def test_what_no_version_explains_is_a_mistake(site: Docs) -> None:
    conf = CONF.replace(', "1.5"', ', ""').format(root=str(site.root))
    conf += "heuristics_max_shown = 'two'\n"
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    change(site, "   :impl: zoo.Base.silent\n", "")
    change(site, ":until: 1.0", ":since: 1.1\n   :until: 1.0")
    done = command(site)
    assert done.returncode == 1
    assert lines_of(done.stdout) == [
        "conf.py:9: WARNING: heuristics_max_shown =",
        "all.rst:14: WARNING: since and",
        "all.rst:16: WARNING: heuristic 'Quiet'",
        "all.rst:27: WARNING: since 1.1",
    ]


def test_another_release_in_conf_py_is_a_matter_of_versions(site: Docs) -> None:
    info = site.root / "zoo-1.1.dist-info"
    info.mkdir()
    metadata = "Metadata-Version: 2.1\nName: zoo\nVersion: 1.1\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    strict = command(site, "--strict")
    assert strict.returncode == 1
    assert strict.stdout.rstrip().endswith("[heuristic.config]")
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert ": note: the installed zoo 1.1 judges since 1.2, " in done.stdout


def test_a_warning_of_several_lines_is_shown_whole(site: Docs) -> None:
    reference = f"{REFERENCE}   :members: feed\n\n.. nowhere::\n"
    (site.root / "pages" / "index.rst").write_text(reference, encoding="utf-8")
    change(site, "zoo.Base.silent", "feed")
    done = command(site, "--strict")
    assert done.returncode == 1
    first, *names = done.stdout.splitlines()
    assert first.startswith("source/heuristics/all.rst:18: WARNING: impl target 'feed'")
    assert names == ["  zoo.Base.feed", "  zoo.Child.feed [heuristic.ambiguous]"]
    assert "feed' fits 2 objects" in command(site).stdout.splitlines()[0]


def test_the_log_of_sphinx_is_shown_on_request(site: Docs) -> None:
    page = f"{PAGE}\n.. nowhere::\n"
    path = site.root / "source" / "heuristics" / "all.rst"
    path.write_text(page, encoding="utf-8")
    done = command(site, "-v")
    assert done.returncode == 0
    assert 'Unknown directive type "nowhere"' in done.stderr
    assert "build succeeded, 1 warning." in done.stderr
    assert "Unknown directive" not in done.stdout
    assert command(site).stderr == ""


def test_a_full_disk_leaves_both_files_as_they_are(tmp_path: Path) -> None:
    old = {hook.CODE: "old", hook.DATA: "old"}
    assert list(hook.write(tmp_path, old)) == [
        f"{tmp_path / name}: written" for name in old
    ]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            list(hook.write(tmp_path, {hook.CODE: "new", hook.DATA: "x" * 5000}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == old


def test_mode_and_line_ends_stay(tmp_path: Path) -> None:
    for name in (hook.CODE, hook.DATA):
        (tmp_path / name).write_bytes(b"old\r\n")
        (tmp_path / name).chmod(0o640)
    list(hook.write(tmp_path, {hook.CODE: "new\nlines\n", hook.DATA: "{}\n"}))
    for name, text in ((hook.CODE, b"new\r\nlines\r\n"), (hook.DATA, b"{}\r\n")):
        assert (tmp_path / name).read_bytes() == text
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
    again = hook.write(tmp_path, {hook.CODE: "new\nlines\n", hook.DATA: "{}\n"})
    assert all(line.endswith(": unchanged") for line in again)
    assert {path.name for path in tmp_path.iterdir()} == {hook.CODE, hook.DATA}


#: What another version of this package has written.
OTHERS = json.dumps(
    {"package": "zoo", "heuristics": {}, "alerts": {"zoo.Base": ["A"]}, "lines": {}}
)


@pytest.mark.parametrize("old", [OTHERS, data(alerts={"Good": alert("Old")})])
def test_a_kill_between_the_files_leaves_a_pair_that_works(
    docs: Docs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
) -> None:
    (docs.root / hook.DATA).write_text(old, encoding="utf-8")
    (docs.root / hook.CODE).write_text("raise SystemExit\n", encoding="utf-8")
    replace, replaced = Path.replace, []

    def dying(self: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(replace(self, target))

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        list(hook.write(docs.root, hook.files_of(NOTHING)))
    assert (docs.root / hook.CODE).read_text() == hook.files_of(NOTHING)[hook.CODE]
    assert (docs.root / hook.DATA).read_text() == old
    docs.run_config()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_the_two_lines_the_command_says_them(site: Docs) -> None:
    (site.root / "pages" / "_config.py").write_text("", encoding="utf-8")
    done = command(site)
    assert done.returncode == 0
    assert done.stderr == f"pages/_config.py: put this at its start:\n\n{hook.LINES}"


def test_a_package_that_cannot_be_imported_has_no_docstrings(site: Docs) -> None:
    (site.root / "zoo/__init__.py").write_text(
        "raise OSError('not here')\n", encoding="utf-8"
    )
    (site.root / "pages" / "index.rst").write_text(
        "Z\n=\n\n.. toctree::\n\n   heuristics/all\n\n.. py:function:: zoo.f\n",
        encoding="utf-8",
    )
    (site.root / "source" / "heuristics" / "all.rst").write_text(
        "H\n=\n\n.. heuristic:: A\n   :note: N.\n   :impl: zoo.f\n", encoding="utf-8"
    )
    done = command(site)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "python -m sphinxext_heuristics.docbuilder: error: cannot import zoo: OSError: "
        "not here; its docstrings are unknown\n"
    )


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ("raise ValueError('x')", "source: Sphinx cannot build it; it says:"),
        ("", "source: Sphinx cannot build it; it says:"),
        (
            'extensions = ["sphinxext_heuristics"]\n',
            'source/conf.py: set heuristics_package, for example heuristics_package = "peft"',
        ),
    ],
)
def test_a_project_that_cannot_be_read(site: Docs, conf: str, message: str) -> None:
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    (site.root / "pages" / "index.rst").write_text("Z\n=\n", encoding="utf-8")
    done = command(site)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr.partition("Sphinx cannot build")[0]
    assert not (site.root / "pages" / hook.DATA).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["here", "gone"], "No such file or directory: 'gone'"),
        (
            [".", ".", "--base-url", "example.org"],
            "'example.org' is no URL; write it with https:// in front",
        ),
        (
            [".", ".", "--base-url", "https://a.b/(c)"],
            "is no URL; write it with https:// in front, without parentheses",
        ),
        (["."], "the following arguments are required: PAGES"),
    ],
)
def test_misuse(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "heuristics").mkdir(parents=True)
    (tmp_path / "here" / "conf.py").touch()
    try:
        code: object = main(["hook", *arguments])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hook, "copy_of", interrupt)
    (tmp_path / "heuristics").mkdir()
    (tmp_path / "conf.py").touch()
    assert main(["hook", str(tmp_path), str(tmp_path)]) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")


def test_the_diff_for_peft_has_the_code_of_today() -> None:
    path = ROOT / "docs/manual/adopt-peft/peft.diff"
    diff = path.read_text("utf-8")
    _before, _mark, added = diff.partition("+++ b/docs/source/_heuristics.py\n")
    lines = added.partition("\ndiff --git")[0].splitlines()[1:]
    code = "".join(f"{line.removeprefix('+')}\n" for line in lines)
    assert code == hook.files_of(NOTHING)[hook.CODE], "run `make adopt`"


def test_the_alerts_that_reviewers_see_are_those_of_the_diff() -> None:
    folder = ROOT / "docs/manual/adopt-peft"
    diff = (folder / "peft.diff").read_text("utf-8")
    _before, _mark, added = diff.partition("+++ b/docs/source/_heuristics.json\n")
    lines = added.partition("\ndiff --git")[0].splitlines()[1:]
    alerts = json.loads("\n".join(line.removeprefix("+") for line in lines))["alerts"]
    manual = (folder / "index.md").read_text("utf-8")
    shown = re.findall(r"^> \[!.*\n> \*\*.*", manual, re.MULTILINE)
    assert len(shown) == 3
    assert {*shown} <= {*alerts.values()}, "write them into the manual again"


def test_the_workflow_for_peft_is_as_its_own_are() -> None:
    path = ROOT / "docs/manual/adopt-peft/heuristics.yml"
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    known = sections((ROOT / "tests/ecosystem/peft.txt").read_text("utf-8"))["actions"]
    pins = [line.split()[0] for line in known.splitlines()]
    used = [step for step in job["steps"] if "uses" in step]
    assert {step["uses"] for step in used} <= {*pins}
    checkouts = [step for step in used if "checkout" in step["uses"]]
    assert len(checkouts) == 2
    assert all(it["with"]["persist-credentials"] is False for it in checkouts)
