"""A prefix that was trained with a projection, and its folder."""

prefix_model = get_peft_model(
    new_base(),
    PrefixTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=4,
        encoder_hidden_size=8,
        prefix_projection=True,
    ),
)
prefix_model.save_pretrained("prefix")
