"""How often our functions are called, files opened and texts parsed in a build: no more than in step with the project.

There is no clock: what is counted is the same on every machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from conftest import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL, TIMES = 12, 4

#: Runs sphinx-build, and counts by function what ours call, Python's and C's, the lines
#: that they run, the files opened and the texts parsed.
COUNTING = """
import json, sys
from collections import Counter
import sphinx.cmd.build, sphinxext_heuristics
here = sphinxext_heuristics.__path__[0]
counts, out, source = Counter(), sys.argv[1], sys.argv[2]

def lines(frame, event, arg):
    counts["lines"] += event == "line"
    return lines

def trace(frame, event, arg):
    return lines if frame.f_code.co_filename.startswith(here) else None

def count(frame, event, arg):
    if event in {"call", "c_call"} and frame.f_code.co_filename.startswith(here):
        counts[f"{frame.f_code.co_filename[len(here) + 1:]}:{frame.f_code.co_name}"] += 1

def heard(event, args):
    if event == "open" and isinstance(args[0], str) and args[0].startswith(source):
        counts[f"open {args[1]}"] += 1
    elif event == "compile" and args[1] == "<unknown>":
        counts["ast.parse"] += 1

sys.addaudithook(heard)
sys.setprofile(count)
sys.settrace(trace)
status = sphinx.cmd.build.main(sys.argv[2:])
sys.setprofile(None)
sys.settrace(None)
open(out, "w").write(json.dumps(counts))
raise SystemExit(status)
"""


def project_of(size: int, root: Path) -> Project:
    """Return a project of *size* entries and heuristics, each heuristic on two entries, with a quote."""
    entries = [
        f".. py:function:: quarry.f{at}(a, b)\n\n   Dig {at}.\n" for at in range(size)
    ]
    heuristics = [
        f".. heuristic:: H{at}\n   :note: Mind ``{at}``, see :doc:`/index`.\n"
        f"   :impl: quarry.f{at}, quarry.f{(at * 7 + 1) % size}\n   :workflow: index#some-task\n"
        f"   :category: C{at % 5}\n   :param: a\n\n   Text, :heuristic:`H{(at + 1) % size}`.\n\n"
        f"   .. evidence:: quarry:f{at}\n\n      return {at}\n"
        for at in range(size)
    ]
    pages = {
        f"{kind}{at}.rst": "\n".join(
            [f"{kind} {at}\n======================\n", *texts[at : at + 10]]
        )
        for kind, texts in (("api", entries), ("heuristic", heuristics))
        for at in range(0, size, 10)
    }
    listed = "".join(f"   {name.removesuffix('.rst')}\n" for name in pages)
    index = "Start\n=====\n\n.. heuristic-index::\n\n.. heuristic-messages::\n\n.. toctree::\n\n"
    return Project(
        root,
        {
            **pages,
            "index.rst": f"{index}{listed}\nSome task\n---------\n\nDo it.\n",
            "conf.py": "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\nheuristics_dir = None\n"
            "extensions = ['sphinxext_heuristics']\nheuristics_package = 'quarry'\nrelease = '1'\n",
            "quarry.py": "".join(
                f"def f{at}(a, b):\n    return {at}\n" for at in range(size)
            ),
        },
    )


def counted(project: Project) -> dict[str, int]:
    out = project.root / "counts.json"
    command = [
        sys.executable,
        "-c",
        COUNTING,
        str(out),
        "-b",
        "html",
        "-q",
        str(project.src),
        str(project.root / "o"),
    ]
    ran = subprocess.run(  # noqa: S603 - the command is written right here
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, int] = json.loads(out.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, int]]]:
    """Return what a clean build, one without a change and one of an edited note call, at two sizes."""
    found = []
    for size in (SMALL, SMALL * TIMES):
        project = project_of(size, tmp_path_factory.mktemp(str(size)))
        of_size = {"clean": counted(project), "nothing changed": counted(project)}
        page = project.src / "heuristic0.rst"
        page.write_text(
            page.read_text(encoding="utf-8").replace("Mind ``0``", "Mind ``zero``"),
            encoding="utf-8",
        )
        found.append(of_size | {"a note edited": counted(project)})
    return found


@pytest.mark.slow
@pytest.mark.parametrize("build", ["clean", "nothing changed", "a note edited"])
def test_no_function_is_called_more_than_in_step_with_the_project(
    build: str, builds: list[dict[str, dict[str, int]]]
) -> None:
    small, large = (of_size[build] for of_size in builds)
    assert sum(large.values()) > 1000
    too_often = {
        name: (small.get(name, 0), number)
        for name, number in large.items()
        if number > TIMES * small.get(name, 0) * 1.1 + 25
    }
    assert not too_often


# -- one page of much -----------------------------------------------------------------

_HEAD = "Start\n=====\n\n"


def numbered(count: int, form: str, between: str = "") -> str:
    """Return a text so many times, each with its number."""
    return between.join(form.format(at) for at in range(count))


_CLASSES = ".. py:class:: demo.C{0}able\n\n   .. py:method:: merge()\n\n"
_LABELS = ".. _label{0}:\n\nSection {0}\n-------------\n\n"
_MODEL = ".. py:class:: demo.Model\n\n   A model.\n\n"
#: What → how many of it, and the page that holds so many.
BUILT: dict[str, tuple[int, Callable[[int], str]]] = {
    "definitions of one name": (
        80,
        lambda n: (
            _MODEL
            + numbered(n, ".. heuristic:: One\n   :impl: demo.Model\n   :note: {0}\n\n")
        ),
    ),
    "sections that show one": (
        30,
        lambda n: (
            numbered(n, _LABELS)
            + numbered(
                n, ".. heuristic:: H{0}\n   :workflow: label{0}\n   :note: x\n\n"
            )
        ),
    ),
    "entries that show one": (
        30,
        lambda n: (
            numbered(n, _CLASSES)
            + f".. heuristic:: One\n   :impl: *.merge, {numbered(n, 'demo.C{0}able', ', ')}\n"
        ),
    ),
    "targets that are not there": (
        30,
        lambda n: (
            numbered(n, _CLASSES)
            + numbered(n, _LABELS)
            + f".. heuristic:: One\n   :impl: {numbered(n, 'demo.C{0}abel', ', ')}\n"
            f"   :workflow: {numbered(n, 'lable{0}', ', ')}\n   :except: {numbered(n, 'demo.C{0}x', ', ')}\n"
        ),
    ),
    "roles that name nothing": (
        30,
        lambda n: (
            numbered(n, ".. heuristic:: One{0}\n   :impl: ?x\n   :note: x\n\n")
            + numbered(n, ":heuristic:`Own{0}` ")
        ),
    ),
    "targets asked for": (
        20,
        lambda n: (
            numbered(n, _CLASSES)
            + numbered(
                n, ".. heuristic:: One{0}\n   :impl: demo.C{0}able\n   :note: x\n\n"
            )
            + f".. heuristics-for:: {numbered(n, 'demo.C{0}able ')}\n"
        ),
    ),
    "lines of a quote": (
        150,
        lambda n: (
            f".. evidence:: textwrap:dedent\n\n{numbered(n, '   x = {0}', chr(10))}"
        ),
    ),
    "connections of a heuristic": (
        30,
        lambda n: (
            f".. heuristic:: One\n   :note: x\n   :impl: {numbered(n, '?demo.X{0}', ', ')}\n\n"
            ".. heuristic-index::\n"
        ),
    ),
    "words of an argument": (
        100,
        lambda n: (
            f".. heuristic:: {'word ' * n}\n\n.. evidence:: {'a.' * n}b:c{'.d' * n}\n\n   x\n\n"
            f".. heuristic-index:: {'x ' * n}\n\n.. heuristics-for:: {'x.' * n}y {'x ' * n}\n"
        ),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BUILT)
def test_build_of_four_times_as_much_runs_four_times_as_many_lines(
    tmp_path: Path, what: str
) -> None:
    count, make = BUILT[what]
    conf = "extensions = ['sphinxext_heuristics']\n"

    def lines_run(number: int) -> int:
        files = {"conf.py": conf, "index.rst": _HEAD + make(number)}
        return counted(Project(tmp_path / str(number), files))["lines"]

    lines = [lines_run(number) for number in (count, 2 * count, 4 * count)]
    # without what any build runs
    first, second = (long - short for short, long in pairwise(lines))
    assert second < 2.1 * first, lines
