"""Resolve: what was read becomes what is shown: catalogue, objects, pages, plan, verdicts, rows and checks."""
