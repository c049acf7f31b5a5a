"""The index as a Markdown file: what it should hold, and where a file differs from that. Free of Sphinx."""

from __future__ import annotations

import difflib
import os.path
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from sphinxext_heuristics.model import CONNECTION_TYPES, Problem, Subtype
from sphinxext_heuristics.notes import markdown
from sphinxext_heuristics.resolve import listing as index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.model import Connection, Heuristic
    from sphinxext_heuristics.resolve.plan import Plan, Resolved

#: Document → its file.
PathOf: TypeAlias = Callable[[str], str]

#: What the file is called where ``heuristics_index_file`` does not say.
FILENAME = "_HeuristicIndex.md"

#: The line by which a file is known as an index.
HEAD = "| Page | File | Connections | Notes |"

_FORM = """\
# {title}

> Tracks Heuristic pages and which pages they apply to.
> **Update IMMEDIATELY** after creating or modifying a Heuristic page.

## Pages

{head}
|------|------|-------------|-------|
{pages}
---

## Heuristic Categories

| Category | Count | Description |
|----------|-------|-------------|
{categories}
---

**Legend:** `✅Type:Name` = page exists | `⬜Type:Name` = page needs creation
"""

#: How many lines after the first difference are looked at, and how many of each side are shown.
_WINDOW, _SHOWN = 40, 3

#: What the root of a project holds.
_REPOSITORY = (".git", ".hg", ".svn")
_PACKAGE = ("pyproject.toml", "setup.py", "setup.cfg")


# -- what the file should hold --------------------------------------------------------


def content(plan: Plan, path: Path, path_of: PathOf) -> str:
    """Return what the index file at *path* should hold; *path_of* returns the file of a document.

    The text ends each line with a line feed.
    """
    settings = plan.settings
    title = settings.index_title or ": ".join(filter(None, ("Heuristic Index", settings.namespace)))
    folder = str(real(path).parent)
    links = _Links(folder, path_of)
    categories = index.categories(plan.heuristics.values(), settings.categories)
    return _FORM.format(
        title=_heading(title),
        head=HEAD,
        pages="".join(_row(_cells(plan, record, links)) for record in plan.heuristics.values()),
        categories="".join(
            _row((markdown.text(row.name), str(row.count), markdown.text(row.description))) for row in categories
        ),
    )


def _heading(title: str) -> str:
    """Return a heading's text; a heading would lose number signs at its end."""
    written = markdown.text(title)
    bare = written.rstrip("#")
    return f"{bare}\\{written[len(bare) :]}" if bare != written and bare[-1:] in {"", " "} else written


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cells(plan: Plan, record: Heuristic, links: _Links) -> tuple[str, ...]:
    return (
        markdown.text(plan.settings.page_name(record.name)),
        f"[→]({links.to(record.docname)})",
        markdown.text(", ".join(marks(plan.connections(record), plan.settings))),
        _note(plan, record),
    )


def _note(plan: Plan, record: Heuristic) -> str:
    note = markdown.inline(record.index_note or record.note)
    if plan.holds(record):
        return note
    # The version itself is not named: the file would differ with each release that changes nothing here.
    outdated = f"**({index.bounds(record)}; does not hold for the documented version)**"
    return f"{note} {outdated}".strip()


def marks(resolved: Iterable[Resolved], settings: Settings) -> Iterator[str]:
    """Yield connections as the file lists them, those of one type and name as one."""
    found: dict[tuple[str, str], bool] = {}
    for one in resolved:
        key = one.connection.type, settings.page_name(name_of(one.connection, settings.package))
        found[key] = found.get(key, True) and one.exists
    for (type_, name), exists in found.items():
        yield f"{index.EXISTS if exists else index.MISSING}{CONNECTION_TYPES[type_]}:{name}"


def name_of(connection: Connection, package: str) -> str:
    """Return what the file calls a connection, without the namespace."""
    name = index.short_name(connection, package)
    return name if connection.text else name.replace(".", "_")


class _Links:
    """The links from a folder to the real files of documents."""

    def __init__(self, folder: str, path_of: PathOf) -> None:
        self._folder = folder
        self._path_of = path_of
        #: Folder → its real path, relative to ours: few folders hold many pages.
        self._folders: dict[str, str] = {}

    def to(self, docname: str) -> str:
        path = self._path_of(docname)
        if os.path.islink(path):  # noqa: PTH114 - thousands of times: no object for each
            path = os.path.realpath(path)
        parent, name = os.path.split(path)
        if parent not in self._folders:
            relative = Path(os.path.relpath(os.path.realpath(parent), self._folder)).as_posix()
            self._folders[parent] = (
                f"{relative}/" if relative.startswith("..") else f"./{relative}/".replace("/./", "/")
            )
        return quote(self._folders[parent] + name, safe="/+@:,=~")


# -- where a file differs -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where a file differs from what it should hold."""

    #: Its line in the file, from 1.
    line: int
    #: The lines that are there (``- …``) and that should be (``+ …``), the first few of them.
    lines: tuple[str, ...]


def read(path: Path) -> str | None:
    """Return what a file holds, with line feeds; ``None`` if it is not there.

    Bytes that are not UTF-8 are replaced, so that they differ. Raises OSError if there is something that cannot
    be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return raw.decode("utf-8", errors="replace").replace("\r\n", "\n")


def difference(found: str, wanted: str) -> Difference | None:
    """Return where *found* first differs from *wanted*, or ``None``."""
    if found == wanted:
        return None
    old, new = _lines(found), _lines(wanted)
    same = sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    return Difference(
        line=max(1, min(same + 1, len(old))),
        lines=tuple(_changes(old[same : same + _WINDOW], new[same : same + _WINDOW])),
    )


def _lines(text: str) -> list[str]:
    """Return lines, a missing end of the last one made visible."""
    *lines, last = text.split("\n")
    return [*lines, f"{last} (no line end)"] if last else lines


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield the first group of lines that differ, those there before those wanted."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = (code for code in matcher.get_opcodes() if code[0] != "equal")
    # A last line may say itself what is said of a missing end.
    _tag, a, b, c, d = next(changed, ("replace", 0, len(old), 0, len(new)))
    for sign, lines in (("-", old[a:b]), ("+", new[c:d])):
        # One among others is seen by itself.
        blank = "" if any(line.strip() for line in lines) else "(an empty line)"
        yield from (f"{sign} {line.rstrip() or blank}".rstrip() for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"{sign} … ({len(lines) - _SHOWN} more)"


def unified(found: str, wanted: str, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends."""
    yield from difflib.unified_diff(_lines(found), _lines(wanted), name, f"{name} (from the pages)", lineterm="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file of a project that is made from the pages, and where to say what is wrong with it."""

    #: The option that names it.
    option: str = "heuristics_index_file"
    #: The file.
    path: Path
    #: The source directory.
    srcdir: Path
    #: conf.py, and the line in it that names the file.
    conf_py: Path
    conf_line: int
    #: The command that writes the file.
    command: str

    def problems(self, wanted: str) -> Iterator[Problem]:
        """Yield the problem that the file does not hold what is *wanted*."""
        if is_outside(self.path, self.srcdir):
            yield self._at_option(outside_message(self))
            return
        try:
            found = read(self.path)
        except OSError as error:
            yield self._at_option(f"heuristics_index_file {str(self.path)!r} cannot be read: {error.strerror}")
            return
        if found is None:
            yield self._at_option(f"the index file {str(self.path)!r} is not there; to write it: {self.command}")
        elif differs := difference(found, wanted):
            shown = "".join(f"\n  {line}" for line in differs.lines)
            yield Problem(
                subtype=Subtype.INDEX,
                message=f"the index differs from the pages, here first; to rewrite it: {self.command}{shown}",
                source=str(self.path),
                line=differs.line,
            )

    def _at_option(self, message: str) -> Problem:
        return Problem(subtype=Subtype.INDEX, message=message, source=str(self.conf_py), line=self.conf_line)


def command(name: str, confdir: Path, srcdir: Path, cwd: Path) -> str:
    """Return the command *name* for a project, to be typed in *cwd*."""
    docs, conf = (str(f.relative_to(cwd)) if f.is_relative_to(cwd) else str(f) for f in (srcdir, confdir))
    apart = "" if confdir == srcdir else f" -c {shlex.quote(conf)}"
    return f"python -m sphinxext_heuristics {name} {shlex.quote(docs)}{apart}"


def is_outside(path: Path, srcdir: Path) -> bool:
    """Return whether a file, symbolic links resolved, lies outside the project."""
    return not real(path).is_relative_to(project_root(srcdir))


def real(path: Path) -> Path:
    """Return a path with symbolic links resolved, whatever it is: links in a ring and too long names stay."""
    return Path(os.path.realpath(path))


def outside_message(place: Place) -> str:
    """Return the sentence that refuses a file outside the project."""
    return (
        f"{place.option} leads to {str(real(place.path))!r}, which lies outside the project "
        f"{str(project_root(place.srcdir))!r}; name a file inside it"
    )


def project_root(srcdir: Path) -> Path:
    """Return the folder of the project that a source directory belongs to, symbolic links resolved.

    That is the repository; without one the folder of the nearest pyproject.toml, setup.py or setup.cfg; without
    one the source directory's parent.
    """
    real = srcdir.resolve()
    for signs in (_REPOSITORY, _PACKAGE):
        for folder in (real, *real.parents):
            if any((folder / sign).exists() for sign in signs):
                return folder
    return real.parent
