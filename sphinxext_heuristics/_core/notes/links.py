"""What the links in a note lead to: asked of the resolvers that write them."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import ReferencesResolver
from sphinx.util import docname_join, logging
from sphinx.util.docutils import new_document

from ..model import Note
from . import inline

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from sphinx.addnodes import pending_xref
    from sphinx.environment import BuildEnvironment

    from ..model import Heuristic, Inline


_REFERENCE = addnodes.pending_xref.__name__
_DOWNLOAD = addnodes.download_reference.__name__

#: What a page depends on whose note has a link of MyST into an inventory, which MyST
#: looks up as it reads. No file has this name, so that every build reads the page.
INVENTORY = "an inventory of another project"


def _links(
    frozen: Iterable[Inline], kinds: Container[str] = (_REFERENCE,)
) -> Iterator[dict[str, Any]]:
    """Yield the attributes of all links of some kinds."""
    for item in frozen:
        if isinstance(item, str):
            continue
        name, attributes, children = item
        if name in kinds:
            yield dict(attributes)
        yield from _links(children, kinds)


def files(env: BuildEnvironment, record: Heuristic) -> Iterator[str]:
    """Yield the files that decide how MyST reads the links in a note.

    They need not be there: Sphinx reads a page in every build as long as one is
    missing.
    """
    for link in _links(record.note, kinds=(_REFERENCE, _DOWNLOAD)):
        target = link["reftarget"].partition("#")[0]
        if link.get("reftype") != "myst":
            continue
        if link.get("refdomain") == "doc":
            yield str(env.doc2path(target))
        elif PurePosixPath(target).suffix:
            yield env.relfn2path(target, record.docname)[1]


def settled(env: BuildEnvironment, record: Heuristic) -> Note:
    """Return a heuristic's note as other pages show it."""
    home = record.docname
    content = inline.settled(record.note, home, partial(settle, env))
    note = Note(inline=tuple(content), home=home)
    has_links = any(_links(note.inline))
    return note._replace(answers=_answers(env, note)) if has_links else note


def _answers(env: BuildEnvironment, note: Note) -> str:
    """Return where the links in a note lead and what they say, seen from its page."""
    paragraph = nodes.paragraph(
        "", "", *inline.thaw(note, note.home, lambda _docname, other: other)
    )
    resolvers: list[type[ReferencesResolver]] = [ReferencesResolver]
    if has_myst_link(note.inline):
        resolvers.insert(0, myst_resolver())
    document = _page(env, paragraph)
    # What a resolver warns of is told when the link is written; a builder without pages
    # has no links.
    with (
        _reading(env, note.home),
        logging.suppress_logging(),
        suppress(NotImplementedError),
    ):
        for resolver in resolvers:
            resolver(document).apply()
    return str(paragraph.pformat())


def settle(env: BuildEnvironment, link: pending_xref) -> bool:
    """Let a link in a note lead from everywhere where it does from its own page.

    Returns whether it leads anywhere. Only MyST's own links are looked up: MyST would
    warn of a broken one on each page that has a copy.
    """
    domain = env.domains.standard_domain
    document = docname_join(link["refdoc"], link["reftarget"])
    may_name_a_document = link.get("reftype") == "any" or (
        link.get("reftype") == "myst" and not link.get("refdomain")
    )
    if (
        may_name_a_document
        and document in env.all_docs
        and link["reftarget"].lower() not in domain.anonlabels
    ):
        link["reftarget"] = f"/{document}"
    # The fallback of a link within its page means nothing on another one.
    link.attributes.pop("reflocalid", None)
    if link.get("reftype") != "myst":
        return True
    resolver = myst_resolver()(_page(env, nodes.paragraph("", "", link.deepcopy())))
    with _reading(env, link["refdoc"]), logging.suppress_logging():
        resolver.apply()
    return not resolver.is_missing


def has_myst_link(note: Iterable[Inline]) -> bool:
    """Return whether there is a link of MyST in a note."""
    return any(link.get("reftype") == "myst" for link in _links(note))


@cache
def myst_resolver() -> Any:  # noqa: ANN401 - a class that is there only where MyST is
    """Return MyST's resolver; its ``is_missing`` is whether it would warn of a link."""
    from myst_parser.sphinx_ext.myst_refs import MystReferenceResolver  # noqa: PLC0415 - MyST need not be installed
    from myst_parser.warnings_ import MystWarnings  # noqa: PLC0415 - likewise

    class Resolver(MystReferenceResolver):
        is_missing = False

        def log_warning(
            self,
            target: str | None,
            msg: str,
            subtype: MystWarnings,
            **kwargs: Any,  # noqa: ANN401 - MyST's signature
        ) -> None:
            self.is_missing |= subtype is MystWarnings.XREF_MISSING

    return Resolver


def _page(env: BuildEnvironment, paragraph: nodes.paragraph) -> nodes.document:
    document = new_document("")
    document.settings.env = env
    document += paragraph
    return document


@contextmanager
def _reading(env: BuildEnvironment, docname: str) -> Iterator[None]:
    """Let the environment be at a document, as resolvers take for granted."""
    before = env.temp_data.get("docname")
    env.temp_data["docname"] = docname
    try:
        yield
    finally:
        env.temp_data["docname"] = before or ""
