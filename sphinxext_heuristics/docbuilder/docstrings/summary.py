"""The first paragraph of a docstring in reStructuredText, for what reads summaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.docstrings.markdown import docstring_parser
from sphinxext_heuristics.docbuilder.docstrings.unindent import unindent
from sphinxext_heuristics.docbuilder.references import OBJECT_ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

#: The first of a line, where reStructuredText would read more than text.
_ENUMERATED = re.compile(r"\(?(?:\w|[ivxlcdm]+|\d+)[.)]\s", re.IGNORECASE)
_MARK = re.compile(r"[*:](?=\s|$)|:[^:`]+:(?!`)|[^\w\s`*:\\]")


def summary_as_rst(text: str) -> str | None:
    """Write one paragraph of Hugging Face Markdown in reStructuredText.

    :param text: The paragraph.
    :returns: The paragraph, as many lines as the text has; ``None`` if the text is not just one paragraph or has markup
        that reStructuredText cannot say.
    """
    tokens = docstring_parser().parse(unindent(text).text)
    if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    return _RstWriter().write(tokens[1].children or [])


class _RstWriter:
    """Inline tokens to reStructuredText."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        #: The text of an open link, emphasis or strong emphasis: reStructuredText nests no markup.
        self.open: list[str] | None = None

    def write(self, tokens: Sequence[Token]) -> str | None:
        for token in tokens:
            handler = self.HANDLERS.get(token.type)
            if handler is None or (self.open is not None and token.type.endswith("_open")):
                return None
            handler(self, token)
        lines = "".join(self.parts).split("\n")
        return "\n".join(_escape_line_start(line.strip()) for line in lines)

    def text(self, token: Token) -> None:
        if self.open is None:
            self.parts.append(_escape(token.content))
        else:
            self.open.append(token.content)

    def line_break(self, _: Token) -> None:
        (self.parts if self.open is None else self.open).append("\n")

    def code(self, token: Token) -> None:
        content = " ".join(token.content.split())
        if self.open is not None:
            self.open.append(content)
        elif content.startswith("`") or content.endswith(("`", "\\")) or "``" in content:
            self.parts.append(_markup(f":literal:`{_escape(content)}`"))
        else:
            self.parts.append(_markup(f"``{content}``"))

    def link(self, token: Token) -> None:
        target = token.content
        if self.open is not None:
            self.open.append(target.rpartition(".")[2])
        else:
            self.parts.append(_markup(f":{OBJECT_ROLE}:`{target}`"))

    def math(self, token: Token) -> None:
        if self.open is not None:
            self.open.append(token.content)
        else:
            self.parts.append(_markup(f":math:`{token.content}`"))

    def start(self, _: Token) -> None:
        self.open = []

    def end(self, token: Token) -> None:
        text = _escape("".join(self.open or []).strip())
        self.open = None
        mark = "**" if token.type == "strong_close" else "*"
        if text:
            self.parts.append(_markup(mark + text + mark))

    def link_start(self, token: Token) -> None:
        self.open = []
        self.target = str(token.attrs["href"])

    def link_end(self, _: Token) -> None:
        text = _escape(" ".join("".join(self.open or []).split())).replace("<", "\\<")
        self.open = None
        target = self.target.replace("_", "\\_").replace(">", "%3E").replace("`", "%60")
        self.parts.append(_markup(f"`{text or target} <{target}>`__"))

    HANDLERS: dict[str, Callable[[_RstWriter, Token], None]] = {  # noqa: RUF012 - a table, never changed
        "text": text,
        "text_special": text,
        "softbreak": line_break,
        "hardbreak": line_break,
        "code_inline": code,
        "object_link": link,
        "math_inline": math,
        "em_open": start,
        "em_close": end,
        "strong_open": start,
        "strong_close": end,
        "link_open": link_start,
        "link_close": link_end,
    }


def _markup(text: str) -> str:
    """Set markup off from what stands beside it: an escaped blank vanishes in the output."""
    return f"\\ {text}\\ "


def _escape(text: str) -> str:
    """Escape what reStructuredText would read as inline markup."""
    return re.sub(r"([\\*`|'\"]|_(?!\w)|::|--+|\.\.\.)", lambda match: "".join("\\" + char for char in match[1]), text)


def _escape_line_start(line: str) -> str:
    r"""Escape a line that reStructuredText would read as a list item, a directive or the underline of a title.

    Also drop the escaped blanks at both ends, which separate markup from nothing.
    """
    line = line.removeprefix("\\ ").removesuffix("\\")
    if _ENUMERATED.match(line) or _MARK.match(line):
        return "\\" + line
    return line
