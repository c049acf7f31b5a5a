"""A second adapter, of another scale."""

import shutil

from peft.utils.hotswap import hotswap_adapter

louder = LoraConfig(target_modules=["q_proj"], lora_alpha=64, init_lora_weights=False)
get_peft_model(new_base(), louder).save_pretrained("second")
model = PeftModel.from_pretrained(base_model, ADAPTER)
