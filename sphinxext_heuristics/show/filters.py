"""What all views have in common whose directive chooses heuristics by filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinxext_heuristics.resolve import checks
from sphinxext_heuristics.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.model import Problem, Query
    from sphinxext_heuristics.resolve.plan import Plan


class FilteredView(View):
    """A view of the heuristics that the options of its directive choose."""

    def problems(self, plan: Plan, query: Query) -> Iterator[Problem]:
        """Yield the problem of each filter that names nothing."""
        yield from checks.of_filters(plan, query)
