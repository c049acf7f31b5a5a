"""What the file of releases lacks, and what it says against the bounds of heuristics: problems, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.files.index_file import is_outside, outside_message
from sphinxext_heuristics.model import Problem, Subtype
from sphinxext_heuristics.releases.matrix import WRITE, Unusable, contradictions, quotes
from sphinxext_heuristics.resolve.listing import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.files.index_file import Place
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.releases.matrix import Matrix
    from sphinxext_heuristics.resolve.plan import Plan

#: What stands for releases that only a user can name.
VERSIONS = "VERSION,VERSION"
#: What lets the command read docstrings.
_ALL = "--all"


def problems(plan: Plan, place: Place) -> Iterator[Problem]:
    """Yield every problem that has to do with releases; *place* says where the file is and how it is written."""
    matrix = plan.known.releases
    if matrix is None:
        return
    if is_outside(place.path, place.srcdir):  # where the command writes nothing
        message = outside_message(place)
        yield Problem(subtype=Subtype.CONFIG, message=message, source=str(place.conf_py), line=place.conf_line)
    elif isinstance(matrix, Unusable):
        yield _of_file(plan, matrix, place)
    elif not matrix.releases:
        yield from _of_nothing(plan, matrix, place)
    else:
        yield from _of_rows(plan, matrix, place)
        for record in plan.heuristics.values():
            yield from _of_record(plan, matrix, record, place)


def _of_file(plan: Plan, unusable: Unusable, place: Place) -> Problem:
    source, line = (place.path, unusable.line) if unusable.line else (place.conf_py, place.conf_line)
    needs_all = any(_in_docstring(record) and record.evidence for record in plan.heuristics.values())
    again = _command(place, _ALL * needs_all, "--releases", ",".join(unusable.releases) or VERSIONS)
    return Problem(subtype=Subtype.CONFIG, message=told(unusable, again), source=str(source), line=line)


def _of_nothing(plan: Plan, matrix: Matrix, place: Place) -> Iterator[Problem]:
    """Yield the problem of a file without any release, unless there is nothing to look for."""
    if matrix.rows or any(quotes(record, matrix.package) for record in plan.heuristics.values()):
        yield _of_file(plan, Unusable(message="the file of releases names no release", remedy=WRITE, line=1), place)


def told(unusable: Unusable, command: str) -> str:
    """Return what to say of a file, with the *command* that is given the releases."""
    return f"{unusable.message}; {unusable.remedy}: {command}" if unusable.remedy else unusable.message


def _command(place: Place, *options: str) -> str:
    return " ".join(filter(None, (place.command, *options)))


def _command_for(record: Heuristic, place: Place) -> str:
    """Return the command that looks for a heuristic: unless it is told so, it reads no docstrings."""
    return _command(place, _ALL * _in_docstring(record))


def _in_docstring(record: Heuristic) -> bool:
    return record.in_entry or "docstring of " in record.source


def _of_rows(plan: Plan, matrix: Matrix, place: Place) -> Iterator[Problem]:
    """Yield the problem of each row whose heuristic is gone, or quotes nothing any more."""
    for name, row in matrix.rows.items():
        record = plan.heuristics.get(name)
        if record is None:
            what = f"there is no heuristic {name!r}{did_you_mean(closest(name, plan.heuristics, 1))}"
        elif not quotes(record, matrix.package):
            what = f"the heuristic {name!r} quotes nothing from {matrix.package!r}"
        else:
            continue
        # Who has not read everything cannot tell that it is in vain.
        message = f"listed in vain: {what}; to rewrite the file: {_command(place, _ALL)}"
        yield Problem(subtype=Subtype.EVIDENCE, message=message, source=str(place.path), line=row.line)


def _of_record(plan: Plan, matrix: Matrix, record: Heuristic, place: Place) -> Iterator[Problem]:
    now = quotes(record, matrix.package)
    row = matrix.rows.get(record.name)
    if now and not (row and row.standings):
        what = "names no release for" if row else "does not list"
        message = f"the file of releases {what} {record.name!r}; to rewrite it: {_command_for(record, place)}"
        yield _at(record, Subtype.EVIDENCE, message)
    elif now and row and row.quotes != now:
        message = (
            f"what {record.name!r} quotes has changed since it was looked for in the releases; "
            f"to look for it again: {_command_for(record, place)}"
        )
        yield _at(record, Subtype.EVIDENCE, message)
    elif record.since or record.until:
        yield from _of_bounds(plan, matrix, record)


def _of_bounds(plan: Plan, matrix: Matrix, record: Heuristic) -> Iterator[Problem]:
    """Yield the problems of bounds that releases contradict.

    The installed one is left out: it is looked at itself, and told of in words of its own.
    """
    standings = {release: how for release, how in matrix.of(record).items() if release != plan.known.version}
    against = contradictions(record.since, record.until, standings)
    said = f"heuristic {record.name!r} holds for {bounds(record)}, but"
    if against.within:
        where = ", ".join(against.within)
        message = f"{said} nothing that it quotes from is in {matrix.package} {where}: correct its bounds"
        yield _at(record, Subtype.VERSION, message)
    if against.outside:
        where = ", ".join(against.outside)
        message = (
            f"{said} all that it quotes is in {matrix.package} {where}, too: "
            "correct its bounds, or quote what has changed"
        )
        yield _at(record, Subtype.VERSION, message)


def _at(record: Heuristic, subtype: Subtype, message: str) -> Problem:
    return Problem(subtype=subtype, message=message, source=record.source, line=record.line)
