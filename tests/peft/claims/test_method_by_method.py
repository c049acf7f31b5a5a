"""How each method is used: the messages that the guide quotes, and what goes wrong without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_lorafa_optimizer
from peft.tuners.lora import BdLoraConfig, preprocess_loraga
from peft.tuners.lora.config import CordaConfig
from peft.tuners.lora.corda import preprocess_corda

from claims.models import claim, llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

target_layer = claim("Unsupported_Target_Layer")
mutating = claim("Mutating_Init_Base_Weights")

LAYERS = ["q_proj", "v_proj"]
IDS = torch.arange(3, 19).reshape(2, 8)
TEXT = {"task_type": "CAUSAL_LM", "num_virtual_tokens": 2}


def adapted(name: str, **options: Any) -> nn.Module:  # noqa: ANN401 - any option
    """Return a small Llama with a method."""
    if "num_virtual_tokens" not in options:
        options = {"target_modules": LAYERS} | options
    return get_peft_model(llama(), getattr(peft, f"{name}Config")(**options))


def logits(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


@target_layer
@pytest.mark.parametrize(
    ("message", "name", "options"),
    [
        ("Unknown initialization init_lora_weights='pisa'", "Lora", {"init_lora_weights": "pisa"}),
        ("rank to be even, got 5 instead", "Lora", {"init_lora_weights": "orthogonal", "r": 5}),
        ("Only nf4 and int8 quantization is supported", "Lora", {"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 3, "loftq_iter": 1}}),
        ("`loftq_config` must be specified", "Lora", {"init_lora_weights": "loftq"}),
        ("cannot unpack non-iterable int object", "Lora", {"layer_replication": [0, 1]}),
        ("Target modules {'embedding'} not found", "Lora", {"trainable_token_indices": {"embedding": [1]}}),
        ("must be a list of strings or None", "Lora", {"target_parameters": "q_proj.weight"}),
        ("matches neither A nor B", "Lora", {"use_bdlora": BdLoraConfig(target_modules_bd_b=["q_proj"], nblocks=2)}),
        ("does not work when `total_step` is None", "AdaLora", {}),
        ("don't allow for a budgeting phase", "AdaLora", {"total_step": 9, "tinit": 5, "tfinal": 4}),
        ("should be a subset of `target_modules`", "IA3", {"feedforward_modules": ["down_proj"]}),
        ("unexpected keyword argument 'lora_alpha'", "LoHa", {"lora_alpha": 8}),
        ("You can only specify either r (4) or oft_block_size (32)", "OFT", {"r": 4}),
        ("must be divisible by boft_block_size (5)", "BOFT", {"boft_block_size": 5}),
        ("must be divisible by `vector_length`", "VBLoRA", {"vector_length": 7}),
        ("fully divisible into [r, r] blocks", "Miss", {"r": 7, "init_weights": "bat"}),
        ("mini_r is divided along the out_features", "Miss", {"r": 8, "mini_r": 5, "init_weights": "mini"}),
        ("more shira params than the total number", "Shira", {"r": 99}),
        ("should be a factor of the input size", "C3A", {"block_size": 7}),
        ("Invalid variant road_3 specified", "Road", {"variant": "road_3"}),
        ("must be divisible by 2 when using RoadLayer, but got 3", "Road", {"group_size": 3}),
        ("r should be divisible by gralora_k, but got 30 and 4", "Gralora", {"r": 30, "gralora_k": 4}),
        ("`num_B` must be at least 2", "Lily", {"num_B": 1}),
        ("Unknown decomposition_method 'x'", "Deft", {"decomposition_method": "x"}),
        ("tokenizer_name_or_path can't be None", "PromptTuning", TEXT | {"prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "a"}),
        ("prompt_tuning_init_state_dict_path needs to be", "MultitaskPromptTuning", TEXT | {"prompt_tuning_init": "AVERAGE_SOURCE_TASKS"}),
        ("`num_frozen_tokens` must be <=", "Cartridge", TEXT | {"num_frozen_tokens": 3}),
    ],
)  # fmt: skip
def test_message_that_the_guide_quotes(
    message: str, name: str, options: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        adapted(name, **options)
    assert message in str(caught.value)


@target_layer
def test_task_ids_are_needed() -> None:
    for name, options in (
        ("Poly", {"n_tasks": 2}),
        ("MultitaskPromptTuning", TEXT | {"num_tasks": 2}),
    ):
        with pytest.raises(ValueError, match=r"task_ids (should not|cannot) be None"):
            logits(adapted(name, **options))


@target_layer
@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("C3A", {"block_size": 2}, {"block_size": 8}),
        ("RandLora", {"r": 2}, {"r": 8}),
        ("Road", {"variant": "road_4", "group_size": 2}, {"group_size": 2}),
        ("OSF", {"effective_rank": 2}, {"effective_rank": 8}),
    ],
)
def test_argument_trains_more_or_less(
    name: str, more: dict[str, Any], less: dict[str, Any]
) -> None:
    counts = [adapted(name, **it).get_nb_trainable_parameters()[0] for it in (more, less)]  # fmt: skip
    assert counts[0] > counts[1]


@target_layer
@pytest.mark.parametrize(
    ("name", "options"),
    [("OFT", {"oft_block_size": 1}), ("OSF", {"effective_rank": 999})],
)
def test_trains_nothing_without_an_error(name: str, options: dict[str, Any]) -> None:
    assert adapted(name, **options).get_nb_trainable_parameters()[0] == 0


def corda(run: Callable[[nn.Module], object]) -> None:
    config = LoraConfig(init_lora_weights="corda", target_modules=LAYERS)
    config.corda_config = CordaConfig()
    base = llama()
    preprocess_corda(base, config, run_model=lambda: run(base))


@mutating
def test_corda_takes_one_row_of_the_same_model() -> None:
    assert not hasattr(peft, "CordaConfig")
    with pytest.raises(RuntimeError, match="expects a tensor with <= 2 dimensions"):
        corda(lambda base: base(IDS))
    with pytest.raises(ZeroDivisionError):
        corda(lambda _: llama()(IDS[:1]))
    corda(lambda base: base(IDS[:1]))


@mutating
def test_plain_files_are_wrong_where_the_start_is_random(tmp_path: Path) -> None:
    def lora_ga() -> nn.Module:
        base = llama()
        config = LoraConfig(init_lora_weights="lora_ga", r=2, target_modules=LAYERS)
        config.lora_ga_config = peft.LoraGAConfig()

        def step() -> None:
            base(IDS, labels=IDS).loss.backward()

        preprocess_loraga(base, config, step)
        return get_peft_model(base, config)

    fast = {"init_lora_weights": "pissa_niter_1", "r": 2}
    for number, model in enumerate((lora_ga(), adapted("Lora", **fast))):
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.add_(1)
        expected = logits(model)
        model.save_pretrained(tmp_path / str(number))
        loaded = PeftModel.from_pretrained(llama(), tmp_path / str(number))
        assert not torch.allclose(logits(loaded), expected, atol=1e-4)


@mutating
def test_lora_ga_without_its_start_is_plain_lora() -> None:
    model = adapted(
        "Lora", init_lora_weights="lora_ga", lora_ga_config=peft.LoraGAConfig()
    )
    assert not any(it.any() for name, it in model.named_parameters() if "lora_B" in name)  # fmt: skip


@target_layer
def test_lora_fa_takes_the_scale_of_the_layers() -> None:
    def after(rank: int) -> torch.Tensor:
        torch.manual_seed(0)
        model = adapted("Lora", r=8, lora_alpha=8)
        optimizer = create_lorafa_optimizer(model, r=rank, lora_alpha=8, lr=0.1)
        for _ in range(3):
            model(input_ids=IDS, labels=IDS).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return logits(model)

    assert torch.equal(after(8), after(2))
