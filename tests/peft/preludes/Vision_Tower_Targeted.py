"""A small LLaVA."""

from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration

_size = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_vision = CLIPVisionConfig(**_size, image_size=8, patch_size=4, projection_dim=16)
_text = LlamaConfig(**_size, vocab_size=64)
base_model = LlavaForConditionalGeneration(
    LlavaConfig(vision_config=_vision, text_config=_text, image_token_index=63)
)
