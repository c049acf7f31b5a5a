"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

import os.path
import sys
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from ..evidence.guessed import Guess, guesses
from ..evidence.pasted import answers, asked_of
from ..model import Found
from ..notes.inline import text_of
from .account import account, label, separated
from .project import (
    MAY_KNOW,
    Command,
    CommandError,
    closest_existing,
    parts_of,
    read,
    read_evidence,
)
from .writing import say, say_json, seen

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx

    from ..evidence.pasted import Answer, Asked
    from ..resolve.plan import Plan
    from ..resolve.quotes import Quotes
    from .account import Account

#: What is said where nothing is known.
_NOTHING = "no heuristic knows of this text"


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code."""
    text = (_stdin() if arguments.name == "-" else arguments.name).strip()
    # A pasted text is no path, which this function takes in its stride.
    if os.path.isfile(text):  # noqa: PTH113 - Path raises for a long text
        docname = _docname(app, text)
        if docname is None:
            why = _why_not_read(app, Path(text))
            _say(arguments, [f"{seen(text)} is not read: {why}"])
            return 1
        text = docname
    # The name of a page or a label may have spaces, too.
    if "\n" in text or ": " in text:
        return _answer_text(arguments, _plan_for_text(app, arguments), text)
    is_read = arguments.doctreedir or " " in text
    if not is_read and (close := closest_existing(app, text)) is not None:
        _say(arguments, [_unknown(text, close)])
        return 1
    plan = read(app)
    if found := account(plan, text):
        return _say_account(arguments, plan, text, found)
    return _answer_text(arguments, plan, text)


def _say_account(
    arguments: argparse.Namespace, plan: Plan, text: str, found: Account
) -> int:
    """Print what a name means; return the exit code.

    What is not documented here may be an error that a heuristic knows of.
    """
    blocks: list[Iterable[str]] = [found.lines]
    rows: list[dict[str, object]] = []
    if not found.is_here:
        asked = asked_of(plan, tuple(plan.catalogue.heuristics.values()))
        for one in answers(asked.known, text):
            blocks.append(_answer(plan.quotes, asked, one))
            rows.append(_answer_row(asked, one))
    _say(arguments, separated(blocks), places=found.places, answered=rows)
    return int(found.has_fault and not rows)


def _plan_for_text(app: Sphinx, arguments: argparse.Namespace) -> Plan:
    """Read what a text may be about; mostly that needs no API reference.

    For that the package is imported.
    """
    needs_all = arguments.doctreedir or any(
        MAY_KNOW.search(file.read_bytes()) for file in parts_of(app).sources
    )
    return read(app) if needs_all else read_evidence(app, guides=True)


def _answer_text(arguments: argparse.Namespace, plan: Plan, text: str) -> int:
    """Print what knows of a text, and what may fit; return the exit code."""
    asked = asked_of(plan, tuple(plan.catalogue.heuristics.values()))
    found = answers(asked.known, text)
    is_name = " " not in text
    may_fit: list[Guess] = []
    if not is_name:
        may_fit = guesses(asked, text, {one.at for one in found})
    blocks = (_answer(plan.quotes, asked, one) for one in found)
    lines = list(separated(blocks))
    if not lines:
        close = plan.meanings.closest(text)
        lines = [_unknown(text, close) if is_name else _NOTHING]
    if may_fit:
        lines += ["", "perhaps:"]
        lines += separated(_guess(asked, one) for one in may_fit)
    elif not (found or is_name):
        symptoms = filter(attrgetter("is_symptom"), asked.sections)
        lines += [f"  is it this? {it.title} ({it.place})" for it in symptoms]
    _say(
        arguments,
        lines,
        answered=[_answer_row(asked, one) for one in found],
        may_fit=[_guess_row(asked, one) for one in may_fit],
    )
    return 0 if found or may_fit else 1


def _say(
    arguments: argparse.Namespace,
    lines: Iterable[str],
    *,
    places: Iterable[dict[str, object]] = (),
    answered: Iterable[dict[str, object]] = (),
    may_fit: Iterable[dict[str, object]] = (),
) -> None:
    """Print the lines, or for programs what they are made of."""
    if arguments.json:
        rows = {"places": places, "answers": answered, "perhaps": may_fit}
        say_json({key: list(values) for key, values in rows.items()})
        return
    for line in lines:
        say(line)


def _docname(app: Sphinx, file: str) -> str | None:
    """Return the document of a file; ``None`` if Sphinx does not read it."""
    app.env.find_files(app.config, app.builder)
    for docname in app.env.found_docs:
        if app.env.doc2path(docname).samefile(file):
            return docname
    return None


def _why_not_read(app: Sphinx, file: Path) -> str:
    """Return why a file is no document."""
    srcdir, suffixes = Path(app.srcdir), app.config.source_suffix
    is_below = file.absolute().is_relative_to(srcdir)
    if not is_below and not file.resolve().is_relative_to(srcdir.resolve()):
        return f"it is not below the source directory {seen(str(srcdir))}"
    if not file.name.endswith(tuple(suffixes)):
        known = ", ".join(map(repr, suffixes))
        return f"its suffix {file.suffix!r} is not in source_suffix ({known})"
    return "exclude_patterns in conf.py leaves it out"


def _stdin() -> str:
    text = sys.stdin.read()
    if not text.strip():
        raise CommandError("there is nothing on stdin to explain")
    return text


def _unknown(name: str, close: Iterable[str]) -> str:
    hint = did_you_mean(close)
    return f"no heuristic, documented object, page or label is called {name!r}{hint}"


def _answer_row(asked: Asked, found: Answer) -> dict[str, object]:
    """Return a heuristic that knows of a text."""
    return {
        **_guess_row(asked, Guess(found.at)),
        "messages": [one.message.text for one in found.messages],
        "code": list(found.code),
        "keywords": list(found.keywords),
    }


def _guess_row(asked: Asked, guess: Guess) -> dict[str, object]:
    """Return a heuristic or a section that may fit a text."""
    at, said = guess
    if at >= len(asked.heuristics):
        section = asked.sections[at - len(asked.heuristics)]
        return {"section": section.title, **section.place._asdict(), "said": said}
    record = asked.heuristics[at]
    return {
        "heuristic": record.name,
        "severity": record.severity,
        "note": text_of(record.note),
        "docname": record.docname,
        "anchor": record.anchor,
    }


# -- a pasted text --------------------------------------------------------------------


def _answer(quotes: Quotes, asked: Asked, found: Answer) -> Iterator[str]:
    """Yield a heuristic with what it knows a text by."""
    record = asked.heuristics[found.at]
    yield from _guess(asked, Guess(found.at))
    quoting = quotes.messages(record)
    for fitting in found.messages:
        kind, text = fitting.message
        yield f"  {kind}: {text}" if kind else f"  {text}"
        if fitting.is_shown:
            yield "    shown on the page"
        for message, quoted in quoting:
            if message == fitting.message:
                at = quotes.verify(quoted)
                line = f"line {at.line}" if isinstance(at, Found) else "not found there"
                release = quotes.release_of(quoted)
                yield f"    quoted in the source: {quoted.object}, {release}, {line}"
    for code in found.code:
        yield f"  {code}"
        yield "    quoted from where it was raised"
    if found.keywords:
        yield f"  reported by users: {', '.join(found.keywords)}"


def _guess(asked: Asked, guess: Guess) -> Iterator[str]:
    """Yield a heuristic or a section, what it says of a text, and where it is."""
    at, said = guess
    if at >= len(asked.heuristics):
        section = asked.sections[at - len(asked.heuristics)]
        yield f"{section.title}: {said}" if said else section.title
        yield f"  on page {section.place}"
        return
    record = asked.heuristics[at]
    yield f"{label(record)}: {text_of(record.note)}"
    where = f"{seen(record.source)}:{record.line}"
    yield f"  on page {record.docname}#{record.anchor}, defined in {where}"


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
