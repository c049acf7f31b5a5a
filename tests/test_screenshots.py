"""Pictures of the site: twelve views in one, and README's, which is small."""

from __future__ import annotations

import re
import runpy
import shutil
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TOOL = ROOT / "tools" / "screenshots.py"
README_PICTURE = ROOT / "docs" / "screenshot.png"
TOOLS = runpy.run_path(str(TOOL))
PAGES = {page.partition("#")[0] for page in TOOLS["PAGES"]} | {
    *TOOLS["ENTRIES"].values()
}


def size_of(picture: Path) -> tuple[int, int]:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", data[16:24])


def test_readme_shows_a_small_picture() -> None:
    assert "](docs/screenshot.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert README_PICTURE.stat().st_size <= 150_000
    assert size_of(README_PICTURE) == TOOLS["README_SIZE"]


def test_readmes_picture_shows_the_file_as_it_is() -> None:
    """That the entries are as they are on the site is in tests/peft/test_site.py."""
    said = README_PICTURE.with_suffix(".txt").read_text(encoding="utf-8")
    assert said.startswith(f"{TOOLS['FILE']}\n{TOOLS['opening']()}\n"), (
        "run `make screenshots`"
    )
    # and what is on it is told to those who do not see it
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"!\[([^]]+)\]\(docs/screenshot\.png\)", readme)
    title = re.findall(r"^:title: (.+)$", said, re.MULTILINE)[0]
    names = [name.partition(".")[2] for name in TOOLS["ENTRIES"]]
    assert [
        part for part in (title, *names) if part not in told.replace("\n", " ")
    ] == []


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium is installed")
def test_a_site_becomes_two_pictures(tmp_path: Path) -> None:
    site = tmp_path / "site"
    entries = "".join(f'<dl><dt id="{name}">x()</dt></dl>' for name in TOOLS["ENTRIES"])
    for name in PAGES:
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"<!DOCTYPE html><html><head></head><body>{entries}</body></html>"
        path.write_text(text, encoding="utf-8")
    before = sorted(site.rglob("*"))
    views, readme = tmp_path / "views.png", tmp_path / "readme.png"
    command = [sys.executable, str(TOOL), str(site), str(views), str(readme)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)  # noqa: S603 - our own tool
    assert sorted(site.rglob("*")) == before, "no copy is left"
    # two pages a row, each on a desktop of 1280 and a phone of 390 points, at half
    # their size
    assert size_of(views) == (1280 + 390 + 3 * 16, 3 * 450 + 2 * 16)
    assert size_of(readme) == size_of(README_PICTURE)
    assert readme.with_suffix(".txt").read_text("utf-8").endswith("models.html\nx()\n")


def test_readmes_copy_of_the_file_is_renewed(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    page = tmp_path / "README.md"
    page.write_text(readme.replace(TOOLS["opening"](), "Something older"), "utf-8")
    assert page.read_text("utf-8") != readme
    TOOLS["renew"](page)
    assert page.read_text("utf-8") == readme


def test_what_is_no_site_is_told(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(TOOL),
        str(tmp_path),
        str(tmp_path / "a.png"),
        str(tmp_path / "b.png"),
    ]
    run = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own tool
    assert run.returncode == 1
    assert run.stderr == f"{tmp_path} holds no site: run make html\n"
