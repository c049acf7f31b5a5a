"""Run Hugging Face's doc-builder on a small tree, without the hook and with it. Not part of ``make test``.

    python tests/docbuilder/run_doc_builder.py [CHECKOUT]

CHECKOUT is a checkout of doc-builder, if it is not installed. It needs what doc-builder
imports, ruff on PATH, and this package with MyST. The exit code is 0 if all is as it
must be, 1 if not, and 2 if there is no doc-builder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOC_BUILDER = ["-m", "doc_builder.commands.doc_builder_cli"]

FILES = {
    "package/small/__init__.py": '''\
"""A small package."""

__version__ = "1.0.0"


class Base:
    """A base, see [`Base.merge`].

    It is small.
    """

    def merge(self, safe=False):
        """
        Merge it.

        Args:
            safe (`bool`): Whether to look.

        Returns:
            `dict`: What was merged.

        Example:

        ```py
        >>> Base().merge()
        ```
        """

    def load(self):
        """Load it, with ``care``."""

    def bare(self):
        pass


class Child(Base):
    """A child."""

    def merge(self, safe=False):
        """
        Merge it.

        Args:
            safe (`bool`): Whether to look.

        Returns:
            `dict`: What was merged.

        Example:

        ```py
        >>> Base().merge()
        ```
        """
''',
    "package/small/deep.py": 'def swap(old, new):\n    """Swap them."""\n',
    "docs/_config.py": '# docstyle-ignore\nINSTALL_CONTENT = """\n! pip install small\n"""\n',
    "docs/_toctree.yml": """\
- title: Small
  sections:
  - local: index
    title: Start
  - local: reference
    title: Reference
""",
    "docs/index.md": "# Start\n\n> [!TIP]\n> Read the [reference](reference).\n\n[`Base.merge`] merges.\n",
    "docs/reference.md": """\
# Reference

## Base

[[autodoc]] Base
    - all

## Child

[[autodoc]] Child

## swap

[[autodoc]] deep.swap
""",
    "conf.py": """\
project, release = "Small", "1.0.0"
extensions = ["sphinxext_heuristics", "sphinxext_heuristics.docbuilder"]
docbuilder_trees = {"": "small"}
docbuilder_packages = ["small"]
heuristics_package = "small"
heuristics_undocumented = "planned"
""",
    "heuristics/Safe.md": """\
```{heuristic} Safe
:title: Look before you merge
:note: Use `safe=True` where {x}, <T>, a < b or $5 may break
:impl: small.Base.merge, small.Base.load
:severity: danger
```
""",
    "heuristics/Swap.md": "```{heuristic} Swap\n:note: Swap *late*.\n:impl: small.deep.swap\n```\n",
    "heuristics/Bare.md": "```{heuristic} Bare\n:note: Leave it.\n:impl: small.Base\n:severity: note\n```\n",
}
LINES = 'import runpy\n\n\nrunpy.run_path(__file__.replace("_config.py", "_heuristics.py"))["add_alerts"]()\n\n'

#: The cards, and the alerts in them.
EXPECTED = {
    "small.Base": ["NOTE"],
    "small.Base.merge": ["CAUTION"],
    "small.Base.load": ["CAUTION"],
    "small.Child": [],
    "small.deep.swap": ["TIP"],
}


class Trial:
    """A folder with the tree, and the results."""

    def __init__(self, folder: Path, checkout: str | None) -> None:
        self.folder = folder
        self.failures: list[str] = []
        added = [
            str(ROOT),
            str(folder / "package"),
            *([str(Path(checkout, "src").resolve())] if checkout else []),
        ]
        paths = [*added, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """Run Python; what fails ends the trial."""
        done = subprocess.run(  # noqa: S603 - the commands are written here
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(
                f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}"
            )
        return done.stdout

    def build(self, out: str) -> dict[str, bytes]:
        """Build with doc-builder, style and links checked; give the files that are published."""
        self.run(
            *DOC_BUILDER,
            "build",
            "small",
            "docs",
            "--build_dir",
            out,
            "--version",
            "main",
            "--clean",
        )
        self.run(
            *DOC_BUILDER,
            "style",
            "package",
            "docs",
            "--path_to_docs",
            "docs",
            "--check_only",
        )
        self.run(*DOC_BUILDER, "check-links", "docs")
        root = self.folder / out / "small" / "main" / "en"
        return {
            path.name: path.read_bytes()
            for path in root.iterdir()
            if path.suffix in {".mdx", ".inv"}
        }

    def check(self, *, that: bool, what: str) -> None:
        """Note one result."""
        sys.stdout.write(f"{'ok  ' if that else 'FAIL'} {what}\n")
        if not that:
            self.failures.append(what)


def cards(page: str) -> dict[str, list[str]]:
    """Give the alerts of each card of a page."""
    _before, *parts = re.split(r'<Docstring name=.*? anchor=\{"(.+?)"\}', page)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {
        name: re.findall(r"^> \[!(\w+)\]\n> \S", text, re.MULTILINE)
        for name, text in pairs
    }


def main(arguments: list[str]) -> int:
    """Run the trial."""
    checkout = arguments[0] if arguments else None
    if not (
        Path(checkout, "src", "doc_builder").is_dir()
        if checkout
        else find_spec("doc_builder")
    ):
        sys.stderr.write(
            "no doc-builder: install it from its repository, or give the folder of a checkout\n"
        )
        return 2
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(Path(name), checkout)
        plain = trial.build("plain")
        sys.stdout.write(
            trial.run("-m", "sphinxext_heuristics.docbuilder", "hook", ".", "docs")
        )
        config = trial.folder / "docs" / "_config.py"
        config.write_text(LINES + config.read_text(encoding="utf-8"), encoding="utf-8")
        hooked, again = trial.build("hooked"), trial.build("again")
        page = hooked["reference.mdx"].decode()
        trial.check(
            that=cards(page) == EXPECTED, what=f"alerts in their cards: {cards(page)}"
        )
        stray = [
            line
            for line in page.splitlines()
            if "[!" in line and not re.fullmatch(r"> \[![A-Z]+\]", line)
        ]
        trial.check(that=not stray, what=f"no alert is text {stray or ''}")
        trial.check(
            that=hooked["objects.inv"] == plain["objects.inv"],
            what="objects.inv is the same",
        )
        trial.check(
            that=hooked["index.mdx"] == plain["index.mdx"],
            what="a page without objects is the same",
        )
        without = re.sub(r"> \[!\w+\]\n> .*\n+", "", page)
        same = without.split() == plain["reference.mdx"].decode().split()
        trial.check(that=same, what="without its alerts, the page is the same")
        trial.check(that=again == hooked, what="a second build gives the same")
    return 1 if trial.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
