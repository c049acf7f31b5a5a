"""What came of the search for a quote."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a quote is now."""

    #: The source file.
    path: Path
    #: The passage's first line, from 1.
    line: int
    #: Its last line.
    end_line: int
    #: The module of the file: another one than is named if the object is defined there.
    module: str
    #: The object's name in that module.
    qualname: str


class Reason(Enum):
    """Why a quote was not found."""

    NO_PACKAGE = "no-package"
    NO_MODULE = "no-module"
    NO_OBJECT = "no-object"
    #: A module written in C, a folder without code, …
    NO_SOURCE = "no-source"
    #: The source file is not Python.
    UNPARSABLE = "unparsable"
    #: The object does not contain the quote, or the quote is not Python.
    NOT_THERE = "not-there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A quote that was not found."""

    #: Why.
    reason: Reason
    #: The same in words, one line.
    message: str
    #: The closest passage now, dedented; empty if there is none.
    nearest: str = ""
    #: The file that was read, if one was.
    path: Path | None = None
    #: The line in it where the closest passage begins, or else the object; 0 if neither.
    line: int = 0
