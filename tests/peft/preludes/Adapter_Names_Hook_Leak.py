"""Three names for two rows: the call fails in the first layer."""

model.eval()
names = ["default", "__base__", "default"]
