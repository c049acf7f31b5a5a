"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

import os.path
import sys
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from ..evidence.pasted import answers, known_to, searched
from ..model import Found
from ..notes.inline import text_of
from ..resolve import listing as index
from ..resolve.connections import object_meant, why_missing
from ..resolve.pages import fold
from ..resolve.verdicts import Form
from .project import (
    MAY_KNOW,
    Command,
    CommandError,
    closest_existing,
    made_of,
    read,
    read_evidence,
)
from .writing import say, say_json, seen

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx

    from ..evidence.pasted import Answer
    from ..model import Heuristic
    from ..resolve.objects import Resolved
    from ..resolve.pages import Place
    from ..resolve.plan import Plan
    from ..resolve.verdicts import Verdict


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code."""
    text = (_stdin() if arguments.name == "-" else arguments.name).strip()
    text = _docname(app, text)
    # The name of a page or a label may have spaces, too.
    if "\n" not in text and ": " not in text:
        is_read = arguments.doctreedir or " " in text
        if not is_read and (close := closest_existing(app, text)) is not None:
            _say(arguments, [_unknown(text, close)])
            return 1
        plan = read(app)
        if lines := list(explain(plan, text)):
            _say(arguments, lines, places=_places(plan, text))
            return 0
        failure = _unknown(text, plan.closest(text))
    else:
        # Mostly it needs no API reference, for which the package is imported.
        needs_all = arguments.doctreedir or any(
            MAY_KNOW.search(file.read_bytes()) for file in made_of(app)[2]
        )
        plan = read(app) if needs_all else read_evidence(app)
        failure = "no heuristic knows of this text"
    asked = list(known_to(plan, plan.heuristics.values()))
    known = [known for _record, known in asked]
    found = [(asked[one.at][0], one) for one in answers(known, text)]
    lines = list(_separated(_answer(plan, *one) for one in found)) or [failure]
    words = searched(known, text)
    # A name is nothing to search the site for.
    if " " in text and words:
        lines.append(f"search the site for: {' '.join(words)}")
    _say(arguments, lines, answered=(_answer_row(*one) for one in found))
    return 0 if found else 1


def _say(
    arguments: argparse.Namespace,
    lines: Iterable[str],
    *,
    places: Iterable[dict[str, object]] = (),
    answered: Iterable[dict[str, object]] = (),
) -> None:
    """Print the lines, or for programs what they are made of."""
    if arguments.json:
        say_json({"places": list(places), "answers": list(answered)})
        return
    for line in lines:
        say(line)


def _docname(app: Sphinx, text: str) -> str:
    """Return the document of a file's path; anything else as it is."""
    # A pasted text is no path, which this function takes in its stride.
    if os.path.isfile(text):  # noqa: PTH113 - Path raises for a long text
        app.env.find_files(app.config, app.builder)
        for docname in app.env.found_docs:
            if app.env.doc2path(docname).samefile(text):
                return docname
    return text


def _stdin() -> str:
    text = sys.stdin.read()
    if not text.strip():
        raise CommandError("there is nothing on stdin to explain")
    return text


def _unknown(name: str, close: Iterable[str]) -> str:
    hint = did_you_mean(close)
    return f"no heuristic, documented object, page or label is called {name!r}{hint}"


def explain(plan: Plan, name: str) -> Iterator[str]:
    """Yield the explanation of a name, line by line; nothing if the name is unknown."""
    record = _meant(plan, name)
    if record is not None:
        yield from _heuristic(plan, record)
        return
    name = name.lstrip("~")
    names = _documented(plan, name)
    if names:
        yield from _separated(_object(plan, documented) for documented in names)
        return
    place = plan.page_names.find(name).place
    if place is not None:
        yield from _page(plan, place)
    else:
        yield from _elsewhere(plan, name)


def _meant(plan: Plan, name: str) -> Heuristic | None:
    """Return the heuristic that a name means: its own, or that of its page."""
    page = plan.pages.get(name)
    if page and page.heuristics and plan.is_page(page.heuristics[0]):
        return page.heuristics[0]
    return plan.find(plan.settings.strip(name))


def _documented(plan: Plan, name: str) -> tuple[str, ...]:
    """Return the documented names that a name means."""
    if name in plan.entry_of:
        # As a target it would reach the inherited copies, too.
        return (name,)
    match = plan.objects.find(name)
    if match.several:
        match = plan.objects.find(f"*.{name}")
    return tuple(match.reached)


def _separated(blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of all blocks, with an empty line between two."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


# -- a heuristic ----------------------------------------------------------------------


def _heuristic(plan: Plan, record: Heuristic) -> Iterator[str]:
    yield f"{_named(record)}: {text_of(record.note)}"
    if record.former_names:
        yield f"  formerly {', '.join(record.former_names)}"
    yield f"  defined in {seen(record.source)}:{record.line}"
    for other in plan.definitions:
        if other is not record and fold(other.name) == fold(record.name):
            yield f"  also written in {seen(other.source)}:{other.line} (not used)"
    if reason := plan.withheld(record):
        yield f"  shown nowhere automatically: {reason}"
    judged = [one for one in plan.judged if one[-1].record.name == record.name]
    for resolved in plan.connections(record):
        yield f"  {_connection(plan, resolved)}"
        target = resolved.connection.pattern
        for docname, entry, verdict in judged:
            for name in entry.names:
                if rule := resolved.reached.get(name):
                    this_way = verdict._replace(target=target, rule=rule)
                    mark = _MARKS[verdict.is_shown]
                    why = verdict.reason or _how(plan, name, this_way)
                    yield f"    {mark}{name} ({docname}): {why}"
        if resolved.place:
            reason = plan.withheld_at(record, resolved.place)
            linked = _where_linked(plan, record, resolved.place)
            why = f": {reason or linked}" if reason or linked else ""
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
        if resolved.planned:
            return f"{start}: {index.MISSING} does not exist, as planned"
        return f"{start}: {index.MISSING} {why_missing(plan, connection)}"
    if resolved.target.uri:
        return f"{start}: {index.EXISTS} in another project, {resolved.target.uri}"
    return f"{start}:"


def _others(plan: Plan, record: Heuristic) -> Iterator[str]:
    """Yield the objects that have the name of a target and are others."""
    identity = plan.objects.identity
    same = set(map(identity, plan.reached(record)))
    for name in plan.namesakes(record):
        why = f"the object is another, {identity(name)}"
        if identity(name) in same:
            why = "of another class than the one named"
        yield f"  not reached: {name}: the name is the same, {why}"


# -- what the verdicts say ------------------------------------------------------------


#: How a line begins: with what is not shown, it says so.
_MARKS = {True: "shown: ", False: "not shown: "}


#: How an entry shows a heuristic, where it is not simply in full.
_HOW = {Form.FOLDED: "; folded", Form.LINE: "; in one line", Form.NAMED: "; named"}


def _how(plan: Plan, name: str, verdict: Verdict) -> str:
    """Return why a target reaches a documented name, and how its entry shows that."""
    target = verdict.target
    rule = verdict.rule.value.format(
        ending=target.removeprefix("*."),
        target=target.partition("+")[0],
        owner=plan.objects.identity(name).rpartition(".")[0],
    )
    if verdict.full_at:
        return f"{rule}; named here, in full at {verdict.full_at.names[0]}"
    at = f"; at the parameter {verdict.parameter}" if verdict.parameter else ""
    return f"{rule}{at}{_HOW.get(verdict.form, '')}"


# -- an object or a page --------------------------------------------------------------


def _object(plan: Plan, name: str) -> Iterator[str]:
    docnames = [docname for docname, it in plan.all_entries if name in it.names]
    yield f"{name} ({', '.join(dict.fromkeys(docnames))})"
    for _docname, entry, verdict in plan.judged:
        if name in entry.names:
            shown = f"impl {verdict.target}: {_how(plan, name, verdict)}"
            start = f"{_MARKS[verdict.is_shown]}{_named(verdict.record)}"
            yield f"  {start}: {verdict.reason or shown}"
    if not plan.reach.get(name):
        yield "  no heuristic reaches it"


def _elsewhere(plan: Plan, name: str) -> Iterator[str]:
    """Yield the explanation of what is not documented here, if anything has the name.

    It is defined in the source, a parameter, or an object or a page of another project.
    """
    uri = plan.external.find("impl", name)
    lines: list[str] = []
    for record in plan.heuristics.values():
        for resolved in plan.connections(record):
            if resolved.connection.target == name:
                uri = uri or (resolved.target.uri if resolved.target else "")
                lines.append(
                    f"  connected: {_named(record)}: {resolved.connection.type} {name}"
                )
    if uri:
        yield f"{name} (in another project, {uri})"
    elif (meant := object_meant(plan, name)) or lines:
        yield f"{name} {meant or 'does not exist'}"
    else:
        return
    yield from lines or ["  no heuristic is connected to it"]


def _page(plan: Plan, place: Place) -> Iterator[str]:
    yield str(place)
    lines = []
    for record in plan.heuristics.values():
        for resolved in plan.connections(record):
            if resolved.place != place:
                continue
            reason = plan.withheld_at(record, place)
            rule = f"{resolved.connection.type} {resolved.connection.target}"
            if linked := _where_linked(plan, record, place):
                rule += f"; {linked}"
            lines.append(f"  {_MARKS[not reason]}{_named(record)}: {reason or rule}")
    # What is not shown is so for each target.
    yield from dict.fromkeys(lines or ["  no heuristic is connected to it"])


def _where_linked(plan: Plan, record: Heuristic, place: Place) -> str:
    """Return how a page shows what it links to itself, or ``""``."""
    return "its own text links to it" if plan.is_linked(record, place) else ""


def _named(record: Heuristic) -> str:
    return f"{record.name} ({record.severity})"


# -- for programs ---------------------------------------------------------------------


def _places(plan: Plan, name: str) -> Iterator[dict[str, object]]:
    """Yield each API entry that a heuristic reaches, or what reaches an object."""
    record = _meant(plan, name)
    names = set() if record else {*_documented(plan, name.lstrip("~"))}
    for docname, entry, verdict in plan.judged:
        if verdict.record is record or not names.isdisjoint(entry.names):
            yield {
                "heuristic": verdict.record.name,
                "severity": verdict.record.severity,
                "entry": entry.names[0],
                "docname": docname,
                "anchor": entry.anchor,
                "target": verdict.target,
                "parameter": verdict.parameter or None,
                "shown": verdict.is_shown,
                "why_not": verdict.reason or None,
            }


def _answer_row(record: Heuristic, found: Answer) -> dict[str, object]:
    """Return a heuristic that knows of a text."""
    return {
        "heuristic": record.name,
        "severity": record.severity,
        "note": text_of(record.note),
        "docname": record.docname,
        "anchor": record.anchor,
        "messages": [message.text for message in found.messages],
        "keywords": list(found.keywords),
    }


# -- a pasted text --------------------------------------------------------------------


def _answer(plan: Plan, record: Heuristic, found: Answer) -> Iterator[str]:
    """Yield a heuristic with those of its messages and keywords that are in a text."""
    yield f"{_named(record)}: {text_of(record.note)}"
    where = f"{seen(record.source)}:{record.line}"
    yield f"  on page {record.docname}#{record.anchor}, defined in {where}"
    quotes = plan.messages(record)
    for fitting in found.messages:
        for message, quoted in quotes:
            if message == fitting:
                yield f"  {message.kind}: {message.text}"
                at = plan.verify(quoted)
                line = f"line {at.line}" if isinstance(at, Found) else "not found there"
                release = plan.release_of(quoted)
                yield f"    quoted in the source: {quoted.object}, {release}, {line}"
    if found.keywords:
        yield f"  reported by users: {', '.join(found.keywords)}"


COMMAND = Command(
    name="explain",
    help="say why a heuristic is shown where it is, what an object shows, or which "
    "heuristic knows of an error",
    description=(
        "For a heuristic: where it is shown, where not, and by which rule. For an "
        "object or a page: which heuristics it shows, and why. For the text of an "
        "error, a warning or a question: the heuristics that know of it."
    ),
    run=run,
    arguments=(
        (
            "name",
            "NAME_OR_OBJECT",
            "a heuristic, an object, a page, a file, a label or a text; '-' is stdin",
        ),
        ("--json", "", "print places and answers for programs"),
    ),
)
