"""The transforms of writing: they place the contents of a page."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform

from .. import nodes as ours
from ..read.collect import entry_names, module_name
from ..read.parameters import descriptions
from ..resolve.listing import EXISTS, MISSING
from ..show.boxes import box_nodes, member_nodes
from ..show.definition import caption_nodes, facts_nodes, surroundings_nodes
from ..view import Here, naming, views_of
from .contents import contents
from .domain import HeuristicDomain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..show.boxes import Box, EntryBoxes
    from ..show.definition import Facts
    from .contents import Contents

#: Our signs → what draws them in LaTeX with every engine and font, as Sphinx does for
#: others.
_DRAWN = {
    EXISTS: r"\(\checkmark\)",
    MISSING: r"\(\square\)",
    "≥": r"\(\geq\)",
    "≤": r"\(\leq\)",
}
_SIGN = re.compile(f"([{''.join(_DRAWN)}])")

#: The lists that describe parameters, and what is between them.
_LISTS = (nodes.field_list, nodes.bullet_list, nodes.definition_list)
_IN_LISTS = (nodes.field, nodes.field_body, nodes.list_item, nodes.definition_list_item)


class ShowHeuristics(SphinxPostTransform):
    """Put heuristics into API entries and pages, and fill all placeholders."""

    # Before MyST's resolver (9) and Sphinx's (10), which then resolve the links we
    # make.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Place what each document in this tree shows."""
        self._show(self.env.docname, self.document)

    def _show(self, docname: str, tree: nodes.Element) -> None:
        """Place what a document shows, and what those that are merged into it show."""
        domain = HeuristicDomain.of(self.env)
        if domain.output is not None:
            domain.output.add(docname)
        found = list(ours.blocks(tree, with_merged=False))
        if docname in domain.plan.catalogue.pages:
            Placer(self, domain, docname, tree, found).run()
        # LaTeX and singlehtml merge all documents into one tree.
        for node in found:
            if isinstance(node, addnodes.start_of_file):
                self._show(node["docname"], node)

    def relative(self, docname: str, other: str) -> str:
        """Return the URI from one document to another, ``""`` if none is known."""
        try:
            builder = HeuristicDomain.of(self.env).app.builder
            return builder.get_relative_uri(docname, other)
        except NoUri:
            return ""


class RemoveLeftovers(SphinxPostTransform):
    """Remove notes that stay out of sight, and what is left of a deleted document.

    Sphinx merges a deleted document into singlehtml and LaTeX as long as the toctree
    that names it is not read again.
    """

    # Before the resolvers (9, 10), which warn of the links in a note where the body has
    # them.
    default_priority = 6

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Remove every node that no writer knows."""
        for node in list(ours.blocks(self.document)):
            if isinstance(node, ours.Placeholder):
                node.parent.remove(node)


class Placer:
    """Places what one document shows, which may be a part of a merged tree."""

    def __init__(
        self,
        transform: ShowHeuristics,
        domain: HeuristicDomain,
        docname: str,
        tree: nodes.Element,
        found: list[nodes.Node],
    ) -> None:
        """Take the document, what was found in it, and the means to make links."""
        self._plan = domain.plan
        self._views = views_of(domain.app)
        self._docname = docname
        self._tree = tree
        self._nodes = found
        self._builder = domain.app.builder
        self._document = transform.document
        self._here = Here(docname, transform.relative)

    def run(self) -> None:
        """Place what is shown automatically, and replace the placeholders."""
        # A message catalogue wants what authors wrote, and that once.
        if self._builder.name == "gettext":
            return
        shown = contents(self._plan, self._views, self._docname)
        self._place_in_entries(shown.entries)
        self._place_under_titles(shown.sections)
        for node in self._nodes:
            if isinstance(node, nodes.container | ours.Placeholder):
                self._fill(node, shown)

    def _place_in_entries(self, entries: Sequence[EntryBoxes]) -> None:
        """Place the boxes of API entries.

        These are found by their names: other extensions may have removed some.
        """
        if not entries:
            return
        waiting: dict[tuple[str, ...], list[EntryBoxes]] = {}
        documented = self._plan.catalogue.pages[self._docname].entries
        for entry, entry_boxes in zip(documented, entries, strict=True):
            waiting.setdefault(entry.names, []).append(entry_boxes)
        for node in self._nodes:
            if isinstance(node, addnodes.desc | nodes.target | nodes.section):
                is_entry = node.get("domain") == "py"
                names = entry_names(node) if is_entry else (module_name(node),)
                if waiting.get(names):
                    self._place_in_entry(node, waiting[names].pop(0))

    def _place_in_entry(self, node: nodes.Element, shown: EntryBoxes) -> None:
        """Place the boxes of an API entry or a module, and those at its parameters."""
        described: dict[str, nodes.Element] = {}
        if shown.by_parameter and isinstance(node, addnodes.desc):
            described = descriptions(node)
        for parameter, boxes in shown.by_parameter.items():
            made = box_nodes(boxes, self._here)
            if not parameter:
                made += member_nodes(shown.members, self._here)
            if parameter in described:
                if self._builder.format == "html":
                    keep_simple(described[parameter], self._document)
                described[parameter].extend(made)
            else:
                parent, at = place_in(node, self._plan.catalogue.settings.placement)
                parent[at:at] = made

    def _place_under_titles(
        self, sections: Sequence[tuple[str, tuple[Box, ...]]]
    ) -> None:
        """Place the boxes below the first paragraph of each section.

        A section is found by its id; ``""`` is the first of the page.
        """
        found: dict[str, nodes.Element] = {"": self._tree}
        for node in reversed(self._nodes):
            if isinstance(node, nodes.section):
                found.update(dict.fromkeys(("", *node["ids"]), node))
        for anchor, boxes in sections:
            parent, at = place_in(found.get(anchor, self._tree))
            parent[at:at] = box_nodes(boxes, self._here)

    def _fill(self, node: nodes.Node, shown: Contents) -> None:
        """Fill the caption of a quote, or a placeholder; leave all else."""
        if ours.is_evidence(node):
            caption = shown.captions[node[ours.EVIDENCE]]
            node[0] = nodes.caption("", "", *caption_nodes(caption, self._here))
        elif isinstance(node, ours.heuristic_facts):
            self._replace(node, self._facts(node, shown.facts[node["position"]]))
        elif isinstance(node, ours.heuristic_entries):
            around = shown.surroundings[node["position"]]
            self._replace(node, surroundings_nodes(around, self._here))
        elif isinstance(node, ours.heuristic_query):
            position = node["position"]
            self._replace(node, self._view_nodes(position, shown.queries[position]))

    def _facts(self, node: nodes.Element, facts: Facts) -> list[nodes.Node]:
        """Return the facts of a definition, with what only the search sees."""
        made = facts_nodes(facts, self._here)
        page = node.parent
        if isinstance(page, nodes.section) and getattr(self._builder, "search", False):
            # The search links to the first id of what a title is in.
            words = nodes.title("", facts.search)
            made.insert(0, ours.heuristic_search("", words, ids=page["ids"]))
        return made

    def _replace(self, node: nodes.Element, made: list[nodes.Node]) -> None:
        """Put the nodes that were made in the place of a placeholder."""
        keep_ids_apart(made, self._document)
        block = node.parent
        block.replace(node, made)
        if self._builder.format == "latex":
            for child in made:
                draw_signs(child)
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


def keep_ids_apart(made: Iterable[nodes.Node], document: nodes.document) -> None:
    """Take from new nodes the ids that the document has already.

    A message that is listed twice is linked once.
    """
    for node in made:
        for term in node.findall(nodes.term):
            term["ids"] = [
                name
                for name in term["ids"]
                if document.ids.setdefault(name, term) is term
            ]


def place_in(
    node: nodes.Element, placement: str = "summary"
) -> tuple[nodes.Element, int]:
    """Return where boxes are placed: the parent and the position in it.

    *node* is an API entry, the target of a module, a section or a document.
    """
    parent, start = node, 0
    if isinstance(node, addnodes.desc):
        parent = cast("nodes.Element", node.children[-1])
    elif isinstance(node, nodes.target):
        # The documentation of a module follows its target.
        parent = node.parent
        start = parent.index(node) + 1
    else:
        title = node.first_child_matching_class(nodes.title)
        start = 0 if title is None else title + 1
    if placement == "bottom":
        return parent, before_members(parent, start)
    return parent, start if placement == "top" else after_summary(parent, start)


def after_summary(parent: nodes.Element, start: int) -> int:
    """Return the position after the first paragraph; *start* if there is none first."""
    # The line in which autodoc names the base classes is no summary.
    bases = get_translation("sphinx")("Bases: %s").partition("%s")[0]
    for at in range(start, len(parent)):
        child = parent[at]
        if isinstance(child, nodes.paragraph):
            if not child.astext().startswith(bases):
                return at + 1
            start = at + 1
        # Labels, comments and index entries are between the start and the text.
        elif not isinstance(child, nodes.Invisible):
            break
    return start


def before_members(content: nodes.Element, start: int) -> int:
    """Return the position before the first member or section, else at the end."""
    end = content.first_child_matching_class((addnodes.desc, nodes.section), start)
    at = len(content) if end is None else end
    # The index entries of a member are right before it.
    while at > start and isinstance(content[at - 1], addnodes.index):
        at -= 1
    return at


def keep_simple(item: nodes.Element, document: nodes.document) -> None:
    """Let the lists around an item keep a class that a box in it would take from them.

    docutils gives it to each list whose items are a paragraph, when it is written.
    """
    # HTML's writer has it loaded.
    from docutils.writers._html_base import SimpleListChecker  # noqa: PLC0415

    checker = SimpleListChecker(document)
    around = item.parent
    while isinstance(around, (*_LISTS, *_IN_LISTS)):
        if isinstance(around, _LISTS):
            with suppress(nodes.NodeFound):
                around.walk(checker)
                around["classes"].append("simple")
        around = around.parent


# -- what LaTeX needs -----------------------------------------------------------------


def draw_signs(tree: nodes.Node) -> None:
    """Draw our signs: pdfLaTeX stops at them, and a font without them leaves a gap."""
    for text in list(tree.findall(nodes.Text)):
        made: list[nodes.Node] = []
        for part in _SIGN.split(text):
            drawn = _DRAWN.get(part)
            made.append(
                nodes.raw("", drawn, format="latex") if drawn else nodes.Text(part)
            )
        if made[1:]:
            text.parent.replace(text, made)


def anchor_before(block: nodes.Element) -> None:
    """Give a block's ids to a target before it: LaTeX knows no ids of admonitions."""
    if block["ids"]:
        block.parent.insert(block.parent.index(block), nodes.target(ids=block["ids"]))
        block["ids"] = []
