"""Views: what the directives place on a page, in two steps.

A view first says as plain data all that will be seen, and then makes nodes of that data
and of nothing else. A page is written again if the data of one of its views has
changed, so no view can leave a page out of date.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError

from .diagnostics import not_plain
from .notes.inline import thaw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from docutils.parsers.rst import Directive
    from sphinx.application import Sphinx

    from .model import Address, Note, Query
    from .problems import Problem
    from .resolve.plan import Plan


class HeuristicRef(NamedTuple):
    """A heuristic as a link names it."""

    name: str
    title: str
    docname: str
    anchor: str


class Here:
    """The page that nodes are made for, and the links from it in every builder."""

    def __init__(self, docname: str, relative: Callable[[str, str], str]) -> None:
        """Take the page.

        *relative* returns the URI from one document to another, or ``""``.
        """
        self.docname = docname
        self._relative = relative

    def heuristic(self, ref: HeuristicRef) -> addnodes.pending_xref:
        """Return the link to a heuristic; its text is the title."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", ref.title, classes=["heuristic-ref"]),
            refdomain="heuristic",
            reftype="ref",
            reftarget=ref.name,
            refexplicit=True,
            refwarn=False,
            refdoc=self.docname,
        )

    def note(self, note: Note) -> list[nodes.Node]:
        """Return the inline nodes of a note."""
        return thaw(note, self.docname, self._relative)

    def uri(self, address: Address) -> str | None:
        """Return the URI of an address; ``None`` if its page is not in this book."""
        if address.uri:
            return address.uri
        uri = self._relative(self.docname, address.docname)
        anchor = f"#{address.anchor}" if address.anchor else ""
        return uri + anchor if uri or address.docname == self.docname else None

    def link(self, text: nodes.TextElement, address: Address | None) -> nodes.Node:
        """Return *text* as a link to an address, or alone if it is not in this book."""
        uri = self.uri(address) if address else None
        if address is None or uri is None:
            return text
        if address.docname == self.docname and address.anchor:
            return nodes.reference("", "", text, refid=address.anchor, internal=True)
        return nodes.reference("", "", text, refuri=uri, internal=not address.uri)


class View(ABC):
    """Something that is placed on pages.

    To have one of your own, register it with :func:`add_view` in the ``setup`` of an
    extension or of conf.py, with the directive that places it.
    """

    #: The name, by which a page's queries know it.
    name: str
    #: A style sheet for HTML. It is linked on the pages that have an element whose
    #: class is the view's name.
    style: Path | None = None

    @abstractmethod
    def content(self, plan: Plan, query: Query, docname: str) -> Any:  # noqa: ANN401 - plain data of the view's own
        """Return all that will be seen on the page *docname*, as plain data.

        *plan* is a :class:`PublicPlan`, *query* the directive, as it was read. The data
        is strings, numbers, ``None``, tuples, lists, and dicts with string keys.
        Anything else is an error. Nothing else may decide what :meth:`nodes` returns.
        """

    @abstractmethod
    def nodes(self, content: Any, here: Here) -> list[nodes.Node]:  # noqa: ANN401 - see content
        """Return the nodes that show the content; links come from *here*."""

    def problems(self, plan: Plan, query: Query) -> Iterable[Problem]:
        """Return what is wrong with a directive: warnings of every build.

        *plan* and *query* are those of :meth:`content`.

        That its options choose nothing is found without this.
        """
        return ()


_VIEWS: WeakKeyDictionary[Sphinx, dict[str, View]] = WeakKeyDictionary()


def add_view(app: Sphinx, view: View, directive: type[Directive]) -> None:
    """Register a view and the directive that places it, both by the view's name."""
    _VIEWS.setdefault(app, {})[view.name] = view
    app.add_directive(view.name, directive)


def views_of(app: Sphinx) -> Mapping[str, View]:
    """Return name → view of an application."""
    return _VIEWS.get(app, {})


@contextmanager
def naming(view: View, docname: str) -> Iterator[None]:
    """Turn any exception of a view into an error that names the view and the page."""
    try:
        yield
    except Exception as error:
        kind = type(error).__name__
        message = f"view {view.name!r} failed on page {docname!r}: {kind}: {error}"
        raise ExtensionError(message) from error


def content_of(view: View, plan: Plan, query: Query, docname: str) -> Any:  # noqa: ANN401 - the view's own
    """Return a view's content for one directive of a page, which must be plain data."""
    with naming(view, docname):
        content = view.content(plan, query, docname)
        if found := not_plain(content):
            allowed = "strings, numbers, None, tuples, lists, dicts with string keys"
            message = f"content must be plain data ({allowed}), not {found}"
            raise TypeError(message)
    return content
