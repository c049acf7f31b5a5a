"""What readers see in HTML: the admonition, the collapsed rest, a note's markup and links, indexes, inventory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conftest import title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import Tag
    from conftest import Built, Project

ONE = """
=== index.rst
Start
=====

.. toctree::

   deep/api
   deep/heuristics
   deep/er/guide

=== deep/api.rst
API
===

.. py:function:: demo.merge()

   Merge.

.. py:function:: demo.train()

   Train.
"""


def boxes(parent: Tag) -> list[Tag]:
    return parent.select("div.heuristic")


@pytest.fixture(scope="module")
def stack(shared_project: Callable[..., Project]) -> Built:
    return shared_project(
        """
=== conf.py
extensions = ["sphinxext_heuristics"]
heuristics_max_shown = 1
=== index.rst
Start
=====

.. toctree::

   api/demo
   all

=== api/demo.rst
API
===

.. py:function:: demo.merge()

   Merge.

.. py:function:: demo.alone()

   Alone.

.. py:function:: demo.none()

   None.

=== all.rst
All
===

.. heuristic:: A_Tip
   :title: Tip & <b>
   :note: One.
   :impl: demo.merge, demo.alone
   :class: mine

.. heuristic:: A_Danger
   :note: Two.
   :impl: demo.merge
   :severity: danger
   :name: own-label

.. heuristic:: A_Caution
   :note: Three.
   :impl: demo.merge
   :severity: caution

.. heuristic:: A_Note
   :note: Four.
   :impl: demo.merge
   :severity: note

See :ref:`this <own-label>`.

.. heuristics-for:: demo.merge
"""
    ).ok("html")


def test_admonition_is_docutils_own_with_our_classes(stack: Built) -> None:
    box = boxes(stack.entry("api/demo.html", "demo.alone"))[0]
    assert sorted(box["class"]) == [
        "admonition",
        "heuristic",
        "heuristic-tip",
        "mine",
        "no-search",
        "tip",
    ]
    assert not box.get("id")
    title = box.select_one("p.admonition-title")
    assert title is not None
    assert title.get_text() == "Tip: Tip & <b>"
    link = title.select_one("a")
    assert link is not None
    assert link.get_text() == "Tip & <b>", "the severity's word stands outside the link"
    assert stack.follow("api/demo.html", link).get("id") == "heuristic-a-tip"
    assert box.select("p")[1].get_text() == "One."


def test_past_the_limit_they_are_collapsed(stack: Built) -> None:
    body = stack.entry("api/demo.html", "demo.merge")
    assert [title_of(box) for box in boxes(body)] == [
        "A Danger",
        "A Caution",
        "A Note",
        "Tip & <b>",
    ]
    details = body.select("details.heuristic-more")
    assert len(details) == 1
    assert not details[0].has_attr("open")
    summary = details[0].select_one("summary")
    assert summary is not None
    assert summary.get_text() == "3 more: A Caution, A Note, Tip & <b>"
    assert [title_of(box) for box in boxes(details[0])] == [
        "A Caution",
        "A Note",
        "Tip & <b>",
    ]


def test_without_a_heuristic_nothing_is_added(stack: Built) -> None:
    body = stack.entry("api/demo.html", "demo.none")
    assert [child.name for child in body.select("*")] == ["p"]


def test_by_hand_the_limit_holds_too(stack: Built) -> None:
    details = stack.soup("all.html").select("details.heuristic-more")
    assert [title_of(box) for box in boxes(details[0])] == [
        "A Caution",
        "A Note",
        "Tip & <b>",
    ]


def test_own_label_and_anchor(stack: Built) -> None:
    link = next(
        a
        for a in stack.soup("all.html").select("p > a.internal")
        if a.get_text() == "this"
    )
    assert (
        "own-label" in str(stack.follow("all.html", link))
        or link["href"] == "#heuristic-a-danger"
    )
    assert stack.soup("all.html").find(id="heuristic-a-danger") is not None


def test_style_sheet_is_there(stack: Built) -> None:
    links = [
        link
        for link in stack.soup("api/demo.html").select("link[rel=stylesheet]")
        if "heuristics" in link["href"]
    ]
    assert len(links) == 1
    path = str(links[0]["href"]).partition("?")[0]
    assert (stack.out / "api" / path).resolve().is_file()


def test_no_id_stands_twice(stack: Built) -> None:
    for page in ("index.html", "api/demo.html", "all.html"):
        ids = [tag["id"] for tag in stack.soup(page).find_all(id=True)]
        assert len(ids) == len(set(ids))


def rules(*severities: str) -> str:
    return "".join(
        f"\n.. heuristic:: {name}\n   :note: n\n   :impl: demo.merge\n   :severity: {severity}\n"
        for name, severity in zip("ABCDEFGH", severities, strict=False)
    )


@pytest.mark.parametrize(
    ("limit", "severities", "summary"),
    [
        ("0", ["tip"], []),
        ("0", ["tip"] * 2, ["2 more: A, B"]),
        ("1", ["tip"] * 2, []),
        ("1", ["tip"] * 3, ["2 more: B, C"]),
        ("", ["tip"] * 4, []),
        ("", ["tip"] * 5, ["2 more: D, E"]),
        # Dangers leave one, or two.
        ("1", ["danger", "danger", "tip"], []),
        ("1", ["danger", "danger", "tip", "tip"], ["2 more: C, D"]),
    ],
)
def test_one_is_never_collapsed(
    limit: str,
    severities: list[str],
    summary: list[str],
    project: Callable[..., Project],
) -> None:
    conf = 'extensions = ["sphinxext_heuristics"]\n'
    if limit:
        conf += f"heuristics_max_shown = {limit}\n"
    page = f"Start\n=====\n\n.. py:function:: demo.merge()\n{rules(*severities)}"
    built = project({"conf.py": conf, "index.rst": page}).ok("html")
    body = built.entry("index.html", "demo.merge")
    assert [one.get_text() for one in body.select("summary")] == summary
    assert [title_of(box) for box in boxes(body)] == list("ABCDEFGH"[: len(severities)])


ONCE = """
=== oncepkg.py
class Base:
    \"\"\"Base.\"\"\"

    def merge(self):
        \"\"\"Merge.\"\"\"


class One(Base):
    \"\"\"One.\"\"\"


class Other(Base):
    \"\"\"Other.\"\"\"

    def merge(self):
        \"\"\"Merge otherwise.\"\"\"
=== index.rst
Start
=====

.. toctree::

   api
   alone

.. heuristic:: Merge
   :note: Merge late.
   :impl: *.merge

.. heuristic:: Not_One
   :note: Not for one.
   :impl: oncepkg.Base.merge
   :except: oncepkg.Base
=== api.rst
API
===

.. autoclass:: oncepkg.Base
   :members:

.. autoclass:: oncepkg.One
   :members:
   :inherited-members:

.. autoclass:: oncepkg.Other
   :members:
=== alone.rst
Alone
=====

.. autofunction:: oncepkg.One.merge
   :no-index:
"""


@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_of_one_object_a_page_shows_each_heuristic_in_full_once(
    builder: str, project: Callable[..., Project]
) -> None:
    built = project(ONCE).ok(builder)
    page = "api.html" if builder == "html" else "index.html"
    assert built.shown(page, "oncepkg.Base.merge") == ["Merge"]
    assert built.shown(page, "oncepkg.One.merge") == ["Not One"], (
        "an object's first entry may be free of it"
    )
    assert built.shown(page, "oncepkg.Other.merge") == []
    lines = built.soup(page).select("div.heuristic-repeated")
    assert [line.get_text().strip() for line in lines] == [
        "Tip: Merge (see Base.merge)",
        "Tip: Merge (see Base.merge)",
    ], "a star names no object itself"
    first, second = lines[0].select("a")
    assert built.follow(page, second).get("id") == "oncepkg.Base.merge"
    if builder == "html":
        assert built.follow(page, first).get("id") == "heuristic-merge"
        assert len(built.soup("alone.html").select("div.heuristic")) == 2, (
            "another page says it again"
        )


def test_weight_comes_after_danger_and_before_severity(
    project: Callable[..., Project],
) -> None:
    weighed = "".join(
        f"\n.. heuristic:: {name}\n   :note: n\n   :impl: {target}\n   :severity: {severity}\n   :weight: {weight}\n"
        for name, target, severity, weight in (
            ("C", "*.merge", "tip", 0),
            ("A", "demo.merge", "tip", 0),
            ("B", "*.merge", "tip", 10),
            ("D", "demo.merge", "caution", -1),
            ("E", "demo.merge", "danger", -9),
            ("F", "*.merge", "note", 0),
        )
    )
    conf = 'extensions = ["sphinxext_heuristics"]\nheuristics_max_shown = 9\n'
    page = f"Start\n=====\n\n.. py:function:: demo.merge()\n{weighed}"
    built = project({"conf.py": conf, "index.rst": page}).ok("html")
    assert built.shown("index.html", "demo.merge") == ["E", "B", "F", "A", "C", "D"]


def test_without_a_note_the_title_stands_alone(project: Callable[..., Project]) -> None:
    page = "Start\n=====\n\n.. heuristic:: Merge\n   :workflow: index\n\n   - a list\n"
    built = project({"index.rst": page}).build("html")
    box, *_ = built.soup("index.html").select(".admonition.heuristic")
    assert len(box.select("p")) == 1


def test_what_is_injected_is_not_in_the_search(stack: Built) -> None:
    index = (stack.out / "searchindex.js").read_text(encoding="utf-8")
    data = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    api = data["docnames"].index("api/demo")
    found = {
        term
        for kind in ("terms", "titleterms")
        for term, documents in data[kind].items()
        if api in (documents if isinstance(documents, list) else [documents])
    }
    assert {"alon", "api"} & found, "the page's own words are"
    assert not {"danger", "caution", "three", "more", "tip"} & found


# -- the note's markup ----------------------------------------------------------------

GUIDE = """
=== deep/er/guide.rst
Guide
=====

.. _the-label:

A section
---------

Text.

=== deep/er/plain.md
# Plain

(md-label)=
## Part two

Text.
"""

RST_NOTE = (
    r"A ``co de``, *emphasis*, **strong**, \*star\*, H\ :sub:`2`\ O, `web <https://example.org/x>`__, `Named`_, "
    ":doc:`er/guide`, :doc:`text </deep/er/guide>`, :ref:`the-label`, :py:func:`demo.merge`, :any:`demo.train`, "
    ':heuristic:`Other`, :download:`file <data.txt>`, |sub|, :math:`x^2`, :abbr:`LA (long ago)`, "quoted"'
)

RST = (
    ONE
    + GUIDE
    + f"""
=== deep/data.txt
data
=== deep/heuristics.rst
Heuristics
==========

.. |sub| replace:: *replaced*
.. _Named: https://example.org/named

.. heuristic:: Note
   :note: {RST_NOTE}
   :impl: demo.merge
   :workflow: index

   Body.

.. heuristic:: Body
   :impl: demo.train
   :workflow: index

   See ``a. b``, `web <https://example.org/x>`__, Named_, :doc:`er/guide` and [1]_. Second.

   .. [1] A footnote.

.. heuristic:: Other
   :note: Other.
   :workflow: deep/er/guide

.. heuristic-index::
"""
)


@pytest.fixture(scope="module")
def rst_notes(shared_project: Callable[..., Project]) -> Built:
    text = RST.replace("   deep/er/guide\n", "   deep/er/guide\n   deep/er/plain\n", 1)
    return shared_project(text).ok("html")


def note_in(parent: Tag, title: str) -> Tag:
    found = [box.select("p")[1] for box in boxes(parent) if title_of(box) == title]
    assert len(found) == 1
    return found[0]


def is_at(found: Tag, target: str) -> bool:
    """Return whether an element has the id, or holds it, or is the page with the title."""
    heading = found.select_one("h1")
    return (
        target == found.get("id")
        or found.find(id=target) is not None
        or bool(heading and heading.contents[0] == target)
    )


#: A link's text in the note → where it leads: an id, or the title of a page.
RST_LINKS = {
    "Guide": "Guide",
    "text": "Guide",
    "A section": "the-label",
    "demo.merge()": "demo.merge",
    "demo.train": "demo.train",
    "Other": "heuristic-other",
}


@pytest.mark.parametrize("page", ["deep/api.html", "index.html"])
def test_rest_note_keeps_its_markup_and_links(rst_notes: Built, page: str) -> None:
    note = note_in(rst_notes.soup(page), "Note")
    text = note.get_text()
    assert text.startswith(
        "A co de, emphasis, strong, *star*, H2O, web, Named, Guide, text, A section, demo.merge()"
    )
    assert text.endswith('replaced, \\(x^2\\), LA, "quoted"'), (
        "quotes stay as they were written"
    )
    assert [tag.get_text() for tag in note.select("em")] == ["emphasis", "replaced"]
    assert note.select_one("strong").get_text() == "strong"
    assert note.select_one("sub").get_text() == "2"
    assert note.select_one("code.docutils.literal").get_text() == "co de"
    assert note.select_one("abbr")["title"] == "long ago"
    outside = {a.get_text(): a["href"] for a in note.select("a.external")}
    assert outside == {
        "web": "https://example.org/x",
        "Named": "https://example.org/named",
    }
    inside = {a.get_text(): a for a in note.select("a.internal")}
    for name, target in RST_LINKS.items():
        assert is_at(rst_notes.follow(page, inside[name]), target), (
            name,
            inside[name]["href"],
        )


def test_note_in_index_page_and_definition_have_the_same_links(
    rst_notes: Built,
) -> None:
    rows = rst_notes.soup("deep/heuristics.html").select("table.heuristic-index tr")
    (cell,) = [
        row.select("td p")[1] for row in rows if row.select("td a[href$='-note']")
    ]
    for link in cell.select("a.internal:not(.download)"):
        rst_notes.follow("deep/heuristics.html", link)
    assert {a.get_text() for a in cell.select("a.internal")} >= set(RST_LINKS)


def test_first_sentence_of_a_body_as_the_note(rst_notes: Built) -> None:
    note = note_in(rst_notes.entry("deep/api.html", "demo.train"), "Body")
    assert note.get_text() == "See a. b, web, Named, Guide and ."
    rst_notes.follow("deep/api.html", note.select_one("a.internal"))


MD_NOTE = (
    r"A `co de`, *emphasis*, **strong**, \*star\*, [web](https://example.org/x), <https://example.org/auto>, "
    "[file](er/guide.rst), [](er/plain.md), [part](er/plain.md#md-label), [label](#md-label), [near](#near-label), "
    "[](#the-label), {doc}`er/guide`, {ref}`the-label`, {py:func}`demo.merge`, {heuristic}`Other`, "
    "[object](demo.train)"
)

MD = (
    ONE
    + GUIDE
    + f"""
=== deep/heuristics.md
# Heuristics

(near-label)=
## Near

````{{heuristic}} Note
---
note: |
  {MD_NOTE}
impl: demo.merge
workflow: index
---
Body.
````

```{{heuristic}} Body
:impl: demo.train

See [file](er/guide.rst) and [near](#near-label). Second.
```

```{{heuristic}} Other
:note: Other.
:workflow: deep/er/guide
```
"""
)

MD_LINKS = {
    "file": "Guide",
    "Plain": "Plain",
    "part": "md-label",
    "label": "md-label",
    "near": "near-label",
    "A section": "the-label",
    "Guide": "Guide",
    "demo.merge()": "demo.merge",
    "Other": "heuristic-other",
    "object": "demo.train",
}


@pytest.fixture(scope="module")
def md_notes(shared_project: Callable[..., Project]) -> Built:
    text = MD.replace("   deep/er/guide\n", "   deep/er/guide\n   deep/er/plain\n", 1)
    return shared_project(text).ok("html")


@pytest.mark.parametrize("page", ["deep/api.html", "index.html"])
def test_myst_note_keeps_its_markup_and_links(md_notes: Built, page: str) -> None:
    note = note_in(md_notes.soup(page), "Note")
    assert note.get_text().startswith(
        "A co de, emphasis, strong, *star*, web, https://example.org/auto, file, Plain"
    )
    outside = {a.get_text(): a["href"] for a in note.select("a.external")}
    assert outside == {
        "web": "https://example.org/x",
        "https://example.org/auto": "https://example.org/auto",
    }
    inside = {a.get_text(): a for a in note.select("a.internal, a:not(.external)")}
    assert set(inside) == set(MD_LINKS)
    for name, target in MD_LINKS.items():
        assert is_at(md_notes.follow(page, inside[name]), target), (
            name,
            inside[name]["href"],
        )


def test_first_sentence_of_a_myst_body_as_the_note(md_notes: Built) -> None:
    note = note_in(md_notes.entry("deep/api.html", "demo.train"), "Body")
    assert note.get_text() == "See file and near."
    links = note.select("a")
    assert is_at(md_notes.follow("deep/api.html", links[0]), "Guide")
    assert is_at(md_notes.follow("deep/api.html", links[1]), "near-label")


# -- reST and MyST ---------------------------------------------------------------------

TWINS_RST = """
=== all.rst
All
===

.. heuristic:: First
   :title: The *first*
   :note: Use ``code``, *emphasis* and :ref:`Guide <guide-label>`.
   :impl: demo.merge, text <demo.train>
   :workflow: guide, ?later
   :category: X, Y
   :severity: warning
   :since: 0.1
   :until: 9

   The body.

.. heuristic:: Second
   :impl: ~demo.merge
   :class: mine

   A sentence of the body. Another one.
"""

TWINS_MD = """
=== all.md
# All

```{heuristic} First
:title: The *first*
:note: Use `code`, *emphasis* and {ref}`Guide <guide-label>`.
:impl: demo.merge, text <demo.train>
:workflow: guide, ?later
:category: X, Y
:severity: warning
:since: 0.1
:until: 9

The body.
```

```{heuristic} Second
:impl: ~demo.merge
:class: mine

A sentence of the body. Another one.
```
"""

TWINS_REST = """
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics"]
release = "1.0"
=== index.rst
Start
=====

.. toctree::

   all
   guide

.. py:function:: demo.merge()
.. py:function:: demo.train()

.. heuristic-index::

=== guide.rst
.. _guide-label:

Guide
=====

Text.
"""


def test_rest_and_myst_give_the_same(shared_project: Callable[..., Project]) -> None:
    rst = shared_project(TWINS_REST + TWINS_RST).ok("html")
    md = shared_project(TWINS_REST + TWINS_MD).ok("html")
    for page in ("index.html", "guide.html", "all.html"):
        ours = [str(box) for box in boxes(rst.soup(page))]
        assert ours == [str(box) for box in boxes(md.soup(page))]
        assert len(ours) == {"index.html": 3, "guide.html": 1, "all.html": 2}[page]
    assert str(rst.soup("index.html").select("table")) == str(
        md.soup("index.html").select("table")
    )


# -- indexes and inventory ------------------------------------------------------------


@pytest.fixture(scope="module")
def listed(shared_project: Callable[..., Project]) -> Built:
    return shared_project(
        """
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics"]
heuristics_namespace = "acme"
heuristics_package = "demo"
heuristics_categories = {"X": "An x.", "Y": "A y."}
=== index.md
# Start

See the {ref}`heuristic-index`, [here](#heuristic-index).

```{toctree}
heuristics/acme_Zebra
heuristics/acme_Apple.pie
sub/list
api
```
=== api.rst
API
===

.. py:function:: demo.merge()

=== heuristics/acme_Zebra.md
```{heuristic} acme_Zebra
:title: apple tart
:note: One `code`.
:impl: demo.merge, ?demo.later
:workflow: sub/list, sub/list#part
:category: X
```
=== heuristics/acme_Apple.pie.md
```{heuristic} Apple.pie
:title: Zebra
:note: Two.
:workflow: index
:severity: danger
```
=== sub/list.md
# List

```{heuristic-index}
```

## Part

```{heuristic-index}
:layout: cards
```

```{heuristic-index}
:missing:
```
"""
    ).ok("html")


def test_inventory_lists_each_by_name_with_its_title(listed: Built) -> None:
    assert listed.inventory()["heuristic:heuristic"] == {
        "Apple.pie": ("heuristics/acme_Apple.pie.html#heuristic-apple-pie", "Zebra"),
        "Zebra": ("heuristics/acme_Zebra.html#heuristic-zebra", "apple tart"),
    }


def test_domain_index_is_sorted_by_title_and_linked(listed: Built) -> None:
    links = listed.soup("index.html").select("section > p a")
    assert [str(a["href"]) for a in links] == ["heuristic-index.html"] * 2
    page = listed.soup("heuristic-index.html")
    rows = [(a.get_text(), a["href"]) for a in page.select("table.indextable a")]
    assert rows == [
        ("apple tart", "heuristics/acme_Zebra.html#heuristic-zebra"),
        ("Zebra", "heuristics/acme_Apple.pie.html#heuristic-apple-pie"),
    ]
    for link in page.select("table.indextable a"):
        listed.follow("heuristic-index.html", link)
    assert "One code." in page.get_text()


def test_index_table_links_connections(listed: Built) -> None:
    table = listed.soup("sub/list.html").select_one("table.heuristic-index")
    assert table is not None
    rows = table.select("tbody tr")
    assert [row.select_one("td a").get_text() for row in rows] == [
        "Zebra",
        "apple tart",
    ], "the most severe first"
    lines = [
        line.get_text().replace("\xa0", " ")
        for line in rows[1].select("td:nth-of-type(2) > details div.line")
    ]
    assert rows[1].summary.get_text() == "Connections (4)"
    assert [line.get_text() for line in rows[1].select("td:first-of-type > p")][:2] == [
        "apple tart",
        "One code.",
    ]
    assert lines == ["merge", "later (planned)", "List", "Part"]
    connected = rows[1].select("td:nth-of-type(2) a")
    assert listed.follow("sub/list.html", connected[0]).get("id") == "demo.merge"
    assert listed.follow("sub/list.html", connected[2]).get("id") == "part"
    counts = [
        [td.get_text() for td in row.select("td")]
        for row in listed.soup("sub/list.html").select(
            "table.heuristic-categories tbody tr"
        )
    ]
    assert counts[:2] == [["X", "1", "An x."], ["Y", "0", "A y."]]


def test_index_cards(listed: Built) -> None:
    cards = listed.soup("sub/list.html").select(".heuristic-cards > .sd-card")
    assert [card.select_one(".sd-card-title a").get_text() for card in cards] == [
        "Zebra",
        "apple tart",
    ]
    assert "heuristic-danger" in cards[0]["class"]
    for link in cards[1].select("a"):
        listed.follow("sub/list.html", link)


def test_search_finds_them(listed: Built) -> None:
    index = listed.read("searchindex.js")
    assert '"Apple.pie Apple.pie Two."' in index, "its page, by name and note"


def test_cards_without_sphinx_design(project: Callable[..., Project]) -> None:
    heuristic = ".. heuristic:: A\n   :note: n\n   :workflow: index\n"
    index = f"Start\n=====\n\n{heuristic}\n.. heuristic-index::\n   :layout: cards\n"
    conf = 'extensions = ["sphinxext_heuristics"]\n'
    built = project({"conf.py": conf, "index.rst": index}).ok("html")
    cards = built.soup("index.html").select(".heuristic-cards > .sd-card")
    assert [card.select_one(".sd-card-title a").get_text() for card in cards] == ["A"]
    assert "design-tabs" not in built.read("index.html")


# -- versions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("0.20.2", "Until 0 20"),
        ("0.21.0.dev0", "Since 0 21"),
        ("0.21.1", "Since 0 21"),
        ("", "Since 0 21"),
    ],
)
def test_installed_version_judges(
    project: Callable[..., Project],
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    shown: str,
) -> None:
    made = project(
        """
=== conf.py
extensions = ["sphinxext_heuristics"]
heuristics_package = "versioned_demo"
release = "7"
=== index.rst
Start
=====

.. py:function:: versioned_demo.merge()

.. heuristic:: Until_0_20
   :note: n
   :impl: versioned_demo.merge
   :until: 0.20

.. heuristic:: Since_0_21
   :note: n
   :impl: versioned_demo.merge
   :since: 0.21
"""
    )
    if version:
        info = made.root / "site" / "Versioned_Demo-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: Versioned-Demo\nVersion: {version}\n"
        )
        monkeypatch.syspath_prepend(str(made.root / "site"))
    built = made.build("html")
    told = [warning for warning in built.warnings if "heuristic.config" in warning]
    assert built.warnings == told
    assert len(told) == (version == "0.20.2"), "release would judge otherwise"
    assert built.shown("index.html", "versioned_demo.merge") == [shown]
    outdated = [
        s.get_text() for s in built.soup("index.html").select(".heuristic-facts strong")
    ]
    # What is not installed is judged by conf.py's release.
    assert outdated == [f"(does not hold for versioned_demo {version or 7})"]


def test_language_translates_the_severity_and_not_the_title(
    project: Callable[..., Project],
) -> None:
    built = project(
        """
=== conf.py
extensions = ["sphinxext_heuristics"]
language = "de"
=== index.rst
Start
=====

.. py:function:: demo.merge()

.. heuristic:: Merge
   :note: n
   :impl: demo.merge
   :severity: warning
"""
    ).ok("html")
    title = built.entry("index.html", "demo.merge").select_one("p.admonition-title")
    assert title is not None
    assert title.get_text() == "Warnung: Merge"


# -- at the parameter -----------------------------------------------------------------

AT_PARAMETER = """
=== conf.py
extensions = ["sphinxext_heuristics"]
version = "1"
copyright = "2026, Bakers"
=== index.rst
Start
=====

.. py:function:: demo.bake(heat, time)

   Bake.

   :param heat: How hot.
   :param time: How long.
   :returns: A cake.

.. heuristic:: Preheat
   :note: Heat first.
   :impl: demo.bake
   :param: heat
"""


@pytest.mark.parametrize(
    ("builder", "name"),
    [
        ("html", "index.html"),
        ("dirhtml", "index.html"),
        ("singlehtml", "index.html"),
        ("epub", "index.xhtml"),
    ],
)
def test_at_the_parameter_in_html(
    builder: str, name: str, project: Callable[..., Project]
) -> None:
    entry = project(AT_PARAMETER).ok(builder).soup(name).select_one("dl.py.function")
    (box,) = entry.select("div.heuristic")
    item = box.find_parent("li")
    assert item is not None
    assert item.strong.get_text() == "heat"
    assert title_of(box) == "Preheat"


def test_at_the_parameter_in_latex(project: Callable[..., Project]) -> None:
    (tex,) = project(AT_PARAMETER).ok("latex").out.glob("*.tex")
    text = tex.read_text(encoding="utf-8")
    places = [text.index(word) for word in ("How hot", "Heat first", "How long")]
    assert places == sorted(places)
