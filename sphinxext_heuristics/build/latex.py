"""What LaTeX needs done to the nodes of views."""

from __future__ import annotations

import re

from docutils import nodes

from sphinxext_heuristics.resolve.listing import EXISTS, MISSING

#: Our signs → what draws them in LaTeX with every engine and font, as Sphinx does for others.
_DRAWN = {EXISTS: r"\(\checkmark\)", MISSING: r"\(\square\)", "≥": r"\(\geq\)", "≤": r"\(\leq\)"}
_SIGN = re.compile(f"([{''.join(_DRAWN)}])")


def draw_signs(tree: nodes.Node) -> None:
    """Draw our signs: pdfLaTeX stops at them, and a font without them leaves a gap."""
    for text in list(tree.findall(nodes.Text)):
        parts = _SIGN.split(text)
        if len(parts) > 1:
            made: list[nodes.Node] = [
                nodes.raw("", _DRAWN[part], format="latex") if part in _DRAWN else nodes.Text(part)
                for part in parts
                if part
            ]
            text.parent.replace(text, made)


def keep_on_one_page(tree: nodes.Node) -> None:
    """Make no table over several pages inside of a box, which LaTeX cannot break."""
    parent = tree.parent
    while parent is not None and not isinstance(parent, nodes.entry | nodes.Admonition):
        parent = parent.parent
    if parent is not None and isinstance(tree, nodes.table):
        tree["classes"] = [name for name in tree["classes"] if name != "longtable"]


def anchor_before(block: nodes.Element) -> None:
    """Give a block's ids to a target before it: LaTeX knows no ids of admonitions."""
    ids = block["ids"]
    if ids:
        block["ids"] = []
        block.parent.insert(block.parent.index(block), nodes.target(ids=ids))
