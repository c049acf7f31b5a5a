"""The same bytes and the same warnings, however the build came about."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from history import MERGED, OPERATIONS, PAGED, Site, Step, start, tell, unexplained
from hypothesis import HealthCheck, Phase, event, given, seed, settings
from hypothesis import strategies as st

from sphinxext_heuristics import inject
from sphinxext_heuristics.domain import HeuristicDomain
from sphinxext_heuristics.plan import Plan
from sphinxext_heuristics.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics.model import Page

#: Another seed tells other pairs and histories; 0 is what `make test` tells.
SEED = int(os.environ.get("HEURISTICS_HISTORY_SEED", "0"))
#: How many pairs and random histories are told. There are 870 pairs: any larger number takes them all.
PAIRS = int(os.environ.get("HEURISTICS_HISTORY_PAIRS", "40"))
SWITCHES = int(os.environ.get("HEURISTICS_HISTORY_SWITCHES", "20"))
STORIES = int(os.environ.get("HEURISTICS_HISTORY_STORIES", "12"))

pytestmark = pytest.mark.filterwarnings(
    # hypothesis' and pytest's own forks aside, killing a build needs a process of its own
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def same(root: Path, steps: Iterable[Step]) -> None:
    """Require that a history leaves nothing stale that Sphinx without us would not leave so, too."""
    steps = list(steps)
    told = tell(root / "with", steps)
    if any(told):
        alone = tell(root / "without", steps, "history_stub")
        for number, (step, ours, sphinx) in enumerate(zip(steps, told, alone, strict=True), 1):
            found = [f"{name}: {how}" for name, how in unexplained(ours, sphinx, step.builder).items()]
            assert not found, f"step {number}: " + "\n".join(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_edit(tmp_path: Path, name: str) -> None:
    same(tmp_path, [Step(edits=(name,)), Step()])


ALL_PAIRS = list(itertools.permutations(OPERATIONS, 2))


CHOICE = random.Random(SEED)  # noqa: S311 - of tests


@pytest.mark.parametrize("pair", CHOICE.sample(ALL_PAIRS, min(PAIRS, len(ALL_PAIRS))), ids=" then ".join)
def test_two_edits(tmp_path: Path, pair: tuple[str, str]) -> None:
    same(tmp_path, [Step(edits=(name,)) for name in pair])


@pytest.mark.parametrize(
    ("pair", "other"),
    [
        pytest.param(pair, other, id=f"{' then '.join(pair)}, {other}")
        for pair, other in zip(
            CHOICE.sample(ALL_PAIRS, min(SWITCHES, len(ALL_PAIRS))),
            itertools.cycle([builder for builder in (*PAGED, *MERGED) if builder != "html"]),
            strict=False,  # the builders go round
        )
    ],
)
def test_two_edits_across_a_switch_of_builders(tmp_path: Path, pair: tuple[str, str], other: str) -> None:
    """HTML is there before; the first edit is read for the other builder, the second for HTML."""
    same(tmp_path, [Step(edits=pair[:1], builder=other), Step(edits=pair[1:]), Step(builder=other)])


STEPS = st.builds(
    Step,
    edits=st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=2).map(tuple),
    wipe=st.sampled_from([False, False, False, True]),
    kill=st.one_of(
        st.none(),
        st.none(),
        st.tuples(st.sampled_from(["source-read", "doctree-resolved"]), st.integers(1, 6)),
    ),
    builder=st.sampled_from([*PAGED, *PAGED, *MERGED]),
    jobs=st.sampled_from([1, 1, 1, 2, 4]),
)


@seed(SEED)
@settings(
    max_examples=STORIES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_any_history(steps: list[Step]) -> None:
    event(f"{len(steps)} steps")
    root = Path(tempfile.mkdtemp(prefix="history"))
    try:
        same(root, steps)
    finally:
        shutil.rmtree(root)


def test_nothing_changed_reads_and_writes_nothing_and_warns_again(tmp_path: Path) -> None:
    site = Site(tmp_path, start())
    OPERATIONS["retarget to nothing"](site.world)
    site.sync()
    first = site.build()
    again = site.build()
    assert (again.read, again.wrote) == ([], [])
    assert len(first.warnings) == 1
    assert again.warnings == first.warnings


def test_an_edited_note_reads_one_page_and_writes_those_that_show_it(tmp_path: Path) -> None:
    site = Site(tmp_path, start())
    site.build()
    OPERATIONS["edit the note"](site.world)
    site.sync()
    built = site.build()
    assert built.read == ["h/Beta"]
    # `pkg.Child`, `tools.cut`, the part of the guide, and the index show it.
    assert sorted(built.wrote) == ["api", "guides/how-to", "h/Beta", "hand", "index"]


# -- the test itself: planted faults are caught --


def test_no_rewriting_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "stale", lambda _self, _digests: [])
    assert "api.html" in tell(tmp_path, [Step(edits=("edit the note",))])[0]


def test_a_stale_digest_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "look", lambda _self, record: record.name)
    assert "api.html" in tell(tmp_path, [Step(edits=("edit the note",))])[0]


def test_a_dropped_merge_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(self: HeuristicDomain, docnames: Iterable[str], data: dict[str, dict[str, Page]]) -> None:
        self.pages.update({docname: replace(data["pages"][docname], entries=()) for docname in docnames})

    monkeypatch.setattr(HeuristicDomain, "merge_domaindata", drop)
    site = Site(tmp_path, start())
    assert site.build(jobs=4).output != site.clean().output


def test_warnings_lost_on_a_noop_build_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: set[object] = set()
    report = inject.report

    def once(problems: Iterable[object]) -> None:
        new = [problem for problem in problems if problem not in told]
        told.update(new)
        report(new)  # type: ignore[arg-type]

    monkeypatch.setattr(inject, "report", once)
    assert "warnings" in tell(tmp_path, [Step(edits=("retarget to nothing",))])[0]
