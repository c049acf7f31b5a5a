"""Docstrings in Hugging Face's style, as its doc-builder reads them, under autodoc.

An extension of its own: it knows nothing of the rest of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.docstrings.autodoc import process_docstring
from sphinxext_heuristics.docbuilder.docstrings.directive import DocstringDirective
from sphinxext_heuristics.docbuilder.references import OBJECT_ROLE, ObjectRole, ReferenceResolver

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension.

    ``docbuilder_packages`` names the packages whose docstrings are in Hugging Face's style, ``["peft"]`` for example;
    docstrings of all others stay as they are. No package is named by default.
    """
    resolver = ReferenceResolver()
    app.setup_extension("sphinx.ext.autodoc")
    app.add_config_value("docbuilder_packages", [], "env", types=(list, tuple))
    app.add_directive(DocstringDirective.name_in_source, DocstringDirective)
    app.add_role(OBJECT_ROLE, ObjectRole())
    # Before napoleon (500), which would leave fields where there are sections.
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("env-before-read-docs", resolver.forget)
    app.connect("missing-reference", resolver.resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
