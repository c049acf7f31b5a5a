"""Under the themes that projects use: no warning, and the admonition, the collapsed rest, the index and the page."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Any

import pytest
import sphinx
from axe import axe
from conftest import title_of
from packaging.requirements import Requirement
from test_browser import look, look_at_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import Tag
    from conftest import Built, Project

#: Fixtures, which pytest finds by their names.
__all__ = ["look", "look_at_all"]

#: html_theme → its distribution.
THEMES = {
    "alabaster": "alabaster",
    "furo": "furo",
    "pydata_sphinx_theme": "pydata-sphinx-theme",
    "sphinx_book_theme": "sphinx-book-theme",
    "sphinx_rtd_theme": "sphinx-rtd-theme",
}

SAMPLE = """
=== index.rst
Start
=====

.. toctree::

   api
   forms
   guide
   lists
   rules
   heuristics/Close_Files
   heuristics/Count_Twice
   heuristics/Look_First
   heuristics/Mind_The_Gap
   heuristics/Read_The_Scale

.. heuristic-index::

=== api.rst
API
===

.. py:module:: demo

.. py:class:: Session(path)

   Hold a session.

   What is written is kept.

   .. py:method:: merge(other)

      Merge another session into this one.

      :param other: what is merged

.. py:function:: alone()

   Do it alone.

=== forms.rst
Forms
=====

.. py:class:: demo.shop.Lathe(path)

   Hold a lathe.

   .. py:method:: turn(speed, force)

      Turn the work.

      :param speed: how fast
      :param force: how hard

   .. py:method:: rest()

      Rest the tool.

.. py:class:: demo.shop.Mill(path)

   Hold a mill.

   .. py:method:: turn(speed)

      Turn the mill.

   .. py:method:: rest()

      Rest the mill.

=== rules.rst
Rules
=====

.. heuristic:: Cut_The_Log
   :title: Cut the log before you turn it in the machine
   :note: Else ``demo.shop.lathes.BallBearingSpindle.turn_with_a_name_as_long_as_this`` breaks.
   :impl: *.turn, ?demo.shop.lathes.BallBearingSpindle.turn_with_a_name_as_long_as_this
   :severity: danger

.. heuristic:: Mind_The_Chuck
   :note: It may hold what you turned the day before.
   :impl: *.turn, *.rest
   :severity: caution

.. heuristic:: Mind_The_Load
   :note: Look at ``demo.shop.lathes.BallBearingSpindle.load_with_a_name_as_long_as_this``.
   :impl: *.turn, *.rest
   :severity: warning

.. heuristic:: Oil_The_Spindle
   :note: Once a day.
   :impl: *.turn

.. heuristic:: Choose_The_Speed_By_The_Material
   :note: Ask the table of speeds.
   :impl: demo.shop.Lathe.turn
   :param: speed
   :severity: caution

.. heuristic:: Choose_The_Speed_By_The_Tool
   :note: Look at ``demo.shop.lathes.BallBearingSpindle.speed_with_a_name_as_long_as_this``.
   :impl: demo.shop.Lathe.turn
   :param: speed
   :severity: warning

.. heuristic:: Choose_The_Speed_By_The_Weather
   :note: Wood swells.
   :impl: demo.shop.Lathe.turn
   :param: speed

=== lists.rst
Lists
=====

.. heuristic-index::
   :layout: cards

.. heuristic-index::
   :missing:

=== guide.rst
Guide
=====

One merges like this.

.. heuristics-for:: demo.alone

=== heuristics/Close_Files.rst
.. heuristic:: Close_Files
   :title: Close the files before you merge
   :note: Two of ``demo.archive.readers.BufferedReader.merge_with_all_of_the_others`` lose what was written last.
   :impl: demo.Session.merge, ?demo.archive.readers.BufferedReader.merge_with_all_of_the_others
   :workflow: guide
   :category: Files
   :severity: danger
   :since: 0.3

   Open files hold a lock, as ``demo.archive.readers.BufferedReader.merge_with_all_of_the_others`` says.

   .. code-block:: python

      session.close()

=== heuristics/Count_Twice.rst
.. heuristic:: Count_Twice
   :title: Count twice
   :note: Compare ``len()`` before and after.
   :impl: demo.Session.merge, demo.alone
   :category: Counting

   Numbers tell.

=== heuristics/Look_First.rst
.. heuristic:: Look_First
   :title: Look first
   :note: Read the log.
   :impl: demo.Session.merge
   :severity: note

   It is short.

=== heuristics/Mind_The_Gap.rst
.. heuristic:: Mind_The_Gap
   :title: Mind the gap
   :note: Numbers may jump.
   :impl: demo.Session.merge
   :severity: important

   They do.

=== heuristics/Read_The_Scale.rst
.. heuristic:: Read_The_Scale
   :title: Read the scale
   :note: Its colour is the hardest to read.
   :workflow: ?later
   :severity: warning

   It counts.

=== conf.py
project = "Demo"
extensions = ["sphinxext_heuristics"]
release = "1.0"
heuristics_max_shown = 1
"""


def unusable(theme: str) -> str:
    """Return why the theme cannot be used here, or nothing."""
    try:
        installed = version(THEMES[theme])
    except PackageNotFoundError:
        return f"{THEMES[theme]} is not installed"
    for wish in map(Requirement, requires(THEMES[theme]) or []):
        if (
            wish.name == "sphinx"
            and not wish.marker
            and not wish.specifier.contains(sphinx.__version__)
        ):
            return f"{THEMES[theme]} {installed} wants Sphinx {wish.specifier}, and this is {sphinx.__version__}"
    return ""


def one(parent: Tag, selector: str) -> Tag:
    """Return the first element that a selector finds."""
    found = parent.select_one(selector)
    assert found is not None, selector
    return found


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(it, marks=() if it in {"alabaster", "furo"} else pytest.mark.slow)
        for it in THEMES
    ],
)
def built(
    request: pytest.FixtureRequest, shared_project: Callable[..., Project]
) -> Built:
    if reason := unusable(request.param):
        pytest.skip(reason)
    return shared_project(SAMPLE + f"html_theme = {request.param!r}\n").ok("html")


# The themes' own deprecations.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.slow
def test_shown(built: Built) -> None:
    merge = built.entry("api.html", "demo.Session.merge")
    danger = one(merge, "div.admonition.danger > p.admonition-title")
    assert danger.get_text() == "Danger: Close the files before you merge"
    rest = one(merge, "details.heuristic-more")
    assert not rest.has_attr("open")
    assert (
        one(rest, "summary").get_text()
        == "3 more: Mind the gap, Look first, Count twice"
    )
    assert built.shown("api.html", "demo.Session.merge") == [
        "Close the files before you merge",
        "Mind the gap",
        "Look first",
        "Count twice",
    ]

    assert [
        title_of(box) for box in built.soup("guide.html").select("div.heuristic")
    ] == ["Close the files before you merge", "Count twice"]

    page = built.soup("heuristics/Close_Files.html")
    assert one(page, "h1").get_text().startswith("Close the files before you merge")
    assert one(page, "title").get_text().startswith("Close the files before you merge")
    assert "session.close()" in one(page, "div.highlight").get_text()

    rows = built.soup("index.html").select("table.heuristic-index tbody tr")
    assert len(rows) == 12
    for name in ("api.html", "guide.html", "index.html"):
        links = built.soup(name).select(
            "div.heuristic a.reference.internal, table.heuristic-index a.reference"
        )
        assert links
        for link in links:
            built.follow(name, link)


#: What is not where it belongs: each word and box of ours within what holds it, nothing
#: over anything else, nothing wider than the page. What is folded is opened.
_MISPLACED = """
const visible = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const seen = (selector) =>
  all(selector).filter((one) => visible(one) && (one.closest("thead") ?? one).offsetWidth > 1);
const within = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
const found = [];
const say = (what, one) => found.push(`${what}: ${one.textContent.trim().slice(0, 60)}`);

const heads = seen("[class*=heuristic] > thead");
for (const head of heads) {
  const row = head.nextElementSibling.getBoundingClientRect();
  if (head.querySelector("th").getBoundingClientRect().bottom > row.top + 1) say("over the first row", head);
}
for (const mark of seen("[class*=heuristic] > summary")) {
  if (getComputedStyle(mark).display !== "list-item") say("does not look as if it opens", mark);
}
for (const fold of all("details")) fold.open = true;
const boxes = seen("div.heuristic, .heuristic-more, .heuristic-repeated, .heuristic-line");
for (const box of boxes) {
  const place = box.getBoundingClientRect();
  for (let outer = box.parentElement; outer.matches("dl *, section"); outer = outer.parentElement) {
    const { top, bottom, ...sides } = outer.getBoundingClientRect().toJSON();
    if (!within(place, sides) || place.top < top - 1 || place.bottom > bottom + 1) say(`not in ${outer.localName}`, box);
  }
  if (box.previousElementSibling?.getBoundingClientRect().bottom > place.top + 1) say("over the one before", box);
}
for (const words of seen("[class*=heuristic] :is(a, code, p, summary, th)")) {
  const range = document.createRange();
  range.selectNodeContents(words);
  const outer = words.closest("td, th, .admonition, .heuristic-repeated, .sd-card, section").getBoundingClientRect();
  if (![...range.getClientRects()].every((part) => within(part, outer))) say("cut off", words);
}
for (const one of seen("[class*=heuristic] :is(a, summary, th, button, input)")) {
  one.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = one.getClientRects()[0];
  if (!one.contains(document.elementFromPoint(left + width / 2, top + height / 2))) say("covered", one);
}
if (overflow() > 0) found.push(`the page is ${overflow()} px too wide`);
return [heads.length, boxes.length, found];
"""


@pytest.mark.browser
def test_nothing_is_misplaced(built: Built, look_at_all: Callable[..., Any]) -> None:
    # How many heads of tables and boxes there are.
    pages = {
        ("index.html", 1280): [0, 0],
        ("index.html", 390): [0, 0],
        ("lists.html", 1280): [0, 0],
        ("lists.html", 390): [0, 0],
        ("forms.html", 1280): [0, 11],
        ("forms.html", 390): [0, 11],
        ("heuristics/Close_Files.html", 1280): [0, 0],
        ("heuristics/Close_Files.html", 390): [0, 0],
    }
    names = dict.fromkeys(name for name, _width in pages)
    found = look_at_all(built, names, _MISPLACED, [1280, 390])
    assert found == {view: [*numbers, []] for view, numbers in pages.items()}


#: A link's contrast with what is behind it must be 3 at least, unless it has the very
#: colour of the text around it, whose contrast is the theme's. Returns what is not so.
_CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = colour.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  const layers = [];
  for (; element; element = element.parentElement) {
    const [r, g, b, a = 1] = parse(getComputedStyle(element).backgroundColor);
    layers.unshift([r, g, b, a]);
    if (a === 1) break;
  }
  return layers.reduce((under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a)), [255, 255, 255]);
};
const links = [...document.querySelectorAll("div.heuristic > .admonition-title a")];
return [links.length, links.flatMap((link) => {
  const colour = getComputedStyle(link).color;
  if (colour === getComputedStyle(link.parentElement).color) return [];
  const [high, low] = [light(parse(colour)), light(behind(link))].sort((a, b) => b - a);
  const contrast = (high + 0.05) / (low + 0.05);
  return contrast < 3 ? [`${link.textContent}: ${colour}, ${contrast.toFixed(1)}`] : [];
})];
"""


@pytest.mark.slow
@pytest.mark.browser
def test_title_is_readable(built: Built, request: pytest.FixtureRequest) -> None:
    look_at: Callable[..., Any] = request.getfixturevalue("look")
    assert look_at(built, "api.html", _CONTRAST) == [5, []]


#: The severity of each box and whether it has the bar of what is silent, which is in
#: the severity's colour, as in the index.
_BARS = """
const bar = (box) => {
  const { borderInlineStartStyle, borderInlineStartColor, color } = getComputedStyle(box);
  return borderInlineStartStyle === "double" && borderInlineStartColor !== color;
};
const severities = ["danger", "caution", "warning", "note", "tip"];
return [...document.querySelectorAll(".admonition.heuristic")].map(
  (box) => [severities.find((one) => box.classList.contains(one)), bar(box)]);
"""


@pytest.mark.browser
def test_what_is_silent_is_told_apart_without_colour(
    built: Built, look: Callable[..., Any]
) -> None:
    found = look(built, "api.html", _BARS)
    silent = [severity in {"danger", "caution"} for severity, _bar in found]
    assert [bar for _severity, bar in found] == silent
    assert {*silent} == {True, False}


#: What Read the Docs' theme has without us, too: titles of admonitions in white on light
#: grounds, where a link is even blue (contrasts of 1.8 to 2.4), code (3.8) and links (4.2).
_PALE = ("color-contrast #ffffff", "color-contrast #e74c3c", "color-contrast #2980b9")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_of_ours(
    built: Built, look_at_all: Callable[..., Any], mode: str
) -> None:
    pale = built.soup("index.html").select_one("body.wy-body-for-nav") is not None
    names = ["index.html", "api.html", "forms.html", "heuristics/Close_Files.html"]
    for view, found in look_at_all(built, names, axe(mode), [390, 1280]).items():
        wrong = found
        if pale:
            wrong = [one for one in found if not one.startswith(_PALE)]
        assert wrong == [], view
