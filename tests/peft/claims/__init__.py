"""What the heuristics claim, executed."""
