"""One text file per session; see `session`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CASES
from session import Session, fits

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS = sorted(CASES.glob("sessions/*.txt"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path: Path, tmp_path: Path) -> None:
    for step, expected, shown in Session(path, tmp_path).play():
        if not fits(shown, expected):
            assert shown == expected, step
