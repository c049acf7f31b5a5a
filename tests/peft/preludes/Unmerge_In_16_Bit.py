"""A trained adapter on a base in bf16."""

config = LoraConfig(target_modules=["q_proj", "v_proj"], init_lora_weights=False)
model = get_peft_model(new_base(dtype=torch.bfloat16), config)
