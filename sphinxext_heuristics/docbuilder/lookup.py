"""Objects and their docstrings, found as doc-builder finds them."""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def walk(package: object, names: str) -> tuple[object, Any]:
    """Return an object and what it is an attribute of, as doc-builder finds it.

    Raises LookupError, or ImportError for what cannot be imported on the way.
    """
    owner = found = package
    for name in names.split("."):
        owner, found = found, _attribute(found, name)
        if found is None:
            raise LookupError("there is no such object")
    return owner, found


def _attribute(owner: object, name: str) -> object | None:
    if isinstance(owner, type) and not any(name in vars(it) for it in owner.__mro__):
        return None  # what a metaclass makes up
    path = f"{getattr(owner, '__name__', '')}.{name}"
    try:
        found: object | None = getattr(owner, name, None)
        if found is None and hasattr(owner, "__path__") and name != "__main__":
            module = importlib.import_module(path)
            # if its parent is lazy, a module may not be an attribute of it
            found = getattr(owner, name, None) or module
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may exit as it is imported
        if isinstance(error, ModuleNotFoundError) and error.name == path:
            return None
        message = f"cannot import {path}: {type(error).__name__}: {error}"
        raise ImportError(message) from error
    return found


def attribute(owner: object, name: str, default: object = None) -> Any:  # noqa: ANN401 - any object
    """Return an attribute, or the default, also where getting it fails."""
    try:
        return getattr(owner, name, default)
    except (Exception, SystemExit):  # noqa: BLE001 - a lazy module imports, a property computes
        return default


def function_of(target: object) -> Any:  # noqa: ANN401 - any object
    """Return the function of a method or a property, or the object itself."""
    if isinstance(target, property):
        return target.fget
    return attribute(target, "__func__", target)


def own_docstring(target: object) -> str | None:
    """Return an object's own docstring, ``None`` for one of its type or generated."""
    docstring = attribute(target, "__doc__")
    if not isinstance(docstring, str) or docstring == type(target).__doc__:
        return None
    generated = r"\s*"
    if isinstance(target, type):
        generated += rf"|{re.escape(target.__name__)}\(.*\)"
    return None if re.fullmatch(generated, docstring) else docstring


def repeated_in(owner: object, member: str, docstring: str) -> Iterator[str]:
    """Yield the addresses of what repeats a docstring below a class: its overrides."""
    for cls in _subclasses(owner) if isinstance(owner, type) else ():
        override = function_of(vars(cls).get(member))
        if attribute(override, "__doc__") == docstring:
            yield f"{cls.__module__}:{cls.__qualname__}.{member}"


def _subclasses(cls: type) -> list[type]:
    """Return the classes below a class, each once."""
    found = [cls]
    for known in found:
        children: list[type] = type.__subclasses__(known)
        found += [child for child in children if child not in found]
    return found[1:]


def address_of(package: ModuleType, name: str) -> str:
    """Return how `pkgutil.resolve_name` finds an object that `walk` found."""
    path, below = package.__name__, name.removeprefix(f"{package.__name__}.").split(".")
    found: object = package
    while isinstance(found := attribute(found, below[0]), ModuleType):
        path = f"{path}.{below.pop(0)}"
    return f"{path}:{'.'.join(below)}"
