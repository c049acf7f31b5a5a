"""Make the diff that shows the heuristics in PEFT's docstrings, and try its workflow.

    make adopt PEFT_TREE=../peft

A copy of the checkout gets what a person would add. The lines of the workflow that PEFT
may add, too, are run there as they are written, with the PEFT of the copy installed:
they must pass.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from sphinxext_heuristics.docbuilder.hook import LINES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/manual/adopt-peft"
DIFF = FOLDER / "3-hook.diff"
WORKFLOW = FOLDER / "heuristics.yml"


class Copy:
    """A copy of a checkout of PEFT, and an environment that it is installed into."""

    def __init__(self, tree: Path, folder: Path, environment: Path) -> None:
        """Copy what is committed, and put this repository where the workflow does."""
        self.folder = folder
        self.programs = environment / "bin"
        folder.mkdir(parents=True)
        self.run(f"git -C {tree.resolve()} archive HEAD | tar x")
        (folder / "heuristics").symlink_to(ROOT)
        self.run("git init -q && echo heuristics >>.git/info/exclude && git add -A")
        if not environment.exists():
            self.run(f"{sys.executable} -m venv {environment}")

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line as a workflow does, and return what came of it."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        names = {"PATH": path, "HEURISTICS": "OWNER/NAME", "HEURISTICS_REF": "main"}
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        return subprocess.run(  # noqa: S603 - the lines are those of this repository
            ["bash", "-e", "-o", "pipefail", "-c", line],  # noqa: S607 - as a workflow has it
            cwd=self.folder,
            env={**environment, **names},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def must(self, line: str) -> str:
        """Run a line, which must pass, and return what it says."""
        done = self.run(line)
        if done.returncode:
            sys.exit(f"{line}\n{done.stdout}")
        return done.stdout


def lines() -> list[str]:
    """Return what the steps of the workflow run, if none fails."""
    (job,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step and "if" not in step]


def main(tree: Path, environment: Path) -> None:
    """Write the diff for a checkout."""
    with tempfile.TemporaryDirectory() as name:
        copy = Copy(tree, Path(name) / "peft", environment.resolve())
        *_, install, check = lines()
        copy.must(install)
        sys.stdout.write(copy.must(check.replace("--check ", "")))
        config = copy.folder / "docs/source/_config.py"
        config.write_text(f"{LINES}\n{config.read_text('utf-8')}", encoding="utf-8")
        for line in lines():
            copy.must(line)
        sys.stdout.write("the workflow's lines pass\n")
        DIFF.write_text(copy.must("git add -A -N && git diff --no-color"), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
