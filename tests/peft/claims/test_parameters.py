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
from transformers import Phi4MultimodalConfig, Phi4MultimodalForCausalLM

from claims.models import (
    OWN_ERROR,
    TARGETS,
    adapted,
    claim,
    config,
    each,
    identical,
    learning,
    llama,
    methods_with,
    of_the_head,
    on_llama,
    refused,
    said,
    scale_of,
    trained_dtypes,
    update_of,
)

TARGETING = sorted({*methods_with("target_modules")} - {"AdaptionPrompt"})


@claim("Target_Module_Typos")
@each("method", TARGETING)
def test_a_misspelled_target_beside_one_that_fits_is_skipped(method: str) -> None:
    target = TARGETS.get(method, "q_proj")
    with said() as texts:
        both = on_llama(method, target, "v_porj")
    assert not [text for text in texts if "v_porj" in text]
    assert learning(both) == learning(on_llama(method)) != set()
    error = ValueError if method in OWN_ERROR else NoMatchingPeftModuleError
    with refused("not found in the base model|layers? types compatible with", error):
        on_llama(method, "v_porj")


@claim("Vision_Tower_Targeted")
@each("method", methods_with("exclude_modules"))
def test_one_name_matches_in_every_part_until_that_is_excluded(method: str) -> None:
    def found(**options: object) -> set[str]:
        base = llama(num_hidden_layers=2, attention_bias=True)
        names = learning(on_llama(method, base=base, **options))
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


@claim("Vision_Tower_Targeted")
def test_phi_4_multimodal_has_the_same_names_in_its_audio_encoder() -> None:
    with torch.device("meta"):
        base = Phi4MultimodalForCausalLM(Phi4MultimodalConfig(num_hidden_layers=1))

    def parts(targets: list[str] | str) -> set[str]:
        ours = peft.LoraConfig(target_modules=targets)
        names = adapted(ours, copy.deepcopy(base)).targeted_module_names
        return {".".join(name.split(".")[:3]) for name in names}

    names = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
    audio = "model.embed_tokens_extend.audio_embed"
    assert parts(names) == {"model.layers.0", audio}
    assert parts(rf"model\.layers\..*\.({'|'.join(names)})") == {"model.layers.0"}


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


@claim("FP16_Trainable_Weights_AMP")
@each(
    "method",
    [
        *("CPT", "Cartridge", "MultitaskPromptTuning"),
        *("PrefixTuning", "PromptEncoder", "PromptTuning"),
    ],
)
def test_a_prompt_is_in_fp32_whatever_one_asks_for(method: str) -> None:
    base = llama().to(torch.float16)
    ours = config(method, task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, ours, autocast_adapter_dtype=False)
    assert trained_dtypes(model) == {torch.float32}


@claim("Alpha_Over_R_Scaling")
@each(
    ("method", "alpha"),
    [
        ("AdaLora", "lora_alpha"),
        ("Deft", "alpha"),
        ("Gralora", "alpha"),
        ("LoHa", "alpha"),
        ("LoKr", "alpha"),
        ("Lora", "lora_alpha"),
        ("RandLora", "randlora_alpha"),
        ("Supertuning", "lora_alpha"),
    ],
)
def test_the_update_grows_with_alpha_and_shrinks_with_the_rank(
    method: str, alpha: str
) -> None:
    rank = "init_r" if method == "AdaLora" else "r"

    def of(r: int, value: int) -> peft.PeftConfig:
        return config(method, "0", **{rank: r, alpha: value})

    # DEFT also takes away a part of the weight, which has no scale: the bounds are wide

    assert scale_of(of(2, 16), of(2, 8)) == pytest.approx(2, rel=0.15)
    halved = scale_of(of(4, 8), of(2, 8))
    if method == "RandLora":  # it has fewer bases, too
        assert 0 < halved < 0.5
    else:
        assert halved == pytest.approx(0.5, rel=0.15)
        assert scale_of(of(4, 16), of(2, 8)) == pytest.approx(1, rel=0.15)


@claim("Alpha_Over_R_Scaling")
def test_psofts_alpha_changes_nothing_and_deft_scales_only_if_asked() -> None:
    def psoft(alpha: int) -> peft.PeftConfig:
        return config("Psoft", "0", psoft_alpha=alpha)

    assert identical(update_of(psoft(8)), update_of(psoft(64)))
    plain = config("Deft", "0", r=4)
    assert scale_of(plain, config("Deft", "0", r=2)) == pytest.approx(1, rel=0.15)
    asked = config("Deft", "0", r=4, alpha=8)
    assert scale_of(asked, plain) > 1.5
