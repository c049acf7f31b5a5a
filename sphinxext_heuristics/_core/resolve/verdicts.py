"""What becomes of a heuristic in an API entry that it reaches."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.model import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics._core.model import Entry, Heuristic
    from sphinxext_heuristics._core.resolve.objects import Rule

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


class Reason(enum.Enum):
    """Why an API entry does not show a heuristic that reaches it."""

    NONE = ""
    EXCEPT = "an entry of `except`"
    PARAM = "a signature without any of `param`"
    NO_INJECT = "the flag `no-inject`"
    VERSION = "the bounds"
    PAGE = "a page that is kept free"
    BY_HAND = "a `heuristics-for` in the entry"
    INHERITED = "an inherited copy, and these show nothing"

    def __bool__(self) -> bool:
        """Return whether there is a reason."""
        return self is not Reason.NONE


class Reach(NamedTuple):
    """A heuristic that reaches a documented name."""

    record: Heuristic
    #: The first target of it that does.
    target: str
    #: Why that reaches the name.
    rule: Rule
    #: What takes it away again: `except`, whose target is named, or `param`.
    reason: Reason = Reason.NONE
    excepted: str = ""


class Verdict(NamedTuple):
    """What becomes of a heuristic in an API entry that it reaches."""

    record: Heuristic
    #: The first target of it that reaches the entry.
    target: str
    #: Why that does.
    rule: Rule
    #: How it is shown, if it is.
    form: Form
    #: Why it is not.
    reason: Reason
    #: The target of `except` that is the reason, or ``""``.
    excepted: str
    #: The entry of the page that shows it in full, if this one only repeats it.
    above: Entry | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the entry shows it."""
        return not self.reason


def by_severity(records: Iterable[Heuristic]) -> tuple[Heuristic, ...]:
    """Return heuristics with the most severe first, then by weight; *records* are in the toctree's order."""
    return tuple(sorted(records, key=lambda r: (_RANK[r.severity], -r.weight)))


def is_folded(at: int, number: int, limit: int) -> bool:
    """Return whether of a *number* of heuristics the one *at* a place, from 0, is folded: never one or two alone."""
    return number > limit + 2 and at >= limit
