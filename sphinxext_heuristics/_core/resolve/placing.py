"""What is shown at API entries and on pages, and where a heuristic is shown."""

from __future__ import annotations

from functools import cache, cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from .catalogue import rank
from .forms import folded, give_titles
from .listing import bounds
from .records import ByHand, Form, Nearness, OnPage, Place, Shown
from .rollup import Member, Rollup

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..model import Entry, Heuristic
    from .catalogue import Catalogue
    from .meanings import Meanings
    from .records import Verdict


class Placing:
    """What every page shows automatically.

    The documents in *excluded* show nothing.
    """

    def __init__(
        self, catalogue: Catalogue, meanings: Meanings, excluded: Collection[str] = ()
    ) -> None:
        """Take what is known; nothing is judged until it is asked for."""
        self._catalogue = catalogue
        self._settings = catalogue.settings
        self._meanings = meanings
        self._excluded = excluded
        self.verdicts = cache(self._verdicts)

    # -- what is withheld -------------------------------------------------------------

    def withheld(self, record: Heuristic) -> str:
        """Return why a heuristic is shown nowhere automatically, or ``""``."""
        if not record.inject:
            return "it has no-inject"
        if not self._catalogue.holds(record):
            version = self._catalogue.version
            return f"it holds for {bounds(record)}, and {version} is documented"
        return ""

    def kept_free(self, docname: str) -> str:
        """Return why a page shows no heuristic automatically, or ``""``."""
        if docname in self._excluded:
            return f"{docname} is kept free by heuristics_exclude or no-heuristics"
        return ""

    def withheld_at(self, record: Heuristic, place: Place) -> str:
        """Return why a page or section of it does not show a heuristic, or ``""``."""
        reason = self.withheld(record) or self.kept_free(place.docname)
        if not reason and place in self._by_hand:
            reason = "this page has a heuristics-for"
        return reason

    @cached_property
    def _by_hand(self) -> set[Place]:
        """Return the pages and sections whose own `heuristics-for` names them."""
        found: set[Place] = set()
        for docname in self._catalogue.docnames:
            found.update(self._meanings.placed_by_hand(docname))
        return found

    # -- API entries ------------------------------------------------------------------

    def _verdicts(self, docname: str) -> tuple[tuple[Verdict, ...], ...]:
        """Return for each API entry of a page what becomes of what reaches it.

        Each step decides one thing: what is not shown and why, what only names what
        another entry of the page shows in full, and what is folded.
        """
        entries = self._catalogue.entries(docname)
        page = [self._with_reasons(docname, entry) for entry in entries]
        if self._settings.inherited == "once":
            give_titles(self._meanings.objects.identity, entries, page)
        limit = self._settings.max_shown
        return tuple(tuple(folded(verdicts, limit)) for verdicts in page)

    def _with_reasons(self, docname: str, entry: Entry) -> list[Verdict]:
        """Return the verdicts of an entry: what is not shown and why, what is a line.

        They are in the order in which they are shown.
        """
        reaching = sorted(self._meanings.verdicts(entry), key=self._order)
        if not reaching:
            return []  # whether it is inherited is a question to its source
        is_copy, reason = self._of_copies(entry)
        if entry.by_hand:
            reason = "this entry has a heuristics-for"
        reason = self.kept_free(docname) or reason
        form = Form.LINE if is_copy else Form.FULL
        defined = self._catalogue.defined_in(docname, entry)
        judged = []
        for verdict in reaching:
            record = verdict.record
            is_defined = record.name in defined
            at_entry = "" if is_defined else reason
            in_place = verdict._replace(
                reason=verdict.reason or self.withheld(record) or at_entry,
                form=Form.DEFINED if is_defined else form,
                parameter="" if is_defined else _described(record, entry),
            )
            judged.append(in_place)
        return judged

    def _of_copies(self, entry: Entry) -> tuple[bool, str]:
        """Return whether an entry is a copy that shows lines, and why none, if so."""
        inherited = self._settings.inherited
        if inherited not in {"link", "none"}:
            return False, ""
        is_copy = self._meanings.objects.is_inherited(entry.names[0])
        if is_copy and inherited == "none":
            return True, "an inherited copy, and heuristics_inherited is 'none'"
        return is_copy, ""

    def _order(self, verdict: Verdict) -> tuple[tuple[bool, int, int], bool, int]:
        record = verdict.record
        is_named = verdict.nearness is Nearness.NAMED
        return rank(record), not is_named, self._catalogue.ranks[record.name]

    @property
    def judged(self) -> Iterator[tuple[str, Entry, Verdict]]:
        """Yield each verdict with its document and API entry, in their order."""
        for docname, page in self._catalogue.pages.items():
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
                    nearness=verdict.nearness,
                    parameter=verdict.parameter,
                )
                found.setdefault(verdict.record.name, {})[shown] = None
        return {name: tuple(shown) for name, shown in found.items()}

    # -- inherited members without an entry -------------------------------------------

    @cached_property
    def rollup(self) -> Rollup:
        """Return what classes roll up."""
        return Rollup(self._catalogue, self._meanings, self.withheld)

    def members(self, docname: str, entry: Entry) -> tuple[Member, ...]:
        """Return what a class entry rolls up, by the names of the members."""
        if entry.by_hand or self.kept_free(docname):
            return ()
        return self.rollup.members(entry)

    # -- pages ------------------------------------------------------------------------

    def on_page(self, docname: str) -> tuple[OnPage, ...]:
        """Return what becomes of heuristics on a page and its sections, in shown order.

        A heuristic is there once for each of its targets that means the place.
        """
        return tuple(self._connected.get(docname, ()))

    @cached_property
    def _connected(self) -> dict[str, list[OnPage]]:
        """Map each document to what becomes of the heuristics connected to it."""
        found: dict[str, list[OnPage]] = {}
        for record in self._catalogue.by_weight:
            for resolved in self._meanings.connections(record):
                if place := resolved.place:
                    connection = resolved.connection
                    verdict = OnPage(
                        record=record,
                        target=f"{connection.type} {connection.target}",
                        place=place,
                        reason=self.withheld_at(record, place),
                        is_linked=self._catalogue.is_linked(record, place),
                    )
                    found.setdefault(place.docname, []).append(verdict)
        return found

    @cached_property
    def by_hand(self) -> tuple[ByHand, ...]:
        """Return what each ``heuristics-for`` shows, in the order of the pages."""
        found: list[ByHand] = []
        for docname, page in self._catalogue.pages.items():
            entry_of: dict[int, Entry] = {}
            for entry in page.entries:
                entry_of.update(dict.fromkeys(entry.by_hand, entry))
            for position, query in enumerate(page.queries):
                if query.option("target") is not None:
                    placed = ByHand(
                        query=query,
                        place=Place(docname, query.section),
                        entry=entry_of.get(position),
                        heuristics=self._meanings.selection(query.filters),
                    )
                    found.append(placed)
        return tuple(found)

    @cached_property
    def by_page(self) -> dict[str, dict[str, list[Heuristic]]]:
        """Map each document, and ids of its sections, to what it shows automatically.

        That includes what its own text links to, which is not placed once more.
        The id of the page as a whole is ``""``.
        """
        found: dict[str, dict[str, list[Heuristic]]] = {}
        for docname, verdicts in self._connected.items():
            page: dict[str, list[Heuristic]] = {}
            for verdict in filter(attrgetter("is_shown"), verdicts):
                records = page.setdefault(verdict.place.anchor, [])
                # Several of its targets may mean the place.
                if verdict.record not in records:
                    records.append(verdict.record)
            if page:
                found[docname] = page
        return found

    @cached_property
    def shown_on(self) -> dict[str, list[Place]]:
        """Map each heuristic to the pages and sections that show it, in their order."""
        found: dict[str, list[Place]] = {}
        for docname in self._catalogue.docnames:
            for anchor, records in sorted(self.by_page.get(docname, {}).items()):
                for record in records:
                    found.setdefault(record.name, []).append(Place(docname, anchor))
        return found


def _described(record: Heuristic, entry: Entry) -> str:
    """Return the first parameter of a heuristic that an entry describes, or ``""``."""
    described = (name for name in record.parameters if name in entry.described)
    return next(described, "")
