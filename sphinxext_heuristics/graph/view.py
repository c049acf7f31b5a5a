"""The graph of heuristics: a picture in HTML, a nested list everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.locale import get_translation
from sphinx.util import logging

from sphinxext_heuristics.api import Target, View, link_nodes, named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.config import Config

    from sphinxext_heuristics.api import Here, Link, Named, PublicPlan, Query

logger = logging.getLogger(__name__)
_ = get_translation("sphinxext_heuristics")

#: Shapes by connection type; heuristics are rounded boxes.
_SHAPES = {"impl": "box", "workflow": "note", "principle": "ellipse", "env": "hexagon"}

#: Grey is readable on light and on dark; the style sheet puts the text's own colour in
#: its place.
_GREY = "#808080"

#: A label's width in characters.
_WIDTH = 32

#: A part of a long word, such as a name, which goes on after a dot or an underscore.
_PART = re.compile(rf".{{1,{_WIDTH}}}(?:(?<=[._])|$)|.{{1,{_WIDTH}}}")

#: A new line in a label.
_NEW_LINE = r"\n"

#: What a page needs nothing of.
_LEFT_OUT = re.compile(
    r'<!--.*?-->\n?|<title>.*?</title>\n?| id="[^"]*"| xlink:title="[^"]*"', re.DOTALL
)

_HEAD = f"""\
strict digraph heuristics {{
graph [rankdir=LR bgcolor=transparent ranksep=0.8 nodesep=0.15 margin=0]
node [fontname="Helvetica,Arial,sans-serif" fontsize=12 margin="0.15,0.08"]
node [color="{_GREY}" fontcolor="{_GREY}"]
edge [color="{_GREY}" arrowsize=0.6]"""


class heuristic_graph(nodes.compound):  # noqa: N801 - docutils' way
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
    """Heuristics and what they connect to as a picture with links, and as a list."""

    name = "heuristic-graph"
    style = Path(__file__).with_name("heuristics-graph.css")
    #: Whether the builder's pages have the picture.
    drawn = False

    def look_for_graphviz(self, app: Sphinx) -> None:
        """Note whether the builder's pages show pictures that Graphviz draws."""
        builder = app.builder
        # An e-book names the pages that hold SVG; the list does without.
        self.drawn = (
            builder.format == "html"
            and builder.name != "epub"
            and bool(shutil.which(program(app.config)))
        )

    def content(self, plan: PublicPlan, query: Query, docname: str) -> Graph:
        """Return the graph."""
        branches = [
            Branch(named(record), record.severity, plan.meanings.links(record))
            for record in plan.meanings.selection(query.filters)
        ]
        return Graph(branches=tuple(branches), drawn=self.drawn)

    def nodes(self, content: Graph, here: Here) -> list[nodes.Node]:
        """Return the list, which carries the source of the picture."""
        if not content.branches:
            return [nodes.paragraph("", _("No heuristic is to be shown."))]
        listed = nodes.bullet_list()
        for branch in content.branches:
            line = nodes.paragraph("", "", here.heuristic(branch.named))
            item = nodes.list_item("", line)
            if branch.links:
                below = nodes.bullet_list()
                for link in branch.links:
                    line = nodes.paragraph("", "", *link_nodes(link, here))
                    below += nodes.list_item("", line)
                item += below
            listed += item
        dot = dot_of(content.branches, here) if content.drawn else ""
        return [heuristic_graph("", listed, dot=dot, classes=[self.name])]


def dot_of(branches: Iterable[Branch], here: Here) -> str:
    """Return a graph as Graphviz's source; what is one target is one node."""
    lines = [_HEAD]
    targets: dict[object, tuple[str, Link]] = {}
    for number, branch in enumerate(branches):
        place = Target(docname=branch.named.docname, anchor=branch.named.anchor)
        style = f"shape=box style=rounded penwidth=2 class={branch.severity}"
        lines.append(_node(f"h{number}", branch.named.title, style, here.uri(place)))
        for link in branch.links:
            key = link.type, link.target or link.text
            name, _link = targets.setdefault(key, (f"t{len(targets)}", link))
            lines.append(f"h{number} -> {name}")
    for name, link in targets.values():
        label = f"{link.word}: {link.text}"
        style = f"shape={_SHAPES[link.type]} class={link.type}"
        uri = None
        if link.target:
            uri = here.uri(link.target)
        else:
            label = _("%s (missing)") % label
            style += " style=dashed"
        lines.append(_node(name, label, style, uri))
    return "\n".join([*lines, "}\n"])


def _node(name: str, label: str, style: str, uri: str | None) -> str:
    parts: list[str] = []
    for line in textwrap.wrap(
        label, _WIDTH, break_long_words=False, break_on_hyphens=False
    ):
        parts += map(_safe, _PART.findall(line))
    attributes = f'label="{_NEW_LINE.join(parts)}" {style}'
    if uri is not None:
        # In singlehtml a link has two anchors, of which the last one is right.
        if uri.count("#") > 1:
            uri = "#" + uri.rpartition("#")[2]
        attributes += f' URL="{_safe(uri or "#")}"'
    return f"{name} [{attributes}]"


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
    """Return Graphviz's SVG as a part of a page.

    It has no ids, which another graph would have, too.
    """
    svg = _LEFT_OUT.sub("", svg[svg.index("<svg") :])
    svg = svg.replace(' xlink:href="', ' href="')
    label = escape(_("Graph of heuristics; the same as a list below"))
    return svg.replace("<svg ", f'<svg role="group" aria-label="{label}" ', 1)


def visit_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    """Write the picture and, folded below it, the list; or the list alone."""
    self.body.append(self.starttag(node, "div"))
    node["ends"] = "</div>\n"
    if picture := _picture(self, node):
        summary = escape(_("The same as a list"))
        self.body.append(
            f'<div class="heuristic-graph-picture">\n{picture}</div>\n'
            f"<details>\n<summary>{summary}</summary>\n"
        )
        node["ends"] = "</details>\n</div>\n"
    elif self.builder.name != "epub":
        hint = escape(_("With Graphviz installed, this list is a picture."))
        self.body.append(f'<p class="heuristic-graph-note">{hint}</p>\n')


def depart_html(self: Any, node: heuristic_graph) -> None:  # noqa: ANN401 - any HTML writer
    """Close what was opened."""
    self.body.append(node["ends"])
