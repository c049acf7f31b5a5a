"""The graph of heuristics and what they connect to: a picture in HTML, a nested list everywhere.

The list is the text alternative, and what Sphinx resolves the links of: the picture takes them from there when
the page is written, so that they are right in every builder. Graphviz draws it with placeholders for links.
"""

from __future__ import annotations

import re
import textwrap
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.ext.graphviz import GraphvizError, render_dot
from sphinx.util import logging

from sphinxext_heuristics.nodes import add_html_node, write_children
from sphinxext_heuristics.show.parts import FilteredView, link_nodes, links, named, paragraph, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx

    from sphinxext_heuristics.model import Query
    from sphinxext_heuristics.resolve.listing import Link
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.view import Here, Named

logger = logging.getLogger(__name__)

#: The attribute that gives, for a name in the list, its node of the picture.
NODE = "graph_node"

#: Shapes by connection type; heuristics are rounded boxes.
_SHAPES = {"impl": "box", "workflow": "note", "principle": "ellipse", "env": "hexagon"}

#: Grey is readable on light and on dark; the style sheet puts the text's own colour in its place.
_GREY = "#808080"

#: A label's width in characters, after which it goes on in a further line.
_WIDTH = 32

_HEAD = f"""\
digraph heuristics {{
graph [rankdir=LR bgcolor=transparent ranksep=0.8 nodesep=0.15 margin=0]
node [fontname="Helvetica,Arial,sans-serif" fontsize=12 color="{_GREY}" fontcolor="{_GREY}" margin="0.15,0.08"]
edge [color="{_GREY}" arrowsize=0.6]"""


class heuristic_graph(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """The graph: ``dot`` holds the picture's source; the children are the list."""


class Edge(NamedTuple):
    """A connection in the graph."""

    #: The connection as the index lists it.
    link: Link
    #: The id of the node it leads to.
    node: str


class Branch(NamedTuple):
    """A heuristic and its connections in the graph."""

    named: Named
    severity: str
    #: The id of its node.
    node: str
    #: Its connections, as the index lists them.
    edges: tuple[Edge, ...]


class Graph(NamedTuple):
    """The graph of some heuristics."""

    branches: tuple[Branch, ...]
    #: Whether the builder's pages have the picture.
    drawn: bool


class GraphView(FilteredView):
    """Heuristics and what they connect to as a picture whose nodes are links, and as a list."""

    name = "heuristic-graph"

    def content(self, plan: Plan, query: Query, docname: str) -> Graph:
        """Return the graph; what is one target is one node, whatever it is called."""
        ids: dict[object, str] = {}
        branches = tuple(
            Branch(
                named=named(record),
                severity=record.severity,
                node=f"h{number}",
                edges=tuple(
                    Edge(link=link, node=ids.setdefault((link.type, link.target or link.text), f"t{len(ids)}"))
                    for link in links(plan, record)
                ),
            )
            for number, record in enumerate(plan.selection(query.filters))
        )
        return Graph(branches=branches, drawn=plan.lookups.draws)

    def nodes(self, content: Graph, here: Here) -> list[nodes.Node]:
        """Return the list, which carries the source of the picture."""
        if not content.branches:
            return [text("No heuristic is to be shown.")]
        listed = nodes.bullet_list()
        for branch in content.branches:
            title = here.heuristic(branch.named)
            for name in title.findall(nodes.inline):
                name[NODE] = branch.node
            listed += nodes.list_item("", paragraph([title]), *_branch(branch.edges, here))
        return [heuristic_graph("", listed, dot=dot_of(content.branches) if content.drawn else "")]


def _branch(edges: Sequence[Edge], here: Here) -> list[nodes.Node]:
    """Return a heuristic's connections as a list, each telling its node of the picture."""
    listed = nodes.bullet_list()
    for edge in edges:
        made = link_nodes(edge.link, here)
        for name in made[-1].findall(nodes.inline):
            name[NODE] = edge.node
        listed += nodes.list_item("", paragraph(made))
    return [listed] if edges else []


def dot_of(graph: Iterable[Branch]) -> str:
    """Return a graph as Graphviz's source."""
    lines: list[str] = []
    targets: dict[str, Link] = {}
    for branch in graph:
        how = f"shape=box style=rounded penwidth=2 class={branch.severity}"
        lines.append(_node(branch.node, branch.named.title, how))
        lines += dict.fromkeys(f"{branch.node} -> {edge.node}" for edge in branch.edges)
        for edge in branch.edges:
            targets.setdefault(edge.node, edge.link)
    for node, link in targets.items():
        label, how = f"{link.word}: {link.text}", f"shape={_SHAPES[link.type]} class={link.type}"
        if link.target is None:
            lines.append(_node(node, f"{label} (missing)", f"{how} style=dashed", linked=False))
        else:
            lines.append(_node(node, label, how))
    return "\n".join([_HEAD, *lines, "}\n"])


def _node(name: str, label: str, how: str, *, linked: bool = True) -> str:
    url = f' URL="https://{name}.invalid/"' if linked else ""
    return f"{name} [label={_quoted(label)} {how}{url}]"


def _quoted(label: str) -> str:
    """Return a label as Graphviz's string, in lines that are not too long."""
    lines = textwrap.wrap(label, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    # Names are long words: they may go on after a dot or an underscore.
    parts = [part for line in lines for part in re.findall(rf".{{1,{_WIDTH}}}(?:(?<=[._])|$)|.{{1,{_WIDTH}}}", line)]
    # Graphviz reads "&amp;" and the like; a lone "&" is one.
    safe = (part.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for part in parts)
    return '"' + "\\n".join(safe) + '"'


def _links(node: heuristic_graph) -> dict[str, str]:
    """Return the id of each node of the picture that the list links → its URI."""
    found: dict[str, str] = {}
    for name in node.findall(nodes.inline):
        if NODE in name and isinstance(name.parent, nodes.reference):
            uri = name.parent.get("refuri") or "#" + name.parent.get("refid", "")
            # Sphinx 9.0 leaves two anchors in links of singlehtml; the last one is right.
            found.setdefault(name[NODE], "#" + uri.rpartition("#")[2] if uri.count("#") > 1 else uri)
    return found


def _picture(self: Any, node: heuristic_graph) -> str:  # noqa: ANN401 - any HTML writer
    """Return the picture as an element of SVG, or ``""`` where there is none."""
    if not node["dot"]:
        return ""
    try:
        _uri, path = render_dot(self, node["dot"], {}, "svg", "heuristics")
    except GraphvizError as error:
        logger.info("heuristic-graph is shown as a list: %s", error)
        return ""
    return inline_svg(Path(path).read_text(encoding="utf-8"), _links(node)) if path else ""


def inline_svg(svg: str, links: dict[str, str]) -> str:
    """Return Graphviz's SVG as a part of a page: links in place, and no ids, which another graph would have too."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(<(?:g|a)\b[^>]*?) id=\"[^\"]*\"", r"\1", svg)
    svg = re.sub(r' xlink:title="[^"]*"', "", svg)

    def linked(match: re.Match[str]) -> str:
        uri = links.get(match[1])
        return f'href="{escape(uri)}"' if uri else ""  # such as a page that is not in this book

    svg = re.sub(r'xlink:href="https://(\w+)\.invalid/"', linked, svg)
    return svg.replace("<svg ", '<svg role="group" aria-label="Graph of heuristics; the same as a list below" ', 1)


def _visit_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    self.body.append(self.starttag(node, "div", CLASS="heuristic-graph"))
    node["ends"] = "</div>\n"
    if picture := _picture(self, node):
        self.body.append(f'<div class="heuristic-graph-picture">\n{picture}</div>\n')
        self.body.append("<details>\n<summary>The same as a list</summary>\n")
        node["ends"] = "</details>\n</div>\n"
    elif self.builder.name != "epub":
        self.body.append('<p class="heuristic-graph-note">With Graphviz installed, this list is a picture.</p>\n')


def _depart_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    self.body.append(node["ends"])


def register(app: Sphinx) -> None:
    """Tell Sphinx the node; Sphinx's own extension knows where Graphviz is."""
    app.setup_extension("sphinx.ext.graphviz")
    add_html_node(app, heuristic_graph, _visit_html, _depart_html, elsewhere=write_children)
