"""What the links in a note lead to: asked of the resolvers that write them."""

from __future__ import annotations

from contextlib import contextmanager
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import ReferencesResolver
from sphinx.util import logging
from sphinx.util.docutils import new_document

from ..model import Note
from . import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

    from ..model import Heuristic


#: What a page depends on whose note has a link of MyST into an inventory, which MyST
#: looks up as it reads. No file has this name, so that every build reads the page.
INVENTORY = "an inventory of another project"


def _thawed(record: Heuristic) -> nodes.paragraph:
    """Return a heuristic's note as nodes of its own page."""
    note = Note(inline=record.note, home=record.docname)
    return nodes.paragraph("", "", *inline.thaw(note, note.home, _place))


def files(env: BuildEnvironment, record: Heuristic) -> Iterator[str]:
    """Yield the files that decide how MyST reads the links in a note.

    They need not be there: Sphinx reads a page in every build as long as one is
    missing.
    """
    for link in _thawed(record).findall(nodes.Element):
        if link.get("reftype") != "myst":
            continue
        target = link["reftarget"].partition("#")[0]
        if link.get("refdomain") == "doc":
            yield str(env.doc2path(target))
        elif PurePosixPath(target).suffix:
            yield env.relfn2path(target, record.docname)[1]


def settled(app: Sphinx, record: Heuristic) -> Note:
    """Return a heuristic's note as other pages show it.

    Its links are resolved once, as they are on its own page, and lead to the same
    places from everywhere.
    """
    note = Note(inline=record.note, home=record.docname)
    paragraph = _thawed(record)
    links = list(paragraph.findall(addnodes.pending_xref))
    if not links:
        return note
    for link in links:
        link["refdoc"] = note.home
    document = new_document("")
    document.settings.env = app.env
    document += paragraph
    resolvers = [
        transform
        for transform in app.registry.get_post_transforms()
        if issubclass(transform, ReferencesResolver)
    ]
    # What a resolver warns of is told when the note's own page is written.
    with _reading(app, note.home), logging.suppress_logging():
        for resolver in sorted(resolvers, key=attrgetter("default_priority")):
            resolver(document).apply()
    for reference in list(paragraph.findall(nodes.reference)):
        # MyST's, to what it has not found.
        if "refid" in reference and "internal" not in reference:
            reference.replace_self(nodes.inline("", "", *reference.children))
    return note._replace(inline=inline.freeze(paragraph.children))


def _place(_docname: str, other: str) -> str:
    return f"{inline.PLACE}{other}"


class _FromAnywhere:
    """The builder at work, whose URIs lead from anywhere."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the builder has
        return getattr(self._builder, name)

    def get_relative_uri(
        self, docname: str, other: str, _type: str | None = None
    ) -> str:
        return _place(docname, other)


@contextmanager
def _reading(app: Sphinx, docname: str) -> Iterator[None]:
    """Let the environment be at a document, as resolvers take for granted.

    They take no builder, and ask the application for it: it has one of ours for the
    while.
    """
    data, builder = app.env.temp_data, app.builder
    before = data.get("docname", "")
    data["docname"] = docname
    app.builder = cast("Builder", _FromAnywhere(builder))
    try:
        yield
    finally:
        app.builder = builder
        data["docname"] = before
