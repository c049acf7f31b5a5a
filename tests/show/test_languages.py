"""Languages: what authors write and what we say, translated by a project's message catalogues."""

from __future__ import annotations

import gettext
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from conftest import ROOT, dom_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Built, Project

FILES = """
=== conf.py
extensions = ["sphinxext_heuristics"]
locale_dirs = ["locale"]
heuristics_index_file = "../INDEX.md"
heuristics_categories = {"A": "B"}
=== index.rst
Start
=====

.. toctree::

   one
   lists

.. py:function:: demo.merge()

   X.
=== one.rst
.. heuristic:: First
   :title: The title
   :note: Use ``code`` first.
   :impl: demo.merge
   :category: A
   :keywords: K

   The body.
=== lists.rst
Lists
=====

.. heuristic-index::
"""

CONF = FILES.partition("=== conf.py\n")[2].partition("===")[0]

#: German, of what authors wrote and of our words.
GERMAN = {
    "one": {
        "The title": "Der Titel",
        "Use ``code`` first.": "Nimm erst ``Code``.",
        "The body.": "Der Text.",
    },
    "sphinxext_heuristics": {
        "Applies to": "Betrifft",
        "Connections": "Verbindungen",
        "Heuristic index": "Register",
    },
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see what another one has translated: gettext keeps it for the process."""
    monkeypatch.setattr(gettext, "_translations", {})


def po(words: Mapping[str, str]) -> str:
    entries = [("", "Content-Type: text/plain; charset=UTF-8\\n"), *words.items()]
    return "\n".join(
        f'msgid "{text}"\nmsgstr "{translated}"\n' for text, translated in entries
    )


def write(site: Project, catalogues: Mapping[str, Mapping[str, str]]) -> None:
    site.write(
        {
            f"locale/de/LC_MESSAGES/{name}.po": po(words)
            for name, words in catalogues.items()
        }
    )
    gettext._translations.clear()  # noqa: SLF001 - a process that builds once has none


def german(site: Project, out: str, *options: str) -> Built:
    return site.ok(
        "html",
        "-D",
        "language=de",
        "-d",
        str(site.root / f"doctrees-{out}"),
        *options,
        out=out,
    )


def shown(built: Built) -> list[str]:
    """Return what readers see in the API entry, on the heuristic's page and in the index."""
    return [
        *(
            box.get_text()
            for box in built.entry("index.html", "demo.merge").select("div.heuristic")
        ),
        built.soup("one.html").select("section")[0].get_text(),
        built.soup("lists.html").select("table.heuristic-index")[0].get_text(),
        *(
            link.get_text()
            for link in built.soup("index.html").select(
                'a[href="heuristic-index.html"]'
            )
        ),
        built.soup("heuristic-index.html").select("h1")[0].get_text(),
    ]


def text(built: Built) -> str:
    return "\n".join(shown(built))


@pytest.fixture
def site(project: Callable[..., Project]) -> Project:
    made = project(FILES)
    write(made, GERMAN)
    return made


def test_two_languages(site: Project) -> None:
    index = site.build("text")
    assert "[heuristic.index]" in index.stderr, (
        "the index file is that of the source language"
    )
    site.write({"conf.py": CONF.replace("heuristics_index_file", "_")})
    english = text(site.ok("html", "-E"))
    for said in (
        "The title",
        "Use code first.",
        "The body.",
        "Applies to",
        "Connections",
        "Heuristic index",
    ):
        assert said in english
    translated = text(german(site, "de"))
    for said in (
        "Der Titel",
        "Nimm erst Code.",
        "Der Text.",
        "Betrifft",
        "Verbindungen",
        "Register",
        "Tipp",
    ):
        assert said in translated, said
    for said in (
        "The title",
        "first",
        "The body",
        "Applies to",
        "Connections",
        "Heuristic index",
    ):
        assert said not in translated, said
    assert "Stichwörter" in translated, "what the project does not translate, we do"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("one", "Der Titel", "Der bessere Titel"),
        ("one", "Nimm erst ``Code``.", "Nimm zuerst ``Code``."),
        ("sphinxext_heuristics", "Betrifft", "Gilt"),
        ("sphinxext_heuristics", "Register", "Verzeichnis"),
    ],
)
def test_a_catalogue_that_changes_rewrites_what_shows_it(
    site: Project, name: str, old: str, new: str
) -> None:
    plain = (old.replace("``", ""), new.replace("``", ""))
    assert plain[0] in text(german(site, "de"))
    words = {
        said: translated.replace(old, new) for said, translated in GERMAN[name].items()
    }
    write(site, {name: words})
    again = german(site, "de")
    assert plain[1] in text(again)
    assert plain[0] not in text(again)
    assert shown(again) == shown(german(site, "clean", "-E")), (
        "an incremental build is a clean one"
    )
    shutil.rmtree(again.out)


def test_the_name_of_the_index_page_is_text(site: Project) -> None:
    write(site, {"sphinxext_heuristics": {"Heuristic index": "<b>Regeln</b> & mehr"}})
    page = german(site, "de").soup("heuristic-index.html")
    assert (
        page.select("h1")[0].decode_contents() == "&lt;b&gt;Regeln&lt;/b&gt; &amp; mehr"
    )
    assert "<b>" not in page.select("title")[0].decode_contents()


def test_a_folder_may_have_the_name_of_a_catalogue(site: Project) -> None:
    folder = site.src / "locale/de/LC_MESSAGES"
    (folder / "sphinxext_heuristics.po").unlink()
    for name in ("sphinxext_heuristics.po", "sphinxext_heuristics.mo", "sphinx.mo"):
        (folder / name).mkdir()
    assert "Der Titel" in text(german(site, "de"))


# -- our own translations -------------------------------------------------------------

LOCALE = ROOT / "sphinxext_heuristics/locale"
OWN = sorted(LOCALE.glob("*/LC_MESSAGES/sphinxext_heuristics.po"))

REPEATED = "".join(
    f".. heuristic:: H{number}\n   :note: N.\n   :impl: *.run\n   :severity: {severity}\n\n"
    for number, severity in enumerate(("danger", "tip", "tip", "tip"))
)


def test_our_words_are_in_the_language_of_the_site(
    project: Callable[..., Project],
) -> None:
    site = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nlanguage = "de"\n',
            "index.rst": f"S\n=\n\n.. py:function:: a.run()\n\n.. py:function:: b.run()\n\n{REPEATED}",
        }
    )
    page = site.ok("html").soup("index.html")
    (line,) = page.select(".heuristic-repeated")
    assert line.get_text().strip() == "4 Heuristiken, davon eine Gefahr (siehe a.run)"
    assert (
        page.select(".heuristic-facts")[0].get_text().startswith("\nGefahr · Betrifft:")
    )


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.parts[-3])
def test_own_translations_are_whole_and_compiled(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    translated = {message.id: message.string for message in catalogue if message.id}
    assert set(translated) <= literals().keys(), "a word is not ours any more"
    with OWN[0].open("rb") as file:
        assert set(translated) == {
            message.id for message in read_po(file) if message.id
        }
    for said, meant in translated.items():
        assert re.findall("%.", meant) == re.findall("%.", said), said
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert all(compiled.gettext(said) == meant for said, meant in translated.items()), (
        "run pybabel compile -d sphinxext_heuristics/locale -D sphinxext_heuristics"
    )


# -- all words ------------------------------------------------------------------------

EVERYTHING = """
=== conf.py
extensions = ["sphinxext_heuristics.releases"]
language = "de"
locale_dirs = ["locale"]
heuristics_releases_file = "releases.json"
heuristics_package = "DEMO"
heuristics_dir = None
release = "2.0"
=== DEMO.py
def M():
    raise ValueError("X Y Z")
=== releases.json
{"package": "DEMO", "heuristics": {"A": {"quotes": "", "releases": {"1.0": "held", "2.0": "drifted"}}}}
=== index.rst
S
=

.. toctree::

   A
   B
   L

.. py:function:: DEMO.M()
=== B.rst
.. heuristic:: B
   :note: N
   :workflow: ?W
=== A.rst
.. heuristic:: A
   :note: N
   :impl: DEMO.M
   :workflow: ?W
   :principle: L
   :env: L
   :category: C
   :keywords: K
   :messages: M
   :since: 9.0

   T

   .. evidence:: DEMO:M

      raise ValueError("X Y Z")
=== L.rst
:no-heuristics:

L
=

.. heuristic-index::

.. heuristic-index::
   :missing:

.. heuristic-index::
   :impl: DEMO.M
   :missing:
   :layout: cards

.. heuristic-messages::

.. heuristic-releases::
"""


def literals() -> dict[str, str]:
    """Return all words of ours, as Babel extracts them, each with a mark around it."""
    found = extract_from_dir(
        ROOT / "sphinxext_heuristics",
        [("**.py", "python")],
        strip_comment_tags=True,
        # Babel leaves out folders such as _core.
        directory_filter=lambda _folder: True,
    )
    return {str(message): f"«{message}»" for _file, _line, message, *_rest in found}


def test_all_words_are_extracted() -> None:
    """Before Python 3.12, Babel does not look into f-strings."""
    for path in (ROOT / "sphinxext_heuristics").rglob("*.py"):
        assert "{_(" not in path.read_text(encoding="utf-8"), path


def test_all_words_go_through_the_catalogue(project: Callable[..., Project]) -> None:
    site = project(EVERYTHING)
    write(site, {"sphinxext_heuristics": literals()})
    built = site.build("html")
    ours = [
        *built.soup("A.html").select(
            ".heuristic-facts, .heuristic-entries, .code-block-caption"
        ),
        *built.soup("L.html").select("section > *"),
    ]
    said = " ".join(part.get_text(" ") for part in ours)
    assert "«Applies to»" in said
    assert "«Messages»" in said
    assert "«Legend:»" in said
    assert "«held»" in said
    assert "«planned»" in said
    assert "«not in 2.0»" in said
    assert "«Wanted by»" in said
    rest = re.sub("«[^»]*»", " ", said)
    # The types of connections are those of the index file; the severity's word is
    # Sphinx's.
    allowed = {"Impl", "Workflow", "Principle", "Env", "ValueError", "Tipp"}
    assert set(re.findall(r"[A-Za-z]*[a-z]{2,}", rest)) <= allowed


# -- scripts --------------------------------------------------------------------------


def test_scripts_say_what_the_catalogue_has() -> None:
    scripts = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "sphinxext_heuristics").rglob("static/*.js")
    ]
    said = {
        word for script in scripts for word in re.findall(r'\bsay\("([^"]+)"', script)
    }
    assert {"Show all", "Find"} <= said
    assert said <= literals().keys()


@pytest.mark.browser
def test_scripts_speak_the_language_of_the_site(
    site: Project, browser: str, tmp_path: Path
) -> None:
    site.write(
        {
            "two.rst": ":orphan:\n\n.. heuristic:: Second\n   :note: N\n   :impl: demo.merge\n   :severity: danger\n",
            "conf.py": CONF.replace("heuristics_index_file", "_"),
        }
    )
    words = {
        "Filter:": "Suche:",
        "%s heuristics": "%s Regeln",
        "Severity": "Dringlichkeit",
    }
    write(site, {"sphinxext_heuristics": words})
    built = german(site, "de")
    page = dom_of(browser, built.out / "lists.html", tmp_path / "browser")
    shown = page.select(".heuristic-filter")[0].get_text(" ")
    for said in ("Suche:", "2 Regeln", "Dringlichkeit"):
        assert said in shown
    for said in ("Filter:", "heuristics", "Severity"):
        assert said not in shown
