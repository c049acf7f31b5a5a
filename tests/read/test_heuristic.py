"""The directive in both syntaxes: values as written, where a definition may stand, faults that no case shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project


def facts(built: Built, page: str, anchor: str) -> list[str]:
    """Return the parts of a definition's line of facts."""
    line = built.soup(page).select_one(f"#{anchor} .heuristic-facts")
    assert line is not None
    return " ".join(line.get_text().split()).split(" · ")


def environment(built: Built, anchor: str) -> str:
    """Return what the end of a definition says of its environment."""
    names = built.soup("index.html").select(f"#{anchor} dl.heuristic-entries > dt")
    (name,) = [name for name in names if name.get_text().startswith("Environment")]
    return " ".join(name.find_next_sibling("dd").get_text().split())


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
    "title": {
        "1.0": "1.0",
        "yes": "yes",
        "*star* & <b>": "*star* & <b>",
        "A: B": "A: B",
    },
}


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        (option, value, text)
        for option, values in YAML_OPTIONS.items()
        for value, text in values.items()
    ],
)
def test_value_in_myst_is_what_was_written(
    project: Callable[..., Project], option: str, value: str, text: str
) -> None:
    other = "" if option == "note" else ":note: n\n"
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n{other}:{option}: {value}\n:impl: demo.Model\n```\n"
    built = project(
        {"index.md": index, "other.md": "---\norphan: true\n---\n# Other\n"}
    ).ok("html")
    box = built.entry("index.html", "demo.Model").select_one("div.heuristic")
    assert box is not None
    assert (
        title_of(box) if option == "title" else box.select("p")[1].get_text()
    ) == text


@pytest.mark.parametrize(
    ("impl", "shown"),
    [
        ("*.merge", ["demo.Model.merge", "demo.Other.merge"]),
        ('"*.merge"', ["demo.Model.merge", "demo.Other.merge"]),
        ("~demo.Model", ["demo.Model"]),
        (
            "~demo.Model, *.merge",
            ["demo.Model", "demo.Model.merge", "demo.Other.merge"],
        ),
        ("the model <demo.Model>", ["demo.Model"]),
        ("?demo.Later, demo.Model", ["demo.Model"]),
    ],
)
def test_connection_in_myst_is_what_was_written(
    project: Callable[..., Project], impl: str, shown: list[str]
) -> None:
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: n\n:impl: {impl}\n:env: ?Later\n```\n"
    built = project({"index.md": index}).ok("html")
    anchors = ("demo.Model", "demo.Model.merge", "demo.Other", "demo.Other.merge")
    selector = "div.heuristic, div.heuristic-repeated"
    showing = [
        anchor
        for anchor in anchors
        if any(
            box.find_parent("dd") is built.entry("index.html", anchor)
            for box in built.entry("index.html", anchor).select(selector)
        )
    ]
    assert showing == shown
    assert environment(built, "heuristic-one") == "Later (planned)"


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
    assert facts(built, "index.html", "heuristic-block") == [
        "Tip",
        "0.10 – 0.20",
        "2024, on",
        "Applies to: demo.Model, demo.Other",
    ]
    assert "≤ 1.10" in facts(built, "index.html", "heuristic-colons")[1]
    assert (
        "folded text" in built.soup("index.html").find(id="heuristic-dashes").get_text()
    )


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
    assert built.shown("index.html", "demo.f") == ["In Only", "In Ifconfig", "In Tab"]
    for name in ("in-only", "in-ifconfig", "in-tab", "after"):
        assert facts(built, "index.html", f"heuristic-{name}")[0] == "Tip"
    assert (
        len(built.soup("index.html").select("details.sd-dropdown div.heuristic")) == 3
    )
    made.ok("latex")


def test_page_of_a_heuristic_with_sections_and_toctree(
    project: Callable[..., Project],
) -> None:
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
    assert [h2.get_text().rstrip("¶") for h2 in page.select("section section h2")] == [
        "First",
        "Second",
    ]
    assert page.title.get_text().startswith("Merge late")
    links = [
        a.get_text() for a in built.soup("index.html").select("div.toctree-wrapper a")
    ]
    assert links == ["Merge late", "First", "Child", "Second"]
    assert [
        title_of(box)
        for box in page.select(
            "section#heuristic-merge > div.heuristic, section > div.heuristic"
        )
    ]
    own = [
        a
        for a in page.select("a.internal")
        if a.get_text() == "Merge late" and "own-label" in str(a["href"])
    ]
    assert own
    built.follow("heuristics/Merge.html", own[0])
    assert (
        built.inventory()["heuristic:heuristic"]["Merge"][0]
        == "heuristics/Merge.html#heuristic-merge"
    )


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


@pytest.mark.parametrize(
    "lines",
    [
        ":impl: demo.Model,\n  demo.Other\n",
        ":impl:\n  demo.Model\n  demo.Other\n\nBody.\n",
    ],
)
def test_value_of_several_lines(project: Callable[..., Project], lines: str) -> None:
    index = f"# Start\n{ENTRIES}\n```{{heuristic}} One\n:note: n\n{lines}```\n"
    built = project({"index.md": index}).ok("html")
    assert built.shown("index.html", "demo.Other") == ["One"]


def test_first_sentence_with_named_and_anonymous_references(
    project: Callable[..., Project],
) -> None:
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


def test_category_asked_for_that_is_not_configured(
    project: Callable[..., Project],
) -> None:
    conf = 'extensions = ["sphinxext_heuristics"]\nheuristics_categories = {"Debugging": "", "Training": ""}\n'
    index = "Start\n=====\n\n.. heuristics-for:: category:Debuging\n\n.. heuristic-index::\n   :category: Training\n"
    assert messages(project({"conf.py": conf, "index.rst": index}).build("html")) == [
        (
            "category 'Debuging' is not in heuristics_categories: 'Debugging', 'Training'; did you mean 'Debugging'? "
            "[heuristic.category]"
        )
    ]


@pytest.mark.parametrize("suffix", ["md", "rst"])
def test_of_a_conflict_the_page_says_so_once(
    project: Callable[..., Project], suffix: str
) -> None:
    opening, closing = {
        "md": ("```{heuristic}", "```\n"),
        "rst": (".. heuristic::", ""),
    }[suffix]
    indent = "" if suffix == "md" else "   "
    notes = "".join(
        f"{marker}\n{indent}:note: {note}\n"
        for marker, note in (("<<<<<<< HEAD", "Ours."), ("=======", "Theirs."))
    )
    page = f"{opening} A\n{notes}>>>>>>> theirs\n{indent}:workflow: index\n{closing}"
    start = "Start\n=====\n\n.. toctree::\n\n   heuristics/A\n\n.. heuristic-index::\n"
    conf = 'extensions = ["myst_parser", "sphinxext_heuristics"]\n'
    files = {"conf.py": conf, "index.rst": start, f"heuristics/A.{suffix}": page}
    made = project(files)
    for _time in range(2):
        ours = [one for one in made.build("html").warnings if "[heuristic." in one]
        assert ours == [
            (
                f"<src>/heuristics/A.{suffix}:2: WARNING: this file holds the markers of a merge "
                "conflict [heuristic.file]"
            )
        ]
