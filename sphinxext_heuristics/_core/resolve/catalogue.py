"""All that was read, under the names by which it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..config import Settings
from ..model import SEVERITIES, Address, Entry, Heuristic, Mention, Page
from ..problems import Problem, Subtype
from ..versions import holds
from .pages import fold
from .records import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_GRAVEST = SEVERITIES[::-1]


@dataclass(eq=False, repr=False)
class Catalogue:
    """The heuristics, pages and API entries that there are, under all their names."""

    #: Document → what was read from it, in the toctree's order.
    pages: Mapping[str, Page]
    #: What conf.py says.
    settings: Settings = field(default_factory=Settings)
    #: The documented version, or ``""``.
    version: str = ""
    #: What conf.py calls it, or ``""``: of another project, the version itself.
    release: str = ""
    #: Each label → its document and id.
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """Return the documented package, or ``""``."""
        return self.settings.package

    @property
    def docnames(self) -> tuple[str, ...]:
        """Return the documents in their order."""
        return tuple(self.pages)

    def entries(self, docname: str) -> tuple[Entry, ...]:
        """Return the API entries of a page."""
        return self.pages[docname].entries

    # -- the heuristics ---------------------------------------------------------------

    @property
    def definitions(self) -> Iterator[Heuristic]:
        """Yield every definition, repeated ones included."""
        for page in self.pages.values():
            yield from page.heuristics

    @cached_property
    def heuristics(self) -> dict[str, Heuristic]:
        """Map each name to the definition in effect: the first of a folded name."""
        first: dict[str, Heuristic] = {}
        for record in self.definitions:
            if record.name and not self.own_page(record):
                first.setdefault(fold(record.name), record)
        return {record.name: record for record in first.values()}

    def own_page(self, record: Heuristic) -> str:
        """Return the page that a definition is written in, where others include it.

        That is ``""`` for the definition there.
        """
        docname = self._own_pages.get((record.source, record.line), record.docname)
        return docname if docname != record.docname else ""

    @cached_property
    def _own_pages(self) -> dict[tuple[str, int], str]:
        """Map the place of each definition in its own document to that document."""
        found = {}
        for record in self.definitions:
            path = PurePath(record.source).with_suffix("").as_posix()
            if path.endswith(f"/{record.docname}"):
                found[record.source, record.line] = record.docname
        return found

    @cached_property
    def by_name(self) -> dict[str, Heuristic]:
        """Map each name, present or former, to its definition; present names win."""
        former: dict[str, Heuristic] = {}
        for record in reversed(self.heuristics.values()):
            former.update(dict.fromkeys(record.former_names, record))
        return former | self.heuristics

    @cached_property
    def _by_fold(self) -> dict[str, Heuristic]:
        """Map each folded name to its definition; a former name yields to a name."""
        names = [*self.by_name.items(), *self.heuristics.items()]
        return {fold(name): record for name, record in names}

    def lookup(self, target: str) -> Heuristic | None:
        """Return the heuristic that a role's *target* names, by any of its names."""
        return self.by_name.get(self.settings.strip(target.strip()))

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""
        return holds(record.since, record.until, self.version)

    @cached_property
    def by_weight(self) -> tuple[Heuristic, ...]:
        """Return the heuristics in the order in which entries and pages show them."""
        return by_weight(self.heuristics.values())

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Map each heuristic to its place in this order."""
        return {record.name: rank for rank, record in enumerate(self.by_weight)}

    def is_page(self, record: Heuristic) -> bool:
        """Return whether a definition is a page of its own."""
        return record.anchor in next(iter(self.pages[record.docname].sections), ())

    def find_in_any_case(self, name: str) -> Heuristic | None:
        """Return the definition of a name, in any case and with ``-`` for ``_``."""
        return self._by_fold.get(fold(name))

    @cached_property
    def mentioned_in(self) -> dict[str, dict[str, None]]:
        """Map each heuristic to the other pages that link to it, in their order."""
        found: dict[str, dict[str, None]] = {}
        for docname, page in self.pages.items():
            for mention in page.mentions:
                record = self.mentioned(mention)
                if record and record.docname != docname:
                    found.setdefault(record.name, {})[docname] = None
        return found

    def mentioned(self, mention: Mention) -> Heuristic | None:
        """Return the heuristic that a link leads to, if it is one."""
        labelled = self.labels.get(mention.label, ("", ""))
        return (
            self.lookup(mention.name)
            or self._by_id.get(labelled)
            or self._by_id.get((mention.docname, mention.anchor))
        )

    @cached_property
    def _by_id(self) -> dict[tuple[str, str], Heuristic]:
        """Map each document and id of a definition to the heuristic in effect.

        The id of one that is a page of its own may be ``""``.
        """
        found: dict[tuple[str, str], Heuristic] = {}
        for written in self.definitions:
            record = self.find_in_any_case(written.name)
            if record is not None:
                ids = ("", *written.ids) if self.is_page(written) else written.ids
                keys = ((written.docname, anchor) for anchor in ids)
                found.update(dict.fromkeys(keys, record))
        return found

    def is_linked(self, record: Heuristic, place: Place) -> bool:
        """Return whether the own text of a page or section links to a heuristic."""
        return (record.name, place) in self._linked

    @cached_property
    def _linked(self) -> set[tuple[str, Place]]:
        """Return heuristics with the pages and sections whose text links to them."""
        found: set[tuple[str, Place]] = set()
        for docname, page in self.pages.items():
            for mention in page.mentions:
                if mention.is_own and (record := self.mentioned(mention)):
                    anchors = ("", *mention.sections)
                    places = (Place(docname, anchor) for anchor in anchors)
                    found.update((record.name, place) for place in places)
        return found

    # -- the pages and their API entries ----------------------------------------------

    def title(self, docname: str, anchor: str = "") -> str:
        """Return the title of a page or of a section of it, or else the page's name."""
        return self._titles.get((docname, anchor)) or docname

    @cached_property
    def _titles(self) -> dict[tuple[str, str], str]:
        """Map each page with each id of its sections to the title.

        The id of the page as a whole is ``""``.
        """
        found: dict[tuple[str, str], str] = {}
        for docname, page in self.pages.items():
            for ids, title in zip(page.sections, page.titles, strict=True):
                for section_id in ("", *ids):
                    found.setdefault((docname, section_id), title)
        return found

    @cached_property
    def all_entries(self) -> tuple[tuple[str, Entry], ...]:
        """Return each API entry with its document."""
        found: list[tuple[str, Entry]] = []
        for docname, page in self.pages.items():
            found += [(docname, entry) for entry in page.entries]
        return tuple(found)

    @cached_property
    def addresses(self) -> dict[str, Address]:
        """Map each documented name to where a link to it leads."""
        found: dict[str, Address] = {}
        for docname, entry in self.all_entries:
            for name in entry.names:
                # An entry that can be linked to is better than one that cannot.
                if name not in found or not found[name].anchor:
                    found[name] = Address(docname=docname, anchor=entry.anchor)
        return found

    @cached_property
    def entry_of(self) -> dict[str, Entry]:
        """Map each documented name to its first API entry."""
        found: dict[str, Entry] = {}
        for _docname, entry in reversed(self.all_entries):
            found.update(dict.fromkeys(entry.names, entry))
        return found

    # -- repeated definitions ---------------------------------------------------------

    def defined_in(self, docname: str, entry: Entry) -> set[str]:
        """Return the heuristics whose definition the documentation of an entry holds.

        A docstring that inheritance repeats holds it, too.
        """
        records = [self.pages[docname].heuristics[at] for at in entry.defines]
        return {
            record.name
            for record in records
            if self.find_in_any_case(record.name) is record or self.is_repeated(record)
        }

    def is_repeated(self, record: Heuristic) -> bool:
        """Return whether a definition repeats the one in effect, which is no fault.

        It does where two pages include its file: what is written, its file and its line
        are the same. A docstring is shown again by inheritance and under other names,
        and its file and line are then those that somebody was asked for: there what is
        written decides alone.
        """
        first = self.find_in_any_case(record.name) or record
        return first is not record and _written(first) == _written(record)

    def duplicates(self) -> Iterator[Problem]:
        """Yield a problem for each further definition of a name.

        One that inheritance or an include repeats is the same definition.
        """
        for record in self.definitions:
            first = self.find_in_any_case(record.name) or record
            if first is record or self.is_repeated(record):
                continue
            message = (
                f"heuristic {record.name!r} is defined here and in "
                f"{first.source}:{first.line}, which is used"
            )
            if first.name != record.name:
                message += f": its name {first.name!r} differs only in case, '-' or '_'"
            yield Problem.at(record, Subtype.DUPLICATE, message)
        for record in self.heuristics.values():
            for name in record.former_names:
                has = self._by_fold[fold(name)]
                if has is record:
                    continue
                kind, what = Subtype.DUPLICATE, "the name of"
                if fold(has.name) != fold(name):
                    kind, what = Subtype.OPTION, "also a former name of"
                where = f"heuristic {has.name!r}, {has.source}:{has.line}"
                message = f"the former name {name!r} is {what} {where}"
                yield Problem.at(record, kind, message, "former-names", name)


def by_weight(records: Iterable[Heuristic]) -> tuple[Heuristic, ...]:
    """Return heuristics as entries and pages show them: each danger, then by weight.

    *records* are in the toctree's order, which decides between equals. An index lists
    them by severity.
    """
    return tuple(sorted(records, key=rank))


def rank(record: Heuristic) -> tuple[bool, int, int]:
    """Return what `by_weight` orders by."""
    is_danger = record.severity == SEVERITIES[-1]
    return not is_danger, -record.weight, _GRAVEST.index(record.severity)


def _written(record: Heuristic) -> Heuristic:
    """Return a definition without what depends on the page that holds it."""
    record = record._replace(docname="", anchor="", ids=(), problems=())
    if not (record.in_entry or "docstring of " in record.source):
        return record
    evidence = tuple(
        quoted._replace(source="", line=0, problems=()) for quoted in record.evidence
    )
    return record._replace(source="", line=0, in_entry=True, evidence=evidence)
