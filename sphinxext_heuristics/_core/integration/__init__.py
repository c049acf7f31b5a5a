"""Sphinx's side: domain, builders, events, transforms, and the record of the output."""
