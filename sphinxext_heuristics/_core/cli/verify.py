"""``verify``: check what the pages quote against the installed source."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.cli.project import (
    CommandError,
    add_options,
    opened,
    read,
    read_evidence,
)
from sphinxext_heuristics._core.cli.writing import (
    note,
    say,
    say_diff,
    seen,
    warning,
    write,
)
from sphinxext_heuristics._core.diagnostics import closest, did_you_mean, ordered
from sphinxext_heuristics._core.files.project_file import unified
from sphinxext_heuristics._core.model import Found, Subtype
from sphinxext_heuristics._core.resolve import checks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sphinxext_heuristics._core.model import Evidence
    from sphinxext_heuristics._core.resolve.plan import Plan


#: The warnings that the command gives itself.
_OURS = frozenset({Subtype.EVIDENCE, Subtype.VERSION})


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "verify",
        help="check what the pages quote against the installed source",
        description=(
            "Check what the pages quote against the installed source. Only the "
            "pages that hold evidence are read, and "
            "nothing is imported but what conf.py names."
        ),
        epilog="Exit code: 0 fine, 1 a quote was not found or contradicts the bounds, "
        "2 misuse or failure.",
    )
    add_options(command, run, doctrees=False)
    command.add_argument(
        "--all",
        action="store_true",
        help="read all pages, docstrings among them, as sphinx-build does",
    )
    command.add_argument(
        "--update",
        metavar="NAME",
        help="show how the quotes of this heuristic have drifted, and write the "
        "closest passages into its page",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print where each quote is and what is wrong with those that are nowhere; return the exit code."""
    with opened(arguments) as app:
        if arguments.update:
            return update(read_evidence(app), arguments.update)
        plan = read(app, leaves=_OURS) if arguments.all else read_evidence(app)
        bad = (
            problem
            for record in plan.catalogue.definitions
            for problem in record.problems
        )
        found = [
            *checks.evidence(plan, with_passages=bool(arguments.verbosity)),
            *(problem for problem in bad if problem.subtype is Subtype.VERSION),
        ]
        *lines, summary = standing(plan)
        for line in lines:
            say(line)
        # Reading all has warned of the rest.
        for problem in ordered(
            problem
            for problem in found
            if not arguments.all or problem.subtype in _OURS
        ):
            say(warning(problem))
        say(summary)
    return 1 if found else 0


def update(plan: Plan, name: str) -> int:
    """Write the closest passages into the page of a heuristic in place of quotes that are not found; return the code.

    Raises CommandError where no page that quotes something defines the heuristic.
    """
    record = plan.catalogue.find(plan.settings.strip(name))
    if record is None:
        close = did_you_mean(closest(name, plan.catalogue.by_name))
        raise CommandError(
            f"no heuristic that quotes evidence is called {name!r}{close}"
        )
    # From the end of the page, so that the lines above stay where they are.
    results = [_updated(plan, one) for one in reversed(record.evidence)]
    note(
        f"{record.name}: {len(results)} quotes, {results.count(True)} updated: "
        f"review the change before you commit it"
    )
    return 1 if False in results else 0


def _updated(plan: Plan, one: Evidence) -> bool | None:
    """Update one quote, print what differs and return whether it was done; ``None`` if it is found as it is."""
    result = plan.lookups.verify(one)
    if isinstance(result, Found):
        return None
    path, quote, size = (
        Path(one.source),
        textwrap.dedent(one.quote),
        one.quote.count("\n") + 1,
    )
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    starts = range(one.line, len(lines))
    at = next(
        (
            at
            for at in starts
            if textwrap.dedent("\n".join(lines[at : at + size])) == quote
        ),
        None,
    )
    is_closest_found = isinstance(
        plan.lookups.verify(one._replace(quote=result.nearest)), Found
    )
    if at is None or not is_closest_found:
        say(
            f"{seen(one.source)}:{one.line}: {result.message}; no passage is "
            f"close enough to take its place"
        )
        return False
    say_diff(unified(f"{quote}\n", f"{result.nearest}\n", f"{seen(path)}:{at + 1}"))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at : at + size] = [
        f"{indent}{text}".rstrip() for text in result.nearest.splitlines()
    ]
    write(path, "\n".join([*lines, ""]))
    return True


def standing(plan: Plan) -> Iterator[str]:
    """Yield a line for each quote that was found or need not be there, and one for the whole."""
    # What inheritance repeats is written once.
    pages = (plan.catalogue.pages[docname] for docname in plan.catalogue.docnames)
    quotes = (one for page in pages for one in page.evidence if checks.is_quote(one))
    quoted = list({(one.source, one.line): one for one in quotes}.values())
    expected = checks.expected(plan)
    found = away = 0
    for one in quoted:
        result = plan.lookups.verify(one)
        if isinstance(result, Found):
            found += 1
            yield (
                f"{seen(one.source)}:{one.line}: {one.object} has it in line "
                f"{result.line}"
            )
        elif one in expected:
            away += 1
            where = f"{seen(one.source)}:{one.line}"
            yield (
                f"{where}: {one.object} need not have it: the heuristic does not "
                f"hold for this version"
            )
    packages = {
        plan.package_of(one): plan.version_of(one) for one in quoted if one.package
    }
    where = ", ".join(
        f"{package} {version}".strip() for package, version in sorted(packages.items())
    )
    beside = f", {away} need not be there" if away else ""
    yield f"{found} of {len(quoted)} quotes found{beside}{where and f' ({where})'}"
