"""What a heuristic's own page shows beside its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from ..model import PAGE_TYPES, Found, Target
from ..notes.inline import text_of
from ..words import _
from .parts import (
    Meta,
    field,
    joined,
    link_nodes,
    meta,
    outdated_nodes,
    paragraph,
    severity_word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config import Settings
    from ..model import Evidence, Heuristic
    from ..resolve.listing import Link
    from ..resolve.plan import Plan
    from ..resolve.verdicts import Shown
    from ..view import Here

#: Connection type → the name of its field.
_FIELDS = {
    "impl": _("Applies to"),
    "workflow": _("Workflow"),
    "principle": _("Principle"),
    "env": _("Environment"),
}

#: How many of what a heuristic applies to its line of facts names.
_MAX_NAMED = 3

#: Of more API entries the list is collapsed, and of more of anything else.
_MAX_ENTRIES, _MAX_OTHERS = 10, 5


class Facts(NamedTuple):
    """What is shown under a definition's title."""

    meta: Meta
    categories: tuple[str, ...]
    #: What it applies to.
    links: tuple[Link, ...]
    parameters: tuple[str, ...]
    #: What the search finds its page by, as if it were in the title.
    search: str


def facts(plan: Plan, record: Heuristic) -> Facts:
    """Return what is shown under a definition's title."""
    name = record.name.replace("_", " ")
    search = (record.name, name, text_of(record.note), *record.keywords)
    return Facts(
        meta=meta(plan, record),
        categories=record.categories,
        links=tuple(link for link in plan.links(record) if link.type == "impl"),
        parameters=record.parameters,
        search=" ".join(search),
    )


def facts_nodes(content: Facts, here: Here) -> list[nodes.Node]:
    """Return the line of facts under a definition's title."""
    severity = content.meta.severity
    classes = ["heuristic-badge", f"heuristic-{severity}"]
    parts: list[list[nodes.Node]] = [
        [nodes.inline("", severity_word(severity), classes=classes)]
    ]
    if content.meta.bounds:
        outdated = outdated_nodes(content.meta.outdated)
        parts.append([nodes.Text(content.meta.bounds), *outdated])
    if content.categories:
        parts.append([nodes.Text(", ".join(content.categories))])
    if content.links:
        applies = joined(link_nodes(link, here) for link in content.links[:_MAX_NAMED])
        rest = len(content.links) - _MAX_NAMED
        if rest > 0:
            applies.append(nodes.Text(" " + _("and %d more") % rest))
        parts.append([nodes.Text(f"{_FIELDS['impl']}: "), *applies])
    if content.parameters:
        names = joined([nodes.literal("", name)] for name in content.parameters)
        parts.append([nodes.Text(_("Parameters") + ": "), *names])
    # In an admonition the text builder would join a paragraph with the note.
    line = paragraph(*joined(parts, " · "))
    return [nodes.container("", line, classes=["heuristic-facts"])]


class EntryGroup(NamedTuple):
    """API entries that show a definition: several of one class, or one alone."""

    #: The class; ``""`` for an entry alone.
    owner: str
    #: The names and places of the entries.
    entries: tuple[tuple[str, Target], ...]


class Surroundings(NamedTuple):
    """What is shown at the end of a definition: what it is connected to."""

    entries: tuple[EntryGroup, ...]
    #: What it applies to, if the line of facts has no room for it, and its pages.
    links: tuple[Link, ...]
    #: The titles and places of the pages that mention it.
    mentions: tuple[tuple[str, Target], ...]
    keywords: tuple[str, ...]


def surroundings(plan: Plan, record: Heuristic) -> Surroundings:
    """Return what is shown at the end of a definition.

    What is shown and mentioned elsewhere is the definition in effect.
    """
    is_in_effect = plan.heuristics.get(record.name) is record
    links = plan.links(record)
    pages = tuple(link for link in links if link.type in PAGE_TYPES)
    number = len(links) - len(pages)
    return Surroundings(
        entries=_entries(plan, record) if is_in_effect else (),
        links=links if number > _MAX_NAMED else pages,
        mentions=tuple(
            (plan.title(docname), Target(docname=docname))
            for docname in plan.mentioned_in.get(record.name, ())
            if is_in_effect
        ),
        keywords=record.keywords,
    )


def _entries(plan: Plan, record: Heuristic) -> tuple[EntryGroup, ...]:
    """Return the API entries that show a heuristic, those of one class together."""
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


def surroundings_nodes(content: Surroundings, here: Here) -> list[nodes.Node]:
    """Return the list at the end of a definition; nothing if it would be empty."""
    rows: dict[str, list[list[nodes.Node]]] = {type_: [] for type_ in _FIELDS}
    for link in content.links:
        rows[link.type].append(link_nodes(link, here))
    entries = _entry_nodes(content.entries, here)
    number = sum(len(group.entries) for group in content.entries)
    mentions = [
        [here.link(nodes.inline("", title), target)]
        for title, target in content.mentions
    ]
    fields = [
        (_FIELDS["impl"], len(rows["impl"]), joined(rows.pop("impl"))),
        (_("Shown in"), number, entries),
        (_("Mentioned in"), len(mentions), joined(mentions)),
    ]
    for type_, linked in rows.items():
        fields.append((_FIELDS[type_], len(linked), joined(linked)))
    keywords = joined([nodes.Text(word)] for word in content.keywords)
    fields.append((_("Keywords"), len(content.keywords), keywords))
    folded: list[nodes.Node] = []
    listed = nodes.field_list(classes=["heuristic-entries"])
    for name, number, children in fields:
        most = _MAX_ENTRIES if children is entries else _MAX_OTHERS
        if number > most:
            folded.append(_fold(f"{name} ({number})", children))
        elif number:
            listed += field(name, *children)
    return [*folded, listed] if listed.children else folded


def _fold(title: str, children: Iterable[nodes.Node]) -> nodes.Node:
    """Return a collapsed block."""
    return nodes.admonition(
        "",
        nodes.title("", title),
        nodes.paragraph("", "", *children),
        classes=["heuristic-shown"],
        collapsible="closed",
    )


def _entry_nodes(groups: Sequence[EntryGroup], here: Here) -> list[nodes.Node]:
    """Return the names of API entries, those of one class together."""
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
    return joined(parts, between)


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
