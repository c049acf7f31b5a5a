"""What is wrong in conf.py, and in which line."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.config import OPTIONS, PREFIX
from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.model import Problem, Subtype
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from sphinx.config import Config

    from sphinxext_heuristics._core.resolve.plan import Plan

_ASSIGNMENT = re.compile(
    r"^[ \t]*(heuristics?_\w+)[ \t]*(?::[^=\n]+)?[+|]?=(?!=)", re.MULTILINE
)


def problems(plan: Plan, config: Config, conf_py: Path) -> Iterator[Problem]:
    """Yield what is wrong with the configuration values, also with what they mean in the documentation."""
    yield from problems_in(config, conf_py)
    allowed = {
        option.name
        for option in OPTIONS
        if option.accepts(getattr(config, option.name))
    }
    for name, message in _unfitting(
        plan, allowed & {*assignments(conf_py), *config.overrides}
    ):
        yield _problem(conf_py, name, message)


def _unfitting(plan: Plan, given: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the options whose values fit nothing here, with what is wrong; *given* are those that are set."""
    settings, pages = plan.settings, plan.lookups.pages
    package, documented = (
        settings.package,
        {name.partition(".")[0] for name in plan.entry_of},
    )
    is_known = (
        package.partition(".")[0] in documented
        or plan.lookups.installed(package)
        or Sources().exists(package)
    )
    if package and not is_known:
        close = did_you_mean(
            closest(package, documented | {*packages_distributions()}, 2)
        )
        yield (
            "heuristics_package",
            (
                f"heuristics_package = {package!r} is neither installed nor "
                f"documented here{close}"
            ),
        )
    folder = plan.lookups.srcdir / (settings.dir or "")
    if "heuristics_dir" in given and settings.dir and not folder.is_dir():
        folders = (at.name for at in plan.lookups.srcdir.iterdir() if at.is_dir())
        close = did_you_mean(closest(settings.dir, folders))
        yield (
            "heuristics_dir",
            f"heuristics_dir = {settings.dir!r}: there is no folder {folder}{close}",
        )
    for pattern in settings.exclude:
        if not re.search(r"[*?[]", pattern) and pattern not in plan.catalogue.pages:
            close = did_you_mean(closest(pattern, plan.catalogue.pages))
            yield (
                "heuristics_exclude",
                f"heuristics_exclude: {pattern!r} is no document{close}",
            )
    for name, meant in settings.targets.items():
        match = pages.meant(meant)
        if meant and not (match.uri or match.place):
            several = (
                f"; it fits {', '.join(place.docname for place in match.places)}"
                if match.places
                else ""
            )
            close = several or did_you_mean(pages.closest(meant))
            yield (
                "heuristics_targets",
                (
                    f"heuristics_targets: {name!r} → {meant!r} is no document, "
                    f"label or URL{close}"
                ),
            )


def problems_in(config: Config, conf_py: Path) -> list[Problem]:
    """Return what is wrong with the configuration values and where they are set."""
    found = [
        (
            it.name,
            (
                f"{it.name} = {value!r}: allowed is {it.allowed}; the default "
                f"{it.default!r} is used"
            ),
        )
        for it in OPTIONS
        if not it.accepts(value := getattr(config, it.name))
    ]
    words = [option.name.removeprefix(PREFIX) for option in OPTIONS]
    found += [
        (name, f"{name} is not an option of this extension{did_you_mean(close)}")
        for name in assignments(conf_py)
        if (word := name.partition("_")[2]) not in words or not name.startswith(PREFIX)
        # A name that is like none of ours is a variable of the author's.
        if (close := [f"{PREFIX}{one}" for one in closest(word, words, 1)])
    ]
    return [_problem(conf_py, name, message) for name, message in found]


def not_set(config: Config, conf_py: Path, name: str) -> str:
    """Return the words for an option that a command needs: what is wrong with its value, or that it has none."""
    wrong = [
        it for it in problems_in(config, conf_py) if it.message.startswith(f"{name} = ")
    ]
    return (
        f"{conf_py}:{wrong[0].line}: {wrong[0].message}"
        if wrong
        else f"{name} is not set in {conf_py}"
    )


def _problem(conf_py: Path, name: str, message: str) -> Problem:
    line = assignments(conf_py).get(name, 1)
    return Problem(
        subtype=Subtype.CONFIG, message=message, source=str(conf_py), line=line
    )


def assignments(conf_py: Path) -> dict[str, int]:
    """Return the line of each option's last assignment in a conf.py; nothing where there is no such file."""
    text = conf_py.read_text("utf-8", errors="replace") if conf_py.is_file() else ""
    return {
        found[1]: text.count("\n", 0, found.start()) + 1
        for found in _ASSIGNMENT.finditer(text)
    }
