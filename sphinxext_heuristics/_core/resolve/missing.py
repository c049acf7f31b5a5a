"""Why a target does not exist, and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from ..model import PAGE_TYPES, Heuristic, Lost, LostReason
from .records import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..model import Entry, Evidence, Query
    from ..source.names import Definition
    from .catalogue import Catalogue
    from .meanings import Meanings
    from .quotes import Quotes
    from .records import Resolved


#: What is said of objects whose package is not documented here.
_OF_OTHERS = "another project's API needs an entry in intersphinx_mapping"


def why_missing(
    catalogue: Catalogue,
    meanings: Meanings,
    resolved: Resolved,
    lost: Iterable[Lost] = (),
) -> str:
    """Return why a target is missing, as the end of a sentence that names it.

    *lost* are the quotes that are gone with it, see `lost_with`.
    """
    connection = resolved.connection
    target = connection.target
    if connection.type in PAGE_TYPES:
        return _no_page(meanings, target)
    if target.endswith(".*"):
        return _star_last(catalogue, target.removesuffix(".*"))
    if connection.pattern.endswith("+") and meanings.objects.find(target).reached:
        return "is no class: '+' means a class and its subclasses"
    if meant := why_undocumented(catalogue, meanings, target):
        return meant
    alike = [*_renamed(meanings, lost), *meanings.objects.closest(target)]
    near = did_you_mean([*dict.fromkeys(alike)][:3])
    package, dot, _rest = target.partition(".")
    if not near and dot and package not in meanings.documented_packages:
        near = f"; {_OF_OTHERS}"
    return f"does not exist: no documented object has this name{near}"


def lost_with(
    meanings: Meanings, quotes: Quotes, record: Heuristic | Query, resolved: Resolved
) -> dict[Evidence, Lost]:
    """Return the quotes of the missing target's own object: lost for the same cause."""
    is_object = resolved.connection.type not in PAGE_TYPES
    if not isinstance(record, Heuristic) or resolved.exists or not is_object:
        return {}
    names = meanings.objects.aliases(resolved.connection.target)
    found: dict[Evidence, Lost] = {}
    for quoted in record.evidence:
        if f"{quoted.module}.{quoted.qualname}" in names:
            result = quotes.verify(quoted)
            if isinstance(result, Lost) and result.reason is LostReason.NO_OBJECT:
                found[quoted] = result
    return found


def _renamed(meanings: Meanings, lost: Iterable[Lost]) -> Iterator[str]:
    """Yield the objects that have what a heuristic quotes of one that is gone."""
    for one in lost:
        holder = one.holder.replace(":", ".")
        reached = meanings.objects.find(holder).reached if holder else {}
        own = [name for name in reached if reached[name] is not Rule.INHERITED]
        yield from own[:1] or filter(None, [holder])


def _no_page(meanings: Meanings, target: str) -> str:
    """Return why no page is called so."""
    if "://" in target:
        return (
            "is a URL: give it a name in heuristics_targets in conf.py, and write "
            "that name"
        )
    meant = did_you_mean(meanings.pages.closest(target))
    if meanings.objects.find(target).reached:
        meant = "; it is an object: use impl"
    return f"does not exist: no page or label has this name{meant}"


def _star_last(catalogue: Catalogue, owner: str) -> str:
    """Return what is wrong with ``.*`` after a name, and what to write."""
    entry = catalogue.entry_of.get(owner)
    with_subclasses = f"'{owner}+' for a class and its subclasses, or "
    if entry and entry.is_module:
        with_subclasses = ""
    return (
        "does not exist: '*' is written first, and means all of one name, as in "
        f"'*.merge'; write {with_subclasses}the members that you mean"
    )


def why_undocumented(catalogue: Catalogue, meanings: Meanings, target: str) -> str:
    """Return why an object that a name means has no entry, and what to write.

    That is ``""`` where nothing is known by the name.
    """
    owner, _dot, last = target.rpartition(".")
    names = meanings.objects.find(owner).reached if owner else ()
    entries = [catalogue.entry_of[name] for name in names]
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
    if definition := meanings.defined(target):
        where = f"{definition.path}:{definition.line} defines it"
        above = definition.name.rpartition(".")[0]
        is_own = not (entries or definition.is_inherited)
        if is_own and above in catalogue.entry_of:
            owner, entries = above, [catalogue.entry_of[above]]
        reason = _reason(meanings, definition, owner, entries)
        return f"is not documented: {where}; {reason}"
    if meanings.pages.find(target).place:
        return "does not exist: it is a page; use workflow, principle or env"
    return ""


def _reason(
    meanings: Meanings, definition: Definition, owner: str, entries: list[Entry]
) -> str:
    """Return why autodoc probably leaves out what the source defines, and what to do.

    *entries* are those of its owner.
    """
    if definition.is_module or not entries:
        above = f" nor {owner!r}" if owner and not entries else ""
        reason = f"no directive documents it{above}, or its import failed"
        package = definition.name.partition(".")[0]
        if package not in meanings.documented_packages:
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
    if not any(entry.is_class or module in entry.names for entry in entries):
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
    return ""
