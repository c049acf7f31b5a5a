"""What trains."""

from transformers import TrainingArguments
