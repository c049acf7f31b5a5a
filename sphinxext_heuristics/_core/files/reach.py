"""The reach file: the reviewed list of places where heuristics show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.model import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics._core.files.project_file import ProjectFile
    from sphinxext_heuristics._core.resolve.plan import Plan

#: How the line above the list begins, by which a file is known as one.
HEAD = "# Where each heuristic shows"


def places(plan: Plan) -> set[tuple[str, str]]:
    """Return each heuristic with each API entry that shows it."""
    found: set[tuple[str, str]] = set()
    for name, entries in plan.shown_in.items():
        found.update((name, shown.name) for shown in entries)
    return found


def content(plan: Plan) -> str:
    """Return what the reach file should hold."""
    head = f"{HEAD} by itself: its name and an API entry, one place a line.\n"
    return head + "".join(f"{name} {entry}\n" for name, entry in sorted(places(plan)))


def listed(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a reach file with their numbers from 1.

    White space is folded, and comments are left out.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if folded := " ".join(line.partition("#")[0].split()):
            yield number, folded


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield what the file lacks, and its stale entries."""
    text = file.text(Subtype.REACH)
    if isinstance(text, Problem):
        yield text
        return
    shown = places(plan)
    lines = set()
    for number, line in listed(text):
        name, _space, entry = line.partition(" ")
        lines.add((name, entry))
        if (name, entry) not in shown:
            message = (
                f"stale entry: {_absent(plan, name, entry)}; to rewrite the file: "
                f"{file.command}"
            )
            yield file.problem(Subtype.REACH, message, number)
    for name, entry in sorted(shown - lines):
        message = (
            f"new place: {entry} shows {name!r}; confirm with `{file.command}`, "
            f"or add it to `except`"
        )
        yield Problem.at(plan.heuristics[name], Subtype.REACH, message)


def _absent(plan: Plan, name: str, entry: str) -> str:
    """Return why a place that is listed is none."""
    if name not in plan.heuristics:
        near = did_you_mean(closest(name, plan.heuristics, 1))
        return f"no heuristic is named {name!r}{near}"
    entries = [shown.name for shown in plan.shown_in.get(name, ())]
    near = "" if entry in plan.entry_of else did_you_mean(closest(entry, entries, 1))
    return f"{entry} does not show {name!r}{near}"
