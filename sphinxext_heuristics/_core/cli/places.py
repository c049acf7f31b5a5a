"""The places of a heuristic, an object or a page, as rows for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..resolve.records import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Entry, Heuristic
    from ..resolve.plan import Plan
    from ..resolve.records import ByHand, OnPage, Verdict


def rows_of(plan: Plan, record: Heuristic) -> Iterator[dict[str, object]]:
    """Yield the places of a heuristic."""
    name = record.name
    yield from _entry_rows(plan, lambda _entry, verdict: verdict.record.name == name)
    for docname in plan.catalogue.docnames:
        for verdict in plan.placing.on_page(docname):
            if verdict.record.name == name:
                yield _page_row(verdict)
    for placed in plan.placing.by_hand:
        if record in placed.heuristics:
            yield _hand_row(placed, record)


def rows_at(plan: Plan, names: set[str]) -> Iterator[dict[str, object]]:
    """Yield the places of what reaches documented objects."""

    def is_wanted(entry: Entry, verdict: Verdict) -> bool:
        if not names.isdisjoint(entry.names):
            return True
        here = any(is_at(name, entry, verdict) for name in names)
        return here and verdict.is_shown

    yield from _entry_rows(plan, is_wanted)
    for placed, record in by_hand_at(plan, names):
        yield _hand_row(placed, record)


def rows_on(plan: Plan, place: Place) -> Iterator[dict[str, object]]:
    """Yield the places of what is on a page or section."""
    for verdict in plan.placing.on_page(place.docname):
        if is_in(verdict.place, place):
            yield _page_row(verdict)
    for placed, record in by_hand_on(plan, place):
        yield _hand_row(placed, record)


def _entry_rows(
    plan: Plan, is_wanted: Callable[[Entry, Verdict], bool]
) -> Iterator[dict[str, object]]:
    for docname, entry, verdict in plan.placing.judged:
        if is_wanted(entry, verdict):
            row = _row(verdict.record, Place(docname, entry.anchor), verdict.target)
            parameter = verdict.parameter or None
            yield row | {
                "entry": entry.names[0],
                "parameter": parameter,
                **_is_shown(verdict.reason),
            }


def _page_row(verdict: OnPage) -> dict[str, object]:
    row = _row(verdict.record, verdict.place, verdict.target.partition(" ")[2])
    return row | _is_shown(verdict.reason)


def _hand_row(placed: ByHand, record: Heuristic) -> dict[str, object]:
    row = _row(record, placed.place, "heuristics-for")
    if placed.entry:
        row["entry"], row["anchor"] = placed.entry.names[0], placed.entry.anchor
    return row


def _row(record: Heuristic, place: Place, target: str) -> dict[str, object]:
    return {
        "heuristic": record.name,
        "severity": record.severity,
        "entry": None,
        "docname": place.docname,
        "anchor": place.anchor,
        "target": target,
        "parameter": None,
        "shown": True,
        "why_not": None,
    }


def _is_shown(reason: str) -> dict[str, object]:
    return {"shown": not reason, "why_not": reason or None}


def by_hand_at(plan: Plan, names: set[str]) -> Iterator[tuple[ByHand, Heuristic]]:
    """Yield what ``heuristics-for`` shows in the entries of some names."""
    for placed, record in _by_hand(plan):
        if placed.entry and not names.isdisjoint(placed.entry.names):
            yield placed, record


def by_hand_on(plan: Plan, place: Place) -> Iterator[tuple[ByHand, Heuristic]]:
    """Yield what ``heuristics-for`` shows on a page or section, outside of entries."""
    for placed, record in _by_hand(plan):
        if placed.entry is None and is_in(placed.place, place):
            yield placed, record


def by_hand_within(plan: Plan, docname: str) -> Iterator[tuple[Entry, Heuristic]]:
    """Yield what ``heuristics-for`` shows in the entries of a page."""
    for placed, record in _by_hand(plan):
        if placed.entry and placed.place.docname == docname:
            yield placed.entry, record


def _by_hand(plan: Plan) -> Iterator[tuple[ByHand, Heuristic]]:
    for placed in plan.placing.by_hand:
        for record in placed.heuristics:
            yield placed, record


def is_at(name: str, entry: Entry, verdict: Verdict) -> bool:
    """Return whether a class shows a heuristic at an attribute called *name*."""
    at = {f"{owner}.{verdict.parameter}" for owner in entry.names}
    return bool(verdict.parameter) and name in at


def is_in(place: Place, whole: Place) -> bool:
    """Return whether a place is the page or section *whole*, or in that page."""
    return whole in {place, place._replace(anchor="")}
