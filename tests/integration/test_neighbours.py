"""Beside other extensions, each alone and all in one project: no warning, and heuristics where they belong.

Each build runs in a process of its own, because several of them change docutils and
Sphinx for good.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

import pytest
import sphinx
from bs4 import Tag
from conftest import Built, title_of
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Project

#: With 1, what is not installed is an error; `make ecosystem` sets it.
REQUIRED = os.environ.get("HEURISTICS_REQUIRE_NEIGHBOURS") == "1"

pytestmark = pytest.mark.slow

ZOO = '''
"""A zoo."""


def feed(who, much=1):
    """Feed somebody.

    Not by night.
    """


class Animal:
    """An animal."""

    def rest(self):
        """Rest."""
'''

NUMPY_ZOO = '''
"""A zoo."""


def feed(who):
    """Feed somebody.

    Parameters
    ----------
    who : str
        Who is hungry.

    Returns
    -------
    int
        What is left.
    """
'''

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "# A notebook\n\n{heuristic}`Notebook`\n\n```{heuristics-for} notebook_page\n```\n",
        },
        {
            "cell_type": "code",
            "metadata": {},
            "source": "1 + 1",
            "outputs": [],
            "execution_count": 1,
        },
    ],
    "metadata": {
        "kernelspec": {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
    },
    "nbformat": 4,
    "nbformat_minor": 4,
}


def heuristic(name: str, connections: str, body: str = "Look first.") -> str:
    """Return a page that holds one heuristic."""
    return f".. heuristic:: {name}\n   :note: The note of {name}.\n{connections}\n   {body}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another extension, what a project does with it, and what must come of it."""

    #: The distribution.
    package: str
    #: What conf.py lists.
    extensions: tuple[str, ...]
    #: What conf.py says besides.
    conf: str = ""
    #: Path → text of the project.
    files: dict[str, str]
    #: Documents for the toctree that are not among the files.
    documents: tuple[str, ...] = ()
    #: Page, anchor of an API entry, names of the heuristics that it shows.
    entries: tuple[tuple[str, str, list[str]], ...] = ()
    #: Page, names of the heuristics that it shows outside API entries.
    pages: tuple[tuple[str, list[str]], ...] = ()
    #: Page, selector of what is the neighbour's own work there.
    theirs: tuple[tuple[str, str], ...]


NEIGHBOURS = [
    # before autosummary, whose stubs it follows into a folder that it has made by then
    Neighbour(
        package="sphinx-gallery",
        extensions=("sphinx.ext.autodoc", "sphinx_gallery.gen_gallery"),
        conf="""sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "image_scrapers": (),
    "backreferences_dir": "backreferences",
    "doc_module": ("zoo_gallery",),
    "reset_modules": (),
}
exclude_patterns += ["examples", "backreferences", "auto_examples/*.ipynb", "**sg_execution_times.rst"]
""",
        files={
            "zoo_gallery.py": ZOO,
            "examples/GALLERY_HEADER.rst": "Examples\n========\n",
            "examples/plot_feed.py": '"""\nFeeding\n=======\n\nSee :heuristic:`Gallery`.\n"""\nimport zoo_gallery\n\n'
            "zoo_gallery.feed('lion')\n\n# %%\n# Once more\n# ---------\n#\n# .. heuristics-for:: zoo_gallery.Animal\n"
            "print(1)\n",
            "gallery_page.rst": "Gallery\n=======\n\n.. automodule:: zoo_gallery\n   :members:\n\n"
            ".. minigallery:: zoo_gallery.feed\n",
            "heuristics/Gallery.rst": heuristic(
                "Gallery",
                "   :impl: zoo_gallery.feed\n   :workflow: auto_examples/plot_feed\n",
            ),
            "heuristics/Pictures.rst": heuristic(
                "Pictures", "   :impl: zoo_gallery.Animal\n"
            ),
        },
        documents=("auto_examples/index",),
        entries=(
            ("gallery_page.html", "zoo_gallery.feed", ["Gallery"]),
            ("gallery_page.html", "zoo_gallery.Animal", ["Pictures"]),
        ),
        # The example links to the other one itself, in a line.
        pages=(("auto_examples/plot_feed.html", ["Pictures"]),),
        theirs=(("gallery_page.html", "div.sphx-glr-thumbcontainer"),),
    ),
    Neighbour(
        package="sphinx",
        extensions=("sphinx.ext.autosummary", "sphinx.ext.autodoc"),
        files={
            "zoo_summary.py": ZOO,
            "summary.rst": "Summary\n=======\n\n.. autosummary::\n   :toctree: generated\n\n"
            "   zoo_summary.feed\n   zoo_summary.Animal\n",
            "heuristics/Summary.rst": heuristic(
                "Summary", "   :impl: zoo_summary.feed, zoo_summary.Animal\n"
            ),
        },
        entries=(
            ("generated/zoo_summary.feed.html", "zoo_summary.feed", ["Summary"]),
            ("generated/zoo_summary.Animal.html", "zoo_summary.Animal", ["Summary"]),
        ),
        pages=(("summary.html", []),),
        theirs=(("summary.html", "table.autosummary"),),
    ),
    Neighbour(
        package="sphinx-autoapi",
        extensions=("autoapi.extension",),
        conf='autoapi_dirs = ["zoo_api"]\nautoapi_add_toctree_entry = False\n',
        files={
            "zoo_api/__init__.py": ZOO,
            "heuristics/Api.rst": heuristic(
                "Api", "   :impl: zoo_api.feed, zoo_api.Animal.rest\n"
            ),
        },
        documents=("autoapi/zoo_api/index",),
        entries=(
            ("autoapi/zoo_api/index.html", "zoo_api.feed", ["Api"]),
            ("autoapi/zoo_api/index.html", "zoo_api.Animal.rest", ["Api"]),
            ("autoapi/zoo_api/index.html", "zoo_api.Animal", []),
        ),
        theirs=(("autoapi/zoo_api/index.html", "[id='zoo_api.Animal']"),),
    ),
    Neighbour(
        package="sphinx-autodoc2",
        extensions=("autodoc2",),
        conf='autodoc2_packages = ["zoo_doc2.py"]\n',
        files={
            "zoo_doc2.py": ZOO,
            "heuristics/Doc2.rst": heuristic(
                "Doc2", "   :impl: zoo_doc2.feed, zoo_doc2.Animal.rest\n"
            ),
        },
        documents=("apidocs/index",),
        entries=(
            ("apidocs/zoo_doc2/zoo_doc2.html", "zoo_doc2.feed", ["Doc2"]),
            ("apidocs/zoo_doc2/zoo_doc2.html", "zoo_doc2.Animal.rest", ["Doc2"]),
            ("apidocs/zoo_doc2/zoo_doc2.html", "zoo_doc2.Animal", []),
        ),
        theirs=(("apidocs/zoo_doc2/zoo_doc2.html", "[id='zoo_doc2.Animal']"),),
    ),
    Neighbour(
        package="numpydoc",
        extensions=("sphinx.ext.autodoc", "numpydoc"),
        conf="numpydoc_show_class_members = False\n",
        files={
            "zoo_numpy.py": NUMPY_ZOO,
            "numpy_page.rst": "Numpy\n=====\n\n.. automodule:: zoo_numpy\n   :members:\n",
            "heuristics/Numpy.rst": heuristic("Numpy", "   :impl: zoo_numpy.feed\n"),
        },
        entries=(("numpy_page.html", "zoo_numpy.feed", ["Numpy"]),),
        theirs=(("numpy_page.html", "dl.field-list"),),
    ),
    Neighbour(
        package="sphinx-needs",
        extensions=("sphinx_needs",),
        files={
            "needs_page.rst": "Needs\n=====\n\n.. req:: The lion is fed\n   :id: R_001\n\n"
            "   See :heuristic:`Needs`.\n\n   .. heuristics-for:: zoo_needs.feed\n\n"
            ".. py:function:: zoo_needs.feed()\n\n   Feed.\n\n.. needtable::\n",
            "heuristics/Needs.rst": heuristic(
                "Needs",
                "   :impl: zoo_needs.feed\n   :workflow: needs_page\n",
                "Meets :need:`R_001`.",
            ),
        },
        entries=(("needs_page.html", "zoo_needs.feed", ["Needs"]),),
        pages=(("needs_page.html", ["Needs"]),),
        theirs=(
            ("needs_page.html", "#R_001"),
            ("needs_page.html", "table.NEEDS_DATATABLES"),
            ("heuristics/Needs.html", "a[href$='needs_page.html#R_001']"),
        ),
    ),
    Neighbour(
        package="myst-nb",
        extensions=("myst_nb",),
        conf='nb_execution_mode = "off"\n',
        files={
            "notebook_page.ipynb": json.dumps(NOTEBOOK),
            "notebook_api.md": "# API\n\n```{py:function} zoo_notebook.feed()\nFeed.\n```\n",
            "heuristics/Notebook.md": "```{heuristic} Notebook\n:note: The note of Notebook.\n"
            ":impl: zoo_notebook.feed\n:workflow: notebook_page\n\nBody.\n```\n",
        },
        entries=(("notebook_api.html", "zoo_notebook.feed", ["Notebook"]),),
        pages=(("notebook_page.html", ["Notebook"]),),
        theirs=(("notebook_page.html", "div.cell"),),
    ),
    Neighbour(
        package="sphinx-tabs",
        extensions=("sphinx_tabs.tabs",),
        files={
            "tabs_page.rst": "Tabs\n====\n\n.. tabs::\n\n   .. tab:: Lion\n\n      .. py:function:: zoo_tabs.feed()\n\n"
            "         Feed.\n\n   .. tab:: Hare\n\n      .. heuristics-for:: zoo_tabs.feed\n",
            "heuristics/Tabs.rst": heuristic("Tabs", "   :impl: zoo_tabs.feed\n"),
        },
        entries=(("tabs_page.html", "zoo_tabs.feed", ["Tabs"]),),
        pages=(("tabs_page.html", ["Tabs"]),),
        theirs=(
            ("tabs_page.html", "div.sphinx-tabs div[role=tabpanel] div.heuristic"),
        ),
    ),
    Neighbour(
        package="sphinx-copybutton",
        extensions=("sphinx_copybutton",),
        files={
            "copy_page.rst": "Copy\n====\n\n.. py:function:: zoo_copy.feed()\n\n   Feed.\n",
            "heuristics/Copy.rst": heuristic(
                "Copy",
                "   :impl: zoo_copy.feed\n",
                ".. code-block:: python\n\n      return who or None",
            ),
        },
        entries=(("copy_page.html", "zoo_copy.feed", ["Copy"]),),
        theirs=(("heuristics/Copy.html", "script[src*=copybutton]"),),
    ),
    Neighbour(
        package="sphinx-codeautolink",
        extensions=("sphinx.ext.autodoc", "sphinx_codeautolink"),
        files={
            "zoo_link.py": ZOO,
            "link_page.rst": "Link\n====\n\n.. automodule:: zoo_link\n   :members:\n",
            "heuristics/Link.rst": heuristic(
                "Link",
                "   :impl: zoo_link.feed\n",
                ".. code-block:: python\n\n      import zoo_link\n\n      zoo_link.feed(1)\n\n"
                # a fragment of a statement, which does not parse
                "   .. code-block:: text\n\n      for animal in animals:",
            ),
        },
        entries=(("link_page.html", "zoo_link.feed", ["Link"]),),
        theirs=(
            (
                "heuristics/Link.html",
                "a.sphinx-codeautolink-a[href$='link_page.html#zoo_link.feed']",
            ),
        ),
    ),
]


def unusable(neighbour: Neighbour) -> str:
    """Return why the neighbour cannot be used here, or nothing."""
    try:
        installed = version(neighbour.package)
    except PackageNotFoundError:
        return f"{neighbour.package} is not installed"
    for wish in map(Requirement, requires(neighbour.package) or []):
        here = {"sphinx": sphinx.__version__}.get(wish.name.lower())
        if here and not wish.marker and not wish.specifier.contains(here):
            return f"{neighbour.package} {installed} wants Sphinx {wish.specifier}, and this is {here}"
    return ""


def usable(neighbours: Iterable[Neighbour]) -> list[Neighbour]:
    """Return those that can be used here; an environment that promises all of them must hold them."""
    reasons = {neighbour.package: unusable(neighbour) for neighbour in neighbours}
    missing = [
        reason for reason in reasons.values() if reason.endswith("is not installed")
    ]
    if REQUIRED and missing:
        pytest.fail("; ".join(missing))
    return [neighbour for neighbour in neighbours if not reasons[neighbour.package]]


def build(project: Callable[..., Project], neighbours: Iterable[Neighbour]) -> Built:
    """Build one project with all of them, in another process, and require that there is no warning at all."""
    extensions = ["sphinxext_heuristics"]
    files: dict[str, str] = {}
    conf = "exclude_patterns = []\n"
    documents: list[str] = []
    for neighbour in neighbours:
        extensions += [name for name in neighbour.extensions if name not in extensions]
        files |= neighbour.files
        conf += neighbour.conf
        documents += [
            name.rpartition(".")[0]
            for name in neighbour.files
            if name.endswith((".rst", ".md", ".ipynb"))
            and not name.startswith("examples/")
        ]
        documents += neighbour.documents
    listed = "".join(f"   {name}\n" for name in documents)
    files["conf.py"] = f"extensions = {extensions}\n{conf}"
    files["index.rst"] = (
        f"Start\n=====\n\n.. toctree::\n\n{listed}\n.. heuristic-index::\n"
    )
    made = project(files)
    out = made.root / "out"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "--no-color",
        "-W",
        "--keep-going",
        str(made.src),
        str(out),
    ]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - Sphinx itself
    assert not ran.stderr, ran.stderr
    assert ran.returncode == 0
    return Built(out=out, status=0, stderr="", imported=frozenset())


def check(built: Built, neighbour: Neighbour) -> None:
    """Compare what is shown with what belongs there, and look for the neighbour's own work."""
    for page, anchor, names in neighbour.entries:
        assert built.shown(page, anchor) == names, (page, anchor)
    for page, names in neighbour.pages:
        boxes = [
            box
            for box in built.soup(page).select("div.heuristic")
            if not inside_entry(box)
        ]
        assert [title_of(box) for box in boxes] == names, page
    for page, selector in neighbour.theirs:
        assert built.soup(page).select(selector), f"{page} has no {selector}"
    table = built.soup("index.html").select_one("table.heuristic-index")
    assert isinstance(table, Tag)
    names = [
        name.partition("/")[2].partition(".")[0]
        for name in neighbour.files
        if name.startswith("heuristics/")
    ]
    for name in names:
        assert f"The note of {name}." in table.get_text()
    assert "⬜" not in table.get_text()


def inside_entry(box: Tag) -> bool:
    """Return whether an API entry holds the box."""
    return box.find_parent("dd") is not None


@pytest.mark.parametrize(
    "neighbour", NEIGHBOURS, ids=lambda neighbour: neighbour.extensions[-1]
)
def test_alone(project: Callable[..., Project], neighbour: Neighbour) -> None:
    if not usable([neighbour]):
        pytest.skip(unusable(neighbour))
    check(build(project, [neighbour]), neighbour)


def test_all_together(project: Callable[..., Project]) -> None:
    together = usable(NEIGHBOURS)
    built = build(project, together)
    for neighbour in together:
        check(built, neighbour)
