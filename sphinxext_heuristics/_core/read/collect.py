"""Collect: what a document holds, taken from its nodes as plain data."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx import addnodes

from ..diagnostics import absolute
from ..model import Entry, Page, RoleUse
from ..nodes import (
    EVIDENCE,
    UNTITLED,
    around,
    below,
    heuristic_entries,
    heuristic_facts,
    heuristic_query,
    is_evidence,
)
from ..notes.inline import freeze
from ..problems import Problem, Subtype
from .mentions import mentions
from .parameters import parameters, signatures, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from ..model import Evidence, Heuristic, Query


class Told(NamedTuple):
    """What the object that an entry documents tells of itself."""

    #: Its lineage, and whether that is a guess, as an entry has them.
    lineage: tuple[str, ...] = ()
    may_be: tuple[str, ...] = ()
    #: The names of a class's bases, and of theirs.
    bases: tuple[str, ...] = ()
    #: Whether it is a class.
    is_class: bool = False
    #: The object that autodoc had in hand; ``None`` where there is only source.
    obj: object = None


def collect(
    document: nodes.document,
    docname: str,
    identify: Callable[[str, str], Told],
    modules: Container[str] = (),
) -> Page:
    """Return what a document holds, and number what is filled in when it is written.

    *identify* returns what is known of the object of a documented name, whose entry has
    a source. *modules* has the names of modules.
    """
    everything = list(below(document))
    found: defaultdict[type[nodes.Node], list[Any]] = defaultdict(list)
    for node in everything:
        found[type(node)].append(node)
    references, sections = found[addnodes.pending_xref], found[nodes.section]
    quotes = list(filter(is_evidence, found[nodes.container]))
    evidence = tuple(map(_evidence, quotes))
    placeholders = found[heuristic_query]
    own = sections[0]["ids"][0] if sections else ""
    queries = [_query(placeholder, own) for placeholder in placeholders]
    by_hand: dict[int, list[int]] = {}
    for position, query in enumerate(queries):
        if query.option("target") is not None:
            desc = _around(placeholders[position], addnodes.desc)
            by_hand.setdefault(id(desc), []).append(position)
    _number(quotes, placeholders)
    documented = list(_documented(everything, modules))
    defined = _defined(everything, documented)
    links = [*references, *found[nodes.reference]]
    return Page(
        heuristics=tuple(
            _definitions(found[heuristic_facts], quotes, evidence, docname)
        ),
        entries=tuple(_entries(documented, identify, by_hand, defined)),
        roles=tuple(_role_uses(references)),
        links=tuple(_other_links(references)),
        mentions=tuple(mentions(links, docname, document["source"])),
        queries=tuple(queries),
        evidence=evidence,
        sections=tuple(tuple(section["ids"]) for section in sections),
        titles=tuple(map(_title, sections)),
        anchors=tuple(_anchors(document)),
        problems=(*_unread(found[nodes.paragraph]), *_above(found)),
    )


def _evidence(quote: nodes.container) -> Evidence:
    """Return what is quoted, and whether a reader has to open something to see it."""
    record: Evidence = quote[EVIDENCE]
    return record._replace(collapsed=any(map(_is_collapsed, around(quote))))


def _is_collapsed(node: nodes.Element) -> bool:
    """Return whether a node is collapsed: Sphinx's admonitions, sphinx-design's."""
    if node.get("design_component") == "dropdown":
        return not node["opened"]
    return bool(node.get("collapsible") == "closed")


def _query(placeholder: heuristic_query, own: str) -> Query:
    """Return what a directive asks for; *own* is the id of the document's section."""
    section = _around(placeholder, nodes.section)
    anchor = section["ids"][0] if section else ""
    query: Query = placeholder["record"]
    return query._replace(section="" if anchor == own else anchor)


def _number(
    quotes: Iterable[nodes.container], placeholders: Iterable[heuristic_query]
) -> None:
    """Replace the records in nodes by their places among those of the page."""
    for position, quote in enumerate(quotes):
        quote[EVIDENCE] = position
    for position, placeholder in enumerate(placeholders):
        del placeholder["record"]
        placeholder["position"] = position


def _documented(
    everything: Iterable[nodes.Node], modules: Container[str]
) -> Iterator[nodes.Element]:
    """Yield the nodes of API entries, and those where modules begin."""
    opened: set[str] = set()
    for node in everything:
        if isinstance(node, addnodes.desc):
            yield node
        elif isinstance(node, nodes.target | nodes.section):
            name = module_name(node)
            # The id of a target before a section is the section's, too.
            if name in modules and name not in opened:
                opened.add(name)
                yield node


def _defined(
    everything: Iterable[nodes.Node], documented: Iterable[nodes.Element]
) -> dict[int, list[int]]:
    """Map the nodes of API entries to the heuristics that their documentation defines.

    That of a module ends with the section that it is in, or where a member begins.
    """
    begins = set(map(id, documented))
    opened: nodes.Node | None = None
    found: dict[int, list[int]] = {}
    position = 0
    for node in everything:
        if id(node) in begins:
            opened = None if isinstance(node, addnodes.desc) else node
        elif isinstance(node, heuristic_facts):
            holder: nodes.Node | None = _around(node, addnodes.desc)
            if holder is None and opened is not None:
                whole = opened if isinstance(opened, nodes.section) else opened.parent
                holder = opened if whole in around(node) else None
            found.setdefault(id(holder), []).append(position)
            position += 1
    return found


def _role_uses(references: list[addnodes.pending_xref]) -> Iterator[RoleUse]:
    for reference in references:
        if reference.get("refdomain") == "heuristic" and "intersphinx" not in reference:
            yield RoleUse(
                target=reference["reftarget"],
                has_text=bool(reference.get("refexplicit")),
                source=absolute(reference.source),
                line=reference.line or 0,
            )


def _other_links(
    references: list[addnodes.pending_xref],
) -> dict[tuple[str, bool], None]:
    """Return the targets of links that may mean a heuristic, each once.

    With each is whether the link shows a text of its own.
    """
    return {
        (reference["reftarget"], bool(reference.get("refexplicit"))): None
        for reference in references
        if "intersphinx" in reference
        or (
            reference.get("reftype") in {"any", "myst"}
            and not reference.get("refdomain")
        )
    }


#: Markup of ours that one of the two syntaxes does not read.
_AS_TEXT = re.compile(
    r"^:{3,}\{(?:evidence|heuristics?(?:-\w+)?)\}"
    r"|^\.\. +(?:evidence|heuristics?-\w+) ?::"
    r"|:heuristic:(?= ?`)|\{heuristic\}(?= ?`)"
)


def _unread(paragraphs: list[nodes.paragraph]) -> Iterator[Problem]:
    """Yield a problem for each directive or role of ours that a page shows as text."""
    for paragraph in paragraphs:
        shown = "".join(
            str(child) if isinstance(child, nodes.Text) else "`"
            for child in paragraph.children
        )
        for markup in _AS_TEXT.findall(shown):
            why = (
                "it is markup of reStructuredText in a Markdown page, or the other way "
                "round"
            )
            if markup in {":heuristic:", "{heuristic}"}:
                why = (
                    "the role is {heuristic}`NAME` in Markdown and :heuristic:`NAME` "
                    "in reStructuredText, with single backticks and no space"
                )
            elif markup.startswith(":::"):
                why = (
                    "':::' is Markdown, and requires 'colon_fence' in "
                    "myst_enable_extensions"
                )
            yield Problem(
                subtype=Subtype.OPTION,
                message=f"{markup!r} is shown as text: {why}",
                source=absolute(paragraph.source),
                line=paragraph.line or 0,
            )


def _above(found: Mapping[type[nodes.Node], list[Any]]) -> Iterator[Problem]:
    """Yield the problem of a page without title whose heuristic does not open it."""
    untitled = any(UNTITLED in section for section in found[nodes.section])
    for facts in found[heuristic_facts][:1] if untitled else ():
        message = (
            "there is text above the heuristic: on a page of heuristics_dir the "
            "directive must come first"
        )
        form = facts.parent
        yield Problem(Subtype.FILE, message, absolute(form.source), form.line or 0)


def _title(section: nodes.section) -> str:
    """Return the text of a section's title."""
    title = section.next_node(nodes.title)
    return title.astext() if title else ""


def _anchors(document: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield the id of each label and that of the section around it."""
    for name, anchor in document.nameids.items():
        if anchor and document.nametypes.get(name):
            section = _around(document.ids.get(anchor), nodes.section)
            yield anchor, section["ids"][0] if section else ""


def _around(node: nodes.Node | None, kind: type[nodes.Element]) -> nodes.Element | None:
    """Return the innermost node of a kind: *node* itself, one around it or ``None``."""
    return next((it for it in around(node) if isinstance(it, kind)), None)


def _definitions(
    found: list[heuristic_facts],
    quotes: list[nodes.container],
    evidence: tuple[Evidence, ...],
    docname: str,
) -> Iterator[Heuristic]:
    """Yield the heuristics with what is known of them when the page is complete."""
    quoted: dict[nodes.Node | None, list[Evidence]] = {
        facts.parent: [] for facts in found
    }
    for quote, record in zip(quotes, evidence, strict=True):
        form = next((it for it in around(quote) if it in quoted), None)
        quoted.setdefault(form, []).append(record)
    for position, facts in enumerate(found):
        form = facts.parent
        title, note, *parts = form.children
        for part in parts:
            if isinstance(part, heuristic_facts | heuristic_entries):
                part["position"] = position
        yield facts.attributes.pop("record")._replace(
            docname=docname,
            title=title.astext(),
            anchor=form["ids"][0],
            ids=tuple(form["ids"]),
            note=freeze(note.children),
            in_entry=_around(form, addnodes.desc) is not None,
            evidence=tuple(quoted[form]),
        )


def _entries(
    found: Iterable[nodes.Element],
    identify: Callable[[str, str], Told],
    by_hand: Mapping[int, list[int]],
    defined: Mapping[int, list[int]],
) -> Iterator[Entry]:
    """Yield the API entries of a document, in their order."""
    for node in found:
        defines = tuple(defined.get(id(node), ()))
        if module := module_name(node):
            yield Entry(
                names=(module,),
                lineage=(module,),
                anchor=f"{_MODULE}{module}",
                is_module=True,
                defines=defines,
            )
        if isinstance(node, addnodes.desc) and node.get("domain") == "py":
            entry = _entry(node, identify, tuple(by_hand.get(id(node), ())))
            if entry.names:
                yield entry._replace(defines=defines)


def _entry(
    desc: addnodes.desc, identify: Callable[[str, str], Told], by_hand: tuple[int, ...]
) -> Entry:
    """Return the record of one API entry."""
    names = entry_names(desc)
    known = [identify(name, desc[0].source or "") for name in names]
    anchors = chain.from_iterable(signature["ids"] for signature in signatures(desc))
    objects = [identity.obj for identity in known]
    shown = parameters(desc, lambda: _each_once(map(signed, objects)))
    is_class = any(identity.is_class for identity in known)
    return Entry(
        names=names,
        lineage=_each_once(identity.lineage for identity in known),
        may_be=_each_once(identity.may_be for identity in known),
        anchor=next(anchors, ""),
        by_hand=by_hand,
        is_class=is_class or desc.get("objtype") in {"class", "exception"},
        parameters=shown.shown,
        bases=_each_once(identity.bases for identity in known),
        described=shown.described,
    )


def _each_once(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def module_name(node: nodes.Node) -> str:
    """Return the module whose documentation may begin at a node, or ``""``.

    Its target has the module's id, but docutils moves that to what follows, and Sphinx
    to the section that it opens.
    """
    ids = []
    if isinstance(node, nodes.section):
        ids = node["ids"]
    elif isinstance(node, nodes.target) and "ismod" in node:
        ids = node["ids"] or [node.get("refid", "")]
    return next((i.removeprefix(_MODULE) for i in ids if i.startswith(_MODULE)), "")


#: What the id of a module's target begins with.
_MODULE = "module-"


def entry_names(desc: nodes.Element) -> tuple[str, ...]:
    """Return the full names that an API entry documents, one a signature, each once."""
    names: dict[str, None] = {}
    for signature in signatures(desc):
        if fullname := signature.get("fullname"):
            module = signature.get("module")
            names[f"{module}.{fullname}" if module else fullname] = None
    return tuple(names)
