"""What the file of releases lacks, and what it says against the bounds of heuristics: problems, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype
from sphinxext_heuristics.releases.matrix import WRITE, Unusable, contradictions, matrix_of, quotes
from sphinxext_heuristics.resolve.listing import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.files.project_file import ProjectFile
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.releases.matrix import Matrix
    from sphinxext_heuristics.resolve.plan import Plan

#: What stands for releases that only a user can name.
VERSIONS = "VERSION,VERSION"
#: What lets the command read docstrings.
_ALL = "--all"


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield every problem that has to do with releases; *file* says where the file is and how it is written."""
    matrix = matrix_of(plan)
    if matrix is None:
        return
    if file.is_outside:  # where the command writes nothing
        yield file.problem(Subtype.CONFIG, file.refusal)
    elif isinstance(matrix, Unusable):
        yield _of_file(plan, matrix, file)
    elif not matrix.releases:
        yield from _of_nothing(plan, matrix, file)
    else:
        yield from _of_rows(plan, matrix, file)
        for record in plan.heuristics.values():
            yield from _of_record(plan, matrix, record, file)


def _of_file(plan: Plan, unusable: Unusable, file: ProjectFile) -> Problem:
    source, line = (file.path, unusable.line) if unusable.line else (file.conf_py, file.conf_line)
    needs_all = any(_in_docstring(record) and record.evidence for record in plan.heuristics.values())
    again = _command(file, _ALL * needs_all, "--releases", ",".join(unusable.releases) or VERSIONS)
    return Problem(subtype=Subtype.CONFIG, message=told(unusable, again), source=str(source), line=line)


def _of_nothing(plan: Plan, matrix: Matrix, file: ProjectFile) -> Iterator[Problem]:
    """Yield the problem of a file without any release, unless there is nothing to look for."""
    if matrix.rows or any(quotes(record, matrix.package) for record in plan.heuristics.values()):
        yield _of_file(plan, Unusable(message="the file of releases names no release", remedy=WRITE, line=1), file)


def told(unusable: Unusable, command: str) -> str:
    """Return what to say of a file, with the *command* that is given the releases."""
    return f"{unusable.message}; {unusable.remedy}: {command}" if unusable.remedy else unusable.message


def _command(file: ProjectFile, *options: str) -> str:
    return " ".join(filter(None, (file.command, *options)))


def _command_for(record: Heuristic, file: ProjectFile) -> str:
    """Return the command that looks for a heuristic: unless it is told so, it reads no docstrings."""
    return _command(file, _ALL * _in_docstring(record))


def _in_docstring(record: Heuristic) -> bool:
    return record.in_entry or "docstring of " in record.source


def _of_rows(plan: Plan, matrix: Matrix, file: ProjectFile) -> Iterator[Problem]:
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
        message = f"listed in vain: {what}; to rewrite the file: {_command(file, _ALL)}"
        yield Problem(subtype=Subtype.EVIDENCE, message=message, source=str(file.path), line=row.line)


def _of_record(plan: Plan, matrix: Matrix, record: Heuristic, file: ProjectFile) -> Iterator[Problem]:
    now = quotes(record, matrix.package)
    row = matrix.rows.get(record.name)
    if now and not (row and row.standings):
        what = "names no release for" if row else "does not list"
        message = f"the file of releases {what} {record.name!r}; to rewrite it: {_command_for(record, file)}"
        yield _at(record, Subtype.EVIDENCE, message)
    elif now and row and row.quotes != now:
        message = (
            f"what {record.name!r} quotes has changed since it was looked for in the releases; "
            f"to look for it again: {_command_for(record, file)}"
        )
        yield _at(record, Subtype.EVIDENCE, message)
    elif record.since or record.until:
        yield from _of_bounds(plan, matrix, record)


def _of_bounds(plan: Plan, matrix: Matrix, record: Heuristic) -> Iterator[Problem]:
    """Yield the problems of bounds that releases contradict.

    The installed one is left out: it is looked at itself, and told of in words of its own.
    """
    standings = {release: how for release, how in matrix.of(record).items() if release != plan.lookups.version}
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
