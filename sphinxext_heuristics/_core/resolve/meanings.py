"""What connections and other names mean, and which heuristics reach an API entry."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeAlias

from ..diagnostics import closest
from ..model import CATEGORY, PAGE_TYPES, Address, Connection, Entry, Heuristic
from .listing import Link, links, short_name
from .records import Nearness, Place, Resolved, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..source.names import Definition
    from ..source.packages import Sources
    from .catalogue import Catalogue
    from .objects import Objects
    from .pages import External, Pages

#: Filter → values, any of which will do, as a query has them.
Filters: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


class Meanings:
    """What the names mean that authors write."""

    def __init__(
        self,
        catalogue: Catalogue,
        objects: Objects,
        pages: Pages,
        external: External,
        sources: Sources,
    ) -> None:
        """Take all that a name may mean; nothing is looked up until it is asked for."""
        self._catalogue = catalogue
        self._settings = catalogue.settings
        #: The documented objects.
        self.objects = objects
        #: The pages and sections.
        self.pages = pages
        #: The inventories of other projects.
        self.external = external
        #: The source of packages.
        self.sources = sources
        self.connections = cache(self._connections)
        self.selection = cache(self._selection)

    # -- what one name means ----------------------------------------------------------

    def _connections(self, record: Heuristic) -> tuple[Resolved, ...]:
        """Return the resolved connections of a definition."""
        found = [self._led(record, self.resolve(it)) for it in record.connections]
        if self._catalogue.holds(record):
            return tuple(found)
        version = self._catalogue.version
        return tuple(
            it
            if it.exists or it.several
            else it._replace(planned=False, not_in=version)
            for it in found
        )

    def resolve(self, connection: Connection) -> Resolved:
        """Return what a connection means: here, or else in another project."""
        is_page = connection.type in PAGE_TYPES
        if is_page:
            resolved = self.pages.find(connection.target)
        else:
            resolved = self._object(connection)
        resolved = resolved._replace(connection=connection)
        if resolved.exists or resolved.several or resolved.planned:
            return resolved
        uri = self.external.find(connection.type, connection.target)
        return resolved._replace(
            address=Address(uri=uri) if uri else None,
            planned=connection.planned
            or (not is_page and self.is_left_out(connection.target)),
        )

    def _led(self, record: Heuristic, resolved: Resolved) -> Resolved:
        """Let the link of an object without an entry lead to one that is left."""
        is_wide = resolved.connection.is_wide
        names = resolved.reached if resolved.is_through_others else ()
        for name in names:
            if not self._why_excepted(record, name, is_wide=is_wide):
                return resolved._replace(
                    address=self._catalogue.addresses[name], entry=name
                )
        return resolved

    def has_fault(self, record: Heuristic) -> bool:
        """Return whether an object that a heuristic names is missing or several.

        What it reaches is unknown then.
        """
        connections = self.connections(record)
        objects = [it for it in connections if it.connection.type == "impl"]
        return any(it.is_fault for it in objects)

    def _object(self, connection: Connection) -> Resolved:
        found = self.objects.find(connection.pattern)
        if not found.reached:
            return found
        first = min(found.reached, key=lambda name: found.reached[name].is_below)
        return found._replace(address=self._catalogue.addresses[first], entry=first)

    def is_left_out(self, target: str) -> bool:
        """Return whether a target may be undocumented, as conf.py says, and exists."""
        is_enough = self._settings.undocumented == "planned"
        return is_enough and self.defined(target) is not None

    def defined(self, target: str) -> Definition | None:
        """Return where source defines a target, which may lack the package's name."""
        package = self._settings.package
        found = self.sources.definition(target)
        if package and not found:
            found = self.sources.definition(f"{package}.{target}")
        return found

    def spellings(self, target: str) -> set[str]:
        """Return the names of what a target means, documented or not."""
        names = {target, *self.objects.aliases(target)}
        if definition := self.defined(target):
            names.add(definition.name)
        return names

    def links(self, record: Heuristic, *, marks: bool = False) -> tuple[Link, ...]:
        """Return connections for an index: as readers know them, or as written.

        With *marks*, they are as written.
        """

        def written(resolved: Resolved) -> str:
            return short_name(resolved.connection, self._settings.package)

        call = written if marks else self._known_as
        return links(self.connections(record), call)

    def _known_as(self, resolved: Resolved) -> str:
        """Return what readers know a target as.

        That is the text that the author gave it, or else the title of the page, or the
        name of the entry that it leads to where the target itself has none.
        """
        place, connection = resolved.place, resolved.connection
        if place and not connection.text:
            return self._catalogue.title(place.docname, place.anchor)
        if resolved.is_through_others and not connection.short:
            connection = connection._replace(target=resolved.entry)
        return short_name(connection, self._settings.package)

    def title(self, name: str) -> str:
        """Return the title that a link shows which names a heuristic or a place.

        What has no title is shown by the name.
        """
        if record := self._catalogue.lookup(name):
            return record.title
        place = self.pages.find(name).place
        return self._catalogue.title(*place) if place else name

    def closest(self, name: str) -> Iterable[str]:
        """Return the heuristics, objects, pages and labels most like a name."""
        near = (
            *closest(name, self._catalogue.heuristics, 1),
            *self.objects.closest(name),
            *self.pages.closest(name),
        )
        return dict.fromkeys(near)

    @cached_property
    def documented_packages(self) -> frozenset[str]:
        """Return the packages that names of entries and of their objects begin with."""
        found: set[str] = set()
        for name in self.objects.names:
            for known in (name, *self.objects.lineage(name)):
                found.add(known.partition(".")[0])
        return frozenset(found)

    # -- what reaches a documented name -----------------------------------------------

    def reached(self, record: Heuristic) -> Iterable[str]:
        """Return the documented names that a heuristic's connections reach."""
        found: dict[str, Rule] = {}
        for resolved in self.connections(record):
            found |= resolved.reached
        return found

    @cached_property
    def verdicts_by_name(self) -> dict[str, dict[str, Verdict]]:
        """Map each documented name to the heuristics that reach it, in shown order.

        The verdicts are those of the name alone: no page has had its say.
        """
        found: dict[str, dict[str, Verdict]] = {}
        for record in self._catalogue.by_weight:
            for order, resolved in enumerate(self.connections(record)):
                for name, rule in resolved.reached.items():
                    verdict = self._verdict(record, resolved, name, rule)
                    verdict = verdict._replace(order=order)
                    verdicts = found.setdefault(name, {})
                    before = verdicts.get(record.name, verdict)
                    verdicts[record.name] = _merged(before, verdict)
        return found

    def _verdict(
        self, record: Heuristic, resolved: Resolved, name: str, rule: Rule
    ) -> Verdict:
        """Return the verdict of a name that a target of a heuristic reaches."""
        is_wide = resolved.connection.is_wide
        nearness = Nearness.WIDE if is_wide else Nearness.NAMED
        if rule is Rule.INHERITED:
            nearness = max(nearness, Nearness.INHERITED)
        return Verdict(
            record=record,
            target=resolved.connection.pattern,
            rule=rule,
            nearness=nearness,
            reason=self._why_excepted(record, name, is_wide=is_wide),
        )

    def _why_excepted(self, record: Heuristic, name: str, *, is_wide: bool) -> str:
        """Return why a heuristic leaves out a name that a target reaches, or ``""``."""
        for target in record.excepts:
            if self.objects.excludes(target, self.own_names(name)):
                return f"except {target}"
        if is_wide and not record.fits(self._catalogue.entry_of[name]):
            return "it shows no parameter of param"
        return ""

    def verdicts(self, entry: Entry) -> list[Verdict]:
        """Return what reaches an entry under any of its names, each heuristic once."""
        found: dict[str, Verdict] = {}
        for name in entry.names:
            for heuristic, verdict in self.verdicts_by_name.get(name, {}).items():
                if entry.is_module and verdict.rule is Rule.ALIAS:
                    continue  # that is an object which its package binds to its name
                before = found.get(heuristic, verdict)
                found[heuristic] = _merged(before, verdict)
        return list(found.values())

    def own_names(self, name: str) -> list[str]:
        """Return the names that `except` judges a documented name by."""
        return self.objects.own_names(self._catalogue.entry_of[name])

    def namesakes(self, record: Heuristic) -> dict[str, bool]:
        """Map the names that end as a target does and are not reached to their kind.

        They are other objects: one name each, that of its class nearest to the
        definition. Overrides in subclasses, which are ``True``, come first, then
        members of other classes. What a target fits with others is none.
        """
        reached = set(self.reached(record))
        known = set(reached)
        lasts = set()
        for resolved in self.connections(record):
            connection = resolved.connection
            known.update(resolved.several)
            if connection.type == "impl" and resolved.reached:
                lasts.add(connection.target.rpartition(".")[2])
        by_object: dict[str, list[str]] = {}
        for name in self.objects.names:
            if name.rpartition(".")[2] in lasts and name not in known:
                by_object.setdefault(self.objects.identity(name), []).append(name)
        found = (min(names, key=self._distance) for names in by_object.values())
        overridden = {self.objects.identity(name) for name in reached}

        def kinship(name: str) -> tuple[bool, bool]:
            of_class, _dot, last = name.rpartition(".")
            owner = self._catalogue.entry_of.get(of_class)
            inherited = (f"{base}.{last}" for base in (owner.bases if owner else ()))
            return overridden.isdisjoint(inherited), not (owner and owner.is_class)

        return {name: not kinship(name)[0] for name in sorted(found, key=kinship)}

    def _distance(self, name: str) -> tuple[int, str]:
        """Return how far from its definition an object of this name is documented."""
        return len(self.objects.lineage(name)), name

    # -- what filters choose ----------------------------------------------------------

    def _selection(self, filters: Filters) -> tuple[Heuristic, ...]:
        """Return the heuristics that filters choose, in the toctree's order."""
        records = tuple(self._catalogue.heuristics.values())
        for kind, values in filters:
            chosen: set[str] = set()
            for value in values:
                chosen.update(self._chosen(kind, value))
            records = tuple(record for record in records if record.name in chosen)
        return records

    def _chosen(self, kind: str, value: str) -> Iterator[str]:
        """Yield the names of the heuristics that one value of a filter chooses."""
        if kind == "target" and value.startswith(CATEGORY):
            kind, value = "category", value.removeprefix(CATEGORY).strip()
        if kind in {"impl", "target"}:
            yield from self._about_object(value.lstrip("~"))
        if kind == "target" and (record := self._catalogue.lookup(value)):
            yield record.name
        yield from self._by_value.get((kind, value), ())
        if place := self.pages.find(value).place:
            yield from self._by_value.get((kind, place), ())

    def _about_object(self, name: str) -> Iterator[str]:
        """Yield the names of the heuristics that reach a documented object."""
        for documented in self.objects.find(name).reached:
            for heuristic, verdict in self.verdicts_by_name.get(documented, {}).items():
                if verdict.is_shown:
                    yield heuristic

    @cached_property
    def _by_value(self) -> dict[tuple[str, object], list[str]]:
        """Map each kind of filter and what it may name to the heuristics' names."""
        found: dict[tuple[str, object], list[str]] = {}
        for record in self._catalogue.heuristics.values():
            keys: list[tuple[str, object]] = [("severity", record.severity)]
            keys += [("category", category) for category in record.categories]
            for resolved in self.connections(record):
                connection = resolved.connection
                for kind in (connection.type, "target"):
                    keys += [(kind, connection.target), (kind, connection.text)]
                    keys.append((kind, resolved.place))
            for key in keys:
                found.setdefault(key, []).append(record.name)
        return found

    def placed_by_hand(self, docname: str) -> Iterator[Place]:
        """Yield a page and its sections whose own ``heuristics-for`` names them."""
        for query in self._catalogue.pages[docname].queries:
            for target in query.option("target") or ():
                place = self.pages.find(target).place
                if place and place.docname == docname:
                    yield place


def _merged(one: Verdict, other: Verdict) -> Verdict:
    """Return what two targets, or two names of an entry, make together.

    What shows the heuristic counts, and of that the earliest target.
    """
    first = min(one, other, key=lambda it: (not it.is_shown, it.order))
    return first._replace(nearness=min(one.nearness, other.nearness))
