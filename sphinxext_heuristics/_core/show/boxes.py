"""The boxes of an API entry or a page, and those that ``heuristics-for`` places."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from ..model import SEVERITIES, Address, Entry, Heuristic, Note, Query
from ..resolve.catalogue import by_weight
from ..resolve.forms import unfolded
from ..resolve.listing import Link
from ..resolve.records import Form, Verdict
from ..view import Here, HeuristicRef, View
from ..words import _
from .parts import (
    Part,
    collapsed,
    heuristic_ref,
    joined,
    link_nodes,
    literal,
    meta,
    outdated_nodes,
    paragraph,
    severity_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..resolve.plan import Plan
    from ..resolve.records import Place


#: Keeps what another page contains out of Sphinx's search.
UNSEARCHED = "no-search"

#: Of more copies an entry gives only the number.
_MAX_NAMED = 3


class Box(NamedTuple):
    """One heuristic as it is shown in an API entry or on a page."""

    ref: HeuristicRef
    severity: str
    #: The classes that its author added.
    classes: tuple[str, ...]
    #: Its note; ``None`` where only its title is shown.
    note: Note | None
    form: Form
    #: The entry that shows it in full, if this one gives only its title for that.
    full_at: Link | None = None
    #: Its bounds, and that it does not hold, where it is placed by hand all the same.
    outdated: str = ""


class RolledUp(NamedTuple):
    """An inherited member in the line of a class that rolls it up."""

    name: str
    address: Address | None
    #: Its heuristics, each in the form of one line.
    boxes: list[Box]


class EntryBoxes(NamedTuple):
    """What an API entry shows."""

    #: Each parameter, or ``""`` for the entry itself, with what is shown there.
    by_parameter: dict[str, list[Box]]
    members: list[RolledUp]


def of_entry(
    plan: Plan, docname: str, entry: Entry, verdicts: Iterable[Verdict]
) -> EntryBoxes:
    """Return what an API entry shows."""
    members = []
    for member in plan.placing.members(docname, entry):
        lines = [_box(plan.note, record, Form.LINE) for record in member.heuristics]
        members.append(RolledUp(member.name, member.address, lines))
    by_parameter: dict[str, list[Box]] = {"": []} if members else {}
    for verdict in verdicts:
        if verdict.is_shown and verdict.form is not Form.DEFINED:
            full_at = None
            if entry_in_full := verdict.full_at:
                parts = entry_in_full.names[0].split(".")
                anchor = entry_in_full.anchor
                address = Address(docname, anchor) if anchor else None
                full_at = Link("impl", ".".join(parts[-2:]), address)
            box = _box(plan.note, verdict.record, verdict.form, full_at)
            # The copies of an entry are in one block.
            parameter = "" if full_at else verdict.parameter
            by_parameter.setdefault(parameter, []).append(box)
    return EntryBoxes(by_parameter=by_parameter, members=members)


def of_records(
    plan: Plan, records: Iterable[Heuristic], place: Place | None = None
) -> tuple[Box, ...]:
    """Return the boxes that one place shows, those past the limit folded.

    What the own text of a page or section links to is where it belongs; only a danger
    is named. ``None`` is for what is placed by hand.
    """
    ordered = by_weight(records)
    is_linked = plan.catalogue.is_linked
    linked = [record for record in ordered if place and is_linked(record, place)]
    boxed = [record for record in ordered if record not in linked]
    is_open = unfolded(boxed, plan.catalogue.settings.max_shown)
    boxes = []
    for record in boxed:
        form = Form.FULL if record.name in is_open else Form.FOLDED
        outdated = meta(plan.catalogue, record).remark
        box = _box(plan.note, record, form)
        boxes.append(box._replace(outdated=outdated))
    dangers = (record for record in linked if record.severity == SEVERITIES[-1])
    boxes += [_box(plan.note, record, Form.TITLE) for record in dangers]
    return tuple(boxes)


def _box(
    note: Callable[[Heuristic], Note],
    record: Heuristic,
    form: Form,
    full_at: Link | None = None,
) -> Box:
    has_note = form in {Form.FULL, Form.FOLDED}
    return Box(
        ref=heuristic_ref(record),
        severity=record.severity,
        classes=record.classes,
        note=note(record) if has_note else None,
        form=form,
        full_at=full_at,
    )


def member_nodes(members: Iterable[RolledUp], here: Here) -> list[nodes.Node]:
    """Return the line that names inherited members; nothing for none."""
    parts: list[list[Part]] = []
    for member in members:
        linked = here.link(literal(member.name), member.address)
        titles = joined(_title(box, here) for box in member.boxes)
        parts.append([linked, " (", *titles, ")"])
    start = _("Inherited") + ": "
    classes = ["heuristic-rollup", UNSEARCHED]
    line = paragraph(start, *joined(parts, "; "), classes=classes)
    return [line] if parts else []


def _title(box: Box, here: Here) -> list[nodes.Node]:
    word = nodes.Text(f"{severity_word(box.severity)}: ")
    return [word, here.heuristic(box.ref)]


def box_nodes(boxes: Iterable[Box], here: Here) -> list[nodes.Node]:
    """Return the nodes of boxes; the folded ones and the titles are a block each."""
    shown: list[nodes.Node] = []
    folded: list[nodes.Node] = []
    titles: list[str] = []
    titled: list[Box] = []
    for box in boxes:
        if box.form is Form.TITLE:
            titled.append(box)
        elif box.form is Form.FOLDED:
            folded.append(_box_node(box, here))
            titles.append(box.ref.title)
        else:
            shown.append(_box_node(box, here))
    if folded:
        summary = _("%d more") % len(folded) + f": {', '.join(titles)}"
        classes = ["heuristic-more", UNSEARCHED]
        shown.append(collapsed(summary, *folded, classes=classes))
    if titled:
        shown.append(_titles(titled, here))
    return shown


def _titles(boxes: list[Box], here: Here) -> nodes.Element:
    """Return the block of titles, and where the heuristics are in full."""
    places = dict.fromkeys(box.full_at for box in boxes if box.full_at)
    line: list[Part] = [_("%d heuristics") % len(boxes), *_dangers(boxes)]
    if not places or len(boxes) <= _MAX_NAMED:
        # A title may have commas.
        titles = (
            nodes.inline(
                "", "", *_title(box, here), classes=[f"heuristic-{box.severity}"]
            )
            for box in boxes
        )
        line = [*joined(([title] for title in titles), " · ")]
    if places:
        named = joined(link_nodes(link, here) for link in places)
        line += [" (" + _("see") + " ", *named, ")"]
    classes = ["heuristic-repeated", UNSEARCHED]
    return nodes.container("", paragraph(*line), classes=classes)


def _dangers(boxes: list[Box]) -> list[Part]:
    """Return how many of heuristics that are only counted are dangers."""
    number = sum(box.severity == SEVERITIES[-1] for box in boxes)
    if not number:
        return []
    told = str(_("one danger")) if number == 1 else _("%d dangers") % number
    return [", ", nodes.inline("", told, classes=[f"heuristic-{SEVERITIES[-1]}"])]


def _box_node(box: Box, here: Here) -> nodes.Element:
    """Return a line, or else an admonition with linked title and note."""
    title = _title(box, here)
    severity = f"heuristic-{box.severity}"
    if box.form is Form.LINE:
        classes = ["heuristic-line", severity, UNSEARCHED]
        return paragraph(*title, classes=classes)
    classes = ["heuristic", severity, box.severity, UNSEARCHED, *box.classes]
    admonition = nodes.admonition("", nodes.title("", "", *title), classes=classes)
    note = here.note(box.note) if box.note and box.note.inline else []
    if note or box.outdated:
        admonition += paragraph(*note, *outdated_nodes(box.outdated))
    return admonition


class ForView(View):
    """The heuristics of some objects, pages or categories, placed by hand."""

    name = "heuristics-for"

    def content(self, plan: Plan, query: Query, docname: str) -> tuple[Box, ...]:
        """Return the boxes of what the targets name."""
        return of_records(plan, plan.meanings.selection(query.filters))

    def nodes(self, content: tuple[Box, ...], here: Here) -> list[nodes.Node]:
        """Return the boxes."""
        return box_nodes(content, here)
