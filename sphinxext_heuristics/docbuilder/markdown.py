r"""Hugging Face's Markdown to the Markdown that MyST reads: text in, text out.

What doc-builder understands and CommonMark does not is rewritten here: indentation that means nothing, doctests
without a fence, ``<Tip>`` blocks, ``> [!TIP]`` alerts, links to objects (``[`X`]``), mathematics in ``\\( … \\)``,
HTML links and bare addresses. Code, in fences and between backticks, is left as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.docstring import fence_end, indent_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: The role that a link to an object becomes; `references` registers it.
OBJECT_ROLE = "docbuilder"

_LIST_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)]) +(?=\S)")
_BLOCK_MARK = re.compile(r"(?:[-*+>]|#{1,6}|\d{1,9}[.)]) |[=-]+$")
_DOCTEST = re.compile(r">>> ?")
_ALERT = re.compile(r"> ?\[!(?P<type>[A-Za-z]+)\] *(?P<folded>> ?)?(?P<text>.*)")
_ALERT_TYPES = frozenset({"note", "tip", "important", "warning", "caution"})
_TIP_OPEN = re.compile(r"<Tip(?P<options>[^<>]*)>(?P<text>.*)")
_TIP_CLOSE = "</Tip>"
_LAYOUT_TAG = re.compile(r"</?(?:hfoptions?|frameworkcontent|pt|tf|jax|small|div|br|Youtube)\b[^<>]*>")
_HUB = "https://huggingface.co"

_INLINE = re.compile(
    r"""
      (?<![\w`\]])\[`(?P<object>~?[A-Za-z_][\w.]*)(?:\(\))?`\](?![(\[])
    | :(?:py:)?(?:class|func|meth|obj|mod|attr|data|exc):`(?P<role>[^`<]+)`
    | :math:`(?P<rstmath>[^`]+)`
    | (?P<ticks>`+)(?P<code>[^`](?:.*?[^`])??)(?P=ticks)(?!`)
    | (?P<image>!\[[^\]]*\]\([^()\s]*\))
    | \[(?P<text>[^\[\]]+)\]\((?P<target>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)
    | <a\s[^>]*?href=(?P<quote>['"])(?P<href>.*?)(?P=quote)[^>]*>(?P<label>.*?)</a>
    | <(?P<auto>https?://[^<>\s]+)>
    | (?P<url>https?://[^\s<>()\[\]`*'"]+(?:\([^\s<>()]*\)[^\s<>()\[\]`*'"]*)*)
    | \\{1,2}\((?P<math>.+?)\\{1,2}\)
    | (?<![\w$\\])\$(?P<dollar>[^\s$`'"](?:[^$`'"]*[^\s$`'"\\])?)\$(?![\w$])
    | (?P<dunder>(?<!\w)__\w+__(?!\w))
    | (?P<star>(?<=\w)\*(?=\w))
    | (?P<brace>\{[\w:.+-]+\}(?=`))
    """,
    re.VERBOSE | re.DOTALL,
)


def to_myst(text: str) -> str:
    """Rewrite Hugging Face Markdown as MyST Markdown.

    :param text: Markdown as doc-builder reads it. Its indentation counts in lists and in code only.
    :returns: Markdown for MyST with the extension ``colon_fence``.
    """
    output = _Output()
    blocks = _Blocks(text.splitlines(), output)
    blocks.convert()
    return "\n".join(output.lines)


def convert_inline(text: str) -> str:
    """Rewrite the inline markup of one paragraph.

    :param text: The paragraph, without code fences; it may have several lines.
    :returns: The paragraph in MyST Markdown.
    """
    return _INLINE.sub(_convert_match, text)


def _in_code(text: str) -> bool:
    """Say whether a paragraph that begins with a text stands in code where the text ends."""
    return "`" in re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text, flags=re.DOTALL)


def _convert_match(match: re.Match[str]) -> str:
    for group, convert in _CONVERSIONS:
        if match[group] is not None:
            return convert(match)
    return match[0]


def _object(match: re.Match[str]) -> str:
    return f"{{{OBJECT_ROLE}}}`{match['object']}`"


def _rst_role(match: re.Match[str]) -> str:
    return f"{{{OBJECT_ROLE}}}`{match['role'].strip()}`"


def _math(text: str) -> str:
    return f"{{math}}`{' '.join(text.split())}`"


def _link(match: re.Match[str]) -> str:
    text = convert_inline(match["text"])
    target = match["target"]
    if target.startswith("/docs/"):
        target = _HUB + target
    # a relative link leads to a page of the other site
    return f"[{text}](<{target}>)" if re.match(r"(?:https?|mailto):", target) else text


def _html_link(match: re.Match[str]) -> str:
    text = " ".join(convert_inline(match["label"]).split())
    return f"[{text}](<{match['href'].strip()}>)"


def _address(match: re.Match[str]) -> str:
    url = match["url"].rstrip(".,;:!?")
    return f"<{url}>{match['url'][len(url) :]}"


_CONVERSIONS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    ("object", _object),
    ("role", _rst_role),
    ("rstmath", lambda match: _math(match["rstmath"])),
    ("target", _link),
    ("href", _html_link),
    ("url", _address),
    ("math", lambda match: _math(match["math"])),
    ("dollar", lambda match: _math(match["dollar"])),
    ("dunder", lambda match: match["dunder"].replace("_", r"\_")),
    ("star", lambda _: r"\*"),
    ("brace", lambda match: "\\" + match["brace"]),
)


@dataclass(slots=True)
class _Output:
    """The lines written so far."""

    lines: list[str] = field(default_factory=list)

    def blank(self) -> None:
        """End the paragraph."""
        if self.lines and self.lines[-1].strip():
            self.lines.append("")

    def block(self, indent: int, lines: list[str]) -> None:
        """Write lines that stand on their own."""
        self.blank()
        self.lines.extend(" " * indent + line if line else "" for line in lines)
        self.lines.append("")


@dataclass(slots=True)
class _Blocks:
    """One pass over the lines of a text, block by block."""

    source: list[str]
    output: _Output
    #: For each open list item, outermost first: the source's column of its mark, the output's column of its content.
    items: list[tuple[int, int]] = field(default_factory=list)
    position: int = 0
    #: The indentation of the line before in the source, -1 at a paragraph's start.
    last_indent: int = -1

    def convert(self) -> None:
        while self.position < len(self.source):
            line = self.source[self.position]
            if not line.strip():
                self.output.blank()
                self.last_indent = -1
                self.position += 1
            elif not self._special(line):
                self._paragraph()

    def _special(self, line: str) -> bool:
        """Write a block that is more than a paragraph, if one starts here."""
        end = fence_end(self.source, self.position)
        if end > self.position:
            self._fence(end)
            return True
        stripped = line.strip()
        if _DOCTEST.match(stripped):
            self._doctest()
        elif alert := _ALERT.match(stripped):
            self._alert(alert)
        elif tip := _TIP_OPEN.match(stripped):
            self._tip(tip)
        elif stripped.startswith("$$"):
            self._display_math()
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

    def _fence(self, end: int) -> None:
        opening = self.source[self.position]
        indent = indent_of(opening)
        column = self._column(indent)
        lines = [opening.strip()]
        lines += [line[min(indent, indent_of(line)) :] for line in self.source[self.position + 1 : end]]
        self.output.block(column, [line.rstrip() for line in lines])
        self.position = end
        self.last_indent = -1

    def _doctest(self) -> None:
        start = self.position
        indent = indent_of(self.source[start])
        column = self._column(indent)
        while self.position < len(self.source) and self.source[self.position].strip():
            self.position += 1
        code = [line[min(indent, indent_of(line)) :] for line in self.source[start : self.position]]
        self.output.block(column, ["```pycon", *code, "```"])

    def _alert(self, opening: re.Match[str]) -> None:
        indent = indent_of(self.source[self.position])
        column = self._column(indent)
        lines = [opening["text"]]
        self.position += 1
        while self.position < len(self.source) and (line := self.source[self.position].strip()):
            lines.append(re.sub(r"^> ?", "", line))
            self.position += 1
        body = "\n".join(lines).strip("\n")
        if opening["folded"]:
            # a formatter has folded the lines of the quotation into one, marks included
            body = re.sub(r"(?<=\s)> ", "", body)
        kind = opening["type"].lower()
        self._admonition(column, kind if kind in _ALERT_TYPES else "note", body)

    def _tip(self, opening: re.Match[str]) -> None:
        column = self._column(indent_of(self.source[self.position]))
        lines = [opening["text"]]
        while _TIP_CLOSE not in lines[-1] and self.position + 1 < len(self.source):
            self.position += 1
            lines.append(self.source[self.position])
        self.position += 1
        body = "\n".join(lines).partition(_TIP_CLOSE)[0]
        self._admonition(column, "warning" if "warning" in opening["options"] else "tip", body)

    def _admonition(self, column: int, kind: str, body: str) -> None:
        inner = to_myst(body).strip("\n").splitlines()
        longest = max((len(mark) for mark in re.findall(r"^ *(:{3,})", "\n".join(inner), re.MULTILINE)), default=2)
        fence = ":" * (longest + 1)
        self.output.block(column, [f"{fence}{{{kind}}}", *inner, fence])

    def _display_math(self) -> None:
        column = self._column(indent_of(self.source[self.position]))
        text = self.source[self.position].strip()[2:]
        while "$$" not in text and self.position + 1 < len(self.source):
            self.position += 1
            text += "\n" + self.source[self.position].strip()
        self.position += 1
        formula, _, rest = text.partition("$$")
        self.output.block(column, ["```{math}", *formula.strip().splitlines(), "```"])
        if rest.strip():
            self.output.lines.append(" " * column + convert_inline(rest.strip()))

    def _paragraph(self) -> None:
        """Write the lines up to the next blank line or block, their inline markup converted together."""
        unit: list[str] = []
        while self.position < len(self.source):
            line = self.source[self.position]
            if unit and (not line.strip() or self._starts_block(line.strip())):
                break
            unit = self._add_line(_LAYOUT_TAG.sub("", line).strip(), indent_of(line), unit)
            self.last_indent = indent_of(line)
            self.position += 1
        self._write(unit)

    def _add_line(self, text: str, indent: int, unit: list[str]) -> list[str]:
        """Add a line to the lines that belong together.

        :returns: The lines that belong together with this one; those that do not have been written.
        """
        if unit and "`" in text and _BLOCK_MARK.match(text) and _in_code("\n".join(unit)):
            # a formatter has wrapped the line inside code, where `* b` is no list item
            return [*unit[:-1], f"{unit[-1]} {text}"]
        open_items = len(self.items)
        column = self._column(indent)
        mark = _LIST_ITEM.match(text)
        if unit and self._starts_paragraph(mark, indent, open_items):
            self._write([*unit, ""])
            unit = []
        if mark:
            self._write(unit)
            unit = []
            self.items.append((indent, column + mark.end()))
        return [*unit, " " * column + text]

    def _write(self, unit: list[str]) -> None:
        """Write lines whose inline markup may reach from one to the next."""
        if unit:
            self.output.lines.extend(convert_inline("\n".join(unit)).split("\n"))

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
            or bool(_DOCTEST.match(stripped))
            or bool(_ALERT.match(stripped))
            or bool(_TIP_OPEN.match(stripped))
            or stripped.startswith("$$")
        )
