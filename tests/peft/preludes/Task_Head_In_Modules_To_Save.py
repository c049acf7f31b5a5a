"""A base with a new head."""

base_model.reward_head = torch.nn.Linear(16, 1)
