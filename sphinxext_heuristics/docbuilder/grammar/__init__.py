"""Hugging Face's Markdown for markdown-it: one grammar for pages and for docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt, rules_inline
from myst_parser.config.main import MdParserConfig

from .blocks import alert_rule, autodoc_rule, formula_rule, list_rule
from .components import depth_rule, pair_rule, tag_rule
from .inline import DOCSTRING, PAGE, SHARED, Addresses, located

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.renderer import RendererProtocol
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_core import StateCore

#: Blocks that end a paragraph without a blank line before them.
_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
#: What a list ends; another list is its next item.
_LIST_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote"]}
#: What CommonMark reads as markup and docstrings do not have.
_NOT_IN_DOCSTRINGS = ["html_block", "html_inline", "reference"]


def create_parser(
    renderer: Callable[[MarkdownIt], RendererProtocol], *, page: bool
) -> MarkdownIt:
    """Return a parser of pages, or else of docstrings.

    *renderer* is the class that makes the output.
    """
    parser = MarkdownIt("commonmark", renderer_cls=renderer)
    parser.enable(["table", "strikethrough"])
    # doc-builder has code in fences only
    parser.disable("code")
    parser.inline.ruler.enable("linkify")
    parser.options["myst_config"], parser.options["linkify"] = MdParserConfig(), True
    parser.linkify = Addresses()
    rules = parser.block.ruler
    rules.before("code", "component", tag_rule, _INTERRUPTS)
    rules.before("blockquote", "math_block", formula_rule, _INTERRUPTS)
    rules.at("list", list_rule, _LIST_INTERRUPTS)
    parser.core.ruler.after("block", "alert", alert_rule)
    parser.core.ruler.after("block", "pairs", pair_rule)
    parser.core.ruler.after("inline", "depth", depth_rule)
    parser.core.ruler.after("block", "origins", _origins_rule)
    for name, rule in (SHARED | (PAGE if page else DOCSTRING)).items():
        parser.inline.ruler.before("escape", name, located(rule))
    for name in ("link", "image", "linkify"):
        parser.inline.ruler.at(name, located(getattr(rules_inline, name)))
    if page:
        rules.before("code", "autodoc", autodoc_rule, _INTERRUPTS)
    else:
        parser.disable(_NOT_IN_DOCSTRINGS)
    return parser


def _origins_rule(state: StateCore) -> None:
    """Set the line that each token comes from, instead of the one the parser reads."""
    origins = state.env.get("origins")
    for token in state.tokens:
        if origins and token.map:
            line = origins[min(token.map[0], len(origins) - 1)]
            token.map = [line, line + 1]
