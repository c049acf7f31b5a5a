"""The directives that place views, and the role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.roles import XRefRole

from sphinxext_heuristics._core.model import (
    CATEGORY,
    CONNECTION_TYPES,
    SEVERITIES,
    Query,
    Subtype,
)
from sphinxext_heuristics._core.nodes import heuristic_query
from sphinxext_heuristics._core.read.options import CheckedDirective, split

if TYPE_CHECKING:
    from docutils.nodes import Node, system_message

_TARGETS = re.compile(rf"{CATEGORY}[^,\n]+|[^\s,]+")
_LAYOUTS = ("table", "cards")


class QueryDirective(CheckedDirective):
    """Place a view: its name is the directive's, and a placeholder is filled when all pages are known."""

    #: Whether it takes an argument.
    takes_argument: ClassVar[bool] = False
    #: Whether, in an API entry, it replaces what the entry shows automatically.
    by_hand: ClassVar[bool] = False

    def run(self) -> list[Node]:
        """Return the placeholder."""
        options = self.check_options()
        if self.header.argument and not self.takes_argument:
            self.problem(
                Subtype.OPTION,
                f"{self.name} takes no argument: {self.header.argument!r}",
            )
        if self.content:
            self.problem(
                Subtype.OPTION,
                f"{self.name} takes no body: {self.content[0].strip()!r}",
            )
        asked = tuple(self.asked(options).items())
        source, line = self.place()
        node = heuristic_query(by_hand=self.by_hand)
        self.set_source_info(node)
        node["record"] = Query(
            view=self.name,
            options=asked,
            source=source,
            line=line,
            offsets=tuple(self.offsets.items()),
            problems=tuple(self.problems),
        )
        return [node]

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return option → value, as plain data, of what the view is asked for."""
        return dict(options)


class FilteredDirective(QueryDirective):
    """Place a view of the heuristics that options choose."""

    known = ("category", "severity", *CONNECTION_TYPES)

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return filter → the values, of which any will do."""
        filters = {
            name: tuple(split(options[name]))
            for name in FilteredDirective.known
            if name in options
        }
        for value in filters.get("severity", ()):
            self.choice({"severity": value}, "severity", SEVERITIES, "tip")
        return filters


class HeuristicIndexDirective(FilteredDirective):
    """List heuristics with their connections, the categories and the legend."""

    known = (*FilteredDirective.known, "missing", "layout", "marks")

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return the filters and the form."""
        layout = self.choice(options, "layout", _LAYOUTS, "table")
        flags = {name: self.flag(options, name) for name in ("missing", "marks")}
        return {**super().asked(options), "layout": layout, **flags}


class HeuristicsForDirective(QueryDirective):
    """Show what applies to the given objects, pages or categories."""

    takes_argument = True
    by_hand = True

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return the targets."""
        targets = split_targets(self.header.argument)
        if not targets:
            self.problem(
                Subtype.OPTION,
                "heuristics-for without a target: name an object, a page or "
                "'category:NAME'",
            )
        return {"target": tuple(targets)}


class HeuristicRole(XRefRole):
    """A link to a heuristic whose text is the title, unless the author gives another."""

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
