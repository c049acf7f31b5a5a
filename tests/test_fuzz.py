"""Hostile and random input: nothing raised, nothing lost in silence, nothing that runs, no time out of proportion.

``fuzz.py`` says what is generated, and runs much more of it.
"""

from __future__ import annotations

import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from docutils import nodes
from fuzz import LINE, NAME, SOURCE, TEXT, WRITTEN, Site, Written, call
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sphinxext_heuristics import directives, index_file, inline, markdown, sources, versions
from sphinxext_heuristics.index import categories
from sphinxext_heuristics.matching import Objects, excludes
from sphinxext_heuristics.model import CONNECTION_TYPES, Entry, Heuristic
from sphinxext_heuristics.pages import Pages, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Project

SOME = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# -- functions that read text ---------------------------------------------------------


@SOME
@given(text=TEXT | SOURCE, other=TEXT | LINE)
def test_nothing_is_raised(tmp_path: Path, text: str, other: str) -> None:
    call(text, other, tmp_path)


@SOME
@given(type_=st.sampled_from(tuple(CONNECTION_TYPES)), text=TEXT | LINE | NAME)
def test_connection_names_a_target_and_reads_back(type_: str, text: str) -> None:
    found = directives.parse_connection(type_, text)
    if found is None:
        return
    assert found.target
    assert found.target == found.target.strip()
    marks = "?" * found.planned + "~" * found.short
    if not found.target.startswith(("?", "~")) and found.target[-1] != ">":
        written = f"{found.text} <{marks}{found.target}>" if found.text else f"{marks}{found.target}"
        again = directives.parse_connection(type_, written)
        assert again == found


@SOME
@given(value=TEXT | LINE)
def test_parts_of_a_list_are_parts_and_split_no_further(value: str) -> None:
    parts = directives.split(value)
    assert all(part == part.strip() and part and "," not in part and "\n" not in part for part in parts)
    assert directives.split(", ".join(["", *parts, ""])) == parts
    assert all(target and "," not in target for target in directives.split_targets(value.replace("~", "")))


@SOME
@given(name=NAME | LINE)
def test_anchor_of_an_anchor_is_the_same(name: str) -> None:
    once = directives.anchor_of(name)
    assert not {"_", "."} & set(once)
    assert directives.anchor_of(once.removeprefix("heuristic-")) == once


_INLINE = st.recursive(
    st.builds(nodes.Text, LINE),
    lambda inner: st.builds(
        lambda cls, children: cls("", "", *children),
        st.sampled_from((nodes.emphasis, nodes.strong, nodes.literal, nodes.inline, nodes.problematic)),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)


@SOME
@given(children=st.lists(_INLINE, max_size=5))
def test_what_is_frozen_thaws_to_the_same(children: list[nodes.Node]) -> None:
    text = "".join(node.astext() for node in children)
    frozen = inline.freeze(children, "page")
    thawed = inline.thaw(frozen, "other", lambda _docname, home: home)
    assert inline.text_of(frozen) == text == "".join(node.astext() for node in thawed)
    assert inline.freeze(thawed, "other") == frozen


@SOME
@given(children=st.lists(_INLINE, min_size=1, max_size=5))
def test_first_sentence_begins_the_paragraph_and_is_its_own_first_sentence(children: list[nodes.Node]) -> None:
    paragraph = nodes.paragraph("", "", *children)
    first = nodes.paragraph("", "", *inline.first_sentence(paragraph))
    assert paragraph.astext().startswith(first.astext())
    again = nodes.paragraph("", "", *inline.first_sentence(first))
    assert again.astext() == first.astext()


@SOME
@given(children=st.lists(_INLINE, max_size=5))
def test_markdown_of_anything_is_one_cell_with_no_html_of_the_authors(children: list[nodes.Node]) -> None:
    written = markdown.inline(inline.freeze(children, "page"))
    tokens = MarkdownIt("commonmark").enable("table").parse(f"| a | b |\n|---|---|\n| x | {written} |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4, written
    tags = [child.content for cell in cells for child in cell.children or () if child.type == "html_inline"]
    assert set(tags) <= {"<em>", "</em>", "<strong>", "</strong>", "<code>", "</code>"}, written


_PARTS = st.lists(st.sampled_from(("demo", "Model", "Other", "merge")), min_size=1, max_size=3).map(".".join)


@SOME
@given(names=st.lists(_PARTS, min_size=1, max_size=6), target=_PARTS | NAME)
def test_target_means_documented_names_that_end_like_it(names: list[str], target: str) -> None:
    entries = [Entry(names=(name,), answers=(), anchor="", by_hand=False) for name in names]
    objects = Objects(entries, canonical={}, spellings=lambda name: (name,))
    found = objects.find(target)
    assert not (found.names and found.objects)
    for name in (*found.names, *found.objects):
        assert name in names
        assert f".{name}".endswith(f".{target.removeprefix('*.')}")
    assert set(objects.closest(target)) <= set(names)
    assert objects.find(names[0]).names == (names[0],)
    assert excludes(names[0], [names[0]])


@SOME
@given(docnames=st.lists(LINE, min_size=1, max_size=5, unique=True), target=LINE | NAME)
def test_page_is_one_that_is_named_alike(docnames: list[str], target: str) -> None:
    pages = Pages(dict.fromkeys(docnames, (("start",), ("part-one",))), {})
    match = pages.find(target)
    for place in (*match.places, *([match.place] if match.place else [])):
        document = fold(target.partition("#")[0].removeprefix("/"))
        assert document in {fold(place.docname), fold(place.docname.rpartition("/")[2])}
    assert set(pages.closest(target)) <= set(docnames)


@SOME
@given(
    since=st.sampled_from(("", "0.1", "1", "1.0rc1", "v2")) | LINE,
    until=st.sampled_from(("", "0.1", "1", "1.0rc1", "v2")) | LINE,
    version=st.sampled_from(("0.1", "1.0", "1.0.dev1", "2.1+cpu", "1.0rc2")),
)
def test_no_version_lies_in_an_empty_range(since: str, until: str, version: str) -> None:
    if versions.is_empty_range(since, until) and not version.endswith(("dev1", "rc2")):
        assert not versions.holds(since, until, version)
    assert versions.holds("", "", version)


@SOME
@given(found=TEXT, wanted=TEXT)
def test_difference_is_none_for_the_same_text_alone(found: str, wanted: str) -> None:
    assert (index_file.difference(found, wanted) is None) == (found == wanted)
    assert index_file.difference(found, found) is None


# -- found so -------------------------------------------------------------------------


def test_version_of_more_digits_than_python_reads_is_no_version() -> None:
    assert versions.parse("9" * 5000) is None
    assert versions.holds("9" * 5000, "", "1.0")


def test_version_with_a_capital_v_is_a_prefix_as_one_with_a_small_one() -> None:
    assert versions.holds("", "V0.20", "0.20.2")


def test_sentence_goes_on_after_two_spaces_and_a_small_letter() -> None:
    text = "Set approx.  ten of them. More."
    assert inline.first_sentence(nodes.paragraph("", text))[0].astext() == "Set approx.  ten of them."


def test_attribute_of_any_kind_is_left_out_of_a_note() -> None:
    node = nodes.inline("", "text", data={"a": 1}, rows=[[1]])
    assert inline.text_of(inline.freeze([node], "page")) == "text"


def test_difference_to_a_line_that_says_itself_that_it_has_no_end() -> None:
    assert index_file.difference("a", "a (no line end)\n") is not None


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"class A({'a.' * 3000}b): pass\n", id="attributes"),
        pytest.param("if a: pass\n" + "elif b: pass\n" * 1200, id="elif"),
        pytest.param(f"x = {'-' * 200_000}1\n", id="signs"),
        pytest.param(f"class A({'-' * 900}1): pass\n", id="base"),
    ],
)
def test_source_nested_too_deeply_tells_nothing(tmp_path: Path, source: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert isinstance(sources.read_names(path, 0, 0, "module", is_package=False), sources.Names)


def test_source_is_read_without_a_word_about_its_escapes(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f(): return '\\d'\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = sources.read_names(path, 0, 0, "module", is_package=False)
    assert names.defined == {"f"}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("heuristics_exclude = ['[z-a]']", "heuristics_exclude"),
        ("heuristics_index_file = 'a\\0b'", "heuristics_index_file"),
        ("heuristics_dir = 'a\\0b'", "heuristics_dir"),
    ],
)
def test_value_that_nothing_can_be_done_with_is_refused(
    project: Callable[..., Project], setting: str, told: str
) -> None:
    conf = f"extensions = ['sphinxext_heuristics']\n{setting}\n"
    built = project({"conf.py": conf, "index.rst": "Start\n=====\n"}).build()
    assert built.status == 0
    [warning] = built.warnings
    assert f"conf.py:2: WARNING: {told} = " in warning


# -- whole directives -----------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@settings(SOME, max_examples=8, phases=[Phase.generate])  # it takes long to shrink a page
@given(written=st.lists(WRITTEN, min_size=15, max_size=15))
def test_definition_is_in_the_catalogue_or_told_of(site: Site, written: list[Written]) -> None:
    site.build(written)


HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "<img src=x onerror=alert(1)>",
    "</title></p></div><svg/onload=alert(1)>",
    "]]><!-- &lt;b&gt; &#60;i&#62; -->",
    "' onclick='alert(1)",
)


@pytest.mark.parametrize("builder", ["html", "json"])
def test_hostile_text_stays_text(project: Callable[..., Project], builder: str) -> None:
    api = ".. py:class:: demo.Model\n\n   A model.\n\n.. heuristics-for:: demo.Model\n\n.. heuristic-index::\n\n"
    api += ".. heuristic-index::\n   :layout: cards\n\n.. heuristic-index::\n   :missing:\n\n"
    for at, text in enumerate(HOSTILE):
        api += f".. heuristic:: H{at}\n   :title: {text}\n   :note: {text}\n   :category: {text}\n   :class: {text}\n"
        api += (
            f"   :impl: {text} <demo.Model>, {text} <?demo.Nope>\n   :env: ?{text}\n   :name: {text}\n\n   {text}\n\n"
        )
    built = project({"index.rst": f"Start\n=====\n\n{api}"}).build(builder)
    assert built.status == 0
    pages = ["index.html", "heuristic-index.html"] if builder == "html" else []
    for page in pages:
        soup = built.soup(page)
        body = soup.select_one("div.body")
        assert body is not None
        assert "<script>alert(1)</script>" in body.get_text()
        for element in soup.select("*"):
            assert not any(name.startswith("on") for name in element.attrs), element
            assert "alert(1)" not in (element.string or "") or element.name != "script", element
            assert element.name not in {"img", "svg"} or element.find_parent("div", class_="body") is None, element


def test_names_whose_anchors_would_be_one_are_told_apart_and_told_of(site: Site) -> None:
    names = ("Two_B", "Two-B", "two.b", "TWO_B")
    domain, told = site.build([Written(name=name, options=(("impl", "demo.Model"),), body="A note.") for name in names])
    anchors = [record.anchor for record in domain.pages["first"].heuristics]
    assert len(set(anchors)) == len(names)
    assert sum("has the same anchor as 'Two_B'" in line for line in told.splitlines()) == 3


def test_control_characters_do_not_reach_what_is_shown_elsewhere(site: Site) -> None:
    text = "before \N{RIGHT-TO-LEFT OVERRIDE}after\x07"
    options = (("title", text), ("note", text), ("category", text), ("impl", f"{text} <demo.Model>"))
    domain, told = site.build([Written(name="Bidi", options=options)])
    record = domain.plan.heuristics["Bidi"]
    shown = (record.title, inline.text_of(record.note), *record.categories, record.connections[0].text or "")
    assert [one.split() for one in shown] == [["before", "after"]] * 4
    assert "U+202E" in told


# -- time -----------------------------------------------------------------------------


def seconds(run: Callable[[Any], object], made: Any) -> float:  # noqa: ANN401 - whatever it takes
    """Return the median of how long five runs take this process: others may have the machine."""

    def once() -> float:
        start = time.process_time()
        run(made)
        return time.process_time() - start

    return statistics.median(once() for _run in range(5))


def records(count: int) -> list[Heuristic]:
    """Return heuristics, each with a category of its own."""
    plain = {"title": "", "note": (), "severity": "tip", "connections": (), "excepts": (), "since": "", "until": ""}
    rest = {"inject": True, "classes": (), "docname": "", "anchor": "", "source": "", "line": 1}
    return [Heuristic(name=f"H{at}", categories=(f"C{at}",), **plain, **rest) for at in range(count)]


def entries(count: int) -> Objects:
    """Return that many documented methods."""
    made = [
        Entry(names=(f"demo.C{at}.merge",), answers=(f"x.C{at}.merge",), anchor="", by_hand=False)
        for at in range(count)
    ]
    return Objects(made, canonical={}, spellings=lambda name: (name,))


def sections(count: int) -> tuple[dict[str, tuple[tuple[str, ...], ...]], dict[str, tuple[str, str]]]:
    """Return the sections of one page and a label for each."""
    ids = tuple((f"s{at}", f"label-{at}") for at in range(count))
    return {"page": ids}, {f"label-{at}": ("page", f"label-{at}") for at in range(count)}


GROWING: dict[str, tuple[int, Callable[[int], Any], Callable[[Any], object]]] = {
    "spaces in a connection": (4000, lambda n: f"a{' ' * n}b", lambda t: directives.parse_connection("env", t)),
    "angles in a connection": (20_000, lambda n: "<a" * n + ">", lambda t: directives.parse_connection("env", t)),
    "list": (20_000, lambda n: "a, \n" * n, directives.split),
    "targets": (20_000, lambda n: "category:a ,~b " * n, directives.split_targets),
    "abbreviations": (1000, lambda n: nodes.paragraph("", "e.g. X " * n), inline.first_sentence),
    "quotes after a stop": (20_000, lambda n: nodes.paragraph("", "." + "'" * n + "x"), inline.first_sentence),
    "parts of a paragraph": (
        1000,
        lambda n: nodes.paragraph(
            "", "", *(nodes.emphasis("", "e.g. X ") if at % 2 else nodes.Text("i.e. X") for at in range(n))
        ),
        inline.first_sentence,
    ),
    "angles in a cell": (20_000, lambda n: ">" + "<a" * n, markdown.text),
    "parts of a cell": (500, lambda n: ("a b",) * n, markdown.inline),
    "emphasis in a cell": (2000, lambda n: "*a_ ~b~ `c` [d](e) &amp; |" * (n // 10), markdown.text),
    "categories": (500, records, lambda made: categories(made, {})),
    "labels of a page": (1000, sections, lambda made: Pages(*made)),
    "parts of a page": (
        500,
        lambda n: (Pages(*sections(n)), n),
        lambda made: [made[0]._find(f"page#s{at}") for at in range(made[1])],  # noqa: SLF001 - find remembers
    ),
    "targets that are not there": (
        400,
        lambda n: (entries(n), n),
        lambda made: [made[0]._find(f"y.C{at}.nope") for at in range(made[1])],  # noqa: SLF001 - find remembers
    ),
}


@pytest.mark.parametrize("what", GROWING)
def test_four_times_as_much_takes_some_four_times_as_long(what: str) -> None:
    count, make, run = GROWING[what]
    for _attempt in range(3):  # a collection of garbage may fall into one of them
        short, long = seconds(run, make(count)), seconds(run, make(4 * count))
        if long < max(6.5 * short, 0.003):
            return
    pytest.fail(f"{what}: {count} in {short:.4f} s, {4 * count} in {long:.4f} s")
