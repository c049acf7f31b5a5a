"""Identities of documented objects: by what autodoc has in hand, or by source.

Objects are looked at and never touched. Attributes are read from ``__dict__`` alone:
``getattr`` would run properties and the ``__getattr__`` of lazy modules.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from .collect import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinx.application import Sphinx

    from ..source.packages import Sources

#: Where in the environment's temporary data, while a page is read, the objects are that
#: autodoc had in hand.
OBJECTS = "heuristic_objects"


def note_object(
    app: Sphinx, _what: str, name: str, obj: object, *_others: object
) -> None:
    """Remember the object of an autodoc entry until its page is collected."""
    objects = cast("dict[str, object]", app.env.temp_data.setdefault(OBJECTS, {}))
    objects[name] = obj


def listen_to_autodoc(app: Sphinx, _config: object) -> None:
    """Connect to autodoc where it is loaded: its events exist only then."""
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", note_object)


def identify(
    objects: Mapping[str, object], sources: Sources, name: str, source: str
) -> Identity:
    """Return what is known of the object of a name, whose entry has a source.

    *objects* has those that autodoc had in hand, by their documented names. What the
    object tells counts; *sources* tells the rest.
    """
    written = Identity(
        lineage=sources.lineage(name),
        bases=sources.bases(name),
        is_class=sources.is_class(name),
    )
    obj = objects.get(name)
    # Autodoc has no event for a class that is documented as an alias. The lines that it
    # writes come from no file.
    if obj is None and (not source or "docstring of " in source):
        obj = object_named(name)
    if obj is None:
        return written
    cls = obj if isinstance(obj, type) else _holder(name)[0]
    if isinstance(cls, type):
        sources.watched.update(_spelling(base)[0] for base in cls.__mro__)
    return Identity(
        lineage=lineage(name, obj, written.lineage),
        bases=bases(obj) if isinstance(obj, type) else (),
        is_class=isinstance(obj, type),
        obj=obj,
    )


def lineage(name: str, obj: object, written: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the object that an entry called *name* documents.

    The first is the entry's own, spelled by its defining module; for a member further
    ones follow, one for each class of the method resolution order through which the
    very same member is reached, the class that defines it last. *written* is what the
    source says, which counts where the object does not say it, and nothing contradicts.
    """
    owner, member = _holder(name)
    if isinstance(owner, type):
        found = _member_lineage(owner, member)
        own_name = ".".join((*_spelling(owner), member))
        # Of an instance attribute the source knows more than the class.
        return found or (written if own_name in written[:1] else (own_name,))
    spelled = ".".join(_spelling(obj))
    there = object_named(spelled)
    if there is obj or getattr(there, "__func__", None) is obj:
        return (spelled,)
    is_confirmed = len(written) == 1 and object_named(written[0]) is obj
    return written if is_confirmed else (name,)


def object_named(name: str) -> object:
    """Return the object of a name in the modules that are imported, or ``None``."""
    holder, last = _holder(name)
    return _static(holder, last)


def _holder(name: str) -> tuple[object, str]:
    """Return the module or class that has the object of a name, and its name there."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if isinstance(module, ModuleType):
            found: object = module
            for part in parts[end:-1]:
                found = _static(found, part)
            return found, parts[-1]
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
        return ()
    names: dict[str, None] = {}
    for base in owner.__mro__:
        module, qualname = _spelling(base)
        if module and _definer(base, member) is definer:
            names[f"{module}.{qualname}.{member}"] = None
    return tuple(names)


def _spelling(obj: object) -> tuple[str, str]:
    """Return the module and the qualified name that *obj* says it has."""
    # Wrappers and instances have an attribute dictionary of their own.
    module = _plain(obj, "__module__")
    qualname = _plain(obj, "__qualname__")
    return (module, qualname) if module and qualname else ("", "")


def _plain(obj: object, name: str) -> str:
    try:
        value = object.__getattribute__(obj, name)
    except AttributeError:
        return ""
    # A mock answers anything with anything.
    return value if isinstance(value, str) else ""


def bases(cls: type) -> tuple[str, ...]:
    """Return the names of the bases of a class, and of theirs."""
    spelled = map(_spelling, cls.__mro__[1:-1])
    return tuple(f"{module}.{qualname}" for module, qualname in spelled if module)
