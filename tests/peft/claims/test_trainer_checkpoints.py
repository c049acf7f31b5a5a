"""What Trainer makes of checkpoints of a base with add_adapter, and of a whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers.integrations import peft as integration

from claims.models import CAUSAL, adapted, claim, llama, lora, refused, trainer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from torch import nn

is_trainable_to_resume = claim("Is_Trainable_To_Resume")
missing_adapter_keys = claim("Missing_Adapter_Keys")

STEPS = {"save_steps": 1, "learning_rate": 0.1}


def with_added_adapter() -> nn.Module:
    """Return a Llama with an adapter by the method of transformers."""
    torch.manual_seed(1)
    model = llama()
    model.add_adapter(lora("q_proj"))
    return model


@is_trainable_to_resume
def test_a_peft_model_resumes_what_one_with_add_adapter_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in releases of transformers whose add_adapter takes this PEFT."""
    monkeypatch.setattr(integration, "MIN_PEFT_VERSION", "0.18.0")
    whole = with_added_adapter()
    trainer(whole, tmp_path, max_steps=2, **STEPS).train()
    checkpoint = str(tmp_path / "checkpoint-1")

    again = trainer(with_added_adapter(), tmp_path / "new", max_steps=2, **STEPS)
    with refused("Can't find a checkpoint index"):
        again.train(resume_from_checkpoint=checkpoint)

    wrapped = adapted(lora("q_proj", **CAUSAL), llama())
    resumed = trainer(wrapped, tmp_path / "newer", max_steps=2, **STEPS)
    resumed.train(resume_from_checkpoint=checkpoint)
    assert resumed.state.global_step == 2
    expected = dict(whole.named_parameters())
    for name, parameter in wrapped.get_base_model().named_parameters():
        assert torch.equal(parameter, expected[name])


@missing_adapter_keys
def test_trainer_only_warns_when_a_whole_file_lacks_the_adapter(
    tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    """An old script left such a file: no adapter in it has the name of one."""
    model = adapted(lora("q_proj", **CAUSAL), llama())
    trainer(model, tmp_path, max_steps=1, **STEPS).train()
    checkpoint = tmp_path / "checkpoint-1"
    (checkpoint / "adapter_model.safetensors").unlink()
    weights = get_peft_model_state_dict(model)
    save_file(weights, checkpoint / "model.safetensors")

    fresh = adapted(lora("q_proj", **CAUSAL), llama())
    before = {name: it.clone() for name, it in fresh.state_dict().items()}
    ours = trainer(fresh, tmp_path / "new", max_steps=1, **STEPS)
    ours.train(resume_from_checkpoint=str(checkpoint))
    message = "There were missing keys in the checkpoint model loaded"
    (said,) = [it for it in logged.messages if it.startswith(message)]
    assert "lora_A.default.weight" in said
    assert all(torch.equal(it, before[name]) for name, it in fresh.state_dict().items())
