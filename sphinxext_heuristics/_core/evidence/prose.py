"""Quotes that are prose: words of a docstring, a comment or a message."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from contextlib import suppress
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from ..source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .source import Extent, Lines

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

    def find(self, words: str) -> Lines | None:
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

    def find(self, place: Extent) -> Lines | None:
        """Return the lines of a string or comment that has these words, or ``None``."""
        comments = comments_of("\n".join(place.text), place.first)
        for passage in map(Passage, [*strings_of(place.tree), *comments]):
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
    folded = (Passage(comment).folded for comment in comments_of(quote))
    wanted = list(filter(None, folded))
    if not wanted:
        return ""
    there = [Passage(comment) for comment in comments_of("\n".join(place.text))]
    for words in wanted:
        if not any(passage.find(words) for passage in there):
            return words
    return ""


def comments_of(code: str, first: int = 1) -> list[list[Piece]]:
    """Return the comments of code, whose first line has the number *first*.

    Those on lines of their own, one right below the other, are one.
    """
    comments: list[list[Piece]] = []
    lines = code.split("\n")
    above = -1
    for token in _tokens(code):
        if token.type != tokenize.COMMENT:
            continue
        row, column = token.start
        is_alone = not lines[row - 1][:column].strip()
        comments += [] if is_alone and above == row - 1 else [[]]
        comments[-1].append((first + row - 1, f"{_MARKER.sub('', token.string)}\n"))
        above = row if is_alone else -1
    return comments


def _tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of what may be a part of a file, as far as there are any."""
    with suppress(tokenize.TokenError, SyntaxError):
        yield from tokenize.generate_tokens(io.StringIO(code).readline)


def strings_of(tree: ast.Module) -> Iterator[list[Piece]]:
    """Yield the string literals in a tree, with a piece for each line of its text.

    Literals side by side are one, and at the line of the first.
    """
    literals = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr)
    ]
    for node in sorted(literals, key=attrgetter("lineno", "col_offset")):
        last = node.end_lineno or node.lineno
        with suppress(ValueError):
            lines = _literal_text(node).splitlines(keepends=True)
            yield [(min(at, last), text) for at, text in enumerate(lines, node.lineno)]


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
