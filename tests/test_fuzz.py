"""Hostile and random input: nothing raised, nothing lost in silence, nothing that runs, no time out of proportion.

``fuzz.py`` says what is generated, and runs much more of it.
"""

from __future__ import annotations

import ast
import gc
import itertools
import json
import sys
import time
import warnings
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from fuzz import (
    CONFIGURED,
    DIRECTIVES,
    HOSTILE,
    LINE,
    NAME,
    RICH,
    SITES,
    SOURCE,
    TEXT,
    Hostile,
    Shelf,
    Site,
    Written,
    call,
    claim_of,
    judge,
    quoted,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sphinx.testing.util import SphinxTestApp
from sphinx.util.docutils import docutils_namespace

from sphinxext_heuristics._core import diagnostics, versions
from sphinxext_heuristics._core.diagnostics import closest
from sphinxext_heuristics._core.evidence.search import nearest, parsed, verify
from sphinxext_heuristics._core.evidence.source import Source
from sphinxext_heuristics._core.files import project_file
from sphinxext_heuristics._core.model import (
    CONNECTION_TYPES,
    Entry,
    Found,
    Heuristic,
    Note,
)
from sphinxext_heuristics._core.notes import inline, markdown
from sphinxext_heuristics._core.read import heuristic as read_heuristic
from sphinxext_heuristics._core.read import options, queries
from sphinxext_heuristics._core.resolve.listing import categories
from sphinxext_heuristics._core.resolve.objects import Objects, excludes
from sphinxext_heuristics._core.resolve.pages import Pages, fold
from sphinxext_heuristics._core.source import names as source_names
from sphinxext_heuristics._core.source import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random
    from types import FrameType

    from _typeshed import TraceFunction
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
    found = read_heuristic.parse_connection(type_, text)
    if found is None:
        return
    assert found.target
    assert found.target == found.target.strip()
    marks = "?" * found.planned + "~" * found.short
    if not found.target.startswith(("?", "~")) and found.target[-1] != ">":
        written = (
            f"{found.text} <{marks}{found.target}>"
            if found.text
            else f"{marks}{found.target}"
        )
        again = read_heuristic.parse_connection(type_, written)
        assert again == found


@SOME
@given(value=TEXT | LINE)
def test_parts_of_a_list_are_parts_and_split_no_further(value: str) -> None:
    parts = options.split(value)
    assert all(
        part == part.strip() and part and "," not in part and "\n" not in part
        for part in parts
    )
    assert options.split(", ".join(["", *parts, ""])) == parts
    assert all(
        target and "," not in target
        for target in queries.split_targets(value.replace("~", ""))
    )


@SOME
@given(name=NAME | LINE)
def test_anchor_of_an_anchor_is_the_same(name: str) -> None:
    once = read_heuristic.anchor_of(name)
    assert not {"_", "."} & set(once)
    assert read_heuristic.anchor_of(once.removeprefix("heuristic-")) == once


_INLINE = st.recursive(
    st.builds(nodes.Text, LINE),
    lambda inner: st.builds(
        lambda cls, children: cls("", "", *children),
        st.sampled_from(
            (
                nodes.emphasis,
                nodes.strong,
                nodes.literal,
                nodes.inline,
                nodes.problematic,
            )
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)


@SOME
@given(children=st.lists(_INLINE, max_size=5))
def test_what_is_frozen_thaws_to_the_same(children: list[nodes.Node]) -> None:
    text = "".join(node.astext() for node in children)
    frozen = inline.freeze(children, "page")
    thawed = inline.thaw(Note(frozen, "home"), "other", lambda _docname, home: home)
    assert inline.text_of(frozen) == text == "".join(node.astext() for node in thawed)
    assert inline.freeze(thawed, "other") == frozen


@SOME
@given(children=st.lists(_INLINE, min_size=1, max_size=5))
def test_first_sentence_begins_the_paragraph_and_is_its_own_first_sentence(
    children: list[nodes.Node],
) -> None:
    paragraph = nodes.paragraph("", "", *children)
    first = nodes.paragraph("", "", *inline.first_sentence(paragraph))
    assert paragraph.astext().startswith(first.astext())
    again = nodes.paragraph("", "", *inline.first_sentence(first))
    assert again.astext() == first.astext()


@SOME
@given(children=st.lists(_INLINE, max_size=5))
def test_markdown_of_anything_is_one_cell_with_no_html_of_the_authors(
    children: list[nodes.Node],
) -> None:
    written = markdown.inline(inline.freeze(children, "page"))
    tokens = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(f"| a | b |\n|---|---|\n| x | {written} |\n")
    )
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4, written
    tags = [
        child.content
        for cell in cells
        for child in cell.children or ()
        if child.type == "html_inline"
    ]
    assert set(tags) <= {"<code>", "</code>"}, written


_PARTS = st.lists(
    st.sampled_from(("demo", "Model", "Other", "merge")), min_size=1, max_size=3
).map(".".join)


@SOME
@given(names=st.lists(_PARTS, min_size=1, max_size=6), target=_PARTS | NAME)
def test_target_means_documented_names_that_end_like_it(
    names: list[str], target: str
) -> None:
    entries = [
        Entry(names=(name,), lineage=(), anchor="", by_hand=False) for name in names
    ]
    objects = Objects(entries, canonical={}, aliases=lambda name: (name,))
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
def test_no_version_lies_in_an_empty_range(
    since: str, until: str, version: str
) -> None:
    if versions.is_empty_range(since, until) and not version.endswith(("dev1", "rc2")):
        assert not versions.holds(since, until, version)
    assert versions.holds("", "", version)


@SOME
@given(found=TEXT, wanted=TEXT)
def test_difference_is_none_for_the_same_text_alone(found: str, wanted: str) -> None:
    assert (project_file.difference(found, wanted) is None) == (found == wanted)
    assert project_file.difference(found, found) is None


# -- found so -------------------------------------------------------------------------


def test_version_of_more_digits_than_python_reads_is_no_version() -> None:
    assert versions.parse("9" * 5000) is None
    assert versions.holds("9" * 5000, "", "1.0")


def test_version_with_a_capital_v_is_a_prefix_as_one_with_a_small_one() -> None:
    assert versions.holds("", "V0.20", "0.20.2")


def test_sentence_goes_on_after_two_spaces_and_a_small_letter() -> None:
    text = "Set approx.  ten of them. More."
    assert (
        inline.first_sentence(nodes.paragraph("", text))[0].astext()
        == "Set approx.  ten of them."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Use v. 1.2 of e.g. Demo.",
        "See sec. 2.",
        "Zhang et al. (2023) say so.",
        "Ca. 5 % is lost.",
    ],
)
def test_sentence_goes_on_after_an_abbreviation(text: str) -> None:
    assert (
        inline.first_sentence(nodes.paragraph("", f"{text} More."))[0].astext() == text
    )


def test_attribute_of_any_kind_is_left_out_of_a_note() -> None:
    node = nodes.inline("", "text", data={"a": 1}, rows=[[1]])
    assert inline.text_of(inline.freeze([node], "page")) == "text"


def test_difference_to_a_line_that_says_itself_that_it_has_no_end() -> None:
    assert project_file.difference("a", "a (no line end)\n") is not None


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
    assert isinstance(
        source_names.read_names(source_names.State(path, 0, 0), "module"),
        source_names.Names,
    )


def test_source_is_read_without_a_word_about_its_escapes(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f(): return '\\d'\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = source_names.read_names(source_names.State(path, 0, 0), "module")
    assert set(names.definitions) == {"f"}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("heuristics_exclude = ['[z-a]']", "heuristics_exclude"),
        ("heuristics_index_file = 'a\\0b'", "heuristics_index_file"),
        ("heuristics_dir = 'a\\0b'", "heuristics_dir"),
        ("heuristics_reach_file = '\\ud800'", "heuristics_reach_file"),
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


def test_empty_name_of_a_quote_is_none(project: Callable[..., Project]) -> None:
    quote = ".. evidence:: textwrap:dedent\n   :name:\n\n   return text\n"
    built = project({"index.rst": f"Start\n=====\n\n{quote}"}).ok()
    assert "return text" in built.read("index.txt")


def test_link_to_nothing_in_a_note_is_told_of(project: Callable[..., Project]) -> None:
    links = ":ref:`a <>`, :doc:`b <>`, :any:`c <>` and :heuristic:`d <>`"
    rst = f"Start\n=====\n\n.. toctree::\n\n   more\n\n.. py:class:: demo.Model\n\n{Written(name='One').rst()}"
    rst += Written(
        name="Links", options=(("note", links), ("impl", "demo.Model"))
    ).rst()
    myst = Written(
        name="Empty", options=(("note", "'[](<>) and [](#)'"), ("impl", "demo.Model"))
    ).myst()
    built = project({"index.rst": rst, "more.md": f"# More\n\n{myst}"}).build("html")
    assert built.status == 0
    for name in ("undefined label: ''", "unknown document: ''", "names no heuristic"):
        assert name in built.stderr
    shown = built.entry("index.html", "demo.Model").get_text()
    assert all(f"{text}" in shown for text in ("a, b, c and d", "Empty"))


def test_template_that_takes_the_line_for_text_is_refused(
    project: Callable[..., Project],
) -> None:
    conf = "extensions = ['sphinxext_heuristics']\nheuristics_source_url = 'https://example.org/{path}#{line:s}'\n"
    quote = Written(
        directive="evidence",
        name="packaging.version:parse",
        body="return Version(version)",
    ).rst()
    built = project({"conf.py": conf, "index.rst": f"Start\n=====\n\n{quote}"}).build()
    [warning] = built.warnings
    assert "conf.py:2: WARNING: heuristics_source_url = " in warning


@pytest.mark.parametrize("option", ["heuristics_index_file", "heuristics_reach_file"])
@pytest.mark.parametrize(
    "name",
    ["x" * 5000, f"{'x/' * 3000}y", "ring", "ring/x"],
    ids=["name", "path", "ring", "in"],
)
def test_file_that_cannot_be_is_told_of(
    project: Callable[..., Project], option: str, name: str
) -> None:
    conf = f"extensions = ['sphinxext_heuristics']\n{option} = {name!r}\n"
    made = project({"conf.py": conf, "index.rst": "Start\n=====\n"})
    (made.src / "ring").symlink_to("ring")
    built = made.build()
    assert built.status == 0
    [warning] = built.warnings
    assert f"conf.py:2: WARNING: {option} '" in warning
    assert "cannot be read" in warning


# -- evidence -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("shelf"))
    with made.open():
        yield made


def test_source_to_quote_from_is_python() -> None:
    ast.parse(RICH)


@settings(SOME, max_examples=100)
@given(random=st.randoms(use_true_random=True))
def test_what_real_source_says_is_found_and_nothing_else(random: Random) -> None:
    judge(*quoted(random))


@settings(SOME, max_examples=100)
@given(hostile=HOSTILE)
def test_hostile_source_and_quotes_raise_nothing(
    shelf: Shelf, hostile: Hostile
) -> None:
    shelf.examine(hostile)


MODULES = {
    "a function and its module": (
        {"run": "def run(): pass\n"},
        "from .run import run\n",
    ),
    "a ring": ({"run": "from . import run as run\n"}, "from .run import run as run\n"),
    "itself": (
        {},
        "import pk as run\nfrom pk.run import run as more\nfrom .more import more\n",
    ),
    "stars": (
        {f"m{at}": f"from .m{at + 1} import *\n" for at in range(300)},
        "from .m0 import *\n",
    ),
    "classes": (
        {"run": "".join(f"class C{at}(C{at + 1}): pass\n" for at in range(1500))},
        "from .run import C0 as run\n",
    ),
    "imports": (
        {f"m{at}": f"from .m{at + 1} import run\n" for at in range(400)},
        "from .m0 import run\n",
    ),
}


@pytest.mark.parametrize("what", MODULES)
def test_names_that_lead_on_and_on_end_somewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    inside, own = MODULES[what]
    (tmp_path / "pk").mkdir()
    for name, text in {"__init__": own, **inside}.items():
        (tmp_path / "pk" / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    names = packages.Sources()
    for dotted in (
        "pk.run",
        "pk.run.x",
        "pk.run.run",
        "pk.run.run.x",
        f"pk{'.run' * 3000}",
        f"pk{'.x' * 3000}",
        "pk.more.x",
    ):
        assert len(names.aliases(dotted)) < 4
        names.lineage(dotted)
    assert names.path(f"pk{'.run' * 3000}") is None


def test_function_that_is_named_like_its_module_is_known_by_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk" / "__init__.py").write_text(
        "from .run import run\nfrom .Model import Model\n", encoding="utf-8"
    )
    (tmp_path / "pk" / "run.py").write_text(
        "def run(): pass\ndef other(): pass\n", encoding="utf-8"
    )
    (tmp_path / "pk" / "Model.py").write_text(
        "class Model:\n    def run(self): pass\nrun = 1\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    names = packages.Sources()
    for dotted in ("pk.run", "pk.run.run"):
        assert names.canonical(dotted) == ("pk.run", "run")
        assert set(names.aliases(dotted)) == {"pk.run", "pk.run.run"}
    assert names.canonical("pk.run.other") == ("pk.run", "other")
    assert (
        names.canonical("pk.Model.Model.run")
        == names.canonical("pk.Model.run")
        == ("pk.Model", "Model.run")
    )


def test_name_that_is_assigned_with_others_is_found_where_it_is_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assigning.py").write_text("x, y = 1, 2\n", encoding="utf-8")
    (tmp_path / "importing.py").write_text(
        "from assigning import y\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    claim = claim_of("importing", "y", "x, y = 1, 2")
    found = verify(claim, packages.Sources())
    assert isinstance(found, Found)
    assert (found.module, found.line) == ("assigning", 1)


def test_file_that_loses_a_class_meanwhile_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "losing.py"
    path.write_text(
        "class A:\n    def f(self): pass\nclass B(A): pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    names = packages.Sources()
    assert names.lineage("losing.B.f") == ("losing.B.f", "losing.A.f")
    path.write_text("class B: pass\n", encoding="utf-8")
    assert names.lineage("losing.B.g") == ("losing.B.g",)


# -- whole directives -----------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@settings(
    SOME, max_examples=12, phases=[Phase.generate]
)  # it takes long to shrink a page
@given(written=st.lists(DIRECTIVES, min_size=15, max_size=15), configured=CONFIGURED)
def test_directive_is_read_where_it_stands_or_told_of(
    site: Site, written: list[Written], configured: dict[str, object]
) -> None:
    site.build(written, configured)


@pytest.mark.parametrize(("written", "configured"), SITES)
def test_directive_that_random_ones_seldom_are(
    site: Site, written: tuple[Written, ...], configured: dict[str, object]
) -> None:
    site.build(written, configured)


ATTACKS = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "<img src=x onerror=alert(1)>",
    "</title></p></div><svg/onload=alert(1)>",
    "]]><!-- &lt;b&gt; &#60;i&#62; -->",
    "' onclick='alert(1)",
)


def attacked(syntax: str) -> dict[str, str]:
    """Return a project each of whose texts is an attack, where the syntax has no HTML of its own."""
    api = ".. py:class:: demo.Model\n\n   A model.\n\n.. heuristics-for:: demo.Model\n\n.. heuristic-graph::\n\n"
    api += "".join(
        f".. heuristic-index::\n{option}\n"
        for option in ("", "   :layout: cards\n", "   :missing:\n")
    )
    every = []
    for at, text in enumerate(ATTACKS):
        options = {
            "title": text,
            "category": text,
            "class": text,
            "name": text,
            "env": f"?{text}",
        }
        options["impl"] = f"{text} <demo.Model>, {text} <?demo.Nope>"
        options["note"] = text if syntax == "rst" else "a note"
        body = text if syntax == "rst" else "A body."
        quote = Written(directive="evidence", name=f"textwrap:{text}", body=text)
        if syntax == "md":
            options = {
                name: json.dumps(value) for name, value in options.items()
            }  # as YAML wants it
        every += [
            Written(name=f"H{at}", options=tuple(options.items()), body=body),
            quote,
        ]
    page = "".join(one.rst() if syntax == "rst" else one.myst() for one in every)
    head = "More\n====\n\n" if syntax == "rst" else "# More\n\n"
    return {
        "index.rst": f"Start\n=====\n\n.. toctree::\n\n   more\n\n{api}",
        f"more.{syntax}": head + page,
    }


@pytest.mark.parametrize("syntax", ["rst", "md"])
@pytest.mark.parametrize("builder", ["html", "json"])
def test_hostile_text_stays_text(
    project: Callable[..., Project], builder: str, syntax: str
) -> None:
    built = project(attacked(syntax)).build(builder)
    assert built.status == 0
    for page in ("index", "more", "heuristic-index"):
        if builder == "json":
            if page == "heuristic-index":
                continue  # a template of HTML makes it
            content = json.loads(built.read(f"{page}.fjson"))
            texts = [value for value in content.values() if isinstance(value, str)]
            soup = BeautifulSoup("".join(texts), "html.parser")
        else:
            soup = built.soup(f"{page}.html").select_one("div.body") or BeautifulSoup()
        assert "<script>alert(1)</script>" in soup.get_text()
        for element in soup.select("*"):
            assert not any(name.startswith("on") for name in element.attrs), element
            assert element.name not in {"script", "img"}, element
            assert element.name != "svg" or element.get("role") == "group", (
                element
            )  # the graph is one
            assert not str(element.get("href", "")).startswith("javascript:"), element


def test_names_whose_anchors_would_be_one_are_told_apart(site: Site) -> None:
    names = ("Two_B", "Two-B", "two.b", "TWO_B")
    domain, _said = site.build(
        [
            Written(name=name, options=(("impl", "demo.Model"),), body="A note.")
            for name in names
        ]
    )
    anchors = [record.anchor for record in domain.pages["first"].heuristics]
    assert len(set(anchors)) == len(names)


def test_control_characters_do_not_reach_what_is_shown_elsewhere(site: Site) -> None:
    text = "before \N{RIGHT-TO-LEFT OVERRIDE}after\x07"
    options = (
        ("title", text),
        ("note", text),
        ("category", text),
        ("impl", f"{text} <demo.Model>"),
    )
    domain, told = site.build([Written(name="Bidi", options=options)])
    record = domain.plan.heuristics["Bidi"]
    shown = (
        record.title,
        inline.text_of(record.note),
        *record.categories,
        record.connections[0].text or "",
    )
    assert [one.split() for one in shown] == [["before", "after"]] * 4
    assert "U+202E" in told


# -- time -----------------------------------------------------------------------------


def seconds(run: Callable[[Any], object], made: Any) -> float:  # noqa: ANN401 - whatever it takes
    """Return how long the shortest of four runs takes this process: others may have the machine."""

    def once() -> float:
        start = time.process_time()
        run(made)
        return time.process_time() - start

    gc.collect()
    gc.disable()  # what it does depends on what all others have left
    try:
        return min(once() for _run in range(4))
    finally:
        gc.enable()


def records(count: int) -> list[Heuristic]:
    """Return heuristics, each with a category of its own."""
    plain = {
        "title": "",
        "note": (),
        "severity": "tip",
        "connections": (),
        "excepts": (),
        "since": "",
        "until": "",
    }
    rest = {
        "inject": True,
        "classes": (),
        "docname": "",
        "anchor": "",
        "source": "",
        "line": 1,
    }
    return [
        Heuristic(name=f"H{at}", categories=(f"C{at}",), **plain, **rest)
        for at in range(count)
    ]


def entries(count: int) -> Objects:
    """Return that many documented methods."""
    made = [
        Entry(
            names=(f"demo.C{at}.merge",),
            lineage=(f"x.C{at}.merge",),
            anchor="",
            by_hand=False,
        )
        for at in range(count)
    ]
    return Objects(made, canonical={}, aliases=lambda name: (name,))


def found(quote: str) -> None:
    """Look for a quote in a module, in all ways, and for what is like it."""
    text = "".join(f"x{at} = {at}\n" for at in range(200))
    place = Source(source_names.File.of(text)).whole
    for prose in (False, True):
        with suppress(ValueError):
            parsed(claim_of("", "", quote, prose=prose)).find(place)
    nearest(quote, place)


def sections(
    count: int,
) -> tuple[dict[str, tuple[tuple[str, ...], ...]], dict[str, tuple[str, str]]]:
    """Return the sections of one page and a label for each."""
    ids = tuple((f"s{at}", f"label-{at}") for at in range(count))
    return {"page": ids}, {
        f"label-{at}": ("page", f"label-{at}") for at in range(count)
    }


GROWING: dict[str, tuple[int, Callable[[int], Any], Callable[[Any], object]]] = {
    "spaces in a connection": (
        4000,
        lambda n: f"a{' ' * n}b",
        lambda t: read_heuristic.parse_connection("env", t),
    ),
    "angles in a connection": (
        20_000,
        lambda n: "<a" * n + ">",
        lambda t: read_heuristic.parse_connection("env", t),
    ),
    "list": (20_000, lambda n: "a, \n" * n, options.split),
    "targets": (20_000, lambda n: "category:a ,~b " * n, queries.split_targets),
    "abbreviations": (
        1000,
        lambda n: nodes.paragraph("", "e.g. X " * n),
        inline.first_sentence,
    ),
    "quotes after a stop": (
        20_000,
        lambda n: nodes.paragraph("", "." + "'" * n + "x"),
        inline.first_sentence,
    ),
    "parts of a paragraph": (
        1000,
        lambda n: nodes.paragraph(
            "",
            "",
            *(
                nodes.emphasis("", "e.g. X ") if at % 2 else nodes.Text("i.e. X")
                for at in range(n)
            ),
        ),
        inline.first_sentence,
    ),
    "angles in a cell": (20_000, lambda n: ">" + "<a" * n, markdown.text),
    "parts of a cell": (500, lambda n: ("a b",) * n, markdown.inline),
    "emphasis in a cell": (
        2000,
        lambda n: "*a_ ~b~ `c` [d](e) &amp; |" * (n // 10),
        markdown.text,
    ),
    "missing targets, all alike": (
        300,
        lambda n: (entries(n), n),
        lambda made: [made[0].closest(f"x.C{at}.merg") for at in range(made[1] // 10)],
    ),
    "targets with many copies": (
        300,
        lambda n: (entries(n), n),
        lambda made: [made[0]._find(f"x.C{at}.merge") for at in range(made[1])],  # noqa: SLF001 - find remembers
    ),
    "missing pages, all alike": (
        300,
        lambda n: (Pages(*sections(n)), n),
        lambda made: [made[0].closest(f"lable-{at}") for at in range(made[1] // 10)],
    ),
    "letters of a name": (
        2000,
        lambda n: "".join(chr(0x4E00 + at % 150) for at in range(n)),
        lambda t: closest(t, [t[1:]]),
    ),
    "lines of a quote": (400, lambda n: "x = 1\n" * n, found),
    "indentation of a quote": (20_000, lambda n: f"{' ' * n}x = 1\ny", found),
    "quotes in a docstring": (
        1000,
        lambda n: "'''\n" + "```{evidence} x\n" * n + "'''",
        source_names.without_evidence,
    ),
    "parts of a module's name": (
        1000,
        lambda n: f"textwrap{'.a' * n}",
        lambda name: packages.Sources().path(name),
    ),
    "categories": (500, records, lambda made: categories(made, {})),
    "labels of a page": (1000, sections, lambda made: Pages(*made)),
    "parts of a page": (
        500,
        lambda n: (Pages(*sections(n)), n),
        lambda made: [made[0].find(f"page#s{at}") for at in range(made[1])],
    ),
    "targets that are not there": (
        400,
        lambda n: (entries(n), n),
        lambda made: [made[0]._find(f"y.C{at}.nope") for at in range(made[1])],  # noqa: SLF001 - find remembers
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", GROWING)
def test_four_times_as_much_takes_some_four_times_as_long(what: str) -> None:
    count, make, run = GROWING[what]
    for _attempt in range(3):  # others may have the machine
        short, long = seconds(run, make(count)), seconds(run, make(4 * count))
        if long < max(6.5 * short, 0.003):
            return
    pytest.fail(f"{what}: {count} in {short:.4f} s, {4 * count} in {long:.4f} s")


_HEAD = "Start\n=====\n\n"


def numbered(count: int, form: str, between: str = "") -> str:
    """Return a text so many times, each with its number."""
    return between.join(form.format(at) for at in range(count))


_CLASSES = ".. py:class:: demo.C{0}able\n\n   .. py:method:: merge()\n\n"
_LABELS = ".. _label{0}:\n\nSection {0}\n-------------\n\n"
_MODEL = ".. py:class:: demo.Model\n\n   A model.\n\n"
#: What → how many of it, and the page that holds so many.
BUILT: dict[str, tuple[int, Callable[[int], str]]] = {
    "definitions of one name": (
        80,
        lambda n: (
            _MODEL
            + numbered(n, ".. heuristic:: One\n   :impl: demo.Model\n   :note: {0}\n\n")
        ),
    ),
    "sections that show one": (
        30,
        lambda n: (
            numbered(n, _LABELS)
            + numbered(
                n, ".. heuristic:: H{0}\n   :workflow: label{0}\n   :note: x\n\n"
            )
        ),
    ),
    "entries that show one": (
        30,
        lambda n: (
            numbered(n, _CLASSES)
            + f".. heuristic:: One\n   :impl: *.merge, {numbered(n, 'demo.C{0}able', ', ')}\n"
        ),
    ),
    "targets that are not there": (
        30,
        lambda n: (
            numbered(n, _CLASSES)
            + numbered(n, _LABELS)
            + f".. heuristic:: One\n   :impl: {numbered(n, 'demo.C{0}abel', ', ')}\n"
            f"   :workflow: {numbered(n, 'lable{0}', ', ')}\n   :except: {numbered(n, 'demo.C{0}x', ', ')}\n"
        ),
    ),
    "roles that name nothing": (
        30,
        lambda n: (
            numbered(n, ".. heuristic:: One{0}\n   :impl: ?x\n   :note: x\n\n")
            + numbered(n, ":heuristic:`Own{0}` ")
        ),
    ),
    "targets asked for": (
        20,
        lambda n: (
            numbered(n, _CLASSES)
            + numbered(
                n, ".. heuristic:: One{0}\n   :impl: demo.C{0}able\n   :note: x\n\n"
            )
            + f".. heuristics-for:: {numbered(n, 'demo.C{0}able ')}\n"
        ),
    ),
    "lines of a quote": (
        150,
        lambda n: (
            f".. evidence:: textwrap:dedent\n\n{numbered(n, '   x = {0}', chr(10))}"
        ),
    ),
    "words of an argument": (
        100,
        lambda n: (
            f".. heuristic:: {'word ' * n}\n\n.. evidence:: {'a.' * n}b:c{'.d' * n}\n\n   x\n\n"
            f".. heuristic-index:: {'x ' * n}\n\n.. heuristics-for:: {'x.' * n}y {'x ' * n}\n"
        ),
    ),
}


def lines_run(root: Path, page: str) -> int:
    """Return how many lines of this extension a build of one page runs."""
    root.mkdir()
    (root / "conf.py").write_text(
        "extensions = ['sphinxext_heuristics']\n", encoding="utf-8"
    )
    (root / "index.rst").write_text(_HEAD + page, encoding="utf-8")
    package = str(Path(diagnostics.__file__).parent)
    count = itertools.count()

    def in_function(
        _frame: FrameType, event: str, _argument: object
    ) -> TraceFunction | None:
        if event == "line":
            next(count)
        return in_function

    def at_call(
        frame: FrameType, _event: str, _argument: object
    ) -> TraceFunction | None:
        return in_function if frame.f_code.co_filename.startswith(package) else None

    with docutils_namespace():
        app = SphinxTestApp("dummy", srcdir=root)
        before = sys.gettrace()
        sys.settrace(at_call)
        try:
            app.build()
        finally:
            sys.settrace(before)
            app.cleanup()
    return next(count)


@pytest.mark.slow
@pytest.mark.parametrize("what", BUILT)
def test_build_of_four_times_as_much_runs_four_times_as_many_lines(
    tmp_path: Path, what: str
) -> None:
    count, make = BUILT[what]
    lines_run(tmp_path / "first", make(1))  # reads the source that quotes are from
    lines = [
        lines_run(tmp_path / str(number), make(number))
        for number in (count, 2 * count, 4 * count)
    ]
    first, second = (
        long - short for short, long in pairwise(lines)
    )  # without what any build runs
    assert second < 2.1 * first, lines


@pytest.mark.slow
def test_ten_thousand_connections(project: Callable[..., Project]) -> None:
    targets = numbered(10_000, "?demo.X{0}", ", ")
    page = f".. heuristic:: One\n   :note: x\n   :impl: {targets}\n\n.. heuristic-index::\n"
    built = project({"index.rst": _HEAD + page}).ok("html")
    assert built.read("index.html").count("X9999<") == 2


def test_note_of_a_million_characters(project: Callable[..., Project]) -> None:
    page = f"{_MODEL}.. heuristic:: One\n   :note: {'word ' * 200_000}\n   :impl: demo.Model\n\n.. heuristic-index::\n"
    built = project({"index.rst": _HEAD + page}).ok("html")
    assert built.entry("index.html", "demo.Model").get_text().count("word") == 200_000


def test_long_names_are_told_apart(project: Callable[..., Project]) -> None:
    names = [f"{'a_very_long_name_' * 60}{last}" for last in ("One", "Two", "Six")]
    page = _MODEL + "".join(
        f".. heuristic:: {name}\n   :impl: demo.Model\n   :note: x\n\n"
        for name in names
    )
    built = project(
        {
            "index.rst": f"{_HEAD}{page}:heuristic:`{names[1]}` :heuristic:`{names[0]}x`\n"
        }
    ).build("html")
    [unknown] = built.warnings
    assert f"unknown heuristic '{names[0]}x'; did you mean '{names[0]}'" in unknown
    assert built.shown("index.html", "demo.Model") == [
        name.replace("_", " ") for name in names
    ]


@pytest.mark.parametrize("syntax", ["rst", "md"])
def test_deep_nesting(project: Callable[..., Project], syntax: str) -> None:
    depth = 50
    if syntax == "rst":
        page = _HEAD + "".join(
            f"{'   ' * at}.. heuristic:: N{at}\n{'   ' * at}   :impl: ?x\n\n{'   ' * at}   A note.\n\n"
            for at in range(depth)
        )
        page += "".join(f"{'  ' * at}* x\n\n" for at in range(depth))
        page += f"{'  ' * depth}.. heuristic:: Deep\n{'  ' * depth}   :impl: ?x\n{'  ' * depth}   :note: x\n"
    else:
        fences = [":" * (depth + 3 - at) for at in range(depth)]
        page = "# Start\n\n" + "".join(
            f"{fence}{{heuristic}} N{at}\n:impl: ?x\n\nNote.\n\n"
            for at, fence in enumerate(fences)
        )
        page += "\n".join(reversed(fences))
        page += (
            "\n\n"
            + "> " * 15
            + "```{heuristic} Deep\n"
            + "> " * 15
            + ":impl: ?x\n"
            + "> " * 15
            + ":note: x\n"
        )
    conf = "extensions = ['myst_parser', 'sphinxext_heuristics']\nmyst_enable_extensions = ['colon_fence']\n"
    built = project({"conf.py": conf, f"index.{syntax}": page}).ok("html")
    listed = [
        link.get_text()
        for link in built.soup("heuristic-index.html").select(
            "table.indextable a[href]"
        )
    ]
    assert {f"N{depth - 1}", "Deep"} <= set(listed)
