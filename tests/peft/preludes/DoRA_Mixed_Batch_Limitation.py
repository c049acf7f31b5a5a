"""A DoRA adapter beside another, and two rows."""

model = get_peft_model(base_model, config, adapter_name="plain")
model.add_adapter("dora", LoraConfig(target_modules=["q_proj"], use_dora=True))
model.eval()
rows = inputs["input_ids"]
