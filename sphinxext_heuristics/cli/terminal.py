"""What a command prints."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

from sphinx.util.console import colorize

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The colours of a diff's lines, as Sphinx names them.
_COLOURS = {"+": "darkgreen", "-": "darkred", "@": "teal"}


def say(text: str) -> None:
    """Print a line of the result."""
    print(text)  # noqa: T201 - a command's result


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
