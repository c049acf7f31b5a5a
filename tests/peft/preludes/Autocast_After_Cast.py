"""A 16-bit base whose output head is trained."""

model = get_peft_model(
    new_base(dtype=torch.float16),
    LoraConfig(target_modules=["q_proj"], modules_to_save=["lm_head"]),
)
