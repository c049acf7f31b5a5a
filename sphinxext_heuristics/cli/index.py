"""``index``: write the index file, or compare it."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics.build.builders import index_place, is_translation, path_of
from sphinxext_heuristics.cli.project import CommandError, add_options, opened, read
from sphinxext_heuristics.cli.terminal import note, say, say_diff
from sphinxext_heuristics.config import not_set
from sphinxext_heuristics.files import index_file
from sphinxext_heuristics.model import Subtype

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "index",
        help="write the index file heuristics_index_file, or compare it",
        description="Write the index file that heuristics_index_file in conf.py names, if it differs from the pages.",
        epilog="Exit code: 0 fine, 1 the file differs (with --check), 2 misuse or failure.",
    )
    add_options(command)
    command.add_argument("--check", action="store_true", help="only compare, and print what differs as a unified diff")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write or compare the file; return the exit code."""
    with opened(arguments) as app:
        if is_translation(app):
            raise CommandError(
                f"there are message catalogues for {app.config.language!r}: this is a translation, and the index "
                "is in the source language; choose that with -D language=…"
            )
        plan = read(app, leaves={Subtype.INDEX})
        place = index_place(app, plan.settings)
        if plan.settings.index_file is None:
            raise CommandError(f"{not_set(app.config, place.conf_py, 'heuristics_index_file')}: there is no index file")
        if index_file.is_outside(place.path, place.srcdir):
            raise CommandError(index_file.outside_message(place))
        wanted = index_file.content(plan, place.path, path_of(app.env))
        found = found_in(place.path)
        if arguments.check:
            return _check(place, found, wanted, arguments.color)
        _refuse_page(app, place.path, found)
    return bring_up_to_date(place.path, found, wanted)


def bring_up_to_date(path: Path, found: str | None, wanted: str) -> int:
    """Write a file if it does not hold what is *wanted*, and say which of both; return the exit code."""
    if found == wanted:
        note(f"{seen(path)} is up to date")
    else:
        write(path, wanted)
        say(seen(path))
    return 0


def found_in(path: Path) -> str | None:
    """Return what a file holds, ``None`` if it is not there.

    Raises CommandError where it cannot be read.
    """
    try:
        return index_file.read(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error


def _check(place: index_file.Place, found: str | None, wanted: str, color: str) -> int:
    differs = index_file.difference(found or "", wanted)
    if found is not None and differs is None:
        note(f"{seen(place.path)} is up to date")
        return 0
    name = seen(place.path)
    what = "the index file is not there" if found is None else "the index differs from the pages, here first"
    line = 1 if differs is None else differs.line
    note(f"{name}:{line}: WARNING: {what}; to write it: {place.command} [heuristic.index]")
    say_diff(index_file.unified(found or "", wanted, name), color)
    return 1


def seen(path: Path) -> str:
    """Return a path as seen from the working directory, if it lies below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _refuse_page(app: Sphinx, path: Path, found: str | None) -> None:
    """Raise CommandError where the file is a page of the documentation: writing would destroy it."""
    pages = (Path(app.env.doc2path(docname)).resolve() for docname in app.env.found_docs)
    if found is not None and index_file.HEAD not in found and path.resolve() in pages:
        raise CommandError(
            f"{path} is a page of the documentation and no index; let heuristics_index_file name another file"
        )


def write(path: Path, text: str) -> None:
    """Replace a file's text at once or not at all; its mode, line ends and symbolic link stay.

    Raises CommandError where it cannot be written.
    """
    real = path.resolve()
    try:
        _replace(real, _with_line_ends(text, real))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def _with_line_ends(text: str, real: Path) -> bytes:
    with suppress(FileNotFoundError):
        if b"\r\n" in real.read_bytes():
            text = text.replace("\n", "\r\n")
    return text.encode("utf-8")


def _replace(real: Path, raw: bytes) -> None:
    mode = _mode(real)
    # In the same folder, so that it can take the file's place in one step.
    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(mode)
        scratch.replace(real)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _mode(real: Path) -> int:
    """Return the mode of a file, or the one that a new file has."""
    try:
        return stat.S_IMODE(real.stat().st_mode)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
