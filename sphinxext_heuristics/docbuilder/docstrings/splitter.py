"""Split a doc-builder docstring into sections: text in, plain records out.

Hugging Face's doc-builder reads docstrings by their indentation: a line ``Args:`` opens a section, the first line under
it sets the indentation of its items, what stands deeper belongs to the item above, and what stands less deep ends the
section (``doc_builder.convert_rst_to_mdx.parse_rst_docstring``). The same rules are followed here, and a few that the
docstrings of PEFT and transformers need besides: ``**Attributes**:`` with a bulleted list, ``Raises`` without its
colon, named return values, and code fences, in which nothing is a section.
"""

from __future__ import annotations

import re

from sphinxext_heuristics.docbuilder.docstrings.sections import Header, Item, Kind, Section, kind_of
from sphinxext_heuristics.docbuilder.lines import (
    closing_parenthesis,
    dedent,
    fence_end,
    indent_of,
    is_type,
    top_level_colon,
)

_HEADER = re.compile(r"(?P<bold>\*\*)?(?P<word>[A-Z][a-z]+(?: [A-Za-z]+)?)(?P<rest> \([^()]*\))?(?:(?<=\w)|(?<=\)))")
_HEADER_END = re.compile(r"(?P<colons>:{0,2})(?P<bold>\*\*)?(?P<more>:?)(?P<text>.*)")
_BULLET = re.compile(r"[-*+] +")
_NAME = r"\*{0,2}[A-Za-z_][\w.]*"
_ITEM_NAME = re.compile(rf"(?P<mark>\*\*|`)?(?P<name>{_NAME}(?:\s*,\s*{_NAME})*?)(?(mark)(?P=mark))(?=[\s:(]|$)\s*")
_ITEM_END = re.compile(r"\s*(?:(?P<colon>:+)|(?P<dash>--))?\s*")
_RAISE = re.compile(r"[-*+]?\s*\[?`*~?(?P<name>[A-Za-z_][\w.]*)`*\]?(?:\(\S*\))?\s*(?P<end>:|--|$)\s*(?P<text>.*)")


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
            after_fence = fence_end(self.lines, position)
            if after_fence > position:
                position = after_fence
                continue
            header = self.header(position)
            end = position if header is None else self.section(header, position)
            position = end if end > position else position + 1
        self.flush(len(self.lines))
        return tuple(self.sections)

    def flush(self, end: int) -> None:
        """Make what was read since the last section a section of prose."""
        start = self.prose_start
        text, skipped = dedent(self.lines[start:end])
        if text:
            self.sections.append(Section(kind=Kind.PROSE, text=text, line=start + skipped))
        self.prose_start = end

    def add(self, start: int, end: int, *sections: Section) -> int:
        self.flush(start)
        self.sections.extend(sections)
        self.prose_start = end
        return end

    def header(self, number: int) -> Header | None:
        """Read a line as the opening of a section, if it is one."""
        line = self.lines[number]
        stripped = line.strip()
        opening = _HEADER.match(stripped)
        if opening is None:
            return None
        ending = _HEADER_END.fullmatch(stripped, opening.end())
        if ending is None or bool(opening["bold"]) != bool(ending["bold"]):
            return None
        colons = ending["colons"] + ending["more"]
        kind, title = kind_of(opening["word"], opening["rest"] or "")
        text = ending["text"].strip()
        header = Header(kind=kind, title=title, text=text, indent=indent_of(line), literal=colons == "::")
        return header if self._is_header(header, number, has_colon=bool(colons)) else None

    def _is_header(self, header: Header, number: int, *, has_colon: bool) -> bool:
        if header.kind is Kind.PROSE:
            return False
        if header.kind is Kind.ADMONITION:
            at_start = number == self.prose_start or not self.lines[number - 1].strip()
            return has_colon and at_start
        following = self.skip_blank(number + 1)
        has_body = following < len(self.lines)
        deeper = has_body and indent_of(self.lines[following]) > header.indent
        if header.text:
            return False
        if header.kind is Kind.RUBRIC:
            return has_colon and has_body
        return has_body and (has_colon or deeper)

    def section(self, header: Header, number: int) -> int:
        """Read the section that a header opens.

        :returns: The line after it; *number* if there is no section after all.
        """
        if header.kind is Kind.RUBRIC:
            return self.rubric(header, number)
        if header.kind is Kind.ADMONITION:
            return self.admonition(header, number)
        if header.kind in {Kind.PARAMETERS, Kind.ATTRIBUTES}:
            return self.items(header, number)
        return self.results(header, number)

    def rubric(self, header: Header, number: int) -> int:
        rubric = Section(kind=Kind.RUBRIC, title=header.title, line=number)
        start = self.skip_blank(number + 1)
        if not header.literal or indent_of(self.lines[start]) <= header.indent:
            return self.add(number, number + 1, rubric)
        end = self.block_end(start, header.indent + 1)
        text, _ = dedent(self.lines[start:end])
        return self.add(number, end, rubric, Section(kind=Kind.CODE, text=text, line=start))

    def admonition(self, header: Header, number: int) -> int:
        start = number if header.text else number + 1
        end = self.paragraph_end(start) if header.text else self.skip_blank(start)
        if end < len(self.lines) and indent_of(self.lines[self.skip_blank(end)]) > header.indent:
            end = self.block_end(end, header.indent + 1)
        elif not header.text:
            end = self.paragraph_end(start)
        body, skipped = dedent(self.lines[start + bool(header.text) : end])
        text = "\n".join(part for part in (header.text, body) if part)
        if not text:
            return number
        line = number if header.text else start + skipped
        return self.add(number, end, Section(kind=header.kind, title=header.title, text=text, line=line))

    def items(self, header: Header, number: int) -> int:
        """Read a section of parameters or attributes."""
        first = self.skip_blank(number + 1)
        indent = indent_of(self.lines[first])
        if indent < header.indent or self._item(first, indent) is None:
            return number
        end = self._items_end(first, header, indent)
        starts: list[tuple[int, Item]] = []
        position = first
        while position < end:
            item = self._item(position, indent)
            if item is not None:
                starts.append((position, item))
            position = max(fence_end(self.lines, position), position + 1)
        stops = [start for start, _ in starts[1:]] + [end]
        items = tuple(self._complete(item, start, stop) for (start, item), stop in zip(starts, stops, strict=True))
        return self.add(number, end, Section(kind=header.kind, title=header.title, items=items, line=number))

    def _items_end(self, first: int, header: Header, indent: int) -> int:
        """Find where a section of items ends: where something stands less deep, or where another section starts."""
        position = first
        while position < len(self.lines):
            line = self.lines[position]
            if line.strip() and position > first:
                depth = indent_of(line)
                if depth < indent or (depth == indent and self._ends_items(position, header, indent)):
                    break
            position = max(fence_end(self.lines, position), position + 1)
        return position

    def _ends_items(self, position: int, header: Header, indent: int) -> bool:
        found = self.header(position)
        if found is not None and found.kind not in {Kind.ADMONITION, Kind.RUBRIC}:
            return True
        flat = indent == header.indent
        return flat and not self.lines[position - 1].strip() and self._item(position, indent) is None

    def _item(self, number: int, indent: int) -> Item | None:
        """Read a line as the first of an entry ``name (type): text``, if it is one."""
        line = self.lines[number]
        if not line.strip() or indent_of(line) != indent:
            return None
        stripped = line.strip()
        bullet = _BULLET.match(stripped)
        named = _ITEM_NAME.match(stripped, bullet.end() if bullet else 0)
        if named is None:
            return None
        position, written_type = named.end(), ""
        if stripped.startswith("(", position):
            close = closing_parenthesis(stripped, position)
            if close < 0:
                return None
            written_type = stripped[position + 1 : close].strip()
            position = close + 1
        ending = _ITEM_END.match(stripped, position)
        rest = stripped[ending.end() :] if ending else stripped[position:]
        separated = ending is not None and bool(ending["colon"] or ending["dash"])
        if not separated and (rest or not (written_type or self._heads_block(number))):
            return None
        return Item(name=_joined_names(named["name"]), type=written_type, text=rest, line=number, text_line=number)

    def _heads_block(self, number: int) -> bool:
        following = number + 1
        return (
            following < len(self.lines)
            and bool(self.lines[following].strip())
            and indent_of(self.lines[following]) > indent_of(self.lines[number])
        )

    def _complete(self, item: Item, start: int, stop: int) -> Item:
        """Give an entry the rest of its description."""
        body, skipped = dedent(self.lines[start + 1 : stop])
        if not item.text:
            text_line = start + 1 + skipped if body else start
            return Item(name=item.name, type=item.type, text=body, line=start, text_line=text_line)
        text = item.text + ("\n" + "\n" * skipped + body if body else "")
        return Item(name=item.name, type=item.type, text=text, line=start, text_line=start)

    def results(self, header: Header, number: int) -> int:
        """Read a section of return values or exceptions."""
        first = self.skip_blank(number + 1)
        indent = indent_of(self.lines[first])
        if indent < header.indent:
            return number
        # without indentation, doc-builder reads on to the docstring's end; a paragraph is what authors mean
        flat = indent == header.indent
        end = self.paragraph_end(first) if flat else self.block_end(first, indent)
        if header.kind in {Kind.RAISES, Kind.WARNS}:
            items = self._raised(first, end, indent)
        else:
            items = self._returned(first, end, indent)
        return self.add(number, end, Section(kind=header.kind, title=header.title, items=items, line=number))

    def _raised(self, first: int, end: int, indent: int) -> tuple[Item, ...]:
        starts: list[tuple[int, Item]] = []
        for position in range(first, end):
            line = self.lines[position]
            matched = _RAISE.fullmatch(line.strip()) if indent_of(line) == indent else None
            if matched is not None:
                item = Item(name=matched["name"], text=matched["text"], line=position, text_line=position)
                starts.append((position, item))
        if not starts or starts[0][0] != first:
            return (self._text_item(first, end),)
        stops = [start for start, _ in starts[1:]] + [end]
        return tuple(self._complete(item, start, stop) for (start, item), stop in zip(starts, stops, strict=True))

    def _returned(self, first: int, end: int, indent: int) -> tuple[Item, ...]:
        named = self._named_results(first, end, indent)
        if named:
            return named
        line = self.lines[first].strip()
        colon = top_level_colon(line)
        head, rest = (line, "") if colon < 0 else (line[:colon].strip(), line[colon + 1 :].strip())
        if colon < 0 and not (line.startswith("`") and line.endswith("`")):
            return (self._text_item(first, end),)
        if not is_type(head):
            return (self._text_item(first, end),)
        item = Item(type=head, text=rest, line=first, text_line=first)
        return (self._complete(item, first, end),)

    def _named_results(self, first: int, end: int, indent: int) -> tuple[Item, ...]:
        """Read return values that are written like parameters, ``name (type)``."""
        starts: list[tuple[int, Item]] = []
        for position in range(first, end):
            line = self.lines[position]
            if not line.strip() or indent_of(line) > indent:
                continue
            item = self._item(position, indent)
            if item is None or not item.type:
                return ()
            starts.append((position, item))
        stops = [start for start, _ in starts[1:]] + [end]
        return tuple(self._complete(item, start, stop) for (start, item), stop in zip(starts, stops, strict=True))

    def _text_item(self, first: int, end: int) -> Item:
        text, skipped = dedent(self.lines[first:end])
        return Item(text=text, line=first, text_line=first + skipped)

    def skip_blank(self, number: int) -> int:
        while number < len(self.lines) and not self.lines[number].strip():
            number += 1
        return number

    def paragraph_end(self, number: int) -> int:
        while number < len(self.lines) and self.lines[number].strip():
            number = max(fence_end(self.lines, number), number + 1)
        return number

    def block_end(self, number: int, indent: int) -> int:
        """Find the first line from *number* on that stands less deep than *indent*."""
        while number < len(self.lines):
            line = self.lines[number]
            if line.strip() and indent_of(line) < indent:
                break
            number = max(fence_end(self.lines, number), number + 1)
        return number


def _joined_names(names: str) -> str:
    return ", ".join(name.strip() for name in names.split(","))
