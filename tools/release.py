"""Say what is missing before a version can be published; exit with 1 if something is.

    python tools/release.py v0.1.0

Once, before the first release:

1. Make the repository public, on GitHub. In its settings, switch on private
   vulnerability reporting, which `SECURITY.md` names, and make the environment `pypi`,
   with a required reviewer and only tags `v*`.
2. Publish the documentation: Read the Docs takes `.readthedocs.yaml` as it is.
3. Set the addresses in `[project.urls]` of `pyproject.toml`, their one place but for
   the example of HOOKS_PAGE, which readers paste.
4. Say on INSTALL_PAGES how to install it from PyPI. There, add a pending publisher
   (Your projects, Publishing): the repository, the workflow `release.yml`, the
   environment `pypi`.

For each release:

1. Set `__version__` in `sphinxext_heuristics/__init__.py`, and the date of the section
   in `CHANGELOG.md`; what users must do is first.
2. Look whether a Python or Sphinx is no longer supported
   (`docs/manual/compatibility.md`).
3. Run this check and `make dist try-dist`, or push to `main` and start the workflow
   there by hand: it does everything but publish.
4. When CI has passed on `main`, tag that commit and push the tag:
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
INSTALL_PAGES = ("README.md", "docs/manual/index.md", "docs/manual/get-started.md")

#: The page that shows what to write for pre-commit, with the address of the repository.
HOOKS_PAGE = "docs/manual/ci.md"


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def missing(tag: str) -> Iterator[str]:
    """Yield what is in the way of the release that *tag* starts."""
    version = tag.removeprefix("v")
    if f'__version__ = "{version}"\n' not in read("sphinxext_heuristics/__init__.py"):
        yield f"sphinxext_heuristics/__init__.py: set __version__ to {version!r}"

    dated = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n\n(?!## )."
    if not re.search(dated, read("CHANGELOG.md"), re.MULTILINE):
        yield f"CHANGELOG.md: write '## {version} (YYYY-MM-DD)' with entries below"

    urls = tomllib.loads(read("pyproject.toml"))["project"]["urls"]
    for label in URLS:
        if not urls.get(label, "").startswith("https://"):
            yield f"pyproject.toml: add an https address as {label} to [project.urls]"

    if f"- repo: {urls.get('Source')}" not in read(HOOKS_PAGE):
        yield f"{HOOKS_PAGE}: as `repo`, write the address that is Source"

    for name in INSTALL_PAGES:
        page = read(name)
        installs = re.search(r"pip install '?sphinxext-heuristics\b", page)
        if not installs or "no release on PyPI" in page:
            yield f"{name}: instead of a clone, say `pip install sphinxext-heuristics`"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("name the tag: python tools/release.py v0.1.0")
    sys.exit("\n".join(missing(sys.argv[1])) or 0)
