"""A module with the name of its package."""

from collections.abc import Callable
from dataclasses import dataclass, field


def make() -> None:
    """Make it."""


@dataclass
class Cave:
    """A cave, called with *args and **kwargs: *deep* and **dark**.

    Args:
        size (`~hf_tree.Thing` or `~Thing`): Its size.
        key: What opens it.
    """

    size: dict[str, int] = field(default_factory=dict)
    key: Callable[[], None] = make
