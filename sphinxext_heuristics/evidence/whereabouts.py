"""Where an object is defined: the files to look into, or why there is none. Nothing is imported."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.evidence.source import State
from sphinxext_heuristics.model import Lost, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.model import Evidence
    from sphinxext_heuristics.source.packages import Sources

#: How many imports are followed to say where an object is not.
_MOST_IMPORTS = 20


def state(module: str, sources: Sources) -> State | None:
    """Return the state of a module's source file, or ``None`` if it has none; the file is not opened."""
    with suppress(OSError):
        if _is_module_name(module) and (path := sources.path(module)):
            stat = path.stat()
            return State(path, stat.st_mtime_ns, stat.st_size)
    return None


def _is_module_name(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def whereabouts(quoted: Evidence, sources: Sources) -> Iterator[tuple[Evidence, State] | Lost]:
    """Yield the files that may define an object, in the order in which to look; at the end, what is in the way.

    The first is the module's own, then come those from which the module imports the object or its class inherits it.
    The last one, followed import by import, is where it should be; that file's names are those to choose from.
    """
    own = state(quoted.module, sources)
    if own is None:
        yield _dotted(quoted, sources) or _without_source(quoted.module, sources)
    else:
        yield quoted, own
        dotted = f"{quoted.module}.{quoted.qualname}"
        inherited = [sources.canonical(name) for name in sources.lineage(dotted)[:0:-1]]
        for origin in dict.fromkeys([sources.canonical(dotted), *inherited]):
            if origin and (at := state(origin[0], sources)):
                yield replace(quoted, module=origin[0], qualname=origin[1]), at
        yield _followed(quoted, own, sources)


def _followed(quoted: Evidence, at: State, sources: Sources) -> tuple[Evidence, State] | Lost:
    """Return the file to which imports lead, which may be the one where they begin."""
    head, dot, rest = quoted.qualname.partition(".")
    for _step in range(_MOST_IMPORTS):
        module, name = sources.imported(quoted.module, head) or ("", "")
        if not name:
            break
        there = state(module, sources)
        if there is None:
            message = f"{quoted.module!r} imports {head!r} from {module!r}: {_without_source(module, sources).message}"
            return Lost(reason=Reason.NO_OBJECT, message=message, path=at.path)
        quoted, at, head = replace(quoted, module=module, qualname=f"{name}{dot}{rest}"), there, name
    return quoted, at


def _dotted(quoted: Evidence, sources: Sources) -> Lost | None:
    """Say how to write an object that is named as if it were a module; ``None`` if it is none."""
    module = quoted.module
    if quoted.qualname or not _is_module_name(module) or not sources.canonical(module):
        return None
    parts = module.split(".")
    known = next(n for n in range(len(parts), 0, -1) if sources.exists(".".join(parts[:n])))
    written = f"{'.'.join(parts[:known])}:{'.'.join(parts[known:])}"
    return Lost(reason=Reason.NO_MODULE, message=f"{module!r} is not a module: for the object write {written!r}")


def _without_source(module: str, sources: Sources) -> Lost:
    """Say what is missing: the package, a module in it, or only its source."""
    if not _is_module_name(module):
        return Lost(reason=Reason.NO_MODULE, message=f"{module!r} is not the name of a module")
    if module in sys.builtin_module_names:
        return Lost(reason=Reason.NO_SOURCE, message=f"module {module!r} is part of Python itself, it has no source")
    above = ""
    for name in module.split("."):
        child = f"{above}.{name}".lstrip(".")
        if not sources.exists(child):
            alike = did_you_mean(closest(child, (f"{above}.{one}".lstrip(".") for one in sources.modules(above))))
            if above:
                message = f"package {above!r} has no module {child!r}{alike}"
                return Lost(reason=Reason.NO_MODULE, message=message)
            return Lost(reason=Reason.NO_PACKAGE, message=f"package {child!r} is not installed{alike}")
        above = child
    where = sources.origin(module) or "a folder without code of its own"
    return Lost(reason=Reason.NO_SOURCE, message=f"module {module!r} has no Python source to read: it is {where}")
