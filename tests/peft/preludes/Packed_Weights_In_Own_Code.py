"""A base in 4 bit, one of its layers, and an input of it."""

from peft.utils.integrations import dequantize_module_weight
from torch.nn import functional
from transformers import BitsAndBytesConfig

base_in_4_bit = new_base(
    quantization_config=BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32
    )
).train()  # on some CPUs, bitsandbytes repacks the weights in evaluation mode
layer = base_in_4_bit.model.layers[0].self_attn.q_proj
x = torch.ones(1, 16)
