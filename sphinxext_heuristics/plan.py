"""What is shown where: derived once a build from all that was read, and kept nowhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.messages import in_quote
from sphinxext_heuristics.matching import excludes, own_names
from sphinxext_heuristics.model import CATEGORY, PAGE_TYPES, SEVERITIES
from sphinxext_heuristics.releases import Matrix
from sphinxext_heuristics.versions import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sphinxext_heuristics.catalogue import Catalogue
    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.evidence import Found, Lost
    from sphinxext_heuristics.evidence.messages import Message
    from sphinxext_heuristics.matching import Objects
    from sphinxext_heuristics.model import Connection, Entry, Evidence, Heuristic, Query
    from sphinxext_heuristics.pages import Pages, Place
    from sphinxext_heuristics.releases import Standing, Unusable

_RANK = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the documentation holds, beside heuristics."""

    #: The documented objects.
    objects: Objects
    #: The documented modules → where.
    modules: Mapping[str, tuple[str, str]]
    #: The pages and sections.
    pages: Pages
    #: The Python domain's other names of a documented name.
    canonical: Mapping[str, tuple[str, ...]]
    #: (kind of target, name) → URI in another project's inventory, or ``None``.
    external: Callable[[str, str], str | None]
    #: Name → what another project's inventory tells of this heuristic, or ``None``.
    elsewhere: Callable[[str], object]
    #: What the links in a heuristic's note lead to and say.
    link_state: Callable[[Heuristic], str]
    #: Documents without automatic heuristics.
    excluded: frozenset[str]
    #: The documented version, or ``""``.
    version: str
    #: Where a quote stands in the installed source, or why it was not found.
    verify: Callable[[Evidence], Found | Lost]
    #: Package → its installed version, or ``None``.
    installed: Callable[[str], str | None]
    #: The messages of errors and warnings that are quoted.
    messages: Callable[[Evidence], tuple[Message, ...]] = in_quote
    #: Which heuristic holds in which release; ``None`` where conf.py names no file of it.
    releases: Matrix | Unusable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a link leads: a place here, or a URI elsewhere."""

    docname: str = ""
    anchor: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A connection and what it was found to mean."""

    #: What the author wrote.
    connection: Connection
    #: Where it leads; ``None`` if it is missing.
    target: Target | None = None
    #: The documented names that it reaches.
    names: tuple[str, ...] = ()
    #: The page or section that it reaches.
    place: Place | None = None
    #: What it may mean, if that is several things.
    several: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the target is there."""
        return self.target is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An API entry that shows a heuristic."""

    name: str
    docname: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every page shows."""

    catalogue: Catalogue
    settings: Settings
    known: Known
    #: Document → the connections of each of its definitions.
    resolved: dict[str, tuple[tuple[Resolved, ...], ...]] = field(default_factory=dict)
    #: Name → digest, for each standing definition asked for.
    _looks: dict[str, str] = field(default_factory=dict, init=False)
    #: What queries have found.
    _selections: dict[object, tuple[Heuristic, ...]] = field(default_factory=dict, init=False)

    @property
    def heuristics(self) -> dict[str, Heuristic]:
        """Return name → the definition that stands, in the toctree's order."""
        return self.catalogue.heuristics

    @cached_property
    def positions(self) -> dict[str, tuple[str, int]]:
        """Return name → the document and position of the definition that stands."""
        found: dict[str, tuple[str, int]] = {}
        for docname in self.catalogue.docnames:
            for position, record in enumerate(self.catalogue.pages[docname].heuristics):
                found.setdefault(record.name, (docname, position))
        return found

    def connections(self, record: Heuristic) -> tuple[Resolved, ...]:
        """Return the resolved connections of a standing definition."""
        docname, position = self.positions[record.name]
        return self.resolved[docname][position]

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""
        return holds(record.since, record.until, self.known.version)

    @cached_property
    def releases(self) -> tuple[str, ...]:
        """Return the releases that the file of releases tells of, from the oldest to the newest."""
        matrix = self.known.releases
        return matrix.releases if isinstance(matrix, Matrix) else ()

    def standings(self, record: Heuristic) -> dict[str, Standing]:
        """Return release → how a heuristic stands there, as far as the file of releases tells."""
        matrix = self.known.releases
        return matrix.of(record) if isinstance(matrix, Matrix) else {}

    def version_of(self, evidence: Evidence) -> str:
        """Return the version of the package that is quoted, or ``""`` where none is known."""
        package = self.package_of(evidence)
        return (self.known.version if package == self.settings.package else self.known.installed(package)) or ""

    def package_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted: the documented one, which may be a part of another, or the top one."""
        named = self.settings.package
        return named if named and evidence.is_of(named) else evidence.package

    def said(self, record: Heuristic) -> tuple[tuple[Message, Evidence], ...]:
        """Return the messages that a heuristic's evidence quotes, each with the first evidence of its object."""
        found: dict[tuple[Message, str], tuple[Message, Evidence]] = {}
        for quoted in record.evidence:
            for message in self.known.messages(quoted):
                found.setdefault((message, quoted.object), (message, quoted))
        return tuple(found.values())

    @cached_property
    def entry_of(self) -> dict[str, Entry]:
        """Return documented name → its first API entry."""
        found: dict[str, Entry] = {}
        for _docname, entry in self.catalogue.entries:
            for name in entry.names:
                found.setdefault(name, entry)
        return found

    @cached_property
    def documented(self) -> frozenset[str]:
        """Return the packages whose versions the bounds mean: the one that is named, or all that have API entries."""
        named = self.settings.package
        return frozenset({named} if named else {name.partition(".")[0] for name in self.entry_of})

    @cached_property
    def applies(self) -> dict[str, dict[str, None]]:
        """Return heuristic → the documented names it applies to, `except` taken away."""
        return {record.name: dict.fromkeys(self._applies(record)) for record in self.heuristics.values()}

    def _applies(self, record: Heuristic) -> Iterator[str]:
        exceptions = [self.spellings(target) for target in record.excepts]
        for name in self.reached(record):
            own = self.own_names(name)
            if not any(excludes(t, own) for spelled in exceptions for t in spelled):
                yield name

    def reached(self, record: Heuristic) -> Iterable[str]:
        """Return the documented names that a heuristic's connections reach."""
        return dict.fromkeys(n for r in self.connections(record) for n in r.names)

    def spellings(self, target: str) -> tuple[str, ...]:
        """Return the names that an `except` target stands for."""
        return self.known.objects.spellings(target)

    def own_names(self, name: str) -> tuple[str, ...]:
        """Return the names that `except` judges a documented name by."""
        return own_names(self.entry_of[name], self.known.canonical)

    @property
    def is_unjudged(self) -> bool:
        """Return whether a package is named and there are bounds, but no version judges them."""
        bounded = (record.since or record.until for record in self.heuristics.values())
        return bool(self.settings.package) and not self.known.version and any(bounded)

    def is_inherited(self, entry: Entry) -> bool:
        """Return whether an entry is a copy of what another class defines."""
        return self.known.objects.is_inherited(entry.names[0])

    def is_shown(self, record: Heuristic) -> bool:
        """Return whether a heuristic is shown by itself where it applies."""
        return record.inject and self.holds(record)

    @cached_property
    def by_entry(self) -> dict[str, tuple[Heuristic, ...]]:
        """Return documented name → the heuristics its entries show, most severe first."""
        found: dict[str, list[Heuristic]] = {}
        for name, reached in self.applies.items():
            record = self.heuristics[name]
            for entry_name in reached if self.is_shown(record) else ():
                found.setdefault(entry_name, []).append(record)
        return {name: by_severity(records) for name, records in found.items()}

    @cached_property
    def by_page(self) -> dict[str, dict[str, tuple[Heuristic, ...]]]:
        """Return document → section id (``""``: the page) → the heuristics it shows."""
        found: dict[str, dict[str, dict[str, Heuristic]]] = {}
        for record in self.heuristics.values():
            for resolved in self.connections(record) if self.is_shown(record) else ():
                if resolved.place:
                    page = found.setdefault(resolved.place.docname, {})
                    page.setdefault(resolved.place.anchor, {})[record.name] = record
        return {
            docname: {anchor: by_severity(records.values()) for anchor, records in page.items()}
            for docname, page in found.items()
            if docname not in self.known.excluded
        }

    def of_entry(self, names: Iterable[str]) -> tuple[Heuristic, ...]:
        """Return the heuristics that an entry with these names shows, each once."""
        lists = [self.by_entry[name] for name in names if name in self.by_entry]
        if len(lists) < 2:  # noqa: PLR2004 - the common cases need no sorting
            return lists[0] if lists else ()
        return by_severity({r.name: r for records in lists for r in records}.values())

    @cached_property
    def shown_in(self) -> dict[str, tuple[Shown, ...]]:
        """Return heuristic → the API entries that show it, in the toctree's order."""
        found: dict[str, dict[Shown, None]] = {}
        if self.by_entry:
            for docname, entry in self.catalogue.entries:
                if docname in self.known.excluded or entry.by_hand:
                    continue
                records = self.of_entry(entry.names)
                if records and self.settings.inherited == "none" and self.is_inherited(entry):
                    continue
                for record in records:
                    shown = Shown(name=entry.names[0], docname=docname, anchor=entry.anchor)
                    found.setdefault(record.name, {})[shown] = None
        return {name: tuple(shown) for name, shown in found.items()}

    @cached_property
    def active(self) -> frozenset[str]:
        """Return the documents on which anything has to be placed."""
        found = set(self.by_page)
        for docname, page in self.catalogue.pages.items():
            if page.heuristics or page.queries or page.evidence:
                found.add(docname)
        if self.by_entry:
            for docname, entry in self.catalogue.entries:
                if any(name in self.by_entry for name in entry.names):
                    found.add(docname)
        return frozenset(found)

    def selection(self, query: Query) -> tuple[Heuristic, ...]:
        """Return the heuristics that a query asks for."""
        key = query.kind, query.filters
        if key not in self._selections:
            self._selections[key] = self._select(query)
        return self._selections[key]

    def _select(self, query: Query) -> tuple[Heuristic, ...]:
        records: Iterable[Heuristic] = self.heuristics.values()
        for kind, values in query.filters:
            wanted = {name for value in values for name in self._matching(kind, value)}
            records = [record for record in records if record.name in wanted]
        return by_severity(records) if query.kind == "for" else tuple(records)

    def _matching(self, kind: str, value: str) -> Iterator[str]:
        """Yield the names of the heuristics that one value of a query asks for."""
        if kind == "target" and value.startswith(CATEGORY):
            kind, value = "category", value.removeprefix(CATEGORY).strip()
        asked: list[object] = [value]
        if kind in {"impl", "target"}:
            asked += [("entry", name) for name in self.known.objects.find(value.lstrip("~")).names]
        if kind not in {"category", "severity"}:
            asked.append(self.known.pages.find(value).place)
        for one in asked:
            yield from self._by_value.get((kind, one), ())

    @cached_property
    def _by_value(self) -> dict[tuple[str, object], list[str]]:
        """(Kind of filter, what it may ask for) → the names of the heuristics that have it."""
        found: dict[tuple[str, object], list[str]] = {}
        for record in self.heuristics.values():
            had: list[tuple[str, object]] = [("category", category) for category in record.categories]
            had.append(("severity", record.severity))
            had += [(kind, ("entry", name)) for name in self.applies[record.name] for kind in ("impl", "target")]
            for resolved in self.connections(record):
                one = resolved.connection
                values = (one.target, one.text, resolved.place)
                had += [(kind, it) for it in values if it is not None for kind in (one.type, "target")]
            for key in dict.fromkeys(had):
                found.setdefault(key, []).append(record.name)
        return found

    @cached_property
    def digests(self) -> dict[str, str]:
        """Return document → digest of all that the extension shows there."""
        return {docname: self.digest(docname) for docname in self.catalogue.pages}

    def digest(self, docname: str) -> str:
        """Return a digest of all that the extension shows on a page; "" for nothing."""
        page = self.catalogue.pages[docname]
        parts: list[object] = []
        if docname in self.active:
            parts += self._shown_on(docname)
            for at, (record, resolved) in enumerate(zip(page.heuristics, self.resolved[docname], strict=True)):
                # Of definitions that are alike, the one that stands tells where it shows.
                parts += [self.positions.get(record.name) == (docname, at)]
                parts += [record, resolved, self.shown_in.get(record.name), self.holds(record), self.known.version]
                parts += [self.settings.package, self.known.link_state(record)]
            for evidence in page.evidence:
                parts += [evidence, self.known.verify(evidence), self.version_of(evidence)]
                parts += [self.settings.source_url, self.settings.package]
            for query in page.queries:
                parts += [query, self.settings.categories, self.settings.package, self.settings.max_shown]
                for record in self.selection(query):
                    if query.kind == "messages":
                        parts += [(message, quoted.object) for message, quoted in self.said(record)]
                    parts += [self.look(record), record.categories, record.since, record.until]
                    parts += [self.connections(record), self.holds(record), self.known.version]
                if query.kind == "releases":
                    parts += [self.releases, [self.standings(record) for record in self.selection(query)]]
        for role in page.roles:
            named = self.heuristics.get(self.settings.strip(role.target.strip()))
            parts.append((named.title, named.docname, named.anchor) if named else self.known.elsewhere(role.target))
        return digest(parts) if parts else ""

    def look(self, record: Heuristic) -> str:
        """Return a digest of all of a heuristic that another page shows of it."""
        if record.name not in self._looks:
            shown = record.name, record.title, record.note, record.severity, record.classes
            parts = (*shown, record.docname, record.anchor, self.known.link_state(record))
            self._looks[record.name] = digest(parts)
        return self._looks[record.name]

    def _shown_on(self, docname: str) -> list[object]:
        """Return what tells one state of a page's automatic heuristics from another."""
        if docname in self.known.excluded:
            return []
        parts: list[object] = [
            (entry.names, self.is_inherited(entry), tuple(map(self.look, records)))
            for entry in self.catalogue.pages[docname].entries
            if not entry.by_hand and (records := self.of_entry(entry.names))
        ]
        parts += [
            (anchor, tuple(map(self.look, records)))
            for anchor, records in sorted(self.by_page.get(docname, {}).items())
        ]
        how = self.settings.placement, self.settings.max_shown, self.settings.inherited
        return [how, *parts] if parts else []


def digest(parts: object) -> str:
    """Return a digest of plain data."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def by_severity(records: Iterable[Heuristic]) -> tuple[Heuristic, ...]:
    """Return heuristics with the most severe first, then by name."""
    return tuple(sorted(records, key=lambda r: (_RANK[r.severity], r.name)))


def make_plan(catalogue: Catalogue, settings: Settings, known: Known) -> Plan:
    """Resolve every connection of every definition."""
    resolver = Resolver(catalogue, known)
    return Plan(
        catalogue=catalogue,
        settings=settings,
        known=known,
        resolved={
            docname: tuple(tuple(map(resolver.resolve, record.connections)) for record in page.heuristics)
            for docname, page in catalogue.pages.items()
        },
    )


class Resolver:
    """Finds what connections mean."""

    def __init__(self, catalogue: Catalogue, known: Known) -> None:
        """Take where the API entries are."""
        self._known = known
        self._places: dict[str, Target] = {}
        for docname, entry in catalogue.entries:
            for name in entry.names:
                target = Target(docname=docname, anchor=entry.anchor)
                # An entry that can be linked to is better than one that cannot.
                if name not in self._places or not self._places[name].anchor:
                    self._places[name] = target

    def resolve(self, connection: Connection) -> Resolved:
        """Return what a connection means."""
        find = self._page if connection.type in PAGE_TYPES else self._object
        resolved = find(connection)
        if resolved.exists or resolved.several:
            return resolved
        uri = self._known.external(connection.type, connection.target)
        return Resolved(connection=connection, target=Target(uri=uri) if uri else None)

    def _page(self, connection: Connection) -> Resolved:
        match = self._known.pages.find(connection.target)
        if match.place is None:
            several = tuple(
                f"{place.docname}#{place.anchor}" if place.anchor else place.docname for place in match.places
            )
            return Resolved(connection=connection, several=several)
        target = Target(docname=match.place.docname, anchor=match.anchor)
        return Resolved(connection=connection, target=target, place=match.place)

    def _object(self, connection: Connection) -> Resolved:
        match = self._known.objects.find(connection.target)
        if match.objects:
            return Resolved(connection=connection, several=match.objects)
        if not match.exists:
            return Resolved(connection=connection)
        if match.module:
            docname, anchor = self._known.modules[match.module]
            target = Target(docname=docname, anchor=anchor)
            return Resolved(connection=connection, target=target)
        spelled = self._known.objects.spellings(connection.target)
        own = [name for name in match.names if name in spelled]
        target = self._places[(own or match.names)[0]]
        return Resolved(connection=connection, target=target, names=match.names)
