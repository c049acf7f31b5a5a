"""Links as doc-builder writes them: ``[`LoraConfig`]``, ``[text](../quicktour#train)``.

doc-builder looks a name up in the package that it documents. Here it is looked up among
all objects of the Python domain, by the end of their names. What this site does not
document comes out as plain code, without a warning: such a link leads to another
project's pages, and nothing is amiss with it.
"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.util.nodes import make_refnode

from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Link, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.docbuilder.pages.trees import Tree

#: ``reftype`` of the references made here; they belong to no domain, so that no other
#: resolver takes them.
REFTYPE = "docbuilder"
_CLASSES = frozenset({"class", "exception", "type"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_SUFFIX = re.compile(r"\.(?:mdx?|html)$")


def make_reference(
    refdoc: str, target: Link | Wanted, content: nodes.Element
) -> addnodes.pending_xref:
    """Return a reference in the document *refdoc*.

    *content* is what readers see, linked or not.
    """
    named = {
        "refdomain": "",
        "reftype": REFTYPE,
        "reftarget": target.name,
        "refdoc": refdoc,
    }
    return addnodes.pending_xref(
        "", content, **named, refexplicit=False, refwarn=False, target=target
    )


def object_reference(
    env: BuildEnvironment,
    name: str,
    content: nodes.TextElement,
    *,
    only_classes: bool = False,
    exact: bool = False,
) -> addnodes.pending_xref:
    """Return a reference to a Python object.

    *env* knows the page and the object that the reference is in. *name* may lack the
    packages above it, unless it is *exact*. *content* is what readers see, linked or
    not. With *only_classes*, only a class will do, as in a type.
    """
    around = (env.ref_context.get("py:module"), env.ref_context.get("py:class"))
    context = tuple(filter(None, around))
    wanted = Wanted(name, context, only_classes, exact)
    return make_reference(env.docname, wanted, content)


def page_link(tree: Tree, docname: str, address: str, line: int = 0) -> Link | None:
    """Return where an address leads in the documentation, ``None`` if elsewhere.

    *address* is as it is written on the page *docname* of *tree*, in *line*; a leading
    slash means the tree's folder.
    """
    if _SCHEME.match(address) or address.startswith("/docs/"):
        return None
    path, _, anchor = address.partition("#")
    path = unquote(path.partition("?")[0])
    if path:
        start = tree.folder if path.startswith("/") else dirname(docname)
        docname = _SUFFIX.sub("", normpath(join(start, path.lstrip("/"))))
    return Link(address, line, docname, unquote(anchor))


def place(env: BuildEnvironment, target: Link | Wanted) -> tuple[str, str, str]:
    """Return the document and the anchor that a reference leads to.

    Both are ``""`` where there is none here. The third part is what is wrong with a
    link.
    """
    if isinstance(target, Link):
        return _page(env, target)
    names = DocbuilderDomain.of(env).names
    entry = names.objects.get(names.resolve(target) or "")
    return (entry.docname, entry.node_id, "") if entry else ("", "", "")


def _page(env: BuildEnvironment, link: Link) -> tuple[str, str, str]:
    store = DocbuilderDomain.of(env)
    docname, anchor, problem = link.docname, link.anchor, ""
    for tree in store.state.trees:
        if docname not in env.found_docs and tree.follow(docname) != docname:
            docname, _, new_anchor = tree.follow(docname).partition("#")
            anchor = anchor or new_anchor
            problem = f"link to {link.name!r}: the page has moved; link to {docname!r}"
    if docname not in env.found_docs and f"{docname}/index" in env.found_docs:
        docname = f"{docname}/index"
    if docname not in env.found_docs:
        problem = f"link to {link.name!r}: page {docname!r} does not exist"
        return "", "", f"{problem}; fix the link, or add a redirect"
    anchors = store.notes[docname].anchors if docname in store.notes else ()
    if anchor and anchor not in anchors:
        lower = anchor.lower()
        hint = f"closest match: {lower!r}" if lower in anchors else "fix the link"
        problem = f"link to {link.name!r}: page {docname!r} has no anchor {anchor!r}"
        return docname, "", f"{problem}; {hint}"
    return docname, anchor, problem


def resolve(
    app: Sphinx,
    env: BuildEnvironment,
    node: addnodes.pending_xref,
    contnode: nodes.TextElement,
) -> nodes.Node | None:
    """Return the link, or the plain content, of a reference (``missing-reference``).

    It is ``None`` for a reference that `make_reference` has not made.
    """
    if node["reftype"] != REFTYPE or node.get("refdomain"):
        return None
    target = node["target"]
    docname, anchor, _ = place(env, target)
    title = None
    if isinstance(target, Wanted):
        title = DocbuilderDomain.of(env).names.resolve(target)
    if docname:
        try:
            return make_refnode(
                app.builder, node["refdoc"], docname, anchor, [contnode], title
            )
        except NoUri:  # the builder has no links between documents
            return contnode
    if isinstance(target, Link):
        return contnode
    # The other extensions, intersphinx before all, may know a Python object of that
    # name.
    of_python = node.copy()
    of_python.update_all_atts({"refdomain": "py", "reftype": "obj"}, replace=True)
    elsewhere = app.emit_firstresult(
        "missing-reference", env, of_python, contnode, allowed_exceptions=(NoUri,)
    )
    return cast("nodes.Node | None", elsewhere) or contnode


class Names:
    """The documented objects by the ends of their names."""

    def __init__(self, objects: Mapping[str, ObjectEntry]) -> None:
        """Take the Python domain's objects."""
        self.objects = objects
        #: The last part of a name → the names that end in it.
        self.by_end: dict[str, list[str]] = {}
        for name in objects:
            self.by_end.setdefault(name.rpartition(".")[2], []).append(name)

    def resolve(self, wanted: Wanted) -> str | None:
        """Return the documented name of the object that a reference names.

        It is ``None`` if there is none, or if several objects fit equally well.
        """
        if wanted.exact:
            return wanted.name if wanted.name in self.objects else None
        for candidates in self._candidates(wanted):
            names = [name for name in candidates if name in self.objects]
            # the name that an alias stands for comes last and wins
            fitting: dict[tuple[str, str], str] = {}
            for name in sorted(names, key=lambda name: not self.objects[name].aliased):
                entry = self.objects[name]
                if entry.objtype in _CLASSES or not wanted.only_classes:
                    fitting[entry.docname, entry.node_id] = name
            if fitting:
                return next(iter(fitting.values())) if len(fitting) == 1 else None
        return None

    def _candidates(self, wanted: Wanted) -> Iterator[list[str]]:
        """Yield the names that may be meant, the surest first."""
        target, context = wanted.name, wanted.context
        yield [".".join((*context, target))]
        yield [".".join((*context[:1], target))]
        yield [target]
        owner, _, last = target.rpartition(".")
        same_end = self.by_end.get(last, [])
        yield [name for name in same_end if name.endswith("." + target)]
        if owner:
            root, parts = target.partition(".")[0], owner.split(".")
            yield [name for name in same_end if _in_order(parts, name.split(".")[:-1])]
            yield [
                name
                for name in same_end
                if self.objects[name].objtype in _CLASSES
                and name.startswith(f"{root}.")
            ]


def _in_order(parts: list[str], others: list[str]) -> bool:
    """Return whether all parts occur among the others, in their order."""
    remaining = iter(others)
    return all(part in remaining for part in parts)
