"""Records to nodes: definitions' facts and the index."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, cast

from docutils import nodes

from sphinxext_heuristics import graph, index, message_index
from sphinxext_heuristics.controls import filter_of, tags_of
from sphinxext_heuristics.evidence import Found
from sphinxext_heuristics.model import CONNECTION_TYPES
from sphinxext_heuristics.nodes import Shower, field, joined, link, reference, severity_word
from sphinxext_heuristics.release_table import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sphinx.addnodes import pending_xref

    from sphinxext_heuristics.config import Settings
    from sphinxext_heuristics.evidence import Lost
    from sphinxext_heuristics.graph import Edge
    from sphinxext_heuristics.index import Link
    from sphinxext_heuristics.model import Evidence, Heuristic, Query
    from sphinxext_heuristics.plan import Plan, Resolved, Shown, Target


class Renderer:
    """Makes the nodes of definitions and indexes for one page."""

    def __init__(
        self,
        plan: Plan,
        docname: str,
        relative: Callable[[str, str], str],
        settle: Callable[[pending_xref, str], bool],
    ) -> None:
        """Take the page that the nodes are for."""
        self.plan = plan
        self.docname = docname
        self.relative = relative
        self.shower = Shower(docname, relative, settle)

    # -- a definition -----------------------------------------------------------------

    def facts(self, record: Heuristic, resolved: Sequence[Resolved]) -> list[nodes.Node]:
        """Return what stands under a definition's title."""
        listed = nodes.field_list(classes=["heuristic-facts"])
        listed += field("Severity", nodes.Text(severity_word(record.severity)))
        if bounds := index.bounds(record):
            listed += field("Versions", nodes.Text(bounds), *self._outdated(record))
        if record.categories:
            listed += field("Categories", nodes.Text(", ".join(record.categories)))
        links = index.links(resolved, self.plan.settings.package)
        for type_ in CONNECTION_TYPES:
            if chosen := [one for one in links if one.type == type_]:
                parts = [self._link(one) for one in chosen]
                listed += field(self._type_word(type_), *joined(parts))
        return [listed]

    @staticmethod
    def _type_word(type_: str) -> str:
        return {
            "impl": "Applies to",
            "workflow": "Workflow",
            "principle": "Principle",
            "env": "Environment",
        }[type_]

    def _outdated(self, record: Heuristic) -> list[nodes.Node]:
        if self.plan.holds(record):
            return []
        package, version = self.plan.settings.package, self.plan.known.version
        text = "does not hold for " + f"{package} {version}".strip()
        return [nodes.Text(" "), nodes.strong("", f"({text})")]

    def _link(self, one: Link) -> list[nodes.Node]:
        """Return a connection's name, linked, with a mark if it is missing."""
        name = (nodes.literal if one.type == "impl" else nodes.inline)("", one.text)
        if one.target is None:
            return [nodes.Text(f"{index.MISSING} "), name]
        return [self._reference(name, one.target)]

    def _reference(self, name: nodes.TextElement, target: Target | Shown) -> nodes.Node:
        if uri := getattr(target, "uri", ""):
            return reference(name, uri, internal=False)
        if target.docname == self.docname and target.anchor:
            return nodes.reference("", "", name, refid=target.anchor, internal=True)
        uri = self.relative(self.docname, target.docname)
        if not uri and target.docname != self.docname:
            return name  # the page is not in this book
        anchor = f"#{target.anchor}" if target.anchor else ""
        return reference(name, uri + anchor, internal=True)

    def entries(self, record: Heuristic) -> list[nodes.Node]:
        """Return the list of API entries that show a definition; nothing for none."""
        if self.plan.heuristics.get(record.name) is not record:
            return []
        shown = self.plan.shown_in.get(record.name, ())
        if not shown:
            return []
        parts = [[self._reference(nodes.literal("", self._short(one.name)), one)] for one in shown]
        listed = nodes.field_list(classes=["heuristic-entries"])
        listed += field("Shown in", *joined(parts))
        return [listed]

    def _short(self, name: str) -> str:
        package = self.plan.settings.package
        return name.removeprefix(f"{package}.") if package else name

    # -- evidence ---------------------------------------------------------------------

    def complete(self, record: Evidence, node: nodes.container) -> None:
        """Let the caption of a quote's code block say which object of which version it is, and where it stands."""
        found = self.plan.known.verify(record)
        version = self.plan.version_of(record)
        caption = cast("nodes.caption", node[0])
        caption.clear()
        caption += [
            *self._origin(record, self.plan.package_of(record), version),
            nodes.Text(", "),
            *self._standing(record, found, version),
        ]

    @staticmethod
    def _origin(record: Evidence, package: str, version: str) -> list[nodes.Node]:
        """Return the object and its package's version."""
        spoken: list[nodes.Node] = [nodes.literal("", name) for name in (record.qualname, record.module) if name]
        package = f"{package} {version}".strip()
        spoken += [nodes.Text(package)] if package != record.module else []
        return joined([part] for part in spoken)

    def _standing(self, record: Evidence, found: Found | Lost, version: str) -> list[nodes.Node]:
        """Return the line where a quote stands, linked where its source is published."""
        if not isinstance(found, Found):
            return [nodes.strong("", "not found there")]
        text = nodes.inline("", f"line {found.line}")
        uri = source_url(self.plan.settings, record, found, version)
        return [reference(text, uri, internal=False) if uri else nodes.Text(text.astext())]

    # -- queries ----------------------------------------------------------------------

    def query(self, query: Query) -> list[nodes.Node]:
        """Return what takes the place of an index or ``heuristics-for`` directive."""
        records = self.plan.selection(query)
        if query.kind == "for":
            return self.shower.stack(records, self.plan.settings.max_shown)
        if query.kind == "graph":
            return self._graph(records)
        if query.kind == "messages":
            return self._messages(records)
        if query.kind == "releases":
            return table_of(self.plan, records, lambda record: [paragraph(self._title(record)), *self._meta(record)])
        if query.missing:
            return self._worklist(records)
        form = self._cards if query.layout == "cards" else self._pages
        return [self._filter(records), form(records), *self._categories(records), self._legend()]

    def _messages(self, records: Iterable[Heuristic]) -> list[nodes.Node]:
        rows = message_index.rows(self.plan, records)
        if not rows:
            return [text("No message is quoted.")]
        listed = nodes.definition_list(classes=["heuristic-messages"])
        for row in rows:
            definition = nodes.definition("", *(paragraph(self._line(record)) for record in row.heuristics))
            if row.objects:
                names = joined([nodes.literal("", name)] for name in row.objects)
                definition += nodes.paragraph("", "", nodes.Text("In "), *names, classes=["heuristic-meta"])
            listed += nodes.definition_list_item(
                "",
                nodes.term("", "", nodes.literal("", row.message.text), ids=[row.anchor]),
                nodes.classifier("", row.message.kind),
                definition,
            )
        return [listed]

    def _line(self, record: Heuristic) -> list[nodes.Node]:
        """Return a heuristic's title, linked, and its note."""
        note = [nodes.Text(": "), *self.shower.note(record)] if record.note else []
        return [*self._title(record), *self._outdated(record), *note]

    def _filter(self, records: Iterable[Heuristic]) -> nodes.Node:
        rows = index.categories(records, self.plan.settings.categories)
        return filter_of(row.name for row in rows if row.count)

    def _pages(self, records: Iterable[Heuristic]) -> nodes.Node:
        return table(
            ("Heuristic", "Connections", "Note"),
            (30, 35, 35),
            (
                (
                    [paragraph(self._title(record)), *self._meta(record), *tags_of(record.categories)],
                    [self._connections(record)],
                    [paragraph(self.shower.note(record))],
                )
                for record in records
            ),
            classes=["heuristic-index"],
        )

    def _title(self, record: Heuristic) -> list[nodes.Node]:
        return [link(record.name, record.title, self.docname)]

    def _meta(self, record: Heuristic) -> list[nodes.Node]:
        word = severity_word(record.severity)
        classes = ["heuristic-severity", f"heuristic-{record.severity}"]
        children: list[nodes.Node] = [nodes.inline("", word, classes=classes)]
        if bounds := index.bounds(record):
            children += [nodes.Text(f", {bounds}"), *self._outdated(record)]
        return [nodes.paragraph("", "", *children, classes=["heuristic-meta"])]

    def _connections(self, record: Heuristic) -> nodes.Node:
        lines = nodes.line_block(classes=["heuristic-connections"])
        resolved = self.plan.connections(record)
        for one in index.links(resolved, self.plan.settings.package):
            name = nodes.inline("", one.text)
            shown = self._reference(name, one.target) if one.target else name
            lines += nodes.line("", f"{one.mark}\u00a0{one.word}: ", shown)
        return lines

    def _cards(self, records: Iterable[Heuristic]) -> nodes.Node:
        """Return cards that sphinx-design's style sheet, or else our own, lays out."""
        grid = nodes.container(classes=["heuristic-cards"], is_div=True, design_component="grid-container")
        for record in records:
            body = nodes.container(classes=["sd-card-body"], is_div=True, design_component="card-body")
            body += nodes.paragraph("", "", *self._title(record), classes=["sd-card-title"])
            body += self._meta(record)
            body += paragraph(self.shower.note(record))
            body += self._connections(record)
            body += tags_of(record.categories)
            card = nodes.container(
                classes=["sd-card", "sd-shadow-sm", f"heuristic-{record.severity}"],
                is_div=True,
                design_component="card",
            )
            card += body
            grid += card
        return grid

    def _categories(self, records: Iterable[Heuristic]) -> list[nodes.Node]:
        described = self.plan.settings.categories
        rows = index.categories(records, described)
        if not rows:
            return []
        return [
            nodes.rubric("", "Categories"),
            table(
                ("Category", "Count", "Description"),
                (30, 10, 60),
                (([text(row.name)], [text(str(row.count))], [text(row.description)]) for row in rows),
                classes=["heuristic-categories"],
            ),
        ]

    def _graph(self, records: Iterable[Heuristic]) -> list[nodes.Node]:
        branches = graph.graph_of(self.plan, records)
        if not branches:
            return [text("No heuristic is to be shown.")]
        listed = nodes.bullet_list()
        for branch in branches:
            title = link(branch.record.name, branch.record.title, self.docname)
            for name in title.findall(nodes.inline):
                name[graph.NODE] = branch.node
            listed += nodes.list_item("", paragraph([title]), *self._branch(branch.edges))
        return [graph.heuristic_graph("", listed, dot=graph.dot_of(branches))]

    def _branch(self, edges: Sequence[Edge]) -> list[nodes.Node]:
        """Return a heuristic's connections as a list, each telling its node of the picture."""
        listed = nodes.bullet_list()
        for edge in edges:
            one = edge.link
            name = nodes.inline("", one.text, **{graph.NODE: edge.node})
            shown = self._reference(name, one.target) if one.target else name
            listed += nodes.list_item("", paragraph([nodes.Text(f"{one.mark}\u00a0{one.word}: "), shown]))
        return [listed] if edges else []

    @staticmethod
    def _legend() -> nodes.Node:
        legend = nodes.paragraph(classes=["heuristic-legend"])
        legend += nodes.strong("", "Legend:")
        legend += nodes.Text(f" {index.EXISTS} the page or object exists, {index.MISSING} it is still missing")
        return legend

    def _worklist(self, records: Iterable[Heuristic]) -> list[nodes.Node]:
        rows = list(index.worklist(self.plan, records))
        if not rows:
            return [text("Nothing is missing.")]
        return [
            table(
                ("Missing", "Wanted by"),
                (50, 50),
                (
                    (
                        [text(f"{index.MISSING}\u00a0{row.link.word}: {row.link.text}")],
                        [paragraph(joined(map(self._title, row.heuristics)))],
                    )
                    for row in rows
                ),
                classes=["heuristic-worklist"],
            )
        ]


def source_url(settings: Settings, record: Evidence, found: Found, version: str) -> str:
    """Return where quoted source is published, or ``""``; the template is that of the documented package."""
    if not settings.source_url or (settings.package and not record.is_of(settings.package)):
        return ""
    if not version and any(name == "version" for _text, name, *_rest in Formatter().parse(settings.source_url)):
        return ""  # a link to no version would lead nowhere
    parts = found.module.split(".")
    parts += ["__init__"] if found.path.stem == "__init__" else []
    return settings.source_url.format(
        path="/".join(parts) + found.path.suffix, line=found.line, module=found.module, version=version
    )


def text(content: str) -> nodes.paragraph:
    """Return a paragraph of plain text."""
    return nodes.paragraph("", content)


def paragraph(children: Iterable[nodes.Node]) -> nodes.paragraph:
    """Return a paragraph with the given inline nodes."""
    return nodes.paragraph("", "", *children)


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
    group += nodes.thead("", _row([text(head)] for head in heads))
    group += nodes.tbody("", *(_row(cells) for cells in rows))
    # Sphinx's LaTeX writer sets long tables over several pages with this class.
    return nodes.table("", group, classes=[*classes, "longtable"])


def _row(cells: Iterable[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", *cell) for cell in cells))
