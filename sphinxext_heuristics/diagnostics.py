"""The one place where the extension warns."""

from __future__ import annotations

import difflib
import os.path
from typing import TYPE_CHECKING

from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.model import Problem

#: The ``type`` of all warnings.
TYPE = "heuristic"

logger = logging.getLogger(__name__)


def report(problems: Iterable[Problem]) -> None:
    """Give each problem once as a warning, in an order that no build changes."""
    unique = {(p.source, p.line, p.subtype.word, p.message): p for p in problems}
    for _key, problem in sorted(unique.items()):
        logger.warning(
            "%s",
            problem.message,
            # Sphinx takes a string with a colon as it is: the file may be a docstring's
            # or an included one, which a pair with the document's name would lose.
            location=f"{problem.source}:{problem.line}",
            type=TYPE,
            subtype=problem.subtype.word,
        )


def absolute(source: str | None) -> str:
    """Return the path of a source that does not depend on where a build is started.

    docutils names an included file as seen from the working directory; a docstring
    (``file:docstring of object``) has an absolute path already.
    """
    if not source or source.startswith(("docstring of ", "<")):
        return source or ""
    return os.path.abspath(source)  # noqa: PTH100 - not a Path: it may name a docstring


def closest(word: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return the names most like *word*, best first; case does not matter."""
    folded: dict[str, str] = {}
    for name in sorted(names):
        folded.setdefault(name.casefold(), name)
    close = difflib.get_close_matches(word.casefold(), folded, n=count, cutoff=0.6)
    return tuple(folded[name] for name in close)


def did_you_mean(names: Iterable[str]) -> str:
    """Return the end of a message that offers *names*, or nothing."""
    quoted = " or ".join(repr(name) for name in names)
    return f"; did you mean {quoted}?" if quoted else ""
