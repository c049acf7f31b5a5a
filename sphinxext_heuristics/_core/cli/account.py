"""What the build shows, in words: of a heuristic, an object, a page or a section.

All of it is asked of the plan's *placing*, by which the pages are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import counted
from ..notes.inline import text_of
from ..resolve import listing as index
from ..resolve.missing import lost_with, why_missing, why_undocumented
from ..resolve.records import Form, Place
from .places import (
    by_hand_at,
    by_hand_on,
    by_hand_within,
    is_at,
    is_in,
    rows_at,
    rows_of,
    rows_on,
)
from .writing import seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..model import Entry, Heuristic
    from ..resolve.catalogue import Catalogue
    from ..resolve.meanings import Meanings
    from ..resolve.plan import Plan
    from ..resolve.records import ByHand, OnPage, Resolved, Verdict


class Account(NamedTuple):
    """What a name means, and what is shown there."""

    #: The lines to print.
    lines: list[str]
    #: The same places for programs.
    places: list[dict[str, object]]
    #: Whether the build warns of it: a target is missing, or a definition not used.
    has_fault: bool = False


def account(plan: Plan, name: str) -> Account | None:
    """Return the account of a name; ``None`` if nothing has it."""
    if record := _meant(plan.catalogue, name):
        return _of_heuristic(plan, record)
    name = name.lstrip("~")
    if names := _documented(plan, name):
        blocks = (_object(plan, documented) for documented in names)
        return Account(list(separated(blocks)), list(rows_at(plan, set(names))))
    if place := _place(plan, name):
        return Account(list(_page(plan, place)), list(rows_on(plan, place)))
    lines = list(_elsewhere(plan, name))
    is_linked = bool(plan.meanings.external.find("impl", name))
    if not lines:
        return None
    return Account(lines, [], has_fault=not is_linked)


def _meant(catalogue: Catalogue, name: str) -> Heuristic | None:
    """Return the heuristic that a name means: its own, or that of its page."""
    page = catalogue.pages.get(name)
    if page and page.heuristics and catalogue.is_page(page.heuristics[0]):
        return page.heuristics[0]
    return catalogue.find_in_any_case(catalogue.settings.strip(name))


def _documented(plan: Plan, name: str) -> tuple[str, ...]:
    """Return the documented names that a name means."""
    if name in plan.catalogue.entry_of:
        # As a target it would reach the inherited copies, too.
        return (name,)
    match = plan.meanings.objects.find(name)
    if match.several:
        match = plan.meanings.objects.find(f"*.{name}")
    return tuple(match.reached)


def _place(plan: Plan, name: str) -> Place | None:
    """Return the page or section that a name means: a document's own comes first."""
    if name in plan.catalogue.pages:
        return Place(name)
    return plan.meanings.pages.find(name).place


def separated(blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of all blocks, with an empty line between two."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


# -- a heuristic ----------------------------------------------------------------------


def _of_heuristic(plan: Plan, written: Heuristic) -> Account:
    """Return the account of a definition, or of the one that counts in its place."""
    catalogue = plan.catalogue
    record = catalogue.find_in_any_case(written.name) or written
    is_used = record is written or catalogue.is_repeated(written)
    lines = list(_heuristic(plan, record))
    if not is_used:
        which = f"{seen(record.source)}:{record.line} defines it first"
        where = f"{seen(written.source)}:{written.line}"
        lines = [f"the definition in {where} is not used: {which}", "", *lines]
    connections = plan.meanings.connections(record)
    is_faulty = any(it.is_fault for it in connections)
    rows = list(rows_of(plan, record))
    return Account(lines, rows, has_fault=is_faulty or not is_used)


def _heuristic(plan: Plan, record: Heuristic) -> Iterator[str]:
    yield f"{label(record)}: {text_of(record.note)}"
    if record.former_names:
        yield f"  formerly {', '.join(record.former_names)}"
    yield f"  defined in {seen(record.source)}:{record.line}"
    if reason := plan.placing.withheld(record):
        yield f"  shown nowhere automatically: {reason}"
    for resolved in plan.meanings.connections(record):
        yield f"  {_connection(plan, record, resolved)}"
        yield from _entries_reached(plan, record, resolved)
        if resolved.place:
            yield from _on_page_reached(plan, record, resolved.place)
    yield from _placed_by_hand(plan, record)
    yield from _others(plan.meanings, record)


def _connection(plan: Plan, record: Heuristic, resolved: Resolved) -> str:
    connection = resolved.connection
    start = f"{connection.type} {connection.pattern}"
    if resolved.several:
        return (
            f"{start}: fits several, and so reaches none: {', '.join(resolved.several)}"
        )
    if resolved.address is None:
        if resolved.not_in:
            return f"{start}: {index.MISSING} not in {resolved.not_in}"
        if resolved.planned:
            return f"{start}: {index.MISSING} does not exist, as planned"
        lost = lost_with(plan.meanings, plan.quotes, record, resolved)
        why = why_missing(plan.catalogue, plan.meanings, resolved, lost.values())
        return f"{start}: {index.MISSING} {why}"
    if resolved.address.uri:
        return f"{start}: {index.EXISTS} in another project, {resolved.address.uri}"
    return f"{start}:"


def _entries_reached(
    plan: Plan, record: Heuristic, resolved: Resolved
) -> Iterator[str]:
    """Yield what becomes of a heuristic at the entries that a target of it reaches."""
    target = resolved.connection.pattern
    for docname, entry, verdict in plan.placing.judged:
        if verdict.record.name != record.name:
            continue
        for name in entry.names:
            if rule := resolved.reached.get(name):
                this_way = verdict._replace(target=target, rule=rule)
                why = verdict.reason or _how(plan.meanings, name, this_way)
                yield f"    {_MARKS[verdict.is_shown]}{name} ({docname}): {why}"


def _on_page_reached(plan: Plan, record: Heuristic, place: Place) -> Iterator[str]:
    """Yield what becomes of a heuristic at a page or section that a target means."""
    for verdict in plan.placing.on_page(place.docname):
        if verdict.record.name == record.name and verdict.place == place:
            remark = verdict.reason or _own_link(verdict)
            yield f"    {_MARKS[verdict.is_shown]}{place}{remark and f': {remark}'}"
            return  # another target of it says the same


def _placed_by_hand(plan: Plan, record: Heuristic) -> Iterator[str]:
    for placed in plan.placing.by_hand:
        if record in placed.heuristics:
            where = str(placed.place)
            if placed.entry:
                where = f"{placed.entry.names[0]} ({placed.place.docname})"
            yield f"  shown: {where}: {_by_hand(placed)}"


#: Of more objects that have the name of a target, the number is given.
_MAX_OTHERS = 3


def _others(meanings: Meanings, record: Heuristic) -> Iterator[str]:
    """Yield the objects that have the name of a target and are others."""
    identity = meanings.objects.identity
    same = set(map(identity, meanings.reached(record)))
    names = list(meanings.namesakes(record).items())
    for name, is_override in names[:_MAX_OTHERS]:
        why = f"the name is the same, the object is another, {identity(name)}"
        if identity(name) in same:
            why = "the name is the same, of another class than the one named"
        elif is_override:
            why = "overrides it"
        yield f"  not reached: {name}: {why}"
    if more := names[_MAX_OTHERS:]:
        yield f"  not reached: {len(more)} more of this name"


# -- what the verdicts say ------------------------------------------------------------

#: How a line begins: with what is not shown, it says so.
_MARKS = {True: "shown: ", False: "not shown: "}

#: How an entry shows a heuristic, where it is not simply in full.
_HOW = {
    Form.FOLDED: "; folded",
    Form.LINE: "; in one line",
    Form.TITLE: "; named",
    Form.DEFINED: "; its documentation holds the definition",
}


def label(record: Heuristic) -> str:
    """Return a heuristic's name and severity."""
    return f"{record.name} ({record.severity})"


def _how(meanings: Meanings, name: str, verdict: Verdict) -> str:
    """Return why a target reaches a documented name, and how its entry shows that."""
    target = verdict.target
    rule = verdict.rule.value.format(
        ending=target.removeprefix("*."),
        target=target.partition("+")[0],
        owner=meanings.objects.identity(name).rpartition(".")[0],
    )
    if verdict.full_at:
        return f"{rule}; named here, in full at {verdict.full_at.names[0]}"
    at = f"; at the parameter {verdict.parameter}" if verdict.parameter else ""
    return f"{rule}{at}{_HOW.get(verdict.form, '')}"


def _own_link(verdict: OnPage) -> str:
    return "its own text links to it" if verdict.is_linked else ""


def _by_hand(placed: ByHand) -> str:
    return f"placed by heuristics-for {placed.targets}"


# -- an object ------------------------------------------------------------------------


def _object(plan: Plan, name: str) -> Iterator[str]:
    entries = [
        (docname, entry)
        for docname, entry in plan.catalogue.all_entries
        if name in entry.names
    ]
    yield f"{name} ({', '.join(dict.fromkeys(docname for docname, _entry in entries))})"
    lines: list[str] = []
    for _docname, entry, verdict in plan.placing.judged:
        if name in entry.names:
            shown = f"impl {verdict.target}: {_how(plan.meanings, name, verdict)}"
            start = f"{_MARKS[verdict.is_shown]}{label(verdict.record)}"
            lines.append(f"  {start}: {verdict.reason or shown}")
        elif verdict.is_shown and is_at(name, entry, verdict):
            where = f"at this parameter of {entry.names[0]}"
            lines.append(f"  shown: {label(verdict.record)}: {where}")
    for docname, entry in entries:
        lines += _rolled_up(plan, docname, entry)
    for placed, record in by_hand_at(plan, {name}):
        lines.append(f"  shown: {label(record)}: {_by_hand(placed)}")
    yield from lines or _reached_by_none(plan.catalogue, name)


def _reached_by_none(catalogue: Catalogue, name: str) -> Iterator[str]:
    """Yield that nothing reaches an entry; without its module it is another object."""
    yield "  no heuristic reaches it"
    outermost = catalogue.entry_of.get(name.partition(".")[0])
    if outermost and not outermost.is_module:
        yield "  this entry names no module: set `py:currentmodule`"


def _rolled_up(plan: Plan, docname: str, entry: Entry) -> Iterator[str]:
    """Yield what a class shows of inherited members that have no entry."""
    for member in plan.placing.members(docname, entry):
        for record in member.heuristics:
            yield (
                f"  shown: {label(record)}: in one line, with the inherited "
                f"{member.name}"
            )


def _elsewhere(plan: Plan, name: str) -> Iterator[str]:
    """Yield the account of what is not documented here, if anything has the name.

    It is defined in the source, a parameter, or an object or a page of another project.
    """
    meanings = plan.meanings
    uri = meanings.external.find("impl", name)
    spellings = meanings.spellings(name)
    lines: list[str] = []
    for record in plan.catalogue.heuristics.values():
        for resolved in meanings.connections(record):
            connection = resolved.connection
            is_same = connection.target == name
            if connection.type == "impl" and not resolved.reached:
                names = meanings.spellings(connection.target)
                is_same = not spellings.isdisjoint(names)
            if is_same:
                uri = uri or (resolved.address.uri if resolved.address else "")
                start = f"  connected: {label(record)}: {connection.type}"
                lines.append(f"{start} {connection.pattern}")
    if uri:
        yield f"{name} (in another project, {uri})"
    elif (meant := why_undocumented(plan.catalogue, meanings, name)) or lines:
        yield f"{name} {meant or 'does not exist'}"
    else:
        return
    yield from lines or ["  no heuristic is connected to it"]


# -- a page ---------------------------------------------------------------------------


def _page(plan: Plan, place: Place) -> Iterator[str]:
    """Yield the account of a page with all its sections, or of one section."""
    yield str(place)
    lines = [*_shown_on(plan, place), *_linked_from(plan, place)]
    if not place.anchor:
        lines = [*_defined_on(plan, place.docname), *lines]
        lines += _in_entries(plan, place.docname)
    # What is not shown is so for each target.
    yield from dict.fromkeys(lines or ["  no heuristic is connected to it"])


def _defined_on(plan: Plan, docname: str) -> Iterator[str]:
    catalogue = plan.catalogue
    for record in catalogue.pages[docname].heuristics:
        first = catalogue.find_in_any_case(record.name) or record
        remark = ""
        if first is not record and not catalogue.is_repeated(record):
            remark = f" (not used: {seen(first.source)}:{first.line} defines it first)"
        yield f"  defines: {label(record)}, line {record.line}{remark}"


def _shown_on(plan: Plan, place: Place) -> Iterator[str]:
    for verdict in plan.placing.on_page(place.docname):
        if is_in(verdict.place, place):
            why = "; ".join(filter(None, (verdict.target, _own_link(verdict))))
            start = f"{_MARKS[verdict.is_shown]}{label(verdict.record)}"
            where = "" if verdict.place == place else f" at #{verdict.place.anchor}"
            yield f"  {start}{where}: {verdict.reason or why}"
    for placed, record in by_hand_on(plan, place):
        yield f"  shown: {label(record)}: {_by_hand(placed)}"


def _linked_from(plan: Plan, place: Place) -> Iterator[str]:
    """Yield what the own text of a page links to without being connected to it."""
    connected = {it.record.name for it in plan.placing.on_page(place.docname)}
    for record in plan.catalogue.heuristics.values():
        is_other = record.docname != place.docname and record.name not in connected
        if is_other and plan.catalogue.is_linked(record, place):
            yield f"  links to: {label(record)}"


def _in_entries(plan: Plan, docname: str) -> Iterator[str]:
    """Yield how many heuristics the API entries of a page show."""
    judged = zip(
        plan.catalogue.entries(docname), plan.placing.verdicts(docname), strict=True
    )
    shown: dict[str, str] = {}
    for entry, verdicts in judged:
        for verdict in verdicts:
            if verdict.is_shown:
                shown.setdefault(verdict.record.name, entry.names[0])
    for entry, record in by_hand_within(plan, docname):
        shown.setdefault(record.name, entry.names[0])
    if shown:
        number = counted(len(shown), "heuristic")
        one = next(iter(shown.values()))
        yield f"  its API entries show {number}: explain one of them, such as {one}"
