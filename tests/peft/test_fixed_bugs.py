"""The tables of fixed bugs, made of a file, and the filter above tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from chromium import Tab
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bs4 import Tag
    from conftest import Built, Project

CONF = f"""\
import sys

folder = {str(ROOT / "docs/_ext")!r}
sys.path.insert(0, folder)
extensions = ["myst_parser", "fixed_bugs"]
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_static_path = [folder + "/site.css", folder + "/row_filter.js"]
html_css_files = ["site.css"]
html_js_files = [("row_filter.js", {{"defer": "defer"}})]
"""

PAGE = """\
# Fixed

See [gates](#gates).

<div class="row-filter" hidden>
<p>Type words.</p>
</div>

## Not fixed

| What you see | What to do |
| --- | --- |
| A lion | Run |

Words between.

## Gates

```{fixed-bugs} peft gates
```

### Nothing but words

No table.

## Food

```{fixed-bugs} peft food
```

## Pythons

```{fixed-pythons}
```
"""

OTHERS = """\
# Elsewhere

<div class="row-filter" hidden></div>

```{fixed-bugs} others food
```
"""


def bug(topic: str, seen: str, *releases: str, package: str = "peft") -> dict[str, Any]:
    found = dict(zip(("first", "last", "fixed"), releases, strict=True))
    return {"topic": topic, "seen": seen, "package": package, "found": found}


BUGS = {
    "old_gate": bug("gates", "The `old gate` squeaks", "", "0.1.2", "0.2.0"),
    "new_gate": bug("gates", "The new gate's **lock**", "0.9.0", "0.10.0", "0.10.1"),
    "hinge": bug("gates", "A hinge", "0.9.0", "0.9.0", "0.9.1"),
    "hay": bug("food", "No hay for the gate", "0.7.0", "0.7.1", "0.8.0"),
    "oats": bug("food", "No oats", "0.5.0", "0.6.1", "0.7.0"),
    "corn": bug("food", "Corn", "", "1.1.post1", "1.2", package="trl"),
    "bread": bug("food", "Bread", "1.0", "1.1", "1.2", package="bits_and_bytes"),
    "milk": bug("food", "Milk", "2.0", "4.9.1", "5.0", package="trl"),
}


def files(bugs: dict[str, Any] = BUGS) -> dict[str, str]:
    data = {"bugs": bugs, "python": {"3.9": ["0.1", "0.4"], "3.10": ["0.5", "0.9"]}}
    return {
        "conf.py": CONF,
        "index.md": PAGE + "\n```{toctree}\nothers\n```\n",
        "others.md": OTHERS,
        "guides/fixed.json": json.dumps(data),
    }


@pytest.fixture(scope="module")
def built(shared_project: Callable[..., Project]) -> Built:
    return shared_project(files()).ok("html")


def cells(rows: list[Tag]) -> list[list[str]]:
    return [[cell.get_text() for cell in row.select("td")] for row in rows]


# -- the tables -----------------------------------------------------------------------


def test_what_the_last_releases_fixed_is_in_sight_and_the_rest_folded(
    built: Built,
) -> None:
    gates, food = (
        built.soup("index.html").select_one(it) for it in ("#gates", "#food")
    )
    assert cells(gates.select("tbody tr")) == [
        ["The new gate’s lock", "0.9.0 to 0.10.0", "0.10.1"],
        ["A hinge", "0.9.0", "0.9.1"],
        ["The old gate squeaks", "up to 0.1.2", "0.2.0"],
    ]
    (fold,) = gates.select("details")
    assert fold.summary.get_text(strip=True) == "One older fix"
    assert [it["id"] for it in fold.select("tr[id]")] == ["bug-old-gate"]
    assert not food.select("details")


def test_a_row_has_an_address_and_says_which_releases_have_the_bug(
    built: Built,
) -> None:
    row = built.soup("index.html").select_one("#bug-new-gate")
    keys = ("data-package", "data-first", "data-last", "role")
    assert [row[key] for key in keys] == ["peft", "0.9.0", "0.10.0", "row"]
    assert row.strong.get_text() == "lock"


def test_other_packages_come_one_after_the_other(built: Built) -> None:
    assert cells(built.soup("others.html").select("tbody tr")) == [
        ["Bread", "bits_and_bytes 1.0 to 1.1", "bits_and_bytes 1.2"],
        ["Milk", "trl 2.0 to 4.9.1", "trl 5.0"],
        ["Corn", "trl up to 1.1.post1", "trl 1.2"],
    ]


def test_the_newest_python_comes_first(built: Built) -> None:
    rows = cells(built.soup("index.html").select("#pythons tbody tr"))
    assert rows == [["3.10 and later", "0.9"], ["3.9", "0.4"]]


def test_other_builders_have_the_same_rows(
    shared_project: Callable[..., Project],
) -> None:
    page = shared_project(files()).ok("text").read("index.txt")
    assert all(words in page for words in ("old gate", "One older fix", "0.10.1"))


@pytest.mark.parametrize(
    ("bugs", "message"),
    [
        (
            {"hay": BUGS["hay"]},
            "no bug of 'peft' has the topic 'gates'; use one of food",
        ),
        (
            {"hay": {"seen": "It"}},
            "the bug 'hay' has no package, topic, found; `python",
        ),
        (
            BUGS | {"hay": BUGS["hay"] | {"found": {"last": "0.1"}}},
            "the bug 'hay' has no first, fixed; `python tools/fixed.py hay` finds it",
        ),
    ],
)
def test_what_is_wrong_with_the_data_is_said(
    project: Callable[..., Project], bugs: dict[str, Any], message: str
) -> None:
    result = project(files(bugs)).build("html")
    assert any(
        "index.md:" in line and f"guides/fixed.json: {message}" in line
        for line in result.warnings
    ), result.warnings


def test_a_file_that_cannot_be_read_is_said(project: Callable[..., Project]) -> None:
    result = project(files() | {"guides/fixed.json": "{"}).build("html")
    assert any("cannot read the bugs: Expecting" in line for line in result.warnings)


def pages(built: Built) -> dict[str, str]:
    return {name: built.read(f"{name}.html") for name in ("index", "others")}


def test_a_change_of_the_data_is_built_as_from_nothing(
    project: Callable[..., Project],
) -> None:
    wanted = project(files())
    clean = pages(wanted.ok("html"))
    changed = project(files(BUGS | {"hay": BUGS["oats"]}))
    assert pages(changed.ok("html")) != clean
    changed.write(files())
    assert pages(changed.ok("html")) == clean
    assert pages(wanted.ok("html", "-E", "-j", "2", out="parallel")) == clean


# -- the filter -----------------------------------------------------------------------

_SHOWN = """
await new Promise((done) => setTimeout(done, 200));
const isShown = (one) => one.checkVisibility();
const texts = (selector) => [...document.querySelectorAll(selector)].filter(isShown).map((one) => one.textContent.trim());
return {
  rows: texts("article tbody tr td:first-child"),
  headings: texts("article h2, article h3").map((text) => text.replace("¶", "").replace("#", "")),
  told: document.querySelector(".row-filter [role=status]").textContent,
  words: texts("article section > p").includes("Words between."),
};
"""


@pytest.fixture
def tab(built: Built, browser: str, tmp_path: Path) -> Iterator[Tab]:
    tab = Tab(browser, tmp_path)
    tab.resize(390)
    tab.open((built.out / "index.html").as_uri())
    yield tab
    assert tab.errors == []
    tab.close()


def fill(tab: Tab, label: str, text: str) -> Any:  # noqa: ANN401 - JSON
    """Type into a field, and return what is then shown."""
    tab.run(
        f"""
        const labels = [...document.querySelectorAll(".row-filter label")];
        const label = labels.find((one) => one.textContent === {json.dumps(label)});
        const box = document.getElementById(label.htmlFor);
        box.focus();
        box.select();
        """
    )
    tab.write(text)
    return tab.run(_SHOWN)


IN_SIGHT = [
    "A lion",
    "The new gate’s lock",
    "A hinge",
    "No hay for the gate",
    "No oats",
]


@pytest.mark.browser
def test_typing_leaves_the_rows_that_have_all_words(tab: Tab) -> None:
    assert tab.run(_SHOWN)["rows"][:5] == IN_SIGHT
    found = fill(tab, "Find in the tables below", "'gate' the")
    assert found["rows"] == [
        "The new gate’s lock",
        "The old gate squeaks",
        "No hay for the gate",
    ]
    assert found["told"] == "3 of 8 rows"
    assert found["headings"] == ["Gates", "Food"]
    assert not found["words"]
    found = fill(tab, "Find in the tables below", "giraffe")
    assert (found["rows"], found["told"]) == ([], "None of 8 rows")
    tab.click(".row-filter button")
    found = tab.run(_SHOWN)
    assert (found["rows"][:5], found["told"]) == (IN_SIGHT, "")
    assert found["words"]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("release", "rows"),
    [
        ("0.1.2", ["The old gate squeaks"]),
        ("0.7.0", ["No hay for the gate"]),
        ("peft==0.10.0", ["The new gate’s lock"]),
        ("0.9", ["The new gate’s lock", "A hinge"]),
        ("0.10.1", []),
    ],
)
def test_a_release_leaves_the_bugs_that_it_has(
    tab: Tab, release: str, rows: list[str]
) -> None:
    assert fill(tab, "I have PEFT", release)["rows"] == rows


@pytest.mark.browser
@pytest.mark.parametrize(
    ("releases", "rows"),
    [
        ("{'peft': '0.7.0', 'trl': '1.1'}", ["Corn"]),
        ("bits-and-bytes 1.0\ntrl   4.0.0.dev0", ["Bread", "Milk"]),
        ("torch==1.0", []),
    ],
)
def test_what_is_installed_leaves_the_bugs_that_it_has(
    built: Built, tab: Tab, releases: str, rows: list[str]
) -> None:
    tab.open((built.out / "others.html").as_uri())
    assert fill(tab, "I have", releases)["rows"] == rows


@pytest.mark.browser
def test_a_link_clears_the_filter_and_leads_to_what_was_hidden(tab: Tab) -> None:
    fill(tab, "Find in the tables below", "lion")
    tab.click("a[href='#gates']")
    found = tab.run(_SHOWN)
    assert (found["rows"][:5], found["told"]) == (IN_SIGHT, "")
    fill(tab, "Find in the tables below", "lion")
    tab.run("location.hash = '#bug-old-gate';")
    found = tab.run(_SHOWN)
    assert found["told"] == ""
    assert "The old gate squeaks" in found["rows"]
    # again the same link, which changes no address
    fill(tab, "Find in the tables below", "lion")
    tab.run("location.hash = '#gates';")
    fill(tab, "Find in the tables below", "lion")
    tab.click("a[href='#gates']")
    assert tab.run(_SHOWN)["told"] == ""


@pytest.mark.browser
def test_an_address_of_a_folded_row_leads_to_it(built: Built, tab: Tab) -> None:
    tab.resize(390, 300)
    tab.open((built.out / "others.html").as_uri())
    tab.open((built.out / "index.html").as_uri() + "#bug-old-gate")
    place = """
    await new Promise((done) => setTimeout(done, 500));
    const { top, bottom, height } = document.querySelector("#bug-old-gate").getBoundingClientRect();
    return height > 0 && top >= 0 && bottom <= innerHeight;
    """
    assert tab.run(place)


@pytest.mark.browser
def test_what_was_folded_is_folded_again(tab: Tab) -> None:
    folds = "return [...document.querySelectorAll('details')].map((one) => one.open);"
    assert tab.run(folds) == [False]
    fill(tab, "Find in the tables below", "gate")
    assert tab.run(folds) == [True]
    fill(tab, "Find in the tables below", " ")
    assert tab.run(folds) == [False]


@pytest.mark.browser
def test_the_filter_fits_on_a_phone_and_its_number_is_read_aloud(tab: Tab) -> None:
    seen = """
    const place = document.querySelector(".row-filter");
    const boxes = [...place.querySelectorAll("input")];
    return {
      fits: boxes.every((one) => one.getBoundingClientRect().right <= innerWidth),
      labels: boxes.map((one) => one.labels[0].textContent),
      isStatus: place.querySelector("[role=status]") !== null,
      scrolls: document.documentElement.scrollWidth > innerWidth,
    };
    """
    assert tab.run(seen) == {
        "fits": True,
        "labels": ["Find in the tables below", "I have PEFT"],
        "isStatus": True,
        "scrolls": False,
    }


@pytest.mark.browser
def test_without_scripts_all_is_there_but_the_filter(built: Built, tab: Tab) -> None:
    tab.allow_scripts(are_allowed=False)
    tab.open((built.out / "index.html").as_uri())
    seen = """
    const height = document.querySelector(".row-filter").offsetHeight;
    return [height, document.querySelectorAll("tr[hidden]").length];
    """
    assert tab.run(seen) == [0, 0]
    tab.click("summary")
    assert tab.run("return document.querySelector('#bug-old-gate').offsetHeight;") > 0
