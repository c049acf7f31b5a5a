"""An adapter with a dropout, as if it were trained."""

config = LoraConfig(
    target_modules=["q_proj", "v_proj"], lora_dropout=0.5, init_lora_weights=False
)
