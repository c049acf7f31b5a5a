"""What the catalogue is measured by: threads of PEFT, and what the site says to each.

Half of them, those of `put_aside.json`, are read and judged only after the pages. Those
of `drawn.json` are a draw of all, as a stranger finds them, and of other projects' threads.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from conftest import ROOT
from docutils.nodes import make_id
from pages import PAGES

VERDICTS = {"solved", "points", "nothing"}
SAID = ["title", "wrong", "upgrade", "verdict", "by"]


def load(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


THREADS = load("tests/peft/threads.json")["threads"]
DRAWN = load("tests/peft/drawn.json")["threads"]
ASIDE = load("tests/peft/put_aside.json")["numbers"]


@cache
def anchors(docname: str) -> set[str]:
    """Return the labels and the titles of a page's sections, as addresses."""
    path = ROOT / "docs" / f"{docname}.md"
    if not path.is_file():
        return set()
    found = re.findall(
        r"^(?:\((.+)\)=|#+ (.+))$", path.read_text("utf-8"), re.MULTILINE
    )
    return {"", *(make_id(label or title) for label, title in found)}


def exists(place: str) -> bool:
    docname, _, anchor = place.partition("#")
    return place in PAGES or anchor in anchors(docname)


def test_each_is_judged_once() -> None:
    numbers = [thread["number"] for thread in THREADS]
    assert numbers == sorted(set(numbers))
    assert set(ASIDE) <= set(numbers)


@pytest.mark.parametrize("thread", THREADS, ids=lambda thread: str(thread["number"]))
def test_a_thread_says_what_was_wrong_and_who_answers(thread: dict[str, Any]) -> None:
    assert list(thread) == ["number", *SAID]
    is_judged(thread)


@pytest.mark.parametrize("thread", DRAWN, ids=lambda thread: thread["thread"])
def test_a_drawn_thread_says_it_too(thread: dict[str, Any]) -> None:
    assert list(thread) == ["thread", *SAID, "unclear", "named"]
    is_judged(thread)


def is_judged(thread: dict[str, Any]) -> None:
    """Check what is said of a thread."""
    assert thread["title"]
    assert thread["wrong"].endswith(".")
    assert isinstance(thread["upgrade"], bool)
    assert thread["verdict"] in VERDICTS
    assert bool(thread["by"]) == (thread["verdict"] != "nothing")
    assert [place for place in thread["by"] if not exists(place)] == []


def test_no_page_was_written_after_the_threads_that_are_put_aside() -> None:
    for path in PAGES.values():
        text = path.read_text(encoding="utf-8")
        linked = re.findall(r"(?<=huggingface/peft)(?:#|/issues/|/pull/)(\d+)", text)
        assert set(ASIDE).isdisjoint(map(int, linked)), path
