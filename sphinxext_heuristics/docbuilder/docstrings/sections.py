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
from enum import Enum
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics.docbuilder.grammar.blocks import fence_end, indent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Kind(Enum):
    """What a section of a docstring is."""

    PROSE = "prose"
    """Markdown that belongs to no section."""
    RUBRIC = "rubric"
    """A heading such as ``Example:``; what it heads is the prose that follows."""
    ADMONITION = "admonition"
    """``Note:``, ``Warning:`` and their like."""
    PARAMETERS = "parameters"
    ATTRIBUTES = "attributes"
    RETURNS = "returns"
    YIELDS = "yields"
    RAISES = "raises"
    WARNS = "warns"


class Item(NamedTuple):
    """One entry of a section: a parameter, a return value, an exception.

    Its name, empty for a return value without one; its type as it is written, without
    parentheses; its description, Markdown without indentation; the lines of the
    docstring that it and its description start on, from 0.
    """

    name: str = ""
    type: str = ""
    text: str = ""
    line: int = 0
    text_line: int = 0


class Section(NamedTuple):
    """One section of a docstring.

    What it is; the heading's words, for an admonition the name of its type (``note``);
    Markdown, or else entries; the line of the docstring that its text starts on, from
    0.
    """

    kind: Kind
    title: str = ""
    text: str = ""
    items: tuple[Item, ...] = ()
    line: int = 0


_KINDS = {
    **dict.fromkeys(
        ("arg", "argument", "param", "parameter", "keyword arg", "keyword argument"),
        Kind.PARAMETERS,
    ),
    **dict.fromkeys(("example", "reference", "usage"), Kind.RUBRIC),
    **dict.fromkeys(
        (
            "attention",
            "caution",
            "danger",
            "hint",
            "important",
            "note",
            "tip",
            "warning",
        ),
        Kind.ADMONITION,
    ),
    "attribute": Kind.ATTRIBUTES,
    "return": Kind.RETURNS,
    "yield": Kind.YIELDS,
    "raise": Kind.RAISES,
    "warn": Kind.WARNS,
}
_HEADER = re.compile(
    r"(?P<bold>\*\*)?(?P<word>[A-Z][a-z]+(?: [A-Za-z]+)?)(?P<rest> \([^()]*\))?"
    r"(?P<inner>:?)(?(bold)\*\*)(?P<outer>:{0,2})(?P<text>.*)"
)
_NAME = r"\*{0,2}[A-Za-z_][\w.]*"
_ITEM_NAME = re.compile(
    rf"(?:[-*+] +)?(?P<mark>\*\*|`)?(?P<name>{_NAME}(?:\s*,\s*{_NAME})*?)(?(mark)(?P=mark))(?=[\s:(]|$)\s*"
)
_ITEM_END = re.compile(r"\s*(?P<mark>:+|--|)\s*(?P<text>.*)")
_RAISE = re.compile(
    r"[-*+]?\s*\[?`*~?(?P<name>[A-Za-z_][\w.]*)`*\]?(?:\(\S*\))?\s*(?::|--|$)\s*(?P<text>.*)"
)
_TYPE = re.compile(r"[~\w.*\s\[\](){},|`'\"]+")
#: The depth of a blank line, which ends no block.
_BLANK = 10**6


@lru_cache(maxsize=4096)
def split_docstring(text: str) -> tuple[Section, ...]:
    """Split a docstring into its sections.

    :param text: The docstring, without common indentation (as ``inspect.cleandoc``
        leaves it).
    :returns: The sections in the order of the text; nothing of the text is lost. Text
        that has the form of no section is prose.
    """
    return _Splitter(text.expandtabs().splitlines()).split()


class _Splitter:
    """One pass over the lines of a docstring."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.depths = [indent_of(line) if line.strip() else _BLANK for line in lines]
        self.sections: list[Section] = []
        #: The first line that is in no section yet.
        self.start = 0

    def split(self) -> tuple[Section, ...]:
        position = 0
        while position < len(self.lines):
            header = self.header(position)
            end = self.section(header) if header else position
            position = max(end, fence_end(self.lines, position), position + 1)
        self.add(len(self.lines), len(self.lines))
        return tuple(self.sections)

    def add(self, start: int, end: int, *sections: Section) -> int:
        """Add sections, and what is before them as prose; give the line after them."""
        text, skipped = dedent(self.lines[self.start : start])
        if text:
            self.sections.append(
                Section(Kind.PROSE, text=text, line=self.start + skipped)
            )
        self.sections.extend(sections)
        self.start = end
        return end

    def header(self, number: int) -> Section | None:
        """Read a line as the opening of a section, if it is one: its text is what follows the colon."""
        found = _HEADER.fullmatch(self.lines[number].strip())
        if found is None:
            return None
        colons, text, rest = (
            found["inner"] + found["outer"],
            found["text"].strip(),
            found["rest"] or "",
        )
        singular = found["word"].lower().removesuffix("s")
        kind = _KINDS.get(singular, Kind.PROSE)
        following = self.filled(number + 1)
        if kind is Kind.ADMONITION and not rest:
            is_header = bool(colons) and (
                number == self.start or self.depths[number - 1] == _BLANK
            )
        elif (
            kind is Kind.PROSE
            or text
            or following == len(self.lines)
            or (rest and kind is not Kind.RUBRIC)
        ):
            is_header = False
        else:
            deeper = (
                kind is not Kind.RUBRIC and self.depths[following] > self.depths[number]
            )
            is_header = bool(colons) or deeper
        title = singular if kind is Kind.ADMONITION else found["word"] + rest
        return Section(kind, title, text, line=number) if is_header else None

    def section(self, header: Section) -> int:
        """Read the section that a header opens.

        :returns: The line after it; the header's if there is no section after all.
        """
        if header.kind is Kind.RUBRIC:
            return self.rubric(header)
        if header.kind is Kind.ADMONITION:
            return self.admonition(header)
        first = self.filled(header.line + 1)
        indent, outside = self.depths[first], self.depths[header.line]
        if indent < outside:
            return header.line
        if header.kind is Kind.PARAMETERS or header.kind is Kind.ATTRIBUTES:
            end = self.until(
                first,
                lambda line: (
                    line != first and self.ends_parameters(line, indent, outside)
                ),
            )
            items = self.items(first, end, self.item)
        else:
            # without indentation, doc-builder reads on to the docstring's end; a
            # paragraph is what authors mean
            end = (
                self.paragraph_end(first)
                if indent == outside
                else self.block_end(first, indent)
            )
            raised = header.kind is Kind.RAISES or header.kind is Kind.WARNS
            items = (
                self.items(first, end, self.raised)
                if raised
                else self.returned(first, end)
            )
            if not items:
                text, skipped = dedent(self.lines[first:end])
                items = (Item(text=text, line=first, text_line=first + skipped),)
        return (
            self.add(header.line, end, header._replace(items=items))
            if items
            else header.line
        )

    def rubric(self, header: Section) -> int:
        start, indent = self.filled(header.line + 1), self.depths[header.line]
        if (
            not self.lines[header.line].rstrip().endswith("::")
            or self.depths[start] <= indent
        ):
            return self.add(header.line, header.line + 1, header)
        end = self.block_end(start, indent + 1)
        code, _ = dedent(self.lines[start:end])
        return self.add(
            header.line,
            end,
            header,
            Section(Kind.PROSE, text=f"````\n{code}\n````", line=start - 1),
        )

    def admonition(self, header: Section) -> int:
        start = header.line if header.text else self.filled(header.line + 1)
        end = self.paragraph_end(start) if header.text else start
        following, indent = self.filled(end), self.depths[header.line]
        if following < len(self.lines) and self.depths[following] > indent:
            end = self.block_end(end, indent + 1)
        elif not header.text:
            end = self.paragraph_end(start)
        body, _ = dedent(self.lines[start + bool(header.text) : end])
        text = "\n".join(filter(None, (header.text, body)))
        return (
            self.add(header.line, end, header._replace(text=text, line=start))
            if text
            else header.line
        )

    def ends_parameters(self, line: int, indent: int, outside: int) -> bool:
        """Say whether a section of parameters ends before a line: it is less deep, or opens another section."""
        if self.depths[line] != indent:
            return self.depths[line] < indent
        found = self.header(line)
        if (
            found
            and found.kind is not Kind.ADMONITION
            and found.kind is not Kind.RUBRIC
        ):
            return True
        return (
            indent == outside
            and self.depths[line - 1] == _BLANK
            and self.item(line) is None
        )

    def items(
        self, first: int, end: int, read: Callable[[int], Item | None]
    ) -> tuple[Item, ...]:
        """Read entries, each from its first line to that of the next; none if the first line is none."""
        lines = [
            line
            for line in takewhile(lambda line: line < end, self.outside_fences(first))
            if self.depths[line] == self.depths[first]
        ]
        starts = [item for line in lines if (item := read(line))]
        if not starts or starts[0].line != first:
            return ()
        stops = [*(item.line for item in starts[1:]), end]
        return tuple(
            self.complete(item, stop) for item, stop in zip(starts, stops, strict=True)
        )

    def item(self, number: int) -> Item | None:
        """Read a line as the first of an entry ``name (type): text``, if it is one."""
        line = self.lines[number].strip()
        named = _ITEM_NAME.match(line)
        if named is None:
            return None
        rest, written_type = line[named.end() :], ""
        if rest.startswith("("):
            close = next(top_level(rest, ")"), -1)
            if close < 0:
                return None
            written_type, rest = rest[1:close].strip(), rest[close + 1 :]
        ending = _ITEM_END.fullmatch(rest)
        heads_block = (
            self.depths[number] < (self.depths[number + 1 :] or [0])[0] < _BLANK
        )
        if ending is None or (
            not ending["mark"] and (ending["text"] or not (written_type or heads_block))
        ):
            return None
        return Item(
            re.sub(r"\s*,\s*", ", ", named["name"]),
            written_type,
            ending["text"],
            number,
            number,
        )

    def raised(self, number: int) -> Item | None:
        """Read a line as the first of an entry ``Error: text``, if it is one."""
        found = _RAISE.fullmatch(self.lines[number].strip())
        return Item(found["name"], "", found["text"], number, number) if found else None

    def returned(self, first: int, end: int) -> tuple[Item, ...]:
        """Read return values: several like parameters, ``name (type)``, or one with its type."""
        named = self.items(first, end, self.item)
        if named and all(item.type for item in named):
            return named
        line = self.lines[first].strip()
        colon = next(top_level(line, ":"), -1)
        head, rest = (
            (line, "")
            if colon < 0
            else (line[:colon].strip(), line[colon + 1 :].strip())
        )
        if not _is_type(head) or (
            colon < 0 and not (line.startswith("`") and line.endswith("`"))
        ):
            return ()
        return (self.complete(Item("", head, rest, first, first), end),)

    def complete(self, item: Item, stop: int) -> Item:
        """Give an entry the rest of its description."""
        body, skipped = dedent(self.lines[item.line + 1 : stop])
        if not item.text:
            return item._replace(
                text=body, text_line=item.line + 1 + skipped if body else item.line
            )
        return item._replace(
            text=item.text + ("\n" + "\n" * skipped + body if body else "")
        )

    def outside_fences(self, number: int) -> Iterator[int]:
        """Give the lines from *number* on; of a code fence, the first."""
        while number < len(self.lines):
            yield number
            number = max(fence_end(self.lines, number), number + 1)

    def until(self, start: int, ends: Callable[[int], bool]) -> int:
        """Find the first line from *start* on, code fences aside, before which something ends."""
        return next(
            (line for line in self.outside_fences(start) if ends(line)), len(self.lines)
        )

    def filled(self, start: int) -> int:
        return self.until(start, lambda line: self.depths[line] < _BLANK)

    def paragraph_end(self, start: int) -> int:
        return self.until(start, lambda line: self.depths[line] == _BLANK)

    def block_end(self, start: int, indent: int) -> int:
        return self.until(start, lambda line: self.depths[line] < indent)


def dedent(lines: Sequence[str]) -> tuple[str, int]:
    """Take the common indentation away, and blank lines at both ends.

    :returns: The text, and how many lines were dropped before it.
    """
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if not filled:
        return "", 0
    indent = min(indent_of(lines[number]) for number in filled)
    return "\n".join(
        line[indent:].rstrip() for line in lines[filled[0] : filled[-1] + 1]
    ), filled[0]


def top_level(text: str, mark: str) -> Iterator[int]:
    """Find a character where it stands neither in code nor in a string nor in brackets.

    :param text: The text.
    :param mark: The character; a closing parenthesis is found where it closes the first
        that is open, code or not: authors forget backticks and brackets.
    """
    depth, quote = 0, ""
    opening, closing, quotes = ("(", ")", "") if mark == ")" else ("([{", ")]}", '`"')
    for position, character in enumerate(text):
        if quote or character in quotes:
            quote = "" if character == quote else quote or character
        else:
            depth += (character in opening) - (character in closing)
        if character == mark and depth == 0 and not quote:
            yield position


def _is_type(head: str) -> bool:
    """Say whether the words before a colon are a type and not the start of a sentence.

    Two words side by side are a sentence, unless ``or``, ``of`` or ``and`` joins them.
    """
    joined = re.sub(r"\b(?:or|of|and)\b", ",", head)
    return bool(_TYPE.fullmatch(joined)) and not re.search(r"[~\w.*]\s+[~\w.*]", joined)
