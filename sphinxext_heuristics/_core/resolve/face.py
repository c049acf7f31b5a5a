"""What others may ask a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..model import Entry, Heuristic, Note
    from .listing import Link
    from .plan import Filters
    from .verdicts import Shown, Verdict


class PublicPlan(Protocol):
    """What every page shows, once all pages are read; it is only to be read."""

    @property
    def package(self) -> str:
        """The documented package, ``heuristics_package``, or ``""``."""

    @property
    def version(self) -> str:
        """The documented version, or ``""``."""

    @property
    def heuristics(self) -> Mapping[str, Heuristic]:
        """Name → the definition in effect, in the toctree's order."""

    def named(self, target: str) -> Heuristic | None:
        """Return the heuristic that a role's *target* names, by any of its names."""

    def selection(self, filters: Filters) -> tuple[Heuristic, ...]:
        """Return the heuristics that filters choose, in the toctree's order.

        Filters are those of a directive (:attr:`Query.filters`): pairs of an option and
        its values, any of which will do.
        """

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""

    def note(self, record: Heuristic) -> Note:
        """Return a heuristic's note as other pages show it."""

    def links(self, record: Heuristic) -> tuple[Link, ...]:
        """Return a heuristic's connections as an index lists them."""

    @property
    def docnames(self) -> Sequence[str]:
        """The documents in the toctree's order."""

    def entries(self, docname: str) -> Sequence[Entry]:
        """Return the API entries of a page, in its order."""

    def verdicts(self, docname: str) -> Sequence[Sequence[Verdict]]:
        """Return for each API entry of a page what becomes of what reaches it."""

    @property
    def shown_in(self) -> Mapping[str, Sequence[Shown]]:
        """Name of a heuristic → the API entries that show it, in their order."""

    @property
    def by_page(self) -> Mapping[str, Mapping[str, Sequence[Heuristic]]]:
        """Document → id of a section (``""``: the page) → what it shows.

        What its own text links to is included, and has no box there.
        """

    @property
    def mentioned_in(self) -> Mapping[str, Collection[str]]:
        """Name of a heuristic → the other pages that link to it, in their order."""
