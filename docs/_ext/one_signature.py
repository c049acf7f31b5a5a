"""Show one signature of a function where PEFT has overloads for type checkers.

Autodoc shows each, with the private classes that they return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.pycode import ModuleAnalyzer

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

#: Module → its functions that have overloads.
OVERLOADED = {"peft.mapping_func": ["get_peft_model"]}


def forget_overloads(_app: Sphinx, _env: BuildEnvironment, docnames: list[str]) -> None:
    """Let the analyzers, which Sphinx keeps, know nothing of the overloads.

    They import the module, which is for the reference alone.
    """
    if not any(docname.startswith("reference/") for docname in docnames):
        return
    for module, names in OVERLOADED.items():
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        for name in names:
            analyzer.overloads.pop(name, None)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect before anything is read, so that workers inherit it."""
    app.connect("env-before-read-docs", forget_overloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
