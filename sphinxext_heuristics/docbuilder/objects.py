"""Objects as doc-builder finds them: by an attribute walk that imports modules on the way."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from types import MethodType, ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager


class ImportFailedError(Exception):
    """A module exists and cannot be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object of a package."""

    #: The object.
    object: object
    #: The shortest path to it, package included: the name that it is shown under.
    name: str

    @property
    def called(self) -> bool:
        """Whether doc-builder writes ``()`` behind the name."""
        return not isinstance(self.object, type | property | ModuleType)


def import_package(name: str, mocked: Sequence[str] = ()) -> ModuleType:
    """Import a package or a module.

    :param mocked: Modules that need not be installed (``autodoc_mock_imports``).
    :raises ImportFailedError: It cannot be imported, or does not exist.
    """
    try:
        with _mock(mocked):
            return importlib.import_module(name)
    except Exception as error:
        raise ImportFailedError(f"cannot import {name}: {type(error).__name__}: {error}") from error


def _mock(names: Sequence[str]) -> AbstractContextManager[None]:
    # Sphinx has moved the function, and its types do not follow
    return cast("AbstractContextManager[None]", importlib.import_module("sphinx.ext.autodoc.mock").mock(names))


def find_object(name: str, package: str, mocked: Sequence[str] = ()) -> Found | None:
    """Find an object of a package.

    :param name: Its name, with or without the package's.
    :param package: The package's name.
    :param mocked: Modules that need not be installed.
    :returns: The object; ``None`` if there is none.
    :raises ImportFailedError: A module on the way cannot be imported.
    """
    inside = name.removeprefix(f"{package}.")
    with _mock(mocked):
        current: object = import_package(package)
        for part in inside.split("."):
            current = _attribute(current, part)
            if current is None:
                return None
        return Found(object=current, name=_shortest_path(current, package) or f"{package}.{inside}")


def _attribute(owner: object, name: str) -> object | None:
    found: object | None = getattr(owner, name, None)
    if found is not None or not isinstance(owner, ModuleType):
        return found
    path = f"{owner.__name__}.{name}"
    try:
        module = import_package(path)
    except ImportFailedError as error:
        reason = error.__cause__
        if isinstance(reason, ModuleNotFoundError) and (reason.name == path or not hasattr(owner, "__path__")):
            return None
        raise
    # a module whose parent is lazy may be imported without being an attribute of it
    return getattr(owner, name, None) or module


def _shortest_path(found: object, package: str) -> str | None:
    """Give the path through the first module, from the package down, that has the object's name.

    :returns: ``None`` for what does not say where it is defined, or is defined in another package.
    """
    function = found.fget if isinstance(found, property) else found
    module_name = str(getattr(function, "__module__", ""))
    long_name = str(getattr(function, "__qualname__", "<"))
    if "<" in long_name or not f"{module_name}.".startswith(f"{package}."):
        return None
    module: object = importlib.import_module(package)
    path = package
    for part in module_name.split(".")[path.count(".") + 1 :]:
        if _leads_to(module, long_name, found):
            break
        module = getattr(module, part, None)
        path = f"{path}.{part}"
    return f"{path}.{long_name}"


def _leads_to(module: object, name: str, wanted: object) -> bool:
    """Say whether a name in a module means an object; another object may have the same name."""
    current: object = module
    for part in name.split("."):
        current = getattr(current, part, None)
    # each look at a class method makes a new object
    return current is wanted or (isinstance(current, MethodType) and current == wanted)


def documented_methods(cls: type) -> list[str]:
    """Give the public methods that have a docstring which no superclass has for them, in the order of their names."""
    names = []
    for name in dir(cls):
        method = None if name.startswith("_") else getattr(cls, name, None)
        if callable(method) and not isinstance(method, type) and getattr(method, "__doc__", None):
            inherited = {getattr(getattr(base, name, None), "__doc__", None) for base in cls.mro()[1:]}
            if method.__doc__ not in inherited:
                names.append(name)
    return names


def chosen_members(found: object, listed: Sequence[str] | None) -> list[str]:
    """Give the members of a class that are shown with it.

    :param found: The object.
    :param listed: The list below ``[[autodoc]]``; ``all`` adds the documented methods, ``none`` leaves all out.
    """
    if not isinstance(found, type):
        return []
    if listed is None:
        return documented_methods(found)
    if "all" in listed:
        return list(dict.fromkeys([*(name for name in listed if name != "all"), *documented_methods(found)]))
    return [] if "none" in listed else list(listed)


def own_name(found: Found, member: str, package: str) -> str | None:
    """Give a member's name in the class that defines it."""
    method = inspect.getattr_static(found.object, member, None)
    function = method.__func__ if isinstance(method, classmethod | staticmethod) else method
    return _shortest_path(function, package) if function is not None else None
