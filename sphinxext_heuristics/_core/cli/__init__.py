"""The command line: a module for each command, with what it takes and does.

Results and findings go to stdout; progress, warnings and errors to stderr. The exit
code is 0 if all is fine, 1 for a finding, 2 for misuse or failure and 130 for Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.cli import (
    explain,
    index,
    listing,
    new,
    reach,
    releases,
    verify,
)
from sphinxext_heuristics._core.cli.project import CommandError
from sphinxext_heuristics._core.cli.writing import note
from sphinxext_heuristics._core.versions import installed

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "sphinx-heuristics"

#: The commands, in the order in which the help names them.
COMMANDS = (
    index.COMMAND,
    listing.COMMAND,
    new.COMMAND,
    explain.COMMAND,
    verify.COMMAND,
    reach.COMMAND,
    releases,
)

#: The exit codes of misuse and failure, and of Ctrl-C.
FAILED, INTERRUPTED = 2, 130


def parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    whole = argparse.ArgumentParser(
        prog=PROG,
        description="Work with the heuristics of a Sphinx project. DOCS is the folder "
        "of its conf.py.",
        epilog="Exit code: 0 fine, 1 a finding, 2 misuse or failure.",
    )
    whole.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {installed('sphinxext-heuristics') or '(not installed)'}",
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    *argv* is the command line without the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Characters that the terminal lacks are written as escapes.
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads our results has read enough; Python would complain when it flushes
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        note(f"{PROG}: error: interrupted")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a user is told in one line what failed
        if arguments.traceback:
            traceback.print_exception(error)
        message = str(error)
        if not isinstance(error, CommandError):
            message = f"{type(error).__name__}: {error} (-T shows where)"
        note(f"{PROG}: error: {message}")
        return FAILED
    return code
