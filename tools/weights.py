"""Write how often readers run into each heuristic, from the threads that report it.

python tools/weights.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

PAGES = Path(__file__).parents[1] / "heuristics"
PREFIX = "huggingface_peft_"

#: Threads at least → the weight, the most first.
STEPS = {10: 3, 3: 2, 1: 1}

#: What goes wrong without a message, and is reported less for it.
SILENT = ("danger", "caution")

#: From the gravest on.
SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")

_SEVERITY = re.compile(r"^(?P<colon>:?)severity: (?P<word>\w+)\n", re.MULTILINE)
_WEIGHT = re.compile(r"^:?weight: .*\n", re.MULTILINE)
_NAMES = re.compile(rf"^{PREFIX}\w+\n(?:{PREFIX}\w+\n)+", re.MULTILINE)


class Weighed(NamedTuple):
    """A page with the weight that its reports give it."""

    #: The text of the page.
    text: str
    #: What the index sorts by, the smallest first.
    key: tuple[bool, int, int]


def weight(threads: int, severity: str) -> int:
    """Return the weight of what so many threads report."""
    reached = (given for least, given in STEPS.items() if threads >= least)
    return next(reached, 0) + (severity in SILENT)


def weighed(text: str, threads: int) -> Weighed:
    """Return the page of a heuristic with its weight below its severity."""
    bare = _WEIGHT.sub("", text, count=1)
    found = _SEVERITY.search(bare)
    if found is None:
        message = "a page without a severity"
        raise ValueError(message)
    severity = found["word"]
    its = weight(threads, severity)
    line = f"{found['colon']}weight: {its}\n" if its else ""
    text = bare[: found.end()] + line + bare[found.end() :]
    return Weighed(text, (severity != "danger", -its, SEVERITIES.index(severity)))


def in_order(text: str, keys: dict[str, tuple[bool, int, int]]) -> str:
    """Return the index with each group sorted but the first, which stays."""
    _first, *groups = _NAMES.findall(text)
    for group in groups:
        names = sorted(group.split(), key=keys.__getitem__)
        text = text.replace(group, "\n".join([*names, ""]))
    return text


def main() -> str | None:
    """Write the weight into each page, and sort the groups of the index by it.

    Returns what is missing.
    """
    reports = json.loads((PAGES / "reports.json").read_text(encoding="utf-8"))
    keys = {}
    for path in sorted(PAGES.glob(f"{PREFIX}*.md")):
        name = path.stem.removeprefix(PREFIX)
        if name not in reports:
            return f"heuristics/reports.json has no {name!r}, whose threads may be none"
        threads = reports[name]["threads"]
        text, keys[path.stem] = weighed(path.read_text(encoding="utf-8"), len(threads))
        path.write_text(text, encoding="utf-8")
    index = PAGES / "index.md"
    index.write_text(in_order(index.read_text(encoding="utf-8"), keys), "utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main())
