"""What other projects document: targets in the inventories that intersphinx has loaded."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sphinx.ext.intersphinx import InventoryAdapter

from sphinxext_heuristics.model import PAGE_TYPES
from sphinxext_heuristics.resolve.pages import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import Inventory

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
        objects = (items for type_, items in self._main.items() if type_.startswith("py:"))
        return next((items[target].uri for items in objects if target in items), None)

    def heuristic(self, target: str) -> tuple[str, ...] | None:
        """Return the project, its version, the URI and the title of a heuristic, or ``None``."""
        inventory, name = self._main, target
        if ":" in target:
            project, _colon, name = target.partition(":")
            inventory = self._named.get(project, {})
        items = inventory.get("heuristic:heuristic", {})
        if name not in items:
            return None
        item = items[name]
        return item.project_name, item.project_version, item.uri, item.display_name

    def _page(self, target: str) -> str | None:
        document, hash_, anchor = target.partition("#")
        for type_ in PAGES[:1] if hash_ else PAGES:
            items = self._main.get(type_, {})
            name = document if document in items else self._folded.get(f"{type_} {fold(document)}")
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
