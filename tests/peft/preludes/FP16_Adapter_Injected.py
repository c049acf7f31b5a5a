"""The base model in half precision."""

from peft import inject_adapter_in_model

fp16_model = new_base(dtype=torch.float16)
