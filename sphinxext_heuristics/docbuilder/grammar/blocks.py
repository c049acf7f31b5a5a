"""Rules for blocks that CommonMark does not have: documented objects, formulas, doctests, alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.grammar.components import line_at, problem

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_AUTODOC = re.compile(r"\[\[autodoc\]\]")
_AUTODOC_NAME = re.compile(r"\s+(\S+)\s*$")
_MEMBER = re.compile(r"-\s+(\S+)\s*$")
_DOCTEST = re.compile(r">>> ?")
_ALERT = re.compile(r"\[!(?P<kind>\w+)\][ \t]*(?P<folded>> ?)?(?P<newline>\n)?")


def autodoc_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read ``[[autodoc]] X`` and the list of members below it.

    The token's meta data: the ``names``, the listed ``members`` (``None`` if there is no list), and what is wrong.
    """
    line = line_at(state, start)
    if not _AUTODOC.match(line):
        return False
    if silent:
        return True
    names = [_AUTODOC_NAME.match(part) for part in _AUTODOC.split(line)[1:]]
    if None in names:
        message = "[[autodoc]] takes the name of one object, and nothing else in its line; its text is shown"
        problem(state, start, message)
        _paragraph(state, line, start)
        state.line = start + 1
        return True
    members, stop = _members(state, start, end)
    several = "several [[autodoc]] on one line, which doc-builder shows as text; give each its own line"
    token = state.push("autodoc", "", 0)
    token.meta = {
        "names": [name[1] for name in names if name],
        "members": members,
        "problem": several if len(names) > 1 else "",
    }
    token.map = [start, stop]
    state.line = stop
    return True


def _members(state: StateBlock, start: int, end: int) -> tuple[list[str] | None, int]:
    """Read the list of members below a line: deeper than it, all at one depth, blank lines between them or not."""
    first = start + 1
    while first < end and state.isEmpty(first):
        first += 1
    if first >= end or state.sCount[first] <= state.sCount[start] or not _MEMBER.match(line_at(state, first)):
        return None, start + 1
    members, number, stop = [], first, first
    while number < end:
        member = _MEMBER.match(line_at(state, number))
        if member and state.sCount[number] == state.sCount[first]:
            members.append(member[1])
            stop = number + 1
        elif not state.isEmpty(number):
            break
        number += 1
    return members, stop


def formula_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read ``$$ … $$`` that starts a line; what follows the formula in its last line is a paragraph."""
    if not line_at(state, start).startswith("$$") or state.is_code_block(start):
        return False
    if silent:
        return True
    text, last = line_at(state, start)[2:], start
    while "$$" not in text and last + 1 < end and state.sCount[last + 1] >= state.blkIndent:
        last += 1
        text += "\n" + line_at(state, last)
    formula, closed, rest = text.partition("$$")
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


def doctest_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a doctest that is in no fence: from ``>>>`` to the next blank line."""
    if not _DOCTEST.match(line_at(state, start)) or state.is_code_block(start):
        return False
    if silent:
        return True
    stop = start
    while stop < end and not state.isEmpty(stop):
        stop += 1
    token = state.push("fence", "code", 0)
    token.info, token.markup = "pycon", "```"
    token.content = state.getLines(start, stop, state.sCount[start], keepLastLF=True)
    token.map = [start, stop]
    state.line = stop
    return True


def alert_rule(state: StateCore) -> None:
    """Make a quotation that starts with ``[!TIP]`` an alert; its ``info`` is the kind in small letters."""
    tokens = state.tokens
    for number, token in enumerate(tokens[:-2]):
        if token.type == "blockquote_open" and tokens[number + 1].type == "paragraph_open":
            found = _ALERT.match(tokens[number + 2].content)
            if found:
                _alert(tokens, number, found)
    state.tokens = [token for token in tokens if not token.meta.get("empty")]


def _alert(tokens: list[Token], number: int, found: re.Match[str]) -> None:
    opening, paragraph, inline = tokens[number : number + 3]
    close = next(
        token for token in tokens[number:] if token.type == "blockquote_close" and token.level == opening.level
    )
    opening.type, close.type = "alert_open", "alert_close"
    opening.info = found["kind"].lower()
    inline.content = inline.content[found.end() :]
    if found["folded"]:
        # a formatter has folded the lines of the quotation into one, marks included
        inline.content = re.sub(r"(?<=\s)> ", "", inline.content)
    if found["newline"] and inline.map:
        paragraph.map = inline.map = [inline.map[0] + 1, inline.map[1]]
    if not inline.content.strip():
        for token in tokens[number + 1 : number + 4]:
            token.meta = {**token.meta, "empty": True}
