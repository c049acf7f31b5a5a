"""A small encoder of PyTorch, and the same without an adapter."""

import copy

from torch import nn

encoder = nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True))
without_adapter = copy.deepcopy(encoder).eval()

_make = LoraConfig


def LoraConfig(**options: object) -> object:  # noqa: N802 - as on the page
    """Return a configuration whose adapter is not zero at the start, as if trained."""
    return _make(init_lora_weights=False, **options)
