"""What is not fixed in the installed PEFT, and what names of transformers are gone, as the guides say."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import bitsandbytes as bnb
import pytest
import torch
from conftest import ROOT
from peft import (
    AdaLoraConfig,
    AdamssConfig,
    LoKrConfig,
    LoraConfig,
    PeftConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    RoadConfig,
    get_peft_model,
    replace_lora_weights_loftq,
)
from peft.utils import loftq_utils
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)
from transformers.pytorch_utils import Conv1D

from claims.models import SIZES, claim, each, layer_of, linear, llama, run, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

update_first = claim("Update_First")

IDS = torch.arange(8)[None]


@cache
def guide(name: str) -> str:
    """Return a guide with single spaces."""
    path = ROOT / f"docs/guides/{name}.md"
    return " ".join(path.read_text(encoding="utf-8").split())


def moved(model: nn.Module) -> nn.Module:
    """Move what can be trained, as a training would."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model


# -- what an update does not help with ------------------------------------------------


HEADS = {
    "TOKEN_CLS": (BertForTokenClassification, "classifier"),
    "QUESTION_ANS": (BertForQuestionAnswering, "qa_outputs"),
}


@update_first
@each("task", HEADS)
def test_all_linear_takes_the_head_of_these_tasks(task: str, tmp_path: Path) -> None:
    kind, head = HEADS[task]
    options = {"task_type": task, "target_modules": "all-linear"}
    message = (
        "modules_to_save cannot be applied to modules of type"
        " <class 'peft.tuners.lora.layer.Linear'>"
    )
    assert f"`{message}`" in guide("is-it-possible")
    with pytest.raises(TypeError, match=re.escape(message)):
        get_peft_model(kind(BertConfig(**SIZES)), LoraConfig(**options))
    base = kind(BertConfig(**SIZES))
    config = LoraConfig(**options, exclude_modules=[head])
    model = moved(get_peft_model(copy.deepcopy(base), config)).eval()
    model.save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(base, tmp_path).eval()
    for one, other in zip(
        model(input_ids=IDS).values(), loaded(input_ids=IDS).values(), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-5)


@update_first
def test_all_linear_leaves_the_head_of_a_classifier_out() -> None:
    base = BertForSequenceClassification(BertConfig(**SIZES))
    config = LoraConfig(task_type="SEQ_CLS", target_modules="all-linear")
    assert "classifier" not in get_peft_model(base, config).targeted_module_names


@update_first
@each("kind", [PrefixTuningConfig, PromptTuningConfig, PromptEncoderConfig])
def test_a_prompt_on_an_encoder_cannot_be_disabled(kind: type[PeftConfig]) -> None:
    message = (
        "cannot access local variable 'old_prepare_inputs_for_generation'"
        " where it is not associated with a value"
    )
    assert message in guide("prompt-tuning")
    base = RobertaForSequenceClassification(RobertaConfig(**SIZES)).eval()
    before = base(input_ids=IDS).logits
    model = get_peft_model(base, kind(task_type="SEQ_CLS", num_virtual_tokens=4))
    with pytest.raises(UnboundLocalError, match=message), model.disable_adapter():
        pass
    # the head is a copy of the base's until it is trained
    assert torch.equal(model.eval().base_model(input_ids=IDS).logits, before)


@update_first
def test_olora_takes_conv1d_the_wrong_way_round() -> None:
    rows = torch.randn(2, 16)
    for start, right in (("olora", False), ("pissa", True)):
        base = nn.Sequential(Conv1D(16, 16))
        before = base(rows).detach()
        config = LoraConfig(target_modules=["0"], init_lora_weights=start)
        model = get_peft_model(base, config)
        assert torch.allclose(model(rows), before, atol=1e-5) == right


def convolution(dropout: float, **options: bool) -> PeftModel:
    base = nn.Sequential(nn.Conv2d(3, 4, 3)).to(torch.bfloat16)
    config = LoraConfig(target_modules=["0"], use_dora=True, lora_dropout=dropout)
    return get_peft_model(base, config, **options).train()


@update_first
def test_dora_on_a_convolution_in_16_bit_fails_with_dropout() -> None:
    picture = torch.randn(1, 3, 8, 8, dtype=torch.bfloat16)
    message = "expected scalar type Float but found BFloat16"
    assert f"`{message}`" in guide("training-problems")
    model = convolution(0.1)
    # the kernel that is chosen words it
    with pytest.raises(RuntimeError, match=f"{message}|should be the same"):
        model(picture)
    model.eval()(picture)
    convolution(0.0)(picture)
    convolution(0.1, autocast_adapter_dtype=False)(picture)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        convolution(0.1)(picture)


@update_first
@each("start", ["pissa", "olora"])
def test_a_start_that_reads_the_base_cannot_be_loaded_without_memory(
    start: str, tmp_path: Path
) -> None:
    message = (
        "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor`"
        " have incompatible tensor type."
    )
    assert message in guide("saved-files")
    config = LoraConfig(target_modules=["0"], init_lora_weights=start)
    model = get_peft_model(linear(), config)
    model.save_pretrained(tmp_path / "start")
    expected = run(moved(model))
    model.save_pretrained(tmp_path / "own")
    loaded = PeftModel.from_pretrained(linear(), tmp_path / "own")
    assert torch.allclose(run(loaded), expected, atol=1e-5)
    with pytest.raises(RuntimeError, match=re.escape(message)):
        PeftModel.from_pretrained(linear(), tmp_path / "own", low_cpu_mem_usage=True)
    model.save_pretrained(
        tmp_path / "plain",
        path_initial_model_for_weight_conversion=str(tmp_path / "start"),
    )
    plain = PeftModel.from_pretrained(
        linear(), tmp_path / "plain", low_cpu_mem_usage=True
    )
    assert torch.allclose(run(plain), expected, atol=1e-4)


@update_first
def test_an_adalora_file_without_total_step_is_refused(tmp_path: Path) -> None:
    message = "AdaLoRA does not work when `total_step` is None, supply a value > 0."
    assert guide("older-code").count(f"``{message}``") == 2
    config = AdaLoraConfig(target_modules=["0"], total_step=10)
    model = moved(get_peft_model(linear(), config)).eval()
    model.save_pretrained(tmp_path)
    settings(tmp_path, total_step=None)
    with pytest.raises(ValueError, match=re.escape(message)):
        PeftModel.from_pretrained(linear(), tmp_path)
    settings(tmp_path, total_step=1)
    loaded = PeftModel.from_pretrained(linear(), tmp_path).eval()
    assert torch.allclose(run(loaded), run(model), atol=1e-5)


@update_first
@each("name", ["b", "def", "second"])
def test_keys_of_another_adapter_are_listed_as_missing(
    name: str, tmp_path: Path
) -> None:
    config = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
    model = moved(get_peft_model(llama(), config)).eval()
    expected = run(model)
    model.save_pretrained(tmp_path)
    result = model.load_adapter(tmp_path, name)
    assert bool(result.missing_keys) == (name in "base_model default")
    assert all(".default." in key for key in result.missing_keys)
    model.set_adapter(name)
    assert torch.equal(run(model), expected)


@update_first
def test_lokr_multiplies_by_alpha_over_r(tmp_path: Path) -> None:
    """Up to 0.13.2 it did not."""
    config = LoKrConfig(target_modules=["0"], r=2, alpha=8, init_weights=False)
    model = get_peft_model(linear(), config)
    model.save_pretrained(tmp_path)
    layer = layer_of(model)
    product = torch.kron(layer.lokr_w1["default"], layer.lokr_w2["default"])
    delta = layer.get_delta_weight("default")
    assert torch.allclose(delta, 4 * product, atol=1e-5)
    settings(tmp_path, alpha=2)
    as_before = layer_of(PeftModel.from_pretrained(linear(), tmp_path))
    delta = as_before.get_delta_weight("default")
    assert torch.allclose(delta, product, atol=1e-5)


# -- what other guides say ------------------------------------------------------------


@claim("Safe_Merge_NaN_Check")
@each(
    "config",
    [
        RoadConfig(target_modules=["0"], group_size=8),
        AdamssConfig(target_modules=["0"], num_subspaces=2, r=4),
    ],
    ids=lambda it: it.peft_type.value,
)
def test_a_failed_safe_merge_has_changed_the_weight(config: PeftConfig) -> None:
    message = "NaNs detected in the merged bias. The adapter default seems to be broken"
    assert f"`{message}`" in guide("merging")
    model = moved(get_peft_model(linear(), copy.deepcopy(config)))
    base = layer_of(model).get_base_layer()
    before = base.weight.detach().clone()
    base.bias.data[0] = torch.nan
    with pytest.raises(ValueError, match=message):
        model.merge_adapter(safe_merge=True)
    model.unmerge_adapter()
    assert not torch.allclose(base.weight, before, atol=1e-5)


@claim("LoftQ_Alpha_And_GPU")
def test_loftq_asks_for_the_path_of_a_local_base(
    quantized: Callable[..., nn.Module],
) -> None:
    message = "The provided model does not appear to be a transformers model or is a local model."
    assert message in guide("qlora-training")
    model = get_peft_model(quantized(), LoraConfig(target_modules=["q_proj"]))
    with pytest.raises(ValueError, match=message):
        replace_lora_weights_loftq(model)


@claim("LoftQ_Alpha_And_GPU")
def test_loftq_afterwards_does_not_know_of_the_scale_either(
    quantized: Callable[..., nn.Module],
    base_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the start, it needs a GPU, so the decomposition is done here."""

    def on_the_cpu(
        packed: Any,  # noqa: ANN401 - of bitsandbytes
        weight: Tensor,
        **options: int,
    ) -> tuple[Tensor, Tensor]:
        unpacked = bnb.functional.dequantize_4bit(packed.data, packed.quant_state)
        left, sizes, right = torch.linalg.svd(weight - unpacked)
        rank = options["reduced_rank"]
        roots = sizes[:rank].sqrt()
        return roots[:, None] * right[:rank], left[:, :rank] * roots

    def error(alpha: int) -> float:
        ours = LoraConfig(target_modules=["q_proj"], r=8, lora_alpha=alpha)
        model = get_peft_model(quantized(), ours)
        path = str(base_folder / "model.safetensors")
        with monkeypatch.context() as patched:
            patched.setattr(loftq_utils, "_loftq_init_new", on_the_cpu)
            replace_lora_weights_loftq(model, path)
        name = "model.layers.0.self_attn.q_proj"
        layer = model.get_base_model().get_submodule(name)
        base = layer.get_base_layer().weight
        unpacked = bnb.functional.dequantize_4bit(base.data, base.quant_state)
        missing = load_file(path)[f"{name}.weight"] - unpacked
        rest = missing - layer.get_delta_weight("default")
        return float(rest.norm() / missing.norm())

    assert error(8) < 0.95
    assert error(16) == pytest.approx(1, abs=0.02)
    assert error(32) > 1.2


#: What is gone from the installed transformers and others.
GONE = [
    "top_k_top_p_filtering from transformers",
    "LlamaFlashAttention2 from transformers.models.llama.modeling_llama",
    "shard_checkpoint from transformers.modeling_utils",
    "is_torch_fx_available from transformers.utils.import_utils",
    "is_torch_tpu_available from transformers",
    "is_flash_attn_available from transformers.utils",
    "SampleDecoderOnlyOutput from transformers.generation",
    "HfFolder from huggingface_hub",
]


@claim("Another_PEFT_Imported")
@each("gone", GONE)
def test_a_name_is_gone_as_the_page_says(gone: str) -> None:
    name, module = gone.split(" from ")
    message = f"cannot import name '{name}' from '{module}'"
    assert f"`{message}`" in guide("older-code")
    with pytest.raises(ImportError, match=re.escape(message)):
        exec(f"from {module} import {name}", {})  # noqa: S102 - a line of this file


@claim("Another_PEFT_Imported")
@each(
    "code",
    [
        "from transformers.utils import is_torch_xla_available",
        "from transformers.utils import is_flash_attn_2_available",
        "from transformers.generation import GenerateDecoderOnlyOutput",
        "from transformers.integrations import is_deepspeed_zero3_enabled",
        "from accelerate.utils import DataLoaderConfiguration",
        "from huggingface_hub import get_token, hf_hub_download, login",
    ],
)
def test_what_the_page_writes_for_it_is_there(code: str) -> None:
    exec(code, {})  # noqa: S102 - as above
