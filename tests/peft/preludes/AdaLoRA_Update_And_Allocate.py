"""An AdaLoRA adapter in training, after its first steps."""

step = 3
config = AdaLoraConfig(
    target_modules=["q_proj"], init_r=6, target_r=2, tinit=2, tfinal=3, total_step=12
)
model = get_peft_model(base_model, config)
optimizer = torch.optim.AdamW(p for p in model.parameters() if p.requires_grad)
