"""``reach``: confirm the places where heuristics show, or compare them with the reviewed list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.build.builders import reach_place
from sphinxext_heuristics.cli.index import bring_up_to_date, found_in, seen
from sphinxext_heuristics.cli.project import CommandError, add_options, opened, read
from sphinxext_heuristics.cli.terminal import note, say_diff
from sphinxext_heuristics.config import Settings, not_set
from sphinxext_heuristics.diagnostics import report
from sphinxext_heuristics.files import index_file, reach
from sphinxext_heuristics.model import Subtype

if TYPE_CHECKING:
    import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "reach",
        help="confirm the places where heuristics show, or compare them",
        description=(
            "Write the reach file that heuristics_reach_file in conf.py names: the API entries in which each heuristic "
            "shows. What is new or gone is printed as a diff: review it before you commit the file."
        ),
        epilog="Exit code: 0 fine, 1 the file differs (with --check), 2 misuse or failure.",
    )
    add_options(command)
    command.add_argument("--check", action="store_true", help="only compare, and warn of each place that differs")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write or compare the file; return the exit code."""
    with opened(arguments) as app:
        settings = Settings.of(app.config)
        place = reach_place(app, settings)
        if settings.reach_file is None:
            raise CommandError(f"{not_set(app.config, place.conf_py, 'heuristics_reach_file')}: there is no reach file")
        if index_file.is_outside(place.path, place.srcdir):
            raise CommandError(index_file.outside_message(place))
        plan = read(app, leaves={Subtype.REACH})
        found = found_in(place.path)
        if arguments.check:
            differing = list(reach.problems(plan, place))
            report(differing)
            if not differing:
                note(f"{seen(place.path)} is up to date")
            return 1 if differing else 0
        if found is not None and not reach.is_reach_file(found, plan.heuristics):
            raise CommandError(
                f"{place.path} is no reach file: it would be lost; let heuristics_reach_file name another file"
            )
    wanted = reach.content(plan)
    if found is not None and found != wanted:
        say_diff(index_file.unified(found, wanted, seen(place.path)), arguments.color)
    return bring_up_to_date(place.path, found, wanted)
