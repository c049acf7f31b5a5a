"""A package that the package above hides."""
