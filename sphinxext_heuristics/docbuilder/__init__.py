"""Hugging Face's docstrings and pages, as its doc-builder reads them, under Sphinx.

An extension of its own: it knows nothing of the rest of this package.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .. import __version__
from .docstrings.autodoc import DocstringDirective, process_docstring, process_signature
from .pages import events
from .pages.renderer import PageParser
from .references import resolve
from .store import DocbuilderDomain, warn

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension.

    ``docbuilder_packages`` names the packages whose docstrings are in Hugging Face's
    style, ``["peft"]`` for example; docstrings of all others stay as they are.
    ``docbuilder_trees`` maps a folder under the source directory (``""`` is all of it)
    to the package that its pages document. Nothing is named by default.
    """
    app.setup_extension("sphinx.ext.autodoc")
    app.add_config_value("docbuilder_packages", [], "env", types=(list, tuple))
    app.add_config_value("docbuilder_trees", {}, "env", types=(dict,))
    app.add_domain(DocbuilderDomain)
    app.add_directive(DocstringDirective.name_in_source, DocstringDirective)
    app.connect("config-inited", use_parser)
    # Before napoleon (500), which would leave fields where there are sections.
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("autodoc-process-signature", process_signature)
    app.connect("env-get-outdated", events.read_trees)
    app.connect("env-before-read-docs", events.before_reading)
    app.connect("doctree-read", events.note_page)
    # Before those (500) that look objects up.
    app.connect("env-updated", events.update, priority=400)
    app.connect("missing-reference", resolve)
    app.connect("doctree-resolved", events.note_written)
    app.connect("build-finished", events.end_writing)
    return {
        "version": __version__,
        # What another version has stored is read anew.
        "env_version": zlib.crc32(__version__.encode()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }


def use_parser(app: Sphinx, config: Config) -> None:
    """Let pages be parsed where trees are named; MyST stays as it is otherwise."""
    trees = config.docbuilder_trees
    if not isinstance(trees, dict) or not all(
        isinstance(text, str) for text in [*trees, *trees.values()]
    ):
        hint = "use a dict of folders and packages, {'': 'peft'} for example"
        warn(f"docbuilder_trees is {trees!r}; {hint}", "config")
        config.docbuilder_trees = {}
    if config.docbuilder_trees:
        app.setup_extension("myst_parser")
        app.add_source_suffix(".mdx", "markdown", override=True)
        app.add_source_parser(PageParser, override=True)
