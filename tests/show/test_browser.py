"""Index, search and releases in a real browser: what scripts and the style sheet do to a page.

Pages are put into frames as wide as screens. A script is added to them that does what a
reader does and reports what there is to see.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from conftest import dom_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
/* The words that go on in another line although they would fit into one. */
const broken = (selector) =>
  all(selector).flatMap((element) => {
    const found = [];
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const tops = [...range.getClientRects()].filter((box) => box.width > 1).map((box) => Math.round(box.top));
        if (new Set(tops).size > 1) found.push(word[0]);
      }
    }
    return found;
  });
const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
"""

_FRAMES = """<!DOCTYPE html>
<pre id="results">{{}}</pre>
<script>
addEventListener("message", (event) => {{
  const told = document.getElementById("results");
  const number = [...document.querySelectorAll("iframe")].findIndex((one) => one.contentWindow === event.source);
  told.textContent = JSON.stringify({{ ...JSON.parse(told.textContent), [number]: JSON.parse(event.data) }});
}});
</script>
{frames}
"""
_FRAME = '<iframe src="{page}" width="{width}" height="900" style="border: 0; display: block"></iframe>\n'


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
    def page(title: str, options: str) -> str:
        return f"{title}\n=====\n\n.. heuristic-index::\n{options}"

    return {
        "conf.py": f'extensions = ["sphinxext_heuristics"]\nhtml_theme = "{theme}"\nheuristics_package = "demo"\n'
        f"heuristics_categories = {dict.fromkeys((*_CATEGORIES, 'Debugging'), '')}\n",
        "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   sub/*\n   all\n\n.. py:function:: demo.merge()\n",
        "all.rst": "All\n===\n\n" + "".join(heuristics()),
        "sub/guide.rst": ":no-heuristics:\n\nGuide\n=====\n\nText.\n",
        "sub/table.rst": page("Table", ""),
        "sub/cards.rst": page("Cards", "   :layout: cards\n"),
        "sub/worklist.rst": page("Works", "   :missing:\n"),
    }


@pytest.fixture(
    scope="module", params=["furo", pytest.param("alabaster", marks=pytest.mark.slow)]
)
def built(
    request: pytest.FixtureRequest, shared_project: Callable[..., Project]
) -> Built:
    return shared_project(files(request.param)).ok("html")


@pytest.fixture
def look_at_all(browser: str, tmp_path: Path) -> Callable[..., Any]:
    """Return what a script returns on each page in a frame of each width."""

    def run(
        built: Built,
        names: Iterable[str],
        script: str,
        widths: Iterable[int],
        address: str = "",
    ) -> dict[tuple[str, int], Any]:
        report = f"""
addEventListener("load", async () => {{
  let result;
  try {{
    result = await (async () => {{ {_TOOLS} {script} }})();
    if (errors.length) result = {{ error: errors }};
  }} catch (error) {{
    result = {{ error: `${{error.stack}}` }};
  }}
  parent.postMessage(JSON.stringify(result), "*");
}});"""
        errors = "<script>window.errors = []; addEventListener('error', (e) => errors.push(e.message));</script>"
        views = list(itertools.product(names, widths))
        frames = ""
        for name, width in views:
            page = built.out / name
            copy = page.with_name(f"looked-at-{page.name}")
            text = page.read_text(encoding="utf-8")
            text = text.replace("<head>", f"<head>{errors}", 1)
            copy.write_text(f"{text}<script>{report}</script>", encoding="utf-8")
            frames += _FRAME.format(page=copy.as_uri() + address, width=width)
        frame = tmp_path / "frames.html"
        frame.write_text(_FRAMES.format(frames=frames), encoding="utf-8")
        quiet = ("quic", "background-networking", "component-update", "sync")
        options = [f"--disable-{what}" for what in quiet]
        # All frames are in sight: in others, Chromium draws late.
        widest = max(width for _name, width in views)
        options.append(f"--window-size={widest + 50},{1000 * len(views)}")
        seen = dom_of(browser, frame, tmp_path / "browser", *options)
        results = seen.find(id="results")
        assert results is not None
        told = json.loads(results.get_text())
        assert len(told) == len(views), "a page has reported nothing"
        found = {view: told[str(number)] for number, view in enumerate(views)}
        for view, result in found.items():
            assert not (isinstance(result, dict) and "error" in result), (view, result)
        return found

    return run


@pytest.fixture
def look(look_at_all: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a script returns that runs on a page in a frame of a width."""

    def run(
        built: Built, name: str, script: str, width: int = WIDE, address: str = ""
    ) -> Any:  # noqa: ANN401 - JSON
        return look_at_all(built, [name], script, [width], address)[name, width]

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
    danger, caution = (
        range(_SEVERITIES.index(word), COUNT, 6) for word in ("danger", "caution")
    )
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


def test_what_is_chosen_is_in_the_address(
    built: Built, look: Callable[..., Any]
) -> None:
    script = """
        const before = [shown().length, document.querySelector(".heuristic-filter input").value];
        chip("Tip").click();
        const address = new URL(location.href).searchParams;
        document.querySelector(".heuristic-reset").click();
        return [before, [...address], location.search, location.hash];
        """
    address = "?keep=1&find=title+with&severity=danger&category=Quantization&category=nothing#table"
    chosen = [
        ["keep", "1"],
        ["find", "title with"],
        ["severity", "danger"],
        ["severity", "tip"],
        ["category", "Quantization"],
    ]
    both = [number for number in range(5, COUNT, 6) if number % 3 == 1]
    assert not both
    found = look(built, "sub/table.html", script, address=address)
    assert found == [[0, "title with"], chosen, "?keep=1", "#table"]
    pressed = 'return [shown().length, all("[aria-pressed=true]").map((one) => one.textContent)];'
    found = look(
        built,
        "sub/cards.html",
        pressed,
        address="?severity=danger&severity=tip&find=1th",
    )
    ones = [
        number
        for number in range(COUNT)
        if number % 6 in {0, 5} and str(number).endswith("1")
    ]
    assert found == [len(ones), ["Danger (33)", "Tip (34)"]]


def test_toggles_have_icons(built: Built, look: Callable[..., Any]) -> None:
    found = look(
        built,
        "sub/table.html",
        """
        const icons = all(".heuristic-chip svg");
        return {
          chips: all(".heuristic-chip").length - icons.length,
          drawn: icons.every((icon) => icon.querySelector("path").getBBox().width > 5 && icon.clientWidth > 8),
          hidden: icons.every((icon) => icon.getAttribute("aria-hidden") === "true"),
          kinds: new Set(icons.map((icon) => icon.innerHTML)).size,
        };
        """,
    )
    assert found == {
        "chips": 0,
        "drawn": True,
        "hidden": True,
        "kinds": len(_SEVERITIES) + 1,
    }


@pytest.mark.parametrize("page", ["sub/table.html", "sub/cards.html"])
def test_no_word_is_broken_on_a_phone(
    built: Built, look: Callable[..., Any], page: str
) -> None:
    tables = "table.heuristic-index, table.heuristic-categories, .heuristic-cards"
    assert look(built, page, f'return [broken("{tables}"), overflow()];', NARROW) == [
        [],
        0,
    ]


def test_index_of_the_domain_fits_a_phone(
    built: Built, look: Callable[..., Any]
) -> None:
    script = """
        const cells = all("td").filter((one) => one.offsetParent !== null);
        const rights = cells.map((one) => one.getBoundingClientRect().right);
        return [cells.length > 200, Math.max(...rights) <= innerWidth, overflow()];
        """
    assert look(built, "heuristic-index.html", script, NARROW) == [True, True, 0]


def test_filter_is_for_keyboards_and_screen_readers(
    built: Built, look: Callable[..., Any]
) -> None:
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
            *(
                "Danger (33)",
                "Caution (33)",
                "Warning (33)",
                "Important (33)",
                "Note (34)",
                "Tip (34)",
            ),
            *(
                "Memory Optimization (67)",
                "Quantization (67)",
                "Multi-Adapter (66)",
                "Debugging (100)",
            ),
        ],
        "live": "polite",
        "types": True,
    }


# -- the table ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["sub/table.html", "sub/cards.html", "sub/worklist.html"]
)
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_page_does_not_scroll_sideways(
    built: Built, look: Callable[..., Any], page: str, width: int
) -> None:
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


# -- the search, and code -------------------------------------------------------------

ZOO = {
    "conf.py": 'extensions = ["sphinxext_heuristics"]\n',
    "index.rst": "Start\n=====\n\n.. toctree::\n\n   guide\n   Food\n",
    "guide.rst": "Guide to penguins\n=================\n\nWhat to do.\n\n"
    ".. _eating:\n\nIt does not eat\n---------------\n\nFeed it.\n",
    "Food.rst": """\
.. heuristic:: Food
   :note: For Food
   :workflow: eating

   Animals are fed by a keeper, and a lion eats most.

   .. code-block:: python

      # wrong: the animal that is hungry is fed with what the keeper has at hand at this moment, whatever it may be
      keeper.food.for_each_animal_that_is_hungry_and_not_asleep.and_has_not_been_fed_today_by_anybody_else_but_me(7)

   .. code-block:: pytb

      Traceback (most recent call last):
        File "keep.py", line 1, in <module>
          keep()
      KeeperError: the cage of 'Leo' has 4 bars and not 4 bars, as it should have where there are lions in the zoo
""",
}


@pytest.fixture(
    scope="module", params=["furo", pytest.param("alabaster", marks=pytest.mark.slow)]
)
def zoo(
    request: pytest.FixtureRequest, shared_project: Callable[..., Project]
) -> Built:
    conf = f'{ZOO["conf.py"]}html_theme = "{request.param}"\n'
    return shared_project(ZOO | {"conf.py": conf}).ok("html")


def test_search_tells_of_a_heuristic_by_its_note(
    zoo: Built, look: Callable[..., Any]
) -> None:
    places = ["Food.html", "Food.html#heuristic-food", "guide.html"]
    places += ["guide.html#it-does-not-eat"]
    asked = [
        (zoo.read(page), hash_ and f"#{hash_}")
        for page, _, hash_ in (place.partition("#") for place in places)
    ]
    pages = json.dumps(asked).replace("</", "<\\/")
    found = look(
        zoo,
        "search.html",
        f"""
        return {pages}.map(([html, anchor]) => {{
          const summary = Search.makeSearchSummary(html, new Set(["do"]), anchor);
          return summary && [summary.className, summary.textContent];
        }});
        """,
    )
    note = ["context", "For Food"]
    assert found[:2] == [note, note]
    guides = [one and "It does not eat" in one[1] for one in found[2:]]
    assert guides == [True, True], "as Sphinx tells of it"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_code_of_a_heuristic_goes_on_below(
    zoo: Built, look: Callable[..., Any], width: int
) -> None:
    """Nothing of it is out of sight, and nothing must be scrolled by keyboard."""
    found = look(
        zoo,
        "Food.html",
        f"""
        const pairs = all("section.heuristic pre");
        const wide = pairs.filter((pre) => pre.scrollWidth > pre.clientWidth);
        return [pairs.length, wide.map((pre) => pre.textContent), overflow(), innerWidth === {width}];
        """,
        width,
    )
    assert found == [2, [], 0, True]


# -- releases -------------------------------------------------------------------------

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

SCALES = {
    "conf.py": 'import sys\nsys.path.insert(0, __file__.rpartition("/")[0])\nextensions = ["sphinxext_heuristics.releases"]\n'
    'release = "3.0"\nhtml_theme = "furo"\nheuristics_package = "scales"\n'
    'heuristics_releases_file = "releases.json"\n',
    "index.rst": "Start\n=====\n\n.. heuristic-releases::\n\n.. py:function:: scales.weigh\n\n"
    ".. heuristic:: Weigh_Twice\n   :note: N\n   :impl: scales.weigh\n\n"
    "   .. evidence:: scales:weigh\n\n      return x\n\n"
    ".. heuristic:: Tare_First\n   :note: N\n   :impl: scales.weigh\n   :since: 3.0\n\n"
    "   .. evidence:: scales:Scale.tare\n\n      return x - self.empty\n",
    "scales.py": "def weigh(x):\n    return x\n\n\n"
    "class Scale:\n    def tare(self, x):\n        return x - self.empty\n",
    "releases.json": json.dumps(
        {
            "package": "scales",
            "heuristics": {
                "Tare_First": {
                    "quotes": "25b21a10a265fef2",
                    "releases": {"1.0": "absent", "2.0": "drifted", "3.0": "held"},
                },
                "Weigh_Twice": {
                    "quotes": "b429fe5f470674ca",
                    "releases": {"2.0": "held", "3.0": "held"},
                },
            },
        }
    ),
}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_releases_are_tinted_and_readable(
    shared_project: Callable[..., Project], look: Callable[..., Any], mode: str
) -> None:
    found = look(
        shared_project(SCALES).ok("html"),
        "index.html",
        f"""
        document.body.dataset.theme = "{mode}";
        await new Promise((done) => setTimeout(done, 200));
        {_CONTRAST}
        /* Whatever it is written as, as the screen shows it on the page's own colour. */
        const seen = (color) => {{
          const canvas = document.createElement("canvas").getContext("2d");
          for (const one of [getComputedStyle(document.body).backgroundColor, color]) {{
            canvas.fillStyle = one;
            canvas.fillRect(0, 0, 1, 1);
          }}
          return `rgb(${{canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join(", ")}})`;
        }};
        const tint = (element) => seen(getComputedStyle(element).backgroundColor);
        const cells = all("table.heuristic-releases td").map((cell) => [
          cell.textContent.trim(),
          tint(cell),
          contrast(getComputedStyle(cell.querySelector("p")).color, tint(cell)),
        ]);
        const tints = Object.fromEntries(cells.map(([word, color]) => [word, color]));
        return {{
          words: cells.map(([word]) => word),
          tints: new Set(Object.values(tints)).size,
          same: cells.every(([word, color]) => tints[word] === color),
          least: Math.min(...cells.map(([, , number]) => number)),
          legend: all(".heuristic-legend em").map((one) => tint(one) === tints[one.textContent]),
        }};
        """,
    )
    assert found["words"] == ["unknown", "held", "held", "absent", "drifted", "held"]
    assert found["tints"] == 4
    assert found["same"]
    assert found["least"] >= 4.5, "WCAG 2 asks for it of text"
    assert found["legend"] == [True] * 4


# -- what an entry repeats ------------------------------------------------------------


def repeating(theme: str) -> dict[str, str]:
    """Return a project whose second entry repeats what the first shows: one danger among four."""
    rules = "".join(
        f".. heuristic:: H{number}\n   :title: Close the session {number}\n   :note: N.\n   :impl: demo.A.run, *.run\n"
        f"   :severity: {'danger' if number == 3 else 'warning'}\n\n"
        for number in range(4)
    )
    return {
        "conf.py": f'extensions = ["sphinxext_heuristics"]\nhtml_theme = "{theme}"\n',
        "index.rst": f"""\
Start
=====

.. py:function:: demo.A.run(a)

   Run.

   :param a: The first.
   :param b: The second.

.. py:function:: demo.B.run()

   Run otherwise.

.. note:: Text.

.. heuristic:: At_A
   :note: N.
   :impl: demo.A.run
   :param: a

{rules}""",
    }


@pytest.mark.parametrize(
    "theme",
    [
        "alabaster",
        "furo",
        *(
            pytest.param(theme, marks=pytest.mark.slow)
            for theme in ("classic", "nature", "pydata_sphinx_theme")
        ),
    ],
)
def test_a_danger_among_many_is_seen_and_titles_have_no_colon(
    project: Callable[..., Project], look: Callable[..., Any], theme: str
) -> None:
    found = look(
        project(repeating(theme)).ok("html"),
        "index.html",
        f"""
        {_CONTRAST}
        const line = document.querySelector(".heuristic-repeated > p");
        const danger = line.querySelector(".heuristic-danger");
        const seen = (color) => {{
          const canvas = document.createElement("canvas").getContext("2d");
          canvas.fillStyle = color;
          canvas.fillRect(0, 0, 1, 1);
          return `rgb(${{canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join(", ")}})`;
        }};
        const color = danger && seen(getComputedStyle(danger).color);
        const after = (one) => getComputedStyle(one, "::after").content.replaceAll('"', "");
        const [red, green, blue] = color ? rgb(color) : [0, 0, 0];
        return {{
          text: line.textContent,
          danger: danger && danger.textContent,
          red: red > green + 60 && red > blue + 60,
          contrast: color && contrast(color, behind(line)),
          after: all(".heuristic > .admonition-title").map(after),
          theirs: after(document.querySelector(".note > .admonition-title")),
          lists: all("dl.py dl.field-list, dl.py dl.field-list ul").map((one) => [...one.classList].sort()),
        }};
        """,
    )
    assert found["text"] == "4 heuristics, one danger (see A.run)"
    assert found["danger"] == "one danger"
    assert found["red"]
    assert found["contrast"] >= 4.5, "WCAG 2 asks for it of text"
    has_colon = theme in {"alabaster", "classic", "nature"}
    assert (found["theirs"] == ":") == has_colon
    assert len(found["after"]) > 4
    if found["theirs"] in {":", "none"}:
        assert set(found["after"]) == {"none"}
    else:  # an icon
        assert not {":", "none"} & set(found["after"])
    assert found["lists"] == [["field-list", "simple"], ["simple"]]
