"""Resolve: what was read becomes what is shown, or a problem."""
