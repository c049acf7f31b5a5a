"""How a quote can be read, and where each reading finds it in an object's source."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sphinxext_heuristics.evidence.fragments import Edges, normalised
from sphinxext_heuristics.evidence.lexer import Kind, parse, said, tokens
from sphinxext_heuristics.evidence.prose import Prose
from sphinxext_heuristics.evidence.scope import elements
from sphinxext_heuristics.evidence.syntax import Lines, matching_lines, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinxext_heuristics.evidence.lexer import Token
    from sphinxext_heuristics.evidence.scope import Scope
    from sphinxext_heuristics.evidence.syntax import Line

#: First and last line of what was found.
Span = tuple[int, int]


class Reading(Protocol):
    """One way to understand a quote."""

    def find(self, scope: Scope) -> Span | None:
        """Return the first place in *scope* that says the same, or ``None``."""


def readings(quote: str, *, prose: bool) -> list[Reading]:
    """Return the ways to read *quote*, the first that finds it counts; nothing if nothing is quoted.

    What has a syntax is compared by it alone: as tokens, ``x = a`` would be found in ``x = a + b``.
    """
    text = textwrap.dedent(quote.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    lexed = list(tokens(text))
    code = [token for token in lexed if token.kind is not Kind.COMMENT]
    if not lexed:
        return []
    if prose or not code:
        return [Prose(text)]
    structured = [*_statements(text, code), *_listed(text, code), *_strings(code)]
    return structured or [Fragment(code)]


def _statements(text: str, code: Sequence[Token]) -> Iterator[Reading]:
    """Yield the reading as statements or as an expression, or nothing."""
    for prefix, suffix in completions(text, code):
        completed = f"{prefix}{text}{suffix}\n"
        try:
            tree = parse(completed)
        except ValueError:
            continue
        if not isinstance(tree, ast.Module):  # pragma: no cover - what mode "exec" gives
            continue
        if any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Starred) for node in tree.body):
            return  # "* b" on a line of its own: the second half of a product
        if not prefix and not suffix and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            yield Expression(tree.body[0].value)
            return
        above = prefix.count("\n")
        yield Statements(
            tree=tree,
            text=tuple(completed.split("\n")),
            first=above + 1,
            last=above + text.count("\n") + 1,
            is_open=bool(suffix),
            comments=code[0].line - 1,
        )
        return


#: How many levels of indentation Python reads.
_MAX_LEVELS = 100


def completions(text: str, code: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield what may stand before and after *text* so that it parses: nothing first."""
    lines = text.split("\n")
    head, tail = lines[code[0].line - 1], lines[code[-1].line - 1]
    indent = tail[: len(tail) - len(tail.lstrip())]
    inner = " " * (max(len(line) - len(line.lstrip()) for line in lines) + 4)
    suffixes = [""]
    if code[-1].text == ":":
        block = f"\n{inner}pass"
        suffixes += [block, f"{block}\n{indent}finally:{block}"]
    elif head.startswith("@"):
        suffixes.append(f"\n{indent}def _():\n{inner}pass")
    prefixes = [""]
    if head[:1].isspace():
        depth = len(head) - len(head.lstrip())
        for step in (step for step in (4, 2, depth) if depth <= step * _MAX_LEVELS):
            blocks = "".join(f"{' ' * at}if _:\n" for at in range(0, depth, step))
            prefixes += [blocks, blocks.replace("if _", "try", 1), blocks.replace("if", "match", 1)]
    elif code[0].text in {"elif", "else", "except", "finally"}:
        prefixes += ["if _:\n    pass\n", "try:\n    pass\n", "try:\n    pass\nexcept _:\n    pass\n"]
    elif code[0].text == "case":
        prefixes.append("match _:\n")
    for prefix in prefixes:
        for suffix in suffixes:
            yield prefix, suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Statements, one right below the other, or the beginning of one."""

    #: The quote as parsed, what completes it included.
    tree: ast.Module
    #: Its text, line by line.
    text: tuple[str, ...]
    #: The first line of the text that is quoted.
    first: int
    #: The last one.
    last: int
    #: Whether the last statement's block is left out of the quote.
    is_open: bool
    #: How many lines of comments the quote begins with.
    comments: int

    def find(self, scope: Scope) -> Span | None:
        """Return where these statements stand; a compound one that is quoted with its block, whole."""
        for quoted, lines in self._in(scope):
            for at in matching_lines(quoted, lines):
                if self.is_open or _ends(lines, at, at + len(quoted)):
                    return scope.above(lines[at].first, self.comments), lines[at + len(quoted) - 1].last
        return None

    def part(self, scope: Scope) -> Span | None:
        """Return where these statements stand, though they go on there."""
        for quoted, lines in self._in(scope):
            for at in matching_lines(quoted, lines):
                return lines[at].first, lines[at + len(quoted) - 1].last
        return None

    def _in(self, scope: Scope) -> Iterator[tuple[list[Line], list[Line]]]:
        """Yield the quote's lines and those to find them in: without docstrings, if it has none."""
        _ = scope.numbers  # learns the shapes
        numbers = scope.shapes.recognise(self.tree)
        for spelled in (False, True):
            found = Lines(numbers, self.text, spelled=spelled).of(self.tree.body, may_have_docstring=True)
            quoted = [line for line in found if self.first <= line.first <= self.last]
            docstrings = any(line.docstring for line in quoted)
            yield quoted, scope.lines(spelled=spelled, docstrings=docstrings)


def _ends(lines: Sequence[Line], first: int, after: int) -> bool:
    """Tell whether what begins in ``lines[first:after]`` ends there, too."""
    outermost = min(line.depth for line in lines[first:after])
    if after == len(lines) or lines[after].depth < outermost:
        return True
    # a quote that begins amid a statement, with its "else" say, need not hold the rest of it
    begun = any(line.depth == outermost and not line.goes_on for line in lines[first:after])
    return lines[after].depth == outermost and not (lines[after].goes_on and begun)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, wherever it is part of one."""

    node: ast.expr

    def find(self, scope: Scope) -> Span | None:
        """Return where this expression stands."""
        _ = scope.numbers  # learns the shapes
        if found := scope.expressions.get(scope.shapes.recognise(self.node)[self.node]):
            return found
        statement = ast.Expr(value=self.node)
        return scope.documentation.get(scope.shapes.recognise(statement)[statement])


@dataclass(frozen=True, slots=True)
class Listed:
    """Arguments, parameters or items that stand side by side, or operands of ``and`` or of ``or``."""

    node: ast.AST
    #: How many of them only make the quote parse.
    aside: int = 0

    def find(self, scope: Scope) -> Span | None:
        """Return where they stand side by side in this order, among others or not."""
        _ = scope.numbers  # learns the shapes
        quoted = [shape for shape, _first, _last in elements(self.node, scope.shapes.recognise(self.node))][
            self.aside :
        ]
        for items in scope.lists:
            if (at := next(occurrences(quoted, [shape for shape, _first, _last in items]), None)) is not None:
                return items[at][1], items[at + len(quoted) - 1][2]
        return None


#: What makes a list of what stands between.
_BRACKETS = (("_(", ")"), ("def _(", "): pass"), ("def _(*, ", "): pass"), ("{", "}"), ("(", ")"))


def _listed(text: str, code: Sequence[Token]) -> Iterator[Reading]:
    """Yield the readings of *text* as a part of a list; what would be a list of one is an expression."""
    is_one = len(code) == 1
    for before, after in _BRACKETS:
        try:
            # on lines of its own: the text may end with a comment
            tree = parse(f"{before}\n{text}\n{after}")
        except ValueError:
            continue
        match tree:
            case ast.Module(
                body=[ast.Expr(value=ast.Call(func=ast.Name(id="_"), args=args, keywords=keywords) as node)]
            ):
                if (
                    len(args) > 1
                    or keywords
                    or any(isinstance(arg, ast.Starred) for arg in args)
                    or code[-1].text == ","
                ):
                    yield Listed(node)
            case ast.Module(body=[ast.FunctionDef(args=parameters, body=[ast.Pass()])]) if not is_one:
                yield Listed(parameters, aside=int("*" in before))
            case ast.Module(body=[ast.Expr(value=ast.Dict() as node)]) if before == "{" and code[0].text != "{":
                yield Listed(node)
            case ast.Module(body=[ast.Expr(value=ast.BoolOp() as node)]) if before == "(":
                yield Listed(node)


@dataclass(frozen=True, slots=True)
class Strings:
    """Some of the strings that stand side by side and are one to Python."""

    said: str

    def find(self, scope: Scope) -> Span | None:
        """Return where strings say this together, from the beginning of one to the end of one."""
        for group in scope.literals:
            text = "".join(item.text for item in group)
            at = 0
            for number, item in enumerate(group):
                if text.startswith(self.said, at) and (last := _last_of(group[number:], len(self.said))) is not None:
                    return item.token.line, group[number + last].token.end_line
                at += len(item.text)
        return None


def _last_of(group: Sequence[object], length: int) -> int | None:
    """Return which of the strings ends after *length* characters, ``None`` if none does."""
    total = 0
    for number, item in enumerate(group):
        total += len(getattr(item, "text", ""))
        if total >= length:
            return number if total == length else None
    return None


def _strings(code: Sequence[Token]) -> Iterator[Reading]:
    """Yield the reading as strings side by side."""
    if all(token.kind is Kind.STRING for token in code):
        yield Strings("".join(said(token.text) for token in code))


@dataclass(frozen=True, slots=True)
class Fragment:
    """What has no syntax of its own: tokens."""

    code: Sequence[Token]

    def find(self, scope: Scope) -> Span | None:
        """Return where these tokens stand side by side, layout and redundant marks aside."""
        for bare, joined in ((False, True), (False, False), (True, True), (True, False)):
            text = normalised(scope.tokens, bare=bare, joined=joined, edges=Edges.OPEN)
            keys = [item.key for item in text]
            for edges in Edges if bare else (Edges.KEPT,):
                pattern = [item.key for item in normalised(self.code, bare=bare, joined=joined, edges=edges)]
                if pattern and (at := next(occurrences(pattern, keys), None)) is not None:
                    return text[at].line, text[at + len(pattern) - 1].end_line
        return None
