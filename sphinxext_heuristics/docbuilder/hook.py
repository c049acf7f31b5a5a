"""The hook for doc-builder: its files, made of ``heuristics.json``, and its command.

Two files: :mod:`hook_code`, which only changes with this package, and the heuristics as
JSON. The command's results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.cmd.build import main as sphinx_build

from sphinxext_heuristics.docbuilder import hook_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The names of the files in doc-builder's folder.
CODE, DATA = "_heuristics.py", "_heuristics.json"
#: What ``_config.py`` must hold.
LINES = f"""\
import runpy


runpy.run_path(__file__.replace("_config.py", "{CODE}"))["add_alerts"]()
"""

PROG = "python -m sphinxext_heuristics.docbuilder"
_FINDING, _FAILED, _INTERRUPTED = 1, 2, 130
_SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")


class HookError(Exception):
    """The files cannot be written; the message says why, in words for a user."""


class _Log(io.StringIO):
    """What Sphinx prints, and of that the warnings of heuristics.

    Sphinx prints each warning in one call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def write(self, text: str) -> int:
        if re.search(r" \[heuristic(\.\w+)?\]\s*$", text):
            self.warnings.append(text.replace(f"{Path.cwd()}{os.sep}", ""))
        return super().write(text)


def heuristics_of(docs: Path) -> tuple[dict[str, Any], _Log]:
    """Return the data of the builder ``heuristics``, and what Sphinx printed.

    *docs* is the folder of the project's conf.py. Raises HookError where there is no
    such project, or it cannot be built.
    """
    conf, log = docs / "conf.py", _Log()
    if not conf.is_file():
        raise HookError(
            f"{docs}: no conf.py there; DOCS is the folder of the Sphinx "
            f"project's conf.py"
        )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        options = ["--no-color", "-b", "heuristics", "-d", f"{folder}/doctrees"]
        # a warning's type is the last that it shows
        options += ["-D", "show_warning_types=1"]
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            code = sphinx_build([*options, str(docs), str(out)])
        if "Builder name heuristics not registered" in log.getvalue():
            raise HookError(f'{conf}: add "sphinxext_heuristics" to extensions')
        if code or not (out / "heuristics.json").is_file():
            raise HookError(
                f"{docs}: Sphinx cannot build it; it says:\n{log.getvalue().strip()}"
            )
        data: dict[str, Any] = json.loads(
            (out / "heuristics.json").read_text(encoding="utf-8")
        )
    if not data["package"]["name"]:
        raise HookError(
            f'{conf}: set heuristics_package, for example heuristics_package = "peft"'
        )
    return data, log


def data_of(heuristics: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return what the hook shows of ``heuristics.json``, always in the same order.

    *base_url* may be empty.
    """
    package, items = heuristics["package"]["name"], heuristics["heuristics"]
    entries: dict[str, list[str]] = {}
    for item in sorted(
        items,
        key=lambda item: (_SEVERITIES.index(item["severity"]), -item.get("weight", 0)),
    ):
        for name in dict.fromkeys(entry["name"] for entry in item["entries"]):
            if name.startswith(f"{package}."):
                entries.setdefault(name, []).append(item["name"])
    used = {name for names in entries.values() for name in names}
    return {
        "form": hook_code.FORM,
        "package": package,
        "base_url": f"{base_url.rstrip('/')}/" if base_url else "",
        "heuristics": {
            item["name"]: {
                "title": _escaped(item["title"]),
                "note": _plain(item["note"]["markdown"]),
                # doc-builder has no danger
                "alert": "CAUTION"
                if item["severity"] == "danger"
                else item["severity"].upper(),
                **{key: item[key] for key in ("since", "until", "url")},
            }
            for item in sorted(items, key=lambda item: str(item["name"]))
            if item["name"] in used
        },
        "entries": dict(sorted(entries.items())),
    }


def _escaped(title: str) -> str:
    """Return a title that Markdown reads as text, also inside of a link."""
    return re.sub(r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(title.split()))


def _plain(note: str) -> str:
    """Return a note as Markdown outside of a table, with one backtick around code.

    The index has code that holds backticks in tags; doc-builder takes code in several
    backticks for reStructuredText.
    """
    note = re.sub(r"(?<!\\)\\\|", "|", note)

    def code(found: re.Match[str]) -> str:
        text = re.sub(r"\\(.)", r"\1", found[1])
        return "`" + text.replace("`", "'") + "`"

    return re.sub(r"(?<!\\)<code>(.*?)</code>", code, note)


def files_of(data: dict[str, Any]) -> dict[str, str]:
    """Return the texts of the two files."""
    code = Path(hook_code.__file__).read_text(encoding="utf-8")
    return {CODE: code, DATA: json.dumps(data, ensure_ascii=False, indent=2) + "\n"}


def differences(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield the lines in which the files differ from those that would be written."""
    for name, text in files.items():
        path = out / name
        old = (
            path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        )
        yield from difflib.unified_diff(
            old.splitlines(), text.splitlines(), str(path), "up to date", lineterm=""
        )


def write(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Replace the files that differ, all or none, and yield a line on each.

    Raises HookError where a file cannot be written.
    """
    written: dict[Path, Path] = {}
    path = out
    try:
        for name, text in files.items():
            path, content = (out / name).resolve(), text.encode("utf-8")
            if not path.is_file() or path.read_bytes() != content:
                # in the same folder, so that it can take the file's place in one step
                written[path] = path.with_name(f".{name}.{os.getpid()}")
                written[path].write_bytes(content)
        for path, scratch in written.items():
            scratch.replace(path)
    except OSError as error:
        raise HookError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        for scratch in written.values():
            scratch.unlink(missing_ok=True)
    for name in files:
        state = "written" if (out / name).resolve() in written else "unchanged"
        yield f"{out / name}: {state}"


def without_place(heuristics: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    """Yield a line on each entry and each heuristic that has no place."""
    package, version = heuristics["package"]["name"], heuristics["package"]["version"]
    left_out: dict[str, str] = {}
    problem = f"{package} cannot be imported, so which docstrings there are is unknown"
    module = hook_code.attempt(problem, importlib.import_module, package)
    if isinstance(module, str):
        yield module
    else:
        _found, left_out = hook_code.places(data["entries"], module)
    for name, reason in left_out.items():
        yield f"{name}: {reason}; left out: {', '.join(data['entries'][name])}"
    placed = {
        name
        for entry, names in data["entries"].items()
        if entry not in left_out
        for name in names
    }
    for item in heuristics["heuristics"]:
        if item["name"] not in placed:
            reason = "no object with a docstring of its own shows it"
            reason = (
                reason if item["holds"] else f"it does not hold for {package} {version}"
            )
            yield (
                f"{item['name']}: no place: "
                f"{reason if item['inject'] else 'it has no-inject'}"
            )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog=PROG, description="Work with documentation for Hugging Face's doc-builder."
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = commands.add_parser(
        "hook",
        help="write the files that show heuristics in docstrings, as alerts, when "
        "doc-builder reads them",
        description=f"Write {CODE} and {DATA}, which doc-builder's _config.py uses.",
        epilog="Exit code: 0 fine, 1 a warning of the type heuristic, or the files are "
        "out of date (--check), 2 misuse or failure, 130 Ctrl-C.",
    )
    command.add_argument(
        "docs",
        metavar="DOCS",
        type=Path,
        help="the folder of the Sphinx project's conf.py",
    )
    command.add_argument(
        "out", metavar="OUT", type=Path, help="the folder of doc-builder's _config.py"
    )
    where = (
        "where the site with the heuristics is published; without it, titles are "
        "no links"
    )
    command.add_argument("--base-url", metavar="URL", type=_url, help=where)
    command.add_argument(
        "--check", action="store_true", help="write nothing, print what is out of date"
    )
    command.add_argument(
        "-v", action="store_true", dest="verbose", help="print what Sphinx says"
    )
    return whole


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s()<>\\]+", text):
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
    out: Path = arguments.out
    if not out.is_dir():
        raise HookError(
            f"{out}: no such folder; OUT is the folder of doc-builder's _config.py"
        )
    heuristics, log = heuristics_of(arguments.docs)
    if arguments.verbose:
        sys.stderr.write(log.getvalue())
    if log.warnings:
        sys.stdout.writelines(log.warnings)
        problem = "fix the warnings above; nothing is written"
        sys.stderr.write(f"{PROG}: error: {arguments.docs}: {problem}\n")
        return _FINDING
    data = data_of(heuristics, arguments.base_url or "")
    files = files_of(data)
    if arguments.check:
        lines = list(differences(out, files))
        sys.stdout.writelines(f"{line}\n" for line in lines or [f"{out}: up to date"])
        return _FINDING if lines else 0
    sys.stdout.writelines(f"{line}\n" for line in write(out, files))
    sys.stdout.writelines(f"{line}\n" for line in without_place(heuristics, data))
    config = out / "_config.py"
    if not config.is_file() or CODE not in config.read_text(encoding="utf-8"):
        sys.stderr.write(f"{config}: put this at its start:\n\n{LINES}")
    return 0
