"""Bugs that no release has fixed, files of older ones, and the ways around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from conftest import ROOT
from peft import (
    AdaLoraConfig,
    IA3Config,
    LoraConfig,
    TrainableTokensConfig,
    get_peft_model,
)
from peft.tuners.lora.aqlm import AqlmLoraLinear
from peft.tuners.lora.awq import AwqLoraLinear
from peft.tuners.lora.gptq import GPTQLoraLinear
from peft.tuners.lora.te import TeLinear
from peft.tuners.lora.tp_layer import LoraParallelLinear
from peft.utils import ModulesToSaveWrapper
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BertConfig,
    BertForMaskedLM,
    LlamaForQuestionAnswering,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    T5Config,
    T5ForConditionalGeneration,
    TrainerCallback,
)
from transformers.modeling_outputs import CausalLMOutput

from claims.models import (
    CAUSAL,
    PROMPT,
    ROWS,
    SIZES,
    SMALL,
    adapted,
    all_learn,
    claim,
    config,
    distance,
    each,
    experts,
    identical,
    linear,
    llama,
    loaded,
    lora,
    run,
    said,
    same,
    saved,
    settings,
    trainable,
    trained,
    trainer,
    warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peft import PeftConfig, PeftModel
    from transformers import TrainerState

update_first = claim("Update_First")

GUIDE = (ROOT / "docs/guides/update-first.md").read_text(encoding="utf-8")
OLDER = (ROOT / "docs/guides/older-code.md").read_text(encoding="utf-8")
SECTION = GUIDE.partition("## What is not fixed in PEFT ")[2]
SECTION += OLDER.partition("(older-files)=")[2].partition("(older-merged-linear)=")[0]
ROWS_OF_TABLE = [line for line in SECTION.splitlines() if line.startswith("| ")]


def printed(message: str) -> bool:
    """Return whether a row of the section has a message, `…` being what varies."""
    for row in ROWS_OF_TABLE:
        for code in re.findall(r"`` ?(.+?) ?``|`([^`]+)`", row):
            text = "".join(code)
            parts = [re.escape(part) for part in text.split("…")]
            if " " in text and re.search(".*".join(parts), message):
                return True
    return False


def refusal(call: Callable[[], object]) -> str:
    """Return the error of a call as Python prints it."""
    with pytest.raises(Exception, match=r".") as caught:
        call()
    return f"{caught.typename}: {caught.value}"


def functions() -> dict[str, Any]:
    """Return what the code of the section defines."""
    found: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL):
        exec(code, found)  # noqa: S102 - the guide's own code
    return found


@update_first
def test_no_cell_of_the_section_is_long() -> None:
    cells = [cell for row in ROWS_OF_TABLE for cell in row.strip("| ").split(" | ")]
    assert [cell for cell in cells if len(cell) > 220] == []
    assert printed("KeyError: 'cache_position'")
    assert not printed("KeyError: 'another'")


# -- AdaLoRA without a task type -------------------------------------------------------


def adalora(**options: object) -> AdaLoraConfig:
    sizes = {"init_r": 4, "target_r": 2, "total_step": 10, "orth_reg_weight": 0.5}
    return AdaLoraConfig(**sizes | options)


def t5() -> nn.Module:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    return T5ForConditionalGeneration(
        T5Config(vocab_size=64, decoder_start_token_id=0, **sizes)
    ).eval()


TASKS: dict[str, tuple[Callable[[], nn.Module], dict[str, Tensor]]] = {
    "CAUSAL_LM": (llama, {"labels": PROMPT}),
    "SEQ_2_SEQ_LM": (t5, {"labels": PROMPT}),
    "SEQ_CLS": (
        lambda: llama(LlamaForSequenceClassification, pad_token_id=0),
        {"labels": torch.tensor([1, 0])},
    ),
    "TOKEN_CLS": (
        lambda: llama(LlamaForTokenClassification),
        {"labels": torch.ones(2, 8, dtype=torch.long)},
    ),
    "QUESTION_ANS": (
        lambda: llama(LlamaForQuestionAnswering),
        {name: torch.tensor([1, 2]) for name in ("start_positions", "end_positions")},
    ),
    "FEATURE_EXTRACTION": (llama, {"labels": PROMPT}),
}


@update_first
@each("task", TASKS)
def test_only_a_task_type_brings_adaloras_regularization(task: str) -> None:
    base, labels = TASKS[task]
    target = "q" if task == "SEQ_2_SEQ_LM" else "q_proj"

    def added(task_type: str | None) -> float:
        settings = adalora(target_modules=[target], task_type=task_type)
        model = trained(adapted(settings, base()))
        loss = model(input_ids=PROMPT, **labels).loss
        plain = model.get_base_model()(input_ids=PROMPT, **labels).loss
        return (loss - plain).item()

    assert added(None) == 0
    assert added(task) > 0.1


class Own(nn.Module):
    """A model that is not from transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin(x)


class WithLoss(Own):
    def forward(self, x: Tensor) -> CausalLMOutput:
        return CausalLMOutput(loss=self.lin(x).square().mean())


@update_first
def test_adaloras_regularization_can_be_added_by_hand() -> None:
    orthogonality = functions()["orthogonality"]
    model = trained(adapted(adalora(target_modules=["lin"]), WithLoss()))
    loss, wanted = model(ROWS).loss, model.base_model(ROWS).loss
    assert (wanted - loss).item() > 0.1
    assert torch.allclose(loss + orthogonality(model), wanted)

    base, labels = TASKS["CAUSAL_LM"]
    model = trained(adapted(adalora(target_modules=["q_proj"], **CAUSAL), base()))
    wanted = model(input_ids=PROMPT, **labels).loss
    loss = model.get_base_model()(input_ids=PROMPT, **labels).loss
    assert torch.allclose(loss + orthogonality(model), wanted)

    own = trained(adapted(adalora(target_modules=["lin"]), Own()))
    assert identical(own(ROWS), own.base_model(ROWS)), "there is no loss to add it to"
    (own(ROWS).square().mean() + orthogonality(own)).backward()
    factors = [w.grad for name, w in trainable(own).items() if "lora_A" in name]
    assert all(grad.abs().max() > 0 for grad in factors)


@update_first
def test_a_task_type_does_not_fit_a_model_of_ones_own() -> None:
    causal = adalora(target_modules=["lin"], **CAUSAL)
    with pytest.raises(AttributeError, match="prepare_inputs_for_generation"):
        adapted(causal, Own())
    features = adalora(target_modules=["lin"], task_type="FEATURE_EXTRACTION")
    with pytest.raises(TypeError, match="unexpected keyword argument 'input_ids'"):
        adapted(features, Own())(ROWS)


# -- what is refused -------------------------------------------------------------------


@update_first
@each(
    "kind",
    [GPTQLoraLinear, AwqLoraLinear, AqlmLoraLinear, TeLinear, LoraParallelLinear],
)
def test_layers_that_refuse_dora(kind: type[nn.Module]) -> None:
    # EETQ's layer has the same line, and is there only where EETQ is installed.
    class Backend:
        RowParallelLinear = nn.Linear

    options = {"backend": Backend} if kind is LoraParallelLinear else {}
    dora = LoraConfig(use_dora=True)
    error = refusal(lambda: kind(nn.Linear(4, 4), "default", config=dora, **options))
    assert error.startswith(f"ValueError: {kind.__name__} does not support DoRA yet")
    assert printed(error)


@update_first
def test_dora_works_in_4_bit(quantized: Callable[..., nn.Module]) -> None:
    dora = LoraConfig(target_modules=["q_proj"], use_dora=True, **CAUSAL)
    before = run(quantized(4))
    model = adapted(dora, quantized(4)).train()
    assert distance(model, before) < 0.01
    assert all_learn(model)
    learned = run(trained(model, 1.0).train())
    assert distance(learned, before) > 0.02
    model.eval()
    assert distance(model, learned) < 0.01
    assert same(run(model), run(model))


@update_first
@each("training", [True, False])
def test_dora_in_8_bit_can_be_called_once_on_the_cpu(
    quantized: Callable[..., nn.Module], *, training: bool
) -> None:
    def model(*, use_dora: bool) -> PeftModel:
        options = LoraConfig(target_modules=["q_proj"], use_dora=use_dora, **CAUSAL)
        return adapted(options, quantized(8)).train(training)

    dora = model(use_dora=True)
    assert distance(dora, quantized(8)) < 0.02
    assert printed(refusal(lambda: run(dora)))
    plain = model(use_dora=False)
    assert same(run(plain), run(plain))


@update_first
@each("bits", [4, 8])
def test_ia3_is_merged_on_a_base_that_is_not_quantized(
    bits: int, quantized: Callable[..., nn.Module], tmp_path: Path
) -> None:
    ia3 = IA3Config(target_modules=["q_proj"], feedforward_modules=[], **CAUSAL)
    model = trained(adapted(ia3, quantized(bits)))
    error = refusal(model.merge_and_unload)
    assert error.endswith(
        f"Cannot merge ia3 layers when the model is loaded in {bits}-bit mode"
    )
    assert printed(error)
    model.save_pretrained(tmp_path)
    plain = loaded(tmp_path, llama())
    before = run(plain)
    assert not same(before, llama())
    assert same(plain.merge_and_unload(), before)


class Grouped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.groups = nn.Conv2d(4, 4, 3, groups=2)
        self.plain = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.plain(self.groups(x))


@update_first
def test_lora_is_not_merged_into_groups() -> None:
    image = torch.randn(1, 4, 5, 5)
    both = lora("groups", "plain")
    model = adapted(both, Grouped())
    with model.disable_adapter():
        before = model(image)
    assert not same(model(image), before)
    assert printed(refusal(model.merge_and_unload))
    both.exclude_modules = ["groups"]
    model = adapted(both, Grouped())
    wanted = model(image)
    assert same(model.merge_and_unload()(image), wanted)


IMAGE = torch.randn(2, 4, 10, 10, generator=torch.Generator().manual_seed(0))
VOXELS = torch.randn(2, 4, 6, 6, 6, generator=torch.Generator().manual_seed(0))
#: Layers with what an adapter does not take over, and an input.
UNUSUAL: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "dilation": (lambda: nn.Conv2d(4, 8, 3, dilation=2, padding=2), IMAGE),
    "dilation, same": (lambda: nn.Conv2d(4, 8, 3, dilation=2, padding="same"), IMAGE),
    "dilation, 1d": (lambda: nn.Conv1d(4, 8, 3, dilation=2), IMAGE[:, :, 0]),
    "dilation, 3d": (lambda: nn.Conv3d(4, 8, 3, dilation=2, padding=2), VOXELS),
    "circular": (lambda: nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular"), IMAGE),
    "reflect": (
        lambda: nn.Conv1d(4, 8, 3, padding=1, padding_mode="reflect"),
        IMAGE[:, :, 0],
    ),
    "replicate": (
        lambda: nn.Conv2d(4, 8, 3, padding=1, padding_mode="replicate"),
        IMAGE,
    ),
}


def convolution(name: str, method: PeftConfig) -> tuple[PeftModel, Tensor]:
    """Return an adapted convolution whose adapter changes the output, and an input."""
    layer, given = UNUSUAL[name]
    return trained(adapted(method, nn.Sequential(layer()))), given


def merge_is_true(model: PeftModel, given: Tensor) -> bool:
    before = model(given)
    with model.disable_adapter():
        assert not same(model(given), before), "the adapter does nothing"
    return same(model.merge_and_unload()(given), before, atol=1e-4)


@update_first
@each("dora", [False, True])
@each("name", UNUSUAL)
def test_lora_reads_its_input_unlike_the_convolution_beside_it(
    name: str, *, dora: bool
) -> None:
    fit = functions()["fit_convolutions"]
    model, given = convolution(name, lora("0", use_dora=dora))
    if name.startswith("dilation") and "same" not in name:
        error = refusal(lambda: model(given))
        assert "must match the size of tensor b" in error
        assert re.search(r"The size of tensor a \(\d+\) must", error)
    else:
        assert not merge_is_true(model, given)
    model, given = convolution(name, lora("0", use_dora=dora))
    fit(model)
    assert merge_is_true(model, given)


@update_first
@each("method", ["Hira", "LoHa", "LoKr", "AdaLora", "IA3", "BOFT", "HRA", "OFT"])
def test_other_methods_on_dilation_and_padding_modes(method: str) -> None:
    options: dict[str, dict[str, object]] = {
        "AdaLora": {"total_step": 10},
        "IA3": {"feedforward_modules": []},
        "BOFT": {"boft_block_size": 2},
        "HRA": {"r": 2},
        "OFT": {"oft_block_size": 4, "r": 0},
    }
    settings = config(method, "0", **options.get(method, {}))
    if method == "OFT":
        error = refusal(lambda: convolution("dilation", settings))
        assert printed(error)
    elif method in {"BOFT", "HRA"}:
        model, given = convolution("dilation", settings)
        assert model(given).shape[-1] == 12
        assert model.merge_and_unload()(given).shape == (2, 8, 10, 10)
    else:
        assert merge_is_true(*convolution("dilation", settings))
        assert merge_is_true(*convolution("dilation, same", settings))
    is_right = method == "IA3"
    for name in ("circular", "replicate"):
        assert merge_is_true(*convolution(name, settings)) is is_right


@update_first
@each("channels", [(4, 8), (4, 4)])
@each("kernel", [1, (1, 1, 3)])
def test_convolutions_of_three_dimensions_with_small_kernels(
    kernel: int | tuple[int, ...], channels: tuple[int, int]
) -> None:
    def base() -> nn.Module:
        return nn.Sequential(nn.Conv3d(*channels, kernel))

    model = adapted(lora("0"), base())
    assert model(VOXELS).isfinite().all()
    for options in ({}, {"safe_merge": True}):
        assert printed(refusal(lambda: model.merge_and_unload(**options)))  # noqa: B023
    hira = config("Hira", "0", r=4)
    assert printed(refusal(lambda: adapted(hira, base())(VOXELS)))
    ia3 = trained(
        adapted(IA3Config(target_modules=["0"], feedforward_modules=[]), base())
    )
    assert merge_is_true(ia3, VOXELS)
    other = nn.Sequential(nn.Conv3d(4, 4, (1, 3, 3)))
    assert merge_is_true(adapted(lora("0"), other), VOXELS)


@update_first
@each("kernel", [1, 2, 3])
def test_oft_changes_a_convolution_with_a_larger_kernel(kernel: int) -> None:
    base = nn.Sequential(nn.Conv2d(4, 8, kernel))
    plain = base(IMAGE)
    for method, options in (
        ("OFT", {"oft_block_size": 4, "r": 0}),
        ("BOFT", {"boft_block_size": 2}),
        ("HRA", {"r": 2}),
    ):
        model = adapted(config(method, "0", **options), base).eval()
        is_wrong = method == "OFT" and kernel > 1
        assert same(model(IMAGE), plain, atol=1e-4) is not is_wrong
        assert same(model.merge_and_unload()(IMAGE), plain, atol=1e-4)


@update_first
def test_a_bias_of_lora_is_not_merged_where_the_base_has_none() -> None:
    def model(*, lora_bias: bool) -> PeftModel:
        base = nn.Sequential(nn.Linear(16, 16, bias=False))
        return adapted(lora("0", lora_bias=lora_bias), base)

    assert run(model(lora_bias=True)).isfinite().all()
    for options in ({}, {"safe_merge": True}):
        biased = model(lora_bias=True)
        error = refusal(lambda: biased.merge_and_unload(**options))  # noqa: B023
        assert error.startswith("RuntimeError: Impossible to merge LoRA with `lora_")
        assert printed(error)
    plain = model(lora_bias=False)
    wanted = run(plain)
    assert same(plain.merge_and_unload(), wanted)


@update_first
@each(
    ("family", "half", "whole"),
    [
        ("mixtral", ["w1"], ["w1", "w2", "w3"]),
        ("mixtral", ["w3", "w2"], ["w1", "w2", "w3"]),
        ("qwen3_moe", ["gate_proj"], ["gate_proj", "up_proj", "down_proj"]),
        ("deepseek_v3", ["gate_proj"], ["gate_proj", "up_proj", "down_proj"]),
    ],
)
def test_fused_experts_are_targeted_together(
    family: str, half: list[str], whole: list[str]
) -> None:
    error = refusal(lambda: adapted(lora(*half), experts(family)))
    assert "without also targeting" in error
    assert printed(error)
    model = adapted(lora(*whole), experts(family))
    assert {name.rpartition(".")[2] for name in model.targeted_parameter_names} == {
        "gate_up_proj",
        "down_proj",
    }
    assert not same(model, experts(family))


# -- a prompt and a static cache -------------------------------------------------------


def qwen3() -> nn.Module:
    torch.manual_seed(0)
    sizes = SIZES | {"num_key_value_heads": 2, "head_dim": 16}
    config = AutoConfig.for_model("qwen3", **sizes, eos_token_id=2, pad_token_id=0)
    return AutoModelForCausalLM.from_config(config).eval()


def gemma3() -> nn.Module:
    torch.manual_seed(0)
    sizes = SMALL | {"head_dim": 8, "num_hidden_layers": 6}
    config = AutoConfig.for_model("gemma3_text", **sizes, eos_token_id=2)
    return AutoModelForCausalLM.from_config(config).eval()


BASES = {"llama": lambda: llama(use_cache=True), "qwen3": qwen3, "gemma3": gemma3}
STATIC = {"cache_implementation": "static"}
#: Without the token for padding.
GIVEN = PROMPT + 3


def generated(model: nn.Module, **options: object) -> Tensor:
    asked = {"max_new_tokens": 3, "do_sample": False, "pad_token_id": 0}
    return model.generate(input_ids=GIVEN, **asked | options)


@update_first
@each("mask", [{}, {"attention_mask": torch.ones_like(PROMPT)}], ids=["no", "mask"])
@each("method", ["PromptTuning", "PromptEncoder", "PrefixTuning"])
@each("base", BASES)
def test_a_prompt_does_not_go_with_a_static_cache(
    base: str, method: str, mask: dict[str, Tensor]
) -> None:
    model = trained(adapted(config(method, **CAUSAL), BASES[base]()))
    assert printed(refusal(lambda: generated(model, **mask, **STATIC)))
    made = generated(model, **mask, use_cache=False)
    wanted = GIVEN
    # with a prefix, only the first token is right in transformers 5.24
    number = 1 if method == "PrefixTuning" else 3
    for _token in range(number):
        logits = run(model, wanted, attention_mask=torch.ones_like(wanted))
        wanted = torch.cat([wanted, logits[:, -1:].argmax(-1)], dim=1)
    assert identical(made[:, : 8 + number], wanted)


@update_first
@each("base", BASES)
def test_lora_goes_with_a_static_cache(base: str) -> None:
    model = adapted(lora("q_proj", "o_proj", **CAUSAL), BASES[base]())
    mask = {"attention_mask": torch.ones_like(PROMPT)}
    assert identical(generated(model, **mask, **STATIC), generated(model, **mask))


# -- transformers ----------------------------------------------------------------------


@update_first
def test_enable_adapters_leaves_modules_to_save_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def base() -> nn.Module:
        return llama(LlamaForSequenceClassification, pad_token_id=0)

    both = lora("q_proj", modules_to_save=["score"])
    for call in (
        lambda: base().add_adapter(both),
        base().disable_adapters,
        base().enable_adapters,
    ):
        assert printed(refusal(call))
    # up to 5.23, these methods take the installed PEFT, and do the same
    check = "transformers.integrations.peft.check_peft_version"
    monkeypatch.setattr(check, lambda **_options: None)

    model = base()
    model.add_adapter(both)
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            module.modules_to_save["default"].weight.data += 1
    before = run(model)
    model.disable_adapters()
    assert same(model, base())
    model.enable_adapters()
    assert not same(model, before)
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            module.enable_adapters(enabled=True)
    assert same(model, before)

    model = trained(adapted(both, base()))
    before = run(model)
    with model.disable_adapter():
        assert same(model, base())
    assert same(model, before)


class Weights(TrainerCallback):
    """Keeps the weights of each step."""

    def __init__(self) -> None:
        self.at: dict[int, dict[str, Tensor]] = {}

    def on_evaluate(
        self,
        _args: object,
        state: TrainerState,
        _control: object,
        model: nn.Module,
        **_options: object,
    ) -> None:
        weights = trainable(model).items()
        self.at[state.global_step] = {name: it.detach().clone() for name, it in weights}


@update_first
@each("name", ["default", "mine"])
def test_the_best_adapter_is_loaded_only_if_it_is_the_default(
    name: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    model = adapted(lora("q_proj", **CAUSAL), llama(), adapter_name=name)
    training = trainer(
        model,
        tmp_path,
        max_steps=3,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=1,
        save_steps=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=True,  # such that the last is not the best
        learning_rate=0.1,
    )
    weights = Weights()
    training.add_callback(weights)
    training.train()
    folder = training.state.best_model_checkpoint
    best, last = weights.at[int(folder.rpartition("-")[2])], weights.at[3]

    def has(wanted: dict[str, Tensor]) -> bool:
        now = dict(model.named_parameters())
        return all(identical(now[it], weight) for it, weight in wanted.items())

    assert not any(identical(best[it], last[it]) for it in best)
    if name == "default":
        assert has(best)
        assert not any("Could not locate" in text for text in logged.messages)
    else:
        assert has(last)
        said_of_it = [text for text in logged.messages if "Could not locate" in text]
        assert printed(said_of_it[0])
        model.load_adapter(f"{folder}/{name}", name)
        assert has(best)


@update_first
@each("bits", [4, 8])
def test_a_quantized_checkpoint_is_saved_in_its_own_format_only(
    bits: int, quantized: Callable[..., nn.Module], tmp_path: Path
) -> None:
    def reloaded(folder: Path) -> nn.Module:
        return AutoModelForCausalLM.from_pretrained(folder).train()

    def merged(base: nn.Module) -> nn.Module:
        model = adapted(lora("q_proj", **CAUSAL), base).train()
        assert not same(model, quantized(bits))
        return model.merge_and_unload()

    at_load = merged(quantized(bits))
    at_load.save_pretrained(tmp_path / "at load")
    assert same(reloaded(tmp_path / "at load"), at_load)

    quantized(bits).save_pretrained(tmp_path / "base")
    plain = reloaded(tmp_path / "base")
    for model in (plain, merged(plain)):
        with pytest.raises(NotImplementedError) as caught:
            model.save_pretrained(tmp_path / "refused")
        assert str(caught.value) == ""
        last = caught.traceback[-1]
        assert printed(f'"{last.path}", line {last.lineno + 1}, in {last.name}')
        folder = tmp_path / "saved"
        model.save_pretrained(folder, save_original_format=False)
        assert same(reloaded(folder), model)


# -- adapters of older releases --------------------------------------------------------


def stored(folder: Path, weights: dict[str, Tensor]) -> None:
    path = folder / "adapter_model.safetensors"
    save_file(weights, path, metadata={"format": "pt"})


@update_first
def test_an_adapter_of_bone_is_one_of_miss(tmp_path: Path) -> None:
    """PEFT 0.15.2 and 0.18.1 saved such files, which gave their outputs, too."""
    miss = trained(adapted(config("Miss", "0", "2")))
    miss.save_pretrained(tmp_path)
    settings(tmp_path, peft_type="BONE")
    bone = {
        name.replace("miss_block", "bone_block"): weight
        for name, weight in saved(tmp_path).items()
    }
    assert {name.rpartition(".")[2] for name in bone} == {"bone_block"}
    stored(tmp_path, bone)
    assert printed(refusal(lambda: loaded(tmp_path)))
    settings(tmp_path, peft_type="MISS")
    with said() as texts:
        without = loaded(tmp_path)
    assert same(without, linear())
    assert "missing adapter keys" in texts[0]
    stored(tmp_path, functions()["as_miss"](bone))
    assert not same(miss, linear())
    assert same(loaded(tmp_path), miss)


@update_first
def test_an_old_adapter_of_oft_has_no_effect(tmp_path: Path) -> None:
    """PEFT 0.15.2 saved these names and shapes; there, they had an effect."""
    adapted(config("OFT", "0", "2")).save_pretrained(tmp_path)
    old = {
        f"base_model.model.{layer}.{name}": torch.randn(shape)
        for layer in ("0", "2")
        for name, shape in {"oft_r": (8, 2, 2), "oft_s": (16, 1)}.items()
    }
    stored(tmp_path, old)
    settings(tmp_path, r=8, oft_block_size=0)
    with warned("Found missing adapter keys"):
        model = loaded(tmp_path)
    assert printed("Found missing adapter keys")
    assert same(model, linear())
    # the check that 0.16 to 0.20 had, where the names went on after `oft_r`
    stored(tmp_path, {f"{name}.weight": weight for name, weight in old.items()})
    assert printed(refusal(lambda: loaded(tmp_path)))


@update_first
@each("family", ["mixtral", "qwen3_moe", "gpt_oss"])
def test_the_factors_of_experts_can_be_exchanged(family: str, tmp_path: Path) -> None:
    """PEFT 0.18.1 and 0.19.0 saved these shapes, and their outputs were the same."""
    swapped = functions()["swapped"]
    names = ["experts.gate_up_proj", "experts.down_proj"]
    both = LoraConfig(
        r=2, target_modules=[], target_parameters=names, init_lora_weights=False
    )
    model = adapted(both, experts(family)).eval()
    model.save_pretrained(tmp_path)
    old = swapped(saved(tmp_path), 4)
    outer = {name: it for name, it in old.items() if ".0.mlp.experts.base_" in name}
    assert [it.shape for it in outer.values()] == {
        "mixtral": [(8, 128), (32, 8)],
        "qwen3_moe": [(8, 64), (32, 8)],
        "gpt_oss": [(8, 128), (32, 8)],
    }[family]
    for name, weight in old.items():
        if name.endswith("lora_A.weight") and name in outer:
            other = old[name.replace("lora_A", "lora_B")]
            new = {key: it for key, it in saved(tmp_path).items() if key in outer}
            a, b = new[name], new[name.replace("lora_A", "lora_B")]
            for expert in range(4):
                ours = b[:, expert::4] @ a.reshape(4, 2, -1)[expert]
                theirs = other[:, expert::4] @ weight.reshape(4, 2, -1)[expert]
                assert same(ours, theirs.T)
    stored(tmp_path, old)
    error = refusal(lambda: loaded(tmp_path, experts(family)))
    assert printed(error.splitlines()[1])
    stored(tmp_path, swapped(saved(tmp_path), 4))
    assert not same(model, experts(family))
    assert same(loaded(tmp_path, experts(family)), model)


@update_first
def test_factors_of_square_experts_give_no_error(tmp_path: Path) -> None:
    options = {"target_modules": [], "target_parameters": ["experts.down_proj"]}
    square = LoraConfig(r=2, init_lora_weights=False, **options)
    model = adapted(square, experts("qwen3_moe")).eval()
    model.save_pretrained(tmp_path)
    stored(tmp_path, functions()["swapped"](saved(tmp_path), 4))
    assert distance(loaded(tmp_path, experts("qwen3_moe")), model) > 0.01


@update_first
def test_trainable_tokens_leave_out_the_bias_of_a_tied_head() -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}
    bert = BertForMaskedLM(BertConfig(vocab_size=64, intermediate_size=32, **sizes))
    nn.init.normal_(bert.cls.predictions.bias)
    bias = bert.cls.predictions.bias.detach().clone()
    row = torch.arange(8)[None]
    with torch.no_grad():
        expected = bert.eval()(input_ids=row).logits
        tokens = TrainableTokensConfig(
            token_indices=[1, 2], target_modules=["word_embeddings"]
        )
        model = get_peft_model(bert, tokens).eval()
        assert torch.allclose(model(input_ids=row).logits, expected - bias, atol=1e-5)
        model.merge_adapter()
        assert torch.allclose(model(input_ids=row).logits, expected, atol=1e-5)


@update_first
def test_the_end_of_disable_adapter_switches_a_mixed_model_on() -> None:
    mixed, plain = adapted(lora(), mixed=True).eval(), adapted(lora()).eval()
    for model in mixed, plain:
        with model.disable_adapter():
            with model.disable_adapter():
                assert same(model, linear())
            assert same(model, linear()) == (model is plain)
        assert not same(model, linear())
        model.base_model.disable_adapter_layers()
        assert same(model, linear())
        with model.disable_adapter():
            assert same(model, linear())
        assert same(model, linear()) == (model is plain)
    mixed.base_model.disable_adapter_layers()
    assert same(mixed, linear())
    mixed.base_model.enable_adapter_layers()
    assert not same(mixed, linear())


@update_first
@each(
    ("targets", "option", "names"),
    [
        (["embed_tokens"], "auto", {"embed_tokens"}),
        (["model.embed_tokens"], "auto", set()),
        (["model.embed_tokens"], True, {"embed_tokens", "lm_head"}),
    ],
)
def test_the_full_name_of_an_embedding_leaves_its_weight_out(
    *, targets: list[str], option: bool | str, names: set[str], tmp_path: Path
) -> None:
    base = llama()
    nn.init.normal_(base.get_input_embeddings().weight)
    model = adapted(lora(**CAUSAL, target_modules=targets), base).eval()
    model.save_pretrained(tmp_path, save_embedding_layers=option)
    weights = [name.split(".") for name in saved(tmp_path) if name.endswith(".weight")]
    assert {name for parts in weights for name in parts} & {
        "embed_tokens",
        "lm_head",
    } == names
    assert same(loaded(tmp_path, llama()), model) == bool(names)


def bodied(name: str) -> nn.Module:
    """Return a body of a layer `first` and one of that name, and such a layer at the top."""
    body = nn.Sequential()
    body.add_module("first", nn.Linear(16, 16))
    body.add_module(name, nn.Linear(16, 16))
    model = nn.Sequential()
    model.add_module("body", body)
    model.add_module(name, nn.Linear(16, 16))
    return model


def full(base: nn.Module, name: str) -> set[str]:
    """Return the layers that are trained in full beside LoRA on the first."""
    model = adapted(lora("first", modules_to_save=[name]), base).base_model.model
    named = model.named_modules()
    return {key for key, it in named if isinstance(it, ModulesToSaveWrapper)}


@update_first
def test_the_end_of_a_name_in_lora_is_no_module_to_save() -> None:
    for name in "out", "A", "B":
        error = refusal(lambda name=name: full(bodied(name), name))
        assert "ModuleDict" in error
        assert printed(error)
        assert full(bodied(name), f"body.{name}") == {f"body.{name}"}
        assert full(bodied(name), f"model.{name}") == set()
    assert full(bodied("final"), "final") == {"final", "body.final"}
    assert full(bodied("layer"), "layer") == {
        "layer",
        "body.layer",
        "body.first.base_layer",
    }
