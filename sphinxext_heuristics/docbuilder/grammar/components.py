"""Components: the tags in capitals and their like that doc-builder's site has a program for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.lines import fence_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

#: Components with Markdown between their tags.
CONTAINERS = frozenset(
    {"Added", "Changed", "Deprecated", "Tip", "flax", "frameworkcontent", "hfoption", "hfoptions", "jax", "pt", "tf"}
)
#: Components that stand for themselves.
SINGLES = frozenset({"DocNotebookDropdown", "PipelineTag", "Youtube"})

_ATTRIBUTE = re.compile(r"""(?P<name>[A-Za-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^{}]*)\}|([^\s"'>/]+)))?""")
_OPENING = re.compile(rf"<(?P<name>{'|'.join(sorted(CONTAINERS | SINGLES))})\b(?P<attributes>[^<>]*?)(?P<closed>/?)>")
_CLOSING = re.compile(rf"</(?P<name>{'|'.join(sorted(CONTAINERS | SINGLES))})\s*>")
_COLAB = re.compile(r"\[\[open-in-colab\]\]\s*$")


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening tag."""

    #: The component.
    name: str
    #: Its attributes as they are written.
    attributes: Mapping[str, str]
    #: Where the tag ends in its line.
    end: int
    #: Whether nothing belongs to it: ``<Youtube id="…"/>``.
    closed: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """A closing tag."""

    #: The number of its line.
    line: int
    #: Where it starts in its line.
    start: int
    #: Where it ends in its line.
    end: int


def opening_of(line: str) -> Opening | None:
    """Read the component's tag that a line starts with.

    :param line: A line without its indentation.
    :returns: The tag; ``None`` if the line does not start with the tag of a component.
    """
    found = _OPENING.match(line)
    if found is None:
        return None
    closed = bool(found["closed"]) or found["name"] in SINGLES
    return Opening(found["name"], attributes_of(found["attributes"]), found.end(), closed)


def attributes_of(text: str) -> dict[str, str]:
    """Read what is between a tag's name and its end; an attribute without a value has the value ``""``."""
    return {
        found["name"]: next((value for value in found.groups()[1:] if value is not None), "")
        for found in _ATTRIBUTE.finditer(text)
    }


def close_of(lines: Sequence[str], start: int, name: str) -> Closing | None:
    """Find the tag that closes the one that a line starts with.

    :param lines: The lines; those in code fences are left out.
    :param start: The line that the opening tag is in.
    :param name: The component; components of the same name may be inside.
    :returns: The closing tag; ``None`` if there is none.
    """
    tag = re.compile(rf"<(?P<slash>/?){name}(?=[\s>/])[^<>]*>")
    depth, number = 0, start
    while number < len(lines):
        after = fence_end(lines, number)
        if after > number and "</" not in lines[after - 1]:
            number = after
            continue
        for found in tag.finditer(lines[number]):
            depth += -1 if found["slash"] else 1
            if depth == 0:
                return Closing(number, found.start(), found.end())
        number += 1
    return None


def component_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a component: its content becomes tokens between ``component_open`` and ``component_close``."""
    line = _line(state, start)
    tag = opening_of(line)
    stray = None if tag else _CLOSING.match(line)
    if (tag is None and stray is None and not _COLAB.match(line)) or state.is_code_block(start):
        return False
    if silent:
        return True
    if tag is None:
        if stray is not None:
            problem(state, start, f"</{stray['name']}> closes nothing; remove it, or add the opening tag")
            _rest(state, start, stray.end(), start + 1)
        state.line = start + 1
        return True
    if tag.closed:
        _push(state, "component", tag, 0).map = [start, start + 1]
        _rest(state, start, tag.end, start + 1)
        state.line = start + 1
        return True
    _container(state, start, _block_end(state, start, end), tag)
    return True


def problem(state: StateBlock, line: int, message: str) -> None:
    """Leave a message for the renderer, which knows how to warn."""
    token = state.push("problem", "", 0)
    token.content = message
    token.map = [line, line + 1]


def _container(state: StateBlock, start: int, end: int, tag: Opening) -> None:
    """Read the lines between a component's tags, which may share their lines with the content."""
    close = close_of([_line(state, number) for number in range(start, end)], 0, tag.name)
    if close is None:
        problem(state, start, f"<{tag.name}> is not closed; add </{tag.name}> where it ends")
    last = end - 1 if close is None else start + close.line
    opening = _push(state, "component_open", tag, 1)
    opening.map = [start, last + 1]
    saved = state.lineMax, state.parentType, state.eMarks[last]
    if close is not None:
        state.eMarks[last] = state.bMarks[last] + state.tShift[last] + close.start
    state.parentType = "container"
    _rest(state, start, tag.end, last + 1)
    state.lineMax, state.parentType, state.eMarks[last] = saved
    state.push("component_close", "", -1)
    if close is not None:
        _rest(state, last, close.end, last + 1)
    state.line = last + 1


def _push(state: StateBlock, kind: str, tag: Opening, nesting: int) -> Token:
    token = state.push(kind, "", nesting)  # type: ignore[arg-type]
    token.info = tag.name
    token.meta = dict(tag.attributes)
    return token


def _rest(state: StateBlock, line: int, start: int, stop: int) -> None:
    """Read what follows in a line, and the lines up to *stop*, as blocks."""
    saved = state.bMarks[line], state.tShift[line], state.sCount[line], state.lineMax
    begin = state.bMarks[line] + state.tShift[line] + start
    text = state.src[begin : state.eMarks[line]]
    state.bMarks[line], state.tShift[line] = begin, len(text) - len(text.lstrip())
    state.sCount[line], state.lineMax = state.blkIndent, stop
    state.md.block.tokenize(state, line, stop)
    state.bMarks[line], state.tShift[line], state.sCount[line], state.lineMax = saved


def _block_end(state: StateBlock, start: int, end: int) -> int:
    """Find where the block that holds a line ends, a list item for example."""
    for number in range(start, end):
        if state.sCount[number] < state.blkIndent and not state.isEmpty(number):
            return number
    return end


def _line(state: StateBlock, number: int) -> str:
    """Give a line without its indentation."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
