"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from .account import account
from .project import Command, CommandError, read
from .writing import say, say_json, seen

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from sphinx.application import Sphinx

#: Where a text is answered that is no name.
_NO_NAME = (
    "this is no name of a heuristic, an object, a page or a label; for an error or a "
    "question there is the box, on a page with the directive heuristic-messages"
)


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code.

    Raises CommandError for what can be no name, such as an error message.
    """
    text = arguments.name.strip()
    if _is_file(text):
        docname = _docname(app, text)
        if docname is None:
            why = "see source_suffix and exclude_patterns in conf.py"
            _say(arguments, [f"{seen(text)} is no page of the documentation: {why}"])
            return 1
        text = docname
    if "\n" in text or ": " in text:
        raise CommandError(_NO_NAME)
    plan = read(app)
    found = account(plan, text)
    if found is None and " " in text:  # which a label may have
        raise CommandError(_NO_NAME)
    if found is None:
        _say(arguments, [_unknown(text, plan.meanings.closest(text))])
        return 1
    _say(arguments, found.lines, places=found.places)
    return int(found.has_fault)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # it is too long for a path, or has a NUL
        return False


def _say(
    arguments: argparse.Namespace,
    lines: Iterable[str],
    *,
    places: Iterable[dict[str, object]] = (),
) -> None:
    """Print the lines, or for programs what they are made of."""
    if arguments.json:
        say_json({"places": list(places)})
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


def _unknown(name: str, close: Iterable[str]) -> str:
    hint = did_you_mean(close)
    return f"no heuristic, documented object, page or label is called {name!r}{hint}"


COMMAND = Command(
    name="explain",
    help="say why a heuristic is shown where it is, or what an object shows",
    description=(
        "For a heuristic: where it is shown, where not, and by which rule. For an "
        "object or a page: which heuristics it shows, and why."
    ),
    run=run,
    arguments=(
        ("name", "NAME_OR_OBJECT", "a heuristic, an object, a page, a file or a label"),
        ("--json", "", "print the places for programs"),
    ),
)
