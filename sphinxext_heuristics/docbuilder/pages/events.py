"""What happens to pages in a build: their trees, their objects, the links between them.

Each function handles an event of Sphinx.
"""

from __future__ import annotations

import hashlib
import json
import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

from ..._output import OutputRecord
from ..objects import import_package, note_modules
from ..references import REFTYPE, destination
from ..store import DocbuilderDomain, Fault, PageLink, warn
from ..trees import read_tree

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

    from ..store import Wanted

#: The name that the extension is loaded by, and its record's file in the output folder.
EXTENSION, RECORD = "sphinxext_heuristics.docbuilder", ".docbuilder.json"
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^\s"'>]+)""")


def read_trees(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """Read the trees' files (``env-get-outdated``).

    The pages that must be read again because of them are returned.
    """
    site = DocbuilderDomain.of(env).site
    before = site.pages
    site.pages, site.redirects = {}, {}
    for folder, package in app.config.docbuilder_trees.items():
        tree = read_tree(env.srcdir, folder, package, env.found_docs)
        site.pages |= tree.pages
        site.redirects |= tree.redirects
        # a build without a change says it again
        for fault in tree.faults:
            path = env.srcdir / tree.folder / fault.file
            warn(fault.message, "tree", f"{path}:{fault.line}")
    return [docname for docname, _ in before.items() ^ site.pages.items()]


def before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Prepare the reading of pages (``env-before-read-docs``).

    The documented packages are imported once, before processes are forked. The pages'
    objects are taken out of the Python domain: `update` puts them back when it is known
    which pages document them.
    """
    pages = DocbuilderDomain.of(env).site.pages
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
    """Note the anchors of a document, and what it links to (``doctree-read``)."""
    store = DocbuilderDomain.of(app.env)
    notes = store.notes[app.env.docname]
    if page := store.site.pages.get(app.env.docname):
        # its names may be looked up there
        note_modules(app.env, page.package)
    anchors: list[str] = []
    targets: list[PageLink | Wanted] = []
    for node in doctree.findall(nodes.Element):
        anchors += node.get("ids", ())
        if isinstance(node, addnodes.pending_xref) and node["reftype"] == REFTYPE:
            targets.append(node["target"])
        elif isinstance(node, nodes.raw):
            anchors += _HTML_ID.findall(node.astext())
    notes.anchors = frozenset(anchors)
    notes.targets = tuple(dict.fromkeys(targets))


def update(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Bring the documents up to date with each other (``env-updated``).

    Objects get their entries, and warnings are given. The documents to be written again
    are returned: those that were read, or whose links lead elsewhere, since this
    builder wrote them.
    """
    store = DocbuilderDomain.of(env)
    _add_entries(env, store)
    store.sources.clear()
    targets = chain.from_iterable(notes.targets for notes in store.notes.values())
    destinations = store.destinations = {
        target: destination(env, target) for target in {*targets}
    }
    names = store.site.names
    store.site.names = {
        wanted: names[wanted] for wanted in names if wanted in destinations
    }
    for docname, notes in sorted(store.notes.items()):
        links = (target for target in notes.targets if isinstance(target, PageLink))
        dead = [Fault(link.line, destinations[link].problem, "link") for link in links]
        for fault in sorted([*notes.faults, *dead], key=lambda fault: fault.line):
            if fault.message:
                warn(fault.message, fault.subtype, (docname, fault.line))
        lead_to = [destinations[target] for target in notes.targets]
        text = json.dumps([env.all_docs[docname], lead_to])
        digest = hashlib.blake2b(text.encode(), digest_size=16)
        store.digests[docname] = digest.hexdigest()
    version = app.extensions[EXTENSION].version
    store.output = OutputRecord(
        Path(app.outdir, RECORD), f"{app.builder.name} {version}"
    )
    return store.output.stale(store.digests)


def note_written(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note a document that is written, and those in it (``doctree-resolved``)."""
    if output := DocbuilderDomain.of(app.env).output:
        # LaTeX and singlehtml merge all documents into one tree
        merged = doctree.findall(addnodes.start_of_file)
        output.add(docname, *(node["docname"] for node in merged))


def end_writing(app: Sphinx, exception: Exception | None) -> None:
    """Keep the record when all is written (``build-finished``)."""
    store = DocbuilderDomain.of(app.env)
    if store.output and exception is None:
        store.output.save(store.digests)


def _add_entries(env: BuildEnvironment, store: DocbuilderDomain) -> None:
    """Let objects be found on the page that is first in its tree.

    An object's own name goes before a second one.
    """
    entries: list[tuple[str, ObjectEntry]] = []
    for docname in store.site.pages:
        if docname in store.notes:
            entries += store.notes[docname].entries.items()
    for name, entry in sorted(entries, key=lambda pair: pair[1].aliased):
        env.domains["py"].data["objects"].setdefault(name, entry)
