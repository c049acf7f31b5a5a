"""The form of the heuristics' pages: one screen for people in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from form import Length, lengths

if TYPE_CHECKING:
    from conftest import Built

pytestmark = [pytest.mark.peft, pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def pages(site: Built) -> dict[str, Length]:
    return lengths(site.out)


def test_no_page_is_longer_than_a_screen_and_half_are_shorter(
    pages: dict[str, Length],
) -> None:
    in_sight = {name: its.in_sight for name, its in pages.items()}
    assert {name: words for name, words in in_sight.items() if words > 300} == {}
    short = [name for name, words in in_sight.items() if words <= 250]
    assert len(short) >= len(pages) / 2


def test_half_of_the_pages_are_short_with_their_folds(
    pages: dict[str, Length],
) -> None:
    short = [name for name, its in pages.items() if its.words <= 550]
    assert len(short) >= len(pages) / 2


def test_each_begins_with_code_of_eight_lines_at_most(
    pages: dict[str, Length],
) -> None:
    lines = {name: its.first_block for name, its in pages.items()}
    assert {name: count for name, count in lines.items() if not 0 < count <= 8} == {}
