"""``list``: the heuristics and where they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..diagnostics import counted
from ..files.export import Exporter
from ..notes.inline import text_of
from .project import Command, read
from .writing import note, say, say_json

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Print the list; return the exit code."""
    plan = read(app)
    if arguments.json:
        exporter = Exporter(plan, app.builder.get_target_uri, Path(app.srcdir))
        items = [
            exporter.heuristic(record) for record in plan.catalogue.heuristics.values()
        ]
        say_json(items)
        return 0
    for record in plan.catalogue.heuristics.values():
        say(f"{record.name}  {record.severity}  {text_of(record.note)}")
        places = [shown.name for shown in plan.placing.shown_in.get(record.name, ())]
        places += map(str, plan.placing.shown_on.get(record.name, ()))
        for place in places or ["(shown nowhere but on its page)"]:
            say(f"    {place}")
    note(counted(len(plan.catalogue.heuristics), "heuristic"))
    return 0


COMMAND = Command(
    name="list",
    help="list the heuristics in the toctree's order, and where they are shown",
    run=run,
    arguments=(("--json", "", "print the list 'heuristics' of heuristics.json"),),
)
