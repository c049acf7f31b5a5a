"""Syntax trees as numbers and lines that can be compared: positions, contexts and layout are left out."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

#: What does not change what a tree means.
_ASIDE = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


class Shapes:
    """Numbers for subtrees: two that mean the same have the same number, and no others.

    Exact and linear: a subtree's key is its type, its constants and its children's numbers.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], int] = {}

    def learn(self, root: ast.AST) -> dict[ast.AST, int]:
        """Return the numbers of all nodes below *root* and of itself."""
        return self._numbers(root, learn=True)

    def recognise(self, root: ast.AST) -> dict[ast.AST, int]:
        """Do the same without remembering: what has not been learnt gets a negative number of its own."""
        return self._numbers(root, learn=False)

    def _numbers(self, root: ast.AST, *, learn: bool) -> dict[ast.AST, int]:
        # No recursion: a chain of a thousand operators is a tree a thousand deep.
        order, waiting = [], [root]
        while waiting:
            node = waiting.pop()
            order.append(node)
            waiting.extend(ast.iter_child_nodes(node))
        numbers: dict[ast.AST, int] = {}
        for node in reversed(order):
            key = _key(node, numbers)
            unknown = len(self._known) if learn else -len(numbers) - 1
            numbers[node] = self._known.setdefault(key, unknown) if learn else self._known.get(key, unknown)
        return numbers


def _key(node: ast.AST, numbers: Mapping[ast.AST, int]) -> tuple[object, ...]:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            # A docstring's indentation is layout: a quote has lost it, and formatters change it.
            return ast.Expr, cleaned(text)
        case ast.Constant(value=value):
            return ast.Constant, type(value), value
        case ast.JoinedStr(values=values) if all(isinstance(value, ast.Constant) for value in values):
            # An f without placeholders.
            return ast.Constant, str, "".join(str(value.value) for value in values if isinstance(value, ast.Constant))
        case ast.Delete(targets=[ast.Tuple(elts=targets)]):
            # With parentheses or without.
            return ast.Delete, tuple(numbers[target] for target in targets)
    fields = (getattr(node, name, None) for name in node._fields if name not in _ASIDE)
    return type(node), *(_number(field, numbers) for field in fields)


def _number(field: object, numbers: Mapping[ast.AST, int]) -> Hashable:
    match field:
        case ast.AST():
            return numbers[field]
        case list():
            return tuple(_number(item, numbers) for item in field)
    return type(field), field


def cleaned(text: str) -> str:
    """Return a docstring without its indentation and without spaces at line ends."""
    return "\n".join(line.rstrip() for line in inspect.cleandoc(text).splitlines()).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A simple statement, or what a compound statement says before one of its blocks."""

    #: How many blocks it stands in.
    depth: int
    #: What it says: equal for equal meaning.
    key: Hashable
    #: Its first line in the text.
    first: int
    #: Its last line in the text.
    last: int
    #: Whether it goes on with the statement above: ``else``, ``elif``, ``except``, ``finally``.
    goes_on: bool = False
    #: Whether it is a docstring.
    docstring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """A statement that waits for its turn."""

    node: ast.stmt
    depth: int
    goes_on: bool = False
    docstring: bool = False


class Lines:
    """The lines of a tree, in order."""

    def __init__(self, numbers: Mapping[ast.AST, int], text: Sequence[str], *, spelled: bool) -> None:
        """Take the nodes' numbers (`Shapes`) and the text's lines.

        An ``if`` alone in an ``else`` is an ``elif``; with *spelled*, it is what is written.
        """
        self._spelled = spelled
        self._numbers = numbers
        self._text = text

    def of(self, body: Sequence[ast.stmt], *, may_have_docstring: bool) -> Iterator[Line]:
        """Yield the lines of a block: of a module, or of statements out of one."""
        waiting: list[Line | _Statement] = self._block(body, 0, may_have_docstring=may_have_docstring)[::-1]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Line):
                yield item
            else:
                waiting.extend(reversed(self._unfolded(item)))

    def _unfolded(self, it: _Statement) -> list[Line | _Statement]:
        """Return a statement's own lines, and the statements in its blocks."""
        node, depth = it.node, it.depth
        found: list[Line | _Statement] = []
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found += [self._line(mark, depth, "@", mark) for mark in node.decorator_list]
                found += [self._header(it), *self._block(node.body, depth + 1, may_have_docstring=True)]
            case ast.If(body=body, orelse=[ast.If() as other]) if self._is_elif(other):
                found += [self._header(it), *self._block(body, depth + 1)]
                found.append(_Statement(node=other, depth=depth, goes_on=True))
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
                found += [self._header(it), *self._block(node.body, depth + 1)]
                found += self._continued("else", node.orelse, depth)
            case ast.With() | ast.AsyncWith():
                found += [self._header(it), *self._block(node.body, depth + 1)]
            case ast.Try() | ast.TryStar():
                found += [self._header(it), *self._block(node.body, depth + 1), *self._handlers(node, depth)]
                found += self._continued("else", node.orelse, depth)
                found += self._continued("finally", node.finalbody, depth)
            case ast.Match():
                found += [self._header(it), *self._cases(node, depth + 1)]
            case _:
                key, last = self._numbers[node], node.end_lineno or node.lineno
                found.append(Line(depth=depth, key=key, first=node.lineno, last=last, docstring=it.docstring))
        return found

    def _is_elif(self, node: ast.If) -> bool:
        return not self._spelled or self._text[node.lineno - 1].lstrip().startswith("elif")

    def _handlers(self, node: ast.Try | ast.TryStar, depth: int) -> Iterator[Line | _Statement]:
        for handler in node.handlers:
            said = (handler.type, handler.name, isinstance(node, ast.TryStar))
            yield self._line(handler, depth, "except", *said, goes_on=True)
            yield from self._block(handler.body, depth + 1)

    def _cases(self, node: ast.Match, depth: int) -> Iterator[Line | _Statement]:
        for case in node.cases:
            # a case has no position; its pattern has
            yield self._line(case.pattern, depth, "case", case.pattern, case.guard)
            yield from self._block(case.body, depth + 1)

    def _block(
        self, body: Sequence[ast.stmt], depth: int, *, may_have_docstring: bool = False
    ) -> list[Line | _Statement]:
        return [
            _Statement(node=node, depth=depth, docstring=may_have_docstring and not number and is_text(node))
            for number, node in enumerate(body)
        ]

    def _header(self, it: _Statement) -> Line:
        """Return what a compound statement says before its first block."""
        node = it.node
        said = [getattr(node, name, None) for name in node._fields if name not in _BLOCKS]
        word = "elif" if it.goes_on else type(node).__name__
        return self._line(node, it.depth, word, *said, goes_on=it.goes_on)

    def _line(self, place: ast.AST, depth: int, *said: object, goes_on: bool = False) -> Line:
        first = getattr(place, "lineno", 1)
        nodes = [item for part in said for item in (part if isinstance(part, list) else [part])]
        ends = [end for node in nodes if isinstance(node, ast.AST) for end in _ends(node)]
        key = tuple(_number(part, self._numbers) for part in said)
        return Line(depth=depth, key=key, first=first, last=max([first, *ends]), goes_on=goes_on)

    def _continued(self, word: str, body: Sequence[ast.stmt], depth: int) -> list[Line | _Statement]:
        """Return a block that a bare word opens, or nothing if there is none."""
        if not body:
            return []
        at = starts(body[0])
        opening = re.compile(rf"\s*{word}\b")
        # the word has no position in the tree: only comments stand between it and its block
        while at > 1 and not (opening.match(self._text[at - 1]) or f"{word}:" in self._text[at - 1]):
            at -= 1
        return [Line(depth=depth, key=word, first=at, last=at, goes_on=True), *self._block(body, depth + 1)]


_BLOCKS = _ASIDE | {"body", "orelse", "finalbody", "handlers", "cases", "decorator_list"}


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is nothing but a string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def starts(node: ast.stmt) -> int:
    """Return the first line of a statement, its decorators included."""
    marks: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(mark.lineno for mark in marks)])


def _ends(node: ast.AST) -> Iterator[int]:
    """Yield the last lines of a header's part; parameters and ``with`` items have no position, but their parts do."""
    if end := getattr(node, "end_lineno", None):
        yield end
    else:
        yield from (end for child in ast.iter_child_nodes(node) if (end := getattr(child, "end_lineno", None)))


def matching_lines(quoted: Sequence[Line], lines: Sequence[Line]) -> Iterator[int]:
    """Yield where *quoted* stands in *lines*, at whatever depth."""
    if not quoted or not lines:
        return
    for at in occurrences(_steps(quoted), _steps(lines)):
        if lines[at].key == quoted[0].key:
            yield at


def _steps(lines: Sequence[Line]) -> list[Hashable]:
    """Return each line but the first with its depth as seen from the line above."""
    return [(line.key, line.depth - above.depth) for above, line in pairwise(lines)]


def occurrences(pattern: Sequence[Hashable], text: Sequence[Hashable]) -> Iterator[int]:
    """Yield where *pattern* begins in *text*, in linear time (Knuth, Morris and Pratt).

    An empty pattern begins everywhere, at the end of *text* too.
    """
    if not pattern:
        yield from range(len(text) + 1)
        return
    fallback, length = [0], 0
    for item in pattern[1:]:
        while length and pattern[length] != item:
            length = fallback[length - 1]
        length += pattern[length] == item
        fallback.append(length)
    length = 0
    for at, item in enumerate(text):
        while length and pattern[length] != item:
            length = fallback[length - 1]
        length += pattern[length] == item
        if length == len(pattern):
            yield at + 1 - length
            length = fallback[length - 1]
