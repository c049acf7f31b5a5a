"""The records of what is meant and what becomes of it, which all of this folder use."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from ..model import Address, Connection, Entry, Heuristic, Query

if TYPE_CHECKING:
    from collections.abc import Mapping


class Rule(enum.Enum):
    """Why a target reaches a documented name, in words.

    ``{target}`` is the target up to ``+``, ``{ending}`` without ``*.``; ``{owner}``
    is the class that defines a member. The command ``explain`` fills them in.
    """

    ITSELF = "the target itself"
    ALIAS = "the same object as {target}"
    INHERITED = "inherits this very member from {owner}"
    ENDING = "the documented object whose name ends in {target}"
    STAR = "its name ends in {ending}"
    SUBCLASS = "a subclass of {target}"
    MEMBER = "the member of this name of {target}"
    OVERRIDE = "the member of this name of a subclass of {target}"

    @property
    def is_below(self) -> bool:
        """Whether the name is that of a class below the one that the target names."""
        return self in {Rule.INHERITED, Rule.SUBCLASS, Rule.OVERRIDE}


class Place(NamedTuple):
    """A page, or a section of it."""

    #: The document.
    docname: str
    #: The section's id; empty for the document as a whole.
    anchor: str = ""

    def __str__(self) -> str:
        """Return the place as a target names it."""
        return f"{self.docname}#{self.anchor}" if self.anchor else self.docname


class Resolved(NamedTuple):
    """What a name, or the target of a connection, means."""

    #: What the author wrote, where it is a connection's.
    connection: Connection = Connection("", "")
    #: Where a link leads; ``None`` if it is missing. `Objects` gives none, since it
    #: does not know where entries are; `Meanings` adds it.
    address: Address | None = None
    #: The documented names reached, in the order of the documentation, each with the
    #: rule by which.
    reached: Mapping[str, Rule] = {}
    #: The one of these that a link leads to; empty if it is none.
    entry: str = ""
    #: The page or section reached.
    place: Place | None = None
    #: What it may mean, if that is several things.
    several: tuple[str, ...] = ()
    #: Whether it may be missing: by a ``?``, by ``heuristics_targets`` or by
    #: ``heuristics_undocumented``.
    planned: bool = False
    #: The documented version, if the heuristic does not hold for it: a target that is
    #: missing need not be there, planned or not.
    not_in: str = ""

    @property
    def exists(self) -> bool:
        """Whether the target is there."""
        return self.address is not None

    @property
    def is_through_others(self) -> bool:
        """Whether no entry is that of the target itself: only below it are some."""
        return bool(self.entry) and self.reached[self.entry].is_below

    @property
    def is_fault(self) -> bool:
        """Whether it is missing and should be there, or may mean several things."""
        return not (self.exists or self.planned or self.not_in)


class Nearness(enum.IntEnum):
    """How a heuristic's targets reach an entry, the nearest first."""

    #: One names its object.
    NAMED = 0
    #: It is an inherited copy of what one names.
    INHERITED = 1
    #: By ``+`` or ``*`` alone.
    WIDE = 2


class Form(enum.StrEnum):
    """How an API entry or a page shows a heuristic."""

    #: In full: title and note.
    FULL = enum.auto()
    #: In full, in what is collapsed.
    FOLDED = enum.auto()
    #: By its title, in one block with others: it is in full elsewhere on the page, or
    #: there are too many at a parameter, or the page's own text links to it.
    TITLE = enum.auto()
    #: In a line of its own.
    LINE = enum.auto()
    #: By the definition itself, which the entry's documentation holds: without a box.
    DEFINED = enum.auto()


class Verdict(NamedTuple):
    """What becomes of a heuristic at an entry that it reaches.

    `Meanings` says by which rule and what leaves it out, for each documented name;
    `Placing` makes of that how the entry shows it.
    """

    #: The heuristic.
    record: Heuristic
    #: The first target of it that reaches the name.
    target: str
    #: Why that does.
    rule: Rule
    #: The place of that target among those of the heuristic.
    order: int = 0
    #: How its targets reach the entry.
    nearness: Nearness = Nearness.WIDE
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


class OnPage(NamedTuple):
    """What becomes of a heuristic on a page or section that it is connected to."""

    #: The heuristic.
    record: Heuristic
    #: The connection's type and target.
    target: str
    #: The page or section.
    place: Place
    #: Why it is not shown, in words; empty if it is shown.
    reason: str = ""
    #: Whether the page's own text links to it: it is where it belongs, and is not
    #: placed once more.
    is_linked: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the page shows it."""
        return not self.reason


class ByHand(NamedTuple):
    """What one ``heuristics-for`` shows."""

    #: The directive.
    query: Query
    #: The page or section that it is in.
    place: Place
    #: The API entry that it is in, if it is in one.
    entry: Entry | None
    #: The heuristics that it shows, in the toctree's order.
    heuristics: tuple[Heuristic, ...]

    @property
    def targets(self) -> str:
        """The targets that it names."""
        return ", ".join(self.query.option("target"))


class Shown(NamedTuple):
    """An API entry that shows a heuristic."""

    #: The first documented name of the entry.
    name: str
    #: The document of the entry, and its id there.
    docname: str
    anchor: str
    #: How the targets reach it.
    nearness: Nearness
    #: The parameter that it is shown at, or ``""``.
    parameter: str
