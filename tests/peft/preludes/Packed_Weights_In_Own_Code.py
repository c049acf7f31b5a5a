"""A base in 4 bit, and an input of its layers."""

from peft.utils.integrations import dequantize_module_weight
from transformers import BitsAndBytesConfig

base_in_4_bit = new_base(
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32
    )
).train()  # on some CPUs, bitsandbytes repacks the weights in evaluation mode
x = torch.ones(1, 16)
