"""Imported by nobody."""


class Hidden:
    """In a module that is imported on the way."""

    def method(self) -> None:
        """Not listed."""
