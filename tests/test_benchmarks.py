"""The benchmark: what it compares shows the same, and the manual has what it measured. Nothing is measured here."""

from __future__ import annotations

import json
import runpy
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "tests" / "benchmarks"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts import each other."""
    monkeypatch.syspath_prepend(FOLDER)


def test_by_hand_and_with_the_extension_the_same_is_seen(tmp_path: Path) -> None:
    bench = runpy.run_path(str(FOLDER / "bench.py"))
    projects = bench["projects"]
    history = [projects.make(60, 30)]
    for operation in projects.EDITS:
        history.append(projects.edit(history[-1], operation, 0))
    assert len(set(history)) == 5, "each edit changes something"

    forms = {
        form: Project(tmp_path / form, projects.pages(form, history[0]))
        for form in bench["ALIKE"]
    }
    for project in (history[0], history[-1]):
        words: dict[str, dict[str, list[str]]] = {}
        for form, files in forms.items():
            projects.write(files.src, projects.pages(form, project))
            built = files.ok("html")
            assert bench["Reader"]().entries(built.out) == projects.expected(project), (
                form
            )
            shown = [
                "list.html",
                *(f"advice/page_00{page}.html" for page in (0, 1)),
                "api/module_000.html",
            ]
            words[form] = {name: bench["words"](built.read(name)) for name in shown}
        assert words["hand"] == words["ours"]
    # sphinx-needs is for who has it; its pages are made all the same
    assert "{needtable}" in projects.pages("needs", history[0])["list.md"]


def test_what_is_not_the_same_is_an_error(tmp_path: Path) -> None:
    bench = runpy.run_path(str(FOLDER / "bench.py"))
    projects = bench["projects"]
    project = projects.make(4, 4)
    files = Project(tmp_path, projects.pages("ours", project))
    files.root.joinpath("out").symlink_to(files.ok("html").out)
    bench["check"](bench["Reader"](), files.root, project)
    for operation in projects.EDITS:
        with pytest.raises(
            bench["WrongError"], match=r"package\.module_000\.function_000\d shows"
        ):
            bench["check"](
                bench["Reader"](), files.root, projects.edit(project, operation, 0)
            )


def test_the_manual_has_what_was_measured() -> None:
    import bench_report as report  # type: ignore[import-not-found] # noqa: PLC0415 - the fixture tells where it is

    data = json.loads(report.DATA.read_text(encoding="utf-8"))
    assert report.as_json(data) == report.DATA.read_text(encoding="utf-8")
    assert report.PICTURE.read_text(encoding="utf-8") == report.draw(data), (
        "run tests/benchmarks/bench.py --draw"
    )
    page = report.PAGE.read_text(encoding="utf-8")
    written = page.partition(report.BEGIN)[2].partition(report.END)[0]
    assert written == f"\n{report.words(data)}\n", (
        "run tests/benchmarks/bench.py --draw"
    )
    for line in report.misses(data):
        assert line in written


def test_wrong_options_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(FOLDER / "bench.py"))["main"]
    for arguments, said in (
        (
            ["--sizes", "many"],
            "no size: many; write HEURISTICSxENTRIES, such as 10x120",
        ),
        (
            ["--operations", "rename"],
            "rename: choose from import, clean, nothing, note, title, retarget, delete",
        ),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        assert said in capsys.readouterr().err


def test_a_miss_is_reported_as_it_is() -> None:
    import bench_report as report  # noqa: PLC0415

    def data(ours: float) -> object:
        clean = {"user": {"hand": [10.0, 11.0, 10.0], "ours": [ours] * 3}}
        return {"sizes": {"1000x1000": {"clean": clean}}}

    assert report.share(data(6.0), "1000x1000", "clean") == "0.60 (≤ 0.60 ✓)"
    assert not report.misses(data(6.0))
    assert report.share(data(6.1), "1000x1000", "clean") == "0.61 (≤ 0.60 ✗)"
    assert report.misses(data(6.1)) == [
        "- clean build, 1,000 × 1,000: 0.61, the bound is 0.60"
    ]
    assert report.share(data(6.1), "1000x1000", "note") == "", "not measured"


def test_a_broken_off_run_goes_on(tmp_path: Path) -> None:
    bench = runpy.run_path(str(FOLDER / "bench.py"))
    results = bench["Results"](path=tmp_path / "data.json", resume=True)
    results.keep(
        "200x1000", "clean", {"user": {"hand": [1.0, 1.0], "ours": [1.0, 1.0]}}
    )
    again = bench["Results"](
        path=None,
        resume=True,
        data=json.loads((tmp_path / "data.json").read_text("utf-8")),
    )
    assert again.has("200x1000", "clean", ("hand", "ours"), 2)
    assert not again.has("200x1000", "clean", ("hand", "ours"), 5)
    assert not again.has("200x1000", "clean", ("hand", "needs"), 2)
    assert not again.has("200x1000", "note", ("hand",), 2)
    again.keep("200x1000", "clean", {"user": {"needs": [2.0, 2.0]}})
    assert again.has("200x1000", "clean", bench["FORMS"], 2)
    again.source = "another one"
    assert not again.has("200x1000", "clean", ("hand",), 2)
    assert sys.modules["bench_report"].medians(again.data, "200x1000", "clean") == {
        "hand": 1.0,
        "ours": 1.0,
        "needs": 2.0,
    }
