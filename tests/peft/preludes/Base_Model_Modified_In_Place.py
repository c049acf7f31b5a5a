"""Another configuration to try."""

other = LoraConfig(target_modules=["o_proj"])
