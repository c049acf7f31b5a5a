"""Docstrings in Hugging Face's style, which autodoc reads."""
