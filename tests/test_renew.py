"""What `make heuristic` begins, and what `make renew` writes and says."""

from __future__ import annotations

import json
import re
import runpy
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HEURISTIC = runpy.run_path(str(ROOT / "tools/heuristic.py"))
RENEW = runpy.run_path(str(ROOT / "tools/renew.py"))

LISTS = {
    "Training": "# Training\n\n```{toctree}\n:hidden:\n\n../huggingface_peft_Gone\n../huggingface_peft_Rare\n```\n",
    "Debugging": "# Debugging\n\n```{toctree}\n:hidden:\n\n```\n",
}


def page(name: str, category: str, severity: str, weight: str = "") -> str:
    return (
        f"````{{heuristic}} {name}\n:category: {category}\n:severity: {severity}\n"
        f"{weight}\n\ntext\n````\n"
    )


# -- make heuristic --


def test_it_writes_a_page_and_a_test_that_say_what_goes_where(tmp_path: Path) -> None:
    for folder in ("heuristics", "tests/peft/claims"):
        (tmp_path / folder).mkdir(parents=True)
    written, test = HEURISTIC["begin"]("Merge_Before_Export", tmp_path)
    assert written == tmp_path / "heuristics/huggingface_peft_Merge_Before_Export.md"
    assert test == tmp_path / "tests/peft/claims/test_merge_before_export.py"
    assert written.read_text("utf-8").startswith(
        "````{heuristic} Merge_Before_Export\n"
    )
    assert '@claim("Merge_Before_Export")' in test.read_text("utf-8")
    compile(test.read_text("utf-8"), test.name, "exec")
    with pytest.raises(ValueError, match="is there already"):
        HEURISTIC["begin"]("Merge_Before_export", tmp_path)


@pytest.mark.parametrize("name", ["", "merge", "Merge-Before", "../Merge", "Merge.md"])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NAME=Merge_Before_Export"):
        HEURISTIC["begin"](name, tmp_path)


# -- make renew --


def test_pages_are_listed_below_their_category_the_gravest_first() -> None:
    pages = {
        "huggingface_peft_Safe": page("Safe", "Debugging", "tip"),
        "huggingface_peft_Rare": page("Rare", "Training", "warning"),
        "huggingface_peft_Often": page(
            "Often", "Training, Debugging", "note", ":weight: 3"
        ),
        "huggingface_peft_Lost": page("Lost", "Training", "danger"),
        "huggingface_peft_New": page("New", "Debugging", "caution"),
    }
    listed = RENEW["listed"](LISTS, pages)
    names = {
        name: re.findall(r"peft_(\w+)$", text, re.MULTILINE)
        for name, text in listed.items()
    }
    assert names == {
        "Training": ["Lost", "Often", "Rare"],
        "Debugging": ["New", "Safe"],
    }
    assert RENEW["listed"](listed, pages) == listed


def test_a_category_without_a_page_is_named() -> None:
    pages = {"huggingface_peft_New": page("New", "Trainig", "note")}
    with pytest.raises(
        SystemExit, match=r"huggingface_peft_New: 'Trainig' has no page"
    ):
        RENEW["listed"](LISTS, pages)


def test_it_says_where_a_heuristic_shows_now_and_asks_for_what_loads_too() -> None:
    before = RENEW["shown"]("# comment\nSafe a.b\nSafe a.c\nSame a.b\n")
    after = RENEW["shown"](
        "Safe peft.PeftModel.load_adapter\nSafe peft.PeftMixedModel.load_adapter\n"
        "Safe peft.get_peft_model\nSafe peft.inject_adapter_in_model\n"
        "Same a.b\nnot Same a.c because\n"
    )
    first, second = RENEW["what_changed"](before, after)
    assert first == (
        "Safe: now shown at 4 entries; new: peft.get_peft_model, "
        "peft.inject_adapter_in_model, peft.PeftMixedModel.load_adapter, "
        "peft.PeftModel.load_adapter; no longer: a.b, a.c"
    )
    assert second == (
        "Safe: shown at peft.PeftModel.load_adapter, not at "
        "peft.set_peft_model_state_dict, peft.utils.hotswap.hotswap_adapter: "
        "is that meant?"
    )
    assert [*RENEW["what_changed"](before, before)] == []


def test_a_class_that_is_new_is_told_once() -> None:
    before = RENEW["shown"]("One a.b\nTwo a.b\nThree a.b\n")
    added = "One m.New\nTwo m.New.load\nThree m.New\nThree a.c\n"
    after = RENEW["shown"]("One a.b\nTwo a.b\nThree a.b\n" + added)
    assert [*RENEW["what_changed"](before, after)] == [
        "m.New is new: 3 heuristics: One, Three, Two",
        "Three: now shown at 3 entries; new: a.c",
    ]
    assert next(RENEW["what_changed"](after, before)).startswith("m.New is gone: 3")


def test_it_says_which_entries_of_the_same_name_do_not_show_it() -> None:
    before = RENEW["shown"]("Safe a.b\nnot Safe c.b\n", "not ")
    after = RENEW["shown"]("Safe a.b\nnot Safe c.b\nnot Safe d.b\n", "not ")
    assert [*RENEW["namesakes"](before, after)] == [
        "Safe: not shown at d.b, of the same name: name them in impl if it holds there"
    ]


def test_it_says_which_releases_have_what_is_quoted() -> None:
    def releases(**verdicts: str) -> str:
        its = {name.replace("_", "."): its for name, its in verdicts.items()}
        return json.dumps({"heuristics": {"Safe": {"quotes": "", "releases": its}}})

    before, after = releases(_1="held"), releases(_1="held", _2="held", _3="drifted")
    assert [*RENEW["what_drifted"](before, after)] == [
        "Safe: what it quotes is in .1, .2"
    ]
    assert [*RENEW["what_drifted"](after, after)] == []


def test_the_list_of_pages_is_as_it_writes_it() -> None:
    lists = {
        RENEW["title"](text): text
        for path in ROOT.glob("heuristics/*/index.md")
        for text in [path.read_text("utf-8")]
    }
    assert RENEW["listed"](lists, RENEW["texts"]()) == lists, "run `make renew`"
