"""The extension ``sphinxext_heuristics.graph``: heuristics and their targets, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.api import FilteredDirective, add_view
from sphinxext_heuristics.graph.view import (
    GraphView,
    depart_html,
    heuristic_graph,
    visit_html,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive ``heuristic-graph`` and its node."""
    app.setup_extension("sphinxext_heuristics")
    view = GraphView()
    add_view(app, view, FilteredDirective)
    # Other builders write the node's children.
    app.add_node(heuristic_graph, html=(visit_html, depart_html))
    app.connect("builder-inited", view.look_for_graphviz)
    return {
        "version": app.extensions["sphinxext_heuristics"].version,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
