"""Hostile and random input, and what is asked of all that reads it."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import os
import re
import sys
import textwrap
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from docutils import nodes
from docutils.parsers.rst import directives as rst_directives
from docutils.parsers.rst import roles as rst_roles
from hypothesis import strategies as st
from sphinx import addnodes
from sphinx.testing.util import SphinxTestApp
from sphinx.util import logging
from sphinx.util.docutils import docutils_namespace

from sphinxext_heuristics._core import config, versions
from sphinxext_heuristics._core.diagnostics import closest
from sphinxext_heuristics._core.evidence import messages
from sphinxext_heuristics._core.evidence.cache import FILENAME, EvidenceCache
from sphinxext_heuristics._core.evidence.prose import missing_comment
from sphinxext_heuristics._core.evidence.search import parsed, verify
from sphinxext_heuristics._core.evidence.source import Source
from sphinxext_heuristics._core.files import index_file, project_file
from sphinxext_heuristics._core.integration import conf_py
from sphinxext_heuristics._core.integration.domain import HeuristicDomain
from sphinxext_heuristics._core.model import (
    CONNECTION_TYPES,
    SEVERITIES,
    Entry,
    Evidence,
    Found,
    Lost,
    Note,
)
from sphinxext_heuristics._core.notes import inline, markdown
from sphinxext_heuristics._core.read import heuristic as read_heuristic
from sphinxext_heuristics._core.read import options, queries
from sphinxext_heuristics._core.resolve.catalogue import Catalogue
from sphinxext_heuristics._core.resolve.listing import short_name
from sphinxext_heuristics._core.resolve.objects import Objects, excludes
from sphinxext_heuristics._core.resolve.pages import Pages, toctree_order
from sphinxext_heuristics._core.source import names as source_names
from sphinxext_heuristics._core.source import packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from random import Random

    from sphinxext_heuristics._core.model import Heuristic, RoleUse


def claim_of(
    module: str, qualname: str, quote: str, *, prose: bool = False
) -> Evidence:
    """Return the record of a directive that quotes."""
    return Evidence(
        module=module, qualname=qualname, quote=quote, prose=prose, source="", line=1
    )


class FuzzError(AssertionError):
    """Something was lost in silence, or is not what it should be."""


# -- what is generated ----------------------------------------------------------------

#: Pieces that mean something somewhere.
PIECES = (
    *",;:.?!~*_`'\"<>()[]{}|\\/#&@$%^-+= \t",
    *(
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "\N{RIGHT-TO-LEFT ISOLATE}",
        "\N{POP DIRECTIONAL FORMATTING}",
        "\u200f",
    ),
    *(
        "\N{NO-BREAK SPACE}",
        "\N{LINE SEPARATOR}",
        "\x85",
        "\x1b[31m",
        "\x7f",
        "é",
        "İ",
        "ß",
        "漢",
        "🙂",
        "𝒳",
    ),
    *(
        "demo",
        "Model",
        "demo.Model",
        "demo.Model.merge",
        "merge",
        "*.merge",
        "*.",
        "..",
        "nowhere",
        "guide",
        "index",
    ),
    *(
        "index#start",
        "category:",
        "category:Speed",
        "text <demo.Model>",
        "<demo.Model>",
        "?~",
        "note",
        "tip",
        "0.1",
    ),
    *(
        "9" * 30,
        "1.0rc1",
        "v2",
        "e.g. ",
        "i.e. ",
        ". ",
        "``code``",
        "**strong**",
        ":doc:`guide`",
        ":heuristic:`One`",
    ),
    *(
        ":ref:`x <>`",
        ":doc:`<>`",
        "{ref}`x <>`",
        "[x]()",
        "[](<>)",
        "[](#)",
        ":heuristic:`x <>`",
        "{heuristic}`!One`",
    ),
    *(
        "{doc}`guide`",
        "[link](guide.md)",
        "`a <https://example.org>`_",
        "|sub|",
        "[1]_",
        "$x$",
        ":math:`x`",
    ),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '" onmouseover="alert(1)',
        "javascript:alert(1)",
    ),
    *(
        "&amp;",
        "&#60;",
        "</dd></dl>",
        "]]>",
        "-->",
        "<!--",
        "%s",
        "{0}",
        "${x}",
        "\\n",
        "~~",
        "***",
        "__",
        "::",
        "---",
    ),
)

#: One line of text that an author might write, by intention or not.
LINE = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)
#: Text of any kind, with line ends and NUL.
TEXT = st.lists(
    st.sampled_from((*PIECES, "\n", "\n\n", "\0", "\r", "\ud800"))
    | st.text(max_size=6),
    max_size=10,
).map("".join)
#: Names, dotted or not, that are often those of something.
NAME = st.lists(
    st.sampled_from(("demo", "Model", "merge", "Other", "*", "", "a")),
    min_size=1,
    max_size=4,
).map(".".join)
OPTIONS = (
    "title",
    "note",
    "param",
    "except",
    "category",
    "severity",
    "since",
    "until",
    "no-inject",
    "class",
    "name",
)
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
    """A directive as an author writes it, a definition unless another is named."""

    directive: str = "heuristic"
    #: The argument.
    name: str
    #: Option and value, an option perhaps twice.
    options: tuple[tuple[str, str], ...] = ()
    #: The body.
    body: str = ""
    #: Whether a blank line stands before it in Markdown.
    apart: bool = True

    def rst(self) -> str:
        """Return it in reStructuredText."""
        lines = [f".. {self.directive}:: {self.name}"]
        lines += [f"   :{name}: {one_line(value)}" for name, value in self.options]
        return "\n".join([*lines, "", textwrap.indent(self.body, "   "), "", ""])

    def myst(self) -> str:
        """Return it in Markdown; the fence is longer than any that the body can have."""
        fence = "~" * 60  # a name may hold backticks
        lines = [f"{fence}{{{self.directive}}} {self.name}"]
        lines += [f":{name}: {one_line(value)}" for name, value in self.options]
        return "\n".join([*lines, *[""] * self.apart, self.body, fence, "", ""])


def one_line(value: str) -> str:
    """Return a text without what any reader of lines takes for a line end."""
    return " ".join(value.splitlines())


_CONNECTION = st.one_of(
    NAME,
    LINE,
    st.builds("{} <{}>".format, LINE, NAME),
    st.builds("?{}".format, NAME),
    st.builds("{}+".format, NAME),
)
_OPTION = st.one_of(
    st.tuples(
        st.sampled_from(tuple(CONNECTION_TYPES)),
        st.lists(_CONNECTION, max_size=4).map(", ".join),
    ),
    st.tuples(
        st.sampled_from(
            ("title", "note", "category", "param", "except", "class", "name")
        ),
        LINE,
    ),
    st.tuples(
        st.sampled_from(("since", "until")),
        st.sampled_from(("0.1", "2", "x", "1.0rc1", "9" * 30)) | LINE,
    ),
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
            *(
                ".. evidence:: textwrap:dedent\n\n   return text",
                ":::{evidence} textwrap\ndedent\n:::",
                ".. math:: x",
                ".. figure:: x.png\n\n   A caption",
                ".. rubric:: x",
            ),
        )
    ),
    max_size=5,
).map("\n".join)
#: Definitions, some with names that are none.
WRITTEN = st.builds(
    Written,
    name=st.sampled_from(("One", "Two_B", "Two-B", "two.b", "a_very_long_name" * 20))
    | LINE.map(one_line),
    options=st.lists(_OPTION, max_size=6, unique_by=lambda option: option[0]).map(
        tuple
    ),
    body=_BODY,
    apart=st.sampled_from((True, True, True, False)),
)

_ASKING = (
    "heuristic-index",
    "heuristic-graph",
    "heuristic-messages",
    "heuristic-releases",
    "heuristics-for",
)
#: Other directives of ours, with arguments, options and bodies that they do not take,
#: too.
ASKED = st.builds(
    Written,
    directive=st.sampled_from(_ASKING),
    name=st.sampled_from(
        ("", "", "demo.Model", "category:Speed, demo.Other", "?", "nowhere, guide")
    )
    | LINE.map(one_line),
    options=st.lists(
        st.tuples(
            st.sampled_from(
                (*CONNECTION_TYPES, "category", "severity", "missing", "layout")
            ),
            LINE,
        )
        | st.sampled_from(
            (
                ("layout", "cards"),
                ("layout", "cads"),
                ("missing", ""),
                ("missing", "yes"),
                ("missing", "no"),
            )
        )
        | st.sampled_from(
            (
                ("impl", "demo.Model"),
                ("category", "Speed, Sped"),
                ("severity", "tip, tipp"),
                ("a #b", "c # d"),
            )
        )
        | st.sampled_from(
            (
                ("impl", "merge"),
                ("workflow", "guide"),
                ("titel", "x"),
                ("category", "x # y"),
            )
        ),
        max_size=4,
        unique_by=lambda option: option[0],
    ).map(tuple),
    body=st.just("") | LINE,
)

# -- functions ------------------------------------------------------------------------


def call(text: str, other: str, folder: Path) -> None:
    """Call whatever reads text with two texts; nothing may be raised."""
    for part in CALLED:
        part(text, other, folder)


def call_directives(text: str, other: str, _folder: Path) -> None:
    """Read options, arguments and versions."""
    for type_ in ("impl", "workflow"):
        for part in options.split(text):
            connection = read_heuristic.parse_connection(type_, part)
            if connection is not None:
                short_name(connection, other)
                index_file.name_of(connection, other)
    queries.split_targets(text)
    read_heuristic.anchor_of(text)
    list(read_heuristic.first_paragraph(text.splitlines(), [nodes.paragraph()]))
    closest(text, [other, text, "demo"])
    versions.holds(text, other, "1.0")
    versions.holds("0.1", "2", text)
    versions.is_empty_range(text, other)


def call_inline(text: str, other: str, _folder: Path) -> None:
    """Carry inline markup from page to page, and to Markdown."""
    for paragraph in paragraphs(text, other):
        for children in (inline.first_sentence(paragraph), paragraph.children):
            frozen = inline.freeze(children, "folder/page")
            for relative in (lambda _docname, home: home, lambda _docname, _home: ""):
                kept = tuple(
                    inline.settled(
                        frozen, "home", lambda link: link["reftarget"] != "dead"
                    )
                )
                inline.thaw(Note(kept, "home"), "page", relative)
            inline.text_of(frozen)
            markdown.inline(frozen)
    markdown.text(text)


def call_matching(text: str, other: str, _folder: Path) -> None:
    """Look for targets among objects and pages."""
    objects = documented(text, other)
    list(objects.names)
    excludes(text, [other])
    pages = Pages(
        {
            "index": (("start",),),
            "a/guide": (),
            "b/guide": ((other, text), (other,)),
            text: ((other,), (text,)),
        },
        {other: (text, other), "label": ("index", text), "lost": ("nowhere", "x")},
        {"index": {text: other}},
    )
    for target in (
        text,
        other,
        f"*.{other}",
        f"{text}.{other}",
        f"{text}#{other}",
        "guide",
        "index#start",
        "demo",
    ):
        objects.find(target)
        objects.is_inherited(target)
        objects.closest(target)
        pages.find(target)
        pages.closest(target)
    toctree_order(text, {text: [other, text], other: [text]}, [other])
    Catalogue(pages={}, order={})  # an empty one


def call_files(text: str, other: str, folder: Path) -> None:
    """Read an index, a module and a conf.py."""
    if project_file.difference(text, other) is None:
        assert text == other
    list(project_file.unified(text, other, "name"))
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8", errors="replace")
    source_names.read_names(source_names.State(path, next(_FRESH), 0), "package.module")
    conf_py.assignments(path)


def call_evidence(text: str, other: str, _folder: Path) -> None:
    """Look for a quote, also in the other text."""
    claim = claim_of("sphinxext_heuristics._core.versions", other, text)
    verify(claim, _SOURCES)
    for message in messages.in_quote(claim):
        for pasted in (
            message.text,
            f"{message.kind}: {message.text}",
            message.text[1:],
            other,
        ):
            messages.fit(message, messages.plain(pasted))
    for source in (RICH, other):
        for prose in (False, True):
            with suppress(ValueError):
                wanted = parsed(claim_of("", "", text, prose=prose))
                place = Source(source_names.File.of(source)).whole
                wanted.find(place)
                missing_comment(text, place)


#: All of them.
CALLED = (call_directives, call_inline, call_matching, call_files, call_evidence)


def paragraphs(text: str, other: str) -> Iterator[nodes.paragraph]:
    """Yield paragraphs that hold two texts in markup of all kinds."""
    yield nodes.paragraph(
        "", "", nodes.Text(text), nodes.emphasis("", other), nodes.Text(other)
    )
    links = [
        nodes.reference("", text, refuri=uri, **{"class": "x"})
        for uri in (
            "https://example.org",
            f"https://example.org/{other}",
            other,
            f"mailto:{other}",
            text,
        )
    ]
    links.append(
        nodes.reference("", "https://example.org", refuri="https://example.org")
    )
    links.append(nodes.reference("", text, refid="here", ids=["x"], names=[text]))
    links.append(nodes.reference("", text, anonymous=1))
    links += [
        addnodes.pending_xref(
            "", nodes.inline("", text), reftarget=target, reftype=kind, refdomain="std"
        )
        for target, kind in ((other, "doc"), ("dead", "ref"))
    ]
    around = (
        nodes.emphasis,
        nodes.strong,
        nodes.literal,
        nodes.math,
        nodes.inline,
        nodes.title_reference,
        nodes.problematic,
    )
    nested = [
        outer("", "", inner("", text), nodes.Text(other))
        for outer, inner in (
            *itertools.pairwise(around),
            *zip(around, around[::-1], strict=True),
        )
    ]
    bare = [
        cls("", text) for cls in (*around, nodes.superscript, addnodes.literal_strong)
    ]
    aside = [
        nodes.image(alt=text),
        nodes.image(),
        nodes.raw("", text, format="html"),
        nodes.target(),
        addnodes.index(),
    ]
    aside += [
        nodes.footnote_reference("", text),
        nodes.math("", "a\\|b"),
        nodes.literal("", "`"),
        nodes.literal("", "  "),
    ]
    yield nodes.paragraph(
        "",
        "",
        nodes.target(),
        nodes.Text("A sentence"),
        *links,
        nodes.emphasis("", "", *links),
    )
    yield nodes.paragraph("", "", *nested)
    yield nodes.paragraph("", "", *bare, nodes.Text(text), *bare[::-1])
    yield nodes.paragraph(
        "", "", *(part for one in (*aside, *links) for part in (one, nodes.Text(other)))
    )


def documented(text: str, other: str) -> Objects:
    """Return documented objects, some of which have the two texts for names."""
    entries = [
        Entry(names=(name,), lineage=(), anchor="", by_hand=False)
        for name in ("demo.Model", text, other)
    ]
    for name, lineage in (
        ("demo.Model.merge", ("demo.inner.Model.merge",)),
        ("demo.Copy.merge", ("demo.Copy.merge", "demo.inner.Model.merge")),
        ("demo.Other.merge", ("demo.Other.merge",)),
        (f"demo.{other}", (f"demo.{text}",)),
    ):
        entries.append(Entry(names=(name,), lineage=lineage, anchor="", by_hand=False))
    return Objects(
        entries,
        canonical={text: (other,), "demo.Model": ("demo.inner.Model",)},
        aliases=lambda name: (name,),
        source_lineage=lambda name: (name, text) if name == other else (),
    )


_FRESH = itertools.count()
_SOURCES = packages.Sources()

# -- evidence -------------------------------------------------------------------------

#: A module with each kind of statement, parameter, string and layout that the readers
#: tell apart.
RICH = '''\
"""Words of a docstring, with 'quotes'
   and    spaces."""
from __future__ import annotations

import os.path as p, sys
from .. import a
from .two import *
from .two import (Base as B, _private,)

X: int = 1; Y = Z = 2
x, (y, *z) = 1, (2, 3)
NUMBERS = [1_000, 0x1F, 1.5e-3, .5j, 3.]
DOC = "one " 'two ' """three
four""" f"{X!r:>{Y}} {{}} {x['a']}" if X else ()
PLAIN = f'plain' + f"{x[1:2]}"
RAW = rb"\\d" b"x"


def first(a, b=1, /, c: int = (2), *args: int, d, e=None, **rest: dict[str, int]) -> list[int]:
    # a comment
    # that goes on
    """What it does.

    More.
    """
    value = a + b * (c - 1) if a and b or not c else -d  # why
    # first
    # then
    assert value, "a message " "in two parts"
    print(f"{value=} of {a:{b}.{c}}", *args, sep=", ", **rest)
    del value, a
    return [*args, {"k": 1, **rest}, {1, 2}, (1,), lambda q, *, r=1: q[1:2, ::3], ...]
    # the end


@decorated
@decorated(1)
class Model(B, metaclass=type):
    """A model."""

    field: int
    other = "text"; third = 3

    @property
    async def merge(self):
        try:
            async with a as b, c:
                await b
        except (E, F) as e:
            raise X from e
        else:
            async for i in x: yield i
        finally:
            pass

    def nested(self):
        def inner():
            nonlocal_name = 1

            class Deep:
                pass
        return inner


class Child(Model):
    def own(self): return super().own()


if sys.version_info > (3,):
    def branch():
        while x: x -= 1
        else:
            continue_ = 1
elif X:
    def branch(): pass
else:
    if Y:
        branch = None
for i in x:
    for j in y: pass
    else: break
else:
    pass
with open(x) as f, (g): h = [i async for i in f if i if j for k in l]
match command.split():
    case [a, *b] if a:
        pass
    case {"x": 1, **rest} | Model(x=1) | None as n:
        global_name: list = []
    case _:
        x = yield
def text(): "one " f"{x} two" ; return f"{'a' f'{b}'}"
\x0c
def after_form_feed(): return "\\N{BULLET}" "\\
"
'''

#: Ways to tell a user something, one a line.
TALK = (
    *(
        'raise ValueError("a text " + f"of {x}")',
        'raise E("x y") from e',
        'raise make("a text")()',
        "raise x.Error(1)",
    ),
    *(
        'assert x, "a text %s %%" % x',
        'warnings.warn("a text", DeprecationWarning)',
        'warnings.warn("{} {x}".format(1))',
    ),
    *(
        'warn("a {", stacklevel=2)',
        'logger.warning_once("a text %s", x)',
        'log.log(10, "a text")',
        "logger.info()",
    ),
    *(
        'self.fail_with(x, message="a text")',
        'message = "a text" if x else "b text"',
        "raise E(message)",
        "error: str",
    ),
    *(
        'message += " and more"',
        "raise ValueError(message)",
        'err_msg: str = "a text"',
        'raise E("a " if x else "b")',
    ),
    *(
        'raise KeyError(", ".join(["a b", x, "c d"]))',
        'raise E(_("a text").strip().lower())',
        "raise E(dedent(x))",
    ),
    *(
        'raise E(x := "a text")',
        "x = (message := 'a text')",
        'f(x)[1].warn("a text")',
        '"a text" "in two",',
        "('a text'",
    ),
    *(
        f"raise E('x'{' % 1' * 900})",
        f"raise E('x'{' + y' * 900})",
        "raise E('a\\0b \\n c')",
        'raise ValueError("a text"',
    ),
    *(
        'if x: raise ValueError(\n    "a text"',
        'raise Error("a {x!r} text {".format(x))',
        "errors = {'a': 'b c'}",
        "raise E(*x)",
    ),
    'raise E("a text".strip())',
    "raise E('x') if x else f(x)('a text')",
    "raise Error(f'{x} is a text that is longer than {y}')",
)
#: Modules, and what is quoted from them and is not there, or in another form.
DRIFTED = (
    ("x = f'a'\n", "x = 'a'"),
    (f"f({'+'.join('a' * 900)})\n", "a + b"),
    ("def f():\n    if x:\n        y\n        z\n", "def f():\n    if x:\n        y"),
    ("x = 'two words here'\n", "'two words'"),
    ("x = 1\ny = 2\n", "x = 1\n...\ny = 2"),
    ("x = 1  # one\n", "# two\nx = 1"),
    ("del (x, y)\n", "del x, y"),
    (f"x = f'{{{'+'.join('a' * 900)}}}'\n", "'a b'"),
    (
        "x = 1  # one\n",
        "# a comment whose words are more than the sixty letters that a message repeats\nx = 1",
    ),
)
#: What stands where in a hostile module, and may be quoted from it.
BLOCKS = (
    *TALK,
    'def f():\n    """Text.\n\n    .. evidence:: a:b\n\n       x = 1\n    """\n',
    '"""\n```{evidence} a\nx\n```\n"""\n',
    '"""\n:::{evidence} a\nx"""\n',
    "'''\n.. evidence:: a\n   x\nb\n'''\n",
    ":::{evidence} a\n" * 3,
    "".join(f"{line}\n" for line in TALK[:20]),
    *(RICH, *RICH.split("\n\n\n")),
    *(
        "class Base:\n    def merge(self): pass\n    def other(self): pass\n",
        "class Other(Base): merge = 1\n",
    ),
    *(
        "class Model(Base, two.Mixin, Generic[T]):\n    x: int\n    class Inner(Base): pass\n",
        "class Loop(Loop): pass\n",
    ),
    *(
        "class Model(A, B): pass\n",
        "class A(B): pass\nclass B(A): pass\n",
        "class C(A, B): pass\nclass D(B, A): pass\n",
    ),
    *(
        "class E(C, D): pass\n",
        "class Model(hostile.two.Base): pass\n",
        "def __getattr__(name): return 1\n",
    ),
    *(
        "from . import one\n",
        "from .one import *\n",
        "from .two import *\n",
        "from .two import Base as Model\n",
    ),
    *(
        "from hostile import Model\n",
        "from .one import Model\n",
        "from hostile.one import Base, merge\n",
    ),
    *(
        "import hostile.two as two\n",
        "import hostile\n",
        "from .nowhere import Model\n",
        "from ...... import x\n",
    ),
    *(
        "try:\n    from .one import Base\nexcept* E: x = 1\nelse: y = 2\nfinally: z = 3\n",
        "type Alias[T] = list[T]\n",
    ),
    *(
        "try: pass\nexcept E:\n    def merge(): pass\n",
        "async def merge(): return [x async for x in y]\n",
        "import os, sys as s\n",
    ),
    *(
        "\x0c\n",
        "\t\n",
        "# -*- coding: latin-1 -*-\n",
        "# coding: nope\n",
        "#!python\n",
        "\\\n",
        "\ufeff",
        "\0",
        "\r",
        "\x85",
    ),
    *(
        '"""open',
        "f'{x",
        "x = '''",
        "(" * 40,
        ")",
        "[" * 120 + "]" * 120 + "\n",
        "x = " + "-" * 3000 + "1\n",
        "    x\n",
        "\ud800",
    ),
    *(
        "x = 1\n\tif y:\n",
        "if x:\n  pass\n   pass\n",
        "print 'x'\n",
        "$\n",
        "é = 'ß'\n",
        "x = '\\d'\n",
        "# é 漢\n",
        "0777\n",
    ),
    *(
        "f'{a:{b:{c}}}' 't' rb'x'\n",
        'f"{x!r:>{y}} {{" "and {z}"\n',
        "x = (a,\n     b)  # comment\n",
        "assert x, (\n  'm'\n)\n",
    ),
)
_HEADS = (
    "",
    "",
    "",
    "\ufeff",
    "#!x\n# coding: latin-1\n",
    "# coding: utf-16\n",
    "# vim: set fileencoding=cp1252 :\n",
    "\n\n#coding:x\n",
)
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "latin-1", "cp1252", "utf-16", "utf-8-sig")
#: Where quotes are said to be; the first three are the hostile modules.
MODULES = (
    *(
        "hostile",
        "hostile.one",
        "hostile.two",
        "hostile.nowhere",
        "hostile.data",
        "hostile.folder",
        "hostile.folder.x",
    ),
    *(
        "nowhere",
        "sys",
        "_ast",
        "zipimport",
        "",
        ".",
        "a b",
        "..x",
        "é",
        "textwrap.x",
        "collections.abc",
        "xml",
        "os.path",
    ),
)
QUALNAMES = (
    *(
        "",
        "",
        "Model",
        "Model.merge",
        "merge",
        "Base",
        "Base.merge",
        "Model.nested.<locals>.inner",
        "Model.nested.inner",
    ),
    *(
        "first",
        "Child.own",
        "Child.merge",
        "Other.merge",
        "branch",
        "x",
        "z",
        "X",
        "Model.Inner.merge",
        "Mdoel",
        "fist",
    ),
    *(
        "text",
        "E.merge",
        "global_name",
        "after_form_feed",
        "Model.nested.inner.Deep",
        ".",
        "a..b",
        "<locals>.",
        "é",
    ),
)
#: Quotes that are read in every way there is, and pieces of them.
QUOTES = (
    *TALK,
    *(
        "",
        "\n",
        "#",
        "# a comment\n# that goes on\nvalue = a",
        "x",
        "x, y",
        "a, b=1, /, c: int = (2)",
        "*, d",
        "d, e=None",
    ),
    *(
        "return",
        "if X:",
        "elif X:",
        "else:",
        "except (E, F) as e:",
        "finally:",
        "try:",
        "case _:",
        "case [a, *b] if a:",
    ),
    *(
        "@decorated",
        "@decorated\n@decorated(1)",
        "class Model(B, metaclass=type):",
        "def first(",
        ") -> list[int]:",
    ),
    *(
        "    while x: x -= 1\n    else:\n        continue_ = 1",
        "        raise X from e",
        "    elif X:\n",
        "  finally:",
    ),
    *(
        '"k": 1, **rest',
        "**rest",
        "*args, sep=', '",
        "a and b",
        "b or not c",
        "* (c - 1)",
        "(a + b",
        "c - 1)",
        ",",
        "(",
        "()",
    ),
    *(
        '"a message " "in two parts"',
        '"in two parts"',
        '"a message "',
        "'one ' 'two '",
        "'two ' 'three\\nfour'",
        "b'x'",
        "'x",
    ),
    *(
        'f"{value=}"',
        "f'{x",
        'f"{X!r:>{Y}}"',
        "{value=} of",
        "Words of a docstring",
        "What it does. More.",
        "{a:{b}.{c}}",
    ),
    *(
        "yield",
        "await b",
        "lambda q, *, r=1: q[1:2, ::3]",
        "(yield)",
        "x = (1,)",
        "a,",
        "(a)",
        "((a))",
        "not (c)",
        "1, 2}",
    ),
    *(
        "with open(x) as f, (g):",
        "match command.split():",
        "async for i in x:",
        "for i in x:\n    for j in y: pass",
        "pass",
    ),
    *(
        "(a) + b",
        "return (value)",
        "value = (",
        ", a)",
        "[1:2, ::3]",
        "print(a, (b), c,)",
        "x[(1)]",
        "f((x,))",
        "(x for x in y)",
    ),
    *(
        "if (x):",
        "if (a, b):",
        "(lambda: 0)",
        "a = (yield)",
        "= (b)",
        "b) = c",
        "x, )",
        "[a, ]",
        "(a := 1)",
        "{a: b, }",
        ")]}",
    ),
    *(
        "del value, a  # absent",
        "# absent\ndel value, a",
        "# first\n# then\nassert value, 'a message in two parts'",
        "'plain'",
    ),
    *(
        "f'x\ny",
        "value {not a} of {value}",
        "{a b} of {value!}",
        "f'{x[1:2]}'",
        "f'{x[1",
        "f'{x:{y",
        "f'{x!",
        "f'plain'",
        "* c",
        "first\nthen",
    ),
    *(
        '"""What it does.\n\nMore.\n"""',
        '"""A model."""',
        "field: int",
        "x, (y, *z) = 1, (2, 3)",
        "import os.path as p, sys",
    ),
)
_QUOTED = (
    "textwrap",
    "json.decoder",
    "dataclasses",
    "contextlib",
    "shlex",
    "string",
    "cmd",
    "sphinxext_heuristics._core.resolve.plan",
)
_OWN = (
    *(
        "read.heuristic",
        "evidence.code",
        "evidence.source",
        "evidence.prose",
        "source.packages",
        "notes.inline",
    ),
    "config",
)
#: The real modules that quotes are taken from.
REAL = (*_QUOTED, *(f"sphinxext_heuristics._core.{name}" for name in _OWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A statement of real source, alone on its lines."""

    #: The innermost object that it stands in, and the module.
    module: str
    qualname: str
    statement: ast.stmt
    #: What is written there.
    text: str


@cache
def passages(module: str) -> Sequence[Passage]:
    """Return the statements of a real module."""
    at = _SOURCES.state(module)
    assert at is not None, module
    source = Source(source_names.read_file(at))
    lines = at.path.read_text("utf-8").split("\n")
    found = {}
    for name in source.definitions:
        for statement in (
            stmt
            for place in source.places(name)
            for stmt in ast.walk(place.tree)
            if isinstance(stmt, ast.stmt)
        ):
            text = "\n".join(lines[_starts(statement) - 1 : statement.end_lineno])
            if _is_alone(text, statement):
                found[statement.lineno, statement.col_offset] = Passage(
                    module=module, qualname=name, statement=statement, text=text
                )
    return list(found.values())


def _starts(node: ast.stmt) -> int:
    """Return the first line of a statement, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _is_alone(text: str, statement: ast.stmt) -> bool:
    """Tell whether lines hold a statement and nothing else."""
    try:
        tree = ast.parse(textwrap.dedent(re.sub(r"^(\s*)elif\b", r"\1if", text)))
    except SyntaxError:
        return False
    return len(tree.body) == 1 and type(tree.body[0]) is type(statement)


def quoted(random: Random) -> tuple[Evidence, bool | None]:
    """Return a claim that is derived from real source, and whether its quote is there; ``None``: it may be."""
    place = random.choice(passages(random.choice(REAL)))
    kind = random.choice(
        (whole, whole, unparsed, renamed, renamed, fragment, fragment, worded)
    )
    quote, expected = kind(place, random) or whole(place, random)
    return claim_of(place.module, place.qualname, quote, prose=kind is worded), expected


#: A quote, and whether it is there.
Made: TypeAlias = "tuple[str, bool | None] | None"


def whole(place: Passage, random: Random) -> Made:
    """Quote a statement, by chance dedented or further indented."""
    text = random.choice(
        (str, textwrap.dedent, lambda text: textwrap.indent(text, "    "))
    )(place.text)
    # The lines of a string may keep others from being dedented; and no statement begins
    # with "elif".
    expected = True if is_sound(textwrap.dedent(text)) else None
    return random.choice((text, f"\n{text}\n\n")), expected


def unparsed(place: Passage, _random: Random) -> Made:
    """Quote a statement in another layout."""
    return (
        None
        if place.text.lstrip().startswith("elif")
        else (ast.unparse(place.statement), True)
    )


def renamed(place: Passage, random: Random) -> Made:
    """Quote a statement with a name that nothing has."""
    names = [
        node.id for node in ast.walk(place.statement) if isinstance(node, ast.Name)
    ]
    names = [
        name for name in names if name not in keywords() and not name.startswith("__")
    ]
    if not names:
        return None
    name = random.choice(names)
    return re.sub(
        rf"\b{name}\b", "zzq9", place.text
    ), None if f"#{name}" in place.text else False


@cache
def keywords() -> frozenset[str]:
    """Return the words that are no names."""
    module = importlib.import_module("keyword")
    return frozenset([*module.kwlist, *module.softkwlist])


def fragment(place: Passage, random: Random) -> Made:
    """Quote from one token to another, some of them changed."""
    found = re.findall(r"\w+|[^\w\s]", place.text)
    first, length = random.randrange(len(found)), random.randint(1, 30)
    piece = found[first : first + length]
    if random.random() < 0.5:
        piece[random.randrange(len(piece))] = random.choice(
            (*found, *"()[]{},:=#'\"\\", "\n", "yield", "if", "f'{", '"""')
        )
    return random.choice((" ", " ", "", "\n")).join(piece), None


def worded(place: Passage, random: Random) -> Made:
    """Quote words of a string or of a comment, in other lines."""
    said = [
        node.value
        for node in ast.walk(place.statement)
        if isinstance(node, ast.Constant) and _is_plain(node.value)
    ]
    words = random.choice(said).split() if said else []
    if not words:
        return place.text, None
    first = random.randrange(len(words))
    return random.choice((" ", "\n", "  \n")).join(
        words[first : first + random.randint(1, 20)]
    ), True


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.isprintable()
        and value.isascii()
        and len(value.split()) > 1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """Source that is no pleasure to read, and what is said to be in it."""

    #: File of the package ``hostile`` → what it holds.
    files: dict[str, bytes]
    claim: Evidence

    @property
    def names(self) -> Iterator[str]:
        """Yield names to be followed."""
        yield f"{self.claim.module}.{self.claim.qualname}"
        yield from (
            f"hostile.{name}"
            for name in (
                "Model.merge",
                "one.Child.merge",
                "two.Base.x",
                "one.E.merge",
                "one",
                "",
            )
        )


def encoded(blocks: Sequence[str], head: str, encoding: str, ends: str) -> bytes:
    """Return the bytes of a module."""
    text = head + ("\n" * bool(ends)).join(blocks)
    return text.replace("\n", ends or "\n").encode(encoding, errors="replace")


def is_sound(block: str) -> bool:
    """Tell whether Python can parse a block."""
    try:
        ast.parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


_SOUND = [block for block in BLOCKS if is_sound(block)]
_FILE = st.builds(
    encoded,
    st.lists(
        st.sampled_from((RICH, *BLOCKS))
        | st.sampled_from(RICH.split("\n\n\n"))
        | SOURCE,
        max_size=4,
    ),
    st.sampled_from(_HEADS),
    st.sampled_from(_ENCODINGS),
    st.sampled_from(("\n", "\n", "\r\n", "\r", "")),
)
_PIECE = st.builds(
    lambda text, first, length: text[first : first + length],
    st.sampled_from((RICH, *BLOCKS)),
    st.integers(0, 2000),
    st.integers(1, 200),
)
_QUOTE = st.one_of(
    st.sampled_from(QUOTES),
    st.sampled_from(QUOTES),
    st.sampled_from(BLOCKS),
    _PIECE,
    SOURCE,
    TEXT,
)
_RICH_LINES = RICH.split("\n")
#: Claims about source of any kind, most of it none; and about source that is some,
#: which may be true.
HOSTILE = st.one_of(
    st.builds(
        Hostile,
        files=st.fixed_dictionaries(
            {"__init__.py": _FILE, "one.py": _FILE, "two.py": _FILE}
        ),
        claim=st.builds(
            claim_of,
            module=st.sampled_from(("hostile.one",) * 30 + MODULES),
            qualname=st.sampled_from(
                (*QUALNAMES, *QUALNAMES, "x.y", "\ud800", "(", " ")
            ),
            quote=_QUOTE | st.lists(_QUOTE, max_size=3).map("\n".join),
            prose=st.booleans(),
        ),
    ),
    st.builds(
        lambda block, more, claim: Hostile(
            files={
                "__init__.py": block.encode(),
                "one.py": f"{RICH}{more}".encode(),
                "two.py": more.encode(),
            },
            claim=claim,
        ),
        st.sampled_from(_SOUND),
        st.sampled_from(_SOUND),
        st.builds(
            claim_of,
            module=st.sampled_from(("hostile.one", "hostile.one", "hostile")),
            qualname=st.just("") | st.sampled_from(QUALNAMES),
            quote=st.sampled_from(QUOTES)
            | st.builds(
                lambda at, size: "\n".join(_RICH_LINES[at : at + size]),
                st.integers(0, 120),
                st.integers(1, 9),
            )
            | _PIECE,
            prose=st.booleans(),
        ),
    ),
)


class Shelf:
    """A folder on the path with the package ``hostile``, whose files are written again and again."""

    def __init__(self, root: Path) -> None:
        """Make the folder, and what never changes in it."""
        self._root = root / "shelf"
        (self._root / "hostile" / "folder" / "inner").mkdir(parents=True)
        for name in ("__init__.py", "one.py", "two.py", "data.so"):
            (self._root / "hostile" / name).touch()
        self._records = root / "records"
        self._records.mkdir()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Put the folder on the path."""
        sys.path.insert(0, str(self._root))
        try:
            yield
        finally:
            sys.path.remove(str(self._root))

    def _write(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self._root / "hostile" / name
            path.write_bytes(content)
            now = next(
                _FRESH
            )  # two files of one size, written one right after the other, may have one time
            os.utime(path, ns=(now, now))

    def examine(self, hostile: Hostile) -> Found | Lost:
        """Look for a claim's quote, and for what names mean, in hostile source."""
        self._write(hostile.files)
        names = packages.Sources()
        for name in hostile.names:
            for follow in (names.canonical, names.aliases, names.lineage):
                follow(name)
        return self.recall(hostile.claim, names)

    def recall(self, claim: Evidence, names: packages.Sources) -> Found | Lost:
        """Look for a quote, also by way of the record of what was found."""
        found = verify(claim, names)
        for _time in range(2):
            verified = EvidenceCache(self._records, names, "1.0")
            remembered = verified.of(claim)
            if remembered != found:
                raise FuzzError(f"{claim}: remembered as {remembered}, found {found}")
            verified.messages(claim)
            verified.save()
        return found

    def seeds(self) -> None:
        """Look for what random claims seldom are."""
        names = {
            "__init__.py": b"from .one import *\nfrom .two import Base as Model\n",
            "two.py": RICH.encode(),
        }
        follow = {**names, "one.py": b"from .two import Child, Model, first\n"}
        own = {**names, "one.py": RICH.encode()}
        self._write(own)
        for quote, qualname, prose in itertools.product(
            QUOTES, ("", "first", "Model", "branch"), (False, True)
        ):
            claim = claim_of("hostile.one", qualname, quote, prose=prose)
            call_evidence(quote, "", self._root)
            verify(claim, _SOURCES)
        self._write(follow)
        for module, qualname in itertools.product(
            ("hostile", "hostile.one", *MODULES), QUALNAMES
        ):
            self.recall(claim_of(module, qualname, "pass"), _SOURCES)
        for name in (
            "hostile.data.X",
            "sys.path",
            "hostile.folder.X",
            "hostile.folder.inner.X",
            "hostile.folder.inner.X.y",
        ):
            packages.Sources().canonical(name)
        self._write(
            {
                "__init__.py": b"from .two import two\n",
                "two.py": b"class two:\n    x = 1\ny = 2\n",
            }
        )
        for name in (
            "hostile.two",
            "hostile.two.x",
            "hostile.two.y",
            "hostile.two.two.x",
        ):
            packages.Sources().canonical(name)
        again = {
            "__init__.py": b"from .one import Model as M, gone, ring\n",
            "one.py": b"from .two import Model, gone, ring, y\n",
            "two.py": f"from .one import ring\n{RICH}".encode(),
        }
        self._write(again)
        for module, qualname in itertools.product(
            ("hostile", "hostile.one.Model", "hostile.M"),
            ("", "M.nope", "gone", "ring", "Mm", "nope"),
        ):
            self.recall(claim_of(module, qualname, "pass"), packages.Sources())
        assigned = claim_of("hostile.one", "y", "x, (y, *z) = 1, (2, 3)")
        assert isinstance(self.recall(assigned, packages.Sources()), Found)
        for line in TALK:
            self._write(
                {"one.py": f"def f(x, e):\n    message = 'a b'\n    {line}\n".encode()}
            )
            for prose in (False, True):
                names = packages.Sources()
                self.recall(claim_of("hostile.one", "", line, prose=prose), names)
        for source, quote in DRIFTED:
            self._write({"one.py": source.encode()})
            self.recall(claim_of("hostile.one", "", quote), packages.Sources())
        for block in BLOCKS:
            made = {"one.py": block.encode(errors="replace")}
            self.examine(Hostile(files=made, claim=claim_of("hostile.one", "", block)))
        self._records_seeds(own)
        self._vanishing(own)

    def _records_seeds(self, files: dict[str, bytes]) -> None:
        """Read records that somebody else has written."""
        claim = claim_of("hostile.one", "", "pass")
        self.examine(Hostile(files=files, claim=claim))
        kept = json.loads((self._records / FILENAME).read_text(encoding="utf-8"))
        [(key, entry)] = kept["quotes"].items()
        entries: list[dict[str, object]] = [
            {},
            {**entry, "states": None},
            {**entry, "states": {"hostile.one": ["", 0, 0]}},
        ]
        records = [
            "",
            "{",
            "[]",
            "1",
            "null",
            '{"quotes": {}}',
            json.dumps({**kept, "quotes": []}),
            "\ud800",
        ]
        for record in (
            *records,
            *(json.dumps({**kept, "quotes": {key: it}}) for it in entries),
        ):
            (self._records / FILENAME).write_text(
                record, encoding="utf-8", errors="replace"
            )
            EvidenceCache(self._records, _SOURCES, "1.0").of(claim)

    def _vanishing(self, files: dict[str, bytes]) -> None:
        """Look into files that go away, cannot be read, or lose what was found in them, while they are looked into."""
        path = self._root / "hostile" / "gone.py"
        claim = claim_of("hostile.gone", "Child.merge", "pass")
        for left in (None, b"", b"class Child: pass\n"):
            path.write_bytes(files["one.py"])
            names = packages.Sources()
            names.lineage("hostile.gone.Child.merge")
            if left is None:
                path.unlink()
            else:
                path.write_bytes(left)
            names.lineage("hostile.gone.Child.nested")
            names.canonical("hostile.gone.Model")
            verify(claim, names)
        with _finder(path):
            packages.Sources().canonical("only_here.Model")
        path.unlink()
        if Path(
            "/proc/self/mem"
        ).exists():  # a file that nobody can read from its beginning
            path.symlink_to("/proc/self/mem")
            verify(claim, packages.Sources())


@contextmanager
def _finder(path: Path) -> Iterator[None]:
    """Let Python find the module ``only_here`` as an editable install would."""

    class Finder:
        @staticmethod
        def find_spec(name: str, _path: object, _target: object) -> ModuleSpec | None:
            return spec_from_file_location(name, path) if name == "only_here" else None

    sys.meta_path.append(Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(Finder)


def judge(claim: Evidence, expected: bool | None) -> None:  # noqa: FBT001 - a third value means that either may be
    """Look for a quote from real source; what is there is found, and what is not is lost."""
    result = verify(claim, _SOURCES)
    if expected is not None and isinstance(result, Found) is not expected:
        raise FuzzError(f"{claim.module}:{claim.qualname}: {claim.quote!r} is {result}")
    if isinstance(result, Found):
        text = result.path.read_text("utf-8").split("\n")
        if not 1 <= result.line <= result.end_line <= len(text):
            raise FuzzError(f"{claim}: {result}")


#: Quotes of real and of other source, as directives.
QUOTING = st.builds(
    Written,
    directive=st.just("evidence"),
    name=st.builds(
        "{}:{}".format,
        st.sampled_from(("textwrap", "textwrap", "json.decoder", *MODULES)),
        st.sampled_from(QUALNAMES),
    )
    | st.sampled_from(
        (
            "",
            "textwrap:dedent",
            "~textwrap : dedent",
            "textwrap",
            ":",
            "a:b:c",
            "textwrap:f.<locals>.g",
        )
    )
    | (NAME | LINE).map(one_line),
    options=st.lists(
        st.tuples(
            st.sampled_from(("text", "class", "name", "language")),
            LINE | st.sampled_from(("", "yes", "no")),
        ),
        max_size=2,
        unique_by=lambda option: option[0],
    ).map(tuple),
    body=st.sampled_from(("return text", "Remove any common leading whitespace"))
    | _QUOTE
    | LINE,
)
#: Any directive of ours.
DIRECTIVES = st.one_of(WRITTEN, WRITTEN, WRITTEN, QUOTING, ASKED)

# -- whole builds ---------------------------------------------------------------------

_CONF = """\
extensions = ["myst_parser", "sphinxext_heuristics.graph", "sphinxext_heuristics.releases"]
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
   sub/guide

.. py:module:: demo

.. py:class:: demo.Model
   :canonical: demo.inner.Model

   A model.

   .. py:method:: merge()
                  unload()

.. py:class:: demo.Other

   .. py:method:: merge()

.. py:function:: demo.hidden()
   :no-index:
"""

_HOSTILE_VALUE = st.one_of(
    TEXT,
    LINE,
    st.sampled_from(
        (
            None,
            True,
            -1,
            0,
            2**70,
            1.5,
            b"x",
            (),
            [],
            ["x"],
            [1],
            {},
            {"a": "b"},
            {"a": 1},
            {1: "a"},
            {"": ""},
        )
    ),
    st.sampled_from(
        (
            object(),
            print,
            ["*"],
            ["[z-a]"],
            ["**/x", "first"],
            "\0",
            "../../x",
            "/x",
            ".",
            "a\0b",
            "\ud800",
            "x" * 999,
        )
    ),
)
_GOOD_VALUES: dict[str, tuple[object, ...]] = {
    "namespace": ("One", "a_very"),
    "package": ("demo", "textwrap", "docutils", "no such"),
    "dir": (None, ".", "sub"),
    "categories": ({"Speed": "Fast <b>", "|": "#"},),
    "index_file": (
        "index.md",
        "first.rst",
        "no/_Index.md",
        "sub",
        "../../../_Index.md",
    ),
    "index_title": ("Title #", "#", None),
    "placement": ("top", "bottom"),
    "max_shown": (0, 1),
    "inherited": ("link", "none"),
    "exclude": (["first"],),
    "reach_file": ("reach.txt", "first.rst"),
    "source_url": (
        "https://example.org/{version}/{path}#L{line}",
        "{module!r:>9}",
        "{line:s}",
        "{line:d}",
        "{",
        "{x}",
        "{path.y}",
    ),
}
#: Values of some of the options, allowed or not.
CONFIGURED = st.fixed_dictionaries(
    {},
    optional={
        f"heuristics_{name}": st.sampled_from(good)
        | st.sampled_from(good)
        | _HOSTILE_VALUE
        for name, good in _GOOD_VALUES.items()
    },
)


@dataclass(slots=True)
class Site:
    """One Sphinx application that builds page after page of directives."""

    root: Path
    buildername: str = "text"
    #: How many directives were built.
    cases: int = 0
    app: SphinxTestApp = field(init=False)
    _register: tuple[dict[str, Any], dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Write the pages that stay, and start Sphinx."""
        (self.root / "conf.py").write_text(_CONF, encoding="utf-8")
        (self.root / "index.rst").write_text(_API, encoding="utf-8")
        (self.root / "guide.md").write_text("# Guide\n\nText.\n", encoding="utf-8")
        (self.root / "sub").mkdir()
        (self.root / "sub" / "guide.rst").write_text(
            "Other\n=====\n\n.. _Part-One:\n\nPart\n----\n", encoding="utf-8"
        )
        self._write([])
        with docutils_namespace():
            self.app = SphinxTestApp(self.buildername, srcdir=self.root)
            self._register = registered()

    def _write(self, written: Sequence[Written]) -> dict[str, list[int]]:
        """Write a page of each syntax; return for each the line of each directive."""
        lines = {}
        for name, texts in (
            ("first.rst", [w.rst() for w in written]),
            ("second.md", [w.myst() for w in written]),
        ):
            head = "First\n=====\n\n" if name == "first.rst" else "# Second\n\n"
            tail = (
                ".. heuristic-index::\n"
                if name == "first.rst"
                else "```{heuristic-index}\n:missing:\n```\n"
            )
            above = list(itertools.accumulate(texts, initial=head))
            (self.root / name).write_bytes(
                (above[-1] + tail).encode("utf-8", errors="replace")
            )
            lines[name.partition(".")[0]] = [
                line_after(text, name) for text in above[:-1]
            ]
        return lines

    def build(
        self, written: Iterable[Written], configured: Mapping[str, object] | None = None
    ) -> tuple[HeuristicDomain, str]:
        """Build a page of each syntax with these directives, each of which must be shown or told of."""
        every = list(written)
        lines = self._write(every)
        for option in config.OPTIONS:
            setattr(
                self.app.config,
                option.name,
                (configured or {}).get(option.name, option.default),
            )
        self.app.warning.truncate(0)
        self.app.warning.seek(0)
        # Another application that was built meanwhile has taken the log.
        logging.setup(self.app, self.app.status, self.app.warning)
        with warnings.catch_warnings(), docutils_namespace():
            for register, own in zip(registered(), self._register, strict=True):
                register.update(own)
            # MyST asks Sphinx for the application by its old name.
            warnings.filterwarnings(
                "ignore", category=PendingDeprecationWarning, module=r"myst_parser\."
            )
            warnings.filterwarnings(
                "ignore", category=DeprecationWarning, module=r"myst_parser\."
            )
            self.app.build(force_all=True)
        self.cases += 2 * len(every)  # one in each syntax
        told = self.app.warning.getvalue()
        domain = HeuristicDomain.of(self.app.env)
        for option in config.OPTIONS:
            if (
                not option.accepts(getattr(self.app.config, option.name))
                and f" {option.name} = " not in told
            ):
                raise FuzzError(f"{option.name} is refused in silence")
        for docname, expected in lines.items():
            self._check(docname, list(zip(every, expected, strict=True)), domain, told)
        return domain, told

    def _check(
        self,
        docname: str,
        expected: list[tuple[Written, int]],
        domain: HeuristicDomain,
        told: str,
    ) -> None:
        page = domain.pages[docname]
        read = {"heuristic": page.heuristics, "evidence": page.evidence}
        for one, line in expected:
            is_read = line in {
                record.line for record in read.get(one.directive, page.queries)
            }
            # An option's name of two words is none to docutils, which says so.
            if (
                not is_read
                and f"{domain.env.doc2path(docname)}:{line}: ERROR: " not in told
            ):
                raise FuzzError(f"{docname}:{line}: {one} was not read there")
        for record in page.heuristics:
            stands = domain.plan.heuristics.get(
                record.name
            ) is record or domain.plan.catalogue.is_repeated(record)
            if not stands and not is_told(record, told):
                raise FuzzError(
                    f"{docname}:{record.line}: {record.name!r} is lost in silence"
                )
        inner = {id(quote) for record in page.heuristics for quote in record.evidence}
        for quote in page.evidence:
            found = isinstance(domain.plan.lookups.verify(quote), Found)
            if not found and id(quote) not in inner and not is_told(quote, told):
                raise FuzzError(f"{docname}:{quote.line}: {quote} is lost in silence")
        for role in page.roles:
            if domain.plan.settings.strip(
                role.target.strip()
            ) not in domain.plan.heuristics and not is_told(role, told):
                raise FuzzError(f"{docname}:{role.line}: {role} is lost in silence")
        anchors = [record.anchor for record in page.heuristics]
        if len(set(anchors)) != len(anchors):
            raise FuzzError(f"{docname}: anchors collide: {anchors}")

    def close(self) -> None:
        """Give back what the application took."""
        self.app.cleanup()


def registered() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return docutils' directives and roles, of which there is one register for all applications."""
    return rst_directives._directives, rst_roles._roles  # type: ignore[attr-defined] # noqa: SLF001 - as Sphinx does


def line_after(text: str, name: str) -> int:
    """Return the number of the line after *text*, as the file's parser counts."""
    text = re.sub("\r\n?", "\n", text)
    # docutils takes for a line end what Python does, but for two
    return 1 + (
        text.count("\n")
        if name.endswith(".md")
        else len(re.sub("[\v\f]", " ", text).splitlines())
    )


def is_told(record: Heuristic | Evidence | RoleUse, told: str) -> bool:
    """Return whether there is a warning at a record's file and line, or at those of an option that is wrong."""
    problems = getattr(record, "problems", ())
    return any(
        f"{place.source}:{place.line}: WARNING: " in told
        for place in (record, *problems)
    )


_ONE = Written(name="One", options=(("impl", "demo.Model"),), body="A note.")
_GONE = Written(
    name="Gone", options=(("impl", "demo.Model"), ("until", "0.1"), ("note", "x"))
)
_PLACED = Written(directive="evidence", name="textwrap:dedent", body="return text")
_PUBLISHED = Written(
    directive="evidence", name="packaging.version:parse", body="return Version(version)"
)
#: What is built first: directives and values that random ones seldom are.
SITES: tuple[tuple[tuple[Written, ...], dict[str, object]], ...] = (
    (
        (_ONE, _PLACED),
        {"heuristics_index_file": "_Index.md", "heuristics_package": "docutils"},
    ),
    (
        (_ONE, _GONE),
        {"heuristics_index_file": "index.rst", "heuristics_package": "docutils"},
    ),
    ((_ONE,), {"heuristics_index_file": "sub", "heuristics_exclude": ["[z-a]"]}),
    (
        (_ONE,),
        {
            "heuristics_index_file": "../../../_Index.md",
            "heuristics_source_url": "{",
            "heuristics_dir": 1,
        },
    ),
    (
        (_GONE,),
        {
            "heuristics_namespace": "Go",
            "heuristics_source_url": "{x}",
            "heuristics_categories": {"a": "b"},
        },
    ),
    ((_PUBLISHED,), {"heuristics_source_url": "{line:s}"}),
    (
        (
            Written(
                name="Nothing",
                options=(("impl", "?, a b"), ("name", "x"), ("class", "1")),
                body="x",
            ),
        ),
        {},
    ),
    (
        (_PUBLISHED,),
        {"heuristics_source_url": "https://example.org/{version}/{path}#{line:>9}"},
    ),
    ((Written(name="Two", options=(("note", "x"),), body="   y", apart=False),), {}),
    (tuple(Written(directive=name, name="x", body="y") for name in _ASKING), {}),
    (tuple(Written(directive=name, name="") for name in _ASKING), {}),
    (
        (
            Written(
                name="Late", options=(("since", "2"), ("until", "1")), body=":titel: x"
            ),
        ),
        {},
    ),
    ((_GONE,), {"heuristics_package": "nowhere", "heuristics_exclude": [1]}),
    ((Written(name="", body=":heuristic:`One` and :heuristic:`no <>`"),), {}),
)
