"""What is shown nowhere, although it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model import Problem, Subtype
from . import rollup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Heuristic
    from .plan import Plan


def problems(plan: Plan) -> Iterator[Problem]:
    """Yield the problem of each heuristic that only its own page and indexes show.

    What is withheld on purpose, and what waits for a target, is none.
    """
    by_hand: set[str] = set()
    for page in plan.catalogue.pages.values():
        for query in page.queries:
            if query.option("target") is not None:
                by_hand.update(it.name for it in plan.selection(query.filters))
    shown = {*plan.shown_in, *plan.once(rollup.reached), *by_hand}
    for sections in plan.by_page.values():
        for records in sections.values():
            shown.update(record.name for record in records)
    for record in plan.heuristics.values():
        connections = plan.connections(record)
        exist = bool(connections) and all(it.exists for it in connections)
        if exist and record.name not in shown and not plan.withheld(record):
            message = (
                f"heuristic {record.name!r} is shown nowhere but on its own page "
                f"({_why_nowhere(plan, record)})"
            )
            yield Problem.at(record, Subtype.ORPHAN, message)


def _why_nowhere(plan: Plan, record: Heuristic) -> str:
    """Return why nothing that a heuristic is connected to shows it."""
    for resolved in plan.connections(record):
        if resolved.place:
            return plan.withheld_at(record, resolved.place)
    for docname in plan.docnames:
        for verdicts in plan.verdicts(docname):
            for verdict in verdicts:
                if verdict.record is record:
                    return verdict.reason
    return "its targets are in other projects"
