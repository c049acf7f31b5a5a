"""The header of a directive as it is written: argument, options and faults."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from sphinxext_heuristics._core.diagnostics import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_OPTION = re.compile(r":([A-Za-z][\w-]*):(?:\s+|$)(.*)")
#: An option whose colons or space are not all there; a role is none.
_LOOSE = re.compile(r"(:?)([a-z][\w-]*)(:?)(\s*)((?!`).*)")


class WrittenOption(NamedTuple):
    """One option as it is written."""

    name: str
    value: str
    #: Its line in the directive, from 0.
    at: int


class Header(NamedTuple):
    """What stands before a directive's body."""

    argument: str
    options: tuple[WrittenOption, ...]
    #: The line of each fault, and what it is.
    faults: tuple[tuple[int, str], ...]
    #: The line after the header.
    end: int
    #: By how much the options are indented; 0 without any.
    indent: int = 0


def in_restructuredtext(lines: Sequence[str], known: Iterable[str]) -> Header:
    """Return the header of a directive of reStructuredText.

    *lines* are all of the directive's, the first with its name; *known* are the names
    of its options.
    """
    first = lines[0].partition("::")[2].strip()
    header = list(takewhile(str.strip, lines[1:]))
    found = {}
    for at, text in enumerate(header, 1):
        if option_and_fault := _option(text, at, known):
            found[at] = option_and_fault
    body = [indent_of(text) for text in lines[1 + len(header) :] if text.strip()]
    # What most options have; where they are at odds the body decides.
    indents = [indent_of(lines[at]) for at in found]
    indent = max(indents, key=[*indents, min(body, default=0)].count, default=0)
    argument, options = [first], list[WrittenOption]()
    faults: list[tuple[int, str]] = []
    for at, text in enumerate(header, 1):
        option, fault = found.get(at, (None, ""))
        deeper = bool(options) and indent_of(text) > indent
        # What is indented deeper continues the option above, unless it has the look of
        # another one.
        if option and not (deeper and (option.name not in known or fault)):
            options.append(option)
            if indent_of(text) != indent:
                fault = _indented(
                    f"the option {option.name!r}",
                    indent_of(text),
                    "other options",
                    indent,
                )
            faults += [(at, fault)] if fault else []
        elif deeper:
            options[-1] = options[-1]._replace(
                value=f"{options[-1].value}\n{text.strip()}"
            )
        elif options:
            message = (
                f"{text.strip()!r} is neither an option nor indented like the rest of "
                f"one"
            )
            faults.append((at, message))
        else:
            argument.append(text.strip())
    return Header(
        "\n".join(argument).strip(),
        tuple(options),
        tuple(faults),
        1 + len(header),
        indent,
    )


def body_fault(lines: Sequence[str], header: Header) -> tuple[int, str] | None:
    """Return the line and message of a body indented otherwise than the options."""
    body = [
        (at, text) for at, text in enumerate(lines) if at >= header.end and text.strip()
    ]
    wrong = [indent_of(text) for _at, text in body]
    if not header.options or not wrong or min(wrong) == header.indent:
        return None
    return body[0][0], _indented("the body", min(wrong), "options", header.indent)


def in_myst(argument: str, lines: Sequence[str], known: Iterable[str]) -> Header:
    """Return the header of a directive of MyST, which reads options as YAML.

    *lines* are all of the directive's, the first with its name; *known* are the names
    of its options.
    """
    if lines[1:2] and lines[1].startswith("---"):
        close = next(
            (at for at, text in enumerate(lines[2:], 2) if text.startswith("---")),
            len(lines),
        )
        options, faults = _in_yaml(lines[2:close], 2)
        return Header(argument, options, tuple(faults), close + 1)
    texts: list[str] = []
    loose: list[tuple[int, str]] = []
    for at, line in enumerate(lines[1:], 1):
        found = _option(line, at, known)
        if found:
            option, fault = found
            # Tabs and such after a colon are not YAML.
            texts.append(f"{option.name}: {option.value}")
            loose += [(at, fault)] if fault else []
        elif line.lstrip().startswith(":") and not line.lstrip().startswith(":::"):
            texts.append(line.strip().removeprefix(":"))
        else:
            break
    end = 1 + len(texts)
    options, faults = _in_yaml(texts, 1)
    faults += loose
    following = next(iter(lines[end:]), "")
    is_deeper = indent_of(following) > indent_of(lines[end - 1])
    if texts and following.strip() and is_deeper:
        message = (
            f"the body begins with the line {following.strip()!r}, which looks like "
            f"the continuation of the option above it: MyST requires a YAML block "
            f"between '---' lines for a value of several lines"
        )
        faults.append((end, message))
    return Header(argument, options, tuple(faults), end)


def _in_yaml(
    texts: Sequence[str], start: int
) -> tuple[tuple[WrittenOption, ...], list[tuple[int, str]]]:
    """Return the options as MyST reads them, else as they are written; and faults."""
    # MyST's own reader, which who writes reStructuredText only need not have.
    from myst_parser.parsers.options import TokenizeError, options_to_tokens  # noqa: PLC0415

    def read(text: str) -> tuple[WrittenOption, ...]:
        tokens, _state = options_to_tokens(text)
        return tuple(
            WrittenOption(
                key.value, value.value if value else "", start + key.start.line
            )
            for key, value in tokens
        )

    def is_readable(text: str) -> bool:
        try:
            read(text)
        except TokenizeError:
            return False
        return True

    written = []
    for at, text in enumerate(texts, start):
        name, _colon, value = text.partition(":")
        written.append(WrittenOption(name.strip(), value.strip(), at))
    try:
        options = read("\n".join(texts))
    except TokenizeError as error:
        wrong = next(
            (at for at, text in enumerate(texts) if not is_readable(text)),
            error.problem_mark.line,
        )
        name, value, at = written[min(wrong, len(written) - 1)]
        message = (
            f"MyST cannot read the value {value!r} of the option {name!r}: put "
            f"it in quotes"
        )
        return tuple(option for option in written if option.name), [(at, message)]
    faults = []
    for name, value, at in options:
        text = texts[at - start].partition(":")[2]
        if " #" in text and text.partition(" #")[0].strip() == value.strip():
            message = (
                f"{name} ends before ' #', which begins a comment in YAML: put the "
                f"value in quotes"
            )
            faults.append((at, message))
    return options, faults


def _option(
    text: str, at: int, known: Iterable[str]
) -> tuple[WrittenOption, str] | None:
    """Return the option in a line and what is wrong with the colons of a known one."""
    text, lacking = text.strip(), ""
    if not (match := _OPTION.match(text)):
        match = _LOOSE.match(text)
        if match is None or match[2] not in known:
            return None
        first, name, second, space, value = match.groups()
        if first and second:
            lacking = "a space after its second colon"
        elif first and space:
            lacking = "its second colon"
        elif second and (space or not value):
            lacking = "its first colon"
        else:
            return None
        message = (
            f"{text!r} looks like the option {name!r} without {lacking}: write "
            f"':{name}:'"
        )
        return WrittenOption(name, value, at), message
    return WrittenOption(match[1], match[2].strip(), at), ""


def _indented(what: str, indent: int, others: str, wanted: int) -> str:
    tab = " (a tab counts as 8)" if 8 in {indent, wanted} else ""  # noqa: PLR2004 - docutils' width of a tab
    return (
        f"{what} is indented by {counted(indent, 'space')}{tab} and the {others} "
        f"by {wanted}: "
        f"indent both alike"
    )


def indent_of(text: str) -> int:
    """Return by how many columns a line is indented."""
    return len(text) - len(text.lstrip())
