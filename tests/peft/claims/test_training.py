"""What the heuristics on training say, run on tiny random models: first the pitfall, then its cure."""

from __future__ import annotations

import contextlib
import copy
import math
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import bitsandbytes as bnb
import pytest
import torch
from peft import (
    AdaLoraConfig,
    C3AConfig,
    CartridgeConfig,
    GraloraConfig,
    HiraConfig,
    IA3Config,
    LNTuningConfig,
    LoraConfig,
    MissConfig,
    NoMatchingPeftModuleError,
    OFTConfig,
    PeftModel,
    PeftModelForCausalLM,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    PveraConfig,
    RandLoraConfig,
    RoadConfig,
    VeraConfig,
    XLoraConfig,
    cast_mixed_precision_params,
    get_layer_status,
    get_peft_model,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    prepare_model_for_kbit_training,
)
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForQuestionAnswering,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from claims.models import claim, each, loaded, refused, said, same, trainable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peft import PeftConfig
    from transformers import TrainerState


TINY = LlamaConfig(
    vocab_size=128,
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    num_labels=3,
    pad_token_id=0,
)
NOT_REENTRANT = {"use_reentrant": False}
#: what torch says where it has to choose the variant of gradient checkpointing
UNDECIDED = "use_reentrant parameter should be passed explicitly"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny Llama in bf16."""
    folder = tmp_path_factory.mktemp("training") / "base"
    torch.manual_seed(0)
    LlamaForCausalLM(TINY).to(torch.bfloat16).save_pretrained(folder)
    return folder


@pytest.fixture
def load(base: Path) -> Callable[..., torch.nn.Module]:
    """Return what loads the tiny Llama, in 4 bit unless it is told another number of bits."""

    def load(bits: int = 4) -> torch.nn.Module:
        if bits == 16:
            return AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
        options: dict[str, Any] = {"load_in_8bit": True}
        if bits == 4:
            options = {"load_in_4bit": True, "bnb_4bit_compute_dtype": torch.bfloat16}
        return AutoModelForCausalLM.from_pretrained(
            base, quantization_config=BitsAndBytesConfig(**options)
        )

    return load


class Block(torch.nn.Module):
    """Two layers to put adapters on, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = torch.nn.Linear(8, 8)
        self.v_proj = torch.nn.Linear(8, 8)
        self.head = torch.nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.v_proj(self.q_proj(x).relu()))


def tokens() -> torch.Tensor:
    return torch.randint(0, TINY.vocab_size, (2, 8))


def loss_of(model: torch.nn.Module) -> torch.Tensor:
    batch = tokens()
    return model(input_ids=batch, labels=batch).loss


def dtypes(model: torch.nn.Module) -> set[torch.dtype]:
    return {parameter.dtype for parameter in model.parameters()}


def checkpointed(model: torch.nn.Module) -> bool:
    return any(
        getattr(module, "gradient_checkpointing", False) for module in model.modules()
    )


def messages(action: Callable[[], object]) -> list[str]:
    """Return what *action* warns of."""
    with said() as texts:
        action()
    return texts


# Gradient_Checkpointing


@claim("Gradient_Checkpointing")
@each("bits", [4, 8])
def test_default_leaves_the_variant_to_torch(
    load: Callable[..., torch.nn.Module], bits: int
) -> None:
    model = get_peft_model(
        prepare_model_for_kbit_training(load(bits)), LoraConfig(task_type="CAUSAL_LM")
    ).train()
    assert any(
        UNDECIDED in message for message in messages(lambda: loss_of(model).backward())
    )


@claim("Gradient_Checkpointing")
def test_argument_chooses_the_variant_and_every_adapter_learns(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = prepare_model_for_kbit_training(
        load(), gradient_checkpointing_kwargs=NOT_REENTRANT
    )
    model = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False)
    ).train()
    assert checkpointed(model)
    assert not any(
        UNDECIDED in message for message in messages(lambda: loss_of(model).backward())
    )
    assert all(parameter.grad is not None for parameter in trainable(model).values())


@claim("Gradient_Checkpointing")
def test_model_that_is_not_quantized_gets_no_checkpointing(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = load(16)
    found = messages(
        lambda: prepare_model_for_kbit_training(model, use_gradient_checkpointing=True)
    )
    assert found == []
    assert not checkpointed(model)
    model.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs=NOT_REENTRANT
    )  # "on yourself there"
    assert checkpointed(model)


@claim("Gradient_Checkpointing")
@each(
    ("method", "on"),
    [
        ("gptq", True),
        ("aqlm", True),
        ("eetq", True),
        ("hqq", True),
        ("torchao", True),
        ("awq", False),
        ("fp8", False),
    ],
)
def test_method_of_quantization_decides_on_checkpointing(
    method: str, *, on: bool
) -> None:
    model = LlamaForCausalLM(TINY)
    # PEFT asks for nothing but this name, so the weights may be plain ones
    model.quantization_method = method
    assert checkpointed(prepare_model_for_kbit_training(model)) is on


@claim("Gradient_Checkpointing")
def test_checkpointing_can_be_left_out(load: Callable[..., torch.nn.Module]) -> None:
    assert not checkpointed(
        prepare_model_for_kbit_training(load(), use_gradient_checkpointing=False)
    )


# Kbit_Prep_Upcasts_Everything


@claim("Kbit_Prep_Upcasts_Everything")
def test_everything_but_the_4_bit_weights_is_cast(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = load()
    before = model.get_memory_footprint()
    prepare_model_for_kbit_training(model)
    assert dtypes(model) == {torch.uint8, torch.float32}
    assert (
        model.get_input_embeddings().weight.dtype
        == model.get_output_embeddings().weight.dtype
        == torch.float32
    )
    assert model.get_memory_footprint() > 1.4 * before


@claim("Kbit_Prep_Upcasts_Everything")
def test_model_that_is_not_quantized_doubles(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = load(16)
    before = model.get_memory_footprint()
    prepare_model_for_kbit_training(model)
    assert dtypes(model) == {torch.float32}
    assert model.get_memory_footprint() == pytest.approx(2 * before, rel=0.01)


@claim("Kbit_Prep_Upcasts_Everything")
@each(
    ("method", "dtype"),
    [
        *(
            (method, torch.bfloat16)
            for method in ("gptq", "aqlm", "eetq", "hqq", "torchao")
        ),
        *((method, torch.float32) for method in ("awq", "fp8")),
    ],
)
def test_method_of_quantization_decides_on_the_cast(
    method: str, dtype: torch.dtype
) -> None:
    model = LlamaForCausalLM(TINY).to(torch.bfloat16)
    model.quantization_method = method
    assert dtypes(prepare_model_for_kbit_training(model)) == {dtype}


@claim("Kbit_Prep_Upcasts_Everything")
def test_without_the_call_the_base_stays_small_and_frozen_and_the_adapter_learns(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = load()
    before = model.get_memory_footprint()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=NOT_REENTRANT)
    assert model.get_memory_footprint() == before
    model = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False)
    ).train()
    assert model.get_output_embeddings().weight.dtype == torch.bfloat16
    loss_of(model).backward()
    assert trainable(model)
    for name, parameter in trainable(model).items():
        assert "lora_" in name
        assert parameter.dtype == torch.float32
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0


@claim("Kbit_Prep_Upcasts_Everything")
def test_arithmetic_of_the_page() -> None:
    two_more_bytes = 2
    assert round(2 * 128_256 * 4_096 * two_more_bytes / 1e9, 1) == 2.1


# Kbit_Prep_Before_Wrapping


@claim("Kbit_Prep_Before_Wrapping")
def test_preparing_second_freezes_the_adapter_and_training_does_nothing(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = get_peft_model(load(), LoraConfig(task_type="CAUSAL_LM"))
    assert trainable(model)
    model = prepare_model_for_kbit_training(
        model, gradient_checkpointing_kwargs=NOT_REENTRANT
    ).train()
    assert not trainable(model)
    before = copy.deepcopy(get_peft_model_state_dict(model))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
    for _ in range(2):
        loss_of(model).backward()  # no error
        optimizer.step()
    after = get_peft_model_state_dict(model)
    assert all(torch.equal(before[name], after[name]) for name in before)
    with refused("optimizer got an empty parameter list"):
        torch.optim.AdamW(trainable(model).values())


@claim("Kbit_Prep_Before_Wrapping")
def test_preparing_first_leaves_the_adapter_trainable(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = prepare_model_for_kbit_training(
        load(), gradient_checkpointing_kwargs=NOT_REENTRANT
    )
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM")).train()
    batch = tokens()
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    losses = []
    for _ in range(5):
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@claim("Kbit_Prep_Before_Wrapping")
@each("cls", [PeftModel, PeftModelForCausalLM])
def test_the_class_itself_is_no_other_order(
    load: Callable[..., torch.nn.Module], cls: type[PeftModel]
) -> None:
    assert not trainable(
        prepare_model_for_kbit_training(cls(load(), LoraConfig(task_type="CAUSAL_LM")))
    )
    assert trainable(
        cls(prepare_model_for_kbit_training(load()), LoraConfig(task_type="CAUSAL_LM"))
    )


@claim("Kbit_Prep_Before_Wrapping")
def test_either_order_takes_the_same_memory(
    load: Callable[..., torch.nn.Module],
) -> None:
    first = get_peft_model(
        prepare_model_for_kbit_training(load()), LoraConfig(task_type="CAUSAL_LM")
    )
    second = prepare_model_for_kbit_training(
        get_peft_model(load(), LoraConfig(task_type="CAUSAL_LM"))
    )
    assert first.get_memory_footprint() == second.get_memory_footprint()
    assert len(trainable(first)) > len(trainable(second)) == 0


@claim("Kbit_Prep_Before_Wrapping")
def test_set_adapter_makes_the_frozen_adapter_trainable_again(
    load: Callable[..., torch.nn.Module],
) -> None:
    model = get_peft_model(
        load(), LoraConfig(task_type="CAUSAL_LM", modules_to_save=["lm_head"])
    )
    expected = set(trainable(model))
    prepare_model_for_kbit_training(model)
    assert not trainable(model)
    model.set_adapter("default")
    assert set(trainable(model)) == expected


# FP16_Trainable_Weights_AMP


def fp16_model(config: PeftConfig, **options: bool) -> PeftModel:
    base = torch.nn.Sequential(
        torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)
    ).half()
    return get_peft_model(base, config, **options)


def amp_step(model: torch.nn.Module, dtype: torch.dtype = torch.float16) -> None:
    """Make one step of training as torch's documentation of mixed precision has it, on the CPU."""
    optimizer = torch.optim.SGD(trainable(model).values(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, enabled=dtype == torch.float16)
    with torch.autocast("cpu", dtype=dtype):
        loss = cross_entropy(
            model(torch.randn(4, 8)).float(), torch.tensor([0, 1, 0, 1])
        )
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()


FP16_CASES = {
    "modules_to_save": (LoraConfig(target_modules=["0"], modules_to_save=["2"]), {}),
    "bias all": (LoraConfig(target_modules=["0"], bias="all"), {}),
    "bias lora_only": (LoraConfig(target_modules=["0"], bias="lora_only"), {}),
    "no autocast": (
        LoraConfig(target_modules=["0"]),
        {"autocast_adapter_dtype": False},
    ),
    "norms": (LNTuningConfig(target_modules=["0"]), {}),
}


@claim("FP16_Trainable_Weights_AMP")
@each("case", FP16_CASES)
def test_scaler_refuses_what_is_trained_in_fp16_and_the_cast_cures_it(
    case: str,
) -> None:
    config, options = FP16_CASES[case]
    model = fp16_model(copy.deepcopy(config), **options)
    assert torch.float16 in {parameter.dtype for parameter in trainable(model).values()}
    with refused(r"Attempting to unscale FP16 gradients\."):
        amp_step(model)
    model = fp16_model(copy.deepcopy(config), **options)
    cast_mixed_precision_params(model, torch.float16)
    assert {parameter.dtype for parameter in trainable(model).values()} == {
        torch.float32
    }
    frozen = {
        parameter.dtype
        for parameter in model.parameters()
        if not parameter.requires_grad
    }
    assert frozen == {torch.float16}
    amp_step(model)


@claim("FP16_Trainable_Weights_AMP")
@each("cast", [False, True])
def test_the_classifier_of_xlora_is_refused_until_it_is_cast(
    base: Path, tmp_path: Path, *, cast: bool
) -> None:
    def load_fp16() -> torch.nn.Module:
        return AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.float16, use_cache=False
        )

    get_peft_model(load_fp16(), LoraConfig(task_type="CAUSAL_LM")).save_pretrained(
        tmp_path
    )
    config = XLoraConfig(
        task_type="CAUSAL_LM",
        hidden_size=64,
        adapters={"0": str(tmp_path)},
        xlora_depth=1,
    )
    model = get_peft_model(load_fp16(), config).train()
    assert all("internal_xlora_classifier" in name for name in trainable(model))
    if cast:
        cast_mixed_precision_params(model, torch.float16)
    optimizer = torch.optim.SGD(trainable(model).values(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    with torch.autocast("cpu", dtype=torch.float16):
        loss = loss_of(model)
    scaler.scale(loss).backward()
    error = refused(r"Attempting to unscale FP16 gradients\.")
    with contextlib.nullcontext() if cast else error:
        scaler.step(optimizer)


@claim("FP16_Trainable_Weights_AMP")
def test_adapter_alone_is_in_fp32_already() -> None:
    amp_step(fp16_model(LoraConfig(target_modules=["0"])))


@claim("FP16_Trainable_Weights_AMP")
def test_bf16_raises_nothing_and_trains_in_bf16() -> None:
    model = fp16_model(
        LoraConfig(target_modules=["0"], modules_to_save=["2"])
    ).bfloat16()
    amp_step(model, torch.bfloat16)
    assert model.base_model.model[2].weight.dtype == torch.bfloat16


@claim("FP16_Trainable_Weights_AMP")
def test_cast_after_the_error_comes_too_late_for_gradients_that_are_there() -> None:
    model = fp16_model(LoraConfig(target_modules=["0"], modules_to_save=["2"]))
    for _ in range(2):
        with refused("Attempting to unscale FP16 gradients"):
            amp_step(model)
        cast_mixed_precision_params(model, torch.float16)
    model.zero_grad()
    amp_step(model)


@claim("FP16_Trainable_Weights_AMP")
def test_cast_takes_a_frozen_adapter_down_with_it(tmp_path: Path) -> None:
    model = fp16_model(LoraConfig(target_modules=["0"]))
    model.save_pretrained(tmp_path)
    base = model.unload()
    frozen = loaded(tmp_path, copy.deepcopy(base))
    cast_mixed_precision_params(frozen, torch.float16)
    assert dtypes(frozen) == {torch.float16}
    resumed = loaded(tmp_path, base, is_trainable=True)
    cast_mixed_precision_params(resumed, torch.float16)
    assert {parameter.dtype for parameter in trainable(resumed).values()} == {
        torch.float32
    }


@claim("FP16_Trainable_Weights_AMP")
def test_cast_breaks_4_bit_layers(load: Callable[..., torch.nn.Module]) -> None:
    model = get_peft_model(load(), LoraConfig(task_type="CAUSAL_LM")).train()
    loss_of(model)
    cast_mixed_precision_params(model, torch.bfloat16)
    with pytest.raises(RuntimeError):
        loss_of(model)


@claim("FP16_Trainable_Weights_AMP")
def test_after_the_cast_a_forward_pass_wants_autocast() -> None:
    model = fp16_model(LoraConfig(target_modules=["0"], modules_to_save=["2"]))
    cast_mixed_precision_params(model, torch.float16)
    rows = torch.randn(4, 8).half()
    with refused("same dtype", RuntimeError):
        model(rows)
    with torch.autocast("cpu", dtype=torch.float16):
        model(rows)


# Task_Head_In_Modules_To_Save


def of_the_head(model: PeftModel, head: str = "head") -> tuple[list[str], list[str]]:
    """Return the names, of the head, that are trained and those that are saved."""
    return (
        [name for name in trainable(model) if head in name],
        [n for n in get_peft_model_state_dict(model) if head in n],
    )


@claim("Task_Head_In_Modules_To_Save")
@each("options", [{}, {"task_type": "SEQ_CLS"}, {"modules_to_save": ["haed"]}])
def test_head_that_is_not_covered_is_neither_trained_nor_saved(
    options: dict[str, Any],
) -> None:
    models = []
    found = messages(
        lambda: models.append(
            get_peft_model(Block(), LoraConfig(target_modules=["q_proj"], **options))
        )
    )
    assert found == []
    assert of_the_head(models[0]) == ([], [])


@claim("Task_Head_In_Modules_To_Save")
@each(("modules_to_save", "right"), [(None, False), (["head"], True)])
def test_reloaded_adapter_answers_as_in_training_only_with_its_head(
    tmp_path: Path, modules_to_save: list[str] | None, *, right: bool
) -> None:
    base = Block()
    another = copy.deepcopy(base)
    another.head = torch.nn.Linear(8, 3)  # as a new start of the program draws it
    config = LoraConfig(target_modules=["q_proj"], modules_to_save=modules_to_save)
    model = get_peft_model(base, config)
    rows = torch.randn(4, 8)
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=0.1)
    for _ in range(3):
        cross_entropy(model(rows), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(tmp_path)
    again = []
    found = messages(lambda: again.append(loaded(tmp_path, another)))
    assert found == []
    with torch.no_grad():
        assert same(again[0](rows), model.eval()(rows), 1e-6) is right


@claim("Task_Head_In_Modules_To_Save")
@each(
    ("cls", "task_type", "head", "names"),
    [
        (LlamaForSequenceClassification, "SEQ_CLS", "score", ["classifier", "score"]),
        (LlamaForTokenClassification, "TOKEN_CLS", "score", ["classifier", "score"]),
        (LlamaForQuestionAnswering, "QUESTION_ANS", "qa_outputs", ["qa_outputs"]),
    ],
)
def test_task_type_covers_the_usual_heads(
    cls: Callable[[LlamaConfig], torch.nn.Module],
    task_type: str,
    head: str,
    names: list[str],
) -> None:
    assert of_the_head(get_peft_model(cls(TINY), LoraConfig()), head) == ([], [])
    config = LoraConfig(task_type=task_type)
    trained, saved = of_the_head(get_peft_model(cls(TINY), config), head)
    assert trained
    assert len(saved) == len(trained)
    assert config.modules_to_save == names


@claim("Task_Head_In_Modules_To_Save")
def test_all_linear_adapts_the_head_and_does_not_save_it() -> None:
    trained, saved = of_the_head(
        get_peft_model(Block(), LoraConfig(target_modules="all-linear"))
    )
    assert trained
    assert all("lora_" in name for name in trained + saved)


@claim("Task_Head_In_Modules_To_Save")
def test_names_of_modules_to_save_are_matched_at_their_end() -> None:
    model = get_peft_model(LlamaForCausalLM(TINY), LoraConfig(modules_to_save=["head"]))
    assert of_the_head(model, "lm_head")[0] == [
        "base_model.model.lm_head.modules_to_save.default.weight"
    ]


# Target_Module_Typos


@claim("Target_Module_Typos")
def test_misspelled_name_beside_one_that_fits_is_skipped_in_silence() -> None:
    models = []
    config = LoraConfig(target_modules=["q_proj", "v_porj"])
    assert messages(lambda: models.append(get_peft_model(Block(), config))) == []
    # what the page tells to look at
    assert models[0].targeted_module_names == ["q_proj"]
    assert [status.name for status in get_layer_status(models[0])] == ["model.q_proj"]
    both = get_peft_model(Block(), LoraConfig(target_modules=["q_proj", "v_proj"]))
    assert (
        models[0].get_nb_trainable_parameters()[0] * 2
        == both.get_nb_trainable_parameters()[0]
    )


@claim("Target_Module_Typos")
def test_an_injected_adapter_has_only_its_layers_status() -> None:
    model = inject_adapter_in_model(
        LoraConfig(target_modules=["q_proj", "v_porj"]), Block()
    )
    assert not hasattr(model, "targeted_module_names")
    assert [status.name for status in get_layer_status(model)] == ["q_proj"]


@claim("Target_Module_Typos")
def test_check_passes_a_name_that_only_some_blocks_have() -> None:
    base = torch.nn.Sequential(Block(), Block())
    del base[1].v_proj
    base[1].value = torch.nn.Linear(8, 8)
    found = get_peft_model(
        base, LoraConfig(target_modules=["q_proj", "v_proj"])
    ).targeted_module_names
    assert found == ["0.q_proj", "0.v_proj", "1.q_proj"]


@claim("Target_Module_Typos")
@each("target", [["k_proj"], ["proj"], "proj"])
def test_names_none_of_which_fits_are_an_error(target: list[str] | str) -> None:
    with refused(
        r"not found in the base model\. Please check", NoMatchingPeftModuleError
    ):
        get_peft_model(Block(), LoraConfig(target_modules=target))


@claim("Target_Module_Typos")
def test_string_is_a_regular_expression_for_the_whole_name() -> None:
    with pytest.raises(NoMatchingPeftModuleError):
        get_peft_model(LlamaForCausalLM(TINY), LoraConfig(target_modules="q_proj"))
    listed = get_peft_model(
        LlamaForCausalLM(TINY), LoraConfig(target_modules=["q_proj"])
    )
    matched = get_peft_model(
        LlamaForCausalLM(TINY), LoraConfig(target_modules=r".*\.q_proj")
    )
    assert len(listed.targeted_module_names) == TINY.num_hidden_layers
    assert listed.targeted_module_names == matched.targeted_module_names


@claim("Target_Module_Typos")
def test_missing_layers_are_skipped_beside_one_that_is_there() -> None:
    config = LoraConfig(target_modules=["q_proj"], layers_to_transform=[1, 7])
    assert (
        len(get_peft_model(LlamaForCausalLM(TINY), config).targeted_module_names) == 1
    )


@claim("Target_Module_Typos")
@each(
    ("options", "found"),
    [
        ({"exclude_modules": ["k_proj"]}, "no modules were excluded"),
        ({"rank_pattern": {"k_proj": 4}}, "rank_pattern keys did not match"),
        ({"alpha_pattern": {"k_proj": 4}}, "alpha_pattern keys did not match"),
    ],
)
def test_other_patterns_that_fit_nothing_are_warned_of(
    options: dict[str, Any], found: str
) -> None:
    with pytest.warns(
        UserWarning if "exclude_modules" in options else RuntimeWarning, match=found
    ):
        get_peft_model(Block(), LoraConfig(target_modules=["q_proj"], **options))


# Alpha_Over_R_Scaling


def wide(**options: int | dict[str, int]) -> PeftModel:
    torch.manual_seed(0)
    return get_peft_model(
        torch.nn.Sequential(torch.nn.Linear(128, 128)),
        LoraConfig(target_modules=["0"], **options),
    )


def scale(**options: int | dict[str, int]) -> float:
    return wide(**options).base_model.model[0].scaling["default"]


@claim("Alpha_Over_R_Scaling")
@each("r", [4, 8, 16, 64, 128])
def test_scale_shrinks_with_r_unless_alpha_follows(r: int) -> None:
    assert scale(r=r) == 8 / r
    assert scale(r=r, lora_alpha=r) == 1.0
    assert scale(r=r, use_rslora=True) == 8 / math.sqrt(r)


@claim("Alpha_Over_R_Scaling")
def test_outputs_of_one_adapter_shrink_with_the_scale() -> None:
    rows = torch.randn(4, 128)

    def change(**options: int) -> torch.Tensor:
        model = wide(**options)
        layer = model.base_model.model[0]
        # one and the same product B A, whatever the rank: the rest of A and B is zero
        for weight in (layer.lora_A["default"].weight, layer.lora_B["default"].weight):
            torch.nn.init.zeros_(weight)
        layer.lora_A["default"].weight.data[0] = 1.0
        layer.lora_B["default"].weight.data[:, 0] = 1.0
        with torch.no_grad(), model.disable_adapter():
            without = model(rows)
        with torch.no_grad():
            return model(rows) - without

    assert same(change(r=64) * 8, change(r=8), 1e-4)
    assert same(change(r=64, lora_alpha=64), change(r=8), 1e-4)


@claim("Alpha_Over_R_Scaling")
def test_rank_pattern_changes_the_scale_unless_alpha_pattern_follows() -> None:
    assert scale(r=32, lora_alpha=32, rank_pattern={"0": 4}) == 8.0
    assert (
        scale(r=32, lora_alpha=32, rank_pattern={"0": 4}, alpha_pattern={"0": 4}) == 1.0
    )


def moved(**options: Any) -> float:  # noqa: ANN401 -- a configuration's
    """Return how far the outputs move in 20 steps with one learning rate."""
    model = wide(**options)
    rows, target = torch.randn(64, 128), torch.randn(64, 128)
    before = model(rows).detach()
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-3)
    for _step in range(20):
        mse_loss(model(rows), target).backward()
        optimizer.step()
        optimizer.zero_grad()
    return (model(rows) - before).norm().item()


@claim("Alpha_Over_R_Scaling")
def test_no_scale_is_right_for_every_rank() -> None:
    ranks = (4, 16, 64)
    fixed = [moved(r=r, lora_alpha=16) for r in ranks]
    twice = [moved(r=r, lora_alpha=2 * r) for r in ranks]
    rooted = [moved(r=r, lora_alpha=16, use_rslora=True) for r in ranks]
    assert fixed == sorted(fixed, reverse=True)
    assert twice == sorted(twice)
    assert rooted == sorted(rooted)


@claim("Alpha_Over_R_Scaling")
def test_scale_comes_from_the_configuration_and_not_from_the_weights(
    tmp_path: Path,
) -> None:
    wide(r=8, lora_alpha=16).save_pretrained(tmp_path)
    config = tmp_path / "adapter_config.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace(
            '"lora_alpha": 16', '"lora_alpha": 32'
        ),
        encoding="utf-8",
    )
    again = loaded(tmp_path, torch.nn.Sequential(torch.nn.Linear(128, 128)))
    assert again.base_model.model[0].scaling["default"] == 4.0


# AdaLoRA_Update_And_Allocate

STEPS = 12


def adalora(total_step: int = STEPS) -> PeftModel:
    torch.manual_seed(0)
    base = torch.nn.Sequential(
        torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16)
    )
    config = AdaLoraConfig(
        target_modules=["0", "2"],
        init_r=6,
        target_r=2,
        tinit=2,
        tfinal=3,
        total_step=total_step,
    )
    return get_peft_model(base, config)


def train_adalora(
    model: PeftModel,
    *,
    until: int = STEPS,
    early_zero_grad: dict[str, bool] | None = None,
) -> None:
    """Train STEPS steps, and allocate in those before *until*, after an early `zero_grad` if there is one."""
    rows, target = torch.randn(32, 16), torch.randn(32, 16)
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    for step in range(STEPS):
        mse_loss(model(rows), target).backward()
        optimizer.step()
        if early_zero_grad is not None:
            optimizer.zero_grad(**early_zero_grad)
        if step < until:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()


def ranks(model: PeftModel) -> list[int]:
    """Return how many ranks are alive in each layer."""
    return [
        int((e != 0).sum()) for name, e in model.named_parameters() if "lora_E" in name
    ]


def allocated(model: PeftModel) -> list[int] | None:
    """Return how many ranks the configuration says that each layer keeps."""
    pattern = model.peft_config["default"].rank_pattern
    return None if pattern is None else [sum(kept) for kept in pattern.values()]


@claim("AdaLoRA_Update_And_Allocate")
def test_loop_without_the_call_prunes_nothing() -> None:
    model = adalora()
    train_adalora(model, until=0)
    assert ranks(model) == [6, 6]
    assert allocated(model) is None


@claim("AdaLoRA_Update_And_Allocate")
def test_loop_with_the_call_comes_down_to_target_r() -> None:
    model = adalora()
    train_adalora(model)
    assert sum(ranks(model)) == 2 * 2
    assert ranks(model) == allocated(model)


@claim("AdaLoRA_Update_And_Allocate")
def test_after_zero_grad_there_is_nothing_to_go_by() -> None:
    with pytest.raises(TypeError):
        train_adalora(adalora(), early_zero_grad={})
    model = adalora()
    train_adalora(model, early_zero_grad={"set_to_none": False})
    assert allocated(model) == [0, 0]


@claim("AdaLoRA_Update_And_Allocate")
@each("total_step", [2 * STEPS, 100 * STEPS])
def test_total_step_that_is_never_reached_leaves_ranks_over(total_step: int) -> None:
    model = adalora(total_step)
    train_adalora(model)
    assert sum(ranks(model)) > 2 * 2


@claim("AdaLoRA_Update_And_Allocate")
def test_without_the_last_calls_pruned_values_come_back() -> None:
    model = adalora()
    train_adalora(model, until=STEPS - 2)
    assert sum(allocated(model) or []) == 2 * 2
    assert ranks(model) == [6, 6]
    saved = [
        len(e)
        for name, e in get_peft_model_state_dict(model).items()
        if "lora_E" in name
    ]
    assert saved == allocated(model)


@claim("AdaLoRA_Update_And_Allocate")
def test_configuration_refuses_no_total_step_and_ignores_r() -> None:
    for options in ({}, {"total_step": 0}):
        with refused(
            "AdaLoRA does not work when `total_step` is None, supply a value > 0"
        ):
            AdaLoraConfig(**options)
    with pytest.warns(UserWarning, match="`r` is not used in AdaLora"):
        config = AdaLoraConfig(total_step=STEPS, r=4)
    assert config.init_r == 12


@claim("AdaLoRA_Update_And_Allocate")
@pytest.mark.filterwarnings("ignore:.*have invalid shape")
def test_importance_takes_three_times_the_adapter_until_the_last_steps() -> None:
    model = adalora()
    size = sum(parameter.numel() for parameter in trainable(model).values())
    allocator = model.base_model.rankallocator
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    times = []
    for step in range(STEPS):
        model(torch.randn(4, 16)).square().mean().backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
        held = (allocator.ipt, allocator.exp_avg_ipt, allocator.exp_avg_unc)
        times.append(
            sum(tensor.numel() for kept in held for tensor in kept.values()) / size
        )
    assert times == [3] * (STEPS - 3) + [0] * 3  # tfinal is 3
    # what is pruned stays in memory, and only there
    assert size == sum(parameter.numel() for parameter in trainable(model).values())
    assert (
        sum(tensor.numel() for tensor in get_peft_model_state_dict(model).values())
        < size
    )


@claim("AdaLoRA_Update_And_Allocate")
@claim("Zero3_Unsharded_Save")
def test_layer_that_was_pruned_altogether_is_taken_for_a_shard_and_loads(
    tmp_path: Path,
) -> None:
    model = adalora()
    base = copy.deepcopy(model.unload())
    model = get_peft_model(copy.deepcopy(base), model.peft_config["default"])
    rows = torch.randn(4, 16)
    with torch.no_grad():
        before = model(rows)
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    for step in range(STEPS):
        model(rows).square().mean().backward()
        for name, parameter in trainable(model).items():
            if ".0." in name:
                parameter.grad.zero_()  # no part of that layer matters
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    assert ranks(model) == [0, 4]
    with pytest.warns(
        UserWarning, match="shards were not gathered before save_pretrained"
    ):
        model.save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the test of rank_pattern is about
        again = loaded(tmp_path, base)
    with torch.no_grad():
        assert same(again(rows), model.eval()(rows), 1e-6)
        assert not same(again(rows), before, 1e-4)


class Allocate(TrainerCallback):
    """The page's callback."""

    def on_optimizer_step(
        self, args: object, state: TrainerState, control: object, **kwargs: PeftModel
    ) -> None:
        kwargs["model"].base_model.update_and_allocate(state.global_step)


@claim("AdaLoRA_Update_And_Allocate")
@each("callbacks", [[], [Allocate]])
def test_trainer_prunes_only_with_the_callback(
    tmp_path: Path, callbacks: list[type[TrainerCallback]]
) -> None:
    config = AdaLoraConfig(task_type="CAUSAL_LM", init_r=6, target_r=2, total_step=6)
    model = get_peft_model(LlamaForCausalLM(TINY), config)
    row = tokens()[0]
    arguments = TrainingArguments(
        str(tmp_path),
        max_steps=6,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    data = [{"input_ids": row, "labels": row}] * 8
    Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        callbacks=[one() for one in callbacks],
    ).train()
    if callbacks:
        assert sum(allocated(model) or []) == 2 * 4
    else:
        assert allocated(model) is None


@claim("AdaLoRA_Update_And_Allocate")
def test_pruned_adapter_is_loaded_with_its_ranks_and_a_wrong_warning(
    tmp_path: Path,
) -> None:
    model = adalora()
    base = copy.deepcopy(model.unload())
    model = get_peft_model(copy.deepcopy(base), model.peft_config["default"])
    train_adalora(model)
    model.save_pretrained(tmp_path)
    again = []
    found = messages(lambda: again.append(loaded(tmp_path, base)))
    assert any(
        "rank_pattern keys did not match any targeted module and were ignored"
        in message
        for message in found
    )
    assert ranks(again[0]) == allocated(model)
    rows = torch.randn(4, 16)
    with torch.no_grad():
        assert same(again[0](rows), model.eval()(rows), 1e-6)


# Prefix_Tuning_No_Gradient_Checkpointing

WITH_CACHE = [PrefixTuningConfig, CartridgeConfig]
WITHOUT_CACHE = [PromptTuningConfig, PromptEncoderConfig]


def prompt(config: Callable[..., PeftConfig]) -> PeftConfig:
    return config(task_type="CAUSAL_LM", num_virtual_tokens=4)


def checkpointed_llama() -> LlamaForCausalLM:
    model = LlamaForCausalLM(TINY)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=NOT_REENTRANT)
    return model


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
@each("config", WITH_CACHE)
def test_wrapping_a_checkpointed_model_is_refused_until_it_is_switched_off(
    config: Callable[..., PeftConfig],
) -> None:
    model = checkpointed_llama()
    with refused(
        r"(PREFIX_TUNING|CARTRIDGE) does not work with gradient checkpointing\."
    ):
        get_peft_model(model, prompt(config))
    model.gradient_checkpointing_disable()
    model = get_peft_model(model, prompt(config)).train()
    loss_of(model).backward()
    assert all(parameter.grad is not None for parameter in trainable(model).values())


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
def test_adding_and_loading_are_refused_as_well(tmp_path: Path) -> None:
    model = get_peft_model(LlamaForCausalLM(TINY), prompt(PrefixTuningConfig))
    model.save_pretrained(tmp_path)
    with refused("does not work with gradient checkpointing"):
        loaded(tmp_path, checkpointed_llama())
    model.gradient_checkpointing_enable()
    with refused("does not work with gradient checkpointing"):
        model.add_adapter("other", prompt(PrefixTuningConfig))


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
@each("config", WITH_CACHE)
@each("reentrant", [True, False])
def test_switched_on_after_wrapping_the_training_step_fails(
    config: Callable[..., PeftConfig], *, reentrant: bool
) -> None:
    model = get_peft_model(LlamaForCausalLM(TINY), prompt(config)).train()
    model.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs={"use_reentrant": reentrant}
    )
    with refused("The size of tensor a", RuntimeError):
        loss_of(model)
    model.gradient_checkpointing_disable()
    loss_of(model).backward()


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
def test_preparing_a_quantized_model_switches_it_on_unless_told_not_to(
    load: Callable[..., torch.nn.Module],
) -> None:
    with refused("PREFIX_TUNING does not work with gradient checkpointing"):
        get_peft_model(
            prepare_model_for_kbit_training(load()), prompt(PrefixTuningConfig)
        )
    model = prepare_model_for_kbit_training(load(), use_gradient_checkpointing=False)
    model = get_peft_model(model, prompt(PrefixTuningConfig)).train()
    loss_of(model).backward()
    assert all(parameter.grad is not None for parameter in trainable(model).values())


def kept_for_backward(model: torch.nn.Module) -> float:
    """Return how many megabytes a forward pass keeps for the backward pass, the parameters left out."""
    kept: dict[int, int] = {}
    parameters = {parameter.data_ptr() for parameter in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    batch = torch.randint(0, TINY.vocab_size, (4, 32))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.train()(input_ids=batch, labels=batch)
    return sum(size for at, size in kept.items() if at not in parameters) / 1e6


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
def test_prefix_tuning_keeps_what_checkpointing_would_save() -> None:
    config = copy.deepcopy(TINY)
    config.num_hidden_layers = 8
    base = LlamaForCausalLM(config)
    prefix = kept_for_backward(
        get_peft_model(copy.deepcopy(base), prompt(PrefixTuningConfig))
    )
    plain = kept_for_backward(
        get_peft_model(copy.deepcopy(base), prompt(PromptTuningConfig))
    )
    base.gradient_checkpointing_enable(gradient_checkpointing_kwargs=NOT_REENTRANT)
    checkpointed = kept_for_backward(get_peft_model(base, prompt(PromptTuningConfig)))
    # the figures of the page; another torch or transformers may keep a little more or
    # less
    assert [prefix, plain, checkpointed] == pytest.approx([3.5, 3.7, 0.4], rel=0.2)


@claim("Prefix_Tuning_No_Gradient_Checkpointing")
@each("config", WITHOUT_CACHE)
def test_prompts_before_the_embeddings_work_with_checkpointing(
    config: Callable[..., PeftConfig],
) -> None:
    model = get_peft_model(checkpointed_llama(), prompt(config)).train()
    assert checkpointed(model)
    loss_of(model).backward()
    assert all(parameter.grad is not None for parameter in trainable(model).values())


# 4bit_Defensive_Clone


class Clones(TorchDispatchMode):
    """Counts the clones of a layer's result, or of its like, made after its base has given it."""

    def __init__(self, base_layer: torch.nn.Module) -> None:
        super().__init__()
        self.count = 0
        self.shape: torch.Size | None = None
        base_layer.register_forward_hook(self.base_is_done)

    def base_is_done(
        self, _module: object, _args: object, result: torch.Tensor
    ) -> None:
        self.shape = result.shape

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[torch.Tensor, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        if func is torch.ops.aten.clone.default and args[0].shape == self.shape:
            self.count += 1
        return func(*args, **(kwargs or {}))


def quantized_layer(bits: int, *, bias: bool = True) -> torch.nn.Module:
    linear = {
        4: lambda: bnb.nn.Linear4bit(64, 64, bias, compute_dtype=torch.float32),
        8: lambda: bnb.nn.Linear8bitLt(64, 64, bias, has_fp16_weights=False),
    }[bits]()
    base = torch.nn.Sequential(linear).to("cpu")
    # set by transformers where it loads a model
    setattr(base, f"is_loaded_in_{bits}bit", True)
    return base


CLONING: dict[str, Callable[[], PeftConfig]] = {
    "LoRA": lambda: LoraConfig(target_modules=["0"]),
    "AdaLoRA": lambda: AdaLoraConfig(target_modules=["0"], total_step=STEPS),
    "HiRA": lambda: HiraConfig(target_modules=["0"]),
    "PVeRA": lambda: PveraConfig(target_modules=["0"]),
    "RandLoRA": lambda: RandLoraConfig(target_modules=["0"]),
    "IA3": lambda: IA3Config(target_modules=["0"], feedforward_modules=[]),
    "VeRA": lambda: VeraConfig(target_modules=["0"]),
    "MiSS": lambda: MissConfig(target_modules=["0"], r=4),
}
NOT_CLONING: dict[str, Callable[[], PeftConfig]] = {
    "RoAd": lambda: RoadConfig(target_modules=["0"]),
    "OFT": lambda: OFTConfig(target_modules=["0"], r=0, oft_block_size=4),
}


def clones(config: PeftConfig, bits: int, **call: object) -> int:
    model = get_peft_model(quantized_layer(bits), config).train(not call)
    with Clones(model.base_model.model[0].base_layer) as spy:
        model(torch.randn(3, 64), **call)
    return spy.count


@claim("4bit_Defensive_Clone")
@each("name", CLONING)
def test_methods_that_clone_in_4_bit_and_not_in_8_bit(name: str) -> None:
    assert clones(CLONING[name](), 4) == 1
    assert clones(CLONING[name](), 8) == 0


@claim("4bit_Defensive_Clone")
@each("name", NOT_CLONING)
@each("bits", [4, 8])
def test_methods_that_never_clone(name: str, bits: int) -> None:
    assert clones(NOT_CLONING[name](), bits) == 0


@claim("4bit_Defensive_Clone")
def test_mixed_batches_do_not_clone() -> None:
    assert (
        clones(LoraConfig(target_modules=["0"]), 4, adapter_names=["default"] * 3) == 0
    )


class Shift(torch.nn.Module, BaseTunerLayer):
    """A layer of a tuner of one's own, which adds to what the base layer returns."""

    adapter_layer_names = ("shift_by",)

    def __init__(self, base_layer: torch.nn.Module, *, cloned: bool) -> None:
        super().__init__()
        self.base_layer, self.cloned = base_layer, cloned
        self.shift_by = torch.nn.ParameterDict(
            {"default": torch.nn.Parameter(torch.zeros(64))}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
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
        target: torch.nn.Module,
        name: str,
        parent: torch.nn.Module,
        current_key: str,
        **_options: object,
    ) -> None:
        self._replace_module(parent, name, Shift(target, cloned=self.cloned), target)


@claim("4bit_Defensive_Clone")
@each("cloned", [True, False])
def test_for_a_tuner_of_ones_own_nothing_is_cloned(
    monkeypatch: pytest.MonkeyPatch, *, cloned: bool
) -> None:
    monkeypatch.setattr(ShiftTuner, "cloned", cloned)
    tuner = ShiftTuner(
        quantized_layer(4), LoraConfig(target_modules=["0"]), "default"
    ).train()
    with Clones(tuner.model[0].base_layer) as spy:
        tuner(torch.randn(3, 64))
    assert spy.count == cloned


@claim("4bit_Defensive_Clone")
def test_rows_come_back_as_no_view_and_the_clone_can_be_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = torch.randn(3, 64, requires_grad=True)
    model = get_peft_model(
        quantized_layer(4), LoraConfig(target_modules=["0"], init_lora_weights=False)
    ).train()
    assert not model.base_model.model[0].base_layer(rows)._is_view()  # noqa: SLF001 -- torch has no other way to ask

    def gradients() -> list[torch.Tensor]:
        model.zero_grad()
        model(rows).square().sum().backward()
        return [parameter.grad.detach() + 0 for parameter in trainable(model).values()]

    with_clone = gradients()
    monkeypatch.setattr(torch.Tensor, "clone", lambda self: self)
    assert all(map(torch.allclose, gradients(), with_clone))


def states(*, flat: bool = False) -> torch.Tensor:
    return torch.randn(*((6, 64) if flat else (2, 3, 64)), requires_grad=True)


@claim("4bit_Defensive_Clone")
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
    shift = torch.nn.Parameter(torch.ones(64))
    layer = quantized_layer(bits, bias=bias)[0].train(training)
    result = layer(states())
    if who is None:
        result += shift
    else:
        with refused(f"Output 0 of {who} is a view and is", RuntimeError):
            result += shift
    for writable in (layer(states()).clone(), layer(states(flat=True))):
        writable.add_(shift)
        writable.sum().backward()
    (layer(states()) + shift).sum().backward()  # not in place


@claim("4bit_Defensive_Clone")
@pytest.mark.filterwarnings("ignore")
@each(
    "config",
    [
        C3AConfig(target_modules=["0"], block_size=16),
        GraloraConfig(target_modules=["0"]),
    ],
)
def test_two_methods_add_in_place_to_what_a_quantized_base_returns(
    config: PeftConfig,
) -> None:
    fails = refused("being modified inplace", RuntimeError)
    for bits, bias, training in (
        *((4, True, True), (4, True, False)),
        *((8, True, True), (8, True, False), (8, False, False)),
    ):
        model = get_peft_model(quantized_layer(bits, bias=bias), config)
        with fails:
            model.train(training)(states())
        with fails if bits == 8 else nullcontext():
            model(states().detach()).sum().backward()
    for bits in (4, 8):
        model = get_peft_model(quantized_layer(bits, bias=False), config)
        model.train()(states()).sum().backward()


@claim("4bit_Defensive_Clone")
@each("cloned", [True, False])
def test_addition_in_place_leaves_the_result_alone_only_in_a_clone(
    *, cloned: bool
) -> None:
    base_layer = quantized_layer(4)[0]
    kept: list[torch.Tensor] = []
    base_layer.register_forward_hook(lambda _module, _args, result: kept.append(result))
    shift = torch.nn.Parameter(torch.ones(64))
    result = base_layer(torch.randn(3, 64))
    shifted = result.clone() if cloned else result
    shifted += shift
    shifted.sum().backward()
    assert shift.grad is not None
    assert shift.grad.tolist() == [3.0] * 64
    assert same(kept[0], shifted) is not cloned
