"""A device, and a map of devices; with two GPUs, they have numbers."""

device = "cpu"
parts = ("model.embed_tokens", "model.layers", "model.norm", "lm_head")
device_map = dict.fromkeys(parts, device)
