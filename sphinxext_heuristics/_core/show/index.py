"""The index in the site: a table or cards with the categories, or a worklist."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from docutils import nodes
from sphinx import addnodes

from ..model import CONNECTION_TYPES
from ..resolve import listing as index
from ..view import Here, HeuristicRef, View
from ..words import _
from .parts import (
    FILTER,
    Meta,
    heuristic_ref,
    joined,
    link_nodes,
    meta,
    meta_nodes,
    paragraph,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..model import Heuristic, Note, Query
    from ..resolve.listing import Category, Link
    from ..resolve.meanings import Meanings
    from ..resolve.plan import Plan


class IndexRow(NamedTuple):
    """One heuristic in the index."""

    ref: HeuristicRef
    meta: Meta
    categories: tuple[str, ...]
    links: tuple[Link, ...]
    note: Note
    #: What the filter finds it by and readers do not see: keywords and messages.
    words: str


class Index(NamedTuple):
    """The index of some heuristics."""

    rows: tuple[IndexRow, ...]
    categories: tuple[Category, ...]
    cards: bool
    #: Whether connections have their types and marks, as in the index file.
    marks: bool


#: What is missing → the heuristics that wait for it.
Worklist: TypeAlias = "dict[str, list[HeuristicRef]]"


class IndexView(View):
    """Heuristics with their connections, the categories and the legend."""

    name = "heuristic-index"

    def content(self, plan: Plan, query: Query, docname: str) -> Index | Worklist:
        """Return the index of the chosen heuristics, or their missing targets."""
        records = plan.meanings.selection(query.filters)
        if query.option("missing"):
            return _worklist(plan.meanings, records)
        marks = bool(query.option("marks"))
        return Index(
            rows=tuple(
                _row(plan, record, marks=marks) for record in index.by_severity(records)
            ),
            categories=index.categories(records, plan.catalogue.settings.categories),
            cards=query.option("layout") == "cards",
            marks=marks,
        )

    def nodes(self, content: Index | Worklist, here: Here) -> list[nodes.Node]:
        """Return the index, or the worklist."""
        if isinstance(content, dict):
            return _worklist_nodes(content, here)
        layout = _cards if content.cards else _table
        shown = [
            _filter(content),
            layout(content.rows, here, marks=content.marks),
            *_categories(content.categories),
        ]
        if content.marks:
            shown.append(_legend())
        return shown


def _filter(content: Index) -> nodes.Node:
    """Return the place of the filter, which a script makes of its data."""
    data = {
        "categories": [row.name for row in content.categories if row.number],
        "words": [row.words for row in content.rows],
    }
    attributes = ""
    for key, value in data.items():
        text = escape(json.dumps(value, ensure_ascii=False))
        attributes += f' data-{key}="{text}"'
    place = f'<div class="{FILTER}"{attributes} hidden="hidden"></div>\n'
    return _in_browsers(place)


def _in_browsers(html: str) -> nodes.Node:
    """Return what only browsers get: an e-book neither has scripts nor folds."""
    raw = nodes.raw("", html, format="html")
    return addnodes.only("", raw, expr="html and not epub")


def _row(plan: Plan, record: Heuristic, *, marks: bool) -> IndexRow:
    messages = [message.text for message, _evidence in plan.quotes.messages(record)]
    return IndexRow(
        ref=heuristic_ref(record),
        meta=meta(plan.catalogue, record),
        categories=record.categories,
        links=plan.meanings.links(record, marks=marks),
        note=plan.note(record),
        words=" ".join(dict.fromkeys([*record.keywords, *record.messages, *messages])),
    )


def _worklist(meanings: Meanings, records: Iterable[Heuristic]) -> Worklist:
    waiting: dict[tuple[int, str], list[HeuristicRef]] = {}
    for record in records:
        for link in meanings.links(record, marks=True):
            if link.address is None and not link.not_in:
                name = f"{link.mark}\u00a0{link.word}: {link.text}"
                key = CONNECTION_TYPES.index(link.type), name
                waiting.setdefault(key, []).append(heuristic_ref(record))
    return {key[1]: waiting[key] for key in sorted(waiting)}


def _tags(categories: Sequence[str]) -> list[nodes.Node]:
    """Return the categories of a row or card, by which the script filters."""
    if not categories:
        return []
    tags = joined(
        (
            [nodes.inline("", name, classes=["heuristic-category"])]
            for name in categories
        ),
        " ",
    )
    line = paragraph(*tags, classes=["heuristic-tags"])
    return [addnodes.only("", line, expr="html")]


def _table(rows: Iterable[IndexRow], here: Here, *, marks: bool) -> nodes.Node:
    cells = []
    for row in rows:
        about = [
            paragraph(here.heuristic(row.ref), classes=["heuristic-title"]),
            paragraph(*here.note(row.note)),
            meta_nodes(row.meta),
            *_tags(row.categories),
        ]
        cells.append((about, _connections(row, here, marks=marks)))
    heads = (_("Heuristic"), _("Connections"))
    return table(heads, (65, 35), cells, classes=["heuristic-index"])


def _connections(row: IndexRow, here: Here, *, marks: bool) -> list[nodes.Node]:
    """Return the connections, which a reader of HTML opens.

    With *marks* they are what the index is for, and open.
    """
    if not row.links:
        return []
    block = nodes.line_block(classes=["heuristic-connections"])
    for link in row.links:
        block += nodes.line("", "", *link_nodes(link, here, marks=marks))
    if marks:
        return [block]
    # In HTML's own words: as an admonition, each theme would draw a box.
    head = escape(_("Connections"))
    summary = f"<summary>{head} ({len(row.links)})</summary>"
    return [
        _in_browsers(f'<details class="heuristic-fold">{summary}\n'),
        block,
        _in_browsers("</details>\n"),
    ]


def _cards(rows: Iterable[IndexRow], here: Here, *, marks: bool) -> nodes.Node:
    """Return cards that sphinx-design's style sheet, or else our own, lays out."""
    grid = _div("heuristic-cards")
    for row in rows:
        title = here.heuristic(row.ref)
        body = _div("sd-card-body")
        body += paragraph(title, classes=["sd-card-title"])
        body += meta_nodes(row.meta)
        body += paragraph(*here.note(row.note))
        body += _connections(row, here, marks=marks)
        body += _tags(row.categories)
        card = _div("sd-card", "sd-shadow-sm", f"heuristic-{row.meta.severity}")
        card += body
        grid += card
    return grid


def _div(*classes: str) -> nodes.container:
    # Themes lay out the class `container`, which sphinx-design leaves out of this.
    return nodes.container(classes=list(classes), is_div=True)


def _categories(rows: Iterable[Category]) -> list[nodes.Node]:
    cells = []
    for row in rows:
        texts = (row.name, str(row.number), row.description)
        cells.append([[paragraph(text)] for text in texts])
    if not cells:
        return []
    heads = (_("Category"), _("Count"), _("Description"))
    return [
        nodes.rubric("", _("Categories")),
        table(heads, (30, 10, 60), cells, classes=["heuristic-categories"]),
    ]


def _legend() -> nodes.Node:
    meaning = _("%s the page or object exists, %s it is still missing") % (
        index.EXISTS,
        index.MISSING,
    )
    head = nodes.strong("", _("Legend:"))
    return paragraph(head, f" {meaning}", classes=["heuristic-legend"])


def _worklist_nodes(content: Worklist, here: Here) -> list[nodes.Node]:
    if not content:
        return [paragraph(_("Nothing is missing."))]
    cells = []
    for name, waiting in content.items():
        linked = joined([here.heuristic(heuristic)] for heuristic in waiting)
        cells.append(([paragraph(name)], [paragraph(*linked)]))
    heads = (_("Missing"), _("Wanted by"))
    return [table(heads, (50, 50), cells, classes=["heuristic-worklist"])]
