"""Small questions about lines of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_TYPE_WORDS = re.compile(r"[^\s\[\](){},|`'\"]+")
_TYPE_JOINS = frozenset({"or", "of", "and"})


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


def closing_parenthesis(text: str, start: int) -> int:
    """Find the parenthesis that closes the one at *start*; -1 if there is none."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "(":
            depth += 1
        elif text[position] == ")":
            depth -= 1
            if depth == 0:
                return position
    return -1


def top_level_colon(text: str) -> int:
    """Find the first colon that stands neither in code nor in brackets; -1 if there is none."""
    depth, in_code = 0, False
    for position, character in enumerate(text):
        if character == "`":
            in_code = not in_code
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == ":" and depth == 0 and not in_code:
            return position
    return -1


def is_type(head: str) -> bool:
    """Say whether the words before a colon are a type and not the start of a sentence.

    Two words side by side are a sentence, unless ``or``, ``of`` or ``and`` joins them.
    """
    previous = ""
    for word in re.split(r"([\s\[\](){},|`'\"]+)", head):
        if not word:
            continue
        if _TYPE_WORDS.fullmatch(word) is None:
            previous = previous if word.isspace() else ""
            continue
        if word in _TYPE_JOINS:
            previous = ""
            continue
        if previous or not re.fullmatch(r"[~\w.*]+", word):
            return False
        previous = word
    return bool(head)
