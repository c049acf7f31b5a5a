"""The reach file: the reviewed list of places where heuristics show, against those of a build. Free of Sphinx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sphinxext_heuristics.files.project_file import ProjectFile
    from sphinxext_heuristics.resolve.plan import Plan

#: The lines above the list.
_HEAD = "# Where each heuristic shows by itself: its name and an API entry, one place a line.\n"


def places(plan: Plan) -> set[tuple[str, str]]:
    """Return each heuristic with each API entry that shows it."""
    return {(name, shown.name) for name, entries in plan.shown_in.items() for shown in entries}


def content(plan: Plan) -> str:
    """Return what the reach file should hold; the text ends each line with a line feed."""
    return _HEAD + "".join(f"{name} {entry}\n" for name, entry in sorted(places(plan)))


def is_reach_file(text: str, names: Container[str]) -> bool:
    """Return whether a text is a reach file, of heuristics among *names*: rewriting any other would destroy it."""
    known = (line.place[0] in names for line in listed(text) if line.place)
    return text.startswith(_HEAD) or not text.strip() or any(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of the file."""

    #: Its number, from 1.
    number: int
    #: The line, white space folded.
    text: str

    @property
    def place(self) -> tuple[str, str] | None:
        """The heuristic and the entry, or ``None`` if it is something else."""
        name, _space, entry = self.text.partition(" ")
        return (name, entry) if entry and " " not in entry else None


def listed(text: str) -> Iterator[Listed]:
    """Yield the lines of a reach file, comments and empty ones left out."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if folded := " ".join(line.partition("#")[0].split()):
            yield Listed(number=number, text=folded)


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield what the file lacks, lists in vain, or says otherwise; *file* says where it is and how it is written."""
    text = file.text(Subtype.REACH)
    if isinstance(text, Problem):
        yield text
        return
    lines = list(listed(text))
    yield from _of_lines(plan, file, lines)
    known = {line.place for line in lines}
    for name, entry in sorted(places(plan)):
        if (name, entry) not in known:
            record = plan.heuristics[name]
            yield Problem(
                subtype=Subtype.REACH,
                message=f"new place: {entry} shows {name!r}; confirm with `{file.command}`, or add it to `except`",
                source=record.source,
                line=record.line,
            )


def _of_lines(plan: Plan, file: ProjectFile, lines: list[Listed]) -> Iterator[Problem]:
    """Yield the problem of each line that says what is not so, or says it again."""
    shown = places(plan)
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        where = line.place
        if where is None:
            message = f"{line.text!r} is no place: a line has a heuristic's name and an API entry"
        elif where in seen:
            message = f"{line.text!r} stands in line {seen[where]} already"
        elif where in shown:
            seen[where] = line.number
            continue
        else:
            message = f"{_absent(plan, *where)}; to rewrite the file: {file.command}"
        yield Problem(subtype=Subtype.REACH, message=message, source=str(file.path), line=line.number)


def _absent(plan: Plan, name: str, entry: str) -> str:
    """Say why a place that is listed is none."""
    if name not in plan.heuristics:
        return f"listed in vain: there is no heuristic {name!r}{did_you_mean(closest(name, plan.heuristics, 1))}"
    entries = [shown.name for shown in plan.shown_in.get(name, ())]
    near = "" if entry in plan.entry_of else did_you_mean(closest(entry, entries, 1))
    return f"listed in vain: {entry} does not show {name!r}{near}"
