"""A file of a project that is made from its pages, and compared with them on every build."""

from __future__ import annotations

import difflib
import shlex
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.model import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: How many lines after the first difference are looked at, and how many of each side
#: are shown.
_WINDOW, _SHOWN = 40, 3


class ProjectFile(NamedTuple):
    """A file that an option names, and what a message about it needs."""

    #: The option.
    option: str
    #: What the file is called in messages.
    called: str
    #: The file.
    path: Path
    #: conf.py, and the line in it that names the file.
    conf_py: Path
    conf_line: int
    #: The command that writes the file.
    command: str

    def text(self, subtype: Subtype) -> str | Problem:
        """Return what the file has, or a problem of the *subtype* that it is unreadable or missing."""
        try:
            found = read(self.path)
        except OSError as error:
            return self.problem(
                subtype,
                f"{self.option} {str(self.path)!r} cannot be read: {error.strerror}",
            )
        if found is None:
            message = (
                f"the {self.called} {str(self.path)!r} is not there; to write "
                f"it: {self.command}"
            )
            return self.problem(subtype, message)
        return found

    def problem(self, subtype: Subtype, message: str, line: int = 0) -> Problem:
        """Return a problem at a *line* of the file, or without one at the option's line in conf.py."""
        source, at = (self.path, line) if line else (self.conf_py, self.conf_line)
        return Problem(subtype=subtype, message=message, source=str(source), line=at)


def read(path: Path) -> str | None:
    """Return what a file holds, with line feeds; ``None`` if it is not there.

    Bytes that are not UTF-8 are replaced, so that they differ. Raises OSError if there
    is something that cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return raw.decode("utf-8", errors="replace").replace("\r\n", "\n")


def command_line(name: str, confdir: Path, srcdir: Path, cwd: Path) -> str:
    """Return the command *name* for a project, to be typed in *cwd*."""
    docs, conf = (
        str(f.relative_to(cwd)) if f.is_relative_to(cwd) else str(f)
        for f in (srcdir, confdir)
    )
    apart = "" if confdir == srcdir else f" -c {shlex.quote(conf)}"
    return f"python -m sphinxext_heuristics {name} {shlex.quote(docs)}{apart}"


# -- where a text differs from what it should be --------------------------------------


def difference(found: str, wanted: str) -> tuple[int, list[str]] | None:
    """Return where *found* first differs from *wanted*, or ``None``.

    That is the line in *found*, from 1, and the lines there (``- …``) and in *wanted*
    (``+ …``), the first few of them.
    """
    if found == wanted:
        return None
    old, new = _lines(found), _lines(wanted)
    same = sum(
        1
        for _pair in takewhile(
            lambda pair: pair[0] == pair[1], zip(old, new, strict=False)
        )
    )
    changes = difflib.unified_diff(
        old[same : same + _WINDOW], new[same : same + _WINDOW], n=0, lineterm=""
    )
    first = list(
        takewhile(lambda line: not line.startswith("@@"), islice(changes, 3, None))
    )
    return max(1, min(same + 1, len(old))), list(_shown(first))


def _lines(text: str) -> list[str]:
    """Return lines, a missing end of the last one made visible."""
    *lines, last = text.split("\n")
    return [*lines, f"{last} (no line end)"] if last else lines


def _shown(changed: Sequence[str]) -> Iterator[str]:
    """Yield some of the lines that differ, those there before those wanted."""
    for sign in "-+":
        lines = [line[1:].rstrip() for line in changed if line.startswith(sign)]
        # One among others is seen by itself.
        blank = "" if any(lines) else "(an empty line)"
        yield from (f"{sign} {line or blank}".rstrip() for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"{sign} … ({len(lines) - _SHOWN} more)"


def unified(found: str, wanted: str, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends."""
    yield from difflib.unified_diff(
        _lines(found), _lines(wanted), name, f"{name} (from the pages)", lineterm=""
    )
