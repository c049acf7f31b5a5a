"""What the heuristics on loading and on a start that is no good say, run on tiny random models."""

from __future__ import annotations

import copy
import re
import shutil
from typing import TYPE_CHECKING, Any

import huggingface_hub
import peft
import pytest
import torch
from accelerate.utils import modeling
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
    prepare_model_for_kbit_training,
    set_peft_model_state_dict,
)
from peft.helpers import rescale_adapter_scale
from peft.tuners.lora import BdLoraConfig, MontecloraConfig, VeloraConfig
from peft.utils.hotswap import hotswap_adapter
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaForSequenceClassification

from claims.models import (
    CAUSAL,
    PROMPT,
    ROWS,
    Loader,
    Operations,
    Options,
    adapted,
    all_learn,
    claim,
    config,
    dtypes,
    each,
    identical,
    layer_of,
    linear,
    llama,
    loaded,
    lora,
    loss_of,
    pair,
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
    from collections.abc import Iterator, Sequence
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


# --- preparing ---------------------------------------------------------------------------


@claim("Kbit_Prep_Before_Wrapping")
def test_trainer_says_nothing_of_an_adapter_that_was_frozen(
    quantized: Loader, tmp_path: Path
) -> None:
    model = prepare_model_for_kbit_training(with_lora(quantized(), **CAUSAL))
    before = run(model)
    training = trainer(model, tmp_path, max_steps=2, save_strategy="no")
    assert training.train().global_step == 2
    assert identical(model, before)


@claim("Kbit_Prep_Upcasts_Everything")
@each(("options", "cast"), [({}, True), ({"llm_int8_skip_modules": ["q_proj"]}, False)])
def test_the_head_is_quantized_if_only_others_are_skipped(
    quantized: Loader, options: Options, *, cast: bool
) -> None:
    model = prepare_model_for_kbit_training(quantized(4, torch.bfloat16, **options))
    assert (model.lm_head.weight.dtype == torch.float32) is cast


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
def test_settings_of_the_file_win_over_keywords_and_not_over_a_config(
    adapter: Path,
) -> None:
    settings = {"lora_alpha": 99, "r": 16}
    ours = PeftConfig.from_pretrained(adapter)
    ours.lora_alpha = 99
    with silent():
        model = PeftModel.from_pretrained(llama(), adapter, **settings)
        model.load_adapter(adapter, "other", **settings)
        changed = PeftModel.from_pretrained(llama(), adapter, config=ours)
        also = PeftMixedModel.from_pretrained(llama(), adapter, config=ours)
    saved = PeftConfig.from_pretrained(adapter)
    for name in ("default", "other"):
        assert model.peft_config[name].lora_alpha == saved.lora_alpha != 99
        assert model.peft_config[name].r == saved.r != 16
    scale = 99 / saved.r
    for one in (changed, also):
        assert layer_of(one).scaling == {"default": scale}


@unknown_keywords_swallowed
@claim("Load_On_Base_Device")
def test_weights_of_the_hub_are_not_asked_for_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with refused("unexpected keyword argument 'torch_device'", TypeError):
        load_peft_weights("someone/adapter", torch_device="cpu")


@claim("Load_On_Base_Device")
@each("place", ["auto", "balanced_low_0", "sequential", {"": "cpu"}])
def test_each_gpu_is_asked_unless_max_memory_is_given(
    place: str | dict[str, str], adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked where `get_max_memory` is given nothing."""
    asked: list[bool] = []
    known = modeling.get_max_memory

    def ask(given: Options | None = None) -> Options:
        asked.append(given is None)
        return known(given)

    monkeypatch.setattr(modeling, "get_max_memory", ask)
    for options, is_asked in (({}, True), ({"max_memory": {"cpu": 10**9}}, False)):
        base = llama()
        base.hf_device_map = {"": "cpu"}
        asked.clear()
        loaded(adapter, base, device_map=place, **options)
        assert any(asked) is is_asked


@unknown_keywords_swallowed
def test_a_setting_is_changed_in_the_configuration(adapter: Path) -> None:
    config = PeftConfig.from_pretrained(adapter)
    config.lora_dropout = 0.5
    model = loaded(adapter, llama(), config=config)
    plain = run(loaded(adapter, llama()).train())
    assert not same(model.train(), plain, 1e-4)


@unknown_keywords_swallowed
@each("keyword", ["config", "peft_config"])
def test_beside_another_adapter_it_is_not(adapter: Path, keyword: str) -> None:
    stronger = PeftConfig.from_pretrained(adapter)
    stronger.lora_alpha *= 8
    model = loaded(adapter, llama())
    expected = run(model)
    assert not same(loaded(adapter, llama(), config=stronger), expected, 1e-2)
    model.load_adapter(adapter, "second", **{keyword: stronger})
    model.set_adapter("second")
    assert same(model, expected)


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
    assert model.active_adapters == ["default"]
    for name in ("disable_adapters", "enable_adapters", "get_adapter_state_dict"):
        with refused(r"please use a version >= 0\.22\.0"):
            getattr(model, name)()
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


# --- saving ------------------------------------------------------------------------------


@claim("Resized_Embeddings_Saved")
@each("tied", [False, True])
def test_trainable_tokens_are_saved_without_the_embeddings(
    tmp_path: Path, *, tied: bool
) -> None:
    base = llama(tie_word_embeddings=tied)
    base.resize_token_embeddings(66)
    again = copy.deepcopy(base)
    ours = config("TrainableTokens", "embed_tokens", token_indices=[64, 65], **CAUSAL)
    model = trained(adapted(ours, base))
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    assert {len(rows) for rows in load_peft_weights(tmp_path).values()} == {2}
    new = torch.tensor([[64, 65]])
    assert not same(run(again, new), run(model, new), 1e-3)
    assert same(run(loaded(tmp_path, again), new), run(model, new))


# --- switching and scaling ---------------------------------------------------------------


@claim("Set_Adapter_Unfreezes")
def test_a_head_beside_a_prompt_is_switched() -> None:
    base = llama(LlamaForSequenceClassification, pad_token_id=0)
    ours = config("PromptTuning", task_type="SEQ_CLS")
    model = adapted(ours, base, adapter_name="a")
    model.add_adapter("b", ours)

    def learning(part: str) -> set[str]:
        names = {name for name in trainable(model) if part in name}
        return {name for name in "ab" if any(f".{name}." in it for it in names)}

    assert learning("prompt_encoder") == {"a", "b"}
    model.set_adapter("b")
    assert learning("score") == {"b"}
    model.set_adapter("b", inference_mode=True)
    assert not learning("score")
    assert learning("prompt_encoder") == {"a", "b"}


@claim("Set_Adapter_Unfreezes")
def test_osf_stays_merged() -> None:
    model = trained(adapted(config("OSF", "0")))
    model.merge_adapter()
    with warned("OSF does not support unmerging"):
        model.set_adapter("default")
    assert not same(layer_of(model).base_layer.weight, linear()[0].weight, 1e-2)


@claim("Scale_Outside_The_Call")
@each(
    ("options", "is_base"),
    [
        ({}, True),
        ({"use_dora": True}, False),
        ({"init_lora_weights": "pissa"}, False),
        ({"bias": "all"}, False),
        ({"modules_to_save": ["2"]}, False),
    ],
)
def test_scaled_by_zero_only_a_plain_lora_is_the_base(
    options: Options, *, is_base: bool
) -> None:
    model = trained(adapted(lora("0", **options)))
    with rescale_adapter_scale(model, 0.0):
        assert same(model, linear(), 1e-2) is is_base
    assert not same(model, linear(), 1e-2)


# --- combining ---------------------------------------------------------------------------


def combined(how: str, **options: object) -> tuple[PeftModel, Tensor]:
    """Return a model with two adapters and their sum, which is active, and what both of them give."""
    torch.manual_seed(0)
    model = pair(lora(**options)).eval()
    model.base_model.set_adapter(["a", "b"])
    both = run(model)
    options = {"svd_rank": 8, "density": 0.5}
    model.add_weighted_adapter(["a", "b"], [1.0, 1.0], "sum", how, **options)
    model.set_adapter("sum")
    return model, both


@claim("Weighted_Adapter_Rules")
@each(
    ("how", "is_right"),
    [("cat", True), ("svd", True), ("linear", False), ("ties", False)],
)
def test_two_with_rank_pattern_load_unless_linear_combines_them(
    how: str, tmp_path: Path, *, is_right: bool
) -> None:
    model, both = combined(how, rank_pattern={"0": 2})
    assert same(model, both, 1e-4) is is_right
    model.save_pretrained(tmp_path)
    if is_right:
        assert same(loaded(tmp_path / "sum"), both, 1e-4)
    else:
        with refused("size mismatch for .*lora_A", RuntimeError):
            loaded(tmp_path / "sum")


BLOCKS = {"use_bdlora": BdLoraConfig(target_modules_bd_a=["0", "2"], nblocks=2)}


@claim("Weighted_Adapter_Rules")
@each(
    ("options", "is_right"),
    [
        (BLOCKS, False),
        ({"monteclora_config": MontecloraConfig()}, True),
        ({"velora_config": VeloraConfig(num_groups=4)}, True),
        ({"use_qalora": True, "qalora_group_size": 4}, True),
    ],
)
def test_two_of_a_variant_are_their_sum_but_for_bdlora(
    options: Options, *, is_right: bool
) -> None:
    model, both = combined("cat", **options)
    assert same(model, both, 1e-4 if is_right else 1e-1) is is_right


# --- merging -----------------------------------------------------------------------------


@claim("Unmergeable_Quantized_Bases")
@each("bits", [4, 8])
def test_ia3_is_not_merged_in_place_either(quantized: Loader, bits: int) -> None:
    model = adapted(config("IA3", "q_proj", **CAUSAL), quantized(bits))
    run(model)
    with pytest.raises(NotImplementedError):
        model.merge_adapter()


@claim("Merge_Returns_New_Model")
def test_a_merge_needs_room_for_one_weight() -> None:
    model = with_lora()
    added: list[tuple[int, ...]] = []

    def note(func: object, args: Sequence[Any]) -> None:
        if "add" in str(func):
            added.append(tuple(args[1].shape))

    with Operations(note):
        model.merge_and_unload()
    assert added == [(64, 64)], "of the size of q_proj"


@claim("Merge_To_Speed_Up")
def test_a_cache_is_off_by_the_configuration_of_the_base() -> None:
    def lengths(model: nn.Module, **options: object) -> list[int]:
        found: list[int] = []
        embeddings = model.get_input_embeddings()
        hook = embeddings.register_forward_pre_hook(
            lambda _module, given: found.append(given[0].shape[1])
        )
        model.generate(input_ids=PROMPT, max_new_tokens=3, min_new_tokens=3, **options)
        hook.remove()
        return found

    on, off = [8, 1, 1], [8, 9, 10]
    model = with_lora(llama(use_cache=False), **CAUSAL)
    assert lengths(model) == off
    assert lengths(model, use_cache=True) == on
    model.config.use_cache = True
    assert lengths(model) == off
    model = with_lora(llama(use_cache=True), **CAUSAL)
    model.gradient_checkpointing_enable()
    assert lengths(model) == on


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


@claim("Is_Trainable_To_Resume")
@each("method", ["CPT", "Cartridge"])
def test_two_prompts_are_frozen_when_they_are_loaded(
    method: str, tmp_path: Path
) -> None:
    adapted(config(method, **CAUSAL), llama()).save_pretrained(tmp_path)
    model = loaded(tmp_path, llama())
    with refused("does not require grad", RuntimeError):
        loss_of(model).backward()
    if method == "CPT":
        model.peft_config["default"].inference_mode = False
    else:
        model.prompt_encoder["default"].trainable_embedding.requires_grad_()
    assert all_learn(model)


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
        with refused("expected m1 and m2 to have the same dtype", RuntimeError):
            run(model)
        with torch.autocast("cpu", dtype=dtype):
            run(model)

    model = with_lora(narrow(), modules_to_save=["lm_head"])
    run(model)
    cast_mixed_precision_params(model, dtype)
    fails(model)
    model.save_pretrained(tmp_path)
    assert {it.dtype for it in load_peft_weights(tmp_path).values()} == {torch.float32}

    again = loaded(tmp_path, narrow())
    run(again)
    copies = {
        name: it.dtype for name, it in again.named_parameters() if "default" in name
    }
    assert {it for name, it in copies.items() if "lm_head" in name} == {dtype}
    assert {it for name, it in copies.items() if "lora" in name} == {torch.float32}
    frugal = {"low_cpu_mem_usage": True}
    again = loaded(tmp_path, narrow(), **frugal)
    fails(again)
    run(again.to(dtype))
    second = with_lora(narrow())
    second.load_adapter(tmp_path, "second", **frugal)
    second.set_adapter("second")
    fails(second)


@claim("Autocast_After_Cast")
def test_a_copy_with_a_bias_has_another_message() -> None:
    model = adapted(lora("0", modules_to_save=["2"]), linear().half())
    cast_mixed_precision_params(model, torch.float16)
    with refused("mat1 and mat2 must have the same dtype", RuntimeError):
        run(model, ROWS.half())


@claim("Autocast_After_Cast")
def test_lora_alone_needs_none() -> None:
    model = with_lora(llama().half())
    cast_mixed_precision_params(model, torch.float16)
    assert trained_dtypes(model) == {torch.float32}
    run(model)
