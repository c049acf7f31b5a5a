"""What guides say of layers' names, PEFT's own examples and base weights, and their code does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import transformers
from peft import (
    AdamssConfig,
    AutoPeftModelForCausalLM,
    BOFTConfig,
    LoraConfig,
    MissConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    PveraConfig,
    VBLoRAConfig,
    XLoraConfig,
    get_peft_model,
)
from torch import nn

from claims.models import claim, llama, run

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
SHORT = {name: SIZES[name] for name in SIZES if name != "intermediate_size"}
GPT2 = {"vocab_size": 128, "n_embd": 32, "n_layer": 1, "n_head": 4}
SEEN = {
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "image_size": 28,
}

#: For a class: its configuration, its layers, and what is adapted without names.
FAMILIES = {
    "BloomForCausalLM": (
        {"vocab_size": 128, "hidden_size": 32, "n_layer": 1, "n_head": 4},
        "query_key_value dense dense_h_to_4h dense_4h_to_h",
        "query_key_value",
    ),
    "GPTNeoXForCausalLM": (
        SIZES,
        "query_key_value dense dense_h_to_4h dense_4h_to_h",
        "query_key_value",
    ),
    "FalconForCausalLM": (
        SHORT,
        "query_key_value dense dense_h_to_4h dense_4h_to_h",
        "query_key_value",
    ),
    "GPT2LMHeadModel": (GPT2, "c_attn c_proj c_fc", "c_attn"),
    "GPTBigCodeForCausalLM": (GPT2, "c_attn c_proj c_fc", "c_attn"),
    "MptForCausalLM": (
        {"vocab_size": 128, "d_model": 32, "n_layers": 1, "n_heads": 4},
        "Wqkv out_proj up_proj down_proj",
        "Wqkv",
    ),
    "XGLMForCausalLM": (
        {
            "vocab_size": 128,
            "d_model": 32,
            "ffn_dim": 64,
            "num_layers": 1,
            "attention_heads": 4,
        },
        "q_proj k_proj v_proj out_proj fc1 fc2",
        "",
    ),
    "Phi3ForCausalLM": (
        SIZES | {"pad_token_id": 0},
        "qkv_proj o_proj gate_up_proj down_proj",
        "",
    ),
    "GlmForCausalLM": (
        SIZES | {"pad_token_id": 0, "num_key_value_heads": 2, "head_dim": 8},
        "q_proj k_proj v_proj o_proj gate_up_proj down_proj",
        "",
    ),
    "RwkvForCausalLM": (
        {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 2},
        "key value receptance output",
        "key output receptance value",
    ),
    "MambaForCausalLM": (
        {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 1, "state_size": 4},
        "in_proj x_proj",
        "",
    ),
    "EsmModel": (SIZES | {"pad_token_id": 1}, "query key value dense", ""),
    "ModernBertModel": (SIZES | {"pad_token_id": 0}, "Wqkv Wo Wi", ""),
}


def base_of(name: str, options: dict[str, int]) -> nn.Module:
    """Return a tiny model of a class of transformers."""
    kind = getattr(transformers, name)
    return kind(kind.config_class(**options))


@claim("Default_Target_Modules")
@pytest.mark.parametrize("name", FAMILIES)
def test_families_have_these_layers(name: str) -> None:
    """A family has these layers, and PEFT takes these of them without names, or refuses."""
    options, layers, default = FAMILIES[name]
    base = base_of(name, options)
    ends = {module.rpartition(".")[2] for module, _ in base.named_modules()}
    assert set(layers.split()) <= ends
    if default:
        found = get_peft_model(base, LoraConfig()).targeted_module_names
        assert sorted({it.rpartition(".")[2] for it in found}) == default.split()
    else:
        with pytest.raises(ValueError, match="Please specify `target_modules`"):
            get_peft_model(base, LoraConfig())


@claim("Default_Target_Modules")
def test_mamba_takes_two_layers() -> None:
    """LoRA on in_proj and x_proj learns; all-linear stops at out_proj."""
    options, layers, _default = FAMILIES["MambaForCausalLM"]
    base = base_of("MambaForCausalLM", options)
    model = get_peft_model(base, LoraConfig(target_modules=layers.split()))
    ids = torch.randint(3, 128, (2, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    grads = [it.grad for name, it in model.named_parameters() if "lora_B" in name]
    assert len(grads) == 2
    assert all(grad.any() for grad in grads)
    base = base_of("MambaForCausalLM", options)
    with pytest.raises(ValueError, match="is incompatible with Mamba-based models"):
        get_peft_model(base, LoraConfig(target_modules="all-linear"))


@claim("Renamed_Base_Modules")
def test_examples_with_old_names() -> None:
    """The examples of PEFT for vision models name layers that transformers has renamed."""
    vit = transformers.ViTConfig(**SEEN | {"hidden_size": 768}, intermediate_size=64)
    dino = transformers.Dinov2Config(**SEEN)
    options = {"r": 500, "num_subspaces": 5}
    with pytest.raises(ValueError, match="not found in the base model"):
        get_peft_model(
            transformers.ViTModel(vit),
            AdamssConfig(**options, target_modules=["query", "value"]),
        )
    get_peft_model(
        transformers.ViTModel(vit),
        AdamssConfig(**options, target_modules=["q_proj", "v_proj"]),
    )
    with pytest.raises(ValueError, match="No layers types compatible with PVeRA"):
        get_peft_model(transformers.Dinov2Model(dino), PveraConfig(r=16))
    named = PveraConfig(r=16, target_modules=["q_proj", "v_proj"])
    get_peft_model(transformers.Dinov2Model(dino), named)

    names = ["query", "value", "key", "output.dense", "mlp.fc1", "mlp.fc2"]
    boft = BOFTConfig(boft_block_size=8, target_modules=names)
    model = get_peft_model(transformers.Dinov2Model(dino), boft)
    ends = {it.rpartition(".")[2] for it in model.targeted_module_names}
    assert ends == {"fc1", "fc2"}


@claim("Unsupported_Target_Layer")
def test_miss_example_has_convolutions() -> None:
    """MiSS takes no convolution, such as proj_in of a U-Net."""
    with pytest.raises(TypeError, match="is not supported"):
        get_peft_model(
            nn.Sequential(nn.Conv2d(8, 8, 1)), MissConfig(r=8, target_modules=["0"])
        )


@claim("Task_Type_Must_Fit")
def test_vblora_example_has_another_task() -> None:
    """The example's task_type makes a classifier's wrapper of a causal language model."""
    options = {"num_vectors": 60, "vector_length": 8, "target_modules": ["q_proj"]}
    model = get_peft_model(llama(), VBLoRAConfig(task_type="SEQ_CLS", r=4, **options))
    assert type(model).__name__ == "PeftModelForSequenceClassification"


@claim("XLora_Adapters_By_Number")
def test_xlora_example_needs_use_cache(tmp_path: Path) -> None:
    """X-LoRA refuses a base whose configuration has use_cache."""
    folders = {}
    for name in ("1", "2"):
        folders[name] = str(tmp_path / name)
        get_peft_model(llama(), LoraConfig(target_modules=["q_proj"])).save_pretrained(
            folders[name]
        )
    for use_cache in (True, False):
        base = llama()
        base.config.use_cache = use_cache
        config = XLoraConfig(
            task_type="CAUSAL_LM", hidden_size=base.config.hidden_size, adapters=folders
        )
        if use_cache:
            with pytest.raises(ValueError, match="`use_cache` must be False"):
                get_peft_model(base, config)
        else:
            get_peft_model(base, config)


@claim("Generate_By_Keyword")
@pytest.mark.parametrize("kind", [PromptTuningConfig, PrefixTuningConfig])
def test_generate_takes_no_embeddings(kind: type) -> None:
    """With a prompt or a prefix, generate refuses inputs_embeds."""
    model = get_peft_model(llama(), kind(task_type="CAUSAL_LM", num_virtual_tokens=4))
    embeddings = model.get_input_embeddings()(torch.tensor([[5, 6, 7]]))
    with pytest.raises(ValueError, match=r"You passed `inputs_embeds` to `\.generate"):
        model.eval().generate(inputs_embeds=embeddings, max_new_tokens=2)


@claim("Base_Name_Overwritten")
def test_auto_class_loads_the_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AutoPeftModel loads the base with the revision that the adapter's file has."""
    llama().save_pretrained(tmp_path / "base")
    load = transformers.AutoModelForCausalLM.from_pretrained
    config = LoraConfig(task_type="CAUSAL_LM")
    model = get_peft_model(load(tmp_path / "base"), config, revision="v1")
    model.save_pretrained(tmp_path / "adapter")
    asked = []

    def loading(*args: object, **options: object) -> nn.Module:
        asked.append(options.pop("revision"))
        return load(*args, **options)

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", loading)
    AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter")
    assert asked == ["v1"]


@claim("Base_Model_Modified_In_Place")
def test_replicated_layers_share_a_merge() -> None:
    """Merged without their own weights, replicated layers give other outputs."""
    config = LoraConfig(layer_replication=[[0, 1], [0, 1]], init_lora_weights=False)
    model = get_peft_model(llama(), config).eval()
    before = run(model)
    assert not torch.allclose(run(model.merge_and_unload()), before, atol=1e-2)


@claim("Load_On_Base_Device")
def test_torch_device_is_accepted(tmp_path: Path) -> None:
    """from_pretrained passes torch_device on, which says where the file is read."""
    get_peft_model(llama(), LoraConfig()).save_pretrained(tmp_path)
    PeftModel.from_pretrained(llama(), tmp_path, torch_device="cpu")
