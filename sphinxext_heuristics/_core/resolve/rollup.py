"""Roll-up: inherited members with heuristics and no entry, named at their class."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Address, Entry, Heuristic
    from .catalogue import Catalogue
    from .meanings import Meanings


class Member(NamedTuple):
    """A member that a documented class inherits and that has no entry there."""

    name: str
    #: The documented names of this very member.
    documented: tuple[str, ...]
    #: The names that `except` judges it by.
    own_names: tuple[str, ...]
    #: Its heuristics, the in their order.
    heuristics: tuple[Heuristic, ...]
    #: The first entry of this very member that can be linked to.
    address: Address | None


class Rollup:
    """What classes roll up.

    *withheld* returns why a heuristic is shown nowhere automatically, or ``""``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        meanings: Meanings,
        withheld: Callable[[Heuristic], str],
    ) -> None:
        """Take what is known; nothing is looked up until it is asked for."""
        self._catalogue = catalogue
        self._meanings = meanings
        self._withheld = withheld

    def members(self, entry: Entry) -> tuple[Member, ...]:
        """Return what a class entry rolls up, by the names of the members."""
        found = []
        for member in self._inherited(entry):
            entries = [self._catalogue.entry_of[name] for name in member.documented]
            kept = tuple(
                record
                for record in member.heuristics
                if not record.parameters or any(map(record.fits, entries))
                if not self._is_excluded(record, member)
            )
            if kept:
                found.append(member._replace(heuristics=kept))
        return tuple(found)

    def _is_excluded(self, record: Heuristic, member: Member) -> bool:
        objects = self._meanings.objects
        return any(objects.excludes(it, member.own_names) for it in record.excepts)

    @cached_property
    def rolled_up(self) -> dict[str, list[str]]:
        """Map each heuristic to members that show it unless `except` names them."""
        found: dict[str, list[str]] = {}
        for _docname, entry in self._catalogue.all_entries:
            for member in self._inherited(entry):
                for record in member.heuristics:
                    found.setdefault(record.name, []).extend(member.own_names)
        return found

    def _inherited(self, entry: Entry) -> Iterator[Member]:
        """Yield the inherited members of a class, each with all that aims at it."""
        catalogue, objects = self._catalogue, self._meanings.objects
        if not (catalogue.settings.rollup and entry.is_class):
            return
        for name, aims in sorted(self._aims.items()):
            names = tuple(f"{cls}.{name}" for cls in entry.names)
            # What the class defines itself, or has an entry of its own, is not rolled
            # up.
            has_entry = not catalogue.entry_of.keys().isdisjoint(names)
            if has_entry or not objects.is_inherited(names[0]):
                continue
            at_class, *above = objects.lineage(names[0])
            heuristics = tuple(
                catalogue.heuristics[heuristic]
                for heuristic, meant in aims.items()
                if not meant.isdisjoint(above)
            )
            if heuristics:
                documented = tuple(objects.find(above[-1]).reached)
                addresses = [
                    catalogue.addresses[entry_name] for entry_name in documented
                ]
                yield Member(
                    name=name,
                    documented=documented,
                    own_names=(*names, at_class),
                    heuristics=heuristics,
                    address=next((it for it in addresses if it.anchor), None),
                )

    @cached_property
    def _aims(self) -> dict[str, dict[str, set[str]]]:
        """Map the last part of each target to the heuristics that aim at such members.

        Each of them is mapped to the names of the objects that it means.
        """
        objects = self._meanings.objects
        found: dict[str, dict[str, set[str]]] = {}
        for record in self._catalogue.by_weight:
            if self._withheld(record):
                continue
            for resolved in self._meanings.connections(record):
                if resolved.connection.type == "impl":
                    target = resolved.connection.target
                    aims = found.setdefault(target.rpartition(".")[2], {})
                    meant = aims.setdefault(record.name, set())
                    meant.update(objects.aliases(target))
                    meant.update(map(objects.identity, resolved.reached))
        return found
