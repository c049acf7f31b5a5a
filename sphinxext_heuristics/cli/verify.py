"""``verify``: check what the pages quote against the installed source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics.cli.project import add_options, opened, read, read_evidence
from sphinxext_heuristics.cli.terminal import note, say
from sphinxext_heuristics.diagnostics import report
from sphinxext_heuristics.model import Found, Subtype
from sphinxext_heuristics.resolve import checks
from sphinxext_heuristics.source.packages import Sources

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sphinxext_heuristics.model import Evidence
    from sphinxext_heuristics.resolve.plan import Plan


#: The warnings that the command gives itself.
_OURS = frozenset({Subtype.EVIDENCE, Subtype.VERSION})


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "verify",
        help="check what the pages quote against the installed source",
        description=(
            "Check what the pages quote against the installed source. Only the pages that hold evidence are read, and "
            "nothing is imported but what conf.py names."
        ),
        epilog="Exit code: 0 fine, 1 a quote was not found or contradicts the bounds, 2 misuse or failure.",
    )
    add_options(command, doctrees=False)
    command.add_argument(
        "--all", action="store_true", help="read all pages, docstrings among them, as sphinx-build does"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print where each quote stands, and warn of those that do not; return the exit code."""
    with opened(arguments) as app:
        if arguments.all:
            plan = read(app, leaves=_OURS)
        else:
            plan = read_evidence(app)
            if not arguments.silent:
                _tell_of_docstrings(plan)
        found = [*checks.evidence(plan), *checks.empty_bounds(plan)]
        for line in standing(plan, Path(app.srcdir)):
            say(line)
        # Reading all has told of the rest.
        report(problem for problem in found if not arguments.all or problem.subtype in _OURS)
    return 1 if found else 0


def standing(plan: Plan, srcdir: Path) -> Iterator[str]:
    """Yield a line for each quote that was found or need not be there, and one for the whole."""
    # What inheritance repeats is written once.
    quoted = list({(one.source, one.line): one for one in _quotes(plan)}.values())
    expected = checks.expected(plan)
    found = away = 0
    for one in quoted:
        result = plan.lookups.verify(one)
        if isinstance(result, Found):
            found += 1
            yield f"{_seen(one, srcdir)}: {one.object} has it in line {result.line}"
        elif one in expected:
            away += 1
            yield f"{_seen(one, srcdir)}: {one.object} need not have it: the heuristic does not hold for this version"
    packages = {plan.package_of(one): plan.version_of(one) for one in quoted if one.package}
    where = ", ".join(f"{package} {version}".strip() for package, version in sorted(packages.items()))
    beside = f", {away} need not be there" if away else ""
    yield f"{found} of {len(quoted)} quotes found{beside}{where and f' ({where})'}"


def _quotes(plan: Plan) -> Iterator[Evidence]:
    for docname in plan.catalogue.docnames:
        yield from filter(checks.is_quote, plan.catalogue.pages[docname].evidence)


def _seen(one: Evidence, srcdir: Path) -> str:
    path = Path(one.source)
    return f"{path.relative_to(srcdir) if path.is_relative_to(srcdir) else path}:{one.line}"


def _tell_of_docstrings(plan: Plan) -> None:
    """Say that the documented package has evidence in docstrings, which was not read."""
    top = Sources().path(plan.settings.package) if plan.settings.package else None
    if top is None:
        return
    # A page that has evidence itself was read with the docstrings that it shows.
    seen = {one.source.partition(":docstring of ")[0] for one in _quotes(plan)}
    files = sorted(top.parent.rglob("*.py")) if top.stem == "__init__" else [top]
    holding = [path for path in files if str(path) not in seen and _has_evidence(path)]
    if holding:
        number = "1 file" if len(holding) == 1 else f"{len(holding)} files"
        note(f"not read: docstrings of {plan.settings.package} with evidence ({number}); --all reads them")


def _has_evidence(path: Path) -> bool:
    """Tell whether a file of source has a directive of ours; what is no file, or cannot be read, has none."""
    try:
        return path.is_file() and b".. evidence::" in path.read_bytes()
    except OSError:
        return False
