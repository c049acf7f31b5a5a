"""How long the pages of heuristics are: words and lines, on the built site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup


class Length(NamedTuple):
    """The length of one page."""

    #: All words, those of code, facts and lists among them.
    words: int
    #: The words outside of what is collapsed.
    in_sight: int
    #: The lines of the first code block.
    first_block: int


def length(page: Path) -> Length:
    """Return the length of a heuristic's page in the built site."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    section = soup.select_one("section.heuristic")
    assert section is not None
    words = len(section.get_text(" ").split())
    block = section.select_one("div.highlight pre")
    first_block = len(block.get_text().strip().splitlines()) if block else 0
    for fold in section.select("details"):
        fold.decompose()
    return Length(words, len(section.get_text(" ").split()), first_block)


def lengths(site: Path) -> dict[str, Length]:
    """Return the length of each heuristic's page in the site."""
    found = {}
    for path in sorted((site / "heuristics").glob("huggingface_peft_*.html")):
        found[path.stem.removeprefix("huggingface_peft_")] = length(path)
    return found


if __name__ == "__main__":
    for name, its in lengths(Path(sys.argv[1])).items():
        sys.stdout.write(
            f"{name:45} in sight {its.in_sight:4} (300, half 250)  "
            f"all {its.words:4} (half 550)  first block {its.first_block:2} (8)\n"
        )
