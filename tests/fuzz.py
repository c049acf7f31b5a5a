"""Hostile and random input: what is generated, and two ways to run much of it.

``python tests/fuzz.py directives [NUMBER [SEED]]`` builds so many random directives, ``functions`` calls the functions
that read text so often; both print the number of cases and the branch coverage of the modules that read text.
``python tests/fuzz.py atheris [SECONDS]`` lets atheris (which is installed for this alone) look for exceptions there.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import tempfile
import textwrap
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sphinx.testing.util import SphinxTestApp
from sphinx.util import logging

from sphinxext_heuristics import config, directives, index_file, inline, markdown, sources, versions
from sphinxext_heuristics.catalogue import Catalogue
from sphinxext_heuristics.diagnostics import closest
from sphinxext_heuristics.domain import HeuristicDomain
from sphinxext_heuristics.evidence import Claim, verify
from sphinxext_heuristics.index import short_name
from sphinxext_heuristics.matching import Objects, excludes
from sphinxext_heuristics.model import CONNECTION_TYPES, SEVERITIES, Entry
from sphinxext_heuristics.pages import Pages, toctree_order

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The modules that read what somebody wrote.
READERS = ("directives", "inline", "markdown", "matching", "pages", "versions", "sources", "index_file", "config")

# -- what is generated ----------------------------------------------------------------

#: Pieces that mean something somewhere.
PIECES = (
    *",;:.?!~*_`'\"<>()[]{}|\\/#&@$%^-+= \t",
    *("\N{RIGHT-TO-LEFT OVERRIDE}", "\N{RIGHT-TO-LEFT ISOLATE}", "\N{POP DIRECTIONAL FORMATTING}", "\u200f"),
    *("\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}", "\x85", "\x1b[31m", "\x7f", "é", "İ", "ß", "漢", "🙂", "𝒳"),
    *("demo", "Model", "demo.Model", "demo.Model.merge", "merge", "*.merge", "*.", "..", "nowhere", "guide", "index"),
    *("index#start", "category:", "category:Speed", "text <demo.Model>", "<demo.Model>", "?~", "note", "tip", "0.1"),
    *("9" * 30, "1.0rc1", "v2", "e.g. ", "i.e. ", ". ", "``code``", "**strong**", ":doc:`guide`", ":heuristic:`One`"),
    *("{doc}`guide`", "[link](guide.md)", "`a <https://example.org>`_", "|sub|", "[1]_", "$x$", ":math:`x`"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onmouseover="alert(1)', "javascript:alert(1)"),
    *("&amp;", "&#60;", "</dd></dl>", "]]>", "-->", "<!--", "%s", "{0}", "${x}", "\\n", "~~", "***", "__", "::", "---"),
)

#: One line of text that an author might write, by intention or not.
LINE = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)
#: Text of any kind, with line ends and NUL.
TEXT = st.lists(st.sampled_from((*PIECES, "\n", "\n\n", "\0", "\r", "\ud800")) | st.text(max_size=6), max_size=10).map(
    "".join
)
#: Names, dotted or not, that are often those of something.
NAME = st.lists(st.sampled_from(("demo", "Model", "merge", "Other", "*", "", "a")), min_size=1, max_size=4).map(
    ".".join
)
OPTIONS = ("title", "note", "except", "category", "severity", "since", "until", "no-inject", "class", "name")
_WORDS = st.sampled_from((*SEVERITIES, *OPTIONS, *CONNECTION_TYPES, "titel", "x"))
SOURCE = st.lists(
    st.sampled_from(
        (
            *(
                "class A(B):",
                "class A(B[int], c.D): pass",
                "def f(x): return x",
                "    def m(self): ...",
                "    x: int = 1",
            ),
            *(
                "from . import a",
                "from .a import b as c",
                "from .. import *",
                "import a.b as c",
                "from m import m",
                "x = y = 1",
            ),
            *(
                "try:",
                "    import a",
                "except E:",
                "else:",
                "if x:",
                "    pass",
                "with a as b:",
                "@d",
                "'\\d'",
                '"""',
                "(",
            ),
            *(
                "async def g(): await x",
                "match x:",
                "    case [a, *b]: pass",
                "f'{x!r:>{y}}'",
                "# comment",
                "\tpass",
                "\0",
                "lambda: 0",
            ),
        )
    )
    | st.text(max_size=10),
    max_size=12,
).map("\n".join)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A definition as an author writes it."""

    #: The argument.
    name: str
    #: Option and value, an option perhaps twice.
    options: tuple[tuple[str, str], ...] = ()
    #: The body.
    body: str = ""

    def rst(self) -> str:
        """Return it in reStructuredText."""
        lines = [f".. heuristic:: {self.name}"]
        lines += [f"   :{name}: {one_line(value)}" for name, value in self.options]
        return "\n".join([*lines, "", textwrap.indent(self.body, "   "), "", ""])

    def myst(self) -> str:
        """Return it in Markdown; the fence is longer than any that the body can have."""
        fence = "~" * 60  # a name may hold backticks
        lines = [f"{fence}{{heuristic}} {self.name}"]
        lines += [f":{name}: {one_line(value)}" for name, value in self.options]
        return "\n".join([*lines, "", self.body, fence, "", ""])


def one_line(value: str) -> str:
    """Return a text without what any reader of lines takes for a line end."""
    return " ".join(value.splitlines())


_CONNECTION = st.one_of(NAME, LINE, st.builds("{} <{}>".format, LINE, NAME), st.builds("?{}".format, NAME))
_OPTION = st.one_of(
    st.tuples(st.sampled_from(tuple(CONNECTION_TYPES)), st.lists(_CONNECTION, max_size=4).map(", ".join)),
    st.tuples(st.sampled_from(("title", "note", "category", "except", "class", "name")), LINE),
    st.tuples(st.sampled_from(("since", "until")), st.sampled_from(("0.1", "2", "x", "1.0rc1", "9" * 30)) | LINE),
    st.tuples(st.just("severity"), st.sampled_from((*SEVERITIES, "nope")) | LINE),
    st.tuples(st.sampled_from(("no-inject", "unknown", "titel", "evidence")), LINE),
)
_BODY = st.lists(
    LINE
    | st.sampled_from(
        (
            *(
                "",
                ":note: lost",
                "- item\n- item",
                "> quoted",
                "====\n",
                "# Heading",
                "Heading\n=======",
                "* a\n\n  * b",
            ),
            *(
                ".. note:: nested",
                ".. heuristic:: Inner\n   :impl: demo.Model",
                ":::{note}\nnested\n:::",
                "| a | b |\n|---|---|",
            ),
            *(
                ".. _label:",
                "(label)=",
                ":field: value",
                "+---+\n| a |\n+---+",
                "```python\nx\n```",
                ".. code::\n\n   x",
                "::\n\n  x",
            ),
            *(
                "[^1]: foot",
                ".. [1] foot",
                ".. heuristics-for:: demo.Model",
                "```{heuristic-index}\n```",
                ".. heuristic-index::",
            ),
        )
    ),
    max_size=5,
).map("\n".join)
#: Definitions, some with names that are none.
WRITTEN = st.builds(
    Written,
    name=st.sampled_from(("One", "Two_B", "Two-B", "two.b", "a_very_long_name" * 20)) | LINE.map(one_line),
    options=st.lists(_OPTION, max_size=6, unique_by=lambda option: option[0]).map(tuple),
    body=_BODY,
)

# -- functions ------------------------------------------------------------------------


def call(text: str, other: str, folder: Path) -> None:
    """Call whatever reads text with two texts; nothing may be raised."""
    for type_ in ("impl", "workflow"):
        for part in directives.split(text):
            connection = directives.parse_connection(type_, part)
            if connection is not None:
                short_name(connection, other)
                index_file.name_of(connection, other)
    directives.split_targets(text)
    directives.anchor_of(text)
    list(directives.first_paragraph(text.splitlines(), [nodes.paragraph()]))
    paragraph = nodes.paragraph("", "", nodes.Text(text), nodes.emphasis("", other), nodes.Text(other))
    frozen = inline.freeze(inline.first_sentence(paragraph), "folder/page")
    inline.thaw(frozen, "page", lambda _docname, home: home)
    markdown.inline(frozen)
    markdown.text(text)
    closest(text, [other, text, "demo"])
    versions.holds(text, other, "1.0")
    versions.holds("0.1", "2", text)
    versions.is_empty_range(text, other)
    entries = [Entry(names=(name,), answers=(), anchor="", by_hand=False) for name in ("demo.Model", text, other)]
    objects = Objects(entries, canonical={text: (other,)}, spellings=lambda name: (name,))
    excludes(text, [other])
    pages = Pages({"index": (("start",),), text: ((other,), (text,))}, {other: (text, other), "label": ("index", text)})
    for target in (text, other, f"*.{other}", f"{text}.{other}", f"{text}#{other}"):
        objects.find(target)
        objects.closest(target)
        pages.find(target)
        pages.closest(target)
    toctree_order(text, {text: [other, text], other: [text]}, [other])
    Catalogue(pages={}, order={})  # an empty one
    if index_file.difference(text, other) is None:
        assert text == other
    list(index_file.unified(text, other, "name"))
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8", errors="replace")
    sources.read_names(path, next(_FRESH), 0, "package.module", is_package=False)
    config.assignments(path)
    verify(Claim(module="sphinxext_heuristics.versions", qualname=other, quote=text), _SOURCES)


_FRESH = itertools.count()
_SOURCES = sources.Sources()

# -- whole builds ---------------------------------------------------------------------

_CONF = """\
extensions = ["myst_parser", "sphinxext_heuristics"]
myst_enable_extensions = ["dollarmath", "colon_fence", "substitution"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
html_theme = "basic"
html_copy_source = False
"""
_API = """\
Start
=====

.. toctree::

   first
   second
   guide

.. py:module:: demo

.. py:class:: demo.Model

   A model.

   .. py:method:: merge()

.. py:class:: demo.Other

   .. py:method:: merge()
"""


class FuzzError(AssertionError):
    """Something was lost in silence."""


@dataclass(slots=True)
class Site:
    """One Sphinx application that builds page after page of definitions."""

    root: Path
    buildername: str = "text"
    #: How many definitions were built.
    cases: int = 0
    app: SphinxTestApp = field(init=False)

    def __post_init__(self) -> None:
        """Write the pages that stay, and start Sphinx."""
        (self.root / "conf.py").write_text(_CONF, encoding="utf-8")
        (self.root / "index.rst").write_text(_API, encoding="utf-8")
        (self.root / "guide.md").write_text("# Guide\n\nText.\n", encoding="utf-8")
        self._write([])
        self.app = SphinxTestApp(self.buildername, srcdir=self.root)

    def _write(self, written: Iterable[Written]) -> None:
        every = list(written)
        for name, texts in (("first.rst", [w.rst() for w in every]), ("second.md", [w.myst() for w in every])):
            head = "First\n=====\n\n" if name == "first.rst" else "# Second\n\n"
            tail = ".. heuristic-index::\n" if name == "first.rst" else "```{heuristic-index}\n:missing:\n```\n"
            text = head + "".join(texts) + tail
            (self.root / name).write_bytes(text.encode("utf-8", errors="replace"))

    def build(self, written: Iterable[Written]) -> tuple[HeuristicDomain, str]:
        """Build a page of each syntax with these definitions, each of which must be shown or told of."""
        every = list(written)
        self._write(every)
        self.app.warning.truncate(0)
        self.app.warning.seek(0)
        # Another application that was built meanwhile has taken the log.
        logging.setup(self.app, self.app.status, self.app.warning)
        with warnings.catch_warnings():
            # MyST asks Sphinx for the application by its old name.
            warnings.filterwarnings("ignore", category=PendingDeprecationWarning, module=r"myst_parser\.")
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"myst_parser\.")
            self.app.build(force_all=True)
        self.cases += 2 * len(every)
        told = self.app.warning.getvalue()
        domain = HeuristicDomain.of(self.app.env)
        self._check(len(every), domain, told)
        return domain, told

    def _check(self, expected: int, domain: HeuristicDomain, told: str) -> None:
        for docname in ("first", "second"):
            records = domain.pages[docname].heuristics
            if len(records) < expected:
                raise FuzzError(f"{docname}: {expected} definitions, {len(records)} read")
            for record in records:
                stands = domain.plan.heuristics.get(record.name) is record
                if not stands and f":{record.line}: WARNING" not in told:
                    if domain.plan.catalogue.is_repeated(record):
                        continue
                    raise FuzzError(f"{docname}:{record.line}: {record.name!r} is lost in silence")
            anchors = [record.anchor for record in records]
            if len(set(anchors)) != len(anchors):
                raise FuzzError(f"{docname}: anchors collide: {anchors}")

    def close(self) -> None:
        """Give back what the application took."""
        self.app.cleanup()


# -- much of it -----------------------------------------------------------------------


def run_cases(kind: str, number: int, start: int) -> int:
    """Build random definitions or call functions with random text, and print what was done and covered."""
    coverage = importlib.import_module("coverage").Coverage(branch=True, config_file=False, data_file=None)
    for name in [name for name in sys.modules if name.startswith("sphinxext_heuristics.")]:
        importlib.import_module(name)
    coverage.start()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        count = (run_functions if kind == "functions" else run_directives)(number, start, Path(folder))
    coverage.stop()
    print(f"{count} {kind} in {time.monotonic() - begun:.0f} s, no exception (seed {start})", flush=True)  # noqa: T201 - what it is run for
    coverage.report(include=[f"*/sphinxext_heuristics/{name}.py" for name in READERS] + ["*/evidence/*.py"])
    return 0


def quiet(number: int, *phases: Phase) -> settings:
    """Return the settings of a long run."""
    return settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=(Phase.generate, *phases),
        suppress_health_check=list(HealthCheck),
    )


def run_functions(number: int, start: int, folder: Path) -> int:
    """Call the functions that read text; return how often."""
    calls = itertools.count()

    @seed(start)
    @quiet(number, Phase.shrink)
    @given(TEXT | SOURCE | LINE | NAME, TEXT | LINE | NAME)
    def functions(text: str, other: str) -> None:
        next(calls)
        call(text, other, folder)

    functions()
    return next(calls)


def run_directives(number: int, start: int, folder: Path) -> int:
    """Build random definitions, forty on a page of each syntax; return how many."""
    site = Site(folder)

    @seed(start)
    @quiet(-(-number // 80))
    @given(st.lists(WRITTEN, min_size=40, max_size=40))
    def builds(written: list[Written]) -> None:
        site.build(written)

    try:
        builds()
    finally:
        site.close()
    return site.cases


def run_atheris(seconds: int) -> int:
    """Let atheris call the functions that read text, led by the branches that it reaches."""
    atheris: Any = importlib.import_module("atheris")
    folder = Path(tempfile.mkdtemp())

    def one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        text = provider.ConsumeUnicodeNoSurrogates(provider.ConsumeIntInRange(0, 200))
        call(text, provider.ConsumeUnicodeNoSurrogates(100), folder)

    for name in READERS:
        module = importlib.import_module(f"sphinxext_heuristics.{name}")
        for value in vars(module).values():
            if getattr(value, "__module__", "") == module.__name__ and hasattr(value, "__code__"):
                atheris.instrument_func(value)
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=1200"], one)
    atheris.Fuzz()
    return 0


def main(arguments: list[str]) -> int:
    """Run what the command line asks for."""
    kind, *rest = arguments
    numbers = [int(number) for number in rest]
    if kind == "atheris":
        return run_atheris(*(numbers or [60]))
    return run_cases(kind, *(numbers + [20_000, 1][len(numbers) :]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
