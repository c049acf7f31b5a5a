"""Pictures of the built site: one with twelve views of it, and README's.

    python tools/screenshots.py SITE PICTURE README_PICTURE

A page is shown in a frame as wide as a screen, in light or in dark; Chromium takes the
picture of all frames at once.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import NamedTuple

#: The pages, with the anchor that is at the top.
PAGES = (
    "index.html",
    "reference/tuners/lora.html#peft.LoraModel.merge_and_unload",
    "heuristics/index.html",
    "heuristics/huggingface_peft_Safe_Merge_NaN_Check.html",
    "messages.html",
    "releases.html",
)
DESKTOP, PHONE = (1280, 900), (390, 900)
#: README's picture: what it shows, and how large.
README, README_SIZE = "index.html", (1120, 1000)
#: GitHub scales larger files down in time that readers see.
README_BYTES = 150_000
#: Furo's theme is an attribute of the body; what loads late moves what an anchor has
#: scrolled to.
_SCRIPT = """<script>
document.body.dataset.theme = "{theme}";
const anchor = () => document.getElementById(location.hash.slice(1));
const top_ = () => anchor()?.scrollIntoView({{ behavior: "instant" }});
addEventListener("load", () => setTimeout(top_, 1000));
</script>"""
_SCALE = 0.5
_GAP = 16
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class View(NamedTuple):
    """A page as someone sees it."""

    page: str
    size: tuple[int, int]
    theme: str


def views() -> list[View]:
    """Return each page on a desktop and on a phone, one in light, the other in dark."""
    found = []
    for number, page in enumerate(PAGES):
        one, other = ("light", "dark")[:: -1 if number % 2 else 1]
        found += [View(page, DESKTOP, one), View(page, PHONE, other)]
    return found


class Pictures:
    """The browser, and copies of pages for it, which are removed at the end."""

    def __init__(self, site: Path) -> None:
        """Find the browser."""
        found = [path for name in _BROWSERS if (path := shutil.which(name))]
        if not found:
            sys.exit("chromium is not installed; on Debian: apt-get install chromium")
        self._browser = found[0]
        self._site = site.resolve()
        self._copies: set[Path] = set()

    def frame(self, view: View, scale: float) -> str:
        """Return the frame that shows a view."""
        name, _hash, anchor = view.page.partition("#")
        page = self._site / name
        copy = page.with_name(f"{view.theme}-{page.name}")
        text = page.read_text(encoding="utf-8") + _SCRIPT.format(theme=view.theme)
        copy.write_text(text, encoding="utf-8")
        self._copies.add(copy)
        (width, height), uri = (
            view.size,
            f"{copy.as_uri()}#{anchor}" if anchor else copy.as_uri(),
        )
        return (
            f'<div style="width: {width * scale}px; height: {height * scale}px">'
            f'<iframe src="{escape(uri)}" width="{width}" height="{height}"'
            f' style="border: 0; transform: scale({scale}); transform-origin: '
            f'0 0"></iframe></div>\n'
        )

    def take(self, frames: str, size: tuple[int, int], picture: Path) -> None:
        """Write the picture of a page of frames."""
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "frames.html")
            style = (
                f"margin: 0; display: flex; flex-wrap: wrap; gap: {_GAP}px; "
                f"background: #888"
            )
            page.write_text(
                f'<!DOCTYPE html><meta charset="utf-8"><body '
                f'style="{style}">\n{frames}',
                encoding="utf-8",
            )
            command = [
                self._browser,
                "--headless",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/browser",
                "--virtual-time-budget=20000",
                f"--window-size={size[0]},{size[1]}",
                f"--screenshot={picture.resolve()}",
                page.as_uri(),
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 - the browser that was found

    def clean(self) -> None:
        """Remove the copies."""
        for copy in self._copies:
            copy.unlink(missing_ok=True)


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="the folder of the built site")
    parser.add_argument("picture", type=Path, help="the file for the twelve views")
    parser.add_argument("readme", type=Path, help="the file for README's picture")
    arguments = parser.parse_args()
    if not (arguments.site / "index.html").is_file():
        sys.exit(f"{arguments.site} holds no site: run make html")
    pictures = Pictures(arguments.site)
    try:
        frames = "".join(pictures.frame(view, _SCALE) for view in views())
        # two pages a row
        width = int(2 * (DESKTOP[0] + PHONE[0]) * _SCALE) + 3 * _GAP
        height = int(len(PAGES) / 2 * (DESKTOP[1] * _SCALE + _GAP)) - _GAP
        pictures.take(frames, (width, height), arguments.picture)
        pictures.take(
            pictures.frame(View(README, README_SIZE, "light"), 1),
            README_SIZE,
            arguments.readme,
        )
    finally:
        pictures.clean()
    print(f"{arguments.picture}, {arguments.readme}")
    if arguments.readme.stat().st_size > README_BYTES:
        sys.exit(f"{arguments.readme} has more than {README_BYTES} bytes")


if __name__ == "__main__":
    main()
