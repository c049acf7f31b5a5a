"""autodoc's docstrings: a directive stands for each in what autodoc generates."""

from __future__ import annotations

import builtins
import inspect
import re
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from ..lookup import attribute, function_of
from ..references import NOT_SHOWN, object_reference
from ..store import warn
from .markdown import DocstringRenderer
from .sections import Item, Kind, Section, split_docstring, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

#: How many lines `process_docstring` puts before the text.
LINES_BEFORE = 2
_TYPE_TOKEN = re.compile(
    r"""
      (?P<code>`++[^`]+`+)
    | \*(?P<emphasis>[^*`]+)\*
    | (?P<word>(?:or|of|and|additional|keyword|arguments)\b(?!\.\w))
    | (?P<name>~?[A-Za-z_][\w.]*\w|[A-Za-z_])
    | (?P<quote>['"])(?P<path>[\w.]+\.\w+)(?P=quote)
    | '[^']*' | "[^"]*" | [^`*A-Za-z_'"]+ | `++ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_LINK = re.compile(r"\[(`~?[\w.]+`)\](?:\([^()]*\))?")
#: A role, or a quote that is never closed.
_NOISE = re.compile(r":(?:py:)?\w+:(?=`)|^'(?=[^']*$)")
_DEFAULT = re.compile(
    r"(?:(?:and )?defaults? to|defaults?:|default =?)\s*(.+)", re.DOTALL | re.IGNORECASE
)
#: Kind → the fields of an item's text and of its type.
_FIELDS = {
    Kind.PARAMETERS: ("param", "type"),
    Kind.RETURNS: ("returns", "rtype"),
    Kind.RAISES: ("raises", ""),
}
#: What Sphinx's typed fields put between a name and its description, an en dash.
_DASH = " \N{EN DASH} "
_DEFAULT_REPR = re.compile(
    r"""(?P<text>'[^']*'|"[^"]*")|<(?:function|class) '?(?P<name>[\w.]+)[^<>]*>"""
    r"|<[^<>]*>"
)


def process_docstring(
    app: Sphinx, _what: str, name: str, obj: object, _options: object, lines: list[str]
) -> None:
    """Hand a Hugging Face docstring to the directive (``autodoc-process-docstring``).

    *lines* are the docstring's, changed in place. Docstrings of packages that
    ``docbuilder_packages`` does not name are left alone.
    """
    if any(lines) and _is_ours(app, name, obj):
        body = [f"   {line}" for line in lines]
        lines[:] = [f".. {DocstringDirective.name_in_source}::", "", *body, ""]


def process_signature(
    app: Sphinx,
    _what: str,
    name: str,
    obj: object,
    _options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Let Sphinx read a signature (``autodoc-process-signature``).

    Defaults that are no expressions, ``<factory>`` and addresses in memory, become
    names or ``...``.
    """
    if not signature or not _is_ours(app, name, obj):
        return None

    return _DEFAULT_REPR.sub(
        lambda found: found["text"] or found["name"] or "...", signature
    ), returns


def _is_ours(app: Sphinx, name: str, obj: object) -> bool:
    packages = {*app.config.docbuilder_packages, *app.config.docbuilder_trees.values()}
    return source_module(name, obj).partition(".")[0] in packages


def source_module(name: str, obj: object) -> str:
    """Return the module that the docstring of an object is written in.

    *name* is what the object is documented under. A method without a docstring has the
    module of the class that it inherits the docstring from. What has no module, a
    property or a value, is taken to belong to the module in *name*.
    """
    function = function_of(obj)
    module = attribute(function, "__module__")
    if not attribute(function, "__doc__"):
        owner_name, _, member = name.rpartition(".")
        module_name, _, class_name = owner_name.rpartition(".")
        owner = attribute(sys.modules.get(module_name), class_name)
        bases = inspect.getmro(owner) if inspect.isclass(owner) else ()
        documented = (
            base.__module__
            for base in bases
            if attribute(vars(base).get(member), "__doc__")
        )
        module = next(documented, module)
    return module if isinstance(module, str) else name


class DocstringDirective(SphinxDirective):
    """``docbuilder-docstring``: its content is a docstring in Hugging Face's style.

    Its nodes are what napoleon's output is parsed to: paragraphs, rubrics and
    admonitions, and one field list that `sphinx.util.docfields.DocFieldTransformer` and
    autodoc's type hints work on.
    """

    name_in_source: ClassVar = "docbuilder-docstring"
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse the docstring."""
        if not self.content:
            # autosummary parses the first line alone, and looks at the first node
            return [nodes.comment()]
        self.renderer = DocstringRenderer.of(self.state.document)
        fields = nodes.field_list()
        found: list[nodes.Node] = []
        for section in split_docstring("\n".join(self.content)):
            if not section.items:
                found += self.block(section)
                continue
            if not fields.children:
                # one list, where the first section with items stands: type hints are
                # merged into every list
                found.append(fields)
            fields += list(self.fields(section))
        for fault in self.renderer.faults:
            source, line = self.origin(fault.line)
            warn(fault.message, fault.subtype, f"{source}:{line}")
        self.renderer.faults.clear()
        for node in found:
            for element in node.findall(nodes.Element):
                element.source, element.line = self.origin(element.line or 1)
        return found

    def origin(self, line: int) -> tuple[str, int]:
        """Return the source and the line of a line of the content."""
        source, offset = self.content.items[min(line, len(self.content)) - 1]
        generated = LINES_BEFORE if "docstring of " in (source or "") else 0
        return source or "", (offset or 0) + 1 - generated

    def block(self, section: Section) -> list[nodes.Node]:
        """Return the nodes of a section without items."""
        if section.kind is Kind.RUBRIC:
            return [nodes.rubric("", section.title)]
        body = self.renderer.nodes_of(section.text, section.line)
        if section.kind is Kind.ADMONITION:
            return [getattr(nodes, section.title)("", *body)]
        return body

    def fields(self, section: Section) -> Iterator[nodes.field]:
        """Yield the fields of a section with items.

        Sphinx's Python domain turns them into its typed fields.
        """
        kind, named_values = section.kind, section.items[0].name
        if kind not in _FIELDS or (kind is Kind.RETURNS and named_values):
            entries = [self.entry(item) for item in section.items]
            if len(entries) > 1:
                listed = (nodes.list_item("", *entry) for entry in entries)
                entries = [[nodes.bullet_list("", *listed)]]
            yield _field(self.title(section), entries[0])
            return
        name_of_text, name_of_type = _FIELDS[kind]
        for item in section.items:
            # Sphinx would take the first of two words for a type
            for name in item.name.split(", "):
                if name or item.text:
                    body = self.renderer.nodes_of(item.text, item.line)
                    yield _field(f"{name_of_text} {name}", body)
                if name_of_type and item.type:
                    types = nodes.paragraph("", "", *self.type(item.type))
                    yield _field(f"{name_of_type} {name}", [types])

    def title(self, section: Section) -> str:
        """Return the name of a field: one that Sphinx knows, or a group's title."""
        if section.kind is not Kind.GROUP:
            return str(section.kind.value)
        shown = self.renderer.nodes_of(section.title, section.line)
        title = " ".join(node.astext() for node in shown)
        # Sphinx's own fields have names in small letters
        return title[:1].upper() + title[1:]

    def entry(self, item: Item) -> list[nodes.Node]:
        """Return name, type and description of an item, like Sphinx's typed fields.

        They begin in one paragraph.
        """
        head = self.type(item.type)
        body = self.renderer.nodes_of(item.text, item.line)
        if item.name and head:
            head = [nodes.Text(" ("), *head, nodes.Text(")")]
        if item.name:
            head.insert(0, addnodes.literal_strong("", item.name))
        if not head:
            return body
        if body:
            head.append(nodes.Text(_DASH))
        if body and isinstance(body[0], nodes.paragraph):
            head += body.pop(0).children
        return [nodes.paragraph("", "", *head), *body]

    def type(self, text: str) -> list[nodes.Node]:
        """Return the nodes of a type: `` `str`, *optional*, defaults to `"a"` ``.

        *text* is what is between the parentheses. None of the nodes is bare text, so
        that Sphinx leaves them as they are.
        """
        text = _NOISE.sub("", _LINK.sub(r"\1", " ".join(text.split())))
        found: list[nodes.Node] = []
        for start, end in pairwise([-1, *top_level(text, ","), len(text)]):
            part = text[start + 1 : end].strip()
            if start >= 0:
                found.append(nodes.inline("", ", "))
            if default := _DEFAULT.fullmatch(part):
                found += [
                    nodes.inline("", part[: default.start(1)]),
                    nodes.literal("", default[1].strip("`")),
                ]
            else:
                found += self.words(part)
        return found

    def words(self, text: str) -> Iterator[nodes.Node]:
        """Yield the nodes of a part of a type: links to classes, and other words."""
        for token in _TYPE_TOKEN.finditer(text):
            name: str = token["name"] or token["path"] or ""
            if token["code"]:
                yield from self.words(token["code"].strip("`"))
            elif token["emphasis"] or name == "optional":
                yield nodes.emphasis("", token["emphasis"] or name)
            elif token["word"]:
                yield nodes.inline("", token["word"])
            else:
                shown = NOT_SHOWN.sub("", name) or token[0]
                content = addnodes.literal_emphasis("", shown)
                if not name or hasattr(builtins, name):
                    yield content
                else:
                    yield object_reference(self.env, name, content, only_classes=True)


def _field(name: str, body: list[nodes.Node]) -> nodes.field:
    field_name = nodes.field_name("", name.strip())
    return nodes.field("", field_name, nodes.field_body("", *body))
