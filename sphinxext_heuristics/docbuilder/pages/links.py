"""Links between pages, and what they make of a later build: notes, resolution, warnings."""

from __future__ import annotations

import re
from hashlib import sha256
from operator import itemgetter
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.python import ObjectEntry
from sphinx.errors import NoUri
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from sphinxext_heuristics.docbuilder.pages.html import html_part
from sphinxext_heuristics.docbuilder.references import REFTYPE
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.references import ReferenceResolver
    from sphinxext_heuristics.docbuilder.store import Wanted

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
    docname, anchor = link.docname, link.anchor
    problem = ""
    for tree in store.trees:
        if docname not in env.found_docs and tree.follow(docname) != docname:
            docname, _, new_anchor = tree.follow(docname).partition("#")
            anchor = anchor or new_anchor
            problem = f"link to {link.written!r}: the page has moved; link to {docname!r}"
    if docname not in env.found_docs and f"{docname}/index" in env.found_docs:
        docname = f"{docname}/index"
    if docname not in env.found_docs:
        return "", "", f"link to {link.written!r}: page {docname!r} does not exist; fix the link, or add a redirect"
    if anchor and anchor not in store.anchors.get(docname, ()):
        message = f"link to {link.written!r}: page {docname!r} has no anchor {anchor!r}"
        lower = anchor.lower()
        close = lower if lower in store.anchors.get(docname, ()) else ""
        return docname, "", f"{message}; " + (f"closest match: {close!r}" if close else "fix the link")
    return docname, anchor, problem


def resolve_page(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Resolve a link between pages (``missing-reference``); without a target it is its text."""
    if node["reftype"] != PAGE_REFTYPE or node.get("refdomain"):
        return None
    docname, anchor, _ = destination(env, node["link"])
    if not docname:
        return contnode
    try:
        return make_refnode(app.builder, node["refdoc"], docname, anchor, [contnode])
    except NoUri:
        return contnode


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note the anchors of a document, and where its links lead (``doctree-read``)."""
    if not app.config.docbuilder_trees and not app.config.docbuilder_packages:
        return
    store, docname = DocbuilderDomain.of(app.env), app.env.docname
    references = list(doctree.findall(addnodes.pending_xref))
    if links := [node["link"] for node in references if node["reftype"] == PAGE_REFTYPE]:
        store.links[docname] = links
    if wanted := dict.fromkeys(node["wanted"] for node in references if node["reftype"] == REFTYPE):
        store.wanted[docname] = tuple(wanted)
    if app.config.docbuilder_trees:
        store.anchors[docname] = frozenset(_anchors(doctree))


def _anchors(doctree: nodes.document) -> Iterator[str]:
    for node in doctree.findall(nodes.Element):
        yield from node.get("ids", ())
        if isinstance(node, html_part):
            yield from node["anchors"]
        elif isinstance(node, nodes.raw):
            yield from _HTML_ID.findall(node.astext())


class Updater:
    """Brings the documents up to date with each other when all are read.

    :param resolver: Knows the documented objects.
    """

    def __init__(self, resolver: ReferenceResolver) -> None:
        self.resolver = resolver

    def update(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Give second names, warn, and find the documents whose links lead elsewhere than before (``env-updated``).

        :returns: The documents to be written again.
        """
        store = DocbuilderDomain.of(env)
        if not store.trees and not store.wanted:
            return []
        _give_second_names(env, store)
        self.resolver.forget()
        for docname, line, message, subtype in sorted(_faults(env, store), key=itemgetter(0, 1)):
            logger.warning(message, type="docbuilder", subtype=subtype, location=(docname, line))
        before, after = store.outcomes, dict(self._outcomes(env, store))
        store.data["outcomes"] = after
        navigation, store.data["navigation"] = store.data["navigation"], _navigation(env, store)
        if navigation and navigation != store.data["navigation"]:
            return sorted(env.found_docs)
        return [docname for docname in after if docname in before and before[docname] != after[docname]]

    def _outcomes(self, env: BuildEnvironment, store: DocbuilderDomain) -> Iterator[tuple[str, str]]:
        names = self.resolver.of(env)
        known: dict[Wanted, tuple[str, str]] = {}
        for docname in store.links.keys() | store.wanted.keys():
            found: list[object] = [destination(env, link)[:2] for link in store.links.get(docname, ())]
            for wanted in store.wanted.get(docname, ()):
                if wanted not in known:
                    entry = names.objects.get(names.resolve(wanted) or "")
                    known[wanted] = (entry.docname, entry.node_id) if entry else ("", "")
                found.append(known[wanted])
            yield docname, sha256(repr(found).encode()).hexdigest()


def _navigation(env: BuildEnvironment, store: DocbuilderDomain) -> str:
    """Give what all pages show of the trees: a digest."""
    pages = [(docname, env.titles[docname].astext()) for docname in sorted(store.kinds) if docname in env.titles]
    return sha256(repr((pages, [(tree.folder, tree.groups) for tree in store.trees])).encode()).hexdigest()


def _faults(env: BuildEnvironment, store: DocbuilderDomain) -> Iterator[tuple[str, int, str, str]]:
    for docname, faults in store.faults.items():
        for fault in faults:
            yield docname, fault.line, fault.message, fault.subtype
    for docname, links in store.links.items():
        for link in links:
            if problem := destination(env, link)[2]:
                yield docname, link.line, problem, "link"


def _give_second_names(env: BuildEnvironment, store: DocbuilderDomain) -> None:
    """Let inherited members be found by their own names, too: in the page that is first in its tree."""
    objects = env.domains["py"].data["objects"]
    for name in [name for name, entry in objects.items() if isinstance(entry, _SecondEntry)]:
        del objects[name]
    for tree in store.trees:
        for docname in tree.pages(env.found_docs):
            for second in store.second_names.get(docname, ()):
                shown = objects.get(second.shown)
                if shown is not None and second.name not in objects:
                    objects[second.name] = _SecondEntry(shown.docname, shown.node_id, shown.objtype, aliased=True)


class _SecondEntry(ObjectEntry):
    """The entry of a second name."""
