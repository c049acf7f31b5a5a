"""``verify``: check what the pages quote against the installed source."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, counted, did_you_mean, ordered
from ..files.project_file import unified
from ..model import Evidence, Found, Lost
from ..problems import Subtype
from ..resolve import checks
from ..resolve.quotes import is_quote
from .project import Command, CommandError, read_evidence
from .writing import note, say, say_json, seen, warning, write

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sphinx.application import Sphinx

    from ..resolve.plan import Plan
    from ..resolve.quotes import Quotes


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print what is wrong with the quotes; return the exit code."""
    plan = read_evidence(app)
    if arguments.update:
        return update(plan, arguments.update)
    found = list(checks.evidence(plan, with_passages=bool(arguments.verbosity)))
    for record in plan.catalogue.definitions:
        found += [one for one in record.problems if one.subtype is Subtype.VERSION]
    problems = ordered(found)
    all_quotes = quotes(plan)
    if arguments.json:
        rows = [quote._asdict() for quote in all_quotes]
        findings = [
            {
                "path": seen(problem.source),
                "line": problem.line,
                "subtype": problem.word,
                "message": problem.message,
            }
            for problem in problems
        ]
        say_json({"quotes": rows, "problems": findings})
    else:
        for line in places(all_quotes) if arguments.verbosity else ():
            say(line)
        for problem in problems:
            say(warning(problem))
        say(summary(all_quotes))
    return 1 if problems else 0


def update(plan: Plan, name: str) -> int:
    """Replace the lost quotes of a heuristic by the closest passages; return the code.

    Raises CommandError where no page that quotes something defines the heuristic.
    """
    record = plan.catalogue.find_in_any_case(plan.catalogue.settings.strip(name))
    if record is None:
        close = did_you_mean(closest(name, plan.catalogue.by_name))
        raise CommandError(
            f"no heuristic that quotes evidence is called {name!r}{close}"
        )
    # From the end of the page, so that the lines above stay where they are.
    results = [_updated(plan.quotes, quoted) for quoted in reversed(record.evidence)]
    advice = ": review the change before you commit it" if True in results else ""
    quotes_of = f"{record.name}: {counted(len(results), 'quote')}"
    note(f"{quotes_of}, {results.count(True)} updated{advice}")
    return 1 if False in results else 0


def _updated(quotes: Quotes, quoted: Evidence) -> bool | None:
    """Update a quote and print the difference; return whether it was done.

    ``None`` stands for a quote that is found as it is.
    """
    result = quotes.verify(quoted)
    if isinstance(result, Found):
        return None
    instead = _instead(quoted, result)
    path = Path(quoted.source)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    start = _start(quoted, lines)
    head = quoted.line - 1
    is_moved = instead.object != quoted.object
    if (
        start is None
        or (is_moved and quoted.object not in lines[head])
        or not isinstance(quotes.verify(instead), Found)
    ):
        say(
            f"{seen(quoted.source)}:{quoted.line}: {result.message}; no passage is "
            "close enough to take its place"
        )
        return False
    end = start + len(quoted.quote.split("\n"))
    first = lines[start]
    indent = first[: len(first) - len(first.lstrip())]
    new = textwrap.indent(instead.quote, indent).splitlines()
    old = lines[start:end]
    at = start
    if is_moved:
        old, at = lines[head:end], head
        before, _object, after = lines[head].rpartition(quoted.object)
        new = [f"{before}{instead.object}{after}", *lines[head + 1 : start], *new]
    before, after = (textwrap.dedent("\n".join([*part, ""])) for part in (old, new))
    say(unified(before, after, f"{seen(path)}:{at + 1}"))
    for change in result.changes:
        say(f"{seen(path)}:{quoted.line}: {change}")
    lines[at:end] = new
    write(path, "\n".join([*lines, ""]))
    return True


def _instead(quoted: Evidence, lost: Lost) -> Evidence:
    """Return the evidence that is to take the place of a lost one."""
    quote = (quoted.prose and lost.words) or lost.nearest or quoted.quote
    if not lost.holder:
        return quoted._replace(quote=quote)
    module, _colon, qualname = lost.holder.partition(":")
    return quoted._replace(module=module, qualname=qualname, quote=quote)


def _start(quoted: Evidence, lines: list[str]) -> int | None:
    """Return at which line of a file, from 0, a quote begins."""
    quote = textwrap.dedent(quoted.quote)
    size = quote.count("\n") + 1
    for at in range(quoted.line, len(lines)):
        passage = "\n".join(lines[at : at + size])
        if textwrap.dedent(passage) == quote:
            return at
    return None


class Quote(NamedTuple):
    """A quote and what became of it."""

    path: str
    line: int
    #: The object as the directive names it.
    object: str
    #: The line where it is found, or ``None``.
    found_at: int | None
    #: Whether it is not found, and its heuristic does not hold for this version.
    expected_missing: bool
    #: The package that is quoted and its version.
    package: str


def quotes(plan: Plan) -> list[Quote]:
    """Return all quotes; what inheritance repeats is written once."""
    expected = checks.expected(plan.catalogue)
    found: dict[tuple[str, int], Quote] = {}
    for page in plan.catalogue.pages.values():
        for quoted in filter(is_quote, page.evidence):
            result = plan.quotes.verify(quoted)
            line = result.line if isinstance(result, Found) else None
            found[quoted.source, quoted.line] = Quote(
                path=seen(quoted.source),
                line=quoted.line,
                object=quoted.object,
                found_at=line,
                expected_missing=line is None and quoted in expected,
                package=plan.quotes.release_of(quoted),
            )
    return list(found.values())


def places(all_quotes: list[Quote]) -> Iterator[str]:
    """Yield a line for each quote that is found or need not be."""
    for quote in all_quotes:
        where = f"{quote.path}:{quote.line}: {quote.object}"
        if quote.found_at:
            yield f"{where} has it in line {quote.found_at}"
        elif quote.expected_missing:
            yield (
                f"{where} need not have it: the heuristic does not hold for this "
                f"version"
            )


def summary(all_quotes: list[Quote]) -> str:
    """Return how many quotes are found, and in what."""
    found = sum(bool(quote.found_at) for quote in all_quotes)
    line = f"{found} of {len(all_quotes)} quotes found"
    if expected := sum(quote.expected_missing for quote in all_quotes):
        line += f", {expected} need not be there"
    if packages := sorted({quote.package for quote in all_quotes}):
        line += f" ({', '.join(packages)})"
    return line


COMMAND = Command(
    name="verify",
    help="check what the pages quote against the installed source",
    description=(
        "Check what the pages quote against the installed source. Only the pages that "
        "hold evidence are read, and nothing is imported but what conf.py names."
    ),
    run=run,
    arguments=(
        (
            "--update",
            "NAME",
            "write the closest passages in place of its lost quotes; show the change",
        ),
        ("--json", "", "print quotes and findings for programs"),
    ),
    doctrees=False,
)
