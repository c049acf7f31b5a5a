"""The pages of a tree: ``_toctree.yml`` and ``_redirects.yml``.

They say which pages a tree has, in which order, under which titles. Nothing here knows
of Sphinx.
"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

TOCTREE = "_toctree.yml"
REDIRECTS = "_redirects.yml"
#: What may follow a page's name, as in the address of a link to it.
SUFFIX = re.compile(r"\.(?:mdx?|html)$")
#: File → what it must hold.
_EXPECTED = {
    TOCTREE: "a list of pages (local, title) and sections (title, sections)",
    REDIRECTS: "a mapping of old pages to new ones",
}


class ToctreeEntry(NamedTuple):
    """A page in ``_toctree.yml``: document, title there, and line, from 1."""

    docname: str
    #: The titles of the sections around it, outermost first.
    caption: str
    title: str = ""
    line: int = 0


class TreeFault(NamedTuple):
    """What is wrong with one of the files, in which line, from 1, and what to do."""

    file: str
    line: int
    message: str


class TreePage(NamedTuple):
    """What a page of a tree depends on besides its text."""

    #: The folder of its tree, and the package that is documented there.
    folder: str
    package: str
    #: Whether ``_toctree.yml`` has it.
    is_listed: bool
    #: What the main page lists: ``index``, or else the first page.
    entries: tuple[ToctreeEntry, ...] = ()


class Tree(NamedTuple):
    """A folder of pages that are written for doc-builder."""

    #: The folder under the source directory; empty if it is that.
    folder: str
    #: The pages that doc-builder reads: the listed ones in their order, and others
    #: beside them in a folder. A folder without a listed page holds pages of another
    #: kind, written for MyST.
    pages: dict[str, TreePage]
    #: Old document name → new document name.
    redirects: dict[str, str]
    #: What is wrong with the files.
    faults: list[TreeFault]


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """Gives each mapping its line, and refuses aliases: a few may hold without end."""

    def compose_node(self, parent: object, index: object) -> Any:  # noqa: ANN401 - as there
        """Return a node that is written out."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            problem = f"*{event.anchor} is an alias; write out what it stands for"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as there
        """Return a mapping with the key ``line``."""
        mapping = super().construct_mapping(node, deep)
        return {**mapping, "line": node.start_mark.line + 1}


def read_tree(
    source: Path, folder: str, package: str, docnames: Collection[str]
) -> Tree:
    """Return the tree whose files are in a folder under the source directory.

    *docnames* are all documents. What is wrong with a file is one of its faults, and
    nothing of that file is in it.
    """
    folder = folder.strip("./")
    root = source / folder
    faults: list[TreeFault] = []
    entries: list[ToctreeEntry] = _read(
        root / TOCTREE, lambda items: list(_entries(items, folder, "")), faults
    )
    redirects: dict[str, str] = {}
    if (root / REDIRECTS).exists():
        redirects = _read(
            root / REDIRECTS, lambda pairs: _redirects(pairs, folder), faults
        )
    lines = {entry.docname: entry.line for entry in entries}
    names, beside = _pages(folder, lines, docnames)
    faults += _missing(names, lines, docnames)
    pages = {name: TreePage(folder, package, name in lines) for name in names}
    index = join(folder, "index")
    main = index if index in docnames else next(iter(names), "")
    if main in pages:
        shown = [entry for entry in entries if entry.docname in docnames]
        shown += _entries_beside(folder, beside)
        pages[main] = pages[main]._replace(entries=tuple(shown))
    return Tree(folder, pages, redirects, faults)


def unreadable(root: Path) -> TreeFault | None:
    """Return why the ``_toctree.yml`` of a folder cannot be read, if it cannot be."""
    faults: list[TreeFault] = []
    _read(root / TOCTREE, lambda items: list(_entries(items, "", "")), faults)
    return next(iter(faults), None)


def _pages(
    folder: str, listed: Collection[str], docnames: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return the pages of a tree, and the documents beside them."""
    pages = [name for name in listed if name in docnames]
    folders = {dirname(name) for name in pages} or {folder}
    beside: list[str] = []
    for name in sorted({*docnames} - {*pages}):
        # a README is no page of the site
        is_inside = not folder or name.startswith(f"{folder}/")
        if is_inside and not name.endswith("README"):
            is_page = dirname(name) in folders or not listed
            (pages if is_page else beside).append(name)
    return pages, beside


def _missing(
    pages: list[str], listed: dict[str, int], docnames: Collection[str]
) -> Iterator[TreeFault]:
    """Yield the pages that only one side has: ``_toctree.yml`` or the folder."""
    for docname, line in listed.items():
        if docname not in docnames:
            message = f"page {docname!r} does not exist; remove it, or write it"
            yield TreeFault(TOCTREE, line, message)
    for docname in pages:
        if listed and docname not in listed:
            message = (
                f"page {docname!r} is not listed; doc-builder stops at such a page: "
                "add it"
            )
            yield TreeFault(TOCTREE, 1, message)


def _entries_beside(folder: str, beside: list[str]) -> Iterator[ToctreeEntry]:
    """Yield documents under the names of their folders.

    A folder with an index has a toctree of its own there.
    """
    for name in beside:
        path = name.removeprefix(folder).strip("/")
        top = dirname(path).partition("/")[0]
        index = join(folder, top, "index")
        if name == index or index not in beside:
            yield ToctreeEntry(name, re.sub("[-_]", " ", top).capitalize())


def _read(path: Path, convert: Callable[[Any], Any], faults: list[TreeFault]) -> Any:  # noqa: ANN401 - what *convert* returns
    """Return what one file holds, nothing if it is empty or not in order."""
    line = 1
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)  # noqa: S506 - a SafeLoader
        return convert(content or {})
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        if isinstance(error, yaml.MarkedYAMLError):
            line = error.problem_mark.line + 1
        reason = getattr(error, "problem", error)
        if isinstance(error, RecursionError):
            reason = "it is nested too deep"
        message = f"{path.name} cannot be read: {reason}; fix the file"
    except (TypeError, AttributeError):
        message = f"expected {_EXPECTED[path.name]}; fix the file"
    faults.append(TreeFault(path.name, line, message))
    return convert({})


def _entries(
    items: Any,  # noqa: ANN401 - what the file holds
    folder: str,
    caption: str,
) -> Iterator[ToctreeEntry]:
    """Yield the entries of ``_toctree.yml``, or of a section.

    A caption has those of the sections around it in front.
    """
    for item in items:
        if not {"local", "sections"} & item.keys():
            raise TypeError(item)
        title = str(item.get("title", ""))
        if "local" in item:
            yield ToctreeEntry(
                _docname(item["local"], folder), caption, title, item["line"]
            )
        if "sections" in item:
            below = ": ".join(filter(None, (caption, title)))
            yield from _entries(item["sections"], folder, below)


def _redirects(pairs: dict[str, str], folder: str) -> dict[str, str]:
    pairs.pop("line", "")
    return {_docname(old, folder): _docname(new, folder) for old, new in pairs.items()}


def _docname(local: str, folder: str) -> str:
    return normpath(join(folder, SUFFIX.sub("", local.strip())))
