"""What an API entry shows of what reaches it: in full, named or folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..model import SEVERITIES, Entry, Heuristic
from .records import Form, Nearness, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .records import Verdict

#: How many are open at a parameter, dangers included.
_OPEN_AT_PARAMETER = 2


# -- once a page ----------------------------------------------------------------------


class InFull(NamedTuple):
    """The entries of a page that show a heuristic in full."""

    #: The one that the earliest target reaches.
    best: Entry
    #: Where each of them is in memory: another entry may be equal.
    places: frozenset[int]
    #: The name of an object by identity → the first of them that documents it.
    by_identity: dict[str, Entry]

    def has(self, entry: Entry) -> bool:
        """Return whether this very entry is one of them."""
        return id(entry) in self.places


def name_copies(
    identity: Callable[[str], str],
    entries: Sequence[Entry],
    page: Sequence[list[Verdict]],
) -> None:
    """Let entries only name what others of the page show in full.

    *identity* returns the name by identity of a documented name.
    """
    shown: dict[str, list[tuple[Entry, Verdict]]] = {}
    for entry, verdicts in zip(entries, page, strict=True):
        for verdict in verdicts:
            if verdict.is_shown:
                shown.setdefault(verdict.record.name, []).append((entry, verdict))
    in_full = {
        name: _in_full(identity, places) for name, places in shown.items() if places[1:]
    }
    for entry, verdicts in zip(entries, page, strict=True):
        own = identity(entry.names[0]) if verdicts else ""
        for position, verdict in enumerate(verdicts):
            places = in_full.get(verdict.record.name)
            is_here = verdict.form is Form.DEFINED or not verdict.is_shown
            if places and not is_here and not places.has(entry):
                full_at = places.by_identity.get(own, places.best)
                verdicts[position] = verdict._replace(
                    form=Form.REPEATED, full_at=full_at
                )


def _in_full(
    identity: Callable[[str], str], shown: list[tuple[Entry, Verdict]]
) -> InFull:
    """Return which of the entries that show a heuristic show it in full.

    They are the one that the earliest target reaches, which is the first, and all that
    a target names. An entry without an anchor cannot be linked to.
    """
    linkable = [(entry, verdict) for entry, verdict in shown if entry.anchor]
    best, _verdict = min(linkable or shown, key=lambda pair: _distance(pair[1]))
    named = [entry for entry, verdict in linkable if verdict.nearness is Nearness.NAMED]
    by_identity: dict[str, Entry] = {}
    for entry in (best, *named):
        by_identity.setdefault(identity(entry.names[0]), entry)
    places = frozenset(map(id, (best, *named)))
    return InFull(best=best, places=places, by_identity=by_identity)


def _distance(verdict: Verdict) -> tuple[int, Nearness, bool, bool]:
    """Return how far an entry is from the one that shows a heuristic in full.

    The class of `+` comes before its subclasses, and what describes the parameter
    before what does not.
    """
    is_below = verdict.rule in {Rule.SUBCLASS, Rule.OVERRIDE}
    return verdict.order, verdict.nearness, is_below, not verdict.parameter


# -- the fold -------------------------------------------------------------------------


def folded(verdicts: list[Verdict], limit: int) -> Iterator[Verdict]:
    """Yield the verdicts of an entry, with what is past the limits folded or named."""
    places: dict[str, list[Heuristic]] = {}
    for verdict in verdicts:
        if verdict.is_shown and verdict.form is Form.FULL:
            places.setdefault(verdict.parameter, []).append(verdict.record)
    is_open = unfolded(places.pop("", ()), limit)
    for records in places.values():
        is_open.update(record.name for record in records[:_OPEN_AT_PARAMETER])
    for verdict in verdicts:
        if verdict.form is not Form.FULL or verdict.record.name in is_open:
            yield verdict
        else:
            form = Form.REPEATED if verdict.parameter else Form.FOLDED
            yield verdict._replace(form=form)


def unfolded(records: Sequence[Heuristic], limit: int) -> set[str]:
    """Return the names of those of a place that are open, which are in their order.

    They are the first *limit*, and every danger. One alone is not folded.
    """
    is_open = {
        record.name
        for at, record in enumerate(records)
        if at < limit or record.severity == SEVERITIES[-1]
    }
    is_worth_it = len(records) - len(is_open) > 1
    return is_open if is_worth_it else {record.name for record in records}
