"""Add heuristics to the docstrings that doc-builder reads, as alerts.

``python -m sphinxext_heuristics.docbuilder hook`` writes this file and the JSON file
beside it; edit neither.

It needs only the standard library. doc-builder's ``_config.py`` calls it in two lines::

    import runpy


    runpy.run_path(__file__.replace("_config.py", "_heuristics.py"))["add_alerts"]()
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

T = TypeVar("T")


class Note(NamedTuple):
    """A heuristic in a docstring."""

    name: str
    parameter: str = ""  # where it is
    member: str = ""  # what it is about, if that has no card
    is_open: bool = True  # an alert, and not only its title in a line


class Card(NamedTuple):
    """An object whose docstring takes notes."""

    target: Any
    owner: type | None  # the class that it is a member of
    name: str  # there
    docstring: str
    notes: list[Note]


FORM = 2  # of the JSON file
MAX_SHOWN = 5  # alerts of an object; the others are named in one line
MAX_AT_PARAMETER = 2

# where the package keeps what was changed: doc-builder runs _config.py twice
_CHANGED = "_heuristics_docstrings"
# what makes a docstring reStructuredText for doc-builder, where code has two backticks
_RST = re.compile(
    r"(?:^|[^`])``[^`]+``(?:[^`]|$)|:(?:obj|func|class|meth):`[^`]+`"
    r"|^[ \t]*Example.*::\s*$",
    re.MULTILINE,
)
# a line that is not the first paragraph's: a section of Google's style, or a block of
# Markdown
_BLOCK = re.compile(
    r"\s*(?:(?:Args?|Arguments?|Attributes?|Examples?|Keyword Args|Notes?|Params?|"
    r"Parameters?|Raises?|References?|Returns?|Tips?|Usage|Warnings?|Yields?):+\s*$|"
    r"```|~~~|>|#+ |[-*+] |\d+[.)] |</?[A-Z]|\||\.\. )"
)


def add_alerts(path: str | Path | None = None) -> None:
    """Add the heuristics of a file to the docstrings of its package.

    A second call changes nothing.
    """
    data = _read(path or Path(__file__).with_suffix(".json"))
    problem = f"{data['package']} cannot be imported, no heuristic is shown"
    package = attempt(problem, importlib.import_module, data["package"])
    if isinstance(package, str):
        _say(package)
        # doc-builder fails where it imports the package; other commands do without
        return
    again = _CHANGED in vars(package)
    changed: list[tuple[Any, str, str]] = vars(package).setdefault(_CHANGED, [])
    while changed:
        target, before, after = changed.pop()
        if target.__doc__ == after:
            target.__doc__ = before
    found, left_out = cards(data, package)
    for name, card in list(found.items()):
        problem = "its docstring cannot be changed"
        failure = attempt(problem, _write, card, data, changed)
        if failure:
            left_out[name] = failure
            del found[name]
    if not again:
        for name, reason in left_out.items():
            _say(f"{name}: {reason}; it shows no heuristic")
        count = sum(note.is_open for card in found.values() for note in card.notes)
        _say(f"{count} in {len(found)} docstrings of {package.__name__}")


def attempt(problem: str, call: Callable[..., T], *arguments: object) -> T | str:
    """Return what a call returns, or the problem with its error as text.

    Only KeyboardInterrupt is raised.
    """
    try:
        return call(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may exit as it is imported
        return f"{problem}: {type(error).__name__}: {error}"


def _read(path: str | Path) -> dict[str, Any]:
    data: dict[str, Any] = {}
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        form = data["form"]
        problem = "" if form == FORM else f"its form is {form!r}, and not {FORM}"
    except (OSError, ValueError, LookupError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        hint = "write it again: python -m sphinxext_heuristics.docbuilder hook"
        raise SystemExit(f"{path}: cannot be used ({problem}); {hint}")
    return data


def cards(
    data: dict[str, Any], package: ModuleType
) -> tuple[dict[str, Card], dict[str, str]]:
    """Return the objects that take notes, and why others take none.

    Keys are names as in the data, and for classes that only name what their members
    inherit, their own.
    """
    found: dict[str, Card] = {}
    left_out: dict[str, str] = {}
    for kind in ("alerts", "lines"):
        for key, names in data[kind].items():
            name, _, parameter = key.partition("#")
            notes = [Note(it, parameter, "", kind == "alerts") for it in names]
            reason = attempt("there is no card", _add, found, name, notes, package)
            if reason:
                left_out[name] = reason
    for card in list(found.values()):
        if card.owner:
            _add_to_heirs(found, card, data)
    order = list(data["heuristics"])
    for card in found.values():
        card.notes.sort(key=lambda note: order.index(note.name))
    return found, left_out


def _add(
    found: dict[str, Card], name: str, notes: list[Note], package: ModuleType
) -> str:
    """Add notes to the card of an object, or of its class; return why to none."""
    owner, target = walk(package, name.removeprefix(f"{package.__name__}."))
    part = name.rpartition(".")[2]
    cls = owner if isinstance(owner, type) else None
    target = getattr(target, "__func__", target)
    target = target.fget if isinstance(target, property) else target
    docstring, reason = _docstring(target), ""
    if docstring is None:
        reason = "it has no docstring"
    # doc-builder lists a method only if no superclass has its docstring
    for base in cls.__mro__[1:] if cls and docstring else ():
        if getattr(getattr(base, part, None), "__doc__", None) == docstring:
            reason = "its docstring is inherited"
    if reason and cls:
        docstring = _docstring(cls)
        is_own = part in vars(cls)
        notes = [Note(note.name, "", part, note.is_open and is_own) for note in notes]
        name, target, cls, part = name.rpartition(".")[0], cls, None, ""
    if docstring is None:
        return reason
    card = found.setdefault(name, Card(target, cls, part, docstring, []))
    card.notes.extend(note for note in notes if note not in card.notes)
    return ""


def _add_to_heirs(found: dict[str, Card], card: Card, data: dict[str, Any]) -> None:
    """Name what a method's card shows at the subclasses that inherit the method."""
    known = {id(other.target): name for name, other in found.items()}
    for cls in _subclasses(card.owner):
        docstring = _docstring(cls)
        if docstring is None or getattr(cls, card.name, None) is not card.target:
            continue
        name = known.get(id(cls), f"{cls.__module__}.{cls.__qualname__}")
        names = {name, f"{data['package']}.{cls.__name__}"}
        inherited = []
        for note in card.notes:
            excepted = data["heuristics"][note.name]["except"]
            if note.is_open and not note.member and not names & {*excepted}:
                inherited.append(Note(note.name, "", card.name, is_open=False))
        if inherited:
            heir = Card(cls, None, cls.__name__, docstring, [])
            found.setdefault(name, heir).notes.extend(inherited)


def walk(package: ModuleType, names: str) -> tuple[object, object]:
    """Return an object and what it is an attribute of, as doc-builder finds it.

    *names* are those below the package. Raises LookupError where there is no such
    object, and ImportError where something on the way cannot be imported.
    """
    owner: object = package
    found: object = package
    for name in names.split("."):
        owner, found = found, _attribute(found, name)
        if found is None:
            raise LookupError("there is no such object")
    return owner, found


def _attribute(owner: object, name: str) -> object | None:
    if isinstance(owner, type) and not any(name in vars(it) for it in owner.__mro__):
        return None  # what a metaclass makes up
    path = f"{getattr(owner, '__name__', '')}.{name}"
    try:
        found: object | None = getattr(owner, name, None)
        if found is None and hasattr(owner, "__path__") and name != "__main__":
            module = importlib.import_module(path)
            # if its parent is lazy, a module may not be an attribute of it
            found = getattr(owner, name, None) or module
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may exit as it is imported
        if isinstance(error, ModuleNotFoundError) and error.name == path:
            return None
        message = f"cannot import {path}: {type(error).__name__}: {error}"
        raise ImportError(message) from error
    return found


def _docstring(target: object) -> str | None:
    """Return an object's own docstring, ``None`` for one of its type or generated."""
    docstring = getattr(target, "__doc__", None)
    if (
        not isinstance(docstring, str)
        or not docstring.strip()
        or docstring == type(target).__doc__
    ):
        return None
    generated = (
        isinstance(target, type)
        and docstring.startswith(f"{target.__name__}(")
        and "\n" not in docstring
    )
    return None if generated else docstring


def _write(
    card: Card, data: dict[str, Any], changed: list[tuple[Any, str, str]]
) -> None:
    """Write a docstring, also where subclasses repeat it.

    doc-builder would list those that differ from it.
    """
    text = with_notes(card.docstring, card.notes, data)
    repeated = [vars(cls).get(card.name) for cls in _subclasses(card.owner)]
    functions = [getattr(found, "__func__", found) for found in repeated]
    for target in [card.target, *functions]:
        if getattr(target, "__doc__", None) == card.docstring:
            target.__doc__ = text
            changed.append((target, card.docstring, text))


def _subclasses(cls: type | None) -> list[type]:
    found: dict[type, None] = {}
    children: list[type] = type.__subclasses__(cls) if cls else []
    for child in children:
        found |= dict.fromkeys([child, *_subclasses(child)])
    return list(found)


def with_notes(docstring: str, notes: list[Note], data: dict[str, Any]) -> str:
    """Return a docstring with notes after its first paragraph and at parameters."""
    lines = docstring.split("\n")
    own = [note for note in notes if not note.parameter]
    at_parameters: dict[str, list[Note]] = {}
    for note in notes:
        if note.parameter:
            at_parameters.setdefault(note.parameter, []).append(note)
    for name, several in at_parameters.items():
        end, indent = _end_of_parameter(lines, name)
        if end:
            lines[end:end] = _indented(indent, several, MAX_AT_PARAMETER, data)
        else:  # it is described elsewhere
            own += several
    first = end = next(number for number, line in enumerate(lines) if line.strip())
    while end < len(lines) and lines[end].strip() and not _BLOCK.match(lines[end]):
        end += 1
    if lines[end - 1].rstrip().endswith(":"):
        end = first  # the paragraph introduces what follows
    depths = [_depth(line) for line in docstring.split("\n")[1:] if line.strip()]
    indent = " " * min(depths, default=0)
    if end == 0:
        lines[0] = indent + lines[0].lstrip()
    shown = _indented(indent, own, MAX_SHOWN, data)
    rest = "\n".join(lines[end:]).lstrip("\n")
    text = "\n".join([*lines[:end], *shown, *(["", rest] if rest else [])])
    if not _RST.search(docstring):
        return text
    # only what was added has code in one backtick
    kept = {*docstring.split("\n")}
    return "\n".join(
        line if line in kept else re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
        for line in text.split("\n")
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _end_of_parameter(lines: list[str], name: str) -> tuple[int, str]:
    """Return the line after a parameter's description, and its indentation.

    The line is 0 where the parameter is not described.
    """
    item = re.compile(rf"\s+(?:[-*] +)?[`*]*(?:\w+, )*{re.escape(name)}\b[`*]*\s*[(:]")
    for start, line in enumerate(lines):
        if item.match(line):
            depth, end, indent = _depth(line), start + 1, " " * (_depth(line) + 4)
            for number in range(start + 1, len(lines)):
                if lines[number].strip() and _depth(lines[number]) <= depth:
                    break
                if lines[number].strip():
                    end = number + 1
            if end > start + 1:
                indent = " " * _depth(lines[start + 1])
            return end, indent
    return 0, ""


def _indented(
    indent: str, notes: list[Note], limit: int, data: dict[str, Any]
) -> list[str]:
    return [f"{indent}{line}".rstrip() for line in _blocks(notes, limit, data)]


def _blocks(notes: list[Note], limit: int, data: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of notes at one place."""
    alerts = [note for note in notes if note.is_open]
    for note in alerts[:limit]:
        item = data["heuristics"][note.name]
        stop = "" if item["title"].endswith((".", "!", "?")) else "."
        about = f"`{note.member}`: " if note.member else ""
        # text that begins with a link does not become an alert
        yield from ("", f"> [!{item['alert']}]")
        yield f"> **{about}{_title(note, data)}{stop}** {item['note']}"
    others = [note for note in notes if not note.is_open and not note.member]
    if more := [_title(note, data) for note in (*alerts[limit:], *others)]:
        yield from ("", f"**See also:** {'; '.join(more)}.")
    inherited: dict[str, list[str]] = {}
    for note in notes:
        if note.member and not note.is_open:
            inherited.setdefault(note.member, []).append(_title(note, data))
    if inherited:
        yield from ("", "**Inherited:**", "")
    for member, titles in inherited.items():
        rest = len(titles) - MAX_SHOWN
        more_of_them = f"; and {rest} more" if rest > 0 else ""
        yield f"- `{member}`: {'; '.join(titles[:MAX_SHOWN])}{more_of_them}."


def _title(note: Note, data: dict[str, Any]) -> str:
    item, base_url = data["heuristics"][note.name], data["base_url"]
    title = str(item["title"])
    return f"[{title}]({base_url}{item['url']})" if base_url else title


def _say(message: str) -> None:
    sys.stderr.write(f"heuristics: {message}\n")
