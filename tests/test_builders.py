"""Every builder writes the right content without a warning; several processes write what one does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from conftest import title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project

SAMPLE = """
=== conf.py
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
project = "Sample"
author = "Nobody"
copyright = "Nobody"
version = release = "1.0"
extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinxext_heuristics"]
heuristics_max_shown = 1
=== builders_pkg.py
class Base:
    \"\"\"Base.\"\"\"

    def merge(self):
        \"\"\"Merge.

        More.
        \"\"\"


class Model(Base):
    \"\"\"Model.\"\"\"
=== index.rst
Start
=====

.. toctree::

   api/demo
   heuristics/One
   heuristics/Two
   guide

See :heuristic:`One`.

.. heuristic-index::

=== api/demo.rst
API
===

.. automodule:: builders_pkg
   :members:
   :inherited-members:

=== heuristics/One.md
```{heuristic} One
:title: The first title
:note: Use `code` and {doc}`../guide`.
:impl: builders_pkg.Base.merge
:workflow: guide
:severity: danger

The first body.
```
=== heuristics/Two.rst
.. heuristic:: Two
   :title: The second title
   :note: See :heuristic:`One`.
   :impl: merge
   :principle: guide#part
   :env: ?later
   :since: 2.0

   The second body.

   .. heuristic:: Nested
      :note: The nested note.
      :impl: *.merge
      :severity: caution

=== guide.rst
Guide
=====

Part
----

Text.

.. heuristics-for:: One

.. heuristic-index::
   :layout: cards

.. heuristic-index::
   :missing:
"""


@pytest.fixture(scope="module")
def sample(shared_project: Callable[..., Project]) -> Project:
    text = SAMPLE.replace("heuristics/Two", "more/Two").replace("heuristics-for:: One", "heuristics-for:: guide")
    return shared_project(text)


def test_html(sample: Project) -> None:
    built = sample.ok("html")
    assert built.shown("api/demo.html", "builders_pkg.Model.merge") == ["The first title", "Nested"]
    guide = built.soup("guide.html").select("section#guide > div.heuristic")
    assert [title_of(box) for box in guide] == ["The first title"]


def test_dirhtml(sample: Project) -> None:
    built = sample.ok("dirhtml")
    assert built.shown("api/demo/index.html", "builders_pkg.Model.merge") == ["The first title", "Nested"]
    for name in ("api/demo/index.html", "guide/index.html", "index.html"):
        for link in built.soup(name).select("div.heuristic a.internal, table a.internal, .heuristic-cards a"):
            built.follow(name, link)


def test_singlehtml(sample: Project) -> None:
    built = sample.ok("singlehtml")
    assert built.shown("index.html", "builders_pkg.Base.merge") == ["The first title", "Nested"]
    assert built.shown("index.html", "builders_pkg.Model.merge") == ["The first title", "Nested"]
    guide = built.soup("index.html").select("section#guide > div.heuristic")
    assert [title_of(box) for box in guide] == ["The first title"]
    links = built.soup("index.html").select("div.heuristic a, section.heuristic a, table a, .heuristic-cards a")
    assert len(links) > 20
    for link in links:
        # Sphinx 9.0 leaves two anchors, in its own links too.
        link["href"] = "#" + str(link["href"]).rpartition("#")[2]
        built.follow("index.html", link)
    ids = [tag["id"] for tag in built.soup("index.html").find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_epub(sample: Project) -> None:
    built = sample.ok("epub")
    with ZipFile(built.out / "Sample.epub") as book:
        page = BeautifulSoup(book.read("api/demo.xhtml"), "html.parser")
    assert [title_of(box) for box in page.select("div.heuristic")] == ["The first title", "Nested"] * 2


def test_text(sample: Project) -> None:
    text = sample.ok("text").read("api/demo.txt")
    assert text.count('Danger: The first title: Use "code" and Guide.') == 2
    assert text.count("Caution: Nested: The nested note.") == 2, "what HTML collapses is open elsewhere"
    assert "second title" not in text


def test_latex(sample: Project) -> None:
    latex = sample.ok("latex").read("sample.tex")
    assert latex.count("The first title") >= 6
    assert latex.count("Danger: ") == 4, "the word is never lost: two entries, the guide and by hand"
    assert latex.count("The nested note.") >= 4
    targets = set(re.findall(r"\\label\{\\detokenize\{(.+?)\}\}", latex))
    links = set(re.findall(r"\\hyperref\[\\detokenize\{(.+?)\}\]", latex))
    assert links - targets == set()
    assert any("heuristic-nested" in link for link in links)


def test_man(sample: Project) -> None:
    page = sample.ok("man").read("sample.1")
    assert page.count("Danger: ") == 4
    assert page.count("The nested note.") >= 4


def test_texinfo(sample: Project) -> None:
    info = sample.ok("texinfo").read("sample.texi")
    assert info.count("Danger: ") == 4
    assert info.count("The nested note.") >= 4
    anchors = set(re.findall(r"@anchor\{(.+?)\}", info))
    links = re.findall(r"@ref\{([^,}]+),,(.+?)\}", info)
    assert "Nested" in {text for _link, text in links}
    assert {link for link, _text in links} <= anchors


@pytest.mark.parametrize("builder", ["xml", "pseudoxml"])
def test_xml(sample: Project, builder: str) -> None:
    text = sample.ok(builder).read(f"api/demo.{builder}")
    assert text.count("heuristic heuristic-danger danger") == 2
    assert text.count("The nested note.") == 2


@pytest.mark.parametrize("builder", ["dummy", "changes", "coverage"])
def test_builders_without_pages(sample: Project, builder: str) -> None:
    options = ("-D", "extensions=sphinx.ext.autodoc,myst_parser,sphinx.ext.coverage,sphinxext_heuristics")
    sample.ok(builder, *(options if builder == "coverage" else ()))


def test_gettext_has_what_authors_wrote_once(sample: Project) -> None:
    built = sample.ok("gettext")
    page = built.read("heuristics.pot")
    for text in ("The first title", "Use `code` and {doc}`../guide`.", "The first body."):
        assert page.count(f'msgid "{text}"') == 1
    everything = "".join(path.read_text(encoding="utf-8") for path in built.out.glob("*.pot"))
    assert everything.count("The first title") == 1, "what is shown elsewhere is no text of that page"
    for ours in ("Severity", "Shown in", "Danger", "Legend"):
        assert f'"{ours}' not in everything


TRANSLATED = """
=== conf.py
extensions = ["sphinxext_heuristics"]
language = "de"
locale_dirs = ["locale"]
=== locale/de/LC_MESSAGES/one.po
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "The title"
msgstr "Der Titel"

msgid "Use ``code``."
msgstr "Nimm ``Code``."

msgid "A sentence. Another."
msgstr "Ein Satz. Noch einer."
=== index.rst
Start
=====

.. toctree::

   one

.. py:function:: demo.merge()
=== one.rst
One
===

.. heuristic:: First
   :title: The title
   :note: Use ``code``.
   :impl: demo.merge

   Body.

.. heuristic:: Second
   :impl: demo.merge

   A sentence. Another.
"""


def test_titles_and_notes_are_translated_everywhere(project: Callable[..., Project]) -> None:
    built = project(TRANSLATED).ok("html")
    assert built.shown("index.html", "demo.merge") == ["Der Titel", "Second"]
    notes = [box.select("p")[1].get_text() for box in built.entry("index.html", "demo.merge").select("div.heuristic")]
    assert notes[0] == "Nimm Code."
    assert "Ein Satz" in built.soup("one.html").get_text()


# -- several processes ----------------------------------------------------------------


def many(count: int) -> dict[str, str]:
    pages = {
        f"p{i}.rst": f"""
Page {i}
=======

.. autoclass:: parallel_pkg.C{i}
   :members:
   :inherited-members:

.. heuristic:: H{i}
   :note: See :heuristic:`H{(i + 1) % count}`.
   :impl: parallel_pkg.C{i}.merge
   :workflow: p{(i * 3) % count}

.. heuristic:: Twice
   :note: n
   :workflow: p{i}

See :heuristic:`H{i + 1}`.
"""
        for i in range(count)
    }
    classes = "class C0:\n    def merge(self):\n        '''Merge.'''\n"
    classes += "".join(f"class C{i}(C{i - 1}):\n    '''C.'''\n" for i in range(1, count))
    toctree = "".join(f"   p{i}\n" for i in reversed(range(count)))
    return {
        "parallel_pkg.py": classes,
        "index.rst": f"Start\n=====\n\n.. toctree::\n\n{toctree}\n.. heuristic-index::\n",
        **pages,
    }


def pages_of(built: Built) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(built.out.glob("*.html"))}


def test_two_processes_do_what_one_does(shared_project: Callable[..., Project]) -> None:
    one = shared_project(many(12)).build("html", "-j1")
    two = shared_project(many(12)).build("html", "-j2")
    assert one.warnings == two.warnings
    assert len(one.warnings) == 12, "eleven duplicates and one unknown name"
    assert "p11.rst:14, which stands" in one.warnings[0], "the toctree's order decides, not that of reading"
    assert pages_of(one) == pages_of(two)
    assert len(pages_of(one)) > 12
    assert one.inventory() == two.inventory()


def test_after_two_processes_one_has_the_same_to_say(shared_project: Callable[..., Project]) -> None:
    made = shared_project(many(12))
    first = made.build("html", "-j2")
    before = pages_of(first)
    again = made.build("html", "-j1", "-W")
    assert again.warnings == first.warnings
    assert again.status == 1
    assert pages_of(again) == before
