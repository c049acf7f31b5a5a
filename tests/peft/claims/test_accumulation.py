"""What Trainer makes of gradients when it accumulates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from claims.models import claim

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

SIZES = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 16}
LAYERS = {"num_hidden_layers": 1, "num_attention_heads": 2}
CERTAIN = {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}


class Gradients(TrainerCallback):
    """Keeps the gradients of the first step."""

    def __init__(self) -> None:
        self.found: list[Tensor] = []

    def on_pre_optimizer_step(
        self, *_state: object, model: nn.Module, **_more: object
    ) -> None:
        gradients = (it.grad for it in model.parameters() if it.grad is not None)
        self.found = [gradient.flatten().clone() for gradient in gradients]


def gradients(folder: Path, batch: int, parts: int, **settings: Any) -> Tensor:  # noqa: ANN401
    """Return the gradients of a classifier with LoRA, of four rows in parts."""
    torch.manual_seed(1)
    base = BertForSequenceClassification(BertConfig(**SIZES, **LAYERS, **CERTAIN))
    lora = LoraConfig(task_type="SEQ_CLS", target_modules=["query"])
    rows = [
        {"input_ids": torch.arange(5, 11) + at, "labels": torch.tensor(at % 2)}
        for at in range(4)
    ]
    arguments = TrainingArguments(
        str(folder),
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        max_steps=1,
        max_grad_norm=0,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=parts,
    )
    kept = Gradients()
    trainer = Trainer(
        get_peft_model(base, lora), arguments, train_dataset=rows, callbacks=[kept]
    )
    for name, value in settings.items():
        setattr(trainer, name, value)
    trainer.train()
    return torch.cat(kept.found)


@claim("Optimizer_After_Adapters")
def test_trainer_multiplies_the_gradients_of_a_classifier_by_the_parts(
    tmp_path: Path,
) -> None:
    """The guide on errors in training names the setting that cures it."""
    whole = gradients(tmp_path, 4, 1)
    assert whole.norm() > 0.01
    assert torch.allclose(gradients(tmp_path, 1, 4), 4 * whole, rtol=1e-3, atol=1e-6)
    cured = gradients(tmp_path, 1, 4, loss_is_scaled_for_ga=False)
    assert torch.allclose(cured, whole, rtol=1e-3, atol=1e-6)
