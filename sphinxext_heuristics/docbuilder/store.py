"""What is known of pages written for doc-builder, and what of it is kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from sphinx.domains import Domain
from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Collection

    from docutils.nodes import Element
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

    from .._output import OutputRecord
    from .trees import TreePage


logger = logging.getLogger(__name__)


def warn(
    message: str, subtype: str, location: str | tuple[str, int] | None = None
) -> None:
    """Give a warning of this extension."""
    logger.warning(message, type="docbuilder", subtype=subtype, location=location)


class Fault(NamedTuple):
    """What is wrong in a page."""

    #: The line, from 1.
    line: int
    #: What is wrong, why, and what to do.
    message: str
    #: The subtype of the warning.
    subtype: str


class PageLink(NamedTuple):
    """A link to a page."""

    #: How it is written.
    name: str
    line: int
    #: Where it leads, redirects not yet followed.
    docname: str
    #: The anchor there.
    anchor: str


class Wanted(NamedTuple):
    """An object that a reference names."""

    name: str
    #: The module and the class around the reference.
    module: str
    cls: str
    #: Whether only a class will do.
    only_classes: bool


class Destination(NamedTuple):
    """Where a reference leads; nowhere in this site without a document."""

    docname: str = ""
    anchor: str = ""
    #: The full name of an object.
    name: str = ""
    #: Whether doc-builder writes ``()`` behind it.
    is_called: bool = False
    #: What is wrong with a link to a page.
    problem: str = ""


@dataclass(slots=True)
class Notes:
    """What is known of a document that has been read."""

    faults: list[Fault] = field(default_factory=list)
    #: What it links to, each once.
    targets: tuple[PageLink | Wanted, ...] = ()
    #: The objects that ``[[autodoc]]`` documents there, inherited members under both of
    #: their names.
    entries: dict[str, ObjectEntry] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()


@dataclass(slots=True)
class Site:
    """What is known of all documents together."""

    #: The pages of all trees, in their order.
    pages: dict[str, TreePage] = field(default_factory=dict)
    #: Old document name → new document name.
    redirects: dict[str, str] = field(default_factory=dict)
    #: The object → its full name, found by an import, empty if there is none; and the
    #: state of the source that was imported.
    names: dict[Wanted, tuple[str, str]] = field(default_factory=dict)


class DocbuilderDomain(Domain):
    """The store: a domain without roles and directives."""

    name = "docbuilder"
    label = "doc-builder"
    data_version = 9
    initial_data = {"notes": defaultdict(Notes), "site": Site()}

    def __init__(self, env: BuildEnvironment) -> None:
        """Begin without what only one build knows."""
        super().__init__(env)
        #: Where all that is linked to is; known when all documents are read.
        self.destinations: dict[PageLink | Wanted, Destination] = {}
        #: Package → the state of its source in this build.
        self.sources: dict[str, str] = {}
        #: Document → digest of what its output depends on.
        self.digests: dict[str, str] = {}
        #: What the output folder has of it; known as soon as that is.
        self.output: OutputRecord | None = None

    @classmethod
    def of(cls, env: BuildEnvironment) -> DocbuilderDomain:
        """Return the store of an environment."""
        return cast("DocbuilderDomain", env.domains[cls.name])

    @property
    def site(self) -> Site:
        """What is known of all documents together."""
        return cast("Site", self.data["site"])

    @property
    def notes(self) -> dict[str, Notes]:
        """What is known of each document; nothing yet of one that is being read."""
        return cast("dict[str, Notes]", self.data["notes"])

    # MyST warns of a domain that does not have it
    def resolve_any_xref(self, *_: object) -> list[tuple[str, Element]]:  # type: ignore[override]
        """Resolve nothing: the store has no objects."""
        return []

    def clear_doc(self, docname: str) -> None:
        """Forget a document."""
        self.notes.pop(docname, None)

    def merge_domaindata(
        self, docnames: Collection[str], otherdata: dict[str, dict[str, Notes]]
    ) -> None:
        """Take what another process has read."""
        for docname in docnames:
            self.notes[docname] = otherdata["notes"][docname]
