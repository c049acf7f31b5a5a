"""Files in ``heuristics_dir``: each page holds the heuristic that it is named after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..model import INDEX_PAGE, Heuristic, Page
from ..problems import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..config import Settings
    from .catalogue import Catalogue


#: The suffixes of files in which someone may write a heuristic.
TEXTS = (".md", ".markdown", ".mdx", ".rst", ".rest", ".txt", ".text")

_MARKDOWN = (".md", ".markdown")
#: How a page may write a heuristic that its parser does not read.
_MEANT = re.compile(r"(\.\.|[`~:{])[`~:{ ]*heuristic\b")
#: A directive as it is to be written.
_DIRECTIVE = re.compile(r"(\.\. heuristic::|(`{3,}|~{3,}|:{3,})\{heuristic\})(?!\S)")
_CONFLICT = re.compile(r"(<{7}|>{7}) ")


def problems(catalogue: Catalogue, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    """Yield the problem of each file; *path_of* returns the file of a document."""
    if INDEX_PAGE in catalogue.pages:
        message = (
            f"the document {INDEX_PAGE!r} has the name of the index page that is made "
            f"for the heuristics, which overwrites it: rename the file"
        )
        yield _at(path_of(INDEX_PAGE), 1, message)
    for docname, page in catalogue.pages.items():
        stem = docname.rpartition("/")[2]
        if not catalogue.settings.is_of_heuristics(docname):
            yield from _included(catalogue, docname, page)
        elif stem != "index" and not is_unreadable(page):
            yield from _of_page(catalogue.settings, stem, page, path_of(docname))


def _included(catalogue: Catalogue, docname: str, page: Page) -> Iterator[Problem]:
    """Yield the problem of each page of a heuristic that another page includes."""
    for record in page.heuristics:
        if catalogue.settings.is_of_heuristics(catalogue.own_page(record)):
            message = (
                f"this page is included in {docname!r}, too: it counts itself; "
                f"link to heuristic {record.name!r} there"
            )
            yield Problem.at(record, Subtype.FILE, message)


def _of_page(
    settings: Settings, stem: str, page: Page, path: Path
) -> Iterator[Problem]:
    """Yield the problem of a page that does not hold the heuristic of its name."""
    names = [settings.page_name(record.name) for record in page.heuristics]
    if names == [stem] or not all(map(_has_name, page.heuristics)):
        return
    line = 1
    message = (
        f"a page in heuristics_dir is named after the one heuristic that it "
        f"holds: this one is {stem!r}, and holds {', '.join(names)}"
    )
    if not names:
        line, reason = _why_unread(path, stem)
        message = (
            f"a page in heuristics_dir holds no heuristic; expected here is "
            f"heuristic {settings.strip(stem)!r}{reason}"
        )
    yield _at(path, line, message)


def _has_name(record: Heuristic) -> bool:
    """Return whether a name is as its author meant; if not, that is a problem."""
    return bool(record.name) and not any(
        problem.subtype is Subtype.OPTION and problem.line == record.line
        for problem in record.problems
    )


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


def unread(path: Path) -> Problem:
    """Return the problem of a file that nobody reads."""
    advice = "rename it, or move it elsewhere"
    if path.suffix in _MARKDOWN:
        advice = "add 'myst_parser' to extensions"
    why = f"no file with the suffix {path.suffix!r} is; {advice}"
    return _at(path, 1, f"this file in heuristics_dir is not read: {why}")


def excluded(settings: Settings, path: Path, pattern: str) -> Iterator[Problem]:
    """Yield the problem of a heuristic's page that a pattern leaves out.

    What holds no heuristic of its own name, such as a README, is no such page.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        directive = _DIRECTIVE.match(line.lstrip())
        name = line.lstrip()[directive.end() :].strip() if directive else ""
        if name and settings.page_name(settings.strip(name)) == path.stem:
            message = (
                f"this file in heuristics_dir is not read: the pattern {pattern!r} in "
                "exclude_patterns leaves it out; change the pattern, or move the file "
                "elsewhere"
            )
            yield _at(path, number, message)
            return


def _at(path: Path, line: int, message: str) -> Problem:
    return Problem(Subtype.FILE, message, str(path), line)


def _why_unread(path: Path, name: str) -> tuple[int, str]:
    """Return the line at which a heuristic was meant, and why none was read.

    They are 1 and ``""`` if nothing looks like one.
    """
    page, form = "reStructuredText", ".. heuristic::"
    if path.suffix in _MARKDOWN:
        page, form = "Markdown", "```{heuristic}"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if match := _MEANT.match(line.lstrip()):
            written = "reStructuredText" if match[1] == ".." else "Markdown"
            reason = f"this is {written} in a {page} file"
            if written == page:
                reason = _why_no_directive(line, page)
            return number, f": {reason}; write '{form} {name}'"
    return 1, ""


def _why_no_directive(line: str, page: str) -> str:
    """Return why a line in the syntax of its page is no directive."""
    written = line.lstrip()
    if page == "Markdown" and written.startswith(":::{"):
        return "':::' requires 'colon_fence' in myst_enable_extensions"
    if not _DIRECTIVE.match(written):
        return (
            "this is not a directive: braces, backticks, colons or a space are missing"
        )
    if page == "Markdown" and line.startswith(("    ", "\t")):
        return "what is indented by four spaces is a block of code: indent it less"
    return "this directive is within other markup, such as a comment or a block of code"
