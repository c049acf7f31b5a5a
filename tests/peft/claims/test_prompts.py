"""What the heuristics on prompts, on X-LoRA and on the calls of `generate` say, run on tiny random models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peft
import pytest
import torch
import transformers
from peft import (
    AdaptionPromptConfig,
    PeftModel,
    XLoraConfig,
    get_peft_model,
    get_peft_model_state_dict,
)
from peft.helpers import rescale_adapter_scale
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointError
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    CLIPTextConfig,
    CLIPTextModel,
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    IdeficsConfig,
    IdeficsForVisionText2Text,
    LlamaForSequenceClassification,
    MobileViTConfig,
    MobileViTForImageClassification,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTForImageClassification,
)

from claims.models import (
    CAUSAL,
    IMAGE,
    PROMPT,
    ROWS,
    adapted,
    claim,
    config,
    distance,
    each,
    linear,
    llama,
    loaded,
    lora,
    refused,
    run,
    said,
    same,
    silent,
    trainable,
    trained,
    trainer,
    xlora,
)

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("PromptTuning", "PromptEncoder", "PrefixTuning")
CLASSES = {"task_type": "SEQ_CLS"}
SEQUENCES = {"task_type": "SEQ_2_SEQ_LM"}
WORDS = {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 1}
BERT = BertConfig(**WORDS, num_attention_heads=2, intermediate_size=16)


def t5(**sizes: int) -> nn.Module:
    """Return a T5 of one layer on each side, whose heads are together as wide as the model."""
    usual = {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_heads": 2}
    ends = {"pad_token_id": 0, "decoder_start_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = T5Config(**usual | sizes, num_layers=1, **ends)
        return T5ForConditionalGeneration(made).eval()


def bart() -> nn.Module:
    """Return a BART of one layer on each side."""
    sides = {
        f"{side}_{part}": number
        for side in ("encoder", "decoder")
        for part, number in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 16))
    }
    ends = {"pad_token_id": 0, "decoder_start_token_id": 2, "forced_eos_token_id": None}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = BartForConditionalGeneration(
            BartConfig(vocab_size=64, d_model=16, init_std=0.3, **sides, **ends)
        )
        return made.eval()


# -- Prompt_Learning_Rate --

rates = claim("Prompt_Learning_Rate")


def counting(step: int, rows: int = 32) -> dict[str, Tensor]:
    """Return texts that count up or down from a token that nobody can know."""
    first = torch.randint(4, 32, (rows, 1))
    ids = (first - 4 + step * torch.arange(6)) % 28 + 4
    labels = ids.clone()
    labels[:, 0] = -100
    return {"input_ids": ids, "labels": labels}


def train(model: nn.Module, lr: float, count: int, *ways: int) -> None:
    """Train a model to count in some ways."""
    model.train()
    adam = torch.optim.AdamW(trainable(model).values(), lr=lr)
    for _ in range(count):
        for way in ways:
            model(**counting(way)).loss.backward()
        adam.step()
        adam.zero_grad()


def loss_of(model: nn.Module) -> float:
    """Return how badly a model counts down."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        return model.eval()(**counting(-1)).loss.item()


@pytest.fixture(scope="module")
def both_ways() -> nn.Module:
    """Return a model that counts up or down, and does not know which."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "pad_token_id": 0}
    base = llama(vocab_size=32, **sizes)
    train(base, 1e-2, 100, 1, -1)
    return base


def to_count_down(
    base: nn.Module, kind: str, lr: float, **options: object
) -> tuple[float, float]:
    """Train a prompt to count down, and return the losses before and after."""
    fresh = llama(vocab_size=32, hidden_size=32, num_hidden_layers=2, pad_token_id=0)
    fresh.load_state_dict(base.state_dict())
    torch.manual_seed(0)
    ours = config(kind, num_virtual_tokens=8, **options, **CAUSAL)
    model = get_peft_model(fresh, ours)
    before = loss_of(model)
    train(model, lr, 50, -1)
    return before, loss_of(model)


@rates
@each("kind", ["PromptTuning", "PrefixTuning"])
def test_at_the_default_rate_the_loss_hardly_falls(
    kind: str, both_ways: nn.Module
) -> None:
    before, after = to_count_down(both_ways, kind, 5e-5)
    assert after > 0.9 * before
    assert min(before, after) > loss_of(both_ways), "worse than without a prompt"
    before, after = to_count_down(both_ways, kind, 0.1)
    assert after < before / 2
    assert after < loss_of(both_ways)


@rates
@each(
    ("kind", "options"),
    [
        ("PromptTuning", {"prompt_tuning_init": "SAMPLE_VOCAB"}),
        ("PrefixTuning", {"prefix_projection": True}),
        ("PromptEncoder", {}),
    ],
)
def test_a_start_from_words_or_a_network_makes_a_low_rate_work(
    kind: str, options: dict[str, object], both_ways: nn.Module
) -> None:
    before, after = to_count_down(both_ways, kind, 1e-3, **options)
    assert after < 0.75 * before


@rates
def test_a_new_prompt_is_larger_than_embeddings_and_a_new_lora_is_neutral() -> None:
    ours = config("PromptTuning", **CAUSAL)
    model = get_peft_model(llama(), ours)
    std = model.prompt_encoder["default"].embedding.weight.std()
    assert std > 30 * model.get_input_embeddings().weight.std()
    assert same(run(adapted(config("Lora", "q_proj", **CAUSAL), llama())), run(llama()))
    from_words = config("PromptTuning", prompt_tuning_init="SAMPLE_VOCAB", **CAUSAL)
    small = get_peft_model(llama(), from_words).prompt_encoder["default"]
    assert small.embedding.weight.std() < std / 30


@rates
@each("dtype", [torch.bfloat16, torch.float16])
def test_on_a_base_in_16_bit_the_prompt_is_in_32(dtype: torch.dtype) -> None:
    for kind in KINDS:
        model = get_peft_model(llama().to(dtype), config(kind, **CAUSAL))
        assert {it.dtype for it in trainable(model).values()} == {torch.float32}
        assert run(model).dtype == dtype


# -- Prompt_Classifier_Padding --

classifying = claim("Prompt_Classifier_Padding")


def classifier(kind: str) -> PeftModel:
    base = llama(LlamaForSequenceClassification, pad_token_id=0)
    ours = lora("q_proj", **CLASSES) if kind == "Lora" else config(kind, **CLASSES)
    return trained(adapted(ours, base), 0.3)


def moved(model: PeftModel, side: str) -> float:
    """Return how far the class of a text moves when it is padded."""
    text = torch.arange(3, 8)[None]
    pad = torch.zeros(1, 4, dtype=torch.long)
    padded = torch.cat([pad, text] if side == "left" else [text, pad], dim=1)
    alone = run(model, text, attention_mask=torch.ones_like(text))
    return distance(run(model, padded, attention_mask=(padded > 0).long()), alone)


@classifying
@each("kind", ["PromptTuning", "PromptEncoder"])
def test_a_prompt_hides_padding_on_the_right(kind: str) -> None:
    model = classifier(kind)
    assert moved(model, "right") > 10 * moved(model, "left")
    lora_model = classifier("Lora")
    assert moved(lora_model, "right") < 1e-5


@classifying
def test_the_class_is_read_at_the_padding() -> None:
    model = classifier("PromptTuning")
    text = torch.tensor([[3, 4, 5, 0, 0]])
    read = run(model, text, attention_mask=(text > 0).long())
    base = model.get_base_model()
    with torch.no_grad():
        embedded = base.get_input_embeddings()(text)
        whole = torch.cat([model.get_prompt(1), embedded], dim=1)
        mask = torch.cat([torch.ones(1, whole.shape[1] - 2), torch.zeros(1, 2)], dim=1)
        states = base.model(inputs_embeds=whole, attention_mask=mask)[0]
        expected = base.score(states)[:, -1]
    assert same(read, expected)


@classifying
def test_only_the_log_says_so_and_once(caplog: pytest.LogCaptureFixture) -> None:
    transformers.logging.warning_once.cache_clear()
    model = classifier("PromptTuning")
    text = torch.tensor([[3, 4, 5, 0, 0]])
    with silent():
        for _call in range(2):
            run(model, text, attention_mask=(text > 0).long())
    assert caplog.text.count("will not detect padding tokens in `inputs_embeds`") == 1


@classifying
def test_bert_is_not_concerned() -> None:
    model = get_peft_model(
        BertForSequenceClassification(BERT), config("PromptTuning", **CLASSES)
    ).eval()
    assert moved(model, "right") < 1e-5


@classifying
@each(
    ("kind", "moves"), [("PromptTuning", True), ("PrefixTuning", True), ("Lora", False)]
)
def test_a_language_model_is_trained_with_padding_on_the_right(
    kind: str, moves: object
) -> None:
    """Its first token has no label, as padding is before it on the left only."""
    ours = lora("q_proj", **CAUSAL) if kind == "Lora" else config(kind, **CAUSAL)
    model = trained(adapted(ours, llama()), 0.3)
    text = torch.arange(3, 9)[None]

    def loss(side: str, number: int) -> float:
        def beside(its: Tensor, fill: int) -> Tensor:
            pad = torch.full((1, number), fill)
            return torch.cat([pad, its] if side == "left" else [its, pad], dim=1)

        labels = text.clone()
        labels[:, 0] = -100
        given = {
            "input_ids": beside(text, 0),
            "attention_mask": beside(torch.ones_like(text), 0),
            "labels": beside(labels, -100),
        }
        with torch.no_grad():
            return float(model(**given).loss)

    alone = loss("right", 0)
    assert loss("right", 4) == pytest.approx(alone, abs=1e-5)
    assert (abs(loss("left", 4) - alone) > 1e-5) is moves


# -- Generate_By_Keyword --

by_keyword = claim("Generate_By_Keyword")
ADAPTERS = ("Lora", *KINDS)
TWO = {"max_new_tokens": 2}


@by_keyword
@each("kind", ADAPTERS)
@each("base", [t5, bart])
def test_an_encoder_decoder_wants_a_name(kind: str, base: object) -> None:
    model = adapted(config(kind, **SEQUENCES), base())
    with refused("takes 1 positional argument but 2 were given", TypeError):
        model.generate(PROMPT + 3)
    assert model.generate(input_ids=PROMPT + 3, **TWO).shape[0] == 2
    embedded = model.get_input_embeddings()(PROMPT + 3)
    for given in ({"inputs": PROMPT + 3}, {"inputs_embeds": embedded}):
        if kind == "Lora":
            assert model.generate(**given, **TWO).shape[0] == 2
        else:
            with refused("input_ids must be provided for Peft model generation"):
                model.generate(**given)


@by_keyword
@each("kind", ADAPTERS)
def test_a_causal_model_does_not_and_a_prompt_refuses_embeddings(kind: str) -> None:
    model = adapted(config(kind, **CAUSAL), llama(use_cache=True))
    options = TWO | {"use_cache": False, "do_sample": False}
    named = model.generate(input_ids=PROMPT + 3, **options)
    assert named.shape == (2, 10)
    assert torch.equal(model.generate(PROMPT + 3, **options), named)
    assert torch.equal(model.generate(inputs=PROMPT + 3, **options), named)
    embedded = model.get_input_embeddings()(PROMPT + 3)
    if kind == "Lora":
        assert model.generate(inputs_embeds=embedded, **TWO).shape == (2, 2)
    else:
        with refused("You passed `inputs_embeds` to"):
            model.generate(inputs_embeds=embedded, **TWO)


@by_keyword
@claim("Task_Type_Must_Fit")
@each("kind", KINDS)
def test_a_prompt_on_t5_with_the_wrong_task_fails_in_generate(kind: str) -> None:
    model = adapted(config(kind, **CAUSAL), t5())
    given = {"input_ids": PROMPT + 3, "attention_mask": torch.ones_like(PROMPT)}
    with silent():
        assert model(**given, labels=PROMPT + 3).loss > 0
    with refused("input_ids", KeyError):
        model.generate(**given, **TWO)


@claim("Task_Type_Must_Fit")
def test_a_masked_language_model_has_no_task() -> None:
    base = BertForMaskedLM(BERT)
    with refused("'BertForMaskedLM' object has no attribute 'prepare", AttributeError):
        get_peft_model(base, lora("query", **CAUSAL))
    model = get_peft_model(BertForMaskedLM(BERT), lora("query"))
    assert model(input_ids=PROMPT, labels=PROMPT).loss > 0


@claim("Task_Type_Must_Fit")
def test_a_prompt_on_llama_with_the_task_of_t5_fails() -> None:
    model = adapted(config("PromptTuning", **SEQUENCES), llama())
    with refused("Expected input batch_size"):
        model(input_ids=PROMPT, labels=PROMPT)


@claim("Task_Type_Must_Fit")
@each("kind", KINDS)
def test_images_and_clips_text_have_no_place_for_a_prompt(kind: str) -> None:
    vit = ViTForImageClassification(
        ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, **IMAGE)
    )
    with refused("'ViTConfig' object has no attribute 'vocab_size'", AttributeError):
        get_peft_model(vit, config(kind, **CLASSES))
    clip = CLIPTextModel(CLIPTextConfig(**WORDS, num_attention_heads=2))
    features = {"task_type": "FEATURE_EXTRACTION"}
    with pytest.raises((ValueError, TypeError)) as error:
        get_peft_model(clip, config(kind, **features))(input_ids=PROMPT)
    if kind != "PrefixTuning":
        assert "You have to specify input_ids" in str(error.value)
    clip = CLIPTextModel(CLIPTextConfig(**WORDS, num_attention_heads=2))
    states = adapted(lora("q_proj"), clip)(input_ids=PROMPT).last_hidden_state
    assert states.shape == (2, 8, 16)


# -- Prompts_Cannot_Be_Merged --

unmergeable = claim("Prompts_Cannot_Be_Merged")


@unmergeable
def test_there_is_no_merge_for_a_prompt() -> None:
    configs = [config(kind, **CAUSAL) for kind in KINDS]
    configs += [AdaptionPromptConfig(adapter_layers=1, adapter_len=2, **CAUSAL)]
    for ours in configs:
        model = adapted(ours, llama())
        for name in ("merge_and_unload", "merge_adapter", "add_weighted_adapter"):
            message = f"'LlamaForCausalLM' object has no attribute '{name}'"
            with refused(message, AttributeError):
                getattr(model, name)
    base = adapted(lora("q_proj", **CAUSAL), llama()).merge_and_unload()
    with refused("'LlamaForCausalLM' object has no attribute", AttributeError):
        base.merge_and_unload()
    assert not hasattr(adapted(lora("q_proj", **CAUSAL), llama()), "unmerge_adapters")


@unmergeable
@each("kind", ["PromptTuning", "PromptEncoder"])
def test_its_embeddings_before_those_of_the_text_are_the_same(
    kind: str, tmp_path: Path
) -> None:
    adapted(config(kind, **CAUSAL), llama()).save_pretrained(tmp_path)
    model = loaded(tmp_path, llama(use_cache=True))
    expected = run(model)
    base = model.get_base_model()
    fixed = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": None}
    with torch.no_grad():
        text = base.get_input_embeddings()(PROMPT)
        embedded = torch.cat([model.get_prompt(len(text)), text], dim=1)
        assert same(base(inputs_embeds=embedded).logits, expected)
    mask = torch.ones(embedded.shape[:2])
    fast = base.generate(inputs_embeds=embedded, attention_mask=mask, **fixed)
    given = {"input_ids": PROMPT, "attention_mask": torch.ones_like(PROMPT)}
    slow = model.generate(**given, **fixed, use_cache=False)
    assert torch.equal(fast, slow[:, 8:])


# -- XLora_Adapters_By_Number --

numbered = claim("XLora_Adapters_By_Number")


@numbered
def test_experts_with_other_names_fail_in_the_first_call(tmp_path: Path) -> None:
    with refused("code", KeyError):
        run(xlora(tmp_path, experts=("code", "math")))
    model = xlora(tmp_path, experts=("0", "1"))
    model.enable_scalings_logging()
    run(model)
    assert model.get_latest_scalings().shape[-1] == 2


@numbered
@each("experts_too", [False, True])
def test_only_the_gate_is_trained_and_not_with_checkpointing(
    *, experts_too: bool, tmp_path: Path
) -> None:
    def gradients(*, reentrant: bool | None = None) -> set[str]:
        made = xlora(tmp_path, experts=("0", "1"))
        settings = made.peft_config["default"]
        settings.adapters = {name: str(tmp_path / name) for name in ("0", "1")}
        settings.use_trainable_adapters = experts_too
        model = get_peft_model(llama(), settings).train()
        if reentrant is not None:
            model.gradient_checkpointing_enable(
                gradient_checkpointing_kwargs={"use_reentrant": reentrant}
            )
        model(input_ids=PROMPT, labels=PROMPT).loss.backward()
        return {
            "gate" if "classifier" in name else "expert"
            for name, weight in model.named_parameters()
            if weight.grad is not None
        }

    assert gradients() == ({"expert", "gate"} if experts_too else {"gate"})
    with refused("A different number of tensors was saved", CheckpointError):
        gradients(reentrant=False)
    assert "gate" not in gradients(reentrant=True)


@numbered
def test_it_wants_no_cache_no_head_and_a_module_called_model(tmp_path: Path) -> None:
    with refused("`use_cache` must be False"):
        xlora(tmp_path, llama(use_cache=True))

    def with_experts(base: nn.Module, **options: object) -> PeftModel:
        expert = adapted(lora("q_proj", "query", **options), base)
        expert.save_pretrained(tmp_path / "expert")
        base = expert.unload()
        base.config.use_cache = False
        experts = {"0": str(tmp_path / "expert")}
        return get_peft_model(
            base, XLoraConfig(hidden_size=16, adapters=experts, **CLASSES)
        )

    sizes = {"hidden_size": 16, "pad_token_id": 0}
    with refused("model.score.weight", KeyError):
        with_experts(llama(LlamaForSequenceClassification, **sizes), **CLASSES)
    with_experts(llama(LlamaForSequenceClassification, **sizes))
    bert = BertForSequenceClassification(BERT)
    with refused("model.classifier.weight", KeyError):
        with_experts(bert, **CLASSES)
    with refused("Got unexpected keys! Please raise an issue"):
        with_experts(BertForSequenceClassification(BERT))


# -- what the guides say, and other heuristics --


@claim("Prompt_Learning_Generate")
@each("base", [t5, bart])
def test_a_prefix_on_an_encoder_decoder_is_not_used_with_the_cache(
    base: object,
) -> None:
    model = trained(adapted(config("PrefixTuning", **SEQUENCES), base()), 2.0)
    given = {"input_ids": PROMPT + 3, "attention_mask": torch.ones_like(PROMPT)}
    more = {"output_logits": True, "return_dict_in_generate": True}
    fixed = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}

    def steps(*, use_cache: bool) -> tuple[Tensor, Tensor]:
        made = model.generate(**given, **more, **fixed, use_cache=use_cache)
        return made.sequences[:, :-1], torch.stack(made.logits, dim=1)

    text, logits = steps(use_cache=True)
    with torch.no_grad(), model.disable_adapter():
        assert same(model(**given, decoder_input_ids=text).logits, logits)
    text, logits = steps(use_cache=False)
    with torch.no_grad():
        right = model(**given, decoder_input_ids=text).logits
    assert same(right[:, 0], logits[:, 0])
    assert not same(right[:, 1], logits[:, 1])


@claim("Prompt_Learning_Generate")
@each("base", [t5, bart])
@each("kind", ["PromptTuning", "PromptEncoder"])
def test_a_prompt_on_an_encoder_decoder_is_right_with_the_cache(
    kind: str, base: object
) -> None:
    model = trained(adapted(config(kind, **SEQUENCES), base()), 2.0)
    given = {"input_ids": PROMPT + 3, "attention_mask": torch.ones_like(PROMPT)}
    more = {"output_logits": True, "return_dict_in_generate": True}
    fixed = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}
    made = model.generate(**given, **more, **fixed, use_cache=True)
    text = made.sequences[:, :-1]
    with torch.no_grad():
        right = model(**given, decoder_input_ids=text).logits
        with model.disable_adapter():
            plain = model(**given, decoder_input_ids=text).logits
    assert same(right, torch.stack(made.logits, dim=1))
    assert not same(right, plain)


@claim("Prompt_Learning_Generate")
def test_a_prefix_does_not_classify_with_this_transformers() -> None:
    for base, task in (
        (llama(LlamaForSequenceClassification, pad_token_id=0), "SEQ_CLS"),
        (BertForSequenceClassification(BERT), "SEQ_CLS"),
        (BertForTokenClassification(BERT), "TOKEN_CLS"),
    ):
        model = adapted(config("PrefixTuning", task_type=task), base)
        with refused("Model does not support past key values which are required"):
            model(input_ids=PROMPT)


@claim("Is_Trainable_To_Resume")
@claim("Prefix_Projection_Checkpoints")
@each(
    ("kind", "options"),
    [
        ("PromptTuning", {}),
        ("PromptEncoder", {}),
        ("PrefixTuning", {}),
        ("PrefixTuning", {"prefix_projection": True}),
    ],
)
def test_a_loaded_prompt_is_trainable_without_the_argument(
    kind: str, options: dict[str, object], tmp_path: Path
) -> None:
    made = adapted(config(kind, **options, **CAUSAL), llama())
    made.save_pretrained(tmp_path)
    model = loaded(tmp_path, llama())
    (weight,) = trainable(model).values()
    before = run(model)
    model(input_ids=PROMPT, labels=PROMPT).loss.backward()
    assert weight.grad.abs().sum() > 0
    with torch.no_grad():
        weight -= weight.grad
    assert not same(run(model), before, 1e-7)
    model.save_pretrained(tmp_path / "again")
    assert same(run(loaded(tmp_path / "again", llama())), run(model))
    assert {*get_peft_model_state_dict(model)} == {"prompt_embeddings"}


@claim("Prefix_Projection_Checkpoints")
@each("kind", ["PromptEncoder", "PrefixTuning"])
def test_the_prompt_encoder_that_was_saved_apart_goes_on(
    kind: str, tmp_path: Path
) -> None:
    projected = {"prefix_projection": True} if kind == "PrefixTuning" else {}

    def new() -> PeftModel:
        return adapted(config(kind, **projected, **CAUSAL), llama())

    model = trained(new(), 0.3)
    torch.save(model.prompt_encoder.state_dict(), tmp_path / "encoder.pt")
    again = new()
    again.prompt_encoder.load_state_dict(torch.load(tmp_path / "encoder.pt"))
    assert same(run(again), run(model))
    assert trainable(again).keys() == trainable(model).keys()
    assert len(trainable(again)) > 1


longer = claim("Prompt_Logits_Longer")


@longer
@each("kind", ["PromptTuning", "PromptEncoder"])
def test_logits_are_longer_than_labels_and_the_masks_are_not(kind: str) -> None:
    model = adapted(config(kind, num_virtual_tokens=4, **CAUSAL), llama())
    assert run(model).shape[1] == 4 + 8
    with refused("same number of dimensions: got 2 and 1", RuntimeError):
        model(input_ids=PROMPT, attention_mask=torch.ones(8))
    with refused("same number of dimensions: got 2 and 1", RuntimeError):
        model(input_ids=PROMPT, labels=PROMPT[0])
    with refused("same number of dimensions: got 2 and 4", RuntimeError):
        model(input_ids=PROMPT, attention_mask=torch.ones(2, 1, 8, 8))
    with said() as warnings:
        model(input_ids=PROMPT, position_ids=torch.arange(8)[None])
    assert any("Position ids are not supported" in it for it in warnings)


@longer
def test_logits_of_the_two_other_prompts_are_as_long() -> None:
    tasks = config("MultitaskPromptTuning", num_tasks=1, num_virtual_tokens=4, **CAUSAL)
    first = torch.zeros(2, dtype=torch.long)
    model = adapted(tasks, llama())
    assert model(input_ids=PROMPT, task_ids=first).logits.shape[1] == 4 + 8
    types = {"cpt_mask": [1] * 4, "cpt_tokens_type_mask": [1, 2, 3, 4]}
    ours = config("CPT", cpt_token_ids=[0, 1, 2, 3], **types, **CAUSAL)
    ones = torch.ones_like(PROMPT)
    masks = {"attention_mask": ones, "input_type_mask": ones}
    model = adapted(ours, llama())
    assert model(input_ids=PROMPT, **masks).logits.shape[1] == 4 + 8


@longer
def test_the_context_holds_the_prompt_and_the_text() -> None:
    ours = config("PromptTuning", num_virtual_tokens=4, **CAUSAL)
    sizes = {"vocab_size": 64, "n_embd": 16, "n_layer": 1, "n_head": 2}
    gpt2 = adapted(ours, GPT2LMHeadModel(GPT2Config(n_positions=8, **sizes)))
    with refused("index out of range in self", IndexError):
        run(gpt2, PROMPT)
    assert run(gpt2, PROMPT[:, :4]).shape[1] == 8
    classes = config("PromptTuning", num_virtual_tokens=4, **CLASSES)
    bert = adapted(classes, BertForSequenceClassification(BERT))
    text = torch.zeros(1, 512, dtype=torch.long)
    message = r"expanded size of the tensor \(516\) must match the existing"
    with refused(message, RuntimeError):
        run(bert, text, attention_mask=torch.ones_like(text))
    assert run(bert, text[:, 4:], attention_mask=torch.ones(1, 508)).shape == (1, 2)


@longer
def test_token_classification_wants_labels_of_the_whole_length() -> None:
    ours = config("PromptTuning", num_virtual_tokens=4, task_type="TOKEN_CLS")
    model = adapted(ours, BertForTokenClassification(BERT))
    labels = torch.ones_like(PROMPT)
    with refused("Expected input batch_size"):
        model(input_ids=PROMPT, labels=labels)
    padded = torch.cat([torch.full((2, 4), -100), labels], dim=1)
    assert model(input_ids=PROMPT, labels=padded).loss > 0


@rates
@each(
    ("heads", "message"),
    [(4, "must match except in dimension 2"), (3, "is invalid for input of size")],
)
def test_a_prefix_on_a_t5_with_other_heads_wants_token_dim(
    heads: int, message: str
) -> None:
    base = t5(num_heads=heads)  # of 8 each, in a model that is 16 wide
    with refused(message, RuntimeError):
        adapted(config("PrefixTuning", **SEQUENCES), base)(
            input_ids=PROMPT, labels=PROMPT
        )
    ours = config("PrefixTuning", token_dim=heads * 8, **SEQUENCES)
    model = adapted(ours, t5(num_heads=heads))
    assert model(input_ids=PROMPT, labels=PROMPT).loss > 0


@longer
@each("base", [t5, bart])
def test_where_a_prompt_goes_in_an_encoder_decoder(base: object) -> None:
    labels = {"labels": PROMPT, "decoder_attention_mask": torch.ones_like(PROMPT)}

    def encoded(model: nn.Module) -> Tensor:
        with torch.no_grad():
            return model(input_ids=PROMPT, **labels).encoder_last_hidden_state

    plain = encoded(base())
    prefix = trained(adapted(config("PrefixTuning", **SEQUENCES), base()), 1.0)
    assert same(encoded(prefix), plain)
    ours = config("PromptTuning", num_virtual_tokens=4, **SEQUENCES)
    prompt = trained(adapted(ours, base()), 1.0)
    assert encoded(prompt).shape[1] == 4 + 8
    stored = get_peft_model_state_dict(prompt)["prompt_embeddings"]
    assert len(stored) == 8
    with torch.no_grad():
        before = prompt(input_ids=PROMPT, **labels).logits
        prompt.prompt_encoder["default"].embedding.weight[4:] += 9
        assert same(prompt(input_ids=PROMPT, **labels).logits, before)
    for given in (
        {"decoder_input_ids": PROMPT},
        {"decoder_inputs_embeds": prompt.get_input_embeddings()(PROMPT)},
    ):
        assert prompt(input_ids=PROMPT, **given).logits.shape[1] == 8


@rates
def test_disabling_a_prompt_fails_where_there_is_no_generate() -> None:
    model = classifier("PromptTuning")
    with (
        refused("old_prepare_inputs_for_generation", UnboundLocalError),
        model.disable_adapter(),
    ):
        run(model)
    causal = adapted(config("PromptTuning", **CAUSAL), llama())
    with causal.disable_adapter():
        assert same(run(causal), run(llama()))


@rates
def test_several_prompts_are_of_one_method() -> None:
    model = adapted(config("PromptTuning", num_virtual_tokens=4, **CAUSAL), llama())
    model.add_adapter("long", config("PromptTuning", num_virtual_tokens=6, **CAUSAL))
    model.set_adapter("long")
    assert run(model).shape[1] == 6 + 8
    with refused("Cannot combine adapters with different peft types"):
        model.add_adapter("other", lora("q_proj", **CAUSAL))


@claim("Adapter_Names_Silently_Ignored")
def test_sampled_sequences_and_windows_change_the_number_of_rows() -> None:
    ours = lora("q_proj", **CAUSAL)
    model = adapted(ours, llama())
    model.add_adapter("other", ours)
    model.eval()
    given = {"input_ids": PROMPT, "adapter_names": ["default", "__base__"], **TWO}
    assert model.generate(**given, num_beams=2).shape[0] == 2
    message = "Length of `adapter_names` should be the same as the number of inputs"
    with refused(f"{message}, but got 2 and 4"):
        model.generate(**given, do_sample=True, num_return_sequences=2)
    sizes = {"hidden_sizes": [8, 12, 16], "image_size": 32, "num_attention_heads": 2}
    necks = {"neck_hidden_sizes": [4, 8, 8, 8, 12, 16, 32]}
    windows = MobileViTForImageClassification(MobileViTConfig(**sizes, **necks))
    images = adapted(lora("query"), windows).eval()
    with refused(f"{message}, but got 2 and 8"):
        images(torch.ones(2, 3, 32, 32), adapter_names=["default"] * 2)


@claim("Weighted_Adapter_Rules")
@each("kind", [nn.Conv1d, nn.Conv3d])
def test_svd_cannot_combine_some_convolutions_and_cat_can(kind: type) -> None:
    model = adapted(lora("0", r=2), nn.Sequential(kind(4, 6, 3)))
    model.add_adapter("other", lora("0", r=2))
    names = ["default", "other"]
    with pytest.raises(RuntimeError):
        model.add_weighted_adapter(names, [0.5, 0.5], "svd")
    model.add_weighted_adapter(names, [0.5, 0.5], "cat", combination_type="cat")


@claim("Weighted_Adapter_Rules")
def test_a_weight_below_zero_subtracts_and_zero_leaves_out() -> None:
    def update(weights: list[float]) -> Tensor:
        model = trained(adapted(lora("0", r=2), nn.Sequential(nn.Linear(8, 8))), 0.3)
        model.add_adapter("other", lora("0", r=2, init_lora_weights=False))
        names = ["default", "other"]
        model.add_weighted_adapter(names, weights, "mix", combination_type="cat")
        return model.base_model.model[0].get_delta_weight("mix")

    torch.manual_seed(0)
    plus = update([1.0, 0.0])
    torch.manual_seed(0)
    minus = update([-1.0, 0.0])
    assert same(plus, -minus)
    assert plus.abs().max() > 0


@claim("Merge_Returns_New_Model")
@each(
    "method", ["AdaLora", "IA3", "LoHa", "LoKr", "OFT", "BOFT", "Vera", "Lora", "HRA"]
)
def test_these_methods_can_be_merged(method: str) -> None:
    model = trained(adapted(config(method, "q_proj", **CAUSAL), llama()))
    expected = run(model)
    assert not same(expected, run(llama()), 1e-5)
    assert same(run(model.merge_and_unload()), expected, 1e-4)


@claim("Unsupported_Target_Layer")
@claim("Merge_Returns_New_Model")
@each("options", [{}, {"use_dora": True}])
def test_grouped_convolutions_cannot_be_merged(options: dict[str, bool]) -> None:
    base = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2))
    model = adapted(lora("0", r=2, **options), base)
    assert model(torch.ones(1, 4, 6, 6)).shape == (1, 8, 4, 4)
    with refused("Merging is not supported for _ConvNd layers", NotImplementedError):
        model.merge_and_unload()
    fresh = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2))
    with refused("Targeting a Conv2d with groups=2 and rank 3"):
        adapted(lora("0", r=3), fresh)


@claim("Unsupported_Target_Layer")
@each("method", ["LoHa", "LoKr"])
@each("rank", [2, 3])
def test_loha_and_lokr_take_groups_with_any_rank(method: str, rank: int) -> None:
    base = nn.Sequential(nn.Conv2d(4, 8, 3, groups=2))
    rows = torch.ones(1, 4, 6, 6)
    model = trained(adapted(config(method, "0", r=rank), base))
    expected = run(model, rows)
    with model.disable_adapter():
        assert not same(run(model, rows), expected, 1e-4)
    assert same(run(model.merge_and_unload(), rows), expected)


# -- End_Token_In_Labels --


def words(*known: str, **special: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words, which takes `yes` for all others."""
    vocabulary = {word: at for at, word in enumerate(known)}
    special |= {"unk_token": "yes", "eos_token": "</s>"}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=special["unk_token"]))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, **special)


@claim("End_Token_In_Labels")
def test_a_padding_token_has_to_be_known() -> None:
    tokenizer = words("</s>", "yes", "no")
    unknown = "<pad>"
    tokenizer.pad_token = unknown
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    labels = collate([tokenizer("no other </s>")])["labels"]
    assert labels.tolist() == [[2, -100, 0]], "an unknown word is not learned"


@claim("End_Token_In_Labels")
@each(("pad", "learned"), [("</s>", -100), ("<pad>", 1)])
def test_a_padding_token_is_not_learned(pad: str, learned: int) -> None:
    tokenizer = words("<pad>", "</s>", "yes", pad_token=pad)
    assert tokenizer("yes yes")["input_ids"] == [2, 2], "no end token is added"
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    labels = collate([tokenizer("yes yes </s>"), tokenizer("yes </s>")])["labels"]
    assert labels.tolist() == [[2, 2, learned], [2, learned, -100]]


@claim("End_Token_In_Labels")
@each("method", ["Lora", None])
def test_what_does_not_learn_the_end_never_ends(method: str | None) -> None:
    def ends(label: int) -> bool:
        model = llama(use_cache=True)
        if method:
            ours = config(method, "q_proj", "v_proj", "lm_head", r=16, **CAUSAL)
            model = get_peft_model(model, ours)
        ids = torch.tensor([[5, 6, 7, 1]])
        labels = torch.tensor([[5, 6, 7, label]])
        adam = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
        for _ in range(60):
            model(input_ids=ids, labels=labels).loss.backward()
            adam.step()
            adam.zero_grad()
        given = {"input_ids": ids[:, :1], "attention_mask": torch.ones(1, 1)}
        made = model.eval().generate(
            **given, max_new_tokens=8, do_sample=False, eos_token_id=1, pad_token_id=0
        )
        return made.tolist() == ids.tolist()

    assert ends(1)
    assert not ends(-100)


# -- Wrap_With_Get_Peft_Model --

direct = claim("Wrap_With_Get_Peft_Model")


@direct
@each("method", ["Lora", "LoHa", "LoKr", "IA3"])
def test_a_tuners_class_hides_the_arguments_from_the_trainer(
    method: str, tmp_path: Path
) -> None:
    ours = config(method, "q_proj")
    tuner = getattr(peft, f"{method}Model")
    hidden = trainer(tuner(llama(), ours, "default"), tmp_path, max_steps=1)
    with refused("The batch received was empty.* by the model: args,kwargs"):
        hidden.train()
    hidden.data_collator = lambda rows: {"input_ids": [it["input_ids"] for it in rows]}
    with refused("input_ids", KeyError):
        hidden.train()
    trainer(get_peft_model(llama(), ours), tmp_path, max_steps=1).train()


@direct
def test_it_saves_no_adapter(tmp_path: Path) -> None:
    inner = peft.LoKrModel(llama(), config("LoKr", "q_proj"), "default")
    options = {"max_steps": 1, "remove_unused_columns": False}
    trainer(inner, tmp_path / "out", **options).train()
    inner.save_pretrained(tmp_path / "inner")
    names = {path.name for path in (tmp_path / "inner").iterdir()}
    assert "model.safetensors" in names
    assert "adapter_config.json" not in names


# -- Scale_Outside_The_Call --


@claim("Scale_Outside_The_Call")
def test_a_layer_takes_no_scale_and_the_context_does() -> None:
    model = adapted(lora("0"))
    for name in ("lora_scale", "scale"):
        with refused(f"got an unexpected keyword argument '{name}'", TypeError):
            model.base_model.model[0](ROWS, **{name: 0.5})
    plain, full = run(linear()), run(model)

    def scaled(by: float) -> Tensor:
        with rescale_adapter_scale(model, by):
            return model.base_model.model[0](ROWS)

    base = linear()[0](ROWS)
    whole = scaled(1.0) - base
    assert same(scaled(0.0), base)
    assert same(scaled(0.5) - base, whole / 2)
    assert same(scaled(-1.0) - base, -whole)
    assert same(run(model), full), "as before"
    assert not same(full, plain)
    with refused("scaling is only supported for models with `LoraLayer`s"):
        rescale_adapter_scale(linear(), 0.5).__enter__()


@claim("Prompt_Logits_Longer")
@each(("kind", "longer"), [("PrefixTuning", 0), ("PromptTuning", 4)])
def test_idefics_wants_a_longer_mask_of_images_with_a_prompt(
    kind: str, longer: int
) -> None:
    vision = {"embed_dim": 16, "image_size": 8, "patch_size": 4}
    vision |= {"num_attention_heads": 2, "num_hidden_layers": 1}
    sizes = {"vocab_size": 64, "additional_vocab_size": 0, "hidden_size": 32}
    sizes |= {"intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    options = {"use_resampler": False, "cross_layer_interval": 1}
    small = IdeficsConfig(
        **sizes,
        **options,
        vision_config=vision | {"intermediate_size": 16},
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    base = IdeficsForVisionText2Text(small)
    prompt = getattr(peft, f"{kind}Config")(**CAUSAL, num_virtual_tokens=4)
    model = get_peft_model(base, prompt)
    ids = torch.arange(3, 11)[None]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    batch["pixel_values"] = torch.ones(1, 1, 3, 8, 8)
    if longer:
        mask = torch.ones(1, 8, 1, dtype=torch.long)
        with pytest.raises(RuntimeError, match="must match the size of tensor b"):
            model(**batch, image_attention_mask=mask)
    mask = torch.ones(1, 8 + longer, 1, dtype=torch.long)
    model(**batch, image_attention_mask=mask).loss.backward()
    assert all(it.grad.abs().any() for it in model.parameters() if it.requires_grad)
