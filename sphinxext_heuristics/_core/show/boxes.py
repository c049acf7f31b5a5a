"""The boxes of an API entry or a page, and those that ``heuristics-for`` places."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics._core.model import Target
from sphinxext_heuristics._core.resolve import rollup
from sphinxext_heuristics._core.resolve.verdicts import Form, by_severity, is_folded
from sphinxext_heuristics._core.show.parts import (
    joined,
    named,
    paragraph,
    severity_word,
)
from sphinxext_heuristics._core.view import View
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics._core.model import Entry, Heuristic, Note, Query
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.resolve.verdicts import Verdict
    from sphinxext_heuristics._core.view import Here, Named


#: Keeps what another page contains out of Sphinx's search.
UNSEARCHED = "no-search"


class Box(NamedTuple):
    """One heuristic as it is shown in an API entry or on a page."""

    named: Named
    severity: str
    #: The classes that its author added.
    classes: tuple[str, ...]
    #: Its note; ``None`` in the form of one line.
    note: Note | None
    form: Form
    #: The name and place of the entry that shows it in full, if this one only repeats
    #: it.
    above: tuple[str, Target] | None = None


class RolledUp(NamedTuple):
    """An inherited member in the line of a class that rolls it up."""

    name: str
    target: Target | None
    #: Its heuristics, each in the form of one line.
    boxes: tuple[Box, ...]


class EntryBoxes(NamedTuple):
    """What an API entry shows."""

    boxes: tuple[Box, ...]
    members: tuple[RolledUp, ...] = ()


def of_entry(
    plan: Plan, docname: str, entry: Entry, verdicts: Iterable[Verdict]
) -> EntryBoxes:
    """Return what an API entry shows."""
    boxes = [
        _box(plan, verdict.record, verdict.form, _name_and_place(verdict, docname))
        for verdict in verdicts
        if verdict.is_shown
    ]
    members = []
    for member in rollup.members(plan, docname, entry):
        lines = [_box(plan, record, Form.LINE) for record in member.heuristics]
        members.append(RolledUp(member.name, member.target, tuple(lines)))
    return EntryBoxes(boxes=tuple(boxes), members=tuple(members))


def _name_and_place(verdict: Verdict, docname: str) -> tuple[str, Target] | None:
    """Return the last two parts of the name, and the place, of the entry in full."""
    if not verdict.above:
        return None
    parts = verdict.above.names[0].split(".")
    return ".".join(parts[-2:]), Target(docname, verdict.above.anchor)


def of_records(plan: Plan, records: Iterable[Heuristic]) -> tuple[Box, ...]:
    """Return the boxes that one place shows, those past the limit folded."""
    ordered = by_severity(records)
    boxes = []
    for position, record in enumerate(ordered):
        folded = is_folded(position, len(ordered), plan.settings.max_shown)
        boxes.append(_box(plan, record, Form.FOLDED if folded else Form.FULL))
    return tuple(boxes)


def _box(
    plan: Plan, record: Heuristic, form: Form, above: tuple[str, Target] | None = None
) -> Box:
    has_note = form in {Form.FULL, Form.FOLDED}
    return Box(
        named=named(record),
        severity=record.severity,
        classes=record.classes,
        note=plan.note(record) if has_note else None,
        form=form,
        above=above,
    )


def entry_nodes(shown: EntryBoxes, here: Here) -> list[nodes.Node]:
    """Return the nodes of what an API entry shows."""
    made = box_nodes(shown.boxes, here)
    if shown.members:
        line = nodes.paragraph(
            "", _("Inherited") + ": ", classes=["heuristic-rollup", UNSEARCHED]
        )
        line += joined((_member(member, here) for member in shown.members), "; ")
        made.append(line)
    return made


def _member(member: RolledUp, here: Here) -> list[nodes.Node]:
    name = nodes.literal("", member.name)
    linked = here.link(name, member.target) if member.target else name
    titles = joined(_title(box, here) for box in member.boxes)
    return [linked, nodes.Text(" ("), *titles, nodes.Text(")")]


def _title(box: Box, here: Here) -> list[nodes.Node]:
    word = nodes.Text(f"{severity_word(box.severity)}: ")
    return [word, here.heuristic(box.named)]


def box_nodes(boxes: Iterable[Box], here: Here) -> list[nodes.Node]:
    """Return the nodes of boxes; the folded ones are in one block at the end."""
    shown: list[nodes.Node] = []
    folded: list[nodes.Node] = []
    titles: list[str] = []
    for box in boxes:
        if box.form is Form.FOLDED:
            folded.append(_box_node(box, here))
            titles.append(box.named.title)
        else:
            shown.append(_box_node(box, here))
    if folded:
        summary = _("%d more") % len(folded) + f": {', '.join(titles)}"
        more = nodes.admonition(
            "",
            nodes.title("", summary),
            *folded,
            classes=["heuristic-more", UNSEARCHED],
            collapsible="closed",
        )
        shown.append(more)
    return shown


def _box_node(box: Box, here: Here) -> nodes.Element:
    """Return one line for a copy, else an admonition with linked title and note."""
    title = _title(box, here)
    severity = f"heuristic-{box.severity}"
    if box.form is Form.LINE:
        classes = ["heuristic-line", severity, UNSEARCHED]
        return nodes.paragraph("", "", *title, classes=classes)
    if box.above:
        name, target = nodes.literal("", box.above[0]), box.above[1]
        linked = here.link(name, target) if target.anchor else name
        in_full = [nodes.Text(" (" + _("in full at") + " "), linked, nodes.Text(")")]
        classes = ["heuristic-repeated", severity, UNSEARCHED]
        return nodes.container("", paragraph(*title, *in_full), classes=classes)
    classes = ["heuristic", severity, box.severity, UNSEARCHED, *box.classes]
    admonition = nodes.admonition("", nodes.title("", "", *title), classes=classes)
    if box.note and box.note.inline:
        admonition += paragraph(*here.note(box.note))
    return admonition


class ForView(View):
    """The heuristics of some objects, pages or categories, placed by hand."""

    name = "heuristics-for"

    def content(self, plan: Plan, query: Query, docname: str) -> tuple[Box, ...]:
        """Return the boxes of what the targets name."""
        return of_records(plan, plan.selection(query.filters))

    def nodes(self, content: tuple[Box, ...], here: Here) -> list[nodes.Node]:
        """Return the boxes."""
        return box_nodes(content, here)
