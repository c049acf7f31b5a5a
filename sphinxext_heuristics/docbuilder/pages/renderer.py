"""The renderer for pages: headings, entries, links between pages, raw HTML."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics.docbuilder.objects import ImportFailedError
from sphinxext_heuristics.docbuilder.pages.entries import EntryMaker
from sphinxext_heuristics.docbuilder.pages.html import TAGS, HtmlReader
from sphinxext_heuristics.docbuilder.pages.links import page_reference
from sphinxext_heuristics.docbuilder.render import Renderer, line_of, plain_text
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Fault, Link

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from markdown_it.tree import SyntaxTreeNode

    from sphinxext_heuristics.docbuilder.tree import Tree

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_SUFFIX = re.compile(r"\.(?:mdx?|html)$")
_OWN_ID = re.compile(r"\[\[([^\[\]]+)\]\]\s*$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
#: What a reader puts something in for: it is text for doc-builder, too.
_PLACEHOLDER = re.compile(r"<[a-z][\w-]*>")
_TAG = re.compile(r"\s*</?([A-Za-z][\w-]*)")


class PageRenderer(Renderer):
    """The renderer for a page of a tree."""

    def setup_render(self, options: dict[str, Any], env: MutableMapping[str, Any]) -> None:
        """Begin a page."""
        super().setup_render(options, env)
        self.tree: Tree = env["tree"]
        self.store = DocbuilderDomain.of(self.sphinx_env)
        self.entries = EntryMaker(self.sphinx_env, self.document, self.tree.package)
        #: The open headings: the level as it is written, and the level of the section.
        self.levels: list[tuple[int, int]] = []
        self.headings: list[tuple[nodes.Element, str]] = []
        #: Failed imports that a warning has told of: one is enough for a page.
        self.told: set[str] = set()

    def warn(self, message: str, token: SyntaxTreeNode, subtype: str = "markup") -> None:
        """Note what is wrong; every build says it again."""
        fault = Fault(line_of(token), message, subtype)
        self.store.note(self.sphinx_env.docname).faults.append(fault)

    def render_heading(self, token: SyntaxTreeNode) -> None:
        """Render a heading; the first is the title, and below it no level is left out."""
        written = int(token.tag[1])
        if isinstance(self.current_node, nodes.document | nodes.section):
            while len(self.levels) > 1 and self.levels[-1][0] >= written:
                self.levels.pop()
            level = self.levels[-1][1] + 1 if self.levels else 1
            self.levels.append((written, level))
            self._heading_offset = level - written
        super().render_heading(token)
        self._heading_offset = 0

    def generate_heading_target(
        self, token: SyntaxTreeNode, level: int, node: nodes.Element, title_node: nodes.Element
    ) -> None:
        """Note the id that doc-builder gives a heading; objects take theirs first."""
        text = token.children[0].content if token.children else ""
        own = _OWN_ID.search(text)
        if own:
            last = title_node.children[-1]
            title_node.replace(last, plain_text(_OWN_ID.sub("", last.astext()).rstrip()))
        words = " ".join(filter(None, (part.content.strip() for part in token.walk() if not part.children)))
        self.headings.append((node, own[1].strip() if own else heading_id(_OWN_ID.sub("", words))))

    def _render_finalise(self) -> None:
        super()._render_finalise()
        for node, wanted in self.headings:
            number, name = 0, wanted
            while not name or name in self.document.ids:
                number += 1
                name = f"{wanted or 'section'}-{number}"
            node["ids"].append(name)
            self.document.ids[name] = node

    def render_autodoc(self, token: SyntaxTreeNode) -> None:
        """Render ``[[autodoc]] X``."""
        line = token.map[0] if token.map else 1
        messages = [token.meta["problem"]] if token.meta["problem"] else []
        for name in token.meta["names"]:
            try:
                self.current_node.extend(self.entries.make(name, token.meta["members"], line))
                continue
            except LookupError:
                messages.append(f"{self.tree.package} has no object {name!r}; fix the name, or remove the line")
            except ImportFailedError as error:
                if str(error) not in self.told:
                    messages.append(f"cannot show {name!r}: {error}")
                self.told.add(str(error))
            self.current_node.append(nodes.paragraph("", "", nodes.literal("", name)))
        messages += self.entries.problems
        self.entries.problems.clear()
        if messages:
            self.warn("; ".join(messages), token, "autodoc")

    def look_up(self, target: str, token: SyntaxTreeNode) -> tuple[str, bool]:
        """Find an object by doc-builder's walk."""
        try:
            found = self.entries.find(target)
        except ImportFailedError:
            found = None
        return (found.name, found.called or token.meta["called"]) if found else ("", token.meta["called"])

    def render_link(self, token: SyntaxTreeNode) -> None:
        """Render a link: to an address, to a page, to an anchor."""
        content = nodes.inline()
        node = self._page_link(str(token.attrGet("href") or ""), content, line_of(token))
        if node is None:
            super().render_link(token)
            return
        with self.current_node_context(content):
            self.render_children(token)
        self._append(node, token)

    def _page_link(self, address: str, content: nodes.Element, line: int) -> nodes.Element | None:
        """Make a link within the documentation; ``None`` if the address leads elsewhere."""
        if _SCHEME.match(address) or address.startswith("/docs/"):
            return None
        path, _, anchor = address.partition("#")
        path = unquote(path.partition("?")[0])
        docname = here = self.sphinx_env.docname
        if path:
            start = self.tree.folder if path.startswith("/") else dirname(here)
            docname = normpath(join(start, path.lstrip("/")))
            file = self.sphinx_env.srcdir / docname
            if docname not in self.sphinx_env.found_docs and file.is_file() and not _SUFFIX.search(path):
                return addnodes.download_reference("", "", content, reftarget=f"/{docname}", refdoc=here)
            docname = _SUFFIX.sub("", docname)
        return page_reference(here, Link(line, address, docname, unquote(anchor)), content)

    def render_image(self, token: SyntaxTreeNode) -> None:
        """Render an image; ``/imgs`` is a folder of the tree."""
        token.attrs["src"] = self._image(str(token.attrGet("src") or ""))
        super().render_image(token)
        image = self.current_node.children[-1]
        if token.content and not token.children and isinstance(image, nodes.image):
            image["alt"] = unescape(token.content)

    def _image(self, address: str) -> str:
        return f"/{join(self.tree.folder, address.lstrip('/'))}" if address.startswith("/") else address

    def render_html_block(self, token: SyntaxTreeNode) -> None:
        """Render raw HTML; comments are for the authors."""
        text = _COMMENT.sub("", token.content)
        tag = _TAG.match(text)
        if not text.strip():
            return
        if tag and tag[1].lower() not in TAGS:
            self.warn(f"unknown component <{tag[1]}>; its text is shown", token)
            self.current_node.append(nodes.paragraph("", "", plain_text(text.strip())))
            return
        line = line_of(token)
        node = HtmlReader(lambda address, content: self._page_link(address, content, line), self._image).read(text)
        self._append(node, token)

    def render_html_inline(self, token: SyntaxTreeNode) -> None:
        """Render a tag in a line; what is between two tags is Markdown."""
        tag = _TAG.match(token.content)
        if tag and tag[1].lower() == "br":
            self.render_hardbreak(token)
        elif _PLACEHOLDER.fullmatch(token.content) and tag and tag[1] not in TAGS:
            self.current_node.append(plain_text(token.content))
        elif tag and tag[1].lower() not in TAGS:
            self.render_unknown(token)
        elif tag:
            self.current_node.append(nodes.raw("", token.content, format="html"))

    def render_s(self, token: SyntaxTreeNode) -> None:
        """Render text that is struck out."""
        self.current_node.append(nodes.raw("", "<s>", format="html"))
        self.render_children(token)
        self.current_node.append(nodes.raw("", "</s>", format="html"))


def heading_id(text: str) -> str:
    """Give the id of a heading as doc-builder makes it.

    :param text: The heading, without markup.
    """
    joined = re.sub(r"\s+", "-", text.strip().lower())
    return "".join(char for char in joined if char == "-" or unicodedata.category(char)[0] in "LN")
