"""The box in a real browser: what a reader sees, presses and is led to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from axe import axe
from chromium import Tab, served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Built, Project

pytestmark = [
    pytest.mark.browser,
    # The themes' own deprecations.
    pytest.mark.filterwarnings("default"),
]

WIDE, NARROW = 1280, 390

THEMES = [
    "furo",
    *(
        pytest.param(it, marks=pytest.mark.slow)
        for it in ("alabaster", "pydata_sphinx_theme")
    ),
]


class Passage(NamedTuple):
    """What a guide says, a question that it answers, and words of its block alone."""

    markup: str
    question: str
    own: str


#: Each is far below the heading of its section.
PASSAGES = {
    "paragraph": Passage(
        "Wombats dig burrows, and fences -- of 2-ply wire -- do not stop them.",
        "wombats dig burrows and fences of wire do not stop them",
        "Wombats dig",
    ),
    "code": Passage(
        "Call ``keeper.wake(bat, at=-1)``, no ``rest()``: before the bats' evening flight.",
        "wake the bats before their evening flight",
        "evening flight",
    ),
    "quotes": Passage(
        "The \"quiet\" hour isn't kept by 'howlers': a, b & c = 50%; see #4?",
        "the quiet hour of howlers",
        "howlers",
    ),
    "letters": Passage(
        "Ein Känguru hüpft über 食物 – naïve façades jump, too.",
        "känguru hüpft naïve façades",
        "Känguru",
    ),
    "item": Passage(
        "- One.\n- Turtles sleep under leaves in autumn.\n- Three.",
        "turtles sleep under leaves in autumn",
        "Turtles sleep",
    ),
    "term": Passage(
        "Molting penguins in the sauna\n   They sweat.",
        "molting penguins in the sauna",
        "Molting",
    ),
    # Another row, far above, begins alike.
    "row": Passage(
        ".. csv-table::\n   :header: Animal, What you hear, What to do\n\n"
        "   Cranes, A trumpet, Nothing.\n"
        + "   Stork, Nothing, Nothing.\n" * 60
        + "   Cranes, ``GateError: hinge … dry``, Oil it.",
        "GateError: hinge 7 is dry",
        "hinge",
    ),
    "own id": Passage(
        ".. _seals:\n\nSeals juggle balls until the fish has come.",
        "seals juggle balls until fish has come",
        "Seals juggle",
    ),
    "fold": Passage(
        ".. raw:: html\n\n   <details><summary>More</summary>\n\n"
        "Ostriches outrun every visitor on Sunday.\n\n.. raw:: html\n\n   </details>",
        "ostriches outrun visitors on sunday",
        "Ostriches outrun",
    ),
}

_FILLING = "".join(f"Nothing to read in line {at}.\n\n" for at in range(60))

_GUIDE = """\
Guide
=====

.. container:: heuristic-paste

   :doc:`index`

.. _handbook:

What keepers know
-----------------

""" + "".join(f"{_FILLING}{it.markup}\n\n" for it in PASSAGES.values())

_RAISING = {
    "food": [
        ("ValueError", "{animal} cannot be fed: there is no food left for it."),
        ("FutureWarning", "Hay is not enough for {animal} in `winter`"),
    ],
    "doors": [
        ("RuntimeError", "The zoo is closed today"),
        ("ValueError", "{name} <b>is</b> closed: \u00fc {number} & more"),
    ],
}


def _source(module: str) -> str:
    functions = [
        f"def f{at}():\n    raise {kind}(f{text!r})\n"
        for at, (kind, text) in enumerate(_RAISING[module])
    ]
    return "".join(functions)


def _evidence(module: str) -> str:
    quotes = [
        f"   .. evidence:: zoo_of_long_names.{module}:f{at}\n\n      raise {kind}(f{text!r})\n\n"
        for at, (kind, text) in enumerate(_RAISING[module])
    ]
    return "".join(quotes)


def zoo_files(theme: str) -> Mapping[str, str]:
    return {
        "conf.py": 'import sys\nsys.path.insert(0, __file__.rpartition("/")[0])\n'
        f'extensions = ["sphinxext_heuristics"]\nhtml_theme = "{theme}"\n'
        'project = "Zoo"\ncopyright, version = "nobody", "1"  # for e-books\n',
        "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   *\n   sub/*\n\n"
        ".. container:: heuristic-paste\n\n   :doc:`Every message <sub/messages>`\n",
        "guide.rst": _GUIDE,
        "plain.rst": "Plain\n=====\n\nNothing.\n",
        "sub/messages.rst": "Messages\n========\n\n.. heuristic-messages::\n",
        "sub/both.rst": "Both\n====\n\n.. container:: heuristic-paste\n\n   One.\n\n"
        ".. heuristic-messages::\n   :severity: danger\n",
        "sub/two.rst": "Two\n===\n\n.. container:: heuristic-paste\n\n   One.\n\n"
        ".. container:: heuristic-paste\n\n   Another.\n",
        "sub/examples.rst": "Examples\n========\n\n.. container:: heuristic-paste\n\n"
        "   Try ``The zoo is closed today`` or ``How do I feed a hungry lion?``\n\n"
        "   - :heuristic:`Food`, `ask ``us`` <https://example.org>`__\n",
        "Food.rst": ".. heuristic:: Food\n   :title: Feed every animal\n   :severity: danger\n"
        "   :note: Call ``zoo_of_long_names.food.feed_the_animal_before_it_gets_hungry_again()`` at noon\n"
        f"   :workflow: guide\n   :keywords: hungry lion\n\n{_evidence('food')}",
        "Doors.rst": ".. heuristic:: Doors\n   :title: Close all doors\n   :note: At night\n"
        f"   :workflow: handbook\n   :messages: no key fits this door of the zoo\n\n{_evidence('doors')}",
        "Old.rst": ".. heuristic:: Old\n   :title: Oil the old gate\n   :note: Use grease\n"
        "   :workflow: guide\n   :until: 0.5\n   :messages: the old gate of the zoo is stuck\n",
        **{f"zoo_of_long_names/{module}.py": _source(module) for module in _RAISING},
        "zoo_of_long_names/__init__.py": "",
    }


@pytest.fixture(scope="module")
def zoo(shared_project: Callable[..., Project]) -> Built:
    return shared_project(zoo_files("furo")).ok("html")


@pytest.fixture(scope="module", params=THEMES)
def themed(
    request: pytest.FixtureRequest, shared_project: Callable[..., Project]
) -> Built:
    return shared_project(zoo_files(request.param)).ok("html")


@pytest.fixture
def tab(browsing: Tab) -> Tab:
    browsing.resize(WIDE)
    browsing.prefer("light")
    browsing.allow_scripts(are_allowed=True)
    browsing.errors.clear()
    return browsing


# -- what a reader does, and sees -----------------------------------------------------

KNOWN = "Traceback (most recent call last):\n  File 'x', line 3\n    feed(leo)\nValueError: Leo cannot be fed: there is no food left for it."
PERHAPS = "How do I feed a hungry lion?"
NOTHING = "qwertz florble\nwumpus & 100%"

_BOX = ".heuristic-paste:not([hidden])"

_SEEN = """
const holder = document.querySelectorAll(".heuristic-paste:not([hidden])")[%d];
const within = (selector) => [...holder.querySelectorAll(selector)];
const sighted = (one) => one.checkVisibility();
return {
  said: holder.querySelector("[role=status]").textContent,
  lists: within("ol").map((list) => [...list.children].map((one) => one.querySelector("a").textContent)),
  links: within("ol a").map((one) => one.getAttribute("href")),
  lines: within("ol > li").map((one) => [...one.children].map((line) => line.innerText)),
  codes: within("ol code").map((one) => one.textContent),
  listed: within(".heuristic-listed").filter(sighted).map((one) => one.innerText),
  rows: [...document.querySelectorAll("dl.heuristic-messages > dt")].filter(sighted).length,
};
"""


def seen(tab: Tab, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = tab.run(_SEEN % number)
    return found


def until(tab: Tab, condition: str) -> None:
    """Wait for something, for ten seconds at most."""
    is_so = tab.run(
        f"""
        for (let at = 0; at < 500; at += 1) {{
          if ({condition}) return true;
          await new Promise((done) => setTimeout(done, 20));
        }}
        return false;
        """
    )
    assert is_so, condition


def ask(tab: Tab, text: str) -> dict[str, Any]:
    """Ask for a text by Enter, and return what is to be seen."""
    tab.run(
        f"const box = document.querySelector('{_BOX} textarea'); box.focus(); box.select();"
    )
    tab.write(text)
    tab.press("Enter")
    until(tab, "document.activeElement.matches('.heuristic-answers')")
    return seen(tab)


# -- where it answers -----------------------------------------------------------------


def test_it_answers_where_it_is_and_reads_its_data_once(zoo: Built, tab: Tab) -> None:
    def data() -> list[str]:
        return [
            name for name in requests if re.search("heuristics-(ask|texts).js", name)
        ]

    with served(zoo.out) as (site, requests):
        tab.open(f"{site}/index.html")
        assert seen(tab)["listed"] == ["Every message"]
        assert data() == []
        tab.click(f"{_BOX} textarea")
        until(tab, "globalThis.heuristicsTexts && globalThis.heuristicsAsk")
        found = ask(tab, KNOWN)
        assert found["said"] == "This message is known:"
        assert found["lists"][0] == ["Feed every animal"]
        assert found["listed"] == []
        ask(tab, PERHAPS)
        assert len(data()) == 2
        assert tab.run("return location.pathname;") == "/index.html"


def test_data_that_did_not_arrive_are_asked_for_again(zoo: Built, tab: Tab) -> None:
    data = zoo.out / "_static/heuristics-texts.js"
    away = data.rename(data.with_suffix(".away"))
    with served(zoo.out) as (site, _requests):
        tab.open(f"{site}/index.html")
        tab.run("addEventListener('error', () => (globalThis.isLost = true), true);")
        tab.click(f"{_BOX} textarea")
        until(tab, "globalThis.isLost")
        away.rename(data)
        assert ask(tab, KNOWN)["lists"][0] == ["Feed every animal"]


@pytest.mark.parametrize("page", ["index.html", "sub/messages.html"])
def test_a_page_opened_from_a_folder_answers_alike(
    zoo: Built, tab: Tab, page: str
) -> None:
    with served(zoo.out) as (site, _requests):
        tab.open(f"{site}/{page}")
        wanted = [ask(tab, text) for text in (KNOWN, PERHAPS, NOTHING)]
    tab.open((zoo.out / page).as_uri())
    found = [ask(tab, text) for text in (KNOWN, PERHAPS, NOTHING)]
    assert [one["lines"] for one in found] == [one["lines"] for one in wanted]
    assert found[0]["lists"][0] == ["Feed every animal"]
    link = f"{zoo.out.as_uri()}/Food.html#heuristic-food"
    assert found[0]["links"][0] == link


def test_folders_of_dirhtml(shared_project: Callable[..., Project], tab: Tab) -> None:
    built = shared_project(zoo_files("furo")).ok("dirhtml")
    with served(built.out) as (site, _requests):
        tab.open(f"{site}/sub/messages/")
        assert ask(tab, KNOWN)["lists"][0] == ["Feed every animal"]
        tab.click(f"{_BOX} ol a", is_away=True)
        assert tab.run(
            "return [location.pathname, document.querySelector('h1').firstChild.data];"
        ) == ["/Food/", "Feed every animal"]


PASTED = [
    KNOWN,
    "Hay is not enough for   Mia\tin winter",
    "RuntimeError: The zoo is closed today",
    "Door 7 <b>is</b> closed: \u00fc 3 & more",
    "\x1b[31m[rank0]: \u2502 ValueError: Leo cannot be fed: there is no\r\n> food left for it.",
    "KeyError: no key fits this door of the zoo",
    "GateError: hinge 7 is dry",
    PERHAPS,
    NOTHING,
    "food",
    "wombats",
    "closing doors",
]


def test_a_page_shows_what_the_finder_finds(zoo: Built, tab: Tab) -> None:
    tab.open((zoo.out / "sub/messages.html").as_uri())
    kinds = set()
    for text in PASTED:
        found = ask(tab, text)
        answers = tab.run(
            f"""
            const index = heuristicsAsk.build(heuristicsTexts, heuristicsTexts.stemmer);
            return heuristicsAsk.ask(index, {json.dumps(text)});
            """
        )
        known = [one["item"]["title"] for one in answers if one["isKnown"]]
        perhaps = [one["item"]["title"] for one in answers if not one["isKnown"]]
        assert found["lists"] == [them for them in (known, perhaps) if them], text
        said = [
            "Perhaps one of these:",
            "This message is known:",
            "Nothing here fits this text.",
        ]
        kind = 1 if known else 0 if perhaps else 2
        assert found["said"] == said[kind], text
        kinds.add(kind)
        assert found["rows"] == (0 if answers else 4)
    assert kinds == {0, 1, 2}


def test_an_answer_says_what_it_is_and_why(zoo: Built, tab: Tab) -> None:
    tab.open((zoo.out / "index.html").as_uri())
    found = ask(tab, KNOWN)
    call = "zoo_of_long_names.food.feed_the_animal_before_it_gets_hungry_again()"
    message = "ValueError: … cannot be fed: there is no food left for it."
    assert found["lines"][0] == [
        "Danger Feed every animal",
        f"Call {call} at noon",
        f"Quoted in the source: {message}",
    ]
    assert found["codes"][:2] == [call, message]
    found = ask(tab, "no key fits this door of the zoo")
    assert (
        found["lines"][0][-1] == "Reported by readers: no key fits this door of the zoo"
    )
    found = ask(tab, "the old gate of the zoo is stuck")
    first = found["lines"][0][0].split("\n")
    assert first == ["Tip Oil the old gate", "(≤ 0.5; does not hold for 1)"]
    found = ask(tab, "GateError: hinge 7 is dry")
    assert found["lines"][0] == [
        "Guide\nWhat keepers know",
        "Cranes · What you hear: GateError: hinge … dry · What to do: Oil it.",
    ]


def test_an_example_is_asked_by_a_click(themed: Built, tab: Tab) -> None:
    """Code that an author lists in a box is an example; in a link, it is a link."""
    tab.open((themed.out / "sub/examples.html").as_uri())
    value = f"return document.querySelector('{_BOX} textarea').value;"
    examples = tab.run(
        f"return [...document.querySelectorAll('{_BOX} .heuristic-example')].map((one) => one.textContent);"
    )
    assert examples == ["The zoo is closed today", PERHAPS]
    shown = tab.run(f"return document.querySelector('{_BOX} textarea').placeholder;")
    assert shown == examples[0]
    for example, answer in zip(
        examples, ["Close all doors", "Feed every animal"], strict=True
    ):
        tab.run(
            f"[...document.querySelectorAll('{_BOX} .heuristic-example')].find((one) => one.textContent === {json.dumps(example)}).focus();"
        )
        tab.press("Enter")
        until(tab, "document.activeElement.matches('.heuristic-answers')")
        assert tab.run(value) == example
        assert seen(tab)["lists"][0][0] == answer
        tab.click(f"{_BOX} .heuristic-reset")


def test_a_question_and_its_first_answer_are_in_sight(zoo: Built, tab: Tab) -> None:
    """Also where a reader has scrolled down to an example, below a bar of the theme."""
    tab.resize(NARROW, 600)
    tab.open((zoo.out / "sub/examples.html").as_uri())
    tab.run(
        f"""
        const box = document.querySelector("{_BOX}");
        box.after(Object.assign(document.createElement("div"), {{ style: "height: 3000px" }}));
        const [example] = box.querySelectorAll(".heuristic-example");
        example.scrollIntoView({{ block: "start", behavior: "instant" }});
        example.click();
        """
    )
    until(tab, "document.activeElement.matches('.heuristic-answers')")
    # Some themes scroll smoothly.
    until(
        tab,
        f"""
        ["textarea", "[role=status]", "ol a"].every((selector) => {{
          const box = document.querySelector("{_BOX}");
          const {{ left, top, bottom }} = box.querySelector(selector).getBoundingClientRect();
          const seen = document.elementFromPoint(left + 2, top + 2);
          return bottom <= innerHeight && seen?.closest(".heuristic-paste") === box;
        }})
        """,
    )


# -- where answers lead ---------------------------------------------------------------

#: Where the innermost block with some words is: whether all of it is in the window.
_PLACE = """
const blocks = [...document.querySelectorAll("tr, dt, p")].filter((one) => one.textContent.includes(%s));
const place = blocks.find((one) => !one.closest(".heuristic-paste"));
const isInSight = () => {
  const box = place.getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
};
/* A browser seeks a text when the page has loaded, and some themes scroll smoothly: for ten seconds at most. */
for (let at = 0; at < 100; at += 1) {
  const before = scrollY;
  await new Promise((done) => setTimeout(done, 100));
  if (isInSight() && before === scrollY) break;
}
const heading = document.querySelector("#what-keepers-know h2").getBoundingClientRect();
return {
  isInSight: isInSight(),
  isFar: heading.bottom < 0,
  isMarked: place.matches(".heuristic-marked") && getComputedStyle(place).outlineStyle === "solid",
  marked: document.querySelectorAll(".heuristic-marked").length,
};
"""


@pytest.mark.parametrize("kind", PASSAGES)
@pytest.mark.parametrize("width", [pytest.param(WIDE, marks=pytest.mark.slow), NARROW])
@pytest.mark.parametrize("page", ["index.html", "guide.html"])
def test_an_answer_leads_to_its_passage(
    zoo: Built, tab: Tab, page: str, width: int, kind: str
) -> None:
    tab.resize(width)
    passage = PASSAGES[kind]
    with served(zoo.out) as (site, _requests):
        tab.open(f"{site}/{page}")
        found = ask(tab, passage.question)
        assert found["lists"][0][0] == "What keepers know"
        is_away = page != "guide.html"
        tab.click(f"{_BOX} ol a", is_away=is_away)
        place = tab.run(_PLACE % json.dumps(passage.own))
        hash_of = {"own id": "#seals"}.get(kind, "#what-keepers-know")
        assert tab.run("return location.hash;") == hash_of
    assert place["isInSight"]
    assert place["isFar"]
    # From elsewhere the browser marks it, of which a page knows nothing.
    assert place["isMarked"] is not is_away
    assert place["marked"] == (0 if is_away else 1)


# -- by keyboard, and by ear ----------------------------------------------------------


def test_it_is_used_by_keyboard(zoo: Built, tab: Tab) -> None:
    def focused() -> str:
        told: str = tab.run(
            "return document.activeElement.textContent || document.activeElement.localName;"
        )
        return told

    tab.open((zoo.out / "sub/messages.html").as_uri())
    tab.run(f"document.querySelector('{_BOX} textarea').focus();")
    tab.write("RuntimeError:")
    tab.press("Enter", shift=True)
    tab.write("The zoo is closed today")
    assert tab.run(f"return document.querySelector('{_BOX} textarea').value;").split(
        "\n"
    ) == ["RuntimeError:", "The zoo is closed today"]
    tab.press("Enter")
    until(tab, "document.activeElement.matches('.heuristic-answers')")
    found = seen(tab)
    assert found["lists"][0] == ["Close all doors"]
    tab.press("Tab")
    assert focused() == "Close all doors"

    tab.run(f"document.querySelector('{_BOX} textarea').focus();")
    order = []
    for _ in range(2):
        tab.press("Tab")
        order.append(focused())
    assert order == ["Find", "Show all"]
    tab.press("Enter")
    until(tab, "document.activeElement.localName === 'textarea'")
    found = seen(tab)
    assert (found["lists"], found["rows"]) == ([], 4)
    assert found["said"] == "The text stays in your browser."
    assert tab.run("return document.activeElement.value;") == ""
    tab.press("Tab")
    tab.press("Tab")
    assert focused() not in {"Find", "Show all"}


def test_it_answers_a_reader_who_stops_typing(zoo: Built, tab: Tab) -> None:
    """Not one who types."""
    tab.open((zoo.out / "index.html").as_uri())
    ask(tab, NOTHING)
    tab.run(
        f"""
        const find = heuristicsAsk.ask;
        globalThis.asked = [];
        heuristicsAsk.ask = (index, text) => (asked.push(text), find(index, text));
        document.querySelector("{_BOX} textarea").value = "";
        document.querySelector("{_BOX} textarea").focus();
        """
    )
    tab.run(
        """
        for (const letter of "The zoo is closed") document.execCommand("insertText", false, letter);
        """
    )
    until(tab, "asked.length")
    assert tab.run("return asked;") == ["The zoo is closed"]
    assert seen(tab)["lists"][0] == ["Close all doors"]
    assert tab.run("return document.activeElement.localName;") == "textarea"


@pytest.mark.parametrize(("mode", "width"), [("light", WIDE), ("dark", NARROW)])
def test_axe_finds_nothing(themed: Built, tab: Tab, mode: str, width: int) -> None:
    tab.resize(width)
    for page in ("index.html", "sub/messages.html", "sub/two.html"):
        tab.open((themed.out / page).as_uri())
        assert tab.run(axe(mode)) == []
        for text in (KNOWN, PERHAPS, "wombats", NOTHING):
            ask(tab, text)
            assert tab.run(axe(mode)) == [], (page, text)


def test_a_screen_reader_is_told(zoo: Built, tab: Tab) -> None:
    tab.open((zoo.out / "index.html").as_uri())
    told = tab.run(
        f"""
        const box = document.querySelector("{_BOX} textarea");
        const status = document.querySelector("{_BOX} [role=status]");
        globalThis.sameStatus = status;
        return [box.labels.length, box.labels[0].textContent];
        """
    )
    assert told == [1, "Paste an error message, a whole traceback or a question"]
    ask(tab, KNOWN)
    # What is replaced as a whole is not read out.
    assert (
        tab.run("return sameStatus.isConnected && sameStatus.textContent;")
        == "This message is known:"
    )


# -- where nothing fits ---------------------------------------------------------------


def test_where_nothing_fits_it_offers_what_there_is(zoo: Built, tab: Tab) -> None:
    with served(zoo.out) as (site, _requests):
        tab.open(f"{site}/index.html")
        found = ask(tab, NOTHING)
        assert found["said"] == "Nothing here fits this text."
        assert found["listed"] == ["Every message"]
        assert tab.run(
            "return document.querySelector('.heuristic-answers').innerText.split('\\n').filter(Boolean);"
        ) == ["Search this site", "Is it one of these?"]
        tab.click(".heuristic-answers a", is_away=True)
        assert (
            tab.run("return location.pathname + location.search;")
            == "/search.html?q=wumpus%20%26%20100%25"
        )
        assert (
            tab.run("return document.querySelector('input[name=q]').value;")
            == "wumpus & 100%"
        )
        # Without a container there is nothing to choose from.
        tab.open(f"{site}/sub/messages.html")
        ask(tab, NOTHING)
        assert (
            tab.run("return document.querySelector('.heuristic-answers').innerText;")
            == "Search this site"
        )


def test_nothing_is_empty(themed: Built, tab: Tab) -> None:
    for page in ("index.html", "sub/messages.html"):
        tab.open((themed.out / page).as_uri())
        for text in ("", *PASTED):
            if text:
                ask(tab, text)
            hollow = tab.run(
                """
                const parts = document.querySelectorAll(".heuristic-paste :is(p, ol, ul, li, dl, dt, dd, span, code)");
                return [...parts].filter((one) => one.checkVisibility() && !one.textContent.trim()).map((one) => one.outerHTML);
                """
            )
            assert hollow == [], (page, text)


def test_nothing_is_wider_than_a_phone(themed: Built, tab: Tab) -> None:
    tab.resize(NARROW)
    for page in ("index.html", "sub/messages.html", "guide.html"):
        tab.open((themed.out / page).as_uri())
        for text in ("", *PASTED, "x" * 500):
            if text:
                ask(tab, text)
            found = tab.run(
                """
                const { scrollWidth, clientWidth } = document.documentElement;
                const parts = [...document.querySelectorAll(":is(.heuristic-paste, .heuristic-messages) *")];
                const wide = parts.filter((one) => one.getBoundingClientRect().right > innerWidth);
                return [scrollWidth - clientWidth, wide.map((one) => one.outerHTML.slice(0, 80))];
                """
            )
            assert found == [0, []], (page, text[:50])


# -- what else happens ----------------------------------------------------------------

HOSTILE = {
    "log": "2026-01-01 12:00:00 INFO step 3: loss=0.25 'lr' [a=b, c] /usr/lib/x.py:3\n"
    * 14_000,
    "blanks": f"ValueError: {' ' * 40_000}x",
    "digits": "7" * 40_000,
    "words": " ".join(f"word{number:x}" for number in range(12_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_freezes_a_page(zoo: Built, tab: Tab, kind: str) -> None:
    tab.open((zoo.out / "index.html").as_uri())
    ask(tab, PERHAPS)
    milliseconds, said = tab.run(
        f"""
        const box = document.querySelector("{_BOX} textarea");
        const answers = document.querySelector(".heuristic-answers");
        document.activeElement.blur();
        box.value = {json.dumps(HOSTILE[kind])};
        const before = performance.now();
        document.querySelector("{_BOX} button").click();
        while (document.activeElement !== answers) await new Promise((done) => setTimeout(done));
        return [performance.now() - before, document.querySelector("{_BOX} [role=status]").textContent];
        """
    )
    assert milliseconds < 2000
    assert ("Only the end of this long text was read." in said) == (
        len(HOSTILE[kind].strip()) > 50_000
    )


def test_a_text_may_be_in_the_address(zoo: Built, tab: Tab) -> None:
    page = (zoo.out / "index.html").as_uri()
    tab.open(
        f"{page}#error=Traceback%0ARuntimeError%3A%20The%20zoo%20is%20closed%20today%0A%25"
    )
    until(tab, "document.querySelector('.heuristic-answers ol')")
    assert tab.run(f"return document.querySelector('{_BOX} textarea').value;") == (
        "Traceback\nRuntimeError: The zoo is closed today\n%"
    )
    assert seen(tab)["lists"][0] == ["Close all doors"]
    tab.run(
        "location.hash = '#error=Hay%20is%20not%20enough%20for%20us%20in%20winter';"
    )
    until(
        tab,
        "document.querySelector('.heuristic-answers a').textContent === 'Feed every animal'",
    )


def test_two_boxes_on_a_page_answer_each_for_itself(zoo: Built, tab: Tab) -> None:
    tab.open((zoo.out / "sub/two.html").as_uri())
    ask(tab, KNOWN)
    first, second = seen(tab, 0), seen(tab, 1)
    assert first["lists"][0] == ["Feed every animal"]
    assert (first["listed"], second["lists"], second["listed"]) == (
        [],
        [],
        ["Another."],
    )
    labels = "return [...document.querySelectorAll('textarea')].map((one) => one.labels.length);"
    assert tab.run(labels) == [1, 1]


def test_the_box_of_a_list_is_where_its_author_placed_one(zoo: Built, tab: Tab) -> None:
    tab.open((zoo.out / "sub/both.html").as_uri())
    assert ask(tab, KNOWN)["rows"] == 0
    assert tab.run("return document.querySelectorAll('textarea').length;") == 1
    assert ask(tab, NOTHING)["rows"] == 2


def test_without_scripts_the_lists_are_there(zoo: Built, tab: Tab) -> None:
    tab.allow_scripts(are_allowed=False)
    for page, wanted in (
        ("index.html", "Every message"),
        ("sub/messages.html", "The zoo is closed today"),
    ):
        tab.open((zoo.out / page).as_uri())
        text = tab.run("return document.querySelector('article').innerText;")
        assert wanted in text
        assert tab.run("return document.querySelectorAll('textarea').length;") == 0


def test_scripts_are_where_a_box_is(zoo: Built) -> None:
    pages = {path.relative_to(zoo.out).as_posix() for path in zoo.out.rglob("*.html")}
    linked = {
        name for name in pages if zoo.soup(name).select('script[src*="heuristics-box"]')
    }
    styled = {
        name for name in pages if zoo.soup(name).select('link[href*="heuristics-ask"]')
    }
    assert (
        linked
        == styled
        == {
            "index.html",
            "guide.html",
            "sub/both.html",
            "sub/examples.html",
            "sub/messages.html",
            "sub/two.html",
        }
    )
