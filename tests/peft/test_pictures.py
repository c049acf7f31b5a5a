"""The pictures of the site: they show what can be measured today, and are drawn from what was measured."""

from __future__ import annotations

import json
import re
import runpy
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

#: What PEFT and transformers warn of is what is measured, or is of their own making.
pytestmark = [pytest.mark.peft, pytest.mark.filterwarnings("ignore")]

TOOL = runpy.run_path(str(ROOT / "tools/pictures.py"))
FOLDER = ROOT / "docs/pictures"
DATA = json.loads((FOLDER / "data.json").read_text(encoding="utf-8"))


def test_pictures_are_drawn_from_the_committed_data() -> None:
    drawn = TOOL["draw"](DATA)
    assert {path.stem for path in FOLDER.glob("*.svg")} == {*drawn}
    for name, picture in drawn.items():
        assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == picture, (
            "run `make pictures`"
        )


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem
)
def test_a_picture_suits_any_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert root.get("role") == "img"
    assert len(root.get("aria-label", "")) > 50
    assert not re.search(r'\bid="', text), "an id might be twice on a page"
    assert root.get("fill") == "currentColor"
    colours = set(re.findall(r'(?:fill|stroke)="(#\w+)"', text))
    assert colours
    for colour in colours:
        for background in ("#ffffff", "#131416"):
            assert contrast(colour, background) >= 3, f"{colour} on {background}"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it."""

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("name", "measure"), [("scale", "scales"), ("kbit-memory", "memory")]
)
def test_numbers_are_those_of_the_installed_peft(name: str, measure: str) -> None:
    assert TOOL[measure]() == DATA[name], "run `make pictures`"


def test_rounding_is_about_what_was_measured() -> None:
    """Another processor or another PyTorch draws and rounds a little differently."""
    measured = TOOL["rounding"]()
    assert measured.keys() == DATA["merge-rounding"].keys()
    for name, points in measured.items():
        for (size, error), (known_size, known_error) in zip(
            points, DATA["merge-rounding"][name], strict=True
        ):
            assert size == known_size
            assert error == pytest.approx(known_error, rel=0.1), f"{name}, {size}"


def test_captions_have_the_numbers() -> None:
    linear, other = DATA["kbit-memory"]["bf16, not quantized"]["before"]
    share = other / (linear + other)
    for page, numbers in {
        "docs/explanations/memory-optimization.md": [
            *(
                f"{sum(sizes) / 1000:.0f}"
                for pair in DATA["kbit-memory"].values()
                for sizes in pair.values()
            ),
            f"{share:.0%}".replace("%", " %"),
        ],
        "docs/explanations/adapter-merging.md": [
            f"{dict(points)[0.03]:.0%}".replace("%", " %")
            for points in DATA["merge-rounding"].values()
        ],
        "docs/explanations/low-rank-adaptation.md": [
            f"{points[-1][1]:g}" for points in DATA["scale"].values()
        ],
    }.items():
        _before, _fence, caption = (
            (ROOT / page).read_text(encoding="utf-8").partition("```{picture}")
        )
        for number in numbers:
            assert number in caption.partition("```")[0], page
