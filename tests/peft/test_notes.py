"""What an API reader sees of a heuristic is its note: it holds at every entry that shows it."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from typing import Any

import peft
import peft.functional
import peft.utils.hotswap
import pytest
import torch
import transformers
from pages import PAGES, object_of, option, reach

pytestmark = pytest.mark.peft

#: Where a note may look for a function or class that it names.
HOMES = (
    peft,
    peft.utils.hotswap,
    peft.PeftModel,
    peft.LoraModel,
    peft.AdaLoraModel,
    torch.nn.parallel,
    transformers,
)

AUTOMATIC = [
    f"AutoPeftModel{task}.from_pretrained"
    for task in (
        *("", "ForCausalLM", "ForFeatureExtraction", "ForQuestionAnswering"),
        *("ForSeq2SeqLM", "ForSequenceClassification", "ForTokenClassification"),
    )
]

#: Heuristic and argument → the ends of those entries whose signature does not have it,
#: and why the note is right there.
NO_PARAMETER = {
    **{
        ("AdaLoRA_Budget_Must_Shrink", setting): (
            [".update_and_allocate"],
            "it is in the adapter's configuration",
        )
        for setting in ("init_r", "target_r", "total_step")
    },
    ("Adapter_On_Another_Base", "base_model_name_or_path"): (
        [".from_pretrained", ".load_adapter", ".set_peft_model_state_dict"],
        "it is in the configuration",
    ),
    ("Adapter_Refused_By_Servers", "modules_to_save"): (
        [".save_pretrained", "save_as_lora"],
        "it is in the configuration",
    ),
    ("Adapter_Names_Hook_Leak", "adapter_names"): (
        ["PeftModel.forward"],
        "it is taken out of `kwargs`",
    ),
    ("Config_Used_Twice", "target_modules"): (
        ["get_peft_model", "inject_adapter_in_model"],
        "it is in the configuration",
    ),
    ("EVA_Needs_Data", "init_lora_weights"): (
        ["EvaConfig"],
        "it is in the adapter's configuration",
    ),
    **{
        ("Existing_Name_Loaded_Into", setting): (
            [".load_adapter", ".set_peft_model_state_dict"],
            "it is in the configuration",
        )
        for setting in ("lora_alpha", "use_rslora")
    },
    ("FSDP_One_Dtype_Per_Unit", "use_orig_params"): (
        ["get_peft_model"],
        "it is a parameter of FSDP",
    ),
    ("Generate_By_Keyword", "input_ids"): (
        ["PeftModelForSeq2SeqLM"],
        "it is a parameter of `generate`",
    ),
    ("Gradient_Checkpointing", "find_unused_parameters"): (
        ["prepare_model_for_kbit_training"],
        "it is a parameter of DDP",
    ),
    ("Is_Trainable_To_Resume", "is_trainable"): (
        ["PeftMixedModel.load_adapter"],
        "it is passed on in `kwargs`",
    ),
    ("Load_On_Base_Device", "torch_device"): (
        [".from_pretrained", "PeftMixedModel.load_adapter"],
        "it is passed on in `kwargs`",
    ),
    **{
        ("LoftQ_Alpha_And_GPU", setting): (
            ["LoftQConfig", "replace_lora_weights_loftq"],
            "it is in the adapter's configuration",
        )
        for setting in ("init_lora_weights", "lora_alpha", "r", "use_rslora")
    },
    ("Mutating_Init_Base_Weights", "init_lora_weights"): (
        ["LoraGAConfig", "CordaConfig", ".save_pretrained", ".subtract_mutated_init"],
        "it is in the adapter's configuration",
    ),
    ("Partial_Merge_Drops_Adapters", "adapter_names"): (
        ["PeftMixedModel.merge_and_unload"],
        "it is passed on in `kwargs`",
    ),
    ("Prefix_Projection_Checkpoints", "prefix_projection"): (
        ["PromptEncoderConfig"],
        "the note is about both kinds of prompts",
    ),
    ("Prompt_Learning_Generate", "use_cache"): (
        ["Config", "PeftModelForCausalLM", "PeftModelForSeq2SeqLM"],
        "it is a parameter of `generate`",
    ),
    ("Prompt_Logits_Longer", "num_virtual_tokens"): (
        ["PeftModelForTokenClassification"],
        "it is in the prompt's configuration",
    ),
    ("Renamed_Base_Modules", "key_mapping"): (
        [*AUTOMATIC, "PeftMixedModel.from_pretrained", "PeftMixedModel.load_adapter"],
        "it is passed on in `kwargs`",
    ),
    ("Safe_Merge_NaN_Check", "safe_merge"): (
        ["PeftMixedModel.merge_and_unload"],
        "it is passed on in `kwargs`",
    ),
    ("Task_Head_In_Modules_To_Save", "modules_to_save"): (
        [
            "PeftModelForSequenceClassification",
            "PeftModelForTokenClassification",
            "PeftModelForQuestionAnswering",
        ],
        "it is in `peft_config`",
    ),
    ("Task_Head_In_Modules_To_Save", "task_type"): (
        [
            "PeftModelForSequenceClassification",
            "PeftModelForTokenClassification",
            "PeftModelForQuestionAnswering",
        ],
        "it is in `peft_config`",
    ),
    ("Task_Type_Must_Fit", "task_type"): (
        ["get_peft_model", "PeftModelForCausalLM"],
        "it is in `peft_config`",
    ),
    ("Tied_Embeddings_Merge", "ensure_weight_tying"): (
        [".merge_and_unload", ".merge_adapter"],
        "it is in the adapter's configuration",
    ),
    ("Vision_Tower_Targeted", "exclude_modules"): (
        ["Config", "find_kappa_target_modules"],
        "where there is none, the note says what to do instead",
    ),
    ("Vision_Tower_Targeted", "target_modules"): (
        ["find_kappa_target_modules"],
        "it is in the adapter's configuration",
    ),
    ("Weighted_Adapter_Rules", "lora_bias"): (
        ["LoraModel.add_weighted_adapter"],
        "the adapters' configurations have it",
    ),
    ("Weighted_Adapter_Rules", "rank_pattern"): (
        ["LoraModel.add_weighted_adapter"],
        "the adapters' configurations have it",
    ),
    ("XLora_Adapters_By_Number", "adapters"): (
        ["XLoraModel"],
        "it is in the configuration",
    ),
    ("Zero3_Unsharded_Save", "state_dict"): (
        [".save_pretrained"],
        "it is taken out of `kwargs`",
    ),
}


def places(name: str) -> list[str]:
    return [entry for heuristic, entry in reach() if heuristic == name]


@cache
def parameters(obj: object) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(obj).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return frozenset()


def words(note: str) -> list[str]:
    """Return what a note puts between backquotes."""
    return re.findall(r"`([^`]+)`", note)


def named(word: str) -> list[object]:
    """Return the functions and classes that a word of a note may mean."""
    path = word.partition("(")[0].split(".")
    found = []
    for home in HOMES:
        obj: Any = home
        for part in path:
            obj = getattr(obj, part, None)
        if callable(obj):
            found.append(obj)
    return found


@cache
def everything() -> frozenset[str]:
    """Return every parameter of every entry that shows a heuristic."""
    entries = {entry for _name, entry in reach()}
    return frozenset[str]().union(*(parameters(object_of(it)) for it in entries))


def arguments(name: str) -> list[tuple[str, str]]:
    """Return the arguments that a note names, each with the call that it is in, if any."""
    held = everything()
    found = []
    for word in words(option(name, "note")):
        if re.fullmatch(r"[\w.]+\(.*\)", word):
            call = ast.parse(word, mode="eval").body
            assert isinstance(call, ast.Call)
            found += [(it.arg, word) for it in call.keywords if it.arg]
        elif assigned := re.match(r"(\w+)=", word):
            found.append((assigned[1], ""))
        elif word in held:
            found.append((word, ""))
    return found


def lacking(name: str, argument: str, call: str) -> list[str]:
    """Return the entries where a note's argument is no parameter of what it is about."""
    if call:
        is_one = any(argument in parameters(it) for it in named(call))
        return [] if is_one else [call]
    return [
        entry for entry in places(name) if argument not in parameters(object_of(entry))
    ]


@pytest.mark.parametrize("name", PAGES)
def test_each_argument_is_a_parameter_there_or_of_what_the_note_names(
    name: str,
) -> None:
    for argument, call in arguments(name):
        ends, _why = NO_PARAMETER.get((name, argument), ([], ""))
        assert not [
            entry
            for entry in lacking(name, argument, call)
            if not entry.endswith(tuple(ends))
        ], argument


@pytest.mark.parametrize(("name", "argument"), NO_PARAMETER)
def test_each_exception_is_needed(name: str, argument: str) -> None:
    ends, _why = NO_PARAMETER[name, argument]
    assert (argument, "") in arguments(name)
    found = lacking(name, argument, "")
    assert not [end for end in ends if not any(it.endswith(end) for it in found)]


# -- a note is not at what it tells to call, and only at parameters that it names --


def function(obj: object) -> object:
    """Return the function of a bound method, which is the same for each class."""
    return getattr(obj, "__func__", obj)


def calls(name: str) -> dict[str, set[object]]:
    """Return what each call that a note names may mean."""
    found = {}
    for word in words(option(name, "note")):
        if re.fullmatch(r"[\w.]+(\(.*\))?", word):
            last = word.partition("(")[0].rpartition(".")[2]
            found[word] = {function(it) for it in named(word) or named(last)}
    return {word: meant for word, meant in found.items() if meant}


def told_where_it_is_read(name: str, entries: list[str]) -> list[str]:
    """Return the entries of the only call that a note names, without saying how to call it."""
    meant = calls(name)
    if any("=" in word for word in meant):
        return []
    only = [{function(object_of(it))} for it in entries]
    return [
        entry
        for entry, it in zip(entries, only, strict=True)
        if meant and all(one == it for one in meant.values())
    ]


@pytest.mark.parametrize("name", PAGES)
def test_it_is_not_where_the_only_call_that_it_names_is_described(name: str) -> None:
    assert not told_where_it_is_read(name, places(name))


@pytest.mark.parametrize("name", PAGES)
def test_the_box_names_each_parameter_that_it_is_placed_at(name: str) -> None:
    box = re.findall(r"\w+", f"{option(name, 'title')} {option(name, 'note')}")
    at = re.findall(r"\w+", option(name, "param"))
    assert not [
        it for it in at if not it.endswith(tuple(one for one in box if len(one) > 3))
    ]
