"""The one place where the extension warns."""

from __future__ import annotations

import difflib
import os.path
import reprlib
from collections import Counter
from functools import cached_property
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .problems import Problem

#: How many names are compared letter by letter: those that share the most pairs of
#: letters.
_LIKELY = 50
#: How many names that share a pair are counted, and how many letters compared: a
#: message is not worth more.
_MAX_COUNTED, _MAX_LETTERS = 20_000, 200

#: The ``type`` of all warnings.
TYPE = "heuristic"

logger = logging.getLogger(__name__)


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once, in an order that no build changes."""
    return sorted(set(problems), key=lambda p: (p.source, p.line, p.word, p.message))


def report(problems: Iterable[Problem]) -> None:
    """Give each problem as a warning, in the order given."""
    for problem in problems:
        logger.warning(
            "%s",
            problem.message,
            # Sphinx takes a string with a colon as it is: the file may be a docstring's
            # or an included one, which a pair with the document's name would lose.
            location=f"{problem.source}:{problem.line}",
            type=TYPE,
            subtype=problem.word,
        )


def absolute(source: str | None) -> str:
    """Return the path of a source that does not depend on where a build is started.

    docutils names an included file as seen from the working directory; a docstring
    (``file:docstring of object``) has an absolute path already.
    """
    if not source or source.startswith(("docstring of ", "<")):
        return source or ""
    return os.path.abspath(source)  # noqa: PTH100 - not a Path: it may name a docstring


def closest(word: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return the names most like *word*, best first; case does not matter."""
    return ClosestNames(names).closest(word, count)


class ClosestNames:
    """Names that are searched many times for those most like a word.

    Only the first search takes a time that grows with their number.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names; of those that differ only in case, the first in order."""
        self._folded: dict[str, str] = {}
        for name in sorted(names):
            self._folded.setdefault(name.casefold()[:_MAX_LETTERS], name)

    @cached_property
    def _by_pair(self) -> dict[str, list[str]]:
        """Map each pair of letters to the names that hold it."""
        found: dict[str, list[str]] = {}
        for name in self._folded:
            for pair in _pairs(name):
                found.setdefault(pair, []).append(name)
        return found

    def closest(self, word: str, count: int = 3) -> tuple[str, ...]:
        """Return the names most like *word*, best first; case does not matter."""
        folded = word.casefold()[:_MAX_LETTERS]
        # Rare pairs first: of those that all names share, a part will do.
        sharing = [self._by_pair.get(pair, []) for pair in _pairs(folded)]
        sharing.sort(key=len)
        counted = Counter(islice(chain.from_iterable(sharing), _MAX_COUNTED))
        likely = [name for name, _count in counted.most_common(_LIKELY)]
        close = difflib.get_close_matches(folded, likely, n=count, cutoff=0.6)
        return tuple(self._folded[name] for name in close)


def _pairs(word: str) -> dict[str, None]:
    """Return the pairs of letters of a word, in their order; its edges are letters."""
    return dict.fromkeys(map("".join, pairwise(f" {word} ")))


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural where it is not one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def did_you_mean(names: Iterable[str]) -> str:
    """Return the end of a message that offers *names*, or nothing."""
    quoted = " or ".join(repr(name) for name in names)
    return f"; did you mean {quoted}?" if quoted else ""


#: What is plain data on its own.
_SIMPLE = (str, int, float, type(None))


def not_plain(data: object) -> str:
    """Return in words what in *data* is not plain data, or ``""``."""
    if isinstance(data, _SIMPLE):
        return ""
    if isinstance(data, dict):
        for key in data:
            if not isinstance(key, str):
                return f"the key {reprlib.repr(key)}"
        data = tuple(data.values())
    if isinstance(data, tuple | list):
        for part in data:
            if found := not_plain(part):
                return found
        return ""
    return f"{type(data).__name__}: {reprlib.repr(data)}"
