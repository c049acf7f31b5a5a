"""What is kept between builds about pages written for doc-builder: a domain without roles and directives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from sphinx.domains import Domain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from docutils.nodes import Element
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree


class Fault(NamedTuple):
    """What is wrong in a page: the line, from 1; what, why, and what to do; the subtype of the warning."""

    line: int
    message: str
    subtype: str


class Link(NamedTuple):
    """A link to a page: the line; how it is written; where it leads, redirects not yet followed; the anchor there."""

    line: int
    written: str
    docname: str
    anchor: str


class Wanted(NamedTuple):
    """An object that a reference names.

    Its name, with or without packages; module and class around the reference; whether only a class will do; the full
    name, if it is known.
    """

    target: str
    context: tuple[str, ...] = ()
    only_classes: bool = False
    exact: str = ""


@dataclass(slots=True)
class Notes:
    """What is known of a document that has been read."""

    faults: list[Fault] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    #: The objects that it links to.
    wanted: tuple[Wanted, ...] = ()
    #: Inherited members that it documents: their own name, and the name they are documented under.
    second_names: list[tuple[str, str]] = field(default_factory=list)
    anchors: frozenset[str] = frozenset()


@dataclass(slots=True)
class State:
    """What is known of all documents together."""

    #: The trees, the deepest folder first.
    trees: Sequence[Tree] = ()
    #: Each page of a tree → a digest of what it depends on besides its text.
    kinds: dict[str, str] = field(default_factory=dict)
    #: What the pages document, as it is written.
    claims: tuple[object, ...] = ()
    #: Each object that several pages document → these pages; the first holds the entry.
    claimants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Each document → a digest of where its links led in the last build.
    outcomes: dict[str, str] = field(default_factory=dict)
    #: A digest of what all pages show of the trees.
    navigation: str = ""


class DocbuilderDomain(Domain):
    """The store."""

    name = "docbuilder"
    label = "doc-builder"
    data_version = 1
    initial_data: ClassVar[dict[str, object]] = {"notes": {}, "state": State()}

    @classmethod
    def of(cls, env: BuildEnvironment) -> DocbuilderDomain:
        """Give the store of an environment."""
        return cast("DocbuilderDomain", env.domains[cls.name])

    @property
    def state(self) -> State:
        """What is known of all documents together."""
        return cast("State", self.data["state"])

    @property
    def notes(self) -> dict[str, Notes]:
        """What is known of each document."""
        return cast("dict[str, Notes]", self.data["notes"])

    def note(self, docname: str) -> Notes:
        """Give the notes of the document that is being read."""
        return self.notes.setdefault(docname, Notes())

    def tree_of(self, docname: str) -> Tree | None:
        """Give the tree that a document is a page of."""
        if docname not in self.state.kinds:
            return None
        return next((tree for tree in self.state.trees if tree.contains(docname)), None)

    def resolve_any_xref(self, *_: object) -> list[tuple[str, Element]]:  # type: ignore[override]
        """Resolve nothing: the store has no objects."""
        return []

    def clear_doc(self, docname: str) -> None:
        """Forget a document."""
        self.notes.pop(docname, None)

    def merge_domaindata(self, docnames: Collection[str], otherdata: dict[str, dict[str, Notes]]) -> None:
        """Take what another process has read."""
        self.notes.update({docname: notes for docname, notes in otherdata["notes"].items() if docname in docnames})
