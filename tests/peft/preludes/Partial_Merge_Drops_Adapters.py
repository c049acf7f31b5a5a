"""Two adapters that are both active."""

random = LoraConfig(target_modules=["q_proj"], init_lora_weights=False)
model = get_peft_model(base_model, random, adapter_name="en")
model.add_adapter("fr", random)
model.base_model.set_adapter(["en", "fr"])
model.eval()
