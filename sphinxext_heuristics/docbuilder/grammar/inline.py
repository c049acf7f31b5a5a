r"""Rules for inline markup that CommonMark does not have.

Links to objects (``[`X`]``), reStructuredText's roles, mathematics in ``\\( … \\)`` and
``$ … $``, links and images in HTML, and bare addresses. A rule is a function of
markdown-it: it looks at the text from ``state.pos`` on.
"""

from __future__ import annotations

import re
from functools import lru_cache, wraps
from html import unescape
from types import SimpleNamespace
from typing import TYPE_CHECKING

from markdown_it.token import Token

from .components import TAG, attributes_of, push_tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.rules_inline import StateInline

    Rule = Callable[[StateInline, bool], bool]

_NAME = r"~?[A-Za-z_][\w.]*"
_CALL = r"(?P<call>\(\))?(?:#(?P<param>\w+))?"
_OBJECT = re.compile(rf"(?<![\w`\]])\[`(?P<target>{_NAME}){_CALL}`\](?![(\[])")
_OBJECT_WITH_TEXT = re.compile(
    rf"(?<![\w`\]])\[`(?P<text>[^`\n]+)`\]\[(?P<target>{_NAME})(?P<call>\(\))?\](?![(\[])"
)
#: What authors write by mistake: the two marks at the end have changed places, or the
#: bracket is missing.
_SLIP = re.compile(
    r"(?<![\w`\]])\[`(?P<target>(?P<tilde>~)?[A-Za-z_][\w.]*)(?P<call>\(\))?(?:\]`(?![\w(\[])|(?(tilde)`(?=\s)|(?!)))"
)
_BRACKETED_CODE = re.compile(r"\[(?P<ticks>`+)(?P<code>[^`\n]+)(?P=ticks)\](?![(\[:])")
_ROLE = re.compile(
    r":(?:py:)?(?:class|func|meth|obj|mod|attr|data|exc):`(?P<target>[^`<]+)`"
)
_TEX_MATH = re.compile(r"\\{1,2}\((?P<formula>.+?)\\{1,2}\)", re.DOTALL)
_TWO_DOLLARS = re.compile(r"\$\$(?P<formula>[^$]+)\$\$")
_SPACED_DOLLARS = re.compile(r"(?<!\S)\$(?P<formula>[^$\n`<>]+)\$(?!\S)")
_DOLLARS = re.compile(
    r"(?<![\w$\\])\$(?P<formula>[^\s$`'\"](?:(?:[^$`'\"]|(?<=[\w)}])')*(?:[^\s$`'\"\\]|(?<=[\w)}])'))?)\$(?![\w$])"
)
_ADDRESS = re.compile(
    r"https?://[^\s<>()\[\]`*'\"]+(?:\([^\s<>()]*\)[^\s<>()\[\]`*'\"]*)*"
)
_HTML_LINK = re.compile(
    r"<a\s(?=[^<>]*\bhref\b)(?P<attributes>[^<>]*)>(?P<label>(?:(?!<a\s).)*?)</a\s*>",
    re.DOTALL,
)
_HTML_IMAGE = re.compile(r"<img\s(?P<attributes>[^<>]*?)/?>", re.DOTALL)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_COLAB = re.compile(r"\[\[open-in-colab\]\]")
_ALERT, _AUTODOC = re.compile(r"\A\[!\w+\]"), re.compile(r"\[\[autodoc\]\]")
_FORMULA = re.compile(r"\A\$\$")
#: What no rule for blocks has read → what is wrong.
_STRAY = {
    _ALERT: "is no alert without '>' before it",
    _FORMULA: "is not closed; add $$ where the formula ends",
    _AUTODOC: (
        "takes the name of one object, and nothing else in its line; its text is shown"
    ),
}
#: ``__init__``, ``**kwargs`` and the star of ``2*3`` are text and not emphasis.
_PLAIN = re.compile(
    r"(?<!\w)__\w+__(?!\w)|(?<=\w)\*(?=\w)|(?<![\w*])\*{1,2}(?=\w*args\b(?!\*))"
)


def located(rule: Rule) -> Rule:
    """Let a rule note how many lines below the start of its paragraph a token is."""

    @wraps(rule)
    def locate(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
        start, number = state.pos, len(state.tokens) + bool(state.pending)
        done = rule(state, silent)
        for token in state.tokens[number : number + 1]:
            token.meta = {**token.meta, "below": state.src.count("\n", 0, start)}
        return done

    return locate


def _matching(
    make: Callable[[StateInline, re.Match[str]], object],
    *patterns: re.Pattern[str],
    end: str = "",
) -> Rule:
    """Return a rule of patterns and of what makes tokens of a match.

    *end* is what each match ends with.
    """

    def rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's call
        # without its end, each opening mark would be looked for through all the text
        if end and _last(state.src, end, state.posMax) < state.pos:
            return False
        for pattern in patterns:
            found = pattern.match(state.src, state.pos, state.posMax)
            if found:
                if not silent:
                    make(state, found)
                state.pos = found.end()
                return True
        return False

    return rule


@lru_cache(maxsize=64)
def _last(text: str, part: str, end: int) -> int:
    """Return where a part is last before an end."""
    return text.rfind(part, 0, end)


def _object(state: StateInline, found: re.Match[str]) -> None:
    """Add the token of a link to an object.

    Its content is the name, ``shown`` what is shown instead.
    """
    groups = found.groupdict()
    token = state.push("object_link", "", 0)
    token.content = groups["target"].strip()
    shown = groups.get("param") or groups.get("text") or ""
    token.meta = {"shown": shown, "called": bool(groups.get("call"))}


def _bracketed_code(state: StateInline, found: re.Match[str]) -> None:
    state.push("code_inline", "code", 0).content = found["code"]


def _math(state: StateInline, found: re.Match[str]) -> None:
    state.push("math_inline", "math", 0).content = " ".join(found[1].split())


def _html_link(state: StateInline, found: re.Match[str]) -> None:
    attributes = attributes_of(found["attributes"])
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": attributes.get("href", "").strip()}
    position, end = state.pos, state.posMax
    state.pos, state.posMax = found.start("label"), found.end("label")
    state.linkLevel += 1
    state.md.inline.tokenize(state)
    state.linkLevel -= 1
    state.pos, state.posMax = position, end
    state.push("link_close", "a", -1)


def _html_image(state: StateInline, found: re.Match[str]) -> None:
    attributes = attributes_of(found["attributes"])
    token = state.push("image", "img", 0)
    names = ("src", "width", "height")
    token.attrs = {name: attributes[name] for name in names if attributes.get(name)}
    alternative = unescape(attributes.get("alt", ""))
    token.children = [Token("text", "", 0, content=alternative)]


class Addresses:
    """Finds addresses without marks, for markdown-it's rule ``linkify``."""

    def match_at_start(self, text: str) -> SimpleNamespace | None:
        """Return the address that a text starts with, as ``url``."""
        found = _ADDRESS.match(text)
        return SimpleNamespace(url=found[0].rstrip(".,;:!?")) if found else None


def _stray(state: StateInline, found: re.Match[str]) -> None:
    """Add the token of a problem, and the text."""
    state.push("problem", "", 0).content = f"{found[0]} {_STRAY[found.re]}"
    state.pending += found[0]


def _text(state: StateInline, found: re.Match[str]) -> None:
    state.pending += found[0]


def _nothing(state: StateInline, found: re.Match[str]) -> None:
    """Add no token."""


#: The rules that pages and docstrings share, each with its name, in the order in which
#: they are asked.
SHARED: dict[str, Rule] = {
    "object": _matching(_object, _OBJECT, _OBJECT_WITH_TEXT, _SLIP, _ROLE),
    "tex_math": _matching(_math, _TEX_MATH, end="\\)"),
    "math": _matching(_math, _TWO_DOLLARS, _SPACED_DOLLARS, _DOLLARS),
    "stray": _matching(_stray, _ALERT, _FORMULA),
    "html_link": _matching(_html_link, _HTML_LINK, end=">"),
    "component_inline": _matching(push_tag, TAG),
}
#: What docstrings have besides: their text is closer to code.
DOCSTRING: dict[str, Rule] = {"plain": _matching(_text, _PLAIN)}
#: What pages have besides.
PAGE: dict[str, Rule] = {
    "stray_autodoc": _matching(_stray, _AUTODOC),
    "bracketed_code": _matching(_bracketed_code, _BRACKETED_CODE),
    "html_image": _matching(_html_image, _HTML_IMAGE),
    # for authors, or for notebooks
    "comment": _matching(_nothing, COMMENT, end="-->"),
    "colab": _matching(_nothing, _COLAB),
}
