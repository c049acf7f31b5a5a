"""Components: the tags in capitals and their like that doc-builder's site has a program for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.lines import fence_end, indent_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.rules_block import StateBlock

#: Components with Markdown between their tags.
CONTAINERS = frozenset(
    {"Added", "Changed", "Deprecated", "Tip", "flax", "frameworkcontent", "hfoption", "hfoptions", "jax", "pt", "tf"}
)
#: Components that stand for themselves.
SINGLES = frozenset({"DocNotebookDropdown", "PipelineTag", "Youtube"})

_ATTRIBUTE = re.compile(r"""(?P<name>[A-Za-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^{}]*)\}|([^\s"'>/]+)))?""")
_NAMES = "|".join(sorted(CONTAINERS | SINGLES))
_TAG = re.compile(rf"<(?P<slash>/?)(?P<name>{_NAMES})\b(?P<attributes>[^<>]*?)(?P<closed>/?)>")
#: A component's tag, opening or closing.
TAG = re.compile(rf"(</?(?:{_NAMES})\b[^<>]*>)")
_TAG_AT_END = re.compile(rf"\s*{TAG.pattern}|.*{TAG.pattern}\s*$")
_COLAB = re.compile(r"\[\[open-in-colab\]\]\s*$")


def tags_apart(source: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Give each line with its number, from 0; the tags of components that begin or end one are lines of their own."""
    position = 0
    while position < len(source):
        line, end = source[position], fence_end(source, position)
        if end == position and _TAG_AT_END.match(line):
            indent = " " * indent_of(line)
            yield from ((indent + part.strip(), position) for part in TAG.split(line) if part.strip())
        else:
            end = max(end, position + 1)
            yield from zip(source[position:end], range(position, end), strict=True)
        position = max(end, position + 1)


def attributes_of(text: str) -> dict[str, str]:
    """Read what is between a tag's name and its end; an attribute without a value has the value ``""``."""
    return {
        found["name"]: next((value for value in found.groups()[1:] if value is not None), "")
        for found in _ATTRIBUTE.finditer(text)
    }


def component_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a component: its content becomes tokens between ``component_open`` and ``component_close``."""
    line = line_at(state, start).rstrip()
    tag = _TAG.fullmatch(line)
    if (tag is None and not _COLAB.match(line)) or state.is_code_block(start):
        return False
    if silent or tag is None:
        state.line = start + 1
    elif tag["slash"]:
        problem(state, start, f"{line} closes nothing; remove it, or add the opening tag")
    elif tag["closed"] or tag["name"] in SINGLES:
        _push(state, "component", tag, 0, start + 1)
    else:
        _container(state, start, end, tag)
    return True


def problem(state: StateBlock, line: int, message: str) -> None:
    """Leave a message for the renderer, which knows how to warn."""
    token = state.push("problem", "", 0)
    token.content = message
    token.map = [line, line + 1]
    state.line = line + 1


def _container(state: StateBlock, start: int, end: int, tag: re.Match[str]) -> None:
    """Read the lines between a component's tags."""
    last, is_closed = _close_of(state, start, end, tag["name"])
    if not is_closed:
        problem(state, start, f"<{tag['name']}> is not closed; add </{tag['name']}> where it ends")
    _push(state, "component_open", tag, 1, last)
    saved = state.lineMax, state.parentType
    state.lineMax, state.parentType = last, "container"
    state.md.block.tokenize(state, start + 1, last)
    state.lineMax, state.parentType = saved
    state.push("component_close", "", -1)
    state.line = last + is_closed


def _push(state: StateBlock, kind: str, tag: re.Match[str], nesting: int, stop: int) -> None:
    token = state.push(kind, "", nesting)  # type: ignore[arg-type]
    token.info, token.meta, token.map = tag["name"], attributes_of(tag["attributes"]), [state.line, stop]
    state.line = stop


def _close_of(state: StateBlock, start: int, end: int, name: str) -> tuple[int, bool]:
    """Find the line with the closing tag, or else the end of the block that holds the opening one, a list item's."""
    lines = [line_at(state, number) for number in range(start, end)]
    depth, number = 0, start
    while number < end and (state.sCount[number] >= state.blkIndent or state.isEmpty(number)):
        tag = _TAG.fullmatch(lines[number - start].rstrip())
        if tag and tag["name"] == name:
            depth += -1 if tag["slash"] else 1
            if depth == 0:
                return number, True
        number = max(start + fence_end(lines, number - start), number + 1)
    return min(number, end), False


def line_at(state: StateBlock, number: int) -> str:
    """Give a line without its indentation."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
