"""The names of our directives and roles without a life: what Sphinx leaves stale shows without us, too."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.builders.dummy import DummyBuilder
from sphinx.util.docutils import SphinxDirective, SphinxRole

from sphinxext_heuristics._core.config import OPTIONS

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Stub(SphinxDirective):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    # MyST takes an empty one for that of a directive without options
    option_spec: ClassVar = defaultdict(lambda: directives.unchanged, title=str)

    def run(self) -> list[nodes.Node]:
        return self.parse_content_to_nodes()


class StubRole(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [nodes.Text(self.text)], []


class StubBuilder(DummyBuilder):
    name = "heuristics"


def setup(app: Sphinx) -> dict[str, Any]:
    for option in OPTIONS:
        app.add_config_value(option.name, option.default, "")
    for name in ("heuristic", "heuristic-index", "heuristic-messages", "evidence"):
        app.add_directive(name, Stub)
    app.add_role("heuristic", StubRole())
    app.add_builder(StubBuilder)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
