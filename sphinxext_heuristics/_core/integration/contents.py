"""What each page shows, its digest, and the record of what was written."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..resolve.pages import Place
from ..show import boxes, definition
from ..view import content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..resolve.listing import Link
    from ..resolve.plan import Plan
    from ..show.boxes import Box, EntryBoxes
    from ..show.definition import Caption, Facts
    from ..view import View

#: The record's file in the output folder.
FILENAME = ".heuristics.json"

#: What stands for the digest of a page that is not known, and is that of none.
UNKNOWN = "?"


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
    page = plan.pages[docname]
    judged = zip(page.entries, plan.verdicts(docname), strict=True)
    entries = tuple(
        boxes.of_entry(plan, docname, entry, verdicts) for entry, verdicts in judged
    )
    if not any(map(any, entries)):
        entries = ()
    sections = sorted(plan.by_page.get(docname, {}).items())
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
    page = plan.pages[docname]
    placed = contents(plan, views, docname)
    notes = tuple(map(plan.note, page.heuristics))
    linked = [_linked(plan, target) for target in page.targets]
    parts = (any(placed) and placed, notes, any(linked) and linked)
    if not any(parts):
        return ""
    # JSON is written several times as fast as a named tuple's repr, and differs
    # wherever that does.
    text = json.dumps(parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _linked(plan: Plan, target: str) -> tuple[str, ...] | None:
    """Return title and place of the heuristic that a link leads to, if it is one."""
    record = plan.named(target)
    if record is None:
        return plan.external.heuristic(target)
    return record.title, record.docname, record.anchor


class OutputRecord:
    """What was written last into one output folder: a digest for each page.

    It is kept with the output that it is about: another folder has its own, and one
    that was wiped has none.
    """

    def __init__(self, outdir: Path, writer: str) -> None:
        """Read the record, if there is one of this *writer*.

        It names the builder and the version of the extension and of its words: another
        one may show the same content differently.
        """
        self._path = outdir / FILENAME
        # No document has an empty name.
        self._writer = {"": writer}
        # Without a record, as after an interrupted build, nothing is known of a page.
        self._before = defaultdict(lambda: UNKNOWN)
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found.get("") == writer:
                self._before = defaultdict(str, found)

    def stale(self, digests: Mapping[str, str]) -> list[str]:
        """Return the documents that show something else now than when written."""
        return sorted(
            name for name, digest in digests.items() if self._before[name] != digest
        )

    def forget(self) -> None:
        """Take the record away while pages are written: a killed build leaves none."""
        self._path.unlink(missing_ok=True)

    def save(self, digests: Mapping[str, str], written: Iterable[str]) -> None:
        """Keep the digests of what is written now.

        Pages that were left alone keep what they had, which may be unknown.
        """
        record = {name: self._before[name] for name in digests}
        record.update((name, digests.get(name, "")) for name in written)
        kept = {name: digest for name, digest in record.items() if digest}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(
            json.dumps(kept | self._writer, indent=0, sort_keys=True), encoding="utf-8"
        )
