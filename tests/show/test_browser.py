"""Index, messages, releases and graph in a real browser: what scripts and the style sheet do to a page.

Pages are put into frames as wide as screens. A script is added to them that does what a
reader does and reports what there is to see.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from conftest import dom_of
from exported import asked_in

from sphinxext_heuristics._core.evidence import pasted
from sphinxext_heuristics._core.evidence.guessed import guesses

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
    def page(title: str, options: str, directive: str = "heuristic-index") -> str:
        return f"{title}\n=====\n\n.. {directive}::\n{options}"

    return {
        "conf.py": f'extensions = ["sphinxext_heuristics.graph"]\nhtml_theme = "{theme}"\nheuristics_package = "demo"\n'
        f"heuristics_categories = {dict.fromkeys((*_CATEGORIES, 'Debugging'), '')}\n",
        "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   sub/*\n   all\n\n.. py:function:: demo.merge()\n",
        "all.rst": "All\n===\n\n" + "".join(heuristics()),
        "sub/guide.rst": ":no-heuristics:\n\nGuide\n=====\n\nText.\n",
        "sub/table.rst": page("Table", ""),
        "sub/cards.rst": page("Cards", "   :layout: cards\n"),
        "sub/worklist.rst": page("Works", "   :missing:\n"),
        "sub/graph.rst": page("Graph", "   :severity: danger\n", "heuristic-graph"),
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


@pytest.mark.parametrize("page", ["sub/table.html", "sub/worklist.html"])
def test_header_stays_in_sight(
    built: Built, look: Callable[..., Any], page: str
) -> None:
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
@pytest.mark.parametrize(
    "page", ["sub/table.html", "sub/cards.html", "sub/worklist.html", "sub/graph.html"]
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


# -- messages -------------------------------------------------------------------------

ZOO = {
    "Food": [
        ("ValueError", "{animal} cannot be fed: there is no food left for it."),
        ("FutureWarning", "Hay is not enough for {animal} in `winter`"),
        ("ValueError", "Not ready"),
    ],
    "Doors": [
        ("RuntimeError", "The zoo is closed today"),
        ("ValueError", "{name} <b>is</b> closed: \u00fc {number} & more"),
    ],
}

KEYWORDS = {
    "Food": "KeyError: None, food is bad, bad, hungry, \u98df\u7269",
    "Doors": "hungry, hungry Leo, the constructor",
}

#: Sections that heuristics name, one of them about a symptom, and others.
GUIDE = """\
Guide to penguins in winter
===========================

What to do.

.. _eating:

It does not eat
---------------

See :heuristic:`Doors`.

.. _squeaking:

The gate squeaks
----------------

Oil it.

============================================  ==================
What you hear                                 What to do
============================================  ==================
``GateError: the hinge of gate 4 is … dry``   Oil the *hinge*.
``the hinge of``, or ``hinge squeaks``        Nothing.
``GateError: the hinge of gate 4 is … dry``   Call the smith, in winter.
============================================  ==================

May zebras visit penguins?
--------------------------

They may.

May zebras visit penguins at night?
-----------------------------------

They sleep.

Penguins whom zebras visit
--------------------------

They like it.
"""

WORKFLOWS = {"Food": "index, eating", "Doors": "index, eating, squeaking"}

#: What else their pages say.
TEXTS = {
    "Food": """\
   Animals are fed by a keeper, and a lion eats most.

   .. code-block:: python

      # wrong: the animal that is hungry is fed with what the keeper has at hand at this moment, whatever it may be
      keeper.food.for_each_animal_that_is_hungry_and_not_asleep.and_has_not_been_fed_today_by_anybody_else_but_me(7)

   .. code-block:: pytb

      Traceback (most recent call last):
        File "keep.py", line 1, in <module>
          keep()
      KeeperError: the cage of 'Leo' has 4 bars and not 4 bars

   .. evidence:: zoo_of_long_names.food:keep

      keeper.opens_the_door_of(animal, key=7)

""",
    "Doors": """\
   Close all doors at night.

""",
}

PASTED = [
    "ValueError: Leo cannot be fed: there is no food left for it.",
    "Traceback (most recent call last):\n  File 'x', line 3\n    feed(leo)\n"  # noqa: ISC004 - one text
    "ValueError: Leo cannot be fed: there is no\n food left for it.\nRuntimeError: The zoo is closed today\n",
    "Hay is not enough for   Mia\tin winter",
    "there is no food",
    "closed",
    "x.py:3: ValueError: Not  `ready`",
    "It is not ready, Not ready, no",
    "RuntimeError: The zoo is closed",
    "Door 7 <b>is</b> closed: \u00fc 3 & more",
    "There is food for it, and Leo cannot be fed",
    "something else entirely",
    "",
    "\x1b[31m[rank0]: \u2502 KeyError: None \u2502\r\n> Not `ready`",
    "Food is BAD, \u98df\u7269 for Leo. 50%|##   | 3/6 [00:01<?, ?it/s] RuntimeError: The zoo\n[rank1]: is closed today",
    "File '/zoo/doors.py', line 3f2a, in constructor\nValueError: Leo\u2019s food is bad food at 0x7f3a",
    "Bad, hungry, and hungry Leo",
    # cut off, and said otherwise at the end
    "Traceback (most recent call last):\nValueError: Leo cannot be fed: there is no fo",
    "zoo.py:3: FutureWarning: Hay is not enough for the two of us...",
    # what a page shows, with other numbers and names
    "KeeperError: the cage of 'Mia' has 12 bars and not 12 bars",
    "it says: the cage of `Leo` has 3 bars and not 5 bars",
    "the cage of Leo has three bars",
    # the code that raised it, and code further up
    "Traceback (most recent call last):\n  File 'a.py', line 3, in <module>\n    feed(leo)\n"  # noqa: ISC004 - one text
    "  File 'zoo.py', line 9, in feed\n    keeper.opens_the_door_of(animal, key=7)\nasyncio.exceptions.TimeoutError",
    "Traceback (most recent call last):\n  File 'zoo.py', line 9, in feed\n    keeper.opens_the_door_of(animal, key=7)\n"  # noqa: ISC004 - one text
    "  File 'a.py', line 3, in <module>\n    open(door)\nOSError: there is none",
    "----> 1 feed(leo)\n\nFile /zoo/zoo.py:9, in feed(animal)\n      8 key = 7\n"  # noqa: ISC004 - one text
    "----> 9 keeper.opens_the_door_of(animal, key=7)\n     10 return\n\nOSError: no",
    # in other words
    "How do I feed a hungry lion?",
    "the doors never close",
    "My lions don\u2019t eat: feeding fails",
    "constructors of re-opened doors",
    "What is the capital of France?",
    "\u98df",
    "12 34",
    "can a zebra visit my penguins",
    "rules of a zebra crossing",
    "a guide to penguins in winter",
    # what a section of a guide prints
    "zoo.GateError: the hinge of gate 7 is very dry, it squeaks",
    "the hinge of it is wet",
    "GateError: the hinge of my door",
    "in winter: GateError: the hinge of gate 7 is very dry",
]


@pytest.fixture(
    scope="module", params=["furo", pytest.param("alabaster", marks=pytest.mark.slow)]
)
def zoo(
    request: pytest.FixtureRequest, shared_project: Callable[..., Project]
) -> Built:
    def say(module: str) -> str:
        raising = "".join(
            f"def f{at}():\n    raise {kind}(f{text!r})\n"
            for at, (kind, text) in enumerate(ZOO[module])
        )
        return f"{raising}def keep():\n    keeper.opens_the_door_of(animal, key=7)\n"

    def page(module: str) -> str:
        quotes = "".join(
            f"   .. evidence:: zoo_of_long_names.{module.lower()}:f{at}\n\n      raise {kind}(f{text!r})\n\n"
            for at, (kind, text) in enumerate(ZOO[module])
        )
        return (
            f".. heuristic:: {module}\n   :note: For {module}\n   :workflow: {WORKFLOWS[module]}\n"
            f"   :keywords: {KEYWORDS[module]}\n\n{TEXTS[module]}{quotes}"
        )

    return shared_project(
        {
            "conf.py": 'import sys\nsys.path.insert(0, __file__.rpartition("/")[0])\n'
            f'extensions = ["sphinxext_heuristics"]\nhtml_theme = "{request.param}"\n',
            "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   *\n   sub/*\n\n"
            ".. container:: heuristic-paste\n\n   :doc:`sub/messages`\n",
            "guide.rst": GUIDE,
            "sub/messages.rst": "Messages\n========\n\n.. heuristic-messages::\n",
            **{f"{module}.rst": page(module) for module in ZOO},
            **{f"zoo_of_long_names/{module.lower()}.py": say(module) for module in ZOO},
            "zoo_of_long_names/__init__.py": "",
        }
    ).ok("html")


_PASTE = """
const paste = (text) => {
  const box = document.querySelector(".heuristic-paste textarea");
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
};
const listed = () =>
  all(".heuristic-messages > dt").filter((one) => one.offsetParent !== null).length;
const answered = () =>
  all(".heuristic-answers > dt").map((one) => {
    const codes = [...one.nextElementSibling.querySelectorAll("code")].map((code) => code.textContent);
    return [one.textContent, codes, one.nextElementSibling.innerText];
  });
const offered = () => all(".heuristic-perhaps dt").map((one) => one.textContent);
const printed = () => all(".heuristic-perhaps dd").map((one) => one.textContent);
const searches = () => document.querySelector('.heuristic-paste a[href$="search.html"]') !== null;
"""


def test_pasted_text_shows_what_explain_shows(
    zoo: Built, look: Callable[..., Any]
) -> None:
    asked = asked_in(zoo.soup("sub/messages.html"))
    found = look(
        zoo,
        "sub/messages.html",
        f"""{_PASTE}
        return {json.dumps(PASTED)}.map((text) => {{
          paste(text);
          return [answered(), offered(), printed(), searches(), listed()];
        }});
        """,
    )
    titles = [one.title for one in (*asked.known, *asked.sections)]
    for text, (shown, offered, printed, searches, listed) in zip(
        PASTED, found, strict=True
    ):
        wanted = pasted.answers(asked.known, text)
        assert [title for title, *_ in shown] == [titles[one.at] for one in wanted], (
            text
        )
        for (_title, codes, said), one in zip(shown, wanted, strict=True):
            messages = [quote.message.text for quote in one.messages]
            assert codes == [*messages, *one.code], text
            kinds = {quote.is_shown for quote in one.messages}
            assert ("Quoted in the source: " in said) == (False in kinds)
            assert ("Shown on the page: " in said) == (True in kinds)
            assert ("Quoted from where it was raised: " in said) == bool(one.code)
            reported = f"Reported by users: {', '.join(one.keywords)}"
            assert (reported in said) == bool(one.keywords)
        may_fit = guesses(asked, text, {one.at for one in wanted})
        is_nothing = bool(text) and not wanted and not may_fit
        symptoms = [
            one.title for one in asked.sections if is_nothing and one.is_symptom
        ]
        assert offered == [*(titles[one.at] for one in may_fit), *symptoms], text
        notes = [one.note for one in asked.known]
        notes += ["" for _section in asked.sections]
        said = [one.said or notes[one.at] for one in may_fit]
        assert printed == [*said, *("" for _ in symptoms)]
        assert searches == is_nothing
        assert listed == (0 if text else 5)
    numbers = [len(shown) for shown, *_ in found]
    assert numbers[:16] == [1, 2, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 2, 0, 1]
    assert numbers[16:24] == [1, 1, 1, 1, 0, 1, 0, 1]
    may_fit = [0 if searches else len(offered) for _, offered, _, searches, _ in found]
    assert may_fit[24:] == [0, 1, 0, 1, 0, 1, 0, 3, 0, 0, 1, 0, 1, 1]
    what = "GateError: the hinge of gate 4 is … dry. What to do: Oil the hinge."
    assert found[-4][1:3] == [["The gate squeaks"], [what]]
    assert "Call the smith" in found[-1][2][0]


def test_box_for_messages(zoo: Built, look: Callable[..., Any]) -> None:
    found = look(
        zoo,
        "sub/messages.html",
        _PASTE
        + """
        const said = () => document.querySelector(".heuristic-paste [role=status]").textContent;
        const box = document.querySelector(".heuristic-paste textarea");
        const clear = document.querySelector(".heuristic-reset");
        const steps = { asked: [box.value, said(), listed()], label: box.labels[0].textContent.length > 10 };
        const links = all(".heuristic-paste a").map((link) => new URL(link.href));
        steps.overflow = overflow();
        steps.links = links.map((link) => link.pathname.split("/").pop() + link.search);
        steps.heads = all("dl.heuristic-messages").filter((one) => one.offsetParent !== null).length;
        clear.click();
        steps.all = [listed(), document.activeElement === box, clear.offsetParent === null];
        paste("something else entirely");
        steps.none = [said(), offered(), searches()];
        location.hash = "#error=Hay%20is%20not%20enough";
        await new Promise((done) => setTimeout(done, 100));
        steps.again = [said(), box.value];
        return steps;
        """,
        address="#error=Traceback%0ARuntimeError%3A%20The%20zoo%20is%20closed%20today%0A%25",
    )
    assert found == {
        "asked": [
            "Traceback\nRuntimeError: The zoo is closed today\n%",
            "1 heuristic knows of this text:",
            0,
        ],
        "label": True,
        "overflow": 0,
        "links": ["Doors.html"],
        "heads": 0,
        "all": [5, True, True],
        "none": ["No heuristic knows of this text.", ["It does not eat"], True],
        "again": ["1 heuristic knows of this text:", "Hay is not enough"],
    }


def test_box_elsewhere_leads_to_the_messages(
    zoo: Built, look: Callable[..., Any]
) -> None:
    place = zoo.soup("index.html").select_one(".heuristic-paste")
    assert place.get_text(strip=True) == "Messages", "without JavaScript it is a link"
    found = look(
        zoo,
        "index.html",
        """
        const box = document.querySelector(".heuristic-paste textarea");
        box.value = "The zoo\\nis closed & 100% #done";
        const link = document.querySelector(".heuristic-paste a");
        const page = link.href.split("/").slice(-2).join("/");
        /* Another page would end this script. */
        link.setAttribute("href", "#here");
        box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        await new Promise((done) => setTimeout(done, 100));
        const button = box.form.querySelector("button");
        return [page + location.hash, box.labels.length, button.type, button.textContent];
        """,
    )
    there = "sub/messages.html#error=The%20zoo%0Ais%20closed%20%26%20100%25%20%23done"
    assert found == [there, 1, "submit", "Find"]


@pytest.mark.parametrize("page", ["index.html", "sub/messages.html"])
def test_messages_on_a_phone(zoo: Built, look: Callable[..., Any], page: str) -> None:
    found = look(
        zoo, page, 'return [overflow(), broken(".heuristic-messages")];', NARROW
    )
    assert found == [0, []]


def test_script_of_messages_is_where_its_box_is(zoo: Built) -> None:
    for path in zoo.out.rglob("*.html"):
        page = zoo.soup(path.relative_to(zoo.out).as_posix())
        assert len(page.select('script[src*="heuristics-messages.js"]')) == bool(
            page.select(".heuristic-paste")
        ), path
        assert not page.select('script[src*="heuristics-index.js"]')


def test_a_thousand_heuristics_answer_at_once(
    zoo: Built, look: Callable[..., Any]
) -> None:
    soup = zoo.soup("sub/messages.html")
    holder = soup.select_one(".heuristic-paste")
    (known, _sections, *more) = json.loads(str(holder["data-known"]))
    chance = random.Random(41)  # noqa: S311 - no secret
    # few words are on many pages, most on few
    vocabulary = [f"w{number:x}q" for number in range(6000)]
    often = [1 / (at + 3) for at in range(len(vocabulary))]

    def words(count: int) -> str:
        return " ".join(chance.choices(vocabulary, often, k=count))

    uri, *_rest = known[0]
    thousand = []
    for at in range(1000):
        said = [f"{words(4)} {at}", words(9)]
        messages = [[["ValueError", f"{said[0]} … {said[1]}"], said, [], False]] * 3
        keywords = [[words(2), f" {words(2)} ", False] for _ in range(5)]
        page = [words(12), words(40), words(150)]
        code = [[f"call_{words(1)}(with={number})"] * 2 for number in range(3)]
        thousand.append([uri, f"Title {at}", words(20), messages, keywords, code, page])
    passages = [
        [words(20), [[["", words(6)], [words(6)], [], False]]] for _ in range(40)
    ]
    sections = [
        [uri, words(4), words(4).split(), [3, at], True, passages] for at in range(50)
    ]
    holder["data-known"] = json.dumps([thousand, sections, *more])
    (zoo.out / "sub/thousand.html").write_text(str(soup), encoding="utf-8")
    frames = "".join(
        f'  File "/usr/{word}.py", line {len(word)}, in {word}\n    {word}({words(3)})\n'
        for word in words(40).split()
    )
    question = f"How do I {words(12)}?"
    error = f"{words(60)}\nTraceback (most recent call last):\n{frames}ValueError: {words(30)}\n"
    found = look(
        zoo,
        "sub/thousand.html",
        f"""{_PASTE}
        return {json.dumps([question, error])}.map((text) => {{
          const times = Array.from({{ length: 20 }}, () => {{
            const before = performance.now();
            paste(text);
            return performance.now() - before;
          }});
          return [Math.min(...times), document.querySelector(".heuristic-paste [role=status]").textContent];
        }});
        """,
    )
    # the best of twenty: other processes may be at work
    assert [said for milliseconds, said in found if milliseconds > 100] == [], found


# -- the search, and code -------------------------------------------------------------


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
    assert found == [6, [], 0, True]


# -- the graph ------------------------------------------------------------------------

needs_dot = pytest.mark.skipif(
    not shutil.which("dot"),
    reason="dot is not installed; on Debian: apt-get install graphviz",
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


# -- releases -------------------------------------------------------------------------

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
    assert found["back"] == (
        mode if "furo" in built.read("sub/graph.html") else "light"
    )
    assert found["texts"] > 33
    assert found["least"] >= 4.5, "WCAG 2 asks for it of text"
    assert found["lines"] >= 3, "and for this of what else must be seen"


@needs_dot
def test_graph_links_are_reached_by_keyboard_and_text_fits(
    built: Built, look: Callable[..., Any]
) -> None:
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
