"""What a docstring is split into: plain records, and the words that open a section."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a section of a docstring is."""

    PROSE = "prose"
    """Markdown that belongs to no section."""
    RUBRIC = "rubric"
    """A heading such as ``Example:``; what it heads is the prose that follows."""
    CODE = "code"
    """The indented block after a heading that ends in ``::``."""
    ADMONITION = "admonition"
    """``Note:``, ``Warning:`` and their like."""
    PARAMETERS = "parameters"
    ATTRIBUTES = "attributes"
    RETURNS = "returns"
    YIELDS = "yields"
    RAISES = "raises"
    WARNS = "warns"


class Item(NamedTuple):
    """One entry of a section: a parameter, a return value, an exception."""

    #: What is described; empty for a return value without a name.
    name: str = ""
    #: The type as it is written, without the parentheses around it; empty where there is none.
    type: str = ""
    #: The description, Markdown, without its indentation.
    text: str = ""
    #: The line of the docstring that the entry starts on, from 0.
    line: int = 0
    #: The line of the docstring that the description starts on, from 0.
    text_line: int = 0


class Section(NamedTuple):
    """One section of a docstring."""

    #: What the section is.
    kind: Kind
    #: The heading's words; for an admonition, the name of its type (``note``).
    title: str = ""
    #: Markdown, where the section has no items.
    text: str = ""
    #: The entries, where the section has them.
    items: tuple[Item, ...] = ()
    #: The line of the docstring that the section's text starts on, from 0.
    line: int = 0


_FIELDS = {
    "arg": Kind.PARAMETERS,
    "argument": Kind.PARAMETERS,
    "param": Kind.PARAMETERS,
    "parameter": Kind.PARAMETERS,
    "keyword arg": Kind.PARAMETERS,
    "keyword argument": Kind.PARAMETERS,
    "attribute": Kind.ATTRIBUTES,
    "return": Kind.RETURNS,
    "yield": Kind.YIELDS,
    "raise": Kind.RAISES,
    "warn": Kind.WARNS,
}
_RUBRICS = frozenset({"example", "reference", "usage"})
_ADMONITIONS = frozenset({"attention", "caution", "danger", "hint", "important", "note", "tip", "warning"})


def kind_of(word: str, qualifier: str) -> tuple[Kind, str]:
    """Say what a heading opens, and under which title."""
    singular = word.lower().removesuffix("s")
    if not qualifier and singular in _FIELDS:
        return _FIELDS[singular], word
    if not qualifier and singular in _ADMONITIONS:
        return Kind.ADMONITION, singular
    return Kind.RUBRIC if singular in _RUBRICS else Kind.PROSE, word + qualifier
