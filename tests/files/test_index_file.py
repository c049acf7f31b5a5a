"""The index as a file: the seed to the byte, Markdown that reads back, and the comparison on every build."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sphinx.locale
from conftest import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from seed import INDEX, PAGE, SEED, seed_files

from sphinxext_heuristics._core.config import OPTIONS, Settings
from sphinxext_heuristics._core.files import index_file, project_file
from sphinxext_heuristics._core.files.export import Exporter
from sphinxext_heuristics._core.model import Connection, Entry, Heuristic, Note, Page
from sphinxext_heuristics._core.notes import markdown
from sphinxext_heuristics._core.resolve.catalogue import Catalogue
from sphinxext_heuristics._core.resolve.meanings import Meanings
from sphinxext_heuristics._core.resolve.objects import Objects
from sphinxext_heuristics._core.resolve.pages import External, Pages
from sphinxext_heuristics._core.resolve.placing import Placing
from sphinxext_heuristics._core.resolve.plan import Plan
from sphinxext_heuristics._core.resolve.quotes import Quotes
from sphinxext_heuristics._core.source.answers import Answers
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conftest import Built, Project
    from markdown_it.token import Token


# -- the seed -------------------------------------------------------------------------


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


# -- names, notes and categories ------------------------------------------------------


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
        is_link = url.startswith("http") and not in_link
        if name == "literal":
            found.append(("code", [fold("".join(children))]))
            continue
        inner = meant(children, in_link=in_link or is_link)
        # A link around nothing would not be seen.
        if is_link and stripped(tidy(inner)):
            found.append((f"link {MARKDOWN.normalizeLink(url)}", inner))
        else:
            found += inner
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
@example((("reference", (("refuri", "http://e.org"),), (("literal", (), (" ",)),)),))
@example((("reference", (("refuri", "http://e.org"),), (("emphasis", (), (" ",)),)),))
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
        # Between backticks, GitHub would take the second backslash for escaped, and the
        # bar for the cell's end.
        ((("literal", (), ("a\\|b",)),), r"<code>a\\\|b</code>"),
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
        ["- b", "- c", "- d", "+ x"],
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
    broken = project({**seed_files(), INDEX: SEED.replace("| 3 |", "| 4 |")})
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
    catalogue = Catalogue(pages, settings_, "1")
    entries = (e for page in pages.values() for e in page.entries)
    external = External(SimpleNamespace())  # type: ignore[arg-type]
    meanings = Meanings(
        catalogue, Objects(entries, {}, Answers({}, Sources([]))), Pages(pages, {}), external, Sources([])
    )  # fmt: skip
    return Plan(
        catalogue=catalogue,
        meanings=meanings,
        quotes=Quotes(
            "", "1", verify=lambda _quoted: pytest.fail("nothing is quoted"),
            messages=lambda _quoted: (), installed=lambda _package: None,
        ),
        placing=Placing(catalogue, meanings),
        note=lambda record: Note(record.note, record.docname),
    )  # fmt: skip


def entry(name: str) -> Entry:
    return Entry(names=(name,), lineage=(name,), anchor=name)


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
    plan.placing.shown_in  # noqa: B018 - what shows what is known by then: the warnings have asked
    plan.placing.by_page  # noqa: B018
    best = float("inf")
    for _run in range(3):
        start = time.process_time()
        wanted = index_file.content(
            plan, Path("/src/index.md"), lambda docname: f"/src/{docname}.md"
        )
        assert project_file.difference(wanted.replace("Note 5 ", "Note five "), wanted)
        exporter = Exporter(plan, lambda docname: f"{docname}.html", Path("/src"))
        exporter.all(SimpleNamespace(project="", release=""), "", [])  # type: ignore[arg-type]
        best = min(best, time.process_time() - start)
    assert wanted.count("\n") > count
    return best


@pytest.mark.slow
def test_time_is_linear_in_the_number_of_heuristics() -> None:
    small, large = seconds(1250), seconds(5000)
    # Linear is 4, quadratic 16; between them there is room for a busy machine.
    assert large / small < 8, f"1,250: {small:.2f} s, 5,000: {large:.2f} s"
