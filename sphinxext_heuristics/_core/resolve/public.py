"""What others may ask a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..model import Entry, Evidence, Found, Heuristic, Lost, Message, Note
    from .listing import Link
    from .records import Shown, Verdict


class PublicCatalogue(Protocol):
    """Which heuristics, pages and API entries there are."""

    @property
    def package(self) -> str:
        """The documented package, ``heuristics_package``, or ``""``."""

    @property
    def version(self) -> str:
        """The documented version, or ``""``."""

    @property
    def heuristics(self) -> Mapping[str, Heuristic]:
        """Name → the definition in effect, in the toctree's order."""

    def lookup(self, target: str) -> Heuristic | None:
        """Return the heuristic that a role's *target* names, by any of its names."""

    def holds(self, record: Heuristic) -> bool:
        """Return whether a heuristic holds for the documented version."""

    @property
    def docnames(self) -> Sequence[str]:
        """The documents in the toctree's order."""

    def title(self, docname: str, anchor: str = "") -> str:
        """Return the title of a page or of a section of it, or the page's name."""

    def entries(self, docname: str) -> Sequence[Entry]:
        """Return the API entries of a page, in its order."""

    @property
    def mentioned_in(self) -> Mapping[str, Collection[str]]:
        """Name of a heuristic → the other pages that link to it, in their order."""


class PublicMeanings(Protocol):
    """What connections and filters mean."""

    def selection(
        self, filters: tuple[tuple[str, tuple[str, ...]], ...]
    ) -> tuple[Heuristic, ...]:
        """Return the heuristics that filters choose, in the toctree's order.

        Filters are those of a directive (:attr:`Query.filters`): pairs of an option and
        a tuple of its values, any of which will do.
        """

    def links(self, record: Heuristic) -> tuple[Link, ...]:
        """Return a heuristic's connections as an index lists them."""

    def title(self, name: str) -> str:
        """Return the title that a link shows which names a heuristic or a place.

        What has no title is shown by the name.
        """


class PublicQuotes(Protocol):
    """What heuristics quote."""

    def verify(self, evidence: Evidence) -> Found | Lost:
        """Return where a quote is in the installed source, or why it is not there."""

    def messages(self, record: Heuristic) -> Sequence[tuple[Message, Evidence]]:
        """Return the messages of errors and warnings that a heuristic quotes.

        Each comes with the quote that it is in.
        """

    def release_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted and its version, such as ``peft 0.21.2``.

        The version is left out where it is unknown.
        """


class PublicPlacing(Protocol):
    """What is shown where."""

    def verdicts(self, docname: str) -> Sequence[Sequence[Verdict]]:
        """Return what becomes of each heuristic that reaches an API entry of a page.

        The sequence is parallel to ``entries(docname)`` of the catalogue: one item for
        each entry, which is empty where no heuristic reaches it.
        """

    @property
    def shown_in(self) -> Mapping[str, Sequence[Shown]]:
        """Name of a heuristic → the API entries that show it, in their order."""

    @property
    def by_page(self) -> Mapping[str, Mapping[str, Sequence[Heuristic]]]:
        """Document → id of a section (``""``: the page) → what it shows.

        What its own text links to is included, and has no box there.
        """


class PublicPlan(Protocol):
    """What is known once all pages are read, as four values; it is only to be read."""

    @property
    def catalogue(self) -> PublicCatalogue:
        """Which heuristics, pages and API entries there are."""

    @property
    def meanings(self) -> PublicMeanings:
        """What connections and filters mean."""

    @property
    def quotes(self) -> PublicQuotes:
        """What heuristics quote."""

    @property
    def placing(self) -> PublicPlacing:
        """What is shown where."""

    def note(self, record: Heuristic, /) -> Note:
        """Return a heuristic's note as other pages show it."""
