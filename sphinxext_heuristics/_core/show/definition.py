"""What a heuristic's own page shows beside its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from ..model import PAGE_TYPES, Address, Evidence, Found, Heuristic
from ..notes.inline import text_of
from ..resolve.listing import Link
from ..words import N_, _
from .parts import (
    Meta,
    Part,
    collapsed,
    joined,
    link_nodes,
    literal,
    meta,
    meta_parts,
    paragraph,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..resolve.plan import Plan
    from ..view import Here

#: Type of link → the name of its field, in the order of a definition's end.
_FIELDS = {
    "impl": N_("Applies to"),
    "entry": N_("Shown in"),
    "mention": N_("Mentioned in"),
    "workflow": N_("Workflow"),
    "principle": N_("Principle"),
    "env": N_("Environment"),
    "keyword": N_("Keywords"),
    "message": N_("Messages"),
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
    note = text_of(record.note)
    search = (record.name, name, note, *record.keywords, *record.messages)
    return Facts(
        meta=meta(plan.catalogue, record),
        categories=record.categories,
        links=tuple(
            link for link in plan.meanings.links(record) if link.type == "impl"
        ),
        parameters=record.parameters,
        search=" ".join(search),
    )


def facts_nodes(content: Facts, here: Here) -> list[nodes.Node]:
    """Return the line of facts under a definition's title."""
    parts = meta_parts(content.meta, "heuristic-badge")
    if content.categories:
        parts.append([", ".join(content.categories)])
    if content.links:
        applies = joined(link_nodes(link, here) for link in content.links[:_MAX_NAMED])
        name = _(_FIELDS["impl"])
        parts.append([f"{name}: ", *applies])
        rest = len(content.links) - _MAX_NAMED
        if rest > 0:
            parts[-1].append(" " + _("and %d more") % rest)
    if content.parameters:
        names = joined([literal(name)] for name in content.parameters)
        parts.append([_("Parameters") + ": ", *names])
    # In an admonition the text builder would join a paragraph with the note.
    line = paragraph(*joined(parts, " · "))
    return [nodes.container("", line, classes=["heuristic-facts"])]


def surroundings(plan: Plan, record: Heuristic) -> list[Link]:
    """Return what is shown at the end of a definition: what it is connected to.

    That is its pages, the API entries that show it, the pages that mention it, its
    keywords and messages; of what it applies to, what neither the line of facts nor
    these entries name. What is shown and mentioned elsewhere is the definition in
    effect.
    """
    is_in_effect = plan.catalogue.heuristics.get(record.name) is record
    name = record.name if is_in_effect else ""
    links = plan.meanings.links(record)
    applies = [link for link in links if link.type == "impl"]
    shown = [
        Link(
            "entry",
            entry.name.removeprefix(f"{plan.catalogue.package}."),
            Address(docname=entry.docname, anchor=entry.anchor),
        )
        for entry in plan.placing.shown_in.get(name, ())
    ]
    places = {link.address for link in shown}
    listed = [link for link in links if link.type in PAGE_TYPES]
    listed += [link for link in applies[_MAX_NAMED:] if link.address not in places]
    if not places <= {link.address for link in applies[:_MAX_NAMED]}:
        listed += shown
    for docname in plan.catalogue.mentioned_in.get(name, ()):
        title = plan.catalogue.title(docname)
        listed.append(Link("mention", title, Address(docname=docname)))
    listed += [Link("keyword", word, None) for word in record.keywords]
    listed += [Link("message", text, None) for text in record.messages]
    return listed


def surroundings_nodes(content: Sequence[Link], here: Here) -> list[nodes.Node]:
    """Return the list at the end of a definition; nothing if it would be empty."""
    folded: list[nodes.Node] = []
    listed = nodes.field_list(classes=["heuristic-entries"])
    for type_, word in _FIELDS.items():
        name = _(word)
        parts = [link_nodes(link, here) for link in content if link.type == type_]
        children = joined(parts)
        most = _MAX_ENTRIES if type_ == "entry" else _MAX_OTHERS
        if len(parts) > most:
            title = f"{name} ({len(parts)})"
            block = collapsed(title, paragraph(*children), classes=["heuristic-shown"])
            folded.append(block)
        elif parts:
            body = nodes.field_body("", paragraph(*children))
            listed += nodes.field("", nodes.field_name("", name), body)
    return [*folded, listed] if listed.children else folded


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
    found = plan.quotes.verify(evidence)
    release = plan.quotes.release_of(evidence)
    line, uri = None, ""
    if isinstance(found, Found):
        line = found.line
        uri = _source_url(plan, evidence, found)
    return Caption(
        names=tuple(filter(None, (evidence.qualname, evidence.module))),
        release=release if release != evidence.module else "",
        line=line,
        uri=uri,
    )


def caption_nodes(content: Caption, here: Here) -> list[nodes.Node]:
    """Return a caption's inline nodes."""
    parts: list[Part] = [*map(literal, content.names)]
    if content.release:
        parts.append(content.release)
    if content.line is None:
        parts.append(nodes.strong("", _("not found there")))
    else:
        line = _("line %d") % content.line
        text = nodes.inline("", line)
        parts.append(here.link(text, Address(uri=content.uri)) if content.uri else line)
    return joined([part] for part in parts)


def _source_url(plan: Plan, evidence: Evidence, found: Found) -> str:
    """Return where quoted source is published, or ``""``.

    The template is that of the documented package.
    """
    template, version = (
        plan.catalogue.settings.source_url,
        plan.quotes.version_of(evidence),
    )
    is_foreign = plan.catalogue.package and not evidence.is_of(plan.catalogue.package)
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
