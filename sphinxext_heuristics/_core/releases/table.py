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

#: The word for what nobody has looked at.
_UNKNOWN = "unknown"

#: What readers see of each word, and what the legend says of it.
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


class Row(NamedTuple):
    """A heuristic in the table."""

    named: Named
    meta: Meta
    #: The heuristic's standing in each release, in the order of the columns.
    standings: tuple[str, ...]


class Table(NamedTuple):
    """The table of some heuristics."""

    releases: tuple[str, ...]
    #: The releases that this documentation describes: one, or none that was looked at.
    documented: tuple[str, ...]
    rows: tuple[Row, ...]


class ReleasesView(View):
    """Which heuristic holds in which release of the documented package."""

    name = "heuristic-releases"

    def content(self, plan: Plan, query: Query, docname: str) -> Table:
        """Return the rows of what is asked for."""
        known, current = matrix_of(plan), parse(plan.lookups.version)
        # What was on the way to a release is documented as that.
        here = {
            current,
            current and current.is_devrelease and Version(current.base_version),
        }
        matrix = known if isinstance(known, Matrix) else Matrix(package="", rows={})
        releases = matrix.releases
        rows = ((record, matrix.of(record)) for record in plan.selection(query.filters))
        return Table(
            releases=releases,
            documented=tuple(
                release for release in releases if Version(release) in here
            ),
            rows=tuple(
                Row(
                    named(record),
                    meta(plan, record),
                    tuple(str(standings.get(one, _UNKNOWN)) for one in releases),
                )
                for record, standings in rows
            ),
        )

    def problems(self, plan: Plan, query: Query) -> Iterator[Problem]:
        """Yield, beside what filters get wrong, that conf.py does not name the file that is shown."""
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
        documented = [release in content.documented for release in content.releases]
        heads = [
            release + _SIGN * marked
            for release, marked in zip(content.releases, documented, strict=True)
        ]
        widths = [_WIDE, *(_NARROW for _release in content.releases)]
        made = table(
            [_("Heuristic"), *heads],
            widths,
            ([*_cells(row, here)] for row in content.rows),
            classes=["heuristic-releases"],
        )
        # A reader's aid that reads cells needs the heads of rows.
        next(made.findall(nodes.colspec))["stub"] = 1
        for row in made.findall(nodes.row):
            _first_cell, *cells = row.findall(nodes.entry)
            for cell, is_documented in zip(cells, documented, strict=True):
                cell["classes"] += ["heuristic-documented"] * is_documented
        # LaTeX alone ignores the columns' widths: equal ones leave no room for a title.
        spec = "".join(rf"\X{{{width}}}{{{sum(widths)}}}" for width in widths)
        # A long table's end is out of sight where its words are first met.
        return [
            _legend(is_marked=any(documented)),
            addnodes.tabular_col_spec("", spec=spec),
            made,
        ]


def _cells(row: Row, here: Here) -> Iterator[list[nodes.Node]]:
    yield [paragraph(here.heuristic(row.named)), meta_nodes(row.meta)]
    for word in row.standings:
        classes = [f"heuristic-{word}"] if word in set(Standing) else []
        yield [paragraph(nodes.inline("", str(_MEANINGS[word][0]), classes=classes))]


def _legend(*, is_marked: bool) -> nodes.paragraph:
    legend = nodes.paragraph(
        "", "", nodes.strong("", _("Legend:")), classes=["heuristic-legend"]
    )
    meanings = (
        [
            nodes.emphasis("", str(word), classes=[f"heuristic-{key}"]),
            nodes.Text(f": {meaning}"),
        ]
        for key, (word, meaning) in _MEANINGS.items()
    )
    legend += [nodes.Text(" "), *joined(meanings, "; ")]
    if is_marked:
        legend += nodes.Text(
            f"; {_SIGN} " + _("the release that this documentation describes")
        )
    return legend
