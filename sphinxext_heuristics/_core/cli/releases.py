"""``releases``: find out which heuristic holds in which release of the documented package, and keep it in a file."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from sphinxext_heuristics._core import versions
from sphinxext_heuristics._core.cli.project import (
    CommandError,
    add_options,
    opened,
    read,
)
from sphinxext_heuristics._core.cli.writing import (
    bring_up_to_date,
    file_of,
    note,
    say,
    seen,
)
from sphinxext_heuristics._core.config import Settings
from sphinxext_heuristics._core.evidence.search import verify
from sphinxext_heuristics._core.integration.builders import RELEASES_FILE
from sphinxext_heuristics._core.integration.conf_py import not_set
from sphinxext_heuristics._core.model import Found, Subtype
from sphinxext_heuristics._core.releases import matrix
from sphinxext_heuristics._core.releases.matrix import Matrix, Row, Standing
from sphinxext_heuristics._core.resolve.listing import bounds
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sphinxext_heuristics._core.files.project_file import ProjectFile
    from sphinxext_heuristics._core.releases.matrix import Unusable
    from sphinxext_heuristics._core.resolve.plan import Plan


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "releases",
        help="find out which heuristic holds in which release of the documented "
        "package",
        description=(
            "Look for what the heuristics quote in releases of "
            "heuristics_package, write the file that "
            "heuristics_releases_file names, and print the row of each "
            "heuristic whose bounds do not agree. pip "
            "fetches the wheels, with its own configuration, once each; only "
            "their source text is kept, and none of "
            "it is run."
        ),
        epilog=(
            "Exit code: 0 fine, 1 a release could not be downloaded, bounds do "
            "not agree, or the file differs (with "
            "--check), 2 misuse or failure."
        ),
    )
    add_options(command, run)
    command.add_argument(
        "--releases",
        metavar="VERSIONS",
        type=_releases,
        default={},
        help="releases to look into besides those that the file has, separated by "
        "commas",
    )
    command.add_argument(
        "--drop",
        metavar="VERSIONS",
        type=_releases,
        default={},
        help="releases to take out of the file",
    )
    command.add_argument(
        "--cache",
        metavar="PATH",
        type=Path,
        help="the folder where releases are kept (default: %(default)s)",
    )
    command.set_defaults(cache=cache_folder())
    command.add_argument(
        "--distribution",
        metavar="NAME",
        help="what pip calls the package, if that is another name",
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


def _releases(text: str) -> dict[Version, str]:
    found: dict[Version, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        version = versions.parse(part)
        if version is None:
            raise argparse.ArgumentTypeError(
                f"{part!r} is not a version such as 0.21.2"
            )
        found.setdefault(version, str(version))
    if not found:
        raise argparse.ArgumentTypeError("no version is named")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Look into the releases, and write or compare the file; return the exit code."""
    with opened(arguments) as app:
        file = file_of(app, RELEASES_FILE)
        if not Settings.of(app.config).package:
            raise CommandError(not_set(app.config, file.conf_py, "heuristics_package"))
        # What this command prints and writes need not be a warning as well.
        plan = read(app, leaves={Subtype.EVIDENCE, Subtype.VERSION, Subtype.CONFIG})
    before = _before(matrix.matrix_of(plan), file, plan.settings.package)
    wanted = _wanted(arguments, file, before.releases)
    looked = _look(plan, wanted, arguments)
    after = Matrix(
        package=before.package, rows=dict(_rows(plan, wanted, looked, before))
    )
    contradicted = list(_contradicted(plan, after))
    for line in contradicted:
        say(line)
    if not (looked or after.rows):
        note("no release could be downloaded; file not written")
        return 1
    what = "differs" if file.path.exists() else "is not there"
    remark = (
        f"{seen(file.path)} {what}; to write it, run the same command without --check"
    )
    code = bring_up_to_date(
        file, matrix.text_of(after), remark if arguments.check else ""
    )
    return int(len(looked) < len(wanted) or bool(contradicted or code))


def _before(known: Matrix | Unusable | None, file: ProjectFile, package: str) -> Matrix:
    """Return what the file says; one that says something else must not be lost."""
    if isinstance(known, Matrix):
        return known
    if known and file.path.exists():
        raise CommandError(
            f"{file.path}:{known.line or 1}: {known.message}: "
            f"{matrix.naming_releases(file)}"
        )
    return Matrix(package=package, rows={})


def _wanted(
    arguments: argparse.Namespace, file: ProjectFile, known: Sequence[str]
) -> tuple[str, ...]:
    """Return the releases that the file should have: those it has and those that are named, less those to drop."""
    named, drop, kept = (
        arguments.releases,
        arguments.drop,
        {Version(one): one for one in known},
    )
    if strange := drop.keys() - kept.keys():
        unknown = ", ".join(drop[one] for one in sorted(strange))
        raise CommandError(f"--drop names {unknown}, but {file.path} does not")
    # A release stays as the file writes it: 1.0 is 1.0.0.
    wanted = matrix.in_order(
        one for version, one in {**named, **kept}.items() if version not in drop
    )
    if not wanted:
        raise CommandError(
            f"no release is named; name some: {matrix.naming_releases(file)}"
        )
    return wanted


# -- looking into releases ------------------------------------------------------------


def _look(
    plan: Plan, wanted: Sequence[str], arguments: argparse.Namespace
) -> dict[str, dict[str, Standing]]:
    """Return release → heuristic → its standing there; print of each release what was found, or why it was not read."""
    name = arguments.distribution or versions.distribution(plan.settings.package)
    looked: dict[str, dict[str, Standing]] = {}
    for release in wanted:
        try:
            sources = _sources(
                plan.settings.package,
                unpacked(name, release, arguments.cache.absolute()),
            )
        except DownloadError as error:
            note(f"{name} {release}: not downloaded: {error}")
            continue
        looked[release] = dict(_standings(plan, sources, release, why=arguments.why))
        if not (arguments.quiet or arguments.really_quiet):
            counts = Counter(looked[release].values())
            note(
                f"{name} {release}: "
                f"{', '.join(f'{counts[how]} {how}' for how in Standing)}"
            )
    return looked


def _sources(package: str, folder: Path) -> Sources:
    sources = Sources([str(folder)])
    if not sources.exists(package):
        raise DownloadError(
            f"its wheel has no package {package!r}; is --distribution another? "
            f"(kept in {folder})"
        )
    return sources


def _standings(
    plan: Plan, sources: Sources, release: str, *, why: bool
) -> Iterator[tuple[str, Standing]]:
    """Yield heuristics and their standings in a release; print what is not there if a user asks *why*."""
    package = plan.settings.package
    records = [
        record for record in plan.heuristics.values() if matrix.quoted(record, package)
    ]
    # One module after the other: few parsed files are remembered.
    for record in sorted(
        records, key=lambda record: matrix.quoted(record, package)[0].module
    ):
        found = [verify(one, sources) for one in matrix.quoted(record, package)]
        for one in found:
            if why and not isinstance(one, Found):
                say(f"{record.name}, {release}: {one.message}")
        if how := matrix.standing(found):
            yield record.name, how
        else:
            note(
                f"{record.name}, {release}: unknown: a file cannot be parsed "
                f"by this Python"
            )


# -- what follows ---------------------------------------------------------------------


def _rows(
    plan: Plan,
    wanted: Sequence[str],
    looked: Mapping[str, Mapping[str, Standing]],
    before: Matrix,
) -> Iterator[tuple[str, Row]]:
    """Yield what the file should say of the releases that are *wanted*: what it said *before* where none was read."""
    for record in plan.heuristics.values():
        found = {
            release: standings[record.name]
            for release, standings in looked.items()
            if record.name in standings
        }
        known = {**before.of(record), **found}
        if standings := {
            release: known[release] for release in wanted if release in known
        }:
            yield (
                record.name,
                Row(quotes=matrix.quotes(record, before.package), standings=standings),
            )


def _contradicted(plan: Plan, made: Matrix) -> Iterator[str]:
    """Yield the row of each heuristic whose bounds the releases contradict, for its author to read."""
    for name, row in sorted(made.rows.items()):
        record = plan.heuristics[name]
        if any(matrix.contradictions(record.since, record.until, row.standings)):
            listed = ", ".join(
                f"{release} {row.standings[release]}" for release in row.standings
            )
            yield f"{name} ({bounds(record) or 'no bounds'}): {listed}"


# -- releases as folders of source text: installed aside by pip, and never run -----------


class DownloadError(Exception):
    """A release that could not be downloaded; the message says why."""


def cache_folder() -> Path:
    """Return the folder of the user where releases are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "sphinxext-heuristics", "releases")


def unpacked(distribution: str, release: str, cache: Path) -> Path:
    """Return the folder that holds the source of a release; it is fetched if it is not there yet.

    Raises `DownloadError` if the release cannot be downloaded, `OSError` if the cache
    cannot be written.
    """
    folder = cache / f"{canonicalize_name(distribution)}-{release}"
    if folder.is_dir() and any(folder.iterdir()):
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
    """Let pip install the wheel of a release into a new folder, under pip's own configuration.

    Raises `DownloadError`.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    # What it needs, and which Python it runs on, does not matter for what is only read.
    command += [
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--ignore-requires-python",
    ]
    command += ["--target", str(folder), f"{distribution}=={release}"]
    done = subprocess.run(  # noqa: S603 - this Python's pip
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise DownloadError(
            last.removeprefix("ERROR:").strip() or "pip failed without a message"
        )
