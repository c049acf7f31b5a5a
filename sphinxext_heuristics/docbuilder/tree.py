"""``_toctree.yml`` and ``_redirects.yml``: which pages a tree has, in which order, under which titles."""

from __future__ import annotations

from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

TOCTREE = "_toctree.yml"
REDIRECTS = "_redirects.yml"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in ``_toctree.yml``."""

    #: The document.
    docname: str
    #: Its title there; empty if there is none.
    title: str
    #: The line that names it, from 1.
    line: int


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that follow each other under one heading."""

    #: The headings above them, outermost first, joined.
    caption: str
    #: The pages.
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one of the files."""

    #: The file's name.
    file: str
    #: The line, from 1.
    line: int
    #: What is wrong, why, and what to do.
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A folder of pages that are written for doc-builder."""

    #: The folder under the source directory; empty if it is that.
    folder: str
    #: The package that is documented there.
    package: str
    #: The pages as ``_toctree.yml`` has them.
    groups: tuple[Group, ...] = ()
    #: Old document name → new document name.
    redirects: dict[str, str] = field(default_factory=dict)
    #: What is wrong with the files.
    problems: tuple[Problem, ...] = ()

    def contains(self, docname: str) -> bool:
        """Say whether a document is in the folder."""
        return not self.folder or docname.startswith(f"{self.folder}/")

    @property
    def listed(self) -> dict[str, int]:
        """The documents of ``_toctree.yml`` and their places, each where it is first."""
        places: dict[str, int] = {}
        for group in self.groups:
            for entry in group.entries:
                places.setdefault(entry.docname, len(places))
        return places

    def pages(self, docnames: Collection[str]) -> list[str]:
        """Give the pages that doc-builder reads: the listed ones in their order, and others beside them in a folder.

        A folder without a listed page holds pages of another kind, written for MyST.

        :param docnames: The documents that exist.
        """
        listed = self.listed
        folders = {dirname(docname) for docname in listed if docname in docnames} or {self.folder}
        inside = {name for name in docnames if self.contains(name) and not name.endswith("README")}
        others = sorted(name for name in inside if name not in listed and (dirname(name) in folders or not listed))
        return [*(name for name in listed if name in docnames), *others]

    def follow(self, docname: str) -> str:
        """Follow the redirects from a document that does not exist."""
        seen: set[str] = set()
        while docname in self.redirects and docname not in seen:
            seen.add(docname)
            docname = self.redirects[docname]
        return docname

    def missing(self, docnames: Collection[str]) -> Iterator[Problem]:
        """Give the pages that only one side has: ``_toctree.yml`` or the folder."""
        for group in self.groups:
            for entry in group.entries:
                if entry.docname not in docnames:
                    message = f"page {entry.docname!r} does not exist; remove it, or write the page"
                    yield Problem(TOCTREE, entry.line, message)
        listed = self.listed
        for docname in self.pages(docnames) if self.groups else ():
            if docname not in listed:
                message = f"page {docname!r} is not listed; doc-builder stops at such a page: add it"
                yield Problem(TOCTREE, 1, message)


def read_tree(source: Path, folder: str, package: str) -> Tree:
    """Read the files of a tree.

    :param source: The source directory.
    :param folder: The tree's folder under it.
    :param package: The documented package.
    :returns: The tree; what is wrong with a file is one of its problems.
    """
    folder = "" if folder in {"", "."} else folder.strip("/")
    problems: list[Problem] = []
    reader = _Reader(folder, problems)
    if not (source / folder).is_dir():
        problems.append(Problem(TOCTREE, 1, f"docbuilder_trees names the folder {folder!r}, which does not exist"))
    else:
        _load(source / folder / TOCTREE, problems, reader.parts, required=True)
        _load(source / folder / REDIRECTS, problems, reader.old_names, required=False)
    return Tree(
        folder=folder,
        package=package,
        groups=tuple(group for group in reader.groups if group.entries),
        redirects=reader.redirects,
        problems=tuple(problems),
    )


def _load(path: Path, problems: list[Problem], use: Callable[[yaml.Node], None], *, required: bool) -> None:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), yaml.SafeLoader)
    except FileNotFoundError:
        if required:
            problems.append(Problem(path.name, 1, f"there is no {path.name}; every tree for doc-builder has one"))
        return
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        problems.append(Problem(path.name, mark.line + 1 if mark else 1, f"this is not YAML: {reason}; fix the file"))
        return
    if root is not None:
        use(root)


class _Reader:
    """Reads the two files into groups and redirects."""

    def __init__(self, folder: str, problems: list[Problem]) -> None:
        self.folder = folder
        self.problems = problems
        self.groups: list[Group] = []
        self.redirects: dict[str, str] = {}

    def parts(self, root: yaml.Node) -> None:
        """Read ``_toctree.yml``."""
        self._sections(root, ())

    def old_names(self, root: yaml.Node) -> None:
        """Read ``_redirects.yml``."""
        if not isinstance(root, yaml.MappingNode):
            self._wrong(REDIRECTS, root, "a mapping from old to new pages")
            return
        for old, new in root.value:
            if isinstance(old, yaml.ScalarNode) and isinstance(new, yaml.ScalarNode):
                self.redirects[self._docname(old.value)] = self._docname(new.value)
            else:
                self._wrong(REDIRECTS, new, "the name of a page")

    def _sections(self, root: yaml.Node, captions: tuple[str, ...]) -> None:
        if not isinstance(root, yaml.SequenceNode):
            self._wrong(TOCTREE, root, "a list of pages and sections")
            return
        run: list[Entry] = []
        for item in root.value:
            if not isinstance(item, yaml.MappingNode):
                self._wrong(TOCTREE, item, "a page (local, title) or a section (title, sections)")
                continue
            keys = {key.value: value for key, value in item.value if isinstance(key, yaml.ScalarNode)}
            title = self._text(keys.get("title"))
            run += self._pages(keys, title)
            if "sections" in keys:
                self._close(captions, run)
                run = []
                self._sections(keys["sections"], (*captions, title) if title else captions)
            elif not {"local", "local_fw"} & keys.keys():
                self._wrong(TOCTREE, item, "a page (local, title) or a section (title, sections)")
        self._close(captions, run)

    def _pages(self, keys: dict[str, yaml.Node], title: str) -> Iterator[Entry]:
        local = keys.get("local")
        if isinstance(local, yaml.ScalarNode):
            docname = self._docname(local.value)
            yield Entry(docname, title, local.start_mark.line + 1)
            if new := self._text(keys.get("newlocal")):
                self.redirects[self._docname(new)] = docname
        elif local is not None:
            self._wrong(TOCTREE, local, "the name of a page")
        frameworks = keys.get("local_fw")
        for key, page in frameworks.value if isinstance(frameworks, yaml.MappingNode) else ():
            yield Entry(self._docname(page.value), f"{title} ({key.value})".strip(), page.start_mark.line + 1)

    def _close(self, captions: tuple[str, ...], run: list[Entry]) -> None:
        if run:
            self.groups.append(Group(": ".join(captions), tuple(run)))

    def _docname(self, local: str) -> str:
        return normpath(join(self.folder, local.strip().removesuffix(".md")))

    def _text(self, node: yaml.Node | None) -> str:
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _wrong(self, file: str, node: yaml.Node, wanted: str) -> None:
        self.problems.append(Problem(file, node.start_mark.line + 1, f"expected {wanted}; fix the file"))
