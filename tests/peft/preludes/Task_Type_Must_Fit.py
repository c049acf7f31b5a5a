"""The class without a head."""

from transformers import AutoModel
