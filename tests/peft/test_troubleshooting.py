"""Readers find a heuristic by what they see."""

from __future__ import annotations

import re
from functools import cache

import pytest
from conftest import ROOT

#: Section → what people ask in PEFT's issues, and the heuristic that answers it.
QUESTIONS = {
    "is-it-fixed": [("1410", "Update_First"), ("2362", "Versions_That_Fit")],
    "cannot-be-imported": [
        ("1283", "Another_PEFT_Imported"),
        ("860", "Versions_That_Fit"),
    ],
    "output-of-the-base": [
        ("2566", "Missing_Adapter_Keys"),
        ("2115", "Load_With_From_Pretrained"),
    ],
    "does-not-learn": [
        ("282", "Is_Trainable_To_Resume"),
        ("3409", "Optimizer_After_Adapters"),
    ],
    "training-stops": [
        ("1120", "Evaluation_Needs_Labels"),
        ("2337", "AdaLoRA_Budget_Must_Shrink"),
    ],
    "worse-after-merging": [
        ("1043", "Quantized_Merge_Rounding"),
        ("2018", "Tied_Embeddings_Merge"),
    ],
    "out-of-memory": [
        ("3265", "Kbit_Prep_Upcasts_Everything"),
        ("1631", "Load_On_Base_Device"),
    ],
    "loading-fails": [
        ("2275", "Newer_Config_Keys_Ignored"),
        ("372", "Rank_Must_Match_File"),
    ],
    "wrong-after-loading": [
        ("876", "Task_Head_In_Modules_To_Save"),
        ("2438", "Eval_Mode_Not_Kept"),
    ],
    "is-slow": [("960", "Training_Not_Faster"), ("533", "Merge_To_Speed_Up")],
    "several-devices": [("776", "Split_Model_Targets"), ("114", "Wrap_After_Adapting")],
}


@cache
def sections() -> dict[str, list[str]]:
    """Return each section of the guide with the heuristics that it links, in order."""
    text = (ROOT / "docs/guides/troubleshooting.md").read_text(encoding="utf-8")
    parts = re.split(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE)[1:]
    return {
        label: re.findall(r"\{heuristic\}`(\w+)`", part.partition("\n## Nothing")[0])
        for label, part in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.parametrize("section", QUESTIONS)
def test_what_people_ask_is_answered(section: str) -> None:
    answers = {heuristic for _issue, heuristic in QUESTIONS[section]}
    assert answers <= set(sections()[section])


def test_the_front_page_links_each_section() -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    linked = re.findall(r"guides/troubleshooting\.md#([\w-]+)", text)
    assert {*linked} == {*sections()} == {*QUESTIONS}


def test_the_list_of_guides_begins_with_it() -> None:
    text = (ROOT / "docs/guides/index.md").read_text(encoding="utf-8")
    first = re.search(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    # with its headings, which are what people see
    assert first[1].split() == [":maxdepth:", "2", "troubleshooting"]
