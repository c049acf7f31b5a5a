"""Releases: which heuristic holds in which release of the documented package: file, checks, view."""
