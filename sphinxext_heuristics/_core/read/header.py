"""The header of a directive: its argument, its options, and what is neither.

In both syntaxes it ends with the first empty line. Each line before that is an option,
the continuation of one (it is indented), or a fault.
"""

from __future__ import annotations

import re
import textwrap
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ..diagnostics import counted

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

OPTION = re.compile(r":([A-Za-z][\w-]*):(?:\s+(.*))?")
#: The name of an option in MyST's block of YAML.
_IN_BLOCK = re.compile(r"^([A-Za-z][\w-]*) *:(?!\S)")
#: What begins and ends such a block.
_BLOCK = "---"
#: A comment in YAML.
_COMMENT = re.compile(r"(?:^|\s)#")

#: A line with its number in the directive, from 0.
_Numbered = tuple[int, str]


class WrittenOption(NamedTuple):
    """One option as it is written."""

    #: Empty for the directive's argument.
    name: str
    value: str
    #: Its line in the directive, from 0.
    at: int


class Header(NamedTuple):
    """What is written before a directive's body."""

    argument: str
    options: tuple[WrittenOption, ...]
    #: The line of each fault, and what it is.
    faults: tuple[_Numbered, ...]
    #: The line after it.
    end: int


def read_header(
    argument: str,
    lines: Sequence[str],
    known: Container[str],
    *,
    start: int = 1,
    continues: bool = False,
) -> Header:
    """Return the header of a directive of reStructuredText.

    *argument* is what its first line has, *lines* are those up to the first empty one,
    from the number *start* on, and *known* the names of its options. The first lines
    are part of the argument if it *continues*.
    """
    matches = [OPTION.fullmatch(line.strip()) for line in lines]
    pairs = list(zip(lines, matches, strict=True))
    indents = [indent_of(line) for line, found in pairs if found] or [0]
    indent = max(indents, key=indents.count)
    written = [WrittenOption("", argument, 0)]
    faults: list[_Numbered] = []
    is_fault = False
    for at, (line, found) in enumerate(pairs, start):
        is_deeper = indent_of(line) > indent
        if found and (found[1] in known or not is_deeper):
            is_fault = False
            written.append(WrittenOption(found[1], found[2] or "", at))
            if indent_of(line) != indent:
                spaces = counted(indent_of(line), "space")
                message = (
                    f"the option {found[1]!r} is indented by {spaces} and the other "
                    f"options by {indent}: indent all alike"
                )
                faults.append((at, message))
            continue
        belongs = continues if len(written) == 1 else is_deeper or not line
        if belongs and not is_fault:
            last = written[-1]
            written[-1] = last._replace(value=f"{last.value}\n{line.strip()}")
        elif not is_fault:
            is_fault = True  # to the next option
            message = (
                f"{line.strip()!r} is neither an option (':name: value') nor "
                f"indented like the rest of one; an empty line comes before the body"
            )
            faults.append((at, message))
    whole, *options = written
    end = start + len(lines)
    return Header(whole.value.strip(), tuple(options), tuple(faults), end)


def read_myst_header(
    argument: str,
    lines: Sequence[str],
    known: Container[str],
    *,
    in_header: re.Pattern[str],
    continues: bool = False,
) -> Header:
    """Return the header of a directive of MyST, with values as YAML.

    It may be a block between ``---`` lines. *lines* are all below the first; those
    that *in_header* matches may be of the header.
    """
    if lines and lines[0].startswith(_BLOCK):
        header = _read_block(argument, lines, known)
    else:
        written = list(takewhile(in_header.match, lines))
        has_options = any(OPTION.fullmatch(line.strip()) for line in written)
        if not has_options and not continues:
            written = []
        header = read_header(argument, written, known, continues=continues)
    options: list[WrittenOption] = []
    faults = list(header.faults)
    for option in header.options:
        value, fault = _read_yaml(option)
        options.append(option._replace(value=value))
        if fault:
            faults.append((option.at, fault))
    return header._replace(options=tuple(options), faults=tuple(faults))


def _read_block(argument: str, lines: Sequence[str], known: Container[str]) -> Header:
    """Return the header whose options are a block between lines of ``---``.

    Its lines may all be indented. Without an end it ends with the first empty line.
    """
    block = list(takewhile(lambda line: not line.startswith(_BLOCK), lines[1:]))
    is_open = len(block) == len(lines) - 1
    if is_open:
        block = list(takewhile(str.strip, block))
    written = textwrap.dedent("\n".join(block)).split("\n") if block else []
    written = [_IN_BLOCK.sub(r":\1:", line) for line in written]
    header = read_header(argument, written, known, start=2)
    end = header.end if is_open else header.end + 1
    return header._replace(end=end)


def _read_yaml(option: WrittenOption) -> tuple[str, str]:
    """Return the value of an option as MyST reads it, and what is wrong with it."""
    value = option.value.lstrip()
    if value.startswith(("'", '"', "|", ">")):
        # MyST brings it, which who writes reStructuredText only need not have.
        import yaml  # noqa: PLC0415

        indented = value.replace("\n", "\n ")
        try:
            read: str = yaml.safe_load(f"value: {indented}")["value"]
        except yaml.YAMLError:
            message = (
                f"MyST cannot read the value {value!r} of the option "
                f"{option.name!r}: put it in quotes"
            )
            return value, message
        return read, ""
    if comment := _COMMENT.search(value):
        message = (
            f"{option.name} ends before ' #', which begins a comment in YAML: put the "
            f"value in quotes"
        )
        return value[: comment.start()], message
    return value, ""


def indent_of(text: str) -> int:
    """Return by how many columns a line is indented."""
    return len(text) - len(text.lstrip())
