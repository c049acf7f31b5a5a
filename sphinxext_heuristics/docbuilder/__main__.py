"""``python -m sphinxext_heuristics.docbuilder``: results go to stdout, everything else to stderr."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder import hook

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "python -m sphinxext_heuristics.docbuilder"
_FINDING, _FAILED, _INTERRUPTED = 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    whole = argparse.ArgumentParser(prog=PROG, description="Work with documentation for Hugging Face's doc-builder.")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = commands.add_parser(
        "hook",
        help="write the files that show heuristics in docstrings, as alerts, when doc-builder reads them",
        description=f"Write {hook.CODE} and {hook.DATA}, which doc-builder's _config.py uses.",
        epilog="Exit code: 0 fine, 1 the files are out of date (--check), 2 misuse or failure, 130 Ctrl-C.",
    )
    command.add_argument("docs", metavar="DOCS", type=Path, help="the folder of the Sphinx project's conf.py")
    command.add_argument("out", metavar="OUT", type=Path, help="the folder of doc-builder's _config.py")
    where = "where the site with the heuristics is published; without it, titles are no links"
    command.add_argument("--base-url", metavar="URL", type=_url, help=where)
    command.add_argument("--check", action="store_true", help="write nothing, print what is out of date")
    command.add_argument("-v", "--verbose", action="store_true", help="show what Sphinx says")
    return whole


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s()<>\\]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no URL; write it with https:// in front, without parentheses")
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; *argv* is the command line without the program."""
    arguments = parser().parse_args(argv)
    try:
        return _hook(arguments)
    except (hook.HookError, OSError) as error:
        sys.stderr.write(f"{PROG}: error: {error}\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write(f"{PROG}: error: interrupted\n")
        return _INTERRUPTED


def _hook(arguments: argparse.Namespace) -> int:
    out: Path = arguments.out
    if not out.is_dir():
        raise hook.HookError(f"{out}: no such folder; OUT is the folder of doc-builder's _config.py")
    heuristics = hook.heuristics_of(arguments.docs, verbose=arguments.verbose)
    data = hook.data_of(heuristics, arguments.base_url or "")
    files = hook.files_of(data)
    if arguments.check:
        lines = list(hook.differences(out, files))
        sys.stdout.writelines(f"{line}\n" for line in lines or [f"{out}: up to date"])
        return _FINDING if lines else 0
    sys.stdout.writelines(f"{line}\n" for line in hook.write(out, files))
    sys.stdout.writelines(f"{line}\n" for line in hook.without_place(heuristics, data))
    config = out / "_config.py"
    if not config.is_file() or hook.CODE not in config.read_text(encoding="utf-8"):
        sys.stderr.write(f"{config}: put this at its start:\n\n{hook.LINES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
