"""A model with a prompt."""

model = get_peft_model(
    new_base(), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
)
