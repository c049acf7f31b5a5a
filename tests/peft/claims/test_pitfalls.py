"""What the heuristics on loading and on a start that is no good say, run on tiny random models."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import (
    AutoPeftModelForCausalLM,
    EvaConfig,
    LoraConfig,
    PeftConfig,
    PeftMixedModel,
    PeftModel,
    PrefixTuningConfig,
    cast_mixed_precision_params,
    get_peft_model,
    initialize_lora_eva_weights,
    inject_adapter_in_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)

from claims.models import claim, each, loaded, refused, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


TOKENS = {"input_ids": torch.arange(16).reshape(2, 8)}
TOKENS["labels"] = TOKENS["input_ids"]


def llama(layers: int = 2, width: int = 16) -> LlamaForCausalLM:
    """Return a small Llama, always with the same weights."""
    torch.manual_seed(0)
    tiny = LlamaConfig(
        vocab_size=64,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
    )
    return LlamaForCausalLM(tiny).eval()


def lora(**options: Any) -> LoraConfig:  # noqa: ANN401 -- a configuration takes anything
    """Return a configuration whose adapter is not zero at the start, as if trained."""
    return LoraConfig(
        **{"target_modules": ["q_proj"], "init_lora_weights": False} | options
    )


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a folder with a base model."""
    llama().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    """Return a folder with an adapter of that base."""
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora())
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def logits(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(**TOKENS).logits


def warned(act: Callable[[], object]) -> list[str]:
    """Return what a call warns of, without what transformers says of its own names."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        act()
    return [str(it.message) for it in found if "deprecated" not in str(it.message)]


# --- keywords ---------------------------------------------------------------------------


@claim("Unknown_Keywords_Swallowed")
def test_a_misspelled_keyword_is_no_error_and_has_no_effect(
    adapter: Path, tmp_path: Path
) -> None:
    found = []

    def load(cls: type) -> Any:  # noqa: ANN401 -- either kind of model
        return cls.from_pretrained(
            llama(), adapter, is_trainble=True, torch_dtype=torch.bfloat16, r=99
        )

    for cls in (PeftModel, PeftMixedModel):
        found += warned(lambda cls=cls: load(cls))
        model = load(cls)
        found += warned(lambda m=model: m.load_adapter(adapter, "other", is_trainble=1))
        if cls is PeftModel:
            assert not any(it.requires_grad for it in model.parameters())
        assert {it.dtype for it in model.parameters()} == {torch.float32}
        assert model.peft_config["default"].r == 8
    model = load(PeftModel)
    model.add_adapter("second", lora())
    found += warned(
        lambda: model.save_pretrained(tmp_path / "all", selected_adapter=["second"])
    )
    assert (tmp_path / "all/adapter_config.json").is_file()
    found += warned(lambda: load_peft_weights(adapter, torch_device="cpu"))
    found += warned(lambda: PeftConfig.from_pretrained(adapter, r=99))
    assert PeftConfig.from_pretrained(adapter, r=99).r == 8
    assert found == []


@claim("Unknown_Keywords_Swallowed")
def test_a_setting_is_changed_in_the_configuration(adapter: Path) -> None:
    config = PeftConfig.from_pretrained(adapter)
    config.lora_dropout = 0.5
    model = loaded(adapter, llama(), config=config)
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    assert layer.lora_dropout["default"].p == 0.5


@claim("Unknown_Keywords_Swallowed")
def test_elsewhere_it_is_a_type_error(adapter: Path) -> None:
    for act in (
        lambda: LoraConfig(rank=4),
        lambda: get_peft_model(llama(), lora(), is_trainble=True),
        lambda: AutoPeftModelForCausalLM.from_pretrained(adapter, is_trainble=True),
    ):
        with refused("unexpected keyword", TypeError):
            act()


# --- transformers' own methods ----------------------------------------------------------

#: Method → what to call it with.
REFUSED = {
    "add_adapter": (lora(),),
    "set_adapter": ("default",),
    "disable_adapters": (),
    "enable_adapters": (),
    "active_adapters": (),
    "get_adapter_state_dict": (),
    "delete_adapter": ("default",),
}


@claim("Transformers_Methods_Need_Newer_PEFT")
@each("method", REFUSED)
def test_transformers_asks_for_a_newer_peft(method: str) -> None:
    with refused(r"please use a version >= 0\.22\.0"):
        getattr(llama(), method)(*REFUSED[method])


@claim("Transformers_Methods_Need_Newer_PEFT")
def test_it_loads_and_peft_does_not_ask(adapter: Path) -> None:
    expected = logits(loaded(adapter, llama()))
    model = llama()
    model.load_adapter(str(adapter))
    assert same(logits(model.eval()), expected, 1e-6)
    assert same(logits(AutoModelForCausalLM.from_pretrained(adapter)), expected, 1e-6)

    model = get_peft_model(llama(), lora())
    model.add_adapter("second", lora())
    model.set_adapter("second")
    model.delete_adapter("second")
    model = llama()
    assert inject_adapter_in_model(lora(), model) is model


# --- another base, another rank ---------------------------------------------------------


def other(layers: int = 2, width: int = 16) -> LlamaForCausalLM:
    model = llama(layers, width)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.05)
    return model


@claim("Adapter_On_Another_Base")
@each("cls", [PeftModel, PeftMixedModel])
def test_another_base_of_the_shape_or_a_shorter_one_gives_no_warning(
    cls: type, adapter: Path
) -> None:
    for layers in (1, 2):
        assert warned(lambda n=layers: cls.from_pretrained(other(n), adapter)) == []
        again = cls.from_pretrained(other(layers), adapter)
        assert warned(lambda m=again: m.load_adapter(adapter, "z")) == []
    assert PeftConfig.from_pretrained(adapter).base_model_name_or_path.endswith("base")


@claim("Adapter_On_Another_Base")
def test_only_unexpected_keys_tell_of_a_shorter_base(adapter: Path) -> None:
    model = get_peft_model(other(1), lora())
    of_loading = model.load_adapter(adapter, "z")
    assert [name for name in of_loading.unexpected_keys if "layers.1" in name]
    of_setting = set_peft_model_state_dict(model, load_peft_weights(adapter))
    assert [name for name in of_setting.unexpected_keys if "layers.1" in name]


@claim("Adapter_On_Another_Base")
def test_more_layers_warn_and_another_width_is_an_error(adapter: Path) -> None:
    (found,) = warned(lambda: loaded(adapter, other(3)))
    assert "missing adapter keys" in found
    with refused("size mismatch", RuntimeError):
        loaded(adapter, other(2, 32))


@claim("Adapter_On_Another_Base")
def test_the_name_is_that_of_from_pretrained(adapter: Path, tmp_path: Path) -> None:
    model = AutoPeftModelForCausalLM.from_pretrained(adapter)
    assert same(logits(model.get_base_model()), logits(model))
    get_peft_model(llama(), lora()).save_pretrained(tmp_path / "nameless")
    config = PeftConfig.from_pretrained(tmp_path / "nameless")
    assert not config.base_model_name_or_path
    assert config.revision is None


@claim("Rank_Must_Match_File")
def test_another_rank_than_that_of_the_file_is_a_size_mismatch(
    adapter: Path, tmp_path: Path
) -> None:
    edited = tmp_path / "edited"
    shutil.copytree(adapter, edited)
    settings = json.loads((edited / "adapter_config.json").read_text("utf-8"))
    settings["r"] = 4
    (edited / "adapter_config.json").write_text(json.dumps(settings), "utf-8")
    model = get_peft_model(llama(), lora(r=4))
    weights = load_peft_weights(adapter)
    for act in (
        lambda: loaded(adapter, llama(), config=lora(r=4)),
        lambda: loaded(edited, llama()),
        lambda: PeftMixedModel.from_pretrained(llama(), edited),
        lambda: model.load_adapter(adapter, "default"),
        lambda: set_peft_model_state_dict(model, weights),
    ):
        with refused(r"size mismatch for .*lora_A", RuntimeError):
            act()
    assert not model.load_adapter(adapter, "under_a_new_name").unexpected_keys


@claim("Rank_Must_Match_File")
def test_ignoring_the_mismatch_warns_and_leaves_a_new_adapter(adapter: Path) -> None:
    model = get_peft_model(llama(), LoraConfig(r=4, target_modules=["q_proj"]))
    found = warned(
        lambda: model.load_adapter(adapter, "default", ignore_mismatched_sizes=True)
    )
    assert "not initialized from the model checkpoint" in found[0]
    assert torch.equal(logits(model), logits(llama()))


# --- checkpoints -------------------------------------------------------------------------


def prefix(**options: Any) -> PeftModel:  # noqa: ANN401 -- a configuration takes anything
    config = PrefixTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=4, encoder_hidden_size=8, **options
    )
    return get_peft_model(llama(), config)


def train(
    folder: Path,
    *,
    best: bool = False,
    resume: bool = False,
    **options: Any,  # noqa: ANN401 -- a configuration takes anything
) -> None:
    rows = [{name: it[0] for name, it in TOKENS.items()}] * 4
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=2,
        save_steps=1,
        save_strategy="steps",
        eval_strategy="steps" if best else "no",
        eval_steps=1,
        load_best_model_at_end=best,
        per_device_train_batch_size=2,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(
        prefix(**options), arguments, train_dataset=rows, eval_dataset=rows
    )
    trainer.train(resume_from_checkpoint=f"{folder}/checkpoint-1" if resume else None)


@claim("Prefix_Projection_Checkpoints")
def test_a_projected_prefix_cannot_be_loaded_into_what_was_trained(
    tmp_path: Path,
) -> None:
    train(tmp_path, prefix_projection=True)
    with refused("size mismatch for weight", RuntimeError):
        train(tmp_path, resume=True, prefix_projection=True)
    with refused("setting load_best_model_at_end=True", RuntimeError):
        train(tmp_path, best=True, prefix_projection=True)


@claim("Prefix_Projection_Checkpoints")
def test_without_a_projection_both_work(tmp_path: Path) -> None:
    train(tmp_path, best=True)
    train(tmp_path, resume=True)


@claim("Prefix_Projection_Checkpoints")
@claim("Is_Trainable_To_Resume")
def test_it_can_be_used_and_the_whole_state_can_be_resumed(tmp_path: Path) -> None:
    model = prefix(prefix_projection=True).eval()
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path, llama())
    assert same(logits(again), logits(model), 1e-6)
    again = prefix(prefix_projection=True).eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(logits(again), logits(model))
    for projected in (True, False):
        prefix(prefix_projection=projected).save_pretrained(tmp_path)
        with refused("Cannot set a prompt learning adapter"):
            loaded(tmp_path, llama(), is_trainable=True)


@claim("EVA_Needs_Data")
def test_eva_starts_at_random_until_it_has_data() -> None:
    def lora_a(model: PeftModel) -> torch.Tensor:
        layer = model.base_model.model.model.layers[0].self_attn.q_proj
        return layer.lora_A["default"].weight.detach().clone()

    def started(seed: int) -> PeftModel:
        config = lora(init_lora_weights="eva", eva_config=EvaConfig())
        base = llama()
        torch.manual_seed(seed)
        return get_peft_model(base, config, low_cpu_mem_usage=False)

    found = warned(lambda: started(0))
    assert not [one for one in found if "initialize_lora_eva_weights" in one]
    assert not torch.equal(lora_a(started(0)), lora_a(started(1)))
    assert torch.equal(logits(started(0)), logits(llama()))

    batches = [{"input_ids": TOKENS["input_ids"]}] * 20
    found = []
    for seed in (0, 1):
        model = started(seed)
        initialize_lora_eva_weights(model, batches, show_progress_bar=False)
        found.append(lora_a(model))
    assert torch.allclose(*found, atol=1e-4)
    assert torch.equal(logits(model), logits(llama()))


@pytest.fixture
def _not_traced() -> Iterator[None]:
    """Run what is compiled as it is: its names are what matters."""
    with torch.compiler.set_stance("force_eager"):
        yield


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_an_adapter_does_not_load_into_a_compiled_base(adapter: Path) -> None:
    expected = logits(loaded(adapter, llama()))
    assert not torch.equal(expected, logits(llama()))

    def onto(compiled: nn.Module, cls: type = PeftModel) -> nn.Module:
        return cls.from_pretrained(compiled, adapter)

    found = warned(lambda: onto(torch.compile(llama(), backend="eager")))
    assert "Found missing adapter keys" in found[0]
    compiled = torch.compile(llama(), backend="eager")
    torch.manual_seed(1)  # the adapter is new, and starts at random here
    wrong = onto(compiled)
    assert not same(logits(wrong), expected, 1e-4)
    for cls in (PeftModel, PeftMixedModel):
        mixed = onto(torch.compile(llama(), backend="eager"), cls)
        result = mixed.load_adapter(adapter, "z")
        assert [name for name in result.missing_keys if ".z." in name]

    after = torch.compile(onto(llama()), backend="eager")
    assert same(logits(after), expected)
    in_place = llama()
    in_place.compile(backend="eager")
    assert warned(lambda: onto(in_place)) == []


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_an_adapter_of_a_compiled_base_loads_nowhere_else(tmp_path: Path) -> None:
    model = get_peft_model(torch.compile(llama(), backend="eager"), lora())
    model.save_pretrained(tmp_path)
    assert all("_orig_mod" in name for name in load_peft_weights(tmp_path))
    (found,) = warned(lambda: loaded(tmp_path, llama()))
    assert "Found missing adapter keys" in found
    again = loaded(tmp_path, llama(), key_mapping={r"_orig_mod\.": ""})
    assert same(logits(again), logits(model))


@claim("FP16_Trainable_Weights_AMP")
@claim("Autocast_After_Cast")
@each("dtype", [torch.float16, torch.bfloat16])
def test_a_copy_in_fp32_needs_autocast(dtype: torch.dtype, tmp_path: Path) -> None:
    error = "to have the same dtype"

    def fails(model: nn.Module) -> None:
        with refused(error, RuntimeError):
            logits(model)
        with torch.autocast("cpu", dtype=dtype):
            logits(model)

    model = get_peft_model(llama().to(dtype), lora(modules_to_save=["lm_head"]))
    logits(model)
    cast_mixed_precision_params(model, dtype)
    fails(model)
    model.save_pretrained(tmp_path)
    assert {it.dtype for it in load_peft_weights(tmp_path).values()} == {torch.float32}

    logits(loaded(tmp_path, llama().to(dtype)))
    frugal = {"low_cpu_mem_usage": True}
    again = loaded(tmp_path, llama().to(dtype), **frugal)
    fails(again)
    logits(again.to(dtype))
    second = get_peft_model(llama().to(dtype), lora())
    second.load_adapter(tmp_path, "second", **frugal)
    second.set_adapter("second")
    fails(second)


@claim("Autocast_After_Cast")
def test_lora_alone_needs_none() -> None:
    model = get_peft_model(llama().to(torch.float16), lora())
    cast_mixed_precision_params(model, torch.float16)
    assert {it.dtype for it in model.parameters() if it.requires_grad} == {
        torch.float32
    }
    logits(model)
