"""Messages in quoted code: what an error, a warning or a log entry says, with ``…`` for what is put in.

Read are ``raise``, ``warnings.warn`` and calls of a logger. What they say is a literal,
an f-string, ``%``, ``format`` or ``+``, or a name that was given one of these further
up in the same function.
"""

from __future__ import annotations

import ast
import re
import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.model import Message
from sphinxext_heuristics._core.source.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinxext_heuristics._core.model import Evidence

#: What stands for whatever is put into a message.
ANYTHING = "…"

#: The kind of what is logged.
LOG = "log"

#: A message with fewer fixed characters fits a text only where its kind is in front of
#: it.
LEAST_CHARS = 12

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
    """Return the messages of quoted code by itself; words alone do not show whether they are a message."""
    try:
        return (
            ()
            if quoted.prose
            else in_lines(parse(textwrap.dedent(quoted.quote)), 1, len(quoted.quote))
        )
    except (ValueError, RecursionError):
        return ()


def in_lines(tree: ast.Module, first: int, last: int) -> tuple[Message, ...]:
    """Return the messages that are given or written in some lines of a parsed file, in their order, each once."""
    there = (
        message
        for spans, message in _messages(tree)
        if any(at <= last and first <= end for at, end in spans)
    )
    return tuple(dict.fromkeys(there))


@lru_cache(maxsize=16)
def _messages(
    tree: ast.Module,
) -> tuple[tuple[tuple[tuple[int, int], ...], Message], ...]:
    """Return all messages of a parsed file, each with the lines where it is given and where it is written."""
    found: list[tuple[tuple[tuple[int, int], ...], Message]] = []
    given: dict[str, list[tuple[ast.expr, str]]] = {}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.Call))
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                given.clear()
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                given.setdefault(name, []).append((value, _text(value)))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                given.setdefault(name, []).append((value, f"{ANYTHING}{_text(value)}"))
        for kind, value in _said(node):
            texts = (
                given.pop(value.id, [])
                if isinstance(value, ast.Name)
                else [(value, _text(value))]
            )
            for written, text in texts:
                if line := one_line(text):
                    # What was made for a log call with arguments has no lines of its
                    # own.
                    placed = [
                        it for it in (node, written) if getattr(it, "end_lineno", None)
                    ]
                    spans = tuple((it.lineno, it.end_lineno or 0) for it in placed)
                    found.append((spans, Message(kind=kind, text=line)))
    return tuple(found)


def _said(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the kind and the text, or a name for it, of what a node tells a user."""
    match node:
        case ast.Raise(exc=ast.Call(func=func) as call):
            kind = _class_name(func)
        case ast.Call(func=func) as call if _name(func) == "warn":
            categories = [
                keyword.value for keyword in call.keywords if keyword.arg == "category"
            ] + call.args[1:2]
            kind = next(
                (_class_name(category) or "Warning" for category in categories),
                "UserWarning",
            )
        case ast.Call(func=ast.Attribute(value=logger, attr=level)) as call:
            kind = LOG if level in _LEVELS and "log" in _name(logger).lower() else ""
        case _:
            return
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = (
        value
        for value in values
        if isinstance(value, ast.Name) or one_line(_text(value))
    )
    if kind and (text := next(texts, None)):
        yield (
            kind,
            ast.BinOp(text, ast.Mod(), text) if kind == LOG and call.args[1:] else text,
        )


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
    """Return a text in one line, nothing if it has no letter or digit; what cannot be printed stands for anything."""
    folded = "".join(
        char if char.isprintable() else ANYTHING for char in " ".join(text.split())
    )
    return _SEVERAL.sub(ANYTHING, folded) if any(map(str.isalnum, folded)) else ""


# -- in a pasted text -----------------------------------------------------------------


def plain(text: str) -> str:
    """Return a text with white space folded, without backticks: a page that renders Markdown has none."""
    return " ".join(text.replace("`", "").split())


def pieces_of(message: Message) -> list[str]:
    """Return the fixed parts of a message in their order, as `plain` returns texts."""
    return [
        piece for part in plain(message.text).split(ANYTHING) if (piece := part.strip())
    ]


def fit(message: Message, pasted: str) -> int:
    """Return how many fixed characters of a message a text has, all of them in their order; 0 if it has not.

    The text is a traceback, a line of it, or a part of a message; it is compared as
    `plain` returns it.
    """
    pieces = pieces_of(message)
    part = pasted.removeprefix(f"{message.kind}: ")
    if (
        len(part) >= LEAST_CHARS
        and " " in part
        and any(part in piece for piece in pieces)
    ):
        return len(part)
    size, at = sum(map(len, pieces)), 0
    if size < LEAST_CHARS:
        pieces[0] = f"{message.kind}: {pieces[0]}"
    for piece in pieces:
        found = pasted.find(piece, at)
        if found < 0:
            return 0
        at = found + len(piece)
    return size
