"""Hostile and random input: nothing raised, nothing lost in silence, nothing that runs, no time out of proportion.

``fuzz.py`` says what is generated.
"""

from __future__ import annotations

import json
import textwrap
import time
import timeit
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from docutils import __version_info__ as docutils_version
from docutils import nodes
from fuzz import (
    CONFIGURED,
    DIRECTIVES,
    HOSTILE,
    INLINE,
    LINE,
    LINKED,
    NAME,
    SELDOM,
    SOURCE,
    TEXT,
    Hostile,
    Shelf,
    Site,
    Written,
    call,
    claim_of,
    judge,
    objects_of,
    quoted,
)
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sphinxext_heuristics._core import versions
from sphinxext_heuristics._core.diagnostics import closest
from sphinxext_heuristics._core.evidence.nearest import code_like, prose_like
from sphinxext_heuristics._core.evidence.search import LEAST_LIKE, parsed
from sphinxext_heuristics._core.evidence.source import Source
from sphinxext_heuristics._core.files import index_file, project_file
from sphinxext_heuristics._core.model import CONNECTION_TYPES, Note, Page
from sphinxext_heuristics._core.notes import inline, markdown
from sphinxext_heuristics._core.read import options, queries
from sphinxext_heuristics._core.read.connection import parse_connection
from sphinxext_heuristics._core.read.heuristic import anchor_of
from sphinxext_heuristics._core.resolve.listing import short_name
from sphinxext_heuristics._core.resolve.pages import Pages, Place, fold
from sphinxext_heuristics._core.source import names as source_names
from sphinxext_heuristics._core.source import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

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
    found = parse_connection(type_, text)
    if found is None:
        return
    assert found.target
    assert found.target == found.target.strip()
    index_file.name_of(found, text)
    short_name(found, text)
    marks = "?" * found.planned + "~" * found.short
    if not found.target.startswith(("?", "~")) and found.target[-1] != ">":
        written = (
            f"{found.text} <{marks}{found.target}>"
            if found.text
            else f"{marks}{found.target}"
        )
        again = parse_connection(type_, written)
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
    once = anchor_of(name)
    assert not {"_", "."} & set(once)
    assert anchor_of(once.removeprefix("heuristic-")) == once


@SOME
@given(children=INLINE)
def test_what_is_frozen_thaws_to_the_same(children: list[nodes.Node]) -> None:
    text = "".join(node.astext() for node in children)
    frozen = inline.freeze(children)
    thawed = inline.thaw(Note(frozen, "home"), "other", lambda _docname, home: home)
    assert inline.text_of(frozen) == text == "".join(node.astext() for node in thawed)
    assert inline.freeze(thawed) == frozen


@SOME
@given(children=INLINE)
def test_first_sentence_begins_the_paragraph_and_is_its_own_first_sentence(
    children: list[nodes.Node],
) -> None:
    paragraph = nodes.paragraph("", "", *children)
    first = nodes.paragraph("", "", *inline.first_sentence(paragraph))
    assert paragraph.astext().startswith(first.astext())
    again = nodes.paragraph("", "", *inline.first_sentence(first))
    assert again.astext() == first.astext()


@SOME
@given(children=INLINE)
def test_markdown_of_anything_is_one_cell_with_no_html_of_the_authors(
    children: list[nodes.Node],
) -> None:
    written = markdown.inline(inline.freeze(children))
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


@SOME
@given(children=LINKED)
def test_a_note_of_any_markup_goes_from_page_to_page(
    children: list[nodes.Node],
) -> None:
    for some in (inline.first_sentence(nodes.paragraph("", "", *children)), children):
        frozen = inline.freeze(some)
        inline.thaw(Note(frozen, "home"), "page", lambda *_places: "")
        inline.text_of(frozen)
        markdown.inline(frozen)


_PARTS = st.lists(
    st.sampled_from(("demo", "Model", "Other", "merge")), min_size=1, max_size=3
).map(".".join)


@SOME
@given(names=st.lists(_PARTS, min_size=1, max_size=6), target=_PARTS | NAME | TEXT)
def test_target_means_documented_names_that_end_like_it(
    names: list[str], target: str
) -> None:
    objects_of(dict.fromkeys(names, (target,))).find(target)
    objects = objects_of(dict.fromkeys(names, ()))
    found = objects.find(target)
    assert not (found.reached and found.several)
    for name in (*found.reached, *found.several):
        assert name in names
        assert f".{name}".endswith(f".{target.removeprefix('*.')}")
    assert set(objects.closest(target)) <= set(names)
    assert [*objects.find(names[0]).reached] == [names[0]]
    assert objects.excludes(names[0], [names[0]])


@SOME
@given(
    docnames=st.lists(LINE | TEXT, min_size=1, max_size=5, unique=True),
    target=LINE | NAME | TEXT,
)
def test_page_is_one_that_is_named_alike(docnames: list[str], target: str) -> None:
    read = dict.fromkeys(docnames, Page(sections=(("start",), ("part-one",))))
    read[docnames[0]] = read[docnames[0]]._replace(anchors=((target, "x"),))
    pages = Pages(read, {"lost": ("nowhere", "x")})
    match = pages.find(target)
    named = {
        str(Place(name, anchor)): name
        for name in docnames
        for anchor in ("", "part-one")
    }
    for place in (*match.several, *([str(match.place)] if match.place else [])):
        document = fold(target.partition("#")[0].removeprefix("/"))
        docname = named[place]
        assert document in {fold(docname), fold(docname.rpartition("/")[2])}
    assert set(pages.closest(target)) <= set(named)


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
@example(found="a", wanted="a (no line end)\n")
@given(found=TEXT, wanted=TEXT)
def test_difference_is_none_for_the_same_text_alone(found: str, wanted: str) -> None:
    assert (project_file.difference(found, wanted) is None) == (found == wanted)
    assert project_file.difference(found, found) is None


# -- found so -------------------------------------------------------------------------


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


LINKS_TO_NOTHING = """
=== index.rst
Start
=====

.. toctree::

   more

.. py:class:: demo.Model

.. heuristic:: Links
   :note: :ref:`a <>`, :doc:`b <>`, :any:`c <>` and :heuristic:`d <>`
   :impl: demo.Model
=== more.md
# More

```{heuristic} Empty
:note: "[](<>) and [](#)"
:impl: demo.Model
```
"""


def test_link_to_nothing_in_a_note_is_told_of(project: Callable[..., Project]) -> None:
    built = project(LINKS_TO_NOTHING).build("html")
    assert built.status == 0
    for name in ("undefined label: ''", "unknown document: ''", "names no heuristic"):
        assert name in built.stderr
    shown = built.entry("index.html", "demo.Model").get_text()
    assert "a, b, c and d" in shown
    assert "Empty" in shown


@pytest.mark.parametrize(
    "name",
    ["x" * 5000, f"{'x/' * 3000}y", "ring", "ring/x"],
    ids=["name", "path", "ring", "in"],
)
def test_file_that_cannot_be_is_told_of(
    project: Callable[..., Project], name: str
) -> None:
    names = ("heuristics_index_file", "heuristics_reach_file")
    conf = "extensions = ['sphinxext_heuristics']\n"
    conf += "".join(f"{option} = {name!r}\n" for option in names)
    made = project({"conf.py": conf, "index.rst": "Start\n=====\n"})
    (made.src / "ring").symlink_to("ring")
    built = made.build()
    assert built.status == 0
    for line, (option, warning) in enumerate(
        zip(names, built.warnings, strict=True), 2
    ):
        assert f"conf.py:{line}: WARNING: {option} '" in warning
        assert "cannot be read" in warning


# -- evidence -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(tmp_path_factory.mktemp("shelf"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(made.root)
        yield made


@pytest.mark.slow
@settings(SOME, max_examples=100)
@given(random=st.randoms(use_true_random=True))
def test_what_real_source_says_is_found_and_nothing_else(random: Random) -> None:
    judge(*quoted(random))


@pytest.mark.slow
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
        {"run": "".join(f"class C{at}(C{at + 1}): pass\n" for at in range(1100))},
        "from .run import C0 as run\n",
    ),
    "imports": (
        {f"m{at}": f"from .m{at + 1} import run\n" for at in range(400)},
        "from .m0 import run\n",
    ),
}


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=[pytest.mark.slow] * (what == "classes"))
        for what in MODULES
    ],
)
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
    assert names.state(f"pk{'.run' * 3000}") is None


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


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    docutils_version < (0, 21),
    reason="docutils 0.20 counts control characters as ends of lines",
)
@settings(
    SOME, max_examples=12, phases=[Phase.generate]
)  # it takes long to shrink a page
@given(written=st.lists(DIRECTIVES, min_size=15, max_size=15), configured=CONFIGURED)
def test_directive_is_read_where_it_stands_or_told_of(
    site: Site, written: list[Written], configured: dict[str, object]
) -> None:
    site.build(written, configured)


def test_directive_that_random_ones_seldom_are(site: Site) -> None:
    site.build(SELDOM, {})


def test_names_whose_anchors_would_be_one_are_told_apart(site: Site) -> None:
    names = ("Two_B", "Two-B", "two.b", "TWO_B")
    domain, _told = site.build([Written(name=name, body="A.") for name in names], {})
    assert [record.name for record in domain.pages["first"].heuristics] == [*names]


ATTACKS = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "<img src=x onerror=alert(1)>",
    "</title></p></div><svg/onload=alert(1)>",
    "]]><!-- &lt;b&gt; &#60;i&#62; -->",
    "' onclick='alert(1)",
)
ATTACKED = """
.. heuristic:: H{number}
   :title: {attack}
   :category: {attack}
   :class: {attack}
   :name: {attack}
   :env: ?{attack}
   :impl: {attack} <demo.Model>, {attack} <?demo.Nope>
   :note: {attack}

   {attack}

.. evidence:: textwrap:{attack}

   {attack}
"""
#: Markdown has HTML of its own: there the note and the body are none.
ATTACKED_IN_MYST = """
```{{heuristic}} H{number}
:title: {quoted}
:category: {quoted}
:class: {quoted}
:name: {quoted}
:env: {quoted}
:impl: {quoted}
:note: a note
```

```{{evidence}} textwrap:{attack}
A body.
```
"""
AROUND = """
=== index.rst
Start
=====

.. toctree::

   more

.. py:class:: demo.Model

   A model.

.. heuristics-for:: demo.Model

.. heuristic-index::

.. heuristic-index::
   :layout: cards

.. heuristic-index::
   :missing:
=== more.SYNTAX
More
====

"""


@pytest.mark.parametrize(
    ("syntax", "form"), [("rst", ATTACKED), ("md", ATTACKED_IN_MYST)]
)
def test_hostile_text_stays_text(
    project: Callable[..., Project], syntax: str, form: str
) -> None:
    page = AROUND.replace("SYNTAX", syntax) + "".join(
        form.format(number=number, attack=attack, quoted=json.dumps(attack))
        for number, attack in enumerate(ATTACKS)
    )
    built = project(page).build("html")
    assert built.status == 0
    for name in ("index.html", "more.html", "heuristic-index.html"):
        body = built.soup(name).select_one("div.body")
        assert "<script>alert(1)</script>" in body.get_text()
        for element in body.select("*"):
            assert not any(name.startswith("on") for name in element.attrs), element
            assert element.name not in {"script", "img"}, element
            # the graph is one
            assert element.name != "svg" or element.get("role") == "group", element
            assert not str(element.get("href", "")).startswith("javascript:"), element


# -- time -----------------------------------------------------------------------------


def seconds(run: Callable[[Any], object], made: object) -> float:
    """Return how long the shortest of four runs takes this process: others may have the machine."""
    timer = timeit.Timer(lambda: run(made), timer=time.process_time)
    return min(timer.repeat(4, number=1))


def found(quote: str) -> None:
    """Look for a quote in a module, in all ways, and for what is like it."""
    text = "".join(f"x{at} = {at}\n" for at in range(200))
    place = Source(source_names.File.of(text)).whole
    for prose in (False, True):
        with suppress(ValueError):
            parsed(claim_of("", "", quote, prose=prose)).find(place)
    for like in (code_like, prose_like):
        assert all(it.likeness >= LEAST_LIKE for it in like(quote, place, LEAST_LIKE))


GROWING: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "spaces in a connection": (
        lambda n: f"a{' ' * n}b",
        lambda t: parse_connection("env", t),
    ),
    "angles in a connection": (
        lambda n: "<a" * n + ">",
        lambda t: parse_connection("env", t),
    ),
    "list": (lambda n: "a, \n" * n, options.split),
    "targets": (lambda n: "category:a ,~b " * n, queries.split_targets),
    "abbreviations": (
        lambda n: nodes.paragraph("", "e.g. X " * n),
        inline.first_sentence,
    ),
    "quotes after a stop": (
        lambda n: nodes.paragraph("", "." + "'" * n + "x"),
        inline.first_sentence,
    ),
    "parts of a paragraph": (
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
    "angles in a cell": (lambda n: ">" + "<a" * n, markdown.text),
    "parts of a cell": (lambda n: ("a b",) * n, markdown.inline),
    "emphasis in a cell": (
        lambda n: "*a_ ~b~ `c` [d](e) &amp; |" * (n // 10),
        markdown.text,
    ),
    "letters of a name": (
        lambda n: "".join(chr(0x4E00 + at % 150) for at in range(n)),
        lambda t: closest(t, [t[1:]]),
    ),
    "lines of a quote": (lambda n: "x = 1\n" * n, found),
    "indentation of a quote": (lambda n: f"{' ' * n}x = 1\ny", found),
    "quotes in a docstring": (
        lambda n: "'''\n" + "```{evidence} x\n" * n + "'''",
        source_names.without_evidence,
    ),
    "parts of a module's name": (
        lambda n: f"textwrap{'.a' * n}",
        lambda name: packages.Sources().state(name),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", GROWING)
def test_four_times_as_much_takes_some_four_times_as_long(what: str) -> None:
    make, run = GROWING[what]
    count = 500
    # long enough for a clock, unless the function looks at no more than a part
    while (short := seconds(run, make(count))) < 0.01 and count < 500_000:
        count *= 2
    longs = (seconds(run, make(4 * count)) for _attempt in range(3))
    # what grows with the square takes sixteen times as long
    assert any(long < max(9 * short, 0.01) for long in longs), f"{count}: {short} s"


LONG = """
=== index.rst
Start
=====

.. py:class:: demo.Model

   A model.

.. heuristic:: NAME_One
   :impl: demo.Model
   :note: WORDS

.. heuristic:: NAME_Two
   :impl: demo.Model
   :note: x

:heuristic:`NAME_Two` :heuristic:`NAME_Onex`
"""


def test_long_names_are_told_apart_and_a_note_of_a_million_characters_is_shown(
    project: Callable[..., Project],
) -> None:
    name = "a_very_long_name_" * 60
    page = LONG.replace("NAME", name).replace("WORDS", "word " * 200_000)
    built = project(page).build("html")
    [unknown] = built.warnings
    said = f"unknown heuristic '{name}_Onex'; did you mean '{name}_One'"
    assert said in unknown
    shown = [f"{name}_{last}".replace("_", " ") for last in ("One", "Two")]
    assert built.shown("index.html", "demo.Model") == shown
    entry = built.entry("index.html", "demo.Model")
    assert entry.get_text().count("word") == 200_000


DEEP = 50


def deep_rst() -> str:
    """Return directives in one another, and one in many lists."""
    one = "{0}.. heuristic:: {1}\n{0}   :impl: ?x\n{0}   :note: x\n\n"
    page = "Start\n=====\n\n"
    page += "".join(one.format("   " * at, f"N{at}") for at in range(DEEP))
    page += "".join(f"{'  ' * at}* x\n\n" for at in range(DEEP))
    return page + one.format("  " * DEEP, "Deep")


def deep_myst() -> str:
    """Return directives in one another, and one in many quotations."""
    fences = [":" * (DEEP + 3 - at) for at in range(DEEP)]
    page = "# Start\n\n"
    for at, fence in enumerate(fences):
        page += f"{fence}{{heuristic}} N{at}\n:impl: ?x\n\nNote.\n\n"
    page += "\n".join(reversed(fences)) + "\n\n"
    deep = "```{heuristic} Deep\n:impl: ?x\n:note: x\n"
    return page + textwrap.indent(deep, "> " * 15)


@pytest.mark.parametrize(("syntax", "page"), [("rst", deep_rst), ("md", deep_myst)])
def test_deep_nesting(
    project: Callable[..., Project], syntax: str, page: Callable[[], str]
) -> None:
    conf = "extensions = ['myst_parser', 'sphinxext_heuristics']\nmyst_enable_extensions = ['colon_fence']\n"
    built = project({"conf.py": conf, f"index.{syntax}": page()}).ok("html")
    links = built.soup("heuristic-index.html").select("table.indextable a[href]")
    assert {f"N{DEEP - 1}", "Deep"} <= {link.get_text() for link in links}
