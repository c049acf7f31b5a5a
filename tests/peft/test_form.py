"""The form of the heuristics' pages: one screen for people in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from form import Length, lengths

if TYPE_CHECKING:
    from conftest import Built

# the site of real PEFT takes minutes to build
pytestmark = [pytest.mark.peft, pytest.mark.slow, pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def pages(site: Built) -> dict[str, Length]:
    return lengths(site.out)


def test_no_page_is_longer_than_a_screen_and_half_are_shorter_with_folds_or_without(
    pages: dict[str, Length],
) -> None:
    assert [name for name, its in pages.items() if its.in_sight > 300] == []
    for short in (
        [name for name, its in pages.items() if its.in_sight <= 250],
        [name for name, its in pages.items() if its.words <= 550],
    ):
        assert len(short) >= len(pages) / 2


def test_each_begins_with_code_of_eight_lines_at_most(pages: dict[str, Length]) -> None:
    assert [name for name, its in pages.items() if not 0 < its.first_block <= 8] == []
