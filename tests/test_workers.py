"""The workers of pytest-xdist: what is expensive is made by one of them, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import chromium
import conftest
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHARED = """
import os, pathlib, pytest

@pytest.fixture(scope="SCOPE")
def build():
    return ""

@pytest.mark.parametrize("number", range(6))
def test(number, build):
    with pathlib.Path(__file__).with_suffix(".workers").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


@pytest.mark.slow
def test_one_worker_runs_a_file_whose_fixture_lasts(tmp_path: Path) -> None:
    # the one imports the other
    for module in (conftest, chromium):
        shutil.copy(module.__file__, tmp_path)
    for scope in ("module", "session"):
        tests = SHARED.replace("SCOPE", scope)
        (tmp_path / f"test_{scope}.py").write_text(tests, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
    ]
    # this worker's own variables are not the others'
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "COVERAGE_"))
    }
    done = subprocess.run(  # noqa: S603 - the command is written right here
        [*command, "."],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout
    for scope in ("module", "session"):
        workers = (tmp_path / f"test_{scope}.workers").read_text("utf-8").split()
        assert len(workers) == 6
        assert len({*workers}) == 1
