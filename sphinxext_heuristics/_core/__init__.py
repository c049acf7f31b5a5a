"""Everything that only this package imports; it may change in any release."""
