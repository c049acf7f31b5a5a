"""Two LoHa adapters, as if they were trained, and a row for each."""

config = LoHaConfig(target_modules=["q_proj"], init_weights=False)
model = get_peft_model(base_model, config, adapter_name="en")
model.add_adapter("fr", config)
model.eval()
rows = inputs["input_ids"]
