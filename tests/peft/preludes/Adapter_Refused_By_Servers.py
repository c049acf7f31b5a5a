"""A model whose vocabulary was resized before it got an adapter."""

_resized = new_base()
_resized.resize_token_embeddings(70)
resized_model = get_peft_model(_resized, LoraConfig(target_modules=["q_proj"]))
