"""Say what is missing before a version can be published; exit with 1 if something is.

python tools/release.py v0.1.0
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

#: The entries of `[project.urls]` without which nothing is published.
URLS = ("Source", "Documentation", "Issues", "Changelog")

#: The pages that say how to install: once there is a release, from the package index.
INSTALL_PAGES = ("README.md", "docs/manual/get-started.md", "docs/manual/docbuilder.md")


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def missing(tag: str) -> Iterator[str]:
    """Yield what is in the way of the release that *tag* starts."""
    version = tag.removeprefix("v")
    if f'__version__ = "{version}"\n' not in read("sphinxext_heuristics/__init__.py"):
        yield f"sphinxext_heuristics/__init__.py: __version__ is not {version!r}"

    changelog = read("CHANGELOG.md")
    dated = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n\n(?!## )."
    if not re.search(dated, changelog, re.MULTILINE):
        yield f"CHANGELOG.md has no '## [{version}] - YYYY-MM-DD' with entries below"
    if re.search(r"^## \[Unreleased\]\n\n(?!## ).", changelog, re.MULTILINE):
        yield f"CHANGELOG.md: move the entries of [Unreleased] to [{version}]"

    urls = tomllib.loads(read("pyproject.toml"))["project"]["urls"]
    for label in URLS:
        if not urls.get(label, "").startswith("https://"):
            yield f"pyproject.toml: [project.urls] has no https address as {label}"

    for name in INSTALL_PAGES:
        if not re.search(r"pip install '?sphinxext-heuristics\b", read(name)):
            yield f"{name} does not say `pip install sphinxext-heuristics`"


if __name__ == "__main__":
    sys.exit("\n".join(missing(sys.argv[1])) or 0)
