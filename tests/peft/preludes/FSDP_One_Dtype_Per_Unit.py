"""A 16-bit base with an adapter, and one process that shards on its own."""

from functools import partial

import torch.distributed as dist
from peft.utils.other import fsdp_auto_wrap_policy
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
FSDP = partial(FullyShardedDataParallel, device_id=torch.device("cpu"))
blocks = {LlamaDecoderLayer}
by_block = partial(transformer_auto_wrap_policy, transformer_layer_cls=blocks)
model = get_peft_model(new_base(dtype=torch.bfloat16), config)
