"""The reach file: the reviewed list of places where heuristics show, against those of a build. Free of Sphinx."""

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
    return {
        (name, shown.name)
        for name, entries in plan.shown_in.items()
        for shown in entries
    }


def content(plan: Plan) -> str:
    """Return what the reach file should hold; the text ends each line with a line feed."""
    head = f"{HEAD} by itself: its name and an API entry, one place a line.\n"
    return head + "".join(f"{name} {entry}\n" for name, entry in sorted(places(plan)))


def listed(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a reach file with their numbers from 1, white space folded; comments are left out."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if folded := " ".join(line.partition("#")[0].split()):
            yield number, folded


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield what the file lacks, and its stale entries; *file* says where it is and how it is written."""
    text = file.text(Subtype.REACH)
    if isinstance(text, Problem):
        yield text
        return
    lines, shown = (
        list(listed(text)),
        {f"{name} {entry}": (name, entry) for name, entry in sorted(places(plan))},
    )
    for number, line in lines:
        if line not in shown:
            message = (
                f"stale entry: {_absent(plan, line)}; to rewrite the file: "
                f"{file.command}"
            )
            yield file.problem(Subtype.REACH, message, number)
    for line in shown.keys() - {line for _number, line in lines}:
        name, entry = shown[line]
        message = (
            f"new place: {entry} shows {name!r}; confirm with `{file.command}`, "
            f"or add it to `except`"
        )
        yield Problem.at(plan.heuristics[name], Subtype.REACH, message)


def _absent(plan: Plan, line: str) -> str:
    """Return why a place that is listed is none."""
    name, _space, entry = line.partition(" ")
    if name not in plan.heuristics:
        return (
            f"no heuristic is named "
            f"{name!r}{did_you_mean(closest(name, plan.heuristics, 1))}"
        )
    entries = [shown.name for shown in plan.shown_in.get(name, ())]
    near = "" if entry in plan.entry_of else did_you_mean(closest(entry, entries, 1))
    return f"{entry} does not show {name!r}{near}"
