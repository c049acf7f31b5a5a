"""The faults that are found, each of a kind, with its place."""

from __future__ import annotations

import enum
from typing import NamedTuple, Protocol


class Placed(Protocol):
    """A record with a place; it may have the ``offsets`` of its options, too."""

    @property
    def source(self) -> str:
        """The file."""

    @property
    def line(self) -> int:
        """The line in it, from 1."""


class Subtype(enum.Enum):
    """The kinds of warnings, each with the sentence that the manual prints."""

    DUPLICATE = "One name has two definitions; both places are named."
    TARGET = (
        "A target does not exist (the closest names are given), or a planned "
        "one (`?`) now exists."
    )
    AMBIGUOUS = "A name fits several objects or pages; each is listed once."
    EXCEPT = "An `except` entry excludes nothing."
    REF = "The name in the role is unknown (the closest names are given)."
    CATEGORY = (
        "A category is not in `heuristics_categories` (the closest names are given)."
    )
    ORPHAN = "A heuristic has no connection, or is shown nowhere but on its own page."
    NOTE = "A heuristic has no note, or its page lacks one of `heuristics_sections`."
    OPTION = (
        "A bad name, version or value, an unknown option, a line among the "
        "options that is none, an option in the body, or markup shown as text."
    )
    FILE = (
        "In `heuristics_dir`, a page without its heuristic, one named otherwise, "
        "or a file that is not read, is included elsewhere or holds a conflict."
    )
    EVIDENCE = (
        "Quoted code is not where it is said to be, or the file of releases "
        "does not list it."
    )
    VERSION = (
        "`since` is after `until`, or evidence or a release contradicts the bounds."
    )
    INDEX = (
        "The index file differs from the pages, or is missing; the command "
        "that writes it is given."
    )
    REACH = (
        "An entry shows a heuristic and is not in `heuristics_reach_file`, or "
        "lines there are stale; one cause is one warning."
    )
    CONFIG = (
        "A bad configuration value (the default is used), or a missing file of "
        "releases."
    )

    @property
    def word(self) -> str:
        """What follows ``heuristic.`` in a warning."""
        return self.name.lower()


class Problem(NamedTuple):
    """A fault found in what an author wrote, located for a warning."""

    #: Which kind of warning it is. Other extensions give the name of their own kind, a
    #: word such as ``"owners"``: the warning is then ``heuristic.owners``.
    subtype: Subtype | str
    #: What was found, what is allowed and, where there is one, the closest name.
    message: str
    #: The file (or ``file:docstring of object``) at fault.
    source: str
    #: The line in it, from 1.
    line: int
    #: The option at fault, of a directive or of conf.py; empty if none is.
    option: str = ""
    #: Which of the option's values is at fault, such as a target; empty if it is all.
    value: str = ""

    @property
    def word(self) -> str:
        """What follows ``heuristic.`` in the warning."""
        subtype = self.subtype
        return subtype.word if isinstance(subtype, Subtype) else subtype

    @classmethod
    def at(
        cls,
        place: Placed,
        subtype: Subtype | str,
        message: str,
        option: str = "",
        value: str = "",
    ) -> Problem:
        """Return a problem at a record's place, or at that of one of its options."""
        offsets = dict(getattr(place, "offsets", ()))
        return cls(
            subtype=subtype,
            message=message,
            source=place.source,
            line=place.line + offsets.get(option, 0),
            option=option,
            value=value,
        )
