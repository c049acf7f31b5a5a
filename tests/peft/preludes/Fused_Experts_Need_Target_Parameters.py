"""A base model with experts, as gpt-oss has them."""

from transformers import GptOssConfig, GptOssForCausalLM


def new_base() -> GptOssForCausalLM:
    """Return a new base model."""
    tiny = GptOssConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_local_experts=4,
        num_experts_per_tok=2,
        eos_token_id=2,
        pad_token_id=0,
    )
    return GptOssForCausalLM(tiny)


base_model = new_base()
