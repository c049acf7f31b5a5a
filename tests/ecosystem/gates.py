"""PEFT's own checks, on its tree with each of the pull requests of the manual.

HEURISTICS_PEFT names a checkout of PEFT, and HEURISTICS_ADOPT an environment with the
programs that its checks run (gates.txt). `make try-adopt` runs this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from checkout import unpack
from conftest import ROOT

FOLDER = ROOT / "docs/manual/adopt-peft"
DIFFS = sorted(path.name for path in FOLDER.glob("[0-9]-*.diff"))
FOLDERS = "src tests examples docs scripts docker"
#: What `make quality` and the workflow `zizmor.yaml` of PEFT run.
CHECKS = [
    f"ruff check --output-format concise {FOLDERS}",
    f"ruff format --check {FOLDERS}",
    "doc-builder style src/peft tests docs/source --max_len 119 --check_only",
    "python scripts/check_doc_coverage.py",
    "zizmor --offline .github/workflows",
]
#: What `make style` of PEFT runs.
STYLE = [
    f"ruff check --fix {FOLDERS}",
    f"ruff format {FOLDERS}",
    "doc-builder style src/peft tests docs/source --max_len 119",
]
FILES = [
    f"docs/source/{name}"
    for name in ("_config.py", "_heuristics.py", "_heuristics.json")
]


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is committed in the checkout."""
    folder = tmp_path_factory.mktemp("peft") / "main"
    folder.mkdir()
    unpack(folder)
    return folder


def branch(main: Path, diff: str) -> Path:
    """Return a copy with a diff, and with the workflow where it has the hook."""
    folder = main.with_name(diff)
    if not folder.exists():
        shutil.copytree(main, folder)
        subprocess.run(["git", "apply", FOLDER / diff], cwd=folder, check=True)  # noqa: S603, S607 - our own file
        if "hook" in diff:
            shutil.copy(FOLDER / "heuristics.yml", folder / ".github/workflows")
    return folder


@cache
def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a line with the programs of PEFT's checks; return its code and what it says."""
    programs = Path(os.environ["HEURISTICS_ADOPT"]).resolve() / "bin"
    done = subprocess.run(  # noqa: S602 - as written above
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # a finding of main's may be in another line
    said = re.sub(r":\d+:\d+:", ":", done.stdout.replace(str(folder), ""))
    return done.returncode, "\n".join(sorted(said.splitlines()))


@pytest.mark.parametrize("diff", DIFFS)
@pytest.mark.parametrize("command", CHECKS)
def test_a_pull_request_adds_nothing_to_what_a_check_finds(
    main: Path, command: str, diff: str
) -> None:
    code, said = run(command, branch(main, diff))
    assert code == 0 or (code, said) == run(command, main), said


@pytest.mark.parametrize("command", [it for it in CHECKS if "coverage" not in it])
def test_a_check_finds_faults(main: Path, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "faults"
    shutil.copytree(branch(main, "3-hook.diff"), folder)
    fault = 'import sys\nimport os\ndef f( ):\n    """\n    A\n    b.\n    """\n'
    (folder / "docs/source/_config.py").write_text(fault, encoding="utf-8")
    (folder / "src/peft/f.py").write_text(fault, encoding="utf-8")
    workflow = folder / ".github/workflows/heuristics.yml"
    text = workflow.read_text(encoding="utf-8").replace("permissions: {}\n", "")
    workflow.write_text(
        text.replace("actions/checkout@3", "actions/checkout@v"), "utf-8"
    )
    code, said = run(command, folder)
    assert code != 0
    assert said != run(command, main)[1]


def test_the_files_stay_as_they_are(main: Path, tmp_path: Path) -> None:
    """After `make style`, what `hook --check` compares is the same."""
    folder = tmp_path / "styled"
    shutil.copytree(branch(main, "3-hook.diff"), folder)
    before = [(folder / name).read_bytes() for name in FILES]
    for command in STYLE:
        run(command, folder)
    assert [(folder / name).read_bytes() for name in FILES] == before
