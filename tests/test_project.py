"""What this repository says of versions, in several files: that they agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = re.findall(r":: Python :: (3\.\d+)$", "\n".join(PROJECT["project"]["classifiers"]), re.MULTILINE)


def project() -> Iterator[Requirement]:
    """Yield what the package itself asks for."""
    return map(Requirement, PROJECT["project"]["dependencies"])


# -- the oldest and the newest --------------------------------------------------------


def test_every_file_names_the_same_versions_of_sphinx() -> None:
    (wish,) = [wish for wish in project() if wish.name == "sphinx"]
    (floor,) = [specifier.version for specifier in wish.specifier if specifier.operator == ">="]
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    environments = re.findall(r"^    py3\{([\d,]+)\}-sphinx(\d)(\d)-docutils\{(\d+),(\d+)\}$", tox, re.MULTILINE)
    tested = {
        f"{major}.{minor}": ([f"3.{python}" for python in pythons.split(",")], f"0.{low}", f"0.{high}")
        for pythons, major, minor, low, high in environments
    }
    assert min(tested, key=Version) == floor

    page = (ROOT / "docs" / "manual" / "compatibility.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\.\d) \| (3\.\d+).*?(3\.\d+) \| (0\.\d+).*?(0\.\d+) \|$", page, re.MULTILINE)
    assert {row[0]: row[1:] for row in rows} == {
        sphinx: (pythons[0], pythons[-1], low, high) for sphinx, (pythons, low, high) in tested.items()
    }
    for path in ("README.md", "docs/manual/index.md"):
        assert f"Sphinx {floor} to 9" in (ROOT / path).read_text(encoding="utf-8"), path
    assert f"SPHINX={floor}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    workflow = ROOT / ".github" / "workflows" / "ci.yml"
    if workflow.exists():  # it is no part of the source distribution
        jobs = workflow.read_text(encoding="utf-8")
        assert f"sphinx: {sorted(tested)}".replace("'", '"') in jobs
        # "9" is the newest; what a matrix leaves out is named there too
        assert set(re.findall(r'sphinx: "([\d.]+)"', jobs)) <= {*tested, "9"}
        assert f'{{ python: "3.11", sphinx: "{floor}" }}' in jobs


def test_every_supported_python_is_tested() -> None:
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    found = re.findall(r"^    py3\{([\d,]+)\}", tox, re.MULTILINE)
    assert {f"3.{minor}" for minors in found for minor in minors.split(",")} == set(PYTHONS)
    assert PROJECT["project"]["requires-python"] == f">={min(PYTHONS, key=Version)}"
