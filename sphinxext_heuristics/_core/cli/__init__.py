"""The command line: a module for each command, with what it takes and does.

Results and findings go to stdout; progress, warnings and errors to stderr. The exit
code is 0 if all is fine, 1 for a finding, 2 for misuse or failure and 130 for Ctrl-C.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..versions import installed
from . import explain, index, listing, new, reach, verify
from .running import run

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "sphinx-heuristics"

#: The commands, in the order in which the help names them.
COMMANDS = (index, listing, new, explain, verify, reach)


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
    for module in COMMANDS:
        module.COMMAND.add(commands)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    *argv* is the command line without the program.
    """
    return run(parser(), argv)
