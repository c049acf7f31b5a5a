"""One process that shards on its own, and the configuration that is right."""

import torch.distributed as dist
from peft.utils.other import fsdp_auto_wrap_policy
from torch.distributed.fsdp import FullyShardedDataParallel
from transformers import BitsAndBytesConfig

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
quantization = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_compute_dtype=torch.bfloat16,
    bnb_4bit_quant_storage=torch.bfloat16,
)
