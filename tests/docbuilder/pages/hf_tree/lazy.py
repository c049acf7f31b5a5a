"""As transformers, diffusers and trl are: what a name needs is imported late."""


class Strange(type):
    """Classes with a member that cannot be had."""

    @property
    def absent(cls) -> None:
        """Not there."""
        raise RuntimeError("no backend")


class Present(metaclass=Strange):
    """It is there."""

    def run(self) -> None:
        """Run."""


def __getattr__(name: str) -> object:
    if name != "Gone":
        raise AttributeError(name)
    raise RuntimeError(f"Failed to import hf_tree.lazy.{name}: no backend")
