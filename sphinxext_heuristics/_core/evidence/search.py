"""Look for quotes in installed source, and say what is there instead of a lost one."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, did_you_mean
from ..model import Found, Lost, LostReason, Message
from ..source.names import read_names
from .code import Code
from .messages import among, changes, in_quote, messages_in
from .nearest import Nearest, closeness, code_like, prose_like
from .prose import Prose, missing_comment
from .source import Source, read_source, without_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Evidence
    from ..source.names import State
    from ..source.packages import Sources
    from .source import Extent, Lines

#: What is less like the quote is not proposed: tried with 60 quotes that six packages
#: lost in a later release.
LEAST_LIKE = 0.7
#: The same for another object, whose code often differs in a name or a string alone; if
#: it gives the quoted messages, `LEAST_LIKE` is enough.
LEAST_MOVED = 0.95
#: How much more like the quote another object's passage must be.
MUCH_BETTER = 0.1


def verify(quoted: Evidence, sources: Sources) -> Found | Lost:
    """Look for a quote in the source of its object.

    Nothing is imported or raised, whatever is quoted. An object that its module
    imports, or its class inherits, is read where it is defined. What was found is
    remembered: a file is read again when its time or its size has changed.
    """
    at = sources.state(quoted.module)
    if at is None:
        return without_source(quoted, sources)
    result = _examine(quoted, at)
    if isinstance(result, Found) or result.reason is not LostReason.NO_OBJECT:
        return result
    # Only where the object is not in it is any other file looked for.
    for module, qualname in sources.locate(f"{quoted.module}.{quoted.qualname}")[-1:]:
        if at := sources.state(module):
            found = quoted._replace(module=module, qualname=qualname)
            result = _examine(found, at)
            if isinstance(result, Lost):
                both = f"{quoted.object}, which is {found.object}"
                message = result.message.replace(found.object, both, 1)
                result = result._replace(message=message)
    return result


@lru_cache(maxsize=4096)
def _examine(quoted: Evidence, at: State) -> Found | Lost:
    """Look for a quote in one file."""
    try:
        source = read_source(at)
        places = source.places(quoted.qualname)
        if not places:
            return _without_object(quoted, source, at)
        if lines := _lines(quoted, places):
            return Found(at.path, *lines, quoted.module, quoted.qualname)
        return _drifted(quoted, source, places, at)
    except OSError as error:
        reason = LostReason.NO_SOURCE
        message = f"{at.path} cannot be read: {error.strerror}"
    except (ValueError, RecursionError) as error:
        reason = LostReason.UNPARSABLE
        message = f"{at.path} cannot be parsed: {error}"
    return Lost(reason, message, path=at.path)


@lru_cache(maxsize=64)
def parsed(quoted: Evidence) -> Code | Prose:
    """Return what is quoted, ready to be looked for.

    Raises `ValueError` with line and reason if it is code that does not parse.
    """
    return Prose(quoted.quote) if quoted.prose else Code(quoted.quote)


def _lines(quoted: Evidence, places: Sequence[Extent]) -> Lines | None:
    """Return where a quote is with its comments; ``None`` if it does not parse."""
    with suppress(ValueError):
        for place in places:
            lines = parsed(quoted).find(place)
            if lines and (quoted.prose or not missing_comment(quoted.quote, place)):
                return lines
    return None


def _drifted(
    quoted: Evidence, source: Source, places: Sequence[Extent], at: State
) -> Lost:
    """Say what is there instead of a quote."""
    own = next(_alike(quoted, places), None)
    moved = _better(quoted, own, source, at)
    notes = list(_mistakes(quoted, places))
    if moved:
        is_in = "it is in" if moved.is_exact else "closest match:"
        notes.append(f"{is_in} {moved.where(quoted)}")
    if own and (moved is None or moved.is_exact):
        notes.append(f"closest match: line {own.line}")
    elif moved is None:
        notes.append("nothing there is like it")
    near = moved.near if moved else own
    if near and near.words and not quoted.prose:
        notes.append("quote words with the flag ':text:'")
    what = "words are" if quoted.prose else "code is"
    return Lost(
        LostReason.NOT_THERE,
        f"the quoted {what} not in {quoted.object}: {'; '.join(notes)}",
        nearest=near.text if near else "",
        path=at.path,
        line=near.line if near else places[0].first,
        holder=moved.holder(quoted, source) if moved else "",
        words=near.words if near else "",
        changes=_changes(quoted, near),
    )


def _better(
    quoted: Evidence, own: Nearest | None, source: Source, at: State
) -> _Moved | None:
    """Return what other objects have that is better than the named one's *own*."""
    moved = _moved(quoted, source, at) if quoted.qualname else None
    if moved is None or moved.is_exact:
        return moved
    least = own.likeness + MUCH_BETTER if own and not _changes(quoted, own) else 0
    return moved if moved.near.likeness >= least else None


def _alike(quoted: Evidence, places: Sequence[Extent]) -> Iterator[Nearest]:
    """Yield the passages that are like a quote, the closest first.

    What is no code may be words that lack a flag.
    """
    kinds = [prose_like] if quoted.prose else [code_like]
    try:
        parsed(quoted)
    except ValueError:
        kinds.append(prose_like)
    found = [
        like(quoted.quote, place, LEAST_LIKE) for place in places for like in kinds
    ]
    return merge(*found, key=closeness)


class _Moved(NamedTuple):
    """A passage of other objects than the one that is named."""

    #: Without a text where it is what is quoted.
    near: Nearest
    #: The qualified names of the innermost objects that have it, ``""`` for the module.
    names: list[str]

    @property
    def is_exact(self) -> bool:
        """Return whether it is what is quoted."""
        return not self.near.text

    def where(self, quoted: Evidence) -> str:
        """Return its line and its objects in words."""
        objects = [quoted._replace(qualname=name).object for name in self.names]
        more = f", and in {' and '.join(objects[1:3])}" if objects[1:] else ""
        return f"line {self.near.line}, in {objects[0]}{more}"

    def holder(self, quoted: Evidence, source: Source) -> str:
        """Return the one object that it moved to, or ``""``.

        Of several, none is the one; and the same line in an object that has nothing to
        do with the named one may have been there before.
        """
        name, *others = self.names
        if others or (self.is_exact and not source.leads_to(quoted.qualname, name)):
            return ""
        return quoted._replace(qualname=name).object


def _moved(quoted: Evidence, source: Source, at: State) -> _Moved | None:
    """Return what other objects of the module have of a quote."""
    members = [*read_names(at, quoted.module).members()]
    if lines := _lines(quoted, [source.whole]):
        exact = Nearest(1, lines[0], "")
        each = [_lines(quoted, source.places(name)) for name in members]
        found = [source.holder(it[0], members) for it in (lines, *each) if it]
        return _Moved(exact, [*dict.fromkeys(found)])
    least = LEAST_LIKE if in_quote(quoted) else LEAST_MOVED
    for near in _alike(quoted, [source.whole]):
        if near.likeness < least:
            break
        if not _changes(quoted, near):
            return _Moved(near, [source.holder(near.line, members)])
    return None


def _changes(quoted: Evidence, near: Nearest | None) -> tuple[str, ...]:
    """Return in words which quoted messages are others in a passage."""
    return changes(quoted, near.text) if near and near.text else ()


def _mistakes(quoted: Evidence, places: Sequence[Extent]) -> Iterator[str]:
    """Yield what an author may have done wrong in quoting code."""
    if quoted.prose:
        with suppress(ValueError):
            if any(map(Code(quoted.quote).find, places)):
                yield "it is code there: quote it without the flag ':text:'"
        return
    try:
        Code(quoted.quote)
    except ValueError as error:
        yield f"it does not parse ({error}): quote whole statements"
    absent = [missing_comment(quoted.quote, place) for place in places]
    if all(absent):
        yield f"the comment {absent[0]!r} is not there"
    if "..." in map(str.strip, quoted.quote.split("\n")):
        yield "'...' is compared literally: use two quotes instead"
    if any(map(Prose(quoted.quote).find, places)):
        yield "its words are there: quote them with the flag ':text:'"


def _without_object(quoted: Evidence, source: Source, at: State) -> Lost:
    """Say that a module does not define an object, and which names are similar."""
    known = read_names(at, quoted.module)
    names = {*known.members(), *known.bindings} - {quoted.qualname}
    last = f".{quoted.qualname.rpartition('.')[2]}"
    alike = sorted(name for name in names if name.endswith(last))
    alike = alike or [*closest(quoted.qualname, names)]
    moved, there = _moved(quoted, source, at), ""
    if moved:
        is_in = "the quote is in" if moved.is_exact else "closest match:"
        there = f"; {is_in} line {moved.near.line}"
        # The class of a method that is gone tells nobody where it went.
        is_new = not f"{quoted.qualname}.".startswith(f"{moved.names[0]}.")
        if moved.names[0] and is_new:
            alike = [*dict.fromkeys([moved.names[0], *alike])]
    message = (
        f"module {quoted.module!r} has no "
        f"{quoted.qualname!r}{there}{did_you_mean(alike[:3])}"
    )
    if moved is None:
        return Lost(LostReason.NO_OBJECT, message, path=at.path)
    return Lost(
        LostReason.NO_OBJECT,
        message,
        nearest=moved.near.text,
        path=at.path,
        line=moved.near.line,
        holder=moved.holder(quoted, source),
        words=moved.near.words,
        changes=_changes(quoted, moved.near),
    )


def messages_of(
    evidence: Evidence, result: Found | Lost, sources: Sources
) -> tuple[Message, ...]:
    """Return the messages of errors and warnings that are quoted.

    Where the source has more of one than the quote, it is whole.
    """
    if isinstance(result, Found) and (at := sources.state(result.module)):
        with suppress(OSError, ValueError, RecursionError):
            return among(_messages_at(at), result.line, result.end_line)
    return in_quote(evidence)


@lru_cache(maxsize=1024)
def _messages_at(at: State) -> list[tuple[Message, list[Lines]]]:
    """Return all messages of a file, which may have as many quotes.

    Its syntax tree is not kept.
    """
    return messages_in(read_source(at).whole.tree)
