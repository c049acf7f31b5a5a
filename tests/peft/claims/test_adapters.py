"""The heuristics about several adapters, merging and hot-swapping say what PEFT does: each claim is executed."""

from __future__ import annotations

import math
import re
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING

import bitsandbytes as bnb
import peft
import pytest
import torch
from peft import PeftModel, set_peft_model_state_dict
from peft.functional import delete_adapter, set_adapter
from peft.tuners.lora.aqlm import AqlmLoraLinear
from peft.tuners.lora.awq import AwqLoraLinear
from peft.tuners.lora.config import (
    BdLoraConfig,
    CordaConfig,
    KasaConfig,
    MontecloraConfig,
    VeloraConfig,
)
from peft.tuners.lora.corda import preprocess_corda
from peft.tuners.lora.gptq import GPTQLoraLinear
from peft.tuners.lora.loraga import preprocess_loraga
from peft.tuners.lora.te import TeLinear
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import AuxiliaryTrainingWrapper
from peft.utils.hotswap import (
    check_hotswap_configs_compatible,
    hotswap_adapter,
    hotswap_adapter_from_state_dict,
    prepare_model_for_compiled_hotswap,
)
from peft.utils.quantization_utils import ForwardOnlyQuantizationBackend
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MobileViTConfig,
    MobileViTForImageClassification,
    T5Config,
    T5ForConditionalGeneration,
)

from claims.models import (
    CAUSAL,
    LINEAR,
    MERGING,
    PROMPT,
    TARGETS,
    Loader,
    Options,
    Saver,
    adam,
    adapted,
    claim,
    config,
    distance,
    each,
    identical,
    layer_of,
    linear,
    llama,
    loaded,
    lora,
    of_method,
    on_llama,
    pair,
    quantized_linear,
    refused,
    run,
    said,
    same,
    saved,
    silent,
    steps,
    trained,
    unfrozen,
    warned,
    xlora,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# -- Weighted_Adapter_Rules --


def combine(
    model: PeftModel,
    how: str,
    *adapters: str,
    name: str = "both",
    weight: float = 1.0,
    **options: object,
) -> None:
    """Add the sum of adapters, each with the same weight."""
    weights = [weight] * len(adapters)
    model.add_weighted_adapter([*adapters], weights, name, how, **options)


weighted_adapter_rules = claim("Weighted_Adapter_Rules")


@weighted_adapter_rules
@each("how", ["linear", "cat", "svd"])
@each(
    ("options", "faithful"),
    [
        ({}, True),
        ({"use_rslora": True}, False),
        ({"use_dora": True}, False),
        ({"lora_bias": True}, False),
        ({"kasa_config": KasaConfig()}, False),
        ({"init_lora_weights": "pissa"}, False),
        ({"init_lora_weights": "olora"}, False),
        ({"init_lora_weights": "gaussian"}, True),
        ({"init_lora_weights": "orthogonal"}, True),
        ({"init_lora_weights": "eva"}, True),
        ({"init_lora_weights": "mica"}, True),
        ({"monteclora_config": MontecloraConfig()}, True),
        ({"velora_config": VeloraConfig(num_groups=4)}, True),
        ({"use_qalora": True, "qalora_group_size": 4}, True),
        ({"use_bdlora": BdLoraConfig(target_modules_bd_a=["0", "2"], nblocks=2)}, True),
        ({"use_bdlora": BdLoraConfig(target_modules_bd_b=["0", "2"], nblocks=2)}, True),
    ],
)
def test_one_adapter_with_weight_one_is_itself_for_plain_lora_only(
    options: Options,
    faithful: bool,  # noqa: FBT001 -- a table's column
    how: str,
) -> None:
    model = trained(adapted(lora(**options)))
    before = run(model)
    with silent():
        combine(model, how, "default")
    model.set_adapter("both")
    assert same(model, before) is faithful


@weighted_adapter_rules
@each("how", ["linear", "cat", "svd"])
def test_with_rank_pattern_it_is_right_until_it_is_loaded(
    how: str, tmp_path: Path
) -> None:
    model = adapted(lora(rank_pattern={"0": 2})).eval()
    before = run(model)
    combine(model, how, "default")
    model.set_adapter("both")
    assert same(model, before)
    model.save_pretrained(tmp_path)
    with refused(r"size mismatch for .*lora_A", RuntimeError):
        loaded(tmp_path / "both")


@weighted_adapter_rules
def test_alora_is_itself_too() -> None:
    config = lora("q_proj", "v_proj", alora_invocation_tokens=[3, 4], **CAUSAL)
    model = adapted(config, llama()).eval()
    first = PROMPT[:1]
    before = run(model, first)
    with model.disable_adapter():
        assert not same(run(model, first), before, 1e-3)
    combine(model, "cat", "default")
    model.set_adapter("both")
    assert same(run(model, first), before)


@weighted_adapter_rules
@each("init", ["pissa", "olora"])
def test_a_combination_changes_the_base_and_the_old_adapter(init: str) -> None:
    model = trained(adapted(lora(init_lora_weights=init)))
    weight = layer_of(model).base_layer.weight
    before, weight_before = run(model), weight.clone()
    combine(model, "cat", "default")
    assert not same(weight, weight_before, 1e-2)
    assert not same(model, before, 1e-2)


@weighted_adapter_rules
@each("how", ["cat", "linear"])
def test_kasa_gets_a_random_diagonal_and_cuts_the_base_again(how: str) -> None:
    model = trained(pair(lora(kasa_config=KasaConfig())))
    layer = layer_of(model)
    before, weight = run(model), layer.base_layer.weight.clone()
    combine(model, how, "a", "b", weight=0.5)
    assert not same(layer.lora_diag["both"][:4], layer.lora_diag["a"], 1e-2)
    # "cat" has twice the rank; what is cut away with the same rank is gone already
    assert same(layer.base_layer.weight, weight, 1e-4) is (how == "linear")
    assert same(model, before, 1e-3) is (how == "linear")


@weighted_adapter_rules
def test_trained_biases_of_the_base_are_refused() -> None:
    model = adapted(lora(bias="all"))
    with refused("supports only 1 adapter with bias"):
        combine(model, "cat", "default")


def two_ranks() -> tuple[PeftModel, Callable[[str], Tensor]]:
    """Return a model with adapters of the ranks 4 and 8, and what gives the update of one layer."""
    model = pair(lora(), lora(r=8))
    return model, layer_of(model).get_delta_weight


@weighted_adapter_rules
@each("how", ["linear", "ties", "dare_linear", "dare_ties", "magnitude_prune"])
def test_unequal_ranks_are_refused(how: str) -> None:
    model, _ = two_ranks()
    with refused("must have the same r value when using combination_type"):
        combine(model, how, "a", "b", density=0.5)


@weighted_adapter_rules
def test_cat_and_a_large_enough_svd_are_exact_and_the_default_is_not() -> None:
    model, update = two_ranks()
    wanted = 0.5 * update("a") + 0.5 * update("b")
    combine(model, "cat", "a", "b", name="cat", weight=0.5)
    combine(model, "svd", "a", "b", name="svd", weight=0.5, svd_rank=12)
    model.add_weighted_adapter(["a", "b"], [0.5, 0.5], "default")
    names = ("cat", "svd", "default")
    assert [model.peft_config[name].r for name in names] == [12, 12, 8]
    assert [same(update(name), wanted, 1e-4) for name in names] == [True, True, False]


@weighted_adapter_rules
def test_linear_brings_cross_terms() -> None:
    model = pair()
    layer = layer_of(model)
    update = layer.get_delta_weight
    combine(model, "linear", "a", "b")
    downs, ups = layer.lora_A, layer.lora_B
    crossed = ups["a"].weight @ downs["b"].weight + ups["b"].weight @ downs["a"].weight
    mixed = layer.scaling["a"] * crossed
    assert same(update("both"), update("a") + update("b") + mixed)
    assert mixed.abs().max() > 0.1


@weighted_adapter_rules
def test_rslora_is_off_by_the_root_of_the_rank() -> None:
    model = adapted(lora(use_rslora=True))
    update = layer_of(model).get_delta_weight
    combine(model, "svd", "default", name="wrong")
    combine(model, "svd", "default", name="right", weight=1 / math.sqrt(4))
    assert same(update("wrong"), 2 * update("default"))
    assert same(update("right"), update("default"))


@weighted_adapter_rules
def test_the_result_is_not_active_and_a_known_name_does_nothing() -> None:
    model, update = two_ranks()
    combine(model, "cat", "a", "b")
    assert model.active_adapter == "a"
    before = update("both").clone()
    combine(model, "cat", "a", "b", weight=9.0)
    assert torch.equal(update("both"), before)


# -- Tied_Embeddings_Merge --


def tied() -> LlamaForCausalLM:
    return llama(tie_word_embeddings=True)


def tied_ends_move_together(model: nn.Module, base: LlamaForCausalLM) -> bool:
    """Merge, and return whether the logits change and both ends hold one tensor that is not the old one."""
    before = run(model)
    merged = model.merge_and_unload()
    assert merged is base
    head = merged.lm_head.weight
    both = head is merged.model.embed_tokens.weight
    return (
        both
        and not same(head, tied().lm_head.weight)
        and distance(merged, before) > 0.01
    )


tied_embeddings_merge = claim("Tied_Embeddings_Merge")


@tied_embeddings_merge
@each("method", LINEAR)
def test_merge_into_the_head_changes_the_embeddings(method: str) -> None:
    base = tied()
    model = trained(adapted(config(method, "lm_head", **CAUSAL), base), 0.3)
    with warned("adapter. This can lead to complications"):
        assert tied_ends_move_together(model, base)


@tied_embeddings_merge
@each(
    ("target", "mixed"),
    [("lm_head", True), ("embed_tokens", True), ("embed_tokens", False)],
)
def test_xlora_merges_into_both_ends_and_a_mixed_model_without_a_warning(
    target: str,
    mixed: bool,  # noqa: FBT001 -- a table's column
    tmp_path: Path,
) -> None:
    base = tied()
    if mixed:
        model = adapted(lora(target), base, mixed=True)
    else:
        model = xlora(tmp_path, base, target=target)
    with silent() if mixed else nullcontext():
        assert tied_ends_move_together(model.eval(), base)


@tied_embeddings_merge
def test_tokens_of_the_head_are_merged_into_both_ends_with_a_warning_before_but_none_then() -> (
    None
):
    base = tied()
    with warned("no implementation exists to tie"):
        model = adapted(config("TrainableTokens", "lm_head", **CAUSAL), base)
    with silent():
        assert tied_ends_move_together(trained(model, 0.3), base)


@tied_embeddings_merge
@each(
    ("method", "targets"),
    [
        ("Lora", ["lm_head"]),
        ("Lora", ["embed_tokens"]),
        ("Lora", ["lm_head", "embed_tokens"]),
        ("TrainableTokens", ["lm_head"]),
    ],
)
def test_untied_first_the_merge_is_right_and_stays_so(
    method: str, targets: list[str], tmp_path: Path
) -> None:
    base = tied()
    model = trained(adapted(config(method, *targets, **CAUSAL), base), 0.3)
    before = run(model)
    head = base.get_output_embeddings()
    head = getattr(head, "base_layer", head)
    head.weight = nn.Parameter(head.weight.detach().clone())
    base.config.tie_word_embeddings = False
    with silent():
        merged = model.merge_and_unload()
    assert same(merged, before)
    merged.save_pretrained(tmp_path)
    assert same(LlamaForCausalLM.from_pretrained(tmp_path), before)


@tied_embeddings_merge
def test_with_an_adapter_on_each_end_the_merge_is_wrong_too() -> None:
    base = tied()
    ours = lora("lm_head", "embed_tokens", **CAUSAL)
    assert tied_ends_move_together(trained(adapted(ours, base), 0.3), base)


@tied_embeddings_merge
def test_ensure_weight_tying_adds_the_update_twice() -> None:
    base = tied()
    model = adapted(lora("lm_head", ensure_weight_tying=True, **CAUSAL), base)
    update = base.lm_head.get_delta_weight("default")
    assert same(base.model.embed_tokens.get_delta_weight("default"), update)
    old = tied().lm_head.weight
    assert same(model.merge_and_unload().lm_head.weight, old + 2 * update)


@tied_embeddings_merge
@each("ends", [["lm_head"], ["embed_tokens"], ["lm_head", "embed_tokens"]])
@each("case", ["plain", "ensured", "mixed"])
def test_modules_to_save_merge_right_and_load_right(
    ends: list[str], case: str, tmp_path: Path
) -> None:
    ensured = case == "ensured"
    config = lora("q_proj", modules_to_save=ends, ensure_weight_tying=ensured, **CAUSAL)
    model = trained(adapted(config, tied(), mixed=case == "mixed"), 0.3)
    before = run(model)
    assert not same(before, tied(), 1e-2)
    with said() as texts:
        merged = model.merge_and_unload()
    repaired = "Input and output embeddings are no longer tied after merging. "
    repaired += "Setting `tie_word_embeddings=False` in the model config."
    assert texts == ([repaired] if case == "plain" else [])
    assert merged.config.tie_word_embeddings is (case != "plain")
    head = merged.lm_head.weight
    assert (head is merged.model.embed_tokens.weight) is ensured
    assert same(merged, before)
    merged.save_pretrained(tmp_path)
    assert same(LlamaForCausalLM.from_pretrained(tmp_path), before)


@tied_embeddings_merge
def test_loaded_untied_the_head_is_random(tmp_path: Path) -> None:
    tied().save_pretrained(tmp_path)
    model = LlamaForCausalLM.from_pretrained(tmp_path, tie_word_embeddings=False)
    assert not same(model.lm_head.weight, model.model.embed_tokens.weight, 1e-3)


@tied_embeddings_merge
@each(
    "config",
    [
        config("LNTuning", "lm_head", **CAUSAL),
        config("LNTuning", "embed_tokens", **CAUSAL),
        config("TrainableTokens", **CAUSAL),
    ],
)
def test_left_out_because_the_merge_is_right(config: peft.PeftConfig) -> None:
    model = trained(adapted(config, tied()), 0.3)
    before = run(model)
    assert not same(before, tied(), 1e-2)
    assert same(model.merge_and_unload(), before)


# -- Mutating_Init_Base_Weights --


def initialised(init: str | bool) -> tuple[PeftModel, nn.Sequential]:  # noqa: FBT001 -- PEFT's own type
    """Return a model and its base whose adapter was just made."""
    base = linear()
    config = lora(init_lora_weights=init)
    if init == "corda":
        config.corda_config = CordaConfig(corda_method="kpm")
        preprocess_corda(base, config, run_model=lambda: base(torch.randn(64, 16)))
    elif init == "lora_ga":
        config.lora_ga_config = peft.LoraGAConfig()
        preprocess_loraga(
            base, config, lambda: base(torch.randn(8, 16)).square().sum().backward()
        )
    return adapted(config, base).eval(), base


mutating_init_base_weights = claim("Mutating_Init_Base_Weights")


@mutating_init_base_weights
@each("init", ["pissa", "pissa_niter_4", "olora", "corda", "lora_ga"])
def test_the_base_is_changed(init: str) -> None:
    model, base = initialised(init)
    assert not same(base[0].base_layer.weight, linear()[0].weight)
    assert same(model, linear(), 1e-3)
    with model.disable_adapter():
        assert not same(model, linear(), 1e-2)


@mutating_init_base_weights
@each("init", [True, "gaussian", "orthogonal", "eva", "mica"])
def test_the_base_is_left_alone(init: str | bool) -> None:  # noqa: FBT001 -- PEFT's own type
    _, base = initialised(init)
    assert torch.equal(base[0].base_layer.weight, linear()[0].weight)


def converted(model: PeftModel, folder: Path) -> Tensor:
    """Train a model, save it as plain LoRA, and return what it gives."""
    before = folder / "untrained"
    model.save_pretrained(before)
    expected = run(trained(model))
    model.save_pretrained(folder, path_initial_model_for_weight_conversion=str(before))
    return expected


@mutating_init_base_weights
@each("init", ["pissa", "olora", "corda", "lora_ga"])
def test_converted_it_is_plain_lora_on_the_old_base(init: str, tmp_path: Path) -> None:
    expected = converted(initialised(init)[0], tmp_path)
    plain = loaded(tmp_path)
    assert plain.peft_config["default"].init_lora_weights is True
    assert plain.peft_config["default"].r == 8
    assert same(plain, expected, 1e-3)
    with plain.disable_adapter():
        assert identical(plain, linear())


@mutating_init_base_weights
@each(
    ("options", "missing"),
    [
        ({"task_type": "SEQ_CLS"}, "score.weight"),
        ({"modules_to_save": ["lm_head"], **CAUSAL}, "lm_head.weight"),
        ({"trainable_token_indices": [1, 2], **CAUSAL}, "trainable_tokens_delta"),
    ],
)
def test_converted_it_lacks_all_but_lora_until_that_is_copied(
    options: dict[str, object], missing: str, tmp_path: Path
) -> None:
    def base() -> nn.Module:
        if "modules_to_save" in options or "trainable_token_indices" in options:
            return llama()
        return llama(LlamaForSequenceClassification, pad_token_id=0)

    model = adapted(lora("q_proj", init_lora_weights="pissa", **options), base())
    expected = converted(model, tmp_path)
    model.save_pretrained(tmp_path / "usual")
    usual, plain = saved(tmp_path / "usual"), saved(tmp_path)
    (name,) = usual.keys() - plain.keys()
    assert name.endswith(missing)
    with refused(re.escape(name), KeyError):
        loaded(tmp_path, base())
    save_file(usual | plain, tmp_path / "adapter_model.safetensors")
    assert same(loaded(tmp_path, base()), expected, 1e-4)


@mutating_init_base_weights
@each("bias", ["all", "lora_only"])
def test_with_trained_biases_it_cannot_be_converted(bias: str, tmp_path: Path) -> None:
    ours = lora("q_proj", init_lora_weights="pissa", bias=bias, **CAUSAL)
    with refused("Adapter .* does not exist"):
        converted(adapted(ours, llama(attention_bias=True)), tmp_path)


@mutating_init_base_weights
@each("how", ["set", "swapped"])
def test_unconverted_it_is_silently_wrong_in_a_plain_adapter(
    how: str, tmp_path: Path
) -> None:
    model = trained(adapted(lora("q_proj", init_lora_weights="pissa"), llama()), 0.3)
    model.save_pretrained(tmp_path)
    plain = adapted(lora("q_proj"), llama()).eval()
    with silent():
        if how == "set":
            set_peft_model_state_dict(plain, saved(tmp_path))
        else:
            hotswap_adapter(plain, str(tmp_path), "default")
    assert not same(plain, model, 1e-3)


@mutating_init_base_weights
def test_rslora_with_patterns_cannot_be_converted(tmp_path: Path) -> None:
    config = lora(init_lora_weights="pissa", use_rslora=True, rank_pattern={"0": 2})
    with refused("rank_pattern"):
        converted(adapted(config), tmp_path)


@mutating_init_base_weights
def test_saved_as_it_is_the_adapter_changes_the_next_base_too(tmp_path: Path) -> None:
    model = trained(initialised("pissa")[0])
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path)
    assert same(again, model)
    with again.disable_adapter():
        assert not same(again, linear(), 1e-2)


@mutating_init_base_weights
def test_saved_as_it_is_corda_cannot_be_loaded(tmp_path: Path) -> None:
    initialised("corda")[0].save_pretrained(tmp_path)
    with refused("preprocess_corda"):
        loaded(tmp_path)


@mutating_init_base_weights
def test_saved_as_it_is_lora_ga_comes_back_wrong_without_a_word(tmp_path: Path) -> None:
    model = trained(initialised("lora_ga")[0])
    model.save_pretrained(tmp_path)
    with silent():
        again = loaded(tmp_path)
    assert not same(again, model, 1e-2)


@mutating_init_base_weights
@each(("init", "warns"), [("pissa", 1), ("pissa_niter_4", 0), ("lora_ga", 0)])
def test_loaded_beside_another_it_changes_that_for_good_and_not_each_is_warned_of(
    init: str, warns: int, tmp_path: Path
) -> None:
    initialised(init)[0].save_pretrained(tmp_path)
    model = adapted(lora(), adapter_name="plain").eval()
    before = run(model)
    with said() as texts:
        model.load_adapter(tmp_path, "loaded")
    assert len(texts) == warns
    assert all("PiSSA changes the base weights of the model" in it for it in texts)
    changed = init != "lora_ga"
    assert same(model, before, 1e-2) is not changed
    model.delete_adapter("loaded")
    assert same(model, before, 1e-2) is not changed
    assert same(model.unload(), linear(), 1e-2) is not changed


@mutating_init_base_weights
def test_added_beside_another_it_changes_that_without_a_word() -> None:
    model = adapted(lora(), adapter_name="plain").eval()
    before = run(model)
    with silent():
        model.add_adapter("added", lora(init_lora_weights="pissa"))
    assert not same(model, before, 1e-2)


# -- Hotswap_Before_Compile --


@pytest.fixture
def swappable(tmp_path: Path) -> Saver:
    """Save a random adapter and return its folder."""

    def save(name: str, **options: object) -> str:
        adapted(lora(**options)).save_pretrained(tmp_path / name)
        return str(tmp_path / name)

    return save


def swap(model: nn.Module, folder: str) -> None:
    hotswap_adapter(model, folder, adapter_name="default", torch_device="cpu")


def swap_from_state_dict(model: nn.Module, folder: str) -> None:
    other = loaded(folder)
    named = other.state_dict().items()
    weights = {name: weight for name, weight in named if ".lora_" in name}
    hotswap_adapter_from_state_dict(
        model, weights, "default", other.peft_config["default"]
    )


hotswap_before_compile = claim("Hotswap_Before_Compile")


@hotswap_before_compile
@each(
    ("other", "target_rank", "compilations"),
    [
        ({"r": 8}, None, 2),
        ({"lora_alpha": 32}, None, 2),
        ({"r": 8}, 4, 2),
        ({"r": 8}, 8, 1),
        ({"lora_alpha": 32}, 4, 1),
        ({}, None, 1),
    ],
)
@each("swap", [swap, swap_from_state_dict])
def test_only_a_prepared_model_is_compiled_once(
    swappable: Saver,
    swap: Callable[..., None],
    other: Options,
    target_rank: int | None,
    compilations: int,
) -> None:
    second = swappable("second", **other)
    model = loaded(swappable("first"))
    if target_rank is not None:
        prepare_model_for_compiled_hotswap(model, target_rank=target_rank)
    torch.compiler.reset()
    counter = torch._dynamo.testing.CompileCounter()  # noqa: SLF001 -- torch's own tests count so
    compiled = torch.compile(model, backend=counter)
    run(compiled)
    swap(compiled, second)
    assert same(compiled, loaded(second))
    assert counter.frame_count == compilations


@hotswap_before_compile
def test_after_compiling_and_without_an_adapter_it_is_too_late_or_too_early(
    swappable: Saver,
) -> None:
    compiled = torch.compile(loaded(swappable("first")), backend="eager")
    for model, message in (
        (compiled, r"Call prepare_model_for_compiled_hotswap \*before\* compiling"),
        (linear(), "No adapter layers found on the model"),
    ):
        with refused(message):
            prepare_model_for_compiled_hotswap(model, target_rank=8)


@hotswap_before_compile
@each(
    "options",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"lora_dropout": 0.1},
        {"alpha_pattern": {"0": 3}},
    ],
)
def test_options_have_to_agree(swappable: Saver, options: Options) -> None:
    model = loaded(swappable("first"))
    with refused(f"Configs are incompatible: for {next(iter(options))}"):
        swap(model, swappable("second", **options))


@hotswap_before_compile
def test_from_a_state_dict_nothing_is_compared(swappable: Saver) -> None:
    plain = loaded(swappable("plain"))
    model = loaded(swappable("dora", use_dora=True))
    configs = [it.peft_config["default"] for it in (model, plain)]
    with refused("Configs are incompatible: for use_dora"):
        check_hotswap_configs_compatible(*configs)
    with silent():
        swap_from_state_dict(model, swappable("plain"))
    assert distance(model, plain) > 0.1


@hotswap_before_compile
def test_only_lora(tmp_path: Path) -> None:
    model = adapted(config("LoHa", "0"))
    model.save_pretrained(tmp_path)
    with refused("Hotswapping only supports"):
        swap(model, str(tmp_path))


@hotswap_before_compile
def test_fewer_layers_are_fine_and_more_are_refused(swappable: Saver) -> None:
    two, one = swappable("two"), swappable("one", target_modules=["2"])
    model = loaded(two)
    swap(model, one)
    assert same(model, loaded(one))
    with refused("unexpected keys found: base_model", RuntimeError):
        swap(loaded(one), two)


@hotswap_before_compile
def test_not_while_merged_and_the_configuration_stays_the_first_ones(
    swappable: Saver,
) -> None:
    model = loaded(swappable("first"))
    second = swappable("second", r=8, lora_alpha=32)
    model.merge_adapter()
    with refused("currently merged into the base weights"):
        swap(model, second)
    model.unmerge_adapter()
    swap(model, second)
    config = model.peft_config["default"]
    assert (config.r, config.lora_alpha) == (4, 8)


HEAD = {"target_modules": ["lm_head"]}


@hotswap_before_compile
@each(
    ("options", "error"),
    [
        ({"use_dora": True}, KeyError),
        ({"bias": "lora_only"}, KeyError),
        ({"trainable_token_indices": [4, 5]}, KeyError),
        ({"modules_to_save": ["lm_head"]}, KeyError),
        (HEAD, KeyError),
        ({"target_modules": ["embed_tokens"]}, KeyError),
        ({"target_modules": ["embed_tokens"], "save": False}, AttributeError),
        (HEAD | {"save": False}, None),
        ({"target_modules": ["k_proj"]}, None),
    ],
)
def test_what_two_adapters_of_the_same_settings_cannot_have(
    tmp_path: Path, options: Options, error: type[Exception] | None
) -> None:
    options = {"target_modules": ["q_proj"]} | options
    saving = {"save_embedding_layers": options.pop("save", "auto")}

    def model() -> PeftModel:
        base = llama(attention_bias=True)
        return trained(adapted(peft.LoraConfig(**options | CAUSAL), base))

    torch.manual_seed(1)
    other, first = model(), model()
    other.save_pretrained(tmp_path, **saving)
    with pytest.raises(error) if error else nullcontext():
        swap(first, str(tmp_path))
    assert same(first, other, 1e-4) is (error is None)


RANKS, ALPHAS = {"rank_pattern": {"0": 8}}, {"alpha_pattern": {"0": 3}}


@hotswap_before_compile
@each("prepared", [False, True])
@each(
    ("first", "second", "right"),
    [
        ({}, RANKS, [1.0, 2.0]),
        (RANKS, RANKS, [1.0, 2.0]),
        (ALPHAS, ALPHAS, [0.75, 2.0]),
        (RANKS, {}, [2.0, 2.0]),
    ],
)
def test_patterns_are_ignored_without_an_error(
    swappable: Saver,
    first: Options,
    second: Options,
    right: list[float],
    prepared: bool,  # noqa: FBT001 -- a table's column
) -> None:
    def scales(model: PeftModel) -> list[float]:
        linears = (model.base_model.model[at] for at in (0, 2))
        return [float(layer.scaling["default"]) for layer in linears]

    folder = swappable("second", **second)
    model = loaded(swappable("first", **first))
    if prepared:
        prepare_model_for_compiled_hotswap(model, target_rank=8)
    with silent():
        swap(model, folder)
    assert scales(model) == [2.0, 2.0]
    assert scales(loaded(folder)) == right
    assert same(model, loaded(folder)) is (right == [2.0, 2.0])


@hotswap_before_compile
@each(
    "options", [{"modules_to_save": ["2"]}, {"use_dora": True}, {"bias": "lora_only"}]
)
def test_other_weights_are_no_part_of_a_swap(
    swappable: Saver, options: Options
) -> None:
    options = {"target_modules": ["0"]} | options
    model = loaded(swappable("first", **options))
    with pytest.raises(KeyError):
        swap(model, swappable("second", **options))


# -- Hotswap_Saves_First_Config --


hotswap_saves_first_config = claim("Hotswap_Saves_First_Config")


@hotswap_saves_first_config
@each("compiled", [False, True])
@each(
    ("first", "second", "target_rank", "outcome"),
    [
        ({}, {}, None, "right"),
        ({}, {"lora_alpha": 32}, None, "wrong"),
        ({}, {"lora_alpha": 32}, 4, "wrong"),
        ({"r": 8}, {}, None, "wrong"),
        ({"r": 8, "lora_alpha": 16}, {}, None, "right"),
        ({}, {"r": 8}, None, "size mismatch"),
        ({}, {"r": 8}, 8, "size mismatch"),
        ({}, {}, 8, "size mismatch"),
    ],
)
def test_what_is_saved_after_a_swap(  # noqa: PLR0913, PLR0917 -- a table's columns
    swappable: Saver,
    tmp_path: Path,
    first: Options,
    second: Options,
    target_rank: int | None,
    outcome: str,
    compiled: bool,  # noqa: FBT001 -- a table's column
) -> None:
    folder = swappable("second", **second)
    model = loaded(swappable("first", **first))
    if target_rank is not None:
        prepare_model_for_compiled_hotswap(model, target_rank=target_rank)
    swapped = torch.compile(model, backend="eager") if compiled else model
    swap(swapped, folder)
    expected = run(swapped)
    assert same(expected, loaded(folder))

    with silent():
        model.save_pretrained(tmp_path / "saved")
    if outcome == "size mismatch":
        with refused(outcome, RuntimeError):
            loaded(tmp_path / "saved")
    else:
        with silent():
            again = loaded(tmp_path / "saved")
        assert same(again, expected, 1e-2) is (outcome == "right")

    # the folder that was swapped in is right, and so is a merge
    copied = shutil.copytree(folder, tmp_path / "copied")
    assert same(loaded(copied), expected)
    assert same(model.merge_and_unload(), expected)


@hotswap_saves_first_config
def test_a_prepared_model_that_was_never_swapped_cannot_be_saved_either(
    swappable: Saver, tmp_path: Path
) -> None:
    model = loaded(swappable("first"))
    prepare_model_for_compiled_hotswap(model, target_rank=8)
    model.save_pretrained(tmp_path / "saved")
    with refused("size mismatch", RuntimeError):
        loaded(tmp_path / "saved")


@hotswap_saves_first_config
def test_prepared_with_its_configuration_it_comes_back_with_another_scale(
    swappable: Saver, tmp_path: Path
) -> None:
    model = loaded(swappable("first"))
    before = run(model)
    prepare_model_for_compiled_hotswap(model, target_rank=64, config=model.peft_config)
    assert same(model, before)
    model.save_pretrained(tmp_path / "saved")
    assert not same(loaded(tmp_path / "saved"), before, 1e-3)


# -- Adapter_Names_Silently_Ignored and its neighbours --

HEEDING = ["Lora", "Road", "Glora"]


adapter_names_silently_ignored = claim("Adapter_Names_Silently_Ignored")


@adapter_names_silently_ignored
@each("method", HEEDING)
def test_three_methods_heed_the_names(method: str) -> None:
    model = of_method(method, llama(), 0.3)
    assert same(run(model, adapter_names=["__base__"] * 2), llama())
    assert not same(model, llama(), 1e-3)


def ignores_names(model: nn.Module, **options: object) -> bool:
    named = run(model, adapter_names=["no such adapter"], **options)
    return torch.equal(named, run(model, **options))


@adapter_names_silently_ignored
@each("method", sorted({*MERGING} - {*HEEDING, "AdaLora"}))
def test_others_ignore_even_names_that_do_not_exist(method: str) -> None:
    assert ignores_names(of_method(method, size=0.3))


@adapter_names_silently_ignored
def test_prompts_a_mixed_model_and_xlora_ignore_them(tmp_path: Path) -> None:
    for model in (
        on_llama("PromptTuning"),
        on_llama("PrefixTuning"),
        adapted(lora("q_proj"), llama(), mixed=True),
        xlora(tmp_path),
    ):
        assert ignores_names(model.eval())
    mixed = adapted(lora("q_proj"), llama(), mixed=True)
    with refused("`model_kwargs` are not used by the model: \\['adapter_names'\\]"):
        mixed.generate(input_ids=PROMPT, adapter_names=["default"] * 2)


def mobile_vit() -> nn.Module:
    """Return a model that cuts each picture into four windows."""
    config = MobileViTConfig(
        image_size=64,
        hidden_sizes=[16] * 3,
        neck_hidden_sizes=[8] * 6 + [16],
        num_attention_heads=2,
    )
    torch.manual_seed(0)
    model = MobileViTForImageClassification(config).eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3)
    return model


@adapter_names_silently_ignored
def test_names_are_repeated_for_windows() -> None:
    model = pair(lora("query", "value"), base=mobile_vit()).eval()
    pictures = torch.randn(3, 3, 64, 64)
    names = ["a", "b", "__base__"]

    def logits(rows: Tensor, **options: list[str]) -> Tensor:
        with torch.no_grad():
            return model(pixel_values=rows, **options).logits

    with refused("should be the same as the number of inputs, but got 3 and 12"):
        logits(pictures, adapter_names=names)
    # the error leaves its hooks
    model = pair(lora("query", "value"), base=mobile_vit()).eval()
    expected = [logits(pictures[:1])]
    model.set_adapter("b")
    expected.append(logits(pictures[1:2]))
    with model.disable_adapter():
        expected.append(logits(pictures[2:]))
    assert not torch.allclose(logits(pictures[2:]), expected[2], atol=1e-5)
    four = [name for name in names for _window in range(4)]
    mixed = logits(pictures, adapter_names=four)
    assert torch.allclose(mixed, torch.cat(expected), atol=1e-6)


def small_t5() -> nn.Module:
    config = T5Config(
        vocab_size=64,
        d_model=32,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    )
    torch.manual_seed(0)
    return T5ForConditionalGeneration(config).eval()


@adapter_names_silently_ignored
@each("beams", [1, 2])
def test_generate_takes_the_names_of_an_encoder_decoder_and_beams(beams: int) -> None:
    model = pair(lora("q", "v"), base=small_t5()).eval()
    rows = torch.arange(3 * 6).reshape(3, 6) + 2
    options = {"max_length": 8, "num_beams": beams, "do_sample": False}
    names = ["__base__", "a", "b"]
    mixed = model.generate(input_ids=rows, adapter_names=names, **options)
    with model.disable_adapter():
        expected = [model.generate(input_ids=rows[:1], **options)[0]]
    for at, name in enumerate("ab", 1):
        model.set_adapter(name)
        expected.append(model.generate(input_ids=rows[at : at + 1], **options)[0])
    assert len({tuple(row.tolist()) for row in expected}) > 1
    for row, alone in zip(mixed, expected, strict=True):
        assert torch.equal(row[: len(alone)], alone)
    with refused("are not used by the model: \\['adapter_names'\\]"):
        model.get_base_model().generate(input_ids=rows, adapter_names=names)


adapter_names_hook_leak = claim("Adapter_Names_Hook_Leak")


@adapter_names_silently_ignored
@adapter_names_hook_leak
@each("names", [["default"] * 2, ["__base__"] * 2, ["default"] * 3])
def test_adalora_fails_and_goes_on_failing_until_the_hooks_are_gone(
    names: list[str],
) -> None:
    model = of_method("AdaLora")
    expected = run(model)
    # an unknown name is found first, and does no harm
    with refused(r"Trying to infer with non-existing adapter\(s\): nobody"):
        run(model, adapter_names=["nobody"] * 2)
    assert identical(model, expected)
    with refused("adapter_names", TypeError):
        mixed_batch(model, names)
    assert identical(model, expected)
    for options in ({"adapter_names": names}, {}):
        with refused("unexpected keyword argument 'adapter_names'", TypeError):
            run(model, **options)


@adapter_names_silently_ignored
@each(
    ("config", "message"),
    [
        (config("Poly", "q_proj", **CAUSAL), "task_ids should not be None"),
        (config("MultitaskPromptTuning", **CAUSAL), "task_ids cannot be None"),
    ],
)
def test_some_want_task_ids_and_then_ignore_them(
    config: peft.PeftConfig, message: str
) -> None:
    model = adapted(config, llama()).eval()
    for options in ({}, {"adapter_names": ["default"] * 2}):
        with refused(message):
            run(model, **options)
    assert ignores_names(model, task_ids=torch.zeros(2, dtype=torch.long))


@adapter_names_silently_ignored
def test_generate_ignores_them_too() -> None:
    model = of_method("LoHa")
    given = {"attention_mask": torch.ones_like(PROMPT), "pad_token_id": 0}
    options = {"max_new_tokens": 4, "do_sample": False} | given
    named = model.generate(PROMPT, adapter_names=["nobody"], **options)
    assert torch.equal(named, model.generate(PROMPT, **options))


@adapter_names_silently_ignored
def test_lora_ignores_them_while_it_is_disabled() -> None:
    model = adapted(lora("q_proj"), llama()).eval()
    with model.disable_adapter():
        assert same(run(model, adapter_names=["default"] * 2), llama())


BERT = BertConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=32,
    num_hidden_layers=1,
    num_attention_heads=4,
)
T5 = T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
#: The kinds of wrapper → what makes the base, and a layer of it.
TASKS = {
    "PeftModel": (llama, "q_proj"),
    "PeftModelForCausalLM": (llama, "q_proj"),
    "PeftModelForSeq2SeqLM": (lambda: T5ForConditionalGeneration(T5), "q"),
    "PeftModelForSequenceClassification": (
        lambda: BertForSequenceClassification(BERT),
        "query",
    ),
    "PeftModelForTokenClassification": (
        lambda: BertForTokenClassification(BERT),
        "query",
    ),
    "PeftModelForQuestionAnswering": (lambda: BertForQuestionAnswering(BERT), "query"),
    "PeftModelForFeatureExtraction": (lambda: BertModel(BERT), "query"),
}


def of_task(task: str, method: str) -> Callable[..., Tensor]:
    """Return what calls a model of the task with adapter names, and gives its first output."""
    base, target = TASKS[task]
    model = trained(getattr(peft, task)(base(), config(method, target)))
    decoded = {"decoder_input_ids": PROMPT} if "Seq2Seq" in task else {}

    def call(**options: object) -> Tensor:
        with torch.no_grad():
            return model(input_ids=PROMPT, **decoded, **options)[0]

    return call


@adapter_names_hook_leak
@adapter_names_silently_ignored
@each("task", TASKS)
def test_every_task_ignores_them_or_leaks(task: str) -> None:
    call = of_task(task, "LoHa")
    assert torch.equal(call(adapter_names=["nobody"]), call())
    call = of_task(task, "Lora")
    for options in ({"adapter_names": ["__base__"] * 3}, {}):
        with refused("Length of `adapter_names` should be the same"):
            call(**options)


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_pre_hooks) for module in model.modules())  # noqa: SLF001 -- no public way to them


def mixed_batch(model: nn.Module, adapter_names: list[str]) -> Tensor:
    """Do what the page says: call the model, and leave no hook behind if that fails."""
    before = {module: set(module._forward_pre_hooks) for module in model.modules()}  # noqa: SLF001
    try:
        return run(model, adapter_names=adapter_names)
    except Exception:
        for module, known in before.items():
            for hook in set(module._forward_pre_hooks) - known:  # noqa: SLF001
                del module._forward_pre_hooks[hook]  # noqa: SLF001
        raise


@adapter_names_hook_leak
@each("method", HEEDING)
def test_a_failed_call_governs_the_next_one_unless_the_wrapper_takes_its_hooks_away(
    method: str,
) -> None:
    model = of_method(method, llama(), 0.3)
    three = torch.arange(24).reshape(3, 8)
    expected, of_base = run(model), run(llama(), three)
    assert not same(run(model, three), of_base, 1e-3)
    fails = refused("but got 3 and 2 respectively")
    with fails:
        mixed_batch(model, ["__base__"] * 3)
    assert hooks(model) == 0
    assert identical(model, expected)
    assert same(mixed_batch(model, ["__base__", "default"])[1], expected[1])

    with fails:
        run(model, adapter_names=["__base__"] * 3)
    assert hooks(model) == 1
    assert same(run(model, three), of_base)  # silently the base
    with fails:
        run(model)


@adapter_names_hook_leak
def test_an_error_of_the_base_and_of_generate_leaks() -> None:
    model = of_method("Lora")
    with pytest.raises(IndexError):
        run(model, PROMPT + 1000, adapter_names=["__base__"] * 2)
    assert hooks(model) == 1
    with refused("Length of `adapter_names` should be the same"):
        run(model, torch.arange(24).reshape(3, 8))
    mixed = adapted(lora("q_proj"), llama(), mixed=True).eval()
    with pytest.raises(IndexError):
        run(mixed, PROMPT + 1000, adapter_names=["__base__"] * 2)
    assert not same(mixed, llama(), 1e-3)
    model = of_method("Lora")
    with refused("but got 3 and 2 respectively"):
        model.generate(PROMPT, adapter_names=["__base__"] * 3, max_new_tokens=2)
    assert hooks(model) == 1


@adapter_names_hook_leak
@adapter_names_silently_ignored
@each("method", [*HEEDING, "AdaLora"])
def test_unknown_names_and_training_mode_are_found_in_time(method: str) -> None:
    model = of_method(method)
    with refused("non-existing adapter"):
        run(model, adapter_names=["nobody"] * 2)
    model.train()
    with refused("training mode"):
        run(model, adapter_names=["default"] * 2)
    assert hooks(model) == 0


# -- DoRA_Mixed_Batch_Limitation --


dora_mixed_batch_limitation = claim("DoRA_Mixed_Batch_Limitation")


@dora_mixed_batch_limitation
@each(
    ("layer", "batch"),
    [
        (nn.Linear(8, 8), torch.ones(2, 8)),
        (nn.Embedding(8, 8), torch.ones(2, 3, dtype=torch.long)),
        (nn.Conv2d(8, 8, 1), torch.ones(2, 8, 2, 2)),
    ],
)
def test_dora_is_refused_in_a_mixed_batch_and_a_plain_call_fails_after_it(
    layer: nn.Module, batch: Tensor
) -> None:
    model = adapted(lora("0", use_dora=True), nn.Sequential(layer)).eval()
    for options in ({"adapter_names": ["default", "__base__"]}, {}):
        with refused("Cannot pass `adapter_names` when DoRA is enabled"):
            model(batch, **options)


@dora_mixed_batch_limitation
def test_dora_that_is_loaded_but_not_named_does_no_harm_and_one_at_a_time_is_the_way() -> (
    None
):
    model = pair(lora(), lora(use_dora=True)).eval()
    plain = run(model)
    mixed = run(model, adapter_names=["a", "__base__"] * 2)
    assert same(mixed[0], plain[0])
    assert same(mixed[1], run(linear())[1])
    model.set_adapter("b")
    assert not same(model, plain, 1e-2)


@dora_mixed_batch_limitation
def test_in_training_mode_another_error_comes_first() -> None:
    with refused("Cannot pass `adapter_names` when the model is in training mode"):
        run(adapted(lora(use_dora=True)), adapter_names=["default"] * 4)


# -- Set_Adapter_Unfreezes --


set_adapter_unfreezes = claim("Set_Adapter_Unfreezes")


@set_adapter_unfreezes
@each("mixed", [False, True])
def test_a_switch_unfreezes_one_and_freezes_the_other(mixed: bool) -> None:  # noqa: FBT001 -- a table's column
    model = pair(mixed=mixed)
    model.set_adapter("b")
    assert unfrozen(model) == {"b"}
    model.set_adapter("a", inference_mode=True)
    assert not unfrozen(model)


@set_adapter_unfreezes
@each("method", [*MERGING, "Lily", "Poly", "Shadow"])
def test_the_tuners_own_method_does_it_for_every_method(method: str) -> None:
    targets = [] if method == "Shadow" else [TARGETS.get(method, "q_proj")]
    # of AdaLoRA and Shadow, one adapter can be trained
    frozen = {"inference_mode": method in {"AdaLora", "Shadow"}}
    model = pair(
        config(method, *targets, **CAUSAL),
        config(method, *targets, **CAUSAL, **frozen),
        llama(attention_bias=True),
    )
    tuner = model.base_model
    tuner.set_adapter("b")
    assert unfrozen(model) == {"b"}
    tuner.set_adapter("a", inference_mode=True)
    assert not unfrozen(model)
    with model.disable_adapter():
        assert not unfrozen(model)
    assert unfrozen(model) == {"a"}
    tuner.set_adapter("a", inference_mode=True)
    assert not unfrozen(model)
    tuner.disable_adapter_layers()
    tuner.enable_adapter_layers()
    assert unfrozen(model) == {"a"}
    tuner.delete_adapter("a")
    assert unfrozen(model) == {"b"}


@set_adapter_unfreezes
def test_so_does_deleting_the_active_one_of_a_mixed_model() -> None:
    model = pair(mixed=True)
    model.set_adapter("b", inference_mode=True)
    model.base_model.delete_adapter("b")
    assert unfrozen(model) == {"a"}


@set_adapter_unfreezes
def test_the_method_of_one_layer_does_it_there_and_the_model_does_not_notice() -> None:
    model = pair()
    model.set_adapter("a", inference_mode=True)
    before = run(model)
    layer, last = layer_of(model), model.base_model.model[2]
    layer.set_adapter("b")
    assert unfrozen(model) == {"b"}
    assert (layer.active_adapter, last.active_adapter) == (["b"], ["a"])
    assert model.active_adapter == "a"
    assert not same(model, before)
    layer.set_adapter("b", inference_mode=True)
    assert not unfrozen(model)


@set_adapter_unfreezes
def test_the_functions_do_it_as_well() -> None:
    model = peft.inject_adapter_in_model(lora(), linear(), "a")
    peft.inject_adapter_in_model(lora(), model, "b")
    set_adapter(model, "a", inference_mode=True)
    assert not unfrozen(model)
    set_adapter(model, "b")
    assert unfrozen(model) == {"b"}
    set_adapter(model, "a", inference_mode=True)
    delete_adapter(model, "a", prefix="lora_")
    assert unfrozen(model) == {"b"}


@set_adapter_unfreezes
@each("options", [{"trainable_token_indices": [1]}, {"modules_to_save": ["lm_head"]}])
def test_the_wrappers_do_it_as_well(options: Options) -> None:
    model = pair(config("Lora", **CAUSAL, **options), base=llama())
    model.set_adapter("a", inference_mode=True)
    modules = model.modules()
    wrapper = next(it for it in modules if isinstance(it, AuxiliaryTrainingWrapper))
    wrapper.set_adapter(["b"])
    assert unfrozen(model) == {"b"}
    wrapper.set_adapter(["a"], inference_mode=True)
    assert not unfrozen(model)
    wrapper.delete_adapter("a", ["b"])
    assert unfrozen(model) == {"b"}


@set_adapter_unfreezes
def test_a_layer_that_is_enabled_or_loses_its_adapter_does_it_as_well() -> None:
    model = pair()
    model.set_adapter("a", inference_mode=True)
    layer = layer_of(model)
    layer.enable_adapters(enabled=True)
    assert unfrozen(model) == {"a"}
    model.set_adapter("a", inference_mode=True)
    layer.delete_adapter("a")
    assert unfrozen(model) == {"b"}


@set_adapter_unfreezes
def test_several_at_once_only_below_and_in_a_mixed_model() -> None:
    model = pair()
    with refused("unhashable type: 'list'", TypeError):
        model.set_adapter(["a", "b"])
    model.base_model.set_adapter(["a", "b"])
    assert unfrozen(model) == {"a", "b"}
    both = run(model)
    model.set_adapter("a")
    assert not same(model, both)

    model = pair(mixed=True)
    model.set_adapter(["a", "b"])
    assert unfrozen(model) == {"a", "b"}


@set_adapter_unfreezes
def test_a_merged_model_is_unmerged() -> None:
    model = pair()
    model.merge_adapter()
    with warned("model is merged. Unmerging the model first"):
        model.set_adapter("b")
    assert same(layer_of(model).base_layer.weight, linear()[0].weight)


@set_adapter_unfreezes
def test_prompt_based_methods_leave_it_as_it_is() -> None:
    model = pair(config("PromptTuning", **CAUSAL), base=llama())
    model.set_adapter("b", inference_mode=True)
    assert unfrozen(model) == {"a", "b"}


# -- Quantized bases: what merges and what does not --


def ready(base: nn.Module, method: str, **options: object) -> PeftModel:
    """Return the base with a trained adapter that was run once."""
    configured = config(method, "q_proj", "v_proj", **CAUSAL | options)
    model = trained(adapted(configured, base), 0.05).train()
    assert run(model).isfinite().all()
    return model


ROUNDING = "linear may get different generations due to rounding errors."


quantized_merge_rounding = claim("Quantized_Merge_Rounding")


@quantized_merge_rounding
@each("bits", [4, 8])
@each(
    ("method", "warns"),
    [
        *(("Lora", True), ("Hira", True), ("Road", True), ("Vera", False)),
        *(("Miss", False), ("OFT", False), ("BOFT", False), ("Shira", False)),
    ],
)
def test_a_merge_rounds_and_some_warn(
    quantized: Loader,
    method: str,
    bits: int,
    warns: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model = ready(quantized(bits), method)
    before = run(model)
    with said() as texts:
        merged = model.merge_and_unload().train()
    words = [text for text in texts if f"module to {bits}-bit {ROUNDING}" in text]
    assert len(words) == 2 * warns  # once for each layer
    if method == "Lora":
        assert words[0] == f"Merge lora module to {bits}-bit {ROUNDING}"
    moved = (run(merged) - before).abs().max()
    assert 1e-4 < moved < before.abs().max() / 2


@quantized_merge_rounding
@each(
    ("method", "called_in_evaluation", "trains_again"),
    [
        *((name, True, False) for name in ("Hira", "Road", "Vera", "Miss", "OFT")),
        ("BOFT", True, False),
        ("Lora", True, False),
        ("Lora", True, True),
        ("Lora", False, False),
    ],
)
def test_after_a_call_in_evaluation_mode_a_merge_in_four_bit_destroys_the_weight(
    quantized: Loader,
    method: str,
    called_in_evaluation: bool,  # noqa: FBT001 -- a table's column
    trains_again: bool,  # noqa: FBT001 -- a table's column
) -> None:
    """On a CPU with AVX512-BF16, that is; on another one it only rounds."""

    def weight(model: nn.Module) -> Tensor:
        stored = model.model.layers[0].self_attn.q_proj.weight
        return bnb.functional.dequantize_4bit(stored.data, stored.quant_state).float()

    base = quantized(4)
    before = weight(base)
    model = adapted(config(method, "q_proj", **CAUSAL), base)
    run(model.train(not called_in_evaluation))
    if trains_again:
        run(model.train())
    with said() as texts:
        merged = model.merge_and_unload(safe_merge=True)
    assert all("rounding errors" in text for text in texts)
    destroyed = called_in_evaluation and bool(bnb.functional.has_avx512bf16())
    moved = distance(weight(merged), before)
    assert moved == pytest.approx(1.44 if destroyed else 0, abs=0.1)


@quantized_merge_rounding
@each(("bits", "options", "moved"), [(4, {"quant_type": "nf4"}, 0.087), (8, {}, 0.005)])
def test_how_much_a_large_random_adapter_is_rounded(
    bits: int, options: dict[str, str], moved: float
) -> None:
    model = adapted(lora("0", r=8), quantized_linear(bits, **options)).train()
    batch = torch.randn(16, 64)
    before = run(model, batch)
    after = run(model.merge_and_unload().train(), batch)
    assert distance(after, before) == pytest.approx(moved, rel=0.2)


@quantized_merge_rounding
def test_safe_merge_does_not_notice(quantized: Loader) -> None:
    model = ready(quantized(4), "Lora")
    before = run(model)
    assert not same(model.merge_and_unload(safe_merge=True).train(), before, 1e-3)


@quantized_merge_rounding
@each("take_back", ["unmerge", "disable"])
def test_unmerging_rounds_once_more(quantized: Loader, take_back: str) -> None:
    model = ready(quantized(4), "Lora")
    with model.disable_adapter():
        base = run(model)
    model.merge_adapter()
    if take_back == "unmerge":
        model.unmerge_adapter()
    with model.disable_adapter():
        assert not same(model, base, 1e-3)


unmergeable_quantized_bases = claim("Unmergeable_Quantized_Bases")


@quantized_merge_rounding
@unmergeable_quantized_bases
@each(("method", "bits"), [("Lora", 4), ("IA3", 8), ("FourierFT", 8)])
def test_into_the_unquantized_base_the_same_adapter_merges_to_what_it_is_there(
    quantized: Loader, tmp_path: Path, method: str, bits: int
) -> None:
    ready(quantized(bits), method).save_pretrained(tmp_path)
    model = loaded(tmp_path, llama())
    before = run(model)
    assert not same(before, llama())
    assert same(model.merge_and_unload(safe_merge=True), before)


@unmergeable_quantized_bases
@each(
    ("method", "bits", "error", "message"),
    [
        ("IA3", 4, ValueError, "merge ia3 layers when the model is loaded in 4-bit"),
        ("IA3", 8, ValueError, "merge ia3 layers when the model is loaded in 8-bit"),
        ("AdaLora", 4, NotImplementedError, "^$"),
        ("AdaLora", 8, NotImplementedError, "^$"),
        ("C3A", 4, RuntimeError, "size of tensor"),
        *(
            (name, bits, RuntimeError, message)
            for name in ("FourierFT", "Gralora", "UniLora", "VBLoRA", "WaveFT")
            for bits, message in ((4, "size of tensor"), (8, "result type"))
        ),
        ("LoHa", 8, RuntimeError, "result type"),
        ("LoKr", 8, RuntimeError, "result type"),
    ],
)
def test_runs_on_bitsandbytes_and_does_not_merge(
    quantized: Loader, method: str, bits: int, error: type[Exception], message: str
) -> None:
    model = ready(quantized(bits), method)
    with refused(message, error):
        model.merge_and_unload()


#: A merge into 4 bit leaves a model that does not run.
BREAKING = ("Pvera", "RandLora")


@unmergeable_quantized_bases
@each("method", BREAKING)
def test_four_bit_merge_that_breaks_the_model(quantized: Loader, method: str) -> None:
    merged = ready(quantized(4), method).merge_and_unload().train()
    with refused("is invalid for input of size", RuntimeError):
        run(merged)


@unmergeable_quantized_bases
@each("method", BREAKING)
def test_after_a_call_in_evaluation_mode_it_may_run_and_is_wrong(
    quantized: Loader, method: str
) -> None:
    model = ready(quantized(4), method).eval()
    before = run(model)
    repacked = any(
        getattr(module.weight, "quant_state", None)
        and getattr(module.weight.quant_state, "packing_format_for_cpu", False)
        for module in model.modules()
        if hasattr(module, "weight")
    )
    with model.disable_adapter():
        effect = (run(model) - before).abs().max()
    merged = model.merge_and_unload()
    if repacked:  # by a CPU with AVX512-BF16
        assert (run(merged) - before).abs().max() > effect / 2
    else:
        with refused("is invalid for input of size", RuntimeError):
            run(merged)


@unmergeable_quantized_bases
@each("bits", [4, 8])
def test_randlora_does_not_merge_where_the_sizes_of_a_layer_differ(bits: int) -> None:
    layer = {
        4: lambda: bnb.nn.Linear4bit(64, 128, compute_dtype=torch.float32),
        8: lambda: bnb.nn.Linear8bitLt(64, 128, has_fp16_weights=False),
    }[bits]()
    base = nn.Sequential(layer).to("cpu")
    setattr(base, f"is_loaded_in_{bits}bit", True)
    with refused("shapes cannot be multiplied", RuntimeError):
        adapted(config("RandLora", "0"), base).merge_and_unload()
    plain = adapted(config("RandLora", "0"), nn.Sequential(nn.Linear(64, 128)))
    plain.merge_and_unload()


@unmergeable_quantized_bases
@each(
    ("method", "wrong"),
    [("C3A", True), ("RandLora", True), ("Lora", False), ("Pvera", False)],
)
def test_eight_bit_merge_that_is_wrong(
    quantized: Loader,
    method: str,
    wrong: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model = ready(quantized(8), method).eval()
    before = run(model)
    with model.disable_adapter():
        effect = (run(model) - before).abs().max()
    moved = (run(model.merge_and_unload().eval()) - before).abs().max()
    # rounding to 8 bit costs a small part of what the adapter does
    assert bool(moved > effect / 2) is wrong


eight_bit_codes_read_as_weights = claim("Eight_Bit_Codes_Read_As_Weights")


@unmergeable_quantized_bases
@eight_bit_codes_read_as_weights
@each(
    ("method", "bits"),
    [
        *(("LoHa", 4), ("LoKr", 4), ("HRA", 4), ("Peanut", 4), ("Deft", 4)),
        *(("Supertuning", 4), ("Supertuning", 8)),
    ],
)
def test_left_out_because_they_do_not_run(
    quantized: Loader, method: str, bits: int
) -> None:
    with pytest.raises(RuntimeError):
        ready(quantized(bits), method)


@unmergeable_quantized_bases
@claim("Safe_Merge_NaN_Check")
@each("bits", [4, 8])
def test_lora_bias_is_merged_without_its_scale_and_not_checked(
    quantized: Loader, bits: int
) -> None:
    def biased() -> tuple[PeftModel, nn.Module]:
        base = quantized(bits)
        attention = base.model.layers[0].self_attn
        zeros = nn.Parameter(torch.zeros(64), requires_grad=False)
        attention.q_proj.bias = zeros
        options = {"lora_alpha": 16, "r": 4, "lora_bias": True}
        model = adapted(config("Lora", "q_proj", **CAUSAL, **options), base).train()
        attention.q_proj.lora_B["default"].bias.data.fill_(0.5)
        return model, attention

    model, attention = biased()
    before = run(model)
    merged = model.merge_and_unload().train()
    # and not 4 * 0.5, as in the forward pass
    assert attention.q_proj.bias.unique().tolist() == [0.5]
    assert (run(merged) - before).abs().max() > 0.01

    model, attention = biased()
    layer = attention.q_proj
    weight = layer.base_layer.weight
    with refused("Boolean value of Tensor", RuntimeError):
        model.merge_and_unload(safe_merge=True)
    assert not layer.merged
    assert layer.base_layer.weight is not weight


@unmergeable_quantized_bases
@each("method", ["Lora", "AdaLora", "OFT"])
def test_gptq_is_refused(method: str) -> None:
    base = llama()
    # what transformers sets; nothing else of GPTQ is here
    base.quantization_method = "gptq"
    model = adapted(config(method, "q_proj", **CAUSAL), base)
    with refused("layers when the model is gptq quantized"):
        model.merge_and_unload()


def does_not_merge_with(layer: type[nn.Module], model: PeftModel, name: str) -> None:
    """Put another of LoRA's layers in the place of the one on `q_proj`, on an ordinary linear layer."""
    attention = next(it for it in model.modules() if hasattr(it, "q_proj"))
    plain = attention.q_proj.base_layer
    attention.q_proj = layer(plain, name, config=config("Lora", "q_proj"), r=4)
    with pytest.raises(NotImplementedError):
        model.merge_and_unload()


@unmergeable_quantized_bases
@each("layer", [GPTQLoraLinear, AwqLoraLinear, AqlmLoraLinear, TeLinear])
def test_loras_layers_for_other_backends_do_not_merge(layer: type[nn.Module]) -> None:
    does_not_merge_with(layer, of_method("Lora"), "default")


@unmergeable_quantized_bases
def test_nor_do_they_inside_xlora(tmp_path: Path) -> None:
    does_not_merge_with(GPTQLoraLinear, xlora(tmp_path), "0")


@unmergeable_quantized_bases
@each("method", ["Vera", "Miss", "OFT", "BOFT", "Shira"])
def test_backends_that_only_run_forward_do_not_merge(method: str) -> None:
    for backend in ("gptq", "awq"):
        model = of_method(method)
        model.get_base_model().quantization_method = backend
        for module in model.modules():
            if isinstance(module, BaseTunerLayer):
                module.quantization_backend = ForwardOnlyQuantizationBackend(backend)
        message = rf"is not supported for {backend} layers\. Merging/unmerging is not"
        with (
            refused("Cannot merge OFT layers when the model is gptq")
            if (method, backend) == ("OFT", "gptq")
            else refused(message, TypeError)
        ):
            model.merge_and_unload()


@unmergeable_quantized_bases
def test_replicated_layers_are_merged_wrongly_without_a_word() -> None:
    config = lora("q_proj", layer_replication=[(0, 2), (0, 2)], **CAUSAL)
    model = adapted(config, llama(num_hidden_layers=2)).eval()
    before = run(model)
    with silent():
        merged = model.merge_and_unload()
    assert len(merged.model.layers) == 4
    assert not same(merged, before, 1e-3)


# -- Eight_Bit_Codes_Read_As_Weights --

READ_CODES = ("HRA", "Deft", "Peanut")


def on_base(
    base: nn.Module, method: str, moved: float = 0.05
) -> tuple[PeftModel, Tensor, Tensor]:
    """Return the adapted model in evaluation mode, and its logits with and without the adapter."""
    torch.manual_seed(1)
    targets = ("q_proj", "v_proj")
    model = trained(adapted(config(method, *targets, **CAUSAL), base), moved)
    with_adapter = run(model)
    with model.disable_adapter():
        return model, with_adapter, run(model)


@eight_bit_codes_read_as_weights
@each(
    ("method", "new", "moved", "unquantized"),
    [
        ("HRA", 1.15, 1.15, 0.08),
        ("Deft", 1.23, 1.36, 0.19),
        ("Peanut", 0, 1.39, 0.08),
        ("Lora", 0, 0.38, 0.38),
    ],
)
def test_eight_bit_codes_give_another_model_without_a_word(
    quantized: Loader, method: str, new: float, moved: float, unquantized: float
) -> None:
    """Within a fifth of the numbers on the page: other processors round in other ways."""
    with silent():
        _, on, off = on_base(quantized(8), method, moved=0.0)
        assert distance(on, off) == pytest.approx(new, rel=0.2, abs=1e-6)
        _, on, off = on_base(quantized(8), method)
        assert distance(on, off) == pytest.approx(moved, rel=0.2)
    _, on, off = on_base(llama(), method)
    assert distance(on, off) == pytest.approx(unquantized, rel=0.2)


@eight_bit_codes_read_as_weights
def test_eight_bit_weights_are_codes_in_a_linear_layer(quantized: Loader) -> None:
    layer = quantized(8).model.layers[0].self_attn.q_proj
    assert isinstance(layer, nn.Linear)
    assert layer.weight.dtype == torch.int8
    assert layer.weight.abs().max() == 127
    assert layer.weight.SCB.shape == (64,)


@eight_bit_codes_read_as_weights
@each("called", [False, True])
@each("method", READ_CODES)
def test_merged_in_eight_bit_it_is_the_base(
    quantized: Loader,
    tmp_path: Path,
    method: str,
    called: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model, on, off = on_base(quantized(8), method)
    if not called:
        model.save_pretrained(tmp_path / "adapter")
        model = loaded(tmp_path / "adapter", quantized(8))
    merged = model.merge_and_unload(safe_merge=True).eval()
    assert identical(merged, off)
    assert distance(merged, on) > 1
    merged.save_pretrained(tmp_path / "merged")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert identical(again, off)


@eight_bit_codes_read_as_weights
def test_safe_merge_finds_no_nan_among_integers(quantized: Loader) -> None:
    def broken(method: str) -> PeftModel:
        return trained(
            adapted(config(method, "q_proj", **CAUSAL), quantized(8)), math.nan
        )

    for method in ("Deft", "Peanut"):
        broken(method).merge_and_unload(safe_merge=True)
    with refused("NaNs detected"):
        broken("HRA").merge_and_unload(safe_merge=True)


@eight_bit_codes_read_as_weights
@each(
    ("method", "good"),
    [("HRA", False), ("Peanut", False), ("Deft", True), ("Lora", True)],
)
def test_an_adapter_goes_from_one_base_to_the_other(
    quantized: Loader,
    tmp_path: Path,
    method: str,
    good: bool,  # noqa: FBT001 -- a table's column
) -> None:
    for source, target in ((llama(), quantized(8)), (quantized(8), llama())):
        model, expected, _ = on_base(source, method)
        model.save_pretrained(tmp_path)
        moved = loaded(tmp_path, target).eval()
        assert (distance(moved, expected) < 0.05) is good


@eight_bit_codes_read_as_weights
@each("method", [*READ_CODES, "UniLora"])
def test_training_on_codes_runs_and_the_loss_falls_but_for_unilora(
    quantized: Loader, method: str
) -> None:
    configured = config(method, "q_proj", "v_proj", **CAUSAL)
    model = adapted(configured, quantized(8)).train()
    losses = steps(model, adam(model), 20)
    if method != "UniLora":
        assert losses[-1] < 0.95 * losses[0]
        return
    assert losses[-1] == losses[0]
    for safe in (False, True):
        with refused("can't be cast to the desired output type", RuntimeError):
            model.merge_and_unload(safe_merge=safe)


@eight_bit_codes_read_as_weights
@each(
    ("storage", "scale"),
    [
        (None, 0.5),
        ({"bits": 8}, 0.0),
        ({"bits": 4}, 0.0),
        ({"bits": 4, "bnb_4bit_quant_storage": torch.float32}, 0.5),
        ({"bits": 4, "bnb_4bit_quant_storage": torch.bfloat16}, 0.5),
    ],
)
def test_unilora_does_nothing_where_weights_are_stored_as_integers(
    quantized: Loader, storage: Options | None, scale: float
) -> None:
    with silent():
        base = quantized(**storage) if storage else llama()
        model = ready(base, "UniLora")
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    assert layer.unilora_scales_A["default"].abs().max() == scale
    on = run(model)
    with model.disable_adapter():
        assert torch.equal(on, run(model)) is (scale == 0)
