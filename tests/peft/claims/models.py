"""Tiny models, adapters on them, and what the claims ask of both."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bitsandbytes as bnb
import peft
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    CLIPVisionConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Trainer,
    TrainingArguments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from transformers import TrainerCallback

claim = pytest.mark.claim
each = pytest.mark.parametrize

#: A configuration's options, or a function's.
Options = dict[str, Any]

#: What makes a model of some options, and what saves an adapter and names its folder.
Loader = Callable[..., nn.Module]
Saver = Callable[..., str]

# -- bases, the same at every call --

ROWS = torch.linspace(-1.0, 1.0, 64).reshape(4, 16)
PROMPT = torch.arange(16).reshape(2, 8)

SIZES = {
    "vocab_size": 64,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
CAUSAL = {"task_type": "CAUSAL_LM"}


def linear() -> nn.Sequential:
    """Return two linear layers, `0` and `2`, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16)).eval()


def quantized_linear(bits: int, *, bias: bool = True, **options: str) -> nn.Sequential:
    """Return a linear layer of bitsandbytes', `0`, as transformers loads it."""
    layer = {
        4: lambda: bnb.nn.Linear4bit(
            64, 64, bias, compute_dtype=torch.float32, **options
        ),
        8: lambda: bnb.nn.Linear8bitLt(64, 64, bias, has_fp16_weights=False),
    }[bits]()
    base = nn.Sequential(layer).to("cpu")
    # set by transformers where it loads a model
    setattr(base, f"is_loaded_in_{bits}bit", True)
    return base


def llama(kind: type[nn.Module] = LlamaForCausalLM, **options: object) -> nn.Module:
    """Return a Llama of one layer in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        # X-LoRA refuses a cache
        return kind(LlamaConfig(**{"use_cache": False} | SIZES | options)).eval()


# -- families of transformers' --

#: A model for text and one for pictures, of the same size.
SIGHT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
TEXT = SIGHT | {"vocab_size": 64}
IMAGE = {"image_size": 8, "patch_size": 4}
SMALL = TEXT | {"num_key_value_heads": 1}
ROPE = {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}}
QWEN_SIGHT = {"depth": 1, "hidden_size": 16, "num_heads": 2}
#: Where modules are now, and where they were before transformers 4.52.
QWEN_BEFORE = {"model.language_model.": "model.", "model.visual.": "visual."}
LLAVA_BEFORE = {
    "model.language_model.": "language_model.model.",
    "model.vision_tower.": "vision_tower.vision_model.",
    "model.multi_modal_projector.": "multi_modal_projector.",
}
FEW = SIZES | {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "num_experts_per_tok": 2,
    "num_local_experts": 4,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def llava() -> LlavaForConditionalGeneration:
    torch.manual_seed(0)
    two = {"num_hidden_layers": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**SIGHT | IMAGE | two, projection_dim=16),
        text_config=LlamaConfig(**TEXT | two),
        image_token_index=63,
    )
    return LlavaForConditionalGeneration(config)


def gemma() -> nn.Module:
    config = Gemma3Config(
        text_config=SMALL | {"head_dim": 8},
        vision_config=SIGHT | IMAGE,
        mm_tokens_per_image=4,
    )
    return Gemma3ForConditionalGeneration(config)


def paligemma() -> nn.Module:
    vision = {"projection_dim": 16, "model_type": "siglip_vision_model"}
    config = PaliGemmaConfig(
        text_config=SMALL | {"head_dim": 8, "model_type": "gemma"},
        vision_config=SIGHT | IMAGE | vision,
        projection_dim=16,
        image_token_index=63,
    )
    return PaliGemmaForConditionalGeneration(config)


def qwen2() -> nn.Module:
    vision = QWEN_SIGHT | {"embed_dim": 16, "patch_size": 4}
    config = Qwen2VLConfig(text_config=SMALL | ROPE, vision_config=vision)
    return Qwen2VLForConditionalGeneration(config)


def qwen25() -> nn.Module:
    vision = QWEN_SIGHT | {"intermediate_size": 32, "out_hidden_size": 16}
    config = Qwen2_5_VLConfig(text_config=SMALL | ROPE, vision_config=vision)
    return Qwen2_5_VLForConditionalGeneration(config)


def experts(family: str) -> nn.Module:
    """Return a small model with fused experts in evaluation mode, the same at every call."""
    sizes = {
        "qwen3_moe": {"num_experts": 4, "moe_intermediate_size": 32, "head_dim": 8},
        "gpt_oss": {"head_dim": 8},
        "deepseek_v3": {
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "n_shared_experts": 1,
            "n_group": 1,
            "topk_group": 1,
            "moe_intermediate_size": 32,
            "first_k_dense_replace": 1,
        },
        "llama4_text": {
            "num_experts_per_tok": 1,
            "intermediate_size_mlp": 64,
            "interleave_moe_layer_step": 1,
            "head_dim": 8,
        },
    }.get(family, {})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = AutoConfig.for_model(family, **FEW | sizes)
        return AutoModelForCausalLM.from_config(config).eval()


def olmo() -> nn.Module:
    """Return a model that PEFT's tables do not have."""
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = AutoConfig.for_model("olmo", **SIZES | ends)
    return AutoModelForCausalLM.from_config(config)


# -- configurations and adapters --

#: Options without which a method does not fit these bases.
OPTIONS: dict[str, dict[str, Any]] = {
    "AdaLora": {"total_step": 10},
    "Adamss": {"num_subspaces": 2, "r": 4},
    "AdaptionPrompt": {"adapter_len": 4, "adapter_layers": 1},
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 8},
    "CPT": {
        "cpt_token_ids": [1, 2],
        "cpt_mask": [1, 1],
        "cpt_tokens_type_mask": [1, 2],
    },
    "Cartridge": {"num_virtual_tokens": 4},
    "FourierFT": {"n_frequency": 50},
    "Gralora": {"r": 4, "gralora_k": 2},
    "IA3": {"feedforward_modules": []},
    "Miss": {"r": 4},
    "MultitaskPromptTuning": {"num_virtual_tokens": 4, "num_tasks": 1},
    "OFT": {"oft_block_size": 4},
    "PrefixTuning": {"num_virtual_tokens": 4},
    "PromptEncoder": {"num_virtual_tokens": 4, "encoder_hidden_size": 8},
    "PromptTuning": {"num_virtual_tokens": 4},
    "Psoft": {"r": 4},
    "Road": {"group_size": 8},
    "Shira": {"r": 2},
    "TrainableTokens": {"token_indices": [1, 2, 3]},
    "VBLoRA": {"num_vectors": 8, "vector_length": 8},
    "WaveFT": {"n_frequency": 50},
}
#: What a method adapts in a Llama, where that is not a projection.
TARGETS = {"LNTuning": "input_layernorm", "TrainableTokens": "embed_tokens"}
#: These compare the layers first, and have an error of their own if none fits.
OWN_ERROR = {"Frod", "Pvera", "RandLora", "Vera"}


def methods_with(parameter: str) -> list[str]:
    """Return the methods whose configuration has a parameter."""
    return sorted(
        kind.__name__.removesuffix("Config")
        for kind in PEFT_TYPE_TO_CONFIG_MAPPING.values()
        if parameter in inspect.signature(kind).parameters
    )


def methods_inheriting(function: str) -> list[str]:
    """Return the methods that can be merged and whose tuner has a function of all tuners."""
    return sorted(
        PEFT_TYPE_TO_CONFIG_MAPPING[kind].__name__.removesuffix("Config")
        for kind, tuner in PEFT_TYPE_TO_TUNER_MAPPING.items()
        if getattr(tuner, function, None) is getattr(BaseTuner, function)
        and kind not in {"LILY", "POLY", "SHADOW", "XLORA"}
    )


MERGING = methods_inheriting("merge_and_unload")
#: Those that change the weight of a linear layer.
LINEAR = sorted({*MERGING} - {"Beft", *TARGETS})


def config(method: str, *targets: str, **options: object) -> peft.PeftConfig:
    """Return a method's configuration for these modules."""
    options = OPTIONS.get(method, {}) | options
    if targets:
        options["target_modules"] = list(targets)
    return getattr(peft, f"{method}Config")(**options)


def lora(*targets: str, **options: object) -> LoraConfig:
    """Return a configuration whose adapter is random, as if it were trained."""
    random = {"target_modules": [*targets] or ["0", "2"], "init_lora_weights": False}
    return LoraConfig(**{"r": 4} | random | options)


def adapted(
    config: peft.PeftConfig, base: nn.Module | None = None, **options: object
) -> PeftModel:
    """Wrap the linear layers, or another base."""
    # a compiled model is neither true nor false
    return get_peft_model(linear() if base is None else base, config, **options)


def on_llama(
    method: str, *targets: str, base: nn.Module | None = None, **options: object
) -> peft.PeftModel:
    """Adapt the usual layer of a Llama, or others."""
    if not targets and method in methods_with("target_modules"):
        targets = (TARGETS.get(method, "q_proj"),)
    base = base or llama(attention_bias=True)  # BEFT trains a bias
    return adapted(config(method, *targets, **CAUSAL | options), base)


def pair(
    first: peft.PeftConfig | None = None,
    second: peft.PeftConfig | None = None,
    base: nn.Module | None = None,
    **options: object,
) -> PeftModel:
    """Return a model with the adapters `a`, which is active, and `b`."""
    first = first or lora()
    model = adapted(first, base, adapter_name="a", **options)
    model.add_adapter("b", second or first)
    return model


def trained(model: nn.Module, size: float = 0.1) -> nn.Module:
    """Move the weights that can be trained, as a training would, and return the model in evaluation mode."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += size * torch.randn_like(parameter)
    return model.eval()


def of_method(
    method: str, base: nn.Module | None = None, size: float = 0.1, **options: object
) -> PeftModel:
    """Return a Llama with a trained adapter of a method."""
    return trained(on_llama(method, base=base, **options), size)


def xlora(
    folder: Path,
    base: nn.Module | None = None,
    experts: Sequence[str] = "0",
    target: str = "q_proj",
    **options: object,
) -> PeftModel:
    """Return a Llama with X-LoRA, whose experts are saved in a folder."""
    base = base or llama()
    folders = {}
    for name in experts:
        expert = adapted(lora(target, **CAUSAL), llama(**options))
        expert.save_pretrained(folder / name)
        folders[name] = str(folder / name)
    gating = config("XLora", hidden_size=64, adapters=folders, xlora_depth=2, **CAUSAL)
    return get_peft_model(base, gating)


def layer_of(model: nn.Module) -> nn.Module:
    """Return the first layer that has an adapter."""
    return next(it for it in model.modules() if isinstance(it, BaseTunerLayer))


# -- folders --


def loaded(folder: Path, base: nn.Module | None = None, **options: object) -> PeftModel:
    """Load an adapter onto the linear layers, or another base."""
    base = linear() if base is None else base
    return PeftModel.from_pretrained(base, folder, **options)


def saved(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a saved adapter."""
    return load_file(folder / "adapter_model.safetensors")


def settings(folder: Path, **changes: object) -> dict[str, Any]:
    """Change and return the saved configuration of an adapter."""
    path = folder / "adapter_config.json"
    found = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


def aged(
    folder: Path, base: nn.Module, config: peft.PeftConfig, before: dict[str, str]
) -> dict[str, Tensor]:
    """Save an adapter under the names of an older transformers, and return what is in it, under those of today."""
    adapted(config, base).save_pretrained(folder)
    # as after training: not what a new adapter begins with
    weights = {name: weight + 1 for name, weight in saved(folder).items()}
    renamed = {}
    for name, weight in weights.items():
        path = name.removeprefix("base_model.model.")
        now = next(start for start in before if path.startswith(start))
        renamed["base_model.model." + path.replace(now, before[now], 1)] = weight
    assert not renamed.keys() & {name for name in weights if "language_model" in name}
    save_file(renamed, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return weights


# -- results --


def ends(names: list[str]) -> set[str]:
    """Return the last parts of names."""
    return {name.rpartition(".")[2] for name in names}


def speaks(model: nn.Module) -> bool:
    """Return whether a model takes tokens."""
    return hasattr(model, "get_input_embeddings")


def run(model: nn.Module, batch: Tensor | None = None, **options: object) -> Tensor:
    """Return the outputs for the same rows, or the logits for the same prompt."""
    with torch.no_grad():
        if speaks(model):
            prompt = PROMPT if batch is None else batch
            return model(input_ids=prompt, **options).logits
        return model(ROWS if batch is None else batch, **options)


def output_of(it: nn.Module | Tensor) -> Tensor:
    """Return what a model gives, or a result as it is."""
    return run(it) if isinstance(it, nn.Module) else it


def same(
    one: nn.Module | Tensor, other: nn.Module | Tensor, atol: float = 1e-5
) -> bool:
    """Return whether two models give the same, or two results are the same."""
    return torch.allclose(output_of(one), output_of(other), atol=atol)


def identical(one: nn.Module | Tensor, other: nn.Module | Tensor) -> bool:
    """Return whether two models give the same to the last bit, or two results are."""
    return torch.equal(output_of(one), output_of(other))


def distance(actual: nn.Module | Tensor, expected: nn.Module | Tensor) -> float:
    """Return how far a result is from the expected one, relative to its size."""
    reference = output_of(expected)
    return float(((output_of(actual) - reference).norm() / reference.norm()).detach())


def update_of(config: peft.PeftConfig) -> Tensor:
    """Return what an adapter adds to the output of a layer of 100 by 100.

    All of its weights are the same, but for the last of each dimension that is as long
    as the rank: they are zero. So two ranks differ in their scale alone.
    """
    rank = getattr(config, "r", 0) or 0
    rank = getattr(config, "init_r", rank)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = nn.Sequential(nn.Linear(100, 100))
        rows = torch.randn(4, 100)
        before = run(plain, rows)
        model = adapted(config, plain).eval()
    for name, weight in trainable(model).items():
        if name.endswith("values.default"):  # supertuning's sparse part has no rank
            continue
        weight.data.fill_(0.1)
        for dimension, size in enumerate(weight.shape):
            if size == rank:
                weight.data.narrow(dimension, 1, rank - 1).zero_()
    return run(model, rows) - before


def scale_of(config: peft.PeftConfig, unit: peft.PeftConfig) -> float:
    """Return how much larger an adapter's update is than that of another configuration."""
    return float(update_of(config).norm() / update_of(unit).norm())


# -- training --


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that take gradients."""
    named = model.named_parameters()
    return {name: weight for name, weight in named if weight.requires_grad}


def dtypes(model: nn.Module) -> set[torch.dtype]:
    """Return the types of all weights."""
    return {parameter.dtype for parameter in model.parameters()}


def trained_dtypes(model: nn.Module) -> set[torch.dtype]:
    """Return the types of the weights that take gradients."""
    return {parameter.dtype for parameter in trainable(model).values()}


def of_the_head(model: PeftModel, head: str) -> tuple[list[str], list[str]]:
    """Return the names, of the head, that are trained and those that are saved."""
    both = trainable(model), get_peft_model_state_dict(model)
    trained, saved = ([name for name in names if head in name] for names in both)
    return trained, saved


def learning(model: PeftModel) -> set[str]:
    """Return the modules of a model of tokens whose adapters get gradients from a step.

    That a module is listed as adapted is no proof that it is.
    """
    kinds = {its.peft_type for its in model.peft_config.values()}
    # Shadow takes blocks, and fails at the projections that these tests name
    if kinds == {"SHADOW"}:
        return {*model.targeted_module_names}
    tasks = {"task_ids": torch.zeros(2, dtype=torch.long)} if kinds == {"POLY"} else {}
    model(input_ids=PROMPT, labels=PROMPT, **tasks).loss.backward()
    return {
        name.removeprefix("base_model.model.")
        for name, module in model.named_modules()
        if isinstance(module, BaseTunerLayer)
        and any(weight.grad is not None for weight in module.parameters())
    }


def unfrozen(model: nn.Module) -> set[str]:
    """Return the adapters that take gradients."""
    parts = {part for name in trainable(model) for part in name.split(".")}
    return parts & {*model.peft_config}


def adam(model: nn.Module, lr: float = 1e-2) -> torch.optim.Optimizer:
    """Return an optimizer for what can be trained by now."""
    return torch.optim.AdamW(trainable(model).values(), lr=lr)


def loss_of(model: nn.Module) -> Tensor:
    """Return a loss for the same rows, or the same prompt."""
    if speaks(model):
        return model(input_ids=PROMPT, labels=PROMPT).loss
    return model(ROWS).square().mean()


def steps(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    number: int = 5,
    loss_of: Callable[[nn.Module], Tensor] = loss_of,
) -> list[float]:
    """Train and return the losses."""
    losses = []
    for _step in range(number):
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def all_learn(model: nn.Module) -> bool:
    """Return whether a backward pass brings gradients to all that can be trained."""
    loss_of(model).backward()
    weights = trainable(model).values()
    return bool(weights) and all(weight.grad is not None for weight in weights)


def trainer(
    model: nn.Module,
    folder: Path,
    callbacks: Sequence[type[TrainerCallback]] = (),
    **options: object,
) -> Trainer:
    """Return a trainer of transformers' on the rows of the same prompt."""
    arguments = TrainingArguments(
        str(folder), use_cpu=True, report_to=[], disable_tqdm=True, **options
    )
    rows = [{"input_ids": row, "labels": row} for row in PROMPT]
    return Trainer(
        model,
        arguments,
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=[callback() for callback in callbacks],
    )


# -- messages --


@contextmanager
def said() -> Iterator[list[str]]:
    """Collect what is warned of, deprecations aside."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    deprecated = (FutureWarning, DeprecationWarning)
    texts.extend(
        str(warning.message)
        for warning in caught
        if not issubclass(warning.category, deprecated)
    )


@contextmanager
def silent() -> Iterator[None]:
    """Require that nothing is warned of."""
    with said() as texts:
        yield
    assert texts == []


def refused(
    message: str, error: type[Exception] = ValueError
) -> pytest.RaisesExc[Exception]:
    """Require an error with a message."""
    return pytest.raises(error, match=message)


def warned(
    message: str, category: type[Warning] = UserWarning
) -> pytest.WarningsRecorder:
    """Require a warning with a message."""
    return pytest.warns(category, match=message)


# -- operations --


class Operations(TorchDispatchMode):
    """Tells a function of each operation of torch and of what it works on."""

    def __init__(self, note: Callable[[object, Sequence[Any]], object]) -> None:
        super().__init__()
        self.note = note

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[Any] = (),
        kwargs: Options | None = None,
    ) -> object:
        self.note(func, args)
        return func(*args, **(kwargs or {}))
