"""Roll-up: inherited members with heuristics and no entry, named at their class."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .plan import Plan, once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Entry, Heuristic, Target


class Member(NamedTuple):
    """A member that a documented class inherits and that has no entry there."""

    name: str
    #: The documented names of this very member.
    documented: tuple[str, ...]
    #: The names that `except` judges it by.
    own_names: tuple[str, ...]
    #: Its heuristics, the most severe first.
    heuristics: tuple[Heuristic, ...]
    #: The first entry of this very member that can be linked to.
    target: Target | None


def members(plan: Plan, docname: str, entry: Entry) -> tuple[Member, ...]:
    """Return what a class entry rolls up, by the names of the members."""
    if entry.by_hand or plan.kept_free(docname):
        return ()
    found = []
    for member in _inherited(plan, entry):
        entries = [plan.entry_of[name] for name in member.documented]
        kept = []
        for record in member.heuristics:
            fits = not record.parameters or any(map(record.fits, entries))
            excluded = (plan.excludes(it, member.own_names) for it in record.excepts)
            if fits and not any(excluded):
                kept.append(record)
        if kept:
            found.append(member._replace(heuristics=tuple(kept)))
    return tuple(found)


@once
def reached(plan: Plan) -> dict[str, list[str]]:
    """Map each heuristic to the members that show it unless `except` names them."""
    found: dict[str, list[str]] = {}
    for _docname, entry in plan.all_entries:
        for member in _inherited(plan, entry):
            for record in member.heuristics:
                found.setdefault(record.name, []).extend(member.own_names)
    return found


def _inherited(plan: Plan, entry: Entry) -> Iterator[Member]:
    """Yield the inherited members of a class, each with all that aims at it."""
    if not (plan.settings.rollup and plan.objects.is_class(entry)):
        return
    objects = plan.objects
    for name, aims in sorted(_aims(plan).items()):
        names = tuple(f"{cls}.{name}" for cls in entry.names)
        # What the class defines itself, or has an entry of its own, is not rolled up.
        has_entry = not plan.entry_of.keys().isdisjoint(names)
        if has_entry or not objects.is_inherited(names[0]):
            continue
        at_class, *above = objects.lineage(names[0])
        heuristics = tuple(
            plan.heuristics[heuristic]
            for heuristic, meant in aims.items()
            if not meant.isdisjoint(above)
        )
        if heuristics:
            documented = tuple(objects.find(above[-1]).reached)
            targets = [plan.places[entry_name] for entry_name in documented]
            yield Member(
                name=name,
                documented=documented,
                own_names=(*names, at_class),
                heuristics=heuristics,
                target=next((target for target in targets if target.anchor), None),
            )


@once
def _aims(plan: Plan) -> dict[str, dict[str, set[str]]]:
    """Map the last part of each target to the heuristics that aim at such members.

    Each of them is mapped to the names of the objects that it means.
    """
    objects = plan.objects
    found: dict[str, dict[str, set[str]]] = {}
    for record in plan.by_severity:
        if plan.withheld(record):
            continue
        for resolved in plan.connections(record):
            if resolved.connection.type == "impl":
                target = resolved.connection.target
                aims = found.setdefault(target.rpartition(".")[2], {})
                meant = aims.setdefault(record.name, set())
                meant.update(objects.aliases(target))
                meant.update(map(objects.identity, resolved.reached))
    return found
