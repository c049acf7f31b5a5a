"""Let tables be read on a narrow screen, with the style sheet ``site.css``.

A table of words is stacked there: a row is a block, each cell begins a line with the
head of its column, and the cell that answers is first. A table of values, which are
compared by column, stays a table, and scrolls with its first column in sight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

#: In a table of values, no column answers, and no text has more characters than this:
#: in the first column, which names what a row is about, and in the others.
LONGEST_NAME = 24
LONGEST_VALUE = 16

#: Heads of the columns that a reader in trouble came for.
ANSWERS = {"fixed in", "ignore it?", "what to do", "write", "write instead"}

#: The key of a node's attributes that docutils has no name for.
ATTRIBUTES = "html-attributes"

#: What a browser knows of an element of a table until a style sheet changes `display`.
ROLES = {
    nodes.table: "table",
    nodes.thead: "rowgroup",
    nodes.tbody: "rowgroup",
    nodes.row: "row",
    nodes.entry: "cell",
}


def has_only_values(head: nodes.row, rows: list[nodes.row]) -> bool:
    """Return whether the texts below the heads are there to be compared by column."""
    if any(entry.astext().casefold() in ANSWERS for entry in head):
        return False
    for row in rows:
        name, *values = (entry.astext() for entry in row)
        if len(name) > LONGEST_NAME:
            return False
        if any(len(value) > LONGEST_VALUE for value in values):
            return False
    return True


def label(head: nodes.row, rows: list[nodes.row]) -> None:
    """Give each cell the head of its column, and mark those that answer."""
    texts = [entry.astext() for entry in head]
    for row in rows:
        for text, entry in zip(texts, row, strict=True):
            if text:
                end = "" if text.endswith("?") else ":"
                entry[ATTRIBUTES]["data-label"] = text + end
            if text.casefold() in ANSWERS:
                entry["classes"].append("answer")


def add_roles(table: nodes.table) -> None:
    """Keep the table a table for who listens, whatever the style sheet does."""
    for kind, role in ROLES.items():
        for node in table.findall(kind):
            node[ATTRIBUTES] = node.get(ATTRIBUTES, {}) | {"role": role}
    for head in table.findall(nodes.thead):
        for entry in head.findall(nodes.entry):
            entry[ATTRIBUTES] = {"role": "columnheader"}


def is_plain(table: nodes.table) -> bool:
    """Return whether a table has one head, no cell over two, and no class of its own.

    Tables with a class are lists that an extension makes and styles.
    """
    if any(not name.startswith("colwidths-") for name in table["classes"]):
        return False
    entries = table.findall(nodes.entry)
    if any("morecols" in entry or "morerows" in entry for entry in entries):
        return False
    return [len(head) for head in table.findall(nodes.thead)] == [1]


class NarrowTables(SphinxPostTransform):
    """Prepare each table for the style sheet."""

    builders = ("html",)
    # after the theme, which copies a table's attributes to the box around it
    default_priority = 600

    def run(self, **_options: object) -> None:
        """Set classes and attributes."""
        for table in filter(is_plain, self.document.findall(nodes.table)):
            head, *rows = table.findall(nodes.row)
            if has_only_values(head, rows):
                table["classes"].append("table-of-values")
            else:
                table["classes"].append("table-of-words")
                add_roles(table)
                label(head, rows)


class Translator(HTML5Translator):
    """Writes the attributes that a node brings."""

    def starttag(
        self,
        node: nodes.Element | dict[str, Any],
        tagname: str,
        *arguments: Any,  # noqa: ANN401 - docutils has no types
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Return the start tag of an element."""
        attributes |= node.get(ATTRIBUTES, {})
        tag: str = super().starttag(node, tagname, *arguments, **attributes)
        return tag


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform, and what writes the attributes."""
    app.add_post_transform(NarrowTables)
    app.set_translator("html", Translator)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
