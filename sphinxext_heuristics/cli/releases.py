"""``releases``: find out which heuristic holds in which release of the documented package, and keep it in a file."""

from __future__ import annotations

import argparse
import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from sphinxext_heuristics import versions
from sphinxext_heuristics.build.builders import RELEASES_FILE
from sphinxext_heuristics.cli.project import CommandError, add_options, opened, read, read_evidence
from sphinxext_heuristics.cli.terminal import note, say, say_diff
from sphinxext_heuristics.cli.wheels import NoIndexError, NotGotError, cache_folder, unpacked
from sphinxext_heuristics.cli.writing import bring_up_to_date, file_of, found_in, seen
from sphinxext_heuristics.files.differences import unified
from sphinxext_heuristics.model import Found, Subtype
from sphinxext_heuristics.releases import checks as release_checks
from sphinxext_heuristics.releases.matrix import (
    Matrix,
    Row,
    Standing,
    contradictions,
    in_order,
    matrix_of,
    quoted,
    quotes,
    results,
    standing,
    text_of,
)
from sphinxext_heuristics.resolve.listing import bounds
from sphinxext_heuristics.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sphinxext_heuristics.files.project_file import ProjectFile
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.resolve.plan import Plan

#: The name of a distribution, as the packaging standards have it.
_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "releases",
        help="find out which heuristic holds in which release of the documented package",
        description=(
            "Look for what the heuristics quote in releases of heuristics_package, write the file that "
            "heuristics_releases_file names, and print the row of each heuristic whose bounds do not agree. pip "
            "fetches the wheels, with its own configuration, once each; only their source text is kept, and none of "
            "it is run."
        ),
        epilog=(
            "Exit code: 0 fine, 1 a release could not be got, bounds do not agree, or the file differs (with --check), "
            "2 misuse or failure."
        ),
    )
    add_options(command, doctrees=False)
    command.add_argument(
        "--releases",
        metavar="VERSIONS",
        type=_releases,
        default=(),
        help="releases to look into besides those that the file has, separated by commas",
    )
    command.add_argument(
        "--drop", metavar="VERSIONS", type=_releases, default=(), help="releases to take out of the file"
    )
    command.add_argument(
        "--cache", metavar="PATH", type=Path, help="the folder where releases are kept (default: %(default)s)"
    )
    command.set_defaults(cache=cache_folder())
    command.add_argument("--distribution", metavar="NAME", help="what pip calls the package, if that cannot be told")
    command.add_argument("--why", action="store_true", help="print what was not found, and what is there instead")
    command.add_argument("--all", action="store_true", help="read all pages, docstrings among them")
    command.add_argument("--check", action="store_true", help="only compare, and print what differs as a unified diff")
    command.set_defaults(run=run)


def _releases(text: str) -> tuple[str, ...]:
    found: dict[Version, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            version = Version(part)
        except InvalidVersion as error:
            raise argparse.ArgumentTypeError(f"{part!r} is not a version such as 0.21.2") from error
        found.setdefault(version, str(version))
    if not found:
        raise argparse.ArgumentTypeError("no version is named")
    return in_order(found.values())


def run(arguments: argparse.Namespace) -> int:
    """Look into the releases, and write or compare the file; return the exit code."""
    with opened(arguments) as app:
        file = file_of(app, RELEASES_FILE)
        plan = read(app, leaves={Subtype.EVIDENCE, Subtype.VERSION}) if arguments.all else read_evidence(app)
        quiet = app.quiet
    if not plan.settings.package:
        raise CommandError(f"heuristics_package is not set in {file.conf_py}; set it to the package to look into")
    before = _before(plan, file, arguments)
    found = found_in(file.path)
    found = found.removeprefix("\ufeff") if found else found
    wanted = _wanted(arguments, file, before.releases)
    looked = _look(plan, _registry(plan, arguments), wanted, quiet=quiet)
    matrix = _matrix(plan, wanted, looked, before, reads_all=arguments.all)
    for name, release, why in looked.why if arguments.why else ():
        say(f"{name}, {release}: {why}")
    contradicted = list(_contradicted(plan, matrix))
    for line in contradicted:
        say(line)
    unread = [name for name in matrix.rows if name not in plan.heuristics]
    if unread and not quiet:
        note(f"not read, and left as they are (--all reads all): {', '.join(unread)}")
    findings = bool(looked.missing or contradicted)
    if not (looked.standings or before.releases):
        note("no release could be downloaded; file not written")
        return 1
    if arguments.check:
        code = _check(arguments, file, found, text_of(matrix))
    else:
        code = bring_up_to_date(file.path, found, text_of(matrix))
    return int(findings or code)


def _before(plan: Plan, file: ProjectFile, arguments: argparse.Namespace) -> Matrix:
    """Return what the file says; one that says something else is not to be lost."""
    before = matrix_of(plan)
    if isinstance(before, Matrix):
        return before
    if before and before.is_there:
        again = _again(arguments, file, arguments.releases or before.releases or (release_checks.VERSIONS,))
        where = f"{file.path}:{before.line}: " if before.line else ""
        raise CommandError(where + release_checks.told(before, again))
    return Matrix(package=plan.settings.package, rows={})


def _wanted(arguments: argparse.Namespace, file: ProjectFile, known: Sequence[str]) -> tuple[str, ...]:
    """Return the releases that the file should have: those it has and those that are named, less those to drop."""
    named, kept, drop = ({Version(one): one for one in some} for some in (arguments.releases, known, arguments.drop))
    if both := drop.keys() & named.keys():
        raise CommandError(f"--releases and --drop both name {', '.join(drop[one] for one in sorted(both))}")
    if strange := drop.keys() - kept.keys():
        unknown = ", ".join(drop[one] for one in sorted(strange))
        raise CommandError(f"--drop names {unknown}, but {file.path} does not")
    # A release stays as the file writes it: 1.0 is 1.0.0.
    wanted = in_order(one for version, one in {**named, **kept}.items() if version not in drop)
    if not wanted:
        raise CommandError(f"say which releases: {_again(arguments, file, (release_checks.VERSIONS,))}")
    return wanted


def _again(arguments: argparse.Namespace, file: ProjectFile, releases: Sequence[str]) -> str:
    """Return the command that writes the file from *releases*, its other options as they were given."""
    given = [
        ("--releases", ",".join(releases)),
        ("--drop", ",".join(arguments.drop)),
        ("--distribution", arguments.distribution),
        ("--cache", str(arguments.cache) if arguments.cache != cache_folder() else ""),
        *(("-D", f"{name}={value}") for name, value in arguments.define),
        *(("-t", tag) for tag in arguments.tags),
    ]
    options = [f"{option} {shlex.quote(value)}" for option, value in given if value]
    return " ".join([file.command, *(["--all"] if arguments.all else []), *options])


# -- looking into releases ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found in the releases that could be got."""

    #: Release → heuristic → how it stands there, if that can be told.
    standings: dict[str, dict[str, Standing]]
    #: The releases that could not be got.
    missing: list[str]
    #: Heuristic, release, and what was not found there in words.
    why: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Where releases come from."""

    #: What pip calls the package.
    distribution: str
    #: Where they are kept.
    cache: Path


def _registry(plan: Plan, arguments: argparse.Namespace) -> Registry:
    name = arguments.distribution or versions.distribution(plan.settings.package)
    if not _DISTRIBUTION.fullmatch(name):
        raise CommandError(f"{name!r} is not the name of a distribution; --distribution names it")
    return Registry(distribution=name, cache=arguments.cache.absolute())


def _look(plan: Plan, registry: Registry, wanted: Sequence[str], *, quiet: bool) -> Looked:
    """Look into each release; say of each that cannot be got why, and of the others what was found."""
    looked = Looked(standings={}, missing=[], why=[])
    records = [record for record in plan.heuristics.values() if quoted(record, plan.settings.package)]
    gone: NotGotError | None = None
    for release in wanted:
        try:
            sources = _sources(plan.settings.package, registry, release, gone)
        except NotGotError as error:
            gone = error if isinstance(error, NoIndexError) else gone
            looked.missing.append(release)
            note(f"{registry.distribution} {release}: not got: {error}")
            continue
        looked.standings[release] = _standings(plan.settings.package, records, sources, looked.why, release)
        if not quiet:
            note(f"{registry.distribution} {release}: {_counted(looked.standings[release])}")
    return looked


def _sources(package: str, registry: Registry, release: str, gone: NotGotError | None) -> Sources:
    """Return where the source of a release is; with *gone*, of one that is kept already."""
    folder = unpacked(registry.distribution, release, registry.cache, gone)
    sources = Sources([str(folder)])
    if not sources.exists(package):
        raise NotGotError(f"its wheel has no package {package!r}; is --distribution another? (kept in {folder})")
    return sources


def _standings(
    package: str, records: Sequence[Heuristic], sources: Sources, why: list[tuple[str, str, str]], release: str
) -> dict[str, Standing]:
    standings: dict[str, Standing] = {}
    # One module after the other: few parsed files are remembered.
    for record in sorted(records, key=lambda record: quoted(record, package)[0].module):
        found = results(record, package, sources)
        why += [(record.name, release, one.message) for one in found if not isinstance(one, Found)]
        if how := standing(found):
            standings[record.name] = how
        else:
            note(f"{record.name}, {release}: it cannot be told: a file cannot be parsed by this Python")
    return standings


def _counted(standings: Mapping[str, Standing]) -> str:
    counts = Counter(standings.values())
    return ", ".join(f"{counts[how]} {how}" for how in Standing)


# -- what follows ---------------------------------------------------------------------


def _matrix(plan: Plan, wanted: Sequence[str], looked: Looked, before: Matrix, *, reads_all: bool) -> Matrix:
    """Return what the file should say of the releases that are *wanted*.

    Of heuristics that were not read, and of those that no release was got for, it says what it said *before*.
    """
    rows: dict[str, Row] = {}
    for name in sorted({*plan.heuristics, *before.rows}):
        row = _row(plan, name, looked, before, reads_all=reads_all)
        standings = {release: row.standings[release] for release in wanted if release in row.standings} if row else {}
        if row and standings:
            rows[name] = Row(quotes=row.quotes, standings=standings)
    known = {*before.releases, *looked.standings}
    return Matrix(
        package=plan.settings.package, rows=rows, others=tuple(release for release in wanted if release in known)
    )


def _row(plan: Plan, name: str, looked: Looked, before: Matrix, *, reads_all: bool) -> Row | None:
    old = before.rows.get(name)
    record = plan.heuristics.get(name)
    if record is None:
        return None if reads_all else old
    digest = quotes(record, plan.settings.package)
    if not digest:
        return None
    found = {release: standings[name] for release, standings in looked.standings.items() if name in standings}
    known = {**before.of(record), **found}
    return Row(quotes=digest, standings=known) if known else old


def _contradicted(plan: Plan, matrix: Matrix) -> Iterator[str]:
    """Yield the row of each heuristic whose bounds the releases contradict, for its author to read."""
    for name in matrix.rows:
        if record := plan.heuristics.get(name):
            standings = matrix.of(record)
            if contradictions(record.since, record.until, standings):
                row = ", ".join(f"{release} {standings[release]}" for release in in_order(standings))
                yield f"{name} ({bounds(record) or 'no bounds'}): {row}"


def _check(arguments: argparse.Namespace, file: ProjectFile, found: str | None, wanted: str) -> int:
    if found == wanted:
        note(f"{seen(file.path)} is up to date")
        return 0
    what = "is not there" if found is None else "differs"
    note(f"{seen(file.path)} {what}; to write it: {_again(arguments, file, arguments.releases)}")
    say_diff(unified(found or "", wanted, seen(file.path)), arguments.color)
    return 1
