"""What is wrong in conf.py, and in which line."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from sphinxext_heuristics.config import OPTIONS, PREFIX
from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def problem_of_package(config: Config, conf_py: Path) -> Problem:
    """Return the problem of bounds that no version judges."""
    name = "heuristics_package"
    message = (
        f"{name} = {getattr(config, name)!r}: no installed version of it is known, and conf.py has no release: "
        "since and until are not judged"
    )
    line = assignments(conf_py).get(name, 1)
    return Problem(subtype=Subtype.CONFIG, message=message, source=str(conf_py), line=line)


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


def problems_of_targets(plan: Plan, conf_py: Path) -> Iterator[Problem]:
    """Yield the problem of each value of ``heuristics_targets`` that means nothing."""
    pages = plan.lookups.pages
    for name, meant in plan.settings.targets.items():
        match = pages.meant(meant)
        if meant and not (match.uri or match.place):
            several = f"; it fits {', '.join(place.docname for place in match.places)}" if match.places else ""
            close = several or did_you_mean(pages.closest(meant))
            yield Problem(
                subtype=Subtype.CONFIG,
                message=f"heuristics_targets: {name!r} → {meant!r} is no document, label or URL{close}",
                source=str(conf_py),
                line=assignments(conf_py).get("heuristics_targets", 1),
            )
