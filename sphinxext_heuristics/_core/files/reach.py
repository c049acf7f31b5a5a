"""The reach file: the reviewed list of places where heuristics show."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, counted, did_you_mean
from ..problems import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..resolve.plan import Plan
    from .project_file import ProjectFile

#: How the line above the list begins, by which a file is known as one.
HEAD = "# Where each heuristic shows"

#: What a line begins with whose entry has the name of a target and is another object.
_NOT = "not "

#: How many entries a message lists.
_MAX_LISTED = 12


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
    """Yield what the file lacks, and its stale entries: one cause is one problem.

    White space in it is folded, and comments are left out.
    """
    text = file.text(Subtype.REACH)
    if isinstance(text, Problem):
        yield text
        return
    found: dict[_Listed, int] = {}
    #: Why lines are stale → their numbers.
    stale: dict[str, list[int]] = {}
    for number, written in enumerate(text.split("\n"), 1):
        line = " ".join(written.partition("#")[0].split())
        if not line:
            continue
        listed = _parsed(line)
        if name := _new_name(plan, listed.heuristic):
            why = f"{listed.heuristic!r} is {name!r} now"
            stale.setdefault(why, []).append(number)
            listed = listed._replace(heuristic=name)
        found.setdefault(listed, number)
    wanted = set(_lines(plan).values())
    for why, group in _gone(plan, _settled(plan, found.keys() - wanted)):
        stale.setdefault(why, []).extend(found[listed] for listed in group)
    for why, numbers in stale.items():
        more = f" (and {counted(len(numbers) - 1, 'more line')})" if numbers[1:] else ""
        message = f"stale entry: {why}{more}; to rewrite the file: {file.command}"
        yield file.problem(Subtype.REACH, message, min(numbers))
    lacking = _settled(plan, wanted - found.keys())
    for news, change, heuristic in _new(plan, lacking, found):
        message = f"{news}; confirm with `{file.command}`, or {change}"
        record = plan.catalogue.heuristics[heuristic]
        yield Problem.at(record, Subtype.REACH, message)


def _parsed(line: str) -> _Listed:
    """Return what a line says."""
    name, _space, entry = line.removeprefix(_NOT).partition(" ")
    return _Listed(name, entry, shown=not line.startswith(_NOT))


def _new_name(plan: Plan, name: str) -> str:
    """Return what a heuristic is named now, if it had a former name."""
    record = plan.catalogue.by_name.get(name)
    return record.name if record and record.name != name else ""


def _settled(plan: Plan, lines: Iterable[_Listed]) -> list[_Listed]:
    """Return lines in order, but for those of heuristics with a target at fault.

    That is a finding already.
    """
    settled = []
    for listed in sorted(lines):
        record = plan.catalogue.heuristics.get(listed.heuristic)
        if record is None or not plan.meanings.has_fault(record):
            settled.append(listed)
    return settled


# -- causes ---------------------------------------------------------------------------


def _causes(
    lines: Iterable[_Listed], object_of: Callable[[_Listed], str]
) -> Iterator[tuple[str, list[_Listed]]]:
    """Yield lines that have one cause, with the object that it is, or ``""``.

    What *object_of* returns for a line is the cause if it explains lines of several
    heuristics. Otherwise, each heuristic is the cause of its own.
    """
    by_object: dict[str, list[_Listed]] = {}
    for listed in lines:
        by_object.setdefault(object_of(listed), []).append(listed)
    by_heuristic: dict[tuple[str, bool], list[_Listed]] = {}
    for name, group in by_object.items():
        if name and len({listed.heuristic for listed in group}) > 1:
            yield name, group
            continue
        for listed in group:
            key = listed.heuristic, listed.shown
            by_heuristic.setdefault(key, []).append(listed)
    for group in by_heuristic.values():
        yield "", group


def _new(
    plan: Plan, lacking: list[_Listed], found: Iterable[_Listed]
) -> Iterator[tuple[str, str, str]]:
    """Yield for each cause what is new, how to make it untrue, and a heuristic.

    *lacking* is what the file lacks, *found* what it has.
    """
    reviewed = {listed.heuristic for listed in found}
    known = _with_owners(listed.entry for listed in found)
    is_class = plan.meanings.objects.is_class

    def new_object(listed: _Listed) -> str:
        """Return the entry, or a class that it is in, of which the file has nothing."""
        new, name = "", listed.entry
        while name not in known and (not new or is_class(name)):
            new, name = name, name.rpartition(".")[0]
        return new if listed.heuristic in reviewed else ""

    for name, group in _causes(lacking, new_object):
        words = []
        if shown := [listed for listed in group if listed.shown]:
            words.append(_new_places(shown, name))
        if others := [listed for listed in group if not listed.shown]:
            words.append(_new_namesakes(others, name))
        news, changes = zip(*words, strict=True)
        change = "change `except` or `impl`" if changes[1:] else changes[0]
        yield "; ".join(news), change, group[0].heuristic


def _new_places(lines: list[_Listed], name: str) -> tuple[str, str]:
    """Return what newly shows heuristics, and how to make it untrue."""
    is_one, entries = _entries(lines, name)
    noun, verb = ("place", "shows") if is_one else ("places", "show")
    news = f"new {noun}: {entries} {verb} {_heuristics(lines)}"
    them = repr(name) if name else "them"
    return news, f"add {'it' if is_one else them} to `except`"


def _new_namesakes(lines: list[_Listed], name: str) -> tuple[str, str]:
    """Return what newly has the name of a target, and how to make it a place."""
    is_one, entries = _entries(lines, name)
    start, are, change = (
        f"new namesakes: {entries} have",
        "are other objects and do",
        "them",
    )
    if is_one:
        start, are = f"new namesake: {entries} has", "is another object and does"
        change = repr(entries)
    it = "it" if len({listed.heuristic for listed in lines}) == 1 else "them"
    news = f"{start} the name of a target of {_heuristics(lines)}, {are} not show {it}"
    return news, f"add {change} to `impl`"


def _gone(plan: Plan, lines: list[_Listed]) -> Iterator[tuple[str, list[_Listed]]]:
    """Yield for each cause why lines of the file are stale, and these lines."""
    unexplained = []
    for listed in lines:
        if why := _explained(plan, listed):
            yield why, [listed]
        else:
            unexplained.append(listed)
    documented = _with_owners(plan.catalogue.entry_of)

    def gone_object(listed: _Listed) -> str:
        """Return the entry, or the class that it was in, if it is not documented."""
        if listed.entry in plan.catalogue.entry_of:
            return ""
        owner, _dot, last = listed.entry.rpartition(".")
        record = plan.catalogue.heuristics[listed.heuristic]
        targets = [it.target for it in record.connections if it.type == "impl"]
        # What a target for a member reaches is a member.
        is_member = last in {target.rpartition(".")[2] for target in targets}
        return owner if is_member and owner not in documented else listed.entry

    for name, group in _causes(unexplained, gone_object):
        yield _why_gone(plan, name, group), group


def _explained(plan: Plan, listed: _Listed) -> str:
    """Return what explains a stale line, whatever its entry, or ``""``."""
    name, entry, is_shown = listed
    record = plan.catalogue.heuristics.get(name)
    if record is None:
        near = did_you_mean(closest(name, plan.catalogue.heuristics, 1))
        return f"no heuristic is named {name!r}{near}"
    if reason := plan.placing.withheld(record):
        return f"{name!r} is shown nowhere automatically: {reason}"
    identity = plan.meanings.objects.identity
    if not is_shown:
        for namesake in plan.meanings.namesakes(record):
            if identity(namesake) == identity(entry):
                return f"{entry} is the object of {namesake}, which has a line"
    return ""


def _why_gone(plan: Plan, name: str, group: list[_Listed]) -> str:
    """Return why lines are stale: an object is gone, or a heuristic not shown there."""
    shown = [listed for listed in group if listed.shown]
    others = [listed for listed in group if not listed.shown]
    if name:
        said = []
        if shown:
            said.append(f"showed {_heuristics(shown)}")
        if others:
            said.append(f"was listed with `not` for {_heuristics(others)}")
        is_alone = {listed.entry for listed in group} == {name}
        it = "it" if is_alone else "with its members, it"
        return f"{name} is not documented any more; {it} {' and '.join(said)}"
    is_one, entries = _entries(group, name)
    heuristic = group[0].heuristic
    if others:
        are = "is no other object" if is_one else "are no other objects"
        return f"{entries} {are} with the name of a target of {heuristic!r}"
    near = ""
    if is_one and entries not in plan.catalogue.entry_of:
        places = [place.name for place in plan.placing.shown_in.get(heuristic, ())]
        near = did_you_mean(closest(entries, places, 1))
    return f"{entries} {'does' if is_one else 'do'} not show {heuristic!r}{near}"


# -- words ----------------------------------------------------------------------------


def _entries(lines: list[_Listed], name: str) -> tuple[bool, str]:
    """Return whether lines are about one entry, and their entries in words.

    With a *name*, they are about this object and its members.
    """
    entries = sorted({listed.entry for listed in lines})
    if len(entries) == 1:
        return True, entries[0]
    if name in entries:
        return False, f"{name} and its members"
    if name:
        return False, f"members of {name}"
    listed = ", ".join(entries[:_MAX_LISTED])
    more = len(entries) - _MAX_LISTED
    and_more = f" and {more} more" if more > 0 else ""
    return False, f"{len(entries)} entries ({listed}{and_more})"


def _heuristics(lines: list[_Listed]) -> str:
    """Return the heuristics of lines in words."""
    names = sorted({repr(listed.heuristic) for listed in lines})
    if len(names) == 1:
        return names[0]
    return f"{len(names)} heuristics ({', '.join(names)})"


def _with_owners(names: Iterable[str]) -> set[str]:
    """Return names and those of all that they are in."""
    found: set[str] = set()
    for name in names:
        found.update(accumulate(name.split("."), "{}.{}".format))
    return found
