"""A base whose weights are fetched when a layer runs."""

from accelerate import cpu_offload

offloaded_model = cpu_offload(new_base(), execution_device=torch.device("cpu"))
