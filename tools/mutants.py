"""Change the package in one place at a time, and say which changes no test notices.

    python tools/mutants.py             150 places, drawn over the whole package
    python tools/mutants.py --seed 7    other places
    python tools/mutants.py --only _core/resolve/objects.py

The tests of `make test-core` run once under coverage, which notes the lines that each
of them reaches; --reached names the file in which that is kept, and which is used again
if it is there. Then each place is changed in a copy of the repository, and the tests
that reach its line run there, until some have failed.

What nobody notices is a test that is missing, or code that nobody needs. What one test
alone notices, it is needed for. The exit status is 0 whatever is found.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from queue import Queue
from typing import NamedTuple

from coverage import CoverageData

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sphinxext_heuristics"

#: The tests of `make test-core`.
TESTS = ["-m", "not slow and not peft", "--ignore", "tests/peft"]
TESTS += ["--ignore", "tests/docbuilder/test_docbuilder_peft.py"]

#: So many tests that fail are enough: none of them is the only one.
ENOUGH = 6

#: A change that lets tests run for so many seconds has been noticed.
PATIENCE = 400

OPPOSITE: dict[type[ast.AST], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}

#: Calls whose argument alone is no other value, or none at all.
KEPT = {*dir(builtins), "cast", "suppress"} - {"sorted", "set", "reversed"}

_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)

#: What a file of tests makes once for several of them.
_SHARES = re.compile(r'scope="(?:module|session)"')


class Mutant(NamedTuple):
    """A change of one place."""

    path: Path
    #: The first line of its statement, and the last one of the place: coverage may know
    #: only a line between these.
    line: int
    last: int
    start: int
    end: int
    new: str


class Places(ast.NodeVisitor):
    """The places of a module's functions; what runs as it is imported is left out."""

    def __init__(self, path: Path) -> None:
        """Find them."""
        self.found: list[Mutant] = []
        self._path = path
        self._text = path.read_text(encoding="utf-8")
        lines = self._text.encode().splitlines(keepends=True)
        self._begins = [0, *accumulate(map(len, lines))]
        self._line = 0
        self.visit(ast.parse(self._text))

    def visit(self, node: ast.AST) -> None:
        """Look at a node, and note on the way in which statement it is."""
        if self._line and isinstance(node, ast.stmt):
            self._line = node.lineno
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Look at what a function does."""
        outside, self._line = self._line, node.lineno
        for statement in node.body:
            self.visit(statement)
        self._line = outside

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Look at the value: a type does nothing."""
        if node.value:
            self.visit(node.value)

    def visit_JoinedStr(self, _node: ast.JoinedStr) -> None:
        """Leave out what is in an f-string: before Python 3.12 it has no place."""

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave out a call."""
        if isinstance(node.value, ast.Call):
            self._note(node.value, "None")
        self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.While | ast.IfExp) -> None:
        """Take the other way."""
        self._note(node.test, f"(not ({self._said(node.test)}))")
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If  # noqa: N815

    def visit_Compare(self, node: ast.Compare) -> None:
        """Compare otherwise."""
        if len(node.ops) == 1:
            left, right = self._said(node.left), self._said(node.comparators[0])
            self._note(node, f"({left} {OPPOSITE[type(node.ops[0])]} {right})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Write ``or`` for ``and``, or ``and`` for ``or``."""
        other = " or " if isinstance(node.op, ast.And) else " and "
        self._note(node, f"({other.join(f'({self._said(it)})' for it in node.values)})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Leave out ``not``."""
        if isinstance(node.op, ast.Not):
            self._note(node, f"({self._said(node.operand)})")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Take the argument as it is."""
        is_plain = len(node.args) == 1 and not node.keywords
        if is_plain and isinstance(node.func, ast.Name) and node.func.id not in KEPT:
            self._note(node, f"({self._said(node.args[0])})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Take another number or truth."""
        if isinstance(node.value, bool):
            self._note(node, str(not node.value))
        elif isinstance(node.value, int):
            self._note(node, str(node.value + 1))

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Leave out a condition."""
        for condition in node.ifs:
            self._note(condition, "True")
        self.generic_visit(node)

    def _said(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._text, node) or ""

    def _note(self, node: ast.expr, new: str) -> None:
        if self._line and node.end_lineno and node.end_col_offset:
            start = self._begins[node.lineno - 1] + node.col_offset
            end = self._begins[node.end_lineno - 1] + node.end_col_offset
            lines = self._line, node.end_lineno
            self.found.append(Mutant(self._path, *lines, start, end, new))


def reached(data: Path) -> dict[Path, dict[int, set[str]]]:
    """Return file → line → the tests that reach it."""
    if not data.exists():
        print("mutants: running all tests once, to see what they reach", flush=True)
        environment = os.environ | {"COVERAGE_FILE": str(data)}
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *TESTS]
        options = ["--cov", "--cov-context=test", "--cov-report=", "--cov-fail-under=0"]
        subprocess.run(  # noqa: S603 - the command is written right here
            [*command, *options], cwd=ROOT, env=environment, check=False
        )
    known = CoverageData(str(data))
    known.read()
    found = {}
    for name in known.measured_files():
        lines = known.contexts_by_lineno(name)
        tests = {at: {tests_of(it) for it in them if it} for at, them in lines.items()}
        found[Path(name)] = tests
    return found


def tests_of(context: str) -> str:
    """Return the test that a context names; its file, where tests share something."""
    test = context.rpartition("|")[0]
    file = test.partition("::")[0]
    shares = _SHARES.search((ROOT / file).read_text(encoding="utf-8"))
    return file if shares else test


def notice(mutant: Mutant, tests: set[str], copy: Path) -> list[str] | None:
    """Return tests that fail with a change, at most some; None for one that hangs."""
    place = copy / mutant.path.relative_to(ROOT)
    before = mutant.path.read_bytes()
    changed = before[: mutant.start] + mutant.new.encode() + before[mutant.end :]
    place.write_bytes(changed)
    asked = copy / "asked.txt"
    asked.write_text("\n".join(sorted(tests)), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
    command += [*TESTS, f"--maxfail={ENOUGH}", "--tb=no", f"@{asked}"]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "10000"},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    finally:
        place.write_bytes(before)
    found = sorted(set(_FAILED.findall(done.stdout)))
    return found or (["pytest itself"] if done.returncode > 1 else [])


def copied(folder: Path) -> Path:
    """Return a copy of what git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - git, where it is installed
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target, follow_symlinks=False)
    return folder


def main() -> None:
    """Draw the places, and print what becomes of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draw", type=int, default=150, help="how many places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of the paths to draw from")
    parser.add_argument("--reached", type=Path, default=ROOT / ".coverage.reached")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    by_file = reached(options.reached)
    paths = [
        path for path in sorted(PACKAGE.rglob("*.py")) if options.only in str(path)
    ]
    places = [place for path in paths for place in Places(path).found]
    drawn = random.Random(options.seed).sample(places, min(options.draw, len(places)))  # noqa: S311 - of tests
    print(f"mutants: {len(drawn)} of {len(places)} places", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        copies: Queue[Path] = Queue()
        for number in range(options.jobs):
            copies.put(copied(Path(folder, str(number))))

        def tell(mutant: Mutant) -> None:
            lines = by_file.get(mutant.path, {})
            known = range(mutant.line, mutant.last + 1)
            tests = set().union(*(lines.get(line, ()) for line in known))
            copy = copies.get()
            failed = notice(mutant, tests, copy) if tests else []
            copies.put(copy)
            old = mutant.path.read_bytes()[mutant.start : mutant.end].decode()
            said = (
                f"{mutant.path.relative_to(ROOT)}:{mutant.line}: {old} -> {mutant.new}"
            )
            if failed is None:
                found = "hangs"
            elif not failed:
                found = f"NOT NOTICED by {len(tests)} tests"
            else:
                found = f"noticed by {len(failed)}: {' '.join(failed)}"
            print(f"{' '.join(said.split())}\n    {found}", flush=True)

        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(tell, drawn))


if __name__ == "__main__":
    main()
