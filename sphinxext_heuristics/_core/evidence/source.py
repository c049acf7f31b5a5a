"""Where a quote is looked for: source files, and the lines of objects in them."""

from __future__ import annotations

import ast
import sys
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import closest, did_you_mean
from ..model import Lost, LostReason
from ..source.names import Binding, parse, read_names, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..model import Evidence
    from ..source.names import Names, Span, State
    from ..source.packages import Sources

#: How many imports are followed to say where an object is not.
_MOST_IMPORTS = 20


class Extent(NamedTuple):
    """The source of an object: a quote is looked for here and nowhere else."""

    #: Its lines.
    text: Sequence[str]
    #: The number of the first of them.
    first: int
    #: What to parse: all of a file, or a statement in the same line as in the file.
    code: str
    #: Whether the statement is indented, and so in an ``if`` that is not in the file.
    is_wrapped: bool = False

    def parse(self) -> ast.Module:
        """Return its syntax tree, which nothing keeps.

        Raises `ValueError` if it is not Python.
        """
        tree = parse(self.code)
        match tree.body:
            case [ast.If(body=body)] if self.is_wrapped:
                return ast.Module(body, [])
        return tree


class Source:
    """The text of a source file, and what it defines."""

    def __init__(self, text: str, names: Names) -> None:
        """Take what was read from a file."""
        self.names = names
        self._text = text
        self._lines = text.split("\n")

    @property
    def whole(self) -> Extent:
        """Return the place that is all of the file."""
        return Extent(self._lines, 1, self._text)

    def places(self, qualname: str) -> list[Extent]:
        """Return the definitions of an object; without a name, the whole module."""
        if not qualname:
            return [self.whole]
        spans = self.names.definitions.get(qualname.replace("<locals>.", ""), ())
        return [self._place(span) for span in spans]

    def _place(self, span: Span) -> Extent:
        lines = self._lines[span.first - 1 : span.end_line]
        cut = [line.encode() for line in lines]
        cut[-1] = cut[-1][: span.end_column]
        # A form feed begins an indentation anew.
        before = cut[0][: span.column].rpartition(b"\f")[2]
        is_wrapped = before.isspace()
        cut[0] = cut[0][span.column :]
        above = "\n" * (span.first - 1)
        if is_wrapped:
            cut[0] = before + cut[0]
            above = f"{above[1:]}if 1:\n"
        code = above + b"\n".join(cut).decode()
        text = self._lines[span.first - 1 : self._last_line(span)]
        return Extent(
            text,
            span.first,
            code,
            is_wrapped,
        )

    def _last_line(self, span: Span) -> int:
        """Return the last line of a definition, with comments that end its block."""
        last = span.end_line
        if not span.is_block:
            return last
        for number, line in enumerate(self._lines[last:], last + 1):
            inner = line.lstrip()
            is_comment = inner.startswith("#") and len(line) - len(inner) > span.column
            if inner and not is_comment:
                break
            if inner:
                last = number
        return last

    def holder(self, line: int) -> str:
        """Return the name of the innermost function or class around a line."""
        around = [(span.line, name) for name, span in self._around(line, line)]
        return max(around, default=(0, ""))[1]

    def outermost(self, first: int, last: int) -> Extent:
        """Return the outermost definition around lines, or all of the file."""
        around = [span for _name, span in self._around(first, last)]
        return self._place(min(around)) if around else self.whole

    def _around(self, first: int, last: int) -> Iterator[tuple[str, Span]]:
        """Yield the functions and classes around lines."""
        for name, spans in self.names.definitions.items():
            for span in spans:
                if span.is_block and span.first <= first and last <= span.end_line:
                    yield name, span


def read(at: State, module: str) -> Source:
    """Return the source of a module.

    Raises `OSError` if it cannot be read, `ValueError` with the reason if it is not
    Python.
    """
    text = text_of(at)
    names = read_names(at, module)
    if names.fault:
        raise ValueError(names.fault)
    return Source(text, names)


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
            return Lost(reason=LostReason.NO_OBJECT, message=message, path=at.path)
        quoted = quoted._replace(module=module, qualname=f"{name}{dot}{rest}")
        at, head = there, name
    return quoted, at


def _dotted(quoted: Evidence, sources: Sources) -> Lost | None:
    """Return how to write an object named as if it were a module, if it is one."""
    module = quoted.module
    located = sources.locate(module) if _is_module_name(module) else ()
    if quoted.qualname or not located:
        return None
    return Lost(
        reason=LostReason.NO_MODULE,
        message=f"{module!r} is not a module: for the object write "
        f"{':'.join(located[0])!r}",
    )


def _without_source(module: str, sources: Sources) -> Lost:
    """Return what is missing: the package, a module in it, or only its source."""
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
    missing = next(
        (
            part
            for part in accumulate(module.split("."), "{}.{}".format)
            if not sources.exists(part)
        ),
        "",
    )
    if missing:
        above = missing.rpartition(".")[0]
        modules = [f"{above}.{name}".lstrip(".") for name in sources.modules(above)]
        alike = did_you_mean(closest(missing, modules))
        if above:
            message = f"package {above!r} has no module {missing!r}{alike}"
            return Lost(reason=LostReason.NO_MODULE, message=message)
        message = f"package {missing!r} is not installed{alike}"
        return Lost(reason=LostReason.NO_PACKAGE, message=message)
    return Lost(
        reason=LostReason.NO_SOURCE,
        message=f"module {module!r} has no Python source to read",
    )
