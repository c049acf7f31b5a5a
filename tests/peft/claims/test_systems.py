"""What the heuristics on the system around PEFT say: base models, processes, devices. The pitfall, then its cure."""

from __future__ import annotations

import contextlib
import json
import warnings
from typing import TYPE_CHECKING

import peft
import pytest
import torch
from peft import (
    AutoPeftModel,
    AutoPeftModelForCausalLM,
    LoHaConfig,
    LoraConfig,
    PeftMixedModel,
    PeftModel,
    PeftModelForCausalLM,
    TrainableTokensConfig,
    get_peft_model,
    get_peft_model_state_dict,
    load_peft_weights,
    prepare_model_for_kbit_training,
)
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTuner
from peft.utils.hotswap import hotswap_adapter
from peft.utils.other import fsdp_auto_wrap_policy
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    CLIPVisionConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    ResNetConfig,
    ResNetForImageClassification,
    Trainer,
    TrainingArguments,
)
from transformers.conversion_mapping import get_checkpoint_conversion_mapping

from claims.models import (
    OPTIONS,
    claim,
    distance,
    each,
    loaded,
    refused,
    said,
    same,
    saved,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from peft import PeftConfig

# transformers renames methods that PEFT still calls by their old names
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


# --- Batch_Norm_Statistics -------------------------------------------------------------------------------------------


class Normalized(nn.Module):
    """The same two linear layers every time, with a batch norm layer between them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = (
            nn.Linear(8, 16),
            nn.BatchNorm1d(16),
            nn.Linear(16, 4),
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.first(batch)).relu())


def rows() -> torch.Tensor:
    return 3 * torch.randn(32, 8, generator=torch.Generator().manual_seed(1)) + 1


def trained(
    model: nn.Module, inputs: torch.Tensor, *, frozen: bool = False
) -> nn.Module:
    """Return the model after twenty steps, in evaluation mode."""
    optimizer = torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad), lr=1e-2
    )
    model.train()
    if frozen:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()
    for _step in range(20):
        output = model(inputs)
        getattr(output, "logits", output).pow(2).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@claim("Batch_Norm_Statistics")
@each(
    ("method", "options"),
    [
        *(
            (method, {})
            for method in (
                "Lora",
                "AdaLora",
                "Beft",
                "Deft",
                "Frod",
                "Glora",
                "HRA",
                "Hira",
                "Lily",
                "LoHa",
            )
        ),
        *(
            (method, {})
            for method in (
                "LoKr",
                "OSF",
                "Peanut",
                "Pvera",
                "RandLora",
                "TinyLora",
                "UniLora",
                "Vera",
            )
        ),
        *((method, {"r": 2}) for method in ("Miss", "Psoft", "Shira")),
        *((method, {"n_frequency": 4}) for method in ("FourierFT", "WaveFT")),
        *(("C3A", {"block_size": 4}), ("OFT", {"oft_block_size": 4})),
        *(
            ("IA3", {"feedforward_modules": []}),
            ("Road", {"group_size": 4}),
            ("Adamss", {"num_subspaces": 2, "r": 2}),
        ),
        *(
            ("Gralora", {"r": 4, "gralora_k": 2}),
            ("VBLoRA", {"num_vectors": 4, "vector_length": 4}),
        ),
    ],
)
def test_statistics_change_and_are_not_saved_unless_the_layer_is(
    method: str, options: dict[str, object], tmp_path: Path
) -> None:
    options = {"total_step": 10} if method == "AdaLora" else options
    for save, right in ((None, False), (["norm"], True)):
        config = getattr(peft, f"{method}Config")(
            target_modules=["first", "last"], modules_to_save=save, **options
        )
        model = trained(get_peft_model(Normalized(), config), rows())
        model.save_pretrained(tmp_path)
        assert any("running_mean" in name for name in saved(tmp_path)) == right

        with silent():
            again = loaded(tmp_path, Normalized())
        off = distance(again.eval()(rows()), model(rows()))
        assert off < 1e-5 if right else off > 0.1


class OverTokens(nn.Module):
    """A batch norm layer in the place of a Llama's last norm."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.batch = nn.BatchNorm1d(size)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.batch(states.transpose(1, 2)).transpose(1, 2)


@claim("Batch_Norm_Statistics")
@pytest.mark.filterwarnings("ignore")
@each(
    "method",
    [
        *("CPT", "Cartridge", "MultitaskPromptTuning", "PrefixTuning"),
        *("PromptEncoder", "PromptTuning", "Shadow", "LNTuning", "Poly"),
    ],
)
def test_methods_for_language_models_lose_the_statistics_as_well(
    method: str, tmp_path: Path
) -> None:
    def base() -> nn.Module:
        model = LlamaForCausalLM(LlamaConfig(**TEXT | {"num_hidden_layers": 2}))
        torch.manual_seed(0)
        for weight in model.parameters():
            nn.init.normal_(weight, std=0.2)
        model.model.norm = OverTokens(TEXT["hidden_size"])
        return model

    words = {"input_ids": tokens(), "attention_mask": torch.ones_like(tokens())}
    if method in {"MultitaskPromptTuning", "Poly"}:
        words["task_ids"] = torch.zeros(len(tokens()), dtype=torch.int)
    options = OPTIONS.get(method, {}) | {
        "LNTuning": {"target_modules": ["input_layernorm"]},
        "Poly": {"target_modules": ["q_proj"]},
    }.get(method, {})
    for save, right in ((None, False), (["norm.batch"], True)):
        config = getattr(peft, f"{method}Config")(
            task_type="CAUSAL_LM", modules_to_save=save, **options
        )
        model = get_peft_model(base(), config).train()
        for _call in range(3):
            model(**words)
        model.eval().save_pretrained(tmp_path)
        again = loaded(tmp_path, base()).eval()
        off = distance(again(**words).logits, model(**words).logits)
        assert off < 1e-5 if right else off > 0.01


@claim("Batch_Norm_Statistics")
def test_a_digit_as_name_also_matches_a_parameter_of_loha() -> None:
    base = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
    with refused(
        r"modules_to_save cannot be applied to modules of type .*ParameterDict",
        TypeError,
    ):
        get_peft_model(base, LoHaConfig(target_modules=["0"], modules_to_save=["1"]))


@claim("Batch_Norm_Statistics")
def test_frozen_statistics_need_not_be_saved(tmp_path: Path) -> None:
    model = trained(
        get_peft_model(Normalized(), LoraConfig(target_modules=["first", "last"])),
        rows(),
        frozen=True,
    )
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path, Normalized()).eval()
    assert same(again(rows()), model(rows()))
    assert not same(again(rows()), Normalized().eval()(rows()))


@claim("Batch_Norm_Statistics")
@each("frozen", [False, True])
def test_without_modules_to_save_the_statistics_have_to_be_frozen(
    tmp_path: Path, *, frozen: bool
) -> None:
    class Embedded(Normalized):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Embedding(32, 16)
            nn.init.normal_(
                self.first.weight, generator=torch.Generator().manual_seed(2)
            )

    config = TrainableTokensConfig(target_modules=["first"], token_indices=[1])
    assert not hasattr(config, "modules_to_save")
    words = torch.arange(32)
    model = trained(get_peft_model(Embedded(), config), words, frozen=frozen)
    model.save_pretrained(tmp_path)
    again = loaded(tmp_path, Embedded()).eval()
    assert (distance(again(words), model(words)) < 1e-5) is frozen


@claim("Batch_Norm_Statistics")
def test_a_merged_model_keeps_the_statistics() -> None:
    model = trained(
        get_peft_model(Normalized(), LoraConfig(target_modules=["first", "last"])),
        rows(),
    )
    before = model(rows())
    merged = model.merge_and_unload()
    assert same(merged(rows()), before)
    again = Normalized()
    again.load_state_dict(merged.state_dict())
    assert same(again.eval()(rows()), before)


@claim("Batch_Norm_Statistics")
def test_one_name_saves_all_norm_layers_of_resnet(tmp_path: Path) -> None:
    def resnet() -> ResNetForImageClassification:
        torch.manual_seed(0)
        shape = {
            "embedding_size": 8,
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
            "layer_type": "basic",
        }
        return ResNetForImageClassification(ResNetConfig(**shape, num_labels=3))

    images = torch.randn(4, 3, 32, 32) + 1
    for save, right in (
        (["classifier"], False),
        (["classifier", "normalization"], True),
    ):
        config = LoraConfig(target_modules=["convolution"], modules_to_save=save)
        model = trained(get_peft_model(resnet(), config), images)
        model.save_pretrained(tmp_path)
        again = loaded(tmp_path, resnet()).eval()
        off = distance(again(images).logits, model(images).logits)
        assert off < 1e-5 if right else off > 0.1


# --- DDP_Reentrant_Checkpointing -------------------------------------------------------------------------------------

TWICE = "Expected to mark a variable ready only once"


def llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, **shape))


def tokens() -> torch.Tensor:
    return torch.arange(16).reshape(2, 8)


def checkpointed(
    kwargs: dict[str, bool] | None, *, save: list[str] | None = None
) -> PeftModel:
    model = get_peft_model(
        llama(), LoraConfig(task_type="CAUSAL_LM", modules_to_save=save)
    )
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kwargs)
    return model.train()


def backward(model: nn.Module, **options: bool) -> None:
    """Do two backward passes under DDP: some errors are only found in the second."""
    parallel = DistributedDataParallel(model, **options)
    for _step in range(2):
        parallel.zero_grad()
        parallel(input_ids=tokens(), labels=tokens()).loss.backward()


@claim("DDP_Reentrant_Checkpointing")
@pytest.mark.usefixtures("one_process")
@each("save", [None, ["lm_head"]])
@each("search", [False, True])
def test_only_the_reentrant_variant_fails_and_only_in_the_search(
    save: list[str] | None,
    search: bool,  # noqa: FBT001
) -> None:
    backward(
        checkpointed({"use_reentrant": False}, save=save), find_unused_parameters=search
    )
    with refused(TWICE, RuntimeError) if search else contextlib.nullcontext() as caught:
        backward(
            checkpointed({"use_reentrant": True}, save=save),
            find_unused_parameters=search,
        )
    if caught is not None:
        assert "Reused parameters in multiple reentrant backward passes" in str(
            caught.value
        )
        assert "default.weight has been marked as ready twice" in str(caught.value)


@claim("DDP_Reentrant_Checkpointing")
@pytest.mark.usefixtures("one_process")
def test_static_graph_avoids_the_error() -> None:
    backward(
        checkpointed({"use_reentrant": True}),
        find_unused_parameters=True,
        static_graph=True,
    )


@claim("DDP_Reentrant_Checkpointing")
def test_gradients_of_both_variants_are_the_same() -> None:
    gradients = []
    for reentrant in (True, False):
        model = checkpointed({"use_reentrant": reentrant})
        model(input_ids=tokens(), labels=tokens()).loss.backward()
        gradients.append([p.grad for p in model.parameters() if p.requires_grad])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert any(float(one.norm()) > 0 for one in gradients[0])


@claim("DDP_Reentrant_Checkpointing")
@pytest.mark.usefixtures("one_process")
@each(
    ("kwargs", "works"),
    [(None, False), ({"use_reentrant": True}, False), ({"use_reentrant": False}, True)],
)
def test_preparation_for_quantized_training_chooses_the_reentrant_variant(
    tmp_path: Path, kwargs: dict[str, bool] | None, *, works: bool
) -> None:
    base = prepare_model_for_kbit_training(
        in_4_bit(tmp_path), gradient_checkpointing_kwargs=kwargs
    )
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM")).train()
    with contextlib.nullcontext() if works else refused(TWICE, RuntimeError):
        backward(model, find_unused_parameters=True)


def in_4_bit(
    folder: Path, *, dtype: torch.dtype = torch.bfloat16, **options: object
) -> LlamaForCausalLM:
    llama().to(dtype).save_pretrained(folder)
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16, **options
    )
    return AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=quantization, dtype=dtype
    )


@claim("DDP_Reentrant_Checkpointing")
def test_trainer_searches_for_unused_parameters_of_a_peft_model(tmp_path: Path) -> None:
    arguments = TrainingArguments(str(tmp_path), use_cpu=True, report_to=[])
    searches = {}
    for model in (llama(), get_peft_model(llama(), LoraConfig(task_type="CAUSAL_LM"))):
        model.gradient_checkpointing_enable()
        searches[type(model)] = Trainer(
            model, arguments
        ).accelerator.ddp_handler.find_unused_parameters
    assert searches == {LlamaForCausalLM: False, PeftModelForCausalLM: True}


# --- FSDP_Quant_Storage ----------------------------------------------------------------------------------------------

SAME = "Must flatten tensors with uniform dtype but got "


def shard(
    model: nn.Module, *, policy: bool = True, original: bool = False
) -> FullyShardedDataParallel:
    return FullyShardedDataParallel(
        model,
        auto_wrap_policy=fsdp_auto_wrap_policy(model) if policy else None,
        use_orig_params=original,
        device_id=torch.device("cpu"),
    )


def qlora(base: LlamaForCausalLM, **options: bool) -> PeftModel:
    return get_peft_model(
        base, LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"), **options
    )


def loss(model: nn.Module) -> torch.Tensor:
    return model(input_ids=tokens(), labels=tokens()).loss


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
def test_storage_in_the_dtype_of_the_model_can_be_flattened(tmp_path: Path) -> None:
    model = qlora(in_4_bit(tmp_path, bnb_4bit_quant_storage=torch.bfloat16))
    expected = loss(
        model.train()
    )  # in evaluation mode, bitsandbytes would repack the weights on a CPU
    sharded = shard(model)
    actual = loss(sharded)
    actual.backward()
    assert same(actual, expected)
    trained = [
        parameter for parameter in sharded.parameters() if parameter.requires_grad
    ]
    assert trained
    assert all(parameter.grad is not None for parameter in trained)


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
@each(
    ("storage", "prepared", "policy", "message"),
    [
        (None, False, True, "Cannot flatten integer dtype tensors"),
        (torch.float32, False, True, f"{SAME}torch.float32 and torch.bfloat16"),
        (torch.bfloat16, True, True, f"{SAME}torch.bfloat16 and torch.float32"),
        (torch.bfloat16, False, False, f"{SAME}torch.bfloat16 and torch.float32"),
    ],
    ids=["default", "fp32", "prepared", "no policy"],
)
def test_each_row_of_the_table_has_this_error(
    tmp_path: Path,
    storage: torch.dtype | None,
    message: str,
    *,
    prepared: bool,
    policy: bool,
) -> None:
    base = in_4_bit(
        tmp_path, **({} if storage is None else {"bnb_4bit_quant_storage": storage})
    )
    if prepared:
        base = prepare_model_for_kbit_training(
            base, gradient_checkpointing_kwargs={"use_reentrant": False}
        )
    with refused(message):
        shard(qlora(base), policy=policy, original=not policy)


@claim("FSDP_Quant_Storage")
def test_storage_changes_neither_size_nor_outputs(tmp_path: Path) -> None:
    models = [
        in_4_bit(tmp_path, bnb_4bit_quant_storage=storage)
        for storage in (torch.uint8, torch.bfloat16)
    ]
    weights = [model.model.layers[0].self_attn.q_proj.weight for model in models]
    assert [weight.dtype for weight in weights] == [torch.uint8, torch.bfloat16]
    assert weights[0].nbytes == weights[1].nbytes
    assert torch.equal(*(loss(model.train()) for model in models))


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
def test_an_adapter_in_16_bit_needs_no_policy(tmp_path: Path) -> None:
    base = in_4_bit(tmp_path, bnb_4bit_quant_storage=torch.bfloat16)
    loss(
        shard(qlora(base, autocast_adapter_dtype=False), policy=False, original=True)
    ).backward()


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
def test_but_then_the_original_parameters(tmp_path: Path) -> None:
    base = in_4_bit(tmp_path, bnb_4bit_quant_storage=torch.bfloat16)
    model = qlora(base, autocast_adapter_dtype=False)
    with refused("Must flatten tensors with uniform `requires_grad`"):
        shard(model, policy=False)


@claim("FSDP_Quant_Storage")
@pytest.mark.usefixtures("one_process")
def test_fp32_throughout_works_too_even_prepared(tmp_path: Path) -> None:
    base = in_4_bit(tmp_path, dtype=torch.float32, bnb_4bit_quant_storage=torch.float32)
    base = prepare_model_for_kbit_training(
        base, gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    loss(shard(qlora(base).train())).backward()


# --- Vision_Tower_Targeted -------------------------------------------------------------------------------------------

TOWERS = ("language_model", "vision_tower", "multi_modal_projector")


def llava() -> LlavaForConditionalGeneration:
    torch.manual_seed(0)
    size = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    vision = CLIPVisionConfig(**size, image_size=8, patch_size=4, projection_dim=16)
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**size, vocab_size=64),
        image_token_index=63,
    )
    return LlavaForConditionalGeneration(config)


def picture() -> dict[str, torch.Tensor]:
    words = torch.tensor([[1, 63, 63, 63, 63, 5, 6, 7]])
    return {"input_ids": words, "labels": words, "pixel_values": torch.ones(1, 3, 8, 8)}


def targets(**options: object) -> dict[str, int]:
    """Return how many layers of each part of the model get an adapter."""
    names = get_peft_model(llava(), LoraConfig(**options)).targeted_module_names
    return {tower: sum(tower in name for name in names) for tower in TOWERS}


@claim("Vision_Tower_Targeted")
def test_names_of_the_language_model_match_the_tower_until_it_is_excluded() -> None:
    names = ["q_proj", "v_proj"]
    assert list(targets(target_modules=names).values()) == [4, 4, 0]
    assert list(targets(target_modules="all-linear").values()) == [14, 12, 2]
    for tower in (r".*vision_tower.*", r"model\.vision_tower\..*"):
        assert list(targets(target_modules=names, exclude_modules=tower).values()) == [
            4,
            0,
            0,
        ]
        assert list(
            targets(target_modules="all-linear", exclude_modules=tower).values()
        ) == [14, 0, 2]
    assert list(
        targets(target_modules=r".*language_model.*\.(q_proj|v_proj)").values()
    ) == [4, 0, 0]


@claim("Vision_Tower_Targeted")
def test_in_qwen2_only_all_linear_finds_the_tower() -> None:
    for targets, in_the_tower in ((["q_proj", "v_proj"], False), ("all-linear", True)):
        model = get_peft_model(qwen2(), LoraConfig(target_modules=targets))
        found = {"visual" in name for name in model.targeted_module_names}
        assert found == ({False, True} if in_the_tower else {False})


@claim("Vision_Tower_Targeted")
def test_a_list_does_not_exclude_what_is_in_the_tower_and_says_nothing() -> None:
    def excluding(name: str) -> tuple[dict[str, int], bool]:
        with said() as texts:
            found = targets(target_modules=["q_proj"], exclude_modules=[name])
        return found, any("no modules were excluded" in text for text in texts)

    assert excluding("vision_tower") == (
        {"language_model": 2, "vision_tower": 2, "multi_modal_projector": 0},
        False,
    )
    assert excluding("no_such_tower") == (
        {"language_model": 2, "vision_tower": 2, "multi_modal_projector": 0},
        True,
    )


@claim("Vision_Tower_Targeted")
def test_a_frozen_tower_is_trained_all_the_same() -> None:
    base = llava()
    base.model.vision_tower.requires_grad_(requires_grad=False)
    model = get_peft_model(base, LoraConfig(target_modules=["q_proj", "v_proj"]))
    model(**picture()).loss.backward()
    tower = {
        name: p.grad
        for name, p in model.named_parameters()
        if p.requires_grad and "vision_tower" in name
    }
    assert any(grad is not None and float(grad.norm()) > 0 for grad in tower.values())
    assert {name for name, grad in tower.items() if grad is None} == {
        name for name in tower if "layers.1." in name
    }


@claim("Vision_Tower_Targeted")
@pytest.mark.usefixtures("one_process")
def test_the_last_layer_of_the_tower_stops_ddp() -> None:
    def train(**options: object) -> None:
        model = get_peft_model(
            llava(), LoraConfig(target_modules=["q_proj", "v_proj"], **options)
        )
        parallel = DistributedDataParallel(model)
        for _step in range(2):
            parallel(**picture()).loss.backward()

    with refused(
        "Expected to have finished reduction in the prior iteration", RuntimeError
    ):
        train()
    train(exclude_modules=r".*vision_tower.*")


# --- Renamed_Base_Modules --------------------------------------------------------------------------------------------

MISSING = "Found missing adapter keys while loading the checkpoint"
QWEN = {
    r"^visual": "model.visual",
    r"^model(?!\.(language_model|visual))": "model.language_model",
}
LLAVA = {
    r"^language_model\.model": "model.language_model",
    r"^vision_tower\.vision_model": "model.vision_tower",
}
TEXT = {
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
SIGHT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
IMAGE = {"image_size": 8, "patch_size": 4}


def gemma() -> nn.Module:
    text = {**TEXT, "num_key_value_heads": 1, "head_dim": 8}
    config = Gemma3Config(
        text_config=text, vision_config={**SIGHT, **IMAGE}, mm_tokens_per_image=4
    )
    return Gemma3ForConditionalGeneration(config)


def paligemma() -> nn.Module:
    text = {**TEXT, "num_key_value_heads": 1, "head_dim": 8, "model_type": "gemma"}
    vision = {
        **SIGHT,
        **IMAGE,
        "projection_dim": 16,
        "model_type": "siglip_vision_model",
    }
    return PaliGemmaForConditionalGeneration(
        PaliGemmaConfig(
            text_config=text,
            vision_config=vision,
            projection_dim=16,
            image_token_index=63,
        )
    )


def qwen2() -> nn.Module:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2]}
    vision = {
        "depth": 1,
        "embed_dim": 16,
        "hidden_size": 16,
        "num_heads": 2,
        "patch_size": 4,
    }
    text = {**TEXT, "num_key_value_heads": 1, "rope_parameters": rope}
    return Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(text_config=text, vision_config=vision)
    )


def qwen25() -> nn.Module:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2]}
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_heads": 2,
        "out_hidden_size": 16,
    }
    text = {**TEXT, "num_key_value_heads": 1, "rope_parameters": rope}
    return Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    )


def before_4_52(name: str) -> str:
    """Return what a key of today was called when the language model had its head."""
    start = "base_model.model."
    return (
        name.replace(f"{start}model.language_model.", f"{start}language_model.model.")
        .replace(f"{start}model.vision_tower.", f"{start}vision_tower.vision_model.")
        .replace(
            f"{start}model.multi_modal_projector.", f"{start}multi_modal_projector."
        )
    )


def before_4_52_in_qwen(name: str) -> str:
    start = "base_model.model."
    return name.replace(f"{start}model.language_model.", f"{start}model.").replace(
        f"{start}model.visual.", f"{start}visual."
    )


def aged(
    folder: Path, base: nn.Module, config: PeftConfig, rename: Callable[[str], str]
) -> dict[str, torch.Tensor]:
    """Save an adapter under the names of an older transformers, and return what is in it, under those of today."""
    get_peft_model(base, config).save_pretrained(folder)
    # as after training: not what a new adapter begins with
    weights = {name: weight + 1 for name, weight in saved(folder).items()}
    renamed = {rename(name): weight for name, weight in weights.items()}
    assert not renamed.keys() & {name for name in weights if "language_model" in name}
    save_file(renamed, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return weights


def weights_of(
    folder: Path, base: nn.Module, **options: object
) -> tuple[dict[str, torch.Tensor], bool]:
    """Return the weights of the loaded adapter, and whether PEFT warned that some are missing."""
    with said() as texts:
        model = loaded(folder, base, **options)
    return get_peft_model_state_dict(model), any(MISSING in text for text in texts)


def count(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> int:
    assert found.keys() == expected.keys()
    return sum(torch.equal(found[name], expected[name]) for name in expected)


#: Family → what makes a model of it, what its keys were called, and what maps them.
FAMILIES = {
    "llava": (llava, before_4_52, LLAVA),
    "gemma": (gemma, before_4_52, LLAVA),
    "paligemma": (paligemma, before_4_52, LLAVA),
    "qwen2": (qwen2, before_4_52_in_qwen, QWEN),
    "qwen2.5": (qwen25, before_4_52_in_qwen, QWEN),
}


@claim("Renamed_Base_Modules")
@each(
    ("family", "method", "converted"),
    [
        ("llava", "Lora", True),
        ("gemma", "Lora", True),
        ("paligemma", "Lora", True),
        ("qwen2", "Lora", False),
        ("qwen2.5", "Lora", False),
        ("llava", "LoHa", False),
    ],
)
def test_old_adapters_are_loaded_with_a_mapping_and_some_without(
    tmp_path: Path, family: str, method: str, *, converted: bool
) -> None:
    make, rename, mapping = FAMILIES[family]
    config = getattr(peft, f"{method}Config")(
        target_modules=["q_proj", "v_proj", "qkv"]
    )
    weights = aged(tmp_path, make(), config, rename)

    found, warned = weights_of(tmp_path, make())
    assert count(found, weights) == (len(weights) if converted else 0)
    assert warned != converted

    found, warned = weights_of(tmp_path, make(), key_mapping=mapping)
    assert count(found, weights) == len(weights)
    assert not warned


@claim("Renamed_Base_Modules")
def test_the_mapping_is_right_for_new_adapters_and_needed_by_each_further_one(
    tmp_path: Path,
) -> None:
    config = LoraConfig(target_modules=["q_proj", "qkv"], init_lora_weights=False)
    get_peft_model(qwen2(), config).save_pretrained(tmp_path / "new")
    weights = aged(tmp_path / "old", qwen2(), config, before_4_52_in_qwen)
    found, warned = weights_of(tmp_path / "new", qwen2(), key_mapping=QWEN)
    assert count(found, saved(tmp_path / "new")) == len(found)
    assert not warned

    model = loaded(tmp_path / "old", qwen2(), key_mapping=QWEN)
    with silent():
        assert model.load_adapter(tmp_path / "old", "second").unexpected_keys
        assert not model.load_adapter(
            tmp_path / "old", "third", key_mapping=QWEN
        ).unexpected_keys
    assert count(get_peft_model_state_dict(model, adapter_name="second"), weights) == 0
    assert count(
        get_peft_model_state_dict(model, adapter_name="third"), weights
    ) == len(weights)

    model.save_pretrained(tmp_path / "again")
    assert count(saved(tmp_path / "again"), weights) == len(weights)


@claim("Renamed_Base_Modules")
def test_other_ways_to_load_take_the_mapping(tmp_path: Path) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    qwen2().save_pretrained(base)

    def load_base() -> nn.Module:
        return Qwen2VLForConditionalGeneration.from_pretrained(base)

    lora = LoraConfig(target_modules=["q_proj"], init_lora_weights=False)
    model = get_peft_model(load_base(), lora).eval()
    model.save_pretrained(folder)
    file = folder / "adapter_model.safetensors"
    save_file(
        {before_4_52_in_qwen(name): it for name, it in load_file(file).items()}, file
    )
    with torch.no_grad():
        expected = model(input_ids=tokens()).logits
    ways = {
        "auto": lambda **options: AutoPeftModel.from_pretrained(folder, **options),
        "mixed": lambda **options: PeftMixedModel.from_pretrained(
            load_base(), folder, **options
        ),
    }
    for load in ways.values():
        for options, right in (({}, False), ({"key_mapping": QWEN}, True)):
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                logits = load(**options).eval()(input_ids=tokens()).logits
            assert same(logits, expected) is right
    mixed = get_peft_model(load_base(), lora, mixed=True)
    mixed.load_adapter(folder, "old", key_mapping=QWEN)
    mixed.set_adapter("old")
    with torch.no_grad():
        logits = mixed.eval()(input_ids=tokens()).logits
    assert same(logits, expected)


@claim("Renamed_Base_Modules")
def test_the_table_of_transformers_has_qwen_by_class_and_the_others_by_type() -> None:
    for model in (qwen2(), qwen25()):
        assert get_checkpoint_conversion_mapping(model.config.model_type) is None
        rules = get_checkpoint_conversion_mapping(type(model).__name__)
        table = dict(
            zip(
                rules[0].source_patterns + rules[1].source_patterns,
                QWEN.values(),
                strict=True,
            )
        )
        assert table == QWEN
        assert [rule.target_patterns for rule in rules] == [
            [value] for value in QWEN.values()
        ]
    for model in (llava(), gemma(), paligemma()):
        assert get_checkpoint_conversion_mapping(model.config.model_type)


@claim("Renamed_Base_Modules")
def test_models_of_transformers_5_have_no_mapping_for_peft_to_use(
    tmp_path: Path,
) -> None:
    assert not hasattr(qwen2(), "_checkpoint_conversion_mapping")
    weights = aged(
        tmp_path,
        qwen2(),
        LoraConfig(target_modules=["q_proj", "qkv"]),
        before_4_52_in_qwen,
    )
    base = qwen2()
    base._checkpoint_conversion_mapping = QWEN  # noqa: SLF001 - it is what PEFT reads
    found, warned = weights_of(tmp_path, base)
    assert count(found, weights) == len(weights)
    assert not warned


# --- Load_On_Base_Device ---------------------------------------------------------------------------------------------


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an adapter on a machine that says it has a GPU, although it has none."""
    get_peft_model(Normalized(), LoraConfig(target_modules=["first"])).save_pretrained(
        tmp_path
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return tmp_path


@claim("Load_On_Base_Device")
def test_an_adapter_for_a_base_on_the_cpu_is_sent_to_the_gpu_unless_told_otherwise(
    adapter: Path,
) -> None:
    no_gpu = refused("CUDA", (RuntimeError, AssertionError))
    with no_gpu:
        loaded(adapter, Normalized())
    model = loaded(adapter, Normalized(), torch_device="cpu")
    with no_gpu:
        model.load_adapter(adapter, "second")
    model.load_adapter(adapter, "third", torch_device="cpu")
    with no_gpu:
        PeftMixedModel.from_pretrained(Normalized(), adapter)
    PeftMixedModel.from_pretrained(Normalized(), adapter, torch_device="cpu")
    with no_gpu:
        hotswap_adapter(model, adapter, "default")
    hotswap_adapter(model, adapter, "default", torch_device="cpu")
    with no_gpu:
        load_peft_weights(adapter)
    with no_gpu:  # the argument has another name, and is swallowed
        load_peft_weights(adapter, torch_device="cpu")
    assert load_peft_weights(adapter, device="cpu")
    mixed = get_peft_model(
        Normalized(), LoraConfig(target_modules=["first"]), mixed=True
    )
    with no_gpu:
        mixed.load_adapter(adapter, "second")
    mixed.load_adapter(adapter, "third", torch_device="cpu")


@claim("Load_On_Base_Device")
def test_auto_classes_and_transformers_refuse_the_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    LlamaForCausalLM(LlamaConfig(**TEXT)).save_pretrained(base)
    model = LlamaForCausalLM.from_pretrained(base)
    get_peft_model(model, LoraConfig(task_type="CAUSAL_LM")).save_pretrained(folder)
    with refused("torch_device", TypeError):
        AutoPeftModelForCausalLM.from_pretrained(folder, torch_device="cpu")
    with refused("torch_device", TypeError):
        LlamaForCausalLM.from_pretrained(base).load_adapter(folder, torch_device="cpu")

    asked = []

    def load(file: str, device: str) -> dict[str, torch.Tensor]:
        asked.append(device)
        return load_file(file)

    monkeypatch.setattr(peft.utils.save_and_load, "safe_load_file", load)
    monkeypatch.setattr(peft.peft_model, "infer_device", lambda: "cuda")
    AutoPeftModelForCausalLM.from_pretrained(folder)
    loaded(folder, LlamaForCausalLM.from_pretrained(base), torch_device="cpu")
    assert asked == ["cuda", "cpu"]


@claim("Eval_Mode_Not_Kept")
@claim("Missing_Adapter_Keys")
@claim("Newer_Config_Keys_Ignored")
def test_what_transformers_load_adapter_does_to_mode_keys_and_settings(
    tmp_path: Path,
) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    LlamaForCausalLM(LlamaConfig(**TEXT)).save_pretrained(base)
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
    model = LlamaForCausalLM.from_pretrained(base)
    get_peft_model(model, lora).save_pretrained(folder)
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {"target_modules": ["q_proj", "o_proj"], "use_next_idea": True}
    path.write_text(json.dumps(settings), encoding="utf-8")

    model = LlamaForCausalLM.from_pretrained(base).train()
    with pytest.warns(UserWarning, match="Unexpected keyword arguments"):
        result = model.load_adapter(folder)
    assert not model.training
    assert all("o_proj" in name for name in result.missing_keys)
    assert result.missing_keys


@claim("Load_On_Base_Device")
@each("empty", [False, True])
def test_what_is_loaded_elsewhere_ends_up_where_the_base_is(
    adapter: Path, monkeypatch: pytest.MonkeyPatch, *, empty: bool
) -> None:
    asked = []

    def load(file: str, device: str) -> dict[str, torch.Tensor]:
        asked.append(device)
        return load_file(file)

    monkeypatch.setattr(peft.utils.save_and_load, "safe_load_file", load)
    for options, device in (({}, "cuda"), ({"torch_device": "cpu"}, "cpu")):
        model = loaded(adapter, Normalized(), low_cpu_mem_usage=empty, **options)
        assert asked.pop() == device
        assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


@claim("Load_On_Base_Device")
def test_the_cpu_has_no_number(adapter: Path) -> None:
    with refused("device cpu:0 is invalid", SafetensorError):
        loaded(adapter, Normalized(), torch_device=str(torch.device("cpu:0")))


@claim("Load_On_Base_Device")
def test_a_base_on_another_device_gets_its_adapter_there(adapter: Path) -> None:
    model = loaded(adapter, Normalized().to("meta"), torch_device="cpu")
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


# --- Unmerge_In_16_Bit -----------------------------------------------------------------------------------------------


def one_layer(method: str, dtype: torch.dtype) -> PeftModel:
    torch.manual_seed(0)
    base = nn.Sequential(
        nn.Embedding(64, 64) if method == "TrainableTokens" else nn.Linear(64, 64)
    ).to(dtype)
    options = {
        "AdaLora": {"total_step": 10},
        "Adamss": {"num_subspaces": 2, "r": 4},
        "BOFT": {"boft_block_size": 4},
        "C3A": {"block_size": 16},
        "FourierFT": {"n_frequency": 50},
        "IA3": {"feedforward_modules": []},
        "Miss": {"r": 4},
        "OFT": {"oft_block_size": 4},
        "Psoft": {"r": 4},
        "Shira": {"r": 2},
        "TrainableTokens": {"token_indices": [1]},
        "VBLoRA": {"num_vectors": 8, "vector_length": 16},
        "WaveFT": {"n_frequency": 50},
    }
    return get_peft_model(
        base,
        getattr(peft, f"{method}Config")(
            target_modules=["0"], **options.get(method, {})
        ),
    )


def weight_of(model: PeftModel) -> torch.Tensor:
    """Return what a merge changes: the weight, or BEFT's bias."""
    layer = model.base_model.model[0].get_base_layer()
    beft = isinstance(model.peft_config["default"], peft.BeftConfig)
    return (layer.bias if beft else layer.weight).detach().clone()


def cycles(
    model: PeftModel, *counts: int, restore: bool = False, update: float = 0.02
) -> list[float]:
    """Merge and unmerge, with other values in the adapter each time, and return how far the weight is off by then."""
    generator = torch.Generator().manual_seed(1)
    start = {
        name: p.detach().clone()
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    kept = {
        name: weight.clone()
        for name, weight in model.state_dict().items()
        if ".base_layer." in name
    }
    before, off = weight_of(model).float(), []
    for cycle in range(1, max(counts) + 1):
        for name, parameter in model.named_parameters():
            if name in start:
                moved = start[name] + update * torch.randn(
                    parameter.shape, generator=generator
                )
                parameter.data = moved.to(parameter.dtype)
        model.merge_adapter()
        assert distance(weight_of(model).float(), before) > 1e-3, "merged"
        model.unmerge_adapter()
        if restore:
            model.load_state_dict(kept, strict=False)
        if cycle in counts:
            off.append(distance(weight_of(model).float(), before))
    return off


@claim("Unmerge_In_16_Bit")
@each(
    ("dtype", "expected"),
    [
        (torch.bfloat16, [0.0009, 0.0029, 0.0072, 0.017]),
        (torch.float16, [0.00012, 0.00037, 0.00096, 0.0028]),
        (torch.float32, [9e-9, 3.3e-8, 1.1e-7, 3.1e-7]),
    ],
)
def test_errors_of_unmerging_add_up_unless_the_weights_are_restored(
    dtype: torch.dtype, expected: list[float]
) -> None:
    assert cycles(one_layer("Lora", dtype), 1, 10, 100, 1000) == pytest.approx(
        expected, rel=0.1
    )
    assert cycles(one_layer("Lora", dtype), 1, 10, restore=True) == [0, 0]


@claim("Unmerge_In_16_Bit")
def test_the_update_is_six_percent_of_the_weight() -> None:
    model = one_layer("Lora", torch.float32)
    cycles(model, 1)
    update = model.base_model.model[0].get_delta_weight("default")
    assert float(update.norm() / weight_of(model).norm()) == pytest.approx(
        0.062, abs=0.002
    )


#: These restore what was there.
EXACT = {"Frod", "Hira", "LNTuning", "Peanut", "TrainableTokens"}
#: These merge nothing.
UNMERGEABLE = {"Lily", "Poly", "Shadow"}
#: The methods whose tuner has the `unmerge_adapter` of all; X-LoRA is below.
UNMERGING = sorted(
    PEFT_TYPE_TO_CONFIG_MAPPING[kind].__name__.removesuffix("Config")
    for kind, tuner in PEFT_TYPE_TO_TUNER_MAPPING.items()
    if getattr(tuner, "unmerge_adapter", None) is BaseTuner.unmerge_adapter
    and kind != peft.PeftType.XLORA
)


@claim("Unmerge_In_16_Bit")
@pytest.mark.filterwarnings("ignore")
@each("method", [it for it in UNMERGING if it not in UNMERGEABLE])
def test_each_method_loses_more_in_bf16_unless_it_restores(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "TORCH_EXTENSIONS_DIR", str(tmp_path)
    )  # BOFT tries to compile one
    wide, narrow = (
        cycles(one_layer(method, dtype), 3, update=0.1)[0]
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert wide < 1e-5
    assert narrow == 0 if method in EXACT else narrow > 1e-4


@claim("Unmerge_In_16_Bit")
def test_a_mixed_model_and_xlora_lose_more_in_bf16_too(tmp_path: Path) -> None:
    def lost(model: nn.Module, layer: nn.Module) -> float:
        before = layer.weight.detach().float().clone()
        model.base_model.merge_adapter()
        assert distance(layer.weight.float(), before) > 0.1
        model.base_model.unmerge_adapter()
        return distance(layer.weight.float(), before)

    def mixed(dtype: torch.dtype) -> float:
        layer = nn.Linear(64, 64).to(dtype)
        model = get_peft_model(
            nn.Sequential(layer),
            LoraConfig(target_modules=["0"], init_lora_weights=False),
            mixed=True,
        )
        model.add_adapter("other", LoHaConfig(target_modules=["0"], init_weights=False))
        model.set_adapter(["default", "other"])
        return lost(model, layer)

    def xlora(dtype: torch.dtype) -> float:
        base = llama().to(dtype)
        base.config.use_cache = False
        experts = {"0": str(tmp_path)}
        config = peft.XLoraConfig(
            task_type="CAUSAL_LM", hidden_size=64, adapters=experts, xlora_depth=1
        )
        layer = base.model.layers[0].self_attn.q_proj
        return lost(get_peft_model(base, config), layer)

    expert = LoraConfig(
        target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM"
    )
    get_peft_model(llama(), expert).save_pretrained(tmp_path)
    for kind in (mixed, xlora):
        assert kind(torch.float32) < 1e-6
        assert kind(torch.bfloat16) > 1e-3


@claim("Unmerge_In_16_Bit")
def test_left_out_because_shadow_does_not_merge_and_osf_does_not_unmerge() -> None:
    with pytest.raises(NotImplementedError):
        get_peft_model(
            llama(), peft.ShadowConfig(task_type="CAUSAL_LM")
        ).merge_adapter()
    model = one_layer("OSF", torch.bfloat16)
    model.merge_adapter()
    with refused("OSF models do not support unmerging", NotImplementedError):
        model.unmerge_adapter()


@claim("Unmerge_In_16_Bit")
@each(("method", "warns"), [("IA3", True), ("Lora", False)])
def test_only_ia3_warns_and_in_fp32_too(method: str, *, warns: bool) -> None:
    model = one_layer(method, torch.float32)
    model.merge_adapter()
    with said() as texts:
        model.unmerge_adapter()
    assert texts == ["Unmerge result can be inaccurate for (IA)^3."] * warns


@claim("Unmerge_In_16_Bit")
def test_the_same_adapter_does_most_of_the_harm_at_once() -> None:
    model = one_layer("Lora", torch.bfloat16)
    before = weight_of(model).float()
    cycles(model, 1)
    first = distance(weight_of(model).float(), before)
    for _cycle in range(9):
        model.merge_adapter()
        model.unmerge_adapter()
    assert 0 < first <= distance(weight_of(model).float(), before) < 1.2 * first


@claim("Unmerge_In_16_Bit")
def test_one_merge_in_bf16_is_as_far_off_as_no_merge() -> None:
    def adapted(dtype: torch.dtype) -> PeftModel:
        model = qlora(llama().to(torch.bfloat16).to(dtype))
        generator = torch.Generator().manual_seed(1)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data = (
                    0.01 * torch.randn(parameter.shape, generator=generator)
                ).to(parameter.dtype)
        return model.eval()

    def logits(model: nn.Module) -> torch.Tensor:
        with torch.no_grad():
            return model(input_ids=tokens()).logits.float()

    exact = logits(adapted(torch.float32))
    model = adapted(torch.float32)
    with model.disable_adapter():
        assert distance(logits(model), exact) == pytest.approx(0.12, abs=0.03)
    unmerged = distance(logits(adapted(torch.bfloat16)), exact)
    merged = distance(logits(adapted(torch.bfloat16).merge_and_unload()), exact)
    cast = distance(
        logits(adapted(torch.float32).merge_and_unload().to(torch.bfloat16)), exact
    )
    assert unmerged == pytest.approx(0.005, abs=0.001)
    assert merged == pytest.approx(unmerged, rel=0.2)
    assert cast == pytest.approx(merged, rel=0.2)
