"""The table of heuristics and releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from packaging.version import Version
from sphinx import addnodes

from sphinxext_heuristics.releases import Standing
from sphinxext_heuristics.versions import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.plan import Plan

#: What the legend says of each word.
_MEANINGS = {
    Standing.HELD: "all that the heuristic quotes is in this release",
    Standing.DRIFTED: "the code there reads otherwise, in whole or in part: look before you rely on it",
    Standing.ABSENT: "what the heuristic is about is not in this release under this name",
}
#: The word for what nobody has looked at.
_UNKNOWN = "unknown"

#: The sign of the documented release, and its class.
_SIGN, _DOCUMENTED = "*", "heuristic-documented"

#: The widths of columns: the heuristic's as many as several of releases.
_WIDE, _NARROW = 24, 8


def table_of(
    plan: Plan, records: Iterable[Heuristic], first: Callable[[Heuristic], Sequence[nodes.Node]]
) -> list[nodes.Node]:
    """Return the table of heuristics and releases with its legend; *first* returns what the first column holds."""
    releases = plan.releases
    if not releases:
        return [nodes.paragraph("", "No release has been looked at.")]
    records = list(records)
    if not records:
        return [nodes.paragraph("", "No heuristic is to be shown.")]
    documented = {release for release in releases if is_same(release, plan.known.version)}
    group = nodes.tgroup(cols=len(releases) + 1)
    # The heads of rows, as a reader's aid that reads cells wants them.
    group += nodes.colspec(colwidth=_WIDE, stub=1)
    group += [nodes.colspec(colwidth=_NARROW) for _release in releases]
    heads = [_cell(release + _SIGN * (release in documented), release in documented) for release in releases]
    group += nodes.thead("", nodes.row("", _cell("Heuristic"), *heads))
    group += nodes.tbody(
        "",
        *(
            nodes.row("", nodes.entry("", *first(record)), *_standings(plan.standings(record), releases, documented))
            for record in records
        ),
    )
    # LaTeX alone takes no heed of the columns' widths: equal ones leave no room for a title.
    total = _WIDE + _NARROW * len(releases)
    spec = rf"\X{{{_WIDE}}}{{{total}}}" + rf"\X{{{_NARROW}}}{{{total}}}" * len(releases)
    # A long table's end is out of sight where its words are first met.
    return [
        _legend(documented),
        addnodes.tabular_col_spec("", spec=spec),
        nodes.table("", group, classes=["heuristic-releases", "longtable"]),
    ]


def is_same(release: str, version: str) -> bool:
    """Return whether *version* is a release, or was on the way to it."""
    current = parse(version)
    if current is None:
        return False
    return Version(release) in {current, Version(current.base_version) if current.is_devrelease else current}


def _standings(standings: dict[str, Standing], releases: Sequence[str], documented: set[str]) -> Iterable[nodes.entry]:
    for release in releases:
        yield _cell(standings.get(release, _UNKNOWN), release in documented)


def _cell(word: str, is_documented: bool = False) -> nodes.entry:  # noqa: FBT001, FBT002 - the word says what it is
    shown = nodes.inline("", str(word), classes=[f"heuristic-{word}"] if word in set(Standing) else [])
    return nodes.entry("", nodes.paragraph("", "", shown), classes=[_DOCUMENTED] if is_documented else [])


def _legend(documented: set[str]) -> nodes.paragraph:
    legend = nodes.paragraph("", "", nodes.strong("", "Legend:"), classes=["heuristic-legend"])
    meanings = {**{str(word): meaning for word, meaning in _MEANINGS.items()}, _UNKNOWN: "nobody has looked"}
    for number, (word, meaning) in enumerate(meanings.items()):
        legend += [nodes.Text("; " if number else " "), nodes.emphasis("", word), nodes.Text(f": {meaning}")]
    if documented:
        legend += nodes.Text(f"; {_SIGN} the release that this documentation describes")
    return legend
