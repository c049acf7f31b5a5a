"""Readers find a heuristic by what they see, and what they need first of a category first."""

from __future__ import annotations

import re
import runpy
from functools import cache

import pytest
from conftest import ROOT
from pages import PAGES, PREFIX, SEED, option

pytestmark = pytest.mark.peft

SEVERITIES = ["danger", "caution", "warning", "important", "note", "tip"]

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
def test_two_questions_are_answered_by_the_first_three_links(section: str) -> None:
    assert len(QUESTIONS[section]) >= 2
    answers = {heuristic for _issue, heuristic in QUESTIONS[section]}
    assert answers <= set(sections()[section][:3])


def test_the_front_page_links_each_section() -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    linked = re.findall(r"guides/troubleshooting\.md#([\w-]+)", text)
    assert linked == list(sections()) == list(QUESTIONS)


def test_the_first_three_of_a_section_are_connected_to_it() -> None:
    """The first five are not: their rows of the index are as they were."""
    connected: dict[str, set[str]] = {section: set() for section in sections()}
    for name in PAGES:
        targets = option(name, "workflow").lower().replace("_", "-")
        for section in set(re.split(r"[\s,]+", targets)) & set(connected):
            connected[section].add(name)
    assert connected == {
        section: set(named[:3]) - SEED for section, named in sections().items()
    }


def test_the_catalogue_is_grouped_by_category_and_sorted_as_boxes_are() -> None:
    text = (ROOT / "heuristics/index.md").read_text(encoding="utf-8")
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (_first, *groups) = [
        (
            re.findall(r"^:caption: (.*)", tree, re.MULTILINE),
            re.findall(rf"^{PREFIX}(\w+)$", tree, re.MULTILINE),
        )
        for tree in trees
    ]
    categories = runpy.run_path(str(ROOT / "docs/conf.py"))["heuristics_categories"]
    captions = [caption for caption, _names in groups]
    assert captions == [[it] for it in categories if [it] in captions]
    for (caption,), names in groups:
        assert {option(it, "category").split(",")[0] for it in names} == {caption}
        order = [
            (
                option(it, "severity") != "danger",
                -int(option(it, "weight") or 0),
                SEVERITIES.index(option(it, "severity")),
            )
            for it in names
        ]
        assert order == sorted(order)
