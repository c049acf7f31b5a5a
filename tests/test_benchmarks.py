"""The benchmark: both forms have the same words, and what is not the same is an error."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    return importlib.import_module("bench")


@pytest.mark.slow
def test_both_forms_have_the_same_words_and_what_has_not_is_an_error(
    bench: ModuleType, tmp_path: Path
) -> None:
    project = bench.size("20x30")
    costs = bench.measure(project, tmp_path, rounds=1)
    assert [*costs] == ["clean build", "nothing changed", "a note edited"]
    assert all(found["hand"] and found["ours"] for found in costs.values())

    edited = set(bench.projects.edit(project, 0).heuristics) - set(project.heuristics)
    (one,) = edited
    function = bench.projects.function(one.entries[0])
    shown = tmp_path / "ours" / "out" / "api"
    page = next(path for path in shown.iterdir() if function in path.read_text("utf-8"))
    text = page.read_text("utf-8")
    assert {one.note.split()[-1], one.title.split()[-1]} <= {*bench.words(text)}
    link = f'href="../advice/page_00{one.number // 50}.html#{one.anchor}"'
    for old in (f" {one.title.split()[-1]}</span>", link):
        assert old in text
        page.write_text(text.replace(old, ""), "utf-8")
        with pytest.raises(bench.WrongError, match=f"api/{page.name} is not the same"):
            bench.compare(tmp_path)

    (tmp_path / "ours" / "src" / "index.md").write_text("# No {role}`here`\n", "utf-8")
    with pytest.raises(bench.WrongError, match="Unknown interpreted text role"):
        bench.build(tmp_path / "ours")


def test_a_row_says_what_is_more(bench: ModuleType) -> None:
    costs = {
        "clean build": {"hand": 10.0, "ours": 9.0},
        "nothing changed": {"hand": 0.5, "ours": 0.75},
    }
    row = "| 1,000 × 40, no index | 0.90 (-1.00 s) | 1.50 (+0.25 s) |\n"
    assert bench.told(bench.size("1000x40-no-index"), costs) == row


def test_a_size_that_is_none_is_named(
    bench: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench.main(["many"])
    assert "invalid size value: 'many'" in capsys.readouterr().err
