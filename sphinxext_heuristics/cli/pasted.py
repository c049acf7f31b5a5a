"""``explain`` of a pasted text: the heuristics whose messages it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.evidence import Found
from sphinxext_heuristics.fitting import Pasted, closeness, fit
from sphinxext_heuristics.notes.inline import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.fitting import Fit
    from sphinxext_heuristics.messages import Message
    from sphinxext_heuristics.model import Evidence, Heuristic
    from sphinxext_heuristics.resolve.plan import Plan

#: How many close messages are named where none fits.
_MAX_CLOSE = 3

#: Longer names are not looked up.
_LONGEST_NAME = 200


def is_text(asked: str) -> bool:
    """Return whether what is asked for looks like a text and not like a name."""
    return len(asked.split()) > 1


def may_be_name(asked: str) -> bool:
    """Return whether what is asked for can be a name: that of a page or a label may have spaces."""
    return "\n" not in asked and ": " not in asked and len(asked) <= _LONGEST_NAME


def explained(plan: Plan, text: str) -> Iterator[str]:
    """Yield the heuristics whose messages fit a text, line by line, the best fit first; nothing if none does."""
    for number, (record, said) in enumerate(_fitting(plan, Pasted(text))):
        yield from ("",) * bool(number)
        yield f"{record.name} ({record.severity}): {text_of(record.note)}"
        yield f"  on page {record.docname}#{record.anchor}, defined in {record.source}:{record.line}"
        for message, quoted in said:
            yield f"  {message.kind}: {message.text}"
            yield f"    {_origin(plan, quoted)}"


def _fitting(plan: Plan, pasted: Pasted) -> list[tuple[Heuristic, list[tuple[Message, Evidence]]]]:
    """Return the heuristics with the messages that fit; parts count only where no message is there as a whole."""
    fits = [
        (found, record, said)
        for record in plan.heuristics.values()
        for said in plan.said(record)
        if (found := fit(said[0], pasted))
    ]
    by_heuristic: dict[str, tuple[Heuristic, list[tuple[Message, Evidence]]]] = {}
    is_whole = any(found.whole for found, _record, _said in fits)
    for found, record, said in sorted(fits, key=_how_well, reverse=True):
        if found.whole or not is_whole:
            by_heuristic.setdefault(record.name, (record, []))[1].append(said)
    return list(by_heuristic.values())


def _how_well(one: tuple[Fit, Heuristic, tuple[Message, Evidence]]) -> Fit:
    return one[0]


def _origin(plan: Plan, quoted: Evidence) -> str:
    """Return where a message is from: object, package, version and line."""
    found = plan.known.verify(quoted)
    where = f"line {found.line}" if isinstance(found, Found) else "not found there"
    return f"{quoted.object}, {plan.package_of(quoted)} {plan.version_of(quoted)}".strip() + f", {where}"


def unknown(plan: Plan, text: str) -> str:
    """Return what is said where no message fits: those that are closest."""
    pasted = Pasted(text)
    said: dict[Message, Heuristic] = {}
    for record in plan.heuristics.values():
        for message, _quoted in plan.said(record):
            said.setdefault(message, record)
    close = sorted(said, key=lambda message: closeness(message, pasted), reverse=True)[:_MAX_CLOSE]
    lines = [f"  {it.kind}: {it.text} ({said[it].name})" for it in close if closeness(it, pasted)]
    what = "fits this text, and no name is like it"
    return "\n".join([f"no message that a heuristic quotes {what}{'; the closest are:' if lines else ''}", *lines])
