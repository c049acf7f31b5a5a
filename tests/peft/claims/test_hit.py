"""What people hit most, run on tiny random models: the type of a task, targets, configurations, offloading."""

from __future__ import annotations

import copy
import hashlib
import re
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import (
    AutoPeftModelForCausalLM,
    LoraConfig,
    NoMatchingPeftModuleError,
    PeftMixedModel,
    PeftModel,
    get_peft_model,
    inject_adapter_in_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from peft.utils.hotswap import hotswap_adapter
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BertConfig,
    BertForSequenceClassification,
    CLIPConfig,
    CLIPModel,
    LlamaModel,
    T5Config,
    T5ForConditionalGeneration,
    WhisperConfig,
    WhisperForConditionalGeneration,
)
from transformers.pytorch_utils import Conv1D

from claims.models import (
    CAUSAL,
    IMAGE,
    PROMPT,
    SIGHT,
    SIZES,
    TEXT,
    adapted,
    claim,
    config,
    distance,
    each,
    learning,
    llama,
    loaded,
    lora,
    methods_with,
    refused,
    run,
    said,
    same,
    silent,
    trainable,
    trained,
    trained_dtypes,
    warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# -- Offloaded_Base_Overwritten --

offloaded_base = claim("Offloaded_Base_Overwritten")

PLACES = dict.fromkeys(
    ("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"), "cpu"
) | {"model.layers.0": "cpu", "model.layers.1": "disk"}
#: Where PEFT looks for them.
PREFIXED = {f"base_model.model.{name}": place for name, place in PLACES.items()}
META = (NotImplementedError, ValueError)

Load = "Callable[[nn.Module, Path], object]"


def from_pretrained(**options: object) -> Load:
    return lambda base, folder: PeftModel.from_pretrained(base, folder, **options)


@pytest.fixture
def _base_and_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder that has a base of two layers and an adapter for it."""
    monkeypatch.chdir(tmp_path)
    llama(num_hidden_layers=2).save_pretrained("base")
    base = AutoModelForCausalLM.from_pretrained("base")
    trained(adapted(lora("q_proj", **CAUSAL), base)).save_pretrained("adapter")


def offloaded(base: str | Path, places: dict[str, str] = PLACES) -> nn.Module:
    return AutoModelForCausalLM.from_pretrained(
        base, device_map=places, offload_folder="off"
    )


def checksum(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def expected() -> torch.Tensor:
    base = AutoModelForCausalLM.from_pretrained("base")
    return run(PeftModel.from_pretrained(base, "adapter"))


@offloaded_base
@pytest.mark.usefixtures("_base_and_adapter")
@each(
    ("options", "raises"),
    [
        ({}, True),
        ({"is_trainable": True}, True),
        ({"low_cpu_mem_usage": True}, True),
        ({"offload_folder": "off2"}, True),
        ({"offload_dir": "off2"}, True),
        ({"device_map": PLACES, "offload_dir": "off2"}, True),
        ({"device_map": PREFIXED, "offload_dir": "off2"}, False),
    ],
)
def test_the_file_of_the_base_is_overwritten(
    options: dict[str, Any], tmp_path: Path, *, raises: bool
) -> None:
    right, base = expected(), tmp_path / "base"
    before, weights = checksum(base), load_file(base / "model.safetensors")
    model = offloaded("base")
    assert checksum(base) == before
    if raises:
        with pytest.raises(META):
            PeftModel.from_pretrained(model, "adapter", **options)
    else:
        assert same(PeftModel.from_pretrained(model, "adapter", **options), right)

    assert checksum(base) != before
    names = load_file(base / "model.safetensors").keys()
    assert all(name.startswith("base_model.model.") for name in names)
    assert [name for name in names if "lora_A" in name]
    report = {"output_loading_info": True}
    again, found = AutoModelForCausalLM.from_pretrained("base", **report)
    assert {*found["missing_keys"]} == {*weights}
    assert not same(again, llama(num_hidden_layers=2), 1e-2)


@offloaded_base
@pytest.mark.usefixtures("_base_and_adapter")
def test_auto_model_overwrites_it_too(tmp_path: Path) -> None:
    before = checksum(tmp_path / "base")
    with pytest.raises(META):
        AutoPeftModelForCausalLM.from_pretrained(
            "adapter", device_map=PLACES, offload_folder="off"
        )
    assert checksum(tmp_path / "base") != before


@offloaded_base
@pytest.mark.usefixtures("_base_and_adapter")
def test_by_an_absolute_path_a_copy_is_written_below_the_working_directory(
    tmp_path: Path,
) -> None:
    right, base = expected(), tmp_path / "base"
    before = checksum(base)
    with pytest.raises(META):
        PeftModel.from_pretrained(offloaded(base), "adapter")
    placed = {"device_map": PREFIXED, "offload_dir": "off2"}
    model = PeftModel.from_pretrained(offloaded(base), "adapter", **placed)
    assert same(model, right)
    assert same(model.merge_and_unload(), right)
    assert checksum(base) == before
    assert (tmp_path / str(base).lstrip("/") / "model.safetensors").is_file()


def into_wrapped(base: nn.Module, folder: str) -> nn.Module:
    model = get_peft_model(base, lora("q_proj", **CAUSAL))
    model.load_adapter(folder, "x")
    model.set_adapter("x")
    return model.eval()


@offloaded_base
@pytest.mark.usefixtures("_base_and_adapter")
def test_other_ways_leave_the_file_alone(tmp_path: Path) -> None:
    from accelerate import cpu_offload, dispatch_model  # noqa: PLC0415 - slow

    right, before = expected(), checksum(tmp_path / "base")
    whole = AutoModelForCausalLM.from_pretrained

    assert same(into_wrapped(offloaded("base"), "adapter"), right)
    on_cpu = offloaded("base", PLACES | {"model.layers.1": "cpu"})
    assert same(PeftModel.from_pretrained(on_cpu, "adapter"), right)
    later = dispatch_model(whole("base"), PLACES, offload_dir="off3")
    assert same(PeftModel.from_pretrained(later, "adapter"), right)
    with pytest.raises(AttributeError, match="_update_offload"):
        PeftMixedModel.from_pretrained(offloaded("base"), "adapter")

    with warned("copying from a non-meta parameter in the checkpoint to a meta"):
        model = PeftModel.from_pretrained(
            cpu_offload(whole("base"), execution_device="cpu"), "adapter"
        )
    assert not same(model, right, 1e-2)
    assert not same(model.merge_and_unload(), right, 1e-2)
    model = offloaded("base")
    model.load_adapter("adapter")
    assert not same(model.eval(), right, 1e-2)
    assert checksum(tmp_path / "base") == before


@offloaded_base
@pytest.mark.usefixtures("_base_and_adapter")
def test_the_merged_model_can_be_offloaded() -> None:
    right = expected()
    base = AutoModelForCausalLM.from_pretrained("base")
    model = PeftModel.from_pretrained(base, "adapter")
    model.merge_and_unload().save_pretrained("merged")
    assert same(offloaded("merged"), right)


# -- Task_Type_Must_Fit --

task_type_must_fit = claim("Task_Type_Must_Fit")
TASKS = [*peft.TaskType, None]
FEATURES = torch.linspace(-1, 1, 128).reshape(1, 8, 16)
IMAGES = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8)


def whisper() -> nn.Module:
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    width = {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 64}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    heard = {"num_mel_bins": 8, "max_source_positions": 8, "max_target_positions": 16}
    every = sizes | heads | width | ends | heard | {"decoder_start_token_id": 1}
    return WhisperForConditionalGeneration(WhisperConfig(**every))


def clip() -> nn.Module:
    text = TEXT | {"max_position_embeddings": 16, "eos_token_id": 2}
    seen = CLIPConfig(text_config=text, vision_config=SIGHT | IMAGE, projection_dim=8)
    return CLIPModel(seen)


def t5() -> nn.Module:
    sizes = {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1}
    return T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0))


def with_task(base: nn.Module, task: str | None, target: str = "q_proj") -> PeftModel:
    return adapted(LoraConfig(task_type=task, target_modules=[target]), base)


HEADLESS = "object has no attribute 'prepare_inputs_for_generation'"
GENERATING = {"CAUSAL_LM", "SEQ_2_SEQ_LM"}


@task_type_must_fit
@each("task", TASKS)
def test_a_model_without_a_head_cannot_be_wrapped_as_one_that_generates(
    task: str | None,
) -> None:
    base = llama(LlamaModel)
    if task in GENERATING:
        with refused(HEADLESS, AttributeError):
            with_task(base, task)
    else:
        with_task(base, task)(input_ids=PROMPT)


@task_type_must_fit
@each("task", TASKS)
def test_what_has_no_input_ids_takes_no_task_type(task: str | None) -> None:
    heard = {"input_features": FEATURES, "labels": PROMPT[:1]}
    seen = {"input_ids": PROMPT, "pixel_values": IMAGES}
    for make, given in ((whisper, heard), (clip, seen)):
        if task is None:
            with_task(make(), task)(**given)
        elif make is clip and task in GENERATING:
            with refused(HEADLESS, AttributeError):
                with_task(make(), task)
        else:
            message = "got multiple values for|got an unexpected keyword argument"
            with refused(message, TypeError):
                with_task(make(), task)(**given)


@task_type_must_fit
def test_the_others_of_the_table_fit_and_learn() -> None:
    ids = {"input_ids": PROMPT}
    for base, task, target, given in (
        (llama(), "CAUSAL_LM", "q_proj", ids | {"labels": PROMPT}),
        (t5(), "SEQ_2_SEQ_LM", "q", ids | {"labels": PROMPT}),
    ):
        model = with_task(base, task, target)
        model(**given).loss.backward()
        assert all(weight.grad is not None for weight in trainable(model).values())


@task_type_must_fit
def test_a_classifier_is_trained_with_its_head_and_a_wrong_value_is_an_error() -> None:
    sizes = TEXT | {"max_position_embeddings": 32}
    model = with_task(
        BertForSequenceClassification(BertConfig(**sizes)), "SEQ_CLS", "query"
    )
    model(input_ids=PROMPT, labels=torch.tensor([0, 1])).loss.backward()
    head = model.base_model.model.classifier.modules_to_save["default"]
    assert head.weight.grad.any()
    for wrong in ("CAUSAL", "causal_lm"):
        with refused("Invalid task type"):
            LoraConfig(task_type=wrong)


# -- Unsupported_Target_Layer --

unsupported = claim("Unsupported_Target_Layer")
UNSUPPORTED = "not supported|does not support|No layers? types compatible"
LEFT_OUT = ("AdaptionPrompt", "LNTuning", "OSF", "Shadow", "TinyLora")
LEFT_OUT += ("TrainableTokens",)


@unsupported
@each("method", sorted({*methods_with("target_modules")} - {*LEFT_OUT}))
def test_a_block_cannot_be_a_target(method: str) -> None:
    with pytest.raises((NotImplementedError, TypeError, ValueError)) as raised:
        adapted(config(method, "self_attn", **CAUSAL), llama())
    assert re.search(UNSUPPORTED, str(raised.value))


@unsupported
@each("kind", [nn.Dropout, nn.Identity, nn.GELU, nn.Flatten, lambda: nn.LayerNorm(16)])
def test_neither_can_what_has_no_matrix(kind: Callable[[], nn.Module]) -> None:
    base = nn.Sequential(nn.Linear(16, 16), kind())
    with refused(r"Target module (?s:.)* is not supported"):
        adapted(lora("1"), base)
    assert trainable(adapted(lora("0"), nn.Sequential(nn.Linear(16, 16), kind())))


#: Layers, each with an input, in the order of `TAKES`.
PLAIN = {
    "Linear": (lambda: nn.Linear(8, 8), (2, 8)),
    "Conv1D": (lambda: Conv1D(8, 8), (2, 8)),
    "Conv1d": (lambda: nn.Conv1d(8, 8, 3), (2, 8, 9)),
    "Conv2d": (lambda: nn.Conv2d(8, 8, 3), (2, 8, 9, 9)),
    "Conv3d": (lambda: nn.Conv3d(8, 8, 3), (2, 8, 9, 9, 9)),
    "Embedding": (lambda: nn.Embedding(8, 8), None),
}
ROWS = "Linear Conv1D"
TAKES = [
    (peft.LoraConfig(), " ".join(PLAIN)),
    (peft.AdaLoraConfig(total_step=10), f"{ROWS} Conv2d"),
    (peft.IA3Config(feedforward_modules=[]), f"{ROWS} Conv2d Conv3d"),
    (peft.LoHaConfig(), "Linear Conv1d Conv2d"),
    (peft.LoKrConfig(), "Linear Conv1d Conv2d"),
    (peft.OFTConfig(r=0, oft_block_size=4), "Linear Conv2d Embedding"),
    (peft.BOFTConfig(boft_block_size=4), "Linear Conv2d"),
    (peft.HRAConfig(), "Linear Conv2d"),
    (peft.VeraConfig(), ROWS),
    (peft.RandLoraConfig(), ROWS),
    (peft.VBLoRAConfig(vector_length=4), ROWS),
    (peft.FourierFTConfig(n_frequency=8), ROWS),
    (peft.WaveFTConfig(n_frequency=8), ROWS),
    (peft.GraloraConfig(r=8, gralora_k=2), ROWS),
]


@unsupported
@each(("settings", "taken"), TAKES)
@pytest.mark.filterwarnings("ignore")
def test_which_layers_a_method_takes(settings: peft.PeftConfig, taken: str) -> None:
    found = []
    for name, (layer, shape) in PLAIN.items():
        settings = copy.deepcopy(settings)
        settings.target_modules = {"0"}
        inputs = torch.randn(shape) if shape else torch.tensor([[1, 2]])
        try:
            model = adapted(settings, nn.Sequential(layer()))
        except (TypeError, ValueError) as error:
            assert re.search(UNSUPPORTED, str(error))  # noqa: PT017
            continue
        model(inputs).sum().backward()
        assert any(weight.grad is not None for weight in model.parameters())
        found.append(name)
    assert found == taken.split()


@unsupported
def test_a_pattern_has_to_match_layers_only() -> None:
    with refused(r"Target module LlamaAttention(?s:.)* is not supported"):
        adapted(lora(target_modules=r".*self_attn.*"), llama())
    model = adapted(lora(target_modules=r".*self_attn\.\w+_proj", **CAUSAL), llama())
    assert len(learning(model)) == 4
    assert len(learning(adapted(lora(target_modules="all-linear"), llama()))) == 7


# -- Config_Used_Twice --

config_used_twice = claim("Config_Used_Twice")


def deep(layers: int) -> nn.Module:
    return llama(num_hidden_layers=layers, attention_bias=True)


def layers_of(model: PeftModel) -> set[str]:
    return {name.split(".")[2] for name in learning(model)}


#: An adaption prompt counts layers.
ALL_LINEAR = sorted({*methods_with("target_modules")} - {"AdaptionPrompt"})


@config_used_twice
@each("method", ALL_LINEAR)
def test_the_second_model_gets_adapters_where_the_first_has_layers(method: str) -> None:
    def ours() -> peft.PeftConfig:
        return config(method, target_modules="all-linear", **CAUSAL)

    used = ours()
    adapted(used, deep(2))
    with said() as texts:
        second = adapted(used, deep(4))
    assert not [text for text in texts if "target_modules" in text]
    assert layers_of(second) == {"0", "1"}
    assert layers_of(adapted(ours(), deep(4))) == {"0", "1", "2", "3"}


@config_used_twice
@each(("method", "layers"), [("Lora", 4), ("BOFT", 4), ("IA3", 3)])
def test_from_twenty_names_on_they_are_short_but_for_ia3(
    method: str, layers: int
) -> None:
    used = config(method, target_modules="all-linear", **CAUSAL)
    adapted(used, deep(3))  # seven in each layer
    assert len(layers_of(adapted(used, deep(4)))) == layers


@config_used_twice
@each(("layers", "then"), [(4, 4), (5, 6)])
def test_many_names_of_ones_own_are_shortened_too(layers: int, then: int) -> None:
    block = "model.layers.{}.self_attn.{}_proj"
    used = lora(*(block.format(at, it) for at in range(layers) for it in "qkvo"))
    adapted(used, deep(layers))
    assert len(layers_of(adapted(used, deep(6)))) == then


@config_used_twice
def test_another_architecture_with_these_names_is_no_error() -> None:
    used = lora(target_modules="all-linear", **CAUSAL)
    adapted(used, llama())
    sizes = SIZES | {"num_hidden_layers": 2, "num_key_value_heads": 4}
    base = AutoModelForCausalLM.from_config(AutoConfig.for_model("mistral", **sizes))
    assert layers_of(adapted(used, base)) == {"0"}


@config_used_twice
def test_a_copy_helps_and_so_do_names() -> None:
    ours = lora(target_modules="all-linear", **CAUSAL)
    for layers in (2, 4):
        model = adapted(copy.deepcopy(ours), deep(layers))
        assert len(layers_of(model)) == layers
    named = lora("q_proj", "v_proj", **CAUSAL)
    for layers in (2, 4):
        assert len(layers_of(adapted(named, deep(layers)))) == layers


@config_used_twice
def test_injecting_changes_it_too_and_another_architecture_is_an_error() -> None:
    ours = lora(target_modules="all-linear", **CAUSAL)
    inject_adapter_in_model(ours, deep(2))
    assert layers_of(adapted(ours, deep(4))) == {"0", "1"}
    default = LoraConfig(**CAUSAL)
    adapted(default, llama())
    base = nn.Sequential(nn.Linear(16, 16))
    for used in (ours, default):
        with refused("not found in the base model", NoMatchingPeftModuleError):
            adapted(used, base)


# -- Existing_Name_Loaded_Into --

existing_name = claim("Existing_Name_Loaded_Into")
OTHER = [{"lora_alpha": 8}, {"lora_alpha": 64, "use_rslora": True}]


@pytest.fixture
def strong(tmp_path: Path) -> Path:
    """Return a folder with an adapter that has a large alpha."""
    ours = lora("q_proj", lora_alpha=64, **CAUSAL)
    trained(adapted(ours, llama())).save_pretrained(tmp_path)
    return tmp_path


def wrapped(**options: object) -> PeftModel:
    mixed = {"mixed": options.pop("mixed", False)}
    return adapted(lora("q_proj", **CAUSAL, **options), llama(), **mixed).eval()


@existing_name
@each("options", OTHER)
def test_the_scale_is_that_of_the_model_without_a_sign(
    options: dict[str, Any], strong: Path
) -> None:
    right = run(loaded(strong, llama()))
    for mixed in (False, True):
        model = wrapped(mixed=mixed, **options)
        with silent():
            result = model.load_adapter(strong, "default")
        assert not result.missing_keys
        assert not result.unexpected_keys
        assert distance(model.eval(), right) > 0.1

    model = wrapped(**options)
    with silent():
        set_peft_model_state_dict(model, load_peft_weights(strong))
    assert distance(model, right) > 0.1
    given = lora("q_proj", **CAUSAL, **options)
    assert distance(loaded(strong, llama(), config=given), right) > 0.1


@existing_name
@each("options", OTHER)
def test_under_a_new_name_it_is_right(options: dict[str, Any], strong: Path) -> None:
    right = run(loaded(strong, llama()))
    model = wrapped(**options)
    model.load_adapter(strong, "trained")
    model.set_adapter("trained")
    assert same(model, right)
    model.delete_adapter("default")
    model.load_adapter(strong, "default")
    model.set_adapter("default")
    assert same(model, right)


@existing_name
def test_the_same_settings_are_right_and_a_hot_swap_takes_those_of_the_file(
    strong: Path, tmp_path: Path
) -> None:
    right = run(loaded(strong, llama()))
    model = wrapped(lora_alpha=64)
    model.load_adapter(strong, "default")
    assert same(model, right)
    wrapped(lora_alpha=8).save_pretrained(tmp_path / "weak")
    model = loaded(tmp_path / "weak", llama())
    hotswap_adapter(model, str(strong), "default")
    assert same(model, right)


# -- FP16_Adapter_Injected --


@claim("FP16_Adapter_Injected")
@each("way", ["wrapped", "left", "injected"])
@each("dtype", [torch.float16, torch.bfloat16])
def test_an_injected_adapter_is_in_the_type_of_the_base(
    way: str, dtype: torch.dtype
) -> None:
    base, ours = llama().to(dtype), lora("q_proj", **CAUSAL)
    model = {
        "wrapped": lambda: adapted(ours, base),
        "left": lambda: adapted(ours, base, autocast_adapter_dtype=False),
        "injected": lambda: inject_adapter_in_model(ours, base),
    }[way]()
    assert trained_dtypes(model) == {torch.float32 if way == "wrapped" else dtype}
    fails = way != "wrapped" and dtype is torch.float16

    def step() -> None:
        weights = list(trainable(model).values())
        scaler = torch.amp.GradScaler("cpu")
        optimizer = torch.optim.SGD(weights, lr=0.1)
        before = weights[0].detach().clone()
        with torch.autocast("cpu", dtype=dtype):
            loss = model(input_ids=PROMPT, labels=PROMPT).loss
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        assert not torch.equal(before, weights[0])

    if fails:
        with refused("Attempting to unscale FP16 gradients"):
            step()
    for weight in trainable(model).values():
        weight.grad = None
        weight.data = weight.float()
    step()


@claim("FP16_Adapter_Injected")
def test_the_first_of_a_mixed_model_and_what_transformers_loads_are_not_cast(
    tmp_path: Path,
) -> None:
    mixed = adapted(lora("q_proj"), llama().half(), mixed=True)
    assert trained_dtypes(mixed) == {torch.float16}
    mixed.add_adapter("later", config("LoHa", "q_proj"))
    mixed.set_adapter("later")
    assert trained_dtypes(mixed) == {torch.float32}
    adapted(lora("q_proj", **CAUSAL), llama()).save_pretrained(tmp_path)
    base = llama().half()
    base.load_adapter(str(tmp_path), is_trainable=True)
    assert trained_dtypes(base) == {torch.float16}


@claim("FP16_Adapter_Injected")
@each("cls", [PeftModel, PeftMixedModel])
def test_what_is_loaded_is_in_fp32(cls: type, tmp_path: Path) -> None:
    adapted(lora("q_proj", **CAUSAL), llama()).save_pretrained(tmp_path)
    model = cls.from_pretrained(llama().half(), tmp_path, is_trainable=True)
    model.load_adapter(tmp_path, "other", is_trainable=True)
    model.set_adapter("other")
    assert trained_dtypes(model) == {torch.float32}


@unsupported
def test_two_that_are_left_out_take_a_block_and_cannot_train() -> None:
    with warned("Unsupported layer type"):
        model = adapted(config("LNTuning", "self_attn", **CAUSAL), llama())
    with refused("missing 1 required positional argument", TypeError):
        run(model)
    model = adapted(config("OSF", "self_attn", **CAUSAL), llama())
    assert not trainable(model)
