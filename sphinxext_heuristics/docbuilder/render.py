"""Markdown tokens to nodes: what pages and docstrings have in common."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from docutils import nodes
from myst_parser.mdit_to_docutils.sphinx_ import SphinxRenderer
from pygments.lexers import get_lexer_by_name
from pygments.token import Error
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.domains.changeset import versionlabels

from .grammar.components import KINDS
from .references import NOT_SHOWN, object_reference
from .store import Fault

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

#: What docutils' smart quotes change.
_EDUCATED = re.compile("['\"`.-]")
#: Lines of code for doc-builder's tests: marked as hidden, with the block that such a
#: line opens, and decorators.
_HIDDEN = re.compile(
    r"^( *)\S.*# doc-builder: hide.*\n(?:\1 +.*\n|\s*\n(?=\1 ))*"
    r"|^# *pytest-decorator:.*\n",
    re.MULTILINE,
)
_HUB = "https://huggingface.co"
#: What alternatives are called where they have no ``id``.
_NAMES = {"pt": "PyTorch", "tf": "TensorFlow", "jax": "JAX", "node": "Node.js"}
_ALERTS = ("caution", "important", "note", "tip", "warning")


def plain_text(text: str) -> nodes.Text:
    """Return text that stays as it is: in code and near it, curly quotes are wrong.

    A NUL in front escapes a character, as a backslash does in reStructuredText.
    """
    return nodes.Text(_EDUCATED.sub("\0\\g<0>", text))


def raw_html(html: str) -> nodes.raw:
    """Return HTML that other builders leave out."""
    return nodes.raw("", html, format="html")


class Renderer(SphinxRenderer):
    """MyST's renderer with doc-builder's markup."""

    #: What is wrong in what has been rendered.
    faults: list[Fault]

    def warn(
        self, message: str, token: SyntaxTreeNode, subtype: str = "markup"
    ) -> None:
        """Note what is wrong, and the line of a token."""
        self.faults.append(Fault(line_of(token), message, subtype))

    def add_line_and_source_path(self, node: nodes.Node, token: SyntaxTreeNode) -> None:
        """Note where a node comes from: of markup in a paragraph, the very line."""
        super().add_line_and_source_path(node, token)
        if token.map:
            node.line = line_of(token)

    def generate_heading_target(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as there
        """Leave a heading without a name: a docstring may be shown many times."""

    def render_text(self, token: SyntaxTreeNode) -> None:
        """Render text as it is."""
        self.current_node.append(plain_text(token.content))

    def render_fence(self, token: SyntaxTreeNode) -> None:
        """Render a code fence; its language is what its code can be read as."""
        code = _HIDDEN.sub("", token.content).rstrip("\n")
        language = language_of(token.info.strip(), code)
        self._append(nodes.literal_block(code, code, language=language), token)

    def render_object_link(self, token: SyntaxTreeNode) -> None:
        """Render ``[`X`]``."""
        name = NOT_SHOWN.sub("", token.content)
        shown = token.meta["shown"] or name + ("()" if token.meta["called"] else "")
        content = nodes.literal(token.content, shown, classes=["xref", "py", "py-obj"])
        reference = object_reference(self.sphinx_env, token.content, content)
        reference["refexplicit"] = bool(token.meta["shown"])
        self._append(reference, token)

    def render_link(self, token: SyntaxTreeNode) -> None:
        """Render a link to an address; a relative link is its text."""
        address = re.sub(r"\A(?=/docs/)", _HUB, str(token.attrGet("href") or ""))
        if not re.match(r"(?:https?|mailto):", address):
            self.render_children(token)
            return
        token.attrs["href"] = address
        self.render_link_url(token)

    def render_paragraph(self, token: SyntaxTreeNode) -> None:
        """Render a paragraph, unless the mark of an alert was all of it."""
        if token.children[0].content:
            super().render_paragraph(token)

    def render_alert(self, token: SyntaxTreeNode) -> None:
        """Render ``> [!TIP]``."""
        kind = token.info
        if kind in _ALERTS:
            self._within(getattr(nodes, kind)(), token)
            return
        known = ", ".join(_ALERTS).upper()
        self.warn(f"unknown alert [!{kind.upper()}]; use one of {known}", token)
        title = nodes.title("", kind.capitalize())
        self._within(nodes.admonition("", title, classes=["note"]), token)

    def render_component(self, token: SyntaxTreeNode) -> None:
        """Render a component and what is inside, as the table has it."""
        kind = KINDS.get(token.tag, "")
        if not kind:
            self.warn(f"unknown component <{token.tag}>; its content is shown", token)
            if isinstance(self.current_node, nodes.TextElement):
                self.current_node.append(plain_text(token.content))
        elif token.content.startswith("</"):
            # in a line, the opening tag stands for both
            return
        getattr(self, f"_render_{kind}", self.render_children)(token)

    def _render_alert(self, token: SyntaxTreeNode) -> None:
        is_warning = "warning" in token.meta
        self._within(nodes.warning() if is_warning else nodes.tip(), token)

    def _render_dropped(self, token: SyntaxTreeNode) -> None:
        """Leave out what has no meaning in print."""

    def _render_version(self, token: SyntaxTreeNode) -> None:
        name = token.tag.lower()
        kind = name if name == "deprecated" else f"version{name}"
        version = token.meta.get("version", "")
        classes = ["versionmodified", name]
        label = nodes.inline("", versionlabels[kind] % version, classes=classes)
        if isinstance(self.current_node, nodes.TextElement):
            self.current_node.append(label)
            return
        paragraph = nodes.paragraph("", "", label, translatable=False)
        note = addnodes.versionmodified("", "", paragraph, type=kind, version=version)
        self._within(note, token)

    def _render_alternatives(self, token: SyntaxTreeNode) -> None:
        self._within(self._container("options", "tab-set"), token)

    def _render_alternative(self, token: SyntaxTreeNode) -> None:
        """Render one of several: a tab, or a block under its name."""
        name = token.meta.get("id") or _NAMES.get(token.tag, token.tag.capitalize())
        item = self._container("option", "tab-item")
        item += nodes.rubric("", name, classes=["sd-tab-label"])
        self._append(item, token)
        with self.current_node_context(item):
            self._within(self._container("content", "tab-content"), token)

    def _render_include(self, token: SyntaxTreeNode) -> None:
        """Render a file, or code of one, by Sphinx's directive for code.

        JSON names the file, and the options of the directive, which cuts by whole lines
        as doc-builder does.
        """
        try:
            pairs = json.loads(token.children[0].children[0].content).items()
            options = {name: str(value) for name, value in pairs}
            path = options.pop("path")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self.warn(f"<{token.tag}> cannot be read: {error}", token)
            self.render_children(token)
            return
        if "dedent" in options:
            options["dedent"] = ""
        line = line_of(token)
        made = self.run_directive(
            "literalinclude", path, "", line, additional_options=options
        )
        if token.tag == "include" and isinstance(made[0], nodes.literal_block):
            # what is wrong in the file is said to be near the tag
            env = {**self.md_env, "origins": [line - 1]}
            self._render_tokens(self.md.parse(made[0].astext(), env))
        else:
            self.current_node += made

    def _container(self, name: str, design: str) -> nodes.container:
        """Return a container, which is sphinx-design's where that is loaded."""
        found = nodes.container(classes=[f"docbuilder-{name}"])
        if "sphinx_design" in self.sphinx_env.config.extensions:
            found.update_all_atts({"is_div": True, "design_component": design})
            found["classes"].append(f"sd-{design}")
        return found

    def render_s(self, token: SyntaxTreeNode) -> None:
        """Render struck-out text, which is a tag in HTML and text elsewhere."""
        self.current_node += raw_html("<del>")
        self.render_children(token)
        self.current_node += raw_html("</del>")

    def render_problem(self, token: SyntaxTreeNode) -> None:
        """Warn of what a rule found."""
        self.warn(token.content, token)

    def _within(self, node: nodes.Element, token: SyntaxTreeNode) -> None:
        self._append(node, token)
        with self.current_node_context(node):
            self.render_children(token)

    def _append(self, node: nodes.Element, token: SyntaxTreeNode) -> None:
        self.add_line_and_source_path(node, token)
        self.current_node.append(node)


def line_of(token: SyntaxTreeNode) -> int:
    """Return a token's line, from 1."""
    start = token.map[0] if token.map else 1
    return start + int(token.meta.get("below", 0))


@lru_cache(maxsize=1024)
def language_of(info: str, code: str) -> str:
    """Return the name of a Pygments lexer that reads a code block without an error.

    *info* is what follows the fence's opening, ``py`` for example; it may be empty. If
    there is no such lexer, it is ``text``.
    """
    name = re.split(r"[\s{,]", info, maxsplit=1)[0].lower()
    if name in {"", "py", "python"} and re.search(r"^[ \t]*>>>", code, re.MULTILINE):
        name = "pycon"
    try:
        if not name:
            ast.parse(code)
            name = "python"
        tokens = get_lexer_by_name(name).get_tokens(code)
    except (ClassNotFound, SyntaxError, ValueError):
        return "text"
    return name if all(token is not Error for token, _ in tokens) else "text"
