"""A model with a prompt that was trained a little, and what it shall go on with."""

prompted_model = get_peft_model(
    new_base(), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
)
for parameter in prompted_model.parameters():
    if parameter.requires_grad:
        torch.nn.init.normal_(parameter.data)
prompted_model.eval()
fixed = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": None}
ids = torch.randint(3, 64, (2, 8))
prompt = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **fixed}
prompt["pad_token_id"] = 0
