"""What code of older releases does today, as the guide to older code says, and what other guides say of files and classes."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import peft
import pytest
import torch
import transformers
from conftest import ROOT
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import Trainer, TrainingArguments

from claims.models import CAUSAL, claim, each, llama, loaded, lora, run, settings

if TYPE_CHECKING:
    from pathlib import Path


#: An import of older code, and the message that it ends in.
IMPORTS = {
    "from peft import prepare_model_for_int8_training": (
        "cannot import name 'prepare_model_for_int8_training' from 'peft'"
    ),
    "from peft import prepare_model_for_training": (
        "cannot import name 'prepare_model_for_training' from 'peft'"
    ),
    "from peft import peft_model_load_and_dispatch": (
        "cannot import name 'peft_model_load_and_dispatch' from 'peft'"
    ),
    "from peft import BoneConfig": "cannot import name 'BoneConfig' from 'peft'",
    "from peft.tuners.bone import BoneConfig": "No module named 'peft.tuners.bone'",
    "from peft import BottleneckConfig": (
        "cannot import name 'BottleneckConfig' from 'peft'"
    ),
    "from peft import PeftModelForImageClassification": (
        "cannot import name 'PeftModelForImageClassification' from 'peft'"
    ),
    "from peft.utils import PeftConfig": (
        "cannot import name 'PeftConfig' from 'peft.utils'"
    ),
    "from peft.utils.config import PeftType": "No module named 'peft.utils.config'",
    "from peft.utils import PromptLearningConfig": (
        "cannot import name 'PromptLearningConfig' from 'peft.utils'"
    ),
    "from peft.utils.adapters_utils import CONFIG_NAME": (
        "No module named 'peft.utils.adapters_utils'"
    ),
    "from peft.utils.hub_utils import hub_file_exists": (
        "No module named 'peft.utils.hub_utils'"
    ),
    "from peft.mapping import get_peft_model": (
        "cannot import name 'get_peft_model' from 'peft.mapping'"
    ),
    "from peft.mapping import LoraConfig": (
        "cannot import name 'LoraConfig' from 'peft.mapping'"
    ),
    "from peft.mapping import MODEL_TYPE_TO_PEFT_MODEL_MAPPING": (
        "cannot import name 'MODEL_TYPE_TO_PEFT_MODEL_MAPPING' from 'peft.mapping'"
    ),
    "from peft.peft_model import PEFT_TYPE_TO_MODEL_MAPPING": (
        "cannot import name 'PEFT_TYPE_TO_MODEL_MAPPING' from 'peft.peft_model'"
    ),
    "from peft.mapping import _prepare_prompt_learning_config": (
        "cannot import name '_prepare_prompt_learning_config' from 'peft.mapping'"
    ),
    "from peft.mapping import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING": (
        "cannot import name 'TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING'"
        " from 'peft.mapping'"
    ),
    "from peft.utils import COMMON_LAYERS_PATTERN": (
        "cannot import name 'COMMON_LAYERS_PATTERN' from 'peft.utils'"
    ),
    "from peft.peft_model import LoraModel": (
        "cannot import name 'LoraModel' from 'peft.peft_model'"
    ),
    "from peft.tuners.lora import MergedLinear": (
        "cannot import name 'MergedLinear' from 'peft.tuners.lora'"
    ),
    "from peft.tuners.lora import mark_only_lora_as_trainable": (
        "cannot import name 'mark_only_lora_as_trainable' from 'peft.tuners.lora'"
    ),
    "from peft.tuners.lora import _get_submodules": (
        "cannot import name '_get_submodules' from 'peft.tuners.lora'"
    ),
    "from peft.tuners.lora import Conv1D": (
        "cannot import name 'Conv1D' from 'peft.tuners.lora'"
    ),
    "from peft.tuners.lora.layer import Linear8bitLt": (
        "cannot import name 'Linear8bitLt' from 'peft.tuners.lora.layer'"
    ),
    "from peft.tuners.lora.model import Linear4bit": (
        "cannot import name 'Linear4bit' from 'peft.tuners.lora.model'"
    ),
    "from peft.tuners.lora import QuantLinear": (
        "cannot import name 'QuantLinear' from 'peft.tuners.lora'"
    ),
    "from peft.utils import get_auto_gptq_quant_linear": (
        "cannot import name 'get_auto_gptq_quant_linear' from 'peft.utils'"
    ),
    "from peft.import_utils import is_auto_gptq_available": (
        "cannot import name 'is_auto_gptq_available' from 'peft.import_utils'"
    ),
    "from peft.utils.loftq_utils import NFQuantizer": (
        "cannot import name 'NFQuantizer' from 'peft.utils.loftq_utils'"
    ),
    "from peft import Loraconfig": "cannot import name 'Loraconfig' from 'peft'",
    "from transformers import AutoModelWithLMHead": (
        "cannot import name 'AutoModelWithLMHead' from 'transformers'"
    ),
    "from transformers import AutoModelForVision2Seq": (
        "cannot import name 'AutoModelForVision2Seq' from 'transformers'"
    ),
    "from transformers import AdamW": "cannot import name 'AdamW' from 'transformers'",
    "from transformers import LLaMATokenizer": (
        "cannot import name 'LLaMATokenizer' from 'transformers'"
    ),
    "from transformers.deepspeed import HfDeepSpeedConfig": (
        "No module named 'transformers.deepspeed'"
    ),
    "from transformers import prepare_model_for_kbit_training": (
        "cannot import name 'prepare_model_for_kbit_training' from 'transformers'"
    ),
    "from huggingface_hub import cached_download": (
        "cannot import name 'cached_download' from 'huggingface_hub'"
    ),
}

#: What the page says to import instead.
TODAY = """
from peft import prepare_model_for_kbit_training, MissConfig, PeftModel, PeftConfig
from peft import PeftType, TaskType, PromptLearningConfig, LoraConfig, LoraModel
from peft import MODEL_TYPE_TO_PEFT_MODEL_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
from peft.utils import CONFIG_NAME, WEIGHTS_NAME, _prepare_prompt_learning_config
from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from peft.utils.other import _get_submodules, transpose, ModulesToSaveWrapper
from peft.tuners.lora import Linear, Linear8bitLt, Linear4bit
from peft.tuners.lora.gptq import GPTQLoraLinear
from transformers.pytorch_utils import Conv1D
from transformers import AutoModelForImageTextToText, BitsAndBytesConfig
from transformers.integrations import HfDeepSpeedConfig
from huggingface_hub import file_exists
"""

#: A call of older code, and the message that it ends in. `model` is a LoRA model, and
#: `layer` one of its layers.
CALLS = {
    "peft.LoraModel(lora, base)": (
        "BaseTuner.__init__() missing 1 required positional argument: 'adapter_name'"
    ),
    "peft.LoHaModel(base, peft.LoHaConfig())": (
        "BaseTuner.__init__() missing 1 required positional argument: 'adapter_name'"
    ),
    "peft.AdaLoraModel(base, peft.AdaLoraConfig(total_step=9))": (
        "AdaLoraModel.__init__() missing"
    ),
    "peft.LoraModel(lora, base, 'default')": (
        "'LlamaForCausalLM' object is not subscriptable"
    ),
    "peft.PeftModel(lora, base)": (
        "'LlamaForCausalLM' object has no attribute 'peft_type'"
    ),
    "model.peft_config.peft_type": "'dict' object has no attribute 'peft_type'",
    "model.add_adapter(lora)": (
        "PeftModel.add_adapter() missing 1 required positional argument: 'peft_config'"
    ),
    "model.add_adapter(lora, 'second')": "unhashable type: 'LoraConfig'",
    "model.base_model.add_adapter('second', lora)": (
        "The version of PEFT you are using is not compatible,"
        " please use a version >= 0.22.0"
    ),
    "model.enable_adapters()": (
        "The version of PEFT you are using is not compatible,"
        " please use a version >= 0.22.0"
    ),
    "model.merge_adapter('default')": (
        "adapter_names should be a list of strings, got 'default'."
    ),
    "peft.prepare_model_for_kbit_training(base, output_embedding_layer_name='x')": (
        "prepare_model_for_kbit_training() got an unexpected keyword argument"
        " 'output_embedding_layer_name'"
    ),
    "peft.set_peft_model_state_dict(model, weights).print_trainable_parameters()": (
        "'_IncompatibleKeys' object has no attribute 'print_trainable_parameters'"
    ),
    "peft.PeftModel.from_pretrained('folder')": (
        "PeftModel.from_pretrained() missing 1 required positional argument: 'model_id'"
    ),
    "model.get_peft_config_as_dict()": (
        "'LlamaForCausalLM' object has no attribute 'get_peft_config_as_dict'"
    ),
    "peft.PeftType.BONE": "BONE",
    "peft.LoraConfig(enable_lora=[True])": (
        "LoraConfig.__init__() got an unexpected keyword argument 'enable_lora'"
    ),
    "peft.LoraConfig(merge_weights=False)": (
        "LoraConfig.__init__() got an unexpected keyword argument 'merge_weights'"
    ),
    "peft.LoraConfig(lora_r=8)": "got an unexpected keyword argument 'lora_r'",
    "peft.LoraConfig(alpha=8)": "got an unexpected keyword argument 'alpha'",
    "peft.LoraConfig(dropout=0.1)": "got an unexpected keyword argument 'dropout'",
    "peft.LoraConfig(8, ['q_proj'])": (
        "Invalid task type: '8'. Must be one of the following task types"
    ),
    "peft.LoHaConfig(8, 16)": (
        "Invalid task type: '8'. Must be one of the following task types"
    ),
    "peft.PrefixTuningConfig(postprocess_past_key_value_function=None)": (
        "PrefixTuningConfig.__init__() got an unexpected keyword argument"
        " 'postprocess_past_key_value_function'"
    ),
    "peft.OFTConfig(rank_pattern={})": (
        "OFTConfig.__init__() got an unexpected keyword argument 'rank_pattern'"
    ),
    "peft.OFTConfig(r=8)": (
        "You can only specify either r (8) or oft_block_size (32),"
        " but not both simultaneously"
    ),
    "peft.AdaLoraConfig()": (
        "AdaLoRA does not work when `total_step` is None, supply a value > 0."
    ),
    "layer.lora_A.weight": "'ModuleDict' object has no attribute 'weight'",
    "layer.merge_weights": "'Linear' object has no attribute 'merge_weights'",
    "setattr(layer, 'disable_adapters', True)": (
        "property 'disable_adapters' of 'Linear' object has no setter"
    ),
    "setattr(layer, 'merged', False)": (
        "property 'merged' of 'Linear' object has no setter"
    ),
    "setattr(layer, 'active_adapter', 'a')": (
        "property 'active_adapter' of 'Linear' object has no setter"
    ),
    "layer.unmerge(mode=True)": (
        "Linear.unmerge() got an unexpected keyword argument 'mode'"
    ),
    "model.base_model._get_submodules('model')": (
        "'LlamaForCausalLM' object has no attribute '_get_submodules'"
    ),
    "type(layer)(4, 4, r=8)": (
        "Linear.__init__() missing 1 required positional argument: 'config'"
    ),
    "type(layer)(nn.Linear(4, 4), 'default', r=8)": (
        "Linear.__init__() missing 1 required positional argument: 'config'"
    ),
    "peft.tuners.lora.LoraLayer(in_features=4, out_features=4)": (
        "LoraLayer.__init__() missing 1 required positional argument: 'base_layer'"
    ),
    "layer.update_layer('b', 8, 16, 0.0, True)": (
        "LoraLayer.update_layer() takes 5 positional arguments but 6 were given"
    ),
    "Trainer(base, tokenizer=None)": (
        "Trainer.__init__() got an unexpected keyword argument 'tokenizer'"
    ),
    "TrainingArguments('out', evaluation_strategy='no')": (
        "TrainingArguments.__init__() got an unexpected keyword argument"
        " 'evaluation_strategy'"
    ),
    "TrainingArguments('out', optim='adamw_hf')": (
        "adamw_hf is not a valid OptimizerNames"
    ),
    "TrainingArguments('out', load_best_model_at_end=True)": (
        "--load_best_model_at_end requires the save and eval strategy to match"
    ),
    "transformers.LlamaForCausalLM.from_pretrained(folder, load_in_8bit=True)": (
        "LlamaForCausalLM.__init__() got an unexpected keyword argument 'load_in_8bit'"
    ),
}

#: Arguments of `TrainingArguments` that are gone, and what the page names instead.
ARGUMENTS = {
    "no_cuda": {},
    "use_mps_device": {},
    "overwrite_output_dir": {},
    "save_safetensors": {},
    "logging_dir": {},
    "jit_mode_eval": {},
    "half_precision_backend": {},
    "fp16_backend": {},
    "warmup_ratio": {"warmup_steps": 0.1},
    "group_by_length": {"train_sampling_strategy": "group_by_length"},
    "include_inputs_for_metrics": {"include_for_metrics": ["inputs"]},
    "per_gpu_train_batch_size": {"per_device_train_batch_size": 1},
    "fsdp_transformer_layer_cls_to_wrap": {},
    "evaluation_strategy": {"eval_strategy": "no"},
}


@cache
def guide(name: str) -> str:
    """Return a guide with single spaces."""
    path = ROOT / f"docs/guides/{name}.md"
    return " ".join(path.read_text(encoding="utf-8").split())


@claim("Another_PEFT_Imported")
@each("code", IMPORTS)
def test_an_old_import_fails_as_the_page_says(code: str) -> None:
    assert f"`{IMPORTS[code]}`" in guide("older-code")
    with pytest.raises(ImportError, match=re.escape(IMPORTS[code])):
        exec(code, {})  # noqa: S102 - a line of this file


@claim("Another_PEFT_Imported")
@each("code", TODAY.strip().splitlines())
def test_what_the_page_says_to_import_is_there(code: str) -> None:
    exec(code, {})  # noqa: S102 - as above


@claim("Unknown_Keywords_Swallowed")
@each("code", CALLS)
def test_an_old_call_fails_as_the_page_says(code: str, base_folder: Path) -> None:
    message = CALLS[code]
    text = guide("older-code")
    assert f"`{message}" in text or f"{message}`" in text
    config = LoraConfig(**CAUSAL, target_modules=["q_proj"])
    model = get_peft_model(llama(), config)
    names = {
        "peft": peft,
        "nn": nn,
        "transformers": transformers,
        "Trainer": Trainer,
        "TrainingArguments": TrainingArguments,
        "lora": config,
        "base": llama(),
        "model": model,
        "layer": model.base_model.model.model.layers[0].self_attn.q_proj,
        "weights": peft.get_peft_model_state_dict(model),
        "folder": base_folder,
    }
    with pytest.raises(Exception, match=re.escape(message)):
        eval(code, names)  # noqa: S307 - as above


@claim("Unknown_Keywords_Swallowed")
@each("name", ARGUMENTS)
def test_an_old_argument_of_trainings_is_refused(name: str) -> None:
    assert f"'{name}'" in guide("older-code")
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        TrainingArguments("out", **{name: 1})
    TrainingArguments("out", **{"use_cpu": True, "report_to": []} | ARGUMENTS[name])


@claim("Unknown_Keywords_Swallowed")
def test_the_name_in_merge_and_unload_is_read_as_progressbar() -> None:
    model = get_peft_model(llama(), lora("q_proj"), adapter_name="a")
    model.add_adapter("b", lora("q_proj"))
    expected = run(model)
    assert torch.allclose(run(model.merge_and_unload("b")), expected, atol=1e-5)


@claim("Newer_Config_Keys_Ignored")
def test_a_bone_adapter_is_a_miss_adapter(tmp_path: Path) -> None:
    model = get_peft_model(
        llama(), peft.MissConfig(**CAUSAL, r=4, target_modules=["q_proj"])
    )
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data.normal_()
    model.save_pretrained(tmp_path)
    expected = run(model.eval())
    path = tmp_path / "adapter_model.safetensors"
    old = {k.replace(".miss_", ".bone_"): it for k, it in load_file(path).items()}
    save_file(old, path)
    settings(tmp_path, peft_type="BONE")
    with pytest.raises(KeyError, match="BONE"):
        loaded(tmp_path, llama())
    settings(tmp_path, peft_type="MISS")
    save_file({k.replace(".bone_", ".miss_"): it for k, it in old.items()}, path)
    assert torch.equal(run(loaded(tmp_path, llama())), expected)


@claim("Newer_Config_Keys_Ignored")
def test_an_adapter_of_enable_lora_is_converted(tmp_path: Path) -> None:
    """The outputs are those of the layer of 0.2.0, computed here by hand."""
    page = (ROOT / "docs/guides/older-code.md").read_text(encoding="utf-8")
    start = page.index("from transformers import GPT2Config")
    code = page[start : page.index("```", start)]
    names: dict[str, object] = {
        "torch": torch,
        "LoraConfig": LoraConfig,
        "get_peft_model": get_peft_model,
        "set_peft_model_state_dict": peft.set_peft_model_state_dict,
    }
    code = code.replace('"converted"', repr(str(tmp_path)))
    code = code.replace(
        "double =",
        "before = gpt2.transformer.h[0].attn.c_attn.weight.clone()\ndouble =",
    )
    exec(code, names)  # noqa: S102 - what the page tells readers to do
    layer = names["merged"].transformer.h[0].attn.c_attn
    old, name = names["old"], names["name"]
    a, b = old[f"{name}.lora_A.weight"], old[f"{name}.lora_B.weight"]
    rows = torch.randn(3, 32)
    with torch.no_grad():
        after = torch.nn.functional.conv1d((rows @ a.T).T[None], b, groups=2)[0].T
        delta = rows @ (layer.weight - names["before"])
    assert torch.allclose(delta[:, :32], 2.0 * after[:, :32], atol=1e-4)
    assert torch.equal(delta[:, 32:64], torch.zeros(3, 32))
    assert torch.allclose(delta[:, 64:], 2.0 * after[:, 32:], atol=1e-4)


@claim("Newer_Config_Keys_Ignored")
def test_an_old_oft_adapter_is_refused(tmp_path: Path) -> None:
    config = peft.OFTConfig(**CAUSAL, oft_block_size=4, target_modules=["q_proj"])
    get_peft_model(llama(), config).save_pretrained(tmp_path)
    found = settings(tmp_path)
    found.pop("oft_block_size")
    found["r"] = 8
    (tmp_path / "adapter_config.json").write_text(json.dumps(found), encoding="utf-8")
    text = "OFT has been updated since PEFT 0.14.0. Your trained adapter weights are incompatible"
    assert text in guide("older-code")
    with pytest.raises(ValueError, match=text):
        loaded(tmp_path, llama())


@claim("Task_Type_Must_Fit")
def test_the_text_encoder_has_no_text_model_in_its_names() -> None:
    assert "`text_model` in the names" in guide("diffusion-models")
    config = transformers.CLIPTextConfig(
        vocab_size=64,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    names = dict(transformers.CLIPTextModel(config).named_modules())
    assert "encoder.layers.0.self_attn.q_proj" in names


PROMPT = {"num_virtual_tokens": 4} | CAUSAL


@claim("Prompts_Cannot_Be_Merged")
def test_a_prompt_and_lora_do_not_go_together() -> None:
    text = guide("prompt-tuning")
    config, prompt = LoraConfig(**CAUSAL), PromptTuningConfig(**PROMPT)
    refusal = "Cannot combine adapters with different peft types. Found PeftType.LORA and PeftType.PROMPT_TUNING."
    assert refusal in text
    with pytest.raises(ValueError, match=refusal):
        get_peft_model(llama(), config).add_adapter("second", prompt)
    refusal = "The provided `peft_type` 'PROMPT_TUNING' is not compatible with the `PeftMixedModel`"
    assert refusal in text
    with pytest.raises(ValueError, match=refusal):
        get_peft_model(llama(), prompt, mixed=True)


@claim("Prompts_Cannot_Be_Merged")
@each("order", [(0, 1), (1, 0)])
def test_of_two_wraps_only_the_second_is_trained_and_saved(
    order: tuple[int, int],
) -> None:
    both = [(LoraConfig(**CAUSAL), "lora_"), (PromptTuningConfig(**PROMPT), "prompt")]
    (first, gone), (second, kept) = both[order[0]], both[order[1]]
    model = get_peft_model(get_peft_model(llama(), first), second)
    trained = [name for name, it in model.named_parameters() if it.requires_grad]
    assert trained
    assert all(kept in name and gone not in name for name in trained)
    saved = [*peft.get_peft_model_state_dict(model)]
    assert saved
    assert not any(gone in name for name in saved)
