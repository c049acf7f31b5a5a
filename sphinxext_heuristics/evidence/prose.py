"""Quotes that are prose: a docstring's words, a comment's or a message's."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.lexer import MARK, Kind, parse, said, spoken, tokens
from sphinxext_heuristics.evidence.scope import neighbours

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator, Sequence

    from sphinxext_heuristics.evidence.lexer import Token
    from sphinxext_heuristics.evidence.scope import Scope

_MARKER = re.compile(r"^[ \t]*#+[:!]?", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{[^{}\n]+\}")


@dataclass(frozen=True, slots=True)
class Prose:
    """Words in their order; where lines end, and which strings they are cut into, does not matter."""

    text: str

    def find(self, scope: Scope) -> tuple[int, int] | None:
        """Return where these words stand: in strings side by side, or in a comment."""
        wanted = [words for text in _spellings(self.text) if (words := " ".join(text.split()))]
        for lines in _passages(scope):
            passage = Passage(lines)
            for words in wanted:
                if found := passage.find(words):
                    return found
        return None


def absent_comment(quote: str, scope: Scope) -> str:
    """Return the first comment in quoted code that *scope* does not have, white space folded, or nothing."""
    there = [Passage(lines) for lines in _comments(scope.comments)]
    for lines in _comments([token for token in tokens(quote) if token.kind is Kind.COMMENT]):
        words = Passage(lines).text.strip()
        if words and not any(passage.find(words) for passage in there):
            return words
    return ""


def _comments(found: Sequence[Token]) -> Iterator[list[tuple[int, str]]]:
    """Yield what each comment says, a piece for each line."""
    for block in neighbours(found):
        yield [(token.line, _MARKER.sub("", token.text) + "\n") for token in block]


class Passage:
    """Text with white space folded, and the lines that it is from."""

    def __init__(self, lines: Iterable[tuple[int, str]]) -> None:
        """Take pieces of text with the number of the line where each stands; a word may go on in the next piece."""
        pieces: list[str] = []
        self._starts: list[int] = []
        self._lines: list[int] = []
        length, space = 0, True
        for number, text in lines:
            folded = " ".join(text.split())
            if text[:1].isspace() or not text:
                folded = f" {folded}"
            if folded.strip() and text[-1:].isspace():
                folded = f"{folded} "
            if space:
                folded = folded.lstrip()
            if not folded:
                continue
            self._starts.append(length)
            self._lines.append(number)
            pieces.append(folded)
            length += len(folded)
            space = folded.endswith(" ")
        self.text = "".join(pieces)

    def find(self, words: str) -> tuple[int, int] | None:
        """Return the lines where *words* stand, not as parts of longer words, or ``None``."""
        left = "" if words[0] in "()[]{}.,:;" else r"(?<!\w)"
        right = "" if words[-1] in "([{" else r"(?!\w)"
        found = re.search(f"{left}{re.escape(words)}{right}", self.text)
        return (self._line(found.start()), self._line(found.end() - 1)) if found else None

    def _line(self, at: int) -> int:
        return self._lines[bisect_right(self._starts, at) - 1]


def _passages(scope: Scope) -> Iterator[list[tuple[int, str]]]:
    """Yield what is prose in *scope*, a piece for each line."""
    for group in scope.literals:
        pieces = [piece for item in group for piece in _ended(item.lines)]
        yield [(number, text.replace(MARK, "")) for number, text in pieces]
    yield from _comments(scope.comments)


def _ended(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their ends, which the last one does not have."""
    found = list(lines)
    yield from ((number, f"{text}\n") for number, text in found[:-1])
    yield from found[-1:]


def _spellings(quote: str) -> Iterator[str]:
    """Yield what a quote may stand for: as it is, a comment, strings, a message with placeholders, with escapes."""
    yield quote
    yield _MARKER.sub("", quote)
    lexed = list(tokens(quote))
    if all(token.kind in {Kind.STRING, Kind.COMMENT} for token in lexed):
        yield "".join(said(token.text) for token in lexed if token.kind is Kind.STRING).replace(MARK, "")
    yield _PLACEHOLDER.sub(_respelled, quote)
    if "\\" in quote:
        # As a string's source spells it; what is no string so is left as it is, with its marks, and found nowhere.
        yield said(f'''"""{quote} """''')


def _respelled(found: re.Match[str]) -> str:
    """Return a placeholder as `spoken` writes it, or as it is."""
    try:
        tree = parse(f"f'''{found[0]}'''", "eval")
        node: ast.AST | None = getattr(tree, "body", None)
        return spoken(node).replace(MARK, "") if node else found[0]
    except (ValueError, RecursionError):
        return found[0]
