"""Releases of a package as folders of source text: installed aside by pip, and never run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name

from sphinxext_heuristics.cli.project import CommandError


class NotGotError(Exception):
    """A release that could not be downloaded; the message says why."""


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

    Raises `NotGotError` if the release cannot be downloaded, `CommandError` if the cache cannot be written.
    """
    folder = cache / f"{canonicalize_name(distribution)}-{release}"
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    if gone is not None:
        raise gone
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # In the cache, so that all of it is there in one step or nothing.
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
            source = Path(scratch, "source")
            fetch(distribution, release, source)
            for path in source.rglob("*"):
                if path.is_file() and path.suffix != ".py":
                    path.unlink()
            source.replace(folder)
    except OSError as error:
        raise CommandError(f"the cache {cache} cannot be written: {error.strerror or error}") from error
    return folder


def fetch(distribution: str, release: str, folder: Path) -> None:
    """Let pip install the wheel of a release into a new folder, under pip's own configuration.

    Raises `NotGotError`.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    # What it needs, and which Python it runs on, does not matter for what is only read.
    command += ["--no-deps", "--no-compile", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--target", str(folder), f"{distribution}=={release}"]
    # Name and release were checked.
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)  # noqa: S603 - this Python's pip
    if done.returncode == 0:
        return
    if "from versions: none" in done.stderr:
        raise NoIndexError("pip found no wheel of any release: is there a network?")
    lines = done.stderr.strip().splitlines() or ["pip failed without a message"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    raise NotGotError(errors[-1].removeprefix("ERROR:").strip())
