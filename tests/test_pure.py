"""The parts that run without a build, as tables."""

from __future__ import annotations

import functools
import sys
import textwrap
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics import config, directives, identity, inline, versions
from sphinxext_heuristics.catalogue import Catalogue
from sphinxext_heuristics.diagnostics import closest, did_you_mean
from sphinxext_heuristics.index import links, short_name
from sphinxext_heuristics.matching import Objects, excludes
from sphinxext_heuristics.model import Connection, Entry, Page
from sphinxext_heuristics.pages import Pages, Place, toctree_order
from sphinxext_heuristics.plan import Resolved, Target
from sphinxext_heuristics.sources import Sources
from sphinxext_heuristics.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# -- versions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "version", "expected"),
    [
        ("", "", "1.0", True),
        ("", "", "", True),
        ("0.3", "", "", True),
        ("0.3", "", "no version", True),
        ("0.3.0", "", "0.3.0", True),
        ("0.3.0", "", "0.3", True),
        ("0.3", "", "0.2.9", False),
        ("0.3", "", "0.10", True),
        # a bound is a prefix
        ("", "0.20", "0.20", True),
        ("", "0.20", "0.20.2", True),
        ("", "0.20", "0.21", False),
        ("", "0.20.1", "0.20.2", False),
        ("", "0", "0.99", True),
        ("", "v0.20", "0.20.5", True),
        ("0.20.1", "", "0.20", False),
        # a development version counts as its release
        ("0.21", "", "0.21.0.dev0", True),
        ("0.21.0", "", "0.21.0.dev0", True),
        ("", "0.20", "0.21.0.dev0", False),
        ("0.21rc1", "", "0.21.0.dev0", True),
        # so does a pre-release of it, unless the bound names one
        ("0.21", "", "0.21rc1", True),
        ("0.21rc2", "", "0.21rc1", False),
        ("", "0.21rc1", "0.21", False),
        # local versions, as PyTorch's
        ("", "2.4", "2.4.1+cpu", True),
        # a bound that cannot be read does not exclude
        ("soon", "later", "1.0", True),
    ],
)
def test_holds(since: str, until: str, version: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert versions.holds(since, until, version) is expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("0.3", "0.2", True),
        ("0.2", "0.2", False),
        ("0.20.2", "0.20", False),
        ("0.21", "0.20", True),
        ("0.20.2", "0.20.1", True),
        ("1.0", "1.0rc1", True),
        ("1.0rc1", "1.0", False),
        ("", "0.2", False),
        ("0.2", "", False),
        ("x", "0.2", False),
    ],
)
def test_is_empty_range(since: str, until: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert versions.is_empty_range(since, until) is expected


def test_installed_by_the_distributions_name_or_the_modules() -> None:
    assert versions.installed("sphinx") == versions.installed("sphinx.ext.autodoc")
    assert versions.installed("bs4") == versions.installed("beautifulsoup4"), "a module of another name"
    assert versions.installed("not_installed_anywhere") is None
    assert versions.installed("") is None


# -- pages ----------------------------------------------------------------------------

PAGES = Pages(
    {
        "index": (("start",), ("part-one", "own-label")),
        "guides/adapter-inference": (("adapter-inference",), ("second-step",)),
        "guides/Deep_Dive": (("deep",),),
        "other/deep-dive": (("deep",),),
        "other/Exact": (),
        "exact": (),
    },
    {
        "start-label": ("index", "start"),
        "own_label": ("index", "own-label"),
        "a-figure": ("index", "figure-1"),
        "second step": ("guides/adapter-inference", "second-step"),
        "other-project": ("not/here", "x"),
        "exact": ("other/Exact", "x"),
        "bare": ("other/Exact", ""),
    },
)


@pytest.mark.parametrize(
    ("target", "docname", "anchor"),
    [
        ("index", "index", ""),
        ("/index", "index", ""),
        ("INDEX", "index", ""),
        ("guides/adapter-inference", "guides/adapter-inference", ""),
        ("Guides/Adapter_Inference", "guides/adapter-inference", ""),
        ("Adapter_Inference", "guides/adapter-inference", ""),
        ("adapter-inference", "guides/adapter-inference", ""),
        ("start-label", "index", ""),
        ("own_label", "index", "own-label"),
        ("Own-Label", "index", "own-label"),
        ("a-figure", "index", "figure-1"),
        ("bare", "other/Exact", ""),
        ("index#part-one", "index", "part-one"),
        ("index#Part_One", "index", "part-one"),
        ("index#start", "index", ""),
        ("Adapter_Inference#second_step", "guides/adapter-inference", "second-step"),
        ("guides/Deep_Dive", "guides/Deep_Dive", ""),
        ("other/deep_dive", "other/deep-dive", ""),
    ],
)
def test_page_is_found(target: str, docname: str, anchor: str) -> None:
    assert PAGES.find(target).place == Place(docname=docname, anchor=anchor)


@pytest.mark.parametrize("target", ["nowhere", "index#nowhere", "other-project", "", "#start", "start-label#x", "ind"])
def test_page_is_missing(target: str) -> None:
    found = PAGES.find(target)
    assert found.place is None
    assert not found.places


@pytest.mark.parametrize(
    ("target", "places"),
    [
        ("deep-dive", ["guides/Deep_Dive", "other/deep-dive"]),
        ("DEEP_DIVE", ["guides/Deep_Dive", "other/deep-dive"]),
        ("exact", ["exact", "other/Exact"]),
    ],
)
def test_page_is_ambiguous(target: str, places: list[str]) -> None:
    found = PAGES.find(target)
    assert found.place is None
    assert [place.docname for place in found.places] == places


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("Adapter_Inferense", ("guides/adapter-inference",)),
        ("indx", ("index",)),
        ("ownlabel", ("own_label",)),
        ("quite another thing", ()),
    ],
)
def test_closest_pages(target: str, near: tuple[str, ...]) -> None:
    assert PAGES.closest(target) == near


def test_toctree_order() -> None:
    includes = {"index": ["b", "a"], "b": ["c", "index"], "a": ["c"]}
    order = toctree_order("index", includes, ["a", "b", "c", "index", "z", "d"])
    assert sorted(order, key=order.__getitem__) == ["index", "b", "c", "a", "d", "z"]


# -- matching -------------------------------------------------------------------------


def entry(*names: str, answers: tuple[str, ...] = ()) -> Entry:
    return Entry(names=names, answers=answers, anchor="", by_hand=False)


BASE = "p.tuners.BaseTuner"
ENTRIES = [
    entry(BASE, answers=(BASE,)),
    entry(f"{BASE}.merge", answers=(f"{BASE}.merge",)),
    entry(f"{BASE}.set", answers=(f"{BASE}.set",)),
    entry("p.LoraModel", answers=("p.lora.LoraModel",)),
    entry("p.LoraModel.merge", answers=("p.lora.LoraModel.merge", "p.lora.Between.merge", f"{BASE}.merge")),
    entry("p.LoraModel.set", answers=("p.lora.LoraModel.set",)),
    entry("p.LoraConfig", answers=("p.lora.LoraConfig",)),
    entry("p.AdaLoraConfig", answers=("p.ada.AdaLoraConfig",)),
    entry("q.one", "q.two"),
    entry("q.Hand"),
    entry("q.Hand.run"),
    entry("p.LoraModel"),
]
OBJECTS = Objects(
    ENTRIES,
    canonical={"q.Hand": ("q.private.Hand",)},
    modules=frozenset({"p", "p.lora"}),
    spellings=lambda name: {
        "p.again.LoraConfig": ("p.lora.LoraConfig", "p.LoraConfig"),
        "q.inner.one": ("q.inner.one", "q.one"),
    }.get(name, ()),
)


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("p.LoraConfig", ["p.LoraConfig"]),
        ("p.lora.LoraConfig", ["p.LoraConfig"]),
        ("p.again.LoraConfig", ["p.LoraConfig"]),
        ("LoraConfig", ["p.LoraConfig"]),
        ("lora.LoraConfig", ["p.LoraConfig"]),
        ("AdaLoraConfig", ["p.AdaLoraConfig"]),
        (f"{BASE}.merge", [f"{BASE}.merge", "p.LoraModel.merge"]),
        ("p.lora.Between.merge", ["p.LoraModel.merge"]),
        ("p.LoraModel.merge", ["p.LoraModel.merge"]),
        ("merge", [f"{BASE}.merge", "p.LoraModel.merge"]),
        ("BaseTuner.merge", [f"{BASE}.merge", "p.LoraModel.merge"]),
        (f"{BASE}.set", [f"{BASE}.set"]),
        ("*.set", [f"{BASE}.set", "p.LoraModel.set"]),
        ("*.merge", [f"{BASE}.merge", "p.LoraModel.merge"]),
        ("q.one", ["q.one"]),
        ("q.two", ["q.two"]),
        ("q.inner.one", ["q.one"]),
        ("q.private.Hand", ["q.Hand"]),
        ("q.private.Hand.run", ["q.Hand.run"]),
        ("private.Hand", ["q.Hand"]),
    ],
)
def test_object_is_found(target: str, names: list[str]) -> None:
    found = OBJECTS.find(target)
    assert list(found.names) == names
    assert found.exists
    assert not found.objects


def test_object_is_ambiguous() -> None:
    found = OBJECTS.find("set")
    assert list(found.objects) == [f"{BASE}.set", "p.lora.LoraModel.set"]
    assert not found.exists


def test_module_exists_and_shows_nothing() -> None:
    found = OBJECTS.find("p.lora")
    assert (found.module, found.names, found.exists) == ("p.lora", (), True)


@pytest.mark.parametrize("target", ["Config", "p.Config", "raConfig", "*.Config", "nothing", "", ".", "*.", "merge.set"])
def test_object_is_missing(target: str) -> None:
    assert not OBJECTS.find(target).exists


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("p.LoraConfg", ("p.LoraConfig", "p.AdaLoraConfig")),
        ("p.wrong.place.merge", ("p.LoraModel.merge",)),
        ("zzz.set", ("p.tuners.BaseTuner.set", "p.LoraModel.set")),
        ("qqqqqq", ()),
    ],
)
def test_closest_objects(target: str, near: tuple[str, ...]) -> None:
    assert set(OBJECTS.closest(target)) == set(near)


@pytest.mark.parametrize(
    ("target", "name", "expected"),
    [
        ("p.Poly", "p.Poly.merge", True),
        ("p.Poly", "p.Poly", True),
        ("Poly", "p.Poly.merge", True),
        ("Poly.merge", "p.Poly.merge", True),
        ("p.Poly.merge", "p.Poly.merge", True),
        ("p.Poly.merge", "p.Poly", False),
        ("p.Poly", "p.PolySub.merge", False),
        ("oly", "p.Poly.merge", False),
        ("p.Pol", "p.Poly.merge", False),
    ],
)
def test_excludes(target: str, name: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert excludes(target, [name]) is expected


# -- what authors write ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.C", {"target": "a.b.C"}),
        ("~a.b.C.m", {"target": "a.b.C.m", "short": True}),
        ("?a.b", {"target": "a.b", "planned": True}),
        ("?~a.b", {"target": "a.b", "planned": True, "short": True}),
        ("my text <a.b>", {"target": "a.b", "text": "my text"}),
        ("my\n  text <~a.b>", {"target": "a.b", "text": "my text", "short": True}),
        ("my text <?a.b>", {"target": "a.b", "text": "my text", "planned": True}),
        ("?my text <a.b>", {"target": "a.b", "text": "my text", "planned": True}),
        ("*.merge", {"target": "*.merge"}),
        ("", None),
        ("~", None),
        ("?", None),
        ("text <>", None),
        ("text <?~>", None),
        ("two words", None),
    ],
)
def test_parse_connection_to_an_object(text: str, expected: dict[str, Any] | None) -> None:
    wanted = None if expected is None else Connection(type="impl", **expected)
    assert directives.parse_connection("impl", text) == wanted


def test_a_label_may_hold_spaces() -> None:
    assert directives.parse_connection("workflow", "two words") == Connection(type="workflow", target="two words")


@pytest.mark.parametrize(
    ("value", "parts"),
    [("", []), (" , ,, ", []), ("a", ["a"]), ("a,b", ["a", "b"]), ("a\nb, c,", ["a", "b", "c"]), (",a", ["a"])],
)
def test_split(value: str, parts: list[str]) -> None:
    assert directives.split(value) == parts


@pytest.mark.parametrize(
    ("value", "targets"),
    [
        ("a.b", ["a.b"]),
        ("~a.b c", ["a.b", "c"]),
        ("a, b c\nd", ["a", "b", "c", "d"]),
        ("category:Two words, a", ["category:Two words", "a"]),
        ("", []),
    ],
)
def test_split_targets(value: str, targets: list[str]) -> None:
    assert list(directives.split_targets(value)) == targets


@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        ("Safe_Merge_NaN_Check", "heuristic-safe-merge-nan-check"),
        ("4bit.Clone-x", "heuristic-4bit-clone-x"),
    ],
)
def test_anchor_of(name: str, anchor: str) -> None:
    assert directives.anchor_of(name) == anchor


@pytest.mark.parametrize(
    ("word", "names", "near"),
    [
        ("tipp", ["note", "tip"], ("tip",)),
        ("TIP", ["tip"], ("tip",)),
        ("zzz", ["tip"], ()),
        ("merge", ["Merge", "MERGE", "marge"], ("MERGE", "marge")),
    ],
)
def test_closest(word: str, names: list[str], near: tuple[str, ...]) -> None:
    assert closest(word, names) == near


def test_did_you_mean() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a", "b"]) == "; did you mean 'a' or 'b'?"


# -- configuration --------------------------------------------------------------------


def test_assignments_have_the_line_of_the_last_one(tmp_path: Path) -> None:
    conf = tmp_path / "conf.py"
    conf.write_text("a = 1\nif a:\n    b: int = 2\na = 3\nc, d = 1, 2\nx.y = 1\n")
    assert config.assignments(conf) == {"a": 4, "b": 3, "c": 5, "d": 5}


@pytest.mark.parametrize("text", [None, "a = (", "\0"])
def test_unreadable_conf_py_has_no_assignments(tmp_path: Path, text: str | None) -> None:
    conf = tmp_path / "conf.py"
    if text is not None:
        conf.write_text(text)
    assert config.assignments(conf) == {}


def test_every_default_is_allowed_and_explained() -> None:
    for option in config.OPTIONS:
        assert option.accepts(option.default), option.name
        assert option.meaning.endswith("."), option.name


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [("acme_Merge", "acme", "Merge"), ("Merge", "acme", "Merge"), ("acme_Merge", "", "acme_Merge"), ("acme", "acme", "acme")],
)
def test_strip_namespace(name: str, namespace: str, expected: str) -> None:
    assert config.strip_namespace(name, namespace) == expected


# -- index ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (Connection(type="impl", target="peft.a.B"), "a.B"),
        (Connection(type="impl", target="peftish.B"), "peftish.B"),
        (Connection(type="impl", target="peft.a.B", short=True), "B"),
        (Connection(type="impl", target="peft.a.B", text="mine", short=True), "mine"),
    ],
)
def test_short_name(connection: Connection, expected: str) -> None:
    assert short_name(connection, "peft") == expected


def test_connections_of_one_text_are_one_and_exist_if_all_do() -> None:
    there, missing = Target(docname="a"), None
    resolved = [
        Resolved(connection=Connection(type="impl", target="a", text="x"), target=there),
        Resolved(connection=Connection(type="impl", target="b", text="x"), target=missing),
        Resolved(connection=Connection(type="env", target="c", text="x"), target=there),
        Resolved(connection=Connection(type="env", target="d", text="x"), target=Target(docname="d")),
    ]
    assert [(one.type, one.text, one.mark) for one in links(resolved, "")] == [("impl", "x", "⬜"), ("env", "x", "✅")]


# -- catalogue ------------------------------------------------------------------------


def test_documents_outside_the_order_come_last_by_name() -> None:
    catalogue = Catalogue(pages={"z": Page(), "b": Page(), "a": Page()}, order={"z": 0})
    assert catalogue.docnames == ("z", "a", "b")


# -- the record in the output ---------------------------------------------------------


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"html": {}}'])
def test_record_that_is_not_there_or_not_ours_tells_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / ".heuristics.json").write_text(text)
    assert Written(tmp_path, "html").stale({"a": "1"}) == ["a"]


def test_record_is_kept_for_each_builder(tmp_path: Path) -> None:
    Written(tmp_path, "html").save({"a": "1", "b": ""}, ["a", "b"])
    Written(tmp_path, "dirhtml").save({"a": "2"}, ["a"])
    html = Written(tmp_path, "html")
    assert html.stale({"a": "1", "b": ""}) == []
    assert html.stale({"a": "2", "b": "3"}) == ["a", "b"]
    html.forget()
    assert Written(tmp_path, "html").stale({"a": "1"}) == ["a"]


# -- inline ---------------------------------------------------------------------------


def thawed(*children: nodes.Node, docname: str = "a/b", at: str = "c/d") -> str:
    frozen = inline.freeze(children, docname)
    hash(frozen)  # plain data
    again = inline.thaw(frozen, at, lambda here, there: f"[{here}>{there}]")
    return "".join(node.pformat() if isinstance(node, nodes.Element) else node.astext() for node in again)


def test_text_and_markup_come_back() -> None:
    text = nodes.Text("a b ")
    literal = nodes.literal("", "x  y", classes=["py"], ids=["once"])
    assert thawed(text, literal) == 'a b <literal classes="py">\n    x  y\n'


def test_null_characters_of_escapes_are_gone() -> None:
    assert inline.freeze([nodes.Text("a\x00*b")], "a") in [("a*b",), ("a\x00*b",)]


def test_what_belongs_to_the_page_is_left_out() -> None:
    left_out = [
        nodes.footnote_reference("", "1"),
        nodes.citation_reference("", "1"),
        nodes.system_message("", nodes.paragraph("", "x")),
        nodes.target(ids=["x"]),
        addnodes.index(entries=[]),
        nodes.comment("", "not seen"),
    ]
    assert thawed(nodes.Text("a"), *left_out[:5]) == "a"


def test_unknown_node_gives_its_content_and_an_image_its_words() -> None:
    unknown = nodes.generated("", "", nodes.emphasis("", "x"))
    assert thawed(unknown, nodes.image(alt="words"), nodes.image(uri="x.png")) == "<emphasis>\n    x\nwords"


def test_reference_within_the_page_becomes_one_to_the_page() -> None:
    reference = nodes.reference("", "x", refid="there", internal=True)
    (again,) = inline.thaw(inline.freeze([reference], "a/b"), "c/d", lambda here, there: f"[{here}>{there}]")
    assert isinstance(again, nodes.reference)
    assert (again["refuri"], again["internal"], again.get("refid")) == ("[c/d>a/b]#there", True, None)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("guide", "/a/guide"), ("../guide", "/guide"), ("/guide", "/guide"), ("./x/../guide", "/a/guide")],
)
def test_document_in_a_reference_is_made_absolute(target: str, expected: str) -> None:
    xref = addnodes.pending_xref("", nodes.inline("", "x"), reftype="doc", refdomain="std", reftarget=target, refdoc="a/b")
    (_name, attributes, _children), = inline.freeze([xref], "a/b")
    assert dict(attributes)["reftarget"] == expected
    again = inline.thaw(inline.freeze([xref], "a/b"), "c/d", lambda _here, there: there)
    assert again[0]["refdoc"] == "c/d"


def test_text_of() -> None:
    frozen = inline.freeze([nodes.Text("a "), nodes.strong("", "", nodes.emphasis("", "b"), nodes.Text("c"))], "a")
    assert inline.text_of(frozen) == "a bc"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("One", "One"),
        ("One? Two.", "One?"),
        ("One! Two.", "One!"),
        ('He said "one." Two.', 'He said "one."'),
        ("(One.) Two.", "(One.)"),
        ("Use e.g. this. Two.", "Use e.g. this."),
        ("Use i.e. That one. Two.", "Use i.e. That one."),
        ("See Fig. 3. Two.", "See Fig. 3."),
        ("Version 0.21.2 is new. Two.", "Version 0.21.2 is new."),
        ("Call a.b.c. Two.", "Call a.b.c."),
        ("one. two goes on. Three.", "one. two goes on."),
        ("One...\nTwo.", "One..."),
        ("One.\nTwo.", "One."),
    ],
)
def test_first_sentence(text: str, sentence: str) -> None:
    found = inline.first_sentence(nodes.paragraph("", text))
    assert "".join(node.astext() for node in found) == sentence


def test_first_sentence_keeps_markup_whole() -> None:
    paragraph = nodes.paragraph()
    paragraph += [nodes.Text("Use "), nodes.literal("", "a. B"), nodes.Text(". Two "), nodes.emphasis("", "x")]
    assert [n.astext() for n in inline.first_sentence(paragraph)] == ["Use ", "a. B", "."]
    paragraph = nodes.paragraph()
    paragraph += [nodes.Text("See vs. "), nodes.literal("", "x"), nodes.target(ids=["a"]), nodes.Text(" and more")]
    assert [n.astext() for n in inline.first_sentence(paragraph)] == ["See vs. ", "x", " and more"]


# -- sources --------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Sources]:
    def make(files: dict[str, str]) -> Sources:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return Sources()

    monkeypatch.syspath_prepend(str(tmp_path))
    return make


TREE = {
    "srcpkg/__init__.py": """
        raise RuntimeError
        from .a import One as Uno, f
        from .b import *
        from . import a, sub
        from .sub import deep as deeper
        import srcpkg.a as alias
        import os.path
        if True:
            from .a import Cond
        else:
            from .a import Other
        try:
            from .missing import Gone
        except ImportError:
            Gone = None
        finally:
            LAST = 1
        with open("x"):
            WITH = 1
        for _ in ():
            LOOP = 1
        X: int = 3
        Y = Z = 4
        a.attribute = 5
    """,
    "srcpkg/a.py": """
        class One:
            def m(self): ...
            class In: ...
        async def f(): ...
        class Cond: ...
        class Other: ...
    """,
    "srcpkg/b.py": "from .a import *\nclass Bee: ...\n",
    "srcpkg/circle.py": "from .circle2 import C\nfrom .circle2 import *\n",
    "srcpkg/circle2.py": "from .circle import C\nfrom .circle import *\n",
    "srcpkg/broken.py": "class (\n",
    "srcpkg/sub/__init__.py": "from ..a import One\nfrom .deep import Deep\n",
    "srcpkg/sub/deep.py": "from .. import a\nfrom ..a import One as Two\nclass Deep(Two): ...\n",
    "nspkg/mod.py": "class N: ...\n",
}


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("srcpkg.a.One", ("srcpkg.a", "One")),
        ("srcpkg.Uno", ("srcpkg.a", "One")),
        ("srcpkg.Uno.m", ("srcpkg.a", "One.m")),
        ("srcpkg.Uno.In", ("srcpkg.a", "One.In")),
        ("srcpkg.f", ("srcpkg.a", "f")),
        ("srcpkg.Bee", ("srcpkg.b", "Bee")),
        ("srcpkg.One", ("srcpkg.a", "One")),
        ("srcpkg.alias.One", ("srcpkg.a", "One")),
        ("srcpkg.sub.One.m", ("srcpkg.a", "One.m")),
        ("srcpkg.deeper.Deep", ("srcpkg.sub.deep", "Deep")),
        ("srcpkg.sub.deep.Two", ("srcpkg.a", "One")),
        ("srcpkg.sub.deep.a.f", ("srcpkg.a", "f")),
        ("srcpkg.Cond", ("srcpkg.a", "Cond")),
        ("srcpkg.Other", ("srcpkg.a", "Other")),
        ("srcpkg.LAST", ("srcpkg", "LAST")),
        ("srcpkg.WITH", ("srcpkg", "WITH")),
        ("srcpkg.LOOP", ("srcpkg", "LOOP")),
        ("srcpkg.X", ("srcpkg", "X")),
        ("srcpkg.Z", ("srcpkg", "Z")),
        ("nspkg.mod.N", ("nspkg.mod", "N")),
        ("srcpkg", None),
        ("srcpkg.a", None),
        ("srcpkg.nothing", None),
        ("srcpkg.a.nothing", None),
        ("srcpkg.circle.C", None),
        ("srcpkg.circle.D", None),
        ("srcpkg.broken.X", None),
        ("not_a_package.X", None),
        ("", None),
        (".", None),
        ("srcpkg..a", None),
        ("sys.path", None),
        ("builtins.int", None),
    ],
)
def test_canonical(package: Callable[[dict[str, str]], Sources], dotted: str, expected: tuple[str, str] | None) -> None:
    assert package(TREE).canonical(dotted) == expected
    assert "srcpkg" not in sys.modules


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("srcpkg.a.One", {"srcpkg.a.One", "srcpkg.Uno", "srcpkg.One"}),
        ("srcpkg.sub.deep.Deep.m", {"srcpkg.sub.deep.Deep.m", "srcpkg.sub.Deep.m"}),
        ("srcpkg.nothing", set()),
    ],
)
def test_spellings(package: Callable[[dict[str, str]], Sources], dotted: str, expected: set[str]) -> None:
    assert set(package(TREE).spellings(dotted)) == expected


MRO = {
    "mropkg/__init__.py": "from .m import D as Dee\n",
    "mropkg/m.py": """
        from typing import Generic
        from .base import Base
        class A(Base):
            def m(self): ...
            x: int
        class B(Base): ...
        class C(Base):
            def n(self): ...
        class D(B, C, Generic[int]): ...
        class E(A): ...
        class Selfish(Selfish): ...
        class Ping(Pong): ...
        class Pong(Ping): ...
        class Odd(Base, A): ...
        class Outer:
            class Inner(Base): ...
        def plain(): ...
    """,
    "mropkg/base.py": """
        class Base:
            def m(self): ...
            def n(self): ...
            if True:
                LIMIT = 3
    """,
}


@pytest.mark.parametrize(
    ("dotted", "expected"),
    [
        ("mropkg.m.A.m", ("mropkg.m.A.m",)),
        ("mropkg.m.E.m", ("mropkg.m.E.m", "mropkg.m.A.m")),
        ("mropkg.m.E.x", ("mropkg.m.E.x", "mropkg.m.A.x")),
        ("mropkg.m.D.m", ("mropkg.m.D.m", "mropkg.m.B.m", "mropkg.m.C.m", "mropkg.base.Base.m")),
        ("mropkg.m.D.n", ("mropkg.m.D.n", "mropkg.m.C.n")),
        ("mropkg.Dee.n", ("mropkg.m.D.n", "mropkg.m.C.n")),
        ("mropkg.m.B.LIMIT", ("mropkg.m.B.LIMIT", "mropkg.base.Base.LIMIT")),
        ("mropkg.m.A.unknown", ("mropkg.m.A.unknown",)),
        ("mropkg.m.Selfish.m", ("mropkg.m.Selfish.m",)),
        ("mropkg.m.Ping.m", ("mropkg.m.Ping.m",)),
        ("mropkg.m.A", ("mropkg.m.A",)),
        ("mropkg.m.plain", ("mropkg.m.plain",)),
        ("mropkg.m.nothing", ()),
    ],
)
def test_answers_of_the_source(
    package: Callable[[dict[str, str]], Sources], dotted: str, expected: tuple[str, ...]
) -> None:
    assert package(MRO).answers(dotted) == expected


def test_orders_that_contradict_each_other_are_taken_as_they_come(
    package: Callable[[dict[str, str]], Sources],
) -> None:
    found = package(MRO).answers("mropkg.m.Odd.n")
    assert found[0] == "mropkg.m.Odd.n"
    assert "mropkg.base.Base.n" in found


def test_path_of_a_module(package: Callable[[dict[str, str]], Sources], tmp_path: Path) -> None:
    sources = package(TREE)
    assert sources.path("srcpkg.a") == tmp_path / "srcpkg" / "a.py"
    assert sources.path("srcpkg") == tmp_path / "srcpkg" / "__init__.py"
    for name in ("nspkg", "srcpkg.nothing", "sys", "srcpkg.a.deeper", "math"):
        assert sources.path(name) is None


def test_changed_source_is_read_again(package: Callable[[dict[str, str]], Sources]) -> None:
    assert package({"changing.py": "class A: ...\n"}).canonical("changing.B") is None
    assert package({"changing.py": "class A: ...\nclass B: ...\n"}).canonical("changing.B") == ("changing", "B")


def test_editable_installs_finders_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "editable_mod.py").write_text("class A: ...\n")

    class Finder:
        @staticmethod
        def find_spec(name: str, _path: object, _target: object = None) -> object:
            from importlib.util import spec_from_file_location  # noqa: PLC0415 - as such finders do

            return spec_from_file_location(name, tmp_path / "editable_mod.py") if name == "editable_mod" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert Sources().canonical("editable_mod.A") == ("editable_mod", "A")


# -- identity -------------------------------------------------------------------------

IDENTITY = '''
import functools

class Base:
    limit = 3
    rank: int

    def m(self): ...
    def n(self): ...
    @classmethod
    def c(cls): ...
    @staticmethod
    def s(): ...
    @property
    def p(self): raise RuntimeError

class Sub(Base):
    def n(self): ...

class SubSub(Sub):
    class Inner:
        def deep(self): ...

def function(): ...
alias = function
cached = functools.lru_cache(function)
DATA = 3
built_in = len

class Liar:
    pass
Liar.__module__ = "elsewhere"

class Mocked(type):
    @property
    def __module__(cls): return 3
Mock = Mocked("Mock", (), {})

class Lazy:
    def __getattr__(self, name): raise RuntimeError(name)
lazy = Lazy()
'''


@pytest.fixture(scope="module")
def identity_module() -> Iterator[types.ModuleType]:
    module = types.ModuleType("identity_demo")
    sys.modules["identity_demo"] = module
    exec(compile(IDENTITY, "identity_demo.py", "exec"), vars(module))  # noqa: S102 - our own text above
    public = types.ModuleType("identity_public")
    vars(public).update(vars(module), __name__="identity_public")
    sys.modules["identity_public"] = public
    yield module
    del sys.modules["identity_demo"], sys.modules["identity_public"]


def demo(*names: str) -> tuple[str, ...]:
    return tuple(f"identity_demo.{name}" for name in names)


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("identity_demo.Base", "Base", demo("Base")),
        ("identity_public.Base", "Base", demo("Base")),
        ("identity_public.SubSub.Inner", "SubSub.Inner", demo("SubSub.Inner")),
        ("identity_public.SubSub.Inner.deep", "SubSub.Inner.deep", demo("SubSub.Inner.deep")),
        ("identity_public.SubSub.m", "SubSub.m", demo("SubSub.m", "Sub.m", "Base.m")),
        ("identity_public.SubSub.n", "SubSub.n", demo("SubSub.n", "Sub.n")),
        ("identity_demo.Sub.n", "Sub.n", demo("Sub.n")),
        ("identity_demo.Sub.c", "Sub.c", demo("Sub.c", "Base.c")),
        ("identity_demo.Sub.s", "Sub.s", demo("Sub.s", "Base.s")),
        ("identity_demo.Sub.p", None, demo("Sub.p", "Base.p")),
        ("identity_demo.Sub.limit", "Sub.limit", demo("Sub.limit", "Base.limit")),
        ("identity_demo.Sub.rank", None, demo("Sub.rank", "Base.rank")),
        ("identity_demo.Base.rank", None, demo("Base.rank")),
        ("identity_demo.Sub.state", None, demo("Sub.state")),
        ("identity_demo.function", "function", demo("function")),
        ("identity_public.alias", "alias", demo("function")),
        ("identity_demo.cached", "cached", ()),
        ("identity_demo.DATA", "DATA", ()),
        ("identity_demo.built_in", "built_in", ("builtins.len",)),
        ("identity_demo.Liar", "Liar", ()),
        ("identity_demo.Mock", "Mock", ()),
        ("identity_demo.lazy", "lazy", ()),
        ("nowhere.at.all", None, ()),
        ("bare", None, ()),
    ],
)
def test_answers(identity_module: types.ModuleType, name: str, path: str | None, expected: tuple[str, ...]) -> None:
    obj = functools.reduce(getattr, path.split("."), identity_module) if path else None
    found = identity.answers(name, obj)
    if name.endswith((".cached", ".DATA")):
        # A wrapper says what it wraps: only that the entry is found under its own name matters.
        assert set(found) <= {name, "identity_demo.function"}
    else:
        assert found == expected
