"""Node classes, their visitors, and the nodes that a record becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels

from sphinxext_heuristics.inline import thaw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sphinx.application import Sphinx

    from sphinxext_heuristics.model import Heuristic


class heuristic(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """A definition as its directive made it; a transform gives it its final form."""


class heuristic_note(nodes.paragraph):  # noqa: N801 - docutils' way
    """The note of a definition: kept for translation, shown if there is no body."""


class heuristic_facts(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """Where a definition's severity, versions and connections will stand."""


class heuristic_entries(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """Where a definition's list of API entries will stand."""


class heuristic_query(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """Where an index or a ``heuristics-for`` will stand."""


class heuristic_more(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """Admonitions that HTML collapses; ``summary`` is the line that opens them."""


def _visit_more_html(self: Any, node: heuristic_more) -> None:  # noqa: ANN401 - any writer
    self.body.append(
        self.starttag(node, "details", CLASS="heuristic-more") + f"<summary>{self.encode(node['summary'])}</summary>\n"
    )


def _depart_more_html(self: Any, _node: heuristic_more) -> None:  # noqa: ANN401 - any writer
    self.body.append("</details>\n")


def _pass(_self: Any, _node: heuristic_more) -> None:  # noqa: ANN401 - any writer
    """Write the children alone."""


def register(app: Sphinx) -> None:
    """Tell Sphinx the one class that reaches a writer; transforms replace the others."""
    transparent = (_pass, _pass)
    app.add_node(
        heuristic_more,
        html=(_visit_more_html, _depart_more_html),
        latex=transparent,
        text=transparent,
        man=transparent,
        texinfo=transparent,
    )
    for cls in (
        heuristic,
        heuristic_note,
        heuristic_facts,
        heuristic_entries,
        heuristic_query,
    ):
        app.add_node(cls)


#: What marks the container of quoted code and holds its place among those of the page.
EVIDENCE = "heuristic_evidence"


def is_evidence(node: nodes.Node) -> bool:
    """Return whether a node is a code block of quoted code."""
    return isinstance(node, nodes.container) and EVIDENCE in node


def severity_word(severity: str) -> str:
    """Return a severity's word in the language of the documentation."""
    return str(admonitionlabels[severity])


def link(name: str, text: str, docname: str) -> addnodes.pending_xref:
    """Return a link from the page *docname* to a heuristic."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text, classes=["heuristic-ref"]),
        refdomain="heuristic",
        reftype="ref",
        reftarget=name,
        refexplicit=True,
        refwarn=False,
        refdoc=docname,
    )


class Shower:
    """Makes the nodes of heuristics shown on one page.

    *relative* returns the URI from one document to another; *settle* lets a link lead
    where it does from the document that is given, and returns whether that is anywhere.
    """

    def __init__(
        self,
        docname: str,
        relative: Callable[[str, str], str],
        settle: Callable[[addnodes.pending_xref, str], bool],
    ) -> None:
        """Take the page that the nodes are for."""
        self.docname = docname
        self.relative = relative
        self.settle = settle

    def admonition(self, record: Heuristic) -> nodes.admonition:
        """Return the admonition that shows a heuristic: linked title and note."""
        severity = record.severity
        title = nodes.title("", f"{severity_word(severity)}: ")
        title += link(record.name, record.title, self.docname)
        box = nodes.admonition(
            "",
            title,
            classes=["heuristic", f"heuristic-{severity}", severity, *record.classes],
        )
        if record.note:
            box += nodes.paragraph("", "", *self.note(record))
        return box

    def note(self, record: Heuristic) -> list[nodes.Node]:
        """Return the inline nodes of a heuristic's note."""
        return thaw(record.note, record.docname, self.docname, self.relative, self.settle)

    def line(self, record: Heuristic) -> nodes.paragraph:
        """Return the one line that stands for a heuristic on an inherited copy."""
        severity = record.severity
        line = nodes.paragraph(
            "",
            f"{severity_word(severity)}: ",
            classes=["heuristic-line", f"heuristic-{severity}"],
        )
        line += link(record.name, record.title, self.docname)
        return line

    def stack(self, records: Sequence[Heuristic], max_shown: int) -> list[nodes.Node]:
        """Return the admonitions of several heuristics, those past the limit folded."""
        shown: list[nodes.Node] = [self.admonition(r) for r in records[:max_shown]]
        if rest := records[max_shown:]:
            shown.append(
                heuristic_more(
                    "",
                    *(self.admonition(record) for record in rest),
                    summary=more_summary(rest),
                )
            )
        return shown


def more_summary(records: Sequence[Heuristic]) -> str:
    """Return the line that stands for collapsed heuristics: number and titles."""
    titles = ", ".join(record.title for record in records)
    return f"{len(records)} more: {titles}"


def field(name: str, *children: nodes.Node) -> nodes.field:
    """Return one field of a field list."""
    return nodes.field(
        "",
        nodes.field_name("", name),
        nodes.field_body("", nodes.paragraph("", "", *children)),
    )


def joined(parts: Iterable[Sequence[nodes.Node]]) -> list[nodes.Node]:
    """Return the nodes of all parts with a comma between one part and the next."""
    result: list[nodes.Node] = []
    for part in parts:
        if result:
            result.append(nodes.Text(", "))
        result.extend(part)
    return result


def reference(text: nodes.Node, uri: str, *, internal: bool) -> nodes.reference:
    """Return a link with the given content."""
    return nodes.reference("", "", text, refuri=uri, internal=internal)
