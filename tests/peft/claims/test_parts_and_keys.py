"""What guides say of files that are not an adapter's, of keys of the model, of question answering and of many models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers as hf
from peft import (
    LoHaConfig,
    LoraConfig,
    NoMatchingPeftModuleError,
    PeftConfig,
    PeftModel,
    PromptTuningConfig,
    UniLoraConfig,
    VBLoRAConfig,
    VeraConfig,
    get_peft_model,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from peft.tuners.lora import Linear
from torch import nn

from claims.models import claim, llama, run, xlora

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUERY = ["q_proj", "v_proj"]
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
SIGHT: dict[str, Any] = SMALL | {"image_size": 32, "patch_size": 16}
WORDS: dict[str, Any] = SMALL | {"vocab_size": 64}
IDS = torch.tensor([[2, 5, 6, 7]])


# --- a model's configuration in the place of an adapter's ----------------------------


@claim("Newer_Config_Keys_Ignored")
def test_the_configuration_of_a_model_has_no_method(tmp_path: Path) -> None:
    settings = hf.LlamaConfig(**WORDS).to_dict()
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings, default=str))
    with pytest.raises(TypeError, match=r"missing required keys: \{'peft_type'\}"):
        PeftConfig.from_pretrained(tmp_path)
    with pytest.raises(KeyError, match="peft_type"):
        PeftModel.from_pretrained(llama(), tmp_path)
    with pytest.raises(TypeError, match="unexpected keyword argument '_name_or_path'"):
        PeftConfig(_name_or_path="base")


# --- keys of the model ---------------------------------------------------------------

shared = pytest.mark.parametrize(
    ("method", "options", "keys"),
    [
        (UniLoraConfig, {}, {"unilora_theta_d"}),
        (VBLoRAConfig, {"vector_length": 8, "num_vectors": 16}, {"vblora_vector_bank"}),
        (VeraConfig, {}, {"vera_A", "vera_B"}),
        (VeraConfig, {"save_projection": False}, set()),
    ],
)


@shared
@claim("Missing_Adapter_Keys")
def test_what_layers_share_is_saved_as_the_models(
    method: Callable[..., PeftConfig],
    options: dict[str, Any],
    keys: set[str],
    tmp_path: Path,
) -> None:
    config = method(target_modules=QUERY, **options)
    get_peft_model(llama(), config).save_pretrained(tmp_path)
    found = {key for key in load_peft_weights(tmp_path) if ".layers." not in key}
    assert found == {f"base_model.{key}" for key in keys}
    with pytest.raises(ValueError, match="uses shared state stored on the tuner"):
        inject_adapter_in_model(config, llama())


@claim("Missing_Adapter_Keys")
def test_without_it_something_is_missing() -> None:
    bank = VBLoRAConfig(target_modules=QUERY, vector_length=8, num_vectors=16)
    missing = set_peft_model_state_dict(get_peft_model(llama(), bank), {}).missing_keys
    assert "base_model.vblora_vector_bank.default" in missing
    vera = get_peft_model(llama(), VeraConfig(target_modules=QUERY))
    with pytest.raises(ValueError, match="Specified to load vera_A and vera_B"):
        set_peft_model_state_dict(vera, {})


# --- nested layers -------------------------------------------------------------------


@claim("Base_Model_Modified_In_Place")
def test_another_method_on_the_same_layers_nests() -> None:
    first = get_peft_model(llama(), LoraConfig(target_modules=QUERY))
    second = LoHaConfig(target_modules=QUERY)
    model = get_peft_model(first.get_base_model(), second, adapter_name="second")
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    assert isinstance(layer.base_layer, Linear)


@claim("Base_Model_Modified_In_Place")
def test_a_wrapped_model_that_is_wrapped_has_the_prefix_twice(tmp_path: Path) -> None:
    lora = LoraConfig(target_modules=QUERY)
    twice = get_peft_model(get_peft_model(llama(), lora), lora)
    twice.save_pretrained(tmp_path)
    prefix = "base_model.model.base_model.model."
    assert all(key.startswith(prefix) for key in load_peft_weights(tmp_path))


# --- question answering --------------------------------------------------------------


@claim("Prompt_Logits_Longer")
def test_positions_of_an_answer_are_not_moved() -> None:
    reader = hf.BertForQuestionAnswering(hf.BertConfig(**WORDS))
    sizes = {"num_virtual_tokens": 4, "num_layers": 1, "token_dim": 32}
    prompt = PromptTuningConfig(task_type="QUESTION_ANS", **sizes)
    model = get_peft_model(reader, prompt).eval()
    where = torch.tensor([2])
    output = model(input_ids=IDS, start_positions=where, end_positions=where)
    assert output.start_logits.shape == (1, 4 + IDS.shape[1])
    losses = [
        nn.functional.cross_entropy(it, where)
        for it in (output.start_logits, output.end_logits)
    ]
    assert torch.isclose(output.loss, sum(losses) / 2)


# --- targets that are not there ------------------------------------------------------


@claim("Target_Module_Typos")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude_modules": ["nothing"]}, "not found in the base model"),
        ({"modules_to_save": ["nothing"]}, "not found in the base model"),
        ({"exclude_modules": ["mlp"]}, "No modules were targeted"),
        ({"modules_to_save": ["lm_head"]}, "No modules were targeted"),
    ],
)
def test_the_error_is_another_if_other_names_match(
    options: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(NoMatchingPeftModuleError, match=message):
        get_peft_model(llama(), LoraConfig(target_modules=["q_porj"], **options))


# --- heads ---------------------------------------------------------------------------


@claim("Default_Target_Modules")
@claim("Task_Head_In_Modules_To_Save")
@pytest.mark.parametrize(
    ("task", "kind", "head"),
    [
        ("TOKEN_CLS", hf.LlamaForTokenClassification, "score"),
        ("QUESTION_ANS", hf.LlamaForQuestionAnswering, "qa_outputs"),
    ],
)
def test_all_linear_takes_other_heads_and_with_their_task_that_is_an_error(
    task: str, kind: type[nn.Module], head: str
) -> None:
    model = get_peft_model(llama(kind), LoraConfig(target_modules="all-linear"))
    assert any(head in name for name in get_peft_model_state_dict(model))
    with_task = LoraConfig(target_modules="all-linear", task_type=task)
    message = "modules_to_save cannot be applied to modules of type"
    with pytest.raises(TypeError, match=message):
        get_peft_model(llama(kind), with_task)


# --- many models ---------------------------------------------------------------------


def trocr() -> nn.Module:
    sizes = {"d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 4}
    writes = hf.TrOCRConfig(vocab_size=64, decoder_ffn_dim=64, **sizes)
    both = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        hf.ViTConfig(**SIGHT), writes
    )
    both.decoder_start_token_id = 2
    both.pad_token_id = 1
    return hf.VisionEncoderDecoderModel(both)


def sam() -> nn.Module:
    sight = {"output_channels": 16, "mlp_dim": 64, "global_attn_indexes": [0]}
    decoder = {"hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 1}
    decoder |= {"num_attention_heads": 2, "iou_head_hidden_dim": 16}
    return hf.SamModel(
        hf.SamConfig(
            vision_config=SIGHT | sight | {"window_size": 2, "num_pos_feats": 8},
            prompt_encoder_config=SIGHT | {"hidden_size": 16},
            mask_decoder_config=decoder,
        )
    )


def yolos() -> nn.Module:
    sizes = SIGHT | {"image_size": [32, 32]}
    return hf.YolosForObjectDetection(
        hf.YolosConfig(**sizes, num_detection_tokens=5, num_labels=3)
    )


def layoutlm() -> nn.Module:
    sizes = WORDS | {"hidden_size": 36, "coordinate_size": 6, "shape_size": 6}
    return hf.LayoutLMv3ForTokenClassification(
        hf.LayoutLMv3Config(**sizes, visual_embed=False)
    )


def patches() -> nn.Module:
    sizes = {"d_model": 16, "num_hidden_layers": 1, "ffn_dim": 32}
    times = {"context_length": 16, "patch_length": 4, "patch_stride": 4}
    return hf.PatchTSTForPrediction(
        hf.PatchTSTConfig(num_input_channels=2, prediction_length=4, **sizes, **times)
    )


def git() -> nn.Module:
    return hf.GitForCausalLM(hf.GitConfig(vision_config=SIGHT, **WORDS))


@pytest.mark.parametrize(
    ("make", "targets", "inputs", "output"),
    [
        (trocr, QUERY, {"pixel_values": (1, 3, 32, 32), "labels": IDS}, "loss"),
        (
            sam,
            ["qkv"],
            {"pixel_values": (1, 3, 32, 32), "input_points": (1, 1, 1, 2)},
            "pred_masks",
        ),
        (yolos, ["query", "value"], {"pixel_values": (1, 3, 32, 32)}, "logits"),
        (
            layoutlm,
            ["query", "value"],
            {"input_ids": IDS, "bbox": torch.zeros(1, 4, 4, dtype=torch.long)},
            "logits",
        ),
        (
            patches,
            QUERY,
            {"past_values": (2, 16, 2), "future_values": (2, 4, 2)},
            "loss",
        ),
        (
            git,
            ["query", "value"],
            {"pixel_values": (1, 3, 32, 32), "input_ids": IDS},
            "logits",
        ),
    ],
)
@claim("Default_Target_Modules")
def test_a_model_without_defaults_learns_by_names(
    make: Callable[[], nn.Module],
    targets: list[str],
    inputs: dict[str, Any],
    output: str,
) -> None:
    with pytest.raises(ValueError, match="Please specify `target_modules`"):
        get_peft_model(make(), LoraConfig())
    model = get_peft_model(make(), LoraConfig(target_modules=targets))
    batch = {
        name: torch.rand(it) if isinstance(it, tuple) else it
        for name, it in inputs.items()
    }
    getattr(model(**batch), output).sum().backward()
    trained = [it for it in model.parameters() if it.requires_grad]
    assert trained
    assert all(it.grad is not None for it in trained)


@claim("Eval_Mode_Not_Kept")
def test_xlora_puts_its_base_into_evaluation_mode(tmp_path: Path) -> None:
    base = llama(attention_dropout=0.5).train()
    assert not torch.equal(run(base), run(base))
    model = xlora(tmp_path, base)
    assert torch.equal(run(model), run(model))


@claim("Eval_Mode_Not_Kept")
def test_a_dropout_needs_no_factor_in_a_merge() -> None:
    lora = LoraConfig(target_modules=QUERY, lora_dropout=0.5, init_lora_weights=False)
    model = get_peft_model(llama(), lora).eval()
    expected = run(model)
    assert torch.allclose(run(model.merge_and_unload()), expected, atol=1e-5)


@claim("Missing_Adapter_Keys")
def test_vera_without_its_projection_does_not_load() -> None:
    model = get_peft_model(llama(), VeraConfig(target_modules=QUERY))
    weights = get_peft_model_state_dict(model)
    left = {name: it for name, it in weights.items() if "vera_A" not in name}
    assert len(left) < len(weights)
    message = "Specified to load vera_A and vera_B from state dictionary however"
    with pytest.raises(ValueError, match=message):
        set_peft_model_state_dict(model, left)
