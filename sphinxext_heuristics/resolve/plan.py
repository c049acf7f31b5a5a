"""What is shown where: derived once a build from all that was read, and kept nowhere."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sphinxext_heuristics.messages import in_quote
from sphinxext_heuristics.model import CATEGORY, PAGE_TYPES, SEVERITIES, Target
from sphinxext_heuristics.releases.matrix import Matrix
from sphinxext_heuristics.resolve.objects import excludes, own_names
from sphinxext_heuristics.versions import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.evidence import Found, Lost
    from sphinxext_heuristics.messages import Message
    from sphinxext_heuristics.model import Connection, Entry, Evidence, Heuristic, Note
    from sphinxext_heuristics.releases.matrix import Standing, Unusable
    from sphinxext_heuristics.resolve.catalogue import Catalogue
    from sphinxext_heuristics.resolve.objects import Objects, Rule
    from sphinxext_heuristics.resolve.pages import Pages, Place

#: Filter → values, any of which will do, as a query has them.
Filters: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]

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
    #: A heuristic's note as other pages show it.
    settle: Callable[[Heuristic], Note]
    #: Whether the builder at work shows pictures that Graphviz draws.
    draws: bool = False
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
class Resolved:
    """A connection and what it was found to mean."""

    #: What the author wrote.
    connection: Connection
    #: Where it leads; ``None`` if it is missing.
    target: Target | None = None
    #: The documented names that it reaches, each with the rule by which.
    reached: Mapping[str, Rule] = field(default_factory=dict)
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


class Form(enum.Enum):
    """How an API entry shows a heuristic."""

    FULL = enum.auto()
    #: In full, in what is collapsed.
    FOLDED = enum.auto()
    #: In one line.
    LINE = enum.auto()


class Reason(enum.Enum):
    """Why an API entry does not show a heuristic that reaches it."""

    NONE = ""
    EXCEPT = "an entry of `except`"
    NO_INJECT = "the flag `no-inject`"
    VERSION = "the bounds"
    PAGE = "a page that is kept free"
    BY_HAND = "a `heuristics-for` in the entry"
    INHERITED = "an inherited copy, and these show nothing"

    def __bool__(self) -> bool:
        """Return whether there is a reason."""
        return bool(self.value)


class Reach(NamedTuple):
    """A heuristic that reaches a documented name."""

    record: Heuristic
    #: The first target of it that does.
    target: str
    #: Why that reaches the name.
    rule: Rule
    #: The target of `except` that takes it away again, or ``""``.
    excepted: str = ""


class Verdict(NamedTuple):
    """What becomes of a heuristic in an API entry that it reaches."""

    record: Heuristic
    #: The first target of it that reaches the entry.
    target: str
    #: Why that does.
    rule: Rule
    #: How it is shown, if it is.
    form: Form
    #: Why it is not.
    reason: Reason
    #: The target of `except` that is the reason, or ``""``.
    excepted: str

    @property
    def is_shown(self) -> bool:
        """Whether the entry shows it."""
        return not self.reason


@dataclass(kw_only=True)
class Plan:
    """What every page shows."""

    catalogue: Catalogue
    settings: Settings
    known: Known
    #: Document → the connections of each of its definitions.
    resolved: dict[str, tuple[tuple[Resolved, ...], ...]] = field(default_factory=dict)
    _notes: dict[tuple[str, str], Note] = field(default_factory=dict, init=False)
    _selections: dict[Filters, tuple[Heuristic, ...]] = field(default_factory=dict, init=False)
    _verdicts: dict[str, tuple[tuple[Verdict, ...], ...]] = field(default_factory=dict, init=False)

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

    def reached(self, record: Heuristic) -> Iterable[str]:
        """Return the documented names that a heuristic's connections reach."""
        return dict.fromkeys(name for resolved in self.connections(record) for name in resolved.reached)

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

    # -- what is shown where ----------------------------------------------------------

    @cached_property
    def reach(self) -> dict[str, tuple[Reach, ...]]:
        """Return documented name → the heuristics that reach it, most severe first."""
        found: dict[str, list[Reach]] = {}
        for record in by_severity(self.heuristics.values()):
            exceptions = [(target, self.known.objects.spellings(target)) for target in record.excepts]
            reached: dict[str, Reach] = {}
            for resolved in self.connections(record):
                for name, rule in resolved.reached.items():
                    reached.setdefault(name, Reach(record=record, target=resolved.connection.target, rule=rule))
            for name, reach in reached.items():
                own = self.own_names(name) if exceptions else ()
                excepted = (t for t, spelled in exceptions if any(excludes(one, own) for one in spelled))
                found.setdefault(name, []).append(reach._replace(excepted=next(excepted, "")))
        return {name: tuple(reaches) for name, reaches in found.items()}

    def verdicts(self, docname: str) -> tuple[tuple[Verdict, ...], ...]:
        """Return, for each API entry of a page, what becomes of each heuristic that reaches it, most severe first."""
        if docname not in self._verdicts:
            entries = self.catalogue.pages[docname].entries
            self._verdicts[docname] = tuple(tuple(self._judge(docname, entry)) for entry in entries)
        return self._verdicts[docname]

    def verdict(self, docname: str, entry: Entry, name: str) -> Verdict | None:
        """Return what becomes of a heuristic in an API entry of a page; ``None`` if it does not reach it."""
        at = self.catalogue.pages[docname].entries.index(entry)
        return next((one for one in self.verdicts(docname)[at] if one.record.name == name), None)

    def _judge(self, docname: str, entry: Entry) -> Iterator[Verdict]:
        """Yield the verdicts of one entry; what is said of all of its heuristics is asked once."""
        reaches = self._reaching(entry)
        if not reaches:
            return
        form, reason = Form.FULL, Reason.NONE
        if docname in self.known.excluded:
            reason = Reason.PAGE
        elif entry.by_hand:
            reason = Reason.BY_HAND
        elif self.settings.inherited != "show" and self.is_inherited(entry):
            form = Form.LINE
            reason = Reason.INHERITED if self.settings.inherited == "none" else Reason.NONE
        number = 0
        for reach in reaches:
            own = Reason.EXCEPT if reach.excepted else self.withheld(reach.record) or reason
            folded = form is Form.FULL and number >= self.settings.max_shown
            number += own is Reason.NONE
            yield Verdict(
                record=reach.record,
                target=reach.target,
                rule=reach.rule,
                form=Form.FOLDED if folded else form,
                reason=own,
                excepted=reach.excepted,
            )

    def _reaching(self, entry: Entry) -> Iterable[Reach]:
        """Return the heuristics that reach an entry under any of its names, each once."""
        lists = [reaches for name in entry.names if (reaches := self.reach.get(name))]
        if len(lists) < 2:  # noqa: PLR2004 - the common cases need no sorting
            return lists[0] if lists else ()
        found: dict[str, Reach] = {}
        for reach in (one for reaches in lists for one in reaches):
            had = found.get(reach.record.name)
            if had is None or had.excepted:
                found[reach.record.name] = reach
        order = {record.name: rank for rank, record in enumerate(by_severity(r.record for r in found.values()))}
        return sorted(found.values(), key=lambda reach: order[reach.record.name])

    def withheld(self, record: Heuristic) -> Reason:
        """Return why a heuristic is shown nowhere automatically."""
        if not record.inject:
            return Reason.NO_INJECT
        return Reason.NONE if self.holds(record) else Reason.VERSION

    @cached_property
    def by_page(self) -> dict[str, dict[str, tuple[Heuristic, ...]]]:
        """Return document → section id (``""``: the page) → the heuristics it shows."""
        found: dict[str, dict[str, dict[str, Heuristic]]] = {}
        for record in self.heuristics.values():
            for resolved in () if self.withheld(record) else self.connections(record):
                if resolved.place:
                    page = found.setdefault(resolved.place.docname, {})
                    page.setdefault(resolved.place.anchor, {})[record.name] = record
        return {
            docname: {anchor: by_severity(records.values()) for anchor, records in page.items()}
            for docname, page in found.items()
            if docname not in self.known.excluded
        }

    @cached_property
    def shown_in(self) -> dict[str, tuple[Shown, ...]]:
        """Return heuristic → the API entries that show it, in the toctree's order."""
        found: dict[str, dict[Shown, None]] = {}
        for docname in self.catalogue.docnames if self.reach else ():
            page = self.catalogue.pages[docname]
            for entry, verdicts in zip(page.entries, self.verdicts(docname), strict=True):
                for verdict in verdicts:
                    if verdict.is_shown:
                        shown = Shown(name=entry.names[0], docname=docname, anchor=entry.anchor)
                        found.setdefault(verdict.record.name, {})[shown] = None
        return {name: tuple(shown) for name, shown in found.items()}

    def note(self, record: Heuristic) -> Note:
        """Return a heuristic's note as other pages show it."""
        key = record.docname, record.anchor
        if key not in self._notes:
            self._notes[key] = self.known.settle(record)
        return self._notes[key]

    # -- what is asked for ------------------------------------------------------------

    def selection(self, filters: Filters) -> tuple[Heuristic, ...]:
        """Return the heuristics that filters choose, in the toctree's order."""
        if filters not in self._selections:
            self._selections[filters] = tuple(self._select(filters))
        return self._selections[filters]

    def _select(self, filters: Filters) -> Iterable[Heuristic]:
        records: Iterable[Heuristic] = self.heuristics.values()
        for kind, values in filters:
            wanted = {name for value in values for name in self._matching(kind, value)}
            records = [record for record in records if record.name in wanted]
        return records

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
        for name, reaches in self.reach.items():
            for kind in ("impl", "target"):
                found[kind, ("entry", name)] = [reach.record.name for reach in reaches if not reach.excepted]
        for record in self.heuristics.values():
            had: list[tuple[str, object]] = [("category", category) for category in record.categories]
            had.append(("severity", record.severity))
            for resolved in self.connections(record):
                one = resolved.connection
                values = (one.target, one.text, resolved.place)
                had += [(kind, it) for it in values if it is not None for kind in (one.type, "target")]
            for key in dict.fromkeys(had):
                found.setdefault(key, []).append(record.name)
        return found


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
        own = [name for name in match.reached if name in spelled]
        target = self._places[(own or match.names)[0]]
        return Resolved(connection=connection, target=target, reached=match.reached)
