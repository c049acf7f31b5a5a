"""Sections with items to docutils field lists, which Sphinx's Python domain turns into its typed fields."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics.docbuilder.docstrings.sections import Item, Kind, Section
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
    | (?P<string>'[^']*'|"[^"]*")
    | (?P<other>[^`*A-Za-z_'"]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LINK = re.compile(r"\[(`~?[\w.]+`)\](?:\([^)]*\))?")
_ROLE = re.compile(r":(?:py:)?\w+:(?=`)")
_DEFAULT = re.compile(r"(?:(?:and )?defaults? to|defaults?:|default =?)\s*(.+)", re.DOTALL | re.IGNORECASE)
#: What Sphinx's typed fields put between a name and its description, an en dash.
_DASH = " \N{EN DASH} "
_PLAIN_WORDS = frozenset({"or", "of", "and", "optional", "additional", "keyword", "arguments", "any"})


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
        bodies = [self.entry(item) for item in section.items]
        if len(bodies) == 1:
            return bodies[0]
        return [nodes.bullet_list("", *(nodes.list_item("", *body) for body in bodies))]

    def entry(self, item: Item) -> list[nodes.Node]:
        """Make the body of one item: name, type and description in one paragraph, as Sphinx sets them."""
        head: list[nodes.Node] = []
        if item.name:
            head.append(addnodes.literal_strong("", item.name))
        if item.type:
            types = self.type(item.type)
            head += [nodes.Text(" ("), *types, nodes.Text(")")] if item.name else types
        body = self.body(item)
        if not head:
            return body
        if body:
            head.append(nodes.Text(_DASH))
        if body and isinstance(body[0], nodes.paragraph):
            first = body.pop(0)
            head += first.children
        return [nodes.paragraph("", "", *head), *body]

    def type(self, text: str) -> list[nodes.Node]:
        """Make the nodes of a type as doc-builder writes it, `` `str`, *optional*, defaults to `"a"` ``.

        :param text: The text between the parentheses.
        :returns: Inline nodes, none of them bare text, so that Sphinx leaves them as they are.
        """
        text = _ROLE.sub("", _LINK.sub(r"\1", " ".join(text.split())))
        found: list[nodes.Node] = []
        for number, part in enumerate(_split_commas(text)):
            if number:
                found.append(nodes.inline("", ", "))
            default = _DEFAULT.fullmatch(part)
            if default is None:
                found += self._type_part(part)
            else:
                found.append(nodes.inline("", part[: default.start(1)]))
                found.append(nodes.literal("", default[1].strip("`")))
        return found

    def _type_part(self, text: str) -> Iterator[nodes.Node]:
        stray_quote = text.count("'") == 1
        for token in _TYPE_TOKEN.finditer(text.replace("'", "") if stray_quote else text):
            if token["code"]:
                yield from self._code(token["code"].strip("`"))
            elif token["emphasis"]:
                yield nodes.emphasis("", token["emphasis"])
            elif token["name"]:
                yield self._name(token["name"])
            elif token["string"]:
                yield from self._string(token["string"])
            else:
                yield addnodes.literal_emphasis("", token["other"])

    def _code(self, code: str) -> Iterator[nodes.Node]:
        if code == "optional":
            yield nodes.emphasis("", code)
            return
        yield from self._type_part(code)

    def _string(self, text: str) -> Iterator[nodes.Node]:
        name = text[1:-1]
        if re.fullmatch(r"[\w.]+\.\w+", name):
            yield self._name(name)
        else:
            yield addnodes.literal_emphasis("", text)

    def _name(self, name: str) -> nodes.Node:
        shown = name.rpartition(".")[2] if name.startswith("~") else name
        content = addnodes.literal_emphasis("", shown)
        if hasattr(builtins, name):
            return content
        if name in _PLAIN_WORDS:
            return nodes.inline("", name) if name != "optional" else nodes.emphasis("", name)
        return object_reference(self.env, name.removeprefix("~"), content, only_classes=True)


def _field(name: str, body: list[nodes.Node], line: int) -> nodes.field:
    field = nodes.field("", nodes.field_name("", name), nodes.field_body("", *body))
    field.line = line + 1
    return field


def _split_commas(text: str) -> list[str]:
    """Split at the commas that stand in no brackets, quotes or code."""
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in '`"':
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]
