"""Messages in quoted code: texts of errors, warnings and log entries.

``…`` stands for what is put in. Read are ``raise``, ``warnings.warn`` and calls of a
logger. Their text is a literal, an f-string, ``%``, ``format`` or ``+``, or a name that
was assigned one of these further up in the same function, in any of its branches.
"""

from __future__ import annotations

import ast
import re
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

from ..model import Message
from ..source.names import BLOCKS, HELD, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..model import Evidence
    from .source import Lines

#: What stands for whatever is put into a message.
ANYTHING = "…"

#: The kind of what is logged.
LOG = "log"

_PERCENT = re.compile(
    r"%(?:\([^()]*\))?[-#0 +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?[a-zA-Z%]"
)
_FIELD = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")
_SEVERAL = re.compile(f"{ANYTHING}(?: ?{ANYTHING})+")
_LEVELS = frozenset(
    {"debug", "info", "warning", "warning_once", "error", "exception", "critical"}
)


# -- in code --------------------------------------------------------------------------


def in_quote(quoted: Evidence) -> tuple[Message, ...]:
    """Return the messages of quoted code by itself."""
    try:
        tree = parse(textwrap.dedent(quoted.quote))
        return among(messages_in(tree), 1, len(quoted.quote))
    except (ValueError, RecursionError):
        return ()


def changes(quoted: Evidence, passage: str) -> tuple[str, ...]:
    """Return in words which messages of quoted code are others in a passage."""
    before, now = in_quote(quoted), in_quote(quoted._replace(quote=passage))
    gone = [f"{it.kind}: {it.text}" for it in before if it not in now]
    new = [f"{it.kind}: {it.text}" for it in now if it not in before]
    found: list[str] = []
    for was, now_said in zip_longest(gone, new[: len(gone)]):
        becomes = f"is {now_said!r} there" if now_said else "is not there"
        found.append(f"the message {was!r} {becomes}")
    return tuple(found)


def among(
    messages: Iterable[tuple[Message, list[Lines]]], first: int, last: int
) -> tuple[Message, ...]:
    """Return those that some lines give or write, in their order, each once."""
    found: dict[Message, None] = {}
    for message, spans in messages:
        if any(begin <= last and first <= end for begin, end in spans):
            found[message] = None
    return tuple(found)


def messages_in(tree: ast.Module) -> list[tuple[Message, list[Lines]]]:
    """Return all messages of code, with the lines that give and that write them."""
    scopes = _Scopes(tree)
    found: list[tuple[Message, list[Lines]]] = []
    for node, kind, written in sorted(scopes.given, key=_place):
        if line := one_line(_text(written)):
            spans = [(it.lineno, it.end_lineno or 0) for it in (node, written)]
            found.append((Message(kind=kind, text=line), spans))
    return found


#: What gives a message, the message's kind, and what writes its text.
Given: TypeAlias = tuple[ast.stmt | ast.expr, str, ast.expr]

#: Name → what may have been assigned to it last.
Assigned: TypeAlias = dict[str, tuple[ast.expr, ...]]

_ENDS = (ast.Raise, ast.Return, ast.Continue, ast.Break)


def _place(given: Given) -> Lines:
    return given[0].lineno, given[0].col_offset


class _Scopes:
    """What gives messages in each function, class and module, run block by block."""

    def __init__(self, tree: ast.Module) -> None:
        """Read a tree. A name that is assigned in one scope is unknown in any other."""
        self.given: list[Given] = []
        self._waiting = [tree.body]
        while self._waiting:
            self._run(self._waiting.pop(), {})

    def _run(self, block: Sequence[ast.stmt], assigned: Assigned) -> list[Assigned]:
        """Read statements one after the other, and change what is *assigned*.

        Return it, or nothing where the block leaves what it is in.
        """
        for statement in block:
            if isinstance(statement, BLOCKS):
                self._waiting.append(statement.body)
                continue
            for node in _own(statement):
                self._note(node, assigned)
            self._enter(statement, assigned)
        return [] if block and isinstance(block[-1], _ENDS) else [assigned]

    def _enter(self, statement: ast.stmt, assigned: Assigned) -> None:
        """Assign what a statement assigns, and read its blocks."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned[name] = (value,)
            case ast.With() | ast.AsyncWith():
                self._run(statement.body, assigned)
            case ast.Try() | ast.TryStar():
                self._try(statement, assigned)
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
                self._branch([statement.body, statement.orelse], assigned)
            case ast.Match(cases=cases):
                self._branch([*(case.body for case in cases), []], assigned)

    def _branch(self, blocks: Iterable[Sequence[ast.stmt]], assigned: Assigned) -> None:
        """Read blocks of which one is run."""
        ends: list[Assigned] = []
        for block in blocks:
            ends += self._run(block, {**assigned})
        _join(ends, assigned)

    def _try(self, statement: ast.Try | ast.TryStar, assigned: Assigned) -> None:
        """Read what is tried, then each handler, which may begin after any of it."""
        tried = {**assigned}
        ends = self._run([*statement.body, *statement.orelse], tried)
        _join([{**assigned}, tried], assigned)
        for handler in statement.handlers:
            ends += self._run(handler.body, {**assigned})
        _join(ends, assigned)
        self._run(statement.finalbody, assigned)

    def _note(self, node: ast.AST, assigned: Assigned) -> None:
        if (given := _given(node)) and isinstance(node, ast.stmt | ast.expr):
            kind, text = given
            values: tuple[ast.expr, ...] = (text,)
            if isinstance(text, ast.Name):
                values = assigned.get(text.id, ())
            self.given += [(node, kind, value) for value in values]


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement and the expressions in it, but not those of its blocks."""
    yield statement
    for name, part in ast.iter_fields(statement):
        parts = part if isinstance(part, list) else [part]
        for node in parts if name not in HELD else ():
            if isinstance(node, ast.AST):
                yield from ast.walk(node)


def _join(ends: Iterable[Assigned], assigned: Assigned) -> None:
    """Let *assigned* be what may be assigned at one of several ends."""
    assigned.clear()
    for end in ends:
        for name, values in end.items():
            known = assigned.get(name, ())
            assigned[name] = tuple(dict.fromkeys([*known, *values]))


def _given(node: ast.AST) -> tuple[str, ast.expr] | None:
    """Return the kind of message a node gives, and its text or a name for that."""
    match node:
        case ast.Raise(exc=ast.Call(func=func) as call):
            kind = _class_name(func)
        case ast.Call(func=func) as call if _name(func) == "warn":
            named = [word.value for word in call.keywords if word.arg == "category"]
            kind = "UserWarning"
            for category in [*named, *call.args[1:2]][:1]:
                kind = _class_name(category) or "Warning"
        case ast.Call(func=ast.Attribute(value=logger, attr=level)) as call:
            kind = LOG if level in _LEVELS and "log" in _name(logger).lower() else ""
        case _:
            return None
    if not kind:
        return None
    for text in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(text, ast.Name) or one_line(_text(text)):
            filled = ast.copy_location(ast.BinOp(text, ast.Mod(), text), text)
            return kind, filled if kind == LOG and len(call.args) > 1 else text
    return None


def _name(node: ast.AST) -> str:
    """Return the last part of a name, such as that of a called function, or nothing."""
    match node:
        case ast.Call(func=func):
            return _name(func)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _class_name(node: ast.AST) -> str:
    name = _name(node)
    return name if name.lstrip("_")[:1].isupper() else ""


def _text(node: ast.AST) -> str:
    """Return the text that an expression gives; ``…`` for what is not known of it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_text, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _PERCENT.sub(
                lambda found: "%" if found[0] == "%%" else ANYTHING, _text(left)
            )
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return _FIELD.sub(ANYTHING, _text(text))
    return ANYTHING


def one_line(text: str) -> str:
    """Return a text in one line, nothing if it has no letter or digit.

    What cannot be printed stands for anything.
    """
    folded = "".join(
        char if char.isprintable() else ANYTHING for char in " ".join(text.split())
    )
    return _SEVERAL.sub(ANYTHING, folded) if any(map(str.isalnum, folded)) else ""
