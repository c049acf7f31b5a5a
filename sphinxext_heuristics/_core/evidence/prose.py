"""Quotes that are prose: words of a docstring, a comment or a message."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING

from ..source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source import Extent, Lines

_MARKER = re.compile(r"^[ \t]*#+[:!]?", re.MULTILINE)


class Passage:
    """Text whose white space does not matter, and the lines where it is."""

    def __init__(self, text: str, first: int, last: int) -> None:
        """Take a text, and the lines where it begins and ends."""
        self.text = text
        #: With white space folded.
        self.folded = " ".join(text.split())
        self.first = first
        self.last = last

    def find(self, words: str) -> Lines | None:
        """Return the first and last line of folded *words*, or ``None``.

        They are not parts of longer words.
        """
        left = "" if words[0] in "()[]{}.,:;" else r"(?<!\w)"
        right = "" if words[-1] in "([{" else r"(?!\w)"
        pattern = left + r"\s+".join(map(re.escape, words.split())) + right
        # The pattern alone would take long for long words that are not there.
        found = words in self.folded and re.search(pattern, self.text)
        if not found:
            return None
        return self.lines(*found.span())

    def lines(self, start: int, end: int) -> Lines:
        """Return the first and last line of a part of the text."""
        return self._line_at(start), self._line_at(end)

    def _line_at(self, at: int) -> int:
        """Return the line of a character; an escaped line end is none in the source."""
        return min(self.first + self.text.count("\n", 0, at), self.last)


class Prose:
    """Quoted words."""

    def __init__(self, quote: str) -> None:
        """Take the words, wherever lines and literals end between them."""
        folded = (" ".join(text.split()) for text in _readings(quote))
        self._readings = list(filter(None, folded))

    def find(self, place: Extent) -> Lines | None:
        """Return the lines of a string or comment that has these words, or ``None``."""
        comments = comments_of("\n".join(place.text), place.first)
        for passage in (*strings_of(place.tree), *comments):
            for words in self._readings:
                if found := passage.find(words):
                    return found
        return None


def _readings(quote: str) -> Iterator[str]:
    """Yield what a quote may stand for.

    These are its words, those of a comment, of strings, and of a string's or an
    f-string's source.
    """
    yield quote
    yield _MARKER.sub("", quote)
    for template in ("(\n{}\n)", '"""{} """', 'f"""{} """'):
        with suppress(ValueError):
            (statement,) = parse(template.format(quote)).body
            yield _literal_text(getattr(statement, "value", statement))


def missing_comment(quote: str, place: Extent) -> str:
    """Return the first comment in quoted code that an object lacks, or nothing.

    Its white space is folded.
    """
    wanted = [comment.folded for comment in comments_of(quote)]
    if not wanted:
        return ""
    there = comments_of("\n".join(place.text))
    for words in wanted:
        if words and not any(passage.find(words) for passage in there):
            return words
    return ""


def comments_of(code: str, first: int = 1) -> list[Passage]:
    """Return the comments of code, whose first line has the number *first*.

    Those on lines of their own, one right below the other, are one.
    """
    #: The first line of each, and its lines.
    comments: list[tuple[int, list[str]]] = []
    above = -1
    # It may be a part of a file, of which there are tokens up to some place.
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type != tokenize.COMMENT:
                continue
            row, column = token.start
            is_alone = not token.line[:column].strip()
            if not is_alone or above != row - 1:
                comments.append((first + row - 1, []))
            comments[-1][1].append(_MARKER.sub("", token.string))
            above = row if is_alone else -1
    return [
        Passage("\n".join(lines), line, line + len(lines) - 1)
        for line, lines in comments
    ]


def strings_of(tree: ast.Module) -> Iterator[Passage]:
    """Yield the string literals in a tree.

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
            yield Passage(_literal_text(node), node.lineno, last)


def _literal_text(node: ast.AST) -> str:
    """Return the text of a string literal, or of several side by side.

    An f-string's placeholders are as they are written.
    Raises `ValueError` if the node is something else.
    """
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
