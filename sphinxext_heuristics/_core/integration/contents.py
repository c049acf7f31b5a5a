"""What each page shows, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..resolve.records import Place
from ..show import boxes, definition
from ..view import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..resolve.listing import Link
    from ..resolve.plan import Plan
    from ..show.boxes import Box, EntryBoxes
    from ..show.definition import Caption, Facts
    from ..view import View


class Contents(NamedTuple):
    """All that is placed on one page.

    Each tuple is in the order of the page, and empty where there is nothing.
    """

    #: What each API entry shows.
    entries: tuple[EntryBoxes, ...]
    #: Section id (``""``: the page) and its boxes.
    sections: tuple[tuple[str, tuple[Box, ...]], ...]
    #: What is said under each definition's title.
    facts: tuple[Facts, ...]
    #: What is said at the end of each definition.
    surroundings: tuple[list[Link], ...]
    #: What is said above each quote.
    captions: tuple[Caption, ...]
    #: The content of each directive's view; ``None`` where no view has its name any
    #: more.
    queries: tuple[Any, ...]


def contents(plan: Plan, views: Mapping[str, View], docname: str) -> Contents:
    """Return all that is placed on a page."""
    page = plan.catalogue.pages[docname]
    judged = zip(page.entries, plan.placing.verdicts(docname), strict=True)
    entries = tuple(
        boxes.of_entry(plan, docname, entry, verdicts) for entry, verdicts in judged
    )
    if not any(map(any, entries)):
        entries = ()
    sections = sorted(plan.placing.by_page.get(docname, {}).items())
    return Contents(
        entries=entries,
        sections=tuple(
            (anchor, boxes.of_records(plan, records, Place(docname, anchor)))
            for anchor, records in sections
        ),
        facts=tuple(definition.facts(plan, record) for record in page.heuristics),
        surroundings=tuple(
            definition.surroundings(plan, record) for record in page.heuristics
        ),
        captions=tuple(
            definition.caption(plan, evidence) for evidence in page.evidence
        ),
        queries=tuple(
            content_of(views[query.view], plan, query, docname)
            if query.view in views
            else None
            for query in page.queries
        ),
    )


def digest(plan: Plan, views: Mapping[str, View], docname: str) -> str:
    """Return a digest of all that the extension shows on a page; ``""`` for nothing.

    No view renders a definition's own note, and Sphinx makes the links to heuristics:
    what these lead to and say is added.
    """
    page = plan.catalogue.pages[docname]
    placed = contents(plan, views, docname)
    notes = tuple(map(plan.note, page.heuristics))
    linked = [
        _linked(plan, target, has_text=has_text) for target, has_text in page.targets
    ]
    is_placed, is_linked = any(placed), any(linked)
    if not (is_placed or notes or is_linked):
        return ""
    parts = (is_placed and placed, notes, is_linked and linked)
    # JSON is written several times as fast as a named tuple's repr, and differs
    # wherever that does.
    text = json.dumps(parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _linked(plan: Plan, target: str, *, has_text: bool) -> tuple[str, ...] | None:
    """Return what is seen of the heuristic that a link leads to, if it is one.

    Its title is none of it where the link has a text of its own.
    """
    record = plan.catalogue.lookup(target)
    if record is None:
        found = plan.meanings.external.heuristic(target)
    else:
        found = record.docname, record.anchor, record.title
    return found[:-1] if found and has_text else found
