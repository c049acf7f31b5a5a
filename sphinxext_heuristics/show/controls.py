"""What the index has in HTML alone: categories in each row, and the place of its filter."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx

#: The script that makes the filter.
SCRIPT = "heuristics-index.js"


class heuristic_filter(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """Where the script makes the filter of what follows; ``categories`` gives their order."""


class heuristic_tags(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """The ``categories`` of one row or card, by which the script filters."""


def filter_of(categories: Iterable[str]) -> heuristic_filter:
    """Return the place of a filter with a chip for each of the categories, in their order."""
    return heuristic_filter(categories=tuple(categories))


def tags_of(categories: tuple[str, ...]) -> list[nodes.Node]:
    """Return the categories of a row or card; nothing for none."""
    return [heuristic_tags(categories=categories)] if categories else []


def _visit_filter_html(self: Any, node: heuristic_filter) -> None:  # noqa: ANN401 - any writer
    # An e-book has no scripts; elsewhere it stays out of sight until the script has filled it.
    if self.builder.name != "epub":
        data = {"data-categories": json.dumps(node["categories"], ensure_ascii=False)}
        self.body.append(self.starttag(node, "div", "", CLASS="heuristic-filter", hidden="hidden", **data) + "</div>\n")
    raise nodes.SkipNode


def _visit_tags_html(self: Any, node: heuristic_tags) -> None:  # noqa: ANN401 - any writer
    tags = (f'<span class="heuristic-category">{escape(name)}</span>' for name in node["categories"])
    self.body.append(self.starttag(node, "p", "", CLASS="heuristic-tags") + " ".join(tags) + "</p>\n")
    raise nodes.SkipNode


def _skip(_self: Any, _node: nodes.Element) -> None:  # noqa: ANN401 - any writer
    raise nodes.SkipNode


def register(app: Sphinx) -> None:
    """Tell Sphinx the nodes and when a page needs the script."""
    skip = (_skip, None)
    for node, visit in ((heuristic_filter, _visit_filter_html), (heuristic_tags, _visit_tags_html)):
        app.add_node(node, html=(visit, None), latex=skip, text=skip, man=skip, texinfo=skip)
    app.connect("html-page-context", _add_script)


def _add_script(
    app: Sphinx, _pagename: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Bring the script to the pages that have an index, and to no others."""
    if doctree is not None and app.builder.name != "epub" and any(doctree.findall(heuristic_filter)):
        app.add_js_file(SCRIPT, loading_method="defer")
