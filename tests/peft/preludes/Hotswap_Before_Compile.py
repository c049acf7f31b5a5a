"""A second adapter, of a larger rank, and the functions that swap."""

from peft.utils.hotswap import (
    check_hotswap_configs_compatible,
    hotswap_adapter,
    prepare_model_for_compiled_hotswap,
)

large = LoraConfig(target_modules=["q_proj"], r=32, init_lora_weights=False)
get_peft_model(new_base(), large).save_pretrained("large")
model = PeftModel.from_pretrained(base_model, ADAPTER)
