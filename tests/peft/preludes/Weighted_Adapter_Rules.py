"""Two plain adapters, and one of rsLoRA."""

model = get_peft_model(
    new_base(), LoraConfig(r=4, init_lora_weights=False), adapter_name="en"
)
model.add_adapter("fr", LoraConfig(r=8, init_lora_weights=False))
model.add_adapter("rslora", LoraConfig(r=8, use_rslora=True, init_lora_weights=False))
