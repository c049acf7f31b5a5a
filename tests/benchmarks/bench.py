"""Measure what this extension costs, compared with the same words written by hand.

    python tests/benchmarks/bench.py             all sizes: an hour or more
    python tests/benchmarks/bench.py 10x120      these heuristics and entries
    python tests/benchmarks/bench.py --quick     the smallest size, one round

A project is made twice from one seed: by hand, with the admonitions written into each
entry, and with this extension. Each build is a process of its own, `python -m sphinx
-b html -q`. What counts is its user CPU, the least of eight rounds, with the forms
interleaved: other work on the machine disturbs that least. The last line says what was
measured with, and of which commit.

After each round, the pages of both forms must have the same words. The exit status is 1
if they have not, or if a build warns.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import bench_projects as projects

ROOT = Path(__file__).parents[2]

#: By hand, and with this extension.
FORMS = ("hand", "ours")
#: Heuristics and entries; one of them without the page that lists all heuristics.
SIZES = ("10x120", "200x1000", "1000x1000", "1000x1000-no-index", "5000x2000")
OPERATIONS = ("clean build", "nothing changed", "a note edited")

#: Operation → form → user CPU in seconds.
Costs = dict[str, dict[str, float]]


class WrongError(Exception):
    """A build warns, or the forms do not show the same."""


def size(text: str) -> projects.Project:
    """Return the project of a size; ValueError if it is none."""
    found = re.fullmatch(r"(\d+)x(\d+)(-no-index)?", text)
    if not found:
        raise ValueError(text)
    return projects.make(int(found[1]), int(found[2]), index=not found[3])


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files that are not there as they are."""
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def build(folder: Path) -> float:
    """Build a form and return the user CPU in seconds; what it prints is a mistake."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE"))
    }
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", "-q", "src", "out"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode or done.stdout:
        raise WrongError(f"{folder}: exit status {done.returncode}\n{done.stdout}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def words(page: str) -> list[str]:
    """Return the words of a page and the targets of its links, without what is around them."""
    body = page.partition('<div class="body"')[2].partition('class="sphinxsidebar"')[0]
    return re.sub(r'<a [^>]*href="([^"]*)"[^>]*>|<[^>]*>', r" \1 ", body).split()


def compare(root: Path) -> None:
    """Raise an error if a page of one form has other words than that of the other."""
    for path in sorted((root / "hand" / "src").rglob("*.md")):
        page = path.relative_to(root / "hand" / "src").with_suffix(".html")
        by_hand, ours = (
            words((root / form / "out" / page).read_text(encoding="utf-8"))
            for form in FORMS
        )
        if by_hand != ours:
            only = set(by_hand) ^ set(ours)
            raise WrongError(f"{root}: {page} is not the same: {sorted(only)}")


def measure(project: projects.Project, root: Path, rounds: int) -> Costs:
    """Return, for each operation, the least user CPU of each form."""
    least = {}
    for operation in OPERATIONS:
        taken: dict[str, list[float]] = {form: [] for form in FORMS}
        for turn in range(rounds):
            if operation == "a note edited":
                project = projects.edit(project, turn)
            # each form is first in some round
            for form in reversed(FORMS) if turn % 2 else FORMS:
                folder = root / form
                if operation == "clean build":
                    shutil.rmtree(folder / "out", ignore_errors=True)
                write(folder / "src", projects.pages(form, project))
                taken[form].append(build(folder))
            compare(root)
        least[operation] = {form: min(users) for form, users in taken.items()}
    return least


def row(*cells: str) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(cells)} |\n"


def told(project: projects.Project, costs: Costs) -> str:
    """Return a row: what this extension takes, by hand being 1, and how many seconds more."""
    without = "" if project.index else ", no index"
    cells = [f"{len(project.heuristics):,} × {project.entries:,}{without}"]
    for found in costs.values():
        more = found["ours"] - found["hand"]
        cells.append(f"{found['ours'] / found['hand']:.2f} ({more:+z.2f} s)")
    return row(*cells)


def measured() -> str:
    """Return which versions are measured, and of which commit the extension is."""
    names = ("sphinx", "docutils", "myst-parser")
    versions = [f"{name} {version(name)}" for name in names]
    python = ".".join(map(str, sys.version_info[:3]))
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - git, where it is installed
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    commit = described.stdout.strip() or "unknown"
    # Python may write bytecode here, whatever the environment of the benchmark says
    return f"Python {python} with bytecode, {', '.join(versions)}; commit {commit}\n"


def main(arguments: list[str] | None = None) -> int:
    """Print the table, each row as soon as it is measured; return 1 where the forms do not show the same."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=size, help=", ".join(SIZES))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    default = SIZES[:1] if options.quick else SIZES
    sys.stdout.write(row("Heuristics × entries", *OPERATIONS))
    sys.stdout.write(row("---", *["---:"] * len(OPERATIONS)))
    for project in options.sizes or map(size, default):
        with tempfile.TemporaryDirectory() as root:
            try:
                costs = measure(project, Path(root), 1 if options.quick else 8)
            except WrongError as error:
                sys.stderr.write(f"{error}\n")
                return 1
        sys.stdout.write(told(project, costs))
        sys.stdout.flush()
    sys.stdout.write(measured())
    return 0


if __name__ == "__main__":
    sys.exit(main())
