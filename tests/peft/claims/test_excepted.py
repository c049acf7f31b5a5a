"""Each `except` of a page: there, what the heuristic warns of does not happen.

The pairs are read from the pages, so a new exception fails until it is true.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch
from pages import PAGES, option
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    LlamaForQuestionAnswering,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    ResNetConfig,
    ResNetForImageClassification,
)

from claims.models import (
    CAUSAL,
    TARGETS,
    adapted,
    claim,
    config,
    distance,
    each,
    ends,
    learning,
    linear,
    llama,
    llava,
    loaded,
    olmo,
    on_llama,
    refused,
    run,
    trainable,
    trained,
    xlora,
)
from claims.test_hit import UNSUPPORTED
from claims.test_layers import has_no_targets, is_refused
from claims.test_systems import cycles, one_layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import peft


@cache
def excepted() -> list[tuple[str, str]]:
    """Return each heuristic with each class of its `except`."""
    return [
        (name, cls.rpartition(".")[2])
        for name in PAGES
        for cls in re.findall(r"peft\.([\w.]+)", option(name, "except"))
    ]


def method_of(cls: str) -> str:
    return re.sub(r"(Config|Model)$", "", cls)


def model_of(cls: str, base: nn.Module | None = None) -> peft.PeftModel:
    """Return a small Llama with the method's adapter, trained at random."""
    if cls == "MixedModel":
        return adapted(config("Lora", "q_proj", **CAUSAL), llama(), mixed=True)
    method = method_of(cls)
    targets = [] if method == "Shadow" else [TARGETS.get(method, "v_proj")]
    return trained(on_llama(method, *targets, base=base), 0.05).train()


def loses_the_head(cls: str, folder: Path) -> None:
    """Convert a classifier as the note says: without its head, it cannot be loaded."""
    task, base = {
        "PeftModelForQuestionAnswering": ("QUESTION_ANS", LlamaForQuestionAnswering),
        "PeftModelForSequenceClassification": (
            "SEQ_CLS",
            LlamaForSequenceClassification,
        ),
        "PeftModelForTokenClassification": ("TOKEN_CLS", LlamaForTokenClassification),
    }[cls]
    ours = config("Lora", "q_proj", init_lora_weights="pissa", task_type=task)
    model = adapted(ours, llama(base))
    assert type(model).__name__ == cls
    model.save_pretrained(folder / "before")
    before = str(folder / "before")
    model.save_pretrained(folder, path_initial_model_for_weight_conversion=before)
    with refused("score|qa_outputs", KeyError):
        loaded(folder, llama(base))


def never_merges(cls: str, _folder: Path) -> None:
    model = model_of(cls)
    for merge in (model.merge_adapter, model.merge_and_unload):
        with pytest.raises(NotImplementedError):
            merge()


# -- merging into what bitsandbytes stores --


def merged_on_bitsandbytes(cls: str, bits: int, folder: Path) -> float | None:
    """Merge on a quantized base, and return how far the logits move; None if it cannot be run."""
    llama(attention_bias=True).save_pretrained(folder)
    storage = BitsAndBytesConfig(
        **{f"load_in_{bits}bit": True}, bnb_4bit_compute_dtype=torch.float32
    )
    base = AutoModelForCausalLM.from_pretrained(folder, quantization_config=storage)
    try:
        if cls == "XLoraModel":
            model = xlora(folder, base.train(), attention_bias=True)
        else:
            model = model_of(cls, base.train())
        before = run(model)
    except (RuntimeError, TypeError, ValueError):
        return None
    return distance(model.merge_and_unload().train(), before)


def rounds_nothing(cls: str, folder: Path) -> None:
    """Try a merge: it cannot be run, or meets no quantized weight, or its result is wrong."""
    if cls == "LycorisTuner":  # what LoHa and LoKr have in common
        rounds_nothing("LoHaModel", folder)
        cls = "LoKrModel"
    for bits in (4, 8):
        try:
            moved = merged_on_bitsandbytes(cls, bits, folder)
        except (NotImplementedError, RuntimeError, ValueError):
            continue
        assert moved is None or moved < 1e-5 or moved > 0.5


# -- merging otherwise --


def merges_without_the_check(cls: str, _folder: Path) -> None:
    model = trained(model_of(cls), torch.nan)
    assert run(model.merge_and_unload(safe_merge=True)).isnan().any()


def merges_right_into_a_tied_end(cls: str, _folder: Path) -> None:
    base = llama(tie_word_embeddings=True)
    if cls == "BeftModel":
        base.lm_head.bias = nn.Parameter(torch.zeros(64))
    ours = config(method_of(cls), "lm_head", **CAUSAL)
    model = trained(adapted(ours, base), 0.3)
    before = run(model)
    assert distance(before, llama(tie_word_embeddings=True)) > 0.01
    assert distance(model.merge_and_unload(), before) < 1e-5


def unmerges_exactly(cls: str, _folder: Path) -> None:
    if cls == "OSFModel":  # nobody hopes to get the base back
        with pytest.raises(NotImplementedError):
            model_of(cls).unmerge_adapter()
        return
    assert cycles(one_layer(method_of(cls), torch.bfloat16), 3, update=0.1) == [0]


# -- configurations --


def knows_its_layers_in_every_architecture(cls: str, _folder: Path) -> None:
    ours = config(method_of(cls), **CAUSAL)
    if cls == "AdaptionPromptConfig":  # its layers are not a choice
        with refused("Unsupported model type"):
            adapted(ours, olmo())
        return
    for base in (olmo(), llama()):
        found = ends(learning(adapted(ours, base)))
        assert found
        assert found != {"q_proj", "v_proj"}


def refuses_a_second_name(cls: str, _folder: Path) -> None:
    with refused("more adapter layers"):
        adapted(config(method_of(cls), "self_attn", "v_porj", **CAUSAL), llama())


def stays_out_of_the_tower(cls: str, _folder: Path) -> None:
    ours = config(method_of(cls))
    if cls == "AdaptionPromptConfig":
        with refused("Unsupported model type"):
            adapted(ours, llava())
        return
    # It is about tokens, and a tower has none.
    names = adapted(ours, llava()).targeted_module_names
    assert names
    assert not any("vision_tower" in name for name in names)


def names_the_task_that_it_wants(cls: str, _folder: Path) -> None:
    with refused("only supports task_type = CAUSAL_LM"):
        config(method_of(cls))


def takes_a_block_or_fails_otherwise(cls: str, _folder: Path) -> None:
    message = ""
    try:
        adapted(config(method_of(cls), "self_attn", **CAUSAL), llama())
    except (AttributeError, KeyError, ValueError) as error:
        message = str(error)
    assert not re.search(UNSUPPORTED, message)


def takes_all_layers_without_a_pattern(cls: str, _folder: Path) -> None:
    base = llama(num_hidden_layers=2).model  # what AutoModel loads
    model = adapted(config(method_of(cls), layers_to_transform=[0]), base)
    assert model.targeted_module_names == ["layers.0", "layers.1"]


def warns_in_other_words(cls: str, _folder: Path) -> None:
    with pytest.warns(UserWarning, match="fan_in_fan_out=True is not compatible"):
        adapted(config(method_of(cls), "0", fan_in_fan_out=True), linear())


def finds_as_much_the_second_time(cls: str, _folder: Path) -> None:
    if cls == "AdaptionPromptConfig":
        knows_no_all_linear(cls, _folder)
        return
    ours = config(method_of(cls), **CAUSAL)
    adapted(ours, llama(num_hidden_layers=2))
    found = adapted(ours, llama(num_hidden_layers=4)).targeted_module_names
    anew = adapted(config(method_of(cls), **CAUSAL), llama(num_hidden_layers=4))
    assert found == anew.targeted_module_names


def is_no_method(cls: str, _folder: Path) -> None:
    with pytest.raises((AttributeError, KeyError)):
        adapted(config(method_of(cls), num_virtual_tokens=4, **CAUSAL), llama())


def takes_no_batch_norms(cls: str, _folder: Path) -> None:
    """Try a network that has batch norm layers."""
    sizes = {"embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]}
    base = ResNetForImageClassification(ResNetConfig(**sizes))
    if cls == "ShadowConfig":
        with pytest.raises(AttributeError, match="decoder layers"):
            adapted(config(method_of(cls)), base)
        return
    # what the prompts have in common is no method
    method = "PromptTuning" if cls == "PromptLearningConfig" else method_of(cls)
    with pytest.raises(ValueError, match="num_layers"):
        adapted(config(method, **CAUSAL), base)


def ignores_the_rank(_cls: str, _folder: Path) -> None:
    """Run AdaLoRA, whose rank is `init_r`, with two values of `r`."""
    outputs = []
    for rank in (8, 64):
        torch.manual_seed(0)
        ours = config("AdaLora", "q_proj", r=rank, init_r=12, total_step=10, **CAUSAL)
        outputs.append(run(trained(adapted(ours, llama()), 0.05)))
    assert distance(*outputs) == 0


def has_no_targets_or_refuses(cls: str, folder: Path) -> None:
    if cls != "LNTuningConfig":
        has_no_targets(cls, folder)
        return
    names = {"target_modules": ["norm"], "modules_to_save": ["norm"]}
    with pytest.raises((TypeError, ValueError)):
        adapted(config(method_of(cls), **names, **CAUSAL), llama())


def knows_no_all_linear(cls: str, _folder: Path) -> None:
    with refused("more adapter layers"):
        adapted(config(method_of(cls), target_modules="all-linear", **CAUSAL), llama())


# -- the rest --


def switches_nothing(_cls: str, folder: Path) -> None:
    model = xlora(folder)
    before = set(trainable(model))
    assert before
    model.set_adapter("default", inference_mode=True)
    assert set(trainable(model)) == before


PROOFS: dict[str, Callable[[str, Path], None]] = {
    "Alpha_Over_R_Scaling": ignores_the_rank,
    "Batch_Norm_Statistics": takes_no_batch_norms,
    "Config_Used_Twice": finds_as_much_the_second_time,
    "Default_Target_Modules": knows_its_layers_in_every_architecture,
    "Fused_Layers_Bypass_Adapters": is_refused,
    "Layers_To_Transform_Matches": takes_all_layers_without_a_pattern,
    "Messages_You_May_Ignore": warns_in_other_words,
    "Modules_To_Save_Or_Target": has_no_targets_or_refuses,
    "Modules_To_Save_Small_Layers": has_no_targets,
    "Mutating_Init_Base_Weights": loses_the_head,
    "Partial_Merge_Drops_Adapters": never_merges,
    "Prompt_Learning_Generate": is_no_method,
    "Prompt_Learning_Task_Type": names_the_task_that_it_wants,
    "Quantized_Merge_Rounding": rounds_nothing,
    "Safe_Merge_NaN_Check": merges_without_the_check,
    "Set_Adapter_Unfreezes": switches_nothing,
    "Target_Module_Typos": refuses_a_second_name,
    "Tied_Embeddings_Merge": merges_right_into_a_tied_end,
    "Unmerge_In_16_Bit": unmerges_exactly,
    "Unsupported_Target_Layer": takes_a_block_or_fails_otherwise,
    "Vision_Tower_Targeted": stays_out_of_the_tower,
}


@claim("Alpha_Over_R_Scaling")
@claim("Batch_Norm_Statistics")
@claim("Config_Used_Twice")
@claim("Default_Target_Modules")
@claim("Fused_Layers_Bypass_Adapters")
@claim("Layers_To_Transform_Matches")
@claim("Messages_You_May_Ignore")
@claim("Modules_To_Save_Or_Target")
@claim("Modules_To_Save_Small_Layers")
@claim("Mutating_Init_Base_Weights")
@claim("Partial_Merge_Drops_Adapters")
@claim("Prompt_Learning_Generate")
@claim("Prompt_Learning_Task_Type")
@claim("Quantized_Merge_Rounding")
@claim("Safe_Merge_NaN_Check")
@claim("Set_Adapter_Unfreezes")
@claim("Target_Module_Typos")
@claim("Tied_Embeddings_Merge")
@claim("Unmerge_In_16_Bit")
@claim("Unsupported_Target_Layer")
@claim("Vision_Tower_Targeted")
@each(("name", "cls"), excepted())
def test_it_does_not_happen_there(name: str, cls: str, tmp_path: Path) -> None:
    cannot = (
        cls in {"LilyModel", "PolyModel", "ShadowModel"} and "merge" in name.lower()
    )
    proof = never_merges if cannot else PROOFS[name]
    proof(cls, tmp_path)


@claim("Quantized_Merge_Rounding")
def test_each_proof_has_exceptions() -> None:
    assert {name for name, _cls in excepted()} == set(PROOFS)
