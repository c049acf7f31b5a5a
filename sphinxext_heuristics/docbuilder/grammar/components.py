"""Components: the tags, most in capitals, that doc-builder's site has a program for.

One table says what becomes of them, in pages and in docstrings alike.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.common.html_blocks import block_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

_ATTRIBUTE = re.compile(
    r"""(?P<name>[A-Za-z][\w:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^{}]*)\}|([^\s"'>/]+)))?"""
)
_BRACES = r"\{[^{}]*\}"
for _ in range(2):
    _BRACES = rf"\{{(?:[^{{}}]|{_BRACES})*\}}"
#: A tag; what is between braces may hold anything.
TAG = re.compile(
    r"<(?P<slash>/?)(?P<name>[A-Za-z][\w-]*+)"
    rf"(?P<attributes>(?:[\s/](?:[^<>{{]|{_BRACES})*+)?)>"
)
_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")


def is_component(name: str, attributes: str) -> bool:
    """Return whether a tag is a component's, known or not.

    One in small letters without attributes, ``<name>``, is what a reader puts something
    in for, unless it is in the table.
    """
    is_placeholder = name.islower() and not attributes.strip()
    return name in KINDS or (name not in HTML and not is_placeholder)


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag; one without a value has the value ``""``."""
    found = {}
    for match in _ATTRIBUTE.finditer(text):
        values = (value for value in match.groups()[1:] if value is not None)
        found[match["name"]] = next(values, "")
    return found


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
            # a tag that is open at the end of the line goes on in the next ones
            while re.search(r"<[A-Z]\w*[^<>]*$", line) and end < len(source):
                line, end = f"{line} {source[end].strip()}", end + 1
            indent = " " * indent_of(line)
            for part in _parts(line):
                yield indent + part.strip(), position
        else:
            yield from zip(source[position:end], range(position, end), strict=True)
        position = end


def _parts(line: str) -> Iterator[str]:
    """Yield the tags that begin or end a line, and what is between them."""
    start, end, after = 0, len(line.rstrip()), []
    tags = [tag for tag in TAG.finditer(line) if is_component(*tag.group(2, 3))]
    for tag in tags:
        if line[start : tag.start()].strip():
            break
        yield tag[0]
        start = tag.end()
    for tag in reversed(tags):
        if tag.start() < start or line[tag.end() : end].strip():
            break
        after.append(tag[0])
        end = tag.start()
    if line[start:end].strip():
        yield line[start:end]
    elif not start and not after:
        yield line
    yield from reversed(after)


def tag_rule(state: StateBlock, start: int, _: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a component's tag that is a line into a token ``component``."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    tag = TAG.fullmatch(line.rstrip())
    if (
        tag is None
        or not is_component(*tag.group("name", "attributes"))
        or state.is_code_block(start)
    ):
        return False
    if not silent:
        _push(state, tag).map = [start, start + 1]
        state.line = start + 1
    return True


def inline_tag_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
    """Read a component's tag within a line."""
    tag = TAG.match(state.src, state.pos)
    if tag is None or not is_component(*tag.group("name", "attributes")):
        return False
    if not silent:
        _push(state, tag).nesting = 0
    state.pos = tag.end()
    return True


def _push(state: StateBlock | StateInline, tag: re.Match[str]) -> Token:
    is_single = tag["attributes"].endswith("/") or KINDS.get(tag["name"]) == "dropped"
    token = state.push("component", "", 0)
    token.info, token.content = tag["name"], tag[0]
    token.meta = attributes_of(tag["attributes"])
    token.nesting = 0 if is_single else -1 if tag["slash"] else 1
    return token


def pair_rule(state: StateCore) -> None:
    """Let the tags of components enclose what is between them.

    What is not closed, or closes nothing, is a problem, which the renderer warns of.
    """
    #: For each open block, outermost first, the tags that are open in it.
    blocks: list[list[Token]] = [[]]
    for token in state.tokens:
        if token.type != "component" and token.nesting > 0:
            blocks.append([])
        elif token.type != "component" and token.nesting:
            for tag in blocks.pop():
                _unpaired(tag)
        elif token.nesting > 0:
            blocks[-1].append(token)
        elif token.nesting:
            _close(blocks[-1], token)
    for tag in blocks[-1]:
        _unpaired(tag)


def _close(open_tags: list[Token], closing: Token) -> None:
    if closing.info not in [tag.info for tag in open_tags]:
        _unpaired(closing)
        return
    while (opening := open_tags.pop()).info != closing.info:
        _unpaired(opening)
    opening.type, closing.type = "component_open", "component_close"


def _unpaired(token: Token) -> None:
    name, is_closing = token.info, token.nesting < 0
    token.nesting = 0
    if name not in KINDS:
        return
    token.type = "problem"
    if is_closing:
        token.content = f"</{name}> closes nothing; remove it, or add the opening tag"
    else:
        token.content = f"<{name}> is not closed; add </{name}> where it ends"
