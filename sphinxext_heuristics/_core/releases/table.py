"""The table of heuristics and releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from packaging.version import Version
from sphinx import addnodes

from sphinxext_heuristics._core.model import Problem, Subtype
from sphinxext_heuristics._core.releases.matrix import Matrix, Standing, matrix_of
from sphinxext_heuristics._core.show.parts import (
    joined,
    meta,
    meta_nodes,
    named,
    paragraph,
    table,
)
from sphinxext_heuristics._core.versions import parse
from sphinxext_heuristics._core.view import View
from sphinxext_heuristics._core.words import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics._core.model import Query
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.show.parts import Meta
    from sphinxext_heuristics._core.view import Here, Named

#: The word for a standing that is not in the file.
_UNKNOWN = "unknown"

#: The word for each standing as readers see it, and its meaning for the legend.
_MEANINGS: dict[str, tuple[str, str]] = {
    Standing.HELD: (_("held"), _("all that the heuristic quotes is in this release")),
    Standing.DRIFTED: (
        _("drifted"),
        _(
            "the code there reads otherwise, in whole or in part: look before "
            "you rely on it"
        ),
    ),
    Standing.ABSENT: (
        _("absent"),
        _("what the heuristic is about is not in this release under this name"),
    ),
    _UNKNOWN: (_("unknown"), _("nobody has looked")),
}

#: The sign of the documented release.
_SIGN = "*"

#: The widths of columns: the heuristic's as many as several of releases.
_WIDE, _NARROW = 24, 8


class TableRow(NamedTuple):
    """A heuristic in the table."""

    named: Named
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

    def content(self, plan: Plan, query: Query, docname: str) -> Table:
        """Return the rows of the chosen heuristics."""
        matrix = matrix_of(plan) or Matrix("", {})
        current = parse(plan.lookups.version)
        # What was on the way to a release is documented as that.
        if current and current.is_devrelease:
            current = Version(current.base_version)
        releases = matrix.releases
        rows = []
        for record in plan.selection(query.filters):
            standings = matrix.of(record)
            words = [str(standings.get(release, _UNKNOWN)) for release in releases]
            rows.append(TableRow(named(record), meta(plan, record), tuple(words)))
        return Table(
            releases=releases,
            documented=tuple(Version(release) == current for release in releases),
            rows=tuple(rows),
        )

    def problems(self, plan: Plan, query: Query) -> Iterator[Problem]:
        """Yield the problems of filters, and that conf.py names no file to show."""
        yield from super().problems(plan, query)
        if matrix_of(plan) is None:
            message = (
                "heuristic-releases shows the file heuristics_releases_file, "
                "which conf.py does not set"
            )
            yield Problem.at(query, Subtype.CONFIG, message)

    def nodes(self, content: Table, here: Here) -> list[nodes.Node]:
        """Return the table with its legend."""
        if not content.releases:
            return [paragraph(_("No release has been looked at."))]
        if not content.rows:
            return [paragraph(_("No heuristic is to be shown."))]
        heads = [_("Heuristic")]
        for release, is_documented in zip(
            content.releases, content.documented, strict=True
        ):
            heads.append(release + _SIGN if is_documented else release)
        widths = [_WIDE, *(_NARROW for _release in content.releases)]
        rows = [_cells(row, here) for row in content.rows]
        made = table(heads, widths, rows, classes=["heuristic-releases"])
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


def _cells(row: TableRow, here: Here) -> list[list[nodes.Node]]:
    cells: list[list[nodes.Node]] = [
        [paragraph(here.heuristic(row.named)), meta_nodes(row.meta)]
    ]
    for word in row.standings:
        classes = [] if word == _UNKNOWN else [f"heuristic-{word}"]
        text = str(_MEANINGS[word][0])
        cells.append([paragraph(nodes.inline("", text, classes=classes))])
    return cells


def _legend(*, is_marked: bool) -> nodes.paragraph:
    meanings = []
    for key, (word, meaning) in _MEANINGS.items():
        name = nodes.emphasis("", str(word), classes=[f"heuristic-{key}"])
        meanings.append([name, nodes.Text(f": {meaning}")])
    if is_marked:
        sign = _("the release that this documentation describes")
        meanings.append([nodes.Text(f"{_SIGN} {sign}")])
    return nodes.paragraph(
        "",
        "",
        nodes.strong("", _("Legend:")),
        nodes.Text(" "),
        *joined(meanings, "; "),
        classes=["heuristic-legend"],
    )
