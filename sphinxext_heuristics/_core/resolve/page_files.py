"""Files in ``heuristics_dir``: each page holds the heuristic that it is named after."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.model import INDEX_PAGE, Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sphinxext_heuristics._core.resolve.plan import Plan


def problems(plan: Plan, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    """Yield the problem of each file; *path_of* returns the file of a document."""
    if INDEX_PAGE in plan.catalogue.pages:
        message = (
            f"the document {INDEX_PAGE!r} has the name of the index page that is made "
            f"for the heuristics, which overwrites it: rename the file"
        )
        yield _at(path_of(INDEX_PAGE), 1, message)
    if not plan.settings.dir:
        return
    folder = posixpath.normpath(plan.settings.dir).strip("/")
    for docname in plan.catalogue.docnames:
        stem = docname.rpartition("/")[2]
        if not docname.startswith(f"{folder}/") or stem == "index":
            continue
        records = plan.catalogue.pages[docname].heuristics
        names = [plan.settings.page_name(record.name) for record in records]
        if names != [stem]:
            path = path_of(docname)
            line, reason = (1, "") if names else _why_unread(path, stem)
            yield _at(path, line, _message(plan, stem, names) + reason)


def _at(path: Path, line: int, message: str) -> Problem:
    return Problem(
        subtype=Subtype.FILE,
        message=message,
        source=str(path),
        line=line,
    )


def _message(plan: Plan, stem: str, names: list[str]) -> str:
    """Return what is wrong with a page that holds the heuristics of these names."""
    wanted = plan.settings.strip(stem)
    if not names:
        return (
            f"a page in heuristics_dir holds no heuristic; expected here is "
            f"heuristic {wanted!r}"
        )
    if len(names) > 1:
        return (
            f"a page in heuristics_dir holds heuristic {wanted!r} alone, but this one "
            f"holds {len(names)}: {', '.join(names)}"
        )
    name = plan.settings.strip(names[0])
    # If only the namespace differs, the heuristic has the right name.
    otherwise = "" if name == wanted else f", or the heuristic {name!r} to {wanted!r}"
    return (
        f"a page in heuristics_dir is named after its heuristic: rename the file "
        f"to {names[0]!r}{otherwise}"
    )


_MARKDOWN = (".md",)
_RESTRUCTUREDTEXT = (".rst", ".txt")

#: How a page may write a heuristic that its parser does not read: suffixes of the file,
#: pattern, and the reason.
_UNREAD = (
    (
        _MARKDOWN,
        r":{3,}\{heuristic\}",
        (
            "':::' requires 'colon_fence' in myst_enable_extensions; or write "
            "'```{{heuristic}} {name}'"
        ),
    ),
    (
        _MARKDOWN,
        r"\.\. +heuristic::",
        "this is reStructuredText in a Markdown file; write '```{{heuristic}} {name}'",
    ),
    (
        _RESTRUCTUREDTEXT,
        r"[`~:]{3,}\{heuristic\}",
        "this is Markdown in a reStructuredText file; write '.. heuristic:: {name}'",
    ),
    (
        _MARKDOWN,
        r"[`~:]{3,} *heuristic\b",
        "the name of the directive is not in braces; write '```{{heuristic}} {name}'",
    ),
    (
        _RESTRUCTUREDTEXT,
        r"\.\. *heuristic(?!::)\b|\.\.heuristic",
        "this is a comment; write '.. heuristic:: {name}'",
    ),
    (
        _MARKDOWN + _RESTRUCTUREDTEXT,
        r"[`~:.{]+ *heuristic",
        "the directive is not written as one",
    ),
)


def _why_unread(path: Path, name: str) -> tuple[int, str]:
    """Return the line at which a heuristic was meant, and why none was read.

    They are 1 and ``""`` if nothing looks like one.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for suffixes, pattern, reason in _UNREAD:
        if path.suffix in suffixes:
            for number, line in enumerate(lines, 1):
                if re.match(pattern, line.lstrip()):
                    return number, f": {reason.format(name=name)}"
    return 1, ""
