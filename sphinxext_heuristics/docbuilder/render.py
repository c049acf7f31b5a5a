"""Markdown bodies to nodes, and the first paragraph to reStructuredText, both through MyST's parser."""

from __future__ import annotations

import ast
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

from docutils import nodes
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from myst_parser.parsers.mdit import create_md_parser
from pygments.lexers import get_lexer_by_name
from pygments.token import Error
from pygments.util import ClassNotFound

from sphinxext_heuristics.docbuilder.markdown import OBJECT_ROLE, to_myst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

#: What MyST reads as markup and Hugging Face's Markdown does not have.
_NOT_HUGGING_FACE = (
    "code",
    "footnote_def",
    "footnote_inline",
    "footnote_ref",
    "front_matter",
    "html_block",
    "html_inline",
    "myst_block_break",
    "myst_line_comment",
    "myst_target",
    "reference",
)
_PYTHON = frozenset({"default", "ipython", "py", "py3", "pycon", "pytb", "python", "python3"})

#: The first of a line, where reStructuredText would read more than text.
_ENUMERATED = re.compile(r"\(?(?:\w|[ivxlcdm]+|\d+)[.)]\s", re.IGNORECASE)
_MARK = re.compile(r"[*:](?=\s|$)|:[^:`]+:(?!`)|[^\w\s`*:\\]")

#: What docutils' smart quotes change; a NUL in front escapes it, as a backslash does in reStructuredText.
_EDUCATED = re.compile(r"['\"`]|--+|\.\.\.")


class BodyRenderer(SphinxRenderer):
    """MyST's renderer for a piece of text inside an API entry."""

    def render_text(self, token: SyntaxTreeNode) -> None:
        """Render text as it is: ``"all"`` in these docstrings is code, for which curly quotes are wrong."""
        escaped = _EDUCATED.sub(lambda match: "".join("\x00" + char for char in match[0]), token.content)
        self.current_node.append(nodes.Text(escaped))

    def render_fence(self, token: SyntaxTreeNode) -> None:
        """Render a code fence; its language is what its code can be read as."""
        code = token.content.rstrip("\n")
        info = token.info.strip()
        if info == "{math}":
            super().render_fence(token)
            return
        block = nodes.literal_block(code, code, language=language_of(info, code))
        self.add_line_and_source_path(block, token)
        self.current_node.append(block)

    def generate_heading_target(
        self, token: SyntaxTreeNode, level: int, node: nodes.Element, title_node: nodes.Element
    ) -> None:
        """Give a heading no name: the same docstring may stand on many pages, and many times on one."""


@lru_cache(maxsize=1024)
def language_of(info: str, code: str) -> str:
    """Choose the language that a code block is highlighted in.

    :param info: What stands behind the fence's opening, ``py`` for example; may be empty.
    :param code: The code.
    :returns: A Pygments lexer's name that reads the code without an error; ``text`` if there is none.
    """
    words = re.split(r"[\s{,]", info, maxsplit=1)
    name = words[0].lower()
    if re.search(r"^\s*>>> ?", code, re.MULTILINE) and (not name or name in _PYTHON):
        name = "pycon"
    elif not name:
        name = "python" if _is_python(code) else "text"
    return name if _lexes(name, code) else "text"


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def _lexes(name: str, code: str) -> bool:
    try:
        lexer = get_lexer_by_name(name)
    except ClassNotFound:
        return False
    return all(token is not Error for token, _ in lexer.get_tokens(code))


@cache
def _parser() -> MarkdownIt:
    config = MdParserConfig(
        all_links_external=True, enable_extensions={"colon_fence"}, disable_syntax=list(_NOT_HUGGING_FACE)
    )
    return create_md_parser(config, BodyRenderer)


@lru_cache(maxsize=1024)
def _myst(text: str) -> str:
    return to_myst(text)


def render_markdown(text: str, document: nodes.document, line: int) -> list[nodes.Node]:
    """Parse Hugging Face Markdown.

    :param text: The Markdown.
    :param document: The document that the nodes will be part of; nothing is added to it here.
    :param line: What the first line's number is, from 0; the nodes' ``line`` counts from there.
    :returns: The nodes, block level. Headings are rubrics.
    """
    parser = _parser()
    renderer = cast("BodyRenderer", parser.renderer)
    holder = nodes.container()
    holder.document = document
    renderer.setup_render({**parser.options, "document": document, "current_node": holder}, {})
    renderer.nested_render_text(_myst(text), line)
    children = list(holder.children)
    holder.clear()
    return children


def summary_as_rst(text: str) -> str | None:
    """Write one paragraph of Hugging Face Markdown in reStructuredText.

    :param text: The paragraph.
    :returns: The paragraph, as many lines as the text has; ``None`` if the text is not just one paragraph or has markup
        that reStructuredText cannot say.
    """
    tokens = _parser().parse(_myst(text))
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

    def role(self, token: Token) -> None:
        name = token.meta["name"]
        if self.open is not None:
            self.open.append(token.content.rpartition(".")[2] if name == OBJECT_ROLE else token.content)
        else:
            self.parts.append(_markup(f":{name}:`{token.content}`"))

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
        "myst_role": role,
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
