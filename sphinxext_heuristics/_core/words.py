"""The words of ours that readers see, in the language of the documentation."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.locale import get_translation
from sphinx.util.i18n import CatalogInfo, docname_to_domain

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: The name of our message catalogue.
CATALOGUE = "sphinxext_heuristics"

_ = get_translation(CATALOGUE)


def catalogues(app: Sphinx) -> list[Path]:
    """Return the project's message catalogues for the language of the build, as Sphinx finds them."""
    language: str = app.config.language
    places = (
        Path(app.srcdir, folder, name, "LC_MESSAGES")
        for folder in app.config.locale_dirs
        for name in sorted({language, language.partition("_")[0]})
    )
    return [
        file
        for place in places
        for file in sorted(place.rglob("*"))
        if file.suffix in {".po", ".mo"}
    ]


def compiled(app: Sphinx, docname: str) -> list[str]:
    """Return the compiled catalogues that translate a document.

    Sphinx knows only of those whose source is there, too.
    """
    config = app.config
    name = f"{docname_to_domain(docname, config.gettext_compact)}.mo"
    folders = (
        Path(app.srcdir, folder, config.language) for folder in config.locale_dirs
    )
    paths = (folder / "LC_MESSAGES" / name for folder in folders)
    return [str(path) for path in paths if path.is_file()]


def load(app: Sphinx) -> None:
    """Load the translations of our words; the project's own come first."""
    for file in catalogues(app):
        info = CatalogInfo(file.parent, CATALOGUE, "utf-8")
        if file.name == info.po_file and info.is_outdated():
            info.write_mo(
                app.config.language, app.config.gettext_allow_fuzzy_translations
            )
    for folder in app.config.locale_dirs:
        app.add_message_catalog(CATALOGUE, str(Path(app.srcdir, folder)))


def state(app: Sphinx) -> str:
    """Return a digest of the project's translations of our words and Sphinx's, ``""`` for none."""
    found = [
        file.read_bytes()
        for file in catalogues(app)
        if file.name in {f"{CATALOGUE}.mo", "sphinx.mo"}
    ]
    return hashlib.blake2b(b"".join(found), digest_size=8).hexdigest() if found else ""
