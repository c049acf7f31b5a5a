"""Screenshots of what a reader of the site sees first, to be looked at after a change.

    python tools/screenshots.py docs/_build/html docs/_build/screenshots

Each page is taken as a window shows it: wide and narrow, light and dark.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import Tab, installed

#: Name of the pictures → address below the site.
PAGES = {
    "front": "index.html",
    "entry": "reference/tuners/lora.html#peft.LoraConfig",
    "method": "reference/models.html#peft.PeftModel.merge_and_unload",
    "heuristics": "heuristics/index.html",
    "category": "heuristics/training/index.html",
    "heuristic-index": "heuristic-index.html",
    "heuristic": "heuristics/huggingface_peft_Safe_Merge_NaN_Check.html",
    "guide": "guides/lora-training.html",
    "messages": "messages.html",
}

#: Name → width and height of the window, in CSS pixels.
WINDOWS = {"wide": (1280, 900), "narrow": (390, 844)}

#: A page is laid out once more when its fonts are there, and is drawn a frame later.
_SETTLED = """
await document.fonts.ready;
for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
"""


def take(tab: Tab, site: Path, folder: Path) -> None:
    """Take the pictures of all pages of a site."""
    for name, address in PAGES.items():
        for window, size in WINDOWS.items():
            tab.resize(*size)
            for mode in ("light", "dark"):
                tab.prefer(mode)
                tab.open(f"{site.resolve().as_uri()}/{address}")
                tab.run(_SETTLED)
                path = folder / f"{name}-{window}-{mode}.png"
                path.write_bytes(tab.picture())


def main(site: str, folder: str) -> str | None:
    """Take the pictures; return what is missing."""
    if not Path(site, "index.html").is_file():
        return f"make: there is no site in {site}: run make html first"
    browser = installed()
    if browser is None:
        return "make: chromium is not installed; on Debian: apt-get install chromium"
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        tab = Tab(browser, Path(profile))
        take(tab, Path(site), Path(folder))
        tab.close()
    sys.stdout.write(f"make: the screenshots are in {folder}\n")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
