"""Where a quote is looked for: source files, and the lines of objects in them."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..diagnostics import closest, did_you_mean
from ..model import Lost, LostReason
from ..source.names import definitions, read_file, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..model import Evidence
    from ..source.names import File, State
    from ..source.packages import Sources


#: The first and the last line of a passage.
Lines: TypeAlias = tuple[int, int]


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
        self.definitions = definitions(statements(file.tree))

    def places(self, qualname: str) -> list[Extent]:
        """Return the definitions of an object; without a name, the whole module."""
        if not qualname:
            return [self.whole]
        nodes = self.definitions.get(qualname.replace("<locals>.", ""), ())
        return [self._place(node) for node in nodes]

    def holder(self, line: int, names: Iterable[str]) -> str:
        """Return the innermost of named objects that has a line, or ``""``."""
        found = [
            (place.first, name)
            for name in names
            for place in self.places(name)
            if 0 <= line - place.first < len(place.text)
        ]
        return max(found, default=(0, ""))[1]

    def leads_to(self, qualname: str, other: str) -> bool:
        """Return whether code of an object may have moved into another.

        That is what it names, such as a helper that it calls, or the same member of a
        base class; of an object that is gone, any.
        """
        if qualname not in self.definitions:
            return True
        owner, _dot, own = qualname.rpartition(".")
        holder, _dot, last = other.rpartition(".")
        if last == own:
            return holder in self._bases(owner)
        named = {
            getattr(node, "id", getattr(node, "attr", None))
            for place in self.places(qualname)
            for node in ast.walk(place.tree)
        }
        return last in named

    def _bases(self, name: str) -> set[str]:
        """Return the names of a class's bases in this module, and of theirs."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for node in self.definitions.get(waiting.pop(), ()):
                written = map(ast.unparse, getattr(node, "bases", ()))
                new = {*written} & self.definitions.keys() - found
                found |= new
                waiting += new
        return found

    def _place(self, node: ast.stmt) -> Extent:
        decorated: list[ast.stmt] = [*getattr(node, "decorator_list", ()), node]
        first = decorated[0].lineno
        # Comments that end its block are its own.
        comment = re.compile(rf"\s*$|\s{{{node.col_offset + 1},}}#")
        below = takewhile(comment.match, self._lines[node.end_lineno :])
        text = [*self._lines[first - 1 : node.end_lineno], *below]
        return Extent(text, first, ast.Module([node], []))


@lru_cache(maxsize=8)
def read_source(at: State) -> Source:
    """Read what a file defines; a few are kept, as their syntax trees are."""
    return Source(read_file(at))


def without_source(quoted: Evidence, sources: Sources) -> Lost:
    """Say what is missing: the package, a module in it, or only its source."""
    module = quoted.module
    missing = [
        part
        for part in accumulate(module.split("."), "{}.{}".format)
        if not sources.exists(part)
    ]
    if not missing:
        message = f"module {module!r} has no Python source to read"
        return Lost(LostReason.NO_SOURCE, message)
    above = missing[0].rpartition(".")[0]
    modules = [f"{above}.{name}".lstrip(".") for name in sources.modules(above)]
    alike = closest(missing[0], modules)
    for place in sources.locate(module)[:1]:
        # An object is named as if it were a module.
        alike = (".".join(filter(None, (":".join(place), quoted.qualname))),)
    if above:
        message = f"{above!r} has no module {missing[0]!r}{did_you_mean(alike)}"
        return Lost(LostReason.NO_MODULE, message)
    message = f"package {missing[0]!r} is not installed{did_you_mean(alike)}"
    return Lost(LostReason.NO_PACKAGE, message)
