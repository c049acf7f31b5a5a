"""Which page or section a target means: names of documents, labels, anchors; and what other projects document."""

from __future__ import annotations

from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sphinx.ext.intersphinx import InventoryAdapter

from sphinxext_heuristics._core.diagnostics import ClosestNames
from sphinxext_heuristics._core.model import PAGE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import Inventory


class Place(NamedTuple):
    """A page, or a section of it."""

    #: The document.
    docname: str
    #: The section's id; empty for the document as a whole.
    anchor: str = ""

    def __str__(self) -> str:
        """Return the place as a target names it."""
        return f"{self.docname}#{self.anchor}" if self.anchor else self.docname


class PageMatch(NamedTuple):
    """What a target means among the pages."""

    #: The page or section, if the target is one.
    place: Place | None = None
    #: The id there that a link leads to; empty for the page's top.
    anchor: str = ""
    #: The places that it may mean, if they are several.
    places: tuple[Place, ...] = ()
    #: Where it leads, if ``heuristics_targets`` names a URL.
    uri: str = ""
    #: Whether ``heuristics_targets`` says that it is planned.
    planned: bool = False


def fold(name: str) -> str:
    """Return a name as it is compared: case does not matter, nor does - or _."""
    return name.casefold().replace("_", "-")


class Pages:
    """The documents, labels and sections under all their names.

    *sections* has, for each document, the ids of each of its sections, its own first;
    *labels* has label → (document, id); *anchors* has, for each document, the id of
    each label → the id of the section around it; *targets* is ``heuristics_targets``.
    """

    def __init__(
        self,
        sections: Mapping[str, tuple[tuple[str, ...], ...]],
        labels: Mapping[str, tuple[str, str]],
        anchors: Mapping[str, Mapping[str, str]] | None = None,
        targets: Mapping[str, str | None] | None = None,
    ) -> None:
        """Index documents and labels by exact and by folded name."""
        self._sections = sections
        self._anchors = anchors or {}
        self._targets = targets or {}
        self._folded_targets = {
            fold(name): meant for name, meant in self._targets.items()
        }
        self._matches: dict[str, PageMatch] = {}
        #: Document → each id in it → the ids of its section.
        self._owners = cache(
            lambda docname: {i: ids for ids in reversed(sections[docname]) for i in ids}
        )
        self._ids_by_fold = cache(self._folded_ids)
        #: Name → (place, id that a link leads to).
        self._exact: dict[str, dict[Place, str]] = {}
        self._folded: dict[str, dict[Place, str]] = {}
        self.names: dict[str, None] = {}
        for docname in sorted(sections):
            self._note(docname, docname, "")
            tail = docname.rpartition("/")[2]
            self._folded.setdefault(fold(tail), {}).setdefault(
                Place(docname=docname), ""
            )
        for label in sorted(labels):
            docname, anchor = labels[label]
            if docname in sections:
                self._note(label, docname, anchor)

    def _note(self, name: str, docname: str, anchor: str) -> None:
        place = self._place(docname, anchor)
        link = anchor if place.anchor else ""
        self.names[name] = None
        self._exact.setdefault(name, {}).setdefault(place, link)
        self._folded.setdefault(fold(name), {}).setdefault(place, link)

    def _place(self, docname: str, anchor: str) -> Place:
        """Return the section that an id is of, or stands in; a page's own is the page."""
        sections = self._sections[docname]
        ids = self._owners(docname).get(anchor)
        first = ids[0] if ids else self._anchors.get(docname, {}).get(anchor, "")
        own = bool(sections) and first in sections[0]
        return Place(docname=docname, anchor="" if own else first)

    def find(self, target: str) -> PageMatch:
        """Return what *target* means, an exact name before a folded one."""
        if target not in self._matches:
            self._matches[target] = self._find(target)
        return self._matches[target]

    def _find(self, target: str) -> PageMatch:
        for index, key in (
            (self._targets, target),
            (self._folded_targets, fold(target)),
        ):
            if key in index:
                return self.meant(index[key])
        return self._named(target)

    def meant(self, meant: str | None) -> PageMatch:
        """Return what a value of ``heuristics_targets`` means."""
        if meant is None:
            return PageMatch(planned=True)
        return PageMatch(uri=meant) if "://" in meant else self._named(meant)

    def _named(self, target: str) -> PageMatch:
        document, hash_, anchor = target.partition("#")
        document = document.removeprefix("/")
        for index, key in ((self._exact, document), (self._folded, fold(document))):
            found = index.get(key, {})
            if hash_:
                found = dict(
                    self._parts(
                        [place.docname for place in found if not place.anchor], anchor
                    )
                )
            if len(found) > 1:
                return PageMatch(places=tuple(found))
            for place, link in found.items():
                return PageMatch(place=place, anchor=link)
        return PageMatch()

    def _parts(
        self, docnames: Iterable[str], anchor: str
    ) -> Iterator[tuple[Place, str]]:
        """Yield the part of each document that has the id, or one folded alike."""
        for docname in docnames:
            alike = self._ids_by_fold(docname).get(fold(anchor), [])
            for i in [anchor] if anchor in alike else alike[:1]:
                yield self._place(docname, i), i

    def _folded_ids(self, docname: str) -> dict[str, list[str]]:
        """Return folded id → the ids of a document's sections and labels, in this order."""
        found: dict[str, list[str]] = {}
        for i in [*chain(*self._sections[docname]), *self._anchors.get(docname, {})]:
            found.setdefault(fold(i), []).append(i)
        return found

    def closest(self, target: str) -> tuple[str, ...]:
        """Return the names of documents and labels most like *target*."""
        found = self._alike.closest(
            fold(target), 6
        )  # a name and its last part may both be close
        return tuple(dict.fromkeys(self._by_fold[name] for name in found))[:3]

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        """Each name, and the last part of each, folded → the name."""
        return {
            fold(part): name
            for name in self.names
            for part in (name, name.rpartition("/")[2])
        }

    @cached_property
    def _alike(self) -> ClosestNames:
        return ClosestNames(self._by_fold)


def toctree_order(
    root: str, includes: Mapping[str, Iterable[str]], docnames: Iterable[str]
) -> dict[str, int]:
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


# -- the inventories that intersphinx has loaded ---------------------------------------

#: What an inventory calls pages, and the parts of them that have a name.
PAGES = ("std:doc", "std:label")


class External:
    """The inventories of other projects, asked once a build."""

    def __init__(self, env: BuildEnvironment) -> None:
        """Take the inventories; without intersphinx there are none."""
        adapter = InventoryAdapter(env)
        self._main: Inventory = adapter.main_inventory
        self._named: Mapping[str, Inventory] = adapter.named_inventory

    def find(self, kind: str, target: str) -> str | None:
        """Return the URI of a target, or ``None``; *kind* is a connection type."""
        if kind in PAGE_TYPES:
            return self._page(target)
        objects = (
            items for type_, items in self._main.items() if type_.startswith("py:")
        )
        return next((items[target].uri for items in objects if target in items), None)

    def heuristic(self, target: str) -> tuple[str, ...] | None:
        """Return the project, its version, the URI and the title of a heuristic, or ``None``."""
        inventory, name = self._main, target
        if ":" in target:
            project, _colon, name = target.partition(":")
            inventory = self._named.get(project, {})
        items = inventory.get("heuristic:heuristic", {})
        item = items.get(name)
        return (
            (item.project_name, item.project_version, item.uri, item.display_name)
            if item
            else None
        )

    def _page(self, target: str) -> str | None:
        document, hash_, anchor = target.partition("#")
        for type_ in PAGES[:1] if hash_ else PAGES:
            items = self._main.get(type_, {})
            name = (
                document
                if document in items
                else self._folded.get(f"{type_} {fold(document)}")
            )
            if name is not None:
                return f"{items[name].uri}{hash_}{anchor}"
        return None

    @cached_property
    def _folded(self) -> dict[str, str]:
        """The type and folded name of each page → its name."""
        return {
            f"{type_} {fold(part)}": name
            for type_ in PAGES
            for name in sorted(self._main.get(type_, {}), reverse=True)
            for part in (name.rpartition("/")[2], name)
        }
