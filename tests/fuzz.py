"""Hostile and random input, and what is asked of all that reads it.

The pieces that it is made of are in ``fuzz.txt``.
"""

from __future__ import annotations

import ast
import itertools
import os
import pickle
import re
import textwrap
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword, issoftkeyword
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import Project, sections
from docutils import nodes
from hypothesis import strategies as st
from sphinx import addnodes

from sphinxext_heuristics._core import config, versions
from sphinxext_heuristics._core.diagnostics import closest
from sphinxext_heuristics._core.evidence import messages
from sphinxext_heuristics._core.evidence import remembered as looked
from sphinxext_heuristics._core.evidence.prose import missing_comment
from sphinxext_heuristics._core.evidence.search import parsed, verify
from sphinxext_heuristics._core.evidence.source import Source
from sphinxext_heuristics._core.files import project_file
from sphinxext_heuristics._core.integration import conf_py
from sphinxext_heuristics._core.model import (
    CONNECTION_TYPES,
    SEVERITIES,
    Entry,
    Evidence,
    Found,
    Lost,
)
from sphinxext_heuristics._core.read import heuristic as read_heuristic
from sphinxext_heuristics._core.resolve.objects import Objects
from sphinxext_heuristics._core.resolve.pages import toctree_order
from sphinxext_heuristics._core.source import names as source_names
from sphinxext_heuristics._core.source import packages
from sphinxext_heuristics._core.source.answers import Answers

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence
    from random import Random

    from sphinxext_heuristics._core.integration.domain import HeuristicDomain
    from sphinxext_heuristics._core.model import Heuristic, RoleUse
    from sphinxext_heuristics._core.source.answers import Remembered


class FuzzError(AssertionError):
    """Something was lost in silence, or is not what it should be."""


def claim_of(
    module: str, qualname: str, quote: str, *, prose: bool = False
) -> Evidence:
    """Return the record of a directive that quotes."""
    return Evidence(
        module=module, qualname=qualname, quote=quote, prose=prose, source="", line=1
    )


# -- what is generated ----------------------------------------------------------------

_TEXTS = sections(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))


def pieces(name: str) -> tuple[str, ...]:
    """Return the pieces of a kind, lines or what lines of %% set apart."""
    text = _TEXTS[name].rstrip("\n")
    return tuple(text.split("\n%%\n" if "\n%%\n" in text else "\n"))


#: Pieces that mean something somewhere.
PIECES = (
    *",;:.?!~*_`'\"<>()[]{}|\\/#&@$%^-+= \téİß漢🙂𝒳\x7f\x85\xa0",
    *"\N{LINE SEPARATOR}\N{RIGHT-TO-LEFT OVERRIDE}\N{RIGHT-TO-LEFT ISOLATE}\u200f",
    "\x1b[31m",
    "9" * 30,
    *pieces("pieces"),
)
#: A module with each kind of statement, parameter, string and layout that the readers
#: tell apart.
RICH = _TEXTS["a module with every kind of statement"]
#: Ways to tell a user something.
TALK = (
    *pieces("ways to tell"),
    *(f"raise E('x'{more * 900})" for more in (" % 1", " + y")),
)
#: What stands where in a hostile module, and may be quoted from it.
BLOCKS = (
    *TALK,
    *pieces("blocks"),
    RICH,
    *RICH.split("\n\n\n"),
    *("\x0c", "\t", "\\", "\ufeff", "\0", "\r", "\x85", "\ud800", "x = 1\n\tif y:"),
    *("(" * 40, "[" * 120 + "]" * 120, f"x = {'-' * 3000}1"),
)
#: Quotes that are read in every way there is, and pieces of them.
QUOTES = (*TALK, *pieces("quotes"), "", "\n")
#: Where quotes are said to be; the first three are the hostile modules.
MODULES, QUALNAMES = pieces("modules"), pieces("qualified names")

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
SOURCE = st.lists(
    st.sampled_from((*pieces("lines of source"), "\tpass", "\0"))
    | st.text(max_size=10),
    max_size=12,
).map("\n".join)


def inline_of(
    leaves: st.SearchStrategy[nodes.Node],
) -> st.SearchStrategy[list[nodes.Node]]:
    """Return inline markup of any depth."""
    around = (nodes.emphasis, nodes.strong, nodes.literal, nodes.inline, nodes.math)
    nested = st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda cls, children: cls("", "", *children),
            st.sampled_from((*around, nodes.superscript, nodes.problematic)),
            st.lists(inner, max_size=3),
        ),
        max_leaves=6,
    )
    return st.lists(nested, max_size=5)


INLINE = inline_of(st.builds(nodes.Text, LINE))
#: Inline markup with links and what belongs to its page alone.
LINKED = inline_of(
    st.one_of(
        st.builds(nodes.Text, TEXT),
        st.builds(
            lambda text, uri: nodes.reference("", text, refuri=uri),
            LINE,
            LINE | st.sampled_from(("https://example.org", "mailto:x")),
        ),
        st.builds(
            lambda text, kind: addnodes.pending_xref(
                "",
                nodes.inline("", text),
                reftarget=text,
                reftype=kind,
                refdomain="std",
            ),
            LINE | st.just("dead"),
            st.sampled_from(("doc", "ref")),
        ),
        st.builds(lambda text: nodes.reference("", text, refid="x", ids=["x"]), LINE),
        st.builds(lambda text: nodes.reference("", text, anonymous=1), LINE),
        st.builds(lambda text: nodes.image(alt=text), LINE),
        st.builds(lambda text: nodes.raw("", text, format="html"), LINE),
        st.builds(lambda text: nodes.footnote_reference("", text), LINE),
        st.builds(nodes.target),
        st.builds(nodes.image),
    )
)


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
        body = textwrap.indent(self.body, "   ")
        return "\n".join(
            [f".. {self.directive}:: {self.name}", *self._lines("   "), "", body, "\n"]
        )

    def myst(self) -> str:
        """Return it in Markdown; the fence is longer than any that the body can have."""
        fence = "~" * 60  # a name may hold backticks
        head = f"{fence}{{{self.directive}}} {self.name}"
        between = [""] * self.apart
        return "\n".join([head, *self._lines(), *between, self.body, fence, "\n"])

    def _lines(self, indent: str = "") -> Iterator[str]:
        return (f"{indent}:{name}: {one_line(value)}" for name, value in self.options)


def one_line(value: str) -> str:
    """Return a text without what any reader of lines takes for a line end."""
    return " ".join(value.splitlines())


def some_options(
    *kinds: st.SearchStrategy[tuple[str, str]],
) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Return several options, none of them twice."""
    several = st.lists(st.one_of(kinds), max_size=6, unique_by=lambda option: option[0])
    return several.map(tuple)


def option_of(
    names: Sequence[str], value: st.SearchStrategy[str]
) -> st.SearchStrategy[tuple[str, str]]:
    """Return one of some options with a value."""
    return st.tuples(st.sampled_from(names), value)


_CONNECTION = st.one_of(
    NAME,
    LINE,
    st.builds("{} <{}>".format, LINE, NAME),
    st.builds("?{}".format, NAME),
    st.builds("{}+".format, NAME),
)
_CONNECTIONS = st.lists(_CONNECTION, max_size=4).map(", ".join)
_TEXTUAL = ("title", "note", "category", "param", "except", "class", "name")
_VERSIONS = st.sampled_from(("0.1", "2", "x", "1.0rc1", "9" * 30))
#: Definitions, some with names that are none.
WRITTEN = st.builds(
    Written,
    name=st.sampled_from(("One", "Two_B", "Two-B", "two.b", "a_very_long_name" * 20))
    | LINE.map(one_line),
    options=some_options(
        option_of(tuple(CONNECTION_TYPES), _CONNECTIONS),
        option_of(_TEXTUAL, LINE),
        option_of(("since", "until"), _VERSIONS | LINE),
        option_of(("severity",), st.sampled_from(SEVERITIES) | LINE),
        option_of(("no-inject", "unknown", "titel", "evidence"), LINE),
    ),
    body=st.lists(LINE | st.sampled_from(pieces("parts of a body")), max_size=5).map(
        "\n".join
    ),
    apart=st.sampled_from((True, True, True, False)),
)

ASKING = (
    "heuristic-index",
    "heuristic-messages",
    "heuristic-releases",
    "heuristics-for",
)
#: Other directives of ours, with arguments, options and bodies that they do not take,
#: too.
ASKED = st.builds(
    Written,
    directive=st.sampled_from(ASKING),
    name=st.sampled_from(("", "", "demo.Model", "category:Speed, demo.Other", "?"))
    | LINE.map(one_line),
    options=some_options(
        option_of((*CONNECTION_TYPES, "category", "severity", "titel", "a #b"), LINE),
        option_of(("impl", "workflow"), st.sampled_from(("merge", "guide", "no # x"))),
        option_of(("layout", "missing"), st.sampled_from(("cards", "cads", "", "no"))),
        option_of(("category", "severity"), st.sampled_from(("Speed", "tip, tipp"))),
    ),
    body=st.just("") | LINE,
)

# -- functions ------------------------------------------------------------------------


def call(text: str, other: str, folder: Path) -> None:
    """Call what reads text and promises nothing else; nothing may be raised."""
    read_heuristic.anchor_of(text)
    list(read_heuristic.first_paragraph(text.splitlines(), [nodes.paragraph()]))
    closest(text, [other, text, "demo"])
    versions.holds(text, other, "1.0")
    versions.holds("0.1", "2", text)
    versions.is_empty_range(text, other)
    objects_of({other: ()}).excludes(text, [other])
    toctree_order(text, {text: [other, text], other: [text]}, [other])
    list(project_file.unified(text, other, "name"))
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8", errors="replace")
    source_names.read_names(source_names.State(path, next(_FRESH), 0), "package.module")
    conf_py.assignments(path)
    # a quote, also in the other text
    claim = claim_of("sphinxext_heuristics._core.versions", other, text)
    verify(claim, _SOURCES)
    messages.in_quote(claim)
    for source, prose in itertools.product((RICH, other), (False, True)):
        with suppress(ValueError):
            place = Source(source_names.File.of(source)).whole
            parsed(claim_of("", "", text, prose=prose)).find(place)
            missing_comment(text, place)


def objects_of(lineages: Mapping[str, tuple[str, ...]]) -> Objects:
    """Return documented objects, each with the names by which it is known."""
    entries = [
        Entry(names=(name,), lineage=lineage, anchor="")
        for name, lineage in lineages.items()
    ]
    return Objects(entries, {}, _NO_SOURCES)


_FRESH = itertools.count()
_SOURCES = packages.Sources()
_NO_SOURCES = packages.Sources([])

# -- evidence -------------------------------------------------------------------------

#: The real modules that quotes are taken from.
REAL = (
    *("textwrap", "json.decoder", "dataclasses", "contextlib", "shlex", "string"),
    "cmd",
    *(
        f"sphinxext_heuristics._core.{name}"
        for name in ("read.heuristic", "evidence.code", "notes.inline", "config")
    ),
)


@cache
def passages(module: str) -> list[tuple[str, str, ast.stmt]]:
    """Return the statements of a real module that are alone on their lines.

    With each are the innermost object that it is in, and what is written there.
    """
    at = _SOURCES.state(module)
    assert at is not None, module
    source = Source(source_names.read_file(at))
    lines = at.path.read_text("utf-8").split("\n")
    found = {}
    for name in source.definitions:
        for place in source.places(name):
            for node in ast.walk(place.tree):
                if isinstance(node, ast.stmt):
                    decorators = getattr(node, "decorator_list", [])
                    first = min(one.lineno for one in (node, *decorators))
                    text = "\n".join(lines[first - 1 : node.end_lineno])
                    found[node.lineno, node.col_offset] = (name, text, node)
    return [one for one in found.values() if _is_alone(*one[1:])]


def _is_alone(text: str, statement: ast.stmt) -> bool:
    """Return whether lines hold a statement and nothing else; none begins with ``elif``."""
    try:
        (only,) = ast.parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(only) == ast.dump(statement)


def quoted(random: Random) -> tuple[Evidence, bool | None]:
    """Return a claim that is derived from real source, and whether its quote is there; ``None``: it may be."""
    module = random.choice(REAL)
    qualname, text, statement = random.choice(passages(module))
    inside = list(ast.walk(statement))
    names = [
        node.id
        for node in inside
        if isinstance(node, ast.Name)
        and not (iskeyword(node.id) or issoftkeyword(node.id))
    ]
    said = [
        node.value.split()
        for node in inside
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.isprintable()
        and node.value.isascii()
    ]
    indented = textwrap.indent(text, random.choice(("", "    ")))
    # whole, by chance further indented, or in another layout
    quote: str = random.choice((f"\n{indented}\n\n", ast.unparse(statement)))
    expected: bool | None = True
    kind = random.choice(("whole", "renamed", "worded"))
    words = random.choice(said) if said else []
    if kind == "renamed" and names:
        name = random.choice(names)
        quote = re.sub(rf"\b{name}\b", "zzq9", text)
        expected = None if f"#{name}" in text else False
    elif kind == "worded" and len(words) > 1:
        first = random.randrange(len(words) - 1)
        some = words[first : first + random.randint(1, 20)]
        quote = random.choice((" ", "\n", "  \n")).join(some)
    else:
        kind = "whole"
    return claim_of(module, qualname, quote, prose=kind == "worded"), expected


def is_sound(block: str) -> bool:
    """Tell whether Python can parse a block."""
    try:
        ast.parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """Source that is no pleasure to read, and what is said to be in it."""

    #: Files of the package ``hostile``: its own, ``one`` and ``two``.
    files: tuple[bytes, bytes, bytes]
    claim: Evidence


def encoded(blocks: Sequence[str], head: str, encoding: str, end: str) -> bytes:
    """Return the bytes of a module."""
    text = head + "\n".join(blocks)
    return text.replace("\n", end).encode(encoding, errors="replace")


_HEADS = (
    "",
    "",
    "\ufeff",
    "#!x\n# coding: latin-1\n",
    "# coding: utf-16\n",
    "#coding:x\n",
)
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "latin-1", "cp1252", "utf-16", "utf-8-sig")
_FILE = st.builds(
    encoded,
    st.lists(st.sampled_from(BLOCKS) | SOURCE, max_size=4),
    st.sampled_from(_HEADS),
    st.sampled_from(_ENCODINGS),
    st.sampled_from(("\n", "\n", "\r\n", "\r")),
)
_SOUND = st.sampled_from([block.encode() for block in BLOCKS if is_sound(block)])
_PIECE = st.builds(
    lambda text, first, length: text[first : first + length],
    st.sampled_from(BLOCKS),
    st.integers(0, 2000),
    st.integers(1, 200),
)
_QUOTE = st.sampled_from(QUOTES) | st.sampled_from(BLOCKS) | _PIECE | SOURCE | TEXT
_QUALNAME = st.sampled_from((*QUALNAMES, *QUALNAMES, "x.y", "\ud800", "(", " "))
#: Claims about source of any kind, most of it none; and about source that is some,
#: which may be true.
HOSTILE = st.builds(
    Hostile,
    files=st.tuples(_FILE, _FILE, _FILE)
    | st.tuples(_SOUND, _SOUND.map(RICH.encode().__add__), _SOUND),
    claim=st.builds(
        claim_of,
        module=st.sampled_from(("hostile.one",) * 30 + MODULES),
        qualname=_QUALNAME,
        quote=_QUOTE | st.lists(_QUOTE, max_size=3).map("\n".join),
        prose=st.booleans(),
    ),
)


class Shelf:
    """A folder on the path with the package ``hostile``, whose files are written again and again."""

    def __init__(self, root: Path) -> None:
        """Make the folder, and what never changes in it."""
        self.root = root / "shelf"
        self._package = self.root / "hostile"
        (self._package / "folder" / "inner").mkdir(parents=True)
        (self._package / "data.so").touch()
        self._answers: Mapping[Hashable, Remembered] = {}

    def examine(self, hostile: Hostile) -> Found | Lost:
        """Look for a claim's quote, also by way of the record of what was found, and for what names mean."""
        for name, content in zip(
            ("__init__", "one", "two"), hostile.files, strict=True
        ):
            path = self._package / f"{name}.py"
            path.write_bytes(content)
            # two files of one size, written one right after the other, may have one time
            now = next(_FRESH)
            os.utime(path, ns=(now, now))
        claim, names = hostile.claim, packages.Sources()
        inside = (
            "Model.merge",
            "one.Child.merge",
            "two.Base.x",
            "one.E.merge",
            "one",
            "",
        )
        for name in (f"{claim.module}.{claim.qualname}", *inside):
            for follow in (names.canonical, names.aliases, names.lineage):
                follow(name)
                follow(f"hostile.{name}")
        found = verify(claim, names)
        for _time in range(2):
            answers = Answers(self._answers, names)
            remembered = looked.verify(answers, claim)
            if remembered != found:
                raise FuzzError(f"{claim}: remembered as {remembered}, found {found}")
            looked.messages(answers, claim)
            self._answers = pickle.loads(pickle.dumps(answers.now))  # noqa: S301 - our own
        return found


def judge(claim: Evidence, expected: bool | None) -> None:  # noqa: FBT001 - a third value means that either may be
    """Look for a quote from real source; what is there is found, and what is not is lost."""
    result = verify(claim, _SOURCES)
    if expected is not None and isinstance(result, Found) is not expected:
        raise FuzzError(f"{claim.module}:{claim.qualname}: {claim.quote!r} is {result}")
    if isinstance(result, Found):
        text = result.path.read_text("utf-8").split("\n")
        if not 1 <= result.line <= result.end_line <= len(text):
            raise FuzzError(f"{claim}: {result}")


_NAMED_CODE = st.builds(
    "{}:{}".format,
    st.sampled_from(("textwrap", "textwrap", "json.decoder", *MODULES)),
    st.sampled_from(QUALNAMES),
)
_NAMES_OF_CODE = ("", "textwrap:dedent", "~textwrap : dedent", "textwrap", ":", "a:b:c")
#: Quotes of real and of other source, as directives.
QUOTING = st.builds(
    Written,
    directive=st.just("evidence"),
    name=_NAMED_CODE | st.sampled_from(_NAMES_OF_CODE) | (NAME | LINE).map(one_line),
    options=some_options(
        option_of(
            ("text", "class", "name", "language"),
            LINE | st.sampled_from(("", "yes", "no")),
        )
    ),
    body=st.sampled_from(("return text", "Remove any common leading whitespace"))
    | _QUOTE
    | LINE,
)
#: Any directive of ours.
DIRECTIVES = st.one_of(WRITTEN, WRITTEN, WRITTEN, QUOTING, ASKED)

# -- whole builds ---------------------------------------------------------------------

_HOSTILE_VALUE = st.one_of(
    TEXT,
    LINE,
    st.sampled_from((None, True, -1, 2**70, 1.5, b"x", (), [], ["x"], [1], {})),
    st.sampled_from(({"a": "b"}, {"a": 1}, {1: "a"}, {"": ""}, object(), print)),
    st.sampled_from((["*"], ["[z-a]"], "\0", "../../x", "/x", "a\0b", "\ud800")),
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
    "placement": ("top", "bottom"),
    "max_shown": (0, 1),
    "inherited": ("link", "none"),
    "exclude": (["first"],),
    "reach_file": ("reach.txt", "first.rst"),
    "source_url": ("https://x/{version}/{path}#L{line}", "{module!r:>9}", "{line:d}"),
}
#: Values of some of the options, allowed or not.
CONFIGURED = st.fixed_dictionaries(
    {},
    optional={
        f"heuristics_{name}": st.sampled_from(good * 2) | _HOSTILE_VALUE
        for name, good in _GOOD_VALUES.items()
    },
)


#: What conf.py sets, and what it leaves here of each build.
CONFIGURATION: dict[str, object] = {}
DOMAINS: list[HeuristicDomain] = []


class Site:
    """A project that builds page after page of directives."""

    def __init__(self, root: Path) -> None:
        """Write the pages that stay."""
        names = ("conf.py", "index.rst", "guide.md", "sub/guide.rst")
        self.project = Project(root, {name: _TEXTS[name] for name in names})

    def _write(self, written: Sequence[Written]) -> dict[str, list[int]]:
        """Write a page of each syntax; return for each the line of each directive."""
        rst = ["First\n=====\n\n", *(one.rst() for one in written)]
        myst = ["# Second\n\n", *(one.myst() for one in written)]
        lines = {}
        for name, texts, index in (
            ("first.rst", rst, ".. heuristic-index::\n"),
            ("second.md", myst, "```{heuristic-index}\n:missing:\n```\n"),
        ):
            page = "".join([*texts, index]).encode("utf-8", errors="replace")
            (self.project.src / name).write_bytes(page)
            above = itertools.accumulate(texts[:-1])
            lines[name] = [line_after(text, name) for text in above]
        return lines

    def build(
        self, written: Sequence[Written], configured: Mapping[str, object]
    ) -> tuple[HeuristicDomain, str]:
        """Build a page of each syntax with these directives, each of which must be shown or told of."""
        lines = self._write(written)
        CONFIGURATION.clear()
        CONFIGURATION.update(configured)
        built = self.project.build("text", "-E")
        told = built.stderr.replace("<src>", str(self.project.src))
        if built.status:
            raise FuzzError(told)
        for option in config.OPTIONS:
            value = configured.get(option.name, option.default)
            if not option.accepts(value) and f" {option.name} = " not in told:
                raise FuzzError(f"{option.name} is refused in silence")
        domain = DOMAINS.pop()
        for name, expected in lines.items():
            for one, line in zip(written, expected, strict=True):
                require_read(one, name, line, domain, told)
            require_told(name.partition(".")[0], domain, told)
        return domain, told


def require_read(
    one: Written, name: str, line: int, domain: HeuristicDomain, told: str
) -> None:
    """Require that a directive was read at its line, or that docutils refused it there."""
    page = domain.pages[name.partition(".")[0]]
    read = {"heuristic": page.heuristics, "evidence": page.evidence}
    lines = {record.line for record in read.get(one.directive, page.queries)}
    # An option's name of two words is none to docutils, which says so.
    if line not in lines and f"{name}:{line}: ERROR: " not in told:
        raise FuzzError(f"{name}:{line}: {one} was not read there")


def require_told(docname: str, domain: HeuristicDomain, told: str) -> None:
    """Require that all that a page has is in effect, or that a warning says why not."""
    page, plan = domain.pages[docname], domain.plan
    lost: list[Heuristic | Evidence | RoleUse] = [
        record
        for record in page.heuristics
        if plan.catalogue.heuristics.get(record.name) is not record
        and not plan.catalogue.is_repeated(record)
    ]
    inner = {id(quote) for record in page.heuristics for quote in record.evidence}
    lost += [
        quote
        for quote in page.evidence
        if id(quote) not in inner and not isinstance(plan.quotes.verify(quote), Found)
    ]
    lost += [
        role
        for role in page.roles
        if plan.catalogue.settings.strip(role.target.strip())
        not in plan.catalogue.heuristics
    ]
    for record in lost:
        places = (record, *getattr(record, "problems", ()))
        warned = [f"{place.source}:{place.line}: WARNING: " for place in places]
        if not any(one in told for one in warned):
            raise FuzzError(f"{docname}:{record.line}: {record} is lost in silence")
    anchors = [record.anchor for record in page.heuristics]
    if len(set(anchors)) != len(anchors):
        raise FuzzError(f"{docname}: anchors collide: {anchors}")


def line_after(text: str, name: str) -> int:
    """Return the number of the line after *text*, as the file's parser counts."""
    text = re.sub("\r\n?", "\n", text)
    if name.endswith(".md"):
        return 1 + text.count("\n")
    # docutils takes for a line end what Python does, but for two
    return 1 + len(re.sub("[\v\f]", " ", text).splitlines())


#: What random directives seldom are; built at once.
SELDOM = (
    Written(name="One", options=(("impl", "demo.Model"),), body="A note."),
    Written(name="Gone", options=(("impl", "demo.Model"), ("until", "0.1"))),
    Written(name="Nothing", options=(("impl", "?, a b"), ("class", "1")), body="x"),
    Written(name="Two", options=(("note", "x"),), body="   y", apart=False),
    Written(name="Late", options=(("since", "2"), ("until", "1")), body=":titel: x"),
    Written(name="", body=":heuristic:`One` and :heuristic:`no <>`"),
    Written(directive="evidence", name="textwrap:dedent", body="return text"),
    *(Written(directive=name, name="x", body="y") for name in ASKING),
    *(Written(directive=name, name="") for name in ASKING),
)
