"""One text file per session; see `session`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CASES
from session import check

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS = sorted(CASES.glob("sessions/*.txt"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path)
