"""Messages in quoted code: what an error, a warning or a log entry says, with ``…`` for what is put in.

A quote that was found is read in the source around it: there a string on its own belongs to a ``raise`` or to a
call, and words quoted from a docstring to none. A quote that was not found is read by itself. Nothing is raised,
whatever the quote and the source, and nothing is imported.
"""

from __future__ import annotations

import ast
import re
import string
from collections import ChainMap
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from sphinxext_heuristics.evidence.lexer import MARK, Kind, parse, runs, said, tokens
from sphinxext_heuristics.evidence.readings import completions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics.evidence.lexer import Token
    from sphinxext_heuristics.evidence.scope import Source
    from sphinxext_heuristics.model import Evidence

#: What stands for whatever is put into a message.
ANYTHING = "…"

#: The kind of what is logged.
LOG = "log"

#: The kind of a message of which it is not known how a reader gets it.
UNKNOWN = "message"

#: How many values of a variable are looked at.
_MAX_VALUES = 20

_PERCENT = re.compile(r"%(?:\([^()]*\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?[a-zA-Z%]")
_FIELD = re.compile(r"\{[^{}]*\}")
_MARKED = re.compile(f"{MARK}[^{MARK}]*{MARK}")
_SEVERAL = re.compile(f"{ANYTHING}(?: ?{ANYTHING})+")
_EXCEPTION = re.compile(r"_*[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt)")
_CLASS = re.compile(r"_*[A-Z]\w*")
_HELPER = re.compile(r"(?:^|_)(?:warn|warning|error|fail|raise)(?:_|$)")
_NAME = re.compile(r"(?:^|_)(?:msg|message|err|error|warn|warning)s?(?:_|$)", re.IGNORECASE)
_LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"})
_UNCHANGED = frozenset({"strip", "lstrip", "rstrip", "capitalize", "expandtabs"})
_WRAPPERS = frozenset({"_", "gettext", "gettext_lazy", "dedent", "cleandoc", "str"})
_TEXT_PARAMETERS = ("message", "msg", "text", "detail", "reason", "description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What an error, a warning or a log entry says."""

    #: The class of the error or warning, :data:`LOG`, or :data:`UNKNOWN`.
    kind: str
    #: Its text in one line, with :data:`ANYTHING` for what is put in.
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A message and where it is written: its text, or a statement that says it by a name."""

    message: Message
    #: The first line of it, from 1.
    first: int
    #: Its last line.
    last: int
    #: Whether it is said by a name there.
    by_name: bool = False


#: Name → its values, each with whether it is added to what was there.
_Names: TypeAlias = "ChainMap[str, list[tuple[ast.expr, bool]]]"


# -- of a quote -----------------------------------------------------------------------


def in_source(quoted: Evidence, source: Source, first: int, last: int) -> tuple[Message, ...]:
    """Return the messages that a quote in the given lines of a source has words of."""
    pieces = [piece for text in _quoted_texts(quoted) for piece in pieces_of(text) if _says_something(piece)]
    said_here = (saying for saying in _of_source(source) if saying.first <= last and first <= saying.last)
    folded = one_line(quoted.quote) if quoted.prose else ""
    return tuple(
        dict.fromkeys(
            saying.message
            for saying in said_here
            if (saying.by_name and not quoted.prose and first <= saying.first and saying.last <= last)
            or any(piece in saying.message.text for piece in pieces)
            # words quoted as prose may be more than the message
            or any(_is_sentence(piece) and piece in folded for piece in pieces_of(saying.message.text))
        )
    )


def in_quote(quoted: Evidence) -> tuple[Message, ...]:
    """Return the messages that a quote tells by itself; prose does not tell whether it is one."""
    if quoted.prose:
        return ()
    code = [token for token in tokens(quoted.quote) if token.kind is not Kind.COMMENT]
    if not code:
        return ()
    found = [saying.message for tree in _trees(quoted.quote, code)[:1] for saying in sayings(tree)]
    return tuple(dict.fromkeys(found or _of_strings(code)))


def _trees(text: str, code: list[Token]) -> list[ast.AST]:
    """Return what a quote parses to, completed where it is a part of a statement."""
    for prefix, suffix in [*completions(text, code), ("", _closing(code))]:
        try:
            return [parse(f"{prefix}{text}\n{suffix}\n")]
        except ValueError:
            continue
    return []


def _closing(code: list[Token]) -> str:
    """Return the brackets that a quote opens and does not close."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    missing: list[str] = []
    for token in code:
        if token.text in pairs:
            missing.append(pairs[token.text])
        elif missing and token.text == missing[-1]:
            missing.pop()
    return "".join(reversed(missing))


def _of_strings(code: list[Token]) -> Iterator[Message]:
    """Yield the text of a quote that is nothing but strings, which a docstring is not."""
    if all(token.kind is Kind.STRING or token.text in {",", ")", "("} for token in code):
        for run in runs(code):
            text = one_line("".join(_said(token.text) for token in run))
            if _is_sentence(text) and not any(token.text.endswith(('"""', "'''")) for token in run):
                yield Message(kind=UNKNOWN, text=text)


def _quoted_texts(quoted: Evidence) -> Iterator[str]:
    """Yield the strings of quoted code, or quoted prose."""
    if quoted.prose:
        yield one_line(_FIELD.sub(ANYTHING, quoted.quote))
    for token in tokens(quoted.quote):
        if token.kind is Kind.STRING:
            yield one_line(_FIELD.sub(ANYTHING, _PERCENT.sub(ANYTHING, _said(token.text))))


def _said(literal: str) -> str:
    return _MARKED.sub(ANYTHING, said(literal))


def pieces_of(text: str) -> list[str]:
    """Return what is fixed in a message's text, in its order; none is empty."""
    return [piece for part in text.split(ANYTHING) if (piece := part.strip())]


def one_line(text: str) -> str:
    """Return a text in one line; what cannot be printed stands for anything."""
    folded = " ".join(text.split())
    if not folded.isprintable():
        folded = "".join(char if char.isprintable() else ANYTHING for char in folded)
    return _SEVERAL.sub(ANYTHING, folded)


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _is_sentence(text: str) -> bool:
    return " " in text and _says_something(text)


# -- of a syntax tree -----------------------------------------------------------------


@lru_cache(maxsize=16)
def _of_source(source: Source) -> tuple[Saying, ...]:
    return tuple(sayings(source.tree))


def sayings(tree: ast.AST) -> Iterator[Saying]:
    """Yield all messages in a tree, each once for each place where its text is written."""
    nodes = list(_with_names(tree))
    found: dict[Saying, None] = {}
    told: set[ast.expr] = set()
    meant = _Meant()
    for node, names in nodes:
        for kind, value in _told(node):
            for where, text in _values(value, names):
                told.add(where)
                found.update(dict.fromkeys(_saying(kind, text, where)))
            if isinstance(value, ast.Name):
                for text in meant.at(value, names):
                    found.update(dict.fromkeys(_saying(kind, text, value, by_name=True)))
    for value in (value for node, _names in nodes for value in _named(node) if value not in told):
        unknown = _saying(UNKNOWN, _text(value), value)
        found.update(dict.fromkeys(it for it in unknown if _is_sentence(it.message.text)))
    return iter(found)


def _saying(kind: str, text: str, where: ast.expr, *, by_name: bool = False) -> Iterator[Saying]:
    line = one_line(text)
    if _says_something(line):
        message = Message(kind=kind, text=line)
        yield Saying(message=message, first=where.lineno, last=where.end_lineno or where.lineno, by_name=by_name)


class _Meant:
    """What names mean where they are said, from the first line of a source to the last.

    A name may have a value for each of several messages: meant is what it was given since it was said before.
    """

    def __init__(self) -> None:
        #: A list of values → the line in which its name was said last, and the texts that it meant there.
        self._last: dict[int, tuple[int, list[str]]] = {}

    def at(self, name: ast.Name, names: _Names) -> list[str]:
        """Return the texts that a name may mean."""
        values = names.get(name.id, [])
        before, texts = self._last.get(id(values), (0, []))
        since = [(value, is_more) for value, is_more in values if before < value.lineno <= name.lineno]
        if since:
            only = ChainMap({name.id: since})
            texts = [text for _where, text in _values(name, only)]
        self._last[id(values)] = name.lineno, texts
        return texts


def _with_names(tree: ast.AST) -> Iterator[tuple[ast.AST, _Names]]:
    """Yield all nodes with what names stand for around them; all of a scope is known when the last was yielded."""
    waiting: list[tuple[ast.AST, _Names]] = [(tree, ChainMap())]
    while waiting:
        node, names = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = names.new_child()
        for name, value, is_more in _bound(node):
            names.maps[0].setdefault(name, []).append((value, is_more))
        yield node, names
        waiting.extend((child, names) for child in reversed(list(ast.iter_child_nodes(node))))


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr, bool]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target.id, value, False) for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value, False
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value, False
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
            yield name, value, True


def _named(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what is assigned to a name that says that it is a message."""
    match node:
        case (
            ast.Assign(targets=[target], value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.AugAssign(target=target, op=ast.Add(), value=value)
        ) if _NAME.search(_last_name(target)):
            yield value


def _told(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the kind and the text of what a node tells a user."""
    match node:
        case ast.Assert(msg=ast.expr() as text):
            yield "AssertionError", text
        case ast.Raise(exc=ast.Call(func=func) as call):
            name = _last_name(func)
            yield from _first_text(name if _CLASS.fullmatch(name) else UNKNOWN, call)
        case ast.Call(func=func):
            name = _last_name(func)
            if _EXCEPTION.fullmatch(name):
                yield from _first_text(name, node)
            elif isinstance(func, ast.Attribute) and "log" in _last_name(func.value).lower() and _is_level(name):
                yield from _logged(node, is_log=name == "log")
            elif _HELPER.search(name):
                yield from _first_text(_category(node, name), node)


def _is_level(name: str) -> bool:
    return name.removesuffix("_once").removesuffix("_advice") in _LEVELS


def _logged(call: ast.Call, *, is_log: bool) -> Iterator[tuple[str, ast.expr]]:
    given = call.args[1:] if is_log else call.args
    if given:
        text = given[0]
        # what is logged is formatted only if there is something to put in
        filled = ast.copy_location(ast.BinOp(text, ast.Mod(), text), text)
        yield LOG, filled if given[1:] else text


def _category(call: ast.Call, name: str) -> str:
    """Return the class of a warning; ``warnings.warn`` has one for those who name none."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "category"] + call.args[1:2]
    named = next((found for value in given if _CLASS.fullmatch(found := _last_name(value))), "")
    return named or (UNKNOWN if given or name not in {"warn", "warn_explicit"} else "UserWarning")


def _first_text(kind: str, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the first argument that is a text, or a name that may stand for one."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in _TEXT_PARAMETERS]
    given = [*call.args, *named]
    yield from [(kind, value) for value in given if isinstance(value, ast.Name) or _is_text(value)][:1]


def _is_text(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _is_text(value.body) or _is_text(value.orelse)
    return _says_something(_text(value))


def _last_name(node: ast.AST) -> str:
    """Return the last part of a name, such as that of a called function; nothing if it has none."""
    while isinstance(node, ast.Call | ast.Subscript | ast.Await):
        node = node.func if isinstance(node, ast.Call) else node.value
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _values(node: ast.expr, names: _Names) -> Iterator[tuple[ast.expr, str]]:
    """Yield what a text may be, each with where it is written."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            yield from ((value, _text(value)) for value in (body, orelse))
        case ast.Name(id=name):
            for value, is_more in names.get(name, [])[:_MAX_VALUES]:
                for where, text in _values(value, ChainMap()):
                    yield where, f"{ANYTHING}{text}" if is_more else text
        case _:
            yield node, _text(node)


def _text(node: ast.expr) -> str:
    """Return the text that an expression gives; ``…`` for what is not known of it."""
    try:
        return "".join(_parts(node))
    except RecursionError:
        return ANYTHING


def _parts(node: ast.expr) -> Iterator[str]:
    waiting = [node]
    while waiting:
        match waiting.pop():
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=values):
                waiting += reversed(values)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                waiting += [right, left]  # not by recursion: a sum may be long
            case ast.BinOp(left=left, op=ast.Mod()):
                yield _PERCENT.sub(_percent, _text(left))
            case ast.NamedExpr(value=value):
                waiting.append(value)
            case ast.Call() as call:
                waiting += reversed(list(_wrapped(call)))
            case _:
                yield ANYTHING


def _percent(found: re.Match[str]) -> str:
    return "%" if found[0] == "%%" else ANYTHING


def _wrapped(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the texts that a call gives one after the other."""
    match call:
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            yield ast.Constant(_formatted(_text(text)))
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str()) as between, attr="join"),
            args=[ast.List(elts=items) | ast.Tuple(elts=items)],
        ):
            for number, item in enumerate(items):
                yield from [between] * bool(number)
                yield item
        case ast.Call(func=ast.Attribute(value=text, attr=attr)) if attr in _UNCHANGED:
            yield text
        case ast.Call(args=[text, *_others]) if _last_name(call.func) in _WRAPPERS:
            yield text
        case _:
            yield ast.Constant(ANYTHING)


def _formatted(text: str) -> str:
    """Return a text for ``str.format`` with its fields filled in."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return text
    return "".join(literal + ANYTHING * (field is not None) for literal, field, _format, _conversion in parts)
