"""Say what is missing before a version can be published; exit with 1 if something is.

    python tools/release.py v0.1.0

Once, before the first release: make the repository and its documentation public, and
set the addresses in `[project.urls]` of `pyproject.toml`, their one place. Say on the
pages of INSTALL_PAGES how to install it from PyPI. There, add a trusted publisher: the
repository, the workflow `release.yml`, the environment `pypi`, which has a required
reviewer and only tags `v*`.

For each release:

1. Set `__version__` in `sphinxext_heuristics/__init__.py`, and the date of the section
   in `CHANGELOG.md`; what users must do is first.
2. Look whether a Python or Sphinx is no longer supported
   (`docs/manual/compatibility.md`).
3. Run `make lint html test-all dist` and this check, and start the workflow by hand: it
   does everything but publish.
4. Tag the commit on `main` and push the tag:
   `git tag --annotate v0.1.0 && git push origin v0.1.0`.
5. Approve the deployment to `pypi`. A published version cannot be replaced: for a
   mistake, make the next one.
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
INSTALL_PAGES = (
    "README.md",
    "docs/manual/index.md",
    "docs/manual/get-started.md",
    "docs/manual/docbuilder.md",
)


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def missing(tag: str) -> Iterator[str]:
    """Yield what is in the way of the release that *tag* starts."""
    version = tag.removeprefix("v")
    if f'__version__ = "{version}"\n' not in read("sphinxext_heuristics/__init__.py"):
        yield f"sphinxext_heuristics/__init__.py: __version__ is not {version!r}"

    dated = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n\n(?!## )."
    if not re.search(dated, read("CHANGELOG.md"), re.MULTILINE):
        yield f"CHANGELOG.md has no '## {version} (YYYY-MM-DD)' with entries below"

    urls = tomllib.loads(read("pyproject.toml"))["project"]["urls"]
    for label in URLS:
        if not urls.get(label, "").startswith("https://"):
            yield f"pyproject.toml: [project.urls] has no https address as {label}"

    for name in INSTALL_PAGES:
        if not re.search(r"pip install '?sphinxext-heuristics\b", read(name)):
            yield f"{name} does not say `pip install sphinxext-heuristics`"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("name the tag: python tools/release.py v0.1.0")
    sys.exit("\n".join(missing(sys.argv[1])) or 0)
