"""Rules for blocks that CommonMark lacks: objects, formulas, alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.rules_block import list_block
from mdit_py_plugins.dollarmath.index import math_block_dollar

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore

_AUTODOC = re.compile(r"(?:\[\[autodoc\]\]\s*(?:(?!\[\[autodoc\]\])\S)+\s*)+")
_MEMBER = re.compile(r"-\s+(\S+)\s*$")
_ALERT = re.compile(r"\[!(?P<kind>\w+)\][ \t]*(?P<folded>> ?)?(?P<newline>\n)?")
_FORMULA_RULE = math_block_dollar(allow_labels=False)


def line_at(state: StateBlock, number: int) -> str:
    """Return a line without its indentation."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def autodoc_rule(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - markdown-it's call
) -> bool:
    """Read ``[[autodoc]] X``.

    The token's meta data are the ``names`` and the ``members``.
    """
    line = line_at(state, start)
    if not _AUTODOC.fullmatch(line):
        return False
    if silent:
        return True
    names = line.replace("[[autodoc]]", " ").split()
    members, state.line = _members(state, start, end)
    token = state.push("autodoc", "", 0)
    token.map = [start, state.line]
    token.meta = {"names": names, "members": members}
    return True


def _members(state: StateBlock, start: int, end: int) -> tuple[list[str], int]:
    """Return the members listed below ``[[autodoc]]``, and the line after them.

    They are deeper, with blank lines between them or not.
    """
    members: list[str] = []
    stop = start + 1
    for number in range(start + 1, end):
        member = _MEMBER.match(line_at(state, number))
        if member and state.sCount[number] > state.sCount[start]:
            members.append(member[1])
            stop = number + 1
        elif not state.isEmpty(number):
            break
    return members, stop


def formula_rule(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - markdown-it's call
) -> bool:
    """Read ``$$ … $$`` that starts a line and ends one.

    The plugin's rule cannot be asked without adding its token.
    """
    if silent:
        return line_at(state, start).startswith("$$")
    return _FORMULA_RULE(state, start, end, silent)


def list_rule(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - markdown-it's call
) -> bool:
    """Read a list, deeply indented or not.

    markdown-it's rule would take the items after the first for its text, as they would
    be code.
    """
    outside = state.blkIndent
    if state.sCount[start] - outside > 3:  # noqa: PLR2004 - as code would be
        state.blkIndent = state.sCount[start]
    done = list_block(state, start, end, silent)
    state.blkIndent = outside
    return done


def alert_rule(state: StateCore) -> None:
    """Turn a quotation that starts with ``[!TIP]`` into an alert.

    Its ``info`` is the kind in small letters.
    """
    tokens = state.tokens
    for opening, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        found = _ALERT.match(inline.content)
        starts = (opening.type, paragraph.type) == ("blockquote_open", "paragraph_open")
        if found is None or not starts:
            continue
        opening.type, opening.info = "alert_open", found["kind"].lower()
        inline.content = inline.content[found.end() :]
        if found["folded"]:
            # a formatter has folded the lines of the quotation into one, marks included
            inline.content = re.sub(r"(?<=\s)> ", "", inline.content)
        if found["newline"] and inline.map:
            paragraph.map = inline.map = [inline.map[0] + 1, inline.map[1]]
