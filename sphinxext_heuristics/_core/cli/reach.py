"""``reach``: write the reviewed list of places, or compare it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics import ordered
from ..files import reach
from ..files.project_file import read as read_file
from ..integration.builders import REACH_FILE, project_file
from ..problems import Subtype
from .project import Command, read
from .writing import bring_up_to_date, note, required, say, say_json, seen, warning

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx

    from ..files.project_file import ProjectFile
    from ..resolve.plan import Plan


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Write or compare the file; return the exit code."""
    file = project_file(app, REACH_FILE)
    if arguments.check or not arguments.json:
        required(file)
    plan = read(app, leaves={Subtype.REACH})
    if not (arguments.check or arguments.json):
        return _renew(plan, file)
    differing = ordered(reach.problems(plan, file)) if arguments.check else []
    if arguments.json:
        say_json(reach.rows(plan))
    else:
        for problem in differing:
            say(warning(problem))
        if not differing:
            note(f"{seen(file.path)} is up to date")
    return 1 if differing else 0


def _renew(plan: Plan, file: ProjectFile) -> int:
    """Write the file; print what differs, and why, where few causes have many lines."""
    found, wanted = read_file(file.path) or "", reach.content(plan)
    if reach.HEAD in found:
        differing = {*found.split("\n")} ^ {*wanted.split("\n")}
        causes = ordered(reach.problems(plan, file))
        for problem in causes if len(causes) < len(differing) else ():
            say(warning(problem))
    return bring_up_to_date(file, wanted, head=reach.HEAD, shows_diff=True)


COMMAND = Command(
    name="reach",
    help="confirm the places where heuristics show, or compare them",
    description=(
        "Write the reach file that heuristics_reach_file in conf.py names: the API "
        "entries in which each heuristic shows. What is new or gone is printed, as a "
        "diff and by its causes: review it before you commit the file."
    ),
    run=run,
    arguments=(
        ("--check", "", "only compare, and warn of each cause of what differs"),
        ("--json", "", "write no file; print all places for programs"),
    ),
)
