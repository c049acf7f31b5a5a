"""Look for quotes in installed source, and remember those that were found from one build to the next."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from contextlib import suppress
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.evidence.code import Code
from sphinxext_heuristics._core.evidence.messages import in_lines, in_quote
from sphinxext_heuristics._core.evidence.prose import Prose, missing_comment
from sphinxext_heuristics._core.evidence.source import read, whereabouts
from sphinxext_heuristics._core.model import Found, Lost, LostReason, Message
from sphinxext_heuristics._core.source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinxext_heuristics._core.evidence.source import Place, Source
    from sphinxext_heuristics._core.model import Evidence
    from sphinxext_heuristics._core.source.names import State
    from sphinxext_heuristics._core.source.packages import Sources

#: How much of a comment a message repeats.
_MAX_WORDS = 60

#: No passage is longer: it is to be read in a warning.
MOST_LINES = 12
#: How many passages are compared letter by letter, those that share the most words, and
#: how many letters of each.
MOST_COMPARED, MOST_LETTERS = 8, 1500
#: A passage that is less like the quote is not shown.
LEAST_LIKE = 0.4

_WORD = re.compile(r"\w+|[^\w\s]")


def verify(quoted: Evidence, sources: Sources) -> Found | Lost:
    """Look for a quote in the source of its object; nothing is imported or raised, whatever is quoted.

    An object that its module imports, or its class inherits, is read where it is
    defined. What was found is remembered: a file is read again when its time or its
    size has changed.
    """
    result: Found | Lost
    for at in whereabouts(quoted, sources):
        result = at if isinstance(at, Lost) else _examine(*at)
        if isinstance(result, Found) or result.reason is not LostReason.NO_OBJECT:
            break
    return result


@lru_cache(maxsize=4096)
def _examine(quoted: Evidence, at: State) -> Found | Lost:
    """Look for a quote in one file."""
    try:
        source = read(at)
        places = source.places(quoted.qualname)
        result = (
            _found(quoted, places, at)
            if places
            else _without_object(quoted, source, at)
        )
        return result or _drifted(quoted, source, places, at)
    except OSError as error:
        reason, message = (
            LostReason.NO_SOURCE,
            f"{at.path} cannot be read: {error.strerror}",
        )
    except (ValueError, RecursionError) as error:
        reason, message = LostReason.UNPARSABLE, f"{at.path} cannot be parsed: {error}"
    return Lost(reason=reason, message=message, path=at.path)


@lru_cache(maxsize=64)
def parsed(quoted: Evidence) -> Code | Prose:
    """Return what is quoted, ready to be looked for.

    Raises `ValueError` with line and reason if it is code that does not parse.
    """
    return Prose(quoted.quote) if quoted.prose else Code(quoted.quote)


def _found(quoted: Evidence, places: Sequence[Place], at: State) -> Found | Lost | None:
    """Return where a quote is, or that only its comments are missing, or ``None``."""
    lost = None
    for place in places:
        if lines := _lines(quoted, place):
            absent = "" if quoted.prose else missing_comment(quoted.quote, place)
            if not absent:
                line, end_line = lines
                return Found(
                    path=at.path,
                    line=line,
                    end_line=end_line,
                    module=quoted.module,
                    qualname=quoted.qualname,
                )
            shown = absent if len(absent) <= _MAX_WORDS else f"{absent[:_MAX_WORDS]}…"
            message = (
                f"the quoted code is in line {lines[0]} of {quoted.object}, but "
                f"not the comment {shown!r}"
            )
            lost = lost or Lost(
                reason=LostReason.NOT_THERE,
                message=message,
                path=at.path,
                line=lines[0],
            )
    return lost


def _lines(quoted: Evidence, place: Place) -> tuple[int, int] | None:
    """Return where a quote is, whatever its comments; ``None`` also if it does not parse."""
    with suppress(ValueError):
        return parsed(quoted).find(place)
    return None


def _drifted(
    quoted: Evidence, source: Source, places: Sequence[Place], at: State
) -> Lost:
    """Say what is there instead of a quote."""
    near = max(
        filter(None, (nearest(quoted.quote, place) for place in places)), default=None
    )
    notes = [
        *_mistakes(quoted, places, near),
        *(
            f"it is {where}"
            for where, _line in _elsewhere(quoted, source)
            if quoted.qualname
        ),
        f"closest match: line {near.line}" if near else "nothing there is like it",
    ]
    what = "words are" if quoted.prose else "code is"
    return Lost(
        reason=LostReason.NOT_THERE,
        message=f"the quoted {what} not in {quoted.object}: {'; '.join(notes)}",
        nearest=near.text if near else "",
        path=at.path,
        line=near.line if near else places[0].first,
    )


def _mistakes(
    quoted: Evidence, places: Sequence[Place], near: Nearest | None
) -> Iterator[str]:
    """Yield what an author may have done wrong in quoting code."""
    if quoted.prose:
        return
    is_said = any(map(Prose(quoted.quote).find, places))
    try:
        Code(quoted.quote)
        if near and near.likeness == 1 and not is_said:
            end = near.line + near.text.count("\n")
            yield (
                f"the statement that ends the quote goes on after line {end} "
                f"(quote it whole, or up to its colon)"
            )
    except ValueError as error:
        yield f"it does not parse ({error}): quote whole statements"
    if "..." in map(str.strip, quoted.quote.split("\n")):
        yield "'...' is compared literally: use two quotes instead"
    if is_said:
        yield "its words are there: quote them as text"


def _elsewhere(quoted: Evidence, source: Source) -> Iterator[tuple[str, int]]:
    """Yield where in the module a quote is, in words and as a line."""
    if lines := _lines(quoted, source.places("")[0]):
        holder = source.holder(lines[0])
        yield (
            f"in line {lines[0]}, in {quoted.module}{':' if holder else ''}{holder}",
            lines[0],
        )


def _without_object(quoted: Evidence, source: Source, at: State) -> Lost:
    """Say that a module does not define an object, and which ones have similar names."""
    imports = (node for node in ast.walk(source.tree) if isinstance(node, ast.alias))
    names = [*source.definitions, *(alias.asname or alias.name for alias in imports)]
    last = quoted.qualname.rpartition(".")[2]
    alike = (
        closest(quoted.qualname, names)
        or [name for name in names if name.rpartition(".")[2] == last][:3]
    )
    where, line = next(_elsewhere(quoted, source), ("", 0))
    there = f"; the quote is {where}" if where else ""
    message = (
        f"module {quoted.module!r} has no "
        f"{quoted.qualname!r}{there}{did_you_mean(alike)}"
    )
    return Lost(reason=LostReason.NO_OBJECT, message=message, path=at.path, line=line)


# -- the passage that is now most like a quote ----------------------------------------


class Nearest(NamedTuple):
    """A passage that is like a quote: from 0, nothing in common, to 1, equal."""

    likeness: float
    line: int
    text: str


def nearest(quote: str, place: Place) -> Nearest | None:
    """Return the passage most like a quote, however the lines of either are broken, or ``None`` if none is."""
    try:
        usual = ast.unparse(parse(textwrap.dedent(quote)))
    except (ValueError, RecursionError):
        usual = quote
    found = [
        near
        for text in {quote: 0, usual: 0}
        for near in _compared(text, place)
        if near.likeness >= LEAST_LIKE
    ]
    return max(found, key=lambda near: (near.likeness, -near.line), default=None)


def _compared(quote: str, place: Place) -> Iterator[Nearest]:
    """Compare a quote with the passages that share the most words with it, from its number of lines to a few more."""
    size = min(sum(bool(line.strip()) for line in quote.split("\n")), MOST_LINES)
    words = Counter(_WORD.findall(quote))
    counted = [
        Counter(word for word in _WORD.findall(line) if word in words)
        for line in place.text
    ]
    shared = [
        ((sum(counted[at : at + size], Counter()) & words).total(), -at)
        for at, line in enumerate(place.text)
        if line.strip()
    ]
    matcher = SequenceMatcher(b=" ".join(quote.split())[:MOST_LETTERS], autojunk=False)
    for count, at in nlargest(MOST_COMPARED, shared):
        for end in range(size, min(size + 4, MOST_LINES + 1)) if count else ():
            text = "\n".join(place.text[-at : end - at])
            matcher.set_seq1(" ".join(text.split())[:MOST_LETTERS])
            yield Nearest(
                matcher.ratio(), place.first - at, textwrap.dedent(text).strip("\n")
            )


def said(
    evidence: Evidence, result: Found | Lost, sources: Sources
) -> tuple[Message, ...]:
    """Return the messages of errors and warnings that are quoted, whole where the source has more of them."""
    # What was found has been read just now, and is not read again.
    if isinstance(result, Found) and (there := sources.state(result.module)):
        with suppress(OSError, ValueError, RecursionError):
            return in_lines(read(there).tree, result.line, result.end_line)
    return in_quote(evidence)
