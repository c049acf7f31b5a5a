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
    from markdown_it.tree import SyntaxTreeNode


class DocstringRenderer(Renderer):
    """The renderer for a piece of text inside an API entry."""

    def generate_heading_target(
        self, token: SyntaxTreeNode, level: int, node: nodes.Element, title_node: nodes.Element
    ) -> None:
        """Give a heading no name: the same docstring may be on many pages, and many times on one."""


def docstring_parser() -> MarkdownIt:
    """Make a parser for one docstring: its renderer holds what is being rendered."""
    return create_parser(DocstringRenderer, page=False)


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
    layout = unindent(text)
    return _render(parser, layout.text, document, line, {"origins": layout.origins, "locate": locate})


def render_inline(text: str, document: nodes.document, line: int) -> list[nodes.Node]:
    """Parse Markdown in a line.

    :param text: The Markdown.
    :param document: The document that the nodes will be part of.
    :param line: The line's number, from 1.
    """
    return _render(docstring_parser(), text, document, line - 1, {})


def _render(
    parser: MarkdownIt, text: str, document: nodes.document, line: int, environment: dict[str, object]
) -> list[nodes.Node]:
    """Parse Markdown; without the origins of its lines, it is within one."""
    renderer = cast("DocstringRenderer", parser.renderer)
    holder = nodes.container()
    holder.document = document
    renderer.setup_render({**parser.options, "document": document, "current_node": holder}, environment)
    renderer.nested_render_text(text, line, inline=not environment)
    children = list(holder.children)
    holder.clear()
    return children
