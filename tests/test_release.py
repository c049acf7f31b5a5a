"""What is published: the source distribution and the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with the package from *path* if that is given."""
    # a copy of the package is not what coverage is measured of
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment |= {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1"} | ({} if path is None else {"PYTHONPATH": str(path)})
    return subprocess.run(  # noqa: S603 - the arguments are this file's
        [sys.executable, *arguments], check=False, capture_output=True, text=True, cwd=cwd, env=environment
    )


shares_sdist = pytest.mark.xdist_group("sdist")


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
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        tar.extractall(folder)  # noqa: S202 - an archive of our own
    return folder / archive.name.removesuffix(".tar.gz")


def git(*arguments: str) -> set[str]:
    """Return the files that git lists."""
    listed = subprocess.run(  # noqa: S603 - the arguments are this file's
        [str(shutil.which("git")), "ls-files", "-z", *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return {name for name in listed.stdout.split("\0") if name and os.path.lexists(ROOT / name)}


@shares_sdist
@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="this is no clone")
def test_the_source_distribution_has_all_that_git_tracks_and_nothing_that_it_ignores(unpacked: Path) -> None:
    link = "docs/heuristics"
    packed = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    packed = {name for name in packed if not name.startswith(f"{link}/")} - {"PKG-INFO"}
    tracked = git("--cached")
    assert not tracked - packed - {link}, "add to include in [tool.flit.sdist]"
    assert not packed - tracked - git("--others", "--exclude-standard"), "add to exclude in [tool.flit.sdist]"
    assert os.access(unpacked / ".ci" / "run", os.X_OK)


@shares_sdist
def test_the_wheel_from_the_source_distribution_has_the_whole_package(unpacked: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built("build_wheel", unpacked, tmp_path)) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = (path.relative_to(ROOT) for path in (ROOT / "sphinxext_heuristics").rglob("*") if path.is_file())
    assert packed == {path.as_posix() for path in package if "__pycache__" not in path.parts}


@shares_sdist
def test_the_first_build_makes_the_link_that_a_source_distribution_cannot_have(unpacked: Path) -> None:
    link = unpacked / "docs" / "heuristics"
    for _time in range(2):
        done = run("-c", "import runpy; runpy.run_path('docs/conf.py')", cwd=unpacked, path=unpacked)
        assert (done.returncode, done.stderr) == (0, "")
        assert link.is_symlink()
        assert link.readlink() == Path("..", "heuristics")
        assert (link / "index.md").is_file()


@shares_sdist
@pytest.mark.peft
@pytest.mark.slow
def test_the_site_builds_from_the_source_distribution(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "docs" / "heuristics").unlink(missing_ok=True)
    command = ["-m", "sphinx", "-q", "-b", "html", "-W", "--keep-going", "-j2", "docs", str(tmp_path)]
    done = run(*command, cwd=unpacked, path=unpacked)
    assert done.returncode == 0, done.stderr
    assert "Safe_Merge_NaN_Check" in (tmp_path / "reference" / "tuners" / "lora.html").read_text("utf-8")
