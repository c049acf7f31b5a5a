"""Where a text differs from what it should be."""

from __future__ import annotations

import difflib
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How many lines after the first difference are looked at, and how many of each side are shown.
_WINDOW, _SHOWN = 40, 3


class Difference(NamedTuple):
    """The first place where a file differs from what it should hold."""

    #: Its line in the file, from 1.
    line: int
    #: The lines that are there (``- …``) and that should be (``+ …``), the first few of them.
    lines: tuple[str, ...]


def difference(found: str, wanted: str) -> Difference | None:
    """Return where *found* first differs from *wanted*, or ``None``."""
    if found == wanted:
        return None
    old, new = _lines(found), _lines(wanted)
    same = sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    lines = _changes(old[same : same + _WINDOW], new[same : same + _WINDOW])
    return Difference(line=max(1, min(same + 1, len(old))), lines=tuple(lines))


def _lines(text: str) -> list[str]:
    """Return lines, a missing end of the last one made visible."""
    *lines, last = text.split("\n")
    return [*lines, f"{last} (no line end)"] if last else lines


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yield the first group of lines that differ, those there before those wanted."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = (code for code in matcher.get_opcodes() if code[0] != "equal")
    # A last line may say itself what is said of a missing end.
    _tag, a, b, c, d = next(changed, ("replace", 0, len(old), 0, len(new)))
    for sign, lines in (("-", old[a:b]), ("+", new[c:d])):
        # One among others is seen by itself.
        blank = "" if any(line.strip() for line in lines) else "(an empty line)"
        yield from (f"{sign} {line.rstrip() or blank}".rstrip() for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"{sign} … ({len(lines) - _SHOWN} more)"


def unified(found: str, wanted: str, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends."""
    yield from difflib.unified_diff(_lines(found), _lines(wanted), name, f"{name} (from the pages)", lineterm="")
