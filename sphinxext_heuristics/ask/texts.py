"""What pages say: their passages, as a reader sees them, taken from doctrees.

Nothing is taken while pages are read, and nothing at all in a project without a box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from zlib import crc32

from docutils import nodes
from sphinx import addnodes
from sphinx.domains import Domain

from sphinxext_heuristics.api import link_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.api import PublicPlan

#: What is around code in a text, and around what a link names whose title is shown.
CODE, TITLED = "\x7f", "\ufdd0"

#: The languages of blocks that show output.
_OUTPUT = frozenset({"text", "console", "pytb"})

#: A part of a passage: a text, or the cell of a row with the head above it.
Cell: TypeAlias = "str | tuple[str, str]"


class Piece(NamedTuple):
    """A passage of a page, or a block of output in it."""

    #: The first id of the innermost section.
    section: str
    #: The ids of all that it is in.
    inside: frozenset[str]
    #: A paragraph has one cell, a row of a table as many as are not empty.
    cells: tuple[Cell, ...]
    #: Whether it is output.
    is_output: bool = False
    #: Its own id, if an author gave it one.
    anchor: str = ""


class PageTexts(NamedTuple):
    """What a page says."""

    #: The first id of each of its sections, in order; that of the page is the first.
    sections: tuple[str, ...]
    pieces: tuple[Piece, ...]
    #: The first id of a section, and an entry of the general index in it.
    entries: tuple[tuple[str, str], ...]


class AskDomain(Domain):
    """What pages say, and on which of them a box is."""

    name = "heuristic-ask"
    label = "Answers"
    initial_data = {"boxes": {}, "texts": {}}
    #: It changes with the fields of what is kept: Sphinx then reads all pages again.
    data_version = crc32(repr((Piece._fields, PageTexts._fields)).encode())

    #: What is known in this build, from ``heuristics-resolved`` on.
    plan: PublicPlan

    @classmethod
    def of(cls, env: BuildEnvironment) -> AskDomain:
        """Return the domain of an environment."""
        return cast("AskDomain", env.domains[cls.name])

    @property
    def boxes(self) -> dict[str, None]:
        """Return the documents that place a box by a directive."""
        return cast("dict[str, None]", self.data["boxes"])

    @property
    def texts(self) -> dict[str, PageTexts]:
        """Return document → what it says, of those that were asked for."""
        return cast("dict[str, PageTexts]", self.data["texts"])

    def clear_doc(self, docname: str) -> None:
        """Forget a document."""
        self.boxes.pop(docname, None)
        self.texts.pop(docname, None)

    def merge_domaindata(
        self, docnames: AbstractSet[str], otherdata: dict[str, Any]
    ) -> None:
        """Take over what a parallel process has read."""
        for docname in docnames:
            if docname in otherdata["boxes"]:
                self.boxes[docname] = None

    def resolve_any_xref(self, *_of: object) -> list[Any]:
        """Return no link: nothing of it is linked."""
        return []


def has_answers(app: Sphinx) -> bool:
    """Return whether a build writes pages whose boxes answer: no book has a script."""
    is_site = app.builder.format == "html" and app.builder.name != "epub"
    return is_site and bool(AskDomain.of(app.env).boxes)


def take(app: Sphinx, plan: PublicPlan) -> None:
    """Take what is not known yet of the pages that answer (``heuristics-resolved``)."""
    domain = AskDomain.of(app.env)
    domain.plan = plan
    if not domain.boxes:
        domain.texts.clear()
    if has_answers(app):
        homes = [record.docname for record in plan.catalogue.heuristics.values()]
        for docname in {*homes, *guides(plan)} - domain.texts.keys():
            domain.texts[docname] = texts_of(app.env.get_doctree(docname))


def guides(plan: PublicPlan) -> list[str]:
    """Return the pages that heuristics name, in the toctree's order."""
    named = set()
    for record in plan.catalogue.heuristics.values():
        for link in plan.meanings.links(record):
            if link.type != "impl" and link.address:
                named.add(link.address.docname)
    return [docname for docname in plan.catalogue.docnames if docname in named]


def texts_of(doctree: nodes.document) -> PageTexts:
    """Return what a page says."""
    sections = list(doctree.findall(nodes.section))
    return PageTexts(
        sections=tuple(section["ids"][0] for section in sections),
        pieces=tuple(_pieces(doctree, "", frozenset())),
        entries=tuple(_entries(doctree, sections)),
    )


def _entries(
    doctree: nodes.document, sections: list[nodes.section]
) -> Iterator[tuple[str, str]]:
    """Yield the sections and the entries of the general index in them.

    An entry above the title of a section leads to that section.
    """
    led_to: dict[str, nodes.section] = {}
    for section in sections:
        led_to.update(dict.fromkeys(section["ids"], section))
    for index in doctree.findall(addnodes.index):
        for _kind, entry, anchor, *_more in index["entries"]:
            if inside := led_to.get(anchor) or _around(index):
                yield inside["ids"][0], entry


def _around(node: nodes.Node | None) -> nodes.section | None:
    """Return the innermost section around a node."""
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def _pieces(
    parent: nodes.Element, section: str, inside: frozenset[str]
) -> Iterator[Piece]:
    """Yield the pieces in a node, in their order."""
    for node in parent.children:
        if isinstance(node, nodes.literal_block):
            if node.get("language") in _OUTPUT:
                yield Piece(section, inside, (node.astext(),), is_output=True)
        elif isinstance(node, nodes.paragraph | nodes.term | nodes.row):
            if cells := tuple(_cells(node)):
                # Those of entries of the general index have no name.
                own = node["ids"][0] if node["names"] else ""
                yield Piece(section, inside, cells, anchor=own)
        elif isinstance(node, nodes.Element) and not _is_aside(node):
            own = node["ids"][0] if isinstance(node, nodes.section) else section
            yield from _pieces(node, own, inside.union(node["ids"]))


def _is_aside(node: nodes.Element) -> bool:
    """Return whether a node is out of sight, or what a box lists."""
    return isinstance(node, nodes.Invisible) or "heuristic-paste" in node["classes"]


def _cells(block: nodes.Element) -> Iterator[Cell]:
    """Yield the cells of a row, each but the first with its head, or a text as one."""
    if not isinstance(block, nodes.row):
        # A heuristic's note is known as such.
        if "heuristic-note" not in block["classes"]:
            yield folded(block)
        return
    part = block.parent
    head = next(iter(part.parent.findall(nodes.thead)), None)
    heads = head.children[0].children if head else []
    for at, cell in enumerate(block.children):
        text = folded(cell)
        if text and isinstance(part, nodes.tbody):
            yield (heads[at].astext(), text) if 0 < at < len(heads) else text


def folded(node: nodes.Node) -> str:
    """Return the text of a node in one line, with marks around code and links."""
    return " ".join(_text(node).split())


def _text(node: nodes.Node) -> str:
    """Return the text of a node, with marks around code and around what links name."""
    if isinstance(node, addnodes.pending_xref) and (name := link_name(node)):
        return f"{TITLED}{name}{TITLED}"
    if isinstance(node, nodes.literal):
        return f"{CODE}{node.astext()}{CODE}"
    if isinstance(node, nodes.Element) and node.children:
        return node.child_text_separator.join(map(_text, node.children))
    return node.astext()
