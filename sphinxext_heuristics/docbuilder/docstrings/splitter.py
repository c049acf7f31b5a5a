"""Split a doc-builder docstring into sections: text in, plain records out.

Hugging Face's doc-builder reads docstrings by their indentation: a line ``Args:`` opens a section, the first line under
it sets the indentation of its items, what stands deeper belongs to the item above, and what stands less deep ends the
section (``doc_builder.convert_rst_to_mdx.parse_rst_docstring``). The same rules are followed here, and a few that the
docstrings of PEFT and transformers need besides: ``**Attributes**:`` with a bulleted list, ``Raises`` without its
colon, named return values, and code fences, in which nothing is a section.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics.docbuilder.docstrings.sections import Item, Kind, Section, kind_of
from sphinxext_heuristics.docbuilder.lines import dedent, fence_end, indent_of, is_type, top_level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEADER = re.compile(
    r"(?P<bold>\*\*)?(?P<word>[A-Z][a-z]+(?: [A-Za-z]+)?)(?P<rest> \([^()]*\))?"
    r"(?P<inner>:?)(?(bold)\*\*)(?P<outer>:{0,2})(?P<text>.*)"
)
_NAME = r"\*{0,2}[A-Za-z_][\w.]*"
_ITEM_NAME = re.compile(
    rf"(?:[-*+] +)?(?P<mark>\*\*|`)?(?P<name>{_NAME}(?:\s*,\s*{_NAME})*?)(?(mark)(?P=mark))(?=[\s:(]|$)\s*"
)
_ITEM_END = re.compile(r"\s*(?P<mark>:+|--|)\s*(?P<text>.*)")
_RAISE = re.compile(r"[-*+]?\s*\[?`*~?(?P<name>[A-Za-z_][\w.]*)`*\]?(?:\(\S*\))?\s*(?::|--|$)\s*(?P<text>.*)")


class _Header(NamedTuple):
    """A line that opens a section."""

    kind: Kind
    title: str
    #: What stands on the line after the colon.
    text: str
    indent: int
    #: Whether the line ends in ``::``, so that an indented block of code follows.
    literal: bool


def split_docstring(text: str) -> tuple[Section, ...]:
    """Split a docstring into its sections.

    :param text: The docstring, without common indentation (as ``inspect.cleandoc`` leaves it).
    :returns: The sections in the order of the text; nothing of the text is lost. Text that has the form of no section
        is prose.
    """
    return _Splitter(text.expandtabs().splitlines()).split()


class _Splitter:
    """One pass over the lines of a docstring."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.sections: list[Section] = []
        self.prose_start = 0

    def split(self) -> tuple[Section, ...]:
        position = 0
        while position < len(self.lines):
            header = self.header(position)
            end = self.section(header, position) if header else position
            position = max(end, fence_end(self.lines, position), position + 1)
        self.flush(len(self.lines))
        return tuple(self.sections)

    def flush(self, end: int) -> None:
        """Make what was read since the last section a section of prose."""
        start = self.prose_start
        text, skipped = dedent(self.lines[start:end])
        if text:
            self.sections.append(Section(Kind.PROSE, text=text, line=start + skipped))
        self.prose_start = end

    def add(self, start: int, end: int, *sections: Section) -> int:
        self.flush(start)
        self.sections.extend(sections)
        self.prose_start = end
        return end

    def header(self, number: int) -> _Header | None:
        """Read a line as the opening of a section, if it is one."""
        line = self.lines[number]
        found = _HEADER.fullmatch(line.strip())
        if found is None:
            return None
        colons, text = found["inner"] + found["outer"], found["text"].strip()
        kind, title = kind_of(found["word"], found["rest"] or "")
        following = self.skip_blank(number + 1)
        if kind is Kind.ADMONITION:
            is_header = bool(colons) and (number == self.prose_start or not self.lines[number - 1].strip())
        elif kind is Kind.PROSE or text or following == len(self.lines):
            is_header = False
        else:
            deeper = kind is not Kind.RUBRIC and indent_of(self.lines[following]) > indent_of(line)
            is_header = bool(colons) or deeper
        return _Header(kind, title, text, indent_of(line), colons == "::") if is_header else None

    def section(self, header: _Header, number: int) -> int:
        """Read the section that a header opens.

        :returns: The line after it; *number* if there is no section after all.
        """
        if header.kind is Kind.RUBRIC:
            return self.rubric(header, number)
        if header.kind is Kind.ADMONITION:
            return self.admonition(header, number)
        first = self.skip_blank(number + 1)
        indent = indent_of(self.lines[first])
        if indent < header.indent:
            return number
        if header.kind in {Kind.PARAMETERS, Kind.ATTRIBUTES}:
            end = self._parameters_end(first, header, indent)
            items = self._items(first, end, indent, self._item)
        else:
            # without indentation, doc-builder reads on to the docstring's end; a paragraph is what authors mean
            end = self.paragraph_end(first) if indent == header.indent else self.block_end(first, indent)
            raised = header.kind in {Kind.RAISES, Kind.WARNS}
            items = self._items(first, end, indent, self._raised) if raised else self._returned(first, end, indent)
            if not items:
                text, skipped = dedent(self.lines[first:end])
                items = (Item(text=text, line=first, text_line=first + skipped),)
        return self.add(number, end, Section(header.kind, header.title, items=items, line=number)) if items else number

    def rubric(self, header: _Header, number: int) -> int:
        rubric = Section(Kind.RUBRIC, header.title, line=number)
        start = self.skip_blank(number + 1)
        if not header.literal or indent_of(self.lines[start]) <= header.indent:
            return self.add(number, number + 1, rubric)
        end = self.block_end(start, header.indent + 1)
        return self.add(number, end, rubric, Section(Kind.CODE, text=dedent(self.lines[start:end])[0], line=start))

    def admonition(self, header: _Header, number: int) -> int:
        start = number if header.text else self.skip_blank(number + 1)
        end = self.paragraph_end(start) if header.text else start
        if end < len(self.lines) and indent_of(self.lines[self.skip_blank(end)]) > header.indent:
            end = self.block_end(end, header.indent + 1)
        elif not header.text:
            end = self.paragraph_end(start)
        body, _ = dedent(self.lines[start + bool(header.text) : end])
        text = "\n".join(filter(None, (header.text, body)))
        return self.add(number, end, Section(header.kind, header.title, text, line=start)) if text else number

    def _parameters_end(self, first: int, header: _Header, indent: int) -> int:
        """Find where a section of parameters ends: at something less deep, or at another section."""
        for position in self._outside_fences(first):
            depth = indent_of(self.lines[position])
            if position == first or not self.lines[position].strip() or depth > indent:
                continue
            found = self.header(position)
            if depth < indent or (found and found.kind not in {Kind.ADMONITION, Kind.RUBRIC}):
                return position
            after_blank = indent == header.indent and not self.lines[position - 1].strip()
            if after_blank and self._item(position) is None:
                return position
        return len(self.lines)

    def _items(self, first: int, end: int, indent: int, read: Callable[[int], Item | None]) -> tuple[Item, ...]:
        """Read entries, each from its first line to that of the next; none if the first line is none."""
        lines = (number for number in self._outside_fences(first) if number < end)
        starts = [item for number in lines if indent_of(self.lines[number]) == indent and (item := read(number))]
        if not starts or starts[0].line != first:
            return ()
        stops = [*(item.line for item in starts[1:]), end]
        return tuple(self._complete(item, stop) for item, stop in zip(starts, stops, strict=True))

    def _item(self, number: int) -> Item | None:
        """Read a line as the first of an entry ``name (type): text``, if it is one."""
        line = self.lines[number].strip()
        named = _ITEM_NAME.match(line)
        if named is None:
            return None
        name, rest, written_type = ", ".join(re.split(r"\s*,\s*", named["name"])), line[named.end() :], ""
        if rest.startswith("("):
            close = next(top_level(rest, ")"), -1)
            if close < 0:
                return None
            written_type, rest = rest[1:close].strip(), rest[close + 1 :]
        ending = _ITEM_END.fullmatch(rest)
        if ending is None or (
            not ending["mark"] and (ending["text"] or not (written_type or self._heads_block(number)))
        ):
            return None
        return Item(name, written_type, ending["text"], number, number)

    def _heads_block(self, number: int) -> bool:
        line, following = self.lines[number], "".join(self.lines[number + 1 : number + 2])
        return bool(following.strip()) and indent_of(following) > indent_of(line)

    def _complete(self, item: Item, stop: int) -> Item:
        """Give an entry the rest of its description."""
        body, skipped = dedent(self.lines[item.line + 1 : stop])
        if not item.text:
            return item._replace(text=body, text_line=item.line + 1 + skipped if body else item.line)
        return item._replace(text=item.text + ("\n" + "\n" * skipped + body if body else ""))

    def _raised(self, number: int) -> Item | None:
        """Read a line as the first of an entry ``Error: text``, if it is one."""
        found = _RAISE.fullmatch(self.lines[number].strip())
        return Item(found["name"], "", found["text"], number, number) if found else None

    def _returned(self, first: int, end: int, indent: int) -> tuple[Item, ...]:
        """Read return values: several like parameters, ``name (type)``, or one with its type."""
        named = self._items(first, end, indent, self._item)
        if named and all(item.type for item in named):
            return named
        line = self.lines[first].strip()
        colon = next(top_level(line, ":"), -1)
        head, rest = (line, "") if colon < 0 else (line[:colon].strip(), line[colon + 1 :].strip())
        if not is_type(head) or (colon < 0 and not (line.startswith("`") and line.endswith("`"))):
            return ()
        return (self._complete(Item("", head, rest, first, first), end),)

    def _outside_fences(self, number: int) -> Iterator[int]:
        """Give the lines from *number* on; of a code fence, the first."""
        while number < len(self.lines):
            yield number
            number = max(fence_end(self.lines, number), number + 1)

    def skip_blank(self, number: int) -> int:
        return next((line for line in range(number, len(self.lines)) if self.lines[line].strip()), len(self.lines))

    def paragraph_end(self, number: int) -> int:
        return next((line for line in self._outside_fences(number) if not self.lines[line].strip()), len(self.lines))

    def block_end(self, number: int, indent: int) -> int:
        """Find the first line from *number* on that stands less deep than *indent*."""
        lines = ((line, self.lines[line]) for line in self._outside_fences(number))
        return next((line for line, text in lines if text.strip() and indent_of(text) < indent), len(self.lines))
