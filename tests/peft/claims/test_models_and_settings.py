"""What the guides say of models, settings and messages, and their code does not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from peft import (
    AutoPeftModel,
    AutoPeftModelForSequenceClassification,
    FourierFTConfig,
    LoraConfig,
    MissConfig,
    PeftConfig,
    RoadConfig,
    WaveFTConfig,
    get_peft_model,
    inject_adapter_in_model,
)
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)

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
    "GLM": "glm glm4",
    "DeepSeek": "deepseek_v2 deepseek_v3",
    "Falcon": "falcon bloom gpt_neox",
    "GPT-2": "gpt2 gpt_bigcode",
    "GPT-Neo": "gpt_neo",
    "StarCoder2": "starcoder2",
    "GPT-J": "gptj",
    "MPT": "mpt",
    "OPT": "opt xglm bart mbart m2m_100 marian pegasus whisper clip siglip",
    "MPNet": "mpnet",
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
@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_families_names_layers(family: str) -> None:
    (names,) = [names for row, names in rows().items() if row.startswith(family)]
    for kind in FAMILIES[family].split():
        assert names <= layers_of(kind), kind


@claim("Default_Target_Modules")
def test_the_table_of_families_is_tested() -> None:
    for row in rows():
        assert any(row.startswith(family) for family in FAMILIES), row


# -- messages in tables --


def tiny(folder: Path) -> Path:
    """Return the folder of a saved Llama whose layers can be stored in 4 bit."""
    sizes = {"vocab_size": 64, "hidden_size": 64, "intermediate_size": 64}
    heads = {"num_hidden_layers": 1, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(**sizes, **heads)).save_pretrained(folder)
    return folder


@claim("Kbit_Prep_Before_Wrapping")
def test_trainer_refuses_a_quantized_base_and_takes_a_wrapped_one(
    tmp_path: Path,
) -> None:
    four_bit = BitsAndBytesConfig(load_in_4bit=True)
    folder = tiny(tmp_path / "base")
    arguments = TrainingArguments(str(tmp_path / "out"), use_cpu=True, report_to=[])

    def base() -> nn.Module:
        return AutoModelForCausalLM.from_pretrained(
            folder, quantization_config=four_bit
        )

    lora = LoraConfig(target_modules=["q_proj"])
    for refused in (base(), inject_adapter_in_model(lora, base())):
        with pytest.raises(ValueError, match="fine-tuning on purely quantized models"):
            Trainer(refused, arguments)
    Trainer(get_peft_model(base(), lora), arguments)
    with pytest.raises(ValueError, match="not supported for quantized model"):
        base().half()
    with pytest.raises(ValueError, match="cast a bitsandbytes model in a new"):
        base().to(torch.float16)
    with pytest.raises(TypeError, match="unexpected keyword argument 'load_in_4bit'"):
        AutoModelForCausalLM.from_pretrained(folder, load_in_4bit=True)


@claim("Load_With_From_Pretrained")
def test_auto_classes_must_be_of_the_task(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(folder)
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
    get_peft_model(model, lora).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="Expected target PEFT class"):
        AutoPeftModelForSequenceClassification.from_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="with a task type, please use a specific"):
        AutoPeftModel.from_pretrained(tmp_path / "adapter")


@claim("Partial_Merge_Drops_Adapters")
def test_merging_twice_adds_only_what_is_not_merged() -> None:
    base = nn.Sequential(nn.Linear(8, 8))
    lora = LoraConfig(target_modules=["0"], init_lora_weights=False)
    model = get_peft_model(base, lora)
    model.add_adapter("b", lora)
    model.merge_adapter()
    once = base[0].weight.clone()
    with pytest.warns(UserWarning, match="already merged, nothing to do"):
        model.merge_adapter()
    assert torch.equal(base[0].weight, once)
    with pytest.warns(UserWarning, match="You are now additionally merging b"):
        model.merge_adapter(["b"])
    assert not torch.equal(base[0].weight, once)
    with pytest.warns(UserWarning, match="Unmerging the model first"):
        model.set_adapter("b")
    assert not base[0].merged
    assert model.active_adapters == ["b"]


@claim("Unsupported_Target_Layer")
@pytest.mark.parametrize(
    ("config", "message"),
    [
        (FourierFTConfig(n_frequency=1000), "less than or equal to the product"),
        (WaveFTConfig(n_frequency=1000), "less than or equal to the product"),
        (MissConfig(r=64), "must be less than or equal to in_features"),
        (RoadConfig(group_size=64), "must be divisible by group_size"),
    ],
)
def test_an_option_must_fit_the_layer(config: PeftConfig, message: str) -> None:
    config.target_modules = {"0"}
    with pytest.raises(ValueError, match=message):
        get_peft_model(nn.Sequential(nn.Linear(24, 24)), config)


@claim("Named_Adapter_Subfolder")
@pytest.mark.parametrize("name", ["default", "mine"])
def test_trainer_finds_the_best_adapter_only_without_a_name(
    tmp_path: Path, name: str
) -> None:
    base = LlamaForCausalLM.from_pretrained(tiny(tmp_path / "base"))
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
    rows = [{"input_ids": row, "labels": row} for row in torch.arange(64).view(8, 8)]
    arguments = TrainingArguments(
        str(tmp_path / "out"),
        use_cpu=True,
        report_to=[],
        max_steps=4,
        eval_steps=1,
        save_steps=1,
        eval_strategy="steps",
        learning_rate=5.0,  # it gets worse with each step
        lr_scheduler_type="constant",
        load_best_model_at_end=True,
    )
    model = get_peft_model(base, lora, adapter_name=name)
    trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows)
    trainer.train()
    losses = [it["eval_loss"] for it in trainer.state.log_history if "eval_loss" in it]
    assert min(losses) != losses[-1]
    wanted = min(losses) if name == "default" else losses[-1]
    assert trainer.evaluate()["eval_loss"] == pytest.approx(wanted)
    if name != "default":
        folder = f"{trainer.state.best_model_checkpoint}/{name}"
        model.load_adapter(folder, name, is_trainable=True)
        assert trainer.evaluate()["eval_loss"] == pytest.approx(min(losses))
