"""The trees of a project: what changed since the last build, what several pages document, what is wrong."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sphinx.util import logging

from sphinxext_heuristics.docbuilder.grammar.blocks import read_autodoc
from sphinxext_heuristics.docbuilder.objects import (
    ImportFailedError,
    chosen_members,
    find_object,
    import_package,
    mocked,
)
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain
from sphinxext_heuristics.docbuilder.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree

    #: A page, a name behind ``[[autodoc]]`` in it, and the members listed there.
    Claim = tuple[str, str, tuple[str, ...] | None]

logger = logging.getLogger(__name__)


def main_page(tree: Tree, docnames: Collection[str]) -> str:
    """Give the page that holds a tree's toctrees: its ``index``, or else its first page."""
    index = f"{tree.folder}/index".strip("/")
    return index if index in docnames else next(iter(tree.pages(docnames)), "")


def beside(tree: Tree, docnames: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Give the pages in a tree's folder that are written for MyST, for each folder with a caption.

    A folder with an index has a toctree of its own there.
    """
    pages = set(tree.pages(docnames))
    folders: dict[str, list[str]] = {}
    for docname in sorted(docnames):
        if tree.contains(docname) and docname not in pages and not docname.endswith("README"):
            inside = docname.removeprefix(f"{tree.folder}/") if tree.folder else docname
            folders.setdefault(inside.partition("/")[0] if "/" in inside else "", []).append(docname)
    for folder, names in folders.items():
        index = "/".join(filter(None, (tree.folder, folder, "index")))
        caption = folder.replace("_", " ").replace("-", " ")
        yield caption[:1].upper() + caption[1:], [index] if index in names else names


def read_trees(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Read the trees' files (``env-get-outdated``), and give the pages that must be read again because of them."""
    store = DocbuilderDomain.of(env)
    state, kinds_before, claimants_before = store.state, store.state.kinds, store.state.claimants
    trees = [read_tree(env.srcdir, folder, package) for folder, package in app.config.docbuilder_trees.items()]
    state.trees = sorted(trees, key=lambda tree: -len(tree.folder))
    state.kinds = {}
    for tree in state.trees:
        main = main_page(tree, env.found_docs)
        for docname in tree.pages(env.found_docs):
            state.kinds.setdefault(docname, _kind(tree, env.found_docs, docname == main, docname in tree.listed))
    _report(env, trees)
    if (claims := tuple(_claims(env, state.trees))) != state.claims:
        state.claims, state.claimants = claims, _claimants(app, store, claims)
    outdated = _changed(kinds_before, state.kinds)
    for name in _changed(claimants_before, state.claimants):
        outdated |= {*claimants_before.get(name, ()), *state.claimants.get(name, ())}
    return sorted((outdated & env.found_docs) - added - changed - removed)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _kind(tree: Tree, docnames: Collection[str], is_main: bool, is_listed: bool) -> str:  # noqa: FBT001 - two facts
    """Give what a page depends on besides its own text."""
    toctrees = (tree.groups, list(beside(tree, docnames)), sorted(tree.pages(docnames))) if is_main else ()
    return sha256(repr((tree.folder, tree.package, is_listed, toctrees)).encode()).hexdigest()


def _claims(env: BuildEnvironment, trees: Sequence[Tree]) -> Iterator[Claim]:
    """Give what the pages document, in the order of the pages."""
    for tree in trees:
        for docname in tree.pages(env.found_docs):
            lines = env.doc2path(docname).read_text(encoding="utf-8-sig", errors="replace").splitlines()
            for start in [number for number, line in enumerate(lines) if line.lstrip().startswith("[[autodoc]]")]:
                names, members, _ = read_autodoc(lines, start)
                yield from ((docname, name, tuple(members) if members else None) for name in names)


def _claimants(app: Sphinx, store: DocbuilderDomain, claims: Sequence[Claim]) -> Mapping[str, tuple[str, ...]]:
    """Give the pages that document an object, in their order, for each object that several pages document."""
    pages: dict[str, dict[str, None]] = {}
    for docname, name, listed in claims:
        tree = store.tree_of(docname)
        try:
            with mocked(app.config.autodoc_mock_imports):
                found = find_object(name, import_package(tree.package)) if tree else None
        except ImportFailedError:
            continue  # reading the page says so
        for path in [found.name, *(f"{found.name}.{m}" for m in chosen_members(found.object, listed))] if found else ():
            pages.setdefault(path, {})[docname] = None
    return {path: tuple(names) for path, names in pages.items() if len(names) > 1}


def _report(env: BuildEnvironment, trees: Sequence[Tree]) -> None:
    """Warn of what is wrong with the trees' files; a build without a change does it again."""
    for tree in trees:
        for problem in [*tree.problems, *tree.missing(env.found_docs)]:
            path = env.srcdir / tree.folder / problem.file
            logger.warning(problem.message, type="docbuilder", subtype="tree", location=f"{path}:{problem.line}")


def before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Prepare the reading of pages (``env-before-read-docs``).

    The documented packages are imported once, before processes are forked. An object may move from one page to another:
    the old entry goes before the new one comes, whichever page is read first.
    """
    store = DocbuilderDomain.of(env)
    for docname in docnames:
        if docname in store.state.kinds:
            env.domains["py"].clear_doc(docname)
    for package in {tree.package for docname in docnames if (tree := store.tree_of(docname))}:
        try:
            with mocked(app.config.autodoc_mock_imports):
                import_package(package)
        except ImportFailedError as error:
            logger.warning("%s; install it, or fix docbuilder_trees", error, type="docbuilder", subtype="autodoc")
