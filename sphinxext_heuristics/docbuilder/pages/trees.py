"""The trees of a project: what changed since the last build, what is wrong, and the toctrees of their main pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx import addnodes
from sphinx.util import logging

from sphinxext_heuristics.docbuilder.objects import ImportFailedError, import_package
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain
from sphinxext_heuristics.docbuilder.tree import Entry, Group, read_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree

logger = logging.getLogger(__name__)


def read_trees(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Read the trees' files (``env-get-outdated``), and give the pages that must be read again because of them."""
    state = DocbuilderDomain.of(env).state
    trees = [read_tree(env.srcdir, folder, package) for folder, package in app.config.docbuilder_trees.items()]
    state.trees = sorted(trees, key=lambda tree: -len(tree.folder))
    before, state.pages = state.pages, {}
    for tree in state.trees:
        main = main_page(tree, env.found_docs)
        for docname in tree.pages(env.found_docs):
            groups = toctree_groups(tree, env.found_docs) if docname == main else ()
            state.pages.setdefault(docname, (tree.folder, tree.package, docname in tree.listed, groups))
        # a build without a change says it again
        for problem in [*tree.problems, *tree.missing(env.found_docs)]:
            path = env.srcdir / tree.folder / problem.file
            logger.warning(problem.message, type="docbuilder", subtype="tree", location=f"{path}:{problem.line}")
    outdated = {name for name in before.keys() | state.pages.keys() if before.get(name) != state.pages.get(name)}
    return sorted((outdated & env.found_docs) - added - changed - removed)


def before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Prepare the reading of pages (``env-before-read-docs``).

    The documented packages are imported once, before processes are forked. The pages' objects are taken out of the
    Python domain: `links.update` puts them back when it is known which pages document them.
    """
    store = DocbuilderDomain.of(env)
    objects = env.domains["py"].data["objects"]
    for name in [name for name, entry in objects.items() if entry.docname in store.state.pages]:
        del objects[name]
    for package in {tree.package for docname in docnames if (tree := store.tree_of(docname))}:
        try:
            import_package(package, app.config.autodoc_mock_imports)
        except ImportFailedError as error:
            logger.warning("%s; install it, or fix docbuilder_trees", error, type="docbuilder", subtype="autodoc")


def main_page(tree: Tree, docnames: Collection[str]) -> str:
    """Give the page that holds a tree's toctrees: its ``index``, or else its first page."""
    index = f"{tree.folder}/index".strip("/")
    return index if index in docnames else next(iter(tree.pages(docnames)), "")


def toctree_groups(tree: Tree, docnames: Collection[str]) -> list[Group]:
    """Give what the main page lists: the groups of ``_toctree.yml``, and one for each folder of pages beside it."""
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
        groups.append(Group(caption[:1].upper() + caption[1:], tuple(Entry(name, "", 0) for name in listed)))
    return [group for group in groups if group.entries]


def toctrees(tree: Tree, env: BuildEnvironment) -> Iterator[addnodes.toctree]:
    """Make the toctrees of a tree's main page."""
    for caption, entries in toctree_groups(tree, env.found_docs):
        pairs = [(entry.title or None, "self" if entry.docname == env.docname else entry.docname) for entry in entries]
        yield addnodes.toctree(
            parent=env.docname,
            entries=pairs,
            includefiles=list(dict.fromkeys(docname for _, docname in pairs if docname != "self")),
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
