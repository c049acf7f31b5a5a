"""Measure what this extension costs, compared with the same words written by hand.

    python tests/benchmarks/bench.py --quick      the smallest project, one round;
    writes nothing python tests/benchmarks/bench.py              all of it, and the page
    and the picture of the manual python tests/benchmarks/bench.py --resume     the
    same, but only what is not measured yet python tests/benchmarks/bench.py --draw
    the page and the picture again, from what was measured

A project of N heuristics on A entries is made twice from one seed: by hand, with the
admonitions written into each entry, and with this extension; where sphinx-needs is
installed (nothing here needs it), a third time for it, with bare links back. Each build
is a process of its own, `python -m sphinx -b html -q`. What counts is its user CPU, the
median of the rounds, with the forms interleaved: other work on the machine disturbs
that least.

After each clean build and each edit, the pages of the first two forms are compared with
what readers must see at each entry. The exit status is 1 if something else is there, or
if a build warns. A missed bound is reported, no more.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench_projects as projects
import bench_report as report
from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]

#: By hand, with this extension, with sphinx-needs.
FORMS = ("hand", "ours", "needs")
#: Those whose pages must have the same words.
ALIKE = ("hand", "ours")
#: Heuristics and entries; one of them without the page that lists all heuristics. The
#: longest is last.
SIZES = ("10x120", "200x1000", "1000x1000", "1000x1000-no-index", "5000x2000")
OPERATIONS = ("clean", "nothing", *projects.EDITS)
ROUNDS = 5
IMPORT_ROUNDS = 11

#: What the results depend on, as it is named on PyPI.
PACKAGES = ("sphinx", "docutils", "myst-parser", "sphinx-needs", "sphinxext-heuristics")

BUILD = ("-b", "html", "-q", "src", "out")
#: Builds, and writes which modules that took, those first that others import.
TELL_MODULES = """\
import json, sys
from sphinx.cmd.build import main
status = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    json.dump([name for name, module in list(sys.modules.items()) if getattr(module, "__file__", None)], file)
sys.exit(status)
"""
IMPORT = """\
import importlib
for name in {names!r}:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # conf.py, and what its importer makes
"""

Data = dict[str, Any]


class WrongError(Exception):
    """A build warns, or shows something else."""


# -- run ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took."""

    #: User CPU in seconds.
    user: float
    #: The most memory that it had, in MB.
    peak: float


def run(folder: Path, *arguments: str) -> Cost:
    """Run Python in a folder; what it prints is a mistake."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE"))
    }
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if process.returncode or said:
        raise WrongError(f"{folder}: exit status {process.returncode}\n{said}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(
        user=round(usage.ru_utime, 3), peak=round(usage.ru_maxrss * unit / 1e6, 1)
    )


# -- look -----------------------------------------------------------------------------


@dataclass(slots=True)
class Reader:
    """Reads what pages show; those that did not change are not read again."""

    _known: dict[str, dict[str, set[projects.Item]]] = field(default_factory=dict)

    def entries(self, out: Path) -> dict[str, set[projects.Item]]:
        """Return what is seen at each entry of a built project."""
        found: dict[str, set[projects.Item]] = {}
        for path in sorted((out / "api").glob("*.html")):
            text = path.read_text(encoding="utf-8")
            key = hashlib.sha256(text.encode()).hexdigest()
            if key not in self._known:
                self._known[key] = items(text)
            found |= self._known[key]
        return found


def items(page: str) -> dict[str, set[projects.Item]]:
    """Return what is seen at each entry of a page."""
    found: dict[str, set[projects.Item]] = {}
    for term in BeautifulSoup(page, "html.parser").select("dl.py.function > dt"):
        seen = found.setdefault(str(term["id"]), set())
        body = term.find_next_sibling("dd")
        for box in body.select("div.admonition") if body else ():
            title, *rest = box.find_all("p")
            severity, _colon, text = title.get_text().strip().partition(": ")
            link = title.find("a")
            anchor = str(link["href"]).partition("#")[2] if link else ""
            seen.add(
                (
                    severity,
                    text,
                    " ".join(part.get_text().strip() for part in rest),
                    anchor,
                )
            )
    return found


def words(page: str) -> list[str]:
    """Return the words of a page, without what is around them."""
    body = BeautifulSoup(page, "html.parser").select_one("div.body")
    return body.get_text(" ").split() if body else []


def check(reader: Reader, folder: Path, project: projects.Project) -> None:
    """Raise an error if the entries show anything but what they must."""
    seen, wanted = reader.entries(folder / "out"), projects.expected(project)
    for name in sorted(seen.keys() | wanted.keys()):
        if seen.get(name) != wanted.get(name):
            raise WrongError(
                f"{folder}: {name} shows {seen.get(name)}, not {wanted.get(name)}"
            )


# -- measure --------------------------------------------------------------------------


def sized(size: str) -> projects.Project:
    """Return the project of a size; ValueError if it is none."""
    found = re.fullmatch(r"(\d+)x(\d+)(-no-index)?", size)
    if not found:
        raise ValueError(
            f"no size: {size}; write HEURISTICSxENTRIES, such as {SIZES[0]}"
        )
    return projects.make(int(found[1]), int(found[2]), index=not found[3])


@dataclass(slots=True)
class Bench:
    """Measures the projects of one size."""

    root: Path
    size: str
    forms: Sequence[str]
    #: As it is now: an edit stays.
    project: projects.Project
    _reader: Reader = field(default_factory=Reader)
    _built: set[str] = field(default_factory=set)

    def build(self, form: str, *, clean: bool) -> Cost:
        """Write a form of the project, as it is now, and build it."""
        folder = self.root / self.size / form
        if clean:
            shutil.rmtree(folder / "out", ignore_errors=True)
        projects.write(folder / "src", projects.pages(form, self.project))
        cost = run(folder, "-m", "sphinx", *BUILD)
        if form in ALIKE:
            check(self._reader, folder, self.project)
        self._built.add(form)
        return cost

    def measure(self, operation: str, rounds: int) -> Data:
        """Return the user CPU of each form in each round and, of clean builds, what memory they took."""
        if operation != "clean":
            for form in self.forms:
                if form not in self._built:
                    self.build(form, clean=True)
        found: dict[str, list[Cost]] = {form: [] for form in self.forms}
        for turn in range(rounds):
            if operation in projects.EDITS:
                self.project = projects.edit(self.project, operation, turn)
            # each form is first in some round
            at = turn % len(self.forms)
            for form in (*self.forms[at:], *self.forms[:at]):
                found[form].append(self.build(form, clean=operation == "clean"))
        data: Data = {
            "user": {
                form: [cost.user for cost in costs] for form, costs in found.items()
            }
        }
        if operation == "clean":
            data["peak"] = {
                form: statistics.median(cost.peak for cost in costs)
                for form, costs in found.items()
            }
            data["environment"] = {form: self._environment(form) for form in self.forms}
        return data

    def _environment(self, form: str) -> float:
        """Return how large the pickled environment is, in MB."""
        path = self.root / self.size / form / "out" / ".doctrees" / "environment.pickle"
        return round(path.stat().st_size / 1e6, 3)


def measure_imports(root: Path, rounds: int) -> Data:
    """Return the user CPU of processes that import what builds import in which nothing changed.

    ``base`` is what a build by hand imports, Sphinx and MyST; ``extension`` is that and
    then this extension, as a build begins with it; ``build`` is all that a build with
    this extension has imported at its end.
    """
    bench = Bench(root=root, size="40x40", forms=ALIKE, project=sized("40x40"))
    names: dict[str, list[str]] = {}
    (root / "tell.py").write_text(TELL_MODULES, encoding="utf-8")
    for form in ALIKE:
        bench.build(form, clean=True)
        path = root / f"{form}.json"
        run(root / bench.size / form, str(root / "tell.py"), str(path), *BUILD)
        names[form] = json.loads(path.read_text(encoding="utf-8"))
    ways = {
        "base": names["hand"],
        "extension": [*names["hand"], "sphinxext_heuristics"],
        "build": names["ours"],
    }
    for way, imported in ways.items():
        (root / f"import_{way}.py").write_text(
            IMPORT.format(names=imported), encoding="utf-8"
        )
        run(root, f"import_{way}.py")
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _round in range(rounds):
        for way, costs in found.items():
            costs.append(run(root, f"import_{way}.py").user)
    return {"user": found}


# -- keep -----------------------------------------------------------------------------


def installed() -> dict[str, str]:
    """Return the versions of what the results depend on, as far as it is installed."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    # the package that is measured is that of this repository, installed or not
    text = (ROOT / "sphinxext_heuristics" / "__init__.py").read_text(encoding="utf-8")
    return found | {
        "sphinxext-heuristics": re.findall(r'__version__ = "(.*)"', text)[0]
    }


def fingerprint() -> str:
    """Return a digest of what is measured: results with the same one belong together."""
    digest = hashlib.sha256(json.dumps(installed()).encode())
    for path in [
        *sorted((ROOT / "sphinxext_heuristics").rglob("*.py")),
        Path(projects.__file__),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@dataclass(slots=True)
class Results:
    """What was measured, kept after each operation, so that a run can be broken off."""

    #: Where it is kept; None is nowhere.
    path: Path | None
    resume: bool
    data: Data = field(default_factory=dict)
    source: str = field(default_factory=fingerprint)

    def has(self, size: str, operation: str, forms: Sequence[str], rounds: int) -> bool:
        """Return whether this need not be measured."""
        known = self.data.get("sizes", {}).get(size, {}).get(operation, {})
        costs = known.get("user", {})
        same = self.resume and known.get("source") == self.source
        return same and all(len(costs.get(form, ())) >= rounds for form in forms)

    def keep(self, size: str, operation: str, measured: Data) -> None:
        """Add what was measured; of the same source, forms that were measured in another run stay."""
        of_size = self.data.setdefault("sizes", {}).setdefault(size, {})
        known = of_size.get(operation, {})
        if known.get("source") == self.source:
            measured = {
                key: known.get(key, {}) | forms for key, forms in measured.items()
            }
        of_size[operation] = {"source": self.source, **measured}
        self.data |= {
            "date": f"{dt.datetime.now(tz=dt.UTC).date()}",
            "versions": installed(),
        }
        if self.path:
            self.path.write_text(report.as_json(self.data), encoding="utf-8")

    def draw(self) -> None:
        """Write the page and the picture, if the results are kept."""
        if self.path:
            report.write(self.data)


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"{text}\n")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options."""

    def several(known: Sequence[str]) -> Callable[[str], list[str]]:
        def parsed(text: str) -> list[str]:
            names = [name.strip() for name in text.split(",") if name.strip()]
            if unknown := [name for name in names if name not in known]:
                raise argparse.ArgumentTypeError(
                    f"{', '.join(unknown)}: choose from {', '.join(known)}"
                )
            return names

        return parsed

    def sizes(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        for name in names:
            try:
                sized(name)
            except ValueError as error:
                raise argparse.ArgumentTypeError(str(error)) from None
        return names

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--rounds",
        type=int,
        default=ROUNDS,
        metavar="N",
        help=f"how often each build is measured ({ROUNDS})",
    )
    add(
        "--sizes",
        type=sizes,
        default=list(SIZES),
        help=f"heuristics x entries ({','.join(SIZES)})",
    )
    operations = ("import", *OPERATIONS)
    add(
        "--operations",
        type=several(operations),
        default=list(operations),
        help=f"({','.join(operations)})",
    )
    add(
        "--forms",
        type=several(FORMS),
        default=None,
        help=f"({','.join(FORMS)}; needs if it is installed)",
    )
    add(
        "--quick",
        action="store_true",
        help="the smallest size and one round, unless named; writes nothing",
    )
    add(
        "--resume",
        action="store_true",
        help="leave out what was measured of the same source",
    )
    add(
        "--draw",
        action="store_true",
        help="measure nothing: write page and picture from what was measured",
    )
    add(
        "--work",
        type=Path,
        metavar="FOLDER",
        help="where the projects are made and stay (a temporary folder)",
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes = options.sizes if options.sizes != list(SIZES) else [SIZES[0]]
        options.rounds = options.rounds if options.rounds != ROUNDS else 1
    if options.forms is None:
        options.forms = [
            form for form in FORMS if form != "needs" or "sphinx-needs" in installed()
        ]
    return options


def measure(options: argparse.Namespace, results: Results, root: Path) -> None:
    """Measure what the options name."""
    operations = [
        operation for operation in OPERATIONS if operation in options.operations
    ]
    if "import" in options.operations and not results.has(
        report.ANY, "import", ("base",), IMPORT_ROUNDS
    ):
        results.keep(report.ANY, "import", measure_imports(root, IMPORT_ROUNDS))
        results.draw()
        say("\n".join(report.imports(results.data)))
    for size in options.sizes:
        bench = Bench(root=root, size=size, forms=options.forms, project=sized(size))
        for operation in operations:
            if results.has(size, operation, options.forms, options.rounds):
                continue
            results.keep(size, operation, bench.measure(operation, options.rounds))
            results.draw()
            say(
                f"{report.size_words(size)}, {report.TITLES[operation]}: {report.told(results.data, size, operation)}"
            )
        if not options.work:
            shutil.rmtree(root / size, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write what was measured; return 1 where the forms do not show the same."""
    options = parse(arguments)
    results = Results(
        path=None if options.quick else report.DATA, resume=options.resume
    )
    if not options.quick and report.DATA.is_file():
        results.data = json.loads(report.DATA.read_text(encoding="utf-8"))
    with ExitStack() as stack:
        root = (
            options.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ).resolve()
        root.mkdir(parents=True, exist_ok=True)
        try:
            if not options.draw:
                measure(options, results, root)
        except WrongError as error:
            say(f"{error}")
            return 1
    if options.quick:
        sys.stdout.write(report.tables(results.data))
        return 0
    results.draw()
    say(f"written: {report.PAGE.relative_to(ROOT)}, {report.PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
