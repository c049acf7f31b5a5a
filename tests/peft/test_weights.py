"""The weight of a heuristic follows from the threads that report it, and from nothing else."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from conftest import ROOT
from pages import PAGES, option, text_of

sys.path.insert(0, str(ROOT / "tools"))
from weights import weighed, weight

REPORTS: dict[str, Any] = json.loads(
    (ROOT / "heuristics/reports.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("threads", "severity", "expected"),
    [
        (0, "warning", 0),
        (1, "tip", 1),
        (2, "warning", 1),
        (3, "important", 2),
        (9, "warning", 2),
        (10, "note", 3),
        (0, "caution", 1),
        (10, "danger", 4),
    ],
)
def test_more_threads_weigh_more_and_silence_one_more(
    threads: int, severity: str, expected: int
) -> None:
    assert weight(threads, severity) == expected


def test_each_heuristic_has_its_reports() -> None:
    assert sorted(REPORTS) == sorted(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_weight_of_its_reports(name: str) -> None:
    threads = REPORTS[name]["threads"]
    text = text_of(name)
    assert weighed(text, len(threads)).text == text
    assert int(option(name, "weight") or 0) == weight(
        len(threads), option(name, "severity")
    )


@pytest.mark.parametrize("name", REPORTS)
def test_each_was_looked_for_twice_and_each_thread_counts_once(name: str) -> None:
    queries, threads = REPORTS[name]["queries"], REPORTS[name]["threads"]
    assert len(set(queries)) == len(queries) >= 2
    assert threads == sorted(set(threads))
    for thread in threads:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", thread), thread


# -- the page of what goes wrong without an error --


def test_each_pair_is_of_the_heuristic_that_is_linked() -> None:
    text = (ROOT / "docs/silent.md").read_text(encoding="utf-8")
    linked = re.findall(r"\{heuristic\}`(\w+)`", text)
    included = re.findall(
        r"\{literalinclude\} heuristics/huggingface_peft_(\w+)\.md", text
    )
    assert linked == included
    front = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert "(silent.md)" in front
