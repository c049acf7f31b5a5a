"""A package as Hugging Face writes them."""

from hf_tree.hidden import hidden
from hf_tree.things import Base, Sub, Thing, WentWrongError, make_thing

__all__ = ["Base", "Sub", "Thing", "WentWrongError", "hidden", "make_thing"]
