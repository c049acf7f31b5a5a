"""Quotes that are prose: words of a docstring, a comment or a message."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from ..source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .source import Extent

#: A piece of text and its line.
Piece: TypeAlias = tuple[int, str]

_MARKER = re.compile(r"^[ \t]*#+[:!]?", re.MULTILINE)


class Passage:
    """Text whose white space does not matter, and the lines where it is."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Take pieces of text in their order; a word may go on in the next piece."""
        self._text = "".join(text for _line, text in pieces)
        #: With white space folded.
        self.folded = " ".join(self._text.split())
        self._lines = [line for line, _text in pieces]
        self._starts = list(
            accumulate((len(text) for _line, text in pieces), initial=0)
        )

    def find(self, words: str) -> tuple[int, int] | None:
        """Return the first and last line of folded *words*, or ``None``.

        They are not parts of longer words.
        """
        left = "" if words[0] in "()[]{}.,:;" else r"(?<!\w)"
        right = "" if words[-1] in "([{" else r"(?!\w)"
        pattern = left + r"\s+".join(map(re.escape, words.split())) + right
        # The pattern alone would take long for long words that are not there.
        found = words in self.folded and re.search(pattern, self._text)
        if not found:
            return None
        first, last = (
            bisect_right(self._starts, at) - 1
            for at in (found.start(), found.end() - 1)
        )
        return self._lines[first], self._lines[last]


class Prose:
    """Quoted words."""

    def __init__(self, quote: str) -> None:
        """Take the words, wherever lines and literals end between them."""
        folded = (" ".join(text.split()) for text in _aliases(quote))
        self._aliases = list(filter(None, folded))

    def find(self, place: Extent) -> tuple[int, int] | None:
        """Return the lines of a string or comment that has these words, or ``None``."""
        comments, strings = texts_of("\n".join(place.text), place.first)
        for passage in map(Passage, [*strings, *comments]):
            for words in self._aliases:
                if found := passage.find(words):
                    return found
        return None


def _aliases(quote: str) -> Iterator[str]:
    """Yield what a quote may stand for.

    These are its words, those of a comment, of strings, and of a string's or an
    f-string's source.
    """
    yield quote
    yield _MARKER.sub("", quote)
    for template in ("(\n{}\n)", '"""{} """', 'f"""{} """'):
        with suppress(ValueError):
            yield literal_text(template.format(quote))


def missing_comment(quote: str, place: Extent) -> str:
    """Return the first comment in quoted code that an object lacks, or nothing.

    Its white space is folded.
    """
    folded = (Passage(comment).folded for comment in texts_of(quote)[0])
    wanted = list(filter(None, folded))
    if not wanted:
        return ""
    there = [Passage(comment) for comment in texts_of("\n".join(place.text))[0]]
    for words in wanted:
        if not any(passage.find(words) for passage in there):
            return words
    return ""


def texts_of(code: str, first: int = 1) -> tuple[list[list[Piece]], list[list[Piece]]]:
    """Return the comments and the string literals of code.

    Its first line has the number *first*. Comments on lines of their own, one right
    below the other, are one; so are literals side by side.
    """
    comments: list[list[Piece]] = []
    strings: list[list[Piece]] = []
    lines = code.split("\n")
    opened: list[tuple[int, int]] = []
    above, is_joined = -1, False
    for token in _tokens(code):
        kind = tokenize.tok_name[token.type]
        row, column = token.start
        if kind.endswith("STRING_START"):  # of an f-string, since Python 3.12
            opened.append(token.start)
            continue
        start = opened.pop() if kind.endswith("STRING_END") else token.start
        if opened:
            continue
        if kind.endswith(("STRING", "STRING_END")):
            strings += [] if is_joined else [[]]
            strings[-1] += _pieces(
                _between(lines, start, token.end), first + start[0] - 1
            )
            is_joined = True
        elif kind == "COMMENT":
            is_alone = not lines[row - 1][:column].strip()
            comments += [] if is_alone and above == row - 1 else [[]]
            comments[-1].append((first + row - 1, f"{_MARKER.sub('', token.string)}\n"))
            above = row if is_alone else -1
        elif kind != "NL":
            is_joined = False
    return comments, strings


def _tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of what may be a part of a file, as far as there are any."""
    with suppress(tokenize.TokenError, SyntaxError):
        yield from tokenize.generate_tokens(io.StringIO(code).readline)


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    found = [*lines[start[0] - 1 : end[0] - 1], lines[end[0] - 1][: end[1]]]
    return "\n".join([found[0][start[1] :], *found[1:]])


def _pieces(literal: str, line: int) -> Iterator[Piece]:
    """Yield what a literal says, a piece for each line; of bytes nothing."""
    with suppress(ValueError):
        for at, text in enumerate(literal_text(literal).splitlines(keepends=True)):
            yield line + min(at, literal.count("\n")), text


def literal_text(code: str) -> str:
    """Return the text of a string literal, or of several side by side.

    An f-string's placeholders are as they are written.
    Raises `ValueError` if the code is something else.
    """
    (statement,) = parse(code).body
    return _literal_text(getattr(statement, "value", statement))


def _literal_text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(map(_literal_text, values))
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
            how = f"!{chr(conversion)}" if conversion > 0 else ""
            layout = f":{_literal_text(spec)}" if spec else ""
            return f"{{{ast.unparse(value)}{how}{layout}}}"
    raise ValueError("not a string")
