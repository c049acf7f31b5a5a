"""What the heuristics on merging, saving and loading say, run on tiny random models: the pitfall, then its cure."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import nullcontext
from copy import deepcopy
from types import ModuleType
from typing import TYPE_CHECKING

import huggingface_hub
import peft
import pytest
import torch
from accelerate import Accelerator
from pages import inheriting
from peft import (
    AutoPeftModelForCausalLM,
    LoraConfig,
    PeftConfig,
    PeftMixedModel,
    PeftModel,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from peft.config import PeftConfigMixin
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.tuners.lora.config import KasaConfig
from peft.tuners.lora.torchao import TorchaoLoraLinear
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.hotswap import hotswap_adapter
from peft.utils.other import fsdp_auto_wrap_policy
from peft.utils.warning import PeftWarning
from safetensors.torch import save_file
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    FullStateDictConfig,
    FullyShardedDataParallel,
    StateDictType,
    fully_shard,
)
from transformers import AutoModelForCausalLM

from claims.models import (
    CAUSAL,
    MERGING,
    Loader,
    Options,
    adam,
    adapted,
    all_learn,
    claim,
    config,
    each,
    identical,
    layer_of,
    linear,
    llama,
    loaded,
    loss_of,
    methods_with,
    of_method,
    on_llama,
    pair,
    quantized_linear,
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
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from peft.tuners.shadow import DetachedShadowModel


NAN, INF = float("nan"), float("inf")


# --- tiny models -----------------------------------------------------------------------------------------------------


def lora(
    *layers: str,
    base: nn.Module | None = None,
    name: str = "default",
    **options: object,
) -> PeftModel:
    """Return the base with a trained LoRA adapter on these layers."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        ours = config("Lora", *layers, **options)
        return trained(adapted(ours, base, adapter_name=name))


# --- the methods of PEFT ---------------------------------------------------------------------------------------------


#: By the name of the tuner's class without "Model", which is that of the configuration
#: without "Config".
#: What a method's wrapper still saves after the merge: parts of the names of tensors
#: that no single layer owns.
KEPT = {
    "Frod": ("frod_V", "frod_s_indices", "frod_s_size"),
    "Pvera": ("pvera_A", "pvera_B"),
    "RandLora": ("randlora_A", "randlora_B"),
    "TinyLora": ("tinylora_v",),
    "UniLora": ("unilora_theta_d",),
    "VBLoRA": ("vblora_vector_bank",),
    "Vera": ("vera_A", "vera_B"),
}
#: Where that is enough to load the adapter again.
LOADABLE = {"TinyLora", "UniLora"}
#: Those that have a test of their own.

each_method = each("method", MERGING)


merge_returns_new_model = claim("Merge_Returns_New_Model")


safe_merge_nan_check = claim("Safe_Merge_NaN_Check")


@merge_returns_new_model
@safe_merge_nan_check
def test_every_tuner_that_inherits_merge_and_unload_is_tried_here() -> None:
    names = inheriting("merge_and_unload")
    tried = {f"{method}Model" for method in MERGING}
    assert tried <= names
    # those that have a test of their own
    assert {name.removesuffix("Model") for name in names - tried} == {
        *("Lily", "Poly", "Shadow", "XLora", "Mixed", "LycorisTuner")
    }


# --- Merge_Returns_New_Model -----------------------------------------------------------------------------------------


def with_biases() -> nn.Module:
    return llama(attention_bias=True)  # BEFT trains them


@merge_returns_new_model
@each_method
def test_the_result_is_the_merged_base_and_what_the_wrapper_saves_is_no_adapter(
    method: str, tmp_path: Path
) -> None:
    base = with_biases()
    model = of_method(method, base)
    before = run(model)

    merged = model.merge_and_unload()

    assert merged is base
    assert model.get_base_model() is merged
    assert not any(isinstance(module, BaseTunerLayer) for module in merged.modules())
    assert same(merged, before, 1e-4)
    # nothing tells that the wrapper is no use any longer
    assert same(model, before, 1e-4)
    with silent():
        model.save_pretrained(tmp_path)
    after = saved(tmp_path)
    kept = KEPT.get(method, ())
    assert all(any(part in key for part in kept) for key in after)
    assert bool(after) == bool(kept)
    # and it never saves the merged model
    assert not after.keys() & merged.state_dict().keys()

    # nor does what it saved bring the adapter back
    with said() as texts:
        again = loaded(tmp_path, with_biases())
    assert same(again, before, 1e-4) == (method in LOADABLE)
    warned = any("Found missing adapter keys" in text for text in texts)
    assert warned == (method != "UniLora")


@merge_returns_new_model
@each("method", ["Lily", "Poly", "Shadow"])
def test_some_cannot_be_merged(method: str) -> None:
    with pytest.raises(NotImplementedError):
        on_llama(method).merge_and_unload()


@merge_returns_new_model
def test_x_lora_merges_each_adapter_in_full_and_keeps_only_its_classifier(
    tmp_path: Path,
) -> None:
    base = llama()
    model = xlora(tmp_path, base, "01").eval()
    for name, parameter in model.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            parameter.data *= 8
    before = run(model)
    layer = base.model.layers[0].self_attn.q_proj
    weight = layer.base_layer.weight.detach().clone()
    update = sum(layer.get_delta_weight(name) for name in layer.active_adapters)
    with silent():
        merged = model.merge_and_unload()
    assert merged is base
    assert not any(isinstance(module, BaseTunerLayer) for module in merged.modules())
    assert same(merged.model.layers[0].self_attn.q_proj.weight, weight + update)
    after = run(merged)
    assert (after - before).norm() > 0.2 * (after - run(llama())).norm()

    model.save_pretrained(tmp_path / "after")
    kept = saved(tmp_path / "after")
    assert kept
    assert all("internal_xlora_classifier" in key for key in kept)


def mixed(base: nn.Module) -> PeftMixedModel:
    model = adapted(config("Lora", "0", init_lora_weights=False), base, mixed=True)
    model.add_adapter("other", config("LoHa", "0", "2", init_weights=False))
    model.set_adapter(["default", "other"])
    return model.eval()


@merge_returns_new_model
def test_mixed_model_returns_the_base_and_cannot_be_saved(tmp_path: Path) -> None:
    base = linear()
    model = mixed(base)
    before = run(model)
    merged = model.merge_and_unload()
    assert merged is base
    assert same(merged, before, 1e-4)
    with pytest.raises(NotImplementedError):
        model.save_pretrained(tmp_path)


@merge_returns_new_model
def test_merged_model_wants_a_folder_of_its_own_and_is_as_large_as_the_base(
    tmp_path: Path,
) -> None:
    llama().save_pretrained(tmp_path / "base")
    model = lora("q_proj", base=llama(), **CAUSAL)
    expected = run(model)
    for name in ("adapter", "both"):
        model.save_pretrained(tmp_path / name)
    merged = model.merge_and_unload()
    for name in ("alone", "both"):
        merged.save_pretrained(tmp_path / name)

    both = AutoModelForCausalLM.from_pretrained(tmp_path / "both")
    assert any("lora_" in name for name, _ in both.named_parameters())
    assert not same(both, expected, 1e-4)
    alone = AutoModelForCausalLM.from_pretrained(tmp_path / "alone")
    assert same(alone, expected, 1e-4)
    base, adapter, merged = (
        next((tmp_path / name).glob("*.safetensors")).stat().st_size
        for name in ("base", "adapter", "alone")
    )
    assert merged == base > 2 * adapter


# --- Safe_Merge_NaN_Check --------------------------------------------------------------------------------------------


def broken(method: str) -> PeftModel:
    return trained(of_method(method), NAN)


def finite(model: nn.Module) -> bool:
    return all(bool(parameter.isfinite().all()) for parameter in model.parameters())


@safe_merge_nan_check
@each_method
def test_nan_is_merged_without_a_word_unless_safe_merge_is_asked_for(
    method: str,
) -> None:
    with said() as texts:
        assert not finite(broken(method).merge_and_unload())
    assert not any("NaN" in text for text in texts)
    raises = refused("NaNs detected in the merged weights")
    # the one that is excepted
    with nullcontext() if method == "LNTuning" else raises:
        broken(method).merge_and_unload(safe_merge=True)
    with nullcontext() if method == "LNTuning" else raises:
        broken(method).merge_adapter(safe_merge=True)


@safe_merge_nan_check
@each("value", [NAN, INF])
def test_the_weight_of_a_broken_layer_is_not_replaced(value: float) -> None:
    model = lora("0")
    layer = layer_of(model)
    before = layer.base_layer.weight.clone()
    layer.lora_B["default"].weight.data[0, 0] = value
    with refused(r"NaNs detected .* The adapter default seems to be broken"):
        model.merge_and_unload(safe_merge=True)
    assert torch.equal(layer.base_layer.weight, before)


@safe_merge_nan_check
def test_overflow_of_fp16_is_found_without_a_nan_in_the_adapter() -> None:
    model = lora("0", base=linear().half())
    layer = layer_of(model)
    layer.lora_B["default"].weight.data.fill_(60000.0)
    layer.lora_A["default"].weight.data.fill_(100.0)
    with refused("NaNs detected"):
        model.merge_and_unload(safe_merge=True)


@safe_merge_nan_check
def test_the_first_positional_argument_is_another_one() -> None:
    assert not finite(broken("Lora").merge_and_unload(True))  # noqa: FBT003 -- the mistake that is shown


@safe_merge_nan_check
def test_mixed_model_and_x_lora_pass_it_on(tmp_path: Path) -> None:
    for model in (mixed(linear()), xlora(tmp_path, experts="01")):
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data.fill_(NAN)
        with refused("NaNs detected"):
            model.merge_and_unload(safe_merge=True)


@safe_merge_nan_check
def test_layers_before_the_broken_one_are_merged_and_unwrapped() -> None:
    base = linear()
    before = base[0].weight.clone()
    model = lora("0", "2", base=base)
    base[2].lora_B["default"].weight.data.fill_(NAN)
    with refused("NaNs detected"):
        model.merge_and_unload(safe_merge=True)
    assert type(base[0]) is nn.Linear
    assert not torch.equal(base[0].weight, before)


@safe_merge_nan_check
def test_modules_to_save_and_weighted_adapters_are_not_looked_at() -> None:
    model = lora("0", modules_to_save=["2"])
    model.base_model.model[2].modules_to_save["default"].weight.data.fill_(NAN)
    assert not finite(model.merge_and_unload(safe_merge=True))

    model = pair()
    weights = layer_of(model).lora_A
    weights["b"].weight.data.fill_(NAN)
    model.add_weighted_adapter(["a", "b"], [0.5, 0.5], "sum", "linear")
    assert not weights["sum"].weight.isfinite().all()


@safe_merge_nan_check
def test_gap_boft_convolutions_are_not_checked() -> None:
    base = nn.Sequential(nn.Conv2d(4, 4, 3))
    model = trained(adapted(config("BOFT", "0"), base), NAN)
    assert not finite(model.merge_and_unload(safe_merge=True))


@safe_merge_nan_check
@each("method", ["Road", "Adamss"])
def test_gap_two_methods_write_the_weight_before_they_check_the_bias(
    method: str,
) -> None:
    model = trained(adapted(config(method, "0")))
    layer = layer_of(model)
    layer.base_layer.bias.data.fill_(NAN)
    before = layer.base_layer.weight.clone()
    with refused("NaNs detected"):
        model.merge_and_unload(safe_merge=True)
    assert not torch.equal(layer.base_layer.weight, before)


@safe_merge_nan_check
@each("bits", [4, 8])
def test_gap_road_never_looks_at_the_bias_of_a_quantized_layer(bits: int) -> None:
    def road() -> tuple[PeftModel, nn.Module]:
        model = adapted(config("Road", "0"), quantized_linear(bits)).train()
        return model, layer_of(model)

    # a large but finite bias, which a sound adapter takes beyond the range of fp16
    model, layer = road()
    layer.base_layer.bias.data = torch.full((64,), 60000.0, dtype=torch.float16)
    layer.road_alpha["default"].data.fill_(3.0)
    merged = model.merge_and_unload(safe_merge=True)
    assert merged[0].bias.isinf().all()

    model, layer = road()
    layer.road_theta["default"].data[0] = NAN
    with refused("NaNs detected in the merged weights"):
        model.merge_and_unload(safe_merge=True)


@safe_merge_nan_check
@each("value", [NAN, INF])
def test_gap_torchao_is_checked_before_the_update_is_added(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEFT's own layer, on an ordinary weight: torchao is stood in for by a package that quantizes nothing."""
    torchao, quantization = ModuleType("torchao"), ModuleType("torchao.quantization")
    torchao.quantize_ = lambda _layer, _config: None
    quantization.Int4Tensor = type("Int4Tensor", (), {})
    monkeypatch.setitem(sys.modules, "torchao", torchao)
    monkeypatch.setitem(sys.modules, "torchao.quantization", quantization)

    def merged(broken: str) -> nn.Module:
        model = lora("0")
        config = model.peft_config["default"]
        layer = TorchaoLoraLinear(
            linear()[0], "default", config=config, r=8, get_apply_tensor_subclass=object
        )
        # torchao's weight is no parameter once it is dequantized
        layer.requires_grad_(requires_grad=False)
        model.base_model.model[0] = layer
        {"base": layer.base_layer.weight, "adapter": layer.lora_B["default"].weight}[
            broken
        ].data[0, 0] = value
        return model.merge_and_unload(safe_merge=True)

    assert not merged("adapter")[0].weight.isfinite().all()
    with refused("NaNs detected in the merged weights"):
        merged("base")


# --- Load_With_From_Pretrained ---------------------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """Return the folder of a trained adapter on the first layer."""
    lora("0").save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


load_with_from_pretrained = claim("Load_With_From_Pretrained")


@load_with_from_pretrained
def test_only_from_pretrained_reads_the_weights_and_misses_them(adapter: Path) -> None:
    def untrained() -> PeftModel:
        with silent():
            return adapted(PeftConfig.from_pretrained(adapter)).eval()

    model = untrained()
    assert same(model, linear())
    assert not trainable(model)
    model = loaded(adapter)
    assert same(model, lora("0"))
    assert not same(model, linear())

    (adapter / "adapter_model.safetensors").unlink()
    assert same(untrained(), linear())
    with pytest.raises((OSError, ValueError)):
        loaded(adapter)


@load_with_from_pretrained
def test_both_put_one_peft_model_into_another(adapter: Path) -> None:
    with warned("Found missing adapter keys"):
        model = loaded(adapter, adapted(config("Lora", "0")))
    assert type(model.base_model.model) is PeftModel
    assert same(model, linear())


@load_with_from_pretrained
def test_a_loaded_model_that_is_wrapped_again_starts_anew(adapter: Path) -> None:
    model = loaded(adapter)
    assert not same(model, linear())
    with warned("for a second time"):
        again = peft.get_peft_model(model, config("Lora", "0"))
    assert same(again.eval(), linear())


@load_with_from_pretrained
def test_a_model_without_an_adapter_has_no_weights_of_one() -> None:
    with refused("'Linear' object has no attribute 'peft_config'", AttributeError):
        get_peft_model_state_dict(nn.Linear(8, 8))


@load_with_from_pretrained
def test_load_adapter_into_the_wrapped_model(adapter: Path) -> None:
    model = adapted(config("Lora", "0"))
    model.load_adapter(adapter, "default")
    assert same(model, lora("0"))


# --- Is_Trainable_To_Resume ------------------------------------------------------------------------------------------


is_trainable_to_resume = claim("Is_Trainable_To_Resume")


@is_trainable_to_resume
def test_a_loaded_adapter_is_frozen_and_train_does_not_help(adapter: Path) -> None:
    model = loaded(adapter)
    assert not model.training
    model.train()
    assert not trainable(model)
    with refused(
        "element 0 of tensors does not require grad and does not have a grad_fn",
        RuntimeError,
    ):
        loss_of(model).backward()
    with refused("optimizer got an empty parameter list"):
        adam(model)


@is_trainable_to_resume
@each("is_trainable", [False, True])
def test_a_mixed_model_loads_its_first_adapter_trainable(
    adapter: Path, *, is_trainable: bool
) -> None:
    """So `PeftMixedModel.from_pretrained` does not show it."""
    model = PeftMixedModel.from_pretrained(linear(), adapter, is_trainable=is_trainable)
    assert trainable(model)


@is_trainable_to_resume
def test_the_network_of_shadow_stays_trainable_and_the_rest_does_not(
    tmp_path: Path,
) -> None:
    on_llama("Shadow").save_pretrained(tmp_path)
    free = loaded(tmp_path, llama(attention_bias=True))
    asked = loaded(tmp_path, llama(attention_bias=True), is_trainable=True)
    assert set() < set(trainable(free)) < set(trainable(asked))
    assert not any(
        "shadow_backbone" in it for it in set(trainable(asked)) - set(trainable(free))
    )


@is_trainable_to_resume
def test_with_other_gradients_the_adapter_just_does_not_learn(adapter: Path) -> None:
    model = nn.Sequential(loaded(adapter), nn.Linear(16, 1))
    before, head = (run(it) for it in (model[0], model))
    steps(model, torch.optim.SGD(model.parameters(), lr=1.0))
    assert identical(model[0], before)
    assert not same(model, head)


@is_trainable_to_resume
def test_is_trainable_trains_the_adapter(adapter: Path) -> None:
    model = loaded(adapter, is_trainable=True)
    assert all("lora_" in name for name in trainable(model))
    assert len(trainable(model)) == 2
    # the mode of the base is left as it was
    assert not model.base_model.model[2].training
    model.train()
    assert all(module.training for module in model.modules())
    assert all_learn(model)


@is_trainable_to_resume
def test_a_trainable_second_adapter_is_not_active_and_the_first_stays_trainable(
    adapter: Path,
) -> None:
    model = loaded(adapter, is_trainable=True).train()
    model.load_adapter(adapter, "second", is_trainable=True)
    assert model.training
    assert model.active_adapter == "default"
    assert unfrozen(model) == {"default", "second"}
    model.set_adapter("second")
    assert unfrozen(model) == {"second"}


@is_trainable_to_resume
def test_an_adapter_that_exists_stays_as_frozen_as_it_is(adapter: Path) -> None:
    model = loaded(adapter)
    model.load_adapter(adapter, "default", is_trainable=True)
    assert not trainable(model)


def detached() -> DetachedShadowModel:
    """Return the same shadow network every time, a model of transformers' own."""
    torch.manual_seed(0)
    model = on_llama("Shadow", base=llama())
    return model.base_model.unload_shadow(copy=True)


@is_trainable_to_resume
@each("is_trainable", [False, True])
def test_the_method_of_transformers_has_the_same_default(
    tmp_path: Path, *, is_trainable: bool
) -> None:
    lora("q_proj", base=detached()).save_pretrained(tmp_path)
    model = detached().train()
    model.load_adapter(str(tmp_path), **{"is_trainable": True} if is_trainable else {})
    assert model.training is is_trainable
    assert any(module.training for module in model.modules()) is is_trainable
    assert [name.split(".")[-3] for name in trainable(model)] == [
        "lora_A",
        "lora_B",
    ] * is_trainable


# --- Set_Adapter_Unfreezes -------------------------------------------------------------------------------------------


def frozen(how: str, folder: Path) -> PeftModel:
    """Return a model whose only adapter takes no gradients."""
    ours = config("Lora", "0", modules_to_save=["2"], inference_mode=how == "made")
    model = adapted(ours)
    if how == "set":
        model.set_adapter("default", inference_mode=True)
    if how != "loaded":
        return model
    model.save_pretrained(folder)
    return loaded(folder)


set_adapter_unfreezes = claim("Set_Adapter_Unfreezes")


base_model_modified_in_place = claim("Base_Model_Modified_In_Place")


@base_model_modified_in_place
def test_the_base_within_the_wrapper_has_the_adapter() -> None:
    model = trained(adapted(config("Lora", "0")))
    assert identical(model.get_base_model(), model)
    assert not same(model.get_base_model(), linear())


@set_adapter_unfreezes
@base_model_modified_in_place
@each("how", ["loaded", "made", "set"])
def test_leaving_disable_adapter_unfreezes(how: str, tmp_path: Path) -> None:
    model = frozen(how, tmp_path)
    assert not trainable(model)
    with model.disable_adapter():
        assert not trainable(model)
    assert [name.split(".")[3] for name in trainable(model)] == [
        "lora_A",
        "lora_B",
        *["modules_to_save"] * 2,
    ]
    model.set_adapter("default", inference_mode=True)
    assert not trainable(model)


@set_adapter_unfreezes
def test_leaving_disable_adapter_unfreezes_a_mixed_model() -> None:
    model = mixed(linear())
    model.set_adapter(["default", "other"], inference_mode=True)
    with model.disable_adapter():
        assert not trainable(model)
    assert "default" in unfrozen(model)
    model.set_adapter(["default", "other"], inference_mode=True)
    assert not trainable(model)


@set_adapter_unfreezes
def test_leaving_disable_adapter_freezes_the_one_that_was_trained_along() -> None:
    model = pair()
    model.set_requires_grad(["b"])
    assert unfrozen(model) == {"a", "b"}
    with model.disable_adapter():
        pass
    assert unfrozen(model) == {"a"}


# --- Missing_Adapter_Keys --------------------------------------------------------------------------------------------


@pytest.fixture
def wider(tmp_path: Path) -> Path:
    """Return an adapter's folder whose configuration speaks of a layer that the file does not hold."""
    lora("0").save_pretrained(tmp_path / "wider")
    settings(tmp_path / "wider", target_modules=["0", "2"])
    return tmp_path / "wider"


missing_adapter_keys = claim("Missing_Adapter_Keys")


@missing_adapter_keys
def test_from_pretrained_only_warns(wider: Path) -> None:
    with said() as texts:
        model = loaded(wider)
    missing = [f"base_model.model.2.lora_{matrix}.default.weight" for matrix in "AB"]
    assert texts == [
        f"Found missing adapter keys while loading the checkpoint: {missing}."
    ]
    # the layer that got nothing does nothing
    assert same(model, lora("0"))


@missing_adapter_keys
def test_load_adapter_is_silent_and_returns_them(adapter: Path, wider: Path) -> None:
    model = loaded(adapter)
    with silent():
        result = model.load_adapter(wider, "second")
    assert result.missing_keys == [
        f"base_model.model.2.lora_{matrix}.second.weight" for matrix in "AB"
    ]
    assert model.load_adapter(adapter, "third").missing_keys == []


@missing_adapter_keys
def test_so_is_the_function_that_takes_the_weights() -> None:
    model = lora("0", "2")
    weights = get_peft_model_state_dict(lora("0"))
    with silent():
        result = set_peft_model_state_dict(model, weights)
    missing = [name for name in result.missing_keys if "lora_" in name]
    assert len(missing) == 2
    assert not result.unexpected_keys


@missing_adapter_keys
def test_the_warning_made_an_error_stops_the_load(wider: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*Found missing adapter keys")
        with refused("Found missing adapter keys", UserWarning):
            loaded(wider)


@missing_adapter_keys
def test_weights_without_a_place_are_only_in_unexpected_keys(tmp_path: Path) -> None:
    both = lora("0", "2")
    both.save_pretrained(tmp_path)
    settings(tmp_path, target_modules=["0"])
    with silent():
        model = loaded(tmp_path)
        result = model.load_adapter(tmp_path, "second")
    assert not same(model, both)
    assert result.unexpected_keys == [
        f"base_model.model.2.lora_{matrix}.weight" for matrix in "AB"
    ]


@missing_adapter_keys
def test_missing_modules_to_save_are_an_error(adapter: Path, tmp_path: Path) -> None:
    lora("0").save_pretrained(tmp_path / "incomplete")
    settings(tmp_path / "incomplete", modules_to_save=["2"])
    with refused(r"base_model\.model\.2\.weight", KeyError):
        loaded(tmp_path / "incomplete")
    model = loaded(adapter)
    with refused(r"base_model\.model\.2\.weight", KeyError):
        model.load_adapter(tmp_path / "incomplete", "second")


@missing_adapter_keys
def test_a_name_that_occurs_elsewhere_lists_the_keys_of_others(adapter: Path) -> None:
    result = loaded(adapter).load_adapter(adapter, "b")
    assert result.missing_keys == [
        f"base_model.model.0.lora_{matrix}.default.weight" for matrix in "AB"
    ]


@missing_adapter_keys
def test_key_mapping_mends_names_that_differ_regularly(adapter: Path) -> None:
    tensors = {
        key.replace(".model.0.", ".model.first.0."): tensor
        for key, tensor in saved(adapter).items()
    }
    save_file(tensors, adapter / "adapter_model.safetensors")
    with warned("Found missing adapter keys"):
        loaded(adapter)
    with silent():
        model = loaded(adapter, key_mapping={r"^first\.": ""})
    assert same(model, lora("0"))


# --- Base_Model_Modified_In_Place ------------------------------------------------------------------------------------


@base_model_modified_in_place
def test_the_base_itself_gets_the_adapter() -> None:
    base = linear()
    model = lora("0", base=base)
    assert isinstance(base[0], BaseTunerLayer)
    assert identical(base, model)
    assert not same(base, linear())
    with model.disable_adapter():
        assert same(base, linear())


@base_model_modified_in_place
def test_wrapped_twice_both_are_trained_and_saved_and_the_file_is_wrong(
    tmp_path: Path,
) -> None:
    base = linear()
    lora("0", base=base)
    with said() as texts:
        model = adapted(config("Lora", "2"), base)
    for text, start in zip(
        texts,
        (
            "You are trying to modify a model with PEFT for a second time.",
            "Already found a `peft_config` attribute in the model.",
        ),
        strict=True,
    ):
        assert text.startswith(start)
    assert {name.split(".")[2] for name in trainable(model)} == {"0", "2"}

    trained(model).save_pretrained(tmp_path)
    assert {key.split(".")[2] for key in saved(tmp_path)} == {"0", "2"}
    assert settings(tmp_path)["target_modules"] == ["2"]
    with silent():
        again = loaded(tmp_path)
    assert not same(again, model)


@base_model_modified_in_place
def test_unload_gives_the_base_back_but_frozen() -> None:
    base = linear()
    unloaded = lora("0", base=base).unload()
    assert unloaded is base
    assert identical(base, linear())
    assert not trainable(base)
    with silent():
        model = adapted(config("Lora", "2"), base)
    assert {name.split(".")[2] for name in trainable(model)} == {"2"}


@base_model_modified_in_place
@each_method
def test_unload_gives_the_base_of_every_method_back(method: str) -> None:
    base = with_biases()
    assert of_method(method, base).unload() is base
    assert identical(base, with_biases())


@base_model_modified_in_place
@each("mixed", [False, True])
@each(
    "options",
    [
        {"modules_to_save": ["2"]},
        {"bias": "all"},
        {"bias": "lora_only"},
        {"init_lora_weights": "pissa"},
        {"kasa_config": KasaConfig()},
    ],
)
def test_unload_leaves_what_was_trained_beside_the_adapter(
    options: Options,
    mixed: bool,  # noqa: FBT001 -- a table's column
) -> None:
    base = linear()
    head = base[2]
    model = trained(adapted(config("Lora", "0", **options), base, mixed=mixed))
    with silent():
        assert model.unload() is base
        second = adapted(config("Lora", "0"), base).eval()
    assert (base[2] is head) == ("modules_to_save" not in options)
    # the second adapter is new and changes nothing yet
    assert not same(second, linear(), 1e-2)


@base_model_modified_in_place
def test_the_adapter_deleted_first_the_original_module_comes_back() -> None:
    base = linear()
    head = base[2]
    model = lora("0", base=base, modules_to_save=["2"])
    with model.disable_adapter():
        assert identical(model, linear())
    model.delete_adapter("default")
    assert model.unload()[2] is head
    assert identical(base, linear())


@base_model_modified_in_place
def test_an_injected_adapter_has_no_unload() -> None:
    base = linear()
    model = inject_adapter_in_model(config("Lora", "0"), base)
    assert model is base
    assert isinstance(base[0], BaseTunerLayer)
    with refused("no attribute 'unload'", AttributeError):
        model.unload()


@base_model_modified_in_place
def test_unload_does_not_take_a_merge_back() -> None:
    model = lora("0")
    model.merge_adapter()
    assert not same(model.unload(), linear())


@base_model_modified_in_place
def test_prompt_based_methods_freeze_the_base() -> None:
    base = llama()
    adapted(config("PromptTuning", **CAUSAL), base)
    assert not any(isinstance(module, BaseTunerLayer) for module in base.modules())
    assert not trainable(base)


@base_model_modified_in_place
def test_add_adapter_keeps_two_apart(tmp_path: Path) -> None:
    model = lora("0")
    with silent():
        model.add_adapter("second", config("Lora", "2"))
    model.save_pretrained(tmp_path)
    assert {key.split(".")[2] for key in saved(tmp_path)} == {"0"}
    assert {key.split(".")[2] for key in saved(tmp_path / "second")} == {"2"}


@pytest.fixture(scope="module")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a Llama that has more tokens than dimensions: only then are new rows drawn at random."""
    folder = tmp_path_factory.mktemp("saving")
    llama(hidden_size=16).save_pretrained(folder)
    return folder


@pytest.fixture
def load_base(wide_folder: Path) -> Loader:
    """Return what loads the Llama, and resizes its vocabulary unless it is told the old size."""

    def load(vocabulary: int = 66) -> nn.Module:
        model = AutoModelForCausalLM.from_pretrained(wide_folder)
        if vocabulary != 64:
            model.resize_token_embeddings(vocabulary)
        return model

    return load


@pytest.fixture
def resized(load_base: Loader) -> Loader:
    """Return what makes an adapter on the Llama with a larger vocabulary."""

    def adapt(**options: object) -> PeftModel:
        return lora("q_proj", base=load_base(), **CAUSAL, **options)

    return adapt


# --- Resized_Embeddings_Saved ----------------------------------------------------------------------------------------


def besides_lora(folder: Path) -> dict[str, int]:
    """Return the rows of the tensors in the file that are not LoRA's, by a short name."""
    prefix = "base_model.model."
    tensors = saved(folder).items()
    return {
        key.removeprefix(prefix): len(tensor)
        for key, tensor in tensors
        if "lora_" not in key
    }


WHOLE = {"lm_head.weight": 66, "model.embed_tokens.weight": 66}
RESIZED = "Setting `save_embedding_layers` to `True` as the embedding layer has been resized during finetuning."


resized_embeddings_saved = claim("Resized_Embeddings_Saved")


@resized_embeddings_saved
def test_a_resized_vocabulary_is_saved_whole_and_wants_its_resize_again(
    load_base: Loader, resized: Loader, tmp_path: Path
) -> None:
    model = resized()
    with said() as texts:
        model.save_pretrained(tmp_path)
        state_dict = get_peft_model_state_dict(model)
    assert texts == [RESIZED, RESIZED]
    assert besides_lora(tmp_path) == WHOLE
    assert state_dict.keys() == saved(tmp_path).keys()
    # which also brings the new rows back, that transformers would draw again
    again = loaded(tmp_path, load_base())
    assert torch.equal(
        again.get_input_embeddings().weight, model.get_input_embeddings().weight
    )
    with refused("size mismatch", RuntimeError):
        loaded(tmp_path, load_base(64))


@resized_embeddings_saved
@each(
    ("target", "size", "rows"),
    [
        ("v_proj", 64, {}),
        ("embed_tokens", 64, {"model.embed_tokens.base_layer.weight": 64}),
        ("embed_tokens", 66, {"model.embed_tokens.base_layer.weight": 66}),
        ("lm_head", 66, {"lm_head.base_layer.weight": 66}),
    ],
)
def test_of_the_embeddings_only_the_targeted_one_is_saved_whole(
    load_base: Loader, target: str, size: int, rows: Options, tmp_path: Path
) -> None:
    with said() as found:
        lora("q_proj", target, base=load_base(size), **CAUSAL).save_pretrained(tmp_path)
    text = "Setting `save_embedding_layers` to `True` as embedding layers found in `target_modules`."
    assert found == [text] * bool(rows)
    assert besides_lora(tmp_path) == rows


@resized_embeddings_saved
@each(
    "method",
    ["PromptTuning", "PrefixTuning", "PromptEncoder", "Cartridge", "CPT", "IA3"],
)
def test_methods_without_trained_tokens_save_it_whole_too(
    method: str, load_base: Loader, tmp_path: Path
) -> None:
    assert method not in methods_with("trainable_token_indices")

    def rows_of_the_file(base: nn.Module) -> list[int]:
        on_llama(method, base=base).save_pretrained(tmp_path / "adapter")
        tensors = saved(tmp_path / "adapter").items()
        ends = ("embed_tokens.weight", "lm_head.weight")
        return [len(tensor) for key, tensor in tensors if key.endswith(ends)]

    with said() as texts:
        assert rows_of_the_file(load_base()) == [66, 66]
    assert texts == [RESIZED]
    load_base().save_pretrained(tmp_path / "resized")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "resized")
    assert rows_of_the_file(again) == []


@resized_embeddings_saved
def test_false_loses_new_rows_that_were_not_trained_as_tokens(
    load_base: Loader, resized: Loader, tmp_path: Path
) -> None:
    model = resized()
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    assert besides_lora(tmp_path) == {}
    torch.manual_seed(5)
    again = loaded(tmp_path, load_base())
    before, after = (each.get_input_embeddings().weight for each in (model, again))
    assert torch.equal(before[:64], after[:64])
    assert not torch.equal(before[64:], after[64:])


@resized_embeddings_saved
def test_trained_tokens_are_saved_alone(
    load_base: Loader, resized: Loader, tmp_path: Path
) -> None:
    model = resized(trainable_token_indices=[64, 65])
    model.save_pretrained(tmp_path / "auto")
    model.save_pretrained(tmp_path / "small", save_embedding_layers=False)
    delta = "model.embed_tokens.token_adapter.trainable_tokens_delta"
    assert besides_lora(tmp_path / "auto") == {
        "lm_head.weight": 66,
        "model.embed_tokens.token_adapter.base_layer.weight": 66,
        delta: 2,
    }
    assert besides_lora(tmp_path / "small") == {delta: 2}

    again = loaded(tmp_path / "small", load_base())
    new = torch.tensor([[64, 65]])
    assert torch.equal(
        again.get_input_embeddings()(new), model.get_input_embeddings()(new)
    )


@resized_embeddings_saved
def test_tokens_of_the_head_are_named_in_a_dictionary(
    resized: Loader, tmp_path: Path
) -> None:
    indices = {"embed_tokens": [64], "lm_head": [64, 65]}
    model = resized(trainable_token_indices=indices)
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    assert besides_lora(tmp_path) == {
        "lm_head.token_adapter.trainable_tokens_delta": 2,
        "model.embed_tokens.token_adapter.trainable_tokens_delta": 1,
    }


@resized_embeddings_saved
@each("indices", [[64, 65], {"embed_tokens": [64, 65], "lm_head": [64, 65]}])
def test_untied_the_list_loses_the_new_rows_of_the_head(
    indices: list[int] | dict[str, list[int]],
    load_base: Loader,
    resized: Loader,
    tmp_path: Path,
) -> None:
    torch.manual_seed(1)
    model = resized(trainable_token_indices=indices)
    assert not model.config.tie_word_embeddings
    model.save_pretrained(tmp_path, save_embedding_layers=False)
    torch.manual_seed(2)  # a new start of the program draws other rows
    again = loaded(tmp_path, load_base())
    before, after = (
        each.get_output_embeddings()(torch.eye(16)) for each in (model, again)
    )
    assert torch.equal(before[:, :64], after[:, :64])
    assert torch.equal(before[:, 64:], after[:, 64:]) == isinstance(indices, dict)


@resized_embeddings_saved
@each(("name", "answer"), [("nowhere/model", None), ("some/model", False), ("", None)])
def test_a_base_that_is_not_found_is_taken_as_not_resized(
    name: str, answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub has no such file, or does not answer."""
    asked = "peft.utils.save_and_load.check_file_exists_on_hf_hub"
    monkeypatch.setattr(asked, lambda *_given, **_options: answer)
    base = llama()
    base.resize_token_embeddings(66)
    base.name_or_path = name
    model = lora("q_proj", base=base, **CAUSAL)
    with said() as texts:
        model.save_pretrained(tmp_path)
    assert besides_lora(tmp_path) == {}
    found = f"Could not find a config file in {name} - will assume that the vocabulary was not modified."
    assert texts == ([found] if name == "nowhere/model" else [])


# --- Named_Adapter_Subfolder -----------------------------------------------------------------------------------------


named_adapter_subfolder = claim("Named_Adapter_Subfolder")


@named_adapter_subfolder
def test_a_named_adapter_is_not_in_the_folder_itself(tmp_path: Path) -> None:
    lora("0", name="fr").save_pretrained(tmp_path)
    assert names(tmp_path) == ["README.md", "fr"]
    assert names(tmp_path / "fr") == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    with refused(r"Can't find 'adapter_config\.json' at"):
        loaded(tmp_path)


@named_adapter_subfolder
def test_it_loads_from_the_subfolder_under_the_name_that_is_given(
    tmp_path: Path,
) -> None:
    model = lora("0", name="fr")
    model.save_pretrained(tmp_path)
    for again, name in (
        (loaded(tmp_path / "fr"), "default"),
        (loaded(tmp_path / "fr", adapter_name="fr"), "fr"),
        (loaded(str(tmp_path), subfolder="fr", adapter_name="fr"), "fr"),
    ):
        assert list(again.peft_config) == [name]
        assert same(again, model)
        again.load_adapter(str(tmp_path), "again", subfolder="fr")
        again.set_adapter("again")
        assert same(again, model)


@named_adapter_subfolder
def test_whatever_reads_the_folder_has_to_be_given_the_subfolder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora("0", name="fr").save_pretrained(tmp_path)
    mixed = adapted(config("Lora", "0"), mixed=True)
    swapped = lora("0")
    reads: list[Callable[[str], object]] = [
        lambda folder: PeftMixedModel.from_pretrained(linear(), folder),
        lambda folder: mixed.load_adapter(folder, "read"),
        PeftConfig.from_pretrained,
        lambda folder: hotswap_adapter(swapped, folder, "default"),
    ]
    for read in reads:
        with refused(r"Can't find 'adapter_config\.json' at"):
            read(str(tmp_path))
        read(str(tmp_path / "fr"))
    monkeypatch.chdir(tmp_path.parent)  # a name that could be one on the Hub
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with refused("Cannot find the requested files", OSError):
        load_peft_weights(tmp_path.name)
    assert load_peft_weights(f"{tmp_path.name}/fr")


@named_adapter_subfolder
def test_the_automatic_classes_pass_subfolder_to_the_base_as_well(
    base_folder: Path, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(base_folder)
    model = lora("q_proj", base=base, name="fr", **CAUSAL)
    model.save_pretrained(tmp_path)
    load = AutoPeftModelForCausalLM.from_pretrained
    with refused("Unrecognized model in"):
        load(tmp_path, subfolder="fr", adapter_name="fr")
    again = load(tmp_path / "fr", adapter_name="fr").eval()
    assert list(again.peft_config) == ["fr"]
    assert same(again, model)


@named_adapter_subfolder
def test_the_method_of_transformers_takes_the_path_or_adapter_kwargs(
    tmp_path: Path,
) -> None:
    trained_one = lora("q_proj", base=detached(), name="fr")
    trained_one.save_pretrained(tmp_path)
    with refused("adapter model file not found"):
        detached().load_adapter(str(tmp_path), "fr")
    with refused("unexpected keyword argument 'subfolder'", TypeError):
        detached().load_adapter(str(tmp_path), "fr", subfolder="fr")
    for folder, options in (
        (tmp_path / "fr", {}),
        (tmp_path, {"adapter_kwargs": {"subfolder": "fr"}}),
    ):
        model = detached()
        model.load_adapter(str(folder), "fr", **options)
        assert same(model, trained_one)


@named_adapter_subfolder
def test_a_default_beside_it_is_loaded_instead(tmp_path: Path) -> None:
    model = lora("0", name="fr")
    model.add_adapter("default", config("Lora", "0"))
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path, adapter_name="fr")
    assert not same(again, model)
    assert same(again, linear())


@named_adapter_subfolder
def test_all_adapters_are_saved_unless_some_are_selected(tmp_path: Path) -> None:
    model = lora("0", name="fr")
    model.add_adapter("en", config("Lora", "0"))
    model.save_pretrained(tmp_path / "all")
    model.save_pretrained(tmp_path / "some", selected_adapters=["fr"])
    assert names(tmp_path / "all") == ["README.md", "en", "fr"]
    assert names(tmp_path / "some") == ["README.md", "fr"]


# --- Newer_Config_Keys_Ignored ---------------------------------------------------------------------------------------

IGNORED = "Unexpected keyword arguments ['use_next_idea'] for class"


newer_config_keys_ignored = claim("Newer_Config_Keys_Ignored")


@newer_config_keys_ignored
def test_an_unknown_setting_is_dropped_with_a_warning(adapter: Path) -> None:
    settings(adapter, use_next_idea=True)
    with said() as texts:
        config = PeftConfig.from_pretrained(adapter)
        model = loaded(adapter)
    assert not hasattr(config, "use_next_idea")
    assert texts
    assert all(
        text.startswith(f"{IGNORED} LoraConfig, these are ignored.") for text in texts
    )
    assert same(model, lora("0"))


@newer_config_keys_ignored
@each("kind", sorted(PEFT_TYPE_TO_CONFIG_MAPPING))
def test_it_is_so_for_every_configuration(kind: str, tmp_path: Path) -> None:
    cls = PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    assert cls.from_pretrained.__func__ is PeftConfigMixin.from_pretrained.__func__
    needs = {"XLORA": {"hidden_size": 8, "adapters": {}}, "CPT": CAUSAL}
    method = cls.__name__.removesuffix("Config")
    config(method, **needs.get(kind, {})).save_pretrained(tmp_path)
    settings(tmp_path, use_next_idea=True)
    with said() as texts:
        assert type(cls.from_pretrained(tmp_path)) is cls
    ignored = f"{IGNORED} {cls.__name__}, these are ignored."
    assert any(text.startswith(ignored) for text in texts)


@newer_config_keys_ignored
def test_a_setting_that_matters_changes_the_results(tmp_path: Path) -> None:
    model = lora("0", use_rslora=True, r=4)
    model.save_pretrained(tmp_path)
    # the newer PEFT whose scaling this one does not know: a name that it knows, changed
    path = tmp_path / "adapter_config.json"
    path.write_text(path.read_text().replace('"use_rslora"', '"use_next_idea"'))
    with said() as texts:
        again = loaded(tmp_path)
    assert all(text.startswith(IGNORED) for text in texts)
    assert not same(again, model)


@newer_config_keys_ignored
def test_the_warning_made_an_error_and_the_version_that_wrote_it(adapter: Path) -> None:
    assert settings(adapter)["peft_version"] == peft.__version__
    settings(adapter, use_next_idea=True, peft_version="99.0.0")
    with said():
        assert PeftConfig.from_pretrained(adapter).peft_version == "99.0.0"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Unexpected keyword arguments")
        with refused("highly recommended to upgrade the PEFT version", UserWarning):
            loaded(adapter)


@newer_config_keys_ignored
def test_the_error_does_not_ask_whether_the_setting_matters(adapter: Path) -> None:
    settings(adapter, use_next_idea=None)  # surely the default of whoever wrote it
    with said():
        assert same(loaded(adapter), lora("0"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Unexpected keyword arguments")
        with refused("use_next_idea", UserWarning):
            loaded(adapter)


@newer_config_keys_ignored
def test_saved_again_it_is_gone_and_the_version_stays(adapter: Path) -> None:
    settings(adapter, use_next_idea=True, peft_version="99.0.0")
    with said():
        loaded(adapter).save_pretrained(adapter)
    assert "use_next_idea" not in settings(adapter)
    assert settings(adapter)["peft_version"] == "99.0.0"


@newer_config_keys_ignored
def test_an_unknown_method_and_a_wrong_argument_raise(adapter: Path) -> None:
    settings(adapter, peft_type="NEXT_IDEA")
    with refused("NEXT_IDEA", KeyError):
        loaded(adapter)
    with refused("use_next_idea", TypeError):
        LoraConfig(use_next_idea=True)


# --- Zero3_Unsharded_Save --------------------------------------------------------------------------------------------


def shard(model: nn.Module) -> dict[str, torch.Tensor]:
    """Empty the parameters, as ZeRO-3 leaves them between two uses, and return what gathering them would give."""
    gathered = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.data = parameter.data.new_empty(0)
    return gathered


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shapes(folder: Path) -> set[tuple[int, ...]]:
    return {tuple(tensor.shape) for tensor in saved(folder).values()}


NOT_GATHERED = "shards were not gathered before save_pretrained()"


zero3_unsharded_save = claim("Zero3_Unsharded_Save")


@zero3_unsharded_save
@each(
    "config",
    [config("Lora", "0", modules_to_save=["2"]), config("AdaLora", "0")],
    ids=["LoRA", "AdaLoRA"],
)
def test_empty_tensors_are_saved_with_a_warning_and_do_not_load(
    config: PeftConfig, tmp_path: Path
) -> None:
    model = adapted(config)
    shard(model)
    with said() as texts:
        model.save_pretrained(tmp_path)
    (text,) = texts
    # A and B, not E, not modules_to_save
    assert text.startswith("Adapter 'default': 2 LoRA tensor(s) have invalid shape:")
    assert NOT_GATHERED in text
    assert shapes(tmp_path) == {(0,)}
    with refused(r"size mismatch.*torch.Size\(\[0\]\)", RuntimeError):
        loaded(tmp_path)


@zero3_unsharded_save
def test_a_gathered_state_dict_is_saved_whole(tmp_path: Path) -> None:
    model = lora("0")
    expected = run(model)
    gathered = shard(model)
    with silent():
        model.save_pretrained(tmp_path, state_dict=gathered)
    assert same(loaded(tmp_path), expected)


@zero3_unsharded_save
def test_the_warning_made_an_error_stops_the_save(tmp_path: Path) -> None:
    model = lora("0")
    shard(model)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Adapter .* have invalid shape")
        with refused("GatheredParameters", PeftWarning):
            model.save_pretrained(tmp_path)
    assert not (tmp_path / "adapter_model.safetensors").exists()


@zero3_unsharded_save
def test_what_is_not_looked_at(tmp_path: Path) -> None:
    model = lora("0")
    shard(model)
    other = adapted(config("LoHa", "0"))
    shard(other)
    with silent():
        model.save_pretrained(tmp_path / "passed", state_dict=model.state_dict())
        other.save_pretrained(tmp_path / "LoHa")
    assert shapes(tmp_path / "passed") == shapes(tmp_path / "LoHa") == {(0,)}


@zero3_unsharded_save
@pytest.mark.usefixtures("one_process")
def test_fsdp_2_that_is_not_gathered_is_an_error(tmp_path: Path) -> None:
    model = lora("0")
    fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
    message = "Attempted to access the data pointer on an invalid python storage"
    with refused(message, RuntimeError):
        model.save_pretrained(tmp_path)
    assert not (tmp_path / "adapter_model.safetensors").exists()


@zero3_unsharded_save
@pytest.mark.usefixtures("one_process")
def test_fsdp_1_with_blocks_saves_an_empty_file_and_says_nothing(
    tmp_path: Path,
) -> None:
    model = adapted(config("Lora", "q_proj", **CAUSAL), llama())
    wrapped = in_fsdp_1(model, auto_wrap_policy=fsdp_auto_wrap_policy(model))
    with said() as texts:
        wrapped.module.save_pretrained(tmp_path)
    # of one process
    assert all("`NO_SHARD`" in text for text in texts)
    assert saved(tmp_path) == {}


@zero3_unsharded_save
def test_processes_that_write_nothing_warn_too(tmp_path: Path) -> None:
    model = lora("0")
    shard(model)
    with warned(re.escape(NOT_GATHERED), PeftWarning):
        model.save_pretrained(tmp_path, is_main_process=False)
    assert list(tmp_path.iterdir()) == []


@zero3_unsharded_save
def test_accelerate_gathers(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    model = accelerator.prepare(lora("0"))
    state_dict = accelerator.get_state_dict(model)
    assert any("base_layer" in name for name in state_dict)  # the base as well, in full
    main = accelerator.is_main_process
    accelerator.unwrap_model(model).save_pretrained(
        tmp_path, state_dict=state_dict, is_main_process=main
    )
    assert same(loaded(tmp_path), lora("0"))


def in_fsdp_1(model: PeftModel, **options: object) -> FullyShardedDataParallel:
    """Wrap a model, and let its units meet."""
    wrapped = FullyShardedDataParallel(
        model, device_id=torch.device("cpu"), use_orig_params=True, **options
    )
    wrapped(torch.arange(8)[None])
    return wrapped


def whole_weights(wrapped: FullyShardedDataParallel) -> AbstractContextManager:
    """Let state dicts be whole, as Accelerate does."""
    return FullyShardedDataParallel.state_dict_type(
        wrapped, StateDictType.FULL_STATE_DICT, FullStateDictConfig()
    )


def equal(some: Mapping[str, torch.Tensor], others: Mapping[str, torch.Tensor]) -> bool:
    alike = (torch.equal(tensor, others[name]) for name, tensor in some.items())
    return some.keys() == others.keys() and all(alike)


@zero3_unsharded_save
@pytest.mark.usefixtures("one_process")
def test_peft_takes_and_gives_nothing_in_blocks_of_fsdp_1() -> None:
    """The names of modules have `_fsdp_wrapped_module` in them, those of gathered weights have not."""
    model = adapted(config("Lora", "q_proj", "lm_head", **CAUSAL), llama())
    plain = deepcopy(model)
    weights = get_peft_model_state_dict(plain)
    policy = fsdp_auto_wrap_policy(model)
    wrapped = in_fsdp_1(model, auto_wrap_policy=policy)
    with whole_weights(wrapped):
        gathered = wrapped.state_dict()
        assert equal(gathered, plain.state_dict())
        for one in (wrapped, wrapped.module):
            left = get_peft_model_state_dict(one, state_dict=gathered)
            assert left
            assert all(".lm_head." in name for name in left)
        # a model without FSDP takes it out
        assert equal(get_peft_model_state_dict(plain, state_dict=gathered), weights)

        before = {name: tensor.clone() for name, tensor in gathered.items()}
        new = {name: it + 1 for name, it in weights.items() if ".lm_head." not in name}
        with said() as texts:
            set_peft_model_state_dict(wrapped, new)
        # of one process
        assert all("`NO_SHARD`" in text for text in texts)
        assert equal(wrapped.state_dict(), before)


@zero3_unsharded_save
@pytest.mark.usefixtures("one_process")
def test_peft_takes_all_in_one_unit_of_fsdp_1() -> None:
    model = adapted(config("Lora", "q_proj", **CAUSAL), llama())
    weights = get_peft_model_state_dict(deepcopy(model))
    wrapped = in_fsdp_1(model)
    with whole_weights(wrapped):
        gathered = wrapped.state_dict()
        for one in (wrapped, wrapped.module):
            found = get_peft_model_state_dict(one, state_dict=gathered)
            assert equal(found, weights)
