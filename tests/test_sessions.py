"""One text file per session; see `session`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CASES
from session import check, fits

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS = sorted(CASES.glob("sessions/*.txt"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path)


@pytest.mark.parametrize(
    ("expected", "shown", "same"),
    [
        ("a […] c", "a b c", True),
        ("a […]", "a b\nc", False),
        ("a\n[…]\n[1]", "a\nb\nc\n[1]", True),
        ("a\n[…]", "a", True),
        ("a\n! […]", "a\n! b\n! c", True),
        ("a\n! […]", "a\n! b\n[1]", False),
    ],
)
def test_what_stands_for_anything(expected: str, shown: str, *, same: bool) -> None:
    assert fits(shown, expected) is same
