"""Where a page lists methods by name, it lists those that a test runs, or that PEFT's signatures give."""

from __future__ import annotations

import re

import pytest
from pages import text_of
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

from claims.models import OWN_ERROR, claim, methods_with
from claims.test_adapters import BREAKING, HEEDING, READ_CODES
from claims.test_modes import SINGLE, WRONG
from claims.test_saving import KEPT
from claims.test_systems import EXACT
from claims.test_training import CLONING

METHODS = {
    kind.__name__.removesuffix("Config").lower()
    for kind in PEFT_TYPE_TO_CONFIG_MAPPING.values()
}
#: How pages write the names of methods that are words.
ALIASES = {
    "layernorm tuning": "lntuning",
    "ln tuning": "lntuning",
    "trainable tokens": "trainabletokens",
    "³": "3",
}

#: Heuristic, words of the sentence, and the methods that it must name.
LISTS = [
    ("4bit_Defensive_Clone", "clone the output", CLONING),
    ("Adapter_Names_Silently_Ignored", "Use adapter_names with", HEEDING),
    ("Eight_Bit_Codes_Read_As_Weights", "In 4 bit,", READ_CODES),
    ("Merge_Returns_New_Model", "keep", {*KEPT, "XLora"}),
    ("Partial_Merge_Drops_Adapters", "one adapter is active at a time", SINGLE),
    ("Partial_Merge_Drops_Adapters", "merge one only", WRONG),
    ("Quantized_Merge_Rounding", "do worse than round", {*READ_CODES, *BREAKING}),
    ("Resized_Embeddings_Saved", "Only LoRA", methods_with("trainable_token_indices")),
    ("Target_Module_Typos", "of their own", OWN_ERROR),
    ("Unmerge_In_16_Bit", "restore the old weights", EXACT),
]


def named(sentence: str) -> set[str]:
    """Return the methods that a sentence names."""
    text = sentence.lower()
    for written, name in ALIASES.items():
        text = text.replace(written, name)
    words = (re.sub(r"[^a-z0-9]", "", word) for word in text.split())
    return {*words} & METHODS


@claim("4bit_Defensive_Clone")
@claim("Adapter_Names_Silently_Ignored")
@claim("Eight_Bit_Codes_Read_As_Weights")
@claim("Merge_Returns_New_Model")
@claim("Partial_Merge_Drops_Adapters")
@claim("Quantized_Merge_Rounding")
@claim("Resized_Embeddings_Saved")
@claim("Target_Module_Typos")
@claim("Unmerge_In_16_Bit")
@pytest.mark.parametrize(("name", "words", "methods"), LISTS)
def test_a_sentence_names_what_was_run(
    name: str, words: str, methods: set[str]
) -> None:
    lines = re.sub(r"\n(?![-\n|:])", " ", text_of(name))
    sentences = re.split(r"(?<=[.:?])\s|\n", lines)
    listed = [named(it) for it in sentences if words in it and len(named(it)) > 1]
    assert {method.lower() for method in methods} in listed
