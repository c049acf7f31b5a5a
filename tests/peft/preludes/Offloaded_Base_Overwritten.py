"""The base model with its last layer on disk."""

_parts = ("embed_tokens", "norm", "rotary_emb", "layers.0")
_places = {f"model.{part}": "cpu" for part in _parts} | {"lm_head": "cpu"}
offloaded_model = new_base(
    device_map=_places | {"model.layers.1": "disk"}, offload_folder="offloaded"
)
