"""The directive ``evidence``: quoted code or words of an installed package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes

from ..model import Evidence
from ..nodes import EVIDENCE
from .header import OPTION
from .options import CheckedDirective, DirectiveOption, as_written, classes, flag

if TYPE_CHECKING:
    from docutils.nodes import Node

_OBJECT = re.compile(r"\w+(\.\w+)*(:\w+(\.(\w+|<locals>))*)?")


class EvidenceDirective(CheckedDirective):
    """Quote code of an installed package: its object as argument, the quote as body."""

    known = (
        DirectiveOption(
            "text",
            flag,
            "A flag: the quote is words of a docstring, a comment or a message, and "
            "not code",
            "off",
        ),
        DirectiveOption("class", classes, "More CSS classes"),
        DirectiveOption("name", as_written, "A label for the roles `ref` and `numref`"),
    )

    # What is quoted may follow without an empty line.
    in_header = re.compile(rf"\s*{OPTION.pattern}$")

    def run(self) -> list[Node]:
        """Return a code block; its caption waits for the installed source."""
        options = self.read_options()
        module, qualname = self._object()
        quote = self._quote()
        prose = options.get("text", False)
        source, line = self.place()
        caption = nodes.caption("", ", ".join(filter(None, (module, qualname))))
        caption["translatable"] = False
        # A fragment is no program: what the highlighter cannot read is shown as it is.
        language = "none" if prose else "python"
        block = nodes.literal_block(quote, quote, language=language, force=True)
        node = nodes.container("", caption, block, literal_block=True)
        node["classes"] = ["literal-block-wrapper", "heuristic-evidence"]
        node["classes"] += options.get("class", ())
        node[EVIDENCE] = Evidence(
            module=module,
            qualname=qualname,
            quote=quote,
            prose=prose,
            source=source,
            line=line,
            problems=tuple(self.problems),
        )
        for placed in (node, caption, block):
            self.set_source_info(placed)
        if options.get("name"):  # docutils cannot read an empty one
            self.add_name(node)
        return [node]

    def _object(self) -> tuple[str, str]:
        """Return the module and object that the argument names, else empty texts."""
        written = self.header.argument.lstrip("~")
        if _OBJECT.fullmatch(written):
            module, _colon, qualname = written.partition(":")
            return module, qualname
        self.problem(
            f"evidence {written!r} is neither 'module:Class.method' nor 'module'"
        )
        return "", ""

    def _quote(self) -> str:
        quote = "\n".join(self.content).strip("\n")
        if not quote.strip():
            self.problem("evidence without a quote: the body is what is quoted")
        return quote
