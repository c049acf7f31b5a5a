"""Which heuristic holds in which release: the record of it, its file, and what is wrong with it. Free of Sphinx."""

from __future__ import annotations

import enum
import hashlib
import json
import os.path
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.files.project_file import read as read_file
from sphinxext_heuristics._core.model import Found, LostReason, Problem, Subtype
from sphinxext_heuristics._core.resolve.listing import bounds
from sphinxext_heuristics._core.versions import holds, is_empty_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sphinxext_heuristics._core.files.project_file import ProjectFile
    from sphinxext_heuristics._core.model import Evidence, Heuristic, Lost
    from sphinxext_heuristics._core.resolve.plan import Plan


class Standing(enum.StrEnum):
    """Whether what a heuristic quotes is in a release."""

    #: All of it is.
    HELD = "held"
    #: The modules and objects are, or some of them, and read otherwise.
    DRIFTED = "drifted"
    #: None of the modules and objects is.
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One heuristic in the releases."""

    #: A digest of what it quoted when the releases were read.
    quotes: str
    #: Release → its standing; what is unknown is left out.
    standings: dict[str, Standing]
    #: The row's first line in the file, from 1.
    line: int = field(default=1, compare=False, repr=False)


class Matrix(NamedTuple):
    """Heuristics and releases."""

    #: The package whose releases they are.
    package: str
    #: Heuristic → its row.
    rows: dict[str, Row]

    @property
    def releases(self) -> tuple[str, ...]:
        """Return all releases, from the oldest to the newest."""
        return in_order(
            {release for row in self.rows.values() for release in row.standings}
        )

    def of(self, record: Heuristic) -> dict[str, Standing]:
        """Return release → standing of a heuristic; nothing if it quotes something else by now."""
        row = self.rows.get(record.name)
        return (
            row.standings if row and row.quotes == quotes(record, self.package) else {}
        )


class Unusable(NamedTuple):
    """Why there is no matrix though a file is named."""

    #: What is wrong and what to do, up to the command that does it.
    message: str
    #: The line of the file at fault, from 1; 0 if its content is not the fault.
    line: int = 0


def in_order(releases: Iterable[str]) -> tuple[str, ...]:
    """Return releases from the oldest to the newest."""
    return tuple(sorted(releases, key=lambda release: (Version(release), release)))


# -- what is quoted -------------------------------------------------------------------


def quoted(record: Heuristic, package: str) -> list[Evidence]:
    """Return what a heuristic quotes from a package, as far as its author wrote it right."""
    return [
        one
        for one in record.evidence
        if one.is_of(package)
        and not any(problem.subtype is Subtype.OPTION for problem in one.problems)
    ]


def quotes(record: Heuristic, package: str) -> str:
    """Return a digest of what a heuristic quotes from a package, in whatever order; ``""`` for nothing."""
    parts = sorted(
        [one.module, one.qualname, one.quote, one.prose]
        for one in quoted(record, package)
    )
    return (
        hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()
        if parts
        else ""
    )


def standing(found: Sequence[Found | Lost]) -> Standing | None:
    """Return what follows from where quotes are; ``None`` if a file that cannot be parsed leaves it open."""
    if all(isinstance(one, Found) for one in found):
        return Standing.HELD
    reasons = {None if isinstance(one, Found) else one.reason for one in found}
    if LostReason.UNPARSABLE in reasons:
        return None
    # With some of it there, a reader should look rather than believe that nothing of it
    # concerns them.
    return (
        Standing.DRIFTED if reasons & {None, LostReason.NOT_THERE} else Standing.ABSENT
    )


# -- bounds ---------------------------------------------------------------------------


def contradictions(
    since: str, until: str, standings: Mapping[str, Standing]
) -> tuple[list[str], list[str]]:
    """Return the releases within bounds where a heuristic is absent, and those next to them where it is held.

    Empty bounds are none. A release where it has drifted is in neither: it may hold
    there for another reason, which its author knows. Nor is one where it is held, but
    which other bounds could take in only together with one where it is absent or has
    drifted.
    """
    if is_empty_range(since, until):  # which is a problem of its own
        return [], []
    order = in_order(standings)
    within = [
        release
        for release in order
        if holds(since, until, release) and standings[release] is Standing.ABSENT
    ]
    before = [release for release in reversed(order) if not holds(since, "", release)]
    after = [release for release in order if not holds("", until, release)]
    below, above = (
        list(takewhile(lambda release: standings[release] is Standing.HELD, side))
        for side in (before, after)
    )
    return within, [*reversed(below), *above]


# -- the file -------------------------------------------------------------------------


def text_of(matrix: Matrix) -> str:
    """Return what the file holds, a line for each heuristic and release, so that a difference is easily read."""
    rows = {
        name: {
            "quotes": row.quotes,
            "releases": {
                release: row.standings[release] for release in in_order(row.standings)
            },
        }
        for name, row in sorted(matrix.rows.items())
    }
    return (
        json.dumps(
            {"package": matrix.package, "heuristics": rows},
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def matrix_of(plan: Plan) -> Matrix | Unusable | None:
    """Return what the file of releases says; ``None`` where conf.py names none."""
    return plan.once(_load)


def _load(plan: Plan) -> Matrix | Unusable | None:
    if plan.settings.releases_file is None:
        return None
    path = Path(os.path.normpath(plan.lookups.srcdir / plan.settings.releases_file))
    try:
        text = read_file(path)
        if text is None:
            return Unusable(
                f"the file of releases {str(path)!r} is not there; to write it"
            )
        matrix = read(text)
    except (OSError, ValueError, RecursionError) as error:
        what = f"this is no file of releases: {getattr(error, 'msg', error)}"
        return Unusable(f"{what}; {_REPAIR}", getattr(error, "lineno", 1))
    if matrix.package != plan.settings.package:
        what = (
            f"these are releases of {matrix.package!r}, but heuristics_package is "
            f"{plan.settings.package!r}"
        )
        return Unusable(f"{what}; {_REPAIR}", 1)
    return matrix


_REPAIR = "fix the file, or remove it and run"


def read(text: str) -> Matrix:
    """Return what the text of a file says.

    Raises `ValueError` with the reason if it says nothing that can be understood.
    """
    match json.loads(text):
        case {"package": str(package), "heuristics": dict(rows)}:
            lines = {
                line.strip(): number for number, line in enumerate(text.split("\n"), 1)
            }
            return Matrix(
                package=package,
                rows={name: _row(name, row, lines) for name, row in rows.items()},
            )
    raise ValueError("it does not hold 'package' and 'heuristics'")


def _row(name: str, row: Any, lines: Mapping[str, int]) -> Row:  # noqa: ANN401 - what a file held
    match row:
        case {"quotes": str(digest), "releases": dict(releases)}:
            standings = {
                release: Standing(releases[release]) for release in in_order(releases)
            }
            line = lines.get(f"{json.dumps(name, ensure_ascii=False)}: {{", 1)
            return Row(quotes=digest, standings=standings, line=line)
    raise ValueError(f"what it says of {name!r} does not hold 'quotes' and 'releases'")


# -- what is wrong --------------------------------------------------------------------


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield every problem that has to do with releases; *file* says where the file is and how it is written."""
    matrix = matrix_of(plan)
    if matrix is None:
        return
    if not plan.settings.package:
        message = (
            "heuristics_releases_file requires heuristics_package: set it to the "
            "package whose releases to check"
        )
        yield file.problem(Subtype.CONFIG, message)
    elif isinstance(matrix, Unusable):
        yield file.problem(
            Subtype.CONFIG, f"{matrix.message}: {naming_releases(file)}", matrix.line
        )
    else:
        yield from _of_rows(plan, matrix, file)
        for record in plan.heuristics.values():
            yield from _of_record(plan, matrix, record, file)


def naming_releases(file: ProjectFile) -> str:
    """Return the command that writes the file of releases, where a user must name them."""
    return f"{file.command} --releases VERSION,VERSION"


def _of_rows(plan: Plan, matrix: Matrix, file: ProjectFile) -> Iterator[Problem]:
    """Yield the problem of each row whose heuristic is gone, or no longer quotes anything."""
    for name, row in matrix.rows.items():
        record = plan.heuristics.get(name)
        if record is None:
            what = (
                f"no heuristic is named "
                f"{name!r}{did_you_mean(closest(name, plan.heuristics, 1))}"
            )
        elif not quotes(record, matrix.package):
            what = f"the heuristic {name!r} quotes nothing from {matrix.package!r}"
        else:
            continue
        yield file.problem(
            Subtype.EVIDENCE,
            f"stale entry: {what}; to rewrite the file: {file.command}",
            row.line,
        )


def _of_record(
    plan: Plan, matrix: Matrix, record: Heuristic, file: ProjectFile
) -> Iterator[Problem]:
    now = quotes(record, matrix.package)
    row = matrix.rows.get(record.name)
    if now and not row:
        message = (
            f"the file of releases does not list {record.name!r}; to rewrite it: "
            f"{file.command}"
        )
        yield Problem.at(record, Subtype.EVIDENCE, message)
    elif now and row and row.quotes != now:
        message = (
            f"what {record.name!r} quotes has changed since it was looked for "
            f"in the releases; "
            f"to look for it again: {file.command}"
        )
        yield Problem.at(record, Subtype.EVIDENCE, message)
    elif record.since or record.until:
        yield from _of_bounds(plan, matrix, record)


def _of_bounds(plan: Plan, matrix: Matrix, record: Heuristic) -> Iterator[Problem]:
    """Yield the problems of bounds that releases contradict.

    The installed one is left out: what it contradicts is a problem of its own.
    """
    standings = {
        release: how
        for release, how in matrix.of(record).items()
        if release != plan.lookups.version
    }
    within, outside = contradictions(record.since, record.until, standings)
    said = f"heuristic {record.name!r} holds for {bounds(record)}, but"
    if within:
        message = (
            f"{said} nothing that it quotes from is in {matrix.package} "
            f"{', '.join(within)}: correct its bounds"
        )
        yield Problem.at(record, Subtype.VERSION, message)
    if outside:
        message = (
            f"{said} all that it quotes is in {matrix.package} "
            f"{', '.join(outside)}, too: "
            "correct its bounds, or quote what has changed"
        )
        yield Problem.at(record, Subtype.VERSION, message)
