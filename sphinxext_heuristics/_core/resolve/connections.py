"""What connections mean, or why one means nothing and what to write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import did_you_mean
from ..model import PAGE_TYPES, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model import Connection, Entry
    from ..source.names import Definition
    from .objects import Rule
    from .pages import Place
    from .plan import Plan


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


def resolve(plan: Plan, connection: Connection) -> Resolved:
    """Return what a connection means: here, or else in another project."""
    is_page = connection.type in PAGE_TYPES
    resolved = _page(plan, connection) if is_page else _object(plan, connection)
    if resolved.exists or resolved.several or resolved.planned:
        return resolved
    uri = plan.lookups.external(connection.type, connection.target)
    return resolved._replace(
        target=Target(uri=uri) if uri else None,
        planned=connection.planned
        or (not is_page and is_left_out(plan, connection.target)),
    )


def _page(plan: Plan, connection: Connection) -> Resolved:
    match = plan.lookups.pages.find(connection.target)
    return Resolved(
        connection=connection,
        target=match.target,
        place=match.place,
        several=tuple(map(str, match.places)),
        planned=match.planned,
    )


def _object(plan: Plan, connection: Connection) -> Resolved:
    objects = plan.lookups.objects
    match = objects.find(connection.pattern)
    if match.objects or not match.exists:
        return Resolved(connection=connection, several=match.objects)
    names = objects.aliases(connection.target)
    of_object = [name for name in match.reached if name in names]
    target = plan.catalogue.places[(of_object or match.names)[0]]
    return Resolved(connection=connection, target=target, reached=match.reached)


def is_left_out(plan: Plan, target: str) -> bool:
    """Return whether a target may be undocumented, as conf.py says, and is defined."""
    is_enough = plan.settings.undocumented == "planned"
    return is_enough and defined(plan, target) is not None


def defined(plan: Plan, target: str) -> Definition | None:
    """Return where the source defines a target, which may lack the package's name."""
    package = plan.settings.package
    found = plan.lookups.defined(target)
    if package and not found:
        found = plan.lookups.defined(f"{package}.{target}")
    return found


# -- why a target does not exist ------------------------------------------------------


def why_missing(plan: Plan, connection: Connection) -> str:
    """Return why a target is missing, as the end of a sentence that names it."""
    target = connection.target
    if connection.type in PAGE_TYPES:
        return (
            f"does not exist: no page or label has this name{_page_meant(plan, target)}"
        )
    is_class = connection.pattern.endswith("+")
    if is_class and plan.lookups.objects.find(target).names:
        return "is no class: '+' means a class and its subclasses"
    return object_meant(plan, target) or (
        f"does not exist: no documented object has this "
        f"name{did_you_mean(plan.lookups.objects.closest(target))}"
    )


def _page_meant(plan: Plan, target: str) -> str:
    """Return the end of the message that no page has a name: what was meant."""
    if plan.lookups.objects.find(target).names:
        return "; it is an object: use impl"
    if re.search(r"\s", target):
        return "; separate targets with commas"
    return did_you_mean(plan.lookups.pages.closest(target))


def object_meant(plan: Plan, target: str) -> str:
    """Return what is wrong with the name of an object that no entry has.

    That is ``""`` where nothing is known by it.
    """
    owner, _dot, last = target.rpartition(".")
    names = plan.lookups.objects.find(owner).names if owner else ()
    entries = [plan.entry_of[name] for name in names]
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
    if definition := defined(plan, target):
        where = f"{definition.path}:{definition.line} defines it"
        return f"is not documented: {where}; {_reason(definition, owner, entries)}"
    if plan.lookups.pages.find(target).place:
        return "does not exist: it is a page; use workflow, principle or env"
    if "*" in target.removeprefix("*."):
        return (
            f"does not exist: a star may only come first, as in "
            f"'*.{last.strip('*') or 'name'}'"
        )
    return ""


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
    """Return the package of a target if nothing of it is documented, or ""."""
    definition = defined(plan, connection.target) if connection.type == "impl" else None
    package = definition.name.partition(".")[0] if definition else ""
    return "" if package in plan.once(documented_packages) else package


def documented_packages(plan: Plan) -> frozenset[str]:
    """Return the packages that the names of entries and of their objects begin with."""
    found: set[str] = set()
    for _docname, entry in plan.catalogue.entries:
        found.update(name.partition(".")[0] for name in (*entry.names, *entry.lineage))
    return frozenset(found)
