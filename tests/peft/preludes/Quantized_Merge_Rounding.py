"""An adapter on a base in 4 bit."""

from transformers import BitsAndBytesConfig

_in_4_bit = BitsAndBytesConfig(load_in_4bit=True)
model = PeftModel.from_pretrained(new_base(quantization_config=_in_4_bit), ADAPTER)
