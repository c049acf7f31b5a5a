"""Roll-up: inherited members that have heuristics and no entry here, named at the classes that inherit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.model import Target
from sphinxext_heuristics._core.resolve.objects import excludes
from sphinxext_heuristics._core.resolve.verdicts import by_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics._core.model import Entry, Heuristic
    from sphinxext_heuristics._core.resolve.plan import Plan


class Member(NamedTuple):
    """An inherited member of a class."""

    name: str
    #: The first entry of this very member, if it is documented anywhere.
    target: Target | None
    #: Its heuristics, most severe first.
    heuristics: tuple[Heuristic, ...]


def members(plan: Plan, docname: str, entry: Entry) -> tuple[Member, ...]:
    """Return what a class entry rolls up, by the names of the members."""
    if (
        not (plan.settings.rollup and entry.is_class)
        or entry.by_hand
        or docname in plan.lookups.excluded
    ):
        return ()
    return tuple(
        Member(
            name=name,
            target=plan.once(_places).get(lineage[-1]),
            heuristics=by_severity(kept),
        )
        for name, lineage, own, found in _inherited(plan, entry)
        if (
            kept := [
                record
                for record in found
                if not _is_left_out(plan, record, own, lineage[-1])
            ]
        )
    )


def _inherited(
    plan: Plan, entry: Entry
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], list[Heuristic]]]:
    """Yield name, lineage, own names and heuristics of each inherited member without an entry at its class."""
    for name, aimed in sorted(plan.once(_aimed).items()):
        own = tuple(f"{cls}.{name}" for cls in entry.names)
        lineage = plan.lookups.objects.lineage(own[0])
        # What the class defines itself, or has an entry of its own, is not rolled up.
        if len(lineage) > 1 and not any(one in plan.entry_of for one in own):
            found = [
                record
                for record, objects in aimed
                if not objects.isdisjoint(lineage[1:])
            ]
            if found:
                yield name, lineage, (*own, lineage[0]), found


def reached(plan: Plan) -> dict[str, list[str]]:
    """Return heuristic → the names of members that classes would roll up for it, `except` aside."""
    found: dict[str, list[str]] = {}
    for _docname, entry in plan.catalogue.entries if plan.settings.rollup else ():
        for _name, _lineage, own, records in (
            _inherited(plan, entry) if entry.is_class else ()
        ):
            for record in records:
                found.setdefault(record.name, []).extend(own)
    return found


def _is_left_out(
    plan: Plan, record: Heuristic, own: tuple[str, ...], identity: str
) -> bool:
    """Return whether `except` or `param` leaves out a member, by its own names and by that of its object."""
    entries = (
        plan.entry_of[name] for name in plan.lookups.objects.find(identity).names
    )
    if record.parameters and not any(map(record.fits, entries)):
        return True
    return any(
        excludes(alias, own)
        for target in record.excepts
        for alias in plan.lookups.objects.aliases(target)
    )


def _aimed(plan: Plan) -> dict[str, list[tuple[Heuristic, frozenset[str]]]]:
    """Return the last part of each target → the heuristics shown automatically, each with the names of its objects."""
    objects = plan.lookups.objects
    found: dict[str, dict[str, tuple[Heuristic, set[str]]]] = {}
    for record in plan.heuristics.values():
        for resolved in () if plan.withheld(record) else plan.connections(record):
            target = resolved.connection.target
            if resolved.connection.type == "impl":
                names = {
                    *objects.aliases(target),
                    *map(objects.identity, resolved.reached),
                }
                of_name = found.setdefault(target.rpartition(".")[2], {})
                of_name.setdefault(record.name, (record, set()))[1].update(names)
    return {
        name: [(record, frozenset(names)) for record, names in records.values()]
        for name, records in found.items()
    }


def _places(plan: Plan) -> dict[str, Target]:
    """Return the identity of each documented object → its first entry that can be linked to."""
    found: dict[str, Target] = {}
    for docname, entry in plan.catalogue.entries:
        if entry.anchor:
            for name in entry.names:
                target = Target(docname=docname, anchor=entry.anchor)
                found.setdefault(plan.lookups.objects.identity(name), target)
    return found
