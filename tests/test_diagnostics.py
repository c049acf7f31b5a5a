"""Warnings can be suppressed, and name what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sphinxext_heuristics._core.diagnostics import closest, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


@pytest.mark.parametrize(
    ("suppressed", "count"), [("heuristic", 0), ("heuristic.target", 1), ("ref", 2)]
)
def test_warnings_can_be_suppressed_by_type_and_subtype(
    project: Callable[..., Project], suppressed: str, count: int
) -> None:
    conf = (
        f'extensions = ["sphinxext_heuristics"]\nsuppress_warnings = ["{suppressed}"]\n'
    )
    index = "Start\n=====\n\n.. heuristic:: One\n   :note: See :heuristic:`No`.\n   :impl: no.where\n"
    built = project({"conf.py": conf, "index.rst": index}).build("html", "-W")
    assert len(built.warnings) == count
    assert built.status == (1 if count else 0)


@pytest.mark.parametrize(
    ("word", "names", "expected"),
    [
        ("safe_merge", ["Safe_Merge", "Other"], ("Safe_Merge",)),
        ("x", ["Safe_Merge"], ()),
        ("same", ["SAME", "same"], ("SAME",)),
        ("abcd", ["abce", "abcf", "abcg", "abch"], ("abch", "abcg", "abcf")),
    ],
)
def test_closest(word: str, names: list[str], expected: tuple[str, ...]) -> None:
    assert closest(word, names) == expected


def test_did_you_mean() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a", "b"]) == "; did you mean 'a' or 'b'?"
