"""The table of heuristics and releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from packaging.version import InvalidVersion, Version
from sphinx import addnodes
from sphinx.locale import get_translation

from sphinxext_heuristics.api import (
    Problem,
    Subtype,
    View,
    heuristic_ref,
    meta,
    meta_nodes,
    table,
)
from sphinxext_heuristics.releases.matrix import (
    OPTION,
    Matrix,
    Standing,
    file_of,
    load,
    problems,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

    from sphinxext_heuristics.api import Here, HeuristicRef, Meta, PublicPlan, Query

_ = get_translation("sphinxext_heuristics")

#: Marks a text for the catalogue; it is translated where it is used.
N_ = str

#: The word for a standing that is not in the file.
_UNKNOWN = "unknown"

#: The word for each standing as readers see it, and its meaning for the legend.
_MEANINGS: dict[str, tuple[str, str]] = {
    Standing.HELD: (N_("held"), N_("all that the heuristic quotes is in this release")),
    Standing.DRIFTED: (
        N_("drifted"),
        N_(
            "the code there reads otherwise, in whole or in part: look before "
            "you rely on it"
        ),
    ),
    Standing.ABSENT: (
        N_("absent"),
        N_("what the heuristic is about is not in this release under this name"),
    ),
    _UNKNOWN: (N_("unknown"), N_("nobody has looked")),
}

#: The sign of the documented release.
_SIGN = "*"

#: The widths of columns: the heuristic's as many as several of releases.
_WIDE, _NARROW = 24, 8


class TableRow(NamedTuple):
    """A heuristic in the table."""

    ref: HeuristicRef
    meta: Meta
    #: The heuristic's standing in each release, in the order of the columns.
    standings: tuple[str, ...]


class Table(NamedTuple):
    """The table of some heuristics."""

    releases: tuple[str, ...]
    #: Of each release, whether this documentation describes it.
    documented: tuple[bool, ...]
    rows: tuple[TableRow, ...]


class ReleasesView(View):
    """Which heuristic holds in which release of the documented package."""

    name = "heuristic-releases"
    style = Path(__file__).with_name("heuristics-releases.css")
    #: What the file says in this build; ``None`` where conf.py names no file.
    matrix: Matrix | None = None

    def look_into_file(self, app: Sphinx, plan: PublicPlan) -> list[Problem]:
        """Read the file for this build; return what is wrong with it."""
        file = file_of(app)
        self.matrix = load(file, plan.catalogue.package)
        return [*problems(plan.catalogue, self.matrix, file)]

    def content(self, plan: PublicPlan, query: Query, docname: str) -> Table:
        """Return the rows of the chosen heuristics."""
        matrix = self.matrix or Matrix("", {})
        current = _released(plan.catalogue.version)
        releases = matrix.releases
        rows = []
        for record in plan.meanings.selection(query.filters):
            standings = matrix.of(record)
            words = [str(standings.get(release, _UNKNOWN)) for release in releases]
            rows.append(
                TableRow(
                    heuristic_ref(record), meta(plan.catalogue, record), tuple(words)
                )
            )
        return Table(
            releases=releases,
            documented=tuple(Version(release) == current for release in releases),
            rows=tuple(rows),
        )

    def problems(self, plan: PublicPlan, query: Query) -> Iterator[Problem]:
        """Yield the problem that conf.py names no file to show."""
        if self.matrix is None:
            message = f"{self.name} shows the file {OPTION}, which conf.py does not set"
            yield Problem.at(query, Subtype.CONFIG, message)

    def nodes(self, content: Table, here: Here) -> list[nodes.Node]:
        """Return the table with its legend."""
        if not content.releases:
            return [nodes.paragraph("", _("No release has been looked at."))]
        if not content.rows:
            return [nodes.paragraph("", _("No heuristic is to be shown."))]
        heads = [_("Heuristic")]
        for release, is_documented in zip(
            content.releases, content.documented, strict=True
        ):
            heads.append(release + _SIGN if is_documented else release)
        widths = [_WIDE, *(_NARROW for _release in content.releases)]
        rows = [_cells(row, here) for row in content.rows]
        made = table(heads, widths, rows, classes=[self.name])
        # A reader's aid that reads cells needs the heads of rows.
        next(made.findall(nodes.colspec))["stub"] = 1
        for row in made.findall(nodes.row):
            cells = list(row.findall(nodes.entry))[1:]
            for cell, is_documented in zip(cells, content.documented, strict=True):
                if is_documented:
                    cell["classes"].append("heuristic-documented")
        # LaTeX alone ignores the columns' widths: equal ones leave no room for a title.
        spec = "".join(rf"\X{{{width}}}{{{sum(widths)}}}" for width in widths)
        # A long table's end is out of sight where its words are first met.
        return [
            _legend(is_marked=any(content.documented)),
            addnodes.tabular_col_spec("", spec=spec),
            made,
        ]


def _released(version: str) -> Version | None:
    """Return a version; what was on the way to a release is that release."""
    try:
        found = Version(version)
    except InvalidVersion:
        return None
    return Version(found.base_version) if found.is_devrelease else found


def _cells(row: TableRow, here: Here) -> list[list[nodes.Node]]:
    title = nodes.paragraph("", "", here.heuristic(row.ref))
    cells: list[list[nodes.Node]] = [[title, meta_nodes(row.meta)]]
    for word in row.standings:
        classes = [] if word == _UNKNOWN else [f"heuristic-{word}"]
        text = _(_MEANINGS[word][0])
        shown = nodes.inline("", text, classes=classes)
        cells.append([nodes.paragraph("", "", shown)])
    return cells


def _legend(*, is_marked: bool) -> nodes.paragraph:
    legend = nodes.paragraph("", "", classes=["heuristic-legend"])
    legend += nodes.strong("", _("Legend:"))
    before = " "
    for key, (word, meaning) in _MEANINGS.items():
        name = nodes.emphasis("", _(word), classes=[f"heuristic-{key}"])
        legend += [nodes.Text(before), name, nodes.Text(": " + _(meaning))]
        before = "; "
    if is_marked:
        sign = _("the release that this documentation describes")
        legend += nodes.Text(f"{before}{_SIGN} {sign}")
    return legend
