"""The reach file: the reviewed list of places where heuristics show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, counted, did_you_mean
from ..problems import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..resolve.plan import Plan
    from .project_file import ProjectFile

#: How the line above the list begins, by which a file is known as one.
HEAD = "# Where each heuristic shows"

#: What a line begins with whose entry has the name of a target and is another object.
_NOT = "not "


def content(plan: Plan) -> str:
    """Return what the reach file should hold."""
    head = f"{HEAD} by itself: its name and an API entry, one place a line.\n"
    return head + "".join(f"{line}\n" for line in _lines(plan))


def rows(plan: Plan) -> list[dict[str, object]]:
    """Return the lines of the file for programs."""
    return [place._asdict() for place in _lines(plan).values()]


class _Listed(NamedTuple):
    """What a line of the file says."""

    heuristic: str
    entry: str
    shown: bool


def _lines(plan: Plan) -> dict[str, _Listed]:
    """Map each line of the file to what it says: places, then what is none."""
    places: dict[str, _Listed] = {}
    others: dict[str, _Listed] = {}
    for name, record in sorted(plan.catalogue.heuristics.items()):
        entries = {shown.name for shown in plan.placing.shown_in.get(name, ())}
        for entry in sorted(entries):
            places[f"{name} {entry}"] = _Listed(name, entry, shown=True)
        for entry in sorted(plan.meanings.namesakes(record)):
            others[f"{_NOT}{name} {entry}"] = _Listed(name, entry, shown=False)
    return places | others


def problems(plan: Plan, file: ProjectFile) -> Iterator[Problem]:
    """Yield what the file lacks, and its stale entries.

    White space in it is folded, and comments are left out.
    """
    text = file.text(Subtype.REACH)
    if isinstance(text, Problem):
        yield text
        return
    wanted = _lines(plan)
    found = set()
    #: Why lines are stale → their numbers: one cause is one finding.
    stale: dict[str, list[int]] = {}
    for number, written in enumerate(text.split("\n"), 1):
        line = " ".join(written.partition("#")[0].split())
        former = _named_in(line)
        if name := _new_name(plan, former):
            stale.setdefault(f"{former!r} is {name!r} now", []).append(number)
            line = line.replace(f"{former} ", f"{name} ", 1)
        found.add(line)
        if line and line not in wanted and not _is_unsettled(plan, _named_in(line)):
            stale.setdefault(_absent(plan, line), []).append(number)
    for why, numbers in stale.items():
        more = f" (and {counted(len(numbers) - 1, 'more line')})" if numbers[1:] else ""
        message = f"stale entry: {why}{more}; to rewrite the file: {file.command}"
        yield file.problem(Subtype.REACH, message, numbers[0])
    for line, place in wanted.items():
        if line not in found and not _is_unsettled(plan, place.heuristic):
            news, change = _new(place)
            message = f"{news}; confirm with `{file.command}`, or {change}"
            record = plan.catalogue.heuristics[place.heuristic]
            yield Problem.at(record, Subtype.REACH, message)


def _named_in(line: str) -> str:
    """Return the heuristic that a line of the file names."""
    return line.removeprefix(_NOT).partition(" ")[0]


def _new_name(plan: Plan, name: str) -> str:
    """Return what a heuristic is named now, if it had a former name."""
    record = plan.catalogue.by_name.get(name)
    return record.name if record and record.name != name else ""


def _is_unsettled(plan: Plan, name: str) -> bool:
    """Return whether a heuristic has a target at fault: that is a finding already."""
    record = plan.catalogue.heuristics.get(name)
    return record is not None and plan.meanings.has_fault(record)


def _new(place: _Listed) -> tuple[str, str]:
    """Return what a line says that the file lacks, and how to make it untrue."""
    name, entry, shown = place
    if shown:
        return f"new place: {entry} shows {name!r}", "add it to `except`"
    news = (
        f"new namesake: {entry} has the name of a target of {name!r}, is another "
        "object and does not show it"
    )
    return news, f"add {entry!r} to `impl`"


def _absent(plan: Plan, line: str) -> str:
    """Return why a line of the file is not true."""
    name, _space, entry = line.removeprefix(_NOT).partition(" ")
    if name not in plan.catalogue.heuristics:
        near = did_you_mean(closest(name, plan.catalogue.heuristics, 1))
        return f"no heuristic is named {name!r}{near}"
    if reason := plan.placing.withheld(plan.catalogue.heuristics[name]):
        return f"{name!r} is shown nowhere automatically: {reason}"
    if line.startswith(_NOT):
        identity = plan.meanings.objects.identity
        for listed in plan.meanings.namesakes(plan.catalogue.heuristics[name]):
            if identity(listed) == identity(entry):
                return f"{entry} is the object of {listed}, which has a line"
        return f"{entry} is no other object with the name of a target of {name!r}"
    entries = [shown.name for shown in plan.placing.shown_in.get(name, ())]
    near = (
        ""
        if entry in plan.catalogue.entry_of
        else did_you_mean(closest(entry, entries, 1))
    )
    return f"{entry} does not show {name!r}{near}"
