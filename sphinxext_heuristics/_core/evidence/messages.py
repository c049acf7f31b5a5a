"""Messages in quoted code: texts of errors, warnings and log entries.

``…`` stands for what is put in. Read are ``raise``, ``warnings.warn`` and calls of a
logger. Their text is a literal, an f-string, ``%``, ``format`` or ``+``, or a name that
was given one of these further up in the same function.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

from ..model import Message
from ..source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    found: list[tuple[Message, list[Lines]]] = []
    assigned: dict[str, list[ast.expr]] = {}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.Call)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                assigned.clear()
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned.setdefault(name, []).append(value)
        given = _given(node)
        if given is None:
            continue
        kind, value_given = given
        values = [value_given]
        if isinstance(value_given, ast.Name):
            values = assigned.pop(value_given.id, [])
        for written in values:
            if line := one_line(_text(written)):
                spans = [(it.lineno, it.end_lineno or 0) for it in (node, written)]
                found.append((Message(kind=kind, text=line), spans))
    return found


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
