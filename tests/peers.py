"""Measure what incremental builds leave stale, here and in tools that do alike.

    python tests/peers.py [--table] [TOOL...]

For each project in tests/peers/ and each scenario: build, edit, build again over what
is there, once more without an edit, and compare both with a clean build of the same
sources in a new folder: the bodies of pages, all warnings, and the exit status under
``-W``. The same is done without the tool, its directives and roles made to show their
own text only, which tells what Sphinx itself leaves stale. A tool that is not installed
is said to be missing: none of them is a dependency of this project. With ``--table``
the result is a table in Markdown.

The exit status is 1 where this project's own extension differs in a scenario.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROJECTS = Path(__file__).parent / "peers"
OURS = "sphinxext-heuristics"
#: The order of the table: this project, the tools, Sphinx with nothing added.
TOOLS = (
    OURS,
    "sphinx-needs",
    "sphinx-gallery",
    "sphinx-codeautolink",
    "sphinx.ext.todo",
    "mlx.traceability",
    "sphinx",
)
SCENARIOS = (
    "edit title",
    "edit note",
    "retarget",
    "add",
    "delete a referenced one",
    "delete the first of two duplicates",
)

#: What every conf.py begins with: output that depends on nothing but the sources.
CONF = """\
project = "Peers"
html_theme = "basic"
html_copy_source = False
html_last_updated_fmt = None
"""
#: What the conf.py of a project without its tool ends with.
WITHOUT = """
extensions = [name for name in extensions if name != {tool!r}] + ["peers_stub"]
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
"""
#: Directives and roles that show their own text: the tool's names without its life.
STUB = """\
from collections import defaultdict
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective, SphinxRole


class Stub(SphinxDirective):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = defaultdict(lambda: directives.unchanged)

    def run(self):
        text = " ".join(self.arguments)
        return [nodes.paragraph(text, text), *self.parse_content_to_nodes()]


class StubRole(SphinxRole):
    def run(self):
        return [nodes.Text(self.text)], []


def setup(app):
    for name in {directives!r}:
        app.add_directive(name, Stub, override=True)
    for name in {roles!r}:
        app.add_role(name, StubRole(), override=True)
    return {{"parallel_read_safe": True}}
"""

_SECTION = re.compile(r"^=== (?P<head>.+)\n", re.MULTILINE)
#: sphinx-needs numbers its boxes at random.
_RANDOM = re.compile("SNCB-[0-9a-f]{8}")
_ESCAPE = re.compile("\x1b\\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A tool's project, and the edits of the scenarios."""

    name: str
    #: What the tool's items are, and where they are shown.
    about: str
    #: The extension, "" for none, and its distribution on PyPI.
    tool: str
    distribution: str
    #: Its directives and roles.
    directives: tuple[str, ...]
    roles: tuple[str, ...]
    #: Path → text.
    files: Mapping[str, str]
    #: Scenario → path → text, "" for a file that goes; before the first build, and as
    #: the edit.
    before: Mapping[str, Mapping[str, str]]
    edits: Mapping[str, Mapping[str, str]]
    #: Scenario → why the tool has nothing like it.
    not_applicable: Mapping[str, str]

    def without_tool(self) -> Project:
        """Return the same project for Sphinx alone."""
        stub = STUB.format(directives=self.directives, roles=self.roles)
        files = {
            **self.files,
            "conf.py": self.files["conf.py"] + WITHOUT.format(tool=self.tool),
            "peers_stub.py": stub,
        }
        return replace(self, files=files)


def read(path: Path) -> Project:
    """Return the project that a file writes down."""
    about, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    files: dict[str, str] = {}
    reasons: dict[str, str] = {}
    before: dict[str, dict[str, str]] = {}
    edits: dict[str, dict[str, str]] = {}
    for head, text in zip(parts[::2], parts[1::2], strict=True):
        scenario, _arrow, name = head.rpartition(" > ")
        if head.startswith("n/a "):
            reasons[head.removeprefix("n/a ")] = text.strip()
        elif not scenario:
            files[head] = text
        elif scenario.startswith("before "):
            before.setdefault(scenario.removeprefix("before "), {})[name] = text
        else:
            edits.setdefault(scenario, {})[name] = text
    uses = dict(line.split(": ", 1) for line in files.pop("uses").splitlines())
    return Project(
        name=path.stem,
        about=about.strip(),
        tool=uses.get("tool", ""),
        distribution=uses["distribution"],
        directives=tuple(uses.get("directives", "").split()),
        roles=tuple(uses.get("roles", "").split()),
        files=files,
        before=before,
        edits=edits,
        not_applicable=reasons,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build left."""

    #: Page → its body.
    bodies: Mapping[str, str]
    #: All warnings, sorted.
    warnings: tuple[str, ...]
    #: The exit status under ``-W``.
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How an incremental build differs from a clean one."""

    #: Pages whose bodies differ.
    pages: tuple[str, ...]
    #: Warnings of the clean build that are not given, and those given beyond it.
    lost: tuple[str, ...]
    extra: tuple[str, ...]
    #: The two exit statuses.
    statuses: tuple[int, int]

    def __bool__(self) -> bool:
        """Return whether there is any difference."""
        return bool(
            self.pages
            or self.lost
            or self.extra
            or self.statuses[0] != self.statuses[1]
        )

    def words(self) -> str:
        """Return it in words."""
        parts = [counted(len(self.pages), "page") + " stale"] if self.pages else []
        parts += [counted(len(self.lost), "warning") + " lost"] if self.lost else []
        parts += [counted(len(self.extra), "false warning")] if self.extra else []
        if self.statuses[0] != self.statuses[1]:
            parts.append(
                "`-W` passes" if not self.statuses[0] else "`-W` fails wrongly"
            )
        return ", ".join(parts) or "same"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" + ("s" if number != 1 else "")


def compare(built: Built, clean: Built) -> Difference:
    """Compare; a page of a deleted document that still lies there is not looked at."""
    return Difference(
        pages=tuple(
            name
            for name, body in clean.bodies.items()
            if built.bodies.get(name) != body
        ),
        lost=minus(clean.warnings, built.warnings),
        extra=minus(built.warnings, clean.warnings),
        statuses=(built.status, clean.status),
    )


def minus(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Return what of one is not in the other, the same line several times counted."""
    rest = list(one)
    for line in other:
        if line in rest:
            rest.remove(line)
    return tuple(rest)


def build(folder: Path) -> Built:
    """Build ``folder/src`` to ``folder/html`` as a user does; RuntimeError where Sphinx gives up."""
    options = "-q -W --keep-going -b html -d doctrees src html"
    command = [sys.executable, "-m", "sphinx", *options.split()]
    done = subprocess.run(  # noqa: S603 - this Python, and a project of this repository
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    text = _ESCAPE.sub("", done.stderr)
    if (
        "Traceback" in text
        or "Extension error" in text
        or "Configuration error" in text
    ):
        raise RuntimeError(text)
    text = text.replace(str(folder / "src"), "<src>")
    lines = [
        line.strip() for line in re.split(r"\n(?=<src>|\S*WARNING: )", text.strip())
    ]
    return Built(
        bodies={
            path.relative_to(folder / "html").as_posix(): body(path).replace(
                str(folder / "src"), "<src>"
            )
            for path in sorted((folder / "html").rglob("*.html"))
        },
        warnings=tuple(
            sorted(line for line in lines if "WARNING: " in line or "ERROR: " in line)
        ),
        status=done.returncode,
    )


def body(path: Path) -> str:
    """Return what a page shows apart from navigation."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return _RANDOM.sub("SNCB", str(soup.find("div", class_="body")))


def write(src: Path, files: Mapping[str, str]) -> None:
    """Write files; those without text go."""
    for name, text in files.items():
        path = src / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(
                CONF + text if name == "conf.py" else text, encoding="utf-8"
            )
        else:
            path.unlink(missing_ok=True)


@dataclass(slots=True)
class Bench:
    """Builds a project's scenarios below a folder; first builds are made once and put back."""

    root: Path
    _kept: dict[str, tuple[Path, Built]] = field(default_factory=dict)

    def start(self, files: Mapping[str, str]) -> Path:
        """Return a folder where a first build has been made; two clean ones must be the same."""
        folder, key = self.root / "incremental", repr(sorted(files.items()))
        shutil.rmtree(folder, ignore_errors=True)
        if key not in self._kept:
            write(folder / "src", files)
            kept = self.root / f"kept{len(self._kept)}"
            self._kept[key] = kept, build(folder)
            shutil.move(folder, kept)
            control = compare(self._kept[key][1], self.clean(files))
            if control:
                raise RuntimeError(f"two clean builds differ: {control}")
        # times of files stay as they were
        shutil.copytree(self._kept[key][0], folder)
        return folder

    def clean(self, files: Mapping[str, str]) -> Built:
        """Build in a new folder."""
        folder = self.root / "clean"
        shutil.rmtree(folder, ignore_errors=True)
        write(folder / "src", {name: text for name, text in files.items() if text})
        return build(folder)

    def run(self, project: Project, scenario: str, *, times: int) -> list[Difference]:
        """Build so often after the edit, and return how each of these builds differs from a clean one."""
        files = {**project.files, **project.before.get(scenario, {})}
        folder = self.start(files)
        write(folder / "src", project.edits[scenario])
        built = [build(folder) for _ in range(times)]
        clean = self.clean({**files, **project.edits[scenario]})
        return [compare(each, clean) for each in built]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured of a tool in a scenario."""

    edited: Difference
    again: Difference
    #: Pages that Sphinx leaves stale in the same history without the tool.
    alone: tuple[str, ...]

    def words(self) -> str:
        """Return it in words."""
        said = self.edited.words()
        if self.again != self.edited:
            said += f"; built again: {self.again.words()}"
        shared = set(self.edited.pages) & set(self.alone)
        return said + (
            f" ({counted(len(shared), 'page')} without the tool, too)" if shared else ""
        )


def measure(project: Project) -> dict[str, Result]:
    """Run all scenarios of a project."""
    found: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        bench, alone = Bench(Path(one).resolve()), Bench(Path(other).resolve())
        for scenario in project.edits:
            without = (
                alone.run(project.without_tool(), scenario, times=1)[0].pages
                if project.tool
                else ()
            )
            edited, again = bench.run(project, scenario, times=2)
            found[scenario] = Result(edited=edited, again=again, alone=without)
            tell(project, scenario, found[scenario])
    return found


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"{text}\n")


def tell(project: Project, scenario: str, result: Result) -> None:
    """Print what was measured, with what differs."""
    say(f"{project.name}, {scenario}: {result.words()}")
    for label, difference in (
        ("after the edit", result.edited),
        ("built again", result.again),
    ):
        for kind, found in (
            ("stale", difference.pages),
            ("lost", difference.lost),
            ("false", difference.extra),
        ):
            for what in found:
                say(f"    {label}, {kind}: {what}")
    for name in result.alone:
        say(f"    without the tool, stale: {name}")


def installed(project: Project) -> str | None:
    """Return the version of a project's tool."""
    try:
        return version(project.distribution)
    except PackageNotFoundError:
        return None


def table(measured: Iterable[tuple[Project, dict[str, Result]]]) -> str:
    """Return the table in Markdown, and below it what each tool's items are and why a scenario is none."""
    lines = [
        "| | " + " | ".join(SCENARIOS) + " |",
        "| --- " * (len(SCENARIOS) + 1) + "|",
    ]
    notes: list[str] = []
    for project, results in measured:
        cells = [
            results[scenario].words() if scenario in results else "n/a"
            for scenario in SCENARIOS
        ]
        lines.append(
            f"| {project.name} {installed(project)} | " + " | ".join(cells) + " |"
        )
        reasons = "".join(
            f' No "{name}": {why}.' for name, why in project.not_applicable.items()
        )
        notes.append(f"- {project.name}: {project.about}{reasons}")
    return "\n".join([*lines, "", *notes])


def main(arguments: list[str] | None = None) -> int:
    """Measure the tools that are named, or all; return 1 where ours differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "tools", nargs="*", metavar="TOOL", help=f"of {', '.join(TOOLS)}; all if absent"
    )
    parser.add_argument(
        "--table", action="store_true", help="print the table in Markdown"
    )
    options = parser.parse_args(arguments)
    measured: list[tuple[Project, dict[str, Result]]] = []
    for name in options.tools or TOOLS:
        project = read(PROJECTS / f"{name}.txt")
        if installed(project) is None:
            say(f"{name} is missing: python -m pip install {project.distribution}")
            continue
        measured.append((project, measure(project)))
    today = dt.datetime.now(tz=dt.UTC).date()
    sys.stdout.write(
        f"Python {sys.version.split()[0]}, Sphinx {version('sphinx')}, {today}\n"
    )
    if options.table:
        sys.stdout.write(table(measured) + "\n")
    ours = [
        result
        for project, results in measured
        if project.name == OURS
        for result in results.values()
    ]
    return int(any(result.edited or result.again for result in ours))


if __name__ == "__main__":
    sys.exit(main())
