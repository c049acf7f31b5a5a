"""What the heuristics on layers that an adapter does not reach say, run on tiny models."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import NoMatchingPeftModuleError, get_peft_model, get_peft_model_state_dict
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from claims.test_parameters import OPTIONS, OWN_ERROR, TARGETS, adapted, methods_with
from claims.test_pitfalls import llama, lora, warned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

claim = pytest.mark.claim
pytestmark = [pytest.mark.peft, pytest.mark.filterwarnings("ignore")]


# --- layers whose weights PyTorch reads ------------------------------------------------


@pytest.fixture
def _fast() -> Iterator[None]:
    yield
    torch.backends.mha.set_fastpath_enabled(True)


def encoder(**options: Any) -> nn.Sequential:  # noqa: ANN401 -- a layer takes anything
    torch.manual_seed(0)
    sizes = {"dropout": 0.0, "batch_first": True} | options
    return nn.Sequential(nn.TransformerEncoderLayer(64, 4, 64, **sizes)).eval()


def effects(model: nn.Module, plain: nn.Module, x: torch.Tensor) -> tuple[float, float]:
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


@claim("Fused_Layers_Bypass_Adapters")
@pytest.mark.usefixtures("_fast")
@pytest.mark.parametrize("method", WITHOUT_TASKS)
def test_an_encoder_layer_in_eval_mode_skips_every_adapter(method: str) -> None:
    options: dict[str, Any] = OPTIONS.get(method, {}) | {
        "target_modules": ["linear1", "linear2"]
    }
    if method == "IA3":
        options["feedforward_modules"] = ["linear1"]
    config = getattr(peft, f"{method}Config")(**options)
    model = get_peft_model(encoder(), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn_like(parameter) / 10
    fused, layer_by_layer = effects(model.eval(), encoder(), torch.randn(2, 5, 64))
    assert fused < 1e-5
    assert layer_by_layer > 0.01


@claim("Fused_Layers_Bypass_Adapters")
@pytest.mark.usefixtures("_fast")
def test_training_and_a_merge_see_it_and_so_does_another_layout() -> None:
    x = torch.randn(2, 5, 64)
    config = lora(target_modules=["linear1", "linear2"])
    model = get_peft_model(encoder(), config)
    assert effects(model.train(), encoder().train(), x)[0] > 0.1
    merged = model.merge_and_unload().eval()
    assert effects(merged, encoder(), x)[0] > 0.1
    other = get_peft_model(encoder(batch_first=False), config).eval()
    assert effects(other, encoder(batch_first=False), x)[0] > 0.1


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.end = nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.attention(x, x, x, need_weights=False)[0])


@claim("Fused_Layers_Bypass_Adapters")
def test_out_proj_is_never_trained_but_merged() -> None:
    x = torch.randn(2, 5, 16)
    model = get_peft_model(Attending(), lora(target_modules="all-linear"))
    assert model.targeted_module_names == ["attention.out_proj", "end"]
    model(x).sum().backward()
    trained = {n for n, it in model.named_parameters() if it.grad is not None}
    assert trained
    assert not any("out_proj" in name for name in trained)

    model = get_peft_model(Attending(), lora(target_modules=["out_proj"]))
    assert torch.allclose(model(x), Attending()(x), atol=1e-6)
    assert not torch.allclose(model.merge_and_unload()(x), Attending()(x), atol=1e-2)


@claim("Fused_Layers_Bypass_Adapters")
def test_lora_takes_the_attention_as_a_whole_and_others_do_not() -> None:
    x = torch.randn(2, 5, 16)
    model = get_peft_model(Attending(), lora(target_modules=["attention"]))
    model(x).sum().backward()
    assert all(it.grad is not None for it in model.parameters() if it.requires_grad)
    merged = copy.deepcopy(model).merge_and_unload()
    assert torch.allclose(model(x), merged(x), atol=1e-5)
    with pytest.raises((TypeError, ValueError)):
        get_peft_model(Attending(), peft.LoHaConfig(target_modules=["attention"]))


@claim("Fused_Layers_Bypass_Adapters")
def test_a_decoder_layer_skips_out_proj_only() -> None:
    def moved(name: str) -> float:
        torch.manual_seed(0)
        plain = nn.TransformerDecoderLayer(16, 2, 32, dropout=0.0).eval()
        x = torch.randn(2, 5, 16)
        with torch.no_grad():
            before = plain(x, x)
            model = get_peft_model(plain, lora(target_modules=[name]))
            return (model(x, x) - before).abs().max().item()

    assert moved("linear1") > 0.01
    assert moved("out_proj") < 1e-5


# --- which modules -----------------------------------------------------------------------

IN_BOTH = sorted({*methods_with("modules_to_save")} & {*methods_with("target_modules")})


@claim("Modules_To_Save_Or_Target")
@pytest.mark.parametrize("method", IN_BOTH)
def test_what_is_saved_in_full_gets_no_adapter(method: str) -> None:
    target = TARGETS.get(method, "q_proj")
    second = {"input_layernorm": "post_attention_layernorm"}.get(target, "v_proj")
    options = {"target_modules": [target, second]}

    def found(**more: Any) -> set[str]:  # noqa: ANN401 -- a configuration takes anything
        names = adapted(method, **options, **more).targeted_module_names
        return {name.rpartition(".")[2] for name in names}

    assert found() == {target, second}
    said = warned(lambda: found(modules_to_save=[second]))
    assert not [one for one in said if second in one]
    assert found(modules_to_save=[second]) == {target}


@claim("Modules_To_Save_Or_Target")
def test_the_copy_is_trained_and_saved_and_alone_it_is_an_error() -> None:
    config = lora(target_modules=["q_proj", "lm_head"], modules_to_save=["lm_head"])
    model = get_peft_model(llama(), config)
    assert model.lm_head.modules_to_save["default"].weight.requires_grad
    saved = get_peft_model_state_dict(model)
    assert [name for name in saved if "lm_head" in name] == [
        "base_model.model.lm_head.weight"
    ]
    with pytest.raises(ValueError, match="modules_to_save"):
        get_peft_model(
            llama(), lora(target_modules=["lm_head"], modules_to_save=["lm_head"])
        )


@claim("Layers_To_Transform_Matches")
@pytest.mark.parametrize("method", methods_with("layers_to_transform"))
def test_at_the_root_layers_are_found_by_their_pattern_only(method: str) -> None:
    tiny = LlamaConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
    )

    def found(base: nn.Module, **options: Any) -> list[str]:  # noqa: ANN401 -- as above
        options = {"target_modules": ["q_proj"]} | OPTIONS.get(method, {}) | options
        config = getattr(peft, f"{method}Config")(layers_to_transform=[0], **options)
        return sorted(get_peft_model(base, config).targeted_module_names)

    inner = ["model.layers.0.self_attn.q_proj"]
    assert found(LlamaForCausalLM(tiny)) == inner
    root = LlamaForCausalLM(tiny).model
    error = ValueError if method in OWN_ERROR else NoMatchingPeftModuleError
    with pytest.raises(error):
        found(copy.deepcopy(root))
    assert found(root, layers_pattern="layers") == ["layers.0.self_attn.q_proj"]
    wanted = ["q_proj", "lm_head"]
    with_head = found(LlamaForCausalLM(tiny), target_modules=wanted)
    assert with_head == ["lm_head", *inner]


@claim("Layers_To_Transform_Matches")
def test_other_names_without_a_number_and_other_numbers_are_left_out() -> None:
    targets = ["q_proj", "embed_tokens"]
    config = lora(target_modules=targets, layers_to_transform=[0, 7])
    inner = ["model.layers.0.self_attn.q_proj"]
    assert get_peft_model(llama(), config).targeted_module_names == inner
    with pytest.raises(ValueError, match="cannot be used when `target_modules` is a"):
        lora(target_modules="all-linear", layers_to_transform=[0])
    pattern = r".*layers\.(0|1)\..*q_proj"
    found = get_peft_model(llama(3), lora(target_modules=pattern))
    assert len(found.targeted_module_names) == 2


# --- where it is not so ------------------------------------------------------------------


def is_refused(cls: str, _folder: Path) -> None:
    """Try an encoder layer: it raises, so that nothing is silently skipped."""
    name = "norm1" if cls == "LNTuningConfig" else "linear1"

    def run() -> None:
        model = get_peft_model(encoder(), getattr(peft, cls)(target_modules=[name]))
        model.eval()(torch.randn(2, 5, 64))

    with torch.no_grad(), pytest.raises((AttributeError, ValueError)):
        run()


def has_no_targets(cls: str, _folder: Path) -> None:
    assert "target_modules" not in inspect.signature(getattr(peft, cls)).parameters
