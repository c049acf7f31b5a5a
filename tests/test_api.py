"""The public interface: its page, and the manual's extension, which knows nothing else of the package."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

from sphinxext_heuristics import __version__, api

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

PAGE = (ROOT / "docs" / "manual" / "extend.md").read_text(encoding="utf-8")
[EXTENSION] = re.findall(
    r"^:caption: docs/_ext/by_severity.py\n\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)

CONF = """\
import sys
sys.path.insert(0, __file__.rpartition("/")[0] + "/_ext")
extensions = ["by_severity"]
exclude_patterns = ["_ext"]
heuristics_dir = None
"""


def definition(name: str, severity: str = "tip", note: str = "N.") -> str:
    return f".. heuristic:: {name}\n   :note: {note}\n   :workflow: guide\n   :severity: {severity}\n"


PROJECT = {
    "conf.py": CONF,
    "_ext/by_severity.py": EXTENSION,
    "index.rst": "Start\n=====\n\n.. toctree::\n\n   list\n   guide\n   one\n   two\n",
    "list.rst": "List\n====\n\n.. heuristics-by-severity::\n",
    "guide.rst": "Guide\n=====\n\nText.\n",
    "one.rst": definition("One", "warning"),
    "two.rst": definition("Two"),
}


# -- what is public -------------------------------------------------------------------


def test_the_manual_lists_all_that_is_public() -> None:
    listed = " ".join(re.findall(r"^```\{heuristics-api\} (.+)$", PAGE, re.MULTILINE))
    assert sorted(listed.split()) == sorted(api.__all__)
    assert len(set(api.__all__)) == len(api.__all__)


@pytest.mark.parametrize("name", api.__all__)
def test_all_that_is_public_is_there_and_described(name: str) -> None:
    found = getattr(api, name)
    if name == "SEVERITIES":
        assert found[0] == "tip"
        return
    assert found.__doc__, name
    # What is another name's alias has another name in messages and in the manual.
    assert found.__name__ == name


def test_the_page_of_the_manual_is_made_from_docstrings(
    project: Callable[..., Project],
) -> None:
    conf = f"""\
import sys
sys.path.insert(0, {str(ROOT / "docs/manual/_ext")!r})
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxext_heuristics", "heuristics_reference"]
autodoc_default_options = {{"members": True, "inherited-members": True}}
heuristics_dir = None
"""
    page = PAGE.replace("(compatibility.md#deprecations)", "(index.md)")
    built = project({"conf.py": conf, "index.md": page}).ok("html")
    ids = {str(tag["id"]) for tag in built.soup("index.html").select("dt[id]")}
    prefix = f"{api.__name__}."
    tops = {name.removeprefix(prefix).partition(".")[0] for name in ids}
    assert tops == set(api.__all__)
    assert f"{prefix}Heuristic.severity" in ids
    assert f"{prefix}Heuristic.count" not in ids, "a tuple's own methods"
    assert "Alias for field" not in built.read("index.html")


# -- an extension on it ---------------------------------------------------------------


def test_the_extension_is_short_and_imports_nothing_else_of_ours() -> None:
    assert len(EXTENSION.splitlines()) <= 60
    assert len([line for line in EXTENSION.splitlines() if line.strip()]) <= 45
    imported = [
        node.module
        for node in ast.walk(ast.parse(EXTENSION))
        if isinstance(node, ast.ImportFrom)
    ]
    assert imported == ["docutils", "sphinxext_heuristics.api"]


def test_the_extension_lists_by_severity(project: Callable[..., Project]) -> None:
    made = project(PROJECT)
    assert made.ok().read("list.txt").split() == (
        [
            "List",
            "****",
            "-[",
            "warning",
            "]-",
            "*",
            "One",
            "-[",
            "tip",
            "]-",
            "*",
            "Two",
        ]
    )
    made.write(
        {"list.rst": "List\n====\n\n.. heuristics-by-severity::\n   :severity: tip\n"}
    )
    assert "One" not in made.ok().read("list.txt")


def test_its_page_is_written_again_exactly_when_its_content_changes(
    project: Callable[..., Project],
) -> None:
    made = project(PROJECT)
    made.ok("html")
    page = made.root / "out-html" / "list.html"

    def is_written_by(files: dict[str, str]) -> bool:
        before = page.stat().st_mtime_ns
        made.write(files)
        built = made.ok("html")
        clean = made.ok(
            "html", "-E", "-j2", "-d", str(made.root / "other"), out="clean"
        )
        assert built.soup("list.html").select("div.body") == clean.soup(
            "list.html"
        ).select("div.body")
        return page.stat().st_mtime_ns != before

    assert not is_written_by({})
    assert not is_written_by({"two.rst": definition("Two", note="Another note.")})
    assert is_written_by({"two.rst": definition("Two", "important")})
    assert not is_written_by({"two.rst": definition("Two", "important", note="Third.")})
    titled = definition("Two", "important") + "   :title: Second\n"
    assert is_written_by({"two.rst": titled})
    assert "Second" in page.read_text(encoding="utf-8")


def test_its_event_comes_once_a_build_and_warns_in_each(
    project: Callable[..., Project], capsys: pytest.CaptureFixture[str]
) -> None:
    made = project(PROJECT)
    counting = EXTENSION.replace(
        "def unseen(app, plan):\n",
        "def unseen(app, plan):\n    print('resolved', len(plan.catalogue.heuristics))\n",
    )
    made.write(
        {"_ext/by_severity.py": counting, "one.rst": definition("One", "danger")}
    )
    said = (
        "<src>/one.rst:1: WARNING: danger 'One' is in no API entry [heuristic.unseen]"
    )
    for options in (("-E",), (), ("-E", "-j2")):
        built = made.build("text", *options)
        assert built.warnings == [said]
        assert capsys.readouterr().out.count("resolved 2") == 1


# -- what a build loads ---------------------------------------------------------------

NOT_LOADED = (
    "releases",
    "docbuilder",
    "_core.cli",
    "_core.files.export",
    "_core.files.reach",
    "_core.evidence.search",
)


def test_each_extension_of_ours_has_the_version(
    project: Callable[..., Project],
) -> None:
    # What Sphinx's report of an error lists.
    conf = """\
extensions = ["sphinxext_heuristics", "sphinxext_heuristics.releases"]


def setup(app):
    ours = [it for it in app.extensions.values() if it.name.startswith("sphinxext")]
    (app.outdir / "versions.txt").write_text(repr({it.version for it in ours}))
"""
    built = project({"conf.py": conf, "index.rst": "Start\n=====\n"}).ok()
    assert built.read("versions.txt") == repr({__version__})


@pytest.mark.parametrize(
    ("extension", "used"),
    [("sphinxext_heuristics", set()), ("sphinxext_heuristics.releases", {"releases"})],
)
def test_a_build_loads_nothing_that_it_does_not_use(
    project: Callable[..., Project], extension: str, used: set[str]
) -> None:
    conf = f"extensions = [{extension!r}]\nheuristics_dir = None\n"
    plain = {**PROJECT, "conf.py": conf}
    made = project({**plain, "list.rst": "List\n====\n"})
    code = (
        "import sys; from sphinx.cmd.build import main; "
        "status = main(['-q', '-b', 'html', 'src', 'out']); "
        "print(*sorted(sys.modules)); sys.exit(status)"
    )
    made_by = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", code],
        cwd=made.root,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = made_by.stdout.split()
    assert "sphinxext_heuristics._core.model" in loaded
    ours = {f"sphinxext_heuristics.{name}" for name in {*NOT_LOADED} - used}
    others = {"sphinx_design", "sphinx.ext.intersphinx"}
    assert not (ours | others) & set(loaded)
