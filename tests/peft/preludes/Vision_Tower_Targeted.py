"""A small LLaVA."""

from claims.models import llava

base_model = llava()
