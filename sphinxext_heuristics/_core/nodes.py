"""Node classes: what directives make, until transforms replace it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx


class Placeholder(nodes.Element):
    """What no writer knows: transforms replace or remove it."""


class heuristic(nodes.General, Placeholder):  # noqa: N801 - docutils' way
    """A definition as its directive made it; a transform gives it its final form."""


class heuristic_note(Placeholder, nodes.paragraph):  # noqa: N801 - docutils' way
    """The note that a transform takes from a body, which other pages show."""


class heuristic_facts(nodes.General, Placeholder):  # noqa: N801 - docutils' way
    """Where a definition's severity, versions and connections will be."""


class heuristic_entries(nodes.General, Placeholder):  # noqa: N801 - docutils' way
    """Where the end of a definition will be, such as the entries that show it."""


class heuristic_query(nodes.General, Placeholder):  # noqa: N801 - docutils' way
    """Where a view will be that a directive asks for."""


class heuristic_search(nodes.Invisible, nodes.Element):  # noqa: N801 - docutils' way
    """Holds a title for Sphinx's search alone, for which what a title says counts most.

    The search looks at every node; whoever takes the text of a page gets none of it.
    """

    def astext(self) -> str:
        """Return no text."""
        return ""


def _skip(_self: Any, _node: nodes.Node) -> None:  # noqa: ANN401 - any writer
    """Write nothing."""
    raise nodes.SkipNode


def register(app: Sphinx) -> None:
    """Tell Sphinx of the class that reaches a writer; transforms replace the others."""
    app.add_node(heuristic_search, html=(_skip, None))
    for kind in Placeholder.__subclasses__():
        app.add_node(kind)


#: What marks the section that a page has for want of a title of its own.
UNTITLED = "heuristic_untitled"

#: What marks the container of quoted code: it holds the evidence until that is
#: collected, and then its position among those of the page.
EVIDENCE = "heuristic_evidence"


def is_evidence(node: nodes.Node) -> TypeGuard[nodes.container]:
    """Return whether a node is a code block of quoted code."""
    return isinstance(node, nodes.container) and EVIDENCE in node


#: What holds no blocks. A paragraph may, and what is inline: Sphinx puts the text of a
#: field into these.
_TEXTS = (nodes.title, nodes.literal_block, addnodes.desc_signature)


def blocks(tree: nodes.Node, *, with_merged: bool = True) -> Iterator[nodes.Node]:
    """Return what is in a tree, but for what is in signatures, titles and code.

    *with_merged* says whether documents that are merged into it belong to it.
    """
    return below(tree, _TEXTS if with_merged else (*_TEXTS, addnodes.start_of_file))


def below(tree: nodes.Node, stops: tuple[type, ...] = ()) -> Iterator[nodes.Node]:
    """Yield what is in a tree in its order, but for what is in nodes of some kinds."""
    waiting = [*reversed(tree.children)]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, stops):
            waiting += reversed(node.children)


def around(node: nodes.Node | None) -> Iterator[nodes.Element]:
    """Yield what a node is in, itself included: the innermost comes first."""
    while node is not None:
        if isinstance(node, nodes.Element):
            yield node
        node = node.parent
