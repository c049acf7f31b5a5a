"""The extension ``sphinxext_heuristics.releases``: what holds in which release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinxext_heuristics.api import FilteredDirective, add_view
from sphinxext_heuristics.releases.matrix import OPTION
from sphinxext_heuristics.releases.table import ReleasesView

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the option, the directive ``heuristic-releases`` and the checks."""
    app.setup_extension("sphinxext_heuristics")
    # A wrong value is a warning of ours.
    app.add_config_value(OPTION, None, "", Any)
    view = ReleasesView()
    add_view(app, view, FilteredDirective)
    app.connect("heuristics-resolved", view.look_into_file)
    return {
        "version": app.extensions["sphinxext_heuristics"].version,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
