"""Histories of edits on a small project, and what must be the same however it was built.

A project is its files, which operations change. :class:`Site` keeps a source folder,
doctrees and outputs in step with them, and compares each incremental build with a clean
one in a new folder.
"""

from __future__ import annotations

import gettext
import json
import os
import re
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from conftest import sections
from watched import WatchedProject

import sphinxext_heuristics
from sphinxext_heuristics._core.evidence import search
from sphinxext_heuristics._core.read.heuristic import HeuristicDirective
from sphinxext_heuristics.ask.data import DATA

if TYPE_CHECKING:
    from pathlib import Path

    from sphinxext_heuristics._core.model import Evidence, Found, Lost, Message
    from sphinxext_heuristics._core.source.packages import Sources

#: Path below the source folder → content. What conf.py has comes after :data:`CONF`.
Files: TypeAlias = dict[str, Any]
#: What changes a project.
Operation: TypeAlias = Callable[[Files], None]

#: Builders that write a file a page, which may be left alone.
PAGED = ("html", "dirhtml", "text", "json")
#: Those of them whose pages have links.
LINKED = ("html", "dirhtml", "json")
#: Builders that write the whole as one.
MERGED = ("singlehtml", "latex", "heuristics")

#: What every project's conf.py begins with.
CONF = """\
import sys
sys.path.insert(0, __file__.rpartition('/')[0] + '/lib')
project = 'History'
release = '1.0'
extensions = ['sphinx.ext.autodoc', 'sphinx.ext.intersphinx', 'myst_parser']
extensions += ['sphinxext_heuristics']
exclude_patterns = ['lib']
html_theme = 'basic'
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_use_index = False
html_domain_indices = True
autodoc_default_options = {'members': True, 'inherited-members': True}


def setup(app):
    from history import note

    app.connect('source-read', lambda *_: note('source-read'))
    app.connect('doctree-resolved', lambda *_: note('doctree-resolved'))


"""
#: A line of conf.py: the extension is a later version, which reads some things
#: differently.
UPGRADED = "upgraded = True\n"

#: Most of what there is: two heuristics, autodoc and by hand.
START = """\
=== conf.py
heuristics_dir = None
=== index.rst
Start
=====

See :heuristic:`Alpha`.

.. heuristic-index::

.. heuristic-messages::

.. toctree::
   :hidden:

   api
   hand
   guides/how-to
   h/Alpha
   h/Beta
=== api.rst
API
===

.. autoclass:: pkg.Base

.. autoclass:: pkg.Child
=== hand.rst
Hand
====

.. py:function:: tools.cut(a)

   Cut it.

.. py:function:: tools.glue(a)

   Glue.
=== guides/how-to.md
# How to

Text.

(the-part)=
## The part

More. {heuristic}`Beta`
=== h/Alpha.md
```{heuristic} Alpha
:title: Don't do "it"
:note: See {doc}`../guides/how-to` and {heuristic}`Beta`
:impl: pkg.Base.run, tools.cut
:workflow: how-to
:category: One

Body.
```
=== h/Beta.rst
.. heuristic:: Beta
   :note: Second ``note``
   :impl: pkg.Child, tools.cut
   :principle: the-part
   :severity: warning
   :category: Two
   :until: 1

   Body.

   .. evidence:: pkg.quoted:weigh

      return 2 * mass

   .. evidence:: pkg.quoted:weigh
      :text:

      is nothing
=== lib/pkg/__init__.py
from pkg.core import Base, Child
=== lib/pkg/quoted.py
def weigh(mass):
    if not mass:
        raise ValueError(f'{mass} is nothing')
    return 2 * mass
=== lib/pkg/core.py
class Base:
    \"""Base.\"""

    def run(self):
        \"""Run it.\"""


class Child(Base):
    \"""Child.\"""
"""


def start() -> Files:
    """Return the project that histories begin with."""
    return sections(START)


def replacing(name: str, old: str, new: str) -> Operation:
    """Return the operation that replaces a text in a file, where both are there."""

    def operate(files: Files) -> None:
        if name in files:
            files[name] = files[name].replace(old, new)

    return operate


def adding(text: str) -> Operation:
    """Return the operation that adds files, or what they hold to those that are there."""

    def operate(files: Files) -> None:
        for name, more in sections(text).items():
            files[name] = files.get(name, "") + more

    return operate


def writing(text: str) -> Operation:
    """Return the operation that writes files, or writes them anew."""
    return lambda files: files.update(sections(text))


def deleting(name: str) -> Operation:
    """Return the operation that deletes a file."""
    return lambda files: files.pop(name, None)


def moving(old: str, new: str) -> Operation:
    """Return the operation that moves a file."""

    def operate(files: Files) -> None:
        if old in files:
            files[new] = files.pop(old)

    return operate


def twinning(files: Files) -> None:
    """Write a heuristic down a second time, word for word, on a page that comes first."""
    if "h/Beta.rst" in files:
        files["a-twin.rst"] = files["h/Beta.rst"]


def renaming_a_parameter(files: Files) -> None:
    """Rename a parameter where it is written and where it is described."""
    replacing("hand.rst", "tools.cut(a)", "tools.cut(b)")(files)
    replacing("hand.rst", ":param a:", ":param b:")(files)


def leaving_none(files: Files) -> None:
    """Remove every page that has something of ours."""
    for name, text in list(files.items()):
        if name.endswith((".rst", ".md")) and re.search("heuristic|evidence", text):
            del files[name]
    files["index.rst"] = "Start\n=====\n\n.. toctree::\n\n   api\n"


@contextmanager
def extension_of(files: Files) -> Iterator[None]:
    """Let the project's version of the extension be the one that is installed.

    The later one has another default severity, and reads messages in capitals.
    """
    with pytest.MonkeyPatch.context() as patch:
        if UPGRADED in files.get("conf.py", ""):
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


OPERATIONS: dict[str, Operation] = {
    "edit the note": replacing("h/Beta.rst", "Second ``note``", "Another *note*"),
    "edit the title": replacing("h/Alpha.md", "Don't do", "Never do"),
    "edit the severity": replacing("h/Beta.rst", "warning", "danger"),
    "retarget": replacing("h/Alpha.md", "tools.cut", "tools.glue"),
    "retarget to nothing": replacing("h/Beta.rst", "tools.cut", "tools.cup"),
    "rename": replacing("h/Beta.rst", ":: Beta", ":: Gamma"),
    "add a heuristic": adding("""\
=== h/Gamma.rst
.. heuristic:: Gamma
   :impl: tools.cut
   :note: New.
   :severity: danger
"""),
    "add a duplicate": adding("""\
=== a-first.rst
Early
=====

.. heuristic:: Alpha
   :impl: tools.glue
   :note: Other.
"""),
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
    "add an entry": adding("""\
=== hand.rst

.. py:function:: tools.cup(a)

   Cup.
"""),
    "rename an entry": replacing("hand.rst", "tools.cut", "tools.carve"),
    "delete the entries": deleting("hand.rst"),
    "override a method": adding('''\
=== lib/pkg/core.py

    def run(self):
        """Run otherwise."""
'''),
    "reorder the toctree": replacing(
        "index.rst", "h/Alpha\n   h/Beta\n", "h/Beta\n   h/Alpha\n"
    ),
    "place at the bottom": adding("=== conf.py\nheuristics_placement = 'bottom'"),
    "show none": adding("=== conf.py\nheuristics_max_shown = 0"),
    "exclude a page": adding("=== conf.py\nheuristics_exclude = ['hand']"),
    "describe categories": adding("""\
=== conf.py
heuristics_categories = {'Two': 'Second', 'Tree': 'Wrong'}
"""),
    "release": adding("=== conf.py\nrelease = '2.0'"),
    "change what is quoted": replacing("lib/pkg/quoted.py", "2 * mass", "3 * mass"),
    "change the quoted message": replacing(
        "lib/pkg/quoted.py", "is nothing", "is nothing, and too light"
    ),
    "move what is quoted": replacing("lib/pkg/quoted.py", "def ", "\n\ndef "),
    "link what is quoted": adding("""\
=== conf.py
heuristics_source_url = 'https://example.org/{path}#L{line}'
"""),
    "quote in a guide": adding("""\
=== guides/how-to.md

```{evidence} pkg.quoted:weigh
return 2*mass
```
"""),
    "name the package": adding("=== conf.py\nheuristics_package = 'pkg'"),
    "name an index file": adding("=== conf.py\nheuristics_index_file = '_Index.md'"),
    # one line is true, the other one matches nothing
    "review the places": adding("""\
=== reach.txt
Alpha tools.cut
Beta tools.glue
=== conf.py
heuristics_reach_file = 'reach.txt'
"""),
    "weigh": replacing(
        "h/Alpha.md", ":category: One", ":category: One\n:weight: 5\n:keywords: cut off"
    ),
    "rename and keep the name": replacing(
        "h/Beta.rst", ":: Beta\n", ":: Gamma\n   :former-names: Beta\n"
    ),
    "document a module": adding("""\
=== module.rst
:orphan:

Module
======

.. py:module:: tools

Text.

.. heuristic:: Delta
   :impl: tools, pkg.Base.run
   :note: Mind the tools.
"""),
    "show every copy": adding("=== conf.py\nheuristics_inherited = 'show'"),
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
    "link to its page where it is shown": replacing(
        "guides/how-to.md", "More.", "More. [](../h/Alpha.md)"
    ),
    "document a copy without an anchor": replacing(
        "api.rst",
        ".. autoclass:: pkg.Base\n",
        ".. autoclass:: pkg.Child\n   :no-index:\n\n.. autoclass:: pkg.Base\n",
    ),
    "ask for headings": adding("=== conf.py\nheuristics_sections = ['Why']"),
    "upgrade": adding(f"=== conf.py\n{UPGRADED}"),
    # under two names that are assigned, one of them by hand
    "alias a class": writing("""\
=== lib/pkg/alias.py
from pkg.core import Child

Alias = Child
Other = Child
=== alias.rst
:orphan:

Alias
=====

.. autoclass:: pkg.alias.Alias

.. py:class:: pkg.alias.Other

   Another name.
"""),
    "alias another class": replacing("lib/pkg/alias.py", "= Child", "= object"),
    # over three files, once by hand
    "re-export a class": writing("""\
=== lib/pkg/way1.py
from pkg.way2 import Far, Farther
=== lib/pkg/way2.py
from pkg.way3 import Far, Farther
=== lib/pkg/way3.py
from pkg.core import Child as Far, Child as Farther
=== far.rst
:orphan:

Far
===

.. autoclass:: pkg.way1.Far

.. py:class:: pkg.way1.Farther

   Farther.
"""),
    "re-export another class": replacing(
        "lib/pkg/way3.py",
        "Child as Far, Child as Farther",
        "Base as Far, Base as Farther",
    ),
    "place by hand": adding("""\
=== guides/how-to.md

```{heuristics-for} how-to
```
"""),
    "remove the last heuristic": leaving_none,
    # after that
    "add the first heuristic": lambda files: files.update(
        {"h/Beta.rst": start()["h/Beta.rst"]}
    ),
}

#: The events to come before a build is killed, the last of which it does not survive.
LEFT: list[str] = []


def note(event: str) -> None:
    """Let a build that is to be killed die; conf.py connects it."""
    if event in LEFT:
        LEFT.remove(event)
        if not LEFT:
            os._exit(9)


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a build left."""

    #: Relative path → content, made comparable.
    output: dict[str, str]
    #: Our warnings, sorted, and those of others.
    warnings: list[str]
    others: list[str]
    #: The documents that it read, those that it wrote, and those of them that it wrote
    #: for nothing.
    read: frozenset[str]
    wrote: frozenset[str]
    idle: frozenset[str]


class Site:
    """A project on disk that is built again and again."""

    def __init__(self, root: Path, files: Files, instead: str = "") -> None:
        """Write the project; *instead* is loaded instead of our extensions."""
        self.files, self.instead = dict(files), instead
        self.project = WatchedProject(root, {})
        self._clean: dict[tuple[object, ...], Built] = {}
        self.sync()
        # Compiled modules are told apart by whole seconds, in which a history does
        # several edits.
        sys.dont_write_bytecode = True

    def sync(self) -> None:
        """Bring the folder in step with the files; what changed is newer than any output."""
        src, conf = self.project.src, CONF + self.files.get("conf.py", "")
        if self.instead:
            conf = re.sub(r"\bsphinxext_heuristics[.\w]*", self.instead, conf)
        wanted = self.files | {"conf.py": conf}
        # what is above the first heading of a text
        wanted.pop("", None)
        for path in [path for path in src.rglob("*") if path.is_file()]:
            if path.relative_to(src).as_posix() not in wanted:
                path.unlink()
        for name, text in wanted.items():
            content = text if isinstance(text, bytes) else text.encode()
            path = src / name
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def build(
        self, builder: str = "html", *options: str, files: Sequence[Path] = ()
    ) -> Built:
        """Build over what is there; with *files* these alone, as if named on the command line."""
        return self._build(builder, builder, *options, files=files)

    def clean(self, builder: str = "html") -> Built:
        """Build in a new folder, the sources where they are; once for each state of a project."""
        key = (builder, *sorted(self.files.items()))
        if key not in self._clean:
            new = self.project.root / "clean"
            shutil.rmtree(new, ignore_errors=True)
            doctrees = ("-d", str(new / "doctrees"))
            self._clean[key] = self._build(builder, f"clean/{builder}", *doctrees)
        return self._clean[key]

    def _build(
        self, builder: str, out: str, *options: str, files: Sequence[Path] = ()
    ) -> Built:
        # A process remembers the message catalogues that it has read.
        vars(gettext)["_translations"].clear()
        with extension_of(self.files):
            built = self.project.build(builder, *options, out=out, files=files)
        assert not built.status, built.stderr
        return Built(
            output=outputs(built.out, builder),
            warnings=sorted(it for it in built.warnings if "[heuristic." in it),
            others=sorted(it for it in built.warnings if "[heuristic." not in it),
            read=self.project.read,
            wrote=self.project.wrote,
            # plain text has no links: what changes but where one leads is not seen there
            idle=self.project.idle if builder in LINKED else frozenset(),
        )

    def kill(self, builder: str, event: str, count: int, *options: str) -> None:
        """Begin a build in a process of its own that dies at the *count*-th *event*."""
        pid = os.fork()
        if pid == 0:  # pragma: no cover - the child's coverage dies with it
            try:
                LEFT.extend([event] * count)
                self.build(builder, *options)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        self.project.forget_what_is_written()


def outputs(out: Path, builder: str) -> dict[str, str]:
    """Return what is compared of an output folder: bodies of pages, inventories, lists, the box's data."""
    static = sorted(path.name for path in out.glob("_static/*"))
    found = {"_static": "\n".join(static)}
    if (data := out / "_static" / DATA).is_file():
        found[DATA] = data.read_text(encoding="utf-8")
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or name.startswith(("_static", "_sources", "_images")):
            continue
        if path.suffix == ".html" and builder in {"html", "dirhtml", "singlehtml"}:
            text = path.read_text(encoding="utf-8")
            head, _div, body = text.partition('<div class="body"')
            linked = re.findall(r"heuristics[\w-]*\.(?:css|js)", head)
            found[name] = "\n".join(
                [*linked, body.partition('<div class="clearer">')[0]]
            )
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
    lines = sorted(zlib.decompress(body).decode().splitlines())
    return "\n".join([header.decode(), *lines])


def differences(incremental: Built, clean: Built) -> dict[str, str]:
    """Return file → how a build differs from a clean one; pages deleted since are Sphinx's.

    A document that it wrote though nothing there has changed is one of the differences.
    """
    found = {
        name: f"--- incremental\n{incremental.output.get(name)}\n--- clean\n{text}"
        for name, text in clean.output.items()
        if incremental.output.get(name) != text
    }
    if incremental.warnings != clean.warnings:
        found["warnings"] = (
            f"--- incremental\n{incremental.warnings}\n--- clean\n{clean.warnings}"
        )
    idle = {
        f"{docname} is written": "nothing has changed" for docname in incremental.idle
    }
    return found | idle


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


@dataclass(frozen=True, kw_only=True)
class Step:
    """Edits, then what happens to outputs, then a build that is compared with a clean one."""

    edits: tuple[str, ...] = ()
    #: What the project becomes, if it is another one.
    becomes: Files | None = None
    #: Whether the build's output is removed first.
    wipe: bool = False
    #: A build that is killed first, at the n-th of such events.
    kill: tuple[str, int] | None = None
    builder: str = "html"
    jobs: int = 1

    def take(self, site: Site) -> dict[str, str]:
        """Do it, and return the differences."""
        site.files = dict(site.files if self.becomes is None else self.becomes)
        for edit in self.edits:
            OPERATIONS[edit](site.files)
        site.sync()
        if self.wipe:
            shutil.rmtree(site.project.root / self.builder, ignore_errors=True)
        if self.kill:
            site.kill(self.builder, *self.kill)
        built = site.build(self.builder, f"-j{self.jobs}")
        return differences(built, site.clean(self.builder))


def tell(
    root: Path, steps: Iterable[Step], files: Files | None = None, instead: str = ""
) -> list[dict[str, str]]:
    """Live through the history of a project and return each step's differences from a clean build."""
    site = Site(root, start() if files is None else files, instead)
    site.build()
    return [step.take(site) for step in steps]


def same(root: Path, steps: Iterable[Step], files: Files | None = None) -> None:
    """Require that a history leaves nothing stale that Sphinx without us would not leave so, too."""
    steps = list(steps)
    told = tell(root / "with", steps, files)
    if any(told):
        alone = tell(root / "without", steps, files, "history_stub")
        for number, (step, ours, sphinx) in enumerate(
            zip(steps, told, alone, strict=True), 1
        ):
            found = [
                f"{name}: {how}"
                for name, how in unexplained(ours, sphinx, step.builder).items()
            ]
            assert not found, f"step {number}: " + "\n".join(found)
