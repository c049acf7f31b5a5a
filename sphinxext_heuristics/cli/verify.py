"""``verify``: check what the pages quote against the installed source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics import checks
from sphinxext_heuristics.cli.project import add_options, opened, read, read_evidence
from sphinxext_heuristics.cli.terminal import note, say
from sphinxext_heuristics.diagnostics import report
from sphinxext_heuristics.evidence import Found
from sphinxext_heuristics.model import Subtype
from sphinxext_heuristics.sources import Sources

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from sphinx.application import Sphinx

    from sphinxext_heuristics.model import Evidence
    from sphinxext_heuristics.plan import Plan


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
            plan = read(app, leaves={Subtype.EVIDENCE, Subtype.VERSION})
        else:
            plan = read_evidence(app)
            _tell_of_docstrings(app, plan)
        found = list(checks.evidence(plan))
        for line in standing(plan, Path(app.srcdir)):
            say(line)
        report(found)
    return 1 if found else 0


def standing(plan: Plan, srcdir: Path) -> Iterator[str]:
    """Yield a line for each quote that was found, and one for the whole."""
    quoted = [one for docname in plan.catalogue.docnames for one in plan.catalogue.pages[docname].evidence]
    number = 0
    for one in quoted:
        result = plan.known.verify(one)
        if isinstance(result, Found):
            number += 1
            yield f"{_seen(one, srcdir)}: {one.object} has it in line {result.line}"
    packages = {one.package: plan.version_of(one) for one in quoted if one.package}
    where = ", ".join(f"{package} {version}".strip() for package, version in sorted(packages.items()))
    yield f"{number} of {len(quoted)} quotes found{where and f' ({where})'}"


def _seen(one: Evidence, srcdir: Path) -> str:
    path = Path(one.source)
    return f"{path.relative_to(srcdir) if path.is_relative_to(srcdir) else path}:{one.line}"


def _tell_of_docstrings(app: Sphinx, plan: Plan) -> None:
    """Say that the documented package has evidence in docstrings, which was not read."""
    top = Sources().path(plan.settings.package) if plan.settings.package else None
    if top is None or app.quiet:
        return
    holding = [path for path in sorted(top.parent.rglob("*.py")) if b".. evidence::" in path.read_bytes()]
    if holding:
        files = "1 file" if len(holding) == 1 else f"{len(holding)} files"
        note(f"not read: docstrings of {plan.settings.package} with evidence ({files}); --all reads them")
