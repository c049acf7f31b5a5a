"""Answers for single models and methods: CorDA's samples, prompts by model, old MergedLinear layers, other trainers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.lora.config import CordaConfig
from peft.tuners.lora.corda import preprocess_corda
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from claims.models import (
    CAUSAL,
    PROMPT,
    adapted,
    claim,
    config,
    each,
    identical,
    llama,
    lora,
    run,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# -- CorDA -----------------------------------------------------------------------------

mutating = claim("Mutating_Init_Base_Weights")


def wide() -> nn.Module:
    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2}
    options = {"vocab_size": 500, "num_attention_heads": 4, "initializer_range": 0.1}
    return LlamaForCausalLM(LlamaConfig(**sizes, **options)).eval()


def corda(*targets: str, **options: object) -> LoraConfig:
    return LoraConfig(
        r=16,
        lora_alpha=16,
        target_modules=[*targets],
        init_lora_weights="corda",
        corda_config=CordaConfig(**options),
        **CAUSAL,
    )


def started(method: str, rows: int) -> tuple[float, PeftModel]:
    """Return the largest weight of any A, and the model."""
    base = wide()
    settings = corda("q_proj", "v_proj", "up_proj", "down_proj", corda_method=method)
    torch.manual_seed(1)
    samples = torch.randint(0, 500, (rows, 32))
    preprocess_corda(
        base, settings, run_model=lambda: [base(input_ids=row[None]) for row in samples]
    )
    model = get_peft_model(base, settings).eval()
    weights = [it for name, it in model.named_parameters() if "lora_A" in name]
    return max(it.abs().max().item() for it in weights), model


@mutating
def test_few_samples_start_corda_with_large_weights() -> None:
    few, model = started("kpm", 4)
    assert few == pytest.approx(3.7, abs=0.2)
    ids = torch.arange(16)[None]
    assert same(model(input_ids=ids).logits, wide()(input_ids=ids).logits, atol=1e-3)
    for rows in (16, 64, 256):
        assert started("kpm", rows)[0] < 1.2


@mutating
def test_what_corda_refuses(quantized: Callable[..., nn.Module]) -> None:
    base = llama()
    each_row = lambda: [base(input_ids=row[None]) for row in PROMPT]  # noqa: E731
    settings = corda("q_proj")
    with pytest.raises(ValueError, match="`eigens` attribute not found for layer"):
        get_peft_model(llama(), settings)
    with pytest.raises(RuntimeError, match=r"t\(\) expects a tensor with <= 2 dim"):
        preprocess_corda(base, settings, run_model=lambda: base(input_ids=PROMPT))
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        preprocess_corda(llama(), settings, run_model=lambda: None)
    with pytest.raises(ValueError, match="run_model must be specified when covariance"):
        preprocess_corda(llama(), settings)
    with pytest.raises(FileNotFoundError, match="No such file or directory: ''"):
        preprocess_corda(
            base, corda("q_proj", cache_file="cache.pt"), run_model=each_row
        )
    packed = quantized(4)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        preprocess_corda(
            packed,
            settings,
            run_model=lambda: [packed(input_ids=row[None]) for row in PROMPT],
        )


@mutating
def test_corda_does_not_understand_all_linear() -> None:
    base = llama()
    settings = LoraConfig(
        target_modules="all-linear",
        init_lora_weights="corda",
        corda_config=CordaConfig(),
        **CAUSAL,
    )
    preprocess_corda(base, settings, run_model=lambda: None)
    with pytest.raises(ValueError, match="`eigens` attribute not found for layer"):
        get_peft_model(base, settings)


# -- prompts by model ------------------------------------------------------------------

by_model = claim("Prompt_Learning_Generate")

SIZES: dict[str, Any] = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2}
HEADS: dict[str, Any] = {
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
HEAD = {"head_dim": 8}
PER_LAYER = {
    "vocab_size_per_layer_input": 64,
    "hidden_size_per_layer_input": 8,
    "num_kv_shared_layers": 0,
}
MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8}
HYBRIDS = {
    "falcon_h1": HEADS
    | HEAD
    | MAMBA
    | {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_n_groups": 1},
    "jamba": HEADS
    | {"num_experts": 2, "num_experts_per_tok": 1, "use_mamba_kernels": False}
    | {"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4},
    "bamba": HEADS | MAMBA | {"attn_layer_indices": [1]},
    "granitemoehybrid": HEADS
    | MAMBA
    | {"layer_types": ["mamba", "attention"], "num_local_experts": 0},
    "qwen3_next": HEADS
    | HEAD
    | {"linear_num_key_heads": 2, "linear_num_value_heads": 4}
    | {"linear_key_head_dim": 8, "linear_value_head_dim": 8, "num_experts": 2}
    | {"num_experts_per_tok": 1, "moe_intermediate_size": 16}
    | {"shared_expert_intermediate_size": 16}
    | {"layer_types": ["linear_attention", "full_attention"]},
}


def of_family(family: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    settings = AutoConfig.for_model(family, **SIZES | options)
    model = AutoModelForCausalLM.from_config(settings).eval()
    for weight in model.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    return model


def gemma4(width: int = 8) -> nn.Module:
    options = HEADS | HEAD | PER_LAYER | {"hidden_size_per_layer_input": width}
    return of_family("gemma4_text", **options)


def gemma3n() -> nn.Module:
    options = {"laurel_rank": 4, "altup_num_inputs": 2, "num_hidden_layers": 4}
    options |= {"layer_types": ["sliding_attention", "full_attention"] * 2}
    options |= {"activation_sparsity_pattern": [0.0] * 4}
    return of_family("gemma3n_text", **HEADS | HEAD | PER_LAYER | options)


PROMPTS = ["PromptTuning", "PromptEncoder"]


def learns(model: PeftModel) -> bool:
    model(input_ids=PROMPT, labels=PROMPT).loss.backward()
    grads = [it.grad for it in model.parameters() if it.requires_grad]
    return all(grad is not None and grad.abs().max() > 0 for grad in grads)


@by_model
@each("method", PROMPTS)
def test_a_prompt_on_gemma_4_needs_its_per_layer_embeddings(method: str) -> None:
    settings = config(method, **CAUSAL)
    number = settings.num_virtual_tokens
    model = adapted(settings, gemma4())
    with pytest.raises(RuntimeError, match="make sure you provide exact `inputs_emb"):
        model(input_ids=PROMPT)
    assert learns(adapted(settings, gemma4(0)))
    base = model.get_base_model()
    padded = nn.functional.pad(PROMPT, (number, 0))
    layers = base.model.get_per_layer_inputs(padded, None)
    model.get_prompt = lambda batch_size, **_options: base.get_input_embeddings()(
        padded[:batch_size, :number]
    )
    given = {"input_ids": PROMPT, "per_layer_inputs": layers}
    assert same(model(**given).logits, base(input_ids=padded).logits)
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        model.generate(**given, max_new_tokens=2, use_cache=False)


@by_model
def test_gemma_3n_leaves_the_per_layer_embeddings_out() -> None:
    settings = config("PromptTuning", **CAUSAL)
    number = settings.num_virtual_tokens
    model = adapted(settings, gemma3n())
    base = model.get_base_model()
    padded = nn.functional.pad(PROMPT, (number, 0))
    words = base.get_input_embeddings()
    weight = model.prompt_encoder["default"].embedding.weight
    weight.data = words(padded[0, :number]).detach()
    wanted = base(input_ids=padded).logits
    assert not same(model(input_ids=PROMPT).logits, wanted)
    layers = base.model.get_per_layer_inputs(padded)
    found = model(input_ids=PROMPT, per_layer_inputs=layers).logits
    assert same(found, wanted, atol=1e-4)


@by_model
@each("base", [gemma4, gemma3n])
def test_a_prefix_and_lora_on_gemma(base: Callable[[], nn.Module]) -> None:
    prefix = config("PrefixTuning", **CAUSAL)
    assert learns(adapted(prefix, base()))
    assert learns(adapted(lora("q_proj", **CAUSAL), base()))
    model = adapted(prefix, base()).train()
    model.gradient_checkpointing_enable()
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        learns(model)


@by_model
@each("family", HYBRIDS)
def test_hybrid_models_take_a_prompt_and_no_prefix(family: str) -> None:
    def base() -> nn.Module:
        return of_family(family, **HYBRIDS[family])

    for method in PROMPTS:
        assert learns(adapted(config(method, **CAUSAL), base()))
    prefix = adapted(config("PrefixTuning", **CAUSAL), base())
    message = re.escape("Cannot get conv state for non linear attention layer 0 of")
    with pytest.raises(ValueError, match=message):
        learns(prefix)


@by_model
def test_prompts_on_mamba() -> None:
    def mamba() -> nn.Module:
        return of_family("mamba", state_size=4)

    def mamba2() -> nn.Module:
        sizes = {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1}
        return of_family("mamba2", **sizes)

    for method in PROMPTS:
        with pytest.raises(ValueError, match="Please specify `num_attention_heads` in"):
            adapted(config(method, **CAUSAL), mamba())
        assert learns(adapted(config(method, num_attention_heads=1, **CAUSAL), mamba()))
        assert learns(adapted(config(method, **CAUSAL), mamba2()))
    prefix = adapted(config("PrefixTuning", **CAUSAL), mamba2())
    plain = mamba2()(input_ids=PROMPT).logits
    assert identical(prefix(input_ids=PROMPT).logits, plain)
    with pytest.raises(RuntimeError, match="does not require grad"):
        learns(prefix)


@claim("Unsupported_Target_Layer")
@each("target", [["conv1d"], ["out_proj"], "all-linear"])
def test_layers_of_mamba_that_lora_refuses(target: list[str] | str) -> None:
    base = of_family("falcon_h1", **HYBRIDS["falcon_h1"])
    with pytest.raises(ValueError, match="is incompatible with Mamba-based models"):
        get_peft_model(base, LoraConfig(target_modules=target))
    get_peft_model(base, LoraConfig(target_modules=["in_proj", "q_proj", "up_proj"]))


# -- configurations without a method ---------------------------------------------------


@claim("Prompt_Learning_Task_Type")
def test_a_configuration_without_a_method(tmp_path: Path) -> None:
    for settings in (PeftConfig(), PeftConfig(**CAUSAL)):
        with pytest.raises(KeyError, match="None"):
            get_peft_model(llama(), settings)
    model = adapted(lora("q_proj", **CAUSAL), llama())
    model.save_pretrained(tmp_path)
    wanted = run(model)
    file = tmp_path / "adapter_config.json"
    text = file.read_text()
    for wrong, message in (("null", "None"), ('"lora"', "'lora'")):
        file.write_text(text.replace('"peft_type": "LORA"', f'"peft_type": {wrong}'))
        with pytest.raises(KeyError, match=message):
            PeftModel.from_pretrained(llama(), tmp_path)
    file.write_text(re.sub(r'"task_type": "\w+"', '"task_type": null', text))
    assert same(run(PeftModel.from_pretrained(llama(), tmp_path)), wanted)
    with pytest.raises(KeyError, match="None"):
        PeftModel.from_pretrained(llama(), tmp_path, config=PeftConfig())
    for settings in (PeftConfig(peft_type="LORA", **CAUSAL),):
        with pytest.raises(AttributeError, match="'PeftConfig' object has no attribut"):
            get_peft_model(llama(), settings)


# -- MergedLinear ----------------------------------------------------------------------


def old_merged_linear(a: Tensor, b: Tensor, enabled: list[bool], x: Tensor) -> Tensor:
    """Compute what the forward pass of PEFT 0.2 adds to the output of its layer, before the scale."""
    after = nn.functional.conv1d((x @ a.T).transpose(-2, -1), b, groups=2)
    part = b.shape[0] // sum(enabled)
    result = x.new_zeros(*x.shape[:-1], part * len(enabled))
    used = torch.tensor(enabled).repeat_interleave(part)
    result[..., used] = after.transpose(-2, -1)
    return result


@claim("Newer_Config_Keys_Ignored")
@each("enabled", [[True, False, True], [True, True, False], [False, True, True]])
def test_an_old_merged_linear_is_a_lora_of_twice_the_rank(enabled: list[bool]) -> None:
    torch.manual_seed(0)
    a, b, x = torch.randn(16, 32), torch.randn(64, 8, 1), torch.randn(2, 5, 32)
    one, other = b.squeeze(-1).chunk(2)
    zeros = torch.zeros_like(one)
    blocks = iter([(one, zeros), (zeros, other)])
    rows = [next(blocks) if it else (zeros, zeros) for it in enabled]
    new = torch.cat([torch.cat(row, dim=1) for row in rows])
    settings = LoraConfig(r=16, lora_alpha=16, target_modules=["0"])
    model = get_peft_model(nn.Sequential(nn.Linear(32, 96)), settings)
    layer = model.base_model.model[0]
    layer.lora_A["default"].weight.data = a
    layer.lora_B["default"].weight.data = new
    added = model(x) - layer.base_layer(x)
    assert same(added, old_merged_linear(a, b, enabled, x), atol=1e-4)
