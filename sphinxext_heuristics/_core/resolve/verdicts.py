"""What becomes of a heuristic in an API entry that it reaches."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.model import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinxext_heuristics._core.model import Entry, Heuristic
    from sphinxext_heuristics._core.resolve.objects import Rule
    from sphinxext_heuristics._core.resolve.plan import Plan

_RANK = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}


class Shown(NamedTuple):
    """An API entry that shows a heuristic."""

    name: str
    docname: str
    anchor: str


class Form(enum.StrEnum):
    """How an API entry shows a heuristic."""

    FULL = enum.auto()
    #: In full, in what is collapsed.
    FOLDED = enum.auto()
    #: In one line, since an entry of the same object shows it in full above.
    REPEATED = enum.auto()
    #: In one line.
    LINE = enum.auto()


class Verdict(NamedTuple):
    """What becomes of a heuristic at a documented name that it reaches."""

    record: Heuristic
    #: The first target of it that reaches the name.
    target: str
    #: Why that does.
    rule: Rule
    #: Why the heuristic is not shown, in words; empty if it is shown.
    reason: str = ""
    #: How it is shown, if it is.
    form: Form = Form.FULL
    #: The entry of the page that shows it in full, if this one only repeats it.
    above: Entry | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the entry shows it."""
        return not self.reason


def judge(plan: Plan, docname: str) -> tuple[tuple[Verdict, ...], ...]:
    """Return the verdicts of each API entry of a page, most severe first.

    Each step decides one thing: what is not shown and why, what only repeats another
    entry of the page, and what is folded.
    """
    entries = plan.catalogue.pages[docname].entries
    page = [_with_reasons(plan, docname, entry) for entry in entries]
    if plan.settings.inherited == "once":
        _repeat(plan, entries, page)
    limit = plan.settings.max_shown
    return tuple(tuple(_folded(verdicts, limit)) for verdicts in page)


def _with_reasons(plan: Plan, docname: str, entry: Entry) -> list[Verdict]:
    """Return the verdicts of an entry: what is not shown and why, what is a line."""
    reaching = _reaching(plan, entry)
    if not reaching:
        return []  # whether it is inherited is a question to its source
    inherited, objects = plan.settings.inherited, plan.lookups.objects
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
        )
        for verdict in reaching
    ]


def _reaching(plan: Plan, entry: Entry) -> list[Verdict]:
    """Return what reaches an entry under any of its names, each heuristic once."""
    found: dict[str, Verdict] = {}
    # Reversed, so that the first name decides.
    for name in reversed(entry.names):
        found.update(plan.reach.get(name, {}))
    return sorted(found.values(), key=lambda verdict: plan.ranks[verdict.record.name])


def _repeat(plan: Plan, entries: tuple[Entry, ...], page: list[list[Verdict]]) -> None:
    """Let entries refer to the first one of the page that shows the same in full."""
    in_full: dict[tuple[str, str], Entry] = {}
    for entry, verdicts in zip(entries, page, strict=True):
        for position, verdict in enumerate(verdicts):
            if verdict.is_shown:
                identity = plan.lookups.objects.identity(entry.names[0])
                first = in_full.setdefault((identity, verdict.record.name), entry)
                if first is not entry:
                    verdicts[position] = verdict._replace(
                        form=Form.REPEATED, above=first
                    )


def _folded(verdicts: list[Verdict], limit: int) -> Iterator[Verdict]:
    """Yield the verdicts of an entry, with what is past the limit folded."""
    in_full = [
        verdict.record.name
        for verdict in verdicts
        if verdict.is_shown and verdict.form is Form.FULL
    ]
    folded = {
        name for at, name in enumerate(in_full) if is_folded(at, len(in_full), limit)
    }
    for verdict in verdicts:
        is_past = verdict.record.name in folded
        yield verdict._replace(form=Form.FOLDED) if is_past else verdict


def by_severity(records: Iterable[Heuristic]) -> tuple[Heuristic, ...]:
    """Return heuristics with the most severe first, then by weight.

    *records* are in the toctree's order, which decides between equals.
    """
    return tuple(sorted(records, key=lambda r: (_RANK[r.severity], -r.weight)))


def is_folded(at: int, number: int, limit: int) -> bool:
    """Return whether of a *number* of heuristics the one *at* a place is folded.

    Places count from 0. One or two are never folded alone.
    """
    return number > limit + 2 and at >= limit
