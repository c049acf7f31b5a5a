"""When pages are taken for the box, what of them, and when its files are written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from conftest import sections
from history import Site, Step, differences, same

from sphinxext_heuristics.ask.data import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Project

#: What only the guide says, and what only the heuristic's page does.
IN_GUIDE, IN_BODY = "Penguins walk home slowly", "Gulls wait at the harbour"

FILES = f"""\
=== index.rst
Start
=====
=== guide.rst
:orphan:

Guide
=====

{IN_GUIDE}.
=== h/One.rst
:orphan:

.. heuristic:: One
   :note: Say it.
   :workflow: guide

   {IN_BODY}, see :doc:`/guide`.
=== other.rst
:orphan:

Other
=====

Nothing.
"""
BOX = ":orphan:\n\nBox\n===\n\n.. heuristic-messages::\n"


def spoil(site: Project, *spared: str) -> None:
    """Let a build fail that reads another doctree than that of some documents.

    Sphinx looks into that of the first page for the tree in each page's margin.
    """
    for path in (site.root / "doctrees").rglob("*.doctree"):
        if path.stem not in {"index", *spared}:
            path.write_bytes(b"no doctree")


def times(out: Path) -> list[int]:
    """Return when the data and the pages of the documents were written."""
    names = [f"_static/{DATA}", "box.html", "guide.html", "h/One.html"]
    return [(out / name).stat().st_mtime_ns for name in names]


def kept(site: Project) -> list[str]:
    """Return which of our sentences the environment has."""
    stored = (site.root / "doctrees/environment.pickle").read_bytes()
    return [text for text in (IN_GUIDE, IN_BODY) if text.encode() in stored]


def test_without_a_box_no_text_is_kept_and_no_doctree_read(
    project: Callable[..., Project],
) -> None:
    site = project({**sections(FILES)})
    site.ok("html", out="html")
    assert not kept(site)
    spoil(site, "other")
    site.write({"other.rst": ":orphan:\n\nOther\n=====\n\nSomething.\n"})
    site.ok("html", out="html")
    assert not kept(site)
    assert not list((site.root / "html/_static").glob("heuristics-[abt]*"))


def test_with_a_box_what_was_read_is_taken_once(
    project: Callable[..., Project],
) -> None:
    site = project({**sections(FILES), "box.rst": BOX})
    site.ok("html", out="html")
    assert kept(site) == [IN_GUIDE, IN_BODY]
    before = times(site.root / "html")
    spoil(site)
    site.ok("html", out="html")
    assert times(site.root / "html") == before


def test_what_was_taken_goes_with_the_last_box(project: Callable[..., Project]) -> None:
    site = project({**sections(FILES), "box.rst": BOX})
    site.ok("html", out="html")
    assert kept(site)
    site.write({"box.rst": BOX.partition("..")[0]})
    site.ok("html", out="html")
    assert not kept(site)


def test_what_another_builder_has_read_is_taken_once(
    project: Callable[..., Project],
) -> None:
    site = project({**sections(FILES), "box.rst": BOX})
    site.ok("text", out="text")
    assert not kept(site)
    site.ok("html", out="html")
    assert kept(site) == [IN_GUIDE, IN_BODY]
    before = times(site.root / "html")
    spoil(site)
    site.ok("html", out="html")
    assert times(site.root / "html") == before


def test_an_edited_guide_alone_is_taken_again(project: Callable[..., Project]) -> None:
    site = project({**sections(FILES), "box.rst": BOX})
    site.ok("html", out="html")
    spoil(site, "guide")
    site.write({"guide.rst": ":orphan:\n\nGuide\n=====\n\nSeals sleep.\n"})
    built = site.ok("html", out="html")
    data = built.read(f"_static/{DATA}")
    assert "Seals sleep" in data
    assert IN_BODY in data
    assert IN_GUIDE not in data


def test_the_same_data_with_two_processes(tmp_path: Path) -> None:
    files = sections(FILES)
    # Sphinx shares out six documents and more.
    more = {f"more{at}.rst": f"More {at}\n======\n\nText.\n" for at in range(9)}
    added = Step(becomes={**files, **more, "box.rst": BOX}, jobs=2)
    again = {name: text + "\nAgain.\n" for name, text in more.items()}
    changed = {**added.becomes, **again}
    taken_away = {**changed, "box.rst": "Box\n===\n"}
    steps = [added, Step(becomes=changed, jobs=2), Step(becomes=taken_away, jobs=2)]
    same(tmp_path, steps, files)


def test_the_same_data_whatever_was_built_before(tmp_path: Path) -> None:
    site = Site(tmp_path, {**sections(FILES), "box.rst": BOX})
    builders = ["html", "dirhtml", "singlehtml", "epub", "text", "json"]
    for builder in [*builders, *reversed(builders)]:
        built, clean = site.build(builder), site.clean(builder)
        assert not differences(built, clean), builder
        is_site = builder in {"html", "dirhtml", "singlehtml"}
        assert (DATA in built.output) is (is_site or builder == "json")


@pytest.mark.parametrize("event", ["source-read", "doctree-resolved"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_same_data_after_a_killed_build(
    tmp_path: Path, event: str, count: int
) -> None:
    files = {**sections(FILES), "box.rst": BOX}
    text = files["guide.rst"].replace("slowly", "soon")
    changed = {
        **files,
        "guide.rst": text,
        "other.rst": ":orphan:\n\nOther\n=====\n\nX.\n",
    }
    killed = Step(becomes=changed, kill=(event, count))
    boxless = {**changed, "box.rst": "Box\n===\n"}
    steps = [killed, replace(killed, becomes=boxless), replace(killed, becomes=files)]
    same(tmp_path, steps, files)


def test_index_entries_are_keywords_of_the_section_that_they_lead_to(
    project: Callable[..., Project],
) -> None:
    files = """
=== box.rst
:orphan:

Box
===

.. heuristic-messages::

.. heuristic:: One
   :note: Say it.
   :workflow: guide, other
=== index.rst
Start
=====
=== guide.rst
:orphan:

.. index:: first

Guide
=====

.. index:: single: second; inner

Text.

.. index:: third

Part
----

Text, :index:`fourth`.
=== other.md
---
orphan: true
---
# Other

Text.

```{index} fifth
```
"""
    built = project(files).ok("html")
    line = built.read(f"_static/{DATA}").splitlines()[0]
    data = json.loads(line.partition(" = ")[2].removesuffix(";"))
    keywords = {one["uri"]: one["keywords"] for one in data["items"]}
    assert keywords == {
        "box.html#heuristic-one": [],
        "guide.html#guide": ["first", "second; inner"],
        "guide.html#part": ["third", "fourth"],
        "other.html#other": ["fifth"],
    }
