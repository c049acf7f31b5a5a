"""Which heuristic holds in which release: the file, and what is wrong with it."""

from __future__ import annotations

import enum
import hashlib
import json
from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from sphinxext_heuristics.api import (
    Found,
    LostReason,
    Problem,
    Subtype,
    bounds,
    configured_file,
    holds,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sphinx.application import Sphinx

    from sphinxext_heuristics.api import (
        Evidence,
        Heuristic,
        Lost,
        ProjectFile,
        PublicCatalogue,
    )

#: The option that names the file.
OPTION = "heuristics_releases_file"


class Standing(enum.StrEnum):
    """Whether what a heuristic quotes is in a release."""

    #: All of it is.
    HELD = "held"
    #: The modules and objects are, or some of them, and read otherwise.
    DRIFTED = "drifted"
    #: None of the modules and objects is.
    ABSENT = "absent"


class MatrixRow(NamedTuple):
    """One heuristic in the releases."""

    #: A digest of what it quoted when the releases were read.
    quotes: str
    #: Release → its standing; what is unknown is left out.
    standings: dict[str, Standing]
    #: The row's first line in the file, from 1.
    line: int = 1


class Matrix(NamedTuple):
    """Heuristics and releases."""

    #: The package whose releases they are.
    package: str
    #: Heuristic → its row.
    rows: dict[str, MatrixRow]
    #: Why the file is unusable, and what to do, up to the command that does it.
    fault: str = ""
    #: The line of the file at fault, from 1; 0 if its content is not the fault.
    line: int = 0

    @property
    def releases(self) -> tuple[str, ...]:
        """Return all releases, from the oldest to the newest."""
        found: set[str] = set()
        for row in self.rows.values():
            found.update(row.standings)
        return in_order(found)

    def of(self, record: Heuristic) -> dict[str, Standing]:
        """Map each release to a heuristic's standing; nothing if its quotes changed."""
        row = self.rows.get(record.name)
        is_current = row and row.quotes == quotes(record, self.package)
        return row.standings if row and is_current else {}


def in_order(releases: Iterable[str]) -> tuple[str, ...]:
    """Return releases from the oldest to the newest."""
    return tuple(sorted(releases, key=lambda release: (Version(release), release)))


# -- what is quoted -------------------------------------------------------------------


def quoted(record: Heuristic, package: str) -> list[Evidence]:
    """Return a heuristic's valid quotes from a package."""
    found = []
    for evidence in record.evidence:
        subtypes = {problem.subtype for problem in evidence.problems}
        if evidence.is_of(package) and Subtype.OPTION not in subtypes:
            found.append(evidence)
    return found


def quotes(record: Heuristic, package: str) -> str:
    """Return a digest of a heuristic's quotes from a package; ``""`` for none."""
    parts = sorted(
        [evidence.module, evidence.qualname, evidence.quote, evidence.prose]
        for evidence in quoted(record, package)
    )
    if not parts:
        return ""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def standing(found: Sequence[Found | Lost]) -> Standing | None:
    """Return the standing that follows from where quotes are.

    It is ``None`` if a file cannot be parsed.
    """
    reasons = {None if isinstance(one, Found) else one.reason for one in found}
    if reasons <= {None}:
        return Standing.HELD
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
    """Return the releases that contradict bounds: absent within, or held next to them.

    Empty bounds are none. A release where it has drifted is in neither: it may hold
    there for another reason, which its author knows. Nor is one where it is held, but
    which other bounds could take in only together with one where it is absent or has
    drifted.
    """
    if since and not holds("", until, since):  # which is a problem of its own
        return [], []
    order = in_order(standings)
    within = [
        release
        for release in order
        if holds(since, until, release) and standings[release] is Standing.ABSENT
    ]
    before = [release for release in reversed(order) if not holds(since, "", release)]
    after = [release for release in order if not holds("", until, release)]

    def is_held(release: str) -> bool:
        return standings[release] is Standing.HELD

    below, above = list(takewhile(is_held, before)), takewhile(is_held, after)
    return within, [*reversed(below), *above]


# -- the file -------------------------------------------------------------------------


def text_of(matrix: Matrix) -> str:
    """Return what the file holds, a line for each heuristic and release."""
    rows = {}
    for name, row in sorted(matrix.rows.items()):
        rows[name] = {"quotes": row.quotes, "releases": row.standings}
    data = {"package": matrix.package, "heuristics": rows}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def file_of(app: Sphinx) -> ProjectFile:
    """Return the file that the option names."""
    return configured_file(
        app,
        OPTION,
        called="file of releases",
        filename="releases.json",
        command="sphinxext_heuristics.releases",
    )


def load(file: ProjectFile, package: str) -> Matrix | None:
    """Return what the file says of a package; ``None`` where conf.py names no file."""
    if not file.is_set:
        return None
    line = 1
    try:
        matrix = read(file.path.read_text("utf-8-sig"))
        if matrix.package == package:
            return matrix
        fault = (
            f"these are releases of {matrix.package!r}, but heuristics_package is "
            f"{package!r}"
        )
    except FileNotFoundError:
        fault = f"the file of releases {str(file.path)!r} is not there; to write it"
        return Matrix(package, {}, fault)
    except (OSError, ValueError, RecursionError) as error:
        fault = f"this is no file of releases: {getattr(error, 'msg', error)}"
        line = getattr(error, "lineno", 1)
    return Matrix(package, {}, f"{fault}; fix the file, or remove it and run", line)


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


def _row(
    name: str,
    row: Any,  # noqa: ANN401 - what a file held
    lines: Mapping[str, int],
) -> MatrixRow:
    match row:
        case {"quotes": str(digest), "releases": dict(releases)}:
            standings = {
                release: Standing(releases[release]) for release in in_order(releases)
            }
            line = lines.get(f"{json.dumps(name, ensure_ascii=False)}: {{", 1)
            return MatrixRow(quotes=digest, standings=standings, line=line)
    raise ValueError(f"what it says of {name!r} does not hold 'quotes' and 'releases'")


# -- what is wrong --------------------------------------------------------------------


def problems(
    catalogue: PublicCatalogue, matrix: Matrix | None, file: ProjectFile
) -> Iterator[Problem]:
    """Yield every problem that has to do with releases."""
    if file.fault:
        yield file.problem(Subtype.CONFIG, file.fault)
    if matrix is None:
        return
    if not catalogue.package:
        message = (
            "heuristics_releases_file requires heuristics_package: set it to the "
            "package whose releases to check"
        )
        yield file.problem(Subtype.CONFIG, message)
    elif matrix.fault:
        message = f"{matrix.fault}: {naming_releases(file)}"
        yield file.problem(Subtype.CONFIG, message, matrix.line)
    else:
        yield from _of_rows(catalogue, matrix, file)
        for record in catalogue.heuristics.values():
            yield from _of_record(catalogue, matrix, record, file)


def naming_releases(file: ProjectFile) -> str:
    """Return the command that writes the file, with the option that names releases."""
    return f"{file.command} --releases VERSION,VERSION"


def _of_rows(
    catalogue: PublicCatalogue, matrix: Matrix, file: ProjectFile
) -> Iterator[Problem]:
    """Yield the problem of each row whose heuristic is gone or quotes nothing."""
    for name, row in matrix.rows.items():
        record = catalogue.heuristics.get(name)
        if record is None:
            what = f"no heuristic is named {name!r}"
            for close in get_close_matches(name, catalogue.heuristics, 1):
                what += f"; did you mean {close!r}?"
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
    catalogue: PublicCatalogue, matrix: Matrix, record: Heuristic, file: ProjectFile
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
        yield from _of_bounds(catalogue, matrix, record)


def _of_bounds(
    catalogue: PublicCatalogue, matrix: Matrix, record: Heuristic
) -> Iterator[Problem]:
    """Yield the problems of bounds that releases contradict.

    The installed one is left out: what it contradicts is a problem of its own.
    """
    standings = dict(matrix.of(record))
    standings.pop(catalogue.version, None)
    within, outside = contradictions(record.since, record.until, standings)
    claim = f"heuristic {record.name!r} holds for {bounds(record)}, but"
    if within:
        message = (
            f"{claim} nothing that it quotes from is in {matrix.package} "
            f"{', '.join(within)}: correct its bounds"
        )
        yield Problem.at(record, Subtype.VERSION, message)
    if outside:
        message = (
            f"{claim} all that it quotes is in {matrix.package} "
            f"{', '.join(outside)}, too: "
            "correct its bounds, or quote what has changed"
        )
        yield Problem.at(record, Subtype.VERSION, message)
