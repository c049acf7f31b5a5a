"""What each method can do: the tables of the guide, and what it says around them."""

from __future__ import annotations

import inspect
import json
import re
import runpy
import warnings
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from bitsandbytes.functional import has_avx512bf16
from conftest import ROOT
from peft import (
    AdaLoraConfig,
    C3AConfig,
    IA3Config,
    LoHaConfig,
    LoraConfig,
    OSFConfig,
    PeftModel,
    PeftType,
    TrainableTokensConfig,
    VeraConfig,
    get_peft_model,
    prepare_model_for_kbit_training,
)
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.checkpoint import CheckpointError
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    ViTConfig,
    ViTForImageClassification,
)

from claims.models import (
    Loader,
    adapted,
    claim,
    distance,
    each,
    llama,
    lora,
    run,
    same,
    trained,
    xlora,
)

if TYPE_CHECKING:
    from pathlib import Path

TOOL = runpy.run_path(str(ROOT / "tools/methods.py"))
DATA = ROOT / "tests/peft/methods.json"
FOUND: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs/guides/methods.md").read_text(encoding="utf-8")

target_layer = claim("Unsupported_Target_Layer")
names_ignored = claim("Adapter_Names_Silently_Ignored")
codes_read = claim("Eight_Bit_Codes_Read_As_Weights")
weighted_rules = claim("Weighted_Adapter_Rules")
x_lora = claim("XLora_Adapters_By_Number")
mutating_init = claim("Mutating_Init_Base_Weights")

#: What the guide quotes that is not the answer to a question of the tables; other tests
#: show it.
ELSEWHERE = {
    "`effective_rank` should be a positive integer value but the value passed is 0",
    "The size of tensor a … must match the size of tensor b …",
    "Module 'conv1d' is incompatible with Mamba-based models",
    "output with shape [1792, 1, 4] doesn't match the broadcast shape [1792, 1792, 4]",
    "Specified to load vera_A and vera_B from state dictionary however they were not present!",
    "AdaLoraModel supports only 1 trainable adapter.",
    "LoraModel supports only 1 adapter with bias. When using multiple adapters, set bias to 'none' for all adapters.",
    "Cannot merge an active Arrow router adapter. Remove it first.",
    "'BlockDiagonalLinear' object has no attribute 'bias'",
    "SHiRA does not support nested base layers",
    "Found missing adapter keys",
    "'NoneType' object has no attribute 'dtype'",
    "DoRA does not support megatron_core, please set `use_dora=False`.",
    "LoHaConfig.__init__() got an unexpected keyword argument 'use_dora'",
}


def texts(found: object) -> list[str]:
    """Return all that was found."""
    if isinstance(found, dict):
        return [text for it in found.values() for text in texts(it)]
    return [str(found)]


def kinds(found: object) -> object:
    """Return what was found, and of an error its type alone."""
    if isinstance(found, dict):
        return {key: kinds(it) for key, it in found.items()}
    return re.sub(r"^(\w+): .*", r"\1", found) if isinstance(found, str) else found


def spans(text: str) -> list[str]:
    """Return what is in backticks, single or double."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"\{[\w:]+\}`[^`]*`", "", prose)
    found = re.findall(r"(?<![`}])(`+)(?!`)(.*?)(?<!`)\1(?!`)", prose, re.DOTALL)
    return [" ".join(span.split()) for _ticks, span in found]


@target_layer
def test_all_methods_are_in_the_tables() -> None:
    assert FOUND["peft"] == peft.__version__
    assert sorted(FOUND["methods"]) == sorted(it.value for it in PeftType)
    assert sorted(TOOL["METHODS"]) == sorted(FOUND["methods"])
    assert f"PEFT's {len(FOUND['methods'])} methods" in GUIDE
    assert f"PEFT {peft.__version__}" in GUIDE


@target_layer
def test_tables_are_those_of_the_answers() -> None:
    made = TOOL["tables"](FOUND)
    assert TOOL["written"](GUIDE, made) == GUIDE
    assert {*TOOL["TABLE"].findall(GUIDE)} == {*made}


NOT_FIXED: dict[str, list[str]] = json.loads(
    (ROOT / "tests/peft/not_fixed.json").read_text(encoding="utf-8")
)


def rows_that_are_not_fixed() -> list[str]:
    """Return what is seen in the rows of *What is not fixed*."""
    page = (ROOT / "docs/guides/update-first.md").read_text(encoding="utf-8")
    section = page.partition("## What is not fixed")[2].partition("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table
    return [line.split(" | ")[0] for line in table[0].splitlines()[2:]]


@target_layer
def test_what_is_not_fixed_is_no_yes_in_a_table() -> None:
    """`not_fixed.json` says for each row that names a method which answers it is about."""
    rows = rows_that_are_not_fixed()
    for words, answers in NOT_FIXED.items():
        named = [words in row for row in rows].count(True)
        assert named == 1 or (named == 0 and not answers), words
        for name in answers:
            method, _, path = name.partition(": ")
            found = FOUND["methods"].get(method) or FOUND["options"][method]
            said = TOOL["words"](found, path, "wrong")
            assert {*said.values()} != {"yes"}, name


@target_layer
def test_each_row_that_names_a_method_says_which_answers_it_is_about() -> None:
    labels = [*(it["label"] for it in FOUND["methods"].values()), *FOUND["options"]]
    names = [*labels, "Trainable tokens", "OFT", "ia3 layers"]
    named = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w)")
    missing = [
        row
        for row in rows_that_are_not_fixed()
        if named.search(row) and not any(words in row for words in NOT_FIXED)
    ]
    assert missing == []


@target_layer
def test_quoted_messages_are_as_they_were_raised() -> None:
    raised = "\n".join(texts(FOUND))
    of_messages = [
        span
        for span in spans(GUIDE)
        if len(span.split()) > 3 and span not in ELSEWHERE and "=" not in span[:12]
    ]
    assert len(of_messages) > 40
    assert [span for span in of_messages if span not in raised] == []
    assert {*spans(GUIDE)} >= ELSEWHERE


@target_layer
@each(
    ("name", "layer"),
    [
        ("LORA", "Conv3d"),
        ("LORA", "MultiheadAttention"),
        ("LOHA", "Conv1D"),
        ("OFT", "Conv2d"),
        ("VERA", "Embedding"),
    ],
)
def test_layers_today(name: str, layer: str) -> None:
    answer = TOOL["answer"](TOOL["takes"], name, layer)
    assert answer == FOUND["methods"][name]["layers"][layer]


@names_ignored
@each(
    ("name", "question"),
    [
        ("ROAD", "adapter_names"),
        ("GLORA", "adapter_names"),
        ("ADALORA", "adapter_names"),
        ("LOHA", "adapter_names"),
        ("C3A", "both_active"),
        ("OFT", "both_active"),
        ("HIRA", "rank_pattern"),
        ("LILY", "merge"),
        ("OSF", "unmerge"),
        ("VERA", "other_settings"),
        ("IA3", "weighted"),
        ("LOKR", "hotswap"),
        ("PREFIX_TUNING", "checkpointing"),
        ("FOURIERFT", "starts_as_base"),
    ],
)
def test_cells_today(name: str, question: str) -> None:
    answer = TOOL["answer"](TOOL["QUESTIONS"][question], name)
    assert answer == FOUND["methods"][name][question]


@codes_read
@each(("name", "bits"), [("LOHA", "4bit"), ("UNILORA", "8bit"), ("IA3", "4bit")])
def test_bits_today(name: str, bits: str) -> None:
    answer = TOOL["answer"](TOOL["QUESTIONS"][bits], name)
    assert answer == FOUND["methods"][name][bits]


@codes_read
@each("name", ["C3A", "GRALORA"])
@each("bits", [4, 8])
def test_only_a_bias_stops_them(
    name: str, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = TOOL["llama"]
    names = TOOL["on_bits"].__globals__
    answers = []
    for has_bias in (True, False):
        monkeypatch.setitem(
            names, "llama", lambda has=has_bias: make(attention_bias=has)
        )
        answers.append(TOOL["answer"](TOOL["on_bits"], name, bits))
    assert "is a view and is being modified inplace" in answers[0] or (
        "A view was created in no_grad mode" in answers[0]
    )
    assert answers[1] == "yes"


@codes_read
@each(
    ("name", "bits"),
    [
        *((name, bits) for name in ("IA3", "ROAD") for bits in (4, 8)),
        *(("PVERA", 4), ("RANDLORA", 4), ("ADALORA", 8), ("SHIRA", 8)),
    ],
)
def test_in_bfloat16_some_need_a_prepared_base_or_autocast(
    quantized: Loader, name: str, bits: int
) -> None:
    def learns(*, prepared: bool = False, autocast: bool = False) -> bool:
        base = quantized(bits, torch.bfloat16)
        base = prepare_model_for_kbit_training(base) if prepared else base
        model = TOOL["trained"](name, base).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return TOOL["learns"](model)

    with pytest.raises(RuntimeError, match="same dtype"):
        learns()
    assert learns(prepared=True)
    assert learns(autocast=True)


@codes_read
def test_osf_without_a_rank_takes_that_of_the_packed_weight(quantized: Loader) -> None:
    message = (
        "`effective_rank` should be a positive integer value but the value passed is 0"
    )
    with pytest.raises(ValueError, match=message):
        get_peft_model(quantized(4), OSFConfig(target_modules=["q_proj"]))


@mutating_init
@each(("bits", "kind"), [(4, "nf4"), (4, "fp4"), (8, "")])
@each("weights", [0.3, 0.02])
def test_olora_rounds_a_quantized_base_once_more(
    tmp_path: Path, bits: int, kind: str, weights: float
) -> None:
    full = TOOL["llama"](128, attention_bias=False, initializer_range=weights)
    full.save_pretrained(tmp_path)
    options = {f"load_in_{bits}bit": True, "bnb_4bit_compute_dtype": torch.float32}
    options |= {"bnb_4bit_quant_type": kind} if kind else {}

    def moves(**start: str) -> tuple[float, float]:
        base = AutoModelForCausalLM.from_pretrained(
            tmp_path, quantization_config=BitsAndBytesConfig(**options)
        ).train()
        before = run(base)
        config = LoraConfig(r=4, target_modules="all-linear", **start)
        found = distance(get_peft_model(base, config).train(), before)
        return found, distance(before, full)

    by_start, by_quantization = moves(init_lora_weights="olora")
    assert by_start == pytest.approx(by_quantization, rel=0.4)
    assert moves()[0] < 1e-6


@claim("Quantized_Merge_Rounding")
@each(
    ("name", "options", "moved"),
    [("LORA", {"use_dora": True}, 0.2), ("HIRA", {}, 0.2), ("LORA", {}, 0.0)],
)
def test_what_reads_the_base_in_each_call_is_wrong_in_evaluation_mode(
    tmp_path: Path, name: str, options: dict[str, Any], moved: float
) -> None:
    """On a CPU with AVX512-BF16, that is: there, bitsandbytes packs the weights again."""
    TOOL["llama"](64, attention_bias=False).save_pretrained(tmp_path)
    in_4_bit = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32
    )
    base = AutoModelForCausalLM.from_pretrained(
        tmp_path, quantization_config=in_4_bit
    ).train()
    model = TOOL["new"](name, base, **options).train()
    if not options:  # even a new one of DoRA is wrong
        model = TOOL["moved"](model).train()
    there = TOOL["logits"](model)
    with model.disable_adapter():
        plain = TOOL["logits"](model)
    size = plain.norm() if options else (there - plain).norm()
    found = float((TOOL["logits"](model.eval()) - there).norm() / size)
    if moved and has_avx512bf16():
        assert found > moved
    else:
        assert found < 0.1


@mutating_init
@each("bits", [4, 8])
def test_pissa_refuses_a_quantized_base(quantized: Loader, bits: int) -> None:
    config = LoraConfig(init_lora_weights="pissa", target_modules=["q_proj"])
    with pytest.raises(TypeError, match="Please initialize PiSSA under float32"):
        get_peft_model(quantized(bits), config)


@x_lora
@each("reentrant", [True, False])
def test_x_lora_with_gradient_checkpointing(*, reentrant: bool) -> None:
    base = TOOL["llama"]()
    base.gradient_checkpointing_enable({"use_reentrant": reentrant})
    model = TOOL["new"]("XLORA", base).train()
    if reentrant:
        assert not TOOL["learns"](model)
    else:
        with pytest.raises(CheckpointError, match="A different number of tensors"):
            TOOL["learns"](model)


@weighted_rules
@each("option", ["DoRA", "lora_bias", "KaSA"])
def test_options_today(option: str) -> None:
    answer = TOOL["answer"](TOOL["OF_OPTION"]["weighted"], option)
    assert answer == FOUND["options"][option]["weighted"] == "no"


BLOCKS, PISSA = TOOL["OPTIONS"]["BD-LoRA"], {"init_lora_weights": "pissa"}
TWICE = TOOL["BESIDE"]["layer_replication"]


@mutating_init
@each(
    ("first", "other", "message"),
    [
        ("PiSSA", "aLoRA", "no"),
        ("OLoRA", "BD-LoRA", "no"),
        ("orthogonal", "BD-LoRA", "no"),
        ("OLoRA", "layer_replication", "no"),
        ("PiSSA", "MonteCLoRA", "yes"),
        ("EVA", "layer_replication", "yes"),
    ],
)
def test_pairs_today(first: str, other: str, message: str) -> None:
    options = TOOL["OPTIONS"] | TOOL["BESIDE"]
    answer = TOOL["answer"](TOOL["combined"], options[first], options[other])
    assert answer == FOUND["options"][first]["with"][other] == message


@mutating_init
@each("beside", [BLOCKS, TWICE, TOOL["OPTIONS"]["KaSA"]])
def test_a_start_that_does_not_fit_what_is_beside_it_is_far_from_the_base(
    beside: dict[str, Any],
) -> None:
    plain, wrong = (TOOL["started"](**beside | it) for it in ({}, PISSA))
    moved = (TOOL["logits"](wrong) - TOOL["logits"](plain)).abs().max()
    assert 1 < moved < 10


@mutating_init
def test_pissa_takes_its_start_out_of_a_shared_weight_once_for_each_copy() -> None:
    model = TOOL["started"](**PISSA | TWICE)
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    before = TOOL["llama"]().model.layers[0].self_attn.q_proj.weight
    weight = layer.base_layer.weight
    copied = model.base_model.model.model.layers[2].self_attn.q_proj
    assert copied.base_layer.weight is weight
    taken = sum(it.get_delta_weight("default") for it in (layer, copied))
    assert same(weight + taken, before, 1e-4)


@target_layer
def test_bd_lora_with_a_bias_is_trained_and_cannot_be_merged() -> None:
    model = TOOL["started"](**BLOCKS, lora_bias=True)
    assert TOOL["learns"](TOOL["moved"](model))
    message = "'BlockDiagonalLinear' object has no attribute 'bias'"
    with pytest.raises(AttributeError, match=message):
        model.merge_and_unload()


@target_layer
@each("name", sorted(FOUND["methods"]))
def test_all_of_a_method_today(name: str) -> None:
    assert kinds(TOOL["asked"](name)) == kinds(FOUND["methods"][name])


@target_layer
@each("option", sorted(FOUND["options"]))
def test_all_of_an_option_today(option: str) -> None:
    assert kinds(TOOL["asked_option"](option)) == kinds(FOUND["options"][option])


@target_layer
def test_adalora_ignores_the_options_of_lora() -> None:
    found = TOOL["asked_adalora"]()
    assert kinds(found) == kinds(FOUND["adalora"])
    for name in ("rsLoRA", "lora_bias", "PiSSA", "OLoRA"):
        assert found[name] == "no"


# -- what the guide says around the tables --


@target_layer
def test_all_linear_takes_no_convolution() -> None:
    base = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 4))
    model = adapted(LoraConfig(target_modules="all-linear"), base)
    assert model.targeted_module_names == ["2"]


def vision() -> nn.Module:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    images = {"intermediate_size": 64, "image_size": 16, "patch_size": 8}
    images |= {"initializer_range": 0.3}
    return ViTForImageClassification(ViTConfig(**sizes | images)).eval()


@target_layer
@each("name", [name for name, it in TOOL["METHODS"].items() if it.target is not None])
def test_nearly_all_fit_a_vision_transformer(name: str) -> None:
    base = vision()
    of_type = nn.LayerNorm if name == "LN_TUNING" else nn.Linear
    targets = [it for it, layer in base.named_modules() if isinstance(layer, of_type)]
    if name != "LN_TUNING":
        targets = [it for it in targets if it.endswith("q_proj")]
    settings = TOOL["METHODS"][name]
    options = settings.options | {"target_modules": targets}
    if name == "SHADOW":
        del options["target_modules"]
    pixels = torch.randn(2, 3, 16, 16)
    before = base(pixels).logits
    kind = PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(name)]

    def trains() -> bool:
        model = TOOL["moved"](get_peft_model(base, kind(**options)))
        found = model(pixel_values=pixels, **settings.call).logits
        found.square().sum().backward()
        grads = [it.grad for it in model.parameters() if it.grad is not None]
        return not same(found, before) and any(it.any() for it in grads)

    assert TOOL["answer"](trains) == {
        "SHADOW": "AttributeError: 'NoneType' object has no attribute 'dtype'",
        "POLY": "ValueError: task_ids should not be None.",
    }.get(name, "yes")


@target_layer
@each("bias", [True, False])
def test_trainable_tokens_leave_out_the_bias_of_a_linear_layer(*, bias: bool) -> None:
    layer = nn.Linear(16, 32, bias=bias)
    rows = torch.randn(4, 16)
    model = adapted(
        TrainableTokensConfig(target_modules=["0"], token_indices=[4, 5]),
        nn.Sequential(layer),
    )
    assert same(model(rows), rows @ layer.weight.T)
    assert same(layer(rows), rows @ layer.weight.T) is not bias


@target_layer
@each("question", ["disable", "bfloat16", "float16", "compile"])
def test_what_all_can_do(question: str) -> None:
    for found in FOUND["methods"].values():
        assert TOOL["words"](found, question, "no") == {"": "yes"}


@target_layer
def test_only_lora_has_target_parameters_and_attention() -> None:
    for name, found in FOUND["methods"].items():
        assert (found["target_parameters"] == "yes") is (name == "LORA")
        if name not in {"LORA", "LN_TUNING"}:
            assert found.get("layers", {}).get("MultiheadAttention") != "yes"


@x_lora
def test_gate_is_not_in_the_file(tmp_path: Path) -> None:
    of_one_layer = TOOL["new"]("XLORA")
    of_two = xlora(tmp_path, experts="01")  # and what is between them, layers 1 and 2
    for model, saved in ((of_one_layer, set()), (of_two, {"3.weight", "3.bias"})):
        model.save_pretrained(tmp_path / "saved")
        found = load_file(tmp_path / "saved/adapter_model.safetensors")
        assert {name.rpartition("layers.")[2] for name in found} == saved
        gate = model.base_model.internal_xlora_classifier.state_dict()
        assert {name.removeprefix("layers.") for name in gate} == saved | {
            "0.weight",
            "0.bias",
        }


@names_ignored
def test_c3a_feeds_the_first_adapter_into_the_second() -> None:
    base = nn.Sequential(nn.Linear(16, 16)).eval()
    model = adapted(C3AConfig(target_modules=["0"], block_size=8), base)
    model.add_adapter("b", C3AConfig(target_modules=["0"], block_size=8))
    trained(model)
    rows = torch.linspace(-1, 1, 64).reshape(4, 16)
    plain = base[0].get_base_layer()
    with torch.no_grad():
        of_base = plain(rows)
        first = model(rows) - of_base
        model.set_adapter("b")
        fed = model(first) - plain(first)
        model.base_model.set_adapter(["default", "b"])
        assert same(model(rows), of_base + first + fed)


@names_ignored
def test_osf_uses_the_first_adapter_only() -> None:
    config = OSFConfig(target_modules=["q_proj"], effective_rank=8)
    model = adapted(config, llama())
    trained(model)
    alone = run(model)
    model.add_adapter("b", config)
    model.base_model.set_adapter(["default", "b"])
    trained(model)
    both = run(model)
    model.set_adapter("default")
    assert same(run(model), both)
    assert not same(both, alone)


@names_ignored
def test_adapters_of_other_tokens_are_active_together() -> None:
    def tokens(*indices: int) -> TrainableTokensConfig:
        return TrainableTokensConfig(
            target_modules=["embed_tokens"], token_indices=[*indices]
        )

    model = adapted(tokens(1, 2), llama())
    model.add_adapter("b", tokens(3, 4))
    model.base_model.set_adapter(["default", "b"])
    alone = run(model)
    trained(model)
    assert not same(run(model), alone)


@names_ignored
def test_names_are_an_error_with_adalora_alone() -> None:
    answers = {name: it["adapter_names"] for name, it in FOUND["methods"].items()}
    assert {name for name, it in answers.items() if it == "yes"} == {
        *("LORA", "ROAD", "GLORA")
    }
    stopped = {name for name, it in answers.items() if it not in {"yes", "no"}}
    assert stopped == {"ADALORA"}


@names_ignored
@each("other", ["LORA", "LOHA", "LOKR", "OFT", "ADALORA"])
def test_shira_is_added_first(other: str) -> None:
    configs = [TOOL["config"](name) for name in ("SHIRA", other)]
    for config in configs:
        config.task_type = None
    first, second = configs
    model = get_peft_model(llama(), first, mixed=True)
    model.add_adapter("other", second)
    model.set_adapter(["default", "other"])
    assert same(TOOL["moved"](model).merge_and_unload(), model)
    model = get_peft_model(llama(), second, mixed=True)
    with pytest.raises(ValueError, match="SHiRA does not support nested base layers"):
        model.add_adapter("other", first)


@names_ignored
@each("name", ["VERA", "PVERA", "RANDLORA"])
def test_a_second_one_on_larger_layers_does_not_fit_the_projections(name: str) -> None:
    model = TOOL["new"](name)
    larger = TOOL["config"](name, target_modules=["down_proj"])
    with pytest.raises(ValueError, match="has a size of 32 but 64 or greater"):
        model.add_adapter("other", larger)
    model = TOOL["new"](name, target_modules=["down_proj"])
    model.add_adapter("other", TOOL["config"](name))


@names_ignored
def test_largest_rank_first_fits() -> None:
    base = nn.Sequential(nn.Linear(16, 16))
    model = adapted(VeraConfig(target_modules=["0"], r=8), base)
    model.add_adapter("b", VeraConfig(target_modules=["0"], r=4))
    assert [*model.peft_config] == ["default", "b"]


@names_ignored
def test_second_adalora_is_for_inference() -> None:
    config = {"target_modules": ["0"], "total_step": 10}
    model = adapted(AdaLoraConfig(**config), nn.Sequential(nn.Linear(16, 16)))
    model.add_adapter("b", AdaLoraConfig(**config, inference_mode=True))
    message = "AdaLoraModel supports only 1 trainable adapter."
    with pytest.raises(ValueError, match=re.escape(message)):
        model.add_adapter("c", AdaLoraConfig(**config))


@names_ignored
def test_one_adapter_with_bias() -> None:
    model = adapted(lora(bias="all"))
    message = "supports only 1 adapter with bias. When using multiple adapters, set bias to 'none' for all adapters."
    with pytest.raises(ValueError, match=re.escape(message)):
        model.add_adapter("b", lora(bias="all"))


@target_layer
def test_regular_expression_instead_of_settings() -> None:
    pattern = r".*\.layers\.[01]\..*\.q_proj"
    config = IA3Config(target_modules=pattern, feedforward_modules=[])
    model = adapted(config, llama(num_hidden_layers=3))
    assert len(model.targeted_module_names) == 2


@target_layer
def test_options_are_those_of_lora_only() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'use_dora'"):
        LoHaConfig(use_dora=True)
    with pytest.raises(ValueError, match="DoRA does not support megatron_core"):
        LoraConfig(use_dora=True, megatron_config={"a": 1})
    arrow = inspect.getsource(peft.tuners.lora.variants.ArrowLinearVariant)
    assert "Cannot merge an active Arrow router adapter. Remove it first." in arrow


@claim("Missing_Adapter_Keys")
@each(
    ("name", "key", "told"),
    [
        ("UNILORA", "unilora_theta_d", True),
        ("RANDLORA", "randlora_A", True),
        ("FROD", "frod_V.self_attn_q_proj", True),
        ("VBLORA", "vblora_vector_bank", False),
        ("TINYLORA", "tinylora_v.0", False),
    ],
)
def test_a_shared_weight_is_missing_with_or_without_a_warning(
    name: str, key: str, tmp_path: Path, *, told: bool
) -> None:
    model = TOOL["trained"](name)
    model.save_pretrained(tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    left = load_file(file)
    del left[f"base_model.{key}"]
    save_file(left, file)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = PeftModel.from_pretrained(TOOL["llama"](), tmp_path).eval()
    texts = [str(it.message) for it in caught]
    assert told is any(
        "Found missing adapter keys" in it and f"base_model.{key}" in it for it in texts
    )
    if name in {"UNILORA", "VBLORA", "TINYLORA"}:  # others make it from the seed
        assert not TOOL["same"](TOOL["logits"](again), TOOL["logits"](model))
    missing = again.load_adapter(tmp_path, "second").missing_keys
    listed = f"base_model.{key}" in " ".join(missing)
    assert listed is (name != "TINYLORA")


@target_layer
def test_file_without_projections_is_small(tmp_path: Path) -> None:
    sizes = {}
    for is_saved in (True, False):
        config = VeraConfig(target_modules=["q_proj"], save_projection=is_saved)
        model = trained(get_peft_model(llama(), config))
        folder = tmp_path / str(is_saved)
        model.save_pretrained(folder)
        sizes[is_saved] = (folder / "adapter_model.safetensors").stat().st_size
        assert same(PeftModel.from_pretrained(llama(), folder).eval(), model)
    assert sizes[False] < sizes[True] / 20


@target_layer
def test_a_prompt_of_cpt_is_as_long_as_its_tokens() -> None:
    tokens = TOOL["METHODS"]["CPT"].sizes["cpt_token_ids"]
    assert FOUND["methods"]["CPT"]["size"]["trained"] == len(tokens) * 512
    sizes = TOOL["METHODS"]["PROMPT_TUNING"].sizes
    assert sizes["num_virtual_tokens"] == 20
    assert "20 virtual tokens, CPT has 4" in " ".join(GUIDE.split())


@target_layer
@each("start", [True, "gaussian", False])
def test_new_adalora_is_random_on_request(*, start: bool | str) -> None:
    config = AdaLoraConfig(
        target_modules=["q_proj"], total_step=10, init_lora_weights=start
    )
    assert same(get_peft_model(llama(), config).eval(), llama()) is bool(start)


@target_layer
def test_new_ia3_is_random_on_request() -> None:
    for is_same in (True, False):
        config = IA3Config(
            target_modules=["q_proj"], feedforward_modules=[], init_ia3_weights=is_same
        )
        assert same(get_peft_model(llama(), config), llama()) is is_same
