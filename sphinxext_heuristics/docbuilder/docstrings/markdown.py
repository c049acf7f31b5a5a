"""The Markdown inside docstrings to nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from docutils import nodes

from sphinxext_heuristics.docbuilder.docstrings.unindent import unindent
from sphinxext_heuristics.docbuilder.grammar import create_parser
from sphinxext_heuristics.docbuilder.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.tree import SyntaxTreeNode


class DocstringRenderer(Renderer):
    """The renderer for a piece of text inside an API entry."""

    def generate_heading_target(
        self, token: SyntaxTreeNode, level: int, node: nodes.Element, title_node: nodes.Element
    ) -> None:
        """Give a heading no name: the same docstring may be on many pages, and many times on one."""


def docstring_parser() -> MarkdownIt:
    """Make a parser for one docstring: its renderer holds what is being rendered."""
    parser = create_parser(DocstringRenderer, page=False)
    parser.core.ruler.after("block", "origins", _origins_rule)
    return parser


def _origins_rule(state: StateCore) -> None:
    """Give each token the lines of the docstring that it comes from, instead of those of its layout."""
    origins = state.env.get("origins")
    for token in state.tokens:
        if origins and token.map:
            first, last = token.map
            token.map = [origins[min(first, len(origins) - 1)], origins[min(last, len(origins)) - 1] + 1]


def render_markdown(
    parser: MarkdownIt, text: str, document: nodes.document, line: int, locate: Callable[[int], str] | None = None
) -> list[nodes.Node]:
    """Parse the Markdown of a docstring.

    :param parser: What `docstring_parser` made.
    :param text: The Markdown.
    :param document: The document that the nodes will be part of; nothing is added to it here.
    :param line: What the first line's number is, from 0; the nodes' ``line`` counts from there.
    :param locate: Gives the location of a line, for warnings.
    :returns: The nodes, block level. Headings are rubrics.
    """
    renderer = cast("DocstringRenderer", parser.renderer)
    layout = unindent(text)
    holder = nodes.container()
    holder.document = document
    environment = {"origins": layout.origins, "locate": locate}
    renderer.setup_render({**parser.options, "document": document, "current_node": holder}, environment)
    renderer.nested_render_text(layout.text, line)
    children = list(holder.children)
    holder.clear()
    return children
