"""Names that may be known, found without building anything: a miss is answered without importing a package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics.diagnostics import closest
from sphinxext_heuristics.resolve.pages import fold
from sphinxext_heuristics.source.packages import Sources

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from sphinxext_heuristics.config import Settings

#: What autodoc and the Python domain document: the first part is a package.
_DOCUMENTED = re.compile(r"\bauto\w+[:}]*\s+(\w+)|\bpy:module[:}]*\s+(\w+)")


def closest_written(app: Sphinx, settings: Settings, name: str) -> tuple[str, ...] | None:
    """Return the words most like the last part of a name, or ``None`` if it is written anywhere that Sphinx reads.

    These are the pages and the source of the packages that they document, bases of classes in other packages included.
    """
    last = re.split(r"[.#/:]", name)[-1]
    texts = [Path(app.env.doc2path(docname)).read_text("utf-8", "replace") for docname in app.env.found_docs]
    packages = {match[1] or match[2] for text in texts for match in _DOCUMENTED.finditer(text)}
    files = {path for package in {settings.package} - {""} or packages for path in Sources().files(package)}
    texts += [path.read_text("utf-8", "replace") for path in files]
    words = {*app.env.found_docs, *(word for text in texts for word in re.findall(r"[\w-]+", text))}
    folded = {fold(word) for word in words}
    if fold(last) in folded or any(fold(docname).endswith(fold(last)) for docname in app.env.found_docs):
        return None
    return closest(last, words)
