"""Knowledge about an API, shown where the API is documented, and never out of date.

The architecture on one page. Data goes one way, through the folders of ``_core``, which
only this package and ``api`` import:

read         directives make nodes, autodoc gives the names of its objects, and the
             domain takes plain records from each document's nodes (read, model)
resolve      once a build: which entries and pages a heuristic reaches and what becomes
             of it there (resolve), what its note says elsewhere (notes), where quoted
             code is in the installed source (evidence, source)
show         views say as plain data what a page shows, and make nodes of that
             (view, show)
integration  Sphinx's side: events, transforms that place views, builders, and a digest
             of each page's views, by which a page that shows something else now is
             written again (integration)
files        what is written beside the site, and compared on every build (files)
cli          the commands

``api`` is what other extensions import. Two are written on it: ``ask``, the box for a
text, which is always there, and ``releases``, which is loaded by whoever lists it.
``docbuilder`` knows nothing of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import nodes, words
from ._core.config import OPTIONS
from ._core.integration import builders, events, place
from ._core.integration.domain import HeuristicDomain
from ._core.read import identity, queries, transforms
from ._core.read.evidence import EvidenceDirective
from ._core.read.heuristic import HeuristicDirective
from ._core.show import boxes, index
from ._core.versions import records_version
from ._core.view import add_view

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__version__ = "0.1.0"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register everything."""
    for option in OPTIONS:
        # Sphinx would warn of a wrong type as well.
        app.add_config_value(option.name, option.default, option.rebuild, Any)
    words.load(app)
    nodes.register(app)
    app.add_event(builders.RESOLVED)
    app.add_domain(HeuristicDomain)
    app.add_role("heuristic", queries.HeuristicRole())
    app.add_directive("heuristic", HeuristicDirective)
    app.add_directive("evidence", EvidenceDirective)
    add_view(app, index.IndexView(), queries.HeuristicIndexDirective)
    add_view(app, boxes.ForView(), queries.HeuristicsForDirective)
    app.add_builder(builders.HeuristicsBuilder)
    app.add_builder(builders.ReadingBuilder)
    app.add_transform(transforms.PlaceDefinitions)
    app.add_post_transform(place.ShowHeuristics)
    app.add_post_transform(place.RemoveLeftovers)
    app.connect("config-inited", identity.listen_to_autodoc)
    app.connect("config-inited", events.leave_out_of_books)
    app.connect("env-get-outdated", events.read_again)
    app.connect("doctree-read", events.note_document)
    app.connect("env-updated", builders.warn)
    app.connect("env-get-updated", events.rewrite)
    # After all who may know, intersphinx (500) among them.
    app.connect("missing-reference", events.leave_unlinked, priority=900)
    app.connect("write-started", events.bring_files)
    app.connect("html-page-context", events.link_files)
    app.connect("html-page-context", events.link_search)
    app.connect("build-finished", events.end_writing)
    # An extension of its own, on ``api`` alone, which every project has.
    app.setup_extension("sphinxext_heuristics.ask")
    return {
        "version": __version__,
        "env_version": records_version(__version__),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
