"""The view of ``heuristic-messages``: a box, and the messages that heuristics quote."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import get_translation

from sphinxext_heuristics.api import (
    FilteredDirective,
    HeuristicRef,
    Message,
    Note,
    View,
    heuristic_ref,
    meta,
)
from sphinxext_heuristics.ask.texts import AskDomain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.api import Here, PublicPlan, Query

_ = get_translation("sphinxext_heuristics")

#: The place of a box, which a script fills.
_BOX = '<div class="heuristic-paste" hidden="hidden"></div>\n'


class MessagesDirective(FilteredDirective):
    """List the messages that heuristics quote, below a box for a text."""

    def run(self) -> list[nodes.Node]:
        """Return the placeholder, and note that the site has a box."""
        AskDomain.of(self.env).boxes[self.env.docname] = None
        return super().run()


class Quoting(NamedTuple):
    """One heuristic that quotes a message."""

    ref: HeuristicRef
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


class MessagesView(View):
    """The errors and warnings that evidence quotes."""

    name = "heuristic-messages"

    def content(
        self, plan: PublicPlan, query: Query, docname: str
    ) -> tuple[MessageRow, ...]:
        """Return the messages by package, kind and text."""
        quoting: dict[Message, dict[Quoting, None]] = {}
        # Each object that raises it, with its package.
        raised: dict[Message, dict[str, str]] = {}
        for record in plan.meanings.selection(query.filters):
            one = Quoting(
                ref=heuristic_ref(record),
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
        return tuple(sorted(rows, key=attrgetter("package")))

    def nodes(self, content: Iterable[MessageRow], here: Here) -> list[nodes.Node]:
        """Return the place of the box, and the messages."""
        box = nodes.raw("", _BOX, format="html")
        made: list[nodes.Node] = [addnodes.only("", box, expr="html and not epub")]
        if not content:
            made.append(_paragraph(_("No message is quoted.")))
            return made
        said = _("The messages that heuristics quote, by the package that gives them.")
        more = _("A … stands for what the package puts in, such as a name or a number.")
        made.append(_paragraph(f"{said} {more}", classes=[self.name]))
        for package, rows in groupby(content, attrgetter("package")):
            items = [_item(row, here) for row in rows]
            made += [
                nodes.rubric("", package, classes=[self.name]),
                nodes.definition_list("", *items, classes=[self.name]),
            ]
        return made


def _paragraph(
    *parts: nodes.Node | str, classes: Iterable[str] = ()
) -> nodes.paragraph:
    children = (nodes.Text(it) if isinstance(it, str) else it for it in parts)
    return nodes.paragraph("", "", *children, classes=[*classes])


def _item(row: MessageRow, here: Here) -> nodes.definition_list_item:
    """Return a message with its heuristics and the objects that raise it."""
    definition = nodes.definition()
    for quoting in row.heuristics:
        line = _paragraph(here.heuristic(quoting.ref))
        if quoting.outdated:
            line += [nodes.Text(" "), nodes.strong("", f"({quoting.outdated})")]
        if quoting.note.inline:
            line += [nodes.Text(": "), *here.note(quoting.note)]
        definition += line
    raising = _paragraph(_("In") + " ", classes=["heuristic-meta"])
    for at, name in enumerate(row.objects):
        raising += [nodes.Text(", " if at else ""), nodes.literal("", name)]
    definition += raising
    # It stays the same as long as the message does. An id has but letters and digits
    # of ASCII: the checksum is that of the whole.
    text = " ".join(("message", *row.message))
    anchor = nodes.make_id(f"{text} {crc32(text.encode()):08x}")
    term = nodes.term("", "", nodes.literal("", row.message.text), ids=[anchor])
    return nodes.definition_list_item(
        "", term, nodes.classifier("", row.message.kind), definition
    )
