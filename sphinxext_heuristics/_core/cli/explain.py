"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.cli.project import (
    CommandError,
    add_options,
    closest_written,
    opened,
    read,
    read_evidence,
)
from sphinxext_heuristics._core.cli.writing import say, seen
from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.evidence.messages import fit, plain
from sphinxext_heuristics._core.model import Found
from sphinxext_heuristics._core.notes.inline import text_of
from sphinxext_heuristics._core.resolve import listing as index
from sphinxext_heuristics._core.resolve.connections import why_missing
from sphinxext_heuristics._core.resolve.verdicts import Form

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from sphinxext_heuristics._core.model import Entry, Evidence, Heuristic, Message
    from sphinxext_heuristics._core.resolve.connections import Resolved
    from sphinxext_heuristics._core.resolve.objects import Rule
    from sphinxext_heuristics._core.resolve.pages import Place
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.resolve.verdicts import Verdict


#: How many close messages are named where none fits.
_MAX_CLOSE = 3

#: The share of common long words that makes a message close.
_CLOSE_SHARE = 0.4

#: Longer names are not looked up.
_LONGEST_NAME = 200


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "explain",
        help="say why a heuristic is shown where it is, what an object shows, or "
        "which heuristic knows of an error",
        description=(
            "For a heuristic: where it is shown, where not, and by which rule. "
            "For an object or a page: which heuristics it shows, and why. "
            "For the text of an error or a warning: the heuristics that know of it."
        ),
        epilog="Exit code: 0 fine, 1 the name is unknown or no message fits the text, "
        "2 misuse or failure.",
    )
    add_options(command, run)
    command.add_argument(
        "name",
        metavar="NAME_OR_OBJECT",
        help="a heuristic, a Python object, a page, a label, or a pasted text, such "
        "as a traceback; '-' is stdin",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code."""
    text = (_stdin() if arguments.name == "-" else arguments.name).strip()
    lines, failure = _answer(arguments, text)
    for line in lines or [failure]:
        say(line)
    return 0 if lines else 1


def _stdin() -> str:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    text = sys.stdin.read()
    if not text.strip():
        raise CommandError("there is nothing on stdin to explain")
    return text


def _answer(arguments: argparse.Namespace, text: str) -> tuple[list[str], str]:
    """Return the explanation of a text, or the message that there is none."""
    # The name of a page or a label may have spaces, too.
    is_text = len(text.split()) > 1
    is_one_line = "\n" not in text and ": " not in text
    may_be_name = is_one_line and len(text) <= _LONGEST_NAME
    if not arguments.doctreedir and not (may_be_name and is_text):
        # What cannot be a name needs no API reference, for which the package is
        # imported; nor does what nobody writes.
        with opened(arguments) as app:
            plan = read_evidence(app)
            close: tuple[str, ...] | None = None
            if may_be_name:
                close = closest_written(app, plan.settings.package, text)
            if is_text or close is not None:
                if lines := list(explain_text(plan, text)):
                    return lines, ""
                if close is not None:
                    return [], _unknown(text, close)
    with opened(arguments) as app:
        plan = read(app)
        lines = list(explain(plan, text)) if may_be_name else []
        lines = lines or list(explain_text(plan, text))
        if is_text:
            return lines, _unfitting(plan, text)
        close = (
            *closest(text, plan.heuristics),
            *plan.lookups.objects.closest(text),
            *plan.lookups.pages.closest(text),
        )
        return lines, _unknown(text, close)


def explain(plan: Plan, name: str) -> Iterator[str]:
    """Yield the explanation of a name, line by line; nothing if the name is unknown."""
    record = plan.catalogue.find(plan.settings.strip(name))
    if record is not None:
        yield from _heuristic(plan, record)
        return
    name = name.lstrip("~")
    match = plan.lookups.objects.find(name)
    names = match.names
    if match.objects:
        names = plan.lookups.objects.find(f"*.{name}").names
    if name in plan.entry_of:
        # As a target it would reach the inherited copies, too.
        names = (name,)
    if names:
        yield from _separated(_object(plan, documented) for documented in names)
        return
    place = plan.lookups.pages.find(name).place
    if place is not None:
        yield from _page(plan, place)
    else:
        yield from _elsewhere(plan, name)


def _separated(blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of all blocks, with an empty line between two."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


def _unknown(name: str, close: Iterable[str]) -> str:
    hint = did_you_mean([*dict.fromkeys(close)][:4])
    return f"no heuristic, documented object, page or label is called {name!r}{hint}"


# -- a heuristic ----------------------------------------------------------------------


def _heuristic(plan: Plan, record: Heuristic) -> Iterator[str]:
    yield f"{_named(record)}: {text_of(record.note)}"
    if record.former_names:
        yield f"  formerly {', '.join(record.former_names)}"
    yield f"  defined in {seen(record.source)}:{record.line}"
    if reason := plan.withheld(record):
        yield f"  shown nowhere automatically: {reason}"
    for resolved in plan.connections(record):
        yield f"  {_connection(plan, resolved)}"
        for name, rule in resolved.reached.items():
            for docname, entry in _entries(plan, name):
                for verdict in plan.verdicts_of(docname, entry):
                    if verdict.record.name == record.name:
                        why = _rule(plan, name, resolved.connection.pattern, rule)
                        why = verdict.reason or why + _how(verdict)
                        mark = _MARKS[verdict.is_shown]
                        yield f"    {mark}{name} ({docname}): {why}"
        if resolved.place:
            reason = plan.withheld_at(record, resolved.place)
            why = f": {reason}" if reason else ""
            yield f"    {_MARKS[not reason]}{resolved.place}{why}"
    yield from _others(plan, record)


def _connection(plan: Plan, resolved: Resolved) -> str:
    connection = resolved.connection
    start = f"{connection.type} {connection.pattern}"
    if resolved.several:
        return (
            f"{start}: fits several, and so reaches none: {', '.join(resolved.several)}"
        )
    if resolved.target is None:
        planned = "does not exist, as planned"
        reason = planned if resolved.planned else why_missing(plan, connection)
        return f"{start}: {index.MISSING} {reason}"
    if resolved.target.uri:
        return f"{start}: {index.EXISTS} in another project, {resolved.target.uri}"
    return f"{start}:"


def _others(plan: Plan, record: Heuristic) -> Iterator[str]:
    """Yield the objects that have the name of a target and are others."""
    objects = plan.lookups.objects
    others: dict[str, list[str]] = {}
    for name in plan.namesakes(record):
        others.setdefault(objects.identity(name), []).append(name)
    same = {objects.identity(name) for name in plan.reached(record)}
    for identity, names in others.items():
        why = (
            "of another class than the one named"
            if identity in same
            else f"the object is another, {identity}"
        )
        yield f"  not reached: {', '.join(names)}: the name is the same, {why}"


# -- what the verdicts say ------------------------------------------------------------


#: How a line begins: with what is not shown, it says so.
_MARKS = {True: "shown: ", False: "not shown: "}


def _how(verdict: Verdict) -> str:
    """Return how an entry shows a heuristic, where it is not simply in full."""
    if verdict.full_at:
        return f"; named here, in full at {verdict.full_at.names[0]}"
    how = {Form.FOLDED: "; folded", Form.LINE: "; in one line", Form.NAMED: "; named"}
    at = f"; at the parameter {verdict.parameter}" if verdict.parameter else ""
    return at + how.get(verdict.form, "")


def _rule(plan: Plan, name: str, target: str, rule: Rule) -> str:
    """Return why a target reaches a documented name, in words."""
    owner = plan.lookups.objects.identity(name).rpartition(".")[0]
    return rule.value.format(
        ending=target.removeprefix("*."), target=target.partition("+")[0], owner=owner
    )


# -- an object or a page --------------------------------------------------------------


def _entries(plan: Plan, name: str) -> list[tuple[str, Entry]]:
    """Return the documents and entries of a documented name."""
    return [
        (docname, entry)
        for docname, entry in plan.catalogue.entries
        if name in entry.names
    ]


def _object(plan: Plan, name: str) -> Iterator[str]:
    entries = _entries(plan, name)
    yield f"{name} ({', '.join(dict.fromkeys(docname for docname, _entry in entries))})"
    for docname, entry in entries:
        # In the order of the page.
        for verdict in plan.verdicts_of(docname, entry):
            rule = (
                f"impl {verdict.target}: "
                f"{_rule(plan, name, verdict.target, verdict.rule)}"
            )
            start = f"{_MARKS[verdict.is_shown]}{_named(verdict.record)}"
            shown = rule + _how(verdict)
            yield f"  {start}: {verdict.reason or shown}"
    if not plan.reach.get(name):
        yield "  no heuristic reaches it"


def _elsewhere(plan: Plan, name: str) -> Iterator[str]:
    """Yield the explanation of an object or a page of another project, if it is one."""
    uri = plan.lookups.external("impl", name)
    lines: list[str] = []
    for record in plan.heuristics.values():
        for resolved in plan.connections(record):
            target = resolved.target
            if target and target.uri and resolved.connection.target == name:
                uri = uri or target.uri
                type_ = resolved.connection.type
                lines.append(f"  connected: {_named(record)}: {type_} {name}")
    if uri:
        yield f"{name} (in another project, {uri})"
        yield from lines or ["  no heuristic is connected to it"]


def _page(plan: Plan, place: Place) -> Iterator[str]:
    yield str(place)
    found = False
    for record in plan.heuristics.values():
        # Connections that lead to one place are one.
        for resolved in [r for r in plan.connections(record) if r.place == place][:1]:
            found = True
            reason = plan.withheld_at(record, place)
            rule = f"{resolved.connection.type} {resolved.connection.target}"
            if place.docname in plan.mentioned_in.get(record.name, ()):
                rule += "; named, since the page links to it"
            yield f"  {_MARKS[not reason]}{_named(record)}: {reason or rule}"
    if not found:
        yield "  no heuristic is connected to it"


def _named(record: Heuristic) -> str:
    return f"{record.name} ({record.severity})"


# -- a pasted text --------------------------------------------------------------------


def explain_text(plan: Plan, text: str) -> Iterator[str]:
    """Yield the heuristics whose messages fit a text, the longest message first."""
    pasted = plain(text)
    found: list[tuple[int, Heuristic, list[tuple[int, Message, Evidence]]]] = []
    for record in plan.heuristics.values():
        fitting = []
        for message, quoted in plan.messages(record):
            if size := fit(message, pasted):
                fitting.append((size, message, quoted))
        if fitting:
            fitting.sort(key=lambda one: -one[0])
            found.append((fitting[0][0], record, fitting))
    found.sort(key=lambda one: -one[0])
    yield from _separated(
        _fitting(plan, record, fitting) for _size, record, fitting in found
    )


def _fitting(
    plan: Plan, record: Heuristic, fitting: Iterable[tuple[int, Message, Evidence]]
) -> Iterator[str]:
    """Yield a heuristic with those of its messages that fit a text."""
    yield f"{_named(record)}: {text_of(record.note)}"
    where = f"{seen(record.source)}:{record.line}"
    yield f"  on page {record.docname}#{record.anchor}, defined in {where}"
    for _size, message, quoted in fitting:
        yield f"  {message.kind}: {message.text}"
        at = plan.lookups.verify(quoted)
        where = f"line {at.line}" if isinstance(at, Found) else "not found there"
        package = f"{plan.package_of(quoted)} {plan.version_of(quoted)}".strip()
        yield f"    {quoted.object}, {package}, {where}"


def _unfitting(plan: Plan, text: str) -> str:
    """Return the message that no message fits, with those that are closest."""
    close: dict[Message, tuple[float, str]] = {}
    for record in plan.heuristics.values():
        for message, _quoted in plan.messages(record):
            share = _common_share(message.text, text)
            if share >= _CLOSE_SHARE:
                close.setdefault(message, (-share, record.name))
    ordered = sorted(close, key=lambda message: close[message][0])[:_MAX_CLOSE]
    lines = [
        "no message that a heuristic quotes fits this text, and no name is like it"
    ]
    if ordered:
        lines[0] += "; the closest are:"
    lines += [f"  {one.kind}: {one.text} ({close[one][1]})" for one in ordered]
    return "\n".join(lines)


def _common_share(one: str, other: str) -> float:
    """Return the share of the shorter text's long words that both have; 0 for one."""
    words, others = ({*re.findall(r"\w{4,}", text.lower())} for text in (one, other))
    common = len(words & others)
    return common / min(len(words), len(others)) if common > 1 else 0
