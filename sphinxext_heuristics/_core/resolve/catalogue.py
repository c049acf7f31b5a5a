"""All that was read, under the names by which it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..model import Entry, Heuristic, Page, Problem, Subtype, Target
from .pages import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(eq=False, repr=False)
class Catalogue:
    """The heuristics and API entries of all documents."""

    #: Document → what was read from it, in the toctree's order.
    pages: Mapping[str, Page]

    @property
    def docnames(self) -> tuple[str, ...]:
        """Return the documents in their order."""
        return tuple(self.pages)

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
        """Return the page that another one includes a definition from, or ``""``."""
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

    @cached_property
    def by_id(self) -> dict[tuple[str, str], Heuristic]:
        """Map each document and id of a definition to the heuristic in effect.

        The id of one that is a page of its own may be ``""``.
        """
        found: dict[tuple[str, str], Heuristic] = {}
        for written in self.definitions:
            record = self.find(written.name)
            if record is not None:
                ids = ("", *written.ids) if self.is_page(written) else written.ids
                keys = ((written.docname, anchor) for anchor in ids)
                found.update(dict.fromkeys(keys, record))
        return found

    def is_page(self, record: Heuristic) -> bool:
        """Return whether a definition is a page of its own."""
        return record.anchor in next(iter(self.pages[record.docname].sections), ())

    def find(self, name: str) -> Heuristic | None:
        """Return the definition of a name, in any case and with ``-`` for ``_``."""
        return self._by_fold.get(fold(name))

    @cached_property
    def all_entries(self) -> tuple[tuple[str, Entry], ...]:
        """Return each API entry with its document."""
        found: list[tuple[str, Entry]] = []
        for docname, page in self.pages.items():
            found += [(docname, entry) for entry in page.entries]
        return tuple(found)

    @cached_property
    def places(self) -> dict[str, Target]:
        """Map each documented name to where a link to it leads."""
        found: dict[str, Target] = {}
        for docname, entry in self.all_entries:
            for name in entry.names:
                # An entry that can be linked to is better than one that cannot.
                if name not in found or not found[name].anchor:
                    found[name] = Target(docname=docname, anchor=entry.anchor)
        return found

    def is_repeated(self, record: Heuristic) -> bool:
        """Return whether a definition repeats the one in effect, which is no fault.

        It does where two pages include its file: what is written, its file and its line
        are the same. A docstring is shown again by inheritance and under other names,
        and its file and line are then those that somebody was asked for: there what is
        written decides alone.
        """
        first = self.find(record.name) or record
        return first is not record and _written(first) == _written(record)

    def duplicates(self) -> Iterator[Problem]:
        """Yield a problem for each further definition of a name.

        One that inheritance or an include repeats is the same definition.
        """
        for record in self.definitions:
            first = self.find(record.name) or record
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
                if (has := self._by_fold[fold(name)]) is not record:
                    message = (
                        f"the former name {name!r} is the name of another "
                        f"heuristic, {has.source}:{has.line}"
                    )
                    yield Problem.at(record, Subtype.DUPLICATE, message, "former-names")


def _written(record: Heuristic) -> Heuristic:
    """Return a definition without what depends on the page that holds it."""
    record = record._replace(docname="", anchor="", ids=(), problems=())
    if not (record.in_entry or "docstring of " in record.source):
        return record
    evidence = tuple(
        quoted._replace(source="", line=0, problems=()) for quoted in record.evidence
    )
    return record._replace(source="", line=0, in_entry=True, evidence=evidence)
