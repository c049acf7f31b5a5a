"""Batches to start from, and something that trains."""

from types import SimpleNamespace

trainer = SimpleNamespace(train=lambda: None)
dataloader = [{"input_ids": inputs["input_ids"]} for _batch in range(20)]
