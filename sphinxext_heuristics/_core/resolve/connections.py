"""What connections mean, or why one means nothing and what to write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.diagnostics import did_you_mean
from sphinxext_heuristics._core.model import PAGE_TYPES, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinxext_heuristics._core.config import Settings
    from sphinxext_heuristics._core.model import Connection, Entry
    from sphinxext_heuristics._core.resolve.catalogue import Catalogue, Lookups
    from sphinxext_heuristics._core.resolve.objects import Rule
    from sphinxext_heuristics._core.resolve.pages import Place
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.source.names import Definition


class Resolved(NamedTuple):
    """A connection and what it was found to mean."""

    #: What the author wrote.
    connection: Connection
    #: Where it leads; ``None`` if it is missing.
    target: Target | None = None
    #: The documented names that it reaches, each with the rule by which.
    reached: Mapping[str, Rule] = {}
    #: The page or section that it reaches.
    place: Place | None = None
    #: What it may mean, if that is several things.
    several: tuple[str, ...] = ()
    #: Whether it may be missing: by a ``?``, by ``heuristics_targets`` or by
    #: ``heuristics_undocumented``.
    planned: bool = False

    @property
    def exists(self) -> bool:
        """Whether the target is there."""
        return self.target is not None


class Resolver:
    """Finds what connections mean."""

    def __init__(
        self, catalogue: Catalogue, settings: Settings, known: Lookups
    ) -> None:
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
        planned = connection.planned or (
            not is_page and is_left_out(self._settings, self._known, connection.target)
        )
        return Resolved(
            connection=connection,
            target=Target(uri=uri) if uri else None,
            planned=planned,
        )

    def _page(self, connection: Connection) -> Resolved:
        match = self._known.pages.find(connection.target)
        if match.uri:
            return Resolved(connection=connection, target=Target(uri=match.uri))
        if match.planned:
            return Resolved(connection=connection, planned=True)
        if match.place is None:
            return Resolved(
                connection=connection, several=tuple(map(str, match.places))
            )
        target = Target(docname=match.place.docname, anchor=match.anchor)
        return Resolved(connection=connection, target=target, place=match.place)

    def _object(self, connection: Connection) -> Resolved:
        match = self._known.objects.find(connection.pattern)
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
    return (
        settings.undocumented == "planned"
        and defined(settings, known, target) is not None
    )


def defined(settings: Settings, known: Lookups, target: str) -> Definition | None:
    """Return where the source defines a target, whose name may lack that of the package."""
    names = (target, f"{settings.package}.{target}") if settings.package else (target,)
    return next(filter(None, map(known.defined, names)), None)


# -- why a target does not exist ------------------------------------------------------


def why_missing(plan: Plan, connection: Connection) -> str:
    """Return why the target of a connection is missing."""
    what = f"{connection.type} target {connection.target!r}"
    if connection.type in PAGE_TYPES:
        return (
            f"{what} does not exist: no page or label has this "
            f"name{_page_meant(plan, connection.target)}"
        )
    if connection.subclasses and plan.lookups.objects.find(connection.target).names:
        return f"{what} is no class: '+' means a class and its subclasses"
    return f"{what} {_object_meant(plan, connection.target)}"


def _page_meant(plan: Plan, target: str) -> str:
    """Return the end of the message that no page has a name: what was probably meant."""
    if plan.lookups.objects.find(target).names:
        return "; it is an object: use impl"
    if re.search(r"\s", target):
        return "; separate targets with commas"
    return did_you_mean(plan.lookups.pages.closest(target))


def _object_meant(plan: Plan, target: str) -> str:
    """Return what is wrong with the name of an object that no entry has."""
    owner, _dot, last = target.rpartition(".")
    entries = (
        [plan.entry_of[name] for name in plan.lookups.objects.find(owner).names]
        if owner
        else []
    )
    if entries and last == "__init__":
        return (
            f"is not documented: a constructor is documented with its class; write "
            f"{owner!r}"
        )
    if any(last in entry.parameters for entry in entries):
        return (
            f"does not exist: {last!r} is a parameter; write {owner!r}, and "
            f"':param: {last}'"
        )
    if definition := defined(plan.settings, plan.lookups, target):
        where = f"{definition.path}:{definition.line} defines it"
        return f"is not documented: {where}; {_reason(definition, owner, entries)}"
    if plan.lookups.pages.find(target).place:
        return "does not exist: it is a page; use workflow, principle or env"
    if "*" in target.removeprefix("*."):
        return (
            f"does not exist: a star may only come first, as in "
            f"'*.{last.strip('*') or 'name'}'"
        )
    return (
        f"does not exist: no documented object has this "
        f"name{did_you_mean(plan.lookups.objects.closest(target))}"
    )


def _reason(definition: Definition, owner: str, entries: list[Entry]) -> str:
    """Return why autodoc probably leaves out what the source defines, and what to do.

    *entries* are those of its owner.
    """
    if definition.is_module:
        return "no automodule documents this module"
    if not entries:
        above = f" nor {owner!r}" if owner else ""
        return f"no directive documents it{above}, or its import failed"
    if definition.is_inherited:
        return (
            f"it is inherited: add ':inherited-members:', or write {definition.name!r}"
        )
    is_class = any(entry.is_class for entry in entries)
    return _option_missing(definition, owner, is_class=is_class)


def _option_missing(definition: Definition, owner: str, *, is_class: bool) -> str:
    """Return which option the entry of an *owner* probably lacks."""
    module, _dot, last = definition.name.rpartition(".")
    if last.startswith("__"):
        add = (
            "':special-members:'"
            if is_class
            else "a directive for it, such as autodata"
        )
        return f"its name is special: add {add}"
    if last.startswith("_"):
        return "its name is private: add ':private-members:'"
    if not definition.is_described:
        return "it has no docstring: write one, or add ':undoc-members:'"
    if not is_class and module != owner:
        return (
            f"it is imported from {definition.name!r}: add ':imported-members:', "
            "or a directive for it"
        )
    return (
        f"the entry of {owner!r} has no ':members:' (autosummary's default template "
        "has none for a class), or its options, such as ':exclude-members:', leave "
        "it out"
    )


def undocumented_package(plan: Plan, connection: Connection) -> str:
    """Return the package whose source defines a target and of which nothing is documented, or ``""``."""
    definition = (
        defined(plan.settings, plan.lookups, connection.target)
        if connection.type == "impl"
        else None
    )
    package = definition.name.partition(".")[0] if definition else ""
    return package if package not in plan.once(documented_packages) else ""


def documented_packages(plan: Plan) -> frozenset[str]:
    """Return the packages of which anything is documented, by the names of entries and of their objects."""
    names = (
        name
        for _docname, entry in plan.catalogue.entries
        for name in (*entry.names, *entry.lineage)
    )
    return frozenset(name.partition(".")[0] for name in names)
