"""What is published: the source distribution, the wheel, and what stops a release that is not complete."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from markdown_it import MarkdownIt

import sphinxext_heuristics

RELEASE = runpy.run_path(str(ROOT / "tools" / "release.py"))
SOURCE = "https://example.org/someone/something"


def run(
    *arguments: str, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with the package from *path* if that is given."""
    # a copy of the package is not what coverage is measured of
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COVERAGE_")
    }
    environment |= {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1"} | (
        {} if path is None else {"PYTHONPATH": str(path)}
    )
    return subprocess.run(  # noqa: S603 - the arguments are this file's
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
    )


# -- what stops a release -------------------------------------------------------------

LOG = "# Changelog\n\n## 0.1.0 (2026-11-25)\n\n### Added\n\n- All.\n"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """Write what the check reads of a release that is complete."""
    urls = "".join(f'{label} = "{SOURCE}"\n' for label in RELEASE["URLS"])
    files = {
        "pyproject.toml": f"[project.urls]\n{urls}",
        "CHANGELOG.md": LOG,
        "sphinxext_heuristics/__init__.py": '__version__ = "0.1.0"\n',
        "tools/release.py": (ROOT / "tools" / "release.py").read_text("utf-8"),
    }
    files[RELEASE["HOOKS_PAGE"]] = f"repos:\n  - repo: {SOURCE}\n"
    install = "pip install 'sphinxext-heuristics[myst]'"
    files |= dict.fromkeys(RELEASE["INSTALL_PAGES"], install)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def check(root: Path, tag: str) -> tuple[int, list[str]]:
    """Return the exit code of the check, and its messages."""
    done = run("tools/release.py", tag, cwd=root)
    return done.returncode, done.stderr.splitlines()


def test_a_complete_release_passes(ready: Path) -> None:
    assert check(ready, "v0.1.0") == (0, [])


NO_ENTRIES = "CHANGELOG.md: write '## 0.1.0 (YYYY-MM-DD)' with entries below"
NO_INSTALL = "README.md: instead of a clone, say `pip install sphinxext-heuristics`"


def no_address(label: str) -> str:
    """Return what is said where an address is missing."""
    return f"pyproject.toml: add an https address as {label} to [project.urls]"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("pyproject.toml", 'Source = ".*', "", no_address("Source")),
        ("pyproject.toml", "Issues = .*", 'Issues = ""', no_address("Issues")),
        ("pyproject.toml", "= .*", '= "http://x"', no_address("Documentation")),
        (
            "sphinxext_heuristics/__init__.py",
            "0.1.0",
            "0.1.1",
            "sphinxext_heuristics/__init__.py: set __version__ to '0.1.0'",
        ),
        ("CHANGELOG.md", r"## 0\.1\.0.*\n\n", "", NO_ENTRIES),
        ("CHANGELOG.md", r"\n### Added\n\n- All\.\n", "", NO_ENTRIES),
        ("CHANGELOG.md", "2026-11-25", "unreleased", NO_ENTRIES),
        ("README.md", "'sphinxext.*", ".", NO_INSTALL),
        ("README.md", "^", "There is no release on PyPI yet. ", NO_INSTALL),
        (
            "docs/manual/ci.md",
            "https.*",
            "/path/to/clone",
            "docs/manual/ci.md: as `repo`, write the address that is Source",
        ),
    ],
)
def test_what_is_missing_stops_a_release(
    ready: Path, name: str, old: str, new: str, message: str
) -> None:
    path = ready / name
    changed, times = re.subn(old, new, path.read_text("utf-8"))
    assert times
    path.write_text(changed, encoding="utf-8")
    status, messages = check(ready, "v0.1.0")
    assert status == 1
    assert message in messages


def test_the_changelog_has_one_section_a_version() -> None:
    log = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first, *others = re.findall(r"^## (.+)$", log, re.MULTILINE)
    version = re.escape(sphinxext_heuristics.__version__)
    assert re.fullmatch(rf"{version} \((?:unreleased|\d{{4}}-\d\d-\d\d)\)", first)
    assert not [other for other in others if "unreleased" in other.lower()]


def workflow() -> dict[str, Any]:
    """Return the jobs of the release."""
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return jobs


def test_the_workflow_publishes_only_what_was_checked() -> None:
    jobs = workflow()
    assert (jobs["publish"]["needs"], jobs["check"]["needs"]) == ("check", "build")
    commands = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    assert [commands[0], commands[-1]] == [
        'python tools/release.py "$TAG"',
        "make dist",
    ]
    commands = [step["run"] for step in jobs["check"]["steps"] if "run" in step]
    assert commands == ["make try-dist"]
    # what may publish runs nothing of ours
    assert [
        name for name, job in jobs.items() if "id-token" in job.get("permissions", {})
    ] == ["publish"]
    assert not [step for step in jobs["publish"]["steps"] if "run" in step]
    assert jobs["publish"]["environment"]


# -- README away from the repository --------------------------------------------------


def links(markdown: str) -> list[str]:
    """Return the targets of all links and images."""
    tokens = [
        child
        for token in MarkdownIt().parse(markdown)
        for child in token.children or ()
    ]
    return [
        str(token.attrs[name])
        for token in tokens
        for name in ("href", "src")
        if name in token.attrs
    ]


def test_links_of_readme_lead_to_files_and_are_absolute_once_published(
    tmp_path: Path,
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    before = links(readme)
    relative = [link for link in before if not re.match(r"#|https://", link)]
    assert relative
    assert not [
        link for link in relative if not (ROOT / link.partition("#")[0]).exists()
    ]
    (step,) = [
        step["run"]
        for step in workflow()["build"]["steps"]
        if step.get("name") == "README leads to the repository"
    ]
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    subprocess.run(  # noqa: S603 - the workflow's line
        ["/bin/sh", "-c", step],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PAGE": SOURCE, "TAG": "v0.1.0"},
    )
    views = {link: "raw" if link.endswith(".png") else "blob" for link in relative}
    expected = [
        f"{SOURCE}/{views[link]}/v0.1.0/{link}" if link in views else link
        for link in before
    ]
    assert links((tmp_path / "README.md").read_text("utf-8")) == expected


# -- the source distribution ----------------------------------------------------------


def built(backend: str, root: Path, target: Path) -> Path:
    """Return what flit builds, without a network."""
    code = f"import sys; from flit_core.buildapi import {backend}; print({backend}(sys.argv[1]))"
    done = run("-c", code, str(target), cwd=root)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.strip()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    archive = built("build_sdist", ROOT, folder)
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(
            tarfile, "data_filter", lambda member, _path: member
        )
        tar.extractall(folder)  # noqa: S202 - an archive of our own
    return folder / archive.name.removesuffix(".tar.gz")


def git(*arguments: str) -> set[str]:
    """Return the files that git lists."""
    listed = subprocess.run(  # noqa: S603 - the arguments are this file's
        [str(shutil.which("git")), "ls-files", "-z", *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return {
        name
        for name in listed.stdout.split("\0")
        if name and os.path.lexists(ROOT / name)
    }


@pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"), reason="this is no clone"
)
def test_the_source_distribution_has_all_that_git_tracks_and_nothing_that_it_ignores(
    unpacked: Path,
) -> None:
    link = "docs/heuristics"
    packed = {
        path.relative_to(unpacked).as_posix()
        for path in unpacked.rglob("*")
        if path.is_file()
    }
    packed = {name for name in packed if not name.startswith(f"{link}/")} - {"PKG-INFO"}
    tracked = git("--cached")
    assert not tracked - packed - {link}, "add to include in [tool.flit.sdist]"
    assert not packed - tracked - git("--others", "--exclude-standard"), (
        "add to exclude in [tool.flit.sdist]"
    )
    assert os.access(unpacked / ".ci" / "run", os.X_OK)


def test_the_wheel_from_the_source_distribution_has_the_whole_package(
    unpacked: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(built("build_wheel", unpacked, tmp_path)) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = (
        path.relative_to(ROOT)
        for path in (ROOT / "sphinxext_heuristics").rglob("*")
        if path.is_file()
    )
    assert packed == {
        path.as_posix() for path in package if "__pycache__" not in path.parts
    }


def test_the_first_build_makes_the_link_that_a_source_distribution_cannot_have(
    unpacked: Path,
) -> None:
    link = unpacked / "docs" / "heuristics"
    for _time in range(2):
        done = run(
            "-c",
            "import runpy; runpy.run_path('docs/conf.py')",
            cwd=unpacked,
            path=unpacked,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert link.is_symlink()
        assert link.readlink() == Path("..", "heuristics")
        assert (link / "index.md").is_file()
