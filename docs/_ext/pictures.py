"""The directive ``picture``: one of the pictures that tools/pictures.py draws.

A picture is a part of the page, so that its text has the page's colour, dark or light,
whatever the theme. Formats that cannot show it have its caption, which therefore says
what the picture shows, in numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

FOLDER = Path(__file__).parents[1] / "pictures"


class PictureDirective(SphinxDirective):
    """Place a picture: its name is the argument, the caption the content."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture, for browsers, and the caption."""
        path = FOLDER / f"{self.arguments[0]}.svg"
        self.env.note_dependency(str(path))
        picture = nodes.raw("", path.read_text(encoding="utf-8"), format="html")
        # an e-book would have to list the pages that hold SVG; the search shall not
        # know an axis
        shown = addnodes.only(
            "",
            nodes.container("", picture, classes=["no-search"]),
            expr="html and not epub",
        )
        return [shown, *self.parse_content_to_nodes()]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("picture", PictureDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
