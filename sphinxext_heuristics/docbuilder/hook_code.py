"""Add the alerts of _heuristics.json to the docstrings that doc-builder reads.

Do not edit the two files: `python -m sphinxext_heuristics.docbuilder hook` writes them.
"""

import json
import pkgutil
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


# an alert or a line of links; nothing in which doc-builder reads anything else
TEXT = re.compile(r"(> \[![A-Z]+\]\n> |(?=\w.*\]\())(?:(?!include>).)+")
# above what doc-builder reads as parameters
PARAMETERS = re.compile(r"\s*(Arg|Argument|Attribute|Param|Parameter)s?:\s*$")
# what begins no paragraph: a section, code, a component
OTHER = re.compile(r"\s*([A-Z]\w*( \w+)?:+\s*$|```|</?[A-Z])")

Failed = dict[str, list[str]]
Call = Callable[..., Any]


def add_alerts(path: str = __file__) -> None:
    """Add the alerts of the .json file to docstrings, and name what has no place."""
    file = Path(path).with_suffix(".json")
    failed: Failed = {}
    docstrings = attempt(failed, str(file), read, file) or {}
    added = 0
    for name, alerts in docstrings.items():
        added += attempt(failed, name, add, failed, name, alerts) or 0
    for problem, places in failed.items():
        first, rest = places[:3], places[3:]
        more = f" and {len(rest)} more" if rest else ""
        say(f"no alert at {', '.join(first)}{more}: {problem}")
    if added:
        say(f"{added} alerts added to docstrings")


def attempt(failed: Failed, where: str, call: Call, *arguments: Any) -> Any:
    """Return what a call returns; if it fails, note that, and let doc-builder go on."""
    try:
        return call(*arguments)
    except Exception as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        failed.setdefault(problem, []).append(where)


def say(message: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"heuristics: {message}\n")


def read(file: Path) -> dict[str, list[Any]]:
    """Return the alerts of each docstring."""
    return {**json.loads(file.read_bytes())["docstrings"]}


def add(failed: Failed, name: str, alerts: list[Any]) -> int:
    """Add alerts to an object's docstring; return how many it did not have."""
    target = find(name)
    docstring = target.__doc__ or ""
    lines = docstring.split("\n")
    added: dict[int, list[str]] = {}
    count = 0
    for alert in alerts:
        end, block = attempt(failed, name, block_of, lines, alert) or (0, [])
        if block and block[-1].strip() not in docstring:
            added.setdefault(end, []).extend(block)
            count += 1
    for end in sorted(added, reverse=True):
        below = "".join(lines[end : end + 1]).strip()
        lines[end:end] = [*added[end], ""] if below else added[end]
    if added:
        target.__doc__ = "\n".join(lines)
    return count


def find(name: str) -> Any:
    """Return what holds the docstring of `module:Class.member`."""
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise LookupError("there is no such object") from error
    if isinstance(found, property):
        return found.fget
    return getattr(found, "__func__", found)


def block_of(lines: list[str], alert: dict[str, str]) -> tuple[int, list[str]]:
    """Return the number of the line that an alert goes before, and its own lines."""
    text, parameter = alert["text"], alert.get("parameter")
    if not TEXT.fullmatch(text):
        raise ValueError("what is there is no alert")
    text.encode()
    end, depth = parameter_of(lines, parameter) if parameter else summary_of(lines)
    return end, ["", *(" " * depth + line for line in text.split("\n"))]


def depth_of(line: str) -> int:
    """Return the indentation of a line."""
    return len(line) - len(line.lstrip())


def summary_of(lines: list[str]) -> tuple[int, int]:
    """Return the number of the line below the first paragraph, and its depth."""
    start = 0 if lines[0].strip() else 1
    end = start
    while "".join(lines[end : end + 1]).strip():
        end += 1
    text = lines[start:end]
    if not text or any(map(OTHER.match, text)) or text[-1].rstrip().endswith(":"):
        raise LookupError("its docstring does not begin with a paragraph")
    below = [depth_of(line) for line in lines[1:] if line.strip()]
    return end, min(below, default=0)


def parameter_of(lines: list[str], name: str) -> tuple[int, int]:
    """Return the number of the line below a parameter's description, and its depth."""
    names = rf"(?:\w+, )*{re.escape(name)}\b(?:, \w+)*"
    item = re.compile(rf"\s*(?:[-*] +)?[`*]*{names}[`*]*\s*[(:]")
    opens, depth = False, -1  # of the parameters, where there are some
    for start, line in enumerate(lines):
        if not line.strip():
            continue
        if opens or depth_of(line) < depth:
            depth = depth_of(line) if opens else -1
        opens = bool(PARAMETERS.match(line))
        if depth_of(line) == depth and item.match(line):
            return end_of(lines, start)
    raise LookupError(f"it describes no parameter {name!r}")


def end_of(lines: list[str], start: int) -> tuple[int, int]:
    """Return the number of the line below what a line begins, and its depth."""
    end, depth = start + 1, depth_of(lines[start]) + 4
    for number in range(start + 1, len(lines)):
        below = depth_of(lines[number])
        if lines[number].strip() and below <= depth_of(lines[start]):
            break
        if lines[number].strip():
            depth = depth if end > start + 1 else below
            end = number + 1
    return end, depth
