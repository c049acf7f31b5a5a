"""What the heuristics on training say, run on tiny random models: first the pitfall, then its cure."""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import torch
from peft import (
    AdaLoraConfig,
    NoMatchingPeftModuleError,
    PeftModel,
    PeftModelForCausalLM,
    cast_mixed_precision_params,
    get_layer_status,
    get_peft_model,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    prepare_model_for_kbit_training,
)
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from transformers import (
    LlamaForQuestionAnswering,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    TrainerCallback,
)

from claims.models import (
    CAUSAL,
    PROMPT,
    Loader,
    Operations,
    Options,
    adam,
    adapted,
    all_learn,
    claim,
    config,
    dtypes,
    each,
    layer_of,
    linear,
    llama,
    loaded,
    lora,
    loss_of,
    of_the_head,
    quantized_linear,
    refused,
    run,
    said,
    same,
    scale_of,
    settings,
    silent,
    steps,
    trainable,
    trained_dtypes,
    trainer,
    warned,
    xlora,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from peft import PeftConfig
    from transformers import TrainerState


NOT_REENTRANT = {"use_reentrant": False}
#: what torch says where it has to choose the variant of gradient checkpointing
UNDECIDED = "use_reentrant parameter should be passed explicitly"


@pytest.fixture
def in_4_bit(quantized: Loader) -> Loader:
    """Return what loads the tiny Llama in 4 bit, the rest of it in bf16."""
    return lambda: quantized(4, torch.bfloat16)


def with_lora(base: nn.Module, **options: Any) -> PeftModel:  # noqa: ANN401 -- a configuration's
    return adapted(lora("q_proj", **CAUSAL | options), base).train()


def checkpointed(model: nn.Module) -> bool:
    return any(getattr(it, "gradient_checkpointing", False) for it in model.modules())


# Gradient_Checkpointing


of_gradient_checkpointing = claim("Gradient_Checkpointing")


@of_gradient_checkpointing
@each("bits", [4, 8])
@each("kwargs", [None, NOT_REENTRANT])
def test_the_variant_is_left_to_torch_unless_the_argument_chooses_it(
    quantized: Loader, bits: int, kwargs: Options | None
) -> None:
    base = prepare_model_for_kbit_training(
        quantized(bits, torch.bfloat16), gradient_checkpointing_kwargs=kwargs
    )
    model = with_lora(base)
    assert checkpointed(model)
    with said() as texts:
        assert all_learn(model)
    assert any(UNDECIDED in text for text in texts) is (kwargs is None)


kbit_prep_upcasts_everything = claim("Kbit_Prep_Upcasts_Everything")


@of_gradient_checkpointing
@kbit_prep_upcasts_everything
@each(
    ("method", "known"),
    [
        *((name, True) for name in ("gptq", "aqlm", "eetq", "hqq", "torchao")),
        *((name, False) for name in ("awq", "fp8", "")),
    ],
)
def test_the_method_of_quantization_decides_on_checkpointing_and_the_cast(
    method: str, *, known: bool
) -> None:
    model = llama().bfloat16()
    # PEFT asks for nothing but this name, so the weights may be plain ones
    model.quantization_method = method
    before = model.get_memory_footprint()
    with silent():
        prepare_model_for_kbit_training(model)
    assert checkpointed(model) is known
    assert dtypes(model) == {torch.bfloat16 if known else torch.float32}
    expected = before if known else 2 * before
    assert model.get_memory_footprint() == pytest.approx(expected, rel=0.01)
    model.gradient_checkpointing_enable(NOT_REENTRANT)  # "on yourself there"
    assert checkpointed(model)


# Kbit_Prep_Upcasts_Everything


@kbit_prep_upcasts_everything
def test_everything_but_the_4_bit_weights_is_cast(in_4_bit: Loader) -> None:
    model = in_4_bit()
    before = model.get_memory_footprint()
    prepare_model_for_kbit_training(model)
    assert dtypes(model) == {torch.uint8, torch.float32}
    for ends in (model.get_input_embeddings(), model.get_output_embeddings()):
        assert ends.weight.dtype == torch.float32
    assert model.get_memory_footprint() > 1.4 * before


@kbit_prep_upcasts_everything
def test_without_the_call_the_base_stays_small_and_frozen_and_the_adapter_learns(
    in_4_bit: Loader,
) -> None:
    model = in_4_bit()
    before = model.get_memory_footprint()
    model.gradient_checkpointing_enable(NOT_REENTRANT)
    assert model.get_memory_footprint() == before
    model = with_lora(model)
    assert model.get_output_embeddings().weight.dtype == torch.bfloat16
    assert all_learn(model)
    assert trained_dtypes(model) == {torch.float32}
    for name, parameter in trainable(model).items():
        assert "lora_" in name
        assert parameter.grad.any()


@kbit_prep_upcasts_everything
@claim("Resized_Embeddings_Saved")
def test_arithmetic_of_the_pages() -> None:
    two_more_bytes = 2
    assert round(2 * 128_256 * 4_096 * two_more_bytes / 1e9, 1) == 2.1


# Kbit_Prep_Before_Wrapping


@claim("Kbit_Prep_Before_Wrapping")
def test_preparing_second_trains_nothing_and_preparing_first_does(
    in_4_bit: Loader,
) -> None:
    def prepared(model: nn.Module, *, checkpointed: bool = True) -> nn.Module:
        return prepare_model_for_kbit_training(
            model, checkpointed, gradient_checkpointing_kwargs=NOT_REENTRANT
        ).train()

    model = prepared(with_lora(in_4_bit()))
    before = copy.deepcopy(get_peft_model_state_dict(model))
    steps(model, torch.optim.AdamW(model.parameters(), lr=1.0))  # no error
    after = get_peft_model_state_dict(model)
    assert all(torch.equal(before[name], after[name]) for name in before)
    with refused("optimizer got an empty parameter list"):
        adam(model)
    with refused("does not require grad", RuntimeError):
        loss_of(prepared(with_lora(in_4_bit()), checkpointed=False)).backward()

    model = with_lora(prepared(in_4_bit()))
    losses = steps(model, adam(model))
    assert losses[-1] < losses[0]


@claim("Kbit_Prep_Before_Wrapping")
def test_preparing_second_freezes_an_injected_adapter_too(in_4_bit: Loader) -> None:
    ours = lora("q_proj", **CAUSAL)
    wrong = inject_adapter_in_model(ours, in_4_bit())
    assert not trainable(prepare_model_for_kbit_training(wrong))
    right = inject_adapter_in_model(ours, prepare_model_for_kbit_training(in_4_bit()))
    right(input_ids=PROMPT, labels=PROMPT).loss.backward()
    assert all(weight.grad is not None for weight in trainable(right).values())


@claim("Kbit_Prep_Before_Wrapping")
@each("wrap", [get_peft_model, PeftModel, PeftModelForCausalLM])
def test_preparing_second_freezes_the_adapter_saves_no_memory_and_can_be_undone(
    in_4_bit: Loader, wrap: Loader
) -> None:
    ours = lora("q_proj", modules_to_save=["lm_head"], **CAUSAL)
    right = wrap(prepare_model_for_kbit_training(in_4_bit()), ours)
    wrong = prepare_model_for_kbit_training(wrap(in_4_bit(), ours))
    assert not trainable(wrong)
    assert right.get_memory_footprint() == wrong.get_memory_footprint()
    wrong.set_adapter("default")
    assert len(trainable(right)) == 3
    assert trainable(wrong).keys() == trainable(right).keys()


# FP16_Trainable_Weights_AMP

UNSCALABLE = r"Attempting to unscale FP16 gradients\."


def in_fp16(config: PeftConfig | None, folder: Path, **options: bool) -> PeftModel:
    """Return a model in fp16 with an adapter, or with X-LoRA."""
    if config is None:
        return xlora(folder, llama().half()).train()
    base = llama() if config.peft_type in {"ADAPTION_PROMPT", "SHADOW"} else linear()
    return adapted(config, base.half(), **options)


def amp_step(model: nn.Module, dtype: torch.dtype = torch.float16) -> None:
    """Make one step of training as torch's documentation of mixed precision has it, on the CPU."""
    optimizer = torch.optim.SGD(trainable(model).values(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, enabled=dtype == torch.float16)
    with torch.autocast("cpu", dtype=dtype):
        loss = loss_of(model)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()


fp16_trainable_weights_amp = claim("FP16_Trainable_Weights_AMP")


@fp16_trainable_weights_amp
@each(
    ("config", "options"),
    [
        (lora("0", modules_to_save=["2"]), {}),
        (lora("0", bias="all"), {}),
        (lora("0", bias="lora_only"), {}),
        (lora("0"), {"autocast_adapter_dtype": False}),
        (config("LNTuning", "0"), {}),
        (config("AdaptionPrompt", **CAUSAL), {}),
        (config("Shadow", **CAUSAL), {}),
        (None, {}),
    ],
)
def test_scaler_refuses_what_is_trained_in_fp16_and_the_cast_cures_it(
    config: PeftConfig | None, options: Options, tmp_path: Path
) -> None:
    model = in_fp16(config, tmp_path, **options)
    classifier = {"xlora_classifier" in name for name in trainable(model)}
    assert classifier == {config is None}
    assert torch.float16 in trained_dtypes(model)
    with refused(UNSCALABLE):
        amp_step(model)
    model = in_fp16(config, tmp_path, **options)
    cast_mixed_precision_params(model, torch.float16)
    assert trained_dtypes(model) == {torch.float32}
    frozen = {it.dtype for it in model.parameters() if not it.requires_grad}
    assert frozen == {torch.float16}
    amp_step(model)


@fp16_trainable_weights_amp
@each("method", ["AdaptionPrompt", "LNTuning", "Shadow"])
def test_three_methods_train_in_fp16_what_is_their_own(method: str) -> None:
    targets = ["input_layernorm"] if method == "LNTuning" else []
    ours = config(method, *targets, **CAUSAL)
    for cast in (False, True):
        model = adapted(ours, llama().half())
        assert torch.float16 in trained_dtypes(model)
        if cast:
            cast_mixed_precision_params(model, torch.float16)
            amp_step(model)
            return
        with refused(UNSCALABLE):
            amp_step(model)


@fp16_trainable_weights_amp
def test_adapter_alone_is_in_fp32_already(tmp_path: Path) -> None:
    amp_step(in_fp16(lora("0"), tmp_path))


@fp16_trainable_weights_amp
def test_bf16_raises_nothing_and_trains_in_bf16() -> None:
    model = adapted(lora("0", modules_to_save=["2"])).bfloat16()
    amp_step(model, torch.bfloat16)
    assert model.base_model.model[2].weight.dtype == torch.bfloat16


@fp16_trainable_weights_amp
def test_cast_after_the_error_comes_too_late_for_gradients_that_are_there(
    tmp_path: Path,
) -> None:
    model = in_fp16(lora("0", modules_to_save=["2"]), tmp_path)
    for _ in range(2):
        with refused(UNSCALABLE):
            amp_step(model)
        cast_mixed_precision_params(model, torch.float16)
    model.zero_grad()
    amp_step(model)


@fp16_trainable_weights_amp
@each("is_trainable", [False, True])
def test_cast_takes_a_frozen_adapter_down_with_it(
    tmp_path: Path, *, is_trainable: bool
) -> None:
    in_fp16(lora("0"), tmp_path).save_pretrained(tmp_path)
    model = loaded(tmp_path, linear().half(), is_trainable=is_trainable)
    cast_mixed_precision_params(model, torch.float16)
    in_fp32 = {torch.float32} if is_trainable else set()
    assert dtypes(model) == {torch.float16} | in_fp32
    assert trained_dtypes(model) == in_fp32


@fp16_trainable_weights_amp
def test_cast_breaks_4_bit_layers(in_4_bit: Loader) -> None:
    model = with_lora(in_4_bit())
    loss_of(model)
    cast_mixed_precision_params(model, torch.bfloat16)
    with pytest.raises(RuntimeError):
        loss_of(model)


# Task_Head_In_Modules_To_Save


task_head_in_modules_to_save = claim("Task_Head_In_Modules_To_Save")


@task_head_in_modules_to_save
@each(("head", "right"), [(None, False), (["two"], False), (["2"], True)])
def test_only_with_its_head_a_reloaded_adapter_answers_as_in_training(
    tmp_path: Path, head: list[str] | None, *, right: bool
) -> None:
    another = linear()
    another[2] = nn.Linear(16, 16)  # as a new start of the program draws it
    with silent():
        model = adapted(lora("0", modules_to_save=head))
        steps(model, adam(model), 3)
        model.save_pretrained(tmp_path)
        again = loaded(tmp_path, another)
    trained, saved = of_the_head(model, ".2.")
    assert bool(trained) is bool(saved) is right
    assert same(again, model.eval(), 1e-6) is right


@claim("Task_Type_Must_Fit")
@task_head_in_modules_to_save
@each(
    ("cls", "task_type", "head", "names"),
    [
        (LlamaForSequenceClassification, "SEQ_CLS", "score", ["classifier", "score"]),
        (LlamaForTokenClassification, "TOKEN_CLS", "score", ["classifier", "score"]),
        (LlamaForQuestionAnswering, "QUESTION_ANS", "qa_outputs", ["qa_outputs"]),
    ],
)
def test_task_type_covers_the_usual_heads_and_no_others(
    cls: type[nn.Module], task_type: str, head: str, names: list[str]
) -> None:
    assert of_the_head(adapted(lora("q_proj"), llama(cls)), head) == ([], [])
    config = lora("q_proj", task_type=task_type)
    trained, saved = of_the_head(adapted(config, llama(cls)), head)
    assert trained
    assert len(saved) == len(trained)
    assert config.modules_to_save == names
    with silent():
        model = adapted(lora("0", task_type=task_type))
    assert of_the_head(model, ".2.") == ([], [])


@task_head_in_modules_to_save
def test_names_of_modules_to_save_are_matched_at_their_end() -> None:
    model = adapted(lora("q_proj", modules_to_save=["head"]), llama())
    trained, _ = of_the_head(model, "lm_head")
    assert trained == ["base_model.model.lm_head.modules_to_save.default.weight"]


# Target_Module_Typos


target_module_typos = claim("Target_Module_Typos")


@target_module_typos
def test_the_modules_that_were_found_can_be_listed_and_counted() -> None:
    ours = lora("0", "3")
    model = adapted(ours)
    assert model.targeted_module_names == ["0"]
    assert [status.name for status in get_layer_status(model)] == ["model.0"]
    half, _ = model.get_nb_trainable_parameters()
    assert adapted(lora("0", "2")).get_nb_trainable_parameters()[0] == 2 * half

    injected = inject_adapter_in_model(ours, linear())
    assert not hasattr(injected, "targeted_module_names")
    assert [status.name for status in get_layer_status(injected)] == ["0"]


@target_module_typos
def test_an_item_of_a_list_is_no_regular_expression() -> None:
    pattern = r".*q_proj"
    with refused("not found in the base model"):
        adapted(lora(target_modules=[pattern]), llama())
    assert adapted(lora(target_modules=pattern), llama()).targeted_module_names


@target_module_typos
def test_check_passes_a_name_that_only_some_blocks_have() -> None:
    base = llama(num_hidden_layers=2)
    del base.model.layers[1].self_attn.v_proj
    model = adapted(lora("q_proj", "v_proj"), base)
    ends = [name.removeprefix("model.layers.") for name in model.targeted_module_names]
    assert ends == ["0.self_attn.q_proj", "0.self_attn.v_proj", "1.self_attn.q_proj"]


@target_module_typos
@each("target", [["k_porj"], ["proj"], "proj", "q_proj"])
def test_a_name_has_to_fit_a_part_and_a_string_the_whole(
    target: list[str] | str,
) -> None:
    with refused(
        r"not found in the base model\. Please check", NoMatchingPeftModuleError
    ):
        adapted(lora(target_modules=target), llama())
    listed, matched = (
        adapted(lora(target_modules=fitting), llama()).targeted_module_names
        for fitting in (["q_proj"], r".*\.q_proj")
    )
    assert listed == matched == ["model.layers.0.self_attn.q_proj"]


@target_module_typos
@each(
    ("options", "category", "found"),
    [
        ({"exclude_modules": ["3"]}, UserWarning, "no modules were excluded"),
        ({"rank_pattern": {"3": 4}}, RuntimeWarning, "rank_pattern keys did not match"),
        ({"alpha_pattern": {"3": 4}}, RuntimeWarning, "alpha_pattern keys did not"),
    ],
)
def test_other_patterns_that_fit_nothing_are_warned_of(
    options: Options, category: type[Warning], found: str
) -> None:
    with warned(found, category):
        adapted(lora("0", **options))


# Alpha_Over_R_Scaling


alpha_over_r_scaling = claim("Alpha_Over_R_Scaling")


@alpha_over_r_scaling
@each("r", [4, 8, 16, 64, 128])
def test_scale_shrinks_with_r_unless_alpha_follows(r: int) -> None:
    def scale(**options: object) -> float:
        whole = lora("0", r=8, lora_alpha=8)
        return pytest.approx(scale_of(lora("0", **options), whole), rel=1e-4)

    assert scale(r=r) == 8 / r
    assert scale(r=r, lora_alpha=r) == 1.0
    assert scale(r=r, use_rslora=True) == 8 / math.sqrt(r)


@alpha_over_r_scaling
def test_outputs_of_one_adapter_shrink_with_the_scale() -> None:
    def change(**options: object) -> Tensor:
        layer = adapted(lora("0", **options)).base_model.model[0]
        # one and the same product B A, whatever the rank: the rest of A and B is zero
        down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        for weight in (down, up):
            nn.init.zeros_(weight)
        down.data[0] = up.data[:, 0] = 1.0
        return run(layer) - run(layer.base_layer)

    assert change(r=8).abs().max() > 1
    assert same(change(r=64) * 8, change(r=8), 1e-4)
    assert same(change(r=64, lora_alpha=64), change(r=8), 1e-4)
    pattern = {"r": 32, "lora_alpha": 32, "rank_pattern": {"0": 4}}
    assert same(change(**pattern), change(r=8) * 8, 1e-4)
    assert same(change(**pattern, alpha_pattern={"0": 4}), change(r=8), 1e-4)


@alpha_over_r_scaling
def test_no_scale_is_right_for_every_rank() -> None:
    def moved(**options: Any) -> float:  # noqa: ANN401 -- a configuration's
        """Return how far the outputs move in 20 steps with one learning rate."""
        torch.manual_seed(0)
        base = nn.Sequential(nn.Linear(128, 128))
        model = adapted(lora("0", init_lora_weights=True, **options), base)
        rows, target = torch.randn(2, 64, 128)
        before = run(model, rows)
        steps(model, adam(model, 1e-3), 20, lambda it: mse_loss(it(rows), target))
        return (run(model, rows) - before).norm().item()

    ranks = (4, 16, 64)
    fixed = [moved(r=r, lora_alpha=16) for r in ranks]
    twice = [moved(r=r, lora_alpha=2 * r) for r in ranks]
    rooted = [moved(r=r, lora_alpha=16, use_rslora=True) for r in ranks]
    assert fixed == sorted(fixed, reverse=True)
    assert twice == sorted(twice)
    assert rooted == sorted(rooted)


@alpha_over_r_scaling
def test_scale_comes_from_the_configuration_and_not_from_the_weights(
    tmp_path: Path,
) -> None:
    adapted(lora("0", r=8, lora_alpha=16)).save_pretrained(tmp_path)

    def update() -> Tensor:
        layer = loaded(tmp_path).base_model.model[0]
        return run(layer) - run(layer.base_layer)

    before = update()
    settings(tmp_path, lora_alpha=32)
    assert before.norm() > 1
    assert same(update(), 2 * before)
    settings(tmp_path, r=16)
    with refused("size mismatch", RuntimeError):
        loaded(tmp_path)


# AdaLoRA_Update_And_Allocate

STEPS = 12


def adalora(total_step: int = STEPS) -> PeftModel:
    ranks = {"init_r": 6, "target_r": 2, "tinit": 2, "tfinal": 3}
    return adapted(config("AdaLora", "0", "2", total_step=total_step, **ranks))


def training(model: PeftModel) -> Iterator[int]:
    """Yield each step after the optimizer's, when the gradients are still there."""
    optimizer = adam(model)
    for step in range(STEPS):
        loss_of(model).backward()
        optimizer.step()
        yield step
        optimizer.zero_grad()


def train_adalora(model: PeftModel, until: int = STEPS) -> None:
    """Train, and allocate in the steps before one."""
    for step in training(model):
        if step < until:
            model.base_model.update_and_allocate(step)


def ranks(model: PeftModel) -> list[int]:
    """Return how many ranks are alive in each layer."""
    named = model.named_parameters()
    return [int((values != 0).sum()) for name, values in named if "lora_E" in name]


def allocated(model: PeftModel) -> list[int] | None:
    """Return how many ranks the configuration says that each layer keeps."""
    pattern = model.peft_config["default"].rank_pattern
    return None if pattern is None else [sum(kept) for kept in pattern.values()]


def size(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


adalora_update_and_allocate = claim("AdaLoRA_Update_And_Allocate")


@adalora_update_and_allocate
@each("until", [0, STEPS - 2, STEPS])
def test_only_with_all_calls_it_comes_down_to_target_r(until: int) -> None:
    model = adalora()
    train_adalora(model, until)
    kept = allocated(model)
    # without the last calls, pruned values come back
    assert ranks(model) == (kept if until == STEPS else [6, 6])
    if not until:
        assert kept is None
        return
    assert sum(kept) == 2 * 2
    saved = get_peft_model_state_dict(model).items()
    assert [len(values) for name, values in saved if "lora_E" in name] == kept


@adalora_update_and_allocate
@each("calls", [False, True])
def test_adamss_prunes_with_the_calls_only(*, calls: bool) -> None:
    steps = {"init_warmup": 1, "final_warmup": 8, "mask_interval": 2}
    sizes = {"num_subspaces": 4, "asa_target_subspaces": 2, "r": 8}
    ours = config("Adamss", "q_proj", "v_proj", use_asa=True, **steps, **sizes)
    model = adapted(ours, llama())
    before = len(trainable(model))
    optimizer = adam(model)
    for step in range(1, 11):
        loss_of(model).backward()
        optimizer.step()
        if calls:
            model.base_model.update_and_allocate(step)
        model.zero_grad()
    assert (len(trainable(model)) < before) is calls


@adalora_update_and_allocate
def test_after_zero_grad_there_is_nothing_to_go_by() -> None:
    def train(model: PeftModel, *, set_to_none: bool) -> list[int] | None:
        for step in training(model):
            model.zero_grad(set_to_none)
            model.base_model.update_and_allocate(step)
        return allocated(model)

    with pytest.raises(TypeError):
        train(adalora(), set_to_none=True)
    assert train(adalora(), set_to_none=False) == [0, 0]


@adalora_update_and_allocate
@each(
    ("total_step", "over"), [(STEPS + 2, False), (2 * STEPS, True), (100 * STEPS, True)]
)
def test_only_a_far_larger_total_step_leaves_ranks_over(
    total_step: int, *, over: bool
) -> None:
    model = adalora(total_step)
    train_adalora(model)
    assert (sum(ranks(model)) > 2 * 2) is over


@adalora_update_and_allocate
def test_configuration_refuses_no_total_step_and_ignores_r() -> None:
    for options in ({}, {"total_step": 0}):
        with refused("does not work when `total_step` is None, supply a value > 0"):
            AdaLoraConfig(**options)
    with warned("`r` is not used in AdaLora"):
        config = AdaLoraConfig(total_step=STEPS, r=4)
    assert config.init_r == 12


@adalora_update_and_allocate
def test_importance_takes_three_times_the_adapter_until_the_last_steps() -> None:
    model = adalora()
    whole = size(trainable(model).values())
    allocator = model.base_model.rankallocator
    times = []
    for step in training(model):
        model.base_model.update_and_allocate(step)
        held = (allocator.ipt, allocator.exp_avg_ipt, allocator.exp_avg_unc)
        times.append(sum(size(kept.values()) for kept in held) / whole)
    assert times == [3] * (STEPS - 3) + [0] * 3  # tfinal is 3
    # what is pruned stays in memory, and only there
    assert size(trainable(model).values()) == whole
    assert size(get_peft_model_state_dict(model).values()) < whole


@adalora_update_and_allocate
@claim("Zero3_Unsharded_Save")
def test_layer_that_was_pruned_altogether_is_taken_for_a_shard_and_loads(
    tmp_path: Path,
) -> None:
    model = adalora()
    before = run(model)
    for name, parameter in trainable(model).items():
        if ".0." in name:
            parameter.register_hook(torch.zeros_like)  # no part of that layer matters
    train_adalora(model)
    assert ranks(model) == [0, 4]
    with warned("shards were not gathered before"):
        model.save_pretrained(tmp_path)
    again = loaded(tmp_path)
    assert same(again, model.eval(), 1e-6)
    assert not same(again, before, 1e-4)


class Allocate(TrainerCallback):
    """The page's callback."""

    def on_optimizer_step(
        self, args: object, state: TrainerState, control: object, **kwargs: PeftModel
    ) -> None:
        kwargs["model"].base_model.update_and_allocate(state.global_step)


@adalora_update_and_allocate
@each("callbacks", [[], [Allocate]])
def test_trainer_prunes_only_with_the_callback(
    tmp_path: Path, callbacks: list[type[TrainerCallback]]
) -> None:
    ranks = {"init_r": 6, "target_r": 2, "total_step": 6}
    model = adapted(config("AdaLora", "q_proj", "v_proj", **CAUSAL, **ranks), llama())
    options = {"max_steps": 6, "save_strategy": "no"}
    trainer(model, tmp_path, callbacks, **options).train()
    if callbacks:
        assert sum(allocated(model) or []) == 2 * 2
    else:
        assert allocated(model) is None


@adalora_update_and_allocate
def test_pruned_adapter_is_loaded_with_its_ranks_and_a_wrong_warning(
    tmp_path: Path,
) -> None:
    model = adalora()
    train_adalora(model)
    model.save_pretrained(tmp_path)
    ignored = "rank_pattern keys did not match any targeted module and were ignored"
    with warned(ignored, RuntimeWarning):
        again = loaded(tmp_path)
    assert ranks(again) == allocated(model)
    assert same(again, model.eval(), 1e-6)


# Prefix_Tuning_No_Gradient_Checkpointing

each_with_cache = each("method", ["PrefixTuning", "Cartridge"])


def prompted(method: str, base: nn.Module | None = None) -> PeftModel:
    return adapted(config(method, **CAUSAL), base or llama()).train()


def checkpointed_llama() -> nn.Module:
    model = llama()
    model.gradient_checkpointing_enable(NOT_REENTRANT)
    return model


prefix_tuning_no_gradient_checkpointing = claim(
    "Prefix_Tuning_No_Gradient_Checkpointing"
)


@prefix_tuning_no_gradient_checkpointing
@each_with_cache
def test_checkpointing_is_refused_until_it_is_switched_off(
    method: str, tmp_path: Path
) -> None:
    def refuses() -> pytest.RaisesExc[Exception]:
        return refused(r"(PREFIX_TUNING|CARTRIDGE) does not work with gradient ch")

    base = checkpointed_llama()
    with refuses():
        prompted(method, base)
    base.gradient_checkpointing_disable()
    model = prompted(method, base)
    assert all_learn(model)

    model.save_pretrained(tmp_path)
    with refuses():
        loaded(tmp_path, checkpointed_llama())
    model.gradient_checkpointing_enable()
    with refuses():
        model.add_adapter("other", config(method, **CAUSAL))


@prefix_tuning_no_gradient_checkpointing
@each_with_cache
@each("reentrant", [True, False])
def test_switched_on_after_wrapping_the_training_step_fails(
    method: str, *, reentrant: bool
) -> None:
    model = prompted(method)
    model.gradient_checkpointing_enable({"use_reentrant": reentrant})
    with refused("The size of tensor a", RuntimeError):
        loss_of(model)
    model.gradient_checkpointing_disable()
    loss_of(model).backward()


@of_gradient_checkpointing
@prefix_tuning_no_gradient_checkpointing
def test_preparing_a_quantized_model_switches_it_on_unless_told_not_to(
    in_4_bit: Loader,
) -> None:
    def prepared(**options: bool) -> PeftModel:
        base = prepare_model_for_kbit_training(in_4_bit(), **options)
        return prompted("PrefixTuning", base)

    with refused("PREFIX_TUNING does not work with gradient checkpointing"):
        prepared()
    model = prepared(use_gradient_checkpointing=False)
    assert not checkpointed(model)
    assert all_learn(model)


def kept_for_backward(model: nn.Module) -> float:
    """Return how many megabytes a forward pass keeps for the backward pass, the parameters left out."""
    kept: dict[int, int] = {}
    parameters = {parameter.data_ptr() for parameter in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    batch = torch.randint(0, 128, (4, 32))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=batch, labels=batch)
    return sum(size for at, size in kept.items() if at not in parameters) / 1e6


@prefix_tuning_no_gradient_checkpointing
def test_prefix_tuning_keeps_what_checkpointing_would_save() -> None:
    sizes = {"num_hidden_layers": 8, "vocab_size": 128, "intermediate_size": 128}
    base = llama(**sizes)
    base.gradient_checkpointing_enable(NOT_REENTRANT)
    models = (
        prompted("PrefixTuning", llama(**sizes)),
        prompted("PromptTuning", llama(**sizes)),
        prompted("PromptTuning", base),
    )
    # the figures of the page; another torch or transformers may keep a little more or
    # less
    kept = [kept_for_backward(model) for model in models]
    assert kept == pytest.approx([3.5, 3.7, 0.4], rel=0.2)


@prefix_tuning_no_gradient_checkpointing
@each("method", ["PromptTuning", "PromptEncoder"])
def test_prompts_before_the_embeddings_work_with_checkpointing(method: str) -> None:
    model = prompted(method, checkpointed_llama())
    assert checkpointed(model)
    assert all_learn(model)


# 4bit_Defensive_Clone


def clones_after(base_layer: nn.Module, act: Callable[[], object]) -> int:
    """Count the clones of a layer's result, or of its like, made after its base has given it."""
    shapes, cloned = [], []

    def note(func: object, given: Sequence[Any]) -> None:
        if func is torch.ops.aten.clone.default and given[0].shape in shapes:
            cloned.append(func)

    def base_is_done(_module: object, _given: object, result: Tensor) -> None:
        shapes.append(result.shape)

    base_layer.register_forward_hook(base_is_done)
    with Operations(note):
        act()
    return len(cloned)


def clones(method: str, bits: int, **call: object) -> int:
    model = adapted(config(method, "0"), quantized_linear(bits)).train(not call)
    layer = layer_of(model).base_layer
    return clones_after(layer, lambda: model(torch.randn(3, 64), **call))


CLONING = ("Lora", "AdaLora", "Hira", "Pvera", "RandLora", "IA3", "Vera", "Miss")

defensive_clone = claim("4bit_Defensive_Clone")


@defensive_clone
@each(
    ("method", "in_4_bit"),
    [*((name, 1) for name in CLONING), *((name, 0) for name in ("Road", "OFT"))],
)
def test_some_methods_clone_in_4_bit_and_none_in_8_bit(
    method: str, in_4_bit: int
) -> None:
    assert clones(method, 4) == in_4_bit
    assert clones(method, 8) == 0


@defensive_clone
def test_mixed_batches_do_not_clone() -> None:
    assert clones("Lora", 4, adapter_names=["default"] * 3) == 0


class Shift(nn.Module, BaseTunerLayer):
    """A layer of a tuner of one's own, which adds to what the base layer returns."""

    adapter_layer_names = ("shift_by",)

    def __init__(self, base_layer: nn.Module, *, cloned: bool) -> None:
        super().__init__()
        self.base_layer, self.cloned = base_layer, cloned
        self.shift_by = nn.ParameterDict({"default": torch.zeros(64)})

    def forward(self, x: Tensor) -> Tensor:
        result = self.base_layer(x)
        return (result.clone() if self.cloned else result) + self.shift_by["default"]


class ShiftTuner(BaseTuner):
    prefix = "shift_"
    tuner_layer_cls = Shift
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}
    cloned = False

    def _create_and_replace(
        self,
        _config: PeftConfig,
        _adapter: str,
        target: nn.Module,
        name: str,
        parent: nn.Module,
        current_key: str,
        **_options: object,
    ) -> None:
        self._replace_module(parent, name, Shift(target, cloned=self.cloned), target)


@defensive_clone
@each("cloned", [True, False])
def test_for_a_tuner_of_ones_own_nothing_is_cloned(
    monkeypatch: pytest.MonkeyPatch, *, cloned: bool
) -> None:
    monkeypatch.setattr(ShiftTuner, "cloned", cloned)
    tuner = ShiftTuner(quantized_linear(4), lora("0"), "default").train()
    layer = tuner.model[0].base_layer
    assert clones_after(layer, lambda: tuner(torch.randn(3, 64))) == cloned


@defensive_clone
def test_rows_come_back_as_no_view_and_the_clone_can_be_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = torch.randn(3, 64, requires_grad=True)
    model = adapted(lora("0"), quantized_linear(4)).train()
    assert not layer_of(model).base_layer(rows)._is_view()  # noqa: SLF001 -- torch has no other way to ask

    def gradients() -> list[Tensor]:
        model.zero_grad()
        model(rows).square().sum().backward()
        return [parameter.grad.detach() + 0 for parameter in trainable(model).values()]

    with_clone = gradients()
    monkeypatch.setattr(Tensor, "clone", lambda self: self)
    assert all(map(torch.allclose, gradients(), with_clone))


def states(*shape: int) -> Tensor:
    return torch.randn(*shape or (2, 3), 64, requires_grad=True)


@defensive_clone
@each(
    ("bits", "bias", "training", "who"),
    [
        (4, True, True, "MatMul4Bit"),
        (4, True, False, "MatMul4Bit"),
        (4, False, True, None),
        (4, False, False, None),
        (8, True, True, "MatMul8bitFp"),
        (8, True, False, "MatMul8bitLt"),
        (8, False, True, None),
        (8, False, False, "MatMul8bitLt"),
    ],
)
def test_addition_in_place_to_the_view_that_is_returned_fails(
    bits: int, who: str | None, *, bias: bool, training: bool
) -> None:
    shift = nn.Parameter(torch.ones(64))
    layer = quantized_linear(bits, bias=bias)[0].train(training)
    result = layer(states())
    is_view = refused(f"Output 0 of {who} is a view and is", RuntimeError)
    with is_view if who else nullcontext():
        result += shift
    for writable in (layer(states()).clone(), layer(states(6))):
        writable.add_(shift)
        writable.sum().backward()
    (layer(states()) + shift).sum().backward()  # not in place


def fails_once_packed(layer: nn.Module) -> AbstractContextManager[object]:
    """Require the error of a layer whose weights were repacked, as on some CPUs only."""
    message = "a view of a leaf Variable that requires grad is being used"
    packs = layer.support_avx512bf16_for_cpu
    return refused(message, RuntimeError) if packs else nullcontext()


@defensive_clone
@each("bias", [True, False])
@each("training", [True, False])
@each("shape", [(6,), (2, 3)])
def test_after_an_evaluation_it_fails_in_4_bit_whatever_the_layer(
    shape: tuple[int, ...], *, bias: bool, training: bool
) -> None:
    shift = nn.Parameter(torch.ones(64))
    layer = quantized_linear(4, bias=bias)[0].eval()
    layer(states(*shape).detach())
    layer.train(training)
    if bias:  # it is added in place by bitsandbytes itself
        with fails_once_packed(layer):
            layer(states(*shape))
        return
    result, writable = layer(states(*shape)), layer(states(*shape)).clone()
    with fails_once_packed(layer):
        result.add_(shift)
    writable.add_(shift)


@defensive_clone
@each("method", ["C3A", "Gralora"])
@each("bias", [True, False])
def test_two_methods_fail_in_4_bit_after_an_evaluation(
    method: str, *, bias: bool
) -> None:
    base = quantized_linear(4, bias=bias)
    model = adapted(config(method, "0"), base)
    with torch.no_grad():
        model.eval()(states().detach())
    with fails_once_packed(layer_of(model).base_layer):
        model.train()(states())


@defensive_clone
@each("method", ["C3A", "Gralora"])
def test_two_methods_add_in_place_to_what_a_quantized_base_returns(method: str) -> None:
    fails = refused("being modified inplace", RuntimeError)
    for bits, bias, training in (
        *((4, True, True), (4, True, False)),
        *((8, True, True), (8, True, False), (8, False, False)),
    ):
        model = adapted(config(method, "0"), quantized_linear(bits, bias=bias))
        with fails:
            model.train(training)(states())
        with fails if bits == 8 else nullcontext():
            model(states().detach()).sum().backward()
    for bits in (4, 8):
        model = adapted(config(method, "0"), quantized_linear(bits, bias=False))
        model.train()(states()).sum().backward()


@defensive_clone
@each("cloned", [True, False])
def test_addition_in_place_leaves_the_result_alone_only_in_a_clone(
    *, cloned: bool
) -> None:
    kept = quantized_linear(4)(states(3))
    shift = nn.Parameter(torch.ones(64))
    shifted = kept.clone() if cloned else kept
    shifted += shift
    shifted.sum().backward()
    assert shift.grad.tolist() == [3.0] * 64
    assert same(kept, shifted) is not cloned
