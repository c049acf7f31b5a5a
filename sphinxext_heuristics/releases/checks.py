"""What the file of releases lacks, and what it says against the bounds of heuristics: problems, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype
from sphinxext_heuristics.releases.matrix import Unusable, contradictions, matrix_of, quotes
from sphinxext_heuristics.resolve.listing import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.files.project_file import ProjectFile
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.releases.matrix import Matrix
    from sphinxext_heuristics.resolve.plan import Plan


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield every problem that has to do with releases; *file* says where the file is and how it is written."""
    matrix = matrix_of(plan)
    if matrix is None:
        return
    if not plan.settings.package:
        message = "heuristics_releases_file requires heuristics_package: set it to the package whose releases to check"
        yield file.problem(Subtype.CONFIG, message)
    elif isinstance(matrix, Unusable):
        source, line = (file.path, matrix.line) if matrix.line else (file.conf_py, file.conf_line)
        message = f"{matrix.message}: {naming_releases(file)}"
        yield Problem(subtype=Subtype.CONFIG, message=message, source=str(source), line=line)
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
            what = f"no heuristic is named {name!r}{did_you_mean(closest(name, plan.heuristics, 1))}"
        elif not quotes(record, matrix.package):
            what = f"the heuristic {name!r} quotes nothing from {matrix.package!r}"
        else:
            continue
        message = f"stale entry: {what}; to rewrite the file: {file.command}"
        yield Problem(subtype=Subtype.EVIDENCE, message=message, source=str(file.path), line=row.line)


def _of_record(plan: Plan, matrix: Matrix, record: Heuristic, file: ProjectFile) -> Iterator[Problem]:
    now = quotes(record, matrix.package)
    row = matrix.rows.get(record.name)
    if now and not row:
        message = f"the file of releases does not list {record.name!r}; to rewrite it: {file.command}"
        yield Problem.at(record, Subtype.EVIDENCE, message)
    elif now and row and row.quotes != now:
        message = (
            f"what {record.name!r} quotes has changed since it was looked for in the releases; "
            f"to look for it again: {file.command}"
        )
        yield Problem.at(record, Subtype.EVIDENCE, message)
    elif record.since or record.until:
        yield from _of_bounds(plan, matrix, record)


def _of_bounds(plan: Plan, matrix: Matrix, record: Heuristic) -> Iterator[Problem]:
    """Yield the problems of bounds that releases contradict.

    The installed one is left out: what it contradicts is a problem of its own.
    """
    standings = {release: how for release, how in matrix.of(record).items() if release != plan.lookups.version}
    against = contradictions(record.since, record.until, standings)
    said = f"heuristic {record.name!r} holds for {bounds(record)}, but"
    if against.within:
        where = ", ".join(against.within)
        message = f"{said} nothing that it quotes from is in {matrix.package} {where}: correct its bounds"
        yield Problem.at(record, Subtype.VERSION, message)
    if against.outside:
        where = ", ".join(against.outside)
        message = (
            f"{said} all that it quotes is in {matrix.package} {where}, too: "
            "correct its bounds, or quote what has changed"
        )
        yield Problem.at(record, Subtype.VERSION, message)
