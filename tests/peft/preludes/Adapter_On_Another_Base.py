"""Another base of the same shape."""

other_base = LlamaForCausalLM(base_model.config)
