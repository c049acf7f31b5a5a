"""What is wrong in conf.py, and in which line."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..config import OPTIONS, PREFIX
from ..diagnostics import closest, did_you_mean
from ..model import Problem, Subtype
from .domain import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sphinx.config import Config

    from ..resolve.plan import Plan

_ASSIGNMENT = re.compile(
    r"^[ \t]*(heuristics?_\w+)[ \t]*(?::[^=\n]+)?[+|]?=(?!=)", re.MULTILINE
)


def problems(plan: Plan, config: Config, conf_py: Path) -> Iterator[Problem]:
    """Yield what is wrong with configuration values, and with what they mean here."""
    yield from problems_in(config, conf_py)
    given = {*assignments(conf_py), *config.overrides}
    is_given = "heuristics_dir" in given and plan.settings.dir == config.heuristics_dir
    for name, message in _unfitting(plan, is_dir_given=is_given):
        yield _problem(conf_py, name, message)


def _unfitting(plan: Plan, *, is_dir_given: bool) -> Iterator[tuple[str, str]]:
    """Yield the options whose values fit nothing here, with what is wrong."""
    settings, pages = plan.settings, plan.page_names
    if settings.package and not _is_package(plan, settings.package):
        top = settings.package.partition(".")[0]
        known = {*plan.documented_packages, *packages_distributions()}
        known.update([top] if plan.sources.exists(top) else [])
        yield (
            "heuristics_package",
            (
                f"heuristics_package = {settings.package!r} is neither installed nor "
                f"documented here{did_you_mean(closest(settings.package, known, 2))}"
            ),
        )
    if is_dir_given and settings.dir:
        folder = plan.srcdir / settings.dir
        if not folder.is_dir():
            message = f"heuristics_dir = {settings.dir!r}: there is no folder {folder}"
            yield "heuristics_dir", message
    for pattern in settings.exclude:
        is_name = not re.search(r"[*?[]", pattern)
        if is_name and pattern not in plan.pages:
            close = did_you_mean(closest(pattern, plan.pages))
            message = f"heuristics_exclude: {pattern!r} is no document{close}"
            yield "heuristics_exclude", message
    for name, target in settings.targets.items():
        match = pages.meant(target)
        if not target or match.target:
            continue
        hint = did_you_mean(pages.closest(target))
        what = f"heuristics_targets: {name!r} → {target!r}"
        message = f"{what} does not name one document, label or URL{hint}"
        yield "heuristics_targets", message


def _is_package(plan: Plan, package: str) -> bool:
    """Return whether a package is documented, installed or on the path."""
    top = package.partition(".")[0]
    if plan.sources.exists(top):
        return plan.sources.exists(package)
    return top in plan.documented_packages


def problems_in(config: Config, conf_py: Path) -> list[Problem]:
    """Return what is wrong with the configuration values and where they are set."""
    found = [
        _problem(conf_py, option.name, message)
        for option in OPTIONS
        if (message := option.fault(getattr(config, option.name)))
    ]
    words = [option.name.removeprefix(PREFIX) for option in OPTIONS]
    for name in assignments(conf_py):
        if hasattr(config, name):
            continue
        prefix, _underscore, word = name.partition("_")
        other, _underscore, rest = word.partition("_")
        extension = f"{EXTENSION}.{other}"
        if f"{prefix}_" == PREFIX and rest and find_spec(extension):
            message = f"{name} is an option of {extension!r}: add it to extensions"
            found.append(_problem(conf_py, name, message))
            continue
        close = closest(word, words, 1)
        if close or f"{prefix}_" == PREFIX:
            hint = did_you_mean(f"{PREFIX}{alike}" for alike in close)
            if not close:
                hint = f"; let a variable of your own not begin with {PREFIX!r}"
            message = f"{name} is not an option of this extension{hint}"
            found.append(_problem(conf_py, name, message))
    return found


def _problem(conf_py: Path, name: str, message: str) -> Problem:
    line = assignments(conf_py).get(name, 1)
    return Problem(
        subtype=Subtype.CONFIG, message=message, source=str(conf_py), line=line
    )


def assignments(conf_py: Path) -> dict[str, int]:
    """Return the line of each option's last assignment; none where there is no file."""
    if not conf_py.is_file():
        return {}
    text = conf_py.read_text("utf-8", errors="replace")
    found = _ASSIGNMENT.finditer(text)
    return {match[1]: text.count("\n", 0, match.start()) + 1 for match in found}
