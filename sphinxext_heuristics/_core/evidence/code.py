"""Quotes that are code: compared as syntax, so that layout does not matter."""

from __future__ import annotations

import ast
import textwrap
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..source.names import HELD, parse
from .prose import Prose

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from .source import Extent, Lines

#: A part of a syntax tree: a node, a list or a constant.
Part: TypeAlias = Any

#: What stands in a row in a tree, such as statements or arguments.
Row: TypeAlias = list[Part]

#: What does not change what a tree means, and decorators, which stand before what they
#: decorate (see `_unfolded`).
_ASIDE = frozenset({"ctx", "kind", "type_comment", "type_ignores", "decorator_list"})


class Atom(NamedTuple):
    """One step of a walk through a syntax tree.

    Trees mean the same if all their atoms have the same meaning.
    """

    meaning: Hashable
    #: Its first line, 0 if it has none.
    line: int = 0
    #: Its last line, 0 if it has none or if its parts tell.
    end_line: int = 0


class Code:
    """Quoted code.

    It is statements, ``except`` clauses, an expression, or a run of arguments or
    parameters.
    """

    def __init__(self, quote: str) -> None:
        """Parse a quote.

        Raises `ValueError` with line and reason if it is none of these.
        """
        self._text = textwrap.dedent(quote).strip("\n")
        self._size = self._text.count("\n") + 1
        lines = [line for line in self._text.split("\n") if line.strip()] or [""]
        indents = [line[: len(line) - len(line.lstrip())] for line in lines]
        block = f"\n{max(indents, key=len)}    pass"
        ends = (
            "",
            block,
            f"{block}\n{indents[-1]}finally:{block}",
            block.replace("pass", "case _: pass"),
            f"\n{indents[-1]}def _(): pass",
        )
        tree = ast.Module([], [])
        for end in ends:
            with suppress(ValueError):
                tree = parse(f"{self._text}{end}\n")
                break
        self._has_docstring = any(_is_text(block[0]) for block in _blocks(tree))
        ways = [*_statements(tree), *_runs(self._text)]
        self._ways = [way for way in map(self._quoted, ways) if way]
        if not self._ways:
            # What else would not parse on its own.
            clauses = map(_handlers, (f"{self._text}{end}" for end in ends))
            if handlers := next(filter(None, clauses), []):
                self._ways = [self._quoted(handlers)]
            else:
                parse(self._text)

    def _quoted(self, way: Row) -> list[Atom]:
        """Return the atoms of what is quoted, without what only makes it parse."""
        return list(takewhile(lambda atom: atom.line <= self._size, self._atoms(way)))

    def find(self, place: Extent) -> Lines | None:
        """Return the lines of the first passage that means the same, or ``None``."""
        if not self._ways:
            # It is a comment.
            return Prose(self._text).find(place)
        compared = (
            _lines(way, self._atoms(row[at : at + len(way)]))
            for row in _rows(place.tree)
            for at in range(len(row))
            for way in self._ways
        )
        return min(filter(None, compared), default=None)

    def _atoms(self, row: Row) -> Iterator[Atom]:
        """Yield the atoms of parts of a tree."""
        waiting = list(reversed(row))
        while waiting:
            part = waiting.pop()
            if isinstance(part, Atom):
                yield part
            else:
                atom, *inside = self._opened(part)
                yield atom
                waiting.extend(reversed(inside))

    def _opened(self, part: Part) -> Iterator[Part]:
        """Yield a part's own atom, then the parts in it.

        Docstrings are left out if the quote has none.
        """
        line, end_line = getattr(part, "lineno", 0), getattr(part, "end_lineno", 0)
        match part:
            case ast.Expr(value=ast.Constant(value=str(text))):
                # A quote has lost a docstring's indentation, and formatters change it.
                yield Atom(("text", *text.split()), line, end_line)
            case ast.Delete(targets=[ast.Tuple(elts=targets)]):
                yield Atom("Delete", line, end_line)
                yield targets
            case ast.AST():
                names = [name for name in part._fields if name not in _ASIDE]
                has_blocks = not set(names).isdisjoint(HELD)
                is_compound = has_blocks and not isinstance(part, ast.expr)
                yield Atom(type(part).__name__, line, 0 if is_compound else end_line)
                yield from (
                    getattr(part, name, None)
                    for name in sorted(names, key=lambda name: name in HELD)
                )
            case list() | tuple():
                is_left_out = part and not self._has_docstring and _is_text(part[0])
                inner = part[1:] if is_left_out else part
                yield Atom("[" if inner else "[]")
                yield from [*_unfolded(inner), Atom("]")] if inner else ()
            case _:
                yield Atom((type(part), part))


def _lines(wanted: Sequence[Atom], there: Iterator[Atom]) -> Lines | None:
    """Return the first and last line of what is wanted, if *there* begins with it."""
    first = last = 0
    for want in wanted:
        found = next(there, None)
        if found is None or found.meaning != want.meaning:
            return None
        first = first or found.line
        last = max(last, found.line, found.end_line)
    return first, last


def _statements(tree: ast.Module) -> Iterator[Row]:
    """Yield a quote as an expression, if it is one, and as statements."""
    match tree.body:
        case [ast.Expr(value=value)]:
            yield [value]
    yield _unfolded(tree.body)


def _runs(text: str) -> Iterator[Row]:
    """Yield a quote as arguments and as parameters."""
    for before, after, keyword_only in (
        ("_(", ")", False),
        ("def _(", "): pass", False),
        ("def _(*, ", "): pass", True),
    ):
        with suppress(ValueError):
            match parse(f"{before}{text}\n{after}").body:
                case [ast.Expr(value=ast.Call(func=ast.Name(id="_")) as call)]:
                    yield _items(call)
                case [ast.FunctionDef(args=parameters, body=[ast.Pass()])]:
                    items = _items(parameters)
                    yield items[1:] if keyword_only else items


def _handlers(text: str) -> Row:
    """Return a quote as the ``except`` clauses that it is, if it is that."""
    with suppress(ValueError):
        match parse(f"try: pass\n{text}\n").body:
            case [ast.Try(handlers=[_, *_] as handlers)]:
                return [ast.increment_lineno(handler, -1) for handler in handlers]
    return []


def _rows(tree: ast.Module) -> Iterator[Row]:
    """Yield what a quote may be a run of, and each expression."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            yield [node]
        yield _items(node)
    for block in _blocks(tree):
        yield _unfolded(block)


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks in a tree; an ``elif`` is none of its ``if``."""
    for node in ast.walk(tree):
        for block in (getattr(node, name, None) for name in HELD):
            if isinstance(block, list) and block:
                is_clause = isinstance(block[0], ast.ExceptHandler)
                if is_clause or _column(block[0]) != _column(node):
                    yield block


def _column(node: ast.AST) -> int:
    return getattr(node, "col_offset", -1)


def _unfolded(body: Sequence[ast.stmt]) -> Row:
    """Return statements with their decorators before them."""
    unfolded: Row = []
    for node in body:
        unfolded += [*getattr(node, "decorator_list", ()), node]
    return unfolded


def _items(node: ast.AST) -> Row:
    """Return the arguments of a call, or parameters, in their order."""
    match node:
        case ast.Call(args=args, keywords=keywords):
            return sorted(
                [*args, *keywords], key=lambda item: (item.lineno, item.col_offset)
            )
        case ast.arguments():
            return _parameters(node)
    return []


def _parameters(node: ast.arguments) -> Row:
    """Return parameters in their order, each with its default, and ``/`` and ``*``."""
    positional = [*node.posonlyargs, *node.args]
    bare = [None] * (len(positional) - len(node.defaults))
    row: Row = list(zip(positional, [*bare, *node.defaults], strict=True))
    if node.posonlyargs:
        row.insert(len(node.posonlyargs), "/")
    if node.vararg or node.kwonlyargs:
        row.append(("*", node.vararg))
    row += zip(node.kwonlyargs, node.kw_defaults, strict=True)
    if node.kwarg:
        row.append(("**", node.kwarg))
    return row


def _is_text(part: Part) -> bool:
    return (
        isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
    )
