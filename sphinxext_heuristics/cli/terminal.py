"""What a command prints, and when it may have colours."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_RESET = "\x1b[0m"


def may_colour(stream: TextIO, wanted: str) -> bool:
    """Return whether to colour a stream: *wanted* is ``yes``, ``no`` or ``auto``, a terminal that has colours."""
    if wanted != "auto":
        return wanted == "yes"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)  # noqa: T201 - a command's result


def note(text: str) -> None:
    """Print a line of progress or a remark, which is no result."""
    print(text, file=sys.stderr)  # noqa: T201 - as above


def say_diff(lines: Iterable[str], wanted: str) -> None:
    """Print a unified diff, in colours where they are wanted."""
    colours = _COLOURS if may_colour(sys.stdout, wanted) else {}
    for line in lines:
        colour = colours.get(line[:1])
        say(f"{colour}{line}{_RESET}" if colour else line)


def survive_any_text(*streams: TextIO) -> None:
    """Let streams write characters that their encoding lacks as escapes, rather than fail."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
