"""A device map; where there are two GPUs, its ends have numbers."""

device_map = dict.fromkeys(
    ("model.embed_tokens", "model.layers", "model.norm", "model.rotary_emb", "lm_head"),
    "cpu",
)
