"""Tables of the manual from the code: configuration, warnings, directives' options."""

from __future__ import annotations

import builtins
import enum
import inspect
import re
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics import api
from sphinxext_heuristics._core import config, model, problems
from sphinxext_heuristics._core.read import evidence, heuristic, queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


#: A value in what is allowed: without the marks of code its quotes would become round.
_QUOTED = re.compile(r"'\w+'")


class TableDirective(SphinxDirective):
    """A table whose cells are written in the markup of the page."""

    heads: ClassVar[tuple[str, ...]] = ()
    #: The modules that the table is made from: the page is read again when one changes.
    modules: ClassVar[tuple[ModuleType, ...]] = ()

    def table(self, rows: Iterable[Sequence[str]]) -> list[nodes.Node]:
        """Return the table, and note what it depends on."""
        for module in self.modules:
            self.env.note_dependency(inspect.getfile(module))
        self.env.note_dependency(__file__)
        group = nodes.tgroup(cols=len(self.heads))
        group += [nodes.colspec(colwidth=1) for _head in self.heads]
        group += nodes.thead("", self._row(self.heads))
        group += nodes.tbody("", *(self._row(row) for row in rows))
        return [nodes.table("", group, classes=["colwidths-auto"])]

    def _row(self, cells: Sequence[str]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", self._cell(text)) for text in cells))

    def _cell(self, text: str) -> nodes.paragraph:
        children, messages = self.parse_inline(text, lineno=self.lineno)
        return nodes.paragraph("", "", *children, *messages)


class OptionsDirective(TableDirective):
    """``heuristics-options``: the configuration values."""

    heads = ("Name", "Meaning", "Allowed", "Default")
    modules = (config,)

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.table(
            (
                f"`{option.name}`",
                option.meaning,
                _QUOTED.sub(r"`\g<0>`", option.allowed),
                f"`{option.default!r}`",
            )
            for option in config.OPTIONS
        )


class WarningsDirective(TableDirective):
    """``heuristics-warnings``: the kinds of warnings."""

    heads = ("Subtype", "When")
    modules = (problems,)

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.table(
            (f"`heuristic.{subtype.word}`", subtype.value)
            for subtype in problems.Subtype
        )


class DirectiveOptionsDirective(TableDirective):
    """``heuristics-directive-options``: the options of the directive it names."""

    required_arguments = 1
    heads = ("Option", "Meaning", "Without it")
    modules = (heuristic, evidence, queries, model)

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        language = self.state.memo.language
        directive, _messages = directives.directive(
            self.arguments[0], language, self.state.document
        )
        return self.table(
            (f"`{option.name}`", option.meaning, option.absent)
            for option in directive.known
        )


class ApiDirective(SphinxDirective):
    """``heuristics-api``: what the public module has under the names that it takes."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the entries, which autodoc makes; it writes reStructuredText."""
        lines = [f".. currentmodule:: {api.__name__}", ""]
        for name in self.arguments[0].split():
            lines += [*self._entry(name, getattr(api, name)), ""]
        text = "\n".join(["```{eval-rst}", *lines, "```"])
        return self.parse_text_to_nodes(text)

    def _entry(self, name: str, found: object) -> list[str]:
        """Return the directive for a name and what it is."""
        if isinstance(found, tuple):
            self.env.note_dependency(inspect.getfile(model))
            described = ModuleAnalyzer.for_module(model.__name__).find_attr_docs()
            comment = described["", name]
            return [
                f".. data:: {name}",
                f"   :value: {found!r}",
                "",
                *(f"   {line}" for line in comment),
            ]
        self.env.note_dependency(inspect.getfile(found))
        if not isinstance(found, type):
            return [f".. autofunction:: {name}"]
        lines = [f".. autoclass:: {name}"]
        lines += ["   :no-inherited-members:", "   :no-show-inheritance:"]
        if issubclass(found, enum.Enum):
            return [*lines, "   :undoc-members:", "   :exclude-members: __new__"]
        left_out = ", ".join(undescribed(found))
        return [*lines, f"   :exclude-members: {left_out}"] if left_out else lines


def undescribed(record: type) -> list[str]:
    """Return the fields of a record that have no comment: their names say it.

    So does that of a field called like a built-in type, to which annotations would
    link.
    """
    analyzer = ModuleAnalyzer.for_module(record.__module__)
    analyzer.analyze()
    fields = getattr(record, "_fields", ())
    described = {name for owner, name in analyzer.attr_docs if owner == record.__name__}
    return [name for name in fields if name not in described - vars(builtins).keys()]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("heuristics-api", ApiDirective)
    app.add_directive("heuristics-options", OptionsDirective)
    app.add_directive("heuristics-warnings", WarningsDirective)
    app.add_directive("heuristics-directive-options", DirectiveOptionsDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
