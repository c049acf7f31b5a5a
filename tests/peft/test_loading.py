"""Each heuristic about loading or training, and the calls that are easily forgotten."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT
from pages import PAGES, option, reach

#: The ways of diffusers and of transformers, and two that load beside the usual one.
CALLS = {
    "inject_adapter_in_model": "peft.inject_adapter_in_model",
    "set_peft_model_state_dict": "peft.set_peft_model_state_dict",
    "PeftMixedModel.load_adapter": "peft.PeftMixedModel.load_adapter",
    "hotswap_adapter": "peft.utils.hotswap.hotswap_adapter",
}

#: Heuristic → call → why it is not shown there; `*` is for all other calls.
REASONS: dict[str, dict[str, str]] = json.loads(
    (ROOT / "tests/peft/loading.json").read_text(encoding="utf-8")
)

ABOUT = [
    name
    for name in PAGES
    if {"Saving & Loading", "Training"} & {*option(name, "category").split(", ")}
]


@pytest.mark.parametrize("name", ABOUT)
def test_it_is_shown_at_each_call_or_says_why_not(name: str) -> None:
    reasons = REASONS.get(name, {})
    shown = {call for call, entry in CALLS.items() if (name, entry) in reach()}
    missing = [
        call
        for call in CALLS
        if call not in shown and not (reasons.get(call) or reasons.get("*"))
    ]
    assert missing == [], "show it there, or say in loading.json why not"
    assert not shown & {*reasons}, "it is shown there: take the reason out"


def test_there_are_reasons_for_no_other_heuristic_and_no_other_call() -> None:
    assert {*REASONS} <= {*ABOUT}
    for reasons in REASONS.values():
        assert {*reasons} <= {*CALLS, "*"}
