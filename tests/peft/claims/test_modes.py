"""What the heuristics on modes, names and targets say, run on tiny random models: the pitfall, then its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft import (
    NoMatchingPeftModuleError,
    PeftConfig,
    PeftMixedModel,
    PeftModel,
    PeftModelForCausalLM,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    set_peft_model_state_dict,
)
from peft.tuners.lora.layer import ParamWrapper
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from torch import Tensor, nn
from transformers import (
    LlamaForQuestionAnswering,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
)

from claims.models import (
    CAUSAL,
    LINEAR,
    ROWS,
    Loader,
    Operations,
    Options,
    adam,
    adapted,
    claim,
    config,
    distance,
    each,
    ends,
    experts,
    identical,
    learning,
    linear,
    llama,
    loaded,
    lora,
    loss_of,
    methods_with,
    olmo,
    pair,
    refused,
    run,
    said,
    same,
    saved,
    settings,
    silent,
    steps,
    trainable,
    trained,
    unfrozen,
    warned,
    xlora,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def repeats(model: nn.Module) -> bool:
    """Return whether two calls give the same."""
    return identical(model, model)


# ----------------------------------------------------------------------------------------------- Eval_Mode_Not_Kept


eval_mode_not_kept = claim("Eval_Mode_Not_Kept")


@eval_mode_not_kept
@each("options", [{}, {"inference_mode": True}])
def test_the_new_layers_of_a_model_in_evaluation_mode_drop_out(
    options: Options,
) -> None:
    with silent():
        model = adapted(lora(lora_dropout=0.5, **options))
        assert model.training
        assert not repeats(model)
    assert repeats(model.eval())


@eval_mode_not_kept
def test_an_adapter_that_is_added_drops_out_although_the_model_says_otherwise() -> None:
    model = adapted(lora(lora_dropout=0.5)).eval()
    model.add_adapter("b", lora(lora_dropout=0.5))
    assert repeats(model)  # it is not active yet
    model.set_adapter("b")
    assert not model.training
    assert not repeats(model)
    assert repeats(model.eval())


@eval_mode_not_kept
@each(
    ("method", "dropout"),
    [
        ("AdaLora", {"lora_dropout": 0.5}),
        ("BOFT", {"boft_dropout": 0.9}),
        ("Hira", {"hira_dropout": 0.5}),
        ("Vera", {"vera_dropout": 0.5}),
        # these two look at the mode of the layer
        ("LoHa", {"rank_dropout": 0.5}),
        ("LoKr", {"module_dropout": 0.5}),
    ],
)
def test_other_methods_as_well_but_for_loha_and_lokr(
    method: str, dropout: dict[str, float]
) -> None:
    def drops_out() -> bool:
        return len({run(model).sum().item() for _ in range(20)}) > 1

    model = adapted(config(method, "0", **dropout))
    assert model.training
    trained(model).train()
    assert drops_out()
    assert repeats(model.eval())
    model.add_adapter("b", config(method, "0", inference_mode=True, **dropout))
    model.set_adapter("b")
    for weight in trainable(model).values():
        weight.data += torch.randn_like(weight)
    assert drops_out() is (method not in {"LoHa", "LoKr"})


@eval_mode_not_kept
def test_so_does_what_is_injected_mixed_combined_or_loaded_to_be_trained(
    tmp_path: Path,
) -> None:
    config = lora(lora_dropout=0.5)
    injected = inject_adapter_in_model(config, linear())
    mixed = adapted(config, mixed=True)

    combined = pair(config)
    combined.save_pretrained(tmp_path)
    combined.eval()
    combined.add_weighted_adapter(["a", "b"], [0.5, 0.5], "both", "cat")
    combined.set_adapter("both")

    again = loaded(tmp_path / "a", is_trainable=True)
    assert again.training
    assert not repeats(again)
    again.eval()
    again.load_adapter(tmp_path / "a", "c", is_trainable=True)
    again.set_adapter("c")

    for model in (injected, mixed, combined, again):
        assert model.training is (model is mixed)
        assert not repeats(model)
        assert repeats(model.eval())


adapter_name_rules = claim("Adapter_Name_Rules")


optimizer_after_adapters = claim("Optimizer_After_Adapters")


@eval_mode_not_kept
@adapter_name_rules
@optimizer_after_adapters
@each(
    ("task", "kind"),
    [
        ("SEQ_CLS", LlamaForSequenceClassification),
        ("TOKEN_CLS", LlamaForTokenClassification),
        ("QUESTION_ANS", LlamaForQuestionAnswering),
    ],
)
def test_the_three_classes_that_add_adapters_in_their_own_way_are_no_better(
    task: str, kind: type[nn.Module]
) -> None:
    config = lora("q_proj", task_type=task, lora_dropout=0.5)
    model = adapted(config, llama(kind), adapter_name="en").eval()
    assert "add_adapter" in vars(type(model))
    optimizer = adam(model)
    model.add_adapter("fr", config)
    dropouts = [it for name, it in model.named_modules() if name.endswith("dropout.fr")]
    assert dropouts
    assert all(it.training for it in dropouts)
    model.set_adapter("fr")
    assert any("lora_B.fr" in name for name in left_out(model, optimizer))

    saved = get_peft_model_state_dict(model, adapter_name="en")
    model.add_adapter("self_attn", config)
    assert len(get_peft_model_state_dict(model, adapter_name="en")) < len(saved)


@adapter_name_rules
@each("how", ["combined", "wrapped", "loaded"])
def test_a_name_of_a_module_takes_from_the_others_however_it_came(
    how: str, tmp_path: Path
) -> None:
    ours = lora("q_proj", "up_proj", **CAUSAL)
    if how == "combined":
        model = adapted(ours, llama(), adapter_name="other")
        model.add_adapter("second", ours)
        weighed = (["other", "second"], [0.5, 0.5])
        model.add_weighted_adapter(*weighed, "mlp")
    elif how == "wrapped":
        model = adapted(ours, llama(), adapter_name="mlp")
        model.add_adapter("other", ours)
    else:
        adapted(ours, llama()).save_pretrained(tmp_path)
        model = loaded(tmp_path, llama(), adapter_name="mlp")
        model.load_adapter(tmp_path, "other")
    # of A and B for two layers, those within `mlp` are not there
    assert len(get_peft_model_state_dict(model, adapter_name="other")) == 2


@optimizer_after_adapters
def test_one_from_before_lacks_what_is_loaded_to_be_trained_or_gets_a_new_rank(
    tmp_path: Path,
) -> None:
    adapted(lora("q_proj", **CAUSAL), llama()).save_pretrained(tmp_path)
    model = adapted(lora("q_proj", **CAUSAL), llama())
    optimizer = adam(model)
    model.load_adapter(tmp_path, "fr", is_trainable=True)
    model.set_adapter("fr")
    assert set(left_out(model, optimizer)) == set(trainable(model))

    eva = peft.EvaConfig(rho=2)
    ours = lora(
        "q_proj", "v_proj", "up_proj", init_lora_weights="eva", eva_config=eva, **CAUSAL
    )
    model = adapted(ours, llama(num_hidden_layers=2))
    optimizer = adam(model)
    batches = [{"input_ids": torch.randint(0, 64, (4, 8))} for _ in range(8)]
    peft.initialize_lora_eva_weights(model, batches, show_progress_bar=False)
    assert set() < set(left_out(model, optimizer)) < set(trainable(model))


@eval_mode_not_kept
def test_a_mixed_model_is_put_into_evaluation_mode_as_well(tmp_path: Path) -> None:
    adapted(lora()).save_pretrained(tmp_path)
    mixed = adapted(lora(), mixed=True).train()
    mixed.load_adapter(tmp_path, "kept", is_trainable=True)
    assert mixed.training
    mixed.load_adapter(tmp_path, "frozen")
    assert not mixed.training


@adapter_name_rules
@each("name", ["score", "classifier"])
def test_the_names_of_a_head_that_the_task_saves_are_refused(name: str) -> None:
    config = lora("q_proj", task_type="SEQ_CLS")
    model = adapted(config, llama(LlamaForSequenceClassification))
    # the model is no good then: a right name is refused as well
    for given in ("en", name, "fr"):
        with (
            refused("You are trying to target a module") if given != "en" else silent()
        ):
            model.add_adapter(given, config)


@eval_mode_not_kept
@claim("Is_Trainable_To_Resume")
def test_loading_to_infer_puts_all_into_evaluation_mode(tmp_path: Path) -> None:
    adapted(lora(lora_dropout=0.5)).save_pretrained(tmp_path)
    for kind in (PeftModel, PeftMixedModel):
        again = kind.from_pretrained(linear().train(), tmp_path)
        assert not again.training
        assert repeats(again)

    model = adapted(lora(lora_dropout=0.5)).train()
    assert not repeats(model)
    model.load_adapter(tmp_path, "reference")
    assert model.active_adapter == "default"
    assert unfrozen(model) == {"default"}
    # the adapter that is in training no longer drops anything
    assert not any(module.training for module in model.modules())
    assert repeats(model)
    assert not repeats(model.train())


@eval_mode_not_kept
def test_nothing_is_to_be_seen_without_dropout_or_before_training() -> None:
    assert repeats(adapted(lora()))
    random = adapted(lora(monteclora_config=peft.MontecloraConfig()))
    assert not repeats(random)
    assert repeats(random.eval())
    new = adapted(lora(lora_dropout=0.5, init_lora_weights=True))
    assert repeats(new)
    assert not repeats(trained(new).train())


@eval_mode_not_kept
def test_a_switch_changes_no_mode() -> None:
    model = pair(lora(lora_dropout=0.5)).eval()
    model.set_adapter("b")
    assert repeats(model)


# ------------------------------------------------------------------------------------- Partial_Merge_Drops_Adapters


def two(config: peft.PeftConfig | None = None, **options: object) -> PeftModel:
    """Return a model with two trained adapters, both active."""
    torch.manual_seed(1)
    model = pair(config, **options)
    both = model.base_model if isinstance(model, PeftModel) else model
    both.set_adapter(["a", "b"])
    return trained(model)


def alone(model: PeftModel, name: str) -> Tensor:
    """Return the outputs with one adapter only, and activate both again."""
    model.base_model.set_adapter([name])
    result = run(model)
    model.base_model.set_adapter(["a", "b"])
    return result


#: Of these, one adapter can be active.
SINGLE = ["AdaLora", "LNTuning", "OSF"]
#: These merge several adapters wrongly.
WRONG = ["C3A", "OFT"]


partial_merge_drops_adapters = claim("Partial_Merge_Drops_Adapters")


@partial_merge_drops_adapters
@each(
    "config",
    [
        lora(use_dora=True),
        *(config(it, "0", "2") for it in sorted({*LINEAR, "Beft"} - {*SINGLE, *WRONG})),
    ],
)
def test_merging_one_of_two_active_adapters_drops_the_other_without_a_word(
    config: peft.PeftConfig,
) -> None:
    model = two(config)
    both, first = run(model), alone(model, "a")
    assert not same(both, first, 1e-3)
    with silent():
        model.merge_adapter(["a"])
        assert same(model, first)
    status = model.get_model_status()
    assert status.active_adapters == ["a", "b"]
    assert status.merged_adapters == ["a"]  # what gives it away

    model.unmerge_adapter()
    assert same(model, both, 1e-4)
    model.merge_adapter()
    assert same(model, both, 1e-4)


@partial_merge_drops_adapters
@each("method", WRONG)
def test_two_methods_merge_several_adapters_wrongly_however(method: str) -> None:
    model = two(config(method, "0", "2"))
    both, outputs = run(model), {name: alone(model, name) for name in ("a", "b")}
    model.merge_adapter(["a"])
    assert same(model, outputs["a"])
    model.unmerge_adapter()
    assert distance(model.merge_and_unload(), both) > 0.05
    for name, expected in outputs.items():  # one alone is right
        model = two(config(method, "0", "2"))
        model.base_model.set_adapter(name)
        assert same(model.merge_and_unload(), expected)


@partial_merge_drops_adapters
def test_what_is_merged_later_is_added_with_a_warning() -> None:
    model = two()
    both = run(model)
    model.merge_adapter(["a"])
    with warned(
        "Already following adapters were merged a. You are now additionally merging b"
    ):
        model.merge_adapter(["b"])
    assert same(model, both)


@claim("Merge_Returns_New_Model")
@partial_merge_drops_adapters
@each(
    ("active", "names", "result"),
    [
        (["a", "b"], None, "both"),
        (["a", "b"], ["a", "b"], "both"),
        (["a", "b"], ["a"], "a"),
        # by default, only active adapters are merged
        (["a"], None, "a"),
        # one that is not active takes the place of the active one
        (["a"], ["b"], "b"),
        # a misspelled name merges nothing
        (["a", "b"], ["english"], "base"),
    ],
)
def test_what_is_merged_is_left_and_all_else_is_gone_without_a_word(
    active: list[str], names: list[str] | None, result: str
) -> None:
    model = two()
    outputs = {"both": run(model), "base": run(linear())}
    outputs |= {name: alone(model, name) for name in ("a", "b")}
    model.base_model.set_adapter(active)
    with silent():
        model.merge_adapter(names)
    kept = "both" if result == "base" else result
    assert same(model, outputs[kept])
    assert model.active_adapters == active
    model.unmerge_adapter()
    with silent():
        merged = model.merge_and_unload(adapter_names=names)
    assert not any("lora_" in name for name, _ in merged.named_parameters())
    for name, output in outputs.items():
        assert same(merged, output, 1e-4) is (name == result)
    with refused("adapter_names should be a list of strings, got 'a'", TypeError):
        two().merge_and_unload(adapter_names="a")


@partial_merge_drops_adapters
def test_a_merged_adapter_is_not_trained() -> None:
    model = two()
    assert model(ROWS).requires_grad
    model.merge_adapter(["a"])
    assert not model(ROWS).requires_grad
    with refused("does not require grad", RuntimeError):
        model(ROWS).sum().backward()


@partial_merge_drops_adapters
def test_a_mixed_model_drops_them_as_well() -> None:
    model = two(mixed=True)
    both = run(model)
    model.set_adapter(["a"])
    first = run(model)
    model.set_adapter(["a", "b"])
    merged = run(model.merge_and_unload(adapter_names=["a"]))
    assert same(merged, first)
    assert not same(merged, both)


@partial_merge_drops_adapters
def test_xlora_drops_them_as_well(tmp_path: Path) -> None:
    merged = xlora(tmp_path, experts="01").merge_and_unload(adapter_names=["0"])
    assert same(merged, loaded(tmp_path / "0", llama()))


@partial_merge_drops_adapters
def test_two_calls_undo_a_merge() -> None:
    model = two()
    both = run(model)
    model.merge_adapter(["a"])
    with model.disable_adapter():
        assert same(model, linear())
    assert same(model, both)  # all are active again, and none is merged

    model.merge_adapter(["a"])
    with refused("Cannot pass `adapter_names` when there are merged adapters"):
        model(ROWS, adapter_names=["a", "b"] * 2)


@partial_merge_drops_adapters
@each("method", SINGLE)
def test_where_one_adapter_is_active_the_merged_one_takes_its_place(
    method: str,
) -> None:
    frozen = config(method, "0", "2", inference_mode=True)
    model = pair(config(method, "0", "2"), frozen)
    outputs = {}
    for name in ("a", "b"):
        model.set_adapter(name)
        outputs[name] = run(trained(model))
    assert not same(outputs["a"], outputs["b"], 1e-3)
    model.set_adapter("a")
    model.merge_adapter(["b"])
    assert model.active_adapter == "a"
    assert same(model, outputs["b"])


@partial_merge_drops_adapters
def test_trainable_tokens_as_well() -> None:
    tokens = (config("TrainableTokens", token_indices=it) for it in ([1, 2], [4, 5]))
    model = pair(*tokens, base=llama())
    model.base_model.set_adapter(["a", "b"])
    both, first = run(trained(model)), alone(model, "a")
    assert not same(both, first, 1e-3)
    model.merge_adapter(["a"])
    assert same(model, first)


# ----------------------------------------------------------------------------- Fused_Experts_Need_Target_Parameters


def on_experts(family: str, *targets: str, **options: object) -> PeftModel:
    """Return a small model with fused experts and an adapter, of one layer unless told otherwise."""
    return adapted(lora(*targets or ["q_proj"], **options), experts(family)).eval()


FUSED = ["experts.gate_up_proj", "experts.down_proj"]


ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
MISSED = ["gpt_oss", "granitemoe", "llama4_text"]


fused_experts_need_target_parameters = claim("Fused_Experts_Need_Target_Parameters")


@fused_experts_need_target_parameters
@each(
    ("family", "share"),
    [("gpt_oss", 0.80), ("granitemoe", 0.82), ("llama4_text", 0.68)],
)
def test_all_linear_leaves_fused_experts_out_without_a_word(
    family: str, share: float
) -> None:
    weights = {
        name: weight.numel() for name, weight in experts(family).named_parameters()
    }
    fused = [size for name, size in weights.items() if name.endswith(tuple(FUSED))]
    assert sum(fused) / sum(weights.values()) == pytest.approx(share, abs=0.005)
    with silent():
        model = on_experts(family, target_modules="all-linear")
    assert model.targeted_parameter_names == []
    assert not any(".experts" in name for name in trainable(model))


@fused_experts_need_target_parameters
def test_the_usual_names_reach_the_shared_expert_only() -> None:
    model = on_experts("llama4_text", "gate_proj", "up_proj", "down_proj")
    found = learning(model)
    assert found
    assert all(".shared_expert." in name for name in found)


@fused_experts_need_target_parameters
@each("family", [*MISSED, "mixtral"])
def test_target_parameters_reaches_them_trains_saves_and_merges(
    family: str, tmp_path: Path
) -> None:
    model = on_experts(family, "q_proj", "v_proj", target_parameters=FUSED)
    assert ends(model.targeted_parameter_names) == {"gate_up_proj", "down_proj"}
    loss_of(model).backward()
    weights = trainable(model).items()
    assert all(weight.grad.any() for name, weight in weights if ".experts" in name)

    expected = run(model)
    assert not same(expected, experts(family))
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path, experts(family)), expected)
    with model.disable_adapter():
        assert same(model, experts(family))
    assert same(model.merge_and_unload(), expected)


@fused_experts_need_target_parameters
def test_each_call_computes_the_update_of_all_experts() -> None:
    updated = set()

    def note(func: object, given: Sequence[Any]) -> None:
        if func is torch.ops.aten.baddbmm.default:
            updated.add(len(given[1]))

    model = on_experts("gpt_oss", target_parameters=FUSED)
    with Operations(note):
        run(model, torch.tensor([[1]]))  # one token, for which two of four work
    assert updated == {4}


@fused_experts_need_target_parameters
def test_an_adapter_without_them_is_accepted_beside_one_that_has_them() -> None:
    model = on_experts("gpt_oss", target_parameters=FUSED)
    before = run(model)
    model.add_adapter("without", lora("q_proj"))
    model.set_adapter("without")
    alone = on_experts("gpt_oss")
    state = get_peft_model_state_dict(model, adapter_name="without")
    set_peft_model_state_dict(alone, state)
    assert same(model, alone)
    model.set_adapter("default")
    assert same(model, before)


@fused_experts_need_target_parameters
def test_all_linear_breaks_the_router_of_llama4_unless_it_is_excluded() -> None:
    everything = {"target_modules": "all-linear"}
    with refused("'tuple' object has no attribute 'dtype'", AttributeError):
        run(on_experts("llama4_text", **everything))
    run(on_experts("llama4_text", exclude_modules=["router"], **everything))


def ranks(model: PeftModel) -> dict[str, int]:
    """Return parameter → rank of its adapter."""
    wrapped = [module for module in model.modules() if isinstance(module, ParamWrapper)]
    return {module.parameter_name: module.r["default"] for module in wrapped}


@fused_experts_need_target_parameters
@each(
    ("family", "targets"),
    [
        ("mixtral", "all-linear"),
        ("mixtral", ["q_proj", "w1", "w2", "w3"]),
        ("qwen3_moe", "all-linear"),
        ("qwen3_moe", ["q_proj", "gate_proj", "up_proj", "down_proj"]),
    ],
)
def test_two_families_are_converted_and_the_warnings_are_wrong(
    family: str, targets: str | list[str]
) -> None:
    with said() as texts:
        model = on_experts(family, target_modules=targets, r=8)
    ignored = "pattern keys did not match any targeted module and were ignored: ['.*\\\\.gate_up_proj']."
    assert texts == [f"The following rank_{ignored}", f"The following alpha_{ignored}"]
    assert ends(model.targeted_parameter_names) >= {"gate_up_proj", "down_proj"}
    # so the pattern was not ignored: two matrices of rank 8 are fused
    assert ranks(model)["gate_up_proj"] == 16
    assert ranks(model)["down_proj"] == 8
    assert ends(model.targeted_module_names) <= ATTENTION
    assert ("weight" in ranks(model)) is (targets == "all-linear")  # the router's


@fused_experts_need_target_parameters
def test_a_rank_for_experts_is_heeded_although_the_warning_says_that_it_is_not() -> (
    None
):
    rank = {"rank_pattern": {"experts.down_proj": 2}}
    ignored = r"rank_pattern keys did not .* were ignored: \['experts.down_proj'\]"
    with warned(ignored, RuntimeWarning):
        model = on_experts("gpt_oss", target_parameters=FUSED, r=8, **rank)
    assert ranks(model) == {"gate_up_proj": 8, "down_proj": 2}


@fused_experts_need_target_parameters
def test_a_misspelled_parameter_is_skipped_unless_nothing_is_found() -> None:
    wrong = {"target_parameters": ["experts.down_porj"]}
    with silent():
        both = ["experts.down_porj", "experts.gate_up_proj"]
        model = on_experts("gpt_oss", target_parameters=both)
    assert ends(model.targeted_parameter_names) == {"gate_up_proj"}

    with warned("were set but no parameter was matched", RuntimeWarning):
        on_experts("gpt_oss", **wrong)
    with refused("also no `target_parameters` found", NoMatchingPeftModuleError):
        on_experts("gpt_oss", target_modules=[], **wrong)


@fused_experts_need_target_parameters
def test_no_dropout_on_experts() -> None:
    everything = {"target_modules": "all-linear"}
    for family, options in (
        ("mixtral", everything),
        ("gpt_oss", {"target_parameters": FUSED}),
    ):
        with refused("lora.ParamWrapper does not work with lora_dropout != 0"):
            on_experts(family, lora_dropout=0.05, **options)
    on_experts("gpt_oss", lora_dropout=0.05, **everything)


@fused_experts_need_target_parameters
def test_fused_matrices_are_targeted_together_and_not_excluded() -> None:
    with refused(r"Cannot convert PEFT target\(s\) w1 without also targeting w3"):
        on_experts("mixtral", "q_proj", "w1")
    excluded = ["experts", "gate_up_proj", "down_proj"]
    model = on_experts("mixtral", target_modules="all-linear", exclude_modules=excluded)
    assert ends(model.targeted_parameter_names) >= {"gate_up_proj", "down_proj"}


@fused_experts_need_target_parameters
@each("method", ["AdaLora", "LoHa", "IA3", "OFT", "Vera", "Hira"])
@each("family", ["mixtral", "gpt_oss"])
def test_other_methods_adapt_no_experts_at_all(method: str, family: str) -> None:
    model = adapted(config(method, target_modules="all-linear"), experts(family))
    assert ends(learning(model)) == ATTENTION
    assert not any("expert" in name for name in trainable(model))


@fused_experts_need_target_parameters
def test_adalora_accepts_target_parameters_and_fails_with_them() -> None:
    ours = config("AdaLora", "q_proj", target_parameters=FUSED)
    with refused("unexpected keyword argument 'parameter_name'", TypeError):
        adapted(ours, experts("gpt_oss"))


@fused_experts_need_target_parameters
@each("method", ["Hira", "LoHa"])
@each("family", ["mixtral", "gpt_oss"])
def test_other_methods_cannot_target_the_module_and_can_save_it(
    method: str, family: str, tmp_path: Path
) -> None:
    with refused(
        r"(?s)Target module .*Experts.* not supported", (TypeError, ValueError)
    ):
        adapted(config(method, "experts"), experts(family))
    ours = config(method, "q_proj", modules_to_save=["experts"])
    model = adapted(ours, experts(family))
    loss_of(model).backward()
    named = trainable(model).items()
    weights = [weight for name, weight in named if name.endswith("default.down_proj")]
    assert len(weights) == 2
    assert all(weight.grad.any() for weight in weights)
    expected = run(trained(model))
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path, experts(family)), expected)


@fused_experts_need_target_parameters
def test_all_adapters_have_the_same_parameters() -> None:
    model = on_experts("gpt_oss", target_parameters=FUSED)
    model.add_adapter("same", lora("q_proj", target_parameters=FUSED))
    with refused("all adapters must target the same set of parameters"):
        model.add_adapter("one", lora("q_proj", target_parameters=FUSED[:1]))


@fused_experts_need_target_parameters
@each("targets", ["all-linear", ["q_a_proj", "gate_proj", "up_proj", "down_proj"]])
def test_converted_the_dense_layers_and_the_shared_expert_are_lost(
    targets: str | list[str],
) -> None:
    lost = [
        f"model.layers.{place}.{end}"
        for place in ("0.mlp", "1.mlp.shared_experts")
        for end in ("gate_proj", "down_proj")
    ]
    assert {*lost} <= dict(experts("deepseek_v3").named_modules()).keys()
    model = on_experts("deepseek_v3", target_modules=targets)
    assert ends(model.targeted_parameter_names) >= {"gate_up_proj", "down_proj"}
    assert not {name.removesuffix(".base_layer") for name in learning(model)} & {*lost}

    # as parameters, they can be named
    weights = {f"{name}.weight" for name in lost}
    named = [name.partition("model.")[2] for name in weights]
    model = on_experts("deepseek_v3", "q_a_proj", target_parameters=FUSED + named)
    found = model.targeted_parameter_names
    assert {name for name in found if name.endswith(".weight")} == weights
    expected = run(model)
    assert same(model.merge_and_unload(), expected)


# ------------------------------------------------------------------------------------- Trained_Biases_Change_The_Base

WITH_BIAS = methods_with("bias")


def only(method: str) -> str:
    """Return what `bias` is for the layers of a method only."""
    names = {"AdaLora": "lora", "Miss": "MiSS"}
    return f"{names.get(method, method.lower())}_only"


def biases(model: nn.Module) -> set[str]:
    return {
        name.removeprefix("base_model.model.")
        for name in trainable(model)
        if name.endswith(".bias")
    }


trained_biases_change_the_base = claim("Trained_Biases_Change_The_Base")


@trained_biases_change_the_base
@claim("Base_Model_Modified_In_Place")
@each("everywhere", [True, False])
@each("method", WITH_BIAS)
def test_trained_biases_stay_in_the_base(
    method: str,
    everywhere: bool,  # noqa: FBT001 -- a table's column
) -> None:
    bias = "all" if everywhere else only(method)
    model = trained(adapted(config(method, "0", bias=bias)))
    assert biases(model) == {"0.base_layer.bias", *["2.bias"] * everywhere}
    with said() as texts, model.disable_adapter():
        assert not same(model, linear())
    (text,) = texts
    assert text.startswith("Careful, disabling adapter layers with bias configured")
    assert "does not produce the same output as the base model would" in text
    with silent():
        assert not same(model.unload(), linear())


@trained_biases_change_the_base
def test_a_mixed_model_does_not_give_the_base_either() -> None:
    model = trained(adapted(lora("0", bias="all"), mixed=True))
    with model.disable_adapter():
        assert not same(model, linear())


@trained_biases_change_the_base
@each("method", WITH_BIAS)
def test_without_them_the_base_is_there(method: str) -> None:
    model = trained(adapted(config(method, "0")))
    with model.disable_adapter():
        assert same(model, linear())
    assert same(model.unload(), linear())


@pytest.fixture(params=["all", "lora_only"])
def biased(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Tensor]:
    """Return the folder of an adapter with trained biases, and its outputs."""
    model = trained(adapted(lora("0", bias=request.param)))
    model.save_pretrained(tmp_path / "biased")
    return tmp_path / "biased", run(model)


def block() -> nn.Sequential:
    """Return the linear layers under names."""
    base, block = linear(), nn.Sequential()
    for name, layer in zip(("attn", "act", "mlp"), base, strict=True):
        block.add_module(name, layer)
    return block


@trained_biases_change_the_base
def test_they_are_saved_and_loaded_into_the_base(biased: tuple[Path, Tensor]) -> None:
    folder, expected = biased
    assert "base_model.model.0.base_layer.bias" in saved(folder)
    model = loaded(folder)
    assert same(model, expected)
    assert not same(model.unload(), linear())


@trained_biases_change_the_base
def test_loaded_beside_another_adapter_they_change_what_that_one_gives(
    biased: tuple[Path, Tensor], tmp_path: Path
) -> None:
    adapted(lora("0")).save_pretrained(tmp_path / "plain")
    model = loaded(tmp_path / "plain", adapter_name="plain")
    before = run(model)
    with silent():
        model.load_adapter(biased[0], "biased")
    assert model.active_adapter == "plain"
    assert not same(model, before)
    model.delete_adapter("biased")
    assert not same(model, before)


@trained_biases_change_the_base
def test_a_frozen_adapter_has_biases_that_are_trained(
    biased: tuple[Path, Tensor],
) -> None:
    names = trainable(loaded(biased[0]))
    assert names
    assert all(name.endswith(".bias") for name in names)


@trained_biases_change_the_base
def test_a_switch_leaves_them_trainable_and_a_second_one_with_biases_is_refused() -> (
    None
):
    model = adapted(lora("0", bias="all"), adapter_name="biased")
    with refused("LoraModel supports only 1 adapter with bias"):
        model.add_adapter("second", lora("0", bias="all"))
    model.add_adapter("plain", lora("0"))
    model.set_adapter("plain")
    assert biases(model) == {"0.base_layer.bias", "2.bias"}
    model.set_adapter("plain", inference_mode=True)
    assert biases(model) == {"0.base_layer.bias", "2.bias"}


@trained_biases_change_the_base
def test_the_bias_of_lora_is_its_own(tmp_path: Path) -> None:
    config = lora("0", lora_bias=True)
    model = trained(adapted(config))
    expected = run(model)
    assert not same(expected, linear())
    with model.disable_adapter():
        assert same(model, linear())
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path), expected)
    assert same(loaded(tmp_path).unload(), linear())
    assert same(model.merge_and_unload(), expected)
    with silent():
        assert not biases(
            adapted(
                peft.AdaLoraConfig(total_step=1, lora_bias=True, target_modules=["0"])
            )
        )

    without = nn.Sequential(nn.Linear(16, 16, bias=False))
    with warned("the targeted layer of type Linear has no bias"):
        model = adapted(config, without)
    with refused("Impossible to merge LoRA with `lora_bias=True`", RuntimeError):
        model.merge_and_unload()


@trained_biases_change_the_base
def test_saving_the_bias_of_lora_warns_of_shards_that_there_are_not(
    tmp_path: Path,
) -> None:
    model = trained(adapted(lora("0", lora_bias=True)))
    with warned("indicates that DeepSpeed ZeRO-3 / FSDP shards were not gathered"):
        model.save_pretrained(tmp_path)
    assert "base_model.model.0.lora_B.bias" in saved(tmp_path)


@trained_biases_change_the_base
def test_a_merge_is_right_and_a_llama_has_no_biases() -> None:
    model = trained(adapted(lora("0", bias="all")))
    expected = run(model)
    assert same(model.merge_and_unload(), expected)
    with silent():
        model = adapted(lora("q_proj", bias="all", **CAUSAL), llama())
    assert not biases(model)


# ------------------------------------------------------------------------------------------------- Adapter_Name_Rules


@adapter_name_rules
@each(
    ("method", "what"),
    [
        *(("Lora", "module"), ("PromptTuning", "module")),
        *(("LoHa", "parameter"), ("IA3", "parameter"), ("Road", "parameter")),
    ],
)
def test_a_name_with_a_dot_is_refused(method: str, what: str) -> None:
    def wrap(name: str) -> None:
        targets = [] if method == "PromptTuning" else ["q_proj"]
        adapted(config(method, *targets, **CAUSAL), llama(), adapter_name=name)

    with refused(rf"{what} name can\\'t contain", KeyError):
        wrap("v1.0")
    wrap("v1_0")


@adapter_name_rules
def test_so_it_is_when_added_or_loaded_and_the_model_is_as_before(
    tmp_path: Path,
) -> None:
    model = adapted(lora("0")).eval()
    model.save_pretrained(tmp_path)
    before = run(model)
    with pytest.raises(KeyError):
        model.add_adapter("v1.0", lora("0"))
    with pytest.raises(KeyError):
        model.load_adapter(tmp_path, "v1.0")
    with pytest.raises(KeyError):
        loaded(tmp_path, adapter_name="v1.0")
    assert identical(model, before)
    model.load_adapter(tmp_path, "v1_0")
    model.set_adapter("v1_0")
    assert identical(model, before)


@adapter_name_rules
@each(
    "name", ["keys", "items", "values", "pop", "forward", "train", "eval", "type", "to"]
)
def test_a_name_that_a_module_has_as_an_attribute_is_refused(name: str) -> None:
    base = linear()
    with refused(f"attribute '{name}' already exists", KeyError):
        adapted(lora("0"), base, adapter_name=name)
    assert base.state_dict().keys() == linear().state_dict().keys()


@adapter_name_rules
@claim("Missing_Adapter_Keys")
@each("name", ["a", "o", "lora", "lora_"])
def test_a_part_of_the_prefix_is_warned_of_and_loads_right_nevertheless(
    name: str, tmp_path: Path
) -> None:
    with warned(f"Adapter name '{name}' should not be contained in the prefix 'lora_'"):
        model = adapted(lora("0"), adapter_name=name).eval()
    model.save_pretrained(tmp_path)
    with silent():
        assert identical(loaded(tmp_path / name, adapter_name=name), model)


@adapter_name_rules
def test_a_slash_becomes_a_folder(tmp_path: Path) -> None:
    model = adapted(lora("0"), adapter_name="team/en").eval()
    model.save_pretrained(tmp_path)
    assert (tmp_path / "team" / "en" / "adapter_model.safetensors").exists()
    assert identical(loaded(tmp_path / "team" / "en"), model)


@adapter_name_rules
@each("name", ["v1_0", "my adapter", "0", "weight", "base_layer", "A", "日本"])
def test_other_names_do(name: str, tmp_path: Path) -> None:
    with silent():
        model = adapted(lora("0"), adapter_name=name).eval()
        model.save_pretrained(tmp_path)
        assert identical(loaded(tmp_path / name), model)


def named(name: str, config: peft.PeftConfig) -> tuple[PeftModel, Tensor]:
    """Return a model with the adapters `en` and another one, and what `en` gives."""
    model = adapted(config, block(), adapter_name="en")
    model.add_adapter(name, config)
    trained(model)
    return model, run(model)


@adapter_name_rules
@each(
    ("name", "left"), [("mlp", 2), ("attn", 2), ("lora_A", 2), ("weight", 0), ("fr", 4)]
)
def test_an_adapter_that_is_called_like_a_module_takes_weights_out_of_the_others_file(
    name: str, left: int, tmp_path: Path
) -> None:
    with silent():
        model, expected = named(name, lora("attn", "mlp"))
        model.save_pretrained(tmp_path)
    assert len(saved(tmp_path / "en")) == left
    assert len(saved(tmp_path / name)) == 4  # its own file is complete

    with said() as texts:
        again = loaded(tmp_path / "en", block())
    assert any("Found missing adapter keys" in message for message in texts) is (
        left < 4
    )
    assert same(again, expected) is (left == 4)


@adapter_name_rules
@each("method", ["BOFT", "IA3", "LoHa", "OFT", "Road"])
def test_the_same_happens_with_other_methods(method: str, tmp_path: Path) -> None:
    sizes = {}
    for name in ("mlp", "fr"):
        named(name, config(method, "attn", "mlp"))[0].save_pretrained(tmp_path / name)
        sizes[name] = len(saved(tmp_path / name / "en"))
    assert sizes["mlp"] == sizes["fr"] / 2


@adapter_name_rules
def test_deleted_first_the_other_file_is_complete(tmp_path: Path) -> None:
    model, expected = named("mlp", lora("attn", "mlp"))
    model.save_pretrained(tmp_path / "mlp", selected_adapters=["mlp"])
    model.delete_adapter("mlp")
    model.save_pretrained(tmp_path)
    assert same(loaded(tmp_path / "en", block()), expected)


@adapter_name_rules
def test_a_name_that_is_a_part_of_another_is_fine(tmp_path: Path) -> None:
    model, expected = named("en_us", lora("attn", "mlp"))
    model.save_pretrained(tmp_path)
    assert len(saved(tmp_path / "en")) == 4
    assert same(loaded(tmp_path / "en", block()), expected)


# ------------------------------------------------------------------------------------------ Prompt_Learning_Task_Type

TASKLESS = [
    "PromptTuning",
    "PrefixTuning",
    "PromptEncoder",
    "Cartridge",
    "MultitaskPromptTuning",
]


prompt_learning_task_type = claim("Prompt_Learning_Task_Type")


@prompt_learning_task_type
@each("method", TASKLESS)
def test_without_a_task_type_there_is_a_key_error_of_none(method: str) -> None:
    with pytest.raises(KeyError) as caught:
        adapted(config(method), llama())
    assert caught.value.args == (None,)
    assert str(caught.value) == "None"
    model = adapted(config(method, **CAUSAL), llama())
    assert type(model) is PeftModelForCausalLM
    multitask = method == "MultitaskPromptTuning"
    tasks = {"task_ids": torch.zeros(2, dtype=torch.int)} if multitask else {}
    assert run(model, **tasks).isfinite().all()


@prompt_learning_task_type
def test_cpt_says_what_it_wants() -> None:
    with refused("CPTConfig only supports task_type = CAUSAL_LM"):
        config("CPT")
    adapted(config("CPT", **CAUSAL), llama())


@prompt_learning_task_type
@each("method", TASKLESS[:3])
def test_loaded_without_one_the_prompt_is_silently_left_out(
    method: str, tmp_path: Path
) -> None:
    model = trained(adapted(config(method, **CAUSAL), llama()))
    assert run(model).shape != run(llama()).shape or not same(model, llama())
    model.save_pretrained(tmp_path)
    settings(tmp_path, task_type=None)
    with silent():
        again = loaded(tmp_path, llama())
        assert type(again) is PeftModel
        assert identical(again, llama())  # the base and nothing else

    ours = PeftConfig.from_pretrained(tmp_path)
    ours.task_type = "CAUSAL_LM"
    ours.inference_mode = True
    again = loaded(tmp_path, llama(), config=ours)
    assert type(again) is PeftModelForCausalLM
    assert same(again, model)


@prompt_learning_task_type
@each("method", ["Lora", "PromptTuning"])
@each("wrong", ["causal_lm", "CAUSAL"])
def test_a_wrong_one_is_named(method: str, wrong: str) -> None:
    with refused(
        f"Invalid task type: '{wrong}'. Must be one of the following task types"
    ):
        config(method, task_type=wrong)


@prompt_learning_task_type
@each("method", ["Lora", "Vera", "AdaptionPrompt"])
def test_other_methods_need_none(method: str) -> None:
    model = adapted(config(method), llama())
    assert type(model) is PeftModel
    assert run(model).isfinite().all()


# --------------------------------------------------------------------------------------------- Default_Target_Modules

#: Methods whose layers are chosen in another way, or not at all.
#: What some methods want besides, or do not accept on layers as small as these.
EVERY_LINEAR = ATTENTION | {"gate_proj", "up_proj", "down_proj"}
TARGETED = sorted(
    {*methods_with("target_modules")}
    # whose layers are chosen in another way, or not at all
    - {"AdaptionPrompt", "OSF", "Shadow", "TrainableTokens"}
)


default_target_modules = claim("Default_Target_Modules")


@default_target_modules
@each("method", TARGETED)
def test_without_targets_an_unknown_model_is_refused_and_a_known_one_gets_a_few(
    method: str,
) -> None:
    own = {"feedforward_modules": None} if method == "IA3" else {}
    ours = config(method, **own, **CAUSAL)
    with refused(r"Please specify `target_modules`.*in `peft_config`"):
        adapted(ours, olmo())
    expected = {
        "Beft": {"v_proj"},
        "IA3": {"k_proj", "v_proj", "down_proj"},
        "LNTuning": {"input_layernorm", "post_attention_layernorm", "norm"},
    }
    model = adapted(ours, llama(attention_bias=True))
    found = ends(learning(model))
    assert found == expected.get(method, {"q_proj", "v_proj"})


@default_target_modules
def test_loras_table_often_has_one_layer_a_block() -> None:
    table = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    assert len(table) == 40
    assert sum(len(names) == 2 for names in table.values()) == 23
    ones = {kind for kind, names in table.items() if len(names) == 1}
    assert ones >= {"gpt2", "bloom", "falcon", "mpt"}
    assert "llama" in table
    assert not table.keys() & {"olmo", "phi3", "gemma3", "llava", "qwen2_vl"}


@default_target_modules
@claim("Task_Head_In_Modules_To_Save")
@each(("task", "is_adapted"), [(None, True), ("SEQ_CLS", False)])
def test_all_linear_takes_the_head_of_a_classifier_unless_the_task_says_so(
    task: str | None, *, is_adapted: bool, tmp_path: Path
) -> None:
    def classifier(seed: int) -> nn.Module:
        model = llama(LlamaForSequenceClassification, pad_token_id=0)
        torch.manual_seed(seed)
        nn.init.normal_(model.score.weight)
        return model

    ours = lora(target_modules="all-linear", task_type=task)
    model = adapted(ours, classifier(1)).eval()
    assert ("score" in model.targeted_module_names) is is_adapted
    model.save_pretrained(tmp_path)
    with silent():
        again = loaded(tmp_path, classifier(2))
    assert same(again, model, 1e-4) is not is_adapted


@default_target_modules
@each("base", [olmo, llama])
def test_all_linear_takes_all_but_the_head(base: Loader) -> None:
    model = adapted(lora(target_modules="all-linear"), base())
    assert ends(learning(model)) == EVERY_LINEAR


@default_target_modules
def test_the_default_is_a_small_part_of_a_llama() -> None:
    weights = {
        name.split(".")[-2]: weight.numel()
        for name, weight in llama().named_parameters()
        if name.endswith("_proj.weight")
    }
    assert weights.keys() == EVERY_LINEAR
    assert weights["q_proj"] + weights["v_proj"] < sum(weights.values()) / 3


@default_target_modules
def test_a_module_of_ones_own_has_no_default() -> None:
    with refused("Please specify `target_modules`"):
        adapted(config("Lora"))


@default_target_modules
def test_ia3_wants_its_feedforward_modules_as_well() -> None:
    def wrap(targets: list[str] | str, feedforward: list[str] | None) -> None:
        options = {"target_modules": targets, "feedforward_modules": feedforward}
        adapted(config("IA3", **options), olmo())

    with refused("Please specify `feedforward_modules` in `peft_config`"):
        wrap("all-linear", None)
    wrap(["k_proj", "down_proj"], ["down_proj"])


@default_target_modules
def test_all_linear_takes_the_head_of_a_model_of_ones_own() -> None:
    model = adapted(lora(target_modules="all-linear"))
    model(ROWS).sum().backward()
    assert all(weight.grad is not None for weight in trainable(model).values())
    assert {name.split(".")[2] for name in trainable(model)} == {"0", "2"}


# ------------------------------------------------------------------------------------------- Optimizer_After_Adapters


def left_out(model: nn.Module, optimizer: torch.optim.Optimizer) -> set[str]:
    """Return what is trainable and not in the optimizer, as the page does."""
    known = {id(it) for group in optimizer.param_groups for it in group["params"]}
    return {name for name, it in trainable(model).items() if id(it) not in known}


@optimizer_after_adapters
@each("kind", ["AdamW", "SGD"])
def test_an_optimizer_from_before_trains_nothing_without_a_word(kind: str) -> None:
    plain = linear()
    optimizer = getattr(torch.optim, kind)(plain.parameters(), lr=1e-2)
    with silent():
        model = adapted(lora(), plain)
        before = run(model)
        losses = steps(model, optimizer)
    assert set(losses) == {losses[0]}
    assert identical(model, before)
    assert left_out(model, optimizer) == {*trainable(model)}

    later = adam(model)
    assert not left_out(model, later)
    losses = steps(model, later)
    assert losses[-1] < losses[0]


@claim("Set_Adapter_Unfreezes")
@optimizer_after_adapters
@each("cure", [None, "group", "optimizer"])
def test_an_adapter_that_is_added_later_is_not_trained_until_the_optimizer_has_it(
    cure: str | None,
) -> None:
    model = adapted(lora(), adapter_name="en")
    optimizer = adam(model)
    steps(model, optimizer)
    model.add_adapter("fr", lora())
    model.set_adapter("fr")
    if cure == "group":
        optimizer.add_param_group({"params": [*trainable(model).values()]})
    elif cure == "optimizer":
        optimizer = adam(model)
    assert left_out(model, optimizer) == (set() if cure else {*trainable(model)})
    before = run(model)
    steps(model, optimizer)
    assert identical(model, before) is (cure is None)


@optimizer_after_adapters
@each("first", [True, False])
def test_of_two_adapters_only_those_that_are_active_by_then_are_trained(
    first: bool,  # noqa: FBT001 -- a table's column
) -> None:
    model = pair()
    if first:
        model.base_model.set_adapter(["a", "b"])
    optimizer = adam(model)
    model.base_model.set_adapter(["a", "b"])
    weights = model.named_parameters()
    before = {name: weight.detach().clone() for name, weight in weights}
    steps(model, optimizer)
    moved = {
        name.split(".")[-2]
        for name, weight in model.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert moved == ({"a", "b"} if first else {"a"})
    assert bool(left_out(model, optimizer)) is not first


@optimizer_after_adapters
def test_without_the_usual_filter_both_are_in_the_optimizer() -> None:
    model = pair()
    optimizer = torch.optim.AdamW(model.parameters())
    model.base_model.set_adapter(["a", "b"])
    assert not left_out(model, optimizer)


@optimizer_after_adapters
def test_what_is_injected_is_left_out_as_well() -> None:
    model = linear()
    optimizer = adam(model)
    inject_adapter_in_model(lora(), model)
    assert any("lora_B" in name for name in left_out(model, optimizer))


@optimizer_after_adapters
def test_weights_that_are_put_in_place_later_are_other_ones(tmp_path: Path) -> None:
    adapted(lora()).save_pretrained(tmp_path)
    model = adapted(lora(), low_cpu_mem_usage=True)  # on the meta device
    early = adam(model)
    set_peft_model_state_dict(model, saved(tmp_path), low_cpu_mem_usage=True)
    before = run(model)
    steps(model, early)
    assert identical(model, before)
    later = adam(model)
    steps(model, later)
    assert not identical(model, before)


@optimizer_after_adapters
def test_a_cast_keeps_the_weights_that_the_optimizer_has() -> None:
    model = adapted(lora())
    optimizer = adam(model)
    model.to(torch.float64).float()
    assert not left_out(model, optimizer)
    before = run(model)
    steps(model, optimizer)
    assert not identical(model, before)


# ---------------------------------------------------------------------------------------------- Set_Adapter_Unfreezes


@claim("Set_Adapter_Unfreezes")
@each("way", ["switch", "context", "layers", "deleted"])
def test_ways_to_unfreeze_an_adapter_that_was_loaded_frozen(
    way: str, tmp_path: Path
) -> None:
    adapted(lora()).save_pretrained(tmp_path)
    model = loaded(tmp_path)
    model.load_adapter(tmp_path, "fr")
    assert not trainable(model)
    with said() as texts:
        match way:
            case "switch":
                model.set_adapter("fr")
            case "context":
                with model.disable_adapter():
                    pass
            case "layers":
                model.disable_adapter_layers()
                model.enable_adapter_layers()
            case _:
                model.delete_adapter("default")
    active = "fr" if way in {"switch", "deleted"} else "default"
    assert model.active_adapter == active
    assert unfrozen(model) == {active}
    assert not any("requires_grad" in message for message in texts)
    model.set_adapter(active, inference_mode=True)
    assert not trainable(model)
