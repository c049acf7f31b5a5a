"""Parameters of an API entry: those that its page shows, and where it describes them.

One answer serves the filter of ``param``, its place and its checks.
"""

from __future__ import annotations

import inspect
import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, cast

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: The members whose signature is that of their class.
_CONSTRUCTORS = {"__init__", "__new__"}

#: A parameter's stars and its name, where what is written of it begins with these.
_NAME = re.compile(r"\s*(\*{0,2})\s*(\w+)")

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}

#: A whole string, an operator that is no bracket, a bracket, or where a string begins.
_TOKEN = re.compile(
    r"""'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | -> | << | <(?![\s=]) | [][(){}>'"]""",
    re.VERBOSE,
)


class Parameters(NamedTuple):
    """What an entry shows of parameters, by their names."""

    #: Those that it has.
    shown: tuple[str, ...]
    #: Those that it has a place for.
    described: tuple[str, ...]


def parameters(desc: addnodes.desc, own: Callable[[], Iterable[str]]) -> Parameters:
    """Return the parameters that an entry shows.

    Its signature names them, or a field describes them. A class's attribute of that
    name is a place for one, and shows it where the signature leaves this open. *own*
    returns what the object's own signature names, which counts where none is displayed.
    """
    lists = list(_lists(desc))
    if not any(map(_names, lists)):
        for member in _members(desc):
            if not _CONSTRUCTORS.isdisjoint(_last_names(member)):
                lists += _lists(member)
    names = [*chain.from_iterable(map(_names, lists))]
    takes_any = not lists or any(name.startswith("**") for name in names)
    shown = [name for name in names if not name.startswith("*")]
    if not names:
        shown += own()
    fields, bare = _fields(desc)
    shown += [*fields, *bare]
    attributes = _attributes(desc)
    if takes_any:
        shown += attributes
    described = fields | attributes | bare
    return Parameters(tuple(dict.fromkeys(shown)), tuple(described))


# -- in signatures --------------------------------------------------------------------


def _lists(desc: addnodes.desc) -> Iterator[addnodes.desc_parameterlist]:
    """Yield the lists of parameters that an entry's signatures display."""
    for signature in signatures(desc):
        for child in signature.children:
            if isinstance(child, addnodes.desc_parameterlist):
                yield child


def signatures(desc: nodes.Element) -> Iterator[addnodes.desc_signature]:
    """Yield the signatures of an entry."""
    for child in desc.children:
        if isinstance(child, addnodes.desc_signature):
            yield child


def _names(written: addnodes.desc_parameterlist) -> list[str]:
    """Return the names in a list of parameters, with their stars."""
    found = filter(None, map(_NAME.match, _pieces(written)))
    return [stars + name for stars, name in map(re.Match.groups, found)]


def _pieces(written: addnodes.desc_parameterlist) -> Iterator[str]:
    """Yield what is written of each parameter.

    What Sphinx cannot parse it splits at any comma. What is within brackets or a string
    is put together again; brackets around whole parameters, which may be left out, are
    passed over.
    """
    waiting: list[str] = []
    for part in _parts(written):
        waiting.append(part)
        piece = ",".join(waiting).strip("[ ")
        if not _is_open(piece):
            waiting.clear()
            yield piece


def _parts(written: nodes.Element) -> Iterator[str]:
    """Yield what Sphinx takes for the parameters of a list."""
    for node in cast("list[nodes.Element]", written.children):
        if isinstance(node, addnodes.desc_optional):
            yield from _parts(node)
        elif isinstance(node[0], nodes.Text):
            # Where brackets do not fit its commas, it makes one parameter of all.
            yield from node.astext().split(",")
        else:
            yield node.astext()


def _is_open(text: str) -> bool:
    """Return whether a bracket or a string is not closed in a text."""
    closing: list[str] = []
    for token in _TOKEN.findall(text):
        if token in {"'", '"'}:
            return True
        if token in _CLOSING:
            closing.append(_CLOSING[token])
        elif closing[-1:] == [token]:
            closing.pop()
    return bool(closing)


def signed(obj: object) -> list[str]:
    """Return the parameters that the signature of an object names.

    What has none, such as ``None``, names none.
    """
    if not callable(obj):
        return []
    try:
        found = inspect.signature(obj).parameters.values()
    except (TypeError, ValueError):  # written in C
        return []
    any_number = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    named = (it.name for it in found if it.kind not in any_number)
    return [name for name in named if name not in {"self", "cls"}]


# -- where they are described ---------------------------------------------------------


def descriptions(desc: addnodes.desc) -> dict[str, nodes.Element]:
    """Map each parameter that an entry describes to what its description ends in.

    That is an item of the entry's own field lists, or an attribute of that name.
    """
    fields, bare = _fields(desc)
    return bare | _attributes(desc) | fields


def _fields(
    desc: addnodes.desc,
) -> tuple[dict[str, nodes.Element], dict[str, nodes.Element]]:
    """Return what fields describe, first with a text and then with a type alone."""
    found: dict[str, nodes.Element] = {}
    bare: dict[str, nodes.Element] = {}
    content = cast("nodes.Element", desc[-1])
    for listed in content.children:
        if isinstance(listed, nodes.field_list):
            for lead, block in _items(listed):
                # Autodoc adds items that only have a type.
                has_text = lead.children[-1].astext() not in {lead.astext(), ")"}
                for name in _names_in(lead):
                    (found if has_text else bare).setdefault(name, block)
    return found, bare


def _attributes(desc: addnodes.desc) -> dict[str, nodes.Element]:
    """Map the attributes that a class documents to their descriptions."""
    found: dict[str, nodes.Element] = {}
    for member in _members(desc):
        if member["objtype"] == "attribute":
            for name in _last_names(member):
                found.setdefault(name, cast("nodes.Element", member[-1]))
    return found


def _members(desc: addnodes.desc) -> Iterator[addnodes.desc]:
    """Yield the entries in an entry's documentation."""
    for child in cast("nodes.Element", desc[-1]).children:
        if isinstance(child, addnodes.desc):
            yield child


def _last_names(desc: addnodes.desc) -> Iterator[str]:
    """Yield the last part of each name that an entry documents."""
    for signature in signatures(desc):
        yield signature.get("fullname", "").rpartition(".")[2]


def _items(fields: nodes.field_list) -> Iterator[tuple[nodes.Element, nodes.Element]]:
    """Yield what each item of a field list begins with, and what it ends in."""
    for body in fields.findall(nodes.field_body):
        for block in body.children:
            if isinstance(block, nodes.paragraph):
                yield block, body
            elif isinstance(block, nodes.bullet_list | nodes.definition_list):
                for item in cast("list[nodes.Element]", block.children):
                    is_term = isinstance(block, nodes.definition_list)
                    end = item[-1] if is_term else item
                    yield cast("nodes.Element", item[0]), cast("nodes.Element", end)


def _names_in(lead: nodes.Element) -> Iterator[str]:
    """Yield the names that an item begins with, which are in bold."""
    first = lead.children[0] if lead.children else None
    if isinstance(first, nodes.strong):
        for name in first.astext().split(","):
            yield name.strip(" *")
