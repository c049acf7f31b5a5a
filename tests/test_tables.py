"""The pure parts as tables: what goes in and what must come out, without a build."""

from __future__ import annotations

import abc
import ast
import os
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics import versions
from sphinxext_heuristics.build.domain import is_set
from sphinxext_heuristics.build.outputs import FILENAME, OutputRecord
from sphinxext_heuristics.config import OPTIONS, Settings, assignments, problems_in, strip_namespace
from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.model import CONNECTION_TYPES, SEVERITIES, Connection, Entry, Heuristic, Note, Page
from sphinxext_heuristics.notes.inline import absolute, first_sentence, freeze, text_of, thaw
from sphinxext_heuristics.read import identity
from sphinxext_heuristics.read.heuristic import anchor_of, parse_connection
from sphinxext_heuristics.read.options import split
from sphinxext_heuristics.read.queries import split_targets
from sphinxext_heuristics.resolve.catalogue import Catalogue
from sphinxext_heuristics.resolve.objects import Match, Objects, excludes, own_names
from sphinxext_heuristics.resolve.pages import PageMatch, Pages, Place, fold, toctree_order
from sphinxext_heuristics.source import names as source_names
from sphinxext_heuristics.source.names import exported_by
from sphinxext_heuristics.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Mapping


# -- versions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "version", "expected"),
    [
        ("", "", "0.20", True),
        ("0.20", "", "0.20", True),
        ("0.20", "", "0.20.2", True),
        ("0.20.0", "", "0.20", True),
        ("0.20.2", "", "0.20.1", False),
        ("0.21", "", "0.20.9", False),
        ("v0.3", "", "0.20", True),
        # a bound is a prefix
        ("", "0.20", "0.20.2", True),
        ("", "0.20", "0.21", False),
        ("", "0.20", "0.2", True),
        ("", "0.2", "0.20", False),
        ("", "0", "0.99.1", True),
        ("", "0", "1.0", False),
        ("", "0.20.0", "0.20", True),
        ("", "0.20", "0.20.post1", True),
        # a development or release-candidate version counts as its release
        ("0.21", "", "0.21.0.dev0", True),
        ("", "0.20", "0.21.0.dev0", False),
        ("0.21", "", "0.21.0rc1", True),
        # bounds that are no plain releases are compared as they are
        ("0.21.0rc1", "", "0.21.0.dev0", True),
        ("0.21.0rc2", "", "0.21.0rc1", False),
        ("", "0.21.0rc1", "0.21.0rc1", True),
        ("", "0.21.0rc1", "0.21.0", False),
        ("1!2.0", "", "1!2.1", True),
        # what cannot be read excludes nothing
        ("0.20", "", "", True),
        ("0.20", "", "main", True),
        ("many", "few", "0.20", True),
    ],
)
def test_bounds_hold(since: str, until: str, version: str, *, expected: bool) -> None:
    assert versions.holds(since, until, version) is expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("0.20", "0.20", False),
        ("0.20.2", "0.20", False),
        ("0.21", "0.20", True),
        ("0.20", "0.20.0rc1", True),
        ("0.20.0rc1", "0.20.0rc2", False),
        ("", "0.20", False),
        ("0.20", "", False),
        ("0.20", "some", False),
    ],
)
def test_empty_ranges(since: str, until: str, *, expected: bool) -> None:
    assert versions.is_empty_range(since, until) is expected


def dist_info(site: Path, name: str, version: str, top: str = "") -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if top:
        (info / "top_level.txt").write_text(f"{top}\n")


def test_installed_version_by_package_and_by_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dist_info(tmp_path, "tabledemo", "1.2.3", top="tabledemo")
    dist_info(tmp_path, "other-name", "4.5", top="tableother")
    dist_info(tmp_path, "tablespace-one", "6.1", top="tablespace")
    dist_info(tmp_path, "tablespace-two", "6.2", top="tablespace")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert versions.installed("tabledemo") == "1.2.3"
    assert versions.installed("tabledemo.sub") == "1.2.3"
    assert versions.installed("tableother") == "4.5", "the distribution's name is another than the package's"
    assert versions.installed("tablespace.two") == "6.2"
    assert versions.installed("tablespace.three") is None, "of what several share, none speaks for all"
    assert versions.installed("tablenowhere") is None
    assert versions.installed("") is None


def test_metadata_that_is_not_there_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tablenone-1.0.dist-info").mkdir()
    dist_info(tmp_path, "my-table", "1.5", top="tabledash")
    (tmp_path / "tablefiles-2.0.dist-info").mkdir()
    (tmp_path / "tablefiles-2.0.dist-info/METADATA").write_text("Name: tablefiles\nVersion: 2.0\n")
    (tmp_path / "tablefolder").mkdir()
    for name in ("tablefile.py", "tablefolder/a.py"):
        (tmp_path / name).touch()
    (tmp_path / "tablefiles-2.0.dist-info/RECORD").write_text("tablefile.py,,\ntablefolder/a.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert versions.installed("tablenone") is versions.installed("tablegone") is None
    assert versions.installed("tabledash") == "1.5"
    assert versions.distribution("tabledash") == "my-table"
    assert versions.installed("tablefile") == versions.installed("tablefolder") == "2.0"
    assert versions.distribution("tablenone") == "tablenone"


# -- pages ----------------------------------------------------------------------------

PAGES = Pages(
    {
        "index": (("start",), ("second-step",), ("Second-Step-2",)),
        "guides/adapter-inference": (("adapter-inference",), ("part", "part-label")),
        "a/deep_dive": (("one",),),
        "b/deep-dive": (("two",),),
        "Merge": (),
        "merge": (("m",),),
        "exact_label": (("e",),),
    },
    {
        "part-label": ("guides/adapter-inference", "part-label"),
        "whole-page": ("guides/adapter-inference", "adapter-inference"),
        "exact-label": ("index", "second-step"),
        "figure": ("index", "figure-one"),
        "top": ("index", "on-top"),
        "titleless": ("Merge", "x"),
        "gone": ("not/a/page", "x"),
    },
    {"index": {"figure-one": "second-step", "on-top": "start"}, "Merge": {"x": ""}},
)


@pytest.mark.parametrize(
    ("target", "docname", "section", "link"),
    [
        ("index", "index", "", ""),
        ("/index", "index", "", ""),
        ("INDEX", "index", "", ""),
        ("guides/adapter-inference", "guides/adapter-inference", "", ""),
        ("Adapter_Inference", "guides/adapter-inference", "", ""),
        ("Guides/Adapter_Inference", "guides/adapter-inference", "", ""),
        ("adapter-inference", "guides/adapter-inference", "", ""),
        # a label: of a section, of a page's title, which is the page, of something else in a section
        ("part-label", "guides/adapter-inference", "part", "part-label"),
        ("Part_Label", "guides/adapter-inference", "part", "part-label"),
        ("whole-page", "guides/adapter-inference", "", ""),
        ("figure", "index", "second-step", "figure-one"),
        ("top", "index", "", ""),
        ("titleless", "Merge", "", ""),
        # exact before folded
        ("exact-label", "index", "second-step", "second-step"),
        ("exact_label", "exact_label", "", ""),
        ("Merge", "Merge", "", ""),
        ("merge", "merge", "", ""),
        ("a/deep_dive", "a/deep_dive", "", ""),
        # anchors, exact before folded
        ("index#second-step", "index", "second-step", "second-step"),
        ("index#Second_Step", "index", "second-step", "second-step"),
        ("index#Second-Step-2", "index", "Second-Step-2", "Second-Step-2"),
        ("index#Figure_One", "index", "second-step", "figure-one"),
        ("Adapter_Inference#PART", "guides/adapter-inference", "part", "part"),
        ("Adapter_Inference#part_label", "guides/adapter-inference", "part", "part-label"),
        ("index#start", "index", "", "start"),
        ("deep_dive#two", "b/deep-dive", "", "two"),
    ],
)
def test_page_found(target: str, docname: str, section: str, link: str) -> None:
    assert PAGES.find(target) == PageMatch(place=Place(docname=docname, anchor=section), anchor=link)


@pytest.mark.parametrize("target", ["", "nowhere", "index#nowhere", "gone", "part-label#part", "inference", "#part"])
def test_page_not_found(target: str) -> None:
    assert PAGES.find(target) == PageMatch()


@pytest.mark.parametrize(
    ("target", "docnames"), [("Deep_Dive", ["a/deep_dive", "b/deep-dive"]), ("MERGE", ["Merge", "merge"])]
)
def test_page_ambiguous(target: str, docnames: list[str]) -> None:
    assert PAGES.find(target) == PageMatch(places=tuple(Place(docname=d) for d in docnames))


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("Adapter_Inferense", "guides/adapter-inference"),
        ("guides/adapter_inferenc", "guides/adapter-inference"),
        ("exact-labe", "exact-label"),
        ("quite-another-thing", None),
    ],
)
def test_page_closest(target: str, first: str | None) -> None:
    found = PAGES.closest(target)
    assert (found[:1] or (None,))[0] == first
    assert len(found) <= 3


@pytest.mark.parametrize(("one", "two"), [("Safe_Merge", "safe-merge"), ("ÄB", "äb"), ("straße", "STRASSE")])
def test_fold(one: str, two: str) -> None:
    assert fold(one) == fold(two)


@pytest.mark.parametrize(
    ("includes", "docnames", "expected"),
    [
        ({}, ["b", "index", "a"], ["index", "a", "b"]),
        ({"index": ["b", "a"], "b": ["c"]}, ["a", "b", "c", "index", "orphan"], ["index", "b", "c", "a", "orphan"]),
        ({"index": ["a"], "a": ["index", "a"]}, ["a", "index"], ["index", "a"]),
        ({"index": ["gone", "a"]}, ["a", "index"], ["index", "gone", "a"]),
    ],
)
def test_toctree_order(includes: dict[str, list[str]], docnames: list[str], expected: list[str]) -> None:
    order = toctree_order("index", includes, docnames)
    assert sorted(order, key=order.__getitem__) == expected
    assert sorted(order.values()) == list(range(len(expected)))


# -- matching -------------------------------------------------------------------------


def entry(*names: str, lineage: tuple[str, ...] = ()) -> Entry:
    return Entry(names=names, lineage=lineage, anchor=names[0], by_hand=False)


SPELLED = {
    "pkg.config.Config": ("pkg.config.Config", "pkg.Config"),
    "pkg.Config": ("pkg.config.Config", "pkg.Config"),
    "pkg.hand.Hand": ("pkg.hand.Hand", "pkg.Hand"),
    "pkg.Hand": ("pkg.hand.Hand", "pkg.Hand"),
}

OBJECTS = Objects(
    [
        entry("pkg.Config", lineage=("pkg.config.Config",)),
        entry("pkg.Base.merge", lineage=("pkg.base.Base.merge",)),
        entry("pkg.Lora", lineage=("pkg.lora.Lora",)),
        entry("pkg.Lora.merge", lineage=("pkg.lora.Lora.merge", "pkg.between.Between.merge", "pkg.base.Base.merge")),
        entry("pkg.Poly.merge", lineage=("pkg.poly.Poly.merge",)),
        entry("pkg.LoraConfig"),
        entry("pkg.one", "pkg.two"),
        entry("hand.Model"),
        entry("hand.Model.run"),
        entry("alone"),
        entry("pkg.Hand"),
        entry("pkg.Sub.go"),
        entry("pkg.Config"),
    ],
    canonical={"hand.Model": ("hand.private.Model",), "hand.Model.run": ("hand.private.Model.run",)},
    modules=frozenset({"pkg", "pkg.lora"}),
    aliases=lambda name: SPELLED.get(name, ()),
    source_lineage=lambda name: {"pkg.Sub.go": ("pkg.sub.Sub.go", "pkg.base.Base.go")}.get(name, ()),
)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("pkg.Config", ["pkg.Config"]),
        ("pkg.config.Config", ["pkg.Config"]),
        ("Config", ["pkg.Config"]),
        ("config.Config", ["pkg.Config"]),
        ("pkg.base.Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("pkg.Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("Base.merge", ["pkg.Base.merge", "pkg.Lora.merge"]),
        ("pkg.between.Between.merge", ["pkg.Lora.merge"]),
        ("pkg.Lora.merge", ["pkg.Lora.merge"]),
        ("pkg.Poly.merge", ["pkg.Poly.merge"]),
        ("*.merge", ["pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge"]),
        ("*.Lora.merge", ["pkg.Lora.merge"]),
        ("*.pkg.one", ["pkg.one"]),
        ("two", ["pkg.two"]),
        ("alone", ["alone"]),
        ("*.alone", ["alone"]),
        ("hand.private.Model", ["hand.Model"]),
        ("hand.private.Model.run", ["hand.Model.run"]),
        ("private.Model", ["hand.Model"]),
        ("pkg.hand.Hand", ["pkg.Hand"]),
        ("pkg.base.Base.go", ["pkg.Sub.go"]),
        ("go", ["pkg.Sub.go"]),
    ],
)
def test_object_found(target: str, names: list[str]) -> None:
    match = OBJECTS.find(target)
    assert match.names == tuple(names)
    assert match.exists
    assert OBJECTS.find(target) is match, "found once"


@pytest.mark.parametrize("target", ["Lor", "onfig", "pkg.Nothing", "erge", "*.nothing", "", "*.", "base", "Base"])
def test_object_not_found(target: str) -> None:
    assert OBJECTS.find(target) == Match()
    assert not OBJECTS.find(target).exists


def test_object_ambiguous_lists_objects_not_entries() -> None:
    assert OBJECTS.find("merge") == Match(objects=("pkg.base.Base.merge", "pkg.poly.Poly.merge"))


def test_module_exists_and_shows_nothing() -> None:
    assert OBJECTS.find("pkg.lora") == Match(module="pkg.lora")
    assert OBJECTS.find("pkg.lora").exists
    assert OBJECTS.find("pkg.lora").names == ()


@pytest.mark.parametrize(
    ("name", "inherited"), [("pkg.Lora.merge", True), ("pkg.Base.merge", False), ("pkg.Sub.go", True), ("alone", False)]
)
def test_inherited_copies(name: str, *, inherited: bool) -> None:
    assert OBJECTS.is_inherited(name) is inherited


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("pkg.Lora.merg", ("pkg.Lora.merge", "pkg.Poly.merge", "pkg.Base.merge")),
        ("other.place.merge", ("pkg.Base.merge", "pkg.Lora.merge", "pkg.Poly.merge")),
        ("zzz.qqq", ()),
    ],
)
def test_object_closest(target: str, near: tuple[str, ...]) -> None:
    assert sorted(OBJECTS.closest(target)) == sorted(near)


def test_documented_names_in_order() -> None:
    assert list(OBJECTS.names)[:2] == ["pkg.Config", "pkg.Base.merge"]


@pytest.mark.parametrize(
    ("target", "excluded"),
    [
        ("pkg.Lora.merge", True),
        ("pkg.Lora", True),
        ("Lora", True),
        ("pkg.lora.Lora", True),
        ("private.Lora", True),
        ("merge", True),
        ("pkg.Lor", False),
        ("ora.merge", False),
        ("pkg.base.Base", False),
    ],
)
def test_except_is_judged_by_own_names(target: str, *, excluded: bool) -> None:
    names = own_names(
        entry("pkg.Lora.merge", lineage=("pkg.lora.Lora.merge", "pkg.base.Base.merge")),
        {"pkg.Lora.merge": ("private.Lora.merge",)},
    )
    assert excludes(target, names) is excluded


# -- what authors write ---------------------------------------------------------------


def made(type_: str, target: str, **more: Any) -> Connection:  # noqa: ANN401 - Connection's fields
    return Connection(type=type_, target=target, **more)


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("impl", "a.b", made("impl", "a.b")),
        ("impl", "~a.b", made("impl", "a.b", short=True)),
        ("impl", "~ a.b", made("impl", "a.b", short=True)),
        ("impl", "?a.b", made("impl", "a.b", planned=True)),
        ("impl", "? ~a.b", made("impl", "a.b", planned=True, short=True)),
        ("impl", "my  text <a.b>", made("impl", "a.b", text="my text")),
        ("impl", "my text<a.b>", made("impl", "a.b", text="my text")),
        ("impl", "text <?a.b>", made("impl", "a.b", text="text", planned=True)),
        ("impl", "?text <a.b>", made("impl", "a.b", text="text", planned=True)),
        ("impl", "text <~a.b>", made("impl", "a.b", text="text", short=True)),
        ("workflow", "a page", made("workflow", "a page")),
        ("impl", "a b", None),
        ("impl", "?", None),
        ("impl", "~", None),
        ("impl", "text <>", None),
        ("workflow", "text < >", None),
    ],
)
def test_connection(type_: str, text: str, expected: Connection | None) -> None:
    assert parse_connection(type_, text) == expected


@pytest.mark.parametrize(
    ("value", "parts"), [("", []), (" , ,", []), ("a, b", ["a", "b"]), ("a\n  b,\nc d", ["a", "b", "c d"])]
)
def test_split(value: str, parts: list[str]) -> None:
    assert split(value) == parts


@pytest.mark.parametrize(
    ("value", "targets"),
    [
        ("a b, ~c.d\ne", ["a", "b", "c.d", "e"]),
        ("category:Fewer bits, a", ["category:Fewer bits", "a"]),
        ("a category:Fewer bits\nb", ["a", "category:Fewer bits", "b"]),
        ("", []),
    ],
)
def test_split_targets(value: str, targets: list[str]) -> None:
    assert split_targets(value) == targets


@pytest.mark.parametrize(
    ("name", "anchor"), [("Safe_Merge", "heuristic-safe-merge"), ("A.b-C", "heuristic-a-b-c"), ("X1", "heuristic-x1")]
)
def test_anchor(name: str, anchor: str) -> None:
    assert anchor_of(name) == anchor


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (None, False),
        ("", True),
        ("true", True),
        (True, True),
        (False, False),
        ("FALSE", False),
        ("no", False),
        (0, False),
    ],
)
def test_metadata_flag(value: object, *, flag: bool) -> None:
    assert is_set(value) is flag


@pytest.mark.parametrize(
    ("name", "namespace", "stripped"),
    [
        ("acme_Merge", "acme", "Merge"),
        ("Merge", "acme", "Merge"),
        ("acme", "acme", "acme"),
        ("acmeMerge", "acme", "acmeMerge"),
        ("acme_Merge", "", "acme_Merge"),
    ],
)
def test_namespace(name: str, namespace: str, stripped: str) -> None:
    assert strip_namespace(name, namespace) == stripped


@pytest.mark.parametrize(
    ("word", "names", "expected"),
    [
        ("safe_merge", ["Safe_Merge", "Other"], ("Safe_Merge",)),
        ("x", ["Safe_Merge"], ()),
        ("same", ["SAME", "same"], ("SAME",)),
        ("abcd", ["abce", "abcf", "abcg", "abch"], ("abch", "abcg", "abcf")),
    ],
)
def test_closest(word: str, names: list[str], expected: tuple[str, ...]) -> None:
    assert closest(word, names) == expected


def test_did_you_mean() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a", "b"]) == "; did you mean 'a' or 'b'?"


# -- definitions ----------------------------------------------------------------------


def heuristic(name: str, source: str = "a.rst", line: int = 1, **more: Any) -> Heuristic:  # noqa: ANN401 - fields
    fields = {
        "title": name,
        "note": (),
        "severity": "tip",
        "categories": (),
        "connections": (),
        "excepts": (),
        "since": "",
        "until": "",
        "inject": True,
        "classes": (),
        "docname": "a",
        "anchor": anchor_of(name),
    }
    return Heuristic(name=name, source=source, line=line, **{**fields, **more})


def catalogue(pages: Mapping[str, list[Heuristic]], order: list[str]) -> Catalogue:
    return Catalogue(
        pages={docname: Page(heuristics=tuple(records)) for docname, records in pages.items()},
        order={docname: rank for rank, docname in enumerate(order)},
    )


def test_the_first_in_the_toctree_stands() -> None:
    pages = {"a": [heuristic("One", "a.rst")], "b": [heuristic("One", "b.rst", 7)], "z": [heuristic("Two", "z.rst")]}
    made_of = catalogue(pages, ["index", "b", "a"])
    assert list(made_of.docnames) == ["b", "a", "z"]
    assert made_of.heuristics["One"].source == "b.rst"
    assert [(p.source, p.message) for p in made_of.duplicates()] == [
        ("a.rst", "heuristic 'One' is defined here and in b.rst:7, which is used")
    ]


@pytest.mark.parametrize(
    ("source", "line", "note", "repeats"),
    [
        ("pkg.py:docstring of pkg.Two.merge", 3, ("n",), True),
        # autodoc names the file that it was asked for, not that of the docstring
        ("other.py:docstring of pkg.Two.merge", 3, ("n",), True),
        # sphinx-autoapi writes pages, in which the line says nothing
        ("pkg.py:docstring of pkg.Two.merge", 9, ("n",), True),
        ("pkg.py", 3, ("n",), False),
        ("pkg.py:docstring of pkg.Two.merge", 3, ("another",), False),
    ],
)
def test_a_docstring_that_inheritance_repeats(source: str, line: int, note: tuple[str], *, repeats: bool) -> None:
    first = heuristic("One", "pkg.py:docstring of pkg.Base.merge", 3, note=("n",))
    second = heuristic("One", source, line, note=note, docname="b", anchor="heuristic-one-1")
    made_of = catalogue({"a": [first, second]}, ["a"])
    assert made_of.is_repeated(second) is repeats
    assert bool(list(made_of.duplicates())) is not repeats


# -- notes ----------------------------------------------------------------------------


def relative(docname: str, other: str) -> str:
    return f"{docname}->{other}"


def test_freeze_is_plain_and_thaws_to_the_same() -> None:
    children = [
        nodes.Text("a "),
        nodes.literal("``b``", "b", classes=["code"]),
        nodes.emphasis("", "", nodes.strong("", "c")),
        nodes.math("", "x^2"),
        nodes.reference("", "web", refuri="https://example.org/"),
    ]
    frozen = freeze(children, "sub/page")
    assert isinstance(hash(frozen), int), "plain data"
    assert text_of(frozen) == "a bcx^2web"
    thawed = thaw(Note(frozen, "home"), "other", relative)
    assert [type(node) for node in thawed] == [type(node) for node in children]
    assert [node.astext() for node in thawed] == [node.astext() for node in children]
    assert thawed[1]["classes"] == ["code"]
    assert thawed[1].rawsource == "b"
    assert thawed[4]["refuri"] == "https://example.org/"


def test_freeze_drops_what_belongs_to_its_page() -> None:
    children = [
        nodes.Text("a"),
        nodes.footnote_reference("", "1", refid="f1"),
        nodes.target("", "", ids=["t"]),
        nodes.image(alt="picture", uri="x.png"),
        nodes.image(uri="x.png"),
        addnodes.download_reference("", "", nodes.literal("", "file"), reftarget="x"),
        nodes.problematic("", "kept text"),
        nodes.emphasis("", "b", ids=["i"], names=["n"], backrefs=["r"]),
    ]
    frozen = freeze(children, "page")
    assert text_of(frozen) == "apicturefilekept textb"
    assert frozen[-1] == ("emphasis", (), ("b",))


def test_reference_within_its_page_leads_home() -> None:
    frozen = freeze([nodes.reference("", "x", refid="there", internal=True)], "sub/home")
    (link,) = thaw(Note(frozen, "sub/home"), "other", relative)
    assert link["refuri"] == "other->sub/home#there"
    assert "refid" not in link


def test_cross_reference_is_made_absolute_and_of_the_new_page() -> None:
    xref = addnodes.pending_xref("", nodes.inline("", "x"), reftype="doc", reftarget="../guide", refdoc="sub/deep/home")
    (link,) = thaw(Note(freeze([xref], "sub/deep/home"), "sub/deep/home"), "other", relative)
    assert link["reftarget"] == "/sub/guide"
    assert link["refdoc"] == "other"


@pytest.mark.parametrize(
    ("target", "docname", "expected"),
    [
        ("x", "index", "/x"),
        ("x", "a/b", "/a/x"),
        ("../x", "a/b", "/x"),
        ("/x/y", "a/b", "/x/y"),
        ("../../x", "a", "/x"),
    ],
)
def test_absolute_document(target: str, docname: str, expected: str) -> None:
    assert absolute(target, docname) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("One", "One"),
        ("One.", "One."),
        ("Is it? Yes.", "Is it?"),
        ("Use it! Now.", "Use it!"),
        ("Version 0.21.2 of it. Next.", "Version 0.21.2 of it."),
        ("Use e.g. This. Next.", "Use e.g. This."),
        ("See cf. Fig. 3 there. Next.", "See cf. Fig. 3 there."),
        ("It (etc.) Goes on. Next.", "It (etc.) Goes on."),
        ("A dot. and small letters. Next.", "A dot. and small letters."),
        ('He said "no." Then. More.', 'He said "no."'),
        ("First line\nsecond. Third.", "First line\nsecond."),
        ("", ""),
    ],
)
def test_first_sentence_of_text(text: str, sentence: str) -> None:
    assert "".join(n.astext() for n in first_sentence(nodes.paragraph("", text))) == sentence


@pytest.mark.parametrize(
    ("children", "sentence"),
    [
        ([nodes.Text("Use "), nodes.literal("", "a. B"), nodes.Text(". Next.")], "Use a. B."),
        ([nodes.Text("Use it. "), nodes.literal("", "b"), nodes.Text(" is next. Last.")], "Use it."),
        # what follows at a text's end is not known
        ([nodes.Text("Use it."), nodes.literal("", "b"), nodes.Text(" is next. Last.")], "Use it.b is next."),
        ([nodes.Text("See "), nodes.footnote_reference("", "1"), nodes.Text(". Next.")], "See ."),
        ([nodes.literal("", "code. Only")], "code. Only"),
        ([nodes.reference("", "web", refuri="u", anonymous=1), nodes.Text(". N.")], "web."),
        ([nodes.reference("", "web", anonymous=1), nodes.Text(". N.")], "web."),
    ],
)
def test_first_sentence_of_markup(children: list[nodes.Node], sentence: str) -> None:
    paragraph = nodes.paragraph("", "", *children)
    before = paragraph.pformat()
    found = first_sentence(paragraph)
    assert "".join(n.astext() for n in found) == sentence
    assert paragraph.pformat() == before, "the paragraph is left as it was"
    assert all(n.parent is not paragraph for n in found)


def test_sentence_takes_no_ids_and_counts_no_anonymous_reference() -> None:
    paragraph = nodes.paragraph(
        "", "", nodes.emphasis("", "a", ids=["i"]), nodes.reference("", "web", anonymous=1), nodes.Text(".")
    )
    emphasis, reference, _dot = first_sentence(paragraph)
    assert emphasis["ids"] == []
    assert type(reference) is nodes.inline


# -- configuration --------------------------------------------------------------------


def config(**values: Any) -> Any:  # noqa: ANN401 - stands for Sphinx's
    return SimpleNamespace(**{option.name: option.default for option in OPTIONS} | values)


ALLOWED: list[tuple[str, list[Any], list[Any]]] = [
    ("heuristics_namespace", ["", "acme", "a-b_c.d"], [None, 1, b"x", ["x"], "a b", "a/b"]),
    ("heuristics_package", ["", "peft", "a.b_c", "a-b"], [None, 1, "not a package", "1x", "a..b", "a."]),
    ("heuristics_dir", [None, "heuristics", "a/b"], ["", " ", "/abs", "../up", "a/../../b", "..", 3, Path("x")]),
    ("heuristics_categories", [{}, {"A": "a"}], [None, [], ["A"], {"A": 1}, {1: "a"}, "A"]),
    ("heuristics_index_file", [None, "x.md"], ["", "/x.md", 3]),
    ("heuristics_index_title", [None, "", "T"], [3, b"T"]),
    ("heuristics_placement", ["summary", "top", "bottom"], ["", "Top", None, 3, ["top"]]),
    ("heuristics_max_shown", [0, 3, 100], [-1, True, "3", None, 3.0]),
    ("heuristics_inherited", ["show", "link", "none"], ["", None, True, False]),
    ("heuristics_exclude", [[], ("a",), ["a/*", "b"]], ["a", None, [1], {"a"}]),
    ("heuristics_reach_file", [None, "x.txt"], ["", "/x", 3]),
    ("heuristics_releases_file", [None, "x.json"], ["", "/x", 3]),
    (
        "heuristics_source_url",
        [None, "https://x/{path}", "https://x/{line:>4}/{{}}"],
        [3, ["x"], "{path.x}", "{line[0]}", "{path[x]}", "{}", "{0}", "{version:d}", "{"],
    ),
]


def test_every_option_is_in_the_table() -> None:
    assert [name for name, *_values in ALLOWED] == [option.name for option in OPTIONS]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, good, _bad in ALLOWED for value in good])
def test_allowed_value(name: str, value: object, tmp_path: Path) -> None:
    assert problems_in(config(**{name: value}), tmp_path / "conf.py") == []


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, _good, bad in ALLOWED for value in bad])
def test_bad_value_is_told_and_the_default_holds(name: str, value: object, tmp_path: Path) -> None:
    conf_py = tmp_path / "conf.py"
    conf_py.write_text(f"\n{name} = None\n")
    bad, default = config(**{name: value}), config()
    (problem,) = problems_in(bad, conf_py)
    assert problem.message.startswith(f"{name} = {value!r}: allowed is ")
    assert (problem.subtype.word, problem.source, problem.line) == ("config", str(conf_py), 2)
    assert Settings.of(bad) == Settings.of(default)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\nb: int = 2\n", {"a": 1, "b": 2, "int": None}),
        ("if True:\n    a = 1\nelse:\n    a = 2\n", {"a": 4}),
        ("a, b = 1, 2\nfor c in []: pass\n", {"a": 1, "b": 1, "c": 2}),
        ("a = (", {}),
        ("\0", {}),
    ],
)
def test_assignments(text: str, lines: dict[str, int | None], tmp_path: Path) -> None:
    conf_py = tmp_path / "conf.py"
    conf_py.write_text(text)
    assert assignments(conf_py) == {name: line for name, line in lines.items() if line}


def test_no_conf_py_has_no_assignments(tmp_path: Path) -> None:
    assert assignments(tmp_path / "nowhere.py") == {}
    (problem,) = problems_in(config(heuristics_max_shown=-1), tmp_path / "nowhere.py")
    assert problem.line == 1


# -- what stands in an output folder --------------------------------------------------


def test_record_of_what_was_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert OutputRecord(out, "html").stale({"a": "1", "b": ""}) == ["a", "b"], "without a record all may be stale"
    OutputRecord(out, "html").save({"a": "1", "b": "", "c": "3"}, ["a", "b", "c"])
    record = OutputRecord(out, "html")
    assert record.stale({"a": "1", "b": "", "c": "3"}) == []
    assert record.stale({"a": "2", "b": "", "c": "3"}) == ["a"]
    assert record.stale({"a": "", "b": "9", "c": "3", "d": "4"}) == ["a", "b", "d"]
    # A page left alone keeps what it had, one that is gone is forgotten.
    record.save({"a": "2", "b": "9"}, ["b"])
    again = OutputRecord(out, "html")
    assert again.stale({"a": "2", "b": "9"}) == ["a"]
    assert again.stale({"a": "1", "b": "9", "c": "3"}) == ["c"]


def test_record_of_each_builder(tmp_path: Path) -> None:
    OutputRecord(tmp_path, "html").save({"a": "1"}, ["a"])
    assert OutputRecord(tmp_path, "text").stale({"a": "1"}) == ["a"]
    OutputRecord(tmp_path, "text").save({"a": "2"}, ["a"])
    assert OutputRecord(tmp_path, "html").stale({"a": "1"}) == []
    assert OutputRecord(tmp_path, "text").stale({"a": "2"}) == []


def test_a_record_of_another_version_tells_nothing(tmp_path: Path) -> None:
    OutputRecord(tmp_path, "html", "1").save({"a": "1"}, ["a"])
    assert OutputRecord(tmp_path, "html", "1").stale({"a": "1"}) == []
    later = OutputRecord(tmp_path, "html", "2")
    assert later.stale({"a": "1"}) == ["a"]
    later.save({"a": "1"}, ["a"])
    assert OutputRecord(tmp_path, "html", "1").stale({"a": "1"}) == ["a"], "the earlier one is gone"


def test_record_is_away_while_pages_are_written(tmp_path: Path) -> None:
    record = OutputRecord(tmp_path, "html")
    record.forget()
    record.save({"a": "1"}, ["a"])
    OutputRecord(tmp_path, "html").forget()
    assert OutputRecord(tmp_path, "html").stale({"a": "1"}) == ["a"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"3"])
def test_record_that_is_not_ours_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILENAME).write_bytes(content)
    assert OutputRecord(tmp_path, "html").stale({"a": "1"}) == ["a"]


@pytest.mark.parametrize("content", [b'{"html": 3}', b'{"html": ["a"]}', b'{"html": {"a": 1}}'])
def test_record_of_another_form_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILENAME).write_bytes(content)
    assert OutputRecord(tmp_path, "html").stale({"a": "1"}) == ["a"]


# -- the source of a package ----------------------------------------------------------

PACKAGE = {
    "tablepkg/__init__.py": """
raise RuntimeError("imported")
from .config import Config, Config as Settings
from .tuners import *
from . import tuners
from .circle import Round
import tablepkg.config as configuration
import os.path
if True:
    from .tuners.lora import make
else:
    from .nowhere import other
try:
    from .fast import quick
except ImportError:
    from .slow import quick
finally:
    FLAG: bool = True
with open(os.devnull):
    opened = 1
for name in ():
    looped = 2
from .lazy.thing import *
from .listed import *
from .grown import *
from ... import beyond
def __getattr__(name): ...
a.b = c[0] = 3
""",
    "tablepkg/config.py": """
import abc
from typing import Generic
from elsewhere import Unknown
class Base(abc.ABC):
    limit = 3
    rank: int
    def load(self): ...
    if True:
        def chosen(self): ...
    class Inner:
        def nested(self): ...
class Config(Base, Unknown, Generic[int]):
    async def run(self): ...
class Deep(Config):
    class Inner(Config.Inner):
        pass
class Subscripted(Config[int]):
    pass
""",
    "tablepkg/tuners/__init__.py": "from .lora import Lora\n__all__ = ['Lora']\n",
    "tablepkg/tuners/lora.py": """
from ..config import Base
from ..config import Config as Parent
def make(): ...
class Left(Base):
    def load(self): ...
class Right(Base):
    def load(self): ...
    def right(self): ...
class Lora(Left, Right): ...
class Own(Lora, Parent):
    load = None
class Loop(Loop): ...
class Broken(Left, Base, Left): ...
class Ping(Pong): ...
class Pong(Ping):
    def ping(self): ...
""",
    "tablepkg/listed.py": "__all__ = ('shown',)\ndef shown(): ...\ndef kept(): ...\n",
    "tablepkg/grown.py": "__all__ = ['a']\n__all__ += ['b']\ndef bigger(): ...\n",
    "tablepkg/circle.py": "from .square import Round\n",
    "tablepkg/square.py": "from .circle import Round\n",
    "tablepkg/slow.py": "def quick(): ...\n",
    "tablepkg/broken.py": "def broken(:\n",
    "tablepkg/latin.py": "# coding: nonsense\nx = 1\n",
    "tablepkg/space/inside.py": "class Spaced: ...\n",
    "tablepkg/plain.txt": "",
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - yields
    root = tmp_path_factory.mktemp("source")
    for name, text in PACKAGE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sys.path.insert(0, str(root))
    yield Sources()
    sys.path.remove(str(root))
    assert not [name for name in sys.modules if name.startswith("tablepkg")], "nothing was imported"


@pytest.mark.parametrize(
    ("code", "exported"),
    [
        ("__all__ = ['a', 'b']", {"a", "b"}),
        ("if x:\n    __all__ = ('a',)", {"a"}),
        ("__all__ = []", set()),
        ("x = 1", None),
        ("__all__ = ['a']\n__all__ += b.__all__", None),
        ("__all__ = ['a']\n__all__.extend(b.__all__)", None),
        ("__all__ = ['a', B]", None),
        ("__all__ = ['a', *b]", None),
        ("__all__ = b.__all__", None),
        ("__all__: list[str] = ['a']", None),
        ("if x:\n    __all__ = ['a']\nelse:\n    __all__ = ['b']", None),
    ],
)
def test_what_a_star_takes_over(code: str, exported: set[str] | None) -> None:
    assert exported_by(ast.parse(code).body) == exported


@pytest.mark.parametrize(
    ("dotted", "found"),
    [
        ("tablepkg.Config", ("tablepkg.config", "Config")),
        ("tablepkg.Settings", ("tablepkg.config", "Config")),
        ("tablepkg.Settings.run", ("tablepkg.config", "Config.run")),
        ("tablepkg.config.Config", ("tablepkg.config", "Config")),
        ("tablepkg.configuration.Config", ("tablepkg.config", "Config")),
        ("tablepkg.Lora", ("tablepkg.tuners.lora", "Lora")),
        ("tablepkg.tuners.Lora.load", ("tablepkg.tuners.lora", "Lora.load")),
        ("tablepkg.make", ("tablepkg.tuners.lora", "make")),
        ("tablepkg.quick", ("tablepkg.slow", "quick")),
        ("tablepkg.FLAG", ("tablepkg", "FLAG")),
        ("tablepkg.opened", ("tablepkg", "opened")),
        ("tablepkg.looped", ("tablepkg", "looped")),
        ("tablepkg.__getattr__", ("tablepkg", "__getattr__")),
        ("tablepkg.space.inside.Spaced", ("tablepkg.space.inside", "Spaced")),
        ("tablepkg.shown", ("tablepkg.listed", "shown")),
        ("tablepkg.kept", None),
        ("tablepkg.listed.kept", ("tablepkg.listed", "kept")),
        ("tablepkg.bigger", ("tablepkg.grown", "bigger")),
        ("tablepkg.Round", None),
        ("tablepkg.nothing", None),
        ("tablepkg.config", None),
        ("tablepkg", None),
        ("tablepkg.beyond", None),
        ("tablepkg.other", None),
        ("tablepkg.broken.broken", None),
        ("tablepkg.latin.x", None),
        ("tablepkg..Config", None),
        ("", None),
        ("nowhere_at_all.Config", None),
        ("sys.path", None),
        ("tablepkg.config.Config.Inner", ("tablepkg.config", "Config.Inner")),
    ],
)
def test_defining_module(read: Sources, dotted: str, found: tuple[str, str] | None) -> None:
    assert read.canonical(dotted) == found


@pytest.mark.parametrize(
    ("dotted", "names"),
    [
        ("tablepkg.config.Config", ["tablepkg.config.Config", "tablepkg.Config", "tablepkg.Settings"]),
        ("tablepkg.Settings.run", ["tablepkg.config.Config.run", "tablepkg.Config.run", "tablepkg.Settings.run"]),
        ("tablepkg.tuners.lora.Lora", ["tablepkg.tuners.lora.Lora", "tablepkg.tuners.Lora", "tablepkg.Lora"]),
        ("tablepkg.tuners.lora.make", ["tablepkg.tuners.lora.make", "tablepkg.make"]),
        ("tablepkg.nothing", []),
    ],
)
def test_spellings(read: Sources, dotted: str, names: list[str]) -> None:
    assert list(read.aliases(dotted)) == names


BASE_LOAD, LEFT = "tablepkg.config.Base.load", "tablepkg.tuners.lora.Left.load"


@pytest.mark.parametrize(
    ("dotted", "names"),
    [
        ("tablepkg.make", ["tablepkg.tuners.lora.make"]),
        ("tablepkg.Config", ["tablepkg.config.Config"]),
        ("tablepkg.Config.run", ["tablepkg.config.Config.run"]),
        ("tablepkg.Config.load", ["tablepkg.config.Config.load", BASE_LOAD]),
        ("tablepkg.Config.limit", ["tablepkg.config.Config.limit", "tablepkg.config.Base.limit"]),
        ("tablepkg.Config.rank", ["tablepkg.config.Config.rank", "tablepkg.config.Base.rank"]),
        ("tablepkg.Config.chosen", ["tablepkg.config.Config.chosen", "tablepkg.config.Base.chosen"]),
        (
            "tablepkg.config.Subscripted.load",
            ["tablepkg.config.Subscripted.load", "tablepkg.config.Config.load", BASE_LOAD],
        ),
        # Python's order of several bases
        ("tablepkg.Lora.load", ["tablepkg.tuners.lora.Lora.load", LEFT]),
        ("tablepkg.Lora.right", ["tablepkg.tuners.lora.Lora.right", "tablepkg.tuners.lora.Right.right"]),
        ("tablepkg.tuners.lora.Own.load", ["tablepkg.tuners.lora.Own.load"]),
        ("tablepkg.tuners.lora.Own.run", ["tablepkg.tuners.lora.Own.run", "tablepkg.config.Config.run"]),
        # nested classes
        ("tablepkg.config.Deep.Inner.nested", ["tablepkg.config.Deep.Inner.nested"]),
        ("tablepkg.config.Base.Inner.nested", ["tablepkg.config.Base.Inner.nested"]),
        # what no statement defines, and classes that Python would refuse
        ("tablepkg.Config.attribute", ["tablepkg.config.Config.attribute"]),
        ("tablepkg.tuners.lora.Loop.x", ["tablepkg.tuners.lora.Loop.x"]),
        ("tablepkg.tuners.lora.Broken.load", ["tablepkg.tuners.lora.Broken.load", LEFT]),
        ("tablepkg.tuners.lora.Ping.ping", ["tablepkg.tuners.lora.Ping.ping", "tablepkg.tuners.lora.Pong.ping"]),
        ("tablepkg.nothing", []),
    ],
)
def test_names_by_identity_from_source(read: Sources, dotted: str, names: list[str]) -> None:
    assert list(read.lineage(dotted)) == names


def test_files(read: Sources) -> None:
    found = {m: read.path(m) for m in ("tablepkg", "tablepkg.config", "tablepkg.space", "sys", "tablepkg.config.x")}
    assert {m: path and path.name for m, path in found.items()} == {
        "tablepkg": "__init__.py",
        "tablepkg.config": "config.py",
        "tablepkg.space": None,
        "sys": None,
        "tablepkg.config.x": None,
    }
    assert read.path("_decimal") is None or read.path("_decimal").suffix == ".py"


def test_source_that_changes_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "tablechanging.py"
    module.write_text("class A: ...\n")
    assert Sources().canonical("tablechanging.A") == ("tablechanging", "A")
    module.write_text("class Bee: ...\n")
    os.utime(module, ns=(1, 1))
    assert Sources().canonical("tablechanging.A") is None
    assert Sources().canonical("tablechanging.Bee") == ("tablechanging", "Bee")


def test_source_that_goes_away_while_a_build_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "tablegone.py"
    module.write_text("class A: ...\n")
    read_of_one_build = Sources()
    assert read_of_one_build.path("tablegone") == module
    module.unlink()
    assert read_of_one_build.canonical("tablegone.A") is None
    assert source_names.read_names(module, 0, 0, "tablegone", is_package=False) == source_names.Names()


def test_finder_of_an_editable_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import spec_from_file_location  # noqa: PLC0415 - what such a finder uses

    module = tmp_path / "anywhere" / "tableeditable.py"
    module.parent.mkdir()
    module.write_text("class A: ...\n")

    class Finder:
        @staticmethod
        def find_spec(name: str, _path: object = None, _target: object = None) -> object:
            return spec_from_file_location(name, module) if name == "tableeditable" else None

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path, SimpleNamespace()])
    assert Sources().canonical("tableeditable.A") == ("tableeditable", "A")
    assert Sources().canonical("tableneither.A") is None


# -- objects in hand ------------------------------------------------------------------


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("living")
    exec(  # noqa: S102 - the source stands right here
        """
import functools
class Base:
    rank: int
    limit = 3
    def merge(self): ...
    @property
    def device(self):
        raise RuntimeError
    class Inner:
        def nested(self): ...
class Lora(Base):
    own: int
    def unload(self): ...
class Poly(Base):
    def merge(self): ...
class Liar:
    __module__ = "elsewhere"
class Meta(type):
    def __getattr__(cls, name):
        raise RuntimeError(name)
class Guarded(metaclass=Meta): ...
def make(): ...
alias = make
cached = functools.lru_cache(make)
partial = functools.partial(make)
constant = 3
class Slots:
    __slots__ = ("x",)
""",
        vars(module),
    )
    monkeypatch.setitem(sys.modules, "living", module)
    other = types.ModuleType("living_again")
    other.Lora, other.make, other.module = module.Lora, module.make, module
    monkeypatch.setitem(sys.modules, "living_again", other)
    return module


@pytest.mark.usefixtures("living")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("living.Base", ["living.Base"]),
        ("living_again.Lora", ["living.Lora"]),
        ("living.Base.merge", ["living.Base.merge"]),
        ("living_again.Lora.merge", ["living.Lora.merge", "living.Base.merge"]),
        ("living.Lora.limit", ["living.Lora.limit", "living.Base.limit"]),
        ("living.Lora.device", ["living.Lora.device", "living.Base.device"]),
        ("living.Poly.merge", ["living.Poly.merge"]),
        ("living.Poly.device", ["living.Poly.device", "living.Base.device"]),
        # an instance attribute, of which the source knows more
        ("living.Lora.rank", []),
        ("living.Lora.own", []),
        ("living.Lora.unknown", []),
        ("living.Base.Inner.nested", ["living.Base.Inner.nested"]),
        ("living.Lora.Inner.nested", ["living.Base.Inner.nested"]),
        ("living.make", ["living.make"]),
        ("living.alias", ["living.make"]),
        ("living_again.make", ["living.make"]),
        ("living.cached", []),
        ("living.partial", []),
        ("living.constant", []),
        ("living.Liar", []),
        ("living.Guarded", ["living.Guarded"]),
        ("living.Slots.x", ["living.Slots.x"]),
    ],
)
def test_names_by_identity(name: str, expected: list[str]) -> None:
    obj: Any = sys.modules[name.partition(".")[0]]
    for part in name.split(".")[1:]:
        obj = vars(obj).get(part, None) if isinstance(obj, types.ModuleType | type) else None
    assert list(identity.lineage(name, obj)) == expected


def test_name_without_a_module() -> None:
    assert identity.lineage("nowhere", object()) == ()
    assert identity.lineage("nowhere.at.all", print) == ("builtins.print",)


def test_mock_is_no_name() -> None:
    class Mock:
        def __getattr__(self, name: str) -> Mock:
            return self

    assert identity.lineage("nowhere.mock", Mock()) == ()


def test_files_of_bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("tablebase", "class B: ..."), ("tablesub", "from tablebase import B\nclass S(B): ...")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    import tablesub  # noqa: PLC0415 - written a moment ago

    found = identity.files_of_bases("tablesub.S", tablesub.S)
    assert [Path(path).name for path in found] == ["tablebase.py", "tablesub.py"]
    assert identity.files_of_bases("tablesub.S.merge", print) == found
    assert identity.files_of_bases("tablesub.merge", print) == []
    assert identity.files_of_bases("builtins.int", int) == []
    assert [Path(path).name for path in identity.files_of_bases("abc.ABC", abc.ABC)] == ["abc.py"]


# -- the model ------------------------------------------------------------------------


def test_words_of_the_interface() -> None:
    assert SEVERITIES == ("tip", "note", "important", "warning", "caution", "danger")
    assert CONNECTION_TYPES == {"impl": "Impl", "workflow": "Workflow", "principle": "Principle", "env": "Env"}
