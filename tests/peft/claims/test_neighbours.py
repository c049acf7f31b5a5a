"""Where PEFT meets transformers, servers and their messages, run on tiny random models."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import peft
import pytest
import torch
from peft import AutoPeftModelForCausalLM, LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    TextGenerationPipeline,
)

from claims.models import (
    CAUSAL,
    PROMPT,
    adapted,
    claim,
    config,
    each,
    identical,
    llama,
    loaded,
    lora,
    methods_with,
    refused,
    run,
    said,
    same,
    saved,
    silent,
    trainable,
    trained,
    trainer,
    warned,
)
from claims.test_hit import t5

if TYPE_CHECKING:
    from pathlib import Path

# -- Adapter_Folder_As_Model --

adapter_folder = claim("Adapter_Folder_As_Model")


@pytest.fixture
def folder(base_folder: Path, tmp_path: Path) -> Path:
    """Return a folder with a trained adapter for the tiny Llama."""
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    trained(adapted(lora("q_proj", **CAUSAL), base), 0.3).save_pretrained(tmp_path)
    return tmp_path


def fresh(base_folder: Path) -> nn.Module:
    return AutoModelForCausalLM.from_pretrained(base_folder).eval()


def right(folder: Path, base_folder: Path) -> Tensor:
    outputs = run(loaded(folder, fresh(base_folder)))
    assert not same(outputs, fresh(base_folder), 1e-2)
    return outputs


@adapter_folder
def test_transformers_makes_a_frozen_model_of_it(
    folder: Path, base_folder: Path
) -> None:
    outputs = right(folder, base_folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    assert same(model, outputs)
    assert not isinstance(model, PeftModel)
    with refused("does not require grad", RuntimeError):
        trainer(model, folder / "trained", max_steps=1).train()
    with pytest.raises(AttributeError):
        model.merge_and_unload()

    model = AutoPeftModelForCausalLM.from_pretrained(folder, is_trainable=True)
    assert same(model.eval(), outputs)
    trainer(model, folder / "trained", max_steps=1, learning_rate=0.1).train()
    assert not same(model.eval(), outputs, 1e-4)


@adapter_folder
@each(
    ("name", "target", "plain", "kept"),
    [
        ("default", "q_proj", True, 0),
        ("default", "v_proj", False, 1),
        ("new", "q_proj", True, 0),
    ],
)
def test_what_becomes_of_the_first_adapter_when_it_is_wrapped_again(  # noqa: PLR0913 - a table
    folder: Path, base_folder: Path, name: str, target: str, kept: int, *, plain: bool
) -> None:
    outputs = right(folder, base_folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ours = lora(target, init_lora_weights=True, **CAUSAL)
    with said() as texts:
        again = get_peft_model(model, ours, adapter_name=name).eval()
    assert [text for text in texts if "for a second time" in text]
    assert [text for text in texts if "having multiple adapters" in text]
    assert same(again, fresh(base_folder)) is plain
    assert same(again, outputs) is not plain

    before = run(trained(again))
    again.save_pretrained(folder / "again")
    # the first is in the folder itself, and of its name
    of_first = same(loaded(folder / "again", fresh(base_folder)), outputs)
    assert of_first is (name != "default")
    written = folder / "again" / ("" if name == "default" else name)
    first = [key for key in saved(written) if "q_proj" in key and target != "q_proj"]
    assert bool(first) is bool(kept)
    assert same(loaded(written, fresh(base_folder)), before) is (not kept)


@adapter_folder
def test_a_configuration_beside_it_makes_it_a_model_without_weights(
    folder: Path, base_folder: Path
) -> None:
    shutil.copy(base_folder / "config.json", folder)
    with refused("no file named model.safetensors", OSError):
        AutoModelForCausalLM.from_pretrained(folder)
    (folder / "config.json").unlink()
    assert same(
        AutoModelForCausalLM.from_pretrained(folder), right(folder, base_folder)
    )


@adapter_folder
def test_without_the_name_of_the_base_nobody_finds_it(tmp_path: Path) -> None:
    adapted(lora("q_proj", **CAUSAL), llama()).save_pretrained(tmp_path)
    with pytest.raises((OSError, TypeError, ValueError)):
        AutoPeftModelForCausalLM.from_pretrained(tmp_path)


# -- Adapter_Refused_By_Servers --

servers = claim("Adapter_Refused_By_Servers")


def others_in(folder: Path) -> set[str]:
    """Return what is in the file besides A and B, without the path to the layer."""
    names = [name for name in saved(folder) if ".lora_A" not in name]
    rest = [name for name in names if ".lora_B" not in name]
    return {name.removeprefix("base_model.model.").split("model.")[-1] for name in rest}


def written(
    base_folder: Path, target: Path, size: int = 64, **options: object
) -> set[str]:
    """Adapt the base, of another vocabulary, save it, and return what is in the file."""
    base = fresh(base_folder)
    base.resize_token_embeddings(size)
    save = {
        key: options.pop(key) for key in ("save_embedding_layers",) if key in options
    }
    targets = options.pop("targets", ["q_proj"])
    adapted(lora(*targets, **CAUSAL, **options), base).save_pretrained(target, **save)
    return others_in(target)


ENDS = {"lm_head.weight", "embed_tokens.weight"}


@servers
@each(
    ("options", "found"),
    [
        ({}, set()),
        ({"modules_to_save": ["lm_head"]}, {"lm_head.weight"}),
        ({"size": 70}, ENDS),
        ({"size": 70, "save_embedding_layers": False}, set()),
        ({"targets": ["q_proj", "lm_head"]}, {"lm_head.base_layer.weight"}),
        (
            {"trainable_token_indices": [1, 2]},
            {"embed_tokens.token_adapter.trainable_tokens_delta"},
        ),
        ({"use_dora": True}, {"layers.0.self_attn.q_proj.lora_magnitude_vector"}),
    ],
)
def test_what_the_file_holds_besides_a_and_b(
    options: dict[str, object], found: set[str], base_folder: Path, tmp_path: Path
) -> None:
    assert written(base_folder, tmp_path, **options) == found


@servers
def test_trained_biases_are_in_it_too(tmp_path: Path) -> None:
    ours = lora("q_proj", bias="lora_only", **CAUSAL)
    adapted(ours, llama(attention_bias=True)).save_pretrained(tmp_path)
    assert others_in(tmp_path) == {"layers.0.self_attn.q_proj.base_layer.bias"}


@servers
def test_without_the_rows_of_new_tokens_only_the_old_ones_are_right(
    base_folder: Path, tmp_path: Path
) -> None:
    def resized() -> nn.Module:
        base = fresh(base_folder)
        base.resize_token_embeddings(70)
        return base

    model = trained(adapted(lora("q_proj", **CAUSAL), resized()))
    model.get_input_embeddings().weight.data[64:] += 1  # as a training of them would
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    again = loaded(tmp_path, resized())
    old, new = PROMPT, torch.full((2, 8), 69)
    assert same(run(again, old)[..., :64], run(model, old)[..., :64])
    assert not same(run(again, new), run(model, new), 1e-2)


@servers
def test_a_merge_has_the_trained_copy_and_no_names_of_peft(
    base_folder: Path, tmp_path: Path
) -> None:
    ours = lora("q_proj", modules_to_save=["lm_head"], **CAUSAL)
    model = trained(adapted(ours, fresh(base_folder)))
    before = run(model)
    model.merge_and_unload().save_pretrained(tmp_path)
    assert same(AutoModelForCausalLM.from_pretrained(tmp_path), before)


# -- Prompt_Learning_Generate --

prompts = claim("Prompt_Learning_Generate")
FIXED = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": None}
IDS = PROMPT + 3
PREFIXES = ("PrefixTuning", "Cartridge")
EMBEDDED = ("CPT", "PromptEncoder", "PromptTuning")


def step_by_step(model: nn.Module) -> list[Tensor]:
    """Return the logits of four tokens, each found by a pass over the whole text."""
    text, found = IDS, []
    for _token in range(4):
        logits = run(model, text, attention_mask=torch.ones_like(text))[:, -1]
        text = torch.cat([text, logits.argmax(-1, keepdim=True)], dim=1)
        found.append(logits)
    return found


def generated(model: nn.Module, **options: object) -> list[Tensor]:
    """Return the logits of four tokens from `generate`."""
    more = {"output_logits": True, "return_dict_in_generate": True, "pad_token_id": 0}
    given = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
    return [*model.generate(**given, **FIXED, **more, **options).logits]


def alike(some: list[Tensor], others: list[Tensor]) -> list[bool]:
    return [same(one, other) for one, other in zip(some, others, strict=True)]


def prompted(method: str, *targets: str) -> PeftModel:
    base = llama(use_cache=True, num_hidden_layers=2)
    return trained(adapted(config(method, *targets, **CAUSAL), base), 0.3)


@prompts
@each("method", EMBEDDED)
def test_a_prompt_is_inserted_again_with_the_cache(method: str) -> None:
    model = prompted(method)
    expected = step_by_step(model)
    assert alike(generated(model), expected) == [True, False, False, False]
    assert alike(generated(model, use_cache=False), expected) == [True] * 4


@prompts
@each("method", PREFIXES)
def test_a_prefix_is_not_used_with_the_cache(method: str) -> None:
    model = prompted(method)
    expected = step_by_step(model)
    plain = llama(num_hidden_layers=2)
    assert same(generated(model)[0], step_by_step(plain)[0])
    assert not any(alike(generated(model), expected))
    without = alike(generated(model, use_cache=False), expected)
    assert without == [True, False, False, False]


@prompts
def test_every_kind_of_prompt_was_run_and_lora_is_right() -> None:
    kinds = peft.PromptLearningConfig.__subclasses__()
    names = {kind.__name__.removesuffix("Config") for kind in kinds}
    assert names - {"MultitaskPromptTuning"} == {*EMBEDDED, *PREFIXES}
    model = prompted("Lora", "q_proj")
    assert all(alike(generated(model), step_by_step(model)))


@prompts
def test_prompt_tuning_on_t5_is_right() -> None:
    ours = config("PromptTuning", task_type="SEQ_2_SEQ_LM")
    model = trained(adapted(ours, t5()), 0.3)
    given = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
    text = torch.zeros(2, 1, dtype=torch.long)
    for _token in range(4):
        with torch.no_grad():
            logits = model(**given, decoder_input_ids=text).logits[:, -1]
        text = torch.cat([text, logits.argmax(-1, keepdim=True)], dim=1)
    assert torch.equal(model.generate(**given, **FIXED), text)


@prompts
@each("method", EMBEDDED)
def test_padding_on_the_left_moves_the_logits(method: str) -> None:
    model = prompted(method)
    padded = torch.cat([torch.zeros(2, 3, dtype=torch.long), IDS], dim=1)
    mask = (padded != 0).long()
    moved = run(model, padded, attention_mask=mask)[:, -1]
    assert not same(moved, step_by_step(model)[0], 1e-4)
    assert same(moved, step_by_step(model)[0], 0.1)


# -- Messages_You_May_Ignore --

ignored = claim("Messages_You_May_Ignore")


def tokenizer() -> PreTrainedTokenizerFast:
    unknown = {"unk_token": "?"}
    words = {f"w{number}": number for number in range(63)} | {"?": 63}
    made = Tokenizer(models.WordLevel(words, **unknown))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, **unknown)


@ignored
def test_a_pipeline_that_does_not_support_the_model_generates_as_the_model(
    logged: pytest.LogCaptureFixture,
) -> None:
    model = trained(adapted(lora("q_proj", **CAUSAL), llama()))
    pipe = TextGenerationPipeline(model=model, tokenizer=tokenizer())
    assert "The model 'PeftModelForCausalLM' is not supported for" in logged.text
    (found,) = pipe("w5 w6", max_new_tokens=4, do_sample=False, return_tensors=True)
    ids = torch.tensor([[5, 6]])
    mask = torch.ones_like(ids)
    made = model.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=4, do_sample=False
    )
    assert found["generated_token_ids"] == made[0].tolist()


@ignored
def test_without_label_names_the_evaluation_has_its_loss_and_labels(
    tmp_path: Path,
) -> None:
    model = trained(adapted(lora("q_proj", **CAUSAL), llama()))

    def evaluated(**options: object) -> tuple[float, list[object]]:
        seen: list[object] = []
        ours = trainer(model, tmp_path, **options)
        ours.compute_metrics = lambda given: seen.append(given.label_ids.tolist()) or {}
        return ours.evaluate()["eval_loss"], seen

    loss, labels = evaluated()
    assert (loss, labels) == evaluated(label_names=["labels"])
    assert labels == [PROMPT.tolist()]


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    sizes = {"vocab_size": 64, "n_embd": 16, "n_layer": 1, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**sizes)).eval()


#: PSOFT takes it as it is set, without a word.
FAN_IN = sorted({*methods_with("fan_in_fan_out")} - {"Psoft"})


@ignored
@each("method", FAN_IN)
def test_the_value_for_the_layer_is_taken_whatever_is_set(method: str) -> None:
    options = {"feedforward_modules": []} if method == "IA3" else {}

    def outputs(base: nn.Module, target: str, *, fan_in: bool) -> Tensor:
        torch.manual_seed(0)
        ours = config(method, target, fan_in_fan_out=fan_in, **options)
        return run(trained(adapted(ours, base)))

    with said() as texts:
        wrong = outputs(llama(), "q_proj", fan_in=True)
    assert [text for text in texts if "fan_in_fan_out is set to True" in text]
    assert identical(wrong, outputs(llama(), "q_proj", fan_in=False))


@ignored
def test_on_a_conv1d_it_is_the_other_value() -> None:
    def outputs(*, fan_in: bool) -> Tensor:
        torch.manual_seed(0)
        ours = LoraConfig(target_modules=["c_attn"], fan_in_fan_out=fan_in)
        return run(trained(adapted(ours, gpt2())))

    with warned("fan_in_fan_out is set to False but the target module is `Conv1D`"):
        wrong = outputs(fan_in=False)
    with silent():
        assert identical(wrong, outputs(fan_in=True))


@ignored
def test_a_report_of_missing_weights_after_a_second_adapter_changes_none(
    folder: Path, base_folder: Path, logged: pytest.LogCaptureFixture
) -> None:
    model = fresh(base_folder)
    model.load_adapter(str(folder), adapter_name="first")
    before = {name: it.clone() for name, it in model.named_parameters()}
    logged.clear()
    model.load_adapter(str(folder), adapter_name="second")
    assert "MISSING" in logged.text
    assert "q_proj.lora_A.first" in logged.text
    after = dict(model.named_parameters())
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert same(model.eval(), right(folder, base_folder))
    assert not trainable(model)
