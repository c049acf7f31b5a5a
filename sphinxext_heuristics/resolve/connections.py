"""What connections mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sphinxext_heuristics.model import PAGE_TYPES, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.model import Connection
    from sphinxext_heuristics.resolve.catalogue import Catalogue
    from sphinxext_heuristics.resolve.lookups import Lookups
    from sphinxext_heuristics.resolve.objects import Rule
    from sphinxext_heuristics.resolve.pages import Place
    from sphinxext_heuristics.source.names import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A connection and what it was found to mean."""

    #: What the author wrote.
    connection: Connection
    #: Where it leads; ``None`` if it is missing.
    target: Target | None = None
    #: The documented names that it reaches, each with the rule by which.
    reached: Mapping[str, Rule] = field(default_factory=dict)
    #: The page or section that it reaches.
    place: Place | None = None
    #: What it may mean, if that is several things.
    several: tuple[str, ...] = ()
    #: Whether it may be missing: by a ``?``, by ``heuristics_targets`` or by ``heuristics_undocumented``.
    planned: bool = False

    @property
    def exists(self) -> bool:
        """Whether the target is there."""
        return self.target is not None


class Resolver:
    """Finds what connections mean."""

    def __init__(self, catalogue: Catalogue, settings: Settings, known: Lookups) -> None:
        """Take where the API entries are."""
        self._settings = settings
        self._known = known
        self._places: dict[str, Target] = {}
        for docname, entry in catalogue.entries:
            for name in entry.names:
                target = Target(docname=docname, anchor=entry.anchor)
                # An entry that can be linked to is better than one that cannot.
                if name not in self._places or not self._places[name].anchor:
                    self._places[name] = target

    def resolve(self, connection: Connection) -> Resolved:
        """Return what a connection means."""
        is_page = connection.type in PAGE_TYPES
        resolved = self._page(connection) if is_page else self._object(connection)
        if resolved.exists or resolved.several or resolved.planned:
            return resolved
        uri = self._known.external(connection.type, connection.target)
        planned = connection.planned or (not is_page and is_left_out(self._settings, self._known, connection.target))
        return Resolved(connection=connection, target=Target(uri=uri) if uri else None, planned=planned)

    def _page(self, connection: Connection) -> Resolved:
        match = self._known.pages.find(connection.target)
        if match.uri:
            return Resolved(connection=connection, target=Target(uri=match.uri))
        if match.planned:
            return Resolved(connection=connection, planned=True)
        if match.place is None:
            several = tuple(
                f"{place.docname}#{place.anchor}" if place.anchor else place.docname for place in match.places
            )
            return Resolved(connection=connection, several=several)
        target = Target(docname=match.place.docname, anchor=match.anchor)
        return Resolved(connection=connection, target=target, place=match.place)

    def _object(self, connection: Connection) -> Resolved:
        match = self._known.objects.find(connection.target)
        if match.objects:
            return Resolved(connection=connection, several=match.objects)
        if not match.exists:
            return Resolved(connection=connection)
        spelled = self._known.objects.aliases(connection.target)
        own = [name for name in match.reached if name in spelled]
        target = self._places[(own or match.names)[0]]
        return Resolved(connection=connection, target=target, reached=match.reached)


def is_left_out(settings: Settings, known: Lookups, target: str) -> bool:
    """Return whether a target may go undocumented: the source defines it, and conf.py says that this is as planned."""
    return settings.undocumented == "planned" and defined(settings, known, target) is not None


def defined(settings: Settings, known: Lookups, target: str) -> Definition | None:
    """Return where the source defines a target, whose name may lack that of the package."""
    names = (target, f"{settings.package}.{target}") if settings.package else (target,)
    return next(filter(None, map(known.defined, names)), None)
