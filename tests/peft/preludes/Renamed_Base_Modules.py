"""A small Qwen2-VL, and an adapter whose keys are those of transformers 4.51."""

from pathlib import Path

from claims.models import QWEN_BEFORE, aged, qwen2

base_model = qwen2()
config = LoraConfig(target_modules=["q_proj", "qkv"], init_lora_weights=False)
trained = aged(Path(ADAPTER), qwen2(), config, QWEN_BEFORE)
