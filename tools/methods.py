"""Find out what each method of PEFT can do, by running it, and write that.

    python tools/methods.py          try all methods, and write what was found
    python tools/methods.py NAME …   try these only, such as LORA or options
    python tools/methods.py --write  write the tables into the page

Each question is asked of tiny random models on the CPU, and answered by outputs:
`yes`; `no`, if the outputs are not what they must be; the error; or `not asked`, if
there is no way to ask. What is written is `tests/peft/methods.json`, from which the
tables of `docs/guides/methods.md` are made, each below a comment with its name.

Each is asked twice: of a Llama whose attention has biases, and of one without biases
and with grouped-query attention, as most Llamas are. Where the second answers something
else, that is written too, below `elsewhere`, with the one of the two that matters.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TORCH_EXTENSIONS_DIR", tempfile.mkdtemp())  # BOFT compiles

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, PeftType, get_peft_model
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from peft.utils.hotswap import hotswap_adapter
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.pytorch_utils import Conv1D

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parents[1] / "tests/peft/methods.json"
PAGE = Path(__file__).parents[1] / "docs/guides/methods.md"
SOURCE = Path(peft.__file__).parent / "tuners"

#: A table of the page, and before it the comment with its name.
TABLE = re.compile(r"^% methods: (?P<name>.+)\n+(?:\|.*\n)*\n?", re.MULTILINE)

#: The cosine of what an adapter changes on a quantized and on a full base.
ALIKE = 0.8

#: What is written for a question that a method does not have.
NONE = "-"

IDS = torch.arange(3, 19).reshape(2, 8)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of PEFT, and how it is set up for the tiny models."""

    #: The name that readers use.
    label: str
    #: The folder of its source.
    folder: str
    #: Options without which it does not fit.
    options: dict[str, Any] = field(default_factory=dict)
    #: Options of a second adapter whose settings are others.
    other: dict[str, Any] = field(default_factory=dict)
    #: What it adapts in a Llama; None if it has no `target_modules`.
    target: str | None = "q_proj"
    #: What a second adapter needs to be added at all.
    beside: dict[str, Any] = field(default_factory=dict)
    #: Arguments that each call needs.
    call: dict[str, Any] = field(default_factory=dict)
    #: Options of the defaults that do not fit the larger model, either.
    sizes: dict[str, Any] = field(default_factory=dict)


TASKS = {"task_ids": torch.zeros(2, dtype=torch.long)}
VIRTUAL = {"num_virtual_tokens": 4}
MORE = {"num_virtual_tokens": 6}
CPT = {
    "cpt_token_ids": [1, 2, 3, 4],
    "cpt_mask": [1, 1, 1, 1],
    "cpt_tokens_type_mask": [1, 2, 3, 4],
}
CPT_MORE = {name: values * 2 for name, values in CPT.items()}


def method(label: str, folder: str, **settings: Any) -> Method:  # noqa: ANN401
    """Return a method's description."""
    return Method(label=label, folder=folder, **settings)


def ranked(label: str, folder: str, **options: Any) -> Method:  # noqa: ANN401
    """Return the description of a method with a rank."""
    return method(label, folder, options={"r": 4} | options, other={"r": 8})


METHODS = {
    "LORA": ranked("LoRA", "lora"),
    "ADALORA": method(
        "AdaLoRA",
        "adalora",
        options={"total_step": 10},
        other={"init_r": 4},
        beside={"inference_mode": True},
        sizes={"total_step": 10},
    ),
    "ADAMSS": method(
        "AdaMSS",
        "adamss",
        options={"r": 4, "num_subspaces": 2},
        other={"num_subspaces": 1},
    ),
    "BEFT": method("BEFT", "beft"),
    "BOFT": method("BOFT", "boft", other={"boft_block_size": 8}),
    "C3A": method("C3A", "c3a", options={"block_size": 8}, other={"block_size": 4}),
    "DEFT": ranked("DEFT", "deft"),
    "DELORA": ranked("DeLoRA", "delora"),
    "FOURIERFT": method(
        "FourierFT", "fourierft", options={"n_frequency": 50}, other={"n_frequency": 60}
    ),
    "FROD": method(
        "FRoD", "frod", options={"progressbar": False}, other={"sparse_rate": 0.1}
    ),
    "GLORA": ranked("GLoRA", "glora"),
    "GRALORA": ranked("GraLoRA", "gralora"),
    "HIRA": ranked("HiRA", "hira"),
    "HRA": ranked("HRA", "hra"),
    "IA3": method(
        "IA³",
        "ia3",
        options={"feedforward_modules": []},
        other={"target_modules": ["down_proj"], "feedforward_modules": ["down_proj"]},
        sizes={"feedforward_modules": []},
    ),
    "LILY": ranked("Lily", "lily"),
    "LN_TUNING": method("LN tuning", "ln_tuning", target="input_layernorm"),
    "LOHA": ranked("LoHa", "loha"),
    "LOKR": ranked("LoKr", "lokr"),
    "MISS": ranked("MiSS (Bone)", "miss"),
    "OFT": method(
        "OFT", "oft", options={"oft_block_size": 4}, other={"oft_block_size": 8}
    ),
    "OSF": method(
        "OSF", "osf", options={"effective_rank": 4}, other={"effective_rank": 8}
    ),
    "PEANUT": ranked("PEANuT", "peanut"),
    "POLY": method(
        "Poly", "poly", options={"r": 4, "n_tasks": 1}, other={"r": 8}, call=TASKS
    ),
    "PSOFT": ranked("PSOFT", "psoft"),
    "PVERA": ranked("PVeRA", "pvera"),
    "RANDLORA": ranked("RandLoRA", "randlora"),
    "ROAD": method("RoAd", "road", options={"group_size": 8}, other={"group_size": 4}),
    "SHADOW": method("Shadow", "shadow", target="", other={"r": 4}),
    "SHIRA": ranked("SHiRA", "shira"),
    "SUPERTUNING": method(
        "Super tuning",
        "supertuning",
        options={"sparsity": 0.9},
        other={"sparsity": 0.8},
    ),
    "TINYLORA": method("TinyLoRA", "tinylora", other={"u": 32}),
    "TRAINABLE_TOKENS": method(
        "Trainable tokens",
        "trainable_tokens",
        options={"token_indices": [4, 5, 6, 12]},
        other={"token_indices": [7, 8, 13]},
        target="embed_tokens",
        sizes={"token_indices": [4, 5, 6, 12]},
    ),
    "UNILORA": ranked("Uni-LoRA", "unilora"),
    "VBLORA": method(
        "VB-LoRA",
        "vblora",
        options={"num_vectors": 8, "vector_length": 8},
        other={"r": 2},
    ),
    "VERA": ranked("VeRA", "vera"),
    "WAVEFT": method(
        "WaveFT", "waveft", options={"n_frequency": 50}, other={"n_frequency": 60}
    ),
    "XLORA": method("X-LoRA", "xlora", target=None),
    "ADAPTION_PROMPT": method(
        "Adaption prompt",
        "adaption_prompt",
        options={"adapter_len": 4, "adapter_layers": 1},
        other={"adapter_len": 6},
        target=None,
        sizes={"adapter_len": 10, "adapter_layers": 2},
    ),
    "CARTRIDGE": method(
        "Cartridge",
        "cartridge",
        options=VIRTUAL,
        other=MORE,
        target=None,
        sizes={"num_virtual_tokens": 20},
    ),
    "CPT": method("CPT", "cpt", options=CPT, other=CPT_MORE, target=None, sizes=CPT),
    "MULTITASK_PROMPT_TUNING": method(
        "Multitask prompt tuning",
        "multitask_prompt_tuning",
        options=VIRTUAL,
        other=MORE,
        target=None,
        call=TASKS,
        sizes={"num_virtual_tokens": 20},
    ),
    "PREFIX_TUNING": method(
        "Prefix tuning",
        "prefix_tuning",
        options=VIRTUAL,
        other=MORE,
        target=None,
        sizes={"num_virtual_tokens": 20},
    ),
    "PROMPT_TUNING": method(
        "Prompt tuning",
        "prompt_tuning",
        options=VIRTUAL,
        other=MORE,
        target=None,
        sizes={"num_virtual_tokens": 20},
    ),
    "P_TUNING": method(
        "P-tuning",
        "p_tuning",
        options=VIRTUAL | {"encoder_hidden_size": 8},
        other=MORE,
        target=None,
        sizes={"num_virtual_tokens": 20},
    ),
}

# -- models --


@dataclass(frozen=True, kw_only=True)
class Base:
    """A kind of Llama, and the layers of it that are adapted."""

    #: Whether its attention has biases.
    has_bias: bool
    #: How many heads its keys and values have, of 4.
    heads: int
    #: What a method adapts that can adapt linear layers.
    target: str
    #: What another adapter has beside it.
    beside: str


#: That of the tables.
WITH_BIAS = Base(has_bias=True, heads=4, target="q_proj", beside="v_proj")

#: What most Llamas are like: no biases, and layers that are not square.
WITHOUT_BIAS = Base(has_bias=False, heads=2, target="v_proj", beside="q_proj")

#: Tells which of the two it is that makes an answer another one.
NOT_SQUARE = Base(has_bias=True, heads=2, target="v_proj", beside="q_proj")

#: The one that is asked now.
BASE = ContextVar("BASE", default=WITH_BIAS)


@contextmanager
def asking(base: Base) -> Iterator[None]:
    """Ask another base for a while."""
    before = BASE.set(base)
    try:
        yield
    finally:
        BASE.reset(before)


class NotAskedError(Exception):
    """There is no way to ask a method this."""


def target_of(name: str) -> str | None:
    """Return what a method adapts in the base that is asked now."""
    target = METHODS[name].target
    return BASE.get().target if target == "q_proj" else target


def llama(size: int = 32, **options: object) -> LlamaForCausalLM:
    """Return a Llama of two layers, the same at every call."""
    sizes = {
        "vocab_size": 64,
        "hidden_size": size,
        "intermediate_size": 2 * size,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "initializer_range": 0.3,  # so large that what an adapter does can be seen
        "attention_bias": BASE.get().has_bias,
        "num_key_value_heads": BASE.get().heads,
        "use_cache": False,  # X-LoRA refuses a cache
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LlamaForCausalLM(LlamaConfig(**sizes | options)).eval()


def config(name: str, *targets: str, **options: object) -> peft.PeftConfig:
    """Return a configuration of a method, for a Llama unless others are named."""
    it = METHODS[name]
    chosen: dict[str, Any] = {"task_type": "CAUSAL_LM"} | it.options
    if targets:
        chosen["target_modules"] = list(targets)
        del chosen["task_type"]
    elif it.target:
        chosen["target_modules"] = [target_of(name)]
    if name == "XLORA":
        chosen |= {"hidden_size": 32, "adapters": {"0": expert(), "1": expert()}}
    return PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(name)](**chosen | options)


def expert(size: int = 32) -> str:
    """Save an adapter for X-LoRA, and return its folder."""
    folder = tempfile.mkdtemp()
    target = [BASE.get().target]
    lora = LoraConfig(
        target_modules=target, init_lora_weights=False, task_type="CAUSAL_LM"
    )
    get_peft_model(llama(size), lora).save_pretrained(folder)
    return folder


def moved(model: nn.Module) -> nn.Module:
    """Change all that is trained, as a training would."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            noise = torch.randn(parameter.shape)
            parameter.data += 0.1 * noise.to(parameter.dtype)
    return model.eval()


def new(name: str, base: nn.Module | None = None, **options: object) -> PeftModel:
    """Return a Llama with a new adapter."""
    base = llama() if base is None else base
    torch.manual_seed(0)
    return get_peft_model(base, config(name, **options)).eval()


def trained(name: str, base: nn.Module | None = None, **options: object) -> PeftModel:
    """Return a Llama with an adapter that is no longer new."""
    return moved(new(name, base, **options))


def with_second(name: str, **options: object) -> PeftModel:
    """Return a Llama with two adapters, `default` and `other`, of other weights."""
    model = trained(name)
    model.add_adapter("other", config(name, **METHODS[name].beside | options))
    torch.manual_seed(2)
    for key, parameter in model.named_parameters():
        if "other" in key.split(".") and parameter.is_floating_point():
            parameter.data += 0.1 * torch.randn(parameter.shape)
    return model.eval()


def pair(name: str) -> PeftModel:
    """Return the same for what is asked of two adapters."""
    if name == "XLORA":
        message = "it can have no second adapter"
        raise NotAskedError(message)
    return with_second(name)


def logits(model: nn.Module, name: str = "", **options: object) -> Tensor:
    """Return the logits of the tokens, without those of a prompt before them."""
    call = METHODS[name].call if name else {}
    torch.manual_seed(3)  # PVeRA draws
    with torch.no_grad():
        found = model(input_ids=IDS, **call, **options).logits
    return found[:, -IDS.shape[1] :].float()


def same(one: Tensor, other: Tensor, atol: float = 1e-3) -> bool:
    """Return whether two results are the same."""
    return torch.allclose(one, other, atol=atol)


def learns(model: nn.Module, name: str = "", **options: object) -> bool:
    """Return whether some trained weight gets a gradient, and none is not a number."""
    call = METHODS[name].call if name else {}
    model(input_ids=IDS, labels=IDS, **call, **options).loss.backward()
    grads = [it.grad for it in model.parameters() if it.grad is not None]
    return any(it.any() for it in grads) and all(it.isfinite().all() for it in grads)


def adapted(model: nn.Module) -> list[str]:
    """Return the names of the layers that have an adapter."""
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, BaseTunerLayer)
    ]


# -- layers --

SIGNAL = torch.linspace(-1, 1, 2 * 16 * 8).reshape(2, 16, 8)
ROWS = SIGNAL.mT.contiguous()
IMAGE = torch.linspace(-1, 1, 2 * 16 * 64).reshape(2, 16, 8, 8)


class Attention(nn.Module):
    """PyTorch's own attention, of one input."""

    def __init__(self, *, bias: bool) -> None:
        """Make the layer."""
        super().__init__()
        self.layer = nn.MultiheadAttention(16, 2, bias=bias, batch_first=True)

    def forward(self, rows: Tensor) -> Tensor:
        """Attend."""
        return self.layer(rows, rows, rows)[0]


CUBE = IMAGE.reshape(2, 16, 4, 4, 4)

#: For each layer, how it is made, and what it reads. GPT-2's always has a bias.
LAYERS: dict[str, tuple[Callable[..., nn.Module], Tensor]] = {
    "Linear": (partial(nn.Linear, 16, 16), ROWS),
    "Linear, not square": (partial(nn.Linear, 16, 32), ROWS),
    "Conv1D": (lambda **_bias: Conv1D(16, 16), ROWS),
    "Conv1d": (partial(nn.Conv1d, 16, 16, 3, padding=1), SIGNAL),
    "Conv2d": (partial(nn.Conv2d, 16, 16, 3, padding=1), IMAGE),
    "Conv2d, kernel 1": (partial(nn.Conv2d, 16, 16, 1), IMAGE),
    "Conv3d": (partial(nn.Conv3d, 16, 16, 3, padding=1), CUBE),
    "Conv3d, kernel 1": (partial(nn.Conv3d, 16, 16, 1), CUBE),
    "Embedding": (lambda **_bias: nn.Embedding(64, 16), IDS),
    "MultiheadAttention": (Attention, ROWS),
    "LayerNorm": (partial(nn.LayerNorm, 16), ROWS),
}

#: What is said of an adapter that is right until it is merged.
NO_MERGE = "yes, but no merge"


def layer_of(layer: str) -> tuple[nn.Module, Tensor, str]:
    """Return a base of one layer, what it reads, and what is adapted in it."""
    torch.manual_seed(0)
    make, rows = LAYERS[layer]
    base = nn.Sequential(make(bias=BASE.get().has_bias), nn.Identity()).eval()
    return base, rows, "0.layer" if layer == "MultiheadAttention" else "0"


@cache
def starts(name: str) -> bool:
    """Return whether a new adapter changes nothing in a Llama."""
    return starts_as_base(name)


def takes(name: str, layer: str) -> bool | str:
    """Return whether a layer can be adapted, trained, and merged."""
    base, rows, target = layer_of(layer)
    call = METHODS[name].call
    before = base(rows)
    model = get_peft_model(base, config(name, target)).eval()
    if starts(name) and not same(model.base_model(rows, **call), before):
        return False
    output = moved(model).base_model(rows, **call)
    output.square().sum().backward()
    grads = [it.grad for it in model.parameters() if it.grad is not None]
    if same(output, before) or not any(it.any() for it in grads):
        return False
    try:
        model.merge_adapter()
    except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
        return f"{NO_MERGE}: {message_of(error)}"
    return same(model.base_model(rows, **call), output)


def takes_parameter(name: str) -> bool:
    """Return whether a weight is reached by `target_parameters`."""
    torch.manual_seed(0)
    base = nn.Sequential(nn.Linear(16, 16)).eval()
    rows = ROWS
    before = base(rows)
    options = METHODS[name].options | {"target_parameters": ["0.weight"]}
    kind = PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(name)]
    model = moved(get_peft_model(base, kind(target_modules=[], **options)))
    return not same(model(rows), before)


# -- questions to a method --


def starts_as_base(name: str) -> bool:
    """Ask whether a new adapter changes nothing."""
    return same(logits(new(name), name), logits(llama()))


def can_be_disabled(name: str) -> bool:
    """Ask whether a trained adapter can be switched off."""
    model = trained(name)
    if same(logits(model, name), logits(llama())):
        return False
    with model.disable_adapter():
        return same(logits(model, name), logits(llama()))


def merges(name: str) -> bool:
    """Ask whether `merge_adapter` keeps the logits."""
    model = trained(name)
    before = logits(model, name)
    model.merge_adapter()
    layers = [it for it in model.modules() if isinstance(it, BaseTunerLayer)]
    is_merged = bool(layers) and all(it.merged for it in layers)
    return is_merged and same(logits(model, name), before)


def unmerges(name: str) -> bool:
    """Ask whether `unmerge_adapter` gives base and adapter back."""
    model = trained(name)
    before = logits(model, name)
    model.merge_adapter()
    model.unmerge_adapter()
    if not same(logits(model, name), before):
        return False
    with model.disable_adapter():
        return same(logits(model, name), logits(llama()))


def merges_and_unloads(name: str) -> bool:
    """Ask whether `merge_and_unload` returns a plain model of the same logits."""
    model = trained(name)
    before = logits(model, name)
    merged = model.merge_and_unload()
    assert isinstance(merged, LlamaForCausalLM)  # noqa: S101 - else it is no answer
    return not adapted(merged) and same(logits(merged), before)


def unloads(name: str) -> bool:
    """Ask whether `unload` returns the base."""
    return same(logits(trained(name).unload()), logits(llama()))


def second(name: str, **options: object) -> bool:
    """Ask whether a second adapter can be added, and both be switched to."""
    expected = logits(trained(name), name)
    model = with_second(name, **options)
    first = logits(model, name)
    model.set_adapter("other")
    other = logits(model, name)
    model.set_adapter("default")
    again = logits(model, name)
    return same(first, expected) and same(again, first) and not same(other, first)


def second_of_others(name: str) -> bool | str:
    """Ask whether a second adapter may have other settings and other layers."""
    if not METHODS[name].other:
        return NONE
    return second(name, **METHODS[name].other)


def second_of_layers(name: str) -> bool | str:
    """Ask whether a second adapter may be on other layers."""
    if METHODS[name].target != "q_proj":
        return NONE
    return second(name, target_modules=[BASE.get().beside])


def both_active(name: str) -> bool | str:
    """Ask whether two adapters can be active together, and are merged as they were."""
    model = pair(name)
    alone = [logits(model, name)]
    model.set_adapter("other")
    alone.append(logits(model, name))
    tuner = model.base_model
    (tuner if isinstance(tuner, BaseTuner) else model).set_adapter(["default", "other"])
    together = logits(model, name)
    if any(same(together, it) for it in alone):
        return False
    try:
        model.merge_adapter()
    except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
        return f"{NO_MERGE}: {message_of(error)}"
    return same(logits(model, name), together)


def mixed_batch(name: str) -> bool:
    """Ask whether each row of a batch can have its own adapter."""
    if name == "XLORA":  # its experts are the only adapters that it can have
        model = trained(name)
        named = logits(model, name, adapter_names=["0", "1"])
        return not same(named, logits(model, name))
    model = pair(name)
    first = logits(model, name)
    model.set_adapter("other")
    other = logits(model, name)
    model.set_adapter("default")
    found = logits(model, name, adapter_names=["default", "other"])
    return same(found[0], first[0]) and same(found[1], other[1])


def weighted(name: str) -> bool:
    """Ask whether two adapters can be added up into a third."""
    model = pair(name)
    before = logits(model, name)
    model.add_weighted_adapter(["default", "other"], [0.5, 0.5], "sum")
    model.set_adapter("sum")
    return not same(logits(model, name), before)


def deletes(name: str) -> bool:
    """Ask whether one of two adapters can be deleted."""
    model = pair(name)
    before = logits(model, name)
    model.delete_adapter("other")
    left = any("other" in key.split(".") for key in model.state_dict())
    return same(logits(model, name), before) and not left


def mixes(name: str) -> bool:
    """Ask whether it works beside LoRA in a `PeftMixedModel`."""
    model = get_peft_model(llama(), config(name), mixed=True)
    lora = LoraConfig(target_modules=[BASE.get().beside], init_lora_weights=False)
    model.add_adapter("lora", lora)
    moved(model)
    alone = []
    for adapter in ("default", "lora"):
        model.set_adapter(adapter)
        alone.append(logits(model))
    model.set_adapter(["default", "lora"])
    both = logits(model)
    return not any(same(both, it) for it in alone)


def reloads(name: str, **options: object) -> bool:
    """Ask whether a saved adapter gives the same when it is loaded."""
    model = trained(name)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        again = PeftModel.from_pretrained(llama(), folder, **options).eval()
        before = logits(model, name)
        return not same(before, logits(llama())) and same(logits(again, name), before)


def reloads_cheaply(name: str) -> bool:
    """Ask the same with `low_cpu_mem_usage`."""
    return reloads(name, low_cpu_mem_usage=True)


def hotswaps(name: str) -> bool:
    """Ask whether its weights can be replaced in place."""
    model, other = trained(name), moved(trained(name))
    expected = logits(other, name)
    with tempfile.TemporaryDirectory() as folder:
        other.save_pretrained(folder)
        hotswap_adapter(model, folder, adapter_name="default")
    return same(logits(model, name), expected)


def injects(name: str) -> bool:
    """Ask whether `inject_adapter_in_model` takes it."""
    model = moved(peft.inject_adapter_in_model(config(name), llama()))
    return isinstance(model, LlamaForCausalLM) and not same(
        logits(model), logits(llama())
    )


def of_dtype(name: str, dtype: torch.dtype) -> bool:
    """Ask whether a base of another type is run, trained and merged."""
    model = trained(name, llama().to(dtype))
    return bool(logits(model, name).isfinite().all()) and learns(model, name)


def of_bfloat16(name: str) -> bool:
    """Ask it of bfloat16."""
    return of_dtype(name, torch.bfloat16)


def of_float16(name: str) -> bool:
    """Ask it of float16."""
    return of_dtype(name, torch.float16)


def quantized(bits: int) -> nn.Module:
    """Return the Llama as bitsandbytes loads it.

    It is in training mode: in evaluation mode, a call repacks the weights in 4 bit for
    the CPU, and what reads them later reads them as if they were not repacked.
    """
    stored = BitsAndBytesConfig(
        **{f"load_in_{bits}bit": True}, bnb_4bit_compute_dtype=torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        llama().save_pretrained(folder)
        return AutoModelForCausalLM.from_pretrained(
            folder, quantization_config=stored, dtype=torch.float32
        ).train()


def effects(name: str, base: nn.Module) -> tuple[PeftModel, Tensor]:
    """Return a base with an adapter that is no longer new, and what that changes."""
    before = logits(base)
    model = trained(name, base).train()
    return model, logits(model, name) - before


def on_bits(name: str, bits: int) -> bool:
    """Ask whether an adapter does on a quantized base what it does on its weights."""
    _model, expected = effects(name, quantized(bits).dequantize())
    model, found = effects(name, quantized(bits))
    alike = nn.functional.cosine_similarity(found.ravel(), expected.ravel(), dim=0)
    return bool(alike > ALIKE) and learns(model, name)


def on_4bit(name: str) -> bool:
    """Ask it of 4 bit."""
    return on_bits(name, 4)


def on_8bit(name: str) -> bool:
    """Ask it of 8 bit."""
    return on_bits(name, 8)


def checkpoints(name: str) -> bool:
    """Ask whether gradient checkpointing gives the same gradients."""
    grads = []
    for is_on in (False, True):
        torch.manual_seed(0)
        base = llama()
        if is_on:
            base.gradient_checkpointing_enable()
        model = trained(name, base).train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        torch.manual_seed(4)
        if not learns(model, name):
            return False
        grads.append([it.grad for it in model.parameters() if it.grad is not None])
    return len(grads[0]) == len(grads[1]) and all(map(same, grads[0], grads[1]))


def compiles(name: str) -> bool:
    """Ask whether `torch.compile` gives the same logits; its backend is aot_eager."""
    torch.compiler.reset()
    model = trained(name)
    before = logits(model, name)
    return same(logits(torch.compile(model, backend="aot_eager"), name), before)


def all_linear(name: str) -> bool:
    """Ask whether `target_modules="all-linear"` finds the layers."""
    model = trained(name, target_modules="all-linear")
    found = model.targeted_module_names
    return len(found) == 14 and "lm_head" not in found and learns(model, name)  # noqa: PLR2004


def excludes(name: str) -> bool:
    """Ask whether `exclude_modules` leaves a layer out."""
    target = target_of(name)
    out = "model.embed_tokens" if target == "embed_tokens" else f".*0.*{target}"
    model = trained(name, exclude_modules=out)
    return len(model.targeted_module_names) == 1


def by_layer(name: str) -> bool:
    """Ask whether `layers_to_transform` chooses layers."""
    model = trained(name, layers_to_transform=[1])
    found = model.targeted_module_names
    return len(found) == 1 and "1" in found[0].split(".")


def by_pattern(name: str) -> bool:
    """Ask whether `rank_pattern` gives layers other sizes."""
    targets = ["q_proj", "o_proj"]
    rank = {"o_proj": 2}
    model = trained(name, target_modules=targets, rank_pattern=rank)
    sizes = []
    for target in targets:
        weights = (
            parameter.numel()
            for key, parameter in model.named_parameters()
            if f"1.self_attn.{target}." in key and "base_layer" not in key
        )
        sizes.append(sum(weights))
    return sizes[0] != sizes[1]


def saves_head(name: str) -> bool:
    """Ask whether `modules_to_save` trains and saves a layer."""
    model = trained(name, modules_to_save=["lm_head"])
    before = logits(model, name)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        again = PeftModel.from_pretrained(llama(), folder).eval()
    names = [key for key, it in model.named_parameters() if it.requires_grad]
    is_trained = any("lm_head" in key for key in names)
    return is_trained and same(logits(again, name), before)


def trains_tokens(name: str) -> bool:
    """Ask whether `trainable_token_indices` trains and saves rows."""
    model = trained(name, trainable_token_indices=[4, 5])
    before = logits(model, name)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        again = PeftModel.from_pretrained(llama(), folder).eval()
    names = [key for key, it in model.named_parameters() if it.requires_grad]
    return any("token" in key for key in names) and same(logits(again, name), before)


def weight_of(name: str) -> dict[str, int]:
    """Return what an adapter of the default settings needs, on a larger model."""
    size = 512
    it = METHODS[name]
    chosen: dict[str, Any] = {"task_type": "CAUSAL_LM"} | it.sizes
    if it.target == "q_proj":  # of the base with biases
        chosen["target_modules"] = ["q_proj", "v_proj"]
    elif it.target:
        chosen["target_modules"] = [it.target]
    if name == "XLORA":
        chosen |= {
            "hidden_size": size,
            "adapters": {"0": expert(size), "1": expert(size)},
        }
    if name == "FROD":
        chosen["progressbar"] = False
    kind = PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(name)]
    model = get_peft_model(llama(size), kind(**chosen))
    number = sum(it.numel() for it in model.parameters() if it.requires_grad)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        file = sum(it.stat().st_size for it in Path(folder).rglob("*.safetensors"))
    return {"trained": number, "kilobytes": round(file / 1000)}


#: The questions, by the names that they have in what is written.
QUESTIONS: dict[str, Callable[[str], Any]] = {
    "target_parameters": takes_parameter,
    "starts_as_base": starts_as_base,
    "disable": can_be_disabled,
    "merge": merges,
    "unmerge": unmerges,
    "merge_and_unload": merges_and_unloads,
    "unload": unloads,
    "second": second,
    "other_settings": second_of_others,
    "other_layers": second_of_layers,
    "both_active": both_active,
    "adapter_names": mixed_batch,
    "weighted": weighted,
    "delete": deletes,
    "mixed": mixes,
    "reload": reloads,
    "low_cpu_mem_usage": reloads_cheaply,
    "hotswap": hotswaps,
    "inject": injects,
    "bfloat16": of_bfloat16,
    "float16": of_float16,
    "4bit": on_4bit,
    "8bit": on_8bit,
    "checkpointing": checkpoints,
    "compile": compiles,
    "all_linear": all_linear,
    "exclude_modules": excludes,
    "layers_to_transform": by_layer,
    "rank_pattern": by_pattern,
    "modules_to_save": saves_head,
    "trainable_token_indices": trains_tokens,
}


# -- options of LoRA --

#: How BD-LoRA is told which layers it has.
BLOCKS = {"target_modules_bd_b": ["o_proj"], "nblocks": 2}

#: The options that only LoRA has, by the names that readers use.
OPTIONS: dict[str, dict[str, Any]] = {
    "DoRA": {"use_dora": True},
    "rsLoRA": {"use_rslora": True},
    "lora_bias": {"lora_bias": True},
    "PiSSA": {"init_lora_weights": "pissa"},
    "OLoRA": {"init_lora_weights": "olora"},
    "MiCA": {"init_lora_weights": "mica"},
    "orthogonal": {"init_lora_weights": "orthogonal"},
    "gaussian": {"init_lora_weights": "gaussian"},
    "EVA": {"init_lora_weights": "eva"},
    "CorDA": {"init_lora_weights": "corda"},
    "LoRA-GA": {"init_lora_weights": "lora_ga"},
    "LoftQ": {
        "init_lora_weights": "loftq",
        "loftq_config": {"loftq_bits": 4, "loftq_iter": 1},
    },
    "aLoRA": {"alora_invocation_tokens": [5]},
    "Arrow": {"arrow_config": {}},
    "BD-LoRA": {"use_bdlora": BLOCKS | {"target_modules_bd_a": ["q_proj"]}},
    "KaSA": {"kasa_config": {}},
    "MonteCLoRA": {"monteclora_config": {}},
    "VeLoRA": {"velora_config": {}},
}

#: Options that other methods have, too, and with which those are combined.
BESIDE: dict[str, dict[str, Any]] = {
    "lora_dropout": {"lora_dropout": 0.1},
    "rank_pattern": {"rank_pattern": {"o_proj": 2}},
    "target_parameters": {"target_parameters": ["q_proj.weight"]},
    "trainable_token_indices": {"trainable_token_indices": [4, 5]},
    "layer_replication": {"layer_replication": [[0, 2], [0, 2]]},
}

#: Those that need data or a preparation before they can start.
PREPARED = ("CorDA", "LoRA-GA", "LoftQ", "Arrow")


def started(**options: object) -> PeftModel:
    """Return a Llama with a new LoRA of some options."""
    torch.manual_seed(0)
    chosen = {"target_modules": ["q_proj", "o_proj"], "r": 4, "task_type": "CAUSAL_LM"}
    if "target_parameters" in options:
        chosen["target_modules"] = []
    return get_peft_model(llama(), LoraConfig(**chosen | options)).eval()


def option_starts(option: str) -> bool:
    """Ask whether a new adapter changes nothing."""
    return same(logits(started(**OPTIONS[option])), logits(llama()))


def option_keeps_base(option: str) -> bool:
    """Ask whether the base is as it was while the adapter is disabled."""
    model = started(**OPTIONS[option])
    with model.disable_adapter():
        return same(logits(model), logits(llama()))


def option_merges(option: str) -> bool:
    """Ask whether `merge_adapter` keeps the logits, and `unmerge_adapter` too."""
    model = moved(started(**OPTIONS[option]))
    before = logits(model)
    model.merge_adapter()
    merged = logits(model)
    model.unmerge_adapter()
    return same(merged, before) and same(logits(model), before)


def option_reloads(option: str) -> bool:
    """Ask whether a saved adapter gives the same on the base as it was."""
    model = moved(started(**OPTIONS[option]))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        again = PeftModel.from_pretrained(llama(), folder).eval()
    return same(logits(again), logits(model))


def option_pair(option: str, second_option: str) -> PeftModel:
    """Return a model with two adapters of such options."""
    model = moved(started(**OPTIONS[option]))
    chosen = {"target_modules": ["q_proj", "o_proj"], "r": 4, "task_type": "CAUSAL_LM"}
    model.add_adapter("other", LoraConfig(**chosen | OPTIONS.get(second_option, {})))
    model.set_adapter("other")
    moved(model)
    model.set_adapter("default")
    return model.eval()


def option_beside_lora(option: str) -> bool:
    """Ask whether a plain LoRA can be beside it, and be switched to."""
    model = option_pair(option, "")
    first = logits(model)
    model.set_adapter("other")
    other = logits(model)
    model.set_adapter("default")
    return same(logits(model), first) and not same(first, other)


def option_mixed_batch(option: str) -> bool:
    """Ask whether each row of a batch can have its own adapter."""
    model = option_pair(option, option)
    first = logits(model)
    model.set_adapter("other")
    other = logits(model)
    model.set_adapter("default")
    found = logits(model, adapter_names=["default", "other"])
    return same(found[0], first[0]) and same(found[1], other[1])


def option_weighted(option: str) -> bool:
    """Ask whether the sum of an adapter alone, with weight 1, is that adapter."""
    model = option_pair(option, option)
    before = logits(model)
    model.add_weighted_adapter(["default"], [1.0], "sum", combination_type="linear")
    model.set_adapter("sum")
    return same(logits(model), before)


def option_hotswaps(option: str) -> bool:
    """Ask whether its weights can be replaced in place."""
    model = moved(started(**OPTIONS[option]))
    other = moved(moved(started(**OPTIONS[option])))
    expected = logits(other)
    with tempfile.TemporaryDirectory() as folder:
        other.save_pretrained(folder)
        hotswap_adapter(model, folder, adapter_name="default")
    return same(logits(model), expected)


def option_on_4bit(option: str) -> bool:
    """Ask whether it is used and trained on a base of 4 bit."""
    chosen = {"target_modules": ["q_proj", "o_proj"], "r": 4, "task_type": "CAUSAL_LM"}
    base = quantized(4)
    before = logits(base)
    torch.manual_seed(0)
    model = moved(get_peft_model(base, LoraConfig(**chosen | OPTIONS[option]))).train()
    return not same(logits(model), before) and learns(model)


def option_on_layer(option: str, layer: str) -> bool | str:
    """Ask whether a layer takes it, and is merged into."""
    base, rows, target = layer_of(layer)
    before = base(rows)
    options = OPTIONS[option]
    if option == "BD-LoRA":
        options = {"use_bdlora": BLOCKS | {"target_modules_bd_a": ["0"]}}
    lora = LoraConfig(target_modules=[target], r=4, **options)
    model = moved(get_peft_model(base, lora))
    if option == "aLoRA":
        message = "a layer alone has no tokens that invoke it"
        raise NotAskedError(message)
    output = model(rows)
    if same(output, before):
        return False
    try:
        model.merge_adapter()
    except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
        return f"{NO_MERGE}: {message_of(error)}"
    return same(model(rows), output)


def starts_as_one(first: dict[str, Any], other: dict[str, Any]) -> bool:
    """Ask whether a new adapter of two options is as with one of them alone."""
    if "kasa_config" in first and other in BESIDE.values():
        return True  # how much KaSA takes out of the base depends on ranks and layers
    start = logits(started(**first, **other))
    return any(same(start, logits(started(**it))) for it in (first, other))


def combined(first: dict[str, Any], other: dict[str, Any]) -> bool:
    """Ask whether two options work together: started, used, trained and loaded."""
    if not starts_as_one(first, other):
        return False
    model = moved(started(**first, **other))
    before = logits(model)
    if same(before, logits(llama())) or not learns(model):
        return False
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        base = llama()
        again = PeftModel.from_pretrained(base, folder).eval()
    return same(logits(again), before)


#: The questions to an option of LoRA.
OF_OPTION: dict[str, Callable[[str], Any]] = {
    "starts_as_base": option_starts,
    "disable": option_keeps_base,
    "merge": option_merges,
    "reload": option_reloads,
    "beside_lora": option_beside_lora,
    "adapter_names": option_mixed_batch,
    "weighted": option_weighted,
    "hotswap": option_hotswaps,
    "4bit": option_on_4bit,
}


def message_of(error: Exception) -> str:
    """Return an error on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"


def answer(question: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """Return yes, no, the error, or that it was not asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            found = question(*arguments)
        except NotAskedError as error:
            return f"not asked: {error}"
        except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
            return message_of(error)
    return {True: "yes", False: "no"}[found] if isinstance(found, bool) else found


def is_alike(one: object, other: object) -> bool:
    """Return whether two answers are the same, but for numbers and the bias."""
    texts = [re.sub(r"\d+|(, )?bias=\w+", "", str(it)) for it in (one, other)]
    return texts[0] == texts[1]


def asked_elsewhere(
    known: dict[str, Any], questions: dict[str, Callable[[], Any]]
) -> dict[str, dict[str, str]]:
    """Return what a base without biases answers otherwise, and what matters."""
    with asking(WITHOUT_BIAS):
        starts.cache_clear()
        found = {path: answer(question) for path, question in questions.items()}
    others = {it: text for it, text in found.items() if not is_alike(text, known[it])}
    with asking(NOT_SQUARE):
        starts.cache_clear()
        is_bias = {it: is_alike(answer(questions[it]), known[it]) for it in others}
    starts.cache_clear()
    return {
        path: {"with": "no bias" if is_bias[path] else "not square", "answer": text}
        for path, text in others.items()
    }


def asked_all(questions: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return the answers to questions whose names may be paths, of all bases."""
    starts.cache_clear()
    known = {path: answer(question) for path, question in questions.items()}
    found: dict[str, Any] = {}
    for path, text in known.items():
        *folders, key = path.split("/")
        here = found
        for folder in folders:
            here = here.setdefault(folder, {})
        here[key] = text
    return found | {"elsewhere": asked_elsewhere(known, questions)}


def asked_option(option: str) -> dict[str, Any]:
    """Ask an option of LoRA everything."""
    mine = OPTIONS[option]
    questions = {it: partial(question, option) for it, question in OF_OPTION.items()}
    for layer in LAYERS:
        questions[f"layers/{layer}"] = partial(option_on_layer, option, layer)
    for name, options in (OPTIONS | BESIDE).items():
        if not mine.keys() & options.keys():
            questions[f"with/{name}"] = partial(combined, mine, options)
    return asked_all(questions)


def asked_options() -> dict[str, Any]:
    """Ask all options of LoRA, and whether other methods have them."""
    return {option: asked_option(option) for option in OPTIONS}


def asked_adalora() -> dict[str, str]:
    """Ask whether AdaLoRA takes the options that it inherits from LoRA."""

    def works(options: dict[str, Any]) -> bool:
        model = trained("ADALORA", **options)
        plain = trained("ADALORA")
        return not same(logits(model), logits(plain))

    return {name: answer(works, options) for name, options in OPTIONS.items()}


def asked(name: str) -> dict[str, Any]:
    """Ask a method everything."""
    it = METHODS[name]
    questions: dict[str, Callable[[], Any]] = {}
    for layer in LAYERS if it.target else ():
        questions[f"layers/{layer}"] = partial(takes, name, layer)
    for key, question in QUESTIONS.items():
        questions[key] = partial(question, name)
    return {"label": it.label} | asked_all(questions) | {"size": weight_of(name)}


# -- tables --

#: For each topic of the page: what readers call an ability, where the answers to it
#: are, and the word for no if there is no error.
ABILITIES: dict[str, list[tuple[str, str, str]]] = {
    "layers": [
        ("`Linear`", "layers/Linear", "wrong"),
        ("GPT-2's `Conv1D`", "layers/Conv1D", "wrong"),
        ("`Conv1d`", "layers/Conv1d", "wrong"),
        ("`Conv2d`", "layers/Conv2d", "wrong"),
        ("`Conv3d`", "layers/Conv3d", "wrong"),
        ("`Embedding`", "layers/Embedding", "wrong"),
        ("`MultiheadAttention`", "layers/MultiheadAttention", "wrong"),
        ("`target_parameters`", "target_parameters", "ignored"),
    ],
    "merging": [
        ("starts as the base", "starts_as_base", "no"),
        ("`disable_adapter`", "disable", "wrong"),
        ("`merge_adapter`", "merge", "wrong"),
        ("`unmerge_adapter`", "unmerge", "wrong"),
        ("`merge_and_unload`", "merge_and_unload", "wrong"),
        ("`unload`", "unload", "wrong"),
    ],
    "several": [
        ("a second adapter", "second", "wrong"),
        ("one of another size", "other_settings", "wrong"),
        ("two active adapters", "both_active", "wrong"),
        ("`adapter_names`", "adapter_names", "ignored"),
        ("`add_weighted_adapter`", "weighted", "wrong"),
        ("`PeftMixedModel`", "mixed", "wrong"),
        ("`delete_adapter`", "delete", "wrong"),
    ],
    "files": [
        ("save and load", "reload", "wrong"),
        ("`low_cpu_mem_usage`", "low_cpu_mem_usage", "wrong"),
        ("`hotswap_adapter`", "hotswap", "wrong"),
        ("`inject_adapter_in_model`", "inject", "wrong"),
    ],
    "bases": [
        ("bfloat16", "bfloat16", "wrong"),
        ("float16", "float16", "wrong"),
        ("4-bit", "4bit", "wrong"),
        ("8-bit", "8bit", "wrong"),
    ],
    "running": [
        ("gradient checkpointing", "checkpointing", "wrong"),
        ("`torch.compile`", "compile", "wrong"),
    ],
    "settings": [
        ("`all-linear`", "all_linear", "ignored"),
        ("`exclude_modules`", "exclude_modules", "ignored"),
        ("`layers_to_transform`", "layers_to_transform", "ignored"),
        ("`rank_pattern`", "rank_pattern", "ignored"),
        ("`modules_to_save`", "modules_to_save", "ignored"),
        ("`trainable_token_indices`", "trainable_token_indices", "ignored"),
    ],
}

#: The same for the options of LoRA.
OF_OPTIONS: list[tuple[str, str, str]] = [
    ("starts as the base", "starts_as_base", "no"),
    ("`disable_adapter`", "disable", "wrong"),
    ("`merge_adapter`", "merge", "wrong"),
    ("save and load", "reload", "wrong"),
    ("beside a plain LoRA", "beside_lora", "wrong"),
    ("`adapter_names`", "adapter_names", "wrong"),
    ("`add_weighted_adapter`", "weighted", "wrong"),
    ("`hotswap_adapter`", "hotswap", "wrong"),
    ("4-bit", "4bit", "wrong"),
    ("GPT-2's `Conv1D`", "layers/Conv1D", "wrong"),
    ("`Conv2d`", "layers/Conv2d", "wrong"),
    ("`Embedding`", "layers/Embedding", "wrong"),
    ("`MultiheadAttention`", "layers/MultiheadAttention", "wrong"),
]

#: What is told as one if the answers are the same.
PROMPTS = (
    *("Cartridge", "CPT", "Multitask prompt tuning"),
    *("Prefix tuning", "Prompt tuning", "P-tuning"),
)

#: How else readers call a method.
ALSO = {"IA³": "IA3", "Adaption prompt": "LLaMA-Adapter", "LN tuning": "norms"}

#: What an answer is said of if that of other layers is another, and what those are.
CONDITIONS = {
    "no bias": ("with a bias", "no bias"),
    "not square": ("square layers", "layers not square"),
    "kernel 1": ("larger kernel", "kernel 1"),
}

#: What is said where there is nothing to say.
NOTHING = "none"


def at(found: dict[str, Any], path: str) -> str:
    """Return an answer."""
    here: Any = found
    for part in path.split("/"):
        here = here.get(part, NONE)
        if here == NONE:
            break
    return here


def word(value: str, silent: str) -> str:
    """Return an answer in a word."""
    known = {"yes": "yes", "no": silent, NONE: ""}
    if value.startswith(NO_MERGE):
        return "no merge"
    return "not asked" if value.startswith("not asked") else known.get(value, "error")


def words(found: dict[str, Any], path: str, silent: str) -> dict[str, str]:
    """Return the answer, or the answers and for what each is."""
    said = word(at(found, path), silent)
    others = {"kernel 1": word(at(found, f"{path}, kernel 1"), silent)}
    if path in found["elsewhere"]:
        other = found["elsewhere"][path]
        others[other["with"]] = word(other["answer"], silent)
    others = {it: text for it, text in others.items() if text not in {"", said}}
    mine = ", ".join(CONDITIONS[it][0] for it in others)
    return {mine: said} | {CONDITIONS[it][1]: text for it, text in others.items()}


def listed(names: dict[str, list[str]]) -> tuple[str, str]:
    """Return what works, and what does not, by its word."""
    yes = ", ".join(names.pop("yes", [])) or NOTHING
    order = ("wrong", "ignored", "no", "error", "no merge", "not asked")
    rest = [(it, names[it]) for it in order if names.get(it)]
    no = "; ".join(f"**{it}**: {', '.join(them)}" for it, them in rest)
    return yes, no or NOTHING


def row_of(found: dict[str, Any], abilities: list[tuple[str, str, str]]) -> list[str]:
    """Return what a method can do, and what it cannot."""
    names: dict[str, list[str]] = {}
    for ability, path, silent in abilities:
        for condition, text in words(found, path, silent).items():
            # what works until it is merged works
            limits = [condition, text if text == "no merge" else ""]
            limit = ": ".join(filter(None, limits))
            name = f"{ability} ({limit})" if limit else ability
            names.setdefault("yes" if limits[1] else text, []).append(name)
    names.pop("", None)
    return [*listed(names)]


def shortened(labels: list[str]) -> list[str]:
    """Return the labels, those of all prompts as one."""
    if not {*PROMPTS} <= {*labels}:
        return labels
    return [*(it for it in labels if it not in PROMPTS), "prompts"]


def row_of_ability(
    methods: dict[str, dict[str, Any]], path: str, silent: str
) -> list[str]:
    """Return which methods have an ability; most of them are told as all others."""
    names: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    for label, found in methods.items():
        for condition, text in words(found, path, silent).items():
            if condition:
                names.setdefault(text, []).append(f"{label} ({condition})")
            elif text:
                plain.setdefault(text, []).append(label)
    most = max(plain, key=lambda it: len(plain[it]))
    for text, labels in plain.items():
        is_rest = text == most and len(labels) > 6 and len(plain) > 1  # noqa: PLR2004
        is_all = len(plain) == 1
        said = ["all others"] if is_rest else ["all"] if is_all else shortened(labels)
        names[text] = said + names.get(text, [])
    return [*listed(names)]


def lines_of(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table."""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def table_by_ability(topic: str, methods: dict[str, dict[str, Any]]) -> str:
    """Return a small table of a topic, without what all can do."""
    rows = [
        [ability, *row_of_ability(methods, path, silent)]
        for ability, path, silent in ABILITIES[topic]
    ]
    return lines_of(["What", "Yes", "No"], [it for it in rows if it[2] != NOTHING])


def table_by_name(
    head: str, named: dict[str, dict[str, Any]], abilities: list[tuple[str, str, str]]
) -> str:
    """Return a table of all that methods or options can do, a row for each."""
    rows = [[name, *row_of(found, abilities)] for name, found in named.items()]
    return lines_of([head, "Yes", "No"], rows)


def table_of_sizes(methods: dict[str, dict[str, Any]]) -> str:
    """Return how much each method trains and saves, the least first."""
    lines = ["| Method | Trained numbers | File |", "| --- | --- | --- |"]
    for found in sorted(methods.values(), key=lambda it: it["size"]["trained"]):
        size = found["size"]
        number, file = f"{size['trained']:,}", f"{size['kilobytes']:,}"
        lines.append(f"| {found['label']} | {number} | {file} kB |")
    return "\n".join(lines)


def table_of_pairs(options: dict[str, dict[str, Any]]) -> str:
    """Return which options of LoRA do not work together."""
    shown = {name: it for name, it in options.items() if name not in PREPARED}
    rows = []
    for name, found in shown.items():
        cells: dict[str, list[str]] = {"yes": [], "wrong": [], "error": []}
        for other, value in found["with"].items():
            if other not in PREPARED:
                cells[word(value, "wrong")].append(other)
        if cells["wrong"] or cells["error"]:
            found_as = (", ".join(cells[it]) or NOTHING for it in ("wrong", "error"))
            rows.append([name, *found_as])
    return lines_of(["Option", "Wrong with", "Error with"], rows)


def tables(known: dict[str, Any]) -> dict[str, str]:
    """Return all tables of the page, by name."""
    methods = {it["label"]: it for it in known["methods"].values()}
    options = {
        name: it for name, it in known["options"].items() if name not in PREPARED
    }
    everything = [it for abilities in ABILITIES.values() for it in abilities]
    made = {topic: table_by_ability(topic, methods) for topic in ABILITIES}
    of_names = {
        f"{label} ({ALSO[label]})" if label in ALSO else label: found
        for label, found in methods.items()
    }
    made["methods"] = table_by_name("Method", of_names, everything)
    made["options"] = table_by_name("Option", options, OF_OPTIONS)
    made["pairs"] = table_of_pairs(known["options"])
    made["sizes"] = table_of_sizes(known["methods"])
    return made


def main(*names: str) -> None:
    """Try the methods that are named, or all, and write what was found."""
    torch.set_num_threads(1)
    known = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    known["peft"] = peft.__version__
    known["transformers"] = transformers.__version__
    for name in names or (*METHODS, "options"):
        if name == "options":
            known["options"] = asked_options()
            known["adalora"] = asked_adalora()
        else:
            known.setdefault("methods", {})[name] = asked(name)
        print(name, flush=True)
    text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
    DATA.write_text(text, encoding="utf-8")


def written(page: str, made: dict[str, str]) -> str:
    """Return the page with the tables."""

    def table(found: re.Match[str]) -> str:
        return f"% methods: {found['name']}\n\n{made[found['name']]}\n\n"

    return TABLE.sub(table, page).rstrip("\n") + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        made = tables(json.loads(DATA.read_text(encoding="utf-8")))
        page = written(PAGE.read_text(encoding="utf-8"), made)
        PAGE.write_text(page, encoding="utf-8")
    else:
        main(*sys.argv[1:])
