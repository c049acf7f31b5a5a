"""What a heuristic's own page shows beside its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics._core.model import CONNECTION_TYPES, Found, Target
from sphinxext_heuristics._core.notes.inline import text_of
from sphinxext_heuristics._core.resolve import listing as index
from sphinxext_heuristics._core.show.parts import (
    Meta,
    field,
    joined,
    link_nodes,
    meta,
    outdated_nodes,
    severity_word,
)
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sphinxext_heuristics._core.config import Settings
    from sphinxext_heuristics._core.model import Evidence, Heuristic
    from sphinxext_heuristics._core.resolve.connections import Resolved
    from sphinxext_heuristics._core.resolve.listing import Link
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import Here

#: Connection type → the name of its field.
_FIELDS = {
    "impl": _("Applies to"),
    "workflow": _("Workflow"),
    "principle": _("Principle"),
    "env": _("Environment"),
}


class Facts(NamedTuple):
    """What is shown under a definition's title."""

    meta: Meta
    categories: tuple[str, ...]
    keywords: tuple[str, ...]
    #: What the search finds its page by, as if it were in the title.
    search: str
    links: tuple[Link, ...]
    parameters: tuple[str, ...]
    #: The titles and places of the pages that mention it.
    mentions: tuple[tuple[str, Target], ...]


def facts(plan: Plan, record: Heuristic, resolved: Sequence[Resolved]) -> Facts:
    """Return what is shown under a definition's title."""
    name = record.name.replace("_", " ")
    search = (record.name, name, text_of(record.note), *record.keywords)
    return Facts(
        meta=meta(plan, record),
        categories=record.categories,
        keywords=record.keywords,
        search=" ".join(search),
        links=index.links(resolved, plan.settings.package, plan),
        parameters=record.parameters,
        mentions=tuple(
            (plan.title(docname), Target(docname=docname))
            for docname in plan.mentioned_in.get(record.name, ())
        ),
    )


def facts_nodes(content: Facts, here: Here) -> list[nodes.Node]:
    """Return the field list under a definition's title."""
    listed = nodes.field_list(classes=["heuristic-facts"])
    classes = ["heuristic-badge", f"heuristic-{content.meta.severity}"]
    listed += field(
        _("Severity"),
        nodes.inline("", severity_word(content.meta.severity), classes=classes),
    )
    if content.meta.bounds:
        listed += field(
            _("Versions"),
            nodes.Text(content.meta.bounds),
            *outdated_nodes(content.meta.outdated),
        )
    if content.categories:
        listed += field(_("Categories"), nodes.Text(", ".join(content.categories)))
    for type_ in CONNECTION_TYPES:
        links = [link for link in content.links if link.type == type_]
        if links:
            shown = joined(link_nodes(link, here) for link in links)
            listed += field(_FIELDS[type_], *shown)
    if content.parameters:
        listed += field(
            _("Parameters"),
            *joined([nodes.literal("", name)] for name in content.parameters),
        )
    if content.mentions:
        listed += field(
            _("Mentioned in"),
            *joined(
                [here.link(nodes.inline("", text), to)] for text, to in content.mentions
            ),
        )
    if content.keywords:
        listed += field(_("Keywords"), nodes.Text(", ".join(content.keywords)))
    return [listed]


def entries(
    plan: Plan, record: Heuristic
) -> tuple[tuple[str, tuple[tuple[str, Target], ...]], ...]:
    """Return the API entries that show a definition by their class, ``""`` for one alone; none for a repeated one."""
    if plan.heuristics.get(record.name) is not record:
        return ()
    package = f"{plan.settings.package}."
    owners: dict[str, list[tuple[str, Target]]] = {}
    for one in plan.shown_in.get(record.name, ()):
        owner = one.name.rpartition(".")[0]
        entry = plan.entry_of.get(owner)
        members = owners.setdefault(owner if entry and entry.is_class else one.name, [])
        members.append(
            (
                one.name.removeprefix(package),
                Target(docname=one.docname, anchor=one.anchor),
            )
        )
    return tuple(
        (owner.removeprefix(package) if len(members) > 1 else "", tuple(members))
        for owner, members in owners.items()
    )


def entries_nodes(
    shown: Sequence[tuple[str, Sequence[tuple[str, Target]]]], here: Here
) -> list[nodes.Node]:
    """Return the list of API entries; nothing for none."""
    if not shown:
        return []
    groups = []
    for owner, members in shown:
        names = ((name.removeprefix(f"{owner}."), target) for name, target in members)
        linked = joined(
            [here.link(nodes.literal("", name), target)] for name, target in names
        )
        groups.append(
            [nodes.literal("", owner), nodes.Text(": "), *linked] if owner else linked
        )
    listed = nodes.field_list(classes=["heuristic-entries"])
    listed += field(
        _("Shown in"),
        *joined(groups, "; " if any(owner for owner, _members in shown) else ", "),
    )
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
        uri=_source_url(plan.settings, evidence, found, version)
        if isinstance(found, Found)
        else "",
    )


def caption_nodes(said: Caption) -> list[nodes.Node]:
    """Return a caption's inline nodes."""
    spoken: list[nodes.Node] = [nodes.literal("", name) for name in said.names]
    spoken += [nodes.Text(said.release)] if said.release else []
    lost = said.line is None
    where: nodes.Node = (
        nodes.strong("", _("not found there"))
        if lost
        else nodes.Text(_("line %d") % said.line)
    )
    if said.uri:
        where = nodes.reference(
            "", "", nodes.inline("", where.astext()), refuri=said.uri, internal=False
        )
    return [*joined([part] for part in spoken), nodes.Text(", "), where]


def _source_url(
    settings: Settings, record: Evidence, found: Found, version: str
) -> str:
    """Return where quoted source is published, or ``""``; the template is that of the documented package."""
    if not settings.source_url or (
        settings.package and not record.is_of(settings.package)
    ):
        return ""
    if not version and "{version" in settings.source_url:
        return ""  # a link to no version would lead nowhere
    parts = found.module.split(".")
    parts += ["__init__"] if found.path.stem == "__init__" else []
    return settings.source_url.format(
        path="/".join(parts) + found.path.suffix,
        line=found.line,
        module=found.module,
        version=version,
    )
