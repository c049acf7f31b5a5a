"""A model with a prompt of four tokens, and the labels of a text."""

config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
prompted_model = get_peft_model(new_base(), config)
labels = inputs["labels"]
