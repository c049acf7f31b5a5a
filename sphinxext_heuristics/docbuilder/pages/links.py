"""Links between pages, and what they make of a later build: notes, resolution, warnings."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.python import ObjectEntry
from sphinx.util import logging

from sphinxext_heuristics.docbuilder.pages.html import html_part
from sphinxext_heuristics.docbuilder.references import REFTYPE, reference_node
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.references import ReferenceResolver
    from sphinxext_heuristics.docbuilder.store import Link

logger = logging.getLogger(__name__)

#: ``reftype`` of a link between pages.
PAGE_REFTYPE = "docbuilder-page"
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")


def page_reference(refdoc: str, link: Link, content: nodes.Element) -> addnodes.pending_xref:
    """Make a reference to a page.

    :param refdoc: The page that it is in.
    :param link: Where it leads.
    :param content: What readers see, linked or not.
    """
    return addnodes.pending_xref(
        "",
        content,
        refdomain="",
        reftype=PAGE_REFTYPE,
        reftarget=link.written,
        refdoc=refdoc,
        refexplicit=True,
        refwarn=False,
        link=link,
    )


def destination(env: BuildEnvironment, link: Link) -> tuple[str, str, str]:
    """Find the document and the anchor that a link leads to.

    :returns: The document, or ``""`` if there is none; the anchor, or ``""`` if the document does not have it; and
        what is wrong.
    """
    store = DocbuilderDomain.of(env)
    docname, anchor, problem = link.docname, link.anchor, ""
    for tree in store.state.trees:
        if docname not in env.found_docs and tree.follow(docname) != docname:
            docname, _, new_anchor = tree.follow(docname).partition("#")
            anchor = anchor or new_anchor
            problem = f"link to {link.written!r}: the page has moved; link to {docname!r}"
    if docname not in env.found_docs and f"{docname}/index" in env.found_docs:
        docname = f"{docname}/index"
    if docname not in env.found_docs:
        return "", "", f"link to {link.written!r}: page {docname!r} does not exist; fix the link, or add a redirect"
    anchors = store.notes[docname].anchors if docname in store.notes else frozenset[str]()
    if anchor and anchor not in anchors:
        help_ = f"closest match: {anchor.lower()!r}" if anchor.lower() in anchors else "fix the link"
        return docname, "", f"link to {link.written!r}: page {docname!r} has no anchor {anchor!r}; {help_}"
    return docname, anchor, problem


def resolve_page(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Resolve a link between pages (``missing-reference``); without a target it is its text."""
    if node["reftype"] != PAGE_REFTYPE or node.get("refdomain"):
        return None
    docname, anchor, _ = destination(env, node["link"])
    return reference_node(app, node, (docname, anchor), contnode) if docname else contnode


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note the anchors of a document, and where its links lead (``doctree-read``)."""
    if not app.config.docbuilder_trees and not app.config.docbuilder_packages:
        return
    notes = DocbuilderDomain.of(app.env).note(app.env.docname)
    references = list(doctree.findall(addnodes.pending_xref))
    notes.links = [node["link"] for node in references if node["reftype"] == PAGE_REFTYPE]
    notes.wanted = tuple(dict.fromkeys(node["wanted"] for node in references if node["reftype"] == REFTYPE))
    if app.config.docbuilder_trees:
        notes.anchors = frozenset(_anchors(doctree))


def _anchors(doctree: nodes.document) -> Iterator[str]:
    for node in doctree.findall(nodes.Element):
        yield from node.get("ids", ())
        if isinstance(node, html_part):
            yield from node["anchors"]
        elif isinstance(node, nodes.raw):
            yield from _HTML_ID.findall(node.astext())


def update(resolver: ReferenceResolver, _: Sphinx, env: BuildEnvironment) -> list[str]:
    """Bring the documents up to date with each other when all are read (``env-updated``).

    Second names are given and warnings told. What is left are documents whose links lead elsewhere than before.

    :param resolver: Knows the documented objects.
    :returns: The documents to be written again.
    """
    store = DocbuilderDomain.of(env)
    state, before, navigation_before = store.state, store.state.outcomes, store.state.navigation
    _give_second_names(env, store)
    resolver.forget()
    for docname, fault in sorted(_faults(env, store), key=lambda pair: (pair[0], pair[1].line)):
        logger.warning(fault.message, type="docbuilder", subtype=fault.subtype, location=(docname, fault.line))
    names = resolver.of(env)
    places = {wanted: names.place(wanted) for notes in store.notes.values() for wanted in notes.wanted}
    state.outcomes = {}
    for docname, notes in store.notes.items():
        found = [destination(env, link)[:2] for link in notes.links], [places[wanted] for wanted in notes.wanted]
        state.outcomes[docname] = sha256(repr(found).encode()).hexdigest()
    state.navigation = _navigation(env, store)
    if navigation_before not in {"", state.navigation}:
        return sorted(env.found_docs)
    return [docname for docname, outcome in state.outcomes.items() if before.get(docname, outcome) != outcome]


def _navigation(env: BuildEnvironment, store: DocbuilderDomain) -> str:
    """Give what all pages show of the trees: a digest; empty without a tree."""
    if not store.state.trees:
        return ""
    pages = [(docname, env.titles[docname].astext()) for docname in sorted(store.state.kinds) if docname in env.titles]
    return sha256(repr((pages, [(tree.folder, tree.groups) for tree in store.state.trees])).encode()).hexdigest()


def _faults(env: BuildEnvironment, store: DocbuilderDomain) -> Iterator[tuple[str, Fault]]:
    for docname, notes in store.notes.items():
        links = [Fault(link.line, destination(env, link)[2], "link") for link in notes.links]
        yield from ((docname, fault) for fault in (*notes.faults, *links) if fault.message)


def _give_second_names(env: BuildEnvironment, store: DocbuilderDomain) -> None:
    """Let inherited members be found by their own names, too: in the page that is first in its tree."""
    objects = env.domains["py"].data["objects"]
    for name in [name for name, entry in objects.items() if isinstance(entry, _SecondEntry)]:
        del objects[name]
    for docname in store.state.kinds:
        for own, shown in store.note(docname).second_names:
            entry = objects.get(shown)
            if entry is not None and own not in objects:
                objects[own] = _SecondEntry(entry.docname, entry.node_id, entry.objtype, aliased=True)


class _SecondEntry(ObjectEntry):
    """The entry of a second name."""
