"""Split a doc-builder docstring into sections: text in, plain records out.

Hugging Face's doc-builder reads docstrings by their indentation: a line ``Args:`` opens
a section, the first line under it sets the indentation of its items, what stands deeper
belongs to the item above, and what stands less deep ends the section
(``doc_builder.convert_rst_to_mdx.parse_rst_docstring``). The same rules are followed
here, and a few that the docstrings of PEFT and transformers need besides:
``**Attributes**:`` with a bulleted list, ``Raises`` without its colon, named return
values, and code fences, in which nothing is a section.
"""

from __future__ import annotations

import re
import textwrap
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ..grammar.components import fence_end, indent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Kind(Enum):
    """What a section of a docstring is."""

    #: Markdown that belongs to no section.
    PROSE = "prose"
    #: A heading such as ``Example:``; what it heads is the prose that follows.
    RUBRIC = "rubric"
    #: ``Note:``, ``Warning:`` and their like.
    ADMONITION = "admonition"
    PARAMETERS = "parameters"
    #: Parameters under a title of their own, ``> Parameters that control the output``.
    GROUP = "group"
    ATTRIBUTES = "attributes"
    RETURNS = "returns"
    YIELDS = "yields"
    RAISES = "raises"
    WARNS = "warns"


class Item(NamedTuple):
    """One entry of a section: a parameter, a return value, an exception."""

    #: Empty for a return value without one.
    name: str = ""
    #: As it is written, without parentheses.
    type: str = ""
    #: The description, Markdown without indentation.
    text: str = ""
    #: The line of the docstring that it and its text start on, from 0.
    line: int = 0


class Section(NamedTuple):
    """One section of a docstring."""

    kind: Kind
    #: The heading's words, or the group's; for an admonition the name of its type
    #: (``note``).
    title: str = ""
    #: Markdown; empty where there are entries.
    text: str = ""
    items: tuple[Item, ...] = ()
    #: The line of the docstring that its text starts on, from 0.
    line: int = 0


#: Kind → the words that open such a section, in the singular.
_WORDS = {
    Kind.PARAMETERS: "arg, argument, param, parameter, keyword arg, keyword argument",
    Kind.RUBRIC: "example, reference, usage",
    Kind.ADMONITION: "attention, caution, danger, hint, important, note, tip, warning",
    Kind.ATTRIBUTES: "attribute",
    Kind.RETURNS: "return",
    Kind.YIELDS: "yield",
    Kind.RAISES: "raise",
    Kind.WARNS: "warn",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split(", ")}
_HEADER = re.compile(
    r"(?P<bold>\*\*)?(?P<word>[A-Z][a-z]+(?: [A-Za-z]+)?)(?P<rest> \([^()]*\))?"
    r"(?P<inner>:?)(?(bold)\*\*)(?P<outer>:{0,2})(?P<text>.*)"
)
#: The title of a group of parameters.
_GROUP = re.compile(r"> +(?!\[!)(?P<title>\S.*?):?")
_NAME = r"\*{0,2}[A-Za-z_][\w.]*"
_ITEM = re.compile(
    rf"(?:[-*+] +)?(?:\*\*(?=[^*]+\*\*)|\[?`+~?)?(?P<name>{_NAME}(?:\s*,\s*{_NAME})*)"
    r"(?:\*\*|`+(?:\](?:\(\S*\))?)?)?\s*(?:\((?P<type>.*?)\)\s*)?"
    r"(?P<mark>:+|--|$)\s*(?P<text>.*)"
)
_TYPE = re.compile(r"[~\w.*\s\[\](){},|`'\"]+")
#: The depth of a blank line, which ends no block, and of a line inside a code fence.
_BLANK, _FENCED = 10**6, 10**6 - 1
#: The depth of the docstring's end.
_END = -1


@lru_cache(maxsize=4096)
def split_docstring(text: str) -> tuple[Section, ...]:
    """Return the sections of a docstring in the order of its text.

    *text* has no common indentation, as ``inspect.cleandoc`` leaves it. None of it is
    lost: what has the form of no section is prose.
    """
    return _Splitter(text.expandtabs().splitlines()).split()


class _Splitter:
    """One pass over the lines of a docstring."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.depths = [indent_of(line) if line.strip() else _BLANK for line in lines]
        self.depths.append(_END)
        self.sections: list[Section] = []
        #: The first line that is in no section yet.
        self.start = 0
        position = 0
        while position < len(lines):
            end = max(fence_end(lines, position), position + 1)
            self.depths[position + 1 : end] = [_FENCED] * (end - position - 1)
            position = end

    def split(self) -> tuple[Section, ...]:
        position = 0
        while position < len(self.lines):
            header = self.header(position)
            end = self.section(header) if header else position
            position = max(end, position + 1)
        self.add(len(self.lines), len(self.lines))
        return tuple(self.sections)

    def add(self, start: int, end: int, *sections: Section) -> int:
        """Add sections, and as prose what is before them; return the line after."""
        if text := self.text(self.start, start):
            self.sections.append(Section(Kind.PROSE, text=text, line=self.start))
        self.sections.extend(sections)
        self.start = end
        return end

    def text(self, start: int, end: int) -> str:
        """Return lines without their common indentation."""
        return textwrap.dedent("\n".join(self.lines[start:end])).rstrip()

    def header(self, number: int) -> Section | None:
        """Return the section that a line opens, if it does.

        Its text is what follows the colon.
        """
        found = _HEADER.fullmatch(self.lines[number].strip())
        if found is None or self.depths[number] == _FENCED:
            return None
        has_colon = bool(found["inner"] + found["outer"])
        text, rest = found["text"].strip(), found["rest"] or ""
        singular = found["word"].lower().removesuffix("s")
        kind = _KINDS.get(singular)
        if kind is None:
            return None
        following = self.depths[self.filled(number + 1)]
        if kind is Kind.ADMONITION:
            begins = number == self.start or self.depths[number - 1] == _BLANK
            is_header = has_colon and begins and not rest
        elif kind is Kind.RUBRIC:
            is_header = has_colon and not text and following != _END
        else:
            is_deeper = following > self.depths[number]
            is_empty = text or rest or following == _END
            is_header = (has_colon or is_deeper) and not is_empty
        if not is_header:
            return None
        title = singular if kind is Kind.ADMONITION else found["word"] + rest
        return Section(kind, title, text, line=number)

    def section(self, header: Section) -> int:
        """Read the section that a header opens, and return the line after it.

        It is the header's own line if there is no section after all.
        """
        if header.kind is Kind.RUBRIC:
            return self.rubric(header)
        if header.kind is Kind.ADMONITION:
            return self.admonition(header)
        first = self.filled(header.line + 1)
        indent, outside = self.depths[first], self.depths[header.line]
        if indent < outside:
            return header.line
        if header.kind in {Kind.PARAMETERS, Kind.ATTRIBUTES}:
            end = self.until(first + 1, lambda line: self.ends_parameters(line, indent))
            parts = list(self.parts(header, first, end))
            return self.add(header.line, end, *parts) if parts[0].items else header.line
        # Without indentation, doc-builder reads on to the docstring's end; a paragraph
        # is what authors mean.
        is_block = indent > outside
        end = self.below(indent, first) if is_block else self.paragraph_end(first)
        has_names = header.kind in {Kind.RAISES, Kind.WARNS}
        items = (self.items if has_names else self.returned)(first, end)
        items = items or (Item(text=self.text(first, end), line=first),)
        return self.add(header.line, end, header._replace(items=items))

    def parts(self, header: Section, first: int, end: int) -> Iterator[Section]:
        """Yield what is in a section of parameters: entries, and groups of entries.

        There are no entries if the first line does not begin what it must.
        """
        level = [n for n in range(first, end) if self.depths[n] == self.depths[first]]
        titles = {line: title for line in level if (title := self.group(line, end))}
        for start, stop in pairwise([*sorted({first, *titles}), end]):
            part, entries = header, start
            if start in titles:
                part = Section(Kind.GROUP, titles[start], line=start)
                entries = self.filled(start + 1)
            yield part._replace(items=self.items(entries, stop))

    def group(self, number: int, end: int) -> str:
        """Return the title of a group of entries, if a line is one."""
        found = _GROUP.fullmatch(self.lines[number].strip())
        if found is None or self.lines[number - 1].lstrip().startswith(">"):
            return ""
        entry = self.filled(number + 1)
        return found["title"] if entry < end and self.item(entry) else ""

    def rubric(self, header: Section) -> int:
        start, indent = self.filled(header.line + 1), self.depths[header.line]
        opens_code = self.lines[header.line].rstrip().endswith("::")
        if not opens_code or self.depths[start] <= indent:
            return self.add(header.line, header.line + 1, header)
        end = self.below(indent + 1, start)
        code = f"````\n{self.text(start, end)}\n````"
        fenced = Section(Kind.PROSE, text=code, line=start - 1)
        return self.add(header.line, end, header, fenced)

    def admonition(self, header: Section) -> int:
        start, indent = header.line + 1, self.depths[header.line]
        end = self.paragraph_end(start if header.text else self.filled(start))
        if self.depths[self.filled(end)] > indent:
            end = self.below(indent + 1, end)
        text = f"{header.text}\n{self.text(start, end)}"
        if not text.strip():
            return header.line
        return self.add(header.line, end, header._replace(text=text))

    def ends_parameters(self, line: int, indent: int) -> bool:
        """Return whether a section of parameters ends before a line.

        It does where a line is less deep, or opens another section.
        """
        if self.depths[line] != indent:
            return self.depths[line] < indent
        header = self.header(line)
        return bool(header and header.kind not in {Kind.ADMONITION, Kind.RUBRIC})

    def items(self, first: int, end: int) -> tuple[Item, ...]:
        """Return entries, each from its first line to that of the next.

        There are none if the first line does not begin one.
        """
        depth = self.depths[first]
        level = [line for line in range(first, end) if self.depths[line] == depth]
        starts = [item for line in level if (item := self.item(line))]
        if not starts or starts[0].line != first:
            return ()
        stops = [*(item.line for item in starts[1:]), end]
        return tuple(map(self.complete, starts, stops))

    def item(self, number: int) -> Item | None:
        """Return the entry ``name (type): text`` that a line begins, if it does."""
        found = _ITEM.fullmatch(self.lines[number].strip())
        if found is None:
            return None
        written_type = found["type"] or ""
        heads_block = self.depths[number] < self.depths[number + 1] < _FENCED
        if not (found["mark"] or written_type or heads_block):
            return None
        name = re.sub(r"\s*,\s*", ", ", found["name"])
        return Item(name, written_type.strip(), found["text"], number)

    def returned(self, first: int, end: int) -> tuple[Item, ...]:
        """Return the values of a section: several with names, or one with its type."""
        named = self.items(first, end)
        if named and all(item.type for item in named):
            return named
        line = self.lines[first].strip()
        colon = next(top_level(line, ":"), len(line))
        head, rest = line[:colon].strip(), line[colon + 1 :].strip()
        is_code = line.startswith("`") and line.endswith("`")
        if not _is_type(head) or (colon == len(line) and not is_code):
            return ()
        return (self.complete(Item("", head, rest, first), end),)

    def complete(self, item: Item, stop: int) -> Item:
        """Return an entry with the rest of its description."""
        rest = self.text(item.line + 1, stop)
        return item._replace(text=f"{item.text}\n{rest}".rstrip())

    def until(self, start: int, ends: Callable[[int], bool]) -> int:
        """Return the first line from *start* on where *ends* holds."""
        return next(filter(ends, range(start, len(self.lines))), len(self.lines))

    def below(self, depth: int, start: int) -> int:
        return self.until(start, lambda line: self.depths[line] < depth)

    def filled(self, start: int) -> int:
        return self.below(_BLANK, start)

    def paragraph_end(self, start: int) -> int:
        return self.until(start, lambda line: self.depths[line] == _BLANK)


def top_level(text: str, mark: str) -> Iterator[int]:
    """Yield where a character is outside of code, strings and brackets."""
    depth, quote = 0, ""
    for position, character in enumerate(text):
        if quote or character in '`"':
            quote = "" if character == quote else quote or character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == mark and depth == 0 and not quote:
            yield position


def _is_type(head: str) -> bool:
    """Return whether the words before a colon are a type, not the start of a sentence.

    Two words side by side are a sentence, unless ``or``, ``of`` or ``and`` joins them.
    """
    joined = re.sub(r"\b(?:or|of|and)\b", ",", head)
    return bool(_TYPE.fullmatch(joined)) and not re.search(r"[~\w.*]\s+[~\w.*]", joined)
