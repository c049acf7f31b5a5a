"""Links between pages, also in raw HTML, and what they make of a later build: notes, resolution, warnings."""

from __future__ import annotations

import posixpath
import re
from html import escape, unescape
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

from sphinxext_heuristics.docbuilder.references import REFTYPE, Names, reference_node
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Fault, Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree

logger = logging.getLogger(__name__)

#: ``reftype`` of a link between pages.
PAGE_REFTYPE = "docbuilder-page"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_SUFFIX = re.compile(r"\.(?:mdx?|html)$")
_ADDRESS = re.compile(
    r"""(<(?:a|img)\s(?:[^<>]*\s)?)(?P<name>href|src)\s*=\s*(?P<quote>["']?)(?P<address>[^"'<>]*?)(?P=quote)(?=\s|/?>)"""
)
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")


def page_link(tree: Tree, docname: str, address: str, line: int = 0) -> Link | None:
    """Give where an address leads within the documentation; ``None`` if it leads elsewhere.

    :param tree: The tree of the page that has the link.
    :param docname: That page.
    :param address: The address as it is written; a leading slash means the tree's folder.
    :param line: The line of the link.
    """
    if _SCHEME.match(address) or address.startswith("/docs/"):
        return None
    path, _, anchor = address.partition("#")
    path = unquote(path.partition("?")[0])
    if path:
        start = tree.folder if path.startswith("/") else dirname(docname)
        docname = _SUFFIX.sub("", normpath(join(start, path.lstrip("/"))))
    return Link(line, address, docname, unquote(anchor))


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
        html = node.astext() if isinstance(node, nodes.raw) else node.get("html", "")
        yield from (*node.get("ids", ()), *_HTML_ID.findall(html))


def update(_: Sphinx, env: BuildEnvironment) -> list[str]:
    """Bring the documents up to date with each other when all are read (``env-updated``).

    Objects get their entries, and warnings are told. What is left are documents whose links lead elsewhere than before,
    or that show a tree that is another one now.

    :returns: The documents to be written again.
    """
    store = DocbuilderDomain.of(env)
    _give_entries(env, store)
    for docname, fault in sorted(_faults(env, store), key=lambda pair: (pair[0], pair[1].line)):
        logger.warning(fault.message, type="docbuilder", subtype=fault.subtype, location=(docname, fault.line))
    store.names = names = Names(env.domains["py"].data["objects"])
    places = {wanted: names.place(wanted) for notes in store.notes.values() for wanted in notes.wanted}
    titles = [(docname, env.titles[docname].astext()) for docname in store.state.pages if docname in env.titles]
    shown = repr((titles, [(tree.folder, tree.groups) for tree in store.state.trees]))
    before, store.state.outcomes = store.state.outcomes, {}
    for docname, notes in store.notes.items():
        found = [destination(env, link)[:2] for link in notes.links], [places[wanted] for wanted in notes.wanted]
        store.state.outcomes[docname] = (shown, found)
    return [docname for docname, outcome in store.state.outcomes.items() if before.get(docname, outcome) != outcome]


def _faults(env: BuildEnvironment, store: DocbuilderDomain) -> Iterator[tuple[str, Fault]]:
    for docname, notes in store.notes.items():
        links = [Fault(link.line, destination(env, link)[2], "link") for link in notes.links]
        yield from ((docname, fault) for fault in (*notes.faults, *links) if fault.message)


def _give_entries(env: BuildEnvironment, store: DocbuilderDomain) -> None:
    """Let objects be found in the page that is first in its tree; an object's own name goes before a second one."""
    pages = [store.notes[docname] for docname in store.state.pages if docname in store.notes]
    entries = [pair for notes in pages for pair in notes.entries.items()]
    for name, entry in sorted(entries, key=lambda pair: pair[1].aliased):
        env.domains["py"].data["objects"].setdefault(name, entry)


class html_part(nodes.General, nodes.Element):  # noqa: N801 - docutils' nodes are in small letters
    """Raw HTML, ``html``, of the page ``docname``; its children are what other builders show."""


def choose_html(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put raw HTML into pages in HTML, and nodes into all others (``doctree-resolved``)."""
    for part in list(doctree.findall(html_part)):
        if app.builder.format == "html":
            html = _ADDRESS.sub(lambda found: _with_address(app, docname, part["docname"], found), part["html"])  # noqa: B023
            part.replace_self(nodes.raw("", html, format="html"))
        else:
            part.replace_self(part.children)


def _with_address(app: Sphinx, here: str, docname: str, found: re.Match[str]) -> str:
    """Give a tag the address that a link or an image of the documentation has in the output."""
    tree = DocbuilderDomain.of(app.env).tree_of(docname)
    written = address = unescape(found["address"])
    if found["name"] == "src" and tree:
        path, _ = app.env.relfn2path(tree.image(written), docname)
        if path in app.env.images:
            _, name = app.env.images[path]
            # the builder copies the images that it knows of
            app.builder.images[path] = name
            address = posixpath.join(relative_uri(app.builder.get_target_uri(here), app.builder.imagedir), name)
    elif tree and (link := page_link(tree, docname, written)):
        target, anchor, _ = destination(app.env, link)
        if not target:
            return found[1].rstrip()  # it leads nowhere: text without an address
        address = app.builder.get_relative_uri(here, target) + (f"#{anchor}" if anchor else "") or "#"
    return found[0] if address == written else f'{found[1]}{found["name"]}="{escape(address)}"'
