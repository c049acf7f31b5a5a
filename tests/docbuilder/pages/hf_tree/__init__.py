"""A package as Hugging Face writes them."""

from hf_tree.things import Base, Sub, Thing, WentWrongError, make_thing

__all__ = ["Base", "Sub", "Thing", "WentWrongError", "make_thing"]
