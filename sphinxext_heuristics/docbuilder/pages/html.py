"""Raw HTML in pages: as it is in HTML, its links and images as nodes elsewhere."""

from __future__ import annotations

import posixpath
import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.osutil import relative_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

_ELEMENTS = """
a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption center cite code col
colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3
h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link main map mark menu meta meter nav
noscript object ol optgroup option output p param picture pre progress q rp rt ruby s samp script section select slot
small source span strike strong style sub summary sup svg path table tbody td template textarea tfoot th thead time
title tr track tt u ul var video wbr youtube
"""
#: HTML's elements, and the component that may be inside; doc-builder shows other tags as text.
TAGS = frozenset(_ELEMENTS.split())
_BLOCKS = frozenset({"div", "p", "li", "ul", "ol", "table", "tr", "figure", "figcaption", "details", "summary", "br"})
_FRAMES = frozenset({"iframe", "video", "audio", "embed"})
_VIDEO = (
    '<iframe width="560" height="315" src="https://www.youtube-nocookie.com/embed/{}" title="YouTube video player" '
    'frameborder="0" allowfullscreen></iframe>'
)


#: A tag that depends on the builder: the slot of its node, the tag.
_MARKED = re.compile("\0([0-9]+)\0([^\0]*)\0")


class html_part(nodes.General, nodes.Element):  # noqa: N801 - docutils' nodes are in small letters
    """Raw HTML, and as its children what other builders show.

    Its ``html`` has NULs around each tag with an address that depends on the builder, and before it the ``slot`` of the
    child that knows the address.
    """


class HtmlReader(HTMLParser):
    """Reads HTML once: into the text of an `html_part` and into its children.

    :param link: Makes the node of a link within the documentation from an address and what is shown; ``None`` if the
        address leads elsewhere.
    :param image: Gives the address that Sphinx knows an image by.
    """

    def __init__(self, link: Callable[[str, nodes.Element], nodes.Node | None], image: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=False)
        self.link = link
        self.image = image
        self.html = ""
        self.slots = 0
        self.children: list[nodes.Node] = []
        self.anchors: list[str] = []
        self.paragraph = nodes.paragraph()
        #: The open links: what is shown, and the node around it.
        self.links: list[tuple[nodes.inline, nodes.inline]] = []

    def read(self, text: str) -> html_part:
        """Read a piece of HTML."""
        self.feed(text)
        self.close()
        while self.links:
            self._end_link()
        self._flush()
        return html_part("", *self.children, html=self.html, anchors=self.anchors)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag; that of a link or an image may depend on the builder."""
        given = {name: value or "" for name, value in attrs}
        raw = self.get_starttag_text() or ""
        self.anchors += [given[name] for name in ("id", "name") if given.get(name)]
        if tag in _BLOCKS:
            self._flush()
        if tag == "a" and "href" in given:
            self._start_link(given["href"], raw)
        elif tag == "img" and given.get("src"):
            self._image(given, raw)
        elif tag == "youtube":
            self.html += _VIDEO.format(escape(given.get("id", "")))
            self._frame(f"https://www.youtube.com/watch?v={given.get('id', '')}")
        else:
            if tag in _FRAMES and given.get("src"):
                self._frame(given["src"])
            self.html += raw

    def handle_endtag(self, tag: str) -> None:
        """Take a closing tag."""
        if tag in _BLOCKS:
            self._flush()
        if tag == "a" and self.links:
            self._end_link()
        elif tag != "youtube":
            self.html += f"</{tag}>"

    def handle_data(self, data: str) -> None:
        """Take text."""
        self._text(data, data)

    def handle_entityref(self, name: str) -> None:
        """Take a character by its name, or by its number with ``#`` in front."""
        self._text(f"&{name};", unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        """Take a character by its number."""
        self.handle_entityref(f"#{name}")

    def _text(self, raw: str, text: str) -> None:
        self.html += raw
        target: nodes.TextElement = self.links[-1][0] if self.links else self.paragraph
        if text.strip():
            lead = " " if text[0].isspace() and target.children else ""
            target.append(nodes.Text(lead + " ".join(text.split()) + (" " if text[-1].isspace() else "")))

    def _flush(self) -> None:
        if self.links and self.links[-1][0].children:
            # a card: a link around blocks, which are on one line elsewhere
            self.links[-1][0].append(nodes.Text(" "))
        elif self.paragraph.children:
            self.children.append(self.paragraph)
            self.paragraph = nodes.paragraph()

    def _mark(self, node: nodes.Element, address: str, raw: str) -> None:
        """Note the tag that a node has the address of."""
        node["slot"], node["written"] = str(self.slots), address
        self.slots += 1
        self.html += f"\0{node['slot']}\0{raw}\0"

    def _start_link(self, address: str, raw: str) -> None:
        shown = nodes.inline()
        inside = self.link(address, shown)
        around = nodes.inline("", "", inside or nodes.reference("", "", shown, refuri=address))
        if inside is None:
            self.html += raw
        else:
            self._mark(around, address, raw)
        self.links.append((shown, around))

    def _end_link(self) -> None:
        shown, around = self.links.pop()
        self.paragraph += around
        self.html += f"\0{around['slot']}\0</a>\0" if "slot" in around else "</a>"
        if any(child.astext() == " " for child in shown.children):
            self._flush()

    def _image(self, given: dict[str, str], raw: str) -> None:
        image = nodes.image(uri=self.image(given["src"]), alt=given.get("alt", ""))
        if "://" in image["uri"]:
            self.html += raw
        else:
            self._mark(image, given["src"], raw)
        if self.links:
            self.links[-1][0].append(image)
        else:
            self._flush()
            self.children.append(image)

    def _frame(self, address: str) -> None:
        self._flush()
        self.children.append(nodes.paragraph("", "", nodes.reference("", address, refuri=address)))


def choose_html(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put raw HTML into pages in HTML, and nodes into all others (``doctree-resolved``).

    References are resolved then, so that a link in HTML gets the address of its node.
    """
    for node in list(doctree.findall(html_part)):
        if app.builder.format == "html":
            slots = {child["slot"]: child for child in node.findall(nodes.Element) if "slot" in child}
            html = _MARKED.sub(lambda found: _tag(app, slots[found[1]], found[2], docname), node["html"])  # noqa: B023
            node.replace_self(nodes.raw("", html, format="html"))
        else:
            node.replace_self(node.children)


def _tag(app: Sphinx, slot: nodes.Element, raw: str, docname: str) -> str:
    """Give a tag its node's address; a link that leads nowhere has no tags."""
    address = _image_address(app, slot, docname) if isinstance(slot, nodes.image) else _address(slot)
    if address is None or raw == "</a>":
        return raw if address else ""
    written = escape(slot["written"])
    return raw.replace(written if written in raw else slot["written"], escape(address), 1)


def _image_address(app: Sphinx, image: nodes.Element, docname: str) -> str:
    """Give the address of an image in the output, where the builder then copies it to."""
    _, name = app.env.images.get(image["uri"], (set(), ""))
    if not name:
        return str(image["uri"])
    app.builder.images[image["uri"]] = name
    folder = app.builder.imagedir
    return posixpath.join(relative_uri(app.builder.get_target_uri(docname), folder), name)


def _address(slot: nodes.Element) -> str | None:
    """Give the address of a resolved link; ``None`` if it leads nowhere."""
    for reference in slot.findall(nodes.reference):
        if "refuri" in reference:
            return str(reference["refuri"])
        return f"#{reference['refid']}"
    return None
