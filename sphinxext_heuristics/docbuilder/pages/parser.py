"""The parser for Markdown: MyST's, and doc-builder's for the pages of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx import addnodes

from sphinxext_heuristics.docbuilder.grammar import create_parser
from sphinxext_heuristics.docbuilder.grammar.components import tags_apart
from sphinxext_heuristics.docbuilder.pages.renderer import PageRenderer
from sphinxext_heuristics.docbuilder.pages.trees import beside, main_page
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.tree import Tree


class PageParser(MystParser):
    """MyST's parser, which leaves the pages of ``docbuilder_trees`` to doc-builder's grammar."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse a page.

        :param inputstring: The text.
        :param document: Where the nodes go.
        """
        env: BuildEnvironment = document.settings.env
        tree = DocbuilderDomain.of(env).tree_of(env.docname)
        if tree is None:
            super().parse(inputstring, document)
            return
        parser = create_parser(PageRenderer, page=True)
        parser.options["document"] = document
        lines, origins = zip(*tags_apart(f"{inputstring}\n".removeprefix("\ufeff").splitlines()), strict=True)
        parser.render("\n".join(lines) + "\n", {"tree": tree, "origins": origins})
        if main_page(tree, env.found_docs) == env.docname:
            section = next(iter(document.findall(nodes.section)), document)
            section.extend(_toctrees(tree, env))
        elif env.docname not in tree.listed:
            env.metadata[env.docname]["orphan"] = "true"


def _toctrees(tree: Tree, env: BuildEnvironment) -> Iterator[addnodes.toctree]:
    """Make the toctrees of a tree: those of ``_toctree.yml``, then one for each folder of pages beside it."""
    for group in tree.groups:
        entries = [entry for entry in group.entries if entry.docname in env.found_docs]
        pairs = [(entry.title or None, "self" if entry.docname == env.docname else entry.docname) for entry in entries]
        if pairs:
            yield _toctree(env.docname, group.caption, pairs)
    for caption, docnames in beside(tree, env.found_docs):
        yield _toctree(env.docname, caption, [(None, docname) for docname in docnames])


def _toctree(parent: str, caption: str, entries: Sequence[tuple[str | None, str]]) -> addnodes.toctree:
    includes = list(dict.fromkeys(docname for _, docname in entries if docname != "self"))
    return addnodes.toctree(
        parent=parent,
        entries=list(entries),
        includefiles=includes,
        maxdepth=-1,
        caption=caption or None,
        rawcaption=caption,
        rawentries=[title for title, _ in entries if title],
        glob=False,
        hidden=True,
        includehidden=False,
        numbered=0,
        titlesonly=True,
    )
