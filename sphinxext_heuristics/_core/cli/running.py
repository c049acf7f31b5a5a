"""Run what a command line asks for, and say in one line what failed."""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .project import CommandError
from .writing import note

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

#: The exit codes of misuse and failure, and of Ctrl-C.
FAILED, INTERRUPTED = 2, 130


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> int:
    """Run the command that a parser finds, and return the exit code.

    *argv* is the command line without the program. What the command raises is printed
    as an error: exit code 2, and 130 for Ctrl-C.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is no text, and characters that the terminal lacks, are escapes.
            stream.reconfigure(errors="backslashreplace")
    arguments = parser.parse_args(argv)
    _require_working_directory(parser)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads our results has read enough; Python would complain when it flushes
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        note(f"{parser.prog}: error: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a user is told in one line what failed
        if arguments.traceback:
            traceback.print_exception(error)
        message = str(error)
        if not isinstance(error, CommandError):
            message = f"{type(error).__name__}: {error} (-T shows where)"
        note(f"{parser.prog}: error: {message}")
        return FAILED
    return code


def _require_working_directory(parser: argparse.ArgumentParser) -> None:
    """Exit with a line of its own where somebody has deleted that folder.

    Sphinx does nothing without it, and paths are printed as seen from there.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        why = "the working directory does not exist any more: change to another"
        parser.exit(FAILED, f"{parser.prog}: error: {why}\n")
