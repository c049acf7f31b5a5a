"""What is said of one parameter holds for every configuration that has it.

Which configurations these are is `impl`, `param` and `except` of the page; here they
come from PEFT's signatures.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from typing import Any

import peft
import pytest
import torch
from peft import NoMatchingPeftModuleError, get_peft_model, get_peft_model_state_dict
from transformers import LlamaConfig, LlamaForCausalLM

pytestmark = [pytest.mark.peft, pytest.mark.filterwarnings("ignore")]
claim = pytest.mark.claim

#: Options without which a method does not fit the tiny Llama.
OPTIONS: dict[str, dict[str, Any]] = {
    "AdaLora": {"total_step": 10},
    "Adamss": {"num_subspaces": 2, "r": 4},
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 16},
    "CPT": {
        "cpt_token_ids": [1, 2],
        "cpt_mask": [1, 1],
        "cpt_tokens_type_mask": [1, 2],
    },
    "Cartridge": {"num_virtual_tokens": 4},
    "FourierFT": {"n_frequency": 4},
    "IA3": {"feedforward_modules": []},
    "MultitaskPromptTuning": {"num_virtual_tokens": 4, "num_tasks": 1},
    "OFT": {"oft_block_size": 4},
    "PrefixTuning": {"num_virtual_tokens": 4},
    "PromptEncoder": {"num_virtual_tokens": 4, "encoder_hidden_size": 8},
    "PromptTuning": {"num_virtual_tokens": 4},
    "Psoft": {"r": 4},
    "Shira": {"r": 2},
    "TrainableTokens": {"token_indices": [1]},
    "VBLoRA": {"num_vectors": 8, "vector_length": 16},
    "WaveFT": {"n_frequency": 4},
}
#: What a method adapts, where that is not a projection.
TARGETS = {"LNTuning": "input_layernorm", "TrainableTokens": "embed_tokens"}

#: These compare the layers first, and have an error of their own if none fits.
OWN_ERROR = {"Frod", "Pvera", "RandLora", "Vera"}


def methods_with(parameter: str) -> list[str]:
    """Return the methods whose configuration's own signature names a parameter."""
    configs = {
        it
        for it in vars(peft).values()
        if inspect.isclass(it) and issubclass(it, peft.PeftConfig)
    }
    has = (
        it for it in configs if parameter in inspect.signature(it.__init__).parameters
    )
    # What several methods share is no method.
    return sorted(
        {it.__name__.removesuffix("Config") for it in has} - {"PromptLearning"}
    )


def adapted(
    method: str,
    layers: int = 1,
    dtype: torch.dtype = torch.float32,
    **options: Any,  # noqa: ANN401 -- a configuration takes anything
) -> peft.PeftModel:
    tiny = LlamaConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
    )
    config = getattr(peft, f"{method}Config")
    if "target_modules" in inspect.signature(config.__init__).parameters:
        options = {"target_modules": [TARGETS.get(method, "q_proj")]} | options
    return get_peft_model(
        LlamaForCausalLM(tiny).to(dtype),
        config(task_type="CAUSAL_LM", **OPTIONS.get(method, {}) | options),
    )


@claim("Target_Module_Typos")
@pytest.mark.parametrize(
    "method", [it for it in methods_with("target_modules") if it != "AdaptionPrompt"]
)
def test_a_misspelled_target_beside_one_that_fits_is_skipped(method: str) -> None:
    target = TARGETS.get(method, "q_proj")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        both = adapted(method, target_modules=[target, "v_porj"])
    assert not [one for one in said if "v_porj" in str(one.message)]
    assert both.targeted_module_names == adapted(method).targeted_module_names
    error = ValueError if method in OWN_ERROR else NoMatchingPeftModuleError
    with pytest.raises(
        error, match=r"not found in the base model|layers? types compatible with"
    ):
        adapted(method, target_modules=["v_porj"])


@claim("Vision_Tower_Targeted")
@pytest.mark.parametrize("method", methods_with("exclude_modules"))
def test_one_name_matches_in_every_part_until_that_is_excluded(method: str) -> None:
    def found(**options: Any) -> set[str]:  # noqa: ANN401 -- a configuration takes anything
        return {
            ".".join(name.split(".")[:3])
            for name in adapted(method, layers=2, **options).targeted_module_names
        }

    assert found() == {"model.layers.0", "model.layers.1"}
    assert found(exclude_modules=r".*layers\.0\..*") == {"model.layers.1"}


@claim("Vision_Tower_Targeted")
@pytest.mark.parametrize(
    "method",
    sorted(
        {*methods_with("target_modules")}
        - {*methods_with("exclude_modules"), "AdaptionPrompt", "TrainableTokens"}
    ),
)
def test_without_exclude_modules_a_regular_expression_targets_the_rest(
    method: str,
) -> None:
    target = TARGETS.get(method, "q_proj")
    base = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64,
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
        )
    )
    base.vision_tower = copy.deepcopy(base.model.layers)

    def in_the_tower(targets: list[str] | str) -> set[bool]:
        config = getattr(peft, f"{method}Config")(
            target_modules=targets, **OPTIONS.get(method, {})
        )
        names = get_peft_model(copy.deepcopy(base), config).targeted_module_names
        return {"vision_tower" in name for name in names}

    assert in_the_tower([target]) == {False, True}
    assert in_the_tower(rf"model\..*{target}") == {False}


@claim("Task_Head_In_Modules_To_Save")
@pytest.mark.parametrize("method", methods_with("modules_to_save"))
def test_a_head_is_trained_and_saved_only_under_its_right_name(method: str) -> None:
    def trained_and_saved(**options: Any) -> tuple[bool, bool]:  # noqa: ANN401 -- a configuration takes anything
        model = adapted(method, **options)
        trained = any(
            it.requires_grad and "lm_head" in name
            for name, it in model.named_parameters()
        )
        return trained, any(
            "lm_head" in name for name in get_peft_model_state_dict(model)
        )

    assert trained_and_saved() == (False, False)
    assert trained_and_saved(modules_to_save=["lm_haed"]) == (False, False)
    assert trained_and_saved(modules_to_save=["lm_head"]) == (True, True)


@claim("FP16_Trainable_Weights_AMP")
@pytest.mark.parametrize("method", methods_with("modules_to_save"))
def test_what_is_saved_beside_the_adapter_is_trained_in_fp16_until_it_is_cast(
    method: str,
) -> None:
    model = adapted(method, dtype=torch.float16, modules_to_save=["lm_head"])

    def dtypes() -> set[torch.dtype]:
        return {it.dtype for it in model.parameters() if it.requires_grad}

    assert torch.float16 in dtypes()
    peft.cast_mixed_precision_params(model, torch.float16)
    assert dtypes() == {torch.float32}


def scale_of(config: peft.PeftConfig) -> float:
    """Return by how much the layer of a method multiplies."""
    torch.manual_seed(0)
    layer = get_peft_model(
        torch.nn.Sequential(torch.nn.Linear(64, 64)), config
    ).base_model.model[0]
    if isinstance(config, peft.SupertuningConfig):
        return float(
            layer.supertuning_lora_alpha["default"] / layer.supertuning_rank["default"]
        )
    scales = (
        layer.deft_scaling if isinstance(config, peft.DeftConfig) else layer.scaling
    )
    return float(scales["default"])


@claim("Alpha_Over_R_Scaling")
@pytest.mark.parametrize(
    ("method", "alpha"),
    [
        *(
            ("Lora", "lora_alpha"),
            ("LoHa", "alpha"),
            ("LoKr", "alpha"),
            ("Gralora", "alpha"),
            ("Deft", "alpha"),
        ),
        *(
            ("Psoft", "psoft_alpha"),
            ("RandLora", "randlora_alpha"),
            ("Supertuning", "lora_alpha"),
        ),
    ],
)
def test_alpha_is_divided_by_r(method: str, alpha: str) -> None:
    def scale(r: int, value: int) -> float:
        return scale_of(
            getattr(peft, f"{method}Config")(
                target_modules=["0"], r=r, **{alpha: value}
            )
        )

    assert scale(16, 8) == pytest.approx(scale(8, 8) / 2)
    assert scale(16, 16) == pytest.approx(scale(8, 8))


@claim("Alpha_Over_R_Scaling")
def test_left_out_because_adalora_does_not_divide_and_deft_only_if_asked() -> None:
    for r in (4, 8):
        assert (
            scale_of(
                peft.AdaLoraConfig(
                    target_modules=["0"], init_r=r, lora_alpha=8, total_step=10
                )
            )
            == 8
        )
        assert scale_of(peft.DeftConfig(target_modules=["0"], r=r)) == 1
