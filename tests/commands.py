"""The command line as tests run it: in this process, or in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conftest import ROOT, others_may_warn

from sphinxext_heuristics._core.cli import main
from sphinxext_heuristics.releases.command import main as releases_main

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command gave."""

    status: int
    stdout: str
    stderr: str


class Stream(io.StringIO):
    """A stream that a test may make a terminal."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def run(*arguments: str | Path) -> Ran:
    """Run a command in this process, as the console script does."""
    words = [str(argument) for argument in arguments]
    module_main = main
    if words[:1] == ["releases"]:
        words, module_main = words[1:], releases_main
    out, err = Stream(), Stream()
    path = list(sys.path)
    with redirect_stdout(out), redirect_stderr(err), others_may_warn():
        try:
            status = module_main(words)
        except SystemExit as exit_:  # argparse's own way out
            status = int(exit_.code or 0)
        finally:
            sys.path[:] = path
    return Ran(status=status, stdout=out.getvalue(), stderr=err.getvalue())


def ran_apart(
    *arguments: str | Path, module: str = "sphinxext_heuristics", **environment: str
) -> Ran:
    """Run a command in a process of its own, by ``python -m``."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
        cwd=ROOT,
    )
    return Ran(status=done.returncode, stdout=done.stdout, stderr=done.stderr)
