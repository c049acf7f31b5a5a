"""The boxes: the admonitions of an API entry or a page, and those that ``heuristics-for`` places."""

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


#: Keeps what is said elsewhere out of Sphinx's search.
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
    #: The severity and the link of each of its heuristics.
    heuristics: tuple[tuple[str, Named], ...]


class EntryBoxes(NamedTuple):
    """What an API entry shows."""

    boxes: tuple[Box, ...]
    members: tuple[RolledUp, ...] = ()


def of_entry(
    plan: Plan, docname: str, entry: Entry, verdicts: Iterable[Verdict]
) -> EntryBoxes:
    """Return what an API entry shows."""
    members = (
        RolledUp(
            member.name,
            member.target,
            tuple((record.severity, named(record)) for record in member.heuristics),
        )
        for member in rollup.members(plan, docname, entry)
    )
    boxes = (
        _box(plan, one.record, one.form, docname, one.above)
        for one in verdicts
        if one.is_shown
    )
    return EntryBoxes(boxes=tuple(boxes), members=tuple(members))


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
    parts = (
        [nodes.Text(f"{severity_word(one)}: "), here.heuristic(link)]
        for one, link in member.heuristics
    )
    linked = here.link(name, member.target) if member.target else name
    return [linked, nodes.Text(" ("), *joined(parts), nodes.Text(")")]


def of_records(plan: Plan, records: Iterable[Heuristic]) -> tuple[Box, ...]:
    """Return the boxes of heuristics that one place shows, those past the limit folded."""
    ordered, limit = by_severity(records), plan.settings.max_shown
    return tuple(
        _box(
            plan,
            record,
            Form.FOLDED if is_folded(at, len(ordered), limit) else Form.FULL,
        )
        for at, record in enumerate(ordered)
    )


def _box(
    plan: Plan,
    record: Heuristic,
    form: Form,
    docname: str = "",
    above: Entry | None = None,
) -> Box:
    """Return a box; of the entry *above* that shows in full what this one repeats, it has the last two names."""
    repeats = above if form is Form.REPEATED else None
    return Box(
        named=named(record),
        severity=record.severity,
        classes=record.classes,
        note=None if form in {Form.LINE, Form.REPEATED} else plan.note(record),
        form=form,
        above=(
            ".".join(repeats.names[0].split(".")[-2:]),
            Target(docname, repeats.anchor),
        )
        if repeats
        else None,
    )


def box_nodes(boxes: Iterable[Box], here: Here) -> list[nodes.Node]:
    """Return the nodes of boxes; the folded ones are in one block at the end."""
    made = [(box, _box_node(box, here)) for box in boxes]
    shown: list[nodes.Node] = [
        node for box, node in made if box.form is not Form.FOLDED
    ]
    if folded := [
        (box.named.title, node) for box, node in made if box.form is Form.FOLDED
    ]:
        summary = (
            _("%d more") % len(folded)
            + f": {', '.join(title for title, _box in folded)}"
        )
        title, inner = nodes.title("", summary), [node for _title, node in folded]
        shown.append(
            nodes.admonition(
                "",
                title,
                *inner,
                classes=["heuristic-more", UNSEARCHED],
                collapsible="closed",
            )
        )
    return shown


def _box_node(box: Box, here: Here) -> nodes.Element:
    """Return the one line of an inherited or repeated copy, or the admonition with linked title and note."""
    said = [nodes.Text(f"{severity_word(box.severity)}: "), here.heuristic(box.named)]
    classes = [f"heuristic-{box.severity}"]
    if box.form is Form.LINE:
        return nodes.paragraph(
            "", "", *said, classes=["heuristic-line", *classes, UNSEARCHED]
        )
    if box.above:
        name, target = nodes.literal("", box.above[0]), box.above[1]
        linked = here.link(name, target) if target.anchor else name
        said += [nodes.Text(" (" + _("in full at") + " "), linked, nodes.Text(")")]
        return nodes.container(
            "", paragraph(*said), classes=["heuristic-repeated", *classes, UNSEARCHED]
        )
    classes = ["heuristic", *classes, box.severity, UNSEARCHED, *box.classes]
    note = [paragraph(*here.note(box.note))] if box.note and box.note.inline else []
    return nodes.admonition("", nodes.title("", "", *said), *note, classes=classes)


class ForView(View):
    """The heuristics of some objects, pages or categories, placed by hand."""

    name = "heuristics-for"

    def content(self, plan: Plan, query: Query, docname: str) -> tuple[Box, ...]:
        """Return the boxes of what the targets name."""
        return of_records(plan, plan.selection(query.filters))

    def nodes(self, content: tuple[Box, ...], here: Here) -> list[nodes.Node]:
        """Return the boxes."""
        return box_nodes(content, here)
