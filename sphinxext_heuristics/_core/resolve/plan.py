"""What is shown where: derived once a build from all that was read, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, wraps
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from ..diagnostics import closest
from ..model import CATEGORY, Entry, Evidence, Found, Heuristic, Lost, Message, Note
from ..versions import holds
from .catalogue import Catalogue
from .connections import resolve
from .listing import Link, bounds, links, short_name
from .objects import Objects, Resolved, Rule, excludes
from .pages import External, Pages, Place
from .verdicts import Reach, Shown, Verdict, by_severity, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ..config import Settings
    from ..source.packages import Sources

Asked = TypeVar("Asked", bound="Callable[..., Any]")

#: Filter → values, any of which will do, as a query has them.
Filters: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def once(ask: Asked) -> Asked:
    """Let what a plan answers to some arguments be found once."""

    @wraps(ask)
    def answer(plan: Plan, *arguments: Any) -> Any:  # noqa: ANN401 - what is asked
        key = (ask, *arguments)
        if key not in plan.answers:
            plan.answers[key] = ask(plan, *arguments)
        return plan.answers[key]

    return cast("Asked", answer)


@dataclass(kw_only=True, eq=False, repr=False)
class Plan(Catalogue):
    """What every page shows: all that was read, and what other parts say of it."""

    settings: Settings
    #: The documented objects.
    objects: Objects
    #: The pages and sections.
    page_names: Pages
    #: The inventories of other projects.
    external: External
    #: The source of packages.
    sources: Sources
    #: A heuristic's note as other pages show it.
    settle: Callable[[Heuristic], Note]
    #: Documents without automatic heuristics.
    excluded: frozenset[str]
    #: The documented version, or ``""``.
    version: str
    #: Where a quote stands in the installed source, or why it was not found.
    verify: Callable[[Evidence], Found | Lost]
    #: Package → its installed version, or ``None``.
    installed: Callable[[str], str | None]
    #: The messages of errors and warnings that are quoted.
    quoted_messages: Callable[[Evidence], tuple[Message, ...]]
    #: The source directory.
    srcdir: Path
    #: What was asked for already.
    answers: dict[tuple[Any, ...], Any] = field(default_factory=dict, init=False)

    @property
    def package(self) -> str:
        """Return the documented package, or ``""``."""
        return self.settings.package

    def entries(self, docname: str) -> tuple[Entry, ...]:
        """Return the API entries of a page."""
        return self.pages[docname].entries

    # -- the heuristics ---------------------------------------------------------------

    def named(self, target: str) -> Heuristic | None:
        """Return the heuristic that a role's *target* names, by any of its names."""
        return self.by_name.get(self.settings.strip(target.strip()))

    @once
    def connections(self, record: Heuristic) -> tuple[Resolved, ...]:
        """Return the resolved connections of a definition."""
        return tuple(resolve(self, connection) for connection in record.connections)

    def links(self, record: Heuristic, *, marks: bool = False) -> tuple[Link, ...]:
        """Return connections for an index: with titles, or as written with *marks*."""

        def called(resolved: Resolved) -> str:
            place, connection = resolved.place, resolved.connection
            if place and not marks and not connection.text:
                return self.title(place.docname, place.anchor)
            return short_name(connection, self.package)

        return links(self.connections(record), called)

    @once
    def note(self, record: Heuristic) -> Note:
        """Return a heuristic's note as other pages show it."""
        return self.settle(record)

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""
        return holds(record.since, record.until, self.version)

    # -- what they quote --------------------------------------------------------------

    def package_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted.

        That is the documented one, which may be a part of another, or the top one.
        """
        named = self.package
        return named if named and evidence.is_of(named) else evidence.package

    def version_of(self, evidence: Evidence) -> str:
        """Return the version of the package that is quoted; ``""`` if it is unknown."""
        package = self.package_of(evidence)
        if package == self.package:
            return self.version
        return self.installed(package) or ""

    def release_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted and its version, as far as it is known."""
        return f"{self.package_of(evidence)} {self.version_of(evidence)}".strip()

    def messages(self, record: Heuristic) -> tuple[tuple[Message, Evidence], ...]:
        """Return the messages that a heuristic quotes, once for each object.

        Each comes with the first evidence that quotes it from there. What is quoted
        from nowhere is a fault.
        """
        found: dict[tuple[Message, str], tuple[Message, Evidence]] = {}
        for quoted in filter(attrgetter("module"), record.evidence):
            for message in self.quoted_messages(quoted):
                found.setdefault((message, quoted.object), (message, quoted))
        return tuple(found.values())

    @cached_property
    def documented_packages(self) -> frozenset[str]:
        """Return the packages that names of entries and of their objects begin with."""
        found: set[str] = set()
        for name in self.objects.names:
            for known in (name, *self.objects.lineage(name)):
                found.add(known.partition(".")[0])
        return frozenset(found)

    # -- what they reach --------------------------------------------------------------

    @cached_property
    def entry_of(self) -> dict[str, Entry]:
        """Map each documented name to its first API entry."""
        found: dict[str, Entry] = {}
        for _docname, entry in reversed(self.all_entries):
            found.update(dict.fromkeys(entry.names, entry))
        return found

    def reached(self, record: Heuristic) -> Iterable[str]:
        """Return the documented names that a heuristic's connections reach."""
        found: dict[str, Rule] = {}
        for resolved in self.connections(record):
            found |= resolved.reached
        return found

    @cached_property
    def by_severity(self) -> tuple[Heuristic, ...]:
        """Return the heuristics in the order in which they are shown."""
        return by_severity(self.heuristics.values())

    @cached_property
    def reach(self) -> dict[str, dict[str, Verdict]]:
        """Map each documented name to the heuristics that reach it, most severe first.

        The verdicts are those of the name alone: no page has had its say.
        """
        found: dict[str, dict[str, Verdict]] = {}
        for record in self.by_severity:
            for order, resolved in enumerate(self.connections(record)):
                is_wide = resolved.connection.is_wide
                for name, rule in resolved.reached.items():
                    reach = Reach.WIDE if is_wide else Reach.NAMED
                    if rule is Rule.INHERITED:
                        reach = max(reach, Reach.INHERITED)
                    verdict = Verdict(
                        record=record,
                        target=resolved.connection.pattern,
                        rule=rule,
                        order=order,
                        reach=reach,
                        reason=self._why_excepted(record, name, is_wide=is_wide),
                    )
                    verdicts = found.setdefault(name, {})
                    before = verdicts.get(record.name, verdict)
                    verdicts[record.name] = before.merged(verdict)
        return found

    def _why_excepted(self, record: Heuristic, name: str, *, is_wide: bool) -> str:
        """Return why a heuristic leaves out a name that a target reaches, or ``""``."""
        for target in record.excepts:
            if self.excludes(target, self.own_names(name)):
                return f"except {target}"
        if is_wide and not record.fits(self.entry_of[name]):
            return "it shows no parameter of param"
        return ""

    def namesakes(self, record: Heuristic) -> Iterator[str]:
        """Yield the documented names that end as a target does and are not reached.

        They are other objects, such as overrides.
        """
        reached = set(self.reached(record))
        lasts = set()
        for resolved in self.connections(record):
            connection = resolved.connection
            is_here = resolved.reached or resolved.several
            if connection.type == "impl" and is_here:
                lasts.add(connection.target.rpartition(".")[2])
        for name in self.objects.names:
            if name.rpartition(".")[2] in lasts and name not in reached:
                yield name

    def own_names(self, name: str) -> list[str]:
        """Return the names that `except` judges a documented name by."""
        return self.objects.own_names(self.entry_of[name])

    def excludes(self, target: str, names: Iterable[str]) -> bool:
        """Return whether an `except` target, by any of its names, excludes *names*."""
        aliases = self.objects.aliases(target)
        return any(excludes(alias, names) for alias in aliases)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Map each heuristic to its place in the order in which they are shown."""
        return {record.name: rank for rank, record in enumerate(self.by_severity)}

    # -- what is shown where ----------------------------------------------------------

    def withheld(self, record: Heuristic) -> str:
        """Return why a heuristic is shown nowhere automatically, or ``""``."""
        if not record.inject:
            return "it has no-inject"
        if not self.holds(record):
            version = self.version
            return f"it holds for {bounds(record)}, and {version} is documented"
        return ""

    def kept_free(self, docname: str) -> str:
        """Return why a page shows no heuristic automatically, or ``""``."""
        if docname in self.excluded:
            return f"{docname} is kept free by heuristics_exclude or no-heuristics"
        return ""

    @once
    def verdicts(self, docname: str) -> tuple[tuple[Verdict, ...], ...]:
        """Return the verdicts of each API entry of a page, most severe first."""
        return judge(self, docname)

    @property
    def judged(self) -> Iterator[tuple[str, Entry, Verdict]]:
        """Yield each verdict with its document and API entry, in their order."""
        for docname, page in self.pages.items():
            judged = zip(page.entries, self.verdicts(docname), strict=True)
            for entry, verdicts in judged:
                for verdict in verdicts:
                    yield docname, entry, verdict

    @cached_property
    def shown_in(self) -> dict[str, tuple[Shown, ...]]:
        """Map each heuristic to the API entries that show it, in their order."""
        found: dict[str, dict[Shown, None]] = {}
        for docname, entry, verdict in self.judged:
            if verdict.is_shown:
                shown = Shown(
                    name=entry.names[0],
                    docname=docname,
                    anchor=entry.anchor,
                    reach=verdict.reach,
                    parameter=verdict.parameter,
                )
                found.setdefault(verdict.record.name, {})[shown] = None
        return {name: tuple(shown) for name, shown in found.items()}

    @cached_property
    def by_page(self) -> dict[str, dict[str, list[Heuristic]]]:
        """Map each document, and ids of its sections, to what it shows automatically.

        The id of the page as a whole is ``""``.
        """
        found: dict[str, dict[str, list[Heuristic]]] = {}
        for record in self.by_severity:
            places = [resolved.place for resolved in self.connections(record)]
            for place in dict.fromkeys(places):
                if place and not self.withheld_at(record, place):
                    page = found.setdefault(place.docname, {})
                    page.setdefault(place.anchor, []).append(record)
        return found

    @cached_property
    def shown_on(self) -> dict[str, list[Place]]:
        """Map each heuristic to the pages and sections that show it, in their order."""
        found: dict[str, list[Place]] = {}
        for docname in self.docnames:
            for anchor, records in sorted(self.by_page.get(docname, {}).items()):
                for record in records:
                    found.setdefault(record.name, []).append(Place(docname, anchor))
        return found

    def withheld_at(self, record: Heuristic, place: Place) -> str:
        """Return why a page or section of it does not show a heuristic, or ``""``."""
        reason = self.withheld(record) or self.kept_free(place.docname)
        if not reason and place in self._by_hand:
            reason = "this page has a heuristics-for"
        return reason

    @cached_property
    def _by_hand(self) -> set[Place]:
        """Return the pages and sections whose own `heuristics-for` names them."""
        found = set()
        for docname, page in self.pages.items():
            for query in page.queries:
                for target in query.option("target") or ():
                    place = self.page_names.find(target).place
                    if place and place.docname == docname:
                        found.add(place)
        return found

    @cached_property
    def mentioned_in(self) -> dict[str, dict[str, None]]:
        """Map each heuristic to the other pages that link to it, in their order."""
        found: dict[str, dict[str, None]] = {}
        for docname, page in self.pages.items():
            for target in page.targets:
                record = self.named(target)
                if record and record.docname != docname:
                    found.setdefault(record.name, {})[docname] = None
        return found

    def is_linked(self, record: Heuristic, docname: str) -> bool:
        """Return whether another page than its own links to a heuristic."""
        return docname in self.mentioned_in.get(record.name, ())

    def closest(self, name: str) -> Iterable[str]:
        """Return the heuristics, objects, pages and labels most like a name."""
        near = (
            *closest(name, self.heuristics, 1),
            *self.objects.closest(name),
            *self.page_names.closest(name),
        )
        return dict.fromkeys(near)

    def title(self, docname: str, anchor: str = "") -> str:
        """Return the title of a page or of a section of it, or else the page's name."""
        return self._titles(docname).get(anchor) or docname

    @once
    def _titles(self, docname: str) -> dict[str, str]:
        """Map each id of a page's sections, and ``""`` for the page, to the title."""
        page = self.pages[docname]
        found: dict[str, str] = {}
        for ids, title in zip(page.sections, page.titles, strict=True):
            for section_id in ("", *ids):
                found.setdefault(section_id, title)
        return found

    @once
    def selection(self, filters: Filters) -> tuple[Heuristic, ...]:
        """Return the heuristics that filters choose, in the toctree's order."""
        records = tuple(self.heuristics.values())
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
            for name in self.objects.find(value.lstrip("~")).reached:
                for heuristic, verdict in self.reach.get(name, {}).items():
                    if verdict.is_shown:
                        yield heuristic
        if kind == "target" and (record := self.named(value)):
            yield record.name
        yield from self._by_value.get((kind, value), ())
        if place := self.page_names.find(value).place:
            yield from self._by_value.get((kind, place), ())

    @cached_property
    def _by_value(self) -> dict[tuple[str, object], list[str]]:
        """Map each kind of filter and what it may name to the heuristics' names."""
        found: dict[tuple[str, object], list[str]] = {}
        for record in self.heuristics.values():
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
