"""A model with an adapter that does something, and the inputs of its head."""

from peft.helpers import rescale_adapter_scale

config = LoraConfig(target_modules=["q_proj", "lm_head"], init_lora_weights=False)
model = get_peft_model(new_base(), config).eval()
hidden = torch.ones(1, 16)
