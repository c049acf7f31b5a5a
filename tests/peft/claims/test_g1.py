"""What the guides say of models, settings and messages, and their code does not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from claims.models import claim

GUIDES = Path(__file__).parents[3] / "docs/guides"

#: For a row of the table: the types of models whose layers it names.
FAMILIES = {
    "Llama 2 and 3": (
        "llama mistral qwen2 qwen3 gemma gemma2 gemma3_text olmo olmo2 cohere granite "
        "smollm3 stablelm exaone4"
    ),
    "Phi-3": "phi3",
    "Phi-1": "phi",
    "GLM-4": "glm glm4",
    "DeepSeek": "deepseek_v2 deepseek_v3",
    "Falcon": "falcon bloom gpt_neox",
    "GPT-2": "gpt2 gpt_bigcode",
    "GPT-Neo": "gpt_neo",
    "StarCoder2": "starcoder2",
    "GPT-J": "gptj",
    "MPT": "mpt",
    "OPT": "opt bart mbart m2m_100 marian pegasus whisper clip siglip",
    "T5": "t5",
    "BERT": "bert roberta xlm-roberta electra longformer",
    "DeBERTa": "deberta-v2",
    "DistilBERT": "distilbert",
    "ModernBERT": "modernbert",
    "ViT": "vit deit dinov2 swin segformer",
    "wav2vec": "wav2vec2 hubert",
    "Mamba": "mamba falcon_mamba",
    "RWKV": "rwkv",
}


def rows() -> dict[str, set[str]]:
    """Return for each family of the table the names of its layers."""
    text = (GUIDES / "is-it-possible.md").read_text(encoding="utf-8")
    table = text.split("(target-modules-by-model)=")[1].split("\n\n- **")[0]
    found = {}
    for line in table.splitlines():
        if not line.startswith("| ") or line.startswith(("| model", "| ---")):
            continue
        model, *layers = line.strip("| ").split(" | ")
        names = {name for cell in layers for name in re.findall(r"`(\S+)`", cell)}
        found[re.split(r"[,;]", model)[0]] = names
    return found


def layers_of(kind: str) -> set[str]:
    """Return the last part of the names of all linear layers of a model with the default settings."""
    settings = AutoConfig.for_model(kind)
    with torch.device("meta"):
        try:
            model = AutoModelForCausalLM.from_config(settings)
        except (ValueError, KeyError):
            model = AutoModel.from_config(settings)
    linear = (name for name, it in model.named_modules() if is_linear(it))
    return {name.rpartition(".")[2] for name in linear}


def is_linear(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Linear) or type(layer).__name__ == "Conv1D"


@claim("Default_Target_Modules")
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_families_names_layers(family: str) -> None:
    (names,) = [names for row, names in rows().items() if row.startswith(family)]
    for kind in FAMILIES[family].split():
        assert names <= layers_of(kind), kind


@claim("Default_Target_Modules")
def test_the_table_of_families_is_tested() -> None:
    for row in rows():
        assert any(row.startswith(family) for family in FAMILIES), row
