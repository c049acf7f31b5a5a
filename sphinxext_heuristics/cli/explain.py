"""``explain``: why a heuristic is shown where it is, and what an object or page shows."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from sphinxext_heuristics import index
from sphinxext_heuristics.cli import pasted
from sphinxext_heuristics.cli.project import CommandError, add_options, opened, read, read_evidence
from sphinxext_heuristics.cli.terminal import note, say
from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.inline import text_of
from sphinxext_heuristics.matching import excludes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from sphinxext_heuristics.model import Connection, Entry, Heuristic
    from sphinxext_heuristics.pages import Place
    from sphinxext_heuristics.plan import Plan, Resolved


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "explain",
        help="say why a heuristic is shown where it is, what an object shows, or which heuristic knows of an error",
        description=(
            "For a heuristic: where it is shown, where not, and by which rule. "
            "For an object or a page: which heuristics it shows, and why. "
            "For the text of an error or a warning: the heuristics that know of it."
        ),
        epilog="Exit code: 0 fine, 1 the name is unknown or no message fits the text, 2 misuse or failure.",
    )
    add_options(command)
    command.add_argument(
        "name",
        metavar="NAME_OR_OBJECT",
        help="a heuristic, a Python object, a page, a label, or a pasted text, such as a traceback; '-' is stdin",
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code."""
    asked = (_stdin() if arguments.name == "-" else arguments.name).strip()
    lines, rest = _answer(arguments, asked)
    for line in lines:
        say(line)
    if not lines:
        note(rest)
    return 0 if lines else 1


def _stdin() -> str:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    text = sys.stdin.read()
    if not text.strip():
        raise CommandError("there is nothing on stdin to explain")
    return text


def _answer(arguments: argparse.Namespace, asked: str) -> tuple[list[str], str]:
    """Return the explanation, and what is said if there is none."""
    may_be_name = pasted.may_be_name(asked)
    if not (may_be_name or arguments.doctreedir):
        # What cannot be a name needs no API reference, for which the package is imported.
        with opened(arguments) as app:
            if lines := list(pasted.explained(read_evidence(app), asked)):
                return lines, ""
    with opened(arguments) as app:
        plan = read(app)
        lines = list(explain(plan, asked)) if may_be_name else []
        lines = lines or list(pasted.explained(plan, asked))
        return lines, pasted.unknown(plan, asked) if pasted.is_text(asked) else _unknown(plan, asked)


def explain(plan: Plan, name: str) -> Iterator[str]:
    """Yield the explanation of a name, line by line; nothing if the name is unknown."""
    record = plan.heuristics.get(plan.settings.strip(name))
    if record is not None:
        yield from _heuristic(plan, record)
        return
    name = name.lstrip("~")
    match = plan.known.objects.find(name)
    names = match.names or (plan.known.objects.find(f"*.{name}").names if match.objects else ())
    if name in plan.entry_of:
        names = (name,)  # as a target it would reach the inherited copies, too
    if names:
        for at, documented in enumerate(names):
            yield from ("",) * bool(at)
            yield from _object(plan, documented)
        return
    place = plan.known.pages.find(name).place
    if place is not None:
        yield from _page(plan, place)
    elif match.module:
        yield f"{match.module} is a documented module, which shows nothing by itself"


def _unknown(plan: Plan, name: str) -> str:
    known = plan.known
    near = (
        *closest(plan.settings.strip(name), plan.heuristics),
        *known.objects.closest(name),
        *known.pages.closest(name),
    )
    return f"no heuristic, documented object, page or label is called {name!r}{did_you_mean(dict.fromkeys(near[:4]))}"


# -- a heuristic ----------------------------------------------------------------------


def _heuristic(plan: Plan, record: Heuristic) -> Iterator[str]:
    yield f"{record.name} ({record.severity}): {text_of(record.note)}"
    yield f"  defined in {record.source}:{record.line}"
    if reason := _withheld(plan, record):
        yield f"  shown nowhere by itself: {reason}"
    for resolved in plan.connections(record):
        yield f"  {_connection(resolved)}"
        if resolved.connection.type == "impl":
            yield from _reached(plan, record, resolved)
        elif resolved.place:
            reason = _page_reason(plan, record, resolved.place)
            yield f"    {_mark(reason)}{_where(resolved.place)}{reason and f': {reason}'}"
    yield from _others(plan, record)


def _connection(resolved: Resolved) -> str:
    connection = resolved.connection
    start = f"{connection.type} {connection.target}"
    if resolved.several:
        return f"{start}: fits several, and so reaches none: {', '.join(resolved.several)}"
    if resolved.target is None:
        return f"{start}: {index.MISSING} does not exist{', as planned' if connection.planned else ''}"
    if resolved.target.uri:
        return f"{start}: {index.EXISTS} in another project, {resolved.target.uri}"
    if not resolved.names and not resolved.place:
        return f"{start}: {index.EXISTS} a module, which shows nothing"
    return f"{start}:"


def _reached(plan: Plan, record: Heuristic, resolved: Resolved) -> Iterator[str]:
    for name in resolved.names:
        rule = _rule(plan, resolved.connection, name)
        for docname, entry in _entries(plan, name):
            reason = _entry_reason(plan, record, name, docname, entry)
            yield f"    {_mark(reason)}{name} ({docname}): {reason or rule}"


def _others(plan: Plan, record: Heuristic) -> Iterator[str]:
    """Yield the objects that have a target's name and are others, such as an override."""
    objects = plan.known.objects
    impl = [resolved.connection.target for resolved in plan.connections(record) if resolved.connection.type == "impl"]
    lasts = {target.rpartition(".")[2] for target in impl}
    reached = set(plan.reached(record))
    others: dict[str, list[str]] = {}
    for name in objects.names:
        if name.rpartition(".")[2] in lasts and name not in reached:
            others.setdefault(objects.identity(name), []).append(name)
    for identity, names in others.items():
        yield f"  not reached: {', '.join(names)}: the name is the same, the object is another, {identity}"


def _mark(reason: str) -> str:
    """Return how a line begins: with what is not shown, it says so."""
    return "not shown: " if reason else "shown: "


# -- rules ----------------------------------------------------------------------------


def _rule(plan: Plan, connection: Connection, name: str) -> str:
    """Return why a connection reaches a documented name."""
    objects = plan.known.objects
    target = connection.target
    if target.startswith("*."):
        return f"its name ends in {target[2:]}"
    if name == target:
        return "the target itself"
    spelled = set(objects.spellings(target))
    if spelled.intersection(plan.own_names(name)):
        return f"the same object as {target}"
    if objects.is_inherited(name) and spelled.intersection(objects.answers(name)):
        return f"inherits this very member from {objects.identity(name).rpartition('.')[0]}"
    if name.endswith(f".{target}"):
        return f"the documented object whose name ends in {target}"
    return f"another name or inherited copy of {target}"


def _withheld(plan: Plan, record: Heuristic) -> str:
    """Return why a heuristic is shown nowhere by itself, or nothing."""
    if not record.inject:
        return "it has no-inject"
    if not plan.holds(record):
        return f"it holds for {index.bounds(record)}, and {plan.known.version} is documented"
    return ""


def _entry_reason(plan: Plan, record: Heuristic, name: str, docname: str, entry: Entry) -> str:
    """Return why an API entry does not show a heuristic that reaches it, or nothing."""
    own = plan.own_names(name)
    for target in record.excepts:
        if any(excludes(spelled, own) for spelled in plan.spellings(target)):
            return f"except {target}"
    if reason := _withheld(plan, record) or _free(plan, docname):
        return reason
    if entry.by_hand:
        return "a heuristics-for stands in this entry"
    if plan.settings.inherited == "none" and plan.is_inherited(entry):
        return "an inherited copy, and heuristics_inherited is 'none'"
    return ""


def _free(plan: Plan, docname: str) -> str:
    if docname in plan.known.excluded:
        return f"{docname} is kept free by heuristics_exclude or no-heuristics"
    return ""


def _page_reason(plan: Plan, record: Heuristic, place: Place) -> str:
    return _withheld(plan, record) or _free(plan, place.docname)


def _entries(plan: Plan, name: str) -> list[tuple[str, Entry]]:
    return [(docname, entry) for docname, entry in plan.catalogue.entries if name in entry.names]


def _where(place: Place) -> str:
    return f"{place.docname}#{place.anchor}" if place.anchor else place.docname


# -- an object or a page --------------------------------------------------------------


def _object(plan: Plan, name: str) -> Iterator[str]:
    entries = _entries(plan, name)
    yield f"{name} ({', '.join(dict.fromkeys(docname for docname, _entry in entries))})"
    found = False
    for record, resolved in _reaching(plan, name):
        found = True
        rule = f"{resolved.connection.type} {resolved.connection.target}: {_rule(plan, resolved.connection, name)}"
        for docname, entry in entries:
            reason = _entry_reason(plan, record, name, docname, entry)
            yield f"  {_mark(reason)}{_named(record)}: {reason or rule}"
    if not found:
        yield "  no heuristic reaches it"


def _reaching(plan: Plan, name: str) -> Iterator[tuple[Heuristic, Resolved]]:
    """Yield the heuristics that reach a documented name, each by its first connection that does."""
    for record in plan.heuristics.values():
        for resolved in plan.connections(record):
            if name in resolved.names:
                yield record, resolved
                break


def _page(plan: Plan, place: Place) -> Iterator[str]:
    yield _where(place)
    found = False
    for record in plan.heuristics.values():
        for resolved in _distinct(r for r in plan.connections(record) if r.place == place):
            found = True
            reason = _page_reason(plan, record, place)
            rule = f"{resolved.connection.type} {resolved.connection.target}"
            yield f"  {_mark(reason)}{_named(record)}: {reason or rule}"
    if not found:
        yield "  no heuristic is connected to it"


def _distinct(found: Iterable[Resolved]) -> list[Resolved]:
    """Return the first of connections that lead to one place."""
    return list(found)[:1]


def _named(record: Heuristic) -> str:
    return f"{record.name} ({record.severity})"
