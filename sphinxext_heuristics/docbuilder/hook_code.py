"""Add the alerts of _heuristics.json to the docstrings that doc-builder reads.

Do not edit the two files: `python -m sphinxext_heuristics.docbuilder hook` writes them.
"""

import json
import pkgutil
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


# an alert or a line of links, with nothing that ends doc-builder
TEXT = re.compile(r"(> \[![A-Z]+\]\n> |(?=\w.*\]\())((?!include>)[^\n\ud800-\udfff])+")
# above what doc-builder reads as parameters
PARAMETERS = re.compile(r"\s*(Arg|Argument|Attribute|Param|Parameter)s?:\s*$")
# what begins no paragraph: a section, code, a component
OTHER = re.compile(r"\s*([A-Z]\w*( \w+)?:+\s*$|```|</?[A-Z])")

Lost = dict[str, list[str]]


def add_alerts(path: str = __file__) -> None:
    """Add each alert to its docstring, and tell which could not be added.

    doc-builder runs this twice: an alert that is there is not added again.
    """
    file = Path(path).with_suffix(".json")
    lost: Lost = defaultdict(list)
    if not file.is_file():
        say(f"there is no {file}")
        return
    docstrings = read(file.read_text("utf-8", "replace"), file, lost)
    count = sum(add(name, alerts, lost) for name, alerts in docstrings.items())
    for problem, places in lost.items():
        first, rest = places[:3], places[3:]
        more = f" and {len(rest)} more" if rest else ""
        say(f"no alert at {', '.join(first)}{more}: {problem}")
    if count:
        say(f"{count} alerts added to docstrings")


def say(message: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"heuristics: {message}\n")


def read(text: str, file: Path, lost: Lost) -> dict[str, list[Any]]:
    """Return the alerts of each docstring, of the text of a file.

    A line is read alone: what is deleted, edited or merged there costs that alert only.
    """
    docstrings: dict[str, list[Any]] = defaultdict(list)
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            if line.strip() not in {"[", "]"}:
                alert = json.loads(line.strip().rstrip(","))
                docstrings[alert["object"]].append(alert)
        except (ValueError, LookupError, TypeError, RecursionError):
            lost["that is no alert"].append(f"line {number} of {file}")
    return docstrings


def add(name: str, alerts: list[Any], lost: Lost) -> int:
    """Add alerts to the docstring of an object; return how many it did not have."""
    added: dict[int, list[str]] = {}
    count = 0
    try:
        target = find(name)
        docstring = target.__doc__ or ""
        lines = docstring.split("\n")
        for alert in alerts:
            try:
                end, block = block_of(lines, alert)
            except (LookupError, TypeError) as error:
                where = f"{name} {alert.get('heuristic', '')}".strip()
                lost[str(error)].append(where)
                continue
            if block[-1].strip() not in docstring:
                added.setdefault(end, []).extend(block)
                count += 1
        for end in sorted(added, reverse=True):
            is_last = end == len(lines) or not lines[end].strip()
            lines[end:end] = added[end] if is_last else [*added[end], ""]
        if added:
            target.__doc__ = "\n".join(lines)
    except Exception as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        lost[problem].append(name)
        return 0
    return count


def find(name: str) -> Any:
    """Return what holds the docstring of `module:Class.member`."""
    try:
        found = pkgutil.resolve_name(name)
    except (AttributeError, ValueError) as error:
        raise LookupError("there is no such object") from error
    if isinstance(found, property):
        return found.fget
    return getattr(found, "__func__", found)


def block_of(lines: list[str], alert: dict[str, str]) -> tuple[int, list[str]]:
    """Return the number of the line that an alert goes before, and its own lines."""
    parameter = alert.get("parameter")
    if not TEXT.fullmatch(alert["text"]):
        raise LookupError("its text is not an alert in two lines")
    end, depth = parameter_of(lines, parameter) if parameter else summary_of(lines)
    return end, ["", *(" " * depth + line for line in alert["text"].split("\n"))]


def depth_of(line: str) -> int:
    """Return the indentation of a line."""
    return len(line) - len(line.lstrip())


def summary_of(lines: list[str]) -> tuple[int, int]:
    """Return the number of the line below the first paragraph, and its depth."""
    start = 0 if lines[0].strip() else 1
    end = start
    while end < len(lines) and lines[end].strip():
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
