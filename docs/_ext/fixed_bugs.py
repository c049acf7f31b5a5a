"""Tables of the bugs that a newer release has fixed, from ``guides/fixed.json``.

```{fixed-bugs} peft training
```

has those of PEFT in training; ``others`` stands for all other packages. The ones that
the last releases have fixed are in sight, the older ones folded. Each row has an id and
says which releases have the bug, for the filter of ``row_filter.js``.

```{fixed-pythons}
```

has the newest PEFT for each Python. ``tools/fixed.py`` finds what is in the file.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from narrow_tables import ATTRIBUTES
from packaging.version import Version
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    Bug = dict[str, Any]

#: Below the folder of the sources.
DATA = "guides/fixed.json"

#: In sight is what so many minor releases of a package have fixed: the last of those
#: that have fixed something.
RECENT = 4

#: What a bug must have, and what is known of its releases.
KEYS = ("package", "topic", "seen", "found")
RELEASES = ("first", "last", "fixed")

HEAD = "| What you see | In release | Fixed in |\n| --- | --- | --- |\n"


class WrongDataError(Exception):
    """The file is not what the tables need."""


def minor(bug: Bug) -> tuple[int, ...]:
    """Return the minor release that has fixed a bug."""
    return Version(bug["found"]["fixed"]).release[:2]


def load(path: Path) -> dict[str, Any]:
    """Return what is in the file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"cannot read the bugs: {error}"
        raise WrongDataError(message) from error
    for name, bug in data["bugs"].items():
        missing = [key for key in KEYS if key not in bug]
        missing += [key for key in RELEASES if key not in bug.get("found", RELEASES)]
        if missing:
            message = f"the bug {name!r} has no {', '.join(missing)}"
            if {"found", *RELEASES}.intersection(missing):
                message += f"; `python tools/fixed.py {name}` finds it"
            raise WrongDataError(message)
    return dict(data)


def chosen(bugs: dict[str, Bug], packages: str, topic: str) -> list[tuple[str, Bug]]:
    """Return the bugs of a topic with their names, by package, the newest fix first."""
    of_them = [
        (name, bug)
        for name, bug in bugs.items()
        if (bug["package"] == "peft") == (packages == "peft")
    ]
    found = [(name, bug) for name, bug in of_them if bug["topic"] == topic]
    if not found:
        topics = ", ".join(sorted({bug["topic"] for _name, bug in of_them}))
        message = f"no bug of {packages!r} has the topic {topic!r}; use one of {topics}"
        raise WrongDataError(message)
    found.sort(key=lambda it: Version(it[1]["found"]["fixed"]), reverse=True)
    found.sort(key=lambda it: it[1]["package"])
    return found


def recent(bugs: Iterable[Bug]) -> set[tuple[str, tuple[int, ...]]]:
    """Return the minor releases of each package whose fixes are in sight."""
    found: set[tuple[str, tuple[int, ...]]] = set()
    ordered = sorted(bugs, key=lambda bug: bug["package"])
    for package, them in groupby(ordered, lambda bug: bug["package"]):
        last = sorted({minor(bug) for bug in them})[-RECENT:]
        found |= {(package, release) for release in last}
    return found


def row(bug: Bug) -> str:
    """Return a row of a table, in Markdown."""
    first, last, fixed = (bug["found"][key] for key in RELEASES)
    package = "" if bug["package"] == "peft" else f"{bug['package']} "
    broken = last if first == last else f"{first or 'up'} to {last}"
    return f"| {bug['seen']} | {package}{broken} | {package}{fixed} |\n"


def anchor(name: str) -> str:
    """Return the id of a row."""
    return nodes.make_id(f"bug {name}")


class FromFile(SphinxDirective):
    """A directive that makes Markdown of the file."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes, or say what is wrong with the data."""
        path = Path(self.env.srcdir, DATA)
        self.env.note_dependency(str(path))
        try:
            return list(self.nodes(load(path)))
        except WrongDataError as error:
            message = f"{DATA}: {error}"
            raise self.error(message) from error

    def nodes(self, data: dict[str, Any]) -> Iterator[nodes.Node]:
        """Yield the nodes."""
        raise NotImplementedError


class FixedBugs(FromFile):
    """The bugs of a topic."""

    required_arguments = 2

    def nodes(self, data: dict[str, Any]) -> Iterator[nodes.Node]:
        """Yield the table of what is in sight, and below it that of what is folded."""
        packages, topic = self.arguments
        bugs = chosen(data["bugs"], packages, topic)
        in_sight = recent(data["bugs"].values())
        new, old = [], []
        for name, bug in bugs:
            is_new = (bug["package"], minor(bug)) in in_sight
            (new if is_new else old).append((name, bug))
        if new:
            yield from self.table(new)
        if old:
            number = "One older fix" if len(old) == 1 else f"{len(old)} older fixes"
            yield from self.table(old, f":::{{dropdown}} {number}\n", ":::\n")

    def table(
        self, bugs: list[tuple[str, Bug]], before: str = "", after: str = ""
    ) -> Iterator[nodes.Node]:
        """Yield the table of some bugs, between lines of Markdown."""
        text = "".join([before, HEAD, *(row(bug) for _name, bug in bugs), after])
        for made in self.parse_text_to_nodes(text):
            rows = [
                it
                for it in made.findall(nodes.row)
                if isinstance(it.parent, nodes.tbody)
            ]
            for node, (name, bug) in zip(rows, bugs, strict=True):
                node["ids"].append(anchor(name))
                node["names"].append(anchor(name))
                releases = {key: bug["found"][key] for key in ("first", "last")}
                known = {"package": bug["package"]} | releases
                node[ATTRIBUTES] = {f"data-{key}": it for key, it in known.items()}
            yield made


class FixedPythons(FromFile):
    """The newest PEFT for each Python."""

    def nodes(self, data: dict[str, Any]) -> Iterator[nodes.Node]:
        """Yield the table, the newest Python first."""
        lines = ["| Python | Newest PEFT |", "| --- | --- |"]
        later = " and later"
        for python, (_first, last) in reversed(data["python"].items()):
            lines.append(f"| {python}{later} | {last} |")
            later = ""
        yield from self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    for name in ("narrow_tables", "sphinx_design"):
        app.setup_extension(name)
    app.add_directive("fixed-bugs", FixedBugs)
    app.add_directive("fixed-pythons", FixedPythons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
