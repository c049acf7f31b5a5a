"""The workers of pytest-xdist: what is expensive is made by one of them, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import conftest
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHARED = """
import os, pathlib, pytest

MARK

@pytest.fixture(scope="SCOPE")
def build():
    return ""

@pytest.mark.parametrize("number", range(6))
def test(number, build):
    with pathlib.Path(__file__).with_suffix(".workers").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def shared(folder: Path, name: str, mark: str = "", scope: str = "function") -> Path:
    """Write a file of tests."""
    path = folder / f"test_{name}.py"
    path.write_text(
        SHARED.replace("MARK", mark).replace("SCOPE", scope), encoding="utf-8"
    )
    return path


def test_a_group_belongs_together_and_a_file_with_a_fixture_that_lasts(
    tmp_path: Path,
) -> None:
    group = 'pytestmark = pytest.mark.xdist_group("of two")'
    assert conftest.worker_group(shared(tmp_path, "one", group)) == "of two"
    assert conftest.worker_group(shared(tmp_path, "two", group, "session")) == "of two"
    for scope in ("module", "session"):
        path = shared(tmp_path, scope, scope=scope)
        assert conftest.worker_group(path) == str(path)
    assert conftest.worker_group(shared(tmp_path, "free")) == ""


@pytest.mark.slow
def test_one_worker_runs_what_belongs_together(tmp_path: Path) -> None:
    shutil.copy(conftest.__file__, tmp_path)
    group = 'pytestmark = pytest.mark.xdist_group("of two")'
    files = [
        shared(tmp_path, "one", group),
        shared(tmp_path, "two", group),
        shared(tmp_path, "three", scope="module"),
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "--dist",
        "loadgroup",
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
    one, two, three = (
        path.with_suffix(".workers").read_text(encoding="utf-8").split()
        for path in files
    )
    assert len(one) == len(two) == len(three) == 6
    assert len({*one, *two}) == len({*three}) == 1
