"""What the heuristics and guides on saved files say, run on tiny random models: names, dtypes and heads in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
import transformers
from peft import (
    AutoPeftModelForCausalLM,
    LoraConfig,
    PeftModel,
    PromptTuningConfig,
    get_peft_model,
    get_peft_model_state_dict,
)
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from claims.models import (
    CAUSAL,
    claim,
    config,
    each,
    llama,
    refused,
    same,
    saved,
    settings,
    silent,
    warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# -- the base's name --

named = claim("Base_Name_Overwritten")


def of_lora(**options: object) -> LoraConfig:
    return config("Lora", "q_proj", **CAUSAL | options)


@named
@each("name", [None, "base"])
def test_a_base_that_was_built_has_no_name(name: str | None, tmp_path: Path) -> None:
    with warned("was renamed from 'base' to 'None'") if name else silent():
        model = get_peft_model(llama(), of_lora(base_model_name_or_path=name))
    model.save_pretrained(tmp_path)
    assert settings(tmp_path)["base_model_name_or_path"] is None


@named
def test_a_base_that_was_built_of_a_loaded_configuration_has_its_name(
    base_folder: Path, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base_folder))
    get_peft_model(base, of_lora()).save_pretrained(tmp_path)
    assert settings(tmp_path)["base_model_name_or_path"] == str(base_folder)


@named
def test_the_name_of_the_base_replaces_that_of_the_configuration(
    base_folder: Path,
) -> None:
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    with warned("Please ensure that the correct base model is loaded"):
        model = get_peft_model(base, of_lora(base_model_name_or_path="another"))
    assert model.peft_config["default"].base_model_name_or_path == str(base_folder)


@named
def test_a_name_that_is_set_on_the_wrapped_model_is_saved_and_found(
    base_folder: Path, tmp_path: Path
) -> None:
    model = get_peft_model(llama(), of_lora(init_lora_weights=False)).eval()
    model.save_pretrained(tmp_path)
    with pytest.raises(OSError, match="huggingface"):
        AutoPeftModelForCausalLM.from_pretrained(tmp_path)
    model.peft_config["default"].base_model_name_or_path = str(base_folder)
    model.save_pretrained(tmp_path)
    assert same(AutoPeftModelForCausalLM.from_pretrained(tmp_path).eval(), model)


@named
@each(
    ("name", "message"),
    [
        ("/home/me/llama", "Repo id must be in the form"),
        ("out/llama", "couldn't connect to"),
    ],
)
def test_a_folder_of_another_machine_is_taken_for_a_name_of_the_hub(
    base_folder: Path, tmp_path: Path, name: str, message: str
) -> None:
    model = get_peft_model(llama(), of_lora())
    model.peft_config["default"].base_model_name_or_path = name
    model.save_pretrained(tmp_path)
    for load in AutoPeftModelForCausalLM, AutoModelForCausalLM:
        with pytest.raises(OSError, match=message):
            load.from_pretrained(tmp_path)
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    assert same(PeftModel.from_pretrained(base, tmp_path).eval(), model.eval())


@named
def test_what_was_merged_keeps_the_name_of_the_base(base_folder: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    merged = get_peft_model(base, of_lora()).merge_and_unload()
    again = get_peft_model(merged, of_lora())
    assert again.peft_config["default"].base_model_name_or_path == str(base_folder)


# -- the dtype that is loaded --

cast = claim("Adapter_Cast_To_32_Bit")

HALF = torch.float16


def dtype_of(model: nn.Module) -> torch.dtype:
    """Return the one dtype of all LoRA weights."""
    (found,) = {it.dtype for name, it in model.named_parameters() if "lora_" in name}
    return found


@pytest.fixture
def in_16_bit(tmp_path: Path) -> Path:
    """Return a folder with an adapter in fp16."""
    model = get_peft_model(llama().half(), of_lora(), autocast_adapter_dtype=False)
    assert dtype_of(model) == HALF
    model.save_pretrained(tmp_path)
    assert {it.dtype for it in saved(tmp_path).values()} == {HALF}
    return tmp_path


@cast
@each("options", [{}, {"dtype": HALF}, {"torch_dtype": HALF}], ids=str)
def test_what_was_saved_in_16_bit_is_loaded_in_32(
    options: dict[str, Any], in_16_bit: Path
) -> None:
    model = PeftModel.from_pretrained(llama().half(), in_16_bit, **options)
    assert dtype_of(model) == torch.float32


@cast
def test_a_new_adapter_on_a_base_in_16_bit_is_in_32() -> None:
    model = get_peft_model(llama().half(), of_lora())
    assert dtype_of(model) == torch.float32
    model.add_adapter("second", of_lora())
    assert dtype_of(model) == torch.float32


@cast
@each("dtype", [HALF, torch.bfloat16, torch.float32], ids=str)
def test_with_false_the_dtype_is_that_of_the_base(
    dtype: torch.dtype, in_16_bit: Path
) -> None:
    kept = {"autocast_adapter_dtype": False}
    model = PeftModel.from_pretrained(llama().to(dtype), in_16_bit, **kept)
    assert dtype_of(model) == dtype
    model.load_adapter(str(in_16_bit), "second", **kept)
    assert dtype_of(model) == dtype


@cast
def test_each_load_adapter_casts_again(in_16_bit: Path) -> None:
    base = llama().half()
    model = PeftModel.from_pretrained(base, in_16_bit, autocast_adapter_dtype=False)
    model.load_adapter(str(in_16_bit), "second")
    dtypes = {
        name.split(".")[-2]: it.dtype
        for name, it in model.named_parameters()
        if "lora_" in name
    }
    assert dtypes == {"default": HALF, "second": torch.float32}


@cast
@each(
    ("layer", "batch"),
    [(nn.Linear(8, 8), torch.ones(1, 8)), (nn.Embedding(8, 8), torch.ones(1).long())],
)
def test_the_output_has_the_type_of_the_layers_whatever_goes_in(
    layer: nn.Module, batch: Tensor
) -> None:
    rows = batch.half() if batch.is_floating_point() else batch
    base = nn.Sequential(layer).half()
    model = get_peft_model(base, config("Lora", "0", init_lora_weights=False))
    assert dtype_of(model) == torch.float32
    assert model(rows).dtype == HALF
    kept = model.base_model.model[0].base_layer
    assert not same(model(rows), kept(rows))


@cast
def test_the_automatic_classes_do_not_take_it(
    base_folder: Path, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    get_peft_model(base, of_lora()).save_pretrained(tmp_path)
    model = AutoPeftModelForCausalLM.from_pretrained(tmp_path, dtype=HALF)
    assert model.get_base_model().dtype == HALF
    assert dtype_of(model) == torch.float32
    with refused("autocast_adapter_dtype", TypeError):
        AutoPeftModelForCausalLM.from_pretrained(tmp_path, autocast_adapter_dtype=False)


# -- the hub that is asked --

asked = claim("Hub_Asked_On_Saving")


def resized() -> PeftModel:
    """Return a model with two new tokens, whose base has a name on the hub."""
    base = llama()
    base.resize_token_embeddings(66)
    model = get_peft_model(base, of_lora())
    model.peft_config["default"].base_model_name_or_path = "someone/a-base"
    return model


def has_embeddings(folder: Path) -> bool:
    return any("embed_tokens" in name for name in saved(folder))


@asked
def test_offline_no_embeddings_are_saved_unless_that_is_said(tmp_path: Path) -> None:
    with warned("will assume that the vocabulary was not modified"):
        resized().save_pretrained(tmp_path / "lost")
    assert not has_embeddings(tmp_path / "lost")
    with silent():
        resized().save_pretrained(tmp_path / "kept", save_embedding_layers=True)
    assert has_embeddings(tmp_path / "kept")


@asked
@each("said", ["auto", False])
def test_a_hub_that_does_not_answer_only_warns_and_false_does_not_ask(
    *, said: str | bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise ConnectionError("timed out")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(peft.utils.other, "file_exists", fail)
    warns = said == "auto"
    with warned("Unable to fetch remote file.*timed out") if warns else silent():
        resized().save_pretrained(tmp_path, save_embedding_layers=said)
    assert saved(tmp_path)
    assert not has_embeddings(tmp_path)


@asked
def test_a_base_of_a_folder_is_compared_offline_too(
    base_folder: Path, tmp_path: Path
) -> None:
    model = resized()
    model.peft_config["default"].base_model_name_or_path = str(base_folder)
    model.save_pretrained(tmp_path)
    assert has_embeddings(tmp_path)


# -- heads with other names --

SMALL = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
#: Width of models that name it otherwise.
WIDE = {"vocab_size": 64, "d_model": 32}
BART = WIDE | {
    **{f"{side}_layers": 1 for side in ("encoder", "decoder")},
    **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
    **{f"{side}_ffn_dim": 32 for side in ("encoder", "decoder")},
    "pad_token_id": 1,
    "eos_token_id": 2,
}
T5 = WIDE | {
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": 1,
    "num_heads": 4,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
}
XLNET = WIDE | {"n_layer": 1, "n_head": 4, "d_inner": 32}

#: Family → its options, a layer to adapt, and what its head is made of.
HEADS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "Deberta": (SMALL, "in_proj", ["pooler", "classifier"]),
    "DebertaV2": (SMALL, "query_proj", ["pooler", "classifier"]),
    "ModernBert": (SMALL | {"pad_token_id": 0}, "Wqkv", ["head", "classifier"]),
    "Bart": (BART, "q_proj", ["classification_head"]),
    "MBart": (BART, "q_proj", ["classification_head"]),
    "T5": (T5, "q", ["classification_head"]),
    "MT5": (T5, "q", ["classification_head"]),
    "UMT5": (T5, "q", ["classification_head"]),
    "XLNet": (XLNET, "layer_1", ["sequence_summary", "logits_proj"]),
    "Bert": (SMALL, "query", ["pooler", "classifier"]),
}


@claim("Task_Head_In_Modules_To_Save")
@each("family", HEADS)
def test_a_head_with_another_name_is_lost_unless_it_is_named(
    family: str, tmp_path: Path
) -> None:
    options, target, head = HEADS[family]
    body = getattr(transformers, f"{family}Model")
    # A checkpoint of BERT may have no pooler.
    without = {"add_pooling_layer": False} if family == "Bert" else {}
    its = getattr(transformers, f"{family}Config")(**options)
    body(its, **without).save_pretrained(tmp_path / "base")
    whole = getattr(transformers, f"{family}ForSequenceClassification")

    def base() -> nn.Module:
        return whole.from_pretrained(tmp_path / "base", num_labels=2)

    def logits(model: nn.Module) -> torch.Tensor:
        with torch.no_grad():
            return model.eval()(input_ids=torch.tensor([[3, 4, 5, 6, 7, 2]])).logits

    for named_too in False, True:
        lora = LoraConfig(
            task_type="SEQ_CLS",
            target_modules=[target],
            modules_to_save=head if named_too else None,
            init_lora_weights=False,
        )
        model = get_peft_model(base(), lora)
        model.save_pretrained(tmp_path / "adapter")
        loaded = PeftModel.from_pretrained(base(), tmp_path / "adapter")
        assert same(logits(loaded), logits(model)) == named_too

    # What two loads do not have in common is what has to be named.
    one, two = base().state_dict(), base().state_dict()
    random = {name for name in one if not torch.equal(one[name], two[name])}
    kept = get_peft_model_state_dict(model)
    assert random <= {name.removeprefix("base_model.model.") for name in kept}
    assert any(name.split(".")[-2] != "classifier" for name in random)


# -- what else the guides say --


@claim("Merge_Returns_New_Model")
def test_a_prompt_has_no_merge() -> None:
    model = get_peft_model(
        llama(), PromptTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM")
    )
    with refused("'LlamaForCausalLM' object has no attribute", AttributeError):
        model.merge_and_unload()


@claim("Merge_Returns_New_Model")
def test_the_base_saved_with_its_adapter_on_is_neither(tmp_path: Path) -> None:
    plain = llama()
    model = get_peft_model(llama(), of_lora(init_lora_weights=False)).eval()
    model.get_base_model().save_pretrained(tmp_path)
    torch.manual_seed(7)
    neither = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert not same(neither, model)
    assert not same(neither, plain)
    model.merge_and_unload().save_pretrained(tmp_path / "whole")
    assert same(AutoModelForCausalLM.from_pretrained(tmp_path / "whole"), model)


POINTER = b"version https://git-lfs.github.com/spec/v1\n"
#: What the message says → what is left of a file.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "header too large": lambda data: POINTER + data[:100],
    "incomplete metadata, file not fully covered": lambda data: data[: len(data) // 2],
    "header too small": lambda data: data[:0],
    "invalid header length": lambda data: data[:40],
    "invalid JSON in header": lambda data: bytes(len(data)),
}


@claim("Missing_Adapter_Keys")
@each("message", DAMAGES)
def test_the_message_tells_how_a_file_is_damaged(message: str, tmp_path: Path) -> None:
    get_peft_model(llama(), of_lora()).save_pretrained(tmp_path)
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(DAMAGES[message](path.read_bytes()))
    with refused(f"Error while deserializing header: {message}", Exception):
        PeftModel.from_pretrained(llama(), tmp_path)


@claim("Adapter_Name_Rules")
@each("bits", [4, 8])
def test_several_adapters_share_a_quantized_base(
    bits: int, quantized: Callable[..., nn.Module], tmp_path: Path
) -> None:
    for name in "english", "french":
        model = get_peft_model(llama(), of_lora(init_lora_weights=False))
        model.save_pretrained(tmp_path / name)
    both = PeftModel.from_pretrained(quantized(bits), tmp_path / "english", "english")
    both.load_adapter(str(tmp_path / "french"), "french")
    both.train()  # the CPU repacks 4-bit weights in evaluation mode
    for name in "english", "french":
        both.set_adapter(name)
        alone = PeftModel.from_pretrained(quantized(bits), tmp_path / name).train()
        assert same(both, alone)


@claim("Rank_Must_Match_File")
def test_a_file_that_is_no_adapter_configuration_is_a_key_error(
    base_folder: Path, tmp_path: Path
) -> None:
    get_peft_model(llama(), of_lora()).save_pretrained(tmp_path)
    path = tmp_path / "adapter_config.json"
    its = path.read_text("utf-8")
    path.write_bytes((base_folder / "config.json").read_bytes())
    with refused("peft_type", KeyError):
        PeftModel.from_pretrained(llama(), tmp_path)
    path.write_text(its.replace("{", '{"_from_model_config": true,', 1), "utf-8")
    with warned("Unexpected keyword arguments.*_from_model_config"):
        PeftModel.from_pretrained(llama(), tmp_path)
