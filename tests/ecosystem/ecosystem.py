"""Build the documentation of other projects with and without the extension.

`make ecosystem` installs what it needs and runs it. A rule chooses the heuristics, and
`inspect` says where they must be shown: nothing here imports the extension.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from bs4 import BeautifulSoup, Tag
from sphinx.ext.autodoc.mock import mock
from sphinx.util.inventory import InventoryFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Name → folder of its documentation, and what its conf.py lets autodoc do without.
PROJECTS: Mapping[str, tuple[str, list[str]]] = {
    # numpydoc and autosummary
    "fsspec": ("docs/source", ["aiohttp", "fuse", "libarchive", "panel", "paramiko"]),
    # autoapi
    "citric": ("docs", []),
    # another theme, and tabs
    "icalendar": ("docs", []),
}

#: A heuristic for each class, function or method whose place in the alphabet is a
#: multiple of it.
STEP = 9

#: Without a network, and without what writes other formats.
CONF = """
intersphinx_mapping = {}
extensions = [name for name in extensions if not name.startswith("sphinx_llm")]
"""
CONF_SHOWN = """
extensions.append("sphinxext_heuristics")
heuristics_package = {package!r}
"""

HEURISTIC = """\
:orphan:

.. heuristic:: {name}
   :note: {note}
   :impl: {target}

   Chosen by a rule.
"""

#: What lists all pages or all words.
LISTS = {"searchindex.js", "objects.inv", ".buildinfo", "sitemap.xml"}


class Heuristic(NamedTuple):
    """A heuristic, and what it is about."""

    name: str
    owner: Any
    member: str
    plus: bool

    @property
    def target(self) -> str:
        """What its option says."""
        owner = f"{self.owner}+" if self.plus else self.owner
        return f"{owner}.{self.member}" if self.member else owner


def imported(name: str) -> Any:  # noqa: ANN401 - any object
    """Return what a dotted name means, and None if it means nothing here."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        try:
            for part in parts[end:]:
                found = inspect.getattr_static(found, part)
        except AttributeError:
            return None
        return found
    return None


class Project:
    """A project's documentation, and what is built of it."""

    def __init__(self, name: str, folder: Path) -> None:
        docs, self.mocked = PROJECTS[name]
        self.name = name
        self.folder = folder
        self.warnings: dict[str, list[str]] = {}
        download = ["pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        requirements = Path(__file__).with_name("projects.txt")
        self.run(*download, "--requirement", str(requirements))
        (archive,) = folder.glob(f"{name}-*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        self.docs = folder / archive.name.removesuffix(".tar.gz") / docs

    def run(self, *command: str) -> str:
        """Run a module of Python, and return what it says on stderr."""
        environment = os.environ | {"NO_COLOR": "1", "PYTHONHASHSEED": "0"}
        done = subprocess.run(  # noqa: S603 - the arguments are this file's
            [sys.executable, "-m", *command],
            capture_output=True,
            check=False,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def build(self, output: str, trees: str) -> list[str]:
        """Build it into a folder; return the warnings, sorted."""
        folders = ["-d", str(self.folder / trees), str(self.docs)]
        log = self.run("sphinx", "-q", *folders, str(self.folder / output))
        return sorted(re.sub(r"0x[0-9a-f]+", "0x", log).splitlines())

    @cached_property
    def entries(self) -> dict[str, tuple[str, Any]]:
        """The documented objects: name → (page#anchor, object)."""
        content = (self.folder / "plain" / "objects.inv").read_bytes()
        found = {}
        with mock(self.mocked):
            for kind, items in InventoryFile.loads(content, uri="").data.items():
                if kind.removeprefix("py:") in {
                    "class",
                    "exception",
                    "function",
                    "method",
                }:
                    found |= {
                        name: (item.uri, imported(name)) for name, item in items.items()
                    }
        return {name: entry for name, entry in found.items() if entry[1] is not None}

    def heuristics(self) -> Iterator[Heuristic]:
        """Yield what the rule chooses; every second one has a ``+`` if it can."""
        for number, name in enumerate(sorted(self.entries)[::STEP]):
            above, _, last = name.rpartition(".")
            owner = self.entries.get(above, ("", None))[1]
            if not inspect.isclass(owner):
                owner, above, last = self.entries[name][1], name, ""
            elif last not in vars(owner):
                continue  # inherited: its own entry may be chosen
            plus = number % 2 == 1 and inspect.isclass(owner)
            yield Heuristic(f"Rule_{number}", above, last, plus)

    def expected(self, heuristic: Heuristic) -> set[str]:
        """Return where it must be shown: page#anchor."""
        owner = self.entries[heuristic.owner][1]
        target = owner
        if heuristic.member:
            target = vars(owner)[heuristic.member]
        found = set()
        for name, (place, thing) in self.entries.items():
            above, _, last = name.rpartition(".")
            holder = self.entries.get(above, ("", None))[1]
            same = thing is target
            if heuristic.plus and heuristic.member:
                below = owner in getattr(holder, "__mro__", ())
                same = same or (below and last == heuristic.member)
            elif heuristic.plus:
                same = owner in getattr(thing, "__mro__", ())
            if same:
                found.add(place)
        return found

    def write(self, heuristics: list[Heuristic], note: str) -> None:
        """Write a page for each heuristic."""
        for each in heuristics:
            text = HEURISTIC.format(name=each.name, note=note, target=each.target)
            page = self.docs / "heuristics" / f"{each.name}.rst"
            page.parent.mkdir(exist_ok=True)
            page.write_text(text, encoding="utf-8")

    def files(self, output: str) -> dict[str, bytes]:
        """Return path → content of a site, without what lists all pages."""
        root = self.folder / output
        paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
        return {
            name: path.read_bytes()
            for name, path in paths.items()
            if path.is_file() and path.name not in LISTS
        }


@pytest.fixture(scope="module", params=PROJECTS)
def project(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Project:  # noqa: ANN401 - pytest's
    """Build the documentation without the extension, and with it."""
    built = Project(request.param, tmp_path_factory.mktemp(request.param))
    conf = built.docs / "conf.py"
    text = conf.read_text(encoding="utf-8") + CONF
    conf.write_text(text, encoding="utf-8")
    built.warnings["plain"] = built.build("plain", "plain-trees")
    conf.write_text(text + CONF_SHOWN.format(package=built.name), encoding="utf-8")
    built.write(list(built.heuristics()), "One of many")
    built.warnings["shown"] = built.build("shown", "trees")
    return built


def boxes(page: BeautifulSoup) -> list[Tag]:
    """Return what the extension put into a page."""
    found = page.select("div[class*='heuristic'], details[class*='heuristic']")
    return [box for box in found if not box.find_parent(class_=re.compile("heuristic"))]


def bare(content: bytes) -> str:
    """Return a page without boxes and what they, and the search, need."""
    page = BeautifulSoup(content, "html.parser")
    needed = page.select("link[href*='/heuristics'], script[src*='/heuristics']")
    for each in boxes(page) + needed:
        each.decompose()
    # a line break stays where a box was
    return re.sub(r"\s+(?=<)|(?<=>)\s+", "", str(page))


def test_the_warnings_are_the_same(project: Project) -> None:
    assert project.warnings["shown"] == project.warnings["plain"]


def test_the_pages_are_the_same_but_for_the_boxes(project: Project) -> None:
    shown = project.files("shown")
    different = []
    for name, content in project.files("plain").items():
        if shown[name] == content:
            continue
        may_differ = name.endswith("search.html") or (
            name.endswith(".html") and boxes(BeautifulSoup(shown[name], "html.parser"))
        )
        if not may_differ or bare(shown[name]) != bare(content):
            different.append(name)
    assert different == []


def test_each_entry_shows_what_applies_to_it(project: Project) -> None:
    shown = defaultdict(set)
    for name, content in project.files("shown").items():
        if not name.endswith(".html") or name.startswith("heuristics/"):
            continue
        for box in boxes(BeautifulSoup(content, "html.parser")):
            entry = box.find_parent("dd").find_previous_sibling("dt")
            for link in box.select("a[href*='heuristics/']"):
                shown[Path(link["href"].partition("#")[0]).stem].add(
                    f"{name}#{entry['id']}"
                )
    chosen = list(project.heuristics())
    assert len(chosen) > 10
    for each in chosen:
        assert shown[each.name] == project.expected(each), each.target


def test_what_is_built_again_is_what_is_built_new(project: Project) -> None:
    chosen = list(project.heuristics())
    # the notes of some change, and others are about something else
    project.write(chosen[::3], "Another note")
    moved = [
        first._replace(name=second.name) for first, second in itertools.pairwise(chosen)
    ]
    project.write(moved[1::3], "One of many")
    project.build("shown", "trees")
    shutil.rmtree(project.folder / "plain-trees")
    project.build("new", "plain-trees")
    new = project.files("new")
    again = project.files("shown")
    assert again.keys() == new.keys()
    assert [name for name in new if again[name] != new[name]] == []
