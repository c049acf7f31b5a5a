"""The indentation of docstrings, which means less than in Markdown: lines in, lines out, none out of place.

doc-builder takes the indentation of a docstring away before it reads the Markdown, lists aside. What that leaves
ambiguous, authors mean in one way: a list, an indented paragraph after a colon and a fence need no blank line. Here the
lines are written as CommonMark needs them, each with the number of the line that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.grammar.components import TAG, tags_apart
from sphinxext_heuristics.docbuilder.lines import fence_end, indent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIST_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)]) +(?=\S)")
_BLOCK_MARK = re.compile(r"(?:[-*+>]|#{1,6}|\d{1,9}[.)]) |[=-]+$")
_DOCTEST = re.compile(r">>> ?")
_ALERT = re.compile(r"> ?\[!\w+\]")
_OPEN_TAG = re.compile(r"<a\s[^<>]*$")
_LAYOUT_TAG = re.compile(r"</?(?:small|div|br|Youtube)\b[^<>]*>")


@dataclass(frozen=True, slots=True)
class Layout:
    """Text for a Markdown parser."""

    #: The lines.
    lines: tuple[str, ...]
    #: For each line, the line of the docstring that it comes from, from 0.
    origins: tuple[int, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def unindent(text: str) -> Layout:
    """Write Markdown from a docstring as CommonMark needs it.

    :param text: Markdown whose indentation counts in lists and in code only.
    """
    source, origins = zip(*tags_apart(text.splitlines()), strict=True) if text.strip() else ((), ())
    lines = _Blocks(source, origins).convert()
    return Layout(tuple(line for line, _ in lines), tuple(origin for _, origin in lines))


def _continues(text: str, before: str) -> bool:
    """Say whether a formatter has wrapped a line inside code or a tag, so that its first character is no mark."""
    if text.startswith(">"):
        return _OPEN_TAG.search(before) is not None
    return "`" in text and _BLOCK_MARK.match(text) is not None and _in_code(before)


def _in_code(text: str) -> bool:
    """Say whether a paragraph that begins with a text stands in code where the text ends."""
    return "`" in re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text, flags=re.DOTALL)


@dataclass(slots=True)
class _Blocks:
    """One pass over the lines of a text, block by block."""

    source: Sequence[str]
    origins: Sequence[int]
    #: The lines written so far, each with the line it comes from.
    output: list[tuple[str, int]] = field(default_factory=list)
    #: For each open list item, outermost first: the source's column of its mark, the output's column of its content.
    items: list[tuple[int, int]] = field(default_factory=list)
    position: int = 0
    #: The indentation of the line before in the source, -1 at a paragraph's start.
    last_indent: int = -1

    def convert(self) -> list[tuple[str, int]]:
        while self.position < len(self.source):
            line = self.source[self.position]
            if not line.strip():
                self._blank()
                self.last_indent = -1
                self.position += 1
            elif not self._special(line):
                self._paragraph()
        return self.output

    def _blank(self) -> None:
        """End the paragraph."""
        if self.output and self.output[-1][0].strip():
            self.output.append(("", self.origins[self.position]))

    def _special(self, line: str) -> bool:
        """Write a block that is more than a paragraph, if one starts here."""
        if not _LAYOUT_TAG.sub("", line).strip():
            self.position += 1
        elif end := self._block_end(line.strip()):
            lines = self.source[self.position : end]
            if _ALERT.match(line.strip()):
                lines = [line.strip() if line.strip().startswith(">") else f"> {line.strip()}" for line in lines]
            self._write_block(lines)
        else:
            return False
        self.last_indent = -1
        return True

    def _block_end(self, stripped: str) -> int:
        """Find the end of the block that starts here and needs no blank line before it; 0 if none does."""
        here = self.position
        end = fence_end(self.source, here)
        if end > here:
            return end
        lines = range(here, len(self.source))
        if _DOCTEST.match(stripped) or _ALERT.match(stripped):
            return next((number for number in lines if not self.source[number].strip()), len(self.source))
        if stripped.startswith("$$"):
            closing = (number for number in lines if "$$" in self.source[number].strip()[2 * (number == here) :])
            return next(closing, len(self.source) - 1) + 1
        return here + 1 if TAG.fullmatch(stripped) else 0

    def _column(self, indent: int) -> int:
        """Close the list items that a line at *indent* is outside of, and give the column it is written at."""
        while self.items and indent <= self.items[-1][0]:
            self.items.pop()
        return self.items[-1][1] if self.items else 0

    def _write_block(self, lines: Sequence[str]) -> None:
        """Write a block that starts at the position, and go on behind it."""
        indent = indent_of(self.source[self.position])
        column = self._column(indent)
        self._blank()
        for line in lines:
            text = line[min(indent, indent_of(line)) :].rstrip()
            self.output.append((" " * column + text if text else "", self.origins[self.position]))
            self.position += 1
        self.output.append(("", self.origins[self.position - 1]))

    def _paragraph(self) -> None:
        """Write the lines up to the next blank line or block."""
        unit: list[tuple[str, int]] = []
        while self.position < len(self.source):
            line = self.source[self.position]
            if unit and (not line.strip() or self._block_end(line.strip())):
                break
            unit = self._add_line(_LAYOUT_TAG.sub("", line).strip(), indent_of(line), unit)
            self.last_indent = indent_of(line)
            self.position += 1
        self.output.extend(unit)

    def _add_line(self, text: str, indent: int, unit: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Add a line to the lines that belong together.

        :returns: The lines that belong together with this one; those that do not have been written.
        """
        origin = self.origins[self.position]
        if unit and _continues(text, "\n".join(line for line, _ in unit)):
            return [*unit[:-1], (f"{unit[-1][0]} {text}", unit[-1][1])]
        open_items = len(self.items)
        column = self._column(indent)
        mark = _LIST_ITEM.match(text)
        if unit and self._starts_paragraph(mark, indent, open_items):
            self.output += [*unit, ("", origin)]
            unit = []
        if mark:
            self.output += unit
            unit = []
            self.items.append((indent, column + mark.end()))
        return [*unit, (" " * column + text, origin)]

    def _starts_paragraph(self, mark: re.Match[str] | None, indent: int, open_items: int) -> bool:
        """Say whether a line that follows another without a blank line starts a paragraph nevertheless."""
        if mark:
            # CommonMark lets only a list that starts at 1 interrupt a paragraph
            return open_items == 0
        left_list = len(self.items) < open_items
        heads_block = self.source[self.position - 1].rstrip().endswith(":") and indent > self.last_indent
        return left_list or (heads_block and open_items == 0)
