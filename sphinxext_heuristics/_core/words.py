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

#: The folder of our own translations.
_SHIPPED = Path(__file__).parents[1] / "locale"

_ = get_translation(CATALOGUE)


def N_(text: str) -> str:  # noqa: N802 - gettext's name, which Babel knows
    """Mark a text for the catalogue; it is translated where it is used."""
    return text


def _folders(app: Sphinx) -> list[Path]:
    """Return the project's folders of catalogues for the language of the build."""
    language: str = app.config.language
    # Sphinx takes the catalogues of "pt" for "pt_BR", too.
    names = sorted({language, language.partition("_")[0]})
    found = []
    for folder in app.config.locale_dirs:
        found += [Path(app.srcdir, folder, name, "LC_MESSAGES") for name in names]
    return found


def catalogues(app: Sphinx) -> list[Path]:
    """Return the project's message catalogues for the language of the build."""
    found: list[Path] = []
    for folder in _folders(app):
        found += filter(Path.is_file, sorted(folder.rglob("*.[mp]o")))
    return found


def compiled(app: Sphinx, docname: str) -> list[str]:
    """Return the compiled catalogues that translate a document.

    Sphinx knows only of those whose source is there, too.
    """
    name = f"{docname_to_domain(docname, app.config.gettext_compact)}.mo"
    paths = (folder / name for folder in _folders(app))
    return [str(path) for path in paths if path.is_file()]


def load(app: Sphinx) -> None:
    """Load the translations of our words: the project's own, and then ours."""
    for file in catalogues(app):
        info = CatalogInfo(file.parent, CATALOGUE, "utf-8")
        if file.name == info.po_file and info.is_outdated():
            allows_fuzzy = app.config.gettext_allow_fuzzy_translations
            info.write_mo(app.config.language, allows_fuzzy)
    for folder in app.config.locale_dirs:
        app.add_message_catalog(CATALOGUE, str(Path(app.srcdir, folder)))
    app.add_message_catalog(CATALOGUE, str(_SHIPPED))


def state(app: Sphinx) -> str:
    """Return a digest of the project's translations of our words and Sphinx's.

    It is ``""`` where there are none.
    """
    names = {f"{CATALOGUE}.mo", "sphinx.mo"}
    texts = [path.read_bytes() for path in catalogues(app) if path.name in names]
    if not texts:
        return ""
    return hashlib.blake2b(b"".join(texts), digest_size=8).hexdigest()
