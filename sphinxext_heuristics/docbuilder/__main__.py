"""``python -m sphinxext_heuristics.docbuilder``."""

import sys

from .hook import main

if __name__ == "__main__":
    sys.exit(main())
