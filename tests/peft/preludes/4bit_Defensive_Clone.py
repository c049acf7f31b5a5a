"""A layer of one's own around one of bitsandbytes; the page writes its `forward`."""

import bitsandbytes as bnb


class ShiftedLinear(torch.nn.Module):
    def __init__(self, base_layer: torch.nn.Module) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.shift = torch.nn.Parameter(torch.zeros(base_layer.out_features))
