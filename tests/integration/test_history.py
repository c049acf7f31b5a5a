"""The same bytes and the same warnings, however the build came about."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from history import (
    MERGED,
    OPERATIONS,
    PAGED,
    Site,
    Step,
    World,
    differences,
    start,
    tell,
    unexplained,
)
from hypothesis import HealthCheck, Phase, event, given, seed, settings
from hypothesis import strategies as st
from sphinx.testing.util import SphinxTestApp
from sphinx.util.docutils import docutils_namespace

from sphinxext_heuristics._core.integration import builders, contents, events
from sphinxext_heuristics._core.integration.contents import OutputRecord
from sphinxext_heuristics._core.integration.domain import HeuristicDomain
from sphinxext_heuristics._core.model import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sphinxext_heuristics._core.model import Page
    from sphinxext_heuristics._core.resolve.plan import Plan
    from sphinxext_heuristics._core.view import View

#: Another seed tells other pairs and histories; 0 is what `make test-all` tells.
SEED = int(os.environ.get("HEURISTICS_HISTORY_SEED", "0"))
#: How many pairs and random histories are told. A number larger than that of the pairs
#: takes them all.
PAIRS = int(os.environ.get("HEURISTICS_HISTORY_PAIRS", "28"))
SWITCHES = int(os.environ.get("HEURISTICS_HISTORY_SWITCHES", "14"))
STORIES = int(os.environ.get("HEURISTICS_HISTORY_STORIES", "12"))

pytestmark = pytest.mark.filterwarnings(
    # hypothesis' and pytest's own forks aside, killing a build needs a process of its
    # own
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def same(root: Path, steps: Iterable[Step]) -> None:
    """Require that a history leaves nothing stale that Sphinx without us would not leave so, too."""
    steps = list(steps)
    told = tell(root / "with", steps)
    if any(told):
        alone = tell(root / "without", steps, "history_stub")
        for number, (step, ours, sphinx) in enumerate(
            zip(steps, told, alone, strict=True), 1
        ):
            found = [
                f"{name}: {how}"
                for name, how in unexplained(ours, sphinx, step.builder).items()
            ]
            assert not found, f"step {number}: " + "\n".join(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_edit(tmp_path: Path, name: str) -> None:
    same(tmp_path, [Step(edits=(name,)), Step()])


ALL_PAIRS = list(itertools.permutations(OPERATIONS, 2))


CHOICE = random.Random(SEED)  # noqa: S311 - of tests


def beyond_four(number: int) -> list[pytest.MarkDecorator]:
    """Return the markers of a test that is one of many."""
    return [pytest.mark.slow] if number >= 4 else []


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, id=" then ".join(pair), marks=beyond_four(number))
        for number, pair in enumerate(
            CHOICE.sample(ALL_PAIRS, min(PAIRS, len(ALL_PAIRS)))
        )
    ],
)
def test_two_edits(tmp_path: Path, pair: tuple[str, str]) -> None:
    same(tmp_path, [Step(edits=(name,)) for name in pair])


@pytest.mark.parametrize(
    ("pair", "other"),
    [
        pytest.param(
            pair, other, id=f"{' then '.join(pair)}, {other}", marks=beyond_four(number)
        )
        for number, (pair, other) in enumerate(
            zip(
                CHOICE.sample(ALL_PAIRS, min(SWITCHES, len(ALL_PAIRS))),
                itertools.cycle(
                    [builder for builder in (*PAGED, *MERGED) if builder != "html"]
                ),
                strict=False,  # the builders go round
            )
        )
    ],
)
def test_two_edits_across_a_switch_of_builders(
    tmp_path: Path, pair: tuple[str, str], other: str
) -> None:
    """HTML is there before; the first edit is read for the other builder, the second for HTML."""
    same(
        tmp_path,
        [
            Step(edits=pair[:1], builder=other),
            Step(edits=pair[1:]),
            Step(builder=other),
        ],
    )


#: Edits that decide where in a page a heuristic is in full.
PLACING = (
    "ask for a parameter",
    "describe a parameter",
    "rename a parameter",
    "name the targets in another order",
    "reach the subclasses",
    "reach the overrides",
    "link to it where it is shown",
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


STEPS = st.builds(
    Step,
    edits=st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=2).map(tuple),
    wipe=st.sampled_from([False, False, False, True]),
    kill=st.one_of(
        st.none(),
        st.none(),
        st.tuples(
            st.sampled_from(["source-read", "doctree-resolved"]), st.integers(1, 6)
        ),
    ),
    builder=st.sampled_from([*PAGED, *PAGED, *MERGED]),
    jobs=st.sampled_from([1, 1, 1, 2, 4]),
)


@pytest.mark.slow
@seed(SEED)
@settings(
    max_examples=STORIES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_any_history(steps: list[Step]) -> None:
    event(f"{len(steps)} steps")
    root = Path(tempfile.mkdtemp(prefix="history"))
    try:
        same(root, steps)
    finally:
        shutil.rmtree(root)


def test_nothing_changed_reads_and_writes_nothing_and_warns_again(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, start())
    OPERATIONS["retarget to nothing"](site.world)
    site.sync()
    first = site.build()
    again = site.build()
    assert (again.read, again.wrote) == ([], [])
    assert len(first.warnings) == 1
    assert again.warnings == first.warnings


def test_an_edited_note_reads_one_page_and_writes_those_that_show_it(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, start())
    site.build()
    OPERATIONS["edit the note"](site.world)
    site.sync()
    built = site.build()
    assert built.read == ["h/Beta"]
    # `pkg.Child`, `tools.cut` and the index show it; the guide, which links to it, only
    # names it.
    assert sorted(built.wrote) == ["api", "h/Beta", "hand", "index"]


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
CUT = "Hand\n====\n\n.. py:function:: tools.cut(a)\n\n   Cut it.\n"
FIRST_A = "Start\n=====\n\n.. toctree::\n\n   hand\n   h/a\n   h/b\n"
FIRST_B = "Start\n=====\n\n.. toctree::\n\n   hand\n   h/b\n   h/a\n"


def project_of(files: dict[str, str], **config: object) -> World:
    return World(
        files={
            "index.rst": "Start\n=====\n",
            "hand.rst": ":orphan:\n\n" + CUT,
            **files,
        },
        config=config,
    )


def requires_same(
    root: Path, *worlds: World, touch: Callable[[Path, int], None] | None = None
) -> None:
    """Require of each state of a project, one built over the other, that it is as when built clean."""
    told = states(root / "with", worlds, "sphinxext_heuristics", touch)
    if any(told):
        alone = states(root / "without", worlds, "history_stub", touch)
        for number, (ours, sphinx) in enumerate(zip(told, alone, strict=True)):
            found = [
                f"{name}: {how}"
                for name, how in unexplained(ours, sphinx, "html").items()
            ]
            assert not found, f"state {number}: " + "\n".join(found)


def states(
    root: Path,
    worlds: Iterable[World],
    extension: str,
    touch: Callable[[Path, int], None] | None,
) -> list[dict[str, str]]:
    """Build each state of a project over the one before, and return its differences from a clean build."""
    site = Site(root, World(), extension)
    found = []
    for number, world in enumerate(worlds):
        site.world = world
        if touch:
            touch(site.src, number)
        site.sync()
        found.append(differences(site.build(), site.clean()))
    return found


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({"index.rst": FIRST_B}, id="the other one comes first"),
        pytest.param({"h/a.rst": None}, id="the first one is deleted"),
        pytest.param(
            {"h/a.rst": ":orphan:\n\nA\n=\n"}, id="the first one is edited away"
        ),
        pytest.param(
            {"h/a.rst": None, "h/c.rst": TWIN}, id="the first one moves to the end"
        ),
    ],
)
def test_of_definitions_alike_the_one_that_stands_tells_where_it_shows(
    tmp_path: Path, after: dict[str, str | None]
) -> None:
    before = {"index.rst": FIRST_A, "h/a.rst": TWIN, "h/b.rst": TWIN}
    changed = {
        name: text for name, text in (before | after).items() if text is not None
    }
    requires_same(tmp_path, project_of(before), project_of(changed), project_of(before))


def test_definitions_alike_on_one_page(tmp_path: Path) -> None:
    one = TWIN + "\nText.\n"
    both = one + TWIN.removeprefix(":orphan:\n")
    requires_same(
        tmp_path, *(project_of({"h/a.rst": text}) for text in (one, both, one))
    )


def test_a_quote_in_a_guide_is_linked_for_the_documented_package_alone(
    tmp_path: Path,
) -> None:
    files = start().files
    guide = {
        "guides/how-to.md": "# How to\n\n```{evidence} pkg.quoted:weigh\nreturn 2 * mass\n```\n"
    }
    files = {
        "index.rst": "Start\n=====\n",
        "lib/pkg/__init__.py": "",
        "lib/pkg/quoted.py": files["lib/pkg/quoted.py"],
    }
    url = {"heuristics_source_url": "https://example.org/{path}#L{line}"}
    packages = (None, "docutils", "pkg")
    requires_same(
        tmp_path,
        *(
            project_of(files | guide, **url, heuristics_package=named)
            for named in packages
        ),
    )


NOTES = {
    "a document": ("guide.md", "[](../guide.md)"),
    "a heading": ("guide.md", "[](../guide.md#the-part)"),
    "a heading, with words": ("guide.md", "[words](../guide.md#the-part)"),
    "a label": ("guide.md", "[](../guide.md#lab)"),
    "a label of anywhere": ("guide.md", "[](#lab)"),
    "the role ref": ("guide.md", "{ref}`lab`"),
    "a file": ("guide.txt", "[](../guide.txt)"),
    "a document without its suffix": ("guide.md", "[](../guide)"),
}
GUIDES = {
    "is there": "# Guide\n\n(lab)=\n## The part\n\nText.\n",
    "has another title": "# Another\n\n(lab)=\n## The part\n\nText.\n",
    "has its parts elsewhere": "# Guide\n\n## The part\n\nText.\n\n(lab)=\n## Labelled\n\nText.\n",
    "has no part": "# Guide\n\nText.\n",
    "has another part": "# Guide\n\n## Another part\n\n(lab)=\nText.\n",
    "is gone": None,
}


@pytest.mark.parametrize("link", NOTES)
def test_what_a_link_in_a_note_leads_to_changes(tmp_path: Path, link: str) -> None:
    name, note = NOTES[link]
    worlds = []
    one = f"---\norphan: true\n---\n```{{heuristic}} One\n:note: See {note} there.\n:impl: tools.cut\n```\n"
    for text in (*GUIDES.values(), GUIDES["is there"]):
        files = {"h/one.md": one}
        if text is not None:
            files[name] = "---\norphan: true\n---\n" + text
        worlds.append(project_of(files, myst_heading_anchors=3))
    requires_same(tmp_path, *worlds)


def test_a_document_that_a_note_links_gets_another_suffix(tmp_path: Path) -> None:
    one = (
        "---\norphan: true\n---\n```{heuristic} One\n"
        ":note: See [](../guide.md) there.\n:impl: tools.cut\n```\n"
    )
    written = {"guide.md": "---\norphan: true\n---\n# Guide\n"}
    moved = {"guide.rst": ":orphan:\n\nGuide\n=====\n"}
    worlds = [{"h/one.md": one, **guide} for guide in (written, moved, written)]
    requires_same(tmp_path, *(project_of(files) for files in worlds))


def test_a_catalogue_without_its_source_is_replaced(tmp_path: Path) -> None:
    world = project_of({"h/one.rst": TWIN}, language="de", locale_dirs=["locales"])
    words = ("Beide.", "Alle beide.")

    def replace_catalogue(src: Path, number: int) -> None:
        path = src / "locales" / "de" / "LC_MESSAGES" / "h.mo"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = Catalog(locale="de")
        catalogue.add("Both say this.", words[number])
        with path.open("wb") as file:
            write_mo(file, catalogue)

    requires_same(tmp_path, world, world, touch=replace_catalogue)


@pytest.mark.parametrize("first", ["text", "html"])
def test_titles_with_quotes_after_a_build_of_text(tmp_path: Path, first: str) -> None:
    guide = ':orphan:\n\nDon\'t "quote"\n=============\n'
    one = (
        ":orphan:\n\n.. heuristic:: One\n   :note: See :doc:`/guide`.\n"
        "   :impl: tools.cut\n   :workflow: guide\n\n   Body.\n"
    )
    site = Site(tmp_path, project_of({"guide.rst": guide, "h/one.rst": one}))
    then = "html" if first == "text" else "text"
    for builder in (first, then, first):
        built, clean = site.build(builder), site.clean(builder)
        assert not differences(built, clean)


def inventory_of(path: Path, version: str, lines: str) -> None:
    head = f"# Sphinx inventory version 2\n# Project: Other\n# Version: {version}\n# zlib\n"
    path.write_bytes(head.encode() + zlib.compress((OTHERS + lines).encode()))


OTHERS = "other.glue py:function 1 api.html#$ -\n"
INVENTORIES = [
    ("1", ""),
    (
        "1",
        "Alpha heuristic:heuristic 1 page.html#alpha Alpha's title\nother.cut py:function 1 api.html#$ -\n",
    ),
    (
        "1",
        "Alpha heuristic:heuristic 1 page.html#moved Alpha's title\nother.cut py:function 1 new.html#$ -\n",
    ),
    (
        "1",
        "Alpha heuristic:heuristic 1 page.html#moved Another title\nother.cut py:function 1 new.html#$ -\n",
    ),
    (
        "2",
        "Alpha heuristic:heuristic 1 page.html#moved Another title\nother.cut py:function 1 new.html#$ -\n",
    ),
    ("2", ""),
]


@pytest.mark.parametrize(
    "text",
    [
        "See :heuristic:`Alpha` there.",
        "See :heuristic:`other:Alpha` there.",
        ".. heuristic:: One\n   :note: See :heuristic:`Alpha` and :py:func:`other.cut` there.\n   :impl: tools.cut\n",
        ".. heuristic:: One\n   :note: See :external:py:func:`other.cut` there.\n   :impl: tools.cut\n",
        ".. heuristic:: One\n   :note: N.\n   :impl: tools.cut, other.cut\n",
    ],
)
def test_what_another_project_documents_changes(tmp_path: Path, text: str) -> None:
    mapping = {"other": ("https://example.org/", "other.inv")}
    world = project_of(
        {"guide.rst": f":orphan:\n\n{text}\n"}, intersphinx_mapping=mapping
    )
    requires_same(
        tmp_path,
        *[world] * len(INVENTORIES),
        touch=lambda src, number: inventory_of(src / "other.inv", *INVENTORIES[number]),
    )


@pytest.mark.parametrize(
    "text",
    [
        ":note: See [](inv:other:py:function#other.cut)\n:impl: tools.cut\n",
        ":impl: tools.cut\n\nSee <inv:#other.cut>. More.\n",
    ],
)
def test_a_note_links_into_another_projects_inventory(
    tmp_path: Path, text: str
) -> None:
    mapping = {"other": ("https://example.org/", "other.inv")}
    page = f"---\norphan: true\n---\n```{{heuristic}} One\n{text}```\n"
    world = project_of({"h/one.md": page}, intersphinx_mapping=mapping)
    requires_same(
        tmp_path,
        *[world] * len(INVENTORIES),
        touch=lambda src, number: inventory_of(src / "other.inv", *INVENTORIES[number]),
    )


@pytest.mark.parametrize(
    "link", ["See {heuristic}` Twin` there.", "See {heuristic}`text < Twin >` there."]
)
def test_a_link_to_what_moves_may_have_white_space(tmp_path: Path, link: str) -> None:
    see = {"see.md": f"---\norphan: true\n---\n{link}\n"}
    titled = TWIN.replace("   :note", "   :title: Another\n   :note")
    worlds = ({"h/a.rst": TWIN}, {"h/b.rst": TWIN}, {"h/b.rst": titled}, {})
    requires_same(tmp_path, *(project_of(see | world) for world in worlds))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("see.rst", ":orphan:\n\nSee\n===\n\n:any:`Twin`\n"),
        ("see.rst", ":orphan:\n\nSee\n===\n\n:any:`this <Twin>`\n"),
        ("see.rst", ":orphan:\n\nSee\n===\n\n.. default-role:: any\n\n`Twin`\n"),
        ("see.md", "---\norphan: true\n---\n# See\n\n[](Twin)\n"),
        ("see.md", "---\norphan: true\n---\n# See\n\n[this](#Twin)\n"),
        ("see.md", "---\norphan: true\n---\n# See\n\n<project:#Twin>\n"),
    ],
)
def test_any_link_to_a_heuristic_is_followed(
    tmp_path: Path, page: str, text: str
) -> None:
    titled = TWIN.replace("   :note", "   :title: Another\n   :note")
    worlds = [{"h/a.rst": TWIN}, {"h/b.rst": TWIN}, {"h/b.rst": titled}, {}]
    site = Site(tmp_path, World())
    for files in worlds:
        site.world = project_of({page: text, **files})
        site.sync()
        built, clean = site.build(), site.clean()
        assert not differences(built, clean)
        assert built.others == clean.others
        for name in files:
            # The page that defines it names the page that mentions it.
            assert "See" in built.output[name.replace(".rst", ".html")]
    assert built.others


def test_a_base_says_that_it_is_of_another_module(tmp_path: Path) -> None:
    run = '    def run(self):\n        """Run."""\n'
    files = {
        "lib/pkg/root.py": f"class Root:\n{run}",
        "lib/pkg/mix.py": f"class Mix:\n{run}",
        "lib/pkg/impl.py": (
            "from pkg.mix import Mix\nfrom pkg.root import Root\n\n\n"
            "class Base(Root):\n    __module__ = 'pkg'\n\n    def other(self):\n        pass\n"
        ),
        "lib/pkg/__init__.py": "from pkg.impl import Base\n",
        "lib/pkg/child.py": "from pkg import Base\n\n\nclass Child(Base):\n    pass\n",
        "api.rst": ":orphan:\n\n.. autoclass:: pkg.child.Child\n",
        "h/one.rst": ":orphan:\n\n.. heuristic:: One\n   :note: N.\n   :impl: pkg.root.Root.run\n",
    }
    changed = files | {
        "lib/pkg/impl.py": files["lib/pkg/impl.py"].replace(
            "Base(Root)", "Base(Mix, Root)"
        )
    }
    requires_same(tmp_path, project_of(files), project_of(changed), project_of(files))


@pytest.mark.parametrize(
    "entry", [".. autoclass:: pkg.top.Top\n", ".. automethod:: pkg.top.Top.run\n"]
)
def test_a_class_between_overrides_a_method(tmp_path: Path, entry: str) -> None:
    files = {
        "lib/pkg/__init__.py": "",
        "lib/pkg/base.py": 'class Base:\n    def run(self):\n        """Run."""\n',
        "lib/pkg/mid.py": "from pkg.base import Base\n\n\nclass Mid(Base):\n    attribute = 1\n",
        "lib/pkg/top.py": "from pkg.mid import Mid\n\n\nclass Top(Mid):\n    pass\n",
        "api.rst": f":orphan:\n\n{entry}\n.. autoclass:: pkg.base.Base\n",
        "h/one.rst": ":orphan:\n\n.. heuristic:: One\n   :note: N.\n   :impl: pkg.base.Base.run\n",
    }
    override = '\n    def run(self):\n        """Run otherwise."""\n'
    changed = files | {"lib/pkg/mid.py": files["lib/pkg/mid.py"] + override}
    requires_same(tmp_path, project_of(files), project_of(changed), project_of(files))


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


@pytest.mark.parametrize("entry", ["autofunction", "py:function"])
def test_a_function_comes_over_three_files(tmp_path: Path, entry: str) -> None:
    function = 'def cut():\n    """Cut."""\n'
    files = {
        "lib/pkg/__init__.py": "from pkg.one import cut\n",
        "lib/pkg/one.py": "from pkg.two import cut\n",
        "lib/pkg/two.py": "from pkg.three import cut\n",
        "lib/pkg/three.py": function,
        "lib/pkg/four.py": function,
        "api.rst": f":orphan:\n\n.. {entry}:: pkg.cut\n",
        "h/one.rst": ":orphan:\n\n.. heuristic:: One\n   :note: N.\n"
        "   :impl: ?pkg.three.cut\n",
    }
    changed = files | {"lib/pkg/two.py": "from pkg.four import cut\n"}
    requires_same(tmp_path, project_of(files), project_of(changed), project_of(files))


def test_after_a_killed_build_a_build_of_some_files_vouches_for_these_alone(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, project_of({"h/one.rst": TWIN}))
    site.build()
    site.kill("html", "doctree-resolved", 1, force=True)
    site.world = project_of({"h/one.rst": TWIN.replace("tools.cut", "?Later")})
    site.sync()
    site.build(files=[site.src / "h" / "one.rst"])
    assert not differences(site.build(), site.clean())


# -- the test itself: planted faults are caught --


def test_no_rewriting_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutputRecord, "stale", lambda _self, _digests: [])
    assert "api.html" in tell(tmp_path, [Step(edits=("edit the note",))])[0]


def test_a_stale_digest_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = contents.digest

    def forgetful(plan: Plan, views: Mapping[str, View], docname: str) -> str:
        plan = replace(plan, settle=lambda record: Note((), record.docname))
        return digest(plan, views, docname)

    monkeypatch.setattr(events, "digest", forgetful)
    assert "api.html" in tell(tmp_path, [Step(edits=("edit the note",))])[0]


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
    site = Site(tmp_path, start())
    assert site.build(jobs=4).output != site.clean().output


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
    assert "warnings" in tell(tmp_path, [Step(edits=("retarget to nothing",))])[0]
