"""The extension ``sphinxext_heuristics.ask``: a text that readers paste is answered.

Data goes one way:

texts     what the pages say that heuristics are on or name: taken from their doctrees
          when all pages are read, kept for each page, and only where a box is
data      one script with what answers, for all boxes of a site
messages  the view of ``heuristic-messages``: a box, and the messages that are quoted
static    ``ask.js`` finds the answers, and ``box.js`` shows them

It is written on ``api`` alone, and the core's ``setup`` sets it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics import __version__
from sphinxext_heuristics.api import add_view
from sphinxext_heuristics.ask import data
from sphinxext_heuristics.ask.messages import MessagesDirective, MessagesView
from sphinxext_heuristics.ask.texts import AskDomain, take

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive ``heuristic-messages``, and what its boxes need."""
    app.add_domain(AskDomain)
    add_view(app, MessagesView(), MessagesDirective)
    app.connect("heuristics-resolved", take)
    app.connect("write-started", data.bring_files)
    app.connect("html-page-context", data.link_files)
    app.connect("build-finished", data.write)
    return {
        "version": __version__,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
