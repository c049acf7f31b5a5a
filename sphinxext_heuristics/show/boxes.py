"""The boxes: the admonitions of an API entry or a page, and those that ``heuristics-for`` places."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes

from sphinxext_heuristics.nodes import heuristic_more
from sphinxext_heuristics.resolve.verdicts import Form, by_severity
from sphinxext_heuristics.show.parts import FilteredView, named, severity_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.model import Heuristic, Note, Query
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.resolve.verdicts import Verdict
    from sphinxext_heuristics.view import Here, Named


class Box(NamedTuple):
    """One heuristic as it is shown in an API entry or on a page."""

    named: Named
    severity: str
    #: The classes that its author added.
    classes: tuple[str, ...]
    #: Its note; ``None`` in the form of one line.
    note: Note | None
    form: Form


def of_entry(plan: Plan, verdicts: Iterable[Verdict]) -> tuple[Box, ...]:
    """Return the boxes of an API entry."""
    return tuple(_box(plan, one.record, one.form) for one in verdicts if one.is_shown)


def of_records(plan: Plan, records: Iterable[Heuristic]) -> tuple[Box, ...]:
    """Return the boxes of heuristics that one place shows, those past the limit folded."""
    limit = plan.settings.max_shown
    return tuple(
        _box(plan, record, Form.FULL if at < limit else Form.FOLDED) for at, record in enumerate(by_severity(records))
    )


def _box(plan: Plan, record: Heuristic, form: Form) -> Box:
    return Box(
        named=named(record),
        severity=record.severity,
        classes=record.classes,
        note=None if form is Form.LINE else plan.note(record),
        form=form,
    )


def box_nodes(boxes: Iterable[Box], here: Here) -> list[nodes.Node]:
    """Return the nodes of boxes; the folded ones are in one block at the end."""
    shown: list[nodes.Node] = []
    folded: list[Box] = []
    for box in boxes:
        if box.form is Form.FOLDED:
            folded.append(box)
        else:
            shown.append(_line(box, here) if box.form is Form.LINE else _admonition(box, here))
    if folded:
        summary = f"{len(folded)} more: {', '.join(box.named.title for box in folded)}"
        shown.append(heuristic_more("", *(_admonition(box, here) for box in folded), summary=summary))
    return shown


def _admonition(box: Box, here: Here) -> nodes.admonition:
    """Return the admonition that shows a heuristic: linked title and note."""
    title = nodes.title("", f"{severity_word(box.severity)}: ")
    title += here.heuristic(box.named)
    made = nodes.admonition("", title, classes=["heuristic", f"heuristic-{box.severity}", box.severity, *box.classes])
    if box.note and box.note.inline:
        made += nodes.paragraph("", "", *here.note(box.note))
    return made


def _line(box: Box, here: Here) -> nodes.paragraph:
    """Return the one line that stands for a heuristic on an inherited copy."""
    classes = ["heuristic-line", f"heuristic-{box.severity}"]
    line = nodes.paragraph("", f"{severity_word(box.severity)}: ", classes=classes)
    line += here.heuristic(box.named)
    return line


class ForView(FilteredView):
    """The heuristics of some objects, pages or categories, placed by hand."""

    name = "heuristics-for"

    def content(self, plan: Plan, query: Query, docname: str) -> tuple[Box, ...]:
        """Return the boxes of what the targets name."""
        return of_records(plan, plan.selection(query.filters))

    def nodes(self, content: tuple[Box, ...], here: Here) -> list[nodes.Node]:
        """Return the boxes."""
        return box_nodes(content, here)
