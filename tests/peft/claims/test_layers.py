"""What the heuristics on layers that an adapter does not reach say, run on tiny models."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import NoMatchingPeftModuleError
from torch import Tensor, nn

from claims.models import (
    OWN_ERROR,
    TARGETS,
    adapted,
    claim,
    config,
    each,
    ends,
    learning,
    llama,
    lora,
    methods_with,
    of_the_head,
    on_llama,
    refused,
    said,
    same,
    trained,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# --- layers whose weights PyTorch reads ------------------------------------------------


@pytest.fixture
def _fast() -> Iterator[None]:
    yield
    torch.backends.mha.set_fastpath_enabled(True)


def encoder(**options: Any) -> nn.Sequential:  # noqa: ANN401 -- a layer takes anything
    torch.manual_seed(0)
    sizes = {"dropout": 0.0, "batch_first": True} | options
    return nn.Sequential(nn.TransformerEncoderLayer(64, 4, 64, **sizes)).eval()


def effects(model: nn.Module, plain: nn.Module, x: Tensor) -> tuple[float, float]:
    """Return how far an adapter moves the output, with the fused function and without."""
    found = []
    with torch.no_grad():
        for fused in (True, False):
            torch.backends.mha.set_fastpath_enabled(fused)
            found.append((model(x) - plain(x)).abs().max().item())
    return found[0], found[1]


#: Poly wants to know the task of each row, which an encoder passes to nobody.
WITHOUT_TASKS = sorted(
    {*methods_with("target_modules")} - {"AdaptionPrompt", "LNTuning", "Poly", "Shadow"}
)


fused_layers_bypass_adapters = claim("Fused_Layers_Bypass_Adapters")


@fused_layers_bypass_adapters
@pytest.mark.usefixtures("_fast")
@each("method", WITHOUT_TASKS)
def test_an_encoder_layer_in_eval_mode_skips_every_adapter(method: str) -> None:
    options = {"feedforward_modules": ["linear1"]} if method == "IA3" else {}
    ours = config(method, "linear1", "linear2", **options)
    model = trained(adapted(ours, encoder()))
    fused, layer_by_layer = effects(model, encoder(), torch.randn(2, 5, 64))
    assert fused < 1e-5
    assert layer_by_layer > 0.01


@fused_layers_bypass_adapters
@pytest.mark.usefixtures("_fast")
def test_training_and_a_merge_see_it_and_so_does_another_layout() -> None:
    x = torch.randn(2, 5, 64)
    config = lora("linear1", "linear2")
    model = adapted(config, encoder())
    assert effects(model.train(), encoder().train(), x)[0] > 0.1
    merged = model.merge_and_unload().eval()
    assert effects(merged, encoder(), x)[0] > 0.1
    other = adapted(config, encoder(batch_first=False)).eval()
    assert effects(other, encoder(batch_first=False), x)[0] > 0.1


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.end = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.attention(x, x, x, need_weights=False)[0])


@fused_layers_bypass_adapters
def test_out_proj_is_never_trained_but_merged() -> None:
    x = torch.randn(2, 5, 16)
    model = adapted(lora(target_modules="all-linear"), Attending())
    assert model.targeted_module_names == ["attention.out_proj", "end"]
    model(x).sum().backward()
    trained = {n for n, it in model.named_parameters() if it.grad is not None}
    assert trained
    assert not any("out_proj" in name for name in trained)

    model = adapted(lora("out_proj"), Attending())
    assert same(model(x), Attending()(x))
    assert not same(model.merge_and_unload()(x), Attending()(x), 1e-2)


@fused_layers_bypass_adapters
def test_lora_takes_the_attention_as_a_whole_and_others_do_not() -> None:
    x = torch.randn(2, 5, 16)
    model = adapted(lora("attention"), Attending())
    model(x).sum().backward()
    assert all(it.grad is not None for it in model.parameters() if it.requires_grad)
    merged = copy.deepcopy(model).merge_and_unload()
    assert same(model(x), merged(x))
    with pytest.raises((TypeError, ValueError)):
        adapted(config("LoHa", "attention"), Attending())


@fused_layers_bypass_adapters
def test_a_decoder_layer_skips_out_proj_only() -> None:
    def moved(name: str) -> float:
        torch.manual_seed(0)
        plain = nn.TransformerDecoderLayer(16, 2, 32, dropout=0.0).eval()
        x = torch.randn(2, 5, 16)
        with torch.no_grad():
            before = plain(x, x)
            model = adapted(lora(name), plain)
            return (model(x, x) - before).abs().max().item()

    assert moved("linear1") > 0.01
    assert moved("out_proj") < 1e-5


# --- which modules -----------------------------------------------------------------------

IN_BOTH = sorted({*methods_with("modules_to_save")} & {*methods_with("target_modules")})


@claim("Modules_To_Save_Or_Target")
@each("method", IN_BOTH)
def test_what_is_saved_in_full_gets_no_adapter(method: str) -> None:
    target = TARGETS.get(method, "q_proj")
    second = {"input_layernorm": "post_attention_layernorm"}.get(target, "v_proj")

    def found(**options: object) -> set[str]:
        return ends(learning(on_llama(method, target, second, **options)))

    assert found() == {target, second}
    with said() as texts:
        assert found(modules_to_save=[second]) == {target}
    assert not [text for text in texts if second in text]


@claim("Modules_To_Save_Or_Target")
def test_the_copy_is_trained_and_saved_and_alone_it_is_an_error() -> None:
    ours = lora("q_proj", "lm_head", modules_to_save=["lm_head"])
    trained, saved = of_the_head(adapted(ours, llama()), "lm_head")
    assert trained == ["base_model.model.lm_head.modules_to_save.default.weight"]
    assert saved == ["base_model.model.lm_head.weight"]
    with refused("modules_to_save"):
        adapted(lora("lm_head", modules_to_save=["lm_head"]), llama())


@claim("Layers_To_Transform_Matches")
@each("method", methods_with("layers_to_transform"))
def test_at_the_root_layers_are_found_by_their_pattern_only(method: str) -> None:
    def found(base: nn.Module, *targets: str, **options: object) -> list[str]:
        ours = config(method, *targets, layers_to_transform=[0], **options)
        return sorted(adapted(ours, base).targeted_module_names)

    inner = ["model.layers.0.self_attn.q_proj"]
    base = llama(num_hidden_layers=2, attention_bias=True)
    assert found(copy.deepcopy(base), "q_proj") == inner
    error = ValueError if method in OWN_ERROR else NoMatchingPeftModuleError
    with pytest.raises(error):
        found(copy.deepcopy(base.model), "q_proj")
    at_root = found(copy.deepcopy(base.model), "q_proj", layers_pattern="layers")
    assert at_root == ["layers.0.self_attn.q_proj"]
    assert found(base, "q_proj", "lm_head") == ["lm_head", *inner]


@claim("Target_Module_Typos")
@claim("Layers_To_Transform_Matches")
def test_other_names_without_a_number_and_other_numbers_are_left_out() -> None:
    config = lora("q_proj", "embed_tokens", layers_to_transform=[0, 7])
    inner = ["model.layers.0.self_attn.q_proj"]
    base = llama(num_hidden_layers=2)
    assert learning(adapted(config, base)) == {*inner}
    with refused("cannot be used when `target_modules` is a"):
        lora(target_modules="all-linear", layers_to_transform=[0])
    pattern = r".*layers\.(0|1)\..*q_proj"
    found = adapted(lora(target_modules=pattern), llama(num_hidden_layers=3))
    assert len(learning(found)) == 2


# --- where it is not so ------------------------------------------------------------------


def is_refused(cls: str, _folder: Path) -> None:
    """Try an encoder layer: it raises, so that nothing is silently skipped."""
    name = "norm1" if cls == "LNTuningConfig" else "linear1"

    def run() -> None:
        model = adapted(getattr(peft, cls)(target_modules=[name]), encoder())
        model.eval()(torch.randn(2, 5, 64))

    with torch.no_grad(), pytest.raises((AttributeError, ValueError)):
        run()


def has_no_targets(cls: str, _folder: Path) -> None:
    assert "target_modules" not in inspect.signature(getattr(peft, cls)).parameters
