"""The project's own site: real PEFT, built once as `make html` builds it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import accounts
import peft
import pytest
from chromium import Tab
from conftest import ROOT, dom_of, forget_project
from pages import PAGES, PREFIX, inheriting, object_of, option, reach
from peft.tuners.tuners_utils import BaseTuner
from seed import SEED

from sphinxext_heuristics._core.cli import parser
from sphinxext_heuristics._core.cli.project import opened, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bs4 import BeautifulSoup, Tag
    from conftest import Built

# the site of real PEFT takes minutes to build
pytestmark = [pytest.mark.peft, pytest.mark.slow]

DOCS = ROOT / "docs"

PRELUDES = ROOT / "tests/peft/preludes"

#: Tuners whose `merge_and_unload` always raises (peft 0.21.2, by running each).
NEVER_MERGE = {"PolyModel", "LilyModel", "ShadowModel"}

#: What is shown of merging, and the tuners that it is true of among those that inherit
#: `merge_and_unload` (peft 0.21.2, by running each: tests/peft/claims).
MERGING: dict[str, Callable[[str], bool]] = {
    "Partial_Merge_Drops_Adapters": lambda cls: cls not in NEVER_MERGE,
    # one exchanges modules, one changes biases only
    "Tied_Embeddings_Merge": lambda cls: (
        cls not in NEVER_MERGE | {"LNTuningModel", "BeftModel"}
    ),
    "Quantized_Merge_Rounding": {
        *("BaseTuner", "BOFTModel", "HiraModel", "LoraModel", "MissModel", "OFTModel"),
        *("PveraModel", "RoadModel", "ShiraModel", "VeraModel"),
    }.__contains__,
    # of the others on bitsandbytes, the rounding is shown, with the same advice
    "Unmergeable_Quantized_Bases": {
        *("AdaLoraModel", "C3AModel", "FourierFTModel", "GraloraModel", "IA3Model"),
        *("LoHaModel", "LoKrModel", "RandLoraModel", "UniLoraModel", "VBLoRAModel"),
        "WaveFTModel",
    }.__contains__,
    # one merges without the check
    "Safe_Merge_NaN_Check": lambda cls: cls not in NEVER_MERGE | {"LNTuningModel"},
}


def pages(site: Built, pattern: str) -> Iterator[tuple[str, BeautifulSoup]]:
    """Yield the pages of some names, each with its name."""
    for path in sorted(site.out.glob(pattern)):
        name = path.relative_to(site.out).as_posix()
        yield name, site.soup(name)


BOXES = "div.heuristic, div.heuristic-repeated"


def boxes(holder: Tag) -> list[Tag]:
    """Return what is shown in *holder* and not in its members, at parameters, too."""
    return accounts.boxes(holder, BOXES)


def titles(holder: Tag) -> list[str]:
    """Return the titles of what is shown in *holder*, in full, folded or in a line."""
    return [
        title.get_text()
        for box in boxes(holder)
        for title in box.select("span.heuristic-ref, p.admonition-title > a")
        if title.name == "a" or title.find_parent("p", "admonition-title") is None
    ]


def number(holder: Tag) -> int:
    """Return how many are shown, those that a line only counts included."""
    return len(titles(holder)) + accounts.counted(boxes(holder))


def body(site: Built, name: str) -> Tag:
    """Return the body of the API entry of *name*."""
    (uri,) = {
        items[name][0]
        for kind, items in site.inventory().items()
        if kind.startswith("py:") and name in items
    }
    document, _, anchor = uri.partition("#")
    return site.entry(document, anchor)


def entry(site: Built, name: str) -> list[str]:
    """Return the titles of the heuristics that the API entry of *name* shows."""
    return titles(body(site, name))


def test_merging_shows_where_it_is_true_and_nowhere_else(site: Built) -> None:
    """The reach file says where: below, the site is compared with it."""
    places = {
        name: object_of(name.rpartition(".")[0])
        for name in site.inventory()["py:method"]
        if name.endswith(".merge_and_unload")
    }
    for name, cls in places.items():
        if cls.merge_and_unload is peft.PeftMixedModel.merge_and_unload:
            never = {"Quantized_Merge_Rounding", "Unmergeable_Quantized_Bases"}
            expected = MERGING.keys() - never | {"Merge_Returns_New_Model"}
        else:
            assert cls.merge_and_unload is BaseTuner.merge_and_unload, (
                "another override: run it, and label it"
            )
            of_cls = cls.__name__
            expected = {it for it, is_true in MERGING.items() if is_true(of_cls)}
        assert {it for it, place in reach() if place == name} == expected
    tuners = inheriting("merge_and_unload")
    assert {it.__name__ for it in places.values()} == tuners | {
        "BaseTuner",
        "PeftMixedModel",
    }
    assert len(tuners) == 40


def test_no_page_shows_a_heuristic_of_one_object_in_full_twice(site: Built) -> None:
    """Of what `models` documents several times, each heuristic is in full once and in one line elsewhere."""
    lines = site.soup("reference/models.html").select("div.heuristic-repeated")
    assert lines
    for line in lines:
        named = {title.get_text() for title in line.select("span.heuristic-ref")}
        places = [
            link for link in line.select("a") if not link.select("span.heuristic-ref")
        ]
        there = {
            title
            for link in places
            for title in entry(site, str(link["href"]).removeprefix("#"))
        }
        if line.find_parent("li"):  # at a parameter, what is more than is shown in full
            assert not there
            continue
        assert there
        assert named <= there, line.get_text()


def test_pages_are_quiet(site: Built) -> None:
    """Each heuristic is at the very thing it is about, and in full where it must be."""
    config = body(site, "peft.LoraConfig")
    assert len(titles(config)) == number(config), "none is only counted"
    assert config.select("li > div.heuristic")
    repeated = site.soup("reference/models.html").select("div.heuristic-repeated")
    assert len({id(block.parent) for block in repeated}) == len(repeated)
    for folder in ("guides", "explanations", "environments"):
        for name, page in pages(site, f"{folder}/*.html"):
            article = page.article
            boxed = {str(box.a["href"]) for box in article.select("div.heuristic")}
            linked = {
                str(link["href"])
                for link in article.select("a[href]")
                if not link.find_parent(
                    "div", class_=["heuristic", "heuristic-repeated"]
                )
            }
            assert boxed.isdisjoint(linked), name


def test_of_a_fold_there_are_two_or_more(site: Built) -> None:
    folds = [
        fold
        for _name, page in pages(site, "**/*.html")
        for fold in page.select("details.heuristic-more")
    ]
    assert folds
    assert all(len(fold.select("div.heuristic")) > 1 for fold in folds)


def test_open_at_target_modules_is_what_most_people_need(site: Built) -> None:
    items = body(site, "peft.LoraConfig").select("dl.field-list li")
    (its,) = [it for it in items if it.get_text().startswith("target_modules")]
    shown = [
        box.select_one("p.admonition-title a").get_text()
        for box in its.select("div.heuristic")
    ]
    needed = ("Target_Module_Typos", "Default_Target_Modules")
    assert shown == [option(name, "title") for name in needed]


def test_one_signature_is_shown_where_there_are_overloads(site: Built) -> None:
    holder = body(site, "peft.get_peft_model")
    assert len(holder.find_previous_siblings("dt")) == 1
    page = holder.find_parent("article").get_text()
    assert "_LoraPeftModel" not in page
    assert "_TunerPeftModel" not in page


def test_each_page_links_what_its_code_takes_for_granted(site: Built) -> None:
    run = site.soup("run.html")
    anchors = {it["id"] for it in run.select("section[id], span[id^=run-]")}
    for name in PAGES:
        own = (PRELUDES / f"{name}.py").is_file()
        anchor = "run-" + (name.lower().replace("_", "-") if own else "common")
        page = site.soup(f"heuristics/{PREFIX}{name}.html")
        assert page.select_one(f'a[href="../run.html#{anchor}"]'), name
        assert anchor in anchors
    for path in PRELUDES.glob("*.py"):
        assert path.read_text(encoding="utf-8").strip() in run.get_text()


def test_what_concerns_who_writes_layers_shows_where_they_are_described(
    site: Built,
) -> None:
    clone = option("4bit_Defensive_Clone", "title")
    assert entry(site, "peft.tuners.tuners_utils.BaseTunerLayer") == [clone]
    guide = site.soup("guides/qlora-training.html")
    (link,) = guide.select('a[href*="_4bit_Defensive_Clone.html#"]')
    section = link.find_parent("section")
    assert section is not None
    assert section["id"] == "layers-of-your-own"


def test_front_page_shows_an_entry_as_it_is(site: Built) -> None:
    front, there = (
        site.soup("index.html"),
        site.soup("reference/models.html").find(id="peft.PeftModel.set_adapter"),
    )
    shown = front.select_one("dl.py.method")
    entry = there.find_next_sibling("dd")
    ends = [signature.get_text().strip().rstrip("¶") for signature in (shown.dt, there)]
    assert ends[0] == f"PeftModel.{ends[1]}"
    assert [box.get_text() for box in shown.select("div.heuristic")] == [
        box.get_text()
        for box in entry.find_all("div", class_="heuristic", recursive=False)
    ]
    for paragraph in shown.dd.find_all("p", recursive=False):
        said = paragraph.get_text().partition(" (")[0]
        assert any(
            said in one.get_text() for one in entry.find_all("p", recursive=False)
        ), said
    # a copy of an entry is no other place where heuristics show
    heuristic = site.soup("heuristics/huggingface_peft_Set_Adapter_Unfreezes.html")
    assert not heuristic.select('.heuristic-entries a[href^="../index.html#"]')


def test_front_page_takes_an_error_message_and_leads_to_tasks(site: Built) -> None:
    front = site.soup("index.html")
    assert front.select('.heuristic-paste a[href="messages.html"]')
    assert front.select('script[src*="heuristics-box.js"]')
    cards = front.select(".sd-card")
    assert cards
    for card in cards:
        links = [str(link["href"]).partition("#")[0] for link in card.select("a[href]")]
        assert any(link.startswith("guides/") for link in links)
        assert any(link.startswith("heuristics/") for link in links)
        assert all((site.out / link).is_file() for link in links)


def test_front_page_begins_with_the_box(site: Built) -> None:
    section = site.soup("index.html").find("h1").parent
    says, first = section.select(":scope > *")[1:3]
    assert says.name == "p"
    assert first["class"] == ["heuristic-paste", "docutils", "container"]
    symptoms = [str(link["href"]) for link in first.ul.select("a")]
    pages = {link.partition("#")[0] for link in symptoms}
    assert pages == {"guides/troubleshooting.html", "silent.html"}


def test_front_page_lists_no_pages(site: Built) -> None:
    article = site.soup("index.html").find("article")
    assert not article.select(".toctree-wrapper li")


def test_the_manual_is_a_site_of_its_own_that_the_front_page_links_to(
    site: Built,
) -> None:
    links = {str(link["href"]) for link in site.soup("index.html").select("a[href]")}
    ours = {link for link in links if link.startswith("manual/")}
    assert ours == {"manual/index.html"}


def test_messages_of_other_packages_are_listed(site: Built) -> None:
    objects = {
        name.get_text().partition(":")[0]
        for name in site.soup("messages.html").select("dd > .heuristic-meta code")
    }
    assert objects > {
        "torch.amp.grad_scaler",
        "torch.optim.optimizer",
        "transformers.modeling_layers",
    }


def connected(site: Built) -> dict[str, set[str]]:
    """Return page → the titles of the heuristics that say that they belong to it."""
    folders = {"workflow": "guides", "principle": "explanations", "env": "environments"}
    labels = site.inventory()["std:label"]
    found: dict[str, set[str]] = {}
    for name in PAGES:
        for key, folder in folders.items():
            for target in re.findall(r"(?:^|,\s)(\w+)", option(name, key)):
                label = target.lower().replace("_", "-")
                page = f"{folder}/{label}.html"
                if label in labels:  # a section of a page
                    page = labels[label][0].partition("#")[0]
                found.setdefault(page, set()).add(option(name, "title"))
    return found


def test_guides_explanations_and_environments_show_theirs_and_each_has_some(
    site: Built,
) -> None:
    expected = connected(site)
    for folder in ("guides", "explanations", "environments"):
        for name, page in pages(site, f"{folder}/*.html"):
            section = page.find("h1").parent
            shown = {*titles(section)}
            links = {
                link.get_text()
                for link in section.select('a[href*="heuristics/"]')
                if link.find_parent(class_="heuristic") is None
            }
            connected_here = expected.pop(name, set())
            assert shown <= connected_here <= shown | links, name
            assert links or name.endswith("/index.html")
    assert not expected


def test_the_reference_shows_what_the_reach_file_lists_and_nothing_else(
    site: Built,
) -> None:
    expected: dict[str, list[str]] = {}
    for name, place in reach():
        expected.setdefault(place, []).append(option(name, "title"))
    held = set()
    for place, of_one in expected.items():
        holder = body(site, place)
        found = titles(holder)
        assert len(found) == len(set(found)), place
        # the rest are only counted
        assert set(found) <= set(of_one), place
        assert number(holder) == len(of_one), place
        held |= {id(box) for box in boxes(holder)}
    everywhere = [
        box
        for _name, page in pages(site, "reference/**/*.html")
        for box in page.select(BOXES)
    ]
    assert held == {id(box) for box in everywhere}


def test_links_lead_to_the_heuristic(site: Built) -> None:
    name = "reference/tuners/vera.html"
    title = option("Safe_Merge_NaN_Check", "title")
    severity = option("Safe_Merge_NaN_Check", "severity")
    boxes = site.soup(name).find_all("div", class_=f"heuristic-{severity}")
    heads = [box.find("p", class_="admonition-title").get_text() for box in boxes]
    link = boxes[heads.index(f"{severity.capitalize()}: {title}")].a
    assert site.follow(name, link).find("h1").get_text().startswith(title)


def test_the_inventory_holds_all_by_name_and_title(site: Built) -> None:
    named = site.inventory()["heuristic:heuristic"].items()
    held = {name: title for name, (_uri, title) in named}
    assert held == {name: option(name, "title") for name in PAGES}


def test_the_index_file_has_the_five_as_they_were_and_misses_nothing() -> None:
    def rows(text: str) -> list[str]:
        return re.findall(r"^\| huggingface_peft_.*", text, re.MULTILINE)

    kept = rows((ROOT / "_HeuristicIndex.md").read_text(encoding="utf-8"))
    assert {*rows(SEED)} <= {*kept}
    assert len(kept) == len(PAGES)
    assert not any("⬜" in row for row in kept)


def test_the_index_lists_them_with_their_connections_and_counts(site: Built) -> None:
    index = site.soup("heuristics/index.html")
    table = index.find("table", class_="heuristic-index")
    rows = {row.a.get_text(): row.find_all("td") for row in table.select("tbody tr")}
    assert {
        title: cells[0].select("p")[1].get_text() for title, cells in rows.items()
    } == {
        option(name, "title"): re.sub(
            r"`([^`]*)`|\*(\w+)\*", r"\1\2", option(name, "note")
        )
        for name in PAGES
    }
    safe_merge = rows[option("Safe_Merge_NaN_Check", "title")]
    assert [line.get_text() for line in safe_merge[1].select("div.line")] == [
        "merge_and_unload",
        "Adapter inference",
        "Adapter merging",
    ]
    assert "⬜" not in table.get_text()
    counts = index.find("table", class_="heuristic-categories")
    counted = {
        row.td.get_text(strip=True): int(row.find_all("td")[1].get_text())
        for row in counts.select("tbody tr")
    }
    tags = [tag.get_text() for tag in table.select(".heuristic-category")]
    assert {name: number for name, number in counted.items() if number} == Counter(tags)


def test_what_explain_says_is_what_the_pages_show(site: Built) -> None:
    """Of each entry, page and heuristic."""
    command = ["explain", str(DOCS), "", "--silent"]
    command += ["--doctree-dir", str(site.out / ".doctrees")]
    with opened(parser().parse_args(command)) as app:
        plan = read(app)
        assert len(plan.catalogue.all_entries) > 1000
        assert not list(accounts.differences(site, plan))
    forget_project()


# -- the search -----------------------------------------------------------------------

#: What readers search for, and names → the end of their entry's full name. Where the box
#: finds what is searched for, `make asked` reports.
SEARCH = json.loads((ROOT / "tests/peft/search.json").read_text(encoding="utf-8"))

#: Added to the search page: the results of all queries, the best first, by Sphinx's own
#: script and with its index.
_ASK = """<pre id="result"></pre><script>
addEventListener("load", () => {{
  const ask = (query) =>
    Search._performSearch(...Search._parseQuery(query)).reverse().slice(0, 20)
      .map(([docname, title, , , , , kind]) => [kind, docname, title]);
  document.getElementById("result").textContent = JSON.stringify({queries}.map(ask));
}});
</script>"""


def answer_of(
    site: Built, browser: str, text: str, folder: Path, milliseconds: int = 5000
) -> Any:  # noqa: ANN401 - JSON
    """Return what the script of a page of our own, beside the site's, has reported."""
    page = site.out / "asking.html"
    page.write_text(text, encoding="utf-8")
    option = "--allow-file-access-from-files"
    answered = dom_of(browser, page, folder, option, milliseconds=milliseconds)
    page.unlink()
    result = answered.find(id="result").get_text()
    assert result, "the page has reported nothing"
    return json.loads(result)


@pytest.fixture(scope="module")
def results(
    site: Built, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[str]]]:
    """Return query → its results, each with kind, document and title."""
    queries = [*SEARCH["words"], *SEARCH["names"]]
    page = site.read("search.html") + _ASK.format(queries=json.dumps(queries))
    found = answer_of(site, browser, page, tmp_path_factory.mktemp("browser"))
    return dict(zip(queries, found, strict=True))


@pytest.mark.browser
def test_words_find_a_page_once(results: dict[str, list[list[str]]]) -> None:
    for query in SEARCH["words"]:
        found = [docname for _kind, docname, _title in results[query]]
        pages = [
            docname for docname in found if docname.startswith("heuristics/huggingface")
        ]
        assert len(pages) == len(set(pages)), query


@pytest.mark.browser
@pytest.mark.parametrize("name", SEARCH["names"])
def test_a_name_finds_its_entry_first(
    results: dict[str, list[list[str]]], name: str
) -> None:
    kind, _docname, title = results[name][0]
    assert kind == "object"
    assert title == SEARCH["names"][name] or title.endswith(f".{SEARCH['names'][name]}")


# -- tables on a phone ----------------------------------------------------------------

#: Returns of each table of a page: its kind, whether it fits its box and the window,
#: and whether the first column is in sight when it has been scrolled to its end.
_TABLES = """
const seen = [];
for (const table of document.querySelectorAll("article table:is(.table-of-words, .table-of-values)")) {
  const box = table.parentElement;
  for (let fold = box; fold; fold = fold.parentElement) fold.open = true;
  const cells = [...table.querySelectorAll("tbody td")];
  const fits =
    box.scrollWidth <= box.clientWidth &&
    cells.every((cell) => cell.getBoundingClientRect().right <= innerWidth);
  box.scrollLeft = box.scrollWidth;
  const first = cells[0].getBoundingClientRect();
  const isInSight = first.left >= 0 && first.right <= innerWidth / 2;
  seen.push({ isOfWords: table.matches(".table-of-words"), fits, isInSight });
}
return [seen, document.querySelectorAll("article table").length];
"""


@pytest.mark.browser
def test_tables_of_guides_are_read_on_a_phone(
    site: Built, browser: str, tmp_path: Path
) -> None:
    found = []
    tab = Tab(browser, tmp_path)
    try:
        tab.resize(390)
        for path in sorted(site.out.glob("guides/*.html")):
            tab.open(path.as_uri())
            seen, number = tab.run(_TABLES)
            assert len(seen) == number, path.name
            for index, table in enumerate(seen):
                place = f"table {index + 1} of {path.name}"
                assert table["fits"] or not table["isOfWords"], place
                assert table["fits"] or table["isInSight"], place
            found += seen
    finally:
        tab.close()
    assert sum(table["isOfWords"] for table in found) > len(found) / 2


# -- code on a phone ------------------------------------------------------------------

#: Looks at pages, one after the other, in a frame as wide as a phone.
_ON_A_PHONE = """<pre id="result"></pre><script>
addEventListener("load", async () => {{
  const frame = document.createElement("iframe");
  frame.width = 390;
  frame.height = 800;
  document.body.append(frame);
  const found = {{}};
  for (const page of {pages}) {{
    await new Promise((done) => {{
      frame.onload = done;
      frame.src = page;
    }});
    const codes = [...frame.contentDocument.querySelectorAll("pre")];
    await new Promise((done) => frame.contentWindow.setTimeout(done, 50));
    const wide = codes.filter((code) => code.scrollWidth > code.clientWidth);
    const reached = wide.filter((code) => code.tabIndex === 0);
    found[page] = [codes.length, wide.length, reached.length];
  }}
  document.getElementById("result").textContent = JSON.stringify(found);
}});
</script>"""


@pytest.mark.browser
def test_code_that_scrolls_on_a_phone_is_reached_by_keyboard(
    site: Built, browser: str, tmp_path: Path
) -> None:
    pages = ["guides/lora-training.html", "guides/saving-and-loading.html"]
    text = _ON_A_PHONE.format(pages=json.dumps(pages))
    found = answer_of(site, browser, text, tmp_path, milliseconds=60_000)
    assert [wide for _, wide, reached in found.values() if wide != reached] == []
    assert any(wide for _, wide, _ in found.values()), "so the test looks at nothing"
