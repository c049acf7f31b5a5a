"""The graph of heuristics and what they connect to: a picture in HTML, a nested list everywhere."""

from __future__ import annotations

import re
import subprocess
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.util import logging

from sphinxext_heuristics._core.model import Target
from sphinxext_heuristics._core.show.parts import link_nodes, links, named, paragraph
from sphinxext_heuristics._core.view import View
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.config import Config

    from sphinxext_heuristics._core.model import Query
    from sphinxext_heuristics._core.resolve.listing import Link
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import Here, Named

logger = logging.getLogger(__name__)

#: Shapes by connection type; heuristics are rounded boxes.
_SHAPES = {"impl": "box", "workflow": "note", "principle": "ellipse", "env": "hexagon"}

#: Grey is readable on light and on dark; the style sheet puts the text's own colour in
#: its place.
_GREY = "#808080"

#: A label's width in characters, after which it goes on in a further line.
_WIDTH = 32

_HEAD = f"""\
strict digraph heuristics {{
graph [rankdir=LR bgcolor=transparent ranksep=0.8 nodesep=0.15 margin=0]
node [fontname="Helvetica,Arial,sans-serif" fontsize=12 color="{_GREY}" fontcolor="{_GREY}" margin="0.15,0.08"]
edge [color="{_GREY}" arrowsize=0.6]"""


class heuristic_graph(nodes.General, nodes.Element):  # noqa: N801 - docutils' way
    """The graph: ``dot`` holds the picture's source; the children are the list."""


class Branch(NamedTuple):
    """A heuristic and its connections in the graph."""

    named: Named
    severity: str
    #: Its connections, as the index lists them.
    links: tuple[Link, ...]


class Graph(NamedTuple):
    """The graph of some heuristics."""

    branches: tuple[Branch, ...]
    #: Whether the builder's pages have the picture.
    drawn: bool


class GraphView(View):
    """Heuristics and what they connect to as a picture whose nodes are links, and as a list."""

    name = "heuristic-graph"

    def content(self, plan: Plan, query: Query, docname: str) -> Graph:
        """Return the graph."""
        return Graph(
            branches=tuple(
                Branch(
                    named=named(record),
                    severity=record.severity,
                    links=links(plan, record),
                )
                for record in plan.selection(query.filters)
            ),
            drawn=plan.lookups.draws,
        )

    def nodes(self, content: Graph, here: Here) -> list[nodes.Node]:
        """Return the list, which carries the source of the picture."""
        if not content.branches:
            return [paragraph(_("No heuristic is to be shown."))]
        listed = nodes.bullet_list()
        for branch in content.branches:
            below = [
                nodes.list_item("", paragraph(*link_nodes(link, here)))
                for link in branch.links
            ]
            item = nodes.list_item("", paragraph(here.heuristic(branch.named)))
            item += [nodes.bullet_list("", *below)] if below else []
            listed += item
        return [
            heuristic_graph(
                "", listed, dot=dot_of(content.branches, here) if content.drawn else ""
            )
        ]


def dot_of(branches: Iterable[Branch], here: Here) -> str:
    """Return a graph as Graphviz's source; what is one target is one node, whatever it is called."""
    lines = [_HEAD]
    targets: dict[object, tuple[str, Link]] = {}
    for number, branch in enumerate(branches):
        place = Target(docname=branch.named.docname, anchor=branch.named.anchor)
        how = f"shape=box style=rounded penwidth=2 class={branch.severity}"
        lines.append(_node(f"h{number}", branch.named.title, how, here.uri(place)))
        for link in branch.links:
            key = link.type, link.target or link.text
            node, _link = targets.setdefault(key, (f"t{len(targets)}", link))
            lines.append(f"h{number} -> {node}")
    for node, link in targets.values():
        label, how = (
            f"{link.word}: {link.text}",
            f"shape={_SHAPES[link.type]} class={link.type}",
        )
        if link.target:
            lines.append(_node(node, label, how, here.uri(link.target)))
        else:
            lines.append(_node(node, _("%s (missing)") % label, f"{how} style=dashed"))
    return "\n".join([*lines, "}\n"])


def _node(name: str, label: str, how: str, uri: str | None = None) -> str:
    lines = textwrap.wrap(
        label, _WIDTH, break_long_words=False, break_on_hyphens=False
    ) or [""]
    # Names are long words: they may go on after a dot or an underscore.
    parts = [
        part
        for line in lines
        for part in re.findall(rf".{{1,{_WIDTH}}}(?:(?<=[._])|$)|.{{1,{_WIDTH}}}", line)
    ]
    if uri is not None:
        # In singlehtml a link has two anchors, of which the last one is right.
        how += (
            f" "
            f'URL="{_safe("#" + uri.rpartition("#")[2] if uri.count("#") > 1 else uri or "#")}"'
        )
    said = "\\n".join(map(_safe, parts))
    return f'{name} [label="{said}" {how}]'


def _safe(text: str) -> str:
    # Graphviz reads "&amp;" and the like; a lone "&" is one.
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def program(config: Config) -> str:
    """Return what runs Graphviz: as Sphinx's own extension is told, if it is loaded."""
    return getattr(config, "graphviz_dot", "dot") or ""


def _picture(self: Any, node: heuristic_graph) -> str:  # noqa: ANN401 - any HTML writer
    """Return the picture as an element of SVG, or ``""`` where there is none."""
    if not node["dot"]:
        return ""
    config = self.builder.config
    command = [program(config), *getattr(config, "graphviz_dot_args", ()), "-Tsvg"]
    try:
        drawn = subprocess.run(  # noqa: S603 - the project's own setting
            command, input=node["dot"].encode(), capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        logger.info("heuristic-graph is shown as a list: %s", error)
        return ""
    return inline_svg(drawn.stdout.decode())


def inline_svg(svg: str) -> str:
    """Return Graphviz's SVG as a part of a page, without ids, which another graph would have too."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(<(?:g|a)\b[^>]*?) id=\"[^\"]*\"", r"\1", svg)
    svg = re.sub(r' xlink:title="[^"]*"', "", svg).replace(' xlink:href="', ' href="')
    label = escape(_("Graph of heuristics; the same as a list below"))
    return svg.replace("<svg ", f'<svg role="group" aria-label="{label}" ', 1)


def _visit_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    self.body.append(self.starttag(node, "div", CLASS="heuristic-graph"))
    node["ends"] = "</div>\n"
    if picture := _picture(self, node):
        self.body.append(f'<div class="heuristic-graph-picture">\n{picture}</div>\n')
        self.body.append(
            "<details>\n<summary>" + escape(_("The same as a list")) + "</summary>\n"
        )
        node["ends"] = "</details>\n</div>\n"
    elif self.builder.name != "epub":
        hint = escape(_("With Graphviz installed, this list is a picture."))
        self.body.append(f'<p class="heuristic-graph-note">{hint}</p>\n')


def _depart_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    self.body.append(node["ends"])


def _write_children(_self: Any, _node: nodes.Node) -> None:  # noqa: ANN401 - any other writer
    """Write the children of a node and nothing else."""


def register(app: Sphinx) -> None:
    """Tell Sphinx the node."""
    other = (_write_children, _write_children)
    app.add_node(
        heuristic_graph,
        html=(_visit_html, _depart_html),
        latex=other,
        text=other,
        man=other,
        texinfo=other,
    )
