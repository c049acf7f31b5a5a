"""What is wrong in conf.py, and in which line."""

from __future__ import annotations

import ast
import os.path
import re
import tokenize
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..config import OPTIONS, PREFIX
from ..diagnostics import closest, did_you_mean
from ..problems import Problem, Subtype
from ..source.names import parse, statements
from .domain import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.config import Config

    from ..config import Settings
    from ..resolve.catalogue import Catalogue
    from ..resolve.pages import Pages
    from ..resolve.plan import Plan

#: An option and what is wrong with its value here.
Unfitting: TypeAlias = tuple[str, str]

#: How our options are called, and what may be meant as one.
_NAME = re.compile(r"heuristics?_\w+")


def problems(plan: Plan, app: Sphinx) -> Iterator[Problem]:
    """Yield what is wrong with configuration values, and with what they mean here."""
    config, conf_py = app.config, Path(app.confdir, "conf.py")
    yield from problems_in(config, conf_py)
    unfitting = [*_of_package(plan)]
    settings = plan.catalogue.settings
    is_given = "heuristics_dir" in {*assignments(conf_py), *config.overrides}
    if is_given and settings.dir == config.heuristics_dir:
        unfitting += _of_folder(settings, Path(app.srcdir))
    unfitting += _of_excluded(plan.catalogue)
    unfitting += _of_targets(settings, plan.meanings.pages)
    for name, message in unfitting:
        yield _problem(conf_py, name, message)


def _of_package(plan: Plan) -> Iterator[Unfitting]:
    """Yield what is wrong with a package that is not documented, installed or there."""
    package = plan.catalogue.package
    if not package:
        return
    exists = plan.meanings.sources.exists
    top = package.partition(".")[0]
    if exists(top):
        is_there, known = exists(package), {top}
    else:
        is_there, known = top in plan.meanings.documented_packages, set()
    if not is_there:
        known |= {*plan.meanings.documented_packages, *packages_distributions()}
        message = (
            f"heuristics_package = {package!r} is neither installed nor "
            f"documented here{did_you_mean(closest(package, known, 2))}"
        )
        yield "heuristics_package", message


def _of_folder(settings: Settings, srcdir: Path) -> Iterator[Unfitting]:
    if settings.dir and not is_folder(srcdir / settings.dir):
        folder = srcdir / settings.dir
        message = f"heuristics_dir = {settings.dir!r}: there is no folder {folder}"
        yield "heuristics_dir", message


def is_folder(path: Path) -> bool:
    """Return whether there is a folder of this name."""
    return os.path.isdir(path)  # noqa: PTH112 - Path raises for a name that is too long


def _of_excluded(catalogue: Catalogue) -> Iterator[Unfitting]:
    for pattern in catalogue.settings.exclude:
        is_name = not re.search(r"[*?[]", pattern)
        if is_name and pattern not in catalogue.pages:
            close = did_you_mean(closest(pattern, catalogue.pages))
            message = f"heuristics_exclude: {pattern!r} is no document{close}"
            yield "heuristics_exclude", message


def _of_targets(settings: Settings, pages: Pages) -> Iterator[Unfitting]:
    for name, target in settings.targets.items():
        if not target or pages.meant(target).address:
            continue
        hint = did_you_mean(pages.closest(target))
        what = f"heuristics_targets: {name!r} → {target!r}"
        message = f"{what} does not name one document, label or URL{hint}"
        yield "heuristics_targets", message


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
    return Problem(Subtype.CONFIG, message, str(conf_py), line, option=name)


def assignments(conf_py: Path) -> dict[str, int]:
    """Return the line of each option's last assignment; none where there is no file.

    Functions and classes have names of their own.
    """
    try:
        with tokenize.open(conf_py) as file:
            tree = parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, int] = {}
    for within, statement in statements(tree):
        if within:
            continue
        for name in _assigned(statement):
            if _NAME.fullmatch(name.id):
                found[name.id] = name.lineno
    return found


def _assigned(statement: ast.stmt) -> Iterator[ast.Name]:
    """Yield the names to which a statement assigns a value."""
    targets: list[ast.expr] = []
    match statement:
        case ast.Assign():
            targets = statement.targets
        case ast.AnnAssign() | ast.AugAssign():
            targets = [statement.target]
    for part in chain.from_iterable(map(ast.walk, targets)):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part
