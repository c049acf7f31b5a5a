"""Collect: what a document holds, taken from its nodes as plain data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics._core.diagnostics import absolute
from sphinxext_heuristics._core.model import Entry, Page, Problem, RoleUse, Subtype
from sphinxext_heuristics._core.nodes import (
    EVIDENCE,
    heuristic_entries,
    heuristic_facts,
    heuristic_note,
    heuristic_query,
    is_evidence,
)
from sphinxext_heuristics._core.notes.inline import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from sphinxext_heuristics._core.model import Evidence, Heuristic


#: Where in the environment's temporary data, while a page is read, what is known of
#: autodoc's objects is.
IDENTITIES = "heuristic_answers"


class Identity(NamedTuple):
    """What is known of an object that autodoc has in hand."""

    #: Its names by identity, as an entry has them.
    lineage: tuple[str, ...]
    #: The names of a class's bases, and of theirs.
    bases: tuple[str, ...] = ()
    #: The parameters that its signature names; ``None`` where it has none.
    parameters: tuple[str, ...] | None = None


#: The Python domain's kinds of entries that are classes.
CLASSES = ("class", "exception")


def collect(
    document: nodes.document,
    docname: str,
    identities: Mapping[str, Identity],
    modules: Container[str] = (),
) -> Page:
    """Return what a document holds; *identities* has autodoc's objects, *modules* the names of modules."""
    found: dict[type[nodes.Node], list[Any]] = {
        addnodes.desc: [],
        addnodes.pending_xref: [],
        nodes.section: [],
        nodes.container: [],
        nodes.paragraph: [],
        heuristic_facts: [],
        heuristic_query: [],
    }
    opening: dict[str, nodes.Element] = {}
    for node in document.findall(nodes.Element):
        if (kind := found.get(type(node))) is not None:
            kind.append(node)
        if (
            isinstance(node, nodes.target | nodes.section)
            and (name := module_name(node)) in modules
        ):
            opening.setdefault(name, node)
            # The id of a target that stands before a section is the section's, too.
            found[addnodes.desc] += [node] if opening[name] is node else []
    queries = found[heuristic_query]
    quoting = [node for node in found[nodes.container] if is_evidence(node)]
    evidence = tuple(container[EVIDENCE] for container in quoting)
    for key, placed in ((EVIDENCE, quoting), ("position", queries)):
        for position, node in enumerate(placed):
            node[key] = position
    by_hand = {
        id(_around(query, _is_entry))
        for query in queries
        if query.attributes.pop("by_hand", False)
    }
    return Page(
        heuristics=tuple(
            _definitions(found[heuristic_facts], quoting, evidence, docname)
        ),
        entries=tuple(_entries(found[addnodes.desc], identities, by_hand)),
        roles=tuple(
            RoleUse(
                target=node["reftarget"],
                source=absolute(node.source),
                line=node.line or 0,
            )
            for node in found[addnodes.pending_xref]
            if node.get("refdomain") == "heuristic" and "intersphinx" not in node
        ),
        links=tuple(_other_links(found[addnodes.pending_xref])),
        queries=tuple(query.attributes.pop("record") for query in queries),
        evidence=evidence,
        sections=tuple(tuple(section["ids"]) for section in found[nodes.section]),
        titles=tuple(_title(section) for section in found[nodes.section]),
        anchors=tuple(_anchors(document)),
        problems=tuple(_unread(found[nodes.paragraph])),
    )


def _other_links(references: list[addnodes.pending_xref]) -> dict[str, None]:
    """Return the targets of links that may mean anything, a heuristic among it, each once."""
    return {
        reference["reftarget"]: None
        for reference in references
        if reference.get("reftype") in {"any", "myst"}
        and not reference.get("refdomain")
    }


#: How a directive of ours opens that MyST reads with an extension only, or never.
_AS_TEXT = re.compile(
    r":{3,}\{(?:evidence|heuristics?(?:-\w+)?)\}|\.\. +(evidence|heuristics?-\w+) ?::"
)


def _unread(found: list[nodes.paragraph]) -> Iterator[Problem]:
    """Yield a problem for each directive of ours that stands in a page as text."""
    for paragraph in found:
        if paragraph.children and (
            match := _AS_TEXT.match(paragraph.children[0].astext())
        ):
            why = (
                f"this is reStructuredText in a Markdown page; write "
                f"'```{{{match[1]}}}'"
                if match[1]
                else "MyST reads it with 'colon_fence' in myst_enable_extensions; "
                "a fence of backticks or tildes needs nothing"
            )
            yield Problem(
                subtype=Subtype.OPTION,
                message=f"{match[0]!r} is shown as text: {why}",
                source=absolute(paragraph.source),
                line=paragraph.line or 0,
            )


def _title(section: nodes.section) -> str:
    """Return the text of a section's title."""
    at = section.first_child_matching_class(nodes.title)
    return section[at].astext() if at is not None else ""


def _anchors(document: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield the id of each label of a document with the id of the section around it."""
    for name, anchor in document.nameids.items():
        if anchor and document.nametypes.get(name):
            section = _around(
                document.ids.get(anchor), lambda it: isinstance(it, nodes.section)
            )
            yield anchor, section["ids"][0] if section else ""


def _around(node: nodes.Node | None, is_wanted: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - of the wanted class
    """Return the innermost node that is wanted: *node* itself or one around it; ``None`` if there is none."""
    while node is not None and not is_wanted(node):
        node = node.parent
    return node


def _is_entry(node: nodes.Node) -> bool:
    return isinstance(node, addnodes.desc)


def _definitions(
    found: list[heuristic_facts],
    quoting: list[nodes.container],
    evidence: tuple[Evidence, ...],
    docname: str,
) -> Iterator[Heuristic]:
    quoted: dict[int, list[Evidence]] = {}
    for container, record in zip(quoting, evidence, strict=True):
        around = _around(
            container,
            lambda it: any(isinstance(child, heuristic_facts) for child in it.children),
        )
        quoted.setdefault(id(around), []).append(record)
    for position, facts in enumerate(found):
        facts["position"] = position
        siblings = facts.parent.children
        definition: Heuristic = facts.attributes.pop("record")
        note = next(n for n in siblings if isinstance(n, heuristic_note))
        for node in siblings:
            if isinstance(node, heuristic_entries):
                node["position"] = position
        yield definition._replace(
            docname=docname,
            title=facts.parent[0].astext(),
            anchor=facts.parent["ids"][0],
            note=freeze(note.children, docname),
            in_entry=_around(facts, _is_entry) is not None,
            evidence=tuple(quoted.get(id(facts.parent), ())),
        )


def _entries(
    found: list[nodes.Element],
    identities: Mapping[str, Identity],
    by_hand: AbstractSet[int],
) -> Iterator[Entry]:
    for desc in found:
        if module := module_name(desc):
            # A module has no signature.
            anchor = f"{_MODULE}{module}"
            yield Entry(
                names=(module,),
                lineage=(module,),
                anchor=anchor,
                by_hand=False,
                is_module=True,
            )
        if not isinstance(desc, addnodes.desc) or desc.get("domain") != "py":
            continue
        names = entry_names(desc)
        if not names:
            continue
        signatures = [
            child
            for child in desc.children
            if isinstance(child, addnodes.desc_signature)
        ]
        ids = [i for signature in signatures for i in signature["ids"]]
        known = [identities[name] for name in names if name in identities]
        told = [one.parameters for one in known if one.parameters is not None] or [
            tuple(_parameters(desc))
        ]
        yield Entry(
            names=names,
            lineage=tuple(dict.fromkeys(name for one in known for name in one.lineage)),
            anchor=ids[0] if ids else "",
            by_hand=id(desc) in by_hand,
            is_class=desc.get("objtype") in CLASSES,
            parameters=tuple(dict.fromkeys(name for one in told for name in one)),
            bases=tuple(dict.fromkeys(name for one in known for name in one.bases)),
        )


def module_name(node: nodes.Node) -> str:
    """Return the module whose documentation may begin at a node, or ``""``.

    Its target has the module's id, but docutils moves that to what follows, and Sphinx
    to the section that it opens.
    """
    ids = []
    if isinstance(node, nodes.section):
        ids = node["ids"]
    elif isinstance(node, nodes.target) and "ismod" in node:
        ids = node["ids"] or [node.get("refid", "")]
    return next((i.removeprefix(_MODULE) for i in ids if i.startswith(_MODULE)), "")


#: What the id of a module's target begins with.
_MODULE = "module-"


def _parameters(desc: addnodes.desc) -> Iterator[str]:
    """Yield the parameters that the signatures of an entry name, without those that take any number."""
    for signature in desc.children:
        for parameter in (
            signature.findall(addnodes.desc_parameter)
            if signature is not desc.children[-1]
            else ()
        ):
            name = parameter.children[0] if parameter.children else None
            if isinstance(name, addnodes.desc_sig_name):
                yield name.astext()


def entry_names(desc: addnodes.desc) -> tuple[str, ...]:
    """Return the full names that an API entry documents, one a signature, each once."""
    names: dict[str, None] = {}
    for signature in desc.children:
        if isinstance(signature, addnodes.desc_signature):
            fullname = signature.get("fullname")
            if fullname:
                module = signature.get("module")
                names[f"{module}.{fullname}" if module else fullname] = None
    return tuple(names)
