"""``explain`` of a pasted text: the heuristics whose messages it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.cli.terminal import seen
from sphinxext_heuristics.evidence.messages import fit, plain
from sphinxext_heuristics.model import Found
from sphinxext_heuristics.notes.inline import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.model import Evidence, Message
    from sphinxext_heuristics.resolve.plan import Plan

#: How many close messages are named where none fits.
_MAX_CLOSE = 3

#: The share of common long words that makes a message close.
_CLOSE_SHARE = 0.4

#: Longer names are not looked up.
_LONGEST_NAME = 200


def is_text(asked: str) -> bool:
    """Return whether what is asked for looks like a text and not like a name."""
    return len(asked.split()) > 1


def may_be_name(asked: str) -> bool:
    """Return whether what is asked for can be a name: that of a page or a label may have spaces."""
    return "\n" not in asked and ": " not in asked and len(asked) <= _LONGEST_NAME


def explained(plan: Plan, text: str) -> Iterator[str]:
    """Yield the heuristics whose messages fit a text, line by line, the longest message first."""
    pasted = plain(text)
    found: dict[str, list[tuple[int, Message, Evidence]]] = {}
    for record in plan.heuristics.values():
        for message, quoted in plan.said(record):
            if size := fit(message, pasted):
                found.setdefault(record.name, []).append((size, message, quoted))
    ordered = sorted(found.items(), key=lambda item: -max(size for size, _message, _quoted in item[1]))
    for number, (name, said) in enumerate(ordered):
        record = plan.heuristics[name]
        yield from ("",) * bool(number)
        yield f"{record.name} ({record.severity}): {text_of(record.note)}"
        yield f"  on page {record.docname}#{record.anchor}, defined in {seen(record.source)}:{record.line}"
        for _size, message, quoted in sorted(said, key=lambda one: -one[0]):
            yield f"  {message.kind}: {message.text}"
            yield f"    {_origin(plan, quoted)}"


def _origin(plan: Plan, quoted: Evidence) -> str:
    """Return where a message is from: object, package, version and line."""
    found = plan.lookups.verify(quoted)
    where = f"line {found.line}" if isinstance(found, Found) else "not found there"
    return f"{quoted.object}, {plan.package_of(quoted)} {plan.version_of(quoted)}".strip() + f", {where}"


def unknown(plan: Plan, text: str) -> str:
    """Return what is said where no message fits: those that are closest."""
    close: dict[Message, tuple[float, str]] = {}
    for record in plan.heuristics.values():
        for message, _quoted in plan.said(record):
            if (share := _common_share(message.text, text)) >= _CLOSE_SHARE:
                close.setdefault(message, (-share, record.name))
    ordered = sorted(close, key=lambda message: close[message][0])[:_MAX_CLOSE]
    lines = [f"  {message.kind}: {message.text} ({close[message][1]})" for message in ordered]
    what = "fits this text, and no name is like it"
    return "\n".join([f"no message that a heuristic quotes {what}{'; the closest are:' if lines else ''}", *lines])


def _common_share(one: str, other: str) -> float:
    """Return the share of the long words of the shorter text that are in both; 0 if it is but one word."""
    words, others = ({*re.findall(r"\w{4,}", text.lower())} for text in (one, other))
    common = len(words & others)
    return common / min(len(words), len(others)) if common > 1 else 0
