"""What reads the file of an adapter."""

from safetensors.torch import load_file
