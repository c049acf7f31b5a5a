"""The passage of a source that is most like a lost quote."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from difflib import SequenceMatcher
from heapq import nsmallest
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from .code import Code
from .prose import comments_of, strings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .prose import Passage
    from .source import Extent

#: No passage is longer: it is to be read in a warning.
MOST_LINES = 12
#: How many passages are compared: those that share the most words.
MOST_COMPARED = 8
#: How many letters of code are compared, and how many words of prose.
MOST_LETTERS, MOST_WORDS = 1500, 200

_WORD = re.compile(r"\w+|[^\w\s]")
#: A word of prose; what is between braces is one.
_PROSE_WORD = re.compile(r"(?:\{[^{}]*\}|\S)+")
#: What is compared of a word with a placeholder.
_VALUE = "{}"
_PLACEHOLDER = re.compile(
    r"\{[^{}]*\}|%(?:\(\w+\))?[-#0 +]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]"
)


class Nearest(NamedTuple):
    """A passage that is like a quote: from 0, nothing in common, to 1, equal."""

    likeness: float
    line: int
    #: Its lines, dedented.
    text: str
    #: If it is prose: its words that are like the quote.
    words: str = ""


def closeness(near: Nearest) -> tuple[float, int]:
    """Return a key that puts the closest first."""
    return -near.likeness, near.line


def _in_order(found: Iterable[Nearest], least: float) -> list[Nearest]:
    """Return what is alike enough, the closest first."""
    return sorted((it for it in found if it.likeness >= least), key=closeness)


# -- code -----------------------------------------------------------------------------


def code_like(quote: str, place: Extent, least: float) -> Iterator[Nearest]:
    """Yield the passages that are like a quote, of those that share the most words.

    They have as many lines as it or a few more, or are a statement. Neither case nor
    line breaks matter. What could be quoted as code is better than any other.
    """
    size = min(sum(bool(line.strip()) for line in quote.split("\n")), MOST_LINES)
    words = Counter(_words(quote))
    is_quoted = words.__contains__
    counted = [Counter(filter(is_quoted, _words(line))) for line in place.text]
    starts: list[tuple[int, int]] = []
    for at, line in enumerate(place.text):
        shared = (sum(counted[at : at + size], Counter()) & words).total()
        if shared and line.strip():
            starts.append((-shared, at))
    statements = _statements_by_line(place)
    found: list[Nearest] = []
    matcher = SequenceMatcher(b=_letters(quote), autojunk=False)
    for _shared, start in nsmallest(MOST_COMPARED, starts):
        lengths = {*range(size, size + 4), *statements.get(start, ())}
        for length in sorted(it for it in lengths if it <= MOST_LINES):
            text = "\n".join(place.text[start : start + length])
            passage = textwrap.dedent(text).strip("\n")
            matcher.set_seq1(_letters(text))
            found.append(Nearest(matcher.ratio(), place.first + start, passage))
    found = _in_order(found, least)
    has_whole = False
    for near in found:
        # To look for code takes long: only as far as somebody asks.
        if _is_code_of(place, near.text):
            has_whole = True
            yield near
    for near in [] if has_whole else found:
        # A part of a statement cannot be quoted: the whole is.
        start = near.line - place.first
        length = max(statements.get(start, ()), default=0)
        whole = textwrap.dedent("\n".join(place.text[start : start + length]))
        yield near._replace(text=whole.strip("\n") or near.text)


def _is_code_of(place: Extent, text: str) -> bool:
    """Return whether a passage is found as code: it is whole, and of one block."""
    try:
        return Code(text).find(place) is not None
    except ValueError:
        return False


def _statements_by_line(place: Extent) -> dict[int, list[int]]:
    """Map lines, from 0, to the numbers of lines of the statements that begin there."""
    found: dict[int, list[int]] = {}
    for node in ast.walk(place.tree):
        if isinstance(node, ast.stmt):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            found.setdefault(node.lineno - place.first, []).append(length)
    return found


def _words(text: str) -> list[str]:
    """Return the words of a text, in one case."""
    return _WORD.findall(text.casefold())


def _letters(text: str) -> str:
    """Return what is compared of a text letter by letter."""
    return " ".join(text.casefold().split())[:MOST_LETTERS]


# -- prose ----------------------------------------------------------------------------


def prose_like(quote: str, place: Extent, least: float) -> Iterator[Nearest]:
    """Yield what is like quoted words in strings and comments that share the most."""
    wanted = [word.compared for word in _prose_words(quote)][:MOST_WORDS]
    known = {*wanted, _VALUE}
    passages = [*strings_of(place.tree)]
    passages += comments_of("\n".join(place.text), place.first)
    starts: list[tuple[int, int, int]] = []
    for number, passage in enumerate(passages):
        words = _prose_words(passage.text)
        until = [0, *accumulate(word.compared in known for word in words)]
        for at in range(len(words)):
            shared = until[min(at + len(wanted), len(words))] - until[at]
            starts.append((-shared, number, at))
    found = [
        _aligned(wanted, passages[number], at, place)
        for shared, number, at in nsmallest(3 * MOST_COMPARED, starts)
        if shared
    ]
    yield from _in_order(found, least)


class _Word(NamedTuple):
    """A word of prose."""

    start: int
    end: int
    #: What is compared of it.
    compared: str


def _prose_words(text: str) -> list[_Word]:
    found: list[_Word] = []
    for word in _PROSE_WORD.finditer(text):
        compared = word[0].strip(".,:;!?()[]'\"`#").casefold() or word[0]
        if _PLACEHOLDER.search(word[0]):
            compared = _VALUE
        found.append(_Word(*word.span(), compared))
    return found


def _aligned(
    wanted: Sequence[str], passage: Passage, start: int, place: Extent
) -> Nearest:
    """Compare quoted words with a passage's from about the word *start* on.

    Those that were replaced at either end of the quote are a part of it. A placeholder
    is like any word that is in its place.
    """
    words = _prose_words(passage.text)
    size = len(wanted)
    there = [word.compared for word in words[start : start + size + 3]]
    matcher = SequenceMatcher(None, there, wanted, autojunk=False)
    same = [block for block in matcher.get_matching_blocks() if block.size]
    before = same[0].a - same[0].b if same else 0
    after = same[-1].a - same[-1].b + size if same else size
    there_whole = words[max(start + before, 0) : start + after]
    values = Counter(word.compared for word in there_whole)[_VALUE]
    number = sum(block.size for block in same)
    filled = min(max(values - wanted.count(_VALUE), 0), size - number)
    likeness = 2 * number / max(size + len(there_whole) - 2 * filled, 1)
    begin, end = there_whole[0].start, there_whole[-1].end
    first, last = passage.lines(begin, end)
    if "\n" not in passage.text:  # a literal that has lines of its own in the source
        first, last = passage.first, passage.last
    lines = place.text[first - place.first : last - place.first + 1][:MOST_LINES]
    return Nearest(
        likeness,
        first,
        textwrap.dedent("\n".join(lines)).strip("\n"),
        "\n".join(map(str.strip, passage.text[begin:end].split("\n"))),
    )
