"""What docutils and MyST make of a page with a conflict differs; what we say of it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


@pytest.mark.parametrize("suffix", ["md", "rst"])
def test_of_a_conflict_the_page_says_so_once(
    project: Callable[..., Project], suffix: str
) -> None:
    opening, closing = {
        "md": ("```{heuristic}", "```\n"),
        "rst": (".. heuristic::", ""),
    }[suffix]
    indent = "" if suffix == "md" else "   "
    notes = "".join(
        f"{marker}\n{indent}:note: {note}\n"
        for marker, note in (("<<<<<<< HEAD", "Ours."), ("=======", "Theirs."))
    )
    page = f"{opening} A\n{notes}>>>>>>> theirs\n{indent}:workflow: index\n{closing}"
    start = "Start\n=====\n\n.. toctree::\n\n   heuristics/A\n\n.. heuristic-index::\n"
    conf = 'extensions = ["myst_parser", "sphinxext_heuristics"]\n'
    files = {"conf.py": conf, "index.rst": start, f"heuristics/A.{suffix}": page}
    made = project(files)
    for _time in range(2):
        ours = [one for one in made.build("html").warnings if "[heuristic." in one]
        assert ours == [
            (
                f"<src>/heuristics/A.{suffix}:2: WARNING: this file holds the markers of a merge "
                "conflict [heuristic.file]"
            )
        ]
