"""Histories of a tree of doc-builder's; what its pages show is in `cases/sessions`."""

from __future__ import annotations

import os
import random
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import CASES, SECTION
from session import Session, body_of
from watched import WatchedProject

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Built, Project

# MyST asks Sphinx 9 for the application by its old name
pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser.*is deprecated")

TREE = CASES / "sessions" / "docbuilder_pages.txt"


@pytest.fixture
def tree(tmp_path: Path) -> WatchedProject:
    return WatchedProject(tmp_path, Session(TREE, tmp_path).files)


def edit(project: Project, files: dict[str, str]) -> None:
    """Write files; one without a text is deleted."""
    for name, text in files.items():
        if not text:
            (project.src / name).unlink(missing_ok=True)
    project.write({name: text for name, text in files.items() if text})


def contents(built: Built) -> dict[str, str]:
    """Return the pages, without links to the next one."""
    return {
        path.relative_to(built.out).as_posix(): body_of(path)
        for path in built.out.rglob("*.html")
    }


def own_warnings(built: Built) -> list[str]:
    """Return the warnings of ours; those of Sphinx and MyST are given only when a page is read or written."""
    own = re.compile(r"\[(docbuilder|heuristic)")
    return sorted(warning for warning in built.warnings if own.search(warning))


def check(tree: WatchedProject, builder: str = "html", *options: str) -> None:
    """Require that the next build gives what a clean one does, and writes no page for nothing."""
    later = tree.build(builder, *options)
    assert not tree.idle
    doctrees = str(tree.root / "clean-doctrees")
    shutil.rmtree(tree.root / "clean", ignore_errors=True)
    clean = tree.build(builder, "-E", "-d", doctrees, out="clean")
    expected, found = contents(clean), contents(later)
    assert {name: found.get(name) for name in expected} == expected
    assert own_warnings(later) == own_warnings(clean)


#: The end of a conf.py that lets a build die at the n-th of some events.
DYING = """
def setup(app):
    import os

    event, _, count = os.environ.get("DIE_AT", "").partition(" ")
    left = list(range(int(count or 0)))

    def die(*_):
        left.pop()
        if not left:
            os._exit(9)

    if event:
        app.connect(event, die)
"""
#: Where a build may die.
EVENTS = (
    "source-read",
    "doctree-read",
    "env-updated",
    "write-started",
    "doctree-resolved",
    "html-page-context",
)


def kill(tree: WatchedProject, event: str, count: int, builder: str = "html") -> None:
    """Begin a build in a process of its own that dies at the *count*-th *event*."""
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the child's coverage dies with it
        try:
            os.environ["DIE_AT"] = f"{event} {count}"
            tree.build(builder)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    tree.forget_what_is_written()


_SECTIONS = SECTION.split(TREE.read_text(encoding="utf-8"))
TOCTREE = _SECTIONS[_SECTIONS.index("_toctree.yml") + 1]
SWAPPED = (
    TOCTREE.replace("things", "x")
    .replace("again", "things")
    .replace("reference/x", "reference/again")
)
EXPORTS = _SECTIONS[_SECTIONS.index("hf_tree/__init__.py") + 1]
THINGS = _SECTIONS[_SECTIONS.index("hf_tree/things.py") + 1]
NEW = "- local: new/page\n  title: New\n"
#: What may happen to the tree, each with the files that it writes or deletes.
EDITS = {
    "swap pages": {"_toctree.yml": SWAPPED},
    "restore": {"_toctree.yml": TOCTREE},
    "retitle": {"_toctree.yml": TOCTREE.replace("title: Links", "title: All links")},
    "rename a section": {"_toctree.yml": TOCTREE.replace("title: More", "title: Less")},
    "drop a page": {
        "_toctree.yml": TOCTREE.replace(
            "  - local: reference/again\n    title: Again\n", ""
        )
    },
    "break the tree": {"_toctree.yml": "- local: [\n"},
    "list what is not there": {"_toctree.yml": TOCTREE + NEW},
    "write it": {
        "new/page.md": "# New\n\n[x](../guides/links#here) [`Sub.walk`]\n\n[[autodoc]] Sub\n"
    },
    "redirect": {"_redirects.yml": "old/page: reference/things\nold/gone: index#api\n"},
    "redirect nothing": {"_redirects.yml": "nothing: index\n"},
    "link through it": {
        "guides/html.md": "# HTML\n\n<a href='../old/page#thing'>x</a> [y](../old/gone)\n"
    },
    "write no HTML": {"guides/html.md": ""},
    "write another page": {"guides/markup.md": "# Other\n\n[`Sub.run`]\n"},
    "document less": {
        "reference/things.md": "# Things\n\n## Thing\n\n[[autodoc]] Thing\n    - none\n"
    },
    "document once": {"reference/again.md": "# Again\n\nNothing.\n"},
    # a link has parentheses after the name of a method
    "make it a property": {
        "hf_tree/things.py": re.sub(r"(?=    def run)", "    @property\n", THINGS)
    },
    # names of objects, and of what links lead to, follow from what packages import
    "export less": {
        "hf_tree/__init__.py": EXPORTS.replace(", WentWrongError, make_thing\n", "\n")
    },
    "export again": {
        "hf_tree/__init__.py": f"{EXPORTS}\nOther = Thing\n",
        "guides/other.md": "# Other\n\n[`Other`] [`WentWrongError`] [`make_thing`]\n",
    },
    "document no more": {"reference/things.md": ""},
    # not documented twice: which page Sphinx links to depends on what is read last
    "a page beside": {
        "reference/things.md": "",
        "heuristics/more.md": "# More\n\n```{py:function} hf_tree.Thing.run()\n```\n",
    },
    "a heuristic": {
        "heuristics/Walk.md": "```{heuristic} Walk\n:impl: hf_tree.Sub.walk\n:note: Look.\n```\n"
    },
    "retarget it": {
        "heuristics/Walk.md": "```{heuristic} Walk\n:impl: hf_tree.make_thing\n:note: Do.\n```\n"
    },
}
SEED = int(os.environ.get("HEURISTICS_HISTORY_SEED", "0"))
STORIES = int(os.environ.get("HEURISTICS_HISTORY_STORIES", "4"))


def test_incremental_is_clean(tree: WatchedProject) -> None:
    for name in (
        "restore",
        "swap pages",
        "restore",
        "redirect nothing",
        "document once",
        "swap pages",
        "write no HTML",
        "write it",
        "list what is not there",
        "restore",
        "write another page",
        "make it a property",
        "export again",
        "export less",
    ):
        edit(tree, EDITS[name])
        check(tree)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(story, marks=[pytest.mark.slow] if story else [])
        for story in range(STORIES)
    ],
)
def test_any_history(tree: WatchedProject, story: int) -> None:
    """Builds give what clean ones do, with heuristics beside, of two builders, serial, parallel or killed."""
    choice = random.Random(f"{SEED} {story}")  # noqa: S311 - of tests
    conf = (tree.src / "conf.py").read_text()
    conf = conf.replace('["', '["sphinxext_heuristics", "', 1)
    tree.write({"conf.py": conf + DYING})
    for name in ["restore", *choice.choices(sorted(EDITS), k=6)]:
        edit(tree, EDITS[name])
        builder = choice.choice(["html", "html", "dirhtml"])
        if choice.random() < 0.5:
            kill(tree, choice.choice(EVENTS), choice.randint(1, 4), builder)
        check(tree, builder, f"-j{choice.choice([1, 2])}")


#: The object is documented on the other page, the heading is gone.
MOVED = {
    "reference/again.md": "# Again\n\n[[autodoc]] Thing\n",
    "reference/things.md": "# Things\n",
    "index.md": "# Tree\n",
}


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_page_links_to_moves_and_the_build_is_killed(
    tree: WatchedProject, event: str
) -> None:
    tree.write({"conf.py": (tree.src / "conf.py").read_text() + DYING})
    tree.build("html")
    edit(tree, MOVED)
    kill(tree, event, 1)
    check(tree)


@pytest.mark.parametrize(
    "files", [MOVED, EDITS["swap pages"], EDITS["make it a property"]]
)
def test_each_of_two_builders_is_up_to_date(
    tree: WatchedProject, files: dict[str, str]
) -> None:
    for builder in ("html", "dirhtml"):
        tree.build(builder)
    edit(tree, files)
    for builder in ("html", "dirhtml"):
        check(tree, builder)


def test_a_build_that_reads_no_page_imports_nothing(tree: WatchedProject) -> None:
    assert "hf_tree" in tree.build("html").imported
    assert not tree.build("html").imported


def test_an_edit_of_a_page_beside_the_tree_imports_nothing(
    tree: WatchedProject,
) -> None:
    edit(tree, {"heuristics/guide.md": "# Guide\n\nText.\n"})
    assert "hf_tree" in tree.build("html").imported
    edit(tree, {"heuristics/guide.md": "# Guide\n\nAnother text.\n"})
    assert not tree.build("html").imported
    assert tree.read == {"heuristics/guide"}


def test_an_edit_of_the_toctree_reads_little(tree: WatchedProject) -> None:
    tree.build("html")
    doctrees = tree.root / "doctrees"
    before = {path: path.stat().st_mtime_ns for path in doctrees.rglob("*.doctree")}
    edit(tree, EDITS["retitle"])
    tree.build("html")
    read = [path for path in before if path.stat().st_mtime_ns != before[path]]
    assert [path.name for path in read] == ["index.doctree"]


@pytest.mark.parametrize(
    "text",
    [
        "<Tip>\n" * 1400 + "\nInnermost.\n" + "</Tip>\n" * 1400,
        "*a " * 1400 + "Innermost." + "*" * 1400,
        "**a " * 1400 + "Innermost." + "**" * 1400,
    ],
)
@pytest.mark.parametrize("file", ["guides/html.md", "hf_tree/things.py"])
def test_what_is_nested_too_deep_is_flat(
    tree: WatchedProject, file: str, text: str
) -> None:
    if file.endswith(".md"):
        text = f"# Deep\n\n{text}\n"
    else:
        indented = text.replace("\n", "\n    ")
        text = THINGS.replace(
            '"""Under a base.', f'"""Under a base.\n\n    {indented}\n    '
        )
    edit(tree, {file: text})
    built = tree.build("html")
    assert not built.status
    (found,) = (it for it in built.warnings if "are nested" in it)
    assert re.match(rf"<src>/{file}:(\d+|docstring of \S+:\d+): WARNING: more", found)
    page = "guides/html.html" if file.endswith(".md") else "reference/things.html"
    assert "Innermost." in built.read(page)
