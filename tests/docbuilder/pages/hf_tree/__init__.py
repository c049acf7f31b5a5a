"""A package as Hugging Face writes them."""

from hf_tree.things import Base, Sub, Thing, WentWrong, make_thing

__all__ = ["Base", "Sub", "Thing", "WentWrong", "make_thing"]
