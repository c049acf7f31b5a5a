"""One process that has joined a group, as `torchrun` starts several."""

import torch.distributed as dist
from peft import get_peft_model_state_dict, load_peft_weights
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
