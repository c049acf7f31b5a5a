"""Knowledge about an API, shown where the API is documented, and never out of date.

The architecture on one page. Data goes one way:

read      directives make nodes; autodoc's objects tell their names (identity)
collect   the domain takes from each document's nodes plain records (collect, model)
resolve   once a build: which entries and pages a heuristic reaches (plan, matching,
          pages, sources), where quoted code stands in the installed source (evidence,
          verified, messages), what is inconsistent (checks), what each page shows
inject    transforms place admonitions and fill placeholders (inject, nodes, render, graph,
          controls, message_index, release_table)
write     Sphinx; what was shown is recorded with the output (written); the files under
          review are compared (index_file, reach, release_checks), heuristics.json and the
          Markdown index are written (builder, export)
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sphinxext_heuristics import inject, nodes
from sphinxext_heuristics.build import builders as builder
from sphinxext_heuristics.build.domain import HeuristicDomain
from sphinxext_heuristics.config import OPTIONS
from sphinxext_heuristics.directives import (
    EvidenceDirective,
    FilteredDirective,
    HeuristicDirective,
    HeuristicIndexDirective,
    HeuristicRole,
    HeuristicsForDirective,
)
from sphinxext_heuristics.model import FORM
from sphinxext_heuristics.releases.table import ReleasesView
from sphinxext_heuristics.show import controls, graph
from sphinxext_heuristics.show.boxes import ForView
from sphinxext_heuristics.show.graph import GraphView
from sphinxext_heuristics.show.index import IndexView
from sphinxext_heuristics.show.messages import MessagesView
from sphinxext_heuristics.view import add_view

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__version__ = "0.1.0"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register everything."""
    for option in OPTIONS:
        # Sphinx would warn of a wrong type in words of its own, beside ours.
        app.add_config_value(option.name, option.default, option.rebuild, Any)
    if find_spec("sphinx_design"):
        app.setup_extension("sphinx_design")  # its style sheet lays out cards
    nodes.register(app)
    controls.register(app)
    graph.register(app)
    app.add_domain(HeuristicDomain)
    app.add_role("heuristic", HeuristicRole())
    app.add_directive("heuristic", HeuristicDirective)
    app.add_directive("evidence", EvidenceDirective)
    add_view(app, IndexView(), HeuristicIndexDirective)
    add_view(app, ForView(), HeuristicsForDirective)
    add_view(app, GraphView(), FilteredDirective)
    add_view(app, MessagesView(), FilteredDirective)
    add_view(app, ReleasesView(), FilteredDirective)
    app.add_builder(builder.HeuristicsBuilder)
    app.add_builder(builder.ReadingBuilder)
    app.add_transform(inject.KeepQuotes)
    app.add_transform(inject.PlaceDefinitions)
    app.add_post_transform(inject.ShowHeuristics)
    app.add_post_transform(inject.RemoveLeftovers)
    app.connect("config-inited", inject.listen_to_autodoc)
    app.connect("config-inited", inject.add_style)
    app.connect("builder-inited", inject.link_style)
    app.connect("env-get-outdated", inject.read_again)
    app.connect("doctree-read", inject.note_document)
    app.connect("env-updated", builder.warn)
    app.connect("env-get-updated", inject.rewrite)
    # After all who may know, intersphinx (500) among them.
    app.connect("missing-reference", inject.leave_unlinked, priority=900)
    app.connect("write-started", inject.begin_writing)
    app.connect("build-finished", inject.end_writing)
    return {
        "version": __version__,
        "env_version": FORM,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
