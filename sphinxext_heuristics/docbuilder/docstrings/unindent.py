"""The indentation of docstrings, which means less than in Markdown: lines in, lines out, none out of place.

doc-builder takes the indentation of a docstring away before it reads the Markdown, lists aside. What that leaves
ambiguous, authors mean in one way: a list, an indented paragraph after a colon and a fence need no blank line. Here the
lines are written as CommonMark needs them, each with the number of the line that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sphinxext_heuristics.docbuilder.grammar.components import close_of, opening_of
from sphinxext_heuristics.docbuilder.lines import fence_end, indent_of

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
    output = _Output()
    _Blocks(text.splitlines(), output).convert()
    return Layout(tuple(line for line, _ in output.lines), tuple(origin for _, origin in output.lines))


def _continues(text: str, before: str) -> bool:
    """Say whether a formatter has wrapped a line inside code or a tag, so that its first character is no mark."""
    if text.startswith(">"):
        return _OPEN_TAG.search(before) is not None
    return "`" in text and _BLOCK_MARK.match(text) is not None and _in_code(before)


def _in_code(text: str) -> bool:
    """Say whether a paragraph that begins with a text stands in code where the text ends."""
    return "`" in re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text, flags=re.DOTALL)


@dataclass(slots=True)
class _Output:
    """The lines written so far, each with the line it comes from."""

    lines: list[tuple[str, int]] = field(default_factory=list)

    def blank(self, origin: int) -> None:
        """End the paragraph."""
        if self.lines and self.lines[-1][0].strip():
            self.lines.append(("", origin))

    def block(self, column: int, lines: list[tuple[str, int]]) -> None:
        """Write lines that stand on their own."""
        self.blank(lines[0][1])
        self.lines.extend((" " * column + line if line else "", origin) for line, origin in lines)
        self.lines.append(("", lines[-1][1]))


@dataclass(slots=True)
class _Blocks:
    """One pass over the lines of a text, block by block."""

    source: list[str]
    output: _Output
    #: The number of the first line.
    first: int = 0
    #: For each open list item, outermost first: the source's column of its mark, the output's column of its content.
    items: list[tuple[int, int]] = field(default_factory=list)
    position: int = 0
    #: The indentation of the line before in the source, -1 at a paragraph's start.
    last_indent: int = -1

    def convert(self) -> None:
        while self.position < len(self.source):
            line = self.source[self.position]
            if not line.strip():
                self.output.blank(self.first + self.position)
                self.last_indent = -1
                self.position += 1
            elif not self._special(line):
                self._paragraph()

    def _special(self, line: str) -> bool:
        """Write a block that is more than a paragraph, if one starts here."""
        stripped = line.strip()
        end = fence_end(self.source, self.position)
        if end > self.position:
            self._fence(end)
        elif _DOCTEST.match(stripped):
            self._doctest()
        elif _ALERT.match(stripped):
            self._alert()
        elif opening_of(stripped):
            self._component()
        elif stripped.startswith("$$"):
            self._formula()
        elif not _LAYOUT_TAG.sub("", stripped).strip():
            self.position += 1
        else:
            return False
        self.last_indent = -1
        return True

    def _column(self, indent: int) -> int:
        """Close the list items that a line at *indent* is outside of, and give the column it is written at."""
        while self.items and indent <= self.items[-1][0]:
            self.items.pop()
        return self.items[-1][1] if self.items else 0

    def _write_block(self, lines: list[str]) -> None:
        """Write a block that starts at the position, and go on behind it."""
        column = self._column(indent_of(self.source[self.position]))
        start = self.first + self.position
        self.output.block(column, [(line, start + number) for number, line in enumerate(lines)])
        self.position += len(lines)

    def _fence(self, end: int) -> None:
        indent = indent_of(self.source[self.position])
        lines = self.source[self.position : end]
        self._write_block([line[min(indent, indent_of(line)) :].rstrip() for line in lines])

    def _doctest(self) -> None:
        indent = indent_of(self.source[self.position])
        lines = self.source[self.position : self._paragraph_end()]
        self._write_block([line[min(indent, indent_of(line)) :] for line in lines])

    def _alert(self) -> None:
        lines = [line.strip() for line in self.source[self.position : self._paragraph_end()]]
        self._write_block([line if line.startswith(">") else f"> {line}" for line in lines])

    def _formula(self) -> None:
        end = self.position
        text = self.source[end].strip()[2:]
        while "$$" not in text and end + 1 < len(self.source):
            end += 1
            text = self.source[end]
        self._write_block([line.strip() for line in self.source[self.position : end + 1]])

    def _paragraph_end(self) -> int:
        end = self.position
        while end < len(self.source) and self.source[end].strip():
            end += 1
        return end

    def _component(self) -> None:
        """Write a component, its tags on lines of their own."""
        start = self.position
        opening = self.source[start].strip()
        tag = opening_of(opening)
        assert tag is not None  # noqa: S101 - the caller has seen it
        column = self._column(indent_of(self.source[start]))
        close = None if tag.closed else close_of(self.source, start, tag.name)
        if tag.closed or close is None:
            self.output.block(column, [(opening, self.first + start)])
            self.position += 1
            return
        body = self.source[start : close.line + 1]
        body[-1] = body[-1][: close.start]
        offset = len(self.source[start]) - len(self.source[start].lstrip())
        body[0] = " " * (offset + tag.end) + body[0][offset + tag.end :]
        if not body[0].strip():
            body[0] = ""
        inner = _Output()
        _Blocks(body, inner, first=self.first + start).convert()
        lines = [(opening[: tag.end], self.first + start), ("", self.first + start)]
        lines += [(line, origin) for line, origin in inner.lines]
        lines += [("", self.first + close.line), (f"</{tag.name}>", self.first + close.line)]
        self.output.block(column, lines)
        self.position = close.line + 1
        rest = self.source[close.line][close.end :].strip()
        if rest:
            self.output.lines.append((" " * column + rest, self.first + close.line))

    def _paragraph(self) -> None:
        """Write the lines up to the next blank line or block."""
        unit: list[tuple[str, int]] = []
        while self.position < len(self.source):
            line = self.source[self.position]
            if unit and (not line.strip() or self._starts_block(line.strip())):
                break
            unit = self._add_line(_LAYOUT_TAG.sub("", line).strip(), indent_of(line), unit)
            self.last_indent = indent_of(line)
            self.position += 1
        self.output.lines.extend(unit)

    def _add_line(self, text: str, indent: int, unit: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Add a line to the lines that belong together.

        :returns: The lines that belong together with this one; those that do not have been written.
        """
        origin = self.first + self.position
        if unit and _continues(text, "\n".join(line for line, _ in unit)):
            return [*unit[:-1], (f"{unit[-1][0]} {text}", unit[-1][1])]
        open_items = len(self.items)
        column = self._column(indent)
        mark = _LIST_ITEM.match(text)
        if unit and self._starts_paragraph(mark, indent, open_items):
            self.output.lines += [*unit, ("", origin)]
            unit = []
        if mark:
            self.output.lines += unit
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

    def _starts_block(self, stripped: str) -> bool:
        return (
            fence_end(self.source, self.position) > self.position
            or bool(_DOCTEST.match(stripped) or _ALERT.match(stripped))
            or opening_of(stripped) is not None
            or stripped.startswith("$$")
        )
