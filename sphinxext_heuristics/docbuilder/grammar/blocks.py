"""Rules for blocks that CommonMark does not have: documented objects, formulas, doctests, alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinxext_heuristics.docbuilder.grammar.components import line_at, problem
from sphinxext_heuristics.docbuilder.lines import indent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_MEMBER = re.compile(r"-\s+(\S+)\s*$")
_DOCTEST = re.compile(r">>> ?")
_ALERT = re.compile(r"\[!(?P<kind>\w+)\][ \t]*(?P<folded>> ?)?(?P<newline>\n)?")


def read_autodoc(lines: Sequence[str], start: int) -> tuple[list[str], list[str] | None, int]:
    """Read ``[[autodoc]] X`` and the list of members below it: deeper, all at one depth, blank lines between or not.

    :param lines: The lines of the page.
    :param start: The line that begins with ``[[autodoc]]``.
    :returns: What stands behind each ``[[autodoc]]`` in the line; the members, ``None`` without a list; the line after.
    """
    names = [part.strip() for part in lines[start].split("[[autodoc]]")[1:]]
    members: list[str] = []
    depth, stop = 0, start + 1
    for number in range(start + 1, len(lines)):
        member, indent = _MEMBER.match(lines[number].strip()), indent_of(lines[number])
        if member and (indent == depth or (not members and indent > indent_of(lines[start]))):
            members.append(member[1])
            depth, stop = indent, number + 1
        elif lines[number].strip():
            break
    return names, members or None, stop


def autodoc_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read ``[[autodoc]] X``; the token's meta data: the ``names``, the ``members``, and what is wrong."""
    line = line_at(state, start)
    if not line.startswith("[[autodoc]]"):
        return False
    if silent:
        return True
    lines = [state.src[state.bMarks[number] : state.eMarks[number]].expandtabs() for number in range(start, end)]
    names, members, length = read_autodoc(lines, 0)
    if not all(re.fullmatch(r"\S+", name) for name in names):
        message = "[[autodoc]] takes the name of one object, and nothing else in its line; its text is shown"
        problem(state, start, message)
        _paragraph(state, line, start)
        return True
    several = "several [[autodoc]] on one line, which doc-builder shows as text; give each its own line"
    token = state.push("autodoc", "", 0)
    token.meta = {"names": names, "members": members, "problem": several if len(names) > 1 else ""}
    state.line = start + length
    token.map = [start, state.line]
    return True


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
    close = next(end for end in tokens[number:] if (end.type, end.level) == ("blockquote_close", opening.level))
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
