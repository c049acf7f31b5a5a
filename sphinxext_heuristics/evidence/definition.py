"""Where the source of a package defines an object; nothing is imported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence.source import read, state
from sphinxext_heuristics.source.names import Definition

if TYPE_CHECKING:
    from sphinxext_heuristics.source.packages import Sources


def definition(dotted: str, sources: Sources) -> Definition | None:
    """Return where *dotted* is defined, a member perhaps by a base class; ``None`` if no source defines it."""
    lineage = sources.lineage(dotted)
    found = sources.canonical(lineage[-1]) if lineage else None
    at = state(found[0], sources) if found else None
    if found is None or at is None:
        return None
    try:
        nodes = read(at).definitions.get(found[1], ())
    except (OSError, ValueError):
        return None
    for node in nodes:
        is_described = not isinstance(node, _DESCRIBED) or ast.get_docstring(node, clean=False) is not None
        name = f"{found[0]}.{found[1]}"
        return Definition(
            name=name, path=at.path, line=node.lineno, is_described=is_described, is_inherited=len(lineage) > 1
        )
    return None


#: What has a docstring, or lacks it.
_DESCRIBED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
