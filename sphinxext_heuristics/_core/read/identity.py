"""Identities of documented objects: by what autodoc has in hand, or by source.

Objects are looked at and never touched. Attributes are read from ``__dict__`` alone:
``getattr`` would run properties and the ``__getattr__`` of lazy modules.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from .collect import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinx.application import Sphinx

    from .reexports import Reexports

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
    objects: Mapping[str, object], reexports: Reexports, name: str, source: str
) -> Told:
    """Return what is known of the object of a name, whose entry has a source.

    *objects* has those that autodoc had in hand, by their documented names. What the
    object tells counts; what it does not tell is for the source of its package, which
    is asked when a target asks. *reexports* notes the files that this depends on.
    """
    obj = objects.get(name)
    # Autodoc has no event for a class that is documented as an alias. The lines that it
    # writes come from no file.
    if obj is None and (not source or "docstring of " in source):
        obj = object_named(name)
    # The value of an attribute may be None: its class is in hand.
    has_class = name in objects and isinstance(_holder(name)[0], type)
    if obj is None and not has_class:
        return Told()
    _follow(reexports, name, obj)
    return Told(
        lineage=lineage(name, obj),
        may_be=() if _tells_name(name, obj) else _may_be(reexports, name, obj),
        bases=bases(obj) if isinstance(obj, type) else (),
        is_class=isinstance(obj, type),
        obj=obj,
    )


def _follow(reexports: Reexports, name: str, obj: object) -> None:
    """Note the files on which depends what a name means."""
    module, (first, *others) = _split(name)
    holder = _holder(name)[0]
    cls = obj if isinstance(obj, type) else holder
    if isinstance(cls, type):
        reexports.follow_class(cls)
    if module:
        reexports.follow(
            module, vars(sys.modules[module]).get(first) if others else obj
        )


def lineage(name: str, obj: object) -> tuple[str, ...]:
    """Return the names of the object that an entry called *name* documents.

    The first is the entry's own, spelled by its defining module; for a member further
    ones follow, one for each class of the method resolution order through which the
    very same member is reached, the class that defines it last.
    """
    owner, member = _holder(name)
    if isinstance(owner, type):
        own_name = ".".join((*_spelling(owner), member))
        return _member_lineage(owner, member) or (own_name,)
    spelled = ".".join(_spelling(obj))
    return (spelled,) if _is_named(spelled, obj) else (name,)


def _tells_name(name: str, obj: object) -> bool:
    """Return whether an object, or the class that has it, tells its name."""
    owner, member = _holder(name)
    if isinstance(owner, type):
        return _definer(owner, member) is not None
    return _is_named(".".join(_spelling(obj)), obj)


def _may_be(reexports: Reexports, name: str, obj: object) -> tuple[str, ...]:
    """Return the names of which the source may say that they are the object's own.

    Of an instance attribute it knows more than the class; a constant may be from
    another module.
    """
    owner, member = _holder(name)
    if isinstance(owner, type):
        return (".".join((*_spelling(owner), member)),)
    found: list[str] = []
    for module in reexports.follow(_split(name)[0], obj):
        bound = vars(sys.modules[module]) if module else {}
        found += [f"{module}.{local}" for local, it in bound.items() if it is obj]
    return tuple(found)


def _is_named(name: str, obj: object) -> bool:
    """Return whether a name means an object, or the function of a bound method."""
    there = object_named(name)
    return there is obj or getattr(there, "__func__", None) is obj


def object_named(name: str) -> object:
    """Return the object of a name in the modules that are imported, or ``None``."""
    holder, last = _holder(name)
    return _static(holder, last)


def _split(name: str) -> tuple[str, list[str]]:
    """Return the imported module that a name begins with, or ``""``, and the rest."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:end])
        if isinstance(sys.modules.get(module), ModuleType):
            return module, parts[end:]
    return "", parts


def _holder(name: str) -> tuple[object, str]:
    """Return the module or class that has the object of a name, and its name there."""
    module, (*path, last) = _split(name)
    found: object = sys.modules.get(module)
    for part in path:
        found = _static(found, part)
    return found, last


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
