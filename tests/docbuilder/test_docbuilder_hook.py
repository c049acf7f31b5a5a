"""The hook for doc-builder: alerts in docstrings, from a file of data, as ``_config.py`` adds them."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import resource
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT

from sphinxext_heuristics.docbuilder import hook, hook_code
from sphinxext_heuristics.docbuilder.hook import main
from sphinxext_heuristics.docbuilder.objects import documented_methods

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
CONFIG = f'{hook.LINES}\n# docstyle-ignore\nINSTALL_CONTENT = ""\n'


def heuristic(title: str, alert: str = "WARNING", **more: object) -> dict[str, Any]:
    return {
        "title": title,
        "note": "Use `care`",
        "alert": alert,
        "url": "",
        "except": [],
        **more,
    }


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
        (root / hook.CODE).write_text(hook.files_of({})[hook.CODE], encoding="utf-8")

    def show(
        self,
        alerts: dict[str, list[str]],
        *,
        lines: dict[str, list[str]] | None = None,
        **heuristics: dict[str, Any],
    ) -> Any:  # noqa: ANN401 - a module
        """Add this data to the docstrings of the package, imported anew, and give it."""
        forget()
        every = (*alerts.values(), *(lines or {}).values())
        names = {name: None for several in every for name in several}
        data = {
            "package": "zoo",
            "heuristics": {name: heuristic(name) for name in names} | heuristics,
            "alerts": alerts,
            "lines": lines or {},
        }
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
    assert said.splitlines() == ["heuristics: 3 in 3 docstrings of zoo"]
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


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("zoo.silent", "it has no docstring of its own"),
        ("zoo.Base.gone", "there is no card: LookupError: there is no such object"),
        ("zoo.deep.gone", "there is no card: LookupError: there is no such object"),
        ("zoo.gone.lock", "there is no card: LookupError: there is no such object"),
        (
            "zoo.broken.f",
            (
                "there is no card: ImportError: cannot import zoo.broken: RuntimeError: "
                "no backend"
            ),
        ),
        (
            "zoo.needy.f",
            (
                "there is no card: ImportError: cannot import zoo.needy: "
                "ModuleNotFoundError: No module named 'not_there'"
            ),
        ),
    ],
)
def test_what_takes_no_alert(
    docs: Docs, capsys: pytest.CaptureFixture[str], entry: str, reason: str
) -> None:
    docs.show({entry: ["One"]})
    assert (
        capsys.readouterr().err.splitlines()[0]
        == f"heuristics: {entry}: {reason}; it shows no heuristic"
    )


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
    card = "there is no card"
    reasons = [
        f"zoo.__main__.go: {card}: LookupError: there is no such object",
        f"zoo.exits.go: {card}: ImportError: cannot import zoo.exits: SystemExit: 3",
        f"zoo.skips.go: {card}: ImportError: cannot import zoo.skips: Skipped: no GPU",
    ]
    assert capsys.readouterr().err.splitlines() == [
        *(f"heuristics: {reason}; it shows no heuristic" for reason in reasons),
        "heuristics: 1 in 2 docstrings of zoo",
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
        "heuristics: zoo.odd: its docstring cannot be changed: OSError: read-only; "
        "it shows no heuristic"
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


def test_a_class_names_a_heuristic_of_a_member_once(docs: Docs) -> None:
    names = [f"N{number}" for number in range(7)]
    heirs = {"zoo.Child.wash": names[:1], "zoo.Base.wash": names}
    zoo = docs.show(heirs, lines={"zoo.Child.wash": names[1:2]})
    (line,) = re.findall("- `wash`: .*", zoo.Child.__doc__)
    assert line == "- `wash`: N0; N1; N2; N3; N4; and 2 more."


def test_at_most_five_are_open(docs: Docs) -> None:
    names = [f"N{number}" for number in range(7)]
    zoo = docs.show({"zoo.Base.wash": names})
    assert re.findall(r"> \*\*(.+)\.\*\*", zoo.Base.wash.__doc__) == names[:5]
    assert zoo.Base.wash.__doc__.splitlines()[-1] == "**See also:** N5; N6."
    linked = {name: heuristic(name, url=f"https://a.b/{name}") for name in names}
    zoo = docs.show({"zoo.Base.wash": names}, **linked)
    assert "> **[N0](https://a.b/N0).** Use" in zoo.Base.wash.__doc__
    assert zoo.Base.wash.__doc__.splitlines()[-1].startswith(
        "**See also:** [N5](https://a.b/N5); "
    )
    zoo = docs.show({"zoo.Base.wash": names[:5]})
    assert "See also" not in zoo.Base.wash.__doc__


def test_a_package_that_cannot_be_imported_is_left_to_doc_builder(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    (docs.root / "tensors.py").write_text(
        "raise OSError('no CUDA')\n", encoding="utf-8"
    )
    (docs.root / hook.DATA).write_text(
        '{"package": "zoo", "heuristics": {}}', encoding="utf-8"
    )
    hook_code.add_alerts(docs.root / hook.DATA)
    said = (
        "heuristics: zoo cannot be imported, no heuristic is shown: OSError: no CUDA\n"
    )
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("text", ["", "{", "<<<<<<< ours\n{}", "{}", "[]", None])
def test_data_of_another_form_stops_doc_builder(docs: Docs, text: str | None) -> None:
    if text is not None:
        (docs.root / hook.DATA).write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        docs.run()
    message = str(stopped.value)
    assert message.startswith(f"{docs.root / hook.DATA}: cannot be used")
    assert message.endswith(
        "write it again: python -m sphinxext_heuristics.docbuilder hook"
    )


def noted(docstring: str, item: dict[str, Any]) -> str:
    return hook_code.with_notes(docstring, [hook_code.Note("A", item)])


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
    written = noted(docstring, heuristic("One", url=""))
    shown = re.sub(r"> \[!WARNING\]\n *> .*", "@", written)
    assert shown == expected


def test_a_title_ends_once() -> None:
    written = noted("One.", heuristic("Why?", url=""))
    assert "**Why?** Use" in written


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
   :title: Wash_ ``it`` [late]
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


def test_of_equals_the_weight_decides_and_then_the_order_of_the_pages() -> None:
    def item(name: str, severity: str, weight: int) -> dict[str, Any]:
        entry = {"name": "zoo.feed", "parameter": None, "reach": "named"}
        return {
            "name": name,
            "title": name,
            "note": {"markdown": ""},
            "url": "",
            "severity": severity,
            "weight": weight,
            "except": [],
            "holds": True,
            "inject": True,
            "entries": [entry],
            "connections": [],
        }

    items = [
        item("Later", "tip", 0),
        item("Last", "tip", 0),
        item("First", "tip", 2),
        item("Before", "danger", 0),
    ]
    data = hook.data_of({"package": {"name": "zoo"}, "heuristics": items}, "")
    assert data["alerts"] == {"zoo.feed": ["Before", "First", "Later", "Last"]}


def test_the_command_writes_two_files(site: Docs) -> None:
    pages = site.root / "pages"
    done = command(site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "pages/_heuristics.py: written",
        "pages/_heuristics.json: written",
        "4 alerts stand open, and 0 at parameters; 4 docstrings",
    ]
    data = json.loads((pages / hook.DATA).read_text(encoding="utf-8"))
    assert data["alerts"] == {
        "zoo.Base.feed": ["Hot"],
        "zoo.Base.silent": ["Quiet"],
        "zoo.Base.wash": ["Hot", "Late"],  # the most severe first
    }
    assert data["lines"] == {"zoo.Base.feed#food": ["Food"], "zoo.Child.wash": ["Bare"]}
    assert list(data["heuristics"]) == ["Hot", "Bare", "Late", "Quiet", "Food"]
    assert data["heuristics"]["Hot"] == {
        "title": "Hot",
        "note": "Do not.",
        "alert": "CAUTION",
        "url": "",
        "except": [],
    }
    late = data["heuristics"]["Late"]
    assert (late["title"], late["note"]) == (
        r"Wash\_ \`\`it\`\` \[late\]",
        "Use `a|b` or `x'y`.",
    )
    runpy.run_path(str(pages / "_config.py"))
    zoo = importlib.import_module("zoo")
    fed = inspect.getdoc(zoo.Base.feed)
    assert "> [!CAUTION]\n> **Hot.** Do not." in fed
    assert "food: What.\n\n        **See also:** Food." in fed
    assert "> **`silent`: Quiet.** Say nothing." in zoo.Base.__doc__
    inherited = "**Inherited:**\n\n- `wash`: Hot; Bare; "
    assert inherited in inspect.getdoc(zoo.Child)
    again = command(site)
    assert again.stdout.splitlines()[:2] == [
        "pages/_heuristics.py: unchanged",
        "pages/_heuristics.json: unchanged",
    ]


def test_all_exports_what_is_reached_by_subclasses(site: Docs) -> None:
    done = command(site, "--all")
    assert done.returncode == 0
    data = json.loads((site.root / "pages" / hook.DATA).read_text(encoding="utf-8"))
    assert data["alerts"]["zoo.Child"] == ["Wide"]


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


def test_many_cards_are_named(docs: Docs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "_MANY", 1)
    docs.show({})
    item = heuristic("A")
    data = {
        "package": "zoo",
        "heuristics": {"A": item},
        "alerts": {
            "zoo.Base.feed": ["A"],
            "zoo.Base.load": ["A"],
            "zoo.Base.feed#food": ["A", "B", "C"],
        },
        "lines": {},
    }
    data["heuristics"] = dict.fromkeys("ABC", item)
    lines = list(hook.report(data))
    assert lines == [
        "2 alerts stand open, and 2 at parameters; 2 docstrings",
        "A: open on 2 cards",
    ]


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
        '-      "note": "Do not.",',
        '+      "note": "Do so.",',
    ], "an export is a diff of data"
    linked = command(site, "--check", "--base-url", "https://example.org/zoo")
    url = "https://example.org/zoo/heuristics/all.html#heuristic-hot"
    assert f'+      "url": "{url}",' in linked.stdout.splitlines()


def test_a_warning_of_heuristics_is_a_finding(site: Docs) -> None:
    conf = CONF.format(root=str(site.root)) + "show_warning_types = False\n"
    (site.root / "source" / "conf.py").write_text(conf, encoding="utf-8")
    page = PAGE.replace("zoo.Base.wash, ", "zoo.Base.wach, ") + "\n.. nowhere::\n"
    path = site.root / "source" / "heuristics" / "all.rst"
    path.write_text(page, encoding="utf-8")
    for options in ((), ("--check",)):
        done = command(site, *options)
        assert done.returncode == 1
        (line,) = done.stdout.splitlines()
        assert line.startswith("source/heuristics/all.rst:12: WARNING: ")
        assert "zoo.Base.wach" in line
        assert line.endswith("[heuristic.target]")
        assert done.stderr == (
            "python -m sphinxext_heuristics.docbuilder: error: source: fix the "
            "warnings above; nothing is written\n"
        )
    assert not (site.root / "pages" / hook.CODE).exists()


def test_a_warning_of_several_lines_is_shown_whole(site: Docs) -> None:
    reference = f"{REFERENCE}   :members: feed\n\n.. nowhere::\n"
    (site.root / "pages" / "index.rst").write_text(reference, encoding="utf-8")
    path = site.root / "source" / "heuristics" / "all.rst"
    path.write_text(PAGE.replace("zoo.Base.silent", "feed"), encoding="utf-8")
    done = command(site)
    assert done.returncode == 1
    first, *names = done.stdout.splitlines()
    assert first.startswith("source/heuristics/all.rst:18: WARNING: impl target 'feed'")
    assert names == ["  zoo.Base.feed", "  zoo.Child.feed [heuristic.ambiguous]"]


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


def test_without_the_two_lines_the_command_says_them(site: Docs) -> None:
    (site.root / "pages" / "_config.py").write_text("", encoding="utf-8")
    done = command(site)
    assert done.returncode == 0
    assert done.stderr == f"pages/_config.py: put this at its start:\n\n{hook.LINES}"


def test_a_package_of_another_python_is_no_reason_to_stop(site: Docs) -> None:
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
    assert done.returncode == 0
    assert (
        "zoo cannot be imported, so its cards are unknown: OSError: not here"
        in done.stdout
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
    assert code == inspect.getsource(hook_code), "run `make adopt`"
