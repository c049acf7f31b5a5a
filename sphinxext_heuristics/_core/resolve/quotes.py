"""What heuristics quote: where it is now, which messages it holds, of which release."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..model import Evidence, Found, Heuristic, Lost, Message


class Quotes:
    """Where quotes are in the installed source.

    *package* is the documented one, of this *version*; both may be ``""``. *verify*
    returns where a quote is, or why it was not found, and *messages* the messages of
    errors and warnings in it; *installed* returns the version of a package, or
    ``None``.
    """

    def __init__(
        self,
        package: str,
        version: str,
        verify: Callable[[Evidence], Found | Lost],
        messages: Callable[[Evidence], tuple[Message, ...]],
        installed: Callable[[str], str | None],
    ) -> None:
        """Take what looks into source; nothing is looked up until it is asked for."""
        self._package = package
        self._version = version
        self._messages = messages
        self.verify = verify
        self.installed = installed

    def package_of(self, evidence: Evidence) -> str:
        """Return the package that is quoted.

        That is the documented one, which may be a part of another, or the top one.
        """
        named = self._package
        return named if named and evidence.is_of(named) else evidence.package

    def version_of(self, evidence: Evidence) -> str:
        """Return the version of the package that is quoted; ``""`` if it is unknown."""
        package = self.package_of(evidence)
        if package == self._package:
            return self._version
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
            for message in self._messages(quoted):
                found.setdefault((message, quoted.object), (message, quoted))
        return tuple(found.values())


def is_quote(quoted: Evidence) -> bool:
    """Return whether evidence names an object and quotes something.

    What does not has a problem of its own.
    """
    return bool(quoted.module and quoted.quote.strip())


def quoted_by(records: Iterable[Heuristic]) -> set[Evidence]:
    """Return all that heuristics quote."""
    found: set[Evidence] = set()
    for record in records:
        found.update(record.evidence)
    return found
