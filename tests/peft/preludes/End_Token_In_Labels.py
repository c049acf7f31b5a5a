"""A tokenizer of words, and a text."""

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

_special = {"unk_token": "yes", "eos_token": "</s>"}
_words = Tokenizer(
    models.WordLevel({"<pad>": 0, "</s>": 1, "yes": 2}, unk_token=_special["unk_token"])
)
_words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=_words, **_special)
text = "yes yes "
