"""Names, followed through source to the files that Python would import."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from .names import (
    Definition,
    Names,
    State,
    is_value_described,
    may_bind,
    read_file,
    read_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A module, and the qualified name of an object in it.
Object: TypeAlias = tuple[str, str]


class Sources:
    """The names of objects as the source of installed packages spells them.

    One instance serves one build: it looks at the files once.
    """

    def __init__(self, folders: list[str] | None = None) -> None:
        """Forget what Python's finders remember, so that new files are seen.

        With *folders*, source is looked for in these and nowhere else; without, where
        Python would.
        """
        importlib.invalidate_caches()
        self._only = folders
        self._specs: dict[str, ModuleSpec | None] = {}
        self._states: dict[str, State | None] = {}
        self._canonical: dict[tuple[str, tuple[str, ...]], Object | None] = {}
        self._mro: dict[Object, tuple[Object, ...]] = {}
        #: The modules that results depend on since `forget_and_watch`, and ``""`` if
        #: they depend on which modules there are.
        self.watched: set[str] = set()

    def forget_and_watch(self) -> None:
        """Begin to note modules in `watched`; what was found before is found again."""
        self._canonical.clear()
        self._mro.clear()
        self.watched.clear()

    def canonical(self, dotted: str) -> Object | None:
        """Return the (module, qualified name) that *dotted* spells, or ``None``.

        The first part of the qualified name is followed through imports to the module
        that defines it; the rest is taken as written.
        """
        module, *names = dotted.split(".")
        return self._follow(module, tuple(names))

    def _follow(self, module: str, names: tuple[str, ...]) -> Object | None:
        """Return what *names*, each in the one before, mean in a module."""
        key = module, names
        if key not in self._canonical:
            self._canonical[key] = None  # what leads back here leads nowhere
            with suppress(RecursionError):  # so does what leads on and on
                self._canonical[key] = self._resolve(module, names)
        return self._canonical[key]

    def aliases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of the object *dotted*: where defined, where re-exported.

        Re-exports are looked for in the packages above the defining module, under the
        name that it has there.
        """
        found = self.canonical(dotted)
        if found is None:
            return ()
        module, qualname = found
        head = qualname.partition(".")[0]
        names = [f"{module}.{qualname}"]
        package = module
        while package := package.rpartition(".")[0]:
            if self.canonical(f"{package}.{head}") == (module, head):
                names.append(f"{package}.{qualname}")
        return tuple(names)

    def locate(self, dotted: str) -> tuple[Object, ...]:
        """Return where an object is: the (module, qualified name) of each of its names.

        The first is its own; for a member further ones follow, one for each class
        through which the very same member is inherited, the class that defines it last.
        A base that cannot be read is passed over.
        """
        found = self.canonical(dotted)
        if found is None:
            return ()
        module, qualname = found
        owner, _dot, member = qualname.rpartition(".")
        definer = self._definer((module, owner), member)
        if definer is None:
            return (found,)
        return tuple(
            (base_module, f"{base}.{member}")
            for base_module, base in self._linear((module, owner))
            if self._definer((base_module, base), member) == definer
        )

    def lineage(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object by identity; see `locate`."""
        return tuple(map(".".join, self.locate(dotted)))

    def bases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of the bases of a class, and of theirs.

        A base that cannot be read is passed over.
        """
        cls = self.canonical(dotted) or ("", "")
        return tuple(map(".".join, self._linear(cls)[1:]))

    def definition(self, dotted: str) -> Definition | None:
        """Return where *dotted* is defined, a member perhaps by a base class."""
        places = self.locate(dotted) or ((dotted, ""),)
        module, qualname = places[-1]
        at = self.state(module)
        # The last one is what runs: those before may be overloads.
        statements = self.names(module).definitions.get(qualname, ())[-1:]
        if at is None or (qualname and not statements):
            return None
        is_value = not all(statement.is_block for statement in statements)
        is_described = all(statement.is_described for statement in statements)
        if is_value:
            is_described = is_value_described(read_file(at), statements[0].line)
        return Definition(
            name=f"{module}.{qualname}".rstrip("."),
            path=at.path,
            line=statements[0].line if statements else 1,
            is_described=is_described,
            is_value=is_value,
            is_inherited=len(places) > 1,
            is_module=not qualname,
        )

    def walk(self, package: str) -> None:
        """Look at all modules of a package, and at what its classes inherit from."""
        for cls in self.names(package).bases:
            self._linear((package, cls))
        for module in self.modules(package):
            self.walk(f"{package}.{module}")

    def _definer(self, cls: Object, member: str) -> Object | None:
        """Return the class that defines *member* as *cls* sees it."""
        for module, qualname in self._linear(cls):
            if f"{qualname}.{member}" in self.names(module).definitions:
                return module, qualname
        return None

    def _linear(self, cls: Object) -> tuple[Object, ...]:
        """Return the known classes in the method resolution order of a class."""
        if cls not in self._mro:
            self._mro[cls] = ()  # a class cannot be its own base
            module, qualname = cls
            written = self.names(module).bases.get(qualname)
            if written is not None:
                orders: list[Sequence[Object]] = []
                for name in written:
                    # Where Python has no more levels, a base means nothing: see
                    # `_follow`.
                    base = self.canonical(f"{module}.{name}")
                    if base and (order := self._linear(base)):
                        orders.append(order)
                direct = [order[0] for order in orders]
                self._mro[cls] = (cls, *merge([*orders, direct]))
        return self._mro[cls]

    def _resolve(self, module: str, names: tuple[str, ...]) -> Object | None:
        if not names or self._spec(module) is None:
            return None  # a module, not an object in one
        name, rest = names[0], names[1:]
        bound = self._bound(module, name, rest)
        is_defined = bound and bound[1] in self.names(bound[0]).definitions
        inner = f"{module}.{name}"
        # Python looks for an attribute first and for a submodule second; a star
        # seldom binds a submodule's name, and following it would read many files.
        if is_defined or self._spec(inner) is None:
            return bound or self._starred(module, name, rest)
        # After `from .run import run` the name `run` is the function to Python; but
        # documentation of the submodule has names such as `package.run.run`, which no
        # member of the function can have.
        return self._resolve(inner, rest) or bound

    def _bound(self, module: str, name: str, rest: tuple[str, ...]) -> Object | None:
        binding = self.names(module).bindings.get(name)
        if binding is None:
            return None
        if binding.module:
            return self._follow(binding.module, (binding.name, *rest))
        if binding.name:
            origin, qualname = self.canonical(f"{module}.{binding.name}") or ("", "")
            statements = self.names(origin).definitions.get(qualname, ())
            # Two names of one number are two things to a reader.
            if any(statement.is_block for statement in statements):
                return origin, ".".join((qualname, *rest))
        return module, ".".join((name, *rest))

    def _starred(self, module: str, name: str, rest: tuple[str, ...]) -> Object | None:
        for origin in self.names(module).starred:
            at = self.state(origin)
            if at is None or not may_bind(at, name):
                continue
            exported = self.names(origin).exported
            is_taken = (
                name in exported if exported is not None else not name.startswith("_")
            )
            if is_taken and (found := self._follow(origin, (name,))):
                return found[0], ".".join((found[1], *rest))
        return None

    def names(self, module: str) -> Names:
        """Return what the source of *module* binds; nothing if it has none."""
        at = self.state(module)
        return read_names(at, module) if at else Names()

    def state(self, module: str) -> State | None:
        """Return the state of the source file that Python would import for *module*.

        It is ``None`` if there is none. The file is not opened.
        """
        self.watched.add(module)
        if module not in self._states:
            self._states[module] = None
            spec = self._spec(module)
            origin = (spec and spec.origin) or ""
            if origin.endswith(".py"):
                with suppress(OSError):
                    stat = Path(origin).stat()
                    at = State(Path(origin), stat.st_mtime_ns, stat.st_size)
                    self._states[module] = at
        return self._states[module]

    def exists(self, module: str) -> bool:
        """Tell whether Python would find *module*, whatever it is."""
        return self._spec(module) is not None

    def modules(self, package: str) -> tuple[str, ...]:
        """Return the names of a package's modules; of ``""``, those on the path."""
        self.watched.add("")
        folders = self._folders(package) if package else self._only
        return tuple(sorted(module.name for module in pkgutil.iter_modules(folders)))

    def _spec(self, module: str) -> ModuleSpec | None:
        self.watched.add(module)
        if module not in self._specs:
            parts = module.split(".")
            # From above, for a name may have more parts than Python has levels; below
            # what is not there is nothing.
            for above in accumulate(parts, "{}.{}".format) if all(parts) else ():
                if above not in self._specs:
                    self._specs[above] = self._find(above)
                if self._specs[above] is None:
                    break
        return self._specs.setdefault(module)

    def _find(self, module: str) -> ModuleSpec | None:
        parent, _dot, last = module.rpartition(".")
        folders = self._folders(parent) if parent else self._only
        # Editable installs bring finders of their own, which know the top level.
        finders = [PathFinder, *(sys.meta_path if folders is None else ())]
        for finder in finders:
            find_spec = getattr(finder, "find_spec", None)
            # By the last part alone, since the folders of a parent that is not imported
            # are known here and not to Python.
            if find_spec and (spec := find_spec(last, folders)):
                # The folders of a namespace would come to be those of Python's own path
                # later.
                inner = spec.submodule_search_locations
                spec.submodule_search_locations = inner and list(inner)
                return cast("ModuleSpec", spec)
        return None

    def _folders(self, package: str) -> list[str]:
        """Return the folders in which the modules of a package are."""
        spec = self._spec(package)
        return list(spec.submodule_search_locations or ()) if spec else []


def merge(lines: Sequence[Sequence[Object]]) -> Iterator[Object]:
    """Yield the classes of several orders in one that keeps them all.

    It is C3, as in Python.
    Orders that contradict each other, which Python refuses, are taken as they come.
    """
    while lines := [line for line in lines if line]:
        tails = set(chain.from_iterable(line[1:] for line in lines))
        head = next((line[0] for line in lines if line[0] not in tails), lines[0][0])
        yield head
        lines = [[cls for cls in line if cls != head] for line in lines]
