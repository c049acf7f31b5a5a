"""A Llama that classifies with a prompt, and a tokenizer of words."""

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

_special = {"unk_token": "w1", "pad_token": "<pad>"}
_words = {"<pad>": 0, **{f"w{number}": number for number in range(1, 64)}}
_made = Tokenizer(models.WordLevel(_words, unk_token=_special["unk_token"]))
_made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=_made,
    model_input_names=["input_ids", "attention_mask"],
    **_special,
)
classifier = get_peft_model(
    AutoModelForSequenceClassification.from_pretrained(
        BASE, num_labels=2, pad_token_id=0
    ),
    PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=4),
).eval()
