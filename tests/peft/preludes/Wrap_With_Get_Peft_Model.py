"""A configuration of LoKr."""

config = LoKrConfig(target_modules=["q_proj"])
