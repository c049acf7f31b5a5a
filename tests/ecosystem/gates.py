"""PEFT's own checks pass after the diff of the manual, with PEFT's own settings.

`make ecosystem` installs the programs into an environment of their own, which
HEURISTICS_GATES names, and runs this.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, sections

DIFF = ROOT / "docs/manual/adopt-peft/peft.diff"
#: What `make quality` and the workflow `zizmor.yaml` of PEFT run.
CHECKS = [
    "ruff check docs",
    "ruff format --check docs",
    "doc-builder style src/peft tests docs/source --max_len 119 --check_only",
    "zizmor --offline .github/workflows",
]
#: What `make style` of PEFT runs.
STYLE = [
    "ruff check --fix docs",
    "ruff format docs",
    "doc-builder style src/peft tests docs/source --max_len 119",
]


@pytest.fixture
def peft(tmp_path: Path) -> Path:
    """Return what PEFT's checks read of its repository, with the diff."""
    data = sections((Path(__file__).parent / "peft.txt").read_text(encoding="utf-8"))
    for name in ("", "actions"):
        del data[name]
    for name, text in data.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("src/peft", "tests"):
        (tmp_path / name).mkdir(parents=True)
    subprocess.run(["git", "apply", str(DIFF)], cwd=tmp_path, check=True)  # noqa: S603, S607 - our own file
    return tmp_path


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = Path(os.environ["HEURISTICS_GATES"]).resolve()
    # doc-builder runs ruff
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    name, *arguments = command.split()
    return subprocess.run(  # noqa: S603 - as written above
        [programs / name, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", CHECKS)
def test_a_check_passes(peft: Path, command: str) -> None:
    done = run(command, peft)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", CHECKS)
def test_a_check_finds_faults(peft: Path, command: str) -> None:
    fault = 'import sys\nimport os\ndef f( ):\n    """\n    A\n    b.\n    """\n'
    (peft / "docs/source/_config.py").write_text(fault, encoding="utf-8")
    workflow = peft / ".github/workflows/heuristics.yml"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(re.sub(r"@[0-9a-f]{40}", "@v1", text), encoding="utf-8")
    assert run(command, peft).returncode != 0


def test_the_files_stay_as_they_are(peft: Path) -> None:
    """After `make style`, what `hook --check` compares is the same."""
    files = [
        peft / "docs/source" / name
        for name in ("_config.py", "_heuristics.py", "_heuristics.json")
    ]
    before = [path.read_bytes() for path in files]
    for command in STYLE:
        done = run(command, peft)
        assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in files] == before
