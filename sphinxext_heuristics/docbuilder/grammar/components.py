"""Components: the tags, most in capitals, that doc-builder's site has a program for.

One table says what becomes of them, in pages and in docstrings alike.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from markdown_it.common.html_blocks import block_names

from .blocks import line_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

#: What becomes of a component → those of which it does.
_TABLE = {
    "alternatives": "hfoptions frameworkcontent tokenizerslangcontent",
    "alternative": "hfoption pt tf jax python rust node",
    "alert": "Tip",
    "version": "Added Changed Deprecated",
    "dropped": "Youtube CourseFloatingBanner InferenceSnippet PipelineTag PipelineIcon "
    "DocNotebookDropdown Question EditOnGithub HfOptions",
    "include": "include literalinclude",
}
KINDS = {name: kind for kind, names in _TABLE.items() for name in names.split()}
#: HTML's elements, besides those for blocks.
_INLINE = """
a abbr audio b bdi bdo br button canvas cite code data datalist del dfn em embed font i
img input ins kbd label map mark meta meter object output picture pre progress q rp rt
ruby s samp script select slot small source span strike strong style sub sup svg path
template textarea time tt u var video wbr
"""
HTML = frozenset({*block_names, *_INLINE.split()})

#: How deep markup may be nested: for each level, whoever reads it is some calls deeper.
DEPTH = 50

_ATTRIBUTE = re.compile(
    r"""(?P<name>[A-Za-z][\w:-]*)(?:\s*=\s*(?P<value>"[^"]*"|'[^']*'|\{[^{}]*\}|[^\s"'>/]+))?"""
)
_BRACES = r"\{[^{}]*\}"
for _ in range(2):
    _BRACES = rf"\{{(?:[^{{}}]|{_BRACES})*\}}"
#: A component's tag, known or not; what is between braces may hold anything. One in
#: small letters without attributes, ``<name>``, is what a reader puts something in for,
#: unless it is in the table.
TAG = re.compile(
    rf"<(?P<slash>/?)(?P<name>(?:{'|'.join(KINDS)})(?![\w-])"
    rf"|(?!(?:{'|'.join(HTML)})(?![\w-])|[a-z][a-z\d_-]*\s*>)[A-Za-z][\w-]*+)"
    rf"(?P<attributes>(?:[\s/](?:[^<>{{]|{_BRACES})*+)?)>"
)
_TAG = re.sub(r"\?P<\w+>", "?:", TAG.pattern)
#: Tags with nothing between them.
_TAGS = re.compile(rf"(?:{_TAG}\s*)++")
#: A tag that goes on below, from its ``<`` on, which is the last of the line.
_OPEN = re.compile(r"<(?:[A-Z]|a\s)[^>]*$")
_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag; one without a value has the value ``""``."""
    return {name: value.strip("\"'{}") for name, value in _ATTRIBUTE.findall(text)}


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

    The tags of components that begin or end a line are lines of their own, and those
    over several lines are on one.
    """
    position = 0
    while position < len(source):
        end = max(fence_end(source, position), position + 1)
        line = source[position]
        if end == position + 1 and "<" in line:
            end = _open_end(source, position)
            below = map(str.strip, source[position + 1 : end])
            indent = " " * indent_of(line)
            for part in _parts(" ".join([line, *below])):
                yield indent + part.strip(), position
        else:
            yield from zip(source[position:end], range(position, end), strict=True)
        position = end


def _open_end(source: Sequence[str], start: int) -> int:
    """Return the line after the tags that are open at the end of the line *start*.

    They go on to a blank line at most.
    """
    is_open = True
    for number in range(start, len(source)):
        line = source[number].strip()
        if "<" in line:
            # only what follows the last one counts: each line is looked at once
            is_open = bool(_OPEN.match(f"{line[line.rindex('<') :]}\n"))
        elif ">" in line:
            is_open = False
        is_last = number + 1 == len(source) or not source[number + 1].strip()
        if is_last or not is_open:
            return number + 1
    return len(source)


def _parts(line: str) -> list[str]:
    """Return the tags that begin or end a line, and what is between them."""
    begin, parts, position = indent_of(line), [], 0
    for tags in _TAGS.finditer(line):
        if tags.start() == begin or tags.end() == len(line):
            parts += [line[position : tags.start()], *re.findall(_TAG, tags[0])]
            position = tags.end()
    parts.append(line[position:])
    return [part for part in parts if part.strip()]


def tag_rule(
    state: StateBlock,
    start: int,
    _: int,
    silent: bool,  # noqa: FBT001 - markdown-it's call
) -> bool:
    """Read a component's tag that is a line into a token ``component``."""
    tag = TAG.fullmatch(line_at(state, start).rstrip())
    if tag is None:
        return False
    if not silent:
        token = push_tag(state, tag)
        token.map = [start, start + 1]
        is_single = tag["attributes"].endswith("/") or KINDS.get(token.tag) == "dropped"
        if not is_single:
            token.nesting = -1 if tag["slash"] else 1
            token.type = "component_open"
        state.line = start + 1
    return True


def push_tag(state: StateBlock | StateInline, tag: re.Match[str]) -> Token:
    """Add the token of a component's tag."""
    token = state.push("component", tag["name"], 0)
    token.content, token.meta = tag[0], attributes_of(tag["attributes"])
    return token


def pair_rule(state: StateCore) -> None:
    """Let the tags of components enclose what is between them.

    What is not closed, or closes nothing, is a problem, which the renderer warns of.
    """
    opened: list[Token] = []
    for token in state.tokens:
        if token.nesting > 0:
            opened.append(token)
        elif token.nesting:
            inside = takewhile(_is_component, reversed(opened))
            if _is_component(token) and token.tag not in {it.tag for it in inside}:
                _unpaired(token)
                continue
            while (opening := opened.pop()).tag != token.tag:
                _unpaired(opening)
    for token in opened:
        _unpaired(token)


def depth_rule(state: StateCore) -> None:
    """Flatten what is nested too deep; the renderer warns of it."""
    state.tokens = _flat(state.tokens)
    for token in state.tokens:
        token.children = token.children and _flat(token.children)


def _flat(tokens: Iterable[Token]) -> list[Token]:
    depth, kept, is_told = 0, [], False
    for token in tokens:
        depth += min(token.nesting, 0)
        is_deep = depth >= DEPTH and token.nesting
        depth += max(token.nesting, 0)
        if is_deep and not is_told:
            hint = "what is deeper is shown without its markup"
            token.content = f"more than {DEPTH} marks and tags are nested; {hint}"
            token.type, token.nesting, is_told = "problem", 0, True
            kept.append(token)
        elif not is_deep:
            kept.append(token)
    return kept


def _is_component(token: Token) -> bool:
    return token.type == "component_open"


def _unpaired(token: Token) -> None:
    token.type, token.nesting = "component", 0
    if token.tag in KINDS:
        token.type = "problem"
        hint = "add the tag that opens or closes it, or remove it"
        token.content = f"{token.content} has no counterpart; {hint}"
