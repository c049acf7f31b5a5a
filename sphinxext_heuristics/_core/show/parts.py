"""Parts that several views have: what they say of a heuristic, and the nodes of it."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels

from sphinxext_heuristics._core.model import INDEX_PAGE
from sphinxext_heuristics._core.resolve import listing as index
from sphinxext_heuristics._core.view import Named
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx

    from sphinxext_heuristics._core.model import Heuristic
    from sphinxext_heuristics._core.resolve.listing import Link
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import Here

#: The styles of pages for browsers and of those for e-books.
STYLE, _BOOK_STYLE = "heuristics.css", "heuristics-epub.css"

#: The class of a place that a script fills → the script.
_SCRIPTS = {
    "heuristic-filter": "heuristics-index.js",
    "heuristic-paste": "heuristics-messages.js",
}

#: What scripts say → the same for readers.
_SAID = {
    "Filter:": _("Filter:"),
    "Severity": _("Severity"),
    "Category": _("Category"),
    "Show all": _("Show all"),
    "%s heuristics": _("%s heuristics"),
    "%s of %s heuristics": _("%s of %s heuristics"),
    "Paste an error message, a warning or a whole traceback": _(
        "Paste an error message, a warning or a whole traceback"
    ),
    "Find": _("Find"),
    "The text stays in your browser.": _("The text stays in your browser."),
    "1 message fits:": _("1 message fits:"),
    "%s messages fit, the best first:": _("%s messages fit, the best first:"),
    "No message fits this text. The closest are:": _(
        "No message fits this text. The closest are:"
    ),
    "No message fits this text.": _("No message fits this text."),
}


class Meta(NamedTuple):
    """What an index says below a heuristic's title."""

    severity: str
    #: The versions it holds for, or ``""``.
    bounds: str
    #: That it does not hold for the documented version, or ``""``.
    outdated: str


def named(record: Heuristic) -> Named:
    """Return a heuristic as a link names it."""
    return Named(
        name=record.name,
        title=record.title,
        docname=record.docname,
        anchor=record.anchor,
    )


def meta(plan: Plan, record: Heuristic) -> Meta:
    """Return what an index says below a heuristic's title."""
    about = f"{plan.settings.package} {plan.lookups.version}".strip()
    outdated = "" if plan.holds(record) else _("does not hold for %s") % about
    return Meta(
        severity=record.severity, bounds=index.bounds(record), outdated=outdated
    )


def links(plan: Plan, record: Heuristic, *, marks: bool = False) -> tuple[Link, ...]:
    """Return a heuristic's connections as an index lists them: with *marks* by their names, else by titles."""
    return index.links(
        plan.connections(record), plan.settings.package, None if marks else plan
    )


def severity_word(severity: str) -> str:
    """Return a severity's word in the language of the documentation."""
    return str(admonitionlabels[severity])


def outdated_nodes(said: str) -> list[nodes.Node]:
    """Return the words for a heuristic that does not hold; nothing for ``""``."""
    return [nodes.Text(" "), nodes.strong("", f"({said})")] if said else []


def meta_nodes(said: Meta) -> nodes.paragraph:
    """Return the line below a heuristic's title in an index."""
    classes = ["heuristic-severity", f"heuristic-{said.severity}"]
    line = nodes.paragraph("", "", classes=["heuristic-meta"])
    line += nodes.inline("", severity_word(said.severity), classes=classes)
    if said.bounds:
        line += [nodes.Text(f", {said.bounds}"), *outdated_nodes(said.outdated)]
    return line


def link_nodes(one: Link, here: Here, *, marks: bool = False) -> list[nodes.Node]:
    """Return a connection by its name, linked where it exists; with *marks*, with its mark and type before it."""
    name = (nodes.literal if one.type == "impl" and not marks else nodes.inline)(
        "", one.text
    )
    shown: list[nodes.Node] = [here.link(name, one.target) if one.target else name]
    if marks:
        return [nodes.Text(f"{one.mark}\u00a0{one.word}: "), *shown]
    planned = " (" + _("planned") + ")"
    return [*shown, nodes.Text(planned)] if one.planned and not one.target else shown


def joined(
    parts: Iterable[Sequence[nodes.Node]], between: str = ", "
) -> list[nodes.Node]:
    """Return the nodes of all parts with a comma, or what else is to be *between* one part and the next."""
    return [node for part in parts for node in (nodes.Text(between), *part)][1:]


def field(name: str, *children: nodes.Node) -> nodes.field:
    """Return one field of a field list."""
    body = nodes.field_body("", nodes.paragraph("", "", *children))
    return nodes.field("", nodes.field_name("", str(name)), body)


def paragraph(*children: nodes.Node | str) -> nodes.paragraph:
    """Return a paragraph of inline nodes and text."""
    return nodes.paragraph(
        "",
        "",
        *(one if isinstance(one, nodes.Node) else nodes.Text(one) for one in children),
    )


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


def script_place(name: str, **data: object) -> nodes.Node:
    """Return the place of a class that a script fills, with its data; an e-book has no scripts."""
    said = "".join(
        f' data-{key}="{escape(json.dumps(it, ensure_ascii=False))}"'
        for key, it in data.items()
    )
    place = f'<div class="{name}"{said} hidden="hidden"></div>\n'
    return addnodes.only(
        "", nodes.raw("", place, format="html", script=name), expr="html and not epub"
    )


def link_files(
    app: Sphinx,
    page: str,
    _template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Link our style sheet and scripts on the pages that have something of ours."""
    if "css_files" not in context:
        return  # JSON, which has no head
    elements = doctree.findall(nodes.Element) if doctree else ()
    used = {
        name
        for node in elements
        for name in (*node.get("classes", ()), node.get("script"))
    }
    is_own_index = page == INDEX_PAGE and doctree is None
    if is_own_index or any(str(name).startswith("heuristic-") for name in used):
        app.add_css_file(_BOOK_STYLE if app.builder.name == "epub" else STYLE)
    for name in sorted(used & _SCRIPTS.keys()):
        said = {english: str(it) for english, it in _SAID.items() if str(it) != english}
        more: dict[str, Any] = (
            {"data-words": json.dumps(said, ensure_ascii=False)} if said else {}
        )
        app.add_js_file(_SCRIPTS[name], loading_method="defer", **more)
