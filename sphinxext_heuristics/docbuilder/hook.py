"""The hook for doc-builder: its command, which writes two files for ``_config.py``.

One is :mod:`hook_code`, which only changes with this package; the other is what that
inserts, as JSON. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .._output import replace_files
from .built import HookError, copy_of, heuristics_of, is_explained, problems_of
from .export import CODE, DATA, export
from .selection import Selection, read_selection
from .trees import TOCTREE, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .export import Export

#: What ``_config.py`` must hold.
LINES = f"""\
import runpy


runpy.run_path(__file__.replace("_config.py", "{CODE}"))["add_alerts"]()
"""

PROG = "python -m sphinxext_heuristics.docbuilder"
_FINDING, _FAILED, _INTERRUPTED = 1, 2, 130


def _text(path: Path) -> str:
    """Return what is in a file, nothing if it does not exist."""
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def write(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Replace the files that differ, in their order, and yield a line on each."""
    stale = [name for name, text in files.items() if _text(out / name) != text]
    replace_files({out / name: files[name] for name in stale})
    for name in files:
        yield f"{out / name}: {'written' if name in stale else 'unchanged'}"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog=PROG, description="Work with documentation for Hugging Face's doc-builder."
    )
    commands = whole.add_subparsers(required=True)
    command = commands.add_parser(
        "hook",
        help="write the files that show heuristics in docstrings, as alerts, when "
        "doc-builder reads them",
        description=f"Write {CODE} and {DATA}, which doc-builder's _config.py uses.",
        epilog="Exit code: 0 fine, 1 a mistake in a heuristic, or the files are out of "
        "date (--check), 2 misuse or failure, 130 Ctrl-C.",
    )
    add = command.add_argument
    add("conf", metavar="CONF", type=Path, help="the folder of conf.py")
    add("pages", metavar="PAGES", type=Path, help="the folder of doc-builder's pages")
    add(
        "--heuristics",
        metavar="DIR",
        type=Path,
        help="the folder of the heuristics (default: CONF/heuristics)",
    )
    add(
        "--base-url",
        metavar="URL",
        type=_url,
        default="",
        help="where the heuristics are published; without it, nothing is only linked",
    )
    add(
        "--select",
        metavar="FILE",
        type=Path,
        help="show only what this file names, a line NAME OBJECT [PARAMETER] each",
    )
    add(
        "--write-select",
        action="store_true",
        help="write that file: all alerts that may be shown, with what it decided",
    )
    add("--check", action="store_true", help="write nothing, print what is out of date")
    add(
        "--strict",
        action="store_true",
        help="write nothing if the installed package lacks what a heuristic names",
    )
    add("-v", "--verbose", action="store_true", help="print what Sphinx says")
    return whole


def _url(text: str) -> str:
    if not re.fullmatch(r"(https?://[^\s()<>\\]+)?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no URL; write it with https:// in front, without parentheses"
        )
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    *argv* is the command line without the program.
    """
    arguments = parser().parse_args(argv)
    arguments.command_line = sys.argv[1:] if argv is None else argv
    try:
        return _hook(arguments)
    except (HookError, OSError, KeyboardInterrupt) as error:
        sys.stderr.write(f"{PROG}: error: {str(error) or 'interrupted'}\n")
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _FAILED


def _hook(arguments: argparse.Namespace) -> int:
    conf, pages = arguments.conf, arguments.pages
    fault = unreadable(pages) if (pages / TOCTREE).is_file() else None
    if fault:
        raise HookError(f"{pages / TOCTREE}:{fault.line}: {fault.message}")
    selection = _selection(arguments)
    directory = arguments.heuristics or conf / "heuristics"
    with tempfile.TemporaryDirectory() as name:
        source = copy_of(pages, directory, Path(name).resolve())
        data, said = heuristics_of(conf, source)
    if arguments.verbose:
        sys.stderr.write(said)
    places = {
        f"{source}/heuristics/": f"{directory}/",
        f"{source}/": f"{pages}/",
        f"{conf.resolve()}/": f"{conf}/",
    }
    problems = list(problems_of(data, source, places))
    faults = [
        f"{it['file']}:{it['line'] or 0}: WARNING: {it['message']} "
        f"[heuristic.{it['subtype']}]"
        for it in problems
        if arguments.strict or not is_explained(it, data)
    ]
    if faults or selection.faults:
        return _refuse([*faults, *selection.faults])
    made = export(data, problems, selection, arguments.base_url)
    if arguments.write_select:
        lines = selection.written(made.decision.allowed)
        replace_files({arguments.select: "".join(f"{line}\n" for line in lines)})
        _say([f"{arguments.select}: written"])
        return 0
    if arguments.strict and (unselected := list(made.unselected())):
        return _refuse(unselected)
    if arguments.check:
        return _check(arguments, made)
    _say(write(pages, made.files))
    _say([made.summary(), *made.notes()])
    config = pages / "_config.py"
    if CODE not in _text(config):
        sys.stderr.write(f"{config}: put this at its start:\n\n{LINES}")
    return 0


def _refuse(faults: Iterable[str]) -> int:
    """Print faults, write nothing, and return the code."""
    _say(faults)
    sys.stderr.write(f"{PROG}: error: fix what is named above; nothing is written\n")
    return _FINDING


def _check(arguments: argparse.Namespace, made: Export) -> int:
    """Print how the files differ from what would be written, and return the code."""
    pages = arguments.pages
    stale = [name for name, text in made.files.items() if _text(pages / name) != text]
    if not stale:
        _say([f"{pages}: up to date"])
        return 0
    _say(f"{pages / name}: out of date for {made.release}" for name in stale)
    _say(made.differences(_text(pages / DATA)))
    package = made.release.partition(" ")[0]
    directory = arguments.heuristics or arguments.conf / "heuristics"
    options = [word for word in arguments.command_line if word != "--check"]
    what = (
        f"{pages / DATA} has warnings that doc-builder shows in docstrings of "
        f"{package}; they come from the pages in {directory}, which quote its source."
    )
    command = shlex.join([*PROG.split(), *options])
    action = (
        f"To renew it, run `{command}`; if an alert should have stayed, tell those who "
        "write these pages."
    )
    _say([what, action])
    return _FINDING


def _selection(arguments: argparse.Namespace) -> Selection:
    """Return what the selection says; without one, all is shown that may be."""
    file = arguments.select
    if file is None:
        if arguments.write_select:
            raise HookError("--write-select needs --select FILE, which it writes")
        return Selection()
    if not file.exists() and not arguments.write_select:
        raise HookError(f"{file} does not exist; --write-select writes it")
    return read_selection(file)


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
