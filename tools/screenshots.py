"""Pictures of the built site: one with twelve views of it, and README's.

    python tools/screenshots.py SITE PICTURE README_PICTURE

A page is shown in a frame as wide as a screen, in light or in dark; Chromium takes the
picture of all frames at once. README's shows the file of a heuristic beside two API
entries of the site. Its words are written beside it, so that a test sees when they have
changed.
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

from bs4 import BeautifulSoup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import MarkdownLexer

ROOT = Path(__file__).parents[1]

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
#: README's picture: the file, whose opening directive it shows, the entries, each with
#: its page, and how large it is.
FILE = "heuristics/huggingface_peft_Base_Model_Modified_In_Place.md"
ENTRIES = {
    "peft.LoraModel.unload": "reference/tuners/lora.html",
    "peft.PeftMixedModel.unload": "reference/models.html",
}
README_SIZE = (1120, 500)
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
#: What README's picture adds to the style sheets of the site.
_STYLE = """<style>
body { margin: 0; padding: 16px; display: flex; gap: 20px; }
section { flex: 1; min-width: 0; }
section > p { margin: 0 0 8px; font: 13px monospace; color: #666; }
pre { margin: 0; padding: 10px; border: 1px solid #ccc; font-size: 12px;
  line-height: 1.5; overflow: hidden; }
article dl { margin: 0 0 14px; font-size: 14px; }
a.headerlink { display: none; }
</style>"""
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


def opening() -> str:
    """Return the directive that the file begins with."""
    lines = (ROOT / FILE).read_text(encoding="utf-8").splitlines()
    fence = lines[0].partition("{")[0]
    return "\n".join(lines[: lines.index(fence) + 1])


def renew(page: Path) -> None:
    """Put what the file begins with into the page that quotes it."""
    text = page.read_text(encoding="utf-8")
    before, fence, rest = text.partition("`````md\n")
    after = rest.partition("\n`````\n")[2]
    page.write_text(f"{before}{fence}{opening()}\n`````\n{after}", encoding="utf-8")


def beside(site: Path) -> str:
    """Return README's picture as a page of the site: the file, and the entries."""
    head = BeautifulSoup((site / "index.html").read_text("utf-8"), "html.parser").head
    shown = highlight(opening(), MarkdownLexer(), HtmlFormatter())
    entries = []
    for name, page in ENTRIES.items():
        soup = BeautifulSoup((site / page).read_text("utf-8"), "html.parser")
        caption = f"{name.partition('.')[2]} in {page}"
        entry = soup.find(id=name).parent
        entries.append(f"<p>{caption}</p><article>{entry}</article>")
    return (
        f'<!DOCTYPE html><html>{head}{_STYLE}<body data-theme="light">'
        f"<section><p>{FILE}</p>{shown}</section>"
        f"<section>{''.join(entries)}</section></body></html>"
    )


def words(page: str) -> str:
    """Return the words of README's picture, a block of the page a line."""
    body = BeautifulSoup(page, "html.parser").body
    for link in body.select("a.headerlink"):
        link.decompose()
    blocks = body.select("section > p, pre, article dt, article p")
    texts = [block.get_text().strip() for block in blocks]
    return "\n".join(
        text if "\n\n" in text else " ".join(text.split()) for text in texts
    )


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

    def frames(self, frames: str, size: tuple[int, int], picture: Path) -> None:
        """Write the picture of a page of frames."""
        style = (
            f"margin: 0; display: flex; flex-wrap: wrap; gap: {_GAP}px; "
            f"background: #888"
        )
        text = f'<!DOCTYPE html><meta charset="utf-8"><body style="{style}">\n{frames}'
        self.take(text, size, picture)

    def take(self, text: str, size: tuple[int, int], picture: Path) -> None:
        """Write the picture of a page, which may use the style sheets of the site."""
        page = self._site / "picture.html"
        page.write_text(text, encoding="utf-8")
        self._copies.add(page)
        with tempfile.TemporaryDirectory() as folder:
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
    parser.add_argument("--example", type=Path, help="the page that quotes the file")
    arguments = parser.parse_args()
    if not (arguments.site / "index.html").is_file():
        sys.exit(f"{arguments.site} holds no site: run make html")
    pictures = Pictures(arguments.site)
    try:
        frames = "".join(pictures.frame(view, _SCALE) for view in views())
        # two pages a row
        width = int(2 * (DESKTOP[0] + PHONE[0]) * _SCALE) + 3 * _GAP
        height = int(len(PAGES) / 2 * (DESKTOP[1] * _SCALE + _GAP)) - _GAP
        pictures.frames(frames, (width, height), arguments.picture)
        page = beside(arguments.site)
        pictures.take(page, README_SIZE, arguments.readme)
        said = arguments.readme.with_suffix(".txt")
        said.write_text(f"{words(page)}\n", encoding="utf-8")
    finally:
        pictures.clean()
    if arguments.example:
        renew(arguments.example)
    print(f"{arguments.picture}, {arguments.readme}")
    if arguments.readme.stat().st_size > README_BYTES:
        sys.exit(f"{arguments.readme} has more than {README_BYTES} bytes")


if __name__ == "__main__":
    main()
