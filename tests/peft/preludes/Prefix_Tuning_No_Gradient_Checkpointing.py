"""A method that passes what it trains as a cache of keys and values."""

config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
