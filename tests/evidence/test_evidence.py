from __future__ import annotations

import ast
import difflib
import io
import itertools
import json
import keyword
import os
import pickle
import re
import subprocess
import sys
import textwrap
import time
import tokenize
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sphinxext_heuristics._core import evidence
from sphinxext_heuristics._core.evidence import search
from sphinxext_heuristics._core.evidence.prose import missing_comment
from sphinxext_heuristics._core.evidence.search import parsed, verify
from sphinxext_heuristics._core.evidence.source import Source
from sphinxext_heuristics._core.model import Evidence, Found, Lost, LostReason
from sphinxext_heuristics._core.source.names import File
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics._core.evidence.source import Extent
    from sphinxext_heuristics._core.source.names import State


def claim_of(
    module: str, qualname: str, quote: str, *, prose: bool = False
) -> Evidence:
    return Evidence(
        module=module, qualname=qualname, quote=quote, prose=prose, source="", line=1
    )


#: What the heuristics of this site quote from PEFT, and where it was when they were
#: written.
QUOTES = json.loads(Path(__file__).with_name("evidence_quotes.json").read_text("utf-8"))
CLAIMS = [
    claim_of(quote["module"], quote["qualname"], quote["quote"], prose=quote["prose"])
    for quote in QUOTES
]
NAMES = [f"{number}-{claim.qualname}" for number, claim in enumerate(CLAIMS, 1)]
every_quote = pytest.mark.parametrize(
    "claim",
    [
        pytest.param(claim, id=name, marks=[pytest.mark.slow] * (number >= 20))
        for number, (claim, name) in enumerate(zip(CLAIMS, NAMES, strict=True))
    ],
)


def source_of(text: str) -> Source:
    """Read the text of a module; raise `ValueError` if it does not parse."""
    return Source(File.of(text))


def found_in(
    text: str, qualname: str, quote: str, *, prose: bool = False
) -> tuple[int, int] | None:
    """Look for a quote in the text of a module; raise `ValueError` if it does not parse."""
    places = source_of(textwrap.dedent(text)).places(qualname)
    assert places, qualname
    wanted = parsed(claim_of("", qualname, quote, prose=prose))
    spans = (
        span
        for place in places
        if (span := wanted.find(place)) and (prose or not missing_comment(quote, place))
    )
    return next(spans, None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def check(
    module: str, qualname: str, quote: str, *, prose: bool = False
) -> Found | Lost:
    return verify(claim_of(module, qualname, quote, prose=prose), Sources())


@pytest.mark.parametrize(
    "written",
    [
        "del a.first, a.second",
        "del (a.first, a.second)",
        "del (\n    a.first,\n    a.second,\n)",
    ],
)
def test_parentheses_around_what_is_deleted_do_not_matter(written: str) -> None:
    source = "def f(a):\n" + textwrap.indent(written, "    ")
    assert found_in(source, "f", "del a.first, a.second")
    assert found_in(source, "f", "del (a.first, a.second)")
    assert not found_in(source, "f", "del a.first, a.third")


@pytest.mark.parametrize(
    ("quote", "is_there"),
    [
        (r"It's a \"quoted\" thing", True),
        ('It\'s a "quoted" thing', True),
        (r'It\'s a "quoted" thing', True),
        (r"thing\nnext line", True),
        (r"C:\\temp", True),
        (r"C:\temp is", False),
        (r"a \"quoted\" word", False),
    ],
)
def test_words_of_a_string_may_be_spelled_as_in_its_source(
    quote: str,
    is_there: bool,  # noqa: FBT001 - of a table
) -> None:
    source = (
        'raise ValueError("It\'s a \\"quoted\\" thing\\nnext line in C:\\\\temp")\n'
    )
    assert bool(found_in(source, "", quote, prose=True)) is is_there


LISTING = """
def f(self, names):
    for (
        module_name,
        parameter_value,
    ) in self.model_parameters():
        pass
    for (active) in names:
        pass
    with (
        open(p) as f,
        open(q) as g,
    ):
        pass
    return [k for (k, v) in names]


from accelerate.utils import (
    is_npu_available,
    is_xpu_available,
)
"""


@pytest.mark.parametrize(
    ("quote", "is_there"),
    [
        ("for module_name, parameter_value in self.model_parameters():", True),
        ("for module_name, other in self.model_parameters():", False),
        ("for active in names:", True),
        ("with open(p) as f, open(q) as g:", True),
        ("with open(p) as f:", False),
        ("[k for k, v in names]", True),
        ("k for k, v in names", False),
        ("from accelerate.utils import is_npu_available, is_xpu_available", True),
        ("from accelerate.utils import is_xpu_available", False),
    ],
)
def test_lists_may_have_parentheses(quote: str, is_there: bool) -> None:  # noqa: FBT001 - of a table
    assert bool(found_in(LISTING, "", quote)) is is_there


@pytest.mark.parametrize("name", ["Tensor", "Thing.use", "exit"])
def test_what_comes_from_where_nothing_can_be_read_is_not_in_the_module(
    project: Path, name: str
) -> None:
    (project / "taking").mkdir()
    (project / "taking/__init__.py").write_text(
        "from not_installed import Tensor\nfrom .gone import Thing\nfrom sys import exit\n"
    )
    result = check("taking", name, "x")
    assert isinstance(result, Lost)
    assert result.message.startswith(f"module 'taking' has no '{name}'")
    assert f"did you mean '{name}'" not in result.message
    assert result.reason is LostReason.NO_OBJECT


# What is quoted from PEFT


@pytest.mark.parametrize(
    ("claim", "lines"),
    list(zip(CLAIMS, (quote["lines"] for quote in QUOTES), strict=True)),
    ids=NAMES,
)
def test_a_quote_stands_in_the_installed_peft(
    claim: Evidence, lines: list[int]
) -> None:
    result = verify(claim, Sources())
    assert isinstance(result, Found), result
    size = lines[1] - lines[0]
    # Literals side by side are at the first of them.
    more = 4 if claim.prose else 0
    whole = result.path.read_text("utf-8").split("\n")[
        result.line - 1 : result.line + size + more
    ]
    assert result.end_line - result.line in {size, 0 if claim.prose else size}
    words = claim.quote.split()
    assert words[0] in "\n".join(whole[: 1 + more])
    assert words[-1] in "\n".join(whole[size:])


def test_nothing_is_imported_for_it() -> None:
    script = f"""
import json, sys
from sphinxext_heuristics._core.evidence.search import verify
from sphinxext_heuristics._core.model import Found
from sphinxext_heuristics._core.model import Evidence
from sphinxext_heuristics._core.source.packages import Sources
before = set(sys.modules)
sources = Sources()
quotes = json.load(open({str(Path(__file__).with_name("evidence_quotes.json"))!r}, encoding="utf-8"))
for quote in quotes:
    quote.pop("lines")
    assert isinstance(verify(Evidence(**quote, source="", line=1), sources), Found), quote
assert not {{"torch", "peft", "transformers"}} & set(sys.modules)
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names))
"""
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def place_of(claim: Evidence) -> Extent:
    """Return the definition that holds a quote, that of a whole module being the function around it."""
    result = verify(claim, Sources())
    assert isinstance(result, Found)
    source = source_of(result.path.read_text("utf-8"))
    names = [result.qualname] if result.qualname else source.definitions
    places = [place for name in names for place in source.places(name)]
    holding = [place for place in places if parsed(claim).find(place)]
    return min(holding, key=lambda place: len(place.text))


class Alone(NamedTuple):
    """An object's source as a module of its own."""

    name: str
    text: str


def alone(claim: Evidence) -> Alone:
    text = textwrap.dedent("\n".join(place_of(claim).text)) + "\n"
    return Alone(ast.parse(text).body[0].name, text)  # type: ignore[attr-defined]


def unparsed(text: str) -> str:
    """Reformat as far as it goes: no comments, no line breaks, other quotes, the fewest parentheses."""
    return ast.unparse(ast.parse(text))


def exploded(text: str) -> str:
    """Reformat the other way: a line for each token in brackets, trailing commas, double quotes turned single."""
    pieces: list[str] = []
    end, depth = (1, 0), 0
    lines = text.splitlines(keepends=True)
    fstring = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        pieces.append(between(lines, end, token.start))
        end = token.end
        name = tokenize.tok_name[token.type]
        fstring += (name == "FSTRING_START") - (name == "FSTRING_END")
        string = token.string
        if (
            re.fullmatch(r'"[^"\'\\]*"', string)
            and not fstring
            and token.type == tokenize.STRING
        ):
            string = f"'{string[1:-1]}'"
        depth += (
            (string in {"(", "[", "{"}) - (string in {")", "]", "}"})
            if token.type == tokenize.OP
            else 0
        )
        pieces.append(
            between(lines, token.start, token.end) if string == token.string else string
        )
        if (
            depth
            and not fstring
            and token.type == tokenize.OP
            and string in {"(", "[", "{", ",", "=", "=="}
        ):
            pieces.append("\n\n        ")
    return "".join(pieces)


def between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    inner = lines[start[0] : end[0] - 1]
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return "".join([lines[start[0] - 1][start[1] :], *inner, last])


@every_quote
def test_a_reformatted_object_still_holds_its_quote(claim: Evidence) -> None:
    name, text = alone(claim)
    wide = exploded(text)
    assert ast.dump(ast.parse(wide)) == ast.dump(ast.parse(text))
    assert found_in(wide, name, claim.quote, prose=claim.prose)


@every_quote
def test_layout_and_comments_do_not_matter(claim: Evidence) -> None:
    name, text = alone(claim)
    is_comment = claim.prose and not any(
        claim.quote.split()[-1] in line for line in unparsed(text).split("\n")
    )
    assert (
        bool(found_in(unparsed(text), name, claim.quote, prose=claim.prose))
        is not is_comment
    )


# Every change of meaning is seen

SWAPPED = {
    "==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<", "+": "-", "-": "+", "*": "/", "/": "*",
    "@": "*", "**": "*", "and": "or", "or": "and", "not": "bool", "True": "False", "False": "True", "None": "0",
    "raise": "return",
}  # fmt: skip


class Place(NamedTuple):
    """Characters of a text."""

    start: int
    end: int
    text: str
    kind: int


def placed(text: str) -> list[Place]:
    """Return the tokens that mean something, f-strings as Python 3.11 has them: whole."""
    starts = [
        0,
        *itertools.accumulate(len(line) for line in text.splitlines(keepends=True)),
    ]
    found: list[Place] = []
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            start, end = (
                starts[row - 1] + column for row, column in (token.start, token.end)
            )
            name = tokenize.tok_name[token.type]
            if name == "FSTRING_START":
                opened.append(start)
            elif name == "FSTRING_END":
                start = opened.pop()
                if not opened:
                    found.append(Place(start, end, text[start:end], tokenize.STRING))
            elif not opened and token.type in {
                tokenize.NAME,
                tokenize.NUMBER,
                tokenize.STRING,
                tokenize.OP,
            }:
                found.append(Place(start, end, token.string, token.type))
    except (tokenize.TokenError, IndentationError):
        pass  # a fragment: what came so far
    return found


def quoted_code(text: str, quote: str) -> Iterator[list[Place]]:
    """Yield the quote's tokens in a text, each time that they stand there."""
    wanted = [place.text for place in placed(quote + "\n")]
    places = placed(text)
    for at in range(len(places) - len(wanted) + 1):
        if [place.text for place in places[at : at + len(wanted)]] == wanted:
            yield places[at : at + len(wanted)]


def changed_code(place: Place) -> Iterator[str]:
    """Yield what changes the meaning of a token."""
    if place.text in SWAPPED:
        yield SWAPPED[place.text]
    elif place.kind == tokenize.NAME and not keyword.iskeyword(place.text):
        yield f"{place.text}_"
        yield f"{place.text}.other"
    elif place.kind == tokenize.NUMBER:
        yield f"{place.text}1"
    elif place.kind == tokenize.STRING:
        opening = re.match(r"[a-zA-Z]*(\"\"\"|'''|\"|')", place.text)
        assert opening
        inner, quote = place.text[opening.end() : -len(opening[1])], opening[1]
        yield f"{opening[0]}not {inner}{quote}"
        yield f"{opening[0]}{inner}x{quote}"
        yield f"{opening[0]}{inner[:-1]}{quote}"
        yield from (
            f"{opening[0]}{inner.replace(word, word + 'x', 1)}{quote}"
            for word in re.findall(r"\w+", inner)
        )
    elif place.text in {"if", "while", "elif", "return", "in", "assert"}:
        yield f"{place.text} not 0 ==" if place.text == "in" else f"{place.text} not"


def mutants(claim: Evidence, text: str) -> Iterator[str]:
    """Yield the text with the quoted passage changed in meaning, wherever it stands, one change in each."""
    if claim.prose:
        yield from reworded(claim.quote, text)
        return
    passages = list(quoted_code(text, claim.quote))
    assert passages
    for number, place in enumerate(passages[0]):
        for change in changed_code(place):
            changed = text
            for passage in reversed(passages):
                changed = (
                    changed[: passage[number].start]
                    + change
                    + changed[passage[number].end :]
                )
            yield changed
    yield from dropped(text, passages)


def reworded(quote: str, text: str) -> Iterator[str]:
    words = re.findall(r"[\w`'.()=]+", quote)
    parts = r"[\s#\"]+".join(re.escape(word) for word in quote.replace("#", "").split())
    passage = re.search(parts, text)
    assert passage
    for word in words:
        for change in (f"{word}x", ""):
            changed = re.sub(
                rf"(?<![\w`]){re.escape(word)}(?![\w`])", change, passage[0], count=1
            )
            yield text.replace(passage[0], changed)


def dropped(text: str, passages: list[list[Place]]) -> Iterator[str]:
    """Yield the text without one of the quoted statements, and with another one before it."""
    starts = [
        0,
        *itertools.accumulate(len(line) for line in text.splitlines(keepends=True)),
    ]
    spans = [(passage[0].start, passage[-1].end) for passage in passages]
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.stmt)
            and node.end_lineno
            and node.end_col_offset is not None
        ):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            if len(spans) == 1 and spans[0][0] <= start and end <= spans[0][1]:
                yield f"{text[:start]}pass{text[end:]}"
                if start > spans[0][0]:
                    yield (
                        f"{text[:start]}other(); {text[start:]}"
                        if not hasattr(node, "body")
                        else ""
                    )


@every_quote
def test_no_change_of_meaning_goes_unseen(claim: Evidence) -> None:
    name, text = alone(claim)
    count = 0
    for changed in mutants(claim, text):
        if changed in {"", text}:
            continue
        try:
            ast.parse(changed)
        except SyntaxError:
            continue  # this one is seen anyhow
        count += 1
        span = found_in(changed, name, claim.quote, prose=claim.prose)
        assert not span, "\n".join(
            difflib.unified_diff(
                text.split("\n"), changed.split("\n"), n=0, lineterm=""
            )
        )
    assert count >= 4


# What counts as the same, and what does not

SOURCE = '''
@register("a", kind=1)
def first(model, a: int = 1, *, flag=(True), other=None, **rest):
    """Say what it does.

    A longer text, which goes
    on here.
    """
    # a comment that
    # goes on
    if (not model.ready) and a > 1 or flag:
        return call(
            model,
            "one " "two",
            key={"x": 1, "y": [2, 3,]},
        )
    elif other:
        for item in (rest):
            yield item
    else:
        with open("f") as file, lock:
            total = total + (a * 2)
            file.write(f"{a!r:>{flag}} of " f"{total}")
    try:
        run()
    except (KeyError, ValueError) as error:
        raise RuntimeError("bad") from error
    else:
        x = (1, 2)
    finally:
        close()
    match other:
        case [1, *_] if flag:
            stop()
    if (
        (a == 1)
        or (b == 2)
    ) and c != "d":
        z = a if b else c
    def inner(rest: dict, kind, *, more=1, last):
        if last:
            pass
        else:
            if more:
                if kind:
                    pass
                else:
                    if rest:
                        stop()
            return (
                kind
                * last
            )
    # the end
'''

SAME = {
    "an expression": "call(model, 'one two', key={'x': 1, 'y': [2, 3]})",
    "a part of an expression": "a > 1",
    "redundant parentheses": "(not model.ready) and (a > 1)",
    "operands": "a == 1 or b == 2",
    "a statement": "x = 1, 2",
    "a header": "if not model.ready and a > 1 or flag:",
    "a header with parentheses": "if ((a == 1) or (b == 2)) and c != 'd':",
    "a header with a comment": "if not model.ready and a > 1 or flag:\n    # goes on",
    "an if with its elif": """
        if not model.ready and a > 1 or flag:
            return call(model, 'one two', key={'x': 1, 'y': [2, 3]})
        elif other:
    """,
    "a part of a block": "total = total + a * 2\nfile.write(f'{a!r:>{flag}} of {total}')",
    "headers one in the other": "def inner(rest: dict, kind, *, more=1, last):\n    if last:",
    "a try": "try:\n    run()\nexcept (KeyError, ValueError) as error:",
    "a bare try": "try:",
    "a try of which the rest is left out": "try:\n    run()\nexcept (KeyError, ValueError) as error:",
    "a handler": "except (KeyError, ValueError) as error:\n    raise RuntimeError('bad') from error",
    "the header of a handler": "except (KeyError, ValueError) as error:",
    "a handler with a comment": "except (KeyError, ValueError) as error:\n    # the end",
    "a match": "match other:",
    "a with": "with (open('f') as file, lock):",
    "a signature": "def first(model, a: int = 1, *, flag=True, other=None, **rest):",
    "a decorator": "@register('a', kind=1)",
    "a decorator and the signature": """
        @register('a', kind=1)
        def first(model, a: int = 1, *, flag=True, other=None, **rest):
    """,
    "parameters": "a: int = 1, *, flag=True",
    "parameters without the star": "flag=True, other=None",
    "parameters by name": "rest: dict, kind",
    "parameters that need a keyword": "more=1, last",
    "operands of another line": "not model.ready and a > 1",
    "arguments": "model, 'one two'",
    "an argument": "key={'x': 1, 'y': [2, 3]}",
    "an f-string": "f'{a!r:>{flag}} of {total}'",
    "a docstring": "'''Say what it does.\n\nA longer text, which goes\non here.\n'''",
    "a comment": "# a comment that goes\n# on",
    "the last comment": "# the end",
    "an argument with its comma": "model,",
}

OTHER = {
    "another operand": "a > 2",
    "another order": "'two', model",
    "another keyword": "kez={'x': 1, 'y': [2, 3]}",
    "a part of a chain": "total + a",
    "a shorter header": "if not model.ready and a > 1:",
    "a shorter value": "total = total",
    "a shorter signature": "def first(model, a: int = 1):",
    "a signature without its values": "def first(model, a: int, *, flag, other, **rest):",
    "needed parentheses": "if (not model.ready) and (a > 1 or flag):",
    "a comma that makes a tuple": "(total + a * 2,)",
    "part of a string": "'wo'",
    "another string": "'one  two'",
    "a string that only looks like an f-string": "'{total}'",
    "bytes": "b'two'",
    "one string of several": "'two'",
    "another handler": "except KeyError as error:",
    "a handler with another block": "except (KeyError, ValueError) as error:\n    raise",
    "a handler and what is after it": "except (KeyError, ValueError) as error:\n    raise RuntimeError('bad') from error\nexcept OSError:",
    "an elif as an if": "if other:",
    "an elif as an if with its block": "if other:\n    for item in rest:\n        yield item",
    "a block without its else": "if last:\n    pass",
    "an else that is none": "for item in rest:\n    yield item\nelse:",
    "a decorator with another header": "@register('a', kind=1)\ndef second():",
    "another comment": "# an other\nif not model.ready and a > 1 or flag:",
    "another kind of number": "key={'x': True, 'y': [2, 3]}",
    "another docstring": "'''Say what it did.'''",
    "a word of another comment": "# a comment that goes off",
}


UNPARSABLE = {
    "an else": "else:\n    x = (1, 2)",
    "an elif": "elif other:",
    "a finally": "finally:\n    close()",
    "the end of a block": "        yield item\n    else:\n        with open('f') as file, lock:",
    "the items of a dict": "'x': 1, 'y': [2, 3]",
    "a call that is not closed": "raise RuntimeError(",
    "the end of a call": "2, 3]},)",
}


@pytest.mark.parametrize("quote", SAME.values(), ids=list(SAME))
def test_these_are_the_same(quote: str) -> None:
    assert found_in(SOURCE, "first", quote)


@pytest.mark.parametrize(
    ("source", "quote"),
    [
        ("def f(a, /, b, *c, d=1): pass", "a, /, b, *c"),
        ("def f(a, /, b, *c, d=1): pass", "d=1"),
        ("# only this", "# only\n# this"),
    ],
)
def test_these_are_the_same_elsewhere(source: str, quote: str) -> None:
    assert found_in(source, "", quote) == (1, 1)


@pytest.mark.parametrize("quote", OTHER.values(), ids=list(OTHER))
def test_these_are_not(quote: str) -> None:
    assert not found_in(SOURCE, "first", quote)


@pytest.mark.parametrize("quote", UNPARSABLE.values(), ids=list(UNPARSABLE))
@pytest.mark.usefixtures("losing")
def test_what_does_not_parse_is_refused_with_what_to_do(quote: str) -> None:
    with pytest.raises(ValueError, match="line 1: "):
        found_in(SOURCE, "first", quote)
    result = check("losing.layer", "Linear.merge", quote)
    assert isinstance(result, Lost)
    assert result.reason is LostReason.NOT_THERE
    assert "it does not parse (line 1: " in result.message
    assert ": quote whole statements" in result.message


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        (
            "# a comment that\n# goes on\nif not model.ready and a > 1 or flag:",
            (11, 11),
        ),
        ("if not model.ready and a > 1 or flag:", (11, 11)),
        ("with open('f') as file, lock:", (21, 21)),
        ("@register('a', kind=1)", (2, 2)),
        ("if ((a == 1) or (b == 2)) and c != 'd':", (35, 38)),
        ("def inner(rest: dict, kind, *, more=1, last):\n    if last:", (40, 41)),
        ("match other:\n    case [1, *_] if flag:", (32, 33)),
        ("model, 'one two'", (13, 14)),
        ("a: int = 1, *, flag=True", (3, 3)),
        ("try:", (24, 24)),
    ],
)
def test_the_line_is_the_current_one(quote: str, lines: tuple[int, int]) -> None:
    assert found_in(SOURCE, "first", quote) == lines


PROSE = '''class Model:
    def merge(self):
        r"""Merge.

        Args:
            safe (`bool`, *optional*): whether to
                check {"use": False} the weights.
        """
        warn(
            f"The adapter {name!r} of {self.model} "
            "seems to be broken."  # really
            " So\\nstop."
        )
        #: As per somebody, we need
        #: to clone here.
        return 1  # because it works
'''


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("whether to check", (6, 7)),
        ('whether to check {"use": False} the\nweights.', (6, 7)),
        # Literals side by side are at the first of them.
        ("The adapter {name!r} of {self.model} seems to be broken.", (10, 10)),
        ("The adapter {name !r} of { self.model } seems", (10, 10)),
        ('"The adapter {name!r} of " "{self.model} seems"', (10, 10)),
        ('f"of {self.model} " "seems to be broken."', (10, 10)),
        ("broken. So stop.", (10, 11)),
        (". So stop.", (10, 11)),
        ("we need to clone here", (14, 15)),
        ("# As per somebody, we need\n# to clone here.", (14, 15)),
        ("because it works", (16, 16)),
        # code is no prose
        ("return 1 # because", None),
        ("return 1", None),
        ("hether to check", None),
        ("whether to", (6, 6)),
        ("whether to check the weights", None),
        ("The adapter {name} of", None),
        ("Broken", None),
    ],
)
def test_prose_is_compared_by_its_words(
    quote: str, lines: tuple[int, int] | None
) -> None:
    assert found_in(PROSE, "Model.merge", quote, prose=True) == lines


def test_a_docstring_matters_only_where_it_is_quoted() -> None:
    source = 'def f(a):\n    """Say."""\n    return a\n'
    assert found_in(source, "f", "def f(a):\n    return a") == (1, 3)
    assert found_in(source, "f", "def f(a):\n    '''Say.'''\n    return a") == (1, 3)
    assert not found_in(source, "f", "def f(a):\n    '''Said.'''\n    return a")


@pytest.mark.parametrize(
    "qualname",
    [
        "A.branch",
        "A.tried",
        "A.caught",
        "A.managed",
        "A.f.inner",
        "A.f.<locals>.inner",
        "A.B.deep",
        "A.other",
        "A.case",
    ],
)
def test_definitions_count_wherever_they_stand(qualname: str) -> None:
    source = """
    if available():
        class A:
            if x:
                pass
            elif y:
                def branch(self): return HERE
            else:
                def other(self): return HERE
            try:
                def tried(self): return HERE
            except E:
                def caught(self): return HERE
            with z:
                async def managed(self): return HERE
            match x:
                case 1:
                    def case(self): return HERE
            def f(self):
                for _ in x:
                    def inner(): return HERE
            class B:
                deep: int = HERE
    """
    assert found_in(source, qualname, "HERE")


def test_any_of_several_definitions_may_hold_the_quote() -> None:
    source = """
    @overload
    def f(a: int) -> int: ...
    @overload
    def f(a: str) -> str: ...
    def f(a):
        return a
    class C:
        @property
        def p(self): return 1
        @p.setter
        def p(self, value): self.q = value
    """
    assert found_in(source, "f", "def f(a: str) -> str: ...") == (5, 5)
    assert found_in(source, "f", "@overload\ndef f(a: str) -> str: ...") == (4, 5)
    assert found_in(source, "f", "return a") == (7, 7)
    assert found_in(source, "C.p", "self.q = value") == (12, 12)


# Where the source is


def test_a_package_that_raises_on_import_verifies(project: Path) -> None:
    (project / "raising").mkdir()
    (project / "raising" / "__init__.py").write_text(
        "raise RuntimeError('imported')\n", "utf-8"
    )
    (project / "raising" / "inner.py").write_text(
        "import missing\nclass A:\n    def f(self): return 1\n", "utf-8"
    )
    result = check("raising.inner", "A.f", "return 1")
    assert result == Found(
        path=project / "raising" / "inner.py",
        line=3,
        end_line=3,
        module="raising.inner",
        qualname="A.f",
    )
    assert isinstance(check("raising", "", "raise RuntimeError('imported')"), Found)
    assert "raising" not in sys.modules


def test_the_first_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("late", "early"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "doubled.py").write_text(f"where = {name!r}\n", "utf-8")
        monkeypatch.syspath_prepend(tmp_path / name)
    assert isinstance(check("doubled", "where", "'early'"), Found)


def test_pythonpath_and_editable_installs_are_honoured(tmp_path: Path) -> None:
    script = """
import sys
from sphinxext_heuristics._core.evidence.search import verify
from sphinxext_heuristics._core.model import Evidence
from sphinxext_heuristics._core.source.packages import Sources
for module in ("by_pythonpath", "by_pth.inner", "by_finder.inner"):
    quote = Evidence(module=module, qualname="f", quote="return 1", prose=False, source="", line=1)
    print(verify(quote, Sources()).path)
    assert module.partition(".")[0] not in sys.modules
"""
    site, finder = tmp_path / "site", tmp_path / "finder" / "by_finder"
    for folder in (tmp_path / "path", tmp_path / "pth" / "by_pth", finder, site):
        folder.mkdir(parents=True)
    files = [
        tmp_path / "path" / "by_pythonpath.py",
        tmp_path / "pth" / "by_pth" / "inner.py",
        finder / "inner.py",
    ]
    for file in files:
        (file.parent / "__init__.py").write_text("raise SystemExit\n", "utf-8")
        file.write_text("def f(): return 1\n", "utf-8")
    (site / "by_pth.pth").write_text(
        f"{tmp_path / 'pth'}\nimport by_finder_hook; by_finder_hook.install()\n",
        "utf-8",
    )
    init = str(finder / "__init__.py")
    # what setuptools writes for a package whose folder cannot be put on the path
    (site / "by_finder_hook.py").write_text(
        "import sys\nfrom importlib.util import spec_from_file_location\n"
        "class Finder:\n    @classmethod\n    def find_spec(cls, name, path=None, target=None):\n"
        f"        if name == 'by_finder':\n            return spec_from_file_location(name, {init!r})\n"
        "def install(): sys.meta_path.append(Finder)\n",
        "utf-8",
    )
    here = str(Path(evidence.__file__).parents[2])
    done = subprocess.run(  # noqa: S603 - this Python
        [
            sys.executable,
            "-c",
            f"import site, sys; site.addsitedir({str(site)!r})\n{script}",
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path / "path"), here]),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [str(file) for file in files]


def test_an_object_is_read_where_it_is_defined(project: Path) -> None:
    (project / "whole").mkdir()
    (project / "whole" / "__init__.py").write_text("from .part import Child\n", "utf-8")
    (project / "whole" / "part.py").write_text(
        "class Base:\n    def f(self): return 1\nclass Child(Base):\n    def g(self): return 2\n",
        "utf-8",
    )
    result = check("whole", "Child.f", "return 1")
    assert isinstance(result, Found)
    assert (result.module, result.qualname, result.line) == ("whole.part", "Base.f", 2)
    result = check("whole", "Child.g", "return 2")
    assert isinstance(result, Found)
    assert (result.module, result.qualname, result.line) == ("whole.part", "Child.g", 4)
    assert isinstance(check("whole", "Child.h", "return 2"), Lost)


# What is said when a quote is lost


@pytest.fixture
def losing(project: Path) -> Path:
    package = project / "losing"
    (package / "folder").mkdir(parents=True)
    (package / "__init__.py").write_text("", "utf-8")
    (package / "native.cpython-311.so").write_bytes(b"")
    (package / "native.abi3.so").write_bytes(b"")
    (package / "broken.py").write_text("def f(:\n", "utf-8")
    (package / "latin.py").write_bytes(b"x = '\xe9'\n")
    (package / "layer.py").write_text(
        "class Linear:\n"
        "    def merge(self, safe=False):\n"
        "        if safe:\n"
        "            check(self.weight)\n"
        "        self.weight += self.delta\n"
        "        return self.weight\n"
        "    def unmerge(self):\n"
        "        self.weight -= self.delta\n"
        "        warn('one ' 'two three')\n",
        "utf-8",
    )
    return package


@pytest.mark.parametrize(
    ("module", "qualname", "reason", "message"),
    [
        (
            "loosing",
            "",
            LostReason.NO_PACKAGE,
            "package 'loosing' is not installed; did you mean 'losing'",
        ),
        (
            "losing.layers",
            "",
            LostReason.NO_MODULE,
            "'losing' has no module 'losing.layers'; did you mean 'losing.layer'",
        ),
        (
            "losing.layer.x",
            "",
            LostReason.NO_MODULE,
            "'losing.layer' has no module 'losing.layer.x'",
        ),
        ("losing..layer", "", LostReason.NO_MODULE, "'losing' has no module 'losing.'"),
        ("", "f", LostReason.NO_PACKAGE, "package '' is not installed"),
        (
            "losing.layer",
            "Linear.marge",
            LostReason.NO_OBJECT,
            "module 'losing.layer' has no 'Linear.marge'; did you mean 'Linear.merge'",
        ),
        (
            "losing.layer",
            "Conv.merge",
            LostReason.NO_OBJECT,
            "did you mean 'Linear.merge'",
        ),
        ("losing.folder", "", LostReason.NO_SOURCE, "has no Python source to read"),
        ("losing.native", "f", LostReason.NO_SOURCE, "has no Python source to read"),
        (
            "losing.broken",
            "f",
            LostReason.UNPARSABLE,
            "broken.py cannot be parsed: line 1: invalid syntax",
        ),
        ("losing.latin", "f", LostReason.UNPARSABLE, "cannot be decoded"),
    ],
)
@pytest.mark.usefixtures("losing")
def test_what_is_missing_is_said(
    module: str, qualname: str, reason: LostReason, message: str
) -> None:
    result = check(module, qualname, "return 1")
    assert isinstance(result, Lost)
    assert result.reason is reason
    assert message in result.message
    assert "\n" not in result.message


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(),
    reason="only Linux has a file that nobody can read",
)
def test_what_cannot_be_read_or_compared_is_said(losing: Path) -> None:
    (losing / "memory.py").symlink_to("/proc/self/mem")
    (losing / "nul.py").write_bytes(b"x = 1\0")
    (losing / "binary.py").write_bytes(bytes(range(256)))
    (losing / "deep.py").write_text(f"x = f'{{{'+'.join('a' * 900)}}}'\n", "utf-8")
    said = {
        name: check(f"losing.{name}", "", "a word", prose=True)
        for name in ("memory", "nul", "binary", "deep")
    }
    assert {
        name: lost.reason for name, lost in said.items() if isinstance(lost, Lost)
    } == {
        "memory": LostReason.NO_SOURCE,
        "nul": LostReason.UNPARSABLE,
        "binary": LostReason.UNPARSABLE,
        "deep": LostReason.UNPARSABLE,
    }
    for name, lost in said.items():
        assert isinstance(lost, Lost)
        assert lost.message.startswith(f"{losing / name}.py cannot be ")


def test_source_in_an_archive_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_away.py", "def f(): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    result = check("packed_away", "f", "return 1")
    assert isinstance(result, Lost)
    assert result.reason is LostReason.NO_SOURCE
    assert result.message == "module 'packed_away' has no Python source to read"


def test_the_nearest_passage_is_shown(losing: Path) -> None:
    result = check("losing.layer", "Linear.merge", "if safe:\n    check(self.weights)")
    assert result == Lost(
        reason=LostReason.NOT_THERE,
        message="the quoted code is not in losing.layer:Linear.merge: closest match: line 3",
        nearest="if safe:\n    check(self.weight)",
        path=losing / "layer.py",
        line=3,
    )


@pytest.mark.parametrize(
    ("quote", "message"),
    [
        ("self.weight -= self.delta", "it is in line 8"),
        (
            "if safe:\n    ...\nself.weight += self.delta",
            "'...' is compared literally: use two quotes instead",
        ),
        ("import nothing_at_all", "nothing there is like it"),
        ("  \n", "nothing there is like it"),
    ],
)
@pytest.mark.usefixtures("losing")
def test_a_drift_is_explained(quote: str, message: str) -> None:
    result = check("losing.layer", "Linear.merge", quote)
    assert isinstance(result, Lost)
    assert message in result.message


@pytest.mark.usefixtures("losing")
def test_a_string_that_says_more_is_pointed_out() -> None:
    result = check("losing.layer", "Linear.unmerge", "'one two'")
    assert isinstance(result, Lost)
    assert "its words are there: quote them with the flag ':text:'" in result.message


@pytest.mark.usefixtures("losing")
def test_code_that_is_quoted_as_words_is_pointed_out() -> None:
    code = "self.weight += self.delta"
    assert not isinstance(check("losing.layer", "Linear.merge", code), Lost)
    result = check("losing.layer", "Linear.merge", code, prose=True)
    assert isinstance(result, Lost)
    assert "it is code there: quote it without the flag ':text:'" in result.message


@pytest.mark.usefixtures("losing")
def test_a_moved_object_is_looked_for() -> None:
    result = check("losing.layer", "Linear.add", "self.weight += self.delta")
    assert isinstance(result, Lost)
    assert "; the quote is in line 5" in result.message
    assert result.line == 5


# Cost


def test_what_has_not_changed_is_not_read_again(
    losing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotes = [
        ("Linear.merge", "return self.weight"),
        ("Linear.merge", "return 1"),
        ("Linear.add", "return 1"),
    ]
    before = [check("losing.layer", *quote) for quote in quotes]
    reads: list[Path] = []
    read = search.read_source

    def noted(at: State) -> Source:
        reads.append(at.path)
        return read(at)

    monkeypatch.setattr(search, "read_source", noted)
    assert [check("losing.layer", *quote) for quote in quotes] == before
    assert not reads
    file = losing / "layer.py"
    was = Sources().state("losing.layer")
    file.write_text("\n" + file.read_text("utf-8"), "utf-8")
    assert Sources().state("losing.layer") != was
    result = check("losing.layer", "Linear.merge", "return self.weight")
    assert isinstance(result, Found)
    assert result.line == 7
    assert reads == [file]


@pytest.mark.usefixtures("losing")
def test_results_can_be_stored() -> None:
    for quote in ("return self.weight", "return 1"):
        result = check("losing.layer", "Linear.merge", quote)
        assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - its own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "quote"),
    [
        ("f(" + "+".join(["a"] * 900) + ")\n", "a + b"),
        ("x = 1\n" * 2_000, "x = 1\n" * 20 + "x = 2"),
        ("x = 1\n" * 20_000, "x = 1]\n" * 5_000),
        ("f(" + "'a' " * 5_000 + ")\n", "'a' " * 4_999 + "'b'"),
        ("if a:\n    b()\n" + "elif a:\n    b()\n" * 200, "if c:"),
        ("# " + "a " * 50_000 + "\n", "# " + "a " * 20_000 + "b"),
        ("x = 1\n", "f'{" * 20_000),
        ("x = 1\n", "(" * 20_000),
        ("x = 1\n", "'''" + "\"'" * 20_000),
    ],
    ids=[
        "a chain",
        "statements",
        "a fragment",
        "strings",
        "elifs",
        "a comment",
        "placeholders",
        "parentheses",
        "quotes",
    ],
)
@pytest.mark.filterwarnings("error")
def test_time_is_in_proportion(project: Path, source: str, quote: str) -> None:
    (project / "long.py").write_text(source, "utf-8")
    began = time.process_time()
    result = check("long", "", quote)
    assert isinstance(result, Lost)
    assert time.process_time() - began < 5


# Whatever is read, nothing is raised

PIECES = st.sampled_from(
    [*"()[]{}:;,.=+-*/'\"#\\\n\t @!", "\n    ", "'''", '"""', "f'{", "rb'", "\0", "\x0c", "\ud800", "é", "else", "if x",
     "lambda", "def f(", "async ", "class A", "return", "1e5", "0x", "\\N{", "case ", "match x", "\r", "*", "**", ":="]
)  # fmt: skip
TEXT = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)
PIECE_OF_SOURCE = st.tuples(st.integers(0, len(SOURCE)), st.integers(0, 200)).map(
    lambda at: SOURCE[at[0] : sum(at)]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quote=TEXT | PIECE_OF_SOURCE, prose=st.booleans())
def test_no_quote_raises(quote: str, prose: bool) -> None:  # noqa: FBT001 - hypothesis names them
    for text, name in ((SOURCE, "first"), (PROSE, "Model"), (PROSE, "")):
        with suppress(ValueError):
            found_in(text, name, quote, prose=prose)


@settings(max_examples=200, deadline=None)
@given(
    raw=st.binary(max_size=80)
    | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_no_source_raises(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.py").write_bytes(raw)
    sources = Sources()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        for quote in ("x", "x = 1", "if x", "# x"):
            assert isinstance(
                verify(claim_of("hostile", "", quote), sources), (Found, Lost)
            )
