"""Configuration of the manual: the extension's own site, which needs no PEFT.

Its example is the library requests, which every Sphinx has installed: that is what
heuristics here are about.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "sphinxext-heuristics"
author = "The sphinxext-heuristics authors"
project_copyright = f"2026, {author}"
version = release = installed_version("sphinxext-heuristics")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_design",
    "sphinxext_heuristics",
    "sphinxext_heuristics.releases",
    "heuristics_reference",
]
exclude_patterns = ["_build", "_ext", "_contents.md"]

myst_enable_extensions = ["alert", "colon_fence", "deflist"]
myst_heading_anchors = 3
# The catalogue's site, one folder up: it links here by its inventory, so there is none
# of it when this is built.
myst_url_schemes = {
    **dict.fromkeys(["http", "https", "mailto"]),
    "catalogue": {"url": "../{{path}}#{{fragment}}"},
}

# -- The example: heuristics of requests

heuristics_package = "requests"
heuristics_dir = "example/heuristics"
heuristics_categories = {
    "Errors": "What is raised, what is not, and how to catch it",
    "Waiting": "How long a call takes",
    "Data": "What is sent and what is read",
    "Security": "Certificates and the environment",
}
heuristics_releases_file = "example/releases.json"
heuristics_source_url = (
    "https://github.com/psf/requests/blob/v{version}/src/{path}#L{line}"
)
# list inherited members, so that their entries can show heuristics
autodoc_default_options = {
    "members": True,
    "inherited-members": True,
    "show-inheritance": True,
}

# -- The site

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
maximum_signature_line_length = 100

html_theme = "furo"
html_title = f"sphinxext-heuristics {release}"
# code that scrolls can be reached by keyboard, which some browsers leave to the page
html_static_path = ["../_ext/scrolling.js"]
html_js_files = [("scrolling.js", {"defer": "defer"})]


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add the toctrees to the front page.

    They are in a file of their own, because GitHub shows ``index.md``, too, and a
    toctree would be text there.
    """
    if docname == "index":
        contents = HERE / "_contents.md"
        app.env.note_dependency(contents)
        source[0] += contents.read_text(encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect what conf.py does at events."""
    app.connect("source-read", add_contents)
