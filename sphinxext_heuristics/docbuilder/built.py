"""The heuristics, built with Sphinx beside doc-builder's pages, and their problems."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from typing import TYPE_CHECKING

from sphinx.cmd.build import main as sphinx_build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .cards import Json

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
