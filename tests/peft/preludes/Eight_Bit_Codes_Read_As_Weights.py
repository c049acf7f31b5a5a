"""The base model in 8 bit."""

from transformers import BitsAndBytesConfig


def new_base_in_8_bit() -> LlamaForCausalLM:
    """Return the base model, loaded again in 8 bit."""
    return new_base(quantization_config=BitsAndBytesConfig(load_in_8bit=True))


in_8_bit = new_base_in_8_bit()
