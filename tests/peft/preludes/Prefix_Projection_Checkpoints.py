"""A model that was trained by P-tuning, and its folder; and one with a projected prefix."""


def _prompted(kind: type, **options: object) -> PeftModel:
    sizes = {"num_virtual_tokens": 4, "encoder_hidden_size": 8}
    prompt = kind(task_type="CAUSAL_LM", **sizes, **options)
    return get_peft_model(new_base(), prompt)


model = _prompted(PromptEncoderConfig)
model.save_pretrained("p-tuning")
prefix_model = _prompted(PrefixTuningConfig, prefix_projection=True)
prefix_model.save_pretrained("prefix")
