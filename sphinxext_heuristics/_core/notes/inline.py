"""Inline nodes as plain data: a note is read once and shown on many pages."""

from __future__ import annotations

import posixpath
import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

from ..diagnostics import not_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..model import Inline, Note

#: The node classes that keep their markup; of any other only the content is kept.
KEPT: dict[str, type[nodes.Element]] = {
    cls.__name__: cls
    for cls in (
        nodes.abbreviation,
        nodes.acronym,
        nodes.emphasis,
        nodes.inline,
        nodes.literal,
        nodes.math,
        nodes.raw,
        nodes.reference,
        nodes.strong,
        nodes.subscript,
        nodes.superscript,
        nodes.title_reference,
        addnodes.literal_emphasis,
        addnodes.literal_strong,
        addnodes.download_reference,
        addnodes.manpage,
        addnodes.number_reference,
        addnodes.pending_xref,
    )
}

#: Nodes that leave nothing: they belong to the page they were written on.
DROPPED = (
    nodes.footnote_reference,
    nodes.citation_reference,
    nodes.system_message,
    nodes.target,
    addnodes.index,
)

#: Attributes that would collide, or that belong to the page.
LOCAL = {"ids", "names", "dupnames", "backrefs", "refdoc", "refname"}

#: What the URI of a document begins with until it is known from where a link leads.
PLACE = "document:"

#: Placeholder for an inline node.
_MARKUP = "\N{OBJECT REPLACEMENT CHARACTER}"
_ABBREVIATIONS = (
    "e.g. i.e. etc. vs. cf. no. fig. eq. resp. v. ver. sec. ch. ca. approx. al."
)
#: A word that begins the text, or follows white space or a parenthesis.
_NO_ABBREVIATION = "".join(
    rf"(?<!(?<![^\s(])(?i:{re.escape(word)}))" for word in _ABBREVIATIONS.split()
)
#: A sentence ends neither after an abbreviation nor before a small letter.
_SENTENCE_END = re.compile(
    rf"(?:[!?]|\.{_NO_ABBREVIATION})['\")\]\u2019\u201d]*"
    r"(?=\s+(?![a-z\u00e0-\u00ff\s])|\s*$)"
)


def freeze(children: Iterable[nodes.Node]) -> tuple[Inline, ...]:
    """Return inline nodes as plain data."""
    return tuple(_freeze(children))


def _freeze(children: Iterable[nodes.Node]) -> Iterator[Inline]:
    for node in children:
        if isinstance(node, nodes.Text):
            # str() of a Text may hold the NULs that escape a backslash.
            yield node.astext()
        elif isinstance(node, nodes.image):
            yield node.get("alt", "")
        elif isinstance(node, nodes.Element) and not isinstance(node, DROPPED):
            name = type(node).__name__
            inner = freeze(node.children)
            if name in KEPT:
                yield name, tuple(_attributes(node)), inner
            else:
                yield from inner


def _attributes(node: nodes.Element) -> Iterator[tuple[str, Any]]:
    for key, value in sorted(node.attributes.items()):
        kept = tuple(value) if isinstance(value, list) else value
        # Not a set: what is not plain may have no hash. A link to nothing is still a
        # link, whose target everybody reads.
        is_empty = kept in ("", ()) and key != "reftarget"
        if key in LOCAL or is_empty or isinstance(kept, dict) or not_plain(kept):
            continue
        yield key, kept


def thaw(
    note: Note, docname: str, relative: Callable[[str, str], str]
) -> list[nodes.Node]:
    """Return new nodes of a note for the page *docname*.

    *relative* returns the URI between documents, or ``""``.
    """
    return [_thaw(item, note.home, docname, relative) for item in note.inline]


def _thaw(
    item: Inline, home: str, docname: str, relative: Callable[[str, str], str]
) -> nodes.Node:
    if isinstance(item, str):
        return nodes.Text(item)
    name, attributes, children = item
    node = KEPT[name]()
    for key, value in attributes:
        node[key] = list(value) if isinstance(value, tuple) else value
    node += [_thaw(child, home, docname, relative) for child in children]
    if node.get("refid"):
        node["refuri"] = f"{PLACE}{home}#{node.attributes.pop('refid')}"
    refuri = node.get("refuri", "")
    if docname != home and ":" not in refuri and node.get("internal") is False:
        # To a project beside this one, as intersphinx says it from the note's page.
        node["refuri"] = posixpath.join(relative(docname, home), "..", refuri)
    if refuri.startswith(PLACE):
        other, mark, anchor = refuri.removeprefix(PLACE).partition("#")
        uri = relative(docname, other)
        if not uri and docname != other:
            return nodes.inline("", "", *node.children)
        node["refuri"] = f"{uri}{mark}{anchor}"
        node["internal"] = True
    if isinstance(node, (nodes.literal, nodes.math, nodes.raw)):
        node.rawsource = node.astext()
    return node


def text_of(frozen: Iterable[Inline]) -> str:
    """Return the text alone."""
    text = ""
    for item in frozen:
        text += item if isinstance(item, str) else text_of(item[2])
    return text


def html_of(frozen: Iterable[Inline]) -> str:
    """Return the text as HTML; of the markup, only code is kept."""
    html = ""
    for item in frozen:
        if isinstance(item, str):
            html += escape(item)
            continue
        name, _attributes, children = item
        inner = html_of(children)
        html += (
            f'<code class="docutils literal">{inner}</code>'
            if name == nodes.literal.__name__
            else inner
        )
    return html


def first_sentence(paragraph: nodes.paragraph) -> list[nodes.Node]:
    """Return copies of the inline nodes that make a paragraph's first sentence."""
    # Markup is one sign, which neither ends a sentence nor goes on with one.
    parts = [
        str(child) if isinstance(child, nodes.Text) else _MARKUP
        for child in paragraph.children
    ]
    text = "".join(parts)
    found = _SENTENCE_END.search(text)
    end = found.end() if found else len(text)
    sentence: list[nodes.Node] = []
    for child, part in zip(paragraph.children, parts, strict=True):
        if end > 0 and isinstance(child, nodes.Text):
            sentence.append(nodes.Text(part[:end]))
        elif end > 0 and not isinstance(child, DROPPED):
            sentence.append(_copy(child))
        end -= len(part)
    return sentence


def _copy(node: nodes.Node) -> nodes.Node:
    """Return a copy without names and ids of its own."""
    copy = node.deepcopy()
    if isinstance(copy, nodes.Element):
        for element in copy.findall(nodes.Element):
            element["ids"], element["names"] = [], []
        if copy.get("anonymous") and not copy.get("refuri"):
            # Anonymous targets are counted: a second reference would be one too many.
            return nodes.inline("", copy.astext())
    return copy
