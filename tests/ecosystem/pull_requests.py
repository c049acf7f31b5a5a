"""The new tests of the first pull request fail on PEFT's tree, and pass with its fixes.

HEURISTICS_PEFT names a checkout of PEFT, and HEURISTICS_ADOPT a virtual environment with
what PEFT and its tests need (gates.txt). `make try-adopt` runs this.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from checkout import unpack
from conftest import ROOT

DIFF = ROOT / "docs/manual/adopt-peft/1-bugs.diff"


def outcomes(folder: Path, files: list[str], names: set[str]) -> set[tuple[str, str]]:
    """Run tests of PEFT's, and return the outcomes and names of their cases."""
    python = Path(os.environ["HEURISTICS_ADOPT"]).resolve() / "bin/python"
    # the newest transformers warns of names that this tree still uses
    old = ["-W", "ignore::FutureWarning"]
    options = [*old, "-o", "addopts=", "-rA", "--tb=no", "-k", " or ".join(names)]
    done = subprocess.run(  # noqa: S603 - as PEFT's team runs it
        [python, "-m", "pytest", *options, *files],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^([A-Z]+) \S+::(test_\w+)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return set(found)


def test_the_new_tests_fail_before_and_pass_after(tmp_path: Path) -> None:
    unpack(tmp_path)
    text = DIFF.read_text(encoding="utf-8")
    files = re.findall(r"^\+\+\+ b/(tests/\S+)", text, re.MULTILINE)
    names = set(re.findall(r"^\+ *def (test_\w+)", text, re.MULTILINE))

    apply = ["git", "apply", str(DIFF)]
    subprocess.run([*apply, "--include=tests/*"], cwd=tmp_path, check=True)  # noqa: S603 - our own file
    assert outcomes(tmp_path, files, names) == {("FAILED", name) for name in names}
    subprocess.run([*apply, "--exclude=tests/*"], cwd=tmp_path, check=True)  # noqa: S603 - our own file
    assert outcomes(tmp_path, files, names) == {("PASSED", name) for name in names}
