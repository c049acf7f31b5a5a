"""What is shown where: derived once a build from all that was read, and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from sphinxext_heuristics._core.model import CATEGORY
from sphinxext_heuristics._core.resolve.connections import Resolver
from sphinxext_heuristics._core.resolve.objects import excludes, own_names
from sphinxext_heuristics._core.resolve.verdicts import (
    Form,
    Reach,
    Reason,
    Shown,
    Verdict,
    by_severity,
    is_folded,
)
from sphinxext_heuristics._core.versions import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sphinxext_heuristics._core.config import Settings
    from sphinxext_heuristics._core.model import (
        Entry,
        Evidence,
        Heuristic,
        Message,
        Note,
    )
    from sphinxext_heuristics._core.resolve.catalogue import Catalogue, Lookups
    from sphinxext_heuristics._core.resolve.connections import Resolved

T = TypeVar("T")

#: Filter → values, any of which will do, as a query has them.
Filters: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(kw_only=True, eq=False, repr=False)
class Plan:
    """What every page shows."""

    catalogue: Catalogue
    settings: Settings
    lookups: Lookups
    #: Document → the connections of each of its definitions.
    resolved: dict[str, tuple[tuple[Resolved, ...], ...]] = field(default_factory=dict)
    _made: dict[Callable[[Plan], Any], Any] = field(default_factory=dict, init=False)
    _notes: dict[tuple[str, str], Note] = field(default_factory=dict, init=False)
    _titles: dict[str, dict[str, str]] = field(default_factory=dict, init=False)
    _selections: dict[Filters, tuple[Heuristic, ...]] = field(
        default_factory=dict, init=False
    )
    _verdicts: dict[str, tuple[tuple[Verdict, ...], ...]] = field(
        default_factory=dict, init=False
    )

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

    def named(self, target: str) -> Heuristic | None:
        """Return the heuristic that the role's *target* names, with or without the namespace, by any of its names."""
        return self.catalogue.by_name.get(self.settings.strip(target.strip()))

    def connections(self, record: Heuristic) -> tuple[Resolved, ...]:
        """Return the resolved connections of a standing definition."""
        docname, position = self.positions[record.name]
        return self.resolved[docname][position]

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""
        return holds(record.since, record.until, self.lookups.version)

    def version_of(self, evidence: Evidence) -> str:
        """Return the version of the package that is quoted, or ``""`` where none is known."""
        package = self.package_of(evidence)
        return (
            self.lookups.version
            if package == self.settings.package
            else self.lookups.installed(package)
        ) or ""

    def package_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted: the documented one, which may be a part of another, or the top one."""
        named = self.settings.package
        return named if named and evidence.is_of(named) else evidence.package

    def said(self, record: Heuristic) -> tuple[tuple[Message, Evidence], ...]:
        """Return the messages that a heuristic's evidence quotes, each with the first evidence of its object."""
        found: dict[tuple[Message, str], tuple[Message, Evidence]] = {}
        for quoted in record.evidence:
            for message in self.lookups.messages(quoted):
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
        return frozenset(
            {named} if named else {name.partition(".")[0] for name in self.entry_of}
        )

    def reached(self, record: Heuristic) -> Iterable[str]:
        """Return the documented names that a heuristic's connections reach."""
        return dict.fromkeys(
            name for resolved in self.connections(record) for name in resolved.reached
        )

    def own_names(self, name: str) -> tuple[str, ...]:
        """Return the names that `except` judges a documented name by."""
        return own_names(self.entry_of[name], self.lookups.canonical)

    # -- what is shown where ----------------------------------------------------------

    @cached_property
    def reach(self) -> dict[str, tuple[Reach, ...]]:
        """Return documented name → the heuristics that reach it, most severe first."""
        found: dict[str, list[Reach]] = {}
        for record in by_severity(self.heuristics.values()):
            exceptions = [
                (target, self.lookups.objects.aliases(target))
                for target in record.excepts
            ]
            reached: dict[str, Reach] = {}
            for resolved in self.connections(record):
                for name, rule in resolved.reached.items():
                    reached.setdefault(
                        name,
                        Reach(
                            record=record, target=resolved.connection.pattern, rule=rule
                        ),
                    )
            for name, reach in reached.items():
                own = self.own_names(name) if exceptions else ()
                excepted = next(
                    (
                        t
                        for t, spelled in exceptions
                        if any(excludes(one, own) for one in spelled)
                    ),
                    "",
                )
                fits = record.fits(self.entry_of[name])
                reason = (
                    Reason.EXCEPT if excepted else Reason.NONE if fits else Reason.PARAM
                )
                found.setdefault(name, []).append(
                    reach._replace(reason=reason, excepted=excepted)
                )
        return {name: tuple(reaches) for name, reaches in found.items()}

    def verdicts(self, docname: str) -> tuple[tuple[Verdict, ...], ...]:
        """Return, for each API entry of a page, what becomes of each heuristic that reaches it, most severe first."""
        if docname not in self._verdicts:
            entries = self.catalogue.pages[docname].entries
            above: dict[tuple[str, str], Entry] = {}
            self._verdicts[docname] = tuple(
                tuple(self._judge(docname, entry, above)) for entry in entries
            )
        return self._verdicts[docname]

    def verdict(self, docname: str, entry: Entry, name: str) -> Verdict | None:
        """Return what becomes of a heuristic in an API entry of a page; ``None`` if it does not reach it."""
        at = self.catalogue.pages[docname].entries.index(entry)
        return next(
            (one for one in self.verdicts(docname)[at] if one.record.name == name), None
        )

    def _judge(
        self, docname: str, entry: Entry, above: dict[tuple[str, str], Entry]
    ) -> Iterator[Verdict]:
        """Yield the verdicts of one entry; *above* has (object, heuristic) → the entry that shows it in full."""
        reaches = self._reaching(entry)
        if not reaches:
            return
        form, reason = Form.FULL, Reason.NONE
        if docname in self.lookups.excluded:
            reason = Reason.PAGE
        elif entry.by_hand:
            reason = Reason.BY_HAND
        elif self.settings.inherited in {
            "link",
            "none",
        } and self.lookups.objects.is_inherited(entry.names[0]):
            form = Form.LINE
            reason = (
                Reason.INHERITED if self.settings.inherited == "none" else Reason.NONE
            )
        reasons = [it.reason or self.withheld(it.record) or reason for it in reaches]
        firsts: list[Entry | None] = [None] * len(reasons)
        if self.settings.inherited == "once":
            identity = self.lookups.objects.identity(entry.names[0])
            keys = [(identity, it.record.name) for it in reaches]
            firsts = [above.get(key) for key in keys]
            for key, own in zip(keys, reasons, strict=True):
                if not own:
                    above.setdefault(key, entry)
        full = [
            it.record.name
            for it, own, first in zip(reaches, reasons, firsts, strict=True)
            if not (own or first)
        ]
        folded = {
            name
            for at, name in enumerate(full)
            if is_folded(at, len(full), self.settings.max_shown)
        }
        for reach, own, first in zip(reaches, reasons, firsts, strict=True):
            own_form = (
                Form.REPEATED
                if first
                else Form.FOLDED
                if reach.record.name in folded
                else Form.FULL
            )
            yield Verdict(
                record=reach.record,
                target=reach.target,
                rule=reach.rule,
                form=form if form is Form.LINE else own_form,
                reason=own,
                excepted=reach.excepted,
                above=first,
            )

    def _reaching(self, entry: Entry) -> Iterable[Reach]:
        """Return the heuristics that reach an entry under any of its names, each once."""
        lists = [reaches for name in entry.names if (reaches := self.reach.get(name))]
        if len(lists) < 2:  # noqa: PLR2004 - the common cases need no sorting
            return lists[0] if lists else ()
        found: dict[str, Reach] = {}
        for reach in (one for reaches in lists for one in reaches):
            had = found.get(reach.record.name)
            if had is None or had.reason:
                found[reach.record.name] = reach
        return sorted(found.values(), key=lambda reach: self.ranks[reach.record.name])

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Return heuristic → its place in the order in which heuristics are shown."""
        return {
            record.name: rank
            for rank, record in enumerate(by_severity(self.heuristics.values()))
        }

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
            docname: {
                anchor: by_severity(records.values())
                for anchor, records in page.items()
                if anchor not in self._by_hand(docname)
            }
            for docname, page in found.items()
            if docname not in self.lookups.excluded
        }

    def _by_hand(self, docname: str) -> frozenset[str]:
        """Return the sections of a page, by their ids, whose heuristics its author places."""
        queries = self.catalogue.pages[docname].queries
        asked = (
            value
            for query in queries
            for name, values in query.filters
            if name == "target"
            for value in values
        )
        places = (self.lookups.pages.find(value).place for value in asked)
        return frozenset(
            place.anchor for place in places if place and place.docname == docname
        )

    @cached_property
    def shown_in(self) -> dict[str, tuple[Shown, ...]]:
        """Return heuristic → the API entries that show it, in the toctree's order."""
        found: dict[str, dict[Shown, None]] = {}
        for docname in self.catalogue.docnames if self.reach else ():
            page = self.catalogue.pages[docname]
            for entry, verdicts in zip(
                page.entries, self.verdicts(docname), strict=True
            ):
                for verdict in verdicts:
                    if verdict.is_shown:
                        shown = Shown(
                            name=entry.names[0], docname=docname, anchor=entry.anchor
                        )
                        found.setdefault(verdict.record.name, {})[shown] = None
        return {name: tuple(shown) for name, shown in found.items()}

    @cached_property
    def mentioned_in(self) -> dict[str, tuple[str, ...]]:
        """Return heuristic → the other pages that link to it, in the toctree's order."""
        found: dict[str, dict[str, None]] = {}
        for docname in self.catalogue.docnames:
            page = self.catalogue.pages[docname]
            for target in (*(role.target for role in page.roles), *page.links):
                record = self.named(target)
                if record and record.docname != docname:
                    found.setdefault(record.name, {})[docname] = None
        return {name: tuple(docnames) for name, docnames in found.items()}

    def title(self, docname: str, anchor: str = "") -> str:
        """Return the title of a page or of a section of it; the name of a document without a title."""
        if docname not in self._titles:
            page = self.catalogue.pages[docname]
            sections = reversed([*zip(page.sections, page.titles, strict=True)])
            self._titles[docname] = {
                i: title for ids, title in sections for i in ("", *ids)
            }
        return self._titles[docname].get(anchor) or docname

    def note(self, record: Heuristic) -> Note:
        """Return a heuristic's note as other pages show it."""
        key = record.docname, record.anchor
        if key not in self._notes:
            self._notes[key] = self.lookups.settle(record)
        return self._notes[key]

    def once(self, make: Callable[[Plan], T]) -> T:
        """Return what a function makes of this plan, made once."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("T", self._made[make])

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
            asked += [
                ("entry", name, "")
                for name in self.lookups.objects.find(value.lstrip("~")).names
            ]
        if kind not in {"category", "severity"}:
            asked.append(self.lookups.pages.find(value).place)
        for one in asked:
            yield from self._by_value.get((kind, one), ())

    @cached_property
    def _by_value(self) -> dict[tuple[str, object], list[str]]:
        """(Kind of filter, what it may ask for) → the names of the heuristics that have it."""
        found: dict[tuple[str, object], list[str]] = {}
        for name, reaches in self.reach.items():
            for kind in ("impl", "target"):
                found[kind, ("entry", name, "")] = [
                    reach.record.name for reach in reaches if not reach.reason
                ]
        for record in self.heuristics.values():
            had: list[tuple[str, object]] = [
                ("category", category) for category in record.categories
            ]
            had.append(("severity", record.severity))
            for resolved in self.connections(record):
                one = resolved.connection
                values = (one.target, one.text, resolved.place)
                had += [
                    (kind, it)
                    for it in values
                    if it is not None
                    for kind in (one.type, "target")
                ]
            for key in dict.fromkeys(had):
                found.setdefault(key, []).append(record.name)
        return found


def make_plan(catalogue: Catalogue, settings: Settings, lookups: Lookups) -> Plan:
    """Resolve every connection of every definition."""
    resolver = Resolver(catalogue, settings, lookups)
    return Plan(
        catalogue=catalogue,
        settings=settings,
        lookups=lookups,
        resolved={
            docname: tuple(
                tuple(map(resolver.resolve, record.connections))
                for record in page.heuristics
            )
            for docname, page in catalogue.pages.items()
        },
    )
