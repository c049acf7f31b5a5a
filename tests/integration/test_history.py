"""The same bytes and the same warnings, however the build came about."""

from __future__ import annotations

import io
import os
import random
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from conftest import CASES, SECTION
from history import MERGED, OPERATIONS, PAGED, Site, Step, differences, same, start
from sphinx.testing.util import SphinxTestApp
from sphinx.util.docutils import docutils_namespace

from sphinxext_heuristics._core.integration import builders, contents, domain
from sphinxext_heuristics._core.integration.domain import HeuristicDomain
from sphinxext_heuristics._core.model import Note
from sphinxext_heuristics._output import OutputRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sphinxext_heuristics._core.model import Page
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import View

#: Another seed tells other pairs and histories; 0 is what `make test-all` tells.
SEED = int(os.environ.get("HEURISTICS_HISTORY_SEED", "0"))
#: How many pairs and random histories are told.
PAIRS = int(os.environ.get("HEURISTICS_HISTORY_PAIRS", "42"))
STORIES = int(os.environ.get("HEURISTICS_HISTORY_STORIES", "12"))

pytestmark = pytest.mark.filterwarnings(
    # killing a build needs a process of its own
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_edit(tmp_path: Path, name: str) -> None:
    same(tmp_path, [Step(edits=(name,)), Step()])


@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_the_last_heuristic_goes_and_a_first_one_comes(
    tmp_path: Path, builder: str
) -> None:
    edits = ("remove the last heuristic", "add the first heuristic")
    steps = [Step(edits=(name,), builder=builder) for name in (*edits, *edits)]
    site = Site(tmp_path / "looked at", start())
    ours = []
    for step in steps:
        assert not step.take(site)
        static = site.clean(builder).output["_static"]
        ours.append("heuristics.css" in static)
    assert ours == [False, True, False, True]


CHOICE = random.Random(SEED)  # noqa: S311 - of tests


def pair(number: int) -> tuple[Step, ...]:
    """Return two edits; each third time the first is read for another builder, HTML being there before."""
    first, second = (Step(edits=(name,)) for name in CHOICE.sample([*OPERATIONS], 2))
    if number % 3:
        return first, second
    other = (*PAGED[1:], *MERGED)[number // 3 % 6]
    return replace(first, builder=other), second, Step(builder=other)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            pair(number), id=str(number), marks=[pytest.mark.slow] * (number >= 2)
        )
        for number in range(PAIRS)
    ],
)
def test_two_edits(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    same(tmp_path, steps)


#: Edits that decide where in a page a heuristic is in full.
PLACING = (
    "ask for a parameter",
    "describe a parameter",
    "rename a parameter",
    "name the targets in another order",
    "reach the subclasses",
    "reach the overrides",
    "link to it where it is shown",
    "link to its page where it is shown",
    "document a copy without an anchor",
    "override a method",
)


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 8))]
)
def test_what_is_in_full_where_changes(tmp_path: Path, number: int) -> None:
    choice = random.Random(SEED + number)  # noqa: S311 - of tests
    edits = choice.sample(PLACING, len(PLACING))
    builder = PAGED[number % len(PAGED)]
    same(tmp_path, [Step(edits=(name,), builder=builder) for name in edits])


def story(number: int) -> list[Step]:
    """Return a history of any edits and accidents."""
    choice = random.Random(SEED + number)  # noqa: S311 - of tests

    def step() -> Step:
        event = choice.choice(("source-read", "doctree-resolved"))
        return Step(
            edits=tuple(choice.sample([*OPERATIONS], choice.randint(0, 2))),
            wipe=choice.random() < 0.25,
            kill=choice.choice((None, None, (event, choice.randint(1, 6)))),
            builder=choice.choice((*PAGED, *PAGED, *MERGED)),
            jobs=choice.choice((1, 1, 1, 2, 4)),
        )

    return [step() for _ in range(choice.randint(1, 12))]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STORIES))
def test_any_history(tmp_path: Path, number: int) -> None:
    same(tmp_path, story(number))


def test_nothing_changed_reads_and_writes_nothing_and_warns_again(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, start())
    OPERATIONS["retarget to nothing"](site.files)
    site.sync()
    first = site.build()
    again = site.build()
    assert not again.read | again.wrote
    assert len(first.warnings) == 1
    assert again.warnings == first.warnings


def test_an_edited_note_reads_one_page_and_writes_those_that_show_it(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, start())
    site.build()
    OPERATIONS["edit the note"](site.files)
    site.sync()
    built = site.build()
    assert built.read == {"h/Beta"}
    # `pkg.Child`, `tools.cut` and the index show it; the guide, which links to it, only
    # names it.
    assert built.wrote == {"api", "h/Beta", "hand", "index"}


def test_one_application_builds_again_and_shows_what_changed(tmp_path: Path) -> None:
    page = ".. heuristic:: Alpha\n   :note: {}\n   :impl: tools.cut\n"
    conf, start_page = (
        "extensions = ['sphinxext_heuristics']\n",
        "Start\n=====\n\n.. toctree::\n\n   hand\n   a\n",
    )
    files = {"conf.py": conf, "index.rst": start_page, "hand.rst": CUT}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with docutils_namespace():
        app = None
        for note in ("First.", "Second.", "Third."):
            (tmp_path / "a.rst").write_text(page.format(note), encoding="utf-8")
            app = app or SphinxTestApp("html", srcdir=tmp_path, freshenv=True)
            app.build()
            assert note in (app.outdir / "hand.html").read_text(encoding="utf-8")
        app.cleanup()


# -- named examples: what a history once left stale --

TWIN = (
    ":orphan:\n\n.. heuristic:: Twin\n   :note: Both say this.\n   :impl: tools.cut\n"
)
TITLED = TWIN.replace("   :note", "   :title: Another\n   :note")
CUT = "Hand\n====\n\n.. py:function:: tools.cut(a)\n\n   Cut it.\n"


def project_of(files: dict[str, Any], conf: str = "") -> dict[str, Any]:
    start_page = {"index.rst": "Start\n=====\n", "hand.rst": f":orphan:\n\n{CUT}"}
    return {**start_page, "conf.py": conf, **files}


def requires_same(root: Path, first: dict[str, Any], *others: dict[str, Any]) -> None:
    """Require of each state of a project, one built over the other, that it is as when built clean."""
    same(root, [Step(becomes=files) for files in others], first)


def read_history(path: Path) -> list[dict[str, Any]]:
    """Return the states of a project that a file writes down.

    A section ``then …`` begins the next one, with the files of the one before, and
    ``gone FILE`` deletes one of them.
    """
    states: list[dict[str, Any]] = [{}]
    _about, *parts = SECTION.split(path.read_text(encoding="utf-8"))
    for head, text in zip(parts[::2], parts[1::2], strict=True):
        if head.startswith("then "):
            states.append(dict(states[-1]))
        elif head.startswith("gone "):
            del states[-1][head.removeprefix("gone ")]
        else:
            states[-1][head] = text.rstrip() + "\n"
    return states


@pytest.mark.parametrize(
    "path", sorted(CASES.glob("histories/*.txt")), ids=lambda path: path.stem
)
def test_history(tmp_path: Path, path: Path) -> None:
    requires_same(tmp_path, *read_history(path))


#: Notes that link to a guide, and the note that links to a file, of which no page is
#: read.
NOTES = (
    "[](../guide.md)",
    "[](../guide.md#the-part)",
    "[words](../guide.md#the-part)",
    "[](../guide.md#lab)",
    "[](#lab)",
    "{ref}`lab`",
    "[](../guide)",
)
FILE = ("[](../guide.txt)",)
GUIDES = {
    "is there": "# Guide\n\n(lab)=\n## The part\n\nText.\n",
    "has another title": "# Another\n\n(lab)=\n## The part\n\nText.\n",
    "has its parts elsewhere": "# Guide\n\n## The part\n\nText.\n\n(lab)=\n## Labelled\n\nText.\n",
    "has no part": "# Guide\n\nText.\n",
    "has another part": "# Guide\n\n## Another part\n\n(lab)=\nText.\n",
    "is gone": None,
}
ORPHAN = "---\norphan: true\n---\n"


def shown_apart(*options: str) -> dict[str, str]:
    """Return a heuristic for each text of options and body, and for each the only page that shows it."""
    files = {}
    for at, text in enumerate(options):
        files[f"h/{at}.md"] = f"{ORPHAN}```{{heuristic}} H{at}\n{text}\n```\n"
        files[f"hand{at}.rst"] = f":orphan:\n\n{CUT.replace('cut', f'cut{at}')}"
    return files


@pytest.mark.parametrize(("name", "notes"), [("guide.md", NOTES), ("guide.txt", FILE)])
def test_what_a_link_in_a_note_leads_to_changes(
    tmp_path: Path, name: str, notes: tuple[str, ...]
) -> None:
    pages = shown_apart(
        *(
            f":note: See {note} there.\n:impl: tools.cut{at}"
            for at, note in enumerate(notes)
        )
    )
    worlds = []
    for text in (*GUIDES.values(), GUIDES["is there"]):
        guide = {} if text is None else {name: ORPHAN + text}
        worlds.append(project_of(pages | guide, "myst_heading_anchors = 3\n"))
    requires_same(tmp_path, *worlds)


def test_a_catalogue_without_its_source_is_replaced(tmp_path: Path) -> None:
    def translated(text: str) -> dict[str, Any]:
        catalogue, file = Catalog(locale="de"), io.BytesIO()
        catalogue.add("Both say this.", text)
        write_mo(file, catalogue)
        files = {"h/one.rst": TWIN, "locales/de/LC_MESSAGES/h.mo": file.getvalue()}
        return project_of(files, "language = 'de'\nlocale_dirs = ['locales']\n")

    requires_same(tmp_path, translated("Beide."), translated("Alle beide."))


@pytest.mark.parametrize("first", ["text", "html"])
def test_title_with_quotes_after_a_build_of_text(tmp_path: Path, first: str) -> None:
    guide = ':orphan:\n\nDon\'t "quote"\n=============\n'
    one = (
        ":orphan:\n\n.. heuristic:: One\n   :note: See :doc:`/guide`.\n"
        "   :impl: tools.cut\n   :workflow: guide\n\n   Body.\n"
    )
    box = ":orphan:\n\nBox\n===\n\n.. heuristic-messages::\n"
    files = {"guide.rst": guide, "h/one.rst": one, "box.rst": box}
    site = Site(tmp_path, project_of(files))
    then = "html" if first == "text" else "text"
    for builder in (first, then, first):
        built, clean = site.build(builder), site.clean(builder)
        assert not differences(built, clean)


CUT_THERE = "other.cut py:function 1 {}.html#$ -\n"
ALPHA = "Alpha heuristic:heuristic 1 page.html#{} {}\n"
#: What another project documents, and its version.
INVENTORIES = [
    ("1", ""),
    ("1", ALPHA.format("alpha", "Alpha's title") + CUT_THERE.format("api")),
    ("1", ALPHA.format("moved", "Alpha's title") + CUT_THERE.format("new")),
    ("1", ALPHA.format("moved", "Another title") + CUT_THERE.format("new")),
    ("2", ALPHA.format("moved", "Another title") + CUT_THERE.format("new")),
    ("2", ""),
]


def inventory_of(version: str, lines: str) -> bytes:
    head = f"# Sphinx inventory version 2\n# Project: Other\n# Version: {version}\n# zlib\n"
    lines += "other.glue py:function 1 api.html#$ -\n"
    return head.encode() + zlib.compress(lines.encode())


#: Ways to link to another project's heuristic, beside our role.
LINKS_ELSEWHERE = (
    ("rst", ":any:`Alpha`"),
    ("rst", ":external:heuristic:ref:`Alpha`"),
    ("rst", ":external+other:heuristic:ref:`this <Alpha>`"),
    ("md", "[](Alpha)"),
)


def test_what_another_project_documents_changes(tmp_path: Path) -> None:
    options = (
        ":note: {heuristic}`Alpha` and {py:func}`other.cut`\n:impl: tools.cut0",
        ":note: {external:py:func}`other.cut`\n:impl: tools.cut1",
        ":note: N.\n:impl: tools.cut2, other.cut",
        ":note: See [](inv:other:py:function#other.cut)\n:impl: tools.cut3",
        ":impl: tools.cut4\n\nSee <inv:#other.cut>. More.",
    )
    pages = shown_apart(*options)
    for name in ("Alpha", "other:Alpha"):
        text = f":orphan:\n\nSee :heuristic:`{name}` there.\n"
        pages[f"see-{name[0]}.rst"] = text
    for at, (suffix, link) in enumerate(LINKS_ELSEWHERE):
        pages[f"link{at}.{suffix}"] = LINKING[suffix].format(at, link)
    conf = "intersphinx_mapping = {'other': ('https://example.org/', 'other.inv')}\n"
    worlds = [
        project_of(pages | {"other.inv": inventory_of(*inventory)}, conf)
        for inventory in INVENTORIES
    ]
    requires_same(tmp_path, *worlds)


#: Ways to link to a heuristic, some with white space.
LINKS = (
    ("rst", ":any:`Twin`"),
    ("rst", ":any:`this <Twin>`"),
    ("rst", ".. default-role:: any\n\n`Twin`"),
    ("md", "[](Twin)"),
    ("md", "[this](#Twin)"),
    ("md", "<project:#Twin>"),
    ("md", "{heuristic}` Twin`"),
    ("md", "{heuristic}`text < Twin >`"),
)
LINKING = {
    "rst": ":orphan:\n\nSee {0}\n=====\n\n{1}\n",
    "md": ORPHAN + "# See {0}\n\n{1}\n",
}


def test_any_link_to_a_heuristic_is_followed(tmp_path: Path) -> None:
    pages = {
        f"see{at}.{suffix}": LINKING[suffix].format(at, link)
        for at, (suffix, link) in enumerate(LINKS)
    }
    site = Site(tmp_path, {})
    for files in ({"h/a.rst": TWIN}, {"h/b.rst": TWIN}, {"h/b.rst": TITLED}, {}):
        site.files = project_of(pages | files)
        site.sync()
        built, clean = site.build(), site.clean()
        assert not differences(built, clean)
        assert built.others == clean.others
        for name in files:
            # The page that defines it names the pages that mention it.
            page = built.output[name.replace(".rst", ".html")]
            assert all(f"See {at}" in page for at in range(len(LINKS)))
    assert len(built.others + built.warnings) == len(LINKS)


CHAIN = (
    ["re-export a class", "re-export another class"],
    ["alias a class", "alias another class"],
    ["alias a class", "leave the base"],
)


@pytest.mark.parametrize("edits", CHAIN, ids=" then ".join)
def test_what_a_name_means_changes_on_the_way_to_it(
    tmp_path: Path, edits: list[str]
) -> None:
    steps = [Step(edits=("reach the subclasses",))]
    same(tmp_path, [*steps, *(Step(edits=(edit,)) for edit in edits)])


def test_after_a_killed_build_a_build_of_some_files_vouches_for_these_alone(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, project_of({"h/one.rst": TWIN}))
    site.build()
    site.kill("html", "doctree-resolved", 1, "-a")
    site.files["h/one.rst"] = TWIN.replace("tools.cut", "?Later")
    site.sync()
    site.build(files=[site.project.src / "h" / "one.rst"])
    assert not differences(site.build(), site.clean())


def test_what_a_killed_build_wrote_is_not_taken_for_what_the_last_one_did(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, project_of({"z/one.rst": TWIN}))
    site.build()
    for text in (TITLED, TWIN):
        site.files["z/one.rst"] = text
        site.sync()
        if text == TITLED:
            # the entry's page is written by then, the heuristic's own is not
            site.kill("html", "doctree-resolved", 2)
    assert not differences(site.build(), site.clean())


# -- the test itself: planted faults are caught --


def requires_caught(root: Path, page: str, step: Step) -> None:
    with pytest.raises(AssertionError, match=f"(?m)^step 1: (.*\n)*?{page}: --- incr"):
        same(root, [step])


def test_what_sphinx_leaves_stale_is_not_more_than_bodies(tmp_path: Path) -> None:
    output = Site(tmp_path, start(), "history_stub").build().output
    for page in (output["h/Alpha.html"], output["h/Beta.html"]):
        assert "Body." in page
        assert "note" not in page


def test_no_rewriting_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputRecord, "stale", lambda _self, _digests: [])
    requires_caught(tmp_path, "api.html", Step(edits=("edit the note",)))


def test_rewriting_for_nothing_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = OutputRecord.stale

    def all_else_stale(record: OutputRecord, digests: Mapping[str, str]) -> list[str]:
        return sorted(digests) if stale(record, digests) else []

    monkeypatch.setattr(OutputRecord, "stale", all_else_stale)
    with pytest.raises(AssertionError, match="guides/how-to is written: nothing has"):
        same(tmp_path, [Step(edits=("edit the note",))])


def test_a_stale_digest_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = contents.digest

    def forgetful(plan: Plan, views: Mapping[str, View], docname: str) -> str:
        plan = replace(plan, note=lambda record: Note((), record.docname))
        return digest(plan, views, docname)

    monkeypatch.setattr(domain, "digest", forgetful)
    requires_caught(tmp_path, "api.html", Step(edits=("edit the note",)))


def test_a_dropped_merge_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop(
        self: HeuristicDomain, docnames: Iterable[str], data: dict[str, dict[str, Page]]
    ) -> None:
        self.pages.update(
            {
                docname: data["pages"][docname]._replace(entries=())
                for docname in docnames
            }
        )

    monkeypatch.setattr(HeuristicDomain, "merge_domaindata", drop)
    requires_caught(tmp_path, "api.html", Step(jobs=4, edits=("upgrade",)))


def test_warnings_lost_on_a_noop_build_are_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[object] = set()
    report = builders.report

    def once(problems: Iterable[object]) -> None:
        new = [problem for problem in problems if problem not in told]
        told.update(new)
        report(new)  # type: ignore[arg-type]

    monkeypatch.setattr(builders, "report", once)
    requires_caught(tmp_path, "warnings", Step(edits=("retarget to nothing",)))
