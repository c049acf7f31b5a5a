"""The index as rows, free of nodes: what is listed, with which marks and counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ..model import CONNECTION_TYPES, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..model import Connection, Heuristic, Target
    from .connections import Resolved
    from .plan import Plan

EXISTS, MISSING = "✅", "⬜"


class Link(NamedTuple):
    """One connection as the index lists it."""

    #: The connection's type.
    type: str
    #: What it is called.
    text: str
    #: Where it leads; ``None`` unless all connections of this type and text exist.
    target: Target | None
    #: Whether all that do not exist are declared planned.
    planned: bool = False

    @property
    def mark(self) -> str:
        """Return ✅ or ⬜."""
        return MISSING if self.target is None else EXISTS

    @property
    def word(self) -> str:
        """Return the type's word."""
        return CONNECTION_TYPES[self.type]


def short_name(connection: Connection, package: str) -> str:
    """Return what a connection is called: its text, or its target made short."""
    if connection.text:
        return connection.text
    if connection.short:
        return connection.target.rpartition(".")[2]
    prefix = f"{package}." if package else ""
    return connection.target.removeprefix(prefix)


def links(
    resolved: Iterable[Resolved], package: str, plan: Plan | None = None
) -> tuple[Link, ...]:
    """Return connections as they are listed: those of one type and text are one.

    With a *plan*, pages that exist and are given no text have their titles.
    """
    found: dict[tuple[str, str], list[Resolved]] = {}
    for one in resolved:
        text = short_name(one.connection, package)
        if plan and one.place and not one.connection.text:
            text = plan.title(one.place.docname, one.place.anchor)
        found.setdefault((one.connection.type, text), []).append(one)
    return tuple(_link(*named, alike) for named, alike in found.items())


def _link(type_: str, text: str, alike: list[Resolved]) -> Link:
    """Return the link of all connections of one type and text."""
    missing = [one for one in alike if not one.exists]
    return Link(
        type=type_,
        text=text,
        target=None if missing else alike[0].target,
        planned=all(one.planned for one in missing),
    )


def ordered(records: Iterable[Heuristic]) -> list[Heuristic]:
    """Return heuristics as readers look for them: the most severe first, by title."""

    def rank(record: Heuristic) -> tuple[int, str, str]:
        severity = SEVERITIES.index(record.severity)
        return -severity, record.title.casefold(), record.name

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


class Wanted(NamedTuple):
    """A missing target and the heuristics that wait for it."""

    link: Link
    heuristics: tuple[Heuristic, ...]


def worklist(plan: Plan, records: Iterable[Heuristic]) -> Iterator[Wanted]:
    """Yield the missing targets by type and name."""
    types = list(CONNECTION_TYPES)
    found: dict[tuple[int, str], tuple[Link, list[Heuristic]]] = {}
    for record in records:
        for link in links(plan.connections(record), plan.settings.package):
            if link.target is None:
                key = types.index(link.type), link.text
                found.setdefault(key, (link, []))[1].append(record)
    for key in sorted(found):
        link, waiting = found[key]
        yield Wanted(link=link, heuristics=tuple(waiting))


def bounds(record: Heuristic) -> str:
    """Return a heuristic's version bounds as readers see them, or ``""``."""
    if record.since and record.until:
        return f"{record.since} \N{EN DASH} {record.until}"
    if record.since:
        return f"≥ {record.since}"
    return f"≤ {record.until}" if record.until else ""
