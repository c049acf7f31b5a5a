"""What each page shows: the contents of all views on it, their digest, and the record of what was written."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from sphinxext_heuristics._core.show import boxes, definition
from sphinxext_heuristics._core.view import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sphinxext_heuristics._core.model import Target
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.show.boxes import Box, EntryBoxes
    from sphinxext_heuristics._core.show.definition import Caption, Facts
    from sphinxext_heuristics._core.view import View

#: The record's file in the output folder.
FILENAME = ".heuristics.json"

#: What stands for the digest of a page that is not known, and is that of none.
UNKNOWN = "?"


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
    shown: tuple[tuple[tuple[str, tuple[tuple[str, Target], ...]], ...], ...]
    #: What is said above each quote.
    captions: tuple[Caption, ...]
    #: The content of each directive's view; ``None`` where no view has its name any
    #: more.
    queries: tuple[Any, ...]


def contents(plan: Plan, views: Mapping[str, View], docname: str) -> Contents:
    """Return all that is placed on a page."""
    page = plan.catalogue.pages[docname]
    judged = (
        zip(page.entries, plan.verdicts(docname), strict=True)
        if plan.reach or plan.settings.rollup
        else ()
    )
    entries = tuple(
        boxes.of_entry(plan, docname, entry, verdicts) for entry, verdicts in judged
    )
    sections = sorted(plan.by_page.get(docname, {}).items())
    return Contents(
        entries=entries if any(map(any, entries)) else (),
        placement=plan.settings.placement if any(map(any, entries)) else "",
        sections=tuple(
            (anchor, boxes.of_records(plan, records)) for anchor, records in sections
        ),
        facts=tuple(
            definition.facts(plan, record, plan.connections(record))
            for record in page.heuristics
        ),
        shown=tuple(definition.entries(plan, record) for record in page.heuristics),
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

    No view renders a definition's own note and the uses of the role: what their links
    lead to and say is added.
    """
    page = plan.catalogue.pages[docname]
    placed = contents(plan, views, docname)
    notes = tuple(plan.note(record).answers for record in page.heuristics)
    linked = ((role, plan.named(role.target)) for role in page.roles)
    roles = tuple(
        (it.title, it.docname, it.anchor) if it else plan.lookups.elsewhere(role.target)
        for role, it in linked
    )
    others = tuple(
        (record.title, record.docname, record.anchor)
        for record in map(plan.named, page.links)
        if record
    )
    parts = (placed if any(placed) else (), notes, roles, others)
    if not any(parts):
        return ""
    # JSON is written several times as fast as a named tuple's repr, and differs
    # wherever that does.
    text = json.dumps(parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class OutputRecord:
    """The record of one builder in one output folder: a digest of what we showed on each page written.

    It lies with the output, since that is what it tells about: another builder, or the
    same one into another folder, has its own, and a folder that was wiped has none.
    """

    def __init__(self, outdir: Path, builder: str, version: str = "") -> None:
        """Read the record; one that is not there or not ours tells nothing.

        *version* is that of the extension and of the words it says, of which another
        may show the same otherwise.
        """
        self._path = outdir / FILENAME
        self._builder = builder
        # No document has an empty name.
        self._version = {"": version}
        self._all: dict[str, dict[str, str]] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            self._all = {name: dict(record) for name, record in found.items()}
        record = self._all.get(builder, {})
        self._before = record if self._version.items() <= record.items() else None

    def stale(self, digests: Mapping[str, str]) -> list[str]:
        """Return the documents that show something else now than when written.

        Without a record, as after an interrupted build, all may.
        """
        before = self._before
        return sorted(
            name
            for name, digest in digests.items()
            if before is None or before.get(name, "") != digest
        )

    def forget(self) -> None:
        """Take the record away while pages are written: a killed build leaves none."""
        self._path.unlink(missing_ok=True)

    def save(self, digests: Mapping[str, str], written: Iterable[str]) -> None:
        """Keep what is written now; pages left alone keep what they had, which may be unknown."""
        record = (
            dict.fromkeys(digests, UNKNOWN) if self._before is None else self._before
        )
        record |= {name: digests.get(name, "") for name in written}
        kept = {
            name: digest
            for name, digest in record.items()
            if digest and name in digests
        }
        self._all[self._builder] = kept | self._version
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(
            json.dumps(self._all, indent=0, sort_keys=True), encoding="utf-8"
        )
