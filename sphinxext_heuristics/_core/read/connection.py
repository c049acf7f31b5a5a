"""A connection as authors write it: ``~target``, ``?target``, ``text <target>``."""

from __future__ import annotations

import re

from ..model import PAGE_TYPES, Connection

_WITH_SUBCLASSES = re.compile(r"([^+]+)\+((?:\.\w+)?)")
_LABELED = re.compile(r"(.+)<([^<>]*)>", re.DOTALL)
#: What no target has. Only pages have spaces and slashes in their names.
_UNFIT = re.compile(r"^['\"]|[`\[\]{}]|\?$")
_UNFIT_OBJECT = re.compile(rf"{_UNFIT.pattern}|[\s/]")


def connection(type_: str, text: str) -> Connection:
    """Return the connection that an option's text writes; ValueError if none."""
    parsed = parse_connection(type_, text)
    unfit = _UNFIT if type_ in PAGE_TYPES else _UNFIT_OBJECT
    if parsed is None or unfit.search(parsed.target):
        raise ValueError(
            f"{type_} {text!r} is not one target: write a plain name, '?name' if it is "
            "planned, or 'text <name>', and commas between several"
        )
    return parsed


def parse_connection(type_: str, text: str) -> Connection | None:
    """Return the connection that *text* writes, or ``None`` if it names no target."""
    label, name = "", text.lstrip("? ")
    if labeled := _LABELED.fullmatch(name):
        label, name = labeled.groups()
    planned = "?" in {text[:1], name.strip()[:1]}
    name = name.lstrip("? ")
    target = name.lstrip("~ ").strip()
    with_subclasses = _WITH_SUBCLASSES.fullmatch(target) if type_ == "impl" else None
    subclasses_of = ""
    if with_subclasses:
        subclasses_of, member = with_subclasses.groups()
        target = subclasses_of + member
    if not target:
        return None
    return Connection(
        type=type_,
        target=target,
        text=" ".join(label.split()) or None,
        short=name.startswith("~"),
        planned=planned,
        subclasses_of=subclasses_of,
    )
