"""Quoted code against installed source: whether the passage that a heuristic rests on still stands there.

Nothing is imported: the source is read from the file that Python would import. What goes in is a `Claim`, what
comes out is `Found` or `Lost`; nothing is raised, whatever the quote and the source.

A quote is read in one of these ways (``readings``):

- as statements, or the beginning of one, or an expression: compared as syntax trees (``syntax``);
- as part of a list (arguments, parameters, items, operands of ``and`` and ``or``), or of strings side by side;
- as a fragment: compared as tokens (``fragments``);
- as prose: compared as words (``prose``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.evidence import scope
from sphinxext_heuristics.evidence.nearest import nearest
from sphinxext_heuristics.evidence.prose import Prose, absent_comment
from sphinxext_heuristics.evidence.readings import Statements, Strings, readings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sphinxext_heuristics.evidence.readings import Reading
    from sphinxext_heuristics.evidence.scope import Scope, Source
    from sphinxext_heuristics.source.names import Sources


#: How many imports are followed to say where an object is not.
_MOST_IMPORTS = 20

#: How much of a comment a message repeats.
_MAX_WORDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a heuristic says is written somewhere."""

    #: The module, as in an import.
    module: str
    #: The object in it, ``Class.method``; empty for the whole module.
    qualname: str
    #: What it quotes.
    quote: str
    #: Whether the quote is prose from a docstring, comment or message, and not code.
    prose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a quote stands now."""

    #: The source file.
    path: Path
    #: The passage's first line, from 1.
    line: int
    #: Its last line.
    end_line: int
    #: The module that the file is: another than the claim's where the object comes from there.
    module: str
    #: The object's name in it.
    qualname: str


class Reason(Enum):
    """Why a quote was not found."""

    NO_PACKAGE = "no-package"
    NO_MODULE = "no-module"
    NO_OBJECT = "no-object"
    #: A module written in C, a folder without code, …
    NO_SOURCE = "no-source"
    UNPARSABLE = "unparsable"
    NOT_THERE = "not-there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A quote that was not found."""

    #: Why.
    reason: Reason
    #: The same in words, one line.
    message: str
    #: The passage that is most like it now, dedented; empty if there is none.
    nearest: str = ""
    #: The file that was read, if one was.
    path: Path | None = None
    #: Where in it the nearest passage begins, or else the object; 0 if neither.
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A source file as it was when it was read: what was found holds while this is the same."""

    path: Path
    #: When it was changed, in nanoseconds.
    mtime_ns: int
    #: Its size in bytes.
    size: int


def state(module: str, sources: Sources) -> State | None:
    """Return the state of a module's source file, or ``None`` if it has none; the file is not opened."""
    path = sources.path(module) if is_module_name(module) else None
    try:
        stat = path.stat() if path else None
    except OSError:
        return None
    return State(path=path, mtime_ns=stat.st_mtime_ns, size=stat.st_size) if path and stat else None


def is_module_name(module: str) -> bool:
    """Tell whether *module* can be the full name of a module."""
    return all(part.isidentifier() for part in module.split("."))


def verify(claim: Claim, sources: Sources) -> Found | Lost:
    """Look for a claim's quote in the source of its object.

    An object that its module imports, or its class inherits, is read where it is defined. What was found is
    remembered: a file is read again when its time or its size has changed.
    """
    at = state(claim.module, sources)
    if at is None:
        return _dotted(claim, sources) or _without_source(claim.module, sources)
    found = _examine(claim, at)
    if isinstance(found, Found) or found.reason is not Reason.NO_OBJECT:
        return found
    for module, qualname in _origins(claim, sources):
        if (module, qualname) != (claim.module, claim.qualname) and (at := state(module, sources)):
            result = _examine(replace(claim, module=module, qualname=qualname), at)
            if isinstance(result, Found) or result.reason is not Reason.NO_OBJECT:
                return result
    return _told_where_imported(claim, found, sources)


def _told_where_imported(claim: Claim, found: Lost, sources: Sources) -> Found | Lost:
    """Say what is missing where the object would be defined, or which imported names are named alike.

    A name that is assigned together with others is found here.
    """
    head, dot, rest = claim.qualname.partition(".")
    for _step in range(_MOST_IMPORTS):
        origin = sources.imported(claim.module, head)
        if origin is None or not origin[1]:
            break
        at = state(origin[0], sources)
        if at is None:
            why = _without_source(origin[0], sources).message
            return replace(found, message=f"{claim.module!r} takes {head!r} from {origin[0]!r}: {why}")
        head = origin[1]
        claim = replace(claim, module=origin[0], qualname=f"{head}{dot}{rest}")
        result = _examine(claim, at)
        if isinstance(result, Found):
            return result
        found = result
    alike = closest(claim.qualname, sources.names(claim.module)) if "did you mean" not in found.message else ()
    return replace(found, message=found.message + did_you_mean(alike))


def _dotted(claim: Claim, sources: Sources) -> Lost | None:
    """Say how an object is written that stands behind a dot, as if it were a module; ``None`` if it is none."""
    if claim.qualname or not is_module_name(claim.module) or not sources.canonical(claim.module):
        return None
    parts = claim.module.split(".")
    known = next(n for n in range(len(parts), 0, -1) if sources.exists(".".join(parts[:n])))
    written = f"{'.'.join(parts[:known])}:{'.'.join(parts[known:])}"
    return Lost(reason=Reason.NO_MODULE, message=f"{claim.module!r} is no module: for the object write {written!r}")


def _origins(claim: Claim, sources: Sources) -> Sequence[tuple[str, str]]:
    """Return where the object may be defined: what is imported there, then what is inherited."""
    dotted = f"{claim.module}.{claim.qualname}"
    imported = sources.canonical(dotted)
    inherited = [origin for name in sources.answers(dotted)[:0:-1] if (origin := sources.canonical(name))]
    return [*([imported] if imported else []), *inherited]


@lru_cache(maxsize=4096)
def _examine(claim: Claim, at: State) -> Found | Lost:
    """Look for a claim's quote in one file."""
    try:
        source = scope.cached(at.path, at.mtime_ns, at.size)
    except OSError as error:
        return Lost(reason=Reason.NO_SOURCE, message=f"{at.path} cannot be read: {error.strerror}", path=at.path)
    except ValueError as error:
        return Lost(reason=Reason.UNPARSABLE, message=f"{at.path} cannot be parsed: {error}", path=at.path)
    scopes = source.scopes(claim.qualname)
    if not scopes:
        return _without_object(claim, source, at.path)
    ways = readings(claim.quote, prose=claim.prose)
    absent: tuple[str, int] | None = None
    for place in scopes:
        if found := _first(ways, place):
            line, end = found
            if claim.prose or not (words := absent_comment(claim.quote, place)):
                return Found(path=at.path, line=line, end_line=end, module=claim.module, qualname=claim.qualname)
            absent = absent or (words, line)
    if absent:
        return _without_comment(claim, *absent, at.path)
    return _drifted(claim, source, scopes, ways, at.path)


def _without_comment(claim: Claim, words: str, line: int, path: Path) -> Lost:
    """Say that quoted code is there, but not a comment in it."""
    spoken = f"{claim.module}:{claim.qualname}".rstrip(":")
    shown = words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"
    message = f"the quoted code is in line {line} of {spoken}, but not the comment {shown!r}"
    return Lost(reason=Reason.NOT_THERE, message=message, path=path, line=line)


def _first(ways: Sequence[Reading], place: Scope) -> tuple[int, int] | None:
    return next((found for way in ways if (found := way.find(place))), None)


def _drifted(claim: Claim, source: Source, scopes: Sequence[Scope], ways: Sequence[Reading], path: Path) -> Lost:
    """Say what is there instead of a quote."""
    spoken = f"{claim.module}:{claim.qualname}".rstrip(":")
    what = "words are" if claim.prose else "code is"
    if not ways:
        return Lost(
            reason=Reason.NOT_THERE, message=f"nothing is quoted from {spoken}", path=path, line=scopes[0].first
        )
    near = max(
        (found for place in scopes if (found := nearest(claim.quote, place))),
        key=lambda it: it.likeness,
        default=None,
    )
    notes = [
        *_goes_on(scopes, ways),
        *_elsewhere(claim, source, ways),
        *_in_longer(claim, scopes, ways),
        f"most like it is line {near.line}" if near else "nothing there is like it",
    ]
    return Lost(
        reason=Reason.NOT_THERE,
        message=f"the quoted {what} not in {spoken}: {'; '.join(notes)}",
        nearest=near.text if near else "",
        path=path,
        line=near.line if near else scopes[0].first,
    )


def _goes_on(scopes: Sequence[Scope], ways: Sequence[Reading]) -> list[str]:
    """Say that a statement is quoted in part."""
    parts = (way.part(place) for way in ways if isinstance(way, Statements) for place in scopes)
    return [
        f"the statement that ends the quote goes on after line {part[1]} (quote it whole, or up to its colon)"
        for part in parts
        if part
    ][:1]


def _elsewhere(claim: Claim, source: Source, ways: Sequence[Reading]) -> list[str]:
    """Say that a quote stands somewhere else in the module."""
    if not claim.qualname or not (found := _first(ways, source.scopes("")[0])):
        return []
    holder = source.holder(found[0])
    return [f"it is in line {found[0]}, in {claim.module}{':' if holder else ''}{holder}"]


def _in_longer(claim: Claim, scopes: Sequence[Scope], ways: Sequence[Reading]) -> list[str]:
    """Say that prose is quoted as code, or strings of which the source has more."""
    if claim.prose or _goes_on(scopes, ways) or not any(map(Prose(claim.quote).find, scopes)):
        return []
    if any(isinstance(way, Strings) for way in ways):
        return ["a string there says this and more (quote it whole, or quote its words as text)"]
    return ["its words are there (is it prose? then quote it as text)"]


def _without_object(claim: Claim, source: Source, path: Path) -> Lost:
    """Say that a module does not define an object, and which ones are named alike."""
    names = list(source.definitions)[:5000]
    last = claim.qualname.rpartition(".")[2]
    alike = closest(claim.qualname, names) or [name for name in names if name.rpartition(".")[2] == last][:3]
    elsewhere = _elsewhere(claim, source, readings(claim.quote, prose=claim.prose))
    return Lost(
        reason=Reason.NO_OBJECT,
        message="; the quote ".join(
            [f"module {claim.module!r} has no {claim.qualname!r}", *(it[3:] for it in elsewhere)]
        )
        + did_you_mean(alike),
        path=path,
        line=_line_of(elsewhere),
    )


def _line_of(notes: Sequence[str]) -> int:
    return next((int(found[1]) for note in notes if (found := re.search(r"line (\d+)", note))), 0)


def _without_source(module: str, sources: Sources) -> Lost:
    """Say what is missing: the package, a module in it, or only its source."""
    if module in sys.builtin_module_names:
        return Lost(reason=Reason.NO_SOURCE, message=f"module {module!r} is part of Python itself, it has no source")
    if not is_module_name(module):
        return Lost(reason=Reason.NO_MODULE, message=f"{module!r} is not the name of a module")
    above, known = "", module.split(".")
    for number, part in enumerate(known):
        name = f"{above}.{part}".lstrip(".")
        if not sources.exists(name):
            return _missing(name, above, sources) if number else _not_installed(name, sources)
        above = name
    what = sources.origin(module)
    is_packed = what is not None and what.endswith(".py")
    where = f"{'lies in an archive' if is_packed else 'is'} {what}" if what else "is a folder without code of its own"
    return Lost(reason=Reason.NO_SOURCE, message=f"module {module!r} has no Python source to read: it {where}")


def _not_installed(name: str, sources: Sources) -> Lost:
    alike = did_you_mean(closest(name, sources.modules("")))
    return Lost(reason=Reason.NO_PACKAGE, message=f"package {name!r} is not installed{alike}")


def _missing(name: str, above: str, sources: Sources) -> Lost:
    alike = did_you_mean(closest(name, (f"{above}.{child}" for child in sources.modules(above))))
    return Lost(reason=Reason.NO_MODULE, message=f"package {above!r} has no module {name!r}{alike}")
