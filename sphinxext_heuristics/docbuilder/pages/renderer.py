"""Pages of a tree to nodes: headings, entries, links between pages, raw HTML."""

from __future__ import annotations

import re
from html import unescape
from posixpath import join
from typing import TYPE_CHECKING

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx import addnodes

from ..grammar import create_parser
from ..grammar.components import HTML, tags_apart
from ..grammar.inline import COMMENT
from ..objects import make_entry
from ..references import make_reference, page_link
from ..render import Renderer, line_of, plain_text, raw_html
from ..store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence
    from typing import Any

    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode
    from markdown_it.utils import OptionsDict
    from sphinx.environment import BuildEnvironment

    from ..trees import ToctreeEntry, TreePage

_OWN_ID = re.compile(r"\[\[([^\[\]]+)\]\]\s*$")
_TAG = re.compile(r"\s*</?([A-Za-z][\w-]*)")
#: The tag of a link, or of an image.
_ADDRESS = re.compile(
    r"""<a\b(?P<before>[^<>]*?)\shref\s*=\s*(?P<quote>["']?)(?P<href>[^"'<>]*?)(?P=quote)(?P<after>(?:\s[^<>]*|/)?>)"""
    r"""|<img\s(?:[^<>]*\s)?src\s*=\s*["']?(?P<src>[^"'<>\s]*)[^<>]*>"""
)


class PageParser(MystParser):
    """MyST's parser, but for the pages of ``docbuilder_trees``."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the text of a page into a document."""
        env: BuildEnvironment = document.settings.env
        page = DocbuilderDomain.of(env).site.pages.get(env.docname)
        if page is None:
            super().parse(inputstring, document)
            return
        parser = create_parser(PageRenderer, page=True)
        parser.options["document"] = document
        pairs = tags_apart(f"{inputstring}\n".splitlines())
        lines, origins = zip(*pairs, strict=True)
        parser.render("\n".join(lines) + "\n", {"page": page, "origins": origins})
        section = next(document.findall(nodes.section), document)
        section.extend(_toctrees(page.entries, env.docname))
        if not page.is_listed:
            env.metadata[env.docname]["orphan"] = "true"


class PageRenderer(Renderer):
    """The renderer for a page of a tree."""

    def setup_render(
        self, options: dict[str, Any], env: MutableMapping[str, Any]
    ) -> None:
        """Begin a page."""
        super().setup_render(options, env)
        self.page: TreePage = env["page"]
        self.docname = self.sphinx_env.docname
        # every build says it again
        self.faults = DocbuilderDomain.of(self.sphinx_env).notes[self.docname].faults
        #: The levels of the open headings as they are written.
        self.levels: list[int] = []
        self.headings: list[tuple[nodes.Element, str]] = []

    def render_heading(self, token: SyntaxTreeNode) -> None:
        """Render a heading; the first is the title, and no level is left out."""
        written = int(token.tag[1])
        if isinstance(self.current_node, nodes.document | nodes.section):
            while len(self.levels) > 1 and self.levels[-1] >= written:
                self.levels.pop()
            self.levels.append(written)
            token.to_tokens()[0].tag = f"h{len(self.levels)}"
        super().render_heading(token)

    def generate_heading_target(
        self,
        token: SyntaxTreeNode,
        level: int,
        node: nodes.Element,
        title_node: nodes.Element,
    ) -> None:
        """Note the id that doc-builder gives a heading."""
        own = _OWN_ID.search(token.children[0].content)
        if own and title_node.children:
            last = title_node.children[-1]
            title_node.replace(
                last, plain_text(_OWN_ID.sub("", last.astext()).rstrip())
            )
        parts = (part.content.strip() for part in token.walk() if not part.children)
        words = " ".join(filter(None, parts))
        self.headings.append((node, own[1].strip() if own else heading_id(words)))

    def render(
        self,
        tokens: Sequence[Token],
        options: OptionsDict,
        md_env: MutableMapping[str, Any],
    ) -> nodes.document:
        """Render a page, and give headings their ids when objects have theirs."""
        document = super().render(tokens, options, md_env)
        for node, wanted in self.headings:
            number, name = 0, wanted
            while not name or name in document.ids:
                number += 1
                name = f"{wanted or 'section'}-{number}"
            node["ids"].append(name)
            document.ids[name] = node
        return document

    def render_autodoc(self, token: SyntaxTreeNode) -> None:
        """Render ``[[autodoc]] X``."""
        messages: list[str] = []
        names = token.meta["names"]
        if len(names) > 1:
            messages.append(
                "several [[autodoc]] on one line, which doc-builder shows as text; "
                "give each its own line"
            )
        for name in names:
            made: list[nodes.Node] = [nodes.paragraph("", "", nodes.literal("", name))]
            try:
                made, problems = make_entry(
                    self.document,
                    self.page.package,
                    name,
                    token.meta["members"],
                    line_of(token),
                )
                messages += problems
            except LookupError:
                messages.append(
                    f"{self.page.package} has no object {name!r}; fix the name, or "
                    "remove the line"
                )
            except ImportError as error:
                # one warning of a failed import is enough for a page
                if not any(str(error) in fault.message for fault in self.faults):
                    messages.append(f"cannot show {name!r}: {error}")
            self.current_node.extend(made)
        if messages:
            self.warn("; ".join(messages), token, "autodoc")

    def render_link(self, token: SyntaxTreeNode) -> None:
        """Render a link: to an address, to a page, to an anchor."""
        link = page_link(
            self.page, self.docname, str(token.attrGet("href") or ""), line_of(token)
        )
        if link is None:
            super().render_link(token)
            return
        content = nodes.inline()
        with self.current_node_context(content):
            self.render_children(token)
        self._append(make_reference(self.docname, link, content), token)

    def render_image(self, token: SyntaxTreeNode) -> None:
        """Render an image; ``/imgs`` is a folder of the tree."""
        address = str(token.attrGet("src") or "")
        if address.startswith("/"):
            token.attrs["src"] = "/" + join(self.page.folder, address.lstrip("/"))
        super().render_image(token)

    def render_html_block(self, token: SyntaxTreeNode) -> None:
        """Render raw HTML; comments are for the authors."""
        text = COMMENT.sub("", token.content)
        if text.strip():
            self._add_html(text, line_of(token))

    def render_html_inline(self, token: SyntaxTreeNode) -> None:
        """Render a tag in a line; what is between two tags is Markdown."""
        tag = _TAG.match(token.content)
        name = tag[1].lower() if tag else ""
        if name == "br":
            self.render_hardbreak(token)
        elif name and name not in HTML:
            # what a reader puts something in for: <name>
            self.current_node.append(plain_text(token.content))
        else:
            self._add_html(token.content, line_of(token))

    def _add_html(self, html: str, first_line: int) -> None:
        """Add raw HTML; links to pages and images of the tree are nodes of their own.

        Sphinx completes them, as it does any other link and image.
        """
        start = 0
        for found in _ADDRESS.finditer(html):
            address = unescape(found["href"] or found["src"] or "#")
            line = first_line + html.count("\n", 0, found.start())
            link = page_link(self.page, self.docname, address, line)
            if link is None:
                continue
            self.current_node.append(raw_html(html[start : found.start()]))
            start = found.end()
            if found["src"] is None:
                tag = raw_html(f"<a{found['before']}{found['after']}")
                self.current_node.append(make_reference(self.docname, link, tag))
                continue
            self.nested_render_text(found[0], line - 1, inline=True)
        self.current_node.append(raw_html(html[start:]))


def heading_id(text: str) -> str:
    """Return the id that doc-builder gives a heading; *text* is without markup."""
    return re.sub(r"[^\w-]|_", "", re.sub(r"\s+", "-", text.strip().lower()))


def _toctrees(
    entries: Iterable[ToctreeEntry], docname: str
) -> Iterator[addnodes.toctree]:
    """Yield the toctrees of a page, one for each caption."""
    found: dict[str, list[tuple[str | None, str]]] = {}
    for entry in entries:
        shown = "self" if entry.docname == docname else entry.docname
        found.setdefault(entry.caption, []).append((entry.title or None, shown))
    for caption, pairs in found.items():
        yield addnodes.toctree(
            parent=docname,
            entries=pairs,
            includefiles=[name for _, name in pairs if name != "self"],
            maxdepth=-1,
            caption=caption or None,
            glob=False,
            hidden=True,
            titlesonly=True,
        )
