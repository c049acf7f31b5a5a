"""Files in ``heuristics_dir``: each page holds the heuristic that it is named after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..model import INDEX_PAGE, Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

    from ..model import Page
    from .plan import Plan


#: The suffixes of files in which someone may write a heuristic.
_TEXTS = (".md", ".markdown", ".mdx", ".rst", ".rest", ".txt", ".text")

_CONFLICT = re.compile(r"(<{7}|>{7}) ")


def problems(plan: Plan, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    """Yield the problem of each file; *path_of* returns the file of a document."""
    if INDEX_PAGE in plan.catalogue.pages:
        message = (
            f"the document {INDEX_PAGE!r} has the name of the index page that is made "
            f"for the heuristics, which overwrites it: rename the file"
        )
        yield _at(path_of(INDEX_PAGE), 1, message)
    for docname, page in plan.catalogue.pages.items():
        if not plan.settings.has_page(docname):
            for record in page.heuristics:
                if plan.settings.has_page(plan.catalogue.own_page(record)):
                    message = (
                        f"this page is included in {docname!r}, too: it counts itself; "
                        f"link to heuristic {record.name!r} there"
                    )
                    yield Problem.at(record, Subtype.FILE, message)
            continue
        stem = docname.rpartition("/")[2]
        if stem == "index" or is_unreadable(page):
            continue
        names = [plan.settings.page_name(record.name) for record in page.heuristics]
        is_named = all(record.name for record in page.heuristics)
        if names != [stem] and is_named:
            path = path_of(docname)
            line, reason = (1, "") if names else _why_unread(path, stem)
            yield _at(path, line, _message(plan, stem, names) + reason)


def is_unreadable(page: Page) -> bool:
    """Return whether what is read from a page is not what its author meant."""
    return any(problem.subtype is Subtype.FILE for problem in page.problems)


def conflict(path: Path) -> Iterator[Problem]:
    """Yield the problem of a file that holds the markers of a merge conflict."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if _CONFLICT.match(line):
            yield _at(path, number, "this file holds the markers of a merge conflict")
            return


def texts(folder: Path, suffixes: Container[str]) -> Iterator[Path]:
    """Yield the files of a folder that may hold a heuristic and are no documents.

    What has one of Sphinx's *suffixes* is read, or is left out on purpose by
    ``exclude_patterns``.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _TEXTS and path.suffix not in suffixes:
            yield path


def unread(path: Path) -> Problem:
    """Return the problem of a file that nobody reads."""
    advice = "rename it, or move it elsewhere"
    if path.suffix in _MARKDOWN:
        advice = "add 'myst_parser' to extensions"
    why = f"no file with the suffix {path.suffix!r} is; {advice}"
    return _at(path, 1, f"this file in heuristics_dir is not read: {why}")


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


_MARKDOWN = (".md", ".markdown")
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
