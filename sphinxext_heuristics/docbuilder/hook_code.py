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
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Place(NamedTuple):
    """An object whose docstring takes alerts."""

    target: Any
    owner: type | None  # the class that it is a member of
    name: str  # there
    docstring: str


FORM = 1  # of the JSON file
MAX_SHOWN = 5  # alerts of an object; the others are named in one line

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
    version, counts = _version(package), []
    shown = {}
    for name, names in data["entries"].items():
        items = map(data["heuristics"].get, names)
        holding = [item for item in items if _holds(item, version)]
        if holding:
            shown[name] = holding
    found, left_out = places(shown, package)
    for name, place in found.items():
        text = with_alerts(place.docstring, shown[name], data["base_url"])
        problem = "its docstring cannot be changed"
        failure = attempt(problem, _write, place, text, changed)
        if failure:
            left_out[name] = failure
        else:
            counts.append(len(shown[name]))
    if not again:
        for name, reason in left_out.items():
            _say(f"{name}: {reason}; it shows no heuristic")
        _say(
            f"{sum(counts)} in {len(counts)} docstrings of {package.__name__} {version}"
        )


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
        problem = (
            ""
            if data["form"] == FORM
            else f"its form is {data['form']!r}, and not {FORM}"
        )
        shown = [
            data["heuristics"][name]
            for names in data.get("entries", {}).values()
            for name in names
        ]
        texts = [
            item[key] for item in shown for key in ("title", "note", "alert", "url")
        ]
        "".join(
            [data.get("package", ""), data.get("base_url", ""), *texts]
        )  # a TypeError if one is no text
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        hint = "write it again: python -m sphinxext_heuristics.docbuilder hook"
        raise SystemExit(f"{path}: cannot be used ({problem}); {hint}")
    return data


def places(
    names: Iterable[str], package: ModuleType
) -> tuple[dict[str, Place], dict[str, str]]:
    """Return the objects that take alerts, and why the others take none."""
    found, left_out = {}, {}
    for name in names:
        place = attempt("a module cannot be imported", _find, name, package)
        if isinstance(place, Place):
            found[name] = place
        else:
            left_out[name] = place
    return found, left_out


def _find(name: str, package: ModuleType) -> Place | str:
    owner: object = None
    current: object = package
    part = ""
    for part in name.removeprefix(f"{package.__name__}.").split("."):
        if part == "__main__":
            return "__main__ runs a program and is never imported"
        owner = current
        current = _attribute(owner, part)
        if current is None:
            inherited = isinstance(owner, type) and any(
                part in vars(base) for base in owner.__mro__
            )
            return (
                "its docstring is inherited" if inherited else "there is no such object"
            )
    target: Any = getattr(current, "__func__", current)
    target = target.fget if isinstance(target, property) else target
    if (docstring := _docstring(target)) is None:
        return "it has no docstring"
    cls = owner if isinstance(owner, type) else None
    # doc-builder lists a method only if no superclass has its docstring
    if any(
        getattr(getattr(base, part, None), "__doc__", None) == docstring
        for base in (cls.__mro__[1:] if cls else ())
    ):
        return "its docstring is inherited"
    return Place(target, cls, part, docstring)


def _attribute(owner: object, name: str) -> object | None:
    """Return an attribute of a class itself, or of a module, imported if need be."""
    if isinstance(owner, type):
        return vars(owner).get(name)
    found: object | None = getattr(owner, name, None)
    if found is None and isinstance(owner, ModuleType):
        path = f"{owner.__name__}.{name}"
        try:
            importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path and hasattr(owner, "__path__"):
                raise
        found = getattr(owner, name, None) or sys.modules.get(path)
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


def _write(place: Place, text: str, changed: list[tuple[Any, str, str]]) -> None:
    """Write a docstring, also where subclasses repeat it.

    doc-builder would list those that differ from it.
    """
    repeated = [vars(cls).get(place.name) for cls in _subclasses(place.owner)]
    for target in [
        place.target,
        *(getattr(found, "__func__", found) for found in repeated),
    ]:
        if getattr(target, "__doc__", None) == place.docstring:
            target.__doc__ = text
            changed.append((target, place.docstring, text))


def _subclasses(cls: type | None) -> list[type]:
    children: list[type] = type.__subclasses__(cls) if cls else []
    return [one for child in children for one in (child, *_subclasses(child))]


def with_alerts(docstring: str, shown: list[dict[str, Any]], base_url: str) -> str:
    """Return a docstring with alerts after its first paragraph."""
    lines = docstring.split("\n")
    first = end = next(number for number, line in enumerate(lines) if line.strip())
    while end < len(lines) and lines[end].strip() and not _BLOCK.match(lines[end]):
        end += 1
    if lines[end - 1].rstrip().endswith(":"):
        end = first  # the paragraph introduces what follows
    indent = " " * min(
        (len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()),
        default=0,
    )
    if end == 0:
        lines[0] = indent + lines[0].lstrip()
    alerts = [f"{indent}{line}".rstrip() for line in _alerts(shown, base_url)]
    if _RST.search(docstring):
        alerts = [re.sub(r"`([^`]+)`", r"``\1``", line) for line in alerts]
    rest = "\n".join(lines[end:]).lstrip("\n")
    return "\n".join([*lines[:end], *alerts, *(["", rest] if rest else [])])


def _alerts(shown: list[dict[str, Any]], base_url: str) -> list[str]:
    lines = []
    for item in shown[:MAX_SHOWN]:
        stop = "" if item["title"].endswith((".", "!", "?")) else "."
        # text that begins with a link does not become an alert
        lines += [
            "",
            f"> [!{item['alert']}]",
            f"> **{_title(item, base_url)}{stop}** {item['note']}",
        ]
    if more := [_title(item, base_url) for item in shown[MAX_SHOWN:]]:
        lines += ["", f"**More heuristics:** {'; '.join(more)}."]
    return lines


def _title(item: dict[str, Any], base_url: str) -> str:
    return (
        f"[{item['title']}]({base_url}{item['url']})"
        if base_url
        else str(item["title"])
    )


def _version(package: ModuleType) -> str:
    version = getattr(package, "__version__", None)
    with suppress(metadata.PackageNotFoundError):
        return (
            version if isinstance(version, str) else metadata.version(package.__name__)
        )
    return ""


def _holds(item: dict[str, Any], version: str) -> bool:
    """Return whether a version is within the bounds: 0.20 includes 0.20.2."""
    current, since, until = map(
        _release, (version, item.get("since"), item.get("until"))
    )
    padded = (*current, *(0,) * max(len(since), len(until)))
    return not current or (
        padded[: len(since)] >= since and (not until or padded[: len(until)] <= until)
    )


def _release(version: str | None) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)", str(version or ""))
    return tuple(map(int, found[1].split("."))) if found else ()


def _say(message: str) -> None:
    sys.stderr.write(f"heuristics: {message}\n")
