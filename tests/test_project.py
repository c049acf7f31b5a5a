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
import yaml
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
PINS = ROOT / "constraints.txt"
WEEKLY = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text("utf-8"))
CI = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
#: Each Python, Sphinx and docutils that is tried every week.
TRIED: list[dict[str, str]] = WEEKLY["jobs"]["versions"]["strategy"]["matrix"][
    "include"
]


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


def pins(python: str) -> dict[str, list[Version]]:
    """Return name → versions that are pinned for a Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    environment |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    found: dict[str, list[Version]] = {}
    for line in PINS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(environment):
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
    pinned = pins(python)
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


def test_constraints_hold_for_every_machine() -> None:
    text = PINS.read_text(encoding="utf-8")
    for line in text.splitlines():
        # neither an option of pip nor an address, and no build that one index alone
        # has, such as 2.13.0+cpu
        assert re.fullmatch(r"# .*|[a-z0-9-]+==[0-9a-z.]+( ; .+)?", line), line
        assert "://" not in line
    # each build of torch names its own
    assert not re.findall("^(?:cuda|nvidia|triton).*", text, re.MULTILINE)


# -- make -----------------------------------------------------------------------------


def make(*arguments: str) -> list[str]:
    """Return the commands that make would run, a line each."""
    # `make test SPHINX=8.2` hands its variables down
    outer = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "SPHINX", "DOCUTILS"}
    outer |= {"PEFT", "PYTHON", "VENV"}
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


@needs_make
@pytest.mark.parametrize("target", ["html", "test", "lint", "dist"])
@pytest.mark.parametrize(
    ("variables", "holds", "fails"),
    [
        ("", "--constraint constraints.txt", "'sphinx== 'peft== --upgrade"),
        ("SPHINX=8.2", "'sphinx==8.2.*'", "--constraint"),
        (
            "SPHINX=8.2 DOCUTILS=0.20",
            "'sphinx==8.2.*' 'docutils==0.20.*'",
            "--constraint",
        ),
        ("PEFT=newest", "--upgrade", "--constraint 'peft=="),
        ("PEFT=0.22", "'peft==0.22.*'", "--constraint --upgrade"),
    ],
)
def test_make_installs_what_is_pinned(
    tmp_path: Path, target: str, variables: str, holds: str, fails: str
) -> None:
    commands = make(target, *variables.split(), f"VENV={tmp_path}")
    (install,) = [line for line in commands if "--group" in line]
    assert [part for part in holds.split() if part not in install] == []
    assert [part for part in fails.split() if part in install] == []


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
    assert installs("-W", "constraints.txt")
    assert installs("PEFT=newest")
    assert not installs("PEFT=0.22", "-W", "constraints.txt")


@needs_make
@pytest.mark.parametrize("name", ["SPHINX-8.2", "DOCUTILS-0.20", "PEFT-newest"])
def test_each_variant_has_a_virtual_environment_of_its_own(name: str) -> None:
    build = f".venv-{name.lower()}/bin/python -m sphinx -b html"
    assert any(build in line for line in make("html", name.replace("-", "=")))


@needs_make
def test_another_python_makes_the_environment_of_make_ecosystem_anew() -> None:
    # one that no environment can be of
    commands = make("ecosystem", "PYTHON=python0")
    made = [line for line in commands if "python0 -m venv" in line]
    assert made == ["python0 -m venv --clear .venv-ecosystem"]


# -- the oldest and the newest --------------------------------------------------------


def test_every_file_names_the_same_versions_of_sphinx() -> None:
    (wish,) = [wish for wish in project() if wish.name == "sphinx"]
    (floor,) = [
        specifier.version for specifier in wish.specifier if specifier.operator == ">="
    ]
    tested: dict[str, list[dict[str, str]]] = {}
    for tried in TRIED:
        tested.setdefault(tried["sphinx"], []).append(tried)
    assert min(tested, key=Version) == floor

    page = (ROOT / "docs" / "manual" / "compatibility.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d\.\d) \| (3\.\d+).*?(3\.\d+) \| (0\.\d+).*?(0\.\d+) \|$",
        page,
        re.MULTILINE,
    )
    expected = []
    for sphinx, (oldest, newest) in tested.items():
        pythons = (oldest["python"], newest["python"])
        expected.append((sphinx, *pythons, oldest["docutils"], newest["docutils"]))
    assert rows == expected
    for path in ("README.md", "docs/manual/index.md"):
        assert f"Sphinx {floor} to 9" in (ROOT / path).read_text(encoding="utf-8"), path
    assert f"SPHINX={floor}" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    # a push tries both ends
    ends = CI["jobs"]["ends"]["strategy"]["matrix"]["include"]
    assert ends == [TRIED[0], TRIED[-1]]


def test_every_supported_python_is_tested() -> None:
    # the pinned versions are tried with the rest
    pinned = CI["jobs"]["test"]["steps"][1]["with"]["python-version"]
    assert {pinned, *(tried["python"] for tried in TRIED)} == set(PYTHONS)
    assert PROJECT["project"]["requires-python"] == f">={min(PYTHONS, key=Version)}"
    page = (ROOT / "docs" / "manual" / "compatibility.md").read_text(encoding="utf-8")
    assert (
        re.findall(r"^\| (3\.\d+) \| October \d{4} \|$", page, re.MULTILINE) == PYTHONS
    )


def test_both_sites_are_published_the_manual_first_as_by_make() -> None:
    service = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text("utf-8"))
    *builds, publish = service["build"]["jobs"]["build"]["html"]
    made = [line.split(" -W --keep-going ")[1].split()[-2:] for line in builds]
    assert made == [
        ["docs/manual", "docs/_build/html/manual"],
        ["docs", "docs/_build/html"],
    ]
    assert publish.endswith("cp -r docs/_build/html $READTHEDOCS_OUTPUT/html")
    done = subprocess.run(
        ["make", "--dry-run", "html"],  # noqa: S607 - as users do
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    places = [done.stdout.find(f"{source} {out} ") for source, out in made]
    assert -1 < places[0] < places[1]


# -- CONTRIBUTING ---------------------------------------------------------------------


def test_actions_are_pinned_by_commit() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = re.findall(r"uses: (\S+)", file.read_text("utf-8"))
        loose = [it for it in used if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", it)]
        assert used, file
        assert not loose, file


def test_contributing_names_what_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    core = ROOT / "sphinxext_heuristics" / "_core"
    named = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    folders = re.findall(r"`([\w./]+)`", " ".join(named))
    where = (ROOT, core, core.parent, core / "resolve")
    for name in folders:
        assert any(
            (base / name).exists() or (base / f"{name}.py").exists() for base in where
        ), name
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    modules = re.findall(r"\w+", " ".join(layers))
    assert [name for name in modules if f"`{name}" not in text] == []
