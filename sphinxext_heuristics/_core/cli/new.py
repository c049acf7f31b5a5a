"""``new``: write the skeleton of a heuristic's page."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from ..config import Settings
from ..read.heuristic import NAME
from ..resolve.pages import fold
from .project import Command, CommandError
from .writing import note, say, seen, there_already, write_new

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx

#: Everything is left empty that only the author knows: what is still empty is a warning
#: of the build, not a guess.
_OPTIONS = """\
:title: {title}
:note:
:impl:
:workflow:
:principle:
:category:
:severity: tip
"""
_WHAT = "What to do, first. Then when it bites, why, and what it costs."
MYST = f"````{{{{heuristic}}}} {{name}}\n{_OPTIONS}\n% {_WHAT}\n````\n"
RST = f".. heuristic:: {{name}}\n{indent(_OPTIONS, '   ')}\n   .. {_WHAT}\n"

#: The extensions that read a directive in Markdown.
MYST_EXTENSIONS = frozenset({"myst_parser", "myst_nb"})


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Write the page; return the exit code."""
    settings = Settings.of(app.config)
    has_myst = not MYST_EXTENSIONS.isdisjoint(app.extensions)
    name = settings.strip(arguments.name)
    if not NAME.fullmatch(name):
        raise CommandError(
            f"{arguments.name!r} is no name: allowed are letters, digits, '_', "
            "'-' and '.', and at least one letter or digit"
        )
    if Path(name).suffix in app.config.source_suffix:
        raise CommandError(
            f"{arguments.name!r} is the name of a file: write {Path(name).stem!r}"
        )
    if settings.dir is None:
        raise CommandError(
            "heuristics_dir is None in conf.py: there is no folder for pages "
            "of heuristics"
        )
    folder = Path(app.srcdir) / settings.dir
    page = settings.page_name(name)
    for other in folder.glob("*.*"):
        if other.suffix in {".md", ".rst"} and fold(other.stem) == fold(page):
            raise there_already(other)
    suffix, form = (".rst", RST) if arguments.rst or not has_myst else (".md", MYST)
    path = folder / f"{page}{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    headings = (
        f"\n{it}\n{'-' * len(it)}\n" if form is RST else f"\n# {it}\n"
        for it in settings.sections
    )
    options = form.format(name=name, title=name.replace("_", " "))
    write_new(path, "".join([options, *headings]))
    say(seen(path))
    note(f"Fill it in and list it in a toctree, as {settings.dir.strip('/')}/{page}")
    return 0


COMMAND = Command(
    name="new",
    help="write the skeleton of a heuristic's page into heuristics_dir",
    run=run,
    arguments=(
        (
            "name",
            "NAME",
            "the name, with or without the namespace: letters, digits, _ - .",
        ),
        ("--rst", "", "write reStructuredText, also where MyST is loaded"),
    ),
)
