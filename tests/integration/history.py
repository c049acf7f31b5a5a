"""Histories of edits on a small project, and what must be the same however it was built.

A :class:`World` is a project as plain data; operations change it; :class:`Site` keeps a
source folder, doctrees and outputs in step with it, and compares each incremental build
with a clean one in a new folder.
"""

from __future__ import annotations

import gettext
import io
import json
import os
import re
import shutil
import sys
import warnings as python_warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.locale import translators
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import docutils_namespace, patch_docutils

import sphinxext_heuristics
from sphinxext_heuristics._core.evidence import search
from sphinxext_heuristics._core.read.heuristic import HeuristicDirective

if TYPE_CHECKING:
    from pathlib import Path

    from sphinxext_heuristics._core.model import Evidence, Found, Lost, Message
    from sphinxext_heuristics._core.source.packages import Sources

#: Builders that write a file a page, which may be left alone.
PAGED = ("html", "dirhtml", "text", "json")
#: Builders that write the whole as one.
MERGED = ("singlehtml", "latex", "heuristics")

_ESCAPE = re.compile("\x1b\\[[0-9;]*m")


@dataclass
class World:
    """The project: files below the source folder, configuration, the package."""

    files: dict[str, str] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    version: str = "1.0"
    #: Whether the extension is a later version, which reads some things differently.
    upgraded: bool = False

    def conf_py(self, extension: str) -> str:
        """Return conf.py; without *extension* its options are nobody's."""
        lines = [
            "import sys",
            "sys.path.insert(0, __file__.rpartition('/')[0] + '/lib')",
            "project = 'History'",
            f"release = {self.version!r}",
            f"extensions = ['sphinx.ext.autodoc', 'sphinx.ext.intersphinx', 'myst_parser', {extension!r}]",
            "exclude_patterns = ['lib']",
            "html_theme = 'basic'",
            "html_copy_source = False",
            "html_show_sphinx = False",
            "html_last_updated_fmt = None",
            "html_use_index = False",
            "html_domain_indices = True",
            "autodoc_default_options = {'members': True, 'inherited-members': True}",
        ]
        return (
            "\n".join(
                [
                    *lines,
                    *(f"{name} = {value!r}" for name, value in self.config.items()),
                ]
            )
            + "\n"
        )


def start() -> World:
    """Return a project with most of what there is: two heuristics, autodoc and by hand."""
    return World(
        files={
            "index.rst": (
                "Start\n=====\n\nSee :heuristic:`Alpha`.\n\n.. heuristic-index::\n\n.. heuristic-messages::\n\n"
                ".. toctree::\n   :hidden:\n\n   api\n   hand\n   guides/how-to\n   h/Alpha\n   h/Beta\n"
            ),
            "api.rst": "API\n===\n\n.. autoclass:: pkg.Base\n\n.. autoclass:: pkg.Child\n",
            "hand.rst": (
                "Hand\n====\n\n.. py:function:: tools.cut(a)\n\n   Cut it.\n\n"
                ".. py:function:: tools.glue(a)\n\n   Glue.\n"
            ),
            "guides/how-to.md": "# How to\n\nText.\n\n(the-part)=\n## The part\n\nMore. {heuristic}`Beta`\n",
            "h/Alpha.md": (
                '```{heuristic} Alpha\n:title: Don\'t do "it"\n'
                ":note: See {doc}`../guides/how-to` and {heuristic}`Beta`\n"
                ":impl: pkg.Base.run, tools.cut\n:workflow: how-to\n:category: One\n\nBody.\n```\n"
            ),
            "h/Beta.rst": (
                ".. heuristic:: Beta\n   :note: Second ``note``\n   :impl: pkg.Child, tools.cut\n"
                "   :principle: the-part\n   :severity: warning\n   :category: Two\n   :until: 1\n\n   Body.\n\n"
                "   .. evidence:: pkg.quoted:weigh\n\n      return 2 * mass\n\n"
                "   .. evidence:: pkg.quoted:weigh\n      :text:\n\n      is nothing\n"
            ),
            "lib/pkg/__init__.py": "from pkg.core import Base, Child\n",
            "lib/pkg/quoted.py": (
                "def weigh(mass):\n    if not mass:\n        raise ValueError(f'{mass} is nothing')\n"
                "    return 2 * mass\n"
            ),
            "lib/pkg/core.py": (
                'class Base:\n    """Base."""\n\n    def run(self):\n        """Run it."""\n\n\n'
                'class Child(Base):\n    """Child."""\n'
            ),
        },
        config={"heuristics_dir": None},
    )


Operation: TypeAlias = Callable[[World], None]


def replacing(name: str, old: str, new: str) -> Operation:
    """Return the operation that replaces a text in a file, where both are there."""

    def operate(world: World) -> None:
        if name in world.files:
            world.files[name] = world.files[name].replace(old, new)

    return operate


def adding(name: str, text: str) -> Operation:
    """Return the operation that adds a file, or what it holds to one that is there."""

    def operate(world: World) -> None:
        world.files[name] = world.files.get(name, "") + text

    return operate


def deleting(name: str) -> Operation:
    """Return the operation that deletes a file."""

    def operate(world: World) -> None:
        world.files.pop(name, None)

    return operate


def moving(old: str, new: str) -> Operation:
    """Return the operation that moves a file."""

    def operate(world: World) -> None:
        if old in world.files:
            world.files[new] = world.files.pop(old)

    return operate


def setting(name: str, value: object) -> Operation:
    """Return the operation that sets a configuration value."""

    def operate(world: World) -> None:
        world.config[name] = value

    return operate


def releasing(version: str) -> Operation:
    """Return the operation that makes another version the documented one."""

    def operate(world: World) -> None:
        world.version = version

    return operate


def upgrading(world: World) -> None:
    """Install a later version of the extension."""
    world.upgraded = True


@contextmanager
def extension_of(world: World) -> Iterator[None]:
    """Let the world's version of the extension be the one that is installed.

    The later one has another default severity, and reads messages in capitals.
    """
    with pytest.MonkeyPatch.context() as patch:
        if world.upgraded:
            read, messages_of = HeuristicDirective.read_options, search.messages_of

            def read_otherwise(directive: HeuristicDirective) -> dict[str, Any]:
                return {"severity": "note", **read(directive)}

            def capitals(
                evidence: Evidence, result: Found | Lost, sources: Sources
            ) -> tuple[Message, ...]:
                found = messages_of(evidence, result, sources)
                return tuple(one._replace(text=one.text.upper()) for one in found)

            patch.setattr(sphinxext_heuristics, "__version__", "9.9")
            patch.setattr(HeuristicDirective, "read_options", read_otherwise)
            patch.setattr(search, "messages_of", capitals)
        yield


def reordering(world: World) -> None:
    """Swap the two heuristics in the toctree."""
    text = world.files["index.rst"]
    text = (
        text.replace("h/Alpha\n", "h/@\n")
        .replace("h/Beta\n", "h/Alpha\n")
        .replace("h/@\n", "h/Beta\n")
    )
    world.files["index.rst"] = text


def twinning(world: World) -> None:
    """Write a heuristic down a second time, word for word, on a page that comes first."""
    if "h/Beta.rst" in world.files:
        world.files["a-twin.rst"] = world.files["h/Beta.rst"]


def aliasing(world: World) -> None:
    """Document a class under two names that are assigned, one of them by hand."""
    alias = "from pkg.core import Child\n\nAlias = Child\nOther = Child\n"
    world.files["lib/pkg/alias.py"] = alias
    world.files["alias.rst"] = (
        ":orphan:\n\nAlias\n=====\n\n.. autoclass:: pkg.alias.Alias\n\n"
        ".. py:class:: pkg.alias.Other\n\n   Another name.\n"
    )


def re_exporting(world: World) -> None:
    """Document a class that is imported over three files, once by hand."""
    names = ("Far", "Farther")
    for number in (1, 2, 3):
        origin = f"pkg.way{number + 1}" if number < 3 else "pkg.core"
        imported = ["Child as Far", "Child as Farther"] if number == 3 else names
        text = f"from {origin} import {', '.join(imported)}\n"
        world.files[f"lib/pkg/way{number}.py"] = text
    world.files["far.rst"] = (
        ":orphan:\n\nFar\n===\n\n.. autoclass:: pkg.way1.Far\n\n"
        ".. py:class:: pkg.way1.Farther\n\n   Farther.\n"
    )


def renaming_a_parameter(world: World) -> None:
    """Rename a parameter where it is written and where it is described."""
    text = world.files.get("hand.rst", "")
    for old, new in (("tools.cut(a)", "tools.cut(b)"), (":param a:", ":param b:")):
        text = text.replace(old, new)
    if text:
        world.files["hand.rst"] = text


def reviewing(world: World) -> None:
    """Name a reach file that lists one place truly and one in vain."""
    world.files["reach.txt"] = "Alpha tools.cut\nBeta tools.glue\n"
    world.config["heuristics_reach_file"] = "reach.txt"


OPERATIONS: dict[str, Operation] = {
    "edit the note": replacing("h/Beta.rst", "Second ``note``", "Another *note*"),
    "edit the title": replacing("h/Alpha.md", "Don't do", "Never do"),
    "edit the severity": replacing("h/Beta.rst", "warning", "danger"),
    "retarget": replacing("h/Alpha.md", "tools.cut", "tools.glue"),
    "retarget to nothing": replacing("h/Beta.rst", "tools.cut", "tools.cup"),
    "rename": replacing("h/Beta.rst", ":: Beta", ":: Gamma"),
    "add a heuristic": adding(
        "h/Gamma.rst",
        ".. heuristic:: Gamma\n   :impl: tools.cut\n   :note: New.\n   :severity: danger\n",
    ),
    "add a duplicate": adding(
        "a-first.rst",
        "Early\n=====\n\n.. heuristic:: Alpha\n   :impl: tools.glue\n   :note: Other.\n",
    ),
    "add a twin": twinning,
    "link the note to a part": replacing(
        "h/Alpha.md", "{doc}`../guides/how-to`", "[](../guides/how-to.md#the-part)"
    ),
    "delete a heuristic": deleting("h/Alpha.md"),
    "delete the other heuristic": deleting("h/Beta.rst"),
    "move a heuristic": moving("h/Beta.rst", "h/sub/Beta.rst"),
    "retitle the guide": replacing("guides/how-to.md", "# How to", "# How one does"),
    "delete the guide": deleting("guides/how-to.md"),
    "rename the label": replacing("guides/how-to.md", "(the-part)=", "(another-part)="),
    "add an entry": adding("hand.rst", "\n.. py:function:: tools.cup(a)\n\n   Cup.\n"),
    "rename an entry": replacing("hand.rst", "tools.cut", "tools.carve"),
    "delete the entries": deleting("hand.rst"),
    "override a method": adding(
        "lib/pkg/core.py", '\n    def run(self):\n        """Run otherwise."""\n'
    ),
    "reorder the toctree": reordering,
    "place at the bottom": setting("heuristics_placement", "bottom"),
    "show none": setting("heuristics_max_shown", 0),
    "exclude a page": setting("heuristics_exclude", ["hand"]),
    "describe categories": setting(
        "heuristics_categories", {"Two": "Second", "Tree": "Wrong"}
    ),
    "release": releasing("2.0"),
    "change what is quoted": replacing("lib/pkg/quoted.py", "2 * mass", "3 * mass"),
    "change the quoted message": replacing(
        "lib/pkg/quoted.py", "is nothing", "is nothing, and too light"
    ),
    "move what is quoted": replacing("lib/pkg/quoted.py", "def ", "\n\ndef "),
    "link what is quoted": setting(
        "heuristics_source_url", "https://example.org/{path}#L{line}"
    ),
    "quote in a guide": adding(
        "guides/how-to.md", "\n```{evidence} pkg.quoted:weigh\nreturn 2*mass\n```\n"
    ),
    "name the package": setting("heuristics_package", "pkg"),
    "name an index file": setting("heuristics_index_file", "_Index.md"),
    "review the places": reviewing,
    "weigh": replacing(
        "h/Alpha.md", ":category: One", ":category: One\n:weight: 5\n:keywords: cut off"
    ),
    "rename and keep the name": replacing(
        "h/Beta.rst", ":: Beta\n", ":: Gamma\n   :former-names: Beta\n"
    ),
    "document a module": adding(
        "module.rst",
        ":orphan:\n\nModule\n======\n\n.. py:module:: tools\n\nText.\n\n"
        ".. heuristic:: Delta\n   :impl: tools, pkg.Base.run\n   :note: Mind the tools.\n",
    ),
    "show every copy": setting("heuristics_inherited", "show"),
    "reach the subclasses": replacing(
        "h/Beta.rst", "pkg.Child, tools", "pkg.Base+, tools"
    ),
    "leave the base": replacing("lib/pkg/core.py", "class Child(Base)", "class Child"),
    "ask for a parameter": replacing(
        "h/Alpha.md", ":workflow: how-to", ":workflow: how-to\n:param: a"
    ),
    "add a parameter": replacing(
        "lib/pkg/core.py", "def run(self)", "def run(self, a)"
    ),
    "describe a parameter": replacing(
        "hand.rst", "   Cut it.\n", "   Cut it.\n\n   :param a: How long.\n"
    ),
    "rename a parameter": renaming_a_parameter,
    "name the targets in another order": replacing(
        "h/Alpha.md", "pkg.Base.run, tools.cut", "tools.cut, pkg.Base.run"
    ),
    "reach the overrides": replacing("h/Alpha.md", "pkg.Base.run", "pkg.Base+.run"),
    "link to it where it is shown": replacing(
        "guides/how-to.md", "Text.", "Text. {heuristic}`Alpha`"
    ),
    "document a copy without an anchor": replacing(
        "api.rst",
        ".. autoclass:: pkg.Base\n",
        ".. autoclass:: pkg.Child\n   :no-index:\n\n.. autoclass:: pkg.Base\n",
    ),
    "ask for headings": setting("heuristics_sections", ["Why"]),
    "upgrade": upgrading,
    "alias a class": aliasing,
    "alias another class": replacing("lib/pkg/alias.py", "= Child", "= object"),
    "re-export a class": re_exporting,
    "re-export another class": replacing(
        "lib/pkg/way3.py",
        "Child as Far, Child as Farther",
        "Base as Far, Base as Farther",
    ),
    "place by hand": adding("guides/how-to.md", "\n```{heuristics-for} how-to\n```\n"),
}


@dataclass
class Built:
    """What a build left."""

    #: Relative path → content, made comparable.
    output: dict[str, str]
    #: Our warnings, sorted.
    warnings: list[str]
    #: The warnings of others, sorted.
    others: list[str]
    #: Documents read and written by this build.
    read: list[str]
    wrote: list[str]


class Site:
    """A project on disk that is built again and again."""

    def __init__(
        self, root: Path, world: World, extension: str = "sphinxext_heuristics"
    ) -> None:
        """Write the project."""
        self.root, self.world, self.extension = root, world, extension
        self.src = root / "src"
        self._on_disk: dict[str, str] = {}
        self.sync()

    def sync(self) -> None:
        """Bring the files in step with the world; what changed is newer than any output."""
        wanted = self.world.files | {"conf.py": self.world.conf_py(self.extension)}
        for name in self._on_disk.keys() - wanted.keys():
            (self.src / name).unlink()
        for name, text in wanted.items():
            if self._on_disk.get(name) != text:
                path = self.src / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        self._on_disk = dict(wanted)
        # Compiled modules are told apart by whole seconds, in which a history does
        # several edits.
        sys.dont_write_bytecode = True

    def build(
        self, builder: str = "html", *, jobs: int = 1, files: Sequence[Path] = ()
    ) -> Built:
        """Build over what is there; with *files* these alone, as if named on the command line."""
        with extension_of(self.world):
            return run(
                self.src,
                self.root / "doctrees",
                self.root / builder,
                builder,
                jobs=jobs,
                files=files,
            )

    def clean(self, builder: str = "html", *, jobs: int = 1) -> Built:
        """Build in a new folder, the sources where they are."""
        new = self.root / "clean"
        shutil.rmtree(new, ignore_errors=True)
        with extension_of(self.world):
            return run(self.src, new / "doctrees", new / builder, builder, jobs=jobs)

    def kill(
        self, builder: str, event: str, count: int, *, force: bool = False
    ) -> None:
        """Begin a build in a process of its own that dies at the *count*-th *event*; *force* is `sphinx-build -a`."""
        pid = os.fork()
        if pid == 0:  # pragma: no cover - the child's coverage dies with it
            try:
                doctrees, out = self.root / "doctrees", self.root / builder
                kill = (event, count)
                with extension_of(self.world):
                    run(self.src, doctrees, out, builder, kill=kill, force=force)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def wipe(self, builder: str) -> None:
        """Remove a builder's output."""
        shutil.rmtree(self.root / builder, ignore_errors=True)


def run(  # noqa: PLR0913 - the folders and the ways of a build
    src: Path,
    doctrees: Path,
    out: Path,
    builder: str,
    *,
    jobs: int = 1,
    kill: tuple[str, int] | None = None,
    force: bool = False,
    files: Sequence[Path] = (),
) -> Built:
    """Run one build in this process and return what it left."""
    warnings = io.StringIO()
    before, path = set(sys.modules), list(sys.path)
    seen: dict[str, list[str]] = {"source-read": [], "doctree-resolved": []}

    def note(event: str, docname: str) -> None:
        seen[event].append(docname)
        if kill == (event, len(seen[event])):
            os._exit(9)

    try:
        with patch_docutils(), docutils_namespace(), python_warnings.catch_warnings():
            # MyST's use of what Sphinx will remove
            python_warnings.filterwarnings(
                "ignore", category=DeprecationWarning, module=r"myst_parser\."
            )
            python_warnings.filterwarnings(
                "ignore", category=PendingDeprecationWarning, module=r"myst_parser\."
            )
            app = Sphinx(
                src,
                src,
                out,
                doctrees,
                builder,
                status=None,
                warning=warnings,
                parallel=jobs,
            )
            app.connect(
                "source-read", lambda _app, docname, _text: note("source-read", docname)
            )
            app.connect(
                "doctree-resolved",
                lambda _app, _tree, docname: note("doctree-resolved", docname),
            )
            app.build(force_all=force, filenames=files)
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "pkg":
                del sys.modules[name]
        sys.path[:] = path
        ModuleAnalyzer.cache.clear()
        # A process remembers the message catalogues that it has read.
        translators.clear()
        vars(gettext)["_translations"].clear()
    text = _ESCAPE.sub("", warnings.getvalue()).replace(str(src), "<src>")
    # A warning may go over several lines, of which only the first says so.
    lines = re.split(r"\n(?=\S*WARNING: |<src>)", text.strip())
    ours = sorted(line.strip() for line in lines if "[heuristic." in line)
    return Built(
        output=outputs(out, builder),
        warnings=ours,
        others=sorted(line.strip() for line in lines if "[heuristic." not in line),
        read=seen["source-read"],
        wrote=seen["doctree-resolved"],
    )


def outputs(out: Path, builder: str) -> dict[str, str]:
    """Return what is compared of an output folder: the bodies of pages, inventories, lists."""
    found: dict[str, str] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or name.startswith(("_static", "_sources", "_images")):
            continue
        if path.suffix == ".html" and builder in {"html", "dirhtml", "singlehtml"}:
            soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            body = soup.find("div", class_="body")
            found[name] = str(body) if body else ""
        elif path.suffix == ".fjson":
            found[name] = json.loads(path.read_text(encoding="utf-8")).get("body", "")
        elif path.suffix in {".txt", ".tex", ".md"} or name == "heuristics.json":
            found[name] = path.read_text(encoding="utf-8")
        elif name == "objects.inv":
            found[name] = inventory(path)
    return found


def inventory(path: Path) -> str:
    """Return an inventory's lines, sorted: Sphinx keeps the order in which it read."""
    header, body = path.read_bytes().split(b"zlib.\n", 1)
    return "\n".join(
        [header.decode(), *sorted(zlib.decompress(body).decode().splitlines())]
    )


def differences(incremental: Built, clean: Built) -> dict[str, str]:
    """Return file → how a build differs from a clean one; pages deleted since are Sphinx's."""
    found = {
        name: f"--- incremental\n{incremental.output.get(name)}\n--- clean\n{text}"
        for name, text in clean.output.items()
        if incremental.output.get(name) != text
    }
    if incremental.warnings != clean.warnings:
        found["warnings"] = (
            f"--- incremental\n{incremental.warnings}\n--- clean\n{clean.warnings}"
        )
    return found


def unexplained(
    ours: dict[str, str], sphinx: dict[str, str], builder: str
) -> dict[str, str]:
    """Return those of our differences in a step that Sphinx alone does not have in the same step.

    In what is written as one, all that Sphinx leaves stale are whole documents that
    were deleted.
    """
    return {
        name: how
        for name, how in ours.items()
        if name not in sphinx or (builder in MERGED and not _only_more(how))
    }


def _only_more(how: str) -> bool:
    """Return whether an incremental build left everything that a clean one has, and some lines more."""
    incremental, clean = how.removeprefix("--- incremental\n").split("\n--- clean\n", 1)
    lines = iter(incremental.split("\n"))
    return all(line in lines for line in clean.split("\n"))


def tell(
    root: Path, steps: Iterable[Step], extension: str = "sphinxext_heuristics"
) -> list[dict[str, str]]:
    """Live through a history and return each step's differences from a clean build."""
    site = Site(root, start(), extension)
    site.build()
    return [step.take(site) for step in steps]


@dataclass(frozen=True)
class Step:
    """Edits, then what happens to outputs, then a build that is compared with a clean one."""

    edits: tuple[str, ...] = ()
    #: Whether the build's output is removed first.
    wipe: bool = False
    #: A build that is killed first, at the n-th of such events.
    kill: tuple[str, int] | None = None
    builder: str = "html"
    jobs: int = 1

    def take(self, site: Site) -> dict[str, str]:
        """Do it, and return the differences."""
        for edit in self.edits:
            OPERATIONS[edit](site.world)
        site.sync()
        if self.wipe:
            site.wipe(self.builder)
        if self.kill:
            site.kill(self.builder, *self.kill)
        return differences(
            site.build(self.builder, jobs=self.jobs), site.clean(self.builder)
        )
