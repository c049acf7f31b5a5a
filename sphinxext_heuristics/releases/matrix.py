"""Which heuristic holds in which release: the record of it and its file. Free of Sphinx."""

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

from sphinxext_heuristics.files.project_file import read as read_file
from sphinxext_heuristics.model import Found, Reason, Subtype
from sphinxext_heuristics.versions import holds, is_empty_range, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sphinxext_heuristics.model import Evidence, Heuristic, Lost
    from sphinxext_heuristics.resolve.plan import Plan


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Heuristics and releases."""

    #: The package whose releases they are.
    package: str
    #: Heuristic → its row.
    rows: dict[str, Row]

    @property
    def releases(self) -> tuple[str, ...]:
        """Return all releases, from the oldest to the newest."""
        return in_order({release for row in self.rows.values() for release in row.standings})

    def of(self, record: Heuristic) -> dict[str, Standing]:
        """Return release → standing of a heuristic; nothing if it quotes something else by now."""
        row = self.rows.get(record.name)
        return row.standings if row and row.quotes == quotes(record, self.package) else {}


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
        if one.is_of(package) and not any(problem.subtype is Subtype.OPTION for problem in one.problems)
    ]


def quotes(record: Heuristic, package: str) -> str:
    """Return a digest of what a heuristic quotes from a package, in whatever order; ``""`` for nothing."""
    parts = sorted([one.module, one.qualname, one.quote, one.prose] for one in quoted(record, package))
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest() if parts else ""


def standing(found: Sequence[Found | Lost]) -> Standing | None:
    """Return what follows from where quotes are; ``None`` if a file that cannot be parsed leaves it open."""
    if all(isinstance(one, Found) for one in found):
        return Standing.HELD
    reasons = {None if isinstance(one, Found) else one.reason for one in found}
    if Reason.UNPARSABLE in reasons:
        return None
    # With some of it there, a reader should look rather than believe that nothing of it concerns them.
    return Standing.DRIFTED if reasons & {None, Reason.NOT_THERE} else Standing.ABSENT


# -- bounds ---------------------------------------------------------------------------


class Contradictions(NamedTuple):
    """The releases that contradict a heuristic's bounds."""

    #: Within the bounds, though it does not hold there.
    within: tuple[str, ...] = ()
    #: Outside the bounds, though it holds there.
    outside: tuple[str, ...] = ()


def contradictions(since: str, until: str, standings: Mapping[str, Standing]) -> Contradictions:
    """Return the releases that contradict bounds, the empty ones being none.

    One where it has drifted is none: it may hold there for another reason, which its author knows. Nor is one where
    it holds, but which other bounds could take in only together with one where it is absent or has drifted.
    """
    if is_empty_range(since, until):  # which is a problem of its own
        return Contradictions()
    order = in_order(standings)
    before = [release for release in order if not holds(since, "", release)]
    after = [release for release in order if not holds("", until, release)]
    next_below = takewhile(lambda release: standings[release] is Standing.HELD, reversed(before))
    next_above = takewhile(lambda release: standings[release] is Standing.HELD, after)
    return Contradictions(
        within=tuple(
            release for release in order if holds(since, until, release) and standings[release] is Standing.ABSENT
        ),
        outside=(*reversed(list(next_below)), *next_above),
    )


# -- the file -------------------------------------------------------------------------


def text_of(matrix: Matrix) -> str:
    """Return what the file holds, a line for each heuristic and release, so that a difference is easily read."""
    rows = {
        name: {
            "quotes": row.quotes,
            "releases": {release: row.standings[release] for release in in_order(row.standings)},
        }
        for name, row in sorted(matrix.rows.items())
    }
    return json.dumps({"package": matrix.package, "heuristics": rows}, ensure_ascii=False, indent=1) + "\n"


def matrix_of(plan: Plan) -> Matrix | Unusable | None:
    """Return what the file of releases says; ``None`` where conf.py names none."""
    return plan.once(_load)


def _load(plan: Plan) -> Matrix | Unusable | None:
    if plan.settings.releases_file is None:
        return None
    path = Path(os.path.normpath(plan.lookups.srcdir / plan.settings.releases_file))
    try:
        text = read_file(path)
    except OSError as error:
        return Unusable(f"heuristics_releases_file {str(path)!r} cannot be read: {error.strerror}; remove it and run")
    if text is None:
        return Unusable(f"the file of releases {str(path)!r} is not there; to write it")
    try:
        matrix = read(text)
    except (ValueError, RecursionError) as error:
        what = f"this is no file of releases: {getattr(error, 'msg', error)}"
        return Unusable(f"{what}; {_REPAIR}", getattr(error, "lineno", 1))
    if matrix.package != plan.settings.package:
        what = f"these are releases of {matrix.package!r}, but heuristics_package is {plan.settings.package!r}"
        return Unusable(f"{what}; {_REPAIR}", 1)
    return matrix


_REPAIR = "fix the file, or remove it and run"


def read(text: str) -> Matrix:
    """Return what the text of a file says.

    Raises `ValueError` with the reason if it says nothing that can be understood.
    """
    match json.loads(text):
        case {"package": str(package), "heuristics": dict(rows)}:
            lines = {line.strip(): number for number, line in enumerate(text.split("\n"), 1)}
            return Matrix(package=package, rows={name: _row(name, row, lines) for name, row in rows.items()})
    raise ValueError("it does not hold 'package' and 'heuristics'")


def _row(name: str, row: Any, lines: Mapping[str, int]) -> Row:  # noqa: ANN401 - what a file held
    match row:
        case {"quotes": str(digest), "releases": dict(releases)}:
            for release, word in releases.items():
                if parse(release) is None or word not in set(Standing):
                    raise ValueError(f"of {name!r} it says {release!r}: {word!r}")
            standings = {release: Standing(releases[release]) for release in in_order(releases)}
            line = lines.get(f"{json.dumps(name, ensure_ascii=False)}: {{", 1)
            return Row(quotes=digest, standings=standings, line=line)
    raise ValueError(f"what it says of {name!r} does not hold 'quotes' and 'releases'")
