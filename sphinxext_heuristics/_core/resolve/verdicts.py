"""What becomes of a heuristic in an API entry that it reaches."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from ..model import SEVERITIES, Entry, Heuristic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .objects import Rule
    from .plan import Plan

_GRAVEST = SEVERITIES[::-1]

#: What the first of the entries in full is found by.
_FIRST = ""
#: How many are open at a parameter, dangers included.
_OPEN_AT_PARAMETER = 2


class Reach(enum.IntEnum):
    """How a heuristic's targets reach an entry, the nearest first."""

    #: One names its object.
    NAMED = 0
    #: It is an inherited copy of what one names.
    INHERITED = 1
    #: By ``+`` or ``*`` alone.
    WIDE = 2


class Shown(NamedTuple):
    """An API entry that shows a heuristic."""

    name: str
    docname: str
    anchor: str
    #: How the targets reach it.
    reach: Reach
    #: The parameter that it is shown at, or ``""``.
    parameter: str


class Form(enum.StrEnum):
    """How an API entry or a page shows a heuristic."""

    FULL = enum.auto()
    #: In full, in what is collapsed.
    FOLDED = enum.auto()
    #: By its title, in one block with the others that are only named.
    NAMED = enum.auto()
    #: In a line of its own.
    LINE = enum.auto()


class Verdict(NamedTuple):
    """What becomes of a heuristic at a documented name that it reaches."""

    record: Heuristic
    #: The first target of it that reaches the name.
    target: str
    #: Why that does.
    rule: Rule
    #: The place of that target among those of the heuristic.
    order: int = 0
    #: How its targets reach the entry.
    reach: Reach = Reach.WIDE
    #: Why the heuristic is not shown, in words; empty if it is shown.
    reason: str = ""
    #: How it is shown, if it is.
    form: Form = Form.FULL
    #: The parameter that it is shown at, or ``""``.
    parameter: str = ""
    #: The entry of the page that shows it in full, if this one only names it.
    full_at: Entry | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the entry shows it."""
        return not self.reason

    def merged(self, other: Verdict) -> Verdict:
        """Return what two targets, or two names of an entry, make together.

        What shows it counts, and of that the earliest target.
        """
        first = min(self, other, key=lambda it: (not it.is_shown, it.order))
        return first._replace(reach=min(self.reach, other.reach))


def judge(plan: Plan, docname: str) -> tuple[tuple[Verdict, ...], ...]:
    """Return the verdicts of each API entry of a page, in the order of what is shown.

    Each step decides one thing: what is not shown and why, what only names what another
    entry of the page shows in full, and what is folded.
    """
    entries = plan.pages[docname].entries
    page = [_with_reasons(plan, docname, entry) for entry in entries]
    if plan.settings.inherited == "once":
        _name_copies(plan, entries, page)
    limit = plan.settings.max_shown
    return tuple(tuple(_folded(verdicts, limit)) for verdicts in page)


def _with_reasons(plan: Plan, docname: str, entry: Entry) -> list[Verdict]:
    """Return the verdicts of an entry: what is not shown and why, what is a line."""
    reaching = _reaching(plan, entry)
    if not reaching:
        return []  # whether it is inherited is a question to its source
    inherited, objects = plan.settings.inherited, plan.objects
    is_copy = inherited in {"link", "none"} and objects.is_inherited(entry.names[0])
    reason = plan.kept_free(docname)
    if not reason and entry.by_hand:
        reason = "this entry has a heuristics-for"
    if not reason and is_copy and inherited == "none":
        reason = "an inherited copy, and heuristics_inherited is 'none'"
    return [
        verdict._replace(
            reason=verdict.reason or plan.withheld(verdict.record) or reason,
            form=Form.LINE if is_copy else Form.FULL,
            parameter=_described(verdict.record, entry),
        )
        for verdict in reaching
    ]


def _reaching(plan: Plan, entry: Entry) -> list[Verdict]:
    """Return what reaches an entry under any of its names, each heuristic once.

    They are in the order in which they are shown.
    """
    found: dict[str, Verdict] = {}
    for name in entry.names:
        for heuristic, verdict in plan.reach.get(name, {}).items():
            before = found.get(heuristic, verdict)
            found[heuristic] = before.merged(verdict)

    def in_order(verdict: Verdict) -> tuple[tuple[bool, int, int], bool, int]:
        record = verdict.record
        is_named = verdict.reach is Reach.NAMED
        return _rank(record), not is_named, plan.ranks[record.name]

    return sorted(found.values(), key=in_order)


def _described(record: Heuristic, entry: Entry) -> str:
    """Return the first parameter of a heuristic that an entry describes, or ``""``."""
    described = (name for name in record.parameters if name in entry.described)
    return next(described, "")


# -- once a page ----------------------------------------------------------------------


def _name_copies(
    plan: Plan, entries: Sequence[Entry], page: Sequence[list[Verdict]]
) -> None:
    """Let entries only name what others of the page show in full."""
    shown: dict[str, list[tuple[Entry, Verdict]]] = {}
    for entry, verdicts in zip(entries, page, strict=True):
        for verdict in verdicts:
            if verdict.is_shown:
                shown.setdefault(verdict.record.name, []).append((entry, verdict))
    in_full = {
        name: _in_full(plan, places) for name, places in shown.items() if places[1:]
    }
    objects = plan.objects
    for entry, verdicts in zip(entries, page, strict=True):
        identity = objects.identity(entry.names[0]) if verdicts else ""
        for position, verdict in enumerate(verdicts):
            places = in_full.get(verdict.record.name)
            if places and verdict.is_shown and id(entry) not in places:
                full_at = places.get(identity) or places[_FIRST]
                verdicts[position] = verdict._replace(form=Form.NAMED, full_at=full_at)


def _in_full(plan: Plan, shown: list[tuple[Entry, Verdict]]) -> dict[int | str, Entry]:
    """Return which of the entries that show a heuristic show it in full.

    They are the one that the earliest target reaches, which is the first, and all that
    a target names. An entry without an anchor cannot be linked to. Each is found by its
    id and by the identity of its object.
    """
    linkable = [(entry, verdict) for entry, verdict in shown if entry.anchor]
    best, _verdict = min(
        linkable or shown, key=lambda pair: (pair[1].order, pair[1].reach)
    )
    named = [entry for entry, verdict in linkable if verdict.reach is Reach.NAMED]
    found: dict[int | str, Entry] = {_FIRST: best}
    for entry in (best, *named):
        found[id(entry)] = entry
        found.setdefault(plan.objects.identity(entry.names[0]), entry)
    return found


# -- the fold -------------------------------------------------------------------------


def _folded(verdicts: list[Verdict], limit: int) -> Iterator[Verdict]:
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
            form = Form.NAMED if verdict.parameter else Form.FOLDED
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


def by_severity(records: Iterable[Heuristic]) -> tuple[Heuristic, ...]:
    """Return heuristics in the order in which they are shown.

    *records* are in the toctree's order, which decides between equals.
    """
    return tuple(sorted(records, key=_rank))


def _rank(record: Heuristic) -> tuple[bool, int, int]:
    """Return what heuristics are ordered by: each danger first, then the weight."""
    is_danger = record.severity == SEVERITIES[-1]
    return not is_danger, -record.weight, _GRAVEST.index(record.severity)
