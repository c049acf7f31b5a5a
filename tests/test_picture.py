"""README's picture shows what a build of README's example shows and says today."""

from __future__ import annotations

import re
import runpy
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TOOL = ROOT / "tools" / "picture.py"
TOOLS = runpy.run_path(str(TOOL))
PICTURE = ROOT / "docs" / "screenshot.png"


def size_of(picture: Path) -> tuple[int, int]:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", data[16:24])


def test_its_words_are_those_of_the_builds(tmp_path: Path) -> None:
    said = PICTURE.with_suffix(".txt").read_text(encoding="utf-8")
    assert TOOLS["words"](TOOLS["drawn"](tmp_path)) == said.rstrip("\n"), (
        "run `make picture`"
    )


@pytest.mark.parametrize("page", ["README.md", "docs/manual/index.md"])
def test_who_does_not_see_it_is_told_its_words(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    (told,) = re.findall(r"!\[([^]]+)\]\([^)]*screenshot\.png\)", text)
    said = PICTURE.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    for line in (line for line in said if line.startswith(("Warning", "Close", "A "))):
        assert line in " ".join(told.split()), line
    assert "'mailer.MailSession'" in told


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_it_is_taken(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    subprocess.run([sys.executable, str(TOOL), str(picture)], check=True, timeout=200)  # noqa: S603 - our own tool
    assert size_of(picture) == size_of(PICTURE)
    assert (
        picture.with_suffix(".txt").read_text("utf-8").endswith("[heuristic.target]\n")
    )


# -- make screenshots -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_each_page_is_taken_in_each_window_and_mode(tmp_path: Path) -> None:
    take = [sys.executable, str(ROOT / "tools/screenshots.py")]
    site, pictures = tmp_path / "site", tmp_path / "pictures"
    missing = subprocess.run([*take, site, pictures], capture_output=True, text=True)  # noqa: S603, PLW1510 - our own tool, which fails
    assert missing.returncode == 1
    assert "run make html first" in missing.stderr
    pages = runpy.run_path(take[1])["PAGES"]
    for address in pages.values():
        page = site / address.partition("#")[0]
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!doctype html><title>T</title>")
    subprocess.run([*take, site, pictures], check=True, timeout=200)  # noqa: S603
    sizes = {path.name: size_of(path) for path in pictures.iterdir()}
    assert len(sizes) == 4 * len(pages)
    for name, size in sizes.items():
        assert size == ((1280, 900) if "-wide-" in name else (390, 844))
