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

    from .cards import Decision

#: The names of the files in doc-builder's folder.
CODE, DATA = "_heuristics.py", "_heuristics.json"
#: What ``_config.py`` must hold.
LINES = f"""\
import runpy


runpy.run_path(__file__.replace("_config.py", "{CODE}"))["add_alerts"]()
"""

PROG = "python -m sphinxext_heuristics.docbuilder"
_FINDING, _FAILED, _INTERRUPTED = 1, 2, 130
#: A warning of heuristics, up to its type. Those of the site's index, reach and release
#: files are not meant: the copy that is built does not have them.
_WARNING = re.compile(
    r"^.*WARNING: (?!the file of releases .* is not there)"
    r"(?:.*\n(?!.*WARNING: ))*?.* \[heuristic(?:\.(?!index|reach)\w+)?\]$",
    re.MULTILINE,
)
#: A warning that the version of the package, or of its pages, explains. What else
#: there is to warn of is a mistake.
_EXPLAINED = re.compile(
    r"\[heuristic\.(?:ambiguous|evidence|except|target)\]$"
    r"|is shown nowhere.*\[heuristic\.orphan\]$"
    r"|all that it quotes.*\[heuristic\.version\]$"
    r"|heuristics_targets: .*\[heuristic\.config\]$"
    r"|would judge it otherwise.*\[heuristic\.config\]$",
    re.DOTALL,
)
#: The warning of a parameter that nothing shows: its file and its line.
_NO_PARAMETER = re.compile(r"(.+):(\d+): WARNING: param .* leaves no entry: ")
#: The warning of an object that is a target: how it is written.
_IMPL = re.compile(r": WARNING: impl target '([^']+)' (?!is declared planned)")


class HookError(Exception):
    """The files cannot be written; the message says why, in words for a user."""


def heuristics_of(conf: Path, folder: Path) -> tuple[dict[str, Any], list[str], str]:
    """Return the data of the builder ``heuristics``, and what Sphinx printed.

    Of that, the warnings of heuristics come first. *conf* is the folder of conf.py, and
    *folder* that of the copy to build. Raises HookError where it cannot be built.
    """
    status, log = io.StringIO(), io.StringIO()
    out = folder.parent / "out"
    # a warning's type is the last that it shows
    options = ["--no-color", "-D", "show_warning_types=1", "-c", str(conf)]
    with contextlib.redirect_stdout(status), contextlib.redirect_stderr(log):
        code = sphinx_build([*options, "-b", "heuristics", str(folder), str(out)])
    said = f"{status.getvalue()}{log.getvalue()}"
    if code:
        raise HookError(f"{conf}: Sphinx cannot build it; it says:\n{said.strip()}")
    data = json.loads((out / "heuristics.json").read_bytes())
    if not data["package"]["name"]:
        raise HookError(
            f"{conf / 'conf.py'}: set heuristics_package, for example "
            'heuristics_package = "peft"'
        )
    return data, _WARNING.findall(log.getvalue()), said


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


def left_out_of(
    heuristics: dict[str, Any], warnings: Iterable[str], source: Path
) -> list[str]:
    """Take out the heuristics that the installed package contradicts; name them.

    The *warnings* about the files in *source* say what it lacks, and are told as well.
    """
    package = heuristics["package"]
    lacks = f"left out: {package['name']} {package['version']} lacks"
    places = list(_without_parameter(warnings))
    items, lines = heuristics["heuristics"], []
    without = {_defined_at(place, items, source) for place in places}
    heuristics["heuristics"] = kept = []
    for item in items:
        is_lost = any(quoted["line"] is None for quoted in item["evidence"])
        if is_lost and item["holds"]:
            lines.append(f"{item['name']}: {lacks} what it quotes")
        elif item["name"] in without and item["holds"]:
            lines.append(f"{item['name']}: {lacks} its parameter")
        else:
            kept.append(item)
    return lines


def _defined_at(
    place: tuple[str, int], items: Iterable[dict[str, Any]], source: Path
) -> str:
    """Return the name of the heuristic of which a line is, the last that is above it.

    It is ``""`` in a docstring.
    """
    above = {0: ""}
    for item in items:
        begin = item["source"] or {"path": "", "line": 0}
        if str(source / begin["path"]) == place[0] and begin["line"] <= place[1]:
            above[begin["line"]] = item["name"]
    return above[max(above)]


def _without_parameter(warnings: Iterable[str]) -> Iterator[tuple[str, int]]:
    for warning in warnings:
        if found := _NO_PARAMETER.match(warning):
            yield found[1], int(found[2])


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
        heuristics, warnings, said = heuristics_of(conf, source)
    if arguments.verbose:
        sys.stderr.write(said)
    left_out = left_out_of(heuristics, warnings, source)
    places = {f"{source}/heuristics/": f"{directory}/", f"{source}/": f"{pages}/"}
    for old, new in places.items():
        warnings = [warning.replace(old, new) for warning in warnings]
    mistakes = [warning for warning in warnings if not _EXPLAINED.search(warning)]
    if faults := warnings if arguments.strict else mistakes:
        _say(faults)
        sys.stderr.write(
            f"{PROG}: error: {conf}: fix the warnings above; nothing is written\n"
        )
        return _FINDING
    try:
        package = import_package(heuristics["package"]["name"])
    except ImportError as error:
        raise HookError(f"{error}; its docstrings are unknown") from error
    decision = decide(heuristics, package, arguments.base_url, everything=arguments.all)
    _say(_told(warning, decision) for warning in warnings)
    _say(left_out)
    files = files_of(decision.data)
    if arguments.check:
        lines = list(differences(pages, files))
        _say(lines or [f"{pages}: up to date"])
        return _FINDING if lines else 0
    _say(write(pages, files))
    _say(decision.report(_IMPL.findall("".join(warnings))))
    config = pages / "_config.py"
    if CODE not in _text(config):
        sys.stderr.write(f"{config}: put this at its start:\n\n{LINES}")
    return 0


def _told(warning: str, decision: Decision) -> str:
    """Return a warning as a line that says what it means for the files.

    A target that is missing is left out, unless its class's card names it.
    """
    first = warning.partition("\n")[0]
    found = _IMPL.search(first)
    word = "left out" if found and decision.leaves_out(found[1]) else "note"
    return re.sub(r" \[heuristic\.\w+\]$", "", first).replace("WARNING", word, 1)


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
