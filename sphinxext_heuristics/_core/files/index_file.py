"""The index as a Markdown file: what it should hold, and where a file differs."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..notes import markdown
from ..problems import Problem, Subtype
from ..resolve import listing as index
from .project_file import ProjectFile, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..config import Settings
    from ..model import Connection, Heuristic
    from ..resolve.catalogue import Catalogue
    from ..resolve.plan import Plan
    from ..resolve.records import Resolved

#: The line by which a file is known as an index.
HEAD = "| Page | File | Connections | Notes |"

_FORM = """\
# {title}

> Tracks Heuristic pages and which pages they apply to.
> **Update IMMEDIATELY** after creating or modifying a Heuristic page.

## Pages

{head}
|------|------|-------------|-------|
{pages}
---

## Heuristic Categories

| Category | Count | Description |
|----------|-------|-------------|
{categories}
---

**Legend:** `✅Type:Name` = page exists | `⬜Type:Name` = page needs creation
"""


# -- what the file should hold --------------------------------------------------------


def content(plan: Plan, path: Path, path_of: Callable[[str], str | Path]) -> str:
    """Return what the index file at *path* should hold.

    *path_of* returns the file of a document. The text ends each line with a line feed.
    """
    settings = plan.catalogue.settings
    title = "Heuristic Index"
    if settings.namespace:
        title += f": {settings.namespace}"
    folder = Path(os.path.realpath(path)).parent
    pages = ""
    for record in plan.catalogue.heuristics.values():
        link = _link(Path(path_of(record.docname)), folder)
        connections = _marks(plan.meanings.connections(record), settings)
        pages += _row(
            markdown.text(settings.page_name(record.name)),
            f"[→]({link})",
            markdown.text(connections),
            _note(plan.catalogue, record),
        )
    categories = ""
    for row in index.categories(
        plan.catalogue.heuristics.values(), settings.categories
    ):
        name, description = markdown.text(row.name), markdown.text(row.description)
        categories += _row(name, str(row.number), description)
    return _FORM.format(
        title=markdown.text(title), head=HEAD, pages=pages, categories=categories
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _link(path: Path, folder: Path) -> str:
    """Return the link from a folder to the real file behind a path."""
    link = Path(os.path.relpath(os.path.realpath(path), folder)).as_posix()
    start = "" if link.startswith("../") else "./"
    return quote(start + link, safe="/+@:,=~")


def _note(catalogue: Catalogue, record: Heuristic) -> str:
    note = markdown.inline(record.index_note or record.note)
    if catalogue.holds(record):
        return note
    # The version itself is not named: the file would differ with each release that
    # changes nothing here.
    outdated = f"**({index.bounds(record)}; does not hold for the documented version)**"
    return f"{note} {outdated}".strip()


def _marks(connections: Iterable[Resolved], settings: Settings) -> str:
    """Return connections as the file lists them."""

    def called(resolved: Resolved) -> str:
        return settings.page_name(name_of(resolved.connection, settings.package))

    links = index.links(connections, called)
    return ", ".join(f"{link.mark}{link.word}:{link.text}" for link in links)


def name_of(connection: Connection, package: str) -> str:
    """Return what the file calls a connection, without the namespace."""
    name = index.short_name(connection, package)
    return name if connection.text else name.replace(".", "_")


# -- where a file differs -------------------------------------------------------------


def problems(file: ProjectFile, wanted: str) -> Iterator[Problem]:
    """Yield the problem that the file does not hold what is *wanted*."""
    found = file.text(Subtype.INDEX)
    if isinstance(found, Problem):
        yield found
    elif differs := difference(found, wanted):
        line, changes = differs
        head = "the index differs from the pages, here first; to rewrite it"
        message = "\n  ".join([f"{head}: {file.command}", *changes])
        yield file.problem(Subtype.INDEX, message, line)
