"""The index of messages: quoted errors and warnings, and their heuristics."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from docutils import nodes

from ..model import Message, Note, Query, Target
from ..view import Here, Named, View
from ..words import _
from .parts import joined, literal, meta, named, outdated_nodes, paragraph, script_place

if TYPE_CHECKING:
    from ..evidence.pasted import Known, Section
    from ..resolve.plan import Plan


class Quoting(NamedTuple):
    """One heuristic that quotes a message."""

    named: Named
    outdated: str
    note: Note


class MessageRow(NamedTuple):
    """A message with its objects and heuristics."""

    message: Message
    #: The first of the packages that it comes from.
    package: str
    #: The objects that raise it, as evidence names them, by name.
    objects: tuple[str, ...]
    #: The heuristics that quote it, in their order.
    heuristics: tuple[Quoting, ...]


class MessagesContent(NamedTuple):
    """What the index of messages shows, and what its box answers with."""

    rows: tuple[MessageRow, ...]
    #: The heuristics that the box offers, with the texts that each knows of.
    asked: tuple[tuple[Named, Known], ...]
    #: The sections that it offers.
    sections: tuple[Section, ...]


class MessagesView(View):
    """The errors and warnings that evidence quotes."""

    name = "heuristic-messages"

    def content(self, plan: Plan, query: Query, docname: str) -> MessagesContent:
        """Return the messages by package, kind and text."""
        from ..evidence.pasted import asked_of  # noqa: PLC0415 - where the index is placed

        quoting: dict[Message, dict[Quoting, None]] = {}
        # Each object that raises it, with its package.
        raised: dict[Message, dict[str, str]] = {}
        records = plan.meanings.selection(query.filters)
        asked = asked_of(plan, records)
        for record in records:
            one = Quoting(
                named=named(record),
                outdated=meta(plan.catalogue, record).outdated,
                note=plan.note(record),
            )
            for message, evidence in plan.quotes.messages(record):
                objects = raised.setdefault(message, {})
                objects[evidence.object] = evidence.package
                quoting.setdefault(message, {})[one] = None
        rows = [
            MessageRow(
                message=message,
                package=min(objects.values()),
                objects=tuple(sorted(objects)),
                heuristics=tuple(quoting[message]),
            )
            for message, objects in sorted(raised.items())
        ]
        rows.sort(key=attrgetter("package"))
        return MessagesContent(
            rows=tuple(rows),
            asked=tuple(zip(map(named, records), asked.known, strict=True)),
            sections=asked.sections,
        )

    def nodes(self, content: MessagesContent, here: Here) -> list[nodes.Node]:
        """Return the box for a pasted text, and the messages."""
        from ..evidence.pasted import SHARED  # noqa: PLC0415 - where the index is placed

        made: list[nodes.Node] = []
        if content.asked:
            known = [
                (here.uri(Target(one.docname, one.anchor)), *texts)
                for one, texts in content.asked
            ]
            sections = [
                (here.uri(Target(*one.place)), *one[1:-1], _texts(one))
                for one in content.sections
            ]
            searching = here.uri(Target(docname="search"))
            data = (known, sections, SHARED, searching)
            made.append(script_place("heuristic-paste", known=data))
        if not content.rows:
            made.append(paragraph(_("No message is quoted.")))
            return made
        said = _("The messages that heuristics quote, by the package that gives them.")
        more = _("A … stands for what the package puts in, such as a name or a number.")
        made.append(paragraph(f"{said} {more}"))
        for package, rows in groupby(content.rows, attrgetter("package")):
            items = [_item(row, here) for row in rows]
            made += [
                nodes.rubric("", package, classes=[self.name]),
                nodes.definition_list("", *items, classes=[self.name]),
            ]
        return made


def _texts(section: Section) -> list[tuple[object, ...]]:
    """Return the passages of a section as the script gets them: it finds the words."""
    return [(one.text, one.messages) for one in section.excerpts]


def _item(row: MessageRow, here: Here) -> nodes.definition_list_item:
    """Return a message with its heuristics and the objects that raise it."""
    definition = nodes.definition()
    for quoting in row.heuristics:
        line = [here.heuristic(quoting.named), *outdated_nodes(quoting.outdated)]
        if quoting.note.inline:
            line += [nodes.Text(": "), *here.note(quoting.note)]
        definition += paragraph(*line)
    names = joined([literal(name)] for name in row.objects)
    definition += paragraph(_("In") + " ", *names, classes=["heuristic-meta"])
    # It stays the same as long as the message does. An id has but letters and digits
    # of ASCII: the checksum is that of the whole.
    text = " ".join(("message", *row.message))
    anchor = nodes.make_id(f"{text} {crc32(text.encode()):08x}")
    term = nodes.term("", "", literal(row.message.text), ids=[anchor])
    return nodes.definition_list_item(
        "", term, nodes.classifier("", row.message.kind), definition
    )
