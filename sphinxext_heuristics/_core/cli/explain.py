"""``explain``: why a heuristic is shown where it is, and what an object shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import did_you_mean
from .account import account
from .project import Command, CommandError, closest_existing, read, read_some
from .writing import say, say_json, seen

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from sphinx.application import Sphinx

    from ..resolve.plan import Plan

#: The directive that places the box for a text.
_BOX = "heuristic-messages"


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit code.

    Raises CommandError for what can be no name, such as an error message.
    """
    text = arguments.name.strip()
    if _is_file(text):
        docname = _docname(app, text)
        if docname is None:
            why = _why_not_read(app, Path(text))
            _say(arguments, [f"{seen(text)} is not read: {why}"])
            return 1
        text = docname
    if "\n" in text or ": " in text:
        some = read_some(app, re.compile(_BOX.encode()))
        raise CommandError(_for_a_text(app, some))
    # A label may have spaces.
    is_read = arguments.doctreedir or " " in text
    if not is_read and (close := closest_existing(app, text)) is not None:
        _say(arguments, [_unknown(text, close)])
        return 1
    plan = read(app)
    found = account(plan, text)
    if found is None and " " in text:
        raise CommandError(_for_a_text(app, plan))
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


def _for_a_text(app: Sphinx, plan: Plan) -> str:
    """Return where a text is answered that is no name."""
    where = f"a page with the directive {_BOX} has a box for it"
    for docname, page in plan.catalogue.pages.items():
        if any(query.view == _BOX for query in page.queries):
            file = seen(app.env.doc2path(docname))
            where = f"paste it into the box of the page {file}"
            break
    return (
        "this is no name of a heuristic, an object, a page or a label; if it is an "
        f"error or a question, {where}"
    )


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
