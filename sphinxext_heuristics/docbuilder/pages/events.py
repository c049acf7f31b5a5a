"""What happens to pages in a build: their trees, their objects, the links between them.

Each function handles an event of Sphinx.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from html import escape, unescape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util.osutil import relative_uri

from ..objects import import_package
from ..references import REFTYPE, page_link, place
from ..store import DocbuilderDomain, Fault, Link, Wanted, warn
from ..trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

    from ..trees import Tree

_ADDRESS = re.compile(
    r"""(<(?:a|img)\s(?:[^<>]*\s)?)(?P<name>href|src)\s*=\s*(?P<quote>["']?)(?P<address>[^"'<>]*?)(?P=quote)(?=\s|/?>)"""
)
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")


def read_trees(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """Read the trees' files (``env-get-outdated``).

    The pages that must be read again because of them are returned.
    """
    state = DocbuilderDomain.of(env).state
    trees = [
        read_tree(env.srcdir, folder, package, env.found_docs)
        for folder, package in app.config.docbuilder_trees.items()
    ]
    trees.sort(key=lambda tree: -len(tree.folder))
    state.trees = {tree.folder: tree for tree in trees}
    before, state.pages = state.pages, {}
    for tree in trees:
        for docname, page in tree.pages.items():
            state.pages.setdefault(docname, page)
        # a build without a change says it again
        for problem in tree.problems:
            path = env.srcdir / tree.folder / problem.file
            warn(problem.message, "tree", f"{path}:{problem.line}")
    return [docname for docname, _ in before.items() ^ state.pages.items()]


def before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Prepare the reading of pages (``env-before-read-docs``).

    The documented packages are imported once, before processes are forked. The pages'
    objects are taken out of the Python domain: `update` puts them back when it is known
    which pages document them.
    """
    pages = DocbuilderDomain.of(env).state.pages
    objects = env.domains["py"].data["objects"]
    for name, entry in list(objects.items()):
        if entry.docname in pages:
            del objects[name]
    for package in {pages[name].package for name in docnames if name in pages}:
        try:
            import_package(package, app.config.autodoc_mock_imports)
        except ImportError as error:
            warn(f"{error}; install it, or fix docbuilder_trees", "autodoc")


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note the anchors of a document, and where its links lead (``doctree-read``)."""
    store, docname = DocbuilderDomain.of(app.env), app.env.docname
    notes, tree = store.note(docname), store.tree_of(docname)
    targets: dict[Link | Wanted, None] = {}
    anchors: list[str] = []
    for node in doctree.findall(nodes.Element):
        anchors += node.get("ids", ())
        if isinstance(node, addnodes.pending_xref) and node["reftype"] == REFTYPE:
            targets[node["target"]] = None
        elif isinstance(node, nodes.raw):
            anchors += _HTML_ID.findall(node.astext())
            if tree:
                targets |= dict.fromkeys(_links_in(app.env, tree, node))
    notes.targets = tuple(targets)
    notes.anchors = frozenset(anchors)


def _links_in(env: BuildEnvironment, tree: Tree, node: nodes.raw) -> Iterator[Link]:
    """Yield the links to pages in raw HTML; let Sphinx copy its images."""
    html = node.astext()
    for found in _ADDRESS.finditer(html):
        address = unescape(found["address"])
        line = (node.line or 1) + html.count("\n", 0, found.start("name"))
        link = page_link(tree, env.docname, address, line)
        if link and found["name"] == "href":
            yield link
        elif link:
            path, absolute = env.relfn2path(tree.image(address))
            if Path(absolute).is_file():
                env.images.add_file(env.docname, path)
            else:
                message = f"image {address!r} does not exist; fix the address"
                notes = DocbuilderDomain.of(env).note(env.docname)
                notes.faults.append(Fault(line, message, "link"))


def update(_: Sphinx, env: BuildEnvironment) -> list[str]:
    """Bring the documents up to date with each other (``env-updated``).

    Objects get their entries, and warnings are given. The documents to be written again
    are returned: those whose links lead elsewhere than before, or that show a tree
    which is another one now.
    """
    store = DocbuilderDomain.of(env)
    _add_entries(env, store)
    targets = chain.from_iterable(notes.targets for notes in store.notes.values())
    places = store.places = {target: place(env, target) for target in {*targets}}
    titles = [
        (docname, env.titles[docname].astext())
        for docname in store.state.pages
        if docname in env.titles
    ]
    shown = repr((titles, store.state.pages))
    before, store.state.outcomes = store.state.outcomes, {}
    outdated = []
    for docname, notes in sorted(store.notes.items()):
        links = (target for target in notes.targets if isinstance(target, Link))
        dead = [Fault(link.line, places[link].problem, "link") for link in links]
        for fault in sorted([*notes.faults, *dead], key=lambda fault: fault.line):
            if fault.message:
                warn(fault.message, fault.subtype, (docname, fault.line))
        leads_to = [places[target][:2] for target in notes.targets]
        outcome = store.state.outcomes[docname] = shown, leads_to
        if before.get(docname, outcome) != outcome:
            outdated.append(docname)
    return outdated


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


def write_addresses(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the addresses in raw HTML for the page (``doctree-resolved``)."""
    tree = DocbuilderDomain.of(app.env).tree_of(docname)
    if tree and app.builder.format == "html":
        with_address = partial(_with_address, app, docname, tree)
        for node in doctree.findall(nodes.raw):
            node[:] = [nodes.Text(_ADDRESS.sub(with_address, node.astext()))]


def _with_address(app: Sphinx, docname: str, tree: Tree, found: re.Match[str]) -> str:
    """Return a tag of a page with the address that its target has from there."""
    written = address = unescape(found["address"])
    uri = app.builder.get_target_uri(docname)
    if found["name"] == "src":
        path, _ = app.env.relfn2path(tree.image(written), docname)
        if path in app.env.images:
            _, name = app.env.images[path]
            # the builder copies the images that it knows of
            app.builder.images[path] = name
            address = posixpath.join(relative_uri(uri, app.builder.imagedir), name)
    elif link := page_link(tree, docname, written):
        target = place(app.env, link)
        if not target.docname:
            return found[1].rstrip()  # it leads nowhere: text without an address
        address = app.builder.get_relative_uri(docname, target.docname)
        address += f"#{target.anchor}" if target.anchor else ""
    if address == written:
        return found[0]
    return f'{found[1]}{found["name"]}="{escape(address or "#")}"'
