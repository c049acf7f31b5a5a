"""A base in 8 bit, and an adapter of a method that cannot be merged into it."""

from transformers import BitsAndBytesConfig

base_in_8_bit = new_base(quantization_config=BitsAndBytesConfig(load_in_8bit=True))
get_peft_model(new_base(), IA3Config(task_type="CAUSAL_LM")).save_pretrained(ADAPTER)
