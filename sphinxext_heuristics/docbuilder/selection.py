"""The selection: a file with a line for each alert that a maintainer has chosen.

Below a line, indented, may be a text for that place. A line behind ``#`` is an alert
that was looked at and is not wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .cards import AlertPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_HEAD = """\
# The alerts that are shown, a line each: the heuristic, the object, and the parameter
# whose description it stands in. Put # in front of what you do not want. Indented lines
# below one are a text for that place: it replaces the note, and what is **bold** at its
# begin replaces the title.
"""


@dataclass
class Selection:
    """What a maintainer has chosen."""

    #: The file; ``None`` if there is none, and all is shown that may be.
    file: Path | None = None
    #: The places that are shown, each with its line in the file, from 1.
    lines: dict[AlertPlace, int] = field(default_factory=dict)
    #: AlertPlace → its own text, of one line.
    texts: dict[AlertPlace, str] = field(default_factory=dict)
    #: The places that are not wanted, each with its line.
    unwanted: dict[AlertPlace, int] = field(default_factory=dict)
    #: What is wrong with the file, a line each.
    faults: list[str] = field(default_factory=list)

    @property
    def chosen(self) -> dict[AlertPlace, str] | None:
        """The places that are shown, each with its text or ``""``; ``None``: all."""
        if self.file is None:
            return None
        return {place: self.texts.get(place, "") for place in self.lines}

    def undecided(self, places: Iterable[AlertPlace]) -> Iterator[AlertPlace]:
        """Yield those of some places that the file does not know."""
        for place in places if self.file else ():
            if place not in self.lines and place not in self.unwanted:
                yield place

    def written(self, allowed: Iterable[AlertPlace]) -> Iterator[str]:
        """Yield the lines of the file: all that is allowed, and all that is decided."""
        places = dict.fromkeys([*allowed, *self.lines, *self.unwanted])
        yield from _HEAD.splitlines()
        last = ""
        for place in sorted(places, key=lambda it: it.object):
            if place.object != last:
                yield ""
                last = place.object
            yield f"# {place}" if place in self.unwanted else str(place)
            if text := self.texts.get(place):
                yield f"    {text}"


def read_selection(file: Path) -> Selection:
    """Return what a file says; one that does not exist says nothing."""
    selection = Selection(file)
    text = file.read_text("utf-8") if file.exists() else ""
    place: AlertPlace | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.lstrip("# ").split()
        is_comment = line.startswith("#")
        if line[:1].isspace() and words and place:
            before = selection.texts.get(place, "")
            selection.texts[place] = f"{before} {' '.join(words)}".strip()
        elif len(words) in {2, 3} and "." in words[1]:
            place = AlertPlace(*words)
            if is_comment:
                selection.unwanted[place] = number
            else:
                selection.lines[place] = number
        elif words and not is_comment:
            selection.faults.append(
                f"{file}:{number}: expected NAME OBJECT [PARAMETER], found {line!r}"
            )
    return selection
