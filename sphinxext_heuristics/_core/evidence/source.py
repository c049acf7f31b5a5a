"""Where an object is defined: the source files to look into, and the objects that these define."""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.model import Lost, LostReason
from sphinxext_heuristics._core.source.names import Definition, defined_by, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinxext_heuristics._core.model import Evidence
    from sphinxext_heuristics._core.source.names import State
    from sphinxext_heuristics._core.source.packages import Sources

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

#: A block of evidence in a docstring: to its fence, to the end of its indentation, or
#: to that of the docstring.
_EVIDENCE = re.compile(
    r"""
    ^(?P<indent>[ \t]*)
    (?: \.\.[ \t]+evidence::.*  (?: \n (?: [ \t]*$ | (?P=indent)[ \t]+ (?: (?!\"{3}|'{3}). )* ) )*
      | (?P<fence>`{3,}|~{3,}|:{3,})\{evidence\}.*  (?: \n (?![ \t]*(?P=fence)[ \t]*$) (?: (?!\"{3}|'{3}). )* )*
    )
    """,
    re.MULTILINE | re.VERBOSE,
)

#: How many imports are followed to say where an object is not.
_MOST_IMPORTS = 20


class Place(NamedTuple):
    """The source of an object: a quote is looked for here and nowhere else."""

    #: The statement that defines it, or all of a module's.
    body: Sequence[ast.stmt]
    #: Its lines.
    text: Sequence[str]
    #: The number of the first of them.
    first: int


class Source:
    """A source file."""

    def __init__(self, text: str) -> None:
        """Parse the text of a file, without the evidence in its docstrings: a quote would find itself there.

        Raises `ValueError` with line and reason if it is not Python.
        """
        text = _EVIDENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
        self.tree = parse(text)
        self._text = text.split("\n")

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """Qualified name → the statements that define it, those in branches and functions included."""
        found: dict[str, list[ast.stmt]] = {}
        waiting: list[tuple[str, ast.AST]] = [("", self.tree)]
        while waiting:
            prefix, node = waiting.pop()
            if isinstance(node, ast.stmt):
                for name in defined_by(node):
                    found.setdefault(f"{prefix}{name}", []).append(node)
            inner = (
                f"{prefix}{node.name}." if isinstance(node, _DEFINITIONS) else prefix
            )
            children = [
                node
                for node in ast.iter_child_nodes(node)
                if isinstance(node, _HOLDERS)
            ]
            waiting.extend((inner, child) for child in reversed(children))
        return found

    def places(self, qualname: str) -> list[Place]:
        """Return the definitions of an object; without a name the whole module; nothing if there are none."""
        if not qualname:
            return [Place(self.tree.body, self._text, 1)]
        found = self.definitions.get(qualname.replace("<locals>.", ""), [])
        return [
            Place([node], self._text[starts(node) - 1 : self._end(node)], starts(node))
            for node in found
        ]

    def _end(self, node: ast.stmt) -> int:
        """Return the last line of a statement, including comments that end its block."""
        last = at = node.end_lineno or node.lineno
        for line in self._text[last:] if isinstance(node, _DEFINITIONS) else ():
            at += 1
            inner = line.lstrip()
            if inner and not (
                inner.startswith("#") and len(line) - len(inner) > node.col_offset
            ):
                break
            last = at if inner else last
        return last

    def holder(self, line: int) -> str:
        """Return the name of the innermost function or class around a line, or nothing."""
        around = [
            (node.lineno, name)
            for name, nodes in self.definitions.items()
            for node in nodes
            if isinstance(node, _DEFINITIONS)
            and starts(node) <= line <= (node.end_lineno or 0)
        ]
        return max(around, default=(0, ""))[1]


#: What statements are in.
_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)


def starts(node: ast.stmt) -> int:
    """Return the first line of a statement, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


@lru_cache(maxsize=16)
def read(state: State) -> Source:
    """Read and parse a file, or remember it.

    Raises `OSError` if it cannot be read, `ValueError` with the reason if it is not
    Python.
    """
    try:
        with tokenize.open(state.path) as file:
            text = file.read()
    except (SyntaxError, UnicodeError) as error:
        raise ValueError(f"its text cannot be decoded: {error}") from error
    return Source(text)


def definition(dotted: str, sources: Sources) -> Definition | None:
    """Return where *dotted* is defined, a member perhaps by a base class; ``None`` if no source defines it."""
    lineage = sources.lineage(dotted)
    found = sources.canonical(lineage[-1]) if lineage else (dotted, "")
    at = sources.state(found[0]) if found else None
    if found is None or at is None:
        return None
    try:
        # The last one is what runs: those before may be overloads.
        node = read(at).definitions[found[1]][-1] if found[1] else ast.Pass(lineno=1)
    except (OSError, ValueError, KeyError):
        return None
    return Definition(
        name=".".join(filter(None, found)),
        path=at.path,
        line=node.lineno,
        is_described=not isinstance(node, _DEFINITIONS)
        or ast.get_docstring(node, clean=False) is not None,
        is_inherited=len(lineage) > 1,
        is_module=not found[1],
    )


# -- the files to look into ------------------------------------------------------------


def _is_module_name(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def whereabouts(
    quoted: Evidence, sources: Sources
) -> Iterator[tuple[Evidence, State] | Lost]:
    """Yield the files that may define an object, in the order in which to look; at the end, what is in the way.

    The first is the module's own, then come those from which the module imports the
    object or its class inherits it. The last one, followed import by import, is where
    it should be; that file's names are those to choose from.
    """
    own = sources.state(quoted.module) if _is_module_name(quoted.module) else None
    if own is None:
        yield _dotted(quoted, sources) or _without_source(quoted.module, sources)
    else:
        yield quoted, own
        dotted = f"{quoted.module}.{quoted.qualname}"
        inherited = [sources.canonical(name) for name in sources.lineage(dotted)[:0:-1]]
        for origin in dict.fromkeys([sources.canonical(dotted), *inherited]):
            if origin and (at := sources.state(origin[0])):
                yield quoted._replace(module=origin[0], qualname=origin[1]), at
        yield _followed(quoted, own, sources)


def _followed(
    quoted: Evidence, at: State, sources: Sources
) -> tuple[Evidence, State] | Lost:
    """Return the file to which imports lead, which may be the one where they begin."""
    head, dot, rest = quoted.qualname.partition(".")
    for _step in range(_MOST_IMPORTS):
        module, name = sources.names(quoted.module).imported.get(head, ("", ""))
        if not name:
            break
        there = sources.state(module)
        if there is None:
            message = (
                f"{quoted.module!r} imports {head!r} from {module!r}: "
                f"{_without_source(module, sources).message}"
            )
            return Lost(reason=LostReason.NO_OBJECT, message=message, path=at.path)
        quoted, at, head = (
            quoted._replace(module=module, qualname=f"{name}{dot}{rest}"),
            there,
            name,
        )
    return quoted, at


def _dotted(quoted: Evidence, sources: Sources) -> Lost | None:
    """Say how to write an object that is named as if it were a module; ``None`` if it is none."""
    module = quoted.module
    if quoted.qualname or not _is_module_name(module) or not sources.canonical(module):
        return None
    parts = module.split(".")
    known = next(
        n for n in range(len(parts), 0, -1) if sources.exists(".".join(parts[:n]))
    )
    written = f"{'.'.join(parts[:known])}:{'.'.join(parts[known:])}"
    return Lost(
        reason=LostReason.NO_MODULE,
        message=f"{module!r} is not a module: for the object write {written!r}",
    )


def _without_source(module: str, sources: Sources) -> Lost:
    """Say what is missing: the package, a module in it, or only its source."""
    if not _is_module_name(module):
        return Lost(
            reason=LostReason.NO_MODULE,
            message=f"{module!r} is not the name of a module",
        )
    if module in sys.builtin_module_names:
        return Lost(
            reason=LostReason.NO_SOURCE,
            message=f"module {module!r} is part of Python itself, it has no source",
        )
    above = ""
    for name in module.split("."):
        child = f"{above}.{name}".lstrip(".")
        if not sources.exists(child):
            alike = did_you_mean(
                closest(
                    child,
                    (f"{above}.{one}".lstrip(".") for one in sources.modules(above)),
                )
            )
            if above:
                message = f"package {above!r} has no module {child!r}{alike}"
                return Lost(reason=LostReason.NO_MODULE, message=message)
            return Lost(
                reason=LostReason.NO_PACKAGE,
                message=f"package {child!r} is not installed{alike}",
            )
        above = child
    where = sources.origin(module) or "a folder without code of its own"
    return Lost(
        reason=LostReason.NO_SOURCE,
        message=f"module {module!r} has no Python source to read: it is {where}",
    )
