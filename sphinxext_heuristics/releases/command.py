"""The command: find out which heuristic holds in which release of the package."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sphinxext_heuristics.api import (
    CommandError,
    Found,
    Subtype,
    add_options,
    bounds,
    bring_up_to_date,
    distribution,
    look_for,
    opened,
    read,
    required,
)
from sphinxext_heuristics.api import run as run_parsed
from sphinxext_heuristics.releases import matrix
from sphinxext_heuristics.releases.matrix import Matrix, MatrixRow, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sphinxext_heuristics.api import Evidence, ProjectFile, PublicCatalogue

#: The name of the extension, by which its command is run.
NAME = "sphinxext_heuristics.releases"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    command = argparse.ArgumentParser(
        prog=f"python -m {NAME}",
        description="""
            Look for what the heuristics quote in releases of heuristics_package, write
            the file that heuristics_releases_file names, and print the row of each
            heuristic whose bounds do not agree. pip fetches the wheels, with its own
            configuration, once each; only their source text is kept, and none of it is
            run.
        """,
        epilog="""
            Exit code: 0 fine, 1 a release could not be downloaded, bounds do not agree,
            or the file differs (with --check), 2 misuse or failure.
        """,
    )
    add_options(command, run)
    command.add_argument(
        "--releases",
        metavar="VERSIONS",
        type=_releases,
        default={},
        help="releases to look into besides those of the file, separated by commas",
    )
    command.add_argument(
        "--why",
        action="store_true",
        help="print what was not found, and what is there instead",
    )
    command.add_argument(
        "--check",
        action="store_true",
        help="only compare, and print what differs as a unified diff",
    )
    return run_parsed(command, argv)


def say(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{line}\n")


def note(line: str) -> None:
    """Print a line of progress or a remark, which is no result."""
    sys.stderr.write(f"{line}\n")


def _releases(text: str) -> dict[Version, str]:
    found: dict[Version, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            version = Version(part)
        except InvalidVersion as error:
            message = f"{part!r} is not a version such as 0.21.2"
            raise argparse.ArgumentTypeError(message) from error
        found.setdefault(version, str(version))
    if not found:
        raise argparse.ArgumentTypeError("no version is named")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Look into the releases, and write or compare the file."""
    with opened(arguments) as app:
        if NAME not in app.extensions:
            conf_py = Path(app.confdir, "conf.py")
            raise CommandError(f"{NAME!r} is not among the extensions in {conf_py}")
        file = required(matrix.file_of(app))
        if not app.config.heuristics_package:
            message = f"heuristics_package is not set in {file.conf_py}"
            raise CommandError(message)
        # What this command prints and writes need not be a warning as well.
        plan = read(app, leaves={Subtype.EVIDENCE, Subtype.VERSION, Subtype.CONFIG})
    before = _before(plan.catalogue, file)
    wanted = _wanted(arguments.releases, before, file)
    found = _look(plan.catalogue, wanted, arguments)
    after = _after(plan.catalogue, wanted, found, before)
    contradicted = list(_contradicted(plan.catalogue, after))
    for line in contradicted:
        say(line)
    if not (found or after.rows):
        note("no release could be downloaded; file not written")
        return 1
    remark = ""
    if arguments.check:
        what = "differs" if file.path.exists() else "is not there"
        remark = (
            f"{file.path} {what}; to write it, run the same command without --check"
        )
    code = bring_up_to_date(file, matrix.text_of(after), remark)
    return int(len(found) < len(wanted) or bool(contradicted or code))


def _before(catalogue: PublicCatalogue, file: ProjectFile) -> Matrix:
    """Return the matrix of the file.

    Raises CommandError for a file with another content, which would be lost.
    """
    before = matrix.load(file, catalogue.package) or Matrix(catalogue.package, {})
    if before.fault and file.path.exists():
        raise CommandError(
            f"{file.path}:{before.line}: {before.fault}: {matrix.naming_releases(file)}"
        )
    return before


def _wanted(
    named: Mapping[Version, str], before: Matrix, file: ProjectFile
) -> tuple[str, ...]:
    """Return the releases that the file should have: its own and the named ones."""
    # A release stays as the file writes it: 1.0 is 1.0.0.
    known = {Version(release): release for release in before.releases}
    wanted = matrix.in_order({**named, **known}.values())
    if not wanted:
        command = matrix.naming_releases(file)
        raise CommandError(f"no release is named; name some: {command}")
    return wanted


# -- looking into releases ------------------------------------------------------------


def _look(
    catalogue: PublicCatalogue, wanted: Sequence[str], arguments: argparse.Namespace
) -> dict[str, dict[str, Standing]]:
    """Map each release to heuristics and their standings; print what was found."""
    package = catalogue.package
    name = distribution(package) or package
    quoted = _quoted(catalogue)
    looked: dict[str, dict[str, Standing]] = {}
    for release in wanted:
        try:
            folder = unpacked(name, release)
            module = Path(folder, *package.split("."))
            if not (module.is_dir() or module.with_suffix(".py").is_file()):
                raise DownloadError(  # noqa: TRY301 - one more way to have no release
                    f"its wheel has no package {package!r} (kept in {folder})"
                )
        except DownloadError as error:
            note(f"{name} {release}: not downloaded: {error}")
            continue
        standings = dict(_standings(quoted, folder, release, why=arguments.why))
        looked[release] = standings
        if not (arguments.quiet or arguments.really_quiet):
            numbers = Counter(standings.values())
            counts = ", ".join(
                f"{numbers[standing]} {standing}" for standing in Standing
            )
            note(f"{name} {release}: {counts}")
    return looked


def _quoted(catalogue: PublicCatalogue) -> dict[str, list[Evidence]]:
    """Map each heuristic that quotes the package to its quotes."""
    found = {}
    for record in catalogue.heuristics.values():
        if quoted := matrix.quoted(record, catalogue.package):
            found[record.name] = quoted
    return found


def _standings(
    quoted: Mapping[str, list[Evidence]], folder: Path, release: str, *, why: bool
) -> Iterator[tuple[str, Standing]]:
    """Yield heuristics and their standings in a release; print *why* on request."""
    evidence = [*chain.from_iterable(quoted.values())]
    results = dict(zip(evidence, look_for(evidence, folder), strict=True))
    for name, quotes in quoted.items():
        found = [results[quote] for quote in quotes]
        for result in found:
            if why and not isinstance(result, Found):
                say(f"{name}, {release}: {result.message}")
        if standing := matrix.standing(found):
            yield name, standing
        else:
            why_unknown = "a file cannot be parsed by this Python"
            note(f"{name}, {release}: unknown: {why_unknown}")


# -- what follows ---------------------------------------------------------------------


def _after(
    catalogue: PublicCatalogue,
    wanted: Sequence[str],
    looked: Mapping[str, Mapping[str, Standing]],
    before: Matrix,
) -> Matrix:
    """Return the new matrix; a release that was not read keeps its standings."""
    rows = {}
    for record in catalogue.heuristics.values():
        known = dict(before.of(record))
        for release, standings in looked.items():
            if record.name in standings:
                known[release] = standings[record.name]
        kept = {release: known[release] for release in wanted if release in known}
        if kept:
            rows[record.name] = MatrixRow(matrix.quotes(record, before.package), kept)
    return Matrix(before.package, rows)


def _contradicted(catalogue: PublicCatalogue, after: Matrix) -> Iterator[str]:
    """Yield the row of each heuristic whose bounds the releases contradict."""
    for name, row in sorted(after.rows.items()):
        record = catalogue.heuristics[name]
        if any(matrix.contradictions(record.since, record.until, row.standings)):
            cells = [f"{release} {how}" for release, how in row.standings.items()]
            yield f"{name} ({bounds(record) or 'no bounds'}): {', '.join(cells)}"


# -- releases as folders of source text, which is never run ---------------------------


class DownloadError(Exception):
    """A release that could not be downloaded; the message says why."""


def cache_folder() -> Path:
    """Return the folder of the user where releases are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "sphinxext-heuristics", "releases")


def unpacked(distribution: str, release: str) -> Path:
    """Return the folder that holds the source of a release, fetched if need be.

    Raises `DownloadError` if the release cannot be downloaded, `OSError` if the cache
    cannot be written.
    """
    cache = cache_folder()
    folder = cache / f"{canonicalize_name(distribution)}-{release}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    # In the cache, so that all of it is there in one step or nothing.
    with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
        source = Path(scratch, "source")
        fetch(distribution, release, source)
        for path in source.rglob("*"):
            if path.is_file() and path.suffix != ".py":
                path.unlink()
        source.replace(folder)
    return folder


def fetch(distribution: str, release: str, folder: Path) -> None:
    """Let pip install the wheel of a release into a new folder, as pip is configured.

    Raises `DownloadError`.
    """
    # What it needs, and which Python it runs on, does not matter for what is only read.
    options = (
        "--quiet --no-input --disable-pip-version-check --no-deps --no-compile "
        "--only-binary=:all: --ignore-requires-python"
    )
    command = [sys.executable, "-m", "pip", "install", *options.split()]
    command += ["--target", str(folder), f"{distribution}=={release}"]
    done = subprocess.run(  # noqa: S603 - this Python's pip
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2].removeprefix("ERROR:").strip()
        raise DownloadError(last or "pip failed without a message")
