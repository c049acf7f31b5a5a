"""The index of messages as rows, free of nodes: what quoted errors and warnings say, and who knows of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docutils.nodes import make_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.evidence.messages import Message
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.plan import Plan

#: How much of a message its anchor repeats.
_ANCHOR_LENGTH = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message, and whose it is."""

    message: Message
    #: The objects that say it, as evidence names them, by name.
    objects: tuple[str, ...]
    #: The heuristics that quote it, in their order.
    heuristics: tuple[Heuristic, ...]

    @property
    def anchor(self) -> str:
        """Return an id that stays the same as long as the message does."""
        said = f"{self.message.kind}: {self.message.text}"
        mark = hashlib.blake2b(said.encode(), digest_size=3).hexdigest()
        return f"message-{make_id(said)[:_ANCHOR_LENGTH].strip('-')}-{mark}"


def rows(plan: Plan, records: Iterable[Heuristic]) -> tuple[Row, ...]:
    """Return the messages that some heuristics quote, by kind and text."""
    found: dict[tuple[str, str], tuple[Message, dict[str, None], dict[str, Heuristic]]] = {}
    for record in records:
        for message, quoted in plan.said(record):
            _message, objects, heuristics = found.setdefault((message.kind, message.text), (message, {}, {}))
            heuristics[record.name] = record
            if quoted.object:
                objects[quoted.object] = None
    return tuple(
        Row(message=message, objects=tuple(sorted(objects)), heuristics=tuple(heuristics.values()))
        for _key, (message, objects, heuristics) in sorted(found.items())
    )
