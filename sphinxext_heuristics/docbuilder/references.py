"""Links to objects as doc-builder writes them: ``[`LoraConfig`]``, ``[`~PeftModel.add_adapter`]``.

doc-builder looks a name up in the package that it documents. Here it is looked up among all objects of the Python
domain, by the end of their names. What this site does not document comes out as plain code, without a warning: such a
link leads to another project's pages, and nothing is amiss with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.util.nodes import make_refnode

from sphinxext_heuristics.docbuilder.store import Wanted

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


@dataclass(slots=True)
class Names:
    """The documented objects by the ends of their names."""

    #: The Python domain's objects.
    objects: Mapping[str, ObjectEntry]
    #: The last part of a name → the names that end in it.
    by_end: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Fill the index."""
        self.by_end = {}
        for name in self.objects:
            self.by_end.setdefault(name.rpartition(".")[2], []).append(name)

    def resolve(self, wanted: Wanted) -> str | None:
        """Find the object that a reference names.

        :returns: The object's documented name; ``None`` if it is not documented here.
        """
        if not wanted.exact:
            return self.find(wanted.target, wanted.context, only_classes=wanted.only_classes)
        return wanted.exact if wanted.exact in self.objects else None

    def find(self, target: str, context: tuple[str, ...] = (), *, only_classes: bool = False) -> str | None:
        """Find the object that a name means.

        :param target: A name, with or without packages and classes in front.
        :param context: Module and class that the name is used in.
        :param only_classes: Whether only a class will do.
        :returns: The object's documented name; ``None`` if there is none, or several objects fit equally well.
        """
        for candidates in self._candidates(target, context):
            fitting = {
                (entry.docname, entry.node_id): name
                # the name that an alias stands for comes last and wins
                for name, entry in sorted(
                    ((name, self.objects[name]) for name in candidates if name in self.objects),
                    key=lambda pair: not pair[1].aliased,
                )
                if not only_classes or entry.objtype in _CLASSES
            }
            if len(fitting) == 1:
                return next(iter(fitting.values()))
            if fitting:
                return None
        return None

    def _candidates(self, target: str, context: tuple[str, ...]) -> Iterator[list[str]]:
        """Give the names that may be meant, the surest first."""
        yield [".".join((*context, target))]
        if len(context) > 1:
            yield [".".join((context[0], target))]
        yield [target]
        owner, _, last = target.rpartition(".")
        same_end = self.by_end.get(last, [])
        yield [name for name in same_end if name.endswith("." + target)]
        if owner:
            parts = owner.split(".")
            yield [name for name in same_end if _in_order(parts, name.split(".")[:-1])]
            yield [name for name in same_end if self.objects[name].objtype in _CLASSES and _same_root(target, name)]
            documented = self.find(owner, only_classes=True)
            yield [f"{documented}.{last}"] if documented else []


def _in_order(parts: list[str], others: list[str]) -> bool:
    """Say whether all parts occur among the others, in their order."""
    remaining = iter(others)
    return all(part in remaining for part in parts)


def _same_root(first: str, second: str) -> bool:
    return first.partition(".")[0] == second.partition(".")[0]


class ReferenceResolver:
    """Resolves what `object_reference` made; one for each application."""

    def __init__(self) -> None:
        self.names: Names | None = None

    def forget(self, *_: object) -> None:
        """Drop the index: the objects may have changed since the last build."""
        self.names = None

    def of(self, env: BuildEnvironment) -> Names:
        """Give the index of an environment."""
        objects = env.domains["py"].data["objects"]
        if self.names is None or self.names.objects is not objects:
            self.names = Names(objects=objects)
        return self.names

    def resolve(
        self, app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement
    ) -> nodes.Node | None:
        """Resolve one reference (``missing-reference``).

        :returns: A link, or the plain content; ``None`` for a reference that was not made here.
        """
        if node["reftype"] != REFTYPE or node.get("refdomain"):
            return None
        names = self.of(env)
        found = names.resolve(node["wanted"])
        if found is None:
            return self._elsewhere(app, env, node, contnode) or contnode
        entry = names.objects[found]
        try:
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [contnode], found)
        except NoUri:
            return contnode

    def _elsewhere(
        self, app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement
    ) -> nodes.Node | None:
        """Ask the other extensions, intersphinx before all, for a Python object of that name."""
        asked = node.copy()
        asked.update_all_atts({"refdomain": "py", "reftype": "obj"}, replace=True)
        result: nodes.Node | None = app.emit_firstresult(
            "missing-reference", env, asked, contnode, allowed_exceptions=(NoUri,)
        )
        return result
