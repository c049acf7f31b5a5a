"""``python -m sphinxext_heuristics``."""

from __future__ import annotations

import sys

from ._core.cli import main

if __name__ == "__main__":
    sys.exit(main())
