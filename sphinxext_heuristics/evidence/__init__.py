"""Quoted code against installed source: whether what a heuristic rests on is still there, and where.

Nothing is imported. `search.verify` takes an `Evidence` and returns `Found` or `Lost`.
"""

from sphinxext_heuristics.evidence.search import verify

__all__ = ["verify"]
