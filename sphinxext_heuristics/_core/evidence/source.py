"""Where a quote is looked for: source files, and the lines of objects in them."""

from __future__ import annotations

import ast
import sys
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, did_you_mean
from ..model import Lost, LostReason
from ..source.names import BLOCKS, Binding, defined_by, read_file, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Evidence
    from ..source.names import File, State
    from ..source.packages import Sources

#: How many imports are followed to say where an object is not.
_MOST_IMPORTS = 20


class Extent(NamedTuple):
    """The source of an object: a quote is looked for here and nowhere else."""

    #: Its lines.
    text: Sequence[str]
    #: The number of the first of them.
    first: int
    #: What it is, parsed.
    tree: ast.Module


class Source:
    """The text of a source file, and what it defines."""

    def __init__(self, file: File) -> None:
        """Look for definitions in a file."""
        self._lines = file.text.split("\n")
        #: The place that is all of the file.
        self.whole = Extent(self._lines, 1, file.tree)
        #: Qualified name → the statements that define it.
        self.definitions: dict[str, list[ast.stmt]] = {}
        #: The functions and classes that are in no other, in their order.
        self._outermost: list[ast.stmt] = []
        for prefix, node in statements(file.tree):
            if isinstance(node, BLOCKS) and not prefix:
                self._outermost.append(node)
            for name in defined_by(node):
                self.definitions.setdefault(f"{prefix}{name}", []).append(node)

    def places(self, qualname: str) -> list[Extent]:
        """Return the definitions of an object; without a name, the whole module."""
        if not qualname:
            return [self.whole]
        nodes = self.definitions.get(qualname.replace("<locals>.", ""), ())
        return [self._place(node) for node in nodes]

    def _place(self, node: ast.stmt) -> Extent:
        first = _first_line(node)
        text = self._lines[first - 1 : self._last_line(node)]
        return Extent(text, first, ast.Module([node], []))

    def _last_line(self, node: ast.stmt) -> int:
        """Return the last line of a definition, with comments that end its block."""
        last = _end_line(node)
        if not isinstance(node, BLOCKS):
            return last
        for number, line in enumerate(self._lines[last:], last + 1):
            inner = line.lstrip()
            indent = len(line) - len(inner)
            is_comment = inner.startswith("#") and indent > node.col_offset
            if inner and not is_comment:
                break
            if inner:
                last = number
        return last

    def holder(self, line: int) -> str:
        """Return the name of the innermost function or class around a line."""
        around = [
            (node.lineno, name)
            for name, nodes in self.definitions.items()
            for node in nodes
            if isinstance(node, BLOCKS) and _first_line(node) <= line <= _end_line(node)
        ]
        return max(around, default=(0, ""))[1]

    def outermost(self, first: int, last: int) -> Extent:
        """Return the outermost definition around lines, or all of the file."""
        # A file can have very many definitions, and as many quotes.
        at = bisect_left(self._outermost, last, key=attrgetter("end_lineno"))
        for node in self._outermost[at : at + 1]:
            if _first_line(node) <= first:
                return self._place(node)
        return self.whole


def _end_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _first_line(node: ast.stmt) -> int:
    """Return the first line of a statement: that of its first decorator, if any."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


@lru_cache(maxsize=8)
def read_source(at: State) -> Source:
    """Read what a file defines; a few are kept, as their syntax trees are."""
    return Source(read_file(at))


# -- the files to look into ------------------------------------------------------------


def _is_module_name(module: str) -> bool:
    return all(part.isidentifier() for part in module.split("."))


def whereabouts(
    quoted: Evidence, sources: Sources
) -> Iterator[tuple[Evidence, State] | Lost]:
    """Yield the files that may define an object, in the order in which to look.

    The first is the module's own, then come those from which the module imports the
    object or its class inherits it. The last one, followed import by import, is where
    it should be; that file's names are those to choose from. In place of a file that
    cannot be read is what is wrong with it.
    """
    own_file = sources.state(quoted.module) if _is_module_name(quoted.module) else None
    if own_file is None:
        yield _dotted(quoted, sources) or _without_source(quoted.module, sources)
        return
    # Only where the object is not in it is any other file looked for.
    yield quoted, own_file
    for module, qualname in sources.locate(f"{quoted.module}.{quoted.qualname}"):
        if at := sources.state(module):
            yield quoted._replace(module=module, qualname=qualname), at
    yield _followed(quoted, own_file, sources)


def _followed(
    quoted: Evidence, at: State, sources: Sources
) -> tuple[Evidence, State] | Lost:
    """Return the file to which imports lead, which may be the one where they begin."""
    head, dot, rest = quoted.qualname.partition(".")
    for _step in range(_MOST_IMPORTS):
        names = sources.names(quoted.module)
        module, name, _is_certain = names.bindings.get(head, Binding())
        if not (module and name):
            break
        there = sources.state(module)
        if there is None:
            message = (
                f"{quoted.module!r} imports {head!r} from {module!r}: "
                f"{_without_source(module, sources).message}"
            )
            return Lost(LostReason.NO_OBJECT, message, path=at.path)
        quoted = quoted._replace(module=module, qualname=f"{name}{dot}{rest}")
        at, head = there, name
    return quoted, at


def _dotted(quoted: Evidence, sources: Sources) -> Lost | None:
    """Return how to write an object named as if it were a module, if it is one."""
    module = quoted.module
    located = sources.locate(module) if _is_module_name(module) else ()
    if quoted.qualname or not located:
        return None
    better = ":".join(located[0])
    message = f"{module!r} is not a module: for the object write {better!r}"
    return Lost(LostReason.NO_MODULE, message)


def _without_source(module: str, sources: Sources) -> Lost:
    """Return what is missing: the package, a module in it, or only its source."""
    if not _is_module_name(module):
        message = f"{module!r} is not the name of a module"
        return Lost(LostReason.NO_MODULE, message)
    if module in sys.builtin_module_names:
        message = f"module {module!r} is part of Python itself, it has no source"
        return Lost(LostReason.NO_SOURCE, message)
    for part in accumulate(module.split("."), "{}.{}".format):
        if not sources.exists(part):
            return _without_module(part, sources)
    message = f"module {module!r} has no Python source to read"
    return Lost(LostReason.NO_SOURCE, message)


def _without_module(missing: str, sources: Sources) -> Lost:
    above = missing.rpartition(".")[0]
    modules = [f"{above}.{name}".lstrip(".") for name in sources.modules(above)]
    alike = did_you_mean(closest(missing, modules))
    if above:
        message = f"package {above!r} has no module {missing!r}{alike}"
        return Lost(LostReason.NO_MODULE, message)
    message = f"package {missing!r} is not installed{alike}"
    return Lost(LostReason.NO_PACKAGE, message)
