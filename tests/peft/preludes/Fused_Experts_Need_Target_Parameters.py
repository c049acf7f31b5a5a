"""A base model with experts, as gpt-oss has them."""

from functools import partial

from claims.models import experts

new_base = partial(experts, "gpt_oss")
base_model = new_base()
