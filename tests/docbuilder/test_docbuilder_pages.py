"""Pages written for doc-builder: each construct on pages of our own, in three builders."""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup, Tag
from sphinx import addnodes
from sphinx.testing.util import SphinxTestApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIXTURES = Path(__file__).parent / "pages"

# MyST asks Sphinx 9 for the application by its old name
pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser.*is deprecated")


@pytest.fixture
def build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SphinxTestApp]]:
    """Build the tree of fixtures, with some files written anew."""
    source, modules = tmp_path / "source", tmp_path / "modules"
    shutil.copytree(FIXTURES / "tree", source)
    shutil.copytree(FIXTURES / "hf_tree", modules / "hf_tree")
    monkeypatch.syspath_prepend(str(modules))
    applications: list[SphinxTestApp] = []

    def run(
        builder: str = "html",
        files: dict[str, str | None] | None = None,
        *,
        parallel: int = 0,
        **config: object,
    ) -> SphinxTestApp:
        settings = {
            "extensions": ["sphinxext_heuristics.docbuilder"],
            "docbuilder_trees": {"": "hf_tree"},
            "html_theme": "basic",
            "suppress_warnings": ["image.not_readable"],
            **config,
        }
        conf = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
        for name, text in {"conf.py": conf, **(files or {})}.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            elif not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
        while applications:
            applications.pop().cleanup()
        application = SphinxTestApp(builder, srcdir=source, parallel=parallel)
        applications.append(application)
        application.build()
        return application

    yield run
    while applications:
        applications.pop().cleanup()
    for name in [name for name in sys.modules if name.partition(".")[0] == "hf_tree"]:
        sys.modules.pop(name)


def warnings_of(application: SphinxTestApp) -> list[str]:
    text = re.sub(r"\x1b\[[0-9;]*m", "", application.warning.getvalue())
    return text.replace(f"{application.srcdir}/", "").splitlines()


def page(application: SphinxTestApp, name: str) -> BeautifulSoup:
    return BeautifulSoup(
        (application.outdir / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
    )


def body(application: SphinxTestApp, name: str) -> Tag:
    found = page(application, name).find("div", class_="body")
    assert isinstance(found, Tag)
    return found


def text_of(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


def links(tag: Tag) -> dict[str, str]:
    """Return the text of each link → where it leads."""
    return {
        text_of(link): str(link["href"])
        for link in tag.find_all("a", href=True)
        if text_of(link) != "¶"
    }


def edited(name: str, old: str, new: str) -> dict[str, str | None]:
    text = (FIXTURES / "tree" / name).read_text(encoding="utf-8")
    assert old in text
    return {name: text.replace(old, new)}


def test_all_is_well(build: Callable[..., SphinxTestApp]) -> None:
    application = build()
    assert warnings_of(application) == []
    for path in sorted(
        {*application.outdir.rglob("*.html")}
        - {application.outdir / "heuristics" / "index.html"}
    ):
        found = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find(
            "div", class_="body"
        )
        assert isinstance(found, Tag)
        for code in found.find_all(["pre", "code", "script"]):
            code.extract()
        assert not re.search(
            r"\[\[|\[!|</?hf|</?Tip|`|\$|\\\\\(|\.\. py|Licen[cs]e|system",
            found.get_text(),
        ), path.name


def test_headings_have_the_ids_and_levels_of_docbuilder(
    build: Callable[..., SphinxTestApp],
) -> None:
    found = body(build(), "index")
    ids = [str(tag["id"]) for tag in found.find_all("section")]
    assert ids == [
        "-tree",
        "a-code-andmore",
        "über-uns",
        "api",
        "own_id",
        "below",
        "twice",
        "twice-1",
    ]
    assert "With its own id¶" in [text_of(tag) for tag in found.find_all("h3")]
    levels = [tag.name for tag in found.find_all(["h1", "h2", "h3", "h4"])]
    assert levels == ["h1", "h2", "h3", "h2", "h3", "h4", "h2", "h2"]


def test_a_page_that_begins_low(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "guides/markup")
    assert [tag.name for tag in found.find_all(["h1", "h2"])][:2] == ["h1", "h2"]


def test_alerts_and_components(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "guides/markup")
    boxes = [
        (next(iter({*tag["class"]} - {"admonition"})), text_of(tag))
        for tag in found.find_all("div", class_="admonition")
    ]
    assert boxes == [
        ("tip", "Tip A tip with a link."),
        ("warning", "Warning One line."),
        ("tip", "Tip Old tip."),
        ("warning", "Warning Old warning."),
    ]
    options = found.find_all("div", class_="docbuilder-option")
    assert [text_of(tag) for tag in options] == [
        "first one Text of one.",
        "second Text of two.",
    ]
    assert options[0].find("pre") is None
    assert options[1].find("strong") is not None


def test_mathematics(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "guides/markup")
    formulas = [text_of(tag) for tag in found.find_all(class_="math")]
    assert formulas == [
        r"\(a_1 * b\)",
        r"\(W'\)",
        r"\(\beta\)",
        r"\(x < y\)",
        r"\[E = mc^2\]",
        r"\[one line\]",
    ]


def test_code(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "guides/markup")
    assert [
        tag["class"][0]
        for tag in found.find_all("div", class_=re.compile("^highlight-"))
    ] == ["highlight-py", "highlight-python", "highlight-py", "highlight-text"]
    assert "triple `ticks` here" in [tag.get_text() for tag in found.find_all("code")]
    assert "hidden" not in found.get_text()
    assert "seen = 3" in found.get_text()
    for hidden in ("secret", "assert", "pytest"):
        assert hidden not in found.get_text()


def test_autodoc_in_a_fence_is_code(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "guides/markup")
    assert "[[autodoc]] Thing\n    - run" in [
        tag.get_text().strip() for tag in found.find_all("pre")
    ]
    assert found.find("dt", class_="sig") is None


def test_html(build: Callable[..., SphinxTestApp]) -> None:
    application = build()
    found = body(application, "guides/html")
    assert found.find("iframe")["src"] == "https://a.b/frame?x[y]=1"
    assert found.find("sub").get_text() == "sub"
    assert found.find("div", class_="flex") is not None
    assert links(found)["Card Text of the card."] == "../index.html"
    assert links(found)["inline"] == "markup.html#low"
    assert links(found)["outside"] == "https://a.b"
    assert found.find("img", attrs={"alt": "local"})["src"] == "../_images/one.png"
    assert (application.outdir / "_images" / "one.png").exists()


@pytest.mark.parametrize("builder", ["latex", "text"])
def test_other_builders(build: Callable[..., SphinxTestApp], builder: str) -> None:
    application = build(builder)
    assert warnings_of(application) == []
    files = [
        path
        for path in application.outdir.rglob("*")
        if path.suffix in {".tex", ".txt"}
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for words in ("first one", "Old warning.", "E = mc", "Run faster"):
        assert words in text.replace("\\_", "_"), words
    for words in ("hfoption", "<div", "iframe", "Licensed", "[!"):
        assert words not in text, words


@pytest.mark.parametrize(
    "builder", ["dirhtml", "singlehtml", "man", "texinfo", "xml", "gettext"]
)
def test_every_builder(build: Callable[..., SphinxTestApp], builder: str) -> None:
    assert warnings_of(build(builder)) == []


COMPONENTS = """\
# Components

<frameworkcontent>
<pt>
Torch.
</pt>
<tf>

Flow, <Added version="3.0"/> of late.

</tf>
</frameworkcontent>

<Deprecated version="2.0">

Use the other.

</Deprecated>

<tokenizerslangcontent>
<python>
<literalinclude>
{"path": "code.py",
"language": "python",
"start-after": "# START",
"end-before": "# END",
"dedent": 4}
</literalinclude>
</python>
<rust>
Rust.
</rust>
</tokenizerslangcontent>

- An item

  <Added version="1.0"/> in it.

<InferenceSnippet
    pipeline=text
    providersMapping={ {"a":{"b":"c"}} }
/>

<include>
{"path": "part.md"}
</include>
"""
FILES_OF_COMPONENTS: dict[str, str | None] = {
    "components.mdx": COMPONENTS,
    "code.py": "# START\nfirst = 1\n# END\nsecond = 2\n",
    "part.md": "Text of **part**.\n",
    **edited(
        "_toctree.yml",
        "    title: Tree\n",
        "    title: Tree\n  - local: components\n    title: Components\n",
    ),
}


@pytest.mark.parametrize("extensions", [[], ["sphinx_design"]])
def test_components(build: Callable[..., SphinxTestApp], extensions: list[str]) -> None:
    application = build(
        files=FILES_OF_COMPONENTS,
        extensions=["sphinxext_heuristics.docbuilder", *extensions],
        exclude_patterns=["part.md"],
    )
    assert warnings_of(application) == []
    found = body(application, "components")
    text = text_of(found)
    labels = found.find_all("label" if extensions else "strong")
    names = [text_of(label) for label in labels]
    assert names[:4] == ["PyTorch", "TensorFlow", "Python", "Rust"]
    assert "Flow, Added in version 3.0 of late." in text
    deprecated = found.find("div", class_="deprecated")
    assert isinstance(deprecated, Tag)
    assert text_of(deprecated) == "Deprecated since version 2.0 Use the other."
    (code,) = found.find_all("pre")
    assert code.get_text() == "first = 1\n"
    item = found.find("li")
    assert isinstance(item, Tag)
    assert text_of(item) == "An item Added in version 1.0 in it."
    assert "Text of part." in text
    assert "pipeline" not in text
    assert "<" not in text


def test_links_to_pages(build: Callable[..., SphinxTestApp]) -> None:
    found = links(body(build(), "guides/links"))
    assert found == {
        "page": "markup.html",
        "with suffix": "../index.html#api",
        "anchor": "#here",
        "absolute": "../reference/things.html",
        "an object's anchor": "../reference/things.html#hf_tree.Thing",
        "hub": "https://huggingface.co/docs/other/index",
        "https://c.d/e": "https://c.d/e",
        "Thing": "../reference/things.html#hf_tree.Thing",
        "run()": "../reference/things.html#hf_tree.Thing.run",
        "make_thing()": "../reference/things.html#hf_tree.make_thing",
        "size": "../reference/things.html#hf_tree.Thing",
        "text": "../reference/things.html#hf_tree.Thing",
        "code": "https://a.b",
        "beside": "../heuristics/index.html",
    }
    text = text_of(body(build(), "guides/links"))
    assert "other.Thing and unknown and list[int] and an-option" in text


def test_redirects(build: Callable[..., SphinxTestApp]) -> None:
    files = {
        "guides/more.md": "# More\n\n[old](../old/page.md) and [older](../old/older)\n"
    }
    files |= edited(
        "_toctree.yml",
        "    title: Markup\n",
        "    title: Markup\n  - local: guides/more\n    title: More\n",
    )
    application = build(files=files)
    assert links(body(application, "guides/more")) == {
        "old": "markup.html",
        "older": "../index.html#api",
    }
    assert warnings_of(application) == [
        (
            "guides/more.md:3: WARNING: link to '../old/page.md': the page has moved; link to 'guides/markup' "
            "[docbuilder.link]"
        ),
        "guides/more.md:3: WARNING: link to '../old/older': the page has moved; link to 'index' [docbuilder.link]",
    ]


def test_entries(build: Callable[..., SphinxTestApp]) -> None:
    application = build()
    found = body(application, "reference/things")
    ids = [str(tag["id"]) for tag in found.find_all("dt", class_="sig")]
    assert ids == [
        "hf_tree.Thing",
        "hf_tree.Thing.run",
        "hf_tree.Sub",
        "hf_tree.Sub.walk",
        "hf_tree.Sub.__call__",
        "hf_tree.Sub.run",
        "hf_tree.deep.Hidden",
        "hf_tree.make_thing",
        "hf_tree.WentWrongError",
    ]
    assert links(found)["Thing"].endswith("#hf_tree.Thing")
    objects = application.env.domains["py"].data["objects"]
    assert objects["hf_tree.Base.walk"].node_id == "hf_tree.Sub.walk"
    assert objects["hf_tree.Base.walk"].aliased


def test_a_module_that_an_attribute_hides(build: Callable[..., SphinxTestApp]) -> None:
    """As in datasets: hf_tree.hidden is the module hf_tree.hidden.hidden."""
    files = {"hidden.md": "# Hidden\n\n[[autodoc]] hidden.Cave\n\n[`hidden.Cave`]\n"}
    files |= edited(
        "_toctree.yml",
        "    title: Tree\n",
        "    title: Tree\n  - local: hidden\n    title: Hidden\n",
    )
    application = build(files=files)
    assert warnings_of(application) == []
    found = body(application, "hidden")
    signature, *_ = found.find_all("dt", class_="sig")
    assert text_of(signature) == (
        "class hf_tree.hidden.Cave(size: dict[str, int] = ..., "
        "key: Callable[[], None] = make)¶"
    )
    text = text_of(found)
    assert "called with *args and **kwargs: deep and dark." in text
    assert "size (Thing or Thing) – Its size." in text
    assert found.find(id="hf_tree.hidden.Cave") is not None
    assert links(found)["hidden.Cave"].startswith("#hf_tree.hidden.")


def test_ids_of_parameters_and_examples(build: Callable[..., SphinxTestApp]) -> None:
    application = build()
    found = body(application, "reference/things")
    assert found.find(id="hf_tree.Thing.size").get_text() == "size"
    assert found.find(id="hf_tree.make_thing.size").get_text() == "size"
    assert found.find(id="hf_tree.make_thing.kwargs").get_text() == "**kwargs"
    assert "make_thing()" in found.find(id="hf_tree.make_thing.example").get_text()
    assert "make_thing(2)" in found.find(id="hf_tree.make_thing.example-2").get_text()
    assert (
        body(application, "reference/again").find(id="hf_tree.make_thing.example-2")
        is not None
    )
    ids = [tag["id"] for tag in page(application, "reference/things").find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_the_first_page_of_the_tree_holds_an_entry(
    build: Callable[..., SphinxTestApp],
) -> None:
    application = build()
    assert (
        application.env.domains["py"].data["objects"]["hf_tree.make_thing"].docname
        == "reference/things"
    )
    other = body(application, "reference/again")
    assert other.find(id="hf_tree.make_thing") is not None
    swapped = (FIXTURES / "tree" / "_toctree.yml").read_text(encoding="utf-8")
    swapped = (
        swapped.replace("things", "x")
        .replace("again", "things")
        .replace("reference/x", "reference/again")
    )
    application = build(files={"_toctree.yml": swapped})
    assert (
        application.env.domains["py"].data["objects"]["hf_tree.make_thing"].docname
        == "reference/again"
    )
    assert (
        links(body(application, "guides/links"))["make_thing()"]
        == "../reference/again.html#hf_tree.make_thing"
    )


def test_a_member_that_an_earlier_page_documents(
    build: Callable[..., SphinxTestApp],
) -> None:
    files = {"early.md": "# Early\n\n[[autodoc]] Thing.run\n\n[[autodoc]] Thing.run\n"}
    files |= edited(
        "_toctree.yml",
        "    title: Tree\n",
        "    title: Tree\n  - local: early\n    title: Early\n",
    )
    application = build(files=files)
    assert warnings_of(application) == []
    assert (
        application.env.domains["py"].data["objects"]["hf_tree.Thing.run"].docname
        == "early"
    )
    ids = [
        tag["id"]
        for tag in body(application, "reference/things").find_all("dt", class_="sig")
    ]
    assert ids[:3] == ["hf_tree.Thing", "hf_tree.Thing.run", "hf_tree.Sub"]


def test_the_options_of_conf_do_not_choose_members(
    build: Callable[..., SphinxTestApp],
) -> None:
    ids = [
        tag["id"]
        for tag in body(build(), "reference/things").find_all("dt", class_="sig")
    ]
    options = {
        "members": True,
        "inherited-members": True,
        "undoc-members": True,
        "special-members": True,
    }
    application = build(autodoc_default_options=options, nitpicky=True)
    assert [
        tag["id"]
        for tag in body(application, "reference/things").find_all("dt", class_="sig")
    ] == ids
    assert warnings_of(application) == []


def test_the_toctree(build: Callable[..., SphinxTestApp]) -> None:
    application = build()
    toctrees = application.env.tocs["index"].findall(addnodes.toctree)
    shown = [(toctree["caption"], toctree["entries"]) for toctree in toctrees]
    assert shown == [
        (
            "Start",
            [
                ("Tree", "self"),
                ("Markup", "guides/markup"),
                ("Things", "reference/things"),
            ],
        ),
        ("Start: More", [("Links", "guides/links"), ("HTML", "guides/html")]),
        (
            "Reference",
            [("Again", "reference/again"), ("Markup once more", "guides/markup")],
        ),
        ("Heuristics", [(None, "heuristics/index")]),
    ]


def test_pages_beside_are_mysts(build: Callable[..., SphinxTestApp]) -> None:
    found = body(build(), "heuristics/index")
    assert found.find("div", class_="admonition") is not None
    assert "[[autodoc]]" in found.get_text()


FAULTS = {
    "unclosed": (
        "<hfoption id='a'>\n\nText.\n",
        "4: WARNING: <hfoption> is not closed; add </hfoption> where it ends",
    ),
    "stray": (
        "Text.\n\n</Tip>\n",
        "6: WARNING: </Tip> closes nothing; remove it, or add the opening tag",
    ),
    "unknown alert": ("> [!FOO]\n> Text.\n", "4: WARNING: unknown alert [!FOO]"),
    "alert outside a quotation": (
        "[!TIP]\nText.\n",
        "4: WARNING: [!TIP] is no alert without '>' before it",
    ),
    "unknown component": (
        "Text.\nMore <Foo a={1} /> text.\n",
        "5: WARNING: unknown component <Foo>; its content is shown",
    ),
    "unknown block": (
        "<Bar>\n\nText.\n",
        "4: WARNING: unknown component <Bar>; its content is shown",
    ),
    "include": (
        "<include>\nText\n</include>\n",
        "4: WARNING: <include> cannot be read: Expecting value",
    ),
    "literalinclude": (
        '<literalinclude>\n{"path": "Text"}\n</literalinclude>\n',
        "4: WARNING: <literalinclude> cannot be read: [Errno 2]",
    ),
    "snippet": (
        "<OtherSnippet\n  more={[1]}\n/>\nText.\n",
        "4: WARNING: unknown component <OtherSnippet>; its content is shown",
    ),
    "small letters": (
        "<widget id='a'>\nText.\n</widget>\nMore.\n",
        "4: WARNING: unknown component <widget>; its content is shown",
    ),
    "formula": (
        "$$\nx\n",
        "4: WARNING: $$ is not closed; add $$ where the formula ends",
    ),
    "object": (
        "[[autodoc]] Nothing\n",
        "4: WARNING: hf_tree has no object 'Nothing'; fix the name",
    ),
    "import": (
        "[[autodoc]] broken.Thing\n",
        "4: WARNING: cannot show 'broken.Thing': cannot import hf_tree.broken",
    ),
    "lazy import": (
        "[[autodoc]] lazy.Gone\n",
        "4: WARNING: cannot show 'lazy.Gone': cannot import hf_tree.lazy.Gone: Runtime",
    ),
    "lazy member": (
        "[[autodoc]] lazy.Present\n    - all\n    - absent\n",
        "4: WARNING: hf_tree.lazy.Present has no member 'absent'",
    ),
    "program": (
        "[`__main__.go`] [`exits.go`] [`lazy.Gone`]\n\n[[autodoc]] exits.go\n",
        "6: WARNING: cannot show 'exits.go': cannot import hf_tree.exits: SystemExit",
    ),
    "no object": (
        "[[autodoc]]\n",
        "4: WARNING: [[autodoc]] takes the name of one object",
    ),
    "two objects": (
        "[[autodoc]] Thing [[autodoc]] Sub\n",
        "4: WARNING: several [[autodoc]] on one line",
    ),
    "member": (
        "[[autodoc]] Thing\n    - nothing\n",
        "4: WARNING: hf_tree.Thing has no member 'nothing'",
    ),
    "page": (
        "Text,\n[link](nowhere.md)\n",
        "5: WARNING: link to 'nowhere.md': page 'nowhere' does not exist",
    ),
    "anchor": (
        "[link](index#API)\n",
        "4: WARNING: link to 'index#API': page 'index' has no anchor 'API'; closest",
    ),
    "HTML": (
        "<div>\n<a href='nowhere'>x</a>\n</div>\n",
        "5: WARNING: link to 'nowhere': page 'nowhere' does not exist",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(build: Callable[..., SphinxTestApp], name: str) -> None:
    text, expected = FAULTS[name]
    files = {"faulty.md": f"# Faulty\n\n\n{text}"}
    files |= edited(
        "_toctree.yml",
        "    title: Tree\n",
        "    title: Tree\n  - local: faulty\n    title: Faulty\n",
    )
    application = build(files=files)
    (warning,) = warnings_of(application)
    assert warning.startswith(f"faulty.md:{expected}")
    assert re.search(r"\[docbuilder\.\w+\]$", warning)
    shown = text_of(body(application, "faulty"))
    for word in set(re.findall(r"Text|More|Nothing|Thing|link|x(?=\n)", text)):
        assert word in shown
    (again,) = warnings_of(build(files=files))
    assert again == warning


TREES = {
    "not YAML": (
        "- local: [\n",
        "_toctree.yml:2: WARNING: this cannot be read as YAML: ",
    ),
    "too deep": (
        "[" * 2000,
        "_toctree.yml:1: WARNING: this cannot be read as YAML: maximum recursion",
    ),
    "no list": (
        "a: b\n",
        "_toctree.yml:1: WARNING: expected a list of pages (local, title) and sections",
    ),
    "no page": (
        "- title: a\n",
        "_toctree.yml:1: WARNING: expected a list of pages (local, title) and sections",
    ),
    "missing file": (
        "- local: index\n- local: nowhere\n  title: x\n",
        "_toctree.yml:2: WARNING: page 'nowhere' does not",
    ),
    "missing entry": (
        "- local: guides/markup\n",
        "_toctree.yml:1: WARNING: page 'guides/html' is not listed",
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_faulty_trees(build: Callable[..., SphinxTestApp], name: str) -> None:
    text, expected = TREES[name]
    warnings = warnings_of(build(files={"_toctree.yml": text}))
    assert [warning for warning in warnings if warning.startswith(expected)], warnings


def test_a_file_that_cannot_be_read(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    (tmp_path / "source" / "_toctree.yml").unlink()
    (tmp_path / "source" / "_toctree.yml").mkdir()
    warnings = warnings_of(build())
    assert [
        warning
        for warning in warnings
        if "_toctree.yml cannot be read: Is a directory" in warning
    ], warnings


def test_a_tree_in_a_folder(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.move(source, tmp_path / "hf")
    source.mkdir()
    shutil.move(tmp_path / "hf", source / "hf")
    files = {
        "index.md": "# Site\n\n```{toctree}\nhf/index\n```\n\n[x](hf/index.md) [[autodoc]] X\n"
    }
    application = build(files=files, docbuilder_trees={"hf": "hf_tree"})
    assert warnings_of(application) == []
    assert (
        links(body(application, "hf/guides/links"))["absolute"]
        == "../reference/things.html"
    )
    assert "[[autodoc]] X" in text_of(body(application, "index"))


def test_a_wrong_option(build: Callable[..., SphinxTestApp]) -> None:
    extensions = ["myst_parser", "sphinxext_heuristics.docbuilder"]
    (first, *_) = warnings_of(build(docbuilder_trees={"": None}, extensions=extensions))
    assert first.startswith(
        "WARNING: docbuilder_trees is {'': None}; use a dict of folders and packages"
    )


def test_a_package_that_is_not_there(build: Callable[..., SphinxTestApp]) -> None:
    warnings = warnings_of(build(docbuilder_trees={"": "no_such_package"}))
    assert warnings[0].startswith(
        "WARNING: cannot import no_such_package: ModuleNotFoundError"
    )
    assert all("[docbuilder." in warning for warning in warnings)
    autodoc = [
        warning.partition(":")[0]
        for warning in warnings[1:]
        if "docbuilder.autodoc" in warning
    ]
    assert autodoc == ["reference/again.md", "reference/things.md"]


def snapshot(application: SphinxTestApp) -> dict[str, str]:
    return {
        path.relative_to(application.outdir).as_posix(): path.read_text(
            encoding="utf-8"
        )
        for path in sorted(application.outdir.rglob("*.html"))
    }


def contents(application: SphinxTestApp) -> dict[str, str]:
    """Return the pages without links to the next page, which Sphinx leaves as they are where a page is added."""
    found = {
        name: BeautifulSoup(html, "html.parser")
        for name, html in snapshot(application).items()
    }
    return {
        name: str(page.select_one("div.body") or page) for name, page in found.items()
    }


def test_parallel_is_serial(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    serial = snapshot(build())
    shutil.rmtree(tmp_path / "source" / "_build")
    assert snapshot(build(parallel=2)) == serial


def test_incremental_is_clean(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    toctree = (FIXTURES / "tree" / "_toctree.yml").read_text(encoding="utf-8")
    again = (
        toctree.replace("things", "x")
        .replace("again", "things")
        .replace("reference/x", "reference/again")
    )
    steps: list[dict[str, str | None]] = [
        {},
        {"_toctree.yml": again},
        {"_toctree.yml": toctree},
        {"_redirects.yml": "nothing: index\n"},
        {"reference/again.md": "# Again\n\nNothing.\n"},
        {"_toctree.yml": again},
        {"guides/html.md": None},
        {
            "new/page.md": "# New\n\n[x](../guides/links#here)\n",
            "_toctree.yml": again + "- local: new/page\n  title: N\n",
        },
        {"_toctree.yml": toctree},
        {"guides/markup.md": "# Other\n\nText.\n"},
    ]
    for step in steps:
        later = build(files=step)
        result, warnings = snapshot(later), sorted(warnings_of(later))
        shutil.rmtree(tmp_path / "source" / "_build")
        clean = build()
        assert snapshot(clean) == {
            name: html for name, html in result.items() if name in snapshot(clean)
        }, step
        assert sorted(warnings_of(clean)) == warnings, step


TOCTREE = (FIXTURES / "tree" / "_toctree.yml").read_text(encoding="utf-8")
SWAPPED = (
    TOCTREE.replace("things", "x")
    .replace("again", "things")
    .replace("reference/x", "reference/again")
)
#: What may happen to the tree, each with the files that it writes or deletes.
EDITS: dict[str, dict[str, str | None]] = {
    "swap pages": {"_toctree.yml": SWAPPED},
    "restore": {"_toctree.yml": TOCTREE},
    "retitle": {"_toctree.yml": TOCTREE.replace("title: Links", "title: All links")},
    "rename a section": {"_toctree.yml": TOCTREE.replace("title: More", "title: Less")},
    "drop a page": {
        "_toctree.yml": TOCTREE.replace(
            "  - local: reference/again\n    title: Again\n", ""
        )
    },
    "break the tree": {"_toctree.yml": "- local: [\n"},
    "list what is not there": {
        "_toctree.yml": f"{TOCTREE}- local: new/page\n  title: New\n"
    },
    "write it": {
        "new/page.md": "# New\n\n[x](../guides/links#here) [`Sub.walk`]\n\n[[autodoc]] Sub\n"
    },
    "redirect": {"_redirects.yml": "old/page: reference/things\nold/gone: index#api\n"},
    "link through it": {
        "guides/html.md": "# HTML\n\n<a href='../old/page#thing'>x</a> [y](../old/gone)\n"
    },
    "document less": {
        "reference/things.md": "# Things\n\n## Thing\n\n[[autodoc]] Thing\n    - none\n"
    },
    "document no more": {"reference/things.md": None},
    "a page beside": {
        "heuristics/more.md": "# More\n\n```{py:function} hf_tree.Thing.run()\n```\n"
    },
    "a heuristic": {
        "heuristics/Walk.md": "```{heuristic} Walk\n:impl: hf_tree.Sub.walk\n:note: Look.\n```\n"
    },
    "retarget it": {
        "heuristics/Walk.md": "```{heuristic} Walk\n:impl: hf_tree.make_thing\n:note: Do.\n```\n"
    },
}
SEED = int(os.environ.get("HEURISTICS_HISTORY_SEED", "0"))
STORIES = int(os.environ.get("HEURISTICS_HISTORY_STORIES", "4"))


def own_warnings(application: SphinxTestApp) -> list[str]:
    """Return the warnings of ours; those of Sphinx and MyST are given only when a page is read or written."""
    return sorted(
        warning
        for warning in warnings_of(application)
        if re.search(r"\[(docbuilder|heuristic)", warning)
    )


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(story, marks=[pytest.mark.slow] if story > 1 else [])
        for story in range(STORIES)
    ],
)
def test_any_history(
    build: Callable[..., SphinxTestApp], tmp_path: Path, story: int
) -> None:
    """Incremental builds give what clean ones do, with heuristics beside, serial or parallel."""
    choice = random.Random(f"{SEED} {story}")  # noqa: S311 - of tests
    extensions = ["sphinxext_heuristics", "sphinxext_heuristics.docbuilder"]
    kept = tmp_path / "kept"
    for edit in ["restore", *choice.choices(sorted(EDITS), k=6)]:
        files = {
            name: text
            for name, text in EDITS[edit].items()
            if text or (tmp_path / "source" / name).exists()
        }
        later = build(
            files=files, parallel=choice.choice([0, 2]), extensions=extensions
        )
        result, warnings = contents(later), own_warnings(later)
        shutil.move(tmp_path / "source" / "_build", kept)
        clean = build(extensions=extensions)
        expected = contents(clean)
        assert {name: result.get(name) for name in expected} == expected, edit
        assert warnings == own_warnings(clean), edit
        shutil.rmtree(tmp_path / "source" / "_build")
        shutil.move(kept, tmp_path / "source" / "_build")


def test_an_edit_of_the_toctree_reads_little(
    build: Callable[..., SphinxTestApp],
) -> None:
    build()
    application = build(
        files=edited("_toctree.yml", "title: Links", "title: All links")
    )
    assert re.findall(r"(\d+) changed", application.status.getvalue()) == ["1"]
