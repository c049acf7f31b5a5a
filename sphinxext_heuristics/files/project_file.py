"""A file of a project that is made from its pages, and compared with them on every build."""

from __future__ import annotations

import os.path
import shlex
from dataclasses import dataclass
from pathlib import Path

from sphinxext_heuristics.model import Problem, Subtype


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """A file that an option names, and what a message about it needs."""

    #: The option.
    option: str
    #: What the file is called in messages.
    called: str
    #: The file.
    path: Path
    #: The source directory.
    srcdir: Path
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
            return self.problem(subtype, f"{self.option} {str(self.path)!r} cannot be read: {error.strerror}")
        if found is None:
            message = f"the {self.called} {str(self.path)!r} is not there; to write it: {self.command}"
            return self.problem(subtype, message)
        return found

    def problem(self, subtype: Subtype, message: str) -> Problem:
        """Return a problem at the option's line in conf.py."""
        return Problem(subtype=subtype, message=message, source=str(self.conf_py), line=self.conf_line)


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


def command_line(name: str, confdir: Path, srcdir: Path, cwd: Path) -> str:
    """Return the command *name* for a project, to be typed in *cwd*."""
    docs, conf = (str(f.relative_to(cwd)) if f.is_relative_to(cwd) else str(f) for f in (srcdir, confdir))
    apart = "" if confdir == srcdir else f" -c {shlex.quote(conf)}"
    return f"python -m sphinxext_heuristics {name} {shlex.quote(docs)}{apart}"


def real(path: Path) -> Path:
    """Return a path with symbolic links resolved, whatever it is: links in a ring and too long names stay."""
    return Path(os.path.realpath(path))
