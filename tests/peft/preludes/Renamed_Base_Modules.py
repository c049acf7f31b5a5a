"""A small Qwen2-VL, and an adapter whose keys are those of transformers 4.51."""

from safetensors.torch import load_file, save_file
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

tiny = Qwen2VLConfig(
    text_config={
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "vocab_size": 64,
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]},
    },
    vision_config={
        "depth": 1,
        "embed_dim": 16,
        "hidden_size": 16,
        "num_heads": 2,
        "patch_size": 4,
    },
)
base_model = Qwen2VLForConditionalGeneration(tiny)
config = LoraConfig(target_modules=["q_proj", "qkv"], init_lora_weights=False)
get_peft_model(Qwen2VLForConditionalGeneration(tiny), config).save_pretrained(ADAPTER)

_file = f"{ADAPTER}/adapter_model.safetensors"
trained = {
    name.replace("model.language_model.", "model.").replace(
        "model.visual.", "visual."
    ): it
    for name, it in load_file(_file).items()
}
save_file(trained, _file)
