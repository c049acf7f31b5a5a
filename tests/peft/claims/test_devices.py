"""What the heuristics on several devices, memory and speed say, without a GPU."""

from __future__ import annotations

import gc
import re
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.distributed as dist
from accelerate import Accelerator, cpu_offload, infer_auto_device_map
from accelerate.hooks import (
    ModelHook,
    add_hook_to_module,
    attach_align_device_hook_on_blocks,
)
from peft import (
    AdaLoraConfig,
    LoraConfig,
    PeftModel,
    PromptTuningConfig,
    TrainableTokensConfig,
    get_peft_model,
    get_peft_model_state_dict,
    inject_adapter_in_model,
)
from peft.helpers import DoraCaching
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.parallel import DistributedDataParallel
from torch.utils.flop_counter import FlopCounterMode

from claims.models import (
    CAUSAL,
    PROMPT,
    ROWS,
    Operations,
    adam,
    adapted,
    claim,
    config,
    each,
    linear,
    llama,
    lora,
    loss_of,
    refused,
    run,
    same,
    steps,
    trainable,
    trainer,
    warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORDS = {"input_ids": PROMPT, "labels": PROMPT}
NEW = {"init_lora_weights": True}

# --- Wrap_After_Adapting ------------------------------------------------------------------

wrap_after_adapting = claim("Wrap_After_Adapting")


def synchronized(parallel: nn.Module, model: nn.Module) -> set[str]:
    """Return the parameters whose gradients are exchanged in a step, by name."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    found = set()

    def note(_state: object, bucket: Any) -> torch.futures.Future[Tensor]:  # noqa: ANN401 - torch's own type is private
        found.update(names.get(id(weight), "") for weight in bucket.parameters())
        done = torch.futures.Future()
        done.set_result(bucket.buffer())
        return done

    # torch looks at them, and wants classes, not their names
    note.__annotations__ = {
        "bucket": dist.GradBucket,
        "return": torch.futures.Future[Tensor],
    }
    parallel.register_comm_hook(None, note)
    model(**WORDS).loss.backward()
    return found


@wrap_after_adapting
@pytest.mark.usefixtures("one_process")
def test_only_adapters_that_ddp_found_are_synchronized() -> None:
    model = adapted(lora("q_proj"), llama())
    parallel = DistributedDataParallel(model)
    names = synchronized(parallel, parallel)
    assert len(names) == 2
    assert all("lora_" in name for name in names)

    parallel = DistributedDataParallel(llama())
    model = adapted(lora("q_proj"), parallel)
    assert len(trainable(model)) == 2
    assert not {name for name in synchronized(parallel, model) if "lora_" in name}
    assert all(weight.grad is not None for weight in trainable(model).values())


@wrap_after_adapting
@pytest.mark.usefixtures("one_process")
def test_ddp_refuses_a_base_that_is_frozen() -> None:
    with refused("doesn't have any parameter that requires a gradient", RuntimeError):
        DistributedDataParallel(llama().requires_grad_(False))  # noqa: FBT003 - torch's


@wrap_after_adapting
def test_a_wrapped_base_lacks_what_a_task_needs_and_renames_the_adapter(
    tmp_path: Path,
) -> None:
    parallel = nn.DataParallel(llama())
    with refused("no attribute 'prepare_inputs_for_generation'", AttributeError):
        adapted(lora("q_proj", **CAUSAL), parallel)
    with refused("'DataParallel' object has no attribute 'config'", AttributeError):
        adapted(PromptTuningConfig(num_virtual_tokens=2, **CAUSAL), parallel)
    model = adapted(lora("q_proj"), nn.DataParallel(llama()))
    model.save_pretrained(tmp_path)
    assert all(
        name.startswith("base_model.model.module.")
        for name in get_peft_model_state_dict(model)
    )
    with warned("missing adapter keys"):
        PeftModel.from_pretrained(llama(), tmp_path)
    renamed = {r"^module\.": ""}
    repaired = PeftModel.from_pretrained(llama(), tmp_path, key_mapping=renamed)
    assert same(repaired, run(model.base_model.model.module))


@wrap_after_adapting
def test_what_is_wrapped_is_at_module() -> None:
    parallel = nn.DataParallel(adapted(lora("q_proj", **CAUSAL), llama()))
    for name in ("save_pretrained", "generate", "print_trainable_parameters"):
        with refused(
            f"'DataParallel' object has no attribute '{name}'", AttributeError
        ):
            getattr(parallel, name)
        getattr(parallel.module, name)


# --- Split_Model_Targets ------------------------------------------------------------------

split_model_targets = claim("Split_Model_Targets")
TWO = "Expected all tensors to be on the same device, but found at least two devices"


class Block(nn.Module):
    """Two layers that are on one device."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(8, 8)
        self.o_proj = nn.Linear(8, 8)

    def forward(self, rows: Tensor) -> Tensor:
        return rows + self.o_proj(self.q_proj(rows))


class Body(nn.Module):
    """Embeddings, two blocks and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(16, 8)
        self.layers = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(8)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.norm(self.layers(self.embed_tokens(tokens)))


class Spread(nn.Module):
    """A model as transformers' are, without operations that need a real GPU."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.model = Body()
        self.lm_head = nn.Linear(8, 16, bias=False)
        places = {
            "model.embed_tokens": 0,
            "model.layers.0": 0,
            "model.layers.1": 1,
            "model.norm": 1,
            "lm_head": head,
        }
        devices = {part: torch.device("cuda", at) for part, at in places.items()}
        for part, device in devices.items():
            self.get_submodule(part).to(device)
        # as `dispatch_model` does, which wants to see the GPUs
        attach_align_device_hook_on_blocks(
            self,
            execution_device=devices | {"": torch.device("cuda", 0)},
            offload=dict.fromkeys(devices, False),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        return self.lm_head(self.model(tokens))


def moved(module: nn.Module, fn: Any, *, recurse: bool = True) -> nn.Module:  # noqa: ANN401 - as torch calls it
    """Replace the parameters instead of swapping them, which torch cannot do here."""
    if recurse:
        for child in module.children():
            child._apply(fn)  # noqa: SLF001 - this is that method
    for name, weight in module._parameters.items():  # noqa: SLF001 - as above
        if weight is not None:
            new = nn.Parameter(fn(weight), requires_grad=weight.requires_grad)
            module._parameters[name] = new  # noqa: SLF001 - as above
    for name, values in module._buffers.items():  # noqa: SLF001 - as above
        if values is not None:
            module._buffers[name] = fn(values)  # noqa: SLF001 - as above
    return module


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tensor]:
    """Yield tokens, with tensors that have a device and no values."""
    monkeypatch.setattr(nn.Module, "_apply", moved)
    with FakeTensorMode(), torch.no_grad():
        yield torch.zeros(1, 4, dtype=torch.long, device="cuda:0")


@split_model_targets
def test_adapters_are_beside_their_layers_and_work_within_a_block(
    two_gpus: Tensor,
) -> None:
    assert Spread(0)(two_gpus).device == torch.device("cuda:0")
    model = adapted(lora("q_proj"), Spread(0))
    weights = trainable(model).items()
    where = {
        (name.split("layers.")[1][0], weight.device.index) for name, weight in weights
    }
    assert where == {("0", 0), ("1", 1)}
    assert model(two_gpus).device == torch.device("cuda:0")
    # the batch is moved as well
    for device in ("cpu", "cuda:1"):
        assert model(two_gpus.to(device)).device == torch.device(device)


@split_model_targets
def test_a_target_that_is_alone_on_its_gpu_fails(two_gpus: Tensor) -> None:
    with refused(f"{TWO}, cuda:1 and cuda:0!", RuntimeError):
        adapted(lora("q_proj", "lm_head"), Spread(0))(two_gpus)
    adapted(lora("q_proj", "lm_head"), Spread(1))(two_gpus)
    adapted(lora("q_proj"), Spread(0))(two_gpus)
    adapted(lora("q_proj", "lm_head"), Spread(0)).unload()(two_gpus)


@split_model_targets
def test_without_a_device_map_the_batch_is_not_moved(two_gpus: Tensor) -> None:
    layer = nn.Embedding(16, 8, device="cuda:0")
    layer(two_gpus)
    with refused(f"{TWO}, cuda:0 and cpu", RuntimeError):
        layer(two_gpus.cpu())


@split_model_targets
def test_a_spread_model_that_is_moved_fails(two_gpus: Tensor) -> None:
    model = adapted(lora("q_proj"), Spread(1)).to("cuda:0")
    with refused(TWO, RuntimeError):
        model(two_gpus)


class WithLoss(Spread):
    """Returns a loss, as AdaLoRA wants it."""

    def forward(self, tokens: Tensor) -> Any:  # noqa: ANN401 - an object with a loss
        out = type("Output", (), {})()
        out.loss = super().forward(tokens).mean()
        return out


@split_model_targets
def test_adalora_adds_numbers_of_all_gpus(two_gpus: Tensor) -> None:
    adapted(lora("q_proj"), WithLoss(1))(two_gpus)
    model = adapted(AdaLoraConfig(target_modules=["q_proj"], total_step=9), WithLoss(1))
    with refused(TWO, RuntimeError) as caught:
        model.base_model(two_gpus)
    lines = [str(frame.statement) for frame in caught.traceback]
    assert any("regu_loss +=" in line for line in lines), lines


@split_model_targets
def test_trainable_tokens_pass_by_what_moves_the_inputs_of_a_head() -> None:
    calls: list[nn.Module] = []

    class Noted(ModelHook):
        def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as in Accelerate
            calls.append(module)
            return args, kwargs

    head = nn.Sequential(nn.Linear(8, 16, bias=False))
    add_hook_to_module(head[0], Noted())
    head(torch.ones(2, 8))
    assert len(calls) == 1
    ours = TrainableTokensConfig(target_modules=["0"], token_indices=[1, 2])
    adapted(ours, head)(torch.ones(2, 8))
    assert len(calls) == 1


@split_model_targets
@each("tied", [False, True])
def test_a_tied_head_is_beside_the_embeddings(*, tied: bool) -> None:
    model = llama(num_hidden_layers=6, vocab_size=1000, tie_word_embeddings=tied)
    model.tie_weights()
    places = infer_auto_device_map(
        model,
        max_memory={0: 700_000, 1: 10**9},
        no_split_module_classes=[*model._no_split_modules],  # noqa: SLF001 - as transformers does
    )
    assert {*places.values()} == {0, 1}
    assert (places["lm_head"] == places["model.norm"]) is not tied


@split_model_targets
def test_trainer_knows_that_a_model_is_spread_by_its_device_map(tmp_path: Path) -> None:
    class Own(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, **batch: Tensor) -> Any:  # noqa: ANN401 - what the model gives
            return self.inner(**batch)

    base = llama()
    base.hf_device_map = {"model": 0, "lm_head": 1}
    model = adapted(lora("q_proj", **CAUSAL), base)
    assert trainer(model, tmp_path).is_model_parallel
    own = Own(model)
    assert not trainer(own, tmp_path).is_model_parallel
    own.hf_device_map = base.hf_device_map
    assert trainer(own, tmp_path).is_model_parallel


@split_model_targets
@each(
    ("bits", "method", "is_copied"),
    [(None, "", True), (None, "gptq", True), (4, "", False), (8, "", False)],
)
def test_trainer_copies_what_is_not_quantized_by_bitsandbytes(  # noqa: PLR0913, PLR0917 - a table
    quantized: Callable[..., nn.Module],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bits: int | None,
    method: str,
    is_copied: bool,  # noqa: FBT001 - a table's column
) -> None:
    base = quantized(bits) if bits else llama()
    if method:
        base.quantization_method = method
    training = trainer(adapted(lora("q_proj", **CAUSAL), base), tmp_path, max_steps=1)
    monkeypatch.setattr(type(training.args), "n_gpu", 2)
    training.train()
    assert isinstance(training.model_wrapped, nn.DataParallel) is is_copied


@split_model_targets
@pytest.mark.usefixtures("one_process")
def test_a_spread_model_is_refused_where_there_are_processes() -> None:
    model = adapted(lora("q_proj", **CAUSAL), llama())
    model.base_model.model.hf_device_map = {"model": 0, "lm_head": 1}
    accelerator = Accelerator(cpu=True)
    accelerator.prepare(model)
    accelerator.state.distributed_type = "MULTI_GPU"
    with refused(
        "You can't train a model that has been loaded with `device_map='auto'`"
    ):
        accelerator.prepare(model)


# --- Offloaded_Layers_Not_Trained -----------------------------------------------------------

offloaded_layers_not_trained = claim("Offloaded_Layers_Not_Trained")


def offloaded() -> nn.Module:
    """Return a Llama whose weights are fetched when a layer runs."""
    return cpu_offload(llama(), execution_device=torch.device("cpu"))


@offloaded_layers_not_trained
def test_an_adapter_on_an_offloaded_layer_has_no_values() -> None:
    assert same(offloaded(), llama())
    for model in (
        adapted(lora("q_proj"), offloaded()),
        inject_adapter_in_model(lora("q_proj"), offloaded()),
    ):
        assert all(weight.is_meta for weight in trainable(model).values())
        loss = model(**WORDS).loss
        with refused(
            "MmBackward0 returned an invalid gradient", RuntimeError
        ) as caught:
            loss.backward()
        assert str(caught.value).endswith("expected device meta but got cpu")
    whole = adapted(lora("q_proj"), llama())
    assert not any(weight.is_meta for weight in whole.parameters())
    steps(whole, adam(whole), 1)


@offloaded_layers_not_trained
def test_a_4_bit_base_that_is_partly_offloaded_is_refused(
    quantized: Callable[..., nn.Module],
) -> None:
    base = quantized()
    base.hf_device_map = {"model": 0, "lm_head": "disk"}
    model = adapted(lora("q_proj", **CAUSAL), base)
    with refused("8-bit or 4-bit precision with CPU or disk offload"):
        Accelerator(cpu=True).prepare(model)


# --- Memory_Of_Activations --------------------------------------------------------------------

memory_of_activations = claim("Memory_Of_Activations")
LARGER = {
    "vocab_size": 256,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
}
BATCH = torch.arange(4 * 128).reshape(4, 128) % 256


def larger(dtype: torch.dtype = torch.float32) -> nn.Module:
    return llama(**LARGER).to(dtype).train()


def kept(model: nn.Module, *batch: Tensor) -> int:
    """Return how many bytes a forward pass keeps that are not weights."""
    weights = {it.untyped_storage().data_ptr() for it in model.parameters()}
    sizes, alive = {}, []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # so that no other gets its place
        return tensor

    model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model(*batch) if batch else model(input_ids=BATCH, labels=BATCH)
    del out
    return sum(sizes.values())


ALL = {"target_modules": "all-linear"}
TWO_TARGETS = {"target_modules": ["q_proj", "v_proj"]}
LAST = TWO_TARGETS | {"layers_to_transform": [3]}


@memory_of_activations
@each(
    ("options", "share"),
    [
        (TWO_TARGETS, 0.72),
        (ALL, 0.92),
        (ALL | {"lora_dropout": 0.1}, 1.40),
        (ALL | {"use_dora": True}, 2.08),
        (LAST, 0.20),
    ],
)
def test_what_an_adapter_keeps_in_fp32(options: dict[str, Any], share: float) -> None:
    model = get_peft_model(larger(), LoraConfig(**options))
    assert kept(model) / kept(larger()) == pytest.approx(share, abs=0.01)


@memory_of_activations
@each(
    ("options", "cast", "share"),
    [(TWO_TARGETS, True, 0.84), (ALL, True, 1.39), (ALL, False, 0.92)],
)
def test_what_an_adapter_keeps_in_bf16(
    options: dict[str, Any], share: float, *, cast: bool
) -> None:
    model = get_peft_model(
        larger(torch.bfloat16), LoraConfig(**options), autocast_adapter_dtype=cast
    )
    full = kept(larger(torch.bfloat16))
    assert kept(model) / full == pytest.approx(share, abs=0.01)


@memory_of_activations
def test_checkpointing_keeps_the_least() -> None:
    model = get_peft_model(larger(), LoraConfig(**ALL))
    model.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    assert kept(model) / kept(larger()) == pytest.approx(0.06, abs=0.01)


class Convolutions(nn.Module):
    """Six convolutions with batch norm."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [3, *[32] * 5]
        layers = [nn.Conv2d(size, 32, 3, padding=1) for size in sizes]
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList([nn.BatchNorm2d(32) for _layer in layers])
        self.head = nn.Linear(32, 10)

    def forward(self, rows: Tensor) -> Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            rows = torch.relu(norm(layer(rows)))
        return self.head(rows.mean((2, 3))).sum()


PICTURES = torch.ones(4, 3, 32, 32)


def on_convolutions(**options: object) -> PeftModel:
    ours = LoraConfig(
        r=16, target_modules=r"layers\.\d", modules_to_save=["head"], **options
    )
    return get_peft_model(Convolutions(), ours)


@memory_of_activations
@each(
    ("options", "share"),
    [({}, 1.25), ({"lora_dropout": 0.1}, 2.07), ({"use_dora": True}, 2.24)],
)
def test_what_an_adapter_keeps_in_convolutions(
    options: dict[str, Any], share: float
) -> None:
    ratio = kept(on_convolutions(**options), PICTURES) / kept(Convolutions(), PICTURES)
    assert ratio == pytest.approx(share, abs=0.01)


# --- Training_Not_Faster ------------------------------------------------------------------------

training_not_faster = claim("Training_Not_Faster")


def work(model: nn.Module, *batch: Tensor) -> tuple[int, int]:
    """Return the multiplications and the number of operations of a step."""
    operations: list[object] = []
    model.train()
    with (
        FlopCounterMode(display=False) as counter,
        Operations(lambda func, _args: operations.append(func)),
    ):
        loss = model(*batch) if batch else model(input_ids=BATCH, labels=BATCH).loss
        loss.backward()
    return counter.get_total_flops(), len(operations)


@training_not_faster
@each(
    ("options", "flops", "number"),
    [
        (TWO_TARGETS, 0.67, 1.01),
        (LAST, 0.41, 0.49),
        (ALL, 0.74, 1.67),
        (ALL | {"lora_dropout": 0.1}, 0.74, 1.82),
        (ALL | {"use_dora": True}, 0.75, 2.57),
    ],
)
def test_a_step_with_an_adapter(
    options: dict[str, Any], flops: float, number: float
) -> None:
    full = work(larger())
    ours = work(get_peft_model(larger(), LoraConfig(**options)))
    assert ours[0] / full[0] == pytest.approx(flops, abs=0.01)
    assert ours[1] / full[1] == pytest.approx(number, abs=0.03)


@training_not_faster
def test_checkpointing_costs_a_forward_pass() -> None:
    model = get_peft_model(larger(), LoraConfig(**ALL))
    model.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    flops, number = work(model)
    full = work(larger())
    assert flops / full[0] == pytest.approx(1.11, abs=0.01)
    assert number / full[1] == pytest.approx(2.65, abs=0.05)


@training_not_faster
def test_on_small_convolutions_an_adapter_needs_more() -> None:
    ours, full = work(on_convolutions(), PICTURES), work(Convolutions(), PICTURES)
    assert ours[0] / full[0] == pytest.approx(1.23, abs=0.01)


# --- Merge_To_Speed_Up ----------------------------------------------------------------------------

merge_to_speed_up = claim("Merge_To_Speed_Up")


def of_two_layers() -> nn.Module:
    return llama(num_hidden_layers=2, intermediate_size=128, use_cache=True)


def forward_pass(model: nn.Module) -> tuple[int, int]:
    """Return the number of operations, and of multiplications of matrices."""
    names: list[str] = []
    model.eval()
    with Operations(lambda func, _args: names.append(str(func))):
        run(model, torch.arange(8)[None], use_cache=False)
    return len(names), sum("mm" in name for name in names)


@merge_to_speed_up
def test_only_active_adapters_that_are_not_merged_are_run() -> None:
    base = forward_pass(of_two_layers())
    assert base == (177, 15)
    ours = lora(**ALL)
    model = adapted(ours, of_two_layers())
    one = forward_pass(model)
    assert one == (317, 15 + 14 * 2)
    for number in range(9):
        model.add_adapter(f"a{number}", ours)
    assert forward_pass(model) == one
    with model.disable_adapter():
        assert forward_pass(model) == base
    model.base_model.set_adapter([f"a{number}" for number in range(9)])
    assert forward_pass(model) == (1437, 15 + 14 * 2 * 9)
    model.set_adapter("default")
    expected = run(model)
    model.merge_adapter()
    assert forward_pass(model) == base
    merged = model.merge_and_unload()
    assert forward_pass(merged) == base
    assert same(merged, expected, 1e-4)


@merge_to_speed_up
def test_dora_runs_more() -> None:
    model = adapted(lora(use_dora=True, **ALL), of_two_layers())
    assert forward_pass(model) == (555, 71)
    expected = run(model)
    with DoraCaching():
        assert forward_pass(model) == (555, 71)
        assert forward_pass(model) == (429, 43)
        assert same(model, expected)
    assert forward_pass(model) == (555, 71)


@merge_to_speed_up
def test_inputs_are_cast_for_an_adapter_of_another_type() -> None:
    base = of_two_layers().bfloat16()
    cast = adapted(lora(**ALL), base)
    kept_in_16_bit = adapted(
        lora(**ALL), of_two_layers().bfloat16(), autocast_adapter_dtype=False
    )
    assert forward_pass(cast)[0] > forward_pass(kept_in_16_bit)[0]


# --- Delete_Adapters_To_Free --------------------------------------------------------------------------

delete_adapters_to_free = claim("Delete_Adapters_To_Free")


def held() -> int:
    """Return how many bytes there are in tensors."""
    gc.collect()
    tensors = [it for it in gc.get_objects() if isinstance(it, Tensor)]
    found = {}
    for tensor in tensors:
        if type(tensor) in {Tensor, nn.Parameter} and tensor.device.type == "cpu":
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
    return sum(found.values())


@delete_adapters_to_free
def test_an_adapter_is_freed_when_it_is_deleted() -> None:
    base = llama()
    before = held()
    model = adapted(lora("q_proj"), base)
    size = held() - before
    assert size == 2 * 4 * 64 * 4
    del model
    assert held() - before == size
    model = PeftModel(llama(), lora("q_proj"))
    del base
    before = held()
    for number in range(5):
        model.add_adapter(f"a{number}", lora("q_proj"))
    assert held() - before == 5 * size
    for number in range(5):
        model.delete_adapter(f"a{number}")
    assert held() == before
    plain = model.unload()
    assert held() - before == -size
    assert not any("lora" in name for name, _weight in plain.named_parameters())


@delete_adapters_to_free
def test_a_merge_frees_the_adapters_too() -> None:
    model = adapted(lora("q_proj"), llama())
    before = held()
    merged = model.merge_and_unload()
    assert held() - before == -2 * 4 * 64 * 4
    assert not any("lora" in name for name, _weight in merged.named_parameters())


@delete_adapters_to_free
def test_a_trainer_and_an_optimizer_hold_the_model(tmp_path: Path) -> None:
    def gone(its: weakref.ref[nn.Parameter]) -> bool:
        gc.collect()
        return its() is None

    model = adapted(lora("q_proj", **CAUSAL), llama())
    training = trainer(model, tmp_path, max_steps=1, save_strategy="no")
    training.train()
    head = weakref.ref(model.base_model.model.lm_head.weight)
    del model
    assert not gone(head)
    del training
    assert gone(head)

    for is_held in (False, True):
        model = adapted(lora(), linear())
        optimizer = torch.optim.AdamW(model.parameters()) if is_held else adam(model)
        weight = weakref.ref(next(model.parameters()))
        del model
        assert gone(weight) is not is_held
    del optimizer
    assert gone(weight)


# --- Slow_Initialization ----------------------------------------------------------------------------------

slow_initialization = claim("Slow_Initialization")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the names of operations."""
    names: list[str] = []
    with Operations(lambda func, _args: names.append(str(func))):
        yield names


@slow_initialization
@each(
    ("operation", "start"),
    [
        ("linalg_svd", "pissa"),
        ("linalg_qr", "olora"),
        ("uniform", True),
        ("normal", "gaussian"),
    ],
)
def test_what_each_start_computes(operation: str, start: object) -> None:
    layer = nn.Sequential(nn.Linear(64, 64))
    with counted() as names:
        adapted(LoraConfig(target_modules=["0"], init_lora_weights=start), layer)
    assert any(operation in name for name in names)
    others = {"linalg_svd", "linalg_qr"} - {operation}
    assert not any(other in name for name in names for other in others)


@slow_initialization
@each("low", [False, True])
@each("method", ["Frod", "OSF", "Psoft", "TinyLora"])
def test_four_methods_decompose_the_weight_whatever_is_loaded_later(
    method: str, *, low: bool
) -> None:
    layer = nn.Sequential(nn.Linear(64, 64))
    with counted() as names:
        adapted(config(method, "0"), layer, low_cpu_mem_usage=low)
    assert any(re.search("linalg_(svd|eig|qr)|geqrf", name) for name in names)


@contextmanager
def shapes_in(operation: str) -> Iterator[list[tuple[int, ...]]]:
    """Collect the shapes of what an operation is given."""
    shapes: list[tuple[int, ...]] = []

    def note(func: object, args: Any) -> None:  # noqa: ANN401 - of any operation
        if operation in str(func):
            shapes.append(tuple(args[0].shape))

    with Operations(note):
        yield shapes


@slow_initialization
def test_dora_computes_the_norm_of_each_whole_weight() -> None:
    with shapes_in("linalg_vector_norm") as shapes:
        adapted(LoraConfig(target_modules=["0"], use_dora=True), linear())
    assert shapes == [tuple(linear()[0].weight.shape)]


@slow_initialization
def test_an_approximation_decomposes_small_matrices() -> None:
    ours = LoraConfig(r=4, target_modules=["0"], init_lora_weights="pissa_niter_4")
    with shapes_in("linalg") as shapes:
        adapted(ours, nn.Sequential(nn.Linear(64, 64)))
    assert shapes
    assert max(map(min, shapes)) == 4


@slow_initialization
def test_loading_without_an_initialization_gives_the_same(tmp_path: Path) -> None:
    adapted(lora(), linear()).save_pretrained(tmp_path)
    drawn: list[bool] = []

    def note(func: object, args: Any) -> None:  # noqa: ANN401 - of any operation
        if "uniform" in str(func):
            drawn.append(args[0].is_meta)

    with Operations(note):
        base = linear()
        number = len(drawn)
        usual = PeftModel.from_pretrained(base, tmp_path)
    assert not all(drawn[number:])
    drawn.clear()
    base = linear()
    with Operations(note):
        low = PeftModel.from_pretrained(base, tmp_path, low_cpu_mem_usage=True)
    assert all(drawn)
    assert same(low, usual)
    empty = get_peft_model(linear(), lora(**NEW), low_cpu_mem_usage=True)
    assert all(weight.is_meta for weight in trainable(empty).values())
    assert loss_of(usual) == pytest.approx(float(usual(ROWS).square().mean()))


@slow_initialization
def test_the_more_adapters_the_more_modules_are_searched() -> None:
    model = adapted(lora(), linear())
    before = len([*model.modules()])
    model.add_adapter("other", lora())
    assert len([*model.modules()]) > before
