"""Report the form of the built site: how long pages are, and how far down they begin.

    python tests/peft/form.py docs/_build/html

Of each heuristic's page, the words and lines, and where its text begins on a phone; of
some API entries, how far below the signature their parameters begin.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parents[1]))
from chromium import installed

PHONE, DESKTOP = 390, 1280

OBJECTS = (
    "peft.LoraConfig",
    "peft.PeftModel.from_pretrained",
    "peft.LoraModel.merge_and_unload",
    "peft.prepare_model_for_kbit_training",
    "peft.PeftModel.save_pretrained",
    "peft.LoraModel.add_weighted_adapter",
    "peft.PeftModel.set_adapter",
    "peft.get_peft_model",
)

#: Puts each page into a frame; reports the pixels between two of its elements.
_FRAMES = """<pre id="result"></pre><script>
(async () => {{
  const found = [];
  for (const [page, width, above, below] of {asked}) {{
    const frame = document.createElement("iframe");
    frame.width = width; frame.height = 900; frame.src = page;
    await new Promise((done) => {{ frame.onload = done; document.body.append(frame); }});
    const shown = (query) =>
      frame.contentDocument.querySelector(query).getBoundingClientRect();
    const from = above ? shown(above).bottom : 0;
    found.push(Math.round(shown(below).top - from));
    frame.remove();
  }}
  document.getElementById("result").textContent = JSON.stringify(found);
}})();
</script>"""


class Length(NamedTuple):
    """The length of one page."""

    #: All words, those of code, facts and lists among them.
    words: int
    #: The words outside of what is collapsed.
    in_sight: int
    #: The lines of the first code block.
    first_block: int


def length(page: Path) -> Length:
    """Return the length of a heuristic's page in the built site."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    section = soup.select_one("section.heuristic")
    assert section is not None
    words = len(section.get_text(" ").split())
    block = section.select_one("div.highlight pre")
    first_block = len(block.get_text().strip().splitlines()) if block else 0
    for fold in section.select("details"):
        fold.decompose()
    return Length(words, len(section.get_text(" ").split()), first_block)


def pixels(browser: str, asked: list[tuple[str, int, str, str]]) -> list[int]:
    """Return of each page, at a width, the pixels between two of its elements."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "frames.html"
        page.write_text(_FRAMES.format(asked=json.dumps(asked)), encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += [f"--user-data-dir={folder}", "--virtual-time-budget=100000"]
        command += ["--allow-file-access-from-files", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the browser that was found, on pages of our own
    result = BeautifulSoup(done.stdout, "html.parser").find(id="result")
    assert result is not None
    found: list[int] = json.loads(result.get_text())
    return found


def entry_page(site: Path, name: str) -> Path:
    """Return the page of the reference that has an API entry."""
    pages = sorted(site.glob("reference/**/*.html"))
    return next(it for it in pages if f'id="{name}"' in it.read_text(encoding="utf-8"))


def report(site: Path) -> None:
    """Print the form of the site's pages."""
    paths = sorted((site / "heuristics").glob("huggingface_peft_*.html"))
    names = [path.stem.removeprefix("huggingface_peft_") for path in paths]
    for name, its in zip(names, map(length, paths), strict=True):
        sys.stdout.write(
            f"{name:45} in sight {its.in_sight:4} (300, half 250)  "
            f"all {its.words:4} (half 550)  first block {its.first_block:2} (8)\n"
        )
    browser = installed()
    if not browser:
        sys.stdout.write("no chromium: where pages begin is not measured\n")
        return
    text = "section > .heuristic-facts + *"
    asked = [(path.as_uri(), PHONE, "", text) for path in paths]
    for name in OBJECTS:
        entry = f'dl:has(> dt[id="{name}"])'
        page = entry_page(site, name).as_uri()
        ends = (f"{entry} > dt", f"{entry} > dd > dl.field-list")
        asked += [(page, width, *ends) for width in (PHONE, DESKTOP)]
    found = pixels(browser, asked)
    for name, top in zip(names, found, strict=False):
        sys.stdout.write(f"{name:45} text at {top:4} on a phone (480)\n")
    entries = iter(found[len(names) :])
    for name, phone, desktop in zip(OBJECTS, entries, entries, strict=True):
        sys.stdout.write(
            f"{name:45} parameters {phone:4} below on a phone (640), {desktop:4} else (380)\n"
        )


if __name__ == "__main__":
    report(Path(sys.argv[1]).resolve())
