"""The files that decide which object a documented name means.

Autodoc watches the module that it documents and that of the object. Between them are
the modules that pass the object on, and a class has its members from the modules of its
bases. All are loaded when an object is in hand: only their import statements are read.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An import statement: the module that names are taken from, and what is imported.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+)?import[ \t]+(\([^)]*\)|(?:[^\\\n]|\\\n)*)",
    re.MULTILINE,
)
_NAME = re.compile(r"[.\w]+")


class Reexports:
    """The modules that pass the objects of a page on, from their own to the page's.

    What is found is remembered from page to page, as long as no module is loaded: the
    pages of one class have the same.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._loaded = 0
        # With each goes its object: the id of one that is gone may be another's.
        self._found: dict[tuple[str, int], tuple[object, tuple[str, ...]]] = {}
        self._bound: dict[str, frozenset[int]] = {}
        self._imported = cache(lambda name: tuple(_imported(name)))
        self._modules: set[str] = set()

    def begin_page(self) -> None:
        """Forget the modules of the last page."""
        self._modules = set()
        if self._loaded != len(sys.modules):
            self._loaded = len(sys.modules)
            self._found.clear()
            self._bound.clear()
            self._imported.cache_clear()

    def follow(self, module: str, obj: object) -> tuple[str, ...]:
        """Note and return a module and those from which it has an object."""
        key = module, id(obj)
        if key not in self._found:
            found = [module]
            for name in found:  # which grows
                for origin in self._imported(name):
                    if origin not in found and id(obj) in self._objects(origin):
                        found.append(origin)
            self._found[key] = obj, tuple(found)
        _obj, modules = self._found[key]
        self._modules.update(modules)
        return modules

    def follow_class(self, cls: type) -> None:
        """Note the modules of a class and of its bases, and those between them."""
        for base in cls.__mro__:
            module = str(vars(base).get("__module__"))
            self._modules.add(module)
            for direct in base.__bases__:
                if direct is not object:
                    self.follow(module, direct)

    def files(self) -> Iterator[str]:
        """Yield the source files of the modules."""
        for name in self._modules:
            if path := _file(name):
                yield path

    def _objects(self, name: str) -> frozenset[int]:
        """Return the ids of what a module binds."""
        if name not in self._bound:
            module = sys.modules.get(name)
            values = vars(module).values() if isinstance(module, ModuleType) else ()
            self._bound[name] = frozenset(map(id, values))
        return self._bound[name]


def _file(name: str) -> str:
    """Return the source file of a loaded module, or ``""``."""
    module = sys.modules.get(name)
    path = vars(module).get("__file__") if isinstance(module, ModuleType) else None
    return path if isinstance(path, str) and path.endswith(".py") else ""


def _imported(name: str) -> Iterator[str]:
    """Yield the loaded modules that a loaded module may import from."""
    path = _file(name)
    if not path:
        return
    package = vars(sys.modules[name]).get("__package__")
    with suppress(OSError):
        for written in _written(path, Path(path).stat().st_mtime_ns):
            with suppress(ImportError):
                module = resolve_name(written, package)
                if module in sys.modules:
                    yield module


@lru_cache(maxsize=1024)
def _written(path: str, _mtime_ns: int) -> tuple[str, ...]:
    """Return the names in the import statements of a file, those of modules or not."""
    text = Path(path).read_text("utf-8", "replace")
    found: dict[str, None] = {}
    for origin, imported in _IMPORT.findall(text):
        names = _NAME.findall(imported)
        if origin:
            found[origin] = None
            separator = "" if origin.endswith(".") else "."
            names = [f"{origin}{separator}{name}" for name in names]
        found.update(dict.fromkeys(names))
    return tuple(found)
