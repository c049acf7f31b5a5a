"""``list``: the heuristics and where they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import counted
from ..files.export import Exporter, pages_by_heuristic
from ..notes.inline import text_of
from .project import Command, read
from .writing import note, say, say_json

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx


#: How many places a heuristic are listed; ``--json`` has all.
MAX_PLACES = 8


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the list; return the exit code."""
    plan = read(app)
    if arguments.json:
        exporter = Exporter(plan, Path(app.srcdir), app.builder.get_target_uri)
        items = [exporter.heuristic(record) for record in plan.heuristics.values()]
        say_json(items)
        return 0
    pages = pages_by_heuristic(plan)
    for record in plan.heuristics.values():
        say(f"{record.name}  {record.severity}  {text_of(record.note)}")
        places = [shown.name for shown in plan.shown_in.get(record.name, ())]
        places += [
            f"{docname}#{anchor}" if anchor else docname
            for docname, anchor in pages.get(record.name, ())
        ]
        for place in places[:MAX_PLACES]:
            say(f"    {place}")
        if len(places) > MAX_PLACES:
            say(f"    … and {len(places) - MAX_PLACES} more")
        if not places:
            say("    (shown nowhere but on its page)")
    note(counted(len(plan.heuristics), "heuristic"))
    return 0


COMMAND = Command(
    name="list",
    help="list the heuristics: name, severity, note, where they are shown",
    description="List the heuristics in the toctree's order: name, severity, note, "
    "and where they are shown.",
    run=run,
    arguments=(("--json", "", "print the list 'heuristics' of heuristics.json"),),
)
