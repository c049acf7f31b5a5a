"""A source file and the objects in it, indexed as far as somebody asks."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.lexer import Kind, Literal, literal, parse, runs, tokens
from sphinxext_heuristics.evidence.syntax import Lines, Shapes, is_text, starts

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from pathlib import Path

    from sphinxext_heuristics.evidence.lexer import Token
    from sphinxext_heuristics.evidence.syntax import Line

#: Larger files are generated, and parsing takes some hundred times their size of memory.
MAX_BYTES = 8 * 2**20


class Scope:
    """An object's source: what is quoted is looked for here and nowhere else."""

    def __init__(self, source: Source, body: Sequence[ast.stmt], qualname: str) -> None:
        """Take the statements: one that defines an object, or all of a module's."""
        self.qualname = qualname
        self._source = source
        self._body = body
        self._lines: dict[tuple[bool, bool], list[Line]] = {}
        whole = not qualname
        self.first = 1 if whole else starts(body[0])
        self.last = len(source.text) if whole else source.end(body[-1])

    @cached_property
    def text(self) -> list[str]:
        """Its lines."""
        return self._source.text[self.first - 1 : self.last]

    @property
    def shapes(self) -> Shapes:
        """What the numbers of its nodes mean."""
        return self._source.shapes

    @cached_property
    def numbers(self) -> dict[ast.AST, int]:
        """Its nodes' numbers."""
        return {node: number for stmt in self._body for node, number in self.shapes.learn(stmt).items()}

    def lines(self, *, spelled: bool, docstrings: bool) -> list[Line]:
        """Return its statements as lines (see `Lines`), docstrings among them or not."""
        key = spelled, docstrings
        if key not in self._lines:
            lines = Lines(self.numbers, self._source.text, spelled=spelled)
            found = lines.of(self._body, may_have_docstring=not self.qualname)
            self._lines[key] = [line for line in found if docstrings or not line.docstring]
        return self._lines[key]

    @cached_property
    def expressions(self) -> dict[int, tuple[int, int]]:
        """Number of an expression → the lines where it first stands."""
        found: dict[int, tuple[int, int]] = {}
        for node, number in self.numbers.items():
            if isinstance(node, ast.expr):
                place = (node.lineno, node.end_lineno or node.lineno)
                found[number] = min(found.get(number, place), place)
        return found

    @cached_property
    def documentation(self) -> dict[int, tuple[int, int]]:
        """Number of a statement that is a string → the lines where it first stands."""
        return {
            number: (node.lineno, node.end_lineno or node.lineno)
            for node, number in reversed(self.numbers.items())
            if isinstance(node, ast.stmt) and is_text(node)
        }

    @cached_property
    def lists(self) -> list[list[tuple[Hashable, int, int]]]:
        """What stands separated by commas (arguments, parameters, items) or by one of ``and`` and ``or``."""
        return [found for node in self.numbers if (found := list(elements(node, self.numbers)))]

    @cached_property
    def tokens(self) -> list[Token]:
        """Its tokens."""
        return list(tokens("\n".join(self.text), self.first))

    @cached_property
    def comments(self) -> list[Token]:
        """Its comments."""
        return [token for token in self.tokens if token.kind is Kind.COMMENT]

    @cached_property
    def literals(self) -> list[list[Literal]]:
        """Its strings; those that stand side by side are one list."""
        return [[literal(token) for token in run] for run in runs(self.tokens)]

    def above(self, line: int, count: int) -> int:
        """Return the line where the comments right above *line* begin, *count* lines of them at most."""
        text = self._source.text
        while count and line > self.first and text[line - 2].lstrip().startswith("#"):
            line, count = line - 1, count - 1
        return line


class Source:
    """A source file."""

    def __init__(self, text: list[str], tree: ast.Module) -> None:
        """Take its lines and what they parse to."""
        self.text = text
        self.tree = tree
        self.shapes = Shapes()
        self._scopes: dict[str, list[Scope]] = {}

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """Qualified name → the statements that define it, those in branches and functions included."""
        found: dict[str, list[ast.stmt]] = {}
        waiting = [("", node) for node in reversed(self.tree.body)]
        while waiting:
            prefix, node = waiting.pop()
            names = list(_defined(node))
            for name in names:
                found.setdefault(f"{prefix}{name}", []).append(node)
            inner = f"{prefix}{names[0]}." if isinstance(node, _SCOPES) else prefix
            waiting.extend((inner, child) for child in reversed(list(_children(node))))
        return found

    def scopes(self, qualname: str) -> list[Scope]:
        """Return the object's definitions; without a name the module; nothing if there are none."""
        qualname = qualname.replace("<locals>.", "")
        if qualname not in self._scopes:
            bodies = [[node] for node in self.definitions.get(qualname, ())] if qualname else [self.tree.body]
            self._scopes[qualname] = [Scope(self, body, qualname) for body in bodies]
        return self._scopes[qualname]

    def end(self, node: ast.stmt) -> int:
        """Return the last line of a statement, comments included that end its block."""
        last = at = node.end_lineno or node.lineno
        indent = _indent(self.text[node.lineno - 1])
        for line in self.text[last:] if isinstance(node, _SCOPES) else ():
            at += 1
            if line.strip() and (_indent(line) <= indent or not line.lstrip().startswith("#")):
                break
            last = at if line.strip() else last
        return last

    def holder(self, line: int) -> str:
        """Return the name of the innermost function or class that *line* belongs to, or nothing."""
        around = [
            (node.lineno, name)
            for name, nodes in self.definitions.items()
            for node in nodes
            if isinstance(node, _SCOPES) and starts(node) <= line <= (node.end_lineno or 0)
        ]
        return max(around, default=(0, ""))[1]


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, imports aside."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _bound(target))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _ if type(node).__name__ == "TypeAlias":  # Python 3.12
            yield from _bound(node)


def _bound(target: ast.AST) -> Iterator[str]:
    """Yield the names that are bound below *target*."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _children(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements in the blocks of a statement."""
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        for child in getattr(node, field, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from child.body


def elements(node: ast.AST, numbers: dict[ast.AST, int]) -> Iterator[tuple[Hashable, int, int]]:
    """Yield what stands in a list of some kind, each with its first and last line; nothing if *node* is none."""
    match node:
        case ast.Call(args=args, keywords=keywords):
            given: list[ast.expr | ast.keyword] = [*args, *keywords]
            yield from (_element(numbers[item], item) for item in sorted(given, key=_place))
        case ast.arguments():
            yield from _parameters(node, numbers)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            yield from (_element(numbers[item], item) for item in items)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                shape = ("item", numbers[key] if key else None, numbers[value])
                yield _element(shape, key or value, value)
        case ast.BoolOp(op=op, values=values):
            yield from (_element((type(op), numbers[value]), value) for value in values)


def _place(node: ast.expr | ast.keyword) -> tuple[int, int]:
    """Return where a node begins: line and column."""
    return node.lineno, node.col_offset


def _parameters(node: ast.arguments, numbers: dict[ast.AST, int]) -> Iterator[tuple[Hashable, int, int]]:
    """Yield parameters in their order, markers as ``*`` included."""
    positional = [*node.posonlyargs, *node.args]
    bare = [None] * (len(positional) - len(node.defaults))
    for number, (arg, default) in enumerate(zip(positional, [*bare, *node.defaults], strict=True), 1):
        yield _parameter("", arg, default, numbers)
        if number == len(node.posonlyargs):
            yield "/", arg.lineno, arg.lineno
    if node.vararg:
        yield _parameter("*", node.vararg, None, numbers)
    elif node.kwonlyargs:
        yield "*", node.kwonlyargs[0].lineno, node.kwonlyargs[0].lineno
    for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        yield _parameter("", arg, default, numbers)
    if node.kwarg:
        yield _parameter("**", node.kwarg, None, numbers)


def _parameter(
    mark: str, arg: ast.arg, default: ast.expr | None, numbers: dict[ast.AST, int]
) -> tuple[Hashable, int, int]:
    shape = (mark, numbers[arg], numbers[default] if default else None)
    return _element(shape, arg, default or arg)


def _element(
    shape: Hashable, first: ast.expr | ast.keyword | ast.arg, last: ast.expr | ast.keyword | ast.arg | None = None
) -> tuple[Hashable, int, int]:
    return shape, first.lineno, (last or first).end_lineno or first.lineno


def read(path: Path) -> Source:
    """Read and parse a file.

    Raises `OSError` if it cannot be read, `ValueError` with the reason if it is no Python.
    """
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 2**20} MiB")
    return understand(raw)


def understand(raw: bytes) -> Source:
    """Parse the bytes of a file.

    Raises `ValueError` with the reason if they are no Python.
    """
    try:
        encoding, _lines = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = io.TextIOWrapper(io.BytesIO(raw), encoding).read()
    except (SyntaxError, LookupError, ValueError) as error:
        raise ValueError(f"its text cannot be decoded: {error}") from error
    lines = without_evidence(text.split("\n"))
    tree = parse("\n".join(lines))
    if not isinstance(tree, ast.Module):  # pragma: no cover - what mode "exec" gives
        raise TypeError(type(tree))
    return Source(lines, tree)


def without_evidence(lines: list[str]) -> list[str]:
    """Return the lines of a file with those blank in which a docstring quotes: a quote would find itself there."""
    found = list(lines)
    waiting = [(at, opened) for at, line in enumerate(lines) if (opened := _EVIDENCE.match(line))]
    at = -1
    for start, opened in waiting:
        if start < at:  # in the block above, which is blank
            continue
        fence = opened["fence"]
        for at in range(start, len(lines)):
            line = lines[at]
            inside = line.strip() != fence if fence else not line.strip() or _indent(line) > _indent(lines[start])
            if at > start and not inside:
                break
            quotes = _QUOTES.search(line)
            found[at] = " " * _indent(line) + line[quotes.start() :] if quotes else ""
            if quotes:
                break
    return found


#: What opens a block of evidence in a docstring, and what ends the docstring.
_EVIDENCE = re.compile(r"[ \t]*(?:\.\.[ \t]+evidence::|(?P<fence>`{3,}|~{3,}|:{3,})\{evidence\})")
_QUOTES = re.compile(r"\"{3}|'{3}")


@lru_cache(maxsize=16)
def cached(path: Path, mtime_ns: int, size: int) -> Source:  # noqa: ARG001 - the key: a file that changes is read again
    """Read and parse a file, or remember it."""
    return read(path)


def neighbours(found: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield comments that stand on lines of their own, one right below the other, as one; others alone."""
    block = list(found[:1])
    for above, below in pairwise(found):
        if not (above.first and below.first and above.line + 1 == below.line):
            yield block
            block = []
        block.append(below)
    if block:
        yield block
