"""What readers have at hand: run before the code of a heuristic's page."""

import torch
import transformers
from peft import *  # noqa: F403 - as readers who have imported what they use
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
transformers.logging.set_verbosity_error()

#: A folder with a base model that `from_pretrained` loads.
BASE = "base"
#: A folder with an adapter for it, trained a little.
ADAPTER = "adapter"

#: Inputs of one step of training, two texts of eight tokens.
inputs = {"input_ids": torch.randint(0, 64, (2, 8))}
inputs["labels"] = inputs["input_ids"]


def new_base(**more: object) -> LlamaForCausalLM:
    """Return the base model, loaded again."""
    return AutoModelForCausalLM.from_pretrained(BASE, **more)


def _write() -> None:
    """Write the base and the adapter into the folder in which the page runs."""
    tiny = LlamaConfig(
        vocab_size=64,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
    )
    LlamaForCausalLM(tiny).save_pretrained(BASE)
    trained = get_peft_model(new_base(), LoraConfig(target_modules=["q_proj"]))
    for name, parameter in trained.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter.data, std=0.1)
    trained.save_pretrained(ADAPTER)


_write()
#: A base model without adapters, and another one with an adapter that is not trained.
base_model = new_base()
config = LoraConfig(target_modules=["q_proj", "v_proj"])
model = get_peft_model(new_base(), config)
