"""Links between pages, also in raw HTML, which every build checks."""

from __future__ import annotations

import posixpath
import re
from html import escape, unescape
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

from sphinxext_heuristics.docbuilder.references import REFTYPE, Names, page_link, place
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Fault, Link, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment


logger = logging.getLogger(__name__)

_ADDRESS = re.compile(
    r"""(<(?:a|img)\s(?:[^<>]*\s)?)(?P<name>href|src)\s*=\s*(?P<quote>["']?)(?P<address>[^"'<>]*?)(?P=quote)(?=\s|/?>)"""
)
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note the anchors of a document, and where its links lead (``doctree-read``)."""
    if not app.config.docbuilder_trees and not app.config.docbuilder_packages:
        return
    notes = DocbuilderDomain.of(app.env).note(app.env.docname)
    targets: dict[Link | Wanted, None] = {}
    for reference in doctree.findall(addnodes.pending_xref):
        if reference["reftype"] == REFTYPE:
            targets[reference["target"]] = None
    notes.targets = tuple(targets)
    if app.config.docbuilder_trees:
        notes.anchors = frozenset(_anchors(doctree))


def _anchors(doctree: nodes.document) -> Iterator[str]:
    for node in doctree.findall(nodes.Element):
        html = node.astext() if isinstance(node, nodes.raw) else node.get("html", "")
        yield from (*node.get("ids", ()), *_HTML_ID.findall(html))


def update(_: Sphinx, env: BuildEnvironment) -> list[str]:
    """Bring the documents up to date with each other (``env-updated``).

    Objects get their entries, and warnings are given. The documents to be written again
    are returned: those whose links lead elsewhere than before, or that show a tree
    which is another one now.
    """
    store = DocbuilderDomain.of(env)
    _add_entries(env, store)
    store.names = Names(env.domains["py"].data["objects"])
    places = {}
    for notes in store.notes.values():
        for target in notes.targets:
            places[target] = place(env, target)
    for docname, notes in sorted(store.notes.items()):
        links = (target for target in notes.targets if isinstance(target, Link))
        dead = [Fault(link.line, places[link][2], "link") for link in links]
        _warn(docname, [*notes.faults, *dead])
    titles = [
        (docname, env.titles[docname].astext())
        for docname in store.state.pages
        if docname in env.titles
    ]
    trees = [(tree.folder, tree.groups) for tree in store.state.trees]
    shown = repr((titles, trees))
    before, store.state.outcomes = store.state.outcomes, {}
    outdated = []
    for docname, notes in store.notes.items():
        leads_to = [places[target][:2] for target in notes.targets]
        outcome = store.state.outcomes[docname] = shown, leads_to
        if before.get(docname, outcome) != outcome:
            outdated.append(docname)
    return outdated


def _warn(docname: str, faults: list[Fault]) -> None:
    """Warn of the faults of a document, in the order of its lines."""
    for fault in sorted(faults, key=lambda fault: fault.line):
        if fault.message:
            logger.warning(
                fault.message,
                type="docbuilder",
                subtype=fault.subtype,
                location=(docname, fault.line),
            )


def _add_entries(env: BuildEnvironment, store: DocbuilderDomain) -> None:
    """Let objects be found on the page that is first in its tree.

    An object's own name goes before a second one.
    """
    entries: list[tuple[str, ObjectEntry]] = []
    for docname in store.state.pages:
        if docname in store.notes:
            entries += store.notes[docname].entries.items()
    for name, entry in sorted(entries, key=lambda pair: pair[1].aliased):
        env.domains["py"].data["objects"].setdefault(name, entry)


class html_part(nodes.General, nodes.Element):  # noqa: N801 - docutils' nodes are in small letters
    """Raw HTML of the page ``docname``; its children are for other builders."""


def choose_html(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Choose raw HTML for pages in HTML, nodes for others (``doctree-resolved``)."""
    for part in list(doctree.findall(html_part)):
        if app.builder.format == "html":
            html = _ADDRESS.sub(
                lambda found: _with_address(app, docname, part["docname"], found),  # noqa: B023
                part["html"],
            )
            part.replace_self(nodes.raw("", html, format="html"))
        else:
            part.replace_self(part.children)


def _with_address(app: Sphinx, here: str, docname: str, found: re.Match[str]) -> str:
    """Return a tag with the address that its target has in the output."""
    tree = DocbuilderDomain.of(app.env).tree_of(docname)
    written = address = unescape(found["address"])
    if found["name"] == "src" and tree:
        path, _ = app.env.relfn2path(tree.image(written), docname)
        if path in app.env.images:
            _, name = app.env.images[path]
            # the builder copies the images that it knows of
            app.builder.images[path] = name
            address = posixpath.join(
                relative_uri(app.builder.get_target_uri(here), app.builder.imagedir),
                name,
            )
    elif tree and (link := page_link(tree, docname, written)):
        target, anchor, _ = place(app.env, link)
        if not target:
            return found[1].rstrip()  # it leads nowhere: text without an address
        fragment = f"#{anchor}" if anchor else ""
        address = app.builder.get_relative_uri(here, target) + fragment or "#"
    if address == written:
        return found[0]
    return f'{found[1]}{found["name"]}="{escape(address)}"'
