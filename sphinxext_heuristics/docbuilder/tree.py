"""``_toctree.yml`` and ``_redirects.yml``: which pages a tree has, in which order, under which titles."""

from __future__ import annotations

from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

TOCTREE = "_toctree.yml"
REDIRECTS = "_redirects.yml"
_ITEM = "a page (local, title) or a section (title, sections)"


class Entry(NamedTuple):
    """A page in ``_toctree.yml``: the document, its title there, the line that names it, from 1."""

    docname: str
    title: str
    line: int


class Group(NamedTuple):
    """Pages that follow each other under one caption: the headings above them, outermost first."""

    caption: str
    entries: tuple[Entry, ...]


class Problem(NamedTuple):
    """What is wrong with one of the files: its name, the line, from 1, and what, why, and what to do."""

    file: str
    line: int
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
    def listed(self) -> list[str]:
        """The documents of ``_toctree.yml``, each where it is first."""
        return list(dict.fromkeys(entry.docname for group in self.groups for entry in group.entries))

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
        for _ in self.redirects:
            docname = self.redirects.get(docname, docname)
        return docname

    def missing(self, docnames: Collection[str]) -> Iterator[Problem]:
        """Give the pages that only one side has: ``_toctree.yml`` or the folder."""
        for entry in [entry for group in self.groups for entry in group.entries if entry.docname not in docnames]:
            message = f"page {entry.docname!r} does not exist; remove it, or write the page"
            yield Problem(TOCTREE, entry.line, message)
        for docname in self.pages(docnames) if self.groups else ():
            if docname not in self.listed:
                message = f"page {docname!r} is not listed; doc-builder stops at such a page: add it"
                yield Problem(TOCTREE, 1, message)


def read_tree(source: Path, folder: str, package: str) -> Tree:
    """Read the files of a tree.

    :param source: The source directory.
    :param folder: The tree's folder under it.
    :param package: The documented package.
    :returns: The tree; what is wrong with a file is one of its problems.
    """
    reader = _Reader("" if folder in {"", "."} else folder.strip("/"))
    if (source / reader.folder).is_dir():
        reader.load(source / reader.folder / TOCTREE, lambda root: reader.sections(root, ()))
        if (source / reader.folder / REDIRECTS).exists():
            reader.load(source / reader.folder / REDIRECTS, reader.old_names)
    else:
        message = f"docbuilder_trees names the folder {reader.folder!r}, which does not exist"
        reader.problems.append(Problem(TOCTREE, 1, message))
    groups, problems = tuple(reader.groups), tuple(reader.problems)
    return Tree(folder=reader.folder, package=package, groups=groups, redirects=reader.redirects, problems=problems)


class _Reader:
    """Reads the two files into groups and redirects."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.groups: list[Group] = []
        self.redirects: dict[str, str] = {}

    def load(self, path: Path, use: Callable[[yaml.Node], None]) -> None:
        """Read one file, as far as it is in order."""
        try:
            root = yaml.compose(path.read_text(encoding="utf-8-sig"), yaml.SafeLoader)
            if root is not None:
                use(root)
        except FileNotFoundError:
            self.problems.append(Problem(path.name, 1, f"there is no {path.name}; every tree for doc-builder has one"))
        except OSError as error:
            self.problems.append(Problem(path.name, 1, f"{path.name} cannot be read: {error.strerror}"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark, reason = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
            message = f"this cannot be read as YAML: {reason}; fix the file"
            self.problems.append(Problem(path.name, mark.line + 1 if mark else 1, message))
        except _UnexpectedError as error:
            node, wanted = error.args
            self.problems.append(Problem(path.name, node.start_mark.line + 1, f"expected {wanted}; fix the file"))

    def old_names(self, root: yaml.Node) -> None:
        """Read ``_redirects.yml``."""
        for old, new in _value(root, yaml.MappingNode, "a mapping from old to new pages"):
            self.redirects[self._docname(old)] = self._docname(new)

    def sections(self, root: yaml.Node, captions: tuple[str, ...]) -> None:
        """Read ``_toctree.yml``, or the sections in one of its sections."""
        run: list[Entry] = []
        for item in _value(root, yaml.SequenceNode, "a list of pages and sections"):
            pairs = _value(item, yaml.MappingNode, _ITEM)
            keys: dict[str, yaml.Node] = {_value(key, yaml.ScalarNode, _ITEM): value for key, value in pairs}
            if not keys.keys() & {"local", "local_fw", "sections"}:
                raise _UnexpectedError(item, _ITEM)
            title = str(keys["title"].value) if "title" in keys else ""
            run += self._pages(keys, title)
            if "sections" in keys:
                self._close(captions, run)
                run = []
                self.sections(keys["sections"], (*captions, title) if title else captions)
        self._close(captions, run)

    def _pages(self, keys: dict[str, yaml.Node], title: str) -> Iterator[Entry]:
        if local := keys.get("local"):
            docname = self._docname(local)
            yield Entry(docname, title, local.start_mark.line + 1)
            if new := keys.get("newlocal"):
                self.redirects[self._docname(new)] = docname
        wanted = "a mapping from frameworks to pages"
        for key, page in _value(keys["local_fw"], yaml.MappingNode, wanted) if "local_fw" in keys else ():
            yield Entry(self._docname(page), f"{title} ({key.value})".strip(), page.start_mark.line + 1)

    def _close(self, captions: tuple[str, ...], run: list[Entry]) -> None:
        if run:
            self.groups.append(Group(": ".join(captions), tuple(run)))

    def _docname(self, node: yaml.Node) -> str:
        local: str = _value(node, yaml.ScalarNode, "the name of a page")
        return normpath(join(self.folder, local.strip().removesuffix(".md")))


class _UnexpectedError(Exception):
    """A file has something else in a place: where, and what was expected."""


def _value(node: yaml.Node, kind: type[yaml.Node], wanted: str) -> Any:  # noqa: ANN401 - text, a list or pairs
    if not isinstance(node, kind):
        raise _UnexpectedError(node, wanted)
    return node.value
