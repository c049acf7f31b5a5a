"""Parts that several views have: facts about a heuristic, and their nodes."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from docutils import nodes
from sphinx.locale import admonitionlabels

from ..model import INDEX_PAGE, Heuristic
from ..resolve.listing import Link, bounds
from ..view import Here, HeuristicRef, views_of
from ..words import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx

    from ..resolve.public import PublicCatalogue

#: What is in a line: a node, or its text.
Part: TypeAlias = nodes.Node | str

#: The styles of pages for browsers and of those for e-books.
STYLE, _BOOK_STYLE = "heuristics.css", "heuristics-epub.css"

#: The class of the place that the filter's script fills, and that script.
FILTER, _FILTER_SCRIPT = "heuristic-filter", "heuristics-index.js"

#: The script of the search page.
SEARCH_SCRIPT = "heuristics-search.js"

#: Attributes in HTML that name a class of ours; in text, quotes are escaped.
_OURS = re.compile(r'class="([^"]*\bheuristic-[^"]*)"')

#: The words of the filter.
_WORDS = (
    N_("Filter:"),
    N_("Severity"),
    N_("Category"),
    N_("Show all"),
    N_("%s heuristics"),
    N_("%s of %s heuristics"),
)


class Meta(NamedTuple):
    """The line below a heuristic's title in an index."""

    severity: str
    #: The versions it holds for, or ``""``.
    bounds: str
    #: That it does not hold for the documented version, or ``""``.
    outdated: str

    @property
    def remark(self) -> str:
        """That it does not hold, with its bounds, or ``""``."""
        return f"{self.bounds}; {self.outdated}" if self.outdated else ""


def heuristic_ref(record: Heuristic) -> HeuristicRef:
    """Return a heuristic as a link names it."""
    return HeuristicRef(
        name=record.name,
        title=record.title,
        docname=record.docname,
        anchor=record.anchor,
    )


def meta(catalogue: PublicCatalogue, record: Heuristic) -> Meta:
    """Return the line below a heuristic's title in an index."""
    about = f"{catalogue.package} {catalogue.version}".strip()
    outdated = "" if catalogue.holds(record) else _("does not hold for %s") % about
    return Meta(severity=record.severity, bounds=bounds(record), outdated=outdated)


def severity_word(severity: str) -> str:
    """Return a severity's word in the language of the documentation."""
    return str(admonitionlabels[severity])


def outdated_nodes(remark: str) -> list[nodes.Node]:
    """Return the remark that a heuristic does not hold; nothing for ``""``."""
    return [nodes.Text(" "), nodes.strong("", f"({remark})")] if remark else []


def meta_parts(content: Meta, badge_class: str) -> list[list[Part]]:
    """Return a heuristic's severity, with a class of this name, and its versions."""
    severity = content.severity
    classes = [badge_class, f"heuristic-{severity}"]
    badge = nodes.inline("", severity_word(severity), classes=classes)
    parts: list[list[Part]] = [[badge]]
    if content.bounds:
        parts.append([content.bounds, *outdated_nodes(content.outdated)])
    return parts


def meta_nodes(content: Meta) -> nodes.paragraph:
    """Return the line below a heuristic's title in an index."""
    line = joined(meta_parts(content, "heuristic-severity"))
    return paragraph(*line, classes=["heuristic-meta"])


def link_nodes(link: Link, here: Here, *, marks: bool = False) -> list[nodes.Node]:
    """Return a connection by its name, linked where it exists.

    With *marks*, its mark and type are before it.
    """
    name: nodes.TextElement = nodes.inline("", link.text)
    if link.type in {"impl", "entry", "message"} and not marks:
        name = literal(link.text)
    linked = here.link(name, link.address)
    if marks:
        return [nodes.Text(f"{link.mark}\u00a0{link.word}: "), linked]
    remark = _("not in %s") % link.not_in if link.not_in else ""
    if link.planned:
        remark = _("planned")
    return [linked, nodes.Text(f" ({remark})")] if remark else [linked]


def joined(parts: Iterable[Sequence[Part]], between: str = ", ") -> list[nodes.Node]:
    """Return the nodes of all parts with a text *between* them."""
    found: list[nodes.Node] = []
    for part in parts:
        found += paragraph(between, *part).children
    return found[1:]


def literal(name: str) -> nodes.literal:
    """Return a name as code."""
    return nodes.literal("", name)


def collapsed(
    title: str, *children: nodes.Node, classes: list[str]
) -> nodes.admonition:
    """Return a block that readers open."""
    return nodes.admonition(
        "", nodes.title("", title), *children, classes=classes, collapsible="closed"
    )


def paragraph(*children: Part, classes: Sequence[str] = ()) -> nodes.paragraph:
    """Return a paragraph of inline nodes and text."""
    made = nodes.paragraph(classes=list(classes))
    for child in children:
        made += child if isinstance(child, nodes.Node) else nodes.Text(child)
    return made


def table(
    heads: Sequence[str],
    widths: Sequence[int],
    rows: Iterable[Sequence[Sequence[nodes.Node]]],
    *,
    classes: list[str],
) -> nodes.table:
    """Return a table; each cell is given as its block nodes."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", _row([paragraph(head)] for head in heads))
    group += nodes.tbody("", *(_row(cells) for cells in rows))
    # Sphinx's LaTeX writer sets long tables over several pages with this class.
    return nodes.table("", group, classes=[*classes, "longtable"])


def _row(cells: Iterable[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", *cell) for cell in cells))


def link_files(
    app: Sphinx, page: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Link our style sheet and scripts on the pages that have something of ours."""
    if "css_files" not in context:
        return  # JSON, which has no head
    used = set(" ".join(_OURS.findall(context.get("body", ""))).split())
    is_book = app.builder.name == "epub"
    is_own_index = page == INDEX_PAGE and doctree is None
    if is_own_index:
        # Sphinx's template takes it as it is.
        context["indextitle"] = escape(context["indextitle"])
    if is_own_index or used:
        app.add_css_file(_BOOK_STYLE if is_book else STYLE)
    for name, view in views_of(app).items():
        if view.style and name in used and not is_book:
            app.add_css_file(view.style.name)
    if FILTER in used:
        more: dict[str, Any] = {}
        said = {word: str(_(word)) for word in _WORDS}
        if translated := {word: it for word, it in said.items() if it != word}:
            more["data-words"] = json.dumps(translated, ensure_ascii=False)
        app.add_js_file(_FILTER_SCRIPT, loading_method="defer", **more)
