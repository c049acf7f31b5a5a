"""Which heuristic holds in which release: the record of it, its file, and the bounds that follow. Free of Sphinx."""

from __future__ import annotations

import enum
import hashlib
import json
import os.path
import re
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from sphinxext_heuristics.evidence import verify
from sphinxext_heuristics.model import Found, Reason, Subtype
from sphinxext_heuristics.versions import holds, is_empty_range, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sphinxext_heuristics.model import Evidence, Heuristic, Lost
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.source.packages import Sources


class Standing(enum.StrEnum):
    """How a heuristic stands in a release."""

    #: All that it quotes is there.
    HELD = "held"
    #: What it quotes from is there, or some of it, and reads otherwise.
    DRIFTED = "drifted"
    #: None of the modules and objects that it quotes from is there.
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One heuristic in the releases."""

    #: A digest of what it quoted when the releases were read.
    quotes: str
    #: Release → how it stands there; what could not be told is left out.
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
    #: Releases to look into of which no row tells anything.
    others: tuple[str, ...] = ()

    @property
    def releases(self) -> tuple[str, ...]:
        """Return all releases, from the oldest to the newest."""
        return in_order({*self.others, *(release for row in self.rows.values() for release in row.standings)})

    def of(self, record: Heuristic) -> dict[str, Standing]:
        """Return release → how a heuristic stands there; nothing if it quotes something else by now."""
        row = self.rows.get(record.name)
        return row.standings if row and row.quotes == quotes(record, self.package) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why there is no matrix though a file is named."""

    #: In words, the beginning of a message.
    message: str
    #: What to do, the beginning of a command to follow; ``""`` where no command mends it.
    remedy: str = ""
    #: The line of the file at fault, from 1; 0 if it is not the file's content.
    line: int = 0
    #: The releases that a damaged file names all the same.
    releases: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        """Return whether there is something in the file's place, which must not be lost."""
        return self.remedy == MEND


#: What to do where no file is, and where one is that cannot be understood.
WRITE, MEND = "to write it", "mend it, or remove it and write it anew"


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


def results(record: Heuristic, package: str, sources: Sources) -> list[Found | Lost]:
    """Return, for all that a heuristic quotes from a package, where it stands in *sources*."""
    return [verify(one, sources) for one in quoted(record, package)]


def standing(found: Sequence[Found | Lost]) -> Standing | None:
    """Return what follows from where quotes stand; ``None`` if a file that cannot be parsed leaves it open."""
    if all(isinstance(one, Found) for one in found):
        return Standing.HELD
    reasons = {None if isinstance(one, Found) else one.reason for one in found}
    if Reason.UNPARSABLE in reasons:
        return None
    # With some of it there, a reader is better told to look than that nothing of it concerns them.
    return Standing.DRIFTED if reasons & {None, Reason.NOT_THERE} else Standing.ABSENT


# -- bounds ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradictions:
    """The releases that contradict a heuristic's bounds."""

    #: Within the bounds, though it does not hold there.
    within: tuple[str, ...] = ()
    #: Outside the bounds, though it holds there.
    outside: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.within or self.outside)


def contradictions(since: str, until: str, standings: Mapping[str, Standing]) -> Contradictions:
    """Return the releases that contradict bounds, the empty ones being none.

    One where it has drifted is none: it may hold there for another reason, which an author can tell. Nor is one where
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

#: How a row begins in the file.
_ROW = re.compile(r'\s*(?P<name>"(?:[^"\\]|\\.)*"): \{')

#: How a release stands in it.
_RELEASE = re.compile(r'"([^"\s]+)": *"[a-z]*"')


def text_of(matrix: Matrix) -> str:
    """Return what the file holds, a line for each heuristic and release, so that a difference is easily read."""
    rows = {
        name: {
            "quotes": row.quotes,
            "releases": {release: row.standings[release] for release in in_order(row.standings)},
        }
        for name, row in sorted(matrix.rows.items())
    }
    listed = {release for row in matrix.rows.values() for release in row.standings}
    others = [release for release in matrix.releases if release not in listed]
    data = {"package": matrix.package, **({"releases": others} if others else {}), "heuristics": rows}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def matrix_of(plan: Plan) -> Matrix | Unusable | None:
    """Return what the file of releases says; ``None`` where conf.py names none."""
    return plan.once(_load)


def _load(plan: Plan) -> Matrix | Unusable | None:
    if plan.settings.releases_file is None:
        return None
    return load(Path(os.path.normpath(plan.lookups.srcdir / plan.settings.releases_file)), plan.settings.package)


def load(path: Path, package: str) -> Matrix | Unusable:
    """Return what a file says of the releases of *package*, or why it says nothing of use."""
    if not package:
        return Unusable(message="heuristics_releases_file wants heuristics_package, whose releases they are")
    try:
        # Editors on Windows may put a byte order mark before the text.
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except FileNotFoundError:
        return Unusable(message=f"the file of releases {str(path)!r} is not there", remedy=WRITE)
    except OSError as error:
        message = f"heuristics_releases_file {str(path)!r} cannot be read: {error.strerror}"
        return Unusable(message=message, remedy=MEND)
    return _understood(text, package)


def _understood(text: str, package: str) -> Matrix | Unusable:
    try:
        matrix = read(text)
    except json.JSONDecodeError as error:
        return _damaged(error.msg, text, error.lineno)
    except (ValueError, RecursionError) as error:
        return _damaged(str(error), text, 1)
    if matrix.package != package:
        message = f"these are releases of {matrix.package!r}, but heuristics_package is {package!r}"
        return Unusable(message=message, remedy=MEND, line=1)
    return matrix


def _damaged(why: str, text: str, line: int) -> Unusable:
    releases = in_order({release for release in _RELEASE.findall(text) if parse(release)})
    return Unusable(message=f"this is no file of releases: {why}", remedy=MEND, line=line, releases=releases)


def read(text: str) -> Matrix:
    """Return what the text of a file says.

    Raises `ValueError` with the reason if it says nothing that can be understood.
    """
    match json.loads(text):
        case {"package": str(package), "heuristics": dict(rows), **rest}:
            lines = _lines(text)
            return Matrix(
                package=package,
                rows={name: _row(name, row, lines) for name, row in rows.items()},
                others=_others(rest.get("releases", [])),
            )
    raise ValueError("it does not hold 'package' and 'heuristics'")


def _others(releases: Any) -> tuple[str, ...]:  # noqa: ANN401 - what a file held
    if isinstance(releases, list) and all(isinstance(release, str) and parse(release) for release in releases):
        return in_order(releases)
    raise ValueError(f"as 'releases' it has {releases!r}")


def _lines(text: str) -> dict[str, int]:
    """Return name → the first line that looks like the beginning of its row."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if match := _ROW.match(line):
            found.setdefault(json.loads(match["name"]), number)
    return found


def _row(name: str, row: Any, lines: Mapping[str, int]) -> Row:  # noqa: ANN401 - what a file held
    match row:
        case {"quotes": str(digest), "releases": dict(releases)}:
            for release, word in releases.items():
                if parse(release) is None or word not in set(Standing):
                    raise ValueError(f"of {name!r} it says {release!r}: {word!r}")
            standings = {release: Standing(releases[release]) for release in in_order(releases)}
            return Row(quotes=digest, standings=standings, line=lines.get(name, 1))
    raise ValueError(f"what it says of {name!r} does not hold 'quotes' and 'releases'")
