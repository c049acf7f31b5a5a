"""Rules for blocks that CommonMark lacks: objects, formulas, alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.token import Token

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore

_MEMBER = re.compile(r"-\s+(\S+)\s*$")
_ALERT = re.compile(r"\[!(?P<kind>\w+)\][ \t]*(?P<folded>> ?)?(?P<newline>\n)?")


def problem(state: StateBlock, line: int, message: str) -> None:
    """Leave a message for the renderer, which knows how to warn."""
    token = state.push("problem", "", 0)
    token.content = message
    token.map = [line, line + 1]
    state.line = line + 1


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

    Its ``info`` is the kind in small letters. Outside of a quotation it is a problem.
    """
    tokens = state.tokens
    found: list[Token] = []
    for number, token in enumerate(tokens):
        starts_paragraph = token.type == "paragraph_open"
        alert = starts_paragraph and _ALERT.match(tokens[number + 1].content)
        if alert and number and tokens[number - 1].type == "blockquote_open":
            _alert(tokens, number - 1, alert)
        elif alert:
            mark = Token("problem", "", 0, map=token.map)
            mark.content = f"{alert[0].strip()} is no alert without '>' before it"
            found.append(mark)
        if not token.meta.get("empty"):
            found.append(token)
    state.tokens = found


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
