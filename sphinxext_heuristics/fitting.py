"""Which messages a pasted text fits: a traceback, a line of it, or a part of a message. Time is linear in the text.

What is put into a message may be anything, white space is folded, case counts. Backticks do not: a page that
renders Markdown leaves none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sphinxext_heuristics.messages import ANYTHING, LOG, UNKNOWN, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.messages import Message

#: Less text than this fits by chance.
_LEAST_CHARS = 12
#: So many words in a row are no chance, wherever they stand.
_LEAST_WORDS = 5
#: Where a text is nothing but a message, so many letters of it are no chance.
_LEAST_FIXED = 4
#: The shortest run of words that is looked at.
_RUN = 3
#: What share of the words of the pasted text, or of the message, shorter runs must make up.
_LEAST_SHARE = 0.5
#: What share of its words makes a message close to a text that it does not fit.
_CLOSE_SHARE = 0.4
#: Shorter words are in every message.
_LEAST_LETTERS = 4

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: What is drawn around a traceback, and what begins the lines of an error in pytest's.
_FRAME, _MARGIN = "│┃║", "E   "
_KIND = re.compile(r"(?:\w+\.)*(?:[A-Z]\w*): ")
_WORD = re.compile(r"\w+")
#: Longer than the name of any exception.
_LONGEST_NAME = 200


class Pasted:
    """A text that a user has before the eyes."""

    def __init__(self, text: str) -> None:
        """Take the text as it was pasted."""
        lines = (line.strip().strip(_FRAME).strip() for line in _COLOUR.sub("", text).splitlines())
        self.text = _plain(" ".join(line.removeprefix(_MARGIN) for line in lines))
        found = _KIND.match(self.text[:_LONGEST_NAME])
        #: The class before it, if there is one.
        self.kind = found[0].removesuffix(": ").rpartition(".")[2] if found else ""
        #: The text without a class and a colon before it.
        self.said = self.text[found.end() :] if found else self.text

    def may_be(self, kind: str) -> bool:
        """Return whether the text names this class of error or warning, or none."""
        names_none = not self.kind or self.kind.isupper() or self.kind in {"Error", "Warning"}
        return names_none or kind in {LOG, UNKNOWN} or kind.rpartition(".")[2] == self.kind

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """All runs of a few words."""
        return frozenset(_runs(self.text.split()))

    @cached_property
    def words(self) -> frozenset[str]:
        """Its long words, in lower case."""
        return frozenset(_long_words(self.text))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fit:
    """How well a message fits; the greater, the better."""

    #: Whether all of the message is there.
    whole: bool
    #: How many characters that are fixed in the message are there.
    size: int
    #: Whether its kind is named.
    kind: bool


def fit(message: Message, pasted: Pasted) -> Fit | None:
    """Return how well a message fits a pasted text, or ``None`` if it does not."""
    pieces = pieces_of(_plain(message.text))
    names_kind = message.kind not in {LOG, UNKNOWN} and message.kind in pasted.text
    if _is_whole(message, pieces, pasted):
        return Fit(whole=True, size=sum(map(len, pieces)), kind=names_kind)
    size = _part(pieces, pasted)
    return Fit(whole=False, size=size, kind=names_kind) if size else None


def _is_whole(message: Message, pieces: list[str], pasted: Pasted) -> bool:
    """Tell whether all pieces are there, in their order."""
    is_short = sum(map(len, pieces)) < _LEAST_CHARS or " " not in "".join(pieces)
    # A word or two are in many texts: only right after its kind, or with nothing else, are they this message.
    if is_short and not any(_has(pasted.text, f"{message.kind}: {quote}{pieces[0]}") for quote in ("", "'", '"')):
        return pasted.may_be(message.kind) and _is_nothing_else(message, pieces, pasted.said)
    return _follow(pieces, pasted.text)


def _has(text: str, words: str) -> bool:
    """Tell whether a text has these words, not the last of them as the beginning of a longer one."""
    return re.search(rf"{re.escape(words)}(?!(?<=\w)\w)", text) is not None


def _is_nothing_else(message: Message, pieces: list[str], text: str) -> bool:
    """Tell whether a text is a message from its beginning to its end."""
    said = _plain(message.text)
    if ANYTHING not in said:
        return text == said
    begins = said.startswith(ANYTHING) or text.startswith(pieces[0])
    ends = said.endswith(ANYTHING) or text.endswith(pieces[-1])
    is_enough = sum(map(str.isalpha, "".join(pieces))) >= _LEAST_FIXED
    # What stands at the end may stand there once more.
    return is_enough and begins and ends and _follow(pieces[:-1], text.removesuffix(pieces[-1]))


def _follow(pieces: list[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _part(pieces: list[str], pasted: Pasted) -> int:
    """Return how many characters of a message are there where not all of it is; 0 if that may be chance."""
    said = pasted.said
    if len(said) >= _LEAST_CHARS and " " in said and any(said in piece for piece in pieces):
        return len(said)
    longest = total = 0
    common: list[str] = []
    for words in map(str.split, pieces):
        run, found = _common(words, pasted)
        longest, total = max(longest, run), total + len(words)
        common += found
    least = _LEAST_SHARE * min(len(said.split()), total)
    size = len(" ".join(common))
    is_enough = longest >= _LEAST_WORDS or (longest >= _RUN and len(common) >= least)
    return size if is_enough and size >= _LEAST_CHARS else 0


def _common(words: list[str], pasted: Pasted) -> tuple[int, list[str]]:
    """Return the length of the longest run of words that a text has, and all words in such runs."""
    longest = length = 0
    found: set[int] = set()
    for at, run in enumerate(_runs(words)):
        length = (length + 1 if length else _RUN) if run in pasted.runs else 0
        longest = max(longest, length)
        found.update(range(at, at + _RUN) if length else ())
    return longest, [words[at] for at in sorted(found)]


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(_RUN)), strict=False)


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def closeness(message: Message, pasted: Pasted) -> float:
    """Return the share of a message's long words that a text has; 0 if there are few."""
    words = set(_long_words(message.text))
    common = words & pasted.words
    share = len(common) / min(len(words), len(pasted.words)) if common else 0
    return share if share >= _CLOSE_SHARE and len(common) > 1 else 0


def _long_words(text: str) -> Iterator[str]:
    return (word.lower() for word in _WORD.findall(text) if len(word) >= _LEAST_LETTERS)
