"""``index``: write the index file, or compare it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files import index_file
from ..integration.builders import INDEX_FILE, project_file
from ..problems import Subtype
from .project import Command, read
from .writing import bring_up_to_date, required, warning

if TYPE_CHECKING:
    import argparse

    from sphinx.application import Sphinx


def run(app: Sphinx, arguments: argparse.Namespace) -> int:
    """Write or compare the file; return the exit code."""
    file = required(project_file(app, INDEX_FILE))
    plan = read(app, leaves={Subtype.INDEX})
    wanted = index_file.content(plan, file.path, app.env.doc2path)
    found = index_file.problems(file, wanted) if arguments.check else ()
    remark = "".join(map(warning, found))
    return bring_up_to_date(file, wanted, remark, head=index_file.HEAD)


COMMAND = Command(
    name="index",
    help="write the index file heuristics_index_file, or compare it",
    run=run,
    arguments=(
        ("--check", "", "only compare, and print what differs as a unified diff"),
    ),
)
