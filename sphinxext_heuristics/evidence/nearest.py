"""What stands now where a quote stood: the passage most like it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nlargest
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.lexer import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinxext_heuristics.evidence.scope import Scope

#: No passage is longer: it is to be read in a warning.
MOST_LINES = 12
#: How many passages are compared letter by letter, those that share the most words.
MOST_COMPARED = 8
#: What is compared of a passage.
MOST_LETTERS = 1500
#: What is less like the quote says nothing.
LEAST_LIKE = 0.4

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """A passage that is like a quote."""

    #: From 0, nothing in common, to 1, equal.
    likeness: float
    #: Its first line.
    line: int
    #: What it says, dedented.
    text: str


def nearest(quote: str, scope: Scope) -> Nearest | None:
    """Return the passage of *scope* most like *quote*, or ``None`` if none is like it.

    A quote whose lines are broken otherwise than usual is looked for in the usual form, too.
    """
    found = [near for text in dict.fromkeys((quote, _in_usual_form(quote))) if (near := _nearest(text, scope))]
    return max(found, key=lambda it: it.likeness, default=None)


def _in_usual_form(quote: str) -> str:
    try:
        return ast.unparse(parse(textwrap.dedent(quote)))
    except (ValueError, RecursionError):
        return quote


def _nearest(quote: str, scope: Scope) -> Nearest | None:
    wanted = [line for line in quote.split("\n") if line.strip()]
    size = min(len(wanted), MOST_LINES)
    words = Counter(_WORD.findall(quote))
    places = nlargest(MOST_COMPARED, _shared(words, scope.text, size), key=lambda it: (it[0], -it[1]))
    folded = " ".join(quote.split())[:MOST_LETTERS]
    found = [_passage(folded, scope, at, size) for _count, at in places]
    best = max(found, key=lambda it: (it.likeness, -it.line), default=None)
    return best if best and best.likeness >= LEAST_LIKE else None


def _shared(words: Counter[str], lines: Sequence[str], size: int) -> Iterator[tuple[int, int]]:
    """Yield how many words each passage of *size* lines shares with the quote, and where the passage begins."""
    counted = [[word for word in _WORD.findall(line) if word in words] for line in lines]
    inside: Counter[str] = Counter()
    shared = 0
    for at, found in enumerate(counted):
        for word in found:
            inside[word] += 1
            shared += inside[word] <= words[word]
        gone = counted[at - size] if at >= size else ()
        for word in gone:
            shared -= inside[word] <= words[word]
            inside[word] -= 1
        first = max(at - size + 1, 0)
        if shared and lines[first].strip():
            yield shared, first


def _passage(folded: str, scope: Scope, at: int, size: int) -> Nearest:
    """Compare the passage that begins *at*; where that makes it liker, with lines more."""
    best = Nearest(likeness=-1.0, line=scope.first + at, text="")
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded)
    for more in range(min(4, MOST_LINES - size + 1)):
        lines = scope.text[at : at + size + more]
        matcher.set_seq1(" ".join(" ".join(lines).split())[:MOST_LETTERS])
        likeness = matcher.ratio()
        if likeness > best.likeness:
            text = textwrap.dedent("\n".join(lines)).strip("\n")
            best = Nearest(likeness=likeness, line=scope.first + at, text=text)
    return best
