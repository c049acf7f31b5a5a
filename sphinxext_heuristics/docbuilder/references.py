"""Links to objects as doc-builder writes them: ``[`LoraConfig`]``, ``[`~PeftModel.add_adapter`]``.

doc-builder looks a name up in the package that it documents. Here it is looked up among all objects of the Python
domain, by the end of their names. What this site does not document comes out as plain code, without a warning: such a
link leads to another project's pages, and nothing is amiss with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.util.nodes import make_refnode

from sphinxext_heuristics.docbuilder.store import DocbuilderDomain, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

#: ``reftype`` of the references made here; they belong to no domain, so that no other resolver takes them.
REFTYPE = "docbuilder"
_CLASSES = frozenset({"class", "exception", "type"})


def object_reference(
    env: BuildEnvironment, target: str, content: nodes.TextElement, *, only_classes: bool = False, exact: str = ""
) -> addnodes.pending_xref:
    """Make a reference to a Python object.

    :param env: The environment, for the page and the object that the reference is in.
    :param target: The object's name, with or without the packages above it.
    :param content: What readers see, linked or not.
    :param only_classes: Whether only a class will do, as in a type.
    :param exact: The object's full name, if it is known.
    """
    context = tuple(name for name in (env.ref_context.get("py:module"), env.ref_context.get("py:class")) if name)
    return addnodes.pending_xref(
        "",
        content,
        refdomain="",
        reftype=REFTYPE,
        reftarget=exact or target,
        refdoc=env.docname,
        refexplicit=False,
        refwarn=False,
        wanted=Wanted(target, context, only_classes, exact),
    )


class Names:
    """The documented objects by the ends of their names.

    :param objects: The Python domain's objects.
    """

    def __init__(self, objects: Mapping[str, ObjectEntry]) -> None:
        self.objects = objects
        #: The last part of a name → the names that end in it.
        self.by_end: dict[str, list[str]] = {}
        for name in objects:
            self.by_end.setdefault(name.rpartition(".")[2], []).append(name)

    def resolve(self, wanted: Wanted) -> str | None:
        """Find the object that a reference names.

        :returns: The object's documented name; ``None`` if there is none, or several objects fit equally well.
        """
        if wanted.exact:
            return wanted.exact if wanted.exact in self.objects else None
        for candidates in self._candidates(wanted):
            names = [name for name in candidates if name in self.objects]
            # the name that an alias stands for comes last and wins
            fitting = {
                (entry.docname, entry.node_id): name
                for name in sorted(names, key=lambda name: not self.objects[name].aliased)
                if (entry := self.objects[name]).objtype in _CLASSES or not wanted.only_classes
            }
            if fitting:
                return next(iter(fitting.values())) if len(fitting) == 1 else None
        return None

    def place(self, wanted: Wanted) -> tuple[str, str]:
        """Give the document and the id that a reference leads to; empty if it leads nowhere here."""
        entry = self.objects.get(self.resolve(wanted) or "")
        return (entry.docname, entry.node_id) if entry else ("", "")

    def _candidates(self, wanted: Wanted) -> Iterator[list[str]]:
        """Give the names that may be meant, the surest first."""
        target, context = wanted.target, wanted.context
        yield [".".join((*context, target))]
        yield [".".join((*context[:1], target))]
        yield [target]
        owner, _, last = target.rpartition(".")
        same_end = self.by_end.get(last, [])
        yield [name for name in same_end if name.endswith("." + target)]
        if owner:
            root, parts = target.partition(".")[0], owner.split(".")
            yield [name for name in same_end if _in_order(parts, name.split(".")[:-1])]
            yield [name for name in same_end if self.objects[name].objtype in _CLASSES and name.startswith(f"{root}.")]
            yield [f"{self.resolve(Wanted(owner, only_classes=True))}.{last}"]


def _in_order(parts: list[str], others: list[str]) -> bool:
    """Say whether all parts occur among the others, in their order."""
    remaining = iter(others)
    return all(part in remaining for part in parts)


def reference_node(
    app: Sphinx, node: addnodes.pending_xref, place: tuple[str, str], content: nodes.Element, title: str | None = None
) -> nodes.Element:
    """Make the node of a resolved reference: a link, or its content where a builder has no links between documents."""
    try:
        return make_refnode(app.builder, node["refdoc"], *place, [content], title)
    except NoUri:
        return content


def resolve_object(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Resolve what `object_reference` made (``missing-reference``).

    :returns: A link, or the plain content; ``None`` for a reference that was not made here.
    """
    if node["reftype"] != REFTYPE or node.get("refdomain"):
        return None
    names = DocbuilderDomain.of(env).names
    found = names.resolve(node["wanted"])
    if found is None:
        # the other extensions, intersphinx before all, are asked for a Python object of that name
        asked = node.copy()
        asked.update_all_atts({"refdomain": "py", "reftype": "obj"}, replace=True)
        allowed = (NoUri,)
        elsewhere = app.emit_firstresult("missing-reference", env, asked, contnode, allowed_exceptions=allowed)
        return cast("nodes.Node | None", elsewhere) or contnode
    entry = names.objects[found]
    return reference_node(app, node, (entry.docname, entry.node_id), contnode, found)
