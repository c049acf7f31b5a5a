"""Python text as tokens, whatever the text: a fragment of a statement is one, too.

The standard library's ``tokenize`` is no help here: what it makes of text that does not parse, and of f-strings,
differs from one Python to the next. This lexer never raises, and takes time in proportion to the text.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What stands in a text for the edge of an f-string's placeholder: a plain string that is spelled alike is not equal.
MARK = "\0"

_TOKEN = re.compile(
    r"""
    (?P<space> (?: \s | \\\n )+ )
  | (?P<comment> \#[^\n]* )
  | (?P<string> (?P<prefix> (?i: [rbuft] | rb | br | fr | rf | tr | rt )? ) (?P<quote> \"\"\" | ''' | " | ' ) )
  | (?P<number> \.?\d (?: [eE][+-]\d | [\w.] )* )
  | (?P<name> \w+ )
  | (?P<op> \*\*= | //= | >>= | <<= | \.\.\. | -> | := | == | != | <= | >= | \*\* | // | << | >> | [-+*/%@&|^]= | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.DOTALL),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.DOTALL),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.DOTALL),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.DOTALL),
}
_IN_TEXT = re.compile(r"\\N\{[^}\n]*\}|\\[^{}]|\{\{|\{|\"\"\"|'''|\"|'|\n", re.DOTALL)
_IN_EXPRESSION = re.compile(r"(?P<prefix>(?<!\w)(?i:[rbuft]|rb|br|fr|rf|tr|rt)?)(?P<quote>\"\"\"|'''|\"|')|[][(){}:]")
_IN_FORMAT = re.compile(r"[{}\n]")


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    NUMBER = auto()
    STRING = auto()
    OPERATOR = auto()
    COMMENT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and where it stands."""

    kind: Kind
    text: str
    #: Its first line.
    line: int
    #: Its last line.
    end_line: int
    #: Whether nothing but space stands before it on its line.
    first: bool


def tokens(text: str, line: int = 1) -> Iterator[Token]:
    """Yield the tokens of *text*, whose first line has the number *line*; spaces and line ends are none."""
    at, fresh = 0, True
    while found := _TOKEN.match(text, at):
        kind, end = _KINDS.get(found.lastgroup or ""), found.end()
        if found["quote"]:
            kind, end = Kind.STRING, _string_end(text, end, found["prefix"], found["quote"])
        lexeme = text[at:end]
        breaks = lexeme.count("\n")
        if kind is not None:
            yield Token(kind=kind, text=lexeme, line=line, end_line=line + breaks, first=fresh)
        fresh = kind is None and (fresh or bool(breaks))
        line, at = line + breaks, end


_KINDS = {
    "comment": Kind.COMMENT,
    "number": Kind.NUMBER,
    "name": Kind.NAME,
    "op": Kind.OPERATOR,
    # the group that closes last is the outermost one
    "string": Kind.STRING,
}


def _string_end(text: str, at: int, prefix: str, quote: str) -> int:
    """Return where the string ends whose text begins at *at*; an open one ends with its line, or with *text*."""
    if _has_placeholders(prefix):
        return _fstring_end(text, at, quote)
    if found := _PLAIN[quote].match(text, at):
        return found.end()
    line_end = text.find("\n", at)
    return len(text) if len(quote) > 1 or line_end < 0 else line_end


def _has_placeholders(prefix: str) -> bool:
    return not {"f", "t"}.isdisjoint(prefix.lower())


def _fstring_end(text: str, at: int, quote: str) -> int:
    """Return where an f-string ends; strings in its placeholders may be f-strings in turn.

    An open one ends with its line, or, open in a placeholder, with *text*: no character is looked at twice.
    """
    # A quote: in the text of a string that ends so. A bracket: in a placeholder's expression. ":": in its format.
    states = [quote]
    while states:
        state = states[-1]
        brackets = state in "([{"
        found = (_IN_FORMAT if state == ":" else _IN_EXPRESSION if brackets else _IN_TEXT).search(text, at)
        if found is None:
            return len(text)
        at = found.end()
        if found[0] == "\n" and len(state) == 1:
            return found.start()
        if brackets and found["quote"] and not _has_placeholders(found["prefix"]):
            at = _string_end(text, at, "", found["quote"])
        elif brackets:
            _in_expression(states, found["quote"] or found[0])
        elif state == ":":
            _in_format(states, found[0])
        elif found[0] == "{":
            states.append("{")
        elif found[0].startswith(state):
            states.pop()
            at = found.start() + len(state)  # three quotes where one is asked for: the first of them
    return at


def _in_expression(states: list[str], lexeme: str) -> None:
    if lexeme in ")]}":
        states.pop()
    elif lexeme != ":" or (states[-1] == "{" and states[-2] not in "([{"):
        states.append(lexeme)


def _in_format(states: list[str], lexeme: str) -> None:
    if lexeme == "{":
        states.append(lexeme)
    else:
        del states[-2:]  # the placeholder ends with its format


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A string as it is written, without the ones beside it."""

    token: Token
    #: What it says, an f-string's placeholders as ``MARK{source}MARK``; as written if it says nothing.
    text: str

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the pieces of the text with the line where each is written."""
        count = self.token.text.count("\n")
        for number, piece in enumerate(self.text.split("\n")):
            yield self.token.line + min(number, count), piece


def literal(token: Token) -> Literal:
    """Read a string token."""
    return Literal(token=token, text=said(token.text))


def said(source: str) -> str:
    """Return what a literal says (see `Literal`); of bytes and of what is no literal the source."""
    try:
        tree = parse(source, "eval")
        return spoken(tree.body) if isinstance(tree, ast.Expression) else source
    except (ValueError, RecursionError):
        return source


def spoken(node: ast.AST) -> str:
    """Return what a string's node says.

    Raises `ValueError` where the node is none.
    """
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(map(spoken, values))
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=spec):
            how = f"!{chr(conversion)}" if conversion > 0 else ""
            form = f":{spoken(spec).replace(MARK, '')}" if spec else ""
            return f"{MARK}{{{ast.unparse(value)}{how}{form}}}{MARK}"
    raise ValueError("not a string")


def parse(source: str, mode: str = "exec") -> ast.AST:
    """Parse *source* without a word about its escapes.

    Raises `ValueError` with the reason for whatever cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source, mode=mode)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno or 1}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("nested too deeply") from error


def runs(found: Iterable[Token]) -> Iterator[list[Token]]:
    """Yield the strings that stand side by side, comments between them aside."""
    run: list[Token] = []
    for token in found:
        if token.kind is Kind.STRING:
            run.append(token)
        elif token.kind is not Kind.COMMENT and run:
            yield run
            run = []
    if run:
        yield run
