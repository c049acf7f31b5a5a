"""What is said of one parameter holds for every configuration that has it.

Which configurations these are is `impl`, `param` and `except` of the page; here they
come from PEFT's signatures.
"""

from __future__ import annotations

import copy

import peft
import pytest
import torch
from peft import NoMatchingPeftModuleError

from claims.models import (
    OWN_ERROR,
    TARGETS,
    adapted,
    claim,
    config,
    each,
    llama,
    methods_with,
    of_the_head,
    on_llama,
    refused,
    said,
    scale_of,
    trained_dtypes,
)

TARGETING = sorted({*methods_with("target_modules")} - {"AdaptionPrompt"})


@claim("Target_Module_Typos")
@each("method", TARGETING)
def test_a_misspelled_target_beside_one_that_fits_is_skipped(method: str) -> None:
    target = TARGETS.get(method, "q_proj")
    with said() as texts:
        both = on_llama(method, target, "v_porj")
    assert not [text for text in texts if "v_porj" in text]
    assert both.targeted_module_names == on_llama(method).targeted_module_names
    error = ValueError if method in OWN_ERROR else NoMatchingPeftModuleError
    with refused("not found in the base model|layers? types compatible with", error):
        on_llama(method, "v_porj")


@claim("Vision_Tower_Targeted")
@each("method", methods_with("exclude_modules"))
def test_one_name_matches_in_every_part_until_that_is_excluded(method: str) -> None:
    def found(**options: object) -> set[str]:
        base = llama(num_hidden_layers=2, attention_bias=True)
        names = on_llama(method, base=base, **options).targeted_module_names
        return {".".join(name.split(".")[:3]) for name in names}

    assert found() == {"model.layers.0", "model.layers.1"}
    assert found(exclude_modules=r".*layers\.0\..*") == {"model.layers.1"}


@claim("Vision_Tower_Targeted")
@each(
    "method",
    sorted({*TARGETING} - {*methods_with("exclude_modules"), "TrainableTokens"}),
)
def test_without_exclude_modules_a_regular_expression_targets_the_rest(
    method: str,
) -> None:
    target = TARGETS.get(method, "q_proj")
    base = llama(num_hidden_layers=2, attention_bias=True)
    base.vision_tower = copy.deepcopy(base.model.layers)

    def in_the_tower(targets: list[str] | str) -> set[bool]:
        ours = config(method, target_modules=targets)
        names = adapted(ours, copy.deepcopy(base)).targeted_module_names
        return {"vision_tower" in name for name in names}

    assert in_the_tower([target]) == {False, True}
    assert in_the_tower(rf"model\..*{target}") == {False}


@claim("Task_Head_In_Modules_To_Save")
@each("method", methods_with("modules_to_save"))
def test_a_head_is_trained_and_saved_only_under_its_right_name(method: str) -> None:
    for names, right in ((None, False), (["lm_haed"], False), (["lm_head"], True)):
        model = on_llama(method, modules_to_save=names)
        trained, saved = of_the_head(model, "lm_head")
        assert bool(trained) is bool(saved) is right


@claim("FP16_Trainable_Weights_AMP")
@each("method", methods_with("modules_to_save"))
def test_what_is_saved_beside_the_adapter_is_trained_in_fp16_until_it_is_cast(
    method: str,
) -> None:
    base = llama(attention_bias=True).to(torch.float16)
    model = on_llama(method, base=base, modules_to_save=["lm_head"])

    assert torch.float16 in trained_dtypes(model)
    peft.cast_mixed_precision_params(model, torch.float16)
    assert trained_dtypes(model) == {torch.float32}


@claim("Alpha_Over_R_Scaling")
@each(
    ("method", "alpha"),
    [
        ("Deft", "alpha"),
        ("Gralora", "alpha"),
        ("LoHa", "alpha"),
        ("LoKr", "alpha"),
        ("Lora", "lora_alpha"),
        ("Psoft", "psoft_alpha"),
        ("RandLora", "randlora_alpha"),
        ("Supertuning", "lora_alpha"),
    ],
)
def test_alpha_is_divided_by_r(method: str, alpha: str) -> None:
    def scale(r: int, value: int) -> float:
        return scale_of(config(method, "0", r=r, **{alpha: value}))

    assert scale(16, 8) == pytest.approx(scale(8, 8) / 2)
    assert scale(16, 16) == pytest.approx(scale(8, 8))


@claim("Alpha_Over_R_Scaling")
def test_left_out_because_adalora_does_not_divide_and_deft_only_if_asked() -> None:
    for r in (4, 8):
        assert scale_of(config("AdaLora", "0", init_r=r, lora_alpha=8)) == 8
        assert scale_of(config("Deft", "0", r=r)) == 1
