"""Configuration of the site: PEFT's reference with the heuristics that belong to it."""

from __future__ import annotations

import contextlib
import sys
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.addnodes import toctree

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.addnodes import desc_content
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

# flit leaves symbolic links to folders out of a source distribution, so the first build
# there makes this one. A copy would not do: the index file links to the real path of
# each page.
pages = Path(__file__).with_name("heuristics")
if not pages.exists():
    with contextlib.suppress(FileExistsError):  # another build was faster
        pages.symlink_to(Path("..", "heuristics"), target_is_directory=True)

project = "PEFT heuristics"
author = "The PEFT heuristics authors"
project_copyright = f"2026, {author}"
version = release = installed_version("peft")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx_design",
    "sphinxext_heuristics",
    "sphinxext_heuristics.docbuilder",
    "sphinxext_heuristics.releases",
    "fixed_bugs",
    "narrow_tables",
    "one_signature",
    "pictures",
    "preludes",
]
root_doc = "index"
# the manual is a site of its own, which `make manual` builds into this one
exclude_patterns = ["_build", "_ext", "manual"]
intersphinx_mapping = {"manual": ("manual", "_build/html/manual/objects.inv")}

myst_enable_extensions = [
    *("alert", "colon_fence", "deflist", "dollarmath", "fieldlist"),
    "substitution",
]
myst_heading_anchors = 3

# where the front page sends who finds an error: nowhere as long as there is no address
with Path(__file__).parents[1].joinpath("pyproject.toml").open("rb") as pyproject:
    addresses = tomllib.load(pyproject)["project"]["urls"]
issues = addresses.get("Issues", "")
myst_substitutions = {
    "report_errors": f"[Report an error]({issues})." if issues else ""
}

# torch's, transformers' and Python's own members are described where those are
# documented; the text of transformers' PushToHubMixin is a template besides, with
# placeholders that only its own subclasses fill in
autodoc_default_options = {
    "members": True,
    "inherited-members": (
        "Module, PreTrainedModel, PushToHubMixin, GenerationMixin, Cache, "
        "object, str, Exception, Enum"
    ),
    "show-inheritance": True,
}
# the types stand with the parameters: a configuration's signature alone fills a screen
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
docbuilder_packages = ["peft", "transformers"]

heuristics_namespace = "huggingface_peft"
heuristics_package = "peft"
# what each page answers below its pair of wrong and right, in this order
heuristics_sections = ["Why", "Limits"]
heuristics_categories = {
    "Memory Optimization": "Gradient checkpointing, tensor cloning, upcasting",
    "Quantization": "Merge rounding, defensive clone, safe merge, bases that cannot be "
    "merged",
    "Multi-Adapter": "DoRA mixed batch limitation, switching, combining and mixing "
    "adapters",
    "Debugging": "Safe merge NaN check, rounding warnings, silent mistakes",
    "Inference & Merging": "Merging, tied weights, hot-swapping",
    "Training": "What is trained, and how strongly",
    "Saving & Loading": "What an adapter file holds, and what loading it does",
    "Compatibility": "Other versions and backends",
}
heuristics_index_file = "../_HeuristicIndex.md"
heuristics_reach_file = "../heuristics/reach.txt"
heuristics_releases_file = "../heuristics/releases.json"
heuristics_source_url = (
    "https://github.com/huggingface/peft/blob/v{version}/src/{path}#L{line}"
)

html_theme = "furo"
# what a box says is no smaller than the text around it
html_theme_options = {
    "light_css_variables": {
        "admonition-font-size": "1em",
        "admonition-title-font-size": "1em",
    }
}
# What scrolls can be reached by keyboard, which some browsers leave to the page.
html_static_path = [
    str(Path(__file__).parent / "_ext" / name)
    for name in ("row_filter.js", "scrolling.js", "site.css")
]
html_css_files = ["site.css"]
html_js_files = [
    ("row_filter.js", {"defer": "defer"}),
    ("scrolling.js", {"defer": "defer"}),
]
# only breaks ties
html_search_scorer = str(Path(__file__).parent / "_ext/scorer.js")
html_title = f"PEFT {release} heuristics"

# `make pdf`: XeLaTeX, because PEFT's docstrings are full of Unicode; Sphinx's fonts for
# it, FreeSerif and its kin, have all of that but the emoji that Hugging Face signs with
latex_engine = "xelatex"
# makeindex comes with LaTeX, xindy does not, and every name here is ASCII
latex_use_xindy = False
latex_elements = {
    "papersize": "a4paper",
    # chapters need not begin on a right-hand page: this is read on a screen
    "extraclassoptions": "openany,oneside",
    "preamble": r"""
\usepackage{newunicodechar}
\usepackage{twemojis}
\newunicodechar{🤗}{\texttwemoji{1f917}}
""",
}

#: What a class is made of, which the navigation leaves to the class's own entry.
MEMBERS = {"attribute", "classmethod", "method", "property", "staticmethod"}


def leave_to_class(
    _app: Sphinx, _domain: str, kind: str, content: desc_content
) -> None:
    """Leave members of classes out of the navigation.

    There are 1,515 of them among 2,258 entries, and the theme copies all of these into
    each of 158 pages: 39 of 100 seconds.
    """
    if kind in MEMBERS:
        content.parent["no-contents-entry"] = True


def leave_to_index(app: Sphinx, _doctree: document) -> None:
    """Leave heuristics out of the navigation, and their categories in.

    Half of its entries were heuristics, in each page. Readers meet them where they are
    shown, or come by the box, the search, a category or the index.
    """
    docname = app.env.docname
    if docname.startswith("heuristics/") and docname != "heuristics/index":
        navigation = app.env.tocs[docname]
        for entries in list(navigation.findall(toctree)):
            entries.parent.remove(entries)


def setup(app: Sphinx) -> None:
    """Connect what conf.py does at events."""
    # after Sphinx has made a page's part of the navigation
    app.connect("doctree-read", leave_to_index, priority=900)
    app.connect("object-description-transform", leave_to_class)
