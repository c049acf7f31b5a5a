"""The hook for doc-builder: what it shows, from the data that the builder ``heuristics`` writes.

Two files: :mod:`hook_code`, which only changes with this package, and the heuristics as JSON.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.cmd.build import main as sphinx_build

from sphinxext_heuristics.docbuilder import hook_code

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The names of the files in doc-builder's folder.
CODE, DATA = "_heuristics.py", "_heuristics.json"
#: What ``_config.py`` must hold.
LINES = f"""\
import runpy


runpy.run_path(__file__.replace("_config.py", "{CODE}"))["add_alerts"]()
"""

_SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")


class HookError(Exception):
    """The files cannot be written; the message says why, in words for a user."""


def heuristics_of(docs: Path, *, verbose: bool = False) -> dict[str, Any]:
    """Run the builder ``heuristics`` on the project with conf.py in *docs* and read its data.

    :raises HookError: There is no such project, or it cannot be built.
    """
    if not (docs / "conf.py").is_file():
        raise HookError(f"{docs}: no conf.py there; DOCS is the folder of the Sphinx project's conf.py")
    log = sys.stderr if verbose else io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            code = sphinx_build(["--no-color", "-b", "heuristics", "-d", f"{folder}/doctrees", str(docs), str(out)])
        path = out / "heuristics.json"
        if code or not path.is_file():
            raise HookError(_failure(docs, log.getvalue() if isinstance(log, io.StringIO) else ""))
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not data["package"]["name"]:
        raise HookError(f'{docs / "conf.py"}: set heuristics_package, for example heuristics_package = "peft"')
    return data


def _failure(docs: Path, log: str) -> str:
    if "Builder name heuristics not registered" in log:
        return f'{docs / "conf.py"}: add "sphinxext_heuristics" to extensions'
    return "\n".join([f"{docs}: Sphinx cannot build it (-v shows all that it says)", *log.split("\n")[-6:]]).strip()


def data_of(heuristics: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Choose what the hook shows of ``heuristics.json``, always in the same order; *base_url* may be empty."""
    package, items = heuristics["package"]["name"], heuristics["heuristics"]
    entries: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: (_SEVERITIES.index(item["severity"]), -item.get("weight", 0))):
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
                "alert": "CAUTION" if item["severity"] == "danger" else item["severity"].upper(),
                **{key: item[key] for key in ("since", "until", "url")},
            }
            for item in sorted(items, key=lambda item: str(item["name"]))
            if item["name"] in used
        },
        "entries": dict(sorted(entries.items())),
    }


def _escaped(title: str) -> str:
    """Write a title so that Markdown reads it as text, also inside of a link."""
    return re.sub(r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(title.split()))


def _plain(note: str) -> str:
    """Undo what only a table needs, and code in several backticks, which doc-builder takes for reStructuredText."""
    note = re.sub(r"(?<!\\)\\\|", "|", note)
    return re.sub(r"(``+) ?(.+?) ?\1(?!`)", lambda code: "`" + code[2].replace("`", "'") + "`", note)


def files_of(data: dict[str, Any]) -> dict[str, str]:
    """Give the texts of the two files."""
    code = Path(hook_code.__file__).read_text(encoding="utf-8")
    return {CODE: code, DATA: json.dumps(data, ensure_ascii=False, indent=2) + "\n"}


def differences(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Yield, line by line, what differs between the files that exist and those that would be written."""
    for name, text in files.items():
        path = out / name
        old = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        yield from difflib.unified_diff(old.splitlines(), text.splitlines(), str(path), "up to date", lineterm="")


def write(out: Path, files: dict[str, str]) -> Iterator[str]:
    """Write the files that differ, and yield a line on each."""
    for name, text in files.items():
        path = out / name
        same = path.is_file() and path.read_bytes() == text.encode("utf-8")
        if not same:
            path.write_bytes(text.encode("utf-8"))
        yield f"{path}: {'unchanged' if same else 'written'}"


def without_place(heuristics: dict[str, Any], data: dict[str, Any]) -> Iterator[str]:
    """Yield a line on each heuristic that no docstring will show, and on each entry that takes none."""
    package, version = heuristics["package"]["name"], heuristics["package"]["version"]
    left_out: dict[str, str] = {}
    try:
        _found, left_out = hook_code.places(data, importlib.import_module(package))
    except Exception as error:  # noqa: BLE001 - as a package is imported, anything may be raised
        yield f"{package} cannot be imported, so which docstrings there are is unknown: {type(error).__name__}: {error}"
    for name, reason in left_out.items():
        yield f"{name}: {reason}; left out: {', '.join(data['entries'][name])}"
    placed = {name for entry, names in data["entries"].items() if entry not in left_out for name in names}
    for item in heuristics["heuristics"]:
        if item["name"] not in placed:
            reason = "no object with a docstring of its own shows it"
            reason = reason if item["holds"] else f"it does not hold for {package} {version}"
            yield f"{item['name']}: no place: {reason if item['inject'] else 'it has no-inject'}"
