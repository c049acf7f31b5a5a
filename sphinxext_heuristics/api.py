"""What other extensions may import; every other module may change at any time.

All names in ``__all__`` are stable from version 0.1.0 on; what goes is deprecated
first. Records are named tuples: take their fields by name, since a version may add
some.

The core emits the event ``heuristics-resolved`` once in each build, when all pages are
read, and before anything is shown or warned of. Its handlers take the application and
the :class:`PublicPlan`, and may return a list of :class:`Problem`: warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core.files.project_file import ProjectFile
from ._core.integration.builders import configured_file
from ._core.model import (
    SEVERITIES,
    Address,
    Connection,
    Entry,
    Evidence,
    Found,
    Heuristic,
    Lost,
    LostReason,
    Message,
    Note,
    Query,
)
from ._core.problems import Problem, Subtype
from ._core.read.mentions import link_name
from ._core.read.options import DirectiveOption, ListOption, as_written, flag, one_of
from ._core.read.queries import FilteredDirective
from ._core.resolve.listing import Link, bounds
from ._core.resolve.public import (
    PublicCatalogue,
    PublicMeanings,
    PublicPlacing,
    PublicPlan,
    PublicQuotes,
)
from ._core.resolve.records import Form, Nearness, Rule, Shown, Verdict
from ._core.show.parts import Meta, heuristic_ref, link_nodes, meta, meta_nodes, table
from ._core.source.packages import Sources
from ._core.versions import distribution, holds
from ._core.view import Here, HeuristicRef, View, add_view
from ._output import replace_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ._core.cli.project import CommandError, add_options, opened, read
    from ._core.cli.running import run
    from ._core.cli.writing import bring_up_to_date, required

__all__ = [
    "SEVERITIES",
    "Address",
    "CommandError",
    "Connection",
    "DirectiveOption",
    "Entry",
    "Evidence",
    "FilteredDirective",
    "Form",
    "Found",
    "Here",
    "Heuristic",
    "HeuristicRef",
    "Link",
    "ListOption",
    "Lost",
    "LostReason",
    "Message",
    "Meta",
    "Nearness",
    "Note",
    "Problem",
    "ProjectFile",
    "PublicCatalogue",
    "PublicMeanings",
    "PublicPlacing",
    "PublicPlan",
    "PublicQuotes",
    "Query",
    "Rule",
    "Shown",
    "Subtype",
    "Verdict",
    "View",
    "add_options",
    "add_view",
    "as_written",
    "bounds",
    "bring_up_to_date",
    "configured_file",
    "distribution",
    "flag",
    "heuristic_ref",
    "holds",
    "link_name",
    "link_nodes",
    "look_for",
    "meta",
    "meta_nodes",
    "one_of",
    "opened",
    "read",
    "replace_files",
    "required",
    "run",
    "table",
]


def __dir__() -> list[str]:
    """Return what others may import."""
    return __all__


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what has the name
    """Import what only commands need when it is asked for: it takes 5 ms."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._core.cli import project, running, writing  # noqa: PLC0415 - as above

    of_commands = vars(project) | vars(writing) | vars(running)
    return of_commands[name]


def look_for(quotes: Iterable[Evidence], folder: Path) -> list[Found | Lost]:
    """Return where each quote is in the source below *folder*, or why it is not there.

    The folder holds packages as a folder on Python's path does. Nothing is imported.
    """
    from ._core.evidence.search import verify  # noqa: PLC0415 - as above

    sources = Sources([str(folder)])
    return [verify(quoted, sources) for quoted in quotes]
