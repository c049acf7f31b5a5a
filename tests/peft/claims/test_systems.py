"""What the heuristics on the system around PEFT say: other base models, processes, devices. The pitfall, then its cure."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import LoHaConfig, LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification

if TYPE_CHECKING:
    from pathlib import Path

claim = pytest.mark.claim
# transformers renames methods that PEFT still calls by their old names
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def distance(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the norm of the difference, relative to what is expected."""
    return float(((actual - expected).norm() / expected.norm()).detach())


# --- Batch_Norm_Statistics -------------------------------------------------------------------------------------------


class Normalized(nn.Module):
    """The same two linear layers every time, with a batch norm layer between them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.first(batch)).relu())


def rows() -> torch.Tensor:
    return 3 * torch.randn(32, 8, generator=torch.Generator().manual_seed(1)) + 1


def trained(model: nn.Module, *inputs: Any, frozen: bool = False) -> nn.Module:
    """Return the model after twenty steps, in evaluation mode."""
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-2)
    model.train()
    if frozen:
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
    for _step in range(20):
        output = model(*inputs)
        getattr(output, "logits", output).pow(2).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@claim("Batch_Norm_Statistics")
@pytest.mark.parametrize("method", ["Lora", "LoHa", "LoKr", "OFT"])
def test_statistics_change_and_are_not_saved_unless_the_layer_is(method: str, tmp_path: Path) -> None:
    block = {"oft_block_size": 4} if method == "OFT" else {}
    for save, same in ((None, False), (["norm"], True)):
        config = getattr(peft, f"{method}Config")(target_modules=["first", "last"], modules_to_save=save, **block)
        model = trained(get_peft_model(Normalized(), config), rows())
        model.save_pretrained(tmp_path)
        assert any("running_mean" in name for name in load_file(tmp_path / "adapter_model.safetensors")) == same

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loaded = PeftModel.from_pretrained(Normalized(), tmp_path)
        off = distance(loaded.eval()(rows()), model(rows()))
        assert off < 1e-5 if same else off > 0.1


@claim("Batch_Norm_Statistics")
def test_the_figures_of_the_table(tmp_path: Path) -> None:
    for save, after_reload, disabled in ((None, 1.43, 0.51), (["norm"], 0.0, 0.0)):
        config = LoraConfig(target_modules=["first", "last"], modules_to_save=save)
        model = trained(get_peft_model(Normalized(), config), rows())
        model.save_pretrained(tmp_path)
        loaded = PeftModel.from_pretrained(Normalized(), tmp_path).eval()
        assert distance(loaded(rows()), model(rows())) == pytest.approx(after_reload, abs=0.02)
        with model.disable_adapter():
            assert distance(model(rows()), Normalized().eval()(rows())) == pytest.approx(disabled, abs=0.02)


@claim("Batch_Norm_Statistics")
def test_a_digit_as_name_also_matches_a_parameter_of_loha() -> None:
    base = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
    with pytest.raises(TypeError, match="modules_to_save cannot be applied to modules of type .*ParameterDict"):
        get_peft_model(base, LoHaConfig(target_modules=["0"], modules_to_save=["1"]))


@claim("Batch_Norm_Statistics")
def test_frozen_statistics_need_not_be_saved(tmp_path: Path) -> None:
    model = trained(get_peft_model(Normalized(), LoraConfig(target_modules=["first", "last"])), rows(), frozen=True)
    model.save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(Normalized(), tmp_path).eval()
    assert torch.allclose(loaded(rows()), model(rows()))
    assert not torch.allclose(loaded(rows()), Normalized().eval()(rows()))


@claim("Batch_Norm_Statistics")
def test_a_merged_model_keeps_the_statistics() -> None:
    model = trained(get_peft_model(Normalized(), LoraConfig(target_modules=["first", "last"])), rows())
    before = model(rows())
    merged = model.merge_and_unload()
    assert torch.allclose(merged(rows()), before, atol=1e-5)
    again = Normalized()
    again.load_state_dict(merged.state_dict())
    assert torch.allclose(again.eval()(rows()), before, atol=1e-5)


@claim("Batch_Norm_Statistics")
def test_one_name_saves_all_norm_layers_of_resnet(tmp_path: Path) -> None:
    def resnet() -> ResNetForImageClassification:
        torch.manual_seed(0)
        shape = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
        return ResNetForImageClassification(ResNetConfig(**shape, num_labels=3))

    images = torch.randn(4, 3, 32, 32) + 1
    for save, same in ((["classifier"], False), (["classifier", "normalization"], True)):
        config = LoraConfig(target_modules=["convolution"], modules_to_save=save)
        model = trained(get_peft_model(resnet(), config), images)
        model.save_pretrained(tmp_path)
        loaded = PeftModel.from_pretrained(resnet(), tmp_path).eval()
        off = distance(loaded(images).logits, model(images).logits)
        assert off < 1e-5 if same else off > 0.1
