"""The first paragraph of a docstring in reStructuredText, for what reads summaries (autosummary)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinx.util.docutils import SphinxRole

from sphinxext_heuristics.docbuilder.docstrings.markdown import docstring_parser, render_inline
from sphinxext_heuristics.docbuilder.docstrings.unindent import unindent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes

#: The role whose text is Markdown.
TEXT_ROLE = "docbuilder-text"
_PERIOD = re.compile(r"\.(?=\s|$)|$")


class TextRole(SphinxRole):
    """Markdown in a line."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Parse the text."""
        return render_inline(self.text, self.inliner.document, self.lineno), []


def summary_as_rst(text: str) -> str | None:
    """Write one paragraph of Hugging Face Markdown in reStructuredText.

    :param text: The paragraph.
    :returns: The paragraph, as many lines as the text has, each sentence in a role; ``None`` if the text is more than
        one paragraph.
    """
    layout = unindent(text)
    kinds = [token.type for token in docstring_parser().parse(layout.text)]
    if kinds != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    lines = layout.lines if len(layout.lines) == len(text.splitlines()) else text.splitlines()
    return "".join(_sentences("\n".join(line.strip() for line in lines).strip()))


def _sentences(text: str) -> Iterator[str]:
    """Write each sentence in a role, its period behind it, where autosummary looks for it."""
    start = 0
    for period in _PERIOD.finditer(text):
        sentence = text[start : period.start()]
        content = sentence.lstrip()
        if content and (period.start() == len(text) or not _is_open(sentence)):
            escaped = content.rstrip().replace("\\", "\\\\").replace("`", "\\`")
            yield f"{sentence[: -len(content)]}:{TEXT_ROLE}:`{escaped}`{period[0]}"
            start = period.end()


def _is_open(text: str) -> bool:
    """Say whether a text ends within markup, or in what Markdown and reStructuredText read apart from it."""
    pairs = (("(", ")"), ("[", "]"), ("<", ">"))
    return any(text.count(mark) % 2 for mark in "`*$_") or any(text.count(a) != text.count(b) for a, b in pairs)
