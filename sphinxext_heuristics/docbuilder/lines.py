"""Small questions about lines of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_TYPE = re.compile(r"[~\w.*\s\[\](){},|`'\"]+")


def indent_of(line: str) -> int:
    """Give the number of spaces that a line starts with."""
    return len(line) - len(line.lstrip())


def fence_end(lines: Sequence[str], start: int) -> int:
    """Find where a code fence ends.

    :param lines: The lines of the text.
    :param start: The line that may open a fence.
    :returns: The line after the closing fence; *start* if no fence opens there. A fence that is never closed reaches
        to the end, as Markdown has it.
    """
    opening = _FENCE.match(lines[start])
    if opening is None:
        return start
    mark = opening["mark"]
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if len(line) >= len(mark) and not line.strip(mark[0]):
            return number + 1
    return len(lines)


def dedent(lines: Sequence[str]) -> tuple[str, int]:
    """Take the common indentation away, and blank lines at both ends.

    :returns: The text, and how many lines were dropped before it.
    """
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if not filled:
        return "", 0
    kept = lines[filled[0] : filled[-1] + 1]
    indent = min(indent_of(line) for line in kept if line.strip())
    return "\n".join(line[indent:].rstrip() for line in kept), filled[0]


def top_level(text: str, mark: str) -> Iterator[int]:
    """Find a character where it stands neither in code nor in a string nor in brackets.

    :param text: The text.
    :param mark: The character; a closing parenthesis is found where it closes the first that is open, code or not:
        authors forget backticks and brackets.
    """
    depth, quote = 0, ""
    opening, closing, quotes = ("(", ")", "") if mark == ")" else ("([{", ")]}", '`"')
    for position, character in enumerate(text):
        if quote or character in quotes:
            quote = "" if character == quote else quote or character
        elif character in opening:
            depth += 1
        elif character in closing:
            depth -= 1
        if character == mark and depth == 0 and not quote:
            yield position


def is_type(head: str) -> bool:
    """Say whether the words before a colon are a type and not the start of a sentence.

    Two words side by side are a sentence, unless ``or``, ``of`` or ``and`` joins them.
    """
    joined = re.sub(r"\b(?:or|of|and)\b", ",", head)
    return bool(_TYPE.fullmatch(joined)) and not re.search(r"[~\w.*]\s+[~\w.*]", joined)
