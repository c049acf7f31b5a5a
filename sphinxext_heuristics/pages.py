"""Which page or section a target means: names of documents, labels, anchors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A page, or a section of it."""

    #: The document.
    docname: str
    #: The section's id; empty for the document as a whole.
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMatch:
    """What a target means among the pages."""

    #: The page or section, if the target is one.
    place: Place | None = None
    #: The places that it may mean, if they are several.
    places: tuple[Place, ...] = ()


def fold(name: str) -> str:
    """Return a name as it is compared: case does not matter, nor does - or _."""
    return name.casefold().replace("_", "-")


class Pages:
    """The documents, labels and sections under all their names.

    *sections* has, for each document, the ids of each of its sections, its own first;
    *labels* has label → (document, id).
    """

    def __init__(
        self,
        sections: Mapping[str, tuple[tuple[str, ...], ...]],
        labels: Mapping[str, tuple[str, str]],
    ) -> None:
        """Index documents and labels by exact and by folded name."""
        self._sections = sections
        self._exact: dict[str, dict[Place, None]] = {}
        self._folded: dict[str, dict[Place, None]] = {}
        self.names: dict[str, None] = {}
        for docname in sorted(sections):
            self._note(docname, Place(docname=docname))
            tail = docname.rpartition("/")[2]
            self._folded.setdefault(fold(tail), {})[Place(docname=docname)] = None
        for label in sorted(labels):
            docname, anchor = labels[label]
            if docname in sections:
                self._note(label, self._place(docname, anchor))

    def _note(self, name: str, place: Place) -> None:
        self.names[name] = None
        self._exact.setdefault(name, {})[place] = None
        self._folded.setdefault(fold(name), {})[place] = None

    def _place(self, docname: str, anchor: str) -> Place:
        """Return the place of an id; a document's own section is the document."""
        sections = self._sections[docname]
        own = anchor in sections[0] if sections else False
        return Place(docname=docname, anchor="" if own else anchor)

    def find(self, target: str) -> PageMatch:
        """Return what *target* means, an exact name before a folded one."""
        document, hash_, anchor = target.partition("#")
        document = document.removeprefix("/")
        for index, key in ((self._exact, document), (self._folded, fold(document))):
            places = tuple(index.get(key, ()))
            if hash_:
                places = tuple(
                    found for place in places if not place.anchor if (found := self._section(place.docname, anchor))
                )
            if len(places) > 1:
                return PageMatch(places=places)
            if places:
                return PageMatch(place=places[0])
        return PageMatch()

    def _section(self, docname: str, anchor: str) -> Place | None:
        """Return the section of a document that has the id, or one folded alike."""
        ids = [(i, section) for section in self._sections[docname] for i in section]
        for same in (str, fold):
            for i, _section in ids:
                if same(i) == same(anchor):
                    return self._place(docname, i)
        return None

    def closest(self, target: str) -> tuple[str, ...]:
        """Return the names of documents and labels most like *target*."""
        found = closest(fold(target), {fold(name): name for name in self.names})
        tails = {fold(name.rpartition("/")[2]): name for name in self.names}
        found += closest(fold(target), tails)
        by_fold = {fold(name): name for name in self.names} | tails
        return tuple(dict.fromkeys(by_fold[name] for name in found))[:3]


def toctree_order(root: str, includes: Mapping[str, Iterable[str]], docnames: Iterable[str]) -> dict[str, int]:
    """Return each document's rank: the toctree's order, then by name."""
    order: dict[str, int] = {}
    stack = [root]
    while stack:
        docname = stack.pop()
        if docname not in order:
            order[docname] = len(order)
            stack.extend(reversed(list(includes.get(docname, ()))))
    for docname in sorted(docnames):
        order.setdefault(docname, len(order))
    return order
