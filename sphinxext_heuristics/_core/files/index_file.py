"""The index as a Markdown file: what it should hold, and where a file differs from that. Free of Sphinx."""

from __future__ import annotations

import os.path
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from sphinxext_heuristics._core.files.project_file import difference
from sphinxext_heuristics._core.model import CONNECTION_TYPES, Problem, Subtype
from sphinxext_heuristics._core.notes import markdown
from sphinxext_heuristics._core.resolve import listing as index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinxext_heuristics._core.config import Settings
    from sphinxext_heuristics._core.files.project_file import ProjectFile
    from sphinxext_heuristics._core.model import Connection, Heuristic
    from sphinxext_heuristics._core.resolve.connections import Resolved
    from sphinxext_heuristics._core.resolve.plan import Plan

#: Document → its file.
PathOf: TypeAlias = Callable[[str], str | Path]

#: What the file is called where ``heuristics_index_file`` does not say.

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


def content(plan: Plan, path: Path, path_of: PathOf) -> str:
    """Return what the index file at *path* should hold; *path_of* returns the file of a document.

    The text ends each line with a line feed.
    """
    settings = plan.settings
    title = settings.index_title or ": ".join(
        filter(None, ("Heuristic Index", settings.namespace))
    )
    link = _links(str(Path(os.path.realpath(path)).parent), path_of)
    categories = index.categories(plan.heuristics.values(), settings.categories)
    return _FORM.format(
        title=markdown.text(title),
        head=HEAD,
        pages="".join(
            _row(_cells(plan, record, link)) for record in plan.heuristics.values()
        ),
        categories="".join(
            _row(
                (
                    markdown.text(row.name),
                    str(row.number),
                    markdown.text(row.description),
                )
            )
            for row in categories
        ),
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cells(
    plan: Plan, record: Heuristic, link: Callable[[str], str]
) -> tuple[str, ...]:
    return (
        markdown.text(plan.settings.page_name(record.name)),
        f"[→]({link(record.docname)})",
        markdown.text(", ".join(marks(plan.connections(record), plan.settings))),
        _note(plan, record),
    )


def _note(plan: Plan, record: Heuristic) -> str:
    note = markdown.inline(record.index_note or record.note)
    if plan.holds(record):
        return note
    # The version itself is not named: the file would differ with each release that
    # changes nothing here.
    outdated = f"**({index.bounds(record)}; does not hold for the documented version)**"
    return f"{note} {outdated}".strip()


def marks(resolved: Iterable[Resolved], settings: Settings) -> Iterator[str]:
    """Yield connections as the file lists them, those of one type and name as one."""
    found: dict[tuple[str, str], bool] = {}
    for one in resolved:
        key = (
            one.connection.type,
            settings.page_name(name_of(one.connection, settings.package)),
        )
        found[key] = found.get(key, True) and one.exists
    for (type_, name), exists in found.items():
        yield f"{index.EXISTS if exists else index.MISSING}{CONNECTION_TYPES[type_]}:{name}"


def name_of(connection: Connection, package: str) -> str:
    """Return what the file calls a connection, without the namespace."""
    name = index.short_name(connection, package)
    return name if connection.text else name.replace(".", "_")


def _links(folder: str, path_of: PathOf) -> Callable[[str], str]:
    """Return the function from a document to the link from a folder to its real file."""

    @cache
    def relative(parent: str) -> str:  # few folders hold many pages
        found = Path(os.path.relpath(os.path.realpath(parent), folder)).as_posix()
        return (
            f"{found}/" if found.startswith("..") else f"./{found}/".replace("/./", "/")
        )

    def link(docname: str) -> str:
        path = str(path_of(docname))
        if os.path.islink(path):  # noqa: PTH114 - thousands of times: no object for each
            path = os.path.realpath(path)
        parent, name = os.path.split(path)
        return quote(relative(parent) + name, safe="/+@:,=~")

    return link


# -- where a file differs -------------------------------------------------------------


def problems(file: ProjectFile, wanted: str) -> Iterator[Problem]:
    """Yield the problem that the file does not hold what is *wanted*."""
    found = file.text(Subtype.INDEX)
    if isinstance(found, Problem):
        yield found
    elif differs := difference(found, wanted):
        line, lines = differs
        shown = "".join(f"\n  {line}" for line in lines)
        message = (
            f"the index differs from the pages, here first; to rewrite it: "
            f"{file.command}{shown}"
        )
        yield file.problem(Subtype.INDEX, message, line)
