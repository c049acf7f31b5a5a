"""What autodoc has in hand: the names by identity of the objects that it documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sphinxext_heuristics.read.collect import LINEAGES
from sphinxext_heuristics.read.identity import files_of_bases, lineage

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def note_identity(app: Sphinx, _what: str, name: str, obj: object, *_others: object) -> None:
    """Note the names that the object of an autodoc entry has by identity."""
    noted = cast("dict[str, tuple[str, ...]]", app.env.temp_data.setdefault(LINEAGES, {}))
    noted[name] = lineage(name, obj)
    # Whether a member is inherited depends on all bases, which autodoc does not watch.
    for path in files_of_bases(name, obj):
        app.env.note_dependency(path)


def listen_to_autodoc(app: Sphinx, _config: object) -> None:
    """Connect to autodoc where it is loaded: its events exist only then."""
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", note_identity)
