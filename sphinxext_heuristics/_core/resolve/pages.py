"""Which page or section a target means, here or in other projects."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from ..diagnostics import ClosestNames
from ..model import PAGE_TYPES, Address
from .records import Place, Resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import Inventory

    from ..model import Page


def fold(name: str) -> str:
    """Return a name as it is compared: case does not matter, nor does - or _."""
    return name.casefold().replace("_", "-")


def _by_fold(names: Iterable[str]) -> dict[str, str]:
    """Map each folded name, and its last part, to the first such name."""
    found: dict[str, str] = {}
    for name in names:
        for part in (name, name.rpartition("/")[2]):
            found.setdefault(fold(part), name)
    return found


class Pages:
    """The documents, labels and sections under all their names.

    *pages* has what was read from each document, *labels* has label → (document, id),
    and *targets* is ``heuristics_targets``.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        labels: Mapping[str, tuple[str, str]],
        targets: Mapping[str, str | None] = {},
    ) -> None:
        """Index documents and labels by exact and by folded name."""
        self._pages = pages
        #: Each name exactly and folded → what it means.
        self._targets = {fold(name): meant for name, meant in targets.items()}
        self._targets.update(targets)
        self._owners = cache(self._sections_by_id)
        self._ids_by_fold = cache(self._folded_ids)
        #: Name → place → where a link leads.
        self._exact: dict[str, dict[Place, Address]] = {}
        self._folded: dict[str, dict[Place, Address]] = {}
        for docname in sorted(pages):
            self._add(docname, docname, "")
            last = fold(docname.rpartition("/")[2])
            self._folded.setdefault(last, {})[Place(docname)] = Address(docname)
        for label in sorted(labels):
            docname, anchor = labels[label]
            if docname in pages:
                self._add(label, docname, anchor)

    def _add(self, name: str, docname: str, anchor: str) -> None:
        place = self._place(docname, anchor)
        address = Address(docname, anchor if place.anchor else "")
        self._exact.setdefault(name, {}).setdefault(place, address)
        self._folded.setdefault(fold(name), {}).setdefault(place, address)

    def _place(self, docname: str, anchor: str) -> Place:
        """Return the section that an id is of or in; a document's own is the page."""
        return Place(docname, self._owners(docname).get(anchor, ""))

    def _sections_by_id(self, docname: str) -> dict[str, str]:
        """Map each id of a document's sections and labels to its section's first id.

        That of the document's own section is ``""``.
        """
        found: dict[str, str] = {}
        page = self._pages[docname]
        for ids in page.sections:
            found.update(dict.fromkeys(ids, ids[0] if found else ""))
        for anchor, section_id in page.anchors:
            found.setdefault(anchor, found.get(section_id, ""))
        return found

    def _folded_ids(self, docname: str) -> dict[str, list[str]]:
        """Map each folded id of a document to its ids, those of sections first."""
        found: dict[str, list[str]] = {}
        for anchor in self._owners(docname):
            found.setdefault(fold(anchor), []).append(anchor)
        return found

    def find(self, target: str) -> Resolved:
        """Return what *target* means, an exact name before a folded one."""
        for name in (target, fold(target)):
            if name in self._targets:
                return self.meant(self._targets[name])
        return self._meant_by(target)

    def meant(self, meant: str | None) -> Resolved:
        """Return what a value of ``heuristics_targets`` means."""
        if meant is None:
            return Resolved(planned=True)
        if "://" in meant:
            return Resolved(address=Address(uri=meant))
        return self._meant_by(meant)

    def _meant_by(self, name: str) -> Resolved:
        document, hash_, anchor = name.removeprefix("/").partition("#")
        folded = self._folded.get(fold(document), {})
        for found in (self._exact.get(document, {}), folded):
            parts = self._parts(found, anchor) if hash_ else found
            if len(parts) > 1:
                return Resolved(several=tuple(map(str, parts)))
            for place, address in parts.items():
                return Resolved(place=place, address=address)
        return Resolved()

    def _parts(self, places: Iterable[Place], anchor: str) -> dict[Place, Address]:
        """Return the part of each document that has an id, or one folded alike."""
        found = {}
        for place in places:
            alike = self._ids_by_fold(place.docname).get(fold(anchor), [])
            if alike and not place.anchor:
                link = anchor if anchor in alike else alike[0]
                part = self._place(place.docname, link)
                found[part] = Address(place.docname, link)
        return found

    def closest(self, target: str) -> tuple[str, ...]:
        """Return the names of documents and labels most like *target*."""
        # A name and its last part may both be close.
        found = self._alike.closest(fold(target), 6)
        if "#" in target:
            anchor = target.rpartition("#")[2]
            found = (*self._alike.closest(fold(anchor), 1), *found)
        return tuple(dict.fromkeys(self._by_fold[name] for name in found))[:3]

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        """Map each folded name, and the last part of each, to the last such name.

        The id of a section leads to its name with the document.
        """
        found: dict[str, str] = {}
        for docname in self._pages:
            for anchor, section in self._owners(docname).items():
                if section:
                    found[fold(anchor)] = f"{docname}#{anchor}"
        return found | _by_fold(reversed(self._exact))

    @cached_property
    def _alike(self) -> ClosestNames:
        return ClosestNames(self._by_fold)


def toctree_order(
    root: str, includes: Mapping[str, Sequence[str]], docnames: Iterable[str]
) -> list[str]:
    """Return documents in the toctree's order, and then by name."""
    order: dict[str, None] = {}
    stack = [root]
    while stack:
        docname = stack.pop()
        if docname not in order:
            order[docname] = None
            stack += reversed(includes.get(docname, ()))
    known = dict.fromkeys(sorted(docnames))
    return [docname for docname in order | known if docname in known]


# -- the inventories that intersphinx has loaded ---------------------------------------

#: What an inventory calls pages, and the parts of them that have a name.
PAGES = ("std:doc", "std:label")


class External:
    """The inventories of other projects, asked once a build."""

    def __init__(self, env: BuildEnvironment) -> None:
        """Take the inventories; without intersphinx there are none."""
        # Where it keeps them; its own reader of these takes long to import.
        self._main: Inventory = getattr(env, "intersphinx_inventory", {})
        self._by_project: Mapping[str, Inventory]
        self._by_project = getattr(env, "intersphinx_named_inventory", {})
        self._by_fold = cache(self._folded_names)

    def find(self, kind: str, target: str) -> str | None:
        """Return the URI of a target, or ``None``; *kind* is a connection type."""
        if kind in PAGE_TYPES:
            return self._page(target)
        for type_, items in self._main.items():
            if type_.startswith("py:") and target in items:
                return items[target].uri
        return None

    def heuristic(self, target: str) -> tuple[str, ...] | None:
        """Return the project, its version, the URI and the title of a heuristic."""
        project, colon, name = target.rpartition(":")
        inventory = self._by_project.get(project, {}) if colon else self._main
        item = inventory.get("heuristic:heuristic", {}).get(name)
        if item is None:
            return None
        return item.project_name, item.project_version, item.uri, item.display_name

    @property
    def projects(self) -> tuple[str, ...]:
        """Return the names of the projects, as ``intersphinx_mapping`` has them."""
        return tuple(sorted(self._by_project))

    def heuristics_of(self, project: str) -> Iterable[str]:
        """Return the names of the heuristics of a project."""
        return self._by_project.get(project, {}).get("heuristic:heuristic", {})

    def _page(self, target: str) -> str | None:
        document, hash_, anchor = target.partition("#")
        types = PAGES[:1] if hash_ else PAGES
        for type_ in types:
            items = self._main.get(type_, {})
            name = document
            if name not in items:
                name = self._by_fold(type_).get(fold(document), "")
            if name in items:
                return f"{items[name].uri}{hash_}{anchor}"
        return None

    def _folded_names(self, type_: str) -> dict[str, str]:
        """Map each folded name of a type, and its last part, to the first such name."""
        return _by_fold(sorted(self._main.get(type_, {})))
