"""The transform of reading that gives definitions a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

from ..config import Settings
from ..nodes import UNTITLED, blocks, heuristic, heuristic_facts, heuristic_note
from ..notes.inline import first_sentence

if TYPE_CHECKING:
    from ..model import Heuristic

#: Nodes that may stand before a heuristic that opens its document.
_BEFORE = (
    nodes.Invisible,
    nodes.docinfo,
    nodes.field_list,
    nodes.meta,
    nodes.system_message,
    addnodes.highlightlang,
    addnodes.tabular_col_spec,
)


def _is_comment(node: nodes.Node) -> bool:
    # Markdown's comments, such as a licence, are raw HTML.
    return isinstance(node, nodes.raw) and node.astext().lstrip().startswith("<!--")


class PlaceDefinitions(SphinxTransform):
    """Give each definition its form: a section, or an admonition-like block."""

    # After Locale (20), which translates titles and notes where they stand, and before
    # PropagateTargets (260), which moves a label to the node that follows it.
    default_priority = 200

    def apply(self, **kwargs: Any) -> None:  # noqa: ANN401 - docutils' signature
        """Replace every definition."""
        found = [it for it in blocks(self.document) if isinstance(it, heuristic)]
        for node in found:
            if node.parent is self.document and self._opens(node):
                self._to_section(node)
            else:
                self._replace(node, nodes.admonition())
        self._name_page()

    def _name_page(self) -> None:
        """Give a page of ``heuristics_dir`` the title that its author forgot.

        Our warning names what it lacks, or what is above its heuristic. Sphinx would
        add one for each page that lists it in a toctree.
        """
        stem = self.env.docname.rpartition("/")[2]
        is_page = Settings.of(self.config).is_of_heuristics(self.env.docname)
        if stem == "index" or not is_page or self.document.next_node(nodes.section):
            return
        section = nodes.section("", nodes.title(stem, stem))
        section[UNTITLED] = True
        self.document.set_id(section)
        self.document += section

    def _opens(self, node: heuristic) -> bool:
        before = self.document.children[: self.document.index(node)]
        return all(isinstance(other, _BEFORE) or _is_comment(other) for other in before)

    def _to_section(self, node: heuristic) -> None:
        after = self.document.index(node) + 1
        rest = self.document.children[after:]
        del self.document[after:]
        section = nodes.section()
        self._replace(node, section)
        # What it is connected to comes below all sections.
        surroundings = section.pop()
        section += [*rest, surroundings]

    def _complete_note(self, note: nodes.paragraph, body: list[nodes.Node]) -> None:
        """Take the first sentence of the body where there is no note."""
        is_lacking = isinstance(note, heuristic_note)
        if is_lacking and body and isinstance(body[0], nodes.paragraph):
            note += first_sentence(body[0])
            for reference in note.findall(nodes.reference):
                if "refname" in reference:
                    self.document.note_refname(reference)
        for element in note.findall(nodes.Element):
            # The quotes that a builder makes round would make the note depend on it.
            element["support_smartquotes"] = False

    def _replace(self, node: heuristic, form: nodes.Element) -> None:
        _title, note, facts, *body = node.children
        self._complete_note(cast("nodes.paragraph", note), body)
        record: Heuristic = cast("heuristic_facts", facts)["record"]
        form.source, form.line = node.source, node.line
        form["ids"], form["names"] = node["ids"], node["names"]
        form["classes"] = ["heuristic", f"heuristic-{record.severity}"]
        if isinstance(form, nodes.admonition):
            form["classes"] += [record.severity]
        form["classes"] += record.classes
        form += node.children
        for name in form["ids"]:
            self.document.ids[name] = form
        node.parent.replace(node, form)
