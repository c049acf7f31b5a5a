"""What this repository says of versions, in several files: that they agree, and that make installs what is pinned."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: Mapping[str, list[str | dict[str, str]]] = PROJECT["dependency-groups"]
PYTHONS = re.findall(
    r":: Python :: (3\.\d+)$",
    "\n".join(PROJECT["project"]["classifiers"]),
    re.MULTILINE,
)
PEFT = ROOT / "constraints" / "peft.txt"
SPHINX = ROOT / "constraints" / "sphinx.txt"


def group(name: str) -> Iterator[Requirement]:
    """Yield what a dependency group asks for, those that it includes too."""
    for entry in GROUPS[name]:
        if isinstance(entry, dict):
            yield from group(entry["include-group"])
        else:
            yield Requirement(entry)


def project() -> Iterator[Requirement]:
    """Yield what the package itself asks for."""
    return map(Requirement, PROJECT["project"]["dependencies"])


def pins(path: Path, python: str | None = None) -> dict[str, list[Version]]:
    """Return name → versions that a file pins, for a Python or for any."""
    environment = (
        {}
        if python is None
        else {"python_version": python, "python_full_version": f"{python}.9"}
    )
    environment |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    found: dict[str, list[Version]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        if python is None or pin.marker is None or pin.marker.evaluate(environment):
            (specifier,) = pin.specifier
            found.setdefault(canonicalize_name(pin.name), []).append(
                Version(specifier.version)
            )
    return found


# -- constraints ----------------------------------------------------------------------


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_has_one_version_of_each_direct_dependency_within_its_range(
    python: str,
) -> None:
    pinned = pins(PEFT, python) | pins(SPHINX, python)
    held = map(Requirement, PROJECT["tool"]["uv"]["constraint-dependencies"])
    for wish in itertools.chain(
        project(), group("docs"), group("test"), group("lint"), group("release"), held
    ):
        versions = pinned.get(canonicalize_name(wish.name), [])
        assert len(versions) == 1, (
            f"{wish.name} on Python {python}: {versions}; run `make lock`"
        )
        assert wish.specifier.contains(versions[0]), (
            f"{wish} on Python {python}: {versions[0]}; run `make lock`"
        )


def test_another_sphinx_is_free_to_choose_what_goes_with_it_and_another_peft_too() -> (
    None
):
    with_peft, with_sphinx = pins(PEFT).keys(), pins(SPHINX).keys()
    assert not with_peft & with_sphinx
    assert {canonicalize_name(wish.name) for wish in group("peft")} <= with_peft
    markup = {
        "sphinx",
        "docutils",
        *(canonicalize_name(wish.name) for wish in group("markup")),
    }
    assert markup <= with_sphinx


@pytest.mark.parametrize("path", [PEFT, SPHINX], ids=lambda path: path.name)
def test_constraints_hold_for_every_machine(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        # neither an option of pip nor an address, and no build that one index alone
        # has, such as 2.13.0+cpu
        assert re.fullmatch(r"# .*|[a-z0-9-]+==[0-9a-z.]+( ; .+)?", line), line
        assert "://" not in line
    # each build of torch names its own
    assert not [
        name for name in pins(path) if name.startswith(("cuda", "nvidia", "triton"))
    ]


# -- make -----------------------------------------------------------------------------


def make(*arguments: str) -> list[str]:
    """Return the commands that make would run, a line each."""
    # `make test SPHINX=8.2` hands its variables down
    outer = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "SPHINX", "PEFT", "PYTHON", "VENV"}
    environment = {
        name: value for name, value in os.environ.items() if name not in outer
    }
    done = subprocess.run(  # noqa: S603 - the arguments are this file's
        [MAKE, "-n", *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    return done.stdout.replace("\\\n", " ").splitlines()


MAKE: Any = shutil.which("make")
needs_make = pytest.mark.skipif(MAKE is None, reason="make is not installed")
WITH_PEFT = "--constraint constraints/peft.txt"
WITH_SPHINX = "--constraint constraints/sphinx.txt"


@needs_make
@pytest.mark.parametrize("target", ["html", "test", "lint", "dist"])
@pytest.mark.parametrize(
    ("variables", "holds", "fails"),
    [
        ([], [WITH_PEFT, WITH_SPHINX], ["'sphinx==", "'peft==", "--upgrade"]),
        (["SPHINX=8.2"], [WITH_PEFT, "'sphinx==8.2.*'"], [WITH_SPHINX]),
        (["PEFT=newest"], [WITH_SPHINX, "--upgrade"], [WITH_PEFT, "'peft=="]),
        (["PEFT=0.22"], [WITH_SPHINX, "'peft==0.22.*'"], [WITH_PEFT, "--upgrade"]),
        (["PEFT=newest", "SPHINX=8.2"], ["'sphinx==8.2.*'"], ["--constraint"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_make_installs_what_is_pinned(
    tmp_path: Path,
    target: str,
    variables: list[str],
    holds: list[str],
    fails: list[str],
) -> None:
    (install,) = [
        line
        for line in make(target, *variables, f"VENV={tmp_path}")
        if "--group" in line
    ]
    assert [part for part in holds if part not in install] == []
    assert [part for part in fails if part in install] == []


@needs_make
def test_renewed_versions_are_installed_and_the_newest_peft_is_looked_for_every_time(
    tmp_path: Path,
) -> None:
    arguments = ["html", f"VENV={tmp_path}", f"PYTHON={sys.executable}"]
    (tmp_path / f".python-{sys.version_info.major}.{sys.version_info.minor}").touch()
    (tmp_path / ".group-docs").touch()

    def installs(*more: str) -> bool:
        return any("--group docs" in line for line in make(*arguments, *more))

    assert not installs()
    assert installs("-W", "constraints/peft.txt")
    assert installs("-W", "constraints/sphinx.txt")
    assert installs("PEFT=newest")
    assert not installs("PEFT=0.22", "-W", "constraints/peft.txt")


@needs_make
@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("SPHINX=8.2", ".venv-sphinx-8.2"),
        ("PEFT=newest", ".venv-peft-newest"),
        ("PEFT=0.22", ".venv-peft-0.22"),
    ],
)
def test_each_variant_has_a_virtual_environment_of_its_own(
    variable: str, folder: str
) -> None:
    assert any(
        f"{folder}/bin/python -m sphinx -b html" in line
        for line in make("html", variable)
    )


# -- the oldest and the newest --------------------------------------------------------


def test_every_file_names_the_same_versions_of_sphinx() -> None:
    (wish,) = [wish for wish in project() if wish.name == "sphinx"]
    (floor,) = [
        specifier.version for specifier in wish.specifier if specifier.operator == ">="
    ]
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    environments = re.findall(
        r"^    py3\{([\d,]+)\}-sphinx(\d)(\d)-docutils\{(\d+),(\d+)\}$",
        tox,
        re.MULTILINE,
    )
    tested = {
        f"{major}.{minor}": (
            [f"3.{python}" for python in pythons.split(",")],
            f"0.{low}",
            f"0.{high}",
        )
        for pythons, major, minor, low, high in environments
    }
    assert min(tested, key=Version) == floor

    page = (ROOT / "docs" / "manual" / "compatibility.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d\.\d) \| (3\.\d+).*?(3\.\d+) \| (0\.\d+).*?(0\.\d+) \|$",
        page,
        re.MULTILINE,
    )
    assert {row[0]: row[1:] for row in rows} == {
        sphinx: (pythons[0], pythons[-1], low, high)
        for sphinx, (pythons, low, high) in tested.items()
    }
    for path in ("README.md", "docs/manual/index.md"):
        assert f"Sphinx {floor} to 9" in (ROOT / path).read_text(encoding="utf-8"), path
    assert f"SPHINX={floor}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    jobs = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert f"sphinx: {sorted(tested)}".replace("'", '"') in jobs
    # "9" is the newest; what a matrix leaves out is named there too
    assert set(re.findall(r'sphinx: "([\d.]+)"', jobs)) <= {*tested, "9"}
    assert f'{{ python: "3.11", sphinx: "{floor}" }}' in jobs


def test_every_supported_python_is_tested() -> None:
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    found = re.findall(r"^    py3\{([\d,]+)\}", tox, re.MULTILINE)
    assert {f"3.{minor}" for minors in found for minor in minors.split(",")} == set(
        PYTHONS
    )
    assert PROJECT["project"]["requires-python"] == f">={min(PYTHONS, key=Version)}"
    page = (ROOT / "docs" / "manual" / "compatibility.md").read_text(encoding="utf-8")
    assert (
        re.findall(r"^\| (3\.\d+) \| October \d{4} \|$", page, re.MULTILINE) == PYTHONS
    )
