"""A second adapter."""

model.add_adapter("fr", config)
