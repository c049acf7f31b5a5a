"""Rules for blocks that CommonMark lacks: components, objects, formulas, alerts.

Components are the tags in capitals and their like that doc-builder's site has a program
for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_ATTRIBUTE = re.compile(
    r"""(?P<name>[A-Za-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^{}]*)\}|([^\s"'>/]+)))?"""
)
_NAMES = "Tip|Youtube|hfoptions?"
_TAG = re.compile(
    rf"<(?P<slash>/?)(?P<name>{_NAMES})\b(?P<attributes>[^<>]*?)(?P<closed>/?)>"
)
#: A component's tag, opening or closing.
TAG = re.compile(rf"(</?(?:{_NAMES})\b[^<>]*>)")
_TAG_AT_END = re.compile(rf"\s*{TAG.pattern}|.*{TAG.pattern}\s*$")
_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_MEMBER = re.compile(r"-\s+(\S+)\s*$")
_ALERT = re.compile(r"\[!(?P<kind>\w+)\][ \t]*(?P<folded>> ?)?(?P<newline>\n)?")


def indent_of(line: str) -> int:
    """Return the number of spaces that a line starts with."""
    return len(line) - len(line.lstrip())


def fence_end(lines: Sequence[str], start: int) -> int:
    """Return the line after the closing fence of code that opens in the line *start*.

    It is *start* if no fence opens there. A fence that is never closed reaches to the
    end, as Markdown has it.
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


def tags_apart(source: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each line with its number, from 0.

    The tags of components that begin or end one are lines of their own.
    """
    position = 0
    while position < len(source):
        line, end = source[position], max(fence_end(source, position), position + 1)
        if _TAG_AT_END.match(line):
            indent = " " * indent_of(line)
            yield from (
                (indent + part.strip(), position)
                for part in TAG.split(line)
                if part.strip()
            )
        else:
            yield from zip(source[position:end], range(position, end), strict=True)
        position = end


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag; one without a value has the value ``""``."""
    return {
        found["name"]: next(
            (value for value in found.groups()[1:] if value is not None), ""
        )
        for found in _ATTRIBUTE.finditer(text)
    }


def component_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a component into tokens ``component_open``, …, ``component_close``."""
    tag = _TAG.fullmatch(line_at(state, start).rstrip())
    if tag is None or state.is_code_block(start):
        return False
    if silent:
        state.line = start + 1
    elif tag["slash"]:
        problem(
            state, start, f"{tag[0]} closes nothing; remove it, or add the opening tag"
        )
    elif tag["closed"] or tag["name"] == "Youtube":
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
        problem(
            state,
            start,
            f"<{tag['name']}> is not closed; add </{tag['name']}> where it ends",
        )
    _push(state, "component_open", tag, 1, last)
    saved = state.lineMax, state.parentType
    state.lineMax, state.parentType = last, "container"
    state.md.block.tokenize(state, start + 1, last)
    state.lineMax, state.parentType = saved
    state.push("component_close", "", -1)
    state.line = last + is_closed


def _push(
    state: StateBlock, kind: str, tag: re.Match[str], nesting: int, stop: int
) -> None:
    token = state.push(kind, "", nesting)  # type: ignore[arg-type]
    token.info, token.meta, token.map = (
        tag["name"],
        attributes_of(tag["attributes"]),
        [state.line, stop],
    )
    state.line = stop


def _close_of(state: StateBlock, start: int, end: int, name: str) -> tuple[int, bool]:
    """Return the line with the closing tag.

    Without one, it is the end of the block that holds the opening tag, such as a list
    item.
    """
    lines = _Lines(state, end)
    depth, number = 0, start
    while number < end and (
        state.sCount[number] >= state.blkIndent or state.isEmpty(number)
    ):
        tag = _TAG.fullmatch(lines[number].rstrip())
        if tag and tag["name"] == name:
            depth += -1 if tag["slash"] else 1
            if depth == 0:
                return number, True
        number = max(fence_end(lines, number), number + 1)
    return min(number, end), False


class _Lines(Sequence[str]):
    """The lines of a text up to an end, without their indentation."""

    def __init__(self, state: StateBlock, end: int) -> None:
        self.state, self.end = state, end

    def __getitem__(self, number: int) -> str:  # type: ignore[override]
        return line_at(self.state, number)

    def __len__(self) -> int:
        return self.end


def line_at(state: StateBlock, number: int) -> str:
    """Return a line without its indentation."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def autodoc_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read ``[[autodoc]] X``.

    The token's meta data are the ``names``, the ``members``, and what is wrong.
    """
    line = line_at(state, start)
    if not line.startswith("[[autodoc]]"):
        return False
    if silent:
        return True
    names = [part.strip() for part in line.split("[[autodoc]]")[1:]]
    members, stop = _members(state, start, end)
    if not all(re.fullmatch(r"\S+", name) for name in names):
        message = (
            "[[autodoc]] takes the name of one object, and nothing else in its "
            "line; its text is shown"
        )
        problem(state, start, message)
        _paragraph(state, line, start)
        return True
    several = (
        "several [[autodoc]] on one line, which doc-builder shows as text; give "
        "each its own line"
    )
    token = state.push("autodoc", "", 0)
    token.meta = {
        "names": names,
        "members": members,
        "problem": several if len(names) > 1 else "",
    }
    token.map = [start, stop]
    state.line = stop
    return True


def _members(state: StateBlock, start: int, end: int) -> tuple[list[str] | None, int]:
    """Return the members listed below ``[[autodoc]]``, and the line after them.

    They are deeper and all at one depth, with blank lines between them or not. Without
    a list they are ``None``.
    """
    members: list[str] = []
    depth, stop = state.sCount[start], start + 1
    for number in range(start + 1, end):
        member, indent = _MEMBER.match(line_at(state, number)), state.sCount[number]
        if member and (indent == depth if members else indent > depth):
            members.append(member[1])
            depth, stop = indent, number + 1
        elif not state.isEmpty(number):
            break
    return members or None, stop


def formula_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read ``$$ … $$`` that starts a line.

    What follows the formula in its last line is a paragraph.
    """
    if not line_at(state, start).startswith("$$") or state.is_code_block(start):
        return False
    if silent:
        return True
    lines, last = [line_at(state, start)[2:]], start
    while (
        "$$" not in lines[-1]
        and last + 1 < end
        and state.sCount[last + 1] >= state.blkIndent
    ):
        last += 1
        lines.append(line_at(state, last))
    formula, closed, rest = "\n".join(lines).partition("$$")
    if not closed:
        problem(state, start, "$$ is not closed; add $$ where the formula ends")
    token = state.push("formula", "", 0)
    token.content = formula.strip()
    token.map = [start, last + 1]
    if rest.strip():
        _paragraph(state, rest.strip(), last)
    state.line = last + 1
    return True


def _paragraph(state: StateBlock, text: str, line: int) -> None:
    opening = state.push("paragraph_open", "p", 1)
    inline = state.push("inline", "", 0)
    opening.map = inline.map = [line, line + 1]
    inline.content, inline.children = text, []
    state.push("paragraph_close", "p", -1)


def alert_rule(state: StateCore) -> None:
    """Turn a quotation that starts with ``[!TIP]`` into an alert.

    Its ``info`` is the kind in small letters.
    """
    tokens = state.tokens
    for number, token in enumerate(tokens[:-2]):
        if (
            token.type == "blockquote_open"
            and tokens[number + 1].type == "paragraph_open"
        ):
            found = _ALERT.match(tokens[number + 2].content)
            if found:
                _alert(tokens, number, found)
    state.tokens = [token for token in tokens if not token.meta.get("empty")]


def _alert(tokens: list[Token], number: int, found: re.Match[str]) -> None:
    opening, paragraph, inline, end = tokens[number : number + 4]
    wanted = ("blockquote_close", opening.level)
    while ((close := tokens[number]).type, close.level) != wanted:
        number += 1
    opening.type, close.type = "alert_open", "alert_close"
    opening.info = found["kind"].lower()
    inline.content = inline.content[found.end() :]
    if found["folded"]:
        # a formatter has folded the lines of the quotation into one, marks included
        inline.content = re.sub(r"(?<=\s)> ", "", inline.content)
    if found["newline"] and inline.map:
        paragraph.map = inline.map = [inline.map[0] + 1, inline.map[1]]
    if not inline.content.strip():
        for token in (paragraph, inline, end):
            token.meta = {**token.meta, "empty": True}
