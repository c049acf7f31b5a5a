"""A model with a new prompt, and transformers' arguments for a training."""

from transformers import TrainingArguments

prompted_model = get_peft_model(
    new_base(), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
)
