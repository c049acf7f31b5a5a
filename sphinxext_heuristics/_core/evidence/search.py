"""Look for quotes in installed source, and say what is there instead of a lost one."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from contextlib import suppress
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, did_you_mean
from ..model import Found, Lost, LostReason, Message
from ..source.names import File, read_names
from .code import Code
from .messages import among, in_quote, messages_in
from .prose import Prose, missing_comment
from .source import Source, read_source, without_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Evidence
    from ..source.names import State
    from ..source.packages import Sources
    from .source import Extent, Lines

#: No passage is longer: it is to be read in a warning.
MOST_LINES = 12
#: How many passages are compared letter by letter, those that share the most words, and
#: how many letters of each.
MOST_COMPARED, MOST_LETTERS = 8, 1500
#: A passage that is less like the quote is not shown.
LEAST_LIKE = 0.4

_WORD = re.compile(r"\w+|[^\w\s]")


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
    near, where = _nearest_of(quoted, places), ""
    if near is None and quoted.qualname:
        near, where = _nearest_of(quoted, [source.whole]), " in the module"
    notes = list(_mistakes(quoted, places))
    if quoted.qualname and (lines := _lines(quoted, [source.whole])):
        notes.append(f"it is in line {lines[0]}")
    if lines := _in_any_case(quoted, source):
        notes.append(f"line {lines[0]} differs only in upper and lower case")
    elif near:
        notes.append(f"closest match{where}: line {near.line}")
    else:
        notes.append("nothing there is like it")
    what = "words are" if quoted.prose else "code is"
    return Lost(
        LostReason.NOT_THERE,
        f"the quoted {what} not in {quoted.object}: {'; '.join(notes)}",
        nearest=near.text if near else "",
        path=at.path,
        line=near.line if near else places[0].first,
    )


def _in_any_case(quoted: Evidence, source: Source) -> Lines | None:
    """Return where a quote is if the case of letters does not matter, or ``None``."""
    with suppress(ValueError, RecursionError):
        folded = Source(File.of("\n".join(source.whole.text).casefold()))
        places = folded.places(quoted.qualname.casefold())
        return _lines(quoted._replace(quote=quoted.quote.casefold()), places)
    return None


def _mistakes(quoted: Evidence, places: Sequence[Extent]) -> Iterator[str]:
    """Yield what an author may have done wrong in quoting code."""
    if quoted.prose:
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
    members = {*known.members()}
    names = {*members, *known.bindings} - {quoted.qualname}
    last = f".{quoted.qualname.rpartition('.')[2]}"
    alike = sorted(name for name in names if name.endswith(last))
    alike = alike or [*closest(quoted.qualname, names)]
    line, _end = _lines(quoted, [source.whole]) or (0, 0)
    there = f"; the quote is in line {line}" if line else ""
    # The class of a method that is gone tells nobody where it went.
    holder = source.holder(
        line,
        (name for name in members if not f"{quoted.qualname}.".startswith(f"{name}.")),
    )
    if holder:
        alike = [holder, *(name for name in alike if name != holder)]
        holder = f"{quoted.module}.{holder}"
    message = (
        f"module {quoted.module!r} has no "
        f"{quoted.qualname!r}{there}{did_you_mean(alike[:3])}"
    )
    return Lost(LostReason.NO_OBJECT, message, path=at.path, line=line, holder=holder)


# -- the passage that is now most like a quote ----------------------------------------


class Nearest(NamedTuple):
    """A passage that is like a quote: from 0, nothing in common, to 1, equal."""

    likeness: float
    line: int
    text: str


def _nearest_of(quoted: Evidence, places: Sequence[Extent]) -> Nearest | None:
    """Return the passage of several places that is most like a quote."""
    found = [nearest(quoted.quote, place) for place in places]
    return max(filter(None, found), default=None)


def nearest(quote: str, place: Extent) -> Nearest | None:
    """Return the passage most like a quote, however the lines of either are broken.

    Case does not matter. One that could be quoted as code is better than any other.
    """
    compared = _compared(quote, place)
    alike = [near for near in compared if near.likeness >= LEAST_LIKE]
    alike.sort(key=lambda near: (-near.likeness, near.line))
    whole = (near for near in alike if _is_code_of(place, near.text))
    return next(whole, next(iter(alike), None))


def _is_code_of(place: Extent, text: str) -> bool:
    """Return whether a passage is found as code: it is whole, and of one block."""
    try:
        return Code(text).find(place) is not None
    except ValueError:
        return False


class _Start(NamedTuple):
    """A line where a passage may begin."""

    #: How many words it shares with a quote.
    shared: int
    #: The line, from 0.
    line: int


def _compared(quote: str, place: Extent) -> Iterator[Nearest]:
    """Compare a quote with the passages that share the most words with it.

    They have as many lines as it or a few more, or are a statement.
    """
    size = min(sum(bool(line.strip()) for line in quote.split("\n")), MOST_LINES)
    words = Counter(_words(quote))
    counted = [
        Counter(word for word in _words(line) if word in words) for line in place.text
    ]
    starts: list[_Start] = []
    for at, line in enumerate(place.text):
        shared = (sum(counted[at : at + size], Counter()) & words).total()
        if shared and line.strip():
            starts.append(_Start(shared, at))
    statements = _statements_by_line(place)
    matcher = SequenceMatcher(b=_compared_letters(quote), autojunk=False)
    for start in nsmallest(MOST_COMPARED, starts, key=lambda it: (-it.shared, it.line)):
        lengths = {*range(size, size + 4), *statements.get(start.line, ())}
        for length in sorted(it for it in lengths if it <= MOST_LINES):
            text = "\n".join(place.text[start.line : start.line + length])
            passage = textwrap.dedent(text).strip("\n")
            matcher.set_seq1(_compared_letters(text))
            yield Nearest(matcher.ratio(), place.first + start.line, passage)


def _statements_by_line(place: Extent) -> dict[int, list[int]]:
    """Map lines, from 0, to the numbers of lines of the statements that begin there."""
    found: dict[int, list[int]] = {}
    for node in ast.walk(place.tree):
        if isinstance(node, ast.stmt):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            found.setdefault(node.lineno - place.first, []).append(length)
    return found


def _words(text: str) -> list[str]:
    """Return the words of a text, in one case."""
    return _WORD.findall(text.casefold())


def _compared_letters(text: str) -> str:
    """Return what is compared of a text letter by letter."""
    return " ".join(text.casefold().split())[:MOST_LETTERS]


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
