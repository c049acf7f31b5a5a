"""Tokens of text that need not parse, without what formatters add and remove."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.lexer import Kind, said

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from sphinxext_heuristics.evidence.lexer import Token

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
#: Between one of these …
_BEFORE = frozenset(
    [
        "(",
        "[",
        "{",
        ",",
        "=",
        ":",
        "return",
        "if",
        "elif",
        "while",
        "assert",
        "else",
        "raise",
        "from",
        "del",
        "yield",
        "+=",
        "-=",
        "*=",
        "/=",
        "|=",
        "&=",
        ":=",
    ]
)
#: … and one of these parentheses are redundant, unless there is one of the third group inside.
_AFTER = frozenset([")", "]", "}", ",", ":", "="])
_NEEDS_PARENTHESES = frozenset([",", ":=", "yield", "for", "lambda"])
#: After one of these a list needs no parentheses: targets, names, items.
_LISTS = frozenset(["del", "for", "import", "with"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A token as it is compared."""

    #: Equal for equal meaning.
    key: Hashable
    #: Its first line.
    line: int
    #: Its last line.
    end_line: int


class Edges(IntEnum):
    """What is redundant at a fragment's ends, where it depends on what would stand there."""

    #: Nothing: what opens or closes beyond them is kept, and a comma at the end is.
    KEPT = 0
    #: Parentheses at an end, parentheses that are closed beyond it, and a comma at the end.
    OPEN = 1
    #: Parentheses that are opened before it, too.
    FREE = 2


def normalised(tokens: Iterable[Token], *, bare: bool, joined: bool, edges: Edges = Edges.KEPT) -> list[Item]:
    """Return what to compare of *tokens*: strings are what they say, comments are gone.

    With *bare*, redundant parentheses and trailing commas are gone, too. With *joined*, strings side by side are one.
    """
    code = [token for token in tokens if token.kind is not Kind.COMMENT]
    dropped = frozenset(_redundant(code, edges) if bare else ())
    return list(_items([token for at, token in enumerate(code) if at not in dropped], joined=joined))


def _items(code: Sequence[Token], *, joined: bool) -> Iterator[Item]:
    run: list[Token] = []
    for token in code:
        if run and (token.kind is not Kind.STRING or not joined):
            yield _string(run)
            run = []
        if token.kind is Kind.STRING:
            run.append(token)
        else:
            yield Item(key=token.text, line=token.line, end_line=token.end_line)
    if run:
        yield _string(run)


def _string(run: Sequence[Token]) -> Item:
    key = ("string", "".join(said(token.text) for token in run))
    return Item(key=key, line=run[0].line, end_line=run[-1].end_line)


@dataclass(slots=True, kw_only=True)
class _Bracket:
    """A bracket that is open."""

    #: Where it stands.
    at: int
    #: Whether it opens arguments or a subscript.
    applies: bool
    #: What stands directly in it.
    inside: set[str] = field(default_factory=set)
    #: How many commas do.
    commas: int = 0


def _redundant(code: Sequence[Token], edges: Edges) -> Iterator[int]:
    """Yield the places of the tokens that mean nothing."""
    waiting: list[_Bracket] = []
    applies = False
    for at, token in enumerate(code):
        text = token.text
        if text in _OPENING:
            waiting.append(_Bracket(at=at, applies=applies))
        elif text in _CLOSING and waiting:
            yield from _closed(code, waiting.pop(), at, edges)
        elif text in _CLOSING and edges:
            if at and code[at - 1].text == ",":
                yield at - 1
            if edges is Edges.FREE and text == ")" and _follows(code, at, edges) and not _is_closed_at(code, at + 1):
                yield at
        elif waiting:
            waiting[-1].inside.add(text)
            waiting[-1].commas += text == ","
        applies = text in _CLOSING or (token.kind in {Kind.NAME, Kind.STRING} and text not in _KEYWORDS)
    if edges:
        yield from (bracket.at for bracket in waiting if _is_only_opened(code, bracket))
        if code and code[-1].text == ",":
            yield len(code) - 1


def _closed(code: Sequence[Token], bracket: _Bracket, at: int, edges: Edges) -> Iterator[int]:
    """Yield what means nothing of a pair of brackets: the comma at its end, the brackets themselves."""
    kind = code[bracket.at].text
    # one element with a comma is a tuple: in parentheses of its own and in a subscript
    listed = kind == "{" or bracket.applies == (kind == "(")
    if code[at - 1].text == "," and (bracket.commas > 1 or listed):
        yield at - 1
    if _lists(code, bracket) and (_follows(code, at, edges) or code[at + 1].text == "in"):
        yield from (bracket.at, at)
        return
    around = _precedes(code, bracket.at, edges) and _follows(code, at, edges)
    needed = bracket.applies or at == bracket.at + 1 or bracket.inside & _NEEDS_PARENTHESES
    if around and not needed:
        yield from (bracket.at, at)


def _lists(code: Sequence[Token], bracket: _Bracket) -> bool:
    """Tell whether a parenthesis holds what may be listed without."""
    return code[bracket.at].text == "(" and bool(bracket.at) and code[bracket.at - 1].text in _LISTS


def _is_only_opened(code: Sequence[Token], bracket: _Bracket) -> bool:
    """Tell whether a parenthesis is redundant though what it holds is not all there: no tuple can become of it."""
    if _lists(code, bracket):
        return True
    before = code[bracket.at - 1].text if bracket.at else ""
    return (
        code[bracket.at].text == "("
        and before in _BEFORE - {*_OPENING, ",", ":"}
        and not bracket.inside & _NEEDS_PARENTHESES
    )


def _is_closed_at(code: Sequence[Token], at: int) -> bool:
    return at < len(code) and code[at].text in _CLOSING


def _precedes(code: Sequence[Token], at: int, edges: Edges) -> bool:
    """Tell whether a parenthesis may be redundant by what stands before it."""
    return code[at].text == "(" and (code[at - 1].text in _BEFORE if at else bool(edges))


def _follows(code: Sequence[Token], at: int, edges: Edges) -> bool:
    """Tell whether a parenthesis may be redundant by what stands after it."""
    return code[at + 1].text in _AFTER or code[at + 1].first if at + 1 < len(code) else bool(edges)


_KEYWORDS = frozenset(
    [
        "and",
        "as",
        "assert",
        "async",
        "await",
        "case",
        "del",
        "elif",
        "else",
        "for",
        "from",
        "if",
        "import",
        "in",
        "is",
        "lambda",
        "not",
        "or",
        "raise",
        "return",
        "while",
        "with",
        "yield",
    ]
)
