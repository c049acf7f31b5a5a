"""The index of messages: what quoted errors and warnings say, and which heuristics know of them."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics._core.show.parts import (
    joined,
    meta,
    named,
    outdated_nodes,
    paragraph,
    script_place,
)
from sphinxext_heuristics._core.view import View
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from sphinxext_heuristics._core.model import Message, Note, Query
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import Here, Named

#: How much of a message its anchor repeats.
_ANCHOR_LENGTH = 48


class Line(NamedTuple):
    """One heuristic that knows of a message."""

    named: Named
    outdated: str
    note: Note


class Row(NamedTuple):
    """A message, and whose it is."""

    message: Message
    #: The objects that say it, as evidence names them, by name.
    objects: tuple[str, ...]
    #: The heuristics that quote it, in their order.
    lines: tuple[Line, ...]

    @property
    def module(self) -> str:
        """Return the module that it comes from, the first by name."""
        return self.objects[0].partition(":")[0] if self.objects else ""

    @property
    def anchor(self) -> str:
        """Return an id that stays the same as long as the message does."""
        said = f"{self.message.kind}: {self.message.text}"
        mark = hashlib.blake2b(said.encode(), digest_size=3).hexdigest()
        return f"message-{nodes.make_id(said)[:_ANCHOR_LENGTH].strip('-')}-{mark}"


class MessagesView(View):
    """The errors and warnings that evidence quotes, by the modules that they come from."""

    name = "heuristic-messages"

    def content(self, plan: Plan, query: Query, docname: str) -> tuple[Row, ...]:
        """Return the messages that the chosen heuristics quote, by module, kind and text; other packages' are last."""
        found: dict[Message, tuple[dict[str, None], dict[str, Line]]] = {}
        for record in plan.selection(query.filters):
            line = Line(
                named=named(record),
                outdated=meta(plan, record).outdated,
                note=plan.note(record),
            )
            for message, quoted in plan.messages(record):
                objects, lines = found.setdefault(message, ({}, {}))
                lines[record.name] = line
                if quoted.object:
                    objects[quoted.object] = None
        rows = [
            Row(
                message=message,
                objects=tuple(sorted(objects)),
                lines=tuple(lines.values()),
            )
            for message, (objects, lines) in sorted(found.items())
        ]
        own = f"{plan.settings.package}."
        return tuple(
            sorted(
                rows, key=lambda row: (not f"{row.module}.".startswith(own), row.module)
            )
        )

    def nodes(self, content: tuple[Row, ...], here: Here) -> list[nodes.Node]:
        """Return the box for a pasted text, and the messages of each module."""
        from sphinxext_heuristics._core.evidence.messages import pieces_of  # noqa: PLC0415 - where the index is placed

        if not content:
            return [paragraph(_("No message is quoted."))]
        found = [
            (row.anchor, row.message.kind, pieces_of(row.message)) for row in content
        ]
        made = [script_place("heuristic-paste", messages=found)]
        for module, rows in groupby(content, lambda row: row.module):
            made += [
                nodes.rubric(
                    "", "", nodes.literal("", module), classes=["heuristic-origin"]
                )
            ] * bool(module)
            made.append(
                nodes.definition_list(
                    "",
                    *(_item(row, here) for row in rows),
                    classes=["heuristic-messages"],
                )
            )
        return made


def _item(row: Row, here: Here) -> nodes.definition_list_item:
    """Return a message with its heuristics and the objects that say it."""
    definition = nodes.definition()
    for line in row.lines:
        note = [nodes.Text(": "), *here.note(line.note)] if line.note.inline else []
        definition += paragraph(
            here.heuristic(line.named), *outdated_nodes(line.outdated), *note
        )
    if row.objects:
        names = joined([nodes.literal("", name)] for name in row.objects)
        definition += nodes.paragraph(
            "", "", nodes.Text(_("In") + " "), *names, classes=["heuristic-meta"]
        )
    term = nodes.term("", "", nodes.literal("", row.message.text), ids=[row.anchor])
    return nodes.definition_list_item(
        "", term, nodes.classifier("", row.message.kind), definition
    )
