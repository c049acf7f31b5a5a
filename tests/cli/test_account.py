"""What `explain` says is what the pages show, for each entry, page and heuristic of the cases."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from accounts import differences
from conftest import CASES, Project, others_may_warn, read_case

from sphinxext_heuristics._core.cli import parser
from sphinxext_heuristics._core.cli.project import opened, read

if TYPE_CHECKING:
    from pathlib import Path

GOOD = sorted(CASES.glob("*.txt"))
#: Some show each form; the rest are run with the slow tests.
FIRST = {
    "heuristics_for",
    "page_linked",
    "page_by_hand",
    "rollup",
    "subclasses_on_one_page",
}


def cases() -> list[object]:
    return [
        pytest.param(
            path, id=path.stem, marks=[] if path.stem in FIRST else pytest.mark.slow
        )
        for path in GOOD
    ]


@pytest.mark.parametrize("path", cases())
def test_explain_says_what_the_pages_show(path: Path, tmp_path: Path) -> None:
    project = Project(tmp_path, read_case(path).files)
    built = project.ok("html")
    command = ["explain", str(project.src), "", "--silent"]
    modules = set(sys.modules)
    with others_may_warn(), opened(parser().parse_args(command)) as app:
        assert not list(differences(built, read(app)))
    project.forget(modules)
