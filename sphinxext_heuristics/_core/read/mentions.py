"""Links of a document that may lead to a heuristic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import docname_join

from ..diagnostics import absolute
from ..model import Mention
from ..nodes import around

if TYPE_CHECKING:
    from collections.abc import Iterable


def mentions(
    links: Iterable[nodes.Element], docname: str, file: str
) -> dict[Mention, None]:
    """Return the links of a document that may lead to a heuristic, each once.

    *file* is where it is written.
    """
    found: dict[Mention, None] = {}
    for link in links:
        if "intersphinx" in link:
            continue
        if named := meant(link, docname):
            is_own = _source(link) == absolute(file)
            mention = named._replace(sections=_sections(link), is_own=is_own)
            found[mention] = None
    return found


def meant(link: nodes.Element, docname: str) -> Mention | None:
    """Return what a link names, if that may be a heuristic."""
    if anchor := link.get("refid") or link.get("reflocalid"):
        return Mention(docname=docname, anchor=anchor)
    target: str = link.get("reftarget") or ""
    match link.get("refdomain") or "", link.get("reftype"):
        case "heuristic", _:
            named = Mention(name=target)
        case "std", "ref":
            named = Mention(label=target)
        case "std", "doc":
            named = Mention(docname=docname_join(docname, target))
        case "doc", "myst":
            named = Mention(docname=target, anchor=link.get("reftargetid") or "")
        case "", "any" | "myst":
            document = docname_join(docname, target)
            named = Mention(name=target, label=target.lower(), docname=document)
        case _:
            return None
    return named


def link_name(link: nodes.Element) -> str:
    """Return what a link names that shows a title; ``""`` for any other.

    That is a heuristic, a label, or a document with the id in it.
    """
    named = meant(link, link.get("refdoc", ""))
    if named is None or link.get("refexplicit"):
        return ""
    place = "#".join(filter(None, (named.docname, named.anchor)))
    return named.name or named.label or place


def _sections(link: nodes.Element) -> tuple[str, ...]:
    """Return the first id of each section around a link."""
    sections = (it for it in around(link) if isinstance(it, nodes.section))
    return tuple(section["ids"][0] for section in sections)


def _source(link: nodes.Element) -> str:
    """Return the file, or the docstring, that a link is written in."""
    return next((absolute(it.source) for it in around(link) if it.source), "")
