"""What GitHub makes of the warnings of a build: the regular expressions of problem-matcher.json on real ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from conftest import ROOT, Project, sections

from sphinxext_heuristics._core.cli import parser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MATCHER = ROOT / "sphinxext_heuristics" / "problem-matcher.json"

#: Each kind of place that Sphinx puts in front of a warning, and each severity.
PROJECT = """
=== conf.py
import sys
import types

sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]


def weigh():
    \"\"\"Weigh.

    An *open emphasis.
    \"\"\"


weigh.__module__ = "ghost"
sys.modules["ghost"] = ghost = types.ModuleType("ghost")
ghost.weigh = weigh


def setup(app):
    from sphinx.util import logging

    logging.getLogger(__name__).warning("no file: %s", "in sight", type="scales", subtype="some_thing")
    logging.getLogger(__name__).warning("neither a file nor a type")
=== scales.py
class Scale:
    \"\"\"A scale.

    An *open emphasis: [not a type]
    \"\"\"
=== index.rst
Start
=====

.. autoclass:: scales.Scale

.. autofunction:: ghost.weigh

.. nonsense:: here

.. include:: nowhere.rst

.. heuristic:: Weigh_Twice
   :note: Weigh twice
   :impl: scales.Skale
=== alone.rst
Alone
=====
"""

#: What is read of it, and the severity that the matcher gives where a line has none
#: that GitHub knows: a docstring's line counts from its first, a type is at the end of a
#: message's last line, and docutils' "severe" is Sphinx's CRITICAL.
READ = """\
warning | - | - | while setting up extension conf.py: no file: in sight | scales.some_thing
warning | SRC/alone.rst | - | document isn't included in any toctree | toc.not_included
warning | SRC/scales.py | - | docstring of scales.Scale:3: WARNING: Inline emphasis start-string without end-string. | docutils
warning | - | - | docstring of ghost.weigh:3: WARNING: Inline emphasis start-string without end-string. | docutils
error | SRC/index.rst | 8 | Unknown directive type "nonsense". | -
"""


def issues(lines: str) -> list[str]:
    """Return severity, file, line, message and code that GitHub's runner takes from each line that a matcher matches.

    As in ``IssueMatcher.cs`` and ``OutputManager.cs`` of github.com/actions/runner: an
    empty severity is the matcher's, a severity of another name drops the line, and
    colours are part of what is matched.
    """
    found = []
    for line in lines.splitlines():
        for matcher in json.loads(MATCHER.read_text("utf-8"))["problemMatcher"]:
            (pattern,) = matcher["pattern"]
            if match := re.search(pattern["regexp"], line):
                issue = {
                    key: match[group]
                    for key, group in pattern.items()
                    if key != "regexp"
                }
                severity = (issue.pop("severity") or matcher["severity"]).lower()
                assert severity in {"warning", "error", "notice"}
                rest = (
                    issue.get(key) or "-" for key in ("file", "line", "message", "code")
                )
                found.append(" | ".join([severity, *rest]))
    return found


def build(project: Project, *options: str) -> str:
    """Build in a process of its own, as a workflow does; return all that it prints."""
    command = [sys.executable, "-m", "sphinx", *options, str(project.src)]
    done = subprocess.run(  # noqa: S603 - the arguments are this file's
        [*command, str(project.root / "out")],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=project.root,
    )
    return done.stdout


@pytest.mark.parametrize("colours", ["--no-color", "--color"])
def test_every_place_and_severity_of_a_warning_is_read(
    project: Callable[..., Project], colours: str
) -> None:
    scales = project(sections(PROJECT))
    output = build(scales, colours)
    # In CI, Sphinx erases lines of progress whatever it is told of colours.
    assert bool(re.search(r"\x1b\[[\d;]*m", output)) == (colours == "--color")
    found = {issue.replace(str(scales.src), "SRC") for issue in issues(output)}
    assert found >= {*READ.splitlines()}
    # no two matchers read one line
    assert len(issues(output)) == 7
    critical, ours = sorted(found - {*READ.splitlines()})
    assert critical.startswith("error | SRC/index.rst | 10 | ")
    # the line is the directive's, or its option's
    assert re.match(r"warning \| SRC/index.rst \| 1[24] \| .*scales\.Skale", ours)
    assert ours.endswith(" | heuristic.target")
    # the warning with neither file nor type is left out
    assert "8 warnings" in output


@pytest.mark.parametrize(
    ("line", "issue"),
    [
        (
            "C:\\docs\\api.rst:12: WARNING: unknown document [ref.doc]",
            "C:\\docs\\api.rst | 12 | unknown document | ref.doc",
        ),
        ("/d/api.rst:: WARNING: a node", "/d/api.rst | - | a node | -"),
        (
            "/d/api.rst:<autosummary>:1: WARNING: x [ref.ref]",
            "/d/api.rst | - | <autosummary>:1: WARNING: x | ref.ref",
        ),
        ("<unknown>:1: WARNING: x", "- | - | <unknown>:1: WARNING: x | -"),
        (
            "/d/api.md:3: WARNING: 'x' is in the docstring of x: [y] is not",
            "/d/api.md | 3 | 'x' is in the docstring of x: [y] is not | -",
        ),
        # stdout and stderr in one, which is not done with its line
        (
            "\x1b[01mchecking consistency... \x1b[39;49;00m\x1b[91m/d/api.rst: WARNING: x [toc.y]\x1b[39;49;00m",
            "/d/api.rst | - | x | toc.y",
        ),
        ("WARNING: Running pip as the 'root' user can break permissions", None),
        ("reading sources... [ 50%] api: done", None),
        # a further line of a message
        ("  lib/scales.py:5 has now:", None),
    ],
)
def test_other_lines(line: str, issue: str | None) -> None:
    assert issues(line) == ([] if issue is None else [f"warning | {issue}"])


def test_the_manuals_two_lines_name_the_file(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "manual" / "ci.md").read_text("utf-8")
    (lines,) = re.findall(r"^ +(matcher=.*)\n +(echo .*)$", manual, re.MULTILINE)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = lines[0].replace("python ", f"'{sys.executable}' ", 1)
    done = subprocess.run(  # noqa: S603 - the lines are the manual's
        ["/bin/sh", "-c", f"{command}\n{lines[1]}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.stdout == f"::add-matcher::{MATCHER}\n"


def test_our_own_workflows_that_build_the_site_use_it() -> None:
    path = MATCHER.relative_to(ROOT).as_posix()
    for name in ("ci", "weekly"):
        jobs = yaml.safe_load(
            (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
        )["jobs"]
        steps = [step.get("run", "") for step in jobs["html"]["steps"]]
        (added,) = [
            at for at, run in enumerate(steps) if run == f'echo "::add-matcher::{path}"'
        ]
        (built,) = [at for at, run in enumerate(steps) if run.startswith("make html")]
        assert added < built


def test_hooks_for_pre_commit_are_commands_and_take_no_file_names() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == [
        "heuristics-index",
        "heuristics-index-check",
        "heuristics-verify",
    ]
    for hook in hooks:
        program, *arguments = hook["entry"].removeprefix("python -m ").split()
        assert program == "sphinxext_heuristics"
        assert parser().parse_args([*arguments, *hook["args"]]).docs == "docs"
        assert (hook["language"], hook["pass_filenames"], hook["args"]) == (
            "system",
            False,
            ["docs"],
        )
