"""What stops a training, or makes its numbers wrong: the error or the number, then its cure."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bitsandbytes as bnb
import pytest
import torch
from peft import (
    NoMatchingPeftModuleError,
    PeftModel,
    cast_mixed_precision_params,
    get_peft_model,
    import_utils,
    prepare_model_for_kbit_training,
)
from peft.utils.integrations import dequantize_module_weight
from peft.utils.other import fsdp_auto_wrap_policy
from torch import Tensor, nn
from torch._dynamo.exc import Unsupported
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy
from torch.nn.functional import cross_entropy
from torch.nn.functional import linear as multiply
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
)
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from claims.models import (
    CAUSAL,
    PROMPT,
    ROWS,
    TEXT,
    Loader,
    Options,
    adam,
    adapted,
    all_learn,
    claim,
    config,
    each,
    llama,
    lora,
    loss_of,
    refused,
    run,
    same,
    silent,
    steps,
    trainable,
    trainer,
    xlora,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transformers import EvalPrediction

# -- Loss_Zero_Is_NaN --

loss_zero_is_nan = claim("Loss_Zero_Is_NaN")


def logged(model: nn.Module, folder: Path, **options: object) -> list[dict[str, float]]:
    """Train for two steps and return what was logged of each."""
    ours = trainer(model, folder, max_steps=2, logging_steps=1, **options)
    ours.train()
    return ours.state.log_history[:2]


def overflowing() -> nn.Module:
    """Return a base whose activations are too large for fp16."""
    base = llama()
    with torch.no_grad():
        base.model.layers[0].mlp.down_proj.weight.mul_(1e7)
    return base


@loss_zero_is_nan
def test_trainer_logs_nan_as_zero_until_its_filter_is_off(tmp_path: Path) -> None:
    zero, *_ = logged(adapted(lora("q_proj"), overflowing().half()), tmp_path)
    assert zero["loss"] == 0
    assert torch.tensor(zero["grad_norm"]).isnan()
    nan, *_ = logged(
        adapted(lora("q_proj"), overflowing().half()),
        tmp_path,
        logging_nan_inf_filter=False,
    )
    assert torch.tensor(nan["loss"]).isnan()
    bf16 = adapted(lora("q_proj"), overflowing().bfloat16())
    assert all(step["loss"] > 0 for step in logged(bf16, tmp_path))


@loss_zero_is_nan
@each("dtype", [torch.float16, torch.bfloat16])
def test_copies_in_fp16_are_nan_after_the_first_step_of_adam(
    dtype: torch.dtype,
) -> None:
    base = llama().to(dtype)
    model = adapted(lora("q_proj", modules_to_save=["lm_head"]), base)
    first, second, *_ = steps(model, adam(model, 1e-4))
    assert first > 0
    assert torch.tensor(second).isnan() == (dtype == torch.float16)


@loss_zero_is_nan
def test_the_same_in_fp32_learns() -> None:
    model = adapted(lora("q_proj", modules_to_save=["lm_head"]), llama().half())
    cast_mixed_precision_params(model, torch.float16)
    optimizer, scaler = adam(model, 1e-3), torch.amp.GradScaler("cpu")
    losses = []
    for _ in range(5):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = loss_of(model)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@loss_zero_is_nan
def test_an_adapter_alone_learns_in_fp16() -> None:
    model = adapted(lora("q_proj"), llama().half())
    losses = steps(model, adam(model, 1e-3))
    assert losses[-1] < losses[0]


@loss_zero_is_nan
def test_rows_without_labels_are_nan_in_any_dtype() -> None:
    labels = torch.full_like(PROMPT, -100)
    model = adapted(lora("q_proj"), llama())
    assert model(input_ids=PROMPT, labels=labels).loss.isnan()
    labels[0, 3] = 5
    assert model(input_ids=PROMPT, labels=labels).loss.isfinite()


# -- AdaLoRA_Budget_Must_Shrink --

adalora_budget_must_shrink = claim("AdaLoRA_Budget_Must_Shrink")


def allocate(**options: int) -> None:
    """Train AdaLoRA for ten steps."""
    schedule = {"tinit": 2, "tfinal": 3, "total_step": 10} | options
    model = adapted(config("AdaLora", "0", "2", **schedule))
    optimizer = adam(model)
    for step in range(10):
        loss_of(model).backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()


@adalora_budget_must_shrink
@each(
    ("first", "last", "fails"),
    [(8, 8, True), (4, 8, True), (12, 8, False), (2, 1, False)],
)
def test_only_more_ranks_than_are_kept_can_be_pruned(
    first: int, last: int, *, fails: bool
) -> None:
    message = r"kthvalue\(\): selected number k out of range"
    with refused(message, RuntimeError) if fails else nullcontext():
        allocate(init_r=first, target_r=last)


@adalora_budget_must_shrink
@each(("first", "last"), [(5, 5), (8, 3), (0, 10)])
def test_a_schedule_needs_steps_for_pruning(first: int, last: int) -> None:
    with refused("don't allow for a budgeting phase"):
        config("AdaLora", tinit=first, tfinal=last, total_step=10)


@adalora_budget_must_shrink
def test_a_trainer_rounds_the_steps_of_an_epoch_up(tmp_path: Path) -> None:
    training = trainer(
        adapted(lora("q_proj", **CAUSAL), llama()),
        tmp_path,
        num_train_epochs=3,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        save_strategy="no",
    )
    training.train_dataset = 5 * training.train_dataset  # ten rows
    training.train()
    assert training.state.global_step == 3 * -(-10 // (4 * 2))


# -- FSDP_One_Dtype_Per_Unit --

fsdp_one_dtype_per_unit = claim("FSDP_One_Dtype_Per_Unit")
BY_BLOCK = partial(
    transformer_auto_wrap_policy, transformer_layer_cls={LlamaDecoderLayer}
)
DTYPES = (
    "Must flatten tensors with uniform dtype but got torch.bfloat16 and torch.float32"
)
GRADIENTS = "Must flatten tensors with uniform `requires_grad`"


@fsdp_one_dtype_per_unit
@pytest.mark.usefixtures("one_process")
@each("original", [False, True])
@each(
    ("policy", "in_fp32", "messages"),
    [
        ("peft", True, [None, None]),
        ("blocks", True, [DTYPES, DTYPES]),
        ("none", True, [DTYPES, DTYPES]),
        ("blocks", False, [GRADIENTS, None]),
        ("none", False, [GRADIENTS, None]),
    ],
)
def test_a_unit_has_one_dtype_and_with_original_parameters_both_kinds(
    policy: str, messages: list[str | None], *, in_fp32: bool, original: bool
) -> None:
    base = llama().bfloat16()
    model = adapted(lora("q_proj"), base, autocast_adapter_dtype=in_fp32).train()
    policies = {"peft": fsdp_auto_wrap_policy(model), "blocks": BY_BLOCK, "none": None}
    expected = loss_of(model)
    with refused(messages[original]) if messages[original] else nullcontext():
        model = FullyShardedDataParallel(
            model,
            auto_wrap_policy=policies[policy],
            use_orig_params=original,
            device_id=torch.device("cpu"),
        )
    if not messages[original]:
        assert same(loss_of(model), expected)
        assert all_learn(model)


@fsdp_one_dtype_per_unit
@pytest.mark.usefixtures("one_process")
@each("policy", ["peft", "blocks"])
def test_what_accelerate_would_cast_up_is_the_base_too_by_blocks(policy: str) -> None:
    """It casts the units with a trainable weight: see `Accelerator.prepare_model`."""
    base = llama().bfloat16()
    model = adapted(lora("q_proj"), base, autocast_adapter_dtype=False)
    trained = sum(it.numel() for it in model.parameters() if it.requires_grad)
    policies = {"peft": fsdp_auto_wrap_policy(model), "blocks": BY_BLOCK}
    model = FullyShardedDataParallel(
        model,
        auto_wrap_policy=policies[policy],
        use_orig_params=True,
        device_id=torch.device("cpu"),
    )
    cast = 0
    for unit in FullyShardedDataParallel.fsdp_modules(model):
        flat = unit._flat_param  # noqa: SLF001 - as Accelerate reads it
        cast += flat.numel() if flat is not None and flat.requires_grad else 0
    assert cast == trained if policy == "peft" else cast > 5 * trained


@claim("FSDP_Quant_Storage")
@fsdp_one_dtype_per_unit
def test_trainer_sets_the_policy_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = SimpleNamespace(auto_wrap_policy=BY_BLOCK)
    model = adapted(lora("q_proj", **CAUSAL), llama())
    training = trainer(model, tmp_path, max_steps=1, save_strategy="no")
    monkeypatch.setattr(training, "is_fsdp_enabled", True)
    state = training.accelerator.state
    monkeypatch.setattr(state, "fsdp_plugin", plugin, raising=False)
    training.train()
    assert plugin.auto_wrap_policy is not BY_BLOCK


@fsdp_one_dtype_per_unit
@pytest.mark.usefixtures("one_process")
@each("cast", [False, True])
def test_a_soft_prompt_is_cast_to_the_dtype_of_the_base(*, cast: bool) -> None:
    model = adapted(config("PromptTuning", **CAUSAL), llama().bfloat16()).train()
    if cast:
        model.to(torch.bfloat16)
    with nullcontext() if cast else refused(DTYPES):
        model = FullyShardedDataParallel(
            model,
            auto_wrap_policy=BY_BLOCK,
            use_orig_params=True,
            device_id=torch.device("cpu"),
        )
        assert all_learn(model)


@fsdp_one_dtype_per_unit
@pytest.mark.usefixtures("one_process")
def test_fsdp_2_takes_both_dtypes() -> None:
    model = adapted(lora("q_proj"), llama().bfloat16()).train()
    for block in model.base_model.model.model.layers:
        fully_shard(block)
    fully_shard(model)
    assert all_learn(model)


# -- Packed_Weights_In_Own_Code --

packed_weights_in_own_code = claim("Packed_Weights_In_Own_Code")
SHAPES = r"mat1 and mat2 shapes cannot be multiplied \(4x64 and 1x2048\)"


@packed_weights_in_own_code
def test_the_weight_in_4_bit_is_a_column_of_bytes(quantized: Loader) -> None:
    layer = quantized().train().model.layers[0].self_attn.q_proj
    rows = torch.ones(4, 64)
    assert layer.weight.shape == (64 * 64 // 2, 1)
    with refused(SHAPES, RuntimeError):
        multiply(rows, layer.weight)
    unpacked = dequantize_module_weight(layer)
    assert unpacked.shape == (64, 64)
    assert same(multiply(rows, unpacked), layer(rows), atol=1e-2)


@packed_weights_in_own_code
def test_of_an_adapted_layer_the_base_layer_is_unpacked(quantized: Loader) -> None:
    model = adapted(lora("q_proj", **CAUSAL), quantized().train())
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    with pytest.raises(KeyError):
        dequantize_module_weight(layer)
    assert dequantize_module_weight(layer.get_base_layer()).shape == (64, 64)


@packed_weights_in_own_code
def test_a_layer_can_be_left_out_and_the_count_is_that_of_the_base(
    quantized: Loader,
) -> None:
    partly = quantized(llm_int8_skip_modules=["q_proj", "lm_head"])
    attention = partly.model.layers[0].self_attn
    assert type(attention.q_proj) is nn.Linear
    assert type(attention.k_proj) is bnb.nn.Linear4bit
    counts = [
        adapted(lora("q_proj", **CAUSAL), base).get_nb_trainable_parameters()
        for base in (quantized(), llama())
    ]
    assert counts[0] == counts[1]


# -- Evaluation_Needs_Labels --

evaluation_needs_labels = claim("Evaluation_Needs_Labels")


class Own(nn.Module):
    """A classifier whose `forward` names nothing that it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 3)

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        logits = self.layer(inputs["rows"])
        return {"loss": cross_entropy(logits, inputs["labels"]), "logits": logits}


def evaluate(
    model: nn.Module,
    folder: Path,
    rows: list[dict[str, Any]],
    more: Options | None = None,
    **options: object,
) -> tuple[set[str], list[object]]:
    """Return the names of the metrics, and what `compute_metrics` was given."""
    given: list[object] = []

    def metrics(evaluated: EvalPrediction) -> dict[str, float]:
        given.append(evaluated.predictions)
        return {"accuracy": 1.0}

    arguments = TrainingArguments(
        str(folder), use_cpu=True, report_to=[], disable_tqdm=True, **options
    )
    found = Trainer(
        model, arguments, eval_dataset=rows, compute_metrics=metrics, **(more or {})
    ).evaluate()
    return {*found} & {"eval_loss", "eval_accuracy"}, given


BOTH = {"eval_loss", "eval_accuracy"}
KEPT = {"remove_unused_columns": False}
LABELS = {"label_names": ["labels"]}


@evaluation_needs_labels
@each(
    ("options", "expected"),
    [
        (KEPT, set()),
        (KEPT | LABELS, BOTH),
        (KEPT | LABELS | {"prediction_loss_only": True}, {"eval_loss"}),
        (KEPT | {"label_names": ["labels", "more"]}, set()),
    ],
)
def test_without_names_of_labels_there_are_no_loss_and_no_metrics(
    tmp_path: Path, options: Options, expected: set[str]
) -> None:
    model = adapted(lora("layer"), Own())
    rows = [{"rows": row, "labels": 1} for row in ROWS]
    found, given = evaluate(model, tmp_path, rows, **options)
    assert found == expected
    assert bool(given) == ("eval_accuracy" in expected)


@evaluation_needs_labels
def test_columns_that_forward_does_not_name_are_dropped(tmp_path: Path) -> None:
    rows = [{"rows": row, "labels": 1} for row in ROWS]
    with refused("The batch received was empty"):
        evaluate(adapted(lora("layer"), Own()), tmp_path, rows)
    with pytest.raises(KeyError, match="rows"):
        evaluate(adapted(lora("layer"), Own()), tmp_path, rows, **LABELS)
    with pytest.raises(TypeError, match='can only concatenate list \\(not "str"\\)'):
        evaluate(adapted(lora("layer"), Own()), tmp_path, rows, label_names="labels")


@evaluation_needs_labels
@each("task", [{}, {"task_type": "SEQ_CLS"}])
def test_the_names_are_those_of_the_base_also_without_a_task(
    tmp_path: Path, task: Options
) -> None:
    base = llama(LlamaForSequenceClassification, pad_token_id=0)
    rows = [{"input_ids": row, "labels": 1} for row in PROMPT]
    found, _ = evaluate(adapted(lora("q_proj", **task), base), tmp_path, rows)
    assert found == BOTH


@evaluation_needs_labels
@each("only_logits", [False, True])
def test_an_encoder_and_decoder_gives_a_tuple(
    tmp_path: Path, *, only_logits: bool
) -> None:
    sizes = {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1}
    base = T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0))
    rows = [{"input_ids": row, "labels": row[:5]} for row in PROMPT]
    more: Options = {}
    if only_logits:
        more["preprocess_logits_for_metrics"] = lambda outputs, _labels: outputs[0]
    model = adapted(lora("q", task_type="SEQ_2_SEQ_LM"), base)
    _, (given,) = evaluate(model, tmp_path, rows, more)
    assert isinstance(given, tuple) == (not only_logits)
    logits = given if only_logits else given[0]
    assert logits.shape == (2, 5, 64)


@evaluation_needs_labels
@each("kept", [False, True])
def test_poly_needs_a_column_of_its_own(tmp_path: Path, *, kept: bool) -> None:
    model = adapted(config("Poly", "q_proj", n_tasks=2, **CAUSAL), llama())
    rows = [{"input_ids": row, "labels": row, "task_ids": 0} for row in PROMPT]
    options = {"remove_unused_columns": not kept}
    with nullcontext() if kept else refused("task_ids should not be None"):
        found, _ = evaluate(model, tmp_path, rows, **options)
        assert found == BOTH


# -- Modules_To_Save_Small_Layers --

modules_to_save_small_layers = claim("Modules_To_Save_Small_Layers")


@modules_to_save_small_layers
@each("bits", [4, 8])
@each(
    ("kind", "task", "head"),
    [
        (BertForSequenceClassification, "SEQ_CLS", "classifier"),
        (BertForQuestionAnswering, "QUESTION_ANS", "qa_outputs"),
        (LlamaForTokenClassification, "TOKEN_CLS", "score"),
        (LlamaForSequenceClassification, "SEQ_CLS", ""),
    ],
)
def test_a_head_with_a_bias_is_quantized_unless_it_is_named(
    bits: int, kind: type[nn.Module], task: str, head: str, tmp_path: Path
) -> None:
    settings = BertConfig if "Bert" in kind.__name__ else LlamaConfig
    kind(settings(**TEXT)).save_pretrained(tmp_path)
    ours = lora("query", "q_proj", task_type=task)

    def base(skipped: list[str] | None) -> nn.Module:
        stored = BitsAndBytesConfig(
            **{f"load_in_{bits}bit": True}, llm_int8_skip_modules=skipped
        )
        return kind.from_pretrained(tmp_path, quantization_config=stored)

    if head:
        message = "only Tensors of floating point dtype can require gradients"
        with refused(message, RuntimeError):
            adapted(ours, base(None))
    assert trainable(adapted(ours, base([head] if head else None)))


class Blocks(nn.Module):
    """A body, a list of layers, a bare parameter and a head with the same names."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.ModuleDict({"dense": nn.Linear(16, 16)})
        self.blocks = nn.ModuleList([nn.Linear(16, 16)])
        self.head = nn.Sequential()
        self.head.add_module("dense", nn.Linear(16, 2))
        self.table = nn.Parameter(torch.ones(16))

    def forward(self, rows: Tensor) -> Tensor:
        return self.head(self.blocks[0](self.body["dense"](rows)) * self.table)


@modules_to_save_small_layers
@each("name", ["model", "self_attn", "layers"])
def test_what_contains_all_targets_leaves_nothing(name: str) -> None:
    with refused("No modules were targeted", NoMatchingPeftModuleError):
        adapted(lora("q_proj", modules_to_save=[name]), llama())
    base = llama(LlamaForSequenceClassification, pad_token_id=0)
    everything = {"modules_to_save": ["model"], "task_type": "SEQ_CLS"}
    with refused("All modules were excluded", NoMatchingPeftModuleError):
        adapted(lora("q_proj", **everything), base)


@modules_to_save_small_layers
@each("name", ["blocks", "body"])
def test_a_list_or_a_dictionary_of_layers_cannot_be_wrapped(name: str) -> None:
    target = {"blocks": "dense", "body": "0"}[name]
    with refused("modules_to_save cannot be applied to modules of type", TypeError):
        adapted(lora(target, modules_to_save=[name]), Blocks())


@modules_to_save_small_layers
@each("name", ["table", "nothing"])
def test_a_parameter_and_a_wrong_name_are_silently_left_out(name: str) -> None:
    with silent():
        model = adapted(lora("0", modules_to_save=[name]), Blocks())
    assert all("lora_" in it for it in trainable(model))


@modules_to_save_small_layers
@each("method", ["Lora", "OFT", "BOFT", "Vera"])
def test_a_target_within_the_head_is_left_out(method: str) -> None:
    model = adapted(config(method, "dense", modules_to_save=["head"]), Blocks())
    assert model.targeted_module_names == ["body.dense"]
    # the wrapper passes on what code of the model asks for
    assert model.base_model.model.head.dense.weight.shape == (2, 16)
    assert run(model).shape == (4, 2)


@modules_to_save_small_layers
def test_a_name_stands_for_all_that_end_with_it() -> None:
    model = adapted(lora("q_proj", modules_to_save=["norm"]), llama())
    assert sum("modules_to_save" in name for name in trainable(model)) == 3


@modules_to_save_small_layers
@each("name", ["lm_head", "embed_tokens", "norm", "k_proj"])
def test_on_a_quantized_base_only_what_is_not_quantized_can_be_trained(
    quantized: Loader, name: str
) -> None:
    base = prepare_model_for_kbit_training(
        quantized(), gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    message = "only Tensors of floating point dtype can require gradients"
    fails = name == "k_proj"
    with refused(message, RuntimeError) if fails else nullcontext():
        model = adapted(lora("q_proj", modules_to_save=[name], **CAUSAL), base)
        assert all_learn(model)


@modules_to_save_small_layers
def test_embeddings_cannot_be_resized_once_they_are_wrapped() -> None:
    model = adapted(lora("q_proj", modules_to_save=["embed_tokens"]), llama())
    with pytest.raises(TypeError, match="Old embeddings are of type"):
        model.resize_token_embeddings(80)


# -- Unsupported_Target_Layer, Versions_That_Fit: libraries that quantize --


@claim("Unsupported_Target_Layer")
@each("name", ["QuantLinear", "HQQLinear", "WQLinear_GEMM"])
def test_a_quantized_layer_of_no_known_library_is_not_supported(name: str) -> None:
    base = nn.Sequential(type(name, (nn.Module,), {})(), nn.Linear(4, 4))
    with refused(rf"Target module {name}\(\) is not supported"):
        adapted(lora("0"), base)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Yield releases of packages, by name, that are taken as installed."""
    releases: dict[str, str] = {}
    find, version = importlib.util.find_spec, importlib.metadata.version

    def find_spec(name: str, *others: str) -> object:
        return SimpleNamespace() if name in releases else find(name, *others)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: releases.get(name) or version(name)
    )
    asked = [
        import_utils.is_torchao_available,
        import_utils.is_gptqmodel_available,
        import_utils.is_optimum_available,
    ]
    for one in asked:
        one.cache_clear()
    yield releases
    for one in asked:
        one.cache_clear()


@claim("Versions_That_Fit")
@each(
    ("releases", "message"),
    [
        ({"torchao": "0.15.0"}, "Found an incompatible version of torchao"),
        ({"gptqmodel": "6.9.0"}, "Found an incompatible version of gptqmodel"),
        ({"gptqmodel": "7.0.0"}, "gptqmodel requires optimum version"),
        (
            {"gptqmodel": "7.0.0", "optimum": "1.23.0"},
            "gptqmodel requires optimum version",
        ),
        ({}, None),
    ],
)
def test_an_old_library_that_quantizes_stops_every_adapter(
    installed: dict[str, str], releases: dict[str, str], message: str | None
) -> None:
    installed.update(releases)
    with refused(message, ImportError) if message else nullcontext():
        adapted(lora("0"))


@claim("Versions_That_Fit")
@each("library", ["torchao", "gptqmodel"])
def test_an_old_library_that_quantizes_stops_x_lora_too(
    installed: dict[str, str], tmp_path: Path, library: str
) -> None:
    gating = xlora(tmp_path).peft_config["default"]
    installed[library] = "0.1.0"
    for asked in (
        import_utils.is_torchao_available,
        import_utils.is_gptqmodel_available,
    ):
        asked.cache_clear()
    with refused(f"Found an incompatible version of {library}", ImportError):
        get_peft_model(llama(), gating)


@claim("Autocast_After_Cast")
def test_what_goes_into_layers_outside_the_adapter_is_cast_by_hand() -> None:
    model = adapted(lora("q_proj"), llama().half())
    hidden = model(input_ids=PROMPT, output_hidden_states=True).hidden_states[-1]
    head = nn.Linear(64, 2)
    with refused("must have the same dtype", RuntimeError):
        head(hidden)
    assert head(hidden.to(head.weight.dtype)).isfinite().all()

    class Seeing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.second = nn.Conv2d(4, 4, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.second(self.first(pixels))

    seeing = adapted(lora("second"), Seeing().half())
    pixels = torch.ones(1, 3, 8, 8)
    with refused("Input type .* and bias type .* should be the same", RuntimeError):
        seeing(pixels)
    assert seeing(pixels.half()).isfinite().all()


@claim("Adapter_Cast_To_32_Bit")
@claim("FP16_Trainable_Weights_AMP")
@each(
    ("bits", "computed", "dtype"),
    [
        (4, torch.float16, torch.float16),
        (4, torch.float32, torch.float32),
        (8, torch.float16, torch.float32),
    ],
)
def test_an_adapter_on_8_bit_is_in_fp32_whatever_one_asks_for(
    base_folder: Path, bits: int, computed: torch.dtype, dtype: torch.dtype
) -> None:
    options = {f"load_in_{bits}bit": True, "bnb_4bit_compute_dtype": computed}
    base = AutoModelForCausalLM.from_pretrained(
        base_folder,
        dtype=torch.float16,
        quantization_config=BitsAndBytesConfig(**options),
    )
    model = adapted(lora("q_proj"), base, autocast_adapter_dtype=False)
    assert {weight.dtype for weight in trainable(model).values()} == {dtype}


# -- Is_Trainable_To_Resume --


def resume(model: nn.Module, folder: Path, **options: object) -> None:
    """Train to the second step from the first one's checkpoint."""
    ours = trainer(model, folder, max_steps=2, save_steps=1, **options)
    ours.train(resume_from_checkpoint=str(folder / "checkpoint-1"))


@claim("Is_Trainable_To_Resume")
def test_trainer_says_what_does_not_fit_its_checkpoint(tmp_path: Path) -> None:
    trainer(
        adapted(lora("q_proj"), llama()), tmp_path, max_steps=1, save_steps=1
    ).train()
    checkpoint = tmp_path / "checkpoint-1"
    resume(adapted(lora("q_proj"), llama()), tmp_path)
    frozen = PeftModel.from_pretrained(llama(), checkpoint)
    for model, error, message in (
        (frozen, ValueError, "match the size of optimizer's group"),
        (adapted(lora("q_proj", "v_proj"), llama()), ValueError, "match the size of"),
        (adapted(lora("q_proj", r=2), llama()), RuntimeError, "size mismatch"),
        (llama(), ValueError, "Can't find a checkpoint index"),
    ):
        with pytest.raises(error, match=message):
            resume(model, tmp_path)
    (checkpoint / "trainer_state.json").unlink()
    with pytest.raises(FileNotFoundError, match="trainer_state"):
        resume(adapted(lora("q_proj"), llama()), tmp_path)
    with refused("No valid checkpoint found in output directory"):
        trainer(llama(), tmp_path / "new").train(resume_from_checkpoint=True)
    with refused("--load_best_model_at_end requires the save and eval strategy"):
        trainer(llama(), tmp_path, load_best_model_at_end=True, eval_strategy="epoch")


@claim("Is_Trainable_To_Resume")
def test_trainer_of_the_base_saves_no_adapter(tmp_path: Path) -> None:
    base = llama()
    adapted(lora("q_proj"), base)
    trainer(base, tmp_path).save_model()
    names = {path.name for path in tmp_path.iterdir()}
    assert "model.safetensors" in names
    assert "adapter_config.json" not in names


# -- Compile_After_Loading --


@claim("Compile_After_Loading")
@each(
    ("checkpointed", "whole", "fails"),
    [(False, True, False), (True, False, False), (True, True, True)],
)
def test_a_whole_graph_is_refused_with_gradient_checkpointing_only(
    *, checkpointed: bool, whole: bool, fails: bool
) -> None:
    torch.compiler.reset()
    model = adapted(lora("q_proj", lora_dropout=0.1, **CAUSAL), llama()).train()
    if checkpointed:
        options = {"use_reentrant": False}
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)
    compiled = torch.compile(model, fullgraph=whole, backend="eager")
    message = r"returning intermediate with requires_grad_\(\)"
    with pytest.raises(Unsupported, match=message) if fails else nullcontext():
        loss_of(compiled).backward()
