"""The base model in half precision."""

base_model = new_base(dtype=torch.float16)
