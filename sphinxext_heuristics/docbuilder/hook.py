"""The hook for doc-builder: its files, made of ``heuristics.json``, and its command.

Two files: :mod:`hook_code`, which only changes with this package, and what it inserts,
as JSON. The command's results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import inspect
import io
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.cmd.build import main as sphinx_build

from .._output import replace_files
from . import hook_code
from .cards import decide
from .objects import import_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .cards import Decision, Json

#: The names of the files in doc-builder's folder.
CODE, DATA = "_heuristics.py", "_heuristics.json"
#: What ``_config.py`` must hold.
LINES = f"""\
import runpy


runpy.run_path(__file__.replace("_config.py", "{CODE}"))["add_alerts"]()
"""

PROG = "python -m sphinxext_heuristics.docbuilder"
_FINDING, _FAILED, _INTERRUPTED = 1, 2, 130
#: The subtypes of what the version of the package, or of its pages, explains. What else
#: there is to warn of is a mistake, but for what :func:`is_explained` looks into.
_EXPLAINED = frozenset({"ambiguous", "evidence", "except", "target"})
#: The problems of the site's index, reach and release files: the copy that is built
#: does not have them.
_OF_FILES, _RELEASES = frozenset({"index", "reach"}), "heuristics_releases_file"


class HookError(Exception):
    """The files cannot be written; the message says why, in words for a user."""


def heuristics_of(conf: Path, folder: Path) -> tuple[Json, str]:
    """Return the data of the builder ``heuristics``, and what Sphinx printed.

    *conf* is the folder of conf.py, and *folder* that of the copy to build. Raises
    HookError where it cannot be built.
    """
    status, log = io.StringIO(), io.StringIO()
    out = folder.parent / "out"
    options = ["--no-color", "-c", str(conf), "-b", "heuristics"]
    with contextlib.redirect_stdout(status), contextlib.redirect_stderr(log):
        code = sphinx_build([*options, str(folder), str(out)])
    said = f"{status.getvalue()}{log.getvalue()}"
    if code:
        raise HookError(f"{conf}: Sphinx cannot build it; it says:\n{said.strip()}")
    data = json.loads((out / "heuristics.json").read_bytes())
    if not data["package"]["name"]:
        raise HookError(
            f"{conf / 'conf.py'}: set heuristics_package, for example "
            'heuristics_package = "peft"'
        )
    return data, said


def copy_of(pages: Path, heuristics: Path, folder: Path) -> Path:
    """Return a copy of doc-builder's pages with the heuristics in it.

    Records of the heuristics' own site, such as its reach file, stay behind.
    """
    source = folder / "source"
    _copy(pages, source)
    copy = source / "heuristics"
    shutil.rmtree(copy, ignore_errors=True)
    _copy(heuristics, copy)
    for path in copy.rglob("*.txt"):
        path.unlink()
    return source


def _copy(source: Path, target: Path, above: tuple[Path, ...] = ()) -> None:
    """Copy what Sphinx would read of a folder.

    What is no file, as a pipe or a dead link, is passed over, and so is a folder that
    is one of those *above* again.
    """
    real = source.resolve()
    if real in above:
        return
    target.mkdir(parents=True)
    for path in source.iterdir():
        if not os.access(path, os.R_OK):
            continue
        if path.is_dir():
            _copy(path, target / path.name, (*above, real))
        elif path.is_file():
            shutil.copyfile(path, target / path.name)


def problems_of(data: Json, source: Path, places: dict[str, str]) -> Iterator[Json]:
    """Yield the problems that matter here, with paths as the user knows them.

    *source* is the copy that was built, and *places* map what paths in it begin with.
    """
    for problem in data["problems"]:
        if problem["subtype"] in _OF_FILES or problem["option"] == _RELEASES:
            continue
        file = os.path.normpath(source / (problem["file"] or ""))
        message = problem["message"]
        for old, new in places.items():
            file, message = file.replace(old, new), message.replace(old, new)
        yield {**problem, "file": file, "message": message}


def is_explained(problem: Json, data: Json) -> bool:
    """Return whether the version of the package, or of its pages, explains it."""
    subtype, option = problem["subtype"], problem["option"]
    if subtype == "orphan":
        # what is connected to nothing is so in each version
        return any(
            item["name"] == problem["heuristic"] and item["connections"]
            for item in data["heuristics"]
        )
    if subtype == "version":
        # bounds that contradict each other name one of them
        return option is None
    if subtype == "config":
        # bounds that no version judges are a mistake in conf.py
        is_judged = option in {"since", "until"} and data["package"]["version"]
        return bool(is_judged) or option == "heuristics_targets"
    return subtype in _EXPLAINED


def left_out_of(data: Json, problems: Iterable[Json]) -> dict[str, str]:
    """Map the heuristics that the installed package contradicts to what it lacks.

    The *problems* say what that is, and are told as well.
    """
    without = {
        problem["heuristic"]
        for problem in problems
        if (problem["subtype"], problem["option"]) == ("target", "param")
    }
    lacking = {}
    for item in data["heuristics"]:
        if not item["holds"]:
            continue
        if any(quoted["line"] is None for quoted in item["evidence"]):
            lacking[item["name"]] = "what it quotes"
        elif item["name"] in without:
            lacking[item["name"]] = "its parameter"
    return lacking


def targets_left_out(
    data: Json, problems: Iterable[Json], decision: Decision
) -> set[str]:
    """Return the targets at fault that nothing is shown for, not even at a class."""
    missing = {
        connection["target"]
        for item in data["heuristics"]
        for connection in item["connections"]
        if not connection["exists"]
    }
    return {
        problem["value"]
        for problem in problems
        if (problem["subtype"], problem["option"]) == ("target", "impl")
        and problem["value"] in missing
        and decision.leaves_out(problem["value"])
    }


def files_of(data: dict[str, Any]) -> dict[str, str]:
    """Return the texts of the two files.

    The code comes first: it can do with data of any form.
    """
    docstrings = {
        name: _list(map(_json, entries)) for name, entries in data["docstrings"].items()
    }
    alerts = {name: _json(text) for name, text in data["alerts"].items()}
    text = _mapping(
        {
            "package": _json(data["package"]),
            "alerts": _mapping(alerts, "  "),
            "docstrings": _mapping(docstrings, "  "),
        }
    )
    code = f"# ruff: noqa\n# fmt: off\n{inspect.getsource(hook_code)}"
    return {CODE: code, DATA: f"{text}\n"}


def _mapping(pairs: dict[str, str], indent: str = "") -> str:
    """Return an object of JSON, each pair a line; the values are JSON."""
    lines = [f"{indent}  {_json(name)}: {value}" for name, value in pairs.items()]
    text = ",\n".join(lines)
    return f"{{\n{text}\n{indent}}}"


def _list(values: Iterable[str]) -> str:
    text = ",\n      ".join(values)
    return f"[\n      {text}\n    ]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def differences(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield the lines in which the files differ from those that would be written."""
    for name, text in files.items():
        old, new = _text(out / name).splitlines(), text.splitlines()
        path = str(out / name)
        yield from difflib.unified_diff(old, new, path, "up to date", lineterm="")


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
    add("--all", action="store_true", help="also what only + or * reaches, as alerts")
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
    try:
        return _hook(arguments)
    except (HookError, OSError, KeyboardInterrupt) as error:
        sys.stderr.write(f"{PROG}: error: {str(error) or 'interrupted'}\n")
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _FAILED


def _hook(arguments: argparse.Namespace) -> int:
    conf, pages = arguments.conf, arguments.pages
    directory = arguments.heuristics or conf / "heuristics"
    with tempfile.TemporaryDirectory() as name:
        source = copy_of(pages, directory, Path(name).resolve())
        data, said = heuristics_of(conf, source)
    if arguments.verbose:
        sys.stderr.write(said)
    places = {f"{source}/heuristics/": f"{directory}/", f"{source}/": f"{pages}/"}
    problems = list(problems_of(data, source, places))
    mistakes = [it for it in problems if not is_explained(it, data)]
    if faults := problems if arguments.strict else mistakes:
        _say(f"{_line(it, 'WARNING')} [heuristic.{it['subtype']}]" for it in faults)
        sys.stderr.write(
            f"{PROG}: error: {conf}: fix the warnings above; nothing is written\n"
        )
        return _FINDING
    try:
        package = import_package(data["package"]["name"])
    except ImportError as error:
        raise HookError(f"{error}; its docstrings are unknown") from error
    lacking = left_out_of(data, problems)
    kept = [item for item in data["heuristics"] if item["name"] not in lacking]
    decision = decide(kept, package, arguments.base_url, everything=arguments.all)
    targets = targets_left_out(data, problems, decision)
    for problem in problems:
        is_left_out = problem["option"] == "impl" and problem["value"] in targets
        line = _line(problem, "left out" if is_left_out else "note")
        _say([line.partition("\n")[0]])
    release = f"{data['package']['name']} {data['package']['version']}"
    _say(f"{name}: left out: {release} lacks {it}" for name, it in lacking.items())
    files = files_of(decision.data)
    if arguments.check:
        lines = list(differences(pages, files))
        _say(lines or [f"{pages}: up to date"])
        return _FINDING if lines else 0
    _say(write(pages, files))
    _say(decision.report(targets))
    config = pages / "_config.py"
    if CODE not in _text(config):
        sys.stderr.write(f"{config}: put this at its start:\n\n{LINES}")
    return 0


def _line(problem: Json, word: str) -> str:
    """Return a problem as Sphinx would say it, with a word of ours for ``WARNING``."""
    return f"{problem['file']}:{problem['line'] or 0}: {word}: {problem['message']}"


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
