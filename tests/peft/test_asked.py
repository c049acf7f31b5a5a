"""What readers ask, in asked.json and search.json, leads to its answer.

What is right was written down before anyone looked at what is found. Words and weights
were tuned on one half of `asked.json` only. Neither holds one of the threads of
`put_aside.json`, by which the catalogue itself is measured.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, forget_project

from sphinxext_heuristics._core.cli import parser
from sphinxext_heuristics._core.cli.project import opened, read_evidence
from sphinxext_heuristics._core.evidence.guessed import guesses
from sphinxext_heuristics._core.evidence.pasted import answers, asked_of

if TYPE_CHECKING:
    from sphinxext_heuristics._core.evidence.pasted import Asked

pytestmark = [pytest.mark.peft, pytest.mark.slow]


def load(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "tests/peft" / name).read_text(encoding="utf-8"))


ASKED = load("asked.json")


@pytest.fixture(scope="module")
def site() -> Asked:
    command = ["explain", str(ROOT / "docs"), "", "-Q"]
    with opened(parser().parse_args(command)) as app:
        plan = read_evidence(app, guides=True)
        asked = asked_of(plan, tuple(plan.catalogue.heuristics.values()))
    forget_project()
    return asked


def names(site: Asked) -> list[str]:
    """Return the heuristics and the sections, as the files of tests name them."""
    return [
        *(record.name for record in site.heuristics),
        *(str(section.place) for section in site.sections),
    ]


def found(site: Asked, text: str) -> tuple[list[str], list[str]]:
    """Return what is known of a text, and what may fit."""
    known = [one.at for one in answers(site.known, text)]
    called = names(site)
    may_fit = [called[one.at] for one in guesses(site, text, known)]
    return [called[at] for at in known], may_fit


def test_answers_exist_or_are_listed(site: Asked) -> None:
    rows = [*ASKED["tuned"], *ASKED["kept"]]
    wanted = {name for row in rows for name in row["answers"]}
    assert wanted <= set(names(site))


@pytest.mark.parametrize("half", ["tuned", "kept"])
@pytest.mark.parametrize(("kind", "least"), [("pasted", 0.9), ("question", 0.8)])
def test_the_answer_is_among_the_first_three(
    site: Asked, half: str, kind: str, least: float
) -> None:
    missed, count = [], 0
    for row in ASKED[half]:
        wanted = set(row["answers"])
        if row["kind"] == kind and wanted:
            known, may_fit = found(site, row["text"])
            count += 1
            if wanted.isdisjoint([*known, *may_fit][:3]):
                missed.append((row["text"], known, may_fit))
    assert count >= 20
    assert count - len(missed) >= least * count, missed


@pytest.mark.parametrize("half", ["tuned", "kept"])
def test_nothing_is_known_of_another_thing(site: Asked, half: str) -> None:
    texts = [row["text"] for row in ASKED[half] if not row["answers"]]
    assert len(texts) == {"tuned": 13, "kept": 12}[half]
    may_fit = []
    for text in texts:
        known, guessed = found(site, text)
        assert not known, text
        may_fit += [(text, guessed)] if guessed else []
    assert len(may_fit) <= len(texts) / 4, may_fit


def test_what_was_pasted_before(site: Asked) -> None:
    missed = []
    rows = load("search.json")["pasted"]
    for row in rows:
        known, may_fit = found(site, row["text"])
        wanted = set(row["heuristics"])
        if not wanted:
            assert not known, row["text"]
        elif wanted.isdisjoint([*known, *may_fit][:3]):
            missed.append((row["text"], known, may_fit))
    assert len(missed) <= len(rows) / 10, missed


def test_nothing_is_asked_of_the_threads_that_are_put_aside() -> None:
    aside = load("put_aside.json")["numbers"]
    assert len(set(aside)) >= 50
    rows = [*ASKED["tuned"], *ASKED["kept"]]
    asked = {row.get("issue", "") for row in rows}
    named = {f"huggingface/peft#{number}" for number in aside}
    assert len(rows) == 126
    assert len(asked) > 20
    assert not asked & named
    pages = "".join(
        page.read_text("utf-8") for page in (ROOT / "heuristics").glob("*.md")
    )
    linked = set(map(int, re.findall(r"peft/issues/(\d+)", pages)))
    assert linked.isdisjoint(aside)
