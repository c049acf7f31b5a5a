"""What each page shows: the contents of all views on it, and their digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics.show import boxes, definition
from sphinxext_heuristics.view import Content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sphinxext_heuristics.model import Query, RoleUse, Target
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.show.boxes import Box, EntryBoxes
    from sphinxext_heuristics.show.definition import Caption, Facts
    from sphinxext_heuristics.view import View


class Contents(NamedTuple):
    """All that is placed on one page. Each tuple is in the order of the page, and empty where it says nothing."""

    #: What each API entry shows.
    entries: tuple[EntryBoxes, ...]
    #: Where in an entry they are.
    placement: str
    #: Section id (``""``: the page) and its boxes.
    sections: tuple[tuple[str, tuple[Box, ...]], ...]
    #: What is said under each definition's title.
    facts: tuple[Facts, ...]
    #: Where each definition is shown.
    shown: tuple[tuple[tuple[str, Target], ...], ...]
    #: What is said above each quote.
    captions: tuple[Caption, ...]
    #: The content of each directive's view; ``None`` where no view has its name any more.
    queries: tuple[Content | None, ...]


def contents(plan: Plan, views: Mapping[str, View], docname: str) -> Contents:
    """Return all that is placed on a page."""
    page = plan.catalogue.pages[docname]
    judged = zip(page.entries, plan.verdicts(docname), strict=True) if plan.reach or plan.settings.rollup else ()
    entries = tuple(boxes.of_entry(plan, docname, entry, verdicts) for entry, verdicts in judged)
    sections = sorted(plan.by_page.get(docname, {}).items())
    definitions = zip(page.heuristics, plan.resolved[docname], strict=True)
    return Contents(
        entries=entries if any(map(any, entries)) else (),
        placement=plan.settings.placement if any(map(any, entries)) else "",
        sections=tuple((anchor, boxes.of_records(plan, records)) for anchor, records in sections),
        facts=tuple(definition.facts(plan, record, resolved) for record, resolved in definitions),
        shown=tuple(definition.entries(plan, record) for record in page.heuristics),
        captions=tuple(definition.caption(plan, evidence) for evidence in page.evidence),
        queries=tuple(_asked(plan, views, query, docname) for query in page.queries),
    )


def _asked(plan: Plan, views: Mapping[str, View], query: Query, docname: str) -> Content | None:
    view = views.get(query.view)
    return Content(view=query.view, data=view.content(plan, query, docname)) if view else None


def digest(plan: Plan, views: Mapping[str, View], docname: str) -> str:
    """Return a digest of all that the extension shows on a page; ``""`` for nothing.

    No view renders a definition's own note and the uses of the role: what their links lead to and say is added.
    """
    page = plan.catalogue.pages[docname]
    placed = contents(plan, views, docname)
    notes = tuple(plan.note(record).answers for record in page.heuristics)
    roles = tuple(_role(plan, role) for role in page.roles)
    parts = (placed if any(placed) else (), notes, roles)
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest() if any(parts) else ""


def _role(plan: Plan, role: RoleUse) -> object:
    """Return what a use of the role leads to and says."""
    record = plan.catalogue.by_name.get(plan.settings.strip(role.target.strip()))
    return (record.title, record.docname, record.anchor) if record else plan.lookups.elsewhere(role.target)
