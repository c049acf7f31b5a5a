"""Where names come from, read from a package's source without importing anything."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A class statement."""

    #: Its bases as written, subscripts left out.
    bases: tuple[str, ...]
    #: The names bound in its body.
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a module's top level binds."""

    #: Names that the module itself defines.
    defined: frozenset[str] = frozenset()
    #: Local name → (module, name in it or ``""`` for the module itself).
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Modules whose names are all taken over (``from … import *``).
    starred: tuple[str, ...] = ()
    #: What ``__all__`` lists, ``None`` where there is none or it is not written out.
    exported: frozenset[str] | None = None
    #: Qualified name → class.
    classes: dict[str, Class] = field(default_factory=dict)


class Sources:
    """The names of objects as the source of installed packages spells them.

    One instance serves one build: it looks at the files once.
    """

    def __init__(self, folders: Sequence[str] | None = None) -> None:
        """Forget what Python's finders remember, so that new files are seen.

        With *folders*, source is looked for in these and nowhere else; without, where Python would.
        """
        importlib.invalidate_caches()
        self._only = None if folders is None else list(folders)
        self._specs: dict[str, ModuleSpec | None] = {}
        self._canonical: dict[tuple[str, tuple[str, ...]], tuple[str, str] | None] = {}
        self._mro: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}

    def canonical(self, dotted: str) -> tuple[str, str] | None:
        """Return the (module, qualified name) that *dotted* spells, or ``None``.

        The first part of the qualified name is followed through imports to the module
        that defines it; the rest is taken as written.
        """
        module, *names = dotted.split(".")
        return self._follow(module, tuple(names)) if all((module, *names)) else None

    def _follow(self, module: str, names: tuple[str, ...]) -> tuple[str, str] | None:
        """Return what *names*, each in the one before, mean in a module."""
        key = module, names
        if key not in self._canonical:
            self._canonical[key] = None  # what leads back here leads nowhere
            with suppress(RecursionError):  # so does what leads on and on
                self._canonical[key] = self._resolve(module, names)
        return self._canonical[key]

    def aliases(self, dotted: str) -> tuple[str, ...]:
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

    def lineage(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object by identity, as far as the source tells.

        The first is its own; for a member further ones follow, one for each class
        through which the very same member is inherited, the class that defines it last.
        A base that cannot be read is passed over.
        """
        found = self.canonical(dotted)
        if found is None:
            return ()
        module, qualname = found
        owner, _dot, member = qualname.rpartition(".")
        definer = self._definer((module, owner), member) if owner else None
        if definer is None:
            return (f"{module}.{qualname}",)
        return tuple(
            f"{base_module}.{base}.{member}"
            for base_module, base in self._linear((module, owner))
            if self._definer((base_module, base), member) == definer
        )

    def _definer(self, cls: tuple[str, str], member: str) -> tuple[str, str] | None:
        """Return the class that defines *member* as *cls* sees it."""
        for module, qualname in self._linear(cls):
            # A file that changed meanwhile may have lost the class.
            known = self._names(module).classes.get(qualname)
            if known is not None and member in known.members:
                return module, qualname
        return None

    def _linear(self, cls: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the method resolution order of a class, those classes that are known."""
        if cls not in self._mro:
            self._mro[cls] = ()  # a class cannot be its own base
            module, qualname = cls
            known = self._names(module).classes.get(qualname)
            if known is not None:
                # Where Python has no more levels, a base means nothing: see `_follow`.
                bases = [base for name in known.bases if (base := self.canonical(f"{module}.{name}"))]
                lines = [list(line) for base in bases if (line := self._linear(base))]
                self._mro[cls] = (cls, *merge([*lines, [line[0] for line in lines]]))
        return self._mro[cls]

    def _locals_for(self, package: str, head: str) -> list[str]:
        """Return the names under which *package* may have taken over *head*."""
        names = self._names(package)
        found = [local for local, (_module, name) in names.imported.items() if name == head]
        return [*found, head] if names.starred else found

    def _resolve(self, module: str, names: tuple[str, ...]) -> tuple[str, str] | None:
        if self._spec(module) is None:
            return None
        for at, name in enumerate(names):
            rest = names[at + 1 :]
            if not self._means_module(module, name, rest) and (bound := self._bound(module, name, rest)):
                return bound
            # Python looks for an attribute first and for a submodule second; a star
            # seldom binds a submodule's name, and following it would lead in circles.
            if self._spec(f"{module}.{name}") is None:
                return self._starred(module, name, rest)
            module = f"{module}.{name}"
        return None  # a module, not an object in one

    def _means_module(self, module: str, name: str, rest: tuple[str, ...]) -> bool:
        """Return whether a name that is both a submodule's and that of an object from it means the submodule.

        After ``from .run import run`` the name ``run`` is the function to Python; but documentation of the submodule
        has names such as ``package.run.run``, which no member of the function can have.
        """
        origin, original = self._names(module).imported.get(name, ("", ""))
        if not rest or origin != f"{module}.{name}":
            return False
        inside = self._names(origin)
        known = inside.classes.get(original)
        is_member = known is not None and rest[0] in known.members
        return not is_member and (rest[0] in inside.defined or rest[0] in inside.imported)

    def _bound(self, module: str, name: str, rest: tuple[str, ...]) -> tuple[str, str] | None:
        names = self._names(module)
        if name in names.imported:
            origin, original = names.imported[name]
            path = (original, *rest) if original else rest
            if (origin, path) != (module, (name, *rest)):
                return self._follow(origin, path)
        if name in names.defined:
            return module, ".".join((name, *rest))
        return None

    def _starred(self, module: str, name: str, rest: tuple[str, ...]) -> tuple[str, str] | None:
        for origin in self._names(module).starred:
            exported = self._names(origin).exported
            is_taken = name in exported if exported is not None else not name.startswith("_")
            if is_taken and (found := self._follow(origin, (name,))):
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

    def imported(self, module: str, name: str) -> tuple[str, str] | None:
        """Return the (module, name) from which *module* imports *name*, ``""`` for a module itself, or ``None``."""
        return self._names(module).imported.get(name)

    def exists(self, module: str) -> bool:
        """Tell whether Python would find *module*, whatever it is."""
        return self._spec(module) is not None

    def origin(self, module: str) -> str | None:
        """Return the file of *module*, source or not; ``None`` for a folder without code."""
        spec = self._spec(module)
        return spec.origin if spec is not None and spec.has_location else None

    def modules(self, package: str) -> tuple[str, ...]:
        """Return the names of the modules in *package*, or, if that is empty, of those on the path."""
        spec = self._spec(package) if package else None
        folders = spec.submodule_search_locations if spec is not None else None
        if package and folders is None:
            return ()
        folders = folders if package else self._only
        return tuple(sorted(module.name for module in pkgutil.iter_modules(folders and list(folders))))

    def _spec(self, module: str) -> ModuleSpec | None:
        if module not in self._specs:
            parts = module.split(".")
            # From above, for a name may have more parts than Python has levels; below what is not there is nothing.
            for above in accumulate(parts, "{}.{}".format) if all(parts) else ():
                if above not in self._specs:
                    self._specs[above] = self._find(above)
                if self._specs[above] is None:
                    break
        return self._specs.setdefault(module)

    def _find(self, module: str) -> ModuleSpec | None:
        parent, _dot, last = module.rpartition(".")
        if not parent:
            return self._find_top(module) if self._only is None else _fixed(PathFinder.find_spec(module, self._only))
        folders = self._folders(parent)
        try:
            return _fixed(PathFinder.find_spec(module, folders)) if folders else None
        except (KeyError, AttributeError):
            # A folder without __init__.py, for which Python looks the parent up among the
            # imported modules, where it is not, or an object that has taken its place.
            spec = ModuleSpec(module, None, is_package=True)
            spec.submodule_search_locations = [str(Path(folder, last)) for folder in folders]
            return spec

    def _folders(self, package: str) -> list[str]:
        """Return the folders in which the modules of a package are."""
        spec = self._spec(package)
        return list(spec.submodule_search_locations or ()) if spec else []

    @staticmethod
    def _find_top(module: str) -> ModuleSpec | None:
        if spec := PathFinder.find_spec(module):
            return spec
        # Editable installs bring finders of their own, which know the top level.
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            if isinstance(finder, type) and finder.__module__.startswith("_frozen"):
                continue
            if find_spec and (spec := find_spec(module, None, None)):
                return cast("ModuleSpec", spec)
        return None


def _fixed(spec: ModuleSpec | None) -> ModuleSpec | None:
    """Return what was found with its folders fixed: those of a namespace would come to be Python's own path later."""
    if spec is not None and spec.submodule_search_locations is not None:
        spec.submodule_search_locations = list(spec.submodule_search_locations)
    return spec


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
        with warnings.catch_warnings():
            # What Python thinks of the escapes in it is not our user's affair.
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
        return names_in(tree, module, is_package=is_package)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return Names()


def names_in(tree: ast.Module, module: str, *, is_package: bool) -> Names:
    """Return what the top level of a parsed *module* binds.

    Raises `RecursionError` if it is nested too deeply.
    """
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
    return Names(
        defined=frozenset(defined),
        imported=imported,
        starred=tuple(starred),
        exported=exported_by(tree.body),
        classes=dict(classes_in(tree.body, "")),
    )


def exported_by(body: Sequence[ast.stmt]) -> frozenset[str] | None:
    """Return what ``__all__`` lists, if it is written out in one place and nowhere changed."""
    found: list[frozenset[str] | None] = []
    for node in statements(body):
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items)):
                names = [item.value for item in items if isinstance(item, ast.Constant)]
                found.append(frozenset(map(str, names)) if len(names) == len(items) else None)
            case (
                ast.Assign(targets=[ast.Name(id="__all__"), *_])
                | ast.AnnAssign(target=ast.Name(id="__all__"))
                | ast.AugAssign(target=ast.Name(id="__all__"))
                | ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"))))
            ):
                found.append(None)
    return found[0] if len(found) == 1 else None


def classes_in(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, Class]]:
    """Yield the classes of a module or class body by their qualified names."""
    for node in statements(body):
        if isinstance(node, ast.ClassDef):
            members = (name for stmt in statements(node.body) for name in defined_by(stmt))
            bases = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
            yield f"{prefix}{node.name}", Class(bases=tuple(map(ast.unparse, bases)), members=frozenset(members))
            yield from classes_in(node.body, f"{prefix}{node.name}.")


def merge(lines: list[list[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """Yield the classes of several orders in one that keeps them all (C3, as Python does).

    Orders that contradict each other, which Python refuses, are taken as they come.
    """
    while lines := [line for line in lines if line]:
        tails = {cls for line in lines for cls in line[1:]}
        head = next((line[0] for line in lines if line[0] not in tails), lines[0][0])
        yield head
        lines = [[cls for cls in line if cls != head] for line in lines]


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
