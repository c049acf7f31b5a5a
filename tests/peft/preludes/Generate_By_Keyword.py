"""A T5 with an adapter, and what it shall go on from."""

from transformers import T5Config, T5ForConditionalGeneration

_sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
_config = T5Config(vocab_size=64, decoder_start_token_id=0, **_sizes)
t5_model = get_peft_model(
    T5ForConditionalGeneration(_config), LoraConfig(task_type="SEQ_2_SEQ_LM")
)
ids = torch.randint(2, 64, (2, 8))
