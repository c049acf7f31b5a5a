"""The directives that place views, and the role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.roles import XRefRole

from ..model import CATEGORY, SEVERITIES, Query
from ..nodes import heuristic_query
from .options import (
    CheckedDirective,
    DirectiveOption,
    ListOption,
    as_written,
    flag,
    one_of,
)

if TYPE_CHECKING:
    from docutils.nodes import Node, system_message

_TARGETS = re.compile(rf"{CATEGORY}[^,\n]+|[^\s,]+")


class QueryDirective(CheckedDirective):
    """Place a view, named like the directive, by a placeholder that is filled later."""

    def run(self) -> list[Node]:
        """Return the placeholder."""
        requested = self.requested()
        if self.content:
            self.problem(f"{self.name} takes no body: {self.content[0].strip()!r}")
        source, line = self.place()
        node = heuristic_query()
        self.set_source_info(node)
        node["record"] = Query(
            view=self.name,
            options=tuple(requested.items()),
            source=source,
            line=line,
            offsets=tuple(self.offsets.items()),
            problems=tuple(self.problems),
        )
        return [node]

    def requested(self) -> dict[str, Any]:
        """Return what the view shall show: option → value, as plain data."""
        values = self.read_options()
        if self.header.argument:
            self.problem(f"{self.name} takes no argument: {self.header.argument!r}")
        return values


class FilteredDirective(QueryDirective):
    """Place a view of the heuristics that options choose: any value of each will do."""

    known: ClassVar[tuple[DirectiveOption, ...]] = (
        ListOption(
            "category", as_written, "Only those with one of these categories", "all"
        ),
        ListOption(
            "severity",
            one_of(*SEVERITIES),
            "Only those with one of these severities",
            "all",
        ),
        ListOption(
            "impl", as_written, "Only those that apply to one of these objects", "all"
        ),
        ListOption(
            "workflow",
            as_written,
            "Only those connected to one of these how-to pages",
            "all",
        ),
        ListOption(
            "principle",
            as_written,
            "Only those connected to one of these explanations",
            "all",
        ),
        ListOption(
            "env",
            as_written,
            "Only those connected to one of these environment pages",
            "all",
        ),
    )


class HeuristicIndexDirective(FilteredDirective):
    """List heuristics with their connections, the categories and the legend."""

    known = (
        *FilteredDirective.known,
        DirectiveOption(
            "missing",
            flag,
            "A flag: the missing targets instead, each with the heuristics that wait "
            "for it",
            "off",
        ),
        DirectiveOption(
            "layout", one_of("table", "cards"), "`table` or `cards`", "`table`"
        ),
        DirectiveOption(
            "marks",
            flag,
            "A flag: connections with their types, ✅ or ⬜, and the legend, as in the "
            "index file",
            "off",
        ),
    )


class HeuristicsForDirective(QueryDirective):
    """Show what applies to the given objects, pages or categories."""

    argument_continues = True

    def requested(self) -> dict[str, Any]:
        """Return the targets."""
        self.read_options()
        targets = split_targets(self.header.argument)
        if not targets:
            self.problem(
                "heuristics-for without a target: name an object, a page or "
                "'category:NAME'"
            )
        return {"target": tuple(targets)}


class HeuristicRole(XRefRole):
    """A link to a heuristic; its text is the title, unless another one is given."""

    def __init__(self) -> None:
        """Write the text as running text, not as code."""
        super().__init__(innernodeclass=nodes.inline, warn_dangling=False)

    def run(self) -> tuple[list[Node], list[system_message]]:
        """Return the link; the short name of the role means the domain's."""
        self.name = "heuristic:ref"
        return super().run()


def split_targets(value: str) -> list[str]:
    """Return the targets of ``heuristics-for``; only a category's name holds spaces."""
    return [target.strip().lstrip("~") for target in _TARGETS.findall(value)]
