"""What a heuristic's own page shows beside its text: its facts, where it shows, and the captions of its quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics.model import CONNECTION_TYPES, Found, Target
from sphinxext_heuristics.resolve import listing as index
from sphinxext_heuristics.show.parts import Meta, field, joined, meta, outdated_nodes, severity_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.model import Evidence, Heuristic
    from sphinxext_heuristics.resolve.connections import Resolved
    from sphinxext_heuristics.resolve.listing import Link
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.view import Here

#: Connection type → the name of its field.
_FIELDS = {"impl": "Applies to", "workflow": "Workflow", "principle": "Principle", "env": "Environment"}


class Facts(NamedTuple):
    """What is said under a definition's title."""

    meta: Meta
    categories: tuple[str, ...]
    links: tuple[Link, ...]


def facts(plan: Plan, record: Heuristic, resolved: Sequence[Resolved]) -> Facts:
    """Return what is said under a definition's title."""
    return Facts(meta(plan, record), record.categories, index.links(resolved, plan.settings.package, plan))


def facts_nodes(said: Facts, here: Here) -> list[nodes.Node]:
    """Return the field list under a definition's title."""
    listed = nodes.field_list(classes=["heuristic-facts"])
    listed += field("Severity", nodes.Text(severity_word(said.meta.severity)))
    if said.meta.bounds:
        listed += field("Versions", nodes.Text(said.meta.bounds), *outdated_nodes(said.meta.outdated))
    if said.categories:
        listed += field("Categories", nodes.Text(", ".join(said.categories)))
    for type_ in CONNECTION_TYPES:
        if chosen := [one for one in said.links if one.type == type_]:
            listed += field(_FIELDS[type_], *joined(_connection(one, here) for one in chosen))
    return [listed]


def _connection(one: Link, here: Here) -> list[nodes.Node]:
    """Return a connection's name, linked, with a mark if it is missing."""
    name = (nodes.literal if one.type == "impl" else nodes.inline)("", one.text)
    if one.target is None:
        return [nodes.Text(f"{index.MISSING} "), name]
    return [here.link(name, one.target)]


def entries(plan: Plan, record: Heuristic) -> tuple[tuple[str, Target], ...]:
    """Return the API entries that show a definition: what each is called, and where it is; none for a repeated one."""
    if plan.heuristics.get(record.name) is not record:
        return ()
    package = plan.settings.package
    return tuple(
        (one.name.removeprefix(f"{package}.") if package else one.name, Target(docname=one.docname, anchor=one.anchor))
        for one in plan.shown_in.get(record.name, ())
    )


def entries_nodes(shown: Sequence[tuple[str, Target]], here: Here) -> list[nodes.Node]:
    """Return the list of API entries; nothing for none."""
    if not shown:
        return []
    listed = nodes.field_list(classes=["heuristic-entries"])
    listed += field("Shown in", *joined([here.link(nodes.literal("", name), target)] for name, target in shown))
    return [listed]


class Caption(NamedTuple):
    """What is said above a quote."""

    #: The object, its module and its package's version, as far as there are any.
    names: tuple[str, ...]
    release: str
    #: The line where it is found, or ``None``.
    line: int | None
    #: Where the source is published, or ``""``.
    uri: str


def caption(plan: Plan, evidence: Evidence) -> Caption:
    """Return what is said above a quote."""
    found = plan.lookups.verify(evidence)
    version = plan.version_of(evidence)
    release = f"{plan.package_of(evidence)} {version}".strip()
    return Caption(
        names=tuple(filter(None, (evidence.qualname, evidence.module))),
        release=release if release != evidence.module else "",
        line=found.line if isinstance(found, Found) else None,
        uri=_source_url(plan.settings, evidence, found, version) if isinstance(found, Found) else "",
    )


def caption_nodes(said: Caption) -> list[nodes.Node]:
    """Return a caption's inline nodes."""
    spoken: list[nodes.Node] = [nodes.literal("", name) for name in said.names]
    spoken += [nodes.Text(said.release)] if said.release else []
    where: nodes.Node = nodes.strong("", "not found there") if said.line is None else nodes.Text(f"line {said.line}")
    if said.uri:
        where = nodes.reference("", "", nodes.inline("", where.astext()), refuri=said.uri, internal=False)
    return [*joined([part] for part in spoken), nodes.Text(", "), where]


def _source_url(settings: Settings, record: Evidence, found: Found, version: str) -> str:
    """Return where quoted source is published, or ``""``; the template is that of the documented package."""
    if not settings.source_url or (settings.package and not record.is_of(settings.package)):
        return ""
    if not version and "{version" in settings.source_url:
        return ""  # a link to no version would lead nowhere
    parts = found.module.split(".")
    parts += ["__init__"] if found.path.stem == "__init__" else []
    return settings.source_url.format(
        path="/".join(parts) + found.path.suffix, line=found.line, module=found.module, version=version
    )
