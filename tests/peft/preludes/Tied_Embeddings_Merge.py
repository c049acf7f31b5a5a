"""A trained adapter on the head of a model whose ends are tied."""

_tied = LlamaConfig.from_pretrained(BASE, tie_word_embeddings=True)
config = LoraConfig(target_modules=["lm_head"], init_lora_weights=False)
model = get_peft_model(LlamaForCausalLM(_tied), config).eval()
