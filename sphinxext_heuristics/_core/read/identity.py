"""Names by identity: what autodoc has in hand, looked at and never touched.

Attributes are read from ``__dict__`` alone: ``getattr`` would run properties and the
``__getattr__`` of lazy modules.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, cast

from sphinxext_heuristics._core.read.collect import IDENTITIES, Identity

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def lineage(name: str, obj: object) -> tuple[str, ...]:
    """Return the names of the object that an entry called *name* documents.

    The first is the entry's own, spelled by its defining module; for a member further
    ones follow, one for each class of the method resolution order through which the
    very same member is reached, the class that defines it last.
    """
    owner, member = _owner(name)
    if owner is not None:
        return _member_lineage(owner, member)
    module, qualname = _spelling(obj)
    return (f"{module}.{qualname}",) if module else ()


def _owner(name: str) -> tuple[type | None, str]:
    """Return the class that *name* is a member of, if it is one, and the member."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if isinstance(module, ModuleType):
            found: object = module
            for part in parts[end:-1]:
                found = _static(found, part)
            return (found if isinstance(found, type) else None), parts[-1]
    return None, parts[-1]


def _static(holder: object, name: str) -> object:
    """Return what *holder*, a module or class, binds to *name*; ``None`` if nothing."""
    if isinstance(holder, ModuleType):
        return vars(holder).get(name)
    if isinstance(holder, type):
        definer = _definer(holder, name)
        return vars(definer)[name] if definer else None
    return None


def _definer(cls: type, member: str) -> type | None:
    """Return the class that defines *member* as *cls* sees it."""
    return next((base for base in cls.__mro__ if member in vars(base)), None)


def _member_lineage(owner: type, member: str) -> tuple[str, ...]:
    definer = _definer(owner, member)
    if definer is None:
        return ()  # an instance attribute, of which the source knows more than the class
    names = [
        f"{module}.{qualname}.{member}"
        for base in owner.__mro__
        if _definer(base, member) is definer
        for module, qualname in [_class_spelling(base)]
        if module
    ]
    return tuple(dict.fromkeys(names))


def _class_spelling(cls: type) -> tuple[str, str]:
    module, qualname = cls.__module__, cls.__qualname__
    # A mock answers anything with anything.
    return (module, qualname) if type(module) is type(qualname) is str else ("", "")


def _spelling(obj: object) -> tuple[str, str]:
    """Return where *obj* says it was defined, if it is what is there."""
    if isinstance(obj, type):
        module, qualname = _class_spelling(obj)
    else:
        # Wrappers and instances have an attribute dictionary of their own.
        module = _plain(obj, "__module__")
        qualname = _plain(obj, "__qualname__")
    found: object = sys.modules.get(module)
    for part in qualname.split("."):
        found = _static(found, part)
    same = found is obj or getattr(found, "__func__", None) is obj
    return (module, qualname) if same and qualname else ("", "")


def _plain(obj: object, name: str) -> str:
    try:
        value = object.__getattribute__(obj, name)
    except AttributeError:
        return ""
    return value if isinstance(value, str) else ""


def bases(cls: type) -> tuple[str, ...]:
    """Return the names of the bases of a class, and of theirs, spelled by their defining modules."""
    return tuple(
        f"{module}.{qualname}"
        for module, qualname in map(_class_spelling, cls.__mro__[1:-1])
        if module
    )


def parameters(obj: object) -> tuple[str, ...] | None:
    """Return the parameters that a function's own signature names, or that of a class's ``__init__``.

    Those that take any number do not count. ``None`` for what has no signature.
    """
    if isinstance(obj, type):
        definer = _definer(obj, "__init__")
        obj = obj if definer in {object, None} else vars(definer)["__init__"]
    if not callable(obj):
        return None
    try:
        found = inspect.signature(obj).parameters.values()
    except (TypeError, ValueError):  # written in C
        return None
    return tuple(
        one.name
        for one in found
        if one.kind not in {one.VAR_POSITIONAL, one.VAR_KEYWORD}
    )


def files_of_bases(name: str, obj: object) -> list[str]:
    """Return the source files that define the bases of a class, or of that which the member called *name* is of."""
    cls = obj if isinstance(obj, type) else _owner(name)[0]
    if cls is None:
        return []
    modules = (sys.modules.get(_class_spelling(base)[0]) for base in cls.__mro__)
    files = {
        _plain(module, "__file__")
        for module in modules
        if isinstance(module, ModuleType)
    }
    # What a class says of its module may be another than the one whose functions it
    # has.
    functions = (
        value
        for base in cls.__mro__
        for value in vars(base).values()
        if isinstance(value, FunctionType)
    )
    files.update(function.__code__.co_filename for function in functions)
    return sorted(
        file for file in files if file.endswith(".py") and Path(file).is_file()
    )


def note_identity(
    app: Sphinx, _what: str, name: str, obj: object, *_others: object
) -> None:
    """Note what is known of the object of an autodoc entry."""
    noted = cast("dict[str, Identity]", app.env.temp_data.setdefault(IDENTITIES, {}))
    above = bases(obj) if isinstance(obj, type) else ()
    noted[name] = Identity(
        lineage=lineage(name, obj), bases=above, parameters=parameters(obj)
    )
    # Whether a member is inherited depends on all bases, which autodoc does not watch.
    for path in files_of_bases(name, obj):
        app.env.note_dependency(path)


def listen_to_autodoc(app: Sphinx, _config: object) -> None:
    """Connect to autodoc where it is loaded: its events exist only then."""
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", note_identity)
