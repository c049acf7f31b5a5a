"""What a heuristic's own page shows beside its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics._core.model import Found, Target
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
    from sphinxext_heuristics._core.resolve.verdicts import Shown
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
    severity = content.meta.severity
    badge = nodes.inline(
        "",
        severity_word(severity),
        classes=["heuristic-badge", f"heuristic-{severity}"],
    )
    versions: list[nodes.Node] = []
    if content.meta.bounds:
        outdated = outdated_nodes(content.meta.outdated)
        versions = [nodes.Text(content.meta.bounds), *outdated]
    rows: list[tuple[str, list[nodes.Node]]] = [
        (_("Severity"), [badge]),
        (_("Versions"), versions),
        (_("Categories"), joined([nodes.Text(name)] for name in content.categories)),
    ]
    for type_, name in _FIELDS.items():
        links = [link_nodes(link, here) for link in content.links if link.type == type_]
        rows.append((name, joined(links)))
    rows += [
        (
            _("Parameters"),
            joined([nodes.literal("", name)] for name in content.parameters),
        ),
        (
            _("Mentioned in"),
            joined(
                [here.link(nodes.inline("", title), target)]
                for title, target in content.mentions
            ),
        ),
        (_("Keywords"), joined([nodes.Text(word)] for word in content.keywords)),
    ]
    listed = nodes.field_list(classes=["heuristic-facts"])
    for name, children in rows:
        if children:
            listed += field(name, *children)
    return [listed]


class EntryGroup(NamedTuple):
    """API entries that show a definition: several of one class, or one alone."""

    #: The class; ``""`` for an entry alone.
    owner: str
    #: The names and places of the entries.
    entries: tuple[tuple[str, Target], ...]


def entries(plan: Plan, record: Heuristic) -> tuple[EntryGroup, ...]:
    """Return the API entries that show a definition; none for a repeated one."""
    if plan.heuristics.get(record.name) is not record:
        return ()
    owners: dict[str, list[Shown]] = {}
    for shown in plan.shown_in.get(record.name, ()):
        owner = shown.name.rpartition(".")[0]
        entry = plan.entry_of.get(owner)
        key = owner if entry and entry.is_class else shown.name
        owners.setdefault(key, []).append(shown)
    package = f"{plan.settings.package}."
    groups = []
    for owner, members in owners.items():
        group = owner.removeprefix(package) if len(members) > 1 else ""
        places = []
        for shown in members:
            name = shown.name.removeprefix(package).removeprefix(f"{group}.")
            places.append((name, Target(docname=shown.docname, anchor=shown.anchor)))
        groups.append(EntryGroup(group, tuple(places)))
    return tuple(groups)


def entries_nodes(groups: Sequence[EntryGroup], here: Here) -> list[nodes.Node]:
    """Return the list of API entries; nothing for none."""
    if not groups:
        return []
    parts = []
    between = ", "
    for group in groups:
        part = joined(
            [here.link(nodes.literal("", name), target)]
            for name, target in group.entries
        )
        if group.owner:
            part = [nodes.literal("", group.owner), nodes.Text(": "), *part]
            between = "; "
        parts.append(part)
    listed = nodes.field_list(classes=["heuristic-entries"])
    listed += field(_("Shown in"), *joined(parts, between))
    return [listed]


class Caption(NamedTuple):
    """The caption above a quote."""

    #: The object and its module, as far as there are any.
    names: tuple[str, ...]
    #: The package and its version, or ``""``.
    release: str
    #: The line where it is found, or ``None``.
    line: int | None
    #: Where the source is published, or ``""``.
    uri: str


def caption(plan: Plan, evidence: Evidence) -> Caption:
    """Return the caption of a quote."""
    found = plan.lookups.verify(evidence)
    version = plan.version_of(evidence)
    release = f"{plan.package_of(evidence)} {version}".strip()
    line, uri = None, ""
    if isinstance(found, Found):
        line = found.line
        uri = _source_url(plan.settings, evidence, found, version)
    return Caption(
        names=tuple(filter(None, (evidence.qualname, evidence.module))),
        release=release if release != evidence.module else "",
        line=line,
        uri=uri,
    )


def caption_nodes(content: Caption) -> list[nodes.Node]:
    """Return a caption's inline nodes."""
    parts: list[nodes.Node] = [nodes.literal("", name) for name in content.names]
    if content.release:
        parts.append(nodes.Text(content.release))
    if content.line is None:
        parts.append(nodes.strong("", _("not found there")))
    else:
        line = _("line %d") % content.line
        parts.append(
            nodes.reference(
                "", "", nodes.inline("", line), refuri=content.uri, internal=False
            )
            if content.uri
            else nodes.Text(line)
        )
    return joined([part] for part in parts)


def _source_url(
    settings: Settings, evidence: Evidence, found: Found, version: str
) -> str:
    """Return where quoted source is published, or ``""``.

    The template is that of the documented package.
    """
    template = settings.source_url
    is_foreign = settings.package and not evidence.is_of(settings.package)
    # A link to no version would lead nowhere.
    lacks_version = template and "{version" in template and not version
    if not template or is_foreign or lacks_version:
        return ""
    path = found.module.replace(".", "/")
    if found.path.stem == "__init__":
        path += "/__init__"
    return template.format(
        path=path + found.path.suffix,
        line=found.line,
        module=found.module,
        version=version,
    )
