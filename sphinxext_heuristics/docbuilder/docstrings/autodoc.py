"""autodoc's docstrings, handed to the directive."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.docstrings.directive import DocstringDirective
from sphinxext_heuristics.docbuilder.docstrings.sections import Kind
from sphinxext_heuristics.docbuilder.docstrings.splitter import split_docstring
from sphinxext_heuristics.docbuilder.docstrings.summary import summary_as_rst

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def process_docstring(  # noqa: PLR0913, PLR0917 - autodoc's signature
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Replace the lines of a Hugging Face docstring (``autodoc-process-docstring``).

    The first paragraph becomes reStructuredText, so that what reads summaries (autosummary) finds one; the rest becomes
    one directive with the text as its content. Docstrings of packages that ``docbuilder_packages`` does not name are
    left alone.

    :param lines: The docstring; changed in place.
    """
    del what, options
    packages = {*app.config.docbuilder_packages, *app.config.docbuilder_trees.values()}
    if not packages or not any(lines) or source_module(name, obj).partition(".")[0] not in packages:
        return
    lines[:] = to_directive(lines)


def to_directive(lines: list[str]) -> list[str]:
    """Write a docstring as reStructuredText: its first paragraph, and a directive that holds the rest.

    :param lines: The docstring.
    :returns: The lines of the first paragraph at their places, and after them `directive.LINES_BEFORE` more than
        before, so that a line's number can be told.
    """
    start = next(number for number, line in enumerate(lines) if line.strip())
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    summary = _summary(lines[start:end])
    rest = lines[start:] if summary is None else lines[end:]
    body = [f"   {line}" if line.strip() else "" for line in rest]
    directive = ["", f".. {DocstringDirective.name_in_source}::", "", *body, ""] if any(body) else [""]
    return [*lines[:start], *(summary or []), *directive]


def _summary(paragraph: list[str]) -> list[str] | None:
    """Write the first paragraph in reStructuredText, unless it is more than a paragraph."""
    text = "\n".join(paragraph)
    if [section.kind for section in split_docstring(text)] != [Kind.PROSE]:
        return None
    rst = summary_as_rst(text)
    return None if rst is None else rst.split("\n")


def source_module(name: str, obj: object) -> str:
    """Give the module that an object's docstring is written in.

    :param name: The name that the object is documented under.
    :param obj: The object.
    :returns: The module's name; a method without a docstring has that of the class it inherits the docstring from. What
        has no module, a property or a value, is taken to belong to the module in *name*.
    """
    function = inspect.unwrap(obj) if callable(obj) else getattr(obj, "fget", None) or obj
    if not getattr(function, "__doc__", None) and (inherited := _inherited_from(name)):
        return inherited
    module = getattr(function, "__module__", None)
    return module if isinstance(module, str) else name


def _inherited_from(name: str) -> str | None:
    """Find the class in whose body a member's docstring stands, without importing anything."""
    owner_name, _, member = name.rpartition(".")
    module_name, _, class_name = owner_name.rpartition(".")
    owner = getattr(sys.modules.get(module_name), class_name, None)
    for base in inspect.getmro(owner) if inspect.isclass(owner) else ():
        if getattr(base.__dict__.get(member), "__doc__", None):
            return base.__module__
    return None
