"""A file of a project that is made from its pages, and compared with them."""

from __future__ import annotations

import difflib
import shlex
from typing import TYPE_CHECKING, NamedTuple

from ..problems import Problem, Subtype

if TYPE_CHECKING:
    from pathlib import Path

#: How many differing lines of each side are shown.
_SHOWN = 3


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
    #: Whether the option is set to a path.
    is_set: bool
    #: What is wrong with its value, or ``""``.
    fault: str

    def text(self, subtype: Subtype) -> str | Problem:
        """Return the content, or the problem that it is unreadable or missing."""
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
        """Return a problem at a *line* of the file, or else at its option."""
        source = self.path if line else self.conf_py
        line = line or self.conf_line
        return Problem(subtype, message, str(source), line, option=self.option)


def read(path: Path) -> str | None:
    """Return what a file holds, with line feeds; ``None`` if it is not there.

    Bytes that are not UTF-8 are replaced, so that they differ. Raises OSError if there
    is something that cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def command_line(command: str, confdir: Path, srcdir: Path, cwd: Path) -> str:
    """Return a command, as it follows ``python -m``, for a project, typed in *cwd*."""
    command = f"python -m {command} {_shown(srcdir, cwd)}"
    return command if confdir == srcdir else f"{command} -c {_shown(confdir, cwd)}"


def _shown(path: Path, cwd: Path) -> str:
    is_below = path.is_relative_to(cwd)
    return shlex.quote(str(path.relative_to(cwd) if is_below else path))


# -- where a text differs from what it should be --------------------------------------


def difference(found: str, wanted: str) -> tuple[int, list[str]] | None:
    """Return where *found* first differs from *wanted*, or ``None``.

    That is the line in *found*, from 1, and the lines there (``- …``) and in *wanted*
    (``+ …``), the first few of them.
    """
    if found == wanted:
        return None
    old, new = _lines(found), _lines(wanted)
    matcher = difflib.SequenceMatcher(None, old, new)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            removed = [f"- {line}".rstrip() for line in old[start:end]]
            added = [f"+ {line}".rstrip() for line in new[new_start:new_end]]
            line = max(1, min(start + 1, len(old)))
            return line, removed[:_SHOWN] + added[:_SHOWN]
    return len(old), []  # the text itself has our words for a missing end


def _lines(text: str) -> list[str]:
    """Return lines, a missing end of the last one made visible."""
    *lines, last = text.split("\n")
    return [*lines, f"{last} (no line end)"] if last else lines


def unified(found: str, wanted: str, name: str) -> str:
    """Return a unified diff."""
    pages = f"{name} (from the pages)"
    old, new = _lines(found), _lines(wanted)
    return "\n".join(difflib.unified_diff(old, new, name, pages, lineterm=""))
