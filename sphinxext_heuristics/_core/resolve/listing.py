"""What is listed of heuristics, free of nodes: links, bounds, counted categories."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ..model import SEVERITIES, Address, Connection, Heuristic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .records import Resolved

EXISTS, MISSING = "✅", "⬜"


class Link(NamedTuple):
    """One connection as it is listed, or another line at the end of a definition."""

    #: The connection's type (``impl``, ``workflow``, ``principle`` or ``env``); or
    #: ``entry``, ``mention``, ``keyword`` or ``message``.
    type: str
    #: What it is called.
    text: str
    #: Where it leads; ``None`` unless all connections of this type and text exist.
    address: Address | None
    #: Whether some do not exist, and all of these are declared planned.
    planned: bool = False
    #: The documented version, if those that do not exist need not be in it.
    not_in: str = ""

    @property
    def mark(self) -> str:
        """Return ✅ or ⬜."""
        return MISSING if self.address is None else EXISTS

    @property
    def word(self) -> str:
        """Return the type's word."""
        return self.type.capitalize()


def short_name(connection: Connection, package: str) -> str:
    """Return what a connection is called: its text, or its target made short."""
    if connection.text:
        return connection.text
    if connection.short:
        return connection.target.rpartition(".")[2]
    prefix = f"{package}." if package else ""
    return connection.target.removeprefix(prefix)


def links(
    resolved: Iterable[Resolved], call: Callable[[Resolved], str]
) -> tuple[Link, ...]:
    """Return connections as they are listed: those of one type and text are one.

    *call* returns what one is called.
    """
    found: dict[tuple[str, str], list[Resolved]] = {}
    for one in resolved:
        found.setdefault((one.connection.type, call(one)), []).append(one)
    listed = []
    for (type_, text), alike in found.items():
        missing = [one for one in alike if not one.exists]
        versions = {one.not_in for one in missing}
        link = Link(
            type=type_,
            text=text,
            address=None if missing else alike[0].address,
            planned=bool(missing) and all(one.planned for one in missing),
            not_in=versions.pop() if len(versions) == 1 else "",
        )
        listed.append(link)
    return tuple(listed)


def by_severity(records: Iterable[Heuristic]) -> list[Heuristic]:
    """Return heuristics as an index lists them: the gravest first, then by weight."""

    def rank(record: Heuristic) -> tuple[int, int, str, str]:
        severity = SEVERITIES.index(record.severity)
        return -severity, -record.weight, record.title.casefold(), record.name

    return sorted(records, key=rank)


class Category(NamedTuple):
    """One category with its count."""

    name: str
    number: int
    description: str


def categories(
    records: Iterable[Heuristic], described: dict[str, str]
) -> tuple[Category, ...]:
    """Return the categories: the described ones in order, or those used, by name."""
    used: Counter[str] = Counter()
    for record in records:
        used.update(record.categories)
    names = described or sorted(used)
    return tuple(
        Category(name=name, number=used[name], description=described.get(name, ""))
        for name in names
    )


def bounds(record: Heuristic) -> str:
    """Return a heuristic's version bounds as readers see them, or ``""``."""
    if record.since and record.until:
        return f"{record.since} \N{EN DASH} {record.until}"
    if record.since:
        return f"≥ {record.since}"
    return f"≤ {record.until}" if record.until else ""
