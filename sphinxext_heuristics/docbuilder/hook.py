"""The hook for doc-builder: its files, made of ``heuristics.json``, and its command.

Two files: :mod:`hook_code`, which only changes with this package, and the heuristics as
JSON. The command's results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import inspect
import io
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.cmd.build import main as sphinx_build

from . import hook_code

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
#: On more cards than these, a heuristic is named by the command.
_MANY = 10
#: A warning of heuristics, up to its type. Those of the site's index, reach and release
#: files are not meant: the copy that is built does not have them.
_WARNING = re.compile(
    r"^.*WARNING: (?!the file of releases .* is not there)"
    r"(?:.*\n(?!.*WARNING: ))*?.* \[heuristic(?:\.(?!index|reach)\w+)?\]$",
    re.MULTILINE,
)
_SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")


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
    shutil.copytree(pages, source)
    copy = source / "heuristics"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(heuristics, copy, ignore=shutil.ignore_patterns("*.txt"))
    return source


def data_of(
    heuristics: dict[str, Any], base_url: str, *, everything: bool = False
) -> dict[str, Any]:
    """Return what the hook shows of ``heuristics.json``, always in the same order.

    *base_url* may be empty. What only ``+`` or ``*`` reaches is left out, but for the
    lines at parameters, unless *everything* is exported.
    """
    package = heuristics["package"]["name"]
    items = sorted(
        heuristics["heuristics"],
        key=lambda it: (_SEVERITIES.index(it["severity"]), -it["weight"]),
    )
    shown: dict[str, dict[str, list[str]]] = {"alerts": {}, "lines": {}}
    used = {}
    for item in items:
        for kind, key in {*_places(item, everything=everything)}:
            if key.startswith(f"{package}."):
                shown[kind].setdefault(key, []).append(item["name"])
                used[item["name"]] = _item(item, base_url)
    return {
        "package": package,
        "heuristics": used,
        **{kind: dict(sorted(found.items())) for kind, found in shown.items()},
    }


def _places(item: dict[str, Any], *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield where a heuristic is shown: as what, and the name with its parameter."""
    for entry in item["entries"]:
        parameter = entry["parameter"]
        key = f"{entry['name']}#{parameter}" if parameter else entry["name"]
        is_wide = entry["reach"] == "wide"
        if parameter or everything or not is_wide:
            yield "lines" if parameter and is_wide else "alerts", key
    if item["holds"] and item["inject"]:
        # a member that is documented nowhere may be named at its class's card
        for connection in item["connections"]:
            is_missing = connection["type"] == "impl" and not connection["names"]
            if is_missing and not re.search(r"[+*]", connection["target"]):
                yield "lines", connection["target"]


def _item(item: dict[str, Any], base_url: str) -> dict[str, Any]:
    return {
        "title": _escaped(item["title"]),
        "note": _plain(item["note"]["markdown"]),
        # doc-builder has no danger
        "alert": item["severity"].upper().replace("DANGER", "CAUTION"),
        "url": base_url and f"{base_url.rstrip('/')}/{item['url']}",
        "except": item["except"],
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
    code = inspect.getsource(hook_code)
    text = json.dumps(data, ensure_ascii=False, indent=2)
    # a list of names is one line
    text = re.sub(
        r"\[\n([^\[\]]*)\n *\]", lambda found: f"[{' '.join(found[1].split())}]", text
    )
    return {CODE: code, DATA: f"{text}\n"}


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
    """Replace the files that differ, all or none, and yield a line on each."""
    stale = [name for name, text in files.items() if _text(out / name) != text]
    # in the same folder, so that a file can take another's place in one step
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        for name in stale:
            Path(scratch, name).write_text(files[name], encoding="utf-8")
        for name in stale:
            Path(scratch, name).replace(out / name)
    for name in files:
        yield f"{out / name}: {'written' if name in stale else 'unchanged'}"


def report(data: dict[str, Any]) -> Iterator[str]:
    """Yield lines: how much is open, what is on many cards, which objects have none."""
    problem = f"{data['package']} cannot be imported, so its cards are unknown"
    package = hook_code.attempt(problem, importlib.import_module, data["package"])
    if isinstance(package, str):
        yield package
        return
    cards, left_out = hook_code.cards(data, package)
    on_cards: Counter[str] = Counter()
    at_parameters = 0
    for card in cards.values():
        shown = [note for note in card.notes if note.is_open]
        own = [note.name for note in shown if not note.parameter]
        on_cards.update(own[: hook_code.MAX_SHOWN])
        counts = Counter(note.parameter for note in shown if note.parameter)
        open_at_one = [
            min(count, hook_code.MAX_AT_PARAMETER) for count in counts.values()
        ]
        at_parameters += sum(open_at_one)
    yield (
        f"{on_cards.total()} alerts stand open, and {at_parameters} at parameters; "
        f"{len(cards)} docstrings"
    )
    for name, count in on_cards.most_common():
        if count > _MANY:
            yield f"{name}: open on {count} cards"
    for name, reason in left_out.items():
        yield f"{name}: {reason}"


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
        epilog="Exit code: 0 fine, 1 a warning of the type heuristic, or the files are "
        "out of date (--check), 2 misuse or failure, 130 Ctrl-C.",
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
        help="where the heuristics are published; without it, titles are bold text "
        "and no links",
    )
    add("--all", action="store_true", help="also what only + or * reaches, as alerts")
    add("--check", action="store_true", help="write nothing, print what is out of date")
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
    if warnings:
        for warning in warnings:
            local = warning.replace(f"{source}/heuristics/", f"{directory}/")
            sys.stdout.write(local.replace(f"{source}/", f"{pages}/") + "\n")
        sys.stderr.write(
            f"{PROG}: error: {conf}: fix the warnings above; nothing is written\n"
        )
        return _FINDING
    data = data_of(heuristics, arguments.base_url, everything=arguments.all)
    files = files_of(data)
    if arguments.check:
        lines = list(differences(pages, files))
        sys.stdout.writelines(f"{line}\n" for line in lines or [f"{pages}: up to date"])
        return _FINDING if lines else 0
    for line in (*write(pages, files), *report(data)):
        sys.stdout.write(f"{line}\n")
    config = pages / "_config.py"
    if CODE not in _text(config):
        sys.stderr.write(f"{config}: put this at its start:\n\n{LINES}")
    return 0
