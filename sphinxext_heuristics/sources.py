"""Where names come from, read from a package's source without importing anything."""

from __future__ import annotations

import ast
import importlib
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a module's top level binds."""

    #: Names that the module itself defines.
    defined: frozenset[str] = frozenset()
    #: Local name → (module, name in it or ``""`` for the module itself).
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Modules whose names are all taken over (``from … import *``).
    starred: tuple[str, ...] = ()


class Sources:
    """The names of objects as the source of installed packages spells them.

    One instance serves one build: it looks at the files once.
    """

    def __init__(self) -> None:
        """Forget what Python's finders remember, so that new files are seen."""
        importlib.invalidate_caches()
        self._specs: dict[str, ModuleSpec | None] = {}
        self._canonical: dict[str, tuple[str, str] | None] = {}

    def canonical(self, dotted: str) -> tuple[str, str] | None:
        """Return the (module, qualified name) that *dotted* spells, or ``None``.

        The first part of the qualified name is followed through imports to the module
        that defines it; the rest is taken as written.
        """
        if dotted not in self._canonical:
            self._canonical[dotted] = None  # what leads back here leads nowhere
            self._canonical[dotted] = self._resolve(dotted)
        return self._canonical[dotted]

    def spellings(self, dotted: str) -> tuple[str, ...]:
        """Return the names of the object *dotted*: where defined, where re-exported.

        Re-exports are looked for in the packages above the defining module.
        """
        found = self.canonical(dotted)
        if found is None:
            return ()
        module, qualname = found
        head, dot, rest = qualname.partition(".")
        names = [f"{module}.{qualname}"]
        package = module
        while package := package.rpartition(".")[0]:
            names += [
                f"{package}.{local}{dot}{rest}"
                for local in self._locals_for(package, head)
                if self.canonical(f"{package}.{local}") == (module, head)
            ]
        return tuple(dict.fromkeys(names))

    def _locals_for(self, package: str, head: str) -> list[str]:
        """Return the names under which *package* may have taken over *head*."""
        names = self._names(package)
        found = [local for local, (_module, name) in names.imported.items() if name == head]
        return [*found, head] if names.starred else found

    def _resolve(self, dotted: str) -> tuple[str, str] | None:
        parts = dotted.split(".")
        module, at = parts[0], 1
        if not all(parts) or self._spec(module) is None:
            return None
        while at < len(parts):
            name, rest = parts[at], parts[at + 1 :]
            if bound := self._bound(module, name, rest):
                return bound
            # Python looks for an attribute first and for a submodule second; a star
            # seldom binds a submodule's name, and following it would lead in circles.
            if self._spec(f"{module}.{name}") is None:
                return self._starred(module, name, rest)
            module, at = f"{module}.{name}", at + 1
        return None  # a module, not an object in one

    def _bound(self, module: str, name: str, rest: Sequence[str]) -> tuple[str, str] | None:
        names = self._names(module)
        if name in names.imported:
            origin, original = names.imported[name]
            path = [part for part in (origin, original, *rest) if part]
            if ".".join(path) != ".".join((module, name, *rest)):
                return self.canonical(".".join(path))
        if name in names.defined:
            return module, ".".join((name, *rest))
        return None

    def _starred(self, module: str, name: str, rest: Sequence[str]) -> tuple[str, str] | None:
        for origin in self._names(module).starred:
            if found := self.canonical(f"{origin}.{name}"):
                return found[0], ".".join((found[1], *rest))
        return None

    def _names(self, module: str) -> Names:
        path = self.path(module)
        if path is None:
            return Names()
        spec = self._spec(module)
        is_package = bool(spec and spec.submodule_search_locations is not None)
        try:
            stat = path.stat()
        except OSError:
            return Names()
        return read_names(path, stat.st_mtime_ns, stat.st_size, module, is_package)

    def path(self, module: str) -> Path | None:
        """Return the source file that Python would import for *module*, or ``None``."""
        spec = self._spec(module)
        if spec is None or not spec.has_location or not spec.origin:
            return None
        path = Path(spec.origin)
        return path if path.suffix == ".py" else None

    def _spec(self, module: str) -> ModuleSpec | None:
        if module not in self._specs:
            self._specs[module] = self._find(module)
        return self._specs[module]

    def _find(self, module: str) -> ModuleSpec | None:
        parent = module.rpartition(".")[0]
        locations = None
        if parent:
            package = self._spec(parent)
            if package is None or package.submodule_search_locations is None:
                return None
            locations = list(package.submodule_search_locations)
        if spec := PathFinder.find_spec(module, locations):
            return spec
        # Editable installs bring finders of their own, which know the top level.
        for finder in sys.meta_path if not parent else ():
            find_spec = getattr(finder, "find_spec", None)
            if isinstance(finder, type) and finder.__module__.startswith("_frozen"):
                continue
            if find_spec and (spec := find_spec(module, None, None)):
                return cast("ModuleSpec", spec)
        return None


@lru_cache(maxsize=1024)
def read_names(
    path: Path,
    mtime_ns: int,  # noqa: ARG001 - part of the key: a file that changes is read again
    size: int,  # noqa: ARG001 - likewise
    module: str,
    is_package: bool,  # noqa: FBT001 - the cache wants it positional
) -> Names:
    """Return what the module at *path* binds; nothing if it cannot be parsed."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return Names()
    package = module if is_package else module.rpartition(".")[0]
    defined: set[str] = set()
    imported: dict[str, tuple[str, str]] = {}
    starred: list[str] = []
    for node in statements(tree.body):
        match node:
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                starred.append(absolute(node, package))
            case ast.ImportFrom(names=names):
                origin = absolute(node, package)
                imported.update({alias.asname or alias.name: (origin, alias.name) for alias in names})
            case ast.Import(names=names):
                imported.update({alias.asname: (alias.name, "") for alias in names if alias.asname})
            case _:
                defined.update(defined_by(node))
    return Names(defined=frozenset(defined), imported=imported, starred=tuple(starred))


def defined_by(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, imports aside."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, branches included."""
    for node in body:
        yield node
        match node:
            case ast.If() | ast.For() | ast.While():
                yield from statements([*node.body, *node.orelse])
            case ast.Try() | ast.TryStar():
                handlers = [stmt for h in node.handlers for stmt in h.body]
                yield from statements([*node.body, *handlers, *node.orelse, *node.finalbody])
            case ast.With():
                yield from statements(node.body)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that a ``from … import`` names."""
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])
