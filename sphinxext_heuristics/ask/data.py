"""The script with what answers, and the files that a page with a box needs."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx.locale import admonitionlabels, get_translation
from sphinx.search import IndexBuilder

from sphinxext_heuristics.api import SEVERITIES, Here, meta, replace_files
from sphinxext_heuristics.ask.texts import (
    TITLED,
    AskDomain,
    folded,
    guides,
    has_answers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.builders.html import StandaloneHTMLBuilder

    from sphinxext_heuristics.api import Heuristic
    from sphinxext_heuristics.ask.texts import Cell, Piece

#: The folder of our style sheet and scripts.
_STATIC = Path(__file__).with_name("static")

#: The file of the data, which a page reads when its box is first touched.
DATA = "heuristics-texts.js"

#: Classes of ours in a page.
_OURS = re.compile(r'class="[^"]*\b(heuristic-(?:paste|messages))\b')

#: A line of quoted code is looked for in a traceback if it is as long, and not one that
#: many functions have.
_LEAST_CODE = 20
_COMMON = re.compile(r"raise [\w.]+\($")


_ = get_translation("sphinxext_heuristics")

#: Marks a text for the catalogue; it is translated where it is used.
N_ = str

#: The words of the box.
_WORDS = (
    N_("Paste an error message, a whole traceback or a question"),
    N_("Find"),
    N_("Show all"),
    N_("The text stays in your browser."),
    N_("Only the end of this long text was read."),
    N_("This message is known:"),
    N_("Perhaps one of these:"),
    N_("Perhaps also:"),
    N_("Nothing here fits this text."),
    N_("Is it one of these?"),
    N_("Search this site"),
    N_("Quoted in the source:"),
    N_("Shown on the page:"),
    N_("Reported by readers:"),
    N_("Quoted from where it was raised:"),
)


# -- what answers ---------------------------------------------------------------------


def script(app: Sphinx) -> str:
    """Return the script with all that answers in this build."""
    builder = cast("StandaloneHTMLBuilder", app.builder)
    answers = _Answers(AskDomain.of(app.env), builder)
    # A site of one page has none, and says that it has.
    has_page = Path(builder.get_outfilename("search")).is_file()
    data = {
        "items": [*answers.heuristics(), *answers.sections()],
        "stop": [],
        "severities": {word: str(admonitionlabels[word]) for word in SEVERITIES},
        "search": builder.get_target_uri("search") if has_page else "",
    }
    stemmer = "Stemmer = function () { this.stemWord = (word) => word; };"
    if builder.search:
        language = app.config.html_search_language or app.config.language
        search = IndexBuilder(app.env, language, app.config.html_search_options, "")
        data["stop"] = sorted(search.lang.stopwords)
        # Sphinx 9.0's Chinese has the stemmer of English, and another name for it.
        code = search.get_js_stemmer_code()
        stemmer = code.replace("ChineseStemmer", "EnglishStemmer")
    return (
        f"globalThis.heuristicsTexts = {json.dumps(data, ensure_ascii=False)};\n"
        # Sphinx's code sets a variable of the page, or one of its own.
        "heuristicsTexts.stemmer = ((window) => {\n"
        f"var Stemmer;\n{stemmer}\nreturn new (window.Stemmer ?? Stemmer)();\n"
        "})({});\n"
    )


class _Answers:
    """What answers, as the script has it."""

    def __init__(self, domain: AskDomain, builder: Builder) -> None:
        self._plan = domain.plan
        self._texts = domain.texts
        self._builder = builder
        self._titles: dict[str, str] = {}

    def heuristics(self) -> Iterator[dict[str, Any]]:
        """Yield what each heuristic answers with."""
        plan = self._plan
        records = plan.catalogue.heuristics.values()
        often = Counter(chain.from_iterable(map(_code, records)))
        nowhere = Here("", lambda _docname, _other: "")
        for record in records:
            quotes = (message for message, _from in plan.quotes.messages(record))
            messages = [(*message, "source") for message in quotes]
            messages += [("", message, "reported") for message in record.messages]
            note = nodes.paragraph("", "", *nowhere.note(plan.note(record)))
            remark = meta(plan.catalogue, record).remark
            pieces = self._texts[record.docname].pieces
            yield {
                "uri": self._uri(record.docname, record.anchor),
                "title": record.title,
                "page": f"({remark})" if remark else "",
                "severity": record.severity,
                "note": folded(note),
                "keywords": record.keywords,
                "messages": list(dict.fromkeys(messages)),
                "code": [line for line in _code(record) if often[line] == 1],
                **self._said(it for it in pieces if record.anchor in it.inside),
            }

    def sections(self) -> Iterator[dict[str, Any]]:
        """Yield what each section answers with, of the pages that heuristics name."""
        for docname in guides(self._plan):
            page = self._texts[docname]
            title = self._plan.catalogue.title(docname)
            for anchor in page.sections:
                keywords = [
                    entry for section, entry in page.entries if section == anchor
                ]
                yield {
                    "uri": self._uri(docname, anchor),
                    "title": self._plan.catalogue.title(docname, anchor),
                    "page": title if anchor != page.sections[0] else "",
                    "severity": "",
                    "note": "",
                    "keywords": keywords,
                    "messages": [],
                    "code": [],
                    **self._said(it for it in page.pieces if it.section == anchor),
                }

    def _said(self, pieces: Iterable[Piece]) -> dict[str, Any]:
        """Return the passages, the ids of those that have one, and the output."""
        passages: list[list[Cell]] = []
        anchors: dict[int, str] = {}
        outputs: list[Cell] = []
        for piece in pieces:
            if piece.is_output:
                outputs += piece.cells
                continue
            if piece.anchor:
                anchors[len(passages)] = piece.anchor
            passages.append([self._titled(cell) for cell in piece.cells])
        return {"passages": passages, "anchors": anchors, "outputs": outputs}

    def _titled(self, cell: Cell) -> Cell:
        """Return a cell with titles where links name what they lead to."""
        if not isinstance(cell, str):
            head, text = cell
            return head, cast("str", self._titled(text))
        parts = cell.split(TITLED)
        for at in range(1, len(parts), 2):
            name = parts[at]
            if name not in self._titles:
                self._titles[name] = self._plan.meanings.title(name)
            parts[at] = self._titles[name]
        return "".join(parts)

    def _uri(self, docname: str, anchor: str) -> str:
        """Return where an anchor is, as seen from the root of the site."""
        # In one page for all, a document is an anchor itself.
        page = self._builder.get_target_uri(docname).partition("#")[0]
        return f"{page}#{anchor}"


def _code(record: Heuristic) -> dict[str, None]:
    """Return the lines of code that a heuristic quotes, each once."""
    found: dict[str, None] = {}
    for quoted in record.evidence:
        lines = () if quoted.prose else quoted.quote.splitlines()
        for line in map(str.strip, lines):
            if len(line) >= _LEAST_CODE and not _COMMON.match(line):
                found[line] = None
    return found


# -- files ----------------------------------------------------------------------------


def bring_files(app: Sphinx, builder: Builder) -> None:
    """Let a site with a box have its files (``write-started``); Sphinx copies them."""
    paths = [path for path in app.config.html_static_path if path != str(_STATIC)]
    if has_answers(app):
        paths.append(str(_STATIC))
    elif builder.format == "html":
        for file in _STATIC.iterdir():
            Path(app.outdir, "_static", file.name).unlink(missing_ok=True)
    app.config.html_static_path = paths


def link_files(
    app: Sphinx,
    _page: str,
    _template: str,
    context: dict[str, Any],
    _doctree: nodes.document | None,
) -> None:
    """Link them on the pages that have a box or a list (``html-page-context``)."""
    found = {*_OURS.findall(context.get("body", ""))}
    # JSON has no head.
    if not found or "css_files" not in context or not has_answers(app):
        return
    app.add_css_file("heuristics-ask.css")
    if "heuristic-paste" in found:
        said = {word: str(_(word)) for word in _WORDS}
        translated = {word: it for word, it in said.items() if it != word}
        words = json.dumps(translated, ensure_ascii=False)
        more: dict[str, Any] = {"data-words": words} if translated else {}
        app.add_js_file("heuristics-box.js", loading_method="defer", **more)


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the data if they have changed (``build-finished``)."""
    if exception is not None or app.builder.format != "html":
        return
    path = Path(app.outdir, "_static", DATA)
    if not has_answers(app):
        path.unlink(missing_ok=True)
        return
    text = script(app)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        replace_files({path: text})
