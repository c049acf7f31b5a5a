"""What a command prints."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sphinx.util.console import colorize

from sphinxext_heuristics.diagnostics import TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.model import Problem

#: The colours of a diff's lines, as Sphinx names them.
_COLOURS = {"+": "darkgreen", "-": "darkred", "@": "teal"}


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)  # noqa: T201 - a command's result


def seen(path: str | os.PathLike[str]) -> str:
    """Return a path as seen from the working directory, if it lies below that."""
    text, here = os.fspath(path), f"{Path.cwd()}{os.sep}"
    return text.removeprefix(here)


def say_finding(problem: Problem) -> None:
    """Print what is wrong in the project, as a warning of a build says it."""
    say(f"{seen(problem.source)}:{problem.line}: WARNING: {problem.message} [{TYPE}.{problem.subtype.word}]")


def note(text: str) -> None:
    """Print a line of progress or a remark, which is no result."""
    print(text, file=sys.stderr)  # noqa: T201 - as above


def say_diff(lines: Iterable[str]) -> None:
    """Print a unified diff, in colours where Sphinx uses them."""
    for line in lines:
        colour = _COLOURS.get(line[:1])
        say(colorize(colour, line) if colour else line)


def survive_any_text(*streams: TextIO) -> None:
    """Let streams write characters that their encoding lacks as escapes, rather than fail."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
