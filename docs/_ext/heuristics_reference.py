"""Tables of the manual that the code fills: configuration values, warnings, options of directives.

A directive's options are named by its class; what they mean is written here. An option
without a meaning, or a meaning without its option, is a warning at the directive that
prints the table.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics._core import config, model
from sphinxext_heuristics._core.read import evidence, heuristic, queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from sphinxext_heuristics._core.read.options import CheckedDirective

logger = logging.getLogger(__name__)

#: A value in what is allowed: without the marks of code its quotes would become round.
_QUOTED = re.compile(r"'\w+'")
_TARGETS = "Targets, separated by commas or line ends"


class Meaning(NamedTuple):
    """What an option does, and what holds without it, in Markdown."""

    text: str
    absent: str


#: Directive → option → meaning.
MEANINGS: dict[str, dict[str, Meaning]] = {
    "heuristic": {
        "title": Meaning(
            "What readers see", "the name, with spaces for its underscores"
        ),
        "note": Meaning(
            "The one line that API entries, pages and the index show; inline "
            "markup is allowed",
            "the first sentence of the body; neither is a warning",
        ),
        "index-note": Meaning("The text for the Markdown index file only", "the note"),
        "impl": Meaning(
            f"{_TARGETS}: Python objects; `C+` is a class and its documented "
            f"subclasses",
            "none",
        ),
        "workflow": Meaning(f"{_TARGETS}: how-to pages or sections", "none"),
        "principle": Meaning(f"{_TARGETS}: explanation pages or sections", "none"),
        "env": Meaning(f"{_TARGETS}: pages or sections about an environment", "none"),
        "param": Meaning(
            "Parameters: of what `impl` reaches, only entries whose own "
            "signature names one of them show it",
            "no filter",
        ),
        "except": Meaning(
            "API entries that `impl` reaches and that shall not show it; a "
            "class covers its members",
            "none",
        ),
        "category": Meaning("One or more categories, separated by commas", "none"),
        "severity": Meaning(
            f"One of {', '.join(f'`{word}`' for word in model.SEVERITIES)}", "`tip`"
        ),
        "weight": Meaning(
            "An integer: within one severity, higher is shown first", "0"
        ),
        "keywords": Meaning(
            "What readers search for and the text does not say, separated by "
            "commas; the page shows it, and the search "
            "finds the page by it",
            "none",
        ),
        "former-names": Meaning("Earlier names; links to them keep working", "none"),
        "since": Meaning(
            "The first version of the documented package that it holds for", "no bound"
        ),
        "until": Meaning("The last one; `0.20` includes 0.20.2", "no bound"),
        "no-inject": Meaning(
            "A flag: API entries and pages do not show it by themselves", "off"
        ),
        "class": Meaning(
            "More CSS classes, for the definition and for what is shown of it "
            "elsewhere",
            "none",
        ),
        "name": Meaning("A label for the role `ref`", "none"),
    },
    "evidence": {
        "text": Meaning(
            "A flag: the quote is words of a docstring, a comment or a "
            "message, and not code",
            "off",
        ),
        "class": Meaning("More CSS classes", "none"),
        "name": Meaning("A label for the roles `ref` and `numref`", "none"),
    },
    "heuristic-index": {
        "category": Meaning("Only those with one of these categories", "all"),
        "severity": Meaning("Only those with one of these severities", "all"),
        "impl": Meaning("Only those that apply to one of these objects", "all"),
        "workflow": Meaning("Only those connected to one of these how-to pages", "all"),
        "principle": Meaning(
            "Only those connected to one of these explanations", "all"
        ),
        "env": Meaning("Only those connected to one of these environment pages", "all"),
        "missing": Meaning(
            "A flag: the missing targets instead, each with the heuristics "
            "that wait for it",
            "off",
        ),
        "layout": Meaning("`table` or `cards`", "`table`"),
        "marks": Meaning(
            "A flag: connections with their types, ✅ or ⬜, and the legend, as "
            "in the index file",
            "off",
        ),
    },
    "heuristic-graph": {
        "category": Meaning("Only those with one of these categories", "all"),
        "severity": Meaning("Only those with one of these severities", "all"),
        "impl": Meaning("Only those that apply to one of these objects", "all"),
        "workflow": Meaning("Only those connected to one of these how-to pages", "all"),
        "principle": Meaning(
            "Only those connected to one of these explanations", "all"
        ),
        "env": Meaning("Only those connected to one of these environment pages", "all"),
    },
    "heuristic-messages": {
        "category": Meaning("Only those with one of these categories", "all"),
        "severity": Meaning("Only those with one of these severities", "all"),
        "impl": Meaning("Only those that apply to one of these objects", "all"),
        "workflow": Meaning("Only those connected to one of these how-to pages", "all"),
        "principle": Meaning(
            "Only those connected to one of these explanations", "all"
        ),
        "env": Meaning("Only those connected to one of these environment pages", "all"),
    },
    "heuristic-releases": {
        "category": Meaning("Only those with one of these categories", "all"),
        "severity": Meaning("Only those with one of these severities", "all"),
        "impl": Meaning("Only those that apply to one of these objects", "all"),
        "workflow": Meaning("Only those connected to one of these how-to pages", "all"),
        "principle": Meaning(
            "Only those connected to one of these explanations", "all"
        ),
        "env": Meaning("Only those connected to one of these environment pages", "all"),
    },
}

#: Directive → its class, which names its options.
DIRECTIVES: dict[str, type[CheckedDirective]] = {
    "heuristic": heuristic.HeuristicDirective,
    "evidence": evidence.EvidenceDirective,
    "heuristic-index": queries.HeuristicIndexDirective,
    "heuristic-graph": queries.FilteredDirective,
    "heuristic-messages": queries.FilteredDirective,
    "heuristic-releases": queries.FilteredDirective,
}


def mismatches(meanings: Mapping[str, Meaning], known: Sequence[str]) -> list[str]:
    """Return a sentence for each option that has no meaning and each meaning that has no option."""
    return [
        *(
            f"option {name!r} has no meaning here"
            for name in known
            if name not in meanings
        ),
        *(
            f"{name!r} has a meaning here but is no option"
            for name in meanings
            if name not in known
        ),
    ]


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
    modules = (model,)

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.table(
            (f"`heuristic.{subtype.word}`", subtype.meaning)
            for subtype in model.Subtype
        )


class DirectiveOptionsDirective(TableDirective):
    """``heuristics-directive-options``: the options of the directive that is its argument."""

    required_arguments = 1
    heads = ("Option", "Meaning", "Without it")
    modules = (heuristic, evidence, queries, model)

    def run(self) -> list[nodes.Node]:
        """Return the table; warn where the meanings do not fit the code."""
        name = self.arguments[0]
        if name not in DIRECTIVES:
            self._warn(f"{name!r} is none of {', '.join(DIRECTIVES)}")
            return []
        known, meanings = DIRECTIVES[name].known, MEANINGS[name]
        for mismatch in mismatches(meanings, known):
            self._warn(f"directive {name!r}: {mismatch}")
        return self.table(
            (f"`{option}`", *meanings[option]) for option in known if option in meanings
        )

    def _warn(self, message: str) -> None:
        logger.warning(
            "%s", message, location=self.get_location(), type="heuristics_reference"
        )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("heuristics-options", OptionsDirective)
    app.add_directive("heuristics-warnings", WarningsDirective)
    app.add_directive("heuristics-directive-options", DirectiveOptionsDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
