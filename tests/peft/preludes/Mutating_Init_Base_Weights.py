"""What stands for the training."""


def train(model: PeftModel) -> None:
    """Change the adapter as a training would."""
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data += 0.1
