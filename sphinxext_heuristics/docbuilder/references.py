"""Links as doc-builder writes them: ``[`LoraConfig`]``, ``[text](../quicktour#train)``.

doc-builder looks a name up in the package that it documents. Here it is looked up among
all objects of the Python domain, by the end of their names. What this site does not
document comes out as plain code, without a warning: such a link leads to another
project's pages, and nothing is amiss with it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html import escape
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.util.nodes import make_refnode

from .objects import find_object, source_state
from .store import Destination, DocbuilderDomain, PageLink, Wanted
from .trees import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

    from .trees import TreePage

#: ``reftype`` of the references made here; they belong to no domain, so that no other
#: resolver takes them.
REFTYPE = "docbuilder"
#: What is not shown of a name: all before its last part, after a tilde.
NOT_SHOWN = re.compile(r"~(?:.*\.)?")
_CALLED = frozenset({"function", "method", "classmethod", "staticmethod"})
#: Addresses elsewhere; below /docs, the Hub has other projects' documentation.
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|/docs/")


def make_reference(
    refdoc: str, target: PageLink | Wanted, content: nodes.Element
) -> addnodes.pending_xref:
    """Return a reference in the document *refdoc*.

    *content* is what readers see, linked or not.
    """
    return addnodes.pending_xref(
        "",
        content,
        refdomain="",
        reftype=REFTYPE,
        reftarget=target.name,
        refdoc=refdoc,
        refexplicit=False,
        target=target,
    )


def object_reference(
    env: BuildEnvironment,
    name: str,
    content: nodes.TextElement,
    *,
    only_classes: bool = False,
) -> addnodes.pending_xref:
    """Return a reference to a Python object.

    *env* knows the page and the object that the reference is in. *name* may lack the
    packages above it, and have a tilde in front. *content* is what readers see, linked
    or not. With *only_classes*, only a class will do, as in a type.
    """
    page = DocbuilderDomain.of(env).site.pages.get(env.docname)
    context = env.ref_context
    module = context.get("py:module") or (page.package if page else "")
    cls = context.get("py:class") or ""
    wanted = Wanted(name.lstrip("~"), module, cls, only_classes)
    return make_reference(env.docname, wanted, content)


def page_link(page: TreePage, docname: str, address: str, line: int) -> PageLink | None:
    """Return where an address leads in the documentation, ``None`` if elsewhere.

    *address* is as it is written on *page*, whose name is *docname*, in *line*; a
    leading slash means the tree's folder.
    """
    if _ELSEWHERE.match(address):
        return None
    path, _, anchor = address.partition("#")
    path = unquote(path)
    if path:
        start = page.folder if path.startswith("/") else dirname(docname)
        docname = SUFFIX.sub("", normpath(join(start, path.lstrip("/"))))
    return PageLink(address, line, docname, unquote(anchor))


def _page(env: BuildEnvironment, link: PageLink) -> Destination:
    store = DocbuilderDomain.of(env)
    docname, anchor, problem = link.docname, link.anchor, ""
    redirects = store.site.redirects
    if docname not in env.found_docs and docname in redirects:
        docname, _, new_anchor = redirects[docname].partition("#")
        anchor = anchor or new_anchor
        problem = f"the page has moved; link to {docname!r}"
    if docname not in env.found_docs:
        problem = f"page {docname!r} does not exist; fix the link, or add a redirect"
        docname = ""
    elif anchor and anchor not in (anchors := store.notes[docname].anchors):
        lower = anchor.lower()
        hint = f"closest match: {lower!r}" if lower in anchors else "fix the link"
        problem = f"page {docname!r} has no anchor {anchor!r}; {hint}"
        anchor = ""
    problem = problem and f"link to {link.name!r}: {problem}"
    return Destination(docname, anchor, problem=problem)


def _full_name(env: BuildEnvironment, wanted: Wanted) -> str:
    """Return the full name of an object, empty if there is none.

    It is kept as long as the source of the package is the same: the edit of a guide
    imports nothing.
    """
    store = DocbuilderDomain.of(env)
    package = wanted.module.partition(".")[0]
    if package not in store.sources:
        store.sources[package] = source_state(package)
    source = store.sources[package]
    name, known = store.site.names.get(wanted, ("", None))
    if known != source:
        name = ""
        with suppress(LookupError, ImportError):
            _, name = find_object(env, wanted.name, package)
        store.site.names[wanted] = name, source
    return name


def destination(env: BuildEnvironment, wanted: PageLink | Wanted) -> Destination:
    """Return where a reference leads. All documents must have been read.

    It leads to the entry of an object, nowhere if several fit equally well and none
    is what doc-builder finds, or to a page.
    """
    if isinstance(wanted, PageLink):
        return _page(env, wanted)
    domain = env.domains["py"]
    name, kind = wanted.name, "class" if wanted.only_classes else None
    found = _places(domain.find_obj(env, wanted.module, wanted.cls, name, kind, 1))
    is_word = wanted.only_classes and "." not in name
    if wanted.module and len(found) != 1 and (found or not is_word):
        # another name of the object, one that a class inherits, or one of several that
        # end so: the one that doc-builder finds
        name = _full_name(env, wanted)
        if name in domain.objects:
            found = _places([(name, domain.objects[name])])
    return found[0] if len(found) == 1 else Destination()


def _places(fitting: Sequence[tuple[str, ObjectEntry]]) -> list[Destination]:
    """Return where objects are, each place once.

    The name that an alias stands for comes last and wins.
    """
    found = {}
    for name, entry in sorted(fitting, key=lambda pair: not pair[1].aliased):
        at = entry.docname, entry.node_id
        found[at] = Destination(*at, name, entry.objtype in _CALLED)
    return list(found.values())


def resolve(
    app: Sphinx,
    env: BuildEnvironment,
    node: addnodes.pending_xref,
    contnode: nodes.TextElement,
) -> nodes.Node | None:
    """Return the link, or the plain content, of a reference (``missing-reference``).

    It is ``None`` for a reference that `make_reference` has not made.
    """
    if node["reftype"] != REFTYPE:
        return None
    target = node["target"]
    found = DocbuilderDomain.of(env).destinations.get(target, Destination())
    bare = not node["refexplicit"] and not contnode.astext().endswith("()")
    if found.is_called and bare:
        contnode[:] = [nodes.Text(f"{contnode.astext()}()")]
    if found.docname:
        # some builders have no links between documents
        with suppress(NoUri):
            made = make_refnode(
                app.builder,
                node["refdoc"],
                found.docname,
                found.anchor,
                [contnode],
                found.name,
            )
            if not isinstance(contnode, nodes.raw):
                return made
            # a tag of HTML
            address = escape(made.get("refuri", f"#{found.anchor}"))
            tag = contnode.astext().replace("<a", f'<a href="{address}"', 1)
            contnode[:] = [nodes.Text(tag)]
    if found.docname or isinstance(target, PageLink):
        return contnode
    # The other extensions, intersphinx before all, may know a Python object of that
    # name.
    of_python = node.copy()
    of_python["refdomain"], of_python["reftype"] = "py", "obj"
    elsewhere = app.emit_firstresult(
        "missing-reference", env, of_python, contnode, allowed_exceptions=(NoUri,)
    )
    return cast("nodes.Node | None", elsewhere) or contnode
