"""Sections with items to docutils field lists, which Sphinx's Python domain turns into its typed fields."""

from __future__ import annotations

import builtins
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics.docbuilder.docstrings.sections import Item, Kind, Section
from sphinxext_heuristics.docbuilder.lines import top_level
from sphinxext_heuristics.docbuilder.references import object_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sphinx.environment import BuildEnvironment

    #: Markdown and the line it starts on to nodes.
    Render = Callable[[str, int], list[nodes.Node]]

_TYPE_TOKEN = re.compile(
    r"""
      (?P<code>`+[^`]+`+)
    | \*(?P<emphasis>[^*`]+)\*
    | (?P<name>~?[A-Za-z_][\w.]*\w|[A-Za-z_])
    | (?P<quote>['"])(?P<path>[\w.]+\.\w+)(?P=quote)
    | '[^']*' | "[^"]*" | [^`*A-Za-z_'"]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_LINK = re.compile(r"\[(`~?[\w.]+`)\](?:\([^)]*\))?")
_ROLE = re.compile(r":(?:py:)?\w+:(?=`)")
_DEFAULT = re.compile(r"(?:(?:and )?defaults? to|defaults?:|default =?)\s*(.+)", re.DOTALL | re.IGNORECASE)
#: What Sphinx's typed fields put between a name and its description, an en dash.
_DASH = " \N{EN DASH} "
_PLAIN_WORDS = frozenset({"or", "of", "and", "optional", "additional", "keyword", "arguments"})


class FieldMaker:
    """Makes the fields of one docstring.

    :param env: The environment that references are made for.
    :param render: Parses a description.
    """

    def __init__(self, env: BuildEnvironment, render: Render) -> None:
        self.env = env
        self.render = render

    def fields(self, section: Section) -> Iterator[nodes.field]:
        """Make the fields of a section.

        :param section: A section with items.
        :returns: The fields, in the section's order.
        """
        if section.kind is Kind.PARAMETERS:
            for item in section.items:
                yield from self.parameter(item)
        elif section.kind is Kind.RETURNS:
            yield from self.returned(section)
        elif section.kind is Kind.RAISES:
            for item in section.items:
                yield _field(f"raises {item.name}".strip(), self.body(item), item.line)
        else:
            yield _field(section.kind.value, self.entries(section), section.line)

    def parameter(self, item: Item) -> Iterator[nodes.field]:
        """Make the fields of a parameter, or of several that are described at once."""
        # Sphinx would take the first of two words for a type
        for name in item.name.split(", "):
            yield _field(f"param {name}", self.body(item), item.line)
            if item.type:
                yield _field(f"type {name}", [nodes.paragraph("", "", *self.type(item.type))], item.line)

    def returned(self, section: Section) -> Iterator[nodes.field]:
        """Make the fields of what is returned: a type and a description, or a list of named values."""
        item = section.items[0]
        if len(section.items) > 1 or item.name:
            yield _field("returns", self.entries(section), section.line)
            return
        if item.text:
            yield _field("returns", self.body(item), item.line)
        if item.type:
            yield _field("rtype", [nodes.paragraph("", "", *self.type(item.type))], item.line)

    def body(self, item: Item) -> list[nodes.Node]:
        """Parse an item's description."""
        return self.render(item.text, item.text_line) if item.text else []

    def entries(self, section: Section) -> list[nodes.Node]:
        """Make a body in the look of Sphinx's typed fields: name, type and description of each item."""
        if len(section.items) == 1:
            return self.entry(section.items[0])
        return [nodes.bullet_list("", *(nodes.list_item("", *self.entry(item)) for item in section.items))]

    def entry(self, item: Item) -> list[nodes.Node]:
        """Make the body of one item: name, type and description in one paragraph, as Sphinx sets them."""
        head: list[nodes.Node] = [addnodes.literal_strong("", item.name)] if item.name else []
        if item.type:
            types = self.type(item.type)
            head += [nodes.Text(" ("), *types, nodes.Text(")")] if item.name else types
        body = self.body(item)
        if head and body:
            head.append(nodes.Text(_DASH))
        if head and body and isinstance(body[0], nodes.paragraph):
            head += body.pop(0).children
        return [nodes.paragraph("", "", *head), *body] if head else body

    def type(self, text: str) -> list[nodes.Node]:
        """Make the nodes of a type as doc-builder writes it, `` `str`, *optional*, defaults to `"a"` ``.

        :param text: The text between the parentheses.
        :returns: Inline nodes, none of them bare text, so that Sphinx leaves them as they are.
        """
        text = _ROLE.sub("", _LINK.sub(r"\1", " ".join(text.split())))
        found: list[nodes.Node] = []
        ends = [-1, *top_level(text, ","), len(text)]
        for start, end in pairwise(ends):
            part = text[start + 1 : end].strip()
            if start >= 0:
                found.append(nodes.inline("", ", "))
            default = _DEFAULT.fullmatch(part)
            if default is None:
                found += self._type_part(part)
            else:
                found += [nodes.inline("", part[: default.start(1)]), nodes.literal("", default[1].strip("`"))]
        return found

    def _type_part(self, text: str) -> Iterator[nodes.Node]:
        stray_quote = text.count("'") == 1
        for token in _TYPE_TOKEN.finditer(text.replace("'", "") if stray_quote else text):
            if token["code"]:
                yield from self._type_part(token["code"].strip("`"))
            elif token["emphasis"]:
                yield nodes.emphasis("", token["emphasis"])
            elif token["name"] or token["path"]:
                yield self._name(token["name"] or token["path"])
            else:
                yield addnodes.literal_emphasis("", token[0])

    def _name(self, name: str) -> nodes.Node:
        if name in _PLAIN_WORDS:
            return nodes.inline("", name) if name != "optional" else nodes.emphasis("", name)
        content = addnodes.literal_emphasis("", name.rpartition(".")[2] if name.startswith("~") else name)
        if hasattr(builtins, name):
            return content
        return object_reference(self.env, name.removeprefix("~"), content, only_classes=True)


def _field(name: str, body: list[nodes.Node], line: int) -> nodes.field:
    field = nodes.field("", nodes.field_name("", name), nodes.field_body("", *body))
    field.line = line + 1
    return field
