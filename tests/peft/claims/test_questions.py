"""What the guides of questions say and their code does not show: which models, tasks and layers, and what then."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from peft import (
    IA3Config,
    LoHaConfig,
    LoraConfig,
    PeftConfig,
    PeftMixedModel,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
)
from torch import nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMultipleChoice,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    DeiTConfig,
    DeiTForImageClassification,
    Dinov2Config,
    Dinov2ForImageClassification,
    LlamaForSequenceClassification,
    SwinConfig,
    SwinForImageClassification,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
)

from claims.models import (
    CAUSAL,
    IMAGE,
    PROMPT,
    SIGHT,
    TEXT,
    adapted,
    claim,
    distance,
    each,
    llama,
    loaded,
    lora,
    refused,
    run,
    same,
    trainable,
    trained,
    warned,
)

if TYPE_CHECKING:
    from pathlib import Path

# -- which models --


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Linear(4, 4)
        self.memory = nn.LSTM(4, 4)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.memory(self.rows(rows))[0]


@claim("Unsupported_Target_Layer")
def test_a_layer_without_adapter_is_trained_in_full() -> None:
    lora_and_memory = LoraConfig(target_modules=["rows"], modules_to_save=["memory"])
    model = adapted(lora_and_memory, Recurrent())
    model(torch.randn(3, 4)).sum().backward()
    assert any("memory" in name for name in trainable(model))
    assert all(weight.grad is not None for weight in trainable(model).values())


@claim("Default_Target_Modules")
@each(
    ("kind", "settings"),
    [
        (Dinov2ForImageClassification, Dinov2Config(**SIGHT, **IMAGE)),
        (DeiTForImageClassification, DeiTConfig(**SIGHT, **IMAGE)),
        (
            SwinForImageClassification,
            SwinConfig(**IMAGE, embed_dim=16, depths=[1], num_heads=[2], window_size=1),
        ),
    ],
)
def test_transformers_for_images_have_the_same_names(
    kind: type[nn.Module], settings: object
) -> None:
    with refused("Please specify `target_modules`"):
        adapted(LoraConfig(), kind(settings))
    names = LoraConfig(target_modules=["q_proj"], modules_to_save=["classifier"])
    model = adapted(names, kind(settings))
    model(pixel_values=torch.randn(2, 3, 8, 8)).logits.sum().backward()
    assert all(weight.grad is not None for weight in trainable(model).values())


def t5() -> nn.Module:
    torch.manual_seed(0)
    heads = {"d_kv": 8, "num_heads": 2, "num_layers": 1}
    settings = T5Config(
        vocab_size=64, d_model=16, d_ff=32, decoder_start_token_id=0, **heads
    )
    return T5ForConditionalGeneration(settings).eval()


@claim("Task_Type_Must_Fit")
def test_encoder_and_decoder_are_wrapped_one_by_one(tmp_path: Path) -> None:
    model, again = t5(), t5()
    for part in ("encoder", "decoder"):
        wrapped = get_peft_model(getattr(model, part), lora("q", "v"))
        wrapped.eval().save_pretrained(tmp_path / part)
        setattr(model, part, wrapped)
        setattr(again, part, loaded(tmp_path / part, getattr(again, part)))
    batch = {"input_ids": PROMPT, "labels": PROMPT}
    assert same(model(**batch).logits, again(**batch).logits)
    assert not same(model(**batch).logits, t5()(**batch).logits)
    model(**batch).loss.backward()
    assert {name.split(".")[0] for name in trainable(model)} == {"encoder", "decoder"}
    assert model.generate(PROMPT, max_new_tokens=2).shape[0] == len(PROMPT)


class Strict(BertModel):
    """Takes no other arguments, as encoders of older releases."""

    def forward(  # noqa: PLR0913 - all that PEFT passes, but for labels
        self,
        input_ids: torch.Tensor,
        *,
        attention_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> object:
        del inputs_embeds, output_attentions, return_dict
        return super().forward(
            input_ids, attention_mask, output_hidden_states=output_hidden_states
        )


@claim("Task_Type_Must_Fit")
@each("task_type", ["SEQ_CLS", "TOKEN_CLS"])
def test_an_encoder_gets_labels_of_a_classifier(task_type: str) -> None:
    config = LoraConfig(target_modules=["query"], task_type=task_type)
    model = adapted(config, Strict(BertConfig(**TEXT)))
    with refused("unexpected keyword argument 'labels'", TypeError):
        model(input_ids=PROMPT)
    config = LoraConfig(target_modules=["query"], task_type="FEATURE_EXTRACTION")
    adapted(config, Strict(BertConfig(**TEXT)))(input_ids=PROMPT)


# -- which layers --


@claim("Layers_To_Transform_Matches")
def test_numbers_are_the_same_for_encoder_and_decoder() -> None:
    layers = {"encoder_layers": 3, "decoder_layers": 3, "d_model": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    settings = BartConfig(vocab_size=64, **layers, **heads)

    def found(pattern: list[str]) -> set[str]:
        some = {"layers_to_transform": [2], "layers_pattern": pattern}
        config = LoraConfig(target_modules=["q_proj"], **some)
        model = adapted(config, BartForConditionalGeneration(settings))
        return {name.split(".")[1] for name in model.targeted_module_names}

    assert found(["encoder.layers", "decoder.layers"]) == {"encoder", "decoder"}
    assert found(["encoder.layers"]) == {"encoder"}
    with refused("Target modules {'q_proj'} not found in the base model"):
        found(["encoder.layers.2"])


@claim("Layers_To_Transform_Matches")
def test_nothing_before_the_first_adapted_layer_has_a_gradient() -> None:
    config = lora("q_proj", layers_to_transform=[2])
    model = adapted(config, llama(num_hidden_layers=4))
    states = model(PROMPT, output_hidden_states=True).hidden_states
    assert [state.requires_grad for state in states] == [False] * 3 + [True] * 2


# -- which tasks --


@claim("Task_Head_In_Modules_To_Save")
def test_several_labels_are_floats() -> None:
    kind = {"problem_type": "multi_label_classification", "num_labels": 2}
    base = BertForSequenceClassification(BertConfig(**TEXT, **kind))
    model = adapted(LoraConfig(task_type="SEQ_CLS", target_modules=["query"]), base)
    labels = torch.tensor([[0, 1], [1, 1]])
    with refused("result type Float can't be cast", RuntimeError):
        model(input_ids=PROMPT, labels=labels)
    model(input_ids=PROMPT, labels=labels.float()).loss.backward()


@claim("Task_Type_Must_Fit")
@each("kind", [PrefixTuningConfig, PromptTuningConfig])
def test_multiple_choice_takes_no_prompt(kind: type[PeftConfig]) -> None:
    with refused("Invalid task type: 'MULTIPLE_CHOICE'"):
        LoraConfig(task_type="MULTIPLE_CHOICE")
    config = kind(task_type="SEQ_CLS", num_virtual_tokens=2)
    model = adapted(config, BertForMultipleChoice(BertConfig(**TEXT)))
    choices = PROMPT[None]
    with refused("same number of dimensions: got 2 and 3", RuntimeError):
        model(input_ids=choices, attention_mask=torch.ones_like(choices))


@claim("Task_Head_In_Modules_To_Save")
def test_a_classifier_needs_a_pad_token() -> None:
    base = llama(LlamaForSequenceClassification)
    model = adapted(LoraConfig(task_type="SEQ_CLS", target_modules=["q_proj"]), base)
    with refused("Cannot handle batch sizes > 1 if no padding token is defined"):
        model(input_ids=PROMPT)
    base.config.pad_token_id = 2
    model(input_ids=PROMPT)


class Regressor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Linear(4, 2)

    def forward(
        self, rows: torch.Tensor, target: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        logits = self.rows(rows)
        if target is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits, target), "logits": logits}


@claim("Task_Type_Must_Fit")
@each("label_names", [None, ["target"]])
def test_trainer_looks_for_labels_by_their_name(
    label_names: list[str] | None, tmp_path: Path
) -> None:
    model = adapted(LoraConfig(target_modules=["rows"]), Regressor())
    arguments = TrainingArguments(
        str(tmp_path), use_cpu=True, report_to=[], disable_tqdm=True
    )
    arguments.label_names = label_names
    rows = [{"rows": torch.randn(4), "target": torch.tensor(1)}] * 2
    found = Trainer(model, arguments, eval_dataset=rows).evaluate()
    assert ("eval_loss" in found) == (label_names is not None)


# -- several adapters --


@claim("Task_Head_In_Modules_To_Save")
@each(
    ("task_type", "kind", "head"),
    [
        ("SEQ_CLS", BertForSequenceClassification, "classifier"),
        ("TOKEN_CLS", BertForTokenClassification, "classifier"),
        ("QUESTION_ANS", BertForQuestionAnswering, "qa_outputs"),
    ],
)
def test_a_second_adapter_without_a_head_does_not_load(
    task_type: str, kind: type[nn.Module], head: str, tmp_path: Path
) -> None:
    def base() -> nn.Module:
        return kind(BertConfig(**TEXT))

    of_task = lora("query", task_type=task_type)
    named = lora("query", modules_to_save=[head])
    for name, config in (("of_task", of_task), ("named", named), ("no", lora("query"))):
        adapted(config, base()).save_pretrained(tmp_path / name)
    model = loaded(tmp_path / "of_task", base(), adapter_name="head")
    model.load_adapter(tmp_path / "of_task", "other")
    model.set_adapter("other")
    with refused(f"{head}.weight", KeyError):
        model.load_adapter(tmp_path / "no", "no")
    # it is the class that wants it, not the adapter beside it
    loaded(tmp_path / "named", base()).load_adapter(tmp_path / "no", "no")


@claim("Missing_Adapter_Keys")
def test_a_merge_of_what_was_not_loaded_changes_nothing(tmp_path: Path) -> None:
    config = LoraConfig(target_modules=["q_proj"])
    trained(adapted(config, llama())).save_pretrained(tmp_path)
    other = PeftConfig.from_pretrained(tmp_path)
    other.target_modules = {"v_proj"}
    with warned("Found missing adapter keys"):
        model = loaded(tmp_path, llama(), config=other)
    assert same(model.merge_and_unload(), llama())


@claim("Set_Adapter_Unfreezes")
def test_what_is_added_is_neither_active_nor_trainable(tmp_path: Path) -> None:
    adapted(lora("q_proj"), llama()).save_pretrained(tmp_path)
    model = loaded(tmp_path, llama(), adapter_name="first")
    model.add_adapter("second", lora("q_proj"))
    assert model.active_adapters == ["first"]
    assert not trainable(model)
    with refused("unhashable type: 'list'", TypeError):
        model.set_adapter(["first", "second"])
    model.base_model.set_adapter(["first", "second"])
    assert {name.split(".")[-2] for name in trainable(model)} == {"first", "second"}


@claim("Set_Adapter_Unfreezes")
@each("again", [False, True])
def test_a_switch_before_backward_stops_the_gradient(again: bool) -> None:  # noqa: FBT001
    model = adapted(lora("q_proj"), llama(), adapter_name="first")
    model.add_adapter("second", lora("q_proj"))
    outputs = []
    for name in ("first", "second"):
        model.set_adapter(name)
        if again:
            model.set_requires_grad(["first", "second"])
        outputs.append(model(PROMPT).logits.sum())
    sum(outputs).backward()
    named = [it for it in model.named_parameters() if "lora_" in it[0]]
    learning = {name.split(".")[-2] for name, it in named if it.grad is not None}
    assert learning == ({"first", "second"} if again else {"second"})


def sharing(model: nn.Module) -> nn.Module:
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


@claim("Base_Model_Modified_In_Place")
def test_copies_that_share_weights_are_wrapped_alone() -> None:
    base = llama()
    models = [adapted(lora(name), sharing(base)) for name in ("q_proj", "v_proj")]
    first, second = (model.eval() for model in models)
    assert same(base, llama())
    assert distance(first, second) > 1e-3
    sum(model(PROMPT).logits.sum() for model in models).backward()
    for model in models:
        assert all(weight.grad is not None for weight in trainable(model).values())
    assert not trainable(base)
    first.merge_and_unload()
    assert distance(base, llama()) > 1e-3


@claim("Base_Model_Modified_In_Place")
def test_classifiers_of_different_labels_share_their_backbone() -> None:
    backbone = BertModel(BertConfig(**TEXT))
    for labels in (2, 5):
        settings = BertConfig(**TEXT, num_labels=labels)
        with torch.device("meta"):
            base = BertForSequenceClassification(settings)
        base.bert = sharing(backbone)
        base.classifier = nn.Linear(TEXT["hidden_size"], labels)
        model = adapted(lora("query", task_type="SEQ_CLS"), base)
        assert model(input_ids=PROMPT).logits.shape == (len(PROMPT), labels)


@claim("Adapter_Names_Silently_Ignored")
def test_the_base_does_not_understand_names_for_rows() -> None:
    model = adapted(lora("q_proj"), llama(), adapter_name="first").eval()
    model.add_adapter("second", lora("q_proj"))
    names = ["second", "second"]
    assert not same(run(model, adapter_names=names), run(model))
    base = model.get_base_model()
    assert same(run(base, adapter_names=names), run(model))
    with refused("Cannot pass `adapter_names` when the model is in training mode"):
        run(model.train(), adapter_names=names)


@claim("Adapter_Names_Silently_Ignored")
def test_two_methods_are_loaded_into_a_mixed_model(tmp_path: Path) -> None:
    second = LoHaConfig(target_modules=["q_proj"], init_weights=False)
    configs = {"lora": lora("q_proj"), "loha": second}
    merged = llama()
    for name, config in configs.items():
        adapted(config, llama()).save_pretrained(tmp_path / name)
        merged = loaded(tmp_path / name, merged).merge_and_unload()
    mixed = PeftMixedModel.from_pretrained(llama(), tmp_path / "lora", "one")
    mixed.load_adapter(tmp_path / "loha", "two")
    mixed.set_adapter(["one", "two"])
    assert same(mixed.eval(), merged)
    plain = loaded(tmp_path / "lora", llama())
    with refused("Cannot combine adapters with different peft types"):
        plain.add_adapter("two", second)


@claim("Weighted_Adapter_Rules")
def test_ia3_is_combined_by_its_own_method() -> None:
    vectors = {"feedforward_modules": [], "init_ia3_weights": False}
    config = IA3Config(target_modules=["q_proj"], **vectors)
    model = adapted(config, llama(), adapter_name="first").eval()
    model.add_adapter("second", config)
    model.add_weighted_adapter(["first", "second"], [0.5, 0.25], "both")
    layer = model.get_base_model().model.layers[0].self_attn.q_proj.ia3_l
    assert same(layer["both"], 0.5 * layer["first"] + 0.25 * layer["second"])


@claim("Base_Model_Modified_In_Place")
def test_a_prompt_is_switched_off_by_disable_adapter_only() -> None:
    model = adapted(PromptTuningConfig(**CAUSAL, num_virtual_tokens=2), llama())
    with model.disable_adapter():
        assert same(run(model), run(llama()))
    with refused("disable_adapter_layers", AttributeError):
        model.base_model.disable_adapter_layers()


# -- export --


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Linear(4, 4)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.rows(rows)


@claim("Merge_Returns_New_Model")
def test_a_merged_model_can_be_scripted() -> None:
    model = adapted(lora("rows"), Net()).eval()
    rows = torch.randn(2, 4)
    expected = model(rows)
    with refused("variable number of arguments", Exception):
        torch.jit.script(model)
    scripted = torch.jit.script(model.merge_and_unload())
    assert same(scripted(rows), expected)


@claim("Merge_Returns_New_Model")
def test_a_trace_needs_tensors() -> None:
    for message, use_cache in (
        ("Tracer cannot infer type of CausalLMOutputWithPast", True),
        ("Encountering a dict at the output of the tracer", False),
    ):
        model = adapted(lora("q_proj"), llama(use_cache=use_cache)).eval()
        with refused(message, RuntimeError):
            torch.jit.trace(model, (PROMPT,))


class Session:
    """Stands in for what runs an ONNX model."""


@claim("Merge_Returns_New_Model")
def test_what_is_no_module_cannot_be_a_base() -> None:
    for wrap in (get_peft_model, PeftModel):
        with refused("has no attribute '(named_)?modules'", AttributeError):
            wrap(Session(), lora("q_proj"))
