"""The index and the graph in a real browser: what the script and the style sheet do to a page.

A page is put into a frame as wide as a screen. A script is added to it that does what a reader does and reports what
there is to see.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Built, Project

pytestmark = pytest.mark.browser

WIDE, NARROW = 1200, 390

#: Rows of the index: enough for a table that is much longer than a screen.
COUNT = 200

_SEVERITIES = ("tip", "note", "important", "warning", "caution", "danger")
_CATEGORIES = ("Memory Optimization", "Quantization", "Multi-Adapter")

#: What pages' scripts are written with.
_TOOLS = """
const all = (selector) => [...document.querySelectorAll(selector)];
const ROWS = "table.heuristic-index > tbody > tr, .heuristic-cards > .sd-card";
const shown = () =>
  all(ROWS).filter((row) => row.offsetParent !== null).map((row) => row.querySelector("a").textContent);
const type = (text) => {
  const box = document.querySelector(".heuristic-filter input");
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
};
const chip = (word) => all(".heuristic-chip").find((one) => one.textContent.startsWith(word));
const told = () => document.querySelector(".heuristic-count").textContent;
const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
"""

_FRAME = """<!DOCTYPE html>
<pre id="result"></pre>
<script>addEventListener("message", (event) => (document.getElementById("result").textContent = event.data));</script>
<iframe src="{page}" width="{width}" height="900" style="border: 0"></iframe>
"""


def heuristics() -> Iterator[str]:
    for number in range(COUNT):
        yield (
            f".. heuristic:: Rule_{number}_of_Thumb\n"
            f"   :title: The {number}th title with Übermaß\n"
            f"   :note: Call ``demo.module.with_a_long_name.Class.merge_and_unload_adapters`` after {number} steps\n"
            f"   :impl: demo.merge, ?demo.module.with_a_long_name.Class.merge_and_unload_all_adapters_{number % 5}\n"
            f"   :workflow: sub/guide\n"
            f"   :category: {_CATEGORIES[number % 3]}{', Debugging' if number % 2 else ''}\n"
            f"   :severity: {_SEVERITIES[number % 6]}\n\n"
        )


def files(theme: str) -> dict[str, str]:
    def page(title: str, options: str, directive: str = "heuristic-index") -> str:
        return f"{title}\n=====\n\n.. {directive}::\n{options}"

    return {
        "conf.py": f'extensions = ["sphinxext_heuristics"]\nhtml_theme = "{theme}"\nheuristics_package = "demo"\n'
        f"heuristics_categories = {dict.fromkeys((*_CATEGORIES, 'Debugging'), '')}\n",
        "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   sub/*\n   all\n\n.. py:function:: demo.merge()\n",
        "all.rst": "All\n===\n\n" + "".join(heuristics()),
        "sub/guide.rst": ":no-heuristics:\n\nGuide\n=====\n\nText.\n",
        "sub/table.rst": page("Table", ""),
        "sub/cards.rst": page("Cards", "   :layout: cards\n"),
        "sub/worklist.rst": page("Works", "   :missing:\n"),
        "sub/graph.rst": page("Graph", "   :severity: danger\n", "heuristic-graph"),
    }


@pytest.fixture(scope="module", params=["furo", pytest.param("alabaster", marks=pytest.mark.slow)])
def built(request: pytest.FixtureRequest, shared_project: Callable[..., Project]) -> Built:
    return shared_project(files(request.param)).ok("html")


@pytest.fixture
def look(browser: str, tmp_path: Path) -> Callable[..., Any]:
    """Return what a script returns that runs on a page in a frame of a width."""

    def run(built: Built, name: str, script: str, width: int = WIDE) -> Any:  # noqa: ANN401 - JSON
        page = built.out / name
        copy = page.with_name(f"looked-at-{page.name}")
        report = f"""
addEventListener("load", async () => {{
  let result;
  try {{
    result = await (async () => {{ {_TOOLS} {script} }})();
  }} catch (error) {{
    result = {{ error: `${{error.stack}}` }};
  }}
  parent.postMessage(JSON.stringify(result), "*");
}});"""
        copy.write_text(page.read_text(encoding="utf-8") + f"<script>{report}</script>", encoding="utf-8")
        frame = tmp_path / "frame.html"
        frame.write_text(_FRAME.format(page=copy.as_uri(), width=width), encoding="utf-8")
        quiet = ("gpu", "quic", "background-networking", "component-update", "sync")
        done = subprocess.run(  # noqa: S603 - the browser that was found, on pages of our own
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--no-first-run",
                *(f"--disable-{what}" for what in quiet),
                f"--user-data-dir={tmp_path / 'browser'}",
                "--virtual-time-budget=5000",
                f"--window-size={WIDE + 50},1000",
                "--dump-dom",
                frame.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        result = BeautifulSoup(done.stdout, "html.parser").find(id="result")
        assert result is not None, done.stderr
        assert result.get_text(), "the page has reported nothing"
        found = json.loads(result.get_text())
        assert not (isinstance(found, dict) and "error" in found), found
        return found

    return run


# -- the filter -----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["sub/table.html", "sub/cards.html"])
def test_filter(built: Built, look: Callable[..., Any], page: str) -> None:
    found = look(
        built,
        page,
        """
        const steps = { all: [shown().length, told()] };
        type("  17TH ubermass ");
        steps.words = [shown(), told()];
        type("rule_42_of");
        steps.name = shown();
        type("no such thing");
        steps.none = [shown(), told()];
        type("");
        chip("Danger").click();
        steps.danger = [shown().length, told(), chip("Danger").getAttribute("aria-pressed")];
        chip("Caution").click();
        steps.two = shown().length;
        chip("Quantization").click();
        steps.both = shown().length;
        type("th title with");
        steps.three = shown().length;
        document.querySelector(".heuristic-reset").click();
        steps.reset = [shown().length, told(), all("[aria-pressed=true]").length];
        steps.focus = document.activeElement === document.querySelector(".heuristic-filter input");
        steps.gone = document.querySelector(".heuristic-reset").offsetParent === null;
        return steps;
        """,
    )
    danger, caution = (range(_SEVERITIES.index(word), COUNT, 6) for word in ("danger", "caution"))
    both = [number for number in (*danger, *caution) if number % 3 == 1]
    titles = [f"The {number}th title with Übermaß" for number in (17, 117)]
    assert found == {
        "all": [COUNT, f"{COUNT} heuristics"],
        "words": [titles, f"2 of {COUNT} heuristics"],
        "name": ["The 42th title with Übermaß"],
        "none": [[], f"0 of {COUNT} heuristics"],
        "danger": [len(danger), f"{len(danger)} of {COUNT} heuristics", "true"],
        "two": len(danger) + len(caution),
        "both": len(both),
        "three": len(both),
        "reset": [COUNT, f"{COUNT} heuristics", 0],
        "focus": True,
        "gone": True,
    }


def test_filter_is_for_keyboards_and_screen_readers(built: Built, look: Callable[..., Any]) -> None:
    found = look(
        built,
        "sub/table.html",
        """
        const controls = all(".heuristic-filter :is(input, button)").filter((one) => one.offsetParent !== null);
        return {
          focusable: controls.every((one) => { one.focus(); return document.activeElement === one; }),
          tags: [...new Set(controls.map((one) => one.localName))],
          label: document.querySelector(".heuristic-filter input").labels[0].textContent.trim(),
          groups: all(".heuristic-filter [role=group]").map((one) => one.getAttribute("aria-label")),
          chips: all(".heuristic-chip").map((one) => one.textContent),
          live: document.querySelector(".heuristic-count").getAttribute("aria-live"),
          types: all(".heuristic-filter button").every((one) => one.type === "button"),
        };
        """,
    )
    assert found == {
        "focusable": True,
        "tags": ["input", "button"],
        "label": "Filter:",
        "groups": ["Severity", "Category"],
        "chips": [
            *("Danger (33)", "Caution (33)", "Warning (33)", "Important (33)", "Note (34)", "Tip (34)"),
            *("Memory Optimization (67)", "Quantization (67)", "Multi-Adapter (66)", "Debugging (100)"),
        ],
        "live": "polite",
        "types": True,
    }


# -- the table ------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["sub/table.html", "sub/worklist.html"])
def test_header_stays_in_sight(built: Built, look: Callable[..., Any], page: str) -> None:
    found = look(
        built,
        page,
        """
        const table = document.querySelector("table.heuristic-index, table.heuristic-worklist");
        const middle = table.getBoundingClientRect().top + table.offsetHeight / 2;
        scrollTo({ top: middle, behavior: "instant" });
        await new Promise((done) => setTimeout(done, 200));
        const head = table.querySelector("th");
        const box = head.getBoundingClientRect();
        const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        return {
          scrolled: scrollY > 300,
          top: Math.round(box.top),
          above: head.contains(at),
          opaque: !/^rgba\\(.*, 0(\\.\\d+)?\\)$|transparent/.test(getComputedStyle(head).backgroundColor),
        };
        """,
    )
    assert found == {"scrolled": True, "top": 0, "above": True, "opaque": True}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["sub/table.html", "sub/cards.html", "sub/worklist.html", "sub/graph.html"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_page_does_not_scroll_sideways(built: Built, look: Callable[..., Any], page: str, width: int) -> None:
    assert look(built, page, "return [innerWidth, overflow()];", width) == [width, 0]


def test_narrow_rows_stack(built: Built, look: Callable[..., Any]) -> None:
    found = look(
        built,
        "sub/table.html",
        """
        const cells = [...document.querySelector("table.heuristic-index > tbody > tr").cells];
        const boxes = cells.map((cell) => cell.getBoundingClientRect());
        return {
          stacked: boxes.slice(1).every((box, i) => box.top >= boxes[i].bottom - 1 && box.left === boxes[i].left),
          wide: boxes.every((box) => box.width > 250),
          inside: all("table.heuristic-index tbody :is(a, code)")
            .every((one) => one.getBoundingClientRect().right <= innerWidth),
        };
        """,
        NARROW,
    )
    assert found == {"stacked": True, "wide": True, "inside": True}


# -- the graph ------------------------------------------------------------------------

needs_dot = pytest.mark.skipif(
    not shutil.which("dot"), reason="dot is not installed; on Debian: apt-get install graphviz"
)

_CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (text) => {
  const [r, g, b] = rgb(text).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if ((rgb(color)[3] ?? 1) > 0) return color;
  }
  return "rgb(255, 255, 255)";
};
"""


@needs_dot
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_graph_is_readable(built: Built, look: Callable[..., Any], mode: str) -> None:
    found = look(
        built,
        "sub/graph.html",
        f"""
        document.body.dataset.theme = "{mode}";
        await new Promise((done) => setTimeout(done, 200));
        {_CONTRAST}
        const svg = document.querySelector(".heuristic-graph-picture > svg");
        const back = behind(svg.parentElement);
        return {{
          back: light(back) > 0.5 ? "light" : "dark",
          texts: svg.querySelectorAll("text").length,
          least: Math.min(
            ...all(".heuristic-graph-picture text").map((one) => contrast(getComputedStyle(one).fill, back))
          ),
          lines: Math.min(
            ...all(".node :is(path, polygon, ellipse)").map((one) => contrast(getComputedStyle(one).stroke, back))
          ),
        }};
        """,
    )
    # alabaster is light whatever is asked for
    assert found["back"] == (mode if "furo" in built.read("sub/graph.html") else "light")
    assert found["texts"] > 33
    assert found["least"] >= 4.5, "WCAG 2 asks for it of text"
    assert found["lines"] >= 3, "and for this of what else must be seen"


@needs_dot
def test_graph_links_are_reached_by_keyboard_and_text_fits(built: Built, look: Callable[..., Any]) -> None:
    found = look(
        built,
        "sub/graph.html",
        """
        const links = all(".heuristic-graph-picture a");
        const outside = all(".heuristic-graph-picture .node").filter((node) => {
          const shape = node.querySelector("path, polygon, ellipse").getBoundingClientRect();
          return [...node.querySelectorAll("text")].some((text) => {
            const box = text.getBoundingClientRect();
            return box.left < shape.left - 1 || box.right > shape.right + 1;
          });
        });
        return {
          links: links.length,
          focus: links.every((link) => { link.focus(); return document.activeElement === link; }),
          there: links.every((link) => new URL(link.getAttribute("href"), document.baseURI).pathname.endsWith(".html")),
          outside: outside.map((node) => node.textContent),
        };
        """,
    )
    assert found == {"links": 33 + 2, "focus": True, "there": True, "outside": []}
