"""``python -m sphinxext_heuristics.releases``."""

from __future__ import annotations

import sys

from sphinxext_heuristics.releases.command import main

if __name__ == "__main__":
    sys.exit(main())
