"""Adapters on the layers of the attention and on those in `mlp`."""

config = LoraConfig(target_modules="all-linear")
model = get_peft_model(base_model, config)
