"""The passage that is now most like a quote."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from difflib import SequenceMatcher
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics.evidence.source import parse

if TYPE_CHECKING:
    from sphinxext_heuristics.evidence.source import Place

#: No passage is longer: it is to be read in a warning.
MOST_LINES = 12
#: How many passages are compared letter by letter, those that share the most words.
MOST_COMPARED = 8
#: How many letters of a passage are compared.
MOST_LETTERS = 1500
#: A passage that is less like the quote is not shown.
LEAST_LIKE = 0.4

_WORD = re.compile(r"\w+|[^\w\s]")


class Nearest(NamedTuple):
    """A passage that is like a quote: from 0, nothing in common, to 1, equal."""

    likeness: float
    line: int
    text: str


def nearest(quote: str, place: Place) -> Nearest | None:
    """Return the passage most like a quote, however the lines of either are broken, or ``None`` if none is."""
    try:
        usual = ast.unparse(parse(textwrap.dedent(quote)))
    except (ValueError, RecursionError):
        usual = quote
    found = [near for text in {quote: 0, usual: 0} for near in _compared(text, place) if near.likeness >= LEAST_LIKE]
    return max(found, key=lambda near: (near.likeness, -near.line), default=None)


def _compared(quote: str, place: Place) -> list[Nearest]:
    """Compare a quote with the passages that share the most words with it, from its number of lines to a few more."""
    size = min(sum(bool(line.strip()) for line in quote.split("\n")), MOST_LINES)
    words = Counter(_WORD.findall(quote))
    counted = [Counter(word for word in _WORD.findall(line) if word in words) for line in place.text]
    shared = [
        ((sum(counted[at : at + size], Counter()) & words).total(), -at)
        for at, line in enumerate(place.text)
        if line.strip()
    ]
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(" ".join(quote.split())[:MOST_LETTERS])
    found: list[Nearest] = []
    for count, at in nlargest(MOST_COMPARED, shared):
        for end in range(size, min(size + 4, MOST_LINES + 1)) if count else ():
            lines = place.text[-at : end - at]
            matcher.set_seq1(" ".join(" ".join(lines).split())[:MOST_LETTERS])
            found.append(Nearest(matcher.ratio(), place.first - at, textwrap.dedent("\n".join(lines)).strip("\n")))
    return found
