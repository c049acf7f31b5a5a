"""The heuristics about several adapters, merging and hot-swapping say what PEFT does: each claim is executed.

Tiny random models on the CPU. A bitsandbytes model in 4 bit stays in training mode,
because bitsandbytes repacks its weights for the CPU in a forward pass in evaluation
mode, and a merge would read them as if they were not repacked.
"""

from __future__ import annotations

import math
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import bitsandbytes as bnb
import peft
import peft.functional
import pytest
import torch
from peft import (
    AdaLoraConfig,
    BOFTConfig,
    GloraConfig,
    HiraConfig,
    IA3Config,
    LNTuningConfig,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    MissConfig,
    OFTConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    RoadConfig,
    TrainableTokensConfig,
    VeraConfig,
    get_peft_model,
)
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
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    BitsAndBytesConfig,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.peft,
    # PEFT, transformers and bitsandbytes warn of much; where a warning is the claim,
    # the test catches it
    pytest.mark.filterwarnings("ignore"),
]
claim = pytest.mark.claim

PROMPT = torch.arange(16).reshape(2, 8)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        yield


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(4, 16)


def layers() -> nn.Sequential:
    """Return a base of two linear layers, the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 16)).eval()


def llama(**options: Any) -> LlamaForCausalLM:  # noqa: ANN401 -- a configuration takes anything
    """Return a small Llama in evaluation mode, the same at every call with the same options."""
    sizes = {
        "vocab_size": 64,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LlamaForCausalLM(
            LlamaConfig(num_attention_heads=4, use_cache=False, **sizes | options)
        ).eval()


def lora(**options: Any) -> LoraConfig:  # noqa: ANN401 -- a configuration takes anything
    """Return a configuration whose adapter is random, as if it were trained."""
    return LoraConfig(
        **{
            "target_modules": ["0", "2"],
            "r": 4,
            "lora_alpha": 8,
            "init_lora_weights": False,
        }
        | options
    )


def shaken(model: nn.Module, size: float = 0.1) -> nn.Module:
    """Move every trainable weight, which stands for a training."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += size * torch.randn_like(parameter)
    return model


def close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-5)


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return how far two results are from each other, relative to the size of the second."""
    return ((a - b).norm() / b.norm()).item()


def logits(
    model: nn.Module,
    prompt: torch.Tensor = PROMPT,
    **options: Any,  # noqa: ANN401
) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=prompt, **options).logits


def trainable(model: nn.Module) -> set[str]:
    """Return which of the adapters `a` and `b` take gradients."""
    names = [
        set(name.split("."))
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    ]
    return {adapter for adapter in ("a", "b") if any(adapter in name for name in names)}


# ------------------------------------------------------------------------------------------- Weighted_Adapter_Rules


@claim("Weighted_Adapter_Rules")
@pytest.mark.parametrize("combination", ["linear", "cat", "svd"])
@pytest.mark.parametrize(
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
    rows: torch.Tensor,
    options: dict[str, Any],
    faithful: bool,  # noqa: FBT001 -- a table's column
    combination: str,
) -> None:
    model = shaken(get_peft_model(layers(), lora(**options))).eval()
    before = model(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.add_weighted_adapter(
            ["default"], [1.0], "twin", combination_type=combination
        )
    model.set_adapter("twin")
    assert close(model(rows), before) is faithful


@claim("Weighted_Adapter_Rules")
@pytest.mark.parametrize("combination", ["linear", "cat", "svd"])
def test_with_rank_pattern_it_is_right_until_it_is_loaded(
    rows: torch.Tensor, combination: str, tmp_path: Path
) -> None:
    model = get_peft_model(layers(), lora(rank_pattern={"0": 2})).eval()
    before = model(rows)
    model.add_weighted_adapter(["default"], [1.0], "twin", combination_type=combination)
    model.set_adapter("twin")
    assert close(model(rows), before)
    model.save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match=r"size mismatch for .*lora_A"):
        PeftModel.from_pretrained(layers(), tmp_path / "twin")


@claim("Weighted_Adapter_Rules")
def test_alora_is_itself_too() -> None:
    prompt = torch.arange(16)[None]
    config = lora(
        target_modules=["q_proj", "v_proj"],
        alora_invocation_tokens=[3, 4],
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(llama(), config).eval()
    before = logits(model, prompt)
    with model.disable_adapter():
        assert not torch.allclose(logits(model, prompt), before, atol=1e-3)
    model.add_weighted_adapter(["default"], [1.0], "twin", combination_type="cat")
    model.set_adapter("twin")
    assert close(logits(model, prompt), before)


@claim("Weighted_Adapter_Rules")
@pytest.mark.parametrize(
    "options", [{"init_lora_weights": "pissa"}, {"init_lora_weights": "olora"}]
)
def test_a_combination_changes_the_base_and_the_old_adapter(
    rows: torch.Tensor, options: dict[str, Any]
) -> None:
    model = shaken(get_peft_model(layers(), lora(**options))).eval()
    before, weight = model(rows), model.base_model.model[0].base_layer.weight.clone()
    model.add_weighted_adapter(["default"], [1.0], "twin", combination_type="cat")
    assert not torch.allclose(
        model.base_model.model[0].base_layer.weight, weight, atol=1e-2
    )
    assert not torch.allclose(model(rows), before, atol=1e-2)


@claim("Weighted_Adapter_Rules")
@pytest.mark.parametrize("combination", ["cat", "linear"])
def test_kasa_gets_a_random_diagonal_and_cuts_the_base_again(
    rows: torch.Tensor, combination: str
) -> None:
    model = shaken(
        get_peft_model(layers(), lora(kasa_config=KasaConfig()), adapter_name="a")
    ).eval()
    model.add_adapter("b", lora(kasa_config=KasaConfig()))
    layer = model.base_model.model[0]
    before, weight = model(rows), layer.base_layer.weight.clone()
    model.add_weighted_adapter(
        ["a", "b"], [0.5, 0.5], "both", combination_type=combination
    )
    assert not torch.allclose(
        layer.lora_diag["both"][:4], layer.lora_diag["a"], atol=1e-2
    )
    # "cat" has twice the rank; what is cut away with the same rank is gone already
    assert torch.allclose(layer.base_layer.weight, weight, atol=1e-4) is (
        combination == "linear"
    )
    assert torch.allclose(model(rows), before, atol=1e-3) is (combination == "linear")


@claim("Weighted_Adapter_Rules")
def test_trained_biases_of_the_base_are_refused() -> None:
    model = get_peft_model(layers(), lora(bias="all"))
    with pytest.raises(ValueError, match="supports only 1 adapter with bias"):
        model.add_weighted_adapter(["default"], [1.0], "twin", combination_type="cat")


def two_ranks() -> tuple[PeftModel, Callable[[str], torch.Tensor]]:
    model = get_peft_model(layers(), lora(r=4), adapter_name="a")
    model.add_adapter("b", lora(r=8))
    return model, model.base_model.model[0].get_delta_weight


@claim("Weighted_Adapter_Rules")
@pytest.mark.parametrize(
    "combination", ["linear", "ties", "dare_linear", "dare_ties", "magnitude_prune"]
)
def test_unequal_ranks_are_refused(combination: str) -> None:
    model, _ = two_ranks()
    with pytest.raises(
        ValueError,
        match="All adapters must have the same r value when using combination_type",
    ):
        model.add_weighted_adapter(
            ["a", "b"], [1.0, 1.0], "both", combination_type=combination, density=0.5
        )


@claim("Weighted_Adapter_Rules")
def test_cat_and_a_large_enough_svd_are_exact_and_the_default_is_not() -> None:
    model, update = two_ranks()
    wanted = 0.5 * update("a") + 0.5 * update("b")
    pair = (["a", "b"], [0.5, 0.5])
    model.add_weighted_adapter(*pair, "cat", combination_type="cat")
    model.add_weighted_adapter(*pair, "svd", svd_rank=12)
    model.add_weighted_adapter(*pair, "default")
    assert [model.peft_config[name].r for name in ("cat", "svd", "default")] == [
        12,
        12,
        8,
    ]
    assert close(update("cat"), wanted)
    assert close(update("svd"), wanted)
    assert not torch.allclose(update("default"), wanted, atol=1e-3)


@claim("Weighted_Adapter_Rules")
def test_linear_brings_cross_terms() -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())
    layer = model.base_model.model[0]
    model.add_weighted_adapter(
        ["a", "b"], [1.0, 1.0], "both", combination_type="linear"
    )
    a, b = (layer.lora_A[name].weight for name in "ab")
    mixed = layer.scaling["a"] * (
        layer.lora_B["a"].weight @ b + layer.lora_B["b"].weight @ a
    )
    wanted = layer.get_delta_weight("a") + layer.get_delta_weight("b")
    assert close(layer.get_delta_weight("both"), wanted + mixed)
    assert mixed.abs().max() > 0.1


@claim("Weighted_Adapter_Rules")
def test_rslora_is_off_by_the_root_of_the_rank() -> None:
    model = get_peft_model(layers(), lora(use_rslora=True))
    update = model.base_model.model[0].get_delta_weight
    model.add_weighted_adapter(["default"], [1.0], "wrong", combination_type="svd")
    model.add_weighted_adapter(
        ["default"], [1 / math.sqrt(4)], "right", combination_type="svd"
    )
    assert close(update("wrong"), 2 * update("default"))
    assert close(update("right"), update("default"))


@claim("Weighted_Adapter_Rules")
def test_the_result_is_not_active_and_a_known_name_does_nothing() -> None:
    model, update = two_ranks()
    model.add_weighted_adapter(["a", "b"], [1.0, 1.0], "both", combination_type="cat")
    assert model.active_adapter == "a"
    before = update("both").clone()
    model.add_weighted_adapter(["a", "b"], [9.0, 9.0], "both", combination_type="cat")
    assert torch.equal(update("both"), before)


# -------------------------------------------------------------------------------------------- Tied_Embeddings_Merge

#: Options of methods that do without any for the tiny Llama below are left out.
OPTIONS: dict[str, dict[str, Any]] = {
    "AdaLora": {"total_step": 10},
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 8},
    "FourierFT": {"n_frequency": 50},
    "Gralora": {"r": 4, "gralora_k": 2},
    "IA3": {"feedforward_modules": []},
    "OFT": {"oft_block_size": 8},
    "Road": {"group_size": 8},
    "Shadow": {},
    "TrainableTokens": {"token_indices": [1, 2, 3]},
    "VBLoRA": {"num_vectors": 8, "vector_length": 8},
    "WaveFT": {"n_frequency": 32},
}


def configured(method: str, targets: list[str], **options: Any) -> peft.PeftConfig:  # noqa: ANN401
    config = getattr(peft, f"{method}Config")
    return config(
        target_modules=targets,
        task_type="CAUSAL_LM",
        **OPTIONS.get(method, {}) | options,
    )


def tied_ends_move_together(model: nn.Module, base: LlamaForCausalLM) -> bool:
    """Merge, and return whether the logits change and both ends hold one tensor that is not the old one."""
    old = llama(tie_word_embeddings=True).lm_head.weight
    before = logits(model)
    merged = model.merge_and_unload()
    assert merged is base
    both = merged.lm_head.weight is merged.model.embed_tokens.weight and not close(
        merged.lm_head.weight, old
    )
    return both and not torch.allclose(logits(merged), before, atol=1e-3)


@claim("Tied_Embeddings_Merge")
@pytest.mark.parametrize(
    "method",
    [
        *(
            "AdaLora",
            "Adamss",
            "BOFT",
            "C3A",
            "Deft",
            "Delora",
            "FourierFT",
            "Frod",
            "Glora",
            "Gralora",
            "HRA",
            "Hira",
        ),
        *(
            "IA3",
            "LoHa",
            "LoKr",
            "Lora",
            "Miss",
            "OFT",
            "OSF",
            "Peanut",
            "Psoft",
            "Pvera",
            "RandLora",
            "Road",
            "Shira",
        ),
        *("Supertuning", "TinyLora", "UniLora", "VBLoRA", "Vera", "WaveFT"),
    ],
)
def test_merge_into_the_head_changes_the_embeddings(method: str) -> None:
    base = llama(tie_word_embeddings=True)
    model = shaken(get_peft_model(base, configured(method, ["lm_head"])), 0.3).eval()
    with pytest.warns(
        UserWarning, match="are part of the adapter. This can lead to complications"
    ):
        assert tied_ends_move_together(model, base)


@claim("Tied_Embeddings_Merge")
@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_mixed_model_merges_into_both_ends_without_a_warning(target: str) -> None:
    base = llama(tie_word_embeddings=True)
    model = get_peft_model(base, lora(target_modules=[target]), mixed=True).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert tied_ends_move_together(model, base)


@claim("Tied_Embeddings_Merge")
def test_tokens_of_the_head_are_merged_into_both_ends_with_a_warning_before_but_none_then() -> (
    None
):
    base = llama(tie_word_embeddings=True)
    with pytest.warns(
        UserWarning, match="no implementation exists to tie the adapters"
    ):
        model = get_peft_model(base, configured("TrainableTokens", ["lm_head"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert tied_ends_move_together(shaken(model, 0.3).eval(), base)


@claim("Tied_Embeddings_Merge")
def test_xlora_merges_into_both_ends(tmp_path: Path) -> None:
    expert = lora(target_modules=["embed_tokens"], task_type="CAUSAL_LM")
    get_peft_model(llama(), expert).save_pretrained(tmp_path)
    config = peft.XLoraConfig(
        task_type="CAUSAL_LM",
        hidden_size=64,
        adapters={"0": str(tmp_path)},
        xlora_depth=1,
    )
    base = llama(tie_word_embeddings=True)
    assert tied_ends_move_together(get_peft_model(base, config).eval(), base)


@claim("Tied_Embeddings_Merge")
@pytest.mark.parametrize(
    ("method", "target"),
    [("Lora", "lm_head"), ("Lora", "embed_tokens"), ("TrainableTokens", "lm_head")],
)
def test_untied_first_the_merge_is_right_and_stays_so(
    method: str, target: str, tmp_path: Path
) -> None:
    base = llama(tie_word_embeddings=True)
    model = shaken(get_peft_model(base, configured(method, [target])), 0.3).eval()
    before = logits(model)
    head = base.get_output_embeddings()
    head = getattr(head, "base_layer", head)
    head.weight = nn.Parameter(head.weight.detach().clone())
    base.config.tie_word_embeddings = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        merged = model.merge_and_unload()
    assert close(logits(merged), before)
    merged.save_pretrained(tmp_path)
    assert close(logits(LlamaForCausalLM.from_pretrained(tmp_path).eval()), before)


@claim("Tied_Embeddings_Merge")
def test_ensure_weight_tying_adds_the_update_twice() -> None:
    base = llama(tie_word_embeddings=True)
    old = base.lm_head.weight.detach().clone()
    model = get_peft_model(
        base,
        lora(
            target_modules=["lm_head"], ensure_weight_tying=True, task_type="CAUSAL_LM"
        ),
    )
    update = base.lm_head.get_delta_weight("default")
    assert close(base.model.embed_tokens.get_delta_weight("default"), update)
    assert close(model.merge_and_unload().lm_head.weight, old + 2 * update)


@claim("Tied_Embeddings_Merge")
@pytest.mark.parametrize(
    "ends", [["lm_head"], ["embed_tokens"], ["lm_head", "embed_tokens"]]
)
@pytest.mark.parametrize("case", ["plain", "ensured", "mixed"])
def test_modules_to_save_merge_right_and_load_right(
    ends: list[str], case: str, tmp_path: Path
) -> None:
    config = lora(
        target_modules=["q_proj"],
        modules_to_save=ends,
        ensure_weight_tying=case == "ensured",
        task_type="CAUSAL_LM",
    )
    model = shaken(
        get_peft_model(llama(tie_word_embeddings=True), config, mixed=case == "mixed"),
        0.3,
    ).eval()
    before = logits(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merged = model.merge_and_unload()
    said = [
        str(warning.message)
        for warning in caught
        if issubclass(warning.category, UserWarning)
    ]
    repaired = "Input and output embeddings are no longer tied after merging. "
    repaired += "Setting `tie_word_embeddings=False` in the model config."
    assert said == ([repaired] if case == "plain" else [])
    assert merged.config.tie_word_embeddings is (case != "plain")
    assert (merged.lm_head.weight is merged.model.embed_tokens.weight) is (
        case == "ensured"
    )
    assert not torch.allclose(
        before, logits(llama(tie_word_embeddings=True)), atol=1e-2
    )
    assert close(logits(merged), before)
    merged.save_pretrained(tmp_path)
    assert close(logits(LlamaForCausalLM.from_pretrained(tmp_path).eval()), before)


@claim("Tied_Embeddings_Merge")
def test_loaded_untied_the_head_is_random(tmp_path: Path) -> None:
    llama(tie_word_embeddings=True).save_pretrained(tmp_path)
    model = LlamaForCausalLM.from_pretrained(tmp_path, tie_word_embeddings=False)
    assert not torch.allclose(
        model.lm_head.weight, model.model.embed_tokens.weight, atol=1e-3
    )


@claim("Tied_Embeddings_Merge")
@pytest.mark.parametrize(
    "config",
    [
        LNTuningConfig(target_modules=["lm_head"], task_type="CAUSAL_LM"),
        LNTuningConfig(target_modules=["embed_tokens"], task_type="CAUSAL_LM"),
        TrainableTokensConfig(token_indices=[1, 2, 3], task_type="CAUSAL_LM"),
    ],
)
def test_left_out_because_the_merge_is_right(config: peft.PeftConfig) -> None:
    model = shaken(get_peft_model(llama(tie_word_embeddings=True), config), 0.3).eval()
    before = logits(model)
    assert not torch.allclose(
        before, logits(llama(tie_word_embeddings=True)), atol=1e-2
    )
    assert close(logits(model.merge_and_unload()), before)


# --------------------------------------------------------------------------------------- Mutating_Init_Base_Weights


def initialised(init: str | bool) -> tuple[PeftModel, nn.Sequential]:  # noqa: FBT001 -- PEFT's own type
    """Return a model and its base whose adapter was just made."""
    base = layers()
    if init == "corda":
        config = lora(
            init_lora_weights=init, corda_config=CordaConfig(corda_method="kpm")
        )
        preprocess_corda(base, config, run_model=lambda: base(torch.randn(64, 16)))
    elif init == "lora_ga":
        config = lora(init_lora_weights=init, lora_ga_config=peft.LoraGAConfig())
        preprocess_loraga(
            base, config, lambda: base(torch.randn(8, 16)).square().sum().backward()
        )
    else:
        config = lora(init_lora_weights=init)
    return get_peft_model(base, config).eval(), base


@claim("Mutating_Init_Base_Weights")
@pytest.mark.parametrize(
    "init", ["pissa", "pissa_niter_4", "olora", "corda", "lora_ga"]
)
def test_the_base_is_changed(rows: torch.Tensor, init: str) -> None:
    model, base = initialised(init)
    expected = layers()(rows)
    assert not close(base[0].base_layer.weight, layers()[0].weight)
    assert torch.allclose(model(rows), expected, atol=1e-3)
    with model.disable_adapter():
        assert not torch.allclose(model(rows), expected, atol=1e-2)


@claim("Mutating_Init_Base_Weights")
@pytest.mark.parametrize("init", [True, "gaussian", "orthogonal", "eva", "mica"])
def test_the_base_is_left_alone(init: str | bool) -> None:  # noqa: FBT001 -- PEFT's own type
    _, base = initialised(init)
    assert torch.equal(base[0].base_layer.weight, layers()[0].weight)


@claim("Mutating_Init_Base_Weights")
@pytest.mark.parametrize("init", ["pissa", "olora", "corda", "lora_ga"])
def test_converted_it_is_plain_lora_on_the_old_base(
    rows: torch.Tensor, init: str, tmp_path: Path
) -> None:
    model, _ = initialised(init)
    model.save_pretrained(tmp_path / "untrained")
    trained = shaken(model)(rows)
    model.save_pretrained(
        tmp_path / "out",
        path_initial_model_for_weight_conversion=str(tmp_path / "untrained"),
    )

    plain = PeftModel.from_pretrained(layers(), tmp_path / "out")
    assert (
        plain.peft_config["default"].init_lora_weights,
        plain.peft_config["default"].r,
    ) == (True, 8)
    assert torch.allclose(plain(rows), trained, atol=1e-3)
    with plain.disable_adapter():
        assert torch.equal(plain(rows), layers()(rows))


@claim("Mutating_Init_Base_Weights")
def test_saved_as_it_is_the_adapter_changes_the_next_base_too(
    rows: torch.Tensor, tmp_path: Path
) -> None:
    model, _ = initialised("pissa")
    trained = shaken(model)(rows)
    model.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(layers(), tmp_path)
    assert close(again(rows), trained)
    with again.disable_adapter():
        assert not torch.allclose(again(rows), layers()(rows), atol=1e-2)


@claim("Mutating_Init_Base_Weights")
def test_saved_as_it_is_corda_cannot_be_loaded(tmp_path: Path) -> None:
    initialised("corda")[0].save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="preprocess_corda"):
        PeftModel.from_pretrained(layers(), tmp_path)


@claim("Mutating_Init_Base_Weights")
def test_saved_as_it_is_lora_ga_comes_back_wrong_without_a_word(
    rows: torch.Tensor, tmp_path: Path
) -> None:
    model, _ = initialised("lora_ga")
    trained = shaken(model)(rows)
    model.save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        again = PeftModel.from_pretrained(layers(), tmp_path)
    assert not torch.allclose(again(rows), trained, atol=1e-2)


@claim("Mutating_Init_Base_Weights")
@pytest.mark.parametrize("init", ["pissa_niter_4", "lora_ga"])
def test_beside_another_adapter_not_each_is_warned_of(
    init: str, tmp_path: Path
) -> None:
    initialised(init)[0].save_pretrained(tmp_path)
    model = get_peft_model(layers(), lora(), adapter_name="plain")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.load_adapter(tmp_path, "loaded")


@claim("Mutating_Init_Base_Weights")
def test_an_adapter_that_is_there_already_changes_for_good(
    rows: torch.Tensor, tmp_path: Path
) -> None:
    initialised("pissa")[0].save_pretrained(tmp_path)
    model = get_peft_model(layers(), lora(), adapter_name="plain").eval()
    before = model(rows)
    with pytest.warns(UserWarning, match="PiSSA changes the base weights of the model"):
        model.load_adapter(tmp_path, "loaded")
    assert not torch.allclose(model(rows), before, atol=1e-2)
    model.delete_adapter("loaded")
    assert not torch.allclose(model(rows), before, atol=1e-2)
    assert not torch.allclose(model.unload()(rows), layers()(rows), atol=1e-2)

    model = get_peft_model(layers(), lora(), adapter_name="plain").eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.add_adapter("added", lora(init_lora_weights="pissa"))
    assert not torch.allclose(model(rows), before, atol=1e-2)


@claim("Mutating_Init_Base_Weights")
def test_rslora_with_patterns_cannot_be_converted(tmp_path: Path) -> None:
    config = lora(init_lora_weights="pissa", use_rslora=True, rank_pattern={"0": 2})
    model = get_peft_model(layers(), config)
    model.save_pretrained(tmp_path / "untrained")
    with pytest.raises(ValueError, match="rank_pattern"):
        model.save_pretrained(
            tmp_path,
            path_initial_model_for_weight_conversion=str(tmp_path / "untrained"),
        )


# -------------------------------------------------------------------------------------------- Hotswap_Before_Compile


@pytest.fixture
def swappable(tmp_path: Path) -> Callable[..., str]:
    """Save a random adapter and return its folder."""

    def save(name: str, **options: Any) -> str:  # noqa: ANN401
        get_peft_model(layers(), lora(**options)).save_pretrained(tmp_path / name)
        return str(tmp_path / name)

    return save


def swap(model: nn.Module, folder: str) -> None:
    hotswap_adapter(model, folder, adapter_name="default", torch_device="cpu")


def swap_from_state_dict(model: nn.Module, folder: str) -> None:
    loaded = PeftModel.from_pretrained(layers(), folder)
    weights = {
        name: weight for name, weight in loaded.state_dict().items() if ".lora_" in name
    }
    hotswap_adapter_from_state_dict(
        model, weights, "default", loaded.peft_config["default"]
    )


def compilations(
    first: str,
    second: str,
    rows: torch.Tensor,
    prepare: dict[str, int] | None,
    swap: Callable[..., None],
) -> int:
    """Compile with the first adapter, swap the second in, and return how often the model was compiled."""
    torch.compiler.reset()
    counter = torch._dynamo.testing.CompileCounter()  # noqa: SLF001 -- torch's own tests count so
    model = PeftModel.from_pretrained(layers(), first)
    if prepare is not None:
        prepare_model_for_compiled_hotswap(model, **prepare)
    compiled = torch.compile(model, backend=counter)
    with torch.no_grad():
        compiled(rows)
        swap(compiled, second)
        assert close(compiled(rows), PeftModel.from_pretrained(layers(), second)(rows))
    return counter.frame_count


@claim("Hotswap_Before_Compile")
@pytest.mark.parametrize(
    ("other", "prepare", "expected"),
    [
        ({"r": 8}, None, 2),
        ({"lora_alpha": 32}, None, 2),
        ({"r": 8}, {"target_rank": 4}, 2),
        ({"r": 8}, {"target_rank": 8}, 1),
        ({"lora_alpha": 32}, {"target_rank": 4}, 1),
        ({}, None, 1),
    ],
)
@pytest.mark.parametrize("swap", [swap, swap_from_state_dict])
def test_only_a_prepared_model_is_compiled_once(  # noqa: PLR0913, PLR0917 -- a table's columns
    rows: torch.Tensor,
    swappable: Callable[..., str],
    swap: Callable[..., None],
    other: dict[str, int],
    prepare: dict[str, int] | None,
    expected: int,
) -> None:
    assert (
        compilations(
            swappable("first"), swappable("second", **other), rows, prepare, swap
        )
        == expected
    )


@claim("Hotswap_Before_Compile")
def test_after_compiling_and_without_an_adapter_it_is_too_late_or_too_early(
    swappable: Callable[..., str],
) -> None:
    model = PeftModel.from_pretrained(layers(), swappable("first"))
    with pytest.raises(
        ValueError,
        match=r"Call prepare_model_for_compiled_hotswap \*before\* compiling the model",
    ):
        prepare_model_for_compiled_hotswap(
            torch.compile(model, backend="eager"), target_rank=8
        )
    with pytest.raises(ValueError, match="No adapter layers found on the model"):
        prepare_model_for_compiled_hotswap(layers(), target_rank=8)


@claim("Hotswap_Before_Compile")
@pytest.mark.parametrize(
    "options",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"lora_dropout": 0.1},
        {"alpha_pattern": {"0": 3}},
    ],
)
def test_options_have_to_agree(
    swappable: Callable[..., str], options: dict[str, Any]
) -> None:
    model = PeftModel.from_pretrained(layers(), swappable("first"))
    with pytest.raises(
        ValueError, match=f"Configs are incompatible: for {next(iter(options))}"
    ):
        hotswap_adapter(
            model,
            swappable("second", **options),
            adapter_name="default",
            torch_device="cpu",
        )


@claim("Hotswap_Before_Compile")
def test_from_a_state_dict_nothing_is_compared(
    rows: torch.Tensor, swappable: Callable[..., str]
) -> None:
    plain = PeftModel.from_pretrained(layers(), swappable("plain"))
    model = PeftModel.from_pretrained(layers(), swappable("dora", use_dora=True))
    with pytest.raises(ValueError, match="Configs are incompatible: for use_dora"):
        check_hotswap_configs_compatible(
            model.peft_config["default"], plain.peft_config["default"]
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        swap_from_state_dict(model, swappable("plain"))
    assert distance(model(rows), plain(rows)) > 0.1


@claim("Hotswap_Before_Compile")
def test_only_lora(tmp_path: Path) -> None:
    model = get_peft_model(layers(), LoHaConfig(target_modules=["0"]))
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="Hotswapping only supports"):
        hotswap_adapter(
            model, str(tmp_path), adapter_name="default", torch_device="cpu"
        )


@claim("Hotswap_Before_Compile")
def test_fewer_layers_are_fine_and_more_are_refused(
    rows: torch.Tensor, swappable: Callable[..., str]
) -> None:
    two, one = swappable("two"), swappable("one", target_modules=["2"])
    model = PeftModel.from_pretrained(layers(), two)
    hotswap_adapter(model, one, adapter_name="default", torch_device="cpu")
    assert close(model(rows), PeftModel.from_pretrained(layers(), one)(rows))
    model = PeftModel.from_pretrained(layers(), one)
    with pytest.raises(RuntimeError, match="unexpected keys found: base_model"):
        hotswap_adapter(model, two, adapter_name="default", torch_device="cpu")


@claim("Hotswap_Before_Compile")
def test_not_while_merged_and_the_configuration_stays_the_first_ones(
    swappable: Callable[..., str],
) -> None:
    model = PeftModel.from_pretrained(layers(), swappable("first"))
    second = swappable("second", r=8, lora_alpha=32)
    model.merge_adapter()
    with pytest.raises(ValueError, match="currently merged into the base weights"):
        hotswap_adapter(model, second, adapter_name="default", torch_device="cpu")
    model.unmerge_adapter()
    hotswap_adapter(model, second, adapter_name="default", torch_device="cpu")
    assert (
        model.peft_config["default"].r,
        model.peft_config["default"].lora_alpha,
    ) == (4, 8)


@claim("Hotswap_Before_Compile")
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "scales", "right"),
    [
        ({}, {"rank_pattern": {"0": 8}}, [2.0, 2.0], [1.0, 2.0]),
        (
            {"rank_pattern": {"0": 8}},
            {"rank_pattern": {"0": 8}},
            [2.0, 2.0],
            [1.0, 2.0],
        ),
        (
            {"alpha_pattern": {"0": 3}},
            {"alpha_pattern": {"0": 3}},
            [2.0, 2.0],
            [0.75, 2.0],
        ),
        ({"rank_pattern": {"0": 8}}, {}, [2.0, 2.0], [2.0, 2.0]),
    ],
)
def test_patterns_are_ignored_without_an_error(  # noqa: PLR0913, PLR0917 -- a table's columns
    rows: torch.Tensor,
    swappable: Callable[..., str],
    first: dict[str, Any],
    second: dict[str, Any],
    scales: list[float],
    right: list[float],
    prepared: bool,  # noqa: FBT001 -- a table's column
) -> None:
    folder = swappable("second", **second)
    loaded = PeftModel.from_pretrained(layers(), folder)
    model = PeftModel.from_pretrained(layers(), swappable("first", **first))
    if prepared:
        prepare_model_for_compiled_hotswap(model, target_rank=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        hotswap_adapter(model, folder, adapter_name="default", torch_device="cpu")
    assert [
        float(model.base_model.model[at].scaling["default"]) for at in (0, 2)
    ] == scales
    assert [loaded.base_model.model[at].scaling["default"] for at in (0, 2)] == right
    assert close(model(rows), loaded(rows)) is (scales == right)


@claim("Hotswap_Before_Compile")
def test_modules_to_save_are_no_part_of_a_swap(swappable: Callable[..., str]) -> None:
    folder = swappable("second", target_modules=["0"], modules_to_save=["2"])
    model = PeftModel.from_pretrained(
        layers(), swappable("first", target_modules=["0"])
    )
    with pytest.raises(KeyError):
        hotswap_adapter(model, folder, adapter_name="default", torch_device="cpu")


# ---------------------------------------------------------------------------------------- Hotswap_Saves_First_Config


@claim("Hotswap_Saves_First_Config")
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "target_rank", "outcome"),
    [
        ({}, {}, None, "right"),
        ({}, {"lora_alpha": 32}, None, "wrong"),
        ({}, {"lora_alpha": 32}, 4, "wrong"),
        ({"r": 8}, {"r": 4}, None, "wrong"),
        ({"r": 8, "lora_alpha": 16}, {"r": 4, "lora_alpha": 8}, None, "right"),
        ({}, {"r": 8}, None, "size mismatch"),
        ({}, {"r": 8}, 8, "size mismatch"),
        ({}, {}, 8, "size mismatch"),
    ],
)
def test_what_is_saved_after_a_swap(  # noqa: PLR0913, PLR0917 -- a table's columns
    rows: torch.Tensor,
    swappable: Callable[..., str],
    tmp_path: Path,
    first: dict[str, Any],
    second: dict[str, Any],
    target_rank: int | None,
    outcome: str,
    compiled: bool,  # noqa: FBT001 -- a table's column
) -> None:
    folder = swappable("second", **second)
    model = PeftModel.from_pretrained(layers(), swappable("first", **first))
    if target_rank is not None:
        prepare_model_for_compiled_hotswap(model, target_rank=target_rank)
    swapped = torch.compile(model, backend="eager") if compiled else model
    hotswap_adapter(swapped, folder, adapter_name="default", torch_device="cpu")
    with torch.no_grad():
        expected = swapped(rows)
    assert close(expected, PeftModel.from_pretrained(layers(), folder)(rows))

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.save_pretrained(tmp_path / "saved")
    if outcome == "size mismatch":
        with pytest.raises(RuntimeError, match="size mismatch"):
            PeftModel.from_pretrained(layers(), tmp_path / "saved")
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            loaded = PeftModel.from_pretrained(layers(), tmp_path / "saved")
        assert torch.allclose(loaded(rows), expected, atol=1e-2) is (outcome == "right")

    # the folder that was swapped in is right, and so is a merge
    copied = shutil.copytree(folder, tmp_path / "copied")
    assert close(PeftModel.from_pretrained(layers(), copied)(rows), expected)
    assert close(model.merge_and_unload()(rows), expected)


@claim("Hotswap_Saves_First_Config")
def test_a_prepared_model_that_was_never_swapped_cannot_be_saved_either(
    swappable: Callable[..., str], tmp_path: Path
) -> None:
    model = PeftModel.from_pretrained(layers(), swappable("first"))
    prepare_model_for_compiled_hotswap(model, target_rank=8)
    model.save_pretrained(tmp_path / "saved")
    with pytest.raises(RuntimeError, match="size mismatch"):
        PeftModel.from_pretrained(layers(), tmp_path / "saved")


@claim("Hotswap_Saves_First_Config")
def test_prepared_with_its_configuration_it_comes_back_with_another_scale(
    swappable: Callable[..., str], rows: torch.Tensor, tmp_path: Path
) -> None:
    model = PeftModel.from_pretrained(layers(), swappable("first")).eval()
    before = model(rows)
    prepare_model_for_compiled_hotswap(model, target_rank=64, config=model.peft_config)
    assert close(model(rows), before)
    model.save_pretrained(tmp_path / "saved")
    assert not torch.allclose(
        PeftModel.from_pretrained(layers(), tmp_path / "saved").eval()(rows),
        before,
        atol=1e-3,
    )


# ---------------------------------------------------------------- Adapter_Names_Silently_Ignored and its neighbours

MIXED = [
    lora(target_modules=["q_proj"]),
    RoadConfig(target_modules=["q_proj"], group_size=8),
    GloraConfig(target_modules=["q_proj"]),
]


@claim("Adapter_Names_Silently_Ignored")
@pytest.mark.parametrize("config", MIXED)
def test_three_methods_heed_the_names(config: peft.PeftConfig) -> None:
    model = shaken(get_peft_model(llama(), config), 0.3).eval()
    assert close(logits(model, adapter_names=["__base__"] * 2), logits(llama()))
    assert not torch.allclose(logits(model), logits(llama()), atol=1e-3)


@claim("Adapter_Names_Silently_Ignored")
@pytest.mark.parametrize(
    "config",
    [
        LoHaConfig(target_modules=["q_proj"]),
        LoKrConfig(target_modules=["q_proj"]),
        IA3Config(target_modules=["q_proj"], feedforward_modules=[]),
        OFTConfig(target_modules=["q_proj"], oft_block_size=8),
        BOFTConfig(target_modules=["q_proj"], boft_block_size=4),
        VeraConfig(target_modules=["q_proj"]),
        HiraConfig(target_modules=["q_proj"]),
        MissConfig(target_modules=["q_proj"]),
        PromptTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"),
        PrefixTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM"),
    ],
)
def test_others_ignore_even_names_that_do_not_exist(config: peft.PeftConfig) -> None:
    model = shaken(get_peft_model(llama(), config), 0.3).eval()
    assert torch.equal(logits(model, adapter_names=["no such adapter"]), logits(model))


@claim("Adapter_Names_Silently_Ignored")
def test_a_mixed_model_and_xlora_ignore_them(tmp_path: Path) -> None:
    model = get_peft_model(llama(), lora(target_modules=["q_proj"]), mixed=True).eval()
    assert torch.equal(logits(model, adapter_names=["__base__"] * 2), logits(model))
    get_peft_model(
        llama(), lora(target_modules=["q_proj"], task_type="CAUSAL_LM")
    ).save_pretrained(tmp_path)
    config = peft.XLoraConfig(
        task_type="CAUSAL_LM",
        hidden_size=64,
        adapters={"0": str(tmp_path)},
        xlora_depth=1,
    )
    model = get_peft_model(llama(), config).eval()
    assert torch.equal(logits(model, adapter_names=["no such adapter"]), logits(model))


def adalora() -> PeftModel:
    return get_peft_model(
        llama(), AdaLoraConfig(target_modules=["q_proj"], total_step=10)
    ).eval()


@claim("Adapter_Names_Silently_Ignored")
@claim("Adapter_Names_Hook_Leak")
@pytest.mark.parametrize("names", [["default"] * 2, ["__base__"] * 2, ["default"] * 3])
def test_adalora_fails_and_goes_on_failing(names: list[str]) -> None:
    model = adalora()
    for options in ({"adapter_names": names}, {}):
        with pytest.raises(
            TypeError,
            match=r"Linear\.forward\(\) got an unexpected keyword argument 'adapter_names'",
        ):
            logits(model, **options)


@claim("Adapter_Names_Hook_Leak")
def test_without_the_hooks_adalora_answers_again() -> None:
    model = adalora()
    expected = logits(model)
    with pytest.raises(TypeError, match="adapter_names"):
        mixed_batch(model, PROMPT, ["default"] * 2)
    assert torch.equal(logits(model), expected)


@claim("Adapter_Names_Silently_Ignored")
def test_adalora_finds_an_unknown_name_first_and_is_none_the_worse() -> None:
    model = adalora()
    with pytest.raises(
        ValueError, match=r"Trying to infer with non-existing adapter\(s\): nobody"
    ):
        logits(model, adapter_names=["nobody"] * 2)
    assert logits(model).isfinite().all()


@claim("Adapter_Names_Silently_Ignored")
@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            peft.PolyConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"),
            "task_ids should not be None",
        ),
        (
            peft.MultitaskPromptTuningConfig(
                num_virtual_tokens=4, num_tasks=2, task_type="CAUSAL_LM"
            ),
            "task_ids cannot be None",
        ),
    ],
)
def test_some_want_task_ids_and_then_ignore_them(
    config: peft.PeftConfig, message: str
) -> None:
    model = get_peft_model(llama(), config).eval()
    for options in ({}, {"adapter_names": ["default"] * 2}):
        with pytest.raises(ValueError, match=message):
            logits(model, **options)
    ids = {"task_ids": torch.zeros(2, dtype=torch.long)}
    assert torch.equal(
        logits(model, adapter_names=["no such adapter"], **ids), logits(model, **ids)
    )


@claim("Adapter_Names_Silently_Ignored")
def test_generate_ignores_them_too() -> None:
    config = LoHaConfig(
        target_modules=["q_proj"], init_weights=False, task_type="CAUSAL_LM"
    )
    model = get_peft_model(llama(), config).eval()
    options = {
        "max_new_tokens": 4,
        "do_sample": False,
        "attention_mask": torch.ones_like(PROMPT),
        "pad_token_id": 0,
    }
    assert torch.equal(
        model.generate(PROMPT, adapter_names=["nobody"], **options),
        model.generate(PROMPT, **options),
    )


@claim("Adapter_Names_Silently_Ignored")
def test_lora_ignores_them_while_it_is_disabled() -> None:
    model = get_peft_model(llama(), lora(target_modules=["q_proj"])).eval()
    with model.disable_adapter():
        assert close(logits(model, adapter_names=["default"] * 2), logits(llama()))


BERT = BertConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=32,
    num_hidden_layers=1,
    num_attention_heads=4,
)
T5 = T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)


def called(model: nn.Module, **options: Any) -> torch.Tensor:  # noqa: ANN401
    """Return the first output of a model of any task."""
    if isinstance(model, peft.PeftModelForSeq2SeqLM):
        options["decoder_input_ids"] = PROMPT
    with torch.no_grad():
        return model(input_ids=PROMPT, **options)[0]


TASKS = [
    (peft.PeftModelForCausalLM, llama, "q_proj"),
    (peft.PeftModelForSeq2SeqLM, lambda: T5ForConditionalGeneration(T5), "q"),
    (
        peft.PeftModelForSequenceClassification,
        lambda: BertForSequenceClassification(BERT),
        "query",
    ),
    (
        peft.PeftModelForTokenClassification,
        lambda: BertForTokenClassification(BERT),
        "query",
    ),
    (
        peft.PeftModelForQuestionAnswering,
        lambda: BertForQuestionAnswering(BERT),
        "query",
    ),
    (peft.PeftModelForFeatureExtraction, lambda: BertModel(BERT), "query"),
    (PeftModel, llama, "q_proj"),
]


@claim("Adapter_Names_Silently_Ignored")
@pytest.mark.parametrize(
    ("task", "base", "target"),
    TASKS,
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_task_ignores_them(
    task: type[PeftModel], base: Callable[[], nn.Module], target: str
) -> None:
    model = task(base(), LoHaConfig(target_modules=[target], init_weights=False)).eval()
    assert torch.equal(called(model, adapter_names=["nobody"]), called(model))


@claim("Adapter_Names_Hook_Leak")
@pytest.mark.parametrize(
    ("task", "base", "target"),
    TASKS,
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_task_leaks(
    task: type[PeftModel], base: Callable[[], nn.Module], target: str
) -> None:
    model = task(base(), lora(target_modules=[target])).eval()
    with pytest.raises(
        ValueError, match="Length of `adapter_names` should be the same"
    ):
        called(model, adapter_names=["__base__"] * 3)
    with pytest.raises(
        ValueError, match="Length of `adapter_names` should be the same"
    ):
        called(model)


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_pre_hooks) for module in model.modules())  # noqa: SLF001 -- no public way to them


def mixed_batch(
    model: nn.Module, prompt: torch.Tensor, adapter_names: list[str]
) -> torch.Tensor:
    """Do what the page says: call the model, and leave no hook behind if that fails."""
    before = {module: set(module._forward_pre_hooks) for module in model.modules()}  # noqa: SLF001
    try:
        return logits(model, prompt, adapter_names=adapter_names)
    except Exception:
        for module, known in before.items():
            for hook in set(module._forward_pre_hooks) - known:  # noqa: SLF001
                del module._forward_pre_hooks[hook]  # noqa: SLF001
        raise


@claim("Adapter_Names_Hook_Leak")
@pytest.mark.parametrize("config", MIXED)
def test_a_failed_call_governs_the_next_one(config: peft.PeftConfig) -> None:
    model = shaken(get_peft_model(llama(), config), 0.3).eval()
    three = torch.arange(24).reshape(3, 8)
    expected = logits(model, three)
    with pytest.raises(ValueError, match="but got 3 and 2 respectively"):
        logits(model, adapter_names=["__base__"] * 3)
    assert hooks(model) == 1
    assert close(logits(model, three), logits(llama(), three))  # silently the base
    assert not torch.allclose(expected, logits(llama(), three), atol=1e-3)
    with pytest.raises(ValueError, match="but got 3 and 2 respectively"):
        logits(model)


@claim("Adapter_Names_Hook_Leak")
@pytest.mark.parametrize("config", MIXED)
def test_the_wrapper_takes_the_hooks_away(config: peft.PeftConfig) -> None:
    model = shaken(get_peft_model(llama(), config), 0.3).eval()
    expected = logits(model)
    with pytest.raises(ValueError, match="but got 3 and 2 respectively"):
        mixed_batch(model, PROMPT, ["__base__"] * 3)
    assert hooks(model) == 0
    assert torch.equal(logits(model), expected)
    assert close(mixed_batch(model, PROMPT, ["__base__", "default"])[1], expected[1])


@claim("Adapter_Names_Hook_Leak")
def test_an_error_of_the_base_and_of_generate_leaks() -> None:
    model = get_peft_model(
        llama(), lora(target_modules=["q_proj"], task_type="CAUSAL_LM")
    ).eval()
    with pytest.raises(IndexError):
        logits(model, PROMPT + 1000, adapter_names=["__base__"] * 2)
    assert hooks(model) == 1
    model = get_peft_model(
        llama(), lora(target_modules=["q_proj"], task_type="CAUSAL_LM")
    ).eval()
    with pytest.raises(ValueError, match="but got 3 and 2 respectively"):
        model.generate(PROMPT, adapter_names=["__base__"] * 3, max_new_tokens=2)
    assert hooks(model) == 1


@claim("Adapter_Names_Hook_Leak")
@claim("Adapter_Names_Silently_Ignored")
@pytest.mark.parametrize("config", MIXED)
def test_unknown_names_and_training_mode_are_found_in_time(
    config: peft.PeftConfig,
) -> None:
    model = get_peft_model(llama(), config).eval()
    with pytest.raises(ValueError, match="non-existing adapter"):
        logits(model, adapter_names=["nobody"] * 2)
    model.train()
    with pytest.raises(ValueError, match="training mode"):
        logits(model, adapter_names=["default"] * 2)
    assert hooks(model) == 0


# --------------------------------------------------------------------------------------- DoRA_Mixed_Batch_Limitation


@pytest.fixture
def plain_and_dora() -> PeftModel:
    model = get_peft_model(layers(), lora(), adapter_name="plain")
    model.add_adapter("dora", lora(use_dora=True))
    return model.eval()


@claim("DoRA_Mixed_Batch_Limitation")
@pytest.mark.parametrize(
    ("layer", "batch"),
    [
        (nn.Linear(8, 8), torch.ones(2, 8)),
        (nn.Embedding(8, 8), torch.ones(2, 3, dtype=torch.long)),
        (nn.Conv2d(8, 8, 1), torch.ones(2, 8, 2, 2)),
    ],
)
def test_dora_is_refused_in_a_mixed_batch(
    layer: nn.Module, batch: torch.Tensor
) -> None:
    model = get_peft_model(
        nn.Sequential(layer),
        lora(target_modules=["0"], use_dora=True),
        adapter_name="dora",
    ).eval()
    with pytest.raises(
        ValueError, match="Cannot pass `adapter_names` when DoRA is enabled"
    ):
        model(batch, adapter_names=["dora", "__base__"])


@claim("DoRA_Mixed_Batch_Limitation")
def test_dora_that_is_loaded_but_not_named_does_no_harm(
    plain_and_dora: PeftModel,
) -> None:
    rows = torch.randn(2, 16)
    mixed = plain_and_dora(rows, adapter_names=["plain", "__base__"])
    assert close(mixed[0], plain_and_dora(rows)[0])
    assert close(mixed[1], layers()(rows)[1])


@claim("DoRA_Mixed_Batch_Limitation")
def test_one_adapter_at_a_time_is_the_way(
    plain_and_dora: PeftModel, rows: torch.Tensor
) -> None:
    plain = plain_and_dora(rows)
    plain_and_dora.set_adapter("dora")
    assert not torch.allclose(plain_and_dora(rows), plain, atol=1e-2)


@claim("DoRA_Mixed_Batch_Limitation")
def test_in_training_mode_another_error_comes_first(
    plain_and_dora: PeftModel, rows: torch.Tensor
) -> None:
    with pytest.raises(
        ValueError,
        match="Cannot pass `adapter_names` when the model is in training mode",
    ):
        plain_and_dora.train()(rows, adapter_names=["dora"] * 4)


@claim("DoRA_Mixed_Batch_Limitation")
def test_after_the_error_a_plain_call_fails_too(
    plain_and_dora: PeftModel, rows: torch.Tensor
) -> None:
    with pytest.raises(ValueError, match="DoRA is enabled"):
        plain_and_dora(rows, adapter_names=["dora"] * 4)
    with pytest.raises(ValueError, match="DoRA is enabled"):
        plain_and_dora(rows)


# -------------------------------------------------------------------------------------------- Set_Adapter_Unfreezes


@claim("Set_Adapter_Unfreezes")
@pytest.mark.parametrize("mixed", [False, True])
def test_a_switch_unfreezes_one_and_freezes_the_other(mixed: bool) -> None:  # noqa: FBT001 -- a table's column
    model = get_peft_model(layers(), lora(), adapter_name="a", mixed=mixed)
    model.add_adapter("b", lora())
    model.set_adapter("b")
    assert trainable(model) == {"b"}
    model.set_adapter("a", inference_mode=True)
    assert trainable(model) == set()


@claim("Set_Adapter_Unfreezes")
@pytest.mark.parametrize(
    ("method", "targets"),
    [
        *(
            (name, ["q_proj"])
            for name in (
                "Adamss",
                "Beft",
                "BOFT",
                "C3A",
                "Deft",
                "Delora",
                "FourierFT",
                "Frod",
            )
        ),
        *(
            (name, ["q_proj"])
            for name in (
                "Glora",
                "Gralora",
                "HRA",
                "Hira",
                "IA3",
                "Lily",
                "LoHa",
                "LoKr",
                "Lora",
            )
        ),
        *(
            (name, ["q_proj"])
            for name in (
                "Miss",
                "OFT",
                "OSF",
                "Peanut",
                "Poly",
                "Psoft",
                "Pvera",
                "RandLora",
            )
        ),
        *(
            (name, ["q_proj"])
            for name in (
                "Road",
                "Shira",
                "Supertuning",
                "TinyLora",
                "UniLora",
                "VBLoRA",
                "Vera",
            )
        ),
        *(
            ("WaveFT", ["q_proj"]),
            ("LNTuning", ["input_layernorm"]),
            ("TrainableTokens", ["embed_tokens"]),
        ),
    ],
)
def test_the_tuners_own_method_does_it_for_every_method(
    method: str, targets: list[str]
) -> None:
    base = llama()
    base.model.layers[0].self_attn.q_proj.bias = nn.Parameter(
        torch.zeros(64)
    )  # BEFT wants one
    tuner = get_peft_model(base, configured(method, targets), adapter_name="a")
    tuner.add_adapter("b", configured(method, targets))
    tuner.base_model.set_adapter("b")
    assert trainable(tuner) == {"b"}
    tuner.base_model.set_adapter("a", inference_mode=True)
    assert trainable(tuner) == set()
    tuner.base_model.disable_adapter_layers()
    tuner.base_model.enable_adapter_layers()
    assert trainable(tuner) == {"a"}
    tuner.base_model.delete_adapter("a")
    assert trainable(tuner) == {"b"}


@claim("Set_Adapter_Unfreezes")
def test_the_method_of_one_layer_does_it_there_and_the_model_does_not_notice(
    rows: torch.Tensor,
) -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())
    model.set_adapter("a", inference_mode=True)
    before = model(rows)
    layer = model.base_model.model[0]
    layer.set_adapter("b")
    assert trainable(model) == {"b"}
    assert (layer.active_adapter, model.base_model.model[2].active_adapter) == (
        ["b"],
        ["a"],
    )
    assert model.active_adapter == "a"
    assert not close(model(rows), before)
    layer.set_adapter("b", inference_mode=True)
    assert trainable(model) == set()


@claim("Set_Adapter_Unfreezes")
def test_adalora_as_well() -> None:
    model = get_peft_model(llama(), configured("AdaLora", ["q_proj"]), adapter_name="a")
    model.add_adapter("b", configured("AdaLora", ["q_proj"], inference_mode=True))
    model.base_model.set_adapter("b")
    assert trainable(model) == {"b"}


@claim("Set_Adapter_Unfreezes")
def test_the_overrides_of_two_tuners_do_it_as_well() -> None:
    shadow = peft.ShadowConfig(task_type="CAUSAL_LM")
    frozen = peft.ShadowConfig(task_type="CAUSAL_LM", inference_mode=True)
    for model, second in (
        (get_peft_model(llama(), shadow, adapter_name="a"), frozen),
        (get_peft_model(layers(), lora(), adapter_name="a", mixed=True), lora()),
    ):
        model.add_adapter("b", second)
        model.base_model.set_adapter("a", inference_mode=True)
        assert trainable(model) == set()
        model.base_model.set_adapter("b")
        assert trainable(model) == {"b"}
        model.base_model.set_adapter("b", inference_mode=True)
        model.base_model.delete_adapter("b")
        assert trainable(model) == {"a"}


@claim("Set_Adapter_Unfreezes")
def test_the_functions_and_the_wrappers_do_it_as_well() -> None:
    model = peft.inject_adapter_in_model(lora(), layers(), "a")
    peft.inject_adapter_in_model(lora(), model, "b")
    peft.functional.set_adapter(model, "a", inference_mode=True)
    assert trainable(model) == set()
    peft.functional.set_adapter(model, "b")
    assert trainable(model) == {"b"}
    peft.functional.set_adapter(model, "a", inference_mode=True)
    peft.functional.delete_adapter(model, "a", prefix="lora_")
    assert trainable(model) == {"b"}

    for options in ({"trainable_token_indices": [1]}, {"modules_to_save": ["lm_head"]}):
        config = LoraConfig(task_type="CAUSAL_LM", **options)
        model = get_peft_model(llama(), config, adapter_name="a")
        model.add_adapter("b", config)
        model.set_adapter("a", inference_mode=True)
        wrapper = next(
            it for it in model.modules() if isinstance(it, AuxiliaryTrainingWrapper)
        )
        wrapper.set_adapter(["b"])
        assert trainable(model) == {"b"}
        wrapper.set_adapter(["a"], inference_mode=True)
        assert trainable(model) == set()
        wrapper.delete_adapter("a", ["b"])
        assert trainable(model) == {"b"}


@claim("Set_Adapter_Unfreezes")
def test_a_layer_that_is_enabled_or_loses_its_adapter_does_it_as_well() -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())
    model.set_adapter("a", inference_mode=True)
    layer = model.base_model.model[0]
    layer.enable_adapters(enabled=True)
    assert trainable(model) == {"a"}
    model.set_adapter("a", inference_mode=True)
    layer.delete_adapter("a")
    assert trainable(model) == {"b"}


@claim("Set_Adapter_Unfreezes")
def test_a_frozen_adapter_that_was_loaded_takes_gradients_after_a_switch(
    tmp_path: Path,
) -> None:
    get_peft_model(layers(), lora()).save_pretrained(tmp_path)
    model = PeftModel.from_pretrained(layers(), tmp_path, adapter_name="a")
    model.load_adapter(tmp_path, adapter_name="b")
    assert trainable(model) == set()
    model.set_adapter("b")
    assert trainable(model) == {"b"}


@claim("Set_Adapter_Unfreezes")
@pytest.mark.parametrize("after", [False, True])
def test_an_optimizer_from_before_the_switch_does_nothing(
    rows: torch.Tensor,
    after: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())

    def optimizer() -> torch.optim.Optimizer:
        return torch.optim.SGD(
            (weight for weight in model.parameters() if weight.requires_grad), lr=1.0
        )

    early = optimizer()
    model.set_adapter("b")
    before = model(rows).detach()
    model(rows).sum().backward()
    (optimizer() if after else early).step()
    assert close(model(rows), before) is not after


@claim("Set_Adapter_Unfreezes")
def test_several_at_once_only_below_and_in_a_mixed_model(rows: torch.Tensor) -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        model.set_adapter(["a", "b"])
    model.base_model.set_adapter(["a", "b"])
    assert trainable(model) == {"a", "b"}
    both = model(rows)
    model.set_adapter("a")
    assert not close(model(rows), both)

    model = get_peft_model(layers(), lora(), adapter_name="a", mixed=True)
    model.add_adapter("b", lora())
    model.set_adapter(["a", "b"])
    assert trainable(model) == {"a", "b"}


@claim("Set_Adapter_Unfreezes")
def test_a_merged_model_is_unmerged() -> None:
    model = get_peft_model(layers(), lora(), adapter_name="a")
    model.add_adapter("b", lora())
    model.merge_adapter()
    with pytest.warns(
        UserWarning,
        match="Adapter cannot be set when the model is merged. Unmerging the model first.",
    ):
        model.set_adapter("b")
    assert close(model.base_model.model[0].base_layer.weight, layers()[0].weight)


@claim("Set_Adapter_Unfreezes")
def test_prompt_based_methods_leave_it_as_it_is() -> None:
    config = PromptTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM")
    model = get_peft_model(llama(), config, adapter_name="a")
    model.add_adapter("b", config)
    model.set_adapter("b", inference_mode=True)
    assert trainable(model) == {"a", "b"}


# ------------------------------------------------------------------- Quantized bases: what merges and what does not


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    llama().save_pretrained(folder)
    return folder


@pytest.fixture
def quantized(base_folder: Path) -> Callable[[int], LlamaForCausalLM]:
    """Load the base in 4 or 8 bit, in training mode (see above)."""

    def load(bits: int) -> LlamaForCausalLM:
        config = BitsAndBytesConfig(
            load_in_4bit=bits == 4,
            load_in_8bit=bits == 8,
            bnb_4bit_compute_dtype=torch.float32,
        )
        return AutoModelForCausalLM.from_pretrained(
            base_folder, quantization_config=config
        ).train()

    return load


def ready(base: nn.Module, method: str, **options: Any) -> PeftModel:  # noqa: ANN401
    """Return the base with a trained adapter that was run once."""
    if method not in {
        "IA3",
        "OFT",
        "BOFT",
        "C3A",
        "FourierFT",
        "Road",
        "VBLoRA",
        "WaveFT",
        "UniLora",
        "TrainableTokens",
    }:
        options = {"r": 4} | options
    model = shaken(
        get_peft_model(base, configured(method, ["q_proj", "v_proj"], **options)), 0.05
    ).train()
    assert logits(model).isfinite().all()
    return model


@claim("Quantized_Merge_Rounding")
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("method", ["Lora", "Hira", "Road"])
def test_a_merge_rounds_and_warns(
    quantized: Callable[[int], LlamaForCausalLM], method: str, bits: int
) -> None:
    model = ready(quantized(bits), method)
    before = logits(model)
    with pytest.warns(
        UserWarning,
        match=f"module to {bits}-bit linear may get different generations due to rounding",
    ):
        merged = model.merge_and_unload().train()
    moved = (logits(merged) - before).abs().max()
    assert 1e-4 < moved < before.abs().max() / 2


@claim("Quantized_Merge_Rounding")
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("method", ["Vera", "Miss", "OFT", "BOFT", "Shira"])
def test_some_round_and_say_nothing(
    quantized: Callable[[int], LlamaForCausalLM], method: str, bits: int
) -> None:
    model = ready(quantized(bits), method)
    before = logits(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merged = model.merge_and_unload().train()
    assert not [warning for warning in caught if "rounding" in str(warning.message)]
    moved = (logits(merged) - before).abs().max()
    assert 1e-4 < moved < before.abs().max() / 2


@claim("Quantized_Merge_Rounding")
@pytest.mark.parametrize(
    ("method", "called_in_evaluation", "trains_again"),
    [
        *(
            (name, True, False)
            for name in ("Lora", "Hira", "Road", "Vera", "Miss", "OFT", "BOFT")
        ),
        ("Lora", True, True),
        ("Lora", False, False),
    ],
)
def test_after_a_call_in_evaluation_mode_a_merge_in_four_bit_destroys_the_weight(
    quantized: Callable[[int], LlamaForCausalLM],
    method: str,
    called_in_evaluation: bool,  # noqa: FBT001 -- a table's column
    trains_again: bool,  # noqa: FBT001 -- a table's column
) -> None:
    """On a CPU with AVX512-BF16, that is; on another one it only rounds."""

    def weight(model: nn.Module) -> torch.Tensor:
        layer = model.model.layers[0].self_attn.q_proj
        return bnb.functional.dequantize_4bit(
            layer.weight.data, layer.weight.quant_state
        ).float()

    base = quantized(4)
    before = weight(base)
    model = get_peft_model(base, configured(method, ["q_proj"])).train(
        not called_in_evaluation
    )
    logits(model)
    if trains_again:
        logits(model.train())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merged = model.merge_and_unload(safe_merge=True)
    assert all("rounding errors" in str(warning.message) for warning in caught)
    destroyed = called_in_evaluation and bool(bnb.functional.has_avx512bf16())
    assert distance(weight(merged), before) == pytest.approx(
        1.44 if destroyed else 0, abs=0.1
    )


@claim("Quantized_Merge_Rounding")
@pytest.mark.parametrize(("bits", "moved"), [(4, 0.087), (8, 0.005)])
def test_how_much_a_large_random_adapter_is_rounded(bits: int, moved: float) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(64, 64)
    layer, weight = {
        4: (
            bnb.nn.Linear4bit(64, 64, compute_dtype=torch.float32, quant_type="nf4"),
            bnb.nn.Params4bit,
        ),
        8: (bnb.nn.Linear8bitLt(64, 64, has_fp16_weights=False), bnb.nn.Int8Params),
    }[bits]
    options = {"quant_type": "nf4"} if bits == 4 else {"has_fp16_weights": False}
    layer.weight, layer.bias = (
        weight(linear.weight.data, requires_grad=False, **options),
        linear.bias,
    )
    base = nn.Sequential(layer).to("cpu")
    setattr(
        base, f"is_loaded_in_{bits}bit", True
    )  # set by transformers where it loads a model
    model = get_peft_model(
        base, LoraConfig(target_modules=["0"], init_lora_weights=False)
    ).train()
    rows = torch.randn(16, 64)
    with torch.no_grad():
        before = model(rows)
        after = model.merge_and_unload().train()(rows)
    assert distance(after, before) == pytest.approx(moved, rel=0.2)


@claim("Quantized_Merge_Rounding")
def test_the_words_of_loras_warning(
    quantized: Callable[[int], LlamaForCausalLM],
) -> None:
    words = "Merge lora module to 4-bit linear may get different generations due to rounding errors."
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready(quantized(4), "Lora").merge_and_unload()
    assert [str(warning.message) for warning in caught].count(
        words
    ) == 2  # once for each layer


@claim("Quantized_Merge_Rounding")
def test_safe_merge_does_not_notice(
    quantized: Callable[[int], LlamaForCausalLM],
) -> None:
    model = ready(quantized(4), "Lora")
    before = logits(model)
    assert not torch.allclose(
        logits(model.merge_and_unload(safe_merge=True).train()), before, atol=1e-3
    )


@claim("Quantized_Merge_Rounding")
def test_a_wide_base_merges_to_what_the_adapter_was_on_it(
    quantized: Callable[[int], LlamaForCausalLM], base_folder: Path, tmp_path: Path
) -> None:
    ready(quantized(4), "Lora").save_pretrained(tmp_path)
    wide = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(base_folder), tmp_path
    ).eval()
    before = logits(wide)
    assert close(logits(wide.merge_and_unload(safe_merge=True)), before)


@claim("Quantized_Merge_Rounding")
@pytest.mark.parametrize("take_back", ["unmerge", "disable"])
def test_unmerging_rounds_once_more(
    quantized: Callable[[int], LlamaForCausalLM], take_back: str
) -> None:
    model = ready(quantized(4), "Lora")
    with model.disable_adapter():
        base = logits(model)
    model.merge_adapter()
    if take_back == "unmerge":
        model.unmerge_adapter()
    with model.disable_adapter():
        after = logits(model)
    assert not torch.allclose(after, base, atol=1e-3)


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize(
    ("method", "bits", "error", "message"),
    [
        (
            "IA3",
            4,
            ValueError,
            "Cannot merge ia3 layers when the model is loaded in 4-bit mode",
        ),
        (
            "IA3",
            8,
            ValueError,
            "Cannot merge ia3 layers when the model is loaded in 8-bit mode",
        ),
        ("AdaLora", 4, NotImplementedError, "^$"),
        ("AdaLora", 8, NotImplementedError, "^$"),
        ("C3A", 4, RuntimeError, "size of tensor"),
        *(
            (name, 4, RuntimeError, "size of tensor")
            for name in ("FourierFT", "Gralora", "UniLora", "VBLoRA", "WaveFT")
        ),
        *(
            (name, 8, RuntimeError, "result type")
            for name in ("FourierFT", "Gralora", "UniLora", "VBLoRA", "WaveFT")
        ),
        ("LoHa", 8, RuntimeError, "result type"),
        ("LoKr", 8, RuntimeError, "result type"),
    ],
)
def test_runs_on_bitsandbytes_and_does_not_merge(
    quantized: Callable[[int], LlamaForCausalLM],
    method: str,
    bits: int,
    error: type[Exception],
    message: str,
) -> None:
    model = ready(quantized(bits), method)
    with pytest.raises(error, match=message):
        model.merge_and_unload()


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize("method", ["Pvera", "RandLora"])
def test_four_bit_merge_that_breaks_the_model(
    quantized: Callable[[int], LlamaForCausalLM], method: str
) -> None:
    merged = ready(quantized(4), method).merge_and_unload().train()
    with pytest.raises(RuntimeError, match="is invalid for input of size"):
        logits(merged)


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize(
    ("method", "wrong"),
    [("C3A", True), ("RandLora", True), ("Lora", False), ("Pvera", False)],
)
def test_eight_bit_merge_that_is_wrong(
    quantized: Callable[[int], LlamaForCausalLM],
    method: str,
    wrong: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model = ready(quantized(8), method).eval()
    before = logits(model)
    with model.disable_adapter():
        effect = (logits(model) - before).abs().max()
    moved = (logits(model.merge_and_unload().eval()) - before).abs().max()
    assert (
        bool(moved > effect / 2) is wrong
    )  # rounding to 8 bit costs a small part of what the adapter does


@claim("Unmergeable_Quantized_Bases")
@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize(
    ("method", "bits"),
    [
        *(
            (name, 4)
            for name in ("LoHa", "LoKr", "HRA", "Peanut", "Deft", "Supertuning")
        ),
        ("Supertuning", 8),
    ],
)
def test_left_out_because_they_do_not_run(
    quantized: Callable[[int], LlamaForCausalLM], method: str, bits: int
) -> None:
    with pytest.raises(RuntimeError):
        ready(quantized(bits), method)


@claim("Unmergeable_Quantized_Bases")
@claim("Safe_Merge_NaN_Check")
@pytest.mark.parametrize("bits", [4, 8])
def test_lora_bias_is_merged_without_its_scale(
    quantized: Callable[[int], LlamaForCausalLM], bits: int
) -> None:
    def biased() -> tuple[PeftModel, nn.Module]:
        base = quantized(bits)
        layer = base.model.layers[0].self_attn.q_proj
        layer.bias = nn.Parameter(torch.zeros(64), requires_grad=False)
        model = get_peft_model(
            base, configured("Lora", ["q_proj"], r=4, lora_alpha=16, lora_bias=True)
        ).train()
        attention = base.model.layers[0].self_attn
        attention.q_proj.lora_B["default"].bias.data.fill_(0.5)
        return model, attention

    model, attention = biased()
    before = logits(model)
    merged = model.merge_and_unload().train()
    assert attention.q_proj.bias.unique().tolist() == [
        0.5
    ]  # and not 4 * 0.5, as in the forward pass
    assert (logits(merged) - before).abs().max() > 0.01

    model, attention = biased()
    with pytest.raises(RuntimeError, match="Boolean value of Tensor"):
        model.merge_and_unload(safe_merge=True)
    assert not attention.q_proj.merged


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize("method", ["Lora", "AdaLora", "OFT"])
def test_gptq_is_refused(method: str) -> None:
    base = llama()
    base.quantization_method = (
        "gptq"  # what transformers sets; nothing else of GPTQ is here
    )
    model = get_peft_model(base, configured(method, ["q_proj"]))
    with pytest.raises(ValueError, match="layers when the model is gptq quantized"):
        model.merge_and_unload()


def with_layer(model: PeftModel, layer: type[nn.Module], name: str) -> PeftModel:
    """Put another of LoRA's layers in the place of the one on `q_proj`, on an ordinary linear layer."""
    attention = model.get_base_model().model.layers[0].self_attn
    attention.q_proj = layer(
        attention.q_proj.base_layer, name, config=configured("Lora", ["q_proj"]), r=4
    )
    return model


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize(
    "layer", [GPTQLoraLinear, AwqLoraLinear, AqlmLoraLinear, TeLinear]
)
def test_loras_layers_for_other_backends_do_not_merge(layer: type[nn.Module]) -> None:
    model = with_layer(
        get_peft_model(llama(), configured("Lora", ["q_proj"])), layer, "default"
    )
    with pytest.raises(NotImplementedError):
        model.merge_and_unload()


@claim("Unmergeable_Quantized_Bases")
def test_nor_do_they_inside_xlora(tmp_path: Path) -> None:
    get_peft_model(llama(), configured("Lora", ["q_proj"])).save_pretrained(tmp_path)
    config = peft.XLoraConfig(
        task_type="CAUSAL_LM",
        hidden_size=64,
        adapters={"0": str(tmp_path)},
        xlora_depth=1,
    )
    model = get_peft_model(llama(), config)
    attention = next(module for module in model.modules() if hasattr(module, "q_proj"))
    attention.q_proj = GPTQLoraLinear(
        attention.q_proj.base_layer, "0", config=configured("Lora", ["q_proj"]), r=4
    )
    with pytest.raises(NotImplementedError):
        model.merge_and_unload()


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize("method", ["Vera", "Miss", "OFT", "BOFT", "Shira"])
def test_backends_that_only_run_forward_do_not_merge(method: str) -> None:
    model = get_peft_model(llama(), configured(method, ["q_proj"]))
    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            module.quantization_backend = ForwardOnlyQuantizationBackend("gptq")
    with pytest.raises(
        TypeError,
        match=r"is not supported for gptq layers\. Merging/unmerging is not available",
    ):
        model.merge_and_unload()


@claim("Unmergeable_Quantized_Bases")
@pytest.mark.parametrize("method", ["IA3", "FourierFT"])
def test_the_same_adapter_merges_into_the_unquantized_base(
    quantized: Callable[[int], LlamaForCausalLM],
    base_folder: Path,
    tmp_path: Path,
    method: str,
) -> None:
    ready(quantized(8), method).save_pretrained(tmp_path)
    model = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(base_folder), tmp_path
    ).eval()
    before = logits(model)
    assert not close(before, logits(llama()))
    assert close(logits(model.merge_and_unload()), before)


@claim("Unmergeable_Quantized_Bases")
def test_replicated_layers_are_merged_wrongly_without_a_word() -> None:
    config = lora(
        target_modules=["q_proj"],
        layer_replication=[(0, 2), (0, 2)],
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(llama(num_hidden_layers=2), config).eval()
    before = logits(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        merged = model.merge_and_unload()
    assert len(merged.model.layers) == 4
    assert not torch.allclose(logits(merged), before, atol=1e-3)


# --------------------------------------------------------------------------------- Eight_Bit_Codes_Read_As_Weights

READ_CODES = ("HRA", "Deft", "Peanut")


def on_base(
    base: nn.Module, method: str, moved: float = 0.05
) -> tuple[PeftModel, torch.Tensor, torch.Tensor]:
    """Return the adapted model in evaluation mode, and its logits with and without the adapter."""
    torch.manual_seed(1)
    model = shaken(
        get_peft_model(base, configured(method, ["q_proj", "v_proj"])), moved
    ).eval()
    with_adapter = logits(model)
    with model.disable_adapter():
        return model, with_adapter, logits(model)


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize(
    ("method", "new", "trained", "unquantized"),
    [
        ("HRA", 1.15, 1.15, 0.08),
        ("Deft", 1.23, 1.36, 0.19),
        ("Peanut", 0, 1.39, 0.08),
        ("Lora", 0, 0.38, 0.38),
    ],
)
def test_eight_bit_codes_give_another_model_without_a_word(
    quantized: Callable[[int], LlamaForCausalLM],
    method: str,
    new: float,
    trained: float,
    unquantized: float,
) -> None:
    """Within a fifth of the numbers on the page: other processors round in other ways."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, on, off = on_base(quantized(8), method, moved=0.0)
        assert distance(on, off) == pytest.approx(new, rel=0.2, abs=1e-6)
        _, on, off = on_base(quantized(8), method)
        assert distance(on, off) == pytest.approx(trained, rel=0.2)
    assert not [
        str(warning.message)
        for warning in caught
        if warning.category is not FutureWarning
    ]
    _, on, off = on_base(llama(), method)
    assert distance(on, off) == pytest.approx(unquantized, rel=0.2)


@claim("Eight_Bit_Codes_Read_As_Weights")
def test_eight_bit_weights_are_codes_in_a_linear_layer(
    quantized: Callable[[int], LlamaForCausalLM],
) -> None:
    layer = quantized(8).model.layers[0].self_attn.q_proj
    assert isinstance(layer, nn.Linear)
    assert layer.weight.dtype == torch.int8
    assert layer.weight.abs().max() == 127
    assert layer.weight.SCB.shape == (64,)


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("method", READ_CODES)
def test_merged_in_eight_bit_it_is_the_base(
    quantized: Callable[[int], LlamaForCausalLM],
    tmp_path: Path,
    method: str,
    called: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model, on, off = on_base(quantized(8), method)
    if not called:
        model.save_pretrained(tmp_path / "adapter")
        model = PeftModel.from_pretrained(quantized(8), tmp_path / "adapter")
    merged = model.merge_and_unload(safe_merge=True).eval()
    assert torch.equal(logits(merged), off)
    assert distance(logits(merged), on) > 1
    merged.save_pretrained(tmp_path / "merged")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    assert torch.equal(logits(again), off)


@claim("Eight_Bit_Codes_Read_As_Weights")
def test_safe_merge_finds_no_nan_among_integers(
    quantized: Callable[[int], LlamaForCausalLM],
) -> None:
    def broken(method: str) -> PeftModel:
        model = get_peft_model(quantized(8), configured(method, ["q_proj"]))
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data.fill_(math.nan)
        return model

    for method in ("Deft", "Peanut"):
        broken(method).merge_and_unload(safe_merge=True)
    with pytest.raises(ValueError, match="NaNs detected"):
        broken("HRA").merge_and_unload(safe_merge=True)


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize(
    ("method", "good"),
    [("HRA", False), ("Peanut", False), ("Deft", True), ("Lora", True)],
)
def test_an_adapter_goes_from_one_base_to_the_other(
    quantized: Callable[[int], LlamaForCausalLM],
    tmp_path: Path,
    method: str,
    good: bool,  # noqa: FBT001 -- a table's column
) -> None:
    for source, target in ((llama(), quantized(8)), (quantized(8), llama())):
        model, expected, _ = on_base(source, method)
        model.save_pretrained(tmp_path)
        moved = logits(PeftModel.from_pretrained(target, tmp_path).eval())
        assert (distance(moved, expected) < 0.05) is good


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize("method", READ_CODES)
def test_training_on_codes_runs_and_the_loss_falls(
    quantized: Callable[[int], LlamaForCausalLM], method: str
) -> None:
    model = get_peft_model(
        quantized(8), configured(method, ["q_proj", "v_proj"])
    ).train()
    optimizer = torch.optim.AdamW(
        (weight for weight in model.parameters() if weight.requires_grad), lr=1e-2
    )
    losses = []
    for _ in range(20):
        loss = model(input_ids=PROMPT, labels=PROMPT).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize(("bits", "scale"), [(8, 0.0), (0, 0.5)])
def test_unilora_does_nothing_in_eight_bit(
    quantized: Callable[[int], LlamaForCausalLM], bits: int, scale: float
) -> None:
    model, on, off = on_base(quantized(8) if bits else llama(), "UniLora")
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    assert layer.unilora_scales_A["default"].abs().max() == scale
    assert torch.equal(on, off) is (bits == 8)


@claim("Eight_Bit_Codes_Read_As_Weights")
@pytest.mark.parametrize(
    ("storage", "scale"),
    [
        ({}, 0.0),
        ({"bnb_4bit_quant_storage": torch.float32}, 0.5),
        ({"bnb_4bit_quant_storage": torch.bfloat16}, 0.5),
    ],
)
def test_unilora_does_nothing_in_four_bit_that_are_stored_as_integers(
    base_folder: Path, storage: dict[str, torch.dtype], scale: float
) -> None:
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32, **storage
    )
    base = AutoModelForCausalLM.from_pretrained(base_folder, quantization_config=config)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = shaken(
            get_peft_model(base, configured("UniLora", ["q_proj", "v_proj"]))
        ).train()
    assert not [
        str(warning.message)
        for warning in caught
        if warning.category is not FutureWarning
    ]
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    assert layer.unilora_scales_A["default"].abs().max() == scale
    on = logits(model)
    with model.disable_adapter():
        assert torch.equal(on, logits(model)) is (scale == 0)
