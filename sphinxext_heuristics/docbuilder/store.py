"""What is kept between builds about pages written for doc-builder: a domain without roles and directives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from sphinx.domains import Domain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from docutils.nodes import Element
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a page."""

    #: The line, from 1.
    line: int
    #: What is wrong, why, and what to do.
    message: str
    #: The subtype of the warning.
    subtype: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link from a page to a page."""

    #: The line, from 1.
    line: int
    #: The link as it is written.
    written: str
    #: The document that it leads to, redirects not yet followed.
    docname: str
    #: The anchor there; empty if it leads to the page.
    anchor: str


class Wanted(NamedTuple):
    """An object that a reference names."""

    #: Its name, with or without the packages above it.
    target: str
    #: Module and class that the reference is in.
    context: tuple[str, ...] = ()
    #: Whether only a class will do.
    only_classes: bool = False
    #: Its full name, if it is known.
    exact: str = ""


@dataclass(frozen=True, slots=True)
class SecondName:
    """Another name of an object in a page: an inherited member has its own and that of the class it is shown with."""

    #: The other name.
    name: str
    #: The name that it is documented under.
    shown: str


class DocbuilderDomain(Domain):
    """The store."""

    name = "docbuilder"
    label = "doc-builder"
    data_version = 1
    initial_data: ClassVar[dict[str, object]] = {
        "trees": (),
        "kinds": {},
        "candidates": (),
        "claimants": {},
        "holders": {},
        "faults": {},
        "links": {},
        "second_names": {},
        "anchors": {},
        "wanted": {},
        "outcomes": {},
        "navigation": "",
    }

    @classmethod
    def of(cls, env: BuildEnvironment) -> DocbuilderDomain:
        """Give the store of an environment."""
        return cast("DocbuilderDomain", env.domains[cls.name])

    @property
    def trees(self) -> Sequence[Tree]:
        """The trees, the deepest folder first."""
        return cast("Sequence[Tree]", self.data["trees"])

    @property
    def kinds(self) -> dict[str, str]:
        """Each page of a tree, and what it holds besides its text: a digest."""
        return cast("dict[str, str]", self.data["kinds"])

    @property
    def holders(self) -> Mapping[str, str]:
        """For each object that several pages document, the page that holds the entry."""
        return cast("Mapping[str, str]", self.data["holders"])

    @property
    def claimants(self) -> Mapping[str, tuple[str, ...]]:
        """For each object that several pages document, these pages."""
        return cast("Mapping[str, tuple[str, ...]]", self.data["claimants"])

    @property
    def faults(self) -> dict[str, list[Fault]]:
        """What is wrong in each page."""
        return cast("dict[str, list[Fault]]", self.data["faults"])

    @property
    def links(self) -> dict[str, list[Link]]:
        """The links to pages in each page."""
        return cast("dict[str, list[Link]]", self.data["links"])

    @property
    def second_names(self) -> dict[str, list[SecondName]]:
        """The second names in each page."""
        return cast("dict[str, list[SecondName]]", self.data["second_names"])

    @property
    def anchors(self) -> dict[str, frozenset[str]]:
        """The anchors of each document."""
        return cast("dict[str, frozenset[str]]", self.data["anchors"])

    @property
    def wanted(self) -> dict[str, tuple[Wanted, ...]]:
        """The objects that each document links to."""
        return cast("dict[str, tuple[Wanted, ...]]", self.data["wanted"])

    @property
    def outcomes(self) -> dict[str, str]:
        """Where the links of each document led in the last build: a digest."""
        return cast("dict[str, str]", self.data["outcomes"])

    def tree_of(self, docname: str) -> Tree | None:
        """Give the tree that a document is a page of."""
        if docname not in self.kinds:
            return None
        return next((tree for tree in self.trees if tree.contains(docname)), None)

    def resolve_any_xref(self, *_: object) -> list[tuple[str, Element]]:  # type: ignore[override]
        """Resolve nothing: the store has no objects."""
        return []

    def clear_doc(self, docname: str) -> None:
        """Forget a document."""
        for name in ("faults", "links", "second_names", "anchors", "wanted"):
            self.data[name].pop(docname, None)

    def merge_domaindata(self, docnames: Collection[str], otherdata: dict[str, dict[str, object]]) -> None:
        """Take what another process has read."""
        for name in ("faults", "links", "second_names", "anchors", "wanted"):
            self.data[name].update({key: value for key, value in otherdata[name].items() if key in docnames})
