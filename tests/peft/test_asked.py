"""What readers ask, in asked.json and search.json: its answers exist.

What is right was written down before anyone looked at what is found; `make asked` reports
it. Neither file holds one of the threads of `put_aside.json`, by which the catalogue
itself is measured.
"""

from __future__ import annotations

import json
from typing import Any

from conftest import ROOT
from pages import PAGES
from test_threads import exists


def load(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "tests/peft" / name).read_text(encoding="utf-8"))


ASKED = [*load("asked.json")["tuned"], *load("asked.json")["kept"]]
SEARCH = load("search.json")


def test_answers_exist() -> None:
    wanted = {name for row in ASKED for name in row["answers"]}
    assert wanted
    assert [name for name in sorted(wanted) if not exists(name)] == []


def test_pages_that_a_search_wants_exist() -> None:
    wanted = [name for names in SEARCH["words"].values() for name in names]
    wanted += [name for row in SEARCH["pasted"] for name in row["heuristics"]]
    wanted += SEARCH["first"].values()
    assert {*wanted} <= {*PAGES}


def test_nothing_is_asked_of_the_threads_that_are_put_aside() -> None:
    aside = load("put_aside.json")["numbers"]
    asked = {row.get("issue", "") for row in ASKED}
    named = {f"huggingface/peft#{number}" for number in aside}
    assert not asked & named
