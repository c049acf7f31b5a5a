"""``python -m sphinxext_heuristics.docbuilder``."""

import sys

from sphinxext_heuristics.docbuilder.hook import main

if __name__ == "__main__":
    sys.exit(main())
