"""What connections mean, or why one means nothing and what to write."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from ..model import PAGE_TYPES, Connection, Entry, Target

if TYPE_CHECKING:
    from ..model import Heuristic
    from ..source.names import Definition
    from .objects import Resolved
    from .plan import Plan


#: What is said of objects whose package is not documented here.
_OF_OTHERS = "another project's API needs an entry in intersphinx_mapping"


def resolve(plan: Plan, connection: Connection) -> Resolved:
    """Return what a connection means: here, or else in another project."""
    is_page = connection.type in PAGE_TYPES
    if is_page:
        resolved = plan.page_names.find(connection.target)
    else:
        resolved = _object(plan, connection)
    resolved = resolved._replace(connection=connection)
    if resolved.exists or resolved.several or resolved.planned:
        return resolved
    uri = plan.external.find(connection.type, connection.target)
    return resolved._replace(
        target=Target(uri=uri) if uri else None,
        planned=connection.planned
        or (not is_page and is_left_out(plan, connection.target)),
    )


def has_fault(plan: Plan, record: Heuristic) -> bool:
    """Return whether an object that a heuristic names is missing or several.

    What it reaches is unknown then.
    """
    objects = [it for it in plan.connections(record) if it.connection.type == "impl"]
    return not all(it.exists or it.planned for it in objects)


def _object(plan: Plan, connection: Connection) -> Resolved:
    found = plan.objects.find(connection.pattern)
    if not found.reached:
        return found
    names = plan.objects.aliases(connection.target)
    of_object = [name for name in found.reached if name in names]
    return found._replace(target=plan.places[[*of_object, *found.reached][0]])


def is_left_out(plan: Plan, target: str) -> bool:
    """Return whether a target may be undocumented, as conf.py says, and is defined."""
    is_enough = plan.settings.undocumented == "planned"
    return is_enough and defined(plan, target) is not None


def defined(plan: Plan, target: str) -> Definition | None:
    """Return where the source defines a target, which may lack the package's name."""
    package = plan.package
    found = plan.sources.definition(target)
    if package and not found:
        found = plan.sources.definition(f"{package}.{target}")
    return found


# -- why a target does not exist ------------------------------------------------------


def why_missing(plan: Plan, connection: Connection) -> str:
    """Return why a target is missing, as the end of a sentence that names it."""
    target = connection.target
    if connection.type in PAGE_TYPES:
        if "://" in target:
            return (
                "is a URL: give it a name in heuristics_targets in conf.py, and write "
                "that name"
            )
        meant = did_you_mean(plan.page_names.closest(target))
        if plan.objects.find(target).reached:
            meant = "; it is an object: use impl"
        return f"does not exist: no page or label has this name{meant}"
    if target.endswith(".*"):
        return _star_at_end(plan, target.removesuffix(".*"))
    if connection.pattern.endswith("+") and plan.objects.find(target).reached:
        return "is no class: '+' means a class and its subclasses"
    if meant := object_meant(plan, target):
        return meant
    near = did_you_mean(plan.objects.closest(target))
    package, dot, _rest = target.partition(".")
    if not near and dot and package not in plan.documented_packages:
        near = f"; {_OF_OTHERS}"
    return f"does not exist: no documented object has this name{near}"


def _star_at_end(plan: Plan, owner: str) -> str:
    """Return what to write where all members of a class or a module are asked for."""
    entry = plan.entry_of.get(owner)
    is_module = entry is not None and entry.is_module
    of_class = "" if is_module else f"'{owner}+' for a class and its subclasses, or "
    return (
        "does not exist: '*' is written first, and means all of one name, as in "
        f"'*.merge'; write {of_class}the members that you mean"
    )


def object_meant(plan: Plan, target: str) -> str:
    """Return what is wrong with the name of an object that no entry has.

    That is ``""`` where nothing is known by it.
    """
    owner, _dot, last = target.rpartition(".")
    names = plan.objects.find(owner).reached if owner else ()
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
        reason = _reason(plan, definition, owner, entries)
        return f"is not documented: {where}; {reason}"
    if plan.page_names.find(target).place:
        return "does not exist: it is a page; use workflow, principle or env"
    return ""


def _reason(
    plan: Plan, definition: Definition, owner: str, entries: list[Entry]
) -> str:
    """Return why autodoc probably leaves out what the source defines, and what to do.

    *entries* are those of its owner.
    """
    if definition.is_module or not entries:
        above = f" nor {owner!r}" if owner and not entries else ""
        reason = f"no directive documents it{above}, or its import failed"
        package = definition.name.partition(".")[0]
        if package not in plan.documented_packages:
            reason += f"; {_OF_OTHERS}"
        return reason
    if definition.is_inherited:
        return (
            f"it is inherited: add ':inherited-members:', or write {definition.name!r}"
        )
    module, _dot, last = definition.name.rpartition(".")
    if last.startswith("_"):
        kind = "special" if last.startswith("__") else "private"
        return f"its name is {kind}: add ':{kind}-members:'"
    if undescribed := _undescribed(definition):
        return undescribed
    if module != owner and not any(entry.is_class for entry in entries):
        return (
            f"it is imported from {definition.name!r}: add ':imported-members:', "
            "or a directive for it"
        )
    return (
        f"the entry of {owner!r} has no ':members:' (autosummary's default template "
        "has none for a class), or its options, such as ':exclude-members:', leave "
        "it out"
    )


def _undescribed(definition: Definition) -> str:
    """Return why autodoc sees no description of what the source defines, or ``""``."""
    if definition.is_value and not definition.is_described:
        return (
            "it has no comment with '#:' and no docstring: write one, or add "
            "':undoc-members:'"
        )
    if not definition.is_described:
        return "it has no docstring: write one, or add ':undoc-members:'"
    is_dropped = sys.flags.optimize > 1 and not definition.is_value
    return "Python runs with -OO, which drops docstrings" if is_dropped else ""
