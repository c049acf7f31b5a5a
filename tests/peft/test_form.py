"""The form of the heuristics' pages: one screen for people in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from form import Length, lengths
from pages import PAGES, PREFIX

if TYPE_CHECKING:
    from conftest import Built

# the site of real PEFT takes minutes to build
pytestmark = [pytest.mark.peft, pytest.mark.slow, pytest.mark.xdist_group("site")]

PRELUDES = ROOT / "tests/peft/preludes"


@pytest.fixture(scope="module")
def pages(site: Built) -> dict[str, Length]:
    return lengths(site.out)


def test_each_links_what_its_code_takes_for_granted(site: Built) -> None:
    sections = {
        section["id"] for section in site.soup("run.html").select("section[id]")
    }
    sections |= {it["id"] for it in site.soup("run.html").select("span[id^=run-]")}
    for name in PAGES:
        own = (PRELUDES / f"{name}.py").is_file()
        anchor = "run-" + (name.lower().replace("_", "-") if own else "common")
        page = site.soup(f"heuristics/{PREFIX}{name}.html")
        assert page.select_one(f'a[href="../run.html#{anchor}"]'), name
        assert anchor in sections
    text = site.soup("run.html").get_text()
    for path in PRELUDES.glob("*.py"):
        assert path.read_text(encoding="utf-8").strip() in text


def test_each_begins_with_code_of_eight_lines_at_most(pages: dict[str, Length]) -> None:
    assert [name for name, its in pages.items() if not 0 < its.first_block <= 8] == []
