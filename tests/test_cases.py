"""One text file per behaviour: `cases/` must pass, `cases/fail/` must warn word for word until it is mended.

A case begins with a sentence that says what it shows. Its parts follow, each below a line
with its head:

``=== index.rst``
    a file of the project; without a ``conf.py`` it gets one with autodoc and MyST
``=== expect index.txt``
    the whole page, as the builder ``text`` writes it
``=== warnings``
    all warnings, word for word; ``<src>`` is the source directory
``=== mended index.rst``
    the file without the fault

Those in ``cases/`` are built with ``-W`` and need an expected page; those in
``cases/fail/`` need warnings and a mended file. What no page shows, such as a key of
``heuristics.json``, is tested in a file of Python.

Two folders are not for this file. ``cases/sessions/`` and ``cases/releases/`` have
sessions, which ``session.py`` explains. ``cases/histories/`` has histories of a project:
after ``=== then …`` come the files that change, and ``=== gone FILE`` deletes one; each
state is built over the one before, must be as when it is built clean, and must write no
page on which nothing has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CASES, Project, read_case

from sphinxext_heuristics._core.problems import Subtype

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Built, Case

GOOD = sorted(CASES.glob("*.txt"))
FAIL = sorted(CASES.glob("fail/*.txt"))


def check_pages(case: Case, built: Built) -> None:
    for name, expected in case.expected.items():
        assert built.read(name).rstrip() == expected.rstrip(), f"{case.about}: {name}"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_passes(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    assert case.expected, "a case without an expected page shows nothing"
    assert not case.warnings, "a case that warns stands in fail/"
    project = Project(tmp_path, case.files)
    check_pages(case, project.ok())


@pytest.mark.parametrize("path", FAIL, ids=lambda path: path.stem)
def test_fails_until_mended(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    assert case.warnings, "a case in fail/ warns"
    assert case.mended, "a case in fail/ says how it is mended"
    project = Project(tmp_path, case.files)
    first = project.build("text", "-W")
    assert first.stderr.strip() == case.warnings
    assert first.status == 1
    check_pages(case, first)
    again = project.build("text", "-W")
    assert again.stderr.strip() == case.warnings, (
        "a build that reads nothing says the same"
    )
    assert again.status == 1
    project.write(case.mended)
    assert project.build("text", "-W").stderr == ""
    assert project.build("text", "-W", "-E").status == 0


def test_every_subtype_has_a_case() -> None:
    all_warnings = "\n".join(read_case(path).warnings for path in FAIL)
    missing = [
        subtype.word
        for subtype in Subtype
        if f"[heuristic.{subtype.word}]" not in all_warnings
    ]
    assert not missing


@pytest.mark.parametrize(
    "path", GOOD + FAIL, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_says_what_it_shows(path: Path) -> None:
    assert read_case(path).about
