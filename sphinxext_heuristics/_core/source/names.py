"""What the top level of a module binds, read from its source without importing anything."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Class(NamedTuple):
    """A class statement."""

    #: Its bases as written, subscripts left out.
    bases: tuple[str, ...]
    #: The names bound in its body.
    members: frozenset[str]


class Names(NamedTuple):
    """What a module's top level binds."""

    #: Names that the module itself defines.
    defined: frozenset[str] = frozenset()
    #: Local name → (module, name in it or ``""`` for the module itself).
    imported: Mapping[str, tuple[str, str]] = {}
    #: Local name → what is assigned to it, where that is another name (``mutable =
    #: define``).
    assigned: Mapping[str, str] = {}
    #: Names of functions.
    functions: frozenset[str] = frozenset()
    #: Modules whose names are all taken over (``from … import *``).
    starred: tuple[str, ...] = ()
    #: What ``__all__`` lists, ``None`` where there is none or it is not written out.
    exported: frozenset[str] | None = None
    #: Qualified name → class.
    classes: Mapping[str, Class] = {}


class Definition(NamedTuple):
    """Where the source of a package defines an object."""

    #: The name by its module and, for a member, by the class that defines it.
    name: str
    path: Path
    #: From 1.
    line: int
    #: Whether it has a docstring, or can have none.
    is_described: bool
    #: Whether it is a member that a base class defines.
    is_inherited: bool
    is_module: bool


class State(NamedTuple):
    """A source file as it was when it was read: what was found holds until this changes."""

    path: Path
    #: When it was changed, in nanoseconds.
    mtime_ns: int
    #: Its size in bytes.
    size: int


@lru_cache(maxsize=1024)
def read_names(at: State, module: str) -> Names:
    """Return what the module in a file binds; nothing if it cannot be parsed."""
    try:
        return names_in(
            parse(at.path.read_bytes()), module, is_package=at.path.stem == "__init__"
        )
    except (OSError, ValueError, RecursionError):
        return Names()


def parse(text: str | bytes) -> ast.Module:
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
    """Return what the top level of a parsed *module* binds.

    Raises `RecursionError` if it is nested too deeply.
    """
    package = module if is_package else module.rpartition(".")[0]
    imported: dict[str, tuple[str, str]] = {}
    assigned: dict[str, str] = {}
    starred: list[str] = []
    nodes = list(statements(tree.body))
    for node in nodes:
        match node:
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                starred.append(absolute(node, package))
            case ast.ImportFrom(names=names):
                origin = absolute(node, package)
                imported.update(
                    {
                        alias.asname or alias.name: (origin, alias.name)
                        for alias in names
                    }
                )
            case ast.Import(names=names):
                imported.update(
                    {alias.asname: (alias.name, "") for alias in names if alias.asname}
                )
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute() as value
            ):
                assigned[name] = ast.unparse(value)
    return Names(
        defined=frozenset(name for node in nodes for name in defined_by(node)),
        imported=imported,
        assigned=assigned,
        functions=frozenset(
            node.name
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        starred=tuple(starred),
        exported=exported_by(tree.body),
        classes=dict(classes_in(tree.body, "")),
    )


def exported_by(body: Sequence[ast.stmt]) -> frozenset[str] | None:
    """Return what ``__all__`` lists, if it is written out in one place and nowhere changed."""
    simple = (node for node in statements(body) if not hasattr(node, "body"))
    naming = [
        node
        for node in simple
        if any(getattr(part, "id", "") == "__all__" for part in ast.walk(node))
    ]
    match naming:
        case [
            ast.Assign(
                targets=[ast.Name(id="__all__")],
                value=ast.List(elts=items) | ast.Tuple(elts=items),
            )
        ]:
            names = [item.value for item in items if isinstance(item, ast.Constant)]
            return frozenset(map(str, names)) if len(names) == len(items) else None
    return None


def classes_in(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, Class]]:
    """Yield the classes of a module or class body by their qualified names."""
    for node in statements(body):
        if isinstance(node, ast.ClassDef):
            members = (
                name for stmt in statements(node.body) for name in defined_by(stmt)
            )
            bases = (
                base.value if isinstance(base, ast.Subscript) else base
                for base in node.bases
            )
            yield (
                f"{prefix}{node.name}",
                Class(bases=tuple(map(ast.unparse, bases)), members=frozenset(members)),
            )
            yield from classes_in(node.body, f"{prefix}{node.name}.")


def defined_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, imports aside."""
    match node:
        case (
            ast.ClassDef(name=name)
            | ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
        ):
            yield name
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _stored(target))
        case ast.AnnAssign(target=target):
            yield from _stored(target)
        case _ if type(node).__name__ == "TypeAlias":  # Python 3.12
            yield from _stored(node)


def _stored(target: ast.AST) -> Iterator[str]:
    return (
        node.id
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, branches included."""
    for node in body:
        yield node
        match node:
            case ast.If() | ast.For() | ast.While():
                yield from statements([*node.body, *node.orelse])
            case ast.Try() | ast.TryStar():
                handlers = [stmt for h in node.handlers for stmt in h.body]
                yield from statements(
                    [*node.body, *handlers, *node.orelse, *node.finalbody]
                )
            case ast.With():
                yield from statements(node.body)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that a ``from … import`` names."""
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])
