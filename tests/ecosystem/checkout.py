"""The checkout of PEFT that HEURISTICS_PEFT names: for tests, no test itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def unpack(folder: Path) -> None:
    """Write what is committed in the checkout into a folder."""
    tree = Path(os.environ["HEURISTICS_PEFT"]).resolve()
    line = f"git -C {tree} archive HEAD | tar x"
    subprocess.run(line, shell=True, cwd=folder, check=True)  # noqa: S602 - right here
