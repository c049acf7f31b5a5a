"""The reports of PEFT's bugs: each one's code fails as it says, and runs with its diff.

What the diffs for PEFT's tree do there is tried every week (tests/ecosystem).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT

REPORTS = sorted((ROOT / "docs" / "manual" / "adopt-peft" / "bugs").glob("*.md"))
DIFFS = sorted((ROOT / "docs" / "manual" / "adopt-peft").glob("[0-9]-*.diff"))
ALONE = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def block(report: str, language: str) -> str:
    """Return the first block of code in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", report, re.DOTALL | re.MULTILINE)
    assert found, language
    return found[1]


def run(code: str, folder: Path, package: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a new folder, with the package that is in another one."""
    folder.mkdir()
    return subprocess.run(  # noqa: S603 - what the report has
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env={**os.environ, **ALONE, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.peft
@pytest.mark.slow
@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_shows_the_bug_and_its_diff_mends_it(
    path: Path, tmp_path: Path
) -> None:
    report = path.read_text(encoding="utf-8")
    code = block(report, "python")
    spec = find_spec("peft")
    assert spec
    assert spec.origin
    installed = Path(spec.origin).parent

    broken = run(code, tmp_path / "broken", installed.parent)
    assert broken.returncode == 1, broken.stdout
    says = re.search(
        r"^- \*\*What happens in 0.21.2:\*\* `(.+?)`", report, re.MULTILINE
    )
    assert says
    assert says[1] in broken.stderr

    shutil.copytree(
        installed,
        tmp_path / "src" / "peft",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "fix.diff").write_text(block(report, "diff"), encoding="utf-8")
    apply = ["git", "apply", "--unidiff-zero", "fix.diff"]
    subprocess.run(apply, cwd=tmp_path, check=True)  # noqa: S603 - as the page says
    mended = run(code, tmp_path / "mended", tmp_path / "src")
    assert mended.returncode == 0, mended.stderr


def test_a_report_is_about_a_heuristic_that_says_so() -> None:
    assert REPORTS
    for path in REPORTS:
        page = ROOT / "heuristics" / f"huggingface_peft_{path.name}"
        assert "bug of PEFT" in page.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("path", DIFFS, ids=lambda path: path.name)
def test_a_diff_can_be_applied_and_keeps_to_its_folders(path: Path) -> None:
    """By hand, a line of context or the number of lines is soon wrong."""
    command = ["git", "apply", "--numstat", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - only reads it
    names = [line.split("\t")[2] for line in done.stdout.splitlines()]
    assert names
    assert all(name.startswith(("src/peft/", "tests/", "docs/")) for name in names)
