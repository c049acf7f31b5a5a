"""A source file and the objects that it defines."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

#: A block of evidence in a docstring: to its fence, to the end of its indentation, or to that of the docstring.
_EVIDENCE = re.compile(
    r"""
    ^(?P<indent>[ \t]*)
    (?: \.\.[ \t]+evidence::.*  (?: \n (?: [ \t]*$ | (?P=indent)[ \t]+ (?: (?!\"{3}|'{3}). )* ) )*
      | (?P<fence>`{3,}|~{3,}|:{3,})\{evidence\}.*  (?: \n (?![ \t]*(?P=fence)[ \t]*$) (?: (?!\"{3}|'{3}). )* )*
    )
    """,
    re.MULTILINE | re.VERBOSE,
)


class State(NamedTuple):
    """A source file as it was when it was read: what was found holds until this changes."""

    path: Path
    #: When it was changed, in nanoseconds.
    mtime_ns: int
    #: Its size in bytes.
    size: int


class Place(NamedTuple):
    """The source of an object: a quote is looked for here and nowhere else."""

    #: The statement that defines it, or all of a module's.
    body: Sequence[ast.stmt]
    #: Its lines.
    text: Sequence[str]
    #: The number of the first of them.
    first: int


class Source:
    """A source file."""

    def __init__(self, text: str) -> None:
        """Parse the text of a file, without the evidence in its docstrings: a quote would find itself there.

        Raises `ValueError` with line and reason if it is not Python.
        """
        text = _EVIDENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
        self.tree = parse(text)
        self._text = text.split("\n")

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """Qualified name → the statements that define it, those in branches and functions included."""
        found: dict[str, list[ast.stmt]] = {}
        waiting: list[tuple[str, ast.AST]] = [("", self.tree)]
        while waiting:
            prefix, node = waiting.pop()
            if isinstance(node, ast.stmt):
                for name in _defined(node):
                    found.setdefault(f"{prefix}{name}", []).append(node)
            inner = f"{prefix}{node.name}." if isinstance(node, _DEFINITIONS) else prefix
            children = [node for node in ast.iter_child_nodes(node) if isinstance(node, _HOLDERS)]
            waiting.extend((inner, child) for child in reversed(children))
        return found

    @cached_property
    def imported(self) -> list[str]:
        """The names that import statements bind."""
        imports = (node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom))
        return [alias.asname or alias.name for node in imports for alias in node.names]

    def places(self, qualname: str) -> list[Place]:
        """Return the definitions of an object; without a name the whole module; nothing if there are none."""
        if not qualname:
            return [Place(self.tree.body, self._text, 1)]
        found = self.definitions.get(qualname.replace("<locals>.", ""), [])
        return [Place([node], self._text[starts(node) - 1 : self._end(node)], starts(node)) for node in found]

    def _end(self, node: ast.stmt) -> int:
        """Return the last line of a statement, including comments that end its block."""
        last = at = node.end_lineno or node.lineno
        for line in self._text[last:] if isinstance(node, _DEFINITIONS) else ():
            at += 1
            if line.strip() and not (line.lstrip().startswith("#") and _indent(line) > node.col_offset):
                break
            last = at if line.strip() else last
        return last

    def holder(self, line: int) -> str:
        """Return the name of the innermost function or class around a line, or nothing."""
        around = [
            (node.lineno, name)
            for name, nodes in self.definitions.items()
            for node in nodes
            if isinstance(node, _DEFINITIONS) and starts(node) <= line <= (node.end_lineno or 0)
        ]
        return max(around, default=(0, ""))[1]


#: What statements are in.
_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, not those that it imports."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _stored(target))
        case ast.AnnAssign(target=target):
            yield from _stored(target)
        case _ if type(node).__name__ == "TypeAlias":  # Python 3.12
            yield from _stored(node)


def _stored(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def starts(node: ast.stmt) -> int:
    """Return the first line of a statement, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def parse(text: str) -> ast.Module:
    """Parse Python without its warnings about escapes.

    Raises `ValueError` with line and reason if it is not Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno or 1}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("nested too deeply") from error


@lru_cache(maxsize=16)
def read(state: State) -> Source:
    """Read and parse a file, or remember it.

    Raises `OSError` if it cannot be read, `ValueError` with the reason if it is not Python.
    """
    try:
        with tokenize.open(state.path) as file:
            text = file.read()
    except (SyntaxError, UnicodeError) as error:
        raise ValueError(f"its text cannot be decoded: {error}") from error
    return Source(text)
