"""The index as a file: the seed to the byte, Markdown that reads back, and the comparison on every build."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sphinx.locale
from conftest import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from seed import (
    BREAKS,
    INDEX,
    PAGE,
    SEED,
    SEED_PROJECT,
    break_count,
    line_of,
    seed_files,
)

from sphinxext_heuristics._core.config import OPTIONS, Settings
from sphinxext_heuristics._core.files import index_file, project_file
from sphinxext_heuristics._core.files.export import Exporter
from sphinxext_heuristics._core.model import Connection, Entry, Heuristic, Note, Page
from sphinxext_heuristics._core.notes import markdown
from sphinxext_heuristics._core.notes.inline import text_of
from sphinxext_heuristics._core.resolve.catalogue import Catalogue, Lookups
from sphinxext_heuristics._core.resolve.objects import Objects
from sphinxext_heuristics._core.resolve.pages import Pages
from sphinxext_heuristics._core.resolve.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conftest import Built, Project
    from markdown_it.token import Token


# -- the seed -------------------------------------------------------------------------


def test_the_seed_to_the_byte(project: Callable[..., Project]) -> None:
    built = project(SEED_PROJECT).build("heuristics")
    assert (built.out / INDEX).read_bytes() == SEED.encode()


def test_a_project_that_holds_the_seed_has_no_warning(
    project: Callable[..., Project],
) -> None:
    seed = project(seed_files())
    seed.ok()
    seed.ok()
    assert (seed.src / INDEX).read_text(encoding="utf-8") == SEED


def test_the_index_of_this_repository_has_the_rows_of_the_seed() -> None:
    own = (ROOT / INDEX).read_text(encoding="utf-8").split("\n")
    rows = [line for line in SEED.split("\n") if line.startswith("| huggingface_peft_")]
    assert len(rows) == 5
    assert [row for row in rows if row not in own] == []
    ours = [line for line in own if line in rows]
    assert ours == rows, "in the order of the seed"


def test_an_index_note_stands_in_the_index_file_and_nowhere_else(
    project: Callable[..., Project],
) -> None:
    built = project(
        {
            "conf.py": 'extensions = ["myst_parser", "sphinxext_heuristics"]\nheuristics_dir = None\n',
            "index.rst": "T\n=\n\n.. toctree::\n\n   md\n\n.. heuristic-index::\n\n"
            ".. py:function:: f()\n\n   F.\n\n"
            ".. heuristic:: In_Rst\n   :note: Do this.\n   :index-note: Old *words* | ``code``\n   :impl: f\n",
            "md.md": "```{heuristic} In_Md\n:note: Do that.\n:index-note: Older `words`\n:impl: f\n```\n",
        }
    )
    text = built.ok("heuristics").read(INDEX)
    assert "✅Impl:f | Old *words* \\| `code` |" in text
    assert "✅Impl:f | Older `words` |" in text
    site = built.ok("html")
    assert site.shown("index.html", "f") == ["In Rst", "In Md"]
    for name in ("index.html", "md.html"):
        assert "Do that." in site.read(name)
        assert "Old" not in site.soup(name).get_text()


@pytest.mark.parametrize("builder", ["gettext", "latex", "singlehtml", "dummy"])
def test_every_builder_compares_and_finds_the_same(
    builder: str, project: Callable[..., Project]
) -> None:
    files = seed_files()
    seed = project(files)
    seed.ok(builder)
    seed.write({INDEX: SEED.replace("| Quantization | 3 |", "| Quantization | 4 |")})
    assert len(index_warnings(seed.build(builder))) == 1


def test_links_go_to_the_real_file(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    files = seed_files()
    files["conf.py"] = files["conf.py"].replace(
        '"_HeuristicIndex.md"', '"../_HeuristicIndex.md"'
    )
    seed = project(files)
    (seed.src / "heuristics").rename(tmp_path / "heuristics")
    (seed.src / "heuristics").symlink_to(
        Path("..", "heuristics"), target_is_directory=True
    )
    (seed.src / INDEX).rename(tmp_path / INDEX)
    seed.ok()


@pytest.mark.parametrize(
    ("where", "link"),
    [
        ("sub/_index.md", "../heuristics/"),
        ("heuristics/_index.md", "./"),
        ("_index.md", "./heuristics/"),
        ("../_index.md", "./src/heuristics/"),
    ],
)
def test_links_go_from_where_the_file_is(
    where: str, link: str, project: Callable[..., Project]
) -> None:
    files = seed_files()
    files["conf.py"] = (
        files["conf.py"].replace(INDEX, where).replace('"_*"', '"_*", "**/_*"')
    )
    del files[INDEX]
    files[where] = SEED.replace("(./heuristics/", f"({link}")
    project(files).ok()


def test_a_file_name_that_is_no_url_is_quoted(project: Callable[..., Project]) -> None:
    built = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nheuristics_dir = None\n',
            "index.rst": "T\n=\n\n.. toctree::\n   :glob:\n\n   a*\n",
            "a b (c).rst": ".. heuristic:: X\n   :note: N\n   :workflow: index\n",
        }
    ).build("heuristics")
    assert "| [→](./a%20b%20%28c%29.rst) |" in built.read(INDEX)


# -- names, notes and categories ------------------------------------------------------


def index_of(project: Callable[..., Project], page: str, conf: str = "") -> str:
    """Return the index of a project with one page of heuristics."""
    files = {
        "conf.py": f'extensions = ["myst_parser", "sphinxext_heuristics"]\nrelease = "1.5"\n{conf}\n',
        "index.rst": f"T\n=\n\n.. py:function:: pkg.mod.run()\n\n.. py:function:: pkg.go()\n\n{page}\n",
    }
    built = project(files).build("heuristics")
    return built.read(INDEX)


def cells(index: str, row: str) -> list[str]:
    line = next(line for line in index.split("\n") if line.startswith(f"| {row} "))
    return line.removeprefix("| ").removesuffix(" |").split(" | ")


def test_what_connections_are_called(project: Callable[..., Project]) -> None:
    page = (
        ".. heuristic:: A\n   :note: N\n   :impl: pkg.mod.run, ~pkg.mod.run, the v1.0 way <pkg.go>, ?pkg.gone.x\n"
        "   :workflow: index, ?soon\n"
    )
    index = index_of(
        project, page, "heuristics_namespace = 'ns'\nheuristics_package = 'pkg'"
    )
    assert cells(index, "ns_A")[2].split(", ") == [
        "✅Impl:ns_mod_run",
        "✅Impl:ns_run",
        "✅Impl:ns_the v1.0 way",
        "⬜Impl:ns_gone_x",
        "✅Workflow:ns_index",
        "⬜Workflow:ns_soon",
    ]


@pytest.mark.parametrize(
    ("targets", "mark"),
    [("~pkg.mod.run, run <pkg.go>", "✅"), ("~pkg.mod.run, ?~pkg.x.run", "⬜")],
)
def test_one_type_and_name_is_one_connection(
    targets: str, mark: str, project: Callable[..., Project]
) -> None:
    index = index_of(project, f".. heuristic:: A\n   :note: N\n   :impl: {targets}\n")
    assert cells(index, "A")[2] == f"{mark}Impl:run"


def test_without_a_namespace(project: Callable[..., Project]) -> None:
    index = index_of(project, ".. heuristic:: A\n   :note: N\n   :workflow: index\n")
    assert index.startswith("# Heuristic Index\n")
    assert cells(index, "A")[:3] == ["A", "[→](./index.rst)", "✅Workflow:index"]


@pytest.mark.parametrize(
    ("title", "heading"), [("Rules | *all*", "Rules \\| \\*all\\*"), ("C#", "C#")]
)
def test_the_title_is_text(
    title: str, heading: str, project: Callable[..., Project]
) -> None:
    index = index_of(
        project,
        ".. heuristic:: A\n   :note: N\n",
        f"heuristics_index_title = {title!r}",
    )
    assert index.startswith(f"# {heading}\n")
    tokens = MarkdownIt("commonmark").parse(index)
    assert "".join(token.content for token in tokens[1].children or ()) == title


def test_a_note_is_written_as_its_author_wrote_it(
    project: Callable[..., Project],
) -> None:
    page = (
        '.. heuristic:: A\n   :note: "Don\'t" -- use ``a|b``, *not* **c**, `x <https://e.org/y>`_,\n'
        "      :py:func:`pkg.go` or a*b_c\n"
        "   :workflow: index\n"
    )
    index = index_of(project, page)
    assert (
        r""" | "Don't" -- use `a\|b`, *not* **c**, [x](https://e.org/y), `pkg.go()` or a\*b_c |"""
        in index
    )


def test_a_note_may_be_the_first_sentence(project: Callable[..., Project]) -> None:
    index = index_of(
        project,
        ".. heuristic:: A\n   :workflow: index\n\n   It's\n   said. And more.\n",
    )
    assert cells(index, "A")[3] == "It's said."


def test_the_index_says_what_does_not_hold(project: Callable[..., Project]) -> None:
    page = "".join(
        f".. heuristic:: {name}\n   :note: N\n   :workflow: index\n   {bounds}\n\n"
        for name, bounds in (
            ("Old", ":until: 1.4"),
            ("New", ":since: 2"),
            ("Now", ":since: 1.5"),
        )
    )
    index = index_of(project, page)
    assert (
        cells(index, "Old")[3]
        == "N **(≤ 1.4; does not hold for the documented version)**"
    )
    assert (
        cells(index, "New")[3]
        == "N **(≥ 2; does not hold for the documented version)**"
    )
    assert cells(index, "Now")[3] == "N"


def test_categories(project: Callable[..., Project]) -> None:
    page = ".. heuristic:: A\n   :note: N\n   :workflow: index\n   :category: b, a\n"
    index = index_of(project, page)
    assert (
        "|----------|-------|-------------|\n| a | 1 |  |\n| b | 1 |  |\n\n---" in index
    )
    tables = index_of(
        project, page, "heuristics_categories = {'b': 'x|y', 'z': '', 'a': 'A'}"
    )
    assert "| b | 1 | x\\|y |\n| z | 0 |  |\n| a | 1 | A |\n" in tables


def test_an_empty_index(project: Callable[..., Project]) -> None:
    index = index_of(project, "")
    assert "|------|------|-------------|-------|\n\n---\n" in index


def test_rows_stand_in_the_order_of_the_toctree_then_by_name(
    project: Callable[..., Project],
) -> None:
    files = {
        "conf.py": 'extensions = ["sphinxext_heuristics"]\n',
        "index.rst": "T\n=\n\n.. toctree::\n\n   z\n   b\n",
        **{
            f"{name}.rst": f":orphan:\n\n.. heuristic:: {name.upper()}\n   :note: N\n"
            for name in "zbca"
        },
    }
    index = project(files).build("heuristics").read(INDEX)
    assert re.findall(r"^\| ([A-Z]) \|", index, re.MULTILINE) == ["Z", "B", "A", "C"]


# -- Markdown reads back --------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

#: What tells one tree from another: text, or what surrounds it with what is in it.
Tree = list[Any]


def parsed(row: str) -> list[Tree]:
    """Return what a Markdown parser reads in the cells of a row."""
    tokens = MARKDOWN.parse(f"| a | b |\n|---|---|\n{row}\n")
    assert sum(token.type == "tr_open" for token in tokens) == 2
    return [
        tree_of(token.children or []) for token in tokens if token.type == "inline"
    ][2:]


def tree_of(tokens: Sequence[Token]) -> Tree:
    root: Tree = []
    open_: list[Tree] = [root]
    for token in tokens:
        kind, _underscore, end = token.type.rpartition("_")
        if token.type in {"text", "text_special"}:
            open_[-1].append(token.content)
        elif token.type == "code_inline":
            open_[-1].append(("code", [token.content]))
        elif end == "close" or token.content.startswith("</"):
            open_.pop()
        else:
            assert end == "open" or token.content == "<code>", token
            if kind in {"em", "strong"}:  # kept where stars cannot be mistaken
                open_.append(open_[-1])
                continue
            name = (
                f"link {token.attrs['href']}"
                if kind == "link"
                else kind
                if end == "open"
                else token.content[1:-1]
            )
            inner: Tree = []
            open_[-1].append((name, inner))
            open_.append(inner)
    return tidy(root)


def meant(frozen: Iterable[Any], *, in_link: bool = False) -> Tree:
    """Return the tree of a note as it went in, for what Markdown has a form."""
    found: Tree = []
    for item in frozen:
        if isinstance(item, str):
            found.append(item)
            continue
        name, attributes, children = item
        url = dict(attributes).get("refuri", "")
        if name == "literal":
            found.append(("code", [fold("".join(children))]))
        elif url.startswith("http") and not in_link and text_of(children).strip():
            found.append(
                (f"link {MARKDOWN.normalizeLink(url)}", meant(children, in_link=True))
            )
        else:
            found += meant(children, in_link=in_link)
    return found


def fold(text: str) -> str:
    return re.sub(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+", " ", text).replace(
        "\0", "\ufffd"
    )


def tidy(tree: Tree) -> Tree:
    """Return a tree with texts that meet joined and without what is empty."""
    found: Tree = []
    for item in tree:
        if isinstance(item, str):
            if item and found and isinstance(found[-1], str):
                found[-1] = fold(found[-1] + item)
            elif item:
                found.append(fold(item))
        elif (inner := item[1] if item[0] == "code" else tidy(item[1])) not in (
            [],
            [""],
        ):
            found.append((item[0], inner))
    return found


def stripped(tree: Tree) -> Tree:
    """Return a tree without the whitespace at its ends, which a cell does not keep."""
    tree = list(tree)
    for at, strip in ((0, str.lstrip), (-1, str.rstrip)):
        if tree and isinstance(tree[at], str):
            tree[at] = strip(tree[at])
            if not tree[at]:
                del tree[at]
    return tree


_PIECES = [
    *"ab1 *_`~[]()<>!&;#\\|:/.,'\"-+=$@é€—“\u00a0\n",
    "&amp;",
    "](",
    "![",
    "<b>",
    "**",
    "__",
    "```",
    "\\|",
    "~~",
    "a_b",
]
_TEXT = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=8).map("".join), st.text(max_size=10)
)
_URLS = st.sampled_from(
    ["https://e.org/a_(b)_*c*?x=1&copy;=2", "http://x.y/|`<z>", "other.html"]
)


def _inlines(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return inline content: text, code, and markup around what *inner* gives."""
    children = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        _TEXT,
        st.tuples(st.just("literal"), st.just(()), st.tuples(_TEXT)),
        st.tuples(
            st.sampled_from(["emphasis", "strong", "inline"]), st.just(()), children
        ),
        st.tuples(
            st.just("reference"), _URLS.map(lambda url: (("refuri", url),)), children
        ),
    )


_NOTES = st.lists(_inlines(_inlines(_inlines(_TEXT))), max_size=5).map(tuple)


@settings(max_examples=500, deadline=None)
@given(_NOTES)
@example(("a|b\\|c\\", ("literal", (), ("x|y\\|z",)), "`", ("literal", (), ("`",))))
@example(("a ", ("emphasis", (), ())))
@example((("emphasis", (), ("a",)), ("strong", (), ("b",)), "c*d*"))
def test_a_markdown_parser_reads_back_what_went_in(note: tuple[Any, ...]) -> None:
    written = markdown.inline(note)
    assert "\n" not in written
    assert parsed(f"| {written} | end |") == [stripped(tidy(meant(note))), ["end"]]


@pytest.mark.parametrize(
    ("note", "written"),
    [
        (("the ", ("emphasis", (), ("other",)), " one"), "the *other* one"),
        ((("strong", (), ("a",)),), "**a**"),
        ((("emphasis", (), ("a ", ("strong", (), ("b",)), " c")),), "*a **b** c*"),
        ((("emphasis", (), ("a",)), ("strong", (), ("b",))), "*a*b"),
        ((("emphasis", (), (("literal", (), ("a",)),)),), "`a`"),
        ((("literal", (), ("a|b",)),), "`a\\|b`"),
        ((("literal", (), ("a`b",)),), "<code>a\\`b</code>"),
        ((("literal", (), (" a",)),), "<code> a</code>"),
        (
            (("reference", (("refuri", "https://e.org"),), ("e",)),),
            "[e](https://e.org)",
        ),
        ((("reference", (("refuri", "../x.html"),), ("x",)),), "x"),
        ((("raw", (("format", "html"),), ("<hr>",)), "x"), "x"),
    ],
)
def test_markup_is_as_its_author_wrote_it(note: tuple[Any, ...], written: str) -> None:
    assert markdown.inline(note) == written


@pytest.mark.parametrize(
    "text",
    [
        "Use safe_merge=True", "a1_b2_c", "a < b", "R & D", "wow! x", "#1", "1. x", "(a)", "x: y", "a - b", "50 %",
    ],
)  # fmt: skip
def test_what_is_no_markup_is_not_escaped(text: str) -> None:
    assert markdown.text(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", "a\\|b"),
        ("a\\", "a\\\\"),
        ("\\|", "\\\\\\|"),
        ("*x* _y_", "\\*x\\* \\_y\\_"),
        ("2 * 3 ~ 6", "2 \\* 3 \\~ 6"),
        ("a\nb\r\n c", "a b c"),
        ("<b>", "\\<b>"),
        ("[a](b)", "\\[a\\](b)"),
        ("![a]", "\\!\\[a\\]"),
        ("&amp;", "\\&amp;"),
        ("``x``", "\\`\\`x\\`\\`"),
    ],
)
def test_what_would_be_markup_is_escaped(text: str, written: str) -> None:
    assert markdown.text(text) == written


# -- every build compares -------------------------------------------------------------


def index_warnings(built: Built) -> list[str]:
    return [warning for warning in built.warnings if "[heuristic.index]" in warning]


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_fails_the_build(
    what: str, project: Callable[..., Project]
) -> None:
    change, line, shown = BREAKS[what]
    files = seed_files()
    change(files)
    broken = project(files)
    before = (broken.src / INDEX).read_bytes()
    first = broken.build("html", "-W")
    assert first.status == 1
    (warning,) = index_warnings(first)
    head, *lines = warning.removesuffix(" [heuristic.index]").split("\n")
    assert head == (
        f"<src>/{INDEX}:{line}: WARNING: the index differs from the pages, here first; "
        "to rewrite it: python -m sphinxext_heuristics index <src>"
    )
    assert len(lines) == len(shown)
    for found, start in zip(lines, shown, strict=True):
        assert found.startswith(f"  {start}")
    again = broken.build("html", "-W")
    assert (again.status, index_warnings(again)) == (1, [warning]), (
        "also where no page is read"
    )
    assert (broken.src / INDEX).read_bytes() == before, (
        "a build never writes into the sources"
    )


def test_a_missing_file_is_told_at_the_option(project: Callable[..., Project]) -> None:
    files = seed_files()
    del files[INDEX]
    built = project(files).build()
    line = line_of(files["conf.py"], "heuristics_index_file")
    assert built.warnings == [
        (
            f"<src>/conf.py:{line}: WARNING: the index file '<src>/{INDEX}' is not there; "
            "to write it: python -m sphinxext_heuristics index <src> [heuristic.index]"
        )
    ]


def test_the_command_is_said_as_seen_from_here(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = seed_files()
    del files[INDEX]
    broken = project(files)
    monkeypatch.chdir(broken.root)
    assert "python -m sphinxext_heuristics index src [" in broken.build().stderr
    monkeypatch.chdir(broken.src)
    assert (
        "python -m sphinxext_heuristics index . [" in broken.build("text", "-E").stderr
    )


def test_other_line_ends_are_no_difference(project: Callable[..., Project]) -> None:
    files = seed_files()
    seed = project(files)
    (seed.src / INDEX).write_bytes(SEED.replace("\n", "\r\n").encode())
    seed.ok()


def test_a_byte_order_mark_is_no_difference(project: Callable[..., Project]) -> None:
    seed = project(seed_files())
    (seed.src / INDEX).write_text(SEED, encoding="utf-8-sig")
    seed.ok()


def test_of_many_lines_that_differ_the_first_are_shown() -> None:
    assert project_file.difference("a\nb\nc\nd\ne\nf\n", "a\nx\nf\n") == (
        2,
        ["- b", "- c", "- d", "- … (1 more)", "+ x"],
    )


def test_a_missing_line_end_is_a_difference(project: Callable[..., Project]) -> None:
    files = seed_files()
    files[INDEX] = SEED.removesuffix("\n")
    (warning,) = index_warnings(project(files).build())
    assert f":{SEED.count(chr(10))}: WARNING" in warning
    assert "(no line end)" in warning


def test_an_empty_line_too_many_is_a_difference(
    project: Callable[..., Project],
) -> None:
    files = seed_files()
    files[INDEX] = f"{SEED} \n"
    (warning,) = index_warnings(project(files).build())
    assert "\n  - [heuristic.index]" in warning


def test_what_cannot_be_read_is_told(project: Callable[..., Project]) -> None:
    files = seed_files()
    del files[INDEX]
    seed = project(files)
    (seed.src / INDEX).mkdir()
    assert "cannot be read: Is a directory [heuristic.index]" in seed.build().stderr


def test_a_translation_is_not_compared(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sphinx.locale, "translators", {}
    )  # Sphinx would go on in German
    files = seed_files()
    files[PAGE] = files[PAGE].replace("Clone tensor", "Copy tensor")
    files["locales/de/LC_MESSAGES/guides/index.po"] = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    )
    broken = project(files)
    assert index_warnings(broken.build())
    assert not index_warnings(broken.build("text", "-D", "language=de", "-E"))
    assert index_warnings(broken.build("text", "-D", "language=fr", "-E")), (
        "no catalogues: the notes are the author's"
    )


def test_parallel_builds_say_the_same(project: Callable[..., Project]) -> None:
    files = seed_files()
    break_count(files)
    broken = project(files)
    assert (
        broken.build("text", "-j2").stderr
        == broken.build("text", "-E", out="serial").stderr
    )


# -- time -----------------------------------------------------------------------------


def big_plan(count: int) -> Plan:
    """Return the plan of a project with many heuristics, each connected to an object and a page."""
    pages: dict[str, Page] = {
        "api": Page(entries=tuple(entry(f"pkg.f{i}") for i in range(count)))
    }
    for i in range(count):
        pages[f"h/H{i}"] = Page(heuristics=(record(i),))
    settings_ = Settings.of(FakeConfig())  # type: ignore[arg-type]
    catalogue = Catalogue(pages)
    objects = Objects(
        (e for _docname, e in catalogue.entries),
        canonical={},
        aliases=lambda name: (name,),
    )
    known = Lookups(
        objects=objects, pages=Pages(dict.fromkeys(pages, ()), {}),
        external=lambda _kind, _name: None, elsewhere=lambda _name: None, defined=lambda _name: None,
        settle=lambda record: Note(record.note, record.docname), excluded=frozenset(), version="1",
        verify=lambda _quoted: pytest.fail("nothing is quoted"), installed=lambda _package: None,
        messages=lambda _quoted: (), srcdir=Path("/src"),
    )  # fmt: skip
    return Plan(catalogue=catalogue, settings=settings_, lookups=known)


def entry(name: str) -> Entry:
    return Entry(names=(name,), lineage=(name,), anchor=name, by_hand=False)


def record(i: int) -> Heuristic:
    return Heuristic(
        name=f"H{i}", title=f"H {i}", note=(f"Note {i} with a_b and ", ("literal", (), (f"x|{i}",))), severity="tip",
        categories=(f"C{i % 20}",), excepts=(), since="", until="", inject=True, classes=(), docname=f"h/H{i}",
        anchor=f"h{i}",
        connections=(Connection(type="impl", target=f"pkg.f{i}"), Connection(type="workflow", target=f"h/H{i}")),
        source=f"/src/h/H{i}.md", line=1,
    )  # fmt: skip


class FakeConfig:
    """Configuration with all defaults."""

    def __getattr__(self, name: str) -> object:
        defaults: Mapping[str, object] = {
            option.name: option.default for option in OPTIONS
        }
        return defaults[name]


def seconds(count: int) -> float:
    plan = big_plan(count)
    plan.shown_in  # noqa: B018 - what shows what is known by then: the warnings have asked
    plan.by_page  # noqa: B018
    best = float("inf")
    for _run in range(3):
        start = time.process_time()
        wanted = index_file.content(
            plan, Path("/src/index.md"), lambda docname: f"/src/{docname}.md"
        )
        assert project_file.difference(wanted.replace("Note 5 ", "Note five "), wanted)
        exporter = Exporter(plan, Path("/src"), lambda docname: f"{docname}.html")
        exporter.all(project="", release="", extension="")
        best = min(best, time.process_time() - start)
    assert wanted.count("\n") > count
    return best


@pytest.mark.slow
def test_time_is_linear_in_the_number_of_heuristics() -> None:
    small, large = seconds(1250), seconds(5000)
    # Linear is 4, quadratic 16; between them there is room for a busy machine.
    assert large / small < 8, f"1,250: {small:.2f} s, 5,000: {large:.2f} s"
