"""The trees of a project: their files, what changed, the toctrees of main pages.

``_toctree.yml`` and ``_redirects.yml`` say which pages a tree has, in which order,
under which titles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import yaml
from sphinx import addnodes
from sphinx.util import logging

from sphinxext_heuristics.docbuilder.objects import ImportFailedError, import_package
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
TOCTREE = "_toctree.yml"
REDIRECTS = "_redirects.yml"
_ITEM = "a page (local, title) or a section (title, sections)"


class Entry(NamedTuple):
    """A page in ``_toctree.yml``: document, title there, and line, from 1."""

    docname: str
    title: str
    line: int


class Group(NamedTuple):
    """Pages under one caption, with the headings above them, outermost first."""

    caption: str
    entries: tuple[Entry, ...]


class Problem(NamedTuple):
    """What is wrong with one of the files, in which line, from 1, and what to do."""

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
        """Return whether a document is in the folder."""
        return not self.folder or docname.startswith(f"{self.folder}/")

    def inside(self, docnames: Collection[str]) -> list[str]:
        """Return the documents in the folder; a README is no page of the site."""
        return [
            name
            for name in docnames
            if self.contains(name) and not name.endswith("README")
        ]

    @property
    def listed(self) -> list[str]:
        """The documents of ``_toctree.yml``, each where it is first."""
        return list(
            dict.fromkeys(
                entry.docname for group in self.groups for entry in group.entries
            )
        )

    def pages(self, docnames: Collection[str]) -> list[str]:
        """Return the pages that doc-builder reads.

        They are the listed ones in their order, and others beside them in a folder. A
        folder without a listed page holds pages of another kind, written for MyST.
        """
        listed = [name for name in self.listed if name in docnames]
        folders = {dirname(name) for name in listed} or {self.folder}
        others = [
            name
            for name in self.inside(docnames)
            if dirname(name) in folders or not self.groups
        ]
        return list(dict.fromkeys([*listed, *sorted(others)]))

    def image(self, address: str) -> str:
        """Return the address that Sphinx knows an image by.

        One that begins with a slash is in the tree's folder.
        """
        return (
            f"/{join(self.folder, address.lstrip('/'))}"
            if address.startswith("/")
            else address
        )

    def follow(self, docname: str) -> str:
        """Follow the redirects from a document that does not exist."""
        for _ in self.redirects:
            docname = self.redirects.get(docname, docname)
        return docname

    def missing(self, docnames: Collection[str]) -> Iterator[Problem]:
        """Yield the pages that only one side has: ``_toctree.yml`` or the folder."""
        for entry in [
            entry
            for group in self.groups
            for entry in group.entries
            if entry.docname not in docnames
        ]:
            message = (
                f"page {entry.docname!r} does not exist; remove it, or write the page"
            )
            yield Problem(TOCTREE, entry.line, message)
        for docname in self.pages(docnames) if self.groups else ():
            if docname not in self.listed:
                message = (
                    f"page {docname!r} is not listed; doc-builder stops at such "
                    f"a page: add it"
                )
                yield Problem(TOCTREE, 1, message)


def read_tree(source: Path, folder: str, package: str) -> Tree:
    """Return the tree whose files are in a folder under the source directory.

    What is wrong with a file is one of its problems, and nothing of that file is in it.
    """
    folder = folder.removeprefix(".").strip("/")
    problems: list[Problem] = []
    groups: list[Group] = []
    redirects: dict[str, str] = {}
    if (source / folder).is_dir():
        groups = (
            _read(
                source / folder / TOCTREE,
                lambda root: list(_groups(root, folder, (), set())),
                problems,
            )
            or []
        )
        if (source / folder / REDIRECTS).exists():
            redirects = (
                _read(
                    source / folder / REDIRECTS,
                    lambda root: _redirects(root, folder),
                    problems,
                )
                or {}
            )
    else:
        problems.append(
            Problem(
                TOCTREE,
                1,
                f"docbuilder_trees names the folder {folder!r}, which does not exist",
            )
        )
    filled = tuple(group for group in groups if group.entries)
    return Tree(
        folder=folder,
        package=package,
        groups=filled,
        redirects=redirects,
        problems=tuple(problems),
    )


def _read(
    path: Path, convert: Callable[[yaml.Node], _T], problems: list[Problem]
) -> _T | None:
    """Return what one file holds; ``None`` if it is empty or not in order."""
    line = 1
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), yaml.SafeLoader)
        return convert(root) if root is not None else None
    except FileNotFoundError:
        message = f"there is no {path.name}; every tree for doc-builder has one"
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}"
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark, reason = (
            getattr(error, "problem_mark", None),
            getattr(error, "problem", None) or str(error),
        )
        line, message = (
            mark.line + 1 if mark else 1,
            f"this cannot be read as YAML: {reason}; fix the file",
        )
    except _UnexpectedError as error:
        node, wanted = error.args
        line, message = node.start_mark.line + 1, f"expected {wanted}; fix the file"
    problems.append(Problem(path.name, line, message))
    return None


def _groups(
    root: yaml.Node, folder: str, captions: tuple[str, ...], read: set[yaml.Node]
) -> Iterator[Group]:
    """Read ``_toctree.yml`` or one of its sections, if it is not among those *read*."""
    if root in read:
        raise _UnexpectedError(root, "each list once, and an alias leads to this one")
    read.add(root)
    run: list[Entry] = []
    for item in _value(root, yaml.SequenceNode, "a list of pages and sections"):
        pairs = _value(item, yaml.MappingNode, _ITEM)
        keys: dict[str, yaml.Node] = {
            _value(key, yaml.ScalarNode, _ITEM): value for key, value in pairs
        }
        if not keys.keys() & {"local", "sections"}:
            raise _UnexpectedError(item, _ITEM)
        title = str(keys["title"].value) if "title" in keys else ""
        if local := keys.get("local"):
            run.append(Entry(_docname(local, folder), title, local.start_mark.line + 1))
        if "sections" in keys:
            yield Group(": ".join(captions), tuple(run))
            run = []
            yield from _groups(
                keys["sections"],
                folder,
                (*captions, title) if title else captions,
                read,
            )
    yield Group(": ".join(captions), tuple(run))


def _redirects(root: yaml.Node, folder: str) -> dict[str, str]:
    pairs = _value(root, yaml.MappingNode, "a mapping from old to new pages")
    return {_docname(old, folder): _docname(new, folder) for old, new in pairs}


def _docname(node: yaml.Node, folder: str) -> str:
    local: str = _value(node, yaml.ScalarNode, "the name of a page")
    return normpath(join(folder, local.strip().removesuffix(".md")))


class _UnexpectedError(Exception):
    """A file has something else in a place: where, and what was expected."""


def _value(node: yaml.Node, kind: type[yaml.Node], wanted: str) -> Any:  # noqa: ANN401 - text, a list or pairs
    if not isinstance(node, kind):
        raise _UnexpectedError(node, wanted)
    return node.value


def read_trees(
    app: Sphinx,
    env: BuildEnvironment,
    added: set[str],
    changed: set[str],
    removed: set[str],
) -> list[str]:
    """Read the trees' files (``env-get-outdated``).

    The pages that must be read again because of them are returned.
    """
    state = DocbuilderDomain.of(env).state
    trees = [
        read_tree(env.srcdir, folder, package)
        for folder, package in app.config.docbuilder_trees.items()
    ]
    state.trees = sorted(trees, key=lambda tree: -len(tree.folder))
    before, state.pages = state.pages, {}
    for tree in state.trees:
        main = main_page(tree, env.found_docs)
        for docname in tree.pages(env.found_docs):
            groups = toctree_groups(tree, env.found_docs) if docname == main else ()
            state.pages.setdefault(
                docname, (tree.folder, tree.package, docname in tree.listed, groups)
            )
        # a build without a change says it again
        for problem in [*tree.problems, *tree.missing(env.found_docs)]:
            path = env.srcdir / tree.folder / problem.file
            logger.warning(
                problem.message,
                type="docbuilder",
                subtype="tree",
                location=f"{path}:{problem.line}",
            )
    outdated = {
        name
        for name in before.keys() | state.pages.keys()
        if before.get(name) != state.pages.get(name)
    }
    return sorted((outdated & env.found_docs) - added - changed - removed)


def before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Prepare the reading of pages (``env-before-read-docs``).

    The documented packages are imported once, before processes are forked. The pages'
    objects are taken out of the Python domain: `links.update` puts them back when it is
    known which pages document them.
    """
    store = DocbuilderDomain.of(env)
    objects = env.domains["py"].data["objects"]
    for name in [
        name for name, entry in objects.items() if entry.docname in store.state.pages
    ]:
        del objects[name]
    for package in {
        tree.package for docname in docnames if (tree := store.tree_of(docname))
    }:
        try:
            import_package(package, app.config.autodoc_mock_imports)
        except ImportFailedError as error:
            logger.warning(
                "%s; install it, or fix docbuilder_trees",
                error,
                type="docbuilder",
                subtype="autodoc",
            )


def main_page(tree: Tree, docnames: Collection[str]) -> str:
    """Return the page with a tree's toctrees: its ``index``, or its first page."""
    index = f"{tree.folder}/index".strip("/")
    return index if index in docnames else next(iter(tree.pages(docnames)), "")


def toctree_groups(tree: Tree, docnames: Collection[str]) -> list[Group]:
    """Return what the main page lists.

    These are the groups of ``_toctree.yml``, and one for each folder of pages beside
    it.
    """
    groups = [
        Group(caption, tuple(entry for entry in entries if entry.docname in docnames))
        for caption, entries in tree.groups
    ]
    folders: dict[str, list[str]] = {}
    for docname in sorted(set(tree.inside(docnames)) - set(tree.pages(docnames))):
        folder, slash, _ = docname.removeprefix(tree.folder).strip("/").partition("/")
        folders.setdefault(folder if slash else "", []).append(docname)
    for folder, names in folders.items():
        index = "/".join(filter(None, (tree.folder, folder, "index")))
        # a folder with an index has a toctree of its own there
        listed = [index] if index in names else names
        caption = folder.replace("_", " ").replace("-", " ")
        groups.append(
            Group(
                caption[:1].upper() + caption[1:],
                tuple(Entry(name, "", 0) for name in listed),
            )
        )
    return [group for group in groups if group.entries]


def toctrees(tree: Tree, env: BuildEnvironment) -> Iterator[addnodes.toctree]:
    """Return the toctrees of a tree's main page."""
    for caption, entries in toctree_groups(tree, env.found_docs):
        pairs = [
            (
                entry.title or None,
                "self" if entry.docname == env.docname else entry.docname,
            )
            for entry in entries
        ]
        yield addnodes.toctree(
            parent=env.docname,
            entries=pairs,
            includefiles=list(
                dict.fromkeys(docname for _, docname in pairs if docname != "self")
            ),
            maxdepth=-1,
            caption=caption or None,
            rawcaption=caption,
            rawentries=[title for title, _ in pairs if title],
            glob=False,
            hidden=True,
            includehidden=False,
            numbered=0,
            titlesonly=True,
        )
