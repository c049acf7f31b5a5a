"""The Markdown inside docstrings to nodes.

doc-builder takes the indentation of a docstring away before it reads the Markdown,
lists aside. What that leaves ambiguous, authors mean in one way: a list, an indented
paragraph after a colon and a fence need no blank line. Here the lines are written as
CommonMark needs them, each with the number of the line that it comes from.
"""

from __future__ import annotations

import pickle
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from docutils import nodes

from ..grammar import create_parser
from ..grammar.components import TAG, fence_end, indent_of, tags_apart
from ..render import Renderer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_LIST_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)]) +(?=\S)")
_BLOCK_MARK = re.compile(r"(?:[-*+]|#{1,6}|\d{1,9}[.)]) |[=-]+$")
_TO_BLANK_LINE = re.compile(r">>> ?|> ?\[!\w+\]|\$\$(?!.*\$\$)")
_LAYOUT_TAG = re.compile(r"</?(?:small|div|br|Youtube)\b[^<>]*>")
#: Asked for tokens only: each document has a renderer of its own.
_PARSER = create_parser(Renderer, page=False)


class DocstringRenderer(Renderer):
    """The renderer for all docstrings of a document; headings are rubrics."""

    @classmethod
    @lru_cache(maxsize=1)
    def of(cls, document: nodes.document) -> DocstringRenderer:
        """Return the renderer of a document.

        MyST reads docutils' settings anew here, which takes longer than most
        docstrings.
        """
        renderer = cls(_PARSER)
        renderer.setup_render({**_PARSER.options, "document": document}, {})
        renderer.faults = []
        return renderer

    def nodes_of(self, text: str, line: int) -> list[nodes.Node]:
        """Return the nodes of the Markdown of a docstring.

        The indentation of *text* counts in lists and in code only. The nodes' ``line``
        counts from *line*, the number of the first line, from 0. Nothing is added to
        the document here.
        """
        tokens: list[Token] = pickle.loads(_parse(text))  # noqa: S301 - made below
        for token in tokens:
            token.map = [number + line for number in token.map] if token.map else None
        holder = self.current_node = nodes.container()
        holder.document = self.document
        self._render_tokens(tokens)
        return holder.children


@lru_cache(maxsize=8192)
def _parse(text: str) -> bytes:
    """Return the tokens of Markdown, once for all entries that inherit it.

    They have the lines of the text that they come from, from 0; nothing in them depends
    on the entry or its page. They are pickled, as rendering changes tokens.
    """
    blocks = _Blocks(list(tags_apart(text.splitlines())))
    blocks.convert()
    lines = "".join(f"{line}\n" for line, _ in blocks.output)
    origins = [origin for _, origin in blocks.output]
    return pickle.dumps(_PARSER.parse(lines, {"origins": origins}))


class _Blocks:
    """One pass over the lines of a text, each with the line it comes from."""

    def __init__(self, source: Sequence[tuple[str, int]]) -> None:
        self.source = [line for line, _ in source]
        self.origins = [origin for _, origin in source]
        self.output: list[tuple[str, int]] = []
        #: Where in the output the paragraph starts that is being written: at its end,
        #: if none is.
        self.start = 0
        #: Whether code is open at the end of that paragraph.
        self.in_code = False
        #: The indentation of the line before in the source, -1 at a paragraph's start.
        self.last_indent = -1
        #: For each open list item, outermost first: the source's column of its mark,
        #: the output's of its content.
        self.items: list[tuple[int, int]] = []

    def convert(self) -> None:
        position = 0
        while position < len(self.source):
            line = self.source[position]
            text = _LAYOUT_TAG.sub("", line).strip()
            end = self.block_end(position) if text else position
            if not text:
                self.end_paragraph(position)
            elif end > position:
                self.add_block(position, end)
            else:
                self.add_line(position, text)
            position = max(end, position + 1)

    def block_end(self, start: int) -> int:
        """Return the end of the block that starts in a line; *start* if none does.

        Such a block needs no blank line before it.
        """
        text, end = self.source[start].strip(), start + 1
        if _TO_BLANK_LINE.match(text):
            while end < len(self.source) and self.source[end].strip():
                end += 1
            return end
        is_line = TAG.fullmatch(text) or text.startswith("$$")
        return end if is_line else fence_end(self.source, start)

    def end_paragraph(self, position: int) -> None:
        if self.output and self.output[-1][0].strip():
            self.output.append(("", self.origins[position]))
        self.start, self.last_indent = len(self.output), -1

    def column(self, indent: int) -> int:
        """Return the column that a line at *indent* is written at.

        The list items that it is outside of are closed.
        """
        while self.items and indent <= self.items[-1][0]:
            self.items.pop()
        return self.items[-1][1] if self.items else 0

    def add_block(self, start: int, end: int) -> None:
        """Write a block as it is, at the column of its first line."""
        indent = indent_of(self.source[start])
        margin = " " * self.column(indent)
        is_session = self.source[start].lstrip().startswith(">>>")
        self.end_paragraph(start)
        if is_session:
            self.output.append((f"{margin}```pycon", self.origins[start]))
        for number in range(start, end):
            line = self.source[number]
            text = margin + line[min(indent, indent_of(line)) :]
            self.output.append((text.rstrip(), self.origins[number]))
        if is_session:
            self.output.append((f"{margin}```", self.origins[end - 1]))
        self.end_paragraph(end - 1)

    def add_line(self, position: int, text: str) -> None:
        """Write a line of a paragraph."""
        inside = self.start < len(self.output)
        indent, origin = indent_of(self.source[position]), self.origins[position]
        if inside and self.in_code and "`" in text and _BLOCK_MARK.match(text):
            # a formatter has wrapped the line inside code: its first character is no
            # mark of a block
            line, origin = self.output.pop()
            self.output.append((f"{line} {text}", origin))
        else:
            open_items = len(self.items)
            column = self.column(indent)
            mark = _LIST_ITEM.match(text)
            # CommonMark lets only a list that starts at 1 interrupt a paragraph
            starts = open_items == 0 if mark else len(self.items) < open_items
            heads_block = (
                self.source[position - 1].rstrip().endswith(":")
                and indent > self.last_indent
            )
            if inside and (starts or (heads_block and open_items == 0)):
                self.output.append(("", origin))
                self.start = len(self.output)
            if mark:
                self.start = len(self.output)
                self.items.append((indent, column + mark.end()))
            if self.start == len(self.output):
                self.in_code = False
            self.output.append((" " * column + text, origin))
        self.last_indent = indent
        self.in_code ^= text.count("`") % 2 == 1
