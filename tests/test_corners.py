"""Corners of the interface: what YAML reads otherwise, broken links, nitpicking, partial books, other languages."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import pytest
from conftest import title_of

from sphinxext_heuristics.build.domain import HeuristicDomain

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project


def facts(built: Built, page: str, anchor: str) -> dict[str, str]:
    """Return the facts of a definition: name → text."""
    block = built.soup(page).find(id=anchor)
    assert block is not None
    names = [dt.get_text().rstrip(":") for dt in block.select("dl.heuristic-facts > dt")]
    bodies = [" ".join(dd.get_text().split()) for dd in block.select("dl.heuristic-facts > dd")]
    return dict(zip(names, bodies, strict=True))


# -- what YAML would read otherwise ----------------------------------------------------

ENTRIES = """
```{eval-rst}
.. py:class:: demo.Model

   .. py:method:: merge()

.. py:class:: demo.Other

   .. py:method:: merge()
```
"""

YAML_OPTIONS = {
    "note": {
        "`code` comes first": "code comes first",
        "*emphasis* comes first": "emphasis comes first",
        "[a link](other.md) comes first": "a link comes first",
        "{doc}`other` comes first": "Other comes first",
        "colon: in the text": "colon: in the text",
        "true": "true",
        "0.20": "0.20",
        "~": "~",
        "null": "null",
        "@at, %percent": "@at, %percent",
        '"quoted: here #1"': "quoted: here #1",
        "'it''s'": "it's",
        "50 % of it": "50 % of it",
        "no#comment": "no#comment",
        "- dashed": "- dashed",
    },
    "title": {"1.0": "1.0", "yes": "yes", "*star* & <b>": "*star* & <b>", "A: B": "A: B"},
}


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [(option, value, text) for option, values in YAML_OPTIONS.items() for value, text in values.items()],
)
def test_value_in_myst_is_what_was_written(project: Callable[..., Project], option: str, value: str, text: str) -> None:
    other = "" if option == "note" else ":note: n\n"
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n{other}:{option}: {value}\n:impl: demo.Model\n```\n"
    built = project({"index.md": index, "other.md": "---\norphan: true\n---\n# Other\n"}).ok("html")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    assert (title_of(box) if option == "title" else box.select("p")[1].get_text()) == text


@pytest.mark.parametrize(
    ("impl", "shown"),
    [
        ("*.merge", ["demo.Model.merge", "demo.Other.merge"]),
        ('"*.merge"', ["demo.Model.merge", "demo.Other.merge"]),
        ("~demo.Model", ["demo.Model"]),
        ("~demo.Model, *.merge", ["demo.Model", "demo.Model.merge", "demo.Other.merge"]),
        ("the model <demo.Model>", ["demo.Model"]),
        ("?demo.Later, demo.Model", ["demo.Model"]),
    ],
)
def test_connection_in_myst_is_what_was_written(project: Callable[..., Project], impl: str, shown: list[str]) -> None:
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: n\n:impl: {impl}\n:env: ?Later\n```\n"
    built = project({"index.md": index}).ok("html")
    anchors = ("demo.Model", "demo.Model.merge", "demo.Other", "demo.Other.merge")
    assert [anchor for anchor in anchors if built.shown("index.html", anchor)] == shown
    assert facts(built, "index.html", "heuristic-one")["Environment"] == "⬜ Later"


def test_lists_and_versions_in_myst(project: Callable[..., Project]) -> None:
    index = f"""
# Start
{ENTRIES}
```{{heuristic}} Block
---
note: n
impl: |
  demo.Model,
  demo.Other
category: 2024, on
since: 0.10
until: 0.20
no-inject: false
---
```

```{{heuristic}} Dashes
---
note: >-
  folded
  text
impl: demo.Model
no-inject: yes
---
```

:::{{heuristic}} Colons
:note: n
:impl: demo.Other
:until: 1.10
:no-inject:
:::
"""
    conf = """
extensions = ["myst_parser", "sphinxext_heuristics"]
myst_enable_extensions = ["colon_fence"]
release = "0.20.1"
"""
    built = project({"conf.py": conf, "index.md": index}).ok("html")
    assert built.shown("index.html", "demo.Model") == ["Block"]
    assert built.shown("index.html", "demo.Other") == ["Block"]
    assert facts(built, "index.html", "heuristic-block") == {
        "Severity": "Tip",
        "Versions": "0.10 – 0.20",
        "Categories": "2024, on",
        "Applies to": "demo.Model, demo.Other",
    }
    assert facts(built, "index.html", "heuristic-colons")["Versions"] == "≤ 1.10"
    assert "folded text" in built.soup("index.html").find(id="heuristic-dashes").get_text()


@pytest.mark.parametrize("value", ["true", "yes", "True", ""])
def test_flag_is_set(project: Callable[..., Project], value: str) -> None:
    index = f"""
Start
=====

.. py:function:: demo.f()

.. heuristic:: A
   :note: n
   :impl: demo.f
   :no-inject: {value}
"""
    assert project({"index.rst": index}).ok("html").shown("index.html", "demo.f") == []


# -- broken links in notes -------------------------------------------------------------

BROKEN = {
    "index.rst": """
Start
=====

.. toctree::

   sub/all
   sub/api
   guide

.. heuristic-index::
""",
    "sub/all.rst": """
All
===

Text.

.. heuristic:: One
   :note: See :doc:`nowhere`, :ref:`no-label`, :py:func:`no.function`.
   :impl: demo.f, demo.g
   :workflow: guide

   Body.
""",
    "sub/api.rst": "API\n===\n\n.. py:function:: demo.f()\n\n.. py:function:: demo.g()\n",
    "guide.md": "# Guide\n\n```{heuristics-for} demo.f\n```\n",
}


@pytest.mark.parametrize("options", [(), ("-n",), ("-j2",), ("-n", "-j2")])
@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_broken_link_in_a_note_is_told_once_at_home(
    project: Callable[..., Project], builder: str, options: tuple[str, ...]
) -> None:
    built = project(BROKEN).build(builder, *options)
    places = [warning.partition(": WARNING: ")[0] for warning in built.warnings]
    assert len(places) == (3 if "-n" in options else 2), built.warnings
    assert set(places) == {"<src>/sub/all.rst:7"}


def test_broken_link_in_a_myst_note_is_told_once_at_home(project: Callable[..., Project]) -> None:
    files = {
        **{name: text for name, text in BROKEN.items() if name != "sub/all.rst"},
        "sub/all.md": """
# All

```{heuristic} One
:note: "See [this](nowhere.md), [that](#no-label) and {doc}`nowhere`."
:impl: demo.f, demo.g
:workflow: guide

Body.
```
""",
    }
    built = project(files).build("html")
    places = [warning.partition(": WARNING: ")[0] for warning in built.warnings]
    assert len(places) == 3, built.warnings
    assert {place.partition(":")[0] for place in places} == {"<src>/sub/all.md"}


LINKS = "[](deep), [](deep.md), [w](./deep), [](#the-part), {any}`deep`, {doc}`deep` and [](../index.md#lab)"


def test_links_in_a_note_lead_from_a_copy_to_where_they_lead_from_its_page(project: Callable[..., Project]) -> None:
    files = {
        "index.md": f"# Start\n{ENTRIES}\n(lab)=\n## Labelled\n\n```{{toctree}}\nh/one\nh/deep\ndeep\n```\n",
        "deep.md": "# Another of this name\n",
        "h/deep.md": "# Deep\n",
        "h/one.md": f"```{{heuristic}} One\n:note: See {LINKS}.\n:impl: demo.Model\n```\n\n# The part\n\nText.\n",
    }
    built = project(files).ok("html", "-D", "myst_heading_anchors=2")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    note = box.select("p")[1]
    assert note.get_text() == "See Deep, Deep, w, The part, Deep, Deep and Labelled."
    at_home = built.soup("h/one.html").select_one("section.heuristic > p")
    assert at_home is not None
    leads = [posixpath.normpath(posixpath.join("h", str(link["href"]))) for link in at_home.select("a")]
    assert leads[3:4] + leads[-1:] == ["h/#the-part", "index.html#lab"]
    leads[3] = "h/one.html#the-part"
    assert [posixpath.normpath(str(link["href"])) for link in note.select("a")] == [*leads[:-1], "#lab"]


def test_a_broken_link_without_words_is_called_by_its_target(project: Callable[..., Project]) -> None:
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: See [](nowhere.md) there.\n:impl: demo.Model\n```\n"
    built = project({"index.md": index}).build("html")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    assert box.select("p")[1].get_text() == "See nowhere.md there."
    assert box.select("p")[1].select("a") == []


def test_nothing_of_ours_is_picked_at(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. py:function:: demo.f()

.. py:function:: demo.g()

.. heuristic:: One
   :note: See :heuristic:`Two`, :py:func:`demo.g`.
   :impl: demo.f, ?demo.later
   :workflow: index, ?later

.. heuristic:: Two
   :note: n
   :impl: demo.g

.. heuristic-index::

.. heuristic-index::
   :layout: cards

.. heuristic-index::
   :missing:

.. heuristics-for:: demo.f
"""
    project({"index.rst": index}).ok("html", "-n")


@pytest.mark.parametrize(("suppressed", "count"), [("heuristic", 0), ("heuristic.target", 1), ("ref", 2)])
def test_warnings_can_be_suppressed_by_type_and_subtype(
    project: Callable[..., Project], suppressed: str, count: int
) -> None:
    conf = f'extensions = ["sphinxext_heuristics"]\nsuppress_warnings = ["{suppressed}"]\n'
    index = "Start\n=====\n\n.. heuristic:: One\n   :note: See :heuristic:`No`.\n   :impl: no.where\n"
    built = project({"conf.py": conf, "index.rst": index}).build("html", "-W")
    assert len(built.warnings) == count
    assert built.status == (1 if count else 0)


# -- a book that holds a part only -----------------------------------------------------

PARTIAL = {
    "conf.py": """
project = "Part"
version = "1"
extensions = ["sphinxext_heuristics"]
latex_documents = [("book", "book.tex", "Book", "A", "manual")]
man_pages = [("book", "book", "Book", [], 1)]
texinfo_documents = [("book", "book", "Book", "A", "book", "d", "m")]
""",
    "index.rst": "Start\n=====\n\n.. toctree::\n\n   book\n   rest\n",
    "book.rst": """
Book
====

.. py:function:: demo.inside()

.. heuristic:: Inside
   :note: See :doc:`rest`, :ref:`far` and :heuristic:`Outside`.
   :impl: demo.inside, demo.outside
   :workflow: rest
   :principle: far

.. heuristic-index::
""",
    "rest.rst": """
Rest
====

.. _far:

Far
---

.. py:function:: demo.outside()

.. heuristic:: Outside
   :note: See :ref:`far` and far_.
   :impl: demo.inside
   :workflow: book
""",
}


@pytest.mark.parametrize("builder", ["latex", "texinfo", "man"])
def test_book_of_some_pages_has_no_link_out_of_itself(project: Callable[..., Project], builder: str) -> None:
    built = project(PARTIAL).build(builder)
    assert [w for w in built.warnings if "heuristic." in w] == []
    assert built.status == 0
    if builder == "latex":
        latex = built.read("book.tex")
        labels = set(re.findall(r"\\label\{\\detokenize\{(.+?)\}\}", latex))
        links = set(re.findall(r"\\hyperref\[\\detokenize\{(.+?)\}\]", latex))
        assert links <= labels
        assert "Outside" in latex


# -- pages kept free -------------------------------------------------------------------


def test_on_a_page_kept_free_what_is_placed_by_hand_is_shown(project: Callable[..., Project]) -> None:
    index = """
:no-heuristics:

Start
=====

.. py:function:: demo.f()

   F.

.. py:function:: demo.g()

   .. heuristics-for:: demo.f

.. heuristics-for:: demo.f index

.. heuristic:: One
   :note: n
   :impl: demo.f
   :workflow: index
"""
    built = project({"index.rst": index}).ok("html")
    assert built.shown("index.html", "demo.f") == []
    assert built.shown("index.html", "demo.g") == ["One"]
    assert len(built.soup("index.html").select("section > div.heuristic")) == 2, "by hand, and the definition"
    assert "Shown in" not in built.soup("index.html").get_text()


@pytest.mark.parametrize("pattern", ["api/*", "api/**", "**/one", "api/one", "a[op]i/*"])
def test_patterns_of_pages_kept_free(project: Callable[..., Project], pattern: str) -> None:
    built = project(
        {
            "conf.py": f'extensions = ["sphinxext_heuristics"]\nheuristics_exclude = ["{pattern}"]\n',
            "index.rst": "Start\n=====\n\n.. toctree::\n\n   api/one\n   two\n\n"
            ".. heuristic:: One\n   :note: n\n   :impl: demo.one, demo.two\n",
            "api/one.rst": "One\n===\n\n.. py:function:: demo.one()\n",
            "two.rst": "Two\n===\n\n.. py:function:: demo.two()\n",
        }
    ).ok("html")
    assert built.shown("api/one.html", "demo.one") == []
    assert built.shown("two.html", "demo.two") == ["One"]


def test_an_index_in_an_entry_leaves_it_its_own_heuristics(project: Callable[..., Project]) -> None:
    entry = ".. py:class:: demo.Model\n\n   Model.\n\n   .. heuristic-index::\n"
    one = ".. heuristic:: One\n   :note: n\n   :impl: demo.Model\n"
    built = project({"index.rst": f"Start\n=====\n\n{entry}\n{one}"}).ok("html")
    assert built.shown("index.html", "demo.Model") == ["One"]
    assert built.soup("index.html").select("dl.heuristic-entries a") != []


def test_by_hand_in_an_entry_with_nothing_to_show(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. py:class:: demo.C

   C.

   .. py:method:: f()

      .. heuristics-for:: demo.g

.. py:function:: demo.g()

.. heuristic:: One
   :note: n
   :impl: demo.C, demo.C.f
"""
    built = project({"index.rst": index}).ok("html")
    assert built.shown("index.html", "demo.C") == ["One"], "a member's own does not stand for its class's"
    assert built.shown("index.html", "demo.C.f") == []
    assert built.entry("index.html", "demo.C.f").find_all(recursive=True) == []


# -- another language ------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "fr", "ja", "zh_CN"])
def test_line_of_base_classes_in_any_language(project: Callable[..., Project], language: str) -> None:
    built = project(
        {
            "conf.py": f'extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]\nlanguage = "{language}"\n'
            "autodoc_default_options = {'show-inheritance': True}\n",
            "langpkg.py": "class Base:\n    '''Base.'''\n\nclass Model(Base):\n    '''Summary.\n\n    More.\n    '''\n",
            "index.rst": "Start\n=====\n\n.. autoclass:: langpkg.Model\n\n"
            ".. heuristic:: One\n   :note: n\n   :impl: langpkg.Model\n",
        }
    ).ok("html")
    body = built.entry("index.html", "langpkg.Model")
    parts = [child.get_text() if child.name == "p" else child["class"][0] for child in body.find_all(recursive=False)]
    assert len(parts) == 4
    assert "Base" in parts[0]
    assert parts[1:] == ["Summary.", "heuristic", "More."]


# -- places a definition may stand in --------------------------------------------------


def test_only_and_ifconfig_and_tabs(project: Callable[..., Project]) -> None:
    made = project(
        {
            "conf.py": 'extensions = ["sphinx.ext.ifconfig", "sphinx_design", "sphinxext_heuristics"]\n',
            "index.rst": """
Start
=====

.. py:function:: demo.f()

.. only:: html

   .. heuristic:: In_Only
      :note: n
      :impl: demo.f

.. ifconfig:: True

   .. heuristic:: In_Ifconfig
      :note: n
      :impl: demo.f

.. tab-set::

   .. tab-item:: One

      .. heuristic:: In_Tab
         :note: n
         :impl: demo.f

.. dropdown:: More

   .. heuristics-for:: demo.f

.. heuristic:: After
   :note: n
   :workflow: index
""",
        }
    )
    built = made.ok("html")
    assert built.shown("index.html", "demo.f") == ["In Ifconfig", "In Only", "In Tab"]
    for name in ("in-only", "in-ifconfig", "in-tab", "after"):
        assert facts(built, "index.html", f"heuristic-{name}")["Severity"] == "Tip"
    assert len(built.soup("index.html").select("details.sd-dropdown div.heuristic")) == 3
    made.ok("latex")


def test_page_of_a_heuristic_with_sections_and_toctree(project: Callable[..., Project]) -> None:
    built = project(
        {
            "index.rst": "Start\n=====\n\n.. toctree::\n\n   heuristics/Merge\n\n:doc:`heuristics/Merge`\n",
            "heuristics/Merge.rst": """
.. _own-label:

.. heuristic:: Merge
   :title: Merge late
   :note: n
   :workflow: Merge, own-label

   Body, :ref:`own-label`.

.. contents::

First
-----

.. toctree::

   Child

Second
------
""",
            "heuristics/Child.rst": ".. heuristic:: Child\n   :note: n\n   :workflow: Merge\n",
        }
    ).ok("html")
    page = built.soup("heuristics/Merge.html")
    assert page.h1.get_text().startswith("Merge late")
    assert [h2.get_text().rstrip("¶") for h2 in page.select("section section h2")] == ["First", "Second"]
    assert page.title.get_text().startswith("Merge late")
    links = [a.get_text() for a in built.soup("index.html").select("div.toctree-wrapper a")]
    assert links == ["Merge late", "First", "Child", "Second"]
    assert [title_of(box) for box in page.select("section#heuristic-merge > div.heuristic, section > div.heuristic")]
    own = [a for a in page.select("a.internal") if a.get_text() == "Merge late" and "own-label" in str(a["href"])]
    assert own
    built.follow("heuristics/Merge.html", own[0])
    assert built.inventory()["heuristic:heuristic"]["Merge"][0] == "heuristics/Merge.html#heuristic-merge"


# -- the domain's index ----------------------------------------------------------------


def test_domain_index_can_be_left_out(project: Callable[..., Project]) -> None:
    index = "Start\n=====\n\n.. heuristic:: One\n   :note: n\n   :workflow: index\n"
    made = project({"index.rst": index})
    assert (made.ok("html").out / "heuristic-index.html").is_file()
    conf = 'extensions = ["sphinxext_heuristics"]\nhtml_domain_indices = False\n'
    made.write({"conf.py": conf})
    built = made.ok("html", out="other")
    assert not (built.out / "heuristic-index.html").exists()


def test_domain_index_of_some_documents(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. toctree::

   other

.. heuristic:: One
   :note: n
   :workflow: index
"""
    built = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nproject = "P"\n'
            'latex_domain_indices = True\nlatex_documents = [("other", "p.tex", "P", "A", "howto")]\n',
            "index.rst": index,
            "other.rst": "Other\n=====\n\n.. heuristic:: Two\n   :note: n\n   :workflow: index\n",
        }
    ).ok("latex")
    latex = built.read("p.tex")
    _before, found, listed = latex.partition("Heuristic index")
    assert found
    assert "Two" in listed
    assert "One" not in listed


# -- faults that no case shows ---------------------------------------------------------


def messages(built: Built) -> list[str]:
    return [warning.partition(" WARNING: ")[2] for warning in built.warnings]


def test_flag_with_a_value(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. heuristic:: One
   :note: n
   :workflow: index
   :no-inject: perhaps

.. heuristic-index::
   :missing: perhaps
"""
    built = project({"index.rst": index}).build("html")
    assert [warning.partition(": WARNING: ")[0] for warning in built.warnings] == [
        "<src>/index.rst:8",
        "<src>/index.rst:11",
    ]
    assert messages(built) == [
        "no-inject is a flag and takes no value: 'perhaps' [heuristic.option]",
        "missing is a flag and takes no value: 'perhaps' [heuristic.option]",
    ]
    assert built.soup("index.html").select("table.heuristic-index"), "the flag is off"


@pytest.mark.parametrize("lines", [":impl: demo.f,\n  demo.g\n", ":impl: demo.f,\n    demo.g\n\nBody.\n"])
def test_value_of_several_lines_is_not_lost_in_silence(project: Callable[..., Project], lines: str) -> None:
    built = project({"index.md": f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: n\n{lines}```\n"}).build("html")
    assert any("'demo.g', which looks like the continuation" in message for message in messages(built))


def test_first_sentence_with_named_and_anonymous_references(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. py:function:: demo.f()

.. heuristic:: One
   :impl: demo.f

   See named_, `phrased link`_ and `anonymous`__. More of it.

.. _named: https://example.org/named
.. _phrased link: https://example.org/phrased
__ https://example.org/anonymous
"""
    built = project({"index.rst": index}).ok("html")
    note = built.entry("index.html", "demo.f").select("div.heuristic p")[1]
    assert note.get_text() == "See named, phrased link and anonymous."
    assert {a.get_text(): a["href"] for a in note.select("a")}.items() >= {
        "named": "https://example.org/named",
        "phrased link": "https://example.org/phrased",
    }.items()


def test_category_asked_for_that_is_not_configured(project: Callable[..., Project]) -> None:
    conf = 'extensions = ["sphinxext_heuristics"]\nheuristics_categories = {"Debugging": "", "Training": ""}\n'
    index = "Start\n=====\n\n.. heuristics-for:: category:Debuging\n\n.. heuristic-index::\n   :category: Training\n"
    assert messages(project({"conf.py": conf, "index.rst": index}).build("html")) == [
        (
            "category 'Debuging' is not in heuristics_categories: 'Debugging', 'Training'; did you mean 'Debugging'? "
            "[heuristic.category]"
        )
    ]


def test_entry_without_a_name(project: Callable[..., Project]) -> None:
    index = "Start\n=====\n\n.. py:function:: (not a name\n\n   Text.\n\n.. heuristic-index::\n"
    built = project({"index.rst": index}).build("html")
    assert not [warning for warning in built.warnings if "[heuristic." in warning]
    assert built.status == 0


def test_an_environment_of_another_form_is_read_anew(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({"index.rst": "Start\n=====\n\n.. heuristic:: One\n   :note: n\n   :workflow: index\n"})
    with monkeypatch.context() as earlier:
        earlier.setattr(HeuristicDomain, "data_version", HeuristicDomain.data_version + 1)
        made.ok("text")
    built = made.ok("text")
    assert "One: n" in built.read("index.txt")
