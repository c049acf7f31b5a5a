"""The index in the site: a table or cards, categories with counts, the legend; or what is missing, as a worklist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics._core.resolve import listing as index
from sphinxext_heuristics._core.show.parts import (
    Meta,
    joined,
    link_nodes,
    links,
    meta,
    meta_nodes,
    named,
    paragraph,
    script_place,
    table,
)
from sphinxext_heuristics._core.view import View
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinxext_heuristics._core.model import Note, Query
    from sphinxext_heuristics._core.resolve.listing import Category, Link
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import Here, Named


class Row(NamedTuple):
    """One heuristic in the index."""

    named: Named
    meta: Meta
    categories: tuple[str, ...]
    links: tuple[Link, ...]
    note: Note
    #: What the filter finds it by and readers do not see: keywords and messages.
    words: str


class Pages(NamedTuple):
    """The index of some heuristics."""

    rows: tuple[Row, ...]
    categories: tuple[Category, ...]
    cards: bool
    #: Whether connections have their types and marks, as in the index file.
    marks: bool


class Missing(NamedTuple):
    """The missing targets of some heuristics: what each is called, and who waits for it."""

    rows: tuple[tuple[str, tuple[Named, ...]], ...]


class IndexView(View):
    """Heuristics with their connections, the categories and the legend."""

    name = "heuristic-index"

    def content(self, plan: Plan, query: Query, docname: str) -> Pages | Missing:
        """Return the rows of what is asked for."""
        records, marks = plan.selection(query.filters), bool(query.option("marks"))
        if query.option("missing"):
            return Missing(
                rows=tuple(
                    (
                        f"{index.MISSING}\u00a0{row.link.word}: {row.link.text}",
                        tuple(map(named, row.heuristics)),
                    )
                    for row in index.worklist(plan, records)
                )
            )
        return Pages(
            rows=tuple(
                Row(
                    named=named(record),
                    meta=meta(plan, record),
                    categories=record.categories,
                    links=links(plan, record, marks=marks),
                    note=plan.note(record),
                    words=" ".join(
                        dict.fromkeys(
                            (
                                *record.keywords,
                                *(it.text for it, _quoted in plan.messages(record)),
                            )
                        )
                    ),
                )
                for record in records
            ),
            categories=index.categories(records, plan.settings.categories),
            cards=query.option("layout") == "cards",
            marks=marks,
        )

    def nodes(self, content: Pages | Missing, here: Here) -> list[nodes.Node]:
        """Return the index, or the worklist."""
        if isinstance(content, Missing):
            return _worklist(content, here)
        form = _cards if content.cards else _table
        names = [category.name for category in content.categories if category.number]
        place = script_place(
            "heuristic-filter",
            categories=names,
            words=[row.words for row in content.rows],
        )
        listed = form(content.rows, here, marks=content.marks)
        return [
            place,
            listed,
            *_categories(content.categories),
            *[_legend()] * content.marks,
        ]


def _tags(categories: Sequence[str]) -> list[nodes.Node]:
    """Return the categories of a row or card, by which the script filters; nothing for none."""
    tags = joined(
        [
            [nodes.inline("", name, classes=["heuristic-category"])]
            for name in categories
        ],
        " ",
    )
    return (
        [
            addnodes.only(
                "",
                nodes.paragraph("", "", *tags, classes=["heuristic-tags"]),
                expr="html",
            )
        ]
        if tags
        else []
    )


def _table(rows: Iterable[Row], here: Here, *, marks: bool) -> nodes.Node:
    cells = (
        (
            [
                paragraph(here.heuristic(row.named)),
                meta_nodes(row.meta),
                *_tags(row.categories),
            ],
            [_connections(row, here, marks=marks)],
            [paragraph(*here.note(row.note))],
        )
        for row in rows
    )
    return table(
        (_("Heuristic"), _("Connections"), _("Note")),
        (30, 35, 35),
        cells,
        classes=["heuristic-index"],
    )


def _connections(row: Row, here: Here, *, marks: bool) -> nodes.Node:
    lines = nodes.line_block(classes=["heuristic-connections"])
    lines += [
        nodes.line("", "", *link_nodes(one, here, marks=marks)) for one in row.links
    ]
    return lines


def _cards(rows: Iterable[Row], here: Here, *, marks: bool) -> nodes.Node:
    """Return cards that sphinx-design's style sheet, or else our own, lays out."""
    grid = _div("grid-container", ["heuristic-cards"])
    for row in rows:
        body = _div("card-body", ["sd-card-body"])
        body += nodes.paragraph(
            "", "", here.heuristic(row.named), classes=["sd-card-title"]
        )
        body += meta_nodes(row.meta)
        body += paragraph(*here.note(row.note))
        body += _connections(row, here, marks=marks)
        body += _tags(row.categories)
        card = _div(
            "card", ["sd-card", "sd-shadow-sm", f"heuristic-{row.meta.severity}"]
        )
        card += body
        grid += card
    return grid


def _div(component: str, classes: list[str]) -> nodes.container:
    attributes: dict[str, Any] = {"is_div": True, "design_component": component}
    return nodes.container(classes=classes, **attributes)


def _categories(rows: Iterable[Category]) -> list[nodes.Node]:
    cells = [
        (
            [paragraph(row.name)],
            [paragraph(str(row.number))],
            [paragraph(row.description)],
        )
        for row in rows
    ]
    if not cells:
        return []
    heads = (_("Category"), _("Count"), _("Description"))
    return [
        nodes.rubric("", _("Categories")),
        table(heads, (30, 10, 60), cells, classes=["heuristic-categories"]),
    ]


def _legend() -> nodes.Node:
    said = _("%s the page or object exists, %s it is still missing") % (
        index.EXISTS,
        index.MISSING,
    )
    return nodes.paragraph(
        "",
        "",
        nodes.strong("", _("Legend:")),
        nodes.Text(f" {said}"),
        classes=["heuristic-legend"],
    )


def _worklist(content: Missing, here: Here) -> list[nodes.Node]:
    if not content.rows:
        return [paragraph(_("Nothing is missing."))]
    cells = (
        (
            [paragraph(missing)],
            [paragraph(*joined([here.heuristic(one)] for one in waiting))],
        )
        for missing, waiting in content.rows
    )
    return [
        table(
            (_("Missing"), _("Wanted by")),
            (50, 50),
            cells,
            classes=["heuristic-worklist"],
        )
    ]
