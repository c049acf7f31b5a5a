"""A model of two layers, and another of four, which can be made again."""

small_model = new_base()


def new_large() -> LlamaForCausalLM:
    """Return a model of four layers."""
    sizes = new_base().config.to_dict() | {"num_hidden_layers": 4}
    return LlamaForCausalLM(LlamaConfig(**sizes))


large_model = new_large()
