"""The one reader of source: what a file binds, and where it defines it."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from contextlib import suppress
from functools import lru_cache
from importlib.util import resolve_name
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

BLOCKS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

#: What a compound statement holds, in the order of its lines.
HELD = ("body", "handlers", "orelse", "finalbody", "cases")

#: A block of evidence in a docstring: to its fence, to the end of its indentation, or
#: to that of the docstring.
_EVIDENCE = re.compile(
    r"""
    ^(?P<indent>[ \t]*)
    (?: \.\.[ \t]+evidence::.*
        (?: \n (?: [ \t]*$ | (?P=indent)[ \t]+ (?: (?!\"{3}|'{3}). )* ) )*
      | (?P<fence>`{3,}|~{3,}|:{3,})\{evidence\}.*
        (?: \n (?![ \t]*(?P=fence)[ \t]*$) (?: (?!\"{3}|'{3}). )* )*
    )
    """,
    re.MULTILINE | re.VERBOSE,
)

_STAR = re.compile(rb"\bimport\s*\*")


class State(NamedTuple):
    """A source file as it was when it was read: results hold until this changes."""

    path: Path
    #: When it was changed, in nanoseconds.
    mtime_ns: int
    #: Its size in bytes.
    size: int


class Defined(NamedTuple):
    """A statement that defines an object."""

    #: Its line, from 1.
    line: int
    #: Whether it is a class or a function.
    is_block: bool
    #: Whether it has a docstring, or can have none.
    is_described: bool


class Binding(NamedTuple):
    """What a name at the top level of a module is bound to last.

    It is empty where that is no other name, or not the same in all branches.
    """

    #: The module that it is imported from, if it is.
    module: str = ""
    #: Its name there; without a module, the other name that is assigned to it
    #: (``mutable = define``), if any.
    name: str = ""


class Names(NamedTuple):
    """What a module binds and defines."""

    #: Name → what it is bound to at the top level.
    bindings: Mapping[str, Binding] = {}
    #: Modules whose names are all taken over (``from … import *``).
    starred: Sequence[str] = ()
    #: What ``__all__`` lists, ``None`` where there is none or it is not written out.
    exported: frozenset[str] | None = None
    #: Qualified name → the statements that define it, those in branches and in
    #: functions included.
    definitions: Mapping[str, Sequence[Defined]] = {}
    #: Qualified name of a class → its bases as written, subscripts left out.
    bases: Mapping[str, tuple[str, ...]] = {}

    def members(self) -> Iterator[str]:
        """Yield the qualified names that can be reached: none in a function."""
        for name in self.definitions:
            owner = name.rpartition(".")[0]
            owners = accumulate(owner.split("."), "{}.{}".format) if owner else ()
            if all(above in self.bases for above in owners):
                yield name


class Definition(NamedTuple):
    """Where the source of a package defines an object."""

    #: The name by its module and, for a member, by the class that defines it.
    name: str
    path: Path
    #: From 1.
    line: int
    #: Whether it has a docstring, or a value a comment with ``#:``.
    is_described: bool
    #: Whether it is a value, which has no docstring of its own.
    is_value: bool
    #: Whether it is a member that a base class defines.
    is_inherited: bool
    is_module: bool


class File(NamedTuple):
    """A source file that was read and parsed."""

    #: Without the evidence in its docstrings, where a quote would find itself.
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, text: str) -> File:
        """Parse a text; raise `ValueError` with line and reason if it is not Python."""
        text = without_evidence(text)
        return cls(text, parse(text))


@lru_cache(maxsize=1024)
def read_names(at: State, module: str) -> Names:
    """Read what the module in a file binds and defines; its syntax tree is not kept."""
    try:
        tree = read_file(at).tree
        return names_in(tree, module, is_package=at.path.stem == "__init__")
    except (OSError, ValueError, RecursionError):
        return Names()


def may_bind(at: State, name: str) -> bool:
    """Return whether a file mentions a name, or takes over others with a star.

    It is not parsed: a package may take over the names of thousands of files.
    """
    try:
        text = at.path.read_bytes()
    except OSError:
        return False
    return name.encode() in text or _STAR.search(text) is not None


@lru_cache(maxsize=8)
def read_file(at: State) -> File:
    """Read and parse a file; a few syntax trees, which are large, are kept.

    Raises `OSError` if it cannot be read, `ValueError` with the reason if its text
    cannot be decoded or is not Python.
    """
    try:
        with tokenize.open(at.path) as file:
            text = file.read()
    except (SyntaxError, UnicodeError) as error:
        raise ValueError(f"its text cannot be decoded: {error}") from error
    return File.of(text)


def without_evidence(text: str) -> str:
    """Return a text with empty lines for the evidence in its docstrings."""
    return _EVIDENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


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


def names_in(tree: ast.Module, module: str, *, is_package: bool) -> Names:
    """Return what a parsed module binds and defines."""
    package = module if is_package else module.rpartition(".")[0]
    bases: dict[str, tuple[str, ...]] = {}
    outer: list[ast.stmt] = []
    walked = list(statements(tree))
    for prefix, node in walked:
        if not prefix:
            outer.append(node)
        if isinstance(node, ast.ClassDef):
            written = map(_dotted, node.bases)
            bases[f"{prefix}{node.name}"] = tuple(filter(None, written))
    return Names(
        bindings=_bindings(tree.body, package),
        starred=[
            absolute(node, package)
            for node in outer
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ],
        exported=_exported_by(outer),
        definitions={
            name: [*map(_defined, nodes)] for name, nodes in definitions(walked).items()
        },
        bases=bases,
    )


def definitions(walked: Iterable[tuple[str, ast.stmt]]) -> dict[str, list[ast.stmt]]:
    """Map each qualified name to those of the `statements` that define it."""
    found: dict[str, list[ast.stmt]] = {}
    for prefix, node in walked:
        for name in defined_by(node):
            found.setdefault(f"{prefix}{name}", []).append(node)
    return found


def statements(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield all statements, each after the classes and functions that it is in.

    These are written as the beginning of a qualified name, ``"Class.method."``.
    """
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield prefix, node
        if isinstance(node, BLOCKS):
            prefix = f"{prefix}{node.name}."
        inner: list[ast.AST] = []
        for name in HELD:
            inner += getattr(node, name, ())
        waiting += [(prefix, child) for child in reversed(inner)]


def _defined(node: ast.stmt) -> Defined:
    is_described = (
        not isinstance(node, BLOCKS) or ast.get_docstring(node, clean=False) is not None
    )
    return Defined(node.lineno, isinstance(node, BLOCKS), is_described)


def is_value_described(file: File, line: int) -> bool:
    """Return whether a ``#:`` comment, or a string below, describes a value."""
    for node in ast.walk(file.tree):
        for name in HELD:
            body = getattr(node, name, None)
            statements = body if isinstance(body, list) else []
            for value, below in zip_longest(statements, statements[1:]):
                if isinstance(value, ast.stmt) and value.lineno == line:
                    return _has_comment(file, value) or _is_string(below)
    return False


def _has_comment(file: File, value: ast.stmt) -> bool:
    """Return whether a comment that begins with ``#:`` is at a value or above it."""
    lines = file.text.split("\n")
    above = "".join(lines[value.lineno - 2 : value.lineno - 1])
    own = lines[value.lineno - 1 : value.end_lineno]
    return above.lstrip().startswith("#:") or any("#:" in line for line in own)


def _is_string(node: ast.AST | None) -> bool:
    """Return whether a statement is a string and nothing else."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _bindings(body: Sequence[ast.stmt], package: str) -> dict[str, Binding]:
    """Return what statements bind, one after the other."""
    bound: dict[str, Binding] = {}
    for node in body:
        match node:
            case ast.If():
                bound |= _bound_in_branches(node, package)
            case ast.Try() | ast.TryStar():
                caught: dict[str, Binding] = {}
                for handler in node.handlers:
                    caught |= _bindings(handler.body, package)
                tried = [*node.body, *node.orelse, *node.finalbody]
                bound |= caught | _bindings(tried, package)
            case _:
                bound |= _bound_by(node, package)
    return bound


def _bound_in_branches(node: ast.If, package: str) -> dict[str, Binding]:
    """Return what the branches of an ``if`` bind, of which only one is run."""
    bound = _bindings(node.body, package)
    for name, binding in _bindings(node.orelse, package).items():
        is_alike = bound.get(name, binding) == binding
        bound[name] = binding if is_alike else Binding()
    return bound


def _bound_by(node: ast.stmt, package: str) -> dict[str, Binding]:
    """Return what a single statement binds."""
    match node:
        case ast.ImportFrom(names=imported):
            origin = absolute(node, package)
            return {
                alias.asname or alias.name: Binding(origin, alias.name)
                for alias in imported
                if alias.name != "*"
            }
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)):
            return {name: Binding(name=other)}
    return {name: Binding() for name in defined_by(node)}


def _dotted(node: ast.expr) -> str:
    """Return a dotted name as written, its subscript left out, or nothing."""
    if isinstance(node, ast.Subscript):
        node = node.value
    written = ast.unparse(node)
    is_dotted = all(map(str.isidentifier, written.split(".")))
    return written if is_dotted else ""


def _exported_by(outer: Sequence[ast.stmt]) -> frozenset[str] | None:
    """Return what ``__all__`` lists, if one statement alone writes it out."""
    simple = (node for node in outer if not hasattr(node, "body"))
    naming = [
        node
        for node in simple
        if any(getattr(part, "id", "") == "__all__" for part in ast.walk(node))
    ]
    match naming:
        case [ast.Assign(targets=[ast.Name(id="__all__")], value=value)]:
            with suppress(ValueError, TypeError):
                return frozenset(map(str, ast.literal_eval(value)))
    return None


def defined_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, imports aside."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _stored(target)
        case ast.AnnAssign(target=target):
            yield from _stored(target)
        case _ if type(node).__name__ == "TypeAlias":  # Python 3.12
            yield from _stored(node)


def _stored(target: ast.AST) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that a ``from … import`` names.

    Above the top level there is none: that is ``.``, which no module is called.
    """
    with suppress(ImportError):
        return resolve_name("." * node.level + (node.module or ""), package)
    return "."
