"""Things."""


class Base:
    """Not shown itself."""

    def walk(self) -> None:
        """Walk."""

    def run(self) -> None:
        """Run."""


class Thing:
    """A thing, see [`Sub`].

    Args:
        size (`int`): Its size.

    """

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def run(self) -> None:
        """Run."""

    def undocumented(self) -> None:
        pass

    @property
    def width(self) -> int:
        """No method."""
        return 1


class Sub(Base):
    """Under a base."""

    def run(self) -> None:
        """Run faster."""

    def __call__(self) -> None:
        pass


class WentWrongError(Exception):
    """Something went wrong."""


def make_thing(size: int = 1, **kwargs: object) -> Thing:
    """Make a [`Thing`].

    Args:
        size (`int`): Its size.
        **kwargs: More.

    Example:
    ```py
    thing = make_thing()
    ```

    And another:

    ```py
    thing = make_thing(2)
    ```
    """
    return Thing(size or len(kwargs))
