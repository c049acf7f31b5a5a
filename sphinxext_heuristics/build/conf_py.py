"""What is wrong in conf.py, and in which line."""

from __future__ import annotations

import ast
import re
import warnings
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

from sphinxext_heuristics.config import OPTIONS, PREFIX
from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype
from sphinxext_heuristics.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from sphinx.config import Config

    from sphinxext_heuristics.resolve.plan import Plan


def problems_in(config: Config, conf_py: Path) -> list[Problem]:
    """Return what is wrong with the configuration values and where they are set."""
    found = [
        (
            option.name,
            (
                f"{option.name} = {getattr(config, option.name)!r}: allowed is "
                f"{option.allowed}; the default {option.default!r} is used"
            ),
        )
        for option in OPTIONS
        if not option.accepts(getattr(config, option.name))
    ]
    lines = assignments(conf_py)
    known = [option.name for option in OPTIONS]
    words = [name.removeprefix(PREFIX) for name in known]
    found += [
        (name, f"{name} is not an option of this extension{did_you_mean(close)}")
        for name in lines
        if name.startswith(PREFIX) and name not in known
        # A name that is like none of ours is a variable of the author's.
        if (close := [f"{PREFIX}{word}" for word in closest(name[len(PREFIX) :], words, 1)])
    ]
    return [
        Problem(subtype=Subtype.CONFIG, message=message, source=str(conf_py), line=lines.get(name, 1))
        for name, message in found
    ]


def not_set(config: Config, conf_py: Path, name: str) -> str:
    """Return the words for an option that a command needs: what is wrong with its value, or that it has none."""
    wrong = [it for it in problems_in(config, conf_py) if it.message.startswith(f"{name} = ")]
    return f"{conf_py}:{wrong[0].line}: {wrong[0].message}" if wrong else f"{name} is not set in {conf_py}"


def assignments(conf_py: Path) -> dict[str, int]:
    """Return the line of each name's last assignment in a conf.py.

    An unreadable file has none: it is not this function that says so, since Sphinx
    has run the file by then.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python has told its own when Sphinx ran the file
            tree = ast.parse(conf_py.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        node.id: node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def problems_of_project(plan: Plan, config: Config, conf_py: Path) -> Iterator[Problem]:
    """Yield the problem of each value that is allowed and fits nothing in this project."""
    lines = assignments(conf_py)
    allowed = {option.name for option in OPTIONS if option.accepts(getattr(config, option.name))}
    for name, message in _unfitting(plan, allowed & {*lines, *config.overrides}):
        yield Problem(subtype=Subtype.CONFIG, message=message, source=str(conf_py), line=lines.get(name, 1))


def _unfitting(plan: Plan, given: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the options whose values fit nothing, each with what is wrong; *given* are the options that are set."""
    settings, pages = plan.settings, plan.lookups.pages
    package = settings.package
    if package and not (plan.lookups.installed(package) or Sources().exists(package)):
        known = {name.partition(".")[0] for name in plan.entry_of}
        if package.partition(".")[0] not in known:
            close = did_you_mean(closest(package, known | {*packages_distributions()}, 2))
            message = f"heuristics_package = {package!r} is neither installed nor documented here{close}"
            yield "heuristics_package", message
    folder = plan.lookups.srcdir / (settings.dir or "")
    if "heuristics_dir" in given and settings.dir and not folder.is_dir():
        close = did_you_mean(
            closest(str(settings.dir), (at.name for at in plan.lookups.srcdir.iterdir() if at.is_dir()))
        )
        yield "heuristics_dir", f"heuristics_dir = {settings.dir!r}: there is no folder {folder}{close}"
    for pattern in settings.exclude:
        if not re.search(r"[*?\[]", pattern) and pattern not in plan.catalogue.pages:
            close = did_you_mean(closest(pattern, plan.catalogue.pages))
            yield "heuristics_exclude", f"heuristics_exclude: {pattern!r} is no document{close}"
    for name, meant in settings.targets.items():
        match = pages.meant(meant)
        if meant and not (match.uri or match.place):
            several = f"; it fits {', '.join(place.docname for place in match.places)}" if match.places else ""
            close = several or did_you_mean(pages.closest(meant))
            yield "heuristics_targets", f"heuristics_targets: {name!r} → {meant!r} is no document, label or URL{close}"
