"""The form in which an API entry shows what reaches it: in full, titled or folded."""

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
    #: The id in memory of each of them: another entry may be equal.
    entry_ids: frozenset[int]
    #: The name of an object by identity → the first of them that documents it.
    by_identity: dict[str, Entry]

    def has(self, entry: Entry) -> bool:
        """Return whether this very entry is one of them."""
        return id(entry) in self.entry_ids


def give_titles(
    identity: Callable[[str], str],
    entries: Sequence[Entry],
    page: Sequence[list[Verdict]],
) -> None:
    """Let entries give only the title of what others of the page show in full.

    It changes the verdicts of *page*, an entry's each. *identity* returns the identity
    of a documented name.
    """
    shown: dict[str, list[tuple[Entry, Verdict]]] = {}
    for entry, verdicts in zip(entries, page, strict=True):
        for verdict in verdicts:
            if verdict.is_shown:
                shown.setdefault(verdict.record.name, []).append((entry, verdict))
    in_full = {
        name: _in_full(identity, pairs) for name, pairs in shown.items() if pairs[1:]
    }
    for entry, verdicts in zip(entries, page, strict=True):
        own = identity(entry.names[0]) if verdicts else ""
        for position, verdict in enumerate(verdicts):
            others = in_full.get(verdict.record.name)
            stays = verdict.form is Form.DEFINED or not verdict.is_shown
            if others and not stays and not others.has(entry):
                full_at = others.by_identity.get(own, others.best)
                verdicts[position] = verdict._replace(form=Form.TITLE, full_at=full_at)


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
    entry_ids = frozenset(map(id, (best, *named)))
    return InFull(best=best, entry_ids=entry_ids, by_identity=by_identity)


def _distance(verdict: Verdict) -> tuple[int, Nearness, bool, bool]:
    """Return how far an entry is from the one that shows a heuristic in full.

    The class of `+` comes before its subclasses, and what describes the parameter
    before what does not.
    """
    is_below = verdict.rule in {Rule.SUBCLASS, Rule.OVERRIDE}
    return verdict.order, verdict.nearness, is_below, not verdict.parameter


# -- the fold -------------------------------------------------------------------------


def folded(verdicts: list[Verdict], limit: int) -> Iterator[Verdict]:
    """Yield the verdicts of an entry, what is past the limits folded or titled."""
    by_parameter: dict[str, list[Heuristic]] = {}
    for verdict in verdicts:
        if verdict.is_shown and verdict.form is Form.FULL:
            by_parameter.setdefault(verdict.parameter, []).append(verdict.record)
    open_names = unfolded(by_parameter.pop("", ()), limit)
    for records in by_parameter.values():
        open_names.update(record.name for record in records[:_OPEN_AT_PARAMETER])
    for verdict in verdicts:
        if verdict.form is not Form.FULL or verdict.record.name in open_names:
            yield verdict
        else:
            form = Form.TITLE if verdict.parameter else Form.FOLDED
            yield verdict._replace(form=form)


def unfolded(records: Sequence[Heuristic], limit: int) -> set[str]:
    """Return the names of those that are open, of what one place shows in its order.

    They are the first *limit*, and every danger. One alone is not folded.
    """
    open_names = {
        record.name
        for at, record in enumerate(records)
        if at < limit or record.severity == SEVERITIES[-1]
    }
    is_worth_it = len(records) - len(open_names) > 1
    return open_names if is_worth_it else {record.name for record in records}
