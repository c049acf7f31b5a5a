"""What the heuristics on the system around PEFT say: base models, processes, devices. The pitfall, then its cure."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import peft
import pytest
import torch
from peft import (
    AutoPeftModel,
    AutoPeftModelForCausalLM,
    PeftMixedModel,
    PeftModel,
    PeftModelForCausalLM,
    find_kappa_target_modules,
    get_peft_model_state_dict,
    load_peft_weights,
    prepare_model_for_kbit_training,
)
from peft.utils.hotswap import hotswap_adapter
from peft.utils.other import fsdp_auto_wrap_policy
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel
from transformers import (
    LlamaForCausalLM,
    Qwen2VLForConditionalGeneration,
    ResNetConfig,
    ResNetForImageClassification,
)
from transformers.conversion_mapping import get_checkpoint_conversion_mapping

from claims.models import (
    CAUSAL,
    LINEAR,
    LLAVA_BEFORE,
    PROMPT,
    QWEN_BEFORE,
    ROWS,
    Loader,
    Options,
    adam,
    adapted,
    aged,
    all_learn,
    claim,
    config,
    distance,
    each,
    gemma,
    layer_of,
    linear,
    llama,
    llava,
    loaded,
    lora,
    loss_of,
    methods_inheriting,
    methods_with,
    on_llama,
    pair,
    paligemma,
    qwen2,
    qwen25,
    refused,
    run,
    said,
    same,
    saved,
    settings,
    silent,
    steps,
    trainable,
    trainer,
    warned,
    xlora,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peft import PeftConfig

NOT_REENTRANT = {"use_reentrant": False}


# --- Batch_Norm_Statistics -------------------------------------------------------------------------------------------


def normalized(first: nn.Module | None = None) -> nn.Sequential:
    """Return the linear layers, or one after another, with a batch norm layer between them."""
    layers = linear()
    model = nn.Sequential()
    model.add_module("first", first or layers[0])
    model.add_module("batch", nn.BatchNorm1d(16))
    model.add_module("last", layers[2])
    return model.eval()


def embedding() -> nn.Embedding:
    return nn.Embedding.from_pretrained(torch.eye(16))


def settled(
    model: nn.Module,
    loss: Callable[[nn.Module], Tensor] = loss_of,
    *,
    frozen: bool = False,
) -> nn.Module:
    """Return the model after twenty steps, in evaluation mode."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.train(not frozen)
    steps(model, adam(model), 20, loss)
    return model.eval()


batch_norm_statistics = claim("Batch_Norm_Statistics")


# BOFT warns that it cannot compile
@batch_norm_statistics
@each(
    "method",
    sorted({*LINEAR, "Beft", "Lily"} & {*methods_with("modules_to_save")} - {"BOFT"}),
)
def test_statistics_change_and_are_not_saved_unless_the_layer_is(
    method: str, tmp_path: Path
) -> None:
    for save, right in ((None, False), (["batch"], True)):
        ours = config(method, "first", "last", modules_to_save=save)
        model = settled(adapted(ours, normalized()))
        model.save_pretrained(tmp_path)
        assert any("running_mean" in name for name in saved(tmp_path)) == right

        with silent():
            again = loaded(tmp_path, normalized())
        off = distance(again, model)
        assert off < 1e-5 if right else off > 0.1


class OverTokens(nn.Module):
    """A batch norm layer in the place of a Llama's last norm."""

    def __init__(self) -> None:
        super().__init__()
        self.batch = nn.BatchNorm1d(64)

    def forward(self, states: Tensor) -> Tensor:
        return self.batch(states.transpose(1, 2)).transpose(1, 2)


@batch_norm_statistics
@each(
    "method",
    [
        *("CPT", "Cartridge", "MultitaskPromptTuning", "PrefixTuning"),
        *("PromptEncoder", "PromptTuning", "Shadow", "LNTuning", "Poly"),
    ],
)
def test_methods_for_language_models_lose_the_statistics_as_well(
    method: str, tmp_path: Path
) -> None:
    def base() -> nn.Module:
        model = llama()
        model.model.norm = OverTokens()
        return model.eval()

    tasks = {}
    if method in {"MultitaskPromptTuning", "Poly"}:
        tasks["task_ids"] = torch.zeros(len(PROMPT), dtype=torch.int)
    for save, right in ((None, False), (["norm.batch"], True)):
        model = on_llama(method, base=base(), modules_to_save=save).train()
        for _call in range(3):
            run(model, **tasks)
        model.eval().save_pretrained(tmp_path)
        again = loaded(tmp_path, base())
        off = distance(run(again, **tasks), run(model, **tasks))
        assert off < 1e-5 if right else off > 0.01


@batch_norm_statistics
def test_a_digit_as_name_also_matches_a_parameter_of_loha() -> None:
    base = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16))
    with refused(
        r"modules_to_save cannot be applied to modules of type .*ParameterDict",
        TypeError,
    ):
        adapted(config("LoHa", "0", modules_to_save=["1"]), base)


@batch_norm_statistics
@each("frozen", [False, True])
@each(
    ("ours", "first", "batch"),
    [
        (lora("first", "last"), None, ROWS),
        # it has no `modules_to_save`
        (
            config("TrainableTokens", "first", token_indices=[1]),
            embedding,
            torch.arange(16),
        ),
    ],
)
def test_frozen_statistics_need_not_be_saved(
    ours: PeftConfig,
    first: Loader | None,
    batch: Tensor,
    tmp_path: Path,
    *,
    frozen: bool,
) -> None:
    assert hasattr(ours, "modules_to_save") is (first is None)
    before = run(normalized(first and first()), batch)
    model = adapted(ours, normalized(first and first()))
    settled(model, lambda it: it(batch).square().mean(), frozen=frozen)
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path, normalized(first and first()))
    expected = run(model, batch)
    assert distance(expected, before) > 0.01
    assert (distance(run(again, batch), expected) < 1e-5) is frozen


@batch_norm_statistics
def test_a_merged_model_keeps_the_statistics() -> None:
    model = settled(adapted(lora("first", "last"), normalized()))
    before = run(model)
    merged = model.merge_and_unload()
    assert same(merged, before)
    again = normalized()
    again.load_state_dict(merged.state_dict())
    assert same(again, before)


@batch_norm_statistics
def test_one_name_saves_all_norm_layers_of_resnet(tmp_path: Path) -> None:
    shape = {"embedding_size": 16, "hidden_sizes": [16, 16], "depths": [1, 1]}
    images = torch.randn(4, 3, 32, 32) + 1

    def resnet() -> ResNetForImageClassification:
        torch.manual_seed(0)
        config = ResNetConfig(**shape, layer_type="basic", num_labels=3)
        return ResNetForImageClassification(config).eval()

    def loss(model: nn.Module) -> Tensor:
        return model(images).logits.square().mean()

    for save, right in (
        (["classifier"], False),
        (["classifier", "normalization"], True),
    ):
        ours = lora("convolution", modules_to_save=save)
        model = settled(adapted(ours, resnet()), loss)
        model.save_pretrained(tmp_path)
        off = distance(loss(loaded(tmp_path, resnet())), loss(model))
        assert off < 1e-5 if right else off > 0.1


# --- DDP_Reentrant_Checkpointing -------------------------------------------------------------------------------------

TWICE = "Expected to mark a variable ready only once"
SEARCH = {"find_unused_parameters": True}


def checkpointed(*, reentrant: bool, save: list[str] | None = None) -> PeftModel:
    """Return the same Llama at every call, with the same adapter."""
    torch.manual_seed(0)
    ours = lora("q_proj", "v_proj", modules_to_save=save, **CAUSAL)
    model = adapted(ours, llama(num_hidden_layers=2))
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable({"use_reentrant": reentrant})
    return model.train()


def backward(model: nn.Module, batch: dict[str, Tensor], **options: bool) -> None:
    """Do two backward passes under DDP: some errors are only found in the second."""
    parallel = DistributedDataParallel(model, **options)
    for _step in range(2):
        parallel.zero_grad()
        parallel(**batch).loss.backward()


WORDS = {"input_ids": PROMPT, "labels": PROMPT}


ddp_reentrant_checkpointing = claim("DDP_Reentrant_Checkpointing")


@ddp_reentrant_checkpointing
@pytest.mark.usefixtures("one_process")
@each("save", [None, ["lm_head"]])
@each(
    ("options", "fails"),
    [({}, False), (SEARCH, True), (SEARCH | {"static_graph": True}, False)],
)
def test_only_the_reentrant_variant_fails_and_only_in_the_search_of_a_changing_graph(
    save: list[str] | None, options: Options, *, fails: bool
) -> None:
    backward(checkpointed(reentrant=False, save=save), WORDS, **options)
    with refused(TWICE, RuntimeError) if fails else nullcontext() as caught:
        backward(checkpointed(reentrant=True, save=save), WORDS, **options)
    if caught:
        text = str(caught.value)
        assert "Reused parameters in multiple reentrant backward passes" in text
        assert "default.weight has been marked as ready twice" in text


@ddp_reentrant_checkpointing
def test_gradients_of_both_variants_are_the_same() -> None:
    models = [checkpointed(reentrant=reentrant) for reentrant in (True, False)]
    assert all(map(all_learn, models))
    for one, other in zip(*(trainable(it).values() for it in models), strict=True):
        assert torch.equal(one.grad, other.grad)
        assert one.grad.any()


@ddp_reentrant_checkpointing
@pytest.mark.usefixtures("one_process")
@each(
    ("kwargs", "works"),
    [(None, False), ({"use_reentrant": True}, False), (NOT_REENTRANT, True)],
)
def test_preparation_for_quantized_training_chooses_the_reentrant_variant(
    quantized: Loader, kwargs: Options | None, *, works: bool
) -> None:
    base = prepare_model_for_kbit_training(
        quantized(), gradient_checkpointing_kwargs=kwargs
    )
    model = adapted(lora("q_proj", "v_proj", **CAUSAL), base).train()
    with nullcontext() if works else refused(TWICE, RuntimeError):
        backward(model, WORDS, **SEARCH)


@ddp_reentrant_checkpointing
def test_trainer_searches_for_unused_parameters_of_a_peft_model(tmp_path: Path) -> None:
    searches = {}
    for model in (llama(), on_llama("Lora")):
        model.gradient_checkpointing_enable()
        handler = trainer(model, tmp_path).accelerator.ddp_handler
        searches[type(model)] = handler.find_unused_parameters
    assert searches == {LlamaForCausalLM: False, PeftModelForCausalLM: True}


# --- FSDP_Quant_Storage ----------------------------------------------------------------------------------------------

SAME = "Must flatten tensors with uniform dtype but got "
BF16 = {"bnb_4bit_quant_storage": torch.bfloat16}
FP32 = {"bnb_4bit_quant_storage": torch.float32}
#: Neither a policy for the adapter nor flat parameters.
ORIGINAL = {"auto_wrap_policy": None, "use_orig_params": True}
IN_16_BIT = {"autocast_adapter_dtype": False}


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
@each(
    ("base", "prepared", "adapter", "shards", "message"),
    [
        (BF16, False, {}, {}, None),
        ({}, False, {}, {}, "Cannot flatten integer dtype tensors"),
        (FP32, False, {}, {}, f"{SAME}torch.float32 and torch.bfloat16"),
        (BF16, True, {}, {}, f"{SAME}torch.bfloat16 and torch.float32"),
        (BF16, False, {}, ORIGINAL, f"{SAME}torch.bfloat16 and torch.float32"),
        # an adapter in 16 bit needs no policy, but then the original parameters
        (BF16, False, IN_16_BIT, ORIGINAL, None),
        (
            *(BF16, False, IN_16_BIT, {"auto_wrap_policy": None}),
            "Must flatten tensors with uniform `requires_grad`",
        ),
        # fp32 throughout works, too
        (FP32 | {"dtype": torch.float32}, True, {}, {}, None),
    ],
)
def test_only_storage_in_the_dtype_of_the_rest_can_be_flattened(  # noqa: PLR0913, PLR0917 -- a table's columns
    quantized: Loader,
    base: Options,
    prepared: bool,  # noqa: FBT001 -- a table's column
    adapter: Options,
    shards: Options,
    message: str | None,
) -> None:
    model = quantized(**{"dtype": torch.bfloat16} | base)
    if prepared:
        prepare_model_for_kbit_training(
            model, gradient_checkpointing_kwargs=NOT_REENTRANT
        )
    ours = lora(target_modules="all-linear", **CAUSAL)
    model = adapted(ours, model, **adapter).train()
    expected = loss_of(model)
    options = {"auto_wrap_policy": fsdp_auto_wrap_policy(model)} | shards
    with refused(message) if message else nullcontext():
        model = FullyShardedDataParallel(
            model, device_id=torch.device("cpu"), **options
        )
    if not message:
        assert same(loss_of(model), expected)
        assert all_learn(model)


@claim("FSDP_Quant_Storage")
def test_storage_changes_neither_size_nor_outputs(quantized: Loader) -> None:
    models = [quantized(dtype=torch.bfloat16, **storage) for storage in ({}, BF16)]
    weights = [model.model.layers[0].self_attn.q_proj.weight for model in models]
    assert [weight.dtype for weight in weights] == [torch.uint8, torch.bfloat16]
    assert weights[0].nbytes == weights[1].nbytes
    assert torch.equal(*map(loss_of, models))


# --- Vision_Tower_Targeted -------------------------------------------------------------------------------------------


def picture() -> dict[str, Tensor]:
    words = torch.tensor([[1, 63, 63, 63, 63, 5, 6, 7]])
    return {"input_ids": words, "labels": words, "pixel_values": torch.ones(1, 3, 8, 8)}


def targets(
    names: list[str] | str, excluded: list[str] | str | None = None
) -> list[int]:
    """Return how many layers of each part of the model get an adapter."""
    ours = lora(target_modules=names, exclude_modules=excluded)
    found = adapted(ours, llava()).targeted_module_names
    parts = ("language_model", "vision_tower", "multi_modal_projector")
    return [sum(part in name for name in found) for part in parts]


NAMES = ["q_proj", "v_proj"]


vision_tower_targeted = claim("Vision_Tower_Targeted")


@vision_tower_targeted
def test_names_of_the_language_model_match_the_tower_until_it_is_excluded() -> None:
    assert targets(NAMES) == [4, 4, 0]
    assert targets("all-linear") == [14, 12, 2]
    for tower in (r".*vision_tower.*", r"model\.vision_tower\..*"):
        assert targets(NAMES, tower) == [4, 0, 0]
        assert targets("all-linear", tower) == [14, 0, 2]
    assert targets(r".*language_model.*\.(q_proj|v_proj)") == [4, 0, 0]


@vision_tower_targeted
def test_what_kappa_selects_is_in_the_tower_until_it_is_excluded() -> None:
    names = find_kappa_target_modules(llava(), top_p=0.9, show_progress=False)
    assert targets(names["target_modules"])[1] > 0
    assert targets(names["target_modules"], r".*vision_tower.*")[1] == 0


@vision_tower_targeted
@each(("names", "parts"), [(NAMES, {False}), ("all-linear", {False, True})])
def test_in_qwen2_only_all_linear_finds_the_tower(
    names: list[str] | str, parts: set[bool]
) -> None:
    found = adapted(lora(target_modules=names), qwen2()).targeted_module_names
    assert {"visual" in name for name in found} == parts


@vision_tower_targeted
@each(("name", "warns"), [("vision_tower", False), ("no_such_tower", True)])
def test_a_list_does_not_exclude_what_is_in_the_tower_and_says_nothing(
    name: str, *, warns: bool
) -> None:
    with said() as texts:
        assert targets(["q_proj"], [name]) == [2, 2, 0]
    assert any("no modules were excluded" in text for text in texts) is warns


@vision_tower_targeted
def test_a_frozen_tower_is_trained_all_the_same() -> None:
    base = llava()
    base.model.vision_tower.requires_grad_(requires_grad=False)
    model = adapted(lora(*NAMES), base)
    model(**picture()).loss.backward()
    weights = trainable(model).items()
    tower = {name: it.grad for name, it in weights if "vision_tower" in name}
    last = {name for name in tower if "layers.1." in name}
    assert {name for name, grad in tower.items() if grad is None} == last
    assert any(grad.any() for name, grad in tower.items() if name not in last)


@vision_tower_targeted
@pytest.mark.usefixtures("one_process")
def test_the_last_layer_of_the_tower_stops_ddp() -> None:
    unfinished = "Expected to have finished reduction in the prior iteration"
    with refused(unfinished, RuntimeError):
        backward(adapted(lora(*NAMES), llava()), picture())
    ours = lora(*NAMES, exclude_modules=r".*vision_tower.*")
    backward(adapted(ours, llava()), picture())


# --- Renamed_Base_Modules --------------------------------------------------------------------------------------------

MISSING = "Found missing adapter keys while loading the checkpoint"
QWEN = {
    r"^visual": "model.visual",
    r"^model(?!\.(language_model|visual))": "model.language_model",
}
LLAVA = {
    r"^language_model\.model": "model.language_model",
    r"^vision_tower\.vision_model": "model.vision_tower",
}


def weights_of(
    folder: Path, base: nn.Module, **options: object
) -> tuple[dict[str, Tensor], bool]:
    """Return the weights of the loaded adapter, and whether PEFT warned that some are missing."""
    with said() as texts:
        model = loaded(folder, base, **options)
    return get_peft_model_state_dict(model), any(MISSING in text for text in texts)


def share(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Return how many of the weights are the expected ones, of one."""
    assert found.keys() == expected.keys()
    right = sum(torch.equal(found[name], expected[name]) for name in expected)
    return right / len(expected)


#: Family → what makes a model of it, what its keys were called, and what maps them.
FAMILIES = {
    "llava": (llava, LLAVA_BEFORE, LLAVA),
    "gemma": (gemma, LLAVA_BEFORE, LLAVA),
    "paligemma": (paligemma, LLAVA_BEFORE, LLAVA),
    "qwen2": (qwen2, QWEN_BEFORE, QWEN),
    "qwen2.5": (qwen25, QWEN_BEFORE, QWEN),
}


renamed_base_modules = claim("Renamed_Base_Modules")


@renamed_base_modules
@each(
    ("family", "method", "converted"),
    [
        ("llava", "Lora", True),
        ("gemma", "Lora", True),
        ("paligemma", "Lora", True),
        ("qwen2", "Lora", False),
        ("qwen2.5", "Lora", False),
        ("llava", "LoHa", False),
    ],
)
def test_old_adapters_are_loaded_with_a_mapping_and_some_without(
    tmp_path: Path, family: str, method: str, *, converted: bool
) -> None:
    make, before, mapping = FAMILIES[family]
    weights = aged(tmp_path, make(), config(method, "q_proj", "v_proj", "qkv"), before)

    found, warned = weights_of(tmp_path, make())
    assert share(found, weights) == converted
    assert warned != converted

    found, warned = weights_of(tmp_path, make(), key_mapping=mapping)
    assert share(found, weights) == 1
    assert not warned


@renamed_base_modules
def test_the_mapping_is_right_for_new_adapters_and_needed_by_each_further_one(
    tmp_path: Path,
) -> None:
    ours = lora("q_proj", "qkv")
    adapted(ours, qwen2()).save_pretrained(tmp_path / "new")
    weights = aged(tmp_path / "old", qwen2(), ours, QWEN_BEFORE)
    found, warned = weights_of(tmp_path / "new", qwen2(), key_mapping=QWEN)
    assert share(found, saved(tmp_path / "new")) == 1
    assert not warned

    model = loaded(tmp_path / "old", qwen2(), key_mapping=QWEN)
    for name, options, right in (("b", {}, 0), ("c", {"key_mapping": QWEN}, 1)):
        with silent():
            result = model.load_adapter(tmp_path / "old", name, **options)
        assert bool(result.unexpected_keys) is not bool(right)
        found = get_peft_model_state_dict(model, adapter_name=name)
        assert share(found, weights) == right

    model.save_pretrained(tmp_path / "again")
    assert share(saved(tmp_path / "again"), weights) == 1


@renamed_base_modules
def test_other_ways_to_load_take_the_mapping(tmp_path: Path) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    qwen2().save_pretrained(base)

    def load_base() -> nn.Module:
        return Qwen2VLForConditionalGeneration.from_pretrained(base)

    ours = lora("q_proj")
    aged(folder, load_base(), ours, QWEN_BEFORE)
    expected = run(loaded(folder, load_base(), key_mapping=QWEN))

    def automatic(**options: object) -> nn.Module:
        return AutoPeftModel.from_pretrained(folder, **options)

    def mixed(**options: object) -> nn.Module:
        return PeftMixedModel.from_pretrained(load_base(), folder, **options)

    def added(**options: object) -> nn.Module:
        model = adapted(ours, load_base(), mixed=True)
        model.load_adapter(folder, "old", **options)
        model.set_adapter("old")
        return model

    for load in (automatic, mixed, added):
        assert not same(load().eval(), expected)
        assert same(load(key_mapping=QWEN).eval(), expected)


@renamed_base_modules
def test_the_table_of_transformers_has_qwen_by_class_and_the_others_by_type() -> None:
    for model in (qwen2(), qwen25()):
        assert get_checkpoint_conversion_mapping(model.config.model_type) is None
        rules = get_checkpoint_conversion_mapping(type(model).__name__)
        sources = [source for rule in rules[:2] for source in rule.source_patterns]
        assert sources == [*QWEN]
        assert [rule.target_patterns for rule in rules] == [
            [it] for it in QWEN.values()
        ]
    for model in (llava(), gemma(), paligemma()):
        assert get_checkpoint_conversion_mapping(model.config.model_type)


@renamed_base_modules
def test_models_of_transformers_5_have_no_mapping_for_peft_to_use(
    tmp_path: Path,
) -> None:
    base = qwen2()
    assert not hasattr(base, "_checkpoint_conversion_mapping")
    weights = aged(tmp_path, qwen2(), lora("q_proj", "qkv"), QWEN_BEFORE)
    base._checkpoint_conversion_mapping = QWEN  # noqa: SLF001 - it is what PEFT reads
    found, warned = weights_of(tmp_path, base)
    assert share(found, weights) == 1
    assert not warned


# --- Load_On_Base_Device ---------------------------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an adapter on a machine that says it has a GPU, although it has none."""
    adapted(lora()).save_pretrained(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the devices that weights are asked for, which are read as they are."""
    devices = []

    def load(file: str, device: str) -> dict[str, Tensor]:
        devices.append(device)
        return load_file(file)

    monkeypatch.setattr(peft.utils.save_and_load, "safe_load_file", load)
    return devices


load_on_base_device = claim("Load_On_Base_Device")


@load_on_base_device
def test_an_adapter_for_a_base_on_the_cpu_is_sent_to_the_gpu_unless_told_otherwise(
    adapter: Path,
) -> None:
    model = loaded(adapter, torch_device="cpu")
    mixed = adapted(lora(), mixed=True)
    no_gpu = refused("CUDA|NVIDIA", (RuntimeError, AssertionError))
    for load in (
        loaded,
        lambda *given, **options: PeftMixedModel.from_pretrained(
            linear(), *given, **options
        ),
        partial(model.load_adapter, adapter_name="second"),
        partial(mixed.load_adapter, adapter_name="second"),
        partial(hotswap_adapter, model, adapter_name="default"),
    ):
        with no_gpu:
            load(adapter)
        load(adapter, torch_device="cpu")
    # the argument has another name, and is swallowed
    for options in ({}, {"torch_device": "cpu"}):
        with no_gpu:
            load_peft_weights(adapter, **options)
    assert load_peft_weights(adapter, device="cpu")


@load_on_base_device
def test_auto_classes_and_transformers_refuse_the_argument(
    base_folder: Path, tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def base() -> nn.Module:
        return LlamaForCausalLM.from_pretrained(base_folder)

    on_llama("Lora", base=base()).save_pretrained(tmp_path)
    for load in (AutoPeftModelForCausalLM.from_pretrained, base().load_adapter):
        with refused("torch_device", TypeError):
            load(tmp_path, torch_device="cpu")

    monkeypatch.setattr(peft.peft_model, "infer_device", lambda: "cuda")
    AutoPeftModelForCausalLM.from_pretrained(tmp_path)
    loaded(tmp_path, base(), torch_device="cpu")
    assert asked == ["cuda", "cpu"]


@claim("Eval_Mode_Not_Kept")
@claim("Missing_Adapter_Keys")
@claim("Newer_Config_Keys_Ignored")
def test_what_transformers_load_adapter_does_to_mode_keys_and_settings(
    tmp_path: Path,
) -> None:
    on_llama("Lora").save_pretrained(tmp_path)
    settings(tmp_path, target_modules=["q_proj", "o_proj"], use_next_idea=True)

    model = llama(attention_bias=True).train()
    with warned("Unexpected keyword arguments"):
        result = model.load_adapter(tmp_path)
    assert not model.training
    assert all("o_proj" in name for name in result.missing_keys)
    assert result.missing_keys


@load_on_base_device
@each("empty", [False, True])
@each("place", ["cpu", "meta"])
def test_what_is_loaded_elsewhere_ends_up_where_the_base_is(
    adapter: Path, asked: list[str], place: str, *, empty: bool
) -> None:
    for options, device in (({}, "cuda"), ({"torch_device": "cpu"}, "cpu")):
        options["low_cpu_mem_usage"] = empty
        model = loaded(adapter, linear().to(place), **options)
        assert asked.pop() == device
        assert {parameter.device.type for parameter in model.parameters()} == {place}


@load_on_base_device
def test_the_cpu_has_no_number(adapter: Path) -> None:
    with refused("device cpu:0 is invalid", SafetensorError):
        loaded(adapter, torch_device=str(torch.device("cpu:0")))


# --- Unmerge_In_16_Bit -----------------------------------------------------------------------------------------------


def one_layer(method: str, dtype: torch.dtype) -> PeftModel:
    torch.manual_seed(0)
    layer = nn.Embedding if method == "TrainableTokens" else nn.Linear
    return adapted(config(method, "0"), nn.Sequential(layer(64, 64)).to(dtype))


def weight_of(model: PeftModel) -> Tensor:
    """Return what a merge changes: the weight, or BEFT's bias."""
    layer = layer_of(model).get_base_layer()
    beft = isinstance(model.peft_config["default"], peft.BeftConfig)
    return (layer.bias if beft else layer.weight).detach().float().clone()


def cycles(
    model: PeftModel, *counts: int, restore: bool = False, update: float = 0.02
) -> list[float]:
    """Merge and unmerge, with other values in the adapter each time, and return how far the weight is off by then."""
    generator = torch.Generator().manual_seed(1)
    parameters = trainable(model)
    start = {name: it.detach().clone() for name, it in parameters.items()}
    state = model.state_dict().items()
    kept = {name: it.clone() for name, it in state if ".base_layer." in name}
    before, off = weight_of(model), []
    for cycle in range(1, max(counts) + 1):
        for name, parameter in parameters.items():
            moved = torch.randn(parameter.shape, generator=generator)
            parameter.data = (start[name] + update * moved).to(parameter.dtype)
        model.merge_adapter()
        assert distance(weight_of(model), before) > 1e-3, "merged"
        model.unmerge_adapter()
        if restore:
            model.load_state_dict(kept, strict=False)
        if cycle in counts:
            off.append(distance(weight_of(model), before))
    return off


unmerge_in_16_bit = claim("Unmerge_In_16_Bit")


@unmerge_in_16_bit
@each(
    ("dtype", "expected"),
    [
        (torch.bfloat16, [0.0009, 0.0029, 0.0072, 0.017]),
        (torch.float16, [0.00012, 0.00037, 0.00096, 0.0028]),
        (torch.float32, [9e-9, 3.3e-8, 1.1e-7, 3.1e-7]),
    ],
)
def test_errors_of_unmerging_add_up_unless_the_weights_are_restored(
    dtype: torch.dtype, expected: list[float]
) -> None:
    off = cycles(one_layer("Lora", dtype), 1, 10, 100, 1000)
    assert off == pytest.approx(expected, rel=0.1)
    assert cycles(one_layer("Lora", dtype), 1, 10, restore=True) == [0, 0]


@unmerge_in_16_bit
def test_the_update_is_six_percent_of_the_weight() -> None:
    model = one_layer("Lora", torch.float32)
    cycles(model, 1)
    update = layer_of(model).get_delta_weight("default")
    share = float(update.norm() / weight_of(model).norm())
    assert share == pytest.approx(0.062, abs=0.002)


#: These restore what was there.
EXACT = {"Frod", "Hira", "LNTuning", "Peanut", "TrainableTokens"}


@unmerge_in_16_bit
@each("method", methods_inheriting("unmerge_adapter"))
def test_each_method_loses_more_in_bf16_unless_it_restores(method: str) -> None:
    wide, narrow = (
        cycles(one_layer(method, dtype), 3, update=0.1)[0]
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert wide < 1e-5
    assert narrow == 0 if method in EXACT else narrow > 1e-4


@unmerge_in_16_bit
def test_a_mixed_model_and_xlora_lose_more_in_bf16_too(tmp_path: Path) -> None:
    def lost(model: nn.Module, layer: nn.Module) -> float:
        before = layer.weight.detach().float().clone()
        model.base_model.merge_adapter()
        assert distance(layer.weight.float(), before) > 0.1
        model.base_model.unmerge_adapter()
        return distance(layer.weight.float(), before)

    def mixed(dtype: torch.dtype) -> float:
        base = linear().to(dtype)
        layer = base[0]
        loha = config("LoHa", "0", init_weights=False)
        model = pair(lora("0"), loha, base, mixed=True)
        model.set_adapter(["a", "b"])
        return lost(model, layer)

    def with_xlora(dtype: torch.dtype) -> float:
        base = llama().to(dtype)
        layer = base.model.layers[0].self_attn.q_proj
        return lost(xlora(tmp_path, base), layer)

    for kind in (mixed, with_xlora):
        assert kind(torch.float32) < 1e-6
        assert kind(torch.bfloat16) > 1e-3


@unmerge_in_16_bit
def test_left_out_because_shadow_does_not_merge_and_osf_does_not_unmerge() -> None:
    with pytest.raises(NotImplementedError):
        on_llama("Shadow").merge_adapter()
    model = one_layer("OSF", torch.bfloat16)
    model.merge_adapter()
    with refused("OSF models do not support unmerging", NotImplementedError):
        model.unmerge_adapter()


@unmerge_in_16_bit
@each(("method", "warns"), [("IA3", True), ("Lora", False)])
def test_only_ia3_warns_and_in_fp32_too(method: str, *, warns: bool) -> None:
    model = one_layer(method, torch.float32)
    model.merge_adapter()
    with said() as texts:
        model.unmerge_adapter()
    assert texts == ["Unmerge result can be inaccurate for (IA)^3."] * warns


@unmerge_in_16_bit
def test_the_same_adapter_does_most_of_the_harm_at_once() -> None:
    model = one_layer("Lora", torch.bfloat16)
    before = weight_of(model)
    (first,) = cycles(model, 1)
    for _cycle in range(9):
        model.merge_adapter()
        model.unmerge_adapter()
    assert 0 < first <= distance(weight_of(model), before) < 1.2 * first


@unmerge_in_16_bit
def test_one_merge_in_bf16_is_as_far_off_as_no_merge() -> None:
    def tuned(dtype: torch.dtype) -> PeftModel:
        torch.manual_seed(1)
        base = llama(num_hidden_layers=2).bfloat16().to(dtype)
        ours = lora(target_modules="all-linear", r=8, init_lora_weights=True, **CAUSAL)
        model = adapted(ours, base).eval()
        for name, parameter in trainable(model).items():
            if "lora_B" in name:
                parameter.data = 0.01 * torch.randn(parameter.shape)
        return model

    exact = run(tuned(torch.float32))
    model = tuned(torch.float32)
    with model.disable_adapter():
        assert distance(model, exact) == pytest.approx(0.12, abs=0.03)
    unmerged = distance(run(tuned(torch.bfloat16)).float(), exact)
    merged = distance(run(tuned(torch.bfloat16).merge_and_unload()).float(), exact)
    cast = distance(run(model.merge_and_unload().bfloat16()).float(), exact)
    assert unmerged == pytest.approx(0.005, abs=0.001)
    assert merged == pytest.approx(unmerged, rel=0.2)
    assert cast == pytest.approx(merged, rel=0.2)
