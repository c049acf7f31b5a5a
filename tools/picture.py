"""README's picture: an entry without a heuristic, with one, and the failing build.

    python tools/picture.py docs/screenshot.png
    python tools/picture.py --example FOLDER    # only write the example

README's own example is built three times, and Chromium takes the picture. Its words are
written beside it, so that a test sees when a build says something else.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import installed

ROOT = Path(__file__).parents[1]

README = ROOT / "README.md"

#: How large it is in CSS pixels: a phone shows it at two thirds.
WIDTH, HEIGHT = 640, 420
#: The name that the example's class has, and the one that it gets.
OLD, NEW = "Session", "MailSession"
#: A line that ends in the path of a file, and its text.
_NAMED = re.compile(
    r"`(?P<path>[\w./]+)`:\n\n(?P<fence>`{3,})\w+\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
#: What the picture adds to the style sheets of the example.
_STYLE = """<style>
body { margin: 0; padding: 14px 16px; }
h2 { margin: 0 0 6px; padding: 0; font-size: 14px; color: #555; }
article { margin: 0 0 14px; padding: 2px 14px; border: 1px solid #ccc; }
article dl, article dd > p { margin: 6px 0; }
pre { margin: 0; padding: 10px 14px; background: #202020; color: #eee;
  font-size: 13px; white-space: pre-wrap; }
pre b { color: #ff7b72; }
a.headerlink { display: none; }
</style>"""


def example() -> dict[str, str]:
    """Return path → text of the files that README tells to write."""
    text = README.read_text(encoding="utf-8")
    return {found["path"]: found["text"] for found in _NAMED.finditer(text)}


def write(folder: Path) -> None:
    """Write the example, in reStructuredText."""
    for path, text in example().items():
        if not path.endswith(".md"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


def build(folder: Path) -> str:
    """Build the example as README says, and return its warnings."""
    command = [sys.executable, "-m", "sphinx", "-N", "-W", "-q", "-E"]
    command += ["docs", "html"]
    done = subprocess.run(  # noqa: S603 - the command is written right here
        command, check=False, capture_output=True, text=True, cwd=folder
    )
    return done.stderr.replace(f"{folder.resolve()}/", "")


def entry(folder: Path) -> str:
    """Return the entry of the class, without its members."""
    page = (folder / "html/index.html").read_text("utf-8")
    found = BeautifulSoup(page, "html.parser").find(id=f"mailer.{OLD}").parent
    for member in found.select("dd > dl"):
        member.decompose()
    return str(found)


def drawn(folder: Path) -> str:
    """Build the example in an empty folder, and return the picture as a page of it."""
    write(folder)
    (heuristic,) = (folder / "docs" / "heuristics").iterdir()
    heuristic.unlink()
    # README's toctree finds no page yet, which is a warning
    build(folder)
    before = entry(folder)
    write(folder)
    build(folder)
    after = entry(folder)
    head = BeautifulSoup((folder / "html/index.html").read_text("utf-8"), "html.parser")
    module = folder / "mailer.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace(f"class {OLD}", f"class {NEW}"), encoding="utf-8")
    said = escape(build(folder), quote=False).replace("WARNING", "<b>WARNING</b>")
    return (
        f'<!DOCTYPE html><html>{head.head}{_STYLE}<body data-theme="light">'
        f"<h2>The reference without a heuristic</h2><article>{before}</article>"
        f"<h2>With one</h2><article>{after}</article>"
        f"<h2>After {OLD} is renamed: the build with -W fails</h2><pre>{said}</pre>"
        f"</body></html>"
    )


def words(page: str) -> str:
    """Return the words of the picture, a block a line."""
    body = BeautifulSoup(page, "html.parser").body
    for link in body.select("a.headerlink"):
        link.decompose()
    blocks = body.select("h2, article dt, article p, pre")
    return "\n".join(" ".join(block.get_text().split()) for block in blocks)


def take(page: Path, picture: Path) -> None:
    """Take the picture of a page."""
    browser = installed()
    if browser is None:
        sys.exit("chromium is not installed; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--no-first-run",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=1.5",
            f"--user-data-dir={profile}",
            "--virtual-time-budget=5000",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={picture.resolve()}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - the browser that was found


def main(picture: Path) -> None:
    """Write the picture, and its words beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        text = drawn(folder)
        page = folder / "html" / "picture.html"
        page.write_text(text, encoding="utf-8")
        take(page, picture)
    picture.with_suffix(".txt").write_text(f"{words(text)}\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--example":
        write(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
