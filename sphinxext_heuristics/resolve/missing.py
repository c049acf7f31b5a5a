"""Why a target does not exist, in words, and what to write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import did_you_mean
from sphinxext_heuristics.model import PAGE_TYPES
from sphinxext_heuristics.resolve.connections import defined

if TYPE_CHECKING:
    from sphinxext_heuristics.model import Connection
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.source.names import Definition


def of_connection(plan: Plan, connection: Connection) -> str:
    """Return why the target of a connection is missing."""
    target = connection.target
    what = f"{connection.type} target {target!r}"
    if connection.type in PAGE_TYPES:
        several = "; separate targets with commas" if re.search(r"\s", target) else ""
        close = several or did_you_mean(plan.lookups.pages.closest(target))
        return f"{what} does not exist: no page or label has this name{close}"
    owner, _dot, last = target.rpartition(".")
    entries = [plan.entry_of[name] for name in plan.lookups.objects.find(owner).names] if owner else []
    if entries and last == "__init__":
        return f"{what} is not documented: a constructor is documented with its class; write {owner!r}"
    if any(last in entry.parameters for entry in entries):
        return f"{what} does not exist: {last!r} is a parameter; write {owner!r}"
    if definition := defined(plan.settings, plan.lookups, target):
        where = f"{definition.path}:{definition.line} defines it"
        return f"{what} is not documented: {where}; {_reason(definition, owner, is_owner_documented=bool(entries))}"
    if "*" in target.removeprefix("*."):
        name = target.rpartition(".")[2].strip("*") or "name"
        return f"{what} does not exist: a star may only come first, as in '*.{name}'"
    close = did_you_mean(plan.lookups.objects.closest(target))
    return f"{what} does not exist: no documented object has this name{close}"


def _reason(definition: Definition, owner: str, *, is_owner_documented: bool) -> str:
    """Return why autodoc probably leaves out what the source defines, and what to do."""
    last = definition.name.rpartition(".")[2]
    if not is_owner_documented:
        above = f" nor {owner!r}" if owner else ""
        return f"no directive documents it{above}, or its import failed"
    if definition.is_inherited:
        return f"it is inherited: add ':inherited-members:', or write {definition.name!r}"
    if last.startswith("__"):
        return "its name is special: add ':special-members:'"
    if last.startswith("_"):
        return "its name is private: add ':private-members:'"
    if not definition.is_described:
        return "it has no docstring: write one, or add ':undoc-members:'"
    return f"the entry of {owner!r} has no ':members:' (autosummary's default template has none for a class)"


def undocumented_package(plan: Plan, connection: Connection) -> str:
    """Return the package whose source defines a target and of which nothing is documented, or ``""``."""
    definition = defined(plan.settings, plan.lookups, connection.target) if connection.type == "impl" else None
    package = definition.name.partition(".")[0] if definition else ""
    return package if package not in plan.once(_documented) else ""


def _documented(plan: Plan) -> frozenset[str]:
    """Return the packages of which anything is documented, by the names of entries and of their objects."""
    names = (name for _docname, entry in plan.catalogue.entries for name in (*entry.names, *entry.lineage))
    return frozenset(name.partition(".")[0] for name in names)
