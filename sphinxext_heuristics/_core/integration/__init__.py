"""Sphinx's side: domain, builders, events, transforms, and a digest of each page."""
