"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

import os.path
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from ..evidence.pasted import answers, known_to, searched
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

    from ..evidence.pasted import Answer
    from ..model import Heuristic
    from ..resolve.quotes import Quotes


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
    if "\n" not in text and ": " not in text:
        is_read = arguments.doctreedir or " " in text
        if not is_read and (close := closest_existing(app, text)) is not None:
            _say(arguments, [_unknown(text, close)])
            return 1
        plan = read(app)
        if found := account(plan, text):
            _say(arguments, found.lines, places=found.places)
            return int(found.has_fault)
        failure = _unknown(text, plan.meanings.closest(text))
    else:
        # Mostly it needs no API reference, for which the package is imported.
        needs_all = arguments.doctreedir or any(
            MAY_KNOW.search(file.read_bytes()) for file in parts_of(app).sources
        )
        plan = read(app) if needs_all else read_evidence(app)
        failure = "no heuristic knows of this text"
    asked = list(known_to(plan.quotes, plan.catalogue.heuristics.values()))
    known = [known for _record, known in asked]
    answered = [(asked[one.at][0], one) for one in answers(known, text)]
    blocks = (_answer(plan.quotes, *one) for one in answered)
    lines = list(separated(blocks)) or [failure]
    words = searched(known, text)
    # A name is nothing to search the site for.
    if " " in text and words:
        lines.append(f"search the site for: {' '.join(words)}")
    _say(arguments, lines, answered=(_answer_row(*one) for one in answered))
    return 0 if answered else 1


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


def _answer(quotes: Quotes, record: Heuristic, found: Answer) -> Iterator[str]:
    """Yield a heuristic with those of its messages and keywords that are in a text."""
    yield f"{label(record)}: {text_of(record.note)}"
    where = f"{seen(record.source)}:{record.line}"
    yield f"  on page {record.docname}#{record.anchor}, defined in {where}"
    quoting = quotes.messages(record)
    for fitting in found.messages:
        for message, quoted in quoting:
            if message == fitting:
                yield f"  {message.kind}: {message.text}"
                at = quotes.verify(quoted)
                line = f"line {at.line}" if isinstance(at, Found) else "not found there"
                release = quotes.release_of(quoted)
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
