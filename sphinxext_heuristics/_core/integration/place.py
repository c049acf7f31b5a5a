"""The transforms of writing: they place what the contents of a page say, and remove what is left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform

from sphinxext_heuristics._core import nodes as ours
from sphinxext_heuristics._core.integration.contents import contents
from sphinxext_heuristics._core.integration.domain import HeuristicDomain, app_of
from sphinxext_heuristics._core.read.collect import entry_names, module_name
from sphinxext_heuristics._core.resolve.listing import EXISTS, MISSING
from sphinxext_heuristics._core.show.boxes import box_nodes, entry_nodes
from sphinxext_heuristics._core.show.definition import (
    caption_nodes,
    entries_nodes,
    facts_nodes,
)
from sphinxext_heuristics._core.view import Here, naming, views_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sphinxext_heuristics._core.integration.contents import Contents
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.show.boxes import Box, EntryBoxes

#: Our signs → what draws them in LaTeX with every engine and font, as Sphinx does for
#: others.
_DRAWN = {
    EXISTS: r"\(\checkmark\)",
    MISSING: r"\(\square\)",
    "≥": r"\(\geq\)",
    "≤": r"\(\leq\)",
}
_SIGN = re.compile(f"([{''.join(_DRAWN)}])")


class ShowHeuristics(SphinxPostTransform):
    """Put heuristics into API entries and pages, and fill all placeholders."""

    # Before MyST's resolver (9) and Sphinx's (10), which then resolve the links we
    # make.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Place what each document in this tree shows."""
        domain = HeuristicDomain.of(self.env)
        # LaTeX and singlehtml merge all documents into one tree.
        merged = self.document.findall(addnodes.start_of_file)
        parts: list[tuple[str, nodes.Element]] = [(self.env.docname, self.document)]
        parts += [(part["docname"], part) for part in merged]
        domain.resolved_docs.update(docname for docname, _tree in parts)
        for docname, tree in parts:
            if docname in domain.plan.catalogue.pages:
                Placer(self, domain.plan, docname, tree).run()

    def relative(self, docname: str, other: str) -> str:
        """Return the URI from one document to another, or ``""`` where none is known."""
        try:
            return app_of(self.env).builder.get_relative_uri(docname, other)
        except NoUri:
            return ""


class RemoveLeftovers(SphinxPostTransform):
    """Remove notes that stay out of sight, and what is left of a deleted document.

    Sphinx merges a deleted document into singlehtml and LaTeX as long as the toctree
    that names it is not read again.
    """

    # After the resolvers (9, 10), which warn of a note's broken links here and once.
    default_priority = 15

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Remove every node that no writer knows."""
        left = (
            ours.heuristic_note
            | ours.heuristic_facts
            | ours.heuristic_entries
            | ours.heuristic_query
        )
        for node in list(self.document.findall(lambda node: isinstance(node, left))):
            node.parent.remove(node)


class Placer:
    """Places what one document shows, which may be a part of a merged tree."""

    def __init__(
        self, transform: ShowHeuristics, plan: Plan, docname: str, tree: nodes.Element
    ) -> None:
        """Take the document and the means to make links from it."""
        self._plan = plan
        app = app_of(transform.env)
        self._views = views_of(app)
        self._docname = docname
        self._tree = tree
        self._builder = app.builder
        self._document = transform.document
        self._here = Here(docname, transform.relative)

    def run(self) -> None:
        """Place what is shown automatically, and replace the placeholders."""
        # A message catalogue wants what authors wrote, and that once.
        if self._builder.name != "gettext":
            shown = contents(self._plan, self._views, self._docname)
            self._place_in_entries(shown.entries)
            self._place_under_titles(shown.sections)
            self._fill(shown)
        self._unfold_notes()

    def _own(self, *classes: type[nodes.Element]) -> list[Any]:
        """Return the nodes of these classes that belong to this document."""
        found: list[Any] = []
        stack = [*reversed(self._tree.children)]
        while stack:
            node = stack.pop()
            if isinstance(node, classes):
                found.append(node)
            # A merged document stands in its parent's tree but is not part of it.
            if not isinstance(node, addnodes.start_of_file):
                stack.extend(reversed(blocks_in(node)))
        return found

    def _place_in_entries(self, entries: Sequence[EntryBoxes]) -> None:
        """Place the boxes of API entries, which are found by their names: other extensions may have removed some."""
        waiting: dict[tuple[str, ...], list[EntryBoxes]] = {}
        for entry, shown in zip(
            self._plan.catalogue.pages[self._docname].entries, entries, strict=False
        ):
            waiting.setdefault(entry.names, []).append(shown)
        position = {"top": lambda _content: 0, "bottom": first_member}.get(
            self._plan.settings.placement, after_summary
        )
        for desc in (
            self._own(addnodes.desc, nodes.target, nodes.section) if waiting else ()
        ):
            if not isinstance(desc, addnodes.desc):
                self._place_in_module(desc, waiting.get((module_name(desc),), []))
                continue
            names = entry_names(desc) if desc.get("domain") == "py" else ()
            content = desc.children[-1]
            if waiting.get(names) and isinstance(content, addnodes.desc_content):
                made = entry_nodes(waiting[names].pop(0), self._here)
                at = position(content) if made else 0
                content[at:at] = made

    def _place_in_module(self, node: nodes.Element, waiting: list[EntryBoxes]) -> None:
        """Place the boxes of a module, whose documentation follows a target or the title of a section."""
        made = entry_nodes(waiting.pop(0), self._here) if waiting else []
        page, start = (
            (node, 1)
            if isinstance(node, nodes.section)
            else (node.parent, node.parent.index(node) + 1)
        )
        # The module's index entry may stand between a section's title and the text.
        start += (
            start < len(page)
            and isinstance(page[start], addnodes.index)
            and isinstance(node, nodes.section)
        )
        ends = (
            at
            for at in range(start, len(page))
            if isinstance(page[at], addnodes.desc | nodes.section)
        )
        at = start
        if self._plan.settings.placement == "bottom":
            at = before_index(page, next(ends, len(page)))
        elif self._plan.settings.placement == "summary":
            at += start < len(page) and isinstance(page[start], nodes.paragraph)
        page[at:at] = made

    def _place_under_titles(
        self, sections: Sequence[tuple[str, tuple[Box, ...]]]
    ) -> None:
        """Place the boxes below the first paragraph of each section, found by its id; ``""`` is the page's first."""
        own = reversed(self._own(nodes.section)) if sections else ()
        found = {i: section for section in own for i in ("", *section["ids"])}
        for anchor, boxes in sections:
            section = found.get(anchor, self._tree)
            title = section.first_child_matching_class(nodes.title)
            at = 0 if title is None else title + 1
            # Labels and index entries stand between the title and the text.
            text = next(
                (
                    n
                    for n in range(at, len(section))
                    if not isinstance(section[n], nodes.Invisible)
                ),
                at,
            )
            if text < len(section) and isinstance(section[text], nodes.paragraph):
                at = text + 1
            section[at:at] = box_nodes(boxes, self._here)

    def _fill(self, shown: Contents) -> None:
        for node in filter(ours.is_evidence, self._own(nodes.container)):
            caption = cast("nodes.caption", node[0])
            caption.clear()
            caption += caption_nodes(shown.captions[node[ours.EVIDENCE]])
        make: dict[type[nodes.Element], Callable[[int], list[nodes.Node]]] = {
            ours.heuristic_facts: lambda i: facts_nodes(shown.facts[i], self._here),
            ours.heuristic_entries: lambda i: entries_nodes(shown.shown[i], self._here),
            ours.heuristic_query: lambda i: self._view_nodes(i, shown.queries[i]),
        }
        for node in self._own(*make):
            block = node.parent
            made = make[type(node)](node["position"])
            has_search = getattr(self._builder, "search", False)
            if (
                isinstance(node, ours.heuristic_facts)
                and isinstance(block, nodes.section)
                and has_search
            ):
                words = nodes.title("", shown.facts[node["position"]].search)
                # The search links to the first id of what a title is in.
                found = ours.heuristic_search("", words, ids=block["ids"])
                made.insert(0, found)
            keep_ids_apart(made, self._document)
            node.parent.replace(node, made)
            if self._builder.format == "latex":
                for child in made:
                    draw_signs(child)
                    keep_on_one_page(child)
                if isinstance(block, nodes.admonition):
                    anchor_before(block)

    def _view_nodes(self, position: int, content: Any) -> list[nodes.Node]:  # noqa: ANN401 - the view's own
        """Return the nodes of one directive's view; none where no view has its name."""
        query = self._plan.catalogue.pages[self._docname].queries[position]
        view = self._views.get(query.view)
        if view is None:
            return []
        with naming(view, self._docname):
            return view.nodes(content, self._here)

    def _unfold_notes(self) -> None:
        """Show a definition's note below its title, unless it is the first sentence of the body."""
        for note in self._own(ours.heuristic_note):
            if note["given"] and note.children:
                paragraph = nodes.paragraph(
                    note.rawsource, "", *note.children, classes=["heuristic-note"]
                )
                paragraph.source, paragraph.line = note.source, note.line
                # What Sphinx knows the message by; without it none is extracted.
                vars(paragraph).update(
                    {"uid": note.uid} if hasattr(note, "uid") else {}
                )
                note.parent.replace(note, paragraph)


def blocks_in(node: nodes.Node) -> Sequence[nodes.Node]:
    """Return the children that may be or hold a block of ours.

    A paragraph may: Sphinx puts all that describes a parameter into one.
    """
    if isinstance(node, nodes.TextElement):
        return [
            child
            for child in node.children
            if not isinstance(child, nodes.Inline | nodes.Text)
        ]
    return node.children


def keep_ids_apart(made: Iterable[nodes.Node], document: nodes.document) -> None:
    """Take from new nodes the ids that the document has already: a message that is listed twice is linked once."""
    for term in (term for node in made for term in node.findall(nodes.term)):
        term["ids"] = [
            i for i in term["ids"] if document.ids.setdefault(i, term) is term
        ]


def after_summary(content: addnodes.desc_content) -> int:
    """Return the position after an entry's summary paragraph, at the top without one."""
    # The line in which autodoc names the base classes is no summary.
    bases = get_translation("sphinx")("Bases: %s").partition("%s")[0]
    for at, child in enumerate(content.children):
        if isinstance(child, nodes.paragraph) and not child.astext().startswith(bases):
            return at + 1
        if not isinstance(
            child, nodes.comment | addnodes.index | nodes.target | nodes.paragraph
        ):
            return at
    return len(content)


def first_member(content: addnodes.desc_content) -> int:
    """Return the position before an entry's first member, at the end without one."""
    member = content.first_child_matching_class(addnodes.desc)
    return len(content) if member is None else before_index(content, member)


def before_index(parent: nodes.Element, at: int) -> int:
    """Return the position before the index entries that stand right before a member."""
    while at and isinstance(parent[at - 1], addnodes.index):
        at -= 1
    return at


# -- what LaTeX needs -----------------------------------------------------------------


def draw_signs(tree: nodes.Node) -> None:
    """Draw our signs: pdfLaTeX stops at them, and a font without them leaves a gap."""
    for text in list(tree.findall(nodes.Text)):
        parts = _SIGN.split(text)
        if len(parts) > 1:
            made: list[nodes.Node] = [
                nodes.raw("", _DRAWN[part], format="latex")
                if part in _DRAWN
                else nodes.Text(part)
                for part in parts
                if part
            ]
            text.parent.replace(text, made)


def keep_on_one_page(tree: nodes.Node) -> None:
    """Make no table over several pages inside of a box, which LaTeX cannot break."""
    parent = tree.parent
    while parent is not None and not isinstance(parent, nodes.entry | nodes.Admonition):
        parent = parent.parent
    if parent is not None and isinstance(tree, nodes.table):
        tree["classes"] = [name for name in tree["classes"] if name != "longtable"]


def anchor_before(block: nodes.Element) -> None:
    """Give a block's ids to a target before it: LaTeX knows no ids of admonitions."""
    if block["ids"]:
        block.parent.insert(block.parent.index(block), nodes.target(ids=block["ids"]))
        block["ids"] = []
