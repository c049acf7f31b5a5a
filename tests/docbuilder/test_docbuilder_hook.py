"""The hook for doc-builder: the command that writes it, and what it decides."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from hooked import CONF, PAGE, REFERENCE, Docs, data_of, forget

from sphinxext_heuristics.docbuilder import built, hook, hook_code
from sphinxext_heuristics.docbuilder.cards import AlertPlace, decide
from sphinxext_heuristics.docbuilder.export import CODE, DATA
from sphinxext_heuristics.docbuilder.hook import main
from sphinxext_heuristics.docbuilder.selection import read_selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sphinxext_heuristics.docbuilder.cards import Decision


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docs]:
    """Write a package, and doc-builder's folder, in the current folder."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    forget()
    yield Docs(tmp_path)
    forget()


@pytest.fixture
def project(docs: Docs) -> Docs:
    """Put a Sphinx project beside it."""
    docs.write_site()
    return docs


# -- what a docstring shows -----------------------------------------------------------


def item(
    name: str, entries: Sequence[dict[str, str]] = ({},), **more: object
) -> dict[str, Any]:
    """Return what `heuristics.json` has of a heuristic, which an entry shows."""
    entry = {"name": "zoo.Base.wash", "parameter": None, "reach": "named"}
    return {
        "name": name,
        "title": name,
        "note": {"markdown": "Use `care`"},
        "url": f"{name}.html",
        "severity": "tip",
        "weight": 0,
        "holds": True,
        "inject": True,
        "entries": [entry | it for it in entries],
        "connections": [],
        **more,
    }


def impl(target: str, *names: str) -> list[dict[str, Any]]:
    return [{"type": "impl", "target": target, "names": list(names)}]


def decided(
    items: list[dict[str, Any]],
    url: str = "",
    selected: Mapping[AlertPlace, str] | None = None,
) -> Decision:
    return decide(items, importlib.import_module("zoo"), url, selected)


def shown_at(decision: Decision, name: str) -> list[str]:
    """Return what is shown at a docstring, the parameter in front."""
    return [
        ": ".join(
            filter(
                None, [it.get("parameter"), it.get("heuristic"), link_of(it["text"])]
            )
        )
        for it in decision.docstrings.get(name, ())
    ]


def link_of(text: str) -> str:
    return "" if text.startswith("> ") else text


@pytest.mark.usefixtures("docs")
def test_danger_comes_first_then_the_weight_the_severity_the_way_and_the_order() -> (
    None
):
    items = [
        item("E", entries=[{"reach": "inherited"}]),
        item("F", entries=[{"reach": "inherited"}]),
        item("D"),
        item("C", severity="caution"),
        item("B", weight=2),
        item("A", severity="danger"),
    ]
    decision = decided(items, "https://a.b")
    links = [f"[{name}](https://a.b/{name}.html)" for name in "DEF"]
    assert shown_at(decision, "zoo:Base.wash") == [
        "A",
        "B",
        "C",
        f"3 more: {'; '.join(links)}.",
    ]
    assert not any("more" in it for it in shown_at(decided(items), "zoo:Base.wash"))
    alerts = decided(items).docstrings["zoo:Base.wash"]
    assert [it["text"] for it in alerts] == [
        "> [!CAUTION]\n> **A.** Use `care`.",
        "> [!TIP]\n> **B.** Use `care`.",
        "> [!CAUTION]\n> **C.** Use `care`.",
    ]


@pytest.mark.usefixtures("docs")
def test_three_in_a_docstring_those_at_parameters_counted() -> None:
    at_food = {"name": "zoo.Base.feed", "parameter": "food"}
    items = [item(f"Own{n}", entries=[{"name": "zoo.Base.feed"}]) for n in range(2)]
    items += [item(f"Food{n}", entries=[at_food], weight=1 - n) for n in range(2)]
    # the signature has it, the docstring does not describe it
    at_water = {**at_food, "parameter": "water"}
    items += [item("Water", entries=[at_water], weight=9)]
    decision = decided(items)
    shown = ["Water", "food: Food0", "Own0"]
    for name in ("zoo:Base.feed", "zoo:Child.feed"):
        assert shown_at(decision, name) == shown
    assert list(decision.shown) == [
        AlertPlace("Water", "zoo.Base.feed"),
        AlertPlace("Food0", "zoo.Base.feed", "food"),
        AlertPlace("Own0", "zoo.Base.feed"),
    ]
    *_, more = shown_at(decided(items, "u"), "zoo:Base.feed")
    assert more == "2 more: [Own1](u/Own1.html); [Food1](u/Food1.html)."


@pytest.mark.usefixtures("docs")
def test_a_heuristic_is_once_in_a_docstring_at_its_parameter() -> None:
    at_food = {"name": "zoo.Base.feed", "parameter": "food"}
    entries = [{"name": "zoo.Base.feed"}, at_food, {**at_food, "reach": "wide"}]
    decision = decided([item("A", entries=entries)], "u")
    assert shown_at(decision, "zoo:Base.feed") == ["food: A"]
    entries = [{**at_food, "reach": "wide"}, {"name": "zoo.Base.feed"}]
    decision = decided([item("A", entries=entries)], "u")
    assert shown_at(decision, "zoo:Base.feed") == ["A"]


@pytest.mark.usefixtures("docs")
def test_what_a_wildcard_reaches_is_linked_at_its_parameter() -> None:
    at_food = {"name": "zoo.Base.feed", "parameter": "food", "reach": "wide"}
    at_water = {**at_food, "parameter": "water"}
    items = [item(name, entries=[at_food]) for name in "AB"]
    items += [item("C", entries=[at_water]), item("D", entries=[{"reach": "wide"}])]
    decision = decided(items, "u")
    assert decision.docstrings == {
        name: [{"parameter": "food", "text": "See [A](u/A.html); [B](u/B.html)."}]
        for name in ("zoo:Base.feed", "zoo:Child.feed")
    }
    assert not decision.shown
    assert not decided(items).docstrings


@pytest.mark.usefixtures("docs")
def test_a_class_with_its_subclasses_names_its_own_member() -> None:
    wide = {"reach": "wide"}
    names = ("zoo.Base.wash", "zoo.Grandchild.wash")
    items = [
        item("Inherited", entries=[{"reach": "inherited"}]),
        item(
            "Own",
            entries=[wide, {**wide, "name": "zoo.Grandchild.wash"}],
            connections=impl("zoo.Base+.wash", *names),
        ),
        # only a copy that is inherited has a card
        item(
            "Copy",
            entries=[{**wide, "name": "zoo.Child.load"}],
            connections=impl("zoo.Base+.load", "zoo.Child.load"),
        ),
        item("All", entries=[wide], connections=impl("*.wash", *names)),
    ]
    assert list(decided(items).shown) == [
        AlertPlace("Own", "zoo.Base.wash"),
        AlertPlace("Inherited", "zoo.Base.wash"),
        AlertPlace("Copy", "zoo.Child.load"),
    ]


@pytest.mark.usefixtures("docs")
def test_what_has_no_card_is_named_at_its_class_once() -> None:
    silent = {"name": "zoo.Base.silent"}
    items = [
        item("A", entries=[silent, {"name": "zoo.Base"}]),
        item("B", entries=[silent]),
        item("C", connections=impl("zoo.Child.wash")),
        item("D", entries=[], connections=impl("zoo.Grandchild.load")),
        item("E", entries=[], connections=impl("zoo.clean")),
        item("F", entries=[], connections=impl("zoo.gone")),
        item("G", entries=[], connections=impl("zoo.Base+.gone")),
        item("H", entries=[], connections=impl("others.gone")),
        item("I", entries=[], connections=impl("zoo.Base.load"), inject=False),
        item("J", entries=[], connections=impl("zoo.broken.f")),
        item("K", entries=[{"name": "zoo.build"}]),
    ]
    decision = decided(items)
    assert shown_at(decision, "zoo:Base") == ["A", "B"]
    _, silent_text = decision.docstrings["zoo:Base"]
    assert silent_text["text"] == "> [!TIP]\n> **`silent`: B.** Use `care`."
    assert shown_at(decision, "zoo:Child") == ["C"]
    assert shown_at(decision, "zoo:Grandchild") == ["D"]
    assert AlertPlace("B", "zoo.Base.silent") in decision.shown
    assert decision.left_out == {
        "zoo.clean": "no page documents it",
        "zoo.broken.f": "cannot import zoo.broken: RuntimeError: no backend",
        "zoo.build": "its docstring does not begin with a paragraph",
    }
    assert decision.missing == {"zoo.gone"}


def test_the_parameter_of_a_member_is_not_that_of_its_class(docs: Docs) -> None:
    described = '"""The base.\n\n    Args:\n        food: All.\n    """'
    docs.change("zoo/__init__.py", ('"""The base."""', described))
    entries = [{"name": "zoo.Base.silent", "parameter": "food"}]
    decision = decided([item("A", entries=entries)])
    assert list(decision.shown) == [AlertPlace("A", "zoo.Base.silent")]
    (shown,) = decision.docstrings["zoo:Base"]
    assert "parameter" not in shown


@pytest.mark.parametrize(
    ("source", "name", "reason"),
    [
        ("def silent():\n    pass\n", "zoo.silent", "no docstring of its own"),
        (
            "from dataclasses import dataclass\n\n@dataclass\nclass C:\n    n: int = 1",
            "zoo.C",
            "no docstring of its own",
        ),
        ("class C(int):\n    pass\n", "zoo.C", "no docstring of its own"),
        ("LIMIT = 3\n", "zoo.LIMIT", "no docstring of its own"),
    ],
)
def test_a_generated_docstring_takes_no_alert(
    docs: Docs, source: str, name: str, reason: str
) -> None:
    docs.write({"zoo/__init__.py": source})
    decision = decided([item("A", entries=[{"name": name}])])
    assert not decision.docstrings
    assert decision.left_out == {name: reason}


@pytest.mark.parametrize("exits", ["SystemExit(3)", "Skipped('no GPU')"])
def test_only_what_a_name_leads_to_is_imported(docs: Docs, exits: str) -> None:
    evil = f"class Skipped(BaseException):\n    pass\n\nraise {exits}\n"
    docs.write({"zoo/__main__.py": evil, "zoo/old.py": evil, "zoo/exits.py": evil})
    names = ["zoo.__main__.go", "zoo.exits.go", "zoo.Base.wash", "zoo.deep.cage.lock"]
    items = [item("A", entries=[{"name": name} for name in names])]
    decision = decided(items)
    assert [*decision.docstrings] == ["zoo:Base.wash", "zoo.deep.cage:lock"]
    assert decision.missing == {"zoo.__main__.go"}
    kind, _, text = exits[:-1].partition("(")
    assert decision.left_out == {
        "zoo.exits.go": f"cannot import zoo.exits: {kind}: {text.strip(chr(39))}"
    }
    assert "zoo.old" not in sys.modules


@pytest.mark.usefixtures("docs")
def test_what_a_metaclass_makes_up_is_no_object() -> None:
    decision = decided([item("A", entries=[{"name": "zoo.Base.made_up"}])])
    assert decision.missing == {"zoo.Base.made_up"}


@pytest.mark.usefixtures("docs")
@pytest.mark.parametrize("count", [6, 7])
def test_a_line_has_few_links(count: int) -> None:
    items = [item(f"N{n}") for n in range(3 + count)]
    *_, line = shown_at(decided(items, "https://a.b"), "zoo:Base.wash")
    links = [f"[N{n}](https://a.b/N{n}.html)" for n in range(3, 9)]
    if count == 7:
        links[-1] = "[2 others](https://a.b)"
    assert line == f"{count} more: {'; '.join(links)}."


@pytest.mark.usefixtures("docs")
def test_titles_and_notes_are_markdown() -> None:
    note = {"markdown": "Use `a|b` or <code>x\\`y</code>\n\\| z."}
    items = [item("A", title="Why_ `x` [y]?", note=note)]
    (alert,) = decided(items).docstrings["zoo:Base.wash"]
    assert alert["text"] == (
        "> [!TIP]\n> **Why\\_ \\`x\\` \\[y\\]?** Use `a|b` or `x'y` | z."
    )
    (alert,) = decided(items, "https://a.b/").docstrings["zoo:Base.wash"]
    linked = "**[Why\\_ \\`x\\` \\[y\\]?](https://a.b/A.html)**"
    assert linked in alert["text"]


@pytest.mark.usefixtures("docs")
def test_code_in_a_docstring_of_restructured_text_has_two_backticks() -> None:
    items = [item("A", entries=[{"name": "zoo.clean"}])]
    (alert,) = decided(items).docstrings["zoo:clean"]
    assert alert["text"] == "> [!TIP]\n> **A.** Use ``care``."


@pytest.mark.usefixtures("docs")
def test_all_that_is_decided_is_added() -> None:
    items = [item(f"Own{n}", entries=[{"name": "zoo.Base.feed"}]) for n in range(5)]
    at_food = {"name": "zoo.Base.feed", "parameter": "food"}
    items += [item("Food", entries=[at_food], weight=1, note={"markdown": "Why?"})]
    items += [item("Wide", entries=[{**at_food, "reach": "wide"}])]
    items += [item("Member", entries=[{"name": "zoo.Base.silent"}])]
    for url in ("", "https://a.b"):
        docstrings = decided(items, url).docstrings
        for name, alerts in docstrings.items():
            lost: dict[str, list[str]] = defaultdict(list)
            assert hook_code.add(name, alerts, lost) == len(alerts)
            assert not lost
        forget()


# -- the selection --------------------------------------------------------------------


@pytest.mark.usefixtures("docs")
def test_only_what_is_selected_is_shown() -> None:
    items = [item(name, weight=-n) for n, name in enumerate("ABCDEFG")]
    chosen = [AlertPlace(name, "zoo.Base.wash") for name in "BDFG"]
    decision = decided(items, "", dict.fromkeys(chosen, ""))
    assert list(decision.shown) == chosen[:3]
    assert [place.heuristic for place in decision.allowed] == ["A", "B", "C"]
    linked = decided(items, "u", dict.fromkeys(chosen, ""))
    *_, more = shown_at(linked, "zoo:Base.wash")
    assert more == "1 more: [G](u/G.html)."
    assert not decided(items, "u", {}).docstrings


@pytest.mark.usefixtures("docs")
@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ("Say it", "**`silent`: A.** Say it."),
        ("**Mind it** Or not!", "**Mind it.** Or not!"),
        ("**Mind it!** Or **not**", "**Mind it!** Or **not**."),
        ("Do **not** do it", "**`silent`: A.** Do **not** do it."),
    ],
)
def test_a_text_of_its_own_replaces_the_note(own: str, shown: str) -> None:
    items = [item("A", entries=[{"name": "zoo.Base.silent"}])]
    selected = {AlertPlace("A", "zoo.Base.silent"): own}
    (alert,) = decided(items, "", selected).docstrings["zoo:Base"]
    assert alert["text"] == f"> [!TIP]\n> {shown}"
    title = "Mind it" if "Mind" in shown else "A"
    (alert,) = decided(items, "https://a.b", selected).docstrings["zoo:Base"]
    assert re.search(rf"\[{title}!?\]\(https://a.b/A.html\)", alert["text"])


SELECT = """\
# Chosen by hand, this is a comment of many words

Hot zoo.Base.feed
    **Never feed** it
    by hand.
Food zoo.Base.feed food
# Late zoo.Base.wash
    Its text.
"""


def test_what_a_selection_says(tmp_path: Path) -> None:
    file = tmp_path / "select.txt"
    file.write_text(SELECT, encoding="utf-8")
    selection = read_selection(file)
    hot, food = (
        AlertPlace("Hot", "zoo.Base.feed"),
        AlertPlace("Food", "zoo.Base.feed", "food"),
    )
    late = AlertPlace("Late", "zoo.Base.wash")
    assert selection.lines == {hot: 3, food: 6}
    assert selection.chosen == {hot: "**Never feed** it by hand.", food: ""}
    assert [*selection.unwanted] == [late]
    assert not selection.faults
    new = AlertPlace("New", "zoo.Base.wash")
    assert list(selection.undecided([hot, food, late, new])) == [new]
    lines = selection.written([late])
    assert [line for line in lines if not line.startswith("# ") or "zoo" in line] == [
        "",
        "Hot zoo.Base.feed",
        "    **Never feed** it by hand.",
        "Food zoo.Base.feed food",
        "",
        "# Late zoo.Base.wash",
        "    Its text.",
    ]


def test_a_selection_that_is_written_is_read_again(tmp_path: Path) -> None:
    """What a file decides is never lost, also if nothing is shown for it today."""
    file = tmp_path / "select.txt"
    places = [AlertPlace(f"N{n}", "zoo.Base.wash") for n in range(9)]
    unwanted = [f"# {place}" for place in places]
    file.write_text("\n".join([*unwanted, "Gone zoo.gone", "    Text."]), "utf-8")
    for _ in range(2):
        lines = list(read_selection(file).written(places[:1]))
        assert lines[-12:] == ["", *unwanted, "", "Gone zoo.gone", "    Text."][-12:]
        file.write_text("\n".join(lines), encoding="utf-8")


# -- the command ----------------------------------------------------------------------

PROG = "python -m sphinxext_heuristics.docbuilder"


def test_the_command_writes_two_files(project: Docs) -> None:
    command = [sys.executable, *PROG.split()[1:], "hook", "source", "pages"]
    path = os.pathsep.join([str(project.root), *sys.path])
    done = subprocess.run(  # noqa: S603 - our own
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "pages/_heuristics.py: written",
        "pages/_heuristics.json: written",
        "5 alerts in 4 docstrings, 0 of them at parameters",
    ]
    code = Path(hook_code.__file__).read_bytes()
    assert (project.pages / CODE).read_bytes() == code
    text = (project.pages / DATA).read_text(encoding="utf-8")
    assert text == (
        "[\n"
        r'{"object": "zoo:Base", "heuristic": "Quiet", "text": "> [!TIP]\n> **`silent`: Quiet.** Say nothing."},'
        "\n"
        r'{"object": "zoo:Base.feed", "heuristic": "Hot", "text": "> [!CAUTION]\n> **Hot.** Do not."},'
        "\n"
        r'{"object": "zoo:Child.feed", "heuristic": "Hot", "text": "> [!CAUTION]\n> **Hot.** Do not."},'
        "\n"
        r'{"object": "zoo:Base.wash", "heuristic": "Hot", "text": "> [!CAUTION]\n> **Hot.** Do not."},'
        "\n"
        r'{"object": "zoo:Base.wash", "heuristic": "Late", "text": "> [!TIP]\n> **Wash\\_ it \\[late\\].** Use `a|b` or `x'
        "'"
        r'y`."},'
        "\n"
        r'{"object": "zoo:Child", "heuristic": "Bare", "text": "> [!NOTE]\n> **`wash`: Bare.** No page documents it."}'
        "\n]\n"
    )
    zoo = project.run_config()
    assert "> [!CAUTION]\n> **Hot.** Do not." in zoo.Base.wash.__doc__
    assert "> **`silent`: Quiet.** Say nothing." in zoo.Base.__doc__
    assert project.ok().lines[:2] == [
        "pages/_heuristics.py: unchanged",
        "pages/_heuristics.json: unchanged",
    ]


def test_with_an_address_titles_are_links(project: Docs) -> None:
    page = "https://a.b/heuristics/all.html"
    project.ok("--base-url", "https://a.b/")
    data = project.data()
    assert data["zoo:Base.feed"] == [
        {
            "heuristic": "Hot",
            "text": f"> [!CAUTION]\n> **[Hot]({page}#heuristic-hot).** Do not.",
        },
        {"parameter": "food", "text": f"See [Food]({page}#heuristic-food)."},
    ]
    linked = f"`wash`: [Bare]({page}#heuristic-bare)"
    assert data["zoo:Child"][0]["text"].startswith(f"> [!NOTE]\n> **{linked}.** No")


def test_a_class_with_its_subclasses_names_its_member_in_a_build(project: Docs) -> None:
    project.change(
        "source/heuristics/all.rst", (":impl: zoo.Base+", ":impl: ~zoo.Base+.wash")
    )
    project.ok()
    assert [it["heuristic"] for it in project.data()["zoo:Base.wash"]] == [
        "Hot",
        "Late",
        "Wide",
    ]


def test_heuristics_may_be_elsewhere(project: Docs) -> None:
    (project.root / "source/heuristics").rename(project.root / "others")
    done = project.command()
    assert done.code == 2
    assert "No such file or directory: 'source/heuristics'" in done.err
    project.ok("--heuristics", "others")


def test_the_copy_has_pages_only(project: Docs, tmp_path: Path) -> None:
    project.write(
        {
            "pages/heuristics/stale.rst": PAGE,
            "source/heuristics/reach.txt": "Hot zoo.f\n",
        }
    )
    heuristics = project.root / "source/heuristics"
    copy = built.copy_of(project.pages, heuristics, tmp_path / "copy")
    names = sorted(path.name for path in (copy / "heuristics").iterdir())
    assert names == ["all.rst"]


def test_what_sphinx_would_not_read_is_passed_over(
    project: Docs, tmp_path: Path
) -> None:
    pages = project.pages
    (pages / "deep").mkdir()
    (pages / "deep" / "page.rst").write_text("Deep\n====\n")
    (pages / "linked").symlink_to("deep")
    # what editors and programs leave
    (pages / ".#index.rst").symlink_to("somebody@machine.1234")
    (pages / "itself.rst").symlink_to("itself.rst")
    (pages / "deep" / "above").symlink_to("..")
    (pages / "deep" / "here").symlink_to(".")
    os.mkfifo(pages / "pipe.rst")
    heuristics = project.root / "source/heuristics"
    (heuristics / ".#all.rst").symlink_to("nobody@1")
    copy = built.copy_of(pages, heuristics, tmp_path / "copy")
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*.rst")}
    assert names == {
        "index.rst",
        "deep/page.rst",
        "linked/page.rst",
        "heuristics/all.rst",
    }
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    project.ok()


def test_the_records_of_the_site_are_not_needed(project: Docs) -> None:
    more = (
        'extensions += ["sphinxext_heuristics.releases"]\n'
        'heuristics_index_file = "index.md"\n'
        'heuristics_reach_file = "heuristics/reach.txt"\n'
        'heuristics_releases_file = "heuristics/releases.json"\n'
    )
    project.write({"source/conf.py": CONF + more})
    project.ok()


def test_the_lines_for_config_py_are_said(project: Docs) -> None:
    project.write({"pages/_config.py": ""})
    done = project.command()
    assert done.code == 0
    assert done.err == f"pages/_config.py: put this at its start:\n\n{hook.LINES}"


def test_a_tree_that_cannot_be_read_is_all_that_is_said(project: Docs) -> None:
    page = "source/heuristics/all.rst"
    project.change(page, (":severity: tip", ":severity: tap"))
    tree = "- local: index\n  title: Zoo\n- local: [\n"
    project.write({"pages/_toctree.yml": tree, "select.txt": "of no form at all\n"})
    for options in (
        (),
        ("--check",),
        ("--strict", "--select", "select.txt"),
        ("--select", "gone.txt"),
    ):
        done = project.command(*options)
        assert (done.code, done.out) == (2, "")
        (line,) = done.err.splitlines()
        assert line.startswith(f"{PROG}: error: pages/_toctree.yml:4: ")


# -- the selection, by the command ----------------------------------------------------

WRITTEN = """\

Hot zoo.Base.feed

Quiet zoo.Base.silent

Hot zoo.Base.wash
Late zoo.Base.wash

Bare zoo.Child.wash
"""


def test_write_select_writes_all_that_is_allowed_and_keeps_what_is_decided(
    project: Docs,
) -> None:
    done = project.command("--write-select")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{PROG}: error: --write-select needs --select FILE, which it writes\n"
    )
    done = project.command("--select", "select.txt")
    assert (done.code, done.err) == (
        2,
        f"{PROG}: error: select.txt does not exist; --write-select writes it\n",
    )
    options = ("--select", "select.txt", "--write-select")
    assert project.ok(*options).lines == ["select.txt: written"]
    file = project.root / "select.txt"
    text = file.read_text(encoding="utf-8")
    assert text.endswith(WRITTEN)
    head = text.removesuffix(WRITTEN)
    assert all(line.startswith("# ") for line in head.splitlines())
    assert not (project.pages / DATA).exists()
    project.write({"select.txt": f"Gone zoo.Base.feed\n{SELECT}"})
    # also where it is one of the faults that --strict refuses
    project.ok(*options, "--strict")
    own = "    **Never feed** it by hand.\n"
    decided = f"Base.feed\n{own}Gone zoo.Base.feed\nFood zoo.Base.feed food\n"
    kept = WRITTEN.replace("Base.feed\n", decided)
    kept = kept.replace("Late zoo.Base.wash\n", "# Late zoo.Base.wash\n    Its text.\n")
    assert file.read_text(encoding="utf-8") == head + kept
    project.ok(*options)
    assert file.read_text(encoding="utf-8") == head + kept


def test_only_selected_lines_are_shown_and_the_others_told(project: Docs) -> None:
    more = "".join(
        f"\n.. heuristic:: N{n}\n   :note: N.\n   :impl: zoo.Base.wash\n"
        f"   :severity: danger\n"
        for n in range(3)
    )
    food = "   :impl: zoo.Base.feed\n   :param: water\n"
    more += f"\n.. heuristic:: Water\n   :note: N.\n{food}"
    project.write({"source/heuristics/all.rst": PAGE + more})
    select = SELECT + (
        "N0 zoo.Base.wash\nN1 zoo.Base.wash\nN2 zoo.Base.wash\n"
        "Hot zoo.Base.wash\nHot zoo.Base.bathe\nGone zoo.Base.wash\n"
        "Water zoo.Base.feed water\n"
    )
    project.write({"select.txt": select})
    done = project.ok("--select", "select.txt")
    told = [
        "select.txt:6: Food zoo.Base.feed food: not shown: no heuristic of this name is about that",
        "select.txt:11: N2 zoo.Base.wash: not shown: a docstring has at most 3 alerts",
        "select.txt:13: Hot zoo.Base.bathe: not shown: no heuristic of this name is about that",
        "select.txt:14: Gone zoo.Base.wash: not shown: no heuristic of this name is about that",
        "select.txt:15: Water zoo.Base.feed water: not shown: the docstring does not describe 'water'",
        "select.txt: not decided on, and not shown: Water zoo.Base.feed",
        "select.txt: not decided on, and not shown: Quiet zoo.Base.silent",
        "select.txt: not decided on, and not shown: Bare zoo.Child.wash",
    ]
    assert done.lines[2] == "4 alerts in 2 docstrings, 0 of them at parameters"
    assert sorted(done.lines[3:]) == sorted(told)
    shown = "> [!CAUTION]\n> **Never feed.** it by hand."
    assert project.data()["zoo:Base.feed"] == [{"heuristic": "Hot", "text": shown}]
    strict = project.command("--select", "select.txt", "--strict", "--check")
    assert strict.code == 1
    assert sorted(strict.lines) == sorted(told)
    assert strict.err.endswith("fix what is named above; nothing is written\n")


def test_a_line_for_an_object_that_is_gone(project: Docs) -> None:
    project.change("zoo/__init__.py", ("def wash", "def rinse"))
    project.write({"select.txt": "Hot zoo.Base.wash\nBare zoo.Child.wash\n"})
    done = project.ok("--select", "select.txt")
    assert [line for line in done.lines if line.startswith("select.txt:1:")] == [
        "select.txt:1: Hot zoo.Base.wash: not shown: there is no such object"
    ]


def test_a_line_that_cannot_be_read_is_a_fault(project: Docs) -> None:
    project.write({"select.txt": "Hot zoo.Base.feed\n\nHot\nNAME a b c\n"})
    done = project.command("--select", "select.txt")
    assert done.code == 1
    assert done.lines == [
        "select.txt:3: expected NAME OBJECT [PARAMETER], found 'Hot'",
        "select.txt:4: expected NAME OBJECT [PARAMETER], found 'NAME a b c'",
    ]
    assert not (project.pages / DATA).exists()


# -- what does not hold for the installed package -------------------------------------

#: What no release of the package explains, and what one does.
MISTAKE = (":severity: tip", ":severity: tap")
QUOTE = """
   .. evidence:: zoo:Base.wash

      def wash(self, soap)
"""
LACKS = {
    "target": ("zoo.Base.wash, ", "zoo.Base.wach, "),
    "evidence": ("   :since: 1.2\n", f"   :since: 1.2\n{QUOTE}"),
    "except": (":severity: danger", ":severity: danger\n   :except: zoo.gone"),
    "param": (":severity: danger", ":severity: danger\n   :param: zzz"),
}
ALL = "source/heuristics/all.rst"


def test_a_mistake_is_a_finding(project: Docs) -> None:
    project.write({"source/conf.py": f"{CONF}show_warning_types = False\n"})
    project.write({ALL: f"{PAGE}\n.. nowhere::\n"})
    project.change(ALL, MISTAKE, LACKS["target"])
    for options in ((), ("--check",)):
        done = project.command(*options)
        assert done.code == 1
        (line,) = done.lines
        assert line.startswith(f"{ALL}:8: WARNING: ")
        assert line.endswith("[heuristic.option]")
        assert done.err == (
            f"{PROG}: error: fix what is named above; nothing is written\n"
        )
    assert not (project.pages / CODE).exists()


@pytest.mark.parametrize("subtype", LACKS)
def test_what_the_installed_package_lacks_is_left_out_and_named(
    project: Docs, subtype: str
) -> None:
    project.change(ALL, LACKS[subtype])
    strict = project.command("--strict")
    assert strict.code == 1
    kind = "target" if subtype == "param" else subtype
    assert strict.out.rstrip().endswith(f"[heuristic.{kind}]")
    assert not (project.pages / CODE).exists()
    name, problem = project.ok().lines[3:]
    lacks = {"evidence": "what it quotes", "param": "its parameter"}.get(subtype)
    assert name == (f"Hot: left out, zoo 1.5 lacks {lacks}" if lacks else "Hot")
    assert re.match(rf"  {ALL}:\d+: ", problem)
    assert "[heuristic" not in problem
    named = {"target": "wach", "evidence": "zoo:Base", "param": "zzz"}
    assert named.get(subtype, "gone") in problem
    shows = [
        name
        for name, alerts in project.data().items()
        if any(it["heuristic"] == "Hot" for it in alerts)
    ]
    assert shows == {
        "target": ["zoo:Base.feed", "zoo:Child.feed"],
        "except": ["zoo:Base.feed", "zoo:Child.feed", "zoo:Base.wash"],
    }.get(subtype, [])
    assert "Late" in str(project.data()["zoo:Base.wash"])
    assert project.ok("--check").out == "pages: up to date\n"


COLLAPSED = {
    "closed": ".. note::\n      :collapsible: closed\n",
    "open": ".. note::\n      :collapsible: open\n",
    "dropdown": ".. dropdown:: More\n",
    "opened dropdown": ".. dropdown:: More\n      :open:\n",
}


@pytest.mark.parametrize("kind", COLLAPSED)
def test_a_quote_in_what_is_collapsed_may_be_lost(project: Docs, kind: str) -> None:
    project.write({"source/conf.py": f"{CONF}extensions += ['sphinx_design']\n"})
    quote = QUOTE.replace("\n   ", "\n      ")
    more = f"\n   {COLLAPSED[kind]}{quote}"
    project.change(ALL, ("   :since: 1.2\n", f"   :since: 1.2\n{more}"))
    done = project.ok()
    is_collapsed = kind in {"closed", "dropdown"}
    lost = "Hot" if is_collapsed else "Hot: left out, zoo 1.5 lacks what it quotes"
    name, problem = done.lines[3:]
    assert name == lost
    assert "the quoted code is not in zoo:Base.wash" in problem
    assert ("Hot" in str(project.data())) == is_collapsed
    assert project.command("--strict").code == 1


def test_only_what_is_left_out_is_said_to_be(project: Docs) -> None:
    conf = CONF.replace('heuristics_undocumented = "planned"\n', "")
    project.write({"source/conf.py": conf})
    project.change(
        ALL,
        ("   :impl: *.feed", "   :workflow: nowhere\n   :impl: *.feed, zoo.Gone+"),
        ("zoo.Base.silent", "?zoo.Base.silent"),
    )
    (project.root / "source/heuristics").rename(project.root / "others")
    options = ("--base-url", "https://a.b", "--heuristics", "others")
    done = project.ok(*options)
    found = re.findall(
        r"^  others/all\.rst:\d+: (.+ target '.+?') ", done.out, re.MULTILINE
    )
    assert sorted(found) == [
        "impl target 'zoo.Base.silent'",
        "impl target 'zoo.Child.wash'",
        "impl target 'zoo.Gone+'",
        "workflow target 'nowhere'",
    ]
    assert "left out" not in done.out
    project.change("others/all.rst", (":param: food", ":param: fodder"))
    assert "zoo.Gone+" in project.ok(*options).out, "its target is at fault"
    project.change("others/all.rst", (", zoo.Gone+", ""))
    assert "Food: left out, zoo 1.5 lacks its parameter" in project.ok(*options).lines
    assert "[Food]" not in str(project.data())


def test_a_line_for_what_is_left_out_is_not_told_again(project: Docs) -> None:
    quote = QUOTE.replace("soap)", "soap):")
    project.change(
        ALL,
        ("   :since: 1.2\n", f"   :since: 1.2\n{quote}"),
        # it does not hold for this version, and so lacks nothing
        ("   :until: 1.0\n", f"   :until: 1.0\n{quote}"),
    )
    project.write({"select.txt": "Hot zoo.Base.wash\nOld zoo.Base.feed\n"})
    lines = project.ok("--select", "select.txt").lines
    assert lines[3] == "Hot: left out, zoo 1.5 lacks what it quotes"
    assert [
        line for line in lines if line.startswith("select.txt:") and "not d" not in line
    ] == [
        "select.txt:2: Old zoo.Base.feed: not shown: no heuristic of this name is about that"
    ]


def test_what_shows_nothing_is_named(project: Docs) -> None:
    project.change(ALL, ("zoo.Child.wash", "zoo.build"))
    assert project.ok().lines[3:] == [
        "zoo.build: no alert: its docstring does not begin with a paragraph"
    ]


def test_what_a_version_explains_is_a_note(project: Docs) -> None:
    more = "heuristics_targets = {'Gone': 'gone'}\n"
    project.write({"source/conf.py": f"{CONF}{more}"})
    quote = QUOTE.replace("def wash(self, soap)", '"""Wash it."""')
    project.change(
        ALL,
        ("zoo.Base.silent", "zoo.Base.silent\n   :except: zoo.Base"),
        (":until: 1.0", f":until: 1.0\n{quote}"),
    )
    found = re.findall(
        r"^(\w.*|  \S+?\w+\.\w+:\d+: \S+ \S+)", project.ok().out, re.MULTILINE
    )
    assert found[3:] == [
        "source/conf.py",
        "  source/conf.py:7: heuristics_targets: 'Gone'",
        "Old",
        "  source/heuristics/all.rst:26: heuristic 'Old'",
        "Quiet",
        "  source/heuristics/all.rst:16: heuristic 'Quiet'",
    ]
    assert project.command("--strict").code == 1


def test_what_no_version_explains_is_a_mistake(project: Docs) -> None:
    conf = CONF.replace(', "1.5"', ', ""') + "heuristics_max_shown = 'two'\n"
    project.write({"source/conf.py": conf})
    project.change(
        ALL,
        ("   :impl: zoo.Base.silent\n", ""),
        (":until: 1.0", ":since: 1.1\n   :until: 1.0"),
    )
    done = project.command()
    assert done.code == 1
    assert re.findall(r"^\S+?(\w+\.\w+:\d+: \w+: \S+ \S+)", done.out, re.MULTILINE) == [
        "conf.py:7: WARNING: heuristics_max_shown =",
        "all.rst:14: WARNING: since and",
        "all.rst:16: WARNING: heuristic 'Quiet'",
        "all.rst:27: WARNING: since 1.1",
    ]


def test_another_release_in_conf_py_is_a_matter_of_versions(project: Docs) -> None:
    metadata = "Metadata-Version: 2.1\nName: zoo\nVersion: 1.1\n"
    project.write({"zoo-1.1.dist-info/METADATA": metadata})
    importlib.invalidate_caches()
    strict = project.command("--strict")
    assert strict.code == 1
    assert strict.out.rstrip().endswith("[heuristic.config]")
    assert ": the installed zoo 1.1 judges since 1.2, " in project.ok().out


def test_a_warning_of_several_lines_is_shown_whole(project: Docs) -> None:
    reference = REFERENCE.replace("zoo.Child\n", "zoo.Child\n   :members: feed\n")
    project.write({"pages/index.rst": f"{reference}\n.. nowhere::\n"})
    project.change(ALL, ("zoo.Base.silent", "feed"))
    done = project.command("--strict")
    assert done.code == 1
    first, *names = done.lines
    assert first.startswith(f"{ALL}:18: WARNING: impl target 'feed'")
    assert names == ["  zoo.Base.feed", "  zoo.Child.feed [heuristic.ambiguous]"]
    assert "feed' fits 2 objects" in project.ok().out


def test_the_log_of_sphinx_is_shown_on_request(project: Docs) -> None:
    project.write({ALL: f"{PAGE}\n.. nowhere::\n"})
    done = project.command("-v")
    assert done.code == 0
    assert 'Unknown directive type "nowhere"' in done.err
    assert "build succeeded, 1 warning." in done.err
    assert "Unknown directive" not in done.out
    project.ok()


# -- --check --------------------------------------------------------------------------

LAST = [
    (
        "pages/_heuristics.json has warnings that doc-builder shows in docstrings of zoo; "
        "they come from the pages in source/heuristics, which quote its source."
    ),
    (
        "To renew it, run `python -m sphinxext_heuristics.docbuilder hook source pages`; if "
        "an alert should have stayed, tell those who write these pages."
    ),
]


def checked(project: Docs, *options: str) -> list[str]:
    """Return what is said of files that are out of date."""
    done = project.command("--check", *options)
    assert (done.code, done.err) == (1, "")
    return done.lines


def test_check_says_what_differs(project: Docs) -> None:
    assert checked(project) == [
        "pages/_heuristics.py: out of date for zoo 1.5",
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Bare",
        "  missing at zoo.Child",
        "Hot",
        "  missing at zoo.Base.feed and zoo.Base.wash",
        "Late",
        "  missing at zoo.Base.wash",
        "Quiet",
        "  missing at zoo.Base",
        *LAST,
    ]
    assert not (project.pages / DATA).exists()
    project.ok()
    assert project.ok("--check").out == "pages: up to date\n"
    project.change(ALL, ("Do not.", "Do so."))
    assert checked(project) == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Hot",
        "  another text at zoo.Base.feed and zoo.Base.wash",
        r'    - "> [!CAUTION]\n> **Hot.** Do not."',
        r'    + "> [!CAUTION]\n> **Hot.** Do so."',
        *LAST,
    ]
    project.change(ALL, ("Do so.", "Do not."))
    project.write({f"pages/{CODE}": "old\n"})
    assert checked(project) == ["pages/_heuristics.py: out of date for zoo 1.5", *LAST]


def test_check_tells_links(project: Docs) -> None:
    project.ok("--base-url", "https://a.b")
    assert checked(project)[1:3] == [
        "links",
        "  gone from parameter food of zoo.Base.feed",
    ]
    project.ok()
    lines = checked(project, "--base-url", "https://a.b/c")
    command = f"{PROG} hook source pages --base-url https://a.b/c"
    assert f"run `{command}`; " in lines[-1]
    assert shlex.split(command)[-1] == "https://a.b/c"


@pytest.mark.parametrize("old", ["", "{", "[]", "[\n3\n]", "<<<<<<< ours"])
def test_check_takes_any_old_data(project: Docs, old: str) -> None:
    project.ok()
    project.write({f"pages/{DATA}": old})
    lines = checked(project)
    assert lines[:3] == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Bare",
        "  missing at zoo.Child",
    ]


def test_check_takes_alerts_of_any_form(project: Docs) -> None:
    project.ok()
    data = {**project.data(), "zoo:gone": [{"heuristic": 3, "text": []}]}
    data["zoo:Base"].append({"heuristic": None, "parameter": 3, "text": 4})
    project.write({f"pages/{DATA}": data_of(data)})
    assert sorted(checked(project)[1:-2]) == [
        "  gone from parameter 3 of zoo.Base",
        "  gone from zoo.gone",
        "3",
        "links",
    ]


def test_check_when_a_docstring_is_repeated_no_more(project: Docs) -> None:
    project.ok()
    child = 'class Child(Base):\n    """A child.\n    Two lines."""\n\n'
    repeated = f"{child}    def feed(self, food=None, water=None):\n"
    own = f'{repeated}        """Feed them."""\n\n    def other(self):\n'
    project.change("zoo/__init__.py", (repeated, own))
    assert checked(project)[1:-2] == ["Hot", "  gone from zoo.Child.feed"]


def test_check_when_there_is_no_place_for_it(project: Docs) -> None:
    project.ok()
    project.change(
        "zoo/__init__.py", ('"""Wash it."""', '"""\n        Args:\n        """')
    )
    reason = "its docstring does not begin with a paragraph"
    assert checked(project)[1:-2] == [
        "Hot",
        f"  gone from zoo.Base.wash: {reason}",
        "Late",
        f"  gone from zoo.Base.wash: {reason}",
    ]


def test_check_when_a_method_is_renamed(project: Docs) -> None:
    project.write({"select.txt": "Hot zoo.Base.wash\nHot zoo.Base.feed\n"})
    options = ("--select", "select.txt")
    project.ok(*options)
    project.change("zoo/__init__.py", ("def wash", "def rinse"))
    gone = (
        "impl target 'zoo.Base.wash' does not exist: no documented object has this name"
    )
    assert checked(project, *options) == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Hot",
        "  gone from zoo.Base.wash",
        f"  {ALL}:12: {gone}",
        LAST[0],
        LAST[1].replace(" pages`", " pages --select select.txt`"),
    ]


def test_check_when_a_quoted_line_is_changed(project: Docs) -> None:
    quote = QUOTE.replace("def wash(self, soap)", '"""Wash it."""')
    project.change(ALL, ("   :since: 1.2\n", f"   :since: 1.2\n{quote}"))
    project.ok()
    project.change("zoo/__init__.py", ('"""Wash it."""', '"""Wash it now."""'))
    assert checked(project) == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Hot",
        "  gone from zoo.Base.feed and zoo.Base.wash",
        f"  {ALL}:16: the quoted code is not in zoo:Base.wash: closest match: line 19 (zoo 1.5)",
        *LAST,
    ]


def test_check_when_a_parameter_is_gone(project: Docs) -> None:
    project.change(ALL, ("*.feed", "zoo.Base.feed"))
    project.write({"select.txt": "Food zoo.Base.feed food\nHot zoo.Base.feed\n"})
    options = ("--select", "select.txt")
    project.ok(*options)
    project.change("zoo/__init__.py", ("food: What.", "water: What."))
    last = [LAST[0], LAST[1].replace(" pages`", " pages --select select.txt`")]
    assert checked(project, *options) == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Food",
        "  gone from parameter food of zoo.Base.feed: the docstring does not describe 'food'",
        *last,
    ]
    project.change("zoo/__init__.py", ("food=None, ", ""))
    assert checked(project, *options) == [
        "pages/_heuristics.json: out of date for zoo 1.5",
        "Food",
        "  gone from parameter food of zoo.Base.feed",
        f"  {ALL}:37: param 'food' leaves no entry: none that impl reaches shows it",
        *last,
    ]


# -- the files ------------------------------------------------------------------------


def test_a_full_disk_leaves_both_files_as_they_are(tmp_path: Path) -> None:
    old = {CODE: "old", DATA: "old"}
    assert list(hook.write(tmp_path, old)) == [
        f"{tmp_path / name}: written" for name in old
    ]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            list(hook.write(tmp_path, {CODE: "new", DATA: "x" * 5000}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == old


def test_mode_and_line_ends_stay(tmp_path: Path) -> None:
    for name in (CODE, DATA):
        (tmp_path / name).write_bytes(b"old\r\n")
        (tmp_path / name).chmod(0o640)
    list(hook.write(tmp_path, {CODE: "new\nlines\n", DATA: "{}\n"}))
    for name, text in ((CODE, b"new\r\nlines\r\n"), (DATA, b"{}\r\n")):
        assert (tmp_path / name).read_bytes() == text
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
    again = hook.write(tmp_path, {CODE: "new\nlines\n", DATA: "{}\n"})
    assert all(line.endswith(": unchanged") for line in again)
    assert {path.name for path in tmp_path.iterdir()} == {CODE, DATA}


#: What another version of this package has written.
OTHERS = {"package": "zoo", "alerts": {"A": "> [!TIP]\n> **A.** B."}}


@pytest.mark.parametrize(
    "old",
    [
        OTHERS | {"heuristics": {}, "lines": {}},
        OTHERS | {"docstrings": {"zoo.Base": [{"alert": "A"}]}},
    ],
)
def test_a_kill_between_the_files_leaves_a_pair_that_works(
    docs: Docs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: dict[str, Any],
) -> None:
    docs.write({f"pages/{DATA}": json.dumps(old), f"pages/{CODE}": "raise SystemExit"})
    replace, replaced = Path.replace, []

    def dying(self: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(replace(self, target))

    monkeypatch.setattr(Path, "replace", dying)
    code = Path(hook_code.__file__).read_text(encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        list(hook.write(docs.pages, {CODE: code, DATA: "{}"}))
    assert (docs.pages / CODE).read_text() == code
    assert (docs.pages / DATA).read_text() == json.dumps(old)
    docs.run_config()
    assert len(capsys.readouterr().err.splitlines()) == 1


# -- failures -------------------------------------------------------------------------


def test_a_package_that_cannot_be_imported_has_no_docstrings(project: Docs) -> None:
    project.write(
        {
            "zoo/__init__.py": "raise OSError('not here')\n",
            "pages/index.rst": "Z\n=\n\n.. toctree::\n\n   heuristics/all\n\n"
            ".. py:function:: zoo.f\n",
            ALL: "H\n=\n\n.. heuristic:: A\n   :note: N.\n   :impl: zoo.f\n",
        }
    )
    done = project.command()
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{PROG}: error: cannot import zoo: OSError: not here; its docstrings are "
        "unknown\n"
    )


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ("raise ValueError('x')", "source: Sphinx cannot build it; it says:"),
        ("", "source: Sphinx cannot build it; it says:"),
        (
            'extensions = ["sphinxext_heuristics"]\n',
            'source/conf.py: set heuristics_package, for example heuristics_package = "peft"',
        ),
    ],
)
def test_a_project_that_cannot_be_read(project: Docs, conf: str, message: str) -> None:
    project.write({"source/conf.py": conf, "pages/index.rst": "Z\n=\n"})
    done = project.command()
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err.partition("Sphinx cannot build")[0]
    assert not (project.pages / DATA).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["here", "gone"], "No such file or directory: 'gone'"),
        (
            [".", ".", "--base-url", "example.org"],
            "'example.org' is no URL; write it with https:// in front",
        ),
        (
            [".", ".", "--base-url", "https://a.b/(c)"],
            "is no URL; write it with https:// in front, without parentheses",
        ),
        (["."], "the following arguments are required: PAGES"),
    ],
)
def test_misuse(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "heuristics").mkdir(parents=True)
    (tmp_path / "here" / "conf.py").touch()
    try:
        code: object = main(["hook", *arguments])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hook, "copy_of", interrupt)
    (tmp_path / "heuristics").mkdir()
    (tmp_path / "conf.py").touch()
    assert main(["hook", str(tmp_path), str(tmp_path)]) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")


ADOPT = ROOT / "docs/manual/adopt-peft"


def added(name: str) -> str:
    """Return what the diff for PEFT adds as a new file."""
    diff = (ADOPT / "3-hook.diff").read_text("utf-8")
    _before, _mark, after = diff.partition(f"+++ b/docs/source/{name}\n")
    lines = after.partition("\ndiff --git")[0].splitlines()[1:]
    return "".join(f"{line.removeprefix('+')}\n" for line in lines)


def test_the_diff_for_peft_has_the_code_of_today() -> None:
    assert added(CODE) == inspect.getsource(hook_code), "run `make adopt`"


def test_the_diff_for_peft_has_the_texts_that_were_chosen() -> None:
    """Three of them are shown in the manual."""
    alerts = {alert["text"] for alert in json.loads(added(DATA))}
    chosen = read_selection(ADOPT / "selection.txt").chosen or {}
    for place, text in chosen.items():
        assert any(alert.endswith(text) for alert in alerts), (
            f"run `make adopt`: {place}"
        )
    manual = (ADOPT / "3-hook.md").read_text("utf-8")
    shown = re.findall(r"^> \[!.*\n> \*\*.*", manual, re.MULTILINE)
    assert len(shown) == 3
    assert {*shown} <= alerts, "write them into the manual again"
