"""Every builder writes the right content without a warning; several processes write what one does."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project

#: Where Debian puts it; its own command wants to run a jar.
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")

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
heuristics_inherited = "show"
heuristics_source_url = "https://example.org/{path}#L{line}"
=== builders_pkg.py
class Base:
    \"\"\"Base.\"\"\"

    def merge(self):
        \"\"\"Merge.

        More.
        \"\"\"
        if not self.weights:
            raise ValueError("no weights & no merge")


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
````{heuristic} One
:title: The first title
:note: Use `code` and {doc}`../guide`.
:impl: builders_pkg.Base.merge
:workflow: guide
:severity: danger

The first body.

```{evidence} builders_pkg:Base.merge
raise ValueError("no weights & no merge")
```
````
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
      :env: ?later
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
   :marks:

.. heuristic-index::
   :missing:

.. heuristic-messages::
"""


@pytest.fixture(scope="module")
def sample(shared_project: Callable[..., Project]) -> Project:
    text = SAMPLE.replace("heuristics/Two", "more/Two").replace(
        "heuristics-for:: One", "heuristics-for:: guide"
    )
    return shared_project(text)


def test_html(sample: Project) -> None:
    built = sample.ok("html")
    assert built.shown("api/demo.html", "builders_pkg.Model.merge") == [
        "The first title",
        "Nested",
    ]
    guide = built.soup("guide.html").select("section#part > div.heuristic")
    assert [title_of(box) for box in guide] == ["The first title"], (
        "by hand, in place of the automatic one"
    )


def test_dirhtml(sample: Project) -> None:
    built = sample.ok("dirhtml")
    assert built.shown("api/demo/index.html", "builders_pkg.Model.merge") == [
        "The first title",
        "Nested",
    ]
    for name in ("api/demo/index.html", "guide/index.html", "index.html"):
        for link in built.soup(name).select(
            "div.heuristic a.internal, table a.internal, .heuristic-cards a"
        ):
            built.follow(name, link)


def test_singlehtml(sample: Project) -> None:
    built = sample.ok("singlehtml")
    assert built.shown("index.html", "builders_pkg.Base.merge") == [
        "The first title",
        "Nested",
    ]
    assert built.shown("index.html", "builders_pkg.Model.merge") == [
        "The first title",
        "Nested",
    ]
    guide = built.soup("index.html").select("section#part > div.heuristic")
    assert [title_of(box) for box in guide] == ["The first title"]
    ours = "div.heuristic a, section.heuristic a.internal, table a, .heuristic-cards a, .heuristic-messages a"
    links = built.soup("index.html").select(ours)
    assert len(links) > 20
    # Sphinx gives the root document no id in this builder.
    for link in (link for link in links if link["href"] != "#document-index"):
        # Sphinx 9.0 leaves two anchors, in its own links too.
        link["href"] = "#" + str(link["href"]).rpartition("#")[2]
        built.follow("index.html", link)
    ids = [tag["id"] for tag in built.soup("index.html").find_all(id=True)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("builder", "suffix"), [("json", "fjson"), ("pickle", "fpickle")]
)
def test_pages_as_data(sample: Project, builder: str, suffix: str) -> None:
    path = sample.ok(builder).out / f"api/demo.{suffix}"
    data = (
        json.loads(path.read_bytes())
        if builder == "json"
        else pickle.loads(path.read_bytes())  # noqa: S301 - ours
    )
    boxes = BeautifulSoup(data["body"], "html.parser").select("div.heuristic")
    assert [title_of(box) for box in boxes] == ["The first title", "Nested"] * 2


def test_epub(sample: Project) -> None:
    built = sample.ok("epub")
    with ZipFile(built.out / "Sample.epub") as book:
        page = BeautifulSoup(book.read("api/demo.xhtml"), "html.parser")
    assert [title_of(box) for box in page.select("div.heuristic")] == [
        "The first title",
        "Nested",
    ] * 2


def test_epub_has_a_style_that_every_reader_knows(sample: Project) -> None:
    built = sample.ok("epub")
    with ZipFile(built.out / "Sample.epub") as book:
        ours = [
            name
            for name in book.namelist()
            if "heuristics" in name and not name.endswith(".xhtml")
        ]
        assert ours == ["_static/heuristics-epub.css"], (
            "the pages' style and script are for browsers"
        )
        style = book.read(*ours).decode()
        page = BeautifulSoup(book.read("api/demo.xhtml"), "html.parser")
    assert not re.search(r":(is|has|where|not)\(|@|&", style)
    assert [link["href"] for link in page.select("link[href*=heuristics]")] == [
        "../_static/heuristics-epub.css"
    ]


def test_epub_passes_epubcheck(sample: Project) -> None:
    if shutil.which("java") is None or not EPUBCHECK.is_file():
        pytest.skip(
            "EPUBCheck is not installed; on Debian: apt-get install epubcheck default-jre-headless"
        )
    book = sample.ok("epub").out / "Sample.epub"
    command = ["java", "-jar", str(EPUBCHECK), "--error", str(book)]
    checked = subprocess.run(  # noqa: S603 - ours
        command, capture_output=True, text=True, check=False, timeout=120
    )
    assert checked.returncode == 0, checked.stderr + checked.stdout


def test_text(sample: Project) -> None:
    text = sample.ok("text").read("api/demo.txt")
    assert text.count('Danger: The first title: Use "code" and Guide.') == 2
    assert text.count("Caution: Nested: The nested note.") == 2
    assert "second title" not in text


def test_latex(sample: Project) -> None:
    latex = sample.ok("latex").read("sample.tex")
    assert latex.count("The first title") >= 6
    assert latex.count("Danger: ") == 3, (
        "the word is never lost: two entries, and the guide by hand"
    )
    assert latex.count("The nested note.") >= 4
    targets = set(re.findall(r"\\label\{\\detokenize\{(.+?)\}\}", latex))
    links = set(re.findall(r"\\hyperref\[\\detokenize\{(.+?)\}\]", latex))
    assert links - targets == set()
    assert any("heuristic-nested" in link for link in links)


def test_latex_has_no_sign_that_an_engine_or_a_font_may_lack(sample: Project) -> None:
    latex = sample.ok("latex").read("sample.tex")
    assert re.findall("[✅⬜≥≤]", latex) == []
    assert "\\(\\checkmark\\)\N{NO-BREAK SPACE}Impl: " in latex
    assert latex.count(r"\(\square\)") >= 3, (
        "an index with marks, its legend, the worklist"
    )
    assert r"\(\geq\) 2.0" in latex


COMPILED = """
=== conf.py
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
project = "Sample"
author = "Nobody"
extensions = ["myst_parser", "sphinxext_heuristics"]
myst_enable_extensions = ["colon_fence"]
latex_domain_indices = True
heuristics_max_shown = 1
release = "1.0"
heuristics_categories = {"Some & more": "50 % of #1_x", "None ≥ 1": "~^\\\\\\\\{}"}
heuristics_source_url = "https://example.org/{path}?a=1&b=%20#L{line}"
=== quoted_pkg.py
def weigh_it(mass):
    if mass > 10**9:
        raise ValueError(f"{mass} is 50 % & more_than #1 ~ {{all}} \\\\ $x$")
    return {"a_b": mass & 1, "c": "100 %"}
=== index.rst
Start
=====

.. toctree::

   hard
   One
   more

.. heuristic-index::

.. heuristic-index::
   :missing:

.. heuristic-index::
   :layout: cards

.. heuristic-messages::
=== One.rst
.. heuristic:: One
   :title: The *first* & 50 % title_x
   :note: Use ``a_b`` & 5 % in `x <https://example.org/a_b#c%20d>`__.
   :impl: demo.C.m, demo.C
   :workflow: hard
   :env: ?later_x
   :severity: danger
   :category: Some & more
   :since: 0.1

   Body of one.
=== more.md
# More

```{heuristic} Two
:note: Second note.
:impl: demo.C.m
:severity: caution
:since: "0.1"
:until: "0.2"

Second body.

- item

  :::{heuristic} Nested
  :note: Nested in a list.
  :impl: demo.C.m
  :::
```
=== hard.rst
Hard
====

.. list-table::
   :header-rows: 1

   * - Head
     - Other
   * - .. heuristic:: Cell
          :title: In a cell
          :note: Cell note.
          :impl: demo.C.m

          Body in a cell.

          .. evidence:: quoted_pkg:weigh_it

             return {"a_b": mass & 1, "c": "100 %"}
     - .. heuristics-for:: demo.C.m
   * - 1
     - .. heuristic-index::
          :severity: danger

       .. heuristic-messages::

+-------------+------------------------------+
| left        | .. heuristics-for:: demo.C   |
+-------------+------------------------------+

1. Item

   .. heuristics-for:: demo.C

   * Deep

     .. heuristic:: Listed
        :note: In a list.
        :impl: demo.C.m
        :severity: warning

        .. evidence:: quoted_pkg:weigh_it

           if mass > 10**9:
               raise ValueError(f"{mass} is 50 % & more_than #1 ~ {{all}} \\\\ $x$")

.. note::

   .. heuristics-for:: demo.C.m

   .. heuristic-index::
      :severity: caution

Text with a footnote [#f]_.

.. [#f] .. heuristics-for:: demo.C

.. py:class:: demo.C

   Class.

   .. py:method:: m()

      Method.

      :param x: a parameter

         .. heuristics-for:: demo.C

See :heuristic:`Cell`, :heuristic:`Listed`, :heuristic:`Nested`, :ref:`heuristic-index`.
"""


def latex_has(*files: str) -> bool:
    """Return whether TeX finds each of some files."""
    found = [shutil.which("kpsewhich") or "kpsewhich", *files]
    return subprocess.run(found, capture_output=True, check=False).returncode == 0  # noqa: S603 - names of our own


def test_latex_compiles_in_tables_lists_entries_and_the_two_columns_of_an_index(
    project: Callable[..., Project],
) -> None:
    out = project(COMPILED).ok("latex").out
    tools = ("latexmk", "pdflatex", "kpsewhich", "pdftotext")
    if not all(map(shutil.which, tools)) or not latex_has(
        "tgtermes.sty", "fncychap.sty", "ptmr8t.tfm"
    ):
        pytest.skip(
            "LaTeX is not installed; on Debian: apt-get install latexmk texlive-latex-extra texlive-fonts-recommended "
            "tex-gyre poppler-utils"
        )
    command = ["latexmk", "-pdf", "-silent", "-interaction=nonstopmode", "sample.tex"]
    run = subprocess.run(  # noqa: S603 - ours
        command, cwd=out, capture_output=True, text=True, check=False, timeout=120
    )
    log = (out / "sample.log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, (
        re.findall(r"^!.*(?:\n.*){3}", log, re.MULTILINE) or run.stderr
    )
    assert (
        re.findall(
            "undefined|multiply defined|Missing character|destination with the same",
            log,
        )
        == []
    )
    command = ["pdftotext", "-layout", "sample.pdf", "-"]
    text = subprocess.run(  # noqa: S603 - ours
        command, cwd=out, capture_output=True, text=True, check=True
    ).stdout
    # By hand: a cell twice, a list, a note, a footnote and a parameter; and the title
    # of a page and the entry.
    assert text.count("Danger: The *first*") == 8
    assert text.count("Tip: Nested") == 2
    assert "\N{CHECK MARK} Workflow" in text
    assert len(re.findall(r"weigh_it, quoted_pkg, line [24]", text)) == 2
    assert 'return {"a_b": mass & 1, "c": "100 %"}' in text
    assert text.count("is 50 % & more_than #1 ~ {all}") == 2
    assert re.search(r"HEURISTIC INDEX\s+I\s+In a cell \(tip\), ?\d", text)


HAND_PLACED = """
=== index.rst
Start
=====

.. py:function:: demo.merge(x)

   Merge.

   :param x: The first.

      .. heuristics-for:: demo.split

   :returns: The second.

      .. heuristic:: Within
         :title: Within a field
         :note: Its note.
         :impl: demo.split

.. py:function:: demo.split()

   Split.
"""


def test_what_stands_in_the_description_of_a_parameter_is_shown(
    project: Callable[..., Project],
) -> None:
    built = project(HAND_PLACED).ok("html")
    assert built.shown("index.html", "demo.merge") == []
    boxes = built.entry("index.html", "demo.merge").select("div.heuristic")
    assert [title_of(box) for box in boxes if box.select("p.admonition-title a")] == [
        "Within a field"
    ]
    definition = built.soup("index.html").find(id="heuristic-within")
    assert isinstance(definition, Tag)
    assert "Applies to: demo.split" in definition.get_text()


#: Where the quote stands in each format, and how: the caption, then the code.
QUOTED = {
    "html": (
        "heuristics/One.html",
        r"Base\.merge.*, .*builders_pkg.*, .*L10.*>line 10<.*\n.*no weights &amp; no",
    ),
    "singlehtml": (
        "index.html",
        r"Base\.merge.*, .*builders_pkg.*, .*L10.*>line 10<.*\n.*no weights &amp; no",
    ),
    "text": (
        "heuristics/One.txt",
        r'"Base\.merge", "builders_pkg", line 10\n\n   raise ValueError\("no weights & no',
    ),
    "man": (
        "sample.1",
        r"fBBase\.merge.*line 10[\s\S]{,150}raise ValueError\(.*no weights & no merge",
    ),
    "texinfo": (
        "sample.texi",
        r"@caption\{@code\{Base\.merge\}.*#L10\}\}\n\n@example\nraise Value.*no weights & no",
    ),
    "latex": (
        "sample.tex",
        r"Verbatim\{.*Base\.merge.*builders\\_pkg.*L10\}\{line 10\}\}\n.*\n.*\n.*no weights",
    ),
    "xml": (
        "heuristics/One.xml",
        r"<caption.*>Base\.merge<.*L10.*line 10.*\n.*no weights &amp; no merge",
    ),
    "pseudoxml": (
        "heuristics/One.pseudoxml",
        r"<caption[\s\S]*Base\.merge[\s\S]*line 10\s*<literal_block .*\s*raise",
    ),
}


@pytest.mark.parametrize("builder", QUOTED)
def test_quoted_code_has_its_caption_in_every_format(
    sample: Project, builder: str
) -> None:
    name, form = QUOTED[builder]
    assert len(re.findall(form, sample.ok(builder).read(name))) == 1


def test_quoted_code_is_nothing_to_translate(sample: Project) -> None:
    built = sample.ok("gettext")
    texts = "".join(
        path.read_text(encoding="utf-8") for path in built.out.rglob("*.pot")
    )
    assert "The first body" in texts
    assert not re.search("no weights|line 10", texts)


def test_man(sample: Project) -> None:
    page = sample.ok("man").read("sample.1")
    assert page.count("Danger: ") == 3
    assert page.count("The nested note.") >= 4


def test_texinfo(sample: Project) -> None:
    info = sample.ok("texinfo").read("sample.texi")
    assert info.count("Danger: ") == 3
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


@pytest.mark.parametrize("builder", ["dummy", "changes"])
def test_builders_without_pages(sample: Project, builder: str) -> None:
    sample.ok(builder)


CHECKED = """
=== conf.py
extensions = ["sphinx.ext.autodoc", "sphinx.ext.coverage", "sphinx.ext.doctest", "sphinxext_heuristics"]
linkcheck_ignore = [r"http://ignored\\."]
linkcheck_workers = 1
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
=== checked_pkg.py
def one():
    \"\"\"One.\"\"\"

def two():
    \"\"\"Two.\"\"\"
=== index.rst
Start
=====

.. automodule:: checked_pkg
   :members: one

.. toctree::

   more

.. heuristic-index::
=== more.rst
More
====

.. heuristic:: Adding
   :note: Add, as `here <there.txt>`__ and `there <http://ignored.invalid/>`__.
   :impl: checked_pkg.one
   :workflow: index

   >>> 1 + 1
   2
=== there.txt
There.
"""


@pytest.fixture(scope="module")
def checked(shared_project: Callable[..., Project]) -> Project:
    return shared_project(CHECKED)


def test_linkcheck_asks_once_for_a_link_that_is_shown_four_times(
    checked: Project,
) -> None:
    lines = [
        json.loads(line)
        for line in checked.ok("linkcheck").read("output.json").splitlines()
    ]
    assert {
        line["uri"]: line["status"] for line in lines if "ignored" in line["uri"]
    } == {"http://ignored.invalid/": "ignored"}
    assert not [line for line in lines if line["status"] == "broken"]


def test_doctest_runs_the_code_of_a_body_once(checked: Project) -> None:
    report = checked.ok("doctest").read("output.txt")
    assert re.search(r"^ +1 tests?$", report, re.MULTILINE), report
    assert re.search(r"^ +0 failures in tests$", report, re.MULTILINE), report


def test_coverage_takes_no_heuristic_for_documentation(checked: Project) -> None:
    report = checked.ok("coverage").read("python.txt")
    assert re.findall(r"^ \* (\w+)", report, re.MULTILINE) == ["two"]


def test_gettext_has_what_authors_wrote_once(sample: Project) -> None:
    built = sample.ok("gettext")
    page = built.read("heuristics.pot")
    for text in (
        "The first title",
        "Use `code` and {doc}`../guide`.",
        "The first body.",
    ):
        assert page.count(f'msgid "{text}"') == 1
    everything = "".join(
        path.read_text(encoding="utf-8") for path in built.out.glob("*.pot")
    )
    assert everything.count("The first title") == 1, (
        "what is shown elsewhere is no text of that page"
    )
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


def test_titles_and_notes_are_translated_everywhere(
    project: Callable[..., Project],
) -> None:
    built = project(TRANSLATED).ok("html")
    assert built.shown("index.html", "demo.merge") == ["Der Titel", "Second"]
    notes = [
        box.select("p")[1].get_text()
        for box in built.entry("index.html", "demo.merge").select("div.heuristic")
    ]
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
    classes += "".join(
        f"class C{i}(C{i - 1}):\n    '''C.'''\n" for i in range(1, count)
    )
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
    assert "p11.rst:14, which is used" in one.warnings[0], (
        "the toctree's order decides, not that of reading"
    )
    assert pages_of(one) == pages_of(two)
    assert len(pages_of(one)) > 12
    assert one.inventory() == two.inventory()


def test_after_two_processes_one_has_the_same_to_say(
    shared_project: Callable[..., Project],
) -> None:
    made = shared_project(many(12))
    first = made.build("html", "-j2")
    before = pages_of(first)
    again = made.build("html", "-j1", "-W")
    assert again.warnings == first.warnings
    assert again.status == 1
    assert pages_of(again) == before


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
def test_book_of_some_pages_has_no_link_out_of_itself(
    project: Callable[..., Project], builder: str
) -> None:
    built = project(PARTIAL).build(builder)
    assert [w for w in built.warnings if "heuristic." in w] == []
    assert built.status == 0
    if builder == "latex":
        latex = built.read("book.tex")
        labels = set(re.findall(r"\\label\{\\detokenize\{(.+?)\}\}", latex))
        links = set(re.findall(r"\\hyperref\[\\detokenize\{(.+?)\}\]", latex))
        assert links <= labels
        assert "Outside" in latex
