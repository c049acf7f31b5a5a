"""What the heuristics on loading and on a start that is no good say, run on tiny random models."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import peft
import pytest
import torch
from peft import (
    AutoPeftModelForCausalLM,
    EvaConfig,
    LoraConfig,
    PeftConfig,
    PeftMixedModel,
    PeftModel,
    cast_mixed_precision_params,
    get_peft_model,
    get_peft_model_state_dict,
    initialize_lora_eva_weights,
    inject_adapter_in_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from peft.utils.hotswap import hotswap_adapter
from torch import nn
from transformers import AutoModelForCausalLM, LlamaForSequenceClassification

from claims.models import (
    CAUSAL,
    PROMPT,
    adapted,
    claim,
    config,
    dtypes,
    each,
    identical,
    layer_of,
    llama,
    loaded,
    lora,
    refused,
    run,
    said,
    same,
    settings,
    silent,
    trainable,
    trained,
    trained_dtypes,
    trainer,
    warned,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MISSING = "Found missing adapter keys"


def with_lora(base: nn.Module | None = None, **options: object) -> PeftModel:
    return adapted(lora("q_proj", **options), llama() if base is None else base).eval()


@pytest.fixture
def adapter(base_folder: Path, tmp_path: Path) -> Path:
    """Return a folder with an adapter of a base that has a folder, too."""
    model = with_lora(AutoModelForCausalLM.from_pretrained(base_folder))
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


# --- keywords ---------------------------------------------------------------------------


unknown_keywords_swallowed = claim("Unknown_Keywords_Swallowed")


@unknown_keywords_swallowed
def test_a_misspelled_keyword_is_no_error_and_has_no_effect(
    adapter: Path, tmp_path: Path
) -> None:
    wrong = {"is_trainble": True, "torch_dtype": torch.bfloat16, "r": 99}
    with silent():
        # a mixed model's first adapter can be trained anyhow
        for cls, learns in ((PeftMixedModel, True), (PeftModel, False)):
            model = cls.from_pretrained(llama(), adapter, **wrong)
            model.load_adapter(adapter, "other", is_trainble=True)
            assert bool(trainable(model)) is learns
            assert dtypes(model) == {torch.float32}
            assert same(model.eval(), loaded(adapter, llama()))
        model.save_pretrained(tmp_path / "all", selected_adapter=["other"])
        load_peft_weights(adapter, torch_device="cpu")
        assert PeftConfig.from_pretrained(adapter, r=99).r == 4
        hotswap_adapter(loaded(adapter, llama()), adapter, "default", r=99)
        lora("q_proj").save_pretrained(tmp_path / "config", r=99)
        arrow = peft.ArrowConfig(top_k=1)
        peft.create_arrow_model(llama(), [str(adapter)], arrow, is_trainble=True)
        assert PeftConfig.from_pretrained(tmp_path / "config").r == 4
    assert (tmp_path / "all/adapter_config.json").is_file()


@unknown_keywords_swallowed
def test_a_setting_is_changed_in_the_configuration(adapter: Path) -> None:
    config = PeftConfig.from_pretrained(adapter)
    config.lora_dropout = 0.5
    model = loaded(adapter, llama(), config=config)
    plain = run(loaded(adapter, llama()).train())
    assert not same(model.train(), plain, 1e-4)


@unknown_keywords_swallowed
def test_elsewhere_it_is_a_type_error(adapter: Path) -> None:
    for act in (
        lambda: LoraConfig(rank=4),
        lambda: get_peft_model(llama(), lora("q_proj"), is_trainble=True),
        lambda: inject_adapter_in_model(lora("q_proj"), llama(), is_trainble=True),
        lambda: set_peft_model_state_dict(with_lora(), {}, is_trainble=True),
        lambda: AutoPeftModelForCausalLM.from_pretrained(adapter, is_trainble=True),
    ):
        with refused("unexpected keyword", TypeError):
            act()


# --- transformers' own methods ----------------------------------------------------------


@claim("Transformers_Methods_Need_Newer_PEFT")
@each(
    ("method", "given"),
    [
        ("add_adapter", [lora("q_proj")]),
        ("set_adapter", ["default"]),
        ("delete_adapter", ["default"]),
        *((f"{what}_adapters", []) for what in ("disable", "enable", "active")),
        ("get_adapter_state_dict", []),
    ],
)
def test_transformers_asks_for_a_newer_peft(method: str, given: list[object]) -> None:
    with refused(r"please use a version >= 0\.22\.0"):
        getattr(llama(), method)(*given)


@claim("Transformers_Methods_Need_Newer_PEFT")
def test_it_loads_and_peft_does_not_ask(adapter: Path) -> None:
    expected = run(loaded(adapter, llama()))
    model = llama()
    model.load_adapter(str(adapter))
    assert same(model.eval(), expected, 1e-6)
    assert same(AutoModelForCausalLM.from_pretrained(adapter), expected, 1e-6)

    model = with_lora()
    model.add_adapter("second", lora("q_proj"))
    model.set_adapter("second")
    model.delete_adapter("second")
    model = llama()
    assert inject_adapter_in_model(lora("q_proj"), model) is model


# --- another base, another rank ---------------------------------------------------------


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """Return a folder with an adapter of a base that has two layers and no name."""
    with_lora(llama(num_hidden_layers=2)).save_pretrained(tmp_path / "deep")
    return tmp_path / "deep"


adapter_on_another_base = claim("Adapter_On_Another_Base")


@adapter_on_another_base
@each("cls", [PeftModel, PeftMixedModel])
@each("layers", [1, 2])
def test_another_base_of_the_shape_or_a_shorter_one_gives_no_warning(
    cls: type, layers: int, deep: Path
) -> None:
    base = trained(llama(num_hidden_layers=layers))
    with silent():
        cls.from_pretrained(base, deep).load_adapter(deep, "z")


@adapter_on_another_base
def test_a_shorter_base_has_unexpected_keys_a_longer_warns_and_a_wider_is_an_error(
    deep: Path,
) -> None:
    model = with_lora()
    of_loading = model.load_adapter(deep, "z")
    of_setting = set_peft_model_state_dict(model, load_peft_weights(deep))
    for result in (of_loading, of_setting):
        assert [name for name in result.unexpected_keys if "layers.1" in name]

    with said() as texts:
        loaded(deep, llama(num_hidden_layers=3))
    (text,) = texts
    assert MISSING in text
    with refused("size mismatch", RuntimeError):
        loaded(deep, llama(num_hidden_layers=2, hidden_size=32))


@adapter_on_another_base
def test_the_name_is_that_of_from_pretrained(
    adapter: Path, base_folder: Path, deep: Path
) -> None:
    config = PeftConfig.from_pretrained(adapter)
    assert config.base_model_name_or_path == str(base_folder)
    model = AutoPeftModelForCausalLM.from_pretrained(adapter)
    assert same(model.get_base_model(), model)
    config = PeftConfig.from_pretrained(deep)
    assert not config.base_model_name_or_path
    assert config.revision is None


@claim("Rank_Must_Match_File")
def test_another_rank_than_that_of_the_file_is_a_size_mismatch(
    adapter: Path, tmp_path: Path
) -> None:
    edited = shutil.copytree(adapter, tmp_path / "edited")
    settings(edited, r=8)
    model = with_lora(r=8)
    weights = load_peft_weights(adapter)
    for act in (
        lambda: loaded(adapter, llama(), config=lora("q_proj", r=8)),
        lambda: loaded(edited, llama()),
        lambda: PeftMixedModel.from_pretrained(llama(), edited),
        lambda: model.load_adapter(adapter, "default"),
        lambda: set_peft_model_state_dict(model, weights),
    ):
        with refused(r"size mismatch for .*lora_A", RuntimeError):
            act()
    assert not model.load_adapter(adapter, "under_a_new_name").unexpected_keys


@claim("Rank_Must_Match_File")
def test_a_file_of_the_first_releases_has_three_dimensions() -> None:
    model = with_lora(r=4)
    weights = get_peft_model_state_dict(model)
    for name, weight in weights.items():
        if "lora_B" in name:
            weights[name] = weight[..., None]
    message = r"size mismatch for .*lora_B.*torch.Size\(\[\d+, 4, 1\]\) from checkpoint"
    with refused(message, RuntimeError):
        set_peft_model_state_dict(model, weights)


@claim("Rank_Must_Match_File")
def test_a_swap_takes_the_rank_of_the_file(adapter: Path, tmp_path: Path) -> None:
    other = trained(with_lora(r=8))
    other.save_pretrained(tmp_path / "other")
    model = loaded(adapter, llama())
    hotswap_adapter(model, str(tmp_path / "other"), "default")
    assert same(model, other)


@claim("Rank_Must_Match_File")
def test_ignoring_the_mismatch_warns_and_leaves_a_new_adapter(adapter: Path) -> None:
    model = with_lora(r=8, init_lora_weights=True)
    with warned("not initialized from the model checkpoint"):
        model.load_adapter(adapter, "default", ignore_mismatched_sizes=True)
    assert identical(model, llama())


# --- checkpoints -------------------------------------------------------------------------


def prefix(*, projected: bool) -> PeftModel:
    options = {"encoder_hidden_size": 8, "prefix_projection": projected}
    return adapted(config("PrefixTuning", **CAUSAL, **options), llama()).eval()


def train(
    folder: Path, *, projected: bool, best: bool = False, resume: bool = False
) -> None:
    keeping = {"eval_strategy": "steps", "load_best_model_at_end": True} if best else {}
    with_steps = trainer(
        prefix(projected=projected),
        folder,
        max_steps=2,
        save_steps=1,
        eval_steps=1,
        **keeping,
    )
    checkpoint = f"{folder}/checkpoint-1" if resume else None
    with_steps.train(resume_from_checkpoint=checkpoint)


prefix_projection_checkpoints = claim("Prefix_Projection_Checkpoints")


@prefix_projection_checkpoints
def test_a_projected_prefix_cannot_be_loaded_into_what_was_trained(
    tmp_path: Path,
) -> None:
    train(tmp_path, projected=True)
    with refused("size mismatch for weight", RuntimeError):
        train(tmp_path, projected=True, resume=True)
    with refused("setting load_best_model_at_end=True", RuntimeError):
        train(tmp_path, projected=True, best=True)


@prefix_projection_checkpoints
def test_without_a_projection_both_work(tmp_path: Path) -> None:
    train(tmp_path, projected=False, best=True)
    train(tmp_path, projected=False, resume=True)


@prefix_projection_checkpoints
@claim("Is_Trainable_To_Resume")
def test_it_can_be_used_and_the_whole_state_can_be_resumed(tmp_path: Path) -> None:
    model = prefix(projected=True)
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path, llama()), model, 1e-6)
    again = prefix(projected=True)
    again.load_state_dict(model.state_dict())
    assert identical(again, model)
    for projected in (True, False):
        prefix(projected=projected).save_pretrained(tmp_path)
        with refused("Cannot set a prompt learning adapter"):
            loaded(tmp_path, llama(), is_trainable=True)


def p_tuned(size: float = 0.0) -> PeftModel:
    ours = config("PromptEncoder", **CAUSAL)
    return trained(adapted(ours, llama()), size)


@prefix_projection_checkpoints
def test_p_tuning_ends_with_another_model_than_the_best(tmp_path: Path) -> None:
    with_best = trainer(
        p_tuned(),
        tmp_path,
        max_steps=4,
        save_steps=1,
        eval_steps=1,
        eval_strategy="steps",
        learning_rate=0.05,
        load_best_model_at_end=True,
    )
    with silent():
        with_best.train()
    best = with_best.state.best_metric
    assert with_best.evaluate()["eval_loss"] > best + 0.01
    right = loaded(with_best.state.best_model_checkpoint, llama())
    of_right = trainer(right, tmp_path).evaluate()["eval_loss"]
    assert of_right == pytest.approx(best)


@prefix_projection_checkpoints
def test_a_prompt_of_p_tuning_is_another_one_in_the_model_that_was_trained(
    tmp_path: Path,
) -> None:
    model = p_tuned(0.5)
    before = run(model)
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path, llama()), before)
    with silent():
        result = model.load_adapter(tmp_path, "default")
    assert result.unexpected_keys == ["prompt_embeddings"]
    assert not same(model, before, 1e-2)


@prefix_projection_checkpoints
@each(
    ("method", "is_same"),
    [("PromptTuning", True), ("PrefixTuning", True), ("CPT", False)],
)
def test_other_prompts_are_the_same_but_for_cpt(
    method: str, tmp_path: Path, *, is_same: bool
) -> None:
    model = trained(adapted(config(method, **CAUSAL), llama()), 0.5)
    before = run(model)
    model.save_pretrained(tmp_path)
    model.load_adapter(tmp_path, "default")
    assert same(model, before) is is_same


@claim("EVA_Needs_Data")
def test_eva_starts_at_random_until_it_has_data() -> None:
    def lora_a(model: PeftModel) -> torch.Tensor:
        layer = layer_of(model)
        return layer.lora_A["default"].weight.detach().clone()

    def started(seed: int) -> PeftModel:
        torch.manual_seed(seed)
        return with_lora(init_lora_weights="eva", eva_config=EvaConfig())

    with said() as texts:
        models = [started(seed) for seed in (0, 1)]
    assert not [text for text in texts if "initialize_lora_eva_weights" in text]
    assert not same(*map(lora_a, models))
    for model in models:
        assert identical(model, llama())
        batches = [{"input_ids": PROMPT}] * 20
        initialize_lora_eva_weights(model, batches, show_progress_bar=False)
        assert identical(model, llama())
    assert same(*map(lora_a, models), 1e-4)


@pytest.fixture
def _not_traced() -> Iterator[None]:
    """Run what is compiled as it is: its names are what matters."""
    with torch.compiler.set_stance("force_eager"):
        yield


def compiled() -> nn.Module:
    return torch.compile(llama(), backend="eager")


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_an_adapter_does_not_load_into_a_compiled_base(adapter: Path) -> None:
    expected = run(loaded(adapter, llama()))
    assert not torch.equal(expected, run(llama()))

    with warned(MISSING):
        torch.manual_seed(1)  # the adapter is new, and starts at random here
        wrong = loaded(adapter, compiled())
    assert not same(wrong, expected, 1e-4)
    for cls in (PeftModel, PeftMixedModel):
        with said() as texts:
            result = cls.from_pretrained(compiled(), adapter).load_adapter(adapter, "z")
        assert [name for name in result.missing_keys if ".z." in name]
        assert len([text for text in texts if MISSING in text]) == (cls is PeftModel)

    after = torch.compile(loaded(adapter, llama()), backend="eager")
    assert same(after, expected)
    in_place = llama()
    in_place.compile(backend="eager")
    with silent():
        loaded(adapter, in_place)


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_neither_does_it_where_the_adapter_was_injected(adapter: Path) -> None:
    expected = run(loaded(adapter, llama()))
    for base, is_right in ((compiled(), False), (llama(), True)):
        model = inject_adapter_in_model(lora("q_proj"), base)
        with silent():
            set_peft_model_state_dict(model, load_peft_weights(adapter))
        assert same(model.eval(), expected, 1e-4) is is_right


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_with_a_head_it_is_an_error(tmp_path: Path) -> None:
    base = llama(LlamaForSequenceClassification)
    adapted(lora("q_proj", task_type="SEQ_CLS"), base).save_pretrained(tmp_path)
    compiled_base = torch.compile(llama(LlamaForSequenceClassification))
    name = "base_model.model._orig_mod.score.weight"
    with refused(re.escape(name), KeyError):
        loaded(tmp_path, compiled_base)


@claim("Compile_After_Loading")
@pytest.mark.usefixtures("_not_traced")
def test_an_adapter_of_a_compiled_base_loads_into_another_only(tmp_path: Path) -> None:
    model = with_lora(compiled())
    model.save_pretrained(tmp_path)
    assert all("_orig_mod" in name for name in load_peft_weights(tmp_path))
    with said() as texts:
        loaded(tmp_path, llama())
    (text,) = texts
    assert MISSING in text
    again = loaded(tmp_path, llama(), key_mapping={r"_orig_mod\.": ""})
    assert same(again, model)
    with silent():
        assert same(loaded(tmp_path, compiled()), model)


@claim("Autocast_After_Cast")
@claim("FP16_Trainable_Weights_AMP")
@each("dtype", [torch.float16, torch.bfloat16])
def test_a_copy_in_fp32_needs_autocast(dtype: torch.dtype, tmp_path: Path) -> None:
    def narrow() -> nn.Module:
        return llama().to(dtype)

    def fails(model: nn.Module) -> None:
        with refused("to have the same dtype", RuntimeError):
            run(model)
        with torch.autocast("cpu", dtype=dtype):
            run(model)

    model = with_lora(narrow(), modules_to_save=["lm_head"])
    run(model)
    cast_mixed_precision_params(model, dtype)
    fails(model)
    model.save_pretrained(tmp_path)
    assert {it.dtype for it in load_peft_weights(tmp_path).values()} == {torch.float32}

    run(loaded(tmp_path, narrow()))
    frugal = {"low_cpu_mem_usage": True}
    again = loaded(tmp_path, narrow(), **frugal)
    fails(again)
    run(again.to(dtype))
    second = with_lora(narrow())
    second.load_adapter(tmp_path, "second", **frugal)
    second.set_adapter("second")
    fails(second)


@claim("Autocast_After_Cast")
def test_lora_alone_needs_none() -> None:
    model = with_lora(llama().half())
    cast_mixed_precision_params(model, torch.float16)
    assert trained_dtypes(model) == {torch.float32}
    run(model)
