"""Releases of a package as folders of source text: fetched with pip, unpacked, and never run."""

from __future__ import annotations

import lzma
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from sphinxext_heuristics.cli.project import CommandError
from sphinxext_heuristics.evidence.scope import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many files of source a wheel may have, and how many bytes they all: PyTorch has two thousand and 40 MB.
MAX_FILES, MAX_TOTAL = 20_000, 512 * 2**20

#: How long pip may take for one wheel, in seconds.
_PATIENCE = 600

#: The part of a wheel that is installed beside its packages, ``name-1.0.data/purelib``.
_DATA = re.compile(r"[^/]+\.data/(?:pure|plat)lib/")

#: What cannot be a part of a path: Windows reads a colon as a drive or a stream.
_BAD = re.compile(r"[\\:\x00-\x1f]")


class NotGotError(Exception):
    """A release that could not be got; the message says why."""


class NoIndexError(NotGotError):
    """Nothing that pip looks at has any release: there is no use in asking for others."""


def cache_folder() -> Path:
    """Return the folder of the user where releases are kept."""
    named = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or ""
    base = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    return base / "sphinxext-heuristics" / "releases"


def unpacked(distribution: str, release: str, cache: Path, gone: NotGotError | None = None) -> Path:
    """Return the folder that holds the source of a release; it is fetched if it is not there yet.

    With *gone*, why there is no use in fetching, only what is there already is returned.

    Raises `NotGotError` where the release cannot be got, `CommandError` where the cache cannot be written.
    """
    folder = cache / f"{canonicalize_name(distribution)}-{release}"
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    if gone is not None:
        raise gone
    try:
        if folder.is_dir():
            folder.rmdir()
        cache.mkdir(parents=True, exist_ok=True)
        # In the cache, so that all of it is there in one step or nothing.
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
            wheel = fetch(distribution, release, Path(scratch))
            source = Path(scratch, "source")
            source.mkdir()
            unpack(wheel, source)
            if not folder.is_dir():  # another process may have been faster
                source.rename(folder)
    except OSError as error:
        raise CommandError(f"the cache {cache} cannot be written: {error.strerror or error}") from error
    return folder


def fetch(distribution: str, release: str, folder: Path) -> Path:
    """Let pip put the wheel of a release into a folder, under pip's own configuration; return its file.

    Raises `NotGotError`.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    # What it needs, and which Python it runs on, does not matter for what is only read.
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--dest", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - this Python's pip; release and name were checked
            [*command, f"{distribution}=={release}"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotGotError(f"pip was not done after {_PATIENCE} seconds") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode == 0 and wheels:
        return wheels[0]
    raise _reason(done.stderr)


def _reason(said: str) -> NotGotError:
    if "from versions: none" in said:
        return NoIndexError("pip found no wheel of any release: is there a network?")
    lines = said.strip().splitlines() or ["pip gave no wheel"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    return NotGotError(errors[-1].removeprefix("ERROR:").strip())


def unpack(wheel: Path, folder: Path) -> None:
    """Write the Python source of a wheel into a folder.

    Raises `NotGotError` where the wheel is damaged, too large, or has a file that would lie elsewhere.
    """
    for path, raw in _contents(wheel):
        _write(folder.joinpath(*path.parts), raw)


def _contents(wheel: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the path and the bytes of each file of source in a wheel."""
    total = 0
    try:
        with zipfile.ZipFile(wheel) as archive:
            for number, (member, path) in enumerate(_sources(archive), 1):
                # What it says of its sizes may be wrong: no more is read than is allowed.
                with archive.open(member) as file:
                    raw = file.read(MAX_BYTES + 1)
                total += len(raw)
                if len(raw) > MAX_BYTES or total > MAX_TOTAL or number > MAX_FILES:
                    raise NotGotError(f"its wheel is refused: too large or too many files ({member.filename!r})")
                yield path, raw
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise NotGotError(f"its wheel cannot be read: {error}") from error


def _sources(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Yield the files of source with the paths that they are installed to."""
    for member in archive.infolist():
        path = PurePosixPath(_DATA.sub("", member.filename, count=1))
        is_outside = path.is_absolute() or not {"..", "."}.isdisjoint(path.parts)
        # A file that leads out is no accident: nothing of such a wheel is to be trusted.
        if is_outside or _BAD.search(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
            raise NotGotError(f"its wheel is refused: it holds {member.filename!r}")
        if path.suffix == ".py" and not member.is_dir():
            yield member, path


def _write(path: Path, raw: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise NotGotError(f"its wheel is refused: {path.name!r} is a file and a folder") from error
