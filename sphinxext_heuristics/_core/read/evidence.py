"""The directive ``evidence``: quoted code or words of an installed package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes

from sphinxext_heuristics._core.diagnostics import did_you_mean
from sphinxext_heuristics._core.model import Evidence, Subtype
from sphinxext_heuristics._core.nodes import EVIDENCE
from sphinxext_heuristics._core.read.options import CheckedDirective

if TYPE_CHECKING:
    from docutils.nodes import Node

_OBJECT = re.compile(r"\w+(\.\w+)*(:\w+(\.(\w+|<locals>))*)?")


class EvidenceDirective(CheckedDirective):
    """Quote code of an installed package: its object as the argument, the quote as the body."""

    known = ("text", "class", "name")

    def run(self) -> list[Node]:
        """Return a code block whose caption is completed when the installed source is known."""
        options = self.check_options()
        module, qualname = self._object()
        quote = self._quote()
        prose = self.flag(options, "text")
        source, line = self.place()
        caption = nodes.caption("", ", ".join(filter(None, (module, qualname))))
        caption["translatable"] = False
        node = nodes.container(
            "",
            caption,
            # A fragment is no program: what the highlighter cannot read is shown as it
            # is.
            nodes.literal_block(
                quote, quote, language="none" if prose else "python", force=True
            ),
            literal_block=True,
            classes=[
                "literal-block-wrapper",
                "heuristic-evidence",
                *self.classes(options),
            ],
        )
        node[EVIDENCE] = Evidence(
            module=module,
            qualname=qualname,
            quote=quote,
            prose=prose,
            source=source,
            line=line,
            problems=tuple(self.problems),
        )
        for placed in (node, *node.children):
            self.set_source_info(placed)
        if self.options.get("name"):  # docutils cannot read an empty one
            self.add_name(node)
        return [node]

    def _object(self) -> tuple[str, str]:
        """Return the module and the object in it that the argument names, empty where it names none."""
        written = " ".join(self.header.argument.split()).lstrip("~")
        written = re.sub(r" ?: ?", ":", written)
        if not written:
            self.problem(
                Subtype.OPTION,
                "evidence without an object: write 'module:Class.method', or 'module'",
            )
        elif not _OBJECT.fullmatch(written):
            better = written.replace(" ", ":", 1).removesuffix("()")
            alike = (better,) if _OBJECT.fullmatch(better) else ()
            self.problem(
                Subtype.OPTION,
                f"evidence {written!r} is neither 'module:Class.method' nor "
                f"'module'{did_you_mean(alike)}",
            )
        else:
            module, _colon, qualname = written.partition(":")
            return module, qualname
        return "", ""

    def _quote(self) -> str:
        quote = "\n".join(self.content).strip("\n")
        if not quote.strip():
            self.problem(
                Subtype.OPTION, "evidence without a quote: the body is what is quoted"
            )
        return self.without_controls("the quote", quote)
