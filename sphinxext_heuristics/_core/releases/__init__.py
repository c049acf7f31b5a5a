"""Releases: the file of which heuristic holds in which release, checks, view."""
